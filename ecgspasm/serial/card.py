"""What a notebook shows of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgspasm import markup
from ecgspasm.ecg import MEASURED
from ecgspasm.serial import words

if TYPE_CHECKING:
    from ecgspasm.serial.comparison import Change, Comparison

_SHOWN = {"st_j_uv": "ST at J", "st_j60_uv": "ST at J+60", "t_uv": "T"}
_EVERY_MS, _SPAN_MS = 10, (-250.0, 600.0)


def html(change: Comparison) -> str:
    """Verdict, both beats lead by lead, a table of at most twelve leads, and what else could explain it."""
    parts: list[object] = []
    if change.verdict == words.NOTHING_NEW:
        parts.append(markup.note(words.detectable(change)))
    parts += [markup.note(f"Confounder: {text}") for text in change.confounders.values() if text not in change.verdict]
    parts.append(_beats(change))
    head = ["lead", *(f"{name}, uV" for name in _SHOWN.values()), "finding"]
    parts.append(markup.small_table([markup.typeset(each) for each in head], map(list, _rows(change)), numbers=(1, 2, 3)))
    return str(markup.card(change.verdict, *parts))


def _marked(change: Comparison) -> dict[str, list[str]]:
    """The findings that are met, by lead."""
    found: dict[str, list[str]] = {}
    for each in change.findings:
        if each.verdict == "MET":
            for lead in each.leads:
                found.setdefault(lead, []).append(each.title)
    return found


def _beats(change: Comparison) -> markup.Html:
    aligned = change.aligned
    if aligned is None:
        return markup.Html()
    inside = np.flatnonzero((aligned.time_ms >= _SPAN_MS[0]) & (aligned.time_ms <= _SPAN_MS[1]))[::_EVERY_MS]
    time = aligned.time_ms[inside].tolist()
    marked = _marked(change)
    panels = [
        (lead, lead in marked, [(time, each[row, inside].tolist()) for each in (aligned.baseline_uv, aligned.current_uv)])
        for row, lead in enumerate(change.leads)
        if change.state[row] == MEASURED
    ]
    key = markup.note("thin: baseline; wide: current; ● a finding is met") if panels else markup.Html()
    return markup.joined([markup.small_multiples(panels), key])


def _rows(change: Comparison) -> list[list[object]]:
    marked = _marked(change)
    rows: list[list[object]] = []
    for row in words.rows(change):
        lead = change.leads[row]
        if change.state[row] != MEASURED:
            rows.append([lead, "", "", "", change.state[row].replace("not_measurable", "not measurable")])
        else:
            cells = [_cell(change.changes.get(name), row) for name in _SHOWN]
            rows.append([lead, *cells, ", ".join(marked.get(lead, []))])
    return rows


def _cell(change: Change | None, row: int) -> str:
    if change is None or not np.isfinite(change.difference[row]):
        return "absent"
    mark = " ▲" if change.low[row] > 0 else " ▼" if change.high[row] < 0 else ""
    first, second, moved = (round(float(each[row])) for each in (change.baseline, change.current, change.difference))
    return f"{first:+d} -> {second:+d} ({moved:+d}){mark}"
