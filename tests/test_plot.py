"""Pictures: measured by geometry, never by pixels."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import ecgspasm as es
from ecgspasm import plot
from ecgspasm.plot import paper
from ecgspasm.plot.sheet import FOOT, source_name
from ecgspasm.serial.comparison import Comparison
from tests import pictures
from tests.pictures import MM, assert_clear_of_curves, named
from tests.pictures import assert_inside_page as assert_everything_on_paper

CASES = {"presentation": ("T", ("V1", "V2", "V3")), "ergonovine": ("ST", ("V1", "V2", "V3", "V4"))}


@pytest.fixture(scope="module")
def case() -> dict[str, es.Ecg]:
    return {name: made.ecg for name, made in es.simulate.index_case().items()}


@pytest.fixture(scope="module")
def change(case: dict[str, es.Ecg]) -> Comparison:
    return es.compare(case["baseline"], case["presentation"])


def subset(ecg: es.Ecg, *leads: str) -> es.Ecg:
    """The recording with fewer leads."""
    return replace(ecg, signal_uv=[ecg[lead] for lead in leads], leads=leads)


def altered(ecg: es.Ecg, lead: str, how: Callable[[np.ndarray], Any]) -> es.Ecg:
    """The recording with one lead made anew."""
    signal = ecg.signal_uv.copy()
    signal[ecg.index(lead)] = how(signal[ecg.index(lead)])
    return replace(ecg, signal_uv=signal)


def words(axes: Axes) -> list[str]:
    return [each.get_text() for each in axes.texts]


def assert_readable(figure: Figure, axes: Axes) -> None:
    """No text on another, none off the page, none on a curve's beat."""
    pictures.assert_readable(figure)
    assert_clear_of_curves(figure, axes)


@pytest.mark.parametrize("dpi", [72, 254])
def test_a_second_is_25_mm_and_a_millivolt_10_mm_at_any_dpi(change: Comparison, dpi: int) -> None:
    figure, axes = plot.comparison(change)
    figure.set_dpi(dpi)
    pixels = axes.transData.transform([(10.0, 10.0), (35.0, 20.0)])
    assert (pixels[1] - pixels[0]) / dpi * MM == pytest.approx([25.0, 10.0], rel=1e-9)
    pulse = axes.transData.transform(named(axes, "calibration")["calibration"].get_xydata()) / dpi * MM
    assert np.ptp(pulse[:, 1]) == pytest.approx(10.0)
    assert pulse[3, 0] - pulse[2, 0] == pytest.approx(5.0)  # 200 ms
    strip = axes.transData.transform(named(axes, "strip-")["strip-II-baseline"].get_xydata()) / dpi * MM
    assert (strip[500, 0] - strip[0, 0]) == pytest.approx(25.0)  # one second at 500 Hz


def test_grid_has_a_line_each_millimetre_and_heavy_ones_each_fifth(change: Comparison) -> None:
    _, axes = plot.comparison(change)
    at: dict[str, np.ndarray] = {}
    for name, lines in named(axes, "grid").items():
        segments = np.asarray(lines.get_segments())
        at[name] = np.sort(segments[segments[:, 0, 0] == segments[:, 1, 0], 0, 0])
    assert np.diff(np.sort(np.concatenate(list(at.values())))) == pytest.approx(1.0)
    assert np.diff(at["grid-5mm"]) == pytest.approx(5.0)


def test_curves_are_the_aligned_medians_on_a_heavy_line(change: Comparison) -> None:
    _, axes = plot.comparison(change)
    assert change.aligned is not None
    drawn = np.asarray(named(axes, "current-V3")["current-V3"].get_xydata())
    onset = named(axes, "j-V3")["j-V3"].get_xdata()[0] - change.aligned.j_ms * 0.025
    zero = next(iter(line for line in axes.lines if line.get_gid() == "calibration")).get_xydata()[0, 1]
    assert (onset - paper.LEFT_MM) % 5.0 == pytest.approx(0.0, abs=1e-6)
    heavy = np.asarray(named(axes, "grid-5mm")["grid-5mm"].get_segments())
    row = zero - np.arange(3) * 25.0  # the rows of the index case are 25 mm apart
    assert all(np.isclose(heavy[:, 0, 1], each).any() for each in row)
    truth = change.aligned.current_uv[change.leads.index("V3")]
    told = np.interp((drawn[:, 0] - onset) * 40.0, change.aligned.time_ms, truth)
    assert (drawn[:, 1] - row[2]) * 100.0 == pytest.approx(told, abs=0.01)


