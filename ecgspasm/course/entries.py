"""The entries of a course: drugs, ECGs, provocation tests, attacks and how long somebody watched for them.

Times are days from day 0 of the course, or datetimes without a zone (see `Course`). Where only the order is known and not the
day, ``time_assumed`` (``start_assumed``, ``stop_assumed``) says so: such a time is drawn and ordered, but no duration is computed
from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from ecgspasm.continuous.episode import ISCHEMIC, Episode
from ecgspasm.course.entry import LONGEST_DAYS, Leads, Source, Time, as_time, check
from ecgspasm.errors import EcgError

Role = Literal["suspect", "treatment", "other"]
Context = Literal["clinic", "emergency", "ward", "telemetry", "provocation", "other"]
Result = Literal["positive", "negative", "undecided"]
Shows = Literal["", "ST elevation", "ST depression", "T wave", "U wave"]
Kind = Literal["ischemic", "symptoms", "ischemic ramp", "rate-related", "posture/axis step", "conduction change", "artefact"]
"""``ischemic`` by a report, ``ischemic ramp`` by the monitor; ``symptoms`` without an ECG; then the monitor's other kinds."""
How = Literal["monitored", "reported"]
Attacks = Literal["none", "fewer", "as before", "more"]
AnswerWord = Literal["yes", "no", "unknown"]

ISCHEMIC_KINDS = ("ischemic", ISCHEMIC)
ATTACK_KINDS = (*ISCHEMIC_KINDS, "symptoms")


@dataclass(frozen=True)
class Exposure:
    """A drug from its first to its last dose.

    Attributes
    ----------
    drug : str
    start : float, datetime or None
        ``None``: since before the course, for treatments and other drugs only.
    stop : float, datetime or None
        ``None``: not stopped within the course.
    dose : str
        As it was written.
    dose_mg_per_day : float or None
        For the question whether a higher dose did more.
    role : {'suspect', 'treatment', 'other'}
    washout_h : float or None
        How long after the last dose it still acts; ``None``: not told, it then counts as gone at once.
    """

    drug: str
    start: Time | None = None
    stop: Time | None = None
    dose: str = ""
    dose_mg_per_day: float | None = None
    role: Role = "suspect"
    washout_h: float | None = None
    start_assumed: bool = False
    stop_assumed: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        check(self)
        if not self.drug:
            raise EcgError("drug is empty; give its name")
        if self.start is None and self.role == "suspect":
            raise EcgError("the start of a suspect drug is missing; give it, in days from day 0 or as a date")


@dataclass(frozen=True)
class CourseEcg:
    """One ECG of the course.

    Attributes
    ----------
    time : float or datetime
    source : str, Ecg, Analysis, Measurements or None
        A path relative to the folder of the course's file, or the ECG itself; ``None`` where only a report of it exists.
    symptoms : tuple of str or None
        Empty: there were none. ``None``: not told.
    session : str
        ECGs of one session were taken through the same electrodes.
    simulated : bool
        Made by the project after a description; every output says so.
    """

    time: Time
    source: Source | None = None
    symptoms: tuple[str, ...] | None = None
    context: Context = "clinic"
    session: str = ""
    simulated: bool = False
    time_assumed: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        check(self)

    @property
    def name(self) -> str:
        """Short name for messages and pictures."""
        if isinstance(self.source, str):
            return self.source.replace("\\", "/").rpartition("/")[2].removesuffix(".hea")
        return self.context


@dataclass(frozen=True)
class Provocation:
    """The facts of a provocation test, as they were reported."""

    time: Time
    agent: str
    result: Result
    dose: str = ""
    finding: str = ""
    leads: Leads = ()
    shows: Shows = ""
    symptoms: tuple[str, ...] | None = None
    relieved_by: str = ""
    time_assumed: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class CourseEpisode:
    """An attack, seen by a monitor or told by the patient.

    Attributes
    ----------
    time : float or datetime
        Its onset.
    kind : str
        Only ``ischemic`` and ``ischemic ramp`` count as ischemia on an ECG; ``symptoms`` is an attack of which no ECG is told.
    leads : tuple of str
    shows : str
        What the leads showed.
    symptoms : tuple of str or None
    duration_s : float or None
    count : int
        So many alike.
    at_least : bool
        Whether `count` is only the least of what "several" can mean; no rate is then computed.
    """

    time: Time
    kind: Kind = "ischemic"
    leads: Leads = ()
    shows: Shows = ""
    symptoms: tuple[str, ...] | None = None
    duration_s: float | None = None
    count: int = 1
    at_least: bool = False
    relieved_by: str = ""
    time_assumed: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        check(self)


