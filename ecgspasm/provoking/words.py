"""What a provocation test prints."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ecgspasm.provoking.definitions import SPARSE_S, lasting, relief_words
from ecgspasm.provoking.response import EARLIER, FIRST_ROW, Onset, Response
from ecgspasm.serial.comparison import MET, UNDECIDED
from ecgspasm.serial.words import lead_span

if TYPE_CHECKING:
    from ecgspasm.provoking.phases import Phase
    from ecgspasm.provoking.result import ProvocationTest

_SHORT = "that does not exclude spasm"
T_ALONE = "T alone is equivocal"
_NAMES = {"st_j_uv": "ST at J", "st_j60_uv": "ST at J+60", "t_net_uv": "T", "t_uv": "T", "u_uv": "U"}


def clock(seconds: float) -> str:
    """Seconds as ``m:ss``, with hours where there are any.

    Examples
    --------
    >>> clock(75), clock(3675), clock(-8)
    ('1:15', '1:01:15', '-0:08')
    """
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 and whole else ""
    hours = f"{whole // 3600}:{whole // 60 % 60:02d}" if whole >= 3600 else f"{whole // 60}"
    return f"{sign}{hours}:{whole % 60:02d}"


def verdict(test: ProvocationTest) -> str:
    """One line: the response, or that none was found, or why nothing can be said."""
    after = [phase for phase in test.phases if phase.rows.size and phase.event is not None]
    if not any(phase.measured for phase in test.phases if phase.event is not None):
        why = after[0].reason if after else "no ECG after the first event"
        return f"NOT MEASURED: {why}; {_SHORT}"
    halves = ", ".join(f"{each.title} {each.verdict}" for each in test.definitions)
    if test.response is not None:
        alone = f"; {T_ALONE}" if test.response.name == "T" else ""
        doubt = test.series.doubt(test.response.row) if test.response.name == "ST" else None
        return f"{response_line(test.response)}{alone}{'' if doubt is None else f'; but {doubt}'}; {halves}"
    new = next((each for each in test.judged if each.finding.kind == "new" and each.finding.verdict == MET), None)
    if new is not None:
        finding = new.finding
        line = f"{finding.what} in {lead_span(finding.leads)} ({finding.territory}) during {new.phase.name!r}: {finding.reason}"
        return f"{line}; {halves}"
    undecided = next((each for each in test.definitions if each.verdict == UNDECIDED), None)
    if undecided is not None:
        return f"UNDECIDED: {undecided.reason}; {_SHORT}"
    early = [f"{name} in {lead_span(leads)}" for name, leads in test.phases[0].changed.items() if leads]
    if early:
        return f"CHANGED BEFORE the provocation ({'; '.join(early)}), no further change found; {_SHORT}"
    given = ", ".join(each.text for each in test.events if each.kind == "provoking")
    return f"No change found after {given}; {_SHORT}"


def response_line(each: Response) -> str:
    """A response in one line."""
    where = lead_span(each.leads) + (f" ({each.territory})" if each.territory != "unnamed" else "")
    size = f"{each.lead} {each.extremum_uv:+.0f} uV (95 % CI {each.low_uv:+.0f}..{each.high_uv:+.0f}) at {clock(each.extremum_s)}"
    return f"{each.what} in {where}: {size}, onset {onset_words(each.onset)}, {relief_words(each.relief)}"


def onset_words(onset: Onset) -> str:
    """An onset in words; of single ECGs both between which it lies."""
    if onset.state == EARLIER:
        return f"before the event: {onset.reason}"
    apart = onset.time_s - onset.not_before_s
    delay = f"{lasting(onset.delay_s)} after {onset.after.text!r}"
    if onset.state == FIRST_ROW:
        return f"at most {delay} ({onset.reason})"
    if isfinite(apart) and apart > SPARSE_S:
        return f"at most {delay} (between {clock(onset.not_before_s)} and {clock(onset.time_s)})"
    return delay if onset.delay_s >= 0 else f"{-onset.delay_s:.0f} s before the mark of {onset.after.text!r}"


def report(test: ProvocationTest) -> str:
    """Verdict, responses, phases, definitions with reasons, notes, and that an unchanged ECG excludes nothing."""
    blocks = [
        [test.verdict],
        [f"baseline: {test.series.baseline_words}"],
        [f"{each.name}: {response_line(each)}" for each in test.responses],
        [line for phase in test.phases for line in _phase(test, phase)],
        [f"{each.title}: {each.verdict}: {each.reason}; source: {each.source}" for each in test.definitions],
        [f"note: {each}" for each in test.notes],
        [f"{test.caveat}."],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _phase(test: ProvocationTest, phase: Phase) -> list[str]:
    head = f"{clock(phase.start_s):>8} to {clock(phase.end_s):<8} {phase.name} ({phase.kind})"
    if not phase.measured:
        return [f"{head}: not measured: {phase.reason}"]
    changed = [f"{name} changed in {lead_span(leads)}" for name, leads in phase.changed.items() if leads]
    lines = [f"{head}: {'; '.join(changed) or 'no lead changed'}"]
    for name, each in phase.changes.items():
        size = np.abs(np.nan_to_num(each.extremum.difference))
        row = int(size.argmax())
        at = each.extremum
        lines.append(
            f"{'':>21}{_NAMES[name]:<10} extremum {clock(each.extremum_s)}: {test.leads[row]} {at.baseline[row]:+.0f} -> "
            f"{at.current[row]:+.0f} uV, change {at.difference[row]:+.0f} ({at.low[row]:+.0f}..{at.high[row]:+.0f}); "
            f"at the end {each.end.difference[row]:+.0f} ({each.end.low[row]:+.0f}..{each.end.high[row]:+.0f})"
        )
    missing = [f"{lead} {state.removeprefix('not_measurable: ')}" for lead, state in zip(test.leads, phase.state, strict=True)]
    open_leads = [each for each, state in zip(missing, phase.state, strict=True) if state != "measured"]
    return lines + ([f"{'':>21}not measured: {'; '.join(open_leads)}"] if open_leads else [])
