"""Trend of a continuous recording: one measure over time in each lead, episodes shaded, and the beats of the largest one.

Every row has the same scale; what is unusual for a lead, and not worth its space, is cut off and marked. Kinds of episodes differ
by letter and hatching, not by colour alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.continuous.baseline import BASELINE
from ecgspasm.continuous.definitions import DEFAULT, Definition, definitions
from ecgspasm.continuous.episode import ARTEFACT, CONDUCTION, ISCHEMIC, RATE, STEP, Episode
from ecgspasm.continuous.monitoring import Monitoring, clock
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.stream import GAP
from ecgspasm.continuous.tile import BEAT_MEASURES
from ecgspasm.continuous.trend import FAST_BPM
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.masks import true_spans
from ecgspasm.plot import paper
from ecgspasm.plot.averages import Beats
from ecgspasm.plot.lanes import COLUMN_MM, Row, draw_guides, draw_row, envelope
from ecgspasm.plot.sheet import Line, person, source_name, typeset, use, wrapped
from ecgspasm.plot.timeline import LEFT_MM, RATE_MM, RIGHT_MM, TimeAxis, part_of, wave

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURES = ("st_uv", "t_uv", "t_net_uv", *BEAT_MEASURES)
"""What can be drawn."""
# Letter, colour (after Okabe and Ito), how much of it the shade has, and hatching of each kind. So thinned the shades are told
# apart with every kind of colour vision.
KINDS = {
    ISCHEMIC: ("I", "#d55e00", 0.4, ""),
    RATE: ("R", "#0072b2", 0.4, "////"),
    STEP: ("P", "#009e73", 0.55, "||||"),
    CONDUCTION: ("C", "#f0e442", 0.4, "\\\\\\\\"),
    ARTEFACT: ("A", "#777777", 0.25, "xxxx"),
}
_PALE, _HATCH = "#ececec", 0.8

_BAR_MM, _LANES = 3.6, 3
_BETWEEN_MM = 1.5
_LEAST_ROW_MM, _LIMIT_MM = 7.5, (2.2, 10.0)
"""The smallest row, and how far from zero the limit of an episode lies at least and at most."""
_TICKS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def trend(
    monitoring: Monitoring, *, leads: Sequence[str] | None = None, measure: str = "st_uv", axes: Axes | None = None
) -> tuple[Figure, Axes]:
    """Draw how a measure went in each lead, with its episodes, and the averaged beat at the extremum of the largest one.

    Parameters
    ----------
    monitoring : Monitoring
    leads : sequence of str, optional
        Which, in this order; default: all.
    measure : str
        ``st_uv``, ``t_net_uv``, ``u_uv`` or another of `Trend.get` in uV. Shaded are the episodes of that wave: ST, T or U.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure of 297 mm width (A4 landscape), as high as it needs.

    Returns
    -------
    figure, axes
        The axes' data units are millimetres. Artists carry ids such as ``trend-V2``, ``gap-V2``, ``limit-V2``, ``episode-0-V2``,
        ``current-V2``, ``reference-V2``, ``rate``, ``time-600``; the number of an episode is its place in `Monitoring.episodes`,
        that of a time is in seconds.

    Raises
    ------
    EcgError
        If there is no such measure or lead.
    """
    if measure not in MEASURES:
        raise EcgError(f"no measure {measure!r} to draw; give one of {', '.join(MEASURES)}")
    names = _chosen(monitoring, leads)
    if not monitoring.measured_s:
        return _nothing(monitoring, axes)
    shown = {place: each for place, each in enumerate(monitoring.episodes) if _is_shown(each, names, measure)}
    rules = _rules(list(shown.values()), measure)
    limit = max(rule.peak_uv for rule in rules)
    scale, rows = _scaled([_row(monitoring, lead, measure, shown, limit) for lead in names], limit)
    axis, labels = TimeAxis.of(monitoring), _labels(shown)
    lanes = _lanes(shown, labels, axis)
    head = list(_head(monitoring, shown, measure, rules, rows))
    bottom = 14.0
    rows_mm = sum((row.up + row.down) * scale + _BETWEEN_MM for row in rows)
    top = bottom + RATE_MM + 2.0 + rows_mm + _BAR_MM * (1 + max(lanes.values(), default=-1))
    legend_mm = 6.0 if shown else 0.0
    figure, axes = paper.page(float(np.ceil(top + legend_mm + sum(line.height_mm for line in head) + 8.0)), axes)
    y = axes.get_ylim()[1] - 5.0
    for line in head:
        y -= line.height_mm
        paper.text(axes, paper.LEFT_MM, y + line.height_mm * 0.3, line.words, fontsize=line.fontsize, weight=line.weight)
    _draw_legend(axes, shown, len(shown) - len(lanes), y - 4.5)
    _draw_ticks(axes, axis, bottom, top)
    Beats.of(monitoring, measure, names, shown, labels).draw(axes, axis, bottom, top)
    y = _draw_bars(axes, axis, top, shown, lanes, labels)
    for row in rows:
        y -= row.up * scale + _BETWEEN_MM
        draw_row(axes, axis, row, y, scale, monitoring.trend.time_s)
        draw_guides(axes, row.lead, y, scale, rules)
        _shade(axes, axis, row, y, scale, shown, monitoring.trend.time_s)
        y -= row.down * scale
    _draw_rate(axes, axis, monitoring, bottom)
    paper.text(axes, paper.LEFT_MM, 3.0, use(), fontsize=6.5, color=paper.GREY)
    return figure, axes


def _chosen(monitoring: Monitoring, leads: Sequence[str] | None) -> tuple[str, ...]:
    """The leads to draw."""
    wanted = monitoring.leads if leads is None else (leads,) if isinstance(leads, str) else tuple(leads)
    names = tuple(dict.fromkeys(lead_names.canonical(each) for each in wanted))
    strange = [each for each in names if each not in monitoring.leads]
    if strange or not names:
        what = f"no lead {strange[0]!r}" if strange else "no lead was given"
        raise EcgError(f"{what}; this recording has {', '.join(monitoring.leads)}")
    return names


def _nothing(monitoring: Monitoring, axes: Axes | None) -> tuple[Figure, Axes]:
    """A page that says why there is no trend."""
    figure, axes = paper.page(50.0, axes)
    lines = wrapped(_title(monitoring, "st_uv").partition(": ")[2] or "Trend", 11.0, weight="bold", most=1)
    lines += wrapped(typeset(monitoring.verdict), 9.0, most=2)
    for words in (*_not_measured(monitoring, monitoring.leads), *monitoring.notes):
        lines += wrapped(typeset(words), 7.5, most=2)
    y = 45.0
    for line in lines[:7]:
        y -= line.height_mm
        paper.text(axes, paper.LEFT_MM, y, line.words, fontsize=line.fontsize, weight=line.weight)
    paper.text(axes, paper.LEFT_MM, 3.0, use(), fontsize=6.5, color=paper.GREY)
    return figure, axes


def _is_shown(episode: Episode, names: Sequence[str], measure: str) -> bool:
    return episode.measure == wave(measure) and bool(set(episode.leads) & set(names))


def _rules(shown: Sequence[Episode], measure: str) -> list[Definition]:
    """The definitions whose limits are drawn: those by which the episodes were found, else the usual one of the wave."""
    known = definitions()
    found = dict.fromkeys(each.definition for each in shown if each.definition in known)
    usual = [name for name in (*DEFAULT, *known) if wave(known[name].measure) == wave(measure)]
    return [known[name] for name in found or usual[:1]]


def _row(monitoring: Monitoring, lead: str, measure: str, shown: dict[int, Episode], limit: float) -> Row:
    place = monitoring.leads.index(lead)
    values = monitoring.deviation_uv(measure)[place]
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [0.25, 99.75]) if len(known) else (0.0, 0.0)
    peaks = [part_of(each, lead).extremum_uv for each in shown.values() if lead in each.leads and each.kind != ARTEFACT]
    up, down = (1.08 * max([1.2 * limit, *(sign * float(each) for each in (low, high, *peaks))]) for sign in (1.0, -1.0))
    label = "not measured"  # the level drifts: it is told as a range if it does so much
    if len(known):
        level = monitoring.levels.level(measure)[place][np.isfinite(values)]
        given = monitoring.reference.get(lead) == BASELINE and measure in {rule.measure for rule in definitions().values()}
        spread = f"{level.min():.0f} to {level.max():.0f}" if np.ptp(level) >= 20.0 else f"{np.median(level):.0f}"
        label = typeset(f"{'baseline' if given else 'quiet'} {spread} uV")
    return Row(lead, values, label, tuple(_gaps(monitoring, lead, values)), up, down)


def _gaps(monitoring: Monitoring, lead: str, values: Floats) -> list[tuple[float, float]]:
    """When a lead was not measured: what the recording says of it, and where there is no value."""
    time, half = monitoring.trend.time_s, settings("stream")["step_s"] / 2.0
    starts, ends = true_spans(~np.isfinite(values)).T
    spans = list(zip(time[starts] - half, time[ends - 1] + half, strict=True))
    for each in monitoring.interruptions:
        # Without leads it tells how the samples came; what came late is not missing.
        if lead in each.leads or (not each.leads and each.reason == GAP):
            spans.append((each.start_s, each.end_s))
    merged: list[tuple[float, float]] = []
    for start, end in sorted((float(start), float(end)) for start, end in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _scaled(rows: list[Row], limit: float) -> tuple[float, list[Row]]:
    """Millimetres per uV for all rows, and the rows cut to what has room."""
    room, most = {1: (45.0, 45.0), 2: (70.0, 70.0)}.get(len(rows), (130.0, 150.0))
    least = _LIMIT_MM[0] / limit
    for times in (12.0, 10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0):
        cut = [(min(row.up, times * limit), min(row.down, times * limit)) for row in rows]
        total = sum(up + down for up, down in cut)
        if total * least <= most:
            break
    scale = min(max(room / total, least), _LIMIT_MM[1] / limit)
    out = []
    for row, (up, down) in zip(rows, cut, strict=True):
        fits = up >= row.up and down >= row.down and not row.cut
        more = max((_LEAST_ROW_MM if fits else _LEAST_ROW_MM + 3.0) / scale - up - down, 0.0) / 2.0
        out.append(replace(row, up=up + more, down=down + more))
    return scale, out


def _title(monitoring: Monitoring, measure: str) -> str:
    named = {
        "st_uv": f"ST (J+80 ms, J+60 above {FAST_BPM:.0f}/min)",
        "t_uv": "T (the larger lobe)",
        "t_net_uv": "T (both lobes together)",
        "t_positive_uv": "T (positive lobe)",
        "t_negative_uv": "T (negative lobe)",
        "u_uv": "U",
    }
    what = named.get(measure, f"ST (J+{measure.removeprefix('st_j').removesuffix('_uv') or 0} ms)")
    who = " · ".join(filter(None, (source_name(monitoring.source, 120.0), person(monitoring.subject))))
    return f"{what} against each lead's reference: {who}" if who else f"{what} against each lead's reference"


def _head(
    monitoring: Monitoring, shown: dict[int, Episode], measure: str, rules: list[Definition], rows: list[Row]
) -> Iterator[Line]:
    """What it is, what was found, how to read it, and what is missing."""
    yield from wrapped(_title(monitoring, measure), 11.0, weight="bold", most=2)
    yield from wrapped(typeset(monitoring.verdict), 8.5, most=2)
    limits = ", ".join(f"{'±' if not rule.sign else '+-'[rule.sign < 0]}{rule.peak_uv:g} uV ({rule.id})" for rule in rules)
    key = [f"dashed: {limits}", "all rows have one scale"]
    key += ["quiet: usual level of the lead, which is 0 here"] if any(row.label.startswith("quiet") for row in rows) else []
    key += ["○ extremum"] if shown else []
    key += ["▲▼ cut off"] if any(row.cut for row in rows) else []
    key += ["grey: not measured"] if any(row.gaps for row in rows) else []
    others = Counter(each.measure for place, each in enumerate(monitoring.episodes) if place not in shown)
    key += [f"not shaded: {', '.join(f'{count} × {name}' for name, count in others.items())}"] if others else []
    yield from wrapped(typeset(" · ".join(key)), 6.5, most=1)
    for words in (*monitoring.notes, *_not_measured(monitoring, monitoring.leads)):
        yield from wrapped(typeset(words), 6.5, most=2)


def _not_measured(monitoring: Monitoring, names: Sequence[str]) -> list[str]:
    """Why and how long leads were not measured, one text."""
    lost: Counter[tuple[str, str]] = Counter()
    for each in monitoring.interruptions:
        for lead in [name for name in each.leads if name in names] or ([] if each.leads else ["samples"]):
            lost[lead, each.reason] += round(each.end_s - each.start_s)
    by_words: dict[str, list[str]] = {}
    for (lead, reason), seconds in lost.most_common():
        by_words.setdefault(f"{reason}, {clock(seconds)}", []).append(lead)
    told = [f"{' '.join(leads)}: {words}" for words, leads in by_words.items()]
    return [f"Not measured (h:mm:ss): {'; '.join(told)}"] if told else []


def _labels(shown: dict[int, Episode]) -> dict[int, str]:
    """Letter of the kind and number in time."""
    return {place: f"{KINDS[each.kind][0]}{number}" for number, (place, each) in enumerate(shown.items(), 1)}


def _lanes(shown: dict[int, Episode], labels: dict[int, str], axis: TimeAxis) -> dict[int, int]:
    """In which lane the bar of each episode lies; none without room. The largest choose first, so that they have labels."""
    taken: list[tuple[int, float, float]] = []
    out = {}
    for place in sorted(shown, key=lambda each: -abs(shown[each].extremum_uv)):
        low, high, words = _bar(shown[place], labels[place], axis)
        low, high = min(low, words), max(high, words + paper.width_mm(labels[place], 6.5))
        for lane in range(_LANES):
            if all(other != lane or high + 0.8 < left or low > right + 0.8 for other, left, right in taken):
                taken.append((lane, low, high))
                out[place] = lane
                break
    return out


def _bar(episode: Episode, label: str, axis: TimeAxis) -> tuple[float, float, float]:
    """Both ends of an episode's bar and where its label begins: in it or, if it is too short, beside it."""
    low, high = float(axis.at(episode.onset_s)), float(axis.at(episode.end_s))
    high = max(high, low + 0.5)
    wide = paper.width_mm(label, 6.5)
    if high - low > wide + 1.0:
        return low, high, (low + high - wide) / 2.0
    return low, high, high + 0.6 if high + 0.6 + wide < RIGHT_MM + 8.0 else low - 0.6 - wide


