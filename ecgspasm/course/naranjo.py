"""Naranjo's scale: what the course tells answers items 2, 3, 4, 8 and 10; the rest is asked of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ecgspasm.course.attacks import Attack, attacks
from ecgspasm.course.entries import Answer, AnswerWord
from ecgspasm.course.exposure import days_words, runs, same_drug, state_at
from ecgspasm.course.rates import Rate, exact_ratio
from ecgspasm.course.settings import table

if TYPE_CHECKING:
    from ecgspasm.course.course import Course

Said = tuple[AnswerWord, str]
"""An answer and its reason."""

ASKED, FROM_COURSE, FROM_USER = "asked", "course", "user"


@dataclass(frozen=True)
class NaranjoItem:
    """One of the ten questions."""

    number: int
    question: str
    answer: AnswerWord
    points: int
    given_by: str
    """``course``, ``user``, or ``asked``: nobody has answered yet, 0 points."""
    reason: str
    overruled: str = ""
    """What the course tells, where the user's answer is another one."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "number": self.number,
            "question": self.question,
            "answer": None if self.given_by == ASKED else self.answer,
            "points": self.points,
            "given_by": self.given_by,
            "reason": self.reason,
            "overruled": self.overruled or None,
        }


@dataclass(frozen=True)
class Naranjo:
    """The scale filled in for one drug."""

    drug: str
    items: tuple[NaranjoItem, ...]
    source: str

    @property
    def total(self) -> int:
        """Sum of the points."""
        return sum(each.points for each in self.items)

    @property
    def category(self) -> str | None:
        """``definite``, ``probable``, ``possible`` or ``doubtful``; ``None`` without a suspect drug."""
        if not self.drug:
            return None
        return next(str(row["name"]) for row in table("naranjo.toml")["category"] if self.total >= row["at_least"])

    @property
    def asked(self) -> tuple[int, ...]:
        """Items that only the user can answer and that are not answered yet."""
        return tuple(each.number for each in self.items if each.given_by == ASKED)

    @property
    def reach(self) -> tuple[int, int]:
        """The lowest and the highest total that answers to the open questions could give."""
        points = [list(row["points"].values()) for row in table("naranjo.toml")["item"] if row["number"] in self.asked]
        return self.total + sum(min(each) for each in points), self.total + sum(max(each) for each in points)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "drug": self.drug or None,
            "total": self.total if self.drug else None,
            "category": self.category,
            "asked": list(self.asked),
            "reach": list(self.reach),
            "items": [each.to_dict() for each in self.items],
            "source": self.source,
        }

    def __str__(self) -> str:
        if not self.drug:
            return "not assessable: the course has no suspect drug"
        words = f"{self.total} points, {self.category}"
        if self.asked:
            low, high = self.reach
            words += f" (items {', '.join(map(str, self.asked))} are not answered yet: {low} to {high} are possible)"
        return words


def naranjo(course: Course, drug: str) -> Naranjo:
    """Fill in the scale for one suspect drug.

    Parameters
    ----------
    course : Course
    drug : str
        Empty if the course has no suspect drug.

    Returns
    -------
    Naranjo
        An answer of the user goes before what the course tells, and is marked where the two differ.

    References
    ----------
    Naranjo CA et al. Clin Pharmacol Ther 1981;30:239-245.
    """
    rows = table("naranjo.toml")
    return Naranjo(drug, tuple(_item(course, drug, row) for row in rows["item"]), str(rows["source"]))


def _item(course: Course, drug: str, row: dict[str, Any]) -> NaranjoItem:
    number, question, points = row["number"], row["question"], row["points"]
    told: Said | None = _COURSE[row["course"]](course, drug) if "course" in row and drug else None
    given = _given(course, drug, number)
    if given is not None:
        overruled = f"the course says {told[0]}: {told[1]}" if told is not None and told[0] != given.answer else ""
        return NaranjoItem(number, question, given.answer, points[given.answer], FROM_USER, given.reason, overruled)
    if told is not None:
        return NaranjoItem(number, question, told[0], points[told[0]], FROM_COURSE, told[1])
    return NaranjoItem(number, question, "unknown", points["unknown"], ASKED, "not answered yet")


