"""Estimate how well ST, T and QRS repeat, per lead, from same-subject pairs in which nothing has happened.

``./run python docs/repeatability.py DATA_DIR`` (the folder that holds ``ptbdb_10s`` and ``staffiii_measures``) writes
``ecgspasm/serial/repeatability.toml``.

Fresh electrodes: PTB recordings of one person on different days, scaled to cover the pairs of one day too (whether the
electrodes stayed on is not told). Same electrodes: STAFF III baseline records, first minute against last half minute, about
four minutes apart, for ST (at J+60, and taken for J too) and T; PTB recordings of one person on one day for QRS. Persons count
alike, however many pairs they give. What the measurement's own standard error explains is taken off. There are few persons, so
a lead's variance is drawn towards that of its group of leads, as if `PRIOR` more persons had shown that one. No lead repeats
better with electrodes placed anew than with those that stayed on: where the few persons say so, the latter stands for both. T has
a part that grows with its size; the table tells that share and the rest.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import ecgspasm as es
from ecgspasm.benchmarks.staffiii import measured_pairs
from ecgspasm.leads import STANDARD

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "ecgspasm" / "serial" / "repeatability.toml"
MEASURES = ("st_j_uv", "st_j60_uv", "t_uv", "r_uv", "s_uv")
GROUPS = (("I", "II", "III", "aVR", "aVL", "aVF"), ("V1", "V2", "V3", "V4"), ("V5", "V6"))
PRIOR = 3.0
SMALLEST_UV = 4.0
"""No lead repeats better than this: three persons who happen to agree must not say so. (The published ranges of the ST vector's
magnitude, +-24 uV from day to day and +-14 within one, are SDs of 12 and 7 over all leads.)"""
T_SHARE = {"fresh": 0.20, "same": 0.05}
"""Share of its size by which T differs, from day to day and within minutes: the median over persons and leads with T above 200 uV
is 0.17 and 0.04 (printed by this command)."""


@dataclass(frozen=True, eq=False)
class Differences:
    """One measure of one pair, arrays of shape (lead,): the difference, its standard error, and the baseline's value."""

    difference: np.ndarray
    se: np.ndarray
    baseline: np.ndarray


Pairs = dict[str, list[dict[str, Differences]]]
"""By person, one entry a pair, by measure."""


def differences(change, measures: tuple[str, ...]) -> dict[str, Differences]:
    """The measures of one comparison, leads in the usual order."""
    order = [change.leads.index(lead) for lead in STANDARD]
    found = {}
    for name in measures:
        # The sum of T's lobes where it is known: it does not jump when a biphasic T tips over.
        each = change.changes["t_net_uv" if name == "t_uv" and "t_net_uv" in change.changes else name]
        found[name] = Differences(each.difference[order], np.nan_to_num(each.measurement_se[order]), each.baseline[order])
    return found


def ptb_pairs(folder: Path) -> tuple[Pairs, Pairs]:
    """PTB pairs of different days and of one day; people with an infarction, whose ECG evolves, are left out."""
    records = defaultdict(list)
    for path in sorted(folder.glob("*.hea")):
        text = path.read_text()
        told = dict(line.lstrip("# ").split(": ", 1) for line in text.splitlines() if line.startswith("#") and ": " in line)
        if "infarction" not in told.get("reason", "").lower():
            records[path.name.split("_")[0]].append((told.get("ecg_date"), es.analyze(es.read(path))))
    other_day: Pairs = defaultdict(list)
    one_day: Pairs = defaultdict(list)
    for person, own in records.items():
        for (date, first), (later, second) in itertools.combinations(own, 2):
            change = es.compare(first, second, criteria=())
            (one_day if date == later else other_day)[person].append(differences(change, MEASURES))
    return other_day, one_day


def staff_pairs(folder: Path) -> Pairs:
    """STAFF III baselines: begin against end."""
    found: Pairs = defaultdict(list)
    for pair in measured_pairs(folder):
        change = es.compare(pair.quiet_first, pair.quiet_last, electrodes="same", criteria=())
        found[pair.patient].append(differences(change, ("st_j60_uv", "t_uv")))
    return found


