"""What all commands share: where results go, standard input and output, completion, help."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import ecgspasm as es
from ecgspasm.cli import main, parser
from ecgspasm.cli.common import WIDTH

ROOT = Path(__file__).resolve().parent.parent
CASE = ROOT / "data" / "index-case"
BASELINE, PRESENTATION = str(CASE / "baseline.hea"), str(CASE / "presentation.hea")


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return Path(es.write(es.read(BASELINE), tmp_path / "baseline.csv"))


def standard_input(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    class Stream:
        buffer = io.BytesIO(path.read_bytes())

    monkeypatch.setattr(sys, "stdin", Stream())


def test_without_a_command_the_five_jobs_are_shown_with_an_example_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    examples = re.findall(r"^      ecgspasm (\w+)", said, re.MULTILINE)
    assert examples == ["compare", "monitor", "provocation", "batch", "benchmark"]
    assert es.__version__ in said
    assert "not a medical device" in said


def test_the_examples_of_the_five_jobs_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    for line in re.findall(r"^      ecgspasm (.+)", capsys.readouterr().out, re.MULTILINE):
        assert parser().parse_args(shlex.split(line)).run is not None


@pytest.mark.parametrize("command", ["measure", "delineate"])
def test_an_ecg_comes_from_standard_input(
    command: str, csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(csv), "--json"]) == 0
    of_the_file = json.loads(capsys.readouterr().out)
    standard_input(monkeypatch, csv)
    assert main([command, "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == of_the_file


def test_either_ecg_of_a_comparison_but_not_both_comes_from_standard_input(
    csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standard_input(monkeypatch, csv)
    assert main(["compare", "-", PRESENTATION]) == 0
    assert "NEW T-wave inversion" in capsys.readouterr().out
    assert main(["compare", "-", "-"]) == 1
    assert "can be only one of the ECGs" in capsys.readouterr().err


def test_output_takes_what_would_have_been_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", BASELINE]) == 0
    printed = capsys.readouterr().out
    assert main(["measure", BASELINE, "--output", str(tmp_path / "told.txt")]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (tmp_path / "told.txt").read_text(encoding="utf-8") == printed


def test_an_output_is_not_touched_when_the_input_is_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("before", encoding="utf-8")
    assert main(["measure", str(tmp_path / "none.hea"), "--output", str(kept)]) == 1
    assert kept.read_text(encoding="utf-8") == "before"
    assert capsys.readouterr().err.startswith("ecgspasm: ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--plot", "-"], "a picture needs a name"),
        (["--report", "-"], "cannot both go to standard output"),
        (["--output", "no/such/folder/x.txt"], "there is no folder"),
        (["--output", "x.html", "--report", "x.html"], "two results would go to one file"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_the_work(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "there-is-none.hea", "nor-here.hea", *options]) == 1
    assert words in capsys.readouterr().err


def test_the_page_goes_to_standard_output_when_the_text_goes_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ecgspasm", "compare", BASELINE, PRESENTATION]
    finished = subprocess.run([*command, "--report", "-", "--output", str(tmp_path / "t.txt")], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("<!doctype html>")
    assert "NEW T-wave inversion" in (tmp_path / "t.txt").read_text(encoding="utf-8")


def on_a_terminal(command: list[str], **environment: str) -> str:
    """What a command prints on a terminal of 100 columns."""
    primary, secondary = pty.openpty()
    around = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ecgspasm", *command],
        stdout=secondary,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=around | {"COLUMNS": "100", "TERM": "xterm"} | environment,
    )
    os.close(secondary)
    said = b""
    while True:
        try:
            part = os.read(primary, 65536)
        except OSError:  # Linux's way to say that the other side has closed
            break
        if not part:
            break
        said += part
    os.close(primary)
    assert process.wait(60) == 0
    return said.decode().replace("\r\n", "\n")


def test_on_a_terminal_lines_fit_and_the_verdict_is_bold_and_nothing_else_differs() -> None:
    command = ["compare", BASELINE, PRESENTATION]
    shown = on_a_terminal(command)
    assert shown.startswith("\033[1mNEW T-wave inversion")
    plain = on_a_terminal(command, NO_COLOR="1")
    assert "\033" not in plain
    assert shown.replace("\033[1m", "").replace("\033[0m", "") == plain
    assert max(map(len, plain.splitlines())) <= WIDTH
    piped = subprocess.run([sys.executable, "-m", "ecgspasm", *command], capture_output=True, text=True).stdout
    assert "\033" not in piped
    assert "".join(plain.split()) == "".join(piped.split())


@pytest.mark.parametrize(
    "command", [["compare", BASELINE, PRESENTATION], ["measure", BASELINE], ["delineate", BASELINE]], ids=lambda each: each[0]
)
def test_tables_are_no_wider_than_a_hundred_columns(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(command)
    leads = re.compile(r"^\s*(lead|I|II|III|aV[RLF]|V[1-6])\s")
    rows = [line for line in capsys.readouterr().out.splitlines() if leads.match(line)]
    assert len(rows) >= 12
    assert max(map(len, rows)) <= WIDTH


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_file_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    for command in ("compare", "measure", "monitor", "provocation", "course", "batch", "fetch", "benchmark"):
        assert command in said


def test_bash_completes_commands_and_options() -> None:
    script = '. <(ecgspasm completion bash); COMP_WORDS=(ecgspasm comp); COMP_CWORD=1; _shtab_ecgspasm; echo "${COMPREPLY[@]}"'
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=os.environ | {"PATH": path}).stdout.split()
    assert {"compare", "completion"} <= set(said)


def test_every_option_has_a_word_of_help_and_every_number_its_unit() -> None:
    import argparse

    def options(of: argparse.ArgumentParser) -> list[argparse.Action]:
        found = []
        for action in of._actions:
            if isinstance(action, argparse._SubParsersAction):
                for each in set(action.choices.values()):
                    found += options(each)
            else:
                found.append(action)
        return found

    for action in options(parser()):
        assert action.help or action.choices, action.dest
        if action.type is float:
            assert re.search(r"\bs\b|\bms\b|Hz|uV|/min|%", action.help or ""), action.dest


@pytest.mark.parametrize("name", ["baseline.hea", "baseline.dat"])
def test_what_a_command_reads_is_never_its_result(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for each in CASE.glob("baseline.*"):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    before = (tmp_path / name).read_bytes()
    for command in (["measure", str(tmp_path / "baseline.hea")], ["compare", str(tmp_path / "baseline"), PRESENTATION]):
        assert main([*command, "--output", str(tmp_path / name)]) == 1
        assert "is read by this command" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == before


def test_annotations_that_are_there_are_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "baseline.v1").write_bytes(b"an expert's")
    assert main(["delineate", BASELINE, "--annotate", str(tmp_path)]) == 1
    assert "holds annotations of baseline already (baseline.v1)" in capsys.readouterr().err
    assert (tmp_path / "baseline.v1").read_bytes() == b"an expert's"


@pytest.mark.parametrize(
    ("options", "words"), [(["--plot", "x.gif"], ".png, .svg or .pdf"), (["--report", "x.pdf"], "end in .html")]
)
def test_a_wrong_ending_is_told_before_the_work(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "there-is-none.hea", "nor-here.hea", *options]) == 1
    assert words in capsys.readouterr().err


def test_a_table_without_unit_is_read_with_what_the_caller_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ecg = es.read(BASELINE)
    table = tmp_path / "plain.csv"
    rows = [",".join(ecg.leads), *(",".join(f"{value:.3f}" for value in row) for row in ecg.signal_uv.T / 1000.0)]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert main(["measure", str(table)]) == 1
    assert "unit" in capsys.readouterr().err
    assert main(["measure", str(table), "--unit", "mV", "--fs", "500", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["leads"]["V3"]["t_uv"] == pytest.approx(es.analyze(ecg).measurements.get("t_uv", "V3"), abs=1.0)


def test_every_text_ends_with_version_and_use(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["measure", BASELINE], ["compare", BASELINE, PRESENTATION]):
        assert main(command) == 0
        last = capsys.readouterr().out.rstrip().splitlines()[-1]
        assert last.startswith(f"ecgspasm {es.__version__}; ")
        assert last.endswith("research only, not a medical device")


def test_ctrl_c_ends_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ecgspasm.analysis.analyze", stopped)
    assert main(["measure", BASELINE]) == 130
    assert capsys.readouterr().err == "ecgspasm: stopped\n"


def test_exchanged_arguments_are_noticed_by_their_dates() -> None:
    from dataclasses import replace
    from datetime import datetime

    first, second = (es.read(path) for path in (BASELINE, PRESENTATION))
    first, second = replace(first, recorded_at=datetime(2024, 5, 1)), replace(second, recorded_at=datetime(2020, 5, 1))
    assert "recorded before the baseline" in es.compare(first, second).confounders["reversed-order"]
    assert "reversed-order" not in es.compare(second, first).confounders
