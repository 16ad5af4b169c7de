"""How well a number tells two groups apart, and whether probabilities are what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ecgspasm.benchmarks.statistics import Reliability, Roc, reliability_of, roc_of
from ecgspasm.errors import EcgError
from ecgspasm.plot import chart, paper
from ecgspasm.plot.sheet import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE_MM, _LEFT_MM, _SIDE_MM = 150.0, 26.0, 104.0
_ROOM = 0.02
"""Around the panel, so that curves along its edge are seen whole; as a share."""
_BARS = (-0.17, -0.05)
"""Where the bars of counts below a reliability curve begin, and where the largest ends."""


def roc(scores: ArrayLike | Mapping[str, ArrayLike], positive: ArrayLike, *, axes: Axes | None = None) -> tuple[Figure, Axes]:
    """Draw ROC curves, each with its area and the 95 % interval of it.

    Parameters
    ----------
    scores : array_like, shape (sample,), or mapping of str to array_like
        Larger for positives; several by their names, six at most.
    positive : array_like of bool, shape (sample,)
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure.

    Returns
    -------
    figure, axes
        Shares from 0 to 1. Curves carry ids ``roc-`` and the name.

    Raises
    ------
    EcgError
        See `roc_of`, which makes the figures and tells their source; or if there are more than six.
    """
    named: Mapping[str, ArrayLike] = scores if isinstance(scores, Mapping) else {"": scores}
    if not 1 <= len(named) <= len(chart.SERIES):
        raise EcgError(f"roc() draws 1 to {len(chart.SERIES)} curves; {len(named)} were given")
    found = {name: roc_of(each, positive) for name, each in named.items()}
    first = next(iter(found.values()))
    about = f"{first.n_positive} positive, {first.n_negative} negative"
    figure, axes = _square(axes, "Sensitivity against false positives", about, entries=len(found))
    axes.plot([0.0, 1.0], [0.0, 1.0], color=chart.FAINT, linewidth=1.0, zorder=1.0, gid="chance")
    entries: dict[str, Any] = {}
    for (name, each), (colour, line, _) in zip(found.items(), chart.SERIES, strict=False):
        style: dict[str, Any] = {"color": colour, "linestyle": line, "linewidth": 1.6, "zorder": 3.0}
        (curve,) = axes.plot(each.false_positive, each.sensitivity, gid=f"roc-{name}", **style)
        entries[paper.shorten(_area(name, each), 102.0, chart.TICK_SIZE)] = curve
    chart.label(axes, x="1 − specificity", y="sensitivity")
    chart.legend(axes, entries)
    return figure, axes


def _area(name: str, found: Roc) -> str:
    low, high = found.interval
    figures = f"AUC {found.auc:.3f} (95 % CI {low:.3f}–{high:.3f})"
    return f"{figures} · {name}" if name else figures


def reliability(probability: ArrayLike, positive: ArrayLike, *, bins: int = 10, axes: Axes | None = None) -> tuple[Figure, Axes]:
    """Draw how often what was said with some probability was true, with 95 % intervals (Wilson) and the number in each bin.

    Parameters
    ----------
    probability : array_like, shape (sample,)
    positive : array_like of bool, shape (sample,)
    bins : int
        Bins of equal width; at most 20.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure.

    Returns
    -------
    figure, axes
        Shares from 0 to 1; the bars below tell how many samples each bin has. Artists carry ids ``seen``, ``interval`` and
        ``count``.

    Raises
    ------
    EcgError
        See `reliability_of`, which makes the figures; or if there are more than 20 bins.
    """
    if bins > 20:
        raise EcgError(f"bins is {bins!r}; give at most 20, so that their numbers can be read")
    found = reliability_of(probability, positive, bins=bins)
    about = f"{found.count.sum()} samples, {bins} bins; Brier score {found.brier:.3f}"
    figure, axes = _square(axes, "What was said, and what was seen", about, entries=2, lowest=_BARS[0])
    axes.plot([0.0, 1.0], [0.0, 1.0], color=paper.GREY, linewidth=0.8, linestyle="--", zorder=1.0, gid="diagonal")
    _counts(axes, found)
    colour, _, mark = chart.SERIES[0]
    axes.vlines(found.said, found.low, found.high, colors=colour, linewidth=1.2, zorder=3.0, gid="interval")
    style: dict[str, Any] = {"color": colour, "marker": mark, "markersize": 5.0, "linewidth": 1.2, "zorder": 3.5}
    (curve,) = axes.plot(found.said, found.seen, gid="seen", **style)
    (interval,) = axes.plot([], [], color=colour, linewidth=1.2, marker="|", markersize=8.0, linestyle="none")
    chart.label(axes, x="probability said", y="share seen")
    chart.legend(axes, {"share of positives; numbers: samples in each bin": curve, "95 % interval (Wilson)": interval})
    return figure, axes


def _counts(axes: Axes, found: Reliability) -> None:
    """Bars below the panel's zero, each with its number above it."""
    middle, wide = found.edges.mean(axis=1), float(np.diff(found.edges[0])[0])
    high = (_BARS[1] - _BARS[0]) * found.count / found.count.max()
    for x, y, count in zip(middle, high, found.count, strict=True):
        style: dict[str, Any] = {"bottom": _BARS[0], "color": chart.FAINT, "edgecolor": "white", "linewidth": 0.8, "zorder": 0.8}
        axes.bar(x, y, width=wide, **style)[0].set_gid("count")
        words = f"{count}" if count < 10_000 else f"{count / 1000:.0f}k"
        place: dict[str, Any] = {"fontsize": 5.0, "fontfamily": paper.FONT, "color": paper.GREY, "ha": "center", "va": "bottom"}
        axes.text(x, _BARS[0] + y + 0.005, words, zorder=0.9, **place)


def _square(axes: Axes | None, title: str, about: str, *, entries: int, lowest: float = 0.0) -> tuple[Figure, Axes]:
    """Panel from 0 to 1 both ways, and further down as far as `lowest`."""
    if axes is None:
        room = _WIDE_MM - 2.0 * paper.LEFT_MM
        head = [
            line
            for words, size, weight in ((title, 11.0, "bold"), (about, 7.5, "normal"))
            for line in wrapped(words, size, weight=weight, most=1, wide_mm=room)
        ]
        box = chart.Box(_LEFT_MM, 4.0, _SIDE_MM, _SIDE_MM * (1.0 + 2.0 * _ROOM - lowest) / (1.0 + 2.0 * _ROOM))
        figure, (axes,) = chart.panels([box], wide_mm=_WIDE_MM, head=head, below_mm=chart.legend_mm(entries))
    else:
        figure = chart.owner(axes)
    axes.set(xlim=(-_ROOM, 1.0 + _ROOM), ylim=(lowest - _ROOM, 1.0 + _ROOM), aspect="equal")
    axes.set_yticks(np.arange(0.0, 1.01, 0.2))
    return figure, axes
