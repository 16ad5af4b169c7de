"""Cleaning that leaves the ST segment where it is.

No high-pass filter is applied to the signal that is measured: common ones take 22-25 % of an ST plateau at 70/min. Instead, a
cubic spline through the level just before each QRS complex, which is the reference of every ST measurement, is subtracted (Meyer
CR, Keiser HN, Comput Biomed Res 1977;10:459-470). Mains hum is removed by a zero-phase notch where the spectrum shows some.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ecgspasm.ecg import Floats
from ecgspasm.processing.settings import settings
from ecgspasm.processing.spline import NaturalSpline


def fill_gaps(signal_uv: Floats) -> Floats:
    """Bridge missing samples linearly, so that filters can run; a lead without any sample becomes zero.

    Which samples were missing must be remembered by the caller: what lies in a bridge is never measured.
    """
    missing = np.isnan(signal_uv)
    if not missing.any():
        return signal_uv
    filled = signal_uv.copy()
    position = np.arange(signal_uv.shape[1])
    for row in np.flatnonzero(missing.any(axis=1)):
        there = ~missing[row]
        filled[row] = np.interp(position, position[there], signal_uv[row, there]) if there.any() else 0.0
    return filled


def remove_mains(signal_uv: Floats, fs: float) -> Floats:
    """Take out 50 or 60 Hz hum where the spectrum of a lead has a line there, by a zero-phase notch.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        Without missing samples.
    fs : float

    Returns
    -------
    ndarray, shape (lead, sample)
        The same array if there is nothing to remove.
    """
    limits = settings("mains")
    # The spectrum of at most the first 20 s decides; hum does not come and go within a recording of a resting person.
    part = signal_uv[:, : int(20 * fs)]
    window, total = _hann(part.shape[1])
    spectrum = np.fft.rfft((part - part.mean(axis=1, keepdims=True)) * window, axis=1)
    hertz = np.fft.rfftfreq(part.shape[1], 1.0 / fs)
    cleaned = signal_uv
    for mains in limits["frequencies_hz"]:
        if mains + 6.0 > fs / 2:
            continue
        near = slice(*np.searchsorted(hertz, (mains - 6.0, mains + 6.0 + 1e-9)))
        amplitude, off = np.abs(spectrum[:, near]) * 2.0 / total, np.abs(hertz[near] - mains)
        line = amplitude[:, off <= 0.6].max(axis=1)
        floor = np.median(amplitude[:, off >= 2.0], axis=1)
        rows = np.flatnonzero((line > limits["line_to_floor"] * floor) & (line > limits["smallest_uv"]))
        if len(rows):
            b, a = signal.iirnotch(mains, mains / limits["notch_width_hz"], fs)
            cleaned = cleaned.copy() if cleaned is signal_uv else cleaned
            cleaned[rows] = signal.filtfilt(b, a, cleaned[rows], axis=1, padlen=min(int(fs), signal_uv.shape[1] - 1))
    return cleaned


@lru_cache(maxsize=4)
def _hann(length: int) -> tuple[Floats, float]:
    window = np.hanning(length)
    return window, float(window.sum())


def remove_baseline(signal_uv: Floats, fs: float, knots: NDArray[np.floating]) -> Floats:
    """Subtract the cubic spline through the PR levels.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
    fs : float
    knots : ndarray, shape (knot,)
        Samples at which the PR segment ends (QRS onsets), increasing; the level is the mean of the `knot_ms` before each.

    Returns
    -------
    ndarray, shape (lead, sample)
        Outside the first and last knot the level there is kept.
    """
    width = max(1, round(settings("baseline")["knot_ms"] * fs / 1000.0))
    ends = np.round(knots).astype(int)
    ends = np.unique(ends[(ends >= width) & (ends < signal_uv.shape[1])])
    if len(ends) == 0:
        return np.asarray(signal_uv - np.median(signal_uv, axis=1, keepdims=True))
    levels = _mean_before(signal_uv, ends, width)
    if len(ends) == 1:
        return np.asarray(signal_uv - levels)
    centres: Floats = ends - (width + 1) / 2.0
    position: Floats = np.clip(np.arange(float(signal_uv.shape[1])), centres[0], centres[-1])
    level = NaturalSpline(centres, levels)
    places, between = _between_beats(signal_uv, fs, ends, level)
    if len(places):
        order = np.argsort(np.concatenate([centres, places]))
        knots, values = np.concatenate([centres, places])[order], np.concatenate([levels, between], axis=1)[:, order]
        level = NaturalSpline(knots, values)
    return np.asarray(signal_uv - level(position))


def _mean_before(signal_uv: Floats, ends: NDArray[np.intp], width: int) -> Floats:
    """Mean of the `width` samples before each of `ends`, shape (lead, end)."""
    return np.asarray(signal_uv[:, ends[:, None] - np.arange(1, width + 1)].mean(axis=2))


def _between_beats(signal_uv: Floats, fs: float, ends: NDArray[np.intp], level: NaturalSpline) -> tuple[Floats, Floats]:
    """Further knots between two PR levels that lie far apart: places, and the level of the wander there, shape (lead, place).

    The level before the P wave is compared with its own median over the beats, so that a U wave or a TP segment that is not
    isoelectric leaves no trace: only what differs from beat to beat is wander.
    """
    numbers = settings("baseline")
    before_p = ends[1:] - round(numbers["before_p_ms"] * fs / 1000.0)
    far = np.diff(ends) > numbers["far_ms"] * fs / 1000.0
    if far.sum() < numbers["fewest"]:
        return np.empty(0), np.empty((len(signal_uv), 0))
    width = max(1, round(numbers["level_ms"] * fs / 1000.0))
    places = before_p[far] - (width + 1) / 2.0
    expected = level(places)
    left = _mean_before(signal_uv, before_p[far], width) - expected
    return places, expected + left - np.median(left, axis=1, keepdims=True)
