"""What every page has: head, paper with its grid, rhythm strips, foot."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgspasm.ecg import Ecg, Floats, Subject
from ecgspasm.plot import paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRIP_MS = 10_000.0
STRIP_X = paper.LEFT_MM + 25.0
"""Where a rhythm strip begins; label and calibration stand before it."""
FOOT = "research use only; not a medical device; 25 mm/s, 10 mm/mV"

_EDGE_MM, _FOOT_MM, _SWATCH_MM = 5.0, 7.0, 12.0


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
    """Ten seconds of one lead."""

    lead: str
    name: str
    note: str
    time_ms: Floats
    signal_uv: Floats
    style: Mapping[str, Any]

    @property
    def reach(self) -> tuple[float, float]:
        """Space that it needs above and below its zero line, in mm."""
        up, down = paper.reach(self.signal_uv)
        return max(up, float(paper.y_mm(1000.0))), max(down, 5.0)

    def draw(self, axes: Axes, zero: float) -> None:
        """Label, calibration pulse and curve."""
        left = paper.LEFT_MM
        paper.text(axes, left + 1.0, zero + 5.0, self.lead, fontsize=9, weight="bold")
        paper.text(axes, left + 1.0, zero + 2.0, self.name, fontsize=6.5)
        if self.note:
            paper.text(axes, left + 1.0, zero - 3.5, self.note, fontsize=5.5, color=paper.GREY)
        paper.calibration(axes, left + 15.5, zero)
        paper.trace(axes, STRIP_X, zero, self.time_ms, self.signal_uv, gid=f"strip-{self.lead}-{self.name}", **self.style)


def strip(lead: str, name: str, signal_uv: Floats, fs: float, style: Mapping[str, Any]) -> Strip:
    """The first ten seconds of a lead, zeroed at its median."""
    duration_s = len(signal_uv) / fs
    part = signal_uv[: int(np.floor(STRIP_MS * fs / 1000.0))]
    part = part - (np.nanmedian(part) if np.isfinite(part).any() else 0.0)
    notes = [f"first 10 of {duration_s:.0f} s"] if duration_s > STRIP_MS / 1000.0 + 0.5 else []
    notes += [f"over {paper.LARGEST_MV:g} mV left out"] if paper.cut(part) else []
    return Strip(lead, name, "; ".join(notes), np.arange(len(part)) * 1000.0 / fs, part, style)


def rhythm_lead(leads: Sequence[str], good: Sequence[bool]) -> str:
    """The lead for the rhythm strip: II, else V1, else the first; a usable one if there is one."""
    usable = [lead for lead, fine in zip(leads, good, strict=True) if fine] or list(leads)
    return next((lead for lead in ("II", "V1") if lead in usable), usable[0])


def wrapped(words: str, fontsize: float, *, weight: str = "normal", most: int = 5) -> list[Line]:
    """A text as lines as wide as the paper."""
    return [Line(part, fontsize, weight) for part in paper.wrap(words, paper.PAPER_MM, fontsize, weight=weight, most=most)]


def sheet(head: Sequence[Line], paper_height: float, axes: Axes | None, foot: str = "") -> tuple[Figure, Axes, float]:
    """Page with its head, grid and foot; also returns the height of the paper's upper edge."""
    head_mm = sum(line.height_mm for line in head)
    # whole millimetres, so that the grid falls on whole pixels
    figure, axes = paper.page(float(np.ceil(_EDGE_MM + head_mm + 2.0)) + paper_height + _FOOT_MM, axes)
    y = axes.get_ylim()[1] - _EDGE_MM
    for line in head:
        y -= line.height_mm
        _draw_line(axes, line, y)
    paper.grid(axes, paper.LEFT_MM, _FOOT_MM, paper.PAPER_MM, paper_height)
    paper.text(axes, paper.LEFT_MM, _FOOT_MM - 4.0, FOOT, fontsize=6.5, color=paper.GREY)
    if foot:
        right = paper.LEFT_MM + paper.PAPER_MM
        foot = paper.shorten(foot, paper.PAPER_MM - paper.width_mm(FOOT, 6.5) - 5.0, 6.5)
        paper.text(axes, right, _FOOT_MM - 4.0, foot, fontsize=6.5, color=paper.GREY, ha="right")
    return figure, axes, _FOOT_MM + paper_height


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


def when(ecg: Ecg) -> str:
    """Date and time of a recording, or nothing."""
    return ecg.recorded_at.isoformat(sep=" ", timespec="minutes") if ecg.recorded_at else ""
