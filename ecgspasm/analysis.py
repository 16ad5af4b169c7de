"""From a recording to its numbers: the only place that knows the order of the steps."""

from __future__ import annotations

import numpy as np

from ecgspasm.ecg import Analysis, Delineation, Ecg, Floats
from ecgspasm.processing import beats as beat_steps
from ecgspasm.processing import clean, median, quality
from ecgspasm.processing.delineate import delineate as delineate_beats
from ecgspasm.processing.measure import measure, nothing_measured


def delineate(ecg: Ecg) -> Delineation:
    """Find onset, peak and offset of P, QRS and T in every lead and beat.

    Parameters
    ----------
    ecg : Ecg
        At least 2.5 s.

    Returns
    -------
    Delineation
        Rows are the leads of `ecg` in its own order; leads that cannot be used are absent throughout.

    Raises
    ------
    EcgError
        If the recording is too short.
    """
    return _delineated(ecg, quality.lead_quality(ecg))[1]


def analyze(ecg: Ecg) -> Analysis:
    """Measure one ECG.

    Parameters
    ----------
    ecg : Ecg
        Leads that follow from the limb leads there are added and marked as derived.

    Returns
    -------
    Analysis
        Also when nothing could be measured: then every lead of `measurements` says why.

    Raises
    ------
    EcgError
        If the recording is too short.
    """
    ecg = ecg.with_derived_leads()
    reasons = quality.lead_quality(ecg)
    filled, delineation = _delineated(ecg, reasons)
    usable = np.array([not reason for reason in reasons])
    onsets = delineation.qrs_onset[delineation.beats.dominant]
    cleaned = clean.remove_baseline(filled, ecg.fs, onsets[np.isfinite(onsets)])
    placed = np.isfinite(delineation.qrs_onset) & np.isfinite(delineation.j)
    beats = beat_steps.mark_spoilt(cleaned[usable], delineation.beats, placed)
    delineation = delineation.with_beats(beats)
    missing = median.enough_beats(beats)
    if missing:
        measured = nothing_measured(ecg.leads, reasons, missing, ecg.subject, ecg.derived)
        return Analysis(ecg, cleaned, reasons, delineation, None, measured)
    middle = median.median_beat(cleaned, ecg.fs, delineation, beats)
    rr_ms = float(np.median(beats.rr_ms[1:]))
    measured = measure(middle, reasons, rr_ms=rr_ms, subject=ecg.subject, derived=ecg.derived)
    return Analysis(ecg, cleaned, reasons, delineation, middle, measured)


def _delineated(ecg: Ecg, reasons: tuple[str, ...]) -> tuple[Floats, Delineation]:
    """The signal without gaps and mains, and where its waves are."""
    usable = np.array([not reason for reason in reasons])
    filled = clean.remove_mains(clean.fill_gaps(ecg.signal_uv), ecg.fs)
    missing = np.isnan(ecg.signal_uv[usable]).any(axis=0)
    found = beat_steps.detect(filled[usable], ecg.fs)
    beats = beat_steps.classify(filled[usable], ecg.fs, found, missing)
    seen = np.where(usable[:, None], filled, np.nan)
    return filled, delineate_beats(seen, ecg.fs, ecg.leads, beats)
