"""The two fits that every ECG needs, against scipy's general ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.signal import savgol_filter

from ecgspasm.processing.spline import NaturalSpline, local_parabolas


@given(seed=st.integers(0, 10_000), n_knots=st.integers(2, 20))
def test_natural_spline_is_scipys(seed: int, n_knots: int) -> None:
    rng = np.random.default_rng(seed)
    knots = np.cumsum(rng.uniform(1, 400, n_knots))
    values = rng.normal(0, 100, (3, n_knots))
    position = np.clip(np.arange(0.0, knots[-1] + 100, 7.0), knots[0], knots[-1])
    expected = CubicSpline(knots, values, axis=1, bc_type="natural")(position)
    np.testing.assert_allclose(NaturalSpline(knots, values)(position), expected, atol=1e-7)


def test_natural_spline_goes_through_its_knots_and_has_no_bend_at_its_ends() -> None:
    knots, values = np.array([0.0, 10.0, 30.0, 35.0]), np.array([[1.0, -2.0, 5.0, 0.0]])
    spline = NaturalSpline(knots, values)
    np.testing.assert_allclose(spline(knots), values, atol=1e-12)
    start = spline(np.array([0.0, 0.01, 0.02]))[0]
    assert abs(np.diff(start, 2)[0] / 0.01**2) < 1e-2


@pytest.mark.parametrize("width", [5, 21, 41])
def test_local_parabolas_are_savitzky_and_golays(width: int) -> None:
    signal = np.random.default_rng(width).normal(0, 50, (4, 130))
    np.testing.assert_allclose(local_parabolas(signal, width), savgol_filter(signal, width, 2, axis=1), atol=1e-9)


def test_local_parabolas_leave_a_parabola_as_it_is() -> None:
    time = np.arange(60.0)
    signal = np.stack([time, 3 - time + 0.1 * time**2])
    np.testing.assert_allclose(local_parabolas(signal, 11), signal, atol=1e-9)
