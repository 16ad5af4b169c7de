"""One probability of new ischemia from a few named changes, beside the rules."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.special import expit

from ecgspasm.ecg import Floats, Measurements, number
from ecgspasm.processing.vector import heart_vectors, kors
from ecgspasm.serial.repeatability import Electrodes


@dataclass(frozen=True)
class Score:
    """Probability of new ischemia when it is as likely as not beforehand; ``nan`` with a reason where it cannot be told."""

    probability: float
    features: Mapping[str, float] = field(default_factory=dict)
    """What it was made from, in uV."""
    reason: str = ""
    """Why there is no probability; empty if there is one."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        features = {name: number(value) for name, value in self.features.items()}
        return {"probability": number(self.probability, 3), "features": features, "reason": self.reason or None}

    def __str__(self) -> str:
        if self.reason:
            return f"no score: {self.reason}"
        parts = ", ".join(f"{name.replace('_', ' ').removesuffix(' uv')} {value:.0f} uV" for name, value in self.features.items())
        return f"score {self.probability:.2f} ({parts})"


@cache
def _models() -> dict[str, Any]:
    return tomllib.loads(files("ecgspasm.serial").joinpath("score.toml").read_text(encoding="utf-8"))


def features(baseline: Measurements, current: Measurements) -> dict[str, float]:
    """The changes that the score is made from, in uV.

    Sizes of the change of the ST vector at J+60 and of the T vector; the second largest change of ST in a lead, which sees what
    is too near to the electrodes to be a vector; and how far T has turned over in at least two leads: in each lead the smaller of
    its heights above and below zero before and after, of the leads the second largest.
    """
    first, second = heart_vectors(baseline), heart_vectors(current)
    measure = "t_net_uv" if all("t_net_uv" in each.values for each in (baseline, current)) else "t_uv"
    before, after = (_row(each, measure) for each in (baseline, current))
    st = np.abs(_row(current, "st_j60_uv") - _row(baseline, "st_j60_uv"))
    turned = np.where(before * after < 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    return {
        "st_vector_change_uv": float(np.linalg.norm(second.st_j60_uv - first.st_j60_uv)),
        "t_vector_change_uv": float(np.linalg.norm(second.t_uv - first.t_uv)),
        "st_second_change_uv": float(np.sort(st)[-2]),
        "t_turned_uv": float(np.sort(turned)[-2]) if np.isfinite(turned).all() else float("nan"),
    }


def _row(measured: Measurements, measure: str) -> Floats:
    """One measure of the eight independent leads; ``nan`` where it was not measured, shape (8,)."""
    there = measure in measured.values
    return np.array([measured.get(measure, lead) if there else np.nan for lead in kors().leads])


def score(baseline: Measurements, current: Measurements, electrodes: Electrodes, blocking: str = "") -> Score:
    """Probability that `current` shows new ischemia against `baseline`.

    Parameters
    ----------
    baseline, current : Measurements
        With ST at J+60 and T of the eight independent leads.
    electrodes : {'same', 'fresh'}
    blocking : str
        A confounder that could explain the change; the score is then not told.

    Notes
    -----
    A logistic function of the logarithms of the features (each plus a floor, below which a change is noise); coefficients with
    their provenance in ``score.toml``, one set for each setting of the electrodes.
    """
    found = features(baseline, current)
    if blocking:
        return Score(float("nan"), found, blocking)
    if not all(np.isfinite(value) for value in found.values()):
        return Score(float("nan"), found, "ST at J+60 and T are needed in I, II and V1-V6 of both ECGs")
    model = _models()[electrodes]
    names = used(electrodes)
    weight = np.array([model["weight"][name] for name in names])
    rows = log_features(np.array([[found[name] for name in names]]), electrodes)
    return Score(float(expit(model["intercept"] + rows @ weight)[0]), found)


def used(electrodes: Electrodes) -> tuple[str, ...]:
    """The features that the score of a setting is made from."""
    return tuple(_models()[electrodes]["floor_uv"])


def log_features(rows: Floats, electrodes: Electrodes) -> Floats:
    """The logarithms that the logistic function adds up, shape (pair, feature); columns are those `used`, in their order."""
    floor = _models()[electrodes]["floor_uv"]
    return np.asarray(np.log(rows + np.array([floor[name] for name in used(electrodes)])))
