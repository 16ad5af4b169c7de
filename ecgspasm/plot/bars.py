"""The change of one measure in each lead as bars, with what is known of its error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.ecg import MEASURED
from ecgspasm.errors import EcgError
from ecgspasm.leads import sort_key
from ecgspasm.plot import chart, paper
from ecgspasm.plot.layout import CABRERA_12, recorded
from ecgspasm.plot.settings import settings
from ecgspasm.plot.sheet import Line, measure_words, source_name, typeset, when, wrapped
from ecgspasm.serial.comparison import MET, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHANGED: dict[str, Any] = {"color": settings("colours")["current"], "edgecolor": paper.INK, "linewidth": 1.0}
UNCHANGED: dict[str, Any] = {"color": "#c4c4c4", "edgecolor": paper.GREY, "linewidth": 0.6}
BAND: dict[str, Any] = {"color": settings("colours")["shade"], "alpha": 0.3, "linewidth": 0.0}
"""Of the minimal detectable change."""

_BOX = chart.Box(22.0, 4.0, 264.0, 88.0)
_GROUP_GAP = 0.5
_WIDE, _BAND_WIDE = 0.56, 0.92
_REASON_SIZE, _REASON_LINE_MM = 6.5, 2.9


@dataclass(frozen=True)
class Bar:
    """One lead, at `x` on the axis; ``-aVR`` and its numbers are aVR's turned."""

    name: str
    x: float
    value: float
    low: float
    high: float
    detectable: float
    reason: str
    """Empty, or why there is no value."""
    changed: bool
    """Whether a finding on this wave is met in the lead."""


def st_bars(change: Comparison, *, measure: str = "st_j_uv", axes: Axes | None = None) -> tuple[Figure, Axes]:
    """Draw how much a measure has changed in each lead, with 95 % intervals and the minimal detectable change.

    Parameters
    ----------
    change : Comparison
    measure : str
        ``st_j_uv``, ``st_j60_uv``, ``t_uv`` or another of `Comparison.changes`.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure of 297 mm width with the verdict above them.

    Returns
    -------
    figure, axes
        Leads in the order of Cabrera (aVL I -aVR II aVF III), then V1-V6 and others; the unit of the measure upwards. A lead that
        was not measured has its reason instead of a bar. Artists carry ids such as ``bar-V2``, ``interval-V2``,
        ``detectable-V2``, ``reason-V2``.

    Raises
    ------
    EcgError
        If the measure was not compared.
    """
    if measure not in change.changes:
        raise EcgError(f"no change of {measure!r} in this comparison; give one of {', '.join(change.changes)}")
    bars = list(_bars(change, measure))
    if axes is None:
        head, foot = list(_head(change, measure)), [_key(change, bars)]
        figure, (axes,) = chart.panels([_BOX], wide_mm=paper.PAGE_MM, head=head, foot=foot, below_mm=9.0)
    else:
        figure = chart.owner(axes)
    words, unit = measure_words(measure)
    chart.label(axes, y=f"change of {words}, {unit}")
    _limits(axes, bars)
    axes.axhline(0.0, color=paper.INK, linewidth=0.8, zorder=2.5)
    room_mm = axes.get_window_extent().height / figure.dpi * paper.MM_PER_INCH
    wide_mm = axes.get_window_extent().width / figure.dpi * paper.MM_PER_INCH / float(np.ptp(axes.get_xlim()))
    for bar in bars:
        _draw(axes, bar) if not bar.reason else _say(axes, bar, room_mm, wide_mm)
    axes.set_xticks([bar.x for bar in bars], [bar.name.replace("-", "−") for bar in bars], fontfamily=paper.FONT)
    for tick, bar in zip(axes.get_xticklabels(), bars, strict=True):
        tick.set_fontweight("bold" if bar.changed else "normal")
        tick.set_fontsize(9.0)
    axes.tick_params(axis="x", length=0.0)
    return figure, axes


def _bars(change: Comparison, measure: str) -> Iterator[Bar]:
    """All leads of either ECG."""
    found = change.changes[measure]
    there = {lead for each in change.measured.values() for lead in each.leads}
    extra = sorted(there - {recorded(name) for name in CABRERA_12}, key=sort_key)
    names = [name for name in (*CABRERA_12, *extra) if recorded(name) in there]
    met = [each for each in change.findings if each.verdict == MET and _wave(each.measure) == _wave(measure)]
    x = 0.0
    for place, name in enumerate(names):
        lead = recorded(name)
        if place and lead[0] == "V" and recorded(names[place - 1])[0] != "V":
            x += _GROUP_GAP
        reason = _reason(change, measure, lead)
        numbers = (np.nan,) * 4
        if not reason:
            row = change.leads.index(lead)
            ends = [float(each[row]) for each in (found.low, found.high)]
            sign = -1.0 if name.startswith("-") else 1.0
            low, high = sorted(sign * each for each in ends)
            numbers = (sign * float(found.difference[row]), low, high, float(found.detectable[row]))
        yield Bar(name, x, *numbers, reason, any(lead in each.leads for each in met))
        x += 1.0


def _wave(measure: str) -> str:
    return measure.partition("_")[0]


