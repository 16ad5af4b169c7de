"""The result of following a recording: trend, reference, episodes, interruptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecgspasm.continuous import card
from ecgspasm.continuous.definitions import chosen
from ecgspasm.continuous.episode import ISCHEMIC, Episode
from ecgspasm.continuous.find import Levels, find, with_other_definitions
from ecgspasm.continuous.trend import Interruption, Trend
from ecgspasm.ecg import Floats, Subject, number
from ecgspasm.stamp import line as told_with
from ecgspasm.stamp import stamp

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "kind", "measure", "leads", "onset_s", "extremum_s", "end_s", "extremum_uv", "extremum_lead", "area_uv_s", "territory",
    "rate_onset_bpm", "definition", "also", "open_start", "open_end", "evidence",
)  # fmt: skip
"""Columns of `Monitoring.to_frame`; the first seven are part of the stable contract."""


@dataclass(frozen=True, eq=False)
class Monitoring:
    """What was found in a continuous recording.

    Attributes
    ----------
    leads : tuple of str
    duration_s : float
    trend : Trend
        Averages over time.
    episodes : tuple of Episode
        By the definitions asked for (by default those of the European ST-T Database), of every kind: filter by `Episode.kind`.
    reference : mapping of str to str
        Per lead ``baseline`` or ``own quiet stretch``: what its deviations are measured against.
    interruptions : tuple of Interruption
        When which leads could not be measured, and why; also samples that came late, twice or not at all.
    notes : tuple of str
    subject : Subject
    source : str
    """

    leads: tuple[str, ...]
    duration_s: float
    trend: Trend
    episodes: tuple[Episode, ...]
    reference: Mapping[str, str]
    interruptions: tuple[Interruption, ...]
    notes: tuple[str, ...] = ()
    subject: Subject = field(default_factory=Subject)
    source: str = ""
    measured_before_s: float = 0.0
    """Of a feed that became too long to be kept whole: how much was measured before the trend begins."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the caller chose, or did not: ``average_s`` and ``definitions``."""
    levels: Levels = field(repr=False, kw_only=True)
    """Reference and deviation of every measure over time."""

    @property
    def measured_s(self) -> float:
        """How long at least one lead was measured; rows of the trend stand for a step each, of which the end may cut the last."""
        return min(self.measured_before_s + self.trend.measured_s(), self.duration_s)

    @property
    def ischemic(self) -> tuple[Episode, ...]:
        """The episodes that look like ischemia."""
        return tuple(each for each in self.episodes if each.kind == ISCHEMIC)

    def by_definition(self, ids: str | Iterable[str]) -> tuple[Episode, ...]:
        """Episodes by other definitions, from the same trend.

        Parameters
        ----------
        ids : str or iterable of str
            See ``continuous/definitions.toml``: ``european-st``, ``long-term-b``, ``covadis-st-elevation`` and others.

        Raises
        ------
        EcgError
            If there is no such definition.
        """
        found = [each for rule in chosen(ids) for each in find(self.levels, rule)]
        return with_other_definitions(self.levels, tuple(sorted(found, key=lambda each: each.onset_s)))

    def deviation_uv(self, measure: str = "st_uv") -> Floats:
        """A measure above its reference, shape (lead, row) beside ``trend.time_s``."""
        return self.levels.deviation(measure)

    @property
    def verdict(self) -> str:
        """One line: how many episodes of what, and the largest."""
        if not len(self.trend.time_s) or not self.measured_s:
            return "NOT MEASURED: " + (self.interruptions[0].reason if self.interruptions else "no signal")
        long = self.measured_s >= 3600.0
        hours = f"{self.measured_s / 3600.0:.1f} h measured" if long else f"{self.measured_s / 60.0:.0f} min measured"
        if not self.episodes:
            return f"no episode in {hours}; that does not exclude ischemia"
        counted = {kind: sum(each.kind == kind for each in self.episodes) for kind in {each.kind for each in self.episodes}}
        order = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        told = ", ".join(f"{count} {kind}{'s' if count > 1 and kind != 'rate-related' else ''}" for kind, count in order)
        largest = max(self.ischemic or self.episodes, key=lambda each: abs(each.extremum_uv))
        return f"{told} in {hours}; largest: {line(largest)}"

    def to_frame(self) -> pd.DataFrame:
        """One row an episode; `leads`, `also` and `evidence` as text, parts separated by a blank, comma or semicolon."""
        import pandas as pd

        rows = []
        for each in self.episodes:
            row: dict[str, Any] = {name: getattr(each, name) for name in COLUMNS}
            rows.append(row | {"leads": " ".join(each.leads), "also": ", ".join(each.also), "evidence": "; ".join(each.evidence)})
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a value is not known."""
        return stamp(**self.parameters) | {
            "verdict": self.verdict,
            "source": self.source,
            "duration_s": number(self.duration_s),
            "measured_s": number(self.measured_s),
            "leads": list(self.leads),
            "reference": dict(self.reference),
            "episodes": [each.to_dict() for each in self.episodes],
            "interruptions": [
                {"start_s": number(each.start_s), "end_s": number(each.end_s), "leads": list(each.leads), "reason": each.reason}
                for each in self.interruptions
            ],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [self.verdict, ""]
        if self.episodes:
            lines.append(f"{'onset':>9} {'extremum':>9} {'end':>9}  {'':<2} {'uV':>6}  {'leads':<24}{'kind':<18}evidence")
        for each in self.episodes:
            times = " ".join(f"{clock(at):>9}" for at in (each.onset_s, each.extremum_s, each.end_s))
            leads = " ".join(each.leads)
            lines.append(
                f"{times}  {each.measure:<2} {each.extremum_uv:>+6.0f}  {leads:<24}{each.kind:<18}{'; '.join(each.evidence)}"
            )
        for gap in self.interruptions:
            lines.append(f"{clock(gap.start_s)} to {clock(gap.end_s)}: {', '.join(gap.leads) or 'all leads'}: {gap.reason}")
        said = "\n".join([*lines, *self.notes]).rstrip()
        return f"{said}\n\n{told_with(self.parameters)}"

    def __repr__(self) -> str:
        return f"Monitoring({len(self.leads)} leads, {self.duration_s:g} s, {self.verdict!r})"

    def _repr_html_(self) -> str:
        return card.html(self)


def clock(seconds: float) -> str:
    """Seconds from the beginning as ``h:mm:ss``."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def line(episode: Episode) -> str:
    """An episode in one line."""
    where = f"{' '.join(episode.leads)} ({episode.territory})" if episode.territory != "unnamed" else " ".join(episode.leads)
    return (
        f"{episode.measure} {episode.extremum_uv:+.0f} uV in {where} at {clock(episode.extremum_s)}, "
        f"{(episode.end_s - episode.onset_s) / 60.0:.1f} min"
    )
