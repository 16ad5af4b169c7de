"""True ST and T episodes from annotation files: European ST-T Database (and excerpts of it), Long-Term ST Database.

European notation (Taddei A et al., Eur Heart J 1992;13:1164-72, and the set's annotation guide), in the notes of ``s`` and ``T``
annotations: ``(ST0+`` begins an episode in signal 0, ``AST0+150`` is its extremum in uV from the person's reference beat,
``ST0+)`` ends it; ``T`` likewise. Doubled signs (``(T0++`` ... ``T0++)``) say where a T episode is beyond 400 uV: they are no
episodes. Lower case (``(st0+``, in ``"`` annotations) is a shift of the axis. The QT Database's excerpts (``sele*``) number the
signals from 1.

Long-Term notation (Jager F et al., Med Biol Eng Comput 2003;41:172-82): ``(st0-50``, ``ast0-120``, ``st0-45)`` for an ischemic
episode with its deviations in uV, ``(rtst0...`` for one that goes with the heart rate, ``sst0`` and ``sccst0`` for the moment of
an axis shift or conduction change, ``(urd0`` ... ``urd0)`` for what cannot be read; references ``GRST0``, ``LRST0+12`` and noise
``noi0+12`` are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.benchmarks.episode_scoring import Interval
from ecgspasm.benchmarks.episode_spans import common, length_s, merged
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import blame, local_path
from ecgspasm.io.wfdb.header import Header
from ecgspasm.io.wfdb.reader import read_header

ISCHEMIC, RATE, AXIS, CONDUCTION = KINDS = ("ischemic", "rate-related", "axis shift", "conduction change")
"""What a true episode can be; a European episode is called ischemic if it is not marked as an axis shift."""

NO_QUIET_SHARE = 0.9
"""An excerpt whose lead is in episodes for this share of its length holds no quiet stretch to judge against."""

PROTOCOLS = {"A": "sta", "B": "stb", "C": "stc"}
"""Long-Term ST: annotation file by protocol (A >= 75 uV for 30 s, B >= 100 uV for 30 s, C >= 100 uV for 60 s)."""

_EUROPEAN = re.compile(
    r"(?P<begin>\()?(?P<peak>[Aa])?(?P<what>ST|st|T|t)(?P<lead>\d)?(?P<sign>\+\+?|--?)(?P<uv>\d{0,5})(?P<end>\))?"
)
_LONG_TERM = re.compile(r"(?P<begin>\()?(?P<peak>a)?(?P<rate>rt)?st(?P<lead>\d)(?P<uv>[+-]\d{1,5})(?P<end>\))?")
_SHIFT = re.compile(r"s(?P<conduction>cc)?st(?P<lead>\d)(?:[+-]\d{1,5})?")
_UNREADABLE = re.compile(r"(?P<begin>\()?urd(?P<lead>\d)(?P<end>\))?")
_PASSED_OVER = re.compile(r"(?:GRST|LRST|noi)\d.*")
_BEGIN, _PEAK, _END = "begin", "peak", "end"


@dataclass(frozen=True)
class TrueEpisode:
    """One episode of one lead as the experts marked it; times in s from the beginning of the record.

    Attributes
    ----------
    lead : str
        In the standard spelling where the header's name is a known one.
    row : int
        Signal of the record, from 0; tells leads of the same name apart.
    measure : str
        ``ST`` or ``T``.
    kind : str
        One of `KINDS`.
    onset_s, end_s : float
        An axis shift or conduction change of the Long-Term set is a moment: both are the same.
    extremum_s, extremum_uv : float
        Largest deviation with its sign; nan where it lies outside an excerpt.
    open_start, open_end : bool
        The begin (end) is not marked: `onset_s` (`end_s`) is that of the record, or of the neighbour of the same kind.
    visible : bool
        Whether the record holds what is needed to see it, see `mark_visible`.
    reason : str
        Why it cannot be seen.
    """

    lead: str
    row: int
    measure: str
    kind: str
    onset_s: float
    end_s: float
    extremum_s: float = float("nan")
    extremum_uv: float = float("nan")
    open_start: bool = False
    open_end: bool = False
    visible: bool = True
    reason: str = ""

    @property
    def interval(self) -> Interval:
        """For scoring; an EcgError for a shift, which has no length."""
        return Interval(self.onset_s, self.end_s, self.extremum_s, self.extremum_uv, self.open_start, self.open_end)


@dataclass(frozen=True, eq=False)
class TrueRecord:
    """The true episodes of one record, in the order of their onsets, and what of each lead cannot be read."""

    record: str
    leads: tuple[str, ...]
    duration_s: float
    episodes: tuple[TrueEpisode, ...]
    unreadable_s: tuple[Floats, ...]
    """One array a lead, rows ``(begin, end)`` in s."""

    def select(self, *, measure: str, row: int | None = None, kinds: Iterable[str] = (ISCHEMIC,)) -> tuple[TrueEpisode, ...]:
        """Episodes of one measure, of some kinds, and of one lead if `row` is given."""
        wanted = frozenset(kinds)
        rows = range(len(self.leads)) if row is None else (row,)
        return tuple(each for each in self.episodes if each.measure == measure and each.kind in wanted and each.row in rows)


def european_records(folder: Path) -> list[Path]:
    """Records of a folder in the European set's layout (``eNNNN``) or excerpts in the QT Database (``selNNNN`` with e), sorted.

    Raises
    ------
    EcgError
        If there is none.
    """
    return _records(folder, re.compile(r"(?:sel)?e\d{4}"), "atr", "the European ST-T Database (e0103 ...) or its excerpts")


def long_term_records(folder: Path, protocol: str = "A") -> list[Path]:
    """Records of a folder in the Long-Term ST Database's layout (``sNNNNN``) that carry annotations of a protocol, sorted."""
    return _records(folder, re.compile(r"s[23]\d{4}"), _extension(protocol), "the Long-Term ST Database (s20011 ...)")


