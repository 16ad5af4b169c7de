"""Rows that are added at the end, without ever holding them twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Growing:
    """An array that grows by rows in place.

    Many small arrays, joined at the end, would need twice their memory, and in between scatter it; this one is enlarged where it
    lies (`numpy.ndarray.resize`).

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    dtype : dtype
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self._data: NDArray[Any] = np.empty((64, *shape), dtype=dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, rows: Any) -> None:
        """Add rows at the end, shape (row, ...)."""
        needed = self._count + len(rows)
        if needed > len(self._data):
            # Nobody else holds a view: `since` gives copies, and after `whole` nothing is added any more.
            self._data.resize((needed + needed // 8 + 64, *self._data.shape[1:]), refcheck=False)
        self._data[self._count : needed] = rows
        self._count = needed

    def since(self, first: int) -> NDArray[Any]:
        """A copy of the rows from `first` on."""
        return self._data[max(first, 0) : self._count].copy()

    def whole(self) -> NDArray[Any]:
        """All rows, not copied: nothing may be added afterwards."""
        return self._data[: self._count]

    def last(self) -> Any:
        """The last row."""
        return self._data[self._count - 1]

    def set_last(self, row: Any) -> None:
        """Replace the last row."""
        self._data[self._count - 1] = row

    def drop(self, count: int) -> None:
        """Forget so many of the first rows."""
        self._data[: self._count - count] = self._data[count : self._count].copy()
        self._count -= count
