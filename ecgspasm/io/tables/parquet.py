"""ECGs as Parquet tables, one column a lead, through pyarrow (extra ``parquet``).

Facts stand as JSON in the metadata of the schema under the key ``ecgspasm`` (see `facts`); a unit may also stand in the metadata
of a column (``unit``) or in its name, and a column of times tells the sampling rate.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, MOST_SAMPLES
from ecgspasm.io.facts import MAX_CHANNELS, Facts, agreed_unit, build, open_rows, settled_fs, stated
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import blame, one_line
from ecgspasm.io.tables.column_names import is_count, split_unit, time_unit_s
from ecgspasm.io.tables.parquet_gate import Group, check_pages, groups_of
from ecgspasm.io.times import rate_of_times, rates_of_pieces
from ecgspasm.recording import Recording

_MARK = b"PAR1"
_KEY = b"ecgspasm"
_MOST_FACTS = 64 * 1024
_MOST_GROUP_SAMPLES = 16 * 2**20
"""Numbers in a group of rows that is decoded at once; writers make groups of a million rows at most, of twelve leads."""

_FLOAT64_BYTES, _INT96_BYTES = 8, 12
"""The largest number, and the largest date, that a page may hold."""


def is_parquet(start: bytes) -> bool:
    """Whether a file that begins so is Parquet."""
    return start.startswith(_MARK)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise EcgError("Parquet needs pyarrow: pip install 'ecgspasm[parquet]'") from error
    return pyarrow, pyarrow.parquet


@dataclass(frozen=True, slots=True)
class _Table:
    """A checked Parquet file."""

    file: Any
    raw: File
    groups: tuple[Group, ...]
    columns: tuple[str, ...]
    """Names of the columns that are read: leads and times."""
    facts: Facts

    def check_pages(self, groups: Iterable[int], columns: Sequence[str]) -> None:
        """Refuse those columns of those groups if they unpack to more than their values need."""
        paths = [self.file.metadata.schema.column(index).path for index in range(self.file.metadata.num_columns)]
        # pyarrow takes a name for that of a column and for the beginning of those of nested ones
        wanted = [
            (index, _INT96_BYTES if time_unit_s(name) is not None else _FLOAT64_BYTES)
            for name in columns
            for index, path in enumerate(paths)
            if path == name or path.startswith(name + ".")
        ]
        parts = [(self.groups[group], index, width) for group in groups for index, width in wanted]
        check_pages(self.raw.part, self.raw.size(), ((group.chunks[index], group.n_rows, width) for group, index, width in parts))


def read_parquet(file: File, asked: Asked) -> Ecg:
    """Read a Parquet table.

    Parameters
    ----------
    file : File
    asked : Asked
        ``fs`` and ``unit`` where the file does not state them.

    Returns
    -------
    Ecg
        Nulls are missing samples.

    Raises
    ------
    EcgError
        If pyarrow is missing, the file is damaged, or sampling rate or unit are told by nobody or differently.
    """
    asked.nothing("record", what="a Parquet file")
    content = file.content()
    table = _table(_pyarrow()[0].BufferReader(content), File(file.name, data=content), MAX_SAMPLES)
    table.check_pages(range(len(table.groups)), table.columns)
    with _decoding():
        columns = _read_columns(table)
    leads, units, places = _leads(table, asked)
    rates = [rate_of_times(columns[name], unit_s) for name, unit_s in _times(table)]
    return build(
        [columns[name] for name in places],
        names=leads,
        units=units,
        fs=settled_fs(asked.fs, table.facts.fs, rates),
        facts=table.facts,
        asked=asked,
        source=file.path or file.name,
    )


def open_parquet(path: str, asked: Asked) -> Recording:
    """Open a Parquet table of any length; a group of rows is read at a time.

    Raises
    ------
    EcgError
        As `read_parquet` does, but for the length; and if a group of rows is too large to be read at once.
    """
    with blame(path):
        asked.nothing("record", what="a Parquet file")
        file = File(path, path=path)
        file.start()  # refuses folders, pipes and devices
        with _decoding():
            source = _pyarrow()[0].OSFile(path)  # a local file, whatever its name looks like
        table = _table(source, file, MOST_SAMPLES)
        leads, units, places = _leads(table, asked)
        groups = _Groups(table)
        with _decoding():
            rates = [rate for name, unit_s in _times(table) for rate in rates_of_pieces(groups.column(name), unit_s)]

        def rows(start: int, stop: int, which: Sequence[int]) -> list[NDArray[Any]]:
            with _decoding():
                return groups.stretch(start, stop, [places[row] for row in which])

        return open_rows(
            rows,
            table.file.metadata.num_rows,
            names=leads,
            units=units,
            fs=settled_fs(asked.fs, table.facts.fs, rates),
            facts=table.facts,
            asked=asked,
            source=path,
        )


class _Groups:
    """Groups of rows of a file, of which the one that was read last is kept, since blocks follow each other."""

    def __init__(self, table: _Table) -> None:
        self._table = table
        sizes = [group.n_rows for group in table.groups]
        self._ends = np.cumsum([0, *sizes])
        largest = max(sizes, default=0) * len(table.file.schema_arrow)
        if largest > _MOST_GROUP_SAMPLES:
            raise EcgError(
                f"a row group holds {largest} numbers, more than the {_MOST_GROUP_SAMPLES} that are read at once; save the table "
                "again with row_group_size=100_000"
            )
        self._kept: tuple[int, tuple[str, ...], Any] = (-1, (), None)

    def column(self, name: str) -> Iterator[NDArray[Any]]:
        """One column, a group after the other."""
        for group in range(len(self._ends) - 1):
            yield _numbers(self._group(group, (name,)).column(name))

    def stretch(self, start: int, stop: int, names: Sequence[str]) -> list[NDArray[Any]]:
        """Rows `start` to `stop` of some columns."""
        parts: list[list[NDArray[Any]]] = []
        first = int(np.searchsorted(self._ends, start, side="right")) - 1
        for group in range(first, int(np.searchsorted(self._ends, stop, side="left"))):
            begin, end = int(self._ends[group]), int(self._ends[group + 1])
            table = self._group(group, tuple(names)).slice(max(start - begin, 0), min(stop, end) - max(start, begin))
            parts.append([_numbers(table.column(name)) for name in names])
        return [np.concatenate([part[row] for part in parts]) for row in range(len(names))]

    def _group(self, group: int, names: tuple[str, ...]) -> Any:
        if self._kept[:2] != (group, names):
            self._kept = (-1, (), None)
            self._table.check_pages([group], names)
            table = self._table.file.read_row_group(group, columns=list(names), use_threads=False)
            if table.num_rows != self._ends[group + 1] - self._ends[group]:
                raise EcgError("a row group holds another number of rows than the footer says; save the table again")
            self._kept = (group, names, table)
        return self._kept[2]


@contextmanager
def _decoding() -> Iterator[None]:
    """Turn what pyarrow raises on damaged files, its own errors, OSError and more, into an `EcgError`."""
    try:
        yield
    except EcgError:
        raise
    except Exception as error:
        raise EcgError(f"pyarrow cannot decode it ({type(error).__name__}: {one_line(error, 120)}); save it again") from error


def _table(source: Any, raw: File, limit: int) -> _Table:
    """Open a file and check what its footer says."""
    _, parquet = _pyarrow()
    groups = groups_of(raw.part, raw.size())
    with _decoding():
        file = parquet.ParquetFile(source, memory_map=False, pre_buffer=False)
        if any(len(group.chunks) != file.metadata.num_columns for group in groups):
            raise EcgError("a row group has other columns than the table; save the table again")
        metadata = file.schema_arrow.metadata or {}
        return _Table(file, raw, groups, tuple(_columns(file, limit)), _facts(metadata.get(_KEY)))


def _times(table: _Table) -> list[tuple[str, float]]:
    """Columns of times, each with the seconds in its unit."""
    return [(name, unit_s) for name in table.columns if (unit_s := time_unit_s(name)) is not None]


def _leads(table: _Table, asked: Asked) -> tuple[list[str], list[str], list[str]]:
    """Names of the channels, their units, and their columns."""
    names, units, places = [], [], []
    for name in table.columns:
        if time_unit_s(name) is None:
            short, own = split_unit(name)
            told = (table.file.schema_arrow.field(name).metadata or {}).get(b"unit")
            said = told.decode("utf-8", "replace") if told else None
            names.append(short)
            units.append(agreed_unit(asked.unit, table.facts.unit, own, said))
            places.append(name)
    return names, units, places


def _columns(opened: Any, limit: int) -> list[str]:
    """Names of the columns of numbers, after the sizes that the footer tells were checked."""
    import pyarrow.types as kinds

    schema, metadata = opened.schema_arrow, opened.metadata
    if len(schema) > MAX_CHANNELS:
        raise EcgError(f"the table has {len(schema)} columns; at most {MAX_CHANNELS} are read")
    names = [str(name) for name in schema.names]
    if len(set(names)) < len(names):
        raise EcgError("two columns have the same name; rename one of them")
    numeric = [
        name
        for name in names
        if _is_read(kinds, schema.field(name).type, name)
        if not is_count(name) and not name.startswith("__index_level_")
    ]
    words = [name for name in names if name not in numeric and lead_names.is_lead(split_unit(name)[0])]
    if words:
        raise EcgError(f"column {one_line(words[0], 40)!r} is of type {schema.field(words[0]).type}; a lead has to hold numbers")
    if not numeric:
        raise EcgError("the table has no column of numbers; name the columns I, II, ...")
    rows = metadata.num_rows
    if not 0 < rows <= limit // len(numeric):
        raise EcgError(f"{rows} rows of {len(numeric)} channels cannot be read at once; at most {limit} samples can")
    # only of whole row groups: asking a damaged file for a single column can end the interpreter (pyarrow 26.0.1)
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if size > 64 * rows * len(schema) + 2**20:
        raise EcgError(f"the table would unpack to {size} bytes for {rows} rows of {len(schema)} columns; save it again")
    return numeric


def _is_read(kinds: Any, kind: Any, name: str) -> bool:
    """Whether a column is of numbers, or of times that are dates or spans."""
    if kinds.is_timestamp(kind) or kinds.is_duration(kind):
        return time_unit_s(name) is not None
    return bool(kinds.is_floating(kind) or kinds.is_integer(kind))


def _read_columns(table: _Table) -> dict[str, NDArray[Any]]:
    pool = _pyarrow()[0].default_memory_pool()
    read = table.file.read(columns=list(table.columns), use_threads=False)
    # else it keeps the room for the largest page while as much is needed for the ECG
    pool.release_unused()
    columns = {}
    for name in table.columns:
        columns[name] = _numbers(read.column(name))
        # a column with missing values was copied
        read = read.drop_columns([name])
    pool.release_unused()
    return columns


def _numbers(column: Any) -> NDArray[Any]:
    values: NDArray[Any] = np.asarray(column.to_numpy())
    return values


def _facts(raw: bytes | None) -> Facts:
    if raw is None:
        return Facts()
    if len(raw) > _MOST_FACTS:
        raise EcgError("the metadata of the file are larger than any that are written; save it again")
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise EcgError("the metadata 'ecgspasm' are no JSON; save the file again") from error
    if not isinstance(given, dict):
        raise EcgError("the metadata 'ecgspasm' are no JSON object; save the file again")
    return stated(given)


def parquet_bytes(ecg_leads: tuple[str, ...], signal_uv: NDArray[Any], facts: dict[str, Any]) -> bytes:
    """An ECG as a Parquet file that `read_parquet` gives back exactly."""
    pyarrow, parquet = _pyarrow()
    fields = [pyarrow.field(lead, pyarrow.float64(), metadata={"unit": "uV"}) for lead in ecg_leads]
    schema = pyarrow.schema(fields, metadata={_KEY: json.dumps(facts).encode("ascii")})
    table = pyarrow.Table.from_arrays([pyarrow.array(row) for row in signal_uv], schema=schema)
    target = io.BytesIO()
    # bytes of equal rank lie together, which packs whole microvolts to a third
    parquet.write_table(
        table, target, compression="zstd", use_dictionary=False, column_encoding=dict.fromkeys(ecg_leads, "BYTE_STREAM_SPLIT")
    )
    return target.getvalue()
