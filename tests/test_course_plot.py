"""The timeline of a course: every entry has its mark, words do not lie on each other, and nothing runs off the sheet."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecgspasm.course import Course, CourseEcg, CourseEpisode, Exposure, MonitoredPeriod, Provocation
from ecgspasm.plot.course_sheet import course as timeline
from tests.pictures import assert_readable, named

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "index-case" / "course.toml"


def words(axes: Axes) -> str:
    return "\n".join(each.get_text() for each in axes.texts)


def busy() -> Course:
    """Two weeks with dates, long names, missing files and attacks side by side."""
    start = datetime(2018, 3, 1)

    def at(hours: float) -> datetime:
        return start + timedelta(hours=hours)

    return Course(
        title="A busy course " * 12,
        exposures=[
            Exposure("sorafenib", start=at(0), stop=at(240), dose="400 mg", washout_h=48),
            Exposure(
                "sorafenib", start=at(240), stop=at(480), dose="800 mg in words that are much longer than their bar is wide"
            ),
            Exposure("a drug whose name is far too long for its place", role="other", dose="1"),
        ],
        ecgs=[CourseEcg(at(470 + 5 * k), "missing.hea", symptoms=("chest pain", "dyspnoea", "sweating")) for k in range(6)],
        periods=[
            MonitoredPeriod(at(240), 240, [CourseEpisode(at(250 + 20 * k), leads=("V1", "V2"), count=2) for k in range(9)]),
            MonitoredPeriod(at(481), 1),
            MonitoredPeriod(at(482.5), 1, attacks="none"),
        ],
        provocations=[Provocation(at(500), "acetylcholine", "negative")],
    )


def test_the_index_case_is_drawn_with_all_its_entries() -> None:
    course = Course.load(SHIPPED)
    figure, axes = timeline(course)
    assert set(named(axes, "exposure-")) == {f"exposure-{k}" for k in range(5)}
    assert set(named(axes, "ecg-")) == {f"ecg-{row.ecg.name}" for row in course.changes()}
    assert set(named(axes, "period-")) == {"period-0", "period-1", "period-2"}
    assert len(named(axes, "episode-")) == 4
    assert set(named(axes, "provocation-")) == {"provocation-0"}
    said = words(axes)
    for part in ("Naranjo 9 points, definite", "sorafenib", "nifedipine", "V1-V3", "ergonovine", "chest pain", "Simulated ECGs"):
        assert part in said
    assert_readable(figure)


def test_marks_and_bars_lie_at_their_times_and_changed_ones_are_full() -> None:
    course = Course.load(SHIPPED)
    _, axes = timeline(course)
    ecgs = {name: mark.get_xdata()[0] for name, mark in named(axes, "ecg-").items()}
    order = ["baseline", "presentation", "ergonovine", "nitroglycerin", "recurrence"]
    assert [ecgs[f"ecg-{name}"] for name in order] == sorted(ecgs.values())
    sorafenib = [bar for name, bar in named(axes, "exposure-").items() if course.exposures[int(name[9:])].drug == "sorafenib"]
    first, second = sorted(sorafenib, key=lambda bar: bar.get_x())
    assert ecgs["ecg-baseline"] < first.get_x() < ecgs["ecg-presentation"] < first.get_x() + first.get_width()
    assert second.get_x() < ecgs["ecg-recurrence"] < second.get_x() + second.get_width()
    marks = named(axes, "ecg-")
    assert marks["ecg-recurrence"].get_markerfacecolor() != marks["ecg-nitroglycerin"].get_markerfacecolor()
    assert sum(line.get_gid() == "break" for line in axes.lines) == 2  # the two months before are shortened


@pytest.mark.parametrize("many", [0, 40])
def test_a_busy_course_stays_readable(many: int) -> None:
    course = busy()
    extra = [CourseEpisode(datetime(2018, 3, 2) + timedelta(hours=5 * k), kind="symptoms") for k in range(many)]
    figure, axes = timeline(
        Course(**{name: getattr(course, name) for name in ("title", "exposures", "ecgs", "periods")}, episodes=extra)
    )
    assert_readable(figure)
    assert len(named(axes, "episode-")) == many + 9
    assert figure.get_size_inches()[1] < 12.0


@pytest.mark.parametrize("course", [Course(), Course(exposures=[Exposure("a", start=3)]), Course(episodes=[CourseEpisode(1)])])
def test_nearly_nothing_can_be_drawn(course: Course) -> None:
    figure, _ = timeline(course)
    assert_readable(figure)


def test_axes_of_the_caller_are_used() -> None:
    own = Figure().add_subplot()
    figure, axes = timeline(Course.load(SHIPPED), axes=own)
    assert axes is own
    assert figure is own.figure
