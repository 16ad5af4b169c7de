"""Onset, peak and offset of P, QRS and T in every lead and beat.

All work is done on one stack of beats (lead, beat, sample), so that a recording and a single median beat take the same path.
QRS edges come from the spatial velocity over all leads; T and P are the largest deviation, of either sign, from the chord that
spans their window, and end where the steepest tangent of their flank meets the chord.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecgspasm.ecg import Beats, Delineation, Floats, Waves, read_only
from ecgspasm.processing.settings import settings

Mask = NDArray[np.bool_]


def delineate(signal_uv: Floats, fs: float, leads: tuple[str, ...], beats: Beats) -> Delineation:
    """Delineate every beat of a recording.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        Without missing samples; slow drift does no harm. Rows that are nan as a whole are reported as absent.
    fs : float
    leads : tuple of str
    beats : Beats

    Returns
    -------
    Delineation
    """
    n_leads, n_beats = len(leads), len(beats)
    usable = ~np.isnan(signal_uv).any(axis=1)
    waves = {name: np.full((3, n_leads, n_beats), np.nan) for name in ("p", "qrs", "t")}
    shapes = {name: np.full((n_leads, n_beats), "absent", dtype="U17") for name in ("p", "t")}
    onset, j = np.full(n_beats, np.nan), np.full(n_beats, np.nan)
    if n_beats and usable.any():
        stack = _Stack(signal_uv[usable], fs, beats.r_sample)
        onset, j = _qrs_edges(stack)
        waves["qrs"][:, usable] = _qrs_by_lead(stack, onset, j)
        waves["t"][:, usable], shapes["t"][usable] = _t_waves(stack, j)
        waves["p"][:, usable], shapes["p"][usable] = _p_waves(stack, onset)
        to_recording = stack.start[None, None, :]
        waves = {name: value + to_recording for name, value in waves.items()}
        onset, j = onset + stack.start, j + stack.start
    p, qrs, t = (Waves(*map(read_only, waves[name])) for name in ("p", "qrs", "t"))
    return Delineation(
        leads, beats, p, qrs, t, read_only(shapes["p"], "U17"), read_only(shapes["t"], "U17"), read_only(onset), read_only(j)
    )


class _Stack:
    """Beats cut from a recording; window positions are samples from the window's start."""

    def __init__(self, signal_uv: Floats, fs: float, r_sample: Floats) -> None:
        numbers = settings("delineation")
        self.fs = fs
        self.r = self.samples(numbers["before_ms"])
        length = self.r + self.samples(numbers["after_ms"])
        self.start = np.round(r_sample).astype(int) - self.r
        position = self.start[:, None] + np.arange(length)
        self.inside: Mask = (position >= 0) & (position < signal_uv.shape[1])
        self.uv = signal_uv[:, np.clip(position, 0, signal_uv.shape[1] - 1)]  # (lead, beat, sample)
        rr = np.diff(r_sample, append=np.inf)
        self.to_next = rr
        self.to_previous = np.concatenate([[np.inf], rr[:-1]])
        self.position = np.arange(length)

    def samples(self, ms: float) -> int:
        return round(ms * self.fs / 1000.0)

    def smooth(self, ms: float) -> Floats:
        """The stack after two running means of that width, which make a zero-phase triangular window."""
        width = max(1, self.samples(ms)) | 1
        once = ndimage.uniform_filter1d(self.uv, width, axis=2, mode="nearest")
        return np.asarray(ndimage.uniform_filter1d(once, width, axis=2, mode="nearest"))

    def between(self, low: Floats, high: Floats) -> Mask:
        """Mask (beat, sample) of the positions from `low` to `high`, inside the recording."""
        return (self.position >= low[:, None]) & (self.position <= high[:, None]) & self.inside


def _slope(values: Floats) -> Floats:
    return np.asarray(np.gradient(values, axis=-1))


