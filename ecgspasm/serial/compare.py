"""Compare an ECG with an earlier one of the same person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np

from ecgspasm.analysis import analyze
from ecgspasm.criteria import SERIAL_CONFOUNDERS, SERIAL_KINDS, Criterion, load_criteria
from ecgspasm.ecg import MEASURED, MEASURES, Analysis, Ecg, Floats, Measurements, MedianBeat, read_only, sort_leads
from ecgspasm.errors import EcgError
from ecgspasm.processing.blas import one_blas_thread
from ecgspasm.processing.measure import measure
from ecgspasm.processing.vector import heart_vectors
from ecgspasm.serial.comparison import AlignedMedians, Change, Comparison
from ecgspasm.serial.confounders import confounders
from ecgspasm.serial.findings import judged
from ecgspasm.serial.person import check_one_person
from ecgspasm.serial.repeatability import Electrodes, check_electrodes, repeat_sd
from ecgspasm.serial.score import score

_GRID_HZ = 1000.0  # the medians are aligned, and drawn, on one grid whatever their sampling rates
_LARGEST_LAG_MS = 60


Compared = Ecg | Analysis | Measurements


@one_blas_thread()
def compare(
    baseline: Compared,
    current: Compared,
    *,
    electrodes: Electrodes = "fresh",
    criteria: Iterable[Criterion] | str | Path | None = None,
) -> Comparison:
    """Say what is new in `current` against `baseline`, two ECGs of the same person.

    Both median beats are aligned on their QRS complexes and measured at the same QRS onset and J, so that a J point found a few
    milliseconds apart is not taken for a change of ST. From tables of measurements alone (`Measurements.from_table`) the values
    are compared as they are; what needs the waveform, such as the search for swapped cables, is left out.

    Parameters
    ----------
    baseline, current : Ecg, Analysis or Measurements
    electrodes : {'fresh', 'same'}
        Whether the electrodes were placed anew between the two (another day) or stayed on (provocation, telemetry): that decides
        how large a change must be to count.
    criteria : iterable of Criterion, or path, optional
        Default: the project's own, `load_criteria()`; the path of a TOML file stands for what it holds.

    Returns
    -------
    Comparison
        Also when nothing could be measured: then `comparable` is False and every lead says why.

    Raises
    ------
    EcgError
        If a recording is too short, the two have no lead in common, or by sex or key they are of two persons.
    """
    check_electrodes(electrodes)
    given = {"baseline": baseline, "current": current}
    analysed = {name: _analysed(each) for name, each in given.items()}
    own = {name: each.measurements if isinstance(each, Analysis) else each for name, each in analysed.items()}
    pair = {name: each for name, each in analysed.items() if isinstance(each, Analysis)}
    check_one_person(own["baseline"].subject, own["current"].subject)
    leads = sort_leads(set(own["baseline"].leads) & set(own["current"].leads))
    if not leads:
        have = "; ".join(f"the {name} has {', '.join(each.leads)}" for name, each in own.items())
        raise EcgError(f"the two ECGs have no lead in common: {have}")
    rules = load_criteria(criteria) if criteria is None or isinstance(criteria, str | Path) else tuple(criteria)
    strange = next((each for each in rules if not isinstance(each, Criterion)), None)
    if strange is not None:
        kind = type(strange).__name__
        raise EcgError(f"a {kind} is no criterion; give what load_criteria() returns, or the path of a TOML file")
    aligned, measured = _measured_alike(pair, leads) if len(pair) == 2 else (None, own)
    state = tuple(_state(measured, lead) for lead in leads)
    changes = {
        name: _change(measured, name, leads, electrodes)
        for name in MEASURES
        if all(name in each.values for each in measured.values())
    }
    explains = confounders(own["baseline"], own["current"], aligned, leads, state, _recorded(pair))
    shapes = {name: read_only([each.t_shape[each.leads.index(lead)] for lead in leads], "U17") for name, each in measured.items()}
    found = judged(rules, leads, state, changes, shapes, measured, explains)
    return Comparison(
        baseline=pair.get("baseline"),
        current=pair.get("current"),
        leads=leads,
        state=state,
        changes=changes,
        t_shape=shapes,
        findings=tuple(each for each in found if each.kind in SERIAL_KINDS),
        definitions=tuple(each for each in found if each.kind not in SERIAL_KINDS),
        confounders=explains,
        aligned=aligned,
        measured=measured,
        electrodes=electrodes,
        vectors={name: heart_vectors(each) for name, each in measured.items()},
        score=score(measured["baseline"], measured["current"], electrodes, _blocking(explains)),
    )


def _recorded(pair: Mapping[str, Analysis]) -> tuple[datetime | None, datetime | None]:
    first, second = (pair[name].ecg.recorded_at if name in pair else None for name in ("baseline", "current"))
    return first, second


def _blocking(explains: Mapping[str, str]) -> str:
    return next((text for name, text in explains.items() if name in SERIAL_CONFOUNDERS), "")


def _analysed(given: Compared) -> Analysis | Measurements:
    return given if isinstance(given, Analysis | Measurements) else analyze(given)


def _measured_alike(
    pair: Mapping[str, Analysis], leads: tuple[str, ...]
) -> tuple[AlignedMedians | None, dict[str, Measurements]]:
    """Both ECGs measured at common offsets from their aligned fiducials; as they are if one has no median beat."""
    first, second = pair["baseline"].median, pair["current"].median
    if first is None or second is None:
        return None, {name: each.measurements for name, each in pair.items()}
    good = [
        lead for lead in leads if pair["baseline"].measurements.measured(lead) and pair["current"].measurements.measured(lead)
    ]
    lag_ms = _lag(first, second, good or list(leads))
    to_ms = {"baseline": (first.r_sample, first.fs, 0.0), "current": (second.r_sample, second.fs, lag_ms)}

    def common(one: float, other: float) -> float:
        """Mean of two positions, in ms from the baseline's fiducial."""
        r, fs, _ = to_ms["baseline"]
        r2, fs2, lag = to_ms["current"]
        return ((one - r) * 1000.0 / fs + (other - r2) * 1000.0 / fs2 - lag) / 2.0

    onset_ms, j_ms = common(first.qrs_onset, second.qrs_onset), common(first.j, second.j)
    measured = {}
    for name, each in pair.items():
        r, fs, lag = to_ms[name]
        assert each.median is not None
        measured[name] = measure(
            each.median,
            each.quality,
            rr_ms=60_000.0 / each.measurements.rate_bpm,
            subject=each.ecg.subject,
            derived=each.ecg.derived,
            qrs_onset=r + (onset_ms + lag) * fs / 1000.0,
            j=r + (j_ms + lag) * fs / 1000.0,
        )
    return _aligned(first, second, leads, onset_ms, j_ms, lag_ms, good), measured


