"""Simulated ECGs, whose truth is known: amplitudes within 15 uV, times within 10 ms."""

from __future__ import annotations

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import ST_OFFSETS_MS
from ecgspasm.processing import clean
from ecgspasm.processing.measure import ST_NAMES

AMPLITUDE_UV, TIME_MS = 15.0, 10.0
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")


def amplitudes_off(made: es.simulate.Simulated, measures: tuple[str, ...]) -> dict[str, float]:
    found = es.analyze(made.ecg).measurements
    assert all(state == "measured" for state in found.state)
    return {name: max(abs(found.get(name, lead) - made.truth.get(name, lead)) for lead in made.ecg.leads) for name in measures}


@pytest.mark.parametrize("rate_bpm", [45, 60, 80, 110])
@pytest.mark.parametrize("fs", [250, 500, 1000])
def test_amplitudes_are_recovered(rate_bpm: float, fs: float) -> None:
    made = es.simulate.ecg(fs=fs, rate_bpm=rate_bpm, seed=3, noise_uv=5.0, wander_uv=50.0)
    off = amplitudes_off(made, ("st_j_uv", "st_j20_uv", "st_j40_uv", "st_j60_uv", "st_j80_uv", "t_uv"))
    assert {name: value for name, value in off.items() if value > AMPLITUDE_UV} == {}


@pytest.mark.parametrize("level", [-200.0, -100.0, 100.0, 150.0, 300.0])
def test_known_st_shift_is_recovered(level: float) -> None:
    made = es.simulate.ecg(fs=500, seed=4, noise_uv=5.0, st_uv=dict.fromkeys(("V1", "V2", "V3"), level))
    still = es.simulate.ecg(fs=500, seed=4, noise_uv=5.0)
    change = es.compare(still.ecg, made.ecg).changes
    for lead in ("V1", "V2", "V3"):
        for ms in ST_OFFSETS_MS:
            name = ST_NAMES[ms]
            true = made.truth.get(name, lead) - still.truth.get(name, lead)
            row = made.ecg.leads.index(lead)
            assert change[name].difference[row] == pytest.approx(true, abs=AMPLITUDE_UV)


@pytest.mark.parametrize("amplitude", [-500.0, -280.0, -120.0, 120.0, 600.0])
def test_t_waves_of_either_sign_are_recovered(amplitude: float) -> None:
    made = es.simulate.ecg(fs=500, seed=5, noise_uv=8.0, t_uv=dict.fromkeys(CHEST, amplitude))
    found = es.analyze(made.ecg)
    for lead in CHEST:
        assert found.measurements.get("t_uv", lead) == pytest.approx(amplitude, abs=AMPLITUDE_UV)
        shape = found.measurements.t_shape[found.measurements.leads.index(lead)]
        assert shape == ("negative" if amplitude < 0 else "positive")


@pytest.mark.parametrize("rate_bpm", [50, 75, 110])
def test_times_are_recovered(rate_bpm: float) -> None:
    made = es.simulate.ecg(fs=500, rate_bpm=rate_bpm, seed=6, noise_uv=5.0)
    found = es.analyze(made.ecg).median
    assert found is not None
    truth, r = made.truth, made.truth.r_sample[3]
    ms = 1000.0 / made.ecg.fs

    def median_off(waves: str, what: str, true: float) -> float:
        here = np.nanmedian(getattr(getattr(found, waves), what)) - found.r_sample
        return float((here - (true - r)) * ms)

    offset = _fiducial_shift(made, found)
    off = {
        "qrs onset": (found.qrs_onset - found.r_sample - (truth.qrs_onset[3] - r)) * ms + offset,
        "j": (found.j - found.r_sample - (truth.j[3] - r)) * ms + offset,
        "t peak": median_off("t", "peak", truth.t.peak[3]) + offset,
    }
    assert {name: value for name, value in off.items() if abs(value) > TIME_MS} == {}


def _fiducial_shift(made: es.simulate.Simulated, median: object) -> float:
    """How much later the library's fiducial lies than the simulation's, in ms."""
    found = es.analyze(made.ecg).beats.r_sample
    nearest = made.truth.r_sample[np.abs(made.truth.r_sample[:, None] - found).argmin(axis=0)]
    return float(np.median(found - nearest) * 1000.0 / made.ecg.fs)


