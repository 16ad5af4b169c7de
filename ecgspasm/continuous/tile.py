"""One tile of a recording: its beats, and what is measured in every lead of each.

A tile is a pure function of the samples in it and its margins, and of the fiducials that the tile before has left. All values are
linear in the signal once the fiducials are known (levels and heights at carried places against the carried PR level), so that
averaging them over beats measures the averaged beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecgspasm.continuous.average import Averages, Fiducials, average_beats, find_fiducials, known_median
from ecgspasm.continuous.carry import Carried, carried_marks, once_more, to_carry
from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import ST_OFFSETS_MS, Beats, Ecg, Floats, MedianBeat, Waves
from ecgspasm.processing import beats as beat_steps
from ecgspasm.processing import clean, median, quality
from ecgspasm.processing.settings import settings as step_settings
from ecgspasm.processing.spans import Integral

Mask = NDArray[np.bool_]

BEAT_MEASURES = (*(f"st_j{ms or ''}_uv" for ms in ST_OFFSETS_MS), "t_positive_uv", "t_negative_uv", "u_uv")
"""What is measured in every beat."""
SHAPE_MEASURES = ("r_uv", "s_uv", "qrs_area_uv_ms")
"""What is measured in the averaged beats, to tell whether the QRS complex has changed."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """The averaged beats of a tile's windows, for plots and for what needs the whole QRS complex."""

    window: NDArray[np.intp]
    """Number of the window since the beginning of the recording, shape (window,)."""
    shape: Floats
    """`SHAPE_MEASURES`, (measure, lead, window)."""
    qrs_ms: float
    beat_uv: NDArray[np.int16]
    """Shape (window, lead, sample) at `kept_fs_hz`, in uV; 0 throughout where a lead was not usable."""
    r_index: float
    """Sample of the fiducial in them."""


@dataclass(frozen=True, eq=False)
class Tile:
    """What came of one tile."""

    start: int
    stop: int
    """Samples of the recording; the tile's own part, without margins."""
    reasons: tuple[str, ...]
    """Per lead: empty, or why it was not measured."""
    r_sample: Floats
    """Dominant beats in absolute samples, shape (beat,)."""
    rr_ms: Floats
    """Interval to the beat before, of whatever kind, shape (beat,)."""
    values: NDArray[np.float32]
    """`BEAT_MEASURES` in (measure, lead, beat); ``nan`` where not measured."""
    n_beats: int
    """All beats, also those of another kind."""
    pictures: Pictures | None
    carried: Carried | None = None
    """Fiducials for the next tile."""


