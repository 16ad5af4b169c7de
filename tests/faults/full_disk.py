"""A small file system of its own that is full at chosen positions; needs the right to mount one."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ecgspasm as es
from ecgspasm.errors import EcgError
from tests.faults.cheap import cheap_work, files, names
from tests.faults.deeds import SINGLE, Deed

_KIB = 1024
_WORDS = ("No space left on device", "the disk, which is full")
_BLOCK = 1024
"""Small blocks, so that the disk can be full at many places."""


class CannotMountError(Exception):
    """This system, or this user, may not mount a file system."""


@contextmanager
def file_system(kib: int) -> Iterator[Path]:
    """An ext4 file system in a file, without a reserve for the administrator."""
    with tempfile.TemporaryDirectory() as name:
        image, folder = Path(name) / "image", Path(name) / "disk"
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(kib * _KIB)
        made = ["mkfs.ext4", "-q", "-F", "-b", str(_BLOCK), "-m", "0", "-O", "^has_journal", "-N", "256", str(image)]
        try:
            _run(made)
            _run(["mount", "-o", "loop", str(image), str(folder)])
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotMountError(str(error)) from error
        try:
            yield folder
        finally:
            _run(["umount", str(folder)])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def room(folder: Path) -> int:
    """Free bytes."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def leave(folder: Path, free: int) -> Path:
    """Fill the disk up to so many bytes with one file, which is returned."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        # how many blocks the file needs for its own list of blocks is not known beforehand: filled up in steps
        while (more := room(folder) - free) > 0:
            try:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, max(more // 2, _BLOCK))
            except OSError as error:
                if error.errno != errno.ENOSPC or more > 8 * _BLOCK:
                    raise
                break
    return filler


@dataclass
class Found:
    """What came of full disks."""

    name: str
    positions: int = 0
    full: int = 0
    """Positions at which the disk was too full to end."""
    in_parts: int = 0
    """Of these: within the parts of a run, not before or behind them."""
    unclear: int = 0
    """An error that is no `EcgError`, has several lines, or does not speak of space."""
    damaged: int = 0
    not_completed: int = 0
    """Going on after there is room again did not give the bytes of a run without a fault."""
    left_behind: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """Positions at which something was not as promised."""
        return self.unclear + self.damaged + self.not_completed + self.left_behind

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: value for name, value in vars(self).items() if name != "said" or value}


def _attempt(do: Any, found: Found) -> bool:
    """Whether it ended well."""
    try:
        do()
    except EcgError as error:
        if "\n" in str(error) or not any(words in str(error) for words in _WORDS):
            found.unclear += 1
            found.said.append(repr(error)[:300])
        return False
    # which other exceptions come is what is to be found out
    except Exception as error:
        found.unclear += 1
        found.said.append(repr(error)[:300])
        return False
    return True


def full_in_a_batch(positions: int, records: int = 24, size: int = 60_000, per_part: int = 2) -> Found:
    """Runs on a disk that is full after so many bytes, at positions spread evenly over all that a run writes."""

    def run(folder: Path) -> None:
        with cheap_work(size):
            es.batch("measure", names(records), folder / "out", records_per_part=per_part, wide=True)

    found = Found("batch")
    with tempfile.TemporaryDirectory() as name:
        run(Path(name))
        wanted = files(Path(name) / "out")
    needed = sum(map(len, wanted.values()))
    with file_system(2 * needed // _KIB + 1024) as disk:
        empty = room(disk)
        for number in range(positions):
            found.positions += 1
            filler = leave(disk, int(needed * 1.02 * number / positions))
            ended = _attempt(lambda: run(disk), found)
            there = files(disk / "out")
            found.full += not ended
            parts = sum(name.startswith("part") for name in there)
            found.in_parts += not ended and 0 < parts < sum(name.startswith("part") for name in wanted)
            found.damaged += any(content != wanted.get(name) for name, content in there.items())
            filler.unlink()
            again = Found("again")
            _attempt(lambda: run(disk), again)
            found.said += again.said
            found.not_completed += files(disk / "out") != wanted
            found.left_behind += len(list((disk / "out").glob("*.part")))
            _clear(disk)
        assert room(disk) >= empty - 16 * _KIB, "the disk was not emptied"
    return found


def full_for_a_writer(deed: Deed, positions: int) -> Found:
    """One writer on a disk with less and less room: its older file stays, or the new one is whole."""
    found = Found(deed.name)
    with file_system(8 * _KIB) as disk:
        deed.before(disk)
        before = deed.state(disk)
        empty = room(disk)
        deed.do(disk)
        after = deed.state(disk)
        # an older file and the new one stand side by side for a moment
        needed = sum(len(content) for name, content in after.items() if content != before.get(name)) + 4 * _KIB
        assert empty > 2 * needed
        for number in range(positions):
            found.positions += 1
            _clear(disk)
            deed.before(disk)
            filler = leave(disk, int(needed * number / positions))
            ended = _attempt(lambda: deed.do(disk), found)
            filler.unlink()
            state = deed.state(disk)
            found.full += not ended
            found.damaged += state != (after if ended else before)
            found.left_behind += bool(set(state) - set(before) - set(after))
            if not ended:
                _attempt(lambda: deed.do(disk), found)
            found.not_completed += deed.state(disk) != after
    return found


def _clear(disk: Path) -> None:
    for path in disk.rglob("*"):
        if path.is_file():
            path.unlink()


def all_writers(positions: int) -> list[Found]:
    """Each single-file writer at so many positions."""
    return [full_for_a_writer(deed, positions) for deed in SINGLE]
