"""What there is to do and what comes of it, in a form that every process of a run knows without loading what does the work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecgspasm.ecg import MEASURED

INTERVALS = ("rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms")


@dataclass(frozen=True)
class Task:
    """What there is to do for one row of a list; `reason` says why nothing is to be done."""

    record: str
    baseline: str = ""
    """Path of the earlier ECG; empty where one ECG is measured."""
    current: str = ""
    """Path of the ECG."""
    baseline_at: str = ""
    """Times that the list gives, ISO 8601."""
    current_at: str = ""
    reason: str = ""


@dataclass
class Rows:
    """Rows of the long table, column by column."""

    lead: list[str] = field(default_factory=list)
    measure: list[str] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    se: list[float] = field(default_factory=list)
    state: list[str] = field(default_factory=list)

    def add(
        self,
        measure: str,
        leads: Sequence[str],
        values: Iterable[float],
        errors: Iterable[float] | None = None,
        states: Iterable[str] | None = None,
    ) -> None:
        """One measure, a row a lead; the state follows from the value if it is not given."""
        column = [float(value) for value in values]
        self.lead += leads
        self.measure += [measure] * len(leads)
        self.value += column
        self.se += [float("nan")] * len(leads) if errors is None else [float(error) for error in errors]
        self.state += [MEASURED if value == value else "absent" for value in column] if states is None else list(states)


def failed(reason: str) -> Rows:
    """The one row of a record of which nothing came."""
    rows = Rows()
    rows.add("error", [""], [float("nan")], states=[reason])
    return rows


def as_dict(task: Task) -> dict[str, Any]:
    """What a task holds, without what is empty."""
    return {name: value for name, value in vars(task).items() if value}
