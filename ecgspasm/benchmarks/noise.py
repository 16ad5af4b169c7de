"""The same records with recorded noise of the MIT-BIH Noise Stress Test Database added at stated ratios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
from scipy.signal import resample_poly

from ecgspasm.benchmarks.sets import Case
from ecgspasm.benchmarks.truth import WaveTable
from ecgspasm.ecg import Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.wfdb.reader import read_digital

KINDS = ("bw", "em", "ma")
"""Baseline wander, electrode motion, muscle; they enter in equal parts."""

LEVELS_DB = (24, 12, 6)

# The nets were trained with the first 60 % of each noise record; scoring uses the rest.
_UNUSED_FROM = 0.6


def read_noise(folder: Path, fs: float) -> Floats:
    """The part of the noise that no net has seen, at another sampling rate, each row of unit variance, shape (row, sample)."""
    rows = []
    for kind in KINDS:
        digital = read_digital(str(folder / f"{kind}.hea"))
        if digital.header.fs is None:
            raise EcgError(f"{kind}.hea gives no sampling rate; fetch the record again")
        samples = np.asarray(digital.samples, dtype=float)
        samples = samples[:, int(_UNUSED_FROM * samples.shape[1]) :]
        rows.append(resample_poly(samples, round(fs), round(digital.header.fs), axis=1))
    noise = np.concatenate(rows)
    noise -= noise.mean(axis=1, keepdims=True)
    return np.asarray(noise / noise.std(axis=1, keepdims=True))


def with_noise(
    delineator: Callable[[Case], Mapping[str, WaveTable]], folder: Path, snr_db: float
) -> Callable[[Case], Mapping[str, WaveTable]]:
    """Let a delineator work on noisy copies of the records.

    Parameters
    ----------
    delineator : callable
    folder : Path
        Holds ``bw``, ``em`` and ``ma`` of NSTDB.
    snr_db : float
        Variance of each lead over that of the noise in it. Where in the noise a lead's piece begins follows from the record's
        name, so that every method and every run sees the same.
    """
    by_rate: dict[float, Floats] = {}

    def noisy(case: Case) -> Mapping[str, WaveTable]:
        rate = case.ecg.fs
        by_rate[rate] = by_rate[rate] if rate in by_rate else read_noise(folder, rate)
        return delineator(replace(case, ecg=add_noise(case.ecg, by_rate[rate], snr_db, case.name)))

    return noisy


def add_noise(ecg: Ecg, noise: Floats, snr_db: float, name: str) -> Ecg:
    """An ECG with equal parts of each kind of noise in every lead.

    Parameters
    ----------
    ecg : Ecg
    noise : ndarray
        From `read_noise`, at the sampling rate of `ecg`.
    snr_db : float
    name : str
        Where in the noise a lead's piece begins follows from this.
    """
    rng = np.random.default_rng(crc32(name.encode()))
    n_leads, n = ecg.signal_uv.shape
    pieces = np.zeros((n_leads, n))
    for kind in range(len(KINDS)):
        for lead in range(n_leads):
            row = noise[2 * kind + rng.integers(2)]
            pieces[lead] += row[(rng.integers(len(row)) + np.arange(n)) % len(row)]
    size = ecg.signal_uv.std(axis=1, keepdims=True) * 10.0 ** (-snr_db / 20.0)
    pieces *= size / pieces.std(axis=1, keepdims=True)
    return replace(ecg, signal_uv=ecg.signal_uv + pieces)
