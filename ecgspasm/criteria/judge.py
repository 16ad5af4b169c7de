"""Apply one criterion to the values of two ECGs: met, not met, or undecided with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.criteria.model import Condition, Criterion, Requirement
from ecgspasm.ecg import Subject


@dataclass(frozen=True)
class LeadValues:
    """The values of one lead that conditions look at."""

    values: Mapping[tuple[str, str], float]
    """By (of, measure), such as ``("change", "st_j_uv")``; a value that was not measured is missing."""
    beyond_error: Mapping[str, bool]
    """By measure: whether the 95 % interval of the change excludes zero."""
    shapes: Mapping[str, str] = field(default_factory=dict)
    """Shape of T in ``baseline`` and ``current``."""

    def get(self, of: str, measure: str) -> float | str | None:
        """A value, a ratio made from values, or a shape; ``None`` where it was not measured."""
        if measure == "t_shape":
            return self.shapes.get(of)
        if measure == "r_to_s":
            r, s = self.values.get((of, "r_uv")), self.values.get((of, "s_uv"))
            return None if r is None or s is None else r / max(abs(s), 1.0)
        if measure == "st_to_s":
            st, s = self.values.get((of, "st_j_uv")), self.values.get((of, "s_uv"))
            return None if st is None or s is None else st / min(s, -1.0)
        if measure == "t_to_r":
            t, r = self.values.get((of, "t_uv")), self.values.get((of, "r_uv"))
            return None if t is None or r is None else t / max(r, 1.0)
        return self.values.get((of, measure))


@dataclass(frozen=True)
class Judgement:
    """Verdict on one criterion; `leads` are those that fulfil it (in contiguous groups, when it is met)."""

    verdict: str
    leads: tuple[str, ...]
    reason: str
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Per lead, the limit on the measure that the criterion shows, for this person."""


Overall = Mapping[tuple[str, str], float | str]
"""What is told once for an ECG, by (of, measure), such as ``("current", "qrs_ms")``."""


def judge(
    criterion: Criterion,
    leads: Mapping[str, LeadValues],
    unknown: Mapping[str, str],
    confounders: Mapping[str, str],
    *,
    subject: Subject | None = None,
    overall: Overall | None = None,
) -> Judgement:
    """Judge one criterion.

    Parameters
    ----------
    criterion : Criterion
    leads : mapping of str to LeadValues
        The leads that were measured in both ECGs.
    unknown : mapping of str to str
        Why each other lead was not; leads that are in neither mapping were not recorded.
    confounders : mapping of str to str
        What else could explain a change, by its short name.
    subject : Subject, optional
        Whose limits hold; limits that depend on a sex or age that is not known leave a lead open.
    overall : mapping, optional
        Values of the whole ECG that requirements ask for.

    Returns
    -------
    Judgement
    """
    person = subject or Subject()
    fulfils, missing = {}, {}
    for lead in criterion.leads:
        if lead in leads:
            fulfils[lead], missing[lead] = _fulfils(criterion, lead, leads[lead], person)
    yes = [lead for lead, answer in fulfils.items() if answer]
    open_leads = {
        lead: missing.get(lead) or unknown.get(lead, "not recorded") for lead in criterion.leads if fulfils.get(lead) is None
    }
    limits = {lead: limit for lead in yes if (limit := _threshold(criterion, lead, person)) is not None}
    answer, why = _required(criterion, leads, unknown, overall or {}, person)
    if answer is False:
        return Judgement("NOT_MET", tuple(yes), why, limits)
    blocking = [text for name, text in confounders.items() if name in criterion.undecided_with]
    if blocking:
        return Judgement("UNDECIDED", tuple(yes), blocking[0], limits)
    found = _enough(criterion, yes)
    if found and answer is None:
        return Judgement("UNDECIDED", tuple(yes), why, limits)
    if found:
        return Judgement("MET", found, "", limits)
    possible = _enough(criterion, [*yes, *open_leads])
    if any(lead in open_leads for lead in possible):
        return Judgement("UNDECIDED", tuple(yes), _open(possible, open_leads), limits)
    asked = f"{criterion.contiguous} neighbouring leads" if criterion.contiguous else f"{criterion.count} leads"
    near = f"only in {', '.join(yes)}; {asked} are asked for" if yes else "in no lead"
    return Judgement("NOT_MET", tuple(yes), near, limits)


