"""Parquet tables of one column I, put together piece by piece, so that each piece can say something else than the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
Field = tuple[int, int, Any]


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def zigzag(value: int) -> bytes:
    return varint(2 * value if value >= 0 else -2 * value - 1)


def struct(*fields: Field) -> bytes:
    """Fields of a number, a type and a value: a number, bytes, a struct as bytes, or (type, length, bytes) of a list."""
    out = b""
    for number, kind, value in fields:
        # the long form of the number fits any order
        out += bytes([kind]) + zigzag(number)
        if kind in (I32, I64):
            out += zigzag(value)
        elif kind == BINARY:
            out += varint(len(value)) + value
        elif kind == LIST:
            inner, length, content = value
            out += bytes([0xF0 | inner]) + varint(length) + content
        else:
            out += value
    return out + b"\0"


def page(n: int, content: bytes, *, unpacked: int | None = None, packed: int | None = None, encoding: int = 0) -> bytes:
    """A page of values that are never missing: plain, or by a dictionary (8)."""
    counted = struct((1, I32, n), (2, I32, encoding), (3, I32, 3), (4, I32, 3))
    return _headed(0, (5, STRUCT, counted), content, unpacked, packed)


def dictionary_page(n: int, content: bytes, *, unpacked: int | None = None) -> bytes:
    return _headed(2, (7, STRUCT, struct((1, I32, n), (2, I32, 0))), content, unpacked, None)


def _headed(kind: int, counted: Field, content: bytes, unpacked: int | None, packed: int | None) -> bytes:
    sizes = [(2, I32, len(content) if unpacked is None else unpacked), (3, I32, len(content) if packed is None else packed)]
    return struct((1, I32, kind), *sizes, counted) + content


def table(
    pages: bytes,
    n_rows: int,
    *,
    of_group: int | None = None,
    n_values: int | None = None,
    zstd: bool = False,
    dictionary: int = 0,
    start: int = 4,
    more: bytes = b"",
    n_more: int = 0,
    footer: Sequence[Field] = (),
) -> bytes:
    """A table of floats; `dictionary` is the size of the page of that kind with which the pages begin."""
    root = struct((4, BINARY, b"schema"), (5, I32, 1))
    leaf = struct((1, I32, 5), (3, I32, 0), (4, BINARY, b"I"))
    column = [
        (1, I32, 5),
        (2, LIST, (I32, 1, zigzag(8 if dictionary else 0))),
        (3, LIST, (BINARY, 1, b"\1I")),
        (4, I32, 6 if zstd else 0),
        (5, I64, n_rows if n_values is None else n_values),
        (6, I64, 100),
        (7, I64, len(pages)),
        (9, I64, start + dictionary),
        *([(11, I64, start)] if dictionary else []),
    ]
    chunk = struct((2, I64, 4), (3, STRUCT, struct(*column)))
    rows = n_rows if of_group is None else of_group
    group = struct((1, LIST, (STRUCT, 1 + n_more, chunk + more)), (2, I64, 100), (3, I64, rows))
    facts = struct((1, BINARY, b"ecgspasm"), (2, BINARY, b'{"fs": 500, "unit": "uV"}'))
    end = struct(
        (1, I32, 1),
        (2, LIST, (STRUCT, 2, root + leaf)),
        (3, I64, n_rows),
        (4, LIST, (STRUCT, 1, group)),
        (5, LIST, (STRUCT, 1, facts)),
        *footer,
    )
    return b"PAR1" + pages + end + len(end).to_bytes(4, "little") + b"PAR1"
