"""Each step does its own job: switched off, one of these fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Analysis, MedianBeat
from ecgspasm.processing.decode import Found, Wave
from ecgspasm.processing.refine import refine
from ecgspasm.processing.spans import Integral
from ecgspasm.serial.confounders import confounders

MADE = es.simulate.ecg(fs=500, seed=31, noise_uv=6.0, rr_sd_ms=10.0)
GOOD = MADE.ecg


@pytest.fixture(scope="module")
def good() -> Analysis:
    return es.analyze(GOOD)


def median_of(analysis: Analysis) -> MedianBeat:
    assert analysis.median is not None
    return analysis.median


def with_added(lead: str, added: np.ndarray) -> es.Ecg:
    signal = GOOD.signal_uv.copy()
    signal[GOOD.index(lead)] += added
    return replace(GOOD, signal_uv=signal)


def bumps(centres: np.ndarray, height: float, width_ms: float) -> np.ndarray:
    time = np.arange(GOOD.signal_uv.shape[1])
    width = width_ms / 2.0
    return np.asarray((height * np.exp(-0.5 * ((time[:, None] - centres) / width) ** 2)).sum(axis=1))


def test_a_beat_disturbed_in_its_st_segment_is_left_out(good: Analysis) -> None:
    r = good.beats.r_sample[5]
    spoilt = es.analyze(with_added("V4", bumps(np.array([r + 70.0]), 600.0, 60.0)))
    assert spoilt.beats.kind[5] == "unusable"
    assert spoilt.beats.reason[5] == "ST-T disturbed by movement or noise"
    assert spoilt.measurements.get("st_j80_uv", "V4") == pytest.approx(good.measurements.get("st_j80_uv", "V4"), abs=6.0)


def test_a_premature_beat_of_the_same_shape_is_left_out(good: Analysis) -> None:
    cut = int(good.beats.r_sample[5]) + 230  # from the end of T to 200 ms before the next P: the next beat comes early
    early = replace(GOOD, signal_uv=np.delete(GOOD.signal_uv, np.s_[cut - 30 : cut + 95], axis=1))
    beats = es.analyze(early).beats
    assert beats.kind[6] == "ectopic"
    assert beats.reason[6].startswith("premature: ")


def test_a_noisy_lead_is_refused_and_the_others_are_not() -> None:
    noise = np.random.default_rng(3).normal(0, 900.0, GOOD.signal_uv.shape[1])
    states = dict(zip(GOOD.leads, es.analyze(with_added("V3", noise)).measurements.state, strict=True))
    assert states.pop("V3") == "not_measurable: no heartbeat repeats in this lead"
    assert set(states.values()) == {"measured"}


def test_qtc_is_fridericias(good: Analysis) -> None:
    found = good.measurements
    assert found.qtc_ms == pytest.approx(found.qt_ms / (60.0 / found.rate_bpm) ** (1 / 3))


def test_a_second_lobe_makes_t_biphasic(good: Analysis) -> None:
    peaks = good.delineation.t.peak[GOOD.index("V2")]
    peaks = peaks[np.isfinite(peaks)]
    down_after = with_added("V2", bumps(peaks + 40, -420.0, 60.0))
    found = es.analyze(down_after)
    assert found.measurements.t_shape[GOOD.index("V2")] == "positive-negative"
    shapes = found.delineation.t_shape[GOOD.index("V2")]
    assert (shapes == "positive-negative").mean() > 0.6


def test_p_waves_beyond_one_a_beat_have_rows_of_their_own(good: Analysis) -> None:
    extra = tuple(np.array([[600.0, 620.0, 640.0]]) for _ in good.delineation.leads)
    frame = replace(good.delineation, extra_p=extra).to_frame()
    rows = frame[(frame["wave"] == "P") & (frame["peak"] == 620)]
    assert list(rows["lead"]) == list(good.delineation.leads)


def test_refinement_draws_a_peak_towards_the_summit() -> None:
    time = np.arange(1000)
    signal = 300.0 * np.exp(-0.5 * ((time - 500) / 25.0) ** 2)[None]
    nothing = Wave(np.full((1, 1), np.nan), np.full((1, 1), np.nan), np.full((1, 1), np.nan), np.zeros(1))
    t = Wave(np.array([[440.0]]), np.array([[508.0]]), np.array([[560.0]]), np.ones(1))
    one = np.array([300.0])
    refined = refine(Found(one, nothing, nothing, t, nothing, one, one), Integral(signal), 500.0).t.peak[0, 0]
    assert 500.0 < refined < 506.0


def test_the_last_bits_do_not_tell_which_of_two_equal_tangents_is_taken() -> None:
    """What the net finds differs by 0.00001 samples from processor to processor."""
    time = np.arange(1000)
    nothing = Wave(np.full((1, 1), np.nan), np.full((1, 1), np.nan), np.full((1, 1), np.nan), np.zeros(1))
    one = np.array([300.0])

    def refined(step_uv: float, off: float) -> np.ndarray:
        signal = np.round(100.0 * np.exp(-0.5 * ((time - 500) / 25.0) ** 2)[None] / step_uv) * step_uv
        wave = Wave(np.array([[440.0 + off]]), np.array([[508.0 - off]]), np.array([[560.0 + off]]), np.ones(1))
        t = refine(Found(one, nothing, nothing, wave, nothing, one, one), Integral(signal), 500.0).t
        return np.array([t.onset, t.peak, t.offset])

    for step_uv in (5.0, 10.0, 20.0, 25.0, 50.0):
        for off in (-2e-5, -1e-5, 1e-5, 2e-5):
            assert np.abs(refined(step_uv, off) - refined(step_uv, 0.0)).max() < 0.001, (step_uv, off)


def test_a_fiducial_found_elsewhere_is_no_change(good: Analysis) -> None:
    """Both median beats are aligned on the QRS complex itself, not on the mark that was put in it."""
    median = median_of(good)
    moved = replace(good, median=replace(median, r_sample=median.r_sample + 9))
    change = es.compare(good, moved)
    for name in ("st_j_uv", "st_j60_uv", "t_uv"):
        assert np.abs(change.changes[name].difference).max() < 1e-6
    assert change.aligned is not None
    assert change.aligned.qrs_correlation == pytest.approx(1.0)


def test_a_j_point_found_elsewhere_is_no_change(good: Analysis) -> None:
    """The same J offset for both: 10 ms between the two J points would otherwise be taken for a change of ST."""
    median = median_of(good)
    moved = replace(good, median=replace(median, j=median.j - 5))
    change = es.compare(good, moved)
    for name in ("st_j_uv", "st_j60_uv"):
        assert np.array_equal(change.changes[name].difference, np.zeros(12))


def test_each_ecg_keeps_its_own_intervals_in_the_dictionary(good: Analysis) -> None:
    median = median_of(good)
    wider = replace(good, measurements=replace(good.measurements, qrs_ms=140.0), median=replace(median, j=median.j + 20))
    told = es.compare(good, wider).to_dict()
    assert told["baseline"]["qrs_ms"] == pytest.approx(good.measurements.qrs_ms, abs=0.1)
    assert told["current"]["qrs_ms"] == 140.0


def test_confounders_name_width_and_change_of_conduction(good: Analysis) -> None:
    change = es.compare(good, good)
    assert change.aligned is not None
    narrow = good.measurements
    wide = replace(narrow, qrs_ms=narrow.qrs_ms + 45.0)
    assert confounders(narrow, narrow, change.aligned, change.leads, change.state) == {}
    assert set(confounders(narrow, wide, change.aligned, change.leads, change.state)) == {"wide-qrs", "changed-conduction"}


def swapped(first: str, second: str) -> es.Ecg:
    """The recording with two limb electrodes exchanged: R, L, F are the electrodes' potentials."""
    i, ii = GOOD["I"], GOOD["II"]
    at = {"RA": -(i + ii) / 3, "LA": (2 * i - ii) / 3, "LL": (2 * ii - i) / 3}
    at[first], at[second] = at[second], at[first]
    keep = [GOOD.index(lead) for lead in ("V1", "V2", "V3", "V4", "V5", "V6")]
    signal = np.vstack([at["LA"] - at["RA"], at["LL"] - at["RA"], GOOD.signal_uv[keep]])
    return es.Ecg(signal_uv=signal, fs=GOOD.fs, leads=("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")).with_derived_leads()


