"""Where the heart beats, from all leads together, and which beats are alike."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from ecgspasm.ecg import Beats, Floats, read_only
from ecgspasm.processing.settings import settings

_ENVELOPE_FS_HZ = 125.0  # twice the upper corner of the detection band and more; detection needs no finer grid
_MOST_SEEDS = 256  # beats tried as the dominant one; more would make long recordings quadratic in the number of beats


def detect(signal_uv: Floats, fs: float) -> Floats:
    """Find the QRS complexes.

    The slopes in the QRS band, rectified and added over the leads (each scaled to its own size), are smoothed into one envelope;
    its peaks above a local threshold are beats, and in long pauses a second look is taken with a lower one.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        Usable leads only, without missing samples.
    fs : float

    Returns
    -------
    ndarray, shape (beat,)
        Samples of the envelope's peaks, about the middle of each QRS complex.
    """
    numbers = settings("detection")
    if signal_uv.shape[0] == 0:
        return np.empty(0)
    envelope, step = _envelope(signal_uv, fs)
    rate = fs / step
    peaks, _ = signal.find_peaks(envelope, distance=max(1, round(numbers["refractory_ms"] * rate / 1000.0)))
    if len(peaks) == 0:
        return np.empty(0)
    reference = _reference_height(envelope, peaks, rate)
    share = envelope[peaks] / np.maximum(reference, 1e-9)
    found = peaks[share >= numbers["threshold"]]
    found = _second_look(found, peaks[share >= numbers["second_look"]])
    return np.asarray(_parabolic_top(envelope, found) * step)


def _envelope(signal_uv: Floats, fs: float) -> tuple[Floats, int]:
    """Envelope of the QRS band over all leads on a coarser grid, and that grid's step in samples."""
    numbers = settings("detection")
    step = max(1, int(fs // _ENVELOPE_FS_HZ))
    n_coarse = signal_uv.shape[1] // step
    # Block means: what they let through above the coarse grid's half rate lies far above the QRS band.
    coarse = block_means(signal_uv, step)
    rate = fs / step
    band = signal.sosfiltfilt(_band(rate), coarse, axis=1, padlen=min(int(0.5 * rate), n_coarse - 1))
    steep = np.abs(np.diff(band, axis=1, prepend=band[:, :1]))
    # A lead counts by its own typical QRS, so that one large or noisy lead does not decide alone.
    rank = int(0.98 * (n_coarse - 1))
    size = np.maximum(np.partition(steep, rank, axis=1)[:, rank], 1e-6)
    total = (steep / size[:, None]).mean(axis=0)
    width = max(1, round(numbers["smooth_ms"] * rate / 1000.0))
    return ndimage.uniform_filter1d(ndimage.uniform_filter1d(total, width), max(1, width // 2)), step


@lru_cache(maxsize=8)
def _band(rate: float) -> Floats:
    low, high = settings("detection")["band_hz"]
    return np.asarray(signal.butter(2, [low, min(high, 0.45 * rate)], "bandpass", fs=rate, output="sos"))


def block_means(signal_uv: Floats, step: int) -> Floats:
    """Means over `step` samples each, what is left at the end dropped, shape (lead, block)."""
    end = signal_uv.shape[1] // step * step
    total = signal_uv[:, :end:step].astype(float)
    for offset in range(1, step):  # strided sums are several times as fast as a mean over a short axis
        total += signal_uv[:, offset:end:step]
    return np.asarray(total / step)


def _reference_height(envelope: Floats, peaks: NDArray[np.intp], rate: float) -> Floats:
    """Typical height of a beat near each candidate: the median, over some seconds, of the highest peak of each window."""
    numbers = settings("detection")
    window = max(1, round(numbers["reference_window_s"] * rate))
    n_windows = max(1, len(envelope) // window)
    highest = envelope[: n_windows * window].reshape(n_windows, -1).max(axis=1)
    span = max(1, round(numbers["reference_span_s"] / numbers["reference_window_s"]))
    local = ndimage.median_filter(highest, size=min(span, n_windows), mode="nearest")
    return np.asarray(local[np.minimum(peaks // window, n_windows - 1)])


def _second_look(found: NDArray[np.intp], candidates: NDArray[np.intp]) -> NDArray[np.intp]:
    """Add weaker candidates where the distance between two beats is far above the usual one."""
    numbers = settings("detection")
    if len(found) < 3:
        return found
    usual = np.median(np.diff(found))
    left = np.searchsorted(found, candidates, side="right") - 1
    inside = (left >= 0) & (left < len(found) - 1)
    left = np.clip(left, 0, len(found) - 2)
    before, after = candidates - found[left], found[left + 1] - candidates
    far = (before + after > numbers["gap_factor"] * usual) & (np.minimum(before, after) > 0.4 * usual)
    return np.unique(np.concatenate([found, candidates[inside & far]]))


def _parabolic_top(values: Floats, peaks: NDArray[np.intp]) -> Floats:
    inner = np.clip(peaks, 1, len(values) - 2)
    left, top, right = values[inner - 1], values[inner], values[inner + 1]
    bend = left - 2 * top + right
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend < 0, 0.5 * (left - right) / bend, 0.0)
    return np.asarray(inner + np.clip(shift, -0.5, 0.5))


def classify(signal_uv: Floats, fs: float, r_sample: Floats, missing: NDArray[np.bool_]) -> Beats:
    """Align the beats on each other and say which are dominant, and why the others are not.

    Parameters
    ----------
    signal_uv : ndarray, shape (lead, sample)
        Usable leads only, without missing samples and without slow drift.
    fs : float
    r_sample : ndarray, shape (beat,)
        What `detect` found.
    missing : ndarray of bool, shape (sample,)
        Where some usable lead had no sample.

    Returns
    -------
    Beats
        With `r_sample` refined so that equal complexes have equal fiducials.
    """
    numbers = settings("beats")
    n_beats = len(r_sample)
    kind = np.full(n_beats, "dominant", dtype="U8")
    reason = np.full(n_beats, "", dtype="U60")
    low, high = (round(ms * fs / 1000.0) for ms in numbers["qrs_window_ms"])
    slack = round(numbers["largest_shift_ms"] * fs / 1000.0)
    centre = np.round(r_sample).astype(int)
    whole = (centre + low - slack >= 0) & (centre + high + slack < signal_uv.shape[1])
    kind[~whole], reason[~whole] = "unusable", "QRS cut off by the edge of the recording"
    if whole.any():
        wide = signal_uv[:, centre[whole, None] + np.arange(low - slack, high + slack + 1)]
        wide = wide - wide.mean(axis=2, keepdims=True)
        shift, correlation = _align(wide, slack)
        r_sample = r_sample.copy()
        r_sample[whole] = centre[whole] + shift
        other = np.flatnonzero(whole)[correlation < numbers["same_kind_correlation"]]
        kind[other] = "ectopic"
        for beat, r in zip(other, correlation[correlation < numbers["same_kind_correlation"]], strict=True):
            reason[beat] = f"QRS differs from the dominant one (r = {r:.2f})"
    _mark_premature(r_sample, kind, reason)
    _mark_missing(r_sample, fs, missing, kind, reason)
    return Beats(read_only(r_sample), read_only(kind, "U8"), read_only(reason, "U60"), fs)


def usual_rr_ms(beats: Beats, gone: NDArray[np.bool_], spikes: NDArray[np.intp]) -> float:
    """Median interval between beats in ms, of those in which no beat may have been lost.

    Parameters
    ----------
    beats : Beats
        At least two dominant ones.
    gone : ndarray of bool, shape (sample,)
        Where most usable leads have no sample.
    spikes : ndarray of int, shape (spike,)
        Where pacing spikes are: what is not like the other beats and lies on one is a spike that nothing followed.
    """
    numbers = settings("beats")
    near = numbers["on_spike_ms"] * beats.fs / 1000.0
    on_spike = (np.abs(beats.r_sample[:, None] - spikes) < near).any(axis=1)
    r_sample = beats.r_sample[beats.dominant | ~on_spike]
    before = np.concatenate([[0], np.cumsum(gone)])[np.clip(np.round(r_sample), 0, len(gone)).astype(int)]
    whole = np.diff(before) < numbers["largest_gap_ms"] * beats.fs / 1000.0
    rr_ms = np.diff(r_sample) * 1000.0 / beats.fs
    return float(np.median(rr_ms[whole] if whole.any() else rr_ms))


def _align(wide: Floats, slack: int) -> tuple[Floats, Floats]:
    """Shift (samples) that lays each complex on the dominant one, and its correlation there.

    `wide` has shape (lead, beat, window + 2 slack).
    """
    numbers = settings("beats")
    n_beats = wide.shape[1]
    inner = wide[:, :, slack : wide.shape[2] - slack]
    # A lead counts by how well its beats repeat: one full of noise must not make all beats look different.
    energy = (inner**2).sum(axis=2).mean(axis=1)
    repeated = (_middle_beat(inner) ** 2).sum(axis=1) / np.maximum(energy, 1e-9)
    wide = wide * np.minimum(repeated, 1.0)[:, None, None]
    inner = wide[:, :, slack : wide.shape[2] - slack]
    flat = _unit(np.moveaxis(inner, 1, 0).reshape(n_beats, -1))
    seeds = np.unique(np.linspace(0, n_beats - 1, min(n_beats, _MOST_SEEDS)).round().astype(int))
    alike = flat[seeds] @ flat.T
    # The envelope's peak may sit some ms apart in equal beats, so the crowd is chosen with a softer limit than the verdict.
    crowd = alike > numbers["crowd_correlation"]
    template_rows = crowd[np.argmax(crowd.sum(axis=1))]
    norm = _window_norm(wide, inner.shape[2])
    shift: Floats = np.zeros(n_beats)
    best: Floats = np.zeros(n_beats)
    for _ in range(2):
        rows = np.flatnonzero(template_rows)[:_MOST_SEEDS]
        picked = slack + shift[rows].round().astype(int)
        window = picked[:, None] + np.arange(inner.shape[2])
        template = _middle_beat(wide[:, rows[:, None], window])
        shift, best = _best_lag(wide, norm, template - template.mean(axis=1, keepdims=True))
        fits = best > numbers["template_correlation"]
        template_rows = fits if fits.any() else template_rows
    return shift, best


def _middle_beat(stack: Floats) -> Floats:
    """Median over the beats of (lead, beat, sample); sorting so few is faster than looking for the middle one."""
    ordered = np.sort(stack, axis=1)
    n_beats = stack.shape[1]
    return np.asarray((ordered[:, (n_beats - 1) // 2] + ordered[:, n_beats // 2]) / 2.0)


def _window_norm(wide: Floats, length: int) -> Floats:
    """Norm over all leads of each window of `length`, each lead's mean taken off, shape (beat, lag)."""
    zero = np.zeros((*wide.shape[:2], 1))
    first = np.concatenate([zero, np.cumsum(wide, axis=2)], axis=2)
    second = np.concatenate([zero, np.cumsum(wide**2, axis=2)], axis=2)
    total = first[:, :, length:] - first[:, :, :-length]
    square = second[:, :, length:] - second[:, :, :-length]
    return np.asarray(np.sqrt(np.maximum((square - total**2 / length).sum(axis=0), 1e-9)))


def _best_lag(wide: Floats, norm: Floats, template: Floats) -> tuple[Floats, Floats]:
    """Correlate each beat with the template at every lag as one matrix product; give the best lag and its correlation."""
    n_leads, n_beats, width = wide.shape
    length = template.shape[1]
    n_lags = width - length + 1
    # Column `lag` holds the template moved by that many samples: windows of the padded template, read backwards.
    padded = np.zeros((n_leads, width + n_lags - 1))
    padded[:, n_lags - 1 : n_lags - 1 + length] = template
    shifted = np.lib.stride_tricks.sliding_window_view(padded, n_lags, axis=1)[:, :, ::-1]
    product = np.moveaxis(wide, 1, 0).reshape(n_beats, -1) @ shifted.reshape(-1, n_lags)
    score = product / norm / (np.linalg.norm(template) + 1e-9)
    top = score.argmax(axis=1)
    return _parabolic_rows(score, top) - (n_lags - 1) // 2, score[np.arange(n_beats), top]


def _parabolic_rows(score: Floats, top: NDArray[np.intp]) -> Floats:
    rows = np.arange(len(score))
    inner = np.clip(top, 1, score.shape[1] - 2)
    left, mid, right = score[rows, inner - 1], score[rows, inner], score[rows, inner + 1]
    bend = left - 2 * mid + right
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros_like(mid), where=bend < 0)
    return np.asarray(np.where(top == inner, inner + np.clip(shift, -0.5, 0.5), top))


def _unit(rows: Floats) -> Floats:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9))


def _mark_premature(r_sample: Floats, kind: NDArray[np.str_], reason: NDArray[np.str_]) -> None:
    numbers = settings("beats")
    if len(r_sample) < 4:
        return
    rr = np.diff(r_sample)
    usual = np.median(rr)
    if np.median(np.abs(rr - usual)) > numbers["irregular_share"] * usual:
        return  # in atrial fibrillation every beat is early or late; leaving those out would leave none
    early = np.concatenate([[False], rr < numbers["premature_share"] * usual]) & (kind == "dominant")
    kind[early] = "ectopic"
    for beat in np.flatnonzero(early):
        reason[beat] = f"premature: {100 * rr[beat - 1] / usual:.0f} % of the median interval"


def _mark_missing(
    r_sample: Floats, fs: float, missing: NDArray[np.bool_], kind: NDArray[np.str_], reason: NDArray[np.str_]
) -> None:
    if not missing.any():
        return
    count = np.concatenate([[0], np.cumsum(missing)])
    first, last = (ms * fs / 1000.0 for ms in settings("beats")["beat_window_ms"])
    low = np.clip(np.round(r_sample + first), 0, len(missing)).astype(int)
    high = np.clip(np.round(r_sample + last), 0, len(missing)).astype(int)
    spoilt = (count[high] > count[low]) & (kind == "dominant")
    kind[spoilt], reason[spoilt] = "unusable", "samples are missing in this beat"


def mark_spoilt(clean_uv: Floats, beats: Beats, placed: NDArray[np.bool_]) -> Beats:
    """Leave out dominant beats whose ST-T segment differs from the others' in some lead (movement, a step of the baseline).

    Parameters
    ----------
    clean_uv : ndarray, shape (lead, sample)
        Usable leads only, baseline removed.
    beats : Beats
    placed : ndarray of bool, shape (beat,)
        Whether QRS onset and J of the beat are known; a beat without them is left out too.
    """
    numbers = settings("beats")
    kind, reason = beats.kind.copy(), beats.reason.copy()
    lost = beats.dominant & ~placed
    kind[lost], reason[lost] = "unusable", "QRS onset or J not found"
    low, high = (round(ms * beats.fs / 1000.0) for ms in numbers["st_t_window_ms"])
    span = np.arange(low, high)
    centre = np.round(beats.r_sample).astype(int)
    cut = (kind == "dominant") & ((centre + span[0] < 0) | (centre + span[-1] >= clean_uv.shape[1]))
    kind[cut], reason[cut] = "unusable", "ST-T cut off by the edge of the recording"
    rows = np.flatnonzero(kind == "dominant")
    if len(rows) >= 4 and clean_uv.shape[0]:
        coarse = ndimage.uniform_filter1d(clean_uv, max(1, round(0.02 * beats.fs)), axis=1)
        stack = coarse[:, centre[rows, None] + span[:: max(1, round(0.02 * beats.fs))]]
        apart = np.abs(stack - np.median(stack, axis=1, keepdims=True)).mean(axis=2)  # (lead, beat)
        usual = np.maximum(np.median(apart, axis=1, keepdims=True), numbers["spoilt_floor_uv"] / numbers["spoilt_factor"])
        worst = (apart / usual).max(axis=0)
        for beat in rows[worst > numbers["spoilt_factor"]]:
            kind[beat], reason[beat] = "unusable", "ST-T disturbed by movement or noise"
    return Beats(beats.r_sample, read_only(kind, "U8"), read_only(reason, "U60"), beats.fs)