@pytest.mark.parametrize("rate_bpm", [30, 60, 120, 180, 220])
def test_every_beat_is_found_once(rate_bpm: float) -> None:
    made = es.simulate.ecg(fs=500, duration_s=20, rate_bpm=rate_bpm, seed=7, noise_uv=15.0, wander_uv=200.0)
    found = es.delineate(made.ecg).beats.r_sample
    inner = (made.truth.r_sample > 100) & (made.truth.r_sample < made.ecg.signal_uv.shape[1] - 100)
    true = made.truth.r_sample[inner]
    away = np.abs(true[:, None] - found).min(axis=1) * 1000.0 / made.ecg.fs
    assert (away < 40).all()
    assert len(found) <= len(made.truth.r_sample)


def test_ectopic_beats_are_left_out_with_a_reason() -> None:
    made = es.simulate.ecg(fs=500, seed=8, noise_uv=5.0, ectopic_at=[3, 7])
    beats = es.analyze(made.ecg).beats
    for kind, r in zip(made.truth.kind, made.truth.r_sample, strict=True):
        if kind == "ectopic":
            row = int(np.abs(beats.r_sample - r).argmin())
            assert beats.kind[row] == "ectopic"
            assert beats.reason[row]
    still = es.simulate.ecg(fs=500, seed=8, noise_uv=5.0)
    change = es.compare(still.ecg, made.ecg).changes["st_j60_uv"].difference
    assert np.abs(change).max() < AMPLITUDE_UV


def test_baseline_removal_leaves_an_st_plateau_where_it_is() -> None:
    """Bias on a 300 uV plateau at 70/min below 5 uV; a 0.5 Hz high-pass takes more than ten times that."""
    fs, beat = 500.0, round(500 * 60 / 70)
    one = np.zeros(beat)
    one[100:300] = 300.0  # from 0 to 400 ms after onset
    signal = np.tile(one, 12)[None]
    onsets = np.arange(12) * beat + 100.0
    wander = 200.0 * np.sin(2 * np.pi * 0.15 * np.arange(signal.shape[1]) / fs)
    for drift in (0.0, wander):
        cleaned = clean.remove_baseline(signal + drift, fs, onsets)
        plateau = cleaned[0, round(onsets[5]) + 60 : round(onsets[5]) + 180].mean()
        assert plateau == pytest.approx(300.0, abs=5.0)


def test_mains_are_removed_only_where_there_are_some() -> None:
    made = es.simulate.ecg(fs=500, seed=9, noise_uv=3.0)
    assert clean.remove_mains(made.ecg.signal_uv, 500) is made.ecg.signal_uv
    hum = es.simulate.ecg(fs=500, seed=9, noise_uv=3.0, mains_uv=50.0, mains_hz=50.0, rate_bpm=60)
    cleaned = clean.remove_mains(hum.ecg.signal_uv, 500)
    left = np.abs(np.fft.rfft(cleaned[1]))[500] / np.abs(np.fft.rfft(hum.ecg.signal_uv[1]))[500]
    assert left < 0.05


@pytest.mark.parametrize("amplitude", [-90.0, 90.0])
def test_u_waves_of_either_sign_are_found_after_t(amplitude: float) -> None:
    made = es.simulate.ecg(fs=500, rate_bpm=60, seed=10, noise_uv=5.0, u_uv=dict.fromkeys(("V2", "V3", "V4"), amplitude))
    found = es.delineate(made.ecg)
    for lead in ("V2", "V3", "V4"):
        row = found.leads.index(lead)
        there = np.isfinite(found.u_peak[row])
        assert there.sum() >= 7
        assert set(found.u_shape[row][there]) == {"negative" if amplitude < 0 else "positive"}
        assert (found.u_peak[row][there] > found.t.peak[row][there]).all()


def test_noise_after_t_is_no_u_wave() -> None:
    made = es.simulate.ecg(fs=500, rate_bpm=60, seed=10, noise_uv=25.0, u_uv=dict.fromkeys(("V2", "V3", "V4"), 0.0))
    found = es.delineate(made.ecg)
    rows = [found.leads.index(lead) for lead in ("V2", "V3", "V4")]
    assert np.isfinite(found.u_peak[rows]).mean() < 0.2
