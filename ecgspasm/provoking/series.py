"""The common form of every provocation test: values over time with their change against the baseline.

Averages of a recording, single ECGs and per-beat tables all become a `Series`; what is asked of a test is asked of it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecgspasm.criteria import load_criteria
from ecgspasm.ecg import Floats, Measurements, Strings, Subject
from ecgspasm.provoking.settings import Rule, settings
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import Z95, Comparison
from ecgspasm.serial.repeatability import repeat_sd

Mask = NDArray[np.bool_]


def middle(values: Floats) -> Floats:
    """Median over the last axis without the missing values; ``nan`` where there is none."""
    ordered = np.sort(values, axis=-1)
    count = np.isfinite(values).sum(axis=-1)[..., None]
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    pair = [np.take_along_axis(ordered, np.maximum(at, 0), -1) for at in ((count - 1) // 2, count // 2)]
    return np.asarray(np.where(count > 0, (pair[0] + pair[1]) / 2.0, np.nan)[..., 0])


@dataclass(frozen=True)
class Doubt:
    """A stretch in which the monitor takes a change of ST for something else than ischemia."""

    start_s: float
    end_s: float
    kind: str
    """``posture/axis step``, ``conduction change``, ``rate-related`` or ``artefact``."""
    evidence: str

    def __str__(self) -> str:
        return f"it looks like {self.kind} ({self.evidence})"


@dataclass(frozen=True, eq=False)
class Series:
    """Values over time, and their change against the baseline.

    Attributes
    ----------
    time_s : ndarray, shape (row,)
        Never decreasing; middle of an average, or the time of an ECG.
    leads : tuple of str
    value, change, se : mapping of str to ndarray, shape (lead, row)
        By measure (see `Measurements.values`), in uV; `se` is the standard error that the measurement leaves to the change.
        ``nan`` where a lead was not measured.
    reason : ndarray of str, shape (lead, row)
        Why a lead was not measured; empty where it was.
    rate_bpm, qrs_ms : ndarray, shape (row,)
    is_baseline : ndarray of bool, shape (row,)
        Rows that end before the first provoking event.
    baseline_words : str
        What the changes are against.
    start_s, end_s : float
        From where to where there was something to measure.
    comparisons : mapping of int to Comparison
        By row, where whole ECGs were compared.
    doubts : tuple of Doubt
        Of a recording.
    """

    time_s: Floats
    leads: tuple[str, ...]
    value: Mapping[str, Floats]
    change: Mapping[str, Floats]
    se: Mapping[str, Floats]
    reason: Strings
    rate_bpm: Floats
    qrs_ms: Floats
    is_baseline: Mask
    baseline_words: str
    start_s: float
    end_s: float
    baseline_rate_bpm: float = float("nan")
    baseline_qrs_ms: float = float("nan")
    subject: Subject = field(default_factory=Subject)
    source: str = ""
    notes: tuple[str, ...] = ()
    comparisons: Mapping[int, Comparison] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    _steady: dict[tuple[str, str], Floats] = field(default_factory=dict, init=False, repr=False)

    def measure(self, rule: Rule) -> str:
        """The measure that a rule reads here; empty if there is none."""
        return next((name for name in rule.measures if name in self.value), "")

    def baseline(self, measure: str) -> Floats:
        """What the baseline was, shape (lead,)."""
        return middle(self.value[measure] - self.change[measure])

    def repeat(self, measure: str) -> Floats:
        """Standard deviation of the change when nothing has happened, shape (lead,); 0 where no table tells."""
        return np.nan_to_num(repeat_sd(measure, self.leads, "same", self.baseline(measure)))

    def error(self, measure: str) -> Floats:
        """Half of the 95 % interval of the change, shape (lead, row)."""
        return np.asarray(Z95 * np.hypot(self.se[measure], self.repeat(measure)[:, None]))

    def doubt(self, row: int) -> Doubt | None:
        """What else a change at a row looks like, if it does."""
        return next((each for each in self.doubts if each.start_s <= self.time_s[row] <= each.end_s), None)

    @property
    def measured(self) -> Mask:
        """Which leads were measured when, shape (lead, row)."""
        return np.asarray(self.reason == "")

    @cached_property
    def _reach(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        half = settings("response")["sustained_s"] / 2.0
        return np.searchsorted(self.time_s, self.time_s - half), np.searchsorted(self.time_s, self.time_s + half, side="right")

    def steady_value(self, measure: str) -> Floats:
        """Running median over the time for which a change must last, shape (lead, row): one artefact is no extremum."""
        return self._running("value", measure)

    def steady_change(self, measure: str) -> Floats:
        """The same of the change, shape (lead, row)."""
        return self._running("change", measure)

    def _running(self, which: str, measure: str) -> Floats:
        if (which, measure) not in self._steady:
            values = getattr(self, which)[measure]
            first, last = self._reach
            place = first[:, None] + np.arange(max(int((last - first).max(initial=1)), 1))
            rows = np.where(place < last[:, None], values[:, np.minimum(place, len(self.time_s) - 1)], np.nan)
            self._steady[which, measure] = np.where(np.isfinite(values), middle(rows), np.nan)
        return self._steady[which, measure]

    def compared(self, row: int) -> Comparison:
        """One row against the baseline, judged by all criteria; ST is read at J+60 where nothing tells J."""
        if row in self.comparisons:
            return self.comparisons[row]
        now = {name: self.steady_value(name)[:, row] for name in self.value}
        before = {name: now[name] - self.steady_change(name)[:, row] for name in now}
        error = {name: values[:, row] for name, values in self.se.items()}
        tables = (
            Measurements.from_table(
                self.leads, before, subject=self.subject, rate_bpm=self.baseline_rate_bpm, qrs_ms=self.baseline_qrs_ms
            ),
            Measurements.from_table(
                self.leads,
                now,
                se=error,
                subject=self.subject,
                rate_bpm=float(self.rate_bpm[row]),
                qrs_ms=float(self.qrs_ms[row]),
            ),
        )
        rules = load_criteria()
        if "st_j_uv" not in self.value:
            rules = tuple(each.at("st_j60_uv") for each in rules)
        return compare(*tables, electrodes="same", criteria=rules)


def second_largest(size: Floats) -> Floats:
    """Second largest over the leads, shape (row,): one lead alone may be an artefact; the largest of a single lead."""
    filled = np.sort(np.where(np.isfinite(size), size, -np.inf), axis=0)
    single = np.isfinite(size).any(axis=1).sum() < 2
    row = filled[-1] if single or len(filled) < 2 else np.where(np.isfinite(filled[-2]), filled[-2], -np.inf)
    return np.asarray(np.where(np.isfinite(row), row, np.nan))
