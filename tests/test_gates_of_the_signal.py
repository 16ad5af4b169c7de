"""The gates in front of the measurement, each with the signal it is for and with the one that it must let through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Beats, Floats, read_only
from ecgspasm.processing import quality
from ecgspasm.processing.beats import usual_rr_ms

FS = 500.0
GOOD = es.simulate.ecg(fs=FS, seed=11, noise_uv=4.0, rate_bpm=70.0, wander_uv=10.0).ecg


def with_lead(lead: str, values: Floats) -> es.Ecg:
    signal = np.array(GOOD.signal_uv)
    signal[GOOD.index(lead)] = values
    return replace(GOOD, signal_uv=signal)


def reason(ecg: es.Ecg, lead: str) -> str:
    return es.analyze(ecg).quality[ecg.index(lead)]


# ---------------------------------------------------------------- lost samples


@pytest.mark.parametrize("held", [None, 0.0])
def test_lost_packets_are_missing_samples(held: float | None) -> None:
    """The last value or zeros for 300 ms, three times, on a lead that rests at 1500 uV."""
    values = GOOD["V3"] + 1500.0
    for start in (900, 2320, 3700):
        values[start : start + 150] = values[start] if held is None else held
    ecg = with_lead("V3", values)
    gone = np.isnan(quality.without_held(ecg)["V3"])
    assert gone.sum() >= 3 * 150
    assert gone[np.r_[900:1050, 2320:2470, 3700:3850]].all()
    found = es.analyze(ecg).measurements
    truth = es.analyze(GOOD).measurements
    assert found.get("t_uv", "V3") == pytest.approx(truth.get("t_uv", "V3"), abs=15.0)


def test_what_rests_by_itself_is_not_lost() -> None:
    drawn = es.Ecg(signal_uv=np.round(GOOD.signal_uv / 40.0) * 40.0, fs=FS, leads=GOOD.leads)
    assert quality.without_held(drawn) is drawn
    assert quality.without_held(GOOD) is GOOD


# ---------------------------------------------------------------- ends of the range


@pytest.mark.parametrize("behind_uv", [0.0, 1.0])
def test_a_t_wave_that_is_cut_off_is_clipped(behind_uv: float) -> None:
    """T is entered gently; its level tells, far from where the lead rests, with the converter's noise behind it or without."""
    top = 0.5 * es.analyze(GOOD).measurements.get("t_uv", "V2")
    noise = behind_uv * np.random.default_rng(1).standard_normal(GOOD.signal_uv.shape[1])
    assert reason(with_lead("V2", np.minimum(GOOD["V2"], top) + noise), "V2").startswith("clipped: ")
    assert reason(GOOD, "V2") == ""


def test_an_end_of_the_range_that_hides_the_noise_is_clipped() -> None:
    """15 uV below the rest of the lead; a tenth of the noise is left there."""
    rng = np.random.default_rng(2)
    noise = 4.0 * rng.standard_normal(GOOD.signal_uv.shape[1])
    low = np.median(GOOD["aVR"]) - 15.0
    cut = np.maximum(GOOD["aVR"] + noise, low) + 0.3 * rng.standard_normal(len(noise))
    assert "stick at the end of the range" in reason(with_lead("aVR", cut), "aVR")
    assert reason(with_lead("aVR", GOOD["aVR"] + noise), "aVR") == ""


def test_a_level_st_segment_without_noise_is_not_clipped() -> None:
    """As the analytic ECGs of IEC 60601-2-25 have it: level, at the lowest value, from beat to beat."""
    beat = np.concatenate([np.zeros(60), np.linspace(0, 1000, 20), np.linspace(1000, -200, 24), np.full(80, -200.0)])
    rise = -200.0 + 500.0 * np.sin(np.linspace(0.0, np.pi / 2, 60)) ** 2
    beat = np.concatenate([beat, rise, np.linspace(300, 0, 40), np.zeros(106)])
    drawn = es.Ecg(signal_uv=np.tile(beat, 13)[None, :5000], fs=FS, leads=("V2",))
    assert quality.lead_quality(drawn) == ("",)


# ---------------------------------------------------------------- numbers that wrap around


def wrapped(values: Floats, range_uv: float) -> Floats:
    return np.asarray((values + range_uv / 2.0) % range_uv - range_uv / 2.0)


def test_numbers_that_wrap_around_are_told() -> None:
    values = GOOD["V3"] + 500.0
    assert "wrapped around" in reason(with_lead("V3", wrapped(values, 1.4 * np.ptp(values))), "V3")


