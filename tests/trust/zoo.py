"""The signal zoo: one property over many bad signals: a value is within its stated tolerance, or absent with a reason."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

import ecgspasm as es
from ecgspasm.ecg import Analysis, Measurements
from ecgspasm.simulate import INDEPENDENT
from tests.trust import comparing, no_heart, rhythms, signals
from tests.trust.carriers import INTERVALS, MEASURES, Carrier, Truth, real, simulated

HERE = Path(__file__).resolve().parent
SIGNALS: dict[str, signals.Disturbance] = {
    "flat": signals.flat,
    "flat-in-part": signals.flat_in_part,
    "missing-lead": signals.missing_lead,
    "nan-whole": signals.nan_whole,
    "nan-part": signals.nan_part,
    "clipped": signals.clipped,
    "mains": signals.mains,
    "muscle": signals.muscle,
    "wander": signals.wander,
    "steps": signals.steps,
    "electrode-motion": signals.electrode_motion,
    "spikes": signals.spikes,
    "lead-of-noise": signals.lead_of_noise,
    "offsets": signals.offsets,
    "int16": signals.int16_extremes,
    "two-seconds": lambda ecg, rng: cut(ecg, rng, 0.1, 2.4),
    "three-seconds": lambda ecg, rng: cut(ecg, rng, 2.5, 4.0),
    "limbs-swapped": comparing.limbs_swapped,
    "chest-swapped": comparing.chest_swapped,
    "inverted": comparing.inverted,
    "wrong-gain": comparing.wrong_gain,
    "wrong-rate": comparing.wrong_rate,
    "lead-shifted": comparing.lead_shifted,
    "lead-copied": comparing.lead_copied,
}
RHYTHMS: dict[str, rhythms.Rhythm] = {
    "pacing": rhythms.pacing,
    "atrial-fibrillation": rhythms.atrial_fibrillation,
    "bigeminy": rhythms.bigeminy,
    "lbbb": rhythms.left_bundle_branch_block,
    "fast": rhythms.fast,
    "slow": rhythms.slow,
}
NO_HEART: dict[str, no_heart.NoHeart] = {
    "fibrillation": no_heart.fibrillation,
    "asystole": no_heart.asystole,
    "white-noise": no_heart.white_noise,
    "pink-noise": no_heart.pink_noise,
    "muscle-noise": no_heart.muscle_noise,
}


@dataclass(frozen=True)
class Kind:
    """One kind of signal, as ``zoo.toml`` has it."""

    name: str
    what: str
    property: str
    """``values``, ``nothing`` (none may be given) or ``no claim`` (of new ischemia, against the undisturbed ECG)."""
    carriers: tuple[str, ...] = ("simulated", "real")
    needs_data: bool = False
    smallest_floor_uv: float | None = None
    """With it the floor shrinks with the gain, down to this."""


@dataclass(frozen=True, eq=False)
class Case:
    """What arrives, what is true of it (``None``: nothing can be measured), and an ECG of the same person to compare with."""

    ecg: es.Ecg
    truth: Truth | None
    baseline: es.Ecg | Analysis | None = None
    gain: float = 1.0


@dataclass
class Tally:
    """What became of the variants of one kind."""

    variants: int = 0
    values: int = 0
    within: int = 0
    absent: int = 0
    wrong: int = 0
    intervals: int = 0
    intervals_wrong: int = 0
    worst_uv: float = 0.0
    compared: int = 0
    claimed: int = 0
    tolerances: Counter[int] = field(default_factory=Counter)
    """How many of the values that were given had a tolerance of so many uV, rounded up to 5."""
    examples: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        rounded = {name: int(value) for name, value in vars(self).items() if isinstance(value, int | np.integer)}
        worst = {"worst_uv": round(float(self.worst_uv), 1)}
        if self.tolerances:
            each = np.sort(np.fromiter(self.tolerances.elements(), int))
            worst |= {f"tolerance_{share}_uv": int(each[(len(each) - 1) * share // 100]) for share in (50, 95)}
        return rounded | worst | ({"examples": self.examples[:5]} if self.examples else {})

    def add(self, other: Tally) -> None:
        """Count what another one has counted too."""
        for name, value in vars(other).items():
            own = getattr(self, name)
            setattr(self, name, max(own, value) if name == "worst_uv" else own + value)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((HERE / "zoo.toml").read_text(encoding="utf-8"))


def kinds() -> dict[str, Kind]:
    """All kinds, in the order of the file."""
    found = {}
    for name, row in _table()["kind"].items():
        found[name] = Kind(name, **(row | {"carriers": tuple(row.get("carriers", ("simulated", "real")))}))
    return found


def cut(ecg: es.Ecg, rng: np.random.Generator, shortest_s: float, longest_s: float) -> es.Ecg:
    """A piece of the ECG."""
    n = int(np.ceil(rng.uniform(shortest_s, longest_s) * ecg.fs))
    start = int(rng.integers(max(ecg.signal_uv.shape[1] - n, 1)))
    return replace(ecg, signal_uv=ecg.signal_uv[:, start : start + n])


def variant(kind: Kind, carriers: str, number: int, data: Path | None) -> Case:
    """One variant, the same at every call."""
    rng = np.random.default_rng([crc32(kind.name.encode()), crc32(carriers.encode()), number])
    if kind.name in NO_HEART:
        return Case(NO_HEART[kind.name](rng), None)
    if kind.name == "recorded-noise-alone":
        assert data is not None
        return Case(no_heart.recorded_noise(data)(rng), None)
    if kind.name in RHYTHMS:
        carrier, before = RHYTHMS[kind.name](rng)
        return Case(carrier.ecg, carrier.truth, before)
    carrier = _carrier(carriers, rng, data)
    before = carrier.known or carrier.ecg
    if kind.name == "tiny":
        gain = signals.log_uniform(rng, 0.02, 0.3)
        return Case(replace(carrier.ecg, signal_uv=carrier.ecg.signal_uv * gain), carrier.truth.scaled(gain), None, gain)
    if kind.name == "one-beat":
        return Case(_one_beat(carrier.ecg, rng), None, before)
    if kind.name == "recorded-noise":
        assert data is not None
        return Case(_noisy(carrier.ecg, rng, data), carrier.truth, before)
    if kind.name == "three-seconds":
        # The rate of the whole recording is not that of any three seconds of it.
        carrier = replace(carrier, truth=carrier.truth.without("rate_bpm"))
    ecg = SIGNALS[kind.name](carrier.ecg, rng)
    if ecg.leads == INDEPENDENT and rng.random() < 0.5:
        # A device computes the other leads before it writes the file, and rounds.
        ecg = replace(ecg.with_derived_leads(), derived=())
        ecg = replace(ecg, signal_uv=np.round(ecg.signal_uv / 2.5) * 2.5)
    return Case(ecg, carrier.truth, before)


def _carrier(carriers: str, rng: np.random.Generator, data: Path | None) -> Carrier:
    if carriers == "simulated":
        return simulated(rng)
    assert data is not None
    known = real(data)
    return known[rng.integers(len(known))]


def _noisy(ecg: es.Ecg, rng: np.random.Generator, data: Path) -> es.Ecg:
    rows = no_heart.recorded_rows(data, rng, ecg.fs, ecg.signal_uv.shape)
    size = ecg.signal_uv.std(axis=1, keepdims=True) * 10.0 ** (-rng.uniform(-6.0, 24.0) / 20.0)
    return signals.added(ecg, rng, rows * size)


def _one_beat(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """One beat, and before and after it the level that it begins and ends with, with a little noise."""
    found = es.delineate(ecg)
    middle = found.beats.r_sample[len(found.beats) // 2]
    rr = float(np.median(np.diff(found.beats.r_sample)))
    first, last = round(middle - 0.35 * rr), round(middle + 0.6 * rr)
    n = round(ecg.fs * rng.uniform(3.0, 10.0))
    start = int(rng.integers(0, n - (last - first)))
    signal = np.pad(ecg.signal_uv[:, first:last], ((0, 0), (start, n - (last - first) - start)), mode="edge")
    return replace(ecg, signal_uv=signal + float(rng.choice([0.0, 5.0])) * rng.standard_normal(signal.shape))


def tolerance_uv(truth: float, se: float, kind: Kind, gain: float) -> float:
    """How far a value may be from the truth."""
    rule = _table()["tolerance"]
    floor = rule["floor_uv"]
    if abs(truth) > rule["large_uv"]:
        floor = max(rule["large_floor_uv"], rule["large_share"] * abs(truth))
    if kind.smallest_floor_uv is not None:
        floor = max(floor * gain, kind.smallest_floor_uv)
    return float(floor + rule["se_factor"] * se)


def check(kind: Kind, case: Case, tally: Tally, name: str) -> None:
    """Measure one variant and count what was said."""
    tally.variants += 1
    try:
        found = es.analyze(case.ecg)
    except es.EcgError as error:
        assert str(error)
        assert "\n" not in str(error)
        tally.values += len(case.ecg.leads) * len(MEASURES)
        tally.absent += len(case.ecg.leads) * len(MEASURES)
        return
    if kind.property != "no claim":
        for lead in found.measurements.leads:
            for measure in MEASURES:
                _check_value(kind, case, found.measurements, measure, lead, tally, name)
        _check_intervals(case, found, tally, name)
    # Where values are what is asked for, every fourth variant is compared as well.
    if case.baseline is not None and (kind.property == "no claim" or tally.variants % 4 == 1):
        change = es.compare(case.baseline, found)
        tally.compared += 1
        met = [each for each in change.findings if each.kind == "new" and each.verdict == "MET"]
        tally.claimed += bool(met)
        tally.examples += [f"{name}: claims {each.title} in {', '.join(each.leads)}" for each in met[:1]]


def _check_value(kind: Kind, case: Case, found: Measurements, measure: str, lead: str, tally: Tally, name: str) -> None:
    value, state = found.get(measure, lead), found.state_of(measure, lead)
    if case.truth is not None and np.isnan(case.truth.values[measure][lead]):
        return
    tally.values += 1
    if case.truth is None:
        absent = np.isnan(value) and state.startswith("not_measurable: ") and len(state) > len("not_measurable: ")
        tally.absent += absent
        if not absent:
            _wrong(tally, f"{name}: {measure} of {lead} is {value:.0f} where there is nothing", abs(value))
        return
    if np.isnan(value) and state != "absent":
        assert state.startswith("not_measurable: "), (name, state)
        assert len(state) > len("not_measurable: ")
        tally.absent += 1
        return
    truth = case.truth.values[measure][lead]
    se = float(found.se[measure][found.leads.index(lead)]) if np.isfinite(value) else 0.0
    limit = tolerance_uv(truth, float(np.hypot(se, case.truth.se.get(measure, {}).get(lead, 0.0))), kind, case.gain)
    # "No such wave" says that it is of no height.
    said = value if np.isfinite(value) else 0.0
    off = _t_error(found, lead, said, truth) if measure == "t_uv" else abs(said - truth)
    tally.worst_uv = max(tally.worst_uv, off)
    tally.tolerances[5 * math.ceil(limit / 5.0)] += 1
    if off <= limit:
        tally.within += 1
    else:
        _wrong(tally, f"{name}: {measure} of {lead} is {said:.0f} instead of {truth:.0f}, tolerance {limit:.0f}", off)


def _t_error(found: Measurements, lead: str, said: float, truth: float) -> float:
    """Error of the lobe that is the larger one in truth; where both are alike, either may be measured as larger."""
    lobe = found.get("t_positive_uv" if truth > 0 else "t_negative_uv", lead)
    return max(abs(np.nan_to_num(lobe) - truth), abs(abs(said) - abs(truth)))


def _check_intervals(case: Case, analysis: Analysis, tally: Tally, name: str) -> None:
    if case.truth is None:
        return
    found, table = analysis.measurements, _table()["tolerance"]
    rule = table["intervals"]
    # The rate of an irregular rhythm is not that of the part of it that was seen.
    rr_ms = analysis.delineation.beats.rr_ms[1:]
    uneven = float(np.std(rr_ms) / np.mean(rr_ms) / np.sqrt(len(rr_ms))) if len(rr_ms) > 1 else 0.0
    for interval in INTERVALS:
        value, truth = getattr(found, interval), case.truth.intervals[interval]
        if not (np.isfinite(value) and np.isfinite(truth)):
            continue
        tally.intervals += 1
        limit = rule[interval]
        if interval == "rate_bpm":
            limit = max(limit, rule["rate_share"] * truth) + table["se_factor"] * uneven * truth
        if abs(value - truth) > limit:
            tally.intervals_wrong += 1
            tally.examples.append(f"{name}: {interval} is {value:.0f} instead of {truth:.0f}")


def _wrong(tally: Tally, words: str, off: float) -> None:
    tally.wrong += 1
    tally.worst_uv = max(tally.worst_uv, off)
    tally.examples.append(words)


def visits(data: Path | None, variants: Callable[[Kind], int]) -> Iterator[tuple[Kind, str, int]]:
    """Kinds with the carriers that there are, and how many variants of each."""
    for kind in kinds().values():
        for carriers in kind.carriers:
            if data is not None or not (kind.needs_data or carriers == "real"):
                yield kind, carriers, variants(kind)


def run(kind: Kind, carriers: str, count: int, data: Path | None, *, first: int = 0) -> Tally:
    """Check `count` variants of one kind on one sort of carriers, from the `first` on."""
    tally = Tally()
    for number in range(first, first + count):
        check(kind, variant(kind, carriers, number, data), tally, f"{kind.name}/{carriers}/{number}")
    return tally
