"""The benchmark: its scoring on layouts worked out by hand, and its figures, which must not get worse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.delineation import score_ludb
from ecgspasm.benchmarks.scoring import Tally, central_sd, pairs, summarise
from ecgspasm.benchmarks.sets import inside_annotated, near_annotated_beats
from ecgspasm.benchmarks.truth import Truth
from ecgspasm.cli import main
from ecgspasm.io.wfdb.annotations import write_annotations
from ecgspasm.io.wfdb.writer import write_wfdb
from ecgspasm.stamp import USE
from tests.docs_script import docs_script

ROOT = Path(__file__).resolve().parent.parent
NONE = np.empty((0, 3))


def wave(*peaks: float) -> np.ndarray:
    return np.array([[peak - 20, peak, peak + 20] for peak in peaks], dtype=float).reshape(-1, 3)


def tally(found: np.ndarray, true: np.ndarray, fs: float = 500.0) -> Tally:
    counted = Tally()
    counted.add({"P": NONE, "QRS": found, "T": NONE}, {"P": NONE, "QRS": true, "T": NONE}, fs)
    return counted


def test_pairs_are_one_to_one_and_nearest_first() -> None:
    assert pairs(np.array([100.0, 130.0]), np.array([128.0]), 75) == ([1], [0])
    assert pairs(np.array([100.0]), np.array([90.0, 105.0]), 75) == ([0], [1])
    assert pairs(np.array([100.0]), np.array([176.0]), 75) == ([], [])
    assert pairs(np.array([]), np.array([1.0]), 75) == ([], [])


def test_counts_and_errors_of_a_layout_worked_out_by_hand() -> None:
    found = wave(102, 300, 900)
    found[0] += [0, 0, 5]
    result = summarise({"one": tally(found, wave(100, 310, 500))})
    row = result["waves"]["QRS"]
    assert (row["n"], row["found"]) == (3, 3)
    assert row["se"] == row["ppv"] == row["f1"] == pytest.approx(66.667)
    offset = result["boundaries"]["QRS offset"]
    # +2 + 5 samples and -10 samples at 500 Hz: +14 and -20 ms
    assert (offset["n"], offset["mean"], offset["sd"], offset["median_abs"]) == (2, -3.0, 17.0, 17.0)


def test_perfect_and_empty() -> None:
    perfect = summarise({"one": tally(wave(100, 300), wave(100, 300))})["waves"]["QRS"]
    assert (perfect["se"], perfect["ppv"], perfect["f1"]) == (100.0, 100.0, 100.0)
    missed = summarise({"one": tally(NONE, wave(100, 300))})["waves"]["QRS"]
    assert (missed["se"], missed["ppv"], missed["f1"]) == (0.0, None, 0.0)


def test_swapping_the_sides_swaps_sensitivity_and_predictivity() -> None:
    one, other = wave(100, 300, 500), wave(100, 700)
    there = summarise({"r": tally(one, other)})["waves"]["QRS"]
    back = summarise({"r": tally(other, one)})["waves"]["QRS"]
    assert (there["se"], there["ppv"]) == (back["ppv"], back["se"])


def test_central_sd_leaves_the_tails_out() -> None:
    errors = np.concatenate([np.random.default_rng(1).normal(0, 5, 1000), [500.0, -800.0]])
    assert central_sd(errors) < 5.0 < errors.std()


def test_the_better_lead_has_fewer_faults() -> None:
    assert tally(wave(100, 300), wave(100, 300)).total_error() == 0
    assert tally(wave(100), wave(100, 300)).total_error() == 150.0


def test_ludb_judges_inside_the_annotated_stretch_only() -> None:
    truth = Truth({}, first=100.0, last=900.0)
    kept = inside_annotated({"T": wave(50, 91, 500, 909, 950)}, truth, 500.0)
    assert list(kept["T"][:, 1]) == [91, 500, 909]


def test_qtdb_judges_around_annotated_beats_only() -> None:
    truth = Truth({"QRS": wave(1000, 1200, 1400)}, 0, 0)
    kept = near_annotated_beats({"T": wave(900, 930, 1100, 1510, 1600)}, truth)
    assert list(kept["T"][:, 1]) == [930, 1100, 1510]


@pytest.fixture
def miniature(tmp_path: Path) -> Path:
    """Two simulated records in LUDB's layout, annotated by the library itself."""
    (tmp_path / "data").mkdir()
    for name, seed in (("1", 1), ("2", 2)):
        ecg = es.simulate.ecg(fs=500, seed=seed, noise_uv=5.0).ecg
        write_wfdb(ecg, tmp_path / "data", name)
        write_annotations(es.delineate(es.read(tmp_path / "data" / f"{name}.hea")), tmp_path / "data", name)
    return tmp_path


def test_a_partial_folder_is_scored_and_says_so(miniature: Path) -> None:
    result = score_ludb(miniature)
    assert result["share_of_set"] == "2 of 200 records"
    assert [result["waves"][wave]["f1"] for wave in ("P", "QRS", "T")] == [100.0, 100.0, 100.0]
    # Annotations are whole samples of 2 ms, what is found lies between them.
    assert 0.0 < result["boundaries"]["T offset"]["sd"] < 1.0


def test_the_command_prints_the_table_and_writes_json(miniature: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = miniature / "figures.json"
    assert main(["benchmark", "ludb", str(miniature), "--peers", "neurokit2", "--output", str(output)]) == 0
    told = json.loads(output.read_text(encoding="utf-8"))
    assert (told["ecgspasm"], told["use"]) == (es.__version__, USE)
    out = capsys.readouterr().out
    assert "2 of 200 records" in out
    assert "neurokit2" in out
    written = json.loads(output.read_text())
    assert written["results"]["ecgspasm"]["version"] == es.__version__
    assert set(written["results"]) == {"ecgspasm", "neurokit2"}
    assert written["date"]


def test_a_folder_without_records_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "ludb", str(tmp_path)]) == 1
    assert "no annotated record" in capsys.readouterr().err
    assert main(["benchmark", "ludb", str(tmp_path), "--peers", "nobody"]) == 1


def test_no_figure_is_worse_than_the_recorded_one(real_data: Path) -> None:
    module = docs_script("ratchet")
    recorded = json.loads(module.RECORDED.read_text(encoding="utf-8"))
    today = module.figures(real_data)
    # Another processor may round the net's sums differently by 1e-6, which moves a figure by some hundredths at most.
    worse = {
        f"{name}: {figure}": (before, today[name][figure])
        for name, before_by_figure in recorded.items()
        for figure, before in before_by_figure.items()
        # the calibration's figures are rounded to 0.1 uV: one step
        if today[name][figure] > before + (0.11 if name == "calibration" else 0.05)
    }
    assert not worse
