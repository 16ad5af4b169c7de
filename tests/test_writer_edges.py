"""Writers when something goes wrong: what was there stays, what is said names the cause, nothing is left behind."""

from __future__ import annotations

import errno
import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.batching.guard import Limits
from ecgspasm.batching.manifest import INPUTS, NAME, Manifest, Plan, manifest_of, settle
from ecgspasm.batching.rows import Task
from ecgspasm.course import files, toml_text
from ecgspasm.ecg import Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io import writing
from ecgspasm.io.gain import exact_gain
from ecgspasm.io.writing import write

RNG = np.random.default_rng(6)
ECG = Ecg(
    signal_uv=np.round(RNG.normal(0, 200, (2, 500))), fs=500.0, leads=("I", "II"), subject=Subject(sex="male", age=40, key="a"),
    recorded_at=datetime(2020, 1, 2, 3, 4, 5),
)  # fmt: skip


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EcgError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- ECGs


def test_what_cannot_be_written_is_said_before_anything_is(tmp_path: Path) -> None:
    cases: list[tuple[Any, str, dict[str, Any], str]] = [
        ("no ecg", "a.csv", {}, "this is a str, not an Ecg"),
        (ECG, "a.txt", {}, "written as .hea, .parquet, .csv or .tsv"),
        (ECG, "a.csv", {"gain": 1.0}, "gain= is for WFDB; .csv keeps all samples"),
        (replace(ECG, signal_uv=ECG.signal_uv * 1e6), "a.csv", {}, "goes beyond 600 mV"),
        (replace(ECG, recorded_at=datetime(2020, 1, 1, tzinfo=UTC)), "a.hea", {}, "no place for a time zone"),
        (replace(ECG, signal_uv=RNG.normal(0, 100, (2, 500))), "a.hea", {}, "no gain keeps all samples"),
        (replace(ECG, subject=Subject(age=40.123456)), "a.hea", {}, "does not keep the age 40.123456 exactly"),
        (ECG, "a.hea", {"gain": 1e6}, "does not fit into 16 bits"),
    ]
    for ecg, name, more, says in cases:
        assert says in refused(lambda ecg=ecg, name=name, more=more: write(ecg, tmp_path / name, **more))  # type: ignore[misc]
        assert os.listdir(tmp_path) == []


def test_the_size_of_a_record_is_checked_by_its_writer_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecgspasm.io.wfdb import writer

    monkeypatch.setattr(writer, "MAX_SAMPLES", 999)
    assert "1000 samples cannot be written; between 1 and 999 can" in refused(lambda: writer.write_wfdb(ECG, tmp_path, "a"))
    monkeypatch.setattr(writing, "MAX_SAMPLES", 999)
    assert "1000 samples cannot be written; between 1 and 999 can" in refused(lambda: write(ECG, tmp_path / "a.csv"))
    monkeypatch.undo()
    for gain in (0.0, -1.0, float("nan"), True, "1"):
        assert "give the steps per mV" in refused(lambda gain=gain: writer.write_wfdb(ECG, tmp_path, "a", gain=gain))  # type: ignore[misc]
    assert os.listdir(tmp_path) == []


def test_a_gain_that_keeps_all_steps_is_found_or_there_is_none() -> None:
    steps = np.arange(-300.0, 300.0)[None]
    for step in (1.0, 4.88, 1000.0 / 204.8, 2.44140625, 100.0 / 3.0):
        gain = exact_gain(steps * step)
        assert gain is not None
        assert np.array_equal(np.rint(steps * step * (gain / 1000.0)) * (1000.0 / gain), steps * step)
    # zeros alone fit any gain; steps that no 16 bits hold fit none
    assert exact_gain(np.zeros((1, 5))) is not None
    assert exact_gain(np.array([[1.0, np.pi, np.e, 1000.0]])) is None
    assert exact_gain(np.array([[1e-3, 40_000.0]])) is None
    assert exact_gain(np.array([[1.0, 2.0000001]])) is None  # nearly multiples of one step


