"""Scores of many records together: gross and average figures, their intervals, and the error of the ST deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgspasm.benchmarks.episode_scoring import DISCREPANT_UV, FIGURES, RecordScore
from ecgspasm.ecg import Floats, number

_COUNTS = ("n_true", "n_matched", "n_found", "n_confirmed", "true_s", "found_s", "both_s")
_QUOTIENTS = {
    "episode_se": ("n_matched", "n_true"),
    "episode_ppv": ("n_confirmed", "n_found"),
    "duration_se": ("both_s", "true_s"),
    "duration_ppv": ("both_s", "found_s"),
}


@dataclass(frozen=True, eq=False)
class TotalScore:
    """Figures of a set of records, in %.

    Attributes
    ----------
    records : tuple of RecordScore
    sums : mapping of str to float
        Counts and times of all records together.
    gross : mapping of str to float
        By figure (`episode_scoring.FIGURES`), of the sums; nan where not defined.
    average, n_average : mapping
        By figure, the mean over the records in which it is defined, and how many these are.
    interval : mapping of str to (float, float)
        By figure, the central 95 % of the gross figure when records are drawn with replacement; nan with fewer than two records
        that have any episode.
    deviation : mapping of str to float
        See `deviation_error`, over the pairs of all records.
    """

    records: tuple[RecordScore, ...]
    sums: Mapping[str, float]
    gross: Mapping[str, float]
    average: Mapping[str, float]
    n_average: Mapping[str, int]
    interval: Mapping[str, tuple[float, float]]
    deviation: Mapping[str, float]

    def rows(self) -> list[dict[str, Any]]:
        """A table: a row a record, then ``gross`` and ``average``; ``None`` where a figure is not defined."""
        counts = {name: number(self.sums[name], 3) for name in _COUNTS}
        gross = {"record": "gross", **counts, **{name: number(self.gross[name], 2) for name in FIGURES}}
        average = {"record": "average", **dict.fromkeys(_COUNTS), **{name: number(self.average[name], 2) for name in FIGURES}}
        return [*(each.to_dict() for each in self.records), gross, average]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a figure is not defined."""
        return {
            "records": [each.to_dict() for each in self.records],
            "sums": {name: number(value, 3) for name, value in self.sums.items()},
            "gross": {name: number(value, 2) for name, value in self.gross.items()},
            "average": {name: number(value, 2) for name, value in self.average.items()},
            "n_average": dict(self.n_average),
            "interval": {name: [number(edge, 2) for edge in edges] for name, edges in self.interval.items()},
            "deviation": {name: number(value, 3) for name, value in self.deviation.items()},
        }


def total(scores: Sequence[RecordScore], *, seed: int = 0, draws: int = 1000) -> TotalScore:
    """Gross and average figures of all records.

    Parameters
    ----------
    scores : sequence of RecordScore
        In any order: figures and intervals do not depend on it.
    seed, draws : int
        Of the bootstrap over records, which is how Jager et al. (Comput Cardiol 1991:369-72) tell how far a figure holds for
        others.
    """
    # The same draw must pick the same records whatever their order.
    ordered = sorted(scores, key=lambda each: (each.record, *(getattr(each, name) for name in _COUNTS)))
    table = np.array([[getattr(each, name) for name in _COUNTS] for each in ordered], dtype=float).reshape(-1, len(_COUNTS))
    sums = dict(zip(_COUNTS, table.sum(axis=0).tolist(), strict=True))
    own = {name: np.array([getattr(each, name) for each in ordered], dtype=float) for name in FIGURES}
    defined = {name: values[np.isfinite(values)] for name, values in own.items()}
    pairs = np.concatenate([*(each.deviation_uv for each in ordered), np.empty((0, 2))])
    return TotalScore(
        records=tuple(scores),
        sums=sums,
        gross={name: float(value[0]) for name, value in _figures(table.sum(axis=0, keepdims=True)).items()},
        average={name: float(values.mean()) if len(values) else float("nan") for name, values in defined.items()},
        n_average={name: len(values) for name, values in defined.items()},
        interval=_intervals(table, seed, draws),
        deviation=deviation_error(pairs),
    )


def _figures(sums: Floats) -> dict[str, Floats]:
    """Figures in % of rows of sums, nan where not defined."""
    column = {name: sums[:, at] for at, name in enumerate(_COUNTS)}
    out = {}
    for name, (part, whole) in _QUOTIENTS.items():
        known = column[whole] > 0
        out[name] = np.where(known, 100.0 * column[part] / np.where(known, column[whole], 1.0), np.nan)
    return out


def _intervals(table: Floats, seed: int, draws: int) -> dict[str, tuple[float, float]]:
    nothing = (float("nan"), float("nan"))
    if (table.sum(axis=1) > 0).sum() < 2 or draws < 1:
        return dict.fromkeys(FIGURES, nothing)
    picked = np.random.default_rng(seed).integers(0, len(table), (draws, len(table)))
    drawn = _figures(table[picked].sum(axis=1))
    out = {}
    for name, values in drawn.items():
        known = values[np.isfinite(values)]
        out[name] = (float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))) if len(known) else nothing
    return out


def deviation_error(pairs_uv: Floats) -> dict[str, float]:
    """How well the deviation at the extrema was measured.

    Parameters
    ----------
    pairs_uv : Floats
        Rows ``(true, found)``, shape (pair, 2).

    Returns
    -------
    dict of str to float
        ``n``; ``mean_uv`` and ``sd_uv`` of found minus true; ``within_100_uv`` in %; ``r``, ``slope`` and ``intercept_uv`` of
        found over true (least squares). nan where not defined: the SD needs two pairs, the line two different true values.

    Examples
    --------
    >>> deviation_error(np.array([[100.0, 90.0], [-100.0, -90.0], [300.0, 420.0], [0.0, 0.0]]))["within_100_uv"]
    75.0
    """
    pairs = np.asarray(pairs_uv, dtype=float).reshape(-1, 2)
    true, found = pairs.T
    error = found - true
    out = dict.fromkeys(("mean_uv", "sd_uv", "within_100_uv", "r", "slope", "intercept_uv"), float("nan"))
    out = {"n": float(len(pairs)), **out}
    if len(pairs):
        out["mean_uv"] = float(error.mean())
        out["within_100_uv"] = 100.0 * float((np.abs(error) <= DISCREPANT_UV).mean())
    if len(pairs) > 1:
        out["sd_uv"] = float(error.std(ddof=1))
        x, y = true - true.mean(), found - found.mean()
        if (x**2).sum() > 0:
            out["slope"] = float((x * y).sum() / (x**2).sum())
            out["intercept_uv"] = float(found.mean() - out["slope"] * true.mean())
            if (y**2).sum() > 0:
                out["r"] = float(np.clip((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()), -1.0, 1.0))
    return out