def _draw_bars(
    axes: Axes, axis: TimeAxis, top: float, shown: dict[int, Episode], lanes: dict[int, int], labels: dict[int, str]
) -> float:
    """A bar with its label for each episode, above the rows; returns where the rows begin."""
    from matplotlib.patches import Rectangle

    for place, lane in lanes.items():
        _, colour, share, _ = KINDS[shown[place].kind]
        low, high, words = _bar(shown[place], labels[place], axis)
        y = top - _BAR_MM * (lane + 1) + 0.4
        style: dict[str, Any] = {"facecolor": _wash(colour, share), "edgecolor": colour, "linewidth": 0.5, "zorder": 2}
        axes.add_patch(Rectangle((low, y), high - low, _BAR_MM - 0.8, gid=f"bar-{place}", **style))
        paper.text(axes, words, y + 0.5, labels[place], fontsize=6.5, weight="bold", gid=f"label-{place}")
    return top - _BAR_MM * (1 + max(lanes.values(), default=-1))


def _wash(colour: str, share: float) -> tuple[float, ...]:
    """The colour thinned with white: opaque, so that it prints the same everywhere."""
    return tuple(1.0 - share + share * int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5))


def _draw_legend(axes: Axes, shown: dict[int, Episode], without_bar: int, y: float) -> None:
    """The kinds that occur, with their letter, hatching and number, and how many have no bar above the rows."""
    from matplotlib.patches import Rectangle

    x = LEFT_MM
    for kind, count in Counter(each.kind for each in shown.values()).most_common():
        letter, colour, share, hatch = KINDS[kind]
        style: dict[str, Any] = {"facecolor": _wash(colour, share), "edgecolor": _wash(colour, _HATCH), "linewidth": 0.5}
        axes.add_patch(Rectangle((x, y), 7.0, 3.0, hatch=hatch, gid=f"kind-{letter}", **style))
        words = f"{letter}: {kind} ({count})"
        paper.text(axes, x + 8.5, y + 0.5, words, fontsize=7.0)
        x += 14.0 + paper.width_mm(words, 7.0)
    if without_bar:
        paper.text(axes, x, y + 0.5, f"{without_bar} only shaded, without a label", fontsize=7.0)


