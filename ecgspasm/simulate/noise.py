"""What the electrodes add: muscle, mains and wander, independent in the eight leads that are recorded.

All are sums of sines of continuous time whose number depends on the duration alone, so that the same seed gives the
same noise at another sampling rate (at less than 300 Hz without the part that such a rate cannot hold, scaled up to the
size that was asked for).
"""

from __future__ import annotations

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.simulate.heart import INDEPENDENT

_MUSCLE_HZ = (15.0, 150.0)
_WANDER_HZ = (0.05, 0.4)
_N_WANDER = 8
_N_LEADS = len(INDEPENDENT)


def muscle(rng: np.random.Generator, n_samples: int, fs: float, rms_uv: float) -> Floats:
    """Noise between 15 and 150 Hz (or half the sampling rate) of a given root mean square, shape (8, sample)."""
    duration_s = n_samples / fs
    low, high = (round(edge * duration_s) for edge in _MUSCLE_HZ)
    parts = rng.standard_normal((high - low, _N_LEADS, 2))
    parts = parts[: max((n_samples - 1) // 2 - low, 0)]
    spectrum = np.zeros((_N_LEADS, n_samples // 2 + 1), dtype=complex)
    spectrum[:, low : low + len(parts)] = (parts[..., 0] + 1j * parts[..., 1]).T
    if not len(parts):
        raise EcgError("noise_uv needs a longer recording; give duration_s of at least 1")
    return np.asarray(np.fft.irfft(spectrum, n_samples, axis=1) * (rms_uv * n_samples / (2.0 * np.sqrt(len(parts)))))


def wander(rng: np.random.Generator, n_samples: int, fs: float, rms_uv: float) -> Floats:
    """Slow drift between 0.05 and 0.4 Hz of a given root mean square, shape (8, sample)."""
    hz = rng.uniform(*_WANDER_HZ, _N_WANDER)
    phase = rng.uniform(0, 2 * np.pi, (_N_LEADS, _N_WANDER))
    angle = 2 * np.pi * hz[:, None] * (np.arange(n_samples) / fs)
    drift = np.cos(phase) @ np.sin(angle) + np.sin(phase) @ np.cos(angle)
    return np.asarray(drift * rms_uv * np.sqrt(2.0 / _N_WANDER))


def mains(rng: np.random.Generator, n_samples: int, fs: float, peak_uv: float, hz: float) -> Floats:
    """A sine of a given amplitude (half of peak to peak), its phase different in every lead, shape (8, sample)."""
    if not 0 < hz < fs / 2:
        raise EcgError(f"mains_hz is {hz!r}; give a frequency above 0 and below half the sampling rate ({fs / 2:g} Hz)")
    phase = rng.uniform(0, 2 * np.pi, (_N_LEADS, 1))
    return np.asarray(peak_uv * np.sin(2 * np.pi * hz * np.arange(n_samples) / fs + phase))
