"""Where a set lies on this machine: a folder that somebody already has comes first."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ecgspasm.datasets.catalogue import DataSet, known
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import local_path, one_line

VARIABLE = "ECGSPASM_DATA_DIR"


def folder(name: str, data: str | os.PathLike[str] | None = None) -> Path:
    """Find the folder of a set that is on this machine; nothing is ever downloaded.

    Parameters
    ----------
    name : str
        A set of the catalogue, such as ``ludb``.
    data : path, optional
        The set's own folder, or one that holds it under the set's name (``ludb``), with its version (``ludb/1.0.1``), as
        PhysioNet's zip file unpacks (``lobachevsky-university-electrocardiography-database-1.0.1``) or as ``wget -r`` leaves it
        (``physionet.org/files/ludb/1.0.1``). Without it the same is looked for in the folder of the environment variable
        ``ECGSPASM_DATA_DIR``, then where `fetch` puts sets by default.

    Returns
    -------
    Path

    Raises
    ------
    EcgError
        If it is in none of them.
    """
    wanted = known(name)
    looked = []
    for place in _places(data):
        found = find(wanted, place)
        if found is not None:
            return found
        looked.append(one_line(place))
    how = f"with: ecgspasm fetch {wanted.name} --to DIR" if wanted.fetched else "from its page on PhysioNet"
    raise EcgError(
        f"{wanted.name} is not in {' nor in '.join(looked)}; nothing is downloaded by itself: give the folder you have (--data, "
        f"{VARIABLE}), or get the set {how}"
    )


def find(wanted: DataSet, place: Path) -> Path | None:
    """The set's folder: `place` itself or one below it, if the set's files are there."""
    if not place.is_dir():
        return None
    return next((each for each in _candidates(wanted, place) if each.is_dir() and wanted.is_in(each)), None)


def default_folder(wanted: DataSet) -> Path:
    """Where `fetch` puts a set if nobody says where."""
    told = os.environ.get(VARIABLE)
    return (Path(local_path(told)) if told else cache_folder()) / wanted.name


def cache_folder() -> Path:
    """The folder for data that can be had again, as each system has it."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ecgspasm"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ecgspasm"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ecgspasm"


def _places(data: str | os.PathLike[str] | None) -> Iterator[Path]:
    if data is not None:
        # who names a folder means that one, not another that happens to be there
        yield Path(local_path(data))
        return
    told = os.environ.get(VARIABLE)
    if told:
        yield Path(local_path(told))
    yield cache_folder()


def _candidates(wanted: DataSet, place: Path) -> Iterator[Path]:
    # the parents first: a folder of all sets may hold a file that looks like one set's mark
    for name in (wanted.name, *wanted.aliases, wanted.path.partition("/")[0]):
        yield place / name / wanted.version
        yield place / name
        yield place / f"{name}-{wanted.version}"
    yield place / "physionet.org" / "files" / wanted.path
    yield place / "files" / wanted.path
    yield place / f"{wanted.slug}-{wanted.version}"
    yield from sorted(each for each in place.glob(f"{wanted.slug}-[0-9]*"))
    yield place / wanted.version
    yield place
