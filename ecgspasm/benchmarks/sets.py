"""LUDB and the QT database in their original PhysioNet layout, whole or in part, with their traps handled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgspasm.benchmarks.truth import WAVES, Truth, WaveTable, read_truth
from ecgspasm.ecg import Delineation, Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.io import read
from ecgspasm.io.wfdb.reader import read_digital

LUDB_RECORDS, QTDB_RECORDS = 200, 105
_EDGE_MS = 20.0  # a found boundary may lie that far outside the annotated stretch of a lead


@dataclass(frozen=True, eq=False)
class Case:
    """One record with the experts' waves by lead."""

    name: str
    ecg: Ecg
    truth: dict[str, Truth]


def ludb(folder: Path) -> Iterator[Case]:
    """Records of LUDB (``data/N.{hea,dat,i,ii,...}``), in the order of their numbers."""
    data = folder / "data" if (folder / "data").is_dir() else folder
    for header in sorted(data.glob("*.hea"), key=lambda path: (len(path.stem), path.stem)):
        ecg = read(header)
        yield Case(header.stem, ecg, {lead: read_truth(header.with_suffix(""), lead.lower()) for lead in ecg.leads})


def qtdb(folder: Path) -> Iterator[Case]:
    """Records of the QT database (``sel*.{hea,dat,q1c}``) that the first expert has annotated."""
    for header in sorted(folder.glob("*.hea")):
        if not header.with_suffix(".q1c").is_file():
            continue
        truth = read_truth(header.with_suffix(""), "q1c")
        ecg = _qtdb_signal(header)
        yield Case(header.stem, ecg, dict.fromkeys(ecg.leads, truth))


def _qtdb_signal(header: Path) -> Ecg:
    """QTDB names some leads ECG1 and ECG2 and leaves some uncalibrated; delineation needs neither name nor scale.

    The leads are called II and V5 whatever they are, and an uncalibrated signal is taken at 200 steps a mV.
    """
    digital = read_digital(str(header))
    gains = np.array([signal.gain or 200.0 for signal in digital.header.signals])
    baselines = np.array([signal.baseline or 0 for signal in digital.header.signals])
    signal = (np.asarray(digital.samples, dtype=float) - baselines[:, None]) / gains[:, None] * 1000.0
    if digital.header.fs is None:
        raise EcgError(f"{header.name} gives no sampling rate; fetch the record again")
    return Ecg(signal_uv=signal[:2], fs=digital.header.fs, leads=("II", "V5"), source=header.stem)


def waves_of(delineation: Delineation, row: int) -> dict[str, Floats]:
    """Found waves of one lead as rows ``(onset, peak, offset)``, in time order, absent ones left out."""
    tables = {}
    for name, waves in zip(WAVES, (delineation.p, delineation.qrs, delineation.t), strict=True):
        table = np.stack([waves.onset[row], waves.peak[row], waves.offset[row]], axis=1)
        if name == "P" and delineation.extra_p:
            table = np.concatenate([table, delineation.extra_p[row]])
        table = table[np.isfinite(table[:, 1])]
        tables[name] = table[np.argsort(table[:, 1])]
    u = delineation.u_peak[row]
    tables["U"] = np.stack([np.full(len(u), np.nan), u, np.full(len(u), np.nan)], axis=1)[np.isfinite(u)]
    return tables


def inside_annotated(found: WaveTable, truth: Truth, fs: float) -> dict[str, Floats]:
    """LUDB: only what lies between the first and last annotated boundary of the lead can be judged."""
    slack = _EDGE_MS * fs / 1000.0
    return {
        wave: table[(table[:, 1] >= truth.first - slack) & (table[:, 1] <= truth.last + slack)] for wave, table in found.items()
    }


def near_annotated_beats(found: WaveTable, truth: Truth) -> dict[str, Floats]:
    """QTDB: experts annotated some beats only; found waves count from -0.4 to +0.6 median RR around one of those."""
    beats = truth.waves["QRS"][:, 1]
    if len(beats) < 2:
        raise EcgError("fewer than two annotated beats; the record cannot be scored")
    rr = np.median(np.diff(beats))
    kept = {}
    for wave, table in found.items():
        apart = table[:, 1, None] - beats[None, :]
        kept[wave] = table[((apart >= -0.4 * rr) & (apart <= 0.6 * rr)).any(axis=1)]
    return kept
