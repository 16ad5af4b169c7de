"""How well the rules, the score and plain numbers tell coronary occlusion from the same person's baseline (STAFF III)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgspasm.benchmarks.logistic import auc, bootstrap_auc, left_out, sensitivity_at
from ecgspasm.benchmarks.staffiii import OcclusionPair, pairs
from ecgspasm.criteria import Criterion, load_criteria
from ecgspasm.ecg import Analysis, Floats, Measurements, number
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import MET, Comparison
from ecgspasm.serial.score import log_features, used
from ecgspasm.serial.vessel import vessel_leads, vessel_table

SPECIFICITY = 0.96
STEMI = "udmi4-st-elevation"
NEW = ("new-st-elevation", "new-st-depression", "new-st-fall", "new-t-inversion", "t-pseudo-normalisation")
PERSONS = 104

Watch = Callable[[Iterable[OcclusionPair], int], Iterable[OcclusionPair]]


@dataclass(frozen=True, eq=False)
class Judged:
    """What was found in one pair of ECGs."""

    numbers: dict[str, float]
    """Larger for ischemia; ``nan`` where it could not be told."""
    met: dict[str, bool]
    features: Mapping[str, float]
    """Of the score."""


def score_staffiii(folder: Path, *, watch: Watch = lambda cases, total: cases) -> dict[str, Any]:
    """Score on STAFF III, in its original layout or as a folder of per-beat measurements.

    Parameters
    ----------
    folder : Path
    watch : callable, optional
        Goes round the persons while they are scored.

    Returns
    -------
    dict
        JSON-ready: ``persons``, and by method sensitivity and specificity (rules), or AUC with its 95 % interval over persons and
        sensitivity at 96 % specificity (numbers), overall and by artery.
    """
    artery, occluded, quiet, other = [], [], [], []
    for pair in watch(pairs(folder), PERSONS):
        artery.append(pair.artery)
        occluded.append(_judged(pair.baseline, pair.occlusion))
        quiet.append(_judged(pair.quiet_first, pair.quiet_last))
        if pair.other_baseline is not None:
            other.append(_judged(pair.other_baseline, pair.baseline))
    if not occluded:
        return {"persons": 0}
    groups = {"all": np.ones(len(artery), dtype=bool)}
    groups |= {name: np.array([each == name for each in artery]) for name in sorted(set(artery)) if name != "left main"}
    result: dict[str, Any] = {"persons": len(artery), "by_artery": {name: int(rows.sum()) for name, rows in groups.items()}}
    result["rules"] = {name: _rule(name, occluded, quiet, other, groups) for name in occluded[0].met}
    numbers = {name: _numbers(name, occluded, quiet) for name in occluded[0].numbers}
    numbers["score, person left out"] = _refitted(occluded, quiet)
    result["numbers"] = {name: _figures(*sides, groups) for name, sides in numbers.items()}
    result["reliability"] = _reliability(*numbers["score, person left out"])
    return result


def _judged(baseline: Measurements | Analysis, current: Measurements | Analysis) -> Judged:
    """All methods on one pair; the rules read ST at J+60 where a table tells nothing of J."""
    change = compare(baseline, current, electrodes="same", criteria=())
    measure = "st_j_uv" if "st_j_uv" in change.changes else "st_j60_uv"
    change = compare(baseline, current, electrodes="same", criteria=_rules(measure))
    verdicts = {each.criterion: each.verdict for each in (*change.findings, *change.definitions)}
    vessel = vessel_leads(change.measured["current"], measure)
    limit = float(vessel_table()["limit_uv"])
    met = {
        "STEMI limits": verdicts.get(STEMI) == MET,
        "vessel-specific leads": max(vessel.values()) >= limit,
        "new ST elevation": verdicts.get("new-st-elevation") == MET,
        "any new change": any(verdicts.get(name) == MET for name in NEW),
        "score above one half": change.score.probability > 0.5,
    }
    return Judged(_plain(change), met, change.score.features)


def _rules(measure: str) -> tuple[Criterion, ...]:
    wanted = [rule for rule in load_criteria() if rule.id in (STEMI, *NEW)]
    return tuple(wanted if measure == "st_j_uv" else (rule.at(measure) for rule in wanted))


def _plain(change: Comparison) -> dict[str, float]:
    """The score and the plain references that it has to beat."""
    st, t = (change.changes[name].difference for name in ("st_j60_uv", "t_uv"))
    size = np.sort(np.abs(st[np.isfinite(st)]))
    second = float(size[-2]) if len(size) > 1 else float("nan")
    return {
        "score": change.score.probability,
        "largest change of ST": float(size[-1]) if len(size) else float("nan"),
        "second largest change of ST": second,
        "root mean square of ST and T/3": float(np.sqrt(np.nanmean(np.concatenate([st, t / 3.0]) ** 2))),
        "largest change in a vessel-specific lead": _vessel_change(change),
        "change of the ST vector": change.score.features["st_vector_change_uv"],
        "change of the T vector": change.score.features["t_vector_change_uv"],
    }


def _vessel_change(change: Comparison) -> float:
    measure = "st_j_uv" if "st_j_uv" in change.changes else "st_j60_uv"
    first, second = (vessel_leads(change.measured[name], measure) for name in ("baseline", "current"))
    return max(second[artery] - first[artery] for artery in second)


def _numbers(name: str, occluded: list[Judged], quiet: list[Judged]) -> tuple[Floats, Floats]:
    """One number of all pairs; what could not be told speaks for nothing."""
    sides = (np.nan_to_num(np.array([each.numbers[name] for each in side]), nan=0.0) for side in (occluded, quiet))
    first, second = sides
    return first, second


def _refitted(occluded: list[Judged], quiet: list[Judged]) -> tuple[Floats, Floats]:
    """The score's probabilities when its coefficients were fitted to all other persons."""
    rows = np.array([[np.nan_to_num(each.features[name]) for name in used("same")] for each in (*occluded, *quiet)])
    positive = np.arange(len(rows)) < len(occluded)
    person = np.concatenate([np.arange(len(occluded)), np.arange(len(quiet))])
    if len(occluded) < 5:
        return np.full(len(occluded), np.nan), np.full(len(quiet), np.nan)
    found = left_out(log_features(rows, "same"), positive, person)
    return found[positive], found[~positive]


