"""From a recording, or a table of beats, to the series of a provocation test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ecgspasm import leads as lead_names
from ecgspasm.continuous.episode import ISCHEMIC
from ecgspasm.continuous.monitor import monitor
from ecgspasm.continuous.settings import settings as continuous
from ecgspasm.continuous.trend import Interruption, Trend
from ecgspasm.ecg import ST_OFFSETS_MS, Analysis, Ecg, Floats, Measurements, Strings, Subject
from ecgspasm.errors import EcgError
from ecgspasm.processing.settings import settings as step_settings
from ecgspasm.provoking.events import ProvocationEvent
from ecgspasm.provoking.series import Doubt, Mask, Series, middle
from ecgspasm.provoking.settings import settings
from ecgspasm.recording import Recording

Baseline = Ecg | Analysis | Recording | Measurements

MEASURES = (
    *(f"st_j{ms or ''}_uv" for ms in ST_OFFSETS_MS),
    *("t_uv", "t_net_uv", "t_positive_uv", "t_negative_uv", "u_uv", "r_uv", "s_uv", "qrs_area_uv_ms"),
)
_FEWEST_BEATS = 4
_NOISY = "too few beats alike, or too noisy"
_MEDIAN_SE = 1.2533 * 1.4826  # standard error of a median from the median absolute deviation, for normal noise


@dataclass(frozen=True, eq=False)
class _Rows:
    """What was measured over time, not compared yet."""

    time_s: Floats
    leads: tuple[str, ...]
    value: dict[str, Floats]
    se_uv: Floats
    """Of ST, shape (lead, row)."""
    rate_bpm: Floats
    qrs_ms: Floats


@dataclass(frozen=True, eq=False)
class _Level:
    """What the baseline says, shape (lead,) each, ``nan`` where it does not."""

    value: Mapping[str, Floats]
    se_uv: Floats
    rate_bpm: float
    qrs_ms: float
    words: str
    notes: tuple[str, ...] = ()


def of_recording(recording: Recording, first: ProvocationEvent, baseline: Baseline | None, average_s: float) -> Series:
    """Follow a recording and compare its averages with the baseline.

    Parameters
    ----------
    recording : Recording
    first : ProvocationEvent
        The first provoking event; without `baseline`, what lies before it is the baseline.
    baseline : Ecg, Analysis, Recording or Measurements, optional
    average_s : float

    Raises
    ------
    EcgError
        If there is no baseline, or it has no lead in common.
    """
    monitored = monitor(recording, _monitored_against(recording, first, baseline, average_s), average_s=average_s)
    trend = monitored.trend
    rows = _of_trend(trend)
    before = rows.time_s + average_s / 2.0 <= first.time_s
    level = _own_level(rows, before, first, average_s) if baseline is None else _given_level(baseline, rows.leads, average_s)
    reason = np.full((len(rows.leads), len(rows.time_s)), "", dtype="U120")
    _why(reason, rows, trend.interruptions)
    series = _series(rows, level, before, reason, recording.duration_s, recording.subject, recording.source)
    others = [each for each in monitored.episodes if each.measure == "ST" and each.kind != ISCHEMIC]
    doubts = tuple(Doubt(each.onset_s, each.end_s, each.kind, "; ".join(each.evidence)) for each in others)
    return replace(series, doubts=doubts)


def _monitored_against(
    recording: Recording, first: ProvocationEvent, baseline: Baseline | None, average_s: float
) -> Ecg | Recording | None:
    """What the monitor judges by: in a short recording its own quiet stretch may lie after the provocation."""
    if isinstance(baseline, Analysis):
        return baseline.ecg
    if isinstance(baseline, Ecg | Recording):
        return baseline
    stop_s = min(first.time_s, recording.duration_s)
    return recording.part(0.0, stop_s) if stop_s >= average_s + settings("series")["baseline_s"] else None


def of_beats(
    time_s: ArrayLike,
    leads: tuple[str, ...],
    values: Mapping[str, ArrayLike],
    first: ProvocationEvent,
    *,
    baseline: Measurements | None = None,
    average_s: float | None = None,
    source: str = "",
) -> Series:
    """Average measurements of single beats and compare them with the baseline.

    Parameters
    ----------
    time_s : array_like, shape (beat,)
        From the beginning of the recording.
    leads : tuple of str
    values : mapping of str to array_like, shape (lead, beat)
        By measure, in uV.
    first : ProvocationEvent
        The first provoking event; without `baseline`, what lies before it is the baseline.
    baseline : Measurements, optional
    average_s : float, optional
        As for a recording.

    Raises
    ------
    EcgError
        If shapes do not fit, or there is no baseline.
    """
    average = settings("series")["average_s"] if average_s is None else average_s
    time = np.asarray(time_s, dtype=float)
    names = tuple(lead_names.canonical(lead) for lead in leads)
    beats = {name: np.asarray(each, dtype=float) for name, each in values.items()}
    for name, each in beats.items():
        if each.shape != (len(names), len(time)):
            raise EcgError(f"{name} has the shape {each.shape}; give (lead, beat) for {len(names)} leads and {len(time)} beats")
    if not len(time) or "st_j60_uv" not in beats or (np.diff(time) < 0).any():
        raise EcgError("a table of beats needs st_j60_uv and increasing times; sort it, or give the missing measure")
    rows = _averaged(time, names, beats, average)
    before = rows.time_s + average / 2.0 <= first.time_s
    level = _own_level(rows, before, first, average) if baseline is None else _given_level(baseline, names, average)
    reason = np.full((len(names), len(rows.time_s)), "", dtype="U120")
    _why(reason, rows, ())
    return _series(rows, level, before, reason, float(time[-1]), Subject(), source)


def _of_trend(trend: Trend) -> _Rows:
    value = {name: np.asarray(trend.get(name), dtype=float) for name in MEASURES}
    return _Rows(
        trend.time_s,
        trend.leads,
        value,
        np.asarray(trend.se_uv, dtype=float),
        np.asarray(trend.rate_bpm, dtype=float),
        np.asarray(trend.qrs_ms, dtype=float),
    )


def _averaged(time: Floats, leads: tuple[str, ...], beats: Mapping[str, Floats], average_s: float) -> _Rows:
    """Medians over the beats around each time of a grid."""
    step = continuous("stream")["step_s"]
    grid = np.arange(0.0, time[-1] + step / 2.0, step)
    first, last = (np.searchsorted(time, grid + side * average_s / 2.0) for side in (-1, 1))
    place = first[:, None] + np.arange(max(int((last - first).max()), 1))
    inside = place < last[:, None]
    place = np.minimum(place, len(time) - 1)
    value = {}
    for name, each in beats.items():
        around = np.where(inside, each[:, place], np.nan)
        count = np.isfinite(around).sum(axis=-1)
        value[name] = np.where(count >= _FEWEST_BEATS, middle(around), np.nan)
        if name == "st_j60_uv":
            spread = middle(np.abs(around - value[name][..., None]))
            se = _MEDIAN_SE * spread / np.sqrt(np.maximum(count, 1))
    noisy = se > continuous("beats")["largest_se_uv"]  # as in a recording
    value = {name: np.where(noisy, np.nan, each) for name, each in value.items()}
    interval = middle(np.where(inside[:, 1:], np.diff(time[place], axis=1), np.nan))
    rate = 60.0 / np.where(interval > 0, interval, np.nan)
    return _Rows(grid, leads, value, se, rate, np.full(len(grid), np.nan))


def _own_level(rows: _Rows, before: Mask, first: ProvocationEvent, average_s: float) -> _Level:
    """The recording's own level before the first provoking event."""
    step = float(np.diff(rows.time_s[:2])[0]) if len(rows.time_s) > 1 else average_s
    least = settings("series")["baseline_s"]
    if not before.any() or (before.sum() - 1) * step + average_s < least:
        raise EcgError(
            f"no baseline: only {max(first.time_s, 0.0):.0f} s lie before the first provoking event {first.text!r}, "
            f"{average_s + least:.0f} s are needed; give baseline=..., an ECG from before"
        )
    value = {name: middle(_heights(rows, name)[:, before]) for name in rows.value}
    independent = max(before.sum() * step / average_s, 1.0)
    se = middle(rows.se_uv[:, before]) / np.sqrt(independent)
    words = f"the recording before {first.text!r}"
    return _Level(value, se, float(middle(rows.rate_bpm[before])), float(middle(rows.qrs_ms[before])), words)


