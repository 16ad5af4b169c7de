"""Score found ST or T episodes against true ones as ANSI/AAMI EC57 and IEC 60601-2-47 ask.

After the rules that WFDB's ``epicmp`` documents (Moody GB, WFDB Applications Guide, "Evaluating ECG Analyzers"; Jager F et al.,
Comput Cardiol 1991:369-72), written anew:

* A true episode is found if found episodes overlap it by at least half of its length, or overlap it and hold its extremum
  (edges included). A found episode is confirmed by the same rule with the sides swapped. One episode may match several.
* Episode sensitivity: found of the true; episode positive predictivity: confirmed of the found. Duration sensitivity and positive
  predictivity: the time common to both sides, over the time of the true and over the time of the found.
* Only the test period counts: episodes are cut to it, and an extremum that is not inside it matches nothing.
* Gross figures divide the sums over all records, average figures are the means of the records in which they are defined.

Deviations: ``epicmp`` skips the first 5 min (`LEARNING_S`) unless told otherwise, here the caller tells; time that is excluded is
taken out of both sides (``epicmp`` takes it out of one, and only where the truth says atrial flutter); overlapping episodes of
one side are joined before durations are summed, so that no second counts twice. A figure whose denominator is 0 is nan, never 0
or 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgspasm.benchmarks.episode_spans import common, holds, length_s, merged, without
from ecgspasm.ecg import Floats, number
from ecgspasm.errors import EcgError

LEARNING_S = 300.0
"""The learning period of EC57: give it as `begin_s` for a figure to compare with others' on whole records."""

DISCREPANT_UV = 100.0
"""Measurements that are further apart count as discrepant (``epicmp``, ``plotstm``)."""

FIGURES = ("episode_se", "episode_ppv", "duration_se", "duration_ppv")
_EVERYTHING = (-np.inf, np.inf)


@dataclass(frozen=True)
class Interval:
    """One episode of one side; times in s, on any clock that both sides share.

    Attributes
    ----------
    onset_s, end_s : float
    extremum_s, extremum_uv : float
        nan where unknown; the extremum then matches nothing.
    open_start, open_end : bool
        The episode runs beyond what is known; it is scored as what is known of it.
    other_extrema_s : tuple of float
        Extrema of other leads, where several were joined, see `combined`.

    Raises
    ------
    EcgError
        If it does not end after its onset, or an extremum lies outside.
    """

    onset_s: float
    end_s: float
    extremum_s: float = float("nan")
    extremum_uv: float = float("nan")
    open_start: bool = False
    open_end: bool = False
    other_extrema_s: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (np.isfinite(self.onset_s) and np.isfinite(self.end_s) and self.onset_s < self.end_s):
            raise EcgError(f"an episode from {self.onset_s:g} to {self.end_s:g} s has no length; give its onset and a later end")
        for at in (self.extremum_s, *self.other_extrema_s):
            if at < self.onset_s or at > self.end_s:
                raise EcgError(f"an extremum at {at:g} s lies outside its episode, {self.onset_s:g} to {self.end_s:g} s; mend it")

    @property
    def extrema_s(self) -> tuple[float, ...]:
        """All moments that count as an extremum."""
        return (self.extremum_s, *self.other_extrema_s)


