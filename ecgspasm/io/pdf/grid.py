"""The grid of the paper: how many points of the page are 1 mm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.pdf.page import Stroke, Style
from ecgspasm.io.pdf.settings import pdf_settings

POINTS_PER_MM = 72.0 / 25.4
"""Of a page that was neither shrunk nor blown up."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Points of the page in 1 mm of the ECG paper, along both axes, and how that is known."""

    x: float
    y: float
    known_by: str


@dataclass(frozen=True, slots=True)
class _Lattice:
    pitch: float
    n_lines: int


def grid_scale(strokes: Sequence[Stroke]) -> Scale | None:
    """Scale from the lines of the grid; None if the page has none that is clear.

    Fine and strong lines, where both were drawn, must be 1 to 5. Where there is one kind only, the size of the page says
    whether it is each 1 mm or each 5 mm.

    Raises
    ------
    EcgError
        If two kinds of lines contradict each other.
    """
    x, y = _along(strokes, 0), _along(strokes, 1)
    if x is None or y is None:
        return None
    if max(x, y) > 1.2 * min(x, y):
        raise EcgError(
            f"the grid has {x:.3g} points a mm along and {y:.3g} across; it is no ECG paper, or the page was stretched"
        )
    return Scale(x, y, "grid")


def _along(strokes: Sequence[Stroke], axis: int) -> float | None:
    """Points of 1 mm between the grid lines that stand across one axis."""
    numbers = pdf_settings("grid")
    lattices = [found for lines in _lines(strokes, axis).values() if (found := _lattice(lines)) is not None]
    if not lattices:
        return None
    # a pitch that only a few lines have (a frame, a table) is no grid if another one has many more
    most = max(lattice.n_lines for lattice in lattices)
    pitches = sorted(lattice.pitch for lattice in lattices if lattice.n_lines * 10 >= most)
    fine = pitches[0]
    strong = pdf_settings("paper")["strong_mm"]
    ratios = [pitch / fine for pitch in pitches]
    if any(abs(ratio - strong) <= strong * numbers["ratio_share"] for ratio in ratios):
        return fine
    if ratios[-1] > 1 + numbers["ratio_share"]:
        raise EcgError(
            f"the lines of the grid are {fine:.3g} and {pitches[-1]:.3g} points apart, which is not 1 to 5; it is no ECG paper"
        )
    for mm in (1.0, strong):
        if 1 / numbers["page_scale"] <= fine / mm / POINTS_PER_MM <= numbers["page_scale"]:
            return fine / mm
    return None


def _lines(strokes: Sequence[Stroke], axis: int) -> dict[Style, Floats]:
    """Positions of the long straight lines across `axis`, for each kind of line.

    A line may be drawn in many pieces (squares, dots and dashes); their lengths count together.
    """
    numbers = pdf_settings("grid")
    lengths: dict[Style, dict[float, float]] = {}
    for position, length, style in _straight(strokes, axis):
        of_style = lengths.setdefault(style, {})
        of_style[position] = of_style.get(position, 0.0) + length
    found = {}
    longest = max((max(of_style.values()) for of_style in lengths.values()), default=0.0)
    for style, of_style in lengths.items():
        positions = np.array(sorted(at for at, length in of_style.items() if length >= numbers["covered_share"] * longest))
        if len(positions) >= numbers["least_lines"]:
            found[style] = positions
    return found


def _straight(strokes: Sequence[Stroke], axis: int) -> Iterable[tuple[float, float, Style]]:
    """Position, length and kind of each straight piece that stands across `axis`."""
    other = 1 - axis
    for stroke in strokes:
        # a curve has many vertices; a grid is drawn as lines, or as squares
        if len(stroke.points) > 12:
            continue
        steps = np.abs(np.diff(stroke.points, axis=0))
        for at in np.flatnonzero((steps[:, axis] < 1e-3) & (steps[:, other] > 2.0)):
            yield round(float(stroke.points[at, axis]), 2), float(steps[at, other]), stroke.style


def _lattice(positions: Floats) -> _Lattice | None:
    """The pitch of which most of the positions are multiples."""
    numbers = pdf_settings("grid")
    positions = positions[np.concatenate([[True], np.diff(positions) > 0.05])]
    gaps = np.diff(positions)
    if len(positions) < numbers["least_lines"]:
        return None
    # fine lines are left out where a strong one stands, so the smallest gap that is common is the pitch
    common = np.median(gaps[gaps <= 1.3 * np.quantile(gaps, 0.2)])
    pitch = float(common)
    for _ in range(3):
        index = np.round((positions - positions[0]) / pitch)
        near = np.abs(positions - positions[0] - index * pitch) <= numbers["off_share"] * pitch * (1 + index / 50)
        if near.sum() < 3:
            return None
        slope, start = np.polyfit(index[near], positions[near], 1)
        pitch = float(slope)
    index = np.round((positions - start) / pitch)
    on = np.abs(positions - start - index * pitch) <= numbers["off_share"] * pitch
    if on.mean() < numbers["on_lattice_share"] or len(np.unique(index[on])) < 0.5 * (np.ptp(index[on]) + 1):
        return None
    return _Lattice(pitch, int(on.sum()))
