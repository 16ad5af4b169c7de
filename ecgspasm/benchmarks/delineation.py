"""Score a delineator against LUDB and QTDB."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ecgspasm import __version__
from ecgspasm.analysis import delineate
from ecgspasm.benchmarks.scoring import TOLERANCE_MS, Tally, pairs, summarise
from ecgspasm.benchmarks.sets import (
    LUDB_RECORDS,
    QTDB_RECORDS,
    Case,
    inside_annotated,
    ludb,
    near_annotated_beats,
    qtdb,
    waves_of,
)
from ecgspasm.benchmarks.truth import Truth, WaveTable
from ecgspasm.ecg import Ecg, number
from ecgspasm.errors import EcgError
from ecgspasm.processing import net
from ecgspasm.processing.delineate import net_with

Delineator = Callable[[Case], Mapping[str, WaveTable]]
"""Gives the found waves of each lead."""

Watch = Callable[[Iterable[Case], int], Iterable[Case]]
_INVERTED_UV = 100.0
_LEVEL_MS = 16.0


def unwatched(cases: Iterable[Case], total: int) -> Iterable[Case]:
    """What goes round the records while they are scored; the command line puts a progress bar there."""
    return cases


def own(case: Case) -> dict[str, WaveTable]:
    """The library's own delineation with its default settings."""
    found = delineate(case.ecg)
    return {lead: waves_of(found, row) for row, lead in enumerate(found.leads)}


def held_out(folder: Path) -> Delineator:
    """The library with, for each record, the net of the cross-validation fold that has not seen it.

    Parameters
    ----------
    folder : Path
        Holds ``fold0.npz`` ... and ``folds.json``, which lists the records left out of each fold; a record in none of them was
        seen by no net and is scored with the net that comes with the package.
    """
    try:
        left_out = json.loads((folder / "folds.json").read_text(encoding="utf-8"))
        nets = [net.load_weights(path) for path in sorted(folder.glob("fold?.npz"))]
    except (OSError, ValueError) as error:
        raise EcgError(f"cannot read the folds in {folder}: {error}") from error
    fold_of = {name: fold for names in left_out.values() for fold, part in enumerate(names) for name in part}

    def delineator(case: Case) -> dict[str, WaveTable]:
        if case.name not in fold_of:
            return own(case)
        weights = nets[fold_of[case.name]]
        found = delineate(case.ecg, probabilities=lambda signal, fs: net_with(weights, signal, fs))
        return {lead: waves_of(found, row) for row, lead in enumerate(found.leads)}

    return delineator


def score_ludb(
    folder: Path, delineator: Delineator = own, *, watch: Watch = unwatched, only: set[str] | None = None
) -> dict[str, Any]:
    """All 12 leads of LUDB, each against its own annotations.

    Returns
    -------
    dict
        See `scoring.summarise`; with ``inverted_t`` (truth more than 100 uV below the PR level: how many were found, and with the
        right sign), ``per_record`` and ``seconds_per_ecg`` (median).
    """
    tallies: dict[str, Tally] = {}
    signs: dict[str, Any] = {}
    seconds = []
    for case in watch(_chosen(ludb(folder), only), LUDB_RECORDS):
        start = time.perf_counter()
        found = delineator(case)
        seconds.append(time.perf_counter() - start)
        tally = tallies[case.name] = Tally()
        for lead, truth in case.truth.items():
            waves = inside_annotated(found[lead], truth, case.ecg.fs)
            tally.add(waves, truth.waves, case.ecg.fs)
            signs[lead] = signs.get(lead, 0) + _polarity(case.ecg, lead, waves, truth.waves)
    return _result("ludb", LUDB_RECORDS, tallies, seconds) | {
        "inverted_t": _counts(sum(each[0] for each in signs.values())),
        "t_polarity_by_lead": {lead: {"inverted": _counts(each[0]), "upright": _counts(each[1])} for lead, each in signs.items()},
    }


def _counts(row: Any) -> dict[str, int]:
    return dict(zip(("n", "found", "right_sign"), map(int, row), strict=True))


