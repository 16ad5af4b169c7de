"""From single ECGs, such as one a minute, to the series of a provocation test."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from ecgspasm.analysis import analyze
from ecgspasm.ecg import MEASURED, Analysis, Ecg, Floats, Measurements, Subject
from ecgspasm.errors import EcgError
from ecgspasm.provoking.averages import MEASURES
from ecgspasm.provoking.events import ProvocationEvent, seconds
from ecgspasm.provoking.series import Mask, Series, middle
from ecgspasm.provoking.settings import settings
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import Comparison
from ecgspasm.serial.person import check_one_person

Source = Ecg | Analysis | Measurements

_TECHNICAL = ("changed-leads", "changed-gain", "sampling-rate")
"""What makes an ECG another one: its values are set aside, so that the other ECGs still tell."""


@dataclass(frozen=True, eq=False)
class TimedEcg:
    """One ECG of a list: its time from the first one, and what came of it."""

    time_s: float
    measured: Analysis | Measurements | None
    reason: str = ""
    """Why it could not be measured."""

    @property
    def table(self) -> Measurements | None:
        """Its measurements."""
        return self.measured.measurements if isinstance(self.measured, Analysis) else self.measured


def timed(given: Sequence[Any]) -> tuple[list[TimedEcg], datetime | None, list[str]]:
    """Read a list of (time, ECG), in the order of time.

    Returns
    -------
    ecgs : list of TimedEcg
        Times in s from the first one if they are dates, else as given.
    origin : datetime or None
        The date of the first one.
    notes : list of str

    Raises
    ------
    EcgError
        If the list is empty, an entry is no (time, ECG), or dates and seconds are mixed.
    """
    pairs = [_pair(each) for each in given]
    if not pairs:
        raise EcgError("the list of ECGs is empty; give [(time, ecg), ...], the first of them from before the provocation")
    dates = [time for time, _ in pairs if isinstance(time, datetime)]
    if dates and len(dates) < len(pairs):
        raise EcgError("some ECGs have dates and some seconds; give the same for all")
    if len({date.tzinfo is None for date in dates}) > 1:
        raise EcgError("some ECGs have a time zone and some have none; give the same for all")
    origin = min(dates) if dates else None
    at = [seconds(time, origin, f"ECG {number}", dated=bool(dates)) for number, (time, _) in enumerate(pairs, start=1)]
    order = sorted(range(len(at)), key=at.__getitem__)
    notes = [] if order == list(range(len(at))) else ["the ECGs were not in the order of time (a clock jump?); they were sorted"]
    times = [at[place] for place in order]
    for first, second in itertools.pairwise(times):
        if second == first:
            notes.append(f"two ECGs at {first:g} s: both are kept")
        if second - first > settings("series")["apart_s"]:
            notes.append(f"{(second - first) / 3600.0:.1f} h between the ECGs at {first:g} and {second:g} s: a clock jump?")
    ecgs = [_measured(at[place], pairs[place][1]) for place in order]
    return ecgs, origin, notes


def _pair(each: Any) -> tuple[Any, Source]:
    if not isinstance(each, tuple | list) or len(each) != 2:
        raise EcgError(f"an entry of the list is a {type(each).__name__}; give (time, ecg)")
    if not isinstance(each[1], Ecg | Analysis | Measurements):
        raise EcgError(f"the ECG at {each[0]!r} is a {type(each[1]).__name__}; give an Ecg, an Analysis or Measurements")
    if isinstance(each[1], Measurements) and "st_j60_uv" not in each[1].values:
        raise EcgError(f"the table at {each[0]!r} has no st_j60_uv, at which ST is read; give it")
    return each[0], each[1]


def _measured(time_s: float, ecg: Source) -> TimedEcg:
    if not isinstance(ecg, Ecg):
        return TimedEcg(time_s, ecg)
    try:
        return TimedEcg(time_s, analyze(ecg))
    except EcgError as error:
        return TimedEcg(time_s, None, str(error))


def of_ecgs(ecgs: list[TimedEcg], first: ProvocationEvent, baseline: Source | None) -> Series:
    """Compare each ECG with the baseline.

    Raises
    ------
    EcgError
        If no ECG from before the first provoking event could be measured and no baseline was given.
    """
    before = np.array([each.time_s <= first.time_s for each in ecgs])
    if baseline is None:
        reference, words = _reference([each for each, early in zip(ecgs, before, strict=True) if early])
    elif isinstance(baseline, Ecg | Analysis | Measurements):
        reference, words = (analyze(baseline) if isinstance(baseline, Ecg) else baseline), "the given baseline"
    else:
        raise EcgError(f"the baseline is a {type(baseline).__name__}; beside a list give an Ecg, an Analysis or Measurements")
    own = reference.measurements if isinstance(reference, Analysis) else reference
    if baseline is not None:  # else each ECG is told by itself that it is of another person
        for table in filter(None, (each.table for each in ecgs)):
            check_one_person(own.subject, table.subject)
    compared: dict[int, Comparison] = {}
    failed = {row: each.reason for row, each in enumerate(ecgs) if each.measured is None}
    notes = []
    for row, each in enumerate(ecgs):
        if each.measured is None:
            continue
        try:
            compared[row] = compare(reference, each.measured, electrodes="same")
        except EcgError as error:
            failed[row] = str(error)
        notes += _other_leads(own, each)
    return _filled(ecgs, before, own, compared, failed, words, tuple(dict.fromkeys(notes)))


def _reference(early: list[TimedEcg]) -> tuple[Analysis | Measurements, str]:
    """Of the ECGs before the provocation the one that is most like their median; the last of two or fewer."""
    usable = [(each.measured, table, each.time_s) for each in early if each.measured is not None and (table := each.table)]
    if not usable:
        raise EcgError(f"no baseline: the ECG at {early[-1].time_s:g} s was not measured ({early[-1].reason}); give baseline=...")
    known = [sum(state == MEASURED for state in table.state) for _, table, _ in usable]
    best = [each for each, count in zip(usable, known, strict=True) if count == max(known)]
    chosen = best[-1]
    if len(best) > 2:
        leads = [lead for lead in best[0][1].leads if all(lead in table.leads for _, table, _ in best)]
        st = np.array([[table.get("st_j60_uv", lead) for lead in leads] for _, table, _ in best])
        chosen = best[int(np.argmin(np.nansum(np.abs(st - middle(st.T)[None]), axis=1)))]
    return chosen[0], f"the ECG at {chosen[2]:g} s"


def _other_leads(baseline: Measurements, each: TimedEcg) -> list[str]:
    measured = each.table
    assert measured is not None
    missing = [lead for lead in baseline.leads if lead not in measured.leads]
    new = [lead for lead in measured.leads if lead not in baseline.leads]
    notes = [f"the ECG at {each.time_s:g} s lacks {', '.join(missing)}"] if missing else []
    return notes + ([f"not in the baseline, so not judged: {', '.join(new)}"] if new else [])


def _filled(
    ecgs: list[TimedEcg],
    before: Mask,
    own: Measurements,
    compared: dict[int, Comparison],
    failed: dict[int, str],
    words: str,
    notes: tuple[str, ...],
) -> Series:
    """The comparisons as rows of a series."""
    leads, n_rows = own.leads, len(ecgs)
    names = [name for name in MEASURES if name in own.values and any(name in each.changes for each in compared.values())]
    shape = (len(leads), n_rows)
    value, change, se = ({name: np.full(shape, np.nan) for name in names} for _ in range(3))
    reason = np.full(shape, "not recorded", dtype="U120")
    rate, qrs = np.full(n_rows, np.nan), np.full(n_rows, np.nan)
    for row, why in failed.items():
        reason[:, row] = why
    for row, each in compared.items():
        rate[row], qrs[row] = each.measured["current"].rate_bpm, each.measured["current"].qrs_ms
        spoilt = next((text for name, text in each.confounders.items() if name in _TECHNICAL), "")
        at = [leads.index(lead) for lead in each.leads]
        states = [spoilt or state.removeprefix("not_measurable: ").replace(MEASURED, "") for state in each.state]
        reason[at, row] = states
        good = np.array([not state for state in states])
        for name in names:
            if name in each.changes:
                for table, part in zip((value, change, se), _parts(each, name), strict=True):
                    table[name][at, row] = np.where(good, part, np.nan)
    nothing = np.flatnonzero((reason != "").all(axis=0))
    set_aside = [f"the ECG at {ecgs[row].time_s:g} s is left out: {reason[0, row]}" for row in nothing]
    subject = next((each.measured["current"].subject for each in compared.values()), Subject())
    return Series(
        time_s=np.array([each.time_s for each in ecgs]),
        leads=leads,
        value=value,
        change=change,
        se=se,
        reason=reason,
        rate_bpm=rate,
        qrs_ms=qrs,
        is_baseline=before,
        baseline_words=words,
        start_s=ecgs[0].time_s,
        end_s=ecgs[-1].time_s,
        baseline_rate_bpm=own.rate_bpm,
        baseline_qrs_ms=own.qrs_ms,
        subject=subject,
        notes=(*notes, *set_aside),
        comparisons=compared,
    )


def _parts(each: Comparison, name: str) -> tuple[Floats, Floats, Floats]:
    """Value, change and its standard error; a lead without a U wave has one of no height."""
    change = each.changes[name]
    if name != "u_uv":
        return change.current, change.difference, change.measurement_se
    first, second = np.nan_to_num(change.baseline), np.nan_to_num(change.current)
    return second, second - first, np.nan_to_num(change.measurement_se)
