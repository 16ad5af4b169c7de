"""EDF, EDF+ and BDF: files written byte by byte or by edfio, and MNE as a second reader of the same bytes."""

from __future__ import annotations

import builtins
import pickle
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgspasm as es
from ecgspasm.ecg import Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.edf.reader import is_edf, open_edf, read_edf
from ecgspasm.io.file import Asked, File

edfio = pytest.importorskip("edfio", reason="edfio is not installed (extra edf)")

SECRETS = ("Maria_Muster", "MCH-0234567", "02-MAY-1951", "BG3040", "PSG-1234")
PATIENT = "MCH-0234567 F 02-MAY-1951 Maria_Muster"
RECORDING = "Startdate 02-MAR-2002 PSG-1234 BG3040 Telemetry03"


@dataclass(frozen=True)
class Signal:
    label: str = "ECG V2"
    unit: str = "uV"
    physical: tuple[str, str] = ("-3276.8", "3276.7")
    digital: tuple[str, str] = ("-32768", "32767")
    per_record: int = 250


def field(text: str, width: int) -> bytes:
    return text.encode("latin-1").ljust(width)


def edf_bytes(
    signals: Sequence[Signal],
    steps: Sequence[NDArray[Any]],
    *,
    kind: str = "",
    notes: Sequence[str] = (),
    bdf: bool = False,
    duration: str = "1",
    patient: str = PATIENT,
    recording: str = RECORDING,
    date: str = "02.03.02",
    n_records: int | None = None,
) -> bytes:
    """A file as the specification has it; `notes` are the time-keeping annotations, one a record."""
    word = 3 if bdf else 2
    name = "BDF Annotations" if bdf else "EDF Annotations"
    rows = list(signals)
    if notes:
        rows.append(Signal(name, "", ("-1", "1"), ("-32768", "32767"), 60 // word))
    count = len(steps[0]) // signals[0].per_record
    head = (b"\xffBIOSEMI" if bdf else b"0       ") + field(patient, 80) + field(recording, 80) + field(date, 8)
    head += field("21.13.49", 8) + field(str(256 * (len(rows) + 1)), 8) + field(kind, 44)
    head += field(str(count if n_records is None else n_records), 8) + field(duration, 8) + field(str(len(rows)), 4)
    for width, values in (
        (16, [row.label for row in rows]),
        (80, ["AgAgCl electrodes"] * len(rows)),
        (8, [row.unit for row in rows]),
        (8, [row.physical[0] for row in rows]),
        (8, [row.physical[1] for row in rows]),
        (8, [row.digital[0] for row in rows]),
        (8, [row.digital[1] for row in rows]),
        (80, [""] * len(rows)),
        (8, [str(row.per_record) for row in rows]),
        (32, [""] * len(rows)),
    ):
        head += b"".join(field(value, width) for value in values)
    body = b""
    for record in range(count):
        for row, each in zip(signals, steps, strict=True):
            part = np.asarray(each[record * row.per_record : (record + 1) * row.per_record], dtype="<i4")
            body += part.view("u1").reshape(-1, 4)[:, :word].tobytes()
        if notes:
            body += notes[record].encode("ascii").ljust(60, b"\0")
    return head + body


def noise(n: int, seed: int = 0, largest: int = 2000) -> NDArray[Any]:
    return np.random.default_rng(seed).integers(-largest, largest, n)


def as_file(content: bytes) -> File:
    return File("memory.edf", data=content)


def read(content: bytes, **asked: Any) -> Any:
    return read_edf(as_file(content), Asked(**asked))


def on_grid(*onsets: float) -> list[str]:
    return [f"+{onset:f}\x14\x14\x00" for onset in onsets]


def test_steps_are_scaled_exactly_as_the_header_says() -> None:
    steps = noise(750)
    ecg = read(edf_bytes([Signal()], [steps]))
    assert (ecg.leads, ecg.fs) == (("V2",), 250.0)
    assert np.array_equal(ecg["V2"], steps * 0.1)
    ecg = read(edf_bytes([Signal(unit="mV", physical=("-32.768", "32.767"))], [steps]))
    assert np.array_equal(ecg["V2"], steps.astype(float))
    ecg = read(edf_bytes([Signal(unit="\xb5V", physical=("0", "4095"), digital=("0", "4095"))], [np.abs(steps)]))
    assert np.array_equal(ecg["V2"], np.abs(steps))


def test_a_negative_gain_turns_the_sign_as_the_specification_has_it() -> None:
    steps = noise(500)
    ecg = read(edf_bytes([Signal(physical=("3276.7", "-3276.8"))], [steps]))
    assert np.allclose(ecg["V2"], -(steps + 1) * 0.1, atol=1e-9)


def test_24_bit_samples() -> None:
    signal = Signal("V2", "uV", ("-262144", "262143"), ("-8388608", "8388607"))
    steps = noise(500, largest=2_000_000)
    status = Signal("Status", "Boolean", ("-8388608", "8388607"), ("-8388608", "8388607"))
    content = edf_bytes([signal, status], [steps, steps], kind="24BIT", bdf=True)
    ecg = read(content)
    assert np.allclose(ecg["V2"], steps / 32, atol=0.5)
    assert "left out: Status" in ecg.source


@pytest.mark.parametrize("bdf", [False, True])
def test_edfio_and_mne_read_the_same(tmp_path: Path, bdf: bool) -> None:
    mne = pytest.importorskip("mne", reason="MNE is not installed")
    rng = np.random.default_rng(1)
    make = edfio.BdfSignal if bdf else edfio.EdfSignal
    signals = [
        make(rng.normal(0, 300, 2500), 500, label=label, physical_dimension="uV", physical_range=(-3000, 3000))
        for label in ("ECG I", "ECG II", "EKG V5")
    ]
    path = tmp_path / ("some.bdf" if bdf else "some.edf")
    (edfio.Bdf if bdf else edfio.Edf)(signals).write(path)
    ecg = read_edf(File(str(path), path=str(path)), Asked())
    assert ecg.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V5")
    reader = mne.io.read_raw_bdf if bdf else mne.io.read_raw_edf
    other = reader(path, verbose="error").get_data() * 1e6
    for lead, row, signal in zip(("I", "II", "V5"), other, signals, strict=True):
        assert np.allclose(ecg[lead], row, atol=1e-6)
        assert np.allclose(ecg[lead], signal.data, atol=1e-6)


def test_of_a_person_only_sex_and_age_are_kept(tmp_path: Path) -> None:
    content = edf_bytes([Signal()], [noise(500)], kind="EDF+C", notes=on_grid(0, 1))
    path = tmp_path / "plus.edf"
    path.write_bytes(content)
    ecg = read(content)
    assert ecg.subject == Subject("female", 50.0)
    assert ecg.recorded_at == datetime(2002, 3, 2, 21, 13, 49)
    recording = open_edf(str(path))
    shown = f"{ecg!r} {vars(ecg)} {recording!r} {vars(recording)}".encode() + pickle.dumps(ecg)
    cells = recording.samples.read.__closure__ or ()
    shown += b"".join(repr(cell.cell_contents).encode() for cell in cells)
    for secret in SECRETS:
        assert secret.encode() not in shown


def test_a_legacy_header_tells_nothing_of_the_person() -> None:
    ecg = read(edf_bytes([Signal()], [noise(500)], patient="F Maria 1951"))
    assert ecg.subject == Subject()
    assert ecg.recorded_at == datetime(2002, 3, 2, 21, 13, 49)
    plus: dict[str, Any] = {"kind": "EDF+C", "notes": on_grid(0, 1)}
    assert read(edf_bytes([Signal()], [noise(500)], recording="Startdate X X X X", **plus)).recorded_at is None
    assert read(edf_bytes([Signal()], [noise(500)], date="01.01.85")).recorded_at is None


def test_the_first_annotation_tells_the_fraction_of_a_second() -> None:
    ecg = read(edf_bytes([Signal()], [noise(500)], kind="EDF+C", notes=on_grid(0.25, 1.25)))
    assert ecg.recorded_at == datetime(2002, 3, 2, 21, 13, 49, 250_000)


@pytest.mark.parametrize("bdf", [False, True])
def test_between_records_that_are_apart_samples_are_missing(tmp_path: Path, bdf: bool) -> None:
    steps = noise(750)
    kind = "BDF+D" if bdf else "EDF+D"
    content = edf_bytes([Signal()], [steps], kind=kind, notes=on_grid(0, 1, 3.5), bdf=bdf)
    ecg = read(content)
    assert ecg.duration_s == 4.5
    assert np.array_equal(ecg["V2"][:500], steps[:500] * 0.1)
    assert np.isnan(ecg["V2"][500:875]).all()
    assert np.array_equal(ecg["V2"][875:], steps[500:] * 0.1)
    assert "1.5 s between records are missing" in ecg.source
    path = tmp_path / "gaps.edf"
    path.write_bytes(content)
    recording = open_edf(str(path))
    for seconds in (0.3, 1.0, 1.7):
        assert np.array_equal(np.concatenate(list(recording.blocks(seconds)), axis=1), ecg.signal_uv, equal_nan=True)


def test_discontinuous_records_without_a_gap_are_as_continuous_ones() -> None:
    steps = noise(750)
    ecg = read(edf_bytes([Signal()], [steps], kind="EDF+D", notes=on_grid(0, 1, 2)))
    assert np.array_equal(ecg["V2"], steps * 0.1)


def test_records_that_overlap_are_refused() -> None:
    with pytest.raises(EcgError, match="record 3 begins before"):
        read(edf_bytes([Signal()], [noise(750)], kind="EDF+D", notes=on_grid(0, 1, 1.5)))
    with pytest.raises(EcgError, match="record 2 does not tell its time"):
        read(edf_bytes([Signal()], [noise(500)], kind="EDF+D", notes=["+0\x14\x14", "?"]))
    with pytest.raises(EcgError, match="no annotations"):
        read(edf_bytes([Signal()], [noise(500)], kind="EDF+D"))
    with pytest.raises(EcgError, match="more than a year"):
        read(edf_bytes([Signal()], [noise(500)], kind="EDF+D", notes=on_grid(0, 99_000_000)))


@pytest.mark.parametrize("seconds", [0.37, 1.0, 2.5, 60.0])
@pytest.mark.parametrize("bdf", [False, True])
def test_blocks_equal_the_whole(tmp_path: Path, seconds: float, bdf: bool) -> None:
    steps = [noise(2500, seed) for seed in range(3)]
    signals = [Signal("ECG I"), Signal("ECG II"), Signal("Resp", "mV")]
    path = tmp_path / "some.edf"
    path.write_bytes(edf_bytes(signals, steps, bdf=bdf))
    recording = open_edf(str(path))
    assert recording.leads == ("I", "II")
    assert recording.n_samples == 2500
    whole = read(path.read_bytes())
    found = np.concatenate(list(recording.blocks(seconds)), axis=1)
    assert np.array_equal(found, [whole["I"], whole["II"]])
    assert np.array_equal(recording.part(1.234, 3.21)["I"], whole["I"][round(1.234 * 250) : round(3.21 * 250)])


def test_a_day_costs_a_few_megabytes(tmp_path: Path) -> None:
    # 24 h of 3 leads; most of the file is a hole that takes no room on the disk
    signals = [Signal(label, per_record=500) for label in ("I", "II", "V2")]
    head = edf_bytes(signals, [noise(500)] * 3)[: 256 * 4]
    path = tmp_path / "day.edf"
    with path.open("wb") as stream:
        stream.write(head[:236] + b"%-8d" % 86400 + head[244:])
        stream.truncate(len(head) + 86400 * 3 * 500 * 2)
    open_edf(str(path)).part(0, 1)
    tracemalloc.start()
    recording = open_edf(str(path))
    last = recording.part(86_340, 86_400)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert recording.duration_s == 86_400
    assert last.signal_uv.shape == (3, 30_000)
    assert peak < 8 * 2**20
    with pytest.raises(EcgError, match="open_recording"):
        read_edf(File(str(path), path=str(path)), Asked())


@pytest.mark.parametrize(
    ("signal", "says"),
    [
        (Signal(physical=("0", "0")), "not calibrated"),
        (Signal(digital=("5", "5")), "not calibrated"),
        (Signal(digital=("32767", "-32768")), "do not fit 16 bits"),
        (Signal(digital=("-40000", "32767")), "do not fit 16 bits"),
        (Signal(physical=("-32768", "32767"), unit="mV"), "steps of 1 mV"),
        (Signal(physical=("-3.2768", "3.2767")), "no lead reaches further than"),
        (Signal(physical=("abc", "1")), "is no number"),
        (Signal(physical=("-1e99999", "1")), "is no number"),
        (Signal(unit="mmHg"), "unit 'mmHg'"),
        (Signal(unit=""), "unit=.uV."),
        (Signal(label="ECG"), "rename"),
        (Signal(label="C4"), "electrode of an EEG"),
        (Signal(per_record=20), "sampling rate is 20 Hz"),
    ],
)
def test_a_senseless_calibration_is_refused(signal: Signal, says: str) -> None:
    with pytest.raises(EcgError, match=says):
        read(edf_bytes([signal], [noise(500)]))


def test_what_the_file_does_not_tell_the_caller_can() -> None:
    steps = noise(500)
    assert np.array_equal(read(edf_bytes([Signal(unit="")], [steps]), unit="uV")["V2"], steps * 0.1)
    assert read(edf_bytes([Signal(label="ECG")], [steps]), rename={"ECG": "II"}).leads == ("II",)
    assert read(edf_bytes([Signal(label="C4")], [steps]), rename={"C4": "V4"}).leads == ("V4",)
    with pytest.raises(EcgError, match="itself tells its unit"):
        read(edf_bytes([Signal()], [steps]), unit="uV")
    with pytest.raises(EcgError, match="itself tells its fs"):
        read(edf_bytes([Signal()], [steps]), fs=500)


def test_leads_of_different_rates_are_refused_and_other_channels_left_out() -> None:
    with pytest.raises(EcgError, match="different sampling rates"):
        read(edf_bytes([Signal("I"), Signal("II", per_record=500)], [noise(500), noise(1000)]))
    ecg = read(edf_bytes([Signal("II"), Signal("EEG C3-A2", per_record=100)], [noise(500), noise(200)]))
    assert ecg.leads == ("II",)


def test_samples_outside_the_digital_range_are_missing() -> None:
    steps = noise(500)
    steps[7] = -32768
    ecg = read(edf_bytes([Signal(physical=("-2047", "2047"), digital=("-2047", "2047"))], [steps]))
    assert np.isnan(ecg["V2"][7])
    assert np.isfinite(np.delete(ecg["V2"], 7)).all()


def test_a_file_that_was_never_closed_is_read_by_its_size() -> None:
    content = edf_bytes([Signal()], [noise(750)], n_records=-1)
    assert read(content).duration_s == 3.0
    with pytest.raises(EcgError, match="cut short"):
        read(content[:-1])


def test_annotations_alone_are_no_ecg() -> None:
    notes = Signal("EDF Annotations", "", ("-1", "1"), ("-32768", "32767"), 30)
    with pytest.raises(EcgError, match="no signal"):
        read(edf_bytes([notes], [noise(60)], kind="EDF+C"))


def test_every_cut_is_refused() -> None:
    content = edf_bytes([Signal("I"), Signal("II")], [noise(500), noise(500)], kind="EDF+C", notes=on_grid(0, 1))
    for length in [*range(0, 1100, 7), *range(1100, len(content), 97)]:
        with pytest.raises(EcgError):
            read(content[:length])
    with pytest.raises(EcgError, match="cut short or damaged"):
        read(content + b"\0\0")


@pytest.mark.parametrize("bdf", [False, True])
def test_mutations_give_an_error_or_a_plausible_ecg(bdf: bool) -> None:
    kind = "BDF+D" if bdf else "EDF+D"
    content = edf_bytes([Signal("I"), Signal("II")], [noise(500), noise(500)], kind=kind, notes=on_grid(0, 3), bdf=bdf)
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(400):
        other = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            other[rng.integers(0, 1400)] = rng.integers(0, 256)
        try:
            ecg = read(bytes(other))
        except EcgError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert np.nanmax(np.abs(ecg.signal_uv)) <= 600_000
    assert 50 < refused < 400


def test_the_kind_is_told_by_content() -> None:
    assert is_edf(edf_bytes([Signal()], [noise(250)]))
    assert is_edf(edf_bytes([Signal()], [noise(250)], bdf=True))
    for other in (b"", b"0       ", b"0 " * 300, b"\x89HDF\r\n\x1a\n" * 100, b"I,II\n1,2\n" * 100):
        assert not is_edf(other)


def test_the_content_wins_over_the_suffix_of_a_wfdb_header(tmp_path: Path) -> None:
    steps = noise(750)
    for bdf in (False, True):
        content = edf_bytes([Signal()], [steps], bdf=bdf, patient="12 X X X")
        (tmp_path / "some.hea").write_bytes(content)
        assert np.array_equal(es.read(tmp_path / "some.hea")["V2"], read(content)["V2"])
        assert es.open_recording(tmp_path / "some.hea").n_samples == 750


def test_without_edfio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "edfio":
            raise ImportError(name)
        return really(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EcgError, match=r"ecgspasm\[edf\]"):
        read(edf_bytes([Signal()], [noise(250)]))


def test_a_real_ecg_survives_the_way_through_edfio(real_data: Path, tmp_path: Path) -> None:
    ecg = es.read(real_data / "ludb" / "data" / "1.hea")
    signals = [
        edfio.EdfSignal(row, ecg.fs, label=f"ECG {lead}", physical_dimension="uV", physical_range=(-32768, 32767))
        for lead, row in zip(ecg.leads, ecg.signal_uv, strict=True)
    ]
    path = tmp_path / "real.edf"
    edfio.Edf(signals).write(path)
    back = read_edf(File(str(path), path=str(path)), Asked())
    assert back.leads == ecg.leads
    assert np.abs(back.signal_uv - ecg.signal_uv).max() <= 0.5
    assert replace(back, source="").duration_s == ecg.duration_s
