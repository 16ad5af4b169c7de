"""What was done and when: events, their kinds, and the cycles of provocation and relief that they make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from math import isfinite
from typing import Any, Literal, get_args

import numpy as np

from ecgspasm.errors import EcgError
from ecgspasm.provoking.settings import table

Kind = Literal["provoking", "relieving", "other"]
PROVOKING, RELIEVING, OTHER = KINDS = get_args(Kind)

Time = float | datetime
"""Seconds from the beginning, or a date and time."""


@dataclass(frozen=True)
class ProvocationEvent:
    """One thing that was done.

    Attributes
    ----------
    time_s : float
        From the beginning of the recording, or from the first ECG.
    text : str
        As it was given.
    kind : {'provoking', 'relieving', 'other'}
    agent : str
        By the list in ``events.toml``; empty if it names none.
    why : str
        How the kind was told.
    """

    time_s: float
    text: str
    kind: Kind
    agent: str = ""
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        words = {"text": self.text, "kind": self.kind, "agent": self.agent or None, "why": self.why}
        return {"time_s": round(self.time_s, 1), **words}


@dataclass(frozen=True)
class Cycle:
    """Provoking events up to the relief that follows them."""

    provoking: tuple[ProvocationEvent, ...]
    relieving: ProvocationEvent | None
    until_s: float
    """Where the next cycle begins; infinity for the last."""

    @property
    def start_s(self) -> float:
        """Time of the first provoking event."""
        return self.provoking[0].time_s


def classify(text: str) -> tuple[Kind, str, str]:
    """Tell the kind of an event from its text.

    Returns
    -------
    kind, agent, why : str

    Raises
    ------
    EcgError
        If the text names both what provokes and what relieves.

    Examples
    --------
    >>> classify("Ergonovine 20 ug i.c.")[:2], classify("balloon deflation")[0], classify("contrast injection")[0]
    (('provoking', 'ergonovine'), 'relieving', 'other')
    """
    found = [row for row in table("events.toml")["agent"] if _names(text, row["words"])]
    kinds = {row["kind"] for row in found}
    if len(kinds) > 1:
        names = " and ".join(row["name"] for row in found)
        raise EcgError(f"the event {text!r} names {names}; say what it is: (time, text, 'provoking') or (..., 'relieving')")
    end = table("events.toml")["end"]
    if not found:
        ends = _names(text, end["alone"])
        return (RELIEVING, "", f"{ends!r} ends what was begun") if ends else (OTHER, "", "no agent of the list in its text")
    row = found[0]
    ends = _names(text, end["words"])
    if ends:
        return row["ended"], row["name"], f"the end ({ends!r}) of {row['name']}"
    return row["kind"], row["name"], f"it names {row['name']}"


def _names(text: str, words: Iterable[str]) -> str:
    """The first of the words that the text has as a whole word; empty if none."""
    return next((word for word in words if _pattern(word).search(text)), "")


@cache
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


def read_events(given: Iterable[Any], origin: datetime | None, *, dated: bool | None) -> tuple[list[ProvocationEvent], list[str]]:
    """Read ``(time, text)`` and ``(time, text, kind)``, sorted by time.

    Parameters
    ----------
    given : iterable of tuple
    origin : datetime or None
        What second 0 is.
    dated : bool or None
        Whether times must be dates (the ECGs' are) or seconds; ``None``: either, dates against `origin`.

    Returns
    -------
    events : list of ProvocationEvent
    notes : list of str
        What was put in order or left out.

    Raises
    ------
    EcgError
        If an event cannot be read, or none of them provokes.
    """
    events = [_event(each, origin, dated) for each in _as_list(given)]
    notes = [f"{each.text!r} counts as 'other': {each.why}" for each in events if each.kind == OTHER]
    ordered = sorted(events, key=lambda each: each.time_s)
    if [each.time_s for each in ordered] != [each.time_s for each in events]:
        notes.append("the events were not in the order of time; they were sorted")
    kept: list[ProvocationEvent] = []
    for each in ordered:
        if each in kept:
            notes.append(f"{each.text!r} at {each.time_s:g} s was given twice; it counts once")
        else:
            kept.append(each)
    if not any(each.kind == PROVOKING for each in kept):
        told = ", ".join(repr(each.text) for each in kept) or "none"
        raise EcgError(f"no event provokes (given: {told}); name an agent, or say it: (time, text, 'provoking')")
    first = next(each for each in kept if each.kind == PROVOKING)
    early = [each for each in kept if each.kind == RELIEVING and each.time_s < first.time_s]
    notes += [f"{each.text!r} came before any provocation: it may hide one" for each in early]
    return kept, notes


def _as_list(given: Any) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise EcgError(f"events is {given!r}; give a list such as [(60, 'ergonovine 20 ug'), (300, 'nitroglycerin')]")
    return list(given)


def _event(each: Any, origin: datetime | None, dated: bool | None) -> ProvocationEvent:
    if not isinstance(each, tuple | list) or len(each) not in (2, 3):
        raise EcgError(f"an event is {each!r}; give (time, text) or (time, text, kind)")
    time, text = each[0], each[1]
    if not isinstance(text, str) or not text.strip():
        raise EcgError(f"the text of the event at {time!r} is {text!r}; give a few words such as 'nitroglycerin'")
    at = seconds(time, origin, f"the event {text!r}", dated=dated)
    if len(each) == 3:
        if each[2] not in KINDS:
            raise EcgError(f"the kind of the event {text!r} is {each[2]!r}; give one of {', '.join(KINDS)}")
        return ProvocationEvent(at, text.strip(), each[2], "", "said by the user")
    kind, agent, why = classify(text)
    return ProvocationEvent(at, text.strip(), kind, agent, why)


def seconds(time: Any, origin: datetime | None, what: str, *, dated: bool | None) -> float:
    """A time as seconds from the origin.

    Raises
    ------
    EcgError
        If it is neither seconds nor a date, or a date where the beginning has none.
    """
    if isinstance(time, datetime):
        if dated is False or origin is None:
            raise EcgError(f"{what} has a date but the beginning has none; give seconds from the beginning")
        if (time.tzinfo is None) != (origin.tzinfo is None):
            raise EcgError(f"{what} and the beginning differ in having a time zone; give both with one or both without")
        return (time - origin).total_seconds()
    if isinstance(time, bool) or not isinstance(time, int | float | np.number):
        raise EcgError(f"the time of {what} is {time!r}; give seconds from the beginning, or a datetime")
    if dated:
        raise EcgError(f"{what} is given in seconds and the ECGs with dates; give datetimes for both")
    if not isfinite(float(time)):
        raise EcgError(f"the time of {what} is {time!r}; give a finite number of seconds")
    return float(time)


def cycles(events: Iterable[ProvocationEvent]) -> tuple[Cycle, ...]:
    """Group events: provocation, more of it, relief; what provokes after a relief begins the next cycle."""
    groups: list[tuple[list[ProvocationEvent], list[ProvocationEvent]]] = []
    for each in events:
        if each.kind == PROVOKING:
            if not groups or groups[-1][1]:
                groups.append(([], []))
            groups[-1][0].append(each)
        elif each.kind == RELIEVING and groups:
            groups[-1][1].append(each)
    starts = [provoking[0].time_s for provoking, _ in groups[1:]] + [float("inf")]
    return tuple(
        Cycle(tuple(provoking), relieving[0] if relieving else None, until)
        for (provoking, relieving), until in zip(groups, starts, strict=True)
    )
