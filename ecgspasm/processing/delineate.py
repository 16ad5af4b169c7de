"""Onset, peak and offset of P, QRS and T in every lead and beat.

A small net gives, for every lead and 8 ms, the probability of each wave (`net`); what is a wave is decided on the mean over the
leads and on the beats around, and where it lies in a lead from that lead's own probabilities (`decode`). Neither depends on the
sign of a wave: inverted and biphasic ones are found like upright ones, and their shape is read off the signal here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Beats, Delineation, Floats, Strings, Waves, read_only
from ecgspasm.processing import net
from ecgspasm.processing.decode import Found, Wave, decode
from ecgspasm.processing.lobes import shapes
from ecgspasm.processing.refine import refine
from ecgspasm.processing.settings import settings
from ecgspasm.processing.spans import Integral
from ecgspasm.processing.uwave import find_u

Probabilities = Callable[[Floats, float], tuple[NDArray[np.float32], float]]
"""From a signal in uV, shape (lead, sample), and its sampling rate: probabilities (lead, class, frame) and their frame rate."""


@cache
def shipped_weights() -> net.Weights:
    """The weights that come with the package."""
    with as_file(files("ecgspasm.processing").joinpath("net.npz")) as path:
        return net.load_weights(path)


def shipped_net(signal_uv: Floats, fs: float) -> tuple[NDArray[np.float32], float]:
    """Probabilities by the net that comes with the package."""
    return net_with(shipped_weights(), signal_uv, fs)


def net_with(weights: net.Weights, signal_uv: Floats, fs: float) -> tuple[NDArray[np.float32], float]:
    """Probabilities by a net with other weights."""
    return net.wave_probabilities(signal_uv, fs, weights)


def find_waves(signal_uv: Floats, fs: float, probabilities: Probabilities = shipped_net) -> Found:
    """Find beats and waves.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        Usable leads only, without missing samples; neither drift nor the gain of the whole recording matters.
    fs : float
    probabilities : callable
        Another net.

    Returns
    -------
    Found
        Positions in fractional samples; only beats that have a fiducial.
    """
    if signal_uv.shape[0] == 0:
        return Found.empty()
    found = decode(*probabilities(signal_uv, fs), fs)
    integral = Integral(signal_uv)
    found = refine(found.take(np.isfinite(found.r_sample)), integral, fs)
    return find_u(found, integral, fs)


def delineation(
    found: Found, signal_uv: Floats, leads: tuple[str, ...], usable: NDArray[np.bool_], missing: NDArray[np.bool_], beats: Beats
) -> Delineation:
    """Lay found waves out by lead, take out what lies where the lead has no samples, and name the shapes.

    Parameters
    ----------
    found : Found
        Its rows are the usable leads.
    signal_uv : ndarray, shape (lead, sample)
        All leads, gaps bridged.
    leads : tuple of str
    usable : ndarray of bool, shape (lead,)
    missing : ndarray of bool, shape (lead, sample)
    beats : Beats
        The beats of `found`, aligned and judged.
    """
    p, qrs, t = (_all_leads(each, usable, missing) for each in (found.p, found.qrs, found.t))
    level = _level_before(signal_uv, found.qrs_onset, beats.fs)
    extra = _all_leads(found.extra_p, usable, missing)
    u_peak, u_shape = np.full(t.peak.shape, np.nan), np.full(t.peak.shape, "absent", dtype="U17")
    if found.u_peak is not None and found.u_shape is not None:
        u_peak[usable], u_shape[usable] = found.u_peak, found.u_shape
    rows = np.stack([extra.onset, extra.peak, extra.offset], axis=2)
    return Delineation(
        leads=leads,
        beats=beats,
        p=p,
        qrs=qrs,
        t=t,
        p_shape=_shapes(signal_uv, p, None),
        t_shape=_shapes(signal_uv, t, level),
        qrs_onset=read_only(found.qrs_onset),
        j=read_only(found.qrs_offset),
        u_peak=read_only(u_peak),
        u_shape=read_only(u_shape, "U17"),
        extra_p=tuple(read_only(row[np.isfinite(row[:, 1])]) for row in rows),
    )


def _all_leads(wave: Wave, usable: NDArray[np.bool_], missing: NDArray[np.bool_]) -> Waves:
    """Rows for all leads, nan for those not usable and for waves with a boundary where samples are missing."""
    full = np.full((3, len(usable), wave.onset.shape[1]), np.nan)
    full[:, usable] = np.stack([wave.onset, wave.peak, wave.offset])
    if missing.any():
        at = np.clip(np.nan_to_num(full), 0, missing.shape[1] - 1).astype(int)
        gone = missing[np.arange(len(usable))[None, :, None], at].any(axis=0)
        full[:, gone] = np.nan
    return Waves(*(read_only(part) for part in _in_order(full, missing.shape[1])))


def _in_order(full: Floats, n_samples: int) -> Floats:
    """Boundaries that lie outside the recording were not seen, and a peak lies between them, shape (3, lead, beat)."""
    onset, peak, offset = full
    outside = (full < 0) | (full > n_samples - 1)
    # The peak is a mean of several estimates, each good to some ms; in a narrow wave it may fall just beyond an edge.
    low, high = np.fmin(onset, peak), np.fmax(offset, peak)
    known = np.isfinite(onset) & np.isfinite(offset)
    full[1] = np.where(known & (onset <= offset), np.clip(peak, onset, offset), peak)
    full[0], full[2] = np.where(onset > offset, low, onset), np.where(onset > offset, high, offset)
    full[outside] = np.nan
    full[:, np.isnan(full[1])] = np.nan
    return full


def _at(signal_uv: Floats, position: Floats) -> Floats:
    """Samples of each lead nearest to positions of shape (lead, ...)."""
    index = np.clip(np.nan_to_num(position), 0, signal_uv.shape[1] - 1).round().astype(int)
    rows = np.arange(len(signal_uv)).reshape(-1, *[1] * (position.ndim - 1))
    return np.asarray(signal_uv[rows, index])


def _level_before(signal_uv: Floats, onset: Floats, fs: float) -> Floats:
    """Mean over the end of the PR segment, shape (lead, beat)."""
    steps = np.arange(1, max(2, round(settings("shape")["level_ms"] * fs / 1000.0) + 1))
    position = np.broadcast_to(onset[:, None] - steps, (len(signal_uv), len(onset), len(steps)))
    return np.asarray(_at(signal_uv, position).mean(axis=2))


def _shapes(signal_uv: Floats, waves: Waves, level: Floats | None) -> Strings:
    """Shape of each wave, (lead, beat): lobes above and below `level`, or the line between the ends of the wave itself."""
    n_points = settings("shape")["points"]
    share = np.linspace(0.0, 1.0, n_points)
    position = waves.onset[..., None] + (waves.offset - waves.onset)[..., None] * share
    values = _at(signal_uv, position)
    # A running mean over an eighth of the wave: noise must not make a lobe.
    width = n_points // 8
    total = np.cumsum(values, axis=2)
    values = (total[..., width:] - total[..., :-width]) / width
    if level is None:
        ends = np.linspace(0.0, 1.0, values.shape[2])
        values = values - values[..., :1] - ends * (values[..., -1:] - values[..., :1])
    else:
        values = values - level[..., None]
    high, low = values.max(axis=2), -values.min(axis=2)
    top, bottom = values.argmax(axis=2), values.argmin(axis=2)
    summit = np.where(high >= low, bottom, top)
    inside = (summit > 0) & (summit < values.shape[2] - 1)
    shape = shapes(high, low, top < bottom, inside)
    return read_only(np.where(np.isfinite(waves.peak), shape, "absent"), "U17")
