"""The median of the dominant beats, with its noise and the place of its waves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Beats, Delineation, Floats, MedianBeat, Strings, Waves, read_only
from ecgspasm.processing.settings import settings

_MEDIAN_SE = 1.2533  # standard error of a median over that of a mean, for normal noise


def enough_beats(beats: Beats) -> str:
    """Why there are too few alike beats for a median one; empty if there are enough."""
    numbers = settings("median")
    n_dominant = int(beats.dominant.sum())
    if len(beats) == 0:
        return "no heart beat found"
    if n_dominant < numbers["fewest_beats"]:
        return f"{n_dominant} usable of {len(beats)} beats; at least {numbers['fewest_beats']} alike ones are needed"
    if n_dominant < numbers["smallest_share"] * len(beats):
        return f"only {n_dominant} of {len(beats)} beats are alike"
    return ""


def median_beat(clean_uv: Floats, fs: float, delineation: Delineation, beats: Beats) -> MedianBeat:
    """Median of the dominant beats.

    Parameters
    ----------
    clean_uv : ndarray, shape (lead, sample)
        Baseline removed.
    fs : float
    delineation : Delineation
        Of the same recording; its boundaries, relative to each beat's fiducial, are carried over as medians over the beats.
    beats : Beats
        Which beats to use.

    Returns
    -------
    MedianBeat

    Notes
    -----
    The beats are laid on each other at fractions of a sample (cubic interpolation): at 250 Hz, whole samples would blur the end
    of the QRS complex, and with it J, by 10-20 uV.
    """
    numbers = settings("median")
    rows = np.flatnonzero(beats.dominant)
    before, after = (round(numbers[name] * fs / 1000.0) for name in ("before_ms", "after_ms"))
    stack, inside = _stack(clean_uv, beats.r_sample[rows], before, after)
    middle = _median_of_beats(stack) if inside.all() else _median_inside(stack, inside)
    origin = beats.r_sample[rows] - before

    waves = (delineation.p, delineation.qrs, delineation.t)
    boundaries = np.stack([each for wave in waves for each in (wave.onset, wave.peak, wave.offset)])
    carried = _nanmedian(boundaries[:, :, rows] - origin)[..., None]
    p, qrs, t = (Waves(*map(read_only, carried[first : first + 3])) for first in (0, 3, 6))
    j = delineation.j[rows] - origin
    j_spread = _MEDIAN_SE * 1.4826 * float(_nanmedian(np.abs(j - _nanmedian(j)))) / np.sqrt(len(rows)) * 1000.0 / fs
    return MedianBeat(
        leads=delineation.leads,
        fs=fs,
        signal_uv=read_only(middle),
        r_sample=float(before),
        noise_uv=read_only(_noise(stack, middle, inside, round(before + 0.05 * fs), round(before + 0.35 * fs))),
        n_beats=len(rows),
        qrs_onset=float(_nanmedian(delineation.qrs_onset[rows] - origin)),
        j=float(_nanmedian(j)),
        j_se_ms=float(max(j_spread, numbers["smallest_j_se_ms"])),
        p=p,
        qrs=qrs,
        t=t,
        p_shape=_commonest(delineation.p_shape[:, rows]),
        t_shape=_commonest(delineation.t_shape[:, rows]),
    )


def _stack(signal_uv: Floats, r_sample: Floats, before: int, after: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Beats around their fractional fiducials, shape (lead, beat, sample), and which samples lie inside the recording.

    Interpolated by the cubic convolution of Keys RG, IEEE Trans Acoust 1981;29:1153-1160.
    """
    whole = np.floor(r_sample).astype(int)
    share = (r_sample - whole)[:, None]
    position = whole[:, None] + np.arange(-before, after)
    last = signal_uv.shape[1] - 1
    weights = (
        ((-0.5 * share + 1.0) * share - 0.5) * share,
        (1.5 * share - 2.5) * share**2 + 1.0,
        ((-1.5 * share + 2.0) * share + 0.5) * share,
        (0.5 * share - 0.5) * share**2,
    )
    stack = sum(
        weight * signal_uv[:, np.clip(position + step, 0, last)] for step, weight in zip((-1, 0, 1, 2), weights, strict=True)
    )
    return np.asarray(stack), (position >= 0) & (position <= last)


def _median_of_beats(stack: Floats) -> Floats:
    """Median over the beats, shape (lead, sample); sorting takes a quarter of the time of `numpy.median` here."""
    ordered = np.sort(stack, axis=1)
    n = stack.shape[1]
    return np.asarray((ordered[:, (n - 1) // 2] + ordered[:, n // 2]) / 2)


def _median_inside(stack: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Median over the beats that reach each sample; where none does, the nearest sample that has one."""
    masked = np.where(inside[None], stack, np.nan)
    covered = inside.any(axis=0)
    middle = np.empty((stack.shape[0], stack.shape[2]))
    middle[:, covered] = np.nanmedian(masked[:, :, covered], axis=1)
    nearest = np.clip(np.arange(stack.shape[2]), *np.flatnonzero(covered)[[0, -1]])
    return np.asarray(middle[:, nearest])


def _noise(stack: Floats, middle: Floats, inside: NDArray[np.bool_], low: int, high: int) -> Floats:
    """Standard error of the median in the ST-T segment from the scatter of the beats, shape (lead,)."""
    # Every fourth sample: neighbours are no independent witnesses.
    part = np.where(inside[None, :, low:high:4], stack[:, :, low:high:4] - middle[:, None, low:high:4], np.nan)
    scatter = 1.4826 * _nanmedian(np.abs(part).reshape(len(part), -1))
    n = stack.shape[1]
    return np.asarray(_MEDIAN_SE * scatter / np.sqrt(n) * np.sqrt(n / max(n - 1, 1)))


def _nanmedian(values: Floats) -> Floats:
    """Median over the last axis without the nans; nan where at most half of the entries are there."""
    there = np.isfinite(values)
    filled = np.sort(np.where(there, values, np.inf), axis=-1)
    count = there.sum(axis=-1)
    low = np.clip((count - 1) // 2, 0, None)[..., None]
    high = np.clip(count // 2, 0, values.shape[-1] - 1)[..., None]
    middle = (np.take_along_axis(filled, low, -1) + np.take_along_axis(filled, high, -1))[..., 0] / 2
    return np.asarray(np.where(count * 2 > values.shape[-1], middle, np.nan))


def _commonest(shapes: Strings) -> Strings:
    """The most frequent shape of each lead, shape (lead, 1)."""
    names, codes = np.unique(shapes, return_inverse=True)
    codes = codes.reshape(shapes.shape)
    count = (codes[:, :, None] == np.arange(len(names))).sum(axis=1)
    return read_only(names[count.argmax(axis=1)][:, None], "U17")
