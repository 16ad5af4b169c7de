"""What every page has: head, paper with its grid, rhythm strips, foot."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.ecg import Ecg, Floats, Subject
from ecgspasm.plot import paper
from ecgspasm.stamp import USE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE_X = paper.LEFT_MM + paper.PAPER_MM - paper.CURVE_MM
"""Where curves begin; label and calibration stand before them."""

FOOT = f"{USE}; {paper.STANDARD}"

EDGE_MM, FOOT_MM = 5.0, 7.0
"""Above the head, and below the paper."""
_SWATCH_MM = 12.0


@dataclass(frozen=True)
class Line:
    """One line above the paper, with a sample of a curve before it if it explains one."""

    words: str
    fontsize: float = 7.5
    weight: str = "normal"
    sample: Mapping[str, Any] | None = None

    @property
    def height_mm(self) -> float:
        """With the space to the next line."""
        return self.fontsize * paper.MM_PER_POINT * 1.45


@dataclass(frozen=True, eq=False)
class Strip:
    """As much of one lead as a page is wide: ten seconds at 25 mm/s."""

    lead: str
    name: str
    note: str
    time_ms: Floats
    signal_uv: Floats
    style: Mapping[str, Any]
    scale: paper.Scale = paper.STANDARD

    @property
    def reach(self) -> tuple[float, float]:
        """Space that it needs above and below its zero line, in mm."""
        up, down = paper.reach(self.signal_uv, self.scale)
        return max(up, float(self.scale.y_mm(1000.0))), max(down, 5.0)

    def draw(self, axes: Axes, zero: float, within: tuple[float, float] | None = None) -> bool:
        """Label, calibration pulse and curve; whether something of it lay beyond the heights `within`."""
        left = paper.LEFT_MM
        paper.text(axes, left + 1.0, zero + 5.0, self.lead, fontsize=9, weight="bold")
        paper.text(axes, left + 1.0, zero + 2.0, self.name, fontsize=6.5)
        if self.note:
            paper.text(axes, left + 1.0, zero - 3.5, self.note, fontsize=5.5, color=paper.GREY)
        paper.calibration(axes, CURVE_X - 0.5 - self.scale.pulse_mm, zero, self.scale)
        gid = f"strip-{self.lead}-{self.name}"
        return paper.trace(
            axes, CURVE_X, zero, self.time_ms, self.signal_uv, scale=self.scale, within=within, gid=gid, **self.style
        )


def strip(lead: str, name: str, signal_uv: Floats, fs: float, style: Mapping[str, Any]) -> Strip:
    """The first ten seconds of a lead, zeroed at its median."""
    duration_s, page_s = len(signal_uv) / fs, paper.STANDARD.page_s
    part = zeroed(signal_uv[: int(np.floor(page_s * fs))])
    notes = [f"first {page_s:g} of {duration_s:.0f} s"] if duration_s > page_s + 0.5 else []
    notes += [f"over {paper.LARGEST_MV:g} mV left out"] if paper.cut(part) else []
    return Strip(lead, name, "; ".join(notes), np.arange(len(part)) * 1000.0 / fs, part, style)


def zeroed(signal_uv: Floats) -> Floats:
    """A signal less its median, as far as it has one."""
    return signal_uv - (np.nanmedian(signal_uv) if np.isfinite(signal_uv).any() else 0.0)


def rhythm_lead(leads: Sequence[str], good: Sequence[bool]) -> str:
    """The lead for the rhythm strip: II, else V1, else the first; a usable one if there is one."""
    usable = [lead for lead, fine in zip(leads, good, strict=True) if fine] or list(leads)
    return next((lead for lead in ("II", "V1") if lead in usable), usable[0])


def wrapped(words: str, fontsize: float, *, weight: str = "normal", most: int = 5, wide_mm: float = paper.PAPER_MM) -> list[Line]:
    """A text as lines as wide as the paper."""
    return [Line(part, fontsize, weight) for part in paper.wrap(words, wide_mm, fontsize, weight=weight, most=most)]


def sheet(head: Sequence[Line], paper_height: float, axes: Axes | None, foot: str = "") -> tuple[Figure, Axes, float]:
    """Page with its head, grid and foot; also returns the height of the paper's upper edge."""
    head_mm = sum(line.height_mm for line in head)
    # whole millimetres, so that the grid falls on whole pixels
    figure, axes = paper.page(float(np.ceil(EDGE_MM + head_mm + 2.0)) + paper_height + FOOT_MM, axes)
    draw_head(axes, head)
    paper.grid(axes, paper.LEFT_MM, FOOT_MM, paper.PAPER_MM, paper_height)
    draw_foot(axes, FOOT, foot)
    return figure, axes, FOOT_MM + paper_height


