"""Fit a logistic function, and say how well a number separates two groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit

from ecgspasm.ecg import Floats

Mask = NDArray[np.bool_]

_RIDGE = 0.5
"""Pull of the standardised weights towards nothing, per sample: a perfect split of few persons would else make them infinite."""


@dataclass(frozen=True, eq=False)
class Logistic:
    """``expit(intercept + features @ weight)``."""

    intercept: float
    weight: Floats

    def __call__(self, features: Floats) -> Floats:
        """Probability of each row, shape (row,)."""
        return np.asarray(expit(self.intercept + features @ self.weight))


def fit_logistic(features: Floats, positive: Mask) -> Logistic:
    """Fit on rows of features, both groups weighing alike; no weight is negative: more change never speaks against ischemia.

    Parameters
    ----------
    features : ndarray, shape (row, feature)
    positive : ndarray of bool, shape (row,)
    """
    middle, size = features.mean(axis=0), features.std(axis=0)
    scaled = (features - middle) / size
    sign = np.where(positive, 1.0, -1.0)
    share = np.where(positive, 0.5 / positive.sum(), 0.5 / (~positive).sum())

    def loss(parameters: Floats) -> float:
        margin = sign * (parameters[0] + scaled @ parameters[1:])
        return float(share @ np.logaddexp(0.0, -margin) + _RIDGE / len(scaled) * (parameters[1:] ** 2).sum())

    bounds = [(None, None), *[(0.0, None)] * features.shape[1]]
    best = optimize.minimize(loss, np.zeros(features.shape[1] + 1), method="L-BFGS-B", bounds=bounds).x
    weight = best[1:] / size
    return Logistic(float(best[0] - weight @ middle), weight)


def left_out(features: Floats, positive: Mask, group: NDArray[np.int_]) -> Floats:
    """Probability of each row from a fit that has not seen its group (a person), shape (row,)."""
    found = np.empty(len(features))
    for each in np.unique(group):
        out = group == each
        found[out] = fit_logistic(features[~out], positive[~out])(features[out])
    return found


def auc(positive: Floats, negative: Floats) -> float:
    """Area under the ROC curve: the share of (positive, negative) pairs in the right order, ties for half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float(np.mean((below + not_above) / 2.0) / len(negative))


def sensitivity_at(positive: Floats, negative: Floats, specificity: float) -> float:
    """Share of positives above a threshold at which at least that share of negatives is not."""
    allowed = int(np.floor((1.0 - specificity) * len(negative) + 1e-9))
    threshold = np.sort(negative)[::-1][allowed]
    return float(np.mean(positive > threshold))


def bootstrap_auc(positive: Floats, negative: Floats, *, seed: int = 1, rounds: int = 2000) -> tuple[float, float]:
    """95 % interval of the AUC over persons, each of whom gives one row of both; rows of the two belong together."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(positive), size=(rounds, len(positive)))
    values = [auc(positive[each], negative[each]) for each in rows]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
