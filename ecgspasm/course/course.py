"""The noun `Course`: one patient over weeks, with drugs, ECGs, provocation tests, attacks and the outcome."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ecgspasm.course import card, challenge, naranjo, rates, report, territory, who_umc
from ecgspasm.course.ecgs import Baseline, EcgChange, Read, choose_baseline, compare_all, read_all
from ecgspasm.course.entries import (
    Answer,
    Biomarker,
    CaseSummary,
    CourseEcg,
    CourseEpisode,
    Exposure,
    How,
    MonitoredPeriod,
    Provocation,
)
from ecgspasm.course.entry import Time, check, encode
from ecgspasm.course.exposure import exposure_at, same_drug
from ecgspasm.course.sanity import check_course
from ecgspasm.ecg import Subject
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    import pandas as pd

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Course:
    """One patient's course under a drug.

    Times are either days from day 0 (floats, negative before it) or datetimes without a zone; both may be mixed where `day0` says
    which date day 0 is. Entries may come in any order.

    Parameters
    ----------
    title : str, optional
    subject : Subject, optional
        Sex and age; never a name or a date of birth.
    day0 : datetime, optional
    exposures : sequence of Exposure
    ecgs : sequence of CourseEcg
    provocations : sequence of Provocation
    periods : sequence of MonitoredPeriod
        Stretches of time in which attacks would have been noticed, with those that were.
    episodes : sequence of CourseEpisode
        Attacks outside such stretches.
    biomarkers : sequence of Biomarker
    outcome : str
    summary : CaseSummary
        The case in the words of a table.
    answers : sequence of Answer
        To the questions of Naranjo's scale that no ECG can answer, or against what the course tells.
    more_data_expected : bool, optional
        Whether missing facts can still be had: decides between WHO-UMC ``conditional`` and ``unassessable``.
    references : sequence of str
    note : str

    Raises
    ------
    EcgError
        If an entry contradicts itself or another one; the message names both.

    Examples
    --------
    >>> course = Course(exposures=[Exposure("sorafenib", start=0, stop=6)], episodes=[CourseEpisode(time=2, kind="symptoms")])
    >>> course.naranjo().items[1].reason
    'first attack 2 days after the first dose of sorafenib'
    """

    title: str = ""
    subject: Subject = field(default_factory=Subject)
    day0: datetime | None = None
    exposures: tuple[Exposure, ...] = ()
    ecgs: tuple[CourseEcg, ...] = ()
    provocations: tuple[Provocation, ...] = ()
    periods: tuple[MonitoredPeriod, ...] = ()
    episodes: tuple[CourseEpisode, ...] = ()
    biomarkers: tuple[Biomarker, ...] = ()
    outcome: str = ""
    summary: CaseSummary = field(default_factory=CaseSummary)
    answers: tuple[Answer, ...] = ()
    more_data_expected: bool | None = None
    references: tuple[str, ...] = ()
    note: str = ""
    folder: str = field(default="", compare=False, repr=False, metadata={"file": False})
    """Where the paths of the ECGs begin; `load` sets it."""

    def __post_init__(self) -> None:
        check(self)
        check_course(self)
        for name in ("exposures", "ecgs", "provocations", "periods", "episodes", "biomarkers"):
            object.__setattr__(self, name, self._sorted(getattr(self, name)))
        periods = tuple(replace(each, episodes=self._sorted(each.episodes)) for each in self.periods)
        object.__setattr__(self, "periods", periods)
        object.__setattr__(self, "answers", tuple(sorted(self.answers, key=lambda each: (each.item, each.drug))))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Course:
        """Read a course from a TOML or JSON file, told apart by content; see ``docs/course.md`` for the keys.

        Raises
        ------
        EcgError
            In one line that names the entry, if a key is unknown, a value is of the wrong kind or a path leads out of the folder.
        """
        from ecgspasm.course.files import load

        return load(path)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a course as ``.toml`` or ``.json``; reading it again gives an equal one.

        Raises
        ------
        EcgError
            If the ending is neither, if an ECG is only in memory or lies outside the file's folder, or if it cannot be written.
        """
        from ecgspasm.course.files import save

        save(self, path)

    def day(self, when: Time) -> float:
        """Days from day 0."""
        if isinstance(when, datetime):
            return (when - self._midnight).total_seconds() / SECONDS_PER_DAY
        return when

    def when(self, moment: Time, *, assumed: bool = False) -> str:
        """A time in words, as it was given."""
        words = f"day {moment:.4g}" if not isinstance(moment, datetime) else moment.isoformat(sep=" ", timespec="minutes")
        words = words.removesuffix(" 00:00")
        return f"{words} (assumed)" if assumed else words

    @cached_property
    def _midnight(self) -> datetime:
        """The date of day 0: told, or that of the first dated entry."""
        if self.day0 is not None:
            return self.day0
        dated = [each for each in self._times() if isinstance(each, datetime)]
        return datetime.combine(min(dated).date(), time()) if dated else datetime(2000, 1, 1)

    def _times(self) -> Iterator[Time]:
        """All times that are told."""
        inside = [each for period in self.periods for each in period.episodes]
        timed: tuple[Any, ...] = (*self.ecgs, *self.provocations, *self.episodes, *inside, *self.biomarkers)
        yield from (each.time for each in timed if each.time is not None)
        for period in self.periods:
            yield period.start
        for exposure in self.exposures:
            yield from (each for each in (exposure.start, exposure.stop) if each is not None)

    def _sorted(self, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        def key(entry: Any) -> tuple[float, str]:
            when = entry.start if hasattr(entry, "start") else entry.time
            in_memory = isinstance(entry, CourseEcg) and not isinstance(entry.source, str | None)
            return (-math.inf if when is None else self.day(when), "" if in_memory else str(encode(entry)))

        return tuple(sorted(entries, key=key))

    @property
    def span(self) -> tuple[float, float]:
        """Days of the first and the last thing that is told."""
        days = [self.day(each) for each in self._times()] or [0.0]
        days += [self.day(each.start) + each.duration_h / 24.0 for each in self.periods if each.duration_h is not None]
        return min(days), max(days)

    @cached_property
    def suspects(self) -> tuple[str, ...]:
        """Suspect drugs in the order of their first dose."""
        found: list[str] = []
        for each in self.exposures:
            if each.role == "suspect" and not any(same_drug(each.drug, other) for other in found):
                found.append(each.drug)
        return tuple(found)

    def suspect(self, drug: str | None = None) -> str:
        """The suspect drug that is meant; empty if there is none.

        Raises
        ------
        EcgError
            If there are several and none was named, or if the named one is not among them.
        """
        if drug is None:
            if len(self.suspects) > 1:
                raise EcgError(f"there are several suspect drugs; give drug, one of {', '.join(self.suspects)}")
            return self.suspects[0] if self.suspects else ""
        for each in self.suspects:
            if same_drug(each, drug):
                return each
        raise EcgError(f"{drug!r} is no suspect drug of this course; the suspects are {', '.join(self.suspects) or 'none'}")

    @cached_property
    def analysed(self) -> dict[int, Read | str]:
        """By place in `ecgs`: the measured ECG, or why there is none."""
        return read_all(self)

    @cached_property
    def _baseline(self) -> Baseline:
        return choose_baseline(self)

    @cached_property
    def _changes(self) -> tuple[EcgChange, ...]:
        return compare_all(self, self._baseline)

    def baseline(self) -> Baseline:
        """Which ECG serves as baseline and why, and which were passed over and why."""
        return self._baseline

    def changes(self) -> tuple[EcgChange, ...]:
        """Each ECG against the baseline, with the exposure it falls in; an ECG that cannot be read has a reason instead."""
        return self._changes

    def exposure(self, when: Time) -> str:
        """The exposure that a time falls in, in words."""
        return str(exposure_at(self, self.day(when)))

    def rates(self, drug: str | None = None, *, how: How = "monitored") -> rates.Rates:
        """Attacks a day on and off the drug, with exact 95 % intervals (see `rates.episode_rates`)."""
        return rates.episode_rates(self, self.suspect(drug), how)

    def dechallenge(self, drug: str | None = None) -> challenge.Verdict:
        """Whether the attacks ceased when the drug was stopped."""
        return challenge.dechallenge(self, self.suspect(drug))

    def rechallenge(self, drug: str | None = None) -> challenge.Verdict:
        """Whether the attacks came back when the drug was given again."""
        return challenge.rechallenge(self, self.suspect(drug))

    def concordance(self) -> territory.Concordance:
        """Whether the attacks stayed in one territory or migrated."""
        return territory.concordance(self)

    def naranjo(self, drug: str | None = None) -> naranjo.Naranjo:
        """The adverse drug reaction probability scale of Naranjo."""
        return naranjo.naranjo(self, self.suspect(drug))

    def who_umc(self, drug: str | None = None) -> who_umc.WhoUmc:
        """The category of the WHO-UMC system with its reasons."""
        return who_umc.who_umc(self, self.suspect(drug))

    def date_of(self, day: float) -> datetime | None:
        """The date of a day, where the course has dates."""
        if self.day0 is None and not any(isinstance(each, datetime) for each in self._times()):
            return None
        return self._midnight + timedelta(days=day)

    def report(self) -> str:
        """Verdict first, then what it rests on."""
        return report.text(self)

    def to_dict(self) -> dict[str, Any]:
        """All results, JSON-ready; ``None`` where something is not known."""
        return report.as_dict(self)

    def to_frame(self) -> pd.DataFrame:
        """One row an ECG, test, attack or biomarker, in time order; see `report.COLUMNS`."""
        return report.as_frame(self)

    def __str__(self) -> str:
        return self.report()

    def __repr__(self) -> str:
        return f"Course({self.title!r}, {len(self.exposures)} exposures, {len(self.ecgs)} ECGs)"

    def _repr_html_(self) -> str:
        return card.html(self)
