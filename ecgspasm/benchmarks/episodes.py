"""Episodes found by the monitor against the experts': European ST-T Database and its excerpts, Long-Term ST Database.

Two layouts each: the original one of PhysioNet, and parts of the sets: excerpts of a quarter of an hour in the QT Database
(``sele*``), and single leads of the Long-Term set averaged to 50 Hz, in chunks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecgspasm.benchmarks import episode_chunks, episode_truth
from ecgspasm.benchmarks.episode_scoring import LEARNING_S, Interval, RecordScore, combined, score
from ecgspasm.benchmarks.episode_total import total
from ecgspasm.benchmarks.episode_truth import ISCHEMIC, RATE, TrueEpisode, TrueRecord, hidden_s, mark_visible
from ecgspasm.continuous.episode import ISCHEMIC as RAMP
from ecgspasm.continuous.episode import RATE as RATE_RELATED
from ecgspasm.continuous.episode import Episode
from ecgspasm.continuous.monitor import monitor
from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.errors import EcgError
from ecgspasm.io.wfdb.header import Header
from ecgspasm.io.wfdb.reader import read_header
from ecgspasm.io.wfdb.recording import open_wfdb
from ecgspasm.leads import is_lead
from ecgspasm.recording import Recording

Watch = Callable[[Iterable[Any], int], Iterator[Any]]
Follow = Callable[[Recording], Monitoring]

COUNTED = (RAMP, RATE_RELATED)
"""Kinds of found episodes that count as transient ST episodes, as the experts' ischemic and rate-related ones do."""

STAND_INS = ("CM5", "CM4", "CM2", "CC5", "ML5")
"""Names for ambulatory leads whose own name (``ECG``, ``E-S``) is that of no lead here."""

EUROPEAN = {"ST": "european-st", "T": "european-t"}
LONG_TERM = {"A": "long-term-a", "B": "long-term-b", "C": "long-term-c"}


def score_edb(
    folder: Path, *, follow: Follow = monitor, watch: Watch | None = None, only: Collection[str] | None = None
) -> dict[str, Any]:
    """Score ST and T episodes on records or excerpts of the European ST-T Database.

    Parameters
    ----------
    folder : Path
    follow : callable, optional
        Another monitor.
    watch : callable, optional
        Shows the progress, see `ecgspasm.cli.benchmark.progress`.
    only : collection of str, optional
        Names of records; the rest is left out.

    Returns
    -------
    dict
        Per measure and for ``person`` (both leads combined, as EC57 asks) and ``lead``: all episodes and, of excerpts, those that
        can be seen (see `mark_visible`).

    Raises
    ------
    EcgError
        If the folder holds no records, or one of them is damaged.
    """
    records = [path for path in episode_truth.european_records(folder) if only is None or path.name in only]
    excerpts = all(path.name.startswith("sel") for path in records)
    rows: dict[str, dict[str, list[RecordScore]]] = {}
    seconds, kinds = [], _Kinds()
    for path in watch(records, len(records)) if watch else records:
        truth = episode_truth.read_european(path)
        truth = mark_visible(truth) if excerpts else truth
        begun = time.perf_counter()
        found = follow(_open(path))
        seconds.append(time.perf_counter() - begun)
        begin_s = -np.inf if excerpts else LEARNING_S
        for measure in EUROPEAN:
            true = truth.select(measure=measure)
            kinds.add(measure, true, found.episodes, measure)
            for name, some in (("all", False), ("visible", True)) if excerpts else (("all", False),):
                scored = _scores(truth, true, found, found.episodes, measure, visible_only=some, begin_s=begin_s)
                for of, scores in scored.items():
                    rows.setdefault(f"{measure}, {of}", {}).setdefault(name, []).extend(scores)
    return {
        "set": "European ST-T Database" + (", excerpts of 15 min" if excerpts else ""),
        "records": len(records),
        "scores": {name: {which: total(scores).to_dict() for which, scores in each.items()} for name, each in rows.items()},
        "kinds": kinds.to_dict(),
        "seconds_per_record": round(float(np.median(seconds)), 3),
    }


