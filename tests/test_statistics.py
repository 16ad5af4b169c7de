"""Figures of discrimination and agreement against known truth and relations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ecgspasm.benchmarks.statistics import agreement, reliability_of, roc_of, spread_of, wilson
from ecgspasm.errors import EcgError


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def scored(rng: np.random.Generator, n: int = 80, shift: float = 1.0) -> tuple[Any, Any]:
    """Scores with ties."""
    positive = rng.random(n) < 0.4
    return np.round(rng.normal(0.0, 1.0, n) + shift * positive, 1), positive


def test_auc_is_mann_whitney_and_the_area_under_the_curve(rng: np.random.Generator) -> None:
    for _ in range(20):
        scores, positive = scored(rng)
        found = roc_of(scores, positive)
        u = stats.mannwhitneyu(scores[positive], scores[~positive]).statistic
        assert found.auc == pytest.approx(u / positive.sum() / (~positive).sum())
        assert found.auc == pytest.approx(np.trapezoid(found.sensitivity, found.false_positive))
        assert (found.n_positive, found.n_negative) == (positive.sum(), (~positive).sum())
        assert (np.diff(found.false_positive) >= 0.0).all()
        assert (np.diff(found.sensitivity) >= 0.0).all()
        assert (found.false_positive[0], found.sensitivity[0], found.false_positive[-1], found.sensitivity[-1]) == (0, 0, 1, 1)


def test_turning_scores_or_labels_turns_the_area_and_its_interval(rng: np.random.Generator) -> None:
    scores, positive = scored(rng)
    found = roc_of(scores, positive)
    for turned in (roc_of(-scores, positive), roc_of(scores, ~positive)):
        assert turned.auc == pytest.approx(1.0 - found.auc)
        assert turned.interval == pytest.approx((1.0 - found.interval[1], 1.0 - found.interval[0]))
    assert roc_of(-scores, ~positive).interval == pytest.approx(found.interval)
    stretched = roc_of(np.exp(scores), positive)  # only the order counts
    assert (stretched.auc, *stretched.interval) == pytest.approx((found.auc, *found.interval))


def test_delong_variance_by_hand() -> None:
    """Variance of the structural components, one a positive and one a negative."""
    high, low = np.array([3.0, 5.0, 2.0]), np.array([1.0, 2.0, 4.0, 0.0])
    order = (high[:, None] > low[None]) + 0.5 * (high[:, None] == low[None])
    variance = np.var(order.mean(axis=1), ddof=1) / 3 + np.var(order.mean(axis=0), ddof=1) / 4
    area = order.mean()
    half = 1.959964 * np.sqrt(variance) / area / (1.0 - area)
    logit = np.log(area / (1.0 - area))
    found = roc_of([*high, *low], [1, 1, 1, 0, 0, 0, 0])
    assert found.interval == pytest.approx(tuple(1.0 / (1.0 + np.exp(-np.array([logit - half, logit + half])))), rel=1e-5)


def test_intervals_of_the_area_cover_the_truth(rng: np.random.Generator) -> None:
    truth = stats.norm.cdf(1.0 / np.sqrt(2.0))
    covered = []
    for _ in range(400):
        positive = np.arange(120) < 50
        low, high = roc_of(rng.normal(0.0, 1.0, 120) + positive, positive).interval
        covered.append(low <= truth <= high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_a_perfect_split_is_not_certain() -> None:
    found = roc_of([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1])
    assert found.auc == 1.0
    assert found.interval[1] == 1.0
    assert 0.3 < found.interval[0] < 0.9
    more = roc_of(np.arange(200), np.arange(200) >= 100)
    assert 0.95 < more.interval[0] < 1.0
    assert roc_of(-np.arange(200), np.arange(200) >= 100).interval == pytest.approx((0.0, 1.0 - more.interval[0]), abs=1e-6)
    one = roc_of([1.0, 2.0, 3.0], [0, 1, 0])
    assert one.interval[0] < one.auc < one.interval[1]


def test_wilson_is_that_of_the_book() -> None:
    """Newcombe RG. Stat Med 1998;17:857-872, table I, method 3."""
    table = ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718))
    for hits, total, low, high in table:
        assert wilson(hits, total) == pytest.approx((low, high), abs=5e-5)
    low, high = wilson([3, 17], [20, 20])
    assert low + high[::-1] == pytest.approx([1.0, 1.0])
    assert np.isnan(wilson(0, 0)).all()


def test_calibrated_probabilities_lie_on_the_diagonal(rng: np.random.Generator) -> None:
    said = rng.beta(0.7, 0.7, 20_000)
    found = reliability_of(said, rng.random(20_000) < said)
    assert found.count.sum() == 20_000
    inside = (found.low <= found.said) & (found.said <= found.high)
    assert inside.sum() >= 9
    assert found.seen == pytest.approx(found.said, abs=0.04)
    assert found.brier == pytest.approx(np.mean(said * (1.0 - said)), abs=0.005)
    wrong = reliability_of(said, rng.random(20_000) < said**2)
    assert ((wrong.low <= wrong.said) & (wrong.said <= wrong.high)).sum() <= 2


def test_bins_hold_their_samples_and_empty_ones_are_left_out() -> None:
    found = reliability_of([0.0, 0.05, 0.1, 0.95, 1.0], [0, 1, 0, 1, 1], bins=10)
    assert found.edges == pytest.approx(np.array([[0.0, 0.1], [0.1, 0.2], [0.9, 1.0]]))
    assert found.count.tolist() == [2, 1, 2]
    assert found.said == pytest.approx([0.025, 0.1, 0.975])
    assert found.seen == pytest.approx([0.5, 0.0, 1.0])


def test_a_constant_offset_is_bias_alone(rng: np.random.Generator) -> None:
    x = rng.normal(0.0, 200.0, 60)
    found = agreement(x, x + 30.0)
    assert (found.n, found.bias, found.sd) == (60, pytest.approx(30.0), pytest.approx(0.0, abs=1e-9))
    assert (found.lower, found.upper) == pytest.approx((30.0, 30.0))
    assert agreement(x, x).bias == 0.0


def test_swapping_the_series_turns_the_signs(rng: np.random.Generator) -> None:
    x, y = rng.normal(0.0, 50.0, (2, 40))
    one, other = agreement(x, y), agreement(y, x)
    assert other.bias == pytest.approx(-one.bias)
    assert other.sd == pytest.approx(one.sd)
    assert (other.lower, other.upper) == pytest.approx((-one.upper, -one.lower))
    assert other.lower_interval == pytest.approx((-one.upper_interval[1], -one.upper_interval[0]))


def test_limits_of_agreement_are_those_of_bland_and_altman() -> None:
    """Lancet 1986;327:307-310: 17 persons, two peak flow meters: bias -2.1, SD 38.8, limits -79.7 and 75.5 l/min at 2 SD."""
    wright = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = agreement(mini, wright)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert (found.lower, found.upper) == pytest.approx((-2.12 - 1.96 * 38.77, -2.12 + 1.96 * 38.77), abs=0.1)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)  # as printed there
    # there with 2 SD and the variance 3/n, which that of 1999 lies a little below
    assert found.lower_interval == pytest.approx((-112.5, -43.7), abs=3.0)


def test_intervals_of_the_limits_cover_the_truth(rng: np.random.Generator) -> None:
    found = [agreement(np.zeros(40), rng.normal(5.0, 10.0, 40)) for _ in range(400)]
    for name, truth in (("bias", 5.0), ("lower", 5.0 - 19.6), ("upper", 5.0 + 19.6)):
        ends = np.array([getattr(each, f"{name}_interval") for each in found])
        assert 0.92 <= np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])) <= 0.98


def test_pairs_that_lack_one_are_left_out() -> None:
    assert agreement([1.0, np.nan, 3.0, 4.0], [2.0, 2.0, np.nan, 5.0]).n == 2


def test_spread_of_errors(rng: np.random.Generator) -> None:
    errors = rng.normal(3.0, 10.0, 5000)
    found = spread_of([*errors, np.nan])
    assert found.n == 5000
    assert found.mean_interval[0] < 3.0 < found.mean_interval[1]
    assert np.ptp(found.mean_interval) == pytest.approx(2 * 1.96 * 10.0 / np.sqrt(5000), rel=0.05)
    assert found.sd == pytest.approx(10.0, rel=0.05)
    assert found.quantiles == pytest.approx((3 - 19.6, 3 - 6.74, 3, 3 + 6.74, 3 + 19.6), abs=1.0)
    assert np.isnan(spread_of([2.0]).sd)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: roc_of([1.0, 2.0], [1, 1]), "needs positives and negatives; there are 2 and 0"),
        (lambda: roc_of([1.0, np.nan], [1, 0]), "scores has no number in row 1; leave such rows out"),
        (lambda: roc_of([1.0], [1, 0]), "scores has 1 values and positive 2; give one label a value"),
        (lambda: roc_of([1.0, 2.0], [1, 2]), "positive must hold True and False"),
        (lambda: roc_of([[1.0], [2.0]], [1, 0]), "scores has 2 axes; give one"),
        (lambda: roc_of(["a", "b"], [1, 0]), "scores are not numbers"),
        (lambda: reliability_of([0.5, 1.5], [1, 0]), "give probabilities, not scores"),
        (lambda: reliability_of([], []), "at least one"),
        (lambda: reliability_of([0.5], [1], bins=0), "bins is 0; give 1 or more"),
        (lambda: agreement([1.0, 2.0], [1.0]), "the series have 2 and 1 values"),
        (lambda: agreement([1.0, np.nan], [1.0, 2.0]), "1 pairs have both values"),
        (lambda: spread_of([np.nan]), "there are no errors to draw"),
    ],
)
def test_wrong_arrays_are_refused_in_one_line(call: Any, told: str) -> None:
    with pytest.raises(EcgError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)
