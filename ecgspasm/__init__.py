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
    "Ecg": "ecgspasm.ecg",
    "EcgError": "ecgspasm.errors",
    "Measurements": "ecgspasm.ecg",
    "Subject": "ecgspasm.ecg",
    "analyze": "ecgspasm.analysis",
    "compare": "ecgspasm.serial.compare",
    "delineate": "ecgspasm.analysis",
    "load_criteria": "ecgspasm.criteria",
    "read": "ecgspasm.io",
}
_ROOMS = ("plot", "simulate")

__all__ = [
    "Ecg",
    "EcgError",
    "Measurements",
    "Subject",
    "__version__",
    "analyze",
    "compare",
    "delineate",
    "load_criteria",
    "plot",
    "read",
    "simulate",
]

if TYPE_CHECKING:
    from ecgspasm import plot, simulate
    from ecgspasm.analysis import analyze, delineate
    from ecgspasm.criteria import load_criteria
    from ecgspasm.ecg import Ecg, Measurements, Subject
    from ecgspasm.errors import EcgError
    from ecgspasm.io import read
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
