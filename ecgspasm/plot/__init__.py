"""Pictures: ECGs on true ECG paper, 25 mm/s and 10 mm/mV at any resolution, and what goes over hours or weeks beside it.

Every function returns ``(figure, axes)``. The axes of a page are the sheet itself: their data units are millimetres from the
lower left corner. Nothing here touches the state of pyplot, and matplotlib is loaded only when something is drawn.
"""

from __future__ import annotations

from ecgspasm.plot.course import course
from ecgspasm.plot.files import save
from ecgspasm.plot.overlay import comparison
from ecgspasm.plot.page import ecg
from ecgspasm.plot.provocation import provocation
from ecgspasm.plot.trend import trend

__all__ = ["comparison", "course", "ecg", "provocation", "save", "trend"]
