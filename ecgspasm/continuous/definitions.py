"""The published definitions of an episode, read from ``definitions.toml`` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ecgspasm.errors import EcgError

DEFAULT = ("european-st", "european-t")
"""The definitions by which `monitor` lists episodes if nothing else is said."""


@dataclass(frozen=True)
class Definition:
    """One definition of an episode; the fields are explained at the top of ``definitions.toml``."""

    id: str
    name: str
    measure: str
    peak_uv: float
    peak_s: float
    limit_uv: float
    quiet_s: float
    source: str
    sign: int = 0
    contiguous: int = 1
    value: float | None = None
    transient: bool = False


@cache
def definitions() -> dict[str, Definition]:
    """All definitions by their id."""
    table = tomllib.loads(files("ecgspasm.continuous").joinpath("definitions.toml").read_text(encoding="utf-8"))
    return {row["id"]: Definition(**row) for row in table["definition"]}


def chosen(ids: str | Iterable[str]) -> tuple[Definition, ...]:
    """Definitions by their ids.

    Raises
    ------
    EcgError
        If there is no such definition.
    """
    known = definitions()
    if not isinstance(ids, Iterable):
        raise EcgError(f"the definitions are {ids!r}; give some of {', '.join(known)}")
    wanted = (ids,) if isinstance(ids, str) else tuple(dict.fromkeys(ids))
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise EcgError(f"no definition {unknown[0]!r} of an episode; give some of {', '.join(known)}")
    return tuple(known[each] for each in wanted)
