"""Small tables that would unpack to hundreds of megabytes, or make a reader spend as much on what they list."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np

from tests.corpus.parquet_parts import I32, LIST, STRUCT, dictionary_page, page, struct, table
from tests.corpus.sound_files import LEADS, steps

_TOLD = "# fs: 500\n# unit: uV\n"

CSV: dict[str, tuple[str | bytes | Callable[[], str], str]] = {
    "12 million rows, the last of which is bad": (lambda: _TOLD + "I\n" + "1\n" * 11_900_000 + "x\n", "no number"),
    "8 million times that stand": (lambda: _TOLD + "time,I\n" + "1,1\n" * 7_900_000, "do not grow"),
    "9 million times": (lambda: _TOLD + "time,I\n" + "1,1\n" * 9_000_000, "rows with their times"),
    "8 million numbers that stand": (lambda: _TOLD + "sample,I\n" + "1,1\n" * 8_000_000, "go up by one"),
    "60 MB of separators behind old breaks": (lambda: _TOLD + "I" + ("," * 60_000 + "\r") * 1000, "columns"),
    "a letter of four bytes above 60 MB": (
        lambda: "# \U0001f600\n" + _TOLD + "I\n" + "0" * 60_000 + "1\n" * 11_000_000 + "x",
        "no number",
    ),
}


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


def _zstd(content: bytes) -> bytes:
    import pyarrow

    packed: bytes = pyarrow.Codec("zstd").compress(content, asbytes=True)
    return packed


def _page_bomb() -> bytes:
    content = np.arange(2000.0).tobytes() + bytes(100_000_000)
    return table(page(2000, _zstd(content), unpacked=len(content)), 2000, zstd=True)


def _dictionary_bomb() -> bytes:
    packed = _zstd(bytes(100_000_000))
    first = dictionary_page(12_500_000, packed, unpacked=100_000_000)
    return table(first + page(2000, _zstd(b"\1\xa0\x1f\0"), unpacked=4, encoding=8), 2000, zstd=True, dictionary=len(first))


def _runs(n_values: int) -> bytes:
    """A table of 2000 rows whose column says that it has more values: a run of one entry of the dictionary."""
    first = dictionary_page(1, np.ones(1).tobytes())
    run, left = b"", n_values << 1
    while left > 127:
        run, left = run + bytes([left & 127 | 128]), left >> 7
    data = page(n_values, b"\1" + run + bytes([left]) + b"\0", encoding=8)
    return table(first + data, 2000, n_values=n_values, dictionary=len(first))


PARQUET: dict[str, tuple[Callable[[], bytes], str]] = {
    "page bomb": (_page_bomb, "a page of 2000 values would unpack to 100016000 bytes"),
    "dictionary bomb": (_dictionary_bomb, "a page of 12500000 values would unpack to 100000000 bytes"),
    "50 million values in 2000 rows": (lambda: _runs(50_000_000), "50000000 values in 2000 rows"),
    "page of more values than its column": (lambda: table(page(2001, bytes(16_008)), 2000), "a page of 2001 values"),
    "pages without values": (lambda: table(page(0, b"") * 60_000 + page(2000, bytes(16_000)), 2000), "more than the 20000 pages"),
    "page beyond the end": (lambda: table(page(2000, bytes(16_000), packed=2**31 - 1), 2000), "header of a page is damaged"),
    "page of a negative size": (lambda: table(page(2000, bytes(16_000), unpacked=-1), 2000), "header of a page is damaged"),
    "pages elsewhere": (lambda: table(page(2000, bytes(16_000)), 2000, start=2**40), "header of a page is damaged"),
    "rows of nobody": (lambda: table(page(2000, bytes(16_000)), 2000, of_group=1999), "other rows than the table"),
    "half a million columns of four bytes": (
        lambda: table(page(2000, bytes(16_000)), 2000, more=struct((2, I32, 1)) * 500_000, n_more=500_000),
        "lists more than any table has",
    ),
    "a column more than named": (lambda: table(b"", 2000, more=struct((2, I32, 1)), n_more=1), "no place|other columns"),
    "footer of 2 million values": (
        lambda: table(b"", 2000, footer=[(7, LIST, (STRUCT, 1_999_999, b"\0" * 1_999_999))]),
        "holds more",
    ),
    "footer of 17 MB": (lambda: table(b"", 2000, footer=[(6, 8, b"x" * 17_000_000)]), "more than the 16777216 of any table"),
    "structs in structs": (lambda: table(b"", 2000, footer=[(9999, STRUCT, b"\x1c" * 100_000 + b"\0" * 100_001)]), "too deep"),
    "lists in lists": (lambda: table(b"", 2000, footer=[(9999, LIST, (LIST, 1, b"\x19" * 100_000))]), "does not use"),
    "encrypted": (lambda: table(page(2000, bytes(16_000)), 2000, footer=[(8, STRUCT, b"\0")]), "encrypted"),
}
