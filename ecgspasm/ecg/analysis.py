"""All that was found in one ECG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgspasm import markup
from ecgspasm.ecg.arrays import Floats
from ecgspasm.ecg.measurements import MEASURED, Measurements
from ecgspasm.ecg.signal import Ecg
from ecgspasm.ecg.waves import Beats, Delineation, MedianBeat


@dataclass(frozen=True, eq=False)
class Analysis:
    """All that was found in one ECG, so that plots and doubts can look into it."""

    ecg: Ecg
    """The recording as given, with derivable limb leads added."""
    clean_uv: Floats
    """The signal that was measured: baseline and mains removed, shape (lead, sample)."""
    quality: tuple[str, ...]
    """Per lead: empty if usable, else the reason why not."""
    delineation: Delineation
    median: MedianBeat | None
    """``None`` when no beat could be used; `measurements` then says why."""
    measurements: Measurements

    @property
    def beats(self) -> Beats:
        """The beats of the recording."""
        return self.delineation.beats

    def __repr__(self) -> str:
        measured = sum(state == MEASURED for state in self.measurements.state)
        return f"Analysis({self.ecg!r}, {len(self.beats)} beats, {measured} of {len(self.measurements.leads)} leads measured)"

    def _repr_html_(self) -> str:
        """What a notebook shows: the intervals, the median beat, and a row a lead."""
        found, names = self.measurements, {"st_j_uv": "ST at J", "st_j60_uv": "ST at J+60", "t_uv": "T"}

        def shown(value: float) -> str:
            return f"{value:+.0f}" if np.isfinite(value) else "absent"

        told = {
            "rate": (found.rate_bpm, "/min"),
            "PR": (found.pr_ms, " ms"),
            "QRS": (found.qrs_ms, " ms"),
            "QTc": (found.qtc_ms, " ms"),
        }
        intervals = [f"{name} {value:.0f}{unit}" for name, (value, unit) in told.items() if np.isfinite(value)]
        title = ", ".join([*intervals, f"{found.n_beats} of {len(self.beats)} beats in the median"])
        rows = [
            [lead, *(shown(found.get(name, lead)) for name in names), str(found.t_shape[row])]
            if found.state[row] == MEASURED
            else [lead, "", "", "", found.state[row].replace("not_measurable", "not measurable")]
            for row, lead in enumerate(found.leads)
        ]
        table = markup.small_table(["lead", *(f"{name}, µV" for name in names.values()), "shape of T"], rows, numbers=(1, 2, 3))
        about = f"{len(self.ecg.leads)} leads, {self.ecg.duration_s:g} s at {self.ecg.fs:g} Hz"
        return str(markup.card(title, markup.note(about), self._small_beats(), table))

    def _small_beats(self) -> markup.Html:
        """The median beat of the leads that were measured, zero before the QRS complex."""
        if self.median is None:
            return markup.Html()
        every = max(round(self.median.fs / 100.0), 1)
        first = max(round(self.median.qrs_onset - 0.25 * self.median.fs), 0)
        inside = slice(first, round(self.median.qrs_onset + 0.6 * self.median.fs), every)
        signal = self.median.signal_uv - self.median.signal_uv[:, [round(self.median.qrs_onset)]]
        time = np.arange(signal.shape[1])[inside].tolist()
        rows = [(lead, row) for row, lead in enumerate(self.median.leads) if self.measurements.measured(lead)]
        return markup.small_multiples([(lead, False, [(time, signal[row, inside].tolist())]) for lead, row in rows])
