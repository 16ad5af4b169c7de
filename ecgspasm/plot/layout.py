"""Where the leads go on a page: the clinician's usual columns, with what is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.leads import CABRERA, STANDARD, sort_key
from ecgspasm.plot.paper import ceil5

COLUMNS = 4
_GAP_MM = 1.5  # at least so much between what stands one above the other

CABRERA_12: tuple[str, ...] = (*CABRERA, *STANDARD[6:])
"""The twelve leads with those of the limbs in anatomical order; ``-aVR`` is aVR with its sign turned."""


def recorded(name: str) -> str:
    """The lead that a name on paper is drawn from.

    Examples
    --------
    >>> recorded("-aVR"), recorded("V2")
    ('aVR', 'V2')
    """
    return name.removeprefix("-")


def rows(leads: Collection[str], order: Sequence[str] = STANDARD, deep: int = 3) -> list[tuple[str | None, ...]]:
    """Rows of four places: I II III, aVR aVL aVF, V1-V3 and V4-V6 downwards, other leads below in the same way.

    A lead that is not there leaves its place empty; rows and columns that would be empty throughout are left out.

    Parameters
    ----------
    leads : collection of str
    order : sequence of str
        Names of the twelve places.
    deep : int
        How many of them stand below each other: 3, 6 or 12, in four columns, two, or one.

    Examples
    --------
    >>> rows(["I", "II", "V2", "V5"])
    [('I', None, None, None), ('II', 'V2', 'V5', None)]
    >>> rows(["aVL", "aVR", "V2"], CABRERA_12, deep=6)
    [('aVL', None), (None, 'V2'), ('-aVR', None)]
    """
    wide = len(STANDARD) // deep
    there = [name if recorded(name) in leads else None for name in order]
    columns: list[list[str | None]] = [there[start : start + deep] for start in range(0, len(there), deep)]
    extra = sorted(set(leads) - set(STANDARD), key=sort_key)
    few = 3 if deep == 3 else max(-(-len(extra) // wide), 1)  # right ones and posterior ones come in threes
    columns += [[*part, *[None] * (deep - len(part))] for part in (extra[at : at + few] for at in range(0, len(extra), few))]
    columns = [column for column in columns if any(column)]
    found: list[tuple[str | None, ...]] = []
    for start in range(0, len(columns), wide):
        band = columns[start : start + wide]
        band += [[None] * deep] * (wide - len(band))
        found += [row for row in zip(*band, strict=True) if any(row)]
    return found


def stack(up: Sequence[Floats], down: Sequence[Floats]) -> tuple[list[float], float]:
    """Place rows under each other as near as their contents allow.

    Parameters
    ----------
    up, down : sequence of ndarray
        One array a row: how far its content goes up and down from the zero line in each column, in mm.

    Returns
    -------
    zeros : list of float
        Distance of each zero line from the upper edge, multiples of 5 mm.
    height : float
        Of the paper, a multiple of 5 mm.
    """
    zeros = [ceil5(float(np.max(up[0])) + _GAP_MM)]
    for above, below in zip(down, up[1:], strict=False):
        zeros.append(zeros[-1] + ceil5(float(np.max(above + below)) + _GAP_MM))
    return zeros, zeros[-1] + ceil5(float(np.max(down[-1])) + _GAP_MM)


def fit(up: Sequence[Floats], down: Sequence[Floats], height: float) -> list[float]:
    """Place rows under each other on paper of a given height, see `stack`.

    They stand evenly, each zero line on a heavy line of the grid, or as their contents need where that is uneven. With too little
    room they stand evenly all the same, as on any print-out, and their curves may cross.
    """
    zeros, least = stack(up, down)
    first, last = zeros[0], least - zeros[-1]
    between = max(len(zeros) - 1, 1)
    pitch = 5.0 * ((height - first - last) // (5.0 * between))
    if pitch >= max(np.diff(zeros), default=0.0):
        more = 5.0 * ((height - first - last - pitch * (len(zeros) - 1)) // 10.0)
        return [first + more + pitch * place for place in range(len(zeros))]
    if least <= height:
        more = (height - least) // 5.0
        return [zero + 5.0 * (more * (place + 1) // (len(zeros) + 1)) for place, zero in enumerate(zeros)]
    first, last = min(first, height / 4.0), min(last, height / 4.0)
    return [float(round(first + (height - first - last) * place / between)) for place in range(len(zeros))]
