"""Reading LUDB, QTDB and NSTDB for training and scoring (wfdb, numpy)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import resample_poly

LUDB_LEADS = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
BEATS = set("NABVFQLRJSEje/fr!n?")
WAVES = ("P", "QRS", "T", "U")


@dataclass
class Record:
    """One annotated recording.

    ``waves[lead][wave]`` is a float array (k, 3) of onset, peak, offset in samples, nan where not
    marked. ``spans[lead]`` is (k, 2): where the annotation is complete.
    """

    name: str
    fs: float
    signal: NDArray[np.float32]  # (lead, sample), uV
    waves: list[dict[str, NDArray[np.float64]]]
    spans: list[NDArray[np.float64]]
    convention: str
    unsure: list[NDArray[np.float64]] = field(default_factory=list)  # (k, 2) per lead, masked


def parse(samples: NDArray[np.int64], symbols: list[str]) -> dict[str, NDArray[np.float64]]:
    """Annotation marks to waves (k, 3)."""
    found: dict[str, list[tuple[float, float, float]]] = {w: [] for w in WAVES}
    n = len(symbols)
    for i, s in enumerate(symbols):
        wave = {"p": "P", "t": "T", "u": "U"}.get(s, "QRS" if s in BEATS else "")
        if not wave:
            continue
        onset = float(samples[i - 1]) if i and symbols[i - 1] == "(" else np.nan
        offset = float(samples[i + 1]) if i + 1 < n and symbols[i + 1] == ")" else np.nan
        found[wave].append((onset, float(samples[i]), offset))
    return {w: np.array(v, float).reshape(-1, 3) for w, v in found.items()}


def _unsure(waves: dict[str, NDArray[np.float64]], wave_onset_gap: float) -> NDArray[np.float64]:
    """Stretches whose label is unknown because a boundary was not marked."""
    edges = np.concatenate([w[:, [0, 2]].ravel() for w in waves.values()])
    edges = np.sort(edges[~np.isnan(edges)])
    out = []
    for w in ("P", "QRS", "T"):
        for onset, peak, offset in waves[w]:
            if np.isnan(onset):
                before = edges[edges < peak]
                left = before[-1] if before.size else peak - wave_onset_gap
                out.append((max(left, peak - wave_onset_gap), peak))
            if np.isnan(offset):
                after = edges[edges > peak]
                right = after[0] if after.size else peak + wave_onset_gap
                out.append((peak, min(right, peak + wave_onset_gap)))
    return np.array(out, float).reshape(-1, 2)


def read_ludb(folder: str | Path) -> list[Record]:
    """All records of a LUDB folder, in numerical order."""
    base = Path(folder) / "data"
    records = []
    for path in sorted(base.glob("*.hea"), key=lambda p: int(p.stem)):
        stem = str(path.with_suffix(""))
        rec = wfdb.rdrecord(stem, physical=False)
        order = [[n.lower() for n in rec.sig_name].index(lead) for lead in LUDB_LEADS]
        signal = rec.d_signal.T[order].astype(np.float32)
        waves, spans, unsure = [], [], []
        for lead in LUDB_LEADS:
            ann = wfdb.rdann(stem, lead)
            w = parse(ann.sample, ann.symbol)
            waves.append(w)
            marks = np.concatenate([v.ravel() for v in w.values()])
            span = [[np.nanmin(marks), np.nanmax(marks)]] if marks.size else []
            spans.append(np.array(span, float).reshape(-1, 2))
            unsure.append(_unsure(w, 0.4 * rec.fs))
        records.append(Record(path.stem, float(rec.fs), signal, waves, spans, "ludb", unsure))
    return records


def read_qtdb(folder: str | Path, context_s: float = 12.0) -> list[Record]:
    """The q1c-annotated part of every QTDB record, with ``context_s`` around it."""
    records = []
    for path in sorted(Path(folder).glob("*.q1c")):
        stem = str(path.with_suffix(""))
        rec = wfdb.rdrecord(stem)
        signal = (1000.0 * rec.p_signal.T).astype(np.float32)
        signal = np.nan_to_num(signal)
        ann = wfdb.rdann(stem, "q1c")
        w = parse(ann.sample, ann.symbol)
        spans = _qtdb_spans(w, _beats(stem))
        records.append(
            Record(
                path.stem,
                float(rec.fs),
                signal,
                [w, w],
                [spans, spans],
                "qtdb",
                [_unsure(w, 0.4 * rec.fs)] * 2,
            )
        )
    return records


def _beats(stem: str) -> NDArray[np.float64]:
    try:
        ann = wfdb.rdann(stem, "atr")
    except FileNotFoundError:
        return np.zeros(0)
    keep = [s in BEATS for s in ann.symbol]
    return np.asarray(ann.sample, float)[keep]


def _qtdb_spans(w: dict[str, NDArray[np.float64]], beats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Runs of beats annotated without a gap."""
    marks = np.sort(np.concatenate([v.ravel() for v in w.values()]))
    marks = marks[~np.isnan(marks)]
    qrs = np.sort(w["QRS"][:, 1])
    rr = np.median(np.diff(qrs))
    out = []
    start = 0
    for i in range(len(qrs)):
        last = i == len(qrs) - 1
        if not last:
            between = np.sum((beats > qrs[i] + 40) & (beats < qrs[i + 1] - 40))
            gap = qrs[i + 1] - qrs[i] > (2.2 if beats.size else 1.5) * rr
            if not (between or gap):
                continue
        inside = marks[(marks > qrs[start] - 0.4 * rr) & (marks < qrs[i] + 0.75 * rr)]
        if not last:
            inside = inside[inside < qrs[i + 1] - 0.35 * rr]
        out.append((inside.min(), inside.max()))
        start = i + 1
    return np.array(out, float).reshape(-1, 2)


