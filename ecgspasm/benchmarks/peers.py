"""Other packages on the same records, scored by the same rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ecgspasm.benchmarks.sets import Case
from ecgspasm.benchmarks.truth import WAVES, WaveTable
from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError

_KEYS = {
    "P": ("ECG_P_Onsets", "ECG_P_Peaks", "ECG_P_Offsets"),
    "QRS": ("ECG_R_Onsets", "ECG_R_Peaks", "ECG_R_Offsets"),
    "T": ("ECG_T_Onsets", "ECG_T_Peaks", "ECG_T_Offsets"),
}


def neurokit2(method: str) -> Callable[[Case], Mapping[str, WaveTable]]:
    """NeuroKit2's `ecg_delineate` lead by lead, as its documentation shows: clean, find R peaks, delineate.

    Parameters
    ----------
    method : str
        ``dwt`` (its default), ``prominence``, ``cwt`` or ``peak``.
    """

    def delineator(case: Case) -> dict[str, WaveTable]:
        return {lead: _one_lead(case.ecg[lead] / 1000.0, case.ecg.fs, method, f"{case.name} {lead}") for lead in case.truth}

    return delineator


PEERS: dict[str, Callable[[], Callable[[Case], Mapping[str, WaveTable]]]] = {
    "neurokit2": lambda: neurokit2("dwt"),
    "neurokit2-prominence": lambda: neurokit2("prominence"),
}


def peer(name: str) -> Callable[[Case], Mapping[str, WaveTable]]:
    """A peer by its name on the command line."""
    if name not in PEERS:
        raise EcgError(f"no peer {name!r}; the choices are {', '.join(PEERS)}")
    return PEERS[name]()


def _one_lead(signal_mv: Floats, fs: float, method: str, name: str) -> dict[str, Floats]:
    import sys
    import warnings

    import neurokit2 as nk

    empty: dict[str, Floats] = {wave: np.empty((0, 3)) for wave in WAVES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            cleaned = nk.ecg_clean(signal_mv, sampling_rate=int(fs))
            peaks: Any = nk.ecg_peaks(cleaned, sampling_rate=int(fs))[1]["ECG_R_Peaks"]
            found: Any = nk.ecg_delineate(cleaned, peaks, sampling_rate=int(fs), method=method)[1]
        except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError, AttributeError) as error:
            # What it raises on flat leads or with fewer than two beats: it has found nothing there, and the reader is told.
            print(f"neurokit2 {method}: nothing found in {name}: {type(error).__name__}: {error}", file=sys.stderr)
            return empty
    found["ECG_R_Peaks"] = peaks
    return {wave: _table(*(found.get(key, []) for key in keys)) for wave, keys in _KEYS.items()}


def _table(onset: Any, peak: Any, offset: Any) -> Floats:
    """Three lists, which need not be of one length, as rows in time order without the absent peaks."""
    length = max(len(onset), len(peak), len(offset))
    columns = [np.append(np.asarray(each, dtype=float), np.full(length - len(each), np.nan)) for each in (onset, peak, offset)]
    table = np.stack(columns, axis=1)
    table = table[np.isfinite(table[:, 1])]
    return np.asarray(table[np.argsort(table[:, 1])])
