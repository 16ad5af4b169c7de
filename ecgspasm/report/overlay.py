"""The overlay of a comparison: twelve panels with both median beats, and the rhythm strips."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ecgspasm.ecg import Analysis
from ecgspasm.markup import Html, tag, typeset
from ecgspasm.plot import cell
from ecgspasm.plot.sheet import rhythm_lead
from ecgspasm.report import drawing
from ecgspasm.report.drawing import Arrow, Panel, Window
from ecgspasm.serial.comparison import MET, Comparison

STRIP_S = 10.0
_SPOKEN = {"st_j_uv": "ST at J", "st_j60_uv": "ST at J+60", "t_uv": "T"}


def panels(change: Comparison) -> list[Panel]:
    """One panel a lead, in the usual order; those that only one of the two ECGs has say so."""
    found = []
    if change.aligned is not None:
        cells = {each.lead: each for each in cell.cells(change)}
        found = [_panel(change, row, cells[lead]) for row, lead in enumerate(change.leads)]
    return found


def _panel(change: Comparison, row: int, each: cell.Cell) -> Panel:
    if each.reason:
        return Panel(each.lead, f"{each.lead}: not measurable: {each.reason}", reason=typeset(f"not measurable: {each.reason}"))
    marked = any(found.verdict == MET and each.lead in found.leads for found in change.findings)
    return Panel(
        lead=each.lead,
        spoken=spoken(change, row),
        time_ms=each.time_ms,
        curves=each.curves,
        j_ms=each.j_ms,
        t_end_ms=each.t_end_ms,
        dots=each.dots,
        arrows=tuple(Arrow(arrow.x, arrow.y, arrow.down) for arrow in each.arrows),
        small=" · ".join(each.small).replace(" µV ·", " ·"),
        marked=marked,
    )


def spoken(change: Comparison, row: int) -> str:
    """The numbers of a lead in words."""
    parts = []
    for name, words in _SPOKEN.items():
        measured = change.changes.get(name)
        if measured is None or not np.isfinite(measured.difference[row]):
            parts.append(f"{words} absent")
            continue
        first, second, moved = (float(each[row]) for each in (measured.baseline, measured.current, measured.difference))
        parts.append(f"{words} {first:+.0f} -> {second:+.0f} uV, change {moved:+.0f}")
    return typeset(f"{change.leads[row]}: {'; '.join(parts)}")


def strips(change: Comparison) -> Iterator[tuple[Html, Window]]:
    """The first ten seconds of one lead of each ECG, the same lead."""
    pair = {"baseline": change.baseline, "current": change.current}
    known = {name: each for name, each in pair.items() if each is not None}
    if len(known) < 2:
        return
    good = [all(not each.quality[each.ecg.index(lead)] for each in known.values()) for lead in change.leads]
    lead = rhythm_lead(change.leads, good)
    for name, each in known.items():
        drawing_, within = _strip(each, lead, name)
        told = f"{lead}, {name}" + (
            f", first {STRIP_S:g} of {each.ecg.duration_s:.0f} s" if each.ecg.duration_s > STRIP_S + 0.5 else ""
        )
        yield tag("figure", tag("figcaption", told), tag("div", drawing_, class_="wide"), class_="strip"), within


def _strip(each: Analysis, lead: str, name: str) -> tuple[Html, Window]:
    row, fs = each.ecg.index(lead), each.ecg.fs
    raw = each.ecg.signal_uv[row]
    # An unusable lead is shown as it came; in a usable one the gaps that cleaning has filled are gaps again.
    signal = raw if each.quality[row] else np.where(np.isnan(raw), np.nan, each.clean_uv[row])
    part = signal[: int(np.floor(STRIP_S * fs))]
    part = part - (np.nanmedian(part) if np.isfinite(part).any() else 0.0)
    every = max(int(fs // 500.0), 1)
    time_ms = np.arange(len(part)) * 1000.0 / fs
    return drawing.strip(time_ms[::every], part[::every], name, f"rhythm strip of {lead}, {name} ECG")


def only_in_one(change: Comparison) -> dict[str, str]:
    """Leads that only one of the two ECGs has, with the words that say so."""
    if change.baseline is None or change.current is None:
        return {}
    first, second = set(change.baseline.ecg.leads), set(change.current.ecg.leads)
    return dict.fromkeys(sorted(first - second), "recorded only in the baseline") | dict.fromkeys(
        sorted(second - first), "recorded only in the current ECG"
    )


def overlay(change: Comparison, *, every: int = 2) -> tuple[Html, Window] | None:
    """The panels of a comparison, and the window whose grid they need; ``None`` where there are no beats to draw.

    The medians lie on a grid of 1 ms; `every` second of their points is drawn, which is a twentieth of a millimetre.
    """
    found = panels(change)
    if not found:
        return None
    within = drawing.window(found)
    return drawing.leads(found, within, every=every, first=_first(change)), within


def _first(change: Comparison) -> str | None:
    """The lead to begin with: where what is new has changed most."""
    met = [each for each in change.findings if each.verdict == MET]
    if not met:
        return None
    values = met[0].values
    return max(met[0].leads, key=lambda lead: abs(np.nan_to_num(values.get(lead, {}).get("change", 0.0))))
