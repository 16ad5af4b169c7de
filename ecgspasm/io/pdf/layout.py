"""Which lead each curve is, and of which time: rows, columns, names and rhythm strips. All lengths are in mm."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.pdf.curves import Curve, Pulse
from ecgspasm.io.pdf.settings import pdf_settings
from ecgspasm.io.pdf.text import Label

_BORDER_S = 0.02
"""Missing on either side of a border between two leads that was drawn in one line: nobody knows the very sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Curves that follow one another on one height."""

    curves: tuple[Curve, ...]

    @property
    def start(self) -> float:
        """Left end."""
        return self.curves[0].start

    @property
    def end(self) -> float:
        """Right end."""
        return self.curves[-1].end

    @property
    def middle(self) -> float:
        """Median height on the page."""
        return float(np.median([curve.middle for curve in self.curves]))

    @property
    def pulse(self) -> Pulse | None:
        """The pulse that was drawn in one line with the row."""
        return next((curve.pulse for curve in self.curves if curve.pulse is not None), None)


@dataclass(frozen=True, slots=True)
class Part:
    """One lead over the time for which it was printed."""

    lead: str
    sign: float
    times_s: Floats
    heights: Floats
    zero: float | None
    strip: bool


def rows_of(curves: Sequence[Curve]) -> list[Row]:
    """Rows from top to bottom."""
    rows: list[list[Curve]] = []
    for curve in sorted(curves, key=lambda each: (each.start, -each.middle)):
        free = [row for row in rows if row[-1].end <= curve.start + 0.3]
        nearest = min(free, key=lambda row: abs(row[-1].middle - curve.middle), default=None)
        if nearest is not None and abs(nearest[-1].middle - curve.middle) <= _half_a_row(curves):
            nearest.append(curve)
        else:
            rows.append([curve])
    return sorted((Row(tuple(row)) for row in rows), key=lambda row: -row.middle)


def _half_a_row(curves: Sequence[Curve]) -> float:
    """Half the distance of two rows, from the curves that begin at the left."""
    left = min(curve.start for curve in curves)
    heights = sorted(curve.middle for curve in curves if curve.start - left <= 5.0)
    gaps = np.diff(heights)
    return float(np.median(gaps)) / 2 if len(gaps) else math.inf


def name_rows(rows: Sequence[Row], labels: Sequence[Label]) -> list[tuple[Row, list[Label]]]:
    """Give each row the names that stand beside it, from left to right; rows without a name are left out.

    Raises
    ------
    EcgError
        If there are more lines of names than rows, or it is not clear which belongs to which.
    """
    numbers = pdf_settings("layout")
    low, high = min(row.middle for row in rows), max(row.middle for row in rows)
    left, right = min(row.start for row in rows), max(row.end for row in rows)
    room = 30.0
    near = [
        label
        for label in labels
        if left - numbers["left_of_curve"] <= label.x <= right + 10.0 and low - room <= label.y <= high + room
    ]
    named: list[list[Label]] = []
    for label in sorted(near, key=lambda each: -each.y):
        if named and named[-1][0].y - label.y <= numbers["same_height"]:
            named[-1].append(label)
        else:
            named.append([label])
    if not named:
        raise EcgError("no name of a lead stands beside the curves as text; print the ECG with lead names, or give its data")
    if len(named) > len(rows):
        named = _at_gaps(near, len(rows)) or named
    if len(named) > len(rows):
        raise EcgError(
            f"there are {len(named)} lines of lead names but {len(rows)} rows of curves; print one ECG alone on a page"
        )
    heights = np.array([np.mean([label.y for label in line]) for line in named])
    middles = np.array([row.middle for row in rows])
    ways = itertools.islice(itertools.combinations(range(len(rows)), len(named)), 5000)
    scored = sorted((float(np.abs(o - np.median(o)).mean()), way) for way in ways for o in [heights - middles[list(way)]])
    if len(named) < len(rows) and (
        scored[0][0] > numbers["offset_scatter"] or (len(scored) > 1 and scored[1][0] < 2 * scored[0][0] + 1.0)
    ):
        raise EcgError(
            f"there are {len(rows)} rows of curves but names for {len(named)}, and it is not clear which; print all names"
        )
    return [(rows[at], _once(line)) for at, line in zip(scored[0][1], named, strict=True)]


def _at_gaps(labels: Sequence[Label], n_rows: int) -> list[list[Label]]:
    """Names of `n_rows` rows where some stand higher than others, above what their curve does; empty if no gaps part the rows."""
    down = sorted(labels, key=lambda label: -label.y)
    gaps = np.array([above.y - below.y for above, below in itertools.pairwise(down)])
    widest = np.sort(gaps)[::-1]
    if n_rows > 1 and widest[n_rows - 2] < 2 * widest[n_rows - 1]:
        return []
    cuts = [0, *sorted(int(at) + 1 for at in np.argsort(gaps)[::-1][: n_rows - 1]), len(down)]
    return [down[start:stop] for start, stop in itertools.pairwise(cuts)]


def _once(line: Sequence[Label]) -> list[Label]:
    """Names from left to right; one that is repeated at the right end of its row counts once."""
    kept: list[Label] = []
    for label in sorted(line, key=lambda each: each.x):
        if all(label.lead != other.lead for other in kept):
            kept.append(label)
    return kept


def zeros_of(rows: Sequence[Row], pulses: Sequence[Pulse]) -> dict[int, float]:
    """Height of 0 mV of each row that has a pulse, by its foot; the keys are places in `rows`, which run from top to bottom.

    Pulses that stand alone are given to the rows in their order, and only if there is one for each row: a lead may lie nearer to
    the pulse of the next row than to its own.
    """
    zeros = {at: row.pulse.base for at, row in enumerate(rows) if row.pulse is not None}
    without = [at for at in range(len(rows)) if at not in zeros]
    left = [pulse for pulse in pulses if pulse.end <= min(row.start for row in rows) + 1.0]
    right = [pulse for pulse in pulses if pulse.start >= max(row.end for row in rows) - 1.0]
    for side in (left, right):
        if len(side) == len(without):
            ordered = sorted(side, key=lambda pulse: -pulse.base)
            return zeros | {at: pulse.base for at, pulse in zip(without, ordered, strict=True)}
    return zeros


def parts_of(named: Sequence[tuple[Row, list[Label]]], zeros: Sequence[float | None], speed_mm_s: float) -> list[Part]:
    """Each lead of each row with its times; columns are consecutive in time, and rows begin together.

    `zeros` are the heights of 0 mV of the rows, None where nobody knows.
    """
    most = max(len(line) for _, line in named)
    left = min(row.start for row, _ in named)
    right = max(row.end for row, _ in named)
    most_off = pdf_settings("layout")["row_edge"]
    parts: list[Part] = []
    all_columns: dict[int, Floats] = {}
    for (row, line), zero in zip(named, zeros, strict=True):
        if abs(row.start - left) > most_off:
            raise EcgError(f"the rows begin {abs(row.start - left):.3g} mm apart, so it is not clear which time they are of")
        if len(line) > 1 and right - row.end > most_off and len(row.curves) != len(line):
            raise EcgError(f"a row ends {right - row.end:.3g} mm before the others, so it is not clear where its leads begin")
        pieces = _pieces(row, line)
        shifts = _shifts(pieces, speed_mm_s)
        starts = np.array([piece[0, 0] for piece in pieces])
        columns = all_columns.setdefault(len(line), starts)
        if np.abs(starts - columns).max() > most_off:
            raise EcgError("the columns do not begin together in all rows, so it is not clear which time they are of")
        for label, piece, shift in zip(line, pieces, shifts, strict=True):
            times = (piece[:, 0] - left - shift) / speed_mm_s
            parts.append(Part(label.lead, label.sign, times, piece[:, 1], zero, strip=len(line) == 1 < most))
    return parts


def _pieces(row: Row, line: Sequence[Label]) -> list[Floats]:
    """The vertices of each of the leads of a row."""
    numbers = pdf_settings("layout")
    points = _without_bridges(row)
    if len(line) == 1:
        return [points]
    ends = [(a.end + b.start) / 2 for a, b in itertools.pairwise(row.curves)]
    joints = np.array(sorted([*ends, *(x for curve in row.curves for x in curve.breaks)]))
    borders: list[float] = []
    continuous = False
    for wanted in row.start + (row.end - row.start) * np.arange(1, len(line)) / len(line):
        if len(ends) == len(line) - 1:
            borders.append(ends[len(borders)])
            continue
        near = joints[np.abs(joints - wanted) <= numbers["border_off"]]
        continuous |= not len(near)
        borders.append(float(near[np.argmin(np.abs(near - wanted))]) if len(near) else float(wanted))
    edges = [-math.inf, *borders, math.inf]
    pieces = []
    for label, first, last in zip(line, edges[:-1], edges[1:], strict=True):
        piece = _trimmed(points[(points[:, 0] > first) & (points[:, 0] <= last)])
        begin = numbers["left_of_curve"] if first == -math.inf else numbers["border_off"]
        if len(piece) < 10 or not piece[0, 0] - begin <= label.x <= piece[-1, 0]:
            names = ", ".join(each.lead for each in line)
            raise EcgError(f"the names {names} do not stand each over its own part of their row; print the leads apart")
        if continuous:
            border = _BORDER_S * 25.0
            keep = (piece[:, 0] > first + border) & (piece[:, 0] < last - border)
            piece = piece[keep]
        pieces.append(piece)
    return pieces


def _trimmed(piece: Floats) -> Floats:
    """Without the mark of a gap at either end."""
    there = np.flatnonzero(np.isfinite(piece[:, 1]))
    return piece[there[0] : there[-1] + 1] if len(there) else piece[:0]


def _without_bridges(row: Row) -> Floats:
    """All vertices of a row; nothing is put into a gap between two of its curves, where a height of nan stands."""
    parts = [row.curves[0].points]
    for before, after in itertools.pairwise(row.curves):
        if after.start - before.end > pdf_settings("curve")["next_sample"]:
            parts.append(np.array([[(before.end + after.start) / 2, np.nan]]))
        parts.append(after.points)
    points = np.concatenate(parts)
    points[:, 0] = np.maximum.accumulate(points[:, 0])
    return points


def _shifts(pieces: Sequence[Floats], speed_mm_s: float) -> list[float]:
    """By how much each column of a row stands further right than its time.

    Columns that are set apart are either consecutive in time, with a gap that is no time, or stand where their time is and
    lack some of it. Either the columns or the distances between their starts are then whole quarters of a second.
    """
    shifts = [0.0]
    for before, after in itertools.pairwise(pieces):
        gap = after[0, 0] - before[-1, 0]
        sample = float(np.median(np.diff(before[:, 0])))
        if gap <= max(2.5 * sample, 0.3) or gap <= 2.2 * _BORDER_S * 25.0:
            shifts.append(shifts[-1])
            continue
        # the last vertex stands one sample before the end
        duration = (before[-1, 0] - before[0, 0] + sample) / speed_mm_s
        apart = (after[0, 0] - before[0, 0]) / speed_mm_s
        whole = [abs(value * 4 - round(value * 4)) / 4 <= 0.012 for value in (duration, apart)]
        if whole[0] == whole[1]:
            raise EcgError(
                f"the columns stand {gap:.3g} mm apart, and it is not clear whether that is time; print them without gaps"
            )
        shifts.append(shifts[-1] + (gap - sample if whole[0] else 0.0))
    return shifts