@pytest.mark.parametrize(("first", "second"), [("LA", "RA"), ("RA", "LL"), ("LA", "LL")])
def test_swapped_limb_cables_are_named_and_never_new_ischemia(good: Analysis, first: str, second: str) -> None:
    change = es.compare(good, swapped(first, second))
    assert f"({first}/{second})" in change.confounders["changed-leads"]
    assert {finding.verdict for finding in change.findings} == {"UNDECIDED"}


def test_swapped_and_inverted_chest_leads_are_named(good: Analysis) -> None:
    signal = GOOD.signal_uv.copy()
    one, other = GOOD.index("V1"), GOOD.index("V5")
    signal[[one, other]] = signal[[other, one]]
    assert "V1 and V5 exchanged" in es.compare(good, replace(GOOD, signal_uv=signal)).confounders["changed-leads"]
    signal = GOOD.signal_uv.copy()
    signal[other] *= -1
    assert "V5 turned upside down" in es.compare(good, replace(GOOD, signal_uv=signal)).confounders["changed-leads"]


@pytest.mark.parametrize("gain", [0.1, 0.5, 2.0, 10.0])
def test_another_gain_is_named(good: Analysis, gain: float) -> None:
    change = es.compare(good, replace(GOOD, signal_uv=GOOD.signal_uv * gain))
    assert "changed-gain" in change.confounders
    assert not [finding for finding in change.findings if finding.verdict == "MET"]


