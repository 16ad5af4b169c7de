"""A heart turned in the chest, chest electrodes moved along: does that explain what has changed?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats
from ecgspasm.processing.vector import kors

Mask = NDArray[np.bool_]

_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a change of geometry, fitted to the QRS complexes, says of them and of ST and T."""

    size: float
    """Degrees of a rotation, or steps to the next electrode."""
    qrs_share: float
    """Share of the squared misfit of the QRS complexes that it removes."""
    st_t_share: float
    """Share of the squared change of ST and T that it predicts; below nothing if it makes matters worse."""


def turned(leads: tuple[str, ...], one: Floats, other: Floats, is_qrs: Mask, is_st_t: Mask) -> Explanation | None:
    """The rotation of the heart vector that takes the baseline's QRS loop to the current one.

    Parameters
    ----------
    leads : tuple of str
    one, other : ndarray, shape (lead, sample)
        Baseline and current beat.
    is_qrs, is_st_t : ndarray of bool, shape (sample,)

    Returns
    -------
    Explanation or None
        ``None`` if one of the eight independent leads is not there.

    Notes
    -----
    Kabsch's solution for the rotation (Acta Cryst 1976;A32:922-923) on vectors after Kors. In the leads the rotation acts through
    the part that the vector explains (pseudo-inverse of the transform); the rest of each lead stays as it is.
    """
    to_vector = kors()
    if not set(to_vector.leads) <= set(leads):
        return None
    rows = [leads.index(lead) for lead in to_vector.leads]
    before, after = (to_vector.weights @ each[rows] for each in (one, other))
    left, _, right = np.linalg.svd(after[:, is_qrs] @ before[:, is_qrs].T)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    turn = left @ flip @ right
    degrees = float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1.0) / 2.0, -1.0, 1.0))))
    predicted = np.linalg.pinv(to_vector.weights) @ ((turn - np.eye(3)) @ before)
    return _explanation(degrees, predicted, other[rows] - one[rows], is_qrs, is_st_t)


def moved(leads: tuple[str, ...], one: Floats, other: Floats, is_qrs: Mask, is_st_t: Mask) -> Explanation | None:
    """The shift of the row of chest electrodes, in steps from one to the next, that fits the QRS complexes best."""
    if not set(_CHEST) <= set(leads):
        return None
    rows = [leads.index(lead) for lead in _CHEST]
    base, change = one[rows], other[rows] - one[rows]
    best: Explanation | None = None
    for neighbours in (np.r_[1:6, 5], np.r_[0, 0:5]):
        slope = base[neighbours] - base  # per step towards the neighbour
        size = float((slope[:, is_qrs] ** 2).sum())
        steps = float((slope[:, is_qrs] * change[:, is_qrs]).sum()) / max(size, 1e-9)
        if steps > 0:
            found = _explanation(min(steps, 1.0), min(steps, 1.0) * slope, change, is_qrs, is_st_t)
            best = found if best is None or found.qrs_share > best.qrs_share else best
    return best


def _explanation(size: float, predicted: Floats, change: Floats, is_qrs: Mask, is_st_t: Mask) -> Explanation:
    def share(window: Mask) -> float:
        there = float((change[:, window] ** 2).sum())
        left = float(((change - predicted)[:, window] ** 2).sum())
        return 1.0 - left / max(there, 1e-9)

    return Explanation(size, share(is_qrs), share(is_st_t))


def stretched(one: Floats, other: Floats, factors: tuple[float, ...]) -> tuple[float, float, float]:
    """The stretch in time that makes the baseline's beat fit the current one best, at whatever lag.

    Parameters
    ----------
    one, other : ndarray, shape (lead, sample)
        From well before to well after the QRS complex.
    factors : tuple of float
        Stretches that are tried beside none.

    Returns
    -------
    factor, correlation, correlation without stretch
    """
    n = one.shape[1]
    size = 2 * n
    spectrum = np.conj(np.fft.rfft(other, size, axis=1))
    position = np.arange(n)
    found = []
    for factor in (1.0, *factors):
        source = n / 2 + (position - n / 2) / factor
        low = np.clip(np.floor(source).astype(int), 0, n - 2)
        share = np.clip(source - low, 0.0, 1.0)
        bent = one[:, low] * (1.0 - share) + one[:, low + 1] * share
        product = np.fft.irfft((np.fft.rfft(bent, size, axis=1) * spectrum).sum(axis=0), size)
        found.append(float(product.max() / (np.linalg.norm(bent) * np.linalg.norm(other) + 1e-9)))
    best = int(np.argmax(found))
    return (1.0, *factors)[best], found[best], found[0]
