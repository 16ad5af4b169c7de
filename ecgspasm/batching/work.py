"""One record, or one pair, to the rows of the long table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from ecgspasm.analysis import analyze
from ecgspasm.batching.rows import INTERVALS, Rows, Task, failed
from ecgspasm.criteria import Criterion, load_criteria
from ecgspasm.ecg import MEASURED, MEASURES, SHAPES, Analysis, Ecg, Measurements
from ecgspasm.errors import EcgError
from ecgspasm.io import read
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import IN_FRAME, MET, NOT_MET, Change, Comparison, Finding
from ecgspasm.serial.person import check_ages, check_one_person, years_between


def do(what: str, task: Task, electrodes: str, criteria: str | None) -> Rows:
    """Measure or compare; whatever is wrong with the record becomes its row."""
    if task.reason:
        return failed(task.reason)
    try:
        if what == "measure":
            return _measured(_analysis(task.current))
        return _compared(task, electrodes, _criteria(criteria))
    except EcgError as error:
        return failed(str(error))
    except MemoryError:
        return failed("it needs more memory than the limit allows; read shorter pieces or raise memory_limit_mb")
    # one record must never cost the others: what nobody foresaw is told by its kind
    except Exception as error:
        return failed(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")


# a person's baseline is often compared with several later ECGs, which stand together in a list
@lru_cache(maxsize=2)
def _analysis(path: str) -> Analysis:
    return analyze(read(path))


@lru_cache(maxsize=1)
def _criteria(path: str | None) -> tuple[Criterion, ...]:
    return load_criteria(path)


def _measured(found: Analysis) -> Rows:
    rows = Rows()
    _recording(rows, found, "")
    _intervals(rows, found.measurements, "")
    told = found.measurements
    for measure in MEASURES:
        if measure in told.values:
            values = told.values[measure]
            rows.add(measure, told.leads, values, told.se.get(measure), _states(told.state, values))
    known = [state == MEASURED for state in told.state]
    shapes = [SHAPES.index(str(shape)) if own else np.nan for shape, own in zip(told.t_shape, known, strict=True)]
    states = [str(shape) if own else state for shape, state, own in zip(told.t_shape, told.state, known, strict=True)]
    rows.add("t_shape", told.leads, shapes, None, states)
    return rows


def _recording(rows: Rows, found: Analysis, prefix: str) -> None:
    rows.add(f"{prefix}duration_s", [""], [found.ecg.duration_s])
    rows.add(f"{prefix}fs_hz", [""], [found.ecg.fs])


def _intervals(rows: Rows, told: Measurements, prefix: str) -> None:
    for name in INTERVALS:
        rows.add(f"{prefix}{name}", [""], [getattr(told, name)])
    rows.add(f"{prefix}n_beats", [""], [told.n_beats])


def _states(states: Sequence[str], values: Iterable[float]) -> list[str]:
    """A lead's own state, or ``absent`` where it was measured and has no such wave."""
    return ["absent" if state == MEASURED and value != value else state for state, value in zip(states, values, strict=True)]


def _compared(task: Task, electrodes: str, criteria: tuple[Criterion, ...]) -> Rows:
    first, second = _dated(_analysis(task.baseline), task.baseline_at), _dated(_analysis(task.current), task.current_at)
    check_one_person(first.ecg.subject, second.ecg.subject)
    _check_in_order(task, first.ecg, second.ecg)
    found = compare(first, second, electrodes=electrodes, criteria=criteria)  # type: ignore[arg-type]
    rows = Rows()
    for name, each in (("baseline_", found.baseline), ("current_", found.current)):
        assert each is not None
        _intervals(rows, each.measurements, name)
    for measure in IN_FRAME:
        if measure in found.changes:
            _change(rows, found, measure, found.changes[measure])
    for finding in (*found.findings, *found.definitions):
        _finding(rows, finding)
    rows.add("score", [""], [found.score.probability], None, [found.score.reason or MEASURED])
    for name, evidence in found.confounders.items():
        rows.add(f"confounder:{name}", [""], [1.0], None, [evidence])
    return rows


def _change(rows: Rows, found: Comparison, measure: str, change: Change) -> None:
    for name, values in (("baseline", change.baseline), ("current", change.current)):
        rows.add(f"{name}_{measure}", found.leads, values, None, _states(found.state, values))
    rows.add(f"change_{measure}", found.leads, change.difference, change.se, _states(found.state, change.difference))


def _finding(rows: Rows, finding: Finding) -> None:
    """The verdict as 1, 0 or nan; beside it territory and leads, or the reason why it is open."""
    value = {MET: 1.0, NOT_MET: 0.0}.get(finding.verdict, float("nan"))
    said = finding.verdict
    if finding.verdict == MET and finding.leads:
        said = f"{MET} {finding.territory or 'unnamed'}: {' '.join(finding.leads)}"
    elif value != value:
        said = f"{finding.verdict} {finding.reason}"
    rows.add(f"finding:{finding.criterion}", [""], [value], None, [said])


def _dated(found: Analysis, given: str) -> Analysis:
    """With the time that the list tells; without one, or where it tells only the day of it, with the recording's own."""
    own = found.ecg.recorded_at
    if not given or (_a_day(given) and own is not None and own.date() == datetime.fromisoformat(given).date()):
        return found
    return replace(found, ecg=replace(found.ecg, recorded_at=datetime.fromisoformat(given)))


def _a_day(given: str) -> bool:
    return 0 < len(given) <= len("2024-05-31")


def _check_in_order(task: Task, first: Ecg, second: Ecg) -> None:
    """Refuse what cannot be one person's earlier and later ECG."""
    before, after = first.recorded_at, second.recorded_at
    years = years_between(before, after)
    if before is not None and after is not None:
        by_day = _a_day(task.baseline_at) or _a_day(task.current_at)
        if after.date() < before.date() if by_day else years is not None and years < 0:
            times = f"{after:%Y-%m-%d %H:%M}) is older than its baseline ({before:%Y-%m-%d %H:%M}"
            raise EcgError(f"the current ECG ({times}); swap them")
    check_ages(first.subject, second.subject, years)
