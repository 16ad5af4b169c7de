"""The nouns: what every step takes and gives.

All are frozen; arrays are read-only; axes are ``(lead, sample)``, ``(lead, beat)``, ``(lead,)`` or ``(beat,)``. Amplitudes are
in microvolts (``_uv``), times in milliseconds (``_ms``) or, where a name says so, in samples of the recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgspasm import leads as lead_names
from ecgspasm import markup
from ecgspasm.errors import EcgError
from ecgspasm.stamp import stamp

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.floating[Any]]
Strings = NDArray[np.str_]

FS_RANGE_HZ = (50.0, 10_000.0)
"""Sampling rates that an ECG can have; anything else is a mistake in a header."""

MEASURED = "measured"


def read_only(values: ArrayLike, dtype: Any = np.float64) -> NDArray[Any]:
    """Return `values` as an array that nobody can write to; the caller's own array is copied if anyone could write to it."""
    array = np.asarray(values, dtype=dtype)
    owner: Any = array
    while isinstance(owner, np.ndarray) and not owner.flags.writeable and owner.base is not None:
        owner = owner.base
    if not isinstance(owner, np.ndarray) or (owner.flags.writeable and (array is values or owner is not array)):
        array = array.copy()
    array.setflags(write=False)
    return array


@dataclass(frozen=True)
class Subject:
    """What the criteria need to know of a person; never a name, a birth date or a number given by a hospital."""

    sex: Literal["male", "female"] | None = None
    age: float | None = None
    key: str | None = None
    """A key that the caller gives, to tell people apart."""

    def __post_init__(self) -> None:
        if self.sex not in ("male", "female", None):
            raise EcgError(f"sex is {self.sex!r}; give 'male', 'female' or None")
        if self.age is not None and not (isinstance(self.age, int | float | np.number) and 0 <= self.age <= 130):
            raise EcgError(f"age is {self.age!r}; give years between 0 and 130, or None")


@dataclass(frozen=True, eq=False)
class Ecg:
    """One recording of one or more leads.

    Parameters
    ----------
    signal_uv : array_like, shape (lead, sample)
        Microvolts; ``nan`` where a sample is missing.
    fs : float
        Samples per second; it has no default.
    leads : sequence of str
        One name a row, in any usual spelling.
    subject : Subject, optional
    recorded_at : datetime, optional
    source : str, optional
        Where the recording came from, for messages and reports.
    derived : sequence of str, optional
        Those of `leads` that were computed from others, not recorded.

    Raises
    ------
    EcgError
        If shape, sampling rate or names cannot be those of an ECG.

    Examples
    --------
    >>> ecg = Ecg(signal_uv=np.zeros((2, 5000)), fs=500, leads=["i", "V2"])
    >>> ecg.leads, ecg.duration_s, ecg["V2"].shape
    (('I', 'V2'), 10.0, (5000,))
    """

    signal_uv: Floats
    fs: float
    leads: tuple[str, ...]
    subject: Subject = field(default_factory=Subject)
    recorded_at: datetime | None = None
    source: str = ""
    derived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            if np.iscomplexobj(self.signal_uv):
                raise TypeError("the signal is complex")
            signal = read_only(self.signal_uv)
            fs = float(self.fs)
        except (TypeError, ValueError) as error:
            raise EcgError(f"signal_uv and fs must be numbers: {error}") from error
        if not isinstance(self.subject, Subject):
            raise EcgError(f"subject is {type(self.subject).__name__}; give ecgspasm.Subject(sex=..., age=...)")
        if signal.ndim != 2:
            raise EcgError(f"signal_uv has {signal.ndim} axes; give two: (lead, sample)")
        leads = _names(self.leads, "leads")
        _check_rows(signal, leads)
        if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
            raise EcgError(f"fs is {self.fs!r}; give the sampling rate in Hz, between 50 and 10000")
        derived = _names(self.derived, "derived")
        if not set(derived) <= set(leads):
            raise EcgError(f"derived names {sorted(set(derived) - set(leads))} are not among the leads; drop them")
        for name, value in (("signal_uv", signal), ("fs", fs), ("leads", leads), ("derived", derived)):
            object.__setattr__(self, name, value)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return float(self.signal_uv.shape[1] / self.fs)

    def __getitem__(self, lead: str) -> Floats:
        """Signal of one lead in uV, shape (sample,)."""
        row: Floats = self.signal_uv[self.index(lead)]
        return row

    def index(self, lead: str) -> int:
        """Row of a lead; an EcgError names the leads there are."""
        name = lead_names.canonical(lead)
        if name not in self.leads:
            raise EcgError(f"no lead {name!r}; this recording has {', '.join(self.leads)}")
        return self.leads.index(name)

    def with_derived_leads(self) -> Ecg:
        """Add those of III, aVR, aVL, aVF (or I, II) that follow from the limb leads that are there, marked as derived."""
        new = lead_names.derivable(self.leads)
        if not new:
            return self
        order = sorted((*self.leads, *new), key=lead_names.sort_key)
        # filled in place: long recordings take half the memory so
        signal = np.zeros((len(order), self.signal_uv.shape[1]))
        for lead, row in zip(self.leads, self.signal_uv, strict=True):
            signal[order.index(lead)] = row
        for lead in new:
            for part, weight in lead_names.DERIVED[lead].items():
                signal[order.index(lead)] += weight * signal[order.index(part)]
        signal.setflags(write=False)
        return replace(self, signal_uv=signal, leads=tuple(order), derived=(*self.derived, *new))

    def __repr__(self) -> str:
        where = f", source={self.source!r}" if self.source else ""
        return f"Ecg({len(self.leads)} leads {' '.join(self.leads)}, {self.duration_s:g} s at {self.fs:g} Hz{where})"


