"""What a course prints: the verdict, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.course.exposure import exposure_at
from ecgspasm.course.naranjo import ASKED, NaranjoItem
from ecgspasm.ecg import number
from ecgspasm.serial.words import lead_span
from ecgspasm.stamp import line as stamped
from ecgspasm.stamp import stamp

if TYPE_CHECKING:
    import pandas as pd

    from ecgspasm.course.course import Course
    from ecgspasm.course.ecgs import EcgChange

COLUMNS = (
    *("when", "day", "time_assumed", "what", "name", "exposure_state", "exposure", "symptoms", "changed", "verdict"),
    *("leads", "territory", "qtc_ms", "qtc_change_ms", "simulated"),
)
"""Columns of `Course.to_frame`."""
_WIDTH = 130


def verdict(course: Course) -> str:
    """One line a suspect drug."""
    if not course.suspects:
        return "No suspect drug, so no drug can be judged"
    lines = []
    for drug in course.suspects:
        scale, category = course.naranjo(drug), course.who_umc(drug)
        open_items = f", {len(scale.asked)} items not answered yet" if scale.asked else ""
        lines.append(
            f"{drug}: {str(scale.category).upper()} on Naranjo ({scale.total} points{open_items}), WHO-UMC {category.category}; "
            f"dechallenge {course.dechallenge(drug).verdict}, re-challenge {course.rechallenge(drug).verdict}; "
            f"territory {course.concordance().verdict}"
        )
    return "\n".join(lines)


def text(course: Course) -> str:
    """The whole report; every block has a heading."""
    blocks: list[tuple[str, list[str]]] = [
        ("", [verdict(course)]),
        ("", list(about(course))),
        ("Drugs", list(_drugs(course))),
        ("Baseline", [str(course.baseline())]),
        ("ECGs", [line for row in course.changes() for line in _ecg(course, row)]),
        ("Provocation", list(_provocations(course))),
        ("Attacks and how long was watched", list(_watched(course))),
        ("Territory", [str(course.concordance())]),
    ]
    for drug in course.suspects:
        blocks += _judged(course, drug)
    blocks += [("Biomarkers", [f"{each.name}: {each.value}" for each in course.biomarkers])]
    blocks += [("Outcome", [course.outcome] if course.outcome else []), ("", [stamped({})])]
    return "\n\n".join("\n".join(_block(title, lines)) for title, lines in blocks if lines)


def _block(title: str, lines: list[str]) -> Iterator[str]:
    if title:
        yield title
    yield from _wrapped(lines, "  " if title else "")


def _wrapped(lines: list[str], indent: str) -> list[str]:
    return [
        fill(part, _WIDTH, initial_indent=indent, subsequent_indent=indent + "    ", break_on_hyphens=False)
        for line in lines
        for part in line.split("\n")
    ]


def about(course: Course) -> Iterator[str]:
    """Who it is about, that some ECGs are simulated, and the course's own note."""
    who = [f"{course.subject.age:g} years" if course.subject.age is not None else "", course.subject.sex or ""]
    line = ", ".join(filter(None, [course.title, *who]))
    if line:
        yield line
    if any(each.simulated for each in course.ecgs):
        yield "Some ECGs are simulated after a description: what they show is what was put in."
    if course.note:
        yield course.note


def _drugs(course: Course) -> Iterator[str]:
    for each in course.exposures:
        begin = "before the course" if each.start is None else course.when(each.start, assumed=each.start_assumed)
        until = "not stopped" if each.stop is None else course.when(each.stop, assumed=each.stop_assumed)
        dose = f" {each.dose}" if each.dose else ""
        yield f"{each.drug}{dose} ({each.role}): {begin} to {until}{_note(each.note)}"


def _ecg(course: Course, row: EcgChange) -> Iterator[str]:
    each = row.ecg
    symptoms = "symptoms not told" if each.symptoms is None else ", ".join(each.symptoms) or "no symptoms"
    marks = "simulated, " if each.simulated else ""
    when = course.when(each.time, assumed=each.time_assumed)
    yield f"{when}, {each.name} ({marks}{each.context}; {symptoms}), {row.exposure}: {row.verdict}"
    if row.within_session is not None:
        yield f"    against the ECG before it in the same session: {row.within_session.verdict}"
    if np.isfinite(row.qtc_ms):
        change = f", {row.qtc_change_ms:+.0f} ms against the baseline" if np.isfinite(row.qtc_change_ms) else ""
        yield f"    QTc {row.qtc_ms:.0f} ms (Fridericia){change}{f'; {row.qtc_note}' if row.qtc_note else ''}"


def _provocations(course: Course) -> Iterator[str]:
    for each in course.provocations:
        found = [each.finding, lead_span(each.leads), ", ".join(each.symptoms or ())]
        relief = [f"relieved by {each.relieved_by}"] if each.relieved_by else []
        words = "; ".join([*filter(None, found), *relief])
        yield f"{course.when(each.time, assumed=each.time_assumed)}, {each.agent}: {each.result}{f' ({words})' if words else ''}"