def score_ltstdb(
    folder: Path, *, follow: Follow = monitor, watch: Watch | None = None, only: Collection[str] | None = None
) -> dict[str, Any]:
    """Score ST episodes on records of the Long-Term ST Database, or on single leads of it in chunks at 50 Hz.

    Parameters and errors as of `score_edb`.

    Returns
    -------
    dict
        Per protocol: transient ST episodes, ischemic and rate-related ones together; of chunks those that these cover.
    """
    cases = _chunked(folder) if (folder / "episodes_sta.csv").is_file() else _long_term(folder)
    rows: dict[str, dict[str, list[RecordScore]]] = {}
    seconds, kinds = [], _Kinds()
    names = [name for name in cases if only is None or name in only]
    for name in watch(names, len(names)) if watch else names:
        recording, truths = cases[name]()
        begun = time.perf_counter()
        found = follow(recording)
        seconds.append(time.perf_counter() - begun)
        for protocol, (truth, excluded, begin_s) in truths.items():
            true = truth.select(measure="ST", kinds=(ISCHEMIC, RATE))
            episodes = found.by_definition(LONG_TERM[protocol])
            kinds.add(protocol, true, episodes, "ST")
            scores = _scores(truth, true, found, episodes, "ST", visible_only=True, begin_s=begin_s, excluded=excluded)
            for of, each in scores.items():
                rows.setdefault(f"protocol {protocol}, {of}", {}).setdefault("covered", []).extend(each)
    return {
        "set": "Long-Term ST Database" + (", one lead at 50 Hz in chunks" if (folder / "episodes_sta.csv").is_file() else ""),
        "records": len(names),
        "scores": {name: {which: total(scores).to_dict() for which, scores in each.items()} for name, each in rows.items()},
        "kinds": kinds.to_dict(),
        "seconds_per_record": round(float(np.median(seconds)), 3),
    }


Case = tuple[Recording, dict[str, tuple[TrueRecord, list[tuple[float, float]], float]]]


def _chunked(folder: Path) -> Mapping[str, Callable[[], Case]]:
    """Records in chunks; nothing is told of protocol C there."""

    def case(name: str) -> Case:
        part = episode_chunks.read_chunks(folder, name)
        recording = Recording.from_chunks(part.chunks(), fs=part.fs, leads=(part.recording_lead,), source=name)
        excluded = [(float(low), float(high)) for low, high in part.uncovered_s]
        truths = {"A": part.truth, "B": episode_chunks.protocol_b(part.truth)}
        marked = {protocol: episode_chunks.mark_covered(truth, part.covered_s) for protocol, truth in truths.items()}
        return recording, {protocol: (truth, excluded, -np.inf) for protocol, truth in marked.items()}

    return {name: partial(case, name) for name in episode_chunks.chunk_records(folder)}


def _long_term(folder: Path) -> Mapping[str, Callable[[], Case]]:
    """Records in the original layout, with the protocols whose annotations are there."""

    def case(path: Path) -> Case:
        truths = {}
        for protocol, extension in episode_truth.PROTOCOLS.items():
            if path.with_suffix(f".{extension}").is_file():
                truth = episode_truth.read_long_term(path, protocol)
                unreadable = [(float(low), float(high)) for each in truth.unreadable_s for low, high in each]
                truths[protocol] = (truth, unreadable, LEARNING_S)
        return _open(path), truths

    return {path.name: partial(case, path) for path in episode_truth.long_term_records(folder)}


def _open(path: Path) -> Recording:
    """A record whose leads may have names that are none here."""
    header: Header = read_header(str(path.with_suffix(".hea")))
    strange = [line.description for line in header.signals if not is_lead(line.description)]
    if len(strange) > len(STAND_INS):
        raise EcgError(f"{path.name}: {', '.join(strange)} are no names of leads; rename them in the header")
    return open_wfdb(path, rename=dict(zip(strange, STAND_INS, strict=False)))


