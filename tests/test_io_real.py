"""Real recordings: every header is accepted, every record is read right or refused for a reason that is known."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import wfdb

import ecgspasm as es
from ecgspasm.io.wfdb.ludb import NOTE, read_ludb
from ecgspasm.io.wfdb.reader import read_digital, read_header
from ecgspasm.leads import STANDARD, canonical

SETS = ("ludb", "ptbdb", "ptbdb_10s", "cinc2021", "qtdb", "nstdb")


def headers(real_data: Path, name: str) -> list[Path]:
    found = sorted((real_data / name).rglob("*.hea"))
    assert found, f"no header in {real_data / name}"
    return found


@pytest.mark.parametrize("name", SETS)
def test_every_header_is_accepted_and_means_what_wfdb_reads(real_data: Path, name: str) -> None:
    for path in headers(real_data, name):
        ours, theirs = read_header(str(path)), wfdb.rdheader(str(path.with_suffix("")))
        assert (ours.n_sig, ours.fs, ours.n_samples) == (theirs.n_sig, theirs.fs, theirs.sig_len), path
        assert [s.description for s in ours.signals] == theirs.sig_name
        assert [s.checksum for s in ours.signals] == theirs.checksum
        assert [s.initial_value for s in ours.signals] == theirs.init_value
        assert [s.units for s in ours.signals] == theirs.units
        assert [s.baseline for s in ours.signals] == theirs.baseline


@pytest.mark.parametrize("name", ["ptbdb", "ptbdb_10s", "cinc2021"])
def test_every_calibrated_record_equals_wfdb(real_data: Path, name: str) -> None:
    for path in headers(real_data, name):
        ecg, record = es.read(path), wfdb.rdrecord(str(path.with_suffix("")))
        assert ecg.fs == record.fs
        assert ecg.leads == tuple(canonical(lead) for lead in record.sig_name)
        assert np.allclose(ecg.signal_uv, record.p_signal.T * 1000, atol=1e-6, equal_nan=True), path
        assert ecg.derived == ()
        assert NOTE not in ecg.source


def test_every_ludb_record_is_recognised_and_obeys_einthoven(real_data: Path) -> None:
    paths = headers(real_data, "ludb")
    for path in paths:
        ecg = es.read(path)
        assert NOTE in ecg.source, path
        assert ecg.leads == STANDARD
        assert np.array_equal(ecg["II"], ecg["I"] + ecg["III"]), path
        assert np.array_equal(ecg.signal_uv, wfdb.rdrecord(str(path.with_suffix("")), physical=False).d_signal.T)
        assert ecg.subject.sex is not None
        assert ecg.subject.age is not None
    assert len(paths) >= 140
    assert np.array_equal(read_ludb(paths[0]).signal_uv, es.read(paths[0]).signal_uv)


def test_qtdb_is_read_where_its_leads_have_names(real_data: Path) -> None:
    outcome: Counter[str] = Counter()
    for path in headers(real_data, "qtdb"):
        names = [signal.description for signal in read_header(str(path)).signals]
        rename = {}
        if names == ["ECG1", "ECG2"]:
            rename = {"ECG1": "V2", "ECG2": "V5"}
            with pytest.raises(es.EcgError, match="no lead is named 'ECG1'"):
                es.read(path)
        # with names, only those are left that were never calibrated
        if any(signal.gain == 0 for signal in read_header(str(path)).signals):
            with pytest.raises(es.EcgError, match="has gain 0, so it is not calibrated"):
                es.read(path, rename=rename)
            outcome["uncalibrated"] += 1
            continue
        ecg = es.read(path, rename=rename)
        outcome["renamed" if rename else "named"] += 1
        record = wfdb.rdrecord(str(path.with_suffix("")))
        assert np.allclose(ecg.signal_uv[: record.n_sig], record.p_signal.T * 1000, atol=1e-6, equal_nan=True), path
    assert outcome == {"named": 27, "renamed": 16, "uncalibrated": 3}


def test_noise_records_are_no_ecg_but_their_samples_can_be_had(real_data: Path) -> None:
    for path in headers(real_data, "nstdb"):
        with pytest.raises(es.EcgError, match="noise1"):
            es.read(path)
        digital = read_digital(str(path))
        assert [row.size for row in digital.samples] == [650_000, 650_000]


def test_sex_and_age_of_every_set(real_data: Path) -> None:
    told = {}
    for name in ("ludb", "cinc2021", "ptbdb"):
        subjects = [es.read(path).subject for path in headers(real_data, name)]
        told[name] = (sum(s.sex is not None for s in subjects), sum(s.age is not None for s in subjects), len(subjects))
    assert told == {"ludb": (140, 140, 140), "cinc2021": (72, 70, 72), "ptbdb": (2, 2, 2)}


def test_a_damaged_copy_of_a_real_record_is_refused(real_data: Path, tmp_path: Path) -> None:
    source = headers(real_data, "ludb")[0]
    for name in (source.name, source.with_suffix(".dat").name):
        shutil.copy(source.with_name(name), tmp_path / name)
    data = (tmp_path / source.name).with_suffix(".dat")
    good = data.read_bytes()
    for bad in (good[:-2], good + b"\0\0", good[24:] + good[:24], bytes([good[0] ^ 1]) + good[1:], b""):
        data.write_bytes(bad)
        with pytest.raises(es.EcgError):
            es.read(tmp_path / source.name)


def test_vendor_files_are_read_whatever_they_are_called(real_data: Path, tmp_path: Path) -> None:
    files = [path for path in sorted((real_data / "formats").rglob("*")) if path.is_file()]
    assert files
    for path in files:
        found = es.read(path)
        assert {"I", "II", "V1", "V2", "V3", "V4"} <= set(found.leads)
        assert 200 < np.ptp(found["V2"]) < 6000
        with path.open("rb") as file:
            opened = es.read(file)
        np.testing.assert_array_equal(opened.signal_uv, found.signal_uv)
        other = tmp_path / "ecg"
        other.write_bytes(path.read_bytes())
        np.testing.assert_array_equal(es.open_recording(other).samples(0, 100), found.signal_uv[:, :100])


def test_a_10_s_record_is_read_in_a_millisecond(real_data: Path) -> None:
    path = str(headers(real_data, "cinc2021")[0])
    es.read(path)
    best = min(_seconds(path) for _ in range(50))
    assert best < 1e-3


def _seconds(path: str) -> float:
    start = time.perf_counter()
    es.read(path)
    return time.perf_counter() - start
