"""A trend as inline SVG: one lane a lead, all of one scale, with what was found shaded and what was done marked.

It is there without script and in print; with script the page shows one that can be zoomed, from the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.markup import Html, tag, typeset
from ecgspasm.report import trends, words

WIDTH, GUTTER, RIGHT = 1000.0, 62.0, 6.0
LANE, GAP, AXIS, RATE = 44.0, 6.0, 24.0, 36.0
SPARSE = 60
"""So many rows at most are marked one by one: single ECGs, of which nobody knows what was between them."""
_GROUPS = 480
"""So many pairs of least and largest value across the width: about a pair every two pixels."""
_TICKS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_BAR, _BARS = 15.0, 3
_SIGN = 6.6


@dataclass(frozen=True)
class Shade:
    """A stretch of time in some leads: by lead when it began, was largest and ended, in s, and how large it was."""

    label: str
    kind: str
    spans: dict[str, tuple[float, float, float, float]]

    @property
    def start_s(self) -> float:
        """Of the earliest lead."""
        return min(each[0] for each in self.spans.values())

    @property
    def end_s(self) -> float:
        """Of the latest lead."""
        return max(each[2] for each in self.spans.values())


@dataclass(frozen=True, eq=False)
class Lanes:
    """What is to be drawn."""

    time_s: Floats
    leads: tuple[str, ...]
    values: Floats
    """Shape (lead, row), uV; ``nan`` where not measured."""
    rate_bpm: Floats
    start_s: float
    stop_s: float
    limits: tuple[float, ...] = ()
    """Levels that are drawn across every lane."""
    shades: tuple[Shade, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    """Times with a sign each."""

    @property
    def reach(self) -> tuple[float, float]:
        """How far the lanes go up and down, in uV: all but the rarest values, and every extremum that is shaded."""
        known = self.values[np.isfinite(self.values)]
        low, high = np.quantile(known, [0.0005, 0.9995]) if known.size else (0.0, 0.0)
        peaks = [span[3] for shade in self.shades if shade.kind != "artefact" for span in shade.spans.values()]
        most = [100.0, *(abs(limit) for limit in self.limits)]
        up, down = max(1.15 * max(most), high, *peaks, 0.0), max(1.15 * max(most), -low, *(-peak for peak in peaks), 0.0)
        return 1.06 * float(up), 1.06 * float(down)


def x_of(lanes: Lanes, at_s: float) -> float:
    """Where a time lies."""
    span = max(lanes.stop_s - lanes.start_s, 1e-9)
    share = (at_s - lanes.start_s) / span
    return GUTTER + float(np.clip(share, 0.0, 1.0)) * (WIDTH - GUTTER - RIGHT)


def drawn(lanes: Lanes, spoken: str) -> Html:
    """The whole drawing."""
    up, down = lanes.reach
    bars, rows = _bars(lanes)
    head = 4.0 + rows * _BAR + (18.0 if lanes.marks else 0.0)
    scale = LANE / (up + down)
    parts = [*bars]
    y = head
    bottom = head + len(lanes.leads) * (LANE + GAP) + RATE
    parts += _ticks(lanes, head, bottom)
    for row, lead in enumerate(lanes.leads):
        parts.append(_lane(lanes, row, lead, y, (up, down), scale))
        y += LANE + GAP
    parts.append(_rate(lanes, y))
    parts += _marks(lanes, head, bottom)
    box = f"0 0 {WIDTH:g} {bottom + AXIS:g}"
    return tag("svg", *parts, class_="lanes", viewBox=box, role="img", aria_label=spoken)


def thinned(time_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Rows of points: the least and the largest value of each group, shape (lead, point)."""
    merged = max(int(np.ceil(len(time_s) / _GROUPS)), 1)
    if merged <= 2:
        return time_s, values
    return trends.two_times(time_s, merged), trends.extremes(values, merged)


def _lane(lanes: Lanes, row: int, lead: str, top: float, reach: tuple[float, float], scale: float) -> Html:
    up, down = reach
    zero = top + up * scale
    parts: list[Html] = [tag("rect", class_="lane", x=GUTTER, y=f"{top:.1f}", width=WIDTH - GUTTER - RIGHT, height=LANE)]
    for shade in lanes.shades:
        span = shade.spans.get(lead)
        if span is not None:
            x, right = x_of(lanes, span[0]), x_of(lanes, span[2])
            wide = f"{max(right - x, 1.2):.1f}"
            parts.append(tag("rect", class_=f"shade {_class(shade.kind)}", x=f"{x:.1f}", y=f"{top:.1f}", width=wide, height=LANE))
    for level in (0.0, *lanes.limits):
        at = zero - level * scale
        parts.append(tag("path", class_="limit" if level else "zero", d=f"M{GUTTER} {at:.1f}H{WIDTH - RIGHT}"))
    time, values = thinned(lanes.time_s, lanes.values[row : row + 1])
    shown = np.clip(values[0], -down, up)
    parts.append(tag("path", class_="trend", d=_line(lanes, time, zero - shown * scale)))
    if len(time) <= SPARSE:
        levels = zip(time.tolist(), (zero - shown * scale).tolist(), strict=True)
        parts += [tag("circle", class_="single", cx=f"{x_of(lanes, t):.1f}", cy=f"{y:.1f}", r=2) for t, y in levels if y == y]
    for shade in lanes.shades:
        span = shade.spans.get(lead)
        if span is not None:
            at = zero - float(np.clip(span[3], -down, up)) * scale
            parts.append(tag("circle", class_="extremum", cx=f"{x_of(lanes, span[1]):.1f}", cy=f"{at:.1f}", r=2.6))
    parts.append(tag("text", lead, class_="name", x=4, y=f"{top + LANE / 2 + 5:.1f}"))
    for level, at in ((up, top + 9.0), (-down, top + LANE - 1.0)):
        parts.append(tag("text", words.uv(level), class_="scale", x=GUTTER - 4, y=f"{at:.1f}", text_anchor="end"))
    return tag("g", *parts)


