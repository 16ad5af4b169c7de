"""Batches: what a list means, that a run goes on and ends with the same bytes, that a poisoned record costs one row."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import ecgspasm as es
from ecgspasm.batching.engine import SMALL
from ecgspasm.batching.guard import Guard, Limits
from ecgspasm.batching.inputs import tasks
from ecgspasm.batching.rows import Task
from ecgspasm.batching.summary import kind_of
from ecgspasm.ecg import MEASURES
from ecgspasm.io.wfdb.writer import write_wfdb

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Six simulated ECGs of one person."""
    folder = tmp_path_factory.mktemp("records")
    return [
        write_wfdb(es.simulate.ecg(fs=500, seed=seed, st_uv={"V2": 40.0 * seed, "V3": 40.0 * seed}).ecg, folder, f"r{seed}")
        for seed in range(6)
    ]


def contents(folder: Path, pattern: str = "*.parquet") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern))}


# --- what a list means


def test_a_list_in_each_of_its_forms_names_the_same_records(records: list[str], tmp_path: Path) -> None:
    folder = Path(records[0]).parent
    (folder / "notes.md").write_text("no ECG")
    text = tmp_path / "list.txt"
    text.write_text("# a comment\n" + "\n".join(records) + "\n")
    table = tmp_path / "list.csv"
    table.write_text("record,site\n" + "".join(f"{name},A\n" for name in records))
    relative = folder / "RECORDS"
    relative.write_text("\n".join(Path(name).name for name in records) + "\n")
    forms = [records, str(text), table, str(folder), str(folder / "*.hea"), pd.DataFrame({"record": records}), relative]
    found = [[task.current for task in tasks("measure", form)] for form in forms]
    relative.unlink()
    assert all(each == records for each in found)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_pairs_are_read_with_their_names_and_paths_relative_to_the_list(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "pairs.csv"
    rows = [["baseline", "current", "record"], ["a/1.hea", "a/2.hea", "first"], ["b.hea", "c.hea", ""]]
    path.write_text("\n".join(delimiter.join(row) for row in rows))
    found = tasks("compare", path)
    assert [task.record for task in found] == ["first", f"{tmp_path / 'b.hea'} > {tmp_path / 'c.hea'}"]
    assert found[0].baseline == str(tmp_path / "a/1.hea")
    assert not any(task.reason for task in found)


def test_pairs_that_cannot_be_compared_say_why() -> None:
    table = pd.DataFrame(
        [
            {"baseline": "a", "current": "b", "baseline_person": "1", "current_person": "2"},
            {"baseline": "a", "current": "c", "baseline_at": "2024-05-01", "current_at": "2023-05-01"},
            {"baseline": "a", "current": "./a"},
            {"baseline": "a", "current": "d", "baseline_at": "yesterday"},
            {"baseline": "a", "current": None},
            {"baseline": "a", "current": "e"},
            {"baseline": "a", "current": "e"},
        ]
    )
    found = tasks("compare", table)
    words = ["different persons", "older than its baseline", "same file", "write it as", "not name both", "", "listed before"]
    assert all(word in task.reason for word, task in zip(words, found, strict=True))
    assert len({task.record for task in found}) == len(found)


@pytest.mark.parametrize(
    ("what", "inputs", "word"),
    [
        ("measure", [], "nothing to do"),
        ("measure", "nowhere.csv", "there is no list"),
        ("compare", ".", "is a folder"),
        ("compare", [("a", "b", "c")], "no pair"),
        ("compare", pd.DataFrame({"before": ["a"], "current": ["b"]}), "no column baseline"),
        ("measure", 7, "no list of records"),
    ],
)
def test_lists_that_are_none_are_refused(what: str, inputs: object, word: str) -> None:
    with pytest.raises(es.EcgError, match=word):
        tasks(what, inputs)


# --- what comes out


def test_long_and_wide_table_hold_what_analyze_measures(records: list[str], tmp_path: Path) -> None:
    run = es.batch("measure", records, tmp_path, wide=True)
    frame, wide = run.to_frame(), run.to_frame("wide").set_index("record")
    assert list(frame.columns) == ["record", "lead", "measure", "value", "se", "state"]
    for path in records[:2]:
        direct = es.analyze(es.read(path)).measurements
        own = frame[frame["record"] == path].set_index(["measure", "lead"])
        for measure in MEASURES:
            for lead in direct.leads:
                np.testing.assert_equal(own.loc[(measure, lead), "value"], direct.get(measure, lead))
                np.testing.assert_equal(wide.loc[path, f"{measure}_{lead}"], direct.get(measure, lead))
        assert own.loc[("rate_bpm", ""), "value"] == direct.rate_bpm
    assert not frame.duplicated(["record", "lead", "measure"]).any()
    assert run.summary["done"] == run.summary["records"] == len(records)


def test_comparisons_hold_what_compare_finds(records: list[str], tmp_path: Path) -> None:
    run = es.batch("compare", [(records[0], records[5]), (records[1], records[1][:-4])], tmp_path, wide=True, electrodes="same")
    frame = run.to_frame().set_index(["record", "measure", "lead"])
    direct = es.compare(es.read(records[0]), es.read(records[5]), electrodes="same")
    pair = f"{records[0]} > {records[5]}"
    change = direct.changes["st_j60_uv"]
    for row, lead in enumerate(direct.leads):
        assert frame.loc[(pair, "change_st_j60_uv", lead), "value"] == change.difference[row]
        assert frame.loc[(pair, "change_st_j60_uv", lead), "se"] == change.se[row]
    met = {finding.criterion for finding in direct.findings if finding.verdict == "MET"}
    assert "new-st-elevation" in met
    assert frame.loc[(pair, "finding:new-st-elevation", ""), "value"] == 1.0
    assert run.summary["findings"]["new-st-elevation"]["territories"] == {"anteroseptal": 1}
    assert "anteroseptal 1" in (tmp_path / "summary.html").read_text()


def test_wrong_rows_cost_only_themselves(records: list[str], tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.hea"
    damaged.write_text("damaged 1 500\n")
    run = es.batch("measure", [records[0], "/nowhere/x.hea", str(damaged), records[1], records[0]], tmp_path / "out")
    frame = run.to_frame()
    errors = frame[frame["measure"] == "error"].set_index("record")["state"]
    assert list(errors.index) == ["/nowhere/x.hea", str(damaged), f"{records[0]} (number 5)"]
    assert run.summary["failed"] == 3
    assert sum(run.summary["failures"].values()) == 3
    assert set(frame["record"]) == {records[0], records[1], *errors.index}


def test_persons_and_dates_in_the_files_are_compared_too(tmp_path: Path) -> None:
    ecg = es.simulate.ecg(fs=500, seed=1).ecg

    def written(name: str, sex: str, age: float, date: str) -> str:
        path = write_wfdb(ecg, tmp_path, name)
        head, *rest = Path(path).read_text().splitlines()
        Path(path).write_text("\n".join([f"{head} 10:00:00 {date}", *rest, f"# age: {age}", f"# sex: {sex}"]) + "\n")
        return path

    old, new = written("old", "male", 60, "01/02/2020"), written("new", "male", 61, "01/02/2021")
    her, young = written("her", "female", 61, "01/02/2021"), written("young", "male", 20, "01/02/2021")
    run = es.batch("compare", [(old, new), (new, old), (old, her), (old, young)], tmp_path / "out")
    errors = run.to_frame().query("measure == 'error'")["state"].tolist()
    assert len(errors) == 3
    assert all(word in text for word, text in zip(["older than its baseline", "female", "was 60"], errors, strict=True))


# --- going on


def test_a_run_goes_on_where_it_stopped_and_makes_no_part_twice(records: list[str], tmp_path: Path) -> None:
    es.batch("measure", records, tmp_path, records_per_part=2, wide=True)
    whole = contents(tmp_path)
    assert len(whole) == 6
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    gone = sorted(name for name in whole if name.startswith("part"))[1]
    (tmp_path / gone).unlink()
    left = tmp_path / f"{gone}.0123.part"
    left.write_bytes(b"left by a worker that was killed")
    os.utime(left, (1, 1))
    young = tmp_path / f"{gone}.4567.part"
    young.write_bytes(b"of another run that writes it just now")
    run = es.batch("measure", records, tmp_path, records_per_part=2, wide=True)
    assert contents(tmp_path) == whole
    assert run.summary["run"]["records"] == 2
    untouched = {path.name for path in tmp_path.glob("*.parquet") if path.stat().st_mtime_ns == stamps[path.name]}
    assert len(untouched) == 4
    assert list(tmp_path.glob("*.part")) == [young]


@pytest.mark.parametrize("harm", ["cut", "flip", "foreign", "empty"])
def test_a_damaged_or_foreign_part_is_refused_by_name_and_left_as_it_is(records: list[str], tmp_path: Path, harm: str) -> None:
    es.batch("measure", records[:4], tmp_path, records_per_part=2)
    first, second = sorted(tmp_path.glob("part-*.parquet"))
    content = bytearray(first.read_bytes())
    if harm == "cut":
        content = content[: len(content) // 2]
    elif harm == "flip":
        content[len(content) // 3] ^= 0x40
    elif harm == "foreign":
        content = bytearray(second.read_bytes())
    else:
        content = bytearray()
    first.write_bytes(content)
    with pytest.raises(es.EcgError, match=first.name):
        es.batch("measure", records[:4], tmp_path, records_per_part=2)
    assert first.read_bytes() == content


def test_a_folder_of_another_run_or_of_other_files_is_refused(records: list[str], tmp_path: Path) -> None:
    es.batch("measure", records[:2], tmp_path / "a")
    before = contents(tmp_path / "a", "*")
    with pytest.raises(es.EcgError, match="another run"):
        es.batch("measure", records[:3], tmp_path / "a")
    with pytest.raises(es.EcgError, match=r"another run \(its what"):
        es.batch("compare", [(records[0], records[1])], tmp_path / "a")
    os.utime(records[1], ns=(1, 1))
    with pytest.raises(es.EcgError, match="their files, differ"):
        es.batch("measure", records[:2], tmp_path / "a")
    assert contents(tmp_path / "a", "*") == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.docx").write_text("do not touch")
    with pytest.raises(es.EcgError, match=r"thesis\.docx is not of this run"):
        es.batch("measure", records[:2], tmp_path / "b")


def test_how_the_work_is_spread_changes_no_byte(records: list[str], tmp_path: Path) -> None:
    many = [f"{number}" for number in range(SMALL + 2)]
    folder = tmp_path / "many"
    folder.mkdir()
    for number in many:
        for suffix in (".hea", ".dat"):
            shutil.copy(records[int(number) % 6][:-4] + suffix, folder / f"r{int(number) % 6}{suffix}")
    found = []
    for workers in (1, 2):
        out = tmp_path / f"w{workers}"
        es.batch("measure", str(folder), out, workers=workers, records_per_part=2)
        found.append(contents(out))
    # more than SMALL records go to worker processes, here made up of records that are missing
    wanted = [*map(str, sorted(folder.glob("*.hea"))), *(f"/nowhere/{number}" for number in many)]
    es.batch("measure", wanted, tmp_path / "processes", records_per_part=40, workers=2)
    assert found[0] == found[1]
    assert len(contents(tmp_path / "processes")) == 3


def test_a_damaged_wide_part_is_refused_too(records: list[str], tmp_path: Path) -> None:
    es.batch("measure", records[:2], tmp_path, wide=True)
    (wide,) = tmp_path.glob("wide-*.parquet")
    wide.write_bytes(b"garbage")
    for gone in (False, True):
        if gone:
            next(tmp_path.glob("part-*.parquet")).unlink()
        with pytest.raises(es.EcgError, match=wide.name):
            es.batch("measure", records[:2], tmp_path, wide=True)
        assert wide.read_bytes() == b"garbage"


def test_a_run_that_was_killed_while_it_wrote_its_manifest_goes_on(records: list[str], tmp_path: Path) -> None:
    (tmp_path / "inputs.jsonl").write_text("half")
    (tmp_path / "manifest.json.0011.part").write_text("half")
    assert es.batch("measure", records[:1], tmp_path).summary["failed"] == 0


def test_files_that_a_header_names_are_part_of_the_run(tmp_path: Path) -> None:
    steps = np.zeros((5000, 1), "<i2")
    (tmp_path / "other.xyz").write_bytes(steps.tobytes())
    header = tmp_path / "r.hea"
    header.write_text("r 1 500 5000\nother.xyz 16 1000/mV 16 0 0 0 0 V2\n")
    es.batch("measure", [header], tmp_path / "out")
    os.utime(tmp_path / "other.xyz", ns=(1, 1))
    with pytest.raises(es.EcgError, match="their files, differ"):
        es.batch("measure", [header], tmp_path / "out")


def test_one_record_under_several_names_is_one(records: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(records[0]).parent)
    spelled = ["r0.hea", "./r0.hea", "r0", "r0.dat", records[0]]
    found = tasks("measure", spelled)
    assert [bool(task.reason) for task in found] == [False, True, True, True, True]
    assert found[0].current == records[0]
    assert all("same file" in task.reason for task in tasks("compare", [("r0.hea", other) for other in spelled[1:]]))


def test_what_tables_do_to_keys_and_dates_is_understood() -> None:
    rows = [
        {"baseline": "a", "current": "b", "baseline_person": 1, "current_person": 1.0},
        {"baseline": "a", "current": "c", "baseline_at": "2024-05-31T14:05", "current_at": "2024-05-31"},
        {"baseline": "a", "current": "d", "baseline_person": "1", "current_person": "2.0"},
        {"baseline": "a", "current": "e", "baseline_at": "2024-05-31T14:05", "current_at": "2024-05-30"},
    ]
    assert [bool(task.reason) for task in tasks("compare", pd.DataFrame(rows))] == [False, False, True, True]


def test_folders_hold_ecgs_of_any_format_but_no_results(records: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    es.write(es.read(records[0]), folder / "a.csv")
    es.write(es.read(records[0]), folder / "b.parquet")
    (folder / "list.csv").write_text("record\na.csv\n")
    (folder / "read.me.txt").write_text("nothing of interest")
    for _ in range(2):
        run = es.batch("measure", folder, folder / "out")
        assert run.summary["records"] == 2
        assert run.summary["failed"] == 0
    assert [task.current for task in tasks("measure", folder / "a.csv")] == [str(folder / "a.csv")]
    (folder / "quoted.csv").write_text('\n"record","site"\n"a.csv","1"\n')
    assert [task.current for task in tasks("measure", folder / "quoted.csv")] == [str(folder / "a.csv")]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
def test_a_file_name_that_is_no_text_costs_nothing(records: list[str], tmp_path: Path) -> None:
    bad = os.fsdecode(os.fsencode(tmp_path / "bad") + b"\xff.parquet")
    es.write(es.read(records[0]), tmp_path / "good.parquet")
    shutil.copy(tmp_path / "good.parquet", bad)
    run = es.batch("measure", [bad, records[0], "/nowhere/" + os.fsdecode(b"\xfe")], tmp_path / "out", wide=True)
    assert run.summary["failed"] == 1
    assert any("bad\\udcff.parquet" in name for name in run.to_frame()["record"].unique())


def test_names_of_files_are_no_reasons(records: list[str], tmp_path: Path) -> None:
    listed = [f"/nowhere/Person_{name}.hea" for name in ("Eva", "Otto", "Eva")]
    run = es.batch("measure", listed, tmp_path)
    assert len(run.summary["failures"]) == 2
    assert "Eva" not in (tmp_path / "summary.json").read_text()


def test_two_runs_at_once_into_one_folder_both_end(records: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ecgspasm", "batch", "measure", str(Path(records[0]).parent)]
    command += ["--output", str(tmp_path / "o"), "--records-per-part", "1"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate(timeout=60)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], said


def test_a_plain_script_needs_no_guard_and_opens_nothing_to_others(records: list[str], tmp_path: Path) -> None:
    script = tmp_path / "plain.py"
    listed = [records[0], *(f"/nowhere/{number}" for number in range(SMALL))]
    script.write_text(
        "import psutil, threading, ecgspasm as es\n"
        "seen = set()\n"
        "def look(done, of):\n"
        "    for each in (psutil.Process(), *psutil.Process().children(recursive=True)):\n"
        "        seen.update(c.laddr.ip for c in each.net_connections() if c.status == 'LISTEN')\n"
        f"run = es.batch('measure', {listed!r}, {str(tmp_path / 'out')!r}, workers=2, progress=look)\n"
        "print(run.summary['done'], run.summary['failed'], sorted(seen))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[0] == f"{SMALL + 1} {SMALL} ['127.0.0.1']"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("workers", -1),
        ("workers", 1.5),
        ("workers", "2"),
        ("records_per_part", True),
        ("time_limit_s", "x"),
        ("memory_limit_mb", None),
        ("scheduler", 5),
    ],
)
def test_options_that_are_none_are_refused(records: list[str], tmp_path: Path, option: str, value: object) -> None:
    with pytest.raises(es.EcgError, match=option.split("_")[0]):
        es.batch("measure", records[:1], tmp_path, **{option: value})  # type: ignore[arg-type]


# --- poisoned records


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have the working processes read with the broken library of `poison`."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copy(HERE / "poison.py", folder / "sitecustomize.py")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def test_a_poisoned_record_costs_one_row_with_its_reason(poisoned: Path, records: list[str], tmp_path: Path) -> None:
    # filling half a gigabyte takes a busy machine a second of computing
    names = {
        "segfault": "SIGSEGV, a segmentation fault",
        "killed": "SIGKILL, perhaps for want of memory",
        "exit": "ends the process that reads it (exit status 3)",
        "loop": "more than 3 s of computing",
        "memory": "more memory than the limit allows",
        "grow": "more memory than the limit allows",
        "exception": "ZeroDivisionError: a reader's own mistake",
    }
    listed = [path for pair in zip_longest((f"/x/{name}.hea" for name in names), records) for path in pair if path]
    run = es.batch("measure", listed, tmp_path / "out", time_limit_s=3.0, memory_limit_mb=512)
    frame = run.to_frame()
    errors = frame[frame["measure"] == "error"].set_index("record")["state"].to_dict()
    assert set(errors) == {f"/x/{name}.hea" for name in names}
    for name, words in names.items():
        assert words in errors[f"/x/{name}.hea"]
    assert set(frame["record"]) - set(errors) == set(records)


def test_a_record_that_only_waits_is_given_up(poisoned: Path, records: list[str]) -> None:
    guard = Guard(Limits(cpu_s=0.5, patience=3.0))
    found = guard.do("measure", Task("x", current="/x/sleep.hea"), "fresh", None)
    after = guard.do("measure", Task("y", current=records[0]), "fresh", None)
    guard.close()
    assert "no answer within 1.5 s" in found.state[0]
    assert len(after.lead) > 200


@pytest.mark.parametrize("broken", ["subprocess.Popen", "tempfile.TemporaryFile"])
def test_a_process_that_cannot_be_started_is_told_in_one_line(
    records: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fails(*given: object, **named: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with monkeypatch.context() as patch:
        patch.setattr(f"ecgspasm.batching.guard.{broken}", fails)
        with pytest.raises(es.EcgError, match=r"no working process could be started \(Resource temporarily unavailable\)"):
            es.batch("measure", records[:2], tmp_path)
    assert es.batch("measure", records[:2], tmp_path).summary["failed"] == 0


def test_limits_that_are_none_are_refused() -> None:
    with pytest.raises(es.EcgError, match="time limit"):
        Limits(cpu_s=0)
    with pytest.raises(es.EcgError, match="memory limit"):
        Limits(memory_mb=1)


# --- the command


def test_command_writes_tables_and_says_what_came_of_it(records: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ecgspasm", "batch", "measure", str(Path(records[0]).parent)]
    done = subprocess.run([*command, "--output", str(tmp_path / "o"), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] == len(records)
    table = pq.read_table(next((tmp_path / "o").glob("part-*.parquet")))
    assert table.column_names == ["record", "lead", "measure", "value", "se", "state"]


def test_command_fails_only_if_nothing_could_be_done(records: list[str], tmp_path: Path) -> None:
    for number, rows in enumerate([["nowhere.hea"], ["nowhere.hea", records[0]]]):
        path = tmp_path / f"list{number}.txt"
        path.write_text("\n".join(rows) + "\n")
        command = [sys.executable, "-m", "ecgspasm", "batch", "measure", str(path), "--output", str(tmp_path / f"o{number}")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == (1, 0)[number], done.stderr
        assert "there is no file 'nowhere.hea'" in done.stdout or "there is no file" in done.stdout


def test_an_address_where_nobody_answers_is_told(records: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecgspasm.batching.engine.CONNECT_S", 1)
    with pytest.raises(es.EcgError, match="no Dask scheduler answers at 127"):
        es.batch("measure", records[:1], tmp_path, scheduler="127.0.0.1:1")


def test_reasons_are_counted_without_names_and_numbers() -> None:
    assert kind_of("/a/b c/1.hea: it has 3 of 12") == "it has # of #"
    assert kind_of("x.dcm: no lead") == "no lead"
