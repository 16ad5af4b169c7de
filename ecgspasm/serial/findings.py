"""What each criterion says of two ECGs, in the words of a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

import numpy as np

from ecgspasm.criteria import Criterion
from ecgspasm.criteria.judge import Judgement, LeadValues, Overall, judge
from ecgspasm.ecg import MEASURED, Measurements, Strings, Subject
from ecgspasm.leads import territory
from ecgspasm.serial.comparison import MET, Z95, Change, Finding
from ecgspasm.serial.conduction import conduction

_WORDS = {"st_j_uv": "ST at J", "t_uv": "T", "t_negative_uv": "negative lobe of T", "u_uv": "U"}


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
        A rule none of whose leads was recorded is left out.
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
    rows = _lead_values(changes, t_shape, len(leads))
    table = {lead: rows[row] for row, lead in enumerate(leads) if state[row] == MEASURED}
    unknown = {lead: state[row].removeprefix("not_measurable: ") for row, lead in enumerate(leads) if state[row] != MEASURED}
    overall: dict[tuple[str, str], float | str] = {}
    for of, each in measured.items():
        overall |= {(of, "qrs_ms"): each.qrs_ms, (of, "rate_bpm"): each.rate_bpm, (of, "qtc_ms"): each.qtc_ms}
        overall[of, "conduction"] = conduction(each)
    subject = _subject(measured)
    found = []
    for rule in rules:
        if set(rule.leads) & set(leads):
            said = judge(rule, table, unknown, explains, subject=subject, overall=overall)
            before = rule.kind == "present" and said.verdict == MET and _before(rule, table, overall, explains, subject)
            found.append(_finding(rule, said, leads, changes, before=before))
    return tuple(found)


def _subject(measured: Mapping[str, Measurements]) -> Subject:
    """Whose limits hold: the current ECG's person, with what only the baseline tells."""
    first, second = measured["baseline"].subject, measured["current"].subject
    return Subject(sex=second.sex or first.sex, age=second.age if second.age is not None else first.age)


def _before(
    rule: Criterion, table: Mapping[str, LeadValues], overall: Overall, explains: Mapping[str, str], subject: Subject
) -> bool:
    """Whether a criterion of the current ECG is met in the baseline too."""
    earlier = {
        lead: LeadValues(
            {("current", name): value for (of, name), value in each.values.items() if of == "baseline"},
            {},
            {"current": each.shapes.get("baseline", "absent")},
        )
        for lead, each in table.items()
    }
    whole = {("current", name): value for (of, name), value in overall.items() if of == "baseline"}
    return judge(rule, earlier, {}, explains, subject=subject, overall=whole).verdict == MET


def _finding(rule: Criterion, said: Judgement, leads: tuple[str, ...], changes: Mapping[str, Change], *, before: bool) -> Finding:
    change = changes.get(rule.shown)
    values = {lead: _shown(change, leads.index(lead), said.thresholds.get(lead)) for lead in said.leads if change is not None}
    if change is not None:
        for lead, row in values.items():
            row |= _sure(rule, change, leads.index(lead))
    reason = _largest(rule, said, values) if said.verdict == MET else said.reason
    return Finding(
        criterion=rule.id,
        title=rule.title,
        verdict=said.verdict,
        leads=said.leads,
        territory=(rule.territory or territory(said.leads)) if said.verdict == MET else "",
        reason=f"{reason}; already so in the baseline" if before else reason,
        source=rule.source,
        what=rule.what,
        kind=rule.kind,
        conditions=(*map(str, rule.conditions), *(f"required: {each}" for each in rule.requires)),
        values=values,
        measure=rule.shown,
    )


def _lead_values(changes: Mapping[str, Change], t_shape: Mapping[str, Strings], n_leads: int) -> list[LeadValues]:
    """What the conditions look at, one entry a lead."""
    values: list[dict[tuple[str, str], float]] = [{} for _ in range(n_leads)]
    beyond: list[dict[str, bool]] = [{} for _ in range(n_leads)]
    for name, change in changes.items():
        first, second = change.baseline, change.current
        if name == "u_uv":
            # A lead that was measured and has no U wave has one of no height.
            first, second = np.nan_to_num(first), np.nan_to_num(second)
        difference = second - first
        sure = np.abs(difference) > Z95 * np.hypot(np.nan_to_num(change.measurement_se), change.repeat_sd)
        sides = {"baseline": first.tolist(), "current": second.tolist(), "change": difference.tolist()}
        for row in range(n_leads):
            beyond[row][name] = bool(sure[row])
            for of, each in sides.items():
                if isfinite(each[row]):
                    values[row][of, name] = each[row]
    for row in range(n_leads):
        if ("change", "t_net_uv") in values[row]:
            values[row]["change", "t_uv"], beyond[row]["t_uv"] = values[row]["change", "t_net_uv"], beyond[row]["t_net_uv"]
    return [
        LeadValues(values[row], beyond[row], {of: str(shapes[row]) for of, shapes in t_shape.items()}) for row in range(n_leads)
    ]


def _shown(change: Change, row: int, threshold: float | None) -> dict[str, float]:
    parts = {"baseline": change.baseline, "current": change.current, "change": change.difference}
    parts |= {"low": change.low, "high": change.high}
    found = {name: float(part[row]) for name, part in parts.items()}
    return found if threshold is None else found | {"threshold": threshold}


def _sure(rule: Criterion, change: Change, row: int) -> dict[str, float]:
    """The rule's limit of the change and the probability that the true change is beyond it; nothing where it limits no change."""
    for each in rule.conditions:
        if each.of == "change" and each.measure == rule.shown:
            if isinstance(each.at_least, float):
                return {"threshold": each.at_least, "probability": float(change.probability(at_least=each.at_least)[row])}
            if isinstance(each.at_most, float):
                return {"threshold": each.at_most, "probability": float(change.probability(at_most=each.at_most)[row])}
    return {}


def _largest(rule: Criterion, said: Judgement, values: Mapping[str, Mapping[str, float]]) -> str:
    """The lead with the largest change, or value where the rule is one of the current ECG, in words."""
    if not values:
        return ""
    told = "current" if rule.kind == "present" else "change"
    lead = max(said.leads, key=lambda name: abs(np.nan_to_num(values[name][told])))
    row = values[lead]
    measure = _WORDS.get(rule.shown, rule.shown)
    if rule.kind == "present":
        return f"{lead} {measure} {row['current']:+.0f} uV"
    interval = f"95 % CI {row['low']:+.0f}..{row['high']:+.0f}"
    return f"{lead} {measure} {row['baseline']:+.0f} -> {row['current']:+.0f} uV, change {row['change']:+.0f} uV ({interval})"
