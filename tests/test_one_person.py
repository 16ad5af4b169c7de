"""Two ECGs of one person, and what shows that they are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import ecgspasm as es
from ecgspasm.serial.person import check_one_person, years_between

CASE = es.simulate.index_case()
BEFORE, AFTER = CASE["baseline"].ecg, CASE["ergonovine"].ecg
YEARS = [datetime(year, 1, 1) for year in (2020, 2025)]


def of(**told: Any) -> es.Subject:
    return es.Subject(**told)


@pytest.mark.parametrize(
    ("baseline", "current", "years", "said"),
    [
        (of(sex="male"), of(sex="female"), None, "the sex is 'male' at the baseline and 'female' at the current ECG; pair"),
        (of(key="a"), of(key="b"), None, "the key is 'a' at the baseline and 'b'"),
        (
            of(age=60),
            of(age=57.9),
            None,
            "60 at the baseline and 57.9 at the current ECG; pair ECGs of one person, the older one",
        ),
        (of(age=60), of(age=64.1), 2.0, "60 at the baseline and 64.1"),
        (of(age=60), of(age=62.1), -4.0, "60 at the baseline and 62.1"),
        (of(age=60), of(age=53.9), -4.0, "60 at the baseline and 53.9"),
    ],
)
def test_two_persons_are_refused(baseline: es.Subject, current: es.Subject, years: float | None, said: str) -> None:
    with pytest.raises(es.EcgError, match=said):
        check_one_person(baseline, current, years)


@pytest.mark.parametrize(
    ("baseline", "current", "years"),
    [
        (of(), of(), None),
        (of(sex="male"), of(), None),
        (of(), of(sex="male", age=50, key="a"), 3.0),
        (of(sex="female", age=60, key="a"), of(sex="female", age=60, key="a"), 0.0),
        (of(age=60), of(age=58), None),
        (of(age=60), of(age=95), None),  # nobody knows how many years lie between
        (of(age=60), of(age=64), 2.0),
        (of(age=60), of(age=60), 9.0),  # an age at enrolment
        (of(age=60), of(age=58.5), 9.0),  # both are rounded, or from other papers
        (of(age=60), of(age=54), -4.0),  # exchanged: told as such, not as another person
    ],
)
def test_what_may_be_one_person_is_let_pass(baseline: es.Subject, current: es.Subject, years: float | None) -> None:
    check_one_person(baseline, current, years)


def test_a_comparison_asks_it_of_ecgs_and_of_tables() -> None:
    man, woman = (replace(ecg, subject=of(sex=sex)) for ecg, sex in ((BEFORE, "male"), (AFTER, "female")))
    tables = [es.Measurements.from_table(["V2"], {"t_uv": [300.0]}, subject=of(key=key)) for key in ("a", "b")]
    for first, second in ((man, woman), (tables[0], tables[1])):
        with pytest.raises(es.EcgError, match="pair ECGs of one person"):
            es.compare(first, second)


def test_the_times_of_the_ecgs_count() -> None:
    first, second = (replace(ecg, recorded_at=at, subject=of(age=60)) for ecg, at in zip((BEFORE, AFTER), YEARS, strict=True))
    assert es.compare(first, replace(second, subject=of(age=67))).comparable
    with pytest.raises(es.EcgError, match=r"60 at the baseline and 67\.5"):
        es.compare(first, replace(second, subject=of(age=67.5)))
    swapped = es.compare(replace(second, subject=of(age=65)), first)
    assert "reversed-order" in swapped.confounders


def test_years_are_known_only_between_clocks_of_one_kind() -> None:
    assert years_between(*YEARS) == pytest.approx(5.0, abs=0.01)
    assert years_between(YEARS[1], YEARS[0]) == pytest.approx(-5.0, abs=0.01)
    assert years_between(YEARS[0], None) is None
    assert years_between(YEARS[0], YEARS[1].replace(tzinfo=UTC)) is None
