"""Sustained changes in single leads, and when a change left what the lead does by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats
from ecgspasm.leads import contiguous_pairs
from ecgspasm.masks import true_spans
from ecgspasm.provoking.series import Mask, Series, middle
from ecgspasm.provoking.settings import Rule, settings
from ecgspasm.serial.comparison import Z95

_ROBUST_SD = 1.4826  # median absolute deviation to standard deviation, for normal noise


@dataclass(frozen=True)
class Run:
    """A stretch in which one lead was beyond the limit, on one side."""

    lead: int
    sign: int
    first: int
    last: int
    """Rows of the series."""
    peak: int
    peak_uv: float
    """Of the steady change, without its sign."""


@dataclass(frozen=True, eq=False)
class Traces:
    """One measure of a series, as the search for a response needs it."""

    measure: str
    change: Floats
    steady: Floats
    error: Floats
    """Half of the 95 % interval, shape (lead, row)."""
    usual: Floats
    """What each lead does by itself before the first event (95 %), shape (lead,); 0 where too little is known."""

    @classmethod
    def of(cls, series: Series, measure: str) -> Traces:
        """Of one measure."""
        change = series.change[measure]
        return cls(
            measure,
            change,
            series.steady_change(measure),
            np.nan_to_num(series.error(measure)),
            usual(change, series.is_baseline),
        )

    @property
    def noise(self) -> Floats:
        """What the change must leave to have begun, shape (lead, row)."""
        return np.maximum(self.error, self.usual[:, None])


def usual(values: Floats, before: Mask) -> Floats:
    """How far a lead goes by itself: 95 % of the rows before the first event lie within, shape (lead,)."""
    early = values[..., before]
    known = np.isfinite(early).sum(axis=-1) >= settings("response")["least_rows"]
    away = middle(np.abs(early - middle(early)[..., None]))
    return np.asarray(np.where(known, Z95 * _ROBUST_SD * np.nan_to_num(away), 0.0))


def runs(series: Series, traces: Traces, rule: Rule, window: Mask, sign: int) -> Iterator[Run]:
    """Sustained changes beyond the limit of a rule, on one side, in the rows of a window."""
    least = settings("response")["sustained_s"]
    limit = np.maximum(rule.limit_uv, traces.error)
    for lead in _asked(series):
        rows = np.flatnonzero(window & np.isfinite(traces.change[lead]))
        beyond = sign * traces.change[lead, rows] >= limit[lead, rows]
        for low, high in true_spans(beyond):
            own = rows[low:high]
            if _lasts(series, rows, low, high) >= least:
                height = np.nan_to_num(sign * traces.steady[lead, own])
                peak = int(own[height.argmax()])
                yield Run(lead, sign, int(own[0]), int(own[-1]), peak, float(height.max()))


def _asked(series: Series) -> list[int]:
    """All leads but aVR, which has no neighbour of its own sign; aVR where there is nothing else."""
    rows = [row for row, lead in enumerate(series.leads) if lead != "aVR"]
    return rows or list(range(len(series.leads)))


def _lasts(series: Series, rows: NDArray[np.intp], low: int, high: int) -> float:
    """How long the rows from `low` to before `high` stand for: to half-way to their neighbours."""
    time = series.time_s[rows]
    begins = (time[low - 1] + time[low]) / 2.0 if low else time[low]
    ends = (time[high - 1] + time[high]) / 2.0 if high < len(time) else time[high - 1]
    # A lone ECG has no neighbour to tell how long it stands for.
    return float("inf") if len(time) == 1 else float(ends - begins)


def with_neighbours(series: Series, found: list[Run], rule: Rule) -> list[Run]:
    """Runs that reach the rule's peak in a lead whose neighbour changes at the same time, to the same side."""
    tall = [each for each in found if each.peak_uv >= rule.peak_uv]
    if series.measured.any(axis=1).sum() < settings("response")["leads_to_tell"]:
        return tall
    return [each for each in tall if any(_beside(series, each, other) for other in found)]


def beside(series: Series, chosen: list[Run], found: list[Run]) -> list[Run]:
    """The chosen runs and those of their neighbours at the same time."""
    return [each for each in found if each in chosen or any(_beside(series, each, other) for other in chosen)]


def _beside(series: Series, one: Run, other: Run) -> bool:
    pair = frozenset((series.leads[one.lead], series.leads[other.lead]))
    return pair in contiguous_pairs() and one.sign == other.sign and one.first <= other.last and other.first <= one.last


def departure(along: Floats, noise: Floats, from_row: int) -> int:
    """Walk back from a row to where a curve left its noise for good: the first row since which it has been beyond it."""
    began = from_row
    for row in range(from_row, -1, -1):
        if np.isfinite(along[row]):
            if along[row] <= noise[row]:
                break
            began = row
    return began


def pattern(series: Series, traces: Traces, row: int) -> tuple[Floats, Floats]:
    """How much of the change at one row there is in every other, and the noise of that share; shape (row,) each.

    All leads together see a change earlier than each alone: rows are projected on the pattern that the change has at `row`.
    """
    weight = np.nan_to_num(traces.steady[:, row])
    known = np.isfinite(traces.change)
    square = (known * weight[:, None] ** 2).sum(axis=0)
    seen = square >= max(settings("response")["pattern_share"] * float(weight @ weight), 1e-9)
    square = np.where(seen, square, np.nan)
    share = (np.nan_to_num(traces.change) * weight[:, None]).sum(axis=0) / square
    error = np.sqrt((known * (weight[:, None] * traces.error) ** 2).sum(axis=0)) / square
    return share, np.maximum(error, usual(share, series.is_baseline))
