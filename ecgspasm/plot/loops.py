"""Vectorcardiograms of both median beats in three planes, and the vectors of ST."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecgspasm.ecg import MEASURED, Floats
from ecgspasm.errors import EcgError
from ecgspasm.plot import cell, chart, paper
from ecgspasm.plot.sheet import Line, measure_words, source_name, typeset, wrapped
from ecgspasm.processing.vector import HeartVectors, Transform, angle_deg, heart_vectors, kors
from ecgspasm.serial.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure = Literal["st_j_uv", "st_j60_uv"]
X, Y, Z = range(3)


@dataclass(frozen=True)
class Plane:
    """Which axes of the body run to the right and upwards in the picture, each with its sign, and what lies where."""

    name: str
    across: tuple[int, float]
    up: tuple[int, float]
    sides: tuple[str, str, str, str]
    """What lies left, right, below and above in the picture."""

    def of(self, vectors: Floats) -> Floats:
        """Vectors of shape (3, ...) as they lie in the picture, shape (2, ...)."""
        return np.stack([sign * vectors[axis] for axis, sign in (self.across, self.up)])


# Seen from the front, from above, and from the left, the side that the committees of the American Heart Association have
# advocated against Einthoven's right.
PLANES = (
    Plane("frontal", (X, 1.0), (Y, -1.0), ("right", "left", "foot", "head")),
    Plane("transverse", (X, 1.0), (Z, 1.0), ("right", "left", "front", "back")),
    Plane("left sagittal", (Z, 1.0), (Y, -1.0), ("front", "back", "foot", "head")),
)

_SIDE_MM, _LEFT_MM, _APART_MM, _DOWN_MM = 74.0, 20.0, 18.0, 14.0
_WIDTHS = {"baseline": 1.0, "current": 1.8}
_ARROW_SIZE = {"baseline": 7.0, "current": 10.0}
_HEAD_SHARE = 0.45
"""The largest share of an arrow that is its head: a short one keeps some line."""
_LEAST_UV = 200.0
"""Width of a panel at least."""
_ROOM = 1.3
"""Width of a panel as a multiple of what lies in it."""
_USUAL_T_END_MS = 350.0
"""From J, where T was not found."""


@dataclass(frozen=True, eq=False)
class _Loop:
    """One median beat in space."""

    name: str
    vectors_uv: Floats
    """X (left), Y (foot) and Z (back) from the QRS onset to the end of T, shape (3, sample)."""
    j: int
    """Sample of J."""
    st_uv: Floats
    """The vector of ST, shape (3,)."""

    @property
    def st_t_uv(self) -> Floats:
        """The part from J on."""
        return self.vectors_uv[:, self.j :]


def vector(
    change: Comparison,
    *,
    measure: Measure = "st_j60_uv",
    transform: Transform | None = None,
    axes: Sequence[Axes] | None = None,
) -> tuple[Figure, tuple[Axes, ...]]:
    """Draw the vectorcardiograms of both median beats, and how the vector of ST has changed.

    Parameters
    ----------
    change : Comparison
    measure : {'st_j60_uv', 'st_j_uv'}
        When the vector of ST is taken.
    transform : Transform, optional
        From the leads to the heart vector; default: `kors`.
    axes : sequence of six matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure of 297 mm width.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : tuple of six matplotlib.axes.Axes
        The frontal, transverse (seen from above) and left sagittal plane: first whole loops from the QRS onset to the end of T,
        then ST and T alone, enlarged, with the vectors of ST. Both directions of a panel, and all panels of a row, have one scale
        in uV. Artists carry ids such as ``current-frontal``, ``st-t-current-frontal``, ``st-current-frontal`` (the vector) and
        ``j-current-frontal``.

    Raises
    ------
    EcgError
        If there are no waveforms, one of the eight independent leads is missing or was not measured, or not six axes were given.
    """
    if measure not in ("st_j_uv", "st_j60_uv"):
        raise EcgError(f"no vector of {measure!r}; give st_j_uv or st_j60_uv")
    transform = transform or kors()
    loops = _loops(change, measure, transform)
    if axes is None:
        boxes = [
            chart.Box(_LEFT_MM + column * (_SIDE_MM + _APART_MM), 6.0 + row * (_SIDE_MM + _DOWN_MM), _SIDE_MM, _SIDE_MM)
            for row in range(2)
            for column in range(3)
        ]
        head, foot = list(_head(change, measure, loops, transform)), [f"Transform: {transform.source}", _KEY]
        figure, drawn = chart.panels(boxes, wide_mm=paper.PAGE_MM, head=head, foot=foot, below_mm=8.0)
    else:
        drawn = tuple(axes)
        if len(drawn) != 2 * len(PLANES):
            raise EcgError(f"vector() draws on six axes, two rows of three planes; {len(drawn)} were given")
        figure = chart.owner(drawn[0])
    whole = _View.of([each.vectors_uv for each in loops])
    near = _View.of([part for each in loops for part in (each.st_t_uv, each.st_uv[:, None])])
    for plane, above, below in zip(PLANES, drawn[:3], drawn[3:], strict=True):
        _panel(above, plane, whole, f"{plane.name} plane, µV")
        _panel(below, plane, near, f"{plane.name} plane, from J to the end of T, µV")
        for loop in loops:
            _draw_whole(above, plane, loop)
            _draw_st_t(below, plane, loop)
    return figure, drawn


_KEY = (
    "Loops of the median beats from the QRS onset to the end of T, zero at the PR level · ○ ● J · arrowheads: the way that QRS "
    "runs · in the lower row arrows from zero: vector of ST · the panels of a row have one scale"
)


def _loops(change: Comparison, measure: str, transform: Transform) -> tuple[_Loop, _Loop]:
    """Both beats, or why there are none."""
    if change.baseline is None or change.current is None:
        raise EcgError("there is no waveform to draw: measurements were compared; give two Ecg to compare()")
    states = dict(zip(change.leads, change.state, strict=True))
    for lead in transform.leads:
        state = states.get(lead, MEASURED)  # of a lead that is missing the transform says so
        if state != MEASURED:
            why = state.removeprefix("not_measurable: ")
            raise EcgError(f"no heart vector: {lead} was not measured ({why}); give a recording in which it is usable")
    aligned = change.aligned
    if aligned is None:
        raise EcgError(f"no heart vector: {change.verdict}; give recordings with usable beats")
    ends = [each.qt_ms for each in change.measured.values() if np.isfinite(each.qt_ms)]
    end_ms = max(ends, default=aligned.j_ms + _USUAL_T_END_MS)
    inside = (aligned.time_ms >= 0.0) & (aligned.time_ms <= end_ms)
    j = int(np.searchsorted(aligned.time_ms[inside], aligned.j_ms))
    made = []
    for name, curves in (("baseline", aligned.baseline_uv), ("current", aligned.current_uv)):
        st = getattr(heart_vectors(change.measured[name], transform), measure)
        made.append(_Loop(name, transform(curves[:, inside], change.leads), j, st))
    return made[0], made[1]


@dataclass(frozen=True, eq=False)
class _View:
    """What the panels of a row show: zero and all that lies in them, at one scale."""

    middle_uv: Floats
    """Of X, Y and Z, shape (3,)."""
    span_uv: float

    @classmethod
    def of(cls, vectors: Sequence[Floats]) -> _View:
        every = np.concatenate([np.zeros((3, 1)), *vectors], axis=1)
        low, high = np.nanmin(every, axis=1), np.nanmax(every, axis=1)
        return cls((low + high) / 2.0, max(_ROOM * float((high - low).max()), _LEAST_UV))


def _panel(axes: Axes, plane: Plane, view: _View, title: str) -> None:
    """Scales, cross and the sides of the body."""
    from matplotlib.ticker import MaxNLocator

    x, y = plane.of(view.middle_uv)
    half = view.span_uv / 2.0
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    for line in (axes.axhline, axes.axvline):
        line(0.0, color=chart.FAINT, linewidth=0.8, zorder=0.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    chart.label(axes, title=title)
    style: dict[str, Any] = {"transform": axes.transAxes, "fontsize": 6.5, "fontfamily": paper.FONT, "color": paper.GREY}
    style["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8}
    places = ((0.02, 0.5, "left", "center"), (0.98, 0.5, "right", "center"), (0.5, 0.02, "center", "bottom"))
    for words, (at, up, ha, va) in zip(plane.sides, (*places, (0.5, 0.98, "center", "top")), strict=True):
        axes.text(at, up, words, ha=ha, va=va, **style)


def _style(name: str) -> dict[str, Any]:
    return dict(cell.STYLE[name]) | {"linewidth": _WIDTHS[name]}


def _draw_whole(axes: Axes, plane: Plane, loop: _Loop) -> None:
    """The loop from QRS onset to the end of T, J, and which way QRS runs."""
    x, y = plane.of(loop.vectors_uv)
    style = _style(loop.name)
    axes.plot(x, y, solid_joinstyle="round", gid=f"{loop.name}-{plane.name}", **style)
    _draw_j(axes, plane, loop)
    # in the middle of the fastest stretch: there the arrowhead lies along the loop
    speed = np.hypot(np.diff(x[: loop.j + 1]), np.diff(y[: loop.j + 1]))
    if len(speed) > 4 and speed.max() > 0.0:
        at = int(np.argmax(np.convolve(speed, np.ones(5), mode="same"))) + 1
        before, after = max(at - 3, 0), min(at + 3, loop.j)
        _arrow(axes, (x[before], y[before]), (x[after], y[after]), loop.name, line=False)


def _draw_st_t(axes: Axes, plane: Plane, loop: _Loop) -> None:
    """The loop from J on, and the vector of ST."""
    x, y = plane.of(loop.st_t_uv)
    axes.plot(x, y, solid_joinstyle="round", gid=f"st-t-{loop.name}-{plane.name}", **(_style(loop.name) | {"linewidth": 0.8}))
    _draw_j(axes, plane, loop)
    tip = plane.of(loop.st_uv)
    _arrow(axes, (0.0, 0.0), (float(tip[0]), float(tip[1])), loop.name, gid=f"st-{loop.name}-{plane.name}")


def _draw_j(axes: Axes, plane: Plane, loop: _Loop) -> None:
    colour = cell.STYLE[loop.name]["color"]
    x, y = plane.of(loop.vectors_uv[:, loop.j])
    fill, size = ("white", 3.0) if loop.name == "baseline" else (colour, 4.0)
    style: dict[str, Any] = {"marker": "o", "markersize": size, "markerfacecolor": fill, "markeredgewidth": 0.9}
    axes.plot([x], [y], color=colour, linestyle="none", zorder=4.0, gid=f"j-{loop.name}-{plane.name}", **style)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], name: str, *, line: bool = True, gid: str = ""
) -> None:
    """An arrow, or with no line its head alone."""
    from matplotlib.patches import FancyArrowPatch

    style, size = _style(name), _ARROW_SIZE[name]
    if line:
        ends = axes.transData.transform([start, end])
        length = float(np.hypot(*(ends[1] - ends[0]))) * 72.0 / chart.owner(axes).dpi
        size = min(size, _HEAD_SHARE * length / 0.4)  # a head is 0.4 of this size long
    shape: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": size, "shrinkA": 0.0, "shrinkB": 0.0}
    width = 1.3 * style["linewidth"] if line else 0.0
    patch = FancyArrowPatch(start, end, color=style["color"], linewidth=width, joinstyle="miter", capstyle="butt", **shape)
    patch.set(zorder=style["zorder"] + 0.5, gid=gid or None)
    axes.add_patch(patch)


def _head(change: Comparison, measure: str, loops: Sequence[_Loop], transform: Transform) -> Iterator[Line]:
    """Verdict, what the two loops are with size and direction of their vectors, and how these have changed."""
    at = measure_words(measure)[0].removeprefix("ST at ")
    yield from wrapped(typeset(change.verdict.partition("\n")[0]), 10.0, weight="bold", most=2)
    vectors = {each.name: heart_vectors(change.measured[each.name], transform) for each in loops}
    for name, ecg in (("baseline", change.baseline), ("current", change.current)):
        assert ecg is not None
        told = _told(vectors[name], measure, at)
        yield Line(f"{name}: {source_name(ecg.ecg.source, 90.0)} · {told}", sample=_style(name))
    yield from wrapped(typeset(_changed(vectors, measure, at)), 8.5, weight="bold", most=1)


def _told(found: HeartVectors, measure: str, at: str) -> str:
    st = getattr(found, measure)
    parts = typeset(f"left {st[X]:+.0f}, foot {st[Y]:+.0f}, back {st[Z]:+.0f}")
    angle = found.qrs_t_angle_deg
    return f"ST vector at {at} {np.linalg.norm(st):.0f} µV ({parts}) · QRS-T angle {_degrees(angle)}"


def _changed(vectors: Mapping[str, HeartVectors], measure: str, at: str) -> str:
    one, other = (getattr(each, measure) for each in vectors.values())
    size = float(np.linalg.norm(other - one))
    return f"Change of the ST vector at {at}: {size:.0f} uV; angle between the two {_degrees(angle_deg(one, other))}"


def _degrees(angle: float) -> str:
    return f"{angle:.0f}°" if np.isfinite(angle) else "unknown"