def draw_head(axes: Axes, head: Sequence[Line]) -> None:
    """The lines above the paper, from the upper edge of the page."""
    y = axes.get_ylim()[1] - EDGE_MM
    for line in head:
        y -= line.height_mm
        _draw_line(axes, line, y)


def draw_foot(axes: Axes, words: str, right: str = "") -> None:
    """The line below the paper: `words` at its left end."""
    paper.text(axes, paper.LEFT_MM, FOOT_MM - 4.0, words, fontsize=6.5, color=paper.GREY)
    if right:
        right = paper.shorten(right, paper.PAPER_MM - paper.width_mm(words, 6.5) - 5.0, 6.5)
        end = paper.LEFT_MM + paper.PAPER_MM
        paper.text(axes, end, FOOT_MM - 4.0, right, fontsize=6.5, color=paper.GREY, ha="right")


def _draw_line(axes: Axes, line: Line, y: float) -> None:
    x, wide = paper.LEFT_MM, paper.PAPER_MM
    y += line.height_mm * 0.3
    if line.sample is not None:
        axes.plot([x, x + _SWATCH_MM - 2.0], [y + 0.9, y + 0.9], solid_capstyle="butt", **line.sample)
        x, wide = x + _SWATCH_MM, wide - _SWATCH_MM
    words = paper.shorten(line.words, wide, line.fontsize, weight=line.weight)
    paper.text(axes, x, y, words, fontsize=line.fontsize, weight=line.weight)


def source_name(source: str, wide_mm: float, fontsize: float = 7.5) -> str:
    """Folder and file of a path, where records of one person differ; notes after a ';' are left out."""
    name = "/".join(paper.plain(source.partition(";")[0]).replace("\\", "/").split("/")[-2:])
    if paper.width_mm(name, fontsize) <= wide_mm:
        return name
    while paper.width_mm("…" + name, fontsize) > wide_mm:
        name = name[max(1, len(name) // 20) :]
    return "…" + name


def typeset(words: str) -> str:
    """A printed line with the signs of print: an arrow, a minus and a micro that the console does without."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", words).replace(" -> ", " → ").replace(" uV", " µV")


def person(subject: Subject) -> str:
    """Sex and age, as far as they are known."""
    return ", ".join([*([subject.sex] if subject.sex else []), *([f"{subject.age:g} years"] if subject.age is not None else [])])


def version() -> str:
    """What drew it."""
    from ecgspasm import __version__

    return f"ecgspasm {__version__}"


def use() -> str:
    """What a picture is for, and what drew it."""
    return f"{USE} · {version()}"


def when(ecg: Ecg) -> str:
    """Date and time of a recording, or nothing."""
    return ecg.recorded_at.isoformat(sep=" ", timespec="minutes") if ecg.recorded_at else ""


_MEASURES = {
    "st_slope_uv_per_s": "slope of ST",
    "t_uv": "T (the larger lobe)",
    "t_net_uv": "T (both lobes together)",
    "t_positive_uv": "T (positive lobe)",
    "t_negative_uv": "T (negative lobe)",
    "qrs_area_uv_ms": "area of QRS",
    "t_area_uv_ms": "area of ST and T",
    "p_positive_uv": "P (positive lobe)",
    "p_negative_uv": "P (negative lobe)",
}


def measure_words(measure: str) -> tuple[str, str]:
    """Words and unit of a measure.

    Examples
    --------
    >>> measure_words("st_j60_uv"), measure_words("t_area_uv_ms")
    (('ST at J+60 ms', 'µV'), ('area of ST and T', 'µV·ms'))
    """
    unit = {"uv_ms": "µV·ms", "per_s": "µV/s"}.get(measure[-5:], "µV")
    if measure in _MEASURES:
        return _MEASURES[measure], unit
    after = re.fullmatch(r"st_j(\d*)_uv", measure)
    if after:
        return f"ST at J{f'+{after[1]} ms' if after[1] else ''}", unit
    return measure.partition("_")[0].upper(), unit
