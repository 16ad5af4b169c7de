"""The command line as a shell sees it: output, exit status, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.cli import main
from ecgspasm.io.wfdb.writer import write_wfdb

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"
BASELINE, PRESENTATION = str(CASE / "baseline.hea"), str(CASE / "presentation")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ecgspasm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_compare_prints_the_verdict_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", BASELINE, PRESENTATION]) == 0
    out = capsys.readouterr().out
    assert out.startswith("NEW T-wave inversion in V1-V3 (anteroseptal): ")
    assert len(out.splitlines()) >= 14


def test_compare_json_is_strict_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", BASELINE, PRESENTATION, "--json"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    met = [each for each in told["findings"] if each["verdict"] == "MET"]
    assert [(each["criterion"], each["leads"], each["territory"]) for each in met] == [
        ("new-t-inversion", ["V1", "V2", "V3"], "anteroseptal")
    ]
    assert {"criterion", "verdict", "leads", "territory", "reason", "source"} <= set(met[0])
    assert set(told["leads"]) == set(es.read(BASELINE).leads)
    assert told["leads"]["V2"]["t_uv"]["change"] < -500


def test_compare_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "change.png"
    assert main(["compare", BASELINE, PRESENTATION, "--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    told = capsys.readouterr()
    assert str(path) in told.err
    assert str(path) not in told.out


def test_measure_gives_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", BASELINE]) == 0
    assert "QRS" in capsys.readouterr().out
    assert main(["measure", BASELINE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["leads"]["V2"]["state"] == "measured"
    assert 300 < told["leads"]["V2"]["t_uv"] < 340


def test_delineate_lists_the_waves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["delineate", BASELINE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = [row for row in told["waves"] if row["lead"] == "II" and row["wave"] == "QRS"]
    assert len(rows) >= 10
    assert set(rows[0]) == {"lead", "beat", "wave", "onset", "peak", "offset"}
    assert main(["delineate", BASELINE]) == 0
    assert capsys.readouterr().out.split()[:6] == ["lead", "beat", "wave", "onset", "peak", "offset"]


@pytest.mark.parametrize("arguments", [["compare", "nowhere", "nothing"], ["measure", __file__], ["compare", BASELINE, "."]])
def test_bad_input_is_one_line_and_exit_1(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("ecgspasm: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["compare", "one"], ["nonsense"], ["measure", BASELINE, "--nonsense"]])
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    assert run(*arguments).returncode == 2


def test_nothing_measured_is_exit_3_and_not_nothing_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = es.read(BASELINE)
    flat = es.Ecg(signal_uv=np.zeros_like(good.signal_uv), fs=good.fs, leads=good.leads)
    write_wfdb(flat, tmp_path, "flat")
    assert main(["compare", BASELINE, str(tmp_path / "flat")]) == 3
    assert capsys.readouterr().out.startswith("NOT COMPARABLE")
    assert main(["measure", str(tmp_path / "flat"), "--json"]) == 3
    assert main(["delineate", str(tmp_path / "flat")]) == 3
    assert main(["compare", BASELINE, BASELINE]) == 0


def test_help_answers_at_once() -> None:
    run("--help")
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        assert run("--help").returncode == 0
        best = min(best, time.perf_counter() - start)
    empty = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        empty = min(empty, time.perf_counter() - start)
    # Against the time of an empty interpreter on the same machine, which may be slow or busy.
    assert best < empty + 0.2


def test_a_target_that_cannot_be_written_is_refused_before_the_work(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for target in ("", str(tmp_path), str(tmp_path / "none" / "x.png")):
        assert main(["compare", BASELINE, PRESENTATION, "--plot", target]) == 1
        assert capsys.readouterr().out == ""
    assert main(["benchmark", "ludb", str(tmp_path), "--output", str(tmp_path / "none" / "x.json")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_a_full_disk_is_said_in_one_line() -> None:
    command = f"{sys.executable} -m ecgspasm measure {BASELINE} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("ecgspasm: cannot write the result")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m ecgspasm delineate {BASELINE} | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
