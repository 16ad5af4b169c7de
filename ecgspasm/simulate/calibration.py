"""Analytic ECGs with a flat ST segment, in the manner of the IEC's calibration set: what is true of them is known exactly.

The same beat stands in I, II and V1-V6, so that III is flat, aVR its mirror, and aVL and aVF half of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ecgspasm.ecg import ST_OFFSETS_MS, Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.leads import STANDARD

_SHARE = {"III": 0.0, "aVR": -1.0, "aVL": 0.5, "aVF": 0.5}
"""What each lead shows of the beat; all others show it whole."""


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("ecgspasm.simulate").joinpath("calibration.toml").read_text(encoding="utf-8"))


def shapes() -> tuple[str, ...]:
    """Names of the beats."""
    return tuple(_tables()["shape"])


@dataclass(frozen=True, eq=False)
class CalibrationEcg:
    """An analytic ECG and what is true of its beat, in uV against the PR level and ms."""

    ecg: Ecg
    values: Mapping[str, float]
    """``st_j_uv`` ... ``st_j80_uv`` and ``t_uv`` of a lead that shows the beat whole."""
    qrs_ms: float

    def truth(self, measure: str, lead: str) -> float:
        """A true value in one lead."""
        return self.values[measure] * _SHARE.get(lead, 1.0)


def calibration_ecg(shape: str, *, st_uv: float, rate_bpm: float, fs: float, duration_s: float = 10.0) -> CalibrationEcg:
    """Make an analytic ECG without noise.

    Parameters
    ----------
    shape : str
        One of `shapes`.
    st_uv : float
        Level of the ST segment, flat for 100 ms after J.
    rate_bpm, fs, duration_s : float

    Raises
    ------
    EcgError
        If there is no such shape.
    """
    if shape not in shapes():
        raise EcgError(f"no calibration beat {shape!r}; give one of {', '.join(shapes())}")
    knots = _knots(shape)
    period_s = 60.0 / rate_bpm
    time_s = np.arange(round(duration_s * fs)) / fs
    # Beats begin a third of an interval into the recording; each instant belongs to the beat whose P wave it follows.
    since_ms = ((time_s - 0.35 * period_s + 0.2) % period_s - 0.2) * 1000.0
    whole = _beat(shape, since_ms, st_uv, knots)
    signal = np.stack([_SHARE.get(lead, 1.0) * whole for lead in STANDARD])
    j_ms = knots[-1]
    fine = np.arange(j_ms + _tables()["timing"]["st_flat_ms"], j_ms + 300.0, 0.25)
    late = _beat(shape, fine, st_uv, knots)
    values = {f"st_j{ms or ''}_uv": st_uv for ms in ST_OFFSETS_MS}
    values["t_uv"] = float(late[np.abs(late).argmax()])
    return CalibrationEcg(Ecg(signal_uv=signal, fs=fs, leads=STANDARD, source=f"calibration {shape}"), values, j_ms)


def _knots(shape: str) -> list[float]:
    """Where the triangles of the QRS complex begin and end, in ms from its onset."""
    edges = [0.0]
    for part in _tables()["shape"][shape]["qrs"]:
        edges.append(edges[-1] + float(part["ms"]))
    return edges


def _beat(shape: str, ms: Floats, st_uv: float, knots: list[float]) -> Floats:
    """The beat at times from the QRS onset."""
    timing, own = _tables()["timing"], _tables()["shape"][shape]
    value = timing["p_uv"] * _hump(ms, *timing["p_ms"])
    for part, start, end in zip(own["qrs"], knots, knots[1:], strict=False):
        value += part["uv"] * np.clip(1.0 - np.abs(ms - (start + end) / 2) / ((end - start) / 2), 0.0, None)
    j = knots[-1]
    t_start, t_end = j + timing["st_flat_ms"], j + timing["st_flat_ms"] + timing["t_ms"]
    rise = np.clip((ms - j) / timing["st_rise_ms"] + 1.0, 0.0, 1.0)
    fade = 0.5 * (1.0 + np.cos(np.pi * np.clip((ms - t_start) / (t_end - t_start), 0.0, 1.0)))
    # T is what its table says at its peak, whatever ST leaves there.
    return np.asarray(value + st_uv * rise * fade + (own["t_uv"] - 0.5 * st_uv) * _hump(ms, t_start, t_end))


def _hump(ms: Floats, start: float, end: float) -> Floats:
    inside = np.clip((ms - start) / (end - start), 0.0, 1.0)
    return np.asarray(np.sin(np.pi * inside) ** 2)
