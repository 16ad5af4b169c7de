"""Long files: read in blocks that equal the whole, in memory that stays flat, whatever the format."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.leads import STANDARD
from tests.corpus.vendor_files import ishne

FS = 500
LIMBS = {str(row): lead for row, lead in enumerate(STANDARD)}


def heart(n: int) -> Any:
    """Steps of 1 uV of twelve leads, shape (sample, lead); no two seconds are alike."""
    n_leads = len(STANDARD)
    return np.random.default_rng(3).integers(-1500, 1500, (n, n_leads)).astype("<i2")


def pieces(path: Path, head: bytes, n: int, dtype: str = "<i2", tail: bytes = b"") -> None:
    """Write samples again and again, so that no test holds a large file in memory."""
    block = heart(60 * FS).astype(dtype)
    with path.open("wb") as out:
        out.write(head)
        for begin in range(0, n, len(block)):
            out.write(block[: n - begin].tobytes())
        out.write(tail)


def write_ishne(path: Path, n: int) -> None:
    head = ishne(np.zeros((12, 0), "<i2"), codes=tuple(range(5, 17)), nanovolts=1000, fs=FS, checksum=False)
    pieces(path, head, n)


def write_npy(path: Path, n: int) -> None:
    head = str({"descr": "<i2", "fortran_order": False, "shape": (n, 12)}).encode()
    head = head.ljust(-(len(head) + 11) % 64 + len(head)) + b"\n"
    pieces(path, b"\x93NUMPY\x01\0" + len(head).to_bytes(2, "little") + head, n)


def write_npy_by_lead(path: Path, n: int) -> None:
    array = np.lib.format.open_memmap(path, mode="w+", dtype="<f4", shape=(12, n))
    block = heart(60 * FS).T
    for begin in range(0, n, block.shape[1]):
        array[:, begin : begin + block.shape[1]] = block[:, : n - begin]


def write_hdf5(path: Path, n: int) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed (extra hdf5)")
    block = heart(60 * FS)
    with h5py.File(path, "w") as file:
        table = file.create_dataset("signal", (n, 12), "<i2", chunks=(4096, 12))
        for begin in range(0, n, len(block)):
            table[begin : begin + len(block)] = block[: n - begin]
        table.attrs["leads"], table.attrs["fs"], table.attrs["unit"] = " ".join(STANDARD), FS, "uV"


def write_parquet(path: Path, n: int) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")
    parquet = pytest.importorskip("pyarrow.parquet")
    facts = {b"ecgspasm": json.dumps({"fs": FS, "unit": "uV"}).encode()}
    fields = [pyarrow.field("time_ms", pyarrow.int64()), *(pyarrow.field(lead, pyarrow.int16()) for lead in STANDARD)]
    schema = pyarrow.schema(fields, metadata=facts)
    block = heart(60 * FS)
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as out:
        for begin in range(0, n, len(block)):
            part = block[: n - begin]
            times = 2 * np.arange(begin, begin + len(part))
            out.write_table(pyarrow.Table.from_arrays([pyarrow.array(times), *map(pyarrow.array, part.T)], schema=schema))


def write_dicom(path: Path, n: int) -> None:
    pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed (extra dicom)")
    from pydicom.data import get_testdata_file

    dataset = pydicom.dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    group = dataset.WaveformSequence[0]
    group.SamplingFrequency, group.NumberOfWaveformSamples = FS, n
    for channel in group.ChannelDefinitionSequence:
        channel.ChannelSensitivity, channel.ChannelBaseline, channel.ChannelSensitivityCorrectionFactor = "1", "0", "1"
    # the samples are put in by hand: pydicom would hold them all
    mark = b"HERE ARE THE SAMPLES"
    group.WaveformData = mark
    dataset.WaveformSequence = [group]
    dataset.WaveformSequence.is_undefined_length = True
    dataset.WaveformSequence[0].is_undefined_length_sequence_item = True
    small = path.with_suffix(".small")
    dataset.save_as(small)
    before, found, after = small.read_bytes().partition(mark)
    assert found
    small.unlink()
    pieces(path, before[:-4] + (24 * n).to_bytes(4, "little"), n, tail=after)


def write_wfdb(path: Path, n: int) -> None:
    pieces(path.with_suffix(".dat"), b"", n)
    rows = "".join(f"{path.stem}.dat 16 1000/mV 16 0 0 0 0 {lead}\n" for lead in STANDARD)
    path.write_text(f"{path.stem} 12 {FS} {n}\n{rows}")


def write_edf(path: Path, n: int) -> None:
    edfio = pytest.importorskip("edfio", reason="edfio is not installed (extra edf)")
    whole = heart(60 * FS).T
    block = np.tile(whole, -(-n // whole.shape[1]))[:, :n].astype(float)
    rows = [
        edfio.EdfSignal(row, FS, label=lead, physical_dimension="uV", physical_range=(-32768, 32767))
        for lead, row in zip(STANDARD, block, strict=True)
    ]
    edfio.Edf(rows).write(path)


@dataclass(frozen=True)
class Long:
    """A format that is read in blocks."""

    suffix: str
    write: Callable[[Path, int], None]
    asked: dict[str, Any]


TOLD = {"fs": FS, "unit": "uV", "rename": LIMBS}
LONG = {
    "ISHNE": Long(".ecg", write_ishne, {}),
    "npy": Long(".npy", write_npy, TOLD),
    "npy by lead": Long(".npy", write_npy_by_lead, TOLD),
    "HDF5": Long(".h5", write_hdf5, {}),
    "Parquet": Long(".parquet", write_parquet, {}),
    "DICOM": Long(".dcm", write_dicom, {}),
    "WFDB": Long(".hea", write_wfdb, {}),
}


@pytest.mark.parametrize("kind", [*LONG.values(), Long(".edf", write_edf, {})], ids=[*LONG, "EDF"])
def test_blocks_equal_the_whole(tmp_path: Path, kind: Long) -> None:
    n = 90 * FS
    path = tmp_path / f"x{kind.suffix}"
    kind.write(path, n)
    truth = np.tile(heart(60 * FS).T, 2)[:, :n].astype(float)
    whole, recording = es.read(path, **kind.asked), es.open_recording(path, **kind.asked)
    assert (recording.leads, recording.fs, recording.n_samples) == (STANDARD, FS, n)
    assert (whole.leads, whole.fs, recording.subject) == (STANDARD, FS, whole.subject)
    assert whole.recorded_at == recording.recorded_at
    assert np.allclose(whole.signal_uv, truth, atol=1e-9)
    assert np.array_equal(np.concatenate(list(recording.blocks(7)), axis=1), whole.signal_uv)
    for start, stop in [(0, 1), (n - 1, n), (29_999, 30_001), (4095, 4097), (12_345, 23_456)]:
        assert np.array_equal(recording.samples(start, stop), whole.signal_uv[:, start:stop])


_WALK = """
import json, sys
import numpy as np
import ecgspasm as es

