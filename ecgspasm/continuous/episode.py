"""The noun of continuous recordings: an episode, in one or more leads, of ST, T or U away from its reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecgspasm.ecg import number

ISCHEMIC, RATE, STEP, CONDUCTION, ARTEFACT = KINDS = (
    "ischemic ramp",
    "rate-related",
    "posture/axis step",
    "conduction change",
    "artefact",
)
"""What an episode can be."""


@dataclass(frozen=True)
class LeadEpisode:
    """An episode as it went in one lead; times in s from the beginning of the recording."""

    onset_s: float
    extremum_s: float
    end_s: float
    extremum_uv: float


@dataclass(frozen=True)
class Episode:
    """A stretch in which ST, T or U was away from its reference in at least one lead.

    Attributes
    ----------
    measure : str
        ``ST``, ``T`` or ``U``.
    leads : tuple of str
    onset_s, extremum_s, end_s : float
        From the beginning of the recording; the earliest onset and the latest end of all leads.
    extremum_uv : float
        Largest deviation from the reference, with its sign, in `extremum_lead`.
    area_uv_s : float
        Integral of the absolute deviation in that lead, from its onset to its end.
    territory : str
    rate_onset_bpm : float
        ``nan`` where not known.
    kind : str
        One of `KINDS`.
    evidence : tuple of str
        What speaks for the kind, in words with figures.
    definition : str
        The published definition by which it was found.
    also : tuple of str
        Other definitions that it meets.
    open_start, open_end : bool
        Whether it had begun before the first, or went on after the last, measurement.
    by_lead : mapping of str to LeadEpisode
    """

    measure: str
    leads: tuple[str, ...]
    onset_s: float
    extremum_s: float
    end_s: float
    extremum_uv: float
    extremum_lead: str
    area_uv_s: float
    territory: str
    rate_onset_bpm: float
    kind: str
    evidence: tuple[str, ...]
    definition: str
    also: tuple[str, ...] = ()
    open_start: bool = False
    open_end: bool = False
    by_lead: Mapping[str, LeadEpisode] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """From onset to end."""
        return self.end_s - self.onset_s

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a value is not known."""
        return {
            "kind": self.kind,
            "measure": self.measure,
            "leads": list(self.leads),
            "onset_s": number(self.onset_s),
            "extremum_s": number(self.extremum_s),
            "end_s": number(self.end_s),
            "extremum_uv": number(self.extremum_uv),
            "extremum_lead": self.extremum_lead,
            "area_uv_s": number(self.area_uv_s),
            "territory": self.territory or None,
            "rate_onset_bpm": number(self.rate_onset_bpm),
            "evidence": list(self.evidence),
            "definition": self.definition,
            "also": list(self.also),
            "open_start": self.open_start,
            "open_end": self.open_end,
            "by_lead": {
                lead: {
                    "onset_s": number(each.onset_s),
                    "extremum_s": number(each.extremum_s),
                    "end_s": number(each.end_s),
                    "extremum_uv": number(each.extremum_uv),
                }
                for lead, each in self.by_lead.items()
            },
        }
