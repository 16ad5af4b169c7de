"""The nouns of a serial comparison: changes, findings and the comparison itself, with what they print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.ecg import Analysis, Floats, Measurements, Strings, number

if TYPE_CHECKING:
    import pandas as pd

MET, NOT_MET, UNDECIDED = "MET", "NOT_MET", "UNDECIDED"

IN_FRAME = ("st_j_uv", "st_j60_uv", "t_uv")
"""The measures that `Comparison.to_frame` lists."""


@dataclass(frozen=True, eq=False)
class Change:
    """One measure in both ECGs, arrays of shape (lead,); nan where it was not measured in one of them."""

    baseline: Floats
    current: Floats
    se: Floats
    """Standard error of the difference."""

    @property
    def difference(self) -> Floats:
        """Current minus baseline."""
        return self.current - self.baseline

    @property
    def low(self) -> Floats:
        """Lower end of the 95 % interval of the difference."""
        return self.difference - 1.96 * self.se

    @property
    def high(self) -> Floats:
        """Upper end of the 95 % interval of the difference."""
        return self.difference + 1.96 * self.se


@dataclass(frozen=True)
class Finding:
    """What one criterion says of the two ECGs."""

    criterion: str
    title: str
    verdict: str
    """``MET``, ``NOT_MET`` or ``UNDECIDED``."""
    leads: tuple[str, ...]
    """The leads that fulfil the criterion; only those that hang together when it is met."""
    territory: str
    reason: str
    """Why the verdict is undecided, or what was found."""
    source: str
    what: str = ""
    kind: str = "new"
    conditions: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Per lead: baseline, current, change, low and high of the measure that the criterion shows."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "criterion": self.criterion,
            "title": self.title,
            "kind": self.kind,
            "verdict": self.verdict,
            "leads": list(self.leads),
            "territory": self.territory or None,
            "reason": self.reason,
            "conditions": list(self.conditions),
            "values": {lead: {name: number(each) for name, each in row.items()} for lead, row in self.values.items()},
            "source": self.source,
        }


@dataclass(frozen=True, eq=False)
class AlignedMedians:
    """Both median beats on one time axis, each zeroed at its PR level, for pictures and for measuring at the same instants."""

    time_ms: Floats
    """From the common QRS onset, shape (sample,)."""
    baseline_uv: Floats
    """Shape (lead, sample), the leads of the comparison."""
    current_uv: Floats
    j_ms: float
    """The common J point on `time_ms`."""
    qrs_correlation: float
    """Correlation of the two QRS complexes over all leads."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is new in one ECG against an earlier one of the same person.

    Attributes
    ----------
    baseline, current : Analysis
    leads : tuple of str
        The leads that both have.
    state : tuple of str
        Per lead ``measured`` or ``not_measurable: reason``.
    changes : mapping of str to Change
        By measure (see `Measurements.values`), both ECGs measured at the same offsets.
    t_shape : mapping of str to ndarray of str
        T shape per lead in ``baseline`` and ``current``.
    findings : tuple of Finding
        One a criterion, in the order of the criteria.
    confounders : mapping of str to str
        What else could explain a change, by its short name, with the evidence.
    aligned : AlignedMedians or None
        ``None`` when one of the two has no usable beat.
    measured : mapping of str to Measurements
        ``baseline`` and ``current`` as measured at the common offsets.
    """

    baseline: Analysis
    current: Analysis
    leads: tuple[str, ...]
    state: tuple[str, ...]
    changes: Mapping[str, Change]
    t_shape: Mapping[str, Strings]
    findings: tuple[Finding, ...]
    confounders: Mapping[str, str]
    aligned: AlignedMedians | None
    measured: Mapping[str, Measurements]

    @property
    def comparable(self) -> bool:
        """Whether at least one lead was measured in both."""
        return any(state == "measured" for state in self.state)

    @property
    def verdict(self) -> str:
        """One line: what is new, or that nothing was found, or why nothing can be said."""
        if not self.comparable:
            return f"NOT COMPARABLE: {self.state[0].removeprefix('not_measurable: ')}"
        met = [finding for finding in self.findings if finding.verdict == MET]
        lines = [f"{finding.what} in {lead_span(finding.leads)} ({finding.territory}): {finding.reason}" for finding in met]
        if lines:
            return "; ".join(lines)
        undecided = [finding for finding in self.findings if finding.verdict == UNDECIDED and finding.kind == "new"]
        if undecided:
            return f"UNDECIDED: {undecided[0].reason}"
        return "No new change found"

    def to_frame(self) -> pd.DataFrame:
        """One row a lead.

        Columns ``lead, state, t_shape_baseline, t_shape_current`` and, for each of ``st_j_uv``, ``st_j60_uv`` and ``t_uv``,
        ``<measure>_baseline, _current, _change, _low, _high`` (95 % interval of the change).
        """
        import pandas as pd

        columns: dict[str, Any] = {"lead": list(self.leads), "state": list(self.state)}
        columns |= {f"t_shape_{which}": self.t_shape[which] for which in ("baseline", "current")}
        for measure in IN_FRAME:
            change = self.changes[measure]
            columns[f"{measure}_baseline"] = change.baseline
            columns[f"{measure}_current"] = change.current
            columns[f"{measure}_change"] = change.difference
            columns[f"{measure}_low"], columns[f"{measure}_high"] = change.low, change.high
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a value is absent."""
        from ecgspasm import __version__

        leads = {
            lead: {"state": self.state[row]}
            | {f"t_shape_{which}": str(self.t_shape[which][row]) for which in ("baseline", "current")}
            | {
                measure: {
                    "baseline": number(change.baseline[row]),
                    "current": number(change.current[row]),
                    "change": number(change.difference[row]),
                    "low": number(change.low[row]),
                    "high": number(change.high[row]),
                }
                for measure, change in self.changes.items()
            }
            for row, lead in enumerate(self.leads)
        }
        return {
            "ecgspasm": __version__,
            "use": "research only; not a medical device",
            "verdict": self.verdict,
            "comparable": self.comparable,
            "baseline": {"source": self.baseline.ecg.source} | self.baseline.measurements.to_dict()["global"],
            "current": {"source": self.current.ecg.source} | self.current.measurements.to_dict()["global"],
            "leads": leads,
            "findings": [finding.to_dict() for finding in self.findings],
            "confounders": dict(self.confounders),
        }

    def __str__(self) -> str:
        rows = [self.verdict, ""]
        header = f"{'lead':<5}" + "".join(f"{name:>26}" for name in ("ST at J, uV", "ST at J+60, uV", "T, uV"))
        rows.append(header)
        for row, lead in enumerate(self.leads):
            if self.state[row] != "measured":
                rows.append(f"{lead:<5} {self.state[row]}")
                continue
            cells = (self._cell(self.changes[measure], row) for measure in IN_FRAME)
            rows.append(f"{lead:<5}" + "".join(f"{cell:>26}" for cell in cells))
        notes = [
            f"{finding.title}: {finding.verdict}, {finding.reason}" for finding in self.findings if finding.verdict == UNDECIDED
        ]
        notes += [f"confounder: {text}" for text in self.confounders.values()]
        return "\n".join(rows + (["", *notes] if notes else []))

    @staticmethod
    def _cell(change: Change, row: int) -> str:
        if not np.isfinite(change.difference[row]):
            return "absent"
        return f"{change.baseline[row]:+.0f} -> {change.current[row]:+.0f} ({change.difference[row]:+.0f})"


def lead_span(leads: tuple[str, ...]) -> str:
    """Write chest leads in a row as a span.

    Examples
    --------
    >>> lead_span(("II", "V1", "V2", "V3")), lead_span(("V1", "V3"))
    ('II, V1-V3', 'V1, V3')
    """
    parts: list[list[str]] = []
    for lead in leads:
        follows = parts and parts[-1][-1][0] == lead[0] == "V" and lead[1:].isdigit() and parts[-1][-1][1:].isdigit()
        if follows and int(lead[1:]) == int(parts[-1][-1][1:]) + 1:
            parts[-1].append(lead)
        else:
            parts.append([lead])
    return ", ".join("-".join((part[0], part[-1])) if len(part) > 1 else part[0] for part in parts)
