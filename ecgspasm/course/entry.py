"""How the entries of a course are checked, read and written: the annotation of a field says what it may hold.

Every entry is a frozen dataclass. `check` runs when one is made, from Python or from a file, so that both are refused for the
same reasons in the same words; `decode` and `encode` go from and to the plain tables of a file.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Analysis, Ecg, Measurements, Subject, sort_leads
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

Time = float | datetime
"""When something was: days from day 0 of the course, or a date and time without a zone."""

Leads = Annotated[tuple[str, ...], "leads"]
Source = str | Ecg | Analysis | Measurements
"""An ECG in memory, or the path of its file."""

YEARS = range(1880, 2200)
"""Years in which an ECG can be taken."""

LONGEST_DAYS = 45_000.0
"""No course is longer than a life; a larger number is a mistake of units."""

_Entry = TypeVar("_Entry")


@cache
def hints(cls: Any) -> dict[str, Any]:
    """Annotations of an entry's fields that belong into a file, by name."""
    told = get_type_hints(cls, include_extras=True)
    return {each.name: told[each.name] for each in fields(cls) if each.metadata.get("file", True)}


def check(entry: Any) -> None:
    """Bring every field of an entry into its one form, or refuse it."""
    cls: Any = type(entry)
    for name, hint in hints(cls).items():
        object.__setattr__(entry, name, _checked(getattr(entry, name), hint, name))


def decode(entry: type[_Entry], row: Any, where: str) -> _Entry:
    """Make an entry from a table of a file; `where` stands in messages."""
    cls: Any = entry
    if not isinstance(row, Mapping):
        raise EcgError(f"{where} is {_shown(row)}; give a table with some of the keys {', '.join(hints(cls))}")
    _checkhints(cls, row, where)
    values = {name: _from_file(value, hints(cls)[name], f"{where}.{name}" if where else name) for name, value in row.items()}
    label = f"{where} ({row['drug']})" if isinstance(row.get("drug"), str) and where else where
    try:
        return entry(**values)
    except EcgError as error:
        raise EcgError(f"{one_line(label)}: {error}" if label else str(error)) from error


