"""Do swaps, turned leads, gain, sampling rate and posture get their names, and never come out as new ischemia?

The second half of each LUDB record is changed in a known way and compared with the first half; PTB recordings of one person are
compared as they are. Both sets with typical occlusions put in must not be taken for swaps.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from ecgspasm.analysis import analyze
from ecgspasm.benchmarks.pairs import Pair, changed, ludb_pairs, occlusions, ptb_pairs, rotated
from ecgspasm.ecg import Analysis, Ecg, number
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import MET
from ecgspasm.serial.swaps import Recipe, recipes

Watch = Callable[[Iterable[Any], int], Iterable[Any]]
ROTATIONS_DEG = (15.0, 30.0, 45.0)
_PLAIN = ("unchanged", "occlusion of LAD", "occlusion of RCA", "occlusion of LCx")


def score_confounders(
    ludb: Path | None, ptb: Path | None, *, every: int = 1, watch: Watch = lambda cases, total: cases
) -> dict[str, Any]:
    """Rates of what was named, by the change that was made.

    Parameters
    ----------
    ludb, ptb : Path, optional
        Folders with LUDB and with PTB recordings named ``patientNNN_*``.
    every : int
        Score every so manieth LUDB record.
    watch : callable, optional
        Goes round the pairs while they are scored.

    Returns
    -------
    dict
        JSON-ready, by set and change: ``pairs`` with at least one lead measured in both, per cent in which the confounder was
        ``named`` as the one that was made, in which a confounder of its kind was ``detected``, in which any swap, gain or
        sampling rate was ``claimed`` (a false alarm where none was made), and in which ``new`` ischemia was found.
    """
    pairs = [*(ludb_pairs(ludb, every=every, moved=False) if ludb else []), *(ptb_pairs(ptb) if ptb else [])]
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for pair in watch(pairs, len(pairs)):
        if pair.baseline.median is None or pair.current.median is None:
            continue
        for name, expected, current in _variants(pair):
            change = compare(pair.baseline, current)
            if not change.comparable:
                continue
            tally = counts[pair.kind][name]
            tally["pairs"] += 1
            tally["detected"] += expected[0] in change.confounders
            tally["named"] += expected[0] in change.confounders and expected[1] in change.confounders[expected[0]]
            tally["claimed"] += any(each in change.confounders for each in ("changed-leads", "changed-gain", "sampling-rate"))
            tally["new"] += any(each.verdict == MET and each.kind == "new" for each in change.findings)
    return {kind: {name: _rates(tally) for name, tally in rows.items()} for kind, rows in counts.items()}


def _rates(tally: Counter[str]) -> dict[str, Any]:
    parts = ("named", "detected", "claimed", "new")
    return {"pairs": tally["pairs"]} | {part: number(100.0 * tally[part] / tally["pairs"]) for part in parts}


def _variants(pair: Pair) -> Iterator[tuple[str, tuple[str, str], Analysis]]:
    """Name of the change, the confounder and the words that should name it, and the changed current ECG."""
    nothing = ("-", "-")
    yield "unchanged", nothing, pair.current
    for artery in occlusions():
        yield f"occlusion of {artery}", nothing, analyze(changed(pair.current, artery))
    ecg = pair.current.ecg
    if pair.kind == "ptb":
        return
    for name, recipe in recipes(frozenset(ecg.leads)).items():
        yield _short(name), ("changed-leads", name), analyze(undone(ecg, recipe))
    yield "gain x 2", ("changed-gain", "another gain"), analyze(replace(ecg, signal_uv=2.0 * ecg.signal_uv))
    for factor in (0.5, 2.0):
        wrong = replace(ecg, fs=ecg.fs / factor)
        if wrong.duration_s >= 2.5:
            yield f"time x {factor:g}", ("sampling-rate", f"{factor:g} times"), analyze(wrong)
    rng = np.random.default_rng(crc32(pair.name.encode()))
    for degrees in ROTATIONS_DEG:
        yield f"turned by {degrees:g} degrees", ("rotation", ""), analyze(rotated(ecg, degrees, rng))


def _short(name: str) -> str:
    """Chest exchanges by their distance, so that the table stays short; V1/V6, and V1/V2, are told by themselves."""
    if "exchanged" not in name or "cables" in name or name.startswith(("V1 and V6", "V1 and V2")):
        return "one chest lead turned" if name.startswith("V") and "upside" in name else name
    first, second = (int(part[1]) for part in name.split() if part[0] == "V")
    return f"two chest leads exchanged, {second - first} apart"


def undone(ecg: Ecg, recipe: Recipe) -> Ecg:
    """The ECG that would have to be read by `recipe` to be right again."""
    signal = np.array(ecg.signal_uv)
    for lead, (source, sign) in recipe.items():
        signal[ecg.index(source)] = sign * ecg[lead]
    return replace(ecg, signal_uv=signal)


def false_alarms(result: dict[str, Any]) -> float:
    """Per cent of the pairs without any swap in which one was claimed."""
    rows = [row for kind, name in itertools.product(result, _PLAIN) if (row := result[kind].get(name))]
    total = sum(row["pairs"] for row in rows)
    claimed = sum(float(row["claimed"]) * int(row["pairs"]) for row in rows)
    return float(claimed / max(total, 1))
