"""Experts' wave boundaries from annotation files: LUDB's per lead, QTDB's per record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError

WAVES = ("P", "QRS", "T")
# Every beat code of the WFDB annotation table is a QRS: QTDB's experts write N, sel232's A and sel36's B.
_PEAK = {"p": "P", "t": "T", "u": "U"} | dict.fromkeys("NLRBAaJSVrFejnE/fQ?", "QRS")

WaveTable = Mapping[str, Floats]
"""By wave, rows ``(onset, peak, offset)`` in samples, shape (n, 3); ``nan`` where the expert gave none."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The experts' waves of one lead, and the stretch that they annotated."""

    waves: WaveTable
    first: float
    last: float


def read_truth(record: Path, extension: str) -> Truth:
    """Read one annotation file in the convention ``(``, peak, ``)`` of LUDB and QTDB.

    Parameters
    ----------
    record : Path
        The record without a suffix.
    extension : str
        Suffix of the annotation file, such as ``ii`` or ``q1c``.

    Returns
    -------
    Truth

    Raises
    ------
    EcgError
        If there is no such file or it is damaged.
    """
    if not Path(f"{record}.{extension}").is_file():
        raise EcgError(f"there is no annotation file {record.name}.{extension} in {record.parent}")
    import wfdb

    try:
        read: Any = wfdb.rdann(str(record), extension)
    except Exception as error:  # wfdb raises whatever comes up; all of it means that the file cannot be read
        raise EcgError(f"{record.name}.{extension} cannot be read as WFDB annotations ({error}); fetch it again") from error
    sample, symbol = np.asarray(read.sample, dtype=float), list(read.symbol)
    rows: dict[str, list[tuple[float, float, float]]] = {wave: [] for wave in (*WAVES, "U")}
    for at, mark in enumerate(symbol):
        if mark in _PEAK:
            rows[_PEAK[mark]].append((_edge(sample, symbol, at, -1), float(sample[at]), _edge(sample, symbol, at, +1)))
    waves = {wave: np.array(each, dtype=float).reshape(-1, 3) for wave, each in rows.items()}
    # QTDB marks the two lobes of a biphasic T with two peaks and one pair of brackets: the first lobe carries the onset.
    waves["T"] = _joined(waves["T"])
    return Truth(waves, float(sample[0]) if len(sample) else np.nan, float(sample[-1]) if len(sample) else np.nan)


def _edge(sample: Floats, symbol: list[str], at: int, step: int) -> float:
    """The bracket next to a peak on one side, across a second peak of the same wave; nan if there is none."""
    near = at + step
    if 0 <= near < len(symbol) and symbol[near] == symbol[at]:
        near += step
    wanted = "(" if step < 0 else ")"
    return float(sample[near]) if 0 <= near < len(symbol) and symbol[near] == wanted else np.nan


def _joined(rows: Floats) -> Floats:
    """Drop the second of two peaks that share their boundaries."""
    if len(rows) < 2:
        return rows
    same = (rows[1:, 0] == rows[:-1, 0]) & (rows[1:, 2] == rows[:-1, 2])
    return np.asarray(rows[np.concatenate([[True], ~same])])
