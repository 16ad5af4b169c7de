"""Pacing spikes and single wrong samples: what is narrower than anything that a heart does.

A spike lasts up to 2 ms and is smeared by the amplifier to a few more. Where it is bridged, what it leaves behind (the charge of
the electrode, which decays over some tens of ms) stays in the signal: before QRS it is taken out of the level that ST is measured
against, and leads in which it may still be there at J are refused.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats
from ecgspasm.processing.settings import settings

SPIKES = "spikes of"


class Spikes(NamedTuple):
    """Where spikes are, and how tall."""

    sample: NDArray[np.intp]
    """Shape (spike,)."""
    size_uv: Floats
    """Height in each lead against the signal some ms before and after, shape (lead, spike)."""
    tall: NDArray[np.bool_]
    """Whether it is taller than the narrowest notch of a QRS complex; the others count outside QRS only."""

    @property
    def strange(self) -> NDArray[np.bool_]:
        """Whether it is taller than those of the recordings that the net has learnt from."""
        if not self.tall.any():
            return self.tall
        return np.asarray(self.tall & (np.sqrt((self.size_uv**2).mean(axis=0)) > settings("spikes")["learnt_uv"]))

    def of_all(self, rows: NDArray[np.bool_]) -> Spikes:
        """The same with rows for all leads, zero in those that were not looked at."""
        size = np.zeros((len(rows), len(self.sample)))
        size[rows] = self.size_uv
        return self._replace(size_uv=size)


def find_spikes(signal_uv: Floats, fs: float) -> Spikes:
    """Find what is sharp in the signal, shape (lead, sample), without missing samples.

    A point is sharp when it stands out as much from its close neighbours as from those three times as far: a spike does, while
    the summit of a QRS complex has fallen by a fraction only.
    """
    numbers = settings("spikes")
    near, far = (max(1, round(numbers[name] * fs / 1000.0)) for name in ("near_ms", "far_ms"))
    n_leads, n = signal_uv.shape
    none = Spikes(np.empty(0, dtype=np.intp), np.empty((n_leads, 0)), np.empty(0, dtype=bool))
    # At low sampling rates a QRS complex is as sharp as a spike.
    if n_leads == 0 or n <= 4 * far or far < numbers["least_ratio"] * near:
        return none
    # A few leads tell where to look; all of them tell what is there.
    few = signal_uv[::3]
    close = np.sqrt((_standing_out(few, near, far) ** 2).mean(axis=0))
    usual = float(np.median(close[:: max(1, len(close) // 2000)]))
    at = np.flatnonzero(close > max(numbers["smallest_uv"], numbers["times_usual"] * usual)) + far
    size = signal_uv[:, at] - (signal_uv[:, at - far] + signal_uv[:, at + far]) / 2.0
    stands = signal_uv[:, at] - (signal_uv[:, at - near] + signal_uv[:, at + near]) / 2.0
    # A noisy lead is sharp everywhere, on a summit of QRS too: it tells nothing where it only does what it always does.
    some = np.arange(far, n - far, max(1, n // 2000))
    own = np.abs(signal_uv[:, some] - (signal_uv[:, some - near] + signal_uv[:, some + near]) / 2.0)
    told = np.abs(stands) > numbers["times_usual"] * np.median(own, axis=1, keepdims=True)
    size, stands = np.where(told, size, 0.0), np.where(told, stands, 0.0)
    height = np.sqrt((size**2).mean(axis=0))
    top = np.sqrt((stands**2).mean(axis=0))
    sharp = np.flatnonzero(top >= numbers["sharpness"] * height)
    if len(sharp) == 0:
        return none
    # Of neighbouring points the tallest is the spike.
    group = np.concatenate([[0], np.cumsum(np.diff(at[sharp]) > far)])
    if group[-1] >= numbers["most_per_s"] * n / fs:
        return none  # noise all over, not spikes
    order = np.lexsort((-top[sharp], group))
    chosen = sharp[order[np.searchsorted(group, np.arange(group[-1] + 1))]]
    return Spikes(at[chosen], np.abs(size[:, chosen]), top[chosen] > numbers["tall_uv"])


def _standing_out(rows: Floats, near: int, far: int) -> Floats:
    n = rows.shape[1]
    middle = rows[:, far : n - far]
    return np.asarray(middle - (rows[:, far - near : n - far - near] + rows[:, far + near : n - far + near]) / 2.0)


def reach(fs: float) -> int:
    """Samples on each side of a spike that belong to it."""
    numbers = settings("spikes")
    return int(max(round(numbers["reach_ms"] * fs / 1000.0), numbers["reach_samples"]))


def bridge(signal_uv: Floats, at: NDArray[np.intp], fs: float) -> Floats:
    """Draw a line over each spike; the same array if there is none."""
    if len(at) == 0:
        return signal_uv
    width, n = reach(fs), signal_uv.shape[1]
    inside = np.zeros(n, dtype=bool)
    inside[np.clip(at[:, None] + np.arange(1 - width, width), 0, n - 1)] = True
    position, outside = np.flatnonzero(inside), np.flatnonzero(~inside)
    bridged = signal_uv.copy()
    for row, values in enumerate(signal_uv):
        bridged[row, position] = np.interp(position, outside, values[outside])
    return bridged


def level_before(signal_uv: Floats, at: NDArray[np.intp], qrs_onset: Floats, fs: float) -> Floats:
    """Hold the level from before a spike until the QRS complex that follows closely; the same array if none does."""
    numbers = settings("spikes")
    width, held = reach(fs), None
    for onset in qrs_onset[np.isfinite(qrs_onset)]:
        close = at[(at <= onset + width) & (at > onset - numbers["captures_ms"] * fs / 1000.0)]
        if len(close) and close[-1] - width >= 0:
            held = signal_uv.copy() if held is None else held
            first, last = int(close[-1]) - width, max(int(np.ceil(onset)), int(close[-1]) + 1)
            held[:, first + 1 : last] = signal_uv[:, [first]]
    return signal_uv if held is None else held


def without_spikes(signal_uv: Floats, spikes: Spikes, qrs_onset: Floats, j: Floats, fs: float) -> tuple[Floats, tuple[str, ...]]:
    """Take out small spikes outside QRS too, and what precedes a paced QRS complex.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        Without the tall ones.
    spikes : Spikes
        Of all leads.
    qrs_onset, j : ndarray, shape (beat,)
    fs : float

    Returns
    -------
    ndarray, shape (lead, sample)
    tuple of str
        Why a lead cannot be measured, empty for the others.
    """
    early, late = (settings("spikes")[name] * fs / 1000.0 for name in ("notch_after_ms", "notch_until_ms"))
    inside = (spikes.sample[:, None] > qrs_onset + early) & (spikes.sample[:, None] < j + late)
    small = ~spikes.tall & ~inside.any(axis=1)
    those = spikes.tall | small
    true = Spikes(spikes.sample[those], spikes.size_uv[:, those], spikes.tall[those])
    bridged = bridge(signal_uv, spikes.sample[small], fs)
    left = left_behind(true, qrs_onset, j, fs)
    tallest = true.size_uv.max(axis=1, initial=0.0) / 1000.0
    reasons = tuple(
        f"{SPIKES} {mv:.2g} mV; what they leave behind may reach ST" if uv > settings("spikes")["largest_left_uv"] else ""
        for uv, mv in zip(left, tallest, strict=True)
    )
    return level_before(bridged, true.sample, qrs_onset, fs), reasons


def in_front(spikes: Spikes, qrs_onset: Floats, fs: float) -> bool:
    """Whether at least every other QRS complex has a spike where its P wave would be."""
    numbers = settings("spikes")
    onset = qrs_onset[np.isfinite(qrs_onset), None]
    ahead_ms = (onset - spikes.sample) * 1000.0 / fs
    there = ((ahead_ms > numbers["captures_ms"]) & (ahead_ms < numbers["atrial_ms"])).any(axis=1)
    return bool(2 * np.count_nonzero(there) >= max(len(onset), 1))


def left_behind(spikes: Spikes, qrs_onset: Floats, j: Floats, fs: float) -> Floats:
    """Most that spikes may leave in ST: at J, or in the level before QRS; median over the beats, shape (lead,), in uV."""
    numbers = settings("spikes")
    known = np.isfinite(qrs_onset) & np.isfinite(j)
    if not (len(spikes.sample) and known.any()):
        return np.zeros(len(spikes.size_uv))
    at = spikes.sample[None, :]
    onset, j = qrs_onset[known, None], j[known, None]
    tau = numbers["decay_ms"] * fs / 1000.0
    before = at < onset - numbers["captures_ms"] * fs / 1000.0
    level = np.where(before, np.exp(-np.maximum(onset - at, 0.0) / tau), 0.0)
    late = np.where(at < j, np.exp(-np.maximum(j - at, 0.0) / tau), 0.0)
    share = numbers["left_share"] * np.maximum(level, late)
    return np.asarray(np.median((spikes.size_uv[:, None, :] * share[None]).max(axis=2), axis=1))
