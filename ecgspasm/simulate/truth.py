"""What is true of a simulated ECG: where its waves lie and what its amplitudes are.

How boundaries are defined. The QRS begins and ends where its humps are cut to exactly nothing (the ends of its gate);
the eye sees it 2-3 ms inside, because the gate's edges are steep. P and T begin and end where the wave, summed alone
over its own components as the root mean square over the eight independent leads, has fallen to 5 % of its peak: a
little outside of where the tangent at the steepest slope meets the line (13 %), about where a cardiologist sees the
wave leave it. Fiducials belong to the beat alone; amplitudes are read off the noise-free ECG with all its beats, at
those instants, against its value at the QRS onset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecgspasm import leads as lead_names
from ecgspasm.ecg import ST_OFFSETS_MS, Beats, Floats, Strings, Waves, read_only
from ecgspasm.errors import EcgError
from ecgspasm.leads import STANDARD
from ecgspasm.simulate.heart import EDGE, EDGE_SIGMAS, Template, limb_matrix

_GRID_MS = 0.25


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of a simulated ECG; amplitudes in uV against the PR level (definitions: see the module).

    Attributes
    ----------
    leads : tuple of str
    fs : float
    r_sample : ndarray, shape (beat,)
        Where the QRS is largest over all leads (fractional samples).
    kind : ndarray of str, shape (beat,)
        ``dominant`` or ``ectopic``.
    p, qrs, t : Waves
        Global onset, peak and offset over all leads, each of shape (beat,); ``nan`` = absent or outside of the
        recording.
    t_peak : ndarray, shape (lead, beat)
        Peak of the larger lobe of T in each lead.
    st_j_uv, st_j20_uv, st_j40_uv, st_j60_uv, st_j80_uv : ndarray, shape (lead,)
    t_uv : ndarray, shape (lead,)
        Signed amplitude of the larger lobe of T, of the dominant beats.
    u_uv : ndarray, shape (lead,)
        At the peak of U.
    pr_ms, qrs_ms, qt_ms : float
        Of the dominant beats.
    """

    leads: tuple[str, ...]
    fs: float
    r_sample: Floats
    kind: Strings
    p: Waves
    qrs: Waves
    t: Waves
    t_peak: Floats
    st_j_uv: Floats
    st_j20_uv: Floats
    st_j40_uv: Floats
    st_j60_uv: Floats
    st_j80_uv: Floats
    t_uv: Floats
    u_uv: Floats
    pr_ms: float
    qrs_ms: float
    qt_ms: float

    @property
    def qrs_onset(self) -> Floats:
        """Global QRS onset, shape (beat,)."""
        return self.qrs.onset

    @property
    def j(self) -> Floats:
        """Global J point, shape (beat,)."""
        return self.qrs.offset

    @property
    def beats(self) -> Beats:
        """The beats as the rest of the package knows them."""
        reason = np.where(self.kind == "ectopic", "ventricular ectopic beat", "")
        return Beats(r_sample=self.r_sample, kind=self.kind, reason=reason, fs=self.fs)

    def get(self, measure: str, lead: str) -> float:
        """One true value, e.g. ``get("st_j_uv", "V2")``."""
        name = lead_names.canonical(lead)
        if name not in self.leads:
            raise EcgError(f"no lead {name!r}; this truth has {', '.join(self.leads)}")
        values = getattr(self, measure, None)
        if not isinstance(values, np.ndarray) or values.shape != (len(self.leads),):
            raise EcgError(f"no measure {measure!r}; give st_j_uv, st_j20_uv ... st_j80_uv, t_uv or u_uv")
        return float(values[self.leads.index(name)])


class Fiducials:
    """Boundaries and peaks of one beat, in ms from its instant; ``nan`` where it lacks the wave."""

    def __init__(self, template: Template) -> None:
        self.template = template
        first, last = template.reach_ms
        self.time = np.arange(first, last, _GRID_MS)

    @cached_property
    def p(self) -> tuple[float, float, float]:
        """Onset, peak and offset of P."""
        return self._bounds("P")

    @cached_property
    def qrs(self) -> tuple[float, float, float]:
        """Onset, peak and offset of the QRS; the first and last are the ends of its gate."""
        opens, _, _, closed = self.template.gate[:, self.template.row("QRS")]
        return float(opens), self._bounds("QRS")[1], float(closed)

    @cached_property
    def t(self) -> tuple[float, float, float]:
        """Onset, peak and offset of T."""
        return self._bounds("T")

    def _bounds(self, wave: str) -> tuple[float, float, float]:
        if wave not in self.template.wave:
            return (float("nan"),) * 3
        size = np.sqrt(np.mean(self.template.at(self.time, [wave]) ** 2, axis=0))
        level = EDGE * size.max()
        above = np.flatnonzero(size > level)
        if not len(above):
            return (float("nan"),) * 3
        first, last = above[0] - 1, above[-1]
        return self._crossing(size, first, level), float(self.time[size.argmax()]), self._crossing(size, last, level)

    def _crossing(self, size: Floats, before: int, level: float) -> float:
        low, high = size[before], size[before + 1]
        return float(self.time[before] + _GRID_MS * (level - low) / (high - low))

    @cached_property
    def t_window(self) -> Floats:
        """Instants at which the main T component is above `EDGE` of its peak: there the lobes are looked for."""
        beat, row = self.template, self.template.row("T")
        centre, left, right = beat.centre[row], beat.left[row], beat.right[row]
        start = max(centre - EDGE_SIGMAS * left, beat.gate[3, beat.row("QRS")])
        return np.arange(start, centre + EDGE_SIGMAS * right, _GRID_MS)

    @cached_property
    def t_peaks(self) -> Floats:
        """Peak of the larger lobe of T (the larger local extremum) in each of the twelve leads, shape (12,)."""
        value = limb_matrix() @ self.template.at(self.t_window)
        inner = value[:, 1:-1]
        extremum = (inner - value[:, :-2]) * (value[:, 2:] - inner) <= 0
        # A slope without any extremum (ST running through a flat T) has no lobe: the T is then read at its global peak.
        best = np.where(extremum, np.abs(inner), -1.0).argmax(axis=1) + 1
        return np.where(extremum.any(axis=1), self.t_window[best], self.t[1])

    @property
    def u_peak(self) -> float:
        """Where the U component peaks."""
        return float(self.template.centre[self.template.row("U")]) if "U" in self.template.wave else float("nan")


