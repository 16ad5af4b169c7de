"""The standard 12-lead page of one recording: A4, in true millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ecgspasm.ecg import Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.leads import STANDARD
from ecgspasm.plot import paper, sheet
from ecgspasm.plot.layout import CABRERA_12, fit, recorded, rows
from ecgspasm.plot.settings import settings
from ecgspasm.plot.sheet import CURVE_X, FOOT_MM, Line, Strip
from ecgspasm.stamp import USE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Layout = Literal["3x4+rhythm", "6x2", "12x1"]
Order = Literal["standard", "cabrera"]
Grid = Literal["red", "grey"]

DEEP = {"3x4+rhythm": 3, "6x2": 6, "12x1": 12}
"""How many leads stand below each other in each layout."""
ORDERS = {"standard": STANDARD, "cabrera": CABRERA_12}

HEIGHT_MM = 175.0
"""Of the paper: what A4 leaves beside the foot, a title, a line about the recording and two of notes."""
_CURVE = {"color": paper.INK, "linewidth": 0.8}
_LABEL_SIZE, _SMALL_SIZE = 8.0, 6.0
_BESIDE_MS = 350.0
"""A label above a curve is as long as so much of it, at 25 mm/s."""
_WANDER_UV = 300.0
"""A lead that has wandered farther in a column is drawn on the line of its row all the same."""
_SHORT_S = 0.1
"""A recording that is shorter than the page by less still counts as whole."""


def ecg(
    ecg: Ecg,
    *,
    layout: Layout = "3x4+rhythm",
    order: Order = "standard",
    speed_mm_s: float = 25.0,
    gain_mm_mv: float = 10.0,
    grid: Grid = "red",
    start_s: float = 0.0,
    axes: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Draw a recording as it comes, as a page of A4 on which every millimetre is one.

    Parameters
    ----------
    ecg : Ecg
        Each lead is drawn less its median (in a column from which that is more than 0.3 mV away, less the median there), and not
        filtered; missing samples are gaps. Leads that are missing, gaps, and what is left out are named above the paper.
    layout : {'3x4+rhythm', '6x2', '12x1'}
        Rows and columns. Columns follow each other in time, 2.5 s each of a ``3x4`` at 25 mm/s; of a recording that is shorter
        than the page they all show the beginning. With leads for one or two columns only, these are as much wider. The rhythm
        strip below shows II or, without it, V1.
    order : {'standard', 'cabrera'}
        Of the limb leads: I II III aVR aVL aVF, or aVL I -aVR II aVF III, with aVR turned.
    speed_mm_s : {12.5, 25, 50}
        250 mm are 20, 10 or 5 s.
    gain_mm_mv : {5, 10, 20}
        Rows that have too little room stand evenly, and their curves may cross.
    grid : {'red', 'grey'}
    start_s : float
        Where in the recording the page begins.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on; default: a new figure of 297 x 210 mm (A4 landscape).

    Returns
    -------
    figure, axes
        The axes' data units are millimetres. Artists carry ids such as ``lead-V2``, ``lead--aVR``, ``strip-II-rhythm``,
        ``calibration``, ``separator-V2``.

    Raises
    ------
    EcgError
        If a setting is not one of these, or `start_s` lies outside the recording.
    """
    if not isinstance(ecg, Ecg):
        raise EcgError(f"this is a {type(ecg).__name__}, not an Ecg; give what ecgspasm.read(path) returns")
    view = _view(ecg, layout, order, paper.chosen(speed_mm_s, gain_mm_mv), start_s)
    figure, axes = paper.page(settings("page")["a4_mm"][1], axes)
    paper.grid(axes, paper.LEFT_MM, FOOT_MM, paper.PAPER_MM, HEIGHT_MM, grid)
    up, down = view.extents()
    zeros = [FOOT_MM + HEIGHT_MM - below for below in fit(up, down, HEIGHT_MM)]
    _pulses(axes, zeros, view)
    off = [name for name, is_off in _curves(axes, zeros, view) if is_off]
    sheet.draw_head(axes, list(_head(view, off)))
    sheet.draw_foot(axes, f"{USE}; {view.scale}", sheet.version())
    return figure, axes


