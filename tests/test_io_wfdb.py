"""WFDB: grammar, reading, writing, and everything that must be refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import wfdb

import ecgspasm as es
from ecgspasm.ecg import Subject
from ecgspasm.io.wfdb.comments import subject_of
from ecgspasm.io.wfdb.header import parse_header
from ecgspasm.io.wfdb.ludb import NOTE, read_ludb
from ecgspasm.io.wfdb.reader import read_digital, read_wfdb
from ecgspasm.io.wfdb.writer import write_wfdb
from ecgspasm.leads import STANDARD
from tests.corpus.sound_records import mat4

N = 600


def steps(n_leads: int = 2, seed: int = 1) -> np.ndarray:
    """Whole numbers that look like nothing in particular, shape (lead, sample)."""
    return np.random.default_rng(seed).integers(-900, 900, (n_leads, N))


def checksum(row: np.ndarray) -> int:
    return (int(row.sum()) + 0x8000) % 0x10000 - 0x8000


def put(folder: Path, record: str = "r 2 500 600", **changes: str) -> Path:
    """Write a sound record of I and V2 whose header lines can be changed by name: `record`, `I`, `V2`, `file`."""
    rows = steps()
    rows.T.astype("<i2").tofile(folder / "r.dat")
    gain = changes.get("gain", " 1000(0)/mV")
    file = changes.get("file", "r.dat")
    lines = [record]
    for name, row in zip(("I", "V2"), rows, strict=True):
        lines.append(changes.get(name, f"{file} 16{gain} 16 0 {row[0]} {checksum(row)} 0 {name}"))
    path = folder / "r.hea"
    path.write_text("\n".join(lines) + "\n")
    return path


def refused(path: object, *words: str) -> str:
    with pytest.raises(es.EcgError) as caught:
        es.read(path)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert message.isprintable()
    assert len(message) < 700
    for word in words:
        assert word in message, message
    return message


def ecg(n_leads: int = 12, **changes: object) -> es.Ecg:
    values = {"signal_uv": steps(n_leads).astype(float), "fs": 500.0, "leads": STANDARD[:n_leads]}
    return es.Ecg(**(values | changes))  # type: ignore[arg-type]


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["r.hea", "r.dat", "r"])
def test_a_record_is_found_by_header_signal_file_or_bare_name(tmp_path: Path, given: str) -> None:
    put(tmp_path)
    read = es.read(tmp_path / given)
    assert read.leads == ("I", "V2")
    assert read.fs == 500
    assert np.array_equal(read.signal_uv, steps())


def test_a_bare_name_wins_over_a_folder_of_that_name(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "r").mkdir()
    assert es.read(tmp_path / "r").leads == ("I", "V2")


def test_the_content_wins_over_the_suffix_of_a_header(tmp_path: Path) -> None:
    made = ecg(3)
    # a header whose cells are parted by tabs looks like a table with the column V1
    header = put(tmp_path, "V1 2 500 600")
    header.write_text(header.read_text().replace(" ", "\t"))
    assert es.read(header).leads == ("I", "V2")
    assert es.open_recording(header).leads == ("I", "V2")
    for suffix in (".csv", ".tsv", ".parquet"):
        es.write(made, tmp_path / f"other{suffix}")
        path = (tmp_path / f"other{suffix}").rename(tmp_path / "other.hea")
        assert np.array_equal(es.read(path).signal_uv, made.signal_uv)
        assert es.open_recording(path).leads == made.leads
    assert np.array_equal(es.read(tmp_path / "other").signal_uv, made.signal_uv)


def test_a_folder_and_what_is_packed_are_named(tmp_path: Path) -> None:
    content = put(tmp_path).read_bytes()
    for name, packed in (
        ("r.hea.gz", gzip.compress(content)),
        ("r.bz2", bz2.compress(content)),
        ("r.xz", lzma.compress(content)),
        ("packed.hea", gzip.compress(content)),
    ):
        (tmp_path / name).write_bytes(packed)
        refused(tmp_path / name, "is packed", "unpack it first")
        with pytest.raises(es.EcgError, match="unpack it first"):
            es.open_recording(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.writestr("r.hea", content)
    refused(tmp_path / "r.zip", "is packed (zip)", "unpack it first")
    with (tmp_path / "r.zip").open("rb") as file, pytest.raises(es.EcgError, match="unpack it first"):
        es.read(file)
    refused(tmp_path, "is a folder; give a file in it", ".hea")
    with pytest.raises(es.EcgError, match=r"is a folder; give a file in it: the \.hea of a WFDB record"):
        es.open_recording(tmp_path)
    with pytest.raises(es.EcgError, match="there is no file 'none'"):
        es.open_recording(tmp_path / "none")


def test_a_relative_path_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert es.read("r.hea").source == "r.hea"


@pytest.mark.parametrize(
    ("gain", "factor", "baseline"),
    [
        (" 1000(0)/mV", 1.0, 0),
        (" 200/mv", 5.0, 0),
        (" 200", 5.0, 0),
        (" 1/uV", 1.0, 0),
        (" 0.5(12)/\u00b5V", 2.0, 12),
        (" 2(-7)/\u03bcV", 0.5, -7),
        (" 1e6/V", 1.0, 0),
        (" 1000.0(30000)/mV", 1.0, 30000),
    ],
)
def test_gain_baseline_and_unit_are_applied(tmp_path: Path, gain: str, factor: float, baseline: int) -> None:
    read = es.read(put(tmp_path, gain=gain))
    assert np.allclose(read.signal_uv, (steps() - baseline) * factor, rtol=1e-12, atol=0)


def test_a_baseline_that_is_missing_is_the_adc_zero(tmp_path: Path) -> None:
    rows = steps()
    lines = {
        name: f"r.dat 16 1000/mV 16 40 {row[0]} {checksum(row)} 0 {name}" for name, row in zip(("I", "V2"), rows, strict=True)
    }
    assert np.array_equal(es.read(put(tmp_path, **lines)).signal_uv, rows - 40)


def test_leads_in_mv_and_uv_in_one_header_are_each_converted(tmp_path: Path) -> None:
    path = put(tmp_path, I="r.dat 16 1000/mV 16 0 0 0 0 I", V2="r.dat 16 1/uV 16 0 0 0 0 V2")
    assert np.array_equal(es.read(path).signal_uv, steps())


def test_a_latin_1_micro_sign_is_read(tmp_path: Path) -> None:
    path = put(tmp_path, gain=" 1/\u00b5V")
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    assert np.array_equal(es.read(path).signal_uv, steps())


def test_the_number_of_samples_may_be_left_to_the_file(tmp_path: Path) -> None:
    assert es.read(put(tmp_path, "r 2 500")).signal_uv.shape == (2, N)


def test_placeholder_checksums_are_said_not_to_be_verified(tmp_path: Path) -> None:
    path = put(tmp_path, I="r.dat 16 1000/mV 16 0 0 0 0 I", V2="r.dat 16 1000/mV 16 0 0 0 0 V2")
    assert "not verified" in es.read(path).source


def test_other_channels_are_left_out_and_said_so(tmp_path: Path) -> None:
    row = steps()[1]
    for name, unit in (("ABP", "mmHg"), ("RESP", "mV"), ("foo", "NU")):
        line = f"r.dat 16 1000(0)/{unit} 16 0 {row[0]} {checksum(row)} 0 {name}"
        read = es.read(put(tmp_path, V2=line))
        assert read.leads == ("I",)
        assert f"left out: {name} ({unit})" in read.source


def test_a_lead_with_its_sign_turned_is_turned_back(tmp_path: Path) -> None:
    row = steps()[1]
    read = es.read(put(tmp_path, V2=f"r.dat 16 1000(0)/mV 16 0 {row[0]} {checksum(row)} 0 -aVR"))
    assert np.array_equal(read["aVR"], -row)


def test_a_channel_without_a_name_of_a_lead_can_be_named(tmp_path: Path) -> None:
    row = steps()[1]
    path = put(tmp_path, V2=f"r.dat 16 1000(0)/mV 16 0 {row[0]} {checksum(row)} 0 ECG2")
    refused(path, "'ECG2'", "rename")
    assert es.read(path, rename={"ECG2": "V5"}).leads == ("I", "V5")
    with pytest.raises(es.EcgError, match="rename names 'ECG7'"):
        es.read(path, rename={"ECG7": "V5"})


@pytest.mark.parametrize("name", ["avr", "AVR", "aVR", "Lead aVR", "ECG_aVR", "ecg avr"])
def test_spellings_of_a_lead(tmp_path: Path, name: str) -> None:
    row = steps()[1]
    assert es.read(put(tmp_path, V2=f"r.dat 16 1000/mV 16 0 {row[0]} {checksum(row)} 0 {name}")).leads[1] == "aVR"


def test_missing_limb_leads_are_derived_and_marked(tmp_path: Path) -> None:
    path = Path(write_wfdb(ecg(2), tmp_path, "two"))
    assert es.read(path).leads == ("I", "II")
    # other writers do not say that the record is to have no further leads
    path.write_text(path.read_text().replace("# derived: none\n", ""))
    read = es.read(path)
    assert read.derived == ("III", "aVR", "aVL", "aVF")
    assert np.array_equal(read["III"], read["II"] - read["I"])


def test_minus_32768_is_a_missing_sample(tmp_path: Path) -> None:
    signal = steps(1).astype(float)
    signal[0, 3:9] = np.nan
    write_wfdb(ecg(1, signal_uv=signal), tmp_path, "gap")
    assert np.array_equal(es.read(tmp_path / "gap.hea").signal_uv, signal, equal_nan=True)


def test_skew_is_undone_and_the_end_is_missing(tmp_path: Path) -> None:
    rows = steps()
    line = f"r.dat 16:5 1000(0)/mV 16 0 {rows[1, 0]} {checksum(rows[1])} 0 V2"
    read = es.read(put(tmp_path, V2=line))
    assert np.array_equal(read["V2"][:-5], rows[1, 5:])
    assert np.isnan(read["V2"][-5:]).all()
    assert np.array_equal(read["I"], rows[0])


@pytest.mark.parametrize("fmt", ["16", "212", "80", "24", "32", "310", "311", "61", "160", "516", "508", "524"])
def test_every_format_equals_wfdb(tmp_path: Path, fmt: str) -> None:
    rows = np.clip(steps(3), -100, 100)
    write = {"fs": 360, "units": ["mV"] * 3, "sig_name": ["MLII", "V1", "V5"], "fmt": [fmt] * 3}
    if fmt in ("310", "311", "61", "160"):
        _encode(tmp_path / "f.dat", fmt, rows)
        lines = [f"f.dat {fmt} 200(10)/mV 10 0 {r[0]} {checksum(r)} 0 {n}" for n, r in zip(["I", "V1", "V5"], rows, strict=True)]
        (tmp_path / "f.hea").write_text("\n".join([f"f 3 360 {N}", *lines]) + "\n")
    else:
        wfdb.wrsamp("f", d_signal=rows.T, adc_gain=[200.0] * 3, baseline=[10] * 3, write_dir=str(tmp_path), **write)
    read = es.read(tmp_path / "f.hea")
    theirs = wfdb.rdrecord(str(tmp_path / "f")).p_signal.T * 1000
    assert np.allclose(read.signal_uv, theirs, atol=1e-9)
    assert np.allclose(read.signal_uv, (rows - 10) * 5.0)


def _encode(path: Path, fmt: str, rows: np.ndarray) -> None:
    """Formats that wfdb reads but does not write, after signal(5)."""
    flat = rows.T.ravel()
    if fmt == "61":
        flat.astype(">i2").tofile(path)
    elif fmt == "160":
        (flat + 32768).astype("<u2").tofile(path)
    else:
        a, b, c = (flat[k::3].astype(np.int64) & 0x3FF for k in range(3))
        if fmt == "311":
            (a | b << 10 | c << 20).astype("<u4").tofile(path)
        else:
            pairs = [(a << 1) | (c & 0x1F) << 11, (b << 1) | (c >> 5) << 11]
            np.stack(pairs, axis=1).astype("<u2").tofile(path)


def test_leads_with_several_samples_a_frame_have_their_own_rate(tmp_path: Path) -> None:
    rows = steps(2)
    frames = np.concatenate([rows[0].reshape(-1, 4), rows[1, : N // 4, None]], axis=1)
    frames.astype("<i2").tofile(tmp_path / "m.dat")
    resp = rows[1, : N // 4]
    (tmp_path / "m.hea").write_text(
        f"m 2 125 {N // 4}\nm.dat 16x4 1000(0)/mV 16 0 {rows[0, 0]} {checksum(rows[0])} 0 II\n"
        f"m.dat 16 100(0)/NU 16 0 {resp[0]} {checksum(resp)} 0 RESP\n"
    )
    read = es.read(tmp_path / "m.hea")
    assert read.fs == 500
    assert np.array_equal(read["II"], rows[0])
    assert "left out: RESP (NU)" in read.source


def test_signals_of_several_files_are_put_together(tmp_path: Path) -> None:
    rows = steps()
    for name, row in zip(("a.dat", "b.xyz"), rows, strict=True):
        row.astype("<i2").tofile(tmp_path / name)
    path = tmp_path / "r.hea"
    path.write_text("r 2 1000 600\na.dat 16 1000 16 0 0 0 0 i\nb.xyz 16 1000 16 0 0 0 0 vz\n")
    read = es.read(path)
    assert read.leads == ("I", "Z")
    assert np.array_equal(read.signal_uv, rows)


def test_the_header_decides_what_a_mat_file_holds(tmp_path: Path) -> None:
    rows = steps()
    (tmp_path / "c.mat").write_bytes(mat4(rows))
    lines = [f"c.mat 16x1+24 1000.0(0)/mv 16 0 {r[0]} {checksum(r)} 0 {n}" for n, r in zip(("I", "II"), rows, strict=True)]
    (tmp_path / "c.hea").write_text("\r\n".join(["c 2 500 600 12-May-2020 12:33:59", *lines, "#Age: 74", "#Sex: Female"]))
    read = es.read(tmp_path / "c.mat")
    assert np.array_equal(read["II"], rows[1])
    assert read.subject == Subject("female", 74.0)
    assert read.recorded_at is None  # the Challenge's date is that of the file


@pytest.mark.parametrize("dtype", ["<i2", "<i4", "u1"])
def test_a_mat_file_that_scipy_writes_is_read_in_its_own_type(dtype: str, tmp_path: Path) -> None:
    from scipy.io import savemat

    rows = steps() % 100
    savemat(tmp_path / "c.mat", {"val": (rows + (128 if dtype == "u1" else 0)).astype(dtype)}, format="4")
    fmt = {"<i2": 16, "<i4": 32, "u1": 80}[dtype]
    lines = [f"c.mat {fmt}+24 1000(0)/mV 16 0 {r[0]} {checksum(r)} 0 {n}" for n, r in zip(("I", "II"), rows, strict=True)]
    for samples in (" 600", ""):
        (tmp_path / "c.hea").write_text("\n".join([f"c 2 500{samples}", *lines]))
        assert np.array_equal(es.read(tmp_path / "c.hea")["II"], rows[1])


def test_date_and_time_of_the_record_line(tmp_path: Path) -> None:
    read = es.read(put(tmp_path, "r 2 500 600 09:05:07.25 03/02/2019"))
    assert read.recorded_at == datetime(2019, 2, 3, 9, 5, 7, 250000)
    assert es.read(put(tmp_path, "r 2 500 600 09:05:07")).recorded_at is None


@pytest.mark.parametrize(
    ("comment", "subject"),
    [
        ("age: 81", Subject(None, 81.0)),
        ("<age>: 51", Subject(None, 51.0)),
        ("Age: 47  Sex: M", Subject("male", 47.0)),
        ("69 F 1085 1629 x1", Subject("female", 69.0)),
        ("Sex: Female", Subject("female")),
        ("<sex>: F", Subject("female")),
        ("Sex: Unknown", Subject()),
        ("Age: NaN", Subject()),
        ("Age: -1", Subject()),
        ("age: n/a", Subject()),
        ("Age: 300", Subject()),
        ("age: 5 months", Subject()),
        ("age: 5.5 months", Subject()),
        ("Dosage: 30 mg", Subject()),
        ("Name: Jane Roe", Subject()),
    ],
)
def test_age_and_sex_from_comments(comment: str, subject: Subject) -> None:
    assert subject_of([comment]) == subject


def test_nothing_else_of_a_person_is_kept(tmp_path: Path) -> None:
    path = put(tmp_path)
    path.write_text(path.read_text() + "# Name: Jane Roe\n# id: 4711\n# born: 1950-01-01\n")
    read = es.read(path)
    shown = f"{read!r} {read.subject!r} {read.source} {vars(read)}"
    assert "Roe" not in shown
    assert "4711" not in shown
    assert "1950" not in shown


def test_reading_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", no_socket)
    es.read(put(tmp_path))
    for address in ("http://physionet.org/x.hea", "s3://bucket/x", "zip::file.zip"):
        refused(address, "address")


def test_reading_format_16_imports_neither_wfdb_nor_pydicom_nor_scipy(tmp_path: Path) -> None:
    path = put(tmp_path)
    code = (
        "import sys, ecgspasm as es; es.read(sys.argv[1]); "
        "print([m for m in ('wfdb', 'pydicom', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- LUDB ------------------------------------------------------------------------------------------------------------


def put_ludb(folder: Path, **gains: str) -> Path:
    """A record in LUDB's layout: gain = span of the lead."""
    rows = steps(12)
    rows[1] = rows[0] + rows[2]
    rows.T.astype("<i2").tofile(folder / "1.dat")
    lines = [f"1 12 500 {N}"]
    for name, row in zip(STANDARD, rows, strict=True):
        gain = gains.get(name, str(np.ptp(row)))
        lines.append(f"1.dat 16 {gain}(3)/mV 0 0 {row[0]} {checksum(row)} 0 {name.lower()}")
    (folder / "1.hea").write_text("\n".join(lines) + "\n")
    return folder / "1.hea"


