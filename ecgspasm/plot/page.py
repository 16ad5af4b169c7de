"""The standard 12-lead page of one recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgspasm.ecg import Ecg, Floats
from ecgspasm.plot import layout, paper
from ecgspasm.plot.sheet import Line, Strip, person, rhythm_lead, sheet, source_name, strip, when, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMN_S = 2.5
_CURVE = {"color": paper.INK, "linewidth": 0.8}


def ecg(ecg: Ecg, *, axes: Axes | None = None) -> tuple[Figure, Axes]:
    """Draw a recording as it comes: four columns of 2.5 s, and a rhythm strip of 10 s below.

    Parameters
    ----------
    ecg : Ecg
        Each lead is drawn less its median, and not filtered; missing samples are gaps. The columns follow each other in time,
        or all show the first 2.5 s if the recording is shorter than 10 s.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure of 297 mm width, in which every millimetre is one.

    Returns
    -------
    figure, axes
        The axes' data units are millimetres.
    """
    places = layout.rows(ecg.leads)
    whole = ecg.duration_s >= layout.COLUMNS * _COLUMN_S - 0.1
    parts = {
        lead: _part(ecg, lead, column if whole else 0) for row in places for column, lead in enumerate(row) if lead is not None
    }
    there = [bool(np.isfinite(row).any() and np.ptp(row[np.isfinite(row)]) > 0) for row in ecg.signal_uv]
    lead = rhythm_lead(ecg.leads, there)
    rhythm = strip(lead, "rhythm", ecg[lead], ecg.fs, _CURVE)
    up, down = _extents(places, parts, ecg.fs, rhythm)
    zeros, height = layout.stack(up, down)
    timing = "columns follow each other in time" if whole else "every column shows the first 2.5 s"
    name = source_name(ecg.source, 200.0, 11.0) or "ECG"
    about = " · ".join(filter(None, (person(ecg.subject), when(ecg), f"{ecg.duration_s:.4g} s at {ecg.fs:g} Hz", timing)))
    head = [*wrapped(name, 11.0, weight="bold", most=1), Line(about)]
    figure, axes, top = sheet(head, height, axes)
    for row, below in zip(places, zeros, strict=False):
        paper.calibration(axes, paper.LEFT_MM + 12.0, top - below)
        for column, each in enumerate(row):
            if each is not None:
                _draw(axes, column, top - below, each, parts[each], ecg.fs, derived=each in ecg.derived)
    rhythm.draw(axes, top - zeros[-1])
    return figure, axes


def _part(ecg: Ecg, lead: str, column: int) -> Floats:
    """The 2.5 s of a lead that its column shows, zeroed at the median of the whole."""
    signal = ecg[lead]
    step = _COLUMN_S * ecg.fs
    level = np.nanmedian(signal) if np.isfinite(signal).any() else 0.0
    return signal[round(column * step) : round((column + 1) * step)] - level


def _label_height(part: Floats, fs: float) -> float:
    """Above what the curve does beside the label."""
    return max(paper.reach(part[: round(0.35 * fs)])[0] + 1.5, 5.0)


def _extents(
    places: list[tuple[str | None, ...]], parts: dict[str, Floats], fs: float, rhythm: Strip
) -> tuple[list[Floats], list[Floats]]:
    """How far each place of each row, the calibration pulse first, goes up and down from its zero line."""
    up, down = [], []
    for row in places:
        there = [np.empty(0) if lead is None else parts[lead] for lead in row]
        up.append(np.array([10.0, *(max(paper.reach(part)[0], _label_height(part, fs) + 3.0) for part in there)]))
        down.append(np.array([3.0, *(paper.reach(part)[1] for part in there)]))
    up.append(np.full(len(up[0]), rhythm.reach[0]))
    down.append(np.full(len(down[0]), rhythm.reach[1]))
    return up, down


def _draw(axes: Axes, column: int, zero: float, lead: str, part: Floats, fs: float, *, derived: bool) -> None:
    x = paper.LEFT_MM + 25.0 + column * float(paper.x_mm(_COLUMN_S * 1000.0))
    paper.trace(axes, x, zero, np.arange(len(part)) * 1000.0 / fs, part, gid=f"lead-{lead}", **_CURVE)
    words = f"{lead} (derived)" if derived else lead
    if not np.isfinite(part).any():
        words += ": no signal"
    paper.text(axes, x + 1.0, zero + _label_height(part, fs), words, fontsize=8, weight="bold")
    if column:  # where one lead ends and the next begins
        axes.plot([x, x], [zero + 2.0, zero + 4.0], color=paper.INK, linewidth=0.7, zorder=3)
