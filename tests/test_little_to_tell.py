"""Results with little in them still tell it: nothing measured, nothing found, a change from before the first event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.episode_chunks import read_chunks
from ecgspasm.benchmarks.sets import near_annotated_beats
from ecgspasm.benchmarks.truth import Truth, read_truth

CASE = es.simulate.index_case()
BEFORE, AFTER = CASE["baseline"].ecg, CASE["ergonovine"].ecg
FLAT = es.simulate.ecg(fs=250, seed=1, duration_s=60, leads=["V2"]).ecg
FLAT = replace(FLAT, signal_uv=np.zeros_like(FLAT.signal_uv))


def test_a_recording_without_a_beat_has_rows_of_nothing() -> None:
    found = es.monitor(FLAT)
    assert found.measured_s == 0.0
    assert np.isnan(found.trend.get("r_uv")).all()
    assert found.trend.get("r_uv").shape == (1, len(found.trend.time_s))
    assert "flat line" in str(found)
    assert found.verdict in found._repr_html_()


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[float] = []
    es.monitor(es.simulate.ecg(fs=250, seed=1, duration_s=90, leads=["V2"]).ecg, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_card_of_an_ecg_without_a_beat_has_no_curves() -> None:
    assert "<svg" in es.analyze(BEFORE)._repr_html_()
    assert "<svg" not in es.analyze(replace(BEFORE, signal_uv=np.zeros_like(BEFORE.signal_uv)))._repr_html_()


def test_a_change_from_before_the_first_event_is_told_as_such() -> None:
    found = es.provocation([(0, AFTER), (180, AFTER)], events=[(60, "ergonovine")], baseline=BEFORE)
    assert "before the event" in str(found) or found.verdict.startswith("CHANGED BEFORE the provocation")
    assert "MET" not in found.verdict.replace("NOT_MET", "")


def test_a_phase_in_which_nothing_could_be_measured_says_why() -> None:
    noisy = es.simulate.ecg(fs=500, seed=3, noise_uv=500.0).ecg
    found = es.provocation([(0, BEFORE), (180, noisy)], events=[(60, "ergonovine")])
    assert found.verdict.startswith("NOT MEASURED: ")
    assert "ergonovine (provoking): not measured: " in str(found)


@pytest.mark.parametrize(
    ("st_uv", "at_first_uv", "what"),
    [(-200.0, 0.0, "ST depression"), (200.0, 0.0, "ST elevation"), (-200.0, 350.0, "ST fall"), (200.0, -350.0, "ST rise")],
)
def test_a_change_is_named_by_where_it_goes_and_where_it_ends(st_uv: float, at_first_uv: float, what: str) -> None:
    leads = ("V2", "V3", "V4")

    def ecg(uv: float) -> es.Ecg:
        return es.simulate.ecg(fs=500, seed=4, st_uv=dict.fromkeys(leads, uv)).ecg

    times = [(0, ecg(at_first_uv)), (60, ecg(at_first_uv)), (180, ecg(at_first_uv + st_uv)), (240, ecg(at_first_uv + st_uv))]
    found = es.provocation(times, events=[(90, "ergonovine")])
    assert what in {each.what for each in found.responses}


# --- what benchmarks refuse ---------------------------------------------------------------------------------------------------


def chunks(folder: Path, uv: np.ndarray, start: np.ndarray, fs: float = 125.0) -> Callable[[], object]:
    np.savez(folder / "e1.npz", uV=uv, start=start, fs=fs, orig_fs=250.0, lead="V2")
    return lambda: read_chunks(folder, "e1")


@pytest.mark.parametrize(
    ("uv", "start", "fs"),
    [
        (np.zeros(8), np.zeros(8), 125.0),
        (np.zeros((2, 8)), np.zeros(3), 125.0),
        (np.zeros((0, 8)), np.zeros(0), 125.0),
        (np.zeros((1, 8)), -np.ones(1), 125.0),
        (np.zeros((1, 8)), np.zeros(1), 100.0),
    ],
)
def test_chunks_that_do_not_fit_their_starts_are_refused(tmp_path: Path, uv: np.ndarray, start: np.ndarray, fs: float) -> None:
    with pytest.raises(es.EcgError, match="give one start a chunk, from 0 on"):
        chunks(tmp_path, uv, start, fs)()


def test_a_record_with_one_annotated_beat_cannot_be_scored(tmp_path: Path) -> None:
    truth = Truth(waves={"QRS": np.array([[90.0, 100.0, 110.0]])}, first=90.0, last=110.0)  # type: ignore[call-arg]
    with pytest.raises(es.EcgError, match="fewer than two annotated beats"):
        near_annotated_beats({}, truth)
    with pytest.raises(es.EcgError, match=r"there is no annotation file x\.q1c"):
        read_truth(tmp_path / "x", "q1c")
