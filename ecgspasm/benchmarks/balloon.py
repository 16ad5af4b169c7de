"""Balloon inflation as a provocation test whose cause and times are known (STAFF III): onset, and recovery after deflation.

Both layouts of `staffiii` are read. The recording before the inflation is the baseline where there is enough of it, the person's
baseline record where there is not. The baseline record itself, with an inflation that was none in its middle, tells how often a
change is found where nothing was done.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.benchmarks.staffiii import artery_of, measured_pairs
from ecgspasm.benchmarks.staffiii_sheet import read_inflation, read_protocols
from ecgspasm.ecg import Ecg, Floats, Measurements, number
from ecgspasm.errors import EcgError
from ecgspasm.io import read
from ecgspasm.provoking import ProvocationTest, judge_series, provocation
from ecgspasm.provoking.averages import of_beats
from ecgspasm.provoking.events import ProvocationEvent
from ecgspasm.provoking.response import FIRST_ROW, FOUND, HALF, RELIEVED, Response
from ecgspasm.provoking.series import Series, middle

LARGE_UV = 100.0
"""Persons whose ST changes by more than this are asked for an onset..."""
LASTS_S = 20.0
"""... as the median over this time, in any lead, while the balloon is inflated."""
WITHIN_S = 30.0
"""An onset within so long of the inflation counts as found in time."""
AFTER_S = 60.0
"""Recovery is asked of those recorded for so long after the deflation."""

Watch = Callable[[Iterable["Case"], int], Iterable["Case"]]


@dataclass(frozen=True, eq=False)
class Case:
    """One person: the inflation, and a baseline record in which nothing happened."""

    patient: str
    artery: str
    begin_s: float
    end_s: float
    own_baseline: bool
    test: ProvocationTest
    sham: ProvocationTest | None


@dataclass(frozen=True)
class Inflation:
    """What was found in one person; times in s, ``nan`` where there are none."""

    patient: str
    artery: str
    own_baseline: bool
    change_uv: float
    """Largest sustained change of ST in any lead during the inflation."""
    onset: str
    """State of the onset; empty where there was no response."""
    delay_s: float
    leads: str
    extremum_uv: float
    watched_s: float
    """How long was recorded after the deflation."""
    relief: str
    relief_s: float
    half_s: float
    sham: bool | None
    """Whether a change was found in the baseline record."""

    @property
    def large(self) -> bool:
        """Whether an onset is asked for."""
        return self.change_uv > LARGE_UV

    @property
    def in_time(self) -> bool:
        """Whether the onset was found within 30 s of the inflation."""
        return self.onset in (FOUND, FIRST_ROW) and self.delay_s <= WITHIN_S

    @property
    def recovered(self) -> bool:
        """Whether the change fell below half after the deflation, or before it."""
        return self.relief in (RELIEVED, HALF)


@dataclass(frozen=True, eq=False)
class BalloonScore:
    """The figures of all persons."""

    inflations: tuple[Inflation, ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; shares in %, times in s."""
        large = [each for each in self.inflations if each.large]
        found = [each for each in large if each.onset in (FOUND, FIRST_ROW)]
        own = [each for each in large if each.own_baseline]
        asked = [each for each in large if each.onset and each.watched_s >= AFTER_S]
        shams = [each for each in self.inflations if each.sham is not None]
        return {
            "persons": len(self.inflations),
            "above_100_uv": len(large),
            "onset_within_30_s": _share(each.in_time for each in large),
            "onset_within_30_s_own_baseline": _share(each.in_time for each in own),
            "own_baseline": len(own),
            "onset_found": _share(bool(each.onset) for each in large),
            "from_first_measurement": sum(each.onset == FIRST_ROW for each in large),
            "before_the_mark": sum(each.delay_s < 0 for each in found),
            "onset_delay_s": _spread(each.delay_s for each in found),
            "recovery_asked": len(asked),
            "recovery_seen": _share(each.recovered for each in asked),
            "recovery_half_s": _spread(each.half_s for each in asked),
            "recovery_s": _spread(each.relief_s for each in asked),
            "sham_records": len(shams),
            "sham_response": _share(bool(each.sham) for each in shams),
            "late_or_missed": [
                {
                    "patient": each.patient,
                    "artery": each.artery,
                    "change_uv": number(each.change_uv),
                    "onset": each.onset or None,
                    "delay_s": number(each.delay_s),
                }
                for each in large
                if not each.in_time
            ],
            "not_recovered": [each.patient for each in asked if not each.recovered],
        }

    def to_frame(self) -> Any:
        """One row a person."""
        import pandas as pd

        return pd.DataFrame([vars(each) for each in self.inflations], columns=[each.name for each in fields(Inflation)])

    def __str__(self) -> str:
        told = self.to_dict()
        lines = [f"{told['persons']} persons, {told['above_100_uv']} whose ST changed by more than 100 uV; of these:"]
        rows = {
            "onset within 30 s of the inflation, %": told["onset_within_30_s"],
            f"  the same, {told['own_baseline']} with their own baseline before it, %": told["onset_within_30_s_own_baseline"],
            "response found at all, %": told["onset_found"],
            "delay of the onset, s": told["onset_delay_s"],
            "  of them before the mark, persons": told["before_the_mark"],
            "  changed from the first measurement on, persons": told["from_first_measurement"],
            f"recovery seen, {told['recovery_asked']} recorded for 60 s after deflation, %": told["recovery_seen"],
            "half-way after, s": told["recovery_half_s"],
            "below 50 uV after, s": told["recovery_s"],
            f"response to no inflation, {told['sham_records']} baseline records, %": told["sham_response"],
        }
        lines += [f"{name:<66}{_cell(each):>24}" for name, each in rows.items()]
        late = [f"{row['patient']} ({row['onset'] or 'none'}, {row['delay_s']} s)" for row in told["late_or_missed"]]
        return "\n".join([*lines, f"late or missed: {', '.join(late) or 'none'}"])


