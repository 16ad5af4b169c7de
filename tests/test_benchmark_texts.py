"""Tables of benchmarks as text: every recorded figure stands in them; and the commands that print and write them."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks import table
from ecgspasm.benchmarks.noise import KINDS, add_noise, read_noise
from ecgspasm.cli import main
from ecgspasm.cli.batch import bar
from ecgspasm.cli.benchmark import progress

ROOT = Path(__file__).resolve().parent.parent


def recorded(name: str) -> Any:
    return json.loads((ROOT / "data" / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))["results"]


def row_of(text: str, name: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name} ") or line.rstrip() == name)
    return line[len(name) :].split()


def test_a_table_of_pairs_has_a_row_a_variant() -> None:
    found = recorded("pairs")
    text = table.pairs_text(found)
    for kind, rows in found.items():
        for name, row in rows.items():
            cells = row_of(text, f"{kind}: {name}")
            given = [row[each] for each in ("pairs", "new", "undecided", "largest_right", "covered")]
            assert cells == ["-" if each is None else f"{each:g}" for each in given]


def test_a_table_of_confounders_has_a_row_a_change_and_the_false_alarms() -> None:
    found = recorded("confounders")
    text = table.confounders_text(found)
    for kind, rows in found["sets"].items():
        for name, row in rows.items():
            assert row_of(text, f"{kind}: {name}")[0] == f"{row['pairs']:g}"
    assert text.endswith(f"none: {found['false_alarms']} %")


def test_a_table_of_the_calibration_has_a_row_a_condition_and_a_level() -> None:
    found = recorded("calibration")
    text = table.calibration_text(found)
    for name, row in found["calibration"].items():
        assert row_of(text, name)[:2] == [f"{row['limit_uv']:g}", f"{row['st_j60_uv']['largest_uv']:g}"]
    for kind, rows in found["noise"].items():
        part = text[text.index(f"{kind}, dB") :]
        for level, row in rows.items():
            assert row_of("\n".join(part.splitlines()[: len(rows) + 1]), level)[0] == f"{row['not_measured']:g}"
    assert "dB" not in table.calibration_text({"calibration": found["calibration"]})


def test_a_table_of_occlusions_says_why_a_number_has_no_figures() -> None:
    found = recorded("staffiii")
    found["numbers"]["of one person"] = {"auc": None, "reason": "one person is too few"}
    text = table.occlusion_text(found)
    for name, row in found["rules"].items():
        assert row_of(text, name)[-1] == str(row["specificity"])
    assert row_of(text, "of one person") == ["one", "person", "is", "too", "few"]


def test_a_table_of_waves_tells_offsets_and_u_waves_only_where_there_are_some() -> None:
    found = recorded("qtdb")["ecgspasm"]
    text = table.text(found)
    for name, row in found["boundaries"].items():
        if row["n"]:
            assert row_of(text, name)[0] == str(row["n"])
    plain = {name: value for name, value in found.items() if name not in ("u_waves", "inverted_t", "t_polarity_by_lead")}
    edges = {name: {key: value for key, value in row.items() if "offset" not in key} for name, row in found["boundaries"].items()}
    first = next(iter(edges))
    bare = table.text(plain | {"boundaries": edges | {first: edges[first] | {"n": 0}}})
    for words in ("U waves", "inverted", "stated offset", "right sign"):
        assert words not in bare
    assert not re.search(rf"^{first} ", bare, re.MULTILINE)
    with_u = table.text(plain | {"u_waves": {"n": 7, "found": 5, "marked": 9}, "inverted_t": {"n": 0, "right_sign": 0}})
    assert "U waves: 7 by the expert, 5 of them found; 9 marked in all" in with_u
    assert "inverted T waves: 0" in with_u


@pytest.mark.parametrize(
    ("command", "where"),
    [
        (["pairs", "--ptb", "somewhere"], "pairs.score_pairs"),
        (["confounders", "--ludb", "somewhere"], "confusion.score_confounders"),
        (["calibration"], "calibration.score_calibration"),
    ],
)
def test_commands_print_their_table_and_write_the_figures(
    command: list[str], where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = recorded(command[0])
    scored = {"pairs": found, "confounders": found.get("sets"), "calibration": found.get("calibration")}[command[0]]
    monkeypatch.setattr(f"ecgspasm.benchmarks.{where}", lambda *_, **__: scored)
    target = tmp_path / "figures.json"
    assert main(["benchmark", *command, "--output", str(target)]) == 0
    assert next(iter(scored)) in capsys.readouterr().out
    written = json.loads(target.read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", written["date"])
    results = written["results"]
    assert results.get("sets", results.get("calibration", results)) == scored


@pytest.mark.parametrize("command", ["pairs", "confounders"])
def test_a_benchmark_without_recordings_is_bad_input(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", command]) == 1
    assert "there are no pairs; give --" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["staffiii", "balloon"])
def test_a_folder_without_occlusions_is_bad_input(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", command, str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


# --- progress on a terminal ---------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """Takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_counted_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert list(progress("ludb")([10, 20, 30], 3)) == [10, 20, 30]
        assert ("ludb: 3 of at most 3" in stream.getvalue()) == shown


def test_a_bar_begins_where_an_earlier_run_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with bar() as told:
        assert told is not None
        told(40, 100)
        told(100, 100)
    assert "100/100" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    with bar() as told:  # nothing was done: nothing is shown, and nothing fails
        assert told is not None
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with bar() as told:
        assert told is None


# --- recorded noise -----------------------------------------------------------------------------------------------------------


def noise_folder(folder: Path, **fs: float) -> Path:
    rng = np.random.default_rng(3)
    for kind in KINDS:
        signal = np.round(rng.normal(0.0, 200.0, (2, 3600))) * 5.0
        es.write(es.Ecg(signal, fs=fs.get(kind, 360), leads=["I", "II"]), folder / f"{kind}.hea", gain=200)
    return folder


@pytest.mark.parametrize("snr_db", [24.0, 0.0])
def test_noise_is_as_large_as_asked_in_every_lead_and_the_same_each_time(tmp_path: Path, snr_db: float) -> None:
    ecg = es.simulate.ecg(fs=500, seed=2).ecg
    noise = read_noise(noise_folder(tmp_path), ecg.fs)
    noisy, again, other = (add_noise(ecg, noise, snr_db, name).signal_uv - ecg.signal_uv for name in ("a", "a", "b"))
    ratio = 20.0 * np.log10(ecg.signal_uv.std(axis=1) / noisy.std(axis=1))
    np.testing.assert_allclose(ratio, snr_db, atol=0.5)
    assert np.array_equal(noisy, again)
    assert not np.array_equal(noisy, other)


def test_noise_without_a_sampling_rate_is_refused(tmp_path: Path) -> None:
    folder = noise_folder(tmp_path)
    header = folder / "em.hea"
    lines = header.read_text(encoding="ascii").splitlines()
    header.write_text("\n".join(["em 2", *lines[1:]]) + "\n", encoding="ascii")
    with pytest.raises(es.EcgError, match=r"sampling rate|no number of samples"):
        read_noise(folder, 500.0)
