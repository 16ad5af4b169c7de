"""A writer of TOML for plain tables: text, numbers, flags, dates, lists of text, tables and lists of tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ecgspasm.errors import EcgError


def dump(table: Mapping[str, Any]) -> str:
    """The table as a TOML document.

    Examples
    --------
    >>> print(dump({"title": "one", "exposures": [{"drug": "sorafenib", "start": 0.0}]}), end="")
    title = "one"
    <BLANKLINE>
    [[exposures]]
    drug = "sorafenib"
    start = 0.0
    """
    return "\n".join(_lines(table, "")).strip("\n") + "\n"


def _lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    """Plain values first, since in TOML whatever follows a header belongs to it."""
    below = {key: value for key, value in table.items() if isinstance(value, Mapping) or _is_tables(value)}
    for key, value in table.items():
        if key not in below:
            yield f"{key} = {_value(value)}"
    for key, value in below.items():
        full = f"{name}.{key}" if name else key
        for header, row in [(f"[{full}]", value)] if isinstance(value, Mapping) else [(f"[[{full}]]", row) for row in value]:
            yield ""
            yield header
            yield from _lines(row, full)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    raise EcgError(f"a {type(value).__name__} cannot be written as TOML")
