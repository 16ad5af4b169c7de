"""How often attacks come on a drug and off it, with exact intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, isfinite, nextafter
from typing import TYPE_CHECKING, Any

from scipy.special import betaincinv, gammaincinv

from ecgspasm.course.entries import ATTACK_KINDS, ISCHEMIC_KINDS, CourseEpisode, MonitoredPeriod
from ecgspasm.course.exposure import State, divided, runs, state_at
from ecgspasm.course.settings import settings
from ecgspasm.ecg import number
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    from ecgspasm.course.course import Course


@dataclass(frozen=True)
class Rate:
    """Attacks a day with the exact Poisson interval; ``None`` where it is not defined, then `reason` says why."""

    attacks: int
    days: float
    per_day: float | None
    low: float | None
    high: float | None
    reason: str = ""

    def __str__(self) -> str:
        if self.per_day is None:
            return f"not defined: {self.reason}"
        seen = f"{self.attacks} in {self.days:.4g} days"
        return f"{self.per_day:.3g} a day ({_percent()} % CI {self.low:.3g}..{self.high:.3g}; {seen})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"attacks": self.attacks, "days": number(self.days, 6), "per_day": self.per_day, "low": self.low} | {
            "high": self.high,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class Ratio:
    """Rate on the drug over the rate off it; ``None`` where an end is not defined, then `reason` says why."""

    ratio: float | None
    low: float | None
    high: float | None
    reason: str = ""

    def __str__(self) -> str:
        if self.low is None:
            return f"not defined: {self.reason}"
        ends = f"{_percent()} % CI {self.low:.3g}..{'inf' if self.high is None else f'{self.high:.3g}'}"
        return f"{'-' if self.ratio is None else f'{self.ratio:.3g}'} ({ends}{f'; {self.reason}' if self.reason else ''})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"ratio": self.ratio, "low": self.low, "high": self.high, "reason": self.reason or None}


@dataclass(frozen=True)
class Rates:
    """Attacks on a drug, off it, and the ratio of both."""

    drug: str
    how: str
    on: Rate
    off: Rate
    ratio: Ratio
    washout_days: float
    """Watched, but counted neither on nor off."""
    left_out: tuple[str, ...]
    """Periods that could not be counted, each with the reason."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "drug": self.drug or None,
            "how": self.how,
            "on": self.on.to_dict(),
            "off": self.off.to_dict(),
            "ratio": self.ratio.to_dict(),
            "washout_days": number(self.washout_days, 6),
            "left_out": list(self.left_out),
        }

    def __str__(self) -> str:
        return f"on {self.drug} {self.on}; off {self.off}; ratio {self.ratio}"


def _percent() -> str:
    return f"{100 * settings('rates')['confidence']:g}"


def exact_rate(attacks: int, days: float, *, reason: str = "no time was watched") -> Rate:
    """The rate of a Poisson process and its exact interval.

    Parameters
    ----------
    attacks : int
        0 or more.
    days : float
        Watched; 0 gives no rate, but `reason`.

    Returns
    -------
    Rate
        95 % interval of Garwood (Biometrika 1936;28:437-442): chi-square quantiles with 2n and 2n + 2 degrees of freedom. It
        holds for attacks that come independently of each other; where they come in clusters it is too narrow.

    Raises
    ------
    EcgError
        If a count or time is negative.

    Examples
    --------
    >>> print(exact_rate(10, 1.0))
    10 a day (95 % CI 4.8..18.4; 10 in 1 days)
    """
    if attacks < 0 or days < 0 or not isfinite(days):
        raise EcgError(f"{attacks} attacks in {days} days cannot be; give 0 or more of each")
    if days == 0:
        return Rate(attacks, 0.0, None, None, None, reason)
    tail = (1.0 - settings("rates")["confidence"]) / 2.0
    low = float(gammaincinv(attacks, tail)) if attacks else 0.0
    return Rate(attacks, days, attacks / days, low / days, float(gammaincinv(attacks + 1, 1.0 - tail)) / days)


