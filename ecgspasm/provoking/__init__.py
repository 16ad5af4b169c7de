"""Provocation tests: what a drug, hyperventilation, cold or a balloon did to the ECG, phase by phase, and what undid it."""

from __future__ import annotations

from ecgspasm.provoking.definitions import HalfDefinition
from ecgspasm.provoking.events import ProvocationEvent, classify
from ecgspasm.provoking.phases import Phase
from ecgspasm.provoking.response import Onset, Relief, Response
from ecgspasm.provoking.result import ProvocationTest
from ecgspasm.provoking.run import judge_series, provocation
from ecgspasm.provoking.series import Series

__all__ = [
    "HalfDefinition",
    "Onset",
    "Phase",
    "ProvocationEvent",
    "ProvocationTest",
    "Relief",
    "Response",
    "Series",
    "classify",
    "judge_series",
    "provocation",
]
