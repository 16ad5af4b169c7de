"""Beats, where their waves begin and end, and the median of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg.arrays import Floats, Strings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Beats:
    """One row a beat, in time order."""

    r_sample: Floats
    """Fiducial sample of the QRS (fractional), shape (beat,)."""
    kind: Strings
    """``dominant``, ``ectopic`` or ``unusable``, shape (beat,)."""
    reason: Strings
    """Why a beat is not used; empty for dominant ones, shape (beat,)."""
    fs: float

    def __repr__(self) -> str:
        return f"Beats({len(self)} beats, {int(self.dominant.sum())} dominant)"

    def __len__(self) -> int:
        return len(self.r_sample)

    @property
    def rr_ms(self) -> Floats:
        """Interval to the beat before, shape (beat,); ``nan`` for the first."""
        return np.diff(self.r_sample, prepend=np.nan) * 1000.0 / self.fs

    @property
    def dominant(self) -> NDArray[np.bool_]:
        """Mask of the beats that enter the median beat, shape (beat,)."""
        return np.asarray(self.kind == "dominant")


@dataclass(frozen=True, eq=False)
class Waves:
    """Boundaries and peak of one wave, as fractional samples of the recording, each of shape (lead, beat); nan = absent."""

    onset: Floats
    peak: Floats
    offset: Floats


SHAPES = ("absent", "positive", "negative", "positive-negative", "negative-positive", "flat")
"""Shapes of a wave; a biphasic one names its lobes in time order."""


@dataclass(frozen=True, eq=False)
class Delineation:
    """Where the waves of each lead and beat begin, peak and end.

    Attributes
    ----------
    leads : tuple of str
    beats : Beats
    p, qrs, t : Waves
        Arrays of shape (lead, beat), fractional samples of the recording, ``nan`` = absent.
    p_shape, t_shape : ndarray of str, shape (lead, beat)
        One of `SHAPES`.
    qrs_onset, j : ndarray, shape (beat,)
        The global QRS onset and J point over all leads.
    u_peak : ndarray, shape (lead, beat)
        Peak of the U wave, ``nan`` = absent.
    u_shape : ndarray of str, shape (lead, beat)
        ``positive``, ``negative`` or ``absent``.
    extra_p : tuple of ndarray
        P waves beyond the one that belongs to a beat (blocked or dissociated ones), a row ``(onset, peak, offset)`` each,
        one array of shape (wave, 3) a lead.
    """

    leads: tuple[str, ...]
    beats: Beats
    p: Waves
    qrs: Waves
    t: Waves
    p_shape: Strings
    t_shape: Strings
    qrs_onset: Floats
    j: Floats
    u_peak: Floats
    u_shape: Strings
    extra_p: tuple[Floats, ...] = ()

    def __repr__(self) -> str:
        return f"Delineation({len(self.leads)} leads, {len(self.beats)} beats)"

    def with_beats(self, beats: Beats) -> Delineation:
        """The same waves with the beats' kinds judged anew."""
        return replace(self, beats=beats)

    def to_frame(self) -> pd.DataFrame:
        """One row a lead, beat and wave: ``lead, beat, wave, onset, peak, offset`` (input samples; nan = absent).

        The numbers are rounded to whole samples; an absent wave keeps its row with ``nan``, and so does a boundary that lies
        outside the recording. P waves that no QRS follows come as further rows of the beat before which they stand, so lead, beat
        and wave together may occur more than once.
        """
        import pandas as pd

        n_leads, n_beats = self.qrs.peak.shape
        lead = np.repeat(np.array(self.leads), n_beats)
        beat = np.tile(np.arange(n_beats), n_leads)
        parts = [
            pd.DataFrame(
                {"lead": lead, "beat": beat, "wave": name}
                | {what: np.round(getattr(waves, what)).ravel() for what in ("onset", "peak", "offset")}
            )
            for name, waves in (("P", self.p), ("QRS", self.qrs), ("T", self.t))
        ]
        for name, extra in zip(self.leads, self.extra_p, strict=False):
            if len(extra):
                follows = np.clip(np.searchsorted(self.beats.r_sample, extra[:, 1]), 0, max(n_beats - 1, 0))
                columns = dict(zip(("onset", "peak", "offset"), np.round(extra).T, strict=True))
                parts.append(pd.DataFrame({"lead": name, "beat": follows, "wave": "P"} | columns))
        frame = pd.concat(parts, ignore_index=True)
        order = {name: row for row, name in enumerate(self.leads)}
        waves = {"P": 0, "QRS": 1, "T": 2}
        keys = [frame["lead"].map(order), frame["beat"], frame["wave"].map(waves)]
        return frame.iloc[np.lexsort(keys[::-1])].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """The median of the dominant beats, and where its waves lie.

    `signal_uv` has shape (lead, sample) at the recording's sampling rate; `r_sample` is the index of the fiducial in it. The
    boundaries are fractional samples of the median beat; the global ones hold for all leads.
    """

    leads: tuple[str, ...]
    fs: float
    signal_uv: Floats
    r_sample: float
    noise_uv: Floats
    """Standard error of a level in the ST-T segment against the PR level, shape (lead,): from the scatter of the beats, and in no
    lead smaller than its own beats and those of the median lead say together."""
    calm_noise_uv: Floats
    """The same for levels over the longer spans that are used where a lead is noisy."""
    n_beats: int
    qrs_onset: float
    j: float
    j_se_ms: float
    """How far the leads disagree about J: the standard error of the global one."""
    p: Waves
    """Per lead; arrays of shape (lead, 1)."""
    qrs: Waves
    t: Waves
    p_shape: Strings
    t_shape: Strings
    u_peak: Floats
    """Peak of the U wave where most beats have one, ``nan`` elsewhere, shape (lead, 1)."""

    def __repr__(self) -> str:
        return f"MedianBeat({len(self.leads)} leads, {self.n_beats} beats)"
