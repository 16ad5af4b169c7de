"""From tiles to the trend: rows that later beats cannot change any more are made, and the beats forgotten."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.tile import BEAT_MEASURES, SHAPE_MEASURES, Pictures, Tile
from ecgspasm.continuous.trend import Interruption, Small, Steps, Trend, to_steps
from ecgspasm.ecg import Floats

_MIDDLE_SE = 1.09  # standard error of the mean of the middle half over that of a mean, for normal noise


class TrendBuilder:
    """Collects tiles in time order.

    Parameters
    ----------
    fs : float
        Of the tiles.
    leads : sequence of str
    average_s, step_s : float
        Length of an average, and from one row to the next.
    """

    def __init__(self, fs: float, leads: Sequence[str], average_s: float, step_s: float) -> None:
        self.fs, self.leads = fs, tuple(leads)
        self._half, self._step = average_s / 2.0, step_s
        n = len(self.leads)
        self._time: Floats = np.empty(0)
        self._rr: Floats = np.empty(0)
        self._beats: Small = np.empty((len(BEAT_MEASURES), n, 0), dtype=np.float32)
        self._next = 0
        self._rows_of: list[tuple[Floats, Small, Steps, NDArray[np.float16]]] = []
        self._shapes = _Shapes(n, average_s)
        self._open: dict[str, tuple[str, float]] = {}
        self.interruptions: list[Interruption] = []

    def add(self, tile: Tile, *, last: bool = False) -> None:
        """Take the next tile."""
        self._note(tile)
        self._time = np.concatenate([self._time, tile.r_sample / self.fs])
        self._rr = np.concatenate([self._rr, tile.rr_ms])
        self._beats = np.concatenate([self._beats, tile.values], axis=2)
        if tile.pictures is not None:
            self._shapes.add(tile.pictures)
        end = tile.stop / self.fs
        known = end + self._step if last else end - self._half
        rows = np.arange(self._next, max(self._next, int(np.floor(known / self._step + 1e-9))) + 1)
        rows = rows[rows * self._step < (end if last else known)]
        if len(rows):
            self._rows_of.append(self._rows(rows * self._step))
            self._next = int(rows[-1]) + 1
            self._forget((rows[-1] + 1) * self._step - self._half)
        if last:
            for lead in list(self._open):
                self._close(lead, end)

    @property
    def known_s(self) -> float:
        """Time of the newest row; minus infinity before the first."""
        return float(self._rows_of[-1][0][-1]) if self._rows_of else -np.inf

    @property
    def interrupted(self) -> dict[str, tuple[str, float]]:
        """Leads that cannot be measured at present: reason and since when, in s."""
        return dict(self._open)

    def trend(self, since_s: float = -np.inf) -> Trend:
        """The trend so far, from the block of rows in which `since_s` lies."""
        blocks = [block for block in self._rows_of if block[0][-1] >= since_s]
        n = len(self.leads)
        if blocks:
            time, rate, steps, se = (np.concatenate([block[k] for block in blocks], axis=-1) for k in range(4))
        else:
            time, rate = np.empty(0), np.empty(0, np.float32)
            steps, se = np.empty((len(BEAT_MEASURES), n, 0), np.int16), np.empty((n, 0), np.float16)
        shape, qrs_ms = self._shapes.at(time, self._half)
        picture_s, beats, r_index = self._shapes.pictures(since_s)
        return Trend(
            leads=self.leads,
            time_s=time,
            rate_bpm=rate,
            steps=steps,
            se_uv=se.astype(np.float32),
            qrs_ms=qrs_ms,
            shape=shape,
            picture_s=picture_s,
            beat_uv=beats,
            r_index=r_index,
            interruptions=tuple(self.interruptions),
        )

    def drop(self, before_s: float) -> None:
        """Forget the rows before a time, for a feed that never ends."""
        self._rows_of = [block for block in self._rows_of if block[0][-1] >= before_s]
        self._shapes.drop(before_s)
        self.interruptions = [each for each in self.interruptions if each.end_s >= before_s]

    def _forget(self, before_s: float) -> None:
        keep = int(np.searchsorted(self._time, before_s))
        self._time, self._rr, self._beats = self._time[keep:], self._rr[keep:], self._beats[:, :, keep:]

    def _rows(self, time: Floats) -> tuple[Floats, Small, Steps, NDArray[np.float16]]:
        """Rows at some times: rate, values (measure, lead, row) and their standard error (lead, row)."""
        first = np.searchsorted(self._time, time - self._half)
        last = np.searchsorted(self._time, time + self._half)
        width = max(int((last - first).max(initial=0)), 1)
        place = first[:, None] + np.arange(width)
        inside = place < last[:, None]
        if self._beats.shape[2] == 0:
            shape = (len(BEAT_MEASURES), len(self.leads), len(time))
            nothing = np.full(shape, np.nan, np.float32)
            return time, np.full(len(time), np.nan, np.float32), to_steps(nothing), nothing[0].astype(np.float16)
        place = np.minimum(place, len(self._time) - 1)
        values, count = _middle_mean(np.where(inside, self._beats[:, :, place], np.nan))
        values[count < settings("beats")["fewest"]] = np.nan
        _sign(values)
        st = BEAT_MEASURES.index("st_j60_uv")
        se = _standard_error(np.where(inside, self._beats[st][:, place], np.nan), values[st])
        rate = 60_000.0 / _row_median(np.where(inside, self._rr[place], np.nan))
        values[:, se > settings("beats")["largest_se_uv"]] = np.nan
        return time, rate.astype(np.float32), to_steps(values), np.minimum(se, 60_000.0).astype(np.float16)

    def _note(self, tile: Tile) -> None:
        """Keep account of when which lead could not be measured, and why."""
        at = tile.start / self.fs
        for lead, reason in zip(self.leads, tile.reasons, strict=True):
            if lead in self._open and self._open[lead][0] != reason:
                self._close(lead, at)
            if reason and lead not in self._open:
                self._open[lead] = (reason, at)

    def _close(self, lead: str, at: float) -> None:
        reason, start = self._open.pop(lead)
        for k, other in enumerate(self.interruptions):
            if (other.start_s, other.end_s, other.reason) == (start, at, reason):
                self.interruptions[k] = Interruption(start, at, (*other.leads, lead), reason)
                return
        self.interruptions.append(Interruption(start, at, (lead,), reason))


class _Shapes:
    """QRS sizes of all averaged beats, and of a few of the beats themselves."""

    def __init__(self, n_leads: int, average_s: float) -> None:
        self._n, self._average = n_leads, average_s
        self._every = max(1, round(settings("average")["picture_s"] / average_s))
        self._middle: list[float] = []
        self._sizes: list[Small] = []
        self._qrs: list[float] = []
        self._kept: list[tuple[float, Steps, float]] = []
        self._best: tuple[int, float] = (-1, -1.0)  # bucket of the newest picture, and how much it differs from those before
        self._usual: Floats | None = None

    def add(self, pictures: Pictures) -> None:
        """Take the averaged beats of a tile."""
        for k, window in enumerate(pictures.window):
            middle = (float(window) + 0.5) * self._average
            self._middle.append(middle)
            self._sizes.append(pictures.shape[:, :, k].astype(np.float32))
            self._qrs.append(pictures.qrs_ms)
            self._keep(int(window) // self._every, middle, pictures.beat_uv[k], pictures.r_index)

    def _keep(self, bucket: int, middle: float, beat: Steps, r_index: float) -> None:
        """Of each bucket the beat that differs most from the slow mean of those before."""
        low = round(r_index)
        aligned = beat[:, low : low + 64].astype(float)  # half a second after R: QRS and ST-T
        if self._usual is None or self._usual.shape != aligned.shape:
            self._usual = aligned
        differs = float(np.abs(aligned - self._usual).sum())
        self._usual = self._usual + 0.05 * (aligned - self._usual)
        if bucket != self._best[0]:
            self._kept.append((middle, beat, r_index))
            self._best = (bucket, differs)
        elif differs > self._best[1]:
            self._kept[-1] = (middle, beat, r_index)
            self._best = (bucket, differs)

    def at(self, time_s: Floats, half: float) -> tuple[Small, Small]:
        """Sizes (measure, lead, row) and QRS width (row,) of the averaged beat around each time."""
        shape = np.full((len(SHAPE_MEASURES), self._n, len(time_s)), np.nan, np.float32)
        qrs_ms = np.full(len(time_s), np.nan, np.float32)
        middle = np.array(self._middle)
        if len(middle) and len(time_s):
            low = int(np.searchsorted(middle, time_s[0] - self._average))
            high = max(int(np.searchsorted(middle, time_s[-1] + self._average)), low)
            if high > low:
                nearest = np.clip(np.searchsorted(middle[low:high], time_s - half), 0, high - low - 1)
                near = np.abs(middle[low:high][nearest] - time_s) <= self._average
                shape[:, :, near] = np.stack(self._sizes[low:high], axis=2)[:, :, nearest[near]]
                qrs_ms[near] = np.array(self._qrs[low:high], np.float32)[nearest[near]]
        return shape, qrs_ms

    def pictures(self, since_s: float) -> tuple[Floats, Steps, Small]:
        """Times, beats (picture, lead, sample) and fiducials of the beats kept; shorter ones end in zeros."""
        kept = [each for each in self._kept if each[0] >= since_s]
        longest = max((beat.shape[1] for _, beat, _ in kept), default=0)
        beats = np.zeros((len(kept), self._n, longest), dtype=np.int16)
        for row, (_, beat, _) in zip(beats, kept, strict=True):
            row[:, : beat.shape[1]] = beat
        return np.array([each[0] for each in kept]), beats, np.array([each[2] for each in kept], np.float32)

    def drop(self, before_s: float) -> None:
        """Forget what lies before a time."""
        low = int(np.searchsorted(np.array(self._middle), before_s))
        self._middle, self._sizes, self._qrs = self._middle[low:], self._sizes[low:], self._qrs[low:]
        self._kept = [each for each in self._kept if each[0] >= before_s]


def _middle_mean(beats: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Mean of the middle half of the beats (last axis) that have a value, and how many have."""
    ordered = np.sort(beats, axis=-1)  # nan last
    count = np.isfinite(beats).sum(axis=-1)
    dropped = count // 4 + (count == 3)
    rank = np.arange(beats.shape[-1])
    kept = (rank >= dropped[..., None]) & (rank < (count - dropped)[..., None])
    total = np.where(kept, ordered, 0.0).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / kept.sum(axis=-1)), count


