"""ECGs as Parquet tables, one column a lead, through pyarrow (extra ``parquet``).

Facts stand as JSON in the metadata of the schema under the key ``ecgspasm`` (see `facts`); a unit may also stand in the metadata
of a column (``unit``) or in its name, and a column of times tells the sampling rate.
"""

from __future__ import annotations

import io
import json
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

_MARK = b"PAR1"
_KEY = b"ecgspasm"
_MOST_FACTS = 64 * 1024


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
    _, parquet = _pyarrow()
    content = file.content()
    try:
        opened = parquet.ParquetFile(io.BytesIO(content), memory_map=False, pre_buffer=False)
        schema = opened.schema_arrow
        names = _columns(opened, asked)
        table = opened.read(columns=names, use_threads=False)
        columns = {name: _numbers(table.column(name)) for name in names}
    except EcgError:
        raise
    # pyarrow raises its own errors, OSError and more on damaged files
    except Exception as error:
        raise EcgError(f"pyarrow cannot decode it ({type(error).__name__}: {one_line(error, 120)}); save it again") from error
    facts = _facts((schema.metadata or {}).get(_KEY))
    leads, units, rows, rates = [], [], [], []
    for name, values in columns.items():
        unit_s = time_unit_s(name)
        if unit_s is not None:
            rates.append(rate_of_times(values, unit_s))
            continue
        short, own = split_unit(name)
        told = (schema.field(name).metadata or {}).get(b"unit")
        leads.append(short)
        units.append(agreed_unit(asked.unit, facts.unit, own, told.decode("utf-8", "replace") if told else None))
        rows.append(values)
    return build(
        rows,
        names=leads,
        units=units,
        fs=settled_fs(asked.fs, facts.fs, rates),
        facts=facts,
        asked=asked,
        source=file.path or file.name,
    )


def _columns(opened: Any, asked: Asked) -> list[str]:
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
    if not 0 < rows <= MAX_SAMPLES // len(numeric):
        raise EcgError(f"{rows} rows of {len(numeric)} channels cannot be read at once; at most {MAX_SAMPLES} samples can")
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