def score_balloon(folder: Path, *, watch: Watch = lambda cases, total: cases, average_s: float | None = None) -> BalloonScore:
    """Find onset and recovery in all inflations of a folder.

    Parameters
    ----------
    folder : Path
        STAFF III in its original layout, or as a folder of per-beat measurements.
    watch : callable, optional
        Goes round the persons while they are scored.
    average_s : float, optional
        As for `provocation`.

    Raises
    ------
    EcgError
        If the folder is neither.
    """
    return BalloonScore(tuple(_scored(case) for case in watch(cases(folder, average_s), 104)))


def cases(folder: Path, average_s: float | None = None) -> Iterator[Case]:
    """All persons of a folder, in either layout."""
    return _measured(folder, average_s) if (folder / "measures.npz").is_file() else _recorded(folder, average_s)


def _events(begin_s: float, end_s: float) -> list[ProvocationEvent]:
    return [
        ProvocationEvent(begin_s, "balloon inflation", "provoking", "balloon inflation"),
        ProvocationEvent(end_s, "balloon deflation", "relieving", "balloon inflation"),
    ]


def _measured(folder: Path, average_s: float | None) -> Iterator[Case]:
    """Persons of a folder of per-beat measurements."""
    with np.load(folder / "measures.npz", allow_pickle=False) as found:
        tables = {name: found[name] for name in found.files}
    rows = list(csv.DictReader((folder / "pairs.csv").read_text(encoding="utf-8").splitlines()))
    baselines = {pair.patient: pair.baseline for pair in measured_pairs(folder)}
    for row in rows:
        begin = float(row["inflation_begin_s"])
        end = begin + float(row["inflation_duration_s"])
        baseline = baselines[row["patient"]]
        assert isinstance(baseline, Measurements)
        try:
            series, own = _beats(tables, row["inflation"], begin, None, average_s), True
        except EcgError:
            series, own = _beats(tables, row["inflation"], begin, baseline, average_s), False
        test = judge_series(series, _events(begin, end))
        yield Case(row["patient"], artery_of(row["site"]), begin, end, own, test, _sham(tables, row["baseline"], average_s))


def _beats(
    tables: dict[str, NDArray[Any]], record: str, begin_s: float, baseline: Measurements | None, average_s: float | None
) -> Series:
    names = [str(lead) for lead in tables["leads"]]
    sign = np.array([-1.0 if name.startswith("-") else 1.0 for name in names])[:, None]
    values = {measure: tables[f"{record}_{key}"] * sign for measure, key in (("st_j60_uv", "st"), ("t_uv", "ta"))}
    return of_beats(
        tables[f"{record}_t_ms"] / 1000.0,
        tuple(name.lstrip("-") for name in names),
        values,
        _events(begin_s, np.inf)[0],
        baseline=baseline,
        average_s=average_s,
        source=record,
    )


