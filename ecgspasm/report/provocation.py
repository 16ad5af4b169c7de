"""What the page of a provocation test says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ecgspasm.markup import Html, typeset
from ecgspasm.provoking import Phase, ProvocationTest, Response
from ecgspasm.provoking.definitions import relief_words
from ecgspasm.provoking.phases import PhaseChange, shown
from ecgspasm.provoking.words import onset_words
from ecgspasm.report import words
from ecgspasm.report.kinds import short_source
from ecgspasm.report.lanes import SPARSE, Lanes, drawn
from ecgspasm.report.words import Sources, clock, interval, uv

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def context(test: ProvocationTest) -> dict[str, Any]:
    """All that the template of a provocation test needs."""
    sources = Sources()
    caveat_source = test.to_dict()["caveat_source"]
    chosen = next(iter(shown(test.series)), "")
    measured = bool(chosen and np.isfinite(test.series.change[chosen]).any())
    return {
        "label": "Provocation test",
        "headline": _headline(test),
        "facts": _facts(test),
        "caveat": f"{test.caveat}.",
        "caveat_source": sources.number(str(caveat_source)),
        "measured": measured,
        "measure_names": [(name, words.measure(name)) for name in shown(test.series)],
        "trend_settings": _trend_settings(test, chosen) if measured else "",
        "chosen": chosen,
        "chosen_words": words.measure(chosen),
        "lanes": drawn(_lanes(test, chosen), f"change of {words.measure(chosen)} in each lead over time") if measured else Html(),
        "events": [
            {"sign": sign(place), "at": clock(each.time_s), "text": typeset(each.text), "kind": each.kind, "agent": each.agent}
            for place, each in enumerate(test.events)
        ],
        "responses": [_response(each) for each in test.responses],
        "definitions": [_definition(each, sources) for each in test.definitions],
        "phases": [_phase(test, each) for each in test.phases],
        "notes": [typeset(each) for each in test.notes],
        "unmeasured": _unmeasured(test),
        "baseline": typeset(test.series.baseline_words),
        "sources": sources.texts,
    }


def sign(place: int) -> str:
    """The letter of an event; after Z they go on with AA."""
    return _LETTERS[place] if place < len(_LETTERS) else f"{sign(place // len(_LETTERS) - 1)}{_LETTERS[place % len(_LETTERS)]}"


def _headline(test: ProvocationTest) -> list[dict[str, str]]:
    what, mark, why = test.verdict.partition(": ")
    if not mark:
        what, _, why = test.verdict.partition("; ")
    return [{"what": typeset(what), "why": typeset(why)}]


def _facts(test: ProvocationTest) -> list[tuple[str, str]]:
    facts = [
        ("Recording", typeset(short_source(test.source)) or "given in memory"),
        ("Baseline", typeset(test.series.baseline_words)),
    ]
    facts.append(("Span", f"{clock(test.series.start_s)} to {clock(test.series.end_s)} (h:mm:ss)"))
    person = words.person(test.subject)
    return [*facts, *([("Person", person)] if person else [])]


def _trend_settings(test: ProvocationTest, chosen: str) -> str:
    """What the script needs to draw the trend, beside the numbers."""
    lanes = {name: _lanes(test, name) for name in shown(test.series)}
    told = {
        "chosen": chosen,
        "sparse": SPARSE,
        "span_s": [lanes[chosen].start_s, lanes[chosen].stop_s],
        "reach": {name: [round(up) for up in each.reach] for name, each in lanes.items()},
        "limits": {name: each.limits for name, each in lanes.items()},
        "labels": [],
        "first": None,
        "signs": [sign(place) for place in range(len(test.events))],
    }
    return json.dumps(told, allow_nan=False)


def _lanes(test: ProvocationTest, measure: str) -> Lanes:
    series = test.series
    last = max([series.end_s, *(each.time_s for each in test.events)])
    return Lanes(
        time_s=series.time_s,
        leads=series.leads,
        values=series.change[measure],
        rate_bpm=series.rate_bpm,
        start_s=series.start_s,
        stop_s=max(last, series.start_s + 1.0),
        limits=(100.0, -100.0) if measure.startswith("st") else (),
        marks=tuple((each.time_s, sign(place)) for place, each in enumerate(test.events)),
    )


def _response(each: Response) -> dict[str, str]:
    return {
        "what": typeset(f"{each.what[:1].upper()}{each.what[1:]} in {words.span(each.leads)}"),
        "territory": each.territory if each.territory != "unnamed" else "",
        "extremum": typeset(f"{each.lead} {each.extremum_uv:+.0f} uV at {clock(each.extremum_s)}"),
        "interval": interval(each.low_uv, each.high_uv),
        "onset": typeset(onset_words(each.onset)),
        "relief": typeset(relief_words(each.relief)),
        "opposite": words.span(each.opposite) if each.opposite else "",
    }


def _definition(each: Any, sources: Sources) -> dict[str, Any]:
    rows = [
        {
            "lead": lead,
            "baseline": uv(told.get("baseline")),
            "current": uv(told.get("current")),
            "change": uv(told.get("change")),
            "interval": interval(told.get("low"), told.get("high")),
            "threshold": uv(told.get("threshold")) if "threshold" in told else "–",
        }
        for lead, told in each.values.items()
    ]
    return {
        "title": typeset(each.title),
        "verdict": words.verdict(each.verdict),
        "reason": typeset(each.reason),
        "shows": each.shows,
        "values": rows,
        "source": sources.number(each.source),
    }


def _phase(test: ProvocationTest, phase: Phase) -> dict[str, Any]:
    changed = [typeset(f"{name} in {words.span(leads)}") for name, leads in phase.changed.items() if leads]
    return {
        "name": typeset(phase.name),
        "kind": phase.kind,
        "span": f"{clock(phase.start_s)} to {clock(phase.end_s)}",
        "reason": typeset(phase.reason),
        "changed": "; ".join(changed) or "no lead",
        "rows": [_phase_row(test, name, each) for name, each in phase.changes.items()],
    }


def _phase_row(test: ProvocationTest, name: str, each: PhaseChange) -> dict[str, str]:
    """One measure of a phase in the lead that changed most."""
    at = each.extremum
    row = int(np.abs(np.nan_to_num(at.difference)).argmax())
    return {
        "measure": words.measure(name),
        "at": clock(each.extremum_s),
        "lead": test.leads[row],
        "baseline": uv(at.baseline[row]),
        "current": uv(at.current[row]),
        "change": uv(at.difference[row]),
        "interval": interval(float(at.low[row]), float(at.high[row])),
        "end": f"{uv(each.end.difference[row])} ({interval(float(each.end.low[row]), float(each.end.high[row]))})",
    }


def _unmeasured(test: ProvocationTest) -> list[tuple[str, str]]:
    found = []
    for phase in test.phases:
        by_reason: dict[str, list[str]] = {}
        for lead, state in zip(test.leads, phase.state, strict=True):
            if state != "measured":
                by_reason.setdefault(state.removeprefix("not_measurable: "), []).append(lead)
        found += [(typeset(f"{phase.name}: {words.span(tuple(leads))}"), typeset(reason)) for reason, leads in by_reason.items()]
    return found
