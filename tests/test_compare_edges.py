"""What a comparison says of two ECGs whose difference is known, from the alignment of the beats to the words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.criteria import Condition, Criterion, Limit, Requirement
from ecgspasm.ecg import Analysis, Measurements, MedianBeat, Subject
from ecgspasm.errors import EcgError
from ecgspasm.leads import STANDARD
from ecgspasm.serial.comparison import IN_FRAME, MET, NOT_MET, UNDECIDED, Change, Comparison, Finding
from ecgspasm.serial.repeatability import repeat_sd

NAN = float("nan")
MADE = es.simulate.ecg(fs=500, seed=7, noise_uv=4.0).ecg


@pytest.fixture(scope="module")
def analysed() -> Analysis:
    return es.analyze(MADE)


@pytest.fixture(scope="module")
def itself(analysed: Analysis) -> Comparison:
    return es.compare(analysed, analysed)


def beat_of(analysis: Analysis) -> MedianBeat:
    assert analysis.median is not None
    return analysis.median


def with_beat(analysis: Analysis, **changes: Any) -> Analysis:
    return replace(analysis, median=replace(beat_of(analysis), **changes))


# ---------------------------------------------------------------- alignment


def test_an_ecg_against_itself_stays_where_it_is_and_has_not_changed(itself: Comparison, analysed: Analysis) -> None:
    beat = beat_of(analysed)
    assert itself.aligned is not None
    assert itself.aligned.onset == pytest.approx((beat.qrs_onset, beat.qrs_onset))
    assert itself.aligned.j_ms == pytest.approx((beat.j - beat.qrs_onset) * 1000.0 / beat.fs)
    assert itself.aligned.qrs_correlation == pytest.approx(1.0)
    assert np.array_equal(itself.aligned.baseline_uv, itself.aligned.current_uv)
    for name, change in itself.changes.items():
        assert np.nan_to_num(change.difference).tolist() == [0.0] * 12, name
    assert itself.measured["current"].qrs_ms == pytest.approx(analysed.measurements.qrs_ms)


@pytest.mark.parametrize("moved_ms", [-60.0, -21.0, -1.0, 1.0, 14.0, 60.0])
def test_a_fiducial_that_lies_elsewhere_in_the_beat_changes_nothing(
    analysed: Analysis, itself: Comparison, moved_ms: float
) -> None:
    beat = beat_of(analysed)
    moved = with_beat(analysed, r_sample=beat.r_sample - moved_ms * beat.fs / 1000.0)
    found = es.compare(analysed, moved)
    assert found.aligned is not None
    assert found.aligned.onset == pytest.approx((beat.qrs_onset, beat.qrs_onset), abs=1e-6)
    for name, change in found.changes.items():
        assert np.allclose(np.nan_to_num(change.difference), 0.0, atol=1e-6), name
    turned = es.compare(moved, analysed)
    assert turned.aligned is not None
    assert turned.aligned.onset == pytest.approx((beat.qrs_onset, beat.qrs_onset), abs=1e-6)
    assert turned.aligned.qrs_correlation == pytest.approx(1.0, abs=1e-6)


def test_no_more_than_60_ms_are_searched(analysed: Analysis) -> None:
    beat = beat_of(analysed)
    found = es.compare(analysed, with_beat(analysed, r_sample=beat.r_sample - 80.0 * beat.fs / 1000.0))
    assert found.aligned is not None
    assert found.aligned.qrs_correlation < 0.9


def test_onset_and_j_are_the_means_of_the_two(analysed: Analysis) -> None:
    beat = beat_of(analysed)
    other = with_beat(analysed, qrs_onset=beat.qrs_onset - 4.0, j=beat.j + 6.0)
    for found in (es.compare(analysed, other), es.compare(other, analysed)):
        assert found.aligned is not None
        assert found.aligned.onset == pytest.approx((beat.qrs_onset - 2.0,) * 2)
        assert found.aligned.j_ms == pytest.approx((beat.j + 3.0 - (beat.qrs_onset - 2.0)) * 2.0)
        assert found.measured["baseline"].qrs_ms == pytest.approx((beat.j - beat.qrs_onset + 5.0) * 2.0)
        assert np.allclose(np.nan_to_num(found.changes["st_j60_uv"].difference), 0.0)


def test_the_aligned_beats_are_zero_before_onset_and_on_a_grid_of_one_ms(itself: Comparison, analysed: Analysis) -> None:
    beat, aligned = beat_of(analysed), itself.aligned
    assert aligned is not None
    assert np.allclose(np.diff(aligned.time_ms), 1.0)
    level = (aligned.time_ms >= -16.0) & (aligned.time_ms <= 0.0)
    assert level.sum() in (16, 17)
    assert np.allclose(aligned.current_uv[:, level].mean(axis=1), 0.0, atol=1e-9)
    # all of the beat is there, and no more
    assert aligned.time_ms[0] == pytest.approx(-beat.qrs_onset * 2.0, abs=2.0)
    assert aligned.time_ms[-1] == pytest.approx((beat.signal_uv.shape[1] - 1 - beat.qrs_onset) * 2.0, abs=2.0)
    at = np.arange(40, beat.signal_uv.shape[1] - 40)
    row = STANDARD.index("V3")
    drawn = np.interp((at - beat.qrs_onset) * 2.0, aligned.time_ms, aligned.current_uv[row])
    assert np.ptp(drawn - beat.signal_uv[row, at]) < 0.05 * np.ptp(beat.signal_uv[row])


@pytest.mark.parametrize("fs", [250.0, 1000.0])
def test_the_rate_of_either_ecg_does_not_matter(analysed: Analysis, fs: float) -> None:
    beat, factor = beat_of(analysed), fs / 500.0
    place = np.arange(0, (beat.signal_uv.shape[1] - 1) * factor + 0.5) / factor
    signal = np.array([np.interp(place, np.arange(beat.signal_uv.shape[1]), row) for row in beat.signal_uv])
    names = ("onset", "peak", "offset")
    scaled = {wave: type(beat.p)(*(getattr(getattr(beat, wave), name) * factor for name in names)) for wave in ("p", "qrs", "t")}
    other = with_beat(
        analysed, fs=fs, signal_uv=signal, r_sample=beat.r_sample * factor, qrs_onset=beat.qrs_onset * factor, j=beat.j * factor,
        u_peak=beat.u_peak * factor, **scaled,
    )  # fmt: skip
    for found in (es.compare(analysed, other), es.compare(other, analysed)):
        assert found.aligned is not None
        assert found.aligned.j_ms == pytest.approx((beat.j - beat.qrs_onset) * 2.0, abs=0.1)
        assert found.aligned.qrs_correlation > 0.995
        assert np.nanmax(np.abs(found.changes["st_j60_uv"].difference)) < 3.0
        ends = [len(found.aligned.time_ms), beat.signal_uv.shape[1] * 2.0]
        assert ends[0] == pytest.approx(ends[1], abs=6.0)


def test_the_qrs_complexes_alone_are_correlated(analysed: Analysis) -> None:
    beat = beat_of(analysed)
    signal = np.array(beat.signal_uv)
    signal[:, int(beat.r_sample) + 90 :] += 2000.0  # after all that the search for the shift looks at
    found = es.compare(analysed, with_beat(analysed, signal_uv=signal))
    assert found.aligned is not None
    assert found.aligned.qrs_correlation > 0.99
    turned = es.compare(analysed, with_beat(analysed, signal_uv=-beat.signal_uv))
    assert turned.aligned is not None
    assert turned.aligned.qrs_correlation < 0.5


def test_a_lead_that_cannot_be_measured_takes_no_part_in_the_alignment(analysed: Analysis) -> None:
    beat = beat_of(analysed)
    row = STANDARD.index("V2")
    signal = np.array(beat.signal_uv)
    signal[row] = 100.0 * np.roll(signal[row], 20)
    state = tuple(
        "not_measurable: flat" if lead == "V2" else each for lead, each in zip(STANDARD, analysed.measurements.state, strict=True)
    )
    spoilt = replace(
        with_beat(analysed, signal_uv=signal),
        measurements=replace(analysed.measurements, state=state),
        quality=tuple("flat" if lead == "V2" else each for lead, each in zip(STANDARD, analysed.quality, strict=True)),
    )
    found = es.compare(analysed, spoilt)
    assert found.aligned is not None
    assert found.aligned.qrs_correlation == pytest.approx(1.0)
    assert found.state[row] == "not_measurable: current: flat"
    assert es.compare(spoilt, analysed).state[row] == "not_measurable: baseline: flat"
    assert np.isnan(found.changes["st_j_uv"].difference[row])
    # if no lead is good, all are used
    nothing = replace(
        spoilt, measurements=replace(analysed.measurements, state=("not_measurable: flat",) * 12), quality=("flat",) * 12
    )
    bare = es.compare(nothing, nothing)
    assert bare.aligned is not None
    assert bare.aligned.qrs_correlation == pytest.approx(1.0)
    assert not bare.comparable


# ---------------------------------------------------------------- what is compared


def test_leads_that_only_one_has_are_left_out(analysed: Analysis) -> None:
    names = ("V6", "II", "V1")
    few = es.analyze(replace(MADE, leads=names, signal_uv=MADE.signal_uv[[MADE.index(lead) for lead in names]]))
    found = es.compare(analysed, few)
    assert found.leads == ("II", "V1", "V6")
    assert found.changes["st_j_uv"].baseline.shape == (3,)
    for lead in found.leads:
        assert found.changes["r_uv"].difference[found.leads.index(lead)] == pytest.approx(0.0, abs=40.0)
    other = replace(MADE, leads=("V7",), signal_uv=MADE.signal_uv[:1])
    with pytest.raises(EcgError, match=r"no lead in common: the baseline has I, .*V6; the current has V7"):
        es.compare(MADE, other)


def test_settings_that_are_no_settings_are_refused(analysed: Analysis) -> None:
    with pytest.raises(EcgError, match="electrodes is 'old'"):
        es.compare(analysed, analysed, electrodes="old")  # type: ignore[arg-type]
    with pytest.raises(EcgError, match="a str is no criterion"):
        es.compare(analysed, analysed, criteria=["serial"])  # type: ignore[list-item]
    few = tuple(es.load_criteria(group="serial")[:2])
    assert [each.criterion for each in es.compare(analysed, analysed, criteria=iter(few)).findings] == [each.id for each in few]


def table(
    leads: tuple[str, ...] = STANDARD, se: dict[str, Any] | None = None, subject: Subject | None = None, **values: Any
) -> Measurements:
    intervals = {name: values.pop(name) for name in ("rate_bpm", "qrs_ms", "qtc_ms") if name in values}
    filled = {name: np.full(len(leads), 0.0) + np.asarray(each, dtype=float) for name, each in values.items()}
    return Measurements.from_table(leads, filled, se=se, subject=subject, **({"rate_bpm": 60.0, "qrs_ms": 90.0} | intervals))


def test_a_change_has_the_errors_of_both_and_of_placing_the_electrodes() -> None:
    first, second = (table(st_j60_uv=size, se={"st_j60_uv": np.full(12, error)}) for size, error in ((10.0, 3.0), (110.0, 4.0)))
    for electrodes in ("same", "fresh"):
        change = es.compare(first, second, electrodes=electrodes).changes["st_j60_uv"]  # type: ignore[arg-type]
        repeat = repeat_sd("st_j60_uv", STANDARD, electrodes, np.full(12, 10.0))  # type: ignore[arg-type]
        assert np.allclose(change.difference, 100.0)
        assert np.allclose(change.measurement_se, 5.0)
        assert np.allclose(change.repeat_sd, repeat)
        assert np.allclose(change.se, np.hypot(5.0, repeat))
        assert np.allclose(change.high - change.low, 2 * 1.96 * change.se)
        assert np.allclose((change.high + change.low) / 2, 100.0)
        assert np.allclose(change.detectable, 1.96 * change.se)
    assert np.allclose(es.compare(table(t_uv=1.0), table(t_uv=2.0)).changes["t_uv"].measurement_se, 0.0)
    assert set(es.compare(table(t_uv=1.0, r_uv=5.0), table(t_uv=2.0)).changes) == {"t_uv"}


def test_the_probability_of_a_change_is_half_at_what_was_measured() -> None:
    change = Change(np.zeros(3), np.array([100.0, 100.0, NAN]), np.array([30.0, 0.0, 1.0]), np.array([40.0, 0.0, 1.0]))
    assert change.probability(at_least=100.0)[0] == 0.5
    assert change.probability(at_most=100.0)[0] == 0.5
    assert change.probability(at_least=50.0)[0] == pytest.approx(0.841344746)
    assert change.probability(at_most=50.0)[0] == pytest.approx(0.158655254)
    assert change.probability(at_least=99.0)[1] == 1.0
    assert np.isnan(change.probability(at_least=99.0)[2])
    for wrong in ({}, {"at_least": 1.0, "at_most": 2.0}):
        with pytest.raises(EcgError, match="asks for one limit"):
            change.probability(**wrong)


# ---------------------------------------------------------------- what is found


def criterion(*conditions: Condition, **changes: Any) -> Criterion:
    given: dict[str, Any] = {
        "id": "own",
        "title": "Own",
        "what": "own rule",
        "shown": conditions[0].measure,
        "leads": ("II", "III", "aVF"),
        "contiguous": 1,
        "conditions": conditions,
        "source": "me",
    }
    return Criterion(**(given | changes))


def found(rule: Criterion, first: Measurements, second: Measurements, **more: Any) -> Finding:
    comparison = es.compare(first, second, criteria=[rule], **more)
    (finding,) = (*comparison.findings, *comparison.definitions)
    return finding


RISE = Condition("change", "st_j60_uv", at_least=100.0)


def by_lead(**sizes: float) -> list[float]:
    return [sizes.get(lead, 0.0) for lead in STANDARD]


def test_the_largest_change_is_told_with_its_interval() -> None:
    finding = found(criterion(RISE), table(st_j60_uv=-10.0), table(st_j60_uv=by_lead(II=250.0, III=390.0, aVF=90.0)))
    assert (finding.verdict, finding.leads, finding.territory) == ("MET", ("II", "III", "aVF"), "inferior")
    row = finding.values["III"]
    assert set(row) == {"baseline", "current", "change", "low", "high", "threshold", "probability"}
    assert (row["baseline"], row["current"], row["change"], row["threshold"]) == (-10.0, 390.0, 400.0, 100.0)
    assert finding.reason == (f"III st_j60_uv -10 -> +390 uV, change +400 uV (95 % CI {row['low']:+.0f}..{row['high']:+.0f})")
    assert row["probability"] > 0.999
    assert finding.values["aVF"]["probability"] == pytest.approx(0.5)
    assert (finding.measure, finding.source, finding.what, finding.kind) == ("st_j60_uv", "me", "own rule", "new")
    assert finding.conditions == ("change st_j60_uv >= +100 uV",)


def test_a_fall_has_the_probability_of_a_fall() -> None:
    finding = found(
        criterion(Condition("change", "st_j60_uv", at_most=-50.0)), table(st_j60_uv=0.0), table(st_j60_uv=by_lead(II=-300.0))
    )
    assert finding.leads == ("II",)
    assert (finding.values["II"]["threshold"], finding.values["II"]["change"]) == (-50.0, -300.0)
    assert finding.values["II"]["probability"] > 0.99
    assert "change -300 uV" in finding.reason


def test_a_rule_of_the_current_ecg_tells_its_value_and_whether_it_was_so_before() -> None:
    rule = criterion(Condition("current", "st_j60_uv", at_least=(Limit(100.0), Limit(50.0, ("III",)))), kind="present")
    high, low = table(st_j60_uv=by_lead(II=120.0, III=60.0)), table(st_j60_uv=0.0)
    fresh = found(rule, low, high)
    assert fresh.reason == "II st_j60_uv +120 uV"
    assert set(fresh.values["II"]) == {"baseline", "current", "change", "low", "high", "threshold"}
    assert {lead: row["threshold"] for lead, row in fresh.values.items()} == {"II": 100.0, "III": 50.0}
    assert found(rule, high, high).reason == "II st_j60_uv +120 uV; already so in the baseline"
    assert found(rule, high, low).reason == "in no lead"
    kept = es.compare(low, high, criteria=[rule])
    assert not kept.findings
    assert [each.kind for each in kept.definitions] == ["present"]
    # what is new is never called old
    assert "already" not in found(criterion(RISE), low, high).reason


def test_what_the_baseline_was_like_is_asked_of_the_baseline_alone() -> None:
    wide = Requirement(Condition("current", "qrs_ms", at_least=120.0))
    rule = criterion(Condition("current", "t_uv", at_least=50.0), kind="present", requires=(wide,))
    first, second = table(t_uv=200.0, qrs_ms=90.0), table(t_uv=200.0, qrs_ms=150.0)
    assert found(rule, first, second).verdict == "MET"
    assert "already" not in found(rule, first, second).reason
    assert "already" in found(rule, second, second).reason
    shape = criterion(Condition("current", "t_shape", one_of=("negative",)), kind="present", shown="t_uv")
    down, up = table(t_uv=-200.0), table(t_uv=200.0)
    assert found(shape, up, down).reason == "II T -200 uV"
    assert found(shape, down, down).reason == "II T -200 uV; already so in the baseline"
    assert "required: current qrs_ms >= +120 ms" in found(rule, first, second).conditions


def test_the_whole_ecgs_of_both_are_asked() -> None:
    def verdict(of: Any, measure: str, limit: float, **told: float) -> str:
        needed = Requirement(Condition(of, measure, at_least=limit))
        first = table(t_uv=200.0, rate_bpm=60.0, qtc_ms=400.0)
        second = table(t_uv=200.0, **({"rate_bpm": 100.0, "qtc_ms": 500.0} | told))
        rule = criterion(Condition("current", "t_uv", at_least=50.0), requires=(needed,))
        return found(rule, first, second).verdict

    assert [verdict("baseline", "rate_bpm", limit) for limit in (60.0, 61.0)] == ["MET", "NOT_MET"]
    assert [verdict("current", "rate_bpm", limit) for limit in (100.0, 101.0)] == ["MET", "NOT_MET"]
    assert [verdict("current", "qtc_ms", limit) for limit in (500.0, 501.0)] == ["MET", "NOT_MET"]
    assert verdict("current", "qtc_ms", 1.0, qtc_ms=NAN) == "UNDECIDED"


def test_the_person_is_the_current_ecgs_with_what_only_the_baseline_tells() -> None:
    rule = criterion(
        Condition("current", "st_j60_uv", at_least=(Limit(200.0, sex="male"), Limit(100.0, sex="female", age_from=40.0))),
        kind="present",
    )

    def verdict(first: Subject, second: Subject) -> str:
        return found(rule, table(st_j60_uv=0.0, subject=first), table(st_j60_uv=150.0, subject=second)).verdict

    man, woman = Subject(sex="male", age=50), Subject(sex="female", age=50)
    assert verdict(Subject(), woman) == "MET"
    assert verdict(Subject(), man) == "NOT_MET"
    assert verdict(woman, Subject()) == "MET"
    assert verdict(Subject(age=50), Subject(sex="female")) == "MET"
    assert verdict(Subject(sex="female", age=20), Subject(age=50)) == "MET"
    assert verdict(man, Subject()) == "NOT_MET"


def test_an_age_counts_as_the_current_ecg_tells_it() -> None:
    by_age = (Limit(100.0, age_from=40.0), Limit(200.0, age_below=40.0))
    rule = criterion(Condition("current", "st_j60_uv", at_least=by_age), kind="present")

    def verdict(first: int | None, second: int | None) -> str:
        ecgs = (table(st_j60_uv=0.0, subject=Subject(age=first)), table(st_j60_uv=150.0, subject=Subject(age=second)))
        return found(rule, *ecgs).verdict

    assert [verdict(39, 41), verdict(41, 39), verdict(50, None), verdict(30, None), verdict(None, 50)] == [
        *("MET", "NOT_MET", "MET", "NOT_MET", "MET")
    ]


def test_the_limit_of_the_change_is_told_with_its_probability_not_that_of_the_value() -> None:
    rule = criterion(Condition("current", "st_j60_uv", at_least=50.0), RISE, shown="st_j60_uv")
    row = found(rule, table(st_j60_uv=0.0), table(st_j60_uv=by_lead(II=100.0))).values["II"]
    assert (row["threshold"], row["probability"]) == (100.0, pytest.approx(0.5))
    other = criterion(
        Condition("change", "t_uv", at_least=70.0), Condition("change", "st_j60_uv", at_least=100.0), shown="st_j60_uv"
    )
    row = found(other, table(st_j60_uv=0.0, t_uv=0.0), table(st_j60_uv=100.0, t_uv=900.0)).values["II"]
    assert (row["threshold"], row["probability"]) == (100.0, pytest.approx(0.5))


def test_the_lead_that_is_named_has_the_largest_value_or_the_largest_change() -> None:
    first, second = table(st_j60_uv=by_lead(III=-300.0, II=150.0)), table(st_j60_uv=by_lead(III=120.0, II=400.0))
    present = criterion(Condition("current", "st_j60_uv", at_least=100.0), kind="present")
    assert found(present, first, second).reason.startswith("II st_j60_uv +400 uV")
    assert found(criterion(RISE), first, second).reason.startswith("III st_j60_uv -300 -> +120 uV")


def test_t_that_tips_over_changes_by_its_net_amplitude_in_size_and_in_error() -> None:
    rule = criterion(Condition("change", "t_uv", at_most=-100.0), Condition("change", "t_uv", at_least=-300.0))
    # the larger lobe jumps by 500 uV, both together fall by 200 uV
    assert found(rule, table(t_uv=250.0, t_net_uv=100.0), table(t_uv=-250.0, t_net_uv=-100.0)).verdict == "MET"
    noisy = {"t_net_uv": np.full(12, 500.0)}
    assert found(rule, table(t_uv=250.0, t_net_uv=100.0, se=noisy), table(t_uv=-250.0, t_net_uv=-100.0)).verdict == "NOT_MET"
    quiet = {"t_uv": np.full(12, 500.0)}
    assert found(rule, table(t_uv=250.0, t_net_uv=100.0, se=quiet), table(t_uv=-250.0, t_net_uv=-100.0)).verdict == "MET"


def test_a_rule_without_a_recorded_lead_is_left_out() -> None:
    chest = table(("V1", "V2"), t_uv=100.0)
    there = Condition("current", "t_uv", at_least=0.0)
    rules = [criterion(there), criterion(there, id="chest", leads=("V2", "II"))]
    assert [each.criterion for each in es.compare(chest, chest, criteria=rules).findings] == ["chest"]


def test_a_lead_without_u_has_one_of_no_height_and_t_changes_by_its_net_amplitude() -> None:
    appeared = criterion(Condition("change", "u_uv", at_most=-50.0))
    finding = found(appeared, table(u_uv=NAN, t_uv=1.0), table(u_uv=by_lead(II=-300.0), t_uv=1.0))
    assert (finding.verdict, finding.leads) == ("MET", ("II",))
    assert finding.reason.startswith("II U ")
    first = table(t_uv=200.0, t_net_uv=10.0)
    second = table(t_uv=-200.0, t_net_uv=-10.0)
    fall = criterion(Condition("change", "t_uv", at_most=-100.0))
    assert found(fall, first, second).verdict == "NOT_MET"
    assert found(fall, table(t_uv=200.0), table(t_uv=-200.0)).verdict == "MET"
    assert found(fall, table(t_uv=200.0, t_net_uv=200.0), table(t_uv=-200.0, t_net_uv=-200.0)).verdict == "MET"


def test_a_change_within_the_repeatability_is_none() -> None:
    small = criterion(Condition("change", "st_j60_uv", at_least=5.0))
    limit = float(1.96 * repeat_sd("st_j60_uv", ["II"], "fresh", np.zeros(1))[0])
    assert found(small, table(st_j60_uv=0.0), table(st_j60_uv=by_lead(II=limit - 0.5))).verdict == "NOT_MET"
    assert found(small, table(st_j60_uv=0.0), table(st_j60_uv=by_lead(II=limit + 0.5))).verdict == "MET"
    noisy = {"st_j60_uv": np.full(12, 500.0)}
    assert found(small, table(st_j60_uv=0.0, se=noisy), table(st_j60_uv=by_lead(II=limit + 0.5))).verdict == "NOT_MET"


def test_a_territory_is_that_of_the_leads_unless_the_rule_names_one() -> None:
    first, second = table(st_j60_uv=0.0), table(st_j60_uv=by_lead(II=300.0))
    assert found(criterion(RISE, territory="of my own"), first, second).territory == "of my own"
    assert found(criterion(RISE), first, first).territory == ""
    # a rule whose measure the tables lack shows nothing
    lacking = found(criterion(Condition("change", "q_uv", at_least=1.0)), first, second)
    assert (lacking.verdict, dict(lacking.values)) == ("UNDECIDED", {})


# ---------------------------------------------------------------- how it is told


def test_a_comparison_is_a_table_and_json(itself: Comparison) -> None:
    frame = itself.to_frame()
    assert list(frame["lead"]) == list(STANDARD)
    assert list(frame.columns) == [
        *("lead", "state", "t_shape_baseline", "t_shape_current"),
        *(f"{name}_{part}" for name in IN_FRAME for part in ("baseline", "current", "change", "low", "high")),
    ]
    told = itself.to_dict()
    json.dumps(told, allow_nan=False)
    assert list(told) == [
        *(
            "ecgspasm",
            "use",
            "parameters",
            "verdict",
            "comparable",
            "electrodes",
            "baseline",
            "current",
            "vectors",
            "score",
            "leads",
            "findings",
        ),
        *("definitions", "minnesota", "confounders"),
    ]
    assert (told["ecgspasm"], told["use"]) == (es.__version__, "research only; not a medical device")
    assert {name: told["parameters"][name] for name in itself.parameters} == itself.parameters
    assert itself.parameters["electrodes"] == "fresh"
    judged = [each.criterion for each in (*itself.findings, *itself.definitions)]
    assert list(itself.parameters) == ["electrodes", "criteria"]
    assert itself.parameters["criteria"] == judged
    change = itself.changes["st_j60_uv"]
    row, at = told["leads"]["V3"]["st_j60_uv"], STANDARD.index("V3")
    assert list(row) == ["baseline", "current", "change", "low", "high", "detectable"]
    assert row["detectable"] == row["high"] == -row["low"] == pytest.approx(float(change.detectable[at]), abs=0.06)
    assert row["baseline"] == row["current"] == pytest.approx(float(change.baseline[at]), abs=0.06)
    assert told["leads"]["V3"]["state"] == "measured"
    assert set(told["leads"]["V3"]) == {"state", "t_shape_baseline", "t_shape_current", *itself.changes}
    assert told["baseline"]["source"] == told["current"]["source"] == MADE.source
    assert told["baseline"]["rate_bpm"] == pytest.approx(itself.measured["baseline"].rate_bpm, abs=0.1)
    assert set(told["vectors"]) == {"baseline", "current", "change"}
    assert told["vectors"]["change"] == {
        "st_j_uv": 0.0,
        "st_j60_uv": 0.0,
        "t_uv": 0.0,
        "gradient_uv_ms": 0.0,
        "gradient_turned_deg": 0.0,
        "qrs_t_angle_deg": 0.0,
    }
    assert told["findings"] == [each.to_dict() for each in itself.findings]
    assert told["definitions"] == [each.to_dict() for each in itself.definitions]
    assert list(told["findings"][0]) == [
        *("criterion", "title", "kind", "verdict", "leads", "territory", "reason", "measure", "conditions", "values", "source"),
    ]
    assert set(told["minnesota"]) >= {"baseline", "current", "change"}
    assert repr(itself).startswith("Comparison(12 leads, '")
    assert "<" in itself._repr_html_()


def test_what_a_table_lacks_is_absent() -> None:
    comparison = es.compare(table(t_uv=by_lead(II=100.0)), table(t_uv=by_lead(II=104.26)))
    frame = comparison.to_frame()
    assert frame["st_j_uv_change"].isna().all()
    assert frame["st_j60_uv_low"].isna().all()
    assert frame.set_index("lead").loc["II", "t_uv_change"] == pytest.approx(4.26)
    told = comparison.to_dict()
    assert told["leads"]["II"]["t_uv"]["change"] == 4.3
    assert told["baseline"] == {"source": ""} | dict(comparison.measured["baseline"].to_dict()["global"])
    assert told["current"]["rate_bpm"] == 60.0
    assert comparison.baseline is comparison.current is comparison.aligned is None
    json.dumps(told, allow_nan=False)


def test_vectors_tell_how_far_they_moved() -> None:
    comparison = es.compare(table(t_uv=100.0, st_j_uv=0.0), table(t_uv=by_lead(II=300.0), st_j_uv=by_lead(V3=500.0)))
    moved = comparison.vector_change()
    first, second = comparison.vectors["baseline"], comparison.vectors["current"]
    assert moved["t_uv"] == pytest.approx(float(np.linalg.norm(second.t_uv - first.t_uv)), abs=0.06)
    assert moved["st_j_uv"] == pytest.approx(float(np.linalg.norm(second.st_j_uv)), abs=0.06)
    assert moved["gradient_turned_deg"] is None
    sizes = comparison.vessel_leads()
    assert set(sizes) == {"baseline", "current"}
    assert sizes != comparison.vessel_leads("st_j60_uv")


def test_a_probability_is_told_with_three_digits_and_all_else_with_one() -> None:
    values = {"II": {"change": 12.3456, "probability": 0.12345, "low": NAN}}
    told = Finding("a", "b", "MET", ("II",), "", "d", "e", values=values).to_dict()
    assert told["values"] == {"II": {"change": 12.3, "probability": 0.123, "low": None}}
    assert told["territory"] is None
    assert (told["kind"], told["measure"], told["conditions"]) == ("new", "", [])


def test_one_lead_is_enough_to_be_comparable() -> None:
    one = table(t_uv=[NAN] * 11 + [5.0])
    assert es.compare(one, one).comparable
    none = table(t_uv=NAN)
    nothing = es.compare(none, none)
    assert not nothing.comparable
    assert nothing.state[0] == "not_measurable: baseline: no value in the table"


def test_dates_of_both_are_compared_when_both_have_them(analysed: Analysis) -> None:
    def dated(day: int | None) -> Analysis:
        when = None if day is None else datetime(2020, 1, day)
        return replace(analysed, ecg=replace(analysed.ecg, recorded_at=when))

    assert "reversed-order" in es.compare(dated(2), dated(1)).confounders
    for first, second in ((1, 2), (None, 1), (2, None), (None, None)):
        assert "reversed-order" not in es.compare(dated(first), dated(second)).confounders


# ---------------------------------------------------------------- beats that are not alike


def cut(analysis: Analysis, first: int, last: int) -> Analysis:
    """The same beat with so many samples less at its start and at its end."""
    beat = beat_of(analysis)
    names = ("onset", "peak", "offset")
    moved = {wave: type(beat.p)(*(getattr(getattr(beat, wave), name) - first for name in names)) for wave in ("p", "qrs", "t")}
    return with_beat(
        analysis,
        signal_uv=beat.signal_uv[:, first : beat.signal_uv.shape[1] - last],
        r_sample=beat.r_sample - first,
        qrs_onset=beat.qrs_onset - first,
        j=beat.j - first,
        u_peak=beat.u_peak - first,
        **moved,
    )


@pytest.mark.parametrize("moved_ms", [0.0, 20.0, -20.0])
def test_the_axis_holds_what_both_beats_have(analysed: Analysis, moved_ms: float) -> None:
    beat, shorter = beat_of(analysed), cut(analysed, 40, 60)
    shorter = with_beat(shorter, r_sample=beat_of(shorter).r_sample + moved_ms / 2.0)
    for pair in ((analysed, shorter), (shorter, analysed)):
        aligned = es.compare(*pair).aligned
        assert aligned is not None
        assert aligned.time_ms[0] == pytest.approx(-(beat.qrs_onset - 40) * 2.0, abs=1.01)
        assert aligned.time_ms[0] >= -(beat.qrs_onset - 40) * 2.0 - 1e-6
        assert aligned.time_ms[-1] == pytest.approx((beat.signal_uv.shape[1] - 61 - beat.qrs_onset) * 2.0, abs=1.01)
        assert aligned.time_ms[-1] <= (beat.signal_uv.shape[1] - 61 - beat.qrs_onset) * 2.0 + 1e-6
        assert np.allclose(aligned.baseline_uv, aligned.current_uv, atol=1e-6)
        onsets = tuple(beat_of(each).qrs_onset for each in pair)
        assert aligned.onset == pytest.approx(onsets, abs=1e-6)


@pytest.mark.parametrize("moved_ms", [-37.0, -5.0, 0.0, 6.0, 41.0])
def test_the_shift_is_found_though_size_offset_and_st_have_changed(analysed: Analysis, moved_ms: float) -> None:
    beat = beat_of(analysed)
    rng = np.random.default_rng(12)
    signal = beat.signal_uv * 0.6 + rng.normal(0.0, 2000.0, (12, 1)) + rng.normal(0.0, 4.0, beat.signal_uv.shape)
    signal[:, round(beat.j) + 30 :] += 250.0
    other = with_beat(analysed, signal_uv=signal, r_sample=beat.r_sample - moved_ms / 2.0)
    for pair in ((analysed, other), (other, analysed)):
        aligned = es.compare(*pair).aligned
        assert aligned is not None
        assert aligned.onset == pytest.approx((beat.qrs_onset,) * 2, abs=0.8)


def test_each_curve_is_that_of_its_own_ecg(analysed: Analysis) -> None:
    twice = with_beat(analysed, signal_uv=2.0 * beat_of(analysed).signal_uv)
    aligned = es.compare(analysed, twice).aligned
    assert aligned is not None
    assert np.allclose(aligned.current_uv, 2.0 * aligned.baseline_uv, atol=1e-6)
    assert aligned.qrs_correlation == pytest.approx(1.0)


def test_the_correlation_is_that_from_onset_to_j(analysed: Analysis) -> None:
    beat = beat_of(analysed)
    # what lies before the onset differs altogether
    signal = np.array(beat.signal_uv)
    before = round(beat.qrs_onset) - 12
    signal[:, :before] = np.random.default_rng(3).normal(0.0, 300.0, (12, before))
    aligned = es.compare(analysed, with_beat(analysed, signal_uv=signal)).aligned
    assert aligned is not None
    assert aligned.qrs_correlation == pytest.approx(1.0, abs=1e-3)


def test_an_ecg_without_a_beat_is_compared_with_nothing(analysed: Analysis) -> None:
    flat = es.analyze(replace(MADE, signal_uv=np.zeros_like(MADE.signal_uv)))
    assert flat.median is None
    for pair in ((analysed, flat), (flat, analysed), (flat, flat)):
        found = es.compare(*pair)
        assert found.aligned is None
        assert not found.comparable
        assert all(state.startswith("not_measurable") for state in found.state)
        assert set(found.measured) == {"baseline", "current"}


def test_the_score_is_not_told_where_something_else_explains_the_change() -> None:
    leads = {"t_uv": 200.0, "st_j60_uv": 10.0}
    narrow, wide = table(qrs_ms=90.0, **leads), table(qrs_ms=150.0, **leads)
    plain, blocked = es.compare(narrow, narrow), es.compare(narrow, wide)
    assert plain.score.probability < 0.5
    assert np.isnan(blocked.score.probability)
    assert blocked.verdict.startswith("UNDECIDED")
    assert {each.verdict for each in (*plain.findings, *blocked.findings)} == {MET, NOT_MET, UNDECIDED} - {MET}
    assert blocked.confounders["wide-qrs"] == blocked.score.to_dict()["reason"]
    # a confounder that cannot by itself explain it blocks nothing
    fast = es.compare(narrow, table(qrs_ms=90.0, rate_bpm=130.0, **leads))
    assert set(fast.confounders) == {"rate"}
    assert fast.score.probability < 0.5


def test_the_electrodes_are_checked_before_anything_else() -> None:
    with pytest.raises(EcgError, match="electrodes is 'x'"):
        es.compare(table(("I",), t_uv=1.0), table(("II",), t_uv=1.0), electrodes="x")  # type: ignore[arg-type]


def test_t_changes_in_proportion_to_that_of_the_baseline() -> None:
    found = es.compare(table(t_uv=100.0), table(t_uv=1500.0)).changes["t_uv"]
    assert np.allclose(found.repeat_sd, repeat_sd("t_uv", STANDARD, "fresh", np.full(12, 100.0)))
    turned = es.compare(table(t_uv=1500.0), table(t_uv=100.0)).changes["t_uv"]
    assert (turned.repeat_sd > found.repeat_sd + 10.0).all()


def test_a_lead_that_is_not_measured_says_why_a_rule_is_open() -> None:
    first = table(st_j60_uv=0.0)
    second = table(st_j60_uv=[{"II": 300.0, "III": NAN}.get(lead, 0.0) for lead in STANDARD])
    finding = found(criterion(RISE, contiguous=0, count=2, leads=("II", "III")), first, second)
    assert finding.verdict == "UNDECIDED"
    assert finding.reason == "III could not be judged: current: no value in the table"


def test_measures_are_called_by_their_names() -> None:
    zero = table(st_j_uv=0.0, t_negative_uv=0.0, t_uv=1.0)
    for name, word in (("st_j_uv", "ST at J"), ("t_negative_uv", "negative lobe of T")):
        low = table(**({"st_j_uv": 0.0, "t_negative_uv": 0.0, "t_uv": 1.0} | {name: by_lead(II=-400.0)}))
        assert found(criterion(Condition("change", name, at_most=-50.0)), zero, low).reason.startswith(f"II {word} +0 -> -400 uV")


def test_conduction_of_both_ecgs_can_be_required() -> None:
    def verdict(of: Any, word: str) -> str:
        needed = Requirement(Condition(of, "conduction", one_of=(word,)))
        rule = criterion(Condition("current", "t_uv", at_least=50.0), requires=(needed,))
        return found(rule, table(t_uv=200.0, qrs_ms=90.0), table(t_uv=200.0, qrs_ms=150.0)).verdict

    assert verdict("baseline", "narrow") == "MET"
    assert verdict("baseline", "lbbb") == "NOT_MET"
    assert verdict("current", "narrow") == "UNDECIDED"  # wide, and the table does not tell how


def test_what_is_gone_is_a_finding_and_what_cannot_be_shown_is_met_without_words() -> None:
    gone = criterion(Condition("change", "st_j60_uv", at_most=-100.0), kind="resolution")
    high, low = table(st_j60_uv=by_lead(II=300.0)), table(st_j60_uv=0.0)
    assert [each.kind for each in es.compare(high, low, criteria=[gone]).findings] == ["resolution"]
    silent = found(criterion(Condition("change", "st_j60_uv", at_most=-100.0), shown="q_uv"), high, low)
    assert (silent.verdict, silent.reason, dict(silent.values)) == ("MET", "", {})


def test_the_vessel_leads_are_those_of_st_at_j_unless_told_otherwise() -> None:
    comparison = es.compare(table(st_j_uv=by_lead(V3=100.0), st_j60_uv=0.0), table(st_j_uv=0.0, st_j60_uv=by_lead(V3=100.0)))
    assert comparison.vessel_leads() == comparison.vessel_leads("st_j_uv") != comparison.vessel_leads("st_j60_uv")
    assert Finding("a", "b", "MET", (), "", "", "s").what == ""
