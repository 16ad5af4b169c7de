"""Sampling rate by the times of the samples."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.errors import EcgError

_FEW_STEPS = 10
"""Of fewer, the straight line gives way to one that is missing."""
_SEAM = 100
"""Times on either side of a seam that are looked at together."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Sampling rate by the times of the samples."""

    fs: float
    """Hz; where nobody tells the unit of the times, samples in one of that unit."""
    error: float
    """Relative, from how the times are rounded."""
    unit_told: bool

    def fits(self, fs: float) -> bool:
        """Whether the times can be those of `fs`; without a unit they may be seconds, milliseconds or numbers of samples."""
        readings = (self.fs,) if self.unit_told else (self.fs, 1000.0 * self.fs, fs * self.fs)
        return any(abs(fs - each) <= self.error * each for each in readings)


def rate_of_times(times: NDArray[Any], unit_s: float) -> Rate | None:
    """Sampling rate by the times of the samples; None if there are too few of them.

    Parameters
    ----------
    times : ndarray, shape (sample,)
        Numbers, or dates or spans of numpy, which have their unit themselves.
    unit_s : float
        Seconds in the unit of the times; 0 if nobody tells it.

    Raises
    ------
    EcgError
        If the steps are not all alike: a sample is missing, or the rate changes.
    """
    if times.dtype.kind in "mM":
        if np.isnat(times).any():
            raise EcgError("a time is missing; give every sample its time, or leave the times out")
        since = times - times[0] if len(times) else times
        times, unit_s = since.astype("timedelta64[ns]").astype(np.int64), 1e-9
    if len(times) < 2:
        return None
    exact = np.asarray(times, dtype=np.float64) - float(times[0])
    place = np.arange(len(exact), dtype=np.float64)
    place -= (len(exact) - 1) / 2
    steps = len(exact) - 1
    # a straight line through all times, since the first and the last are rounded like any other
    step = float(place @ exact / (place @ place)) if np.isfinite(exact).all() else math.nan
    if not step > 0:
        raise EcgError("the times do not grow; sort the rows by time, or leave the times out")
    uneven = steps < _FEW_STEPS and _are_uneven(np.diff(exact))
    # in place, since the times of hours are large
    exact /= step
    exact -= place
    off = float(exact.max() - exact.min()) / 2
    # rounding to whole ms is off by 0.26 of a step at 512 Hz; one sample that is missing by half a step
    if off > 0.3 or uneven:
        raise EcgError("the steps of the times are not all alike, so samples are missing or the rate changes; cut the recording")
    fs = 1.0 / (step * (unit_s or 1.0))
    error = (2 * off + 1e-3) / steps + 1e-9
    # times are rounded, rates are mostly whole
    whole = round(fs)
    return Rate(float(whole) if whole and abs(fs - whole) <= error * fs else fs, error, bool(unit_s))


def _are_uneven(between: NDArray[np.float64]) -> bool:
    usual = float(np.median(between))
    return bool(np.abs(between - usual).max() > 0.3 * usual)


def rates_of_pieces(pieces: Iterable[NDArray[Any]], unit_s: float) -> list[Rate | None]:
    """Do as `rate_of_times` for times that come piece by piece, and look at their seams too.

    Raises
    ------
    EcgError
        If the steps are not all alike.
    """
    rates: list[Rate | None] = []
    before: NDArray[Any] | None = None
    for piece in pieces:
        rates.append(rate_of_times(piece, unit_s))
        if before is not None:
            rate_of_times(np.concatenate([before, piece[:_SEAM]]), unit_s)
        before = piece[-_SEAM:].copy()
    return rates
