"""One lead of a trend as a row: its curve with no more points than can be seen, its limits and its gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.continuous.definitions import Definition
from ecgspasm.ecg import Floats
from ecgspasm.masks import true_spans
from ecgspasm.plot import paper
from ecgspasm.plot.sheet import typeset
from ecgspasm.plot.timeline import GUIDE, LEFT_MM, RIGHT_MM, TimeAxis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP_COLOUR = "#e4e4e4"
_LABEL_MM = 28.0
COLUMN_MM = 0.2
"""Within so much of the time axis only the least and the largest value are drawn; a line is wider."""


@dataclass(frozen=True, eq=False)
class Row:
    """One lead."""

    lead: str
    values: Floats
    """Deviation in uV, shape (row,)."""
    label: str
    gaps: tuple[tuple[float, float], ...]
    """When it was not measured, in s."""
    up: float
    down: float
    """Space above and below zero, in uV."""

    @property
    def cut(self) -> float:
        """The largest value that does not fit, or 0."""
        known = self.values[np.isfinite(self.values)]
        off = known[(known > self.up) | (known < -self.down)]
        return float(off[np.abs(off).argmax()]) if len(off) else 0.0


def envelope(x: Floats, y: Floats, column: float) -> tuple[Floats, Floats]:
    """Fewer points that draw the same line: of each column the least and the largest, and one ``nan`` if it has any.

    Parameters
    ----------
    x, y : ndarray, shape (point,)
        `x` increasing; `y` ``nan`` where the line is broken.
    column : float
        Width of a column in units of `x`.

    Returns
    -------
    x, y : ndarray
        A lone value between two gaps appears as a dash as wide as a column.
    """
    number = np.floor(x / column).astype(np.intp)
    first = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    ends = np.append(first[1:], len(x))
    width = int((ends - first).max())
    if width > 3:
        place = first[:, None] + np.arange(width)
        inside = place < ends[:, None]
        block = np.where(inside, y[np.minimum(place, len(y) - 1)], np.nan)
        known = np.isfinite(block)
        picked = [np.where(known, block, np.inf).argmin(axis=1), np.where(known, block, -np.inf).argmax(axis=1)]
        broken = inside & ~known
        picked.append(np.where(broken.any(axis=1), broken.argmax(axis=1), picked[0]))
        rows = np.unique(first[:, None] + np.stack(picked, axis=1))
        x, y = x[rows], y[rows]
    known = np.concatenate([[False], np.isfinite(y), [False]])
    lone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    x = np.insert(x, lone + 1, x[lone] + column)
    return x, np.insert(y, lone + 1, y[lone])


def draw_row(axes: Axes, axis: TimeAxis, row: Row, zero: float, scale: float, time: Floats) -> None:
    """Label, curve, what was cut off, and when there is none."""
    from matplotlib.collections import PolyCollection

    axes.plot([LEFT_MM, RIGHT_MM], [zero, zero], color=GUIDE, linewidth=0.4, zorder=1.5, gid=f"zero-{row.lead}")
    low, high = zero - row.down * scale, zero + row.up * scale
    lines = [row.label, *([typeset(f"cut off: to {row.cut:+.0f} uV")] if row.cut else [])]
    y = (low + high) / 2.0 + 0.6 + 1.2 * (len(lines) - 1)
    paper.text(axes, paper.LEFT_MM, y, row.lead, fontsize=9.0, weight="bold")
    for number, words in enumerate(lines, 1):
        paper.text(axes, paper.LEFT_MM, y - 2.7 * number, paper.shorten(words, _LABEL_MM, 6.0), fontsize=6.0, color=paper.GREY)
    edges = [axis.at(span) for span in row.gaps]
    boxes = [[(left, low), (right, low), (right, high), (left, high)] for left, right in edges]
    grey = PolyCollection(boxes, facecolor=GAP_COLOUR, linewidth=0, zorder=0.8, gid=f"gap-{row.lead}")
    axes.add_collection(grey, autolim=False)
    x, values = envelope(axis.at(time), row.values, COLUMN_MM)
    shown = zero + scale * np.clip(values, -row.down, row.up)
    axes.plot(x, shown, color=paper.INK, linewidth=0.7, solid_joinstyle="round", zorder=3, gid=f"trend-{row.lead}")
    for off, marker, edge, gid in ((values > row.up, "^", high, "above"), (values < -row.down, "v", low, "below")):
        starts, ends = true_spans(off).T
        style: dict[str, Any] = {"marker": marker, "markersize": 3.0, "linestyle": "none", "clip_on": False, "zorder": 4}
        if len(starts):
            middle = (x[starts] + x[ends - 1]) / 2.0
            axes.plot(middle, np.full(len(starts), edge), color=paper.INK, gid=f"{gid}-{row.lead}", **style)


def draw_guides(axes: Axes, lead: str, zero: float, scale: float, rules: list[Definition]) -> None:
    """The limits of an episode, each with its words."""
    levels = {sign * rule.peak_uv for rule in rules for sign in ((1, -1) if not rule.sign else (rule.sign,))}
    labelled: list[float] = []
    for level in (0.0, *sorted(levels, key=abs, reverse=True)):
        y = zero + level * scale
        if level:
            style: dict[str, Any] = {"color": GUIDE, "linewidth": 0.5, "linestyle": (0, (3.0, 2.0)), "zorder": 1.5}
            axes.plot([LEFT_MM, RIGHT_MM], [y, y], gid=f"limit-{lead}", **style)
        if all(abs(y - other) > 2.0 for other in labelled):
            labelled.append(y)
            words = typeset(f"{level:+g}" if level else "0")
            paper.text(axes, LEFT_MM - 0.8, y, words, fontsize=5.0, ha="right", va="center_baseline")