def spread(pairs: Pairs, measure: str, share: float, *, scaled_on: Pairs | None = None) -> np.ndarray:
    """Standard deviation per lead, drawn towards its group, and scaled to cover, shape (lead,).

    The scale is that at which the 95 % intervals of all leads of `scaled_on` cover the truth (no change) in 95 %: few persons
    give a good pattern over the leads, but one of them can spoil its size. Without it there are many persons, of whom a few have
    really changed: the variance is then read off the 90th percentile of the squares, and not scaled.
    """
    persons = np.array([np.nanmean([_excess(pair[measure], share) for pair in own], axis=0) for own in pairs.values()])
    variance = np.nanquantile(persons, 0.90, axis=0) / 1.645**2 if scaled_on is None else np.nanmean(persons, axis=0)
    result = np.empty(len(STANDARD))
    for group in GROUPS:
        rows = [STANDARD.index(lead) for lead in group]
        common = max(float(np.nanmean(variance[rows])), 1.0)
        own = np.where(np.isfinite(variance[rows]), np.maximum(variance[rows], 0.0), common)
        result[rows] = np.sqrt((len(persons) * own + PRIOR * common) / (len(persons) + PRIOR))
    if scaled_on is not None:
        scales = np.arange(0.3, 1.5, 0.01)
        result *= scales[int(np.argmax([_cover(scaled_on, measure, share, scale * result) >= 0.95 for scale in scales]))]
    return np.maximum(result, SMALLEST_UV)


def _excess(each: Differences, share: float) -> np.ndarray:
    """Squared difference less what the measurement itself and the size of the wave explain."""
    return np.asarray(each.difference**2 - each.se**2 - (share * each.baseline) ** 2)


def _cover(pairs: Pairs, measure: str, share: float, sd: np.ndarray) -> float:
    """Share of the leads whose 95 % interval covers nothing; persons count alike."""
    covered = []
    for own in pairs.values():
        inside = []
        for pair in own:
            each = pair[measure]
            half = 1.96 * np.sqrt(each.se**2 + sd**2 + (share * each.baseline) ** 2)
            known = np.isfinite(each.difference)
            inside.append(np.mean(np.abs(each.difference[known]) <= half[known]))
        covered.append(np.mean(inside))
    return float(np.mean(covered))


def section(setting: str, measure: str, sd: np.ndarray, source: str) -> list[str]:
    cells = ", ".join(f"{lead} = {float(value):.0f}" for lead, value in zip(STANDARD, sd, strict=True))
    lines = ["", f"[{setting}.{measure}]", f'source = "{source}"', f"sd_uv = {{ {cells} }}"]
    return [*lines, f"share = {T_SHARE[setting]}"] if measure == "t_uv" else lines


def main() -> int:
    data = Path(sys.argv[1])
    other_day, one_day = ptb_pairs(data / "ptbdb_10s")
    all_pairs = {person: other_day.get(person, []) + one_day.get(person, []) for person in {*other_day, *one_day}}
    staff = staff_pairs(data / "staffiii_measures")

    def told(name: str, pairs: Pairs) -> str:
        return f"{name}: {sum(map(len, pairs.values()))} pairs of {len(pairs)} persons"

    lines = [
        "# Standard deviation (uV) of the difference between two ECGs of a person in whom nothing has happened, per lead.",
        "# Written by docs/repeatability.py, which says how; no such table is published. Few persons: estimates.",
        "# `share`: T differs, beyond sd_uv, by so much of its size (standard deviation).",
    ]
    fresh, same = [], []
    for measure in MEASURES:
        many = measure in ("st_j_uv", "st_j60_uv", "t_uv")
        pairs, source = (staff, told("STAFF III baselines", staff)) if many else (one_day, told("PTB, one day", one_day))
        shown = "st_j60_uv" if measure == "st_j_uv" else measure
        stayed = spread(pairs, shown, T_SHARE["same"] if measure == "t_uv" else 0.0, scaled_on=None if many else one_day)
        same += section("same", measure, stayed, source)
        sd = spread(other_day, measure, T_SHARE["fresh"] if measure == "t_uv" else 0.0, scaled_on=all_pairs)
        fresh += section("fresh", measure, np.maximum(sd, stayed), told("PTB, different days", other_day))
    lines += [*fresh, *same]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
