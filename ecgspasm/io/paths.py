"""The gate: only plain local files of a bounded size get in, and every message names its file on one line."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ecgspasm.errors import EcgError

_PLAIN_NAME = re.compile(r"[\w.+\-]+", re.ASCII)
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def one_line(text: object, limit: int = 200) -> str:
    """Shorten any text to one printable line, so that a hostile file cannot write its own messages."""
    line = " ".join(str(text).split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= limit else line[: limit - 3] + "..."


@contextmanager
def blame(path: str) -> Iterator[None]:
    """Put the name of the file in front of every error that comes out of the block."""
    try:
        yield
    except EcgError as error:
        raise EcgError(f"{one_line(path)}: {error}") from error


def local_path(path: str | os.PathLike[str]) -> str:
    """Return `path` as text if it can name a local file; an address of the network is never opened."""
    try:
        text = os.fspath(path)
    except TypeError as error:
        raise EcgError(f"give the path of a file, not {type(path).__name__}") from error
    if not isinstance(text, str):
        raise EcgError("give the path as text, not as bytes")
    if not text or "\0" in text:
        raise EcgError(f"{text[:40]!r} is not a path; give the name of a file")
    if "://" in text or "::" in text:
        raise EcgError(f"{one_line(text)} looks like an address; download the file first and give its local path")
    return text


def read_regular(path: str, limit: int) -> bytes:
    """Read a whole regular file of at most `limit` bytes.

    Raises
    ------
    EcgError
        If there is none, if it is a folder, a pipe or a device, or if it is larger.
    """
    handle, size = _open_regular(path)
    try:
        if size > limit:
            raise EcgError(
                f"{one_line(os.path.basename(path))} has {size} bytes, more than the {limit} that are read at once; "
                "cut it into shorter pieces"
            )
        return _read(handle, size)
    finally:
        os.close(handle)


def read_part(path: str, start: int, count: int) -> bytes:
    """Read `count` bytes of a regular file from `start` on, fewer if it ends before."""
    handle, size = _open_regular(path)
    try:
        if start:
            os.lseek(handle, start, os.SEEK_SET)
        # room is made for what is asked, so no more is asked than is there
        return _read(handle, min(count, size - start))
    finally:
        os.close(handle)


def first_bytes(path: str, count: int) -> bytes:
    """Read the first bytes of a regular file of any size."""
    handle, size = _open_regular(path)
    try:
        return _read(handle, min(count, size))
    finally:
        os.close(handle)


def _open_regular(path: str) -> tuple[int, int]:
    """Open without waiting for anybody (a pipe would wait for its writer); return the handle and the size."""
    try:
        handle = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        raise EcgError(_why_not_opened(path, error)) from error
    # what was opened is looked at, not what the name stood for a moment ago
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise EcgError(f"{one_line(os.path.basename(path))} is {_kind(status.st_mode)}, not a file; give a file")
    return handle, status.st_size


def _read(handle: int, count: int) -> bytes:
    parts = []
    while count > 0 and (part := os.read(handle, count)):
        parts.append(part)
        count -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def file_size(path: str) -> int:
    """Size of a regular file in bytes; an EcgError if it is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise EcgError(_why_not_opened(path, error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise EcgError(f"{one_line(os.path.basename(path))} is {_kind(status.st_mode)}, not a file; give a file")
    return status.st_size


def write_whole(path: str, content: Any) -> None:
    """Write a file under another name, have it on the disk, and only then give it its own.

    Nobody ever finds half a file or loses the older one.

    Raises
    ------
    EcgError
        If it cannot be written; then nothing has changed. Only if the disk fails at the very last step, which makes sure that the
        new name is on it too, the new file is there already, as a whole.
    """
    # a name that nobody has, so that two who write the same file at once do not mix
    temporary = f"{path}.{secrets.token_hex(8)}.part"
    try:
        try:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _sync_folder(os.path.dirname(path) or ".")
        finally:
            if os.path.lexists(temporary):
                os.unlink(temporary)
    except OSError as error:
        raise EcgError(why_not_written(path, error)) from error


def why_not_written(path: str, error: OSError) -> str:
    """What to say of a file that the system refuses to write; never the temporary name under which it was tried."""
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        return f"there is no folder {one_line(folder)}; make it first"
    if os.path.isdir(path):
        return f"{one_line(path)} is a folder; give another name for the file"
    return f"{one_line(path)} cannot be written ({one_line(error.strerror or error)}); check the folder and its free space"


def _sync_folder(folder: str) -> None:
    """Have the new name on the disk too; Windows has no way to ask for that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # file systems that know no such thing say so, which is no fault of the disk
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def beside(folder: str, name: str) -> str:
    """Path of the file `name` that a header names, which must lie in the header's own folder."""
    if not _PLAIN_NAME.fullmatch(name) or name.strip(".") == "" or name[0] in "-+":
        raise EcgError(
            f"the header names the file {one_line(repr(name), 80)}; a signal file must lie beside its header and have "
            "a plain name"
        )
    path = os.path.join(folder, name)
    if os.path.islink(path):
        home = os.path.realpath(folder or ".")
        if os.path.dirname(os.path.realpath(path)) != home:
            raise EcgError(f"{name} is a link that leads out of its folder; copy the file itself beside the header")
    return path


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"


def _why_not_opened(path: str, error: Exception) -> str:
    name = one_line(os.path.basename(path) or path)
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENOTDIR):
        return f"there is no file {name}; check the path"
    if number == errno.EISDIR:
        return f"{name} is a folder, not a file; give a file"
    if number == errno.ENXIO:
        return f"{name} is a device or socket, not a file; give a file"
    return f"{name} cannot be opened ({one_line(error)}); check the path and its permissions"
