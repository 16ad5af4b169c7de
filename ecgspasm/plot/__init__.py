"""Pictures on true ECG paper: 25 mm/s and 10 mm/mV at any resolution.

Every function returns ``(figure, axes)``. The axes are the sheet itself: their data units are millimetres from the lower left
corner. Nothing here touches the state of pyplot, and matplotlib is loaded only when something is drawn.
"""

from __future__ import annotations

from ecgspasm.plot.files import save
from ecgspasm.plot.overlay import comparison
from ecgspasm.plot.page import ecg

__all__ = ["comparison", "ecg", "save"]
