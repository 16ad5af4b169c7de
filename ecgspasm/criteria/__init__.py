"""Criteria as data: the rules that say which changes count, each with its source.

The rules stand in TOML files in this folder; `load_criteria` reads them, or a file of the user's own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from ecgspasm import leads as lead_names
from ecgspasm.errors import EcgError

OF = ("baseline", "current", "change")
MEASURES = (
    "st_j_uv",
    "st_j20_uv",
    "st_j40_uv",
    "st_j60_uv",
    "st_j80_uv",
    "st_slope_uv_per_s",
    "t_uv",
    "t_positive_uv",
    "t_negative_uv",
    "q_uv",
    "r_uv",
    "s_uv",
)
CONFOUNDERS = ("wide-qrs", "changed-conduction", "changed-leads", "changed-gain")
KINDS = ("new", "resolution")


@dataclass(frozen=True)
class Condition:
    """One limit that a lead must keep: `measure` of baseline, current or change is at least or at most so many uV."""

    of: Literal["baseline", "current", "change"]
    measure: str
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value keeps the limit; it is rounded to whole units first, because a limit is a whole number of them."""
        rounded = round(value)
        return (self.at_least is None or rounded >= self.at_least) and (self.at_most is None or rounded <= self.at_most)

    def __str__(self) -> str:
        limit = f">= {self.at_least:+g}" if self.at_least is not None else f"<= {self.at_most:+g}"
        unit = "uV/s" if self.measure.endswith("per_s") else "uV"
        return f"{self.of} {self.measure} {limit} {unit}"


@dataclass(frozen=True)
class Criterion:
    """A rule: what must hold in how many neighbouring leads, and who says so."""

    id: str
    title: str
    what: str
    shown: str
    leads: tuple[str, ...]
    contiguous: int
    conditions: tuple[Condition, ...]
    source: str
    undecided_with: tuple[str, ...] = ()
    kind: str = "new"


def load_criteria(path: str | Path | None = None) -> tuple[Criterion, ...]:
    """Read criteria.

    Parameters
    ----------
    path : path-like, optional
        A TOML file with ``[[criterion]]`` tables; without it the project's own criteria.

    Raises
    ------
    EcgError
        If a field is missing, misspelt or holds something that it cannot.

    Examples
    --------
    >>> [criterion.id for criterion in load_criteria()][:2]
    ['new-st-elevation', 'new-st-depression']
    """
    if path is None:
        return _shipped()
    if not isinstance(path, str | Path):
        raise EcgError(f"criteria are read from a path, not from a {type(path).__name__}; give the path of a TOML file")
    return _parse(_text(Path(path)), str(path))


@cache
def _shipped() -> tuple[Criterion, ...]:
    return _parse(files("ecgspasm.criteria").joinpath("serial.toml").read_text(encoding="utf-8"), "serial.toml")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EcgError(f"cannot read the criteria file {path}: {error}; give a TOML file in UTF-8") from error


def _parse(text: str, name: str) -> tuple[Criterion, ...]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EcgError(f"{name} is not valid TOML: {error}") from error
    rows = tables.get("criterion")
    if not isinstance(rows, list) or not rows:
        raise EcgError(f"{name} holds no [[criterion]] table; add at least one")
    criteria = tuple(_criterion(row, f"{name}, criterion {number}") for number, row in enumerate(rows, start=1))
    ids = [criterion.id for criterion in criteria]
    for each in ids:
        if ids.count(each) > 1:
            raise EcgError(f"{name}: the id {each!r} is used twice; give each criterion its own")
    return criteria


_FIELDS: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "title": str,
    "what": str,
    "shown": str,
    "leads": list,
    "contiguous": int,
    "conditions": list,
    "source": str,
    "undecided_with": list,
    "kind": str,
}
_OPTIONAL = {"undecided_with", "kind", "what", "shown"}


def _criterion(row: Mapping[str, Any], where: str) -> Criterion:
    if isinstance(row.get("id"), str):
        where = f"{where} ({row['id']})"
    _check_fields(row, _FIELDS, _OPTIONAL, where)
    conditions = tuple(_condition(each, where) for each in row["conditions"])
    if not conditions:
        raise EcgError(f"{where}: conditions is empty; give at least one")
    if row["contiguous"] < 1:
        raise EcgError(f"{where}: contiguous is {row['contiguous']}; give 1 or more")
    return Criterion(
        id=row["id"],
        title=row["title"],
        what=row.get("what", row["title"]),
        shown=_one_of(row.get("shown", conditions[0].measure), MEASURES, "shown", where),
        leads=tuple(lead_names.canonical(str(lead)) for lead in row["leads"]),
        contiguous=row["contiguous"],
        conditions=conditions,
        source=row["source"],
        undecided_with=tuple(_one_of(each, CONFOUNDERS, "undecided_with", where) for each in row.get("undecided_with", [])),
        kind=_one_of(row.get("kind", "new"), KINDS, "kind", where),
    )


def _condition(row: Any, where: str) -> Condition:
    if not isinstance(row, dict):
        raise EcgError(f"{where}: a condition is {row!r}; write {{ of = ..., measure = ..., at_least = ... }}")
    fields: dict[str, type | tuple[type, ...]] = {"of": str, "measure": str, "at_least": (int, float), "at_most": (int, float)}
    _check_fields(row, fields, {"at_least", "at_most"}, f"{where}, condition")
    if "at_least" not in row and "at_most" not in row:
        raise EcgError(f"{where}: a condition on {row['measure']} has no limit; give at_least or at_most")
    of: Any = _one_of(row["of"], OF, "of", where)
    return Condition(of, _one_of(row["measure"], MEASURES, "measure", where), row.get("at_least"), row.get("at_most"))


def _check_fields(row: Mapping[str, Any], fields: Mapping[str, type | tuple[type, ...]], optional: set[str], where: str) -> None:
    for name, value in row.items():
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(fields)}"
            raise EcgError(f"{where}: unknown field {name!r}; {hint}")
        if not isinstance(value, fields[name]) or isinstance(value, bool):
            raise EcgError(f"{where}: {name} is {value!r}, which is of the wrong type")
    for name in fields:
        if name not in row and name not in optional:
            raise EcgError(f"{where}: the field {name!r} is missing; add it")


def _one_of(value: Any, choices: tuple[str, ...], name: str, where: str) -> str:
    if value not in choices:
        near = get_close_matches(str(value), choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the choices are {', '.join(choices)}"
        raise EcgError(f"{where}: {name} is {value!r}; {hint}")
    return str(value)
