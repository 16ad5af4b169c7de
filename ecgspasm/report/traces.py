"""The beats of a report as plain data: the aligned medians of a comparison, and the averaged beats of a recording's episodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.episode import ARTEFACT, ISCHEMIC, Episode
from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import Floats, number
from ecgspasm.report.trends import deviation, row
from ecgspasm.serial.comparison import Comparison

MOST_BEATS = 48
"""So many episodes have their beats in a report, the largest; more would make it too heavy to send."""
BEAT_MS = (-280.0, 660.0)
"""From the fiducial R: what is kept of an averaged beat."""

_UNKNOWN_UV = 1e6  # a moment at which one of the leads was not measured comes last


def of_comparison(change: Comparison) -> dict[str, Any] | None:
    """Both median beats on their common axis; ``None`` if one of the two has none."""
    aligned = change.aligned
    if aligned is None:
        return None
    curves = {"baseline_uv": aligned.baseline_uv, "current_uv": aligned.current_uv}
    return {
        "time_ms": {"first": number(aligned.time_ms[0]), "step": 1.0, "count": len(aligned.time_ms)},
        "j_ms": number(aligned.j_ms, 3),
        "qrs_correlation": number(aligned.qrs_correlation, 4),
        **{name: {lead: row(curve[at]) for at, lead in enumerate(change.leads)} for name, curve in curves.items()},
    }


@dataclass(frozen=True, eq=False)
class Beat:
    """An averaged beat of all leads, zero before its QRS complex."""

    picture: int
    """Its place in the trend."""
    at_s: float
    time_ms: Floats
    """From R, shape (sample,)."""
    signal_uv: Floats
    """Shape (lead, sample); ``nan`` where a lead was not measured."""


def beat(found: Monitoring, picture: int) -> Beat:
    """One of the averaged beats that a trend keeps."""
    trend = found.trend
    signal = trend.beat_uv[picture].astype(float)
    signal[~signal.any(axis=1)] = np.nan
    time_ms = (np.arange(signal.shape[1]) - float(trend.r_index[picture])) * 1000.0 / trend.beat_fs
    first, last = settings("average")["level_ms"]
    level = signal[:, (time_ms >= first) & (time_ms <= last)]
    used = np.flatnonzero((np.nan_to_num(signal) != 0.0).any(axis=0))
    stop = int(used[-1]) + 1 if len(used) else 0  # shorter beats end in zeros
    seen = (time_ms >= BEAT_MS[0]) & (time_ms <= BEAT_MS[1]) & (np.arange(len(time_ms)) < stop)
    zero = level.mean(axis=1, keepdims=True) if level.shape[1] else 0.0
    return Beat(picture, float(trend.picture_s[picture]), time_ms[seen], (signal - zero)[:, seen])


@dataclass(frozen=True)
class Pair:
    """Which averaged beats show an episode, by their place in the trend; ``None`` where none was kept."""

    current: int | None
    quiet: int | None
    quiet_is_quiet: bool
    """Whether nothing happened in the episode's leads when the quiet beat was taken."""


def largest_first(episodes: tuple[Episode, ...]) -> list[int]:
    """Places of the episodes: those that look like ischemia first, artefacts last, and of each the largest first."""

    def weight(place: int) -> tuple[bool, bool, float]:
        each = episodes[place]
        return each.kind != ISCHEMIC, each.kind == ARTEFACT, -abs(each.extremum_uv)

    return sorted(range(len(episodes)), key=weight)


def pairs(found: Monitoring) -> dict[int, Pair]:
    """The beats of the largest episodes, by the episode's place."""
    inside = _inside(found)
    return {place: _pair(found, found.episodes[place], inside) for place in sorted(largest_first(found.episodes)[:MOST_BEATS])}


def measure_of(episode: Episode) -> str:
    """The measure of the trend that shows an episode."""
    return {"T": "t_net_uv", "U": "u_uv"}.get(episode.measure, "st_uv")


def _inside(found: Monitoring) -> NDArray[np.bool_]:
    """Which averaged beats lie in an episode of whatever kind, shape (picture,)."""
    at = found.trend.picture_s
    spans = [(each.onset_s <= at) & (at <= each.end_s) for each in found.episodes]
    return np.asarray(np.any([np.zeros(len(at), bool), *spans], axis=0))


def _pair(found: Monitoring, episode: Episode, inside: NDArray[np.bool_]) -> Pair:
    trend = found.trend
    at = trend.picture_s
    if not len(at):
        return Pair(None, None, quiet_is_quiet=False)
    rows = [found.leads.index(lead) for lead in episode.leads]
    nearest = np.searchsorted(trend.time_s, at).clip(max=len(trend.time_s) - 1)
    away = deviation(found, measure_of(episode))[rows][:, nearest]
    main = rows.index(found.leads.index(episode.extremum_lead))
    # The beat that shows most of it: one every two minutes is kept.
    reach_s = settings("average")["beat_reach_s"]
    near = (at >= episode.onset_s) & (at <= episode.end_s) | (np.abs(at - episode.extremum_s) <= reach_s / 2.0)
    seen = near & trend.beat_uv[:, rows[main]].any(axis=1)
    size = np.where(seen, np.nan_to_num(away[main] * np.sign(episode.extremum_uv), nan=-_UNKNOWN_UV), -np.inf)
    current = int(size.argmax()) if seen.any() else None
    # A quiet one: nothing in these leads, if possible before the episode and near it.
    off = np.nan_to_num(np.abs(away), nan=_UNKNOWN_UV).max(axis=0) + _UNKNOWN_UV * inside
    good = np.flatnonzero(off <= 1.5 * max(float(off.min()), 10.0))
    before = episode.onset_s - at[good]
    quiet = int(good[np.where(before >= 0.0, before, 10.0 * -before).argmin()])
    return Pair(current, quiet, quiet_is_quiet=bool(off[quiet] < _UNKNOWN_UV))


def of_episodes(found: Monitoring) -> dict[str, Any]:
    """The beats of the largest episodes as plain data."""
    chosen = pairs(found)
    wanted = sorted({each for pair in chosen.values() for each in (pair.current, pair.quiet) if each is not None})
    return {
        "episodes": {
            str(place): {"current": pair.current, "quiet": pair.quiet, "quiet_is_quiet": pair.quiet_is_quiet}
            for place, pair in chosen.items()
        },
        "beats": {str(picture): _told(found, beat(found, picture)) for picture in wanted},
        "left_out": max(len(found.episodes) - len(chosen), 0),
    }


def _told(found: Monitoring, each: Beat) -> dict[str, Any]:
    step = 1000.0 / found.trend.beat_fs
    first = number(float(each.time_ms[0]), 3) if len(each.time_ms) else 0.0
    return {
        "at_s": number(each.at_s),
        "time_ms": {"first": first, "step": number(step, 3), "count": len(each.time_ms)},
        "uv": {
            lead: None if np.isnan(signal).all() else row(signal, 0)
            for lead, signal in zip(found.leads, each.signal_uv, strict=True)
        },
    }
