"""Long recordings: a header and a way to read any stretch of it, so that a day never lies in memory as a whole."""

from __future__ import annotations

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
        ``samples(start, stop)`` gives the uV of all leads, shape (lead, stop - start), ``nan`` where a sample is missing.
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
            out = np.full((len(leads), max(min(stop, end) - start, 0)), np.nan)
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
        length = round(seconds * self.fs) if is_number(seconds) else 0
        if length < 1:
            raise EcgError(f"blocks of {seconds!r} s hold no sample; give some seconds")
        for start in range(0, self.n_samples, length):
            yield self.samples(start, min(start + length, self.n_samples))

    def part(self, start_s: float, stop_s: float) -> Ecg:
        """A stretch as an `Ecg` for the steps that want one."""
        if not is_number(start_s) or not is_number(stop_s):
            raise EcgError(f"{start_s!r} to {stop_s!r} s is no stretch of a recording; give two times in s")
        start, stop = (min(max(round(each * self.fs), 0), self.n_samples) for each in (start_s, stop_s))
        if stop <= start:
            raise EcgError(f"{start_s:g} to {stop_s:g} s is no stretch of a recording of {self.duration_s:g} s")
        return Ecg(
            signal_uv=self.samples(start, stop), fs=self.fs, leads=self.leads, subject=self.subject, source=self.source
        )

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


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))
