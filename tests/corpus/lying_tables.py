"""Small tables that would unpack to hundreds of megabytes, or make a reader spend as much on what they list."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np

from tests.corpus.sound_files import LEADS, steps


def _saved(array: object) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(array))
    return out.getvalue()


def _packed_npz(method: int, leads: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("signal_uv.npy", _saved(steps()))
        archive.writestr("fs.npy", _saved(500))
        archive.writestr("leads.npy", leads)
    return out.getvalue()


def _bzip2_bomb() -> bytes:
    """Names that tell a small size and unpack to 100 MB."""
    data = bytearray(_packed_npz(zipfile.ZIP_BZIP2, bytes(100_000_000)))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (60_000).to_bytes(4, "little")
    return bytes(data)


def _directory(n: int, extra: bytes = b"") -> bytes:
    """A zip of one array that is listed so many times, with such a field beside each name."""
    data = _packed_npz(zipfile.ZIP_DEFLATED, _saved(LEADS))
    at, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry = data[at : at + 30] + len(extra).to_bytes(2, "little") + data[at + 32 : end] + extra
    return data[:at] + entry * n + data[end : end + 12] + (len(entry) * n).to_bytes(4, "little") + data[end + 16 :]


NPZ: dict[str, tuple[Callable[[], bytes], str]] = {
    "bzip2": (lambda: _packed_npz(zipfile.ZIP_BZIP2, _saved(LEADS)), "method 12"),
    "LZMA": (lambda: _packed_npz(zipfile.ZIP_LZMA, _saved(LEADS)), "method 14"),
    "bomb in bzip2": (_bzip2_bomb, "method 12"),
    "a hundred thousand entries": (lambda: _directory(100_000), "directory of the file has"),
    "entries with long fields": (lambda: _directory(64, b"\x99\x99\0\0" * 16_000), "directory of the file has"),
}
