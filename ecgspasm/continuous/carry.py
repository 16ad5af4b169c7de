"""Fiducials carried along: while the averaged beat looks as it did, its waves lie where they lay, and need not be found anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.average import Averages, Fiducials, known_median
from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import Floats


@dataclass(frozen=True, eq=False)
class Carried:
    """An averaged beat with its fiducials, from the tile in which they were found."""

    signal_uv: Floats
    """Shape (lead, sample), usable leads."""
    before: int
    usable: NDArray[np.bool_]
    marks: Fiducials
    """With one row for all windows."""
    tiles: int
    """For how many tiles they have been carried."""


def to_carry(averages: Averages, marks: Fiducials, usable: NDArray[np.bool_]) -> Carried:
    """What to hand to the next tile."""
    common = replace(
        marks,
        t_onset=known_median(marks.t_onset)[None],
        t_offset=known_median(marks.t_offset)[None],
        u_peak=known_median(marks.u_peak)[None],
    )
    return Carried(np.average(averages.signal_uv, axis=0, weights=averages.count), averages.before, usable, common, 0)


def carried_marks(carried: Carried | None, averages: Averages, usable: NDArray[np.bool_], fs: float) -> Fiducials | None:
    """The carried fiducials for the windows of these averages; ``None`` if the beat no longer looks as it did.

    Compared with the beat in which they were found, not with the last one: a slow change cannot creep away from its fiducials.
    """
    numbers = settings("carry")
    if carried is None or carried.tiles >= numbers["most_tiles"] or not np.array_equal(carried.usable, usable):
        return None
    before = min(carried.before, averages.before)
    after = min(carried.signal_uv.shape[1] - carried.before, averages.signal_uv.shape[2] - averages.before)
    was = carried.signal_uv[:, carried.before - before : carried.before + after]
    now = averages.signal_uv[:, :, averages.before - before : averages.before + after]
    apart = now - was
    qrs = slice(max(before + round(carried.marks.qrs_onset), 0), before + round(carried.marks.j) + 1)
    size = np.sqrt((was[:, qrs] ** 2).mean(axis=1))
    differs = np.sqrt((apart[:, :, qrs] ** 2).mean(axis=2))
    rest = np.abs(apart[:, :, before + round(carried.marks.j + 0.04 * fs) :])
    if (differs > np.maximum(numbers["qrs_share"] * size, numbers["qrs_uv"])).any() or rest.max(initial=0.0) > numbers["st_t_uv"]:
        return None
    rows = len(averages.window)
    marks = carried.marks
    return replace(
        marks,
        t_onset=np.repeat(marks.t_onset, rows, axis=0),
        t_offset=np.repeat(marks.t_offset, rows, axis=0),
        u_peak=np.repeat(marks.u_peak, rows, axis=0),
    )


def once_more(carried: Carried) -> Carried:
    """The same, carried one tile further."""
    return replace(carried, tiles=carried.tiles + 1)
