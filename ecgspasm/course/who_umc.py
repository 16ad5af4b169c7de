"""The category of the WHO-UMC system, with its reasons one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecgspasm.course.challenge import Verdict
from ecgspasm.course.naranjo import FROM_USER, NaranjoItem
from ecgspasm.course.settings import table

if TYPE_CHECKING:
    from ecgspasm.course.course import Course

_WORDS = {
    "time": "came after the drug",
    "other_causes": "other causes",
    "dechallenge": "dechallenge",
    "unconfounded": "dechallenge without a treatment begun at the same time",
    "rechallenge": "re-challenge",
    "objective": "objective evidence",
    "more_data": "more data can be had",
}


@dataclass(frozen=True)
class WhoUmc:
    """The category of one drug."""

    drug: str
    category: str
    """``certain``, ``probable``, ``possible``, ``unlikely``, ``conditional`` or ``unassessable``."""
    reasons: tuple[str, ...]
    """Each fact that was looked at, with what it rests on."""
    missed: tuple[str, ...]
    """What the next higher category would have needed."""
    source: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"drug": self.drug or None, "category": self.category, "reasons": list(self.reasons)} | {
            "missed": list(self.missed),
            "source": self.source,
        }

    def __str__(self) -> str:
        return self.category + (f" ({'; '.join(self.missed)})" if self.missed else "")


def who_umc(course: Course, drug: str) -> WhoUmc:
    """Judge one suspect drug.

    Parameters
    ----------
    course : Course
    drug : str
        Empty if the course has no suspect drug: then ``unassessable``.
    """
    rules = table("who_umc.toml")
    source = str(rules["source"])
    if not drug:
        return WhoUmc("", "unassessable", ("the course has no suspect drug",), (), source)
    facts = _facts(course, drug)
    lacking: list[list[str]] = []
    for row in rules["category"]:
        missed = [name for name, needed in row["needs"].items() if facts[name][0] not in needed]
        if not missed:
            break
        lacking.append([f"{row['name']} needs {_need(row, name)}" for name in missed])
    else:
        raise AssertionError("the rules leave no case out")
    reasons = tuple(f"{_WORDS[name]}: {value}{f' ({reason})' if reason else ''}" for name, (value, reason) in facts.items())
    higher = tuple(lacking[-1]) if lacking and row["name"] in ("probable", "possible") else ()
    return WhoUmc(drug, str(row["name"]), reasons, higher, source)


def _need(row: dict[str, Any], name: str) -> str:
    return f"{_WORDS[name]}: {' or '.join(row['needs'][name])}"


def _facts(course: Course, drug: str) -> dict[str, tuple[str, str]]:
    """Each fact as a word and what it rests on."""
    items = {each.number: each for each in course.naranjo(drug).items}
    stopped, again = course.dechallenge(drug), course.rechallenge(drug)
    without, anew = _said(items[3], stopped), _said(items[4], again)
    clean = without[0] == "positive" and (stopped.clean or items[3].given_by == FROM_USER)
    confounded = "; ".join(text for each in stopped.each for text in each.confounders)
    more = {True: "yes", False: "no", None: "unknown"}[course.more_data_expected]
    return {
        "time": (items[2].answer, items[2].reason),
        "other_causes": (items[5].answer, items[5].reason),
        "dechallenge": without,
        "unconfounded": ("yes" if clean else "no", "" if clean else confounded),
        "rechallenge": anew,
        "objective": (items[10].answer, items[10].reason),
        "more_data": (more, "" if course.more_data_expected is not None else "not told"),
    }


def _said(item: NaranjoItem, found: Verdict) -> tuple[str, str]:
    """The verdict, or what the user has answered to Naranjo's question about the same."""
    if item.given_by != FROM_USER:
        return found.verdict, found.reason
    return {"yes": "positive", "no": "negative", "unknown": "not assessable"}[item.answer], item.reason
