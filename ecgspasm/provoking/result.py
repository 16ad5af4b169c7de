"""The result of a provocation test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecgspasm.ecg import Subject, number
from ecgspasm.errors import EcgError
from ecgspasm.provoking import card, words
from ecgspasm.provoking.definitions import HalfDefinition, Judged
from ecgspasm.provoking.events import ProvocationEvent
from ecgspasm.provoking.phases import Phase, PhaseChange, shown
from ecgspasm.provoking.response import Response
from ecgspasm.provoking.series import Series
from ecgspasm.provoking.settings import CAVEAT, table
from ecgspasm.stamp import line, stamp

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "phase", "kind", "start_s", "end_s", "lead", "measure", "state", "baseline_uv", "extremum_s", "extremum_uv", "change_uv",
    "low_uv", "high_uv", "last_s", "last_uv", "last_change_uv", "last_low_uv", "last_high_uv",
)  # fmt: skip
"""Columns of `ProvocationTest.to_frame`: at the extremum of the phase, then at its last measurement."""

_N_VALUES = 11


def _values(each: PhaseChange, at: int) -> list[float]:
    """The values of one lead in the order of `COLUMNS`."""
    first, last = each.extremum, each.end
    told = [each.extremum_s, first.current[at], first.difference[at], first.low[at], first.high[at]]
    return [first.baseline[at], *told, each.end_s, last.current[at], last.difference[at], last.low[at], last.high[at]]


@dataclass(frozen=True, eq=False)
class ProvocationTest:
    """What a provocation test showed.

    Attributes
    ----------
    events : tuple of ProvocationEvent
        In the order of time.
    phases : tuple of Phase
        The baseline, then one an event.
    responses : tuple of Response
        Sustained changes of ST, T and U, with onset, extremum and relief; of each cycle of provocation and relief.
    definitions : tuple of HalfDefinition
        The ECG half of COVADIS and of the Japanese Circulation Society's definition.
    judged : tuple of Judged
        All criteria of the serial comparison at the extrema of the phases.
    series : Series
        Values over time.
    notes : tuple of str
    subject : Subject
    source : str
    """

    events: tuple[ProvocationEvent, ...]
    phases: tuple[Phase, ...]
    responses: tuple[Response, ...]
    definitions: tuple[HalfDefinition, ...]
    judged: tuple[Judged, ...]
    series: Series = field(repr=False)
    notes: tuple[str, ...] = ()
    subject: Subject = field(default_factory=Subject)
    source: str = ""
    average_s: float | None = None
    """Length of the averages of a recording; None for ECGs in a list."""

    caveat = CAVEAT
    """Stands in every output, whatever was found."""

    @property
    def leads(self) -> tuple[str, ...]:
        """Those of the baseline."""
        return self.series.leads

    @property
    def parameters(self) -> dict[str, Any]:
        """What the caller chose, or did not: ``average_s`` and ``definitions``, the ids of all that were judged."""
        return {"average_s": self.average_s, "definitions": [each.id for each in self.definitions]}

    @property
    def response(self) -> Response | None:
        """The response that counts most: of ST, else of U, else of T; of several cycles the largest."""
        for name in ("ST", "U", "T"):
            found = [each for each in self.responses if each.name == name]
            if found:
                return max(found, key=lambda each: abs(each.extremum_uv))
        return None

    @property
    def verdict(self) -> str:
        """One line."""
        return words.verdict(self)

    def definition(self, name: str) -> HalfDefinition:
        """One of `definitions` by its id, ``covadis`` or ``jcs``."""
        for each in self.definitions:
            if each.id == name:
                return each
        raise EcgError(f"no definition {name!r}; there are {', '.join(each.id for each in self.definitions)}")

    def to_frame(self) -> pd.DataFrame:
        """One row a phase, lead and measure; see `COLUMNS`. ``nan`` where nothing was measured; `state` says why."""
        import pandas as pd

        rows = []
        for phase in self.phases:
            for measure in shown(self.series):
                each = phase.changes.get(measure)
                for at, lead in enumerate(self.leads):
                    row = [phase.name, phase.kind, phase.start_s, phase.end_s, lead, measure, phase.state[at]]
                    rows.append([*row, *([float("nan")] * _N_VALUES if each is None else _values(each, at))])
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a value is not known."""
        return stamp(**self.parameters) | {
            "verdict": self.verdict,
            "caveat": self.caveat,
            "caveat_source": table("settings.toml")["caveat"]["source"],
            "source": self.source,
            "baseline": self.series.baseline_words,
            "start_s": number(self.series.start_s),
            "end_s": number(self.series.end_s),
            "events": [each.to_dict() for each in self.events],
            "responses": [each.to_dict() for each in self.responses],
            "definitions": [each.to_dict() for each in self.definitions],
            "phases": [each.to_dict(self.leads) for each in self.phases],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return f"ProvocationTest({len(self.leads)} leads, {self.verdict!r})"

    def __str__(self) -> str:
        return f"{words.report(self)}\n\n{line(self.parameters)}"

    def _repr_html_(self) -> str:
        return card.html(self)
