"""Follow a continuous recording for episodes: a file at once, or a feed block by block, through the same code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ecgspasm import leads as lead_names
from ecgspasm.continuous.baseline import baseline_values
from ecgspasm.continuous.builder import TrendBuilder
from ecgspasm.continuous.carry import Carried
from ecgspasm.continuous.definitions import DEFAULT, chosen
from ecgspasm.continuous.episode import Episode
from ecgspasm.continuous.find import Levels, find, with_other_definitions
from ecgspasm.continuous.monitoring import Monitoring, line
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.stream import Piece, Stream
from ecgspasm.continuous.tile import measure_tile
from ecgspasm.continuous.trend import Interruption
from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.processing.delineate import one_blas_thread
from ecgspasm.recording import Recording

BLOCK_S = 120.0
"""Length of the blocks in which a file is read; no result depends on it."""

Baseline = Ecg | Recording


@dataclass(frozen=True)
class Event:
    """What a feed tells as soon as it can be told.

    Attributes
    ----------
    kind : str
        ``onset``, ``end``, ``lead off``, ``lead on``, ``gap``, ``late``.
    time_s : float
        When it was, from the beginning of the feed.
    text : str
        One line.
    leads : tuple of str
    episode : Episode or None
        As it is known now; its kind may still change.
    """

    kind: str
    time_s: float
    text: str
    leads: tuple[str, ...] = ()
    episode: Episode | None = None


class Monitor:
    """Follow a feed of blocks.

    Parameters
    ----------
    fs : float
        Samples per second of the feed.
    leads : sequence of str
        One name a row of the blocks, 1 to 15.
    baseline : Ecg or Recording, optional
        An earlier ECG of the person, at any sampling rate; leads that it lacks, and all without one, are judged against their own
        quiet stretches.
    average_s : float
        Length of the averages, 8 to 60 s.
    definitions : iterable of str
        Of ``continuous/definitions.toml``.
    keep_s : float
        A feed that never ends is kept for this long; what was found before remains found.

    Raises
    ------
    EcgError
        If a value is out of range, a lead is unknown or given twice, or the baseline has no lead in common.

    Examples
    --------
    >>> monitor = Monitor(250, ["V2", "V3"])
    >>> monitor.push([[0.0] * 2500] * 2)
    []
    >>> monitor.finish().verdict
    'NOT MEASURED: flat line; lead not connected?'
    """

    def __init__(
        self,
        fs: float,
        leads: Sequence[str],
        *,
        baseline: Baseline | None = None,
        average_s: float | None = None,
        definitions: Iterable[str] = DEFAULT,
        subject: Subject | None = None,
        source: str = "",
        keep_s: float = 8 * 86400.0,
    ) -> None:
        if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
            raise EcgError(f"fs is {fs!r}; give the sampling rate in Hz, between 50 and 10000")
        self.leads = tuple(lead_names.canonical(name) for name in leads)
        if not 1 <= len(self.leads) <= 15 or len(set(self.leads)) < len(self.leads):
            raise EcgError(f"the leads are {', '.join(self.leads) or 'none'}; give 1 to 15, and none twice")
        numbers = settings("stream")
        average = numbers["average_s"] if average_s is None else float(average_s)
        if not 8.0 <= average <= 60.0:
            raise EcgError(f"average_s is {average_s!r}; give 8 to 60 s")
        self._average_s = average
        self._stream = Stream(float(fs), len(self.leads))
        self._input_fs = float(fs)
        self._builder = TrendBuilder(self._stream.fs, self.leads, average, numbers["step_s"])
        self._rules = chosen(definitions)
        self._baseline, self._reference, self._notes = baseline_values(baseline, self.leads, average)
        self._subject, self._source = subject or Subject(), source
        self._keep_s = max(float(keep_s), 4 * 3600.0)
        self._finished: list[Episode] = []
        self._dropped_s = 0.0
        self._told: list[Episode] = []
        self._told_notes = 0
        self._off: dict[str, str] = {}
        self._over = False
        self._carried: Carried | None = None

    def push(self, block: ArrayLike, *, start: int | None = None) -> list[Event]:
        """Take the next block and tell what is new.

        Parameters
        ----------
        block : array_like, shape (lead, sample)
            uV; ``nan`` where a sample is missing. Of any length.
        start : int, optional
            Sample of the feed at which the block begins; directly behind the last one if not given. A block from the future
            leaves a gap; one from the past fills what is missing as far as it has not been measured yet, and is reported.

        Returns
        -------
        list of Event

        Raises
        ------
        EcgError
            If the block has another number of rows, infinite values, or begins before 0 or more than a week ahead; what was
            pushed before remains.
        """
        known = self._builder.known_s
        self.feed(np.asarray(block, dtype=float), start)
        events = self._stream_events()
        if self._builder.known_s > known:
            events += self._lead_events() + self._episode_events()
            self._forget()
        return events

    def finish(self) -> Monitoring:
        """Measure what is left and give the whole."""
        self._check_open()
        for piece in self._stream.finish():
            self._add(piece)
        return self._result()

    def _check_open(self) -> None:
        if self._over:
            raise EcgError("this monitor has finished; make a new one for the next recording")

    def feed(self, block: Floats, start: int | None = None) -> None:
        """Take the next block as `push` does, but tell nothing: for whoever asks only at the end."""
        self._check_open()
        for piece in self._stream.push(block, start):
            self._add(piece)

    def _add(self, piece: Piece) -> None:
        tile = measure_tile(piece.signal_uv, self._stream.fs, self.leads, piece.core, self._average_s, self._carried)
        self._carried = tile.carried
        self._builder.add(tile, last=piece.last)

    def _result(self) -> Monitoring:
        self._over = True
        levels = Levels(self._builder.finish(), self._baseline)
        found = with_other_definitions(levels, self._episodes(levels))
        kept = tuple(each for each in found if each.onset_s >= self._dropped_s)
        episodes = sorted((*self._finished, *kept), key=lambda each: (each.onset_s, each.measure, each.leads))
        fs = self._input_fs
        strange = [Interruption(start / fs, end / fs, (), what) for start, end, what in self._stream.notes]
        stopped = sorted((*self._builder.interruptions, *strange), key=lambda each: each.start_s)
        return Monitoring(
            leads=self.leads,
            duration_s=self._stream.taken / self._input_fs,
            trend=levels.trend,
            episodes=tuple(episodes),
            reference=self._reference,
            interruptions=tuple(stopped),
            notes=self._notes,
            subject=self._subject,
            source=self._source,
            levels=levels,
        )

    def _episodes(self, levels: Levels) -> tuple[Episode, ...]:
        return tuple(each for rule in self._rules for each in find(levels, rule))

    def _stream_events(self) -> list[Event]:
        new, self._told_notes = self._stream.notes[self._told_notes :], len(self._stream.notes)
        fs = self._input_fs
        return [
            Event("gap" if what.startswith("no samples") else "late", start / fs, f"{what}: {start / fs:.1f} to {end / fs:.1f} s")
            for start, end, what in new
        ]

    def _lead_events(self) -> list[Event]:
        now = {lead: reason for lead, (reason, _) in self._builder.interrupted.items()}
        at = self._builder.known_s
        events = [
            Event("lead off", self._builder.interrupted[lead][1], f"{lead}: {reason}", (lead,))
            for lead, reason in now.items()
            if self._off.get(lead) != reason
        ]
        events += [Event("lead on", at, f"{lead} is measured again", (lead,)) for lead in self._off if lead not in now]
        self._off = now
        return events

    def _episode_events(self) -> list[Event]:
        """Onsets and ends that have not been told, from the last hours."""
        since = self._builder.known_s - settings("live")["window_s"]
        levels = Levels(self._builder.trend(since), self._baseline)
        if self._builder.known_s < settings("live")["learning_s"] and not self._baseline:
            return []
        events = []
        for each in self._episodes(levels):
            before = next((k for k, told in enumerate(self._told) if _same(told, each)), None)
            if before is None:
                events.append(Event("onset", each.onset_s, f"onset: {line(each)}", each.leads, each))
            elif self._told[before].open_end and not each.open_end:
                events.append(Event("end", each.end_s, f"end: {line(each)}", each.leads, each))
            else:
                self._told[before] = each
                continue
            if before is None:
                self._told.append(each)
                if not each.open_end:
                    events.append(Event("end", each.end_s, f"end: {line(each)}", each.leads, each))
            else:
                self._told[before] = each
        self._told = [each for each in self._told if each.end_s > since]
        return events

    def _forget(self) -> None:
        """Let go of the oldest day of a feed that has become too long; its episodes are kept as they are."""
        day = 86400.0
        if self._builder.known_s - self._dropped_s < self._keep_s + day:
            return
        cut = self._dropped_s + day
        levels = Levels(self._builder.trend(-math.inf), self._baseline)
        old = [each for each in with_other_definitions(levels, self._episodes(levels)) if self._dropped_s <= each.onset_s < cut]
        self._finished += old
        self._builder.drop(cut)
        self._dropped_s = cut


def _same(one: Episode, other: Episode) -> bool:
    """Whether two are the same episode, known at different times."""
    overlap = min(one.end_s, other.end_s) - max(one.onset_s, other.onset_s)
    return one.measure == other.measure and overlap > 0 and bool(set(one.leads) & set(other.leads))


def monitor(
    recording: Recording | Ecg,
    baseline: Baseline | None = None,
    *,
    average_s: float | None = None,
    definitions: Iterable[str] = DEFAULT,
    block_s: float = BLOCK_S,
    progress: Callable[[float], None] | None = None,
) -> Monitoring:
    """Follow a recording for transient changes of ST, T and U.

    Averages over the alike beats of every 16 s are measured like a short ECG, against the same person's baseline or, without one,
    against the recording's own quiet stretches; what leaves the reference by a published definition is an episode, and every
    episode says what it looks like and why.

    Parameters
    ----------
    recording : Recording or Ecg
        Of any length, 1 to 15 leads; see `open_recording`.
    baseline : Ecg or Recording, optional
    average_s : float, optional
        Length of the averages; 16 s.
    definitions : iterable of str
        By default those of the European ST-T Database for ST and T.
    block_s : float
        Length of the blocks in which the recording is read.
    progress : callable, optional
        Called with the share done, 0 to 1.

    Returns
    -------
    Monitoring

    Raises
    ------
    EcgError
        If there is no such definition, the baseline has no lead in common, or the recording cannot be read.
    """
    if isinstance(recording, Ecg):
        recording = Recording.of(recording)
    if not isinstance(recording, Recording):
        raise EcgError(f"this is a {type(recording).__name__}, not a recording; use ecgspasm.open_recording(path)")
    followed = Monitor(
        recording.fs,
        recording.leads,
        baseline=baseline,
        average_s=average_s,
        definitions=definitions,
        subject=recording.subject,
        source=recording.source,
    )
    done = 0
    with one_blas_thread():
        for block in recording.blocks(block_s):
            followed.feed(block)
            done += block.shape[1]
            if progress is not None:
                progress(done / recording.n_samples)
        return followed.finish()
