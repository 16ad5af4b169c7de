"""To pandas, xarray, MNE and NeuroKit2, and back where there is a way back."""

from __future__ import annotations

import builtins
import warnings
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ecgspasm as es
from ecgspasm.ecg import Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.interop import to_frame, to_mne, to_neurokit, to_xarray
from ecgspasm.io.tables.arrays import from_array


@pytest.fixture(scope="module")
def ecg() -> Ecg:
    made = es.simulate.ecg(fs=500, seed=3).ecg
    signal = made.signal_uv.copy()
    signal[2, 7] = np.nan
    return Ecg(
        signal_uv=signal,
        fs=made.fs,
        leads=made.leads,
        subject=Subject("male", 44.0, "p-7"),
        recorded_at=datetime(2024, 5, 31, 1, 2, 3, 4),
        derived=made.derived,
    )


@pytest.fixture(scope="module")
def analysis(ecg: Ecg) -> Any:
    return es.analyze(ecg)


def same(back: Ecg, ecg: Ecg) -> None:
    assert (back.leads, back.fs, back.derived) == (ecg.leads, ecg.fs, ecg.derived)
    assert (back.subject, back.recorded_at) == (ecg.subject, ecg.recorded_at)
    assert np.array_equal(back.signal_uv, ecg.signal_uv, equal_nan=True)


def test_a_frame_and_back(ecg: Ecg) -> None:
    frame = to_frame(ecg)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(ecg.leads)
    assert frame.index.name == "time_s"
    assert frame.index[500] == 1.0
    assert (frame.attrs["fs"], frame.attrs["unit"]) == (500.0, "uV")
    same(from_array(frame), ecg)
    frame.iloc[:] = 0.0
    assert np.nanmax(ecg.signal_uv) > 0
    some = to_frame(Ecg(signal_uv=np.zeros((2, 9)), fs=1000 / 3, leads=("I", "II")))
    assert from_array(some).leads == ("I", "II")
    assert from_array(some).fs == 1000 / 3


def test_the_times_of_a_frame_are_checked(ecg: Ecg) -> None:
    frame = to_frame(ecg)
    with pytest.raises(EcgError, match="not all alike"):
        from_array(frame.drop(frame.index[100]))
    with pytest.raises(EcgError, match="only one can be true"):
        from_array(frame.iloc[::2])


def test_a_labelled_array_and_back(ecg: Ecg) -> None:
    pytest.importorskip("xarray", reason="xarray is not installed")
    array = to_xarray(ecg)
    assert array.dims == ("lead", "time")
    assert array.sel(lead="V2", time=1.0).item() == ecg["V2"][500]
    assert (array.attrs["fs"], array.attrs["units"]) == (500.0, "uV")
    same(from_array(array), ecg)
    same(from_array(array.T), ecg)


def test_mne(ecg: Ecg) -> None:
    pytest.importorskip("mne", reason="MNE is not installed")
    raw = to_mne(ecg)
    assert raw.ch_names == list(ecg.leads)
    assert set(raw.get_channel_types()) == {"ecg"}
    assert raw.info["sfreq"] == 500
    assert np.allclose(raw.get_data(), ecg.signal_uv * 1e-6, equal_nan=True)
    assert raw.info["subject_info"] is None
    assert raw.info["meas_date"] is None


def test_fiducials_are_aligned_with_the_beats(analysis: Any) -> None:
    waves = analysis.delineation
    found = to_neurokit(waves, "V2")
    row = waves.leads.index("V2")
    n = len(waves.beats)
    assert set(found) == {
        "ECG_R_Peaks", "ECG_P_Onsets", "ECG_P_Peaks", "ECG_P_Offsets", "ECG_R_Onsets", "ECG_R_Offsets",
        "ECG_T_Onsets", "ECG_T_Peaks", "ECG_T_Offsets", "sampling_rate",
    }  # fmt: skip
    assert all(len(values) == n for name, values in found.items() if name != "sampling_rate")
    assert np.array_equal(found["ECG_T_Peaks"], np.round(waves.t.peak[row]), equal_nan=True)
    assert np.array_equal(found["ECG_R_Onsets"], np.round(waves.qrs.onset[row]), equal_nan=True)
    assert found["ECG_R_Peaks"].dtype == np.int64
    assert (np.diff(found["ECG_R_Peaks"]) > 0).all()
    assert to_neurokit(analysis, "v2").keys() == found.keys()


