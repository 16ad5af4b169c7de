"""What a reader of a single file gets: the file, on disk or in memory, and what the caller says of it."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import BinaryIO

from ecgspasm.ecg import FS_RANGE_HZ
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import uv_per_unit
from ecgspasm.io.paths import file_size, first_bytes, one_line, read_part, read_regular

MAX_FILE_BYTES = 64 * 2**20
"""The largest file that is read at once."""

_START = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller says about a file: names for its channels, and what the file itself does not tell."""

    rename: Mapping[str, str] | None = None
    fs: float | None = None
    unit: str | None = None
    record: str | int | None = None

    def __post_init__(self) -> None:
        if self.fs is not None and not (
            isinstance(self.fs, Real) and not isinstance(self.fs, bool) and FS_RANGE_HZ[0] <= self.fs <= FS_RANGE_HZ[1]
        ):
            raise EcgError(f"fs is {self.fs!r}; give the sampling rate in Hz, between 50 and 10000")
        if self.unit is not None and (not isinstance(self.unit, str) or uv_per_unit(self.unit) is None):
            raise EcgError(f"unit is {self.unit!r}; give 'uV', 'mV' or 'V'")

    def nothing(self, *names: str, what: str) -> None:
        """Refuse those of ``fs``, ``unit`` and ``record`` that a format states itself or does not have."""
        for name in names:
            if getattr(self, name) is not None:
                tells = "holds one ECG" if name == "record" else f"itself tells its {name}"
                raise EcgError(f"{what} {tells}; leave {name}= out")


@dataclass(frozen=True, slots=True)
class File:
    """The bytes of one file: a checked local path, or what was read from an open file.

    `name` stands in messages and as the source; it never decides the format.
    """

    name: str
    path: str | None = None
    data: bytes | None = None

    @classmethod
    def of(cls, stream: BinaryIO) -> File:
        """Read an open binary file to its end."""
        name = getattr(stream, "name", None)
        shown = one_line(os.path.basename(name), 100) if isinstance(name, str) and name else "open file"
        try:
            if stream.seekable():
                stream.seek(0)
            data = stream.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError) as error:
            raise EcgError(f"{shown} cannot be read ({one_line(error)}); open it for reading in binary mode") from error
        if not isinstance(data, bytes | bytearray):
            raise EcgError(f"{shown} gives text; open it in binary mode: open(path, 'rb')")
        if len(data) > MAX_FILE_BYTES:
            raise EcgError(f"{shown} holds more than {MAX_FILE_BYTES} bytes; give its path to ecgspasm.open_recording")
        return cls(shown, data=bytes(data))

    def start(self) -> bytes:
        """The first bytes, by which the format is told."""
        if self.data is not None:
            return self.data[:_START]
        assert self.path is not None
        return first_bytes(self.path, _START)

    def size(self) -> int:
        """Size in bytes."""
        if self.data is not None:
            return len(self.data)
        assert self.path is not None
        return file_size(self.path)

    def part(self, start: int, count: int) -> bytes:
        """`count` bytes from `start` on, fewer if the file ends before."""
        if self.data is not None:
            return self.data[start : start + count]
        assert self.path is not None
        return read_part(self.path, start, count)

    def content(self, limit: int = MAX_FILE_BYTES) -> bytes:
        """The whole file; an EcgError if it is larger than `limit`."""
        if self.path is not None:
            return read_regular(self.path, limit)
        assert self.data is not None
        if len(self.data) > limit:
            raise EcgError(f"the file has {len(self.data)} bytes, more than the {limit} that are read at once; cut it shorter")
        return self.data

    def whole(self, limit: int = MAX_FILE_BYTES) -> io.BytesIO:
        """The whole file as a stream for a library that wants one."""
        return io.BytesIO(self.content(limit))
