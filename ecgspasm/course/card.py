"""What a notebook shows of a course."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecgspasm import markup
from ecgspasm.course import report
from ecgspasm.markup import typeset

if TYPE_CHECKING:
    from ecgspasm.course.course import Course


def html(course: Course) -> str:
    """Verdict a drug, and a row each ECG."""
    first, *more = report.verdict(course).split("\n")
    parts: list[object] = [markup.tag("div", typeset(each), style="font-weight:600") for each in more]
    parts += [markup.note(each) for each in report.about(course)]
    rows = [
        [
            course.when(row.ecg.time, assumed=row.ecg.time_assumed),
            _name(row.ecg.name, simulated=row.ecg.simulated),
            row.exposure.words,
            row.verdict,
        ]
        for row in course.changes()
    ]
    parts += [markup.small_table(["when", "ECG", "exposure", "against the baseline"], rows)] if rows else []
    return str(markup.card(first, *parts))


def _name(name: str, *, simulated: bool) -> str:
    return f"{name} (simulated)" if simulated else name
