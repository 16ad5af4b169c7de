"""What the names of columns say: a lead with its unit, a time with its unit, or the number of the sample."""

from __future__ import annotations

import re

from ecgspasm import leads as lead_names
from ecgspasm.io.channels import uv_per_unit

TIME_UNITS_S = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6,
}  # fmt: skip
"""Seconds in a unit of time."""

# "V2 (uV)", "V2 [mV]", "V2/mV", "V2_uv", "V2 mV"
_WITH_UNIT = re.compile(r"(?P<name>.*?\S)\s*(?:\((?P<a>[^()]+)\)|\[(?P<b>[^\[\]]+)\]|[/_ ]\s*(?P<c>[^/_ ]+))")
_TIMES = ("time", "t", "elapsed", "elapsed time", "seconds", "milliseconds")
_COUNTS = ("", "sample", "samples", "index", "sample_index", "sample index", "n")


def split_unit(column: str) -> tuple[str, str | None]:
    """Name and unit of a column; the unit is None where the name holds none.

    Examples
    --------
    >>> split_unit("V2 (uV)"), split_unit("avr_mv"), split_unit("Lead II")
    (('V2', 'uV'), ('avr', 'mv'), ('Lead II', None))
    """
    column = column.strip()
    found = _WITH_UNIT.fullmatch(column)
    if found is None:
        return column, None
    unit = (found["a"] or found["b"] or found["c"]).strip()
    if uv_per_unit(unit) is None or (found["c"] and lead_names.is_lead(column)):
        return column, None
    return found["name"].strip(), unit


def time_unit_s(column: str) -> float | None:
    """Seconds in the unit of a column of times; 0 if it is one but its unit is not told, None if it is none.

    Examples
    --------
    >>> time_unit_s("time_ms"), time_unit_s("Time (s)"), time_unit_s("time"), time_unit_s("V2")
    (0.001, 1.0, 0.0, None)
    """
    text = column.strip().casefold()
    if text in _TIMES:
        return TIME_UNITS_S.get(text, 0.0)
    found = _WITH_UNIT.fullmatch(text)
    if found is None or found["name"].strip() not in _TIMES:
        return None
    return TIME_UNITS_S.get((found["a"] or found["b"] or found["c"]).strip())


def is_count(column: str) -> bool:
    """Whether a column numbers the samples."""
    return column.strip().casefold() in _COUNTS
