"""Episodes of a trend by a definition, with all that is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from ecgspasm.continuous.definitions import Definition, definitions
from ecgspasm.continuous.detect import Stretch, grouped, stretches
from ecgspasm.continuous.episode import Episode, LeadEpisode
from ecgspasm.continuous.kinds import kind_of
from ecgspasm.continuous.reference import quiet_level, unrest
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.trend import Trend
from ecgspasm.ecg import Floats, sort_leads
from ecgspasm.leads import territory

_AWAY = {"t": "t_away_uv", "u": "u_away_uv"}
"""How far from the level a value may be and still tell it, by the first part of the measure's name; else as for ST."""


class Levels:
    """A trend with its reference: what each measure is when nothing happens, and how far it is from that.

    Parameters
    ----------
    trend : Trend
    baseline : mapping of str to ndarray, shape (lead,), optional
        By measure, what an earlier ECG says; ``nan`` where it does not, there the trend's own quiet level counts.
    """

    def __init__(self, trend: Trend, baseline: Mapping[str, Floats] | None = None) -> None:
        self.trend = trend
        self._baseline = baseline or {}
        self._found: tuple[str, tuple[Floats, Floats, Floats]] | None = None

    def value(self, measure: str) -> Floats:
        """A measure over time, shape (lead, row); a lead that was measured and has no U wave has one of no height."""
        if measure != "u_uv":
            return self.trend.get(measure)
        measured = np.isfinite(self.trend.get("st_j60_uv"))
        return np.where(measured, np.nan_to_num(self.trend.get("u_uv")), np.float32(np.nan))

    def level(self, measure: str) -> Floats:
        """Its reference, shape (lead, row)."""
        return self._of(measure)[0]

    def deviation(self, measure: str) -> Floats:
        """What it is above the reference, shape (lead, row)."""
        return self._of(measure)[1]

    def asked(self, rule: Definition) -> Floats:
        """The deviation that an episode has to reach, shape (lead, row)."""
        numbers = settings("detect")
        stands_out = numbers["stands_out"].get(rule.measure, numbers["stands_out"]["other"])
        unquiet = np.float32(stands_out) * np.nan_to_num(self._of(rule.measure)[2])
        return np.asarray(np.maximum(np.float32(numbers["reached"] * rule.peak_uv), unquiet))

    @cached_property
    def rate_level_bpm(self) -> Floats:
        """The usual rate, shape (row,)."""
        rate = self.trend.rate_bpm[None].astype(float)
        return np.asarray(quiet_level(self.trend.time_s, rate, settings("kinds")["rate_away_bpm"])[0])

    def _of(self, measure: str) -> tuple[Floats, Floats, Floats]:
        """Level, deviation and unrest of a measure; those of the last one asked for are kept, which for a day of twelve leads is
        3 MB."""
        if self._found is None or self._found[0] != measure:
            value = self.value(measure)
            away = settings("reference")[_AWAY.get(measure.split("_")[0], "st_away_uv")]
            level = quiet_level(self.trend.time_s, value, away)
            given = self._baseline.get(measure)
            if given is not None:
                known = np.isfinite(given)
                level[known] = given[known, None]
            deviation = value - level
            self._found = (measure, (level, deviation, unrest(self.trend.time_s, deviation)))
        return self._found[1]


def find(levels: Levels, rule: Definition) -> tuple[Episode, ...]:
    """Episodes by one definition, in the order of their onsets."""
    trend = levels.trend
    deviation = levels.deviation(rule.measure)
    found = stretches(trend.time_s, deviation, levels.asked(rule), rule, levels.value(rule.measure))
    groups = grouped(found, trend.leads, rule)
    if rule.transient:
        groups = [group for group in groups if not any(each.open_end for each in group)]
    made = [_episode(levels, group, deviation, rule) for group in groups]
    return tuple(sorted(made, key=lambda each: (each.onset_s, each.leads)))


def with_other_definitions(levels: Levels, found: tuple[Episode, ...]) -> tuple[Episode, ...]:
    """The same episodes, each with the other definitions that it meets."""
    names = {each.measure for each in found}
    rules = [rule for rule in definitions().values() if {"U": "ST"}.get(rule.name, rule.name) in names]
    rules.sort(key=lambda rule: rule.measure)  # the level of a measure is found once
    others = [(rule.id, find(levels, rule)) for rule in rules]
    return tuple(
        replace(each, also=tuple(name for name, rows in others if name != each.definition and _meets(each, rows)))
        for each in found
    )


def _meets(episode: Episode, others: tuple[Episode, ...]) -> bool:
    return any(
        min(each.end_s, episode.end_s) > max(each.onset_s, episode.onset_s)
        and set(each.leads) & set(episode.leads)
        and (each.measure == episode.measure or each.measure == "U")
        for each in others
    )


def _episode(levels: Levels, group: list[Stretch], deviation: Floats, rule: Definition) -> Episode:
    trend, time = levels.trend, levels.trend.time_s
    half = settings("stream")["step_s"] / 2.0
    by_lead = {
        trend.leads[each.lead]: LeadEpisode(
            onset_s=max(float(time[each.first]) - half, 0.0),
            extremum_s=float(time[each.peak]),
            end_s=float(time[each.last]) + half,
            extremum_uv=float(deviation[each.lead, each.peak]),
        )
        for each in group
    }
    main = max(group, key=lambda each: abs(deviation[each.lead, each.peak]))
    row = np.abs(deviation[main.lead, main.first : main.last + 1])
    leads = sort_leads(by_lead)
    verdict = kind_of(trend, group, deviation, levels.rate_level_bpm)
    rate = trend.rate_bpm[main.first : main.first + 3]
    return Episode(
        measure=rule.name,
        leads=leads,
        onset_s=min(each.onset_s for each in by_lead.values()),
        extremum_s=float(time[main.peak]),
        end_s=max(each.end_s for each in by_lead.values()),
        extremum_uv=float(deviation[main.lead, main.peak]),
        extremum_lead=trend.leads[main.lead],
        area_uv_s=float(np.nansum(row) * 2.0 * half),
        territory=territory(leads),
        rate_onset_bpm=float(np.median(rate[np.isfinite(rate)])) if np.isfinite(rate).any() else float("nan"),
        kind=verdict.kind,
        evidence=verdict.evidence,
        definition=rule.id,
        open_start=any(each.open_start for each in group),
        open_end=any(each.open_end for each in group),
        by_lead={lead: by_lead[lead] for lead in leads},
    )
