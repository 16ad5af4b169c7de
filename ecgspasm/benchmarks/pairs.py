"""Realistic pairs with known truth: real ECGs of one person, with a known change of ST and T put into the second.

Two kinds of pairs: recordings of one person in the PTB database (other days and electrodes), and the halves of LUDB records,
whose second half is given moved chest electrodes, so that there are more persons. Into the second ECG goes nothing, or the
typical change under occlusion of one artery (``occlusion.toml``), or T waves turned over; and besides, noise recorded from
moving persons, a rotation of the heart in the chest, or swapped cables.
"""

from __future__ import annotations

import itertools
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from ecgspasm.analysis import analyze
from ecgspasm.benchmarks.noise import add_noise, read_noise
from ecgspasm.ecg import Analysis, Ecg, Floats, number
from ecgspasm.io import read
from ecgspasm.processing.vector import kors
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import MET, UNDECIDED, Comparison
from ecgspasm.serial.score import features
from ecgspasm.simulate import inject

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
ROTATIONS_DEG = (10.0, 20.0, 30.0)
"""Posture turns the heart vector by about 10 to 30 degrees."""

MOVED_SHARE = 0.25
"""Chest electrodes move by this share of the way to their neighbour (1 SD): about 1 cm of 4."""

NOISE_DB = 12
_LATERAL = ("I", "V4", "V5", "V6")
SWAPS = {"LA/RA": {"I": ("I", -1), "II": ("III", 1)}, "V1/V2": {"V1": ("V2", 1), "V2": ("V1", 1)}}

Watch = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Pair:
    """Two ECGs of one person in whom nothing has happened."""

    name: str
    kind: str
    baseline: Analysis
    current: Analysis


def occlusions() -> dict[str, dict[str, dict[str, float]]]:
    """Typical change of ST and T, in uV by lead, under occlusion of each artery."""
    table: dict[str, Any] = tomllib.loads(files("ecgspasm.benchmarks").joinpath("occlusion.toml").read_text(encoding="utf-8"))
    return table


def ptb_pairs(folder: Path) -> list[Pair]:
    """Pairs of recordings of one person, both ways round; persons with an infarction, whose ECG evolves, are left out."""
    people: dict[str, list[tuple[str, Analysis]]] = defaultdict(list)
    for path in sorted(folder.glob("patient*.hea")):
        if "infarction" not in path.read_text(encoding="utf-8", errors="replace").lower():
            people[path.name.split("_")[0]].append((path.stem, analyze(read(path))))
    return [
        Pair(f"{one} {other}", "ptb", first, second)
        for own in people.values()
        for (one, first), (other, second) in itertools.permutations(own, 2)
    ]


def ludb_pairs(folder: Path, *, every: int = 1, moved: bool = True) -> Iterator[Pair]:
    """Halves of LUDB records; in the second one the chest electrodes have moved, if that is asked for."""
    data = folder / "data" if (folder / "data").is_dir() else folder
    for path in sorted(data.glob("*.hea"), key=lambda each: (len(each.stem), each.stem))[::every]:
        ecg = read(path)
        half = ecg.signal_uv.shape[1] // 2
        first, second = (replace(ecg, signal_uv=ecg.signal_uv[:, part]) for part in (slice(half), slice(half, None)))
        if moved:
            second = _moved(second, np.random.default_rng(crc32(path.stem.encode())))
        yield Pair(path.stem, "ludb", analyze(first), analyze(second))


def _moved(ecg: Ecg, rng: np.random.Generator) -> Ecg:
    """Chest electrodes a little to one side: towards the neighbour on that side, or away from the one on the other."""
    signal = np.array(ecg.signal_uv)
    chest = [ecg.index(f"V{number}") for number in range(1, 7)]
    for place, row in enumerate(chest):
        step = MOVED_SHARE * float(rng.standard_normal())
        near = chest[min(max(place + (1 if step > 0 else -1), 0), len(chest) - 1)]
        signal[row] += abs(step) * (ecg.signal_uv[near] - ecg.signal_uv[row])
    return replace(ecg, signal_uv=signal)


def changed(analysis: Analysis, artery: str, size: float = 1.0) -> Ecg:
    """A recording with the typical change under occlusion of an artery put into every beat."""
    amounts = occlusions()[artery]
    # What is put in at J fades under T, so the change of T needs only the rest.
    faded = {lead: size * (amounts["t_uv"][lead] - 0.5 * amounts["st_uv"][lead]) for lead in INDEPENDENT}
    return _with_waves(analysis, {lead: size * amounts["st_uv"][lead] for lead in INDEPENDENT}, faded)


