"""What must hold of a comparison, whoever the person is and whatever has changed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import ecgspasm as es
from ecgspasm.criteria import load_criteria
from ecgspasm.ecg import Measurements
from ecgspasm.leads import STANDARD
from ecgspasm.serial.comparison import MET, NOT_MET, UNDECIDED, Comparison
from ecgspasm.simulate import Simulated
from tests.trust.people import AMPLITUDES, ST, examples, people

CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
SMALL_UV = 20.0
"""What two ECGs of one simulated heart may differ by, beside their noise."""

simulate = partial(es.simulate.ecg, fs=500, duration_s=8.0, noise_uv=5.0)
seeds = st.integers(0, 2**30)
sizes = st.floats(150.0, 400.0)


def verdicts(change: Comparison) -> dict[str, str]:
    return {each.criterion: each.verdict for each in (*change.findings, *change.definitions)}


def news(change: Comparison) -> set[str]:
    return {each.criterion for each in change.findings if each.kind == "new" and each.verdict == MET}


@st.composite
def tables(draw: st.DrawFn, leads: tuple[str, ...] = STANDARD) -> Measurements:
    """Measurements as a table, of any size that hearts have."""
    rng = np.random.default_rng(draw(seeds))
    scale = draw(st.floats(10.0, 300.0))
    values = {name: rng.normal(0.0, scale, len(leads)) for name in (*ST, "t_uv")}
    missing = draw(st.lists(st.sampled_from(leads), max_size=3, unique=True))
    for row in values.values():
        row[[leads.index(lead) for lead in missing]] = np.nan
    return Measurements.from_table(leads, values, rate_bpm=rng.uniform(50, 110), qrs_ms=95.0)


# --- the same heart -----------------------------------------------------------------------------------------------------------


@examples(10)
@given(people())
def test_an_ecg_compared_with_itself_has_not_changed(person: Simulated) -> None:
    change = es.compare(person.ecg, person.ecg)
    assert news(change) == set()
    assert change.verdict == "No new change found"
    for each in change.changes.values():
        assert not np.nan_to_num(each.difference).any()


@examples(10)
@given(seeds, seeds, st.floats(55.0, 95.0), st.floats(0.0, 15.0))
def test_two_ecgs_of_one_heart_show_nothing_new(one: int, other: int, rate_bpm: float, faster: float) -> None:
    change = es.compare(simulate(seed=one, rate_bpm=rate_bpm).ecg, simulate(seed=other, rate_bpm=rate_bpm + faster).ecg)
    assert news(change) == set()
    assert max(np.nanmax(np.abs(change.changes[name].difference)) for name in ST[:1]) < SMALL_UV


@examples(6)
@given(people(), st.sampled_from([0.5, 2.0]))
def test_a_gain_that_both_share_is_no_change(person: Simulated, gain: float) -> None:
    louder = replace(person.ecg, signal_uv=person.ecg.signal_uv * gain)
    assert es.compare(louder, louder).verdict == "No new change found"


# --- the two exchanged --------------------------------------------------------------------------------------------------------


@examples(8)
@given(seeds, st.dictionaries(st.sampled_from(CHEST), sizes, min_size=2, max_size=4))
def test_exchanging_the_two_turns_the_signs(seed: int, st_uv: dict[str, float]) -> None:
    quiet, raised = simulate(seed=seed).ecg, simulate(seed=seed + 1, st_uv=st_uv).ecg
    there, back = es.compare(quiet, raised), es.compare(raised, quiet)
    for name in AMPLITUDES:
        first, second = there.changes[name].difference, back.changes[name].difference
        assert np.nanmax(np.abs(first + second)) < 5.0
    assert "new-st-elevation" not in news(back)


@examples(12)
@given(tables(), tables())
def test_exchanging_tables_turns_signs_and_intervals_exactly(one: Measurements, other: Measurements) -> None:
    there, back = es.compare(one, other), es.compare(other, one)
    assert there.leads == back.leads
    assert [each == "measured" for each in there.state] == [each == "measured" for each in back.state]
    for name in there.changes:
        assert np.array_equal(there.changes[name].difference, -back.changes[name].difference, equal_nan=True)
        assert np.array_equal(there.changes[name].baseline, back.changes[name].current, equal_nan=True)


# --- a known change -----------------------------------------------------------------------------------------------------------


@examples(10)
@given(seeds, sizes, st.sampled_from([("V1", "V2", "V3"), ("V2", "V3", "V4"), ("V4", "V5", "V6")]))
def test_a_known_elevation_is_recovered_and_told(seed: int, size_uv: float, leads: tuple[str, ...]) -> None:
    st_uv = dict.fromkeys(leads, size_uv)
    quiet, raised = simulate(seed=seed), simulate(seed=seed + 1, st_uv=st_uv)
    change = es.compare(quiet.ecg, raised.ecg)
    found = change.changes["st_j_uv"]
    for row, lead in enumerate(change.leads):
        true = raised.truth.get("st_j_uv", lead) - quiet.truth.get("st_j_uv", lead)
        assert abs(found.difference[row] - true) < SMALL_UV + 0.05 * abs(true)
    told = next(each for each in change.findings if each.criterion == "new-st-elevation")
    assert told.verdict in (MET, UNDECIDED)
    assert told.verdict == MET or told.reason
    assert told.verdict == UNDECIDED or set(told.leads) & set(leads)


@examples(8)
@given(seeds, st.sampled_from([("V1", "V2", "V3"), ("V2", "V3", "V4")]))
def test_a_known_inversion_is_told(seed: int, leads: tuple[str, ...]) -> None:
    change = es.compare(simulate(seed=seed).ecg, simulate(seed=seed + 1, t_uv=dict.fromkeys(leads, -350.0)).ecg)
    told = next(each for each in change.findings if each.criterion == "new-t-inversion")
    assert told.verdict == MET
    assert set(told.leads) & set(leads)


@examples(8)
@given(tables(), st.floats(-300.0, 300.0))
def test_an_offset_added_to_all_of_st_is_the_change(table: Measurements, offset_uv: float) -> None:
    moved = replace(table, values={name: row + offset_uv * (name in ST) for name, row in table.values.items()})
    change = es.compare(table, moved)
    for name in ST:
        found = change.changes[name].difference
        assert np.allclose(found[np.isfinite(found)], offset_uv)
        there = np.isfinite(table.values[name])
        assert np.array_equal(np.isfinite(found), there)
    assert not np.nan_to_num(change.changes["t_uv"].difference).any()


@examples(20)
@given(tables(), st.lists(st.floats(0.0, 600.0), min_size=2, max_size=4), st.booleans())
def test_a_larger_change_never_unsays_a_smaller_one(table: Measurements, uv: list[float], down: bool) -> None:
    """Beside doubts, which may take a verdict away but never turn it into "not met"."""
    criterion, sign = ("new-st-depression", -1.0) if down else ("new-st-elevation", 1.0)
    said = []
    for each in sorted(uv):
        moved = replace(table, values={name: row + sign * each * (name in ST) for name, row in table.values.items()})
        said.append(verdicts(es.compare(table, moved))[criterion])
    assert NOT_MET not in said[said.index(MET) :] if MET in said else True


# --- leads --------------------------------------------------------------------------------------------------------------------


@examples(12)
@given(tables(), tables(), st.permutations(range(12)))
def test_lead_order_changes_no_finding(one: Measurements, other: Measurements, order: list[int]) -> None:
    mixed = Measurements.from_table(
        [other.leads[row] for row in order],
        {name: row[order] for name, row in other.values.items()},
        rate_bpm=other.rate_bpm,
        qrs_ms=other.qrs_ms,
    )
    plain, again = es.compare(one, other), es.compare(one, mixed)
    assert plain.leads == again.leads
    assert plain.to_dict() == again.to_dict()


@examples(12)
@given(tables(), tables(), st.lists(st.sampled_from(STANDARD), min_size=1, max_size=6, unique=True))
def test_a_lead_that_one_of_them_lacks_makes_no_news(one: Measurements, other: Measurements, lost: list[str]) -> None:
    """What cannot be seen any more may become undecided; it is neither news nor an all-clear."""
    kept = [row for row, lead in enumerate(STANDARD) if lead not in lost]
    leads = tuple(STANDARD[row] for row in kept)
    fewer = Measurements.from_table(leads, {name: row[kept] for name, row in other.values.items()}, qrs_ms=95.0)
    whole, part = es.compare(one, other), es.compare(one, fewer)
    assert set(part.leads) == set(leads)
    for name, verdict in verdicts(part).items():
        if verdict == MET and verdicts(whole)[name] == NOT_MET:
            # Only a condition that other leads must NOT fulfil can be met by their absence, and then it must say so.
            raise AssertionError(f"{name} is met without {', '.join(lost)} and not met with them")


@examples(8)
@given(people(), st.lists(st.sampled_from(CHEST), min_size=1, max_size=6, unique=True))
def test_a_lead_that_was_not_measured_is_neither_changed_nor_unchanged(person: Simulated, lost: list[str]) -> None:
    signal = person.ecg.signal_uv.copy()
    signal[[person.ecg.index(lead) for lead in lost]] = np.nan
    change = es.compare(person.ecg, replace(person.ecg, signal_uv=signal))
    for lead in lost:
        row = change.leads.index(lead)
        assert change.state[row].startswith("not_measurable: ")
        assert np.isnan(change.changes["st_j_uv"].difference[row])
        assert np.isnan(change.changes["t_uv"].difference[row])


# --- limits of what can be known ----------------------------------------------------------------------------------------------


@examples(10)
@given(tables(), tables())
def test_the_interval_holds_the_change_and_fresh_electrodes_widen_it(one: Measurements, other: Measurements) -> None:
    fresh, same = (es.compare(one, other, electrodes=each) for each in ("fresh", "same"))
    for name in AMPLITUDES:
        wide, narrow = fresh.changes[name], same.changes[name]
        there = np.isfinite(wide.difference)
        assert (wide.low[there] <= wide.difference[there]).all()
        assert (wide.difference[there] <= wide.high[there]).all()
        assert (wide.detectable[there] >= narrow.detectable[there]).all()
        assert (narrow.detectable[there] > 0.0).all()


@examples(10)
@given(tables(), tables(), st.floats(-300.0, 300.0))
def test_probabilities_are_probabilities_and_complementary(one: Measurements, other: Measurements, limit_uv: float) -> None:
    change = es.compare(one, other).changes["st_j_uv"]
    above, below = change.probability(at_least=limit_uv), change.probability(at_most=limit_uv)
    there = np.isfinite(change.difference)
    assert np.allclose((above + below)[there], 1.0)
    assert ((above[there] >= 0.0) & (above[there] <= 1.0)).all()


@examples(10)
@given(tables(), tables())
def test_each_verdict_is_one_of_three_and_undecided_has_a_reason(one: Measurements, other: Measurements) -> None:
    change = es.compare(one, other)
    for each in (*change.findings, *change.definitions):
        assert each.verdict in (MET, NOT_MET, UNDECIDED)
        assert each.verdict != UNDECIDED or each.reason
        assert each.verdict != MET or each.leads


@examples(8)
@given(tables(), tables(), st.randoms(use_true_random=False))
def test_criteria_do_not_see_one_another(one: Measurements, other: Measurements, random: object) -> None:
    rules = list(load_criteria())
    whole = verdicts(es.compare(one, other, criteria=rules))
    random.shuffle(rules)  # type: ignore[attr-defined]
    assert verdicts(es.compare(one, other, criteria=rules)) == whole
    alone = rules[0]
    assert verdicts(es.compare(one, other, criteria=[alone])) == {alone.id: whole[alone.id]}


@examples(6)
@given(people(), people())
def test_analysed_before_or_in_the_comparison_is_the_same(one: Simulated, other: Simulated) -> None:
    first, second = es.analyze(one.ecg), es.analyze(other.ecg)
    assert es.compare(first, second).to_dict() == es.compare(one.ecg, other.ecg).to_dict()


@examples(10)
@given(tables(), tables())
def test_what_is_written_is_what_was_found(one: Measurements, other: Measurements) -> None:
    change = es.compare(one, other)
    frame, written = change.to_frame(), change.to_dict()
    for row, lead in enumerate(change.leads):
        number = written["leads"][lead]["st_j_uv"]["change"]
        value = frame["st_j_uv_change"][row]
        assert (number is None) == bool(np.isnan(value))
        assert number is None or abs(number - value) <= 0.0501
    assert written["use"] == "research only; not a medical device"