def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

def walk(path, asked):
    recording = es.open_recording(path, **asked)
    peak = total = 0
    for block in recording.blocks(60):
        total += block.shape[1]
        peak = max(peak, megabytes())
    return peak, total

small, large, asked = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
walk(small, asked)
idle = megabytes()
peak, total = walk(large, asked)
print(json.dumps([peak - idle, total]))
"""


@pytest.fixture(params=[*LONG.values()], ids=[*LONG])
def large(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, Path, Long]]:
    """Two minutes and 216 MB or more of one format; removed at once, not at the end of all tests."""
    kind: Long = request.param
    small, path = tmp_path / f"small{kind.suffix}", tmp_path / f"large{kind.suffix}"
    kind.write(small, 120 * FS)
    kind.write(path, 5 * 3600 * FS)
    yield small, path, kind
    for left in tmp_path.iterdir():
        left.unlink()


def test_memory_stays_flat(large: tuple[Path, Path, Long]) -> None:
    small, path, kind = large
    assert max(file.stat().st_size for file in path.parent.glob(f"{path.stem}.*")) > 200e6
    done = subprocess.run(
        [sys.executable, "-c", _WALK, str(small), str(path), json.dumps(kind.asked)], capture_output=True, text=True, check=True
    )
    grown_mb, total = json.loads(done.stdout)
    assert total == 5 * 3600 * FS
    # a group of rows of a table is held as a whole
    assert grown_mb < (60 if kind.suffix == ".parquet" else 15), grown_mb


def test_a_file_that_gets_shorter_is_told_and_kills_nothing(tmp_path: Path) -> None:
    for kind in LONG.values():
        path = tmp_path / f"x{kind.suffix}"
        kind.write(path, 90 * FS)
        recording = es.open_recording(path, **kind.asked)
        data = path.with_suffix(".dat") if kind.suffix == ".hea" else path
        with data.open("r+b") as file:
            file.truncate(100_000)
        with pytest.raises(es.EcgError, match=str(path.name)):
            recording.samples(0, recording.n_samples)


def test_amplitudes_that_no_electrode_gives_are_refused_in_blocks_too(tmp_path: Path) -> None:
    values = np.zeros((1000, 2), "f8")
    values[700, 1] = 0.7  # V
    np.save(tmp_path / "x.npy", values)
    recording = es.open_recording(tmp_path / "x.npy", fs=500, unit="V", rename={"0": "I", "1": "V2"})
    assert recording.samples(0, 700).max() == 0
    with pytest.raises(es.EcgError, match="lead V2 reaches 700 mV, which no electrode gives"):
        recording.samples(0, 1000)
