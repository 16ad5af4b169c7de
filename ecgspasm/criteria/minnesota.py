"""Minnesota codes 4-x, 5-x and 9-2 of an ECG, and what has changed between two of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ecgspasm.criteria.judge import LeadValues
from ecgspasm.criteria.model import Condition
from ecgspasm.criteria.parse import parse_conditions
from ecgspasm.ecg import MEASURED, Measurements


@dataclass(frozen=True)
class Code:
    """One code for some leads."""

    id: str
    leads: tuple[str, ...]
    conditions: tuple[Condition, ...]


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("ecgspasm.criteria").joinpath("minnesota.toml").read_text(encoding="utf-8"))


@cache
def codes() -> tuple[Code, ...]:
    """All codes, from the most to the least severe of each class."""
    return tuple(
        Code(row["id"], tuple(row["leads"]), parse_conditions(row["conditions"], "current", f"minnesota.toml, {row['id']}"))
        for row in _tables()["code"]
    )


def coded(measured: Measurements) -> dict[str, dict[str, tuple[str, ...]]]:
    """The most severe code of each class in each group of leads.

    Parameters
    ----------
    measured : Measurements

    Returns
    -------
    dict
        By group (anterolateral, inferior, anterior) and code, the leads that have it. A lead that was not measured has no code:
        where it matters, look at `measured`.
    """
    table = {lead: _values(measured, row) for row, lead in enumerate(measured.leads) if measured.state[row] == MEASURED}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for group, leads in _tables()["groups"].items():
        own: dict[str, tuple[str, ...]] = {}
        for code in codes():
            if any(_class(code.id) == _class(other) and other != code.id for other in own):
                continue
            having = tuple(lead for lead in leads if lead in code.leads and lead in table and _has(code, lead, table[lead]))
            if having:
                own[code.id] = own.get(code.id, ()) + having
        found[group] = own
    return found


def _class(code: str) -> str:
    return code.partition("-")[0]


def _values(measured: Measurements, row: int) -> LeadValues:
    values = {("current", name): float(each[row]) for name, each in measured.values.items() if np.isfinite(each[row])}
    return LeadValues(values, {}, {"current": str(measured.t_shape[row])})


def _has(code: Code, lead: str, values: LeadValues) -> bool:
    """Whether all conditions hold; a value that is missing holds none."""
    found = [(each, values.get(each.of, each.measure)) for each in code.conditions]
    return all(value is not None and each.holds(value, lead) is True for each, value in found)


def changed(baseline: Measurements, current: Measurements) -> dict[str, Any]:
    """Codes of both ECGs and the significant changes between them, JSON-ready.

    Parameters
    ----------
    baseline, current : Measurements

    Returns
    -------
    dict
        ``baseline`` and ``current``: by group the codes; ``change``: one entry a group and class with a significant change.
    """
    before, now = coded(baseline), coded(current)
    change = []
    for group in now:
        for name, rule in _tables()["significant"].items():
            ranks = {code: rank for rank, code in enumerate(rule["codes"], start=1)}
            old, new = (max((ranks.get(code, 0) for code in each[group]), default=0) for each in (before, now))
            if new > old:
                code = rule["codes"][new - 1]
                leads = [lead for lead in now[group][code] if _moved(baseline, current, lead, rule)]
                if leads:
                    was = rule["codes"][old - 1] if old else None
                    change.append({"group": group, "class": name, "from": was, "to": code, "leads": leads})
    return {"baseline": {group: list(own) for group, own in before.items()}} | {
        "current": {group: list(own) for group, own in now.items()},
        "change": change,
    }


def _moved(baseline: Measurements, current: Measurements, lead: str, rule: Mapping[str, Any]) -> bool:
    measure = rule["measure"]
    if not baseline.measured(lead) or measure not in baseline.values or measure not in current.values:
        return False
    difference = current.get(measure, lead) - baseline.get(measure, lead)
    return bool(difference <= rule["at_most"]) if "at_most" in rule else bool(difference >= rule["at_least"])