def _heights(rows: _Rows, name: str) -> Floats:
    """Values of a measure; a lead that was measured and has no U wave has one of no height."""
    if name != "u_uv":
        return rows.value[name]
    return np.where(np.isfinite(rows.value["st_j60_uv"]), np.nan_to_num(rows.value[name]), np.nan)


def _given_level(given: Baseline, leads: tuple[str, ...], average_s: float) -> _Level:
    """What an earlier ECG says, by the very steps that measure the recording."""
    if isinstance(given, Measurements):
        told = {name: given.values[name] for name in MEASURES if name in given.values}
        have, se = given.leads, given.se.get("st_j60_uv", np.zeros(len(given.leads)))
        rate, qrs, words = given.rate_bpm, given.qrs_ms, "a baseline given as a table"
    else:
        source = given.ecg if isinstance(given, Analysis) else given
        if not isinstance(source, Ecg | Recording):
            raise EcgError(f"the baseline is a {type(given).__name__}; give an Ecg, an Analysis, a Recording or Measurements")
        rows = _of_trend(monitor(source, average_s=average_s).trend)
        told = {name: middle(_heights(rows, name)) for name in rows.value}
        have, se = rows.leads, middle(rows.se_uv)
        rate, qrs = float(middle(rows.rate_bpm)), float(middle(rows.qrs_ms))
        words = "the given baseline"
    if not set(have) & set(leads):
        raise EcgError(f"the baseline has {', '.join(have)} and the recording {', '.join(leads)}: no lead in common")
    at = [have.index(lead) if lead in have else -1 for lead in leads]

    def here(values: Floats) -> Floats:
        return np.array([values[place] if place >= 0 else np.nan for place in at])

    missing = [lead for lead in leads if lead not in have]
    notes = (f"not in the baseline, so not judged: {', '.join(missing)}",) if missing else ()
    return _Level({name: here(each) for name, each in told.items()}, here(se), rate, qrs, words, notes)


