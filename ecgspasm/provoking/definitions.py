"""The ECG half of the published definitions of vasospastic angina, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ecgspasm.continuous.episode import RATE
from ecgspasm.ecg import number
from ecgspasm.provoking.events import Cycle
from ecgspasm.provoking.phases import Phase
from ecgspasm.provoking.response import EARLIER, HALF, Relief, Response, settled
from ecgspasm.provoking.runs import Traces, pattern
from ecgspasm.provoking.series import Series
from ecgspasm.provoking.settings import CAVEAT, rules, table
from ecgspasm.serial.comparison import MET, NOT_MET, UNDECIDED, Finding
from ecgspasm.serial.words import lead_span

SPARSE_S = 20.0
"""Of rows further apart than this only the most is told of a delay."""

EQUIVOCAL = "T inversion alone is equivocal: it is in neither definition"


@dataclass(frozen=True)
class HalfDefinition:
    """What the ECG says of a definition whose other half is symptoms and angiography.

    Attributes
    ----------
    id, title : str
    verdict : {'MET', 'NOT_MET', 'UNDECIDED'}
    shows : str
        The criterion that was met, or could not be decided.
    phase : str
        In which it was.
    leads : tuple of str
    territory : str
    values : mapping of str to mapping
        Per lead: baseline, current, change, its 95 % interval, threshold.
    reason : str
    source : str
    """

    id: str
    title: str
    verdict: str
    reason: str
    source: str
    shows: str = ""
    phase: str = ""
    leads: tuple[str, ...] = ()
    territory: str = ""
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "id": self.id,
            "title": self.title,
            "verdict": self.verdict,
            "shows": self.shows or None,
            "phase": self.phase or None,
            "leads": list(self.leads),
            "territory": self.territory or None,
            "values": {lead: {name: number(each, 2) for name, each in row.items()} for lead, row in self.values.items()},
            "reason": self.reason,
            "source": self.source,
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """One criterion at the extremum of one phase."""

    phase: Phase
    finding: Finding
    row: int


def judged(series: Series, found: tuple[Phase, ...]) -> tuple[Judged, ...]:
    """All criteria at the extrema of the phases after the first provocation, each at that of its own measure."""
    started = False
    out = []
    for phase in found:
        started |= phase.kind == "provoking"
        if not started or not phase.changes:
            continue
        rows = {name: each.extremum_row for name, each in phase.changes.items()}
        compared = {row: series.compared(row) for row in set(rows.values())}
        fallback = rows.get("st_j60_uv", next(iter(rows.values())))
        for row, comparison in compared.items():
            for finding in (*comparison.findings, *comparison.definitions):
                own = rows.get(finding.measure, rows.get("t_net_uv", fallback) if finding.measure.startswith("t_") else fallback)
                if own == row:
                    out.append(Judged(phase, finding, row))
    return tuple(out)


def halves(
    series: Series, found: tuple[Judged, ...], cycles: tuple[Cycle, ...], responses: tuple[Response, ...]
) -> tuple[HalfDefinition, ...]:
    """Judge each definition of ``definitions.toml``."""
    return tuple(_half(series, found, cycles, responses, row) for row in table("definitions.toml")["definition"])


def _half(
    series: Series, found: tuple[Judged, ...], cycles: tuple[Cycle, ...], responses: tuple[Response, ...], row: dict[str, Any]
) -> HalfDefinition:
    asked = [each for each in found if each.finding.criterion in row["criteria"]]
    base = {"id": row["id"], "title": row["title"], "source": row["source"]}
    if not asked:
        return HalfDefinition(**base, verdict=UNDECIDED, reason="nothing was measured after the provocation")
    met = [each for each in asked if each.finding.verdict == MET]
    answers = [_transient(series, each, cycles, responses) for each in met]
    for verdict in (MET, UNDECIDED):
        for each, (answer, reason) in zip(met, answers, strict=True):
            if answer == verdict:
                return _told(base, each, verdict, reason)
    open_ones = [each for each in asked if each.finding.verdict == UNDECIDED]
    if open_ones:
        return _told(base, open_ones[0], UNDECIDED, open_ones[0].finding.reason)
    return HalfDefinition(**base, verdict=NOT_MET, reason=_why_not(asked, found))


def _told(base: dict[str, str], each: Judged, verdict: str, reason: str) -> HalfDefinition:
    finding = each.finding
    return HalfDefinition(
        **base,
        verdict=verdict,
        reason=reason,
        shows=_name(finding.title),
        phase=each.phase.name,
        leads=finding.leads,
        territory=finding.territory,
        values=finding.values,
    )


def _name(title: str) -> str:
    """``ST elevation`` of ``COVADIS ST elevation (if it is transient)``."""
    return title.removeprefix("COVADIS ").partition(" (")[0]


def _transient(series: Series, each: Judged, cycles: tuple[Cycle, ...], responses: tuple[Response, ...]) -> tuple[str, str]:
    """Whether a change that meets a criterion went, with the reason."""
    cycle = next((one for one in reversed(cycles) if one.start_s < series.time_s[each.row] < one.until_s), cycles[-1])
    relief = _relief(series, each, cycle)
    what = f"{_name(each.finding.title)} in {lead_span(each.finding.leads)} during {each.phase.name!r}, {each.finding.reason}"
    early = next((one.onset for one in responses if one.onset.after in cycle.provoking and one.onset.state == EARLIER), None)
    if early is not None:
        return UNDECIDED, f"{what}; not new with the provocation: {early.reason}"
    doubt = series.doubt(each.row) if _shows_st(each) else None
    if doubt is not None and doubt.kind != RATE:
        return UNDECIDED, f"{what}; but {doubt}"
    if relief.gone:
        return MET, f"{what}; transient: {relief_words(relief)}"
    return UNDECIDED, f"{what}; whether it is transient is open: {relief_words(relief)}"


def _shows_st(each: Judged) -> bool:
    """Whether a criterion shows ST, of which the monitor knows doubts."""
    return each.finding.measure.startswith("st_")


def _relief(series: Series, each: Judged, cycle: Cycle) -> Relief:
    """Of the leads that meet the criterion, by the measure that it shows."""
    measure = each.finding.measure
    rule = next((one for one in rules() if series.measure(one) == measure), rules()[0])
    traces = Traces.of(series, measure)
    own = np.array([lead in each.finding.leads for lead in series.leads])[:, None]
    traces = replace(traces, change=np.where(own, traces.change, np.nan), steady=np.where(own, traces.steady, np.nan))
    share, _ = pattern(series, traces, each.row)
    size = float(np.nan_to_num(np.abs(traces.steady[:, each.row])).max())
    return settled(series, share, each.row, size, rule.limit_uv, cycle)


def lasting(seconds: float) -> str:
    """A delay in words: seconds, or minutes where there are many."""
    return f"{seconds:.0f} s" if seconds < 600.0 else f"{seconds / 60.0:.0f} min"


def relief_words(relief: Relief) -> str:
    """A relief in words."""
    if not relief.gone:
        return f"{relief.state} ({relief.reason})"
    since = f"after {relief.after.text!r}" if relief.after is not None else "after its extremum"
    only_half = relief.state == HALF
    most = "at most " if (relief.half_s if only_half else relief.time_s) - relief.not_before_s > SPARSE_S else ""
    if only_half:
        return f"below half {most}{lasting(relief.half_delay_s)} {since}"
    return f"gone {most}{lasting(relief.delay_s)} {since}" + (f" ({relief.reason})" if relief.reason else "")


def _why_not(asked: list[Judged], found: tuple[Judged, ...]) -> str:
    """Why no criterion was met: the nearest, whether T turned over, and that this excludes nothing."""
    near = next((each.finding.reason for each in asked if each.finding.leads), "in no lead")
    parts = [near]
    turned = next((each for each in found if each.finding.criterion == "new-t-inversion" and each.finding.verdict == MET), None)
    if turned is not None:
        parts.append(f"T turned over in {lead_span(turned.finding.leads)} during {turned.phase.name!r}: {EQUIVOCAL}")
    return "; ".join([*parts, CAVEAT[0].lower() + CAVEAT[1:]])
