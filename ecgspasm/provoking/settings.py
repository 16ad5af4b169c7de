"""The numbers of the provocation test, read from ``settings.toml`` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Rule:
    """Which change of one measure is a response."""

    name: str
    """``ST``, ``T`` or ``U``."""
    measures: tuple[str, ...]
    """The first of them that was measured is read."""
    peak_uv: float
    limit_uv: float
    signs: tuple[int, ...]


@cache
def table(file: str) -> dict[str, Any]:
    """One of the TOML files of this room."""
    return tomllib.loads(files("ecgspasm.provoking").joinpath(file).read_text(encoding="utf-8"))


def settings(section: str) -> Mapping[str, Any]:
    """Return one section of the settings, read-only."""
    return MappingProxyType(table("settings.toml")[section])


@cache
def rules() -> tuple[Rule, ...]:
    """One a measure, ST first."""
    return tuple(
        Rule(
            row["name"],
            tuple(row["measures"]),
            float(row["peak_uv"]),
            float(row["limit_uv"]),
            tuple(int(s) for s in row["signs"]),
        )
        for row in table("settings.toml")["measure"]
    )


CAVEAT = str(table("settings.toml")["caveat"]["words"])
"""Stands in every result."""
