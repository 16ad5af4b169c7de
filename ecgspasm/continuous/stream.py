"""From blocks of any length to tiles on a fixed grid, with gaps, repeated and late blocks taken care of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.processing.beats import block_means

_WORK_FS_HZ = 250.0  # delineation and levels need no finer grid than that of the European and the Long-Term ST Database
_LONGEST_GAP_S = 7 * 86400.0  # a clock that is further off is wrong, and nobody waits for that many empty tiles


_CLOSE_S = 10.0

_LARGEST_UV = 1e9

GAP = "no samples came"
LATE = "late samples filled a gap"
TOO_LATE = "repeated or too late samples were left out"


@dataclass(frozen=True)
class Note:
    """From and to which input sample something did not come as it should, and what."""

    start: int
    end: int
    what: str


@dataclass(frozen=True, eq=False)
class Piece:
    """A tile with its margins: `core` is the absolute sample of the first column, and where the tile begins and ends."""

    signal_uv: Floats
    core: tuple[int, int, int]
    last: bool = False


def as_block(given: ArrayLike) -> Floats:
    """An array of numbers; an EcgError if it is none."""
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"it holds {array.dtype}")
        return np.asarray(array, dtype=float)
    except (TypeError, ValueError) as error:
        raise EcgError(f"the block is no array of numbers ({error}); give uV of shape (lead, sample)") from error


class Stream:
    """Cuts a stream of blocks into tiles; holds no more than a tile, its margins and one block."""

    def __init__(self, fs: float, n_leads: int) -> None:
        numbers = settings("stream")
        self.step = max(1, int(fs // _WORK_FS_HZ))
        self.fs = fs / self.step
        self._tile, self._margin, self._behind = (round(numbers[name] * self.fs) for name in ("tile_s", "margin_s", "behind_s"))
        self._n_leads = n_leads
        self._kept: Floats = np.empty((n_leads, 0))
        self._first = 0  # absolute working sample of the first column kept
        self._number = 0  # of the next tile
        self._rest: Floats = np.empty((n_leads, 0))  # input samples that do not fill a working sample yet
        self._taken = 0  # input samples so far
        self.notes: list[Note] = []
        """What did not come as it should."""

    @property
    def taken(self) -> int:
        """Input samples so far, those that never came included."""
        return self._taken

    def push(self, block: Floats, start: int | None = None) -> Iterator[Piece]:
        """Take a block, shape (lead, sample), and give the tiles that are complete with it.

        Parameters
        ----------
        block : ndarray, shape (lead, sample)
        start : int, optional
            Absolute sample of the first column; directly behind the last block if not given.
        """
        if block.ndim != 2 or block.shape[0] != self._n_leads:
            raise EcgError(f"the block has the shape {block.shape}; give (lead, sample) for {self._n_leads} leads")
        with np.errstate(invalid="ignore"):
            if (np.abs(block) > _LARGEST_UV).any():
                raise EcgError("the block holds infinite or absurd values; give microvolts, and nan where a sample is missing")
        if start is not None and (isinstance(start, bool) or not isinstance(start, int | np.integer)):
            raise EcgError(f"the block begins at {start!r}; give the number of its first sample")
        start = self._taken if start is None else int(start)
        if start < 0:
            raise EcgError(f"the block begins at sample {start}; the recording begins at 0")
        if start > self._taken + _LONGEST_GAP_S * self.fs * self.step:
            days = (start - self._taken) / self.fs / self.step / 86400.0
            raise EcgError(f"the block begins {days:.0f} days after the last one; mend the clock, or begin a new recording there")
        if start > self._taken:
            self._note(self._taken, start, GAP)
            yield from self._skip(start - self._taken)
        elif start < self._taken:
            self._late(block[:, : self._taken - start], start)
            block = block[:, self._taken - start :]
        yield from self._append(block)

    def finish(self) -> Iterator[Piece]:
        """Give what is left, however short."""
        if self._rest.shape[1]:
            padded = np.full((self._n_leads, self.step), np.nan)
            padded[:, : self._rest.shape[1]] = self._rest
            self._kept = np.concatenate([self._kept, self._coarse(padded)], axis=1)
            self._rest = self._rest[:, :0]
        end = self._first + self._kept.shape[1]
        while self._number * self._tile < end:
            yield self._piece(end)

    def _append(self, block: Floats) -> Iterator[Piece]:
        self._taken += block.shape[1]
        # In bounded steps, so that a block of an hour costs no more memory than it has itself.
        length = self._tile * self.step
        for at in range(0, block.shape[1], length):
            part = block[:, at : at + length]
            if self.step > 1:
                part = np.concatenate([self._rest, part], axis=1)
                whole = part.shape[1] // self.step * self.step
                self._rest = part[:, whole:].copy()
                part = self._coarse(part[:, :whole])
            self._kept = np.concatenate([self._kept, part], axis=1)
            yield from self._complete()

    def _coarse(self, signal_uv: Floats) -> Floats:
        """Means over `step` samples; missing if one of them is."""
        return block_means(signal_uv, self.step)

    def _complete(self) -> Iterator[Piece]:
        while self._first + self._kept.shape[1] >= (self._number + 1) * self._tile + self._margin:
            yield self._piece(None)

    def _piece(self, end: int | None) -> Piece:
        start = self._number * self._tile
        stop = start + self._tile if end is None else min(start + self._tile, end)
        # What is left at the end may be too short to know its beats by itself.
        low = max(start - (self._margin if stop - start >= self._behind else self._behind), self._first)
        piece = Piece(
            self._kept[:, low - self._first : stop + self._margin - self._first].copy(),
            (low, start, stop),
            last=end is not None and stop >= end,
        )
        self._number += 1
        keep = max(self._number * self._tile - self._behind - self._first, 0)
        self._kept, self._first = self._kept[:, keep:].copy(), self._first + min(keep, self._kept.shape[1])
        return piece

    def _skip(self, count: int) -> Iterator[Piece]:
        """Samples that never came, in bounded pieces."""
        length = 64 * self._tile * self.step
        while count > 0:
            yield from self._append(np.full((self._n_leads, min(count, length)), np.nan))
            count -= length

    def _late(self, block: Floats, start: int) -> None:
        """Samples from before the end: they fill what is missing, as far as it has not been measured yet."""
        end = start + block.shape[1]
        if self.step > 1:
            skip = -start % self.step
            block = block[:, skip:]
            block = self._coarse(block[:, : block.shape[1] // self.step * self.step])
            start += skip
        at = start // self.step - self._first
        # What lies in a tile that has been measured comes too late, also where it is still kept as the next one's margin.
        open_from = max(self._number * self._tile - self._first, 0)
        low, high = max(at, open_from), min(at + block.shape[1], self._kept.shape[1])
        filled = False
        if high > low:
            part, late = self._kept[:, low:high], block[:, low - at : high - at]
            gap = np.isnan(part) & ~np.isnan(late)
            part[gap] = late[gap]
            filled = bool(gap.any())
        self._note(start, end, LATE if filled else TOO_LATE)

    def _note(self, start: int, end: int, what: str) -> None:
        """Remember it; one close behind another of its kind prolongs that one: a bad line must not fill the memory."""
        last = self.notes[-1] if self.notes else None
        if last is not None and last.what == what and last.end <= start <= last.end + _CLOSE_S * self.fs * self.step:
            self.notes[-1] = Note(last.start, end, what)
        else:
            self.notes.append(Note(start, end, what))
