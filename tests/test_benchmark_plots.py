"""Figures of benchmarks: what is drawn and printed is what was counted, and nothing lies on anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from ecgspasm import plot
from ecgspasm.benchmarks.statistics import agreement, reliability_of, roc_of, spread_of
from ecgspasm.errors import EcgError
from tests.pictures import assert_readable, named, words

RNG = np.random.default_rng(3)
POSITIVE = RNG.random(300) < 0.4
SCORES = {name: POSITIVE * shift + RNG.normal(0.0, 1.0, 300) for name, shift in (("score", 2.0), ("ST", 1.0), ("T", 0.3))}
SAID = RNG.random(1500)
SEEN = RNG.random(1500) < SAID
FIRST = RNG.normal(0.0, 200.0, 120)
SECOND = FIRST + 30.0 + RNG.normal(0.0, 20.0, 120)
ERRORS = {f"{wave} {edge}": RNG.normal(1.0, 8.0, 200) for wave in ("P", "QRS", "T") for edge in ("onset", "peak", "offset")}
AWKWARD = ("$x^{2$ and more words than there is room for " * 4, "_hidden", "심전도", "a\nb", "", "V1")


def test_roc_draws_each_curve_and_prints_its_area() -> None:
    figure, axes = plot.roc(SCORES, POSITIVE)
    for name, scores in SCORES.items():
        found = roc_of(scores, POSITIVE)
        line = named(axes)[f"roc-{name}"]
        assert line.get_xdata() == pytest.approx(found.false_positive)
        assert line.get_ydata() == pytest.approx(found.sensitivity)
        assert f"AUC {found.auc:.3f} (95 % CI {found.interval[0]:.3f}–{found.interval[1]:.3f}) · {name}" in words(figure)
    assert f"{POSITIVE.sum()} positive, {(~POSITIVE).sum()} negative" in words(figure)
    assert len({(line.get_color(), line.get_linestyle()) for line in named(axes, "roc-").values()}) == 3
    assert_readable(figure)


def test_reliability_draws_shares_intervals_and_numbers() -> None:
    figure, axes = plot.reliability(SAID, SEEN)
    found = reliability_of(SAID, SEEN)
    line = named(axes)["seen"]
    assert line.get_xdata() == pytest.approx(found.said)
    assert line.get_ydata() == pytest.approx(found.seen)
    ends = np.array(named(axes)["interval"].get_segments())[:, :, 1]
    assert ends == pytest.approx(np.stack([found.low, found.high], axis=1))
    bars = [each for each in axes.patches if each.get_gid() == "count"]
    heights = np.array([each.get_height() for each in bars])
    assert heights / heights.max() == pytest.approx(found.count / found.count.max())
    assert set(map(str, found.count)) <= set(words(figure).split("\n"))
    assert f"Brier score {found.brier:.3f}" in words(figure)
    assert_readable(figure)


def test_bland_altman_draws_pairs_bias_and_limits() -> None:
    figure, axes = plot.bland_altman(FIRST, SECOND, names=("cardiologist", "found"))
    found = agreement(FIRST, SECOND)
    parts = named(axes)
    assert parts["pairs"].get_xdata() == pytest.approx((FIRST + SECOND) / 2.0)
    assert parts["pairs"].get_ydata() == pytest.approx(SECOND - FIRST)
    for name in ("bias", "lower", "upper"):
        level, ends = getattr(found, name), getattr(found, f"{name}_interval")
        assert parts[name].get_ydata() == pytest.approx([level] * 2)
        box = parts[f"{name}-interval"]
        assert (box.get_y(), box.get_y() + box.get_height()) == pytest.approx(ends)
        assert f"{level:+.1f} µV".replace("-", "−") in words(figure)
    assert "found − cardiologist, µV" in words(figure)
    assert_readable(figure)
    low, high = axes.get_ylim()
    assert low < found.lower_interval[0] < found.upper_interval[1] < high


def test_errors_draw_a_row_each() -> None:
    figure, axes = plot.benchmark_errors(ERRORS, tolerance={"P onset": 10.2})
    for row, (name, errors) in enumerate(ERRORS.items()):
        found = spread_of(errors)
        parts = named(axes)
        assert parts[f"central-{name}"].get_xdata() == pytest.approx([found.quantiles[0], found.quantiles[4]])
        box = parts[f"quartiles-{name}"]
        assert (box.get_x(), box.get_x() + box.get_width()) == pytest.approx((found.quantiles[1], found.quantiles[3]))
        assert parts[f"median-{name}"].get_xdata() == pytest.approx([found.quantiles[2]] * 2)
        assert parts[f"mean-{name}"].get_xdata() == pytest.approx([found.mean])
        assert parts[f"interval-{name}"].get_xdata() == pytest.approx(found.mean_interval)
        assert parts[f"central-{name}"].get_ydata() == pytest.approx([row, row])
        assert f"SD {found.sd:.1f}" in words(figure)
    band = named(axes)["tolerance-P onset"]
    assert (band.get_x(), band.get_width()) == pytest.approx((-10.2, 20.4))
    low, high = axes.get_ylim()
    assert low > high  # the first row stands above
    assert_readable(figure)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot.roc(dict.fromkeys(AWKWARD, SCORES["ST"]), POSITIVE),
        lambda: plot.roc(SCORES["ST"], POSITIVE),
        lambda: plot.roc([1, 2, 3, 4], [0, 0, 1, 1]),
        lambda: plot.reliability(SAID, SEEN, bins=20),
        lambda: plot.reliability([0.2], [1], bins=1),
        lambda: plot.reliability(np.tile(SAID, 40), np.tile(SEEN, 40), bins=20),
        lambda: plot.bland_altman(FIRST, FIRST + 5.0, names=(AWKWARD[0], AWKWARD[2])),
        lambda: plot.bland_altman(FIRST, FIRST),
        lambda: plot.bland_altman(np.zeros(5000), RNG.normal(0.0, 1e6, 5000)),
        lambda: plot.bland_altman([1.0, np.nan, 2.0], [1.5, 3.0, 2.5], unit="$ms"),
        lambda: plot.benchmark_errors(dict.fromkeys(AWKWARD, RNG.normal(-4321.0, 3000.0, 50)), unit="$"),
        lambda: plot.benchmark_errors({"one": [3.0]}),
        lambda: plot.benchmark_errors({"same": [0.0, 0.0]}),
        lambda: plot.benchmark_errors({str(row): RNG.normal(0.0, 1.0, 9) for row in range(40)}),
    ],
)
def test_awkward_names_and_numbers_stay_readable(draw: Callable[[], tuple[Figure, Any]]) -> None:
    assert_readable(draw()[0])


def test_names_are_shown_as_they_are() -> None:
    said = words(plot.roc({"_hidden $x^": SCORES["ST"]}, POSITIVE)[0])
    assert "_hidden $x^" in said


def test_axes_of_the_caller_are_used() -> None:
    figure = Figure(figsize=(12, 10))
    own = figure.subplots(2, 2).ravel()
    assert plot.roc(SCORES, POSITIVE, axes=own[0]) == (figure, own[0])
    assert plot.reliability(SAID, SEEN, axes=own[1]) == (figure, own[1])
    assert plot.bland_altman(FIRST, SECOND, axes=own[2]) == (figure, own[2])
    assert plot.benchmark_errors(ERRORS, axes=own[3]) == (figure, own[3])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: plot.roc({}, POSITIVE), "roc.. draws 1 to 6 curves; 0 were given"),
        (lambda: plot.roc({str(k): SCORES["T"] for k in range(7)}, POSITIVE), "7 were given"),
        (lambda: plot.reliability(SAID, SEEN, bins=50), "bins is 50; give at most 20"),
        (lambda: plot.benchmark_errors({}), "draws 1 to 40 rows; 0 were given"),
        (lambda: plot.benchmark_errors({"P": []}), "P: there are no errors to draw"),
        (lambda: plot.benchmark_errors({"P": [1.0]}, tolerance={"T": 2.0}), "a tolerance of 'T' but no errors; the rows are P"),
    ],
)
def test_wrong_calls_are_refused(call: Any, told: str) -> None:
    with pytest.raises(EcgError, match=told):
        call()
