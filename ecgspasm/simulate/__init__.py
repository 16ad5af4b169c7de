"""Simulated ECGs whose truth is known, and known changes put into real ones.

>>> from ecgspasm import simulate
>>> made = simulate.ecg(fs=500, seed=1, st_uv={"V2": 150}, t_uv={"V2": -280})
>>> made.ecg
Ecg(12 leads I II III aVR aVL aVF V1 V2 V3 V4 V5 V6, 10 s at 500 Hz, source='simulated, seed 1')
>>> round(made.truth.get("t_uv", "V2"))
-280
"""

from __future__ import annotations

from ecgspasm.simulate.case import INDEX_CASE, index_case
from ecgspasm.simulate.change import inject
from ecgspasm.simulate.heart import INDEPENDENT, BeatShape, Component, Heart, load_heart
from ecgspasm.simulate.make import Simulated, ecg
from ecgspasm.simulate.transient import transient
from ecgspasm.simulate.truth import Truth

__all__ = [
    "INDEPENDENT",
    "INDEX_CASE",
    "BeatShape",
    "Component",
    "Heart",
    "Simulated",
    "Truth",
    "ecg",
    "index_case",
    "inject",
    "load_heart",
    "transient",
]
