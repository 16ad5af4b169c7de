"""How far measurements lie from the truth, and two series of measurements from each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ecgspasm.benchmarks.statistics import Agreement, Spread, agreement, pairs_of, spread_of
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.plot import chart, paper
from ecgspasm.plot.sheet import typeset, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE_MM, _PAIRS_WIDE_MM = 180.0, 150.0
_NAME_MM, _TOLD_MM = 38.0, 52.0
_ROW_MM = 10.0
_MOST_ROWS = 40
_LEAST_HEIGHT = 1e-6
_MOST_POINTS = 3000
"""Beyond it the points are drawn smaller and paler."""


def benchmark_errors(
    errors: Mapping[str, ArrayLike], *, unit: str = "ms", tolerance: Mapping[str, float] | None = None, axes: Axes | None = None
) -> tuple[Figure, Axes]:
    """Draw the errors of each wave, boundary or method as a row: mean with its 95 % interval, quartiles and the central 95 %.

    Parameters
    ----------
    errors : mapping of str to array_like, shape (error,)
        Found minus true, by name; ``nan`` is left out.
    unit : str
    tolerance : mapping of str to float, optional
        By the same names: half the width of a band within which an SD is allowed, drawn behind the row.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure, as high as the rows need.

    Returns
    -------
    figure, axes
        Errors to the right, rows 0, 1, 2 ... downwards. Artists carry ids such as ``central-P onset``, ``quartiles-P onset``,
        ``mean-P onset``.

    Raises
    ------
    EcgError
        If there are no rows or more than 40, a row is empty, or a tolerance is of no row.
    """
    if not 1 <= len(errors) <= _MOST_ROWS:
        raise EcgError(f"benchmark_errors() draws 1 to {_MOST_ROWS} rows; {len(errors)} were given")
    strange = [name for name in tolerance or {} if name not in errors]
    if strange:
        raise EcgError(f"there is a tolerance of {strange[0]!r} but no errors; the rows are {', '.join(errors)}")
    found = {name: _spread(name, each) for name, each in errors.items()}
    if axes is None:
        box = chart.Box(paper.LEFT_MM + _NAME_MM, 6.0, _WIDE_MM - 2 * paper.LEFT_MM - _NAME_MM - _TOLD_MM, _ROW_MM * len(found))
        head = wrapped(f"Errors, found less true, {unit}", 11.0, weight="bold", most=1, wide_mm=_WIDE_MM - 2 * paper.LEFT_MM)
        key = "line: central 95 % · box: quartiles and median · dot: mean, with its 95 % interval (Student)"
        key += " · band: allowed SD" if tolerance else ""
        figure, (axes,) = chart.panels([box], wide_mm=_WIDE_MM, head=head, foot=[key])
    else:
        figure = chart.owner(axes)
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.axvline(0.0, color=paper.GREY, linewidth=0.8, zorder=1.0)
    for row, (name, each) in enumerate(found.items()):
        if tolerance and name in tolerance:
            wide = float(tolerance[name])
            style: dict[str, Any] = {"color": "#e6f2fa", "linewidth": 0.0, "zorder": 0.5}
            axes.barh(row, 2.0 * wide, left=-wide, height=0.8, **style)[0].set_gid(f"tolerance-{name}")
        _row(axes, row, name, each)
    _limits(axes, list(found.values()), max((tolerance or {}).values(), default=0.0))
    names = [paper.shorten(name, _NAME_MM - 4.0, chart.WORD_SIZE) for name in found]
    axes.set_yticks(range(len(found)), names, parse_math=False, fontsize=chart.WORD_SIZE, fontfamily=paper.FONT)
    axes.tick_params(axis="y", length=0.0)
    chart.label(axes, x=f"error, {unit}")
    return figure, axes


def _limits(axes: Axes, found: list[Spread], tolerance: float) -> None:
    """From the least to the largest that is drawn, with a little room."""
    ends = [end for each in found for end in (*each.quantiles, *each.mean_interval, each.mean) if np.isfinite(end)]
    low, high = min(*ends, -tolerance, 0.0), max(*ends, tolerance, 0.0)
    room = 0.05 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)


def _spread(name: str, errors: ArrayLike) -> Spread:
    try:
        return spread_of(errors)
    except EcgError as error:
        raise EcgError(f"{name}: {error}") from error


def _row(axes: Axes, row: int, name: str, found: Spread) -> None:
    """Line, box, dot and figures of one row."""
    low, first, middle, third, high = found.quantiles
    colour = chart.SERIES[0][0]
    axes.plot([low, high], [row] * 2, color=colour, linewidth=1.0, marker="|", markersize=6.0, zorder=2.0, gid=f"central-{name}")
    style: dict[str, Any] = {"color": "#a6cbe3", "edgecolor": colour, "linewidth": 0.9, "zorder": 2.5}
    axes.barh(row, third - first, left=first, height=0.46, **style)[0].set_gid(f"quartiles-{name}")
    axes.plot([middle] * 2, [row - 0.23, row + 0.23], color=colour, linewidth=1.6, zorder=2.8, gid=f"median-{name}")
    ends = [each for each in found.mean_interval if np.isfinite(each)]
    axes.plot(ends, [row + 0.36] * len(ends), color=paper.INK, linewidth=1.4, zorder=3.0, gid=f"interval-{name}")
    dot: dict[str, Any] = {"marker": "o", "markersize": 3.2, "color": paper.INK, "linestyle": "none", "zorder": 3.2}
    axes.plot([found.mean], [row + 0.36], gid=f"mean-{name}", **dot)
    spread = f", SD {found.sd:.1f}" if np.isfinite(found.sd) else ""
    words = typeset(f"{found.mean:+.1f} ({ends[0]:+.1f} to {ends[1]:+.1f}){spread}") if ends else typeset(f"{found.mean:+.1f}")
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontfamily": paper.FONT, "parse_math": False}
    axes.text(1.03, row - 0.02, words, fontsize=6.5, va="bottom", color=paper.INK, **place)
    axes.text(1.03, row + 0.06, f"n = {found.n}", fontsize=5.5, va="top", color=paper.GREY, **place)


def bland_altman(
    first: ArrayLike,
    second: ArrayLike,
    *,
    unit: str = "µV",
    names: tuple[str, str] = ("first", "second"),
    axes: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Draw the differences of two series of measurements against their means, with bias and limits of agreement.

    Parameters
    ----------
    first, second : array_like, shape (sample,)
        The same things measured twice; pairs in which one is ``nan`` are left out.
    unit : str
    names : tuple of str
        Of the two series.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure.

    Returns
    -------
    figure, axes
        Mean of the two to the right, second less first upwards. Artists carry ids ``pairs``, ``bias``, ``lower``, ``upper``, and
        ``bias-interval`` and so on for the 95 % intervals.

    Raises
    ------
    EcgError
        See `agreement`, which makes the figures and tells their source.
    """
    one, other = pairs_of(first, second)
    found = agreement(one, other)
    lost = np.asarray(first).size - found.n
    if axes is None:
        room = _PAIRS_WIDE_MM - 2.0 * paper.LEFT_MM
        title = f"{names[1]} against {names[0]}"
        about = f"{found.n} pairs" + (f"; {lost} more lack one of the two" if lost else "")
        head = [*wrapped(title, 11.0, weight="bold", most=1, wide_mm=room), *wrapped(about, 7.5, most=1, wide_mm=room)]
        key = "limits of agreement: bias ± 1.96 SD of the differences (Bland and Altman 1986) · shaded: 95 % intervals"
        box = chart.Box(26.0, 4.0, 104.0, 80.0)
        figure, (axes,) = chart.panels([box], wide_mm=_PAIRS_WIDE_MM, head=head, foot=[key], below_mm=chart.legend_mm(3))
    else:
        figure = chart.owner(axes)
    _pairs(axes, one, other)
    _lines(axes, found, unit)
    short = [paper.shorten(name, 28.0, chart.WORD_SIZE) for name in names]
    chart.label(axes, x=f"mean of both, {unit}", y=f"{short[1]} − {short[0]}, {unit}")
    return figure, axes