def combined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Episodes of several leads as episodes of the person: those that overlap become one that keeps all extrema.

    Its `extremum_uv` is the largest deviation of all. Episodes that only touch stay two.
    """
    out: list[Interval] = []
    for each in sorted(intervals, key=lambda one: (one.onset_s, one.end_s)):
        if out and each.onset_s < out[-1].end_s:
            out[-1] = _joined(out[-1], each)
        else:
            out.append(each)
    return tuple(out)


def _joined(one: Interval, other: Interval) -> Interval:
    both = sorted((one, other), key=lambda each: abs(each.extremum_uv) if np.isfinite(each.extremum_uv) else -1.0, reverse=True)
    onset_s, end_s = min(each.onset_s for each in both), max(each.end_s for each in both)
    return Interval(
        onset_s,
        end_s,
        both[0].extremum_s,
        both[0].extremum_uv,
        any(each.open_start for each in both if each.onset_s == onset_s),
        any(each.open_end for each in both if each.end_s == end_s),
        tuple(at for at in (*both[0].other_extrema_s, *both[1].extrema_s) if np.isfinite(at)),
    )


@dataclass(frozen=True, eq=False)
class RecordScore:
    """What was found in one record (or one lead of it).

    Attributes
    ----------
    record : str
    n_true, n_matched : int
        True episodes in the test period, and those of them that were found.
    n_found, n_confirmed : int
        Found episodes in the test period, and those of them that are true.
    true_s, found_s, both_s : float
        Time in true episodes, in found ones, and in both.
    deviation_uv : Floats
        Paired measurements, rows ``(true, found)``, shape (pair, 2).
    matched, confirmed : tuple of (bool or None)
        In the order given to `score`; None of an episode that lies outside the test period or in excluded time.
    """

    record: str
    n_true: int
    n_matched: int
    n_found: int
    n_confirmed: int
    true_s: float
    found_s: float
    both_s: float
    deviation_uv: Floats
    matched: tuple[bool | None, ...] = ()
    confirmed: tuple[bool | None, ...] = ()

    @property
    def episode_se(self) -> float:
        """Share of true episodes that were found, in %."""
        return _percent(self.n_matched, self.n_true)

    @property
    def episode_ppv(self) -> float:
        """Share of found episodes that are true, in %."""
        return _percent(self.n_confirmed, self.n_found)

    @property
    def duration_se(self) -> float:
        """Share of the time in true episodes that was found, in %."""
        return _percent(self.both_s, self.true_s)

    @property
    def duration_ppv(self) -> float:
        """Share of the found time that is true, in %."""
        return _percent(self.both_s, self.found_s)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready row of a table; ``None`` where a figure is not defined."""
        return {
            "record": self.record,
            "n_true": self.n_true,
            "n_matched": self.n_matched,
            "n_found": self.n_found,
            "n_confirmed": self.n_confirmed,
            "true_s": number(self.true_s, 3),
            "found_s": number(self.found_s, 3),
            "both_s": number(self.both_s, 3),
            **{name: number(getattr(self, name), 2) for name in FIGURES},
        }


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole > 0 else float("nan")


def score(
    record: str,
    true: Sequence[Interval],
    found: Sequence[Interval],
    *,
    begin_s: float = -np.inf,
    end_s: float = np.inf,
    excluded: Iterable[tuple[float, float]] | Floats = (),
    trend: tuple[Floats, Floats] | None = None,
) -> RecordScore:
    """Compare the episodes of one record, or of one lead.

    Parameters
    ----------
    record : str
    true, found : sequence of Interval
        In any order; episodes of one side may overlap, each is then counted for itself.
    begin_s, end_s : float
        The test period. EC57 begins after `LEARNING_S`.
    excluded : iterable of (float, float)
        Stretches of which nothing can be said: unreadable to the experts, or missing from the recording. They are taken out of
        both sides: neither the misses nor the inventions in them tell anything about a method. An episode all of which is
        excluded is not counted; of one that is excluded in part the rest is judged, and an extremum in excluded time matches
        nothing. What a method itself gives up on as noise must not be excluded: EC57 counts a shutdown against it, as time in
        which it found nothing.
    trend : (Floats, Floats), optional
        Times in s and deviations in uV that the method measured, shape (n,). Each true extremum is then compared with the
        measurement nearest in time, as EC57 asks (nan are passed over, of two as near the later counts). Without it, it is
        compared with the extremum of the found episode that overlaps the true one most: only of episodes that both sides saw, so
        give a trend where there is one.

    Returns
    -------
    RecordScore

    Raises
    ------
    EcgError
        If a stretch runs backwards.
    """
    if not begin_s < end_s:
        raise EcgError(f"the test period from {begin_s:g} to {end_s:g} s has no length; give a later end")
    test = without(np.array([[begin_s, end_s]]), merged(excluded))
    pieces = {side: [_cut(each, test) for each in intervals] for side, intervals in (("true", true), ("found", found))}
    joined = {side: merged(np.concatenate([*rows, np.empty((0, 2))])) for side, rows in pieces.items()}
    matched = _matches(true, pieces["true"], joined["found"], test, (begin_s, end_s))
    confirmed = _matches(found, pieces["found"], joined["true"], test, (begin_s, end_s))
    return RecordScore(
        record=record,
        n_true=sum(each is not None for each in matched),
        n_matched=sum(each is True for each in matched),
        n_found=sum(each is not None for each in confirmed),
        n_confirmed=sum(each is True for each in confirmed),
        true_s=length_s(joined["true"]),
        found_s=length_s(joined["found"]),
        both_s=length_s(common(joined["true"], joined["found"])),
        deviation_uv=_pairs(true, found, test, trend),
        matched=matched,
        confirmed=confirmed,
    )