def _names(given: Any, what: str) -> tuple[str, ...]:
    """Lead names in their usual spelling."""
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise EcgError(f"{what} is {given!r}; give a list of lead names such as ['I', 'II', 'V2']")
    return tuple(lead_names.canonical(name) for name in names)


def _check_rows(signal: Floats, leads: Sequence[str]) -> None:
    if signal.shape[0] != len(leads):
        hint = "; the axes are (lead, sample), so transpose it" if signal.shape[1] == len(leads) else ""
        raise EcgError(f"signal_uv has {signal.shape[0]} rows but {len(leads)} lead names were given{hint}")
    if not leads:
        raise EcgError("there is no lead in this recording; give at least one")
    twice = sorted({lead for lead in leads if leads.count(lead) > 1})
    if twice:
        raise EcgError(f"lead {twice[0]} is given twice; leave one of them out")
    if np.isinf(signal).any():
        raise EcgError("signal_uv holds infinite values; use nan where a sample is missing")


@dataclass(frozen=True, eq=False)
class Beats:
    """One row a beat, in time order."""

    r_sample: Floats
    """Fiducial sample of the QRS (fractional), shape (beat,)."""
    kind: Strings
    """``dominant``, ``ectopic`` or ``unusable``, shape (beat,)."""
    reason: Strings
    """Why a beat is not used; empty for dominant ones, shape (beat,)."""
    fs: float

    def __repr__(self) -> str:
        return f"Beats({len(self)} beats, {int(self.dominant.sum())} dominant)"

    def __len__(self) -> int:
        return len(self.r_sample)

    @property
    def rr_ms(self) -> Floats:
        """Interval to the beat before, shape (beat,); ``nan`` for the first."""
        return np.diff(self.r_sample, prepend=np.nan) * 1000.0 / self.fs

    @property
    def dominant(self) -> NDArray[np.bool_]:
        """Mask of the beats that enter the median beat, shape (beat,)."""
        return np.asarray(self.kind == "dominant")


@dataclass(frozen=True, eq=False)
class Waves:
    """Boundaries and peak of one wave, as fractional samples of the recording, each of shape (lead, beat); nan = absent."""

    onset: Floats
    peak: Floats
    offset: Floats


SHAPES = ("absent", "positive", "negative", "positive-negative", "negative-positive", "flat")
"""Shapes of a wave; a biphasic one names its lobes in time order."""