def read_noise(folder: str | Path, part: str) -> dict[str, NDArray[np.float32]]:
    """NSTDB noise at 500 Hz, (2, sample) each; ``part`` is "train" (first 60 %) or "test"."""
    out = {}
    for name in ("bw", "em", "ma"):
        rec = wfdb.rdrecord(str(Path(folder) / name))
        x = resample_poly(rec.p_signal.T, 25, 18, axis=1)
        cut = int(0.6 * x.shape[1])
        x = x[:, :cut] if part == "train" else x[:, cut:]
        x = x - x.mean(axis=1, keepdims=True)
        out[name] = (x / x.std(axis=1, keepdims=True)).astype(np.float32)
    return out


def excerpts_500(record: Record, context_s: float = 12.0) -> list[Record]:
    """The annotated stretches of a record at 500 Hz, with context on both sides."""
    if record.fs == 500:
        return [record]
    spans = record.spans[0]
    groups: list[list[float]] = []
    for a, b in spans:
        if groups and a - groups[-1][1] < 2 * context_s * record.fs:
            groups[-1][1] = b
        else:
            groups.append([a, b])
    factor = 500 / record.fs
    out = []
    for a, b in groups:
        lo = max(0, int(a - context_s * record.fs))
        hi = min(record.signal.shape[1], int(b + context_s * record.fs))
        x = resample_poly(record.signal[:, lo:hi], int(factor), 1, axis=1, padtype="line")

        def part(v: NDArray[np.float64], lo: int = lo, hi: int = hi) -> NDArray[np.float64]:
            return (v[(v[:, 1] > lo) & (v[:, 1] < hi)] - lo) * factor

        out.append(
            Record(
                record.name,
                500.0,
                x.astype(np.float32),
                [{k: part(v) for k, v in w.items()} for w in record.waves],
                [part(s) for s in record.spans],
                record.convention,
                [part(u) for u in record.unsure],
            )
        )
    return out
