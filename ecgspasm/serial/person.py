"""Whether two ECGs can be of one person at all."""

from __future__ import annotations

import math
from datetime import datetime

from ecgspasm.ecg import Subject
from ecgspasm.errors import EcgError

# whole years are rounded either way, and ages are now and then those at enrolment
_YEARS_LET_PASS = 2
_SECONDS_A_DAY = 86_400.0


def check_one_person(baseline: Subject, current: Subject, years: float | None = None) -> None:
    """Refuse two persons; what is not known of one of them is let pass.

    Parameters
    ----------
    baseline, current : Subject
    years : float, optional
        From the baseline to the current ECG, where both times are known.

    Raises
    ------
    EcgError
        If sex or key differ, or nobody can have aged so.
    """
    for what in ("sex", "key"):
        first, second = getattr(baseline, what), getattr(current, what)
        if first is not None and second is not None and first != second:
            raise EcgError(f"the {what} is {first!r} at the baseline and {second!r} at the current ECG; pair ECGs of one person")
    if baseline.age is None or current.age is None:
        return
    aged = current.age - baseline.age
    least, most = (0.0, math.inf) if years is None else (min(years, 0.0), max(years, 0.0))
    if not least - _YEARS_LET_PASS <= aged <= most + _YEARS_LET_PASS:
        ages = f"{baseline.age:g} at the baseline and {current.age:g} at the current ECG"
        raise EcgError(f"the person was {ages}; pair ECGs of one person, the older one as baseline")


def years_between(first: datetime | None, second: datetime | None) -> float | None:
    """From one time to the other; ``None`` if one is not known, or only one of them has a time zone."""
    if first is None or second is None or (first.tzinfo is None) != (second.tzinfo is None):
        return None
    return (second - first).total_seconds() / (365.25 * _SECONDS_A_DAY)
