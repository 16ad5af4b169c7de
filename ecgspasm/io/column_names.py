"""What the names of columns say: a lead with its unit, a time with its unit, or the number of the sample."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm import leads as lead_names
from ecgspasm.errors import EcgError
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
    found = _WITH_UNIT.fullmatch(text)
    if found and found["name"].strip() in _TIMES:
        return TIME_UNITS_S.get((found["a"] or found["b"] or found["c"]).strip())
    return TIME_UNITS_S.get(text, 0.0) if text in _TIMES else None


def is_count(column: str) -> bool:
    """Whether a column numbers the samples."""
    return column.strip().casefold() in _COUNTS


def rate_of_times(times: NDArray[Any], unit_s: float | None) -> tuple[float, float] | None:
    """Sampling rate by the times of the samples, and its relative error, from how they are rounded.

    Returns None if there are too few times, or if nobody tells their unit.

    Raises
    ------
    EcgError
        If the steps are not all alike: a sample is missing, or the rate changes.
    """
    if times.dtype.kind in "mM":
        if np.isnat(times).any():
            raise EcgError("a time is missing; give every sample its time, or leave the times out")
        times = (times - times[0]).astype(np.int64) if len(times) else times.astype(np.int64)
    if not unit_s or len(times) < 2:
        return None
    exact = np.asarray(times, dtype=np.float64) - float(times[0])
    place = np.arange(len(exact)) - (len(exact) - 1) / 2
    steps = len(exact) - 1
    # a straight line through all times, since the first and the last are rounded like any other
    step = float(place @ exact / (place @ place)) if np.isfinite(exact).all() else math.nan
    if not step > 0:
        raise EcgError("the times do not grow; sort the rows by time, or leave the times out")
    from_line = exact / step - place
    off = float(from_line.max() - from_line.min()) / 2
    between, usual = np.diff(exact), float(np.median(np.diff(exact)))
    # rounding to whole ms is off by 0.26 of a step at 512 Hz; one sample that is missing by half a step, unless the line of a few
    # times gives way to it
    if off > 0.3 or (steps < 10 and np.abs(between - usual).max() > 0.3 * usual):
        raise EcgError("the steps of the times are not all alike, so samples are missing or the rate changes; cut the recording")
    fs = 1.0 / (step * unit_s)
    error = (2 * off + 1e-3) / steps + 1e-9
    # times are rounded, rates are mostly whole
    whole = round(fs)
    return (float(whole), error) if whole and abs(fs - whole) <= error * fs else (fs, error)
