"""What goes wrong between the heart and the file: each takes an ECG and random numbers, and gives the ECG that arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.signal import lfilter

import ecgspasm as es
from ecgspasm.ecg import Floats
from ecgspasm.simulate import INDEPENDENT

Disturbance = Callable[[es.Ecg, np.random.Generator], es.Ecg]


def rows_of(ecg: es.Ecg, rng: np.random.Generator) -> list[int]:
    """One lead, some leads or all."""
    n = len(ecg.leads)
    count = int(rng.choice([1, rng.integers(1, n + 1), n]))
    return [int(row) for row in rng.choice(n, size=count, replace=False)]


def eight_leads(ecg: es.Ecg) -> es.Ecg:
    """Only the leads that carry information of their own, as many devices store them."""
    keep = [ecg.index(lead) for lead in INDEPENDENT]
    return replace(ecg, signal_uv=ecg.signal_uv[keep], leads=INDEPENDENT)


def sometimes_eight(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    return eight_leads(ecg) if rng.random() < 0.4 else ecg


def changed(ecg: es.Ecg, rows: list[int], values: Floats) -> es.Ecg:
    """Other samples in some leads."""
    signal = np.array(ecg.signal_uv)
    signal[rows] = values
    return replace(ecg, signal_uv=signal)


def added(ecg: es.Ecg, rng: np.random.Generator, what: Floats) -> es.Ecg:
    """Something added: to the recorded leads, from which the others follow, or to the rows of the file."""
    if rng.random() < 0.5:
        eight = eight_leads(replace(ecg, signal_uv=ecg.signal_uv + what)).with_derived_leads()
        return replace(ecg, signal_uv=np.stack([eight[lead] for lead in ecg.leads]))
    return replace(ecg, signal_uv=ecg.signal_uv + what)


def in_rows(ecg: es.Ecg, rows: list[int], make: Callable[[], Floats]) -> Floats:
    """Zeros, and in some leads what is made anew for each."""
    what = np.zeros(ecg.signal_uv.shape)
    for row in rows:
        what[row] = make()
    return what


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def flat(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """A lead not connected: a constant, with what the converter adds of its own."""
    ecg = sometimes_eight(ecg, rng)
    rows = rows_of(ecg, rng)
    level = rng.uniform(-5000.0, 5000.0) if rng.random() < 0.5 else 0.0
    noise = float(rng.choice([0.0, 1.0, 3.0, 10.0]))
    return changed(ecg, rows, level + noise * rng.standard_normal((len(rows), ecg.signal_uv.shape[1])))


def flat_in_part(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Lost packets: zeros or the last value instead of the signal, for a while or again and again."""
    ecg = sometimes_eight(ecg, rng)
    signal, n = np.array(ecg.signal_uv), ecg.signal_uv.shape[1]
    rows = rows_of(ecg, rng)
    for _ in range(int(rng.integers(1, 6))):
        start, length = int(rng.integers(n)), int(log_uniform(rng, 0.05, 5.0) * ecg.fs)
        signal[rows, start : start + length] = signal[rows, start][:, None] if rng.random() < 0.5 else 0.0
    return replace(ecg, signal_uv=signal)


