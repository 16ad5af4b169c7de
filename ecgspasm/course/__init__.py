"""One patient over weeks: drugs on and off, ECGs, provocation tests, attacks, and what they say of the drug.

>>> from ecgspasm.course import Course, CourseEpisode, Exposure
>>> course = Course(exposures=[Exposure("sorafenib", start=0)], episodes=[CourseEpisode(time=2, kind="symptoms")])
>>> print(course.naranjo().total, course.who_umc().category)
2 possible
"""

from __future__ import annotations

from ecgspasm.course.course import Course
from ecgspasm.course.entries import (
    Answer,
    Biomarker,
    CaseSummary,
    CourseEcg,
    CourseEpisode,
    Exposure,
    MonitoredPeriod,
    Provocation,
)
from ecgspasm.course.files import load_courses
from ecgspasm.course.table import CaseTable, case_table

__all__ = [
    "Answer",
    "Biomarker",
    "CaseSummary",
    "CaseTable",
    "Course",
    "CourseEcg",
    "CourseEpisode",
    "Exposure",
    "MonitoredPeriod",
    "Provocation",
    "case_table",
    "load_courses",
]
