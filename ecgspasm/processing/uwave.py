"""U waves: a low bump of either sign after the end of T that the beats around repeat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats
from ecgspasm.processing.decode import Found
from ecgspasm.processing.settings import settings
from ecgspasm.processing.spans import Integral


def find_u(found: Found, integral: Integral, fs: float) -> Found:
    """Look for a U wave after each T wave.

    The largest deviation of the smoothed signal from the chord that spans the time between T and the next P wave is a U wave
    when it is high enough and when most beats around have one of the same sign at about the same place: single bumps of noise
    are not repeated.

    Parameters
    ----------
    found : Found
    integral : Integral
        Of the signal that it was found in.
    fs : float

    Returns
    -------
    Found
        With `u_peak` (fractional samples; nan = absent) and `u_shape` (``positive``, ``negative`` or ``absent``).
    """
    numbers = settings("u_wave")
    per_ms = fs / 1000.0
    peak = np.full(found.t.offset.shape, np.nan)
    sign = np.zeros(peak.shape)
    if peak.size == 0:
        return replace(found, u_peak=peak, u_shape=np.full(peak.shape, "absent", dtype="U17"))
    start = found.t.offset + numbers["after_t_ms"] * per_ms
    end = np.minimum(found.t.offset + numbers["reach_ms"] * per_ms, _next_wave(found) - numbers["before_p_ms"] * per_ms)
    rows, columns = np.nonzero(end - start > numbers["shortest_ms"] * per_ms)
    if len(rows):
        first, width = start[rows, columns], (end - start)[rows, columns]
        share = np.linspace(0.0, 1.0, numbers["points"])
        place = first[:, None] + width[:, None] * share
        value = integral.mean_at(np.broadcast_to(rows[:, None], place.shape), place, numbers["box_ms"] * per_ms)
        bump = value - value[:, :1] - share * (value[:, -1:] - value[:, :1])
        at = np.abs(bump).argmax(axis=1)
        height = bump[np.arange(len(rows)), at]
        high = np.abs(height) >= numbers["smallest_uv"]
        peak[rows[high], columns[high]] = place[high, at[high]]
        sign[rows[high], columns[high]] = np.sign(height[high])
    kept = _repeated(peak - found.t.peak, sign, numbers["spread_ms"] * per_ms, numbers["repeated_share"])
    shape = np.where(sign > 0, "positive", "negative")
    return replace(found, u_peak=np.where(kept, peak, np.nan), u_shape=np.where(kept, shape, "absent").astype("U17"))


def _next_wave(found: Found) -> Floats:
    """Onset of the next P wave in the lead, or, where there is none, of the next QRS complex less a PR interval."""
    pr = settings("u_wave")["usual_pr_s"] * np.nanmedian(np.diff(found.r_sample)) if len(found.r_sample) > 1 else 0.0
    own = np.where(np.isfinite(found.p.onset), found.p.onset, found.qrs_onset[None] - pr)
    return np.asarray(np.concatenate([own[:, 1:], np.full((len(own), 1), np.nan)], axis=1))


def _repeated(delay: Floats, sign: Floats, spread: float, share: float) -> NDArray[np.bool_]:
    """Which bumps most of the beats around repeat: same sign, and no further than `spread` from their median delay."""
    reach = settings("u_wave")["beats_around"]
    wide = np.pad(np.where(np.isfinite(delay), delay * sign, np.nan), ((0, 0), (reach, reach)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(wide, 2 * reach + 1, axis=1)
    # The sign is carried by the delay, so that one comparison asks for both.
    own = (delay * sign)[..., None]
    alike = (np.abs(windows - own) <= spread).sum(axis=2)
    there = min(2 * reach + 1, delay.shape[1])
    return np.asarray(np.isfinite(delay) & (alike >= max(3, share * there)))
