"""What is measured in each lead, with its standard errors and why something is absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ecgspasm.ecg.arrays import Floats, Strings, number, read_only
from ecgspasm.ecg.signal import Subject, canonical_names
from ecgspasm.errors import EcgError
from ecgspasm.stamp import stamp

if TYPE_CHECKING:
    import pandas as pd

MEASURED = "measured"

ST_OFFSETS_MS = (0, 20, 40, 60, 80)
"""Where after J the ST level is reported; the names are ``st_j_uv``, ``st_j20_uv`` ... ``st_j80_uv``."""


MEASURES = (
    *(f"st_j{ms or ''}_uv" for ms in ST_OFFSETS_MS),
    *("st_slope_uv_per_s", "t_uv", "t_net_uv", "t_positive_uv", "t_negative_uv", "q_uv", "r_uv", "s_uv"),
    *("qrs_area_uv_ms", "t_area_uv_ms", "p_positive_uv", "p_negative_uv", "u_uv"),
)
"""All that can be measured in a lead (see `Measurements`)."""

_INTERVALS = ("rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms")


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured, one entry a lead, and the intervals of the whole ECG.

    Attributes
    ----------
    leads : tuple of str
    state : tuple of str
        ``measured`` or ``not_measurable: reason``, one a lead. Values of a lead that was not measured are ``nan``.
    values : mapping of str to ndarray, shape (lead,)
        ``st_j_uv``, ``st_j20_uv``, ``st_j40_uv``, ``st_j60_uv``, ``st_j80_uv`` (against the PR level), ``st_slope_uv_per_s``
        (J+20 to J+80), ``t_uv`` (signed amplitude of the larger lobe), ``t_positive_uv``, ``t_negative_uv``, ``t_net_uv`` (their
        sum: unlike the larger lobe it does not jump when a biphasic T tips over), ``t_area_uv_ms`` (J to the end of T), ``u_uv``
        (against the line from the end of T to the next P), ``p_positive_uv``, ``p_negative_uv`` (against the line from its onset
        to its end), ``q_uv``, ``r_uv``, ``s_uv``, ``qrs_area_uv_ms``. A table made elsewhere may hold only some of them.
    se : mapping of str to ndarray, shape (lead,)
        Standard errors of the values, from the scatter of the beats (with that of the median lead), the noise of the median beat
        and, for ST, the place of J; a table made elsewhere may lack them.
    t_shape : ndarray of str, shape (lead,)
    rate_bpm, pr_ms, qrs_ms, qt_ms, qtc_ms : float
        ``nan`` where absent. `qtc_ms` after Fridericia.
    subject : Subject
    """

    leads: tuple[str, ...]
    state: tuple[str, ...]
    values: Mapping[str, Floats]
    se: Mapping[str, Floats]
    t_shape: Strings
    rate_bpm: float
    pr_ms: float
    qrs_ms: float
    qt_ms: float
    qtc_ms: float
    n_beats: int
    subject: Subject = field(default_factory=Subject)
    derived: tuple[str, ...] = ()

    def __repr__(self) -> str:
        measured = sum(state == MEASURED for state in self.state)
        return f"Measurements({measured} of {len(self.leads)} leads, {self.n_beats} beats, rate {self.rate_bpm:.0f}/min)"

    @classmethod
    def from_table(
        cls,
        leads: Sequence[str],
        values: Mapping[str, ArrayLike],
        *,
        se: Mapping[str, ArrayLike] | None = None,
        subject: Subject | None = None,
        **intervals: float,
    ) -> Measurements:
        """Measurements that were made elsewhere, for a comparison without waveforms.

        Parameters
        ----------
        leads : sequence of str
        values : mapping of str to array_like, shape (lead,)
            By the names that stand in the class's description, uV; as few as there are. ``nan`` where a lead was not measured.
        se : mapping of str to array_like, optional
            Standard errors of these values; without them a change's interval rests on the repeatability alone.
        subject : Subject, optional
        **intervals : float
            Any of ``rate_bpm, pr_ms, qrs_ms, qt_ms, qtc_ms, n_beats``.

        Raises
        ------
        EcgError
            If a name is unknown or a column has another length than `leads`.

        Examples
        --------
        >>> table = Measurements.from_table(["V2", "V3"], {"st_j60_uv": [20, 30], "t_uv": [310, np.nan]}, rate_bpm=70)
        >>> table.get("t_uv", "V2"), table.state
        (310.0, ('measured', 'measured'))
        """
        names = canonical_names(leads, "leads")
        columns = {name: _column(name, value, len(names)) for name, value in values.items()}
        errors = {name: _column(name, value, len(names)) for name, value in (se or {}).items()}
        known = np.isfinite(np.stack(list(columns.values()) or [np.full(len(names), np.nan)])).any(axis=0)
        unknown = sorted(set(intervals) - {*_INTERVALS, "n_beats"})
        if unknown:
            raise EcgError(f"no interval {unknown[0]!r}; give some of {', '.join(_INTERVALS)}, n_beats")
        told = {name: float(intervals.get(name, float("nan"))) for name in _INTERVALS}
        t = columns.get("t_uv", np.full(len(names), np.nan))
        shape = np.where(t > 0, "positive", np.where(t < 0, "negative", "absent"))
        return cls(
            leads=names,
            state=tuple(MEASURED if each else "not_measurable: no value in the table" for each in known),
            values=columns,
            se=errors,
            t_shape=read_only(shape, "U17"),
            rate_bpm=told["rate_bpm"],
            pr_ms=told["pr_ms"],
            qrs_ms=told["qrs_ms"],
            qt_ms=told["qt_ms"],
            qtc_ms=told["qtc_ms"],
            n_beats=int(intervals.get("n_beats", 0)),
            subject=subject or Subject(),
        )

    def get(self, measure: str, lead: str) -> float:
        """One value in uV (or the unit in its name); nan if the lead is missing or was not measured."""
        return float(self.values[measure][self.leads.index(lead)]) if lead in self.leads else float("nan")

    def state_of(self, measure: str, lead: str) -> str:
        """``measured``, ``absent`` (the lead was measured, and there is no such wave) or ``not_measurable: reason``."""
        if lead not in self.leads:
            return "not_measurable: not recorded"
        state = self.state[self.leads.index(lead)]
        if state != MEASURED:
            return state
        if measure not in self.values:
            return f"not_measurable: {measure} is not in the table"
        return MEASURED if np.isfinite(self.get(measure, lead)) else "absent"

    def measured(self, lead: str) -> bool:
        """Whether the lead is there and was measured."""
        return lead in self.leads and self.state[self.leads.index(lead)] == MEASURED

    def to_frame(self) -> pd.DataFrame:
        """One row a lead; columns ``lead, state, t_shape`` and one a value, standard errors as ``<value>_se``."""
        import pandas as pd

        columns: dict[str, Any] = {"lead": list(self.leads), "state": list(self.state), "t_shape": self.t_shape}
        for name, values in self.values.items():
            columns[name] = values
            if name in self.se:
                columns[f"{name}_se"] = self.se[name]
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a value is absent."""
        return stamp() | {
            "global": {name: number(getattr(self, name)) for name in _INTERVALS} | {"n_beats": self.n_beats},
            "leads": {
                lead: {"state": self.state[row], "t_shape": str(self.t_shape[row]), "derived": lead in self.derived}
                | {name: number(values[row]) for name, values in self.values.items()}
                | {f"{name}_se": number(values[row]) for name, values in self.se.items()}
                for row, lead in enumerate(self.leads)
            },
        }


def _column(name: str, value: ArrayLike, n_leads: int) -> Floats:
    """One column of a table."""
    if name not in MEASURES:
        raise EcgError(f"no measure {name!r}; give some of {', '.join(MEASURES)}")
    try:
        column = read_only(value)
    except (TypeError, ValueError) as error:
        raise EcgError(f"{name} is not a row of numbers: {error}") from error
    if column.shape != (n_leads,):
        raise EcgError(f"{name} has the shape {column.shape}; give one value for each of the {n_leads} leads")
    return column