def test_a_noisy_lead_and_a_lost_contact_do_not_wrap_around() -> None:
    noise = GOOD["V3"] + np.random.default_rng(3).normal(0.0, 900.0, GOOD.signal_uv.shape[1])
    assert "wrapped" not in reason(with_lead("V3", noise), "V3")
    once = np.array(GOOD["V3"])
    once[2000:2006] -= 4000.0
    assert reason(with_lead("V3", once), "V3") == ""


# ---------------------------------------------------------------- rate


def beats_at(*seconds: float, other: tuple[int, ...] = ()) -> Beats:
    kind = np.array(["ectopic" if row in other else "dominant" for row in range(len(seconds))])
    return Beats(read_only(np.array(seconds) * FS), read_only(kind, "U8"), read_only([""] * len(seconds), "U60"), FS)


def test_the_rate_leaves_out_intervals_in_which_all_leads_lack_samples() -> None:
    gone = np.zeros(5000, dtype=bool)
    gone[1600:2400] = True
    beats, none = beats_at(1.0, 2.0, 3.0, 5.0, 7.0), np.empty(0, dtype=np.intp)
    assert usual_rr_ms(beats, np.zeros(5000, dtype=bool), none) == 1500.0
    assert usual_rr_ms(beats, gone, none) == 1000.0
    assert usual_rr_ms(beats_at(1.0, 5.0), np.ones(5000, dtype=bool), none) == 4000.0  # nothing better is known


def test_the_rate_leaves_out_spikes_that_nothing_follows() -> None:
    gone, spikes = np.zeros(5000, dtype=bool), np.array([700, 1500])
    beats = beats_at(1.0, 1.4, 2.0, 3.0, 4.0, other=(1,))
    assert usual_rr_ms(beats, gone, np.empty(0, dtype=np.intp)) == pytest.approx(800.0)
    assert usual_rr_ms(beats, gone, spikes) == 1000.0  # the beat at 3.0 s has a spike too, but is like the others


def test_pr_is_not_told_where_p_lies_in_t_or_may_be_a_spike() -> None:
    fast = es.simulate.ecg(fs=FS, seed=3, rate_bpm=210.0).ecg
    assert np.isnan(es.analyze(fast).measurements.pr_ms)
    assert np.isfinite(es.analyze(GOOD).measurements.pr_ms)
    spiked, found = np.array(GOOD.signal_uv), es.delineate(GOOD)
    for onset in found.qrs_onset[np.isfinite(found.qrs_onset)]:
        at = int(onset - 0.180 * FS)
        spiked[:, max(at, 0) : max(at + 1, 0)] += 900.0
    paced = es.analyze(replace(GOOD, signal_uv=spiked)).measurements
    assert np.isnan(paced.pr_ms)
    assert paced.rate_bpm == pytest.approx(70.0, abs=2.0)


# ---------------------------------------------------------------- nothing to measure


def test_intervals_are_absent_where_no_lead_can_be_measured() -> None:
    """Wander of 5 mV in step with every other beat: the baseline moves with the beats in all leads."""
    time = np.arange(GOOD.signal_uv.shape[1]) / FS
    phase = np.linspace(0.0, 3.0, len(GOOD.leads))[:, None]
    wander = 5000.0 * np.sin(2 * np.pi * 35.0 / 60.0 * time + phase)
    found = es.analyze(replace(GOOD, signal_uv=GOOD.signal_uv + wander)).measurements
    assert all(state.startswith("not_measurable: ") for state in found.state)
    assert np.isnan([found.rate_bpm, found.pr_ms, found.qrs_ms, found.qt_ms]).all()


def test_a_pause_after_qrs_is_no_t_wave_whatever_the_baseline_does() -> None:
    """P waves of 100 uV without ventricular beats on a baseline that drifts by 300 uV."""
    rng = np.random.default_rng(4)
    time = np.arange(5000) / FS
    since = (time * 1.2) % 1.0 / 1.2 - 0.3
    p = np.exp(-0.5 * (since / 0.022) ** 2)
    drift = 300.0 * np.sin(2 * np.pi * rng.uniform(0.05, 0.35, (12, 1)) * time + rng.uniform(0.0, 6.3, (12, 1)))
    signal = rng.uniform(60.0, 140.0, (12, 1)) * p + drift + rng.normal(0.0, 1.5, (12, 5000))
    atrium = es.Ecg(signal_uv=signal, fs=FS, leads=GOOD.leads)
    assert not any(state == "measured" for state in es.analyze(atrium).measurements.state)
