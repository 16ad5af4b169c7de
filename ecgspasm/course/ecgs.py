"""The ECGs of a course: which one is the baseline, and what each of the others shows against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.analysis import analyze
from ecgspasm.course.exposure import ExposureState, exposure_at
from ecgspasm.course.files import ecg_path
from ecgspasm.course.settings import settings
from ecgspasm.criteria import SERIAL_CONFOUNDERS
from ecgspasm.ecg import MEASURED, Analysis, Ecg, Measurements, Subject, number
from ecgspasm.errors import EcgError
from ecgspasm.io import read
from ecgspasm.leads import territory
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import MET, UNDECIDED, Comparison, Finding
from ecgspasm.serial.confounders import confounders

if TYPE_CHECKING:
    from ecgspasm.course.course import Course
    from ecgspasm.course.entries import CourseEcg


@dataclass(frozen=True)
class Baseline:
    """The ECG that the others are compared with."""

    ecg: CourseEcg | None
    why: str
    """Why this one, or why none."""
    passed_over: tuple[str, ...]
    """The ECGs that came first in question and why each was not taken."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"ecg": self.ecg.name if self.ecg else None, "why": self.why, "passed_over": list(self.passed_over)}

    def __str__(self) -> str:
        over = f" (passed over: {'; '.join(self.passed_over)})" if self.passed_over else ""
        return f"{self.ecg.name}: {self.why}{over}" if self.ecg else f"none: {self.why}{over}"


