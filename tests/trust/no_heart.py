"""Recordings in which no ST segment can be measured: fibrillation, asystole, noise. Any value would be invented."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

import ecgspasm as es
from ecgspasm.benchmarks.noise import read_noise
from ecgspasm.ecg import Floats
from ecgspasm.leads import STANDARD
from ecgspasm.simulate import load_heart
from ecgspasm.simulate.heart import limb_matrix
from tests.trust.rhythms import with_spikes
from tests.trust.signals import coloured, log_uniform

NoHeart = Callable[[np.random.Generator], es.Ecg]


def _grid(rng: np.random.Generator) -> tuple[float, int]:
    fs = float(rng.choice([250.0, 500.0, 1000.0]))
    return fs, round(fs * float(rng.choice([5.0, 10.0, 30.0], p=[0.2, 0.6, 0.2])))


def _twelve(eight: Floats, fs: float) -> es.Ecg:
    return es.Ecg(signal_uv=limb_matrix() @ eight, fs=fs, leads=STANDARD)


def _amplifier(rng: np.random.Generator, n: int, fs: float) -> Floats:
    """What stays without a heart: some noise, some drift, some hum, shape (8, sample)."""
    noise = log_uniform(rng, 1.0, 10.0) * rng.standard_normal((8, n))
    drift = log_uniform(rng, 1.0, 500.0) * np.stack([coloured(rng, n, fs, 0.05, 0.5, 1.0) for _ in range(8)])
    hum = float(rng.choice([0.0, 5.0, 50.0])) * np.sin(2 * np.pi * 50.0 * np.arange(n) / fs + rng.uniform(0, 6.3, (8, 1)))
    return np.asarray(noise + drift + hum)


def fibrillation(rng: np.random.Generator) -> es.Ecg:
    """Coarse to fine ventricular fibrillation, torsade or flutter: the heart vector turns at 3 to 9 Hz, waxing and waning."""
    fs, n = _grid(rng)
    time = np.arange(n) / fs
    size, hz = log_uniform(rng, 50.0, 1200.0), rng.uniform(3.0, 8.0)
    which = str(rng.choice(["fibrillation", "torsade", "flutter"], p=[0.7, 0.2, 0.1]))
    if which == "fibrillation":
        band = rng.uniform(0.3, 2.0)
        parts = np.stack([coloured(rng, n, fs, max(hz - band, 2.0), hz + band, 0.0) for _ in range(3)])
    elif which == "torsade":
        phase = 2 * np.pi * np.cumsum(rng.uniform(3.5, 4.5) + 0.3 * coloured(rng, n, fs, 0.1, 1.0, 0.0)) / fs
        turn = 2 * np.pi * rng.uniform(0.1, 0.4) * time + rng.uniform(0, 6.3, (3, 1))
        parts = np.sin(phase) * np.sin(turn)
    else:
        phase = 2 * np.pi * rng.uniform(4.2, 5.5) * time
        parts = np.stack([np.sin(phase + shift) for shift in rng.uniform(0, 6.3, 3)])
    return _twelve(load_heart().lead_matrix @ (size * parts) + _amplifier(rng, n, fs), fs)


def asystole(rng: np.random.Generator) -> es.Ecg:
    """A flat line, P waves without ventricular beats, spikes that nothing follows, or chest compressions."""
    fs, n = _grid(rng)
    time = np.arange(n) / fs
    eight = _amplifier(rng, n, fs)
    which = rng.integers(4)
    if which == 1:
        rate_hz = rng.uniform(0.8, 2.0)
        since = (time * rate_hz) % 1.0 / rate_hz - 0.2
        wave = np.exp(-0.5 * (since / 0.022) ** 2) + 0.7 * np.exp(-0.5 * ((since - 0.035) / 0.02) ** 2)
        eight += np.outer(load_heart().lead_matrix @ rng.uniform(20.0, 120.0, 3), wave)
    elif which == 2:
        spikes = np.arange(rng.uniform(0, 800), 1000.0 * n / fs, 60_000.0 / rng.uniform(50.0, 100.0)).tolist()
        return with_spikes(_twelve(eight, fs), spikes, log_uniform(rng, 200.0, 20_000.0), rng)
    elif which == 3:
        phase = 2 * np.pi * np.cumsum(rng.uniform(1.6, 2.1) + 0.05 * coloured(rng, n, fs, 0.1, 1.0, 0.0)) / fs
        harmonics = sum(np.sin(k * phase + rng.uniform(0, 6.3)) / k ** rng.uniform(0.8, 2.0) for k in range(1, 5))
        eight += np.outer(log_uniform(rng, 100.0, 2000.0) * rng.normal(size=8), harmonics)
    return _twelve(eight, fs)


def white_noise(rng: np.random.Generator) -> es.Ecg:
    fs, n = _grid(rng)
    return _twelve(log_uniform(rng, 5.0, 1000.0) * rng.standard_normal((8, n)), fs)


def pink_noise(rng: np.random.Generator) -> es.Ecg:
    fs, n = _grid(rng)
    slope, low = float(rng.uniform(0.7, 2.0)), float(rng.choice([0.05, 0.5]))
    return _twelve(log_uniform(rng, 10.0, 1000.0) * np.stack([coloured(rng, n, fs, low, 0.45 * fs, slope) for _ in range(8)]), fs)


def muscle_noise(rng: np.random.Generator) -> es.Ecg:
    fs, n = _grid(rng)
    tremor = float(rng.choice([0.0, 1.0])) * coloured(rng, n, fs, 4.0, 6.0, 0.0)
    rows = [coloured(rng, n, fs, 15.0, min(150.0, 0.48 * fs), 0.0) + rng.uniform(0.0, 2.0) * tremor for _ in range(8)]
    envelope = np.clip(1.0 + rng.uniform(0.0, 1.5) * coloured(rng, n, fs, 0.1, 2.0, 0.0), 0.0, None)
    return _twelve(log_uniform(rng, 10.0, 500.0) * np.stack(rows) * envelope, fs)


@cache
def noise_of(data: Path, fs: float) -> Floats:
    """Recorded noise (NSTDB), rows of unit variance."""
    return read_noise(data / "nstdb", fs)


def recorded_noise(data: Path) -> NoHeart:
    """One kind of recorded noise, or all of them, in all leads."""

    def make(rng: np.random.Generator) -> es.Ecg:
        fs, n = _grid(rng)
        return _twelve(log_uniform(rng, 30.0, 1000.0) * recorded_rows(data, rng, fs, (8, n)), fs)

    return make


def recorded_rows(data: Path, rng: np.random.Generator, fs: float, shape: tuple[int, int]) -> Floats:
    """Pieces of recorded noise of unit variance, another one in every row: wander, electrode motion, muscle, or a mixture."""
    noise = noise_of(data, fs)
    kinds = [[0], [1], [2], [0, 1, 2]][rng.integers(4)]
    rows = np.zeros(shape)
    for row in rows:
        for kind in kinds:
            source = noise[2 * kind + rng.integers(2)]
            row += source[(rng.integers(len(source)) + np.arange(shape[1])) % len(source)]
    return np.asarray(rows / np.maximum(rows.std(axis=1, keepdims=True), 1e-9))
