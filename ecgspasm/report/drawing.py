"""ECG paper as inline SVG: true millimetres, 25 mm/s and 10 mm/mV, one panel a lead.

The unit of every drawing is the millimetre; zero is the QRS onset (or the fiducial) and the PR level, and up is negative, as SVG
has it. How things look stands in ``page.css``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.leads import STANDARD
from ecgspasm.markup import Html, tag
from ecgspasm.masks import true_spans

MM_PER_MS, MM_PER_UV = 0.025, 0.01
LARGEST_UV = 5000.0
"""Larger deflections are artefacts; they are not drawn, so that one of them cannot make the page a metre high."""
DOTS_MS = {"st_j_uv": 0.0, "st_j60_uv": 60.0}
"""The levels that are marked, and where they lie from J."""

_LEAST_UP, _LEAST_DOWN = 10.0, 5.0
_ROOM = 1.5


@dataclass(frozen=True)
class Arrow:
    """Where an arrow's tip is, in mm from the QRS onset and the zero line (up positive), and whether it comes from above."""

    x: float
    y: float
    down: bool


@dataclass(frozen=True)
class Window:
    """What a panel shows, in whole multiples of 5 mm from its origin."""

    left: int
    right: int
    up: int
    down: int

    @property
    def box(self) -> str:
        """As SVG writes it."""
        return f"{-self.left} {-self.up} {self.left + self.right} {self.up + self.down}"

    @property
    def paper(self) -> str:
        """The id of its grid; equal windows share one."""
        return f"paper-{self.left}-{self.right}-{self.up}-{self.down}"


@dataclass(frozen=True, eq=False)
class Panel:
    """One lead, ready to be drawn."""

    lead: str
    spoken: str
    """All that it shows in words, for whoever does not see it."""
    reason: str = ""
    """Empty, or why there is nothing to draw."""
    time_ms: Floats | None = None
    curves: Mapping[str, Floats] | None = None
    """``baseline`` and ``current``."""
    j_ms: float | None = None
    t_end_ms: float | None = None
    dots: Mapping[str, Mapping[str, float]] | None = None
    """Measured level in uV by curve and measure."""
    arrows: tuple[Arrow, ...] = ()
    small: str = ""
    marked: bool = False
    """Whether a finding is met in the lead."""

    @property
    def reach(self) -> tuple[float, float]:
        """Space needed above and below the zero line, in mm."""
        if self.curves is None:
            return _LEAST_UP, _LEAST_DOWN
        up = [_LEAST_UP, *(arrow.y + 6.0 for arrow in self.arrows if arrow.down)]
        down = [_LEAST_DOWN, *(6.0 - arrow.y for arrow in self.arrows if not arrow.down)]
        for curve in self.curves.values():
            shown = curve[np.abs(curve) <= LARGEST_UV] * MM_PER_UV
            if shown.size:
                up.append(float(shown.max()))
                down.append(-float(shown.min()))
        return max(up), max(down)


def window(panels: Iterable[Panel]) -> Window:
    """The window that holds all panels, so that all have one scale."""
    panels = list(panels)
    drawn = [each for each in panels if each.time_ms is not None and len(each.time_ms)]
    first = min((float(each.time_ms[0]) for each in drawn if each.time_ms is not None), default=-360.0)
    last = max((float(each.time_ms[-1]) for each in drawn if each.time_ms is not None), default=700.0)
    reach = [each.reach for each in panels] or [(_LEAST_UP, _LEAST_DOWN)]
    return Window(
        left=_ceil5(-first * MM_PER_MS),
        right=_ceil5(last * MM_PER_MS),
        up=_ceil5(max(up for up, _ in reach) + _ROOM),
        down=_ceil5(max(down for _, down in reach) + _ROOM),
    )


def _ceil5(length_mm: float) -> int:
    return max(int(np.ceil(round(length_mm / 5.0, 6))) * 5, 5)


