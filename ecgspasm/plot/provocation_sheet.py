"""A provocation test on one sheet: ST and T of the leads that changed most over time, phases, onset, extremum and relief."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.plot import chart, paper
from ecgspasm.plot.sheet import typeset, use
from ecgspasm.provoking.phases import Phase
from ecgspasm.provoking.response import Response
from ecgspasm.provoking.settings import Rule, rules

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ecgspasm.provoking.result import ProvocationTest

SHADES = {"baseline": "#ffffff", "provoking": "#fadcc9", "relieving": "#bfdff2", "other": "#e2e2e2"}
MARKS = {"onset": ("v", 12.0), "extremum": ("D", 6.0), "relief": ("^", 12.0)}
"""Sign and size: an extremum is seen inside of an onset at the same time."""

FOOT = (
    "change against the baseline, median over 20 s; band: 95 % interval of the lead that changed most; "
    "relief: gone, or below half"
)

_LEFT, _RIGHT, _GAP, _PANEL, _BOTTOM = 22.0, 32.0, 6.0, 62.0, 20.0
_ROW_MM, _SIZE, _HEAD_SIZE = 3.6, 7.0, 9.0
_MOST_LEADS = 5
_WIDE_MM = 70.0
"""Widest label of a phase."""


@dataclass(frozen=True)
class _Label:
    """The name of a phase above the panels."""

    words: str
    x_mm: float
    row: int


def provocation(test: ProvocationTest) -> tuple[Figure, tuple[Axes, ...]]:
    """Draw a provocation test.

    Parameters
    ----------
    test : ProvocationTest

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : tuple of matplotlib.axes.Axes
        One a measure: ST, T, and U if it responded; time in minutes, changes in uV. Lines carry ids such as ``ST-V3``, marks
        ``ST-onset``, spans ``phase-1``.
    """
    from matplotlib.figure import Figure

    panels = [rule for rule in rules() if _drawn(test, rule)]
    wide = paper.PAGE_MM - _LEFT - _RIGHT
    first, last = _span(test)
    head = paper.wrap(typeset(test.verdict), paper.PAGE_MM - 2 * paper.LEFT_MM, _HEAD_SIZE, weight="bold", most=3)
    labels = _labels(test, first, last, wide)
    strip = _ROW_MM * (1 + max((each.row for each in labels), default=0)) + 2.0
    head_mm = 5.0 + 4.6 * len(head) + 2.0
    height = head_mm + strip + len(panels) * (_PANEL + _GAP) + _BOTTOM
    size = (paper.PAGE_MM / paper.MM_PER_INCH, height / paper.MM_PER_INCH)
    figure = Figure(figsize=size, dpi=paper.SCREEN_DPI, facecolor="white")
    for number, line in enumerate(head):
        chart.text(figure, paper.LEFT_MM, height - 6.5 - 4.6 * number, line, fontsize=_HEAD_SIZE, weight="bold")
    top = height - head_mm - strip
    axes: list[Axes] = []
    for number, rule in enumerate(panels):
        low = top - _PANEL - number * (_PANEL + _GAP)
        box = (_LEFT / paper.PAGE_MM, low / height, wide / paper.PAGE_MM, _PANEL / height)
        each = figure.add_axes(box, sharex=axes[0] if axes else None)
        _panel(each, test, rule, (first, last), is_last=number == len(panels) - 1)
        axes.append(each)
    for label in labels:
        y = top + 1.5 + _ROW_MM * label.row
        chart.text(figure, _LEFT + label.x_mm, y, label.words, fontsize=_SIZE)
    chart.text(figure, paper.LEFT_MM, 6.0, paper.shorten(typeset(f"{test.caveat}."), paper.PAPER_MM, _SIZE), fontsize=_SIZE)
    chart.text(
        figure, paper.LEFT_MM, 2.5, paper.shorten(f"{FOOT} · {use()}", paper.PAPER_MM, 6.0), fontsize=6.0, color=paper.GREY
    )
    return figure, tuple(axes)


def _drawn(test: ProvocationTest, rule: Rule) -> bool:
    if not test.series.measure(rule):
        return rule.name == "ST"
    return rule.name != "U" or any(each.name == "U" for each in test.responses)


def _span(test: ProvocationTest) -> tuple[float, float]:
    """From where to where time goes, in s, with a little room beside single ECGs."""
    first = min(test.series.start_s, test.events[0].time_s)
    last = max(test.series.end_s, test.events[-1].time_s)
    room = 0.02 * max(last - first, 30.0)
    return (first - room if test.series.comparisons else first), last + room


def _labels(test: ProvocationTest, first: float, last: float, wide_mm: float) -> list[_Label]:
    """Names of the phases from their beginning to the right, on as many rows as keep them apart.

    The later one stands lower: the line of an earlier phase then never crosses a name.
    """
    placed: list[_Label] = []
    free: list[float] = []
    for phase in reversed(test.phases):
        if phase.event is None and phase.end_s - phase.start_s <= 0.0:
            continue
        x = (max(phase.start_s, first) - first) / (last - first) * wide_mm
        words = paper.shorten(typeset(phase.name), min(_WIDE_MM, wide_mm + _RIGHT - x - 2.0), _SIZE)
        ends = x + paper.width_mm(words, _SIZE) + 2.0
        row = next((number for number, begins in enumerate(free) if ends <= begins), len(free))
        free[row:] = [x, *free[row + 1 :]]
        placed.append(_Label(words, x, row))
    return placed


def _panel(axes: Axes, test: ProvocationTest, rule: Rule, span: tuple[float, float], *, is_last: bool) -> None:
    minutes = (span[0] / 60.0, span[1] / 60.0)
    axes.set_xlim(*minutes)
    for number, phase in enumerate(test.phases):
        _shade(axes, phase, number, minutes)
    axes.axhline(0.0, color=paper.GREY, linewidth=0.6, zorder=1)
    for level in (-rule.peak_uv, rule.peak_uv):
        axes.axhline(level, color=paper.GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1, gid=f"{rule.name}-limit")
    axes.set_ylabel(f"{'ST at J+60' if rule.name == 'ST' else rule.name}, change, µV", fontsize=8, fontfamily=paper.FONT)
    axes.tick_params(labelsize=7, labelbottom=is_last)
    if is_last:
        axes.set_xlabel("time, min", fontsize=8, fontfamily=paper.FONT)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if not test.series.measure(rule):
        return
    found = [each for each in test.responses if each.name == rule.name]
    response = max(found, key=lambda each: abs(each.extremum_uv), default=None)
    _curves(axes, test, rule, _largest(test, rule, response))
    for each in found:
        _marks(axes, test, each)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -1.25 * rule.peak_uv), max(high, 1.25 * rule.peak_uv))
    if not axes.get_legend_handles_labels()[0]:
        return  # nothing was measured
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        fontsize=7,
        frameon=False,
        handlelength=3.0,
        markerscale=0.6,
        prop={"family": paper.FONT, "size": 7},
    )


def _shade(axes: Axes, phase: Phase, number: int, minutes: tuple[float, float]) -> None:
    low = minutes[0] if number == 0 else phase.start_s / 60.0
    axes.axvspan(low, min(phase.end_s / 60.0, minutes[1]), color=SHADES[phase.kind], linewidth=0, zorder=0, gid=f"phase-{number}")
    if number:
        axes.axvline(low, color=paper.GREY, linewidth=0.8, zorder=1.5)


def _largest(test: ProvocationTest, rule: Rule, response: Response | None) -> list[int]:
    """Rows of the leads to draw: the one of the response first, then those that changed most after the first event."""
    steady = test.series.steady_change(test.series.measure(rule))
    after = steady[:, ~test.series.is_baseline] if (~test.series.is_baseline).any() else steady
    size = np.nan_to_num(np.abs(after)).max(axis=1, initial=0.0)
    order = [int(row) for row in np.argsort(-size, kind="stable") if size[row] > 0 and test.leads[row] != "aVR"]
    order = order or [int(row) for row in np.argsort(-size, kind="stable") if np.isfinite(steady[row]).any()]
    if response is not None:
        main = test.leads.index(response.lead)
        order = [main, *(row for row in order if row != main)]
    return order[:_MOST_LEADS]


def _curves(axes: Axes, test: ProvocationTest, rule: Rule, leads: list[int]) -> None:
    series = test.series
    measure = series.measure(rule)
    steady, error = series.steady_change(measure), series.error(measure)
    time = series.time_s / 60.0
    single = bool(series.comparisons)
    for number, row in enumerate(leads):
        colour, line, mark = chart.SERIES[number % len(chart.SERIES)]
        if number == 0:
            low, high = steady[row] - error[row], steady[row] + error[row]
            axes.fill_between(time, low, high, color=colour, alpha=0.18, linewidth=0, zorder=2, gid=f"{rule.name}-interval")
        axes.plot(
            *_known(time, steady[row], joined=single),
            color=colour,
            linestyle=line,
            linewidth=1.3 if number == 0 else 1.0,
            marker=mark if single else None,
            markersize=4,
            zorder=3,
            label=test.leads[row],
            gid=f"{rule.name}-{test.leads[row]}",
        )


def _known(time: Floats, values: Floats, *, joined: bool) -> tuple[Floats, Floats]:
    """Of single ECGs those that were measured, so that a failed one does not cut the line; averages keep their gaps."""
    good = np.isfinite(values)
    return (time[good], values[good]) if joined else (time, values)


def _marks(axes: Axes, test: ProvocationTest, each: Response) -> None:
    """Onset, extremum and relief, on the curve of the lead that changed most."""
    series = test.series
    steady = series.steady_change(each.measure)[test.leads.index(each.lead)]
    relief = each.relief.time_s if isfinite(each.relief.time_s) else each.relief.half_s
    for name, at in (("onset", each.onset.time_s), ("extremum", each.extremum_s), ("relief", relief)):
        if isfinite(at):
            mark, size = MARKS[name]
            known = np.isfinite(steady)
            y = float(np.interp(at, series.time_s[known], steady[known]))
            said = axes.get_legend_handles_labels()[1]
            axes.plot(
                [at / 60.0],
                [y],
                marker=mark,
                markersize=size,
                markerfacecolor="white",
                markeredgecolor=paper.INK,
                markeredgewidth=1.2,
                linestyle="none",
                zorder=5,
                label=name if name not in said else "_again",
                gid=f"{each.name}-{name}",
            )
