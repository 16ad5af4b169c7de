"""What the page of a continuous recording says."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np

from ecgspasm.continuous.definitions import DEFAULT, Definition, definitions
from ecgspasm.continuous.episode import ARTEFACT, CONDUCTION, ISCHEMIC, RATE, STEP, Episode
from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.trend import FAST_BPM
from ecgspasm.markup import Html, typeset
from ecgspasm.report import drawing, traces, trends, words
from ecgspasm.report.drawing import Panel
from ecgspasm.report.kinds import short_source
from ecgspasm.report.lanes import SPARSE, Lanes, Shade, drawn
from ecgspasm.report.words import Sources, clock, lasting, uv

LETTERS = {ISCHEMIC: "I", RATE: "R", STEP: "P", CONDUCTION: "C", ARTEFACT: "A"}
"""With which the label of an episode begins."""
MOST_ROWS = 200
"""So many episodes stand in the table, the largest; the data holds all."""
CAVEAT = "A recording without an episode does not exclude ischemia or spasm."

_MEASURES = {"st_uv": "ST", "t_net_uv": "T", "u_uv": "U"}
_MOST_REASONS = 30


def context(found: Monitoring) -> dict[str, Any]:
    """All that the template of a monitored recording needs."""
    sources = Sources()
    measured = bool(len(found.trend.time_s) and found.measured_s)
    chosen = _chosen_measure(found)
    listed = sorted(traces.largest_first(found.episodes)[:MOST_ROWS])
    pairs = traces.pairs(found) if measured else {}
    first = next((place for place in traces.largest_first(found.episodes) if place in pairs and _whole(pairs[place])), None)
    beats = _beats(found, pairs, first)
    return {
        "label": "Continuous ECG",
        "headline": _headline(found),
        "facts": _facts(found),
        "caveat": CAVEAT,
        "measured": measured,
        "measure_names": [(name, _MEASURES[name]) for name in _shown(found)] if measured else [],
        "trend_settings": _trend_settings(found, chosen, first) if measured else "",
        "chosen": chosen,
        "chosen_words": _MEASURES[chosen],
        "lanes": drawn(_lanes(found, chosen), f"{_MEASURES[chosen]} in each lead over time") if measured else Html(),
        "limits": [typeset(f"{_sign(rule)}{rule.peak_uv:g} uV ({rule.id})") for rule in _rules(found, chosen)],
        "fast_bpm": f"{FAST_BPM:g}",
        "kinds": {LETTERS[kind]: kind for kind in LETTERS if any(each.kind == kind for each in found.episodes)},
        "episodes": [_row(found, place, sources, has_beats=place in pairs) for place in listed],
        "left_out": len(found.episodes) - len(listed),
        "first": first,
        "first_label": "" if first is None else label(found.episodes[first], first),
        **beats,
        "interruptions": _interruptions(found),
        "notes": [typeset(each) for each in found.notes],
        "reference": _reference(found),
        "method": _method(found, sources),
        "sources": sources.texts,
    }


def label(episode: Episode, place: int) -> str:
    """Letter of the kind, and number in time."""
    return f"{LETTERS.get(episode.kind, '?')}{place + 1}"


def _headline(found: Monitoring) -> list[dict[str, str]]:
    what, mark, why = found.verdict.partition("; largest: ")
    if not mark:
        what, _, why = found.verdict.partition("; ")
    if found.verdict.startswith("NOT MEASURED: "):
        what, why = "NOT MEASURED", found.verdict.removeprefix("NOT MEASURED: ")
    told = what if what.isupper() else what[:1].upper() + what[1:]
    return [{"what": typeset(told), "why": typeset(f"largest: {why}" if mark else why)}]


def _facts(found: Monitoring) -> list[tuple[str, str]]:
    facts = [("Recording", typeset(short_source(found.source)) or "given in memory")]
    facts.append(("Length", f"{lasting(found.duration_s)}, of which {lasting(found.measured_s)} measured"))
    facts.append(("Leads", ", ".join(found.leads)))
    person = words.person(found.subject)
    return [*facts, *([("Person", person)] if person else [])]


def _chosen_measure(found: Monitoring) -> str:
    """The measure to begin with: that of the largest episode."""
    order = traces.largest_first(found.episodes)
    return traces.measure_of(found.episodes[order[0]]) if order else "st_uv"


def _rules(found: Monitoring, measure: str) -> list[Definition]:
    """The definitions whose limits are drawn: those by which the episodes were found, else the usual one of the wave."""
    known = definitions()
    wave = measure.partition("_")[0].upper()
    used = dict.fromkeys(each.definition for each in found.episodes if each.measure == wave and each.definition in known)
    usual = [name for name in (*DEFAULT, *known) if known[name].measure.partition("_")[0].upper() == wave]
    return [known[name] for name in list(used) or usual[:1]]


def _sign(rule: Definition) -> str:
    return "±" if not rule.sign else "+" if rule.sign > 0 else "-"


def limits(found: Monitoring, measure: str) -> tuple[float, ...]:
    """The levels from which on an episode counts."""
    levels = {sign * rule.peak_uv for rule in _rules(found, measure) for sign in ((1, -1) if not rule.sign else (rule.sign,))}
    return tuple(sorted(levels))


def span_s(found: Monitoring) -> tuple[float, float]:
    """From where to where there is something to show; the beginning of a long feed may have been forgotten."""
    time = found.trend.time_s
    start = 0.0 if time[0] < 60.0 else float(time[0])
    return start, max(found.duration_s, float(time[-1]), start + 1.0)


def _shown(found: Monitoring) -> list[str]:
    """The measures that the trend shows."""
    return [
        name for name in _MEASURES if name in trends.MEASURES or any(each.measure == _MEASURES[name] for each in found.episodes)
    ]


def _trend_settings(found: Monitoring, chosen: str, first: int | None) -> str:
    """What the script needs to draw the trend, beside the numbers."""
    shown = _shown(found)
    told = {
        "chosen": chosen,
        "sparse": SPARSE,
        "span_s": span_s(found),
        "reach": {name: [round(each) for each in _lanes(found, name).reach] for name in shown},
        "limits": {name: limits(found, name) for name in shown},
        "labels": [label(each, place) for place, each in enumerate(found.episodes)],
        "first": first,
        "signs": [],
    }
    return json.dumps(told, allow_nan=False)


def _lanes(found: Monitoring, measure: str) -> Lanes:
    wave = measure.partition("_")[0].upper()
    shades = tuple(
        Shade(
            label(each, place),
            each.kind,
            {lead: (part.onset_s, part.extremum_s, part.end_s, part.extremum_uv) for lead, part in each.by_lead.items()}
            or dict.fromkeys(each.leads, (each.onset_s, each.extremum_s, each.end_s, each.extremum_uv)),
        )
        for place, each in enumerate(found.episodes)
        if each.measure == wave
    )
    start, stop = span_s(found)
    return Lanes(
        time_s=found.trend.time_s,
        leads=found.leads,
        values=trends.deviation(found, measure),
        rate_bpm=np.asarray(found.trend.rate_bpm, dtype=float),
        start_s=start,
        stop_s=stop,
        limits=limits(found, measure),
        shades=shades,
    )


def _row(found: Monitoring, place: int, sources: Sources, *, has_beats: bool) -> dict[str, Any]:
    each = found.episodes[place]
    rule = definitions().get(each.definition)
    edges = [*(["had begun before"] if each.open_start else []), *(["goes on at the end"] if each.open_end else [])]
    rate = "" if np.isnan(each.rate_onset_bpm) else f"{each.rate_onset_bpm:.0f}/min at onset"
    return {
        "place": place,
        "label": label(each, place),
        "kind": each.kind,
        "onset": clock(each.onset_s),
        "extremum": clock(each.extremum_s),
        "end": clock(each.end_s),
        "duration": lasting(each.duration_s),
        "edges": ", ".join(edges),
        "measure": each.measure,
        "uv": uv(each.extremum_uv),
        "lead": each.extremum_lead,
        "leads": words.span(each.leads),
        "territory": each.territory if each.territory != "unnamed" else "",
        "evidence": [typeset(part) for part in each.evidence],
        "rate": rate,
        "definition": each.definition,
        "also": ", ".join(each.also),
        "source": sources.number(rule.source) if rule is not None else None,
        "has_beats": has_beats,
    }


def _beats(found: Monitoring, pairs: dict[int, traces.Pair], first: int | None) -> dict[str, Any]:
    """The averaged beats of one episode over quiet ones; the window holds those of all, so that another can be shown in it."""
    if first is None:
        return {"beats": Html(), "papers": Html(), "beats_words": ""}
    kept = {at: traces.beat(found, at) for pair in pairs.values() for at in (pair.current, pair.quiet) if at is not None}
    every = [
        Panel(lead, "", time_ms=each.time_ms, curves={"current": each.signal_uv[row]})
        for each in kept.values()
        for row, lead in enumerate(found.leads)
        if np.isfinite(each.signal_uv[row]).any()
    ]
    within = drawing.window(every)
    pair, episode = pairs[first], found.episodes[first]
    shown = [_panel(found, lead, kept, pair, episode) for lead in found.leads]
    return {
        "beats": drawing.leads(shown, within, first=episode.extremum_lead),
        "papers": drawing.papers([within]),
        "beats_words": _pair_words(kept, pair),
    }


def _whole(pair: traces.Pair) -> bool:
    """Whether both beats were kept."""
    return pair.current is not None and pair.quiet is not None


def _pair_words(kept: dict[int, traces.Beat], pair: traces.Pair) -> str:
    if pair.current is None or pair.quiet is None:
        return "no averaged beat was kept there"
    quiet = "quiet beat" if pair.quiet_is_quiet else "these leads have no quiet stretch; beat"
    return f"beat of {clock(kept[pair.current].at_s)} over the {quiet} of {clock(kept[pair.quiet].at_s)}"


def _panel(found: Monitoring, lead: str, kept: dict[int, traces.Beat], pair: traces.Pair, episode: Episode) -> Panel:
    row = found.leads.index(lead)
    assert pair.current is not None
    assert pair.quiet is not None
    current, quiet = kept[pair.current], kept[pair.quiet]
    time_ms = current.time_ms if len(current.time_ms) <= len(quiet.time_ms) else quiet.time_ms
    curves = {
        name: np.interp(time_ms, each.time_ms, each.signal_uv[row]) for name, each in (("baseline", quiet), ("current", current))
    }
    part = episode.by_lead.get(lead)
    small = "" if part is None else f"{episode.measure} {uv(part.extremum_uv)} µV"
    if not all(np.isfinite(curve).any() for curve in curves.values()):
        small = "not measured"
    spoken = f"{lead}: {f'{small} at {clock(part.extremum_s)}' if part is not None else small or 'not part of the episode'}"
    return Panel(lead, spoken, time_ms=time_ms, curves=curves, small=small, marked=part is not None)


def _interruptions(found: Monitoring) -> list[dict[str, str]]:
    """How long which leads were not measured, by reason."""
    lost: Counter[tuple[str, str]] = Counter()
    times: Counter[tuple[str, str]] = Counter()
    for each in found.interruptions:
        key = (", ".join(each.leads) or "all leads", each.reason)
        lost[key] += round(each.end_s - each.start_s)
        times[key] += 1
    rows = [
        {"leads": leads, "reason": typeset(reason), "times": str(times[leads, reason]), "total": clock(seconds)}
        for (leads, reason), seconds in lost.most_common(_MOST_REASONS)
    ]
    left = len(lost) - len(rows)
    return rows + ([{"leads": f"{left} more", "reason": "see the data", "times": "", "total": ""}] if left else [])


def _reference(found: Monitoring) -> list[tuple[str, str]]:
    by_words: dict[str, list[str]] = {}
    for lead in found.leads:
        by_words.setdefault(found.reference.get(lead, "unknown"), []).append(lead)
    return [(what, words.span(tuple(leads))) for what, leads in by_words.items()]


def _method(found: Monitoring, sources: Sources) -> dict[str, Any]:
    stream, detect = settings("stream"), settings("detect")
    used = [definitions()[name] for name in dict.fromkeys(each.definition for each in found.episodes) if name in definitions()]
    rows = {
        "Averages": f"of the alike beats around, one each {stream['step_s']:g} s (16 s long unless another length was asked for)",
        "ST": f"at J+80 ms, at J+60 ms above {FAST_BPM:g}/min, against the PR level; drawn as deviation from the reference",
        "T": "both lobes together, as deviation from the reference",
        "Reference": "the quiet level that follows what is around within "
        f"{settings('reference')['window_s'] / 60.0:g} min, or the baseline ECG",
        "Unrest": f"an episode stands out from the usual difference of averages by a factor of {detect['stands_out']['other']:g} "
        f"({detect['stands_out']['t_net_uv']:g} for T)",
    }
    for rule in used:
        rows[f"Definition {rule.id}"] = (
            f"{_sign(rule)}{rule.peak_uv:g} uV for {rule.peak_s:g} s; begins and ends at {rule.limit_uv:g} uV "
            f"[{sources.number(rule.source)}]"
        )
    return {"rows": {name: typeset(text) for name, text in rows.items()}}
