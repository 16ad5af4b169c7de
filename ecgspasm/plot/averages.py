"""Averaged beats beside a trend: the one of the largest episode over one of a quiet stretch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.continuous.baseline import BASELINE
from ecgspasm.continuous.episode import ARTEFACT, ISCHEMIC, Episode, LeadEpisode
from ecgspasm.continuous.monitoring import Monitoring, clock
from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.plot import cell, paper
from ecgspasm.plot.sheet import typeset
from ecgspasm.plot.timeline import GUIDE, RATE_MM, TimeAxis, part_of, wave

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEATS_LEFT_MM, BEATS_RIGHT_MM = 232.0, 286.0
_BEAT_MS, _BEAT_MM_PER_S, _BEAT_MM_PER_MV = (-280.0, 660.0), 50.0, (20.0, 10.0, 5.0, 2.5)
_MOST_BEATS = 6


@dataclass(frozen=True, eq=False)
class Beat:
    """An averaged beat of all leads, zero before its QRS complex."""

    at_s: float
    time_ms: Floats
    signal_uv: Floats

    @classmethod
    def at(cls, monitoring: Monitoring, time_s: float) -> Beat | None:
        try:
            signal, r = monitoring.trend.beat_at(time_s)
        except EcgError:
            return None
        kept = monitoring.trend.picture_s
        time_ms = (np.arange(signal.shape[1]) - r) * 1000.0 / monitoring.trend.beat_fs
        first, last = settings("average")["level_ms"]
        level = signal[:, (time_ms >= first) & (time_ms <= last)]
        used = np.flatnonzero((np.nan_to_num(signal) != 0.0).any(axis=0))
        stop = int(used[-1]) + 1 if len(used) else 0  # shorter beats end in zeros
        seen = (time_ms >= _BEAT_MS[0]) & (time_ms <= _BEAT_MS[1]) & (np.arange(len(time_ms)) < stop)
        zero = level.mean(axis=1, keepdims=True) if level.shape[1] else 0.0
        return cls(float(kept[np.abs(kept - time_s).argmin()]), time_ms[seen], (signal - zero)[:, seen])


@dataclass(frozen=True, eq=False)
class Beats:
    """The column on the right: a beat of the largest episode over one of a quiet stretch."""

    leads: dict[str, int]
    """Name and row, the most important first."""
    current: Beat | None
    reference: Beat | None
    words: tuple[str, str]
    """What the two are."""

    @classmethod
    def of(
        cls, monitoring: Monitoring, measure: str, names: Sequence[str], shown: dict[int, Episode], labels: dict[int, str]
    ) -> Beats:
        def peak(place: int) -> tuple[bool, bool, float]:
            each = shown[place]
            reached = max(abs(part_of(each, lead).extremum_uv) for lead in each.leads if lead in names)
            return each.kind == ISCHEMIC, each.kind != ARTEFACT, reached

        usual = [lead for lead in names if lead in ("II", "V2", "V5")] or names[:3]
        if not shown:
            reference, words = _reference(monitoring, measure, usual, None)
            none = f"no {wave(measure)} episode"
            return cls({lead: monitoring.leads.index(lead) for lead in usual}, None, reference, (none, words))
        place = max(shown, key=peak)
        each = shown[place]
        leads = sorted((lead for lead in names if lead in each.leads), key=lambda lead: -abs(part_of(each, lead).extremum_uv))
        reference, words = _reference(monitoring, measure, leads, each)
        part = part_of(each, leads[0])
        current = Beat.at(monitoring, _kept_near(monitoring, measure, leads[0], part))
        said = f"{labels[place]}: {each.measure} {part.extremum_uv:+.0f} uV in {leads[0]} at {clock(part.extremum_s)}"
        said += f"; beat of {clock(current.at_s)}" if current else "; no averaged beat there"
        return cls({lead: monitoring.leads.index(lead) for lead in leads}, current, reference, (said, words))

    def draw(self, axes: Axes, axis: TimeAxis, bottom: float, top: float) -> None:
        """Both captions, and as many leads as have room."""
        y = top
        pairs = (("current", self.current), ("reference", self.reference))
        for (name, beat), words in zip(pairs, self.words, strict=True):
            style = cell.STYLE["current" if name == "current" else "baseline"]
            for number, line in enumerate(paper.wrap(typeset(words), BEATS_RIGHT_MM - BEATS_LEFT_MM - 7.0, 6.5, most=3)):
                y -= 3.2
                if not number and beat is not None:
                    axes.plot([BEATS_LEFT_MM, BEATS_LEFT_MM + 5.0], [y + 0.9, y + 0.9], **style)
                    x = float(axis.at(beat.at_s))
                    mark: dict[str, Any] = {"marker": "v", "markersize": 3.5, "color": style["color"]}
                    mark |= {"markerfacecolor": "white" if name == "reference" else style["color"], "zorder": 3.0}
                    axes.plot([x], [bottom + RATE_MM + 0.6], gid=f"at-{name}", **mark)
                paper.text(axes, BEATS_LEFT_MM + 7.0, y, line, fontsize=6.5)
        drawn = [beat for _, beat in pairs if beat is not None]
        if not drawn:
            return
        y -= 3.0
        reach = {}
        for lead, row in list(self.leads.items())[:_MOST_BEATS]:
            values = np.concatenate([beat.signal_uv[row] for beat in drawn])
            values = values[np.isfinite(values)]
            reach[lead] = (max(values.max(initial=0.0), 400.0), max(-values.min(initial=0.0), 200.0))
        room = y - bottom - 4.0
        scale, fitting = _fitting([up + down for up, down in reach.values()], room)
        for lead in sorted(list(reach)[:fitting], key=self.leads.__getitem__):
            up, down = (each * scale for each in reach[lead])
            paper.text(axes, BEATS_LEFT_MM, y - 3.0, lead, fontsize=8.0, weight="bold")
            self._draw_cell(axes, lead, y - 4.0 - up, scale)
            y -= 4.0 + up + down
        left_out = len(self.leads) - fitting
        first, last = (-each for each in settings("average")["level_ms"])
        told = [f"{_BEAT_MM_PER_S:g} mm/s, {scale * 1000.0:g} mm/mV", f"zero {first:g} to {last:g} ms before R"]
        told += [f"{left_out} more leads"] if left_out else []
        for number, each in enumerate(paper.wrap("; ".join(told), BEATS_RIGHT_MM - BEATS_LEFT_MM, 6.0)):
            paper.text(axes, BEATS_LEFT_MM, bottom - 1.0 - 2.8 * number, each, fontsize=6.0, color=paper.GREY)

    def _draw_cell(self, axes: Axes, lead: str, zero: float, scale: float) -> None:
        left = BEATS_LEFT_MM + 5.0
        axes.plot([left, BEATS_RIGHT_MM], [zero, zero], color=GUIDE, linewidth=0.4, zorder=1.5)
        for name, beat in (("current", self.current), ("reference", self.reference)):
            if beat is not None:
                x = left + (beat.time_ms - _BEAT_MS[0]) * _BEAT_MM_PER_S / 1000.0
                y = zero + beat.signal_uv[self.leads[lead]] * scale
                axes.plot(x, y, gid=f"{name}-{lead}", **cell.STYLE["current" if name == "current" else "baseline"])


def _fitting(tall_uv: Sequence[float], room: float) -> tuple[float, int]:
    """Millimetres per uV and how many beats below each other have room: rather fewer leads than less than 10 mm/mV."""
    for per_mv in _BEAT_MM_PER_MV:
        total = np.cumsum([4.0 + each * per_mv / 1000.0 for each in tall_uv])
        fitting = int((total <= room).sum())
        if fitting == len(tall_uv) or (fitting and per_mv <= 10.0):
            return per_mv / 1000.0, fitting
    return _BEAT_MM_PER_MV[-1] / 1000.0, 1


def _kept_near(monitoring: Monitoring, measure: str, lead: str, part: LeadEpisode) -> float:
    """When the beat was kept that shows most of an episode: one a minute is, and not of every lead."""
    trend, row = monitoring.trend, monitoring.leads.index(lead)
    there = trend.beat_uv[:, row].any(axis=1) & (trend.picture_s >= part.onset_s) & (trend.picture_s <= part.end_s)
    near = trend.picture_s[there & (np.abs(trend.picture_s - part.extremum_s) <= 120.0)]
    if not len(near):
        return part.extremum_s
    away = monitoring.deviation_uv(measure)[row, np.searchsorted(trend.time_s, near).clip(max=len(trend.time_s) - 1)]
    return float(near[np.nan_to_num(away * np.sign(part.extremum_uv), nan=-np.inf).argmax()])


def _reference(monitoring: Monitoring, measure: str, leads: Sequence[str], episode: Episode | None) -> tuple[Beat | None, str]:
    """A beat from when nothing happened in these leads, if possible before the episode and near it; and what it is."""
    trend, rows = monitoring.trend, [monitoring.leads.index(lead) for lead in leads]
    if not len(trend.picture_s):
        return None, "no averaged beat was kept"
    nearest = np.searchsorted(trend.time_s, trend.picture_s).clip(max=len(trend.time_s) - 1)
    unknown = 1e6  # a moment at which one of the leads was not measured comes last
    off = np.nan_to_num(np.abs(monitoring.deviation_uv(measure)[rows][:, nearest]), nan=unknown).max(axis=0)
    inside = [(each.onset_s <= trend.picture_s) & (trend.picture_s <= each.end_s) for each in monitoring.episodes]
    off = off + unknown * np.any([np.zeros(len(off), bool), *inside], axis=0)
    good = np.flatnonzero(off <= 1.5 * max(float(off.min()), 10.0))
    away = np.zeros(len(good)) if episode is None else episode.onset_s - trend.picture_s[good]
    chosen = good[np.where(away >= 0.0, away, 10.0 * -away).argmin()]
    beat = Beat.at(monitoring, float(trend.picture_s[chosen]))
    at = clock(trend.picture_s[chosen])
    if off[chosen] >= unknown:
        return beat, f"beat of {at}: these leads have no quiet stretch"
    given = any(monitoring.reference.get(lead) == BASELINE for lead in leads)
    return beat, f"quiet stretch: beat of {at}{' of this recording, not of the baseline' if given else ''}"