def test_an_ecg_that_is_all_missing_can_be_written(tmp_path: Path) -> None:
    empty = replace(ECG, signal_uv=np.full((2, 500), np.nan))
    for name in ("a.csv", "a.hea"):
        assert np.isnan(es.read(write(empty, tmp_path / name)).signal_uv).all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"leads": ("I", "III")}, "the leads I, II"),
        ({"derived": ("II",)}, "the leads I, II"),
        ({"fs": 501.0}, "a sampling rate of 500.0 Hz"),
        ({"signal_uv": ECG.signal_uv[:, 1:]}, "the missing samples"),
        ({"signal_uv": np.where(np.arange(500) == 3, np.nan, ECG.signal_uv)}, "the missing samples"),
        ({"signal_uv": ECG.signal_uv + 1e-9}, "the samples"),
        ({"subject": Subject(sex="female", age=40, key="a")}, "the age 40"),
        ({"subject": Subject(sex="male", age=41, key="a")}, "the age 40"),
        ({"subject": Subject(sex="male", age=40, key="b")}, "the key of the subject"),
        ({"recorded_at": None}, "the time 2020-01-02 03:04:05"),
        ({}, ""),
    ],
)
def test_every_difference_to_what_was_written_is_noticed(change: dict[str, Any], word: str) -> None:
    assert writing._difference(replace(ECG, **change), ECG) == word


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet"])
def test_a_file_that_reads_back_as_another_never_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = Path(write(ECG, tmp_path / name)).read_bytes()
    from ecgspasm.io.tables import parquet, text

    wrong = replace(ECG, fs=250.0)
    monkeypatch.setattr(text, "read_table", lambda *_: wrong)
    monkeypatch.setattr(parquet, "read_parquet", lambda *_: wrong)
    assert "a sampling rate of 500.0 Hz would not be read back" in refused(lambda: write(ECG, tmp_path / name))
    assert (tmp_path / name).read_bytes() == before


def test_a_record_that_cannot_be_read_back_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecgspasm.io.wfdb import reader

    def no(*_: object) -> None:
        raise EcgError("checksum")

    monkeypatch.setattr(reader, "read_digital", no)
    assert "cannot hold this ECG (checksum); write .parquet instead" in refused(lambda: write(ECG, tmp_path / "a.hea"))
    assert os.listdir(tmp_path) == []


def failing(monkeypatch: pytest.MonkeyPatch, at: Callable[[str], bool]) -> None:
    """Let renaming to certain names fail, as on a full disk."""
    real = os.replace

    def fake(source: str, target: str) -> None:
        if at(os.fspath(target)):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", fake)


