"""Signals that cannot be measured: refused in one line, or marked with the reason. Nothing invented, nothing dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import ecgspasm as es

GOOD = es.simulate.ecg(fs=500, seed=21, noise_uv=5.0).ecg


def with_lead(lead: str, values: object) -> es.Ecg:
    signal = GOOD.signal_uv.copy()
    signal[GOOD.index(lead)] = values
    return replace(GOOD, signal_uv=signal)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"signal_uv": np.zeros((2, 100)), "fs": 500, "leads": ["I"]}, "2 rows but 1 lead names"),
        ({"signal_uv": np.zeros((5000, 2)), "fs": 500, "leads": ["I", "II"]}, "transpose"),
        ({"signal_uv": np.zeros(100), "fs": 500, "leads": ["I"]}, "two: (lead, sample)"),
        ({"signal_uv": np.zeros((1, 100)), "fs": 0, "leads": ["I"]}, "give the sampling rate in Hz"),
        ({"signal_uv": np.zeros((1, 100)), "fs": float("nan"), "leads": ["I"]}, "give the sampling rate in Hz"),
        ({"signal_uv": np.zeros((1, 100)), "fs": "fast", "leads": ["I"]}, "must be numbers"),
        ({"signal_uv": np.zeros((1, 100)), "fs": 500, "leads": ["pleth"]}, "unknown lead name 'pleth'"),
        ({"signal_uv": np.zeros((2, 100)), "fs": 500, "leads": ["II", "ii"]}, "lead II is given twice"),
        ({"signal_uv": np.full((1, 100), np.inf), "fs": 500, "leads": ["I"]}, "infinite"),
        ({"signal_uv": np.zeros((0, 100)), "fs": 500, "leads": []}, "no lead"),
        ({"signal_uv": [["a"]], "fs": 500, "leads": ["I"]}, "must be numbers"),
        ({"signal_uv": np.zeros((1, 100), dtype=complex), "fs": 500, "leads": ["I"]}, "the signal is complex"),
        ({"signal_uv": np.zeros((1, 100)), "fs": 500, "leads": [1]}, "give a list of lead names"),
        ({"signal_uv": np.zeros((1, 100)), "fs": 500, "leads": None}, "give a list of lead names"),
        ({"signal_uv": np.zeros((1, 100)), "fs": 500, "leads": ["I"], "derived": None}, "give a list of lead names"),
        ({"signal_uv": np.zeros((1, 100)), "fs": 500, "leads": ["I"], "subject": {"age": 3}}, "give ecgspasm.Subject"),
    ],
)
def test_an_impossible_ecg_is_refused_in_one_line(kwargs: dict[str, object], said: str) -> None:
    with pytest.raises(es.EcgError) as caught:
        es.Ecg(**kwargs)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_seconds_are_too_short() -> None:
    short = replace(GOOD, signal_uv=GOOD.signal_uv[:, :1000])
    for call in (es.analyze, es.delineate):
        with pytest.raises(es.EcgError, match=r"lasts 2 s; at least 2\.5 s"):
            call(short)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (0.0, "flat line"),
        (np.nan, "no sample"),
        (np.where(np.arange(5000) < 2000, np.nan, 100.0), "40 % of the samples are missing"),
        (np.where(np.arange(5000) % 50 < 25, 2500.0, -2500.0), "saturated"),
        (np.linspace(-40000, 40000, 5000), "more than a heart gives"),
    ],
)
def test_a_bad_lead_is_marked_and_the_others_are_measured(values: object, reason: str) -> None:
    found = es.analyze(with_lead("V3", values)).measurements
    states = dict(zip(found.leads, found.state, strict=True))
    assert reason in states.pop("V3")
    assert set(states.values()) == {"measured"}
    assert np.isnan(found.get("st_j_uv", "V3"))
    frame = es.delineate(with_lead("V3", values)).to_frame()
    assert frame[frame["lead"] == "V3"]["peak"].isna().all()


def test_a_clipped_lead_shows_when_but_not_how_much() -> None:
    clipped = with_lead("V3", np.clip(GOOD["V3"], -400.0, 400.0))
    found = es.analyze(clipped)
    assert found.measurements.state[GOOD.index("V3")].startswith("not_measurable: clipped: ")
    assert np.isnan(found.measurements.get("t_uv", "V3"))
    assert np.isfinite(found.delineation.qrs.peak[GOOD.index("V3")]).mean() > 0.8


def test_a_single_spike_does_not_cost_the_lead() -> None:
    spike = np.zeros(5000)
    spike[2600:2604] = 45000.0
    found = es.analyze(with_lead("V3", GOOD["V3"] + spike)).measurements
    assert found.state[GOOD.index("V3")] == "measured"
    assert found.get("t_uv", "V3") == pytest.approx(es.analyze(GOOD).measurements.get("t_uv", "V3"), abs=15.0)


def test_a_short_gap_costs_its_beats_only() -> None:
    signal = GOOD.signal_uv.copy()
    signal[GOOD.index("V2"), 2000:2200] = np.nan
    analysis = es.analyze(replace(GOOD, signal_uv=signal))
    assert set(analysis.measurements.state) == {"measured"}
    assert "samples are missing in this beat" in set(analysis.beats.reason)
    whole = es.analyze(GOOD).measurements
    assert analysis.measurements.get("t_uv", "V2") == pytest.approx(whole.get("t_uv", "V2"), abs=10)


def test_millivolts_are_not_taken_for_microvolts() -> None:
    found = es.analyze(replace(GOOD, signal_uv=GOOD.signal_uv / 1000.0)).measurements
    assert all("in mV instead of uV" in state for state in found.state)


@pytest.mark.parametrize("seed", range(10))
def test_noise_gives_no_st_value(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 150, (12, 5000))
    found = es.analyze(es.Ecg(signal_uv=noise, fs=500, leads=GOOD.leads)).measurements
    assert all(state.startswith("not_measurable") for state in found.state)


def test_all_leads_flat_is_not_measurable_and_not_nothing_found() -> None:
    change = es.compare(GOOD, es.Ecg(signal_uv=np.zeros((12, 5000)), fs=500, leads=GOOD.leads))
    assert not change.comparable
    assert change.verdict.startswith("NOT COMPARABLE: current: flat line")
    assert {finding.verdict for finding in change.findings} == {"UNDECIDED"}


def test_one_lead_is_measured_and_the_verdict_stays_open() -> None:
    one = es.Ecg(signal_uv=GOOD["V2"][None], fs=500, leads=["V2"])
    change = es.compare(one, one)
    assert change.state == ("measured",)
    assert change.verdict.startswith("UNDECIDED")
    assert "not recorded" in change.verdict


def test_ecgs_without_a_common_lead_are_refused() -> None:
    one = es.Ecg(signal_uv=GOOD["V2"][None], fs=500, leads=["V2"])
    other = es.Ecg(signal_uv=GOOD["V3"][None], fs=500, leads=["V3"])
    with pytest.raises(es.EcgError, match="no lead in common: the baseline has V2; the current has V3"):
        es.compare(one, other)


@pytest.mark.parametrize(
    "call",
    [
        lambda: es.analyze(None),  # type: ignore[arg-type]
        lambda: es.delineate(GOOD.signal_uv),  # type: ignore[arg-type]
        lambda: es.compare("a.hea", "b.hea"),  # type: ignore[arg-type]
        lambda: es.analyze(es.simulate.ecg(fs=500, seed=1)),  # type: ignore[arg-type]
        lambda: es.load_criteria(5),  # type: ignore[arg-type]
        lambda: es.Subject(age="50"),  # type: ignore[arg-type]
        lambda: es.Subject(sex="m"),  # type: ignore[arg-type]
    ],
)
def test_something_else_than_an_ecg_is_refused_in_one_line(call: Callable[[], object]) -> None:
    with pytest.raises(es.EcgError) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_read_only_view_of_a_writable_array_is_copied() -> None:
    mine = np.ones((1, 2000))
    view = mine[:]
    view.setflags(write=False)
    ecg = es.Ecg(signal_uv=view, fs=500, leads=["V2"])
    mine[:] = 0.0
    assert ecg.signal_uv.min() == 1.0
