"""The picture of a trend, by its artists: what is shaded when, that no gap is bridged and no extremum lost, and what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecgspasm.continuous.definitions import DEFAULT, chosen, definitions
from ecgspasm.continuous.episode import KINDS, Episode
from ecgspasm.continuous.find import Levels, find
from ecgspasm.continuous.monitor import Monitor
from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.trend import Interruption, Trend, to_steps
from ecgspasm.errors import EcgError
from ecgspasm.leads import STANDARD
from ecgspasm.plot import save
from ecgspasm.plot.lanes import envelope
from ecgspasm.plot.trend_sheet import MEASURES
from ecgspasm.plot.trend_sheet import trend as draw
from tests.pictures import assert_readable, named

Shape = Callable[[np.ndarray], Any]


def ramp(start_s: float, stop_s: float, uv: float) -> Shape:
    """A change that comes and goes within a fifth of its length."""
    edge = (stop_s - start_s) / 5.0
    return lambda t: uv * np.interp(t, [start_s, start_s + edge, stop_s - edge, stop_s], [0.0, 1.0, 1.0, 0.0])


def monitored(
    changes: dict[str, Shape] | None = None,
    *,
    leads: Iterable[str] = ("V2", "V3"),
    duration_s: float = 1800.0,
    gaps: dict[str, tuple[float, float]] | None = None,
    t_share: float = 0.0,
    **more: Any,
) -> Monitoring:
    """A trend with such changes of ST in some leads (of T: so many times those), and the episodes found in it."""
    leads = tuple(leads)
    time_s = np.arange(0.0, duration_s, 4.0)
    rng = np.random.default_rng(1)
    values = 20.0 + rng.normal(0.0, 3.0, (len(Trend.names), len(leads), len(time_s)))
    for lead, change in (changes or {}).items():
        for place, name in enumerate(Trend.names):
            values[place, leads.index(lead)] += change(time_s) * (1.0 if name.startswith("st") else 0.0)
            values[place, leads.index(lead)] += change(time_s) * (t_share if name == "t_positive_uv" else 0.0)
    missing = np.zeros((len(leads), len(time_s)), dtype=bool)
    for lead, (start, stop) in (gaps or {}).items():
        missing[leads.index(lead)] |= (time_s >= start) & (time_s < stop)
    values[:, missing] = np.nan
    picture_s = np.arange(32.0, duration_s, 64.0)
    fs = settings("average")["kept_fs_hz"]
    ms = (np.arange(100) - 40) * 1000.0 / fs
    beat = 1000.0 * np.exp(-((ms / 15.0) ** 2)) + 250.0 * np.exp(-(((ms - 280.0) / 50.0) ** 2)) + 300.0
    beats = np.repeat(np.repeat(beat[None, None], len(leads), axis=1), len(picture_s), axis=0)
    for lead, change in (changes or {}).items():
        beats[:, leads.index(lead), 50:80] += change(picture_s)[:, None]
    at = np.searchsorted(time_s, picture_s).clip(max=len(time_s) - 1)
    beats[missing[:, at].T] = 0.0
    seen = Trend(
        leads=leads,
        time_s=time_s,
        rate_bpm=np.full(len(time_s), 70.0, np.float32),
        steps=to_steps(values),
        se_uv=np.full(missing.shape, 3.0, np.float16),
        qrs_ms=np.full(len(time_s), 90.0, np.float32),
        shape=np.ones((3, *missing.shape), np.float32),
        shape_s=time_s,
        picture_s=picture_s,
        beat_uv=np.concatenate([beats, np.zeros((*beats.shape[:2], 30))], axis=2).astype(np.int16),
        r_index=np.full(len(picture_s), 40.0, np.float32),
    )
    levels = Levels(seen)
    episodes = sorted((each for rule in chosen(DEFAULT) for each in find(levels, rule)), key=lambda each: each.onset_s)
    given = {
        "episodes": tuple(episodes),
        "reference": dict.fromkeys(leads, "own quiet stretch"),
        "interruptions": tuple(Interruption(*span, (lead,), "electrode off") for lead, span in (gaps or {}).items()),
    } | more
    return Monitoring(leads=leads, duration_s=duration_s, trend=seen, levels=levels, **given)


@pytest.fixture(scope="module")
def attack() -> Monitoring:
    """An elevation in V2 and V3, then a smaller depression in V3, with T in the first."""
    both = ramp(600.0, 900.0, 300.0), ramp(1200.0, 1400.0, -150.0)
    return monitored({"V2": ramp(600.0, 900.0, 200.0), "V3": lambda t: both[0](t) + both[1](t)}, t_share=1.2)


def words(axes: Axes) -> str:
    return "\n".join(each.get_text() for each in axes.texts)


def seconds(axes: Axes, x: Any) -> Any:
    """Times at places of the axis, told by its own ticks."""
    ticks = sorted((line.get_xdata()[0], float(name.partition("-")[2])) for name, line in named(axes, "time-").items())
    (x0, s0), (x1, s1) = ticks[0], ticks[-1]
    return s0 + (np.asarray(x, dtype=float) - x0) * (s1 - s0) / (x1 - x0)


def span(axes: Axes, gid: str) -> tuple[float, float]:
    patch = named(axes, gid)[gid]
    return tuple(seconds(axes, [patch.get_x(), patch.get_x() + patch.get_width()]))


def test_a_row_a_lead_with_its_name_level_and_limits(attack: Monitoring) -> None:
    figure, axes = draw(attack)
    assert set(named(axes, "trend-")) == {"trend-V2", "trend-V3"}
    said = words(axes)
    for part in ("V2", "quiet 20 µV", "+100", "−100", "time, min", "rate, /min", "±100 µV (european-st)", "I: ischemic ramp (2)"):
        assert part in said
    limit = definitions()["european-st"].peak_uv
    lines = [line for line in axes.lines if line.get_gid() == "limit-V3"]
    zero = named(axes, "zero-V3")["zero-V3"].get_ydata()[0]
    up, down = sorted((line.get_ydata()[0] - zero for line in lines), reverse=True)
    assert up == pytest.approx(-down)
    top = np.max(named(axes, "trend-V3")["trend-V3"].get_ydata())
    assert (top - zero) / up * limit == pytest.approx(np.nanmax(attack.deviation_uv()[1]), abs=0.5)
    assert_readable(figure)


def test_episodes_are_shaded_in_their_leads_at_their_times(attack: Monitoring) -> None:
    _, axes = draw(attack)
    st = {place: each for place, each in enumerate(attack.episodes) if each.measure == "ST"}
    assert sorted(each.leads for each in st.values()) == [("V2", "V3"), ("V3",)]
    expected = {f"episode-{place}-{lead}" for place, each in st.items() for lead in each.leads}
    assert set(named(axes, "episode-")) == expected
    for place, each in st.items():
        for lead, part in each.by_lead.items():
            assert span(axes, f"episode-{place}-{lead}") == pytest.approx((part.onset_s, part.end_s), abs=0.5)
            dot = named(axes, f"extremum-{place}-{lead}")[f"extremum-{place}-{lead}"]
            assert seconds(axes, dot.get_xdata()[0]) == pytest.approx(part.extremum_s, abs=0.5)
    assert {f"bar-{place}" for place in st} == set(named(axes, "bar-"))


def test_the_measure_decides_which_episodes_are_shaded(attack: Monitoring) -> None:
    _, axes = draw(attack, measure="t_net_uv")
    measures = {attack.episodes[int(name.split("-")[1])].measure for name in named(axes, "episode-")}
    assert measures == {"T"}
    assert "±200 µV (european-t)" in words(axes)
    assert "not shaded: 2 × ST" in words(axes)
    _, axes = draw(attack, measure="u_uv")
    assert not named(axes, "episode-")
    assert "−30 µV (covadis-negative-u)" in words(axes)
    assert len([line for line in axes.lines if line.get_gid() == "limit-V2"]) == 1  # that definition asks for negative U only
    assert "no U episode" in words(axes)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_can_be_drawn(attack: Monitoring, measure: str) -> None:
    figure, _ = draw(attack, measure=measure)
    assert_readable(figure)


def test_a_gap_is_grey_and_not_bridged() -> None:
    seen = monitored({"V2": ramp(600.0, 900.0, 200.0)}, gaps={"V3": (400.0, 1000.0)})
    figure, axes = draw(seen)
    line = named(axes, "trend-V3")["trend-V3"]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata(), float)
    at = seconds(axes, x)
    assert np.isnan(y[(at > 400.0) & (at < 995.0)]).all()
    assert np.isnan(y[(at > 400.0) & (at < 995.0)]).any()
    (box,) = named(axes, "gap-V3")["gap-V3"].get_paths()
    assert tuple(seconds(axes, box.get_extents().intervalx)) == pytest.approx((398.0, 1000.0), abs=3.0)
    assert not named(axes, "gap-V2")["gap-V2"].get_paths()
    assert "V3: electrode off, 0:10:00" in words(axes)
    assert_readable(figure)


def test_late_samples_are_no_gap_and_lost_ones_are() -> None:
    lost = Interruption(100.0, 160.0, (), "no samples came")
    late = Interruption(700.0, 760.0, (), "late samples, 3 of them still in time")
    _, axes = draw(monitored(interruptions=(lost, late)))
    for lead in ("V2", "V3"):
        (box,) = named(axes, f"gap-{lead}")[f"gap-{lead}"].get_paths()
        assert tuple(seconds(axes, box.get_extents().intervalx)) == pytest.approx((100.0, 160.0), abs=0.5)


def test_kinds_differ_by_letter_and_hatching() -> None:
    found = monitored({"V3": ramp(600.0, 900.0, 300.0)}).episodes
    first = next(each for each in found if each.measure == "ST")
    episodes = [replace(moved(first, 250.0 * place - 550.0), kind=kind) for place, kind in enumerate(KINDS)]
    figure, axes = draw(monitored(episodes=tuple(episodes)))
    boxes = named(axes, "kind-")
    assert set(boxes) == {"kind-I", "kind-R", "kind-P", "kind-C", "kind-A"}
    assert len({box.get_hatch() for box in boxes.values()}) == len(KINDS)
    assert len({box.get_facecolor() for box in boxes.values()}) == len(KINDS)
    for place, kind in enumerate(KINDS):
        assert f": {kind} (1)" in words(axes)
        assert named(axes, "episode-")[f"episode-{place}-V3"].get_facecolor() in {box.get_facecolor() for box in boxes.values()}
    labels = {name: each.get_text() for name, each in named(axes, "label-").items()}
    assert labels == {"label-0": "I1", "label-1": "R2", "label-2": "P3", "label-3": "C4", "label-4": "A5"}
    assert_readable(figure)


def moved(episode: Episode, by_s: float) -> Episode:
    """The same later."""
    at = {name: getattr(episode, name) + by_s for name in ("onset_s", "extremum_s", "end_s")}
    return replace(episode, **at, by_lead={})


def test_a_line_is_thinned_without_losing_an_extremum_or_a_gap() -> None:
    rng = np.random.default_rng(2)
    x = np.linspace(0.0, 180.0, 200_000)
    y = rng.normal(0.0, 1.0, len(x))
    y[[77, 123_456, 199_999]] = 50.0, -60.0, 70.0
    y[50_000:60_000] = np.nan
    few_x, few_y = envelope(x, y, 0.2)
    assert len(few_x) < 3_000
    assert (np.diff(few_x) >= 0.0).all()
    assert {50.0, -60.0, 70.0} <= set(few_y)
    assert few_x[few_y.tolist().index(-60.0)] == x[123_456]
    inside = (few_x > x[50_000]) & (few_x < x[59_999])
    assert inside.any()
    assert np.isnan(few_y[inside]).all()
    for edge in np.arange(0.0, 180.0, 20.0):
        rows, few = (x >= edge) & (x < edge + 20.0), (few_x >= edge) & (few_x < edge + 20.0)
        assert (np.nanmin(few_y[few]), np.nanmax(few_y[few])) == (np.nanmin(y[rows]), np.nanmax(y[rows]))


def test_a_lone_value_between_gaps_is_a_dash() -> None:
    x, y = envelope(np.arange(5.0), np.array([1.0, np.nan, 7.0, np.nan, 2.0]), 0.5)
    assert x.tolist() == [0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 4.0, 4.5]
    assert y[3:5].tolist() == [7.0, 7.0]


def test_a_day_of_twelve_leads_is_few_points_and_keeps_its_spike(tmp_path: Any) -> None:
    changes = {lead: ramp(3600.0 * k + 600.0, 3600.0 * k + 1200.0, 250.0) for k, lead in enumerate(STANDARD)}
    many = {lead: (lambda t, own=own: own(t) + 900.0 * (t == 40_000.0)) for lead, own in changes.items()}
    figure, axes = draw(monitored(many, leads=STANDARD, duration_s=86_400.0))
    assert sum(len(line.get_xdata()) for line in axes.lines) < 60_000
    for lead in STANDARD:
        marks = named(axes, f"above-{lead}")[f"above-{lead}"].get_xdata()
        assert seconds(axes, marks) == pytest.approx([40_000.0], abs=100.0)
    assert words(axes).count("cut off: to +") == 12
    assert "24:00" in words(axes)
    assert "time, h:mm" in words(axes)
    assert_readable(figure)
    save(figure, tmp_path / "day.svg")
    assert (tmp_path / "day.svg").stat().st_size < 1_500_000


def test_many_episodes_stay_readable_and_the_largest_has_its_label() -> None:
    starts = np.arange(600.0, 85_000.0, 700.0)
    peak = 200.0 + 300.0 * (starts == starts[50])
    bumps = [ramp(start, start + 300.0, uv) for start, uv in zip(starts, peak, strict=True)]
    seen = monitored({"V2": lambda t: np.sum([bump(t) for bump in bumps], axis=0)}, duration_s=86_400.0)
    assert len(seen.episodes) > 100
    figure, axes = draw(seen)
    assert len(named(axes, "episode-")) == len(seen.episodes)
    largest = max(range(len(seen.episodes)), key=lambda place: abs(seen.episodes[place].extremum_uv))
    label = named(axes, f"label-{largest}")[f"label-{largest}"].get_text()
    assert f"{label}: ST +" in words(axes)
    assert f"{len(seen.episodes) - len(named(axes, 'bar-'))} only shaded, without a label" in words(axes)
    assert_readable(figure)


@pytest.mark.parametrize(("count", "tallest_mm"), [(1, 130.0), (2, 150.0), (12, 250.0), (15, 270.0)])
def test_sheets_are_as_high_as_they_need(count: int, tallest_mm: float) -> None:
    leads = (*STANDARD, "V7", "V8", "V9")[:count]
    figure, _ = draw(monitored({lead: ramp(600.0, 900.0, 700.0) for lead in leads}, leads=leads))
    assert 80.0 < figure.get_size_inches()[1] * 25.4 < tallest_mm
    assert_readable(figure)


def test_beats_of_the_largest_episode_lie_over_a_quiet_one(attack: Monitoring) -> None:
    _, axes = draw(attack)
    assert set(named(axes, "current-")) == {"current-V2", "current-V3"}
    now, before = (named(axes, f"{name}-V3")[f"{name}-V3"].get_xydata() for name in ("current", "reference"))
    assert now[np.argmax(now[:, 1]), 0] == before[np.argmax(before[:, 1]), 0]  # aligned at R
    first = [line for line in axes.lines if line.get_gid() in ("at-current", "at-reference")]
    when = {line.get_gid(): float(seconds(axes, line.get_xdata()[0])) for line in first}
    assert 600.0 < when["at-current"] < 900.0
    assert when["at-reference"] < 600.0
    per_mv = before[:, 1].max() - before[0, 1]  # its R wave is 1 mV
    assert (now[:, 1] - before[:, 1]).max() == pytest.approx(0.3 * per_mv, rel=0.05)
    assert np.abs(now[:10, 1] - before[:10, 1]).max() < 0.1  # both at the level before QRS
    assert "I1: ST +30" in words(axes)
    assert "quiet stretch: beat of 0:0" in words(axes)


def test_without_an_episode_only_a_reference_beat() -> None:
    figure, axes = draw(monitored(leads=STANDARD))
    assert not named(axes, "current-")
    assert set(named(axes, "reference-")) == {"reference-II", "reference-V2", "reference-V5"}
    assert "no ST episode" in words(axes)
    assert "no episode in 30 min" in words(axes)
    assert_readable(figure)


def test_a_lead_lost_at_the_extremum_shows_an_earlier_beat() -> None:
    seen = monitored({"V3": ramp(600.0, 1200.0, 300.0)}, gaps={"V3": (900.0, 1800.0)})
    _, axes = draw(seen)
    assert np.isfinite(named(axes, "current-V3")["current-V3"].get_ydata()).all()


def test_a_baseline_is_told() -> None:
    seen = monitored({"V3": ramp(600.0, 900.0, 300.0)}, reference={"V2": "own quiet stretch", "V3": "baseline"})
    _, axes = draw(seen)
    assert "baseline 20 µV" in words(axes)
    assert "quiet 20 µV" in words(axes)
    assert "not of the baseline" in words(axes).replace("\n", " ")
    _, axes = draw(seen, measure="st_j40_uv")  # no definition asks for it, so the baseline does not tell it
    assert "baseline 20" not in words(axes)


def test_leads_can_be_chosen_in_any_order_and_spelling(attack: Monitoring) -> None:
    _, axes = draw(attack, leads=["v3", "V2", "V3"])
    tops = {name: np.nanmean(line.get_ydata()) for name, line in named(axes, "zero-").items()}
    assert sorted(tops, key=tops.__getitem__, reverse=True) == ["zero-V3", "zero-V2"]
    _, axes = draw(attack, leads="V2")
    assert set(named(axes, "trend-")) == {"trend-V2"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"measure": "qt_ms"}, "no measure 'qt_ms' to draw; give one of st_uv, t_uv"),
        ({"measure": "st_slope_uv_per_s"}, "no measure 'st_slope_uv_per_s'"),
        ({"leads": ["V9"]}, "no lead 'V9'; this recording has V2, V3"),
        ({"leads": []}, "no lead was given; this recording has V2, V3"),
    ],
)
def test_what_there_is_not_is_said_in_a_line(attack: Monitoring, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(EcgError) as error:
        draw(attack, **asked)
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("gaps", [{"V2": (0.0, 1e9), "V3": (0.0, 1e9)}, None])
def test_nothing_measured_is_an_axes_with_the_reason(gaps: dict[str, tuple[float, float]] | None) -> None:
    seen = monitored(gaps=gaps) if gaps else Monitor(250, ["V2", "V3"]).finish()
    figure, axes = draw(seen)
    assert "NOT MEASURED: " in words(axes)
    assert not named(axes, "trend-")
    assert_readable(figure)


def test_a_lead_without_any_value_keeps_its_row() -> None:
    figure, axes = draw(monitored(gaps={"V3": (0.0, 1e9)}))
    assert "not measured" in words(axes)
    assert {"trend-V2", "trend-V3"} == set(named(axes, "trend-"))
    assert_readable(figure)
    _, axes = draw(monitored(gaps={"V3": (0.0, 1e9)}), leads=["V3"])
    assert "electrode off" in words(axes)


@pytest.mark.parametrize(
    ("duration_s", "unit", "last"),
    [(120.0, "s", "120"), (1800.0, "min", "30"), (36_000.0, "h:mm", "10:00"), (6e5, "h:mm", "144:00")],
)
def test_the_unit_of_time_fits(duration_s: float, unit: str, last: str) -> None:
    figure, axes = draw(monitored(duration_s=duration_s, leads=["V2"]))
    assert f"time, {unit}" in words(axes)
    assert last in words(axes).split("\n")
    assert_readable(figure)


def test_axes_of_the_caller_are_used(attack: Monitoring) -> None:
    own = Figure().add_subplot()
    figure, axes = draw(attack, axes=own)
    assert axes is own
    assert figure is own.figure
