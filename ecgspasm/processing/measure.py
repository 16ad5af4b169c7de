"""ST levels, T waves and intervals of a median beat, each with its standard error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecgspasm.ecg import MEASURED, MEASURES, ST_OFFSETS_MS, Floats, Measurements, MedianBeat, Strings, Subject, read_only
from ecgspasm.processing.lobes import shapes
from ecgspasm.processing.settings import settings
from ecgspasm.processing.spans import Integral
from ecgspasm.processing.spline import local_parabolas

ST_NAMES = {0: "st_j_uv"} | {ms: f"st_j{ms}_uv" for ms in ST_OFFSETS_MS if ms}
"""Name of the ST level at each offset from J in ms."""


_NONE = (float("nan"),) * 4


def measure(
    median: MedianBeat,
    quality: tuple[str, ...],
    *,
    rr_ms: float,
    subject: Subject,
    derived: tuple[str, ...] = (),
    qrs_onset: float | None = None,
    j: float | None = None,
) -> Measurements:
    """Measure a median beat.

    Parameters
    ----------
    median : MedianBeat
    quality : tuple of str
        Per lead: empty, or why the lead cannot be measured.
    rr_ms : float
        Median interval between the beats.
    subject : Subject
    derived : tuple of str
        Leads that were computed from others.
    qrs_onset, j : float, optional
        Samples of the median beat to measure at instead of its own: a comparison measures both beats at the same offsets.

    Returns
    -------
    Measurements
        Levels against the mean of the PR segment's end (4th Universal Definition: QRS onset is the reference).
    """
    onset = median.qrs_onset if qrs_onset is None else qrs_onset
    j = median.j if j is None else j
    numbers = settings("measure")
    per_ms = median.fs / 1000.0
    integral = Integral(median.signal_uv)
    calm = _calm_share(median, onset, j)
    level = (1.0 - calm) * integral.mean(onset - numbers["pr_level_ms"] * per_ms, onset)
    level += calm * integral.mean(onset - _long_level_ms(median, onset) * per_ms, onset)
    signal = _calmed(median, j, calm) - level[:, None]
    noise_uv = (1.0 - calm) * median.noise_uv + calm * np.minimum(median.calm_noise_uv, median.noise_uv)
    noise_uv = np.hypot(noise_uv, _sloping_level(integral, onset, per_ms, rr_ms))
    values, se = _st(Integral(signal), noise_uv, median, j)
    t_values, t_shape = _t_wave(signal, median, j)
    values |= t_values | _qrs(signal, onset, j, median.fs) | _p_wave(signal, median) | _u_wave(signal, median, rr_ms)
    values["t_area_uv_ms"] = _t_area(Integral(signal), median, j)
    for name in (*t_values, "u_uv"):
        se[name] = numbers["t_se_factor"] * noise_uv
    se |= _other_errors(se, noise_uv, median, onset, j)
    state = _states(quality, se["st_j60_uv"], values["st_j_uv"])
    known = np.array([each == MEASURED for each in state])
    # Where no lead can be measured the baseline moves too much for the times of its waves as well.
    times = (*_intervals(median, onset), (j - onset) / per_ms, 60_000.0 / rr_ms)
    qt_ms, pr_ms, qrs_ms, rate_bpm = times if known.any() else _NONE
    return Measurements(
        leads=median.leads,
        state=state,
        values={name: read_only(np.where(known, values[name], np.nan)) for name in MEASURES},
        se={name: read_only(np.where(known, error, np.nan)) for name, error in se.items()},
        t_shape=read_only(np.where(known, t_shape, "absent"), "U17"),
        rate_bpm=rate_bpm,
        pr_ms=pr_ms,
        qrs_ms=qrs_ms,
        qt_ms=qt_ms,
        qtc_ms=qt_ms / float(np.cbrt(rr_ms / 1000.0)),
        n_beats=median.n_beats,
        subject=subject,
        derived=derived,
    )


def nothing_measured(
    leads: tuple[str, ...], quality: tuple[str, ...], reason: str, subject: Subject, derived: tuple[str, ...]
) -> Measurements:
    """Measurements of an ECG without a usable beat: every lead says why."""
    absent = read_only(np.full(len(leads), np.nan))
    nan = float("nan")
    return Measurements(
        leads=leads,
        state=tuple(f"not_measurable: {own or reason}" for own in quality),
        values=dict.fromkeys(MEASURES, absent),
        se={},
        t_shape=read_only(np.full(len(leads), "absent"), "U17"),
        rate_bpm=nan,
        pr_ms=nan,
        qrs_ms=nan,
        qt_ms=nan,
        qtc_ms=nan,
        n_beats=0,
        subject=subject,
        derived=derived,
    )


def _calm_share(median: MedianBeat, onset: float, j: float) -> Floats:
    """How much of the longer spans each lead needs, 0 to 1, shape (lead,); the same at any gain."""
    low, high = round(onset), max(round(j), round(onset) + 2)
    largest = float(np.ptp(median.signal_uv[:, low : high + 1], axis=1).max())
    first, last = settings("measure")["calm_share"]
    share = median.noise_uv / max(largest, 1e-9)
    return np.asarray(np.clip((share - first) / (last - first), 0.0, 1.0))


def _sloping_level(integral: Integral, onset: float, per_ms: float, rr_ms: float) -> Floats:
    """What is uncertain about a PR level that is none, shape (lead,).

    At high rates QRS begins on the slope of T or P; at others a steep level says that QRS has begun before its onset.
    """
    numbers = settings("measure")
    largest = numbers["level_rise_uv"][int(rr_ms >= settings("fast")["fast_ms"])]
    half = numbers["pr_level_ms"] / 2.0 * per_ms
    rise = np.abs(integral.mean(onset - half, onset) - integral.mean(onset - 2.0 * half, onset - half))
    return np.asarray(numbers["level_rise_factor"] * np.maximum(rise - largest, 0.0))


def _long_level_ms(median: MedianBeat, onset: float) -> float:
    """The longer span of the PR level, as far as P leaves one."""
    numbers = settings("measure")
    ends = median.p.offset[np.isfinite(median.p.offset)]
    free = (onset - float(np.median(ends))) * 1000.0 / median.fs if len(ends) else numbers["calm_pr_level_ms"]
    return float(np.clip(free, numbers["pr_level_ms"], numbers["calm_pr_level_ms"]))


def _calmed(median: MedianBeat, j: float, calm: Floats) -> Floats:
    """The median beat, from J on smoothed by local parabolas as far as each lead needs it."""
    signal = np.array(median.signal_uv)
    start = max(int(np.ceil(j)), 0)
    width = round(settings("measure")["calm_ms"] * median.fs / 1000.0) | 1
    if calm.any() and signal.shape[1] - start > width > 3:
        # Nothing before J enters: the end of the QRS complex would be smeared into ST.
        rows = np.flatnonzero(calm)
        late = signal[rows, start:]
        signal[rows, start:] = late + calm[rows, None] * (local_parabolas(late, width) - late)
    return signal


def _st(integral: Integral, noise_uv: Floats, median: MedianBeat, j: float) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """ST levels against the PR level at each offset from J, and their standard errors."""
    per_ms = median.fs / 1000.0
    window = settings("measure")["st_window_ms"] * per_ms
    at = j + np.array(ST_OFFSETS_MS) * per_ms
    # Around the instant; at J itself only after it, because the S wave before J is steep and the ST segment after it is not.
    start = np.where(np.array(ST_OFFSETS_MS) == 0, at, at - window / 2)
    levels = integral.mean(start, start + window)
    # Slope in uV per ms over 20 ms around the instant.
    slope = (integral.mean(at, at + 10.0 * per_ms) - integral.mean(at - 10.0 * per_ms, at)) / 10.0
    errors = np.hypot(noise_uv[:, None], slope * median.j_se_ms)
    values: dict[str, Floats] = {name: levels[:, column] for column, name in enumerate(ST_NAMES.values())}
    values["st_slope_uv_per_s"] = (values["st_j80_uv"] - values["st_j20_uv"]) / 0.060
    return values, {name: errors[:, column] for column, name in enumerate(ST_NAMES.values())}


def _other_errors(se: dict[str, Floats], noise_uv: Floats, median: MedianBeat, onset: float, j: float) -> dict[str, Floats]:
    """Standard errors of peaks and areas: an error of the PR level enters a peak once, and an area all along."""
    per_ms = median.fs / 1000.0
    ends = median.t.offset[np.isfinite(median.t.offset)]
    t_ms = (float(np.median(ends)) - j) / per_ms if len(ends) else float("nan")
    peaks = dict.fromkeys(("q_uv", "r_uv", "s_uv", "p_positive_uv", "p_negative_uv"), noise_uv)
    slope = np.hypot(se["st_j20_uv"], se["st_j80_uv"]) / 0.060
    return peaks | {
        "st_slope_uv_per_s": slope,
        "qrs_area_uv_ms": noise_uv * (j - onset) / per_ms,
        "t_area_uv_ms": noise_uv * t_ms,
    }


def _t_wave(signal: Floats, median: MedianBeat, j: float) -> tuple[dict[str, Floats], Strings]:
    """Signed lobes of the T wave against the PR level, and the shape that they make."""
    numbers = settings("measure")
    per_ms = median.fs / 1000.0
    width = max(1, round(numbers["t_smooth_ms"] * per_ms)) | 1
    smooth = ndimage.uniform_filter1d(signal, width, axis=1, mode="nearest")
    onset, offset = median.t.onset[:, 0], median.t.offset[:, 0]
    # A lead whose own T has no clear edges is measured where the other leads have theirs.
    if np.isfinite(offset).any():
        onset = np.where(np.isfinite(onset), onset, np.nanmedian(onset))
        offset = np.where(np.isfinite(offset), offset, np.nanmedian(offset))
        # Where T is all but flat, the next P wave may have been taken for it; the other leads know better when T ends.
        offset = np.minimum(offset, np.nanmedian(offset) + numbers["t_end_slack_ms"] * per_ms)
    start = np.maximum(onset, j + numbers["t_starts_ms"] * per_ms)
    position = np.arange(signal.shape[1])
    window = (position >= start[:, None]) & (position <= offset[:, None])
    there = window.any(axis=1)
    highest, lowest = np.where(window, smooth, -np.inf), np.where(window, smooth, np.inf)
    high, low = highest.max(axis=1), lowest.min(axis=1)
    top, bottom = highest.argmax(axis=1), lowest.argmin(axis=1)
    first_up = top < bottom
    positive = np.where(there, np.maximum(high, 0.0), np.nan)
    negative = np.where(there, np.minimum(low, 0.0), np.nan)
    up = positive >= -negative
    edge = 2.0 * per_ms
    summit = np.where(up, bottom, top)
    inside = (summit > np.ceil(start) + edge) & (summit < np.floor(offset) - edge)
    shape = shapes(positive, -negative, first_up, inside)
    shape = np.where(np.maximum(positive, -negative) < numbers["smallest_lobe_uv"], "flat", shape)
    values = {"t_uv": np.where(up, positive, negative), "t_positive_uv": positive, "t_negative_uv": negative}
    values["t_net_uv"] = positive + negative
    return values, np.where(there, shape, "absent").astype("U17")


def _t_area(integral: Integral, median: MedianBeat, j: float) -> Floats:
    """Area of ST and T, from J to the median end of T over the leads, so that the leads' areas add up to a vector."""
    if not np.isfinite(median.t.offset).any():
        return np.full(len(median.leads), np.nan)
    end = float(np.nanmedian(median.t.offset))
    return np.asarray(integral.mean(j, end) * (end - j) * 1000.0 / median.fs)


