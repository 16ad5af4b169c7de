"""From class probabilities to waves: onset, peak and offset of P, QRS and T per lead and beat.

Whether a wave exists is decided on the mean over the leads; where it begins, peaks and ends in a
lead is the integral of that lead's own probabilities, which is finer than a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Strings
from ecgspasm.processing.settings import settings

Float = NDArray[np.float64]
Int = NDArray[np.intp]

FRAME_OFFSET = -0.5 / 500.0
"""Time in seconds of the left edge of frame 0 (see `net.wave_probabilities`)."""


_STEADY_BEATS = 5  # beats on each side that make up the median of a boundary
_SUPPORT_BEATS = 7  # beats on each side whose P waves support a beat's own
_NEAR = np.arange(-_SUPPORT_BEATS, _SUPPORT_BEATS + 1)


@dataclass(frozen=True)
class Settings:
    """Thresholds of the decoding; their values and meanings stand in ``settings.toml``, section ``decode``.

    ``*_level`` is a probability, mean over the leads; ``*_mass_s`` its integral over a wave; ``p_height_*`` its largest value;
    `contrast` and `width_s` are given for P, QRS and T, `steady_s` for P and T.
    """

    qrs_level: float
    qrs_mass_s: float
    qrs_apart_s: float
    t_level: float
    t_mass_s: float
    p_level: float
    p_mass_s: float
    p_height_alone: float
    p_height_regular: float
    p_support_irregular: float
    p_height_irregular: float
    pr_max_s: float
    contrast: tuple[float, float, float]
    onset_share: float
    j_share: float
    steady_s: tuple[float, float]
    width_s: tuple[float, float, float]
    pad_s: tuple[float, float, float]
    blind_lead: float
    support_quantile: float
    support_span: tuple[float, float]
    irregular_span: tuple[float, float]
    least_sure: float
    usual_rr: float
    usual_width: float
    outlier_reach_s: float
    outlier_left: float


@cache
def shipped_settings() -> Settings:
    """The thresholds of ``settings.toml``."""
    table = settings("decode")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    return Settings(**values)


@dataclass
class Wave:
    """Boundaries of one wave in samples of the input, (lead, beat), nan where absent.

    ``weight`` (beat,) is how sure the net is that the wave exists, 0 to 1.
    """

    onset: Float
    peak: Float
    offset: Float
    weight: Float

    def take(self, keep: NDArray[np.bool_]) -> Wave:
        """Some of the columns."""
        return Wave(self.onset[:, keep], self.peak[:, keep], self.offset[:, keep], self.weight[keep])


@dataclass
class Found:
    """Result of `decode`.

    ``r_sample`` (beat,) is one R position per beat; ``p``, ``qrs`` and ``t`` have a column per
    beat; ``extra_p`` has a column per additional P wave (AV block, flutter).
    ``qrs_onset`` and ``qrs_offset`` (beat,) are global, over the leads.
    """

    r_sample: Float
    p: Wave
    qrs: Wave
    t: Wave
    extra_p: Wave
    qrs_onset: Float
    qrs_offset: Float
    u_peak: Float | None = None
    u_shape: Strings | None = None
    """What `uwave.find_u` adds, (lead, beat)."""

    @staticmethod
    def empty() -> Found:
        """No lead and no beat."""
        none, wave = np.zeros(0), Wave(np.zeros((0, 0)), np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0))
        return Found(none, wave, wave, wave, wave, none, none)

    def take(self, keep: NDArray[np.bool_]) -> Found:
        """Some of the beats, before U waves are looked for."""
        p, qrs, t = (each.take(keep) for each in (self.p, self.qrs, self.t))
        return Found(self.r_sample[keep], p, qrs, t, self.extra_p, self.qrs_onset[keep], self.qrs_offset[keep])


@dataclass
class _Regions:
    """Stretches of the mean probability above a level, in frames."""

    start: Int
    stop: Int
    middle: Int
    mass: Float
    height: Float

    def take(self, keep: NDArray[np.bool_] | Int) -> _Regions:
        return _Regions(self.start[keep], self.stop[keep], self.middle[keep], self.mass[keep], self.height[keep])


def decode(prob: NDArray[np.float32], frame_rate_hz: float, fs: float, thresholds: Settings | None = None) -> Found:
    """Waves of a recording from the probabilities of the net.

    Parameters
    ----------
    prob : ndarray, shape (lead, class, frame)
        From `net.wave_probabilities`.
    frame_rate_hz : float
        Its frame rate.
    fs : float
        Sampling rate of the recording.
    thresholds : Settings, optional
        Default: those of ``settings.toml``.

    Returns
    -------
    Found
        All positions in (fractional) samples of the recording.
    """
    s, rate = thresholds or shipped_settings(), frame_rate_hz
    live = prob[:, 0].min(axis=1) < s.blind_lead
    if not live.any():
        live[:] = True
    both = prob[:, 1::2] + prob[:, 2::2]
    mean = (both if live.all() else both[live]).mean(axis=0)
    sums = _integrals(both, prob[:, 1::2], s.contrast)

    def wave(kind: int, regions: _Regions, pad_s: float) -> Wave:
        least_sure = None if kind == 1 else s.least_sure
        edges = _edges(sums[0][:, kind], sums[1][:, kind], regions, int(pad_s * rate), least_sure)
        out = np.stack([(e / rate + FRAME_OFFSET) * fs for e in edges])
        out[:, (out[2] - out[0] < s.width_s[kind] * fs) | ~live[:, None]] = np.nan
        return Wave(out[0], out[1], out[2], regions.height)

    beats = _apart(_regions(mean[1], s.qrs_level, s.qrs_mass_s * rate), s.qrs_apart_s * rate)
    regions_t = _regions(mean[2], s.t_level, s.t_mass_s * rate)
    regions_t, beat_t = _largest_per_beat(regions_t, beats.middle)
    regions_p = _regions(mean[0], s.p_level, s.p_mass_s * rate)
    regions_p = regions_p.take(_supported(regions_p, beats.middle, s))
    beat_p, is_main = _last_per_beat(regions_p, beats.middle, s.pr_max_s * rate)

    qrs = wave(1, beats, s.pad_s[1])
    r_sample = _global(qrs.peak, 0.5)
    usual = _usual(r_sample, qrs, s)
    t = _spread(wave(2, regions_t, s.pad_s[2]), beat_t, beats.middle.size)
    _steady(t, r_sample, usual, s.steady_s[1] * fs, s.outlier_reach_s * fs, s.outlier_left)
    all_p = wave(0, regions_p, s.pad_s[0])
    p = _spread(all_p.take(is_main), beat_p[is_main], beats.middle.size)
    _steady(p, r_sample, usual, s.steady_s[0] * fs, s.outlier_reach_s * fs, s.outlier_left)
    return Found(
        r_sample=r_sample,
        p=p,
        qrs=qrs,
        t=t,
        extra_p=all_p.take(~is_main),
        qrs_onset=_global(qrs.onset, s.onset_share),
        qrs_offset=_global(qrs.offset, s.j_share),
    )


def _integrals(both: NDArray[np.float32], rise: NDArray[np.float32], contrast: tuple[float, float, float]) -> tuple[Float, Float]:
    """Cumulated sums over frames of a wave's probability and of its part before the peak.

    Probabilities are stretched around 0.5: the integral then lies between the mean (contrast 1)
    and the median (large contrast) of the net's distribution of the boundary.
    """
    k = np.array(contrast, np.float32)[:, None]
    shift = 0.5 - 0.5 * k
    sharp = np.clip(both * k + shift, 0, 1)
    share = np.clip(rise / np.maximum(both, np.float32(1e-6)) * k + shift, 0, 1)
    return _cumulated(sharp), _cumulated(sharp * share)


def _cumulated(x: NDArray[np.float32]) -> Float:
    """Cumulated sum over frames, with a leading zero."""
    out = np.zeros((*x.shape[:2], x.shape[2] + 1))
    # converted first, and then summed in place: thrice as fast as a sum that converts
    out[:, :, 1:] = x
    np.cumsum(out, axis=2, out=out)
    return out


def _regions(trace: NDArray[np.floating], level: float, mass: float) -> _Regions:
    """Stretches above ``level`` whose sum is at least ``mass``."""
    above = np.zeros(trace.size + 2, np.int8)
    above[1:-1] = trace > level
    change = np.diff(above)
    start, stop = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    total = np.concatenate([[0.0], np.cumsum(trace, dtype=np.float64)])
    sums = total[stop] - total[start]
    keep = sums >= mass
    start, stop, sums = start[keep], stop[keep], sums[keep]
    middle = np.searchsorted(total, 0.5 * (total[start] + total[stop]))
    height = np.maximum.reduceat(trace, start) if start.size else np.zeros(0)
    return _Regions(start, stop, middle, sums, height.astype(np.float64))


def _apart(regions: _Regions, distance: float) -> _Regions:
    """Of regions nearer than ``distance`` the one with the larger sum."""
    while True:
        close = np.flatnonzero(np.diff(regions.middle) < distance)
        if close.size == 0:
            return regions
        first = close[0]
        drop = first if regions.mass[first] < regions.mass[first + 1] else first + 1
        keep = np.ones(regions.middle.size, bool)
        keep[drop] = False
        regions = regions.take(keep)


def _largest_per_beat(regions: _Regions, beats: Int) -> tuple[_Regions, Int]:
    """The largest region after each beat and before the next one."""
    beat = np.searchsorted(beats, regions.middle) - 1
    order = np.lexsort((regions.mass, beat))
    last = np.ones(order.size, bool)
    last[:-1] = np.diff(beat[order]) > 0
    keep = order[last]
    keep = np.sort(keep[beat[keep] >= 0])
    return regions.take(keep), beat[keep]


def _last_per_beat(regions: _Regions, beats: Int, reach: float) -> tuple[Int, NDArray[np.bool_]]:
    """Beat that follows each region, and whether the region is the last before it."""
    beat = np.searchsorted(beats, regions.middle)
    main = np.ones(beat.size, bool)
    main[:-1] = np.diff(beat) > 0
    has = beat < beats.size
    distance = np.where(has, beats[np.minimum(beat, max(beats.size - 1, 0))] if beats.size else 0, 0)
    main &= has & (distance - regions.middle < reach)
    return beat, main


def _supported(regions: _Regions, beats: Int, s: Settings) -> NDArray[np.bool_]:
    """Which P waves to believe: the beats around, and how regular they are, set the height needed."""
    if not beats.size:
        return np.zeros(regions.middle.size, bool)
    beat = np.searchsorted(beats, regions.middle)
    best = np.zeros(beats.size + 1)
    np.maximum.at(best, beat, regions.height)
    support = _around(best[:-1], s.support_quantile)
    needed = np.interp(support, s.support_span, (s.p_height_alone, s.p_height_regular))
    if beats.size > 3:
        rr = np.diff(beats).astype(float)
        change = np.abs(np.diff(rr))[np.clip(np.arange(beats.size) - 1, 0, beats.size - 3)]
        irregular = _around(change, 0.5) / _around(np.append(rr, rr[-1]), 0.5)
        doubt = np.interp(irregular, s.irregular_span, (0.0, s.p_support_irregular))
        needed = np.where(support < doubt, s.p_height_irregular, needed)
    return regions.height >= np.append(needed, needed[-1])[beat]


def _around(x: Float, share: float) -> Float:
    """Quantile over the neighbouring beats."""
    # mirrored at the ends, as often as few beats ask for it
    beat = (np.arange(x.size)[:, None] + _NEAR) % (2 * x.size)
    windows = x[np.minimum(beat, 2 * x.size - 1 - beat)]
    place = round(share * 2 * _SUPPORT_BEATS)
    return np.asarray(np.partition(windows, place, axis=1)[:, place])


def _edges(total: Float, rising: Float, regions: _Regions, pad: int, least_sure: float | None) -> tuple[Float, Float, Float]:
    """Onset, peak and offset (lead, region) in frames, from integrals of the probability.

    With ``least_sure`` the integrals are taken given that the wave exists: divided by the probability
    at the wave's middle (its root towards the offset, which is drawn late otherwise).
    """
    centre, last = regions.middle, total.shape[1] - 1
    left = np.maximum(regions.start - pad, 0)
    right = np.minimum(regions.stop + pad, last)
    if centre.size > 1:
        left[1:] = np.maximum(left[1:], (regions.stop[:-1] + regions.start[1:]) // 2)
        right[:-1] = np.minimum(right[:-1], (regions.stop[:-1] + regions.start[1:] + 1) // 2)
    before = total[:, centre] - total[:, left]
    after = total[:, right] - total[:, centre]
    rise = (rising[:, right] - rising[:, left]) / np.maximum(before + after, 1e-6)
    if least_sure is not None:
        low, high = np.maximum(centre - 2, 0), np.minimum(centre + 2, last)
        sure = (total[:, high] - total[:, low]) / np.maximum(high - low, 1)
        sure = np.clip(sure, least_sure, 1)
        before /= sure
        after /= np.sqrt(sure)
    onset = centre - before
    offset = centre + after
    return onset, onset + rise * (before + after), offset


def _usual(r: Float, qrs: Wave, s: Settings) -> NDArray[np.bool_]:
    """Beats whose RR before and QRS width are like those of the beats around."""
    if r.size < 4:
        return np.zeros(r.size, bool)
    rr = np.diff(r, prepend=2 * r[0] - r[1])
    width = np.nan_to_num(_global(qrs.offset - qrs.onset, 0.5), nan=1.0)
    near = np.abs(rr / _around(rr, 0.5) - 1) < s.usual_rr
    return near & (np.abs(width / _around(width, 0.5) - 1) < s.usual_width)


def _steady(wave: Wave, r: Float, usual: NDArray[np.bool_], free: float, reach: float, left: float) -> None:
    """Pull single outliers towards the same lead's median over the usual beats around, in place.

    A difference up to ``free`` samples stays, of what is beyond the share ``left`` remains; unusual beats
    (ectopic, early, wide) and differences beyond ``reach`` are left alone.
    """
    if usual.sum() < 4:
        return
    k = 2 * _STEADY_BEATS + 1
    stack = np.concatenate([wave.onset, wave.peak, wave.offset]) - r
    wide = np.full((len(stack), r.size + 2 * _STEADY_BEATS), np.nan)
    np.copyto(wide[:, _STEADY_BEATS:-_STEADY_BEATS], stack, where=usual)
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(wide, k, axis=1), axis=2)
    count = k - np.isnan(ordered).sum(axis=2)
    index = np.maximum(count - 1, 0)
    first = np.arange(index.size).reshape(index.shape) * k
    middle = (ordered.ravel().take(first + index // 2) + ordered.ravel().take(first + (index + 1) // 2)) / 2
    off = stack - middle
    moved = middle + np.clip(off, -free, free) * (1 - left) + off * left
    change = usual & (count > 3) & (np.abs(off) < reach)
    result = np.split(np.where(change, moved, stack) + r, 3)
    wave.onset, wave.peak, wave.offset = result


def _spread(wave: Wave, beat: Int, n_beat: int) -> Wave:
    """Columns of a wave put at their beats."""
    out = [np.full((wave.onset.shape[0], n_beat), np.nan) for _ in range(3)]
    weight = np.zeros(n_beat)
    for target, source in zip(out, (wave.onset, wave.peak, wave.offset), strict=True):
        target[:, beat] = source
    weight[beat] = wave.weight
    return Wave(out[0], out[1], out[2], weight)


def _global(x: Float, share: float) -> Float:
    """Quantile over the leads that have a value, for each beat."""
    ordered = np.sort(x, axis=0)  # nan last
    count = x.shape[0] - np.isnan(x).sum(axis=0)
    place = share * np.maximum(count - 1, 0)
    low = place.astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    column = np.arange(x.shape[1])
    first = ordered[low, column]
    return np.asarray(first + (place - low) * (ordered[high, column] - first))
