"""Peaks and boundaries of P and T drawn towards what the signal itself shows.

The net is sure about where a wave is and less so about its last milliseconds; the summit of the smoothed signal and the steepest
tangents of the flanks know these better where the wave is large. Each boundary becomes a weighted mean of both estimates, whose
errors are largely independent of each other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats
from ecgspasm.processing.decode import Found, Wave
from ecgspasm.processing.settings import settings
from ecgspasm.processing.spans import Integral

# In coarsely rounded signals summits and tangents tie, and the last bits, which another processor computes otherwise, must not
# tell which one is taken: the kernels of OpenBLAS move what the net finds by 0.00001 samples.
_SAME_HEIGHT, _SAME_SLOPE = 0.0001, 0.001  # as shares of the largest


def refine(found: Found, integral: Integral, fs: float) -> Found:
    """Refine the P and T waves of every lead and beat.

    Parameters
    ----------
    found : Found
    integral : Integral
        Of the signal that it was found in.
    fs : float

    Returns
    -------
    Found
        With refined P, T and extra P waves; nothing appears or disappears.
    """
    p, t, extra = (_refined(each, integral, fs, name) for each, name in ((found.p, "p"), (found.t, "t"), (found.extra_p, "p")))
    return replace(found, p=p, t=t, extra_p=extra)


def _refined(wave: Wave, integral: Integral, fs: float, name: str) -> Wave:
    numbers = settings(f"refine_{name}")
    there = np.isfinite(wave.peak)
    rows, columns = np.nonzero(there)
    if len(rows) == 0:
        return wave
    per_ms = fs / 1000.0
    box = numbers["box_ms"] * per_ms
    onset, peak, offset = (each[rows, columns] for each in (wave.onset, wave.peak, wave.offset))
    before = integral.mean_at(rows, onset - numbers["level_ms"] * per_ms, box)
    after = integral.mean_at(rows, offset + numbers["level_ms"] * per_ms, box)
    steps = np.linspace(-1.0, 1.0, 25) * numbers["reach_ms"] * per_ms
    around = peak[:, None] + steps
    height = integral.mean_at(np.broadcast_to(rows[:, None], around.shape), around, box) - ((before + after) / 2)[:, None]
    sign = np.where(height[:, 12] < 0, -1.0, 1.0)
    summit = peak + _top(height * sign[:, None], steps)
    flank = numbers["flank_ms"] * per_ms
    end = _tangent(integral, rows, summit, offset + flank, after, sign, box) + numbers["end_shift_ms"] * per_ms
    start = _tangent(integral, rows, summit, onset - flank, before, sign, box) - numbers["start_shift_ms"] * per_ms
    limit = numbers["largest_ms"] * per_ms
    blended = (
        _blend(onset, start, numbers["start_weight"], limit),
        _blend(peak, summit, numbers["peak_weight"], limit),
        _blend(offset, end, numbers["end_weight"], limit),
    )
    result = np.full((3, *there.shape), np.nan)
    result[:, rows, columns] = blended
    return Wave(result[0], result[1], result[2], wave.weight)


def _top(height: Floats, steps: Floats) -> Floats:
    """Where the highest of the values lies, between the steps by a parabola; 0 when it is at an end (no summit there)."""
    at = _first_largest(height, _SAME_HEIGHT)
    inner = np.clip(at, 1, len(steps) - 2)[..., None]
    left, top, right = (np.take_along_axis(height, inner + step, axis=-1)[..., 0] for step in (-1, 0, 1))
    bend = left - 2 * top + right
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros_like(top), where=bend < 0)
    place = steps[inner[..., 0]] + np.clip(shift, -0.5, 0.5) * (steps[1] - steps[0])
    return np.asarray(np.where((at > 0) & (at < len(steps) - 1), place, 0.0))


def _first_largest(values: Floats, share: float) -> NDArray[np.intp]:
    """Index along the last axis of the first value that is as large as the largest, or all but."""
    within = share * np.abs(values).max(axis=-1, keepdims=True)
    return np.asarray((values >= values.max(axis=-1, keepdims=True) - within).argmax(axis=-1))


def _tangent(
    integral: Integral, rows: NDArray[np.intp], summit: Floats, limit: Floats, level: Floats, sign: Floats, box: float
) -> Floats:
    """Where the steepest tangent between summit and limit meets the level beyond the wave."""
    width = (limit - summit)[:, None]
    place = summit[:, None] + np.linspace(0.0, 1.0, 21) * width
    value = integral.mean_at(np.broadcast_to(rows[:, None], place.shape), place, box)
    # Slope away from the summit, in uV per sample, by central differences of the box means.
    fall = (value[:, :-2] - value[:, 2:]) / (width / 10.0) * sign[:, None] * np.sign(width)
    at = _first_largest(fall, _SAME_SLOPE)
    every = np.arange(len(rows))
    steep = fall[every, at]
    rest = (value[every, at + 1] - level) * sign
    away = np.divide(rest, steep, out=np.full_like(steep, np.nan), where=steep > 1e-9)
    return np.asarray(place[every, at + 1] + np.sign(width[:, 0]) * away)


def _blend(own: Floats, other: Floats, weight: float, limit: float) -> NDArray[np.float64]:
    """Weighted mean, where the two are not too far apart to speak of the same boundary."""
    apart = other - own
    return np.asarray(np.where(np.abs(apart) < limit, own + weight * np.nan_to_num(apart), own))