def test_ludbs_normalised_header_is_recognised_and_read_as_microvolts(tmp_path: Path) -> None:
    path = put_ludb(tmp_path)
    read = es.read(path)
    assert NOTE in read.source
    assert np.array_equal(read["II"], read["I"] + read["III"])
    assert np.array_equal(read["V6"], steps(12)[11])
    assert np.array_equal(read_ludb(path).signal_uv, read.signal_uv)
    assert np.ptp(read_wfdb(path)["V6"]) == pytest.approx(1000)  # what the header says


def test_a_ludb_header_with_one_other_gain_is_refused(tmp_path: Path) -> None:
    refused(put_ludb(tmp_path, V3="1234"), "LUDB", "11 leads")


def test_read_ludb_refuses_other_records(tmp_path: Path) -> None:
    with pytest.raises(es.EcgError, match="not LUDB's layout"):
        read_ludb(put(tmp_path))


# --- writing ---------------------------------------------------------------------------------------------------------


def test_what_was_written_is_read_back_the_same(tmp_path: Path) -> None:
    signal = steps(12).astype(float)
    signal[4, 100:120] = np.nan
    signal[7, 0] = np.nan
    before = ecg(
        signal_uv=signal,
        fs=257.5,
        subject=Subject("female", 61.5),
        recorded_at=datetime(2021, 3, 4, 5, 6, 7, 80),
        derived=("aVR", "aVL"),
    )
    after = es.read(write_wfdb(before, tmp_path, "a_b-1"))
    assert np.array_equal(after.signal_uv, signal, equal_nan=True)
    assert (after.fs, after.leads, after.subject) == (before.fs, before.leads, before.subject)
    assert (after.recorded_at, after.derived) == (before.recorded_at, before.derived)


