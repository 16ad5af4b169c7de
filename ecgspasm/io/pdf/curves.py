"""From the lines of a page to curves: pieces put together, calibration pulses found and taken off. All lengths are in mm."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.pdf.page import Stroke, Style
from ecgspasm.io.pdf.settings import pdf_settings
from ecgspasm.masks import true_spans

_SHORTEST_RUN = 0.3
"""The foot of a pulse is longer; a line on one height for less is any part of an ECG."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """A calibration pulse: where it stands, the height of its foot on the page, and its own height."""

    start: float
    end: float
    base: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One line that runs from left to right, shape (vertex, 2)."""

    points: Floats
    breaks: tuple[float, ...] = ()
    """Where one piece ended and the next began."""
    pulse: Pulse | None = None
    """The pulse that was drawn in one line with it, and is taken off."""

    @property
    def start(self) -> float:
        """Left end."""
        return float(self.points[0, 0])

    @property
    def end(self) -> float:
        """Right end."""
        return float(self.points[-1, 0])

    @property
    def middle(self) -> float:
        """Median height on the page, each stretch of time counting alike."""
        grid = np.linspace(self.start, self.end, 2001)
        return float(np.median(np.interp(grid, self.points[:, 0], self.points[:, 1])))


def curves_of(strokes: Sequence[Stroke], x_scale: float, y_scale: float) -> tuple[list[Curve], list[Pulse]]:
    """All curves of a page, and the pulses that stand alone; the scales are points per mm.

    Returns
    -------
    curves : list of Curve
        Long lines that never run backwards; a pulse at either end is taken off and kept in `Curve.pulse`.
    pulses : list of Pulse
    """
    numbers = pdf_settings("curve")
    curves: list[Curve] = []
    pulses: list[Pulse] = []
    chains = []
    for chain in _chained(strokes, np.array([x_scale, y_scale])):
        # A pulse by itself is taken out first: its foot ends where the ECG begins, which may be that of the next row.
        alone = find_pulse(chain[0])
        if alone is not None and alone.end - alone.start >= np.ptp(chain[0][:, 0]) - numbers["touching"]:
            pulses.append(alone)
        else:
            chains.append(chain)
    for points, breaks in _joined(chains):
        length = points[-1, 0] - points[0, 0]
        pulse = find_pulse(points)
        # a line without any rise is a rule of the page or a piece of its grid, or of a lead that was not connected
        if length < numbers["shortest"] or len(points) < numbers["least_vertices"] or np.ptp(points[:, 1]) < numbers["touching"]:
            continue
        if pulse is not None:
            before = pulse.start - points[0, 0] < points[-1, 0] - pulse.end
            kept = points[points[:, 0] >= pulse.end if before else points[:, 0] <= pulse.start]
            if len(kept) < 2:
                continue
            # where a pulse ends in a step, the foot of the step still belongs to it
            points = kept[1:] if before and kept[0, 0] == kept[1, 0] else kept
        curves.append(Curve(points, tuple(x for x in breaks if points[0, 0] < x < points[-1, 0]), pulse))
    return curves, pulses


def _chained(strokes: Sequence[Stroke], scale: Floats) -> list[tuple[Floats, Style]]:
    """Strokes in mm, where one that begins at the end of the last one of its kind goes on with it."""
    touching, longest = pdf_settings("curve")["touching"], pdf_settings("curve")["longest_step"]
    chains: list[list[Floats]] = []
    styles: list[Style] = []
    latest: dict[Style, int] = {}
    for stroke in strokes:
        if stroke.style[0] == "area":
            continue
        points = stroke.points / scale
        if len(points) == 2 and np.abs(points[1] - points[0]).max() > longest:
            continue  # a line of the grid, a frame or a rule
        steps = np.diff(points[:, 0])
        if len(steps) and steps.max() <= 0 and steps.min() < 0:
            points = points[::-1]
        at = latest.get(stroke.style)
        if at is not None and np.abs(chains[at][-1][-1] - points[0]).max() <= touching:
            chains[at].append(points[1:])
            continue
        latest[stroke.style] = len(chains)
        chains.append([points])
        styles.append(stroke.style)
    return [(np.concatenate(parts), style) for parts, style in zip(chains, styles, strict=True)]


def _joined(chains: Sequence[tuple[Floats, Style]]) -> list[tuple[Floats, list[float]]]:
    """Chains put behind one another where the next one begins one sample further, with the places of the joints.

    Where the curves of two rows cross just where their pieces meet, the order in which they were drawn tells which belong
    together.
    """
    backwards = pdf_settings("curve")["backwards"]
    forward = [(at, *chain) for at, chain in enumerate(chains) if np.diff(chain[0][:, 0]).min() >= -backwards]
    groups: list[list[Floats]] = []
    latest: list[int] = []
    open_by_style: dict[Style, list[int]] = {}
    for drawn, points, style in sorted(forward, key=lambda chain: chain[1][0, 0]):
        still = [at for at in open_by_style.get(style, []) if _gap(groups[at], points) <= pdf_settings("curve")["next_sample"]]
        best = _continued(groups, latest, still, points, drawn)
        if best is None:
            best = len(groups)
            still.append(best)
            groups.append([])
            latest.append(drawn)
        groups[best].append(points)
        latest[best] = drawn
        open_by_style[style] = still
    made = []
    for parts in groups:
        joints = [float((before[-1, 0] + after[0, 0]) / 2) for before, after in itertools.pairwise(parts)]
        points = np.concatenate(parts)
        points[:, 0] = np.maximum.accumulate(points[:, 0])
        made.append((points, joints))
    return made