@dataclass(frozen=True, eq=False)
class _View:
    """What of a recording goes where on the page."""

    ecg: Ecg
    scale: paper.Scale
    places: list[tuple[str | None, ...]]
    columns: int
    start_s: float
    rhythm: Strip | None

    @property
    def stop_s(self) -> float:
        """Where the page ends, or the recording."""
        return min(self.start_s + self.scale.page_s, self.ecg.duration_s)

    @property
    def column_s(self) -> float:
        return self.scale.page_s / self.columns

    @property
    def is_whole(self) -> bool:
        """Whether the recording is as long as the page; else its columns cannot follow each other."""
        return self.stop_s - self.start_s >= self.scale.page_s - _SHORT_S

    def part(self, name: str, column: int) -> Floats:
        """What the column shows of a lead, zeroed at the median of what the page shows, or at its own if that is far off."""
        sign = -1.0 if name.startswith("-") else 1.0
        first = column * self.column_s if self.is_whole and self.columns > 1 else 0.0
        edges = [round(each * self.ecg.fs) for each in (first, first + self.column_s)]
        part = sign * sheet.zeroed(_shown(self.ecg, recorded(name), self.start_s, self.scale))[slice(*edges)]
        own = sheet.zeroed(part)
        wanders = np.isfinite(part).any() and abs(np.nanmedian(part)) > _WANDER_UV
        return own if wanders else part

    def label_mm(self, part: Floats) -> float:
        """How far above its zero line a lead has its name: above what the curve does there."""
        near = part[: round(_BESIDE_MS * self.ecg.fs / 1000.0 * 25.0 / self.scale.mm_per_s)]
        return max(paper.reach(near, self.scale)[0] + 1.5, 5.0)

    def extents(self) -> tuple[list[Floats], list[Floats]]:
        """How far each place of each row, the calibration pulse first, goes up and down from its zero line, in mm."""
        up, down = [], []
        wide, pulse = len(self.places[0]), min(float(self.scale.y_mm(1000.0)), 10.0)
        for row in self.places:
            parts = [np.empty(0) if name is None else self.part(name, column) for column, name in enumerate(row)]
            label = [self.label_mm(part) + 3.0 if self.columns > 1 and len(part) else 0.0 for part in parts]
            reach = [paper.reach(part, self.scale) for part in parts]
            up.append(np.array([pulse, *(max(high, above) for (high, _), above in zip(reach, label, strict=True))]))
            down.append(np.array([4.0, *(low for _, low in reach)]))
        if self.rhythm is not None:
            up.append(np.full(wide + 1, self.rhythm.reach[0]))
            down.append(np.full(wide + 1, self.rhythm.reach[1]))
        return up, down


def _view(ecg: Ecg, layout: str, order: str, scale: paper.Scale, start_s: float) -> _View:
    """The page as asked for, once its settings are checked."""
    for what, given, known in (("layout", layout, DEEP), ("order", order, ORDERS)):
        if given not in known:
            raise EcgError(f"no {what} {given!r}; give one of {', '.join(known)}")
    if not 0.0 <= start_s < ecg.duration_s:
        raise EcgError(f"start_s is {start_s!r}; this recording lasts {ecg.duration_s:g} s, give a beginning within it")
    places = rows(ecg.leads, ORDERS[order], DEEP[layout])
    used = 1 + max(column for row in places for column, name in enumerate(row) if name is not None)
    columns = next(each for each in (1, 2, 4) if each >= used)
    rhythm = None
    if layout.endswith("+rhythm"):
        shown = {lead: _shown(ecg, lead, start_s, scale) for lead in ecg.leads}
        there = [bool(np.isfinite(each).any() and np.ptp(each[np.isfinite(each)]) > 0) for each in shown.values()]
        lead = sheet.rhythm_lead(ecg.leads, there)
        signal = sheet.zeroed(shown[lead])
        rhythm = Strip(lead, "rhythm", "", np.arange(len(signal)) * 1000.0 / ecg.fs, signal, _CURVE, scale)
    return _View(ecg, scale, places, columns, float(start_s), rhythm)


def _shown(ecg: Ecg, lead: str, start_s: float, scale: paper.Scale) -> Floats:
    """What a page shows of a lead at most."""
    first = round(start_s * ecg.fs)
    return ecg[lead][first : first + int(np.floor(scale.page_s * ecg.fs))]


def _pulses(axes: Axes, zeros: list[float], view: _View) -> None:
    """The calibration pulse before each row that has room for it; the rhythm strip draws its own."""
    high = float(view.scale.y_mm(1000.0)) + 1.0
    top = FOOT_MM + HEIGHT_MM + 1.0
    own = zeros[len(view.places) :]
    roof = own[-1] + high if own else FOOT_MM
    for place in reversed(range(len(view.places))):
        if zeros[place] >= roof and zeros[place] + high <= top:
            paper.calibration(axes, CURVE_X - 0.5 - view.scale.pulse_mm, zeros[place], view.scale)
            roof = zeros[place] + high