def _p_wave(signal: Floats, median: MedianBeat) -> dict[str, Floats]:
    """Both lobes of P against the line from its onset to its end; ``nan`` where there is none."""
    onset, offset = median.p.onset[:, 0], median.p.offset[:, 0]
    bump, inside = _above_line(signal, onset, offset, settings("measure")["p_smooth_ms"] * median.fs / 1000.0)
    there = inside.any(axis=1)
    return {
        "p_positive_uv": np.where(there, np.where(inside, bump, 0.0).max(axis=1), np.nan),
        "p_negative_uv": np.where(there, np.where(inside, bump, 0.0).min(axis=1), np.nan),
    }


def _u_wave(signal: Floats, median: MedianBeat, rr_ms: float) -> dict[str, Floats]:
    """Height of U at its peak against the line from the end of T to where the next P wave may begin."""
    numbers = settings("u_wave")
    per_ms = median.fs / 1000.0
    start = median.t.offset[:, 0] + numbers["after_t_ms"] * per_ms
    next_p = median.qrs_onset + (rr_ms * (1.0 - numbers["usual_pr_s"]) - numbers["before_p_ms"]) * per_ms
    end = np.minimum(median.t.offset[:, 0] + numbers["reach_ms"] * per_ms, min(next_p, signal.shape[1] - 1.0))
    bump, inside = _above_line(signal, start, end, settings("measure")["p_smooth_ms"] * per_ms)
    peak = np.where(median.u_peak[:, 0] < signal.shape[1] - 0.5, median.u_peak[:, 0], np.nan)
    at = np.nan_to_num(np.round(peak)).astype(int)[:, None]
    there = np.isfinite(peak) & np.take_along_axis(inside, at, axis=1)[:, 0]
    return {"u_uv": np.where(there, np.take_along_axis(bump, at, axis=1)[:, 0], np.nan)}


