"""From arrays, tables and labelled arrays in memory to an `Ecg`: numpy, pandas and xarray through one door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.facts import Facts, agreed_unit, build, oriented, settled_fs, stated
from ecgspasm.io.file import Asked
from ecgspasm.io.paths import one_line
from ecgspasm.io.tables.column_names import TIME_UNITS_S, is_count, split_unit, time_unit_s
from ecgspasm.io.times import Rate, rate_of_times

_LEAD_DIMS = ("lead", "leads", "channel", "channels")
_TIME_DIMS = ("time", "sample", "samples", "time_s", "time_ms")


def from_array(
    values: Any,
    *,
    fs: float | None = None,
    unit: str | None = None,
    leads: Sequence[str] | None = None,
    subject: Subject | None = None,
    recorded_at: datetime | None = None,
    derived: Sequence[str] | None = None,
    rename: Mapping[str, str] | None = None,
    source: str = "array",
) -> Ecg:
    """Make an `Ecg` of samples that are in memory.

    Parameters
    ----------
    values : array_like, pandas.DataFrame or xarray.DataArray
        Samples of shape (lead, sample) or (sample, lead), whichever the number of leads makes plain; ``nan`` where one is
        missing. The columns of a frame are leads (and perhaps one of times); a labelled array has one dimension of leads and
        one of time.
    fs : float, optional
        Samples per second. Needed unless `values` states it: as ``fs`` in its ``attrs``, or by an index or a column of times.
    unit : str, optional
        ``"uV"``, ``"mV"`` or ``"V"``. Needed unless `values` states it: as ``unit`` in its ``attrs``, or in the names of the
        columns, such as ``"V2 (mV)"``.
    leads : sequence of str, optional
        One name a lead; needed for plain arrays, and refused where `values` has names itself.
    subject : Subject, optional
    recorded_at : datetime, optional
    derived : sequence of str, optional
        Those of the leads that were computed from others. If it is given (even empty), or stated in ``attrs``, no further limb
        lead is derived; else those that are missing are.
    rename : mapping of str to str, optional
        Lead names for columns whose own name says nothing.
    source : str, optional

    Returns
    -------
    Ecg
        With a copy of the samples, in uV.

    Raises
    ------
    EcgError
        If rate, unit or leads are not stated, or stated twice and differently, or the axes are not plain.

    Examples
    --------
    >>> from_array(np.zeros((5000, 2)), fs=500, unit="mV", leads=["V1", "V2"])
    Ecg(2 leads V1 V2, 10 s at 500 Hz, source='array')
    """
    asked = Asked(rename=rename, fs=None if fs is None else _real(fs), unit=unit)
    if _is_a(values, "pandas", "DataFrame"):
        parts = _of_frame(values, leads)
    elif _is_a(values, "xarray", "DataArray"):
        parts = _of_labelled(values, leads)
    else:
        parts = _of_plain(values, leads)
    rows, names, units, attrs, rates = parts
    facts = stated(attrs)
    facts = _with(facts, subject, recorded_at, derived)
    frequency = settled_fs(asked.fs, facts.fs, rates, where="the array")
    told = [agreed_unit(unit, facts.unit, own, where="the array") for own in units]
    return build(rows, names=names, units=told, fs=frequency, facts=facts, asked=asked, source=source)


Parts = tuple[NDArray[Any], list[str], list[str | None], Mapping[str, Any], list[Rate | None]]
"""Rows, their names, their own units, what else is stated, and the rates by the times."""


def _is_a(values: Any, package: str, name: str) -> bool:
    """Whether it is an object of a class of another package, without importing that package."""
    return any(each.__module__.split(".")[0] == package and each.__name__ == name for each in type(values).__mro__)


def _real(fs: Any) -> Any:
    return fs.item() if isinstance(fs, np.number) else fs


def _numbers(values: Any) -> NDArray[Any]:
    try:
        table = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise EcgError(f"the samples are no array ({one_line(error, 100)}); give numbers of shape (lead, sample)") from error
    if table.dtype == object:  # columns of pandas that may be missing, or whole numbers without bound
        try:
            table = table.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise EcgError(f"the samples are no numbers ({one_line(error, 100)}); give numbers only") from error
    if table.dtype.kind not in "fiu":
        raise EcgError(f"the samples are of type {table.dtype}; only plain real numbers are read")
    return table


def _of_plain(values: Any, leads: Sequence[str] | None) -> Parts:
    if leads is None or isinstance(leads, str):
        raise EcgError("an array does not say which lead is which; name them: leads=['I', 'II', ...]")
    names = [str(name) for name in leads]
    return oriented(_numbers(values), len(names)), names, [None] * len(names), {}, []


def _of_frame(values: Any, leads: Sequence[str] | None) -> Parts:
    if leads is not None:
        raise EcgError("the columns of a frame name its leads; leave leads= out, or use rename={'column': 'II'}")
    names, units, rows, rates = [], [], [], []
    # an index without a name counts rows, unless it is one of times
    unit_s = time_unit_s(str(values.index.name)) if values.index.name is not None else None
    if unit_s is not None or values.index.dtype.kind in "mM":
        rates.append(_rate(values.index, unit_s))
    for place, column in enumerate(values.columns):
        name, own = split_unit(str(column))
        unit_s = time_unit_s(str(column))
        series = values.iloc[:, place]
        if unit_s is not None:
            rates.append(_rate(series, unit_s))
        elif not is_count(str(column)):
            names.append(name)
            units.append(own)
            rows.append(_numbers(series))
    if not rows:
        raise EcgError("the frame has no column with a lead's name; name its columns I, II, ...")
    return np.stack(rows), names, units, values.attrs, rates


def _rate(times: Any, unit_s: float | None) -> Rate | None:
    """Sampling rate by a column, an index or an axis of times."""
    # asked for with its kind, because dates with a zone are objects to numpy
    kind = {"M": "datetime64[ns]", "m": "timedelta64[ns]"}.get(times.dtype.kind)
    return rate_of_times(np.asarray(times, dtype=kind) if kind else _numbers(times), unit_s or 0.0)


def _of_labelled(values: Any, leads: Sequence[str] | None) -> Parts:
    if values.ndim != 2:
        raise EcgError(f"the array has {values.ndim} dimensions; give two: lead and time")
    dims = [str(dim) for dim in values.dims]
    found = [dim for dim in values.dims if str(dim).casefold() in _LEAD_DIMS]
    found = found or [dim for dim in values.dims if str(dim).casefold() not in _TIME_DIMS and len(dims) == 2]
    if len(found) != 1:
        raise EcgError(f"the dimensions are {', '.join(dims)}; call them lead and time")
    lead = found[0]
    time = next(dim for dim in values.dims if dim != lead)
    if lead in values.coords:
        if leads is not None:
            raise EcgError("the coordinates of the array name its leads; leave leads= out")
        leads = [str(name) for name in values.coords[lead].to_numpy()]
    if leads is None:
        raise EcgError("the array has no names of leads; give it the coordinate 'lead', or leads=['I', 'II', ...]")
    names, units = zip(*(split_unit(str(name)) for name in leads), strict=True) if len(leads) else ((), ())
    table = _numbers(values.transpose(lead, time).to_numpy())
    if table.shape[0] != len(names):
        raise EcgError(f"the array has {table.shape[0]} leads, but {len(names)} are named; name each once")
    rates = []
    if time in values.coords:
        axis = values.coords[time]
        unit_s = TIME_UNITS_S.get(str(axis.attrs.get("units", "")).strip().casefold()) or time_unit_s(str(time))
        if unit_s is not None or axis.dtype.kind in "mM":
            rates.append(_rate(axis, unit_s))
    return table, list(names), list(units), values.attrs, rates


def _with(facts: Facts, subject: Subject | None, at: datetime | None, derived: Sequence[str] | None) -> Facts:
    if subject is not None:
        facts = replace(facts, subject=subject)
    if at is not None:
        facts = replace(facts, recorded_at=at)
    if derived is not None:
        if isinstance(derived, str):
            raise EcgError("derived is one text; give a list of lead names such as ['III']")
        facts = replace(facts, derived=tuple(derived))
    return facts
