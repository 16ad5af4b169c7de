"""To the objects of other packages: pandas, xarray, MNE and NeuroKit2. The way back for tables is `from_array`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Delineation, Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.facts import facts_of

if TYPE_CHECKING:
    import mne
    import pandas as pd
    import xarray as xr


class HasDelineation(Protocol):
    """What was delineated along with the ECG, such as an `Analysis`."""

    @property
    def ecg(self) -> Ecg: ...

    @property
    def delineation(self) -> Delineation: ...


def to_frame(ecg: Ecg) -> pd.DataFrame:
    """One row a sample, one column a lead.

    Parameters
    ----------
    ecg : Ecg

    Returns
    -------
    pandas.DataFrame, shape (sample, lead)
        In uV; the index ``time_s`` counts seconds from the first sample. ``attrs`` hold ``fs``, ``unit``, ``derived`` and what is
        known of sex, age, key and time, so that `from_array` gives the same ECG back.
    """
    import pandas as pd

    ecg = _an_ecg(ecg)
    time = pd.Index(np.arange(ecg.signal_uv.shape[1]) / ecg.fs, name="time_s")
    frame = pd.DataFrame(ecg.signal_uv.T.copy(), index=time, columns=list(ecg.leads))
    frame.attrs.update(facts_of(ecg))
    return frame


def to_xarray(ecg: Ecg) -> xr.DataArray:
    """An array with names on its axes.

    Parameters
    ----------
    ecg : Ecg

    Returns
    -------
    xarray.DataArray, shape (lead, time)
        In uV, with the coordinates ``lead`` and ``time`` (s from the first sample); ``attrs`` as in `to_frame`.

    Raises
    ------
    EcgError
        If xarray is not installed.
    """
    try:
        import xarray as xr
    except ImportError as error:
        raise EcgError("to_xarray needs xarray: pip install xarray") from error
    ecg = _an_ecg(ecg)
    facts = facts_of(ecg)
    time = xr.Variable("time", np.arange(ecg.signal_uv.shape[1]) / ecg.fs, {"units": "s"})
    # `units` is the name that xarray's own plots and CF know
    attrs = {"units": facts.pop("unit"), **facts}
    return xr.DataArray(ecg.signal_uv.copy(), {"lead": list(ecg.leads), "time": time}, ("lead", "time"), "ecg", attrs)


def to_mne(ecg: Ecg) -> mne.io.RawArray:
    """A recording of MNE-Python.

    Parameters
    ----------
    ecg : Ecg

    Returns
    -------
    mne.io.RawArray
        In V, all channels of type ``ecg``; nothing of the subject, and no date, for which MNE wants a time zone.

    Raises
    ------
    EcgError
        If MNE is not installed.
    """
    try:
        import mne
    except ImportError as error:
        raise EcgError("to_mne needs MNE-Python: pip install mne") from error
    ecg = _an_ecg(ecg)
    info = mne.create_info(list(ecg.leads), ecg.fs, "ecg", verbose="error")
    return mne.io.RawArray(ecg.signal_uv * 1e-6, info, verbose="error")


def to_neurokit(found: Delineation | HasDelineation, lead: str) -> dict[str, Any]:
    """The waves of one lead as NeuroKit2 has them.

    Parameters
    ----------
    found : Delineation or Analysis
        What `delineate` or `analyze` gives.
    lead : str

    Returns
    -------
    dict
        ``ECG_R_Peaks``, an array of whole samples, one a beat; and lists of the same length for ``ECG_P_Onsets``,
        ``ECG_P_Peaks``, ``ECG_P_Offsets``, ``ECG_R_Onsets``, ``ECG_R_Offsets``, ``ECG_T_Onsets``, ``ECG_T_Peaks`` and
        ``ECG_T_Offsets``, whole samples or ``nan`` where the wave is absent; ``sampling_rate`` in Hz.

    Raises
    ------
    EcgError
        If there is no such lead.

    Notes
    -----
    ``R`` is the QRS complex in NeuroKit2's names. Its peak is that of this lead, or the fiducial of the beat where this lead
    shows none, because NeuroKit2 uses the peaks as indices. Q and S peaks are not located, and P waves beyond
    one a beat have no place.
    """
    waves = found if isinstance(found, Delineation) else getattr(found, "delineation", None)
    if not isinstance(waves, Delineation):
        raise EcgError(f"this is a {type(found).__name__}; give what ecgspasm.delineate or ecgspasm.analyze returns")
    name = lead_names.canonical(lead)
    if name not in waves.leads:
        raise EcgError(f"no lead {name!r}; the delineation has {', '.join(waves.leads)}")
    row = waves.leads.index(name)
    peaks = np.where(np.isnan(waves.qrs.peak[row]), waves.beats.r_sample, waves.qrs.peak[row])
    result: dict[str, Any] = {"ECG_R_Peaks": np.rint(peaks).astype(np.int64)}
    for letter, wave in (("P", waves.p), ("R", waves.qrs), ("T", waves.t)):
        result[f"ECG_{letter}_Onsets"] = _samples(wave.onset[row])
        if letter != "R":
            result[f"ECG_{letter}_Peaks"] = _samples(wave.peak[row])
        result[f"ECG_{letter}_Offsets"] = _samples(wave.offset[row])
    result["sampling_rate"] = waves.beats.fs
    return result


def _samples(values: Floats) -> list[int | float]:
    """Whole samples as whole numbers, nan where there is none."""
    return [float("nan") if np.isnan(value) else round(float(value)) for value in values]


def _an_ecg(given: Ecg) -> Ecg:
    if not isinstance(given, Ecg):
        raise EcgError(f"this is a {type(given).__name__}, not an Ecg")
    return given
