"""Files of results: one Parquet file a part, whole or not there, the same bytes whoever makes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecgspasm import __version__
from ecgspasm.batching.rows import Rows
from ecgspasm.ecg import MEASURES
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line, write_whole
from ecgspasm.leads import STANDARD
from ecgspasm.stamp import USE, tables_key

if TYPE_CHECKING:
    import pyarrow as pa

PART = re.compile(r"(?P<table>part|wide)-(?P<key>[0-9a-f]{16})-(?P<number>\d{6})\.parquet", re.ASCII)
COLUMNS = ("record", "lead", "measure", "value", "se", "state")


def name_of(key: str, number: int, table: str = "part") -> str:
    """File name of a part."""
    return f"{table}-{key}-{number:06d}.parquet"


def long_table(records: Sequence[str], rows: Sequence[Rows], key: str, number: int) -> pa.Table:
    """One row a record, lead and measure."""
    import pyarrow as pa

    records = [_utf8(record) for record in records]
    text = pa.dictionary(pa.int32(), pa.string())
    counts = [len(each.lead) for each in rows]
    columns = [
        pa.DictionaryArray.from_arrays(np.repeat(np.arange(len(records), dtype=np.int32), counts), pa.array(records)),
        *(_words([word for each in rows for word in getattr(each, name)]) for name in ("lead", "measure")),
        *(pa.array([number for each in rows for number in getattr(each, name)], pa.float64()) for name in ("value", "se")),
        _words([_utf8(word) for each in rows for word in each.state]),
    ]
    types = (text, text, text, pa.float64(), pa.float64(), text)
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)), metadata=_stamp(key, number, len(records)))
    return pa.Table.from_arrays(columns, schema=schema)


def _utf8(text: str) -> str:
    """Text as it can be stored; bytes of a file name that are no UTF-8 are written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _words(words: list[str]) -> pa.Array:
    """Words by their number in the order in which they first occur, so that the same rows give the same bytes."""
    import pyarrow as pa

    return pa.array(words, pa.string()).dictionary_encode()


def wide_table(records: Sequence[str], rows: Sequence[Rows], key: str, number: int, names: Sequence[str]) -> pa.Table:
    """One row a record, one column a measure and lead of the twelve; columns are the same in all parts."""
    import pyarrow as pa

    row_of = {name: column for column, name in enumerate(names)}
    values = np.full((len(names), len(records)), np.nan)
    errors: list[str | None] = []
    for record, each in enumerate(rows):
        errors.append(_utf8(each.state[0]) if each.measure == ["error"] else None)
        for lead, measure, value in zip(each.lead, each.measure, each.value, strict=True):
            column = row_of.get(f"{measure}_{lead}" if lead else measure)
            if column is not None:
                values[column, record] = value
    names_of = pa.array([_utf8(record) for record in records], pa.string())
    arrays = [names_of, pa.array(errors, pa.string()), *(pa.array(each) for each in values)]
    schema = pa.schema(
        [("record", pa.string()), ("error", pa.string()), *((name, pa.float64()) for name in names)],
        metadata=_stamp(key, number, len(records)),
    )
    return pa.Table.from_arrays(arrays, schema=schema)


def wide_names(what: str, criteria: Sequence[str] = ()) -> list[str]:
    """Columns of the wide table."""
    from ecgspasm.batching.rows import INTERVALS
    from ecgspasm.serial.comparison import IN_FRAME

    if what == "measure":
        own = ["duration_s", "fs_hz", *INTERVALS, "n_beats"]
        return own + [f"{measure}_{lead}" for measure in MEASURES for lead in STANDARD]
    own = [f"{which}_{name}" for which in ("baseline", "current") for name in (*INTERVALS, "n_beats")]
    each = [f"{which}_{name}" for name in IN_FRAME for which in ("baseline", "current", "change")]
    return own + [f"{name}_{lead}" for name in each for lead in STANDARD] + [f"finding:{name}" for name in criteria] + ["score"]


def _stamp(key: str, number: int, records: int) -> dict[str, str]:
    told = {"version": __version__, "use": USE, "tables": tables_key(), "run": key, "part": str(number), "records": str(records)}
    return {f"ecgspasm.{name}": each for name, each in told.items()}


def write_part(path: str, table: pa.Table) -> None:
    """Write a table; checksums of its pages tell later whether it is still what was written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    write_whole(path, sink.getvalue())


def read_part(path: str, key: str, number: int) -> pa.Table:
    """A part that is there already, with all its checksums compared.

    Raises
    ------
    EcgError
        If it is damaged or not of this run: such a file is named, never overwritten.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise EcgError(
            f"{one_line(path)} is half a part or damaged ({one_line(error, 80)}); move it away and run again"
        ) from error
    told = table.schema.metadata or {}
    if told.get(b"ecgspasm.run") != key.encode() or told.get(b"ecgspasm.part") != str(number).encode():
        raise EcgError(f"{one_line(path)} is not of this run; move it away and run again")
    return table