def _with_waves(analysis: Analysis, st_uv: dict[str, float], t_change_uv: dict[str, float]) -> Ecg:
    found = analysis.delineation
    t_peak, t_end = (_over_leads(where) for where in (found.t.peak, found.t.offset))
    whole = np.isfinite(t_end) & np.isfinite(t_peak) & np.isfinite(found.j)
    return inject(
        analysis.ecg,
        found.beats.r_sample[whole],
        j_samples=found.j[whole],
        t_peak_samples=t_peak[whole],
        t_end_samples=t_end[whole],
        st_uv=st_uv,
        t_change_uv=t_change_uv,
    )


def turned_over(analysis: Analysis, leads: tuple[str, ...] = ("V1", "V2", "V3", "V4")) -> Ecg:
    """A recording whose upright T waves are inverted by 200 uV in some leads, as in the case behind the project."""
    measured = analysis.measurements
    upright = {lead: t for lead in leads if (t := measured.get("t_uv", lead)) > 50.0}
    return _with_waves(analysis, {}, {lead: -(t + 200.0) for lead, t in upright.items()})


def _over_leads(where: Floats) -> Floats:
    """Median over the leads of each beat; ``nan`` where no lead has the wave."""
    there = np.isfinite(where).any(axis=0)
    result = np.full(where.shape[1], np.nan)
    result[there] = np.nanmedian(where[:, there], axis=0)
    return result


def rotated(ecg: Ecg, degrees: float, rng: np.random.Generator) -> Ecg:
    """The same heart turned in the chest about a random axis: what its dipole gives to the leads turns with it."""
    axis = rng.standard_normal(3)
    axis /= np.linalg.norm(axis)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.radians(degrees)
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    to_vector = kors()
    signal = np.array(ecg.signal_uv)
    rows = [ecg.index(lead) for lead in to_vector.leads]
    vector = to_vector.weights @ signal[rows]
    signal[rows] += np.linalg.pinv(to_vector.weights) @ ((turn - np.eye(3)) @ vector)
    return _consistent(replace(ecg, signal_uv=signal))


def _consistent(ecg: Ecg) -> Ecg:
    """The derived limb leads computed anew from I and II."""
    keep = [row for row, lead in enumerate(ecg.leads) if lead not in ("III", "aVR", "aVL", "aVF")]
    own = replace(ecg, signal_uv=ecg.signal_uv[keep], leads=tuple(ecg.leads[row] for row in keep), derived=())
    return own.with_derived_leads()


def _swapped(ecg: Ecg, recipe: dict[str, tuple[str, int]]) -> Ecg:
    signal = np.array(ecg.signal_uv)
    for lead, (source, sign) in recipe.items():
        signal[ecg.index(lead)] = sign * ecg[source]
    return _consistent(replace(ecg, signal_uv=signal))


@dataclass
class _Counts:
    """What became of the variants of one kind."""

    pairs: int = 0
    new: int = 0
    undecided: int = 0
    largest_right: int = 0
    covered: int = 0
    intervals: int = 0

    def add(self, change: Comparison, truth: dict[str, float]) -> None:
        """Count one comparison; `truth` is the change put in, by lead, empty if it is not known."""
        self.pairs += 1
        verdicts = [each.verdict for each in change.findings if each.kind == "new"]
        self.new += MET in verdicts
        self.undecided += MET not in verdicts and UNDECIDED in verdicts
        each = change.changes["st_j60_uv"]
        known = [row for row, lead in enumerate(change.leads) if lead in truth and np.isfinite(each.difference[row])]
        for row in known:
            self.intervals += 1
            self.covered += bool(each.low[row] <= truth[change.leads[row]] <= each.high[row])
        if known and any(truth.values()):
            row = max(known, key=lambda place: abs(each.difference[place]))
            largest = max(abs(value) for value in truth.values())
            there = truth[change.leads[row]]
            self.largest_right += bool(abs(there) >= _AS_LARGE * largest and there * each.difference[row] > 0)

    def to_dict(self) -> dict[str, Any]:
        def share(part: int, whole: int) -> float | None:
            return number(100.0 * part / whole) if whole else None

        return {
            "pairs": self.pairs,
            "new": share(self.new, self.pairs),
            "undecided": share(self.undecided, self.pairs),
            "largest_right": share(self.largest_right, self.pairs),
            "covered": share(self.covered, self.intervals),
        }


