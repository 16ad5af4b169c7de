"""What must not change where the waves are: offset, gain of the whole recording, lead order, resampling, cutting into blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.processing import net
from ecgspasm.processing.delineate import shipped_weights

WAVES = ("p", "qrs", "t")
EDGES = ("onset", "peak", "offset")
RAW = es.simulate.ecg(fs=500, seed=41, noise_uv=10.0, wander_uv=60.0).ecg


def boundaries(ecg: es.Ecg) -> np.ndarray:
    """All boundaries in ms, shape (9, lead, beat)."""
    found = es.delineate(ecg)
    return np.stack([getattr(getattr(found, wave), edge) for wave in WAVES for edge in EDGES]) * 1000.0 / ecg.fs


def largest(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    assert np.array_equal(np.isnan(one), np.isnan(other))
    return float(np.nanmax(np.abs(one - other)))


def test_offset_and_gain_of_the_recording() -> None:
    before = boundaries(RAW)
    assert largest(before, boundaries(replace(RAW, signal_uv=RAW.signal_uv + 5000.0))) < 0.2
    assert largest(before, boundaries(replace(RAW, signal_uv=RAW.signal_uv * 2.0))) < 0.2
    assert largest(before, boundaries(replace(RAW, signal_uv=RAW.signal_uv * 0.5))) < 0.2


def test_lead_order() -> None:
    order = np.random.default_rng(2).permutation(12)
    mixed = replace(RAW, signal_uv=RAW.signal_uv[order], leads=tuple(RAW.leads[row] for row in order))
    assert largest(boundaries(RAW)[:, order], boundaries(mixed)) < 0.2


@pytest.mark.parametrize("fs", [250.0, 1000.0])
def test_resampling_moves_boundaries_by_half_a_sample_at_most(fs: float) -> None:
    kwargs = {"seed": 42, "rate_bpm": 72, "noise_uv": 0.0, "rr_sd_ms": 10.0}
    before, after = (boundaries(es.simulate.ecg(fs=rate, **kwargs).ecg) for rate in (500.0, fs))
    there = np.isfinite(before) & np.isfinite(after)
    assert there.sum() > 0.95 * np.isfinite(before).sum()
    apart = np.abs(before - after)[there]
    half_a_sample_ms = 500.0 / min(fs, 500.0)
    assert np.quantile(apart, 0.95) <= half_a_sample_ms
    assert np.median(apart) <= half_a_sample_ms / 2


def test_blocks_do_not_change_the_probabilities() -> None:
    signal = es.simulate.ecg(fs=250, seed=43, duration_s=180, noise_uv=10.0).ecg.signal_uv[:2]
    whole, _ = net.wave_probabilities(signal, 250.0, shipped_weights(), block_lead_frames=10**6)
    blocks, _ = net.wave_probabilities(signal, 250.0, shipped_weights(), block_lead_frames=2000)
    assert np.abs(whole - blocks).max() < 1e-3


def test_fewer_leads_find_the_same_beats() -> None:
    all_beats = es.delineate(RAW).beats.r_sample
    for leads in (("II",), ("I", "II", "V2")):
        few = es.Ecg(signal_uv=np.stack([RAW[lead] for lead in leads]), fs=RAW.fs, leads=leads)
        beats = es.delineate(few).beats.r_sample
        assert len(beats) == len(all_beats)
        assert np.abs(beats - all_beats).max() * 2.0 < 25.0


@pytest.mark.parametrize("duration_s", [2.5, 4.0, 30.0])
def test_short_and_long_strips(duration_s: float) -> None:
    made = es.simulate.ecg(fs=500, seed=44, duration_s=duration_s, rate_bpm=75, noise_uv=8.0)
    found = es.analyze(made.ecg)
    assert set(found.measurements.state) == {"measured"}
    assert found.measurements.get("t_uv", "V3") == pytest.approx(made.truth.get("t_uv", "V3"), abs=20.0)


def test_fifty_hertz_is_enough_for_st() -> None:
    made = es.simulate.ecg(fs=50, seed=45, duration_s=30, rate_bpm=70, noise_uv=5.0, st_uv={"V3": 250.0})
    found = es.analyze(made.ecg).measurements
    assert found.get("st_j60_uv", "V3") == pytest.approx(made.truth.get("st_j60_uv", "V3"), abs=40.0)


def test_an_irregular_rhythm_without_p_waves_has_none() -> None:
    """P is absent in atrial fibrillation, not invented: P waves taken out of a rhythm made irregular."""
    made = es.simulate.ecg(fs=500, seed=46, duration_s=20, rate_bpm=80, rr_sd_ms=140.0, noise_uv=12.0)
    signal = made.ecg.signal_uv.copy()
    for onset in made.truth.qrs_onset[np.isfinite(made.truth.qrs_onset)].astype(int):
        low = max(0, onset - 130)
        signal[:, low:onset] = np.linspace(signal[:, low], signal[:, max(onset - 1, 0)], onset - low, axis=1)
    found = es.delineate(replace(made.ecg, signal_uv=signal))
    assert np.isfinite(found.p.peak).mean() < 0.1