def _records(folder: Path, name: re.Pattern[str], extension: str, of: str) -> list[Path]:
    found = sorted(path.with_suffix("") for path in Path(folder).glob("*.hea") if name.fullmatch(path.stem))
    found = [path for path in found if path.with_suffix(f".{extension}").is_file()]
    if not found:
        raise EcgError(f"{folder} holds no records of {of} with .hea and .{extension}; give the folder that does")
    return found


def _extension(protocol: str) -> str:
    if protocol not in PROTOCOLS:
        raise EcgError(f"there is no annotation protocol {protocol!r}; the Long-Term ST Database has A, B and C")
    return PROTOCOLS[protocol]


def read_european(record: Path) -> TrueRecord:
    """True episodes of one record of the European ST-T Database, or of an excerpt of one in the QT Database.

    Parameters
    ----------
    record : Path
        Without a suffix; ``.hea`` and ``.atr`` lie beside each other.

    Returns
    -------
    TrueRecord
        Of an excerpt all episodes that are marked within it: one of which neither begin, extremum nor end falls into the excerpt
        is not known. Unreadable is what ``~`` annotations call so (bits 4 and 5 of their subtype); what is only noisy is not.

    Raises
    ------
    EcgError
        If a file is missing or damaged, or an ``s`` or ``T`` annotation departs from the notation.
    """
    header, fs, notes = _annotations(record, "atr")
    found = [(at, match) for at, symbol, note, _ in notes if (match := _european(record, symbol, note))]
    first = _first_signal(record.name, [int(match["lead"]) for _, match in found if match["lead"]], header.n_sig)
    marks = []
    for at, match in found:
        if len(match["sign"]) == 2:
            continue
        row = int(match["lead"] or first) - first
        kind = ISCHEMIC if match["what"].isupper() else AXIS
        # Episodes of both signs may run at once in one lead, so the sign belongs to the key.
        key = (row, match["what"].upper(), kind, match["sign"])
        marks.append((at / fs, key, _step(match), float(match["sign"] + match["uv"]) if match["uv"] else np.nan))
    duration_s = _duration_s(header, fs, notes)
    quality = [(at / fs, subtype) for at, symbol, _, subtype in notes if symbol == "~"]
    unreadable = tuple(_unreadable(quality, row, duration_s) for row in range(header.n_sig))
    return _record(record, header, duration_s, marks, unreadable)


def _european(record: Path, symbol: str, note: str) -> re.Match[str] | None:
    """The parsed note, or None of an annotation that says nothing of ST and T."""
    if symbol not in ("s", "T", '"') or not note:
        return None
    match = _EUROPEAN.fullmatch(note)
    if symbol == '"':
        return match if match and match["what"].islower() else None
    if match is None or match.group("begin", "peak", "end").count(None) != 2 or bool(match["peak"]) != bool(match["uv"]):
        raise EcgError(f"{record.name}.atr has the note {note[:20]!r}, no ST or T change such as (ST0+, AST0+150, ST0+); mend it")
    return match


def _first_signal(name: str, digits: Sequence[int], n_sig: int) -> int:
    """Number of the first signal: 0 in the European set, 1 in the QT Database's excerpts."""
    first = 1 if name.startswith("sel") else 0
    if any(not first <= digit < first + n_sig for digit in digits):
        raise EcgError(f"{name}.atr tells of signals {sorted(set(digits))}, the record has {n_sig} from number {first}; mend it")
    return first


