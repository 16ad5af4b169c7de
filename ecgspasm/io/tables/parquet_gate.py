"""The gate to Parquet: what its footer lists and what its pages unpack to is known before pyarrow makes room for it.

pyarrow makes a page of the size that the page's own header tells, whatever the footer says, and objects hundreds of times as
large as the bytes of a footer. Asked for one column of a damaged footer it can end the interpreter (26.0.1), so the footer is
read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ecgspasm.errors import EcgError
from ecgspasm.io.tables.thrift import BINARY, I32, I64, Compact, Spec

_MARK = b"PAR1"
_MOST_FOOTER_BYTES = 16 * 2**20
_MOST_FOOTER_VALUES = 1_500_000
_MOST_CHUNKS = 60_000
"""Columns of all groups together: a month of twelve leads at 1000 Hz in groups of a million rows has 31,000."""
_MOST_PAGES = 20_000
"""That are read at once; writers make pages of a megabyte or of 20,000 rows, so that 12 million samples have 600."""
_MOST_HEADER_BYTES = 16 * 1024
_MOST_HEADER_VALUES = 100
_MOST_PAGE_BYTES = 96 * 2**20
"""Some writers make one page of a group; 12 million floats fit."""
_MOST_DICTIONARY_BYTES = 16 * 2**20
"""Writers leave dictionaries that grow beyond a megabyte."""
_PAGE_SLACK_BYTES = 64 * 1024
"""Beyond a byte a value for the marks of missing values and of runs."""
_SLACK_BYTES = 16 * 2**20

_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
_KEY_VALUES: list[Any] = [{}]
# every list that pyarrow reads is named, since it takes their elements as what they should be, not as what they say they are
_COLUMN: Spec = {
    1: I32,
    2: [I32],
    3: [BINARY],
    5: I64,
    8: _KEY_VALUES,
    9: I64,
    11: I64,
    13: [{}],
    16: {2: [I64], 3: [I64]},
    17: {2: [I32]},
}
_GROUP: Spec = {1: [{3: _COLUMN, 8: {}}], 3: I64, 4: [{}]}
_FOOTER: Spec = {2: [{}], 3: I64, 4: [_GROUP], 5: _KEY_VALUES, 7: [{}], 8: {}}
_PAGE: Spec = {1: I32, 2: I32, 3: I32, 5: {1: I32}, 7: {1: I32}, 8: {1: I32}}
_COUNTED = {_DATA: 5, _DICTIONARY: 7, _DATA_2: 8}
"""Field of a page header with the number of values, by the type of the page."""

Part = Callable[[int, int], bytes]
"""Bytes of the file from a place on, so many."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of one group of rows."""

    start: int
    n_values: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group of rows."""

    n_rows: int
    chunks: tuple[Chunk, ...]


def groups_of(part: Part, size: int) -> tuple[Group, ...]:
    """What the footer lists.

    Raises
    ------
    EcgError
        If it is damaged, encrypted, or lists more than any table has.
    """
    end = part(size - 8, 8) if size >= 12 else b""
    length = int.from_bytes(end[:4], "little")
    if end[4:] != _MARK or length > size - 12:
        raise EcgError("the end of the file is damaged or missing; fetch it again")
    if length > _MOST_FOOTER_BYTES:
        raise EcgError(f"the footer has {length} bytes, more than the {_MOST_FOOTER_BYTES} of any table; save it again")
    try:
        footer = Compact(part(size - 8 - length, length), values=_MOST_FOOTER_VALUES, kept=_MOST_CHUNKS).struct(_FOOTER)
        groups = tuple(_group(each) for each in footer.get(4, []))
        if 8 in footer or sum(group.n_rows for group in groups) != footer.get(3):
            raise EcgError("it is encrypted" if 8 in footer else "its groups have other rows than the table")
    except EcgError as error:
        raise EcgError(f"the footer is damaged ({error}); save the table again") from error
    return groups


def _group(given: dict[int, Any]) -> Group:
    n_rows = given.get(3, -1)
    if n_rows < 0:
        raise EcgError("a group has no rows")
    return Group(n_rows, tuple(_chunk(each) for each in given.get(1, [])))


def _chunk(given: dict[int, Any]) -> Chunk:
    column = given.get(3, {})
    first, dictionary = column.get(9, -1), column.get(11, 0)
    if first < 0 or 8 in given:
        raise EcgError("a column is encrypted" if 8 in given else "a column has no place")
    return Chunk(dictionary if 0 < dictionary < first else first, column.get(5, -1))


def check_pages(part: Part, size: int, chunks: Iterable[tuple[Chunk, int, int]]) -> None:
    """Compare what the pages of some columns unpack to with the values that they hold.

    Parameters
    ----------
    part : callable
    size : int
        Of the file in bytes.
    chunks : iterable of (Chunk, int, int)
        Each with the rows of its group and the largest size of a value in bytes.

    Raises
    ------
    EcgError
        If a header is damaged, or the pages unpack to more than their values need.
    """
    left_pages, left_bytes = _MOST_PAGES, _SLACK_BYTES
    for chunk, n_rows, width in chunks:
        if chunk.n_values != n_rows:
            raise EcgError(f"a column holds {chunk.n_values} values in {n_rows} rows; save the table again")
        # values and their dictionary may both be as large as plain values
        left_bytes += (2 * width + 1) * chunk.n_values
        at, seen, dictionaries = chunk.start, 0, 0
        while seen < chunk.n_values:
            page = _page(part, size, at)
            left_pages -= 1
            left_bytes -= page.unpacked
            if page.kind == _DICTIONARY:
                dictionaries += 1
                good = dictionaries == 1 and 2 * page.n_values <= page.unpacked <= _MOST_DICTIONARY_BYTES
            else:
                good = page.n_values <= chunk.n_values - seen
                good &= page.unpacked <= min((width + 1) * page.n_values + _PAGE_SLACK_BYTES, _MOST_PAGE_BYTES)
                seen += page.n_values
            if left_pages < 0:
                raise EcgError(
                    f"the table has more than the {_MOST_PAGES} pages that are read at once; save it in larger row groups"
                )
            if not good or left_bytes < 0:
                raise EcgError(
                    f"a page of {page.n_values} values would unpack to {page.unpacked} bytes, or its column holds too many of "
                    "them; save the table again"
                )
            at = page.end


@dataclass(frozen=True, slots=True)
class _Page:
    kind: int
    n_values: int
    unpacked: int
    end: int


def _page(part: Part, size: int, at: int) -> _Page:
    reader = Compact(part(at, _MOST_HEADER_BYTES) if at < size else b"", values=_MOST_HEADER_VALUES, kept=0)
    try:
        header = reader.struct(_PAGE)
        kind = header.get(1, -1)
        counted = header.get(_COUNTED.get(kind, 0), {}).get(1, -1)
        unpacked, packed = header.get(2, -1), header.get(3, -1)
        end = at + reader.at + packed
        if min(counted, unpacked, packed) < 0 or end > size:
            raise EcgError("it tells no size, or a wrong one")
    except EcgError as error:
        raise EcgError(f"the header of a page is damaged ({error}); save the table again") from error
    return _Page(kind, counted, unpacked, end)
