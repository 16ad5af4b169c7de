"""On which drugs a person is at a time: runs of a drug, washout, and how a stretch of time divides between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ecgspasm.course.course import Course

State = Literal["on", "washout", "off"]


def same_drug(one: str, other: str) -> bool:
    """Whether two spellings are the same drug."""
    return one.casefold() == other.casefold()


@dataclass(frozen=True)
class Run:
    """A drug taken without a break; steps of dose that follow each other are one run."""

    drug: str
    start: float
    stop: float
    """Days; ``inf`` if it was not stopped."""
    washout_days: float
    """0 where not told."""
    washout_told: bool
    start_assumed: bool
    stop_assumed: bool

    @property
    def gone(self) -> float:
        """When the drug no longer acts."""
        return self.stop + self.washout_days

    def state(self, day: float) -> State:
        """Where a time lies; the last dose itself is still on the drug."""
        if self.start <= day <= self.stop:
            return "on"
        return "washout" if self.stop < day <= self.gone else "off"


def runs(course: Course, drug: str) -> tuple[Run, ...]:
    """All runs of a suspect drug, in time order."""
    found: list[Run] = []
    for each in course.exposures:
        if each.role != "suspect" or not same_drug(each.drug, drug) or each.start is None:
            continue
        start, stop = course.day(each.start), math.inf if each.stop is None else course.day(each.stop)
        washout_days = (each.washout_h or 0.0) / 24.0
        told = each.washout_h is not None
        begun = each.start_assumed
        if found and found[-1].stop >= start:
            begun, start = found[-1].start_assumed, found.pop().start
        found.append(Run(each.drug, start, stop, washout_days, told, begun, each.stop_assumed))
    return tuple(found)


@dataclass(frozen=True)
class ExposureState:
    """The drugs at one time."""

    state: Literal["none", "before", "on", "washout", "off"]
    """``none``: the course has no suspect drug."""
    drug: str
    days: float | None
    """Since the start (on), until the start (before) or since the last dose; ``None`` if that time is only assumed."""
    treatments: tuple[str, ...]
    words: str

    def __str__(self) -> str:
        return self.words


def exposure_at(course: Course, day: float, *, time_assumed: bool = False) -> ExposureState:
    """In which exposure a time falls."""
    treatments = tuple(_treatments(course, day))
    beside = f"; with {', '.join(treatments)}" if treatments else ""
    every = [run for drug in course.suspects for run in runs(course, drug)]
    if not every:
        return ExposureState("none", "", None, treatments, f"no suspect drug{beside}")
    for state in ("on", "washout"):
        there = [run for run in every if run.state(day) == state]
        if there:
            run = max(there, key=lambda each: each.start)
            since = day - (run.start if state == "on" else run.stop)
            unknown = time_assumed or (run.start_assumed if state == "on" else run.stop_assumed)
            names = " and ".join(dict.fromkeys(each.drug for each in there))
            words = f"on {names}, {_long(since, 'after its start', unknown=unknown)}"
            if state == "washout":
                words = f"washout of {names}, {_long(since, 'after the last dose', unknown=unknown)}"
            return ExposureState(state, names, None if unknown else since, treatments, words + beside)
    ended = [run for run in every if run.gone < day]
    if not ended:
        run = min(every, key=lambda each: each.start)
        unknown = time_assumed or run.start_assumed
        words = f"before {run.drug}, {_long(run.start - day, 'before its start', unknown=unknown)}"
        return ExposureState("before", run.drug, None if unknown else run.start - day, treatments, words + beside)
    run = max(ended, key=lambda each: each.stop)
    unknown = time_assumed or run.stop_assumed
    words = f"off {run.drug}, {_long(day - run.stop, 'after the last dose', unknown=unknown)}"
    return ExposureState("off", run.drug, None if unknown else day - run.stop, treatments, words + beside)


def _treatments(course: Course, day: float) -> Iterable[str]:
    for each in course.exposures:
        start = -math.inf if each.start is None else course.day(each.start)
        stop = math.inf if each.stop is None else course.day(each.stop)
        if each.role == "treatment" and start <= day <= stop:
            yield each.drug


def days_words(days: float) -> str:
    """A length of time in the unit that suits it.

    Examples
    --------
    >>> days_words(5.0), days_words(1.0), days_words(0.25), days_words(1 / 96)
    ('5 days', '1 day', '6 h', '15 min')
    """
    if days >= 2.0 or days == 1.0:
        return f"{days:.3g} day{'' if days == 1.0 else 's'}" if days < 100 else f"{days:.0f} days"
    hours = days * 24.0
    return f"{hours:.3g} h" if hours >= 1.0 else f"{hours * 60.0:.2g} min"


def _long(days: float, what: str, *, unknown: bool) -> str:
    return "time assumed" if unknown else f"{days_words(days)} {what}"


def divided(course: Course, drug: str, start: float, stop: float) -> tuple[dict[State, float], bool]:
    """Days of a stretch of time that lie on the drug, in its washout and off it; and whether an assumed time divides it."""
    every = runs(course, drug)
    edges = {start, stop}
    assumed = False
    for run in every:
        for edge, guess in ((run.start, run.start_assumed), (run.stop, run.stop_assumed), (run.gone, run.stop_assumed)):
            if start < edge < stop:
                edges.add(edge)
                assumed |= guess
    points = sorted(edges)
    days: dict[State, float] = {"on": 0.0, "washout": 0.0, "off": 0.0}
    for low, high in itertools.pairwise(points):
        days[state_at(every, (low + high) / 2.0)] += high - low
    return days, assumed


def state_at(every: Iterable[Run], day: float) -> State:
    """Of several runs, that which acts most."""
    states = {run.state(day) for run in every}
    return "on" if "on" in states else "washout" if "washout" in states else "off"
