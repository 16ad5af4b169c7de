"""What must hold whatever the numbers are: gain, offset, shift, lead order, self-comparison, swapping the two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.serial.comparison import MET, NOT_MET

MEASURES = ("st_j_uv", "st_j60_uv", "t_uv")


@pytest.fixture(scope="module")
def before() -> es.Ecg:
    return es.simulate.ecg(fs=500, seed=11, noise_uv=8.0, wander_uv=60.0).ecg


@pytest.fixture(scope="module")
def after() -> es.Ecg:
    return es.simulate.ecg(fs=500, seed=12, rate_bpm=78, noise_uv=8.0, t_uv={"V1": -150, "V2": -300, "V3": -250}).ecg


def values(ecg: es.Ecg) -> np.ndarray:
    found = es.analyze(ecg).measurements
    return np.array([[found.get(name, lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")] for name in MEASURES])


def test_an_ecg_compared_with_itself_has_not_changed(before: es.Ecg) -> None:
    change = es.compare(before, before)
    assert {finding.verdict for finding in change.findings} == {NOT_MET}
    assert change.verdict == "No new change found"
    for name in MEASURES:
        assert np.array_equal(change.changes[name].difference, np.zeros(12))


def test_swapping_the_two_turns_the_signs(before: es.Ecg, after: es.Ecg) -> None:
    there, back = es.compare(before, after), es.compare(after, before)
    for name in MEASURES:
        assert there.changes[name].difference == pytest.approx(-back.changes[name].difference, abs=3.0)
    assert {finding.criterion for finding in there.findings if finding.verdict == MET} == {"new-t-inversion"}
    assert {finding.criterion for finding in back.findings if finding.verdict == MET} == {"t-pseudo-normalisation"}


def test_an_offset_changes_nothing(before: es.Ecg) -> None:
    offsets = np.linspace(-5000, 7000, len(before.leads))[:, None]
    moved = replace(before, signal_uv=before.signal_uv + offsets)
    assert values(moved) == pytest.approx(values(before), abs=0.1)


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_gain_scales_the_amplitudes(before: es.Ecg, gain: float) -> None:
    louder = replace(before, signal_uv=before.signal_uv * gain)
    assert values(louder) == pytest.approx(values(before) * gain, abs=3.0)


def test_lead_order_changes_nothing(before: es.Ecg) -> None:
    order = np.random.default_rng(1).permutation(len(before.leads))
    mixed = replace(before, signal_uv=before.signal_uv[order], leads=tuple(before.leads[row] for row in order))
    assert values(mixed) == pytest.approx(values(before), abs=0.1)


def test_a_shift_in_time_changes_little(before: es.Ecg) -> None:
    later = replace(before, signal_uv=before.signal_uv[:, 137:])
    assert values(later) == pytest.approx(values(before), abs=10.0)


def test_an_ecg_with_fewer_leads_gives_the_others_by_einthoven(before: es.Ecg) -> None:
    keep = [before.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]
    eight = replace(before, signal_uv=before.signal_uv[keep], leads=tuple(before.leads[row] for row in keep))
    found = es.analyze(eight).measurements
    assert found.derived == ("III", "aVR", "aVL", "aVF")
    for name in MEASURES[:2]:
        assert found.get(name, "III") == pytest.approx(found.get(name, "II") - found.get(name, "I"), abs=8.0)


@pytest.mark.parametrize("fs", [250, 1000])
def test_another_sampling_rate_gives_the_same_ecg(fs: float) -> None:
    kwargs = {"seed": 13, "rate_bpm": 72, "rr_sd_ms": 0.0}
    assert values(es.simulate.ecg(fs=fs, **kwargs).ecg) == pytest.approx(values(es.simulate.ecg(fs=500, **kwargs).ecg), abs=12.0)


def test_recordings_of_different_rates_can_be_compared() -> None:
    change = es.compare(es.simulate.ecg(fs=250, seed=14).ecg, es.simulate.ecg(fs=1000, seed=14).ecg)
    assert change.verdict == "No new change found"
    assert max(np.abs(change.changes[name].difference).max() for name in MEASURES) < 15.0


def test_the_callers_array_is_neither_kept_nor_locked() -> None:
    mine = np.zeros((1, 2000))
    ecg = es.Ecg(signal_uv=mine, fs=500, leads=["V2"])
    mine[0, 0] = 7.0
    assert ecg.signal_uv[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        ecg.signal_uv[0, 0] = 1.0


def noisy(ecg: es.Ecg, noise_uv: dict[str, float]) -> es.Ecg:
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(ecg.signal_uv.shape)
    size = np.array([noise_uv.get(lead, 1.0) for lead in ecg.leads])[:, None]
    return replace(ecg, signal_uv=ecg.signal_uv + size * noise)


def test_beats_that_agree_by_chance_make_no_lead_much_surer_than_the_others_of_its_ecg() -> None:
    eight = es.simulate.ecg(fs=500, seed=3, leads=["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]).ecg
    chest = ("V1", "V2", "V3", "V4", "V6")
    kinds = {"calm": {}, "one": {"V5": 60.0}, "others": dict.fromkeys(("I", "II", *chest), 60.0)}
    noise = {name: es.analyze(noisy(eight, each)).median.noise_uv[-2] for name, each in kinds.items()}  # type: ignore[union-attr]
    alone = es.analyze(replace(noisy(eight, kinds["one"]), signal_uv=noisy(eight, kinds["one"]).signal_uv[6:7], leads=("V5",)))
    assert noise["others"] > 1.5 * noise["calm"]
    assert noise["others"] < noise["one"]
    # a noisy lead is not made quieter by calm ones
    assert alone.median is not None
    assert noise["one"] == pytest.approx(alone.median.noise_uv[0], rel=0.1)


def test_leads_that_are_refused_say_nothing_about_the_noise_of_the_others() -> None:
    ecg = noisy(es.simulate.ecg(fs=500, seed=3).ecg, {})
    limbs = np.zeros((12, 1))
    limbs[:6] = 1.0
    noise = np.random.default_rng(1).standard_normal(ecg.signal_uv.shape) * 4000.0
    usual = es.analyze(ecg)
    for spoilt in (ecg.signal_uv * (1.0 - limbs), np.where(limbs > 0, noise, ecg.signal_uv)):
        found = es.analyze(replace(ecg, signal_uv=spoilt))
        assert found.median is not None
        assert usual.median is not None
        assert not any(found.measurements.measured(lead) for lead in ("I", "II", "III"))
        assert all(found.measurements.measured(lead) for lead in ("V1", "V2", "V3", "V4", "V5", "V6"))
        assert found.median.noise_uv[6:] == pytest.approx(usual.median.noise_uv[6:], rel=0.2)