@dataclass(frozen=True, eq=False)
class Rhythm:
    """The instants of all beats that touch a recording, in ms, and which of them are ectopic, shape (beat,) each."""

    r_ms: Floats
    ectopic: NDArray[np.bool_]


def noise_free(times_ms: Floats, rows: NDArray[np.intp], rhythm: Rhythm, templates: tuple[Template, Template]) -> Floats:
    """The eight independent leads at instants near some beats, all neighbours included.

    `times_ms` has shape (row, instant), counted from the recording's start; the result has shape (8, row, instant).
    """
    total = np.zeros((limb_matrix().shape[1], *times_ms.shape))
    n_beats = len(rhythm.r_ms)
    reach = np.ptp([beat.reach_ms for beat in templates])
    shortest = np.diff(rhythm.r_ms).min() if n_beats > 1 else reach
    near = min(int(np.ceil(reach / shortest)), n_beats)
    for step in range(-near, near + 1):
        other = rows + step
        for template, is_ectopic in zip(templates, (False, True), strict=True):
            there = (other >= 0) & (other < n_beats)
            there[there] = rhythm.ectopic[other[there]] == is_ectopic
            if there.any():
                total[:, there] += template.at(times_ms[there] - rhythm.r_ms[other[there], None])
    return total


def amplitudes(rhythm: Rhythm, rows: NDArray[np.intp], templates: tuple[Template, Template]) -> dict[str, Floats]:
    """True amplitudes in the twelve leads: medians over the dominant beats `rows`, shape (12,) each."""
    marks = Fiducials(templates[0])
    offsets = np.array([marks.qrs[0], *(marks.qrs[2] + np.array(ST_OFFSETS_MS)), marks.u_peak, *marks.t_peaks])
    read = noise_free(rhythm.r_ms[rows, None] + offsets, rows, rhythm, templates)
    read = np.einsum("lk,kbi->lbi", limb_matrix(), read)
    level = np.median(read[:, :, 1:] - read[:, :, :1], axis=1)
    names = [f"st_j{ms or ''}_uv" for ms in ST_OFFSETS_MS] + ["u_uv"]
    found = {name: level[:, column] for column, name in enumerate(names)}
    found["t_uv"] = np.diagonal(level[:, len(names) :]).copy()
    return found


def build(fs: float, n_samples: int, leads: tuple[str, ...], rhythm: Rhythm, templates: tuple[Template, Template]) -> Truth:
    """Gather the truth of the beats whose peak lies in the recording."""
    marks, other = Fiducials(templates[0]), Fiducials(templates[1])
    peak_ms = rhythm.r_ms + np.where(rhythm.ectopic, other.qrs[1], marks.qrs[1])
    rows = np.flatnonzero((peak_ms >= 0) & (peak_ms <= (n_samples - 1) * 1000.0 / fs))
    ectopic = rhythm.ectopic[rows]
    if ectopic.all():
        raise EcgError("no normal beat falls into the recording; give a longer duration_s")

    def place(dominant_ms: Floats | float, ectopic_ms: Floats | float) -> Floats:
        sample = (rhythm.r_ms[rows] + np.where(ectopic, ectopic_ms, dominant_ms)) * fs / 1000.0
        return read_only(np.where((sample >= 0) & (sample <= n_samples - 1), sample, np.nan))

    def waves(dominant_ms: tuple[float, ...], ectopic_ms: tuple[float, ...]) -> Waves:
        return Waves(*(place(one, two) for one, two in zip(dominant_ms, ectopic_ms, strict=True)))

    chosen = [STANDARD.index(lead) for lead in leads]
    values = amplitudes(rhythm, rows[~ectopic], templates)
    return Truth(
        leads=leads,
        fs=fs,
        r_sample=read_only(peak_ms[rows] * fs / 1000.0),
        kind=read_only(np.where(ectopic, "ectopic", "dominant"), dtype=np.str_),
        p=waves(marks.p, other.p),
        qrs=waves(marks.qrs, other.qrs),
        t=waves(marks.t, other.t),
        t_peak=place(marks.t_peaks[chosen, None], other.t_peaks[chosen, None]),
        **{name: read_only(value[chosen]) for name, value in values.items()},
        pr_ms=marks.qrs[0] - marks.p[0],
        qrs_ms=marks.qrs[2] - marks.qrs[0],
        qt_ms=marks.t[2] - marks.qrs[0],
    )