def _draw_ticks(axes: Axes, axis: TimeAxis, bottom: float, top: float) -> None:
    """The time axis below all rows: seconds, minutes, or hours and minutes, as the length asks."""
    span = axis.stop_s - axis.start_s
    step = next((each for each in _TICKS_S if span / each <= 12.0), _TICKS_S[-1] * max(1, round(span / _TICKS_S[-1] / 10.0)))
    unit = "s" if span <= 180.0 else "min" if span <= 7200.0 and axis.stop_s <= 36_000.0 else "h:mm"
    paper.text(axes, paper.LEFT_MM, bottom - 4.2, f"time, {unit}", fontsize=7.0, weight="bold")
    axes.plot([LEFT_MM, RIGHT_MM], [bottom, bottom], color=paper.INK, linewidth=0.8, zorder=2)
    for second in np.arange(np.ceil(axis.start_s / step) * step, axis.stop_s + 1e-6, step):
        x = float(axis.at(second))
        words = {"s": f"{second:.0f}", "min": f"{second / 60.0:g}", "h:mm": clock(second)[:-3]}[unit]
        axes.plot([x, x], [bottom, top], color=_PALE, linewidth=0.5, zorder=0.9, gid=f"time-{second:g}")
        axes.plot([x, x], [bottom - 1.0, bottom], color=paper.INK, linewidth=0.8, zorder=2)
        paper.text(axes, x, bottom - 4.2, words, fontsize=7.0, ha="center")


