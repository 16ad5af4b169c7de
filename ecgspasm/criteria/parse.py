"""From TOML to criteria; whatever is wrong in a file is said in one line that names the field and the choices."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ecgspasm import leads as lead_names
from ecgspasm.criteria.bounded_toml import toml_table
from ecgspasm.criteria.model import (
    CONDUCTION,
    CONFOUNDERS,
    HOW,
    KINDS,
    MEASURES,
    OF,
    OVERALL,
    SERIAL_CONFOUNDERS,
    SHAPES,
    Condition,
    Criterion,
    Limit,
    Limits,
    Requirement,
)
from ecgspasm.errors import EcgError

Types = Mapping[str, type | tuple[type, ...]]

_FIELDS: Types = {
    "id": str,
    "title": str,
    "what": str,
    "shown": str,
    "leads": list,
    "contiguous": int,
    "count": int,
    "conditions": list,
    "requires": list,
    "source": str,
    "undecided_with": list,
    "kind": str,
    "group": str,
    "territory": str,
}
_OPTIONAL = {"undecided_with", "kind", "what", "shown", "contiguous", "count", "requires", "group", "territory"}
_CONDITION: Types = {
    "of": str,
    "measure": str,
    "at_least": (int, float, list),
    "at_most": (int, float, list),
    "is": list,
    "beyond_error": bool,
}
_LIMIT: Types = {"uv": (int, float), "leads": list, "sex": str, "age_from": (int, float), "age_below": (int, float)}


def parse(text: str, name: str) -> tuple[Criterion, ...]:
    """Criteria of a TOML text; `name` stands in messages."""
    rows = toml_table(text, name).get("criterion")
    if not isinstance(rows, list) or not rows:
        raise EcgError(f"{name} holds no [[criterion]] table; add at least one")
    criteria = tuple(_criterion(row, f"{name}, criterion {number}") for number, row in enumerate(rows, start=1))
    check_ids(criteria, name)
    return criteria


def check_ids(criteria: tuple[Criterion, ...], name: str) -> None:
    """Refuse two criteria of one name."""
    ids = [criterion.id for criterion in criteria]
    for each in ids:
        if ids.count(each) > 1:
            raise EcgError(f"{name}: the id {each!r} is used twice; give each criterion its own")


def _criterion(row: Mapping[str, Any], where: str) -> Criterion:
    if isinstance(row.get("id"), str):
        where = f"{where} ({row['id']})"
    check_fields(row, _FIELDS, _OPTIONAL, where)
    conditions = tuple(_condition(each, where, MEASURES) for each in row["conditions"])
    if not conditions:
        raise EcgError(f"{where}: conditions is empty; give at least one")
    if ("contiguous" in row) == ("count" in row):
        raise EcgError(f"{where}: give either contiguous (neighbouring leads) or count (leads wherever they lie)")
    for name in ("contiguous", "count"):
        if row.get(name, 1) < 1:
            raise EcgError(f"{where}: {name} is {row[name]}; give 1 or more")
    numbers = [condition.measure for condition in conditions if condition.measure != "t_shape"]
    return Criterion(
        id=row["id"],
        title=row["title"],
        what=row.get("what", row["title"]),
        shown=one_of(row.get("shown", (numbers or ["t_uv"])[0]), MEASURES, "shown", where),
        leads=tuple(lead_names.canonical(str(lead)) for lead in row["leads"]),
        contiguous=row.get("contiguous", 0),
        count=row.get("count", 0),
        conditions=conditions,
        requires=tuple(_requirement(each, where) for each in row.get("requires", [])),
        source=row["source"],
        undecided_with=tuple(_confounders(row.get("undecided_with", []), where)),
        kind=one_of(row.get("kind", "new"), KINDS, "kind", where),
        group=row.get("group", ""),
        territory=row.get("territory", ""),
    )


def _confounders(names: list[Any], where: str) -> list[str]:
    """Names of confounders; ``serial`` stands for all those that could by themselves explain a change."""
    found: list[str] = []
    for each in names:
        name = one_of(each, ("serial", *CONFOUNDERS), "undecided_with", where)
        found += SERIAL_CONFOUNDERS if name == "serial" else [name]
    return found


def _condition(row: Any, where: str, measures: tuple[str, ...]) -> Condition:
    if not isinstance(row, dict):
        raise EcgError(f"{where}: a condition is {row!r}; write {{ of = ..., measure = ..., at_least = ... }}")
    where = f"{where}, condition"
    check_fields(row, _CONDITION, {"at_least", "at_most", "is", "beyond_error"}, where)
    if not {"at_least", "at_most", "is"} & set(row):
        raise EcgError(f"{where}: a condition on {row['measure']} has no limit; give at_least, at_most or is")
    of: Any = one_of(row["of"], OF, "of", where)
    measure = one_of(row["measure"], measures, "measure", where)
    words = {"t_shape": SHAPES, "conduction": CONDUCTION}.get(measure)
    if (words is None) == ("is" in row):
        given = "'is' with words" if words else "at_least or at_most with a number"
        raise EcgError(f"{where}: {measure} asks for {given}")
    return Condition(
        of,
        measure,
        _limits(row.get("at_least"), where),
        _limits(row.get("at_most"), where),
        tuple(one_of(each, words or (), "is", where) for each in row.get("is", [])),
        row.get("beyond_error", True),
    )


def parse_conditions(rows: list[Any], of: str, where: str) -> tuple[Condition, ...]:
    """Conditions that all look at one of the ECGs and do not say so."""
    return tuple(_condition({"of": of, **row}, where, MEASURES) for row in rows)


def _limits(given: Any, where: str) -> Limits | None:
    if not isinstance(given, list):
        return None if given is None else float(given)
    return tuple(_limit(each, where) for each in given)


def _limit(row: Any, where: str) -> Limit:
    if not isinstance(row, dict):
        raise EcgError(f"{where}: a limit is {row!r}; write {{ uv = ..., leads = [...], sex = ..., age_from = ... }}")
    check_fields(row, _LIMIT, set(_LIMIT) - {"uv"}, f"{where}, limit")
    sex: Any = one_of(row["sex"], ("male", "female"), "sex", where) if "sex" in row else None
    leads = tuple(lead_names.canonical(str(lead)) for lead in row.get("leads", []))
    return Limit(float(row["uv"]), leads, sex, row.get("age_from"), row.get("age_below"))


def _requirement(row: Any, where: str) -> Requirement:
    if not isinstance(row, dict):
        raise EcgError(f"{where}: a requirement is {row!r}; write {{ leads = [...], of = ..., measure = ..., at_least = ... }}")
    own = {name: value for name, value in row.items() if name not in ("leads", "how")}
    leads = row.get("leads", [])
    if not isinstance(leads, list):
        raise EcgError(f"{where}: leads is {leads!r}, which is of the wrong type; give a list")
    condition = _condition(own, where, MEASURES if leads else OVERALL)
    how: Any = one_of(row.get("how", "all"), HOW, "how", where)
    return Requirement(condition, tuple(lead_names.canonical(str(lead)) for lead in leads), how)


def check_fields(row: Mapping[str, Any], fields: Types, optional: set[str], where: str) -> None:
    """Refuse unknown, missing and wrongly typed fields."""
    for name, value in row.items():
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(fields)}"
            raise EcgError(f"{where}: unknown field {name!r}; {hint}")
        if not isinstance(value, fields[name]) or (isinstance(value, bool) and fields[name] is not bool):
            raise EcgError(f"{where}: {name} is {value!r}, which is of the wrong type")
    for name in fields:
        if name not in row and name not in optional:
            raise EcgError(f"{where}: the field {name!r} is missing; add it")


def one_of(value: Any, choices: tuple[str, ...], name: str, where: str) -> str:
    """Refuse a word that is not among the choices."""
    if value not in choices:
        near = get_close_matches(str(value), choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the choices are {', '.join(choices)}"
        raise EcgError(f"{where}: {name} is {value!r}; {hint}")
    return str(value)
