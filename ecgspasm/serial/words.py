"""What a comparison prints: the line a cardiologist would write, a table, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgspasm.ecg import MEASURED

if TYPE_CHECKING:
    from ecgspasm.serial.comparison import Change, Comparison, Finding

NOTHING_NEW = "No new change found"
_MOST_ROWS = 12
_SHOWN = {"st_j_uv": "ST at J, uV", "st_j60_uv": "ST at J+60, uV", "t_uv": "T, uV"}
_DETECTABLE = {"st_j_uv": "ST at J", "st_j60_uv": "ST at J+60", "t_uv": "T"}


def verdict(change: Comparison) -> str:
    """One line: what is new, or what could have been found, or why nothing can be said."""
    if not change.comparable:
        return f"NOT COMPARABLE: {change.state[0].removeprefix('not_measurable: ')}"
    met = [each for each in change.findings if each.verdict == "MET"]
    if met:
        return "; ".join(_found(each) for each in told_once(met))
    undecided = [each for each in change.findings if each.verdict == "UNDECIDED" and each.kind == "new"]
    if undecided:
        return f"UNDECIDED: {undecided[0].reason}"
    return NOTHING_NEW


def told_once(met: list[Finding]) -> list[Finding]:
    """Findings of which no earlier one tells the same measure in the same leads."""
    kept: list[Finding] = []
    for each in met:
        if not any(each.measure == other.measure and set(each.leads) <= set(other.leads) for other in kept):
            kept.append(each)
    return kept


def _found(finding: Finding) -> str:
    return f"{finding.what} in {lead_span(finding.leads)} ({finding.territory}): {finding.reason}"


def detectable(change: Comparison) -> str:
    """The minimal detectable change: what 95 % of unchanged pairs stay below, as a range over the leads."""
    parts = []
    for measure, words in _DETECTABLE.items():
        limits = change.changes[measure].detectable if measure in change.changes else np.array([])
        limits = limits[np.isfinite(limits)]
        if len(limits):
            parts.append(f"{words} from {limits.min():.0f}-{limits.max():.0f} uV")
    if not parts:
        return "nothing could be found in a table without ST and T"
    return f"a change could have been found with {change.electrodes} electrodes: {', '.join(parts)} (by lead)"


def report(change: Comparison) -> str:
    """Verdict, a table of at most twelve leads, findings with their source, reasons and confounders."""
    first = change.verdict
    if first == NOTHING_NEW:
        first += f"; {detectable(change)}"
    blocks = [[first], _table(change), _findings(change), _reasons(change), _score(change)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _table(change: Comparison) -> list[str]:
    shown = rows(change)
    lines = [f"{'lead':<5}" + "".join(f"{name:>26}" for name in _SHOWN.values())]
    for row in shown:
        lead = change.leads[row]
        if change.state[row] != MEASURED:
            lines.append(f"{lead:<5} {change.state[row]}")
            continue
        cells = (_cell(change.changes.get(measure), row) for measure in _SHOWN)
        lines.append(f"{lead:<5}" + "".join(f"{cell:>26}" for cell in cells))
    left = len(change.leads) - len(shown)
    return [*lines, f"({left} more leads in to_frame())"] if left else lines


def rows(change: Comparison) -> list[int]:
    """All leads, or the twelve with findings or the largest changes of ST, in their usual order."""
    every = list(range(len(change.leads)))
    if len(every) <= _MOST_ROWS:
        return every
    named = {lead for each in change.findings if each.verdict == "MET" for lead in each.leads}
    st = change.changes.get("st_j60_uv") or change.changes.get("st_j_uv")
    size = np.nan_to_num(np.abs(st.difference)) if st is not None else np.zeros(len(every))
    return sorted(sorted(every, key=lambda row: (change.leads[row] not in named, -size[row]))[:_MOST_ROWS])


def _cell(change: Change | None, row: int) -> str:
    if change is None or not np.isfinite(change.difference[row]):
        return "absent"
    return f"{change.baseline[row]:+.0f} -> {change.current[row]:+.0f} ({change.difference[row]:+.0f})"


def _findings(change: Comparison) -> list[str]:
    """A line each: criterion, leads, values, limits, source."""
    lines = []
    for each in (*change.findings, *change.definitions):
        if each.verdict == "MET":
            found = f"{each.title} ({each.criterion}) in {lead_span(each.leads)}: {each.reason}"
            lines.append(f"{found}; limits: {' and '.join(each.conditions)}; source: {each.source}")
    return lines


def _reasons(change: Comparison) -> list[str]:
    """What could not be decided, one line a reason, and what else could explain a change."""
    titles: dict[str, list[str]] = {}
    for each in change.findings:
        if each.verdict == "UNDECIDED":
            titles.setdefault(each.reason, []).append(each.title)
    lines = [f"undecided: {', '.join(names)}: {reason}" for reason, names in titles.items()]
    return lines + [f"confounder: {text}" for text in change.confounders.values()]


def _score(change: Comparison) -> list[str]:
    return [str(change.score)] if change.comparable else []


def lead_span(leads: tuple[str, ...]) -> str:
    """Write chest leads in a row as a span.

    Examples
    --------
    >>> lead_span(("II", "V1", "V2", "V3")), lead_span(("V1", "V3"))
    ('II, V1-V3', 'V1, V3')
    """
    parts: list[list[str]] = []
    for lead in leads:
        follows = parts and parts[-1][-1][0] == lead[0] == "V" and lead[1:].isdigit() and parts[-1][-1][1:].isdigit()
        if follows and int(lead[1:]) == int(parts[-1][-1][1:]) + 1:
            parts[-1].append(lead)
        else:
            parts.append([lead])
    return ", ".join("-".join((part[0], part[-1])) if len(part) > 1 else part[0] for part in parts)