def _sign(values: Floats) -> None:
    """A positive lobe is not negative, nor a negative one positive: where T has no such lobe it is zero."""
    up, down = BEAT_MEASURES.index("t_positive_uv"), BEAT_MEASURES.index("t_negative_uv")
    values[up] = np.maximum(values[up], 0.0)
    values[down] = np.minimum(values[down], 0.0)


def _standard_error(beats: Floats, middle: Floats) -> Floats:
    """Standard error of the middle mean of each row, from the beats' median absolute deviation, shape (lead, row)."""
    off = np.sort(np.abs(beats - middle[..., None]), axis=-1)
    count = np.isfinite(beats).sum(axis=-1)
    at = np.clip((count - 1) // 2, 0, None)[..., None]
    spread = 1.4826 * np.take_along_axis(off, at, -1)[..., 0]
    return np.asarray(np.where(count > 1, _MIDDLE_SE * spread / np.sqrt(np.maximum(count - 1, 1)), np.nan))


def _row_median(values: Floats) -> Floats:
    ordered = np.sort(values, axis=-1)
    count = np.isfinite(values).sum(axis=-1)
    at = np.clip((count - 1) // 2, 0, None)[..., None]
    return np.asarray(np.where(count > 0, np.take_along_axis(ordered, at, -1)[..., 0], np.nan))
