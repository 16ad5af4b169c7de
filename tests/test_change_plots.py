"""Bars and loops of a change: what is drawn is what was compared, in its order, and what was not measured says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import ecgspasm as es
from ecgspasm import plot
from ecgspasm.leads import STANDARD
from ecgspasm.plot.layout import CABRERA_12
from ecgspasm.plot.loops import PLANES
from ecgspasm.processing.vector import heart_vectors, inverse_dower, kors
from ecgspasm.serial.comparison import Comparison
from tests.pictures import assert_readable, named, words

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"
NAMES = ("presentation", "ergonovine", "nitroglycerin", "recurrence")


@pytest.fixture(scope="module")
def ecgs() -> dict[str, es.Ecg]:
    return {name: es.read(CASE / f"{name}.hea") for name in ("baseline", *NAMES)}


@pytest.fixture(scope="module")
def changes(ecgs: dict[str, es.Ecg]) -> dict[str, Comparison]:
    return {name: es.compare(ecgs["baseline"], ecgs[name]) for name in NAMES}


@pytest.fixture(scope="module")
def spoilt(ecgs: dict[str, es.Ecg]) -> Comparison:
    """V2 flat, V3 full of noise, V6 missing, and a long name."""
    now = ecgs["ergonovine"]
    signal = np.array(now.signal_uv)
    signal[now.index("V2")] = 0.0
    signal[now.index("V3")] += np.random.default_rng(1).normal(0.0, 900.0, signal.shape[1])
    source = "/x/$a^{ 심전도 " + "long " * 80
    return es.compare(ecgs["baseline"], replace(now, signal_uv=signal[:11], leads=now.leads[:11], source=source))


# ---------------------------------------------------------------------------------------------------------------------
# Shade of the comparison
# ---------------------------------------------------------------------------------------------------------------------


def test_figure_1_of_the_case_is_one_call(ecgs: dict[str, es.Ecg]) -> None:
    figure, axes = plot.comparison(es.compare(ecgs["baseline"], ecgs["presentation"]))
    assert set(named(axes, "arrow-")) == {"arrow-V1-T", "arrow-V2-T", "arrow-V3-T"}
    assert set(named(axes, "shade-")) == {"shade-V1", "shade-V2", "shade-V3"}
    assert len(named(axes, "baseline-")) == len(named(axes, "current-")) == 12
    assert "NEW T-wave inversion in V1-V3 (anteroseptal)" in words(figure)
    assert_readable(figure)


@pytest.mark.parametrize("name", ["presentation", "ergonovine"])
def test_the_shade_is_what_lies_between_the_curves_from_j_to_the_end_of_t(changes: dict[str, Comparison], name: str) -> None:
    change = changes[name]
    aligned = change.aligned
    assert aligned is not None
    _, axes = plot.comparison(change)
    for lead in ("V2", "V3"):
        (path,) = named(axes, f"shade-{lead}")[f"shade-{lead}"].get_paths()
        j = named(axes, f"j-{lead}")[f"j-{lead}"].get_xdata()[0]
        end = max(each.qt_ms for each in change.measured.values())
        box = path.get_extents()
        assert box.x0 == pytest.approx(j, abs=0.03)
        assert box.x1 == pytest.approx(j + (end - aligned.j_ms) * 0.025, abs=0.03)
        x, y = path.vertices[:-1].T
        area = abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2.0
        inside = (aligned.time_ms >= aligned.j_ms) & (aligned.time_ms <= end)
        row = change.leads.index(lead)
        apart = (aligned.current_uv[row] - aligned.baseline_uv[row])[inside]  # what lies on the other side counts against it here
        assert area == pytest.approx(abs(apart.sum()) * 0.025 * 0.01, rel=0.02)


def test_nothing_changed_has_no_shade(ecgs: dict[str, es.Ecg]) -> None:
    _, axes = plot.comparison(es.compare(ecgs["baseline"], ecgs["baseline"]))
    assert not named(axes, "shade-")


# ---------------------------------------------------------------------------------------------------------------------
# Bars
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", ["st_j_uv", "st_j60_uv", "t_uv"])
def test_bars_are_changes_with_their_interval_and_detectable_change(changes: dict[str, Comparison], measure: str) -> None:
    change = changes["ergonovine"]
    figure, axes = plot.st_bars(change, measure=measure)
    assert [each.get_text().replace("−", "-") for each in axes.get_xticklabels()] == list(CABRERA_12)
    found = change.changes[measure]
    parts = named(axes)
    for name in CABRERA_12:
        row = change.leads.index(name.removeprefix("-"))
        sign = -1.0 if name.startswith("-") else 1.0
        assert parts[f"bar-{name}"].get_height() == pytest.approx(sign * found.difference[row])
        ends = sorted((sign * found.low[row], sign * found.high[row]))
        assert parts[f"interval-{name}"].get_ydata() == pytest.approx(ends)
        band = parts[f"detectable-{name}"]
        assert (band.get_y(), band.get_height()) == pytest.approx((-found.detectable[row], 2.0 * found.detectable[row]))
        assert band.get_width() > parts[f"bar-{name}"].get_width()
    assert f"{found.difference[change.leads.index('V3')]:+.0f}" in words(figure)
    assert "fresh electrodes" in words(figure)
    assert_readable(figure)


def test_order_of_cabrera_is_the_anatomical_one(changes: dict[str, Comparison]) -> None:
    _, axes = plot.st_bars(changes["presentation"])
    places = {name.removeprefix("bar-"): bar.get_x() for name, bar in named(axes, "bar-").items()}
    assert sorted(places, key=places.__getitem__) == ["aVL", "I", "-aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6"]
    # the chest stands apart from the limbs
    assert places["V1"] - places["III"] > 1.2 * (places["III"] - places["aVF"])


def test_leads_of_a_finding_on_this_wave_are_dark_and_bold(changes: dict[str, Comparison]) -> None:
    for measure, leads in (("t_uv", {"V1", "V2", "V3"}), ("st_j_uv", set())):
        _, axes = plot.st_bars(changes["presentation"], measure=measure)
        bold = {each.get_text() for each in axes.get_xticklabels() if each.get_fontweight() == "bold"}
        assert bold == leads
        colours = {name.removeprefix("bar-"): bar.get_facecolor() for name, bar in named(axes, "bar-").items()}
        assert {name for name, colour in colours.items() if colour != colours["V6"]} == leads


def test_what_was_not_measured_has_its_reason_and_no_bar(spoilt: Comparison) -> None:
    figure, axes = plot.st_bars(spoilt)
    said = {name.removeprefix("reason-"): each.get_text() for name, each in named(axes, "reason-").items()}
    assert set(said) == {"V2", "V3", "V6"}
    assert said["V2"].replace("\n", " ").startswith("not measurable: current: flat line")
    assert said["V3"].replace("\n", " ").startswith("not measurable: current: no heartbeat repeats in this lead")
    assert said["V6"] == "only in the baseline"
    assert not {"bar-V2", "bar-V3", "bar-V6", "interval-V2", "detectable-V2"} & set(named(axes))
    assert len(named(axes, "bar-")) == 9
    assert "dotted: no value" in words(figure)
    assert_readable(figure)


def test_an_absent_wave_is_no_zero(ecgs: dict[str, es.Ecg], changes: dict[str, Comparison]) -> None:
    change = changes["nitroglycerin"]
    assert np.isnan(change.changes["u_uv"].difference).any()
    _, axes = plot.st_bars(change, measure="u_uv")
    assert len(named(axes, "bar-")) + len(named(axes, "reason-")) == 12
    assert all("U absent in " in each.get_text() for each in named(axes, "reason-").values())


def test_a_measure_without_known_repeatability_has_no_interval(changes: dict[str, Comparison]) -> None:
    figure, axes = plot.st_bars(changes["ergonovine"], measure="qrs_area_uv_ms")
    assert not named(axes, "interval-")
    assert not named(axes, "detectable-")
    assert "no intervals: how much this measure differs" in words(figure)
    assert "area of QRS, µV·ms" in words(figure)


def test_tables_without_waveforms_have_bars_too() -> None:
    values = ([10.0, 5.0, 0.0], [160.0, -45.0, np.nan])
    first, second = (es.Measurements.from_table(["V2", "aVR", "V7"], {"st_j60_uv": each}) for each in values)
    figure, axes = plot.st_bars(es.compare(first, second), measure="st_j60_uv")
    assert named(axes)["bar--aVR"].get_height() == pytest.approx(50.0)
    assert "no value in the table" in words(figure)
    assert_readable(figure)
    with pytest.raises(es.EcgError, match="no change of 't_uv' in this comparison; give one of st_j60_uv"):
        plot.st_bars(es.compare(first, second), measure="t_uv")


# ---------------------------------------------------------------------------------------------------------------------
# Loops
# ---------------------------------------------------------------------------------------------------------------------


def test_loops_are_the_transformed_beats_in_three_planes(changes: dict[str, Comparison]) -> None:
    change = changes["ergonovine"]
    aligned = change.aligned
    assert aligned is not None
    figure, axes = plot.vector(change)
    assert len(axes) == 6
    x, y, z = kors()(aligned.current_uv, change.leads)
    inside = (aligned.time_ms >= 0.0) & (aligned.time_ms <= max(each.qt_ms for each in change.measured.values()))
    for panel, (across, up) in zip(axes[:3], ((x, -y), (x, z), (z, -y)), strict=True):
        (line,) = (each for name, each in named(panel, "current-").items())
        assert line.get_xdata() == pytest.approx(across[inside])
        assert line.get_ydata() == pytest.approx(up[inside])
    assert_readable(figure)


def test_simulated_st_vector_lies_where_it_was_put() -> None:
    """100 uV to the left, 200 to the feet and 300 to the front."""
    plain = es.simulate.ecg(fs=500, seed=1).ecg
    put = es.simulate.ecg(fs=500, seed=1, st_vector_uv=(100.0, 200.0, -300.0)).ecg
    change = es.compare(plain, put)
    _, axes = plot.vector(change, measure="st_j60_uv")
    found = {name: heart_vectors(each).st_j60_uv for name, each in change.measured.items()}
    moved = found["current"] - found["baseline"]
    assert moved @ np.array([100.0, 200.0, -300.0]) / np.linalg.norm(moved) / np.sqrt(140_000.0) > 0.85
    sides = ({"left", "foot"}, {"left", "front"}, {"front", "foot"})
    for panel, plane, side in zip(axes[3:], PLANES, sides, strict=True):
        tips = {}
        for name, vector in found.items():
            arrow = named(panel, f"st-{name}-")[f"st-{name}-{plane.name}"]
            (x0, y0), (x1, y1) = arrow._posA_posB
            assert (x0, y0) == (0.0, 0.0)
            assert (x1, y1) == pytest.approx(tuple(plane.of(vector)))
            tips[name] = (x1, y1)
        left, right, below, above = plane.sides
        dx, dy = np.subtract(tips["current"], tips["baseline"])
        assert {right if dx > 0 else left, above if dy > 0 else below} == side


def test_panels_of_a_row_have_one_scale_in_both_directions(changes: dict[str, Comparison]) -> None:
    for name in ("presentation", "ergonovine"):
        figure, axes = plot.vector(changes[name], measure="st_j_uv")
        for row in (axes[:3], axes[3:]):
            spans = [np.ptp(limits) for each in row for limits in (each.get_xlim(), each.get_ylim())]
            assert spans == pytest.approx([spans[0]] * 6)
            assert all(each.get_aspect() == 1.0 for each in row)
            for each in row:
                for line in each.lines:
                    if line.get_gid():
                        assert each.get_xlim()[0] < np.min(line.get_xdata()) <= np.max(line.get_xdata()) < each.get_xlim()[1]
                        assert each.get_ylim()[0] < np.min(line.get_ydata()) <= np.max(line.get_ydata()) < each.get_ylim()[1]
        assert_readable(figure)


def test_the_head_tells_sizes_angles_and_the_transform_its_source(changes: dict[str, Comparison]) -> None:
    change = changes["ergonovine"]
    one, other = (change.vectors[name].st_j60_uv for name in ("baseline", "current"))
    said = words(plot.vector(change)[0]).replace("\n", " ")
    assert f"Change of the ST vector at J+60 ms: {np.linalg.norm(other - one):.0f} µV" in said
    angle = np.degrees(np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other)))
    assert f"angle between the two {angle:.0f}°" in said
    assert f"ST vector at J+60 ms {np.linalg.norm(other):.0f} µV" in said
    assert f"QRS-T angle {change.vectors['current'].qrs_t_angle_deg:.0f}°" in said
    assert "Kors JA" in said
    assert "Edenbrandt L" in words(plot.vector(change, transform=inverse_dower())[0])


def test_no_vector_without_its_leads(ecgs: dict[str, es.Ecg], spoilt: Comparison) -> None:
    with pytest.raises(es.EcgError, match=r"no heart vector: V2 was not measured \(current: flat line"):
        plot.vector(spoilt)
    few = [replace(each, signal_uv=each.signal_uv[:9], leads=STANDARD[:9]) for each in (ecgs["baseline"], ecgs["ergonovine"])]
    with pytest.raises(es.EcgError, match="no heart vector without V4, V5, V6"):
        plot.vector(es.compare(*few))
    table = es.Measurements.from_table(["V2"], {"st_j60_uv": [1.0]})
    with pytest.raises(es.EcgError, match="there is no waveform to draw"):
        plot.vector(es.compare(table, table))


def test_wrong_settings_are_refused(changes: dict[str, Comparison]) -> None:
    wrong: Any = "t_uv"
    with pytest.raises(es.EcgError, match="no vector of 't_uv'; give st_j_uv or st_j60_uv"):
        plot.vector(changes["ergonovine"], measure=wrong)
    with pytest.raises(es.EcgError, match="six axes, two rows of three planes; 1 were given"):
        plot.vector(changes["ergonovine"], axes=[Figure().add_subplot()])


def test_axes_of_the_caller_are_used(changes: dict[str, Comparison]) -> None:
    figure = Figure(figsize=(12, 8))
    own = figure.subplots(2, 3).ravel()
    assert plot.vector(changes["ergonovine"], axes=own) == (figure, tuple(own))
    single = figure.subfigures(1, 1).add_subplot()
    assert plot.st_bars(changes["ergonovine"], axes=single) == (figure, single)


def test_electrodes_that_stayed_on_make_the_band_narrower(ecgs: dict[str, es.Ecg], changes: dict[str, Comparison]) -> None:
    same = es.compare(ecgs["baseline"], ecgs["ergonovine"], electrodes="same")
    bands = [named(plot.st_bars(each)[1])["detectable-V2"].get_height() for each in (changes["ergonovine"], same)]
    assert bands[1] < 0.8 * bands[0]
    assert "same electrodes" in words(plot.st_bars(same)[0])


def test_two_people_of_ludb(real_data: Path) -> None:
    first, second, third = (es.read(real_data / "ludb" / "data" / f"{number}.hea") for number in (1, 8, 10))
    # At the onset of the narrow complex the broad one has begun: no level to measure its ST against.
    change = es.compare(first, second)
    assert change.state[change.leads.index("V1")].startswith("not_measurable: current: too noisy: ")
    for figure, _ in (plot.st_bars(change), plot.st_bars(change, measure="t_uv")):
        assert_readable(figure)
    assert_readable(plot.vector(es.compare(first, third))[0])


@pytest.mark.parametrize("name", NAMES)
def test_every_pair_of_the_index_case_can_be_read(ecgs: dict[str, es.Ecg], changes: dict[str, Comparison], name: str) -> None:
    assert_readable(plot.comparison(changes[name])[0])
    assert_readable(plot.st_bars(changes[name], measure="t_uv")[0])
    noise = np.random.default_rng(5).normal(0.0, 60.0, ecgs[name].signal_uv.shape)
    change = es.compare(ecgs["baseline"], replace(ecgs[name], signal_uv=ecgs[name].signal_uv + noise, source="long name " * 40))
    for figure, _ in (plot.comparison(change), plot.st_bars(change), plot.vector(change)):
        assert_readable(figure)


def test_a_spoilt_one_can_be_read(spoilt: Comparison) -> None:
    for figure, _ in (plot.comparison(spoilt), plot.st_bars(spoilt, measure="t_uv"), plot.ecg(spoilt.current.ecg)):  # type: ignore[union-attr]
        assert_readable(figure)
