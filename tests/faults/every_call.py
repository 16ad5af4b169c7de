"""Every call to the file system fails once: what is said, what is left, and whether doing it again completes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgspasm.errors import EcgError
from tests.faults.deeds import Deed, State
from tests.faults.disk import Call, Disk, Fault, faults_at


@dataclass
class Found:
    """What came of all faults of one deed."""

    name: str
    calls: dict[str, int] = field(default_factory=dict)
    faults: int = 0
    refused: int = 0
    """Ended with an `EcgError` of one line."""
    unharmed: int = 0
    """Ended as if nothing had been, with the right files: a short write, a handle that could not be closed."""
    refused_though_named: int = 0
    """Of `refused`: the new file had its name already, whole; only that it has reached the disk was not certain."""
    raw: int = 0
    """Ended with another exception."""
    many_lines: int = 0
    damaged: int = 0
    """A file was neither the older nor the new one, or of two that belong together only one was new."""
    silent: int = 0
    """Ended as if nothing had been, but with other files."""
    not_completed: int = 0
    """Doing it again did not give the bytes of a run without a fault."""
    left_behind: int = 0
    """A temporary file stayed although nothing kept it from being removed."""
    said: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """Faults after which something was not as promised."""
        return self.raw + self.many_lines + self.damaged + self.silent + self.not_completed + self.left_behind

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: value for name, value in vars(self).items() if name != "said" or value}


def all_faults(deed: Deed, keep: slice = slice(None)) -> Found:
    """Have every call fail in all its ways; `keep` takes a share of them."""
    found = Found(deed.name)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, after, calls = _undisturbed(deed, folder)
        found.calls = dict(Counter(call.kind for call in calls))
        faults = [fault for number, call in enumerate(calls) for fault in faults_at(number, call)]
        for fault in faults[keep]:
            found.faults += 1
            _one(deed, fault, folder, before, after, found)
    return found


def _undisturbed(deed: Deed, folder: Path) -> tuple[State, State, list[Call]]:
    # once to have everything loaded that reads files as it is loaded
    for _ in range(2):
        _fresh(deed, folder)
        before = deed.state(folder)
        with Disk(folder) as disk:
            deed.do(folder)
    after = deed.state(folder)
    assert before != after
    return before, after, disk.calls


def _fresh(deed: Deed, folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    deed.before(folder)


def _one(deed: Deed, fault: Fault, folder: Path, before: State, after: State, found: Found) -> None:
    _fresh(deed, folder)
    error: BaseException | None = None
    with Disk(folder, fault) as disk:
        try:
            deed.do(folder)
        # which exceptions come is what is to be found out
        except Exception as raised:
            error = raised
    call = disk.failed
    if call is None:
        raise AssertionError(f"{deed.name}: call {fault.number} was not made; the deed is not the same every time")
    said = f"{call.kind} {call.path} ({os.strerror(fault.error)}{', short' if fault.short else ''})"
    state = deed.state(folder)
    named = {name: content for name, content in state.items() if name in before or name in after}
    strangers = set(state) - set(named)
    if error is None:
        found.unharmed += named == after
        _count(found, "silent", named != after, said)
    elif isinstance(error, EcgError):
        found.refused += 1
        found.refused_though_named += named == after and named != before
        _count(found, "many_lines", "\n" in str(error) or not str(error), f"{said}: {error!r}")
    else:
        _count(found, "raw", True, f"{said}: {error!r}")
    _count(found, "damaged", not _sound(named, before, after, deed.together), said)
    removing = call.kind in ("unlink", "remove", "rmdir", "scandir", "listdir", "open", "close")
    _count(found, "left_behind", bool(strangers) and not removing, f"{said}: {sorted(strangers)}")
    if error is None:
        return
    try:
        deed.do(folder)
        again = deed.state(folder)
        complete = {name: content for name, content in again.items() if name not in strangers} == after
        _count(found, "not_completed", not complete, said)
    except Exception as raised:
        _count(found, "not_completed", True, f"{said}: {raised!r}")


def _sound(named: State, before: State, after: State, together: bool) -> bool:
    if together:
        return named in (before, after)
    return all(content in (before.get(name), after.get(name)) for name, content in named.items()) and set(before) <= set(named)


def _count(found: Found, what: str, wrong: bool, said: str) -> None:
    if wrong:
        setattr(found, what, getattr(found, what) + 1)
        if len(found.said) < 12:
            found.said.append(f"{what}: {said}"[:300])