_AS_LARGE = 0.8
"""The lead with the largest change is right if its true change is at least this share of the largest: two may be about equal."""


def truth_of(artery: str, size: float = 1.0) -> dict[str, float]:
    """The change of ST at J+60 that `changed` puts into each of the twelve leads, in uV."""
    own = {lead: size * value for lead, value in occlusions()[artery]["st_uv"].items()}
    one, two = own["I"], own["II"]
    return own | {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}


def score_pairs(
    ptb: Path | None, ludb: Path | None, nstdb: Path | None = None, *, every: int = 1, watch: Watch = lambda cases, total: cases
) -> dict[str, Any]:
    """Score the comparison on pairs with known truth.

    Parameters
    ----------
    ptb, ludb : Path, optional
        Folders with PTB recordings named ``patientNNN_*`` and with LUDB.
    nstdb : Path, optional
        Folder with the recorded noise ``bw``, ``em``, ``ma``.
    every : int
        Score every so manieth LUDB record.
    watch : callable, optional
        Goes round the pairs while they are scored.

    Returns
    -------
    dict
        JSON-ready, by kind of pair (``ptb``, ``ludb``) and variant: number of pairs, per cent with a new finding, undecided, with
        the right lead and sign of the largest change, and per cent of the leads' intervals that cover the truth.
    """
    pairs = [*(ptb_pairs(ptb) if ptb else []), *(ludb_pairs(ludb, every=every) if ludb else [])]
    noise = {500.0: read_noise(nstdb, 500.0), 1000.0: read_noise(nstdb, 1000.0)} if nstdb else {}
    counts: dict[str, dict[str, _Counts]] = defaultdict(lambda: defaultdict(_Counts))
    for pair in watch(pairs, len(pairs)):
        if pair.baseline.median is None or pair.current.median is None:
            continue
        for variant, current, truth in _variants(pair, noise):
            change = compare(pair.baseline, current)
            counts[pair.kind][variant].add(change, truth)
            if variant == "unchanged" and change.confounders:
                counts[pair.kind]["unchanged, explained by a confounder"].add(change, truth)
    return {kind: {variant: each.to_dict() for variant, each in rows.items()} for kind, rows in counts.items()}


def _variants(pair: Pair, noise: dict[float, Floats]) -> Iterator[tuple[str, Analysis, dict[str, float]]]:
    """The current ECG as it is and changed, each with the true change of ST by lead (empty where it is not known)."""
    ecg = pair.current.ecg
    nothing = dict.fromkeys(ecg.leads, 0.0)
    yield "unchanged", pair.current, nothing
    yield "T waves turned over", analyze(turned_over(pair.current)), {}
    for artery in occlusions():
        yield f"occlusion of {artery}", analyze(changed(pair.current, artery)), truth_of(artery)
    if ecg.fs in noise:
        yield f"noise at {NOISE_DB} dB", analyze(add_noise(ecg, noise[ecg.fs], NOISE_DB, pair.name)), nothing
    rng = np.random.default_rng(crc32(pair.name.encode()))
    for degrees in ROTATIONS_DEG:
        yield f"turned by {degrees:g} degrees", analyze(rotated(ecg, degrees, rng)), {}
    for name, recipe in SWAPS.items():
        yield f"{name} swapped", analyze(_swapped(ecg, recipe)), {}


def feature_rows(ptb: Path) -> tuple[list[dict[str, float]], list[bool], str]:
    """Features of the score in PTB pairs as they are, and with each artery's occlusion put in at three sizes."""
    rows, positive = [], []
    pairs = ptb_pairs(ptb)
    for pair in pairs:
        variants = [changed(pair.current, artery, size) for artery, size in itertools.product(occlusions(), (0.5, 1.0, 1.5))]
        variants += [
            turned_over(pair.current),
            turned_over(pair.current, ("V1", "V2", "V3")),
            turned_over(pair.current, _LATERAL),
        ]
        for current in [pair.current, *map(analyze, variants)]:
            change = compare(pair.baseline, current, criteria=())
            found = features(change.measured["baseline"], change.measured["current"])
            if all(np.isfinite(value) for value in found.values()):
                rows.append(found)
                positive.append(current is not pair.current)
    told = f"PTB, {len(pairs)} ordered pairs, as they are, and with typical occlusions or inverted T waves put in"
    return rows, positive, told
