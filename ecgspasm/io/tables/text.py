"""ECGs as text tables (CSV, TSV): a row of lead names, and below it one row a sample.

Facts may stand above in comment lines such as ``# fs: 500`` and ``# unit: uV`` (see `facts`). A unit may also stand in the names
of the columns, and a column of times tells the sampling rate.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES
from ecgspasm.io.facts import MAX_CHANNELS, Facts, agreed_unit, build, settled_fs, stated
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import one_line
from ecgspasm.io.tables.column_names import is_count, split_unit, time_unit_s
from ecgspasm.io.times import rate_of_times

_SEPARATORS = ",;\t|"
_MOST_COMMENTS = 200
_LONGEST_LINE = 64 * 1024
_PIECE = 2**20
_MOST_CELLS = 16_000_000
"""Numbers of all columns that are read, those of times too; 64 MB of text with 12 million samples hold no more."""
_BOM = codecs.BOM_UTF8
_BREAK = re.compile(rb"\r\n|\r|\n")
_FACT = re.compile(r"#+\s*([A-Za-z_ ]{2,24}?)\s*[:=]\s*(.*?)\s*")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?\s*|\s*[+-]?nan\s*|\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above the numbers."""

    facts: Facts
    separator: str
    columns: tuple[str, ...]
    body: int
    """Where in the text the rows begin."""


class _Body:
    """The rows below the names, worked through in pieces: as a whole, texts and masks of them need many times their size."""

    def __init__(self, raw: bytes, encoding: str, head: _Head) -> None:
        self._raw, self._encoding, self.head = raw, encoding, head
        self._stop = max(len(raw.rstrip(b'\r\n"')), head.body)
        self._comma = head.separator in ";\t" and raw.find(b",", head.body) >= 0
        if self._comma and raw.find(b".", head.body) >= 0:
            raise EcgError("the numbers hold points and commas; write them with a decimal point and nothing between thousands")

    def pieces(self) -> Iterator[str]:
        """Rows as plain numbers with points, so many lines at a time; the last of a piece ends without a break."""
        at = self.head.body
        while at < self._stop:
            end = self._end(at)
            text = self._raw[at : min(end, self._stop)].decode(self._encoding)
            text = text.replace('"', "").replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
            yield text.replace(",", ".") if self._comma else text
            at = end

    def _end(self, at: int) -> int:
        """Where a piece ends that begins there: behind a break, of which no line is far."""
        if at + _PIECE >= self._stop:
            return self._stop
        end = max(self._raw.rfind(b"\n", at, at + _PIECE), self._raw.rfind(b"\r", at, at + _PIECE)) + 1
        return end + (self._raw[end - 1 : end + 1] == b"\r\n")

    def check_rows(self) -> int:
        """Number of rows, which have all one cell a column."""
        columns, n_rows = self.head.columns, 0
        for text in self.pieces():
            letters = np.frombuffer((text + "\n").encode("utf-8"), np.uint8)
            ends = np.flatnonzero(letters == ord("\n"))
            starts = np.concatenate([[0], ends[:-1] + 1])
            wrong = np.add.reduceat(letters == ord(self.head.separator), starts, dtype=np.int32) != len(columns) - 1
            if len(columns) == 1:  # nothing else tells an empty cell from a stray line
                wrong |= np.add.reduceat(letters > ord(" "), starts, dtype=np.int32) == 0
            if wrong.any():
                row = n_rows + int(wrong.argmax()) + 1
                raise EcgError(f"row {row} below the names has not one cell a column ({len(columns)}); mend it")
            n_rows += starts.size
        if not n_rows:
            raise EcgError("there is no row below the lead names; the table holds no sample")
        return n_rows

    def numbers(self, columns: Sequence[int], counts: Sequence[int], n_rows: int) -> NDArray[np.float64]:
        """The columns as an array of shape (column, row), after a look at the numbers of the samples."""
        table = np.empty((len(columns), n_rows))
        at, expected = 0, None
        for text in self.pieces():
            part = _numbers(text, self.head.separator, [*columns, *counts], at)
            stop = at + part.shape[1]
            if counts:
                expected = part[-1, 0] if expected is None else expected
                if not np.array_equal(part[-1], expected + np.arange(part.shape[1])):
                    raise EcgError("the numbers of the samples do not go up by one, so samples are missing; mend the table")
                expected += part.shape[1]
            table[:, at:stop] = part[: len(columns)]
            at = stop
        return table