def measure_tile(
    signal_uv: Floats,
    fs: float,
    leads: tuple[str, ...],
    core: tuple[int, int, int],
    average_s: float,
    carried: Carried | None = None,
) -> Tile:
    """Measure one tile.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        The tile with its margins.
    fs : float
    leads : tuple of str
    core : tuple of int
        Absolute sample of the first column, and where the tile's own part begins and ends in the recording.
    average_s : float
        Length of the windows over which the beats are averaged for fiducials and pictures.
    carried : Carried, optional
        What the tile before has left.
    """
    origin, start, stop = core
    missing = np.isnan(signal_uv)
    if missing.all() or signal_uv.shape[1] < step_settings("input")["shortest_s"] * fs:
        reason = "no signal" if missing.all() else "too short a piece of signal"
        return _nothing(start, stop, (reason,) * len(leads))
    ecg = Ecg(signal_uv=signal_uv, fs=fs, leads=leads)
    reasons = quality.lead_quality(ecg, missing_share=settings("tile")["missing_share"])
    usable = np.array([not reason for reason in reasons])
    if not usable.any():
        return _nothing(start, stop, reasons)
    filled = clean.remove_mains(clean.fill_gaps(signal_uv), fs)[usable]
    missing = missing[usable]
    beats = beat_steps.classify(filled, fs, beat_steps.detect(filled, fs), missing.all(axis=0))
    too_few = median.enough_beats(beats)
    own = beats.dominant & (beats.r_sample + origin >= start) & (beats.r_sample + origin < stop)
    if too_few or not own.any():
        return _nothing(start, stop, _also(reasons, too_few or "no beat like the others"), len(beats))
    rr = float(np.median(np.diff(beats.r_sample)))
    length = round(average_s * fs)
    window = ((beats.r_sample[beats.dominant] + origin) // length).astype(np.intp)
    averages = average_beats(filled, fs, beats.r_sample[beats.dominant], window, rr)
    if averages is None:
        return _nothing(start, stop, _also(reasons, "too few beats"), len(beats))
    marks = carried_marks(carried, averages, usable, fs)
    if marks is not None and carried is not None:
        carried = once_more(carried)
    else:
        marks = find_fiducials(averages, fs)
        if marks is None:
            return _nothing(start, stop, _also(reasons, "QRS onset or J not found"), len(beats))
        every = np.ones(int(usable.sum()), dtype=bool)
        refused = median.implausible(_as_median(averages, marks, fs, leads, usable), every, rr * 1000.0 / fs)
        if refused:
            return _nothing(start, stop, _also(reasons, refused), len(beats))
        carried = to_carry(averages, marks, usable)
    r = beats.r_sample[own]
    windows = np.clip(np.searchsorted(averages.window, (r + origin) // length), 0, len(averages.window) - 1)
    values = _beat_values(filled, missing, fs, beats, own, (averages, marks), windows)
    full = np.full((len(BEAT_MEASURES), len(leads), int(own.sum())), np.nan, dtype=np.float32)
    full[:, usable] = values
    rr_ms = beats.rr_ms[own]
    return Tile(
        start=start,
        stop=stop,
        reasons=reasons,
        r_sample=beats.r_sample[own] + origin,
        rr_ms=rr_ms,
        values=full,
        n_beats=int(((beats.r_sample + origin >= start) & (beats.r_sample + origin < stop)).sum()),
        pictures=_pictures(averages, marks, fs, usable, (start // length, -(-stop // length))),
        carried=carried,
    )


def _nothing(start: int, stop: int, reasons: tuple[str, ...], n_beats: int = 0) -> Tile:
    none = np.empty(0)
    empty = np.empty((len(BEAT_MEASURES), len(reasons), 0), dtype=np.float32)
    return Tile(start, stop, reasons, none, none, empty, n_beats, None)


def _also(reasons: tuple[str, ...], reason: str) -> tuple[str, ...]:
    return tuple(each or reason for each in reasons)


def _as_median(averages: Averages, marks: Fiducials, fs: float, leads: tuple[str, ...], usable: Mask) -> MedianBeat:
    """The average over the whole tile in the form that the other steps know."""
    n_leads = int(usable.sum())
    absent = np.full((n_leads, 1), np.nan)
    waves = Waves(absent, absent, absent)
    shape = np.full((n_leads, 1), "absent", dtype="U17")
    return MedianBeat(
        leads=tuple(lead for lead, each in zip(leads, usable, strict=True) if each),
        fs=fs,
        signal_uv=np.average(averages.signal_uv, axis=0, weights=averages.count),
        r_sample=float(averages.before),
        noise_uv=np.zeros(n_leads),
        calm_noise_uv=np.zeros(n_leads),
        n_beats=int(averages.count.sum()),
        qrs_onset=averages.before + marks.qrs_onset,
        j=averages.before + marks.j,
        j_se_ms=0.0,
        p=waves,
        qrs=waves,
        t=waves,
        p_shape=shape,
        t_shape=shape,
        u_peak=absent,
    )


def _beat_values(
    filled: Floats,
    missing: Mask,
    fs: float,
    beats: Beats,
    own: Mask,
    carried: tuple[Averages, Fiducials],
    row: NDArray[np.intp],
) -> Floats:
    """`BEAT_MEASURES` of the tile's own dominant beats in the usable leads, shape (measure, lead, beat); `row`: their windows."""
    averages, marks = carried
    per_ms = fs / 1000.0
    numbers = step_settings("measure")
    knots = beats.r_sample[beats.dominant] + marks.qrs_onset
    integral = Integral(clean.remove_baseline(filled, fs, knots))
    r = beats.r_sample[own]
    onset, j = r + marks.qrs_onset, r + marks.j
    level = integral.mean(onset - numbers["pr_level_ms"] * per_ms, onset)
    width = numbers["st_window_ms"] * per_ms
    values: list[Floats] = []
    for ms in ST_OFFSETS_MS:
        start = j + ms * per_ms - (width / 2 if ms else 0.0)
        values.append(integral.mean(start, start + width) - level)
    high, low = _t_places(averages, marks, fs)
    leads = np.arange(len(filled))[:, None]
    t_width = max(1.0, numbers["t_smooth_ms"] * per_ms)
    for place in (high, low):
        at = r + place[row].T
        values.append(np.where(np.isfinite(at), integral.mean_at(leads, np.nan_to_num(at), t_width) - level, np.nan))
    values.append(_u_height(integral, marks, r, row, fs, float(np.median(np.diff(beats.r_sample)))))
    stacked = np.stack(values)
    spoilt = _spoilt(integral, level, r, row, fs) | _touches(missing, r, fs)
    # Beats cut off by an end of the recording or a gap have no ST-T.
    spoilt |= (r + numbers["t_starts_ms"] * per_ms + marks.j > filled.shape[1] - 1)[None]
    stacked[:, spoilt] = np.nan
    return stacked


def _t_places(averages: Averages, marks: Fiducials, fs: float) -> tuple[Floats, Floats]:
    """Where T is highest and lowest in each window and lead, in samples from R, shape (window, lead)."""
    numbers = step_settings("measure")
    per_ms = fs / 1000.0
    smooth = ndimage.uniform_filter1d(averages.signal_uv, max(1, round(numbers["t_smooth_ms"] * per_ms)) | 1, axis=2)
    offset = np.where(np.isfinite(marks.t_offset), marks.t_offset, _nanmedian(marks.t_offset))
    offset = np.minimum(offset, _nanmedian(marks.t_offset) + numbers["t_end_slack_ms"] * per_ms)
    onset = np.where(np.isfinite(marks.t_onset), marks.t_onset, _nanmedian(marks.t_onset))
    onset = np.fmax(onset, marks.j + numbers["t_starts_ms"] * per_ms)
    place = np.arange(smooth.shape[2]) - averages.before
    inside = (place >= onset[..., None]) & (place <= offset[..., None])
    there = inside.any(axis=2)
    top = place[np.where(inside, smooth, -np.inf).argmax(axis=2)]
    bottom = place[np.where(inside, smooth, np.inf).argmin(axis=2)]
    return np.where(there, top, np.nan), np.where(there, bottom, np.nan)


def _nanmedian(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _u_height(integral: Integral, marks: Fiducials, r: Floats, row: NDArray[np.intp], fs: float, rr: float) -> Floats:
    """U against the line from the end of T to where the next P wave may begin, shape (lead, beat)."""
    numbers = step_settings("u_wave")
    per_ms = fs / 1000.0
    usual = 2 * np.isfinite(marks.u_peak).sum(axis=0) >= len(marks.u_peak)
    peak = np.where(usual, known_median(marks.u_peak), np.nan)
    start = known_median(marks.t_offset) + numbers["after_t_ms"] * per_ms
    next_p = marks.qrs_onset + rr * (1.0 - numbers["usual_pr_s"]) - numbers["before_p_ms"] * per_ms
    end = np.minimum(start + numbers["reach_ms"] * per_ms, next_p)
    known = np.isfinite(peak) & (peak > start) & (peak < end)
    leads = np.arange(len(peak))[:, None]
    width = max(1.0, step_settings("measure")["p_smooth_ms"] * per_ms)

    def at(place: Floats) -> Floats:
        return integral.mean_at(leads, r + np.where(known, place, 0.0)[:, None], width)

    share = (np.where(known, peak - start, 0.0) / np.where(known, end - start, 1.0))[:, None]
    height = at(peak) - at(start) - share * (at(end) - at(start))
    return np.where(known[:, None], height, np.nan)


def _spoilt(integral: Integral, level: Floats, r: Floats, row: NDArray[np.intp], fs: float) -> Mask:
    """Beats whose ST-T differs in a lead from the others' of their window (movement, a step of the baseline), shape (lead, beat).

    Of their window, not of the tile: in an attack ST-T changes fast, and the beats at its height are not to be lost.
    """
    numbers = settings("beats")
    low, high = (ms * fs / 1000.0 for ms in step_settings("beats")["st_t_window_ms"])
    width = 0.02 * fs
    start = r[:, None] + np.arange(low, high, width)
    stack = integral.mean(start, start + width) - level[..., None]
    apart = np.empty(stack.shape[:2])
    for each in np.unique(row):
        own = row == each
        apart[:, own] = np.abs(stack[:, own] - np.median(stack[:, own], axis=1, keepdims=True)).mean(axis=2)
    usual = np.maximum(np.median(apart, axis=1, keepdims=True), numbers["spoilt_floor_uv"] / numbers["spoilt_factor"])
    return np.asarray(apart > numbers["spoilt_factor"] * usual)


def _touches(missing: Mask, r: Floats, fs: float) -> Mask:
    """Beats in which a lead has missing samples, shape (lead, beat)."""
    if not missing.any():
        return np.zeros((len(missing), len(r)), dtype=bool)
    first, last = (ms * fs / 1000.0 for ms in step_settings("beats")["beat_window_ms"])
    count = np.concatenate([np.zeros((len(missing), 1), dtype=int), np.cumsum(missing, axis=1)], axis=1)
    low = np.clip(np.round(r + first), 0, missing.shape[1]).astype(int)
    high = np.clip(np.round(r + last), 0, missing.shape[1]).astype(int)
    return np.asarray(count[:, high] > count[:, low])


def _pictures(averages: Averages, marks: Fiducials, fs: float, usable: Mask, windows: tuple[int, int]) -> Pictures | None:
    """Averages of the tile's own windows at a coarse rate, and the size of their QRS complexes."""
    own = (averages.window >= windows[0]) & (averages.window < windows[1])
    if not own.any():
        return None
    beats = averages.signal_uv[own]
    low = max(averages.before + round(marks.qrs_onset), 0)
    high = max(averages.before + round(marks.j), low + 2) + 1
    part = beats[..., low:high] - beats[..., max(low - round(0.016 * fs), 0) : low + 1].mean(axis=-1, keepdims=True)
    shape = np.full((len(SHAPE_MEASURES), len(usable), int(own.sum())), np.nan)
    shape[:, usable] = np.stack(
        [np.maximum(part.max(axis=2), 0.0).T, np.minimum(part.min(axis=2), 0.0).T, np.trapezoid(part, dx=1000.0 / fs, axis=2).T]
    )
    kept = settings("average")["kept_fs_hz"]
    place = np.arange(0.0, beats.shape[2] - 1, fs / kept)
    coarse = ndimage.uniform_filter1d(beats, max(1, round(fs / kept)), axis=2)
    picture = np.zeros((int(own.sum()), len(usable), len(place)), dtype=np.int16)
    picture[:, usable] = np.clip(np.round(coarse[..., np.round(place).astype(int)]), -32000, 32000)
    return Pictures(
        window=averages.window[own],
        shape=shape,
        qrs_ms=(marks.j - marks.qrs_onset) * 1000.0 / fs,
        beat_uv=picture,
        r_index=averages.before * kept / fs,
    )
