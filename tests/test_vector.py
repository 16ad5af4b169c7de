"""Heart vectors: known dipoles, the relation to the leads' sums, and Frank's own leads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Measurements
from ecgspasm.processing.vector import angle_deg, heart_vectors, inverse_dower, kors

LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def test_x_is_left_y_is_foot_z_is_back() -> None:
    """A vector to the left is seen by I and V6, one to the feet by II, one to the front by V1 and V2."""
    for transform in (kors(), inverse_dower()):
        left = transform(np.array([1.0, 0.5, 0, 0, 0, 0.5, 0.8, 1.0]), LEADS)
        foot = transform(np.array([0.0, 1.0, 0, 0, 0, 0, 0, 0]), LEADS)
        front = transform(np.array([0.0, 0, 1.0, 1.0, 0.5, 0, 0, 0]), LEADS)
        assert left.argmax() == 0
        assert foot.argmax() == 1
        assert front[2] < 0


def test_the_vector_of_a_sum_is_the_sum_of_vectors() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 8, 5))
    assert kors()(one + 2 * other, LEADS) == pytest.approx(kors()(one, LEADS) + 2 * kors()(other, LEADS))


def test_the_order_of_the_leads_does_not_matter() -> None:
    values = np.arange(8.0)
    assert kors()(values[::-1], LEADS[::-1]) == pytest.approx(kors()(values, LEADS))


def test_a_missing_lead_is_named() -> None:
    with pytest.raises(es.EcgError, match="no heart vector without V3"):
        kors()(np.zeros(7), tuple(lead for lead in LEADS if lead != "V3"))


def test_angle_between_vectors() -> None:
    assert angle_deg(np.array([1.0, 0, 0]), np.array([0, 2.0, 0])) == pytest.approx(90.0)
    assert angle_deg(np.array([1.0, 1, 0]), np.array([2.0, 2.0, 0])) == pytest.approx(0.0, abs=1e-5)
    assert np.isnan(angle_deg(np.zeros(3), np.ones(3)))


def test_a_known_st_vector_is_found() -> None:
    """ST put into the simulated heart as a vector comes back as its projection through the leads."""
    before, after = (es.simulate.ecg(fs=500, seed=3, st_vector_uv=st).ecg for st in (None, (100.0, 0.0, -150.0)))
    change = es.compare(before, after, electrodes="same")
    moved = change.vectors["current"].st_j60_uv - change.vectors["baseline"].st_j60_uv
    assert moved[2] < -80.0  # to the front
    assert moved[0] > 30.0
    assert change.vector_change()["st_j60_uv"] == pytest.approx(np.linalg.norm(moved), abs=0.1)


def test_areas_add_up_to_the_gradient() -> None:
    found = heart_vectors(es.analyze(es.simulate.ecg(fs=500, seed=1).ecg).measurements)
    assert found.gradient_uv_ms == pytest.approx(found.qrs_area_uv_ms + found.t_area_uv_ms)
    assert 0.0 <= found.qrs_t_angle_deg <= 180.0


def test_a_lead_that_was_not_measured_leaves_no_vector() -> None:
    values = {"st_j60_uv": [10.0] * 7 + [np.nan], "t_uv": [100.0] * 7 + [np.nan]}
    assert np.isnan(heart_vectors(Measurements.from_table(LEADS, values)).st_j60_uv).all()


def test_franks_own_leads_agree(real_data: Path) -> None:
    """PTB recorded X, Y and Z beside the twelve leads."""
    found = es.analyze(es.read(real_data / "ptbdb" / "patient001" / "s0010_re.hea"))
    leads = found.ecg.leads
    ours = kors()(found.clean_uv, leads)
    for axis, name in enumerate("XYZ"):
        assert np.corrcoef(ours[axis], found.clean_uv[leads.index(name)])[0, 1] > 0.7