def encode(entry: Any) -> dict[str, Any]:
    """The table of an entry: what differs from the defaults, in plain values (numbers, text, datetimes, lists)."""
    table = {}
    cls: Any = type(entry)
    for each in fields(entry):
        if each.name not in hints(cls):
            continue
        value = getattr(entry, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if value != default or default is MISSING:
            table[each.name] = _plain(value)
    return table


def _checkhints(cls: type, row: Mapping[str, Any], where: str) -> None:
    keys, place = hints(cls), f"{where}: " if where else ""
    for name in row:
        if name not in keys:
            near = get_close_matches(str(name), keys, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise EcgError(f"{place}unknown key {one_line(repr(name), 60)}{hint}; the keys are {', '.join(keys)}")
    for each in fields(cls):
        if each.name in keys and each.default is MISSING and each.default_factory is MISSING and each.name not in row:
            raise EcgError(f"{place}the key {each.name!r} is missing; add it")


def _from_file(value: Any, hint: Any, where: str) -> Any:
    """Tables within a table become entries; all else is left to `check`."""
    if hint is Subject:
        return decode(Subject, value, where)
    inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
    if not (isinstance(inner, type) and is_dataclass(inner)):
        return value
    if inner is hint:
        return decode(inner, value, where)
    if not isinstance(value, list):
        raise EcgError(f"{where} is {_shown(value)}; give a list of tables")
    return tuple(decode(inner, row, f"{where}[{number}]") for number, row in enumerate(value))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Ecg | Analysis | Measurements):
        raise EcgError("an ECG in memory cannot be written; write it to a file beside the course and give its path as source")
    return encode(value) if is_dataclass(value) else value


def _checked(value: Any, hint: Any, name: str) -> Any:
    if hint == Leads:
        return sort_leads({lead_names.canonical(each) for each in _texts(value, name)})
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None and type(None) in inner else _checked_union(value, inner, name)
    if origin is Literal:
        return _choice(value, inner, name)
    if origin is tuple:
        return _texts(value, name) if inner[0] is str else _entries(value, inner[0], name)
    if hint in _RULES:
        return _RULES[hint](value, name)
    if not isinstance(value, hint):
        raise EcgError(f"{name} is {_shown(value)}; give a {hint.__name__}")
    return value


def _checked_union(value: Any, inner: tuple[Any, ...], name: str) -> Any:
    if Ecg in inner:
        return _source(value, name)
    if datetime in inner and float in inner:
        return as_time(value, name)
    return _checked(value, next(each for each in inner if each is not type(None)), name)


def as_time(value: Any, name: str) -> Time:
    """Days from day 0 as a float, or a datetime without a zone."""
    if isinstance(value, str | date):
        return _moment(value, name)
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise EcgError(f"{name} is {_shown(value)}; give days from day 0, or a date such as 2018-03-05T10:00")
    days = _finite(value, name)
    if abs(days) > LONGEST_DAYS:
        raise EcgError(f"{name} is {days:g} days from day 0, more than a lifetime; give days, or a date")
    return days


def _moment(value: Any, name: str) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise EcgError(f"{name} is {_shown(value)}; give days from day 0, or a date such as 2018-03-05T10:00") from error
    if not isinstance(value, date):
        raise EcgError(f"{name} is {_shown(value)}; give a date such as 2018-03-05T10:00")
    moment: datetime = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.year not in YEARS:
        raise EcgError(f"{name} is in the year {moment.year}; give a year from {YEARS.start} to {YEARS.stop - 1}")
    if moment.tzinfo is not None:
        raise EcgError(f"{name} is {moment.isoformat()}; give the local time without a zone, the same clock for the whole course")
    return moment


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise EcgError(f"{name} is {_shown(value)}; give text")
    line = " ".join(value.split())
    if not line.isprintable():
        raise EcgError(f"{name} holds signs that cannot be printed; leave them out")
    return line


def _texts(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise EcgError(f"{name} is {_shown(value)}; give a list of texts")
    return tuple(_text(each, f"{name}[{number}]") for number, each in enumerate(value))


def _entries(value: Any, cls: type, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise EcgError(f"{name} is {_shown(value)}; give a list of {cls.__name__}")
    for number, each in enumerate(value):
        if not isinstance(each, cls):
            raise EcgError(f"{name}[{number}] is {_shown(each)}; give a {cls.__name__}")
    return tuple(value)


def _choice(value: Any, choices: tuple[Any, ...], name: str) -> Any:
    if value not in choices:
        raise EcgError(f"{name} is {_shown(value)}; the choices are {', '.join(map(str, choices))}")
    return value


def _finite(value: Any, name: str) -> float:
    try:
        if isinstance(value, bool | str):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise EcgError(f"{name} is {_shown(value)}; give a number") from error
    if not math.isfinite(number):
        raise EcgError(f"{name} is {number}; give a number, or leave the key out where it is not known")
    return number


def _amount(value: Any, name: str) -> float:
    number = _finite(value, name)
    if number < 0:
        raise EcgError(f"{name} is {number:g}; give 0 or more")
    return number


def _count(value: Any, name: str) -> int:
    number = _finite(value, name)
    if number != int(number) or number < 1:
        raise EcgError(f"{name} is {_shown(value)}; give a whole number from 1 on")
    return int(number)


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise EcgError(f"{name} is {_shown(value)}; give true or false")
    return value


def _source(value: Any, name: str) -> Source:
    if isinstance(value, Ecg | Analysis | Measurements):
        return value
    text = _text(value, name)
    if not text:
        raise EcgError(f"{name} is empty; give the path of the ECG, or leave the key out where there is only the report")
    return text


def _person(value: Any, name: str) -> Subject:
    if not isinstance(value, Subject):
        raise EcgError(f"{name} is {_shown(value)}; give a Subject(sex=..., age=...)")
    if isinstance(value.age, bool):
        raise EcgError(f"age is {value.age}; give years")
    return value if value.key is None else replace(value, key=_text(value.key, "key"))


_RULES: dict[Any, Any] = {str: _text, float: _amount, int: _count, bool: _flag, datetime: _moment, Subject: _person}


def _shown(value: Any) -> str:
    return one_line(repr(value), 60)
