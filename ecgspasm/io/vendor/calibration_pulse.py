"""Calibration pulses that some devices store with the ECG: Philips appends one to every lead."""

from __future__ import annotations

import numpy as np

from ecgspasm.ecg import Floats

_PULSE_UV = 1000.0
"""1 mV, the calibration pulse of electrocardiographs (IEC 60601-2-25, 201.12.4)."""
_TOLERANCE_UV = 50.0
_LEAST_LEADS = 3
_SHORTEST_S, _LONGEST_S = 0.1, 2.0


def ecg_span(signal_uv: Floats, fs: float) -> tuple[int, int]:
    """First sample of the ECG, and the one behind its last, without calibration pulses at either end.

    No heart gives the same voltage in all leads at once (I, II and aVR can only be equal at 0), so a stretch at an end in
    which all leads are equal, and that steps by 1 mV, is a pulse.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
    fs : float

    Examples
    --------
    >>> ecg = np.cumsum(np.ones((3, 1000)), axis=1) * [[1.0], [2.0], [3.0]]
    >>> pulse = np.repeat([[0.0, 1000.0, 0.0]], 50, axis=1).repeat(3, axis=0)
    >>> ecg_span(np.hstack([ecg, pulse]), 500.0)
    (0, 1000)
    """
    n = signal_uv.shape[1]
    if len(signal_uv) < _LEAST_LEADS:
        return 0, n
    differs = np.flatnonzero(np.any(signal_uv != signal_uv[:1], axis=0))
    if not len(differs):
        return 0, n
    first, last = int(differs[0]), int(differs[-1]) + 1
    return (
        first if _is_pulse(signal_uv[0, :first], fs) else 0,
        last if _is_pulse(signal_uv[0, last:], fs) else n,
    )


def _is_pulse(stretch_uv: Floats, fs: float) -> bool:
    """Whether it is nothing but two levels, 1 mV apart."""
    if not _SHORTEST_S * fs <= len(stretch_uv) <= _LONGEST_S * fs or not np.isfinite(stretch_uv).all():
        return False
    low, high = float(stretch_uv.min()), float(stretch_uv.max())
    at_a_level = np.minimum(stretch_uv - low, high - stretch_uv) <= _TOLERANCE_UV
    return abs(high - low - _PULSE_UV) <= _TOLERANCE_UV and bool(at_a_level.mean() > 0.9)