def _watched(course: Course) -> Iterator[str]:
    from ecgspasm.course.attacks import attacks

    for each in attacks(course):
        yield f"{each}{' (provoked)' if each.provoked else ''}"
    for period in course.periods:
        when = course.when(period.start, assumed=period.start_assumed)
        length = "for an unknown time" if period.duration_h is None else f"for {period.duration_h:g} h"
        listed = len(period.episodes)
        said = f"attacks {period.attacks}" if period.attacks else f"{listed or 'no'} episode{'' if listed == 1 else 's'} listed"
        yield f"{period.how} from {when} {length}: {said}{_note(period.note)}"


def _note(note: str) -> str:
    return f" ({note})" if note else ""


def _judged(course: Course, drug: str) -> list[tuple[str, list[str]]]:
    reported = any(each.how == "reported" for each in course.periods)
    rates = [course.rates(drug), *([course.rates(drug, how="reported")] if reported else [])]
    scale, category = course.naranjo(drug), course.who_umc(drug)
    blocks = [
        (f"Attacks a day, {each.how}", [f"on {drug}: {each.on}", f"off {drug}: {each.off}", f"ratio: {each.ratio}"])
        for each in rates
    ]
    for title, found in (("Dechallenge", course.dechallenge(drug)), ("Re-challenge", course.rechallenge(drug))):
        lines = [str(found)]
        for each in found.each:
            lines.append(f"{each.when}: {each.verdict}, {each.reason}")
            lines += [f"    {line}" for line in each.evidence] + [f"    confounder: {line}" for line in each.confounders]
        blocks.append((f"{title} of {drug}", lines))
    blocks.append((f"Naranjo for {drug}: {scale}", [*map(_item, scale.items), scale.source]))
    blocks.append((f"WHO-UMC for {drug}: {category}", [*category.reasons, category.source]))
    return blocks


def _item(each: NaranjoItem) -> str:
    said = "asked" if each.given_by == ASKED else f"{each.answer} ({each.points:+d}, from the {each.given_by}): {each.reason}"
    return f"{each.number:>2}. {each.question} {said}{f' [{each.overruled}]' if each.overruled else ''}"


def as_dict(course: Course) -> dict[str, Any]:
    """All results, JSON-ready."""
    from ecgspasm.course.attacks import attacks

    drugs = {
        drug: {
            "rates": {how: course.rates(drug, how=how).to_dict() for how in ("monitored", "reported")},
            "dechallenge": course.dechallenge(drug).to_dict(),
            "rechallenge": course.rechallenge(drug).to_dict(),
            "naranjo": course.naranjo(drug).to_dict(),
            "who_umc": course.who_umc(drug).to_dict(),
        }
        for drug in course.suspects
    }
    return stamp() | {
        "verdict": verdict(course),
        "title": course.title,
        "subject": {"sex": course.subject.sex, "age": course.subject.age, "key": course.subject.key},
        "baseline": course.baseline().to_dict(),
        "ecgs": [each.to_dict() for each in course.changes()],
        "attacks": [each.to_dict() for each in attacks(course)],
        "concordance": course.concordance().to_dict(),
        "drugs": drugs,
        "biomarkers": [{"name": each.name, "value": each.value} for each in course.biomarkers],
        "outcome": course.outcome or None,
    }


def as_frame(course: Course) -> pd.DataFrame:
    """One row an ECG, provocation test, attack or biomarker, in time order."""
    import pandas as pd

    rows = sorted(_rows(course), key=lambda row: row["day"])
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"day": float, "qtc_ms": float, "qtc_change_ms": float, "time_assumed": bool, "simulated": bool})


def _rows(course: Course) -> Iterator[dict[str, Any]]:
    for row in course.changes():
        base = _row(course, row.ecg, "ECG", row.ecg.name)
        told = {"changed": row.changed, "verdict": row.verdict, "leads": ", ".join(row.leads), "territory": row.territory}
        yield base | told | {"qtc_ms": row.qtc_ms, "qtc_change_ms": row.qtc_change_ms, "simulated": row.ecg.simulated}
    for test in course.provocations:
        yield _row(course, test, "provocation", test.agent) | {"verdict": test.result}
    watched = [(each, period.how) for period in course.periods for each in period.episodes]
    for each, how in [*((each, "told") for each in course.episodes), *watched]:
        yield _row(course, each, "episode", each.kind) | {"verdict": how}
    for marker in course.biomarkers:
        if marker.time is not None:
            yield _row(course, marker, "biomarker", marker.name) | {"verdict": marker.value}


def _row(course: Course, entry: Any, what: str, name: str) -> dict[str, Any]:
    """The columns that every entry has."""
    from ecgspasm.leads import territory

    day, assumed = course.day(entry.time), getattr(entry, "time_assumed", False)
    here = exposure_at(course, day, time_assumed=assumed)
    symptoms, leads = getattr(entry, "symptoms", None), getattr(entry, "leads", ())
    return {
        "when": course.when(entry.time, assumed=assumed),
        "day": number(day, 6),
        "time_assumed": assumed,
        "what": what,
        "name": name,
        "exposure_state": here.state,
        "exposure": here.words,
        "symptoms": None if symptoms is None else ", ".join(symptoms),
        "changed": None,
        "verdict": "",
        "leads": ", ".join(leads),
        "territory": territory(leads) if leads else "",
        "qtc_ms": float("nan"),
        "qtc_change_ms": float("nan"),
        "simulated": False,
    }
