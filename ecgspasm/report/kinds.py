"""What a report can be made of."""

from __future__ import annotations

from typing import Any

from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.course import Course
from ecgspasm.ecg import Analysis, Ecg
from ecgspasm.errors import EcgError
from ecgspasm.markup import plain
from ecgspasm.provoking import ProvocationTest
from ecgspasm.serial.comparison import Comparison

Reported = Comparison | Monitoring | ProvocationTest | Course

KINDS: dict[type[Any], str] = {
    Comparison: "comparison",
    Monitoring: "monitoring",
    ProvocationTest: "provocation",
    Course: "course",
}
"""The name of each kind: of its template and of its schema."""

_SOURCE_SIGNS = 80


def kind_of(found: object) -> str:
    """The name of a kind.

    Raises
    ------
    EcgError
        If it is none of those that a report can be made of.
    """
    for kind, name in KINDS.items():
        if isinstance(found, kind):
            return name
    given = type(found).__name__
    hint = "; compare it with another one first" if isinstance(found, Ecg | Analysis) else ""
    raise EcgError(
        f"a report cannot be made of a {given}{hint}; give the result of compare(), monitor() or provocation(), or a Course"
    )


def short_source(source: str) -> str:
    """Folder and file of a path, where records of one person differ; notes after a ';' are left out.

    Examples
    --------
    >>> short_source("/home/somebody/study/0012/ecg.hea; 12 leads")
    '0012/ecg.hea'
    """
    name = "/".join(plain(source.partition(";")[0]).replace("\\", "/").split("/")[-2:])
    return name if len(name) <= _SOURCE_SIGNS else f"…{name[1 - _SOURCE_SIGNS :]}"
