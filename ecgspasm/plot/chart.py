"""What figures with scales have in common: panels placed in millimetres, head and foot, and styles that need no colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecgspasm.plot import paper
from ecgspasm.plot.settings import settings
from ecgspasm.plot.sheet import EDGE_MM, Line, use

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A colour, a style of line and a marker each: told apart with every kind of colour vision, and in grey.
SERIES: tuple[tuple[str, Any, str], ...] = tuple(
    zip(settings("colours")["series"], ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))), "os^vDX", strict=True)
)
TICK_SIZE, WORD_SIZE = 7.0, 8.0
FAINT = "#d9d9d9"
_SWATCH_MM, _FOOT_SIZE, _LEGEND_LINE_MM = 12.0, 6.5, 4.2


@dataclass(frozen=True)
class Box:
    """Where a panel lies, in mm from the upper left corner of what is below the head."""

    left: float
    top: float
    width: float
    height: float


def panels(
    boxes: Sequence[Box], *, wide_mm: float, head: Sequence[Line] = (), foot: Sequence[str] = (), below_mm: float = 12.0
) -> tuple[Figure, tuple[Axes, ...]]:
    """A figure with its panels, lines of words above them, and lines of small print below.

    Parameters
    ----------
    boxes : sequence of Box
    wide_mm : float
        Width of the figure; it is as high as it needs.
    head : sequence of Line
    foot : sequence of str
        Each is broken into lines; a last one says what it is for.
    below_mm : float
        Room below the lowest panel for the words of its scale.
    """
    from matplotlib.figure import Figure

    room = wide_mm - 2.0 * paper.LEFT_MM
    small = [part for words in (*foot, use()) for part in paper.wrap(words, room, _FOOT_SIZE)]
    head_mm = EDGE_MM + sum(line.height_mm for line in head) + 3.0
    foot_mm = below_mm + 3.0 * len(small) + 2.0
    height = head_mm + max(box.top + box.height for box in boxes) + foot_mm
    size = (wide_mm / paper.MM_PER_INCH, height / paper.MM_PER_INCH)
    figure = Figure(figsize=size, dpi=paper.SCREEN_DPI, facecolor="white")
    y = height - EDGE_MM
    for line in head:
        y -= line.height_mm
        _draw_line(figure, line, y + 0.3 * line.height_mm)
    for number, words in enumerate(reversed(small)):
        text(figure, paper.LEFT_MM, 2.5 + 3.0 * number, words, fontsize=_FOOT_SIZE, color=paper.GREY)
    axes = []
    for box in boxes:
        low = height - head_mm - box.top - box.height
        made = figure.add_axes((box.left / wide_mm, low / height, box.width / wide_mm, box.height / height))
        axes.append(plainly(made))
    return figure, tuple(axes)


def owner(axes: Axes) -> Figure:
    """The figure that axes of the caller belong to."""
    from matplotlib.figure import Figure

    figure = axes.figure
    while not isinstance(figure, Figure):  # axes in a subfigure
        figure = figure.figure
    return figure


def plainly(axes: Axes) -> Axes:
    """Axes in the style of all charts."""
    axes.tick_params(labelsize=TICK_SIZE, labelfontfamily=paper.FONT, color=paper.GREY)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(paper.GREY)
    return axes


def label(axes: Axes, x: str = "", y: str = "", title: str = "") -> None:
    """Words of the scales and above the panel; never read as mathematics."""
    style: dict[str, Any] = {"fontsize": WORD_SIZE, "fontfamily": paper.FONT, "parse_math": False, "color": paper.INK}
    if x:
        axes.set_xlabel(paper.plain(x), **style)
    if y:
        axes.set_ylabel(paper.plain(y), **style)
    if title:
        axes.set_title(paper.plain(title), loc="left", **style)


def legend_mm(entries: int) -> float:
    """Room below a panel for the words of its scale, and a legend of so many lines."""
    return 14.0 + _LEGEND_LINE_MM * entries


def legend(axes: Axes, entries: Mapping[str, Any], **place: Any) -> None:
    """A legend of artists by their words below the panel, where no curve runs; names of the caller's are shown as they are."""
    # matplotlib leaves out names that begin with an underscore
    names = [f"\u2009{paper.plain(name)}" if name.startswith("_") else paper.plain(name) for name in entries]
    style: dict[str, Any] = {"frameon": False, "handlelength": 3.2, "borderaxespad": 0.0, "labelspacing": 0.6}
    style |= {"prop": {"family": paper.FONT, "size": TICK_SIZE}, "loc": "upper left"}
    height_mm = axes.get_position().height * float(owner(axes).get_size_inches()[1]) * paper.MM_PER_INCH
    style["bbox_to_anchor"] = (0.0, -12.0 / height_mm)
    made = axes.legend(list(entries.values()), names, **(style | place))
    for each in made.get_texts():
        each.set_parse_math(False)


def text(figure: Figure, x: float, y: float, words: str, **style: Any) -> None:
    """Text at a place in mm from the lower left corner; never read as mathematics."""
    wide, high = (float(each) * paper.MM_PER_INCH for each in figure.get_size_inches())
    full: dict[str, Any] = {"color": paper.INK, "va": "baseline", "fontfamily": paper.FONT} | style
    figure.text(x / wide, y / high, paper.plain(words), parse_math=False, usetex=False, **full)


def _draw_line(figure: Figure, line: Line, y: float) -> None:
    from matplotlib.lines import Line2D

    wide, high = (float(each) * paper.MM_PER_INCH for each in figure.get_size_inches())
    x = paper.LEFT_MM
    if line.sample is not None:
        ends = [x / wide, (x + _SWATCH_MM - 2.0) / wide]
        figure.add_artist(Line2D(ends, [(y + 0.9) / high] * 2, solid_capstyle="butt", **line.sample))
        x += _SWATCH_MM
    words = paper.shorten(line.words, wide - paper.LEFT_MM - x, line.fontsize, weight=line.weight)
    text(figure, x, y, words, fontsize=line.fontsize, weight=line.weight)
