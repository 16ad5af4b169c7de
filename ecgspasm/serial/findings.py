"""What each criterion says of two ECGs, in the words of a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ecgspasm.criteria import Criterion
from ecgspasm.criteria.judge import Judgement, LeadValues, judge
from ecgspasm.ecg import MEASURED, Measurements, Strings
from ecgspasm.leads import territory
from ecgspasm.serial.comparison import MET, Change, Finding


def judged(
    rules: Iterable[Criterion],
    leads: tuple[str, ...],
    state: tuple[str, ...],
    changes: Mapping[str, Change],
    t_shape: Mapping[str, Strings],
    measured: Mapping[str, Measurements],
    explains: Mapping[str, str],
) -> tuple[Finding, ...]:
    """Judge all criteria on the changes of a comparison.

    Parameters
    ----------
    rules : iterable of Criterion
    leads, state : tuple of str
        The leads of the comparison, and per lead ``measured`` or ``not_measurable: reason``.
    changes : mapping of str to Change
        By measure, arrays of shape (lead,).
    t_shape : mapping of str to ndarray of str
        T shape per lead in ``baseline`` and ``current``.
    measured : mapping of str to Measurements
        ``baseline`` and ``current``, for what is not told by lead: QRS width, sex, age.
    explains : mapping of str to str
        The confounders that are present, by short name, with their evidence.
    """
    known = np.array([each == MEASURED for each in state])
    return tuple(_finding(rule, leads, known, state, changes, explains) for rule in rules)


def _finding(
    rule: Criterion,
    leads: tuple[str, ...],
    known: np.ndarray,
    state: tuple[str, ...],
    changes: Mapping[str, Change],
    explains: Mapping[str, str],
) -> Finding:
    table = {lead: _lead_values(changes, row) for row, lead in enumerate(leads) if known[row]}
    unknown = {lead: state[row].removeprefix("not_measurable: ") for row, lead in enumerate(leads) if not known[row]}
    said = judge(rule, table, unknown, explains)
    change = changes[rule.shown]
    values = {lead: _shown(change, leads.index(lead)) for lead in said.leads}
    return Finding(
        criterion=rule.id,
        title=rule.title,
        verdict=said.verdict,
        leads=said.leads,
        territory=territory(said.leads) if said.verdict == MET else "",
        reason=_largest(rule, said, values) if said.verdict == MET else said.reason,
        source=rule.source,
        what=rule.what,
        kind=rule.kind,
        conditions=tuple(map(str, rule.conditions)),
        values=values,
    )


def _lead_values(changes: Mapping[str, Change], row: int) -> LeadValues:
    values: dict[tuple[str, str], float] = {}
    beyond: dict[str, bool] = {}
    for name, change in changes.items():
        sides = {"baseline": change.baseline[row], "current": change.current[row], "change": change.difference[row]}
        values |= {(of, name): float(value) for of, value in sides.items() if np.isfinite(value)}
        beyond[name] = bool(change.low[row] > 0 or change.high[row] < 0)
    return LeadValues(values, beyond)


def _shown(change: Change, row: int) -> dict[str, float]:
    parts = {"baseline": change.baseline, "current": change.current, "change": change.difference}
    parts |= {"low": change.low, "high": change.high}
    return {name: float(part[row]) for name, part in parts.items()}


def _largest(rule: Criterion, said: Judgement, values: Mapping[str, Mapping[str, float]]) -> str:
    """The lead with the largest change, in words."""
    lead = max(said.leads, key=lambda name: abs(values[name]["change"]))
    row = values[lead]
    measure = "T" if rule.shown.startswith("t_") else "ST at J" if rule.shown == "st_j_uv" else rule.shown
    interval = f"95 % CI {row['low']:+.0f}..{row['high']:+.0f}"
    return f"{lead} {measure} {row['baseline']:+.0f} -> {row['current']:+.0f} uV, change {row['change']:+.0f} uV ({interval})"