def _pairs(axes: Axes, one: Floats, other: Floats) -> None:
    many = len(one) > _MOST_POINTS
    style: dict[str, Any] = {"marker": "o", "linestyle": "none", "markeredgewidth": 0.0, "color": paper.INK, "zorder": 2.0}
    style |= {"markersize": 1.6, "alpha": 0.25} if many else {"markersize": 3.0, "alpha": 0.6}
    axes.plot((one + other) / 2.0, other - one, gid="pairs", rasterized=many, **style)


def _lines(axes: Axes, found: Agreement, unit: str) -> None:
    """Bias and limits across the panel, and their figures beside it."""
    entries: dict[str, Any] = {}
    told = (
        ("upper", "upper limit", found.upper, found.upper_interval, chart.SERIES[1]),
        ("bias", "bias", found.bias, found.bias_interval, chart.SERIES[0]),
        ("lower", "lower limit", found.lower, found.lower_interval, chart.SERIES[2]),
    )
    for gid, words, level, (low, high), (colour, line, _) in told:
        axes.axhspan(low, high, color=colour, alpha=0.18, linewidth=0.0, zorder=1.0, gid=f"{gid}-interval")
        style: dict[str, Any] = {"color": colour, "linestyle": line, "linewidth": 1.4, "zorder": 3.0, "gid": gid}
        figures = typeset(f"{words} {level:+.1f} {unit} (95 % interval {low:+.1f} to {high:+.1f})")
        entries[figures] = axes.axhline(level, **style)
    axes.axhline(0.0, color=paper.GREY, linewidth=0.7, zorder=0.8)
    low, high = (min(found.lower_interval[0], 0.0), max(found.upper_interval[1], 0.0))
    now, room = axes.get_ylim(), 0.05 * (high - low)
    if high - low < _LEAST_HEIGHT:
        axes.set_ylim(low - 1.0, high + 1.0)  # all differences are nothing
    else:
        axes.set_ylim(min(now[0], low - room), max(now[1], high + room))
    chart.legend(axes, entries)