def test_wfdb_reads_what_was_written(tmp_path: Path) -> None:
    signal = steps(3).astype(float)
    signal[2, 5] = np.nan
    write_wfdb(ecg(3, signal_uv=signal), tmp_path, "w", gain=200)
    record = wfdb.rdrecord(str(tmp_path / "w"))
    assert record.sig_name == ["I", "II", "III"]
    assert record.fs == 500
    digital = np.rint(signal / 5)
    assert np.allclose(record.p_signal.T, digital / 200, equal_nan=True)
    stated = record.checksum
    assert stated == [checksum(row) for row in np.where(np.isnan(digital), -32768, digital)]
    assert record.init_value == [int(row[0]) for row in digital]


def test_the_same_ecg_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_wfdb(ecg(), tmp_path / folder, "x")
    for name in ("x.hea", "x.dat"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert sorted(os.listdir(tmp_path / "one")) == ["x.dat", "x.hea"]


def test_an_amplitude_that_does_not_fit_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    signal = steps(2).astype(float)
    signal[1, 7] = -32768.0
    with pytest.raises(es.EcgError, match="lead II reaches 32768 uV"):
        write_wfdb(ecg(2, signal_uv=signal), tmp_path, "x")
    assert os.listdir(tmp_path) == []
    signal[1, 7] = -32767.0
    assert es.read(write_wfdb(ecg(2, signal_uv=signal), tmp_path, "x"))["II"][7] == -32767


@pytest.mark.parametrize("name", ["", "../x", "a b", "x.y", "a/b", "-x", "\u00e4", "a" * 65])
def test_a_record_name_is_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(es.EcgError, match="record name"):
        write_wfdb(ecg(2), tmp_path, name)


@pytest.mark.parametrize("gain", [0.0, -1000.0, float("nan"), float("inf")])
def test_a_gain_is_positive(tmp_path: Path, gain: float) -> None:
    with pytest.raises(es.EcgError, match="gain"):
        write_wfdb(ecg(2), tmp_path, "x", gain=gain)


def test_writing_into_no_folder_is_an_ecg_error(tmp_path: Path) -> None:
    with pytest.raises(es.EcgError, match=r"there is no folder .*none; make it first"):
        write_wfdb(ecg(2), tmp_path / "none", "x")


# --- bad input -------------------------------------------------------------------------------------------------------


def _record(line: str) -> Callable[[Path], Path]:
    return lambda folder: put(folder, line)


def _gain(text: str) -> Callable[[Path], Path]:
    return lambda folder: put(folder, gain=text)


def _file(name: str) -> Callable[[Path], Path]:
    return lambda folder: put(folder, file=name)


def _dat(change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = put(folder)
        (folder / "r.dat").write_bytes(change((folder / "r.dat").read_bytes()))
        return path

    return make


def _hea(change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = put(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def _flip(content: bytes, where: int) -> bytes:
    return content[:where] + bytes([content[where] ^ 4]) + content[where + 1 :]


def _link(folder: Path) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    path = put(inner)
    (inner / "r.dat").rename(folder / "r.dat")
    (inner / "r.dat").symlink_to(folder / "r.dat")
    return path


def _loop(folder: Path) -> Path:
    path = put(folder)
    (folder / "r.dat").unlink()
    (folder / "r.dat").symlink_to("r.dat")
    return path


def _fifo(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = put(folder)
        (folder / name).unlink()
        os.mkfifo(folder / name)
        return path

    return make


def _make(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _name(first: str, second: str) -> Callable[[Path], Path]:
    rows = steps()
    lines = [
        f"r.dat 16 1000/mV 16 0 {row[0]} {checksum(row)} 0 {name}".rstrip()
        for name, row in zip((first, second), rows, strict=True)
    ]
    return lambda folder: put(folder, I=lines[0], V2=lines[1])


def _v2(line: str) -> Callable[[Path], Path]:
    return lambda folder: put(folder, V2=line)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing file": (lambda folder: folder / "none.hea", "there is no file"),
    "missing record": (lambda folder: folder / "none", "there is no file"),
    "missing folder": (lambda folder: folder / "none" / "x.dat", "there is no file"),
    "folder": (lambda folder: folder, "is a folder"),
    "file as folder": (lambda folder: put(folder) / "x.hea", "there is no file"),
    "not a path": (lambda _: 7, "give the path"),
    "bytes": (lambda _: b"x.hea", "not as bytes"),
    "empty path": (lambda _: "", "is not a path"),
    "NUL in path": (lambda _: "a\0b.hea", "is not a path"),
    "newline in path": (lambda folder: str(folder / "a\nb.hea"), "there is no file"),
    "url": (lambda _: "https://physionet.org/files/ludb/1.0.1/data/1.hea", "address"),
    "fsspec": (lambda _: "simplecache::x.hea", "address"),
    "fifo as header": (_fifo("r.hea"), "a pipe"),
    "fifo as signal": (_fifo("r.dat"), "a pipe"),
    "bare fifo": (lambda folder: (os.mkfifo(folder / "p"), folder / "p")[1], "a pipe"),
    "device": (lambda _: "/dev/zero", "device"),
    "empty header": (_make("x.hea", b""), "holds no record line"),
    "empty file": (_make("x.dat", b""), "is empty"),
    "comments only": (_make("x.hea", b"# hello\n"), "holds no record line"),
    "unknown format": (_make("x.bin", b"what is this" * 40), "format is unknown"),
    "signals without header": (_make("x.dat", b"\1\2" * 600), "format is unknown"),
    "binary header": (_make("x.hea", b"\0\1\2" * 100), "binary"),
    "header of 1 MB": (_hea(lambda text: text + b"# x\n" * 250_000), "more than the"),
    "long line": (_hea(lambda text: text + b"#" + b"x" * 5000), "a line of"),
    "many lines": (_hea(lambda text: text + b"x\n" * 20_000), "lines"),
    "no dat": (
        lambda folder: (put(folder), (folder / "r.dat").unlink(), folder / "r.hea")[2],
        "there is no file r.dat",
    ),
    "empty dat": (_dat(lambda _: b""), "has 0 bytes"),
    "shortened dat": (_dat(lambda data: data[:-4]), "2396 bytes"),
    "dat shortened by a byte": (_dat(lambda data: data[:-1]), "bytes"),
    "lengthened dat": (_dat(lambda data: data + b"\0\0\0\0"), "2404 bytes"),
    "flipped bit": (_dat(lambda data: _flip(data, 1000)), "checksum of signal"),
    "flipped bit in the first sample": (_dat(lambda data: _flip(data, 0)), "checksum of signal 'I'"),
    "rotated dat": (_dat(lambda data: data[4:] + data[:4]), "begins with"),
    "wrong first sample": (_v2("r.dat 16 1000/mV 16 0 1 " + str(checksum(steps()[1])) + " 0 V2"), "begins with"),
    "gain 0": (_gain(" 0/mV"), "has gain 0, so it is not calibrated"),
    "no gain": (lambda folder: put(folder, I="r.dat 16", V2="r.dat 16"), "no channel with the name of a lead"),
    "no number as gain": (_gain(" x/mV"), "signal line"),
    "negative gain": (_gain(" -200/mV"), "negative gain"),
    "infinite gain": (_gain(" inf/mV"), "signal line"),
    "unknown unit": (_gain(" 200/furlong"), "unit 'furlong'"),
    "pressure as lead": (_gain(" 200/mmHg"), "unit 'mmHg'"),
    "volts for millivolts": (_gain(" 1000/V"), "which no electrode gives"),
    "absurd baseline": (_gain(" 1000(999999999)/mV"), "which no electrode gives"),
    "no fs": (_record("r 2"), "no sampling rate"),
    "fs 5e2": (_record("r 2 5e2 600"), "sampling rate in the header is '5e2'"),
    "fs -500": (_record("r 2 -500 600"), "sampling rate in the header is '-500'"),
    "fs 0": (_record("r 2 0 600"), "sampling rate"),
    "fs nan": (_record("r 2 nan 600"), "sampling rate"),
    "fs 49": (_record("r 2 49 600"), "between 50 and 10000"),
    "fs 10001": (_record("r 2 10001 600"), "between 50 and 10000"),
    "fs with a comma": (_record("r 2 500,0 600"), "sampling rate"),
    "too many samples": (_record("r 2 500 601"), "2404"),
    "too few samples": (_record("r 2 500 599"), "2396"),
    "absurdly many samples": (_record("r 2 500 99999999999"), "at once"),
    "sample count not whole": (_record("r 2 500 6e2"), "number of samples"),
    "more signals promised": (_record("r 3 500 600"), "promises 3 signals"),
    "fewer signals promised": (_record("r 1 500 600"), "promises 1 signals"),
    "no signals": (_make("x.hea", b"x 0 500 600\n"), "names no signal"),
    "thousand signals": (_record("r 1000 500 600"), "number of signals"),
    "negative signals": (_record("r -2 500 600"), "number of signals"),
    "arabic digits": (_record("r \u0662 500 600"), "number of signals"),
    "record line too long": (_record("r 2 500 600 10:00:00 01/01/2000 more"), "record line"),
    "record line too short": (_record("r"), "record line"),
    "impossible date": (_record("r 2 500 600 10:00:00 31/02/2000"), "time and date"),
    "impossible time": (_record("r 2 500 600 25:00:00 01/02/2000"), "time and date"),
    "date in words": (_record("r 2 500 600 10:00:00 May"), "time and date"),
    "path with ..": (_file("../r.dat"), "beside its header"),
    "only dots": (_file(".."), "beside its header"),
    "absolute path": (_file("/etc/passwd"), "beside its header"),
    "windows path": (_file("C:\\r.dat"), "beside its header"),
    "stdin": (_file("-"), "beside its header"),
    "url in header": (_file("http://x.org/r.dat"), "beside its header"),
    "symlink out": (_link, "leads out of its folder"),
    "symlink loop": (_loop, "cannot be opened"),
    "duplicate leads": (_name("V2", "v2"), "given twice"),
    "one unknown lead name": (_name("I", "banana"), "no lead is named 'banana'"),
    "no known lead name": (_name("ECG1", "ECG2"), "no lead is named 'ECG1'"),
    "no lead name": (_name("", ""), "no channel with the name of a lead"),
    "no lead at all": (_name("ABP", "RESP"), "no lead is named 'ABP'"),
    "unknown format number": (_v2("r.dat 17 1000/mV 16 0 0 0 0 V2"), "format 17"),
    "two formats in a file": (_v2("r.dat 80 1000/mV 16 0 0 0 0 V2"), "format or offset"),
    "format 0": (lambda folder: put(folder, I="~ 0 200/mV 0 0 0 0 0 I", V2="~ 0 200/mV 0 0 0 0 0 V2"), "format 0"),
    "0 samples a frame": (_v2("r.dat 16x0 1000/mV 16 0 0 0 0 V2"), "0 samples per frame"),
    "skew longer than record": (
        _v2(f"r.dat 16:600 1000/mV 16 0 {steps()[1][0]} {checksum(steps()[1])} 0 V2"),
        "skew of 600",
    ),
    "offset beyond the end": (
        lambda folder: put(folder, I="r.dat 16+99999 1/uV 16 0 0 0 0 I", V2="r.dat 16+99999 1/uV 16 0 0 0 0 V2"),
        "bytes",
    ),
    "offset in one signal only": (_v2("r.dat 16+24 1000/mV 16 0 0 0 0 V2"), "format or offset"),
    "flac that is none": (
        lambda folder: put(folder, I="r.dat 516 1000/mV 16 0 1 5 0 I", V2="r.dat 516 1000/mV 16 0 1 5 0 V2"),
        "no FLAC file of 600 samples",
    ),
    "flac bomb": (
        lambda folder: put(folder, "r 2 500 9999999999", I="r.dat 516 1/uV 16 0 1 5 0 I", V2="r.dat 516 1/uV 16 0 1 5 0 V2"),
        "at once",
    ),
}


@pytest.mark.parametrize(("make", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_in_one_line(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    refused(make(tmp_path), says)


def test_every_flipped_bit_of_a_signal_file_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path)
    content = (tmp_path / "r.dat").read_bytes()
    for bit in range(0, 8 * len(content), 61):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "r.dat").write_bytes(damaged)
        refused(path)


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    path = put(tmp_path)
    (tmp_path / "r.dat").rename(tmp_path / "s.dat")
    (tmp_path / "r.dat").symlink_to("s.dat")
    assert np.array_equal(es.read(path).signal_uv, steps())


def test_a_single_lead_without_gain_says_so(tmp_path: Path) -> None:
    path = put(tmp_path, "r 1 500 600", I="r.dat 16 0 12 0 0 0 0 I", V2="# nothing")
    steps(1).astype("<i2").tofile(tmp_path / "r.dat")
    refused(path, "lead I has gain 0")


def test_what_wfdb_raised_is_kept_as_the_cause(tmp_path: Path) -> None:
    about = {"fs": 500, "units": ["mV"] * 2, "sig_name": ["I", "V2"], "fmt": ["516"] * 2}
    wfdb.wrsamp("r", d_signal=steps().T, adc_gain=[1000.0] * 2, baseline=[0] * 2, write_dir=str(tmp_path), **about)
    data = tmp_path / "r.dat"
    data.write_bytes(data.read_bytes()[:60])
    with pytest.raises(es.EcgError, match=r"wfdb cannot decode it|another number of samples") as caught:
        es.read(tmp_path / "r.hea")
    inner = caught.value.__cause__
    assert isinstance(inner, es.EcgError)


# --- grammar ---------------------------------------------------------------------------------------------------------


def test_a_header_with_every_field() -> None:
    header = parse_header(
        b"# before\r\nrec_1 1 250/360(12.5) 1000 10:11:12 13/04/2015\r\n"
        b"a.dat 212x2:3+4 200.5(-6)/uV 12 7 -8 -9 10 the name of it \r\n\r\n#after\r\n"
    )
    line = header.signals[0]
    assert (header.record, header.n_sig, header.fs, header.n_samples) == ("rec_1", 1, 250.0, 1000)
    assert header.recorded_at == datetime(2015, 4, 13, 10, 11, 12)
    assert header.comments == ("before", "after")
    assert (line.file, line.format, line.samples_per_frame, line.skew, line.byte_offset) == ("a.dat", 212, 2, 3, 4)
    assert (line.gain, line.baseline, line.units) == (200.5, -6, "uV")
    assert (line.adc_resolution, line.adc_zero, line.initial_value, line.checksum) == (12, 7, -8, -9)
    assert line.description == "the name of it"


def test_what_a_header_leaves_out_is_none_not_a_default() -> None:
    header = parse_header(b"r 1\nr.dat 212\n")
    line = header.signals[0]
    assert (header.fs, header.n_samples, header.recorded_at) == (None, None, None)
    assert (line.gain, line.initial_value, line.checksum, line.adc_resolution) == (None, None, None, None)
    assert (line.baseline, line.units, line.description) == (0, "mV", "")


def test_a_multi_segment_header_is_parsed() -> None:
    header = parse_header(b"m/3 2 360 3000\nm_0 0\nm_1 2000\n~ 1000\n")
    assert header.segments == (("m_0", 0), ("m_1", 2000), ("~", 1000))


def test_digital_samples_need_no_calibration(tmp_path: Path) -> None:
    digital = read_digital(str(put(tmp_path, gain=" 0")))
    assert np.array_equal(np.stack(list(digital.samples)), steps())
