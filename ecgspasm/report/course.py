"""What the page of a course says."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecgspasm.course import Course
from ecgspasm.course.attacks import attacks
from ecgspasm.course.ecgs import EcgChange
from ecgspasm.course.naranjo import ASKED, NaranjoItem
from ecgspasm.course.report import verdict
from ecgspasm.ecg import MEASURED
from ecgspasm.markup import Html, typeset
from ecgspasm.report import drawing, timeline, words
from ecgspasm.report.drawing import Window
from ecgspasm.report.overlay import overlay
from ecgspasm.report.words import Sources, amount

MOST_OVERLAYS = 24
"""So many ECGs are drawn, the first; the others stand in the table alone, so that the page stays light enough to send."""
CAVEAT = "The scales judge what was told; they prove no cause. An unchanged ECG never excludes ischemia or spasm."

_EVERY = 4


def context(course: Course) -> dict[str, Any]:
    """All that the template of a course needs."""
    sources = Sources()
    marks = timeline.events(course)
    windows: list[Window] = []
    ecgs = []
    for place, row in enumerate(course.changes()):
        ecgs.append(_ecg(course, row, place, windows, sources))
    return {
        "label": "Course of one patient",
        "headline": _headline(course),
        "facts": _facts(course),
        "caveat": CAVEAT,
        "note": typeset(course.note),
        "simulated": any(each.simulated for each in course.ecgs),
        "timeline": timeline.drawn(course, marks),
        "events": [{"number": each.number, "when": typeset(each.when), "row": each.row, "what": each.what} for each in marks],
        "papers": drawing.papers(windows),
        "ecgs": ecgs,
        "not_drawn": max(sum(bool(row.comparison and row.comparison.aligned) for row in course.changes()) - MOST_OVERLAYS, 0),
        "baseline": typeset(course.baseline()),
        "concordance": typeset(course.concordance()),
        "exposures": [_exposure(course, each) for each in course.exposures],
        "attacks": [typeset(f"{each}{' (provoked)' if each.provoked else ''}") for each in attacks(course)],
        "periods": [_period(course, each) for each in course.periods],
        "drugs": [_drug(course, drug, sources) for drug in course.suspects],
        "biomarkers": [
            (typeset(each.name), typeset(each.value), typeset(course.when(each.time)) if each.time is not None else "")
            for each in course.biomarkers
        ],
        "outcome": typeset(course.outcome),
        "references": [typeset(each) for each in course.references],
        "unmeasured": _unmeasured(course),
        "sources": sources.texts,
    }


def _headline(course: Course) -> list[dict[str, str]]:
    """One line a suspect drug, as `Course.report` says it."""
    lines = verdict(course).split("\n")
    if not course.suspects:
        return [{"what": typeset(lines[0]), "why": ""}]
    parts = (line.partition("; ") for line in lines)
    return [{"what": typeset(what), "why": typeset(why)} for what, _, why in parts]


def _facts(course: Course) -> list[tuple[str, str]]:
    facts = [("Case", typeset(course.title))] if course.title else []
    person = words.person(course.subject)
    facts += [("Person", person)] if person else []
    first, last = course.span
    facts.append(("Span", typeset(f"day {first:.4g} to day {last:.4g}")))
    return facts


def _ecg(course: Course, row: EcgChange, place: int, windows: list[Window], sources: Sources) -> dict[str, Any]:
    """One ECG: when, on what, what it shows; its overlay while there is room for it."""
    each = row.ecg
    drawn: Html | None = None
    if row.comparison is not None and len(windows) < MOST_OVERLAYS:
        made = overlay(row.comparison, every=_EVERY)
        if made is not None:
            drawn = made[0]
            windows.append(made[1])
    symptoms = "symptoms not told" if each.symptoms is None else ", ".join(each.symptoms) or "no symptoms"
    marks = [*(["simulated"] if each.simulated else []), each.context, symptoms]
    met = (
        []
        if row.comparison is None
        else [words.finding(found, sources) for found in row.comparison.findings if found.verdict != "NOT_MET"]
    )
    what, _, why = row.verdict.partition(": ")
    return {
        "place": place,
        "name": typeset(each.name),
        "when": typeset(course.when(each.time, assumed=each.time_assumed)),
        "marks": typeset("; ".join(marks)),
        "exposure": typeset(row.exposure.words),
        "what": typeset(what),
        "why": typeset(why),
        "state": "baseline" if row.is_baseline else {True: "changed", False: "unchanged", None: "undecided"}[row.changed],
        "within": typeset(row.within_session.verdict) if row.within_session else "",
        "qtc": amount(row.qtc_ms, " ms"),
        "qtc_change": typeset(f"{row.qtc_change_ms:+.0f} ms") if np.isfinite(row.qtc_change_ms) else "–",
        "qtc_note": typeset(row.qtc_note),
        "confounders": [typeset(text) for text in row.comparison.confounders.values()] if row.comparison else [],
        "findings": met,
        "overlay": drawn,
        "note": typeset(each.note),
    }


def _exposure(course: Course, each: Any) -> dict[str, str]:
    begin = "before the course" if each.start is None else course.when(each.start, assumed=each.start_assumed)
    until = "not stopped" if each.stop is None else course.when(each.stop, assumed=each.stop_assumed)
    return {"drug": typeset(each.drug), "role": each.role, "dose": typeset(each.dose) or "–"} | {
        "begin": typeset(begin),
        "until": typeset(until),
        "note": typeset(each.note),
    }


def _period(course: Course, period: Any) -> dict[str, str]:
    when = course.when(period.start, assumed=period.start_assumed)
    length = "not told" if period.duration_h is None else f"{period.duration_h:g} h"
    listed = len(period.episodes)
    said = f"attacks {period.attacks}" if period.attacks else f"{listed or 'no'} episode{'' if listed == 1 else 's'} listed"
    return {"how": period.how, "when": typeset(when), "length": length, "said": said, "note": typeset(period.note)}


def _drug(course: Course, drug: str, sources: Sources) -> dict[str, Any]:
    """Causality of one suspect drug."""
    scale, category = course.naranjo(drug), course.who_umc(drug)
    challenges = [
        {
            "title": title,
            "verdict": found.verdict,
            "reason": typeset(found.reason),
            "each": [
                {
                    "when": typeset(one.when),
                    "verdict": one.verdict,
                    "reason": typeset(one.reason),
                    "evidence": [typeset(line) for line in one.evidence],
                    "confounders": [typeset(line) for line in one.confounders],
                }
                for one in found.each
            ],
        }
        for title, found in (("Dechallenge", course.dechallenge(drug)), ("Re-challenge", course.rechallenge(drug)))
    ]
    hows = ["monitored", *(["reported"] if any(each.how == "reported" for each in course.periods) else [])]
    return {
        "drug": typeset(drug),
        "scale": typeset(scale),
        "items": [_item(each) for each in scale.items],
        "naranjo_source": sources.number(scale.source),
        "who": typeset(category),
        "reasons": [typeset(each) for each in category.reasons],
        "who_source": sources.number(category.source),
        "challenges": challenges,
        "rates": [
            {"how": found.how, "on": typeset(found.on), "off": typeset(found.off), "ratio": typeset(found.ratio)}
            for found in (course.rates(drug, how=how) for how in hows)  # type: ignore[arg-type]
        ],
    }


def _item(each: NaranjoItem) -> dict[str, str]:
    asked = each.given_by == ASKED
    return {
        "number": str(each.number),
        "question": typeset(each.question),
        "answer": "not answered" if asked else each.answer,
        "points": typeset(f"{each.points:+d}") if each.points else "0",
        "given_by": "" if asked else f"from the {each.given_by}",
        "reason": "" if asked else typeset(each.reason),
        "overruled": typeset(each.overruled),
    }


def _unmeasured(course: Course) -> list[tuple[str, str]]:
    """ECGs that could not be read or compared, and leads that could not be measured."""
    found = []
    for row in course.changes():
        if row.comparison is None:
            if row.reason:
                found.append((typeset(row.ecg.name), typeset(row.reason)))
            continue
        by_reason: dict[str, list[str]] = {}
        for lead, state in zip(row.comparison.leads, row.comparison.state, strict=True):
            if state != MEASURED:
                by_reason.setdefault(state.removeprefix("not_measurable: "), []).append(lead)
        found += [
            (typeset(f"{row.ecg.name}: {words.span(tuple(leads))}"), typeset(reason)) for reason, leads in by_reason.items()
        ]
    return found
