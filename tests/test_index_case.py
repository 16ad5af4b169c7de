"""The index case, from its shipped files: what the case report says of each ECG is what is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.demo import SHIPPED, write_index_case
from ecgspasm.serial.comparison import MET, Comparison

NAMES = ("baseline", "presentation", "ergonovine", "nitroglycerin", "recurrence")


@pytest.fixture(scope="module")
def ecgs() -> dict[str, es.Ecg]:
    return {name: es.read(SHIPPED / f"{name}.hea") for name in NAMES}


def met(change: Comparison) -> dict[str, tuple[tuple[str, ...], str]]:
    return {each.criterion: (each.leads, each.territory) for each in change.findings if each.verdict == MET}


def test_the_shipped_files_are_what_the_simulation_makes(tmp_path: Path, ecgs: dict[str, es.Ecg]) -> None:
    write_index_case(tmp_path)
    for name, shipped in ecgs.items():
        made = es.read(tmp_path / f"{name}.hea")
        assert (made.leads, made.fs, made.subject) == (shipped.leads, shipped.fs, shipped.subject)
        assert np.abs(made.signal_uv - shipped.signal_uv).max() <= 1.0  # one ADC step


def test_they_are_12_leads_of_10_s_at_500_hz(ecgs: dict[str, es.Ecg]) -> None:
    for ecg in ecgs.values():
        assert (len(ecg.leads), ecg.fs, ecg.duration_s) == (12, 500.0, 10.0)
        assert (ecg.subject.sex, ecg.subject.age) == ("male", 59)
        assert ecg["I"] + ecg["III"] == pytest.approx(ecg["II"], abs=1.5)


def test_presentation_new_t_inversion_v1_to_v3_anteroseptal(ecgs: dict[str, es.Ecg]) -> None:
    change = es.compare(ecgs["baseline"], ecgs["presentation"])
    assert met(change) == {"new-t-inversion": (("V1", "V2", "V3"), "anteroseptal")}


def test_ergonovine_new_st_elevation(ecgs: dict[str, es.Ecg]) -> None:
    found = met(es.compare(ecgs["baseline"], ecgs["ergonovine"]))
    assert found == {"new-st-elevation": (("V1", "V2", "V3", "V4"), "anteroseptal")}


def test_nitroglycerin_resolution(ecgs: dict[str, es.Ecg]) -> None:
    assert set(met(es.compare(ecgs["ergonovine"], ecgs["nitroglycerin"]))) == {"st-elevation-resolved"}
    assert es.compare(ecgs["baseline"], ecgs["nitroglycerin"]).verdict == "No new change found"


def test_recurrence_t_wave_changes_v1_to_v4(ecgs: dict[str, es.Ecg]) -> None:
    change = es.compare(ecgs["baseline"], ecgs["recurrence"])
    assert met(change) == {"new-t-inversion": (("V1", "V2", "V3", "V4"), "anteroseptal")}
    assert change.verdict.startswith("NEW T-wave inversion in V1-V4 (anteroseptal): ")


def test_the_frame_has_a_row_a_lead(ecgs: dict[str, es.Ecg]) -> None:
    frame = es.compare(ecgs["baseline"], ecgs["presentation"]).to_frame()
    assert list(frame["lead"]) == list(ecgs["baseline"].leads)
    for measure in ("st_j_uv", "st_j60_uv", "t_uv"):
        change = frame[f"{measure}_current"] - frame[f"{measure}_baseline"]
        assert np.allclose(change, frame[f"{measure}_change"])
        assert (frame[f"{measure}_low"] < frame[f"{measure}_change"]).all()
        assert (frame[f"{measure}_high"] > frame[f"{measure}_change"]).all()
