"""ECG paper in true millimetres: page, grid, calibration pulse, traces and text, all placed in millimetres."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.ecg import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_S, MM_PER_MV = 25.0, 10.0
MM_PER_INCH, MM_PER_POINT = 25.4, 25.4 / 72.0
PAGE_MM = 297.0
"""Width of every page: A4 landscape."""
LEFT_MM, PAPER_MM = 11.0, 275.0
"""Left edge and width of the paper on the page: 250 mm for ten seconds, and 25 mm for calibration and label before them."""

SCREEN_DPI = 127
"""Resolution of a new figure: five pixels a millimetre."""
LARGEST_MV = 5.0
"""Larger deflections are artefacts; they are not drawn, so that one of them cannot make the page a metre high."""

# The grid is pale, so that it stays behind thin curves on a bad printer too.
FINE, HEAVY, INK, GREY = "#f7e3de", "#ebbfb5", "#1a1a1a", "#5c5c5c"
FONT = "DejaVu Sans"  # comes with matplotlib, so that texts are as wide everywhere as they were laid out here


def x_mm(time_ms: Any) -> Any:
    """Width on paper of a time in ms."""
    return np.asarray(time_ms) * (MM_PER_S / 1000.0)


def y_mm(level_uv: Any) -> Any:
    """Height on paper of a level in uV."""
    return np.asarray(level_uv) * (MM_PER_MV / 1000.0)


def ceil5(length_mm: float) -> float:
    """The next multiple of 5 mm, so that zero lines fall on heavy grid lines."""
    return float(np.ceil(round(length_mm / 5.0, 6)) * 5.0)


def page(height_mm: float, axes: Axes | None = None) -> tuple[Figure, Axes]:
    """A blank page whose axes have millimetres as data units.

    On `axes` of the caller the proportions hold, but a millimetre is as long as those axes make it.
    """
    from matplotlib.figure import Figure

    if axes is None:
        size = (PAGE_MM / MM_PER_INCH, height_mm / MM_PER_INCH)
        axes = Figure(figsize=size, dpi=SCREEN_DPI, facecolor="white").add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0.0, PAGE_MM), ylim=(0.0, height_mm), aspect="equal")
    axes.set_axis_off()
    figure = axes.figure
    while not isinstance(figure, Figure):  # axes in a subfigure
        figure = figure.figure
    return figure, axes


def grid(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    """Lines each millimetre, heavier ones each fifth; `width` and `height` are multiples of 5 mm."""
    from matplotlib.collections import LineCollection

    across, up = np.arange(round(width) + 1), np.arange(round(height) + 1)
    for heavy, colour, points in ((False, FINE, 0.45), (True, HEAVY, 0.6)):
        columns, rows = (x + across[(across % 5 == 0) == heavy], y + up[(up % 5 == 0) == heavy])
        lines = [((each, y), (each, y + height)) for each in columns] + [((x, each), (x + width, each)) for each in rows]
        name = "grid-5mm" if heavy else "grid-1mm"
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=points, zorder=0.5 + heavy / 10, gid=name), autolim=False
        )


def calibration(axes: Axes, x: float, zero: float) -> None:
    """The pulse of 1 mV and 200 ms, with 2 mm of zero line before and after it; it starts at `x` and is 9 mm wide."""
    wide, high = float(x_mm(200.0)), float(y_mm(1000.0))
    across = x + np.array([0.0, 2.0, 2.0, 2.0 + wide, 2.0 + wide, 4.0 + wide])
    up = zero + np.array([0.0, 0.0, high, high, 0.0, 0.0])
    axes.plot(across, up, color=INK, linewidth=0.7, solid_joinstyle="miter", gid="calibration", zorder=3)


def trace(axes: Axes, x: float, zero: float, time_ms: Floats, signal_uv: Floats, **style: Any) -> None:
    """A curve whose time 0 lies at `x` and whose 0 uV lies at `zero`."""
    shown = np.where(np.abs(signal_uv) <= LARGEST_MV * 1000.0, signal_uv, np.nan)
    full: dict[str, Any] = {"solid_joinstyle": "round", "zorder": 3} | style
    axes.plot(x + x_mm(time_ms), zero + y_mm(shown), **full)


def reach(signal_uv: Floats) -> tuple[float, float]:
    """How far a curve goes up and down from its zero line in mm; what `trace` leaves out does not count."""
    shown = signal_uv[np.abs(signal_uv) <= LARGEST_MV * 1000.0]
    if not shown.size:
        return 0.0, 0.0
    return max(float(y_mm(shown.max())), 0.0), max(-float(y_mm(shown.min())), 0.0)


def cut(signal_uv: Floats) -> bool:
    """Whether `trace` leaves something out."""
    return bool((np.abs(signal_uv) > LARGEST_MV * 1000.0).any())


def text(axes: Axes, x: float, y: float, words: str, **style: Any) -> None:
    """Text at a place in mm; never read as mathematics, whatever signs a file name has."""
    full: dict[str, Any] = {"fontsize": 6.5, "color": INK, "va": "baseline", "fontfamily": FONT, "zorder": 4} | style
    axes.text(x, y, plain(words), parse_math=False, usetex=False, **full)


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(FONT)).get_charmap())


def plain(words: str) -> str:
    """One line of signs that the font has; others become boxes."""
    return "".join(sign if ord(sign) in _glyphs() else "\u25a1" for sign in " ".join(words.split()))


def width_mm(words: str, fontsize: float, weight: str = "normal") -> float:
    """Width of a line of text."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=FONT, size=fontsize, weight=weight)
    return float(text_to_path.get_text_width_height_descent(plain(words), font, ismath=False)[0]) * MM_PER_POINT


def wrap(words: str, wide_mm: float, fontsize: float, *, weight: str = "normal", most: int = 5) -> list[str]:
    """Break a text into lines no wider than `wide_mm`; what does not fit into `most` lines ends in an ellipsis."""
    lines = [""]
    for word in plain(words).split():
        longer = f"{lines[-1]} {word}".strip()
        if width_mm(longer, fontsize, weight) <= wide_mm:
            lines[-1] = longer
        else:
            lines.append(word)
    lines = [line for line in lines if line]
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [shorten(line, wide_mm, fontsize, weight=weight) for line in lines]


def shorten(words: str, wide_mm: float, fontsize: float, *, weight: str = "normal") -> str:
    """Cut the end of a line that is too wide."""
    line = plain(words)
    if width_mm(line, fontsize, weight) <= wide_mm:
        return line
    line = line[: int(wide_mm / (fontsize * MM_PER_POINT * 0.2))]  # no letter is narrower on average
    while line and width_mm(line + "…", fontsize, weight) > wide_mm:
        line = line[:-1]
    return line.rstrip() + "…"