def _sham(tables: dict[str, NDArray[Any]], record: str, average_s: float | None) -> ProvocationTest:
    """The baseline record with an inflation in its middle that was none."""
    middle_s = float(tables[f"{record}_t_ms"][-1]) / 2000.0
    return judge_series(_beats(tables, record, middle_s, None, average_s), _events(middle_s, np.inf)[:1])


def _recorded(folder: Path, average_s: float | None) -> Iterator[Case]:
    """Persons of the original layout; one whose recordings cannot be used is left out."""
    data = folder / "data" if (folder / "data").is_dir() else folder
    for protocol in read_protocols(folder):
        paths = [data / f"{name}.hea" for name in (*protocol.baselines[-1:], protocol.inflation)]
        if len(paths) < 2 or not all(path.is_file() for path in paths):
            continue
        begin, end = read_inflation(data / protocol.inflation)
        base, occlusion = (read(path) for path in paths)
        marks = [(begin, "balloon inflation"), (end, "balloon deflation")]
        try:
            test, own = provocation(occlusion, marks, average_s=average_s), True
        except EcgError:
            test, own = provocation(occlusion, marks, baseline=base, average_s=average_s), False
        yield Case(protocol.patient, artery_of(protocol.site), begin, end, own, test, _recorded_sham(base, average_s))


def _recorded_sham(base: Ecg, average_s: float | None) -> ProvocationTest | None:
    try:
        return provocation(base, [(base.duration_s / 2.0, "nothing", "provoking")], average_s=average_s)
    except EcgError:  # a record too short to hold a baseline
        return None


def _scored(case: Case) -> Inflation:
    response = next((each for each in case.test.responses if each.name == "ST"), None)
    after_s = case.test.series.end_s - case.end_s
    change = _largest(case.test.series, case.begin_s, case.end_s)
    sham = None if case.sham is None else any(each.name == "ST" for each in case.sham.responses)
    nan = float("nan")
    if response is None:
        return Inflation(case.patient, case.artery, case.own_baseline, change, "", nan, "", nan, after_s, "", nan, nan, sham)
    return Inflation(
        patient=case.patient,
        artery=case.artery,
        own_baseline=case.own_baseline,
        change_uv=change,
        onset=response.onset.state,
        delay_s=response.onset.delay_s,
        leads=" ".join(response.leads),
        extremum_uv=response.extremum_uv,
        watched_s=after_s,
        relief=response.relief.state,
        relief_s=_since(response, response.relief.time_s, case.end_s),
        half_s=_since(response, response.relief.half_s, case.end_s),
        sham=sham,
    )


def _since(response: Response, time_s: float, end_s: float) -> float:
    """A time of recovery after the deflation; ``nan`` where it came before or by itself."""
    return time_s - end_s if response.relief.after is not None else float("nan")


def _largest(series: Series, begin_s: float, end_s: float) -> float:
    """Largest change of ST that lasted, in any lead, during the inflation; found without the search for responses."""
    time, change = series.time_s, series.change["st_j60_uv"]
    largest = 0.0
    for row in np.flatnonzero((time >= begin_s) & (time + LASTS_S <= end_s + 1.0)):
        part = change[:, (time >= time[row]) & (time <= time[row] + LASTS_S)]
        part = np.where((2 * np.isfinite(part).sum(axis=1) > part.shape[1])[:, None], part, np.nan)
        largest = max(largest, float(np.nan_to_num(np.abs(middle(part))).max()))
    return largest


def _share(answers: Iterable[bool]) -> float | None:
    every = list(answers)
    return round(100.0 * sum(every) / len(every), 1) if every else None


def _spread(values: Iterable[float]) -> dict[str, float | None]:
    known: Floats = np.array([each for each in values if np.isfinite(each)])
    if not len(known):
        return {"n": 0, "median": None, "q1": None, "q3": None}
    low, mid, high = np.percentile(known, [25, 50, 75])
    return {"n": len(known), "median": number(float(mid)), "q1": number(float(low)), "q3": number(float(high))}


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "-" if value["median"] is None else f"{value['median']:g} ({value['q1']:g}..{value['q3']:g}), n {value['n']}"
    return "-" if value is None else f"{value:g}"