@pytest.mark.parametrize("there_before", [False, True])
@pytest.mark.parametrize("suffix", [".dat", ".hea"])
def test_of_a_record_both_files_are_new_or_both_are_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there_before: bool, suffix: str
) -> None:
    other = replace(ECG, signal_uv=ECG.signal_uv + 1.0)
    if there_before:
        write(other, tmp_path / "a.hea")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    failing(monkeypatch, lambda target: target == str(tmp_path / f"a{suffix}"))
    assert "cannot be written (No space left on device)" in refused(lambda: write(ECG, tmp_path / "a.hea"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_record_can_be_written_into_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write(ECG, "a.hea") == "a.hea"
    assert sorted(os.listdir()) == ["a.dat", "a.hea"]
    assert np.array_equal(es.read("a.hea").signal_uv[:2], ECG.signal_uv)
    assert "there is no folder none; make it first" in refused(lambda: write(ECG, "none/a.hea"))


def test_annotations_of_an_expert_are_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecgspasm.io.wfdb.annotations import write_annotations

    found = es.analyze(es.simulate.ecg(fs=500, seed=3).ecg).delineation
    assert "there is no folder" in refused(lambda: write_annotations(found, tmp_path / "none", "r"))
    assert "use letters, digits, _ and - in the name" in refused(lambda: write_annotations(found, tmp_path, "r r"))
    failing(monkeypatch, lambda target: target.endswith("r.ii"))
    assert "No space left" in refused(lambda: write_annotations(found, tmp_path, "r"))
    monkeypatch.undo()
    assert all(".ecgspasm" not in name and not name.startswith("tmp") for name in os.listdir(tmp_path))
    for name in os.listdir(tmp_path):
        os.unlink(tmp_path / name)
    (tmp_path / "r.v6").write_bytes(b"an expert's")
    assert "holds annotations of r already (r.v6)" in refused(lambda: write_annotations(found, tmp_path, "r"))
    assert os.listdir(tmp_path) == ["r.v6"]


# ---------------------------------------------------------------- courses


def test_toml_that_is_written_is_read_as_the_same_table() -> None:
    table = {
        "text": 'a "quote" \\ \n\t\x7f \u00e4', "number": 1.5, "whole": 3, "no": False, "yes": True, "many": ["a", "b"],
        "none": [],
        "when": datetime(2020, 1, 2, 3, 4, 5), "below": {"x": 1, "deeper": {"y": 2, "rows": [{"z": 1}, {"z": 2, "w": {"v": 0}}]}},
        "rows": [{"a": 1}, {"a": 2}],
    }  # fmt: skip
    assert tomllib.loads(toml_text.dump(table)) == table
    for value in (None, b"x", [None], {1: 2}.keys()):
        assert "cannot be written as TOML" in refused(lambda value=value: toml_text.dump({"a": value}))  # type: ignore[misc]


def test_a_course_that_is_not_written_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = files.load(Path(__file__).parent.parent / "data" / "index-case" / "course.toml")
    bare = replace(course, ecgs=())
    path = tmp_path / "c.toml"
    bare.save(path)
    before = path.read_bytes()
    assert "let the name end in .toml or .json" in refused(lambda: bare.save(tmp_path / "c.txt"))
    with monkeypatch.context() as patched:
        failing(patched, lambda target: target.endswith("c.toml"))
        assert "cannot be written (No space left on device); give another path" in refused(lambda: bare.save(path))
    assert "cannot be written" in refused(lambda: bare.save(tmp_path / "none" / "c.toml"))
    assert os.listdir(tmp_path) == ["c.toml"]
    assert path.read_bytes() == before
    path.chmod(0o640)
    bare.save(path)
    assert path.stat().st_mode & 0o777 == 0o640
    bare.save(tmp_path / "d.json")
    assert (tmp_path / "d.json").stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert files.load(tmp_path / "d.json") == replace(files.load(path), folder=str(tmp_path))


def test_an_ecg_of_a_course_may_have_no_file(tmp_path: Path) -> None:
    course = files.load(Path(__file__).parent.parent / "data" / "index-case" / "course.toml")
    bare = replace(course, ecgs=tuple(replace(each, source=None) for each in course.ecgs))
    for name in ("c.toml", "c.json"):
        bare.save(tmp_path / name)
        assert files.load(tmp_path / name) == replace(bare, folder=str(tmp_path))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_ecg_of_a_course_lies_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out.hea").symlink_to("/etc/hostname")
    assert files.ecg_path(str(tmp_path), "in/a.hea") == str(tmp_path / "in" / "a.hea")
    assert files.ecg_path("", "/anywhere/a.hea") == "/anywhere/a.hea"
    for source in ("", "/a", "../a", "in/../../a", "in//a", ".", "a\nb", "-a"):
        assert "is no plain path" in refused(lambda source=source: files.ecg_path(str(tmp_path), source))  # type: ignore[misc]
    assert "is a link out of the course's folder" in refused(lambda: files.ecg_path(str(tmp_path), "in/out.hea"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "this is not valid JSON"),
        ("a = ", "this is not valid TOML"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"a": ' + "[" * 20_000 + "}", "cannot be read"),
        ('{"a": ' + "[" * 100_000 + "}", "more than the 15000 entries"),
        ("schema = 2", "schema is 2; this version of ecgspasm reads schema 1"),
        ("schema = true", "schema is True"),
        ("[[course]]", "holds several courses"),
        ('{"a": 1' + "0" * 5000 + "}", "cannot be read"),
    ],
)
def test_a_file_that_is_no_course(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    assert says in refused(lambda: files.load(path))
    path.write_bytes(b"\xff\xfe")
    assert "not UTF-8 text" in refused(lambda: files.load(path))


def test_a_file_of_several_courses_holds_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    for text in ("", "course = []", "course = 1"):
        path.write_text(text)
        assert "there is no list of tables named course" in refused(lambda: files.load_courses(path))
    path.write_text("other = 1\n[[course]]\n")
    assert "unknown key 'other'" in refused(lambda: files.load_courses(path))


# ---------------------------------------------------------------- batches


def plan(tmp_path: Path, **changes: Any) -> Plan:
    if not (tmp_path / "r.csv").exists():
        (tmp_path / "r.csv").write_text("x")
    given: dict[str, Any] = {
        "what": "measure", "tasks": [Task("one", current=str(tmp_path / "r.csv"))], "electrodes": "fresh", "criteria": None,
        "limits": Limits(), "records_per_part": 2, "wide": False,
    }  # fmt: skip
    return Plan(**(given | changes))


def test_all_that_decides_about_results_changes_the_name_of_a_run(tmp_path: Path) -> None:
    first = manifest_of(plan(tmp_path))
    assert first.key == manifest_of(plan(tmp_path)).key
    for changes in ({"records_per_part": 3}, {"wide": True}, {"limits": replace(Limits(), cpu_s=1.0)}, {"what": "compare"}):
        assert manifest_of(plan(tmp_path, **changes)).key != first.key
    own = tmp_path / "own.toml"
    own.write_text("a")
    keys = {manifest_of(plan(tmp_path, what="compare", criteria=str(own))).key}
    own.write_text("b")
    keys |= {manifest_of(plan(tmp_path, what="compare", criteria=str(own))).key, manifest_of(plan(tmp_path, what="compare")).key}
    assert len(keys) == 3
    assert "cannot be read" in refused(lambda: manifest_of(plan(tmp_path, what="compare", criteria=str(tmp_path / "none"))))
    # a file that is missing has no state, and one that is longer has another
    gone = manifest_of(plan(tmp_path, tasks=[Task("one", current=str(tmp_path / "none.csv"))]))
    assert "current_files" not in json.loads(gone.lines[0])
    made = plan(tmp_path)
    (tmp_path / "r.csv").write_text("xy")
    assert manifest_of(made).key != first.key


def test_a_folder_is_a_runs_own_or_refused(tmp_path: Path) -> None:
    run, folder = manifest_of(plan(tmp_path)), tmp_path / "out"
    settle(str(folder), run)
    assert sorted(os.listdir(folder)) == [INPUTS, NAME]
    settle(str(folder), run)
    other = Manifest(run.content | {"key": "0" * 16, "wide": True}, run.lines)
    assert "holds another run (its wide differ)" in refused(lambda: settle(str(folder), other))
    other = Manifest(run.content | {"key": "0" * 16}, run.lines)
    assert "its records, or their files, differ" in refused(lambda: settle(str(folder), other))
    (folder / "notes.txt").touch()
    assert "notes.txt is not of this run" in refused(lambda: settle(str(folder), run))
    (folder / "notes.txt").unlink()
    for content in ("[1]", "{", ""):
        (folder / NAME).write_text(content)
        assert "is no manifest of a run" in refused(lambda: settle(str(folder), run))
    (folder / NAME).unlink()
    (folder / f"part-{run.key}-000000.parquet").touch()
    assert f"but no {NAME}; give an empty folder" in refused(lambda: settle(str(folder), run))
    (tmp_path / "file").touch()
    assert "cannot be used" in refused(lambda: settle(str(tmp_path / "file"), run))


def test_a_part_is_what_was_written_or_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra batch)")
    from ecgspasm.batching import parts
    from ecgspasm.batching.rows import Rows

    rows = Rows(lead=["II", ""], measure=["t_uv", "n_beats"], value=[1.5, 9.0], se=[0.1, 0.2], state=["measured"] * 2)
    table = parts.long_table(["r\udcff"], [rows], "0" * 16, 4)
    path = str(tmp_path / parts.name_of("0" * 16, 4))
    parts.write_part(path, table)
    back = parts.read_part(path, "0" * 16, 4)
    assert back.equals(table)
    assert back["record"].to_pylist() == ["r\\udcff"] * 2
    for key, number in (("1" * 16, 4), ("0" * 16, 5)):
        assert "is not of this run" in refused(lambda key=key, number=number: parts.read_part(path, key, number))  # type: ignore[misc]
    content = Path(path).read_bytes()
    for damaged in (content[:-20], b"", content[:40] + bytes([content[40] ^ 1]) + content[41:]):
        Path(path).write_bytes(damaged)
        assert "is half a part or damaged" in refused(lambda: parts.read_part(path, "0" * 16, 4))
    wide = parts.wide_table(["r"], [rows], "0" * 16, 0, ["t_uv_II", "n_beats", "q_uv_I"])
    (row,) = wide.to_pylist()
    assert np.isnan(row.pop("q_uv_I"))
    assert row == {"record": "r", "error": None, "t_uv_II": 1.5, "n_beats": 9.0}
