"""Where something is true of an array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def true_spans(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Where a mask is true without a break: first place and the place after the last one, shape (span, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2)
