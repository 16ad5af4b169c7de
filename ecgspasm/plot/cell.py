"""One lead of a comparison: both beats, J, the measured ST, shade and arrows where it has changed, and the small print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.ecg import MEASURED, Floats
from ecgspasm.plot import paper
from ecgspasm.plot.settings import settings
from ecgspasm.serial.comparison import MET, AlignedMedians, Comparison, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_MM = 65.0
STYLE: Mapping[str, Mapping[str, Any]] = {
    # Told apart by colour (blue against orange, safe in all colour blindness), by lightness and by width.
    # The thin dark one lies on the wide light one, so that both are seen where they are the same.
    "baseline": {"color": settings("colours")["baseline"], "linewidth": 0.7, "zorder": 3.2},
    "current": {"color": settings("colours")["current"], "linewidth": 1.6, "zorder": 3.0},
}
SHADE: Mapping[str, Any] = {"color": settings("colours")["shade"], "alpha": 0.5, "linewidth": 0.0, "zorder": 2.0}
"""What lies between both curves in ST and T; the grid is seen through it."""
EMPTY_REACH = (7.0, 4.0)
"""Space above and below the zero line of a lead that has only words."""

_ONSET_MM = 20.0  # the QRS onset lies on a heavy line of the grid
_LABEL_MM, _PRINT_MM = 1.0, 41.5
_FROM_MS, _TO_MS = -360.0, 800.0
_ARROW_MM, _ARROW_GAP_MM = 6.0, 1.3
_ST_ARROW_MS = 40.0
_DOTS_MS = {"st_j_uv": 0.0, "st_j60_uv": 60.0}


@dataclass(frozen=True)
class Arrow:
    """Where an arrow's tip is, from the QRS onset and the zero line, and whether it comes from above."""

    wave: str
    x: float
    y: float
    down: bool


@dataclass(frozen=True, eq=False)
class Cell:
    """A lead ready to be drawn; lengths in mm."""

    lead: str
    reason: str
    """Empty, or why the lead was not measured."""
    time_ms: Floats
    curves: Mapping[str, Floats]
    j_ms: float
    dots: Mapping[str, Mapping[str, float]]
    """Measured level in uV by curve and measure."""
    arrows: tuple[Arrow, ...]
    small: tuple[str, ...]
    t_end_ms: float

    @property
    def reach(self) -> tuple[float, float]:
        """Space needed above and below the zero line."""
        if self.reason:
            return EMPTY_REACH
        reaches = [paper.reach(curve) for curve in self.curves.values()]
        reaches += [(max(arrow.y + _ARROW_MM, 0.0), 0.0) for arrow in self.arrows if arrow.down]
        reaches += [(0.0, max(_ARROW_MM - arrow.y, 0.0)) for arrow in self.arrows if not arrow.down]
        return max(EMPTY_REACH[0], *(up for up, _ in reaches)), max(EMPTY_REACH[1], *(down for _, down in reaches))

    def draw(self, axes: Axes, x: float, zero: float) -> None:
        """Draw the lead with the left edge of its place at `x`."""
        if self.reason:
            say(axes, x, zero, self.lead, f"not measurable: {self.reason}")
            return
        onset = x + _ONSET_MM
        for name, curve in self.curves.items():
            paper.trace(axes, onset, zero, self.time_ms, curve, gid=f"{name}-{self.lead}", **STYLE[name])
        self._draw_marks(axes, onset, zero)
        if self.arrows:
            self._draw_shade(axes, onset, zero)
        for arrow in self.arrows:
            _draw_arrow(axes, onset, zero, arrow, f"arrow-{self.lead}-{arrow.wave}")
        weight = "bold" if self.arrows else "normal"
        paper.text(axes, x + _LABEL_MM, zero + 2.0, self.lead, fontsize=10, weight=weight)
        for line, words in enumerate(self.small):
            paper.text(axes, x + _PRINT_MM, zero + 3.2 - 2.9 * line, words, fontsize=6.5, weight=weight)

    def _draw_shade(self, axes: Axes, onset: float, zero: float) -> None:
        """From J to the end of T, between both curves."""
        one, other = self.curves.values()
        there = ~(paper.left_out(one) | paper.left_out(other))
        inside = (self.time_ms >= self.j_ms) & (self.time_ms <= self.t_end_ms) & there
        low, high = (zero + paper.y_mm(each) for each in (one, other))
        axes.fill_between(onset + paper.x_mm(self.time_ms), low, high, where=inside, gid=f"shade-{self.lead}", **SHADE)

    def _draw_marks(self, axes: Axes, onset: float, zero: float) -> None:
        j = onset + float(paper.x_mm(self.j_ms))
        levels = [zero + float(paper.y_mm(row["st_j_uv"])) for row in self.dots.values()]
        ends = [min(levels) - 3.0, max(levels) + 3.0]
        axes.plot([j, j], ends, color=paper.INK, linewidth=0.5, linestyle=(0, (1.5, 1.2)), zorder=2.5, gid=f"j-{self.lead}")
        for name, row in self.dots.items():
            at = j + np.array([float(paper.x_mm(_DOTS_MS[measure])) for measure in row])
            colour = STYLE[name]["color"]
            fill, size = ("white", 1.9) if name == "baseline" else (colour, 3.2)
            style: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": size, "markeredgewidth": 0.7}
            style["zorder"] = STYLE[name]["zorder"] + 0.3
            up = zero + paper.y_mm(list(row.values()))
            axes.plot(at, up, color=colour, markerfacecolor=fill, markeredgecolor=colour, gid=f"st-{name}-{self.lead}", **style)


