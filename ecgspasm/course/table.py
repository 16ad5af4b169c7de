"""Several courses in one table, as case reports print it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from ecgspasm.course.attacks import attacks
from ecgspasm.course.course import Course
from ecgspasm.course.exposure import days_words, runs
from ecgspasm.course.naranjo import ASKED
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "patient": ("Patient (country, year)", 16),
    "age_sex": ("Age/sex", 7),
    "disease": ("Disease", 8),
    "therapy_duration": ("Therapy duration", 10),
    "event": ("Event type", 14),
    "angiography": ("Coronary angiography", 20),
    "rechallenge": ("Re-challenge", 12),
    "outcome": ("Outcome", 17),
    "naranjo": ("Naranjo", 10),
}
"""Key, heading and width in print of every column."""


@dataclass(frozen=True)
class CaseTable:
    """One row a course; see `case_table`."""

    rows: tuple[dict[str, str], ...]

    def __str__(self) -> str:
        lines = [*_printed({key: title for key, (title, _) in COLUMNS.items()})]
        rule = "-" * max(map(len, lines))
        for row in self.rows:
            lines += [rule, *_printed(row)]
        return "\n".join(line.rstrip() for line in lines)

    def to_frame(self) -> pd.DataFrame:
        """One row a course, columns by the keys of `COLUMNS`."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(COLUMNS))

    def to_html(self) -> str:
        """A table element; every text is escaped."""
        head = "".join(f"<th>{html.escape(title)}</th>" for title, _ in COLUMNS.values())
        body = "\n".join("<tr>" + "".join(f"<td>{html.escape(row[key])}</td>" for key in COLUMNS) + "</tr>" for row in self.rows)
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"columns": {key: title for key, (title, _) in COLUMNS.items()}, "rows": [dict(row) for row in self.rows]}

    def _repr_html_(self) -> str:
        return self.to_html()


def case_table(courses: Iterable[Course]) -> CaseTable:
    """The table of several cases, after Table 1 of J Liver Cancer 2020;20:67-71, with Naranjo's total beside it.

    Parameters
    ----------
    courses : iterable of Course
        Their `summary` is printed; where it is empty, the duration of the therapy and the re-challenge are told from the entries.
        The total of Naranjo's scale is given where at least one of its items is answered.

    Returns
    -------
    CaseTable
        ``print()`` it, or take `to_html` or `to_frame`.

    Raises
    ------
    EcgError
        If something else than courses is given.
    """
    if not isinstance(courses, Iterable | Course):
        raise EcgError(f"this is a {type(courses).__name__}, not a list of Course")
    given = [courses] if isinstance(courses, Course) else list(courses)
    for each in given:
        if not isinstance(each, Course):
            raise EcgError(f"this is a {type(each).__name__}, not a Course; give a list of Course")
    return CaseTable(tuple(_row(each) for each in given))


def _row(course: Course) -> dict[str, str]:
    told = course.summary
    place = ", ".join(filter(None, (told.country, told.year)))
    age = "" if course.subject.age is None else f"{course.subject.age:g}"
    sex = {"male": "M", "female": "F", None: ""}[course.subject.sex]
    return {
        "patient": f"{told.patient or course.title} ({place})" if place else told.patient or course.title,
        "age_sex": "/".join(filter(None, (age, sex))),
        "disease": told.disease,
        "therapy_duration": told.therapy_duration or _duration(course),
        "event": told.event,
        "angiography": told.angiography,
        "rechallenge": told.rechallenge or _again(course),
        "outcome": told.outcome or course.outcome,
        "naranjo": _naranjo(course),
    }


def _duration(course: Course) -> str:
    """From the first dose to the first attack."""
    own = [each for each in attacks(course) if not each.provoked]
    if not course.suspects or not own:
        return ""
    run = runs(course, course.suspects[0])[0]
    days = own[0].day - run.start
    return "" if run.start_assumed or own[0].assumed or days < 0 else days_words(days)


def _again(course: Course) -> str:
    if not course.suspects or not course.exposures:
        return ""
    found = course.rechallenge(course.suspects[0])
    return f"Yes, {found.verdict}" if found.each else "No"


def _naranjo(course: Course) -> str:
    """Total and category of the first suspect drug, where anything is answered."""
    if not course.suspects:
        return "not answered"
    scale = course.naranjo(course.suspects[0])
    if all(each.answer == "unknown" or each.given_by == ASKED for each in scale.items):
        return "not answered"
    return f"{scale.total} ({scale.category})"


def _printed(row: dict[str, str]) -> Iterator[str]:
    """One row as lines, every cell wrapped within its column."""
    cells = [wrap(row[key], width) or [""] for key, (_, width) in COLUMNS.items()]
    widths = [width for _, width in COLUMNS.values()]
    for parts in zip_longest(*cells, fillvalue=""):
        yield "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True))
