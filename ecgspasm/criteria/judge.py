"""Apply one criterion to the values of two ECGs: met, not met, or undecided with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecgspasm import leads as lead_names
from ecgspasm.criteria import Criterion


@dataclass(frozen=True)
class LeadValues:
    """The values of one lead that conditions look at."""

    values: Mapping[tuple[str, str], float]
    """By (of, measure), such as ``("change", "st_j_uv")``; a value that was not measured is missing."""
    beyond_error: Mapping[str, bool]
    """By measure: whether the 95 % interval of the change excludes zero."""


@dataclass(frozen=True)
class Judgement:
    """Verdict on one criterion; `leads` are those that fulfil it (in contiguous groups, when it is met)."""

    verdict: str
    leads: tuple[str, ...]
    reason: str


def judge(
    criterion: Criterion,
    leads: Mapping[str, LeadValues],
    unknown: Mapping[str, str],
    confounders: Mapping[str, str],
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

    Returns
    -------
    Judgement
    """
    fulfils = {lead: _fulfils(criterion, leads[lead]) for lead in criterion.leads if lead in leads}
    yes = [lead for lead, answer in fulfils.items() if answer]
    open_leads = {
        lead: unknown.get(lead, "not recorded") if lead not in leads else "a value is missing"
        for lead in criterion.leads
        if fulfils.get(lead) is None
    }
    blocking = [text for name, text in confounders.items() if name in criterion.undecided_with]
    groups = [group for group in lead_names.contiguous_groups(yes) if len(group) >= criterion.contiguous]
    found = tuple(lead for group in groups for lead in group)
    if blocking:
        return Judgement("UNDECIDED", tuple(yes), blocking[0])
    if found:
        return Judgement("MET", found, "")
    possible = [
        group
        for group in lead_names.contiguous_groups([*yes, *open_leads])
        if len(group) >= criterion.contiguous and any(lead in open_leads for lead in group)
    ]
    if possible:
        lead = next(lead for lead in possible[0] if lead in open_leads)
        others = sum(lead in open_leads for group in possible for lead in group) - 1
        also = f" (and {others} more leads)" if others else ""
        return Judgement("UNDECIDED", tuple(yes), f"{lead} could not be judged{also}: {open_leads[lead]}")
    near = f"only in {', '.join(yes)}; {criterion.contiguous} neighbouring leads are asked for" if yes else "in no lead"
    return Judgement("NOT_MET", tuple(yes), near)


def _fulfils(criterion: Criterion, lead: LeadValues) -> bool | None:
    """Whether all conditions hold in a lead; None when a missing value leaves it open."""
    missing = False
    for condition in criterion.conditions:
        value = lead.values.get((condition.of, condition.measure))
        if value is None:
            missing = True
        elif not condition.holds(value) or (condition.of == "change" and not lead.beyond_error.get(condition.measure, False)):
            return False
    return None if missing else True
