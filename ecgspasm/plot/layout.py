"""Where the leads go on a page: the clinician's usual columns, with what is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.leads import STANDARD, sort_key
from ecgspasm.plot.paper import ceil5

COLUMNS = 4
_GAP_MM = 1.5  # at least so much between what stands one above the other


def rows(leads: Collection[str]) -> list[tuple[str | None, ...]]:
    """Rows of four places: I II III, aVR aVL aVF, V1-V3 and V4-V6 downwards, other leads below in the same way.

    A lead that is not there leaves its place empty; rows and columns that would be empty throughout are left out.

    Examples
    --------
    >>> rows(["I", "II", "V2", "V5"])
    [('I', None, None, None), ('II', 'V2', 'V5', None)]
    """
    extra = sorted(set(leads) - set(STANDARD), key=sort_key)
    names = [*STANDARD, *extra, *[None] * (-len(extra) % 3)]
    there = [[name if name in leads else None for name in names[start : start + 3]] for start in range(0, len(names), 3)]
    columns = [column for column in there if any(column)]
    found: list[tuple[str | None, ...]] = []
    for start in range(0, len(columns), COLUMNS):
        band = columns[start : start + COLUMNS]
        band += [[None] * 3] * (COLUMNS - len(band))
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