def _qrs_edges(stack: _Stack) -> tuple[Floats, Floats]:
    """Global QRS onset and J point of each beat, shape (beat,), from the spatial velocity."""
    numbers = settings("delineation")
    velocity = np.sqrt((_slope(stack.smooth(numbers["qrs_smooth_ms"])) ** 2).sum(axis=0))
    low, high = (stack.r + stack.samples(ms) for ms in numbers["qrs_search_ms"])
    core = velocity[:, stack.r - stack.samples(60) : stack.r + stack.samples(60)]
    top = core.max(axis=1)
    rest = np.quantile(velocity, 0.2, axis=1)
    quiet = stack.samples(numbers["quiet_ms"])
    onset_level = np.maximum(numbers["onset_share"] * top, numbers["rest_factor"] * rest)
    j_level = np.maximum(numbers["j_share"] * top, numbers["rest_factor"] * rest)
    # A quiet stretch: the largest velocity of the samples from here on (or up to here) stays below the level.
    back = ndimage.maximum_filter1d(velocity, quiet, axis=1, origin=(quiet - 1) // 2)
    ahead = ndimage.maximum_filter1d(velocity, quiet, axis=1, origin=-(quiet // 2))
    first_fast, last_fast = _fast_span(core, 0.4 * top, stack)
    before = (stack.position <= first_fast[:, None]) & (stack.position >= low)
    after = (stack.position >= last_fast[:, None]) & (stack.position <= high)
    # Where noise leaves nothing quiet, the quietest place there is.
    calm_before = np.where(before, back, np.inf) <= np.maximum(onset_level, np.where(before, back, np.inf).min(axis=1))[:, None]
    calm_after = np.where(after, ahead, np.inf) <= np.maximum(j_level, np.where(after, ahead, np.inf).min(axis=1))[:, None]
    return _last_true(calm_before & before).astype(float), (calm_after & after).argmax(axis=1).astype(float)


def _fast_span(core: Floats, level: Floats, stack: _Stack) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last position of the steep part of the QRS complex, shape (beat,)."""
    steep = core > level[:, None]
    first = stack.r - stack.samples(60)
    return first + steep.argmax(axis=1), first + core.shape[1] - 1 - steep[:, ::-1].argmax(axis=1)


def _qrs_by_lead(stack: _Stack, onset: Floats, j: Floats) -> Floats:
    """Onset, peak and offset of QRS in each lead, shape (3, lead, beat): the global edges moved to the lead's own."""
    numbers = settings("delineation")
    slack = stack.samples(numbers["lead_slack_ms"])
    speed = np.abs(_slope(stack.smooth(numbers["qrs_smooth_ms"])))
    window = stack.between(onset, j)
    top = np.where(window, speed, 0).max(axis=2)
    level = np.maximum(0.08 * top, numbers["rest_factor"] * np.quantile(speed, 0.2, axis=2))[..., None]
    fast = speed > level
    near_onset = fast & stack.between(onset - slack // 3, onset + slack)
    near_j = fast & stack.between(j - slack, j + slack // 3)
    own_onset = np.where(near_onset.any(axis=2), near_onset.argmax(axis=2), onset)
    own_j = np.where(near_j.any(axis=2), near_j.shape[2] - 1 - near_j[..., ::-1].argmax(axis=2), j)
    masked = np.where(window, stack.uv, -np.inf)
    level_at_onset = _take(stack.uv, np.broadcast_to(onset, top.shape))
    positive = masked.max(axis=2) - level_at_onset
    negative = level_at_onset - np.where(window, stack.uv, np.inf).min(axis=2)
    inverted = np.where(window, -stack.uv, -np.inf)
    # The R wave is the peak unless it is a mere remnant beside Q or S.
    peak = np.where(positive >= 0.15 * negative, masked.argmax(axis=2), inverted.argmax(axis=2)).astype(float)
    known = np.isfinite(onset) & np.isfinite(j)
    result = np.stack([own_onset, peak, own_j])
    return np.where(known, result, np.nan)


def _take(values: Floats, position: Floats) -> Floats:
    """Value at a whole position (nan counts as 0) of each lead and beat."""
    index = np.clip(np.nan_to_num(position), 0, values.shape[2] - 1).round().astype(int)
    return np.take_along_axis(values, index[..., None], axis=2)[..., 0]


def _t_waves(stack: _Stack, j: Floats) -> tuple[Floats, NDArray[np.str_]]:
    numbers = settings("delineation")
    rr_s = np.minimum(stack.to_next / stack.fs, 1.5)
    longest = stack.r - stack.samples(40) + numbers["longest_qt_ms"] / 1000.0 * np.sqrt(rr_s) * stack.fs
    before_p = np.maximum(stack.to_next - stack.samples(numbers["t_gap_ms"]), numbers["t_share"] * stack.to_next)
    end = np.minimum(longest, stack.r + before_p)
    end = np.minimum(end, len(stack.position) - 1)
    return _wave(stack, j + stack.samples(numbers["t_starts_ms"]), end, numbers["smallest_t_uv"])


def _p_waves(stack: _Stack, onset: Floats) -> tuple[Floats, NDArray[np.str_]]:
    numbers = settings("delineation")
    end = onset - stack.samples(numbers["p_ends_ms"])
    # The T wave of the beat before ends at least by then; at fast rates P stands on it and is found against the chord.
    after_t = stack.r - stack.to_previous + np.minimum(0.55 * stack.to_previous, stack.samples(480))
    start = np.maximum(np.maximum(onset - stack.samples(numbers["p_reach_ms"]), after_t), 0)
    waves, shape = _wave(stack, start, end, numbers["smallest_p_uv"])
    repeated = _repeated(stack, onset) > numbers["p_correlation"]
    return np.where(repeated, waves, np.nan), np.where(repeated, shape, "absent")


def _repeated(stack: _Stack, onset: Floats) -> Floats:
    """How well each beat's PR windows, over all leads, agree with the median ones, shape (beat,)."""
    width = stack.samples(200)
    position = np.nan_to_num(onset, nan=float(width)).round().astype(int)[:, None] - np.arange(width, 0, -1)
    window = np.take_along_axis(stack.smooth(12.0), np.clip(position, 0, None)[None], axis=2)
    window = window - window.mean(axis=2, keepdims=True)
    middle = np.median(window, axis=1, keepdims=True)
    scale = np.sqrt((window**2).sum(axis=(0, 2)) * (middle**2).sum(axis=(0, 2))) + 1e-9
    return np.asarray((window * middle).sum(axis=(0, 2)) / scale)


def _wave(stack: _Stack, start: Floats, end: Floats, smallest_uv: float) -> tuple[Floats, NDArray[np.str_]]:
    """Largest deviation from the chord of a window, with its edges by tangents; (3, lead, beat) and shapes (lead, beat)."""
    numbers = settings("delineation")
    usable = np.isfinite(start) & np.isfinite(end) & (end - start > stack.samples(60))
    start, end = np.where(usable, start, 0).round(), np.where(usable, end, stack.samples(60)).round()
    smooth = stack.smooth(numbers["wave_smooth_ms"] / 2)
    window = stack.between(start, end) & usable[:, None]
    share = np.clip((stack.position - start[:, None]) / (end - start)[:, None], 0, 1)
    first = _take(smooth, np.broadcast_to(start, smooth.shape[:2]))[..., None]
    last = _take(smooth, np.broadcast_to(end, smooth.shape[:2]))[..., None]
    deviation = np.where(window, smooth - first - share * (last - first), 0.0)
    high, low = deviation.max(axis=2), -deviation.min(axis=2)
    up, down = deviation.argmax(axis=2), deviation.argmin(axis=2)
    peak = np.where(high >= low, up, down)
    height = np.maximum(high, low)
    noise = np.sqrt(np.where(window, (stack.uv - smooth) ** 2, 0).sum(axis=2) / np.maximum(window.sum(axis=1), 1))
    there = (height > np.maximum(smallest_uv, numbers["noise_factor"] * noise)) & usable
    measure = settings("measure")
    second = np.minimum(high, low)
    biphasic = (second > measure["smallest_lobe_uv"]) & (second > measure["lobe_share"] * height)
    shape = np.where(
        biphasic, np.where(up < down, "positive-negative", "negative-positive"), np.where(high >= low, "positive", "negative")
    )
    earliest = np.where(biphasic, np.minimum(up, down), peak)
    latest = np.where(biphasic, np.maximum(up, down), peak)
    onset = _tangent_end(smooth, deviation, earliest, start, -1)
    offset = _tangent_end(smooth, deviation, latest, end, +1)
    result = np.where(there, np.stack([onset, peak.astype(float), offset]), np.nan)
    return result, np.where(there, shape, "absent").astype("U17")


def _last_true(mask: Mask) -> NDArray[np.intp]:
    return np.asarray(mask.shape[-1] - 1 - mask[..., ::-1].argmax(axis=-1))


def _tangent_end(smooth: Floats, deviation: Floats, peak: NDArray[np.intp], limit: Floats, direction: int) -> Floats:
    """Where the steepest tangent on one flank of a lobe meets the chord of the window, shape (lead, beat)."""
    position = np.arange(smooth.shape[2])
    sign = np.sign(np.take_along_axis(deviation, peak[..., None], axis=2))
    height = np.abs(np.take_along_axis(deviation, peak[..., None], axis=2))
    beyond_peak = (position - peak[..., None]) * direction >= 0
    flank: Mask = beyond_peak & ((limit[:, None] - position) * direction >= 0)
    descent = -_slope(deviation) * sign * direction
    # Only the first descent from the peak counts: a later steep piece belongs to the next wave.
    left = deviation * sign / np.maximum(height, 1e-9)
    over = flank & ((left < 0.1) | ((descent < 0) & (left < 0.5)))
    edge = np.where(over.any(axis=2), over.argmax(axis=2) if direction > 0 else _last_true(over), limit.astype(int))
    flank &= (edge[..., None] - position) * direction >= 0
    fall = np.where(flank, descent, 0.0)
    steepest = fall.argmax(axis=2)
    at = np.abs(np.take_along_axis(deviation, steepest[..., None], axis=2)[..., 0])
    speed = np.maximum(np.take_along_axis(fall, steepest[..., None], axis=2)[..., 0], 1e-6)
    reach = np.minimum(at / speed, height[..., 0] / speed)
    end = steepest + direction * reach
    return np.asarray(np.minimum(end, limit) if direction > 0 else np.maximum(end, limit))
