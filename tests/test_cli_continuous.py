"""The commands of continuous recordings: monitor, provocation, course."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ecgspasm as es
from ecgspasm.cli import main
from ecgspasm.io.wfdb.writer import write_wfdb

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fifteen minutes with an attack from 300 to 540 s."""
    common = {"fs": 250, "seed": 5, "duration_s": 900, "leads": ["V2", "V3", "V4"], "noise_uv": 8.0}
    changed = es.simulate.ecg(**common, st_uv={"V2": 300.0, "V3": 300.0}).ecg
    made = es.simulate.transient(es.simulate.ecg(**common).ecg, changed, [(300, 0), (360, 1), (480, 1), (540, 0)])
    return write_wfdb(made, tmp_path_factory.mktemp("record"), "attack")


def test_monitor_prints_episodes_and_draws(record: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", record, "--plot", str(tmp_path / "trend.png")]) == 0
    told = capsys.readouterr()
    assert "ischemic ramp" in told.out
    assert (tmp_path / "trend.png").stat().st_size > 1000
    assert "\r" not in told.err  # no progress bar where stderr is no terminal


def test_monitor_json_with_definition_leads_and_baseline(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    baseline = str(CASE / "baseline.hea")
    assert main(["monitor", record, "--json", "--leads", "v2,V3", "--definition", "long-term-b", "--baseline", baseline]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["leads"] == ["V2", "V3"]
    assert set(found["reference"].values()) == {"baseline"}
    assert {each["definition"] for each in found["episodes"]} == {"long-term-b"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--definition", "mine"], "no definition 'mine'"),
        (["--leads", "V9"], "no lead 'V9'; this recording has V2, V3, V4"),
        (["--average", "3"], "give 8 to 60 s"),
        (["--plot", "/nowhere/trend.png"], "there is no folder /nowhere"),
    ],
)
def test_monitor_refuses_in_one_line(record: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", record, *arguments]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_a_record_that_cannot_be_measured_is_told_by_the_status(tmp_path: Path) -> None:
    import numpy as np

    flat = es.Ecg(signal_uv=np.zeros((1, 5000)), fs=250, leads=["V2"])
    assert main(["monitor", write_wfdb(flat, tmp_path, "flat")]) == 3


def test_provocation_from_one_recording(record: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = ["--event", "280=ergonovine 20 ug", "--event", "470=nitroglycerin"]
    assert main(["provocation", record, *events, "--plot", str(tmp_path / "test.svg")]) == 0
    told = capsys.readouterr().out
    assert "does not exclude spasm" in told
    assert "COVADIS: MET" in told
    assert (tmp_path / "test.svg").stat().st_size > 1000


def test_provocation_from_single_ecgs(capsys: pytest.CaptureFixture[str]) -> None:
    ecgs = [f"{at}={CASE / name}.hea" for at, name in ((0, "baseline"), (300, "ergonovine"), (600, "nitroglycerin"))]
    assert main(["provocation", *ecgs, "--event", "200=ergonovine", "--event", "400=nitroglycerin", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert any(each["verdict"] == "MET" for each in found["definitions"])


def test_provocation_refuses_in_one_line(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["--event", "ergonovine"], "does not begin with a time in s"),
        (["--event", "280="], "has nothing behind its time"),
        (["--event=-5=ergonovine"], "before"),
    ):
        assert main(["provocation", record, *arguments]) == 1
        told = capsys.readouterr().err
        assert words in told
        assert told.count("\n") == 1


def test_course_prints_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", str(CASE / "course.toml"), "--plot", str(tmp_path / "course.pdf")]) == 0
    assert "DEFINITE on Naranjo (9 points)" in capsys.readouterr().out
    assert (tmp_path / "course.pdf").stat().st_size > 1000
    assert main(["course", str(CASE / "course.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert main(["course", "nowhere.toml"]) == 1
