"""The trend: what was measured over time, a row every few seconds, from averages over the beats around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.tile import BEAT_MEASURES, SHAPE_MEASURES
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    import pandas as pd

Small = NDArray[np.float32]
Steps = NDArray[np.int16]

STEP_UV = 0.2
"""A trend is kept in steps of this size: a day of twelve leads in 5 MB. Standard errors are never below 1 uV."""

_ABSENT = -32768  # in steps: not measured

FAST_BPM = 120.0
"""Above this rate ST is read at J+60 instead of J+80 (European ST-T Database, Taddei A et al., Eur Heart J 1992;13:1164-1172)."""


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
    steps : ndarray of int16, shape (measure, lead, row)
        By `Trend.names`, in `STEP_UV` against the PR level; `get` gives them in uV.
    se_uv : ndarray of float16, shape (lead, row)
        Standard error of the ST level at J+60, from the scatter of the beats.
    qrs_ms : ndarray, shape (row,)
    shape : ndarray, shape (measure, lead, window)
        R, S and net area of the QRS complex (``r_uv, s_uv, qrs_area_uv_ms``) of the averaged beats, whose middles are `shape_s`.
    beat_uv : ndarray of int16, shape (picture, lead, sample)
        Averaged beats at `beat_fs`, one for each `picture_s`: the one of each minute or so that differs most from those before.
    interruptions : tuple of Interruption
    """

    leads: tuple[str, ...]
    time_s: Floats
    rate_bpm: Small
    steps: Steps
    se_uv: NDArray[np.float16]
    qrs_ms: Small
    shape: Small
    shape_s: Floats
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
        """One measure, shape (lead, row): one of `names` and `shape_names`, or one that follows from them.

        ``st_uv`` is ST at J+80, at J+60 when the rate is above 120/min; ``t_uv`` the larger lobe of T, ``t_net_uv`` both of them
        together; ``st_slope_uv_per_s`` goes from J+20 to J+80.

        Raises
        ------
        EcgError
            If there is no such measure.
        """
        if measure == "st_uv":
            usual, fast = (self.steps[self.names.index(name)] for name in ("st_j80_uv", "st_j60_uv"))
            return _in_uv(np.where(self.rate_bpm > FAST_BPM, fast, usual))
        if measure == "t_net_uv":
            return np.asarray(self.get("t_positive_uv") + self.get("t_negative_uv"))
        if measure == "t_uv":
            up, down = self.get("t_positive_uv"), self.get("t_negative_uv")
            return np.where(up >= -down, up, down)
        if measure == "st_slope_uv_per_s":
            return np.asarray((self.get("st_j80_uv") - self.get("st_j20_uv")) / np.float32(0.06))
        if measure in self.names:
            return _in_uv(self.steps[self.names.index(measure)])
        if measure in self.shape_names:
            return self._of_windows(self.shape[self.shape_names.index(measure)])
        raise EcgError(f"no measure {measure!r} in a trend; give st_uv, t_uv, t_net_uv or one of {', '.join(self.names)}")

    def measured_s(self, *, before_s: float = np.inf) -> float:
        """How long at least one lead was measured."""
        if len(self.time_s) < 2:
            return 0.0
        known = np.isfinite(self.get("st_j60_uv")).any(axis=0) & (self.time_s < before_s)
        return float(known.sum() * (self.time_s[1] - self.time_s[0]))

    def _of_windows(self, values: Small) -> Small:
        """What was measured in averaged beats, at each row; ``nan`` where the nearest one is too far, shape (lead, row)."""
        if len(self.shape_s) == 0:
            return np.full((len(self.leads), len(self.time_s)), np.nan, np.float32)
        usual = float(np.median(np.diff(self.shape_s))) if len(self.shape_s) > 1 else np.inf
        after = np.searchsorted(self.shape_s, self.time_s).clip(max=len(self.shape_s) - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.abs(self.shape_s[before] - self.time_s) <= np.abs(self.shape_s[after] - self.time_s)
        nearest = np.where(nearer, before, after)
        far = np.abs(self.shape_s[nearest] - self.time_s) > usual
        return np.where(far, np.float32(np.nan), values[:, nearest])

    def beat_at(self, time_s: float) -> tuple[Floats, float]:
        """The averaged beat kept nearest to a time, shape (lead, sample) in uV at `beat_fs`, and the sample of its R.

        Raises
        ------
        EcgError
            If there is none within two minutes.
        """
        reach_s = settings("average")["beat_reach_s"]
        if len(self.picture_s) == 0 or not np.abs(self.picture_s - time_s).min() <= reach_s:
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


def _in_uv(steps: Steps) -> Small:
    values = steps * np.float32(STEP_UV)
    values[steps == _ABSENT] = np.nan
    return values


def to_steps(values_uv: Small) -> Steps:
    """uV as steps of `STEP_UV`; ``nan`` and what is beyond 6.5 mV as absent."""
    steps = np.round(np.asarray(values_uv) / np.float32(STEP_UV))
    known = np.abs(steps) < -_ABSENT
    return np.where(known, np.nan_to_num(steps), _ABSENT).astype(np.int16)