def _shade(axes: Axes, axis: TimeAxis, row: Row, zero: float, scale: float, shown: dict[int, Episode], time: Floats) -> None:
    """The episodes in which the lead takes part, each with its extremum."""
    from matplotlib.patches import Rectangle

    low, high = zero - row.down * scale, zero + row.up * scale
    for place, episode in shown.items():
        if row.lead not in episode.leads:
            continue
        part, (_, colour, share, hatch) = part_of(episode, row.lead), KINDS[episode.kind]
        left, right = axis.at([part.onset_s, part.end_s])
        style: dict[str, Any] = {"facecolor": _wash(colour, share), "edgecolor": _wash(colour, _HATCH), "linewidth": 0}
        style["zorder"] = 0.6
        gid = f"episode-{place}-{row.lead}"
        axes.add_patch(Rectangle((left, low), max(right - left, 0.2), high - low, hatch=hatch, gid=gid, **style))
        value = row.values[np.abs(time - part.extremum_s).argmin()]
        if np.isfinite(value):
            dot: dict[str, Any] = {"marker": "o", "markersize": 2.6, "markerfacecolor": "white", "markeredgewidth": 0.7}
            y = zero + scale * float(np.clip(value, -row.down, row.up))
            axes.plot([axis.at(part.extremum_s)], [y], color=paper.INK, zorder=3.5, gid=f"extremum-{place}-{row.lead}", **dot)


