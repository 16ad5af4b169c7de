"""STAFF III: the ECG of coronary occlusion (a balloon inflated in one artery) against the same person's baseline.

Two layouts are read: the original one of PhysioNet (``data/NNNx.{hea,dat,event}`` and the annotation sheet), whose waveforms are
measured here, and a folder of per-beat measurements (``measures.npz``, ``pairs.csv``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgspasm.analysis import analyze
from ecgspasm.benchmarks.staffiii_sheet import Protocol, read_inflation, read_protocols
from ecgspasm.ecg import Analysis, Ecg, Floats, Measurements
from ecgspasm.errors import EcgError
from ecgspasm.io import read

LAST_S = 30.0
"""Positives: the last 30 s of the inflation, against the whole baseline record. Negatives: the last 30 s of the baseline..."""

FIRST_S = 60.0
"""... against its first 60 s."""

ARTERIES = {"lad": "LAD", "rca": "RCA", "cir": "LCx", "leftmain": "left main"}


@dataclass(frozen=True, eq=False)
class OcclusionPair:
    """One person: baseline and occlusion, and the begin and end of the baseline as a pair in which nothing has happened."""

    patient: str
    artery: str
    baseline: Measurements | Analysis
    occlusion: Measurements | Analysis
    quiet_first: Measurements | Analysis
    quiet_last: Measurements | Analysis
    other_baseline: Measurements | Analysis | None = None
    """Another baseline record of the person, where there is one."""


def artery_of(site: str) -> str:
    """The artery of a site such as ``proxlad``, ``dist circ`` or ``Left main``; an EcgError if it names none."""
    key = site.lower().replace(" ", "")
    for part, artery in ARTERIES.items():
        if part in key:
            return artery
    raise EcgError(f"the site {site!r} names no artery; write LAD, RCA, circ or left main in it")


def pairs(folder: Path) -> Iterator[OcclusionPair]:
    """All persons of a folder, in either layout."""
    if (folder / "measures.npz").is_file():
        return measured_pairs(folder)
    return recorded_pairs(folder)


def measured_pairs(folder: Path) -> Iterator[OcclusionPair]:
    """Persons of a folder with per-beat measurements (``measures.npz`` and ``pairs.csv``)."""
    try:
        with np.load(folder / "measures.npz", allow_pickle=False) as found:
            tables = {name: found[name] for name in found.files}
        rows = list(csv.DictReader((folder / "pairs.csv").read_text(encoding="utf-8").splitlines()))
    except (OSError, ValueError) as error:
        raise EcgError(f"{folder} holds no readable measures.npz and pairs.csv: {error}") from error
    for row in rows:
        begin = float(row["inflation_begin_s"])
        end = begin + float(row["inflation_duration_s"])
        base, occlusion = (_BeatTable(tables, row[name]) for name in ("baseline", "inflation"))
        last = base.time_s[-1]
        yield OcclusionPair(
            patient=row["patient"],
            artery=artery_of(row["site"]),
            baseline=base.between(0.0, last),
            occlusion=occlusion.last_before(end, begin),
            quiet_first=base.between(0.0, base.time_s[0] + FIRST_S),
            quiet_last=base.between(last - LAST_S, last),
        )


class _BeatTable:
    """Per-beat ST and T of one record."""

    def __init__(self, tables: dict[str, NDArray[np.generic]], record: str) -> None:
        try:
            self.time_s = np.asarray(tables[f"{record}_t_ms"], dtype=float) / 1000.0
            self.values = {"st_j60_uv": tables[f"{record}_st"], "t_uv": tables[f"{record}_ta"]}
        except KeyError as error:
            raise EcgError(f"measures.npz has no {error.args[0]!r}; pairs.csv names record {record}") from error
        self.leads = [str(lead) for lead in tables["leads"]]

    def last_before(self, end_s: float, begin_s: float) -> Measurements:
        """The last half minute with beats before the balloon is let down: recordings pause, and some end, before that."""
        before = self.time_s[(self.time_s <= end_s) & (self.time_s >= begin_s)]
        end_s = min(end_s, float(before[-1])) if len(before) else end_s
        return self.between(max(end_s - LAST_S, begin_s), end_s)

    def between(self, start_s: float, end_s: float) -> Measurements:
        """Medians over the beats of a stretch, with their standard errors."""
        inside = (self.time_s >= start_s) & (self.time_s <= end_s)
        leads = [lead.lstrip("-") for lead in self.leads]
        sign = np.array([-1.0 if lead.startswith("-") else 1.0 for lead in self.leads])
        middle, error = {}, {}
        for name, values in self.values.items():
            part = np.asarray(values[:, inside], dtype=float) * sign[:, None]
            middle[name], error[name] = _median(part)
        rate = 60.0 / float(np.median(np.diff(self.time_s[inside]))) if inside.sum() > 1 else float("nan")
        return Measurements.from_table(leads, middle, se=error, rate_bpm=rate, n_beats=int(inside.sum()))


def _median(values: Floats) -> tuple[Floats, Floats]:
    """Median over beats and its standard error, shape (lead,); ``nan`` where no beat was measured."""
    known = np.isfinite(values)
    middle, error = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for row in np.flatnonzero(known.any(axis=1)):
        own = values[row, known[row]]
        middle[row] = np.median(own)
        error[row] = 1.2533 * 1.4826 * np.median(np.abs(own - middle[row])) / np.sqrt(len(own))
    return middle, error


def recorded_pairs(folder: Path) -> Iterator[OcclusionPair]:
    """Persons of the original layout: their waveforms are measured here.

    A record that cannot be measured in the stretch that is asked for gives measurements that say so.
    """
    data = folder / "data" if (folder / "data").is_dir() else folder
    for protocol in read_protocols(folder):
        pair = _recorded(data, protocol)
        if pair is not None:
            yield pair


def _recorded(data: Path, protocol: Protocol) -> OcclusionPair | None:
    """One person's pair; ``None`` where a part of the data set lacks the person's records."""
    paths = [data / f"{name}.hea" for name in (*protocol.baselines, protocol.inflation)]
    if not protocol.baselines or not all(path.is_file() for path in paths):
        return None
    begin_s, end_s = read_inflation(data / protocol.inflation)
    *others, base, occlusion = (read(path) for path in paths)
    return OcclusionPair(
        patient=protocol.patient,
        artery=artery_of(protocol.site),
        baseline=analyze(base),
        occlusion=analyze(_part(occlusion, max(begin_s, end_s - LAST_S), end_s)),
        quiet_first=analyze(_part(base, 0.0, FIRST_S)),
        quiet_last=analyze(_part(base, base.duration_s - LAST_S, base.duration_s)),
        other_baseline=analyze(others[-1]) if others else None,
    )


def _part(ecg: Ecg, start_s: float, end_s: float) -> Ecg:
    low, high = round(max(start_s, 0.0) * ecg.fs), round(end_s * ecg.fs)
    return replace(ecg, signal_uv=ecg.signal_uv[:, low:high])
