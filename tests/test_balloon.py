"""Balloon inflation as a provocation test: a miniature with known times, the original layout, and the real measurements."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecgspasm.benchmarks.balloon import score_balloon
from ecgspasm.provoking import judge_series
from ecgspasm.provoking.averages import of_beats
from ecgspasm.provoking.events import ProvocationEvent
from tests.test_staffiii import write_original

LEADS = ("V1", "V2", "V3", "V4", "V5", "V6", "aVL", "I", "-aVR", "II", "aVF", "III")
HEADER = "patient,baseline,inflation,inflation_begin_s,inflation_duration_s,site\n"


def beats(*, raised: tuple[float, float, float, float] | None, begins: float = 0.0, seed: int = 1) -> dict[str, np.ndarray]:
    """Five minutes of beats, 75/min; ST of V2-V4 rises from, is whole at, falls from, is gone at."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(begins, 300.0, 0.8)
    st = 20.0 + 8.0 * rng.standard_normal((12, len(time_s)))
    if raised is not None:
        st[1:4] += 300.0 * np.interp(time_s, raised, [0.0, 1.0, 1.0, 0.0])
    st[8] *= -1.0
    return {"t_ms": np.round(time_s * 1000).astype(np.int32), "st": st, "ta": 300.0 + 10.0 * rng.standard_normal(st.shape)}


def write(folder: Path) -> None:
    """Three persons: one with a ramp, one without a change, one whose record begins with the inflation."""
    records = {
        "001a": beats(raised=None, seed=2),
        "001b": beats(raised=(110.0, 150.0, 205.0, 225.0)),
        "002a": beats(raised=None, seed=3),
        "002b": beats(raised=None, seed=4),
        "003a": beats(raised=None, seed=5),
        "003b": beats(raised=(10.0, 50.0, 205.0, 225.0), seed=6),
    }
    np.savez(
        folder / "measures.npz", leads=np.array(LEADS), **{f"{r}_{k}": v for r, each in records.items() for k, v in each.items()}
    )
    rows = "001,001a,001b,100,100,proxlad\n002,002a,002b,100,100,midrca\n003,003a,003b,0,200,proxlad\n"
    (folder / "pairs.csv").write_text(HEADER + rows)


def test_known_inflations_are_found_at_their_time(tmp_path: Path) -> None:
    write(tmp_path)
    score = score_balloon(tmp_path)
    frame = score.to_frame().set_index("patient")
    assert frame.loc["001", "delay_s"] == pytest.approx(10.0, abs=8.0)
    assert frame.loc["003", "delay_s"] == pytest.approx(10.0, abs=8.0)
    assert frame.loc["001", "leads"] == "V2 V3 V4"
    assert frame.loc["001", "extremum_uv"] == pytest.approx(300.0, abs=15.0)
    assert frame.loc["001", "half_s"] == pytest.approx(15.0, abs=8.0)
    assert list(frame.own_baseline) == [True, True, False]
    told = json.loads(json.dumps(score.to_dict(), allow_nan=False))
    assert (told["persons"], told["above_100_uv"], told["onset_within_30_s"]) == (3, 2, 100.0)
    assert told["recovery_seen"] == 100.0
    assert told["sham_response"] == 0.0
    assert "onset within 30 s" in str(score)


def test_a_table_of_beats_may_give_st_at_j_60_only() -> None:
    each = beats(raised=(110.0, 150.0, 205.0, 225.0))
    names = tuple(lead.lstrip("-") for lead in LEADS)
    events = [ProvocationEvent(100.0, "ergonovine", "provoking"), ProvocationEvent(200.0, "nitroglycerin", "relieving")]
    test = judge_series(of_beats(each["t_ms"] / 1000.0, names, {"st_j60_uv": each["st"]}, events[0]), events)
    assert test.definition("covadis").verdict == "MET"
    assert test.definition("covadis").leads == ("V2", "V3", "V4")


def test_the_original_layout_is_scored(tmp_path: Path) -> None:
    pytest.importorskip("wfdb")
    write_original(tmp_path, sheet="csv")
    told = score_balloon(tmp_path).to_dict()
    assert told["persons"] == 2
    assert told["above_100_uv"] == 2
    assert told["own_baseline"] == 0


def test_figures_on_the_real_measurements(real_data: Path) -> None:
    """The target: onset within 30 s of the inflation in 85 % of those whose ST changes by more than 100 uV; recovery seen."""
    told = score_balloon(real_data / "staffiii_measures").to_dict()
    assert told["persons"] == 58
    assert told["above_100_uv"] >= 50
    assert told["onset_within_30_s"] >= 85.0
    assert told["onset_within_30_s_own_baseline"] >= 85.0
    assert told["recovery_seen"] >= 90.0
    assert told["sham_response"] <= 7.0