def _enough(criterion: Criterion, leads: list[str]) -> tuple[str, ...]:
    """Those of the leads that are enough for the criterion; none if they are not."""
    if criterion.count:
        return tuple(lead for lead in criterion.leads if lead in leads) if len(leads) >= criterion.count else ()
    groups = [group for group in lead_names.contiguous_groups(leads) if len(group) >= criterion.contiguous]
    return tuple(lead for group in groups for lead in group)


def _open(possible: tuple[str, ...], open_leads: Mapping[str, str]) -> str:
    """Why leads that could decide are open, in words."""
    names = [lead for lead in possible if lead in open_leads]
    also = f" (and {len(names) - 1} more leads)" if len(names) > 1 else ""
    return f"{names[0]} could not be judged{also}: {open_leads[names[0]]}"


def _fulfils(criterion: Criterion, lead: str, values: LeadValues, subject: Subject) -> tuple[bool | None, str]:
    """Whether all conditions hold in a lead; None with the reason when that is open."""
    open_for = ""
    for condition in criterion.conditions:
        answer, why = _holds(condition, lead, values, subject)
        if answer is False:
            return False, ""
        open_for = open_for or why
    return (None, open_for) if open_for else (True, "")


def _holds(condition: Condition, lead: str, values: LeadValues, subject: Subject) -> tuple[bool | None, str]:
    value = values.get(condition.of, condition.measure)
    if value is None:
        return None, f"{condition.measure} is missing"
    if condition.of == "change" and condition.beyond_error and not values.beyond_error.get(condition.measure, False):
        return False, ""
    answer = condition.holds(value, lead, subject)
    if answer is None:
        return None, f"{value:+.0f} uV lies between the limits for different persons; give {_not_told(subject)}"
    return answer, ""


def _not_told(subject: Subject) -> str:
    missing = [name for name in ("sex", "age") if getattr(subject, name) is None]
    return " and ".join(missing)


def _threshold(criterion: Criterion, lead: str, subject: Subject) -> float | None:
    """The limit on the shown measure in a lead; the strictest where it is not known which holds."""
    for condition in criterion.conditions:
        if condition.measure == criterion.shown and not condition.one_of:
            limits = [low if low is not None else high for low, high in condition.thresholds(lead, subject)]
            known = [each for each in limits if each is not None]
            return max(known, key=abs) if known else None
    return None


def _required(
    criterion: Criterion, leads: Mapping[str, LeadValues], unknown: Mapping[str, str], overall: Overall, subject: Subject
) -> tuple[bool | None, str]:
    """Whether all requirements are fulfilled; False or None with the reason."""
    result: tuple[bool | None, str] = (True, "")
    for each in criterion.requires:
        answer, why = _requirement(each, leads, unknown, overall, subject)
        if answer is False:
            return False, why
        if answer is None:
            result = (None, why)
    return result


def _requirement(
    asked: Requirement, leads: Mapping[str, LeadValues], unknown: Mapping[str, str], overall: Overall, subject: Subject
) -> tuple[bool | None, str]:
    condition = asked.condition
    if not asked.leads:
        value = overall.get((condition.of, condition.measure))
        if value is None or value == "unknown" or (not isinstance(value, str) and not np.isfinite(value)):
            return None, f"{condition.measure} is not known, and {asked} is required"
        answer = condition.holds(value, "", subject)
        shown = value if isinstance(value, str) else f"{value:.0f}"
        return answer, "" if answer else f"required: {asked}; it is {shown}"
    answers = {lead: _holds(condition, lead, leads[lead], subject)[0] if lead in leads else None for lead in asked.leads}
    given = list(answers.values())
    if asked.how == "any":
        final = True if True in given else None if None in given else False
    else:
        refuted = asked.how == "none"  # the answer of one lead that settles it
        final = False if refuted in given else None if None in given else True
    if final is None:
        lead = next(name for name, value in answers.items() if value is None)
        return None, f"{lead} could not be judged: {unknown.get(lead, 'not recorded')}; required: {asked}"
    return final, "" if final else f"required: {asked}"
