"""The median of the dominant beats, with its noise and the place of its waves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecgspasm.ecg import Beats, Delineation, Floats, MedianBeat, Strings, Waves, read_only
from ecgspasm.processing.settings import settings

ENDLESS = "the QRS complex runs on where it was seen to end, and no end is found"
_BEYOND_UV = 1e12  # larger than anything measured, but finite
_MEDIAN_SE = 1.2533  # standard error of a median over that of a mean, for normal noise
_MIDDLE_SE = 1.09  # standard error of the mean of the middle half over that of a mean, for normal noise


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
    n_spoilt = int(np.char.startswith(beats.reason, "ST-T disturbed").sum())
    if n_dominant < numbers["unspoilt_share"] * (n_dominant + n_spoilt):
        return f"movement or noise in {n_spoilt} of {len(beats)} beats; the others cannot be trusted either"
    return ""


def median_beat(clean_uv: Floats, fs: float, delineation: Delineation, beats: Beats, usable: NDArray[np.bool_]) -> MedianBeat:
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
    usable : ndarray of bool, shape (lead,)
        Leads that say how noisy the ECG is.

    Returns
    -------
    MedianBeat

    Notes
    -----
    The beats are laid on each other at fractions of a sample (cubic interpolation): at 250 Hz, whole samples would blur the end
    of the QRS complex, and with it J, by 10-20 uV.
    """
    numbers, measured = settings("median"), settings("measure")
    rows = np.flatnonzero(beats.dominant)
    before, after = (round(numbers[name] * fs / 1000.0) for name in ("before_ms", "after_ms"))
    stack, inside = stack_beats(clean_uv, beats.r_sample[rows], before, after)
    middle = middle_half(stack, inside)
    origin = beats.r_sample[rows] - before

    waves = (delineation.p, delineation.qrs, delineation.t)
    boundaries = np.stack([each for wave in waves for each in (wave.onset, wave.peak, wave.offset)])
    carried = _nanmedian(boundaries[:, :, rows] - origin)[..., None]
    p, qrs, t = (Waves(*map(read_only, carried[first : first + 3])) for first in (0, 3, 6))
    j_of_beats = delineation.j[rows] - origin
    onset, j = at = tuple(_nanmedian(np.stack([delineation.qrs_onset[rows] - origin, j_of_beats])).tolist())
    j_spread = _MEDIAN_SE * 1.4826 * float(_nanmedian(np.abs(j_of_beats - j))) / np.sqrt(len(rows)) * 1000.0 / fs
    next_ms = float(np.fmin.reduce(beats.rr_ms[1:][beats.dominant[:-1]], initial=np.inf)) - numbers["before_next_ms"]
    until = onset + next_ms * fs / 1000.0
    n_leads = max(int(np.isfinite(carried[3, :, 0]).sum()), 1)
    # The end of a broad QRS complex fades, each lead sees it elsewhere, and where some are lost so is what they would have said.
    broad = max((j - onset) / fs * 1000.0 / numbers["broad_ms"], 1.0) ** 2 if n_leads < len(delineation.leads) else 1.0

    def noise_over(level_ms: float, window_ms: float) -> Floats:
        scatter = _moderated(_scatter(stack, at, until, fs, level_ms, window_ms), usable, len(rows) - 1)
        return read_only(np.maximum(scatter / np.sqrt(len(rows)), numbers["smallest_noise_uv"]))

    return MedianBeat(
        leads=delineation.leads,
        fs=fs,
        signal_uv=read_only(middle),
        r_sample=float(before),
        noise_uv=noise_over(measured["pr_level_ms"], measured["st_window_ms"]),
        calm_noise_uv=noise_over(measured["calm_pr_level_ms"], measured["calm_st_window_ms"]),
        n_beats=len(rows),
        qrs_onset=onset,
        j=j,
        j_se_ms=float(max(j_spread, numbers["one_lead_j_se_ms"] / np.sqrt(n_leads) * broad)),
        p=p,
        qrs=qrs,
        t=t,
        p_shape=_commonest(delineation.p_shape[:, rows]),
        t_shape=_commonest(delineation.t_shape[:, rows]),
        u_peak=read_only(_usual_u(delineation.u_peak[:, rows], origin)),
    )


