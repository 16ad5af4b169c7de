"""Simulated people for properties: what hypothesis draws, and how a property is run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import ecgspasm as es
from ecgspasm.ecg import Floats, Measurements
from ecgspasm.leads import STANDARD
from ecgspasm.processing.measure import ST_NAMES
from ecgspasm.simulate import INDEPENDENT, Simulated

ST = tuple(ST_NAMES.values())
AMPLITUDES = (*ST, "t_uv")

_FACTOR = float(os.environ.get("ECGSPASM_EXAMPLES", "1"))
"""How many times more examples than in the usual test run."""


def examples(count: int) -> Callable[[Any], Any]:
    """Run a property on so many drawn examples, the same ones at every run; in a long run on more of them, and on others."""
    return settings(
        max_examples=max(round(count * _FACTOR), 1),
        derandomize=_FACTOR == 1.0,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def people(draw: st.DrawFn, *, duration_s: float = 8.0, fs: float | None = None, noise: bool = True) -> Simulated:
    """An ECG of a person whose axis, rate, ST and T are drawn, with what noise there is in a usual recording."""
    changed = draw(st.lists(st.sampled_from(INDEPENDENT), max_size=4, unique=True))
    what = draw(st.sampled_from(["st_uv", "t_uv"]))
    size = st.floats(-200.0, 300.0) if what == "st_uv" else st.floats(100.0, 600.0) | st.floats(-600.0, -100.0)
    return es.simulate.ecg(
        fs=fs or draw(st.sampled_from([250.0, 500.0, 1000.0])),
        seed=draw(st.integers(0, 2**30)),
        duration_s=duration_s,
        rate_bpm=draw(st.floats(50.0, 110.0)),
        rr_sd_ms=draw(st.sampled_from([0.0, 10.0, 30.0])),
        rotation_deg=tuple(draw(st.floats(-15.0, 15.0)) for _ in range(3)),
        noise_uv=draw(st.floats(0.0, 8.0)) if noise else 0.0,
        wander_uv=draw(st.floats(0.0, 40.0)) if noise else 0.0,
        **{what: {lead: draw(size) for lead in changed}},  # type: ignore[arg-type]
    )


def table(found: Measurements, measures: tuple[str, ...] = AMPLITUDES, leads: tuple[str, ...] = STANDARD) -> Floats:
    """Values in uV, shape (measure, lead); ``nan`` where there is none."""
    return np.array([[found.get(measure, lead) for lead in leads] for measure in measures])


def measured(ecg: es.Ecg, measures: tuple[str, ...] = AMPLITUDES, leads: tuple[str, ...] = STANDARD) -> Floats:
    """Values of an ECG, shape (measure, lead)."""
    return table(es.analyze(ecg).measurements, measures, leads)


def intervals(ecg: es.Ecg) -> Floats:
    """Rate and intervals of an ECG."""
    found = es.analyze(ecg).measurements
    return np.array([found.rate_bpm, found.pr_ms, found.qrs_ms, found.qt_ms, found.qtc_ms])


def alike(found: Floats, expected: Floats, within: float = 0.0) -> None:
    """Absent at the same places, and nowhere further apart than so many uV."""
    assert np.array_equal(np.isnan(found), np.isnan(expected)), "something is absent in one of the two only"
    apart = np.abs(found - expected)
    assert not (apart > within).any(), f"{np.nanmax(apart):.2f} uV apart; {within:g} are allowed"