@dataclass(frozen=True, eq=False)
class EcgChange:
    """One ECG of the course against the baseline."""

    ecg: CourseEcg
    day: float
    exposure: ExposureState
    comparison: Comparison | None
    reason: str
    """Why there is no comparison; empty otherwise."""
    within_session: Comparison | None
    """Against the ECG before it in the same session, through the same electrodes."""
    qtc_ms: float
    """After Fridericia; ``nan`` where not measured."""
    qtc_change_ms: float
    is_baseline: bool = False

    @property
    def changed(self) -> bool | None:
        """Whether something is new against the baseline; ``None`` if that is not decided."""
        if self.comparison is None or not self.comparison.comparable:
            return None
        new = [each.verdict for each in self.comparison.findings if each.kind == "new"]
        return True if MET in new else None if UNDECIDED in new else False

    @property
    def finding(self) -> Finding | None:
        """What is new: ST elevation before all else, since the rest tells less about the place."""
        found = self.comparison.findings if self.comparison else ()
        met = [each for each in found if each.verdict == MET and each.kind == "new"]
        return min(met, key=lambda each: shows(each) != "ST elevation") if met else None

    @property
    def leads(self) -> tuple[str, ...]:
        """The leads of `finding`."""
        return self.finding.leads if self.finding else ()

    @property
    def territory(self) -> str:
        """The territory that the leads look at."""
        return territory(self.leads) if self.leads else ""

    @property
    def verdict(self) -> str:
        """One line."""
        if self.is_baseline:
            return "baseline"
        return self.reason if self.comparison is None else self.comparison.verdict

    @property
    def qtc_note(self) -> str:
        """What is remarkable about QTc, after ICH E14 and CTCAE; empty if nothing is."""
        limits = settings("qtc")
        notes = []
        if self.qtc_ms > limits["long_ms"]:
            notes.append(f"QTc {self.qtc_ms:.0f} ms is above {limits['long_ms']:g} ms")
        if self.qtc_change_ms > limits["change_ms"]:
            notes.append(f"QTc {self.qtc_change_ms:+.0f} ms against the baseline is more than {limits['change_ms']:g} ms")
        return f"{' and '.join(notes)} ({limits['source']})" if notes else ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where something is not known."""
        symptoms = self.ecg.symptoms
        return {
            "ecg": self.ecg.name,
            "day": number(self.day, 4),
            "time_assumed": self.ecg.time_assumed,
            "simulated": self.ecg.simulated,
            "context": self.ecg.context,
            "symptoms": None if symptoms is None else list(symptoms),
            "exposure": self.exposure.words,
            "exposure_state": self.exposure.state,
            "is_baseline": self.is_baseline,
            "changed": self.changed,
            "verdict": self.verdict,
            "leads": list(self.leads),
            "territory": self.territory or None,
            "within_session": self.within_session.verdict if self.within_session else None,
            "qtc_ms": number(self.qtc_ms),
            "qtc_change_ms": number(self.qtc_change_ms),
            "qtc_note": self.qtc_note or None,
            "confounders": dict(self.comparison.confounders) if self.comparison else {},
        }


def shows(finding: Finding) -> str:
    """What a finding is made of: ``ST elevation``, ``ST depression``, ``T wave`` or ``U wave``."""
    if finding.measure.startswith(("t_", "u_")):
        return "T wave" if finding.measure.startswith("t_") else "U wave"
    change = [row["change"] for row in finding.values.values() if "change" in row]
    return "ST depression" if change and float(np.mean(change)) < 0 else "ST elevation"


Read = Analysis | Measurements


def read_all(course: Course) -> dict[int, Read | str]:
    """By place: the measured ECG, or in one line why there is none."""
    found: dict[int, Read | str] = {}
    for place, each in enumerate(course.ecgs):
        try:
            found[place] = _read(course, each)
        except EcgError as error:
            found[place] = str(error)
    return found


def _read(course: Course, each: CourseEcg) -> Read:
    source = each.source
    if source is None:
        raise EcgError("no ECG, only a report of it")
    if isinstance(source, str):
        source = read(ecg_path(course.folder, source))
    if isinstance(source, Ecg):
        return analyze(replace(source, subject=_subject(course.subject, source.subject)))
    _subject(course.subject, source.measurements.subject if isinstance(source, Analysis) else source.subject)
    return source


def _subject(person: Subject, told: Subject) -> Subject:
    """What the file tells of the person, with what only the course tells."""
    if person.sex and told.sex and person.sex != told.sex:
        raise EcgError(f"the ECG is one of a {told.sex} person and the course of a {person.sex} one; mend one of the two")
    return replace(told, sex=told.sex or person.sex, age=told.age if told.age is not None else person.age)


def _measured(each: Read) -> Measurements:
    return each.measurements if isinstance(each, Analysis) else each


def choose_baseline(course: Course) -> Baseline:
    """The last ECG before the first suspect drug that can be analysed, free of symptoms and of what forbids a verdict.

    Without one before the drug, the first such ECG off the drug is taken. If all that speaks against it is a wide QRS complex or
    the like, an ECG is taken for want of a better one: each comparison then says why it is undecided.
    """
    found = course.analysed
    before = [place for place, each in enumerate(course.ecgs) if _state(course, each) == "before"][::-1]
    if not course.suspects:
        before, since = list(range(len(course.ecgs))), []
    else:
        since = [place for place, each in enumerate(course.ecgs) if _state(course, each) == "off"]
    against = {place: _against(course.ecgs[place], found[place]) for place in (*before, *since)}
    passed: list[str] = []
    for candidates, why in ((before, _why_before(course)), (since, _why_since(course))):
        best = next((place for place in candidates if not against[place]), None)
        if best is None:
            best = next((place for place in candidates if set(against[place]) == {"conduction"}), None)
        for place in candidates[: candidates.index(best)] if best is not None else candidates:
            passed.append(f"{course.ecgs[place].name}: {', '.join(against[place].values())}")
        if best is not None:
            chosen = course.ecgs[best]
            words = [why, *_about(chosen)]
            if against[best]:
                words.append(f"for want of a better one: {against[best]['conduction']}")
            return Baseline(chosen, ", ".join(words), tuple(passed))
    none = "no ECG off the suspect drug can serve" if course.ecgs else "the course has no ECG"
    return Baseline(None, none, tuple(passed))


def _state(course: Course, each: CourseEcg) -> str:
    return exposure_at(course, course.day(each.time)).state


def _why_before(course: Course) -> str:
    return f"last fit ECG before {course.suspects[0]}" if course.suspects else "first fit ECG; the course has no suspect drug"


def _why_since(course: Course) -> str:
    return f"none fit before {course.suspects[0]}; first fit one off the drug" if course.suspects else ""


def _about(chosen: CourseEcg) -> list[str]:
    words = ["symptoms not told" if chosen.symptoms is None else "no symptoms"]
    return [*words, "simulated"] if chosen.simulated else words


def _against(each: CourseEcg, found: Read | str) -> Mapping[str, str]:
    """What speaks against an ECG as baseline, by kind."""
    if isinstance(found, str):
        return {"unread": found}
    speaks: dict[str, str] = {}
    if each.symptoms:
        speaks["symptoms"] = f"with symptoms ({', '.join(each.symptoms)})"
    if each.context == "provocation":
        speaks["provocation"] = "during a provocation test"
    measured = _measured(found)
    if MEASURED not in measured.state:
        speaks["quality"] = f"not measurable: {measured.state[0].removeprefix('not_measurable: ')}"
        return speaks
    itself = confounders(measured, measured, None, measured.leads, measured.state)
    blocking = [text for name, text in itself.items() if name in SERIAL_CONFOUNDERS]
    if blocking:
        speaks["conduction"] = blocking[0]
    return speaks


def compare_all(course: Course, baseline: Baseline) -> tuple[EcgChange, ...]:
    """Each ECG against the baseline; what fails costs its own row a reason and nothing else."""
    found = course.analysed
    home = next((place for place, each in enumerate(course.ecgs) if each is baseline.ecg), None)
    first = found[home] if home is not None else None
    rows = []
    for place, each in enumerate(course.ecgs):
        own = found[place]
        comparison, reason = None, ""
        if isinstance(own, str):
            reason = own
        elif home is None or isinstance(first, str | None):
            reason = f"no baseline: {baseline.why}"
        elif place != home:
            comparison, reason = _compared(course.ecgs[home], first, each, own)
        qtc = [_qtc(own), _qtc(first) if place != home else float("nan")]
        rows.append(
            EcgChange(
                ecg=each,
                day=course.day(each.time),
                exposure=exposure_at(course, course.day(each.time), time_assumed=each.time_assumed),
                comparison=comparison,
                reason=reason,
                within_session=_in_session(course, place),
                qtc_ms=qtc[0],
                qtc_change_ms=qtc[0] - qtc[1],
                is_baseline=place == home,
            )
        )
    return tuple(rows)


def _qtc(found: Read | str | None) -> float:
    return float("nan") if isinstance(found, str | None) else float(_measured(found).qtc_ms)


def _compared(first: CourseEcg, baseline: Read, second: CourseEcg, current: Read) -> tuple[Comparison | None, str]:
    same = bool(first.session) and first.session == second.session
    try:
        return compare(baseline, current, electrodes="same" if same else "fresh"), ""
    except EcgError as error:
        return None, str(error)


def _in_session(course: Course, place: int) -> Comparison | None:
    """Against the last ECG before it in its session, if there is one that could be read."""
    found, each = course.analysed, course.ecgs[place]
    own = found[place]
    if not each.session or isinstance(own, str):
        return None
    for other in range(place - 1, -1, -1):
        before = found[other]
        if course.ecgs[other].session == each.session and not isinstance(before, str):
            return _compared(course.ecgs[other], before, each, own)[0]
    return None