def say(axes: Axes, x: float, zero: float, lead: str, words: str) -> None:
    """A lead's name and why it has no curve."""
    paper.text(axes, x + _LABEL_MM, zero + 2.0, lead, fontsize=10, color=paper.GREY)
    for line, part in enumerate(paper.wrap(words, WIDTH_MM - 14.0, 6.5, most=3)):
        paper.text(axes, x + 12.0, zero + 2.0 - 2.9 * line, part, fontsize=6.5, color=paper.GREY)


def cells(change: Comparison) -> Iterator[Cell]:
    """All leads of a comparison that has aligned beats."""
    aligned = change.aligned
    assert aligned is not None
    inside = _shown(change, aligned)
    for row, lead in enumerate(change.leads):
        curves = {"baseline": aligned.baseline_uv[row, inside], "current": aligned.current_uv[row, inside]}
        measured = change.state[row] == MEASURED
        yield Cell(
            lead=lead,
            reason="" if measured else change.state[row].removeprefix("not_measurable: "),
            time_ms=aligned.time_ms[inside],
            curves=curves,
            j_ms=aligned.j_ms,
            dots={name: {each: float(getattr(change.changes[each], name)[row]) for each in _DOTS_MS} for name in curves},
            arrows=_arrows(change, row, aligned.j_ms, aligned.time_ms[inside], curves) if measured else (),
            small=_small(change, row),
            t_end_ms=_t_end(change, aligned.j_ms),
        )


def _shown(change: Comparison, aligned: AlignedMedians) -> Any:
    """Samples to draw: one beat, without the T wave before it and the P wave after it at the faster of the two rates."""
    pair = change.measured.values()
    rr_ms = 60_000.0 / max([each.rate_bpm for each in pair if np.isfinite(each.rate_bpm)], default=60.0)
    qt_ms = max([each.qt_ms for each in pair if np.isfinite(each.qt_ms)], default=400.0)
    pr_ms = max([each.pr_ms for each in pair if np.isfinite(each.pr_ms)], default=160.0)
    first = max(_FROM_MS, min(qt_ms - rr_ms, -pr_ms - 40.0))
    last = min(_TO_MS, max(rr_ms - pr_ms - 40.0, qt_ms + 40.0, aligned.j_ms + 100.0))
    return (aligned.time_ms >= first) & (aligned.time_ms <= last)


def _small(change: Comparison, row: int) -> tuple[str, ...]:
    lines = []
    for label, measure in (("ST", "st_j_uv"), ("T", "t_uv")):
        value = float(change.changes[measure].difference[row])
        words = f"{round(value):+d} µV".replace("-", "−").replace("+0 ", "±0 ") if np.isfinite(value) else "absent"
        lines.append(f"{label} {words}")
    return tuple(lines)


def _arrows(change: Comparison, row: int, j_ms: float, time_ms: Floats, curves: Mapping[str, Floats]) -> tuple[Arrow, ...]:
    """One arrow a wave that a finding has met in this lead, from the side to which the wave has moved."""
    lead = change.leads[row]
    waves = [_wave(change, each, row) for each in change.findings if each.verdict == MET and lead in each.leads]
    found = []
    for wave in dict.fromkeys(waves):
        at = j_ms + _ST_ARROW_MS if wave == "ST" else _t_extreme(change, row, j_ms, time_ms, curves["current"])
        near = np.abs(time_ms - at) <= 30.0
        one, other = curves["baseline"][near], curves["current"][near]
        down = float(np.mean(other - one)) > 0
        edge = max(one.max(), other.max()) if down else min(one.min(), other.min())
        tip = float(paper.y_mm(edge)) + (_ARROW_GAP_MM if down else -_ARROW_GAP_MM)
        found.append(Arrow(wave, float(paper.x_mm(at)), tip, down))
    return tuple(found)


def _wave(change: Comparison, finding: Finding, row: int) -> str:
    """``T`` or ``ST``: the wave of the measure that the finding shows."""
    told = finding.values.get(change.leads[row], {}).get("change", np.nan)
    for measure, each in change.changes.items():
        if np.isfinite(told) and each.difference[row] == told:
            return "T" if measure.startswith("t_") else "ST"
    return "T" if re.search(r"\bT\b", finding.title) else "ST"


def _t_extreme(change: Comparison, row: int, j_ms: float, time_ms: Floats, current: Floats) -> float:
    """Where the current T wave goes furthest the way it has changed, in ms from the QRS onset."""
    inside = (time_ms >= j_ms + 80.0) & (time_ms <= _t_end(change, j_ms))
    if not inside.any():
        return j_ms + 200.0
    turned = current if change.changes["t_uv"].difference[row] > 0 else -current
    return float(time_ms[inside][np.argmax(turned[inside])])


def _t_end(change: Comparison, j_ms: float) -> float:
    """The later end of both T waves, in ms from the QRS onset."""
    ends = [each.qt_ms for each in change.measured.values() if np.isfinite(each.qt_ms)]
    return max(ends, default=j_ms + 350.0)


def _draw_arrow(axes: Axes, onset: float, zero: float, arrow: Arrow, name: str) -> None:
    from matplotlib.patches import FancyArrow

    length = -_ARROW_MM if arrow.down else _ARROW_MM
    x, y = onset + arrow.x, zero + arrow.y
    shape: dict[str, Any] = {"width": 0.6, "head_width": 2.2, "head_length": 2.6, "length_includes_head": True}
    axes.add_patch(FancyArrow(x, y - length, 0.0, length, **shape, facecolor=paper.INK, edgecolor="none", zorder=3.6, gid=name))
