"""TOML that a stranger may have written: the standard library's parser, behind limits on what it takes long for."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from ecgspasm.errors import EcgError

_MOST_PARTS = 32
"""Parts of a dotted key; the parser needs the third power of their number. Course files and criteria use three."""
_PART = r"""(?:(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++|(?<!\\)"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MOST_PARTS},}}")


def toml_table(text: str, name: str) -> dict[str, Any]:
    """The table of a TOML text; `name` stands in messages.

    Raises
    ------
    EcgError
        If it is no TOML, or has keys, lists or numbers of a length that nobody writes.
    """
    if _LONG_KEY.search(text):
        raise EcgError(
            f"{name} cannot be read: a key has more than {_MOST_PARTS} parts with dots between them; write it as a table"
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EcgError(f"{name} is not valid TOML: {_shown(error)}; mend that place") from error
    # lists too deep within each other, and numbers of thousands of digits
    except (RecursionError, ValueError) as error:
        raise EcgError(f"{name} cannot be read ({_shown(error)}); mend it") from error


def _shown(error: Exception) -> str:
    line = " ".join(str(error).split())[:200]
    return "".join(letter if letter.isprintable() else "?" for letter in line)
