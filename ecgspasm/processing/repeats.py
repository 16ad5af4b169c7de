"""What must repeat from beat to beat for a lead to show the heart, and what must be in a beat for it to be one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecgspasm.ecg import Beats, Floats, MedianBeat
from ecgspasm.processing.settings import settings

NO_HEARTBEAT = "no heartbeat repeats in this lead"
DRIFTS = "the baseline moves with the beats: it is elsewhere between them than before QRS"


def lead_repeats(clean_uv: Floats, beats: Beats, median: MedianBeat) -> NDArray[np.bool_]:
    """Whether the QRS complex of the beats comes again in each lead, shape (lead,).

    The slopes inside QRS, between means over some ms, are split into what all beats share and how they differ. A lead with an
    electrode off shares nothing: the shared part is what chance leaves. Two conditions, because with many beats even a
    complex that is there in every third beat only is more than chance (analysis of variance; F is their ratio).

    Parameters
    ----------
    clean_uv : ndarray, shape (lead, sample)
        Baseline removed.
    beats : Beats
        The dominant ones count.
    median : MedianBeat
        Of the same recording; its QRS onset and J bound the window.
    """
    numbers = settings("repeats")
    per_ms = median.fs / 1000.0
    r_sample = beats.r_sample[beats.dominant]
    step = max(1, round(numbers["block_ms"] * per_ms))
    first = median.qrs_onset - median.r_sample - 2 * step
    n_blocks = max(round(median.j - median.qrs_onset + 4 * step) // step, 3)
    at = np.round(r_sample[:, None] + first).astype(int) + np.arange(n_blocks * step)
    stack = clean_uv[:, np.clip(at, 0, clean_uv.shape[1] - 1)]
    slopes = np.diff(stack.reshape(len(clean_uv), len(r_sample), n_blocks, step).mean(axis=3), axis=2)
    shared = slopes.mean(axis=1)
    energy = (shared**2).mean(axis=1)
    scatter = ((slopes - shared[:, None]) ** 2).sum(axis=1).mean(axis=1) / max(len(r_sample) - 1, 1)
    share = energy / np.maximum(energy + scatter, 1e-9)
    by_chance = len(r_sample) * energy / np.maximum(scatter, 1e-9)
    return np.asarray((share >= numbers["smallest_share"]) & (by_chance >= numbers["smallest_f"]))


def drifts(median: MedianBeat, beats: Beats) -> NDArray[np.bool_]:
    """Whether the level between T and the next P wave differs from that before QRS by what no heart gives, shape (lead,).

    Wander that keeps step with the heart (breathing at half its rate) is the same in every beat, and in no standard error.
    """
    numbers = settings("repeats")
    per_ms = median.fs / 1000.0
    ends = median.t.offset[np.isfinite(median.t.offset)]
    if not len(ends):
        return np.zeros(len(median.signal_uv), dtype=bool)
    rest = float(np.median(ends)) + numbers["after_t_ms"] * per_ms
    next_p = median.qrs_onset - numbers["before_qrs_ms"] * per_ms
    # A premature beat ends the rest early.
    behind, ahead = beats.rr_ms[1:][beats.dominant[:-1]], beats.rr_ms[beats.dominant]
    after, before = (float(np.fmin.reduce(rr_ms, initial=np.inf)) * per_ms for rr_ms in (behind, ahead))
    onset, end = round(median.qrs_onset), median.signal_uv.shape[1]
    level = median.signal_uv[:, max(onset - round(numbers["level_ms"] * per_ms), 0) : onset + 1].mean(axis=1)
    largest = np.maximum(numbers["largest_tp_uv"], numbers["largest_tp_share"] * np.ptp(median.signal_uv, axis=1))
    moves = np.zeros(len(level), dtype=bool)
    for first, last in ((rest, min(next_p + after, end - 1.0)), (max(rest - before, 0.0), next_p)):
        if last - first > numbers["tp_ms"] * per_ms:
            moves |= np.abs(median.signal_uv[:, int(first) : int(last)].mean(axis=1) - level) > largest
    return moves


def not_ventricular(clean_uv: Floats, beats: Beats, median: MedianBeat, rows: NDArray[np.bool_], rr_ms: float) -> str:
    """Why what repeats in some leads is no beat of the ventricles; empty if it is one.

    Every ventricular beat repolarises, so that something follows each QRS complex: nothing follows P waves without conduction or
    spikes without capture. And its front crosses the ventricles fast: chest compressions and swaying cables have no slope that is
    quick for its height.

    Parameters
    ----------
    clean_uv : ndarray, shape (lead, sample)
        Baseline removed.
    beats : Beats
    median : MedianBeat
        Of the same recording.
    rows : ndarray of bool, shape (lead,)
        Leads that count.
    rr_ms : float
        Median interval.
    """
    numbers = settings("organised")
    per_ms = median.fs / 1000.0
    onset, j = median.qrs_onset, median.j
    signal = median.signal_uv[rows]
    level = signal[:, max(round(onset - numbers["level_ms"] * per_ms), 0) : round(onset) + 1].mean(axis=1, keepdims=True)
    signal = signal - level
    position = np.arange(signal.shape[1])
    inside = (position >= onset) & (position <= j)
    height = float(_over_leads(signal)[inside].max())
    if height <= 0.0:
        return "no organised QRS: nothing stands out of the baseline"
    wide = ndimage.uniform_filter1d(signal, max(1, round(numbers["t_smooth_ms"] * per_ms)), axis=1)
    end = onset + min(numbers["t_until_ms"], rr_ms - numbers["before_next_ms"]) * per_ms
    later = (position > j + numbers["t_after_ms"] * per_ms) & (position < end)
    if not later.any():
        later = (position > j + 20.0 * per_ms) & (position < j + 100.0 * per_ms)
    follows = float(_over_leads(wide)[later].max()) / height
    if follows < numbers["smallest_t_share"] or not _t_repeats(clean_uv[rows], beats, median, rr_ms):
        return "nothing like a T wave follows: P waves without beats, spikes without capture, or movement"
    bulk = ndimage.uniform_filter1d(signal, max(1, round(numbers["narrow_smooth_ms"] * per_ms)), axis=1)
    if float(_over_leads(bulk)[inside].max()) < numbers["narrow_share"] * height:
        return "no organised QRS: nothing but spikes narrower than any ventricular beat"
    smooth = ndimage.uniform_filter1d(signal, max(1, round(numbers["slope_smooth_ms"] * per_ms)), axis=1)
    speed = _over_leads(np.gradient(smooth, axis=1)) * per_ms
    quick = float(speed[inside].max()) / height
    if quick * median_steepness(median, rows, rr_ms) < numbers["quick_and_steep_per_ms"]:
        return "no organised QRS: no slope is quick for its height (chest compressions, movement?)"
    return ""


def _t_repeats(clean_uv: Floats, beats: Beats, median: MedianBeat, rr_ms: float) -> bool:
    """Whether what follows QRS bends the same way in every beat, or too much for a baseline; also where too little of it is left.

    A baseline that drifts is a line on this scale, and another one in every beat.
    """
    numbers = settings("organised")
    per_ms = median.fs / 1000.0
    r_sample = beats.r_sample[beats.dominant]
    step = max(1, round(numbers["bend_ms"] * per_ms))
    first = median.j + numbers["bend_after_ms"] * per_ms
    end = median.qrs_onset + min(numbers["t_until_ms"], rr_ms - numbers["before_next_ms"]) * per_ms
    n_blocks = int((end - first) // step)
    at = np.round(r_sample[:, None] + first - median.r_sample).astype(int) + np.arange(max(n_blocks, 0) * step)
    at = at[(at >= 0).all(axis=1) & (at < clean_uv.shape[1]).all(axis=1)]
    if n_blocks < 4 or len(at) < 2:
        return True
    levels = clean_uv[:, at].reshape(len(clean_uv), len(at), n_blocks, step).mean(axis=3)
    bends = np.diff(levels, n=2, axis=2)
    shared = bends.mean(axis=1)
    scatter = ((bends - shared[:, None]) ** 2).sum() / (len(at) - 1)
    usual, along = levels.mean(axis=1), np.linspace(0.0, 1.0, n_blocks)
    bump = usual - usual[:, :1] * (1.0 - along) - usual[:, -1:] * along
    by_chance = len(at) * (shared**2).sum() < numbers["smallest_bend_f"] * scatter
    return not (by_chance and _over_leads(bump).max() < numbers["smallest_bump_uv"])


def median_steepness(median: MedianBeat, rows: NDArray[np.bool_], rr_ms: float) -> float:
    """Root mean square of the slopes inside QRS over that of the rest of the cycle; infinite if there is no rest."""
    margin = settings("organised")["margin_ms"] * median.fs / 1000.0
    per_ms = median.fs / 1000.0
    velocity = _over_leads(np.gradient(median.signal_uv[rows], axis=1))
    position = np.arange(len(velocity))
    cycle = (position > median.r_sample - 0.4 * rr_ms * per_ms) & (position < median.r_sample + 0.6 * rr_ms * per_ms)
    inside = (position >= median.qrs_onset) & (position <= median.j)
    outside = cycle & ((position < median.qrs_onset - margin) | (position > median.j + margin))
    if not (inside.any() and outside.any()):
        return float("inf")
    return float(np.sqrt((velocity[inside] ** 2).mean() / max((velocity[outside] ** 2).mean(), 1e-12)))


def _over_leads(rows: Floats) -> Floats:
    """Root mean square over the leads, shape (sample,)."""
    return np.asarray(np.sqrt((rows**2).mean(axis=0)))
