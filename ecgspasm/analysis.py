"""From a recording to its numbers: the only place that knows the order of the steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Analysis, Beats, Delineation, Ecg, Floats, MedianBeat
from ecgspasm.errors import EcgError
from ecgspasm.processing import artefacts, clean, median, quality
from ecgspasm.processing import beats as beat_steps
from ecgspasm.processing.blas import one_blas_thread
from ecgspasm.processing.delineate import Probabilities, delineation, find_waves, shipped_net
from ecgspasm.processing.measure import measure, nothing_measured
from ecgspasm.processing.repeats import DRIFTS, NO_HEARTBEAT, drifts, lead_repeats, not_ventricular
from ecgspasm.processing.settings import settings


@one_blas_thread()
def delineate(ecg: Ecg, *, probabilities: Probabilities = shipped_net) -> Delineation:
    """Find onset, peak and offset of P, QRS and T in every lead and beat.

    Parameters
    ----------
    ecg : Ecg
        At least 2.5 s.
    probabilities : callable, optional
        Another net than the one that comes with the package, see `processing.delineate.Probabilities`.

    Returns
    -------
    Delineation
        Rows are the leads of `ecg` in its own order; leads that cannot be used are absent throughout.

    Raises
    ------
    EcgError
        If the recording is too short.
    """
    ecg = quality.without_held(_an_ecg(ecg))
    return _delineated(ecg, quality.lead_quality(ecg), probabilities)[1]


@one_blas_thread()
def analyze(ecg: Ecg, *, probabilities: Probabilities = shipped_net) -> Analysis:
    """Measure one ECG.

    Parameters
    ----------
    ecg : Ecg
        Leads that follow from the limb leads there are added and marked as derived.
    probabilities : callable, optional
        Another net than the one that comes with the package, see `processing.delineate.Probabilities`.

    Returns
    -------
    Analysis
        Also when nothing could be measured: then every lead of `measurements` says why.

    Raises
    ------
    EcgError
        If the recording is too short.
    """
    ecg = quality.without_held(_an_ecg(ecg)).with_derived_leads()
    reasons = quality.with_sources(ecg, quality.lead_quality(ecg))
    found = _analysed(ecg, reasons, probabilities)
    # Leads without a heart have had a say in where the waves are.
    again = found.median is not None and NO_HEARTBEAT in found.quality
    return _analysed(ecg, found.quality, probabilities) if again else found


def _analysed(ecg: Ecg, reasons: tuple[str, ...], probabilities: Probabilities) -> Analysis:
    """Measure the leads that have no reason against it."""
    filled, found, spikes = _delineated(ecg, reasons, probabilities)
    usable = np.array([not reason for reason in reasons])
    if len(spikes.sample):
        filled, left = artefacts.without_spikes(filled, spikes, found.qrs_onset, found.j, ecg.fs)
        reasons = tuple(reason or more for reason, more in zip(reasons, left, strict=True))
    onsets = found.qrs_onset[found.beats.dominant]
    cleaned = clean.remove_baseline(filled, ecg.fs, onsets[np.isfinite(onsets)])
    placed = np.isfinite(found.qrs_onset) & np.isfinite(found.j)
    beats = beat_steps.mark_spoilt(cleaned[usable], found.beats, placed)
    found = found.with_beats(beats)
    missing = median.enough_beats(beats)
    middle = None if missing else median.with_whole_qrs(median.median_beat(cleaned, ecg.fs, found, beats, usable), usable)
    if middle is None:
        measured = nothing_measured(ecg.leads, reasons, missing or median.ENDLESS, ecg.subject, ecg.derived)
        return Analysis(ecg, cleaned, reasons, found, None, measured)
    gone = 2 * np.isnan(ecg.signal_uv[usable]).sum(axis=0) > usable.sum()
    rr_ms = beat_steps.usual_rr_ms(beats, gone, spikes.sample)
    repeats = lead_repeats(cleaned, beats, middle)
    implausible = median.implausible(middle, usable, rr_ms) or _no_heart(cleaned, beats, middle, reasons, repeats, rr_ms)
    reasons = tuple(reason or ("" if again else NO_HEARTBEAT) for reason, again in zip(reasons, repeats, strict=True))
    moving = drifts(middle, beats)
    reasons = quality.with_sources(ecg, reasons)
    reasons = tuple(reason or (DRIFTS if moves else "") for reason, moves in zip(reasons, moving, strict=True))
    if implausible:
        measured = nothing_measured(ecg.leads, reasons, implausible, ecg.subject, ecg.derived)
        return Analysis(ecg, cleaned, reasons, found, None, measured)
    measured = measure(middle, reasons, rr_ms=rr_ms, subject=ecg.subject, derived=ecg.derived)
    hidden = any(reason.startswith(artefacts.SPIKES) for reason in reasons) or rr_ms < settings("fast")["p_in_t_ms"]
    if hidden or artefacts.in_front(spikes, found.qrs_onset, ecg.fs):
        # What an atrial spike leaves behind looks like a P wave, or hides one; so does T at high rates.
        measured = replace(measured, pr_ms=float("nan"))
    return Analysis(ecg, cleaned, reasons, found, middle, measured)


def _no_heart(
    cleaned: Floats, beats: Beats, middle: MedianBeat, reasons: tuple[str, ...], repeats: NDArray[np.bool_], rr_ms: float
) -> str:
    """Why the recording as a whole shows no beating heart; empty if it does."""
    rows = np.array([not reason for reason in reasons]) & repeats
    looked_at = sum(not reason or NO_HEARTBEAT in reason for reason in reasons)
    if rows.sum() < max(1.0, settings("repeats")["fewest_leads"] * looked_at):
        return f"{NO_HEARTBEAT}, nor in most others" if looked_at else "no usable lead"
    return not_ventricular(cleaned, beats, middle, rows, rr_ms)


def _an_ecg(given: Ecg) -> Ecg:
    if not isinstance(given, Ecg):
        raise EcgError(f"this is a {type(given).__name__}, not an Ecg; use ecgspasm.read(path) or ecgspasm.Ecg(signal_uv=...)")
    return given


def _delineated(ecg: Ecg, reasons: tuple[str, ...], probabilities: Probabilities) -> tuple[Floats, Delineation, artefacts.Spikes]:
    """The signal without gaps, tall spikes and mains, where its waves are, and the spikes of all leads."""
    usable = np.array([quality.tells_time(reason) for reason in reasons])
    missing = np.isnan(ecg.signal_uv)
    filled = clean.fill_gaps(ecg.signal_uv)
    spikes = artefacts.find_spikes(filled[usable], ecg.fs)
    # The net has learnt what belongs to spikes as its records have them; only taller ones are taken out of what it sees.
    shown = clean.remove_mains(artefacts.bridge(filled, spikes.sample[spikes.strange], ecg.fs), ecg.fs)
    both = bool((spikes.tall & ~spikes.strange).any())
    filled = clean.remove_mains(artefacts.bridge(filled, spikes.sample[spikes.tall], ecg.fs), ecg.fs) if both else shown
    found = find_waves(shown[usable], ecg.fs, probabilities)
    slower = _slowed(shown[usable], ecg.fs, found.r_sample)
    if slower < 1.0:
        found = find_waves(shown[usable], ecg.fs * slower, probabilities)
    beats = beat_steps.classify(filled[usable], ecg.fs, found.r_sample, missing[usable].any(axis=0))
    return filled, delineation(found, filled, ecg.leads, usable, missing, beats), spikes.of_all(usable)


def _slowed(signal_uv: Floats, fs: float, r_sample: Floats) -> float:
    """By how much a fast rhythm must be slowed down to look like those that the net has learnt from; 1 for all others.

    Telling the net a lower sampling rate does that: positions are in samples and stay what they are.
    """
    numbers = settings("fast")
    if len(r_sample) < 3 or np.median(np.diff(r_sample)) > numbers["looks_fast_ms"] * fs / 1000.0:
        return 1.0
    # The net may have missed every other beat; the slopes of the QRS complexes tell the rate at any speed.
    rough = beat_steps.detect(signal_uv, fs)
    rr_ms = float(np.median(np.diff(rough))) * 1000.0 / fs if len(rough) > 3 else np.inf
    return max(rr_ms / numbers["slowed_to_ms"], numbers["slowest"]) if rr_ms < numbers["fast_ms"] else 1.0
