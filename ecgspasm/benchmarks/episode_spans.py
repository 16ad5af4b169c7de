"""Sets of stretches of time as arrays of rows ``(begin, end)``: union, intersection, difference, length."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError


def merged(spans: Iterable[tuple[float, float]] | Floats) -> Floats:
    """Sort stretches and join those that overlap or touch.

    Parameters
    ----------
    spans : iterable of (float, float), or array of shape (n, 2)
        Begin and end of each, in any order; those of no length are dropped.

    Returns
    -------
    Floats
        Shape (m, 2), sorted, with gaps between the rows.

    Raises
    ------
    EcgError
        If a stretch ends before it begins, or a time is nan.

    Examples
    --------
    >>> merged([(5, 7), (0, 2), (1, 3), (3, 4)]).tolist()
    [[0.0, 4.0], [5.0, 7.0]]
    """
    rows = np.asarray(spans if isinstance(spans, np.ndarray) else list(spans), dtype=float).reshape(-1, 2)
    wrong = ~(rows[:, 0] <= rows[:, 1])
    if wrong.any():
        begin, end = rows[wrong][0]
        raise EcgError(f"a stretch from {begin:g} to {end:g} s runs backwards; give (begin, end)")
    rows = rows[rows[:, 0] < rows[:, 1]]
    if len(rows) == 0:
        return np.empty((0, 2))
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    reach = np.maximum.accumulate(rows[:, 1])
    first = np.concatenate([[True], rows[1:, 0] > reach[:-1]])
    last = np.concatenate([first[1:], [True]])
    return np.column_stack([rows[first, 0], reach[last]])


def common(one: Floats, other: Floats) -> Floats:
    """What two merged sets have in common, shape (k, 2)."""
    begin = np.maximum(one[:, None, 0], other[None, :, 0])
    end = np.minimum(one[:, None, 1], other[None, :, 1])
    return np.column_stack([begin[begin < end], end[begin < end]])


def without(one: Floats, other: Floats) -> Floats:
    """What of a merged set is left when another is taken out, shape (k, 2)."""
    edges = np.concatenate([[-np.inf], other.ravel(), [np.inf]]).reshape(-1, 2)
    return common(one, edges)


def length_s(spans: Floats) -> float:
    """Length of all stretches of a merged set together."""
    return float((spans[:, 1] - spans[:, 0]).sum())


def holds(spans: Floats, at_s: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether each moment lies in a merged set, its edges included, shape of `at_s`; nan lies nowhere."""
    at = np.asarray(at_s, dtype=float)
    inside = (spans[:, 0] <= at[..., None]) & (at[..., None] <= spans[:, 1])
    return np.asarray(inside.any(axis=-1))