def _reason(change: Comparison, measure: str, lead: str) -> str:
    """Why a lead has no change of the measure, or nothing."""
    for name, words in (("current", "only in the baseline"), ("baseline", "only in the current ECG")):
        if lead not in change.measured[name].leads:
            return words
    state = change.state[change.leads.index(lead)]
    if state != MEASURED:
        return f"not measurable: {state.removeprefix('not_measurable: ')}"
    absent = [name for name, each in change.measured.items() if not np.isfinite(each.get(measure, lead))]
    return f"{_wave(measure).upper()} absent in {' and '.join(absent)}" if absent else ""


def _limits(axes: Axes, bars: list[Bar]) -> None:
    """Room for all bars, intervals and their numbers."""
    ends = [each for bar in bars for each in (bar.value, bar.low, bar.high, bar.detectable, -bar.detectable)]
    known = [each for each in ends if np.isfinite(each)] or [-50.0, 50.0]
    low, high = min(*known, 0.0), max(*known, 0.0)
    room = 0.1 * max(high - low, 1.0)
    axes.set_ylim(low - room, high + room)
    last = bars[-1].x if bars else 0.0
    axes.set_xlim(-0.6, last + 0.6)


def _draw(axes: Axes, bar: Bar) -> None:
    """Band, bar, interval and number of a lead."""
    has_interval = bool(np.isfinite(bar.detectable))
    if has_interval:
        band = {"width": _BAND_WIDE, "bottom": -bar.detectable, "zorder": 1.0} | BAND
        axes.bar(bar.x, 2.0 * bar.detectable, **band)[0].set_gid(f"detectable-{bar.name}")
        for level in (-bar.detectable, bar.detectable):
            ends = [bar.x - _BAND_WIDE / 2.0, bar.x + _BAND_WIDE / 2.0]
            axes.plot(ends, [level] * 2, color=settings("colours")["series"][0], linewidth=0.6, linestyle="--", zorder=1.5)
    axes.bar(bar.x, bar.value, width=_WIDE, zorder=2.0, **(CHANGED if bar.changed else UNCHANGED))[0].set_gid(f"bar-{bar.name}")
    low, high = (bar.low, bar.high) if has_interval else (bar.value, bar.value)
    if has_interval:
        style: dict[str, Any] = {"color": paper.INK, "linewidth": 1.0, "marker": "_", "markersize": 7.0, "zorder": 3.0}
        axes.plot([bar.x] * 2, [low, high], gid=f"interval-{bar.name}", **style)
    up = bar.value >= 0.0
    words = "±0" if round(bar.value) == 0 else typeset(f"{bar.value:+.0f}")
    at = max(high, 0.0) if up else min(low, 0.0)
    style = {"ha": "center", "va": "bottom" if up else "top", "textcoords": "offset points", "annotation_clip": False}
    style |= {"fontsize": 7.5, "fontfamily": paper.FONT, "fontweight": "bold" if bar.changed else "normal", "parse_math": False}
    axes.annotate(words, (bar.x, at), (0.0, 2.0 if up else -2.0), color=paper.INK, zorder=4.0, **style)


def _say(axes: Axes, bar: Bar, room_mm: float, wide_mm: float) -> None:
    """The reason upwards in the place of a bar."""
    style: dict[str, Any] = {"facecolor": "#f4f4f4", "hatch": "....", "edgecolor": chart.FAINT, "linewidth": 0.0}
    axes.axvspan(bar.x - _BAND_WIDE / 2.0, bar.x + _BAND_WIDE / 2.0, zorder=0.5, **style)
    most = max(int(_BAND_WIDE * wide_mm / _REASON_LINE_MM) - 1, 1)
    lines = paper.wrap(typeset(bar.reason), room_mm - 6.0, _REASON_SIZE, most=most)
    place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "rotation": 90, "ha": "center", "va": "bottom"}
    place |= {"fontsize": _REASON_SIZE, "fontfamily": paper.FONT, "color": paper.INK, "parse_math": False}
    place["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.text(bar.x, 0.03, "\n".join(lines), gid=f"reason-{bar.name}", zorder=3.0, **place)


def _head(change: Comparison, measure: str) -> Iterator[Line]:
    words, unit = measure_words(measure)
    yield from wrapped(f"Change of {words}, current less baseline, {unit}", 11.0, weight="bold", most=1)
    yield from wrapped(typeset(change.verdict.partition("\n")[0]), 8.5, most=3)
    for name, each in (("baseline", change.baseline), ("current", change.current)):
        if each is not None:
            told = filter(None, (f"{name}: {source_name(each.ecg.source, 200.0)}", when(each.ecg)))
            yield from wrapped(" · ".join(told), 7.5, most=1)
    for words in change.confounders.values():
        if words not in change.verdict:
            yield from wrapped(typeset(f"Confounder: {words}"), 7.5, most=1)


def _key(change: Comparison, bars: list[Bar]) -> str:
    measured = [bar for bar in bars if not bar.reason]
    parts = ["orange and bold: changed by a finding"] if any(bar.changed for bar in measured) else []
    if any(np.isfinite(bar.detectable) for bar in measured):
        parts.append("whisker: 95 % interval")
        parts.append(f"blue: minimal detectable change, {change.electrodes} electrodes (95 % of unchanged pairs stay within)")
    elif measured:
        parts.append("no intervals: how much this measure differs between two ECGs of an unchanged person is not known")
    parts += ["dotted: no value, for the reason that stands there"] if len(measured) < len(bars) else []
    parts += ["−aVR: aVR turned"] if any(bar.name == "-aVR" for bar in bars) else []
    return " · ".join(parts)