def _gap(parts: Sequence[Floats], points: Floats) -> float:
    return float(points[0, 0] - parts[-1][-1, 0])


def _continued(
    groups: Sequence[Sequence[Floats]], latest: Sequence[int], still: Sequence[int], points: Floats, drawn: int
) -> int | None:
    """The group that a piece goes on with, or None if it begins a new one."""
    numbers = pdf_settings("curve")
    fits: list[tuple[float, int]] = []
    for at in still:
        if _gap(groups[at], points) < -numbers["backwards"]:
            continue
        end = groups[at][-1]
        # on the flank of an R wave one sample rises by many mm, about as much as the sample before
        off = abs(points[0, 1] - end[-1, 1] - (end[-1, 1] - end[-2, 1]))
        if off <= numbers["next_sample_rise"]:
            fits.append((float(off), at))
    for _, at in fits:
        if latest[at] == drawn - 1:
            return at
    fits.sort()
    if len(fits) > 1 and fits[1][0] < fits[0][0] + numbers["crossing"]:
        raise EcgError("two curves cross where pieces of them meet, so it is not clear which go together; print them apart")
    return fits[0][1] if fits else None


def find_pulse(points: Floats) -> Pulse | None:
    """The calibration pulse at either end of a line: a flat top with steep sides on a flat foot."""
    numbers = pdf_settings("pulse")
    if len(points) < 4:
        return None
    runs = _flat_runs(points, numbers["flat"])
    left, right = points[0, 0], points[-1, 0]
    for at, (start, end, top) in enumerate(runs):
        if not numbers["narrowest"] <= end - start <= numbers["widest"]:
            continue
        if start - left > numbers["from_end"] and right - end > numbers["from_end"]:
            continue
        before = _foot(runs[:at][::-1], points[0], start, numbers["steep"])
        after = _foot(runs[at + 1 :], points[-1], end, numbers["steep"])
        if before is None or after is None or abs(before[1] - after[1]) > 0.1 or top - before[1] < numbers["lowest"]:
            continue
        return Pulse(min(before[0], start), max(after[0], end), (before[1] + after[1]) / 2, top - (before[1] + after[1]) / 2)
    return None


def rest_of_pulse(points: Floats, height: float) -> bool:
    """Whether a line still holds one side of a pulse of that height: a sheer step beside a flat stretch, near an end."""
    numbers = pdf_settings("pulse")
    steps = np.diff(points, axis=0)
    sheer = (steps[:, 0] <= 0.02) & (np.abs(np.abs(steps[:, 1]) - height) <= numbers["tolerance_share"] * height)
    runs = [run for run in _flat_runs(points, numbers["flat"]) if run[1] - run[0] >= numbers["narrowest"]]
    return any(
        min(points[at, 0] - points[0, 0], points[-1, 0] - points[at, 0]) <= numbers["from_end"]
        and any(min(abs(start - points[at, 0]), abs(end - points[at, 0])) <= numbers["steep"] for start, end, _ in runs)
        for at in np.flatnonzero(sheer)
    )


def _flat_runs(points: Floats, flat: float) -> list[tuple[float, float, float]]:
    """Start, end and height of all stretches on one height, in order."""
    level = np.abs(np.diff(points[:, 1])) <= flat
    steps = np.diff(points[:, 0])
    long = 5 * float(np.median(steps))
    runs = []
    spans = true_spans(level)
    for first, last in spans[points[spans[:, 1], 0] - points[spans[:, 0], 0] >= _SHORTEST_RUN]:
        # The foot of a pulse is one long step; the flat beginning of the ECG that it runs into is made of short ones.
        long_steps = first + np.flatnonzero(steps[first:last] > max(long, 0.2))
        if len(long_steps):
            first, last = int(long_steps[0]), int(long_steps[-1]) + 1
        heights = points[first : last + 1, 1]
        # a gentle slope is made of flat steps too
        if np.ptp(heights) <= 2 * flat and points[last, 0] > points[first, 0]:
            runs.append((float(points[first, 0]), float(points[last, 0]), float(np.median(heights))))
    return runs


def _foot(runs: Sequence[tuple[float, float, float]], end: Floats, edge: float, steep: float) -> tuple[float, float] | None:
    """Outer end and height of the flat foot beside the edge of a pulse, or the end of the line if that is the foot."""
    for start, stop, height in runs[:1]:
        inner, outer = (stop, start) if stop <= edge else (start, stop)
        if abs(inner - edge) <= steep:
            return outer, height
    return (float(end[0]), float(end[1])) if abs(end[0] - edge) <= steep else None