def _why(reason: Strings, rows: _Rows, interruptions: tuple[Interruption, ...]) -> None:
    """Fill in why a lead was not measured, in place."""
    reason[~np.isfinite(rows.value["st_j60_uv"])] = _NOISY
    for each in interruptions:
        when = (rows.time_s >= each.start_s - 1e-9) & (rows.time_s <= each.end_s + 1e-9)
        for lead in each.leads or rows.leads:
            at = rows.leads.index(lead)
            reason[at, when & (reason[at] != "")] = each.reason


def _series(
    rows: _Rows,
    level: _Level,
    before: Mask,
    reason: Strings,
    end_s: float,
    subject: Subject,
    source: str,
) -> Series:
    """Compare the rows with the level."""
    names = [name for name in rows.value if name in level.value]
    value = {name: _heights(rows, name) for name in names}
    change = {name: value[name] - level.value[name][:, None] for name in names}
    unknown = ~np.isfinite(level.value["st_j60_uv"]) if "st_j60_uv" in level.value else np.ones(len(rows.leads), dtype=bool)
    here = reason[unknown]
    reason[unknown] = np.where(here == "", "not measured in the baseline", here)
    for name in names:
        change[name][unknown] = np.nan
    st_se = np.hypot(np.nan_to_num(rows.se_uv), np.nan_to_num(level.se_uv)[:, None])
    wider = step_settings("measure")["t_se_factor"]
    se = {name: st_se * (1.0 if name.startswith("st_") else wider) for name in names if not name.startswith("qrs_")}
    notes = [*level.notes, *_restless(change["st_j60_uv"], before, rows.leads)] if "st_j60_uv" in change else list(level.notes)
    return Series(
        time_s=rows.time_s,
        leads=rows.leads,
        value=value,
        change=change,
        se=se,
        reason=reason,
        rate_bpm=rows.rate_bpm,
        qrs_ms=rows.qrs_ms,
        is_baseline=before,
        baseline_words=level.words,
        start_s=0.0,
        end_s=end_s,
        baseline_rate_bpm=level.rate_bpm,
        baseline_qrs_ms=level.qrs_ms,
        subject=subject,
        source=source,
        notes=tuple(notes),
    )


def _restless(change: Floats, before: Mask, leads: tuple[str, ...]) -> list[str]:
    """Leads whose ST was not steady before the first event."""
    limit = settings("series")["restless_uv"]
    wide = []
    for lead, row in zip(leads, change[:, before], strict=True):
        known = row[np.isfinite(row)]
        if len(known) >= settings("response")["least_rows"] and np.ptp(np.quantile(known, [0.025, 0.975])) > limit:
            wide.append(lead)
    return [f"ST was not steady before the first event in {', '.join(wide)}"] if wide else []
