"""What the pictures of continuous recordings share: the axis of time, and how an episode went in one lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgspasm.continuous.episode import Episode, LeadEpisode
from ecgspasm.continuous.monitoring import Monitoring

LEFT_MM, RIGHT_MM = 46.0, 222.0
GUIDE = "#8a8a8a"
RATE_MM = 12.0
"""Height of the strip of the heart rate."""


@dataclass(frozen=True)
class TimeAxis:
    """From seconds to millimetres."""

    start_s: float
    stop_s: float

    @classmethod
    def of(cls, monitoring: Monitoring) -> TimeAxis:
        time = monitoring.trend.time_s
        start = 0.0 if time[0] < 60.0 else float(time[0])  # the beginning of a long feed may have been forgotten
        return cls(start, max(monitoring.duration_s, float(time[-1]), start + 1.0))

    def at(self, time_s: Any) -> Any:
        """Millimetres of a time; beyond the ends the edge."""
        share = (np.asarray(time_s, dtype=float) - self.start_s) / (self.stop_s - self.start_s)
        return LEFT_MM + np.clip(share, 0.0, 1.0) * (RIGHT_MM - LEFT_MM)


def wave(measure: str) -> str:
    """Which wave a measure is of, as episodes call it."""
    return measure.partition("_")[0].upper()


def part_of(episode: Episode, lead: str) -> LeadEpisode:
    """How an episode went in one of its leads."""
    whole = LeadEpisode(episode.onset_s, episode.extremum_s, episode.end_s, episode.extremum_uv)
    return episode.by_lead.get(lead, whole)
