"""Criteria as data: the rules that say which changes count, each with its source.

The rules stand in TOML files in this folder (``serial.toml`` tells how they are written); `load_criteria` reads them, or a file
of the user's own.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from ecgspasm.criteria.model import CONFOUNDERS, SERIAL_CONFOUNDERS, SERIAL_KINDS, Condition, Criterion, Limit, Requirement
from ecgspasm.criteria.parse import check_ids, parse
from ecgspasm.errors import EcgError

__all__ = ["CONFOUNDERS", "SERIAL_CONFOUNDERS", "SERIAL_KINDS", "Condition", "Criterion", "Limit", "Requirement", "load_criteria"]

MAX_CRITERIA_BYTES = 512 * 1024
"""The largest file of criteria that is read; all of those that are shipped have 20 kB together."""
_SHIPPED = ("serial.toml", "udmi.toml", "vasospasm.toml", "patterns.toml", "conduction.toml")


def load_criteria(path: str | Path | None = None, *, group: str | None = None) -> tuple[Criterion, ...]:
    """Read criteria.

    Parameters
    ----------
    path : path-like, optional
        A TOML file with ``[[criterion]]`` tables; without it the project's own criteria.
    group : str, optional
        Only those of one group, such as ``serial`` or ``covadis``.

    Raises
    ------
    EcgError
        If a field is missing, misspelt or holds something that it cannot, or if there is no such group.

    Examples
    --------
    >>> [criterion.id for criterion in load_criteria()][:2]
    ['new-st-elevation', 'new-st-depression']
    """
    if path is None:
        criteria = _shipped()
    elif not isinstance(path, str | Path):
        raise EcgError(f"criteria are read from a path, not from a {type(path).__name__}; give the path of a TOML file")
    else:
        criteria = parse(_text(Path(path)), str(path))
    if group is None:
        return criteria
    found = tuple(each for each in criteria if each.group == group)
    if not found:
        raise EcgError(f"no criteria of a group {group!r}; the groups are {', '.join(sorted({each.group for each in criteria}))}")
    return found


@cache
def _shipped() -> tuple[Criterion, ...]:
    folder = files("ecgspasm.criteria")
    criteria = tuple(rule for name in _SHIPPED for rule in parse(folder.joinpath(name).read_text(encoding="utf-8"), name))
    check_ids(criteria, "the shipped criteria")
    return criteria


def _text(path: Path) -> str:
    try:
        # a pipe would wait for its writer
        if not path.is_file():
            raise FileNotFoundError("there is no such file")
        with path.open("rb") as file:
            content = file.read(MAX_CRITERIA_BYTES + 1)
        if len(content) <= MAX_CRITERIA_BYTES:
            return content.decode("utf-8")
    # a name with a zero byte is a ValueError, as text that is no UTF-8 is
    except (OSError, ValueError) as error:
        raise EcgError(f"cannot read the criteria file {path}: {error}; give a TOML file in UTF-8") from error
    raise EcgError(f"the criteria file {path} has more than the {MAX_CRITERIA_BYTES} bytes that are read; make it shorter")
