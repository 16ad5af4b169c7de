"""Two ECGs of one person, and what shows that they are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import ecgspasm as es
from ecgspasm.serial.person import check_ages, check_one_person, years_between

CASE = es.simulate.index_case()
BEFORE, AFTER = CASE["baseline"].ecg, CASE["ergonovine"].ecg
YEARS = [datetime(year, 1, 1) for year in (2020, 2025)]


def of(**told: Any) -> es.Subject:
    return es.Subject(**told)


@pytest.mark.parametrize(
    ("baseline", "current", "said"),
    [
        (of(sex="male"), of(sex="female"), "the sex is 'male' at the baseline and 'female' at the current ECG; pair ECGs of one"),
        (of(key="a"), of(key="b"), "the key is 'a' at the baseline and 'b'"),
        (of(key="15709"), of(key="15708.0"), "the key is '15709' at the baseline and '15708'"),
        (of(key="x" * 500), of(key="b"), r"the key is 'x{37}\.\.\.' at"),
    ],
)
def test_two_persons_are_refused(baseline: es.Subject, current: es.Subject, said: str) -> None:
    with pytest.raises(es.EcgError, match=said):
        check_one_person(baseline, current)


@pytest.mark.parametrize(
    ("baseline", "current"),
    [
        (of(), of()),
        (of(sex="male"), of()),
        (of(), of(sex="male", age=50, key="a")),
        (of(sex="female", key="a"), of(sex="female", key="a")),
        (of(key="15709"), of(key="15709.0")),  # a table has made numbers of them
        (of(key=""), of(key="a")),
    ],
)
def test_what_may_be_one_person_is_let_pass(baseline: es.Subject, current: es.Subject) -> None:
    check_one_person(baseline, current)


@pytest.mark.parametrize(("first", "second", "years"), [(60, 57.9, None), (60, 64.1, 2.0), (60, 62.1, 0.0)])
def test_nobody_ages_so(first: float, second: float, years: float | None) -> None:
    with pytest.raises(
        es.EcgError, match=f"{first:g} at the baseline and {second:g} at the current ECG; pair ECGs of one person"
    ):
        check_ages(of(age=first), of(age=second), years)


@pytest.mark.parametrize(
    ("first", "second", "years"),
    [
        (60, 58, None),
        (60, 95, None),  # nobody knows how many years lie between
        (60, 64, 2.0),
        (60, 60, 9.0),  # an age at enrolment
        (60, 58.5, 9.0),  # both are rounded, or from other papers
        (None, 30, 1.0),
        (60, None, 1.0),
    ],
)
def test_ages_may_be_rounded_and_old(first: float | None, second: float | None, years: float | None) -> None:
    check_ages(of(age=first), of(age=second), years)


def test_a_comparison_asks_it_of_ecgs_and_of_tables() -> None:
    man, woman = (replace(ecg, subject=of(sex=sex)) for ecg, sex in ((BEFORE, "male"), (AFTER, "female")))
    tables = [es.Measurements.from_table(["V2"], {"t_uv": [300.0]}, subject=of(key=key)) for key in ("a", "b")]
    for first, second in ((man, woman), (tables[0], tables[1])):
        with pytest.raises(es.EcgError, match="pair ECGs of one person"):
            es.compare(first, second)


def test_a_given_baseline_of_another_person_is_refused_by_a_provocation_test() -> None:
    man, woman = (replace(ecg, subject=of(sex=sex)) for ecg, sex in ((BEFORE, "male"), (AFTER, "female")))
    with pytest.raises(es.EcgError, match="pair ECGs of one person"):
        es.provocation([(0, woman), (180, woman)], events=[(60, "ergonovine")], baseline=man)


def test_years_are_known_only_between_clocks_of_one_kind() -> None:
    assert years_between(*YEARS) == pytest.approx(5.0, abs=0.01)
    assert years_between(YEARS[1], YEARS[0]) == pytest.approx(-5.0, abs=0.01)
    assert years_between(YEARS[0], None) is None
    assert years_between(YEARS[0], YEARS[1].replace(tzinfo=UTC)) is None


def test_clocks_of_two_zones_are_compared_in_time() -> None:
    tokyo = timezone(timedelta(hours=9))
    early, late = datetime(2020, 1, 1, 20, tzinfo=tokyo), datetime(2020, 1, 1, 12, tzinfo=UTC)
    first, second = replace(BEFORE, recorded_at=early), replace(AFTER, recorded_at=late)
    assert "reversed-order" not in es.compare(first, second).confounders
    assert "reversed-order" in es.compare(second, first).confounders
