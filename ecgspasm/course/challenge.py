"""What stopping a drug did, and giving it again: positive, negative, or not assessable with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final, Literal

from ecgspasm.course.attacks import Attack, attacks
from ecgspasm.course.entries import ATTACK_KINDS, ISCHEMIC_KINDS, How, MonitoredPeriod
from ecgspasm.course.exposure import Run, days_words, runs, same_drug
from ecgspasm.course.rates import Rates, exact_ratio, watched_share
from ecgspasm.course.settings import settings

if TYPE_CHECKING:
    from ecgspasm.course.course import Course

Word = Literal["positive", "negative", "not assessable"]
POSITIVE: Final = "positive"
NEGATIVE: Final = "negative"
NOT_ASSESSABLE: Final = "not assessable"


@dataclass(frozen=True)
class Challenge:
    """One withdrawal, or one renewed exposure."""

    when: str
    verdict: Word
    reason: str
    evidence: tuple[str, ...]
    """What it rests on, in time order."""
    confounders: tuple[str, ...]
    """What else could explain it."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"when": self.when, "verdict": self.verdict, "reason": self.reason} | {
            "evidence": list(self.evidence),
            "confounders": list(self.confounders),
        }


@dataclass(frozen=True)
class Verdict:
    """All withdrawals of a drug, or all renewed exposures, taken together."""

    drug: str
    verdict: Word
    reason: str
    each: tuple[Challenge, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether one of those with this verdict has no confounder."""
        return any(one.verdict == self.verdict and not one.confounders for one in self.each)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"drug": self.drug or None, "verdict": self.verdict, "reason": self.reason, "clean": self.clean} | {
            "each": [one.to_dict() for one in self.each]
        }

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"


def dechallenge(course: Course, drug: str) -> Verdict:
    """Whether the attacks ceased, or became fewer, when the drug was stopped.

    Attacks within the washout count for neither side. Attack-free time counts only if it was long enough for three attacks to be
    expected at the rate on the drug, where both are known; a report without a duration counts as it stands. A treatment begun
    between the last attack and the observation after it could explain the same, and is named as a confounder.
    """
    every = runs(course, drug)
    if not every:
        return Verdict(drug, NOT_ASSESSABLE, "the course has no suspect drug")
    own = _unprovoked(course)
    each = tuple(_stopped(course, every, place, own) for place, run in enumerate(every) if isfinite(run.stop))
    return _together(drug, each, f"{drug} was not stopped")


def rechallenge(course: Course, drug: str) -> Verdict:
    """Whether the attacks came back when the drug was given again after they had ceased without it."""
    every = runs(course, drug)
    if not every:
        return Verdict(drug, NOT_ASSESSABLE, "the course has no suspect drug")
    own = _unprovoked(course)
    each = tuple(_again(course, every, place, own) for place in range(1, len(every)))
    return _together(drug, each, f"{drug} was not given again")


def _unprovoked(course: Course) -> list[Attack]:
    return [each for each in attacks(course) if not each.provoked]


def _together(drug: str, each: tuple[Challenge, ...], none: str) -> Verdict:
    """Those that say something decide; where they disagree, nothing is decided."""
    if not each:
        return Verdict(drug, NOT_ASSESSABLE, none)
    said = [one for one in each if one.verdict != NOT_ASSESSABLE]
    if len({one.verdict for one in said}) > 1:
        words = ", ".join(f"{one.verdict} on {one.when}" for one in said)
        return Verdict(drug, NOT_ASSESSABLE, f"they disagree: {words}", each)
    best = min(said or each, key=lambda one: bool(one.confounders))
    return Verdict(drug, best.verdict, f"{best.when}: {best.reason}", each)


@dataclass(frozen=True)
class _Watched:
    """What is told of the attacks in the time between a withdrawal and the next exposure."""

    ceased: tuple[str, ...]
    """Periods that say so in words, or watched long enough."""
    went_on: tuple[str, ...]
    too_short: tuple[str, ...]
    first: float
    """When the first period that says anything began."""
    fewer: bool


def _stopped(course: Course, every: Sequence[Run], place: int, own: Sequence[Attack]) -> Challenge:
    run = every[place]
    end = every[place + 1].start if place + 1 < len(every) else inf
    before = [one for one in own if run.start <= one.day <= run.stop]
    after = [one for one in own if run.gone < one.day < end]
    within = [one for one in own if run.stop < one.day <= run.gone]
    watched = _watched(course, run, end)
    stop = _when(course, run.stop, assumed=run.stop_assumed)
    evidence = [f"{run.drug} stopped {stop}"]
    if before:
        evidence.insert(0, f"last attack on {run.drug}: {before[-1]}")
    evidence += [f"in the washout, not counted: {one}" for one in within]
    evidence += [*watched.ceased, *watched.went_on, *watched.too_short]
    evidence += [f"attack after: {one}" for one in after]
    if not run.washout_told:
        evidence.append("no washout was told: the drug counts as gone with its last dose")
    verdict, reason = _ceased(course, run, before, after, watched)
    begun = _treatments_begun(course, before[-1].day, max(run.stop, watched.first)) if before and verdict == POSITIVE else []
    return Challenge(f"withdrawal {stop}", verdict, reason, tuple(evidence), tuple(begun))


def _ceased(course: Course, run: Run, before: Sequence[Attack], after: Sequence[Attack], watched: _Watched) -> tuple[Word, str]:
    if not before:
        return NOT_ASSESSABLE, f"there was no attack on {run.drug} before it was stopped"
    if watched.ceased and watched.went_on:
        return NOT_ASSESSABLE, "what is told of the time after contradicts itself"
    if watched.went_on:
        return NEGATIVE, f"the attacks went on without {run.drug}"
    if watched.fewer:
        return POSITIVE, "the attacks became fewer"
    if after:
        ratio = exact_ratio(course.rates(run.drug).on, course.rates(run.drug).off)
        if ratio.low is not None and ratio.low > 1.0:
            return POSITIVE, f"fewer attacks off the drug, ratio of the rates {ratio}"
        return NEGATIVE, f"the attacks went on without {run.drug} ({len(after)} told)"
    if watched.ceased:
        return POSITIVE, "no attack after it"
    if watched.too_short:
        return NOT_ASSESSABLE, "the attack-free time watched after it is too short to tell anything"
    return NOT_ASSESSABLE, "nothing is told of the time after it; add a period, with its attacks if there were any"


def _watched(course: Course, run: Run, end: float) -> _Watched:
    ceased, went_on = [], []
    first, fewer = inf, False
    free: dict[How, float] = {}
    for each in course.periods:
        start = course.day(each.start)
        stop = inf if each.duration_h is None else start + each.duration_h / 24.0
        # A period that began on the drug tells of the time after it only by what it lists.
        if not start < end or not stop > run.gone or (start < run.stop and each.attacks is not None):
            continue
        if each.duration_h is None and (start < run.stop or each.attacks is None):
            continue
        words = f"{each.how} from {course.when(each.start, assumed=each.start_assumed)}: "
        told = each.attacks or _listed(course, each, run.gone, end)
        if told in ("none", "fewer"):
            length = (min(stop, end) - max(start, run.gone)) * watched_share(each)
            free[each.how] = free.get(each.how, 0.0) + (inf if each.duration_h is None else length)
            lasting = f"for {days_words(length)}" if each.duration_h else ""
            ceased.append((each.how, f"{words}{'no' if told == 'none' else 'fewer'} attacks {lasting}".rstrip()))
            fewer |= told == "fewer"
        elif told in ("as before", "more"):
            went_on.append(f"{words}attacks {told if told == 'as before' else 'more often than before'}")
        else:
            continue
        first = min(first, max(start, run.stop))
    enough = {how: _long_enough(course.rates(run.drug, how=how), days) for how, days in free.items()}
    short = [f"{words} ({enough[how]})" for how, words in ceased if enough[how]]
    kept = [words for how, words in ceased if not enough[how]]
    return _Watched(tuple(kept), tuple(went_on), tuple(short), first, fewer)


def _listed(course: Course, period: MonitoredPeriod, start: float, end: float) -> str:
    """``none`` if a period lists no attack between two times; an attack it lists speaks for itself."""
    kinds = ISCHEMIC_KINDS if period.how == "monitored" else ATTACK_KINDS
    days = [course.day(each.time) for each in period.episodes if each.kind in kinds]
    return "" if any(start < day < end for day in days) else "none"


def _long_enough(rates: Rates, days: float) -> str:
    """Why attack-free time tells nothing; empty if it does, or if the rate on the drug is not known."""
    if not rates.on.per_day or not isfinite(days):
        return ""
    expected = rates.on.per_day * days
    if expected >= settings("challenge")["expected_attacks"]:
        return ""
    return f"too short: only {expected:.2g} attacks were to be expected in it at the rate on the drug"


def _treatments_begun(course: Course, after: float, until: float) -> list[str]:
    """Treatments that began between the last attack and the time without attacks."""
    return [
        f"{each.drug} was begun at the same time ({course.when(each.start, assumed=each.start_assumed)})"
        for each in course.exposures
        if each.role == "treatment" and each.start is not None and after <= course.day(each.start) <= until
    ]


def _again(course: Course, every: Sequence[Run], place: int, own: Sequence[Attack]) -> Challenge:
    earlier, run = every[place - 1], every[place]
    first = [one for one in own if any(past.start <= one.day <= past.stop for past in every[:place])]
    there = [one for one in own if run.start <= one.day <= run.stop]
    start = _when(course, run.start, assumed=run.start_assumed)
    evidence = [f"last attack before it: {first[-1]}"] if first else []
    evidence.append(f"{run.drug} given again {start}")
    evidence += [f"attack on it: {one}" for one in there]
    between = _stopped(course, every, place - 1, own)
    evidence.append(f"withdrawal before it {between.verdict}: {between.reason}")
    free, short = _free_on(course, run)
    evidence += [*free, *short]
    when = f"re-challenge {start}"
    verdict, reason = _came_back(earlier, run, first, there, between, free, short)
    confounders: list[str] = []
    if verdict == POSITIVE:
        despite = _active(course, there[0].day)
        reason += f", despite {' and '.join(despite)}" if despite else ""
        confounders = _treatments_stopped(course, earlier.stop, there[0].day)
    elif verdict == NEGATIVE:
        protecting = [name for name in _active(course, run.start) if name not in _active(course, first[-1].day)]
        confounders = [f"{name}, not taken at the attack before, may have prevented attacks" for name in protecting]
    return Challenge(when, verdict, reason, tuple(evidence), tuple(confounders))


def _came_back(
    earlier: Run,
    run: Run,
    first: Sequence[Attack],
    there: Sequence[Attack],
    between: Challenge,
    free: Sequence[str],
    short: Sequence[str],
) -> tuple[Word, str]:
    if not first:
        return NOT_ASSESSABLE, f"there was no attack on {run.drug} before"
    if run.start <= earlier.gone:
        return NOT_ASSESSABLE, f"{run.drug} was given again before it had washed out"
    if between.verdict != POSITIVE:
        return NOT_ASSESSABLE, f"it is not known that the attacks had ceased before ({between.reason})"
    if there:
        return POSITIVE, f"attacks came back on {run.drug}"
    if free:
        return NEGATIVE, f"no attack on {run.drug} given again"
    if short:
        return NOT_ASSESSABLE, f"the attack-free time watched on {run.drug} given again is too short to tell anything"
    return NOT_ASSESSABLE, f"nothing is told of the time on {run.drug} given again; add a period, with its attacks if any"


def _free_on(course: Course, run: Run) -> tuple[list[str], list[str]]:
    """Periods on the drug given again that saw no attack: those long enough to tell something, and those too short."""
    found: list[tuple[How, str]] = []
    free: dict[How, float] = {}
    for each in course.periods:
        start = course.day(each.start)
        stop = inf if each.duration_h is None else start + each.duration_h / 24.0
        known = each.duration_h is not None or (each.attacks is not None and start >= run.start)
        if not known or not (start < run.stop and stop > run.start):
            continue
        if (each.attacks or _listed(course, each, run.start, run.stop)) == "none":
            length = inf if each.duration_h is None else (min(stop, run.stop) - max(start, run.start)) * watched_share(each)
            free[each.how] = free.get(each.how, 0.0) + length
            lasting = f" for {days_words(length)}" if isfinite(length) else ""
            found.append(
                (each.how, f"{each.how} from {course.when(each.start, assumed=each.start_assumed)}: no attacks{lasting}")
            )
    # Its own attack-free time must not lower the rate that it is judged by.
    earlier = [each for each in course.exposures if each.start is not None and course.day(each.start) < run.start]
    before = replace(course, exposures=tuple(each for each in earlier if same_drug(each.drug, run.drug)), answers=())
    enough = {how: _long_enough(before.rates(run.drug, how=how), days) for how, days in free.items()}
    return [text for how, text in found if not enough[how]], [f"{text} ({enough[how]})" for how, text in found if enough[how]]


def _active(course: Course, day: float) -> list[str]:
    """Treatments at a time that had begun before the day, so that they could act."""
    found = []
    for each in course.exposures:
        if each.role == "treatment":
            start = -inf if each.start is None else course.day(each.start)
            stop = inf if each.stop is None else course.day(each.stop)
            if start < day <= stop:
                found.append(each.drug)
    return found


def _treatments_stopped(course: Course, after: float, until: float) -> list[str]:
    """Treatments whose end could by itself have let the attacks come back."""
    return [
        f"{each.drug} was stopped before the attacks came back ({course.when(each.stop, assumed=each.stop_assumed)})"
        for each in course.exposures
        if each.role == "treatment" and each.stop is not None and after <= course.day(each.stop) <= until
    ]


def _when(course: Course, day: float, *, assumed: bool) -> str:
    """A day of a run in the words of its course."""
    date = course.date_of(day)
    return course.when(day if date is None else date, assumed=assumed)
