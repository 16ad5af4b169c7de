"""All attacks of a course on one list, wherever they were written: told, monitored, or seen as a change in an ECG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecgspasm.course.ecgs import shows
from ecgspasm.course.entries import ATTACK_KINDS, ISCHEMIC_KINDS, CourseEpisode
from ecgspasm.ecg import number
from ecgspasm.leads import territory
from ecgspasm.serial.words import lead_span

if TYPE_CHECKING:
    from ecgspasm.course.course import Course


@dataclass(frozen=True)
class Attack:
    """One attack, or one sign of it.

    Provoked ones (`provoked`) tell where the spasm is, but not whether a drug brings it about.
    """

    day: float
    when: str
    label: str
    leads: tuple[str, ...]
    shows: str
    objective: bool
    """Whether an ECG shows it."""
    provoked: bool = False
    assumed: bool = False
    """Whether its time is only assumed."""

    @property
    def territory(self) -> str:
        """The territory that its leads look at."""
        return territory(self.leads) if self.leads else ""

    def __str__(self) -> str:
        where = f" in {lead_span(self.leads)} ({self.territory})" if self.leads else ""
        return f"{self.when}: {self.label}{where}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "day": number(self.day, 4),
            "when": self.when,
            "label": self.label,
            "leads": list(self.leads),
            "territory": self.territory or None,
            "shows": self.shows or None,
            "objective": self.objective,
            "provoked": self.provoked,
        }


def attacks(course: Course) -> tuple[Attack, ...]:
    """Every attack in time order: those told, those of the watched periods, and every ECG that is new against the baseline.

    Symptoms beside an unchanged ECG are no attack by themselves, since they may be anything; write them as an episode if they
    were one.
    """
    found = [_told(course, each) for each in course.episodes if each.kind in ATTACK_KINDS]
    found += [_told(course, each) for period in course.periods for each in period.episodes if each.kind in ATTACK_KINDS]
    for row in course.changes():
        if row.changed and row.finding is not None:
            mark = "simulated ECG" if row.ecg.simulated else "ECG"
            provoked = row.ecg.context == "provocation"
            label = f"{mark} {row.ecg.name}, {row.finding.title}"
            when = course.when(row.ecg.time, assumed=row.ecg.time_assumed)
            assumed = row.ecg.time_assumed
            found.append(
                Attack(row.day, when, label, row.leads, shows(row.finding), objective=True, provoked=provoked, assumed=assumed)
            )
    for test in course.provocations:
        if test.result == "positive":
            label, when = f"{test.agent} test positive", course.when(test.time, assumed=test.time_assumed)
            day, assumed = course.day(test.time), test.time_assumed
            found.append(Attack(day, when, label, test.leads, test.shows, objective=True, provoked=True, assumed=assumed))
    return tuple(sorted(found, key=lambda each: (each.day, each.label)))


def _told(course: Course, each: CourseEpisode) -> Attack:
    objective = each.kind in ISCHEMIC_KINDS
    many = "at least " if each.at_least else ""
    many += f"{each.count} " if each.count > 1 or each.at_least else ""
    what = "ischemic episode" if objective else "attack without an ECG"
    with_symptoms = f" with {', '.join(each.symptoms)}" if each.symptoms else ""
    plural = what.replace("episode", "episodes").replace("attack ", "attacks ") if each.count > 1 else what
    label = f"{many}{plural}{with_symptoms}"
    when = course.when(each.time, assumed=each.time_assumed)
    return Attack(course.day(each.time), when, label, each.leads, each.shows, objective=objective, assumed=each.time_assumed)
