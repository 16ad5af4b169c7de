"""Long recordings: a header and a way to read any stretch of it, so that a day never lies in memory as a whole."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording of any length whose samples are read when they are wanted.

    Parameters
    ----------
    leads : tuple of str
        One name a row, in any usual spelling.
    fs : float
        Samples per second.
    n_samples : int
        Samples per lead.
    samples : callable
        ``samples(start, stop)`` gives the uV of all leads, shape (lead, stop - start), ``nan`` where a sample is missing. It is
        asked for stretches that lie within the recording only: others are an `EcgError` before it is called.
    subject : Subject, optional
    recorded_at : datetime, optional
    source : str, optional

    Examples
    --------
    >>> recording = Recording.of(Ecg(signal_uv=np.zeros((1, 2500)), fs=250, leads=["V2"]))
    >>> [block.shape for block in recording.blocks(4)]
    [(1, 1000), (1, 1000), (1, 500)]
    """

    leads: tuple[str, ...]
    fs: float
    n_samples: int
    samples: Callable[[int, int], Floats]
    subject: Subject = field(default_factory=Subject)
    recorded_at: datetime | None = None
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "leads", tuple(lead_names.canonical(name) for name in self.leads))
        if not self.leads or len(set(self.leads)) < len(self.leads):
            raise EcgError(f"the leads are {', '.join(self.leads) or 'none'}; give at least one, and none twice")
        if not is_number(self.fs) or not FS_RANGE_HZ[0] <= self.fs <= FS_RANGE_HZ[1]:
            raise EcgError(f"fs is {self.fs!r}; give the sampling rate in Hz, between 50 and 10000")
        read = self.samples.read if isinstance(self.samples, _Checked) else self.samples
        object.__setattr__(self, "samples", _Checked(read, len(self.leads), self.n_samples))

    @classmethod
    def of(cls, ecg: Ecg) -> Recording:
        """An `Ecg` that is in memory already, as a recording."""

        def samples(start: int, stop: int) -> Floats:
            return ecg.signal_uv[:, start:stop]

        return cls(ecg.leads, ecg.fs, ecg.signal_uv.shape[1], samples, ecg.subject, ecg.recorded_at, ecg.source)

    @classmethod
    def from_chunks(
        cls, chunks: Iterable[tuple[int, Floats]], *, fs: float, leads: tuple[str, ...], source: str = ""
    ) -> Recording:
        """Pieces ``(start sample, uV of shape (lead, sample))`` of one long recording; what lies between them is missing.

        Pieces may come in any order and overlap; where two have a sample, that of the later start counts.

        Raises
        ------
        EcgError
            If a piece starts before 0, or has another number of rows than there are leads.
        """
        pieces = sorted(((int(start), np.asarray(uv)) for start, uv in chunks), key=lambda piece: piece[0])
        for start, uv in pieces:
            if start < 0 or uv.ndim != 2 or uv.shape[0] != len(leads):
                raise EcgError(f"a piece at sample {start} has the shape {uv.shape}; give (lead, sample) for {len(leads)} leads")
        starts = np.array([start for start, _ in pieces], dtype=np.int64)
        longest = max((uv.shape[1] for _, uv in pieces), default=0)
        end = max((start + uv.shape[1] for start, uv in pieces), default=0)

        def samples(start: int, stop: int) -> Floats:
            out = np.full((len(leads), stop - start), np.nan)
            first = int(np.searchsorted(starts, start - longest, side="left"))
            last = int(np.searchsorted(starts, stop, side="left"))
            for at, uv in pieces[first:last]:
                low, high = max(at, start), min(at + uv.shape[1], stop)
                if high > low:
                    out[:, low - start : high - start] = uv[:, low - at : high - at]
            return out

        return cls(leads, fs, end, samples, source=source)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    def blocks(self, seconds: float) -> Iterator[Floats]:
        """Stretches of `seconds`, one after the other, shape (lead, sample) in uV; the last one may be shorter."""
        length = round(min(seconds * self.fs, max(self.n_samples, 1))) if is_number(seconds) else 0
        if length < 1:
            raise EcgError(f"blocks of {seconds!r} s hold no sample; give some seconds")
        for start in range(0, self.n_samples, length):
            yield self.samples(start, min(start + length, self.n_samples))

    def part(self, start_s: float, stop_s: float) -> Ecg:
        """A stretch as an `Ecg` for the steps that want one."""
        if not is_number(start_s) or not is_number(stop_s):
            raise EcgError(f"{start_s!r} to {stop_s!r} s is no stretch of a recording; give two times in s")
        start, stop = (round(min(max(each * self.fs, 0), self.n_samples)) for each in (start_s, stop_s))
        if stop <= start:
            raise EcgError(f"{start_s:g} to {stop_s:g} s is no stretch of a recording of {self.duration_s:g} s")
        return Ecg(signal_uv=self.samples(start, stop), fs=self.fs, leads=self.leads, subject=self.subject, source=self.source)

    def select(self, leads: Iterable[str]) -> Recording:
        """Only some of the leads, in the order given."""
        names = tuple(lead_names.canonical(name) for name in leads)
        missing = [name for name in names if name not in self.leads]
        if missing:
            raise EcgError(f"no lead {missing[0]!r}; this recording has {', '.join(self.leads)}")
        rows = [self.leads.index(name) for name in names]

        def samples(start: int, stop: int) -> Floats:
            return self.samples(start, stop)[rows]

        return replace(self, leads=names, samples=samples)

    def __repr__(self) -> str:
        where = f", source={self.source!r}" if self.source else ""
        return f"Recording({len(self.leads)} leads {' '.join(self.leads)}, {self.duration_s:g} s at {self.fs:g} Hz{where})"


@dataclass(frozen=True, slots=True)
class _Checked:
    """What reads a stretch, behind one check of what is asked for, so that no reader needs its own."""

    read: Callable[[int, int], Floats]
    n_leads: int
    n_samples: int

    def __call__(self, start: int, stop: int) -> Floats:
        try:
            first, last = operator.index(start), operator.index(stop)
        except TypeError as error:
            kinds = f"{type(start).__name__} and {type(stop).__name__}"
            raise EcgError(f"samples are counted in whole numbers, but {kinds} were given; give two whole numbers") from error
        if not 0 <= first <= last <= self.n_samples:
            raise EcgError(
                f"samples {_short(first)} to {_short(last)} are no stretch of a recording of {self.n_samples}; give a start and "
                f"a stop behind it, both between 0 and {self.n_samples}"
            )
        if first == last:
            return np.empty((self.n_leads, 0))
        try:
            return self.read(first, last)
        except MemoryError as error:
            raise EcgError(
                f"{last - first} samples of {self.n_leads} leads do not fit into memory; read shorter stretches, such as "
                "blocks(60)"
            ) from error


def _short(value: int) -> str:
    """A whole number as text, also one that has more digits than Python prints."""
    return str(value) if abs(value) < 10**15 else f"{'-' if value < 0 else ''}10^15 or more"


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False