def _on_grid(median: MedianBeat, leads: Iterable[str], time_ms: Floats) -> Floats:
    """The median beat at given times from its fiducial, shape (lead, time)."""
    position = median.r_sample + time_ms * median.fs / 1000.0
    samples = np.arange(median.signal_uv.shape[1])
    return np.stack([np.interp(position, samples, median.signal_uv[median.leads.index(lead)]) for lead in leads])


def _lag(first: MedianBeat, second: MedianBeat, leads: list[str]) -> float:
    """How much later the second beat's QRS lies after its fiducial, in ms."""
    step = 1000.0 / _GRID_HZ
    window = np.arange(-80.0, 100.0, step)
    lags = np.arange(-_LARGEST_LAG_MS, _LARGEST_LAG_MS + step, step)
    one = _on_grid(first, leads, window)
    one = one - one.mean(axis=1, keepdims=True)
    wide = _on_grid(second, leads, np.arange(window[0] + lags[0], window[-1] + lags[-1] + step / 2, step))
    shifted = np.lib.stride_tricks.sliding_window_view(wide, len(window), axis=1)  # (lead, lag, window)
    product = np.einsum("lgw,lw->g", shifted, one)
    square = np.einsum("lgw,lgw->lg", shifted, shifted) - shifted.sum(axis=2) ** 2 / len(window)
    score = product / (np.sqrt(np.maximum(square.sum(axis=0), 1e-9)) * np.linalg.norm(one) + 1e-9)
    # Towards no shift, when two lags are as good as equal: equal ECGs must stay where they are.
    return float(lags[int(np.argmax(score - 1e-9 * np.abs(lags)))])


def _aligned(
    first: MedianBeat,
    second: MedianBeat,
    leads: tuple[str, ...],
    onset_ms: float,
    j_ms: float,
    lag_ms: float,
    good: list[str],
) -> AlignedMedians:
    step = 1000.0 / _GRID_HZ
    start = max(-first.r_sample * 1000.0 / first.fs, -second.r_sample * 1000.0 / second.fs - lag_ms) - onset_ms
    ends = [(each.signal_uv.shape[1] - 1 - each.r_sample) * 1000.0 / each.fs for each in (first, second)]
    time_ms = np.arange(np.ceil(start), min(ends[0], ends[1] - lag_ms) - onset_ms, step)
    curves = [_on_grid(each, leads, time_ms + onset_ms + lag) for each, lag in ((first, 0.0), (second, lag_ms))]
    level = (time_ms >= -16.0) & (time_ms <= 0.0)
    curves = [curve - curve[:, level].mean(axis=1, keepdims=True) for curve in curves]
    # From QRS onset to J only: a large change of ST must not look like another QRS complex.
    qrs = (time_ms >= 0.0) & (time_ms <= j_ms - onset_ms)
    rows = [leads.index(lead) for lead in good] or list(range(len(leads)))
    one, other = (curve[rows][:, qrs].ravel() for curve in curves)
    correlation = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-9))
    onset = tuple(each.r_sample + (onset_ms + lag) * each.fs / 1000.0 for each, lag in ((first, 0.0), (second, lag_ms)))
    return AlignedMedians(
        time_ms=read_only(time_ms),
        baseline_uv=read_only(curves[0]),
        current_uv=read_only(curves[1]),
        j_ms=j_ms - onset_ms,
        qrs_correlation=correlation,
        onset=(onset[0], onset[1]),
    )


def _state(measured: Mapping[str, Measurements], lead: str) -> str:
    for name, each in measured.items():
        own = each.state[each.leads.index(lead)]
        if own != MEASURED:
            return f"not_measurable: {name}: {own.removeprefix('not_measurable: ')}"
    return MEASURED


def _change(measured: Mapping[str, Measurements], name: str, leads: tuple[str, ...], electrodes: Electrodes) -> Change:
    sides = [read_only([each.get(name, lead) for lead in leads]) for each in measured.values()]
    errors = [_se(each, name, leads) for each in measured.values()]
    repeats = repeat_sd(name, leads, electrodes, sides[0])
    return Change(sides[0], sides[1], read_only(np.hypot(errors[0], errors[1])), read_only(repeats))


def _se(measured: Measurements, name: str, leads: tuple[str, ...]) -> Floats:
    """Standard errors of one measure; a table that tells none adds nothing to the repeatability."""
    if name not in measured.se:
        return np.zeros(len(leads))
    return np.array([measured.se[name][measured.leads.index(lead)] for lead in leads])
