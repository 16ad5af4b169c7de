"""Two fits that every ECG needs, without the set-up that general ones cost: the natural cubic spline and local parabolas."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.linalg import solve_banded

from ecgspasm.ecg import Floats


class NaturalSpline:
    """The cubic spline through values whose second derivative is nothing at both ends.

    Parameters
    ----------
    knots : ndarray, shape (knot,)
        Increasing, at least two.
    values : ndarray, shape (row, knot)
    """

    def __init__(self, knots: Floats, values: Floats) -> None:
        step = np.diff(knots)
        slope = np.diff(values, axis=1) / step
        bend = np.zeros_like(values)
        if len(knots) > 2:
            bands = np.zeros((3, len(knots) - 2))
            bands[1] = 2.0 * (step[:-1] + step[1:])
            bands[0, 1:] = bands[2, :-1] = step[1:-1]
            bend[:, 1:-1] = solve_banded((1, 1), bands, 6.0 * np.diff(slope, axis=1).T, check_finite=False).T
        self._knots = knots
        # coefficients of powers of the distance from the knot before, highest first
        self._powers = (
            np.diff(bend, axis=1) / (6.0 * step),
            bend[:, :-1] / 2.0,
            slope - step * (2.0 * bend[:, :-1] + bend[:, 1:]) / 6.0,
            values[:, :-1],
        )

    def __call__(self, position: Floats) -> Floats:
        """Values at increasing positions, shape (row, position)."""
        ends = np.searchsorted(position, self._knots[1:-1], side="left")
        counts = np.diff(ends, prepend=0, append=len(position))
        distance = position - np.repeat(self._knots[:-1], counts)
        out = np.repeat(self._powers[0], counts, axis=1)
        for power in self._powers[1:]:
            out *= distance
            out += np.repeat(power, counts, axis=1)
        return np.asarray(out)


def local_parabolas(signal: Floats, width: int) -> Floats:
    """Each sample replaced by the parabola through the `width` (odd) samples around it; at the ends through the first or last.

    Savitzky A, Golay MJE, Anal Chem 1964;36:1627-1639.

    Parameters
    ----------
    signal : ndarray, shape (row, sample)
        At least `width` samples.
    width : int
    """
    fit = _parabola(width)
    half = width // 2
    out = np.empty_like(signal)
    windows = np.lib.stride_tricks.sliding_window_view(signal, width, axis=1)
    out[:, half : signal.shape[1] - half] = windows @ fit[half]
    out[:, :half] = signal[:, :width] @ fit[:half].T
    out[:, signal.shape[1] - half :] = signal[:, -width:] @ fit[half + 1 :].T
    return out


@lru_cache(maxsize=16)
def _parabola(width: int) -> Floats:
    """What gives the fitted parabola from `width` samples, shape (width, width)."""
    place = np.arange(width) - width // 2
    powers = np.stack([place**0, place, place**2], axis=1).astype(float)
    return np.asarray(powers @ np.linalg.pinv(powers))