def path(time_ms: Floats, signal_uv: Floats, *, every: int = 1) -> str:
    """The data of a path in hundredths of a millimetre, broken where a value is missing or too large."""
    time_ms, signal_uv = time_ms[::every], signal_uv[::every]
    x = np.round(time_ms * MM_PER_MS * 100.0)
    there = np.isfinite(signal_uv) & (np.abs(np.nan_to_num(signal_uv)) <= LARGEST_UV)
    y = np.round(np.where(there, -signal_uv, 0.0) * MM_PER_UV * 100.0)
    parts = []
    for start, stop in true_spans(there):
        across, up = x[start:stop].astype(int), y[start:stop].astype(int)
        steps = zip(np.diff(across).tolist(), np.diff(up).tolist(), strict=True)
        # a minus needs no blank before it
        line = " ".join(f"{dx}{dy}" if dy < 0 else f"{dx} {dy}" for dx, dy in steps)
        parts.append(f"M{across[0]} {up[0]}" + (f"l{line}" if line else "h1"))
    return "".join(parts)


def curve(time_ms: Floats, signal_uv: Floats, name: str, *, every: int = 1) -> Html:
    """A curve of a class."""
    return tag("path", class_=f"curve {name}", transform="scale(.01)", d=path(time_ms, signal_uv, every=every))


def papers(windows: Iterable[Window]) -> Html:
    """The grids of some windows, once for the page: lines each millimetre, heavier ones each fifth."""
    grids = []
    for each in dict.fromkeys(windows):
        wide, high = each.left + each.right, each.up + each.down
        lines = {}
        for heavy in (False, True):
            across = "".join(f"M{x - each.left} {-each.up}v{high}" for x in range(wide + 1) if (x % 5 == 0) == heavy)
            lines[heavy] = across + "".join(
                f"M{-each.left} {y - each.up}h{wide}" for y in range(high + 1) if (y % 5 == 0) == heavy
            )
        grids.append(
            tag(
                "g",
                tag("rect", class_="sheet", x=-each.left, y=-each.up, width=wide, height=high),
                tag("path", class_="fine", d=lines[False]),
                tag("path", class_="heavy", d=lines[True]),
                id=each.paper,
            )
        )
    return tag("svg", tag("defs", *grids), class_="defs", width=0, height=0, aria_hidden="true")


def drawn(panel: Panel, within: Window, *, every: int = 1) -> Html:
    """One panel: its label, and its drawing or why there is none."""
    label = tag("p", tag("b", panel.lead), " ", tag("span", panel.small, class_="small"), class_="label")
    classes = "lead marked" if panel.marked else "lead"
    if panel.curves is None or panel.time_ms is None:
        svg = tag("svg", tag("use", href=f"#{within.paper}"), class_="beat", viewBox=within.box, aria_hidden="true")
        return tag(
            "div",
            label,
            tag("div", svg, tag("p", panel.reason, class_="why"), class_="empty"),
            class_=classes,
            data_lead=panel.lead,
        )
    baseline, current = panel.curves["baseline"], panel.curves["current"]
    parts = [tag("use", href=f"#{within.paper}"), tag("path", class_="zero", d=f"M{-within.left} 0H{within.right}")]
    if panel.arrows and panel.j_ms is not None and panel.t_end_ms is not None:
        parts.append(_shade(panel.time_ms, baseline, current, (panel.j_ms, panel.t_end_ms), every))
    parts += [
        curve(panel.time_ms, current, "current", every=every),
        curve(panel.time_ms, baseline, "baseline", every=every),
        curve(panel.time_ms, current - baseline, "difference", every=every),
        _marks(panel, within),
        *(_arrow(each) for each in panel.arrows),
    ]
    svg = tag("svg", *parts, class_="beat", viewBox=within.box, role="img", aria_label=panel.spoken)
    return tag("div", label, svg, class_=classes, data_lead=panel.lead)


