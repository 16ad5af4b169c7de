"""When the heart beats: respiratory sinus arrhythmia, jitter, and premature beats with a full compensatory pause."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.simulate.heart import Template
from ecgspasm.simulate.truth import Rhythm

_BREATHS_HZ = 0.25
_BREATHING_SHARE = 0.8
"""Share of the variance of RR that follows breathing; the rest is jitter from beat to beat."""
_MOST_VARIATION = 0.25
_COUPLING = 0.6
_MARGIN_BEATS = 3


def make_rhythm(
    rng: np.random.Generator,
    duration_s: float,
    rate_bpm: float,
    rr_sd_ms: float,
    ectopic_at: Sequence[int],
    templates: tuple[Template, Template],
) -> Rhythm:
    """Instants of the beats before, in and after the recording.

    Beats are counted from the first sinus beat in the recording. A premature one comes after 60 % of the RR interval,
    or as soon as the T wave before it is over; the beat after it comes when it would have come anyhow.
    """
    rr_ms = 60_000.0 / rate_bpm
    n_beats = int(np.ceil(duration_s * 1000.0 / (rr_ms * (1.0 - _MOST_VARIATION)))) + 2 * _MARGIN_BEATS
    rr = rr_ms + _variation(rng, n_beats, rr_ms, rr_sd_ms)
    first_ms = rng.uniform(0.35, 0.75) * rr_ms
    r_ms = np.cumsum(rr)
    r_ms += first_ms - r_ms[_MARGIN_BEATS]
    ectopic = np.zeros(n_beats, dtype=bool)
    n_inside = int(np.sum((r_ms >= 0) & (r_ms < duration_s * 1000.0)))
    for beat in ectopic_at:
        if not 1 <= beat < n_inside:
            raise EcgError(f"ectopic_at has {beat!r}; give beats between 1 and {n_inside - 1} (0 is the first beat)")
        ectopic[_MARGIN_BEATS + int(beat)] = True
    rows = np.flatnonzero(ectopic)
    before = np.diff(r_ms)[rows - 1]
    r_ms[rows] -= before - np.minimum(np.maximum(_COUPLING * before, _earliest(templates)), before)
    return Rhythm(r_ms, ectopic)


def _variation(rng: np.random.Generator, n_beats: int, rr_ms: float, rr_sd_ms: float) -> Floats:
    phase, jitter = rng.uniform(0, 2 * np.pi), rng.standard_normal(n_beats)
    breathing = np.sqrt(2.0) * np.sin(phase + 2 * np.pi * _BREATHS_HZ * rr_ms / 1000.0 * np.arange(n_beats))
    swing = rr_sd_ms * (np.sqrt(_BREATHING_SHARE) * breathing + np.sqrt(1.0 - _BREATHING_SHARE) * jitter)
    return np.asarray(np.clip(swing, -_MOST_VARIATION * rr_ms, _MOST_VARIATION * rr_ms))


def _earliest(templates: tuple[Template, Template]) -> float:
    """Coupling interval at which an ectopic QRS begins as the T wave before it ends."""
    dominant, ectopic = templates
    t_end = dominant.gate[3, dominant.row("ST")]
    qrs_start = ectopic.gate[0, ectopic.row("QRS")]
    return float(t_end - qrs_start)
