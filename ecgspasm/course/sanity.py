"""What the entries of a course must keep among each other."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import TYPE_CHECKING

from ecgspasm.course.exposure import same_drug
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    from ecgspasm.course.course import Course
    from ecgspasm.course.entries import CourseEpisode, MonitoredPeriod

_ROUNDING_DAYS = 1e-6


def check_course(course: Course) -> None:
    """Refuse entries that contradict each other; the message names them by their place in the order given."""
    _one_clock(course)
    _exposures(course)
    _periods(course)
    _answers(course)


def _one_clock(course: Course) -> None:
    kinds = {isinstance(each, datetime) for each in course._times()}
    if kinds == {True, False} and course.day0 is None:
        raise EcgError("some times are dates and some are days from day 0; add day0, the date of day 0")


def _exposures(course: Course) -> None:
    for number, each in enumerate(course.exposures):
        label = f"exposures[{number}] ({each.drug})"
        if each.start is None or each.stop is None:
            continue
        if course.day(each.stop) < course.day(each.start):
            stop, start = course.when(each.stop), course.when(each.start)
            raise EcgError(f"{label} stops {stop} before it starts {start}; mend one of the two")
    _no_overlap(course)


def _no_overlap(course: Course) -> None:
    """A suspect drug taken twice at a time would be stopped and not stopped."""
    rows = [
        (course.day(each.start), number, each)
        for number, each in enumerate(course.exposures)
        if each.role == "suspect" and each.start is not None
    ]
    rows.sort(key=lambda row: row[:2])
    for place, (_, number, first) in enumerate(rows):
        for start, other, second in rows[place + 1 :]:
            if same_drug(first.drug, second.drug) and (first.stop is None or course.day(first.stop) > start):
                until = "is not stopped" if first.stop is None else f"stops {course.when(first.stop)}"
                raise EcgError(
                    f"exposures[{other}] ({second.drug}) starts {course.when(second.start or 0.0)} while exposures[{number}] of "
                    f"the same drug {until}; stop the first before, or join the two"
                )


def _periods(course: Course) -> None:
    for number, period in enumerate(course.periods):
        for place, each in enumerate(period.episodes):
            _inside(course, period, each, f"periods[{number}].episodes[{place}]")
    known = [(course.day(each.start), each, number) for number, each in enumerate(course.periods) if each.duration_h is not None]
    for how in ("monitored", "reported"):
        rows = sorted((row for row in known if row[1].how == how), key=lambda row: (row[0], row[2]))
        for (begin, first, number), (start, _, other) in itertools.pairwise(rows):
            if begin + (first.duration_h or 0.0) / 24.0 > start + _ROUNDING_DAYS:
                raise EcgError(
                    f"periods[{other}] starts before periods[{number}], {how} too, has ended, so its time would count twice; "
                    "shorten one of them"
                )


def _inside(course: Course, period: MonitoredPeriod, each: CourseEpisode, label: str) -> None:
    day, start = course.day(each.time), course.day(period.start)
    if day < start - _ROUNDING_DAYS:
        raise EcgError(
            f"{label} at {course.when(each.time)} lies before its period, which starts {course.when(period.start)}; mend"
        )
    if period.duration_h is not None and day > start + period.duration_h / 24.0 + _ROUNDING_DAYS:
        raise EcgError(
            f"{label} at {course.when(each.time)} lies after its period of {period.duration_h:g} h; mend one of the two"
        )


def _answers(course: Course) -> None:
    seen: set[tuple[int, str]] = set()
    for number, each in enumerate(course.answers):
        label = f"answers[{number}]"
        if each.drug and not any(same_drug(each.drug, drug) for drug in course.suspects):
            raise EcgError(f"{label} is about {each.drug!r}; the suspect drugs are {', '.join(course.suspects) or 'none'}")
        key = (each.item, each.drug.casefold())
        if key in seen:
            raise EcgError(f"{label} answers item {each.item} a second time; leave one of them out")
        seen.add(key)
