"""The page of one ECG: true millimetres at any resolution and in the files, every layout, and what is missing is said."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import ecgspasm as es
from ecgspasm import plot
from ecgspasm.leads import STANDARD
from ecgspasm.plot import layout, paper
from ecgspasm.plot.page import HEIGHT_MM
from ecgspasm.plot.sheet import CURVE_X, FOOT_MM
from tests.pictures import MM, assert_clear_of_curves, assert_inside_page, assert_readable, named, words

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"
POINTS = MM / 72.0
"""Millimetres a point, the unit of PDF and SVG."""
LAYOUTS = ("3x4+rhythm", "6x2", "12x1")
COLUMN = {"3x4+rhythm": 4, "6x2": 2, "12x1": 1}


@pytest.fixture(scope="module")
def ecg() -> es.Ecg:
    return es.read(CASE / "ergonovine.hea")


def page_mm(axes: Axes, figure: Figure, points: Any) -> Any:
    """Places on the sheet in mm, from what the renderer would draw."""
    return axes.transData.transform(points) / figure.dpi * MM


def truth(ecg: es.Ecg, lead: str, start: int, stop: int) -> Any:
    """The curve in mm at 10 mm/mV, less its mean."""
    part = ecg[lead][start:stop] / 100.0
    return part - part.mean()


@pytest.mark.parametrize(("speed", "gain"), [(25.0, 10.0), (12.5, 5.0), (50.0, 20.0)])
def test_seconds_and_millivolts_are_as_long_as_asked_at_any_dpi(ecg: es.Ecg, speed: float, gain: float) -> None:
    figure, axes = plot.ecg(ecg, speed_mm_s=speed, gain_mm_mv=gain)
    assert f"{speed:g} mm/s, {gain:g} mm/mV" in words(figure)
    for dpi in (72, 100, 254, 600):
        figure.set_dpi(dpi)
        assert figure.get_size_inches() * MM == pytest.approx([297.0, 210.0])
        pulse = page_mm(axes, figure, named(axes, "calibration")["calibration"].get_xydata())
        assert np.ptp(pulse[:, 1]) == pytest.approx(gain)
        assert pulse[3, 0] - pulse[2, 0] == pytest.approx(0.2 * speed)
        strip = page_mm(axes, figure, named(axes, "strip-")["strip-II-rhythm"].get_xydata())
        assert strip[500, 0] - strip[0, 0] == pytest.approx(speed)  # one second at 500 Hz
        assert np.ptp(strip[:, 1]) == pytest.approx(np.ptp(ecg["II"][: len(strip)]) / 1000.0 * gain)
        for name, each in (("grid-1mm", 1.0), ("grid-5mm", 5.0)):
            lines = np.asarray(named(axes, name)[name].get_segments())
            across = page_mm(axes, figure, lines[lines[:, 0, 0] == lines[:, 1, 0]][:, 0])[:, 0]
            steps = np.diff(np.sort(across))
            assert np.unique(steps.round(6)) == pytest.approx([1.0, 2.0] if each == 1.0 else [5.0])


def test_a_pdf_is_a4_and_holds_every_sample_at_its_place(ecg: es.Ecg, tmp_path: Path) -> None:
    figure, _ = plot.ecg(ecg)
    with_tight = {"savefig.bbox": "tight"}  # as notebooks set it
    import matplotlib

    with matplotlib.rc_context(with_tight):
        plot.save(figure, tmp_path / "page.pdf")
    data = (tmp_path / "page.pdf").read_bytes()
    (box,) = re.findall(rb"/MediaBox \[ ([^\]]*)\]", data)
    assert np.array(box.split(), float) * POINTS == pytest.approx([0.0, 0.0, 297.0, 210.0], abs=1e-6)
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    page = max((zlib.decompress(each) for each in streams if each[:1] == b"x"), key=len).decode("latin-1")
    paths = [
        np.array([row.split()[:2] for row in found[0].splitlines()], float) * POINTS
        for found in re.finditer(r"(?:^[\d.-]+ [\d.-]+ m\n)(?:^[\d.-]+ [\d.-]+ l\n)+", page, re.MULTILINE)
    ]
    pulses = [each for each in paths if len(each) == 6 and np.ptp(each[:, 1]) == pytest.approx(10.0, abs=1e-4)]
    assert len(pulses) == 4
    assert all(each[3, 0] - each[2, 0] == pytest.approx(5.0, abs=1e-4) for each in pulses)
    grid = {round(each[0, 0], 3) for each in paths if len(each) == 2 and np.ptp(each[:, 1]) == pytest.approx(HEIGHT_MM, abs=1e-3)}
    assert np.diff(sorted(grid)) == pytest.approx(1.0, abs=2e-3)
    columns = [each for each in paths if len(each) == 1250]
    strips = [each for each in paths if len(each) == 5000]
    assert (len(columns), len(strips)) == (12, 1)
    assert np.diff(strips[0][:, 0]) == pytest.approx(0.05, abs=1e-5)
    start = {lead: 1250 * (place // 3) for place, lead in enumerate(STANDARD)}
    curves = {tuple(np.round(truth(ecg, lead, first, first + 1250), 3)) for lead, first in start.items()}
    drawn = {tuple(np.round(each[:, 1] - each[:, 1].mean(), 3)) for each in columns}
    assert np.array(sorted(drawn)) == pytest.approx(np.array(sorted(curves)), abs=2e-3)


def test_an_svg_is_a4_and_holds_every_sample_at_its_place(ecg: es.Ecg, tmp_path: Path) -> None:
    plot.save(plot.ecg(ecg, layout="12x1", grid="grey")[0], tmp_path / "page.svg")
    root = ElementTree.parse(tmp_path / "page.svg").getroot()
    assert float(root.attrib["width"].removesuffix("pt")) * POINTS == pytest.approx(297.0, abs=1e-5)
    assert float(root.attrib["height"].removesuffix("pt")) * POINTS == pytest.approx(210.0, abs=1e-5)
    assert [float(each) for each in root.attrib["viewBox"].split()[2:]] == pytest.approx([297.0 / POINTS, 210.0 / POINTS])
    for lead in STANDARD:
        (group,) = [each for each in root.iter("{http://www.w3.org/2000/svg}g") if each.attrib.get("id") == f"lead-{lead}"]
        numbers = re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", group[0].attrib["d"])
        points = np.array(numbers, float) * POINTS
        assert len(points) == 5000
        assert points[:, 0] == pytest.approx(CURVE_X + 0.05 * np.arange(5000), abs=1e-4)
        assert points[:, 1].mean() - points[:, 1] == pytest.approx(truth(ecg, lead, 0, 5000), abs=1e-3)


@pytest.mark.parametrize("order", ["standard", "cabrera"])
@pytest.mark.parametrize("which", LAYOUTS)
def test_leads_stand_in_their_order_and_time(ecg: es.Ecg, which: Any, order: Any) -> None:
    figure, axes = plot.ecg(ecg, layout=which, order=order)
    limb = {"standard": STANDARD[:6], "cabrera": ("aVL", "I", "-aVR", "II", "aVF", "III")}[order]
    curves = {name.removeprefix("lead-"): line.get_xydata() for name, line in named(axes, "lead-").items()}
    assert set(curves) == {*limb, *STANDARD[6:]}
    deep = 12 // COLUMN[which]
    wide_mm, samples = 250.0 / COLUMN[which], 5000 // COLUMN[which]
    for place, name in enumerate((*limb, *STANDARD[6:])):
        column, row = divmod(place, deep)
        curve = np.asarray(curves[name])
        assert curve[0, 0] == pytest.approx(CURVE_X + column * wide_mm)
        assert curve[-1, 0] == pytest.approx(CURVE_X + (column + 1) * wide_mm - 0.05)
        sign = -1.0 if name.startswith("-") else 1.0
        true = sign * truth(ecg, name.removeprefix("-"), column * samples, (column + 1) * samples)
        assert curve[:, 1] - curve[:, 1].mean() == pytest.approx(true, abs=1e-6)
        if row:
            above = np.asarray(curves[(*limb, *STANDARD[6:])[place - 1]])
            assert np.median(above[:, 1]) > np.median(curve[:, 1]) + 8.0
    assert bool(named(axes, "strip-")) == which.endswith("rhythm")
    separators = {name.removeprefix("separator-") for name in named(axes, "separator-")}
    assert separators == set((*limb, *STANDARD[6:])[deep:])
    assert ("−aVR" in words(figure)) == (order == "cabrera")
    assert_readable(figure)
    assert_inside_page(axes)


@pytest.mark.parametrize("which", LAYOUTS)
def test_what_is_drawn_can_be_read_back(ecg: es.Ecg, tmp_path: Path, which: Any) -> None:
    pytest.importorskip("pdfminer", reason="pdfminer.six is not installed (extra pdf)")
    plot.save(plot.ecg(ecg, layout=which, order="cabrera", gain_mm_mv=5.0, grid="grey")[0], tmp_path / "page.pdf")
    back = es.read_pdf(tmp_path / "page.pdf")
    assert back.leads == STANDARD
    for lead in STANDARD:
        there = np.flatnonzero(np.isfinite(back[lead]))
        assert len(there) >= 5000 // COLUMN[which] - 1
        error = back[lead][there] - ecg[lead][there]
        assert np.abs(error - np.median(error)).max() < 5.0


def test_zero_lines_and_pulses_lie_on_the_grid(ecg: es.Ecg) -> None:
    for which in LAYOUTS[:2]:
        _, axes = plot.ecg(ecg, layout=which)
        zeros = [line.get_xydata()[0, 1] for line in axes.lines if line.get_gid() == "calibration"]
        assert np.asarray(zeros) % 5.0 == pytest.approx(FOOT_MM % 5.0)
        assert len(zeros) == {"3x4+rhythm": 4, "6x2": 6}[which]


@pytest.mark.parametrize("leads", [("V2",), ("V5", "II"), (*STANDARD[:3], "V1", "V2"), STANDARD[1:], ("V7", "V8", "X", "II")])
def test_missing_leads_leave_their_places_and_are_named(ecg: es.Ecg, leads: tuple[str, ...]) -> None:
    source = {lead: ecg[lead] if lead in ecg.leads else ecg["V6"] for lead in leads}
    few = replace(ecg, signal_uv=list(source.values()), leads=leads)
    for which in LAYOUTS:
        figure, axes = plot.ecg(few, layout=which)
        assert set(named(axes, "lead-")) == {f"lead-{lead}" for lead in leads}
        absent = [lead for lead in STANDARD if lead not in leads]
        assert f"not recorded: {', '.join(absent)}" in words(figure).replace("\n", " ")
        assert_readable(figure)
        assert_inside_page(axes)


def test_few_columns_are_wider() -> None:
    made = es.simulate.ecg(fs=250, seed=3, leads=("I", "II", "III")).ecg
    figure, axes = plot.ecg(made)
    line = named(axes, "lead-")["lead-II"]
    assert np.ptp(line.get_xdata()) == pytest.approx(250.0, abs=0.2)
    assert "columns" not in words(figure)
    figure, axes = plot.ecg(es.simulate.ecg(fs=250, seed=3, leads=("I", "V1")).ecg)
    assert np.ptp(named(axes, "lead-")["lead-V1"].get_xdata()) == pytest.approx(125.0, abs=0.2)
    assert "columns follow each other in time, 5 s each" in words(figure)


def test_gaps_stay_gaps_and_are_told(ecg: es.Ecg) -> None:
    signal = np.array(ecg.signal_uv)
    signal[ecg.index("V2"), 2500:3000] = np.nan
    signal[ecg.index("aVR")] = np.nan
    figure, axes = plot.ecg(replace(ecg, signal_uv=signal))
    drawn = np.asarray(named(axes, "lead-")["lead-V2"].get_ydata())
    assert np.isnan(drawn[:500]).all()
    assert np.isfinite(drawn[500:]).all()
    assert "no signal: aVR" in words(figure)
    assert "gaps: V2 1 s" in words(figure)
    assert_readable(figure)


def test_short_ones_show_their_beginning_in_every_column(ecg: es.Ecg) -> None:
    short = replace(ecg, signal_uv=ecg.signal_uv[:, :2000])
    figure, axes = plot.ecg(short)
    assert "every column shows the first 2.5 s" in words(figure)
    first = np.asarray(named(axes, "lead-")["lead-V4"].get_ydata())
    assert first - first.mean() == pytest.approx(truth(ecg, "V4", 0, 1250), abs=1e-6)
    figure, axes = plot.ecg(replace(ecg, signal_uv=ecg.signal_uv[:, :300]))
    assert "every column shows the first 0.6 s" in words(figure)
    assert_readable(figure)


def test_long_ones_begin_where_asked_and_say_what_is_shown() -> None:
    long = es.simulate.ecg(fs=500, seed=2, duration_s=35.0, noise_uv=10.0).ecg
    figure, axes = plot.ecg(long, start_s=12.5)
    assert "35 s at 500 Hz · shown: 12.5 to 22.5 s · columns follow each other in time, 2.5 s each" in words(figure)
    curve = np.asarray(named(axes, "lead-")["lead-V1"].get_ydata())
    assert curve - curve.mean() == pytest.approx(truth(long, "V1", 6250 + 2500, 6250 + 3750), abs=1e-6)
    figure, axes = plot.ecg(long, start_s=30.0)
    assert "shown: 30 to 35 s · less than the 10 s of a page: every column shows the first 2.5 s" in words(figure)
    figure, _ = plot.ecg(long, speed_mm_s=12.5)
    assert "shown: 0 to 20 s · columns follow each other in time, 5 s each" in words(figure)


def test_wander_and_artefacts_stay_on_the_page_and_are_told(ecg: es.Ecg) -> None:
    signal = np.array(ecg.signal_uv)
    signal[1] += np.linspace(0.0, 9000.0, 5000)
    signal[6, 3000] = 90_000.0
    figure, axes = plot.ecg(replace(ecg, signal_uv=signal))
    assert_readable(figure)
    assert_inside_page(axes)
    assert "over 5 mV left out: V1" in words(figure)
    assert "running off the paper: rhythm strip" in words(figure)
    middle = np.median(named(axes, "lead-")["lead-II"].get_ydata())
    pulses = [line.get_xydata()[0, 1] for line in axes.lines if line.get_gid() == "calibration"]
    assert min(abs(middle - each) for each in pulses) < 1.0  # on the line of its row
    heights = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    assert np.nanmax(heights) <= FOOT_MM + HEIGHT_MM


def test_tall_leads_keep_a4_and_names_apart() -> None:
    tall = es.simulate.ecg(fs=500, seed=1, leads=STANDARD).ecg
    signal = 4.0 * tall.signal_uv
    many = replace(tall, signal_uv=np.concatenate([signal, signal[6:9]]), leads=(*STANDARD, "V7", "V8", "V9"))
    for which in LAYOUTS:
        figure, axes = plot.ecg(many, layout=which, gain_mm_mv=20.0)
        assert figure.get_size_inches() * MM == pytest.approx([297.0, 210.0])
        assert len(named(axes, "lead-")) == 15
        assert_readable(figure)


def test_a_normal_ecg_does_not_run_through_its_words() -> None:
    for name in ("baseline", "presentation", "ergonovine"):
        for which in LAYOUTS[:2]:
            assert_clear_of_curves(*plot.ecg(es.read(CASE / f"{name}.hea"), layout=which))


def test_derived_leads_and_strange_names_can_be_read(ecg: es.Ecg) -> None:
    source = "/a/" + "long " * 60 + "/심전도 $x^{2$"
    limbs = replace(ecg, signal_uv=ecg.signal_uv[[0, 1, 7]], leads=("I", "II", "V2"), source=source)
    figure, _ = plot.ecg(limbs.with_derived_leads(), order="cabrera")
    assert words(figure).count("derived") == 4
    assert "$x^{2$" in words(figure)
    assert_readable(figure)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"speed_mm_s": 30}, "the speed is 30 mm/s; give one of 12.5, 25, 50"),
        ({"gain_mm_mv": 0.0}, "the gain is 0.0 mm/mV; give one of 5, 10, 20"),
        ({"layout": "4x3"}, r"no layout '4x3'; give one of 3x4\+rhythm, 6x2, 12x1"),
        ({"order": "Cabrera"}, "no order 'Cabrera'; give one of standard, cabrera"),
        ({"grid": "blue"}, "no 'blue' grid; give one of red, grey"),
        ({"start_s": 10.0}, "start_s is 10.0; this recording lasts 10 s, give a beginning within it"),
        ({"start_s": -1.0}, "start_s is -1.0"),
        ({"start_s": float("nan")}, "start_s is nan"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(ecg: es.Ecg, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(es.EcgError, match=told) as caught:
        plot.ecg(ecg, **wrong)
    assert "\n" not in str(caught.value)


def test_rows_of_every_layout() -> None:
    assert layout.rows(STANDARD, deep=6)[0] == ("I", "V1")
    assert layout.rows([*STANDARD, "X", "Y", "Z"], deep=6)[6:] == [("X", "Z"), ("Y", None)]
    assert layout.rows(STANDARD, layout.CABRERA_12)[2] == ("-aVR", "III", "V3", "V6")
    assert layout.rows(["V1", "V2", "V3", "V7", "V8", "V9"]) == [
        ("V1", "V7", None, None),
        ("V2", "V8", None, None),
        ("V3", "V9", None, None),
    ]
    assert layout.rows([]) == []


def test_real_recordings(real_data: Path) -> None:
    for name in ("ludb/data/8.hea", "ptbdb/patient001/s0010_re.hea", "cinc2021/E00001.hea"):
        figure, axes = plot.ecg(es.read(real_data / name), order="cabrera")
        assert_readable(figure)
        assert_inside_page(axes)
    assert paper.MM_PER_INCH == MM
