"""One small sound file of every format that is a single file, written here or, where they are told, a real sample."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import ecgspasm as es
from tests.corpus import vendor_files
from tests.corpus.sound_records import heart
from tests.draw_pdf import Print, Raw, draw_raw

LEADS = ("I", "II", "V1", "V2", "V5")
ROWS = (0, 1, 6, 7, 10)
FS = 500


@dataclass(frozen=True)
class Sound:
    """A file that is read as it should be, and what has to be said to read it."""

    suffix: str
    content: bytes
    asked: dict[str, Any] = field(default_factory=dict)


def steps(n: int = 1500) -> Any:
    """Some leads with a heart in them, shape (lead, sample), 1 uV a step."""
    return heart()[list(ROWS), :n]


def ecg(n: int = 1500) -> es.Ecg:
    return es.Ecg(signal_uv=steps(n).astype(float), fs=FS, leads=LEADS, subject=es.Subject("female", 61.0))


def written(suffix: str, n: int = 1500) -> bytes:
    """What `es.write` writes."""
    with tempfile.TemporaryDirectory() as folder:
        return Path(es.write(ecg(n), Path(folder) / f"x{suffix}")).read_bytes()


def edf(bdf: bool = False, n: int = 1500) -> bytes:
    """A file as the specification has it, of three records of a second."""
    rows, bits = steps(n), 24 if bdf else 16
    n_leads, word = len(rows), bits // 8
    low, high = str(-(2 ** (bits - 1))), str(2 ** (bits - 1) - 1)

    def fields(width: int, *values: str) -> bytes:
        return b"".join(value.encode("ascii").ljust(width) for value in values)

    head = (b"\xffBIOSEMI" if bdf else b"0       ") + fields(80, "X F 02-MAY-1951 X", "Startdate 02-MAR-2012 X X X")
    head += fields(8, "02.03.12", "21.13.49", str(256 * (n_leads + 1))) + fields(44, "24BIT" if bdf else "EDF+C")
    head += fields(8, "3", "1") + fields(4, str(n_leads)) + fields(16, *(f"ECG {lead}" for lead in LEADS))
    head += fields(80, *[""] * n_leads) + fields(8, *["uV"] * n_leads, *[low] * n_leads, *[high] * n_leads)
    head += fields(8, *[low] * n_leads, *[high] * n_leads) + fields(80, *[""] * n_leads)
    head += fields(8, *[str(n // 3)] * n_leads) + fields(32, *[""] * n_leads)
    if not bdf:
        head = head.replace(b"EDF+C", b"     ")
    pieces = [row[at : at + n // 3] for at in range(0, n, n // 3) for row in rows]
    parts = [piece.astype("<i4").view("u1").reshape(-1, 4)[:, :word] for piece in pieces]
    return head + b"".join(part.tobytes() for part in parts)


def npy(order: str = "C", n: int = 1500) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(steps(n).T, dtype="<i2", order=order))  # type: ignore[call-overload]
    return out.getvalue()


def npz(*, packed: bool = True, n: int = 1500) -> bytes:
    out = io.BytesIO()
    save = np.savez_compressed if packed else np.savez
    save(out, signal=steps(n).astype("f4"), leads=np.array(LEADS), fs=np.array(500.0), unit=np.array("uV"))
    return out.getvalue()


def hdf5(n: int = 1500, **how: Any) -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        table = file.create_dataset("signal", data=steps(n).T.astype("<i2"), **how)
        table.attrs["leads"], table.attrs["fs"], table.attrs["unit"] = " ".join(LEADS), 500, "uV"
        table.attrs["sex"] = np.bytes_("F")
    return out.getvalue()


def parquet(compression: str = "snappy", n: int = 1500) -> bytes:
    import pyarrow
    from pyarrow import parquet as file

    facts = {b"ecgspasm": json.dumps({"fs": FS, "unit": "uV"}).encode()}
    columns = [pyarrow.array(row.astype("i2")) for row in steps(n)]
    table = pyarrow.Table.from_arrays(columns, names=list(LEADS)).replace_schema_metadata(facts)
    out = io.BytesIO()
    file.write_table(table, out, compression=compression, row_group_size=600)
    return out.getvalue()


@cache
def _short_dicom(n: int) -> bytes:
    import pydicom
    from pydicom.data import get_testdata_file

    dataset = pydicom.dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    for name in ("WaveformAnnotationSequence", "PatientName", "PatientID", "PatientBirthDate"):
        if name in dataset:
            del dataset[name]
    group = dataset.WaveformSequence[0]
    group.WaveformData = group.WaveformData[: 24 * n]
    group.NumberOfWaveformSamples = n
    dataset.WaveformSequence = [group]
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset)
    return out.getvalue()


def dicom_dataset(n: int = 1500) -> Any:
    """The real file that comes with pydicom, cut short and without its median beat."""
    import pydicom

    return pydicom.dcmread(io.BytesIO(_short_dicom(n)))


def dicom(dataset: Any = None, **how: Any) -> bytes:
    import pydicom

    out = io.BytesIO()
    pydicom.dcmwrite(out, dicom_dataset() if dataset is None else dataset, **how)
    return out.getvalue()


def pdf() -> bytes:
    """A page of curves, small enough to be read in a tenth of a second."""
    made = es.simulate.ecg(fs=125, seed=4, duration_s=4).ecg
    return draw_raw(made, Print("6x2"), Raw(segments="row", compress=False, form=False))


def vendor(kind: str, n: int = 1500) -> bytes:
    """A file of an electrocardiograph with a heart in it."""
    rows = steps(n).astype("<i2")
    if kind == "ishne":
        return vendor_files.ishne(rows, codes=(5, 6, 11, 12, 15), nanovolts=1000, fs=FS)
    if kind == "mortara":
        return vendor_files.mortara(rows, leads=LEADS, units_per_mv="1000")
    if kind == "muse":
        leads = "".join(vendor_files.muse_lead(name, row, per_bit="1") for name, row in zip(LEADS, rows, strict=True))
        head = "<WaveformType>Rhythm</WaveformType><SampleBase>500</SampleBase><SampleExponent>0</SampleExponent>"
        return vendor_files.muse(f"<Waveform>{head}{leads}</Waveform>", head='<!DOCTYPE RestingECG SYSTEM "restecg.dtd">')
    if kind == "aecg":
        return vendor_files.aecg(dict(zip(LEADS, rows[:, :600], strict=True)))
    return vendor_files.scp([(code, 1, row) for code, row in zip((1, 2, 3, 4, 7), rows, strict=True)], nanovolts=1000)


MADE: dict[str, Callable[[], Sound]] = {
    "CSV": lambda: Sound(".csv", written(".csv")),
    "TSV": lambda: Sound(".tsv", written(".tsv")),
    "npy": lambda: Sound(".npy", npy(), {"fs": 500, "unit": "uV", "rename": {str(i): lead for i, lead in enumerate(LEADS)}}),
    "npz": lambda: Sound(".npz", npz()),
    "HDF5": lambda: Sound(".h5", hdf5(chunks=(500, 5), compression="gzip", shuffle=True)),
    "HDF5 in one piece": lambda: Sound(".h5", hdf5()),
    "Parquet": lambda: Sound(".parquet", parquet()),
    "Parquet as written": lambda: Sound(".parquet", written(".parquet")),
    "EDF": lambda: Sound(".edf", edf()),
    "BDF": lambda: Sound(".bdf", edf(bdf=True)),
    "DICOM": lambda: Sound(".dcm", dicom()),
    "DICOM implicit": lambda: Sound(".dcm", dicom_implicit()),
    "PDF": lambda: Sound(".pdf", pdf()),
    "ISHNE": lambda: Sound(".ecg", vendor("ishne")),
    "Mortara XML": lambda: Sound(".xml", vendor("mortara")),
    "MUSE XML": lambda: Sound(".xml", vendor("muse")),
    "aECG": lambda: Sound(".xml", vendor("aecg")),
    "SCP-ECG": lambda: Sound(".scp", vendor("scp")),
}


def dicom_implicit() -> bytes:
    from pydicom.uid import ImplicitVRLittleEndian

    dataset = dicom_dataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return dicom(dataset, implicit_vr=True, little_endian=True)


def real_samples() -> dict[str, Sound]:
    """The vendors' sample files, if the folder with real recordings is told."""
    folder = os.environ.get("ECGSPASM_TEST_DATA")
    files = sorted((Path(folder) / "formats").glob("*")) if folder else []
    return {path.name: Sound(path.suffix, path.read_bytes()) for path in files if path.is_file()}
