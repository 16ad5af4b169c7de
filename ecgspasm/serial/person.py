"""Whether two ECGs can be of one person at all."""

from __future__ import annotations

from datetime import datetime

from ecgspasm.ecg import Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

# whole years are rounded either way, and ages are now and then those at enrolment
_YEARS_LET_PASS = 2
_SECONDS_A_DAY = 86_400.0


def check_one_person(baseline: Subject, current: Subject) -> None:
    """Refuse two persons, told apart by sex or key; what is not known of one of them is let pass.

    Raises
    ------
    EcgError
        If sex or key differ.
    """
    for what, first, second in (
        ("sex", baseline.sex, current.sex),
        ("key", _plain(baseline.key), _plain(current.key)),
    ):
        if first and second and first != second:
            told = f"{one_line(first, 40)!r} at the baseline and {one_line(second, 40)!r} at the current ECG"
            raise EcgError(f"the {what} is {told}; pair ECGs of one person")


def check_ages(baseline: Subject, current: Subject, years: float | None) -> None:
    """Refuse ages that nobody can have at both ECGs.

    Parameters
    ----------
    baseline, current : Subject
    years : float or None
        From the baseline to the current ECG, where both times are known.

    Raises
    ------
    EcgError
        If the person became younger, or aged more than the years between tell.
    """
    if baseline.age is None or current.age is None:
        return
    too_old = years is not None and current.age > baseline.age + years + _YEARS_LET_PASS
    if current.age < baseline.age - _YEARS_LET_PASS or too_old:
        ages = f"{baseline.age:g} at the baseline and {current.age:g} at the current ECG"
        raise EcgError(f"the person was {ages}; pair ECGs of one person")


def years_between(first: datetime | None, second: datetime | None) -> float | None:
    """From one time to the other; ``None`` if one is not known, or only one of them has a time zone."""
    if first is None or second is None or (first.tzinfo is None) != (second.tzinfo is None):
        return None
    return (second - first).total_seconds() / (365.25 * _SECONDS_A_DAY)


def _plain(key: str | None) -> str:
    """A key without what tables add to whole numbers: 15709.0."""
    whole = (key or "").removesuffix(".0")
    return whole if whole.isdigit() else key or ""