def _usual_u(u_peak: Floats, origin: Floats) -> Floats:
    """Where U peaks in the median beat, in the leads in which at least half of the beats have one, shape (lead, 1)."""
    usual = 2 * np.isfinite(u_peak).sum(axis=1) >= u_peak.shape[1]
    return np.where(usual, _nanmedian(u_peak - origin), np.nan)[:, None]


def quiet_leads(median: MedianBeat, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Usable leads without the noisy ones, which are refused by themselves later and must not speak for the others."""
    quiet = usable & (median.noise_uv <= settings("measure")["largest_st_se_uv"])
    return quiet if quiet.any() else usable


def with_whole_qrs(median: MedianBeat, usable: NDArray[np.bool_]) -> MedianBeat | None:
    """Move J on while the QRS complex still runs at full speed behind it; ``None`` if no end is found.

    A pacing spike that opens a broad QRS complex makes its end be seen too early.

    Parameters
    ----------
    median : MedianBeat
    usable : ndarray of bool, shape (lead,)
    """
    numbers = settings("qrs_end")
    per_ms = median.fs / 1000.0
    rows = quiet_leads(median, usable)
    smooth = ndimage.uniform_filter1d(median.signal_uv[rows], max(1, round(numbers["smooth_ms"] * per_ms)), axis=1)
    velocity = np.sqrt((np.gradient(smooth, axis=1) ** 2).sum(axis=0))
    j = round(median.j)
    top = velocity[round(median.qrs_onset) : j + 1].max(initial=0.0)
    later = velocity[j : j + round(numbers["reach_ms"] * per_ms)]
    if later[0] > numbers["flank_share"] * top:
        median = replace(median, j_se_ms=max(median.j_se_ms, numbers["flank_j_se_ms"]))
    if top == 0.0 or later[round(numbers["look_ms"] * per_ms)] <= numbers["runs_share"] * top:
        return median
    slow = np.flatnonzero(later < numbers["ended_share"] * top)
    return replace(median, j=float(j + slow[0] - numbers["smooth_ms"] / 2.0 * per_ms)) if len(slow) else None


def implausible(median: MedianBeat, usable: NDArray[np.bool_], rr_ms: float) -> str:
    """Why a median beat cannot be that of an organised rhythm; empty if it can.

    Fibrillation, flutter waves and rhythmic noise also repeat, but nowhere is their slope much steeper than elsewhere.
    """
    numbers = settings("organised")
    per_ms = median.fs / 1000.0
    qrs_ms = (median.j - median.qrs_onset) / per_ms
    if not numbers["qrs_ms"][0] <= qrs_ms <= numbers["qrs_ms"][1]:
        return f"no organised QRS: a width of {qrs_ms:.0f} ms is not that of a ventricular beat"
    if rr_ms < numbers["shortest_rr_ms"]:
        return f"no organised QRS: {60_000 / rr_ms:.0f}/min leaves no ST segment between two beats"
    rows = quiet_leads(median, usable)
    velocity = np.sqrt((np.gradient(median.signal_uv[rows], axis=1) ** 2).sum(axis=0))
    position = np.arange(len(velocity))
    cycle = (position > median.r_sample - 0.4 * rr_ms * per_ms) & (position < median.r_sample + 0.6 * rr_ms * per_ms)
    margin = numbers["margin_ms"] * per_ms
    inside = (position >= median.qrs_onset) & (position <= median.j)
    outside = cycle & ((position < median.qrs_onset - margin) | (position > median.j + margin))
    if not (inside.any() and outside.any()):
        return "no organised QRS: nothing but QRS between two beats"
    ratio = float(np.sqrt((velocity[inside] ** 2).mean() / max((velocity[outside] ** 2).mean(), 1e-12)))
    if ratio < numbers["steepness"]:
        return f"no organised QRS: slopes are {ratio:.1f} times as steep in it as elsewhere (fibrillation, noise, pacing spikes?)"
    return ""


def stack_beats(signal_uv: Floats, r_sample: Floats, before: int, after: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Beats around their fractional fiducials, shape (lead, beat, sample), and which samples lie inside the recording.

    Interpolated by the cubic convolution of Keys RG, IEEE Trans Acoust 1981;29:1153-1160.
    """
    whole = np.floor(r_sample).astype(int)
    share = (r_sample - whole)[:, None]
    position = whole[:, None] + np.arange(-before, after)
    wide = whole[:, None] + np.arange(-before - 1, after + 2)
    last = signal_uv.shape[1] - 1
    weights = (
        ((-0.5 * share + 1.0) * share - 0.5) * share,
        (1.5 * share - 2.5) * share**2 + 1.0,
        ((-1.5 * share + 2.0) * share + 0.5) * share,
        (0.5 * share - 0.5) * share**2,
    )
    around = signal_uv[:, np.clip(wide, 0, last)]
    length = position.shape[1]
    stack = weights[0] * around[:, :, :length]
    for step in (1, 2, 3):
        stack += weights[step] * around[:, :, step : step + length]
    return np.asarray(stack), (position >= 0) & (position <= last)


def middle_half(stack: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Mean of the middle half of the beats that reach each sample, shape (lead, sample); else of the nearest that has.

    The middle half (the interquartile mean) is as deaf to a spoilt beat as the median and leaves a seventh less noise; of two or
    three beats it is the mean or the median.
    """
    n_beats = stack.shape[1]
    count = inside.sum(axis=0)
    # What lies outside the recording is sorted to the end, where its weight is nothing.
    ordered = np.sort(stack if inside.all() else np.where(inside[None], stack, _BEYOND_UV), axis=1)
    dropped = count // 4 + (count == 3)
    rank = np.arange(n_beats)[:, None]
    weight = ((rank >= dropped) & (rank < count - dropped)) / np.maximum(count - 2 * dropped, 1)
    middle = np.einsum("lbs,bs->ls", ordered, weight)
    covered = np.flatnonzero(count)
    return np.asarray(middle[:, np.clip(np.arange(stack.shape[2]), covered[0], covered[-1])])


def _scatter(stack: Floats, at: tuple[float, float], until: float, fs: float, level_ms: float, window_ms: float) -> Floats:
    """How much the beats' own ST levels against their PR levels scatter (standard deviation), shape (lead,).

    Every beat's own levels, means over spans as in the measurement (to whole samples), are compared with those of the other
    beats; `at` are QRS onset and J, `until` is where the next beat may begin. The typical scatter says too little where some
    beats are far off and others hide it: then the plain standard deviation counts.
    """
    numbers = settings("median")
    onset, j = at
    if not (np.isfinite(onset) and np.isfinite(j)):
        onset, j = ((numbers["before_ms"] + side) * fs / 1000.0 for side in (-40.0, 40.0))

    def level(start: float, span_ms: float) -> Floats:
        width = max(round(span_ms * fs / 1000.0), 1)
        first = min(max(round(start), 0), stack.shape[2] - width)
        return np.asarray(stack[:, :, first : first + width].mean(axis=2))

    before = level(onset - level_ms * fs / 1000.0, level_ms)
    instants = [first for ms in numbers["noise_at_ms"] if (first := j + ms * fs / 1000.0) < until or ms == 0.0]
    values = np.stack([level(first, window_ms) - before for first in instants], axis=2)
    off = np.abs(values - np.median(values, axis=1, keepdims=True)).reshape(len(stack), -1)
    n_beats = stack.shape[1]
    scatter = 1.4826 * np.median(off, axis=1) * np.sqrt(n_beats / max(n_beats - 1, 1))
    plain = np.sqrt(values.var(axis=1, ddof=1 if n_beats > 1 else 0).mean(axis=1))
    return np.asarray(np.maximum(_MIDDLE_SE * scatter, plain))


def _moderated(scatter: Floats, usable: NDArray[np.bool_], own: int) -> Floats:
    """Scatter of the beats, shape (lead,), no smaller than together with that of the median usable lead.

    Weighted as so many beats each; a lead that is refused anyway must not make the others uncertain, nor a flat one sure.
    """
    others = settings("median")["other_leads_beats"]
    usual = float(np.median(scatter[usable])) if usable.any() else 0.0
    return np.asarray(np.maximum(scatter, np.sqrt((own * scatter**2 + others * usual**2) / (own + others))))


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
