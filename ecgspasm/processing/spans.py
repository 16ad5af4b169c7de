"""Means of a signal over spans that begin and end between samples, by differences of one running integral."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgspasm.ecg import Floats


class Integral:
    """The running integral of a signal, from which the mean over any span is two look-ups away.

    Parameters
    ----------
    signal : ndarray, shape (lead, sample)
        A sample is a step of width one around its index.
    """

    def __init__(self, signal: Floats) -> None:
        self._n = signal.shape[1]
        self._total = np.zeros((signal.shape[0], self._n + 1))
        # Without the offset of the leads, so that nothing is lost to rounding.
        self._offset = signal[:, :1]
        np.cumsum(signal - self._offset, axis=1, out=self._total[:, 1:])

    def mean(self, low: ArrayLike, high: ArrayLike) -> NDArray[np.float64]:
        """Mean of every lead over spans of shape (...), shape (lead, ...); parts outside the signal count as its ends."""
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        rows = np.arange(len(self._total)).reshape(-1, *[1] * low.ndim)
        offset = self._offset.reshape(rows.shape)
        return np.asarray((self._at(rows, high[None]) - self._at(rows, low[None])) / (high - low)[None] + offset)

    def mean_at(self, rows: NDArray[np.intp], centre: Floats, width: float) -> NDArray[np.float64]:
        """Mean over `width` samples around places given one lead (row) each; `rows` and `centre` have one shape."""
        span = self._at(rows, centre + width / 2) - self._at(rows, centre - width / 2)
        return np.asarray(span / width + self._offset[rows, 0])

    def _at(self, rows: NDArray[np.intp], position: Floats) -> NDArray[np.float64]:
        place = position + 0.5
        np.maximum(place, 0.0, out=place)
        np.minimum(place, self._n - 1e-9, out=place)
        low = place.astype(np.intp)
        place -= low
        flat = self._total.ravel()
        low = low + rows * (self._n + 1)
        first = flat.take(low)
        low += 1
        step = flat.take(low)
        step -= first
        step *= place
        step += first
        return np.asarray(step)
