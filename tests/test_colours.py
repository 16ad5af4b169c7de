"""Colours that stand beside each other can be told apart with every kind of colour vision, and in print without colour."""

from __future__ import annotations

import pytest

from ecgspasm.plot import bars, cell, chart, course_sheet, paper, provocation_sheet, trend_sheet
from ecgspasm.plot.settings import settings
from tests.pictures import lab, least_difference, over_white

LINES, FILLS = 15.0, 8.0
"""CIE76 differences; 2.3 can just be seen, thin lines need more than areas."""


def test_the_scale_of_differences_is_that_of_the_eye() -> None:
    assert least_difference(["#000000", "#ffffff"]) == pytest.approx(100.0, abs=0.1)
    assert lab("#ff0000") == pytest.approx([53.2, 80.1, 67.2], abs=0.2)
    # red and green of the same lightness: that is what colour-blind safe means
    assert least_difference(["#c03a2b", "#5a7d1f"]) < LINES < float(abs(lab("#c03a2b") - lab("#5a7d1f"))[1])


def test_lines_of_one_panel() -> None:
    assert least_difference([colour for colour, _, _ in chart.SERIES]) > LINES
    assert len({str(line) for _, line, _ in chart.SERIES}) == len(chart.SERIES)
    assert len({mark for _, _, mark in chart.SERIES}) == len(chart.SERIES)


def test_both_beats_differ_by_colour_lightness_and_width() -> None:
    one, other = cell.STYLE["baseline"], cell.STYLE["current"]
    shade = over_white(cell.SHADE["color"], cell.SHADE["alpha"])
    assert least_difference([one["color"], other["color"], shade, "white"]) > LINES
    assert lab(other["color"])[0] - lab(one["color"])[0] > 20.0
    assert other["linewidth"] > 2.0 * one["linewidth"]
    assert lab(shade)[0] < 88.0  # seen in print without colour, and darker than the grid
    assert all(lab(each)[0] > 78.0 for pair in settings("grid").values() for each in pair)


def test_areas_of_one_picture() -> None:
    kinds = trend_sheet.KINDS.values()
    assert least_difference([*(over_white(colour, share) for _, colour, share, _ in kinds), "white"]) > FILLS
    assert len({hatch for *_, hatch in kinds}) == len(kinds)
    assert least_difference(provocation_sheet.SHADES.values()) > FILLS
    drugs = (*course_sheet.COLOURS.values(), course_sheet.WATCHED)
    assert least_difference(over_white(each, course_sheet.BAR_ALPHA) for each in drugs) > FILLS
    band = over_white(bars.BAND["color"], bars.BAND["alpha"])
    assert least_difference([bars.CHANGED["color"], bars.UNCHANGED["color"], band, "white"]) > FILLS
    assert lab(bars.UNCHANGED["color"])[0] - lab(bars.CHANGED["color"])[0] > 20.0


def test_words_are_dark_enough() -> None:
    assert max(lab(each)[0] for each in (paper.INK, paper.GREY)) < 40.0
