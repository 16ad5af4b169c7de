"""Pairs with known truth: what is put in is what is found, at rates that must not fall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.pairs import changed, occlusions, rotated, score_pairs, truth_of, turned_over
from ecgspasm.ecg import Analysis


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return es.analyze(es.simulate.ecg(fs=500, seed=4).ecg)


@pytest.mark.parametrize("artery", ["LAD", "RCA", "LCx"])
def test_an_occlusion_that_is_put_in_is_measured(analysis: Analysis, artery: str) -> None:
    change = es.compare(analysis, changed(analysis, artery))
    truth = truth_of(artery)
    found = change.changes["st_j60_uv"].difference
    assert found == pytest.approx([truth[lead] for lead in change.leads], abs=15.0)


def test_occlusions_of_the_lad_raise_and_others_lower_the_front() -> None:
    table = occlusions()
    assert table["LAD"]["st_uv"]["V3"] > 200.0
    assert table["RCA"]["st_uv"]["V2"] < -50.0
    assert table["RCA"]["st_uv"]["II"] > 50.0


def test_turned_t_waves_are_found(analysis: Analysis) -> None:
    change = es.compare(analysis, turned_over(analysis))
    assert "new-t-inversion" in {each.criterion for each in change.findings if each.verdict == "MET"}


def test_a_rotation_keeps_einthoven_and_turns_back() -> None:
    ecg = es.simulate.ecg(fs=500, seed=4).ecg
    there = rotated(ecg, 20.0, np.random.default_rng(1))
    assert there["I"] + there["III"] == pytest.approx(there["II"], abs=1e-6)
    assert np.abs(there.signal_uv - ecg.signal_uv).max() > 50.0
    assert rotated(ecg, 0.0, np.random.default_rng(1)).signal_uv == pytest.approx(ecg.signal_uv, abs=1e-6)


def test_rates_on_real_pairs(real_data: Path) -> None:
    """All PTB pairs and every twelfth LUDB record; the whole sets stand in the README."""
    found = score_pairs(real_data / "ptbdb_10s", real_data / "ludb", every=12)
    for kind, rows in found.items():
        assert rows["unchanged"]["new"] * rows["unchanged"]["pairs"] <= 100.0, kind  # one pair at most
        for artery in occlusions():
            row = rows[f"occlusion of {artery}"]
            assert row["new"] + row["undecided"] >= 90.0
            assert row["largest_right"] >= 90.0
        for name, row in rows.items():
            if "turned by" in name or "swapped" in name:
                assert row["new"] == 0.0, (kind, name)
    ptb = found["ptb"]
    assert all(ptb[f"occlusion of {artery}"]["new"] >= 90.0 for artery in occlusions())
    assert 93.0 <= ptb["unchanged"]["covered"] <= 98.0
