"""The numbers and colours of the pictures, read from ``settings.toml`` beside this file, where each has its reason."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@cache
def settings(section: str) -> MappingProxyType[str, Any]:
    """Return one section of the settings, read-only."""
    table = tomllib.loads(files("ecgspasm.plot").joinpath("settings.toml").read_text(encoding="utf-8"))
    return MappingProxyType(table[section])
