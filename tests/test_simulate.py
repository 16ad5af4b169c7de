"""The simulator against its own promises: what it says is true must be in the signal."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from ecgspasm import simulate
from ecgspasm.ecg import ST_OFFSETS_MS, Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.leads import STANDARD
from ecgspasm.simulate import Simulated

ST_NAMES = [f"st_j{ms or ''}_uv" for ms in ST_OFFSETS_MS]
FINE_HZ = 10_000


def value_at(made: Simulated, lead: str, sample: float) -> float:
    return float(np.interp(sample, np.arange(made.ecg.signal_uv.shape[1]), made.ecg[lead]))


def against_pr(made: Simulated, lead: str, samples: np.ndarray) -> float:
    """Median over the inner dominant beats of the signal at some instants against the signal at the QRS onset."""
    inner = np.flatnonzero(made.truth.kind == "dominant")[1:-1]
    heights = [value_at(made, lead, samples[k]) - value_at(made, lead, made.truth.qrs_onset[k]) for k in inner]
    return float(np.median(heights))


def fiducials_ms(made: Simulated) -> np.ndarray:
    truth = made.truth
    rows = [getattr(wave, end) for wave in (truth.p, truth.qrs, truth.t) for end in ("onset", "peak", "offset")]
    return np.vstack([truth.r_sample, *rows, truth.t_peak]) * 1000.0 / truth.fs


# the signal


def test_einthoven_and_goldberger_hold_exactly_with_changes_and_noise():
    made = simulate.ecg(fs=500, seed=5, st_uv={"I": 40, "II": -120}, noise_uv=20, wander_uv=50, mains_uv=20).ecg
    one, two = made["I"], made["II"]
    np.testing.assert_array_equal(made["III"], two - one)
    np.testing.assert_array_equal(made["aVR"], -(one + two) / 2)
    np.testing.assert_array_equal(made["aVL"], one - two / 2)
    np.testing.assert_array_equal(made["aVF"], two - one / 2)


def test_same_seed_repeats_exactly_and_another_does_not():
    first, again, other = (simulate.ecg(fs=500, seed=seed, noise_uv=8, wander_uv=30, mains_uv=5).ecg for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.signal_uv, again.signal_uv)
    assert not np.array_equal(first.signal_uv, other.signal_uv)


def test_noise_leaves_the_rhythm_and_the_truth_alone():
    quiet = simulate.ecg(fs=500, seed=7)
    loud = simulate.ecg(fs=500, seed=7, noise_uv=30, wander_uv=90, mains_uv=40)
    np.testing.assert_array_equal(fiducials_ms(quiet), fiducials_ms(loud))
    np.testing.assert_array_equal(quiet.truth.t_uv, loud.truth.t_uv)


@pytest.mark.parametrize("fs", [50, 100, 257, 360, 1000, 10_000])
def test_another_sampling_rate_samples_the_same_ecg(fs):
    options = {"seed": 11, "rate_bpm": 80, "ectopic_at": [4], "st_uv": {"V2": 120}, "t_uv": {"V3": -200}}
    here, there = simulate.ecg(fs=500, **options), simulate.ecg(fs=fs, **options)
    one, two = fiducials_ms(here), fiducials_ms(there)
    both = np.isfinite(one) & np.isfinite(two)
    np.testing.assert_allclose(one[both], two[both], atol=1e-6)
    for name in [*ST_NAMES, "t_uv", "u_uv"]:
        np.testing.assert_allclose(getattr(here.truth, name), getattr(there.truth, name), atol=1e-9)
    step = np.gcd(500, fs)
    np.testing.assert_allclose(here.ecg.signal_uv[:, :: 500 // step], there.ecg.signal_uv[:, :: fs // step], atol=1e-3)


def test_same_noise_at_another_sampling_rate():
    options = {"seed": 3, "noise_uv": 20, "wander_uv": 40, "mains_uv": 10}
    slow, fast = simulate.ecg(fs=500, **options).ecg, simulate.ecg(fs=1000, **options).ecg
    np.testing.assert_allclose(slow.signal_uv, fast.signal_uv[:, ::2], atol=1e-3)


@pytest.mark.parametrize("fs", [50, 100, 250, 500])
def test_noise_has_the_asked_size(fs):
    options = {"fs": fs, "seed": 3, "duration_s": 200}
    clean = simulate.ecg(**options).ecg
    muscle = simulate.ecg(**options, noise_uv=12).ecg
    drift = simulate.ecg(**options, wander_uv=100).ecg
    hum = simulate.ecg(**options, mains_uv=15, mains_hz=20).ecg
    rms = [np.std(one.signal_uv - clean.signal_uv, axis=1)[[0, 1, 6, 7, 8, 9, 10, 11]] for one in (muscle, drift, hum)]
    np.testing.assert_allclose(rms[0], 12, rtol=0.05)
    np.testing.assert_allclose(rms[1], 100, rtol=0.05)
    np.testing.assert_allclose(rms[2], 15 / np.sqrt(2), rtol=0.01)


def test_leads_subject_and_length_are_as_asked():
    made = simulate.ecg(fs=250, seed=1, duration_s=4, leads=["v2", "aVF"], subject=Subject(sex="female", age=40))
    whole = simulate.ecg(fs=250, seed=1, duration_s=4)
    assert made.ecg.leads == ("V2", "aVF") == made.truth.leads
    assert made.ecg.signal_uv.shape == (2, 1000)
    assert made.ecg.subject.sex == "female"
    np.testing.assert_array_equal(made.ecg["aVF"], whole.ecg["aVF"])
    assert made.truth.get("t_uv", "avf") == whole.truth.get("t_uv", "aVF")


def test_a_normal_heart_is_normal():
    truth = simulate.ecg(fs=500, seed=2, rate_bpm=60).truth
    assert truth.pr_ms == pytest.approx(160, abs=5)
    assert truth.qrs_ms == pytest.approx(90, abs=5)
    assert truth.qt_ms == pytest.approx(400, abs=12)
    p_ms = (truth.p.offset - truth.p.onset)[1:-1] * 2.0
    assert ((p_ms > 80) & (p_ms < 110)).all()
    for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"):
        assert truth.get("t_uv", lead) > 50
    assert truth.get("t_uv", "aVR") < -100
    for lead in ("I", "II", "III", "aVR", "aVL", "aVF"):
        assert abs(truth.get("st_j_uv", lead)) < 30
    assert 20 < truth.get("st_j_uv", "V2") < 100
    signal = simulate.ecg(fs=500, seed=2, rate_bpm=60).ecg
    r, s = signal.signal_uv[6:].max(axis=1), -signal.signal_uv[6:].min(axis=1)
    assert (np.diff(r[:4]) > 0).all(), "R grows from V1 to V4"
    assert r[0] < s[0] / 2
    assert r[4] > 5 * s[4]


# changes are in the signal as stated


@pytest.mark.parametrize("rate_bpm", [30, 60, 100, 150, 220])
@pytest.mark.parametrize("st", [-200.0, 150.0])
def test_st_change_is_flat_from_j_to_j80_at_its_level(rate_bpm, st):
    options = {"fs": FINE_HZ, "seed": 4, "rate_bpm": rate_bpm, "rr_sd_ms": 0}
    plain, shifted = simulate.ecg(**options), simulate.ecg(**options, st_uv={"V2": st, "II": st / 2})
    for offset, name in zip(ST_OFFSETS_MS, ST_NAMES, strict=True):
        at = plain.truth.j + offset * FINE_HZ / 1000.0
        change = against_pr(shifted, "V2", at) - against_pr(plain, "V2", at)
        assert change == pytest.approx(st, abs=1)
        assert shifted.truth.get(name, "V2") - plain.truth.get(name, "V2") == pytest.approx(st, abs=1)
        assert shifted.truth.get(name, "aVF") - plain.truth.get(name, "aVF") == pytest.approx(st / 2, abs=1)
        assert shifted.truth.get(name, "V5") == pytest.approx(plain.truth.get(name, "V5"), abs=1e-9)


@pytest.mark.parametrize("rate_bpm", [30, 60, 120, 220])
def test_truth_is_what_stands_in_the_signal(rate_bpm):
    made = simulate.ecg(
        fs=FINE_HZ, seed=4, rate_bpm=rate_bpm, rr_sd_ms=0,
        st_uv={"V3": 180, "I": -60}, t_uv={"V1": -150, "V2": -280}, t_change_uv={"V5": 90},
    )  # fmt: skip
    truth = made.truth
    for row, lead in enumerate(truth.leads):
        for offset, name in zip(ST_OFFSETS_MS, ST_NAMES, strict=True):
            at = truth.j + offset * FINE_HZ / 1000.0
            assert against_pr(made, lead, at) == pytest.approx(truth.get(name, lead), abs=1)
        assert against_pr(made, lead, truth.t_peak[row]) == pytest.approx(truth.get("t_uv", lead), abs=1)


@pytest.mark.parametrize("target", [-600.0, -280.0, -60.0, 120.0, 900.0])
def test_t_amplitude_is_set_whatever_st_does(target):
    made = simulate.ecg(fs=FINE_HZ, seed=9, rate_bpm=60, t_uv={"V2": target}, st_uv={"V2": np.sign(target) * 50})
    truth = made.truth
    assert truth.get("t_uv", "V2") == pytest.approx(target, abs=1)
    beat = 3
    within = slice(int(truth.j[beat] + 0.06 * FINE_HZ), int(truth.t.offset[beat]))
    lobe = made.ecg["V2"][within] - value_at(made, "V2", truth.qrs_onset[beat])
    extreme = lobe.max() if target > 0 else lobe.min()
    assert extreme == pytest.approx(target, abs=1)


def test_t_change_adds_and_leaves_j_alone():
    plain = simulate.ecg(fs=500, seed=9)
    changed = simulate.ecg(fs=500, seed=9, t_change_uv={"V4": -150})
    assert changed.truth.get("st_j_uv", "V4") == pytest.approx(plain.truth.get("st_j_uv", "V4"), abs=1e-6)
    difference = plain.ecg["V4"] - changed.ecg["V4"]
    assert difference.max() == pytest.approx(150, abs=0.5)
    assert difference.min() > -1e-9


def test_u_wave_is_set():
    made = simulate.ecg(fs=500, seed=9, rate_bpm=60, u_uv={"V3": -80})
    assert made.truth.get("u_uv", "V3") == pytest.approx(-80, abs=1)
    assert made.truth.get("u_uv", "V4") > 0


def test_vector_changes_go_through_the_lead_matrix():
    vector = np.array([40.0, -30.0, -120.0])
    plain = simulate.ecg(fs=500, seed=9, rate_bpm=60)
    changed = simulate.ecg(fs=500, seed=9, rate_bpm=60, st_vector_uv=vector)
    expected = simulate.load_heart().lead_matrix @ vector
    for lead, value in zip(simulate.INDEPENDENT, expected, strict=True):
        assert changed.truth.get("st_j_uv", lead) - plain.truth.get("st_j_uv", lead) == pytest.approx(value, abs=0.5)
    taller = simulate.ecg(fs=500, seed=9, rate_bpm=60, t_vector_uv=[100, 0, 0])
    assert taller.truth.get("t_uv", "V5") - plain.truth.get("t_uv", "V5") == pytest.approx(112.5, abs=3)


def test_rotation_keeps_the_size_of_the_heart_vector_and_turns_the_leads():
    plain, same, turned = (simulate.ecg(fs=500, seed=9, rotation_deg=turn) for turn in (0, [0, 0, 0], [2, -3, 4]))
    np.testing.assert_array_equal(plain.ecg.signal_uv, same.ecg.signal_uv)
    eight = [list(STANDARD).index(lead) for lead in simulate.INDEPENDENT]
    back = np.linalg.pinv(simulate.load_heart().lead_matrix)
    sizes = [np.linalg.norm(back @ one.ecg.signal_uv[eight], axis=0) for one in (plain, turned)]
    np.testing.assert_allclose(*sizes, atol=1e-6)
    assert 20 < np.abs(plain.ecg.signal_uv - turned.ecg.signal_uv).max() < 400
    quarter = simulate.ecg(fs=500, seed=9, rotation_deg=[0, 0, 90])
    vectors = [back @ one.ecg.signal_uv[eight] for one in (plain, quarter)]
    np.testing.assert_allclose(vectors[1][1], vectors[0][0], atol=1e-6, err_msg="about Z, left turns to foot")


# truth of times


@pytest.mark.parametrize("rate_bpm", [30, 60, 90, 120, 160, 220])
def test_waves_are_in_order_at_every_rate(rate_bpm):
    made = simulate.ecg(fs=500, seed=6, rate_bpm=rate_bpm, rr_sd_ms=5)
    truth = made.truth
    assert len(truth.r_sample) == pytest.approx(rate_bpm / 6, abs=1)
    inner = slice(1, -1)
    order = [getattr(wave, end)[inner] for wave in (truth.p, truth.qrs, truth.t) for end in ("onset", "peak", "offset")]
    assert all((one < two).all() for one, two in pairwise(order))
    np.testing.assert_array_equal(truth.qrs.peak, truth.r_sample)
    if rate_bpm <= 120:
        assert (truth.t.offset[1:-2] < truth.p.onset[2:-1]).all()
    qtc = truth.qt_ms * (rate_bpm / 60) ** (1 / 3)
    assert qtc == pytest.approx(simulate.ecg(fs=500, seed=6, rate_bpm=60).truth.qt_ms, abs=8)
    for lead in ("II", "V4"):
        assert truth.get("t_uv", lead) > 150


def test_r_is_where_the_qrs_is_largest():
    made = simulate.ecg(fs=1000, seed=6)
    size = np.sqrt(np.mean(made.ecg.signal_uv[[0, 1, *range(6, 12)]] ** 2, axis=0))
    for r in made.truth.r_sample[1:-1]:
        near = np.arange(int(r) - 40, int(r) + 40)
        assert near[size[near].argmax()] == pytest.approx(r, abs=1)


def test_qrs_is_nothing_outside_its_boundaries_and_there_within_4_ms():
    heart = simulate.load_heart()
    assert heart.dominant.qrs_to_ms - heart.dominant.qrs_from_ms == 90
    made = simulate.ecg(fs=FINE_HZ, seed=6, rate_bpm=60)
    size = np.abs(made.ecg.signal_uv - made.ecg.signal_uv[:, [int(made.truth.qrs_onset[3])]]).max(axis=0)
    onset, j = int(made.truth.qrs_onset[3]), int(made.truth.j[3])
    assert size[onset - 200 : onset].max() < 5
    assert size[onset + 40] > 15
    slope = np.abs(np.diff(made.ecg.signal_uv, axis=1)).max(axis=0) * FINE_HZ / 1000.0
    assert slope[j + 20 : j + 200].max() < 2
    assert slope[j - 40] > 10


def test_rr_varies_as_asked():
    steady = simulate.ecg(fs=500, seed=6, rr_sd_ms=0, duration_s=120).truth.beats.rr_ms[1:]
    np.testing.assert_allclose(steady, 60_000 / 70, atol=1e-6)
    loose = simulate.ecg(fs=500, seed=6, rr_sd_ms=40, duration_s=300).truth.beats.rr_ms[1:]
    assert loose.std() == pytest.approx(40, rel=0.15)
    assert loose.mean() == pytest.approx(60_000 / 70, rel=0.01)


def test_ectopic_beats_are_early_wide_without_p_and_followed_by_a_pause():
    plain = simulate.ecg(fs=500, seed=6, rate_bpm=60, rr_sd_ms=0)
    made = simulate.ecg(fs=500, seed=6, rate_bpm=60, rr_sd_ms=0, ectopic_at=[3, 7], st_uv={"V2": 100})
    truth = made.truth
    assert np.flatnonzero(truth.kind == "ectopic").tolist() == [3, 7]
    rr = truth.beats.rr_ms
    assert rr[3] < 750
    assert rr[3] + rr[4] == pytest.approx(2000, abs=1e-6)
    qrs_ms = (truth.qrs.offset - truth.qrs.onset) * 2.0
    assert qrs_ms[3] > 140
    assert np.isnan(truth.p.onset[3])
    assert np.isfinite(truth.p.onset[4])
    assert (truth.t.offset[[2, 3]] < truth.qrs_onset[[3, 4]]).all()
    assert truth.beats.reason[3]
    assert truth.beats.dominant.sum() == len(rr) - 2
    assert truth.get("st_j_uv", "V2") - plain.truth.get("st_j_uv", "V2") == pytest.approx(100, abs=1)


def test_fiducials_outside_of_the_recording_are_absent():
    truth = simulate.ecg(fs=500, seed=6, duration_s=3).truth
    for wave in (truth.p, truth.qrs, truth.t):
        for sample in (wave.onset, wave.peak, wave.offset):
            inside = sample[np.isfinite(sample)]
            assert ((inside >= 0) & (inside <= 1499)).all()


# bad arguments


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"fs": 20}, "fs is 20; give a number between 50 and 10000"),
        ({"fs": "500"}, "fs is '500'"),
        ({"rate_bpm": 300}, "rate_bpm is 300; give a number between 30 and 220"),
        ({"duration_s": 0}, "duration_s is 0"),
        ({"duration_s": 1, "rate_bpm": 30, "seed": 1}, "no normal beat falls into the recording"),
        ({"seed": 1.5}, "seed is 1.5; give a whole number"),
        ({"noise_uv": -1}, "noise_uv is -1; give a number that is 0 or above"),
        ({"wander_uv": np.nan}, "wander_uv is nan"),
        ({"mains_uv": 5, "mains_hz": 300}, "below half the sampling rate"),
        ({"st_uv": {"aVF": 100}}, "st_uv names aVF, which follows from I and II; give the amounts of I and II"),
        ({"t_uv": {"III": 100}}, "t_uv names III, which follows"),
        ({"st_uv": {"V9": 100}}, "st_uv names V9, which is not simulated"),
        ({"st_uv": {"V2": np.inf}}, "st_uv of V2 is inf; give a finite number"),
        ({"st_uv": 100}, "st_uv is int; give a mapping"),
        ({"t_uv": {"V2": 50}, "st_uv": {"V2": 500}}, "t_uv of V2 cannot be 50, the ST segment"),
        ({"st_vector_uv": [1, 2]}, "st_vector_uv is"),
        ({"rotation_deg": [1, 2]}, "rotation_deg is"),
        ({"leads": ["V2", "V9"]}, "lead V9 cannot be simulated"),
        ({"leads": ["banana"]}, "unknown lead name"),
        ({"ectopic_at": [0]}, "ectopic_at has 0"),
        ({"ectopic_at": [99]}, "ectopic_at has 99"),
    ],
)
def test_bad_arguments_are_one_line(bad, says):
    with pytest.raises(EcgError) as caught:
        simulate.ecg(**({"fs": 500, "seed": 1} | bad))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# inject


def marks(made: Simulated) -> dict[str, np.ndarray]:
    truth = made.truth
    found = {"r_samples": truth.r_sample, "j_samples": truth.j, "t_peak_samples": truth.t.peak}
    return found | {"t_end_samples": truth.t.offset}


def test_inject_adds_exactly_the_amount_at_j_and_at_the_t_peak():
    made = simulate.ecg(fs=1000, seed=8, noise_uv=15, wander_uv=40)
    where = {name: np.round(samples) for name, samples in marks(made).items()}
    changed = simulate.inject(made.ecg, **where, st_uv={"V2": 170}, t_change_uv={"V3": -400})
    added = changed.signal_uv - made.ecg.signal_uv
    st, t = added[STANDARD.index("V2")], added[STANDARD.index("V3")]
    for k in range(1, len(made.truth.j) - 1):
        j, peak, onset = int(where["j_samples"][k]), int(where["t_peak_samples"][k]), int(made.truth.qrs_onset[k])
        np.testing.assert_allclose(st[[j + offset for offset in ST_OFFSETS_MS]], 170, atol=1e-9)
        np.testing.assert_allclose([t[peak], t[j], st[onset]], [-400, 0, 0], atol=1e-9)
    assert not np.delete(added, [STANDARD.index("V2"), STANDARD.index("V3")], axis=0).any()
    assert changed.leads == made.ecg.leads
    assert changed.fs == 1000


def test_inject_into_a_simulated_ecg_equals_simulating_it():
    options = {"fs": 500, "seed": 8, "rr_sd_ms": 10}
    plain, asked = simulate.ecg(**options), simulate.ecg(**options, st_uv={"V2": 150})
    inner = simulate.inject(plain.ecg, **marks(plain), st_uv={"V2": 150})
    beats = slice(int(plain.truth.p.onset[1]), int(plain.truth.t.offset[-2]))
    assert np.abs(inner["V2"] - asked.ecg["V2"])[beats].max() < 3


def test_inject_keeps_einthoven():
    made = simulate.ecg(fs=500, seed=8)
    changed = simulate.inject(made.ecg, **marks(made), st_uv={"I": 50, "II": -120}, t_change_uv={"II": 70})
    np.testing.assert_allclose(changed["III"], changed["II"] - changed["I"], atol=1e-9)
    np.testing.assert_allclose(changed["aVR"], -(changed["I"] + changed["II"]) / 2, atol=1e-9)
    partial = Ecg(made.ecg.signal_uv[[2, 5]], 500, ("III", "aVF"))
    np.testing.assert_allclose(
        simulate.inject(partial, **marks(made), st_uv={"I": 50, "II": -120})["III"],
        simulate.inject(made.ecg, **marks(made), st_uv={"I": 50, "II": -120})["III"],
    )


def test_inject_leaves_beats_with_nan_and_missing_samples_alone():
    made = simulate.ecg(fs=500, seed=8)
    signal = made.ecg.signal_uv.copy()
    signal[7, 100:200] = np.nan
    where = {name: value.copy() for name, value in marks(made).items()}
    where["t_peak_samples"][3] = np.nan
    changed = simulate.inject(Ecg(signal, 500, STANDARD), **where, st_uv={"V2": 100})
    np.testing.assert_array_equal(np.isnan(changed.signal_uv), np.isnan(signal))
    j = int(made.truth.j[3])
    np.testing.assert_array_equal(changed["V2"][j : j + 100], signal[7, j : j + 100])
    assert changed["V2"][int(made.truth.j[4]) + 10] - signal[7, int(made.truth.j[4]) + 10] == pytest.approx(100)


def test_inject_refuses_what_cannot_be():
    made = simulate.ecg(fs=500, seed=8)
    good = marks(made)
    with pytest.raises(EcgError, match="st_uv names aVL, which follows from I and II"):
        simulate.inject(made.ecg, **good, st_uv={"aVL": 100})
    with pytest.raises(EcgError, match="st_uv names V7, which this recording lacks"):
        simulate.inject(made.ecg, **good, st_uv={"V7": 100})
    with pytest.raises(EcgError, match="differ in length"):
        simulate.inject(made.ecg, **(good | {"j_samples": [1.0, 2.0]}), st_uv={"V2": 100})
    with pytest.raises(EcgError, match="out of order"):
        simulate.inject(made.ecg, **(good | {"t_peak_samples": good["j_samples"] - 5}), st_uv={"V2": 100})


# the index case


@pytest.fixture(scope="module")
def case():
    return simulate.index_case()


def test_index_case_is_five_ecgs_of_one_man(case):
    assert tuple(case) == simulate.INDEX_CASE
    assert simulate.INDEX_CASE == ("baseline", "presentation", "ergonovine", "nitroglycerin", "recurrence")
    for name, made in case.items():
        assert made.ecg.leads == STANDARD
        assert (made.ecg.fs, made.ecg.duration_s) == (500, 10)
        assert (made.ecg.subject.sex, made.ecg.subject.age) == ("male", 59)
        assert name in made.ecg.source
    again = simulate.index_case()
    assert all(np.array_equal(case[name].ecg.signal_uv, again[name].ecg.signal_uv) for name in case)


def test_index_case_baseline_is_normal(case):
    truth = case["baseline"].truth
    assert all(truth.get("t_uv", lead) > 100 for lead in ("V1", "V2", "V3", "V4", "V5", "V6"))
    assert np.abs(truth.st_j_uv).max() < 80


def test_index_case_presentation_inverts_t_in_v1_to_v3_without_st_shift(case):
    before, now = case["baseline"].truth, case["presentation"].truth
    assert [round(now.get("t_uv", lead)) for lead in ("V1", "V2", "V3")] == [-150, -280, -220]
    assert 100 < now.get("t_uv", "V4") < before.get("t_uv", "V4") - 200
    assert np.abs(now.st_j_uv - before.st_j_uv).max() < 5
    upright = [lead for lead in STANDARD if lead not in ("V1", "V2", "V3")]
    assert all(now.get("t_uv", lead) * before.get("t_uv", lead) > 0 for lead in upright)


def test_index_case_ergonovine_raises_st_in_v1_to_v4(case):
    rise = dict(zip(STANDARD, case["ergonovine"].truth.st_j_uv - case["baseline"].truth.st_j_uv, strict=True))
    assert min(rise["V2"], rise["V3"]) >= 250
    assert all(120 <= rise[lead] <= 250 for lead in ("V1", "V4"))
    assert rise["V5"] < 90
    assert all(-50 < rise[lead] < -20 for lead in ("II", "III", "aVF"))
    assert all(case["ergonovine"].truth.get("t_uv", lead) > 700 for lead in ("V2", "V3", "V4"))


def test_index_case_nitroglycerin_is_back_at_the_baseline(case):
    before, now = case["baseline"].truth, case["nitroglycerin"].truth
    assert np.abs(now.st_j_uv - before.st_j_uv).max() < 5
    assert np.abs(now.t_uv - before.t_uv).max() < 30


def test_index_case_recurrence_inverts_t_in_v1_to_v4(case):
    truth = case["recurrence"].truth
    assert [round(truth.get("t_uv", lead)) for lead in ("V1", "V2", "V3", "V4")] == [-120, -260, -300, -200]
    assert truth.get("t_uv", "V5") > 100


def test_index_case_truth_is_the_seen_beat(case):
    for made in case.values():
        inner = slice(1, -1)
        stack = [made.ecg.signal_uv[:, int(r) - 100 : int(r) + 250] for r in np.round(made.truth.r_sample[inner])]
        beat = np.median(stack, axis=0)
        shift = 100 - np.median(made.truth.r_sample[inner] - made.truth.qrs_onset[inner])
        level = beat[:, int(shift) - 8 : int(shift) - 1].mean(axis=1)
        j = int(np.ceil(100 + np.median(made.truth.j[inner] - made.truth.r_sample[inner])))
        np.testing.assert_allclose(beat[:, j] - level, made.truth.st_j_uv, atol=25)


def test_ten_seconds_take_less_than_a_tenth_of_a_second():
    simulate.ecg(fs=500, seed=1)
    took = []
    for seed in range(5):
        start = time.perf_counter()
        simulate.ecg(fs=500, seed=seed, noise_uv=6, wander_uv=20, st_uv={"V2": 100}, t_uv={"V2": -200})
        took.append(time.perf_counter() - start)
    assert min(took) < 0.1
