"""The timeline of a course as inline SVG: drugs and how long was watched as bars, ECGs, tests and attacks as numbered marks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from ecgspasm.course import Course
from ecgspasm.course.ecgs import EcgChange
from ecgspasm.course.entries import ISCHEMIC_KINDS
from ecgspasm.markup import Html, tag, typeset

WIDTH, GUTTER, RIGHT = 1000.0, 130.0, 16.0
_ROW, _BAR = 26.0, 13.0
_LONG_SHARE, _SHORT_SHARE = 0.12, 0.10
_APART = 19.0
_SIGN = 6.4


@dataclass(frozen=True)
class Event:
    """Something at a time: one numbered mark."""

    day: float
    when: str
    row: str
    """``ECG``, ``test`` or ``attack``."""
    shape: str
    what: str
    number: int = 0


@dataclass(frozen=True)
class Axis:
    """From days to pixels; long gaps in which nothing is told are shortened."""

    days: tuple[float, ...]
    x: tuple[float, ...]
    breaks: tuple[float, ...]

    @classmethod
    def of(cls, course: Course, days: list[float]) -> Axis:
        """The axis that holds all days."""
        first, last = course.span
        if last - first < 1e-9:
            first, last = first - 0.5, last + 0.5
        every = sorted({first, last, *days})
        gaps = np.diff(every)
        long = gaps > _LONG_SHARE * (last - first)
        if long.all():
            long[:] = False
        widths = np.where(long, np.minimum(gaps, _SHORT_SHARE * float(gaps[~long].sum())), gaps)
        left, right = GUTTER + 22.0, WIDTH - RIGHT - 22.0
        x = left + np.concatenate([[0.0], np.cumsum(widths)]) / widths.sum() * (right - left)
        return cls(tuple(every), tuple(x.tolist()), tuple(((x[:-1] + x[1:]) / 2.0)[long].tolist()))

    def at(self, day: float) -> float:
        """Where a day lies; beyond the ends the edge."""
        if day < self.days[0]:
            return GUTTER
        return WIDTH - RIGHT if day > self.days[-1] else float(np.interp(day, self.days, self.x))


def events(course: Course) -> list[Event]:
    """All marks in time order, numbered."""
    found = [_ecg(course, row) for row in course.changes()]
    for test in course.provocations:
        when = course.when(test.time, assumed=test.time_assumed)
        full = "full" if test.result == "positive" else "open"
        found.append(Event(course.day(test.time), when, "test", f"star {full}", f"{test.agent}: {test.result}"))
    told = [*course.episodes, *(each for period in course.periods for each in period.episodes)]
    for each in told:
        ischemic = each.kind in ISCHEMIC_KINDS
        many = f"{'at least ' if each.at_least else ''}{each.count} × " if each.count > 1 or each.at_least else ""
        parts = [f"{many}{'attack' if each.kind == 'symptoms' else each.kind}", each.shows, ", ".join(each.leads)]
        parts.append(", ".join(each.symptoms or ()))
        shape = f"triangle {'full' if ischemic else 'open'}" if ischemic or each.kind == "symptoms" else "cross"
        when = course.when(each.time, assumed=each.time_assumed)
        found.append(Event(course.day(each.time), when, "attack", shape, "; ".join(filter(None, parts))))
    found.sort(key=lambda each: each.day)
    return [Event(e.day, e.when, e.row, e.shape, typeset(e.what), number) for number, e in enumerate(found, 1)]


def _ecg(course: Course, row: EcgChange) -> Event:
    shape = (
        "circle full"
        if row.is_baseline
        else "diamond open"
        if row.changed is None
        else f"square {'full' if row.changed else 'open'}"
    )
    simulated = " (simulated)" if row.ecg.simulated else ""
    when = course.when(row.ecg.time, assumed=row.ecg.time_assumed)
    return Event(row.day, when, "ECG", shape, f"{row.ecg.name}{simulated}: {row.verdict.partition(': ')[0]}")


def drawn(course: Course, marks: list[Event]) -> Html:
    """The whole drawing."""
    axis = Axis.of(course, [course.day(each) for each in course._times()])
    parts: list[Html] = []
    y = 6.0
    for name, bars in _rows(course):
        parts.append(tag("text", _short(name), class_="name", x=4, y=f"{y + 11:.1f}"))
        parts += [_bar(axis, bar, y) for bar in bars]
        y += _ROW
    y += 8.0
    for row in ("ECG", "test", "attack"):
        own = [each for each in marks if each.row == row]
        if own:
            parts.append(
                tag("text", {"ECG": "ECGs", "test": "tests", "attack": "attacks"}[row], class_="name", x=4, y=f"{y + 20:.1f}")
            )
            parts.append(tag("path", class_="zero", d=f"M{GUTTER} {y + 16:.1f}H{WIDTH - RIGHT}"))
            parts += _marks(axis, own, y + 16.0)
            y += 38.0
    parts += _scale(course, axis, y + 4.0)
    return tag(
        "svg", *parts, class_="timeline", viewBox=f"0 0 {WIDTH:g} {y + 30:g}", role="img", aria_label="timeline of the course"
    )


@dataclass(frozen=True)
class _Bar:
    start: float
    stop: float
    role: str
    words: str
    start_assumed: bool = False
    stop_assumed: bool = False
    unknown: bool = False


def _rows(course: Course) -> list[tuple[str, list[_Bar]]]:
    """One row a drug, suspects first, then one a way of watching."""
    order = {"suspect": 0, "treatment": 1, "other": 2}
    drugs: dict[tuple[int, str], list[_Bar]] = {}
    names: dict[tuple[int, str], str] = {}
    for each in course.exposures:
        key = (order[each.role], each.drug.casefold())
        names.setdefault(key, each.drug)
        start = -inf if each.start is None else course.day(each.start)
        stop = inf if each.stop is None else course.day(each.stop)
        drugs.setdefault(key, []).append(_Bar(start, stop, each.role, each.dose, each.start_assumed, each.stop_assumed))
    rows = [(names[key], drugs[key]) for key in sorted(drugs)]
    for how in ("monitored", "reported"):
        bars = []
        for period in (each for each in course.periods if each.how == how):
            start = course.day(period.start)
            told = period.duration_h is not None
            words = [
                f"{period.duration_h:g} h" if told else "time not told",
                *([f"attacks {period.attacks}"] if period.attacks else []),
            ]
            stop = start + (period.duration_h or 0.0) / 24.0
            bars.append(_Bar(start, stop, "watched", ", ".join(words), period.start_assumed, not told, not told))
        rows += [(how, bars)] if bars else []
    return rows


def _bar(axis: Axis, bar: _Bar, y: float) -> Html:
    """A bar; an edge that is only assumed is dashed, one beyond the axis an arrow."""
    low, high = axis.at(bar.start), axis.at(bar.stop)
    high = low + 7.0 if bar.unknown else max(high, low + 3.0)
    parts = [tag("rect", class_=f"bar {bar.role}", x=f"{low:.1f}", y=f"{y:.1f}", width=f"{high - low:.1f}", height=_BAR)]
    for x, day, assumed, sign in ((low, bar.start, bar.start_assumed, -1), (high, bar.stop, bar.stop_assumed, 1)):
        if isfinite(day):
            parts.append(tag("path", class_="edge assumed" if assumed else "edge", d=f"M{x:.1f} {y:.1f}v{_BAR}"))
        else:
            parts.append(
                tag(
                    "path",
                    class_="edge",
                    d=f"M{x - 4 * sign:.1f} {y + 1:.1f}l{5 * sign} {_BAR / 2 - 1} l{-5 * sign} {_BAR / 2 - 1}",
                )
            )
    wide = _SIGN * len(bar.words)
    if bar.words and (high - low > wide + 8.0 or bar.unknown):
        x = high + 4.0 if bar.unknown else low + 5.0
        anchor = None
        if x + wide > WIDTH:
            x, anchor = low - 4.0, "end"
        parts.append(tag("text", typeset(bar.words), class_="scale", x=f"{x:.1f}", y=f"{y + 10.5:.1f}", text_anchor=anchor))
    return tag("g", *parts)


def _marks(axis: Axis, own: list[Event], y: float) -> list[Html]:
    """Marks set apart so that their numbers do not touch."""
    x = [axis.at(each.day) for each in own]
    for place in range(1, len(x)):
        x[place] = max(x[place], x[place - 1] + _APART)
    for place in range(len(x) - 1, -1, -1):
        x[place] = min(x[place], WIDTH - RIGHT if place == len(x) - 1 else x[place + 1] - _APART)
    parts = []
    for each, at in zip(own, x, strict=True):
        parts.append(
            tag("path", class_=f"event {each.shape}", d=_SHAPES[each.shape.split()[0]], transform=f"translate({at:.1f} {y:.1f})")
        )
        parts.append(tag("text", each.number, class_="number", x=f"{at:.1f}", y=f"{y + 18:.1f}", text_anchor="middle"))
    return parts


_SHAPES = {
    "circle": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "square": "M-4.5-4.5h9v9h-9z",
    "diamond": "M0-6L6 0L0 6L-6 0z",
    "triangle": "M0-6L5.5 4.5H-5.5z",
    "star": "M0-7L1.9-2.2L7-2.2L2.9 1L4.4 6L0 3L-4.4 6L-2.9 1L-7-2.2L-1.9-2.2z",
    "cross": "M-4-4L4 4M4-4L-4 4",
}


def _short(name: str) -> str:
    return name if len(name) <= 17 else f"{name[:16]}…"


def _scale(course: Course, axis: Axis, y: float) -> list[Html]:
    """The axis with a tick an event as far as their words have room, and a sign where time is shortened."""
    edges = [GUTTER, *itertools.chain.from_iterable((x - 4.0, x + 4.0) for x in axis.breaks), WIDTH - RIGHT]
    parts = [
        tag("path", class_="axis", d=f"M{low:.1f} {y:.1f}H{high:.1f}") for low, high in zip(edges[::2], edges[1::2], strict=True)
    ]
    parts += [tag("path", class_="axis", d=f"M{x + side - 2:.1f} {y + 5:.1f}l4-10") for x in axis.breaks for side in (-4.0, 4.0)]
    dated = course.date_of(0.0) is not None
    parts.append(tag("text", "" if dated else "day", class_="name", x=4, y=f"{y + 16:.1f}"))
    until = -inf
    for day, x in zip(axis.days, axis.x, strict=True):
        date = course.date_of(day)
        words = typeset(f"{day:.4g}" if date is None else f"{date:%Y-%m-%d}")
        half = _SIGN * len(words) / 2.0
        if x - half > until + 6.0:
            until = x + half
            parts.append(tag("path", class_="axis", d=f"M{x:.1f} {y:.1f}v4"))
            parts.append(tag("text", words, class_="scale", x=f"{x:.1f}", y=f"{y + 16:.1f}", text_anchor="middle"))
    return parts
