"""Follow a continuous recording for episodes: a file at once, or a feed block by block, through the same code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from numpy.typing import ArrayLike

from ecgspasm import leads as lead_names
from ecgspasm.continuous.baseline import baseline_values
from ecgspasm.continuous.builder import TrendBuilder
from ecgspasm.continuous.carry import Carried
from ecgspasm.continuous.definitions import DEFAULT, chosen
from ecgspasm.continuous.episode import Episode
from ecgspasm.continuous.events import Event, Teller
from ecgspasm.continuous.find import Levels, find, with_other_definitions
from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.stream import Piece, Stream, as_block
from ecgspasm.continuous.tile import measure_tile
from ecgspasm.continuous.trend import Interruption
from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.processing.blas import one_blas_thread
from ecgspasm.recording import Recording, is_number

BLOCK_S = 120.0
"""Length of the blocks in which a file is read; no result depends on it."""

_DAY_S = 86400.0
_LEAST_KEPT_S = 4 * 3600.0
_OVERLAP_S = 2 * 3600.0

Baseline = Ecg | Recording


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
        A feed that never ends is kept for this long, four hours or more, and a day; what was found before remains found.

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
        keep_s: float = 8 * _DAY_S,
    ) -> None:
        if not is_number(fs) or not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
            raise EcgError(f"fs is {fs!r}; give the sampling rate in Hz, between 50 and 10000")
        if not isinstance(leads, list | tuple) or not all(isinstance(name, str) for name in leads):
            raise EcgError(f"leads is {leads!r}; give a list of lead names such as ['II', 'V2']")
        if not isinstance(subject, Subject | None):
            raise EcgError(f"subject is {type(subject).__name__}; give ecgspasm.Subject(sex=..., age=...)")
        self.leads = tuple(lead_names.canonical(name) for name in leads)
        if not 1 <= len(self.leads) <= 15 or len(set(self.leads)) < len(self.leads):
            raise EcgError(f"the leads are {', '.join(self.leads) or 'none'}; give 1 to 15, and none twice")
        numbers = settings("stream")
        average = numbers["average_s"] if average_s is None else average_s
        if not is_number(average) or not 8.0 <= average <= 60.0:
            raise EcgError(f"average_s is {average_s!r}; give 8 to 60 s")
        if not is_number(keep_s) or not keep_s >= _LEAST_KEPT_S:
            raise EcgError(f"keep_s is {keep_s!r}; give {_LEAST_KEPT_S:g} s or more")
        self._average_s = average = float(average)
        self._stream = Stream(float(fs), len(self.leads))
        self._input_fs = float(fs)
        self._builder = TrendBuilder(self._stream.fs, self.leads, average, numbers["step_s"])
        self._rules = chosen(definitions)
        self._baseline, self._reference, self._notes = baseline_values(baseline, self.leads, average)
        self._subject, self._source = subject or Subject(), source
        self._keep_s = float(keep_s)
        self._finished: list[Episode] = []
        self._dropped_s = 0.0
        self._measured_before_s = 0.0
        self._teller = Teller(self._input_fs)
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
        self._check_open()
        events: list[Event] = []
        told = known = self._builder.known_s
        for piece in self._stream.push(as_block(block), start):
            self._add(piece)
            known = self._builder.known_s
            # A block of hours must not hide what lies further back than a feed is judged on.
            if known > told + settings("live")["window_s"] / 3.0:
                events += self._measured_events()
                told = known
        events = self._teller.of_stream(self._stream.notes) + events
        return events + (self._measured_events() if known > told else [])

    def _measured_events(self) -> list[Event]:
        known = self._builder.known_s
        events = self._teller.of_leads(self._builder.interrupted, known) + self._episode_events()
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

    @one_blas_thread()
    def _add(self, piece: Piece) -> None:
        tile = measure_tile(piece.signal_uv, self._stream.fs, self.leads, piece.core, self._average_s, self._carried)
        self._carried = tile.carried
        self._builder.add(tile, last=piece.last)

    @one_blas_thread()
    def _result(self) -> Monitoring:
        self._over = True
        levels = Levels(self._builder.finish(), self._baseline)
        found = with_other_definitions(levels, self._episodes(levels))
        episodes = sorted((*self._finished, *self._kept(found)), key=lambda each: (each.onset_s, each.measure, each.leads))
        fs = self._input_fs
        strange = [Interruption(note.start / fs, note.end / fs, (), note.what) for note in self._stream.notes]
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
            measured_before_s=self._measured_before_s,
            parameters={"average_s": self._average_s, "definitions": [rule.id for rule in self._rules]},
            levels=levels,
        )

    def _episodes(self, levels: Levels) -> tuple[Episode, ...]:
        return tuple(each for rule in self._rules for each in find(levels, rule))

    def _episode_events(self) -> list[Event]:
        """What is new of episodes, by the last hours."""
        if self._builder.known_s < settings("live")["learning_s"] and not self._baseline:
            return []
        since = self._builder.known_s - settings("live")["window_s"]
        levels = Levels(self._builder.trend(since), self._baseline)
        return self._teller.of_episodes(self._episodes(levels), since, self._builder.known_s)

    def _forget(self) -> None:
        """Let go of the oldest day of a feed that has become too long; its episodes are kept as they are."""
        if self._builder.known_s - self._dropped_s < self._keep_s + _DAY_S:
            return
        cut = self._dropped_s + _DAY_S
        levels = Levels(self._builder.trend(-math.inf), self._baseline)
        found = with_other_definitions(levels, self._episodes(levels))
        self._finished += [each for each in self._kept(found) if each.onset_s < cut]
        # rows before the last cut are counted already, those of the overlap will be counted with the rest
        self._measured_before_s += levels.trend.measured_s(before_s=cut - _OVERLAP_S)
        self._builder.drop(cut - _OVERLAP_S)  # what the quiet level after the cut is found from
        old = sum(note.end / self._input_fs < cut for note in self._stream.notes)
        del self._stream.notes[:old]
        self._teller.forget_notes(old)
        self._dropped_s = cut

    def _kept(self, found: Iterable[Episode]) -> list[Episode]:
        """Those that were not found before: one that runs over the cut is there already, and its rest is none of its own."""
        rest = [each for each in found if each.onset_s >= self._dropped_s]
        return [each for each in rest if not (each.open_start and any(each.onset_s < one.end_s for one in self._finished))]


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