def is_table(start: bytes) -> bool:
    """Whether a file that begins so is a text table with the name of a lead in its first row, and numbers in its second."""
    text = _text(start[:-3] if len(start) >= 4096 else start)  # a letter of several bytes may be cut
    if text is None:
        return False
    lines = [line for line in text.splitlines()[: _MOST_COMMENTS + 2] if line.strip() and not line.startswith("#")]
    named = {split_unit(cell)[0].casefold() for cell in _leads_in(lines[0])} if lines else set()
    # any table may have the columns x and y; Frank's leads come as three
    if not named or (named < {"x", "y", "z"}):
        return False
    # the last line may be cut, so the first row is judged only if another follows
    separator = _separator(lines[0])
    return len(lines) < 3 or any(cell.strip() and _NUMBER.fullmatch(cell) for cell in _cells(lines[1], separator))


def read_table(file: File, asked: Asked) -> Ecg:
    """Read a CSV or TSV table.

    Parameters
    ----------
    file : File
    asked : Asked
        ``fs`` and ``unit`` where the file does not state them.

    Returns
    -------
    Ecg
        Empty cells and ``nan`` are missing samples.

    Raises
    ------
    EcgError
        If sampling rate or unit are told by nobody or differently, or rows are not alike, or hold something that is no number.
    """
    asked.nothing("record", what="a table")
    body = _body(file.content(), asked.rename or {})
    head, n_rows = body.head, body.check_rows()
    counts = [index for index, name in enumerate(head.columns) if is_count(name)]
    times = [index for index, name in enumerate(head.columns) if time_unit_s(name) is not None]
    named = [index for index in range(len(head.columns)) if index not in counts and index not in times]
    # words beside the leads (a label a row, say) are no signal; a lead that holds them is refused when it is read
    first = _cells(next(body.pieces()).partition("\n")[0], head.separator)
    named = [i for i in named if _NUMBER.fullmatch(first[i]) or lead_names.is_lead(split_unit(head.columns[i])[0])]
    if not named:
        raise EcgError("no column holds a lead; name the columns I, II, ... in the first row")
    if n_rows * (len(named) + len(times)) > _MOST_CELLS:
        raise EcgError(
            f"{n_rows} rows with their times are more than the {_MOST_CELLS} numbers that are read at once; cut it shorter"
        )
    if n_rows * len(named) > MAX_SAMPLES:
        raise EcgError(f"{n_rows} rows of {len(named)} channels are more than the {MAX_SAMPLES} samples that are read at once")
    table = body.numbers([*named, *times], counts[:1], n_rows)
    del body  # its text is as large as the table
    units_s = [time_unit_s(head.columns[index]) or 0.0 for index in times]
    rates = [rate_of_times(row, unit_s) for row, unit_s in zip(table[len(named) :], units_s, strict=False)]
    names, units = zip(*(split_unit(head.columns[index]) for index in named), strict=True)
    return build(
        table[: len(named)],
        names=names,
        units=[agreed_unit(asked.unit, head.facts.unit, unit) for unit in units],
        fs=settled_fs(asked.fs, head.facts.fs, rates),
        facts=head.facts,
        asked=asked,
        source=file.path or file.name,
    )


def _check_lines(raw: bytes) -> None:
    """Refuse lines and numbers of lines that no table has, before anything is made of them."""
    begin = 0
    counts = {10: 0, 13: 0}
    for at in range(0, len(raw), _PIECE):
        piece = np.frombuffer(raw, np.uint8, min(_PIECE, len(raw) - at), at)
        ends = at + np.flatnonzero((piece == 10) | (piece == 13))
        if np.diff(ends, prepend=begin, append=at + piece.size).max() > _LONGEST_LINE:
            raise EcgError(f"a line is longer than the {_LONGEST_LINE} letters of any table; write one row a line")
        begin = int(ends[-1]) if ends.size else begin
        for mark in counts:
            counts[mark] += int(np.count_nonzero(piece == mark))
    if max(counts.values()) > MAX_SAMPLES + _MOST_COMMENTS:
        raise EcgError(f"the table has more rows than the {MAX_SAMPLES} samples that are read at once; cut it shorter")


def _text(raw: bytes) -> str | None:
    encoding = _encoding(raw)
    return None if encoding is None else raw.removeprefix(_BOM).decode(encoding)


