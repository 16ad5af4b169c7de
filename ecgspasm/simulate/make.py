"""Make an ECG whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.leads import STANDARD
from ecgspasm.simulate import noise
from ecgspasm.simulate.change import Amounts, as_column, vector, with_t, with_u
from ecgspasm.simulate.heart import (
    INDEPENDENT,
    RATE_RANGE_BPM,
    Heart,
    Template,
    limb_matrix,
    load_heart,
    rotation_matrix,
    template,
)
from ecgspasm.simulate.rhythm import make_rhythm
from ecgspasm.simulate.truth import Rhythm, Truth, build

_BEATS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated ECG and what is true of it."""

    ecg: Ecg
    truth: Truth

    def __repr__(self) -> str:
        return f"Simulated({self.ecg!r}, {len(self.truth.r_sample)} beats)"


def ecg(
    *,
    fs: float,
    seed: int,
    duration_s: float = 10.0,
    rate_bpm: float = 70.0,
    leads: Sequence[str] = STANDARD,
    subject: Subject | None = None,
    heart: Heart | None = None,
    st_uv: Amounts | None = None,
    t_uv: Amounts | None = None,
    t_change_uv: Amounts | None = None,
    u_uv: Amounts | None = None,
    st_vector_uv: Sequence[float] | None = None,
    t_vector_uv: Sequence[float] | None = None,
    rotation_deg: float | Sequence[float] = 0.0,
    noise_uv: float = 0.0,
    mains_uv: float = 0.0,
    mains_hz: float = 50.0,
    wander_uv: float = 0.0,
    rr_sd_ms: float = 20.0,
    ectopic_at: Sequence[int] = (),
) -> Simulated:
    """Make a 12-lead ECG from a beating dipole, and say what is true of it.

    The beat is a formula of continuous time that is sampled, never resampled: the same seed at another sampling rate is
    the same ECG at other instants.

    Parameters
    ----------
    fs : float
        Samples per second.
    seed : int
        The same seed gives the same ECG.
    duration_s, rate_bpm : float
        QT follows the cube root of RR.
    leads : sequence of str
        Some of the twelve.
    subject : Subject, optional
    heart : Heart, optional
        Default: that of ``heart.toml``.
    st_uv : mapping of str to float, optional
        Adds an ST shift to dominant beats: whole at J, flat for 80 ms, fading until T ends. Per lead of I, II, V1-V6,
        as are the next three; the other limb leads follow by Einthoven's law.
    t_uv : mapping of str to float, optional
        Sets the T amplitude (signed, larger lobe), whatever ST and U add there.
    t_change_uv : mapping of str to float, optional
        Adds to the T wave.
    u_uv : mapping of str to float, optional
        Sets the level at the peak of U.
    st_vector_uv, t_vector_uv : sequence of three floats, optional
        Adds to the heart vector (left, foot, back) during ST or T, before rotation.
    rotation_deg : float or three floats
        Turns the heart: about the long axis, or about X, Y and Z. Leads set by `t_uv` and `u_uv` keep what was set.
    noise_uv, wander_uv : float
        Root mean square of muscle noise (15-150 Hz) and of drift (below 0.4 Hz) in each of I, II, V1-V6.
    mains_uv, mains_hz : float
        Amplitude (half of peak to peak) and frequency of mains hum.
    rr_sd_ms : float
        Standard deviation of RR: mostly respiratory sinus arrhythmia, some jitter.
    ectopic_at : sequence of int
        Which sinus beats (0 is the first in the recording) a premature ventricular beat replaces.

    Returns
    -------
    Simulated

    Raises
    ------
    EcgError
        If an argument is not possible.
    """
    _check_numbers(fs=fs, duration_s=duration_s, rate_bpm=rate_bpm)
    _check_not_negative(noise_uv=noise_uv, mains_uv=mains_uv, wander_uv=wander_uv, rr_sd_ms=rr_sd_ms)
    names = _check_leads(leads)
    streams = _streams(seed)
    heart = heart or load_heart()
    rotation = rotation_matrix(rotation_deg)
    dominant = template(heart, heart.dominant, rate_bpm, rotation)
    for wave, given in (("ST", st_vector_uv), ("T", t_vector_uv)):
        dominant = dominant.plus(wave, heart.lead_matrix @ rotation @ vector(f"{wave.lower()}_vector_uv", given))
    dominant = dominant.plus("ST", np.nan_to_num(as_column("st_uv", st_uv)))
    dominant = dominant.plus("T", np.nan_to_num(as_column("t_change_uv", t_change_uv)))
    dominant = with_u(dominant, as_column("u_uv", u_uv)) if u_uv else dominant
    dominant = with_t(dominant, as_column("t_uv", t_uv)) if t_uv else dominant
    templates = (dominant, template(heart, heart.ectopic, rate_bpm, rotation))

    n_samples = round(duration_s * fs)
    rhythm = make_rhythm(streams[0], duration_s, rate_bpm, rr_sd_ms, ectopic_at, templates)
    eight = _sample(rhythm, templates, n_samples, fs)
    if noise_uv:
        eight += noise.muscle(streams[1], n_samples, fs, noise_uv)
    if wander_uv:
        eight += noise.wander(streams[2], n_samples, fs, wander_uv)
    if mains_uv:
        eight += noise.mains(streams[3], n_samples, fs, mains_uv, mains_hz)
    signal = limb_matrix()[[STANDARD.index(lead) for lead in names]] @ eight
    made = Ecg(signal, fs, names, subject=subject or Subject(), source=f"simulated, seed {seed}")
    return Simulated(made, build(made.fs, n_samples, names, rhythm, templates))


