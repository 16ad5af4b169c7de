"""Match found waves with the experts' and say how far they are apart.

The protocol: within one lead and kind of wave, found and true peaks are paired one to one, the nearest first, up to 150 ms apart;
sensitivity and positive predictivity count the pairs; boundary errors are found minus true, over the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecgspasm.benchmarks.truth import WAVES, WaveTable
from ecgspasm.ecg import Floats, number

TOLERANCE_MS = 150.0
BOUNDARIES = (("P", "onset"), ("P", "offset"), ("QRS", "onset"), ("QRS", "offset"), ("T", "peak"), ("T", "offset"))
"""The boundaries that the tables show; all others are in the JSON output."""
_COLUMN = {"onset": 0, "peak": 1, "offset": 2}


@dataclass(eq=False)
class Tally:
    """Pairs, misses and inventions of one record (or one lead of it)."""

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAVES, 0))
    true: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAVES, 0))
    paired: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAVES, 0))
    errors_ms: dict[str, list[Floats]] = field(default_factory=lambda: {wave: [] for wave in WAVES})
    """By wave, found minus true, arrays of shape (pair, 3); nan where the expert or the method gave no boundary."""

    def add(self, found: WaveTable, true: WaveTable, fs: float) -> None:
        """Count one lead."""
        for wave in WAVES:
            rows, columns = pairs(true[wave][:, 1], found[wave][:, 1], TOLERANCE_MS * fs / 1000.0)
            self.true[wave] += len(true[wave])
            self.found[wave] += len(found[wave])
            self.paired[wave] += len(rows)
            self.errors_ms[wave].append((found[wave][columns] - true[wave][rows]) * 1000.0 / fs)

    def errors(self, wave: str, boundary: str) -> Floats:
        """Errors of one boundary in ms, without the absent ones."""
        parts = [part[:, _COLUMN[boundary]] for part in self.errors_ms[wave]]
        joined = np.concatenate(parts) if parts else np.empty(0)
        return joined[np.isfinite(joined)]

    def total_error(self) -> float:
        """Sum of absolute boundary errors, with 150 ms for each miss and each invention, to choose the better lead of QTDB."""
        wrong = sum(self.true[wave] + self.found[wave] - 2 * self.paired[wave] for wave in WAVES)
        return TOLERANCE_MS * wrong + sum(float(np.abs(self.errors(*boundary)).sum()) for boundary in BOUNDARIES)


def pairs(true: Floats, found: Floats, tolerance: float) -> tuple[Sequence[int], Sequence[int]]:
    """Pair two sorted lists one to one, nearest first.

    Examples
    --------
    >>> pairs(np.array([100.0, 200.0]), np.array([104.0, 110.0, 500.0]), 50.0)
    ([0], [0])
    """
    if len(true) == 0 or len(found) == 0:
        return [], []
    near = np.searchsorted(found, true)
    # Only the few found waves around each true one can be its partner.
    candidates = {
        (row, column)
        for row, middle in enumerate(near)
        for column in range(max(0, middle - 3), min(len(found), middle + 3))
        if abs(found[column] - true[row]) <= tolerance
    }
    rows: list[int] = []
    columns: list[int] = []
    for row, column in sorted(candidates, key=lambda pair: (abs(found[pair[1]] - true[pair[0]]), pair)):
        if row not in rows and column not in columns:
            rows.append(row)
            columns.append(column)
    return rows, columns


def summarise(tallies: Mapping[str, Tally], *, seed: int = 0, draws: int = 200) -> dict[str, Any]:
    """The figures of a whole set, with 95 % intervals from resampling its records.

    Returns
    -------
    dict
        JSON-ready: ``waves`` (n, found, se, ppv, f1, interval of f1) and ``boundaries`` (n, mean, sd, central-95 sd, median and
        95th percentile of the absolute error, mean of the records' own SDs, interval of the central-95 SD), all times in ms.
    """
    records = list(tallies.values())
    rng = np.random.default_rng(seed)
    resampled = [rng.integers(0, len(records), len(records)) for _ in range(draws)] if records else []
    waves = {}
    for wave in WAVES:
        counts = np.array([[t.true[wave], t.found[wave], t.paired[wave]] for t in records]).reshape(-1, 3)
        true, found, paired = counts.sum(axis=0)
        spread = [_f1(*counts[rows].sum(axis=0)) for rows in resampled]
        waves[wave] = {
            "n": int(true),
            "found": int(found),
            "se": number(100.0 * paired / true if true else np.nan, 3),
            "ppv": number(100.0 * paired / found if found else np.nan, 3),
            "f1": number(_f1(true, found, paired), 3),
            "f1_interval": _interval(spread),
        }
    boundaries = {}
    for wave in WAVES:
        for boundary in _COLUMN:
            per_record = [t.errors(wave, boundary) for t in records]
            boundaries[f"{wave} {boundary}"] = _spread(per_record, resampled)
    return {"records": len(records), "waves": waves, "boundaries": boundaries}


def _f1(true: int, found: int, paired: int) -> float:
    return 200.0 * paired / (true + found) if true + found else float("nan")


def _spread(per_record: Sequence[Floats], resampled: Sequence[Any]) -> dict[str, Any]:
    errors = np.concatenate(per_record) if per_record else np.empty(0)
    if len(errors) == 0:
        return {"n": 0}
    own = [each.std() for each in per_record if len(each) > 1]
    central = [central_sd(np.concatenate([per_record[row] for row in rows])) for rows in resampled]
    absolute = np.abs(errors)
    return {
        "n": len(errors),
        "mean": number(errors.mean(), 2),
        "sd": number(errors.std(), 2),
        "sd_central95": number(central_sd(errors), 2),
        "sd_central95_interval": _interval(central),
        "median_abs": number(np.median(absolute), 2),
        "p95_abs": number(np.quantile(absolute, 0.95), 2),
        "share_beyond_40": number(100.0 * (absolute > 40).mean(), 2),
        "mean_of_record_sds": number(np.mean(own) if own else np.nan, 2),
    }


def central_sd(errors: Floats) -> float:
    """SD after the 2.5 % tails on both sides are dropped: what a method does when nothing has gone wrong."""
    if len(errors) == 0:
        return float("nan")
    low, high = np.quantile(errors, [0.025, 0.975])
    kept = errors[(errors >= low) & (errors <= high)]
    return float(kept.std()) if len(kept) else float("nan")


def _interval(values: Sequence[float]) -> list[float | None] | None:
    known = [value for value in values if np.isfinite(value)]
    return [number(each, 3) for each in np.quantile(known, [0.025, 0.975])] if known else None