def _encoding(raw: bytes) -> str | None:
    if b"\0" in raw:
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # a single letter beyond Latin-1 makes the whole text several times as large
        for at in range(0, len(raw), _PIECE):
            decoder.decode(raw[at : at + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:  # how spreadsheets of the West write a micro sign
        return "latin-1"
    return "utf-8"


def _body(raw: bytes, rename: Collection[str]) -> _Body:
    """The comment lines and the row of names, and where the rows lie below them."""
    _check_lines(raw)
    encoding = _encoding(raw)
    if encoding is None:
        raise EcgError("this is no text in UTF-8 or Latin-1; save the table as CSV in UTF-8")
    given: dict[str, Any] = {}
    at = len(_BOM) if raw.startswith(_BOM) else 0
    for _ in range(_MOST_COMMENTS):
        found = _BREAK.search(raw, at)
        line = raw[at : found.start() if found else len(raw)].decode(encoding)
        at = found.end() if found else len(raw)
        fact = _FACT.fullmatch(line)
        if fact is not None:
            name = fact[1].casefold().replace(" ", "_")
            if name in given and given[name] != fact[2]:
                raise EcgError(f"{name} is stated twice; leave one of them out")
            given[name] = _unquoted(fact[2])
        elif line.strip() and not line.startswith("#"):
            columns = tuple(_cells(line, _separator(line)))
            if not _leads_in(line) and not any(split_unit(cell)[0] in rename for cell in columns):
                raise EcgError(f"the first row is {one_line(line, 40)!r}, which names no lead; write the lead names there")
            if len(columns) > MAX_CHANNELS:
                raise EcgError(f"the table has {len(columns)} columns; at most {MAX_CHANNELS} are read")
            return _Body(raw, encoding, _Head(stated(given), _separator(line), columns, at))
        if at >= len(raw):
            break
    raise EcgError("there is no row of lead names; write I, II, ... above the numbers")


def _unquoted(value: str) -> str:
    """The value of a fact; a text in quotes is one of JSON, so that it can hold anything."""
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError as error:
        raise EcgError(f"{one_line(value, 40)} is no quoted text; mend the comment line") from error


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=lambda mark: (len(_leads_in(line, mark)), line.count(mark)))


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.split(separator)]


def _leads_in(line: str, separator: str | None = None) -> list[str]:
    cells = _cells(line, _separator(line) if separator is None else separator)
    return [cell for cell in cells[:MAX_CHANNELS] if len(cell) < 40 and lead_names.is_lead(split_unit(cell)[0].lstrip("-"))]


def _numbers(text: str, separator: str, columns: Sequence[int], before: int) -> NDArray[np.float64]:
    """The columns of some rows as an array of shape (column, row)."""
    framed = f"\n{text}\n"
    # numpy's reader takes no empty cells; most tables have none
    if any(each in framed for each in (" ", 2 * separator, f"{separator}\n", f"\n{separator}")):
        text = re.sub(rf"(?m)(^|{re.escape(separator)})[ ]*(?=$|{re.escape(separator)})", r"\1nan", text)
    rows = text.split("\n")
    try:
        table = np.loadtxt(rows, delimiter=separator, usecols=columns, comments=None, ndmin=2, dtype=np.float64)
    except ValueError as error:
        where = f" behind row {before}" if before else ""
        raise EcgError(f"a cell{where} is no number ({one_line(error, 100)}); mend the table") from error
    if table.shape[0] != len(rows):
        raise EcgError(f"{len(rows) - table.shape[0]} rows are empty; fill or delete them")
    return table.T


def table_bytes(leads: Sequence[str], signal_uv: NDArray[Any], facts: dict[str, Any], separator: str = ",") -> bytes:
    """An ECG as a table that `read_table` gives back exactly: floats in the shortest form that is read back the same."""
    shown = dict(facts)
    shown["derived"] = ", ".join(facts["derived"]) or "none"
    if "key" in shown:
        shown["key"] = json.dumps(shown["key"])
    lines = [f"# {name}: {value}" for name, value in shown.items()]
    lines.append(separator.join(leads))
    # one lead after the other would need all texts at once; blocks of rows need but a few
    lines += [separator.join(map(repr, row)) for row in signal_uv.T.tolist()]
    return ("\n".join(lines) + "\n").encode("utf-8")
