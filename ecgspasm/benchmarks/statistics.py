"""Figures of agreement and discrimination with their 95 % intervals, from plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize
from scipy.special import expit, logit, ndtri, stdtrit

from ecgspasm.benchmarks.logistic import auc
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError

Mask = NDArray[np.bool_]
Interval = tuple[float, float]

Z95 = float(ndtri(0.975))


@dataclass(frozen=True, eq=False)
class Roc:
    """How well a number separates positives from negatives.

    Attributes
    ----------
    false_positive, sensitivity : ndarray, shape (threshold,)
        From (0, 0) to (1, 1), one point a value that occurs.
    auc : float
        The share of (positive, negative) pairs in the right order, ties for half (Mann and Whitney).
    interval : tuple of float
        95 %, see `roc_of`.
    n_positive, n_negative : int
    """

    false_positive: Floats
    sensitivity: Floats
    auc: float
    interval: Interval
    n_positive: int
    n_negative: int


def roc_of(scores: ArrayLike, positive: ArrayLike) -> Roc:
    """ROC curve and area under it.

    The interval of the area is that of DeLong, on the logit scale (Pepe 2003, 5.2.5), so that it stays within 0 and 1. DeLong's
    variance is nothing where all pairs are in the right order, or none; then, and with one sample of a kind, it is Newcombe's
    (method 5), which needs the area and the numbers only.

    Parameters
    ----------
    scores : array_like, shape (sample,)
        Larger for positives.
    positive : array_like of bool, shape (sample,)

    Raises
    ------
    EcgError
        If both are not as long, a score is missing, or one of the two kinds is.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. Newcombe RG. Stat Med 2006;25:559-573. Pepe MS. The
    Statistical Evaluation of Medical Tests for Classification and Prediction. Oxford 2003.
    """
    values, truth = _labelled(scores, positive, "scores")
    high, low = values[truth], values[~truth]
    if not len(high) or not len(low):
        raise EcgError(f"an ROC curve needs positives and negatives; there are {len(high)} and {len(low)}")
    levels = np.unique(values)[::-1]
    right, wrong = (1.0 - np.searchsorted(np.sort(side), levels, side="left") / len(side) for side in (high, low))
    area = auc(high, low)
    start = np.zeros(1)
    return Roc(
        np.concatenate([start, wrong]),
        np.concatenate([start, right]),
        area,
        _auc_interval(high, low, area),
        len(high),
        len(low),
    )


def _auc_interval(high: Floats, low: Floats, area: float) -> Interval:
    variance = 0.0
    if len(high) > 1 and len(low) > 1:
        variance = sum(float(np.var(_placement(*pair), ddof=1)) / len(pair[0]) for pair in ((high, low), (low, high)))
    if variance <= 0.0 or not 0.0 < area < 1.0:
        return _newcombe(area, len(high), len(low))
    error = Z95 * float(np.sqrt(variance)) / (area * (1.0 - area))
    return float(expit(logit(area) - error)), float(expit(logit(area) + error))


def _placement(own: Floats, other: Floats) -> Floats:
    """Share of the other side that each value is above, ties for half."""
    ordered = np.sort(other)
    below, not_above = (np.searchsorted(ordered, own, side=side) for side in ("left", "right"))
    return np.asarray((below + not_above) / 2.0 / len(other))


def _newcombe(area: float, n_positive: int, n_negative: int) -> Interval:
    """Those true areas that are 1.96 of their own standard errors away (Hanley and McNeil's, for balanced numbers)."""
    balanced = (n_positive + n_negative) / 2.0 - 1.0

    def off(true: float) -> float:
        spread = 1.0 + balanced * ((1.0 - true) / (2.0 - true) + true / (1.0 + true))
        return (area - true) ** 2 - Z95**2 * true * (1.0 - true) * spread / (n_positive * n_negative)

    edge = 1e-12
    ends = [0.0, 1.0]
    if area > 0.0:
        ends[0] = float(optimize.brentq(off, edge, min(area, 1.0 - edge) - edge / 2.0))
    if area < 1.0:
        ends[1] = float(optimize.brentq(off, max(area, edge) + edge / 2.0, 1.0 - edge))
    return ends[0], ends[1]


def wilson(hits: ArrayLike, total: ArrayLike) -> tuple[Floats, Floats]:
    """Lower and upper ends of the 95 % interval of a share.

    Parameters
    ----------
    hits, total : array_like of int, of one shape
        ``nan`` where `total` is 0.

    References
    ----------
    Wilson EB. J Am Stat Assoc 1927;22:209-212.

    Examples
    --------
    >>> [each.round(3).tolist() for each in wilson([9, 0], [10, 10])]
    [[0.596, 0.0], [0.982, 0.278]]
    """
    n = np.asarray(total, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.asarray(hits, dtype=float) / n
        middle = (share + Z95**2 / (2.0 * n)) / (1.0 + Z95**2 / n)
        half = Z95 / (1.0 + Z95**2 / n) * np.sqrt(share * (1.0 - share) / n + Z95**2 / (4.0 * n**2))
    return np.asarray(np.maximum(middle - half, 0.0)), np.asarray(np.minimum(middle + half, 1.0))


@dataclass(frozen=True, eq=False)
class Reliability:
    """Said and seen shares by the probability said, one entry a bin that is not empty.

    Attributes
    ----------
    said, seen : ndarray, shape (bin,)
        Mean probability, and share of positives.
    low, high : ndarray, shape (bin,)
        95 % interval of `seen` (Wilson).
    count : ndarray of int, shape (bin,)
    edges : ndarray, shape (bin, 2)
    brier : float
        Mean squared difference of probability and truth.
    """

    said: Floats
    seen: Floats
    low: Floats
    high: Floats
    count: NDArray[np.int_]
    edges: Floats
    brier: float


def reliability_of(probability: ArrayLike, positive: ArrayLike, *, bins: int = 10) -> Reliability:
    """How often what was said with some probability was true.

    Parameters
    ----------
    probability : array_like, shape (sample,)
    positive : array_like of bool, shape (sample,)
    bins : int
        Bins of equal width.

    Raises
    ------
    EcgError
        If both are not as long, a probability is missing or not one, there is none, or `bins` is not positive.
    """
    said, truth = _labelled(probability, positive, "probability")
    if not len(said) or said.min() < 0.0 or said.max() > 1.0:
        raise EcgError("probability must hold numbers from 0 to 1, at least one; give probabilities, not scores")
    if bins < 1:
        raise EcgError(f"bins is {bins!r}; give 1 or more")
    limits = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(limits, said, side="right") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    there = count > 0
    sums = [np.bincount(place, weights=each, minlength=bins)[there] for each in (said, truth.astype(float))]
    low, high = wilson(sums[1], count[there])
    edges = np.stack([limits[:-1], limits[1:]], axis=1)[there]
    brier = float(np.mean((said - truth) ** 2))
    return Reliability(sums[0] / count[there], sums[1] / count[there], low, high, count[there], edges, brier)


@dataclass(frozen=True)
class Agreement:
    """Two series of measurements of the same things, after Bland and Altman; differences are second minus first."""

    n: int
    bias: float
    bias_interval: Interval
    sd: float
    lower: float
    """Limit of agreement: 95 % of the differences lie between `lower` and `upper`, if they are normal."""
    lower_interval: Interval
    upper: float
    upper_interval: Interval


def agreement(first: ArrayLike, second: ArrayLike) -> Agreement:
    """Bias and limits of agreement of two series, with 95 % intervals.

    Parameters
    ----------
    first, second : array_like, shape (sample,)
        Pairs in which one is ``nan`` are left out.

    Raises
    ------
    EcgError
        If both are not as long, or fewer than two pairs are whole.

    References
    ----------
    Bland JM, Altman DG. Lancet 1986;327:307-310, and Stat Methods Med Res 1999;8:135-160 (standard error of the limits).
    """
    one, other = pairs_of(first, second)
    differences = other - one
    n, bias, sd = len(differences), float(differences.mean()), float(differences.std(ddof=1))
    t = float(stdtrit(n - 1, 0.975))
    own = t * sd / np.sqrt(n)
    limit = t * sd * np.sqrt(1.0 / n + Z95**2 / (2.0 * (n - 1)))
    lower, upper = bias - Z95 * sd, bias + Z95 * sd
    return Agreement(
        n=n,
        bias=bias,
        bias_interval=(float(bias - own), float(bias + own)),
        sd=sd,
        lower=lower,
        lower_interval=(float(lower - limit), float(lower + limit)),
        upper=upper,
        upper_interval=(float(upper - limit), float(upper + limit)),
    )


def pairs_of(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    """The whole pairs of two series; an EcgError if there are not two."""
    one, other = _numbers(first, "first"), _numbers(second, "second")
    if len(one) != len(other):
        raise EcgError(f"the series have {len(one)} and {len(other)} values; give pairs in the same order")
    whole = np.isfinite(one) & np.isfinite(other)
    if whole.sum() < 2:
        raise EcgError(f"{whole.sum()} pairs have both values; agreement needs two or more")
    return one[whole], other[whole]


@dataclass(frozen=True)
class Spread:
    """Errors of one kind."""

    n: int
    mean: float
    mean_interval: Interval
    """95 %, after Student; ``nan`` for a single error."""
    sd: float
    quantiles: tuple[float, float, float, float, float]
    """2.5, 25, 50, 75 and 97.5 %."""


def spread_of(errors: ArrayLike) -> Spread:
    """Mean, its interval, SD and quantiles of errors; those that are ``nan`` are left out.

    Raises
    ------
    EcgError
        If there is no error at all.
    """
    values = _numbers(errors, "errors")
    values = values[np.isfinite(values)]
    n = len(values)
    if not n:
        raise EcgError("there are no errors to draw; give at least one number")
    mean, sd = float(values.mean()), float(values.std(ddof=1)) if n > 1 else float("nan")
    half = float(stdtrit(n - 1, 0.975)) * sd / np.sqrt(n) if n > 1 else float("nan")
    low, first, middle, third, high = (float(each) for each in np.quantile(values, [0.025, 0.25, 0.5, 0.75, 0.975]))
    return Spread(n, mean, (float(mean - half), float(mean + half)), sd, (low, first, middle, third, high))


def _numbers(values: ArrayLike, what: str) -> Floats:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise EcgError(f"{what} are not numbers: {error}") from error
    if array.ndim != 1:
        raise EcgError(f"{what} has {array.ndim} axes; give one")
    return array


def _labelled(values: ArrayLike, positive: ArrayLike, what: str) -> tuple[Floats, Mask]:
    """Numbers and their labels, if they fit together."""
    numbers, truth = _numbers(values, what), _numbers(positive, "positive")
    if len(numbers) != len(truth):
        raise EcgError(f"{what} has {len(numbers)} values and positive {len(truth)}; give one label a value")
    if not np.isin(truth, (0.0, 1.0)).all():
        raise EcgError("positive must hold True and False (or 1 and 0) only")
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise EcgError(f"{what} has no number in row {row}; leave such rows out, and say how many they were")
    return numbers, truth.astype(bool)
