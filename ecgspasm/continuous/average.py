"""Averaged beats of a tile, and where their waves lie: the fiducials that are then carried to every beat of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import Floats
from ecgspasm.processing.delineate import find_waves
from ecgspasm.processing.median import middle_half, stack_beats
from ecgspasm.processing.settings import settings as step_settings

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Averages:
    """Averaged beats of the windows of a tile, usable leads only."""

    signal_uv: Floats
    """Shape (window, lead, sample), both ends at zero."""
    before: int
    """Samples before the fiducial R."""
    window: NDArray[np.intp]
    """Which window of the tile each is, shape (window,)."""
    count: NDArray[np.intp]
    """Beats in each, shape (window,)."""


@dataclass(frozen=True, eq=False)
class Fiducials:
    """Where the waves lie, in samples from R; per window and lead where a lead has its own."""

    qrs_onset: float
    j: float
    t_onset: Floats
    """Shape (window, lead); ``nan`` = absent, as for those below."""
    t_offset: Floats
    u_peak: Floats
    p_offset: float
    """Median over windows and leads."""


def average_beats(signal_uv: Floats, fs: float, r_sample: Floats, window: NDArray[np.intp], rr: float) -> Averages | None:
    """Average the beats of each window; ``None`` if none has enough of them.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        Usable leads, gaps bridged.
    fs : float
    r_sample : ndarray, shape (beat,)
        Aligned fiducials of the dominant beats.
    window : ndarray of int, shape (beat,)
        The window that each belongs to.
    rr : float
        Usual interval in samples.
    """
    numbers = settings("average")
    per_ms = fs / 1000.0
    before = round(min(numbers["before_ms"] * per_ms, numbers["before_share"] * rr))
    after = round(min(rr, numbers["longest_ms"] * per_ms)) - before
    stack, inside = stack_beats(signal_uv, r_sample, before, after)
    first, last = (before + round(ms * per_ms) for ms in numbers["level_ms"])
    stack -= stack[:, :, max(first, 0) : max(last, 1)].mean(axis=2, keepdims=True)
    chosen, count = np.unique(window, return_counts=True)
    keep = count >= settings("beats")["fewest"]
    if not keep.any():
        return None
    beats = [middle_half(stack[:, window == each], inside[window == each]) for each in chosen[keep]]
    return Averages(_levelled(np.stack(beats), fs), before, chosen[keep], count[keep])


def known_median(values: Floats) -> Floats:
    """Median over the windows of what is known, shape (lead,); ``nan`` where nothing is."""
    ordered = np.sort(values, axis=0)  # nan last
    count = np.maximum(np.isfinite(ordered).sum(axis=0), 1)
    at = np.arange(values.shape[1])
    return np.asarray((ordered[(count - 1) // 2, at] + ordered[count // 2, at]) / 2.0)


def _levelled(beats: Floats, fs: float) -> Floats:
    """Take off the line between the ends of each averaged beat, so that they can be strung together."""
    width = max(1, round(0.02 * fs))
    left, right = beats[..., :width].mean(axis=-1), beats[..., -width:].mean(axis=-1)
    share = np.linspace(0.0, 1.0, beats.shape[-1])
    return np.asarray(beats - left[..., None] - (right - left)[..., None] * share)


def find_fiducials(averages: Averages, fs: float) -> Fiducials | None:
    """Delineate the averaged beats, strung together to a short strip in which each has neighbours.

    Returns
    -------
    Fiducials or None
        ``None`` if the complexes cannot be found again.
    """
    n_windows, n_leads, length = averages.signal_uv.shape
    order = [0, *range(n_windows), n_windows - 1]
    strip = np.concatenate([averages.signal_uv[each] for each in order], axis=1)
    fast = step_settings("fast")
    rr_ms = length * 1000.0 / fs
    slower = max(rr_ms / fast["slowed_to_ms"], fast["slowest"]) if rr_ms < fast["fast_ms"] else 1.0
    found = find_waves(strip, fs * slower)
    if len(found.r_sample) == 0:
        return None
    expected = averages.before + length * np.arange(1, n_windows + 1)
    # The global QRS tells the beat: its middle lies near R whatever lead the decoder took its own fiducial from.
    middle = (found.qrs_onset + found.qrs_offset) / 2.0
    apart = np.abs(np.where(np.isfinite(middle), middle, found.r_sample)[:, None] - expected)
    nearest = apart.argmin(axis=0)
    near = settings("average")["found_near_ms"] * fs / 1000.0
    good = (apart[nearest, np.arange(n_windows)] < near) & np.isfinite(middle[nearest])
    if not good.any():
        return None
    at, origin = nearest[good], expected[good]

    def of_leads(values: Floats) -> Floats:
        full = np.full((n_windows, n_leads), np.nan)
        full[good] = (values[:, at] - origin).T
        return full

    absent = np.full(found.t.peak.shape, np.nan)
    p_offset = (found.p.offset[:, at] - origin).ravel()
    return Fiducials(
        qrs_onset=float(np.median(found.qrs_onset[at] - origin)),
        j=float(np.median(found.qrs_offset[at] - origin)),
        t_onset=of_leads(found.t.onset),
        t_offset=of_leads(found.t.offset),
        u_peak=of_leads(absent if found.u_peak is None else found.u_peak),
        p_offset=float(np.median(p_offset[np.isfinite(p_offset)])) if np.isfinite(p_offset).any() else float("nan"),
    )
