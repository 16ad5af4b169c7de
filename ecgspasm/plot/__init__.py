"""Pictures: ECGs on true ECG paper, at any resolution, and what goes over leads, hours, weeks or whole sets of records.

Every function returns ``(figure, axes)``. The axes of a page are the sheet itself: their data units are millimetres from the
lower left corner. Nothing here touches the state of pyplot, and matplotlib is loaded only when something is drawn.
"""

from __future__ import annotations

from ecgspasm.plot.bars import st_bars
from ecgspasm.plot.course_sheet import course
from ecgspasm.plot.deviations import benchmark_errors, bland_altman
from ecgspasm.plot.discrimination import reliability, roc
from ecgspasm.plot.files import save
from ecgspasm.plot.loops import vector
from ecgspasm.plot.overlay import comparison
from ecgspasm.plot.page import ecg
from ecgspasm.plot.provocation_sheet import provocation
from ecgspasm.plot.trend_sheet import trend

__all__ = [
    "benchmark_errors",
    "bland_altman",
    "comparison",
    "course",
    "ecg",
    "provocation",
    "reliability",
    "roc",
    "save",
    "st_bars",
    "trend",
    "vector",
]


def __dir__() -> list[str]:
    return __all__
