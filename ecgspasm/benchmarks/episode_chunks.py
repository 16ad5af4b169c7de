"""The Long-Term ST set as 5-s chunks of one lead at 50 Hz (``<record>.npz``) with protocol-A intervals (``episodes_sta.csv``).

What the table cannot tell: axis shifts and conduction changes (they are in the signal), what the experts saw in the other leads,
and how long a deviation stayed beyond 100 uV, so that episodes of protocol B can only be taken by the height of their peak.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.benchmarks.episode_spans import common, holds, length_s, merged, without
from ecgspasm.benchmarks.episode_truth import ISCHEMIC, RATE, TrueEpisode, TrueRecord, lead_name
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError

PROTOCOL_B_UV = 100.0
COVERED_SHARE = 0.5
STAND_IN = "CM5"
"""Name for a lead whose electrodes were not recorded (``ECG``) or that has no name here (``E-S``): an ambulatory lead."""

_TYPES = {"st": ISCHEMIC, "rtst": RATE}


@dataclass(frozen=True, eq=False)
class ChunkedRecord:
    """One record: what there is of its signal, and its true episodes.

    Attributes
    ----------
    record : str
    lead : str
        In the standard spelling, or as told where that is no known name.
    fs : float
        In Hz, of the chunks.
    covered_s : Floats
        Stretches that the chunks cover, rows ``(begin, end)`` in s from the beginning of the record.
    truth : TrueRecord
        Protocol A; `visible` says whether the chunks cover an episode, see `mark_covered`.
    """

    record: str
    lead: str
    fs: float
    covered_s: Floats
    truth: TrueRecord
    _pieces: tuple[tuple[int, Floats], ...]

    @property
    def recording_lead(self) -> str:
        """A name that a `Recording` takes: `lead`, or `STAND_IN` where that is no known name."""
        try:
            return lead_names.canonical(self.lead)
        except EcgError:
            return STAND_IN

    @property
    def uncovered_s(self) -> Floats:
        """To be excluded from scoring: gaps between chunks and what the experts could not read, rows ``(begin, end)`` in s."""
        gaps = without(np.array([[0.0, max(self.truth.duration_s, 1e-9)]]), self.covered_s)
        return merged(np.concatenate([gaps, self.truth.unreadable_s[0]]))

    def chunks(self) -> Iterator[tuple[int, Floats]]:
        """Pieces ``(start sample at `fs`, uV of shape (1, n))``, in order and without overlap, for `Recording.from_chunks`."""
        yield from self._pieces


def chunk_records(folder: Path) -> list[str]:
    """Names of the records of a folder that holds ``episodes_sta.csv``, sorted.

    Raises
    ------
    EcgError
        If it holds none.
    """
    names = sorted(path.stem for path in Path(folder).glob("s[23]*.npz"))
    if not names or not (Path(folder) / "episodes_sta.csv").is_file():
        raise EcgError(f"{folder} holds no s20011.npz ... with episodes_sta.csv; give the folder that does")
    return names


def read_chunks(folder: Path, record: str) -> ChunkedRecord:
    """Read one record with its true episodes.

    The chunks were taken from the original at starts that are no multiples of the step from 250 to 50 Hz, and overlap where they
    were taken twice. Runs of consecutive chunks are kept whole, the longest first, and cut where a longer one has the samples; a
    run is moved by at most 8 ms to the common grid of 50 Hz.

    Parameters
    ----------
    folder : Path
    record : str
        Such as ``s20011``.

    Raises
    ------
    EcgError
        If a file is missing or damaged.
    """
    path = Path(folder) / f"{record}.npz"
    try:
        with np.load(path, allow_pickle=False) as found:
            uv, start = found["uV"], found["start"].astype(np.int64)
            fs, original_fs, told = float(found["fs"]), float(found["orig_fs"]), str(found["lead"])
    except (OSError, ValueError, KeyError) as error:
        raise EcgError(f"{path} is no readable file of chunks: {error}; fetch it again") from error
    step = original_fs / fs
    if uv.ndim != 2 or start.shape != uv.shape[:1] or len(start) == 0 or start.min() < 0 or step != round(step):
        raise EcgError(f"{path} has chunks of shape {uv.shape} and {start.shape} starts; give one start a chunk, from 0 on")
    pieces = _pieces(start, uv, round(step))
    covered = merged(np.array([(at / fs, (at + piece.shape[1]) / fs) for at, piece in pieces]))
    truth = _truth(Path(folder) / "episodes_sta.csv", record, lead_name(told), original_fs, float(covered[-1, 1]))
    return ChunkedRecord(record, lead_name(told), fs, covered, mark_covered(truth, covered), pieces)


def _pieces(start: Any, uv: Any, step: int) -> tuple[tuple[int, Floats], ...]:
    """Runs of consecutive chunks on the grid of the chunks, none overlapping another."""
    width = uv.shape[1]
    runs = np.split(np.arange(len(start)), np.flatnonzero(np.diff(start) != width * step) + 1)
    taken: Floats = np.empty((0, 2))
    out: list[tuple[int, Floats]] = []
    for run in sorted(runs, key=lambda each: (-len(each), start[each[0]])):
        at = int(np.rint(start[run[0]] / step))
        signal = np.asarray(uv[run].reshape(1, -1), dtype=float)
        own = np.array([[at, at + signal.shape[1]]], dtype=float)
        free = without(own, taken)
        out += [(int(low), signal[:, int(low) - at : int(high) - at]) for low, high in free]
        taken = merged(np.concatenate([taken, own]))
    return tuple(sorted(out, key=lambda piece: piece[0]))


def _truth(path: Path, record: str, lead: str, fs: float, covered_end_s: float) -> TrueRecord:
    """Rows of one record from the table; an onset or end that is not told is open."""
    episodes: list[TrueEpisode] = []
    unreadable: list[tuple[float, float]] = []
    try:
        rows = [row for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()) if row["record"] == record]
        told = [float(row[name]) / fs for row in rows for name in ("begin", "peak_sample", "end") if row[name]]
        duration_s = max([covered_end_s, *told])
        for row in rows:
            begin = float(row["begin"]) / fs if row["begin"] else 0.0
            end = float(row["end"]) / fs if row["end"] else duration_s
            if row["type"] == "urd":
                unreadable.append((begin, end))
                continue
            peak = float(row["peak_sample"]) / fs if row["peak_sample"] else np.nan
            uv = float(row["peak_uV"]) if row["peak_uV"] else np.nan
            kind, open_ends = _TYPES[row["type"]], (not row["begin"], not row["end"])
            episodes.append(TrueEpisode(lead, int(row["lead"]), "ST", kind, begin, end, peak, uv, *open_ends))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EcgError(f"{path} cannot be read as a table of episodes ({error}); fetch it again") from error
    return TrueRecord(record, (lead,), duration_s, tuple(sorted(episodes, key=lambda each: each.onset_s)), (merged(unreadable),))


def protocol_b(truth: TrueRecord) -> TrueRecord:
    """Episodes of protocol A whose peak reaches 100 uV, as those of protocol B.

    Begin and end are the same in both protocols (50 uV). Protocol B also wants 100 uV to last for 30 s, which the table does not
    tell: a few of these episodes are none of protocol B.
    """
    return replace(truth, episodes=tuple(each for each in truth.episodes if abs(each.extremum_uv) >= PROTOCOL_B_UV))


def mark_covered(truth: TrueRecord, covered_s: Floats, *, share: float = COVERED_SHARE) -> TrueRecord:
    """Say of each episode whether the signal that there is covers it: its extremum, and at least `share` of its length.

    Parameters
    ----------
    truth : TrueRecord
    covered_s : Floats
        Rows ``(begin, end)`` in s, merged.
    share : float
        Between 0 and 1.
    """
    episodes = []
    for each in truth.episodes:
        part = length_s(common(np.array([[each.onset_s, each.end_s]]), covered_s)) / (each.end_s - each.onset_s)
        reason = ""
        if not holds(covered_s, np.array([each.extremum_s]))[0]:
            reason = "its extremum is not in the signal"
        elif part < share:
            reason = f"only {100 * part:.0f} % of it is in the signal"
        episodes.append(replace(each, visible=not reason, reason=reason))
    return replace(truth, episodes=tuple(episodes))
