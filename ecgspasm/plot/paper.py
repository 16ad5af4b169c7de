"""ECG paper in true millimetres: page, grid, calibration pulse, traces and text, all placed in millimetres."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.plot.settings import settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_INCH, MM_PER_POINT = 25.4, 25.4 / 72.0
PAGE_MM: float = settings("page")["a4_mm"][0]
"""Width of every page: A4 landscape."""
LEFT_MM, PAPER_MM, CURVE_MM = 11.0, 275.0, 250.0
"""Left edge and width of the paper on the page, and what of it is for curves: 250 mm are ten seconds at 25 mm/s; the 25 mm
before them are for calibration and label."""

SCREEN_DPI = 127
"""Resolution of a new figure: five pixels a millimetre."""
LARGEST_MV = 5.0
"""Larger deflections are artefacts; they are not drawn, so that one of them cannot make the page a metre high."""

INK, GREY = "#1a1a1a", "#5c5c5c"
FONT = "DejaVu Sans"  # comes with matplotlib, so that texts are as wide everywhere as they were laid out here


@dataclass(frozen=True)
class Scale:
    """How long a second and how high a millivolt is on paper."""

    mm_per_s: float = 25.0
    mm_per_mv: float = 10.0

    def x_mm(self, time_ms: Any) -> Any:
        """Width on paper of a time in ms."""
        return np.asarray(time_ms) * (self.mm_per_s / 1000.0)

    def y_mm(self, level_uv: Any) -> Any:
        """Height on paper of a level in uV."""
        return np.asarray(level_uv) * (self.mm_per_mv / 1000.0)

    @property
    def page_s(self) -> float:
        """How many seconds fit onto a page."""
        return CURVE_MM / self.mm_per_s

    @property
    def pulse_mm(self) -> float:
        """Width of the calibration pulse with the zero line before and after it."""
        return float(self.x_mm(_PULSE_MS)) + 2.0 * self.flank_mm

    @property
    def flank_mm(self) -> float:
        return 2.0 if self.x_mm(_PULSE_MS) <= 5.0 else 1.0  # as much as has room before the curve

    def __str__(self) -> str:
        return f"{self.mm_per_s:g} mm/s, {self.mm_per_mv:g} mm/mV"


_PULSE_MS, _PULSE_UV = 200.0, 1000.0
STANDARD = Scale()


def x_mm(time_ms: Any) -> Any:
    """Width of a time in ms at the usual 25 mm/s."""
    return STANDARD.x_mm(time_ms)


def y_mm(level_uv: Any) -> Any:
    """Height of a level in uV at the usual 10 mm/mV."""
    return STANDARD.y_mm(level_uv)


def chosen(speed_mm_s: float, gain_mm_mv: float) -> Scale:
    """The scale of a speed and a gain, if paper has them."""
    told = (("speed", speed_mm_s, "speeds_mm_s", "mm/s"), ("gain", gain_mm_mv, "gains_mm_mv", "mm/mV"))
    for name, value, allowed, unit in told:
        usual = settings("paper")[allowed]
        if value not in usual:
            raise EcgError(f"the {name} is {value!r} {unit}; give one of {', '.join(f'{each:g}' for each in usual)}")
    return Scale(float(speed_mm_s), float(gain_mm_mv))


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


def grid(axes: Axes, x: float, y: float, width: float, height: float, colour: str = "red") -> None:
    """Lines each millimetre, heavier ones each fifth; `width` and `height` are multiples of 5 mm."""
    from matplotlib.collections import LineCollection

    known = settings("grid")
    if colour not in known:
        raise EcgError(f"there is no {colour!r} grid; give one of {', '.join(known)}")
    fine, strong = known[colour]
    across, up = np.arange(round(width) + 1), np.arange(round(height) + 1)
    for heavy, shade, points in ((False, fine, 0.45), (True, strong, 0.6)):
        columns, rows = (x + across[(across % 5 == 0) == heavy], y + up[(up % 5 == 0) == heavy])
        lines = [((each, y), (each, y + height)) for each in columns] + [((x, each), (x + width, each)) for each in rows]
        name = "grid-5mm" if heavy else "grid-1mm"
        axes.add_collection(
            LineCollection(lines, colors=shade, linewidths=points, zorder=0.5 + heavy / 10, gid=name), autolim=False
        )


def calibration(axes: Axes, x: float, zero: float, scale: Scale = STANDARD) -> None:
    """The pulse of 1 mV and 200 ms, with a little zero line before and after it; it starts at `x` (see `Scale.pulse_mm`)."""
    wide, high, flank = float(scale.x_mm(_PULSE_MS)), float(scale.y_mm(_PULSE_UV)), scale.flank_mm
    across = x + np.array([0.0, flank, flank, flank + wide, flank + wide, 2.0 * flank + wide])
    up = zero + np.array([0.0, 0.0, high, high, 0.0, 0.0])
    axes.plot(across, up, color=INK, linewidth=0.7, solid_joinstyle="miter", gid="calibration", zorder=3)


def trace(
    axes: Axes,
    x: float,
    zero: float,
    time_ms: Floats,
    signal_uv: Floats,
    *,
    scale: Scale = STANDARD,
    within: tuple[float, float] | None = None,
    **style: Any,
) -> bool:
    """A curve whose time 0 lies at `x` and whose 0 uV lies at `zero`; whether something of it lay beyond the heights `within`."""
    up = zero + scale.y_mm(np.where(left_out(signal_uv), np.nan, signal_uv))
    off = np.zeros(len(up), dtype=bool) if within is None else (up < within[0]) | (up > within[1])
    full: dict[str, Any] = {"solid_joinstyle": "round", "zorder": 3} | style
    axes.plot(x + scale.x_mm(time_ms), np.where(off, np.nan, up), **full)
    return bool(off.any())


def left_out(signal_uv: Floats) -> NDArray[np.bool_]:
    """Which samples `trace` leaves out as artefacts."""
    return np.asarray(np.abs(signal_uv) > LARGEST_MV * 1000.0)


def reach(signal_uv: Floats, scale: Scale = STANDARD) -> tuple[float, float]:
    """How far a curve goes up and down from its zero line in mm; what `trace` leaves out does not count."""
    shown = signal_uv[np.isfinite(signal_uv) & ~left_out(signal_uv)]
    if not shown.size:
        return 0.0, 0.0
    return max(float(scale.y_mm(shown.max())), 0.0), max(-float(scale.y_mm(shown.min())), 0.0)


def cut(signal_uv: Floats) -> bool:
    """Whether it leaves any out."""
    return bool(left_out(signal_uv).any())


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
    left = plain(words).split()
    while left:
        longer = f"{lines[-1]} {left[0]}".strip()
        if lines[-1] and width_mm(longer, fontsize, weight) > wide_mm:
            if len(lines) == most:
                lines[-1] = " ".join([lines[-1], *left])
                break
            lines.append("")
            continue
        lines[-1] = longer
        del left[0]
    return [shorten(line, wide_mm, fontsize, weight=weight) for line in lines if line]


def shorten(words: str, wide_mm: float, fontsize: float, *, weight: str = "normal") -> str:
    """Cut the end of a line that is too wide."""
    line = plain(words)
    if width_mm(line, fontsize, weight) <= wide_mm:
        return line
    line = line[: int(wide_mm / (fontsize * MM_PER_POINT * 0.2))]  # no letter is narrower on average
    kept = bisect_right(range(1, len(line) + 1), wide_mm, key=lambda n: width_mm(line[:n] + "…", fontsize, weight))
    return line[:kept].rstrip() + "…"
