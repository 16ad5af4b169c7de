"""Amplitudes, areas and intervals of median beats that are drawn, so that every value is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ecgspasm.ecg import MEASURES, Measurements, MedianBeat, Subject, Waves
from ecgspasm.processing.measure import ST_NAMES, measure, nothing_measured

NAN = float("nan")
ONSET_MS, J_MS, T_ON_MS, T_OFF_MS, P_ON_MS, P_OFF_MS = 300.0, 400.0, 480.0, 680.0, 120.0, 220.0
RR_MS = 1000.0
LENGTH_MS = 900


def waves(onset: Any, peak: Any, offset: Any) -> Waves:
    return Waves(*(np.array(each, dtype=float).reshape(-1, 1) for each in (onset, peak, offset)))


def drawn(*leads: dict[str, float], fs: float = 1000.0, **changes: Any) -> MedianBeat:
    """Leads drawn from straight lines, so much uV each; `level` is added to all.

    P is a triangle over 120 to 220 ms, QRS is q, r, s at 320, 350, 380 ms with straight lines between, ST a plateau from 380 ms
    on that T, a triangle over 480 to 680 ms, stands on; `t2` is a second lobe; U is a triangle over 716 to 784 ms.
    """
    time = np.arange(0.0, LENGTH_MS, 1000.0 / fs)
    rows = []
    for lead in leads:
        st = lead.get("st", 0.0)
        row = np.interp(time, [0, 120, 170, 220, 300, 310, 320, 350, 379, 380, 690, 716, 750, 784],
                        [0, 0, lead.get("p", 0.0), 0, 0, 0, -lead.get("q", 0.0), lead.get("r", 0.0), -lead.get("s", 0.0),
                         st, st, 0, lead.get("u", 0.0), 0])  # fmt: skip
        middle = 580 if "t2" not in lead else 530
        row = row + np.interp(time, [480, middle, 580 if "t2" in lead else 680, 680], [0, lead.get("t", 0.0), 0, 0])
        row = row + np.interp(time, [580, 630, 680], [0, lead.get("t2", 0.0), 0])
        rows.append(row + lead.get("level", 0.0) + lead.get("slope", 0.0) * np.maximum(time - 380, 0) * (time < 480))
    n, per_ms = len(leads), fs / 1000.0
    given: dict[str, Any] = {
        "leads": tuple(("I", "II", "V1", "V2", "V3", "V4")[:n]),
        "fs": fs,
        "signal_uv": np.array(rows),
        "r_sample": 350.0 * per_ms,
        "noise_uv": np.zeros(n),
        "calm_noise_uv": np.zeros(n),
        "n_beats": 9,
        "qrs_onset": ONSET_MS * per_ms,
        "j": J_MS * per_ms,
        "j_se_ms": 0.0,
        "p": waves([P_ON_MS * per_ms] * n, [170.0 * per_ms] * n, [P_OFF_MS * per_ms] * n),
        "qrs": waves([ONSET_MS * per_ms] * n, [350.0 * per_ms] * n, [J_MS * per_ms] * n),
        "t": waves([T_ON_MS * per_ms] * n, [580.0 * per_ms] * n, [T_OFF_MS * per_ms] * n),
        "p_shape": np.full((n, 1), "positive"),
        "t_shape": np.full((n, 1), "positive"),
        "u_peak": np.full((n, 1), NAN),
    }
    return MedianBeat(**(given | changes))


def measured(median: MedianBeat, quality: tuple[str, ...] | None = None, **asked: Any) -> Measurements:
    return measure(median, quality or ("",) * len(median.leads), rr_ms=asked.pop("rr_ms", RR_MS), subject=Subject(), **asked)


def value(found: Measurements, name: str, row: int = 0) -> float:
    return float(found.values[name][row])


BEAT = {"p": 150.0, "q": 80.0, "r": 1000.0, "s": 300.0, "st": 120.0, "t": 400.0}
RATES = pytest.mark.parametrize("fs", [500.0, 1000.0, 2000.0])


@RATES
def test_what_was_drawn_is_measured(fs: float) -> None:
    found = measured(drawn(BEAT, fs=fs))
    near = pytest.approx
    for name in ST_NAMES.values():
        # T begins within the 8 ms around J + 80 ms
        assert value(found, name) == near(124.0 if name == "st_j80_uv" else 120.0, abs=1.1 if name == "st_j80_uv" else 0.1)
    assert value(found, "q_uv") == near(-80.0, abs=8.0)
    assert value(found, "r_uv") == near(1000.0, abs=1.0)
    assert value(found, "s_uv") == near(-300.0, abs=50.0)
    # smoothed over 12 ms, the tip of a triangle loses a quarter of its rise in that time at most
    assert value(found, "t_uv") == near(520.0, abs=14.0)
    assert value(found, "t_uv") < 520.0
    # the tip of 150 is smoothed over 12 ms, and so is the line from end to end
    assert value(found, "p_positive_uv") == near(135.5, abs=1.5)
    assert value(found, "p_negative_uv") == near(0.0, abs=1e-6)
    assert value(found, "t_net_uv") == value(found, "t_positive_uv") == value(found, "t_uv")
    assert value(found, "t_negative_uv") == 0.0
    assert np.isnan(value(found, "u_uv"))
    assert value(found, "st_slope_uv_per_s") == near((value(found, "st_j80_uv") - 120.0) / 0.060, abs=2.0)
    # 280 ms of a plateau and a triangle on it
    assert value(found, "t_area_uv_ms") == near(120.0 * 280.0 + 400.0 * 200.0 / 2.0, rel=0.01)
    assert found.t_shape[0] == "positive"
    assert found.state == ("measured",)


@RATES
def test_intervals_are_in_ms_whatever_the_rate(fs: float) -> None:
    found = measured(drawn(BEAT, fs=fs), rr_ms=800.0)
    assert (found.qrs_ms, found.qt_ms, found.pr_ms, found.rate_bpm) == pytest.approx((100.0, 380.0, 180.0, 75.0))
    assert found.qtc_ms == pytest.approx(380.0 / 0.8 ** (1 / 3))
    assert found.n_beats == 9


@RATES
def test_a_mirrored_lead_has_mirrored_values(fs: float) -> None:
    turned = {name: -each for name, each in BEAT.items()}
    found = measured(drawn(BEAT, turned, fs=fs))
    for name in (*ST_NAMES.values(), "t_uv", "t_net_uv", "t_area_uv_ms", "qrs_area_uv_ms", "st_slope_uv_per_s"):
        assert value(found, name, 1) == pytest.approx(-value(found, name, 0), abs=1e-6)
    for name, other in (("t_positive_uv", "t_negative_uv"), ("p_positive_uv", "p_negative_uv")):
        assert value(found, name, 1) == pytest.approx(-value(found, other, 0), abs=1e-9)
        assert value(found, other, 1) == pytest.approx(-value(found, name, 0), abs=1e-9)
    assert list(found.t_shape) == ["positive", "negative"]


def test_levels_are_against_the_pr_level_wherever_the_lead_stands() -> None:
    plain, off = measured(drawn(BEAT)), measured(drawn(BEAT | {"level": 5000.0}))
    for name in MEASURES:
        assert value(off, name) == pytest.approx(value(plain, name), abs=1e-6, nan_ok=True)
    # the level is the mean over the last 16 ms before QRS onset
    median = drawn(BEAT)
    signal = np.array(median.signal_uv)
    signal[0, 285:300] += 32.0
    assert value(measured(replace(median, signal_uv=signal)), "st_j60_uv") == pytest.approx(120.0 - 32.0 * 15.0 / 16.0, abs=1.1)
    signal = np.array(median.signal_uv)
    signal[0, 240:283] += 500.0
    assert value(measured(replace(median, signal_uv=signal)), "st_j60_uv") == pytest.approx(120.0, abs=0.1)


@RATES
def test_a_sloping_st_segment_is_read_at_each_offset(fs: float) -> None:
    found = measured(drawn({"r": 1000.0, "slope": 2.0}, fs=fs))
    # a mean over 8 ms around the instant, at J over the 8 ms after it; the line begins at 380 ms
    for ms, name in ST_NAMES.items():
        if ms < 80:  # at 80 ms T begins
            expected = 2.0 * (20.0 + ms + (4.0 if ms == 0 else 0.0))
            assert value(found, name) == pytest.approx(expected, abs=0.3)
    signal = np.array(drawn({"r": 1000.0}, fs=fs).signal_uv)
    time = np.arange(signal.shape[1]) * 1000.0 / fs
    signal[0] += 3.0 * np.maximum(time - J_MS, 0.0)
    found = measured(replace(drawn({"r": 1000.0}, fs=fs), signal_uv=signal))
    assert value(found, "st_slope_uv_per_s") == pytest.approx(3000.0, rel=0.01)


@RATES
def test_the_error_of_st_is_that_of_noise_and_of_the_place_of_j(fs: float) -> None:
    signal = np.array(drawn({"r": 1000.0}, fs=fs).signal_uv)
    time = np.arange(signal.shape[1]) * 1000.0 / fs
    signal[0] += 3.0 * (time - J_MS)
    median = drawn({"r": 1000.0}, fs=fs, signal_uv=signal, noise_uv=np.array([4.0]), calm_noise_uv=np.array([9.0]), j_se_ms=1.0)
    found = measured(median, qrs_onset=median.qrs_onset)
    for name in ("st_j20_uv", "st_j40_uv", "st_j60_uv", "st_j80_uv"):
        assert found.se[name][0] == pytest.approx(5.0, rel=0.02)  # 3, 4, 5
    flat = measured(replace(median, signal_uv=np.array(drawn({"r": 4000.0}, fs=fs).signal_uv)))
    for name in ("q_uv", "r_uv", "s_uv", "p_positive_uv", "p_negative_uv", "st_j60_uv"):
        assert flat.se[name][0] == pytest.approx(4.0, rel=1e-6)
    for name in ("t_uv", "t_net_uv", "t_positive_uv", "t_negative_uv", "u_uv"):
        assert flat.se[name][0] == pytest.approx(1.4 * 4.0)
    assert flat.se["st_slope_uv_per_s"][0] == pytest.approx(np.hypot(4.0, 4.0) / 0.060)
    assert flat.se["qrs_area_uv_ms"][0] == pytest.approx(4.0 * 100.0)
    assert flat.se["t_area_uv_ms"][0] == pytest.approx(4.0 * 280.0)
    # the ends of T differ between the leads: their median counts
    three = drawn({"r": 4000.0}, {"r": 4000.0}, {"r": 4000.0}, noise_uv=np.full(3, 4.0))
    ends = waves([480.0] * 3, [580.0] * 3, [680.0, NAN, 640.0])
    assert measured(replace(three, t=ends)).se["t_area_uv_ms"][0] == pytest.approx(4.0 * 260.0)
    nowhere = waves([NAN] * 3, [NAN] * 3, [NAN] * 3)
    found = measured(replace(three, t=nowhere))
    assert np.isnan(found.se["t_area_uv_ms"]).all()
    assert np.isnan(found.values["t_area_uv_ms"]).all()
    assert np.isnan(found.qt_ms)
    assert list(found.t_shape) == ["absent"] * 3
    assert np.isnan(found.values["t_uv"]).all()
    assert found.state == ("measured",) * 3


# ---------------------------------------------------------------- T


@pytest.mark.parametrize(
    ("t", "t2", "shape", "signed"),
    [
        (300.0, -200.0, "positive-negative", "positive"),
        (-200.0, 300.0, "negative-positive", "positive"),
        (200.0, -300.0, "positive-negative", "negative"),
        (-300.0, 200.0, "negative-positive", "negative"),
        (400.0, -60.0, "positive", "positive"),
        (-400.0, 60.0, "negative", "negative"),
        (60.0, -45.0, "positive-negative", "positive"),
        (20.0, -18.0, "flat", "positive"),
        (-18.0, 20.0, "flat", "positive"),
    ],
)
@RATES
def test_the_lobes_of_t_and_their_order(fs: float, t: float, t2: float, shape: str, signed: str) -> None:
    found = measured(drawn({"r": 1000.0, "t": t, "t2": t2}, fs=fs))
    high, low = max(t, t2), min(t, t2)
    # a lobe over 100 ms smoothed over 12 ms
    assert value(found, "t_positive_uv") == pytest.approx(high, rel=0.09)
    assert value(found, "t_negative_uv") == pytest.approx(low, rel=0.09)
    assert value(found, "t_uv") == value(found, f"t_{signed}_uv")
    assert value(found, "t_net_uv") == pytest.approx(value(found, "t_positive_uv") + value(found, "t_negative_uv"))
    assert found.t_shape[0] == shape


def test_a_slope_at_an_end_of_t_is_no_lobe() -> None:
    # ST is down and rises into T: what lies below the level at the onset of T is no lobe of T
    median = drawn({"r": 1000.0, "t": 300.0})
    signal = np.array(median.signal_uv)
    time = np.arange(LENGTH_MS)
    signal[0] += np.interp(time, [380, 381, 480, 540], [0, -150, -150, 0]) * (time > 380)
    found = measured(replace(median, signal_uv=signal))
    assert value(found, "t_negative_uv") < -100.0
    assert found.t_shape[0] == "positive"


def test_t_is_not_looked_for_within_60_ms_of_j() -> None:
    median = drawn({"r": 1000.0, "t": 300.0}, t=waves([400.0], [580.0], [680.0]))
    signal = np.array(median.signal_uv)
    signal[0, 400:450] -= 250.0
    found = measured(replace(median, signal_uv=signal))
    assert found.t_shape[0] == "positive"
    assert value(found, "t_negative_uv") == pytest.approx(0.0, abs=1e-9)


def test_a_lead_without_edges_of_t_is_measured_where_the_others_have_theirs() -> None:
    three = drawn(BEAT, BEAT, BEAT)
    alone = measured(replace(three, t=waves([480.0, NAN, 480.0], [580.0] * 3, [680.0, NAN, 680.0])))
    assert np.allclose(alone.values["t_uv"], alone.values["t_uv"][0])
    assert list(alone.t_shape) == ["positive"] * 3


def test_t_ends_in_no_lead_much_later_than_in_the_median_one() -> None:
    three = drawn(BEAT, BEAT, BEAT)
    signal = np.array(three.signal_uv)
    signal[2, 760:780] -= 700.0
    ends = waves([480.0] * 3, [580.0] * 3, [680.0, 680.0, 800.0])
    found = measured(replace(three, signal_uv=signal, t=ends))
    assert found.t_shape[2] == "positive"
    signal = np.array(three.signal_uv)
    signal[2, 690:722] -= 700.0
    found = measured(replace(three, signal_uv=signal, t=ends))
    assert found.t_shape[2] == "positive-negative"


# ---------------------------------------------------------------- P, U, QRS


def test_p_and_u_are_heights_above_the_line_between_their_ends() -> None:
    ramp = np.arange(LENGTH_MS) * 1.5
    median = drawn({"r": 1000.0, "p": 150.0, "u": 80.0}, {"r": 1000.0, "p": -150.0, "u": -80.0}, u_peak=np.full((2, 1), 750.0))
    plain = measured(median)
    tilted = measured(replace(median, signal_uv=median.signal_uv + ramp))
    for name in ("p_positive_uv", "p_negative_uv", "u_uv"):
        assert np.allclose(tilted.values[name], plain.values[name], atol=1.2)
    assert np.allclose(plain.values["p_positive_uv"], [135.5, 0.0], atol=1.5)
    assert np.allclose(plain.values["p_negative_uv"], [0.0, -135.5], atol=1.5)
    assert np.allclose(plain.values["u_uv"], [73.0, -73.0], atol=2.0)


@pytest.mark.parametrize("edges", [(NAN, 220.0), (120.0, NAN), (220.0, 120.0), (150.0, 150.0)])
def test_without_both_ends_of_p_there_is_no_p(edges: tuple[float, float]) -> None:
    found = measured(drawn(BEAT, p=waves([edges[0]], [170.0], [edges[1]])))
    assert np.isnan(value(found, "p_positive_uv"))
    assert np.isnan(value(found, "p_negative_uv"))


def test_u_lies_between_t_and_the_next_p() -> None:
    def u_of(peak_ms: float, rr_ms: float = RR_MS, fs: float = 1000.0) -> float:
        peak = np.full((1, 1), peak_ms * fs / 1000.0)
        return value(measured(drawn({"r": 1000.0, "u": 80.0}, u_peak=peak, fs=fs), rr_ms=rr_ms), "u_uv")

    for fs in (500.0, 1000.0):
        assert u_of(750.0, fs=fs) == pytest.approx(73.0, abs=3.0)  # of 80, smoothed over 12 ms
        assert np.isnan(u_of(600.0, fs=fs))  # within T
        assert np.isnan(u_of(NAN, fs=fs))
        assert np.isnan(u_of(2000.0, fs=fs))
        # at a high rate the next P is there already
        assert np.isnan(u_of(750.0, rr_ms=450.0, fs=fs))


def test_q_lies_before_the_summit_and_s_after_it() -> None:
    for beat, q, s in (
        ({"q": 90.0, "r": 900.0}, -90.0, 0.0),
        ({"r": 900.0, "s": 90.0}, 0.0, -90.0),
        ({"r": -900.0}, -900.0, 0.0),
    ):
        found = measured(drawn(beat))
        if beat["r"] > 0:
            assert value(found, "q_uv") == pytest.approx(q, abs=1.0)
            assert value(found, "s_uv") == pytest.approx(s, abs=1.0)
            assert value(found, "r_uv") == 900.0
        else:
            assert value(found, "r_uv") == 0.0
            assert min(value(found, "q_uv"), value(found, "s_uv")) == -900.0


@RATES
def test_the_area_of_qrs_is_that_of_its_triangles(fs: float) -> None:
    found = measured(drawn({"r": 1000.0}, fs=fs))
    # from 320 to 350 and down to 379 ms
    assert value(found, "qrs_area_uv_ms") == pytest.approx(1000.0 * 59.0 / 2.0, rel=0.02)


def test_qrs_reaches_from_onset_to_j() -> None:
    # what lies outside of the two is no part of it
    median = drawn({"r": 500.0})
    signal = np.array(median.signal_uv)
    signal[0, 280] = 3000.0
    signal[0, 404] = -3000.0
    found = measured(replace(median, signal_uv=signal))
    assert value(found, "r_uv") < 1000.0
    assert value(found, "s_uv") > -1000.0


# ---------------------------------------------------------------- noise: longer spans


def noisy(share: float, **changes: Any) -> MedianBeat:
    """A beat of 1000 uV from onset to J whose level has a standard error of `share` of that."""
    return drawn(BEAT, noise_uv=np.array([1300.0 * share]), calm_noise_uv=np.array([0.5 * 1300.0 * share]), **changes)


def test_quiet_leads_are_measured_over_short_spans_and_noisy_ones_over_long_ones() -> None:
    wave = np.zeros((1, LENGTH_MS))
    wave[0, 262:282] = 100.0  # before the 16 ms, within 40 ms
    for share, calm in ((0.0, 0.0), (0.0014, 0.0), (0.0041, 1.0), (0.02, 1.0)):
        median = noisy(share)
        shift = value(measured(median), "st_j60_uv") - value(
            measured(replace(median, signal_uv=median.signal_uv + wave)), "st_j60_uv"
        )
        assert shift == pytest.approx(calm * 100.0 * 20.0 / 40.0, abs=0.5)
    half = noisy(0.5 * (0.0015 + 0.0040))
    shift = value(measured(half), "st_j60_uv") - value(measured(replace(half, signal_uv=half.signal_uv + wave)), "st_j60_uv")
    assert shift == pytest.approx(25.0, abs=2.0)


def test_noise_counts_against_the_largest_lead() -> None:
    small = {name: each / 100.0 for name, each in BEAT.items()}
    pair = drawn(BEAT, small, noise_uv=np.full(2, 1.0), calm_noise_uv=np.full(2, 0.2))
    assert np.allclose(measured(pair).se["st_j60_uv"], 1.0)
    alone = drawn(small, noise_uv=np.full(1, 1.0), calm_noise_uv=np.full(1, 0.2))
    assert np.allclose(measured(alone).se["st_j60_uv"], 0.2, atol=0.01)


def test_a_longer_span_never_makes_the_stated_error_larger() -> None:
    worse = replace(noisy(0.02), calm_noise_uv=np.array([500.0]))
    assert measured(worse).se["q_uv"][0] == pytest.approx(26.0)


def test_the_longer_span_ends_where_p_does() -> None:
    wave = np.zeros((1, LENGTH_MS))
    wave[0, 262:270] = 100.0
    late = noisy(0.02, p=waves([180.0], [230.0], [275.0]))
    free = noisy(0.02, p=waves([NAN], [NAN], [NAN]))
    early = noisy(0.02)
    over = noisy(0.02, p=waves([180.0], [230.0], [298.0]))
    for median, moved in ((late, 0.0), (free, 20.0), (early, 20.0), (over, 0.0)):
        shift = value(measured(median), "st_j60_uv") - value(
            measured(replace(median, signal_uv=median.signal_uv + wave)), "st_j60_uv"
        )
        assert shift == pytest.approx(moved, abs=0.5)


def test_smoothing_takes_noise_off_st_and_leaves_what_is_before_j() -> None:
    rng = np.random.default_rng(3)
    jagged = rng.normal(0.0, 20.0, (1, LENGTH_MS))
    jagged[:, : int(J_MS)] = 0.0
    errors = []
    for share in (0.0, 0.02):
        median = noisy(share)
        found = measured(replace(median, signal_uv=median.signal_uv + jagged))
        errors.append(np.mean([abs(value(found, name) - 120.0) for name in ("st_j20_uv", "st_j40_uv", "st_j60_uv")]))
        assert value(found, "r_uv") == 1000.0
        assert value(found, "s_uv") < -250.0
    assert errors[1] < 0.8 * errors[0]
    # a parabola is left as it is
    median = noisy(0.02)
    time = np.arange(LENGTH_MS) - J_MS
    curve = np.where(time >= 0, 0.002 * time**2, 0.0)
    straight = drawn({"r": 1300.0}, noise_uv=median.noise_uv, calm_noise_uv=median.calm_noise_uv)
    found = measured(replace(straight, signal_uv=straight.signal_uv + curve))
    assert value(found, "st_j60_uv") == pytest.approx(0.002 * 3600.0, abs=0.2)


# ---------------------------------------------------------------- what cannot be measured


def test_a_lead_that_cannot_be_measured_has_no_value_and_says_why() -> None:
    three = drawn(BEAT, BEAT, BEAT, noise_uv=np.array([0.0, 50.0, 50.1]), calm_noise_uv=np.array([0.0, 50.0, 50.1]))
    found = measured(three, ("flat", "", ""))
    assert found.state[0] == "not_measurable: flat"
    assert found.state[1] == "measured"
    assert found.state[2] == "not_measurable: too noisy: standard error of ST 50 uV"
    for values in (*found.values.values(), *found.se.values()):
        assert np.isnan(values[0])
        assert np.isnan(values[2])
    assert list(found.t_shape) == ["absent", "positive", "absent"]
    # one lead tells when waves begin and end
    assert (found.qrs_ms, found.rate_bpm) == (100.0, 60.0)
    none = measured(three, ("flat", "flat", "flat"))
    assert all(np.isnan(each) for each in (none.rate_bpm, none.pr_ms, none.qrs_ms, none.qt_ms, none.qtc_ms))


def before_qrs(start_ms: float, uv_per_ms: float) -> MedianBeat:
    """A beat whose level rises from `start_ms` to the onset of QRS at 300 ms, and stands there from then on."""
    flat = drawn(BEAT)
    time = np.arange(LENGTH_MS, dtype=float)
    return replace(flat, signal_uv=flat.signal_uv + uv_per_ms * np.clip(time - ONSET_MS, start_ms - ONSET_MS, 0.0))


@pytest.mark.parametrize(
    ("start_ms", "uv_per_ms", "rr_ms", "se_uv"),
    [
        (0.0, 6.0, 1000.0, 0.0),  # 48 uV between the halves of 16 ms are let pass
        (0.0, 8.0, 1000.0, 2.0 * (64.0 - 50.0)),
        (0.0, -8.0, 400.0, 2.0 * (64.0 - 50.0)),
        (0.0, 4.0, 400.0, 0.0),
        (0.0, 4.0, 399.0, 2.0 * (32.0 - 20.0)),
        (292.0, 17.0, 1000.0, 2.0 * (17.0 * 4.0 - 50.0)),  # only the second half rises
        (284.0, 8.0, 1000.0, 2.0 * (64.0 - 50.0)),  # what is before both halves does not count
    ],
)
def test_a_level_that_slopes_counts_as_error(start_ms: float, uv_per_ms: float, rr_ms: float, se_uv: float) -> None:
    found = measured(before_qrs(start_ms, uv_per_ms), rr_ms=rr_ms)
    assert found.state == ("measured",)
    assert found.se["st_j60_uv"][0] == pytest.approx(se_uv, abs=0.6)


def test_where_no_level_can_be_told_no_lead_is_measured() -> None:
    found = measured(drawn(BEAT, BEAT, signal_uv=np.full((2, LENGTH_MS), NAN)), ("", "flat"))
    assert found.state == ("not_measurable: QRS onset or J not found", "not_measurable: flat")


def test_an_ecg_without_a_beat_says_so_in_every_lead() -> None:
    subject = Subject(sex="female", age=40)
    found = nothing_measured(("I", "II"), ("flat", ""), "no beat", subject, ("II",))
    assert found.state == ("not_measurable: flat", "not_measurable: no beat")
    assert set(found.values) == set(MEASURES)
    assert all(np.isnan(each).all() and each.shape == (2,) for each in found.values.values())
    assert all(np.isnan(each) for each in (found.rate_bpm, found.pr_ms, found.qrs_ms, found.qt_ms, found.qtc_ms))
    assert list(found.t_shape) == ["absent", "absent"]
    assert (found.n_beats, found.subject, found.derived, dict(found.se)) == (0, subject, ("II",), {})


def test_intervals_of_leads_that_differ() -> None:
    four = drawn(BEAT, BEAT, BEAT, BEAT, t=waves([480.0] * 4, [580.0] * 4, [600.0, 640.0, NAN, 700.0]),
                 p=waves([100.0, 104.0, 108.0, NAN], [170.0] * 4, [220.0] * 4))  # fmt: skip
    found = measured(four)
    assert found.qt_ms == pytest.approx(640.0 - 300.0)
    assert found.pr_ms == pytest.approx(300.0 - 102.0)  # a quarter of the way up
    assert value(found, "t_area_uv_ms") == pytest.approx(
        measured(drawn(BEAT, t=waves([480.0], [580.0], [640.0]))).values["t_area_uv_ms"][0]
    )
    gone = measured(replace(four, p=waves([NAN] * 4, [NAN] * 4, [NAN] * 4)))
    assert np.isnan(gone.pr_ms)


def test_a_beat_is_measured_where_it_is_told_to() -> None:
    median = drawn({"r": 1000.0, "slope": 2.0})
    moved = measured(median, j=410.0)
    assert value(moved, "st_j_uv") - value(measured(median), "st_j_uv") == pytest.approx(20.0, abs=0.2)
    assert moved.qrs_ms == 110.0
    earlier = measured(median, qrs_onset=290.0)
    assert (earlier.qrs_ms, earlier.qt_ms, earlier.pr_ms) == (110.0, 390.0, 170.0)
    assert measured(median, derived=("II",)).derived == ("II",)


def test_values_cannot_be_written_to() -> None:
    found = measured(drawn(BEAT))
    for values in (*found.values.values(), *found.se.values()):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0


# ---------------------------------------------------------------- where a span begins and ends


def zero(fs: float = 1000.0, **changes: Any) -> MedianBeat:
    return drawn({}, fs=fs, **changes)


def lifted(median: MedianBeat, at: slice | int, size: float) -> MedianBeat:
    signal = np.array(median.signal_uv)
    signal[0, at] += size
    return replace(median, signal_uv=signal)


def test_qrs_ends_with_the_sample_at_j() -> None:
    assert value(measured(lifted(zero(), 400, 700.0)), "r_uv") == 700.0
    assert value(measured(lifted(zero(), 401, 700.0)), "r_uv") == 0.0
    # the shortest that is looked at has three samples
    for at, size in ((302, 700.0), (303, 0.0)):
        assert value(measured(lifted(zero(), at, 700.0), j=301.0), "r_uv") == size
    # it also tells whether a lead is noisy
    for at, se in ((400, 1.0), (401, 0.2)):
        median = lifted(zero(noise_uv=np.array([1.0]), calm_noise_uv=np.array([0.2])), at, 2000.0)
        assert measured(median).se["r_uv"][0] == pytest.approx(se)
    for at, se in ((302, 1.0), (303, 0.2)):
        median = lifted(zero(noise_uv=np.array([1.0]), calm_noise_uv=np.array([0.2])), at, 2000.0)
        assert measured(median, j=301.0).se["r_uv"][0] == pytest.approx(se)


def test_a_qrs_complex_above_the_level_has_neither_q_nor_s() -> None:
    found = measured(drawn({"r": 900.0}))
    assert (value(found, "q_uv"), value(found, "s_uv")) == (0.0, 0.0)


@pytest.mark.parametrize("fs", [500.0, 1000.0])
def test_u_is_measured_against_a_line_between_two_known_instants(fs: float) -> None:
    def u_of(rr_ms: float, length_ms: float) -> float:
        time = np.arange(0.0, length_ms, 1000.0 / fs)
        step = np.where(time >= 800.0, 100.0, 0.0)[None]
        median = zero(fs=fs, signal_uv=step, u_peak=np.full((1, 1), 750.0 * fs / 1000.0))
        return value(measured(median, rr_ms=rr_ms), "u_uv")

    # from 30 ms after T (710 ms) to 260 ms after it, to 10 ms before the next P, or to the last sample of the beat
    assert u_of(1000.0, 1200.0) == pytest.approx(-100.0 * 40.0 / 230.0)
    assert u_of(700.0, 1200.0) == pytest.approx(-100.0 * 40.0 / 140.0)
    assert u_of(1000.0, 900.0) == pytest.approx(-100.0 * 40.0 / (900.0 - 1000.0 / fs - 710.0))


def test_a_peak_of_u_beyond_the_last_sample_is_none() -> None:
    assert np.isfinite(value(measured(zero(u_peak=np.full((1, 1), 899.4))), "u_uv"))
    assert np.isnan(value(measured(zero(u_peak=np.full((1, 1), 899.6))), "u_uv"))


def test_what_is_smoothed_over_12_ms_takes_13_samples() -> None:
    assert value(measured(drawn({"p": 150.0})), "p_positive_uv") == pytest.approx(135.4615, abs=0.001)
    found = measured(lifted(zero(), 580, 1300.0))
    assert value(found, "t_uv") == pytest.approx(100.0)


def test_edges_of_t_that_are_missing_are_the_medians_of_the_others() -> None:
    onsets, offsets = [470.0, NAN, 480.0, 500.0], [660.0, NAN, 670.0, 720.0]
    four = drawn(*[{"r": 1000.0}] * 4, t=waves(onsets, [580.0] * 4, offsets))
    for span, seen in ((slice(488, 494), True), (slice(466, 472), False), (slice(660, 664), True), (slice(690, 700), False)):
        signal = np.array(four.signal_uv)
        signal[1, span] += 900.0
        assert (value(measured(replace(four, signal_uv=signal)), "t_positive_uv", 1) > 100.0) is seen, span


@RATES
def test_t_ends_45_ms_after_the_median_one_at_any_rate(fs: float) -> None:
    per_ms = fs / 1000.0
    ends = waves([480.0 * per_ms] * 3, [580.0 * per_ms] * 3, [680.0 * per_ms, 680.0 * per_ms, 850.0 * per_ms])
    three = drawn({"r": 1000.0}, {"r": 1000.0}, {"r": 1000.0}, fs=fs, t=ends)
    for at_ms, seen in ((715.0, True), (740.0, False)):
        signal = np.array(three.signal_uv)
        signal[2, round((at_ms - 6.0) * per_ms) : round((at_ms + 6.0) * per_ms)] += 500.0
        assert (value(measured(replace(three, signal_uv=signal)), "t_positive_uv", 2) > 100.0) is seen


def test_a_slope_at_the_end_of_t_is_no_lobe_either() -> None:
    median = drawn({"r": 1000.0, "t": 300.0})
    time = np.arange(LENGTH_MS)
    falling = np.interp(time, [620, 720], [0.0, -250.0]) * (time < 760)
    found = measured(replace(median, signal_uv=median.signal_uv + falling))
    assert value(found, "t_negative_uv") < -100.0
    assert found.t_shape[0] == "positive"


def test_a_noisy_lead_may_stand_off_too() -> None:
    plain = measured(noisy(0.02))
    for fs in (500.0, 1000.0):
        off = measured(drawn(BEAT | {"level": 4000.0}, fs=fs, noise_uv=np.array([26.0]), calm_noise_uv=np.array([13.0])))
        for name in ("st_j60_uv", "r_uv", "t_uv"):
            assert value(off, name) == pytest.approx(value(plain, name), abs=3.0)
    wave = np.zeros((1, 450))
    wave[0, 131:141] = 100.0  # 262 to 282 ms at 500 Hz
    half = noisy(0.02, fs=500.0)
    shift = value(measured(half), "st_j60_uv") - value(measured(replace(half, signal_uv=half.signal_uv + wave)), "st_j60_uv")
    assert shift == pytest.approx(50.0, abs=0.5)


def test_the_median_end_of_p_and_of_t_counts_not_the_mean() -> None:
    three = drawn(BEAT, BEAT, BEAT, noise_uv=np.full(3, 26.0), calm_noise_uv=np.full(3, 13.0))
    ends = waves([120.0] * 3, [170.0] * 3, [200.0, 272.0, 299.0])
    wave = np.zeros((3, LENGTH_MS))
    wave[:, 262:270] = 100.0
    early = replace(three, p=ends)
    shift = measured(early).values["st_j60_uv"] - measured(replace(early, signal_uv=early.signal_uv + wave)).values["st_j60_uv"]
    assert np.allclose(shift, 0.0, atol=0.5)
    late = replace(three, t=waves([480.0] * 3, [580.0] * 3, [600.0, 610.0, 700.0]))
    assert np.allclose(measured(late).se["t_area_uv_ms"], 13.0 * 210.0)


def test_a_beat_that_ends_soon_after_j_is_not_smoothed() -> None:
    short = noisy(0.02)
    for length in (430, 455, 459, 460, 461, 470):
        found = measured(replace(short, signal_uv=short.signal_uv[:, :length]))
        assert value(found, "st_j_uv") == pytest.approx(120.0, abs=0.5)


def test_only_the_noisy_leads_are_smoothed() -> None:
    jagged = np.random.default_rng(4).normal(0.0, 15.0, (2, LENGTH_MS))
    jagged[:, : int(J_MS)] = 0.0
    both = drawn(BEAT, BEAT, noise_uv=np.array([0.0, 26.0]), calm_noise_uv=np.array([0.0, 13.0]))
    both = replace(both, signal_uv=both.signal_uv + jagged)
    alone = drawn(BEAT, noise_uv=np.zeros(1), calm_noise_uv=np.zeros(1))
    alone = replace(alone, signal_uv=alone.signal_uv + jagged[:1])
    for name in ("st_j20_uv", "st_j60_uv", "t_uv"):
        assert value(measured(both), name) == value(measured(alone), name)
    lone = drawn(BEAT, noise_uv=np.array([26.0]), calm_noise_uv=np.array([13.0]))
    lone = replace(lone, signal_uv=lone.signal_uv + jagged[1:])
    for name in ("st_j20_uv", "st_j60_uv", "t_uv"):
        assert value(measured(both), name, 1) == pytest.approx(value(measured(lone), name))
