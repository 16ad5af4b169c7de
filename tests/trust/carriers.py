"""ECGs whose truth is known, for the zoo to disturb: simulated ones, and real ones as they were measured undisturbed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

import ecgspasm as es
from ecgspasm.ecg import ST_OFFSETS_MS, Analysis, Floats, Measurements
from ecgspasm.leads import STANDARD
from ecgspasm.processing.measure import ST_NAMES
from ecgspasm.simulate import INDEPENDENT, Heart, Simulated

ST_MEASURES = tuple(ST_NAMES[ms] for ms in ST_OFFSETS_MS)
MEASURES = (*ST_MEASURES, "t_uv")
INTERVALS = ("rate_bpm", "pr_ms", "qrs_ms", "qt_ms")
Table = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of an ECG: amplitudes in uV by measure and lead, intervals, and how sure that is itself."""

    values: Table
    intervals: Mapping[str, float]
    se: Table = field(default_factory=dict)
    """Standard errors of the truth in uV, where it was measured itself."""

    def without(self, *intervals: str) -> Truth:
        """The truth that says nothing of some intervals."""
        return Truth(self.values, dict(self.intervals) | dict.fromkeys(intervals, float("nan")), self.se)

    def scaled(self, gain: float) -> Truth:
        """The truth of the same ECG at another gain."""
        values, se = (
            {name: {lead: gain * value for lead, value in row.items()} for name, row in table.items()}
            for table in (self.values, self.se)
        )
        return Truth(values, self.intervals, se)


@dataclass(frozen=True, eq=False)
class Carrier:
    """An ECG of twelve leads and what is true of it."""

    ecg: es.Ecg
    truth: Truth
    known: Analysis | None = None
    """What was measured in it, if that is known already."""


def of_simulated(made: Simulated) -> Truth:
    """The truth of an ECG simulated without noise; the rate is the mean over the recording.

    ST is what the simulation states. T is the larger lobe between J+60 and the end of T, as the library defines it: the
    simulation reads T at its local extremum, which a flat T under a raised ST segment lacks.
    """
    truth = made.truth
    values = {name: {lead: truth.get(name, lead) for lead in truth.leads} for name in ST_MEASURES}
    values["t_uv"] = dict(zip(truth.leads, _larger_lobes(made).tolist(), strict=True))
    rr_ms = float(np.mean(np.diff(truth.r_sample))) * 1000.0 / truth.fs if len(truth.r_sample) > 1 else float("nan")
    return Truth(values, {"rate_bpm": 60_000.0 / rr_ms, "pr_ms": truth.pr_ms, "qrs_ms": truth.qrs_ms, "qt_ms": truth.qt_ms})


def _larger_lobes(made: Simulated) -> Floats:
    """The larger lobe of T against the level at QRS onset, median over the dominant beats, shape (lead,).

    ``nan`` where the ST segment, which has no summit, is larger than T, and where the next P wave begins before T has its summit:
    how much of either belongs to T is a matter of definition.
    """
    truth, signal = made.truth, made.ecg.signal_uv
    whole = (truth.kind == "dominant") & np.isfinite(truth.qrs_onset + truth.j + truth.t.offset)
    position = np.arange(signal.shape[1])
    lobes = []
    # At high rates the next P wave lies in T.
    ends = np.fmin(truth.t.offset, np.append(truth.p.onset[1:], np.nan))
    for onset, j, end in zip(truth.qrs_onset[whole], truth.j[whole], ends[whole], strict=True):
        level = np.array([np.interp(onset, position, row) for row in signal])
        inside = signal[:, (position >= j + 0.060 * truth.fs) & (position <= end)] - level[:, None]
        if not inside.shape[1]:
            lobes.append(np.full(len(signal), np.nan))
            continue
        high, low = np.maximum(inside.max(axis=1), 0.0), np.minimum(inside.min(axis=1), 0.0)
        summit = np.where(high >= -low, inside.argmax(axis=1), inside.argmin(axis=1))
        a_summit = (summit > 0.020 * truth.fs) & (summit < inside.shape[1] - 1)
        lobes.append(np.where(a_summit, np.where(high >= -low, high, low), np.nan))
    return np.asarray(np.median(lobes, axis=0))


def of_measured(found: Measurements) -> Truth:
    """What was measured in an undisturbed ECG."""
    values = {name: {lead: found.get(name, lead) for lead in found.leads} for name in MEASURES}
    se = {name: dict(zip(found.leads, found.se[name].tolist(), strict=True)) for name in MEASURES}
    return Truth(values, {name: getattr(found, name) for name in INTERVALS}, se)


def heart_options(rng: np.random.Generator) -> dict[str, object]:
    """A random person: axis, ST and T as they vary between healthy and ill people."""
    leads = rng.choice(INDEPENDENT, size=rng.integers(0, 5), replace=False)
    options: dict[str, object] = {"rotation_deg": tuple(rng.uniform(-15.0, 15.0, 3))}
    if rng.random() < 0.4:
        options["st_uv"] = {str(lead): float(rng.uniform(-200.0, 300.0)) for lead in leads}
    elif rng.random() < 0.5:
        options["t_uv"] = {str(lead): float(rng.choice([-1, 1]) * rng.uniform(100.0, 600.0)) for lead in leads}
    return options


def simulated(rng: np.random.Generator, heart: Heart | None = None, **told: object) -> Carrier:
    """A random simulated ECG; what is told is not drawn."""
    options: dict[str, object] = {
        "fs": float(rng.choice([250.0, 500.0, 1000.0])),
        "seed": int(rng.integers(1 << 30)),
        "rate_bpm": float(rng.uniform(50.0, 110.0)),
        "rr_sd_ms": float(rng.choice([0.0, 10.0, 30.0])),
        "noise_uv": float(rng.uniform(0.0, 8.0)),
        "wander_uv": float(rng.uniform(0.0, 40.0)),
        "duration_s": 10.0,
    }
    options = options | heart_options(rng) | told
    made, pure = (
        es.simulate.ecg(heart=heart, **(options | noise))  # type: ignore[arg-type]
        for noise in ({}, {"noise_uv": 0.0, "wander_uv": 0.0})
    )
    return Carrier(made.ecg, of_simulated(pure))


@cache
def real(data: Path) -> tuple[Carrier, ...]:
    """LUDB and PTB recordings in which all twelve leads can be measured."""
    paths = sorted((data / "ludb" / "data").glob("*.hea"), key=lambda path: int(path.stem))
    paths += sorted((data / "ptbdb_10s").glob("*.hea"))
    carriers = []
    for path in paths:
        ecg = es.read(path)
        known = es.analyze(ecg)
        found = known.measurements
        if set(STANDARD) == set(found.leads) and all(state == "measured" for state in found.state):
            carriers.append(Carrier(ecg, of_measured(found), known))
    return tuple(carriers)
