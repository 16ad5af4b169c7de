"""Entries of a course: what cannot be is refused in one line; what the attacks say of a drug follows from when they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.course import Course, CourseEcg, CourseEpisode, Exposure, MonitoredPeriod

A, B = 10.0, 20.0
"""The drug is begun and stopped on these days."""


def attack(day: float, count: int = 1) -> CourseEpisode:
    return CourseEpisode(time=day, leads=("V2", "V3"), count=count)


def course(*, episodes: tuple[CourseEpisode, ...] = (), again: bool = False, suspect: bool = True, **more: Any) -> Course:
    role: Any = "suspect" if suspect else "other"
    exposures = [Exposure("a drug", start=A, stop=B, role=role)]
    exposures += [Exposure("a drug", start=40.0, stop=50.0, role=role)] if again else []
    return Course(exposures=tuple(exposures), episodes=episodes, **more)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: attack(1.0, count=0), "give a whole number from 1 on"),
        (lambda: attack(1.0, count=1.5), "give a whole number from 1 on"),  # type: ignore[arg-type]
        (lambda: CourseEpisode(time=1.0, duration_s=-1.0), "give 0 or more"),
        (lambda: CourseEpisode(time=1.0, duration_s="long"), "give a number"),  # type: ignore[arg-type]
        (lambda: CourseEpisode(time=1.0, duration_s=float("inf")), "give a number, or leave the key out"),
        (lambda: CourseEpisode(time=1.0, kind="a headache"), "the choices are"),  # type: ignore[arg-type]
        (lambda: CourseEpisode(time=1.0, symptoms="pain"), "give a list of texts"),  # type: ignore[arg-type]
        (lambda: CourseEpisode(time=1.0, at_least=1), "give true or false"),  # type: ignore[arg-type]
        (lambda: CourseEcg(time=1.0, source=""), "give the path of the ECG"),
        (lambda: MonitoredPeriod(start=1.0, episodes=(7,)), "give a CourseEpisode"),  # type: ignore[arg-type]
        (lambda: MonitoredPeriod(start=1.0, episodes="some"), "give a list of CourseEpisode"),  # type: ignore[arg-type]
        (lambda: course(subject="a man"), "give a Subject"),
        (lambda: course(subject=es.Subject(age=True)), "give years"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(made: Any, says: str) -> None:
    with pytest.raises(es.EcgError) as caught:
        made()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_a_suspect_drug_nothing_can_be_said() -> None:
    plain = course(suspect=False)
    for found in (plain.dechallenge(), plain.rechallenge()):
        assert found.verdict == "not assessable"
        assert found.reason == "the course has no suspect drug"
    with pytest.raises(es.EcgError, match="is no suspect drug of this course; the suspects are none"):
        plain.dechallenge("a drug")


def test_attacks_that_became_fewer_after_withdrawal_are_a_positive_dechallenge() -> None:
    found = course(
        episodes=(attack(12.0, 3),), periods=(MonitoredPeriod(B + 1, duration_h=240.0, how="reported", attacks="fewer"),)
    ).dechallenge("a drug")
    assert found.verdict == "positive"
    assert "became fewer" in found.reason


@pytest.mark.parametrize("told", ["as before", "more"])
def test_attacks_that_went_on_after_withdrawal_are_a_negative_dechallenge(told: Any) -> None:
    found = course(
        episodes=(attack(12.0, 3),), periods=(MonitoredPeriod(B + 1, duration_h=240.0, how="reported", attacks=told),)
    ).dechallenge("a drug")
    assert found.verdict == "negative"
    assert "went on" in found.reason


def test_reports_that_contradict_each_other_decide_nothing() -> None:
    told: tuple[tuple[float, Any], ...] = ((B + 1, "none"), (B + 8, "more"))
    periods = tuple(MonitoredPeriod(day, duration_h=120.0, how="reported", attacks=attacks) for day, attacks in told)
    found = course(episodes=(attack(12.0, 3),), periods=periods).dechallenge("a drug")
    assert found.verdict == "not assessable"
    assert "contradicts itself" in found.reason


def test_a_drug_without_attacks_before_says_nothing_when_stopped_or_given_again() -> None:
    silent = course(again=True, periods=(MonitoredPeriod(B + 1, duration_h=240.0, how="reported", attacks="none"),))
    for found in (silent.dechallenge("a drug"), silent.rechallenge("a drug")):
        assert found.verdict == "not assessable"
        assert "no attack" in found.reason


def test_withdrawals_that_disagree_decide_nothing() -> None:
    periods = (
        MonitoredPeriod(B + 1, duration_h=240.0, how="reported", attacks="none"),
        MonitoredPeriod(51.0, duration_h=240.0, how="reported", attacks="more"),
    )
    found = course(episodes=(attack(12.0, 3), attack(42.0, 3)), again=True, periods=periods).dechallenge("a drug")
    assert found.verdict == "not assessable"
    assert "they disagree" in found.reason


# --- trends -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trend() -> Any:
    return es.monitor(es.simulate.ecg(fs=250, seed=3, duration_s=90.0, leads=["II", "V2"], noise_uv=5.0).ecg).trend


def test_measures_of_a_trend_are_those_that_follow_from_others(trend: Any) -> None:
    up, down = trend.get("t_positive_uv"), trend.get("t_negative_uv")
    np.testing.assert_allclose(trend.get("t_net_uv"), up + down)
    larger = np.where(np.abs(up) >= np.abs(down), up, down)
    np.testing.assert_allclose(trend.get("t_uv"), larger)
    slope = (trend.get("st_j80_uv") - trend.get("st_j20_uv")) / 0.06
    np.testing.assert_allclose(trend.get("st_slope_uv_per_s"), slope, rtol=1e-4, atol=1e-2)
    assert trend.get("r_uv").shape == trend.get("t_uv").shape


def test_a_measure_that_a_trend_lacks_is_refused(trend: Any) -> None:
    with pytest.raises(es.EcgError, match="no measure 'st_j90_uv' in a trend; give st_uv"):
        trend.get("st_j90_uv")


def test_a_beat_is_given_where_one_was_kept_and_refused_far_from_it(trend: Any) -> None:
    beat, r = trend.beat_at(45.0)
    assert beat.shape[0] == 2
    assert 0 <= r < beat.shape[1]
    with pytest.raises(es.EcgError, match="no averaged beat near 9000 s"):
        trend.beat_at(9000.0)


def test_a_trend_as_a_table_has_a_row_a_time_and_lead(trend: Any) -> None:
    frame = trend.to_frame()
    assert len(frame) == len(trend.time_s) * len(trend.leads)
    own = frame[frame["lead"] == "V2"]
    np.testing.assert_allclose(own["st_j60_uv"], trend.get("st_j60_uv")[trend.leads.index("V2")])
    np.testing.assert_allclose(own["time_s"], trend.time_s)


def test_no_more_is_measured_than_there_is() -> None:
    found = es.monitor(es.simulate.ecg(fs=250, seed=3, duration_s=6.0, leads=["II", "V2"]).ecg)
    assert 0.0 <= found.measured_s <= 6.0
    assert found.trend.get("r_uv").shape == (2, len(found.trend.time_s))
