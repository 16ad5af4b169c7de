"""Download a set from PhysioNet or a mirror, every file checked against the set's own list of hashes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from json import dumps, loads
from pathlib import Path
from threading import Event
from typing import Any, Literal

from ecgspasm.datasets import sums
from ecgspasm.datasets.catalogue import SHA256, DataSet, files_address, known
from ecgspasm.datasets.folders import default_folder
from ecgspasm.datasets.receiving import Receiver, alone, quiet
from ecgspasm.datasets.transfer import Transfer, checked_address, disk_fault, sha256_of
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import local_path, one_line, read_regular

RECORD = "ecgspasm-fetch.json"
MAX_WORKERS = 16

Progress = Callable[[int, int, int], None]
"""Called with files done, files in all, and bytes received by this call; always from the thread that called `fetch`."""


@dataclass(frozen=True)
class Fetched:
    """What a folder that `fetch` has filled says of itself.

    `trust` tells why its list of hashes was believed: it is ``pinned`` in the catalogue, its hash was ``given`` by the caller, or
    it was taken as the ``server`` gave it.
    """

    name: str
    version: str
    address: str
    sums_sha256: str
    trust: Literal["pinned", "given", "server"]


def fetch(
    name: str,
    to: str | os.PathLike[str] | None = None,
    *,
    mirror: str | None = None,
    workers: int = 4,
    timeout_s: float = 30.0,
    only: str | Sequence[str] | None = None,
    progress: Progress | None = None,
    sums_sha256: str | None = None,
    trust_sums: bool = False,
) -> Path:
    """Download a set into a folder, in PhysioNet's own layout.

    Files that are there with the right hash are left as they are, so the same call completes a folder that was cut short or that
    has come another way. A file gets its name only when it is whole and its hash is right.

    Parameters
    ----------
    name : str
        A set of `sets`.
    to : path, optional
        The set's folder. By default the folder of the set's name in ``ECGSPASM_DATA_DIR`` or, without that variable, in the
        user's folder for caches.
    mirror : str, optional
        An address that stands for ``https://physionet.org/files``: ``mirror/ludb/1.0.1/RECORDS`` must be a file.
    workers : int
        Files received at a time.
    timeout_s : float
        For a connection and for a pause in what is sent.
    only : str or sequence of str, optional
        Patterns of paths, such as ``data/1.*``; ``*`` also matches ``/``.
    progress : callable, optional
        Called a few times a second with files done, files in all, bytes received.
    sums_sha256 : str, optional
        SHA-256 of the set's ``SHA256SUMS.txt``; needed where the catalogue has none, and used instead of the catalogue's.
    trust_sums : bool
        Where the hash of that list is not known, take the list as the server gives it. The hash is written into the folder, and
        from then on the folder stays with that list.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    EcgError
        If a file could not be had or is not what the list says, after several tries; the others stay. Run it again to go on.
    """
    wanted = known(name)
    if not wanted.fetched:
        raise EcgError(
            f"{wanted.name} has {wanted.records} records and {wanted.size_mb // 1000} GB, too much for a file at a time; get it "
            "as its page on PhysioNet says and give its folder"
        )
    if not isinstance(workers, int) or not 1 <= workers <= MAX_WORKERS:
        raise EcgError(f"workers is {workers!r}; give a number from 1 to {MAX_WORKERS}")
    if not 0 < timeout_s <= 3600:
        raise EcgError(f"timeout_s is {timeout_s!r}; give seconds, such as 30")
    address = f"{checked_address(files_address() if mirror is None else mirror)}/{wanted.path}/"
    target = Path(local_path(to)) if to is not None else default_folder(wanted)
    pin, trust = _pin(wanted, sums_sha256, trust_sums, _before(wanted, target))
    pooch = _pooch()
    _check_target(wanted, target)
    stop = Event()
    try:
        with alone(target / sums.RESERVED) as staging, quiet(pooch):
            receiver = Receiver(pooch, target, staging, address, Transfer(timeout_s, wanted.size_mb * 4_000_000, stop), stop)
            digest = _the_list(receiver, wanted, pin)
            _write_record(target, Fetched(wanted.name, wanted.version, address, digest, trust))
            hashes = sums.parse_sums((target / sums.NAME).read_bytes())
            receiver.receive(_chosen(hashes, only), workers, progress)
    except OSError as error:
        raise disk_fault(error, Path(error.filename or target)) from error
    return target


def fetched(folder: str | os.PathLike[str]) -> Fetched | None:
    """What `fetch` has written into a folder about where its files are from; None if it has not filled it."""
    path = Path(local_path(folder)) / RECORD
    if not path.is_file():
        return None
    try:
        row: dict[str, Any] = loads(read_regular(str(path), 10_000))
        name, version, address, digest = (str(row[key]) for key in ("name", "version", "address", "sums_sha256"))
        found = Fetched(name, version, address, digest, row["trust"])
    except (ValueError, KeyError, TypeError) as error:
        raise EcgError(f"{one_line(path)} is damaged; delete it and run the fetch again") from error
    if not SHA256.fullmatch(found.sums_sha256) or found.trust not in ("pinned", "given", "server"):
        raise EcgError(f"{one_line(path)} is damaged; delete it and run the fetch again")
    return found


def _before(wanted: DataSet, target: Path) -> Fetched | None:
    found = fetched(target)
    if found is not None and (found.name, found.version) != (wanted.name, wanted.version):
        raise EcgError(f"{one_line(target)} holds {found.name} {found.version}; give an empty folder for {wanted.name}")
    return found


def _pin(
    wanted: DataSet, given: str | None, trust: bool, before: Fetched | None
) -> tuple[str | None, Literal["pinned", "given", "server"]]:
    """The hash that the list must have (None: any), and why it is believed."""
    if given is not None:
        if not SHA256.fullmatch(str(given).strip().lower()):
            raise EcgError(f"sums_sha256 is {one_line(repr(given), 80)}; give the 64 hexadecimal digits of a SHA-256")
        return str(given).strip().lower(), "given"
    if wanted.sums_sha256 is not None:
        return wanted.sums_sha256, "pinned"
    if before is not None:
        # the folder has been filled after this list; another one now would be another set
        return before.sums_sha256, before.trust
    if trust:
        return None, "server"
    raise EcgError(
        f"the hash of {wanted.name}'s {sums.NAME} is not in the catalogue: give it with --sums-sha256 (sums_sha256=), or say "
        "--trust-sums (trust_sums=True) to take the list as the server gives it"
    )


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise EcgError("fetching needs the package pooch: pip install 'ecgspasm[datasets]'") from error
    return pooch


def _check_target(wanted: DataSet, target: Path) -> None:
    """Refuse to spread a set over a folder that holds something else."""
    if target.exists() and not target.is_dir():
        raise EcgError(f"{one_line(target)} is no folder; give one")
    if not target.is_dir() or (target / RECORD).is_file() or (target / sums.NAME).is_file() or wanted.is_in(target):
        return
    other = next((each.name for each in target.iterdir() if each.name != sums.RESERVED), None)
    if other is not None:
        raise EcgError(
            f"{one_line(target)} holds other things ({one_line(other, 40)}) and nothing of {wanted.name}; give a folder of its "
            f"own, such as {one_line(target / wanted.name)}"
        )


def _the_list(receiver: Receiver, wanted: DataSet, pin: str | None) -> str:
    """Have the list of hashes in the folder, and return its own hash."""
    there = receiver.target / sums.NAME
    if pin is not None and there.is_file() and sha256_of(there) == pin:
        return pin
    staged = receiver.one_list(pin)
    digest = sha256_of(staged)
    if pin is not None and digest != pin:
        raise EcgError(
            f"the server's {sums.NAME} of {wanted.name} has the hash {digest}, not {pin}; nothing was taken. Is {wanted.version} "
            "still the same? If you trust this list give its hash with --sums-sha256 (sums_sha256=) and an empty folder"
        )
    # what cannot be read must not become the folder's list
    sums.parse_sums(staged.read_bytes())
    os.replace(staged, there)
    return digest


def _chosen(hashes: dict[str, str], only: str | Sequence[str] | None) -> dict[str, str]:
    if only is None:
        return hashes
    patterns = [only] if isinstance(only, str) else list(only)
    found = {path: digest for path, digest in hashes.items() if any(fnmatchcase(path, pattern) for pattern in patterns)}
    if not found:
        some = ", ".join(list(hashes)[:3])
        raise EcgError(f"no file of the set fits {one_line(', '.join(patterns), 80)}; its files are {one_line(some, 80)} ...")
    return found


def _write_record(target: Path, found: Fetched) -> None:
    row = {
        "name": found.name,
        "version": found.version,
        "address": found.address,
        "sums_sha256": found.sums_sha256,
        "trust": found.trust,
        "date": datetime.now(UTC).date().isoformat(),
    }
    half = target / sums.RESERVED / RECORD
    half.write_text(dumps(row, indent=1) + "\n", encoding="utf-8")
    os.replace(half, target / RECORD)
