"""An ECG as it was recorded, and what is known of the person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg.arrays import Floats, read_only
from ecgspasm.errors import EcgError

FS_RANGE_HZ = (50.0, 10_000.0)
"""Sampling rates that an ECG can have; anything else is a mistake in a header."""


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
        leads = canonical_names(self.leads, "leads")
        _check_rows(signal, leads)
        if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
            raise EcgError(f"fs is {self.fs!r}; give the sampling rate in Hz, between 50 and 10000")
        derived = canonical_names(self.derived, "derived")
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


def canonical_names(given: Any, what: str) -> tuple[str, ...]:
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


def sort_leads(leads: Iterable[str]) -> tuple[str, ...]:
    """Leads in the usual order."""
    return tuple(sorted(leads, key=lead_names.sort_key))