def _line(lanes: Lanes, time: Floats, y: Floats) -> str:
    """A line in tenths of a pixel, broken at gaps; a lone value is a dash."""
    parts, pen, last = [], "M", ""
    for at, up in zip(time.tolist(), y.tolist(), strict=True):
        if up != up:
            if pen == "L" and last:
                parts.append("h1")
            pen, last = "M", ""
            continue
        last = f"{pen}{x_of(lanes, at):.1f} {up:.1f}"
        parts.append(last)
        last, pen = (last, "L") if pen == "M" else ("", "L")
    return "".join(parts)


def _class(kind: str) -> str:
    return kind.replace("/", "-").replace(" ", "-")


def _bars(lanes: Lanes) -> tuple[list[Html], int]:
    """A bar with its label for each shade, in up to three rows; where there is no room the table alone tells of it."""
    taken: list[tuple[int, float, float]] = []
    parts = []
    largest = sorted(lanes.shades, key=lambda each: -max(abs(span[3]) for span in each.spans.values()))
    for shade in largest:
        low = x_of(lanes, shade.start_s)
        high = max(x_of(lanes, shade.end_s), low + 2.0)
        wide = _SIGN * len(shade.label) + 3.0
        words_at = high + 2.0 if high + wide < WIDTH else low - wide
        left, right = min(low, words_at), max(high, words_at + wide)
        for row in range(_BARS):
            if all(other != row or right + 2.0 < start or left > stop + 2.0 for other, start, stop in taken):
                taken.append((row, left, right))
                y = 2.0 + row * _BAR
                at = {"x": f"{low:.1f}", "y": y + 3.0, "width": f"{high - low:.1f}", "height": 7.0}
                parts.append(tag("rect", class_=f"bar {_class(shade.kind)}", **at))
                parts.append(tag("text", shade.label, class_="bar-name", x=f"{words_at:.1f}", y=y + 10.5))
                break
    return parts, max((row + 1 for row, _, _ in taken), default=0)


def _ticks(lanes: Lanes, head: float, bottom: float) -> list[Html]:
    span = max(lanes.stop_s - lanes.start_s, 1.0)
    step = next((each for each in _TICKS_S if span / each <= 12.0), 86400 * int(np.ceil(span / 86400 / 12)))
    parts = []
    for at in np.arange(np.ceil(lanes.start_s / step) * step, lanes.stop_s + 1e-6, step).tolist():
        x = x_of(lanes, at)
        parts.append(tag("path", class_="tick", d=f"M{x:.1f} {head:.1f}V{bottom + 4:.1f}"))
        anchor = "end" if x > WIDTH - 24.0 else "middle"
        parts.append(tag("text", words.clock(at), class_="scale", x=f"{x:.1f}", y=f"{bottom + 16:.1f}", text_anchor=anchor))
    return parts


def _rate(lanes: Lanes, top: float) -> Html:
    """The heart rate below all leads."""
    known = lanes.rate_bpm[np.isfinite(lanes.rate_bpm)]
    low, high = (float(known.min()), float(known.max())) if known.size else (60.0, 80.0)
    low, high = np.floor(low / 10.0) * 10.0, max(np.ceil(high / 10.0), np.floor(low / 10.0) + 1.0) * 10.0
    height = RATE - 8.0
    time, values = thinned(lanes.time_s, lanes.rate_bpm[None])
    y = top + height - (values[0] - low) / (high - low) * height
    parts = [
        tag("rect", class_="lane", x=GUTTER, y=f"{top:.1f}", width=WIDTH - GUTTER - RIGHT, height=height),
        tag("path", class_="trend rate", d=_line(lanes, time, y)),
        tag("text", "rate", class_="name", x=4, y=f"{top + height / 2 + 4:.1f}"),
        tag("text", f"{high:.0f}", class_="scale", x=GUTTER - 4, y=f"{top + 9:.1f}", text_anchor="end"),
        tag("text", f"{low:.0f}", class_="scale", x=GUTTER - 4, y=f"{top + height - 1:.1f}", text_anchor="end"),
    ]
    return tag("g", *parts)


def _marks(lanes: Lanes, head: float, bottom: float) -> list[Html]:
    """What was done, as lines across all lanes with a sign each; signs that would touch stand above each other's place."""
    parts = []
    free = -np.inf
    for at, sign in sorted(lanes.marks):
        x = x_of(lanes, at)
        label = max(x, free)
        free = label + _SIGN * len(sign) + 5.0
        parts.append(tag("path", class_="mark", d=f"M{x:.1f} {head - 2:.1f}V{bottom:.1f}"))
        parts.append(tag("text", typeset(sign), class_="mark-name", x=f"{label:.1f}", y=f"{head - 6:.1f}", text_anchor="middle"))
    return parts
