"""ecgspasm: what is new in a person's ECG, measured against that person's own baseline.

>>> import ecgspasm as es
>>> es.Ecg(signal_uv=[[0.0] * 500], fs=500, leads=["V2"])
Ecg(1 leads V2, 1 s at 500 Hz)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Course": "ecgspasm.course",
    "Ecg": "ecgspasm.ecg",
    "EcgError": "ecgspasm.errors",
    "Measurements": "ecgspasm.ecg",
    "Monitor": "ecgspasm.continuous.monitor",
    "ProvocationTest": "ecgspasm.provoking",
    "Recording": "ecgspasm.recording",
    "Subject": "ecgspasm.ecg",
    "analyze": "ecgspasm.analysis",
    "batch": "ecgspasm.batching.run",
    "case_table": "ecgspasm.course",
    "compare": "ecgspasm.serial.compare",
    "delineate": "ecgspasm.analysis",
    "from_array": "ecgspasm.io",
    "load_courses": "ecgspasm.course",
    "load_criteria": "ecgspasm.criteria",
    "monitor": "ecgspasm.continuous.monitor",
    "open_recording": "ecgspasm.io",
    "provocation": "ecgspasm.provoking",
    "read": "ecgspasm.io",
    "read_pdf": "ecgspasm.io.pdf.reader",
    "to_frame": "ecgspasm.io",
    "to_mne": "ecgspasm.io",
    "to_neurokit": "ecgspasm.io",
    "to_xarray": "ecgspasm.io",
    "write": "ecgspasm.io",
}
_ROOMS = ("datasets", "plot", "report", "simulate")

__all__ = [
    "Course",
    "Ecg",
    "EcgError",
    "Measurements",
    "Monitor",
    "ProvocationTest",
    "Recording",
    "Subject",
    "__version__",
    "analyze",
    "batch",
    "case_table",
    "compare",
    "datasets",
    "delineate",
    "from_array",
    "load_courses",
    "load_criteria",
    "monitor",
    "open_recording",
    "plot",
    "provocation",
    "read",
    "read_pdf",
    "report",
    "simulate",
    "to_frame",
    "to_mne",
    "to_neurokit",
    "to_xarray",
    "write",
]

if TYPE_CHECKING:
    from ecgspasm import datasets, plot, report, simulate
    from ecgspasm.analysis import analyze, delineate
    from ecgspasm.batching.run import batch
    from ecgspasm.continuous.monitor import Monitor, monitor
    from ecgspasm.course import Course, case_table, load_courses
    from ecgspasm.criteria import load_criteria
    from ecgspasm.ecg import Ecg, Measurements, Subject
    from ecgspasm.errors import EcgError
    from ecgspasm.io import from_array, open_recording, read, to_frame, to_mne, to_neurokit, to_xarray, write
    from ecgspasm.io.pdf.reader import read_pdf
    from ecgspasm.provoking import ProvocationTest, provocation
    from ecgspasm.recording import Recording
    from ecgspasm.serial.compare import compare


def __getattr__(name: str) -> Any:
    """Load a public name at its first use, so that ``import ecgspasm`` costs next to nothing."""
    if name in _ROOMS:
        return importlib.import_module(f"ecgspasm.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'ecgspasm' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