@dataclass(frozen=True, eq=False)
class Delineation:
    """Where the waves of each lead and beat begin, peak and end.

    Attributes
    ----------
    leads : tuple of str
    beats : Beats
    p, qrs, t : Waves
        Arrays of shape (lead, beat), fractional samples of the recording, ``nan`` = absent.
    p_shape, t_shape : ndarray of str, shape (lead, beat)
        One of `SHAPES`.
    qrs_onset, j : ndarray, shape (beat,)
        The global QRS onset and J point over all leads.
    u_peak : ndarray, shape (lead, beat)
        Peak of the U wave, ``nan`` = absent.
    u_shape : ndarray of str, shape (lead, beat)
        ``positive``, ``negative`` or ``absent``.
    extra_p : tuple of ndarray
        P waves beyond the one that belongs to a beat (blocked or dissociated ones), a row ``(onset, peak, offset)`` each,
        one array of shape (wave, 3) a lead.
    """

    leads: tuple[str, ...]
    beats: Beats
    p: Waves
    qrs: Waves
    t: Waves
    p_shape: Strings
    t_shape: Strings
    qrs_onset: Floats
    j: Floats
    u_peak: Floats
    u_shape: Strings
    extra_p: tuple[Floats, ...] = ()

    def __repr__(self) -> str:
        return f"Delineation({len(self.leads)} leads, {len(self.beats)} beats)"

    def with_beats(self, beats: Beats) -> Delineation:
        """The same waves with the beats' kinds judged anew."""
        return replace(self, beats=beats)

    def to_frame(self) -> pd.DataFrame:
        """One row a lead, beat and wave: ``lead, beat, wave, onset, peak, offset`` (input samples; nan = absent).

        The numbers are rounded to whole samples; an absent wave keeps its row with ``nan``, and so does a boundary that lies
        outside the recording. P waves that no QRS follows come as further rows of the beat before which they stand, so lead, beat
        and wave together may occur more than once.
        """
        import pandas as pd

        n_leads, n_beats = self.qrs.peak.shape
        lead = np.repeat(np.array(self.leads), n_beats)
        beat = np.tile(np.arange(n_beats), n_leads)
        parts = [
            pd.DataFrame(
                {"lead": lead, "beat": beat, "wave": name}
                | {what: np.round(getattr(waves, what)).ravel() for what in ("onset", "peak", "offset")}
            )
            for name, waves in (("P", self.p), ("QRS", self.qrs), ("T", self.t))
        ]
        for name, extra in zip(self.leads, self.extra_p, strict=False):
            if len(extra):
                follows = np.clip(np.searchsorted(self.beats.r_sample, extra[:, 1]), 0, max(n_beats - 1, 0))
                columns = dict(zip(("onset", "peak", "offset"), np.round(extra).T, strict=True))
                parts.append(pd.DataFrame({"lead": name, "beat": follows, "wave": "P"} | columns))
        frame = pd.concat(parts, ignore_index=True)
        order = {name: row for row, name in enumerate(self.leads)}
        waves = {"P": 0, "QRS": 1, "T": 2}
        keys = [frame["lead"].map(order), frame["beat"], frame["wave"].map(waves)]
        return frame.iloc[np.lexsort(keys[::-1])].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """The median of the dominant beats, and where its waves lie.

    `signal_uv` has shape (lead, sample) at the recording's sampling rate; `r_sample` is the index of the fiducial in it. The
    boundaries are fractional samples of the median beat; the global ones hold for all leads.
    """

    leads: tuple[str, ...]
    fs: float
    signal_uv: Floats
    r_sample: float
    noise_uv: Floats
    """Standard error of a level in the ST-T segment against the PR level, from the scatter of the beats, shape (lead,)."""
    calm_noise_uv: Floats
    """The same for levels over the longer spans that are used where a lead is noisy."""
    n_beats: int
    qrs_onset: float
    j: float
    j_se_ms: float
    """How far the leads disagree about J: the standard error of the global one."""
    p: Waves
    """Per lead; arrays of shape (lead, 1)."""
    qrs: Waves
    t: Waves
    p_shape: Strings
    t_shape: Strings
    u_peak: Floats
    """Peak of the U wave where most beats have one, ``nan`` elsewhere, shape (lead, 1)."""

    def __repr__(self) -> str:
        return f"MedianBeat({len(self.leads)} leads, {self.n_beats} beats)"


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
        Standard errors of the values, from the scatter of the beats, the noise of the median beat and, for ST, the place of J; a
        table made elsewhere may lack them.
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
        names = _names(leads, "leads")
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


