"""Values over time as plain data: with as many points as can be seen, and no extremum lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.ecg import Floats, number
from ecgspasm.provoking import Series

MOST_VALUES = 150_000
"""So many numbers of a trend, over all leads and measures, at most: 600 kB of a page."""

MEASURES = ("st_uv", "t_net_uv")
"""What a trend of a recording shows."""


_kept: WeakKeyDictionary[Monitoring, dict[str, Floats]] = WeakKeyDictionary()


def deviation(found: Monitoring, measure: str) -> Floats:
    """How far a measure is from its reference, shape (lead, row); found once, since for a day that takes half a second."""
    values = _kept.setdefault(found, {})
    if measure not in values:
        values[measure] = np.asarray(found.deviation_uv(measure), dtype=np.float32)
    return values[measure]


def of_monitoring(found: Monitoring) -> dict[str, Any]:
    """Deviations of ST and T from their reference, and the heart rate."""
    trend = found.trend
    shown = list(MEASURES)
    if any(each.measure == "U" for each in found.episodes):
        shown.append("u_uv")
    values = {name: deviation(found, name) for name in shown} if len(trend.time_s) else {}
    return decimated(trend.time_s, found.leads, values, np.asarray(trend.rate_bpm, dtype=float))


def of_series(series: Series) -> dict[str, Any]:
    """Changes of a provocation test against its baseline, and the heart rate."""
    names = [name for name in ("st_j_uv", "st_j60_uv", "t_net_uv", "t_uv", "u_uv") if name in series.change]
    if "t_net_uv" in names and "t_uv" in names:
        names.remove("t_uv")
    return decimated(series.time_s, series.leads, {name: series.change[name] for name in names}, series.rate_bpm)


def decimated(time_s: Floats, leads: tuple[str, ...], values: Mapping[str, Floats], rate_bpm: Floats) -> dict[str, Any]:
    """Fewer rows that draw the same lines.

    Parameters
    ----------
    time_s : ndarray, shape (row,)
        Never decreasing.
    leads : tuple of str
    values : mapping of str to ndarray, shape (lead, row)
        By measure, ``nan`` where not measured.
    rate_bpm : ndarray, shape (row,)

    Returns
    -------
    dict
        ``time_s``, ``rate_bpm`` and ``measures`` by measure and lead. ``rows_in_one``: each so many rows are two points, their
        least and largest value in the order in which they came; 1 where all rows are kept. ``None`` where nothing was measured.
    """
    n_rows = len(time_s)
    curves = max(len(leads) * len(values) + 1, 1)
    merged = 1 if n_rows * curves <= MOST_VALUES else int(np.ceil(2.0 * n_rows * curves / MOST_VALUES))

    def pick(rows: Floats) -> Floats:
        return rows if merged == 1 else extremes(rows, merged)

    time = time_s if merged == 1 else two_times(time_s, merged)
    return {
        "rows_in_one": merged,
        "time_s": [number(float(each)) for each in time],
        "rate_bpm": row(pick(rate_bpm[None])[0], 0),
        "measures": {
            name: {lead: row(each, 0) for lead, each in zip(leads, pick(rows), strict=True)} for name, rows in values.items()
        },
    }


def row(values: Floats, digits: int = 1) -> list[float | None]:
    """Numbers for JSON, ``None`` for nan."""
    rounded = np.round(np.asarray(values, dtype=float), digits) + 0.0
    whole = digits <= 0
    return [None if each != each else int(each) if whole else each for each in rounded.tolist()]


def _blocks(values: Floats, merged: int) -> Floats:
    """Rows in groups, the last filled with nan, shape (lead, group, row)."""
    groups = -(-values.shape[1] // merged)
    filled = np.full((values.shape[0], groups * merged), np.nan)
    filled[:, : values.shape[1]] = values
    return filled.reshape(values.shape[0], groups, merged)


def two_times(time_s: Floats, merged: int) -> Floats:
    """Two times for each group of rows, a quarter and three quarters through it."""
    blocks = _blocks(time_s[None], merged)[0]
    first, last = np.nanmin(blocks, axis=1), np.nanmax(blocks, axis=1)
    return np.stack([first + (last - first) * share for share in (0.25, 0.75)], axis=1).ravel()


def extremes(values: Floats, merged: int) -> Floats:
    """The least and the largest value of each group, in the order in which they came, shape (lead, 2 x group)."""
    blocks = _blocks(values, merged)
    there = np.isfinite(blocks)
    low, high = (np.where(there, blocks, fill) for fill in (np.inf, -np.inf))
    at_low, at_high = low.argmin(axis=2), high.argmax(axis=2)
    least, most = low.min(axis=2), high.max(axis=2)
    pair = np.stack([np.where(at_low <= at_high, least, most), np.where(at_low <= at_high, most, least)], axis=2)
    # A stretch without any value is a gap, not two infinities.
    any_there = np.asarray(there.any(axis=2))
    return np.where(any_there[..., None], pair, np.nan).reshape(values.shape[0], -1)
