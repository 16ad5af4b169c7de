"""Arrays that nobody can write to, and numbers for JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]
Strings = NDArray[np.str_]


def read_only(values: ArrayLike, dtype: Any = np.float64) -> NDArray[Any]:
    """Return `values` as an array that nobody can write to; the caller's own array is copied if anyone could write to it."""
    array = np.asarray(values, dtype=dtype)
    owner: Any = array
    while isinstance(owner, np.ndarray) and not owner.flags.writeable and owner.base is not None:
        owner = owner.base
    if not isinstance(owner, np.ndarray) or (owner.flags.writeable and (array is values or owner is not array)):
        array = array.copy()
    array.setflags(write=False)
    return array


def number(value: float, digits: int = 1) -> float | None:
    """A rounded number for JSON; ``None`` for nan."""
    return None if not np.isfinite(value) else round(float(value), digits) + 0.0