def _figures(positive: Floats, negative: Floats, groups: dict[str, Any]) -> dict[str, Any]:
    """AUC, its interval, and sensitivity at the specificity asked for; the negatives are those of all persons."""
    if not (np.isfinite(positive).all() and np.isfinite(negative).all()):
        return {"auc": None, "reason": "too few persons"}
    low, high = bootstrap_auc(positive, negative)
    at = {name: number(100 * sensitivity_at(positive[rows], negative, SPECIFICITY)) for name, rows in groups.items()}
    return {"auc": number(auc(positive, negative), 4), "auc_low": number(low, 4), "auc_high": number(high, 4), "se_at_sp96": at}


def _reliability(positive: Floats, negative: Floats) -> list[dict[str, Any]]:
    """Said and seen shares of occlusion by fifths of the probability: a reliability curve, for even odds beforehand."""
    said = np.concatenate([positive, negative])
    true = np.arange(len(said)) < len(positive)
    rows = []
    for low in np.arange(0.0, 1.0, 0.2):
        inside = (said >= low) & (said < low + 0.2 if low < 0.75 else said <= 1.0)
        if inside.any():
            cells = {"said": number(float(said[inside].mean()), 2), "seen": number(float(true[inside].mean()), 2)}
            rows.append({"from": number(float(low)), "pairs": int(inside.sum())} | cells)
    return rows


def _rule(name: str, occluded: list[Judged], quiet: list[Judged], other: list[Judged], groups: dict[str, Any]) -> dict[str, Any]:
    yes = np.array([each.met[name] for each in occluded])
    no = np.array([not each.met[name] for each in quiet])
    result = {
        "sensitivity": {group: number(100.0 * float(yes[rows].mean())) for group, rows in groups.items()},
        "specificity": number(100.0 * float(no.mean())),
    }
    if other:
        result["specificity_other_baseline"] = number(100.0 * float(np.mean([not each.met[name] for each in other])))
    return result
