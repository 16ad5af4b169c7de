"""What a notebook shows of a provocation test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgspasm import markup
from ecgspasm.provoking import words
from ecgspasm.serial.words import lead_span

if TYPE_CHECKING:
    from ecgspasm.provoking.phases import Phase
    from ecgspasm.provoking.result import ProvocationTest

_MEASURES = ("st_j60_uv", "st_j_uv")
_MOST_LEADS, _POINTS = 3, 200


def html(test: ProvocationTest) -> str:
    """Verdict, how ST went where it went furthest, a row a phase, and why each definition is met or not."""
    measure = next((name for name in _MEASURES if name in test.series.change), None)
    parts: list[object] = [_course(test, measure)] if measure is not None else []
    head = ["from", "to", "phase", "kind", "changed", "largest change of ST"]
    parts.append(markup.small_table(head, [_row(test, phase, measure) for phase in test.phases], numbers=(0, 1)))
    parts += [markup.note(f"{each.title}: {each.verdict}: {each.reason}") for each in test.definitions]
    parts += [markup.note(each) for each in (*test.notes, f"{test.caveat}.")]
    return str(markup.card(test.verdict, *parts))


def _row(test: ProvocationTest, phase: Phase, measure: str | None) -> list[object]:
    times = [words.clock(phase.start_s), words.clock(phase.end_s), phase.name, phase.kind]
    if not phase.measured:
        return [*times, f"not measured: {phase.reason}", ""]
    changed = "; ".join(f"{name} in {lead_span(leads)}" for name, leads in phase.changed.items() if leads)
    found = phase.changes.get(measure) if measure is not None else None
    if found is None:
        return [*times, changed or "no lead", ""]
    change = found.extremum.difference
    at = int(np.abs(np.nan_to_num(change)).argmax())
    return [*times, changed or "no lead", f"{test.leads[at]} {change[at]:+.0f} uV at {words.clock(found.extremum_s)}"]


def _course(test: ProvocationTest, measure: str) -> markup.Html:
    """Changes over time in the leads that went furthest; of each stretch what is furthest from nothing."""
    time, change = test.series.time_s, test.series.change[measure]
    furthest = np.abs(np.nan_to_num(change)).max(axis=1, initial=0.0)
    known = [row for row in np.argsort(-furthest, kind="stable") if np.isfinite(change[row]).any()][:_MOST_LEADS]
    if not known:
        return markup.Html()
    panels = []
    for row in sorted(known):
        groups = np.array_split(np.arange(len(time)), min(_POINTS, len(time)))
        picked = [int(each[np.nan_to_num(np.abs(change[row, each])).argmax()]) for each in groups]
        panels.append((test.leads[row], False, [(time[picked].tolist(), change[row, picked].tolist())]))
    leads = ", ".join(name for name, _, _ in panels)
    span = f"{words.clock(float(time[0]))} to {words.clock(float(time[-1]))}"
    said = f"change of ST in {leads} against {test.series.baseline_words}, {span}"
    return markup.joined([markup.small_multiples(panels, columns=1, wide=620.0, high=70.0), markup.note(said)])
