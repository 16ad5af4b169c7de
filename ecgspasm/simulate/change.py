"""Changes of ST, T and U in uV: asked of a simulated heart, or put into a recording that is already there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.leads import DERIVED
from ecgspasm.simulate.heart import EDGE_SIGMAS, INDEPENDENT, ST_FLAT_MS, ST_RISE_MS, T_GATE_MS, Template, raised_cosine
from ecgspasm.simulate.truth import Fiducials

Amounts = Mapping[str, float]

_FOLLOWS = tuple(lead for lead in DERIVED if lead not in INDEPENDENT)
_T_RISE_SIGMAS = 3.7
"""From J to the T peak, in standard deviations of the rising half: as in the simulated heart."""


def amounts(name: str, given: Amounts | None) -> dict[str, float]:
    """Check amounts in uV, one a lead; leads that follow from I and II are refused."""
    checked: dict[str, float] = {}
    if given is not None and not isinstance(given, Mapping):
        raise EcgError(f"{name} is {type(given).__name__}; give a mapping of lead to uV, e.g. {{'V2': 150}}")
    for key, value in (given or {}).items():
        lead = lead_names.canonical(key)
        if lead in _FOLLOWS:
            raise EcgError(f"{name} names {lead}, which follows from I and II; give the amounts of I and II instead")
        if not isinstance(value, int | float | np.number) or not np.isfinite(value):
            raise EcgError(f"{name} of {lead} is {value!r}; give a finite number of uV")
        checked[lead] = float(value)
    return checked


def as_column(name: str, given: Amounts | None) -> Floats:
    """Amounts of the eight independent leads, ``nan`` where none is given, shape (8,)."""
    checked = amounts(name, given)
    unknown = sorted(set(checked) - set(INDEPENDENT))
    if unknown:
        raise EcgError(f"{name} names {unknown[0]}, which is not simulated; give some of {', '.join(INDEPENDENT)}")
    return np.array([checked.get(lead, np.nan) for lead in INDEPENDENT])


def vector(name: str, given: Sequence[float] | None) -> Floats:
    """Check a change of the heart vector in uV along X (left), Y (foot), Z (back), shape (3,)."""
    values = np.zeros(3) if given is None else np.asarray(given, dtype=float)
    if values.shape != (3,) or not np.isfinite(values).all():
        raise EcgError(f"{name} is {given!r}; give three finite numbers of uV: left, foot, back")
    return values


def with_u(template: Template, target: Floats) -> Template:
    """Set the U wave of some leads: their value at the peak of U against the line, shape (8,), ``nan`` = leave."""
    now = template.at(np.array([Fiducials(template).u_peak]))[:, 0]
    return template.plus("U", np.nan_to_num(target - now))


def with_t(template: Template, target: Floats) -> Template:
    """Set the T amplitude (the larger lobe) of some leads, whatever ST and U add there; shape (8,), ``nan`` = leave.

    The lead is ``rest(t) + c * T(t)``. For an upright target the largest c that nowhere exceeds it is the least of
    ``(target - rest) / T``; for an inverted one the signs turn.
    """
    time = Fiducials(template).t_window
    main = template.row("T")
    hump = template.only([main]).basis(time)[0]
    cleared = template.plus("T", -np.where(np.isfinite(target), template.weights[:, main], 0.0))
    share = (target[:, None] - cleared.at(time)) / hump
    wanted = np.where(target > 0, share.min(axis=1), share.max(axis=1))
    changed = cleared.plus("T", np.nan_to_num(wanted))
    marks = Fiducials(changed)
    rows = np.arange(len(INDEPENDENT))
    peaks = marks.t_peaks[_rows_of_independent()]
    found = changed.at(peaks)[rows, rows]
    for lead, value, asked in zip(INDEPENDENT, found, target, strict=True):
        if abs(value - asked) > 1.0:
            raise EcgError(f"t_uv of {lead} cannot be {asked:g}, the ST segment runs over it; give a smaller st_uv there")
    return changed


def _rows_of_independent() -> list[int]:
    return [lead_names.STANDARD.index(lead) for lead in INDEPENDENT]


def inject(
    ecg: Ecg,
    r_samples: ArrayLike,
    *,
    j_samples: ArrayLike,
    t_peak_samples: ArrayLike,
    t_end_samples: ArrayLike,
    st_uv: Amounts | None = None,
    t_change_uv: Amounts | None = None,
) -> Ecg:
    """Put a known ST and T change into a recording.

    An ST change rises over the 20 ms before J (but not before R), keeps its level from J to 80 ms after it (or to the
    T peak, if that comes first) and fades until the T wave ends. A T change is an asymmetric Gaussian at the T peak; it
    is exactly nothing until J. A beat with a ``nan`` among its four instants is left as it is.

    Parameters
    ----------
    ecg : Ecg
    r_samples, j_samples, t_peak_samples, t_end_samples : array_like, shape (beat,)
        R, J, the peak and the end of T of every beat that is to change, in (fractional) samples.
    st_uv, t_change_uv : mapping of str to float, optional
        What is added at J and at the T peak, in uV, per lead. Of the limb leads only I and II can be given; III, aVR,
        aVL and aVF change with them, so that Einthoven's law holds as well as it did before.

    Returns
    -------
    Ecg
        A new recording; missing samples stay missing.

    Raises
    ------
    EcgError
        If a lead is missing or follows from others, or if the instants cannot be those of J and T.
    """
    given = (r_samples, j_samples, t_peak_samples, t_end_samples)
    marks = [np.atleast_1d(np.asarray(samples, dtype=float)) for samples in given]
    if any(mark.ndim != 1 or mark.shape != marks[0].shape for mark in marks):
        raise EcgError("r_samples, j_samples, t_peak_samples, t_end_samples differ in length; give one of each a beat")
    beats = np.stack(marks, axis=1)
    beats = beats[np.isfinite(beats).all(axis=1)]
    if (np.diff(beats, axis=1) <= 0).any():
        raise EcgError("the instants are out of order; give r_samples < j_samples < t_peak_samples < t_end_samples")
    st, t = _rows(ecg, "st_uv", st_uv), _rows(ecg, "t_change_uv", t_change_uv)
    st_wave, t_wave = _waves(beats * 1000.0 / ecg.fs, ecg.signal_uv.shape[1], ecg.fs)
    return replace(ecg, signal_uv=ecg.signal_uv + st[:, None] * st_wave + t[:, None] * t_wave)


def _rows(ecg: Ecg, name: str, given: Amounts | None) -> Floats:
    """What to add to each row of the recording, the derived limb leads with I and II."""
    checked = amounts(name, given)
    limb = [lead for lead in checked if lead in ("I", "II")]
    for lead in checked:
        carriers = (lead, *(_FOLLOWS if lead in limb else ()))
        if not set(carriers) & set(ecg.leads):
            raise EcgError(f"{name} names {lead}, which this recording lacks; it has {', '.join(ecg.leads)}")
    added = np.zeros(len(ecg.leads))
    for row, lead in enumerate(ecg.leads):
        recipe = DERIVED[lead] if lead in _FOLLOWS else {lead: 1.0}
        added[row] = sum(weight * checked.get(part, 0.0) for part, weight in recipe.items())
    return added


def _waves(beats_ms: Floats, n_samples: int, fs: float) -> tuple[Floats, Floats]:
    """The ST and the T change at unit height, shape (sample,) each."""
    st_wave, t_wave = np.zeros(n_samples), np.zeros(n_samples)
    time = np.arange(n_samples) * 1000.0 / fs
    for r, j, peak, end in beats_ms:
        left, right = (peak - j) / _T_RISE_SIGMAS, (end - peak) / EDGE_SIGMAS
        rises = max(j - ST_RISE_MS, r)
        first, last = np.searchsorted(time, (rises, peak + 6.0 * right))
        near = slice(int(first), int(last) + 1)
        lag = time[near] - peak
        fades = min(j + ST_FLAT_MS, peak)
        st_wave[near] += raised_cosine(time[near], rises, j) * (1 - raised_cosine(time[near], fades, end))
        gate = raised_cosine(time[near], j, min(j + T_GATE_MS, peak))
        t_wave[near] += np.exp(-0.5 * (lag / np.where(lag < 0, left, right)) ** 2) * gate
    return st_wave, t_wave
