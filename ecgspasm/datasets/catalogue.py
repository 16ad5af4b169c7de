"""The sets that are known: what they are called, where they lie, under which licence, and how their files are checked."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class DataSet:
    """One set of recordings.

    Attributes
    ----------
    name, title, version : str
    path : str
        Where it lies below the address of all files, such as ``ludb/1.0.1``.
    licence : str
    doi : str
        What to cite; docs/datasets.md says more.
    size_mb : int
        About what its files take on a disk.
    marks : tuple of str
        Patterns of files by which a folder is known to be the set's own; one is enough.
    records, persons : int or None
    aliases : tuple of str
    pairs : bool
        True if `ecgspasm.datasets.pairs` knows its tables.
    fetched : bool
        False if it is too large to be fetched a file at a time.
    sums_sha256 : str or None
        SHA-256 of its list of hashes, if that could be found out; `sums_source` says from where.
    sums_source : str
    """

    name: str
    title: str
    version: str
    path: str
    licence: str
    doi: str
    size_mb: int
    marks: tuple[str, ...]
    records: int | None = None
    persons: int | None = None
    aliases: tuple[str, ...] = ()
    pairs: bool = False
    fetched: bool = True
    sums_sha256: str | None = None
    sums_source: str = ""

    @property
    def slug(self) -> str:
        """How PhysioNet calls the folder in its zip file, without the version."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def is_in(self, folder: Path) -> bool:
        """True if the files that mark the set lie in this folder."""
        return any(next(folder.glob(mark), None) is not None for mark in self.marks)


def sets() -> tuple[DataSet, ...]:
    """All sets that are known, in the order of the catalogue.

    Examples
    --------
    >>> [each.name for each in sets()][:3]
    ['ludb', 'qtdb', 'edb']
    """
    return tuple(_catalogue()[1].values())


def known(name: str) -> DataSet:
    """The set of a name or one of its other names; an EcgError names those there are."""
    asked = str(name).strip().casefold()
    for each in sets():
        if asked in (each.name, *each.aliases):
            return each
    raise EcgError(f"there is no set {one_line(repr(name), 40)}; known are {', '.join(each.name for each in sets())}")


def files_address() -> str:
    """The address below which the paths of all sets lie."""
    return _catalogue()[0]


@cache
def _catalogue() -> tuple[str, dict[str, DataSet]]:
    table: dict[str, Any] = tomllib.loads((resources.files("ecgspasm.datasets") / "catalogue.toml").read_text(encoding="utf-8"))
    address = table.pop("files")
    found = {}
    for name, row in table.items():
        found[name] = DataSet(name=name, marks=tuple(row.pop("marks")), aliases=tuple(row.pop("aliases", ())), **row)
        pin = found[name].sums_sha256
        if pin is not None and not (SHA256.fullmatch(pin) and found[name].sums_source):
            raise EcgError(f"the catalogue's sums_sha256 of {name} is no SHA-256 or has no source; mend catalogue.toml")
    return address, found