def exact_ratio(on: Rate, off: Rate) -> Ratio:
    """The ratio of two Poisson rates with its exact conditional interval.

    Given the sum of both counts, the count on the drug is binomial; the limits of Clopper and Pearson (Biometrika
    1934;26:404-413) for its share become those of the ratio (Przyborowski J, Wilenski H. Biometrika 1940;31:313-323).
    """
    if on.per_day is None or off.per_day is None:
        missing = [name for name, each in (("on", on), ("off", off)) if each.per_day is None]
        return Ratio(None, None, None, f"the rate {' and '.join(missing)} the drug is not known")
    k, n = on.attacks, on.attacks + off.attacks
    if n == 0:
        return Ratio(None, None, None, "no attack was counted, on the drug or off it")
    tail = (1.0 - settings("rates")["confidence"]) / 2.0
    low = float(betaincinv(k, n - k + 1, tail)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 1.0 - tail)) if k < n else 1.0
    scale = off.days / on.days
    ends = [share / (1.0 - share) * scale if share < 1.0 else inf for share in (low, high)]
    if off.attacks == 0:
        return Ratio(None, ends[0], None, "no attack off the drug, so there is no upper end")
    return Ratio(on.per_day / off.per_day, ends[0], ends[1])


def episode_rates(course: Course, drug: str, how: str) -> Rates:
    """Attacks a day on and off a drug.

    Parameters
    ----------
    course : Course
    drug : str
    how : {'monitored', 'reported'}
        Of monitored periods only ischemic episodes count, of reported ones every attack.

    Returns
    -------
    Rates
        Attacks whose times overlap (ST and T of one bout) count once. Time and attacks of the washout count neither on nor off. A
        period of unknown duration, with an unknown number of attacks, or divided at an assumed time is left out as a whole.
    """
    kinds = ISCHEMIC_KINDS if how == "monitored" else ATTACK_KINDS
    days: dict[State, float] = {"on": 0.0, "washout": 0.0, "off": 0.0}
    attacks: dict[State, int] = {"on": 0, "washout": 0, "off": 0}
    left: dict[State, list[str]] = {"on": [], "washout": [], "off": []}
    every = runs(course, drug)
    for number_of, period in enumerate(course.periods):
        if period.how != how:
            continue
        start = course.day(period.start)
        parts, assumed = divided(course, drug, start, start + (period.duration_h or 0.0) / 24.0)
        why = _left_out(period, kinds, cut=sum(each > 0 for each in parts.values()) > 1, assumed=assumed)
        if why:
            when = course.when(period.start, assumed=period.start_assumed)
            # A period that begins with the last dose is one off the drug.
            left[state_at(every, nextafter(start, inf))].append(f"periods[{number_of}] ({when}): {why}")
            continue
        share = watched_share(period)
        for state, part in parts.items():
            days[state] += part * share
        for day, count in _bouts(course, period.episodes, kinds):
            attacks[state_at(every, day)] += count

    def rate(state: State) -> Rate:
        missing = left[state] or [f"no time {state} the drug was {how}"]
        return exact_rate(attacks[state], days[state], reason="; ".join(missing))

    on, off = rate("on"), rate("off")
    missing = tuple(each for rows in left.values() for each in rows)
    return Rates(drug, how, on, off, exact_ratio(on, off), days["washout"], missing)


def watched_share(period: MonitoredPeriod) -> float:
    """How much of a period could be measured; 1 where that is not told."""
    return 1.0 if period.watched_h is None else period.watched_h / (period.duration_h or 1.0)


def _left_out(period: MonitoredPeriod, kinds: Iterable[str], *, cut: bool, assumed: bool) -> str:
    if period.duration_h is None:
        return "its duration is not told"
    if 0.0 in (period.duration_h, period.watched_h):
        return "nothing of it could be watched"
    if any(each.at_least for each in period.episodes if each.kind in kinds):
        return "how many attacks there were is not told"
    if period.attacks in ("fewer", "as before", "more") and not any(each.kind in kinds for each in period.episodes):
        return "how many attacks there were is not told"
    if cut and (assumed or period.start_assumed):
        return "it is divided at a time that is only assumed"
    return ""


def _bouts(course: Course, episodes: Iterable[CourseEpisode], kinds: Iterable[str]) -> Iterator[tuple[float, int]]:
    """Onset and number of the attacks; episodes that overlap in time are one."""
    until = -inf
    day, count = 0.0, 0
    for each in episodes:
        if each.kind not in kinds:
            continue
        onset = course.day(each.time)
        end = onset + (each.duration_s or 0.0) / 86_400.0
        if onset <= until:
            count, until = max(count, each.count), max(until, end)
            continue
        if count:
            yield day, count
        day, count, until = onset, each.count, end
    if count:
        yield day, count