def leads(panels: Sequence[Panel], within: Window, *, every: int = 1, first: str | None = None) -> Html:
    """All panels of an overlay; `papers` gives their grid, once for the page. `first` is the lead whose numbers are shown."""
    usual = sum(each.lead in STANDARD for each in panels) or len(panels)
    cells = [drawn(each, within, every=every) for each in panels]
    # The twelve leads stand in the clinician's columns, any others in rows of their own below.
    grids = [tag("div", *cells[:usual], class_=f"grid rows-{min(-(-usual // 4), 6)}")]
    grids += [tag("div", *cells[usual:], class_="grid rows-1")] if cells[usual:] else []
    classes = f"leads mm-{within.left + within.right}"
    return tag("div", *grids, class_=classes, data_box=within.box, data_first=first)


def _shade(time_ms: Floats, baseline: Floats, current: Floats, span: tuple[float, float], every: int) -> Html:
    """What lies between both curves from J to the end of T."""
    inside = (time_ms >= span[0]) & (time_ms <= span[1])
    inside &= (np.abs(baseline) <= LARGEST_UV) & (np.abs(current) <= LARGEST_UV)
    if not inside.any():
        return tag("g")
    there = time_ms[inside][:: 2 * every]
    across = np.concatenate([there, there[::-1]])
    up = np.concatenate([baseline[inside][:: 2 * every], current[inside][:: 2 * every][::-1]])
    return tag("path", class_="shade", transform="scale(.01)", d=path(across, up) + "z")


def _marks(panel: Panel, within: Window) -> Html:
    """J and the measured levels."""
    if panel.j_ms is None:
        return tag("g")
    x = panel.j_ms * MM_PER_MS
    dots: list[Html] = []
    # The small ring of the baseline lies on the large dot of the current ECG, so that both are seen where they are the same. Dots
    # are lines of no length with round ends, which stay as large as they are at any size of the drawing.
    for name, parts in (("current", ("outer",)), ("baseline", ("outer", "inner"))):
        for measure, level in (panel.dots or {}).get(name, {}).items():
            if np.isfinite(level):
                at = f"translate({x + DOTS_MS[measure] * MM_PER_MS:.3f} {-level * MM_PER_UV:.3f})"
                points = (tag("path", class_=part, d="M0 0h0") for part in parts)
                dots.append(tag("g", *points, class_=f"dot {name} {measure}", transform=at))
    grip = tag("rect", class_="grip", x=f"{x - 1.2:.3f}", y=-within.up, width=2.4, height=within.up + within.down)
    line = tag("path", class_="j", d=f"M{x:.3f} {-within.up}V{within.down}")
    return tag("g", line, *dots, grip, class_="at-j")


def _arrow(arrow: Arrow) -> Html:
    """An arrow of 6 mm whose tip lies where something has changed."""
    x, y, sign = arrow.x, -arrow.y, -1.0 if arrow.down else 1.0
    points = ((0, 0), (1.1, 2.4), (0.3, 2.2), (0.3, 6.0), (-0.3, 6.0), (-0.3, 2.2), (-1.1, 2.4))
    told = " ".join(f"{x + across:.2f},{y + sign * away:.2f}" for across, away in points)
    return tag("polygon", class_="arrow", points=told)


def strip(time_ms: Floats, signal_uv: Floats, name: str, spoken: str) -> tuple[Html, Window]:
    """Ten seconds of one lead with the pulse of 1 mV before it, and the window whose grid it needs."""
    shown = signal_uv[np.isfinite(signal_uv) & (np.abs(np.nan_to_num(signal_uv)) <= LARGEST_UV)] * MM_PER_UV
    up, down = (float(shown.max()), -float(shown.min())) if shown.size else (10.0, 5.0)
    within = Window(10, 250, _ceil5(max(up, 10.0) + _ROOM), _ceil5(max(down, 3.0) + _ROOM))
    pulse = tag("path", class_="curve pulse", d="M-9 0h1.5v-10h5v10h1.5")
    parts = (tag("use", href=f"#{within.paper}"), pulse, curve(time_ms, signal_uv, name))
    return tag("svg", *parts, class_="strip-drawing", viewBox=within.box, role="img", aria_label=spoken), within