def sort_leads(leads: Iterable[str]) -> tuple[str, ...]:
    """Leads in the usual order."""
    return tuple(sorted(leads, key=lead_names.sort_key))


def number(value: float, digits: int = 1) -> float | None:
    """A rounded number for JSON; ``None`` for nan."""
    return None if not np.isfinite(value) else round(float(value), digits) + 0.0


@dataclass(frozen=True, eq=False)
class Analysis:
    """All that was found in one ECG, so that plots and doubts can look into it."""

    ecg: Ecg
    """The recording as given, with derivable limb leads added."""
    clean_uv: Floats
    """The signal that was measured: baseline and mains removed, shape (lead, sample)."""
    quality: tuple[str, ...]
    """Per lead: empty if usable, else the reason why not."""
    delineation: Delineation
    median: MedianBeat | None
    """``None`` when no beat could be used; `measurements` then says why."""
    measurements: Measurements

    @property
    def beats(self) -> Beats:
        """The beats of the recording."""
        return self.delineation.beats

    def __repr__(self) -> str:
        measured = sum(state == MEASURED for state in self.measurements.state)
        return f"Analysis({self.ecg!r}, {len(self.beats)} beats, {measured} of {len(self.measurements.leads)} leads measured)"

    def _repr_html_(self) -> str:
        """What a notebook shows: the intervals, the median beat, and a row a lead."""
        found, names = self.measurements, {"st_j_uv": "ST at J", "st_j60_uv": "ST at J+60", "t_uv": "T"}

        def shown(value: float) -> str:
            return f"{value:+.0f}" if np.isfinite(value) else "absent"

        told = {
            "rate": (found.rate_bpm, "/min"),
            "PR": (found.pr_ms, " ms"),
            "QRS": (found.qrs_ms, " ms"),
            "QTc": (found.qtc_ms, " ms"),
        }
        intervals = [f"{name} {value:.0f}{unit}" for name, (value, unit) in told.items() if np.isfinite(value)]
        title = ", ".join([*intervals, f"{found.n_beats} of {len(self.beats)} beats in the median"])
        rows = [
            [lead, *(shown(found.get(name, lead)) for name in names), str(found.t_shape[row])]
            if found.state[row] == MEASURED
            else [lead, "", "", "", found.state[row].replace("not_measurable", "not measurable")]
            for row, lead in enumerate(found.leads)
        ]
        table = markup.small_table(["lead", *(f"{name}, µV" for name in names.values()), "shape of T"], rows, numbers=(1, 2, 3))
        about = f"{len(self.ecg.leads)} leads, {self.ecg.duration_s:g} s at {self.ecg.fs:g} Hz"
        return str(markup.card(title, markup.note(about), self._small_beats(), table))

    def _small_beats(self) -> markup.Html:
        """The median beat of the leads that were measured, zero before the QRS complex."""
        if self.median is None:
            return markup.Html()
        every = max(round(self.median.fs / 100.0), 1)
        first = max(round(self.median.qrs_onset - 0.25 * self.median.fs), 0)
        inside = slice(first, round(self.median.qrs_onset + 0.6 * self.median.fs), every)
        signal = self.median.signal_uv - self.median.signal_uv[:, [round(self.median.qrs_onset)]]
        time = np.arange(signal.shape[1])[inside].tolist()
        rows = [(lead, row) for row, lead in enumerate(self.median.leads) if self.measurements.measured(lead)]
        return markup.small_multiples([(lead, False, [(time, signal[row, inside].tolist())]) for lead, row in rows])
