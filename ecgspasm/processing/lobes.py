"""The shape of a wave from its lobes above and below a level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats, Strings
from ecgspasm.processing.settings import settings


def shapes(high: Floats, low: Floats, up_first: NDArray[np.bool_], second_inside: NDArray[np.bool_]) -> Strings:
    """Name the shape of waves, one of `ecgspasm.ecg.SHAPES`.

    Parameters
    ----------
    high, low : ndarray
        Height of the lobe above the level and depth of the one below it, in uV, both counted positive.
    up_first : ndarray of bool
        Whether the upper lobe comes first.
    second_inside : ndarray of bool
        Whether the smaller lobe has its summit inside the wave; one at an end is a slope, such as that of the ST segment.
    """
    rule = settings("measure")
    larger, smaller = np.maximum(high, low), np.minimum(high, low)
    two = second_inside & (smaller >= rule["smallest_lobe_uv"]) & (smaller >= rule["lobe_share"] * larger)
    one = np.where(high >= low, "positive", "negative")
    return np.asarray(np.where(two, np.where(up_first, "positive-negative", "negative-positive"), one).astype("U17"))
