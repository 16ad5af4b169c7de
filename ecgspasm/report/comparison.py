"""What the page of a comparison says, in the order in which it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ecgspasm.criteria import CONFOUNDERS, SERIAL_CONFOUNDERS
from ecgspasm.ecg import MEASURED, Analysis
from ecgspasm.markup import Html, joined, typeset
from ecgspasm.processing.settings import settings
from ecgspasm.report import drawing, words
from ecgspasm.report.kinds import short_source
from ecgspasm.report.overlay import only_in_one, overlay, strips
from ecgspasm.report.words import Sources, amount, interval, uv
from ecgspasm.serial.comparison import IN_FRAME, MET, UNDECIDED, Comparison
from ecgspasm.serial.words import NOTHING_NEW, detectable, told_once

CAVEAT = "An unchanged ECG never excludes ischemia or spasm."

_FEATURES = {
    "st_vector_change_uv": "change of the ST vector",
    "t_vector_change_uv": "change of the T vector",
    "st_second_change_uv": "second largest change of ST in a lead",
    "t_turned_uv": "T turned over by",
}


def context(change: Comparison) -> dict[str, Any]:
    """All that the template of a comparison needs."""
    sources = Sources()
    drawn = overlay(change)
    strip_parts = list(strips(change))
    windows = [*([drawn[1]] if drawn else []), *(within for _, within in strip_parts)]
    findings = [words.finding(each, sources) for each in change.findings]
    definitions = [words.finding(each, sources) for each in change.definitions]
    return {
        "label": "Serial ECG comparison",
        "headline": headline(change),
        "facts": list(_facts(change)),
        "caveat": CAVEAT,
        "papers": drawing.papers(windows),
        "overlay": drawn[0] if drawn else Html(),
        "movable": drawn is not None and change.baseline is not None and change.current is not None,
        "strips": joined(figure for figure, _ in strip_parts),
        "told": [each for each in findings if each["verdict"]["class"] != "not-met"],
        "not_met": [each for each in findings if each["verdict"]["class"] == "not-met"],
        "definitions": definitions,
        "leads": [_lead(change, row) for row in range(len(change.leads))],
        "detectable": typeset(detectable(change)) if change.comparable else "",
        "confounders": [_confounder(name, text) for name, text in change.confounders.items()],
        "not_found": _not_found(change),
        "recordings": list(recordings(change)),
        "unmeasured": list(_unmeasured(change)),
        "score": _score(change),
        "method": _method(change),
        "sources": sources.texts,
    }


def headline(change: Comparison) -> list[dict[str, str]]:
    """What is new with its evidence, or that nothing was found, or why nothing can be said: as `Comparison.verdict` says."""
    if not change.comparable:
        return [{"what": "NOT COMPARABLE", "why": typeset(change.state[0].removeprefix("not_measurable: "))}]
    met = [each for each in change.findings if each.verdict == MET]
    if met:
        return [
            {"what": typeset(f"{each.what} in {words.span(each.leads)} ({each.territory})"), "why": typeset(each.reason)}
            for each in told_once(met)
        ]
    undecided = [each for each in change.findings if each.verdict == UNDECIDED and each.kind == "new"]
    if undecided:
        return [{"what": "UNDECIDED", "why": typeset(undecided[0].reason)}]
    return [{"what": NOTHING_NEW, "why": typeset(detectable(change))}]


def _facts(change: Comparison) -> Iterator[tuple[str, str]]:
    """Who and what, in a few words each."""
    for name, each in (("Baseline", change.baseline), ("Current", change.current)):
        yield name, _taken(each) if each is not None else "a table of measurements, without a waveform"
    person = words.person(change.measured["current"].subject)
    if person:
        yield "Person", person
    placed = "the same throughout" if change.electrodes == "same" else "placed anew between the two"
    yield "Electrodes", placed


def _taken(each: Analysis) -> str:
    when = each.ecg.recorded_at.isoformat(sep=" ", timespec="minutes") if each.ecg.recorded_at else ""
    return typeset(", ".join(filter(None, (short_source(each.ecg.source), when)))) or "given in memory"


def _lead(change: Comparison, row: int) -> dict[str, Any]:
    """One row of the table of all leads."""
    met = [each for each in change.findings if each.verdict == MET and change.leads[row] in each.leads]
    shapes = [str(change.t_shape[which][row]) for which in ("baseline", "current")]
    return {
        "lead": change.leads[row],
        "reason": "" if change.state[row] == MEASURED else typeset(change.state[row].removeprefix("not_measurable: ")),
        "cells": [_cell(change, name, row) for name in IN_FRAME],
        "shape": shapes[0] if shapes[0] == shapes[1] else typeset(" -> ".join(shapes)),
        "met": ", ".join(each.title for each in met),
    }


def _cell(change: Comparison, name: str, row: int) -> dict[str, Any]:
    each = change.changes.get(name)
    if each is None or not np.isfinite(each.difference[row]):
        return {"known": False}
    low, high = float(each.low[row]), float(each.high[row])
    beyond = low > 0.0 or high < 0.0
    return {
        "known": True,
        "baseline": uv(each.baseline[row]),
        "current": uv(each.current[row]),
        "change": uv(each.difference[row]),
        "interval": interval(low, high),
        "mark": ("▲" if low > 0.0 else "▼") if beyond else "",
        "detectable": uv(each.detectable[row], sign=False),
    }


def _confounder(name: str, text: str) -> dict[str, str]:
    weight = "could by itself explain a change: takes the verdict away" if name in SERIAL_CONFOUNDERS else "reason for caution"
    return {"name": words.CONFOUNDERS.get(name, name), "text": typeset(text), "weight": weight}


def _not_found(change: Comparison) -> dict[str, str]:
    """What was looked for in vain, and what could not be looked for."""
    left = [name for name in CONFOUNDERS if name not in change.confounders]
    blind = words.FROM_BEATS if change.aligned is None else ()
    return {
        "looked": ", ".join(words.CONFOUNDERS.get(name, name) for name in left if name not in blind),
        "blind": ", ".join(words.CONFOUNDERS[name] for name in left if name in blind),
    }


def recordings(change: Comparison) -> Iterator[dict[str, Any]]:
    """A column of the table of both recordings: what they are and how good."""
    for name, each in (("Baseline", change.baseline), ("Current", change.current)):
        if each is None:
            continue
        found, ecg = each.measurements, each.ecg
        kinds = Counter(each.beats.kind.tolist())
        noise = found.se.get("st_j60_uv")
        known = noise[np.isfinite(noise)] if noise is not None else np.empty(0)
        reasons = Counter(reason for reason in each.beats.reason.tolist() if reason)
        yield {
            "name": name,
            "rows": {
                "Recording": f"{ecg.duration_s:.1f} s at {ecg.fs:g} Hz, {len(ecg.leads)} leads"
                + (f" ({', '.join(ecg.derived)} derived)" if ecg.derived else ""),
                "Beats": f"{kinds.get('dominant', 0)} in the median beat, of {len(each.beats)}",
                "Beats left out": typeset("; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(4))) or "none",
                "Rate": amount(found.rate_bpm, "/min"),
                "PR, QRS": f"{amount(found.pr_ms)}, {amount(found.qrs_ms)} ms",
                "QT, QTc (Fridericia)": f"{amount(found.qt_ms)}, {amount(found.qtc_ms)} ms",
                "Standard error of ST, median of the leads": amount(float(np.median(known)) if len(known) else None, " µV", 1),
                "Leads not usable": typeset(
                    "; ".join(f"{lead}: {why}" for lead, why in zip(ecg.leads, each.quality, strict=True) if why)
                )
                or "none",
            },
        }


def _unmeasured(change: Comparison) -> Iterator[tuple[str, str]]:
    """What could not be measured or decided, and why."""
    by_reason: dict[str, list[str]] = {}
    for lead, state in zip(change.leads, change.state, strict=True):
        if state != MEASURED:
            by_reason.setdefault(state.removeprefix("not_measurable: "), []).append(lead)
    for lead, why in only_in_one(change).items():
        by_reason.setdefault(why, []).append(lead)
    for reason, leads in by_reason.items():
        yield words.span(tuple(leads)), typeset(reason)
    yield from _absent(change)
    titles: dict[str, list[str]] = {}
    for finding in (*change.findings, *change.definitions):
        if finding.verdict == UNDECIDED:
            titles.setdefault(finding.reason, []).append(finding.title)
    for reason, names in titles.items():
        yield typeset(", ".join(names)), typeset(f"undecided: {reason}")
    if change.score.reason:
        yield "Score", typeset(change.score.reason)


def _absent(change: Comparison) -> Iterator[tuple[str, str]]:
    """Waves that were looked for and are not there."""
    for which, each in change.measured.items():
        name = f"the {which}{' ECG' if which == 'current' else ''}"
        measured = [lead for row, lead in enumerate(change.leads) if change.state[row] == MEASURED]
        absent = [lead for lead in measured if "t_uv" in each.values and np.isnan(each.get("t_uv", lead))]
        if absent:
            yield f"T of {name} in {words.span(tuple(absent))}", "no T wave was found"
        for interval_name, value, wave in (("PR", each.pr_ms, "P"), ("QT", each.qt_ms, "T")):
            if np.isnan(value) and measured:
                yield f"{interval_name} of {name}", f"no {wave} wave was found"


def _score(change: Comparison) -> dict[str, Any] | None:
    if change.score.reason or not change.comparable:
        return None
    named = {
        _FEATURES.get(name, name.removesuffix("_uv").replace("_", " ")): f"{uv(value, sign=False)} µV"
        for name, value in change.score.features.items()
    }
    return {"probability": f"{change.score.probability:.2f}", "features": named}


def _method(change: Comparison) -> dict[str, Any]:
    """The parameters, as they were used."""
    numbers = settings("measure")
    low, high = (100.0 * share for share in numbers["calm_share"])
    aligned = change.aligned
    rows = {
        "PR level": f"mean of the {numbers['pr_level_ms']:g} ms before QRS onset",
        "ST level": f"mean over {numbers['st_window_ms']:g} ms: from J on; centred on J+20 to J+80 ms",
        "T": f"largest lobe from J+{numbers['t_starts_ms']:g} ms to its end, running mean of {numbers['t_smooth_ms']:g} ms",
        "Noisy leads": f"where the standard error of a level is {low:g} to {high:g} % of the largest QRS complex (or more), ST "
        f"and T are smoothed in part (altogether) by parabolas over {numbers['calm_ms']:g} ms, and the PR level is taken over "
        f"up to {numbers['calm_pr_level_ms']:g} ms",
        "Too noisy": f"standard error of ST above {numbers['largest_st_se_uv']:g} µV: not measured",
        "Intervals": "95 %, from the measurement and from how much two ECGs of one person differ anyhow, with electrodes "
        + ("that stayed on" if change.electrodes == "same" else "placed anew"),
    }
    if aligned is not None:
        rows["Common J"] = f"{aligned.j_ms:.1f} ms after the common QRS onset: the mean of both ECGs after alignment"
        rows["Alignment"] = f"correlation of the QRS complexes over all leads {aligned.qrs_correlation:.3f}"
    return {"rows": {name: typeset(text) for name, text in rows.items()}}
