"""Hearts that beat otherwise, each with its truth, and the same person's ordinary ECG to compare with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

import ecgspasm as es
from ecgspasm.ecg import Floats
from ecgspasm.leads import STANDARD
from ecgspasm.simulate import BeatShape, Heart, load_heart
from ecgspasm.simulate.heart import limb_matrix
from tests.trust.carriers import Carrier, simulated
from tests.trust.signals import coloured, log_uniform

Rhythm = Callable[[np.random.Generator], tuple[Carrier, es.Ecg]]
"""A carrier, and an ECG of the same person without the rhythm."""


def _without_p(shape: BeatShape) -> BeatShape:
    return replace(shape, components=tuple(part for part in shape.components if part.wave != "P"))


def heart_without_p() -> Heart:
    heart = load_heart()
    return replace(heart, dominant=_without_p(heart.dominant))


def heart_with_lbbb(*, paced: bool = False) -> Heart:
    """Every beat like the ventricular one, which looks like a left bundle branch block; with P before it unless it is paced."""
    heart = load_heart()
    atrium = () if paced else tuple(part for part in heart.dominant.components if part.wave == "P")
    # The block begins earlier than the normal complex: P keeps its distance.
    early = heart.ectopic.qrs_from_ms - heart.dominant.qrs_from_ms
    atrium = tuple(replace(part, centre_ms=part.centre_ms + early) for part in atrium)
    return replace(heart, dominant=replace(heart.ectopic, components=atrium + heart.ectopic.components))


def _pair(rng: np.random.Generator, heart: Heart | None, told: dict[str, object]) -> tuple[Carrier, es.Ecg]:
    """One person twice: with the rhythm, and in the ordinary way."""
    state = rng.bit_generator.state
    with_it = simulated(rng, heart, **told)
    rng.bit_generator.state = state
    # ST and T differ by the rhythm alone.
    return with_it, simulated(rng, **{name: told[name] for name in ("st_uv", "t_uv") if name in told}).ecg


def atrial_fibrillation(rng: np.random.Generator) -> tuple[Carrier, es.Ecg]:
    rate = float(rng.uniform(60.0, 140.0))
    irregular = float(rng.uniform(0.10, 0.25)) * 60_000.0 / rate
    size, hz = float(rng.uniform(0.0, 120.0)), float(rng.uniform(4.5, 8.5))
    direction = rng.normal(size=3) * (0.6, 0.6, 1.0)
    carrier, before = _pair(rng, heart_without_p(), {"rate_bpm": rate, "rr_sd_ms": irregular})
    n, fs = carrier.ecg.signal_uv.shape[1], carrier.ecg.fs
    waves = np.outer(_project(direction / np.linalg.norm(direction)), size * coloured(rng, n, fs, hz - 0.7, hz + 0.7, 0.0))
    with_waves = replace(carrier.ecg, signal_uv=carrier.ecg.signal_uv + waves)
    return replace(carrier, ecg=with_waves, truth=carrier.truth.without("pr_ms")), before


def bigeminy(rng: np.random.Generator) -> tuple[Carrier, es.Ecg]:
    """Every second beat, every third or every second and third is ventricular."""
    rate = float(rng.uniform(55.0, 95.0))
    first, every = int(rng.integers(1, 3)), int(rng.choice([2, 2, 3]))
    n_beats = int(10.0 * rate / 60.0) - 1
    return _pair(rng, None, {"rate_bpm": rate, "rr_sd_ms": 10.0, "ectopic_at": tuple(range(first, n_beats, every))})


def left_bundle_branch_block(rng: np.random.Generator) -> tuple[Carrier, es.Ecg]:
    return _pair(rng, heart_with_lbbb(), {"rate_bpm": float(rng.uniform(50.0, 100.0)), "st_uv": None, "t_uv": None})


def fast(rng: np.random.Generator) -> tuple[Carrier, es.Ecg]:
    """185 to 220/min, as the simulation goes."""
    heart = heart_without_p() if rng.random() < 0.5 else None
    return _pair(rng, heart, {"rate_bpm": float(rng.uniform(185.0, 220.0)), "rr_sd_ms": 2.0})


def slow(rng: np.random.Generator) -> tuple[Carrier, es.Ecg]:
    """30 to 36/min."""
    told = {"rate_bpm": float(rng.uniform(30.0, 36.0)), "rr_sd_ms": 20.0, "duration_s": float(rng.choice([10.0, 20.0]))}
    return _pair(rng, None, told)


def pacing(rng: np.random.Generator) -> tuple[Carrier, es.Ecg]:
    """Spikes before P, before the QRS complex, before both, or at a rate of their own; 0.1 to 20 mV, with what follows them."""
    which = str(rng.choice(["atrial", "ventricular", "both", "not capturing"]))
    ventricular = which in ("ventricular", "both")
    heart = heart_with_lbbb(paced=which == "ventricular") if ventricular else None
    # the fastest rate of a simulated ventricular beat at which T still ends before the next beat
    carrier, before = _pair(
        rng, heart, {"rate_bpm": float(rng.uniform(55.0, 90.0)), "rr_sd_ms": 0.0, "st_uv": None, "t_uv": None}
    )
    ecg, times = carrier.ecg, []
    rr_ms = 60_000.0 / carrier.truth.intervals["rate_bpm"]
    onsets = _onsets_ms(carrier)
    if which in ("atrial", "both"):
        times += (onsets - 170.0 - rng.uniform(0.0, 40.0)).tolist()
    if ventricular:
        times += (onsets - rng.uniform(0.0, 25.0)).tolist()
    if which == "not capturing":
        times = np.arange(rng.uniform(0.0, 500.0), 1000.0 * ecg.duration_s, rr_ms * rng.uniform(0.6, 1.4)).tolist()
    size = log_uniform(rng, 100.0, 20_000.0)
    # Whether a paced QRS complex begins with its spike, up to 25 ms before the first fibre, is a matter of convention.
    truth = carrier.truth.without("qrs_ms") if ventricular else carrier.truth
    return replace(carrier, ecg=with_spikes(ecg, times, size, rng), truth=truth), before


def _onsets_ms(carrier: Carrier) -> Floats:
    """About where the QRS complexes begin, by the simulation's own instants."""
    found = es.delineate(carrier.ecg)
    onset = found.qrs_onset[np.isfinite(found.qrs_onset)]
    return np.asarray(onset * 1000.0 / carrier.ecg.fs)


def with_spikes(ecg: es.Ecg, times_ms: list[float], size_uv: float, rng: np.random.Generator) -> es.Ecg:
    """Pacing spikes of 0.5 to 2 ms, smeared to the width of a sample or two, and the charge that they leave."""
    time = np.arange(ecg.signal_uv.shape[1]) * 1000.0 / ecg.fs
    width = max(float(rng.uniform(0.5, 2.0)), 700.0 / ecg.fs)
    left, tau_ms = float(rng.choice([0.0, 0.03, 0.1])), float(rng.uniform(5.0, 60.0))
    total = np.zeros(len(time))
    for at in times_ms:
        since = time - at
        total += np.exp(-0.5 * (since / width) ** 2) - left * np.where(since > 0, np.exp(-np.maximum(since, 0.0) / tau_ms), 0.0)
    direction = rng.normal(size=3)
    rows = _project(direction / np.linalg.norm(direction))[[STANDARD.index(lead) for lead in ecg.leads]]
    return replace(ecg, signal_uv=ecg.signal_uv + size_uv * np.outer(rows, total))


def _project(vector: Floats) -> Floats:
    """A heart vector in the twelve leads."""
    return np.asarray(limb_matrix() @ (load_heart().lead_matrix @ vector))
