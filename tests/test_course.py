"""A course of one patient: the index case comes out as published, and verdicts follow from relations, not from one example."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scipy.stats import binomtest, chi2

import ecgspasm as es
from ecgspasm.continuous.episode import KINDS, Episode
from ecgspasm.course import (
    Answer,
    Course,
    CourseEcg,
    CourseEpisode,
    Exposure,
    MonitoredPeriod,
    Provocation,
    case_table,
    load_courses,
)
from ecgspasm.course.entries import Kind
from ecgspasm.course.rates import exact_rate, exact_ratio

DATA = Path(__file__).resolve().parent.parent / "data"
V = ("V1", "V2", "V3", "V4")


@pytest.fixture(scope="module")
def index_case() -> Course:
    return Course.load(DATA / "index-case" / "course.toml")


def moved(course: Course, change: Callable[[Any], Any]) -> Course:
    """The course with every time changed."""

    def entry(each: Any) -> Any:
        times = {one.name: change(getattr(each, one.name)) for one in fields(each) if one.name in ("time", "start", "stop")}
        times = {name: value for name, value in times.items() if value is not None}
        if isinstance(each, MonitoredPeriod):
            times["episodes"] = tuple(map(entry, each.episodes))
        return replace(each, **times)

    names = ("exposures", "ecgs", "provocations", "periods", "episodes", "biomarkers")
    return replace(course, **{name: tuple(map(entry, getattr(course, name))) for name in names})


def verdicts(course: Course) -> Any:
    """All that is decided, without times in words."""
    drug = course.suspects[0]
    return (
        [each.answer for each in course.naranjo(drug).items],
        course.naranjo(drug).total,
        course.who_umc(drug).category,
        course.dechallenge(drug).verdict,
        course.rechallenge(drug).verdict,
        course.concordance().verdict,
        [(row.changed, row.leads, row.exposure.state) for row in course.changes()],
        course.rates(drug).on.per_day,
    )


# The index case -----------------------------------------------------------------------------------------------------


def test_the_index_case_is_definite_on_naranjo_with_nine_points(index_case: Course) -> None:
    scale = index_case.naranjo()
    assert {each.number: each.points for each in scale.items} == {1: 1, 2: 2, 3: 1, 4: 2, 5: 2, 6: 0, 7: 0, 8: 0, 9: 0, 10: 1}
    assert (scale.total, scale.category, scale.asked) == (9, "definite", ())
    assert {each.number for each in scale.items if each.given_by == "course"} == {2, 3, 4, 8, 10}
    assert index_case.who_umc().category == "certain"


def test_the_index_case_has_the_changes_of_the_report(index_case: Course) -> None:
    found = {row.ecg.name: (row.changed, row.leads, row.exposure.state) for row in index_case.changes()}
    assert found == {
        "baseline": (None, (), "before"),
        "presentation": (True, ("V1", "V2", "V3"), "on"),
        "ergonovine": (True, V, "on"),
        "nitroglycerin": (False, (), "on"),
        "recurrence": (True, V, "on"),
    }
    assert index_case.concordance().verdict == "same"
    assert index_case.baseline().ecg is index_case.ecgs[0]
    relief = next(row for row in index_case.changes() if row.ecg.name == "nitroglycerin").within_session
    assert relief is not None
    assert relief.electrodes == "same"
    assert [each.criterion for each in relief.findings if each.verdict == "MET"] == ["st-elevation-resolved"]


def test_no_rate_is_made_from_an_assumed_time(index_case: Course) -> None:
    for how in ("monitored", "reported"):
        rates = index_case.rates(how=how)  # type: ignore[arg-type]
        assert (rates.on.per_day, rates.off.per_day, rates.ratio.low) == (None, None, None)
        assert rates.on.reason
        assert rates.off.reason
    assert index_case.changes()[-1].exposure.days is None  # how long after the start is assumed
    assert all(row.ecg.simulated for row in index_case.changes())
    assert "simulated" in str(index_case)


def test_treatment_begun_with_the_withdrawal_is_a_confounder_of_the_first_only(index_case: Course) -> None:
    first, second = index_case.dechallenge().each
    assert [each.partition(" ")[0] for each in first.confounders] == ["nifedipine", "nitrate"]
    assert second.confounders == ()
    assert (first.verdict, second.verdict) == ("positive", "positive")
    without = replace(index_case, exposures=[each for each in index_case.exposures if each.start_assumed is False or each.stop])
    assert all(not each.confounders for each in without.dechallenge().each)


def test_without_the_rechallenge_two_points_and_the_category_are_lost(index_case: Course) -> None:
    kept = [each for each in index_case.exposures if not (each.drug == "sorafenib" and each.start == 14)]
    once = replace(
        index_case,
        exposures=kept,
        periods=[each for each in index_case.periods if each.start == 7],
        ecgs=[each for each in index_case.ecgs if each.time != 15],
    )
    assert once.rechallenge().verdict == "not assessable"
    assert once.naranjo().total == index_case.naranjo().total - 2
    assert once.naranjo().category == "probable"
    assert once.who_umc().category == "probable"


def test_shifting_all_times_or_naming_dates_changes_no_verdict(index_case: Course) -> None:
    shifted = moved(index_case, lambda time: None if time is None else time + 1234.5)
    assert verdicts(shifted) == verdicts(index_case)
    start = datetime(2018, 3, 1, 12)
    dated = moved(index_case, lambda time: None if time is None else start + timedelta(days=time))
    assert verdicts(dated) == verdicts(index_case)
    mixed = replace(index_case, day0=start, ecgs=dated.ecgs, exposures=dated.exposures)
    assert verdicts(mixed) == verdicts(index_case)
    assert "2018-03-06" in str(dated)


def test_the_order_of_the_entries_changes_nothing(index_case: Course) -> None:
    names = ("exposures", "ecgs", "provocations", "periods", "episodes", "biomarkers", "answers")
    turned = replace(index_case, **{name: getattr(index_case, name)[::-1] for name in names})
    assert turned == index_case
    assert str(turned) == str(index_case)


# The baseline -------------------------------------------------------------------------------------------------------


def test_baseline_is_the_last_fit_ecg_before_the_drug(index_case: Course) -> None:
    ecg = {name: made.ecg for name, made in es.simulate.index_case().items()}
    flat = replace(ecg["baseline"], signal_uv=0.0 * ecg["baseline"].signal_uv)
    course = Course(
        exposures=[Exposure("sorafenib", start=0)],
        ecgs=[
            CourseEcg(-30, ecg["baseline"], symptoms=()),
            CourseEcg(-20, ecg["ergonovine"], symptoms=("chest pain",)),
            CourseEcg(-10, ecg["baseline"], symptoms=(), context="provocation"),
            CourseEcg(-5, flat, symptoms=()),
            CourseEcg(-4, "no-such-file.hea", symptoms=()),
            CourseEcg(5, ecg["presentation"]),
        ],
    )
    chosen = course.baseline()
    assert chosen.ecg is not None
    assert chosen.ecg.time == -30
    assert len(chosen.passed_over) == 4
    for words in ("no file", "not measurable", "provocation test", "chest pain"):
        assert any(words in each for each in chosen.passed_over)
    rows = course.changes()
    assert [row.changed for row in rows][-1] is True  # what failed cost nothing but its own row
    assert "no file" in rows[4].reason
    assert math.isnan(rows[4].qtc_ms)
    assert [row.comparison is None for row in rows] == [True, False, False, False, True, False]


def test_without_an_ecg_before_the_drug_one_off_it_serves_or_none_with_a_reason() -> None:
    ecg = {name: made.ecg for name, made in es.simulate.index_case().items()}
    drug = Exposure("sorafenib", start=0, stop=10, washout_h=48)
    rows = [CourseEcg(5, ecg["presentation"]), CourseEcg(11, ecg["baseline"]), CourseEcg(20, ecg["baseline"])]
    course = Course(exposures=[drug], ecgs=rows)
    assert course.baseline().ecg is not None
    assert course.baseline().ecg.time == 20  # type: ignore[union-attr]
    nothing = Course(exposures=[drug], ecgs=rows[:2])
    assert nothing.baseline().ecg is None
    assert all("no baseline" in row.reason for row in nothing.changes())
    assert all(math.isfinite(row.qtc_ms) for row in nothing.changes())  # nothing lost that was found


def test_an_ecg_of_the_other_sex_is_not_compared() -> None:
    made = es.simulate.index_case()
    woman = replace(made["presentation"].ecg, subject=es.Subject(sex="female"))
    course = Course(subject=es.Subject(sex="male"), ecgs=[CourseEcg(0, made["baseline"].ecg), CourseEcg(1, woman)])
    assert "female" in course.changes()[1].reason


def test_long_qtc_is_noted_with_its_source() -> None:
    def table(qtc_ms: float) -> es.Measurements:
        return es.Measurements.from_table(["V2", "V3"], {"st_j_uv": [0, 0], "t_uv": [300, 300]}, qrs_ms=90, qtc_ms=qtc_ms)

    course = Course(
        exposures=[Exposure("vandetanib", start=0)],
        ecgs=[CourseEcg(-1, table(430)), CourseEcg(1, table(480)), CourseEcg(2, table(510))],
    )
    baseline, usual, long = course.changes()
    assert (baseline.qtc_note, usual.qtc_note) == ("", "")
    assert usual.qtc_change_ms == 50
    assert "above 500 ms" in long.qtc_note
    assert "+80 ms" in long.qtc_note
    assert "after ICH E14" in long.qtc_note


# Rates --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)])
def test_garwood_interval_of_published_tables(count: int, low: float, high: float) -> None:
    rate = exact_rate(count, 1.0)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=6e-4)
    assert rate.high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2.0)


@pytest.mark.parametrize(("k", "other"), [(5, 3), (0, 4), (7, 1), (30, 30)])
def test_ratio_interval_is_that_of_clopper_and_pearson(k: int, other: int) -> None:
    ratio = exact_ratio(exact_rate(k, 2.0), exact_rate(other, 3.0))
    share = binomtest(k, k + other).proportion_ci(method="exact")
    assert ratio.low == pytest.approx(share.low / (1 - share.low) * 1.5)
    assert ratio.high == pytest.approx(share.high / (1 - share.high) * 1.5)
    assert ratio.ratio == pytest.approx(k / 2.0 / (other / 3.0))


def test_no_time_no_rate_and_no_attack_no_ratio() -> None:
    nothing = exact_rate(0, 0.0)
    assert (nothing.per_day, nothing.low, nothing.high) == (None, None, None)
    assert nothing.reason
    assert exact_ratio(exact_rate(0, 1.0), exact_rate(0, 1.0)).low is None
    one_sided = exact_ratio(exact_rate(6, 1.0), exact_rate(0, 1.0))
    assert (one_sided.ratio, one_sided.high) == (None, None)
    assert one_sided.low is not None
    with pytest.raises(es.EcgError, match="give 0 or more"):
        exact_rate(-1, 1.0)


def watched(*, washout_h: float | None = 24.0) -> Course:
    """Ten days on the drug with attacks, then ten days off it, all monitored."""
    on = tuple(CourseEpisode(day + 0.5, leads=("V2", "V3"), shows="ST elevation", duration_s=600) for day in range(10))
    return Course(
        exposures=[Exposure("sorafenib", start=0, stop=10, washout_h=washout_h)],
        periods=[
            MonitoredPeriod(0, duration_h=240, episodes=on),
            MonitoredPeriod(10, duration_h=240, episodes=(CourseEpisode(10.5), CourseEpisode(15, kind="artefact"))),
        ],
    )


def test_rates_count_ischemic_episodes_by_exposure_and_leave_the_washout_out() -> None:
    rates = watched().rates()
    assert (rates.on.attacks, rates.on.days, rates.off.attacks, rates.washout_days) == (10, 10.0, 0, 1.0)
    assert rates.off.days == pytest.approx(9.0)
    told = watched(washout_h=None).rates()
    assert (told.off.attacks, told.off.days, told.washout_days) == (1, 10.0, 0.0)


def test_bouts_that_overlap_count_once() -> None:
    period = MonitoredPeriod(
        0, duration_h=24, episodes=[CourseEpisode(0.1, duration_s=600), CourseEpisode(0.103, duration_s=60), CourseEpisode(0.5)]
    )
    assert Course(exposures=[Exposure("a", start=-1)], periods=[period]).rates().on.attacks == 2


@pytest.mark.parametrize(
    "change", [{"duration_h": None}, {"episodes": (CourseEpisode(1.0, at_least=True),)}, {"attacks": "fewer"}]
)
def test_a_period_that_cannot_be_counted_is_left_out_with_a_reason(change: dict[str, Any]) -> None:
    period = replace(MonitoredPeriod(0, duration_h=48), **change)
    rates = Course(exposures=[Exposure("a", start=-1)], periods=[period]).rates()
    assert rates.on.per_day is None
    assert "not told" in rates.left_out[0]


def test_a_period_across_a_stop_is_divided_unless_the_stop_is_assumed() -> None:
    period = MonitoredPeriod(8, duration_h=96, episodes=[CourseEpisode(9), CourseEpisode(11)])
    rates = Course(exposures=[Exposure("a", start=0, stop=10)], periods=[period]).rates()
    assert (rates.on.days, rates.on.attacks, rates.off.days, rates.off.attacks) == (2.0, 1, 2.0, 1)
    assumed = Course(exposures=[Exposure("a", start=0, stop=10, stop_assumed=True)], periods=[period]).rates()
    assert "assumed" in assumed.on.reason


def test_a_monitored_recording_becomes_a_period() -> None:
    def episode(onset_s: float, kind: str, measure: str, extremum_uv: float) -> Episode:
        return Episode(measure, ("V2", "V3"), onset_s, onset_s + 9, onset_s + 60, extremum_uv, "V2", 1.0, "", 70.0, kind, (), "B")

    found = (episode(3600, KINDS[0], "ST", 150.0), episode(7200, KINDS[1], "ST", -90.0), episode(9000, KINDS[0], "T", -300.0))
    recording = SimpleNamespace(episodes=found, duration_s=86_400.0)
    for start in (2.0, datetime(2018, 3, 3)):
        period = MonitoredPeriod.of(recording, start)
        assert period.duration_h == 24.0
        assert [each.shows for each in period.episodes] == ["ST elevation", "ST depression", "T wave"]
        course = Course(exposures=[Exposure("a", start=start, stop=None)], periods=[period])
        assert (course.rates().on.attacks, course.rates().on.days) == (2, 1.0)
        assert course.day(period.episodes[0].time) - course.day(period.start) == pytest.approx(1 / 24)
    noisy = MonitoredPeriod.of(SimpleNamespace(episodes=found, duration_s=86_400.0, measured_s=43_200.0), 2.0)
    rates = Course(exposures=[Exposure("a", start=0)], periods=[noisy]).rates()
    assert (rates.on.attacks, rates.on.days) == (2, 0.5)  # noise is no time watched
    assert set(KINDS) <= set(Kind.__args__)  # type: ignore[attr-defined]


# Withdrawal and renewed exposure ------------------------------------------------------------------------------------


def test_dechallenge_positive_negative_and_not_assessable() -> None:
    after = watched().dechallenge()
    assert after.verdict == "positive"
    assert after.reason.endswith("no attack after it")
    assert any(each.startswith("in the washout, not counted") for each in after.each[0].evidence)
    went_on = replace(watched().periods[1], episodes=tuple(CourseEpisode(12.0 + 0.7 * k) for k in range(9)))
    assert replace(watched(), periods=[watched().periods[0], went_on]).dechallenge().verdict == "negative"
    nobody = replace(watched(), periods=[watched().periods[0]])
    assert nobody.dechallenge().verdict == "not assessable"
    assert "nothing is told" in nobody.dechallenge().reason
    ongoing = replace(watched(), exposures=[Exposure("sorafenib", start=0)])
    assert ongoing.dechallenge().reason == "sorafenib was not stopped"
    assert Course().dechallenge().verdict == "not assessable"


def test_attack_free_time_must_be_long_enough() -> None:
    short = replace(watched(), periods=[watched().periods[0], MonitoredPeriod(11, duration_h=48)])
    assert "too short" in short.dechallenge().reason
    assert (
        replace(watched(), periods=[watched().periods[0], MonitoredPeriod(11, duration_h=72)]).dechallenge().verdict == "positive"
    )


def again(*episodes: CourseEpisode, **more: Any) -> Course:
    """The drug given again from day 20 to day 30, monitored."""
    first = watched()
    return replace(
        first,
        exposures=[*first.exposures, Exposure("Sorafenib", start=20, stop=30), *more.get("exposures", ())],
        periods=[*first.periods, MonitoredPeriod(20, duration_h=240, episodes=episodes)],
    )


def test_rechallenge_positive_negative_and_not_assessable() -> None:
    assert again(CourseEpisode(21)).rechallenge().verdict == "positive"
    assert again().rechallenge().verdict == "negative"
    assert again().naranjo().items[3].points == -1
    unseen = replace(again(), periods=watched().periods)
    assert unseen.rechallenge().verdict == "not assessable"
    short = replace(again(), periods=[*watched().periods, MonitoredPeriod(20, duration_h=48)])
    assert "too short" in short.rechallenge().reason
    unknown = replace(again(CourseEpisode(21)), periods=[again().periods[0], again(CourseEpisode(21)).periods[2]])
    assert "not known that the attacks had ceased" in unknown.rechallenge().reason


def test_protection_on_rechallenge_and_its_end_are_confounders() -> None:
    diltiazem = Exposure("diltiazem", start=12, role="treatment")
    assert again(exposures=[diltiazem]).rechallenge().each[0].confounders
    positive = again(CourseEpisode(25), exposures=[diltiazem]).rechallenge()
    assert "despite diltiazem" in positive.reason
    assert positive.clean
    stopped = again(CourseEpisode(25), exposures=[replace(diltiazem, stop=22)]).rechallenge()
    assert "was stopped before" in stopped.each[0].confounders[0]


def test_a_confounded_withdrawal_is_not_certain_by_who_umc() -> None:
    course = replace(again(CourseEpisode(21)), answers=[Answer(5, "no")])
    assert course.who_umc().category == "certain"
    # The second withdrawal is not watched, and at the first one a treatment began.
    treated = replace(course, exposures=[*course.exposures, Exposure("nifedipine", start=10, role="treatment")])
    assert treated.dechallenge().verdict == "positive"
    assert treated.who_umc().category == "probable"
    assert "certain needs" in treated.who_umc().missed[0]


# Territory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ((V, "ST elevation"), (("V1", "V2", "V3"), "T wave"), "same"),
        ((V, "ST elevation"), (("V4", "V5", "V6"), "ST elevation"), "overlapping"),
        ((V, "ST elevation"), (("II", "III", "aVF"), "ST elevation"), "migrating"),
        ((V, "ST elevation"), (("II", "III", "aVF"), "ST depression"), "undecided"),
        ((V, "T wave"), (("II", "aVF"), "T wave"), "undecided"),
        ((V, "ST elevation"), ((), ""), "undecided"),
    ],
)
def test_territory_concordance(one: Any, other: Any, verdict: str) -> None:
    episodes = [CourseEpisode(day, leads=leads, shows=shows) for day, (leads, shows) in enumerate((one, other))]
    assert Course(episodes=episodes).concordance().verdict == verdict
    found = Course(episodes=episodes).concordance().reason
    assert not any(artery in found for artery in ("LAD", "RCA", "LCx"))


def test_provoked_spasm_tells_the_place_but_not_the_drug() -> None:
    test = Provocation(5, "ergonovine", "positive", leads=["II", "III", "aVF"], shows="ST elevation")
    course = Course(
        exposures=[Exposure("a", start=0)], provocations=[test], episodes=[CourseEpisode(-3, leads=V, shows="ST elevation")]
    )
    assert course.concordance().verdict == "migrating"
    assert course.naranjo().items[1].answer == "no"  # an attack came before the drug
    assert Course(exposures=[Exposure("a", start=0)], provocations=[test]).naranjo().items[1].answer == "unknown"


# Naranjo and WHO-UMC ------------------------------------------------------------------------------------------------


def test_answers_of_the_user_go_first_and_the_course_is_still_told() -> None:
    plain = again(CourseEpisode(21))
    assert plain.naranjo().asked == (1, 5, 6, 7, 9)
    assert plain.naranjo().reach == (plain.naranjo().total - 2, plain.naranjo().total + 6)
    overruled = replace(plain, answers=[Answer(4, "no", "another cause that day"), Answer(1, "yes")]).naranjo()
    assert overruled.total == plain.naranjo().total - 3 + 1
    assert overruled.items[3].given_by == "user"
    assert overruled.items[3].overruled.startswith("the course says yes")
    assert overruled.items[0].overruled == ""


@pytest.mark.parametrize(("at_400", "answer"), [(1, "yes"), (6, "unknown")])
def test_item_8_compares_the_rates_at_two_doses(at_400: int, answer: str) -> None:
    doses = [Exposure("a", start=0, stop=10, dose_mg_per_day=400), Exposure("a", start=10, stop=20, dose_mg_per_day=800)]
    periods = [
        MonitoredPeriod(0, duration_h=240, episodes=[CourseEpisode(1.0 + k) for k in range(at_400)]),
        MonitoredPeriod(10, duration_h=240, episodes=[CourseEpisode(10.5 + k) for k in range(9)]),
    ]
    assert Course(exposures=doses, periods=periods).naranjo().items[7].answer == answer
    assert Course(exposures=doses[:1], periods=periods).naranjo().items[7].answer == "unknown"


def test_categories_at_their_limits() -> None:
    base = Course(exposures=[Exposure("a", start=0)])
    yes = [Answer(number, "yes") for number in (1, 2, 3, 4)]  # 1 + 2 + 1 + 2
    totals = {0: "doubtful", 1: "possible", 4: "possible", 6: "probable"}
    for count, total in ((0, 0), (1, 1), (3, 4), (4, 6)):
        scale = replace(base, answers=yes[:count]).naranjo()
        assert (scale.total, scale.category) == (total, totals[total])
    definite = replace(base, answers=[*yes, Answer(5, "no"), Answer(10, "yes")]).naranjo()
    assert (definite.total, definite.category) == (9, "definite")


def test_who_umc_without_drug_without_time_and_before_the_drug() -> None:
    assert Course().who_umc().category == "unassessable"
    assert Course().naranjo().category is None
    drug = [Exposure("a", start=0)]
    assert Course(exposures=drug).who_umc().category == "conditional"
    assert Course(exposures=drug, more_data_expected=False).who_umc().category == "unassessable"
    assert Course(exposures=drug, episodes=[CourseEpisode(-1)]).who_umc().category == "unlikely"
    assert Course(exposures=drug, episodes=[CourseEpisode(1)]).who_umc().category == "possible"


def test_several_suspects_are_judged_one_by_one() -> None:
    course = Course(exposures=[Exposure("a", start=0), Exposure("b", start=5)], episodes=[CourseEpisode(3)])
    assert course.naranjo("a").items[1].answer == "yes"
    assert course.naranjo("B").items[1].answer == "no"
    with pytest.raises(es.EcgError, match="several suspect drugs; give drug, one of a, b"):
        course.naranjo()
    with pytest.raises(es.EcgError, match="'c' is no suspect drug"):
        course.rates("c")
    assert str(course).count("on Naranjo") == 2


# Output -------------------------------------------------------------------------------------------------------------


def test_report_frame_and_dictionary(index_case: Course) -> None:
    assert str(index_case).splitlines()[0].startswith("sorafenib: DEFINITE on Naranjo (9 points), WHO-UMC certain")
    frame = index_case.to_frame()
    assert list(frame["what"]).count("ECG") == 5
    assert frame["day"].is_monotonic_increasing
    assert len(frame) == 5 + 1 + 4 + 3
    for course in (index_case, Course(), again(CourseEpisode(21))):
        text = json.dumps(course.to_dict(), allow_nan=False)
        assert json.loads(text)["use"] == "research only; not a medical device"
        assert len(course.to_frame()) >= 0
        assert max(map(len, str(course).splitlines())) <= 130


def test_the_case_table_is_table_1_of_the_report(index_case: Course) -> None:
    published = load_courses(DATA / "published-cases.toml")
    table = case_table([index_case, *published[1:]])
    assert [row["age_sex"] for row in table.rows] == ["59/M", "65/M", "57/M", "63/M"]
    assert [row["rechallenge"] for row in table.rows] == ["Yes", "Yes", "No", "Yes"]
    assert [row["naranjo"] for row in table.rows] == ["9 (definite)", *["not answered"] * 3]
    assert published[0].summary == index_case.summary
    assert table.to_frame().loc[1, "patient"] == "Arima et al. (Japan, 2009)"
    assert max(map(len, str(table).splitlines())) <= 130
    assert "Arima et al." in str(table)
    json.dumps(table.to_dict())


def test_the_table_escapes_html_and_tells_what_the_summary_leaves_out() -> None:
    course = replace(again(CourseEpisode(21)), title="<script>alert(1)</script> & co")
    table = case_table([course])
    assert "<script>" not in table.to_html()
    assert "&lt;script&gt;" in table.to_html()
    assert table.rows[0]["therapy_duration"] == "12 h"
    assert table.rows[0]["rechallenge"] == "Yes, positive"
    with pytest.raises(es.EcgError, match="not a Course"):
        case_table(["a"])  # type: ignore[list-item]