def _given(course: Course, drug: str, number: int) -> Answer | None:
    """The user's answer, one about this very drug before one about all."""
    own = [each for each in course.answers if each.item == number and (not each.drug or same_drug(each.drug, drug))]
    return max(own, key=lambda each: bool(each.drug), default=None)


def _own(course: Course) -> list[Attack]:
    return [each for each in attacks(course) if not each.provoked]


def _after_the_drug(course: Course, drug: str) -> Said:
    own = _own(course)
    every = runs(course, drug)
    start = every[0].start
    if not own:
        return "unknown", "no attack is told"
    if own[0].day < start:
        return "no", f"an attack came before {drug}: {own[0]}"
    if own[0].day == start:
        return "unknown", f"the first attack and the first dose of {drug} have the same time"
    told = own[0].assumed or every[0].start_assumed
    since = "after (time assumed)" if told else f"{days_words(own[0].day - start)} after"
    words = f"first attack {since} the first dose of {drug}"
    if state_at(every, own[0].day) == "off":
        return "unknown", f"{words}, but no longer on it; a drug that acts longer needs a washout_h"
    return "yes", words


def _improved_without(course: Course, drug: str) -> Said:
    found = course.dechallenge(drug)
    return _word(found.verdict), f"dechallenge {found}"


def _came_back(course: Course, drug: str) -> Said:
    found = course.rechallenge(drug)
    return _word(found.verdict), f"re-challenge {found}"


def _word(verdict: str) -> AnswerWord:
    return "yes" if verdict == "positive" else "no" if verdict == "negative" else "unknown"


def _followed_the_dose(course: Course, drug: str) -> Said:
    """Compare the rates at the lowest and the highest dose with a known rate."""
    doses = sorted(
        {each.dose_mg_per_day for each in course.exposures if same_drug(each.drug, drug) and each.dose_mg_per_day is not None}
    )
    if len(doses) < 2:
        return "unknown", "two doses in mg a day would have to be told" if not doses else "only one dose is told"
    found = [(dose, _rate_at(course, drug, dose)) for dose in doses]
    known = [(dose, rate) for dose, rate in found if rate.per_day is not None]
    if len(known) < 2:
        return "unknown", "the rate of attacks is not known at two doses"
    (low, at_low), (high, at_high) = known[0], known[-1]
    ratio = exact_ratio(at_high, at_low)
    words = f"ratio of the rates at {high:g} and {low:g} mg a day {ratio}"
    if ratio.low is None:
        return "unknown", words
    if ratio.low > 1.0:
        return "yes", words
    return ("no", words) if ratio.high is not None and ratio.high < 1.0 else ("unknown", f"{words}, which leaves it open")


def _rate_at(course: Course, drug: str, dose: float) -> Rate:
    """Monitored attacks a day at one dose."""
    own = [each for each in course.exposures if same_drug(each.drug, drug) and each.dose_mg_per_day == dose]
    return replace(course, exposures=tuple(own)).rates(drug).on


def _seen_objectively(course: Course, drug: str) -> Said:
    found = [each for each in attacks(course) if each.objective]
    if found:
        first = next((each for each in found if not each.provoked), found[0])
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return "yes", f"{first}{more}"
    return "unknown", "no ECG, monitor or test shows it; an unchanged ECG does not exclude spasm"


_COURSE: dict[str, Callable[[Course, str], Said]] = {
    "after_the_drug": _after_the_drug,
    "improved_without": _improved_without,
    "came_back": _came_back,
    "followed_the_dose": _followed_the_dose,
    "seen_objectively": _seen_objectively,
}
