"""What tests of pictures share: artists by id, words that can be read, and colours as others see them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

MM = 25.4

VISIONS: Mapping[str, Any] = {
    # Machado GM, Oliveira MM, Fernandes LAF. IEEE Trans Vis Comput Graph 2009;15:1291-1298: complete loss of one kind of cones,
    # for linear RGB.
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def named(axes: Axes, start: str = "") -> dict[str, Any]:
    """Artists by id."""
    found = [*axes.lines, *axes.patches, *axes.collections, *axes.texts]
    return {str(each.get_gid()): each for each in found if each.get_gid() and str(each.get_gid()).startswith(start)}


def words(figure: Figure) -> str:
    """All that can be read, a line a text."""
    return "\n".join(each.get_text() for each in shown_texts(figure))


def shown_texts(figure: Figure) -> list[Text]:
    """Texts that are seen: no labels of ticks beyond the limits, nor of scales that are switched off."""
    hidden: set[Text] = set()
    for axes in figure.findobj(Axes):
        assert isinstance(axes, Axes)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not axes.axison or not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                    hidden |= {tick.label1, tick.label2}
            if not axes.axison:
                hidden |= {axis.label, axis.get_offset_text()}
    found = [each for each in figure.findobj(Text) if isinstance(each, Text) and each not in hidden]
    return [each for each in found if each.get_visible() and each.get_text().strip()]


def assert_readable(figure: Figure) -> None:
    """Drawn, no text lies on another, and none leaves the page."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [(each.get_text(), each.get_window_extent(renderer)) for each in shown_texts(figure)]
    assert not [(one, other) for (one, a), (other, b) in itertools.combinations(boxes, 2) if a.overlaps(b)]
    width, height = figure.get_size_inches() * figure.dpi
    assert not [one for one, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]


def assert_clear_of_curves(figure: Figure, axes: Axes) -> None:
    """No vertex of a line lies in a text."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [(each.get_text(), each.get_window_extent(renderer)) for each in axes.texts if each.get_text()]
    for line in axes.lines:
        points = line.get_transform().transform(line.get_xydata())
        for one, box in boxes:
            inside = (points[:, 0] > box.x0) & (points[:, 0] < box.x1) & (points[:, 1] > box.y0) & (points[:, 1] < box.y1)
            assert not inside.any(), f"{line.get_gid()} runs through {one!r}"


def assert_inside_page(axes: Axes) -> None:
    """Nothing of a line lies beyond the limits."""
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    for line in axes.lines:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        assert np.nanmin(x, initial=x0) >= x0
        assert np.nanmax(x, initial=x1) <= x1
        assert np.nanmin(y, initial=y0) >= y0
        assert np.nanmax(y, initial=y1) <= y1


def lab(colour: Any, vision: str = "usual") -> Any:
    """A colour in CIE L*a*b* (D65), as it is seen."""
    linear = np.array([each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in to_rgb(colour)])
    linear = np.clip(np.asarray(VISIONS[vision]) @ linear, 0.0, 1.0)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = np.asarray(to_xyz) @ linear / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def over_white(colour: Any, alpha: float) -> tuple[float, ...]:
    """What a thin colour looks like on paper."""
    return tuple(alpha * each + 1.0 - alpha for each in to_rgb(colour))


def least_difference(colours: Iterable[Any]) -> float:
    """The smallest CIE76 difference between any two of these, in whatever vision is worst; 2.3 can just be seen."""
    pairs = list(itertools.combinations(colours, 2))
    return min(float(np.linalg.norm(lab(a, vision) - lab(b, vision))) for vision in VISIONS for a, b in pairs)
