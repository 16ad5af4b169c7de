"""From tiles to the trend: rows that later beats cannot change any more are made, and the beats forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.growing import Growing
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
        # Rows come first, so that they can be added; the trend shows them last.
        self._row_s = Growing((), np.float64)
        self._rate = Growing((), np.float32)
        self._steps = Growing((len(BEAT_MEASURES), n), np.int16)
        self._se = Growing((n,), np.float16)
        self._shapes = _Shapes(n, average_s)
        self._open: dict[str, tuple[str, float]] = {}
        self.interruptions: list[Interruption] = []

    def add(self, tile: Tile, *, last: bool = False) -> None:
        """Take the next tile."""
        self._note(tile)
        self._time = np.concatenate([self._time, tile.r_sample / self.fs])
        self._rr = np.concatenate([self._rr, tile.rr_ms])
        self._beats = np.concatenate([self._beats, tile.values], axis=2)
        end = tile.stop / self.fs
        if tile.pictures is not None:
            self._shapes.add(tile.pictures, end)
        known = end + self._step if last else end - self._half
        rows = np.arange(self._next, max(self._next, int(np.floor(known / self._step + 1e-9))) + 1)
        rows = rows[rows * self._step < (end if last else known)]
        if len(rows):
            self._add_rows(rows * self._step)
            self._next = int(rows[-1]) + 1
            self._forget((rows[-1] + 1) * self._step - self._half)
        if last:
            for lead in list(self._open):
                self._close(lead, end)

    @property
    def known_s(self) -> float:
        """Time of the newest row; minus infinity before the first."""
        return float(self._row_s.last()) if len(self._row_s) else -np.inf

    @property
    def interrupted(self) -> dict[str, tuple[str, float]]:
        """Leads that cannot be measured at present: reason and since when, in s."""
        return dict(self._open)

    def trend(self, since_s: float) -> Trend:
        """A copy of the trend from a time on."""
        first = int(np.searchsorted(self._row_s.whole(), since_s))
        rows = tuple(each.since(first) for each in (self._row_s, self._rate, self._steps, self._se))
        return self._trend(rows, since_s)

    def finish(self) -> Trend:
        """The whole trend, not copied; nothing can be added afterwards."""
        return self._trend(tuple(each.whole() for each in (self._row_s, self._rate, self._steps, self._se)), -np.inf)

    def _trend(self, rows: tuple[NDArray[Any], ...], since_s: float) -> Trend:
        time, rate, steps, se = rows
        shape_s, shape, qrs_ms = self._shapes.since(since_s, time)
        picture_s, beats, r_index = self._shapes.pictures(since_s)
        return Trend(
            leads=self.leads,
            time_s=time,
            rate_bpm=rate,
            steps=np.moveaxis(steps, 0, 2),
            se_uv=se.T,
            qrs_ms=qrs_ms,
            shape=shape,
            shape_s=shape_s,
            picture_s=picture_s,
            beat_uv=beats,
            r_index=r_index,
            interruptions=tuple(self.interruptions),
        )

    def drop(self, before_s: float) -> None:
        """Forget the rows before a time, for a feed that never ends."""
        count = int(np.searchsorted(self._row_s.whole(), before_s))
        for each in (self._row_s, self._rate, self._steps, self._se):
            each.drop(count)
        self._shapes.drop(before_s)
        self.interruptions = [each for each in self.interruptions if each.end_s >= before_s]

    def _forget(self, before_s: float) -> None:
        keep = int(np.searchsorted(self._time, before_s))
        self._time, self._rr, self._beats = self._time[keep:], self._rr[keep:], self._beats[:, :, keep:]

    def _add_rows(self, time: Floats) -> None:
        """Make rows at some times: rate, values and their standard error."""
        first = np.searchsorted(self._time, time - self._half)
        last = np.searchsorted(self._time, time + self._half)
        width = max(int((last - first).max(initial=0)), 1)
        place = first[:, None] + np.arange(width)
        inside = place < last[:, None]
        self._row_s.extend(time)
        if self._beats.shape[2] == 0:
            nothing = np.full((len(time), len(BEAT_MEASURES), len(self.leads)), np.nan, np.float32)
            self._rate.extend(nothing[:, 0, 0])
            self._steps.extend(to_steps(nothing))
            self._se.extend(nothing[:, 0])
            return
        place = np.minimum(place, len(self._time) - 1)
        values, count = _middle_mean(np.where(inside, self._beats[:, :, place], np.nan))
        values[count < settings("beats")["fewest"]] = np.nan
        _sign(values)
        st = BEAT_MEASURES.index("st_j60_uv")
        se = _standard_error(np.where(inside, self._beats[st][:, place], np.nan), values[st])
        values[:, se > settings("beats")["largest_se_uv"]] = np.nan
        self._rate.extend(60_000.0 / _row_median(np.where(inside, self._rr[place], np.nan)))
        self._steps.extend(np.moveaxis(to_steps(values), 2, 0))
        self._se.extend(np.minimum(se, 60_000.0).T)

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
        self._middle = Growing((), np.float64)
        self._sizes = Growing((len(SHAPE_MEASURES), n_leads), np.float32)
        self._qrs = Growing((), np.float32)
        samples = int(np.ceil(settings("average")["longest_ms"] / 1000.0 * settings("average")["kept_fs_hz"])) + 1
        self._kept_s = Growing((), np.float64)
        self._kept = Growing((n_leads, samples), np.int16)
        self._r_index = Growing((), np.float32)
        self._best: tuple[int, float] = (-1, -1.0)  # bucket of the newest picture, and how much it differs from those before
        self._usual: Floats | None = None

    def add(self, pictures: Pictures, end_s: float) -> None:
        """Take the averaged beats of a tile that ends at `end_s`."""
        for k, window in enumerate(pictures.window):
            begin = float(window) * self._average
            middle = (begin + min(begin + self._average, max(end_s, begin))) / 2.0
            self._middle.extend([middle])
            self._sizes.extend(pictures.shape[None, :, :, k])
            self._qrs.extend([pictures.qrs_ms])
            self._keep(int(window) // self._every, middle, pictures.beat_uv[k], pictures.r_index)

    def _keep(self, bucket: int, middle: float, beat: Steps, r_index: float) -> None:
        """Of each bucket the beat that differs most from the slow mean of those before."""
        numbers = settings("average")
        low = round(r_index)
        aligned = beat[:, low : low + round(numbers["differs_ms"] / 1000.0 * numbers["kept_fs_hz"])].astype(float)
        if self._usual is None or self._usual.shape != aligned.shape:
            self._usual = aligned
        differs = float(np.abs(aligned - self._usual).sum())
        self._usual = self._usual + numbers["mean_share"] * (aligned - self._usual)
        padded = np.zeros((1, *self._kept.whole().shape[1:]), dtype=np.int16)
        padded[0, :, : beat.shape[1]] = beat[:, : padded.shape[2]]
        if bucket != self._best[0]:
            self._kept_s.extend([middle])
            self._kept.extend(padded)
            self._r_index.extend([r_index])
            self._best = (bucket, differs)
        elif differs > self._best[1]:
            self._kept_s.set_last(middle)
            self._kept.set_last(padded[0])
            self._r_index.set_last(r_index)
            self._best = (bucket, differs)

    def since(self, since_s: float, time_s: Floats) -> tuple[Floats, Small, Small]:
        """Middles of the averaged beats, their sizes (measure, lead, window), and the QRS width around each of `time_s`."""
        low = int(np.searchsorted(self._middle.whole(), since_s - self._average))
        middle = self._middle.since(low)
        if not len(middle):
            return middle, np.empty((len(SHAPE_MEASURES), self._n, 0), np.float32), np.full(len(time_s), np.nan, np.float32)
        after = np.searchsorted(middle, time_s).clip(max=len(middle) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(middle[before] - time_s) <= np.abs(middle[after] - time_s), before, after)
        near = np.abs(middle[nearest] - time_s) <= self._average
        qrs_ms = np.where(near, self._qrs.since(low)[nearest], np.float32(np.nan))
        return middle, np.moveaxis(self._sizes.since(low), 0, 2), qrs_ms

    def pictures(self, since_s: float) -> tuple[Floats, Steps, Small]:
        """Times, beats (picture, lead, sample) and fiducials of the beats kept; shorter ones end in zeros."""
        if np.isinf(since_s):
            return self._kept_s.whole(), self._kept.whole(), self._r_index.whole()
        low = int(np.searchsorted(self._kept_s.whole(), since_s))
        return self._kept_s.since(low), self._kept.since(low), self._r_index.since(low)

    def drop(self, before_s: float) -> None:
        """Forget what lies before a time."""
        for clock, rest in ((self._middle, (self._sizes, self._qrs)), (self._kept_s, (self._kept, self._r_index))):
            count = int(np.searchsorted(clock.whole(), before_s))
            for each in (*rest, clock):
                each.drop(count)


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