@pytest.mark.parametrize("name", list(CASES))
def test_arrows_and_bold_names_in_the_changed_leads_only(case: dict[str, es.Ecg], name: str) -> None:
    wave, leads = CASES[name]
    figure, axes = plot.comparison(es.compare(case["baseline"], case[name]))
    assert set(named(axes, "arrow-")) == {f"arrow-{lead}-{wave}" for lead in leads}
    bold = {each.get_text() for each in axes.texts if each.get_weight() == "bold" and each.get_fontsize() == 10.0}
    assert bold & set(case["baseline"].leads) == set(leads)
    assert_readable(figure, axes)


def test_an_arrow_points_from_below_at_the_inverted_t(change: Comparison) -> None:
    _, axes = plot.comparison(change)
    tip = named(axes, "arrow-")["arrow-V2-T"].get_xy().max(axis=0)[1]
    x = named(axes, "arrow-")["arrow-V2-T"].get_xy()[:, 0].mean()
    current, baseline = (np.asarray(named(axes, f"{which}-V2")[f"{which}-V2"].get_xydata()) for which in ("current", "baseline"))
    near = np.abs(current[:, 0] - x) < 1.0
    assert current[near, 1].min() - 2.0 < tip < current[near, 1].min()
    assert tip < baseline[near, 1].min()
    bottom = current[near, 0][current[near, 1].argmin()]
    assert bottom == pytest.approx(x, abs=0.5)


def test_dots_lie_on_the_curves_at_j_and_60_ms_later(change: Comparison) -> None:
    _, axes = plot.comparison(change)
    for which, lead in itertools.product(("baseline", "current"), change.leads):
        dots = np.asarray(named(axes, f"st-{which}-{lead}")[f"st-{which}-{lead}"].get_xydata())
        curve = np.asarray(named(axes, f"{which}-{lead}")[f"{which}-{lead}"].get_xydata())
        assert dots[1, 0] - dots[0, 0] == pytest.approx(1.5)
        assert dots[:, 1] == pytest.approx(np.interp(dots[:, 0], curve[:, 0], curve[:, 1]), abs=0.3)
        assert named(axes, f"j-{lead}")[f"j-{lead}"].get_xdata()[0] == pytest.approx(dots[0, 0])


def test_the_head_says_verdict_sources_and_intervals(change: Comparison) -> None:
    _, axes = plot.comparison(change)
    said = words(axes)
    assert said[0].startswith("NEW T-wave inversion in V1-V3 (anteroseptal): V3 T +")
    assert any(each.startswith("baseline: simulated index case, baseline · rate 6") for each in said)
    assert any(each.startswith("current: simulated index case, presentation · rate 7") for each in said)
    assert FOOT in said


def test_nothing_changed_has_no_arrow(case: dict[str, es.Ecg]) -> None:
    figure, axes = plot.comparison(es.compare(case["baseline"], case["baseline"]))
    assert words(axes)[0] == "No new change found"
    assert not named(axes, "arrow-")
    assert words(axes).count("ST ±0 µV") == 12
    assert_readable(figure, axes)


def test_a_flat_lead_says_so_and_has_no_curve(case: dict[str, es.Ecg]) -> None:
    current = altered(case["presentation"], "V2", np.zeros_like)
    figure, axes = plot.comparison(es.compare(case["baseline"], current))
    assert not named(axes, "current-V2")
    assert any(each.startswith("not measurable: current: flat line") for each in words(axes))
    assert_readable(figure, axes)


@pytest.mark.parametrize("leads", [("V2",), ("II",), ("V5", "II"), ("I", "II", "V1", "V2", "V3", "V4")])
def test_fewer_leads_draw_what_is_there(case: dict[str, es.Ecg], leads: tuple[str, ...]) -> None:
    change = es.compare(subset(case["baseline"], *leads), subset(case["presentation"], *leads))
    figure, axes = plot.comparison(change)
    assert {name.removeprefix("current-") for name in named(axes, "current-")} == set(change.leads)
    assert len(named(axes, "strip-")) == 2
    assert_readable(figure, axes)
    assert_everything_on_paper(axes)


def test_a_lead_of_only_one_ecg_is_named(case: dict[str, es.Ecg]) -> None:
    change = es.compare(subset(case["baseline"], "II", "V1", "V2", "V6"), subset(case["presentation"], "II", "V1", "V2", "V3"))
    figure, axes = plot.comparison(change)
    assert {"only in the baseline", "only in the current ECG"} <= set(words(axes))
    assert_readable(figure, axes)


def test_without_beats_only_strips_and_the_reason(case: dict[str, es.Ecg]) -> None:
    rng = np.random.default_rng(1)
    flat = replace(case["baseline"], signal_uv=rng.normal(0.0, 0.01, case["baseline"].signal_uv.shape))
    change = es.compare(case["baseline"], flat)
    assert change.aligned is None
    figure, axes = plot.comparison(change)
    assert words(axes)[0].startswith("NOT COMPARABLE")
    assert any(": not measurable: " in each for each in words(axes))
    assert len(named(axes, "strip-")) == 2
    assert not named(axes, "current-")
    assert_readable(figure, axes)