class Monitored(Protocol):
    """What `MonitoredPeriod.of` needs of a monitored recording."""

    @property
    def episodes(self) -> Sequence[Episode]:
        """Its episodes."""

    @property
    def duration_s(self) -> float:
        """How long it was watched."""


@dataclass(frozen=True)
class MonitoredPeriod:
    """A stretch of time in which attacks would have been noticed.

    Attributes
    ----------
    start : float or datetime
    duration_h : float or None
        ``None``: not told; no rate is then computed from it.
    watched_h : float or None
        How much of it could be measured; ``None``: all. Rates take it as spread evenly over the period.
    episodes : tuple of CourseEpisode
        All attacks within it.
    how : {'monitored', 'reported'}
        By a device, or by the patient or the ward. The two are never counted together, since silent ischemia is not told.
    attacks : {'none', 'fewer', 'as before', 'more'} or None
        What a report says of the attacks against those before, where they are not listed one by one. ``None``: as listed.
    """

    start: Time
    duration_h: float | None = None
    episodes: tuple[CourseEpisode, ...] = ()
    how: How = "monitored"
    attacks: Attacks | None = None
    watched_h: float | None = None
    start_assumed: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        check(self)
        if self.duration_h is not None and self.duration_h > LONGEST_DAYS * 24.0:
            raise EcgError(f"duration_h is {self.duration_h:g}, more than a lifetime; give hours")
        if self.watched_h is not None and (self.duration_h is None or self.watched_h > self.duration_h):
            raise EcgError(f"watched_h is {self.watched_h:g}, but duration_h is {self.duration_h}; give at most so much")
        if self.attacks == "none" and any(each.kind in ATTACK_KINDS for each in self.episodes):
            raise EcgError("attacks is 'none', but attacks are listed; mend one of the two")

    @classmethod
    def of(cls, monitoring: Monitored, start: Time, *, note: str = "") -> MonitoredPeriod:
        """The period and the episodes of a monitored recording.

        Parameters
        ----------
        monitoring : object with ``episodes`` and ``duration_s``
            Such as the result of monitoring a recording; times of its `Episode` are in s from its beginning. If it also has
            ``measured_s``, only that time counts as watched.
        start : float or datetime
            When the recording began.
        note : str, optional

        Returns
        -------
        MonitoredPeriod
            With all episodes; those whose kind is not ischemic are kept but not counted.
        """
        begin = as_time(start, "start")
        duration_s = float(monitoring.duration_s)
        measured_s = float(getattr(monitoring, "measured_s", duration_s))
        return cls(
            start=begin,
            duration_h=duration_s / 3600.0,
            watched_h=None if measured_s >= duration_s else measured_s / 3600.0,
            episodes=tuple(_episode(each, begin) for each in monitoring.episodes),
            how="monitored",
            note=note,
        )


def _episode(each: Episode, begin: Time) -> CourseEpisode:
    kind: Any = each.kind
    shows: Any = {"T": "T wave", "U": "U wave"}.get(each.measure)
    if each.measure == "ST":
        shows = "ST elevation" if each.extremum_uv > 0 else "ST depression"
    onset = begin + timedelta(seconds=each.onset_s) if isinstance(begin, datetime) else begin + each.onset_s / 86_400.0
    return CourseEpisode(
        time=onset, kind=kind, leads=tuple(each.leads), shows=shows or "", duration_s=max(float(each.duration_s), 0.0)
    )


@dataclass(frozen=True)
class Biomarker:
    """A laboratory value as it was written; the package does not judge it."""

    name: str
    value: str
    time: Time | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class CaseSummary:
    """The case in the short words of a table; whatever is empty is told from the entries where they tell it."""

    patient: str = ""
    country: str = ""
    year: str = ""
    disease: str = ""
    therapy_duration: str = ""
    event: str = ""
    angiography: str = ""
    rechallenge: str = ""
    outcome: str = ""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Answer:
    """What the user answers to one of Naranjo's ten questions; for 2, 3, 4, 8 and 10 it overrules what the course tells."""

    item: int
    answer: AnswerWord
    reason: str = ""
    drug: str = ""
    """Of several suspect drugs, the one that it is about; empty: all."""

    def __post_init__(self) -> None:
        check(self)
        if not 1 <= self.item <= 10:
            raise EcgError(f"item is {self.item}; Naranjo's questions are 1 to 10")