def missing_lead(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Some leads are not in the file."""
    keep = sorted(set(range(len(ecg.leads))) - set(rng.choice(len(ecg.leads), size=rng.integers(1, 12), replace=False).tolist()))
    return replace(ecg, signal_uv=ecg.signal_uv[keep], leads=tuple(ecg.leads[row] for row in keep))


def nan_whole(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    ecg = sometimes_eight(ecg, rng)
    return changed(ecg, rows_of(ecg, rng), np.array(np.nan))


def nan_part(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Gaps of some ms to some s, or single samples all over."""
    ecg = sometimes_eight(ecg, rng)
    signal, n = np.array(ecg.signal_uv), ecg.signal_uv.shape[1]
    if rng.random() < 0.3:
        signal[rng.random(signal.shape) < log_uniform(rng, 1e-4, 0.1)] = np.nan
        return replace(ecg, signal_uv=signal)
    for _ in range(int(rng.integers(1, 8))):
        start, length = int(rng.integers(n)), max(int(log_uniform(rng, 0.005, 3.0) * ecg.fs), 1)
        signal[rows_of(ecg, rng), start : start + length] = np.nan
    return replace(ecg, signal_uv=signal)


def clipped(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """An amplifier or converter at the end of its range, on one side or both, sometimes with a little noise behind it."""
    ecg = sometimes_eight(ecg, rng)
    signal = np.array(ecg.signal_uv)
    for row in rows_of(ecg, rng):
        low, high = signal[row].min(), signal[row].max()
        middle = np.median(signal[row])
        top, bottom = (middle + rng.uniform(0.03, 0.97) * (end - middle) for end in (high, low))
        which = rng.integers(3)
        behind = float(rng.choice([0.0, 0.0, 0.5, 2.0])) * rng.standard_normal(signal.shape[1])
        signal[row] = np.clip(signal[row], low if which == 0 else bottom, high if which == 1 else top) + behind
    return replace(ecg, signal_uv=signal)


def mains(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """50 or 60 Hz, a little off, with harmonics, in one lead or in all, all the time or for a while."""
    hz = float(rng.choice([50.0, 60.0])) + rng.choice([0.0, rng.normal(0.0, 0.1)])
    time = np.arange(ecg.signal_uv.shape[1]) / ecg.fs
    size = log_uniform(rng, 5.0, 2000.0)
    harmonic = float(rng.choice([0.0, 0.2])) if 3 * hz < 0.45 * ecg.fs else 0.0
    part = np.ones(len(time)) if rng.random() < 0.7 else (time > rng.uniform(0, 8)) * (time < rng.uniform(2, 10))

    def hum() -> Floats:
        phase = rng.uniform(0, 2 * np.pi, 2)
        wave = np.sin(2 * np.pi * hz * time + phase[0]) + harmonic * np.sin(6 * np.pi * hz * time + phase[1])
        return np.asarray(size * rng.uniform(0.5, 1.0) * wave * part)

    return added(ecg, rng, in_rows(ecg, rows_of(ecg, rng), hum))


def coloured(rng: np.random.Generator, n: int, fs: float, low_hz: float, high_hz: float, slope: float) -> Floats:
    """Noise of unit variance between two frequencies whose power falls with the frequency to a power, shape (sample,)."""
    hertz = np.fft.rfftfreq(n, 1.0 / fs)
    inside = (hertz >= low_hz) & (hertz <= high_hz)
    size = np.where(inside, np.maximum(hertz, 1e-3) ** (-slope / 2.0), 0.0)
    noise = np.fft.irfft(size * (rng.standard_normal(len(hertz)) + 1j * rng.standard_normal(len(hertz))), n)
    return np.asarray(noise / max(noise.std(), 1e-12))


def muscle(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """15-150 Hz, steady or in bursts."""
    n = ecg.signal_uv.shape[1]
    size, bursts = log_uniform(rng, 3.0, 500.0), rng.random() < 0.5

    def noise() -> Floats:
        envelope = np.clip(1.0 + 1.5 * coloured(rng, n, ecg.fs, 0.1, 2.0, 0.0), 0.0, None) if bursts else 1.0
        return np.asarray(size * envelope * coloured(rng, n, ecg.fs, 15.0, min(150.0, 0.48 * ecg.fs), 0.0))

    return added(ecg, rng, in_rows(ecg, rows_of(ecg, rng), noise))


def wander(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Below 0.8 Hz (breathing of a dyspnoeic person), up to 5 mV."""
    n, time = ecg.signal_uv.shape[1], np.arange(ecg.signal_uv.shape[1]) / ecg.fs
    size, breath_hz = log_uniform(rng, 20.0, 5000.0), rng.uniform(0.1, 0.8)
    breathing = rng.random() < 0.5

    def drift() -> Floats:
        if breathing:
            return np.asarray(size * np.sin(2 * np.pi * breath_hz * time + rng.uniform(0, 6.3)))
        return size * coloured(rng, n, ecg.fs, 0.03, 0.5, 1.0) / 2.0

    return added(ecg, rng, in_rows(ecg, rows_of(ecg, rng), drift))


def steps(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """The level jumps, and stays or creeps back."""
    n = ecg.signal_uv.shape[1]

    def jumps() -> Floats:
        pulses = np.zeros(n)
        places = rng.integers(0, n, int(rng.integers(1, 6)))
        pulses[places] = rng.choice([-1, 1], len(places)) * log_uniform(rng, 50.0, 10_000.0)
        left = np.exp(-1.0 / (ecg.fs * rng.choice([0.1, 0.5, 3.2, 1e6])))
        return np.asarray(lfilter([1.0], [1.0, -left], pulses))

    return added(ecg, rng, in_rows(ecg, rows_of(ecg, rng), jumps))


def electrode_motion(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """An electrode that is touched: bumps of the width of a T wave or a QRS complex, as tall as they are, at any instant."""
    n, time = ecg.signal_uv.shape[1], np.arange(ecg.signal_uv.shape[1]) / ecg.fs
    size, count = log_uniform(rng, 50.0, 5000.0), int(rng.integers(1, 15))

    def bumps() -> Floats:
        total = np.zeros(n)
        for _ in range(count):
            width = log_uniform(rng, 0.03, 0.5)
            total += size * rng.normal() * np.exp(-0.5 * ((time - rng.uniform(0, time[-1])) / width) ** 2)
        return total

    return added(ecg, rng, in_rows(ecg, rows_of(ecg, rng), bumps))


def spikes(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Single samples far off, as a bad contact or a lost bit gives."""
    n = ecg.signal_uv.shape[1]
    share, size = log_uniform(rng, 2e-4, 0.03), log_uniform(rng, 200.0, 40_000.0)

    def spiky() -> Floats:
        return np.where(rng.random(n) < share, size * rng.choice([-1.0, 1.0], n), 0.0)

    return added(ecg, rng, in_rows(ecg, rows_of(ecg, rng), spiky))


def offsets(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Electrode offsets up to 300 mV (IEC 60601-2-25), other ones in every lead."""
    size = log_uniform(rng, 100.0, 300_000.0)
    return replace(ecg, signal_uv=ecg.signal_uv + rng.uniform(-size, size, (len(ecg.leads), 1)))


def int16_extremes(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Stored as 16-bit numbers whose range is too small: it saturates, it wraps around, or -32768 stands for "no sample"."""
    ecg = sometimes_eight(ecg, rng)
    lsb = log_uniform(rng, 0.02, 5.0)
    digital = np.round(ecg.signal_uv / lsb)
    rows, which = rows_of(ecg, rng), rng.integers(3)
    if which == 2:
        mask = rng.random((len(rows), digital.shape[1])) < log_uniform(rng, 2e-4, 0.1)
        digital[rows] = np.where(mask, -32768.0, digital[rows])
        return replace(ecg, signal_uv=np.clip(digital, -32768, 32767) * lsb)
    # The offset leaves little room above the signal, or none.
    for row in rows:
        room = rng.uniform(-0.5, 0.2) * np.ptp(digital[row])
        digital[row] += 32767.0 - room - digital[row].max() - 0.5 * np.ptp(digital[row]) * rng.random()
    if which == 0:
        return replace(ecg, signal_uv=np.clip(digital, -32768, 32767) * lsb)
    return replace(ecg, signal_uv=((digital + 32768.0) % 65536.0 - 32768.0) * lsb)


def lead_of_noise(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """One or two leads show noise alone, the others the heart: an electrode that has come off."""
    ecg = sometimes_eight(ecg, rng)
    n = ecg.signal_uv.shape[1]
    rows = [int(row) for row in rng.choice(len(ecg.leads), size=rng.integers(1, 4), replace=False)]
    size, slope = log_uniform(rng, 3.0, 1000.0), float(rng.choice([0.0, 1.0, 2.0]))
    noise = np.stack([size * coloured(rng, n, ecg.fs, 0.05, 0.45 * ecg.fs, slope) for _ in rows])
    return changed(ecg, rows, noise + rng.uniform(-1000.0, 1000.0))