def test_neurokit_names_are_the_ones_of_the_installed_version(ecg: Ecg, analysis: Any) -> None:
    import neurokit2 as nk

    found = to_neurokit(analysis, "II")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clean = nk.ecg_clean(ecg["II"], sampling_rate=500)
        _, theirs = nk.ecg_delineate(clean, found["ECG_R_Peaks"], sampling_rate=500, method="dwt")
    assert set(found) - {"ECG_R_Peaks", "sampling_rate"} <= set(theirs)
    assert {type(theirs[name]) for name in theirs} == {list}
    # what two independent delineators find of one clean beat lies close together
    ours = np.array(found["ECG_T_Peaks"], dtype=float)
    assert np.nanmedian(np.abs(ours - np.array(theirs["ECG_T_Peaks"], dtype=float))) <= 10


def test_neurokit_works_on_with_them(ecg: Ecg, analysis: Any) -> None:
    import neurokit2 as nk

    found = to_neurokit(analysis, "II")
    found["ECG_P_Peaks"][1] = float("nan")
    signal = np.nan_to_num(ecg["II"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        phase = nk.ecg_phase(signal, rpeaks=found, delineate_info=found, sampling_rate=500)
        rate = nk.ecg_rate(found, sampling_rate=500, desired_length=len(signal))
        marks = np.zeros(len(signal))
        marks[found["ECG_R_Peaks"]] = 1
        table = pd.DataFrame({"ECG_Raw": signal, "ECG_Rate": rate, "ECG_R_Peaks": marks})
        summary = nk.ecg_intervalrelated(table, sampling_rate=500)
        marked = nk.signal_formatpeaks(
            {"ECG_R_Peaks": found["ECG_R_Peaks"]}, desired_length=len(signal), peak_indices=found["ECG_R_Peaks"]
        )
    assert np.nansum(phase["ECG_Phase_Ventricular"]) > 0
    assert np.asarray(summary["ECG_Rate_Mean"].iloc[0]).item() == pytest.approx(np.mean(rate))
    assert marked is not None


def test_a_beat_without_its_wave_keeps_its_place(analysis: Any) -> None:
    from dataclasses import replace

    waves = analysis.delineation
    row = waves.leads.index("V1")
    peak, t_peak = waves.qrs.peak.copy(), waves.t.peak.copy()
    peak[row, 1], t_peak[row, 2] = np.nan, np.nan
    other = replace(waves, qrs=replace(waves.qrs, peak=peak), t=replace(waves.t, peak=t_peak))
    found = to_neurokit(other, "V1")
    assert found["ECG_R_Peaks"][1] == round(waves.beats.r_sample[1])
    assert np.isnan(found["ECG_T_Peaks"][2])
    assert len(found["ECG_T_Peaks"]) == len(waves.beats)


def test_wrong_things_are_refused(ecg: Ecg, analysis: Any) -> None:
    with pytest.raises(EcgError, match="no lead 'V9'"):
        to_neurokit(analysis, "V9")
    wrong: Any = ecg
    with pytest.raises(EcgError, match="give what"):
        to_neurokit(wrong, "V2")
    wrong = analysis
    for convert in (to_frame, to_xarray, to_mne):
        with pytest.raises(EcgError, match="not an Ecg"):
            convert(wrong)


@pytest.mark.parametrize(("convert", "package"), [(to_xarray, "xarray"), (to_mne, "mne")])
def test_what_is_missing_is_named(ecg: Ecg, monkeypatch: pytest.MonkeyPatch, convert: Any, package: str) -> None:
    really = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == package:
            raise ImportError(name)
        return really(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EcgError, match=f"pip install {package}"):
        convert(ecg)
