"""The nouns: what every step takes and gives.

All are frozen; arrays are read-only; axes are ``(lead, sample)``, ``(lead, beat)``, ``(lead,)`` or ``(beat,)``. Amplitudes are
in microvolts (``_uv``), times in milliseconds (``_ms``) or, where a name says so, in samples of the recording.
"""

from __future__ import annotations

from ecgspasm.ecg.analysis import Analysis
from ecgspasm.ecg.arrays import Floats, Strings, number, read_only
from ecgspasm.ecg.measurements import MEASURED, MEASURES, ST_OFFSETS_MS, Measurements
from ecgspasm.ecg.signal import FS_RANGE_HZ, Ecg, Subject, sort_leads
from ecgspasm.ecg.waves import SHAPES, Beats, Delineation, MedianBeat, Waves

__all__ = [
    "FS_RANGE_HZ",
    "MEASURED",
    "MEASURES",
    "SHAPES",
    "ST_OFFSETS_MS",
    "Analysis",
    "Beats",
    "Delineation",
    "Ecg",
    "Floats",
    "Measurements",
    "MedianBeat",
    "Strings",
    "Subject",
    "Waves",
    "number",
    "read_only",
    "sort_leads",
]
