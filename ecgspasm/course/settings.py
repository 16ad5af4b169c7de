"""The numbers of a course, read from ``settings.toml`` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@cache
def table(name: str) -> MappingProxyType[str, Any]:
    """A whole TOML file of this folder, read-only."""
    return MappingProxyType(tomllib.loads(files("ecgspasm.course").joinpath(name).read_text(encoding="utf-8")))


@cache
def settings(section: str) -> MappingProxyType[str, Any]:
    """Return one section of the settings, read-only."""
    return MappingProxyType(table("settings.toml")[section])
