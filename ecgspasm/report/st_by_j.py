"""ST of both ECGs at every J that a reader may choose by hand, measured by the code that measured it at the common one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecgspasm.ecg import ST_OFFSETS_MS, Analysis, Floats, Measurements, number
from ecgspasm.processing.measure import ST_NAMES, measure
from ecgspasm.serial.comparison import AlignedMedians, Change, Comparison
from ecgspasm.serial.repeatability import repeat_sd

FIRST_MS, LAST_MS = -40, 80
"""How far from the common J it can be moved."""
_SHORTEST_QRS_MS = 20.0


def st_by_j(change: Comparison) -> dict[str, Any] | None:
    """ST at each whole millisecond around the common J.

    Parameters
    ----------
    change : Comparison

    Returns
    -------
    dict or None
        ``first_ms, last_ms``: the range in steps of 1 ms from the common J; ``leads``: by lead ``baseline`` and ``current``, each
        with the values of all ST measures, and ``half_width``: half of the 95 % interval of their change. ``None`` where there
        are no two median beats.

    Notes
    -----
    Nothing is approximated: `measure` itself runs at every J, with its rules for noisy leads, so that what a page shows after J
    has been moved is what ``measure(..., j=...)`` gives.
    """
    aligned = change.aligned
    if aligned is None or change.baseline is None or change.current is None:
        return None
    shifts = _shifts(aligned)
    rows = {
        name: _measured(each, onset, aligned.j_ms, shifts)
        for name, each, onset in zip(("baseline", "current"), (change.baseline, change.current), aligned.onset, strict=True)
    }
    half = _half_widths(change, rows)
    return {
        "first_ms": int(shifts[0]),
        "last_ms": int(shifts[-1]),
        "leads": {
            lead: {name: _values(each, lead) for name, each in rows.items()}
            | {"half_width": {name: [number(value, 3) for value in values[:, row]] for name, values in half.items()}}
            for row, lead in enumerate(change.leads)
        },
    }


def _shifts(aligned: AlignedMedians) -> Floats:
    """Whole milliseconds at which there is a QRS complex before J and all of ST behind it."""
    last = float(aligned.time_ms[-1]) - aligned.j_ms - ST_OFFSETS_MS[-1] - 10.0
    shifts = np.arange(FIRST_MS, LAST_MS + 1)
    inside = (shifts >= _SHORTEST_QRS_MS - aligned.j_ms) & (shifts <= last)
    return np.asarray(shifts[inside | (shifts == 0)])


def _measured(each: Analysis, onset: float, j_ms: float, shifts: Floats) -> list[Measurements]:
    assert each.median is not None
    per_ms = each.median.fs / 1000.0
    return [
        measure(
            each.median,
            each.quality,
            rr_ms=60_000.0 / each.measurements.rate_bpm,
            subject=each.ecg.subject,
            derived=each.ecg.derived,
            qrs_onset=onset,
            j=onset + (j_ms + float(shift)) * per_ms,
        )
        for shift in shifts
    ]


def _values(rows: list[Measurements], lead: str) -> dict[str, list[float | None]]:
    return {name: [number(each.get(name, lead), 3) for each in rows] for name in ST_NAMES.values()}


def _half_widths(change: Comparison, rows: dict[str, list[Measurements]]) -> dict[str, Floats]:
    """Half of the interval of each change, shape (shift, lead)."""
    found = {}
    for name in ST_NAMES.values():
        per_shift = []
        for first, second in zip(rows["baseline"], rows["current"], strict=True):
            one, other = (np.array([each.get(name, lead) for lead in change.leads]) for each in (first, second))
            errors = [np.array([each.se[name][each.leads.index(lead)] for lead in change.leads]) for each in (first, second)]
            repeats = repeat_sd(name, change.leads, change.electrodes, one)  # type: ignore[arg-type]
            per_shift.append(Change(one, other, np.hypot(*errors), repeats).detectable)
        found[name] = np.array(per_shift)
    return found
