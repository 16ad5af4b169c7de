"""A patient's course on one sheet: drugs as bars, ECGs, attacks and tests as marks, over a common time axis.

Long stretches in which nothing happens are shortened, and the axis shows where. Marks differ by shape and filling, not by colour
alone.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.course.ecgs import EcgChange, shows
from ecgspasm.course.entries import ISCHEMIC_KINDS, CourseEpisode
from ecgspasm.leads import territory
from ecgspasm.plot import paper
from ecgspasm.plot.sheet import Line, person, typeset, use, wrapped
from ecgspasm.serial.words import lead_span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ecgspasm.course.course import Course

KEY = (
    "■ changed against the baseline · □ unchanged · ◇ not decided or not read · ● baseline · ▲ ischemic episode · "
    "△ attack without an ECG · ★ test positive, ☆ not · dashed edge and *: day assumed · // time shortened"
)

# After Okabe and Ito: told apart with every kind of colour vision, and in grey.
SUSPECT, TREATMENT, OTHER, WATCHED = "#d55e00", "#0072b2", "#9a9a9a", "#56b4e9"
BAR_ALPHA = 0.45
COLOURS = {"suspect": SUSPECT, "treatment": TREATMENT, "other": OTHER}

_LEFT, _RIGHT = 46.0, 246.0
_TEXT_MM = 38.0
"""Widest label; the page keeps so much beside the axis."""
_BAR_MM, _LANE_MM, _GAP_MM, _STUB_MM = 5.0, 8.0, 3.0, 6.0
_SIZE, _LINE_MM = 6.5, 3.1
_APART_MM = 4.2
"""Marks of one lane stand so far apart, even at the same time."""
_MOST_LABELS = 14
_LONG_SHARE, _SHORT_SHARE = 0.3, 0.1
"""A gap between two events of more than this share of the whole is shortened to that share of the rest."""


@dataclass(frozen=True)
class _Mark:
    """One event of a lane."""

    day: float
    gid: str
    style: dict[str, Any]
    lines: tuple[str, ...]
    group: str
    """What it has in common with others, for a lane with too many marks to label each."""


@dataclass
class _Lane:
    """A row of marks with their labels below."""

    name: str
    marks: list[_Mark]
    x: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)
    """How far below the marks each label begins, in mm."""
    height: float = _LANE_MM
    summary: str = ""
    """Instead of labels, where there are too many."""


def course(course: Course, *, axes: Axes | None = None) -> tuple[Figure, Axes]:
    """Draw a course as a timeline.

    Parameters
    ----------
    course : Course
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure of 297 mm width (A4 landscape), as high as it needs.

    Returns
    -------
    figure, axes
        The axes' data units are millimetres. Artists carry ids such as ``exposure-0``, ``ecg-presentation``, ``episode-1``,
        ``provocation-0``, ``period-2``; numbers are places in the course.
    """
    axis = _Axis.of(course)
    lanes = [lane for lane in (_ecgs(course), _provocations(course), _attacks(course)) if lane.marks]
    for lane in lanes:
        _place(lane, axis)
    bars = list(_bars(course))
    head = list(_head(course))
    # From below: foot, key, axis, lanes, bars, head.
    bottom = 22.0
    height = bottom + sum(lane.height + _GAP_MM for lane in lanes) + _LANE_MM * len(bars) + 2.0 * _GAP_MM
    figure, axes = paper.page(float(np.ceil(height + sum(line.height_mm for line in head) + 9.0)), axes)
    y = axes.get_ylim()[1] - 5.0
    for line in head:
        y -= line.height_mm
        paper.text(axes, paper.LEFT_MM, y + line.height_mm * 0.3, line.words, fontsize=line.fontsize, weight=line.weight)
    y -= _GAP_MM
    for name, drawn in bars:
        y -= _LANE_MM
        _name(axes, y + _BAR_MM / 2.0, name)
        ends = [*(axis.at(bar.start) - 1.5 for bar in drawn[1:]), _RIGHT + _TEXT_MM]
        for bar, until in zip(drawn, ends, strict=True):
            bar.draw(axes, axis, y, until=until)
    y -= _GAP_MM
    for lane in lanes:
        y -= _GAP_MM
        _draw(axes, lane, y)
        y -= lane.height
    _ticks(axes, course, axis, 16.0, top=y + sum(lane.height + _GAP_MM for lane in lanes) + _LANE_MM * len(bars) + _GAP_MM)
    paper.text(axes, paper.LEFT_MM, 6.5, paper.shorten(KEY, paper.PAPER_MM, 6.0), fontsize=6.0)
    paper.text(axes, paper.LEFT_MM, 2.5, use(), fontsize=6.5, color=paper.GREY)
    return figure, axes


def _head(course: Course) -> Iterator[Line]:
    """Title, the verdict a drug, which ECG is the baseline, and that some are simulated."""
    who = person(course.subject)
    yield from wrapped(" · ".join(filter(None, (course.title or "Course", who))), 11.0, weight="bold", most=2)
    for drug in course.suspects:
        scale, category = course.naranjo(drug), course.who_umc(drug)
        yield from wrapped(
            f"{drug}: Naranjo {scale} · WHO-UMC {category.category} · dechallenge {course.dechallenge(drug).verdict} · "
            f"re-challenge {course.rechallenge(drug).verdict} · territory {course.concordance().verdict}",
            8.5,
            most=2,
        )
        rates = course.rates(drug)
        if rates.on.per_day is not None or rates.off.per_day is not None:
            yield from wrapped(typeset(f"Monitored attacks on {drug}: {rates.on}; off: {rates.off}"), 7.5, most=2)
    yield from wrapped(f"Baseline ECG: {course.baseline()}", 7.5, most=2)
    if any(each.simulated for each in course.ecgs):
        yield from wrapped("Simulated ECGs: they show what was put in after a description", 7.5, most=1)


@dataclass(frozen=True)
class _Axis:
    """From days to millimetres; long gaps are shortened."""

    days: tuple[float, ...]
    x: tuple[float, ...]
    breaks: tuple[float, ...]
    """Where time is shortened, in mm."""

    @classmethod
    def of(cls, course: Course) -> _Axis:
        first, last = course.span
        if last - first < 1e-9:
            first, last = first - 0.5, last + 0.5
        days = sorted({first, last, *(course.day(each) for each in course._times())})
        gaps = np.diff(days)
        long = gaps > _LONG_SHARE * (last - first)
        if long.all():
            long[:] = False
        rest = float(gaps[~long].sum())
        widths = np.where(long, np.minimum(gaps, _SHORT_SHARE * rest), gaps)
        inner = _RIGHT - _LEFT - 8.0
        x = _LEFT + 4.0 + np.concatenate([[0.0], np.cumsum(widths)]) / widths.sum() * inner
        return cls(tuple(days), tuple(x.tolist()), tuple(((x[:-1] + x[1:]) / 2.0)[long].tolist()))

    def at(self, day: float) -> float:
        """Millimetres of a day; beyond the ends the edge of the axis."""
        if day < self.days[0]:
            return _LEFT
        if day > self.days[-1]:
            return _RIGHT
        return float(np.interp(day, self.days, self.x))


@dataclass(frozen=True)
class _Bar:
    """A stretch of time on one row."""

    gid: str
    start: float
    stop: float
    colour: str
    words: str
    start_assumed: bool = False
    stop_assumed: bool = False
    unknown: bool = False
    """Whether its length is not told; it is then drawn as a stub."""

    def draw(self, axes: Axes, axis: _Axis, y: float, *, until: float) -> None:
        """The bar with its edges, an arrow where it goes on, and its words in it or behind it, as far as `until`."""
        from matplotlib.patches import Rectangle

        low, high = axis.at(self.start), axis.at(self.stop)
        high = low + _STUB_MM if self.unknown else max(high, low + 0.8)
        axes.add_patch(
            Rectangle((low, y), high - low, _BAR_MM, facecolor=self.colour, alpha=BAR_ALPHA, linewidth=0, zorder=2, gid=self.gid)
        )
        edges = ((low, self.start, self.start_assumed, "<"), (high, self.stop, self.stop_assumed, ">"))
        for x, day, assumed, arrow in edges:
            if isfinite(day):
                dashed: Any = (0, (2.0, 1.5)) if assumed else "solid"
                axes.plot([x, x], [y, y + _BAR_MM], color=self.colour, linewidth=1.6, linestyle=dashed, zorder=3)
            else:
                axes.plot([x], [y + _BAR_MM / 2.0], marker=arrow, color=self.colour, markersize=5, linestyle="none", zorder=3)
        x = high + 1.5 if self.unknown else low + 1.5
        if self.words and until - x > 6.0:
            words = paper.shorten(self.words, until - x, _SIZE)
            paper.text(axes, x, y + _BAR_MM / 2.0, words, fontsize=_SIZE, va="center")


def _bars(course: Course) -> Iterator[tuple[str, list[_Bar]]]:
    """One row a drug, suspects first, then one a way of watching."""
    order = {"suspect": 0, "treatment": 1, "other": 2}
    rows: dict[tuple[int, str], list[_Bar]] = {}
    names: dict[tuple[int, str], str] = {}
    for number, each in enumerate(course.exposures):
        start = -inf if each.start is None else course.day(each.start)
        stop = inf if each.stop is None else course.day(each.stop)
        key = (order[each.role], each.drug.casefold())
        names.setdefault(key, each.drug)
        bar = _Bar(f"exposure-{number}", start, stop, COLOURS[each.role], each.dose, each.start_assumed, each.stop_assumed)
        rows.setdefault(key, []).append(bar)
    for key in sorted(rows):
        yield names[key], rows[key]
    for how in ("monitored", "reported"):
        bars = []
        for number, period in enumerate(course.periods):
            if period.how == how:
                start = course.day(period.start)
                told = period.duration_h is not None
                stop = start + (period.duration_h or 0.0) / 24.0
                words = [*([f"{period.duration_h:g} h"] if told else ["time not told"])]
                words += [f"attacks {period.attacks}"] if period.attacks else []
                bar = _Bar(f"period-{number}", start, stop, WATCHED, ", ".join(words), period.start_assumed, not told, not told)
                bars.append(bar)
        if bars:
            yield how, bars


def _label(course: Course, entry: Any, *lines: str) -> tuple[str, ...]:
    """The lines below a mark: when, then what, each as narrow as a label may be."""
    when = course.when(entry.time) + ("*" if entry.time_assumed else "")
    first, *rest = filter(None, lines)
    parts = [f"{when}: {first}", *rest]
    return tuple(part for line in parts for part in paper.wrap(typeset(line), _TEXT_MM, _SIZE, most=2))


def _ecgs(course: Course) -> _Lane:
    return _Lane("ECG", [_ecg(course, row) for row in course.changes()])


def _ecg(course: Course, row: EcgChange) -> _Mark:
    dark = {"color": paper.INK, "markersize": 6.5}
    if row.is_baseline:
        style, words = {"marker": "o", **dark}, "baseline"
    elif row.changed is None:
        style, words = (
            {"marker": "D", "markerfacecolor": "white", **dark},
            row.reason.rpartition(": ")[2] or row.verdict.partition(":")[0],
        )
    elif row.changed and row.finding is not None:
        up = "inversion" if "inversion" in row.finding.title else ""
        words = f"new {shows(row.finding).replace('T wave', f'T {up}'.strip())} {lead_span(row.leads)} ({row.territory})"
        style = {"marker": "s", **dark}
    else:
        style, words = {"marker": "s", "markerfacecolor": "white", **dark}, "no new change"
    symptoms = ", ".join(row.ecg.symptoms or ())
    return _Mark(row.day, f"ecg-{row.ecg.name}", style, _label(course, row.ecg, row.ecg.name, words, symptoms), words)


def _provocations(course: Course) -> _Lane:
    marks = []
    for number, each in enumerate(course.provocations):
        full = each.result == "positive"
        style = {"marker": "*", "color": paper.INK, "markersize": 9.0, "markerfacecolor": paper.INK if full else "white"}
        relief = f"relieved by {each.relieved_by}" if each.relieved_by else ""
        where = f"{each.shows} {lead_span(each.leads)}".strip()
        lines = _label(course, each, f"{each.agent} {each.result}", where, relief)
        marks.append(_Mark(course.day(each.time), f"provocation-{number}", style, lines, f"{each.agent} {each.result}"))
    return _Lane("provocation", marks)


def _attacks(course: Course) -> _Lane:
    every = [*course.episodes, *(each for period in course.periods for each in period.episodes)]
    every.sort(key=lambda each: course.day(each.time))
    return _Lane("attacks", [_attack(course, number, each) for number, each in enumerate(every)])


def _attack(course: Course, number: int, each: CourseEpisode) -> _Mark:
    ischemic = each.kind in ISCHEMIC_KINDS
    full = {"markerfacecolor": paper.INK if ischemic else "white"}
    counts = ischemic or each.kind == "symptoms"
    style = {"marker": "^" if counts else "x", "color": paper.INK if counts else OTHER, "markersize": 7.0, **full}
    many = f"{'≥ ' if each.at_least else ''}{each.count} × " if each.count > 1 or each.at_least else ""
    where = f"{lead_span(each.leads)} ({territory(each.leads)})" if each.leads else ""
    first = "attack" if each.kind == "symptoms" else each.kind
    lines = _label(course, each, f"{many}{first}", f"{each.shows} {where}".strip(), ", ".join(each.symptoms or ()))
    return _Mark(course.day(each.time), f"episode-{number}", style, lines, f"{first} {where}".strip())


def _place(lane: _Lane, axis: _Axis) -> None:
    """Set marks apart, and put each label so low that neither it nor its leader touches another.

    From the right: a label reaches to the right of its mark only, so that the leader of any mark farther left passes before it.
    """
    lane.marks.sort(key=lambda mark: mark.day)
    lane.x = [axis.at(mark.day) for mark in lane.marks]
    if len(lane.marks) > _MOST_LABELS:
        lane.summary = "; ".join(
            f"{count} × {group}" for group, count in Counter(each.group for each in lane.marks).most_common()
        )
        return
    for place in range(1, len(lane.x)):
        lane.x[place] = max(lane.x[place], lane.x[place - 1] + _APART_MM)
    # Many marks at the end of the axis are set apart towards the left instead.
    for place in range(len(lane.x) - 1, -1, -1):
        limit = _RIGHT if place == len(lane.x) - 1 else lane.x[place + 1] - _APART_MM
        lane.x[place] = min(lane.x[place], limit)
    lane.top = [0.0] * len(lane.marks)
    for place in range(len(lane.marks) - 1, -1, -1):
        right = lane.x[place] + max(paper.width_mm(line, _SIZE) for line in lane.marks[place].lines) + 2.0
        below = [
            lane.top[other] + _LINE_MM * len(lane.marks[other].lines) + 1.0
            for other in range(place + 1, len(lane.marks))
            if lane.x[other] < right
        ]
        lane.top[place] = max(below, default=3.0)
    ends = [top + _LINE_MM * len(mark.lines) for top, mark in zip(lane.top, lane.marks, strict=True)]
    lane.height = max(ends) + 2.0


def _draw(axes: Axes, lane: _Lane, y: float) -> None:
    """Marks at `y`, their labels below."""
    _name(axes, y, lane.name)
    axes.plot([_LEFT, _RIGHT], [y, y], color="#d0d0d0", linewidth=0.6, zorder=1)
    for mark, x in zip(lane.marks, lane.x, strict=True):
        axes.plot([x], [y], linestyle="none", zorder=4, gid=mark.gid, **mark.style)
    if lane.summary:
        words = paper.shorten(lane.summary, _RIGHT + _TEXT_MM - _LEFT, _SIZE)
        paper.text(axes, _LEFT, y - 5.5, words, fontsize=_SIZE)
        return
    for mark, x, top in zip(lane.marks, lane.x, lane.top, strict=True):
        if top > 3.0:
            axes.plot([x, x], [y - 2.0, y - top - _LINE_MM * len(mark.lines) + 0.8], color="#b8b8b8", linewidth=0.5, zorder=1)
        for number, line in enumerate(mark.lines):
            paper.text(axes, x + (0.9 if top > 3.0 else -0.8), y - top - _LINE_MM * (number + 0.75), line, fontsize=_SIZE)


def _name(axes: Axes, y: float, words: str) -> None:
    """What a row is, at its left."""
    room = _LEFT - paper.LEFT_MM - 3.0
    paper.text(axes, paper.LEFT_MM, y, paper.shorten(words, room, 8.0, weight="bold"), fontsize=8.0, weight="bold", va="center")


def _ticks(axes: Axes, course: Course, axis: _Axis, y: float, *, top: float) -> None:
    """The time axis with a tick an event, as far as their words have room, and a sign where time is shortened."""
    edges = [_LEFT, *itertools.chain.from_iterable((x - 1.0, x + 1.0) for x in axis.breaks), _RIGHT]
    for low, high in zip(edges[::2], edges[1::2], strict=True):
        axes.plot([low, high], [y, y], color=paper.INK, linewidth=0.9, zorder=3)
    for x in axis.breaks:
        for edge in (x - 1.0, x + 1.0):
            axes.plot([edge - 0.7, edge + 0.7], [y - 1.4, y + 1.4], color=paper.INK, linewidth=0.9, zorder=3, gid="break")
    if course.date_of(0.0) is None:
        paper.text(axes, paper.LEFT_MM, y - 1.0, "day", fontsize=8.0, weight="bold")
    until = -inf
    for day, x, words in _tick_words(course, axis):
        width = paper.width_mm(words, 7.0)
        if x - width / 2.0 < until + 1.5:
            continue
        until = x + width / 2.0
        axes.plot([x, x], [y - 1.2, y], color=paper.INK, linewidth=0.9, zorder=3)
        axes.plot([x, x], [y, top], color="#ececec", linewidth=0.5, zorder=0, gid=f"day-{day:g}")
        paper.text(axes, x, y - 4.4, words, fontsize=7.0, ha="center")


def _tick_words(course: Course, axis: _Axis) -> Iterable[tuple[float, float, str]]:
    for day, x in zip(axis.days, axis.x, strict=True):
        date = course.date_of(day)
        yield day, x, typeset(f"{day:.4g}") if date is None else f"{date:%Y-%m-%d}"
