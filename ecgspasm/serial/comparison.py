"""The nouns of a serial comparison: changes, findings and the comparison itself, with what they print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from ecgspasm.criteria import minnesota as minnesota_codes
from ecgspasm.ecg import Analysis, Floats, Measurements, Strings, number
from ecgspasm.errors import EcgError
from ecgspasm.processing.vector import HeartVectors, angle_deg
from ecgspasm.serial import card, words
from ecgspasm.serial.score import Score
from ecgspasm.serial.vessel import vessel_leads
from ecgspasm.stamp import line, stamp

if TYPE_CHECKING:
    import pandas as pd

MET, NOT_MET, UNDECIDED = "MET", "NOT_MET", "UNDECIDED"

Z95 = 1.96
"""Standard errors in half of a 95 % interval."""

IN_FRAME = ("st_j_uv", "st_j60_uv", "t_uv")
"""The measures that `Comparison.to_frame` lists."""


@dataclass(frozen=True, eq=False)
class Change:
    """One measure in both ECGs, arrays of shape (lead,); nan where it was not measured in one of them."""

    baseline: Floats
    current: Floats
    measurement_se: Floats
    """Standard error of the difference that the measurement itself leaves: noise, scatter of the beats, place of J."""
    repeat_sd: Floats
    """Standard deviation of the difference between two ECGs of a person in whom nothing has happened (see `repeatability`)."""

    @property
    def difference(self) -> Floats:
        """Current minus baseline."""
        return self.current - self.baseline

    @property
    def se(self) -> Floats:
        """Standard error of the difference, measurement and repeatability together."""
        return np.hypot(self.measurement_se, self.repeat_sd)

    @property
    def low(self) -> Floats:
        """Lower end of the 95 % interval of the difference."""
        return self.difference - Z95 * self.se

    @property
    def high(self) -> Floats:
        """Upper end of the 95 % interval of the difference."""
        return self.difference + Z95 * self.se

    @property
    def detectable(self) -> Floats:
        """Minimal detectable change: what 95 % of unchanged pairs stay below."""
        return Z95 * self.se

    def probability(self, *, at_least: float | None = None, at_most: float | None = None) -> Floats:
        """Probability that the true change is at least, or at most, so much; for normal errors, shape (lead,)."""
        se = np.maximum(self.se, 1e-9)
        if at_least is not None and at_most is None:
            return np.asarray(ndtr((self.difference - at_least) / se))
        if at_most is not None and at_least is None:
            return np.asarray(ndtr((at_most - self.difference) / se))
        raise EcgError("probability() asks for one limit: give either at_least or at_most")


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
    """Per lead, of the measure that the criterion shows: baseline, current, change, low and high, its threshold there, and the
    probability that the true change is beyond it."""
    measure: str = ""
    """The measure that the criterion shows."""

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
            "measure": self.measure,
            "conditions": list(self.conditions),
            "values": {lead: {name: _digits(name, each) for name, each in row.items()} for lead, row in self.values.items()},
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
    onset: tuple[float, float]
    """The common QRS onset, as a fractional sample of the baseline's and of the current median beat."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is new in one ECG against an earlier one of the same person.

    Attributes
    ----------
    baseline, current : Analysis or None
        ``None`` where only a table of measurements was given.
    leads : tuple of str
        The leads that both have.
    state : tuple of str
        Per lead ``measured`` or ``not_measurable: reason``.
    changes : mapping of str to Change
        By measure (see `Measurements.values`), both ECGs measured at the same offsets.
    t_shape : mapping of str to ndarray of str
        T shape per lead in ``baseline`` and ``current``.
    findings : tuple of Finding
        What has changed: one a criterion of kind ``new`` or ``resolution``, in their order.
    definitions : tuple of Finding
        Published definitions and patterns (``present`` in the current ECG, or met if the change proves ``transient``): one a
        criterion. They are not news by themselves.
    confounders : mapping of str to str
        What else could explain a change, by its short name, with the evidence.
    aligned : AlignedMedians or None
        ``None`` when one of the two has no usable beat.
    measured : mapping of str to Measurements
        ``baseline`` and ``current`` as measured at the common offsets.
    electrodes : str
        ``fresh`` or ``same``: what the intervals hold for.
    vectors : mapping of str to HeartVectors
        The heart vectors of ``baseline`` and ``current``.
    score : Score
        Probability of new ischemia from a few named changes, beside the rules.
    """

    baseline: Analysis | None
    current: Analysis | None
    leads: tuple[str, ...]
    state: tuple[str, ...]
    changes: Mapping[str, Change]
    t_shape: Mapping[str, Strings]
    findings: tuple[Finding, ...]
    definitions: tuple[Finding, ...]
    confounders: Mapping[str, str]
    aligned: AlignedMedians | None
    measured: Mapping[str, Measurements]
    electrodes: str
    vectors: Mapping[str, HeartVectors]
    score: Score

    @property
    def comparable(self) -> bool:
        """Whether at least one lead was measured in both."""
        return any(state == "measured" for state in self.state)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the caller chose, or did not: ``electrodes`` and ``criteria``, the ids of all that were judged."""
        return {"electrodes": self.electrodes, "criteria": [each.criterion for each in (*self.findings, *self.definitions)]}

    @property
    def verdict(self) -> str:
        """One line: what is new, or that nothing was found, or why nothing can be said."""
        return words.verdict(self)

    def vector_change(self) -> dict[str, float | None]:
        """Size of the change of each heart vector, and change of the spatial QRS-T angle."""
        first, second = self.vectors["baseline"], self.vectors["current"]
        named = ("st_j_uv", "st_j60_uv", "t_uv", "gradient_uv_ms")
        sizes = {name: number(float(np.linalg.norm(getattr(second, name) - getattr(first, name)))) for name in named}
        turned = number(angle_deg(first.gradient_uv_ms, second.gradient_uv_ms))
        return sizes | {"gradient_turned_deg": turned, "qrs_t_angle_deg": number(second.qrs_t_angle_deg - first.qrs_t_angle_deg)}

    def vessel_leads(self, measure: str = "st_j_uv") -> dict[str, dict[str, float]]:
        """ST in the lead of each coronary artery, in uV, in ``baseline`` and ``current`` (see `vessel_leads`)."""
        return {name: vessel_leads(each, measure) for name, each in self.measured.items()}

    def minnesota(self) -> dict[str, Any]:
        """Minnesota codes 4-x, 5-x and 9-2 of both ECGs by group of leads, and their significant changes."""
        return minnesota_codes.changed(self.measured["baseline"], self.measured["current"])

    def to_frame(self) -> pd.DataFrame:
        """One row a lead.

        Columns ``lead, state, t_shape_baseline, t_shape_current`` and, for each of ``st_j_uv``, ``st_j60_uv`` and ``t_uv``,
        ``<measure>_baseline, _current, _change, _low, _high`` (95 % interval of the change).
        """
        import pandas as pd

        columns: dict[str, Any] = {"lead": list(self.leads), "state": list(self.state)}
        columns |= {f"t_shape_{which}": self.t_shape[which] for which in ("baseline", "current")}
        for measure in IN_FRAME:
            change = self.changes.get(measure) or _unknown(len(self.leads))
            columns[f"{measure}_baseline"] = change.baseline
            columns[f"{measure}_current"] = change.current
            columns[f"{measure}_change"] = change.difference
            columns[f"{measure}_low"], columns[f"{measure}_high"] = change.low, change.high
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a value is absent."""
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
                    "detectable": number(change.detectable[row]),
                }
                for measure, change in self.changes.items()
            }
            for row, lead in enumerate(self.leads)
        }
        return stamp(**self.parameters) | {
            "verdict": self.verdict,
            "comparable": self.comparable,
            "electrodes": self.electrodes,
            "baseline": self._own("baseline"),
            "current": self._own("current"),
            "vectors": {name: each.to_dict() for name, each in self.vectors.items()} | {"change": self.vector_change()},
            "score": self.score.to_dict(),
            "leads": leads,
            "findings": [finding.to_dict() for finding in self.findings],
            "definitions": [finding.to_dict() for finding in self.definitions],
            "minnesota": self.minnesota(),
            "confounders": dict(self.confounders),
        }

    def _own(self, name: str) -> dict[str, Any]:
        """Source and intervals of one ECG by itself, not at the common offsets."""
        analysis = self.baseline if name == "baseline" else self.current
        if analysis is None:
            return {"source": ""} | dict(self.measured[name].to_dict()["global"])
        return {"source": analysis.ecg.source} | dict(analysis.measurements.to_dict()["global"])

    def __str__(self) -> str:
        return f"{words.report(self)}\n\n{line(self.parameters)}"

    def __repr__(self) -> str:
        return f"Comparison({len(self.leads)} leads, {self.verdict!r})"

    def _repr_html_(self) -> str:
        return card.html(self)


def _digits(name: str, value: float) -> float | None:
    return number(value, 3 if name == "probability" else 1)


def _unknown(n_leads: int) -> Change:
    """The change of a measure that a table lacks."""
    absent = np.full(n_leads, np.nan)
    return Change(absent, absent, absent, absent)