def _cut(each: Interval, test: Floats) -> Floats:
    return common(np.array([[each.onset_s, each.end_s]]), test)


def _matches(
    intervals: Sequence[Interval], pieces: Sequence[Floats], other: Floats, test: Floats, period: tuple[float, float]
) -> tuple[bool | None, ...]:
    """Of each episode whether the other side has it; None if nothing of it is in the test."""
    out: list[bool | None] = []
    for each, rows in zip(intervals, pieces, strict=True):
        if len(rows) == 0:
            out.append(None)
            continue
        shared = common(rows, other)
        extrema = np.array([at for at in each.extrema_s if period[0] < at < period[1]])
        seen = holds(test, extrema) & holds(shared, extrema)
        # Sums of decimal fractions of a second may fall short of an exact half by rounding.
        half = 2.0 * length_s(shared) >= length_s(rows) * (1.0 - 1e-9)
        out.append(bool(length_s(shared) > 0 and (seen.any() or half)))
    return tuple(out)


def _pairs(true: Sequence[Interval], found: Sequence[Interval], test: Floats, trend: tuple[Floats, Floats] | None) -> Floats:
    """True deviations at the extrema and what the method has there, shape (pair, 2)."""
    known = [each for each in true if np.isfinite(each.extremum_uv) and holds(test, np.array([each.extremum_s]))[0]]
    if trend is None:
        rows = [(each.extremum_uv, _partner_uv(each, found)) for each in known]
    else:
        rows = [(each.extremum_uv, uv) for each, uv in zip(known, _nearest_uv(known, *trend), strict=True)]
    out = np.array(rows, dtype=float).reshape(-1, 2)
    return np.asarray(out[np.isfinite(out).all(axis=1)])


def _partner_uv(each: Interval, found: Sequence[Interval]) -> float:
    """Extremum of the found episode that overlaps most; of several that do so alike, of the one whose extremum is nearest."""
    shared = [(min(each.end_s, other.end_s) - max(each.onset_s, other.onset_s), other) for other in found]
    shared = [(overlap, other) for overlap, other in shared if overlap > 0 and np.isfinite(other.extremum_uv)]
    if not shared:
        return float("nan")
    return max(shared, key=lambda pair: (pair[0], -abs(pair[1].extremum_s - each.extremum_s)))[1].extremum_uv


def _nearest_uv(known: Sequence[Interval], time_s: Floats, deviation_uv: Floats) -> Floats:
    times, values = np.asarray(time_s, dtype=float), np.asarray(deviation_uv, dtype=float)
    if times.shape != values.shape or times.ndim != 1:
        raise EcgError(f"the trend has {times.size} times and {values.size} deviations; give flat arrays of one length")
    good = np.isfinite(times) & np.isfinite(values)
    order = np.argsort(times[good], kind="stable")
    times, values = times[good][order], values[good][order]
    if len(times) == 0:
        return np.full(len(known), np.nan)
    at = np.array([each.extremum_s for each in known])
    later = np.clip(np.searchsorted(times, at, side="left"), 0, len(times) - 1)
    earlier = np.maximum(later - 1, 0)
    return np.asarray(np.where(np.abs(times[later] - at) <= np.abs(at - times[earlier]), values[later], values[earlier]))
