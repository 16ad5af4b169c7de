"""The picture of a provocation test: every phase and mark is there, and no words lie on each other or off the sheet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import ecgspasm as es
from ecgspasm.plot.provocation_sheet import provocation as draw
from ecgspasm.provoking import ProvocationTest, provocation
from tests.pictures import assert_readable, named

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"


@cache
def case() -> ProvocationTest:
    ecgs = [(at, es.read(CASE / f"{name}.hea")) for at, name in ((0, "baseline"), (180, "ergonovine"), (420, "nitroglycerin"))]
    return provocation(ecgs, [(60, "ergonovine 20 ug"), (240, "nitroglycerin")])


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
    assert_readable(figure)


def test_many_events_close_together_stay_readable() -> None:
    ecg = es.simulate.ecg(fs=250, seed=5, duration_s=200.0, noise_uv=8.0).ecg
    doses = [(40.0 + 3.0 * k, f"acetylcholine {20 * k + 20} ug into the left coronary artery") for k in range(5)]
    late = [(150.0, "nitroglycerin $200$ ug"), (160.0, "nitroglycerin again"), (198.0, "chest pain gone")]
    figure, _ = draw(provocation(ecg, [*doses, *late]))
    assert_readable(figure)


def test_nothing_measured_can_be_drawn() -> None:
    test = provocation([(0, es.read(CASE / "baseline.hea"))], [(60, "ergonovine")])
    figure, _ = draw(test)
    assert "NOT MEASURED" in figure.texts[0].get_text()
    assert_readable(figure)
