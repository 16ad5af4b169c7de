"""What a measure is usually: the quiet level that the trend follows slowly, and how much it varies from one average to the next.

The level is the middle of the values around, taken twice more without what was away from it: episodes do not pull it along, slow
drift (posture in sleep, drugs, the day) does. How wide "around" is decides between the two: see ``settings.toml``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import Floats

_SPANS_AT_ONCE = 128
_MAD = 1.4826  # median absolute deviation to standard deviation, for normal noise


def quiet_level(time_s: Floats, values: Floats, away_uv: float) -> Floats:
    """Follow the level of each lead when nothing happens.

    Parameters
    ----------
    time_s : ndarray, shape (row,)
        Increasing.
    values : ndarray, shape (lead, row)
        ``nan`` where not measured.
    away_uv : float
        What differs by more from the level found so far does not count for the next try.

    Returns
    -------
    ndarray, shape (lead, row)
        ``nan`` throughout for a lead that was never measured.
    """
    every = int(settings("reference")["every"])
    time, sparse = time_s[::every], values[:, ::every]
    out = np.full(values.shape, np.nan, np.float32)
    for row, lead in enumerate(sparse):
        known = np.isfinite(lead)
        if known.any():
            places, level = _level_of(time[known], lead[known].astype(float), away_uv)
            out[row] = np.interp(time_s, places, level)
    return out


def _level_of(time: Floats, values: Floats, away_uv: float) -> tuple[Floats, Floats]:
    """Level of one lead at places some way apart: both of shape (place,)."""
    numbers = settings("reference")
    least = int(numbers["least"])
    # Places where something was measured, no more than a step from each other.
    grid = np.arange(time[0], time[-1] + numbers["step_s"], numbers["step_s"])
    places = time[np.unique(np.searchsorted(time, grid).clip(max=len(time) - 1))]
    kept = np.ones(len(time), dtype=bool)
    level: Floats = np.empty(0)
    for turn in range(numbers["turns"]):
        half = numbers["window_s" if turn else "first_window_s"] / 2.0
        t, v = time[kept], values[kept]
        middle = np.searchsorted(t, places)
        first = np.minimum(np.searchsorted(t, places - half), np.maximum(middle - least // 2, 0))
        last = np.maximum(np.searchsorted(t, places + half), np.minimum(middle + least // 2, len(t)))
        level = _of_spans(v, first, last, _densest if turn == 0 else _middle)
        near = np.abs(values - np.interp(time, places, level)) < away_uv * (1.0 if turn else numbers["first_away"])
        kept = near if near.sum() >= least else kept
    return places, level


def _of_spans(values: Floats, first: Floats, last: Floats, statistic: Callable[[Floats], Floats]) -> Floats:
    """A statistic of the values of each span, some spans at a time: a long recording needs no more memory than a short one."""
    out = np.empty(len(first))
    for at in range(0, len(first), _SPANS_AT_ONCE):
        low, high = first[at : at + _SPANS_AT_ONCE], last[at : at + _SPANS_AT_ONCE]
        around = low[:, None] + np.arange(max(int((high - low).max()), 1))
        rows = np.where(around < high[:, None], values[np.minimum(around, len(values) - 1)], np.nan)
        out[at : at + _SPANS_AT_ONCE] = statistic(rows)
    return out


def _densest(rows: Floats) -> Floats:
    """Mean of the shortest half of each row: of the interval that holds half of the values in the least width.

    It is deaf to what lies off to one side, as an episode does, while that is the smaller part.
    """
    ordered = np.sort(rows, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    half = (count + 1) // 2
    last = np.arange(rows.shape[1]) + half[:, None] - 1
    inside = last < count[:, None]
    width = np.where(inside, np.take_along_axis(ordered, np.minimum(last, rows.shape[1] - 1), 1) - ordered, np.inf)
    start = width.argmin(axis=1)
    total = np.concatenate([np.zeros((len(rows), 1)), np.nancumsum(ordered, axis=1)], axis=1)
    at = np.arange(len(rows))
    return np.asarray((total[at, start + half] - total[at, start]) / np.maximum(half, 1))


def _middle(rows: Floats) -> Floats:
    """Median of the known values of each row."""
    ordered = np.sort(rows, axis=1)
    count = np.maximum(np.isfinite(ordered).sum(axis=1), 1)
    at = np.arange(len(rows))
    return np.asarray((ordered[at, (count - 1) // 2] + ordered[at, count // 2]) / 2.0)


def unrest(time_s: Floats, deviation_uv: Floats) -> Floats:
    """Standard deviation of an average against the next one, around each time, shape (lead, row).

    Neighbouring averages differ little in an episode, which takes minutes, and much in a lead full of movement or breathing: what
    does not stand out from it is no episode.
    """
    numbers = settings("reference")
    every, half = int(numbers["every"]), numbers["window_s"] / 2.0
    time, sparse = time_s[::every], deviation_uv[:, ::every]
    out = np.full(deviation_uv.shape, np.nan, np.float32)
    if len(time) < 2:
        return out
    steps, between = np.abs(np.diff(sparse, axis=1)) / np.sqrt(2.0), time[1:]
    places = np.arange(time[0], time[-1] + numbers["unrest_step_s"], numbers["unrest_step_s"])
    for row, lead in enumerate(steps):
        known = np.isfinite(lead)
        t, v = between[known], lead[known]
        if len(t):
            first, last = np.searchsorted(t, places - half), np.searchsorted(t, places + half)
            some = np.flatnonzero(last > first)
            found = [_MAD * np.median(v[first[at] : last[at]]) for at in some]
            out[row] = np.interp(time_s, places[some], found)
    return out
