"""What is said of a course where the facts are few, at the edge, or answered by the user."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ecgspasm.course import (
    Answer,
    Biomarker,
    Course,
    CourseEcg,
    CourseEpisode,
    Exposure,
    MonitoredPeriod,
    Provocation,
    case_table,
)
from tests.trust.rhythms import pacing

DRUG = Exposure("a drug", start=10.0, stop=20.0, washout_h=24.0)


def attack(day: float) -> CourseEpisode:
    return CourseEpisode(time=day, leads=("V2", "V3"), shows="ST elevation")


def course(**told: Any) -> Course:
    return Course(**({"exposures": (DRUG,)} | told))


def answer(found: Course, item: int) -> tuple[str, str]:
    """Of one question of Naranjo's."""
    row = found.naranjo("a drug").items[item - 1]
    return row.answer, row.reason


@pytest.mark.parametrize(
    ("day", "word", "reason"),
    [
        (9.9, "no", "an attack came before a drug"),
        (10.0, "unknown", "the first attack and the first dose of a drug have the same time"),
        (10.1, "yes", "after the first dose of a drug"),
        (20.9, "yes", "after the first dose of a drug"),  # it has not washed out yet
        (21.1, "unknown", "but no longer on it; a drug that acts longer needs a washout_h"),
    ],
)
def test_the_attack_came_after_the_drug_or_not(day: float, word: str, reason: str) -> None:
    found = answer(course(episodes=(attack(day),)), 2)
    assert found[0] == word
    assert reason in found[1]


def test_without_a_suspect_drug_the_scale_says_so() -> None:
    found = Course(exposures=(replace(DRUG, role="other"),)).naranjo()
    assert str(found) == "not assessable: the course has no suspect drug"
    assert found.category is None
    assert (found.to_dict()["drug"], found.to_dict()["total"]) == (None, None)


def test_a_period_of_which_nothing_was_watched_gives_no_rate() -> None:
    rates = course(periods=(MonitoredPeriod(12.0, duration_h=48.0, watched_h=0.0),)).rates()
    assert rates.on.days == 0.0
    assert any("nothing of it could be watched" in each for each in rates.left_out)


def test_fewer_attacks_without_the_drug_are_a_positive_dechallenge() -> None:
    """The exact interval of the ratio of the rates lies above one: 20 attacks in 10 days against 1 in 9."""
    on = MonitoredPeriod(10.0, duration_h=240.0, episodes=tuple(attack(10.25 + 0.5 * number) for number in range(19)))
    off = MonitoredPeriod(21.0, duration_h=216.0, episodes=(attack(25.0),))
    found = course(periods=(on, off)).dechallenge("a drug")
    assert found.verdict == "positive"
    assert "fewer attacks off the drug, ratio of the rates" in found.reason
    as_many = replace(off, episodes=tuple(attack(21.5 + 0.5 * number) for number in range(17)))
    assert course(periods=(on, as_many)).dechallenge("a drug").verdict == "negative"


@pytest.mark.parametrize(("start", "early"), [(20.9, True), (21.0, True), (21.1, False)])
def test_a_drug_given_again_before_it_had_washed_out_is_no_rechallenge(start: float, early: bool) -> None:
    again = replace(DRUG, start=start, stop=40.0)
    found = course(exposures=(DRUG, again), episodes=(attack(12.0),)).rechallenge("a drug")
    assert found.verdict == "not assessable"
    assert ("given again before it had washed out" in found.reason) is early


def test_what_the_user_answers_counts_for_the_who_too() -> None:
    told = course(episodes=(attack(12.0),))
    for word, verdict in (("yes", "positive"), ("no", "negative"), ("unknown", "not assessable")):
        answered = replace(told, answers=(Answer(3, word, "seen on the ward"),))  # type: ignore[arg-type]
        assert f"{verdict} (seen on the ward)" in " ".join(answered.who_umc("a drug").reasons)


def test_attacks_at_one_rate_at_both_doses_leave_it_open() -> None:
    doses = tuple(
        Exposure("a drug", start=at, stop=at + 10.0, dose_mg_per_day=dose) for at, dose in ((10.0, 200.0), (20.0, 400.0))
    )
    quiet = course(exposures=doses, periods=tuple(MonitoredPeriod(at, duration_h=240.0) for at in (10.0, 20.0)))
    assert answer(quiet, 8)[0] == "unknown"
    assert "ratio of the rates at 400 and 200 mg a day" in answer(quiet, 8)[1]


def test_a_report_of_an_ecg_is_no_baseline() -> None:
    found = course(ecgs=(CourseEcg(time=1.0, source=None),)).baseline()
    assert found.ecg is None
    assert any("no ECG, only a report of it" in each for each in found.passed_over)


def test_a_paced_or_broad_baseline_serves_for_want_of_a_better_one() -> None:
    paced = pacing(np.random.default_rng(1))[0].ecg
    found = course(ecgs=(CourseEcg(time=1.0, source=paced),)).baseline()
    assert found.ecg is not None
    assert "for want of a better one" in str(found)


def test_a_negative_test_is_no_attack_and_a_value_without_a_day_has_no_row() -> None:
    told = course(
        provocations=(Provocation(15.0, "ergonovine", "negative"),),
        biomarkers=(Biomarker("troponin", "normal"), Biomarker("troponin", "high", time=12.0)),
    )
    assert "no attack is told" in answer(told, 2)[1]
    frame = told.to_frame()
    assert list(frame.loc[frame["what"] == "biomarker", "verdict"]) == ["high"]
    positive = replace(told, provocations=(Provocation(15.0, "ergonovine", "positive"),))
    assert "ergonovine test positive" in str(positive)


def test_a_table_of_cases_leaves_empty_what_is_not_told() -> None:
    bare = case_table(Course(title="a case", exposures=(replace(DRUG, role="other"),))).to_frame().iloc[0]
    assert (bare["therapy_duration"], bare["rechallenge"], bare["naranjo"]) == ("", "", "not answered")
    silent = case_table([course(title="silent")]).to_frame().iloc[0]
    assert (silent["therapy_duration"], silent["rechallenge"]) == ("", "No")
    told = case_table([course(title="told", episodes=(attack(12.0),))]).to_frame().iloc[0]
    assert told["therapy_duration"] == "2 days"