def _draw_rate(axes: Axes, axis: TimeAxis, monitoring: Monitoring, bottom: float) -> None:
    """Heart rate as a strip."""
    rate = monitoring.trend.rate_bpm.astype(float)
    known = rate[np.isfinite(rate)]
    usual = np.percentile(known, [0.5, 99.5]) if len(known) else np.array([60.0, 80.0])
    low = 10.0 * float(np.floor((usual[0] - 2.0) / 10.0))
    high = max(10.0 * float(np.ceil(usual[1] / 10.0)), low + 20.0)
    paper.text(axes, paper.LEFT_MM, bottom + RATE_MM / 2.0 - 0.8, "rate, /min", fontsize=7.0, weight="bold")
    inner = RATE_MM - 3.0
    for value, y in ((low, bottom + 1.5), (high, bottom + 1.5 + inner)):
        axes.plot([LEFT_MM, RIGHT_MM], [y, y], color=_PALE, linewidth=0.5, zorder=0.9)
        paper.text(axes, LEFT_MM - 0.8, y, f"{value:.0f}", fontsize=5.0, ha="right", va="center_baseline")
    x, values = envelope(axis.at(monitoring.trend.time_s), rate, COLUMN_MM)
    shown = bottom + 1.5 + inner * (np.clip(values, low, high) - low) / (high - low)
    axes.plot(x, shown, color="#0072b2", linewidth=0.7, zorder=3, gid="rate")
