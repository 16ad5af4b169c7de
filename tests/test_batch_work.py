"""What becomes of one record of a batch, without the processes around it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import ecgspasm as es
from ecgspasm.batching import work
from ecgspasm.batching.rows import INTERVALS, Rows, Task
from ecgspasm.batching.work import do
from ecgspasm.ecg import MEASURES, SHAPES, Subject

CASE = es.simulate.index_case()
BEFORE, AFTER = CASE["baseline"].ecg, CASE["ergonovine"].ecg


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    work._analysis.cache_clear()
    yield
    work._analysis.cache_clear()


def given(monkeypatch: pytest.MonkeyPatch, **ecgs: Any) -> None:
    """Let these ECGs, or errors, be what is read from paths of their names."""

    def read(path: str) -> es.Ecg:
        found = ecgs[path]
        if isinstance(found, BaseException):
            raise found
        assert isinstance(found, es.Ecg)
        return found

    monkeypatch.setattr(work, "read", read)


def measured(path: str = "x") -> Rows:
    return do("measure", Task(path, current=path), "fresh", None)


def compared(**task: str) -> Rows:
    return do("compare", Task("pair", baseline="before", current="after", **task), "fresh", None)


def column(rows: Rows, measure: str) -> dict[str, tuple[float, float, str]]:
    """Value, error and state of a measure by lead."""
    return {
        lead: (value, se, state)
        for name, lead, value, se, state in zip(rows.measure, rows.lead, rows.value, rows.se, rows.state, strict=True)
        if name == measure
    }


def reason(rows: Rows) -> str:
    """Why a record failed."""
    assert (rows.measure, rows.lead) == (["error"], [""])
    assert math.isnan(rows.value[0])
    return rows.state[0]


def test_rows_are_what_analyze_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    signal = AFTER.signal_uv.copy()
    signal[AFTER.index("V6")] = 0.0
    ecg = replace(AFTER, signal_uv=signal)
    given(monkeypatch, x=ecg)
    rows, told = measured(), es.analyze(ecg).measurements
    assert column(rows, "duration_s") == {"": (ecg.duration_s, pytest.approx(math.nan, nan_ok=True), "measured")}
    assert column(rows, "fs_hz")[""][0] == ecg.fs
    for name in (*INTERVALS, "n_beats"):
        assert column(rows, name)[""][0] == pytest.approx(getattr(told, name), nan_ok=True)
    for measure in MEASURES:
        found = column(rows, measure)
        assert list(found) == list(told.leads)
        for lead, (value, se, state) in found.items():
            at = told.leads.index(lead)
            assert value == pytest.approx(told.get(measure, lead), nan_ok=True)
            assert se == pytest.approx(told.se[measure][at] if measure in told.se else math.nan, nan_ok=True)
            assert state == told.state_of(measure, lead)
    shapes = column(rows, "t_shape")
    assert shapes["V6"][2].startswith("not_measurable: flat")
    assert math.isnan(shapes["V6"][0])
    assert SHAPES[int(shapes["V3"][0])] == shapes["V3"][2] == told.t_shape[told.leads.index("V3")]


def test_rows_of_a_pair_are_what_compare_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, before=BEFORE, after=AFTER)
    rows, change = compared(), es.compare(BEFORE, AFTER)
    for measure, each in change.changes.items():
        if f"change_{measure}" not in rows.measure:
            continue
        for lead, (value, se, _) in column(rows, f"change_{measure}").items():
            at = change.leads.index(lead)
            assert (value, se) == (pytest.approx(each.difference[at], nan_ok=True), pytest.approx(each.se[at], nan_ok=True))
            assert column(rows, f"baseline_{measure}")[lead][0] == pytest.approx(each.baseline[at], nan_ok=True)
            assert column(rows, f"current_{measure}")[lead][0] == pytest.approx(each.current[at], nan_ok=True)
    values = {"MET": 1.0, "NOT_MET": 0.0, "UNDECIDED": math.nan}
    verdicts = set()
    for finding in (*change.findings, *change.definitions):
        ((value, _, state),) = column(rows, f"finding:{finding.criterion}").values()
        assert value == pytest.approx(values[finding.verdict], nan_ok=True)
        assert state.startswith(finding.verdict)
        assert all(lead in state for lead in finding.leads) or finding.verdict != "MET"
        verdicts.add(finding.verdict)
    assert {"MET", "NOT_MET"} <= verdicts
    assert column(rows, "score")[""][0] == change.score.probability
    assert column(rows, "baseline_rate_bpm")[""][0] == pytest.approx(change.measured["baseline"].rate_bpm)


def test_what_is_open_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = es.simulate.ecg(fs=500, seed=3, noise_uv=400.0).ecg
    given(monkeypatch, before=BEFORE, after=noisy)
    rows = compared()
    open_ones = [state for name, state in zip(rows.measure, rows.state, strict=True) if name.startswith("finding:new")]
    assert open_ones
    assert all(state.startswith("UNDECIDED ") and len(state) > len("UNDECIDED ") for state in open_ones)


def test_a_swap_is_told_with_its_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    order = [BEFORE.index(lead) for lead in BEFORE.leads]
    v1, v5 = BEFORE.index("V1"), BEFORE.index("V5")
    order[v1], order[v5] = order[v5], order[v1]
    given(monkeypatch, before=BEFORE, after=replace(BEFORE, signal_uv=BEFORE.signal_uv[order]))
    rows = compared()
    told = {name: state for name, state in zip(rows.measure, rows.state, strict=True) if name.startswith("confounder:")}
    assert told
    assert all(len(state) > 10 for state in told.values())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (es.EcgError("x holds no ECG; give another"), "x holds no ECG; give another"),
        (MemoryError(), "it needs more memory than the limit allows; read shorter pieces or raise memory_limit_mb"),
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (KeyError("k" * 300), "KeyError: '" + "k" * 199),
    ],
)
def test_what_is_wrong_with_a_record_becomes_its_row(monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    given(monkeypatch, x=error, before=BEFORE, after=error)
    assert reason(measured()) == reason(compared()) == said


def test_what_was_decided_before_is_not_read() -> None:
    assert reason(do("measure", Task("x", reason="there is no file x"), "fresh", None)) == "there is no file x"


def of(ecg: es.Ecg, sex: str | None = None, age: float | None = None, at: datetime | None = None) -> es.Ecg:
    return replace(ecg, subject=Subject(sex=sex, age=age), recorded_at=at)  # type: ignore[arg-type]


YEAR_2020, YEAR_2022 = datetime(2020, 1, 1), datetime(2022, 1, 1)


@pytest.mark.parametrize(
    ("before", "after", "task", "said"),
    [
        ({"sex": "male"}, {"sex": "female"}, {}, "'male' at the baseline and 'female' at the current ECG"),
        ({"at": YEAR_2022}, {"at": YEAR_2020}, {}, r"\(2020-01-01 00:00\) is older than its baseline \(2022-01-01 00:00\); swap"),
        ({}, {"at": YEAR_2020}, {"baseline_at": "2021-05-06T07:08"}, "is older than its baseline"),
        ({"at": YEAR_2020}, {"at": YEAR_2022}, {"current_at": "2019-01-01"}, "is older than its baseline"),
        ({"at": YEAR_2022}, {"at": YEAR_2020}, {"baseline_at": "2022-01-02"}, "is older than its baseline"),
        ({"age": 60.0}, {"age": 57.9}, {}, "the person was 60 at the baseline and 57.9 at the current ECG"),
        ({"age": 60.0, "at": YEAR_2020}, {"age": 64.1, "at": YEAR_2022}, {}, "60 at the baseline and 64.1"),
    ],
)
def test_what_cannot_be_one_person_in_order_is_refused(
    monkeypatch: pytest.MonkeyPatch, before: Any, after: Any, task: dict[str, str], said: str
) -> None:
    given(monkeypatch, before=of(BEFORE, **before), after=of(AFTER, **after))
    with pytest.raises(es.EcgError, match=said):
        raise es.EcgError(reason(compared(**task)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"sex": "male"}, {}),
        ({}, {"sex": "female", "age": 30.0}),
        ({"sex": "male"}, {"sex": "male"}),
        ({"at": YEAR_2020}, {"at": YEAR_2020}),
        (
            {"at": YEAR_2022},
            {"at": YEAR_2020.replace(tzinfo=UTC)},
        ),  # of a clock with and one without a zone neither is the earlier
        ({"age": 60.0}, {"age": 58.0}),
        ({"age": 60.0}, {"age": 80.0}),  # nobody knows how many years lie between
        ({"age": 60.0, "at": YEAR_2020}, {"age": 64.0, "at": YEAR_2022}),
    ],
)
def test_what_may_be_one_person_is_compared(monkeypatch: pytest.MonkeyPatch, before: Any, after: Any) -> None:
    given(monkeypatch, before=of(BEFORE, **before), after=of(AFTER, **after))
    assert "score" in compared().measure


def test_a_baseline_is_measured_once_for_several_ecgs_of_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reads: list[str] = []
    ecgs = {"before": BEFORE, "after": AFTER, "later": CASE["nitroglycerin"].ecg}
    monkeypatch.setattr(work, "read", lambda path: reads.append(path) or ecgs[path])
    for current in ("after", "later"):
        do("compare", Task(current, baseline="before", current=current), "fresh", None)
    assert reads == ["before", "after", "later"]


def test_the_times_of_the_list_count_before_those_of_the_ecgs(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, before=of(BEFORE, at=YEAR_2022), after=of(AFTER, at=YEAR_2022))
    assert "confounder:old-baseline" not in compared().measure
    assert "confounder:old-baseline" in compared(baseline_at="2005-01-01").measure


def test_a_day_without_its_hour_tells_nothing_within_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, before=of(BEFORE, at=YEAR_2022.replace(hour=14)), after=of(AFTER))
    assert "score" in compared(current_at="2022-01-01").measure
    assert "score" in compared(baseline_at="2022-01-01", current_at="2022-01-01").measure
    assert "is older than its baseline" in reason(compared(current_at="2022-01-01T13:00"))
