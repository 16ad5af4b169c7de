"""How true the measurement is: analytic ECGs with added noise, and recorded noise at falling ratios."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from ecgspasm.analysis import analyze
from ecgspasm.benchmarks.noise import KINDS, read_noise
from ecgspasm.ecg import Ecg, Floats, number
from ecgspasm.simulate import ecg as simulate_ecg
from ecgspasm.simulate.calibration import CalibrationEcg, calibration_ecg, shapes
from ecgspasm.simulate.heart import INDEPENDENT, limb_matrix
from ecgspasm.simulate.noise import muscle

LIMITS_UV = {
    "no noise": 5.0,
    "muscle, 25 uV rms": 10.0,
    "50 Hz, 50 uV peak to peak": 5.0,
    "60 Hz, 50 uV peak to peak": 5.0,
    "wander, 1 mV peak to peak at 0.3 Hz": 15.0,
    "all together": 25.0,
}
"""Largest error asked for, in the manner of IEC 60601-2-25."""

MEASURES = ("st_j60_uv", "t_uv")
LEVELS_DB = (24, 18, 12, 6, 0, -6)
_WHOLE = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

Watch = Callable[[Iterable[Any], int], Iterable[Any]]


def score_calibration(*, seeds: int = 4, watch: Watch = lambda cases, total: cases) -> dict[str, Any]:
    """Errors on the analytic ECGs: all shapes, ST at 0 and +-200 uV, 60 and 120/min, 500 and 1000 Hz, in I, II and V1-V6.

    Parameters
    ----------
    seeds : int
        Draws of the noise (phases, muscle) for each ECG.
    watch : callable, optional
        Goes round the conditions while they are scored.

    Returns
    -------
    dict
        By condition: limit, and by measure the number of readings, how many were refused, the largest and the root mean square
        error, and per cent within the limit. Mains are added at 60/min only, where every beat meets them in the same phase.
    """
    result: dict[str, Any] = {}
    for condition in watch(tuple(LIMITS_UV), len(LIMITS_UV)):
        errors: dict[str, list[float]] = defaultdict(list)
        for made in _ecgs(60.0 if "Hz, 50 uV" in condition else None):
            for seed in range(1 if condition == "no noise" else seeds):
                found = analyze(disturbed(made.ecg, condition, seed)).measurements
                for measure, lead in itertools.product(MEASURES, _WHOLE):
                    errors[measure].append(found.get(measure, lead) - made.truth(measure, lead))
        limit = LIMITS_UV[condition]
        result[condition] = {"limit_uv": limit} | {name: _summary(np.array(each), limit) for name, each in errors.items()}
    return result


def _ecgs(only_bpm: float | None) -> Iterator[CalibrationEcg]:
    for shape, st_uv, rate_bpm, fs in itertools.product(shapes(), (-200.0, 0.0, 200.0), (60.0, 120.0), (500.0, 1000.0)):
        if only_bpm in (None, rate_bpm):
            yield calibration_ecg(shape, st_uv=st_uv, rate_bpm=rate_bpm, fs=fs)


def disturbed(ecg: Ecg, condition: str, seed: int) -> Ecg:
    """The ECG under one of the conditions of `LIMITS_UV`; all phases differ between the leads."""
    rng = np.random.default_rng(seed)
    n = ecg.signal_uv.shape[1]
    time_s = np.arange(n) / ecg.fs
    phase = rng.uniform(0.0, 2.0 * np.pi, (len(ecg.leads), 1))
    together = condition == "all together"
    added = np.zeros(ecg.signal_uv.shape)
    if together or condition.startswith("muscle"):
        added += limb_matrix() @ muscle(rng, n, ecg.fs, 25.0)
    for hz in (50.0, 60.0):
        if condition.startswith(f"{hz:g} Hz") or (together and hz == 50.0):
            added += 25.0 * np.sin(2.0 * np.pi * hz * time_s + phase)
    if together or condition.startswith("wander"):
        added += 500.0 * np.sin(2.0 * np.pi * 0.3 * time_s + phase)
    return replace(ecg, signal_uv=ecg.signal_uv + added)


def _summary(errors: Floats, limit: float) -> dict[str, Any]:
    known = errors[np.isfinite(errors)]
    return {
        "readings": len(errors),
        "refused": int(len(errors) - len(known)),
        "largest_uv": number(float(np.abs(known).max())),
        "rms_uv": number(float(np.sqrt((known**2).mean()))),
        "within": number(100.0 * float((np.abs(known) <= limit).mean()), 2),
    }


def score_noise(nstdb: Path, *, seeds: int = 12, watch: Watch = lambda cases, total: cases) -> dict[str, Any]:
    """Error and abstention against the signal-to-noise ratio, with recorded noise of three kinds in simulated ECGs.

    Parameters
    ----------
    nstdb : Path
        Folder with ``bw``, ``em`` and ``ma``.
    seeds : int
        Simulated ECGs for each kind and ratio.
    watch : callable, optional
        Goes round the kinds and ratios while they are scored.

    Returns
    -------
    dict
        By kind (baseline wander, electrode motion, muscle) and ratio in dB: per cent of the leads that were not measured, median
        and 95th percentile of the absolute error in uV, and per cent of the 95 % intervals that cover the truth.
    """
    noise = read_noise(nstdb, 500.0)
    cases = list(itertools.product(range(len(KINDS)), LEVELS_DB))
    result: dict[str, Any] = {}
    for kind, level_db in watch(cases, len(cases)):
        readings = np.concatenate([_noisy(noise[2 * kind : 2 * kind + 2], level_db, seed) for seed in range(seeds)])
        known = readings[np.isfinite(readings[:, 0])]
        row: dict[str, Any] = {"not_measured": number(100.0 * (1.0 - len(known) / len(readings)))}
        for column, measure in enumerate(MEASURES):
            error, se = np.abs(known[:, 2 * column]), known[:, 2 * column + 1]
            there = np.isfinite(error)
            row[measure] = {
                "median_uv": _quantile(error[there], 0.5),
                "p95_uv": _quantile(error[there], 0.95),
                "covered": number(100.0 * float((error[there] <= 1.96 * se[there]).mean())) if there.any() else None,
            }
        result.setdefault(KINDS[kind], {})[str(level_db)] = row
    return result


def _quantile(values: Floats, share: float) -> float | None:
    return number(float(np.quantile(values, share))) if len(values) else None


def _noisy(noise: Floats, level_db: int, seed: int) -> Floats:
    """Error and standard error of ST at J+60 and of T in each lead of one simulated ECG, shape (lead, 4)."""
    made = simulate_ecg(fs=500.0, seed=seed, rate_bpm=55.0 + 5.0 * seed, st_uv={"V2": 150.0, "V3": 100.0} if seed % 2 else None)
    rng = np.random.default_rng(crc32(f"{seed} {level_db}".encode()))
    n = made.ecg.signal_uv.shape[1]
    pieces = np.stack([np.roll(noise[rng.integers(2)], -int(rng.integers(noise.shape[1])))[:n] for _ in INDEPENDENT])
    pieces -= pieces.mean(axis=1, keepdims=True)
    clean = made.ecg.signal_uv[[made.ecg.index(lead) for lead in INDEPENDENT]]
    pieces *= clean.std(axis=1, keepdims=True) * 10.0 ** (-level_db / 20.0) / pieces.std(axis=1, keepdims=True)
    found = analyze(replace(made.ecg, signal_uv=made.ecg.signal_uv + limb_matrix() @ pieces)).measurements
    columns = []
    for measure in MEASURES:
        true = np.array([made.truth.get(measure, lead) for lead in found.leads])
        columns += [found.values[measure] - true, found.se.get(measure, np.full(len(true), np.nan))]
    return np.stack(columns, axis=1)