def _above_line(signal: Floats, start: Floats, end: Floats, smooth: float) -> tuple[Floats, NDArray[np.bool_]]:
    """The smoothed signal against the line between two instants of each lead, and which samples lie between them."""
    curve = ndimage.uniform_filter1d(signal, max(1, round(smooth)) | 1, axis=1, mode="nearest")
    position = np.arange(signal.shape[1])
    known = np.isfinite(start) & np.isfinite(end) & (end > start)
    first, last = np.where(known, start, 0.0)[:, None], np.where(known, end, 1.0)[:, None]
    ends = [
        np.take_along_axis(curve, np.clip(np.round(each), 0, curve.shape[1] - 1).astype(int), axis=1) for each in (first, last)
    ]
    share = (position - first) / (last - first)
    return curve - ends[0] - share * (ends[1] - ends[0]), known[:, None] & (share >= 0.0) & (share <= 1.0)


def _qrs(signal: Floats, onset: float, j: float, fs: float) -> dict[str, Floats]:
    """Q, R, S amplitudes and the net area of the QRS complex."""
    low, high = round(onset), max(round(j), round(onset) + 2)
    part = signal[:, low : high + 1]
    top = part.argmax(axis=1)
    r = np.maximum(part.max(axis=1), 0.0)
    position = np.arange(part.shape[1])
    q = np.where(position < top[:, None], part, 0.0).min(axis=1)
    s = np.where(position > top[:, None], part, 0.0).min(axis=1)
    return {"q_uv": q, "r_uv": r, "s_uv": s, "qrs_area_uv_ms": np.trapezoid(part, dx=1000.0 / fs, axis=1)}


def _states(quality: tuple[str, ...], st_se: Floats, st_j: Floats) -> tuple[str, ...]:
    limit = settings("measure")["largest_st_se_uv"]
    states = []
    for row, reason in enumerate(quality):
        if not reason and not np.isfinite(st_j[row]):
            reason = "QRS onset or J not found"
        if not reason and st_se[row] > limit:
            reason = f"too noisy: standard error of ST {st_se[row]:.0f} uV"
        states.append(f"not_measurable: {reason}" if reason else MEASURED)
    return tuple(states)


def _intervals(median: MedianBeat, onset: float) -> tuple[float, float]:
    """QT (to the median of the leads' T ends) and PR (from the earliest quarter of the leads' P onsets), in ms."""
    per_ms = median.fs / 1000.0
    t_end, p_on = median.t.offset[:, 0], median.p.onset[:, 0]
    qt = (np.nanmedian(t_end) - onset) / per_ms if np.isfinite(t_end).any() else np.nan
    pr = (onset - np.nanquantile(p_on, 0.25)) / per_ms if np.isfinite(p_on).any() else np.nan
    return float(qt), float(pr)