def _scores(
    truth: TrueRecord,
    true: Sequence[TrueEpisode],
    found: Monitoring,
    episodes: Sequence[Episode],
    measure: str,
    *,
    visible_only: bool,
    begin_s: float,
    excluded: Sequence[tuple[float, float]] = (),
) -> dict[str, list[RecordScore]]:
    """Scores of one record: of the person (leads combined), and of each lead."""
    counted = [each for each in episodes if each.measure == measure and each.kind in COUNTED]
    kept = [each for each in true if each.visible or not visible_only]
    deviation = found.deviation_uv("st_uv" if measure == "ST" else "t_net_uv")
    by_lead = []
    everything_true, everything_found, hidden = [], [], []
    for row in range(min(len(truth.leads), len(found.leads))):
        name = found.leads[row]
        own_true = [each.interval for each in kept if each.row == row]
        own_found = [_interval(each, name) for each in counted if name in each.by_lead]
        out = [(float(a), float(b)) for a, b in hidden_s([each for each in true if each.row == row])] if visible_only else []
        by_lead.append(
            score(
                f"{truth.record} {name}", own_true, own_found, begin_s=begin_s, excluded=[*excluded, *out],
                trend=(found.trend.time_s, deviation[row]),
            )
        )  # fmt: skip
        everything_true += own_true
        everything_found += own_found
        hidden += out
    person = score(
        truth.record, combined(everything_true), combined(everything_found), begin_s=begin_s, excluded=[*excluded, *hidden]
    )
    return {"person": [person], "lead": by_lead} if len(by_lead) > 1 else {"lead": by_lead}


def _interval(episode: Episode, lead: str) -> Interval:
    own = episode.by_lead[lead]
    return Interval(own.onset_s, own.end_s, own.extremum_s, own.extremum_uv, episode.open_start, episode.open_end)


class _Kinds:
    """What the experts' episodes, and those that are none of theirs, were called; by measure or protocol."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, dict[str, int]]] = {}

    def add(self, group: str, true: Sequence[TrueEpisode], found: Sequence[Episode], measure: str) -> None:
        rows = self._counts.setdefault(group, {})
        for each in found:
            if each.measure == measure:
                same = [one for one in true if min(one.end_s, each.end_s) > max(one.onset_s, each.onset_s)]
                name = same[0].kind if same else "not an expert's"
                rows.setdefault(name, {}).setdefault(each.kind, 0)
                rows[name][each.kind] += 1

    def to_dict(self) -> dict[str, dict[str, dict[str, int]]]:
        return self._counts


def episodes_text(result: Mapping[str, Any]) -> str:
    """The figures as a table: a row a group of episodes."""
    lines = [f"{result['set']}: {result['records']} records, {result['seconds_per_record']:.2f} s a record (median)", ""]
    head = ("true", "Se %", "+P %", "dur. Se %", "dur. +P %", "mean uV", "SD uV")
    lines.append(f"{'episodes':<28}" + "".join(f"{each:>10}" for each in head) + "   95 % of Se, +P")
    for name, groups in result["scores"].items():
        for which, each in groups.items():
            gross, error = each["gross"], each["deviation"]
            figures = [each["sums"]["n_true"], *(gross[key] for key in gross), error["mean_uv"], error["sd_uv"]]
            cells = "".join(f"{'-' if value is None else f'{value:.0f}':>10}" for value in figures)
            edges = [each["interval"][key] for key in list(gross)[:2]]
            ends = ["..".join("-" if edge is None else f"{edge:.0f}" for edge in pair) for pair in edges]
            lines.append(f"{name + ', ' + which:<28}{cells}   {', '.join(ends)}")
    for group, rows in result["kinds"].items():
        for name, kinds in rows.items():
            told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda pair: -pair[1]))
            lines.append(f"{group}, found at {name} ones: {told}")
    return "\n".join(lines)