def _step(match: re.Match[str]) -> str:
    return _BEGIN if match["begin"] else _END if match["end"] else _PEAK


def _unreadable(quality: Sequence[tuple[float, int]], row: int, duration_s: float) -> Floats:
    """Stretches in which one signal is unreadable; each annotation holds until the next. -1 is how analysers mark a shutdown."""
    times = np.array([at for at, _ in quality] + [duration_s])
    bad = np.array([subtype < 0 or bool(subtype & (0x10 << row)) for _, subtype in quality], dtype=bool)
    return merged(np.column_stack([times[:-1], np.maximum(times[1:], times[:-1])])[bad])


def read_long_term(record: Path, protocol: str = "A") -> TrueRecord:
    """True episodes, shifts and unreadable stretches of one record of the Long-Term ST Database.

    Parameters
    ----------
    record : Path
        Without a suffix; ``.hea`` and ``.sta``, ``.stb`` or ``.stc`` lie beside each other.
    protocol : str
        ``A``, ``B`` or ``C``.

    Raises
    ------
    EcgError
        If a file is missing or damaged, or an annotation departs from the notation.
    """
    header, fs, notes = _annotations(record, _extension(protocol))
    marks: list[tuple[float, _Key, str, float]] = []
    shifts: list[tuple[float, int, str]] = []
    unreadable: list[tuple[float, _Key, str, float]] = []
    for at, _, note, _ in notes:
        if match := _LONG_TERM.fullmatch(note):
            # The deviation at the onset may have the other sign than the extremum, so the sign is no part of the key.
            key = (int(match["lead"]), "ST", RATE if match["rate"] else ISCHEMIC, "")
            marks.append((at / fs, key, _step(match), float(match["uv"])))
        elif match := _SHIFT.fullmatch(note):
            shifts.append((at / fs, int(match["lead"]), CONDUCTION if match["conduction"] else AXIS))
        elif match := _UNREADABLE.fullmatch(note):
            unreadable.append((at / fs, (int(match["lead"]), "", "", ""), _step(match), np.nan))
        elif note and not _PASSED_OVER.fullmatch(note):
            raise EcgError(f"{record.name} has the note {note[:20]!r}, no ST change such as (st0-50, ast0-120, st0-45); mend it")
    duration_s = _duration_s(header, fs, notes)
    rows = [*(key[0] for _, key, _, _ in (*marks, *unreadable)), *(row for _, row, _ in shifts)]
    if any(row >= header.n_sig for row in rows):
        raise EcgError(f"{record.name} tells of signal {max(rows)}, but the header of {header.n_sig} signals; mend it")
    closed = _joined(unreadable, duration_s)
    spans = tuple(merged([(each[1], each[2]) for each in closed if each[0][0] == row]) for row in range(header.n_sig))
    return _record(record, header, duration_s, marks, spans, shifts)


def _annotations(record: Path, extension: str) -> tuple[Header, float, list[tuple[int, str, str, int]]]:
    """Header, sampling rate, and of each annotation ``(sample, symbol, note, subtype)``."""
    path = Path(local_path(record))
    with blame(f"{path}.hea"):
        header = read_header(f"{path}.hea")
        if not header.fs or not header.n_sig:
            raise EcgError("the header tells no sampling rate or no signals; mend it")
    if not Path(f"{path}.{extension}").is_file():
        raise EcgError(f"there is no annotation file {path.name}.{extension} in {path.parent}; fetch it")
    import wfdb

    try:
        read: Any = wfdb.rdann(str(path), extension)
        # What follows a NUL is padding, sometimes with rubbish in it.
        texts = [str(note).split("\0")[0].strip() for note in read.aux_note]
        notes = list(zip(map(int, read.sample), map(str, read.symbol), texts, map(int, read.subtype), strict=True))
    except Exception as error:  # wfdb raises whatever comes up; all of it means that the file cannot be read
        raise EcgError(f"{path.name}.{extension} cannot be read as WFDB annotations ({error}); fetch it again") from error
    return header, float(header.fs), notes


def _duration_s(header: Header, fs: float, notes: Sequence[tuple[int, str, str, int]]) -> float:
    return (header.n_samples or max((at for at, *_ in notes), default=0)) / fs


_Key = tuple[int, str, str, str]
"""Row, measure, kind and sign: episodes with different keys run independently."""