def score_qtdb(
    folder: Path, delineator: Delineator = own, *, watch: Watch = unwatched, only: set[str] | None = None
) -> dict[str, Any]:
    """Two leads of QTDB against the first expert; per record the lead that fits better counts, as in the literature."""
    tallies: dict[str, Tally] = {}
    seconds = []
    u_waves = np.zeros(3, dtype=int)
    for case in watch(_chosen(qtdb(folder), only), QTDB_RECORDS):
        start = time.perf_counter()
        found = delineator(case)
        seconds.append(time.perf_counter() - start)
        leads = []
        for lead, truth in case.truth.items():
            waves = near_annotated_beats(found[lead], truth)
            tally = Tally()
            tally.add(waves, truth.waves, case.ecg.fs)
            leads.append((tally, _u_waves(waves, truth, case.ecg.fs)))
        tallies[case.name], u_counts = min(leads, key=lambda pair: pair[0].total_error())
        u_waves += u_counts
    result = _result("qtdb", QTDB_RECORDS, tallies, seconds)
    result["u_waves"] = dict(zip(("n", "marked", "found"), map(int, u_waves), strict=True))
    for boundary, offset in convention("qtdb").items():
        row = result["boundaries"][boundary]
        if row["n"]:
            row["convention_offset"], row["mean_after_offset"] = offset, number(row["mean"] - offset, 2)
    return result


def _u_waves(found: WaveTable, truth: Truth, fs: float) -> Any:
    """How many U waves the expert marked in a record, how many the method marked near annotated beats, and how many agree."""
    marked = found.get("U", np.empty((0, 3)))[:, 1]
    rows, _ = pairs(truth.waves["U"][:, 1], marked, TOLERANCE_MS * fs / 1000.0)
    return np.array([len(truth.waves["U"]), len(marked), len(rows)])


def convention(name: str) -> dict[str, float]:
    """How much later than the experts of a set the package marks each boundary, in ms, because they draw differently."""
    text = files("ecgspasm.benchmarks").joinpath("conventions.toml").read_text(encoding="utf-8")
    return {boundary: float(offset) for boundary, offset in tomllib.loads(text)[name].items()}


def _chosen(cases: Iterable[Case], only: set[str] | None) -> Iterable[Case]:
    return (case for case in cases if only is None or case.name in only)


def _result(name: str, complete: int, tallies: dict[str, Tally], seconds: list[float]) -> dict[str, Any]:
    if not tallies:
        raise EcgError(f"no annotated record of {name} in that folder; give the folder of the original PhysioNet layout")
    worst = sorted(tallies, key=lambda record: -tallies[record].total_error())
    return {
        "set": name,
        "version": __version__,
        "share_of_set": f"{len(tallies)} of {complete} records",
        **summarise(tallies),
        "seconds_per_ecg": number(float(np.median(seconds)), 4),
        "worst_records": worst[:10],
        "per_record": {record: _one(tally) for record, tally in tallies.items()},
    }


def _one(tally: Tally) -> dict[str, Any]:
    return {
        "true": tally.true,
        "found": tally.found,
        "paired": tally.paired,
        "sd_ms": {
            f"{wave} {edge}": number(float(errors.std()), 2)
            for wave in tally.true
            for edge in ("onset", "peak", "offset")
            if len(errors := tally.errors(wave, edge)) > 1
        },
    }


def _polarity(ecg: Ecg, lead: str, found: WaveTable, true: WaveTable) -> Any:
    """How many inverted (upright) T waves a lead has, how many were found, how many with the right sign, shape (2, 3)."""
    signal, fs = ecg[lead], ecg.fs
    width = max(1, round(_LEVEL_MS * fs / 1000.0))
    smooth = np.convolve(signal, np.ones(width) / width, mode="same")
    onsets = true["QRS"][:, 0]
    onsets = onsets[np.isfinite(onsets)]
    before = np.searchsorted(onsets, true["T"][:, 1]) - 1
    known = before >= 0
    peaks, level_at = true["T"][known, 1], onsets[before[known]]
    level = smooth[np.clip(level_at - width / 2, 0, len(signal) - 1).astype(int)]
    height = smooth[peaks.astype(int)] - level
    rows, columns = pairs(peaks, found["T"][:, 1], TOLERANCE_MS * fs / 1000.0)
    partner = dict(zip(rows, columns, strict=True))
    counts = []
    for sign in (-1.0, 1.0):
        large = np.flatnonzero(sign * height > _INVERTED_UV)
        hit = [int(row) for row in large if row in partner]
        at = found["T"][[partner[row] for row in hit], 1].clip(0, len(signal) - 1).astype(int)
        counts.append([len(large), len(hit), int((sign * (smooth[at] - level[hit]) > 0).sum())])
    return np.array(counts)
