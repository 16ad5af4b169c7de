"""What is written comes back the same, and an older file stays whole whatever happens."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io import writing
from ecgspasm.io.file import Asked, File
from ecgspasm.io.gain import exact_gain
from ecgspasm.io.paths import write_whole
from ecgspasm.io.tables.parquet import read_parquet
from ecgspasm.io.tables.text import is_table, read_table
from ecgspasm.io.wfdb.reader import read_wfdb
from ecgspasm.io.writing import write

pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")

SUFFIXES = (".parquet", ".csv", ".tsv")


def read(path: Path) -> Ecg:
    if path.suffix == ".hea":
        return read_wfdb(path)
    file = File(str(path), path=str(path))
    return (read_parquet if path.suffix == ".parquet" else read_table)(file, Asked())


def same(back: Ecg, ecg: Ecg) -> None:
    assert (back.leads, back.fs, back.derived) == (ecg.leads, ecg.fs, ecg.derived)
    assert (back.subject, back.recorded_at) == (ecg.subject, ecg.recorded_at)
    assert np.array_equal(back.signal_uv, ecg.signal_uv, equal_nan=True)
    there = np.isfinite(ecg.signal_uv)
    assert np.array_equal(np.signbit(back.signal_uv[there]), np.signbit(ecg.signal_uv[there]))


amplitudes = st.one_of(st.floats(-600_000, 600_000), st.just(float("nan")), st.just(-0.0), st.integers(-5000, 5000).map(float))
zones = st.one_of(st.none(), st.just(timezone(timedelta(hours=5, minutes=30))))


@st.composite
def ecgs(draw: Any) -> Ecg:
    names = draw(st.lists(st.sampled_from((*lead_names.STANDARD, "X", "V7")), min_size=1, max_size=4, unique=True))
    n = draw(st.integers(1, 12))
    rows = draw(st.lists(st.lists(amplitudes, min_size=n, max_size=n), min_size=len(names), max_size=len(names)))
    return Ecg(
        signal_uv=rows,
        fs=draw(st.one_of(st.sampled_from((250, 500, 1000 / 3)), st.floats(50, 10_000))),
        leads=names,
        subject=Subject(
            draw(st.sampled_from(("male", "female", None))),
            draw(st.one_of(st.none(), st.floats(0, 130))),
            draw(st.one_of(st.none(), st.text(max_size=8))),
        ),
        recorded_at=draw(st.one_of(st.none(), st.datetimes(timezones=zones))),
        derived=draw(st.lists(st.sampled_from(names), unique=True, max_size=2)),
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(ecg=ecgs())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_comes_back_from_tables(tmp_path: Path, suffix: str, ecg: Ecg) -> None:
    path = tmp_path / f"some{suffix}"
    assert write(ecg, path) == str(path)
    back = read(path)
    same(back, ecg)
    write(back, path)
    same(read(path), ecg)
    assert sorted(os.listdir(tmp_path)) == [path.name]


@given(
    steps=st.lists(st.lists(st.integers(-32767, 32767), min_size=6, max_size=6), min_size=2, max_size=3),
    step_uv=st.sampled_from((1.0, 5.0, 0.5, 2.5, 4.88, 4.8828125, 1000 / 512, 0.1)),
    at=st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1))),
    age=st.one_of(st.none(), st.integers(0, 130)),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_but_the_key_comes_back_from_wfdb(
    tmp_path: Path, steps: list[list[int]], step_uv: float, at: datetime | None, age: int | None
) -> None:
    names = ("II", "V2", "V5")[: len(steps)]
    ecg = Ecg(
        signal_uv=np.array(steps) * (1000.0 / (1000.0 / step_uv)),
        fs=257.5,
        leads=names,
        subject=Subject("female", age),
        recorded_at=at,
        derived=("V2",),
    )
    path = tmp_path / "rec.hea"
    write(ecg, path)
    back = read(path)
    assert (back.leads, back.fs, back.derived, back.subject) == (ecg.leads, ecg.fs, ecg.derived, ecg.subject)
    assert back.recorded_at == ecg.recorded_at
    assert np.array_equal(back.signal_uv, ecg.signal_uv)
    assert sorted(os.listdir(tmp_path)) == ["rec.dat", "rec.hea"]


def plain(**other: Any) -> Ecg:
    values: dict[str, Any] = {"signal_uv": [[1.0, np.nan, -3.5]], "fs": 500, "leads": ["V2"]} | other
    return Ecg(**values)


def test_a_table_is_recognised_as_one(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    write(plain(), path)
    assert is_table(path.read_bytes())
    assert path.read_text() == "# fs: 500.0\n# unit: uV\n# derived: none\nV2\n1.0\nnan\n-3.5\n"


def test_leads_that_were_chosen_stay_alone(tmp_path: Path) -> None:
    ecg = Ecg(signal_uv=np.ones((2, 9)), fs=500, leads=("V1", "I"))
    for suffix in SUFFIXES:
        write(ecg, tmp_path / f"x{suffix}")
        same(read(tmp_path / f"x{suffix}"), ecg)
    ecg = Ecg(signal_uv=np.ones((2, 9)), fs=500, leads=("I", "II"))
    write(ecg, tmp_path / "x.hea")
    same(read(tmp_path / "x.hea"), ecg)


def test_nothing_but_missing_samples(tmp_path: Path) -> None:
    for suffix in (*SUFFIXES, ".hea"):
        write(plain(signal_uv=[[np.nan] * 4]), tmp_path / f"x{suffix}")
        assert np.isnan(read(tmp_path / f"x{suffix}").signal_uv).all()


@pytest.mark.parametrize(
    ("name", "ecg", "says"),
    [
        ("x.edf", plain(), "use one of them"),
        ("x", plain(), "use one of them"),
        ("x.csv", plain(signal_uv=np.zeros((1, 0))), "0 samples"),
        ("x.csv", plain(signal_uv=[[700_000.0]]), "beyond 600 mV"),
        ("x.hea", plain(signal_uv=[[0.1, np.pi]]), "gain=1000"),
        ("x.hea", plain(signal_uv=[[0.5, 500_000.0]]), "gain=1000"),
        ("x.hea", plain(recorded_at=datetime(2024, 1, 1, tzinfo=timezone.utc)), "time zone"),  # noqa: UP017
        ("x.hea", plain(subject=Subject(age=1 / 3)), "the age 0.333"),
        ("x.hea", plain(fs=1000 / 3), "cannot hold this ECG .*sampling rate.* write .parquet instead"),
        ("bad name.hea", plain(), "record name"),
        ("missing/x.csv", plain(), "there is no folder missing; make it first"),
        ("missing/x.parquet", plain(), "there is no folder missing; make it first"),
        ("missing/x.hea", plain(), "there is no folder missing; make it first"),
        ("http://x.csv", plain(), "address"),
        ("x.csv", "no ecg", "not an Ecg"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, ecg: Any, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EcgError, match=says) as told:
        write(ecg, name)
    assert "\n" not in str(told.value)
    assert not re.search(r"\.part|ecgspasm-", str(told.value)), "the name under which it was tried is nobody's business"
    assert os.listdir(tmp_path) == []


def test_a_gain_allows_rounding(tmp_path: Path) -> None:
    ecg = Ecg(signal_uv=np.random.default_rng(0).normal(0, 300, (3, 500)), fs=500, leads=("I", "II", "V2"))
    write(ecg, tmp_path / "x.hea", gain=1000)
    assert np.abs(read(tmp_path / "x.hea")["V2"] - ecg["V2"]).max() <= 0.5
    with pytest.raises(EcgError, match="leave it out"):
        write(ecg, tmp_path / "x.csv", gain=1000)
    with pytest.raises(EcgError, match="give a smaller gain"):
        write(ecg, tmp_path / "x.hea", gain=1e6)
    wrong: Any
    for wrong in ("x", "1000", 0, -1.0, np.nan, np.inf, True, [1000], 10**400):
        with pytest.raises(EcgError, match="give the steps per mV, such as 1000"):
            write(ecg, tmp_path / "y.hea", gain=wrong)
    assert sorted(os.listdir(tmp_path)) == ["x.dat", "x.hea"]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".hea"])
def test_a_folder_of_that_name_is_not_replaced(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"x{suffix}").mkdir()
    with pytest.raises(EcgError, match="is a folder; give another name for the file"):
        write(plain(), tmp_path / f"x{suffix}")
    assert os.listdir(tmp_path) == [f"x{suffix}"]


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".hea"])
@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_an_older_file_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, broken: str) -> None:
    path = tmp_path / f"x{suffix}"
    write(plain(), path)
    before = content_of(tmp_path)

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fails)
        with pytest.raises(EcgError, match="No space left") as told:
            write(plain(signal_uv=[[5.0]]), path)
        assert not re.search(r"\.part|ecgspasm-", str(told.value))
    assert content_of(tmp_path) == before


def test_the_second_file_of_a_record_failing_brings_the_first_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.hea"
    really = os.replace

    def fails(source: str, target: str) -> None:
        if target == str(path):
            raise OSError(13, "Permission denied")
        really(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        with pytest.raises(EcgError, match="Permission denied"):
            write(plain(), path)
        assert content_of(tmp_path) == {}
    write(plain(), path)
    before = content_of(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        with pytest.raises(EcgError, match="Permission denied"):
            write(plain(signal_uv=[[5.0]]), path)
    assert content_of(tmp_path) == before
    assert np.array_equal(read(path).signal_uv, plain().signal_uv, equal_nan=True)


def test_what_would_not_come_back_never_takes_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    write(plain(), path)
    monkeypatch.setattr(writing, "facts_of", lambda ecg: {"fs": 250.0, "unit": "uV", "derived": []})
    with pytest.raises(EcgError, match="sampling rate of 500"):
        write(plain(), path)
    assert read(path).fs == 500.0


def test_a_file_system_that_cannot_sync_folders_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.fsync
    for number, passes in ((errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)):

        def refuses(handle: int, number: int = number) -> None:
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                raise OSError(number, os.strerror(number))
            really(handle)

        monkeypatch.setattr(os, "fsync", refuses)
        with nullcontext() if passes else pytest.raises(EcgError, match="cannot be written"):
            write_whole(str(tmp_path / "x"), b"x")


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    write_whole(str(tmp_path / "a"), b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("step_uv", [1.0, 5.0, 4.88, 4.8828125, 2.44140625, 0.5, 1000 / 409.6, 1000 / 1024, 1.25, 0.3])
def test_the_step_of_a_device_is_found(step_uv: float) -> None:
    steps = np.random.default_rng(1).integers(-3000, 3000, (2, 5000))
    signal = steps * step_uv
    gain = exact_gain(signal)
    assert gain is not None
    assert np.array_equal(np.rint(signal * (gain / 1000)) * (1000 / gain), signal)
    assert exact_gain(signal + np.pi) is None


def test_real_records_come_back(real_data: Path, tmp_path: Path) -> None:
    import ecgspasm as es

    paths = [real_data / "ludb" / "data" / "1.hea", *sorted((real_data / "ptbdb_10s").glob("*.hea"))[:2]]
    paths += sorted((real_data / "cinc2021").glob("*.hea"))[::24]
    for path in paths:
        ecg = es.read(path)
        for suffix in (*SUFFIXES, ".hea"):
            target = tmp_path / f"x{suffix}"
            write(ecg, target)
            same_or_equal = read(target)
            assert np.array_equal(same_or_equal.signal_uv, ecg.signal_uv, equal_nan=True)
            assert (same_or_equal.leads, set(same_or_equal.derived)) == (ecg.leads, set(ecg.derived))
            assert (same_or_equal.subject, same_or_equal.recorded_at) == (ecg.subject, ecg.recorded_at)