def _curves(axes: Axes, zeros: list[float], view: _View) -> Iterator[tuple[str, bool]]:
    """Draw all leads; yields the name of each, and whether it runs off the paper."""
    within = (FOOT_MM, FOOT_MM + HEIGHT_MM)
    ceilings = [within[1], *zeros]
    for row, zero, ceiling in zip(view.places, zeros, ceilings, strict=False):
        for column, name in enumerate(row):
            if name is not None:
                part = view.part(name, column)
                x = CURVE_X + column * paper.CURVE_MM / view.columns
                style = {"gid": f"lead-{name}"} | _CURVE
                time_ms = np.arange(len(part)) * 1000.0 / view.ecg.fs
                yield name, paper.trace(axes, x, zero, time_ms, part, scale=view.scale, within=within, **style)
                _label(axes, view, name, part, x, zero, ceiling - 4.0)
                if column:
                    _separator(axes, x, zero, name)
    if view.rhythm is not None:
        yield "rhythm strip", view.rhythm.draw(axes, zeros[-1], within)


def _label(axes: Axes, view: _View, name: str, part: Floats, x: float, zero: float, highest: float) -> None:
    """Name of a lead: before a single column, else above the beginning of the curve, and below the row above."""
    more = ["derived"] if recorded(name) in view.ecg.derived else []
    more += [] if np.isfinite(part).any() else ["no signal"]
    shown = _printed(name)
    if view.columns == 1:
        paper.text(axes, paper.LEFT_MM + 1.0, zero + 1.0, shown, fontsize=_LABEL_SIZE, weight="bold")
        if more:
            paper.text(axes, paper.LEFT_MM + 1.0, zero - 2.0, ", ".join(more), fontsize=5.0, color=paper.GREY)
        return
    y = max(min(zero + view.label_mm(part), highest), zero + 0.5)
    paper.text(axes, x + 1.0, y, shown, fontsize=_LABEL_SIZE, weight="bold")
    if more:
        # so far off that a reader of the page does not take it for a part of the name
        beside = x + 6.0 + paper.width_mm(shown, _LABEL_SIZE, "bold")
        paper.text(axes, beside, y, ", ".join(more), fontsize=_SMALL_SIZE, color=paper.GREY)


def _printed(name: str) -> str:
    """The name with a minus as print has it."""
    return name.replace("-", "−")


def _separator(axes: Axes, x: float, zero: float, name: str) -> None:
    """Where one lead ends and the next begins: a mark above and below the curves."""
    gap, end = np.nan, 4.0
    up = zero + np.array([-end, -2.0, gap, 2.0, end])
    axes.plot(np.full(len(up), x), up, color=paper.INK, linewidth=0.7, zorder=3, gid=f"separator-{name}")


def _head(view: _View, off: list[str]) -> Iterator[Line]:
    """What it is, how it is shown, and what is missing."""
    ecg = view.ecg
    yield from sheet.wrapped(sheet.source_name(ecg.source, 200.0, 11.0) or "ECG", 11.0, weight="bold", most=1)
    span = f"{view.start_s:g} to {view.stop_s:.4g} s"
    about = [sheet.person(ecg.subject), sheet.when(ecg), f"{ecg.duration_s:.4g} s at {ecg.fs:g} Hz"]
    if view.start_s or ecg.duration_s > view.scale.page_s + _SHORT_S:
        about.append(f"shown: {span}")
    if view.columns > 1 and view.is_whole:
        about.append(f"columns follow each other in time, {view.column_s:g} s each")
    elif view.columns > 1:
        shown = min(view.column_s, view.stop_s - view.start_s)
        about.append(f"less than the {view.scale.page_s:g} s of a page: every column shows the first {shown:.3g} s")
    yield Line(" · ".join(filter(None, about)))
    notes = " · ".join(_notes(view, off))
    if notes:
        yield from sheet.wrapped(notes, 7.5, most=2)


def _notes(view: _View, off: list[str]) -> Iterator[str]:
    """What is missing, and what is not drawn."""
    ecg = view.ecg
    absent = [lead for lead in STANDARD if lead not in ecg.leads]
    if absent and len(absent) < len(STANDARD):
        yield f"not recorded: {', '.join(absent)}"
    named = [(name, column) for row in view.places for column, name in enumerate(row) if name is not None]
    pieces = {_printed(name): view.part(name, column) for name, column in named}
    if view.rhythm is not None:
        pieces["rhythm strip"] = view.rhythm.signal_uv
    empty = [name for name, part in pieces.items() if not np.isfinite(part).any()]
    if empty:
        yield f"no signal: {', '.join(empty)}"
    gaps = {name: float(np.isnan(part).sum()) / ecg.fs for name, part in pieces.items() if name not in empty}
    told = [f"{name} {length:.2g} s" for name, length in gaps.items() if length > 0.0]
    if told:
        yield f"gaps: {', '.join(told)}"
    cut = [name for name, part in pieces.items() if paper.cut(part)]
    if cut:
        yield f"over {paper.LARGEST_MV:g} mV left out: {', '.join(cut)}"
    if off:
        yield f"running off the paper: {', '.join(map(_printed, off))}"
