"""The gain at which 16-bit steps hold a signal exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ecgspasm.ecg import Floats

_LARGEST = 2**15 - 1
_USUAL = (1000.0, 200.0, 2000.0, 4000.0, 400.0, 500.0, 250.0, 100.0, 10_000.0, 204.8, 409.6, 1024.0, 32_000.0)
_MOST_PARTS = 32
_NEIGHBOURS = 8
_LEAST_GAIN = 10.0
"""Smaller ones need more decimals than a header of WFDB bears, and no device has steps of 100 uV."""


def exact_gain(signal_uv: Floats) -> float | None:
    """Steps per mV that give back every sample of a signal as it is, or None if no such gain is found.

    The steps that devices use are tried first, then the largest step of which all amplitudes are multiples, and parts of it.

    Examples
    --------
    >>> exact_gain(np.array([[0.0, 4.88, -9.76, np.nan]])) is not None, exact_gain(np.array([[0.1, np.pi]]))
    (True, None)
    """
    values = np.unique(signal_uv[~np.isnan(signal_uv)])
    for gain in _candidates(values):
        # as a writer rounds and a reader scales; anything that differs in the last bit is not exact
        steps = np.rint(values * (gain / 1000.0))
        if np.abs(steps).max(initial=0.0) <= _LARGEST and np.array_equal(steps * (1000.0 / gain), values):
            return gain
    return None


def _candidates(values: Floats) -> Iterator[float]:
    yield from _USUAL
    amplitudes = np.abs(values[values != 0])
    step = _common_step(amplitudes) if amplitudes.size else None
    if step is None:
        return
    fewest = math.ceil(_LEAST_GAIN * step / 1000.0)
    for parts in range(fewest, fewest + _MOST_PARTS):
        gain = 1000.0 * parts / step
        # a device's own gain or step has few digits; else a neighbour mends the last bits of the quotient a reader forms
        yield from (float(f"{gain:.{digits}g}") for digits in range(4, 12))
        yield from (1000.0 * parts / float(f"{step:.{digits}g}") for digits in range(3, 12))
        yield from (gain + off * math.ulp(gain) for off in range(-_NEIGHBOURS, _NEIGHBOURS + 1))


def _common_step(amplitudes: Floats) -> float | None:
    """The largest number of which all are whole multiples, to rounding; None if 16 bits would not hold the multiples."""
    largest = float(amplitudes.max())
    shares = amplitudes / largest
    steps = 1
    while steps <= _LARGEST + 1:
        off = np.abs(shares * steps - np.rint(shares * steps))
        if off.max() < 1e-6:  # the caller compares to the last bit
            return largest / steps
        # two fractions of 16-bit denominators lie further apart than rounding reaches, so the one nearby is the true one
        worst = Fraction(float(shares[off.argmax()])).limit_denominator(_LARGEST + 1)
        more = math.lcm(steps, worst.denominator)
        if more == steps:
            return None
        steps = more
    return None
