"""The trend: what was measured over time, a row every few seconds, from averages over the beats around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.tile import BEAT_MEASURES, SHAPE_MEASURES, Tile
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    import pandas as pd

Small = NDArray[np.float32]

FAST_BPM = 120.0
"""Above this rate ST is read at J+60 instead of J+80 (European ST-T Database, Taddei A et al., Eur Heart J 1992;13:1164-1172)."""

_MIDDLE_SE = 1.09  # standard error of the mean of the middle half over that of a mean, for normal noise


@dataclass(frozen=True, eq=False)
class Interruption:
    """A stretch in which some leads could not be measured, or samples did not come as they should."""

    start_s: float
    end_s: float
    leads: tuple[str, ...]
    reason: str


@dataclass(frozen=True, eq=False)
class Trend:
    """What was measured over time.

    Attributes
    ----------
    leads : tuple of str
    time_s : ndarray, shape (row,)
        Middle of each average, from the beginning of the recording.
    rate_bpm : ndarray, shape (row,)
    values : ndarray, shape (measure, lead, row)
        By `Trend.names`, uV against the PR level; ``nan`` where not measured.
    se_uv : ndarray, shape (lead, row)
        Standard error of the ST level at J+60, from the scatter of the beats.
    qrs_ms : ndarray, shape (row,)
    shape : ndarray, shape (measure, lead, row)
        R, S and net area of the QRS complex (``r_uv, s_uv, qrs_area_uv_ms``) of the averaged beat around.
    beat_uv : ndarray of int16, shape (picture, lead, sample)
        Averaged beats at `beat_fs`, one for each `picture_s`.
    interruptions : tuple of Interruption
    """

    leads: tuple[str, ...]
    time_s: Floats
    rate_bpm: Small
    values: Small
    se_uv: Small
    qrs_ms: Small
    shape: Small
    picture_s: Floats
    beat_uv: NDArray[np.int16]
    r_index: Small
    interruptions: tuple[Interruption, ...] = ()

    names = BEAT_MEASURES
    shape_names = SHAPE_MEASURES

    @property
    def beat_fs(self) -> float:
        """Samples per second of the averaged beats."""
        return float(settings("average")["kept_fs_hz"])

    def get(self, measure: str) -> Small:
        """One measure, shape (lead, row): any of `names` and `shape_names`, ``st_uv``, ``t_uv``, ``t_net_uv``, ``st_slope_uv_per_s``.

        ``st_uv`` is ST at J+80, at J+60 when the rate is above 120/min; ``t_uv`` the larger lobe of T, ``t_net_uv`` both together.

        Raises
        ------
        EcgError
            If there is no such measure.
        """
        if measure == "st_uv":
            return np.where(self.rate_bpm > FAST_BPM, self.get("st_j60_uv"), self.get("st_j80_uv"))
        if measure == "t_net_uv":
            return np.asarray(self.get("t_positive_uv") + self.get("t_negative_uv"))
        if measure == "t_uv":
            up, down = self.get("t_positive_uv"), self.get("t_negative_uv")
            return np.where(up >= -down, up, down)
        if measure == "st_slope_uv_per_s":
            return np.asarray((self.get("st_j80_uv") - self.get("st_j20_uv")) / np.float32(0.06))
        if measure in self.names:
            return np.asarray(self.values[self.names.index(measure)])
        if measure in self.shape_names:
            return np.asarray(self.shape[self.shape_names.index(measure)])
        raise EcgError(f"no measure {measure!r} in a trend; give st_uv, t_uv, t_net_uv or one of {', '.join(self.names)}")

    def beat_at(self, time_s: float) -> tuple[Floats, float]:
        """The averaged beat nearest to a time, shape (lead, sample) in uV at `beat_fs`, and the sample of its R.

        Raises
        ------
        EcgError
            If there is none within half a minute.
        """
        if len(self.picture_s) == 0 or np.abs(self.picture_s - time_s).min() > 30.0:
            raise EcgError(f"there is no averaged beat near {time_s:.0f} s; the leads could not be measured there")
        nearest = int(np.abs(self.picture_s - time_s).argmin())
        beat = self.beat_uv[nearest].astype(float)
        beat[~beat.any(axis=1)] = np.nan
        return beat, float(self.r_index[nearest])

    def to_frame(self) -> pd.DataFrame:
        """One row a time and lead: ``time_s, lead, rate_bpm, st_uv, t_uv`` and all of `names`; ``nan`` = not measured."""
        import pandas as pd

        n_leads, n_rows = len(self.leads), len(self.time_s)
        columns: dict[str, Any] = {
            "time_s": np.repeat(self.time_s, n_leads),
            "lead": np.tile(np.array(self.leads), n_rows),
            "rate_bpm": np.repeat(self.rate_bpm, n_leads),
        }
        for name in ("st_uv", "t_uv", *self.names):
            columns[name] = self.get(name).T.ravel()
        return pd.DataFrame(columns)


class TrendBuilder:
    """Collects tiles in time order and turns their beats into rows; what has become a row is forgotten."""

    def __init__(self, fs: float, leads: Sequence[str], average_s: float, step_s: float) -> None:
        self.fs, self.leads = fs, tuple(leads)
        self._half, self._step = average_s / 2.0, step_s
        self._average = average_s
        n = len(self.leads)
        self._time, self._rr = np.empty(0), np.empty(0)
        self._beats = np.empty((len(BEAT_MEASURES), n, 0), dtype=np.float32)
        self._next = 0
        self._blocks: list[tuple[Floats, Small, Small, Small]] = []
        self._window: list[int] = []
        self._shape: list[Small] = []
        self._qrs: list[float] = []
        self._pictures: list[NDArray[np.int16]] = []
        self._r_index: list[float] = []
        self._open: dict[str, tuple[str, float]] = {}
        self.interruptions: list[Interruption] = []

    def add(self, tile: Tile, *, last: bool = False) -> None:
        """Take the next tile; rows that later beats cannot change any more are made."""
        self._note(tile)
        self._time = np.concatenate([self._time, tile.r_sample / self.fs])
        self._rr = np.concatenate([self._rr, tile.rr_ms])
        self._beats = np.concatenate([self._beats, tile.values], axis=2)
        if tile.pictures is not None:
            for k, window in enumerate(tile.pictures.window):
                self._window.append(int(window))
                self._shape.append(tile.pictures.shape[:, :, k].astype(np.float32))
                self._qrs.append(tile.pictures.qrs_ms)
                self._pictures.append(tile.pictures.beat_uv[k])
                self._r_index.append(tile.pictures.r_index)
        end = tile.stop / self.fs
        known = end + self._step if last else end - self._half
        rows = np.arange(self._next, max(self._next, int(np.floor(known / self._step + 1e-9))) + 1)
        rows = rows[rows * self._step < (end if last else known)]
        if len(rows):
            self._blocks.append(self._rows(rows * self._step))
            self._next = int(rows[-1]) + 1
            self._forget((rows[-1] + 1) * self._step - self._half)
        if last:
            for lead in list(self._open):
                self._close(lead, end)

    def _forget(self, before: float) -> None:
        keep = int(np.searchsorted(self._time, before))
        self._time, self._rr, self._beats = self._time[keep:], self._rr[keep:], self._beats[:, :, keep:]

    def _rows(self, time: Floats) -> tuple[Floats, Small, Small, Small]:
        """Rows at some times: rate, values (measure, lead, row) and their standard error (lead, row)."""
        first = np.searchsorted(self._time, time - self._half)
        last = np.searchsorted(self._time, time + self._half)
        width = max(int((last - first).max(initial=0)), 1)
        place = first[:, None] + np.arange(width)
        inside = place < last[:, None]
        if self._beats.shape[2] == 0:
            empty = np.full((len(BEAT_MEASURES), len(self.leads), len(time)), np.nan, np.float32)
            return time, np.full(len(time), np.nan, np.float32), empty, empty[0]
        place = np.minimum(place, len(self._time) - 1)
        values, count = _middle_mean(np.where(inside, self._beats[:, :, place], np.nan))
        enough = count >= settings("beats")["fewest"]
        values[~enough] = np.nan
        _sign(values)
        st = BEAT_MEASURES.index("st_j60_uv")
        se = _standard_error(np.where(inside, self._beats[st][:, place], np.nan), values[st])
        rate = 60_000.0 / _row_median(np.where(inside, self._rr[place], np.nan))
        values[:, se > settings("beats")["largest_se_uv"]] = np.nan
        return time, rate.astype(np.float32), values.astype(np.float32), se.astype(np.float32)

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

    @property
    def interrupted(self) -> dict[str, tuple[str, float]]:
        """Leads that cannot be measured at present: reason and since when, in s."""
        return dict(self._open)

    def trend(self) -> Trend:
        """The trend so far."""
        n = len(self.leads)
        if self._blocks:
            time, rate, values, se = (np.concatenate([b[k] for b in self._blocks], axis=-1) for k in range(4))
        else:
            time, rate = np.empty(0), np.empty(0, np.float32)
            values, se = np.empty((len(BEAT_MEASURES), n, 0), np.float32), np.empty((n, 0), np.float32)
        shape = np.full((len(SHAPE_MEASURES), n, len(time)), np.nan, np.float32)
        qrs_ms = np.full(len(time), np.nan, np.float32)
        middle = (np.array(self._window, dtype=float) + 0.5) * self._average
        if len(middle) and len(time):
            nearest = np.clip(np.searchsorted(middle, time - self._half), 0, len(middle) - 1)
            near = np.abs(middle[nearest] - time) <= self._average
            shape[:, :, near] = np.stack(self._shape, axis=2)[:, :, nearest[near]]
            qrs_ms[near] = np.array(self._qrs, np.float32)[nearest[near]]
        return Trend(
            self.leads, time, rate, values, se, qrs_ms, shape, middle, _padded(self._pictures, n),
            np.array(self._r_index, np.float32), tuple(self.interruptions),
        )  # fmt: skip


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


def _padded(pictures: list[NDArray[np.int16]], n_leads: int) -> NDArray[np.int16]:
    """Averaged beats of several lengths in one array; the shorter ones end in zeros."""
    longest = max((each.shape[1] for each in pictures), default=0)
    out = np.zeros((len(pictures), n_leads, longest), dtype=np.int16)
    for row, each in zip(out, pictures, strict=True):
        row[:, : each.shape[1]] = each
    return out
