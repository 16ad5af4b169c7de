"""What each phase of a test showed: the change against the baseline at its extremum and at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import MEASURED, Floats, number, sort_leads
from ecgspasm.leads import contiguous_groups, territory
from ecgspasm.provoking.events import ProvocationEvent
from ecgspasm.provoking.series import Series, second_largest
from ecgspasm.provoking.settings import rules, settings
from ecgspasm.serial.comparison import Change

Rows = NDArray[np.intp]

SHOWN = ("st_j_uv", "st_j60_uv", "t_net_uv", "t_uv", "u_uv")
"""The measures that a phase tells, as far as they were measured; of the two of T the first."""

BASELINE = "baseline"


@dataclass(frozen=True, eq=False)
class PhaseChange:
    """One measure in one phase.

    Attributes
    ----------
    extremum_s, end_s : float
        When: the time at which the second largest change of all leads was largest, and the last measurement of the phase.
    extremum_row : int
        In the series.
    extremum, end : Change
        Against the baseline, arrays of shape (lead,), with 95 % intervals.
    """

    extremum_s: float
    end_s: float
    extremum_row: int
    extremum: Change
    end: Change


@dataclass(frozen=True, eq=False)
class Phase:
    """From one event to the next.

    Attributes
    ----------
    name : str
        ``baseline``, or the text of the event that begins it.
    event : ProvocationEvent or None
    start_s, end_s : float
    rows : ndarray of int
        Of the series.
    state : tuple of str
        Per lead ``measured`` or ``not_measurable: reason``.
    changes : mapping of str to PhaseChange
        By measure; empty where nothing was measured.
    changed : mapping of str to tuple of str
        By ``ST``, ``T``, ``U``: leads that were changed at the extremum, two or more that hang together.
    """

    name: str
    event: ProvocationEvent | None
    start_s: float
    end_s: float
    rows: Rows
    state: tuple[str, ...]
    changes: Mapping[str, PhaseChange]
    changed: Mapping[str, tuple[str, ...]]

    @property
    def kind(self) -> str:
        """``baseline`` or the kind of its event."""
        return BASELINE if self.event is None else self.event.kind

    @property
    def measured(self) -> bool:
        """Whether at least one lead was."""
        return MEASURED in self.state

    @property
    def reason(self) -> str:
        """Why nothing was measured; empty where something was."""
        return "" if self.measured else self.state[0].removeprefix("not_measurable: ")

    def to_dict(self, leads: tuple[str, ...]) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "kind": self.kind,
            "start_s": number(self.start_s),
            "end_s": number(self.end_s),
            "reason": self.reason or None,
            "changed": {
                name: {"leads": list(found), "territory": territory(found) if found else None}
                for name, found in self.changed.items()
            },
            "extremum_s": {name: number(each.extremum_s) for name, each in self.changes.items()},
            "leads": {
                lead: {"state": self.state[row]} | {name: _both(each, row) for name, each in self.changes.items()}
                for row, lead in enumerate(leads)
            },
        }


def _both(each: PhaseChange, row: int) -> dict[str, Any]:
    return {"extremum": _told(each.extremum, row), "end": _told(each.end, row)}


def _told(change: Change, row: int) -> dict[str, float | None]:
    parts = {"baseline_uv": change.baseline, "value_uv": change.current, "change_uv": change.difference}
    parts |= {"low_uv": change.low, "high_uv": change.high}
    return {name: number(part[row]) for name, part in parts.items()}


def shown(series: Series) -> tuple[str, ...]:
    """The measures that phases of a series tell."""
    names = [name for name in SHOWN if name in series.value]
    return tuple(name for name in names if not (name == "t_uv" and "t_net_uv" in names))


def phases(series: Series, events: list[ProvocationEvent]) -> tuple[Phase, ...]:
    """Cut a series at the events; a row at the very time of an event belongs to what was before it."""
    edges = [each.time_s for each in events]
    begins = [-np.inf, *edges]
    ends = [*edges, np.inf]
    first = [series.start_s, *edges]
    last = [*edges, max(series.end_s, edges[-1])]
    found = []
    for place, event in enumerate([None, *events]):
        rows = np.flatnonzero((series.time_s > begins[place]) & (series.time_s <= ends[place]))
        found.append(_phase(series, event, rows, first[place], last[place]))
    return tuple(found)


def _phase(series: Series, event: ProvocationEvent | None, rows: Rows, start_s: float, end_s: float) -> Phase:
    state = tuple(_state(series, lead, rows) for lead in range(len(series.leads)))
    known = [row for row in rows if series.measured[:, row].any()]
    changes = {} if not known else {name: each for name in shown(series) if (each := _change(series, name, np.array(known)))}
    name = BASELINE if event is None else event.text
    return Phase(name, event, start_s, end_s, rows, state, changes, _changed(series, changes))


def _state(series: Series, lead: int, rows: Rows) -> str:
    reasons = series.reason[lead, rows]
    if not len(reasons):
        return "not_measurable: no ECG in this phase"
    if (reasons == "").any():
        return MEASURED
    return f"not_measurable: {Counter(reasons.tolist()).most_common(1)[0][0]}"


def _change(series: Series, name: str, rows: Rows) -> PhaseChange | None:
    steady = series.steady_change(name)
    size = np.abs(steady[:, rows]) if name != "u_uv" else -steady[:, rows]  # U counts when it is negative
    if not np.isfinite(size).any():
        return None
    peak = int(rows[np.nan_to_num(second_largest(size), nan=-np.inf).argmax()])
    # The last row may have lost most leads: the last with at least half as many as the best one.
    count = np.isfinite(series.change[name][:, rows]).sum(axis=0)
    end = int(rows[np.flatnonzero(2 * count >= count.max())[-1]])
    times = float(series.time_s[peak]), float(series.time_s[end])
    return PhaseChange(*times, peak, _at(series, name, steady, peak), _at(series, name, steady, end))


def _at(series: Series, name: str, steady: Floats, row: int) -> Change:
    now = series.steady_value(name)[:, row]
    return Change(now - steady[:, row], now, series.se[name][:, row], series.repeat(name))


def _changed(series: Series, changes: Mapping[str, PhaseChange]) -> dict[str, tuple[str, ...]]:
    """Leads beyond the limit of a rule and beyond their interval, in groups that hang together."""
    found = {}
    several = series.measured.any(axis=1).sum() >= settings("response")["leads_to_tell"]
    for rule in rules():
        each = changes.get(series.measure(rule))
        if each is None:
            continue
        change = each.extremum.difference
        beyond = np.abs(change) >= np.maximum(rule.limit_uv, each.extremum.detectable)
        beyond &= np.isfinite(change) & np.isin(np.sign(change), rule.signs)
        names = [lead for lead, yes in zip(series.leads, beyond, strict=True) if yes and lead != "aVR"]
        groups = [group for group in contiguous_groups(names) if len(group) >= 2 or not several]
        found[rule.name] = sort_leads(lead for group in groups for lead in group)
    return found