def _sample(rhythm: Rhythm, templates: tuple[Template, Template], n_samples: int, fs: float) -> Floats:
    """Sum all beats at the instants of the samples, shape (8, sample); some beats at a time, to bound the memory."""
    eight = np.zeros((len(INDEPENDENT), n_samples))
    for beat, is_ectopic in zip(templates, (False, True), strict=True):
        first, last = beat.reach_ms
        steps = np.arange(int((last - first) * fs / 1000.0) + 1)
        instants = rhythm.r_ms[rhythm.ectopic == is_ectopic]
        for start in range(0, len(instants), _BEATS_AT_ONCE):
            r_ms = instants[start : start + _BEATS_AT_ONCE, None]
            sample = np.ceil((r_ms + first) * fs / 1000.0).astype(int) + steps
            value = beat.at(sample * 1000.0 / fs - r_ms)
            inside = (sample >= 0) & (sample < n_samples)
            for row in range(len(eight)):
                eight[row] += np.bincount(sample[inside], value[row][inside], minlength=n_samples)
    return eight


def _streams(seed: int) -> list[np.random.Generator]:
    """Independent random numbers for the rhythm and each noise, so that one never shifts another."""
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise EcgError(f"seed is {seed!r}; give a whole number, 0 or above")
    return [np.random.default_rng([int(seed), stream]) for stream in range(4)]


def _check_numbers(*, fs: float, duration_s: float, rate_bpm: float) -> None:
    limits = {"fs": FS_RANGE_HZ, "duration_s": (1.0, 86_400.0), "rate_bpm": RATE_RANGE_BPM}
    for (name, (low, high)), value in zip(limits.items(), (fs, duration_s, rate_bpm), strict=True):
        if not isinstance(value, int | float | np.number) or not low <= value <= high:
            raise EcgError(f"{name} is {value!r}; give a number between {low:g} and {high:g}")


def _check_not_negative(**values: float) -> None:
    for name, value in values.items():
        if not isinstance(value, int | float | np.number) or not 0 <= value < np.inf:
            raise EcgError(f"{name} is {value!r}; give a number that is 0 or above")


def _check_leads(leads: Sequence[str]) -> tuple[str, ...]:
    names = tuple(lead_names.canonical(lead) for lead in ([leads] if isinstance(leads, str) else leads))
    other = [lead for lead in names if lead not in STANDARD]
    if other:
        raise EcgError(f"lead {other[0]} cannot be simulated; give some of {', '.join(STANDARD)}")
    return names
