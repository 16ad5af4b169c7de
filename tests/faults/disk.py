"""A disk that fails when it is told to: within `Disk` every call to the file system below a folder is counted, and one may fail.

Only calls made from Python are seen; pyarrow reads finished parts by itself, but writes none.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

_REAL = {name: getattr(os, name) for name in ("open", "readlink")}
_BY_PATH = ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "listdir", "scandir", "chmod", "utime", "link", "symlink")
_BY_HANDLE = ("fsync", "fdatasync", "write", "sendfile", "ftruncate")


@dataclass(frozen=True)
class Call:
    """A call to the file system."""

    kind: str
    path: str


@dataclass(frozen=True)
class Fault:
    """Which call fails and how."""

    number: int
    error: int
    """Number of the error; 0 for none."""
    short: bool = False
    """Whether a call that writes first takes half of what it was given; the error then comes with the next one."""


class Disk:
    """Everything below a folder, as a disk on which one call can fail.

    Parameters
    ----------
    folder : path
    fault : Fault, optional
        Without it all calls succeed and are only counted.
    piece : int, optional
        Bytes that one call of `write` takes at most, so that a file grows in steps.
    pause_s : float
        How long such a step takes.
    """

    def __init__(self, folder: Path, fault: Fault | None = None, *, piece: int | None = None, pause_s: float = 0.0) -> None:
        self.folder = os.path.realpath(folder)
        self.fault, self.piece, self.pause_s = fault, piece, pause_s
        self.calls: list[Call] = []
        self._owed = False
        self._patches = ExitStack()

    @property
    def failed(self) -> Call | None:
        """The call that failed, if one has."""
        found = self.calls[self.fault.number :] if self.fault else []
        return found[0] if found else None

    def within(self, path: Any, dir_fd: int | None = None) -> str | None:
        """Absolute path of a file or a handle below the folder; `None` if it lies elsewhere."""
        try:
            if isinstance(path, int):
                whole = _REAL["readlink"](f"/proc/self/fd/{path}")
            else:
                start = os.getcwd() if dir_fd is None else _REAL["readlink"](f"/proc/self/fd/{dir_fd}")
                whole = os.path.normpath(os.path.join(start, os.fsdecode(path)))
        except (OSError, TypeError):
            return None
        return whole if (whole + os.sep).startswith(self.folder + os.sep) else None

    def call(self, kind: str, path: str) -> bool:
        """Count a call; raise if it is the one that fails. Whether only half is to be written."""
        self.calls.append(Call(kind, os.path.relpath(path, self.folder)))
        if self._owed and kind in ("write", "sendfile"):
            self._owed = False
            self._raise(path)
        if self.fault is None or len(self.calls) - 1 != self.fault.number:
            return False
        if self.fault.short and kind == "write":
            self._owed = bool(self.fault.error)
            return True
        self._raise(path)
        return False

    def _raise(self, path: str) -> None:
        assert self.fault is not None
        if self.fault.error:
            raise OSError(self.fault.error, os.strerror(self.fault.error), path)

    def __enter__(self) -> Disk:
        patch = self._patches.enter_context
        for module in (builtins, io):
            patch(mock.patch.object(module, "open", self._opener(io.open)))
        patch(mock.patch.object(os, "open", self._by_path("open", _REAL["open"])))
        for name in _BY_PATH:
            patch(mock.patch.object(os, name, self._by_path(name, getattr(os, name))))
        for name in _BY_HANDLE:
            patch(mock.patch.object(os, name, self._by_path(name, getattr(os, name))))
        return self

    def __exit__(self, *of: object) -> None:
        self._patches.close()

    def _by_path(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            # of two names the second is the one that changes
            which = given[1] if kind in ("replace", "rename", "link", "symlink") else given[0] if given else "."
            where = self.within(which, named.get("dir_fd"))
            if where is not None:
                self.call(kind, where)
            return real(*given, **named)

        return called

    def _opener(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", buffering: int = -1, *text: Any, **named: Any) -> Any:
            where = self.within(file)
            if where is None:
                return real(file, mode, buffering, *text, **named)
            how = {"closefd": named.pop("closefd", True), "opener": named.pop("opener", None)}
            raw = _Raw(self, where, file, mode.replace("b", "").replace("t", ""), **how)
            if buffering == 0:
                return raw
            made = io.BufferedRandom if "+" in mode else io.BufferedReader if "r" in mode else io.BufferedWriter
            buffer = made(raw)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, *text, **named)

        return opened


class _Raw(io.FileIO):
    """A file of a `Disk`."""

    def __init__(self, disk: Disk, where: str, file: Any, mode: str, **how: Any) -> None:
        self.disk, self.where = disk, where
        if not isinstance(file, int):
            disk.call("open", where)
        super().__init__(file, mode, **how)

    def write(self, content: Any) -> int:
        half = self.disk.call("write", self.where)
        view = memoryview(content).cast("B")
        if self.disk.piece:
            time.sleep(self.disk.pause_s)
            view = view[: self.disk.piece]
        return super().write(view[: max(len(view) // 2, 1)] if half else view)

    def readinto(self, buffer: Any) -> int:
        self.disk.call("read", self.where)
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self.disk.call("read", self.where)
        return super().readall()

    def close(self) -> None:
        if self.closed:
            return
        # the handle is free whatever is said of it, as on Linux
        super().close()
        self.disk.call("close", self.where)


def faults_at(number: int, call: Call) -> list[Fault]:
    """All ways in which a call can fail."""
    if call.kind in ("write", "sendfile"):
        both = [Fault(number, error) for error in (errno.ENOSPC, errno.EIO)]
        if call.kind == "sendfile":
            return both
        return [*both, Fault(number, errno.ENOSPC, short=True), Fault(number, 0, short=True)]
    if call.kind == "read":
        return [Fault(number, errno.EIO)]
    return [Fault(number, errno.ENOSPC), Fault(number, errno.EIO)]
