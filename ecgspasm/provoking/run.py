"""Run a provocation test: from a recording or single ECGs and the events to its result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ecgspasm.ecg import Analysis, Ecg, Measurements
from ecgspasm.errors import EcgError
from ecgspasm.provoking.averages import Baseline, of_recording
from ecgspasm.provoking.definitions import halves, judged
from ecgspasm.provoking.ecgs import of_ecgs, timed
from ecgspasm.provoking.events import PROVOKING, ProvocationEvent, cycles, read_events
from ecgspasm.provoking.phases import phases
from ecgspasm.provoking.response import Response, responses
from ecgspasm.provoking.result import ProvocationTest
from ecgspasm.provoking.series import Series
from ecgspasm.provoking.settings import settings
from ecgspasm.provoking.words import clock
from ecgspasm.recording import Recording, is_number

Given = Recording | Ecg | Sequence[tuple[Any, Ecg | Analysis | Measurements]]


def provocation(
    given: Given,
    events: Iterable[tuple[Any, ...]],
    *,
    baseline: Baseline | None = None,
    average_s: float | None = None,
) -> ProvocationTest:
    """Say what a provocation did to the ECG, and what undid it.

    Parameters
    ----------
    given : Recording, Ecg, or sequence of (time, ECG)
        A recording that holds the whole test, 1 to 15 leads; or single ECGs (`Ecg`, `Analysis` or `Measurements`), such as one a
        minute, with their times in seconds or as datetimes.
    events : iterable of (time, text) or (time, text, kind)
        What was done when: seconds from the beginning of the recording (of a list: on the clock of its times), or datetimes.
        The kind, ``provoking``, ``relieving`` or ``other``, is told from the text (``events.toml``) unless it is given.
    baseline : Ecg, Analysis, Recording or Measurements, optional
        An ECG from before; without it, what lies before the first provoking event.
    average_s : float, optional
        Of a recording: length of the averages, 8 to 60 s; 16 s.

    Returns
    -------
    ProvocationTest
        Also when nothing was found or measured; an ECG that cannot be measured costs its own point of time, with the reason.

    Raises
    ------
    EcgError
        If no event provokes, one lies before the beginning, or there is no baseline.

    Examples
    --------
    >>> from ecgspasm.simulate import index_case
    >>> ecgs = index_case()
    >>> test = provocation(
    ...     [(0, ecgs["baseline"].ecg), (180, ecgs["ergonovine"].ecg), (420, ecgs["nitroglycerin"].ecg)],
    ...     events=[(60, "ergonovine"), (240, "nitroglycerin")],
    ... )
    >>> test.definition("covadis").verdict, test.definition("covadis").leads
    ('MET', ('V1', 'V2', 'V3', 'V4'))
    """
    if isinstance(given, Recording | Ecg):
        recording = Recording.of(given) if isinstance(given, Ecg) else given
        read, notes = read_events(events, recording.recorded_at, dated=None)
        _check_start(read, 0.0)
        if average_s is not None and not is_number(average_s):
            raise EcgError(f"average_s is {average_s!r}; give 8 to 60 s")
        average = settings("series")["average_s"] if average_s is None else float(average_s)
        return judge_series(of_recording(recording, _first(read), baseline, average), read, notes, average_s=average)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise EcgError(f"this is a {type(given).__name__}; give a Recording, an Ecg, or a list of (time, ecg)")
    ecgs, origin, told = timed(given)
    read, notes = read_events(events, origin, dated=origin is not None)
    _check_start(read, ecgs[0].time_s)
    if baseline is not None and isinstance(baseline, Recording):
        raise EcgError("the baseline is a Recording; beside a list give an Ecg, an Analysis or Measurements")
    return judge_series(of_ecgs(ecgs, _first(read), baseline), read, [*told, *notes])


def _first(events: list[ProvocationEvent]) -> ProvocationEvent:
    return next(each for each in events if each.kind == PROVOKING)


def _check_start(events: list[ProvocationEvent], start_s: float) -> None:
    early = next((each for each in events if each.time_s < start_s), None)
    if early is not None:
        raise EcgError(
            f"the event {early.text!r} at {early.time_s:g} s lies before the beginning at {start_s:g} s; "
            "give its time on the clock of the ECGs, or leave it out"
        )


def _doubts(series: Series, found: tuple[Response, ...]) -> list[str]:
    """Responses of ST that the monitor takes for something else."""
    pairs = [(each, series.doubt(each.row)) for each in found if each.name == "ST"]
    return [f"the {each.what} at {clock(each.extremum_s)}: {doubt}" for each, doubt in pairs if doubt is not None]


def judge_series(
    series: Series, events: list[ProvocationEvent], notes: Iterable[str] = (), *, average_s: float | None = None
) -> ProvocationTest:
    """Judge values over time, wherever they come from.

    Parameters
    ----------
    series : Series
    events : list of ProvocationEvent
        In the order of time, one of them provoking; see `read_events`.
    notes : iterable of str
        What was already noticed.
    average_s : float, optional
        Length of the averages that the values were measured in.
    """
    late = [
        f"{each.text!r} at {each.time_s:g} s lies after the end at {series.end_s:g} s"
        for each in events
        if each.time_s > series.end_s
    ]
    found = cycles(events)
    parts = phases(series, events)
    seen = responses(series, found)
    findings = judged(series, parts)
    return ProvocationTest(
        events=tuple(events),
        phases=parts,
        responses=seen,
        definitions=halves(series, findings, found, seen),
        judged=findings,
        series=series,
        notes=(*notes, *late, *series.notes, *_doubts(series, seen)),
        subject=series.subject,
        source=series.source,
        average_s=average_s,
    )