def test_the_largest_st_change_is_not_taken_for_another_qrs(good: Analysis) -> None:
    huge = es.simulate.ecg(fs=500, seed=32, noise_uv=6.0, st_uv=dict.fromkeys(("V1", "V2", "V3", "V4"), 1500.0)).ecg
    change = es.compare(good, huge)
    assert "changed-leads" not in change.confounders
    assert "new-st-elevation" in {finding.criterion for finding in change.findings if finding.verdict == "MET"}


@pytest.mark.parametrize("n_sines", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_fibrillation_gives_no_st_value(n_sines: int, seed: int) -> None:
    rng = np.random.default_rng([n_sines, seed])
    time = np.arange(5000) / 500.0
    signal = np.zeros((12, 5000))
    for _ in range(n_sines):
        drift = 0.5 * np.sin(2 * np.pi * 0.2 * time + rng.uniform(0, 6))
        phase = 2 * np.pi * np.cumsum(rng.uniform(4, 7) + drift) / 500.0
        signal += rng.normal(0, 300, (12, 1)) * np.sin(phase + rng.normal(0, 0.5, (12, 1)))
    found = es.analyze(es.Ecg(signal_uv=signal, fs=500, leads=GOOD.leads)).measurements
    assert all(state.startswith("not_measurable: ") for state in found.state)


def test_intervals_cover_the_truth() -> None:
    """95 % intervals of the measurement alone, 40 pairs at 25 uV of muscle noise: neither too narrow nor needlessly wide."""
    inside, half = [], []
    for seed in range(40):
        first, second = (es.simulate.ecg(fs=500, seed=each, noise_uv=25.0) for each in (2 * seed, 2 * seed + 1))
        change = es.compare(first.ecg, second.ecg).changes["st_j60_uv"]
        true = second.truth.st_j60_uv - first.truth.st_j60_uv
        inside += list(np.abs(change.difference - true) <= 1.96 * change.measurement_se)
        half += list(1.96 * change.measurement_se)
    assert 0.92 < np.mean(inside) < 0.99
    assert np.median(half) < 25.0


def test_delineation_rows_keep_their_order_and_stay_inside() -> None:
    for seed in range(6):
        ecg = es.simulate.ecg(fs=500, seed=seed, rate_bpm=60 + 20 * seed, noise_uv=20.0).ecg
        frame = es.delineate(ecg).to_frame()
        assert list(frame.columns) == ["lead", "beat", "wave", "onset", "peak", "offset"]
        assert set(frame["wave"]) == {"P", "QRS", "T"}
        check_rows(frame, ecg.signal_uv.shape[1])


def check_rows(frame: object, n_samples: int) -> None:
    there = frame.dropna(subset=["peak"])  # type: ignore[attr-defined]
    assert not (there["onset"] > there["peak"]).any()
    assert not (there["peak"] > there["offset"]).any()
    times = there[["onset", "peak", "offset"]]
    assert times.min().min() >= 0
    assert times.max().max() <= n_samples - 1