def _joined(
    marks: Sequence[tuple[float, _Key, str, float]], duration_s: float
) -> list[tuple[_Key, float, float, float, float, bool, bool]]:
    """Begin, extremum and end put together: ``(key, onset, end, extremum_s, extremum_uv, open_start, open_end)``.

    An extremum or end without a begin belongs to an episode that runs from the record's start (or from the end of the one before
    it); an end alone after other episodes of its key is a slip and says nothing. Of several extrema the largest counts.
    """
    running: dict[_Key, tuple[float, float, float, bool]] = {}
    ended: dict[_Key, float] = {}
    out = []

    def close(key: _Key, at: float, open_end: bool) -> None:
        onset, peak_s, peak_uv, open_start = running.pop(key)
        ended[key] = at
        if at > onset:
            out.append((key, onset, at, peak_s, peak_uv, open_start, open_end))

    for at, key, step, uv in marks:
        if step == _BEGIN:
            if key in running:
                close(key, at, True)
            running[key] = (at, np.nan, np.nan, False)
        elif step == _PEAK:
            onset, peak_s, peak_uv, open_start = running.get(key, (ended.get(key, 0.0), np.nan, np.nan, True))
            peak_s, peak_uv = (peak_s, peak_uv) if abs(peak_uv) >= abs(uv) else (at, uv)
            running[key] = (onset, peak_s, peak_uv, open_start)
        elif key in running or key not in ended:
            running.setdefault(key, (0.0, np.nan, np.nan, True))
            close(key, at, False)
    for key in list(running):
        close(key, duration_s, True)
    return out


def _record(
    record: Path,
    header: Header,
    duration_s: float,
    marks: Sequence[tuple[float, _Key, str, float]],
    unreadable: tuple[Floats, ...],
    shifts: Sequence[tuple[float, int, str]] = (),
) -> TrueRecord:
    leads = tuple(lead_name(signal.description) for signal in header.signals)
    episodes = [
        TrueEpisode(leads[key[0]], key[0], key[1], key[2], onset, end, peak_s, peak_uv, open_start, open_end)
        for key, onset, end, peak_s, peak_uv, open_start, open_end in _joined(marks, duration_s)
    ]
    episodes += [TrueEpisode(leads[row], row, "ST", kind, at, at, at) for at, row, kind in shifts]
    episodes.sort(key=lambda each: (each.onset_s, each.row, each.measure, each.end_s))
    return TrueRecord(Path(record).name, leads, duration_s, tuple(episodes), unreadable)


def lead_name(told: str) -> str:
    """The standard spelling of a lead, or the name as told where it is no known one (``ECG``, ``E-S``)."""
    try:
        return lead_names.canonical(told)
    except EcgError:
        return told.strip()


def mark_visible(record: TrueRecord, *, no_quiet_share: float = NO_QUIET_SHARE) -> TrueRecord:
    """Say of each episode of an excerpt whether the excerpt holds what is needed to see it; from the truth alone.

    The European experts judged against a beat from the first 30 s of two hours, which a quarter of an hour from the middle need
    not hold. An episode is not visible

    1. if it already runs at the excerpt's first sample: nothing before it is quiet;
    2. if episodes of its lead and measure cover at least `no_quiet_share` of the excerpt: nothing around it is quiet.

    An episode that is open at the excerpt's end stays visible: its begin is there.

    Parameters
    ----------
    record : TrueRecord
    no_quiet_share : float
        Between 0 and 1.

    Returns
    -------
    TrueRecord
        With `visible` and `reason` of all episodes set.
    """
    whole = np.array([[0.0, record.duration_s]])
    shares = {}
    for row, measure in {(each.row, each.measure) for each in record.episodes}:
        spans = merged([(each.onset_s, each.end_s) for each in record.episodes if (each.row, each.measure) == (row, measure)])
        shares[row, measure] = length_s(common(spans, whole)) / record.duration_s if record.duration_s else np.nan
    episodes = []
    for each in record.episodes:
        share, reason = shares[each.row, each.measure], ""
        if each.open_start and each.onset_s <= 0.0:
            reason = "already running at the first sample"
        elif share >= no_quiet_share:
            reason = f"episodes cover {100 * share:.0f} % of the lead, no quiet stretch is left"
        episodes.append(replace(each, visible=not reason, reason=reason))
    return replace(record, episodes=tuple(episodes))


def hidden_s(episodes: Iterable[TrueEpisode]) -> Floats:
    """Where episodes that are not visible run, rows ``(begin, end)`` in s, merged.

    To be excluded from scoring together: leaving out only the episodes would make an invention of a method that finds one all the
    same.
    """
    return merged([(each.onset_s, each.end_s) for each in episodes if not each.visible])