def test_high_amplitudes_make_the_page_higher_and_artefacts_do_not(case: dict[str, es.Ecg]) -> None:
    usual, _ = plot.comparison(es.compare(case["baseline"], case["baseline"]))
    high = altered(case["baseline"], "V3", lambda row: 2.5 * row)
    figure, axes = plot.comparison(es.compare(high, high))
    assert figure.get_size_inches()[1] > usual.get_size_inches()[1]
    assert_everything_on_paper(axes)
    spike = altered(case["baseline"], "II", lambda row: np.where(np.arange(len(row)) % 2500 == 700, 90_000.0, row))
    figure, axes = plot.ecg(spike)
    assert figure.get_size_inches()[1] * MM < 260.0
    assert any("left out" in each for each in words(axes))
    assert_everything_on_paper(axes)


def test_text_from_a_file_is_neither_mathematics_nor_boxes_over_each_other(case: dict[str, es.Ecg]) -> None:
    source = "/home/someone/" + "a long folder name " * 12 + "/$x^{2$ 심전도 1.dcm; a note"
    ecg = replace(case["baseline"], source=source)
    figure, axes = plot.comparison(es.compare(ecg, ecg))
    assert_readable(figure, axes)
    assert any("$x^{2$" in each for each in words(axes))
    assert not any("someone" in each for each in words(axes))
    figure, axes = plot.ecg(ecg)
    assert_readable(figure, axes)


def test_source_name_keeps_folder_and_file() -> None:
    assert source_name("/home/x/visit1/ecg.dcm; scaled", 100.0) == "visit1/ecg.dcm"
    assert source_name("simulated, seed 1", 100.0) == "simulated, seed 1"


def test_long_verdicts_wrap_and_never_run_off_the_page(change: Comparison) -> None:
    met = [each for each in change.findings if each.verdict == "MET"]
    findings = tuple(replace(each, reason="a very long reason " * 60) for each in met)
    figure, axes = plot.comparison(replace(change, findings=findings, confounders={"one": "x" * 900, "two": "why not " * 90}))
    assert words(axes)[4].endswith("…")
    assert_readable(figure, axes)


def test_page_of_one_ecg(case: dict[str, es.Ecg]) -> None:
    figure, axes = plot.ecg(case["baseline"])
    assert len(named(axes, "lead-")) == 12
    line = named(axes, "lead-")["lead-V1"]
    assert np.ptp(line.get_xdata()) == pytest.approx(62.5, abs=0.1)
    assert_readable(figure, axes)
    assert_everything_on_paper(axes)
    short = replace(case["baseline"], signal_uv=case["baseline"].signal_uv[:, :2000])
    figure, axes = plot.ecg(short)
    assert any("first 2.5 s" in each for each in words(axes))
    signal = case["baseline"].signal_uv.copy()
    signal[3] = np.nan
    figure, axes = plot.ecg(replace(case["baseline"], signal_uv=signal))
    assert "no signal: aVR" in words(axes)


def test_axes_of_the_caller_are_used(change: Comparison) -> None:
    figure = Figure(figsize=(8, 8))
    axes = figure.add_subplot(1, 2, 1)
    assert plot.comparison(change, axes=axes) == (figure, axes)
    assert axes.get_aspect() == 1.0
    inner = figure.subfigures(1, 1).add_subplot()
    assert plot.ecg(change.current.ecg, axes=inner)[0] is figure


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_save(change: Comparison, tmp_path: Path, ending: str, start: bytes) -> None:
    figure, _ = plot.comparison(change)
    paths = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]
    for path in paths:
        plot.save(figure, path)
    assert paths[0].read_bytes().startswith(start)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_save_refuses_in_one_line(change: Comparison, tmp_path: Path) -> None:
    figure, _ = plot.comparison(change)
    with pytest.raises(es.EcgError, match=r"end in \.png, \.svg or \.pdf"):
        plot.save(figure, tmp_path / "picture.docx")
    with pytest.raises(es.EcgError, match="there is no folder"):
        plot.save(figure, tmp_path / "nowhere" / "picture.png")


def test_pyplot_is_never_loaded_and_importing_is_cheap() -> None:
    code = (
        "import sys, ecgspasm.plot as plot, ecgspasm as es\n"
        "assert 'matplotlib' not in sys.modules\n"
        "made = es.simulate.ecg(fs=500, seed=1).ecg\n"
        "plot.comparison(es.compare(made, made)); plot.ecg(made)\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_two_people_of_ludb(real_data: Path) -> None:
    ecgs = [es.read(real_data / "ludb" / "data" / f"{number}.hea") for number in (1, 8)]
    figure, axes = plot.comparison(es.compare(*ecgs))
    assert any(each.startswith("Confounder: ") for each in words(axes))
    assert_readable(figure, axes)
    assert_everything_on_paper(axes)
