"""Lead names: spellings, neighbours, territories, and the leads that follow from others.

The tables stand in ``leads.toml`` with their sources.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from ecgspasm.errors import EcgError


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("ecgspasm").joinpath("leads.toml").read_text(encoding="utf-8"))


STANDARD: tuple[str, ...] = tuple(_tables()["order"]["standard"])
"""The twelve standard leads, in their usual order."""

CABRERA: tuple[str, ...] = tuple(_tables()["order"]["cabrera"])
"""The frontal leads in anatomical order; ``-aVR`` stands for aVR with its sign turned."""

CHEST: tuple[str, ...] = tuple(_tables()["order"]["chest"])

DERIVED: dict[str, dict[str, float]] = {
    "I": {"II": 1.0, "III": -1.0},
    "II": {"I": 1.0, "III": 1.0},
    "III": {"I": -1.0, "II": 1.0},
    "aVR": {"I": -0.5, "II": -0.5},
    "aVL": {"I": 1.0, "II": -0.5},
    "aVF": {"I": -0.5, "II": 1.0},
}
"""Limb leads as weighted sums of others (Einthoven's law and Goldberger's definitions)."""


def derivable(leads: Iterable[str]) -> list[str]:
    """Limb leads that are not among `leads` and follow from those that are.

    Examples
    --------
    >>> derivable(["I", "II", "V2"]), derivable(["II", "V2"])
    (['III', 'aVR', 'aVL', 'aVF'], [])
    """
    known = set(leads)
    new = []
    for lead, recipe in DERIVED.items():
        if lead not in known and known.issuperset(recipe):
            new.append(lead)
            known.add(lead)
    return new


_WALLS_OF_ALL = 3
"""Leads of so many walls are global: no one artery feeds them."""

_PREFIX = re.compile(r"^(lead|ecg|ekg)(?=.)")


@cache
def canonical(name: str) -> str:
    """Return the standard spelling of a lead name.

    Parameters
    ----------
    name : str
        Any spelling that PhysioNet's sets and the vendors use: ``avr``, ``AVR``, ``Lead I``, ``ECG_V1``, ``MLII``, ``vx``.

    Raises
    ------
    EcgError
        If the name is not one of a lead.

    Examples
    --------
    >>> canonical("AVL"), canonical("lead ii"), canonical("v3")
    ('aVL', 'II', 'V3')
    """
    # A '-' stays: 'I-II' is a difference of leads, not III.
    key = re.sub(r"[\s._]", "", name.strip().casefold())
    key = _PREFIX.sub("", key).lstrip("-") if _PREFIX.match(key) else key
    known = {lead.casefold(): lead for lead in (*STANDARD, *_tables()["order"]["extra"])}
    found = known.get(key) or _tables()["aliases"].get(key)
    if found is None:
        shown = name if len(name) <= 40 else name[:37] + "..."
        raise EcgError(f"unknown lead name {shown!r}; rename it to one of {', '.join(known.values())}")
    return str(found)


def is_lead(name: str) -> bool:
    """Whether `name` is some spelling of a lead's name."""
    try:
        canonical(name)
    except EcgError:
        return False
    return True


def sort_key(lead: str) -> tuple[int, str]:
    """Key that puts leads in the usual order: standard leads first, then the rest by name."""
    return (STANDARD.index(lead), "") if lead in STANDARD else (len(STANDARD), lead)


@cache
def contiguous_pairs() -> frozenset[frozenset[str]]:
    """All pairs of neighbouring leads (anatomically contiguous; aVR counts as -aVR)."""
    order = _tables()["order"]
    limb = [lead.lstrip("-") for lead in order["cabrera"]]
    rows = [*itertools.pairwise(limb), *zip(order["chest"], order["chest"][1:], strict=False)]
    return frozenset(frozenset(pair) for pair in [*rows, *map(tuple, order["adjoining"])])


def contiguous_groups(leads: Collection[str]) -> list[tuple[str, ...]]:
    """Split `leads` into groups that hang together through neighbours, each in the usual order.

    Examples
    --------
    >>> contiguous_groups(["V1", "V2", "V3", "III", "aVF", "aVL"])
    [('III', 'aVF'), ('aVL',), ('V1', 'V2', 'V3')]
    """
    left = sorted(leads, key=sort_key)
    groups: list[tuple[str, ...]] = []
    while left:
        group, frontier = [left[0]], [left.pop(0)]
        while frontier:
            lead = frontier.pop()
            near = [other for other in left if frozenset((lead, other)) in contiguous_pairs()]
            for other in near:
                left.remove(other)
            group += near
            frontier += near
        groups.append(tuple(sorted(group, key=sort_key)))
    return groups


def territory(leads: Iterable[str]) -> str:
    """Name the territory that a set of leads looks at, or join the names of those that it covers.

    Examples
    --------
    >>> territory(["V1", "V2", "V3"]), territory(["II", "aVF"]), territory(["V2"])
    ('anteroseptal', 'inferior', 'unnamed')
    """
    found = set(leads)
    rows: Sequence[dict[str, Any]] = _tables()["territory"]
    walls = [row for row in rows if row.get("wall") and len(found & set(row["leads"])) >= row["least"]]
    if len(walls) >= _WALLS_OF_ALL:
        return "global"
    for row in rows:
        if found <= set(row["leads"]) and len(found) >= row["least"]:
            return str(row["name"])
    covered = [row["name"] for row in rows if len(found & set(row["leads"])) == len(row["leads"])]
    if covered:
        return " and ".join(covered)
    partly = [row["name"] for row in rows if len(found & set(row["leads"])) >= max(2, row["least"])]
    return " and ".join(partly[:2]) if partly else "unnamed"
