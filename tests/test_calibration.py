"""Calibration in the manner of IEC 60601-2-25: analytic ECGs, with and without noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.calibration import LIMITS_UV, score_calibration, score_noise
from ecgspasm.simulate.calibration import calibration_ecg, shapes


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, dict[str, float]]]:
    return score_calibration(seeds=1)


@pytest.mark.parametrize("condition", [each for each in LIMITS_UV if not each.startswith("muscle")])
@pytest.mark.parametrize("measure", ["st_j60_uv", "t_uv"])
def test_iec_60601_2_25_every_reading_is_within_its_limit(
    figures: dict[str, dict[str, dict[str, float]]], condition: str, measure: str
) -> None:
    row = figures[condition][measure]
    assert row["refused"] == 0
    assert row["largest_uv"] <= LIMITS_UV[condition]


def test_iec_60601_2_25_muscle_noise_of_25_uv(figures: dict[str, dict[str, dict[str, float]]]) -> None:
    """Not every one of the readings, but all save one or two in a hundred."""
    for measure in ("st_j60_uv", "t_uv"):
        row = figures["muscle, 25 uV rms"][measure]
        assert row["within"] >= 98.0
        assert row["rms_uv"] <= 5.0


def test_iec_60601_2_25_lead_iii_is_flat_and_said_to_be() -> None:
    found = es.analyze(calibration_ecg("RS", st_uv=0.0, rate_bpm=60.0, fs=500.0).ecg).measurements
    assert "flat line" in found.state[found.leads.index("III")]
    assert found.measured("aVL")


def test_the_truth_is_that_of_the_signal() -> None:
    for shape in shapes():
        made = calibration_ecg(shape, st_uv=-200.0, rate_bpm=60.0, fs=1000.0)
        beat = made.ecg["V2"]
        assert np.abs(np.sort(np.unique(np.round(beat, 6)))[[0, -1]]).max() <= 2000.0
        assert made.truth("st_j60_uv", "aVR") == 200.0
        assert made.truth("st_j60_uv", "III") == 0.0
        assert np.isclose(beat, made.values["t_uv"], atol=0.1).any()
    with pytest.raises(es.EcgError, match="no calibration beat 'X'"):
        calibration_ecg("X", st_uv=0.0, rate_bpm=60.0, fs=500.0)


def test_recorded_noise_is_either_within_its_interval_or_refused(real_data: Path) -> None:
    found = score_noise(real_data / "nstdb", seeds=8)
    for kind, rows in found.items():
        refused = [row["not_measured"] for row in rows.values()]
        assert refused[0] == 0.0, kind
        assert refused[-1] >= refused[0]
        for level in ("24", "18", "12"):
            assert rows[level]["st_j60_uv"]["p95_uv"] <= 30.0
    assert found["em"]["-6"]["not_measured"] > 50.0
    covered = [rows[level]["st_j60_uv"]["covered"] for rows in found.values() for level in ("24", "18", "12", "6", "0")]
    assert np.mean(covered) >= 90.0
