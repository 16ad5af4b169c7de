"""What every result carries: the version, what it is for, and the parameters that it was made with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

USE = "research only; not a medical device"

_PACKAGE = Path(__file__).parent
_TABLES = (".toml", ".npz")
_MOST_NAMED = 4


@cache
def tables_key() -> str:
    """Key of all tables that a result rests on: thresholds, criteria, repeatability, coefficients, the net.

    Two results with one version and one key were made by the same rules; a key that differs tells that somebody changed a table
    of an installed package.

    Examples
    --------
    >>> len(tables_key())
    12
    """
    import hashlib  # here, because every command loads this module

    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*"), key=lambda path: path.relative_to(_PACKAGE).as_posix()):
        if path.suffix in _TABLES:
            # A checkout may have changed the ends of lines of a text.
            content = path.read_bytes().replace(b"\r\n", b"\n") if path.suffix == ".toml" else path.read_bytes()
            digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]


def stamp(**parameters: Any) -> dict[str, Any]:
    """The first fields of a result as JSON: ``ecgspasm`` (the version), ``use`` and ``parameters``."""
    from ecgspasm import __version__

    return {"ecgspasm": __version__, "use": USE, "parameters": parameters | {"tables": tables_key()}}


def line(parameters: Mapping[str, Any]) -> str:
    """The last line of a result as text.

    Examples
    --------
    >>> line({"electrodes": "fresh", "definitions": ["european-st", "long-term-b"]})
    'ecgspasm 0.1.0; electrodes fresh, definitions european-st long-term-b; research only, not a medical device'
    """
    from ecgspasm import __version__

    told = [f"{name} {_words(value)}" for name, value in parameters.items() if name != "tables" and value is not None]
    return "; ".join(part for part in (f"ecgspasm {__version__}", ", ".join(told), USE.replace(";", ",")) if part)


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(value) if len(value) <= _MOST_NAMED else f"({len(value)})"
    return f"{value:g}" if isinstance(value, float) else str(value)
