"""Baseline and current ECG as overlaid median beats, lead by lead, as in Figure 1 of the case behind the project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ecgspasm.ecg import MEASURED, Analysis
from ecgspasm.errors import EcgError
from ecgspasm.plot import cell, layout, paper
from ecgspasm.plot.sheet import Line, Strip, person, rhythm_lead, sheet, source_name, strip, typeset, version, when, wrapped
from ecgspasm.serial.comparison import UNDECIDED, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KEY = (
    "○ ● measured ST at J and J+60 ms · ┆ common J · arrow, bold and shade (J to the end of T): changed · beside each beat: "
    "change of ST at J and of T · median beats, aligned at the QRS, zero at the PR level"
)
_MOST_REASONS = 4

# Thinner than in the overlay: nothing has to be told apart within a strip.
_STRIP_STYLE = {name: dict(cell.STYLE[name]) | {"linewidth": width} for name, width in (("baseline", 0.75), ("current", 1.0))}


def comparison(change: Comparison, *, axes: Axes | None = None) -> tuple[Figure, Axes]:
    """Draw what has changed: the aligned median beats of both ECGs over each other, and a rhythm strip of each.

    In leads that have changed by a finding, arrows show where, and ST and T are shaded between the two beats.

    Parameters
    ----------
    change : Comparison
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure of 297 mm width (A4 landscape), as high as the amplitudes need, in which every
        millimetre is one.

    Returns
    -------
    figure, axes
        The axes' data units are millimetres. Artists carry ids such as ``baseline-V2``, ``current-V2``, ``arrow-V2-T``,
        ``shade-V2``.
    """
    _pair(change)
    cells = {each.lead: each for each in cell.cells(change)} if change.aligned is not None else {}
    missing = _missing(change) if cells else {}
    places = layout.rows([*cells, *missing])
    strips = list(_strips(change))
    up, down = [], []
    for row in places:
        reach = [cells[lead].reach if lead in cells else cell.EMPTY_REACH if lead else (0.0, 0.0) for lead in row]
        up.append(np.array([10.0, *(high for high, _ in reach)]))
        down.append(np.array([3.0, *(low for _, low in reach)]))
    for each in strips:
        up.append(np.full(layout.COLUMNS + 1, each.reach[0]))
        down.append(np.full(layout.COLUMNS + 1, each.reach[1]))
    zeros, height = layout.stack(up, down)
    figure, axes, top = sheet(list(_head(change)), height, axes, _foot(change))
    for row, below in zip(places, zeros, strict=False):
        if cells.keys() & set(row):
            paper.calibration(axes, paper.LEFT_MM + 3.0, top - below)
        for column, lead in enumerate(row):
            x = paper.LEFT_MM + 15.0 + column * cell.WIDTH_MM
            if lead in cells:
                cells[lead].draw(axes, x, top - below)
            elif lead is not None:
                cell.say(axes, x, top - below, lead, missing[lead])
    for each, below in zip(strips, zeros[len(places) :], strict=True):
        each.draw(axes, top - below)
    return figure, axes


def _pair(change: Comparison) -> dict[str, Analysis]:
    """Both ECGs; there is nothing to draw where only measurements were compared."""
    if not isinstance(change, Comparison):
        raise EcgError(f"this is a {type(change).__name__}, not a comparison; give what compare() returns")
    if change.baseline is None or change.current is None:
        raise EcgError("there is no waveform to draw: measurements were compared; give two Ecg to compare()")
    return {"baseline": change.baseline, "current": change.current}


def _missing(change: Comparison) -> dict[str, str]:
    """Leads that only one of the two has, with the words that say so."""
    first, second = (set(each.ecg.leads) for each in _pair(change).values())
    return dict.fromkeys(first - second, "only in the baseline") | dict.fromkeys(second - first, "only in the current ECG")


def _strips(change: Comparison) -> Iterator[Strip]:
    pair = _pair(change)
    good = [all(not each.quality[each.ecg.index(lead)] for each in pair.values()) for lead in change.leads]
    lead = rhythm_lead(change.leads, good)
    for name, each in pair.items():
        row = each.ecg.index(lead)
        raw = each.ecg.signal_uv[row]
        # An unusable lead is shown as it came; in a usable one the gaps that cleaning has filled are gaps again.
        signal = raw if each.quality[row] else np.where(np.isnan(raw), np.nan, each.clean_uv[row])
        yield strip(lead, name, signal, each.ecg.fs, _STRIP_STYLE[name])


def _head(change: Comparison) -> Iterator[Line]:
    """Verdict, what the two curves are, and what else could explain a change."""
    yield from wrapped(typeset(change.verdict.partition("\n")[0]), 10.0, weight="bold")
    for name, each in _pair(change).items():
        yield Line(_legend(name, each), sample=cell.STYLE[name])
    if change.aligned is None:
        for words in _reasons(change):
            yield from wrapped(typeset(words), 7.5, most=2)
        return
    yield from wrapped(_KEY, 6.5, most=1)
    for words in change.confounders.values():
        if words not in change.verdict:
            yield from wrapped(typeset(f"Confounder: {words}"), 7.5, most=2)
    yield from _undecided(change)


def _undecided(change: Comparison) -> Iterator[Line]:
    """What could not be decided, one line a reason; it is often that of several criteria, or said by a confounder."""
    titles: dict[str, list[str]] = {}
    for each in change.findings:
        if each.verdict == UNDECIDED and each.kind == "new":
            titles.setdefault(each.reason, []).append(each.title)
    for reason, names in titles.items():
        if reason not in change.verdict and reason not in change.confounders.values():
            yield from wrapped(typeset(f"Undecided: {', '.join(names)}: {reason}"), 7.5, most=2)


def _legend(name: str, each: Analysis) -> str:
    found = each.measurements

    def shown(label: str, value: float, unit: str = " ms") -> str:
        return f"{label} {value:.0f}{unit}" if np.isfinite(value) else f"{label} –"

    numbers = [
        shown("rate", found.rate_bpm, "/min"),
        shown("PR", found.pr_ms),
        shown("QRS", found.qrs_ms),
        shown("QTc", found.qtc_ms),
        f"{found.n_beats} beats",
    ]
    return " · ".join(filter(None, (f"{name}: {source_name(each.ecg.source, 120.0)}", when(each.ecg), *numbers)))


def _reasons(change: Comparison) -> list[str]:
    """Why no beat is drawn, one line a reason."""
    by_reason: dict[str, list[str]] = {}
    for lead, state in zip(change.leads, change.state, strict=True):
        if state != MEASURED:
            by_reason.setdefault(state.removeprefix("not_measurable: "), []).append(lead)
    lines = [f"{', '.join(leads)}: not measurable: {reason}" for reason, leads in by_reason.items()]
    if len(lines) <= _MOST_REASONS:
        return lines
    rest = [lead for leads in list(by_reason.values())[_MOST_REASONS - 1 :] for lead in leads]
    return [*lines[: _MOST_REASONS - 1], f"{', '.join(rest)}: not measurable for reasons of their own"]


def _foot(change: Comparison) -> str:
    return " · ".join(filter(None, (person(_pair(change)["current"].ecg.subject), version())))
