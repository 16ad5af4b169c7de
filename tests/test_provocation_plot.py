"""The picture of a provocation test: every phase and mark is there, and no words lie on each other or off the sheet."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import ecgspasm as es
from ecgspasm.plot.provocation import provocation as draw
from ecgspasm.provoking import ProvocationTest, provocation

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"


@cache
def case() -> ProvocationTest:
    ecgs = [(at, es.read(CASE / f"{name}.hea")) for at, name in ((0, "baseline"), (180, "ergonovine"), (420, "nitroglycerin"))]
    return provocation(ecgs, [(60, "ergonovine 20 ug"), (240, "nitroglycerin")])


def named(axes: Axes) -> dict[str, Any]:
    return {str(each.get_gid()): each for each in (*axes.lines, *axes.patches, *axes.collections) if each.get_gid()}


def drawn(axis: Any) -> list[Any]:
    """Labels of the ticks within the limits."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def assert_readable(figure: Figure, panels: tuple[Axes, ...]) -> None:
    """No text on another, none off the sheet."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = list(figure.texts)
    for axes in panels:
        legend = axes.get_legend()
        texts += [*axes.texts, *drawn(axes.yaxis), axes.yaxis.label, *(legend.get_texts() if legend else ())]
    texts += [*drawn(panels[-1].xaxis), panels[-1].xaxis.label]
    boxes = [(each.get_text(), each.get_window_extent(renderer)) for each in texts if each.get_text() and each.get_visible()]
    width, height = figure.get_size_inches() * figure.dpi
    assert not [(one, other) for (one, a), (other, b) in itertools.combinations(boxes, 2) if a.overlaps(b)]
    assert not [one for one, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]


def test_the_index_case_shows_phases_leads_and_marks() -> None:
    figure, panels = draw(case())
    assert len(panels) == 2
    parts = named(panels[0])
    assert {"phase-0", "phase-1", "phase-2", "ST-V3", "ST-onset", "ST-extremum", "ST-relief", "ST-limit", "ST-interval"} <= set(
        parts
    )
    assert parts["ST-extremum"].get_xdata()[0] == pytest.approx(3.0)
    assert parts["ST-extremum"].get_ydata()[0] == pytest.approx(case().response.extremum_uv)  # type: ignore[union-attr]
    words = " ".join(each.get_text() for each in figure.texts)
    for part in ("baseline", "ergonovine 20 ug", "nitroglycerin", "does not exclude spasm", "COVADIS"):
        assert part in words
    assert_readable(figure, panels)


def test_many_events_close_together_stay_readable() -> None:
    ecg = es.simulate.ecg(fs=250, seed=5, duration_s=200.0, noise_uv=8.0).ecg
    doses = [(40.0 + 3.0 * k, f"acetylcholine {20 * k + 20} ug into the left coronary artery") for k in range(5)]
    late = [(150.0, "nitroglycerin $200$ ug"), (160.0, "nitroglycerin again"), (198.0, "chest pain gone")]
    figure, panels = draw(provocation(ecg, [*doses, *late]))
    assert_readable(figure, panels)


def test_nothing_measured_can_be_drawn() -> None:
    test = provocation([(0, es.read(CASE / "baseline.hea"))], [(60, "ergonovine")])
    figure, panels = draw(test)
    assert "NOT MEASURED" in figure.texts[0].get_text()
    assert_readable(figure, panels)
