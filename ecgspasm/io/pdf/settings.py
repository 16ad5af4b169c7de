"""The numbers of ``settings.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def pdf_settings(section: str) -> dict[str, Any]:
    """One table of ``settings.toml``."""
    text = files("ecgspasm.io.pdf").joinpath("settings.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)[section]
    return table
