"""What a notebook shows of a monitored recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgspasm import markup
from ecgspasm.continuous.episode import ISCHEMIC, Episode

if TYPE_CHECKING:
    from ecgspasm.continuous.monitoring import Monitoring

_MOST_ROWS, _MOST_LEADS, _POINTS = 8, 3, 200
_MEASURES = {"ST": "st_uv", "T": "t_net_uv", "U": "u_uv"}


def html(found: Monitoring) -> str:
    """Verdict, how the leads of the largest episode went, and the largest episodes."""
    largest = sorted(found.episodes, key=lambda each: (each.kind != ISCHEMIC, -abs(each.extremum_uv)))
    parts: list[object] = [_trend(found, largest[0] if largest else None)]
    if largest:
        shown = sorted(largest[:_MOST_ROWS], key=lambda each: each.onset_s)
        head = ["onset", "end", "largest", "leads", "kind", "evidence"]
        parts.append(markup.small_table(head, [_row(each) for each in shown], numbers=(0, 1)))
        left = len(largest) - len(shown)
        parts += [markup.note(f"{left} more episodes in to_frame()")] if left else []
    parts += [markup.note(each) for each in found.notes]
    return str(markup.card(found.verdict, *parts))


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _row(each: Episode) -> list[object]:
    where = f"{' '.join(each.leads)} ({each.territory})" if each.territory != "unnamed" else " ".join(each.leads)
    largest = f"{each.measure} {each.extremum_uv:+.0f} uV in {each.extremum_lead}"
    return [_clock(each.onset_s), _clock(each.end_s), largest, where, each.kind, "; ".join(each.evidence)]


def _trend(found: Monitoring, episode: Episode | None) -> markup.Html:
    """The leads in which the largest episode was largest; without one the first that were measured."""
    time = found.trend.time_s
    if not len(time):
        return markup.Html()
    measure = _MEASURES[episode.measure] if episode is not None else "st_uv"
    values = np.asarray(found.deviation_uv(measure), dtype=float)
    leads = [lead for lead, row in zip(found.leads, values, strict=True) if np.isfinite(row).any()]
    if episode is not None:
        size = {lead: abs(part.extremum_uv) for lead, part in episode.by_lead.items()}
        leads = sorted((lead for lead in leads if lead in episode.leads), key=lambda lead: -size.get(lead, 0.0))
    groups = np.array_split(np.arange(len(time)), min(_POINTS, len(time)))
    panels = []
    for lead in leads[:_MOST_LEADS]:
        row = values[found.leads.index(lead)]
        # of each stretch what is furthest from nothing, so that no attack is lost
        picked = [int(each[np.nan_to_num(np.abs(row[each])).argmax()]) for each in groups]
        curve = (time[picked].tolist(), [float(row[at]) for at in picked])
        panels.append((lead, False, [curve]))
    name = measure.partition("_")[0].upper()
    words = f"{name} against its reference in {', '.join(leads[:_MOST_LEADS])}, over {_clock(found.duration_s)} (h:mm:ss)"
    return (
        markup.joined([markup.small_multiples(panels, columns=1, wide=620.0, high=70.0), markup.note(words)])
        if panels
        else markup.Html()
    )
