"""What must hold of the measurements of one ECG, whoever the person is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

import ecgspasm as es
from ecgspasm.ecg import Floats, Measurements
from ecgspasm.leads import DERIVED, STANDARD
from ecgspasm.processing.settings import settings
from ecgspasm.simulate import Simulated
from tests.trust.people import AMPLITUDES, ST, alike, examples, intervals, measured, people, table

SAME_UV = 0.01
"""Two ways to the same numbers, but for the rounding of single precision in the net."""
STEADY_UV = 6.0
"""Other beats, other samples of the same beats, or other noise in the net: less than the smallest change that anyone reads."""
LOWEST_T_UV = settings("measure")["smallest_lobe_uv"]
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")

seeds = st.integers(0, 2**30)


def with_signal(ecg: es.Ecg, signal_uv: Floats) -> es.Ecg:
    return replace(ecg, signal_uv=signal_uv)


def steady(found: Measurements, before: Measurements, leads: tuple[str, ...] = STANDARD) -> None:
    """The same but for other beats or other leads that tell J, which the standard errors foresee."""
    for name in ST:
        for lead in leads:
            se = float(np.hypot(found.se[name][found.leads.index(lead)], before.se[name][before.leads.index(lead)]))
            assert abs(found.get(name, lead) - before.get(name, lead)) <= STEADY_UV + 3.0 * se, (name, lead)


# --- electrode, amplifier and recorder ----------------------------------------------------------------------------------------


@examples(12)
@given(people(), seeds)
def test_a_constant_voltage_in_a_lead_changes_nothing(person: Simulated, seed: int) -> None:
    offsets = np.random.default_rng(seed).uniform(-5000.0, 5000.0, (12, 1))
    alike(measured(with_signal(person.ecg, person.ecg.signal_uv + offsets)), measured(person.ecg), 0.01)


@examples(12)
@given(people(), st.floats(0.5, 2.0))
def test_gain_scales_all_amplitudes(person: Simulated, gain: float) -> None:
    louder = with_signal(person.ecg, person.ecg.signal_uv * gain)
    alike(measured(louder), gain * measured(person.ecg), STEADY_UV * max(gain, 1.0))


@examples(8)
@given(people(), st.floats(0.5, 2.0))
def test_gain_leaves_intervals_alone(person: Simulated, gain: float) -> None:
    louder = with_signal(person.ecg, person.ecg.signal_uv * gain)
    alike(intervals(louder), intervals(person.ecg), 3.0)


@examples(12)
@given(people(), st.sampled_from(CHEST))
def test_polarity_of_a_chest_lead_turns_its_signs_and_no_others(person: Simulated, lead: str) -> None:
    signs = np.where(np.array(person.ecg.leads) == lead, -1.0, 1.0)
    turned = with_signal(person.ecg, person.ecg.signal_uv * signs[:, None])
    alike(measured(turned), measured(person.ecg) * signs, STEADY_UV)


@examples(12)
@given(people(), st.integers(1, 1000))
def test_a_later_start_changes_little(person: Simulated, milliseconds: int) -> None:
    later = with_signal(person.ecg, person.ecg.signal_uv[:, round(milliseconds * person.ecg.fs / 1000.0) :])
    steady(es.analyze(later).measurements, es.analyze(person.ecg).measurements)


@examples(8)
@given(people(), st.integers(1, 1000))
def test_a_later_start_moves_the_beats_by_as_much(person: Simulated, samples: int) -> None:
    first = int(min(samples, person.ecg.fs))
    whole = es.analyze(person.ecg).beats.r_sample
    later = es.analyze(with_signal(person.ecg, person.ecg.signal_uv[:, first:])).beats.r_sample + first
    near = np.abs(whole[:, None] - later[None]).min(axis=1)
    # A beat that the start or the end of the recording cuts may be found elsewhere, or not.
    inside = (whole > first + 0.4 * person.ecg.fs) & (whole < person.ecg.signal_uv.shape[1] - 0.4 * person.ecg.fs)
    assert inside.sum() >= 3
    assert near[inside].max() <= 0.004 * person.ecg.fs


@examples(12)
@given(people(), st.permutations(range(12)))
def test_lead_order_changes_nothing(person: Simulated, order: list[int]) -> None:
    mixed = replace(person.ecg, signal_uv=person.ecg.signal_uv[order], leads=tuple(person.ecg.leads[row] for row in order))
    alike(measured(mixed), measured(person.ecg), SAME_UV)


@examples(8)
@given(people(), st.permutations(range(12)))
def test_rows_of_the_result_are_those_of_the_lead_names(person: Simulated, order: list[int]) -> None:
    mixed = replace(person.ecg, signal_uv=person.ecg.signal_uv[order], leads=tuple(person.ecg.leads[row] for row in order))
    found = es.analyze(mixed)
    assert found.measurements.leads == found.delineation.leads == mixed.leads
    assert found.clean_uv.shape == mixed.signal_uv.shape


@examples(12)
@given(people(), st.sampled_from([250.0, 500.0, 1000.0]))
def test_resampling_changes_little(person: Simulated, fs: float) -> None:
    ratio = Fraction(fs / person.ecg.fs)
    signal = resample_poly(person.ecg.signal_uv, ratio.numerator, ratio.denominator, axis=1, padtype="line")
    alike(measured(replace(person.ecg, signal_uv=signal, fs=fs)), measured(person.ecg), STEADY_UV)


@examples(8)
@given(people(), st.sampled_from([np.float32, np.float64, ">f8"]), st.booleans())
def test_how_the_numbers_lie_in_memory_changes_nothing(person: Simulated, dtype: object, fortran: bool) -> None:
    rounded = person.ecg.signal_uv.astype(np.float32)
    array = np.asarray(rounded, dtype=dtype, order="F" if fortran else "C")  # type: ignore[call-overload]
    alike(measured(with_signal(person.ecg, array)), measured(with_signal(person.ecg, rounded)), SAME_UV)


@examples(8)
@given(people(), st.sampled_from([1.0, 2.44, 4.88]))
def test_rounding_to_a_recorders_steps_changes_less_than_a_step(person: Simulated, step_uv: float) -> None:
    rounded = with_signal(person.ecg, np.round(person.ecg.signal_uv / step_uv) * step_uv)
    # A T wave that is about as low as the limit of "absent" may be absent in one of the two.
    found, expected = (np.nan_to_num(measured(each)) for each in (rounded, person.ecg))
    alike(found[: len(ST)], expected[: len(ST)], STEADY_UV)
    alike(found[len(ST) :], expected[len(ST) :], LOWEST_T_UV + STEADY_UV)


@examples(6)
@given(people())
def test_the_callers_array_is_left_as_it_was(person: Simulated) -> None:
    mine = person.ecg.signal_uv.copy()
    es.analyze(es.Ecg(signal_uv=mine, fs=person.ecg.fs, leads=person.ecg.leads))
    assert np.array_equal(mine, person.ecg.signal_uv)
    assert mine.flags.writeable


@examples(6)
@given(people())
def test_the_same_ecg_gives_the_same_numbers_to_the_last_bit(person: Simulated) -> None:
    first, second = (es.analyze(person.ecg).measurements for _ in range(2))
    assert first.values.keys() == second.values.keys()
    for name in first.values:
        assert np.array_equal(first.values[name], second.values[name], equal_nan=True)
        assert name not in first.se or np.array_equal(first.se[name], second.se[name], equal_nan=True)


# --- leads --------------------------------------------------------------------------------------------------------------------


@examples(10)
@given(people())
def test_einthovens_law_holds_between_measured_values(person: Simulated) -> None:
    i, ii, iii, avr, avl, avf = table(es.analyze(person.ecg).measurements, ST, STANDARD[:6]).T
    for found, expected in ((iii, ii - i), (avr, -(i + ii) / 2), (avl, i - ii / 2), (avf, ii - i / 2)):
        alike(found, expected, 4.0)


@examples(10)
@given(people())
def test_derived_leads_measure_as_recorded_ones(person: Simulated) -> None:
    kept = [lead for lead in STANDARD if lead not in ("III", "aVR", "aVL", "aVF")]
    eight = replace(person.ecg, leads=tuple(kept), signal_uv=np.stack([person.ecg[lead] for lead in kept]))
    found = es.analyze(eight).measurements
    assert set(found.derived) == set(STANDARD) - set(kept)
    alike(table(found), measured(person.ecg), SAME_UV)


@examples(8)
@given(people(), st.lists(st.sampled_from(CHEST), min_size=1, max_size=3, unique=True))
def test_a_missing_lead_is_not_measured_and_the_others_are_as_before(person: Simulated, lost: list[str]) -> None:
    signal = person.ecg.signal_uv.copy()
    signal[[person.ecg.index(lead) for lead in lost]] = np.nan
    found = es.analyze(with_signal(person.ecg, signal)).measurements
    for lead in lost:
        assert found.state_of("st_j_uv", lead).startswith("not_measurable: ")
    others = tuple(lead for lead in STANDARD if lead not in lost)
    alike(table(found, AMPLITUDES, others), measured(person.ecg, AMPLITUDES, others), STEADY_UV)


@examples(8)
@given(people(), st.sampled_from(CHEST))
def test_a_flat_lead_is_not_measured_and_says_so(person: Simulated, lead: str) -> None:
    signal = person.ecg.signal_uv.copy()
    signal[person.ecg.index(lead)] = 123.0
    found = es.analyze(with_signal(person.ecg, signal)).measurements
    assert found.state_of("t_uv", lead) == "not_measurable: flat line; lead not connected?"
    assert np.isnan(found.get("st_j_uv", lead))


@examples(8)
@given(people(), st.lists(st.sampled_from(STANDARD), min_size=2, max_size=11, unique=True))
def test_fewer_leads_change_little(person: Simulated, kept: list[str]) -> None:
    fewer = replace(person.ecg, leads=tuple(kept), signal_uv=np.stack([person.ecg[lead] for lead in kept]))
    leads = tuple(kept)
    steady(es.analyze(fewer).measurements, es.analyze(person.ecg).measurements, leads)


# --- truth --------------------------------------------------------------------------------------------------------------------


@examples(12)
@given(people(noise=False))
def test_amplitudes_of_a_clean_ecg_are_those_of_the_truth(person: Simulated) -> None:
    truth = np.array([[person.truth.get(name, lead) for lead in STANDARD] for name in ST[1:]])
    alike(measured(person.ecg, ST[1:]), truth, 15.0)


@examples(12)
@given(people(noise=False), st.sampled_from(CHEST), st.floats(30.0, 400.0), st.booleans())
def test_a_known_offset_is_recovered(person: Simulated, lead: str, size_uv: float, down: bool) -> None:
    size = -size_uv if down else size_uv
    truth = person.truth
    beats = {"j_samples": truth.j, "t_peak_samples": truth.t.peak, "t_end_samples": truth.t.offset}
    shifted = es.simulate.inject(person.ecg, truth.r_sample, **beats, st_uv={lead: size})
    before, after = (es.analyze(each).measurements.get("st_j60_uv", lead) for each in (person.ecg, shifted))
    assert abs(after - before - size) <= 10.0 + 0.05 * size_uv


@examples(8)
@given(people())
def test_waves_are_in_their_order(person: Simulated) -> None:
    found = es.delineate(person.ecg)
    for one, other in (
        (found.p.onset, found.p.peak),
        (found.p.peak, found.p.offset),
        (found.p.offset, found.qrs.peak),
        (found.qrs.onset, found.qrs.peak),
        (found.qrs.peak, found.qrs.offset),
        (found.qrs.offset, found.t.peak),
        (found.t.onset, found.t.peak),
        (found.t.peak, found.t.offset),
    ):
        assert not (one > other).any()


@examples(8)
@given(people())
def test_every_value_has_an_error_that_is_positive(person: Simulated) -> None:
    found = es.analyze(person.ecg).measurements
    for name in AMPLITUDES:
        there = np.isfinite(found.values[name])
        assert (found.se[name][there] >= 0.0).all()
        assert np.isfinite(found.se[name][there]).all()


@examples(8)
@given(people())
def test_a_value_is_there_or_a_reason_is(person: Simulated) -> None:
    found = es.analyze(person.ecg).measurements
    for lead in found.leads:
        for name in AMPLITUDES:
            state = found.state_of(name, lead)
            assert np.isfinite(found.get(name, lead)) == (state == "measured")
            assert state in ("measured", "absent") or len(state) > len("not_measurable: ")


@examples(8)
@given(people())
def test_lobes_of_t_bound_it(person: Simulated) -> None:
    found = es.analyze(person.ecg).measurements
    up, down, larger, net = (found.values[f"t_{name}uv"] for name in ("positive_", "negative_", "", "net_"))
    assert not (up < 0.0).any()
    assert not (down > 0.0).any()
    there = np.isfinite(larger)
    sizes = np.fmax(np.nan_to_num(up), -np.nan_to_num(down))
    assert np.array_equal(np.abs(larger[there]), sizes[there])
    assert np.allclose(net[there], (np.nan_to_num(up) + np.nan_to_num(down))[there])


@examples(8)
@given(people())
def test_qtc_is_qt_over_the_cube_root_of_rr(person: Simulated) -> None:
    found = es.analyze(person.ecg).measurements
    assert np.isclose(found.qtc_ms, found.qt_ms / np.cbrt(60.0 / found.rate_bpm), rtol=1e-6)


def test_the_recipes_of_derived_leads_are_einthovens() -> None:
    i, ii = 1.0, 0.25
    have = {"I": i, "II": ii, "III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    for lead, recipe in DERIVED.items():
        assert sum(weight * have[part] for part, weight in recipe.items()) == have[lead]
