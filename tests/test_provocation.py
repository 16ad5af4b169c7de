"""Provocation tests whose truth is known: what was put in is found at its time, and nothing where nothing was put in."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.provoking import ProvocationTest, provocation
from ecgspasm.provoking.settings import CAVEAT

FS = 250.0
CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"
ST = {"I": -20.0, "II": -40.0, "V1": 120.0, "V2": 300.0, "V3": 360.0, "V4": 200.0, "V5": 60.0}
BEGINS, WHOLE, FALLS, GONE = 150.0, 210.0, 300.0, 360.0
"""When the change that is put in begins, is whole, begins to fall and is gone, in s."""
EVENTS = [(120.0, "ergonovine 20 ug"), (290.0, "nitroglycerin")]


@cache
def recording(seed: int = 5, size: float = 1.0) -> es.Ecg:
    """Seven minutes in which ST rises and falls along straight lines; the same beats and noise with and without it."""
    both = [
        es.simulate.ecg(fs=FS, seed=seed, duration_s=440.0, noise_uv=8.0, wander_uv=30.0, st_uv=st).ecg
        for st in (None, {lead: size * uv for lead, uv in ST.items()})
    ]
    time = np.arange(both[0].signal_uv.shape[1]) / FS
    share = np.interp(time, [0.0, BEGINS, WHOLE, FALLS, GONE], [0.0, 0.0, 1.0, 1.0, 0.0])
    return es.Ecg(signal_uv=both[0].signal_uv + share * (both[1].signal_uv - both[0].signal_uv), fs=FS, leads=both[0].leads)


@cache
def found() -> ProvocationTest:
    return provocation(recording(), EVENTS)


def cut(ecg: es.Ecg, start_s: float, stop_s: float) -> es.Ecg:
    return es.Ecg(signal_uv=ecg.signal_uv[:, round(start_s * FS) : round(stop_s * FS)], fs=FS, leads=ecg.leads)


@pytest.mark.parametrize("seed", [5, 6])
def test_a_ramp_is_found_at_its_time_and_size(seed: int) -> None:
    response = provocation(recording(seed), EVENTS).response
    assert response is not None
    assert response.what == "ST elevation"
    assert (response.leads, response.territory, response.lead) == (("V1", "V2", "V3", "V4"), "anteroseptal", "V3")
    assert response.onset.time_s == pytest.approx(BEGINS, abs=12.0)
    assert response.onset.delay_s == pytest.approx(30.0, abs=12.0)
    assert response.onset.after.text == "ergonovine 20 ug"
    assert WHOLE - 10.0 <= response.extremum_s <= FALLS + 10.0
    assert response.extremum_uv == pytest.approx(360.0, abs=15.0)
    assert response.low_uv < 360.0 < response.high_uv
    assert response.relief.state == "relieved"
    assert response.relief.half_s == pytest.approx((FALLS + GONE) / 2.0, abs=12.0)
    assert response.relief.time_s == pytest.approx(GONE - 50.0 / 360.0 * (GONE - FALLS), abs=12.0)
    assert response.relief.after is not None
    assert response.relief.delay_s == pytest.approx(response.relief.time_s - 290.0)


def test_covadis_and_jcs_are_met_with_their_reasons() -> None:
    for name in ("covadis", "jcs"):
        half = found().definition(name)
        assert (half.verdict, half.shows, half.leads) == ("MET", "ST elevation", ("V1", "V2", "V3", "V4"))
        assert "transient: gone" in half.reason
        assert half.values["V3"]["threshold"] == 100
        assert half.values["V3"]["change"] == pytest.approx(360.0, abs=30.0)
    assert "2017" in found().definition("covadis").source
    assert found().definition("jcs").source.startswith("After ")
    with pytest.raises(es.EcgError, match="no definition 'x'"):
        found().definition("x")


def test_phases_tell_the_change_at_their_extremum_and_end_with_intervals() -> None:
    test = found()
    assert [phase.kind for phase in test.phases] == ["baseline", "provoking", "relieving"]
    assert [phase.changed["ST"] for phase in test.phases][:2] == [(), ("V1", "V2", "V3", "V4", "V5")]
    frame = test.to_frame()
    assert len(frame) == 3 * 12 * 4  # ST at J and J+60, T, U
    v3 = frame[(frame.lead == "V3") & (frame.measure == "st_j60_uv")].set_index("kind")
    assert v3.loc["provoking", "change_uv"] == pytest.approx(360.0, abs=15.0)
    assert v3.loc["provoking", "low_uv"] < 360.0 < v3.loc["provoking", "high_uv"]
    assert abs(v3.loc["relieving", "last_change_uv"]) < 20.0
    assert abs(v3.loc["baseline", "change_uv"]) < 20.0
    assert set(frame.state) == {"measured"}


def test_nothing_is_found_where_nothing_was_put_in() -> None:
    test = provocation(recording(size=0.0), EVENTS)
    assert test.responses == ()
    assert test.verdict == "No change found after ergonovine 20 ug; that does not exclude spasm"
    half = test.definition("covadis")
    assert half.verdict == "NOT_MET"
    assert "does not exclude spasm" in half.reason


@pytest.mark.parametrize("size", [0.0, 1.0])
def test_every_output_says_that_an_unchanged_ecg_excludes_nothing(size: float) -> None:
    test = provocation(recording(size=size), EVENTS)
    assert CAVEAT in str(test)
    told = json.loads(json.dumps(test.to_dict(), allow_nan=False))
    assert told["caveat"] == CAVEAT
    assert "Kosin" in told["caveat_source"]


def test_single_ecgs_tell_the_same_as_the_recording() -> None:
    every = [(float(at), cut(recording(), at, at + 10.0)) for at in range(0, 430, 30)]
    test = provocation(every, EVENTS)
    response = test.response
    assert response is not None
    assert response.leads == ("V1", "V2", "V3", "V4")
    assert response.extremum_uv == pytest.approx(360.0, abs=20.0)
    assert response.onset.not_before_s <= BEGINS <= response.onset.time_s
    assert response.relief.not_before_s <= GONE <= response.relief.time_s + 30.0
    assert "between" in test.verdict
    assert test.definition("covadis").verdict == "MET"


def test_a_gain_scales_the_change_and_leaves_the_times() -> None:
    ecg = recording()
    test = provocation(es.Ecg(signal_uv=1.5 * ecg.signal_uv, fs=FS, leads=ecg.leads), EVENTS)
    assert test.response is not None
    assert found().response is not None
    assert test.response.extremum_uv == pytest.approx(1.5 * found().response.extremum_uv, rel=0.03)
    assert test.response.onset.time_s == pytest.approx(found().response.onset.time_s, abs=8.0)


def test_cutting_off_the_beginning_moves_all_times_with_it() -> None:
    test = provocation(cut(recording(), 40.0, 440.0), [(at - 40.0, text) for at, text in EVENTS])
    assert test.response is not None
    assert found().response is not None
    for one, other in (
        (test.response.onset.time_s, found().response.onset.time_s),
        (test.response.relief.time_s, found().response.relief.time_s),
    ):
        assert one == pytest.approx(other - 40.0, abs=8.0)


def test_words_make_no_difference_between_a_drug_and_a_balloon() -> None:
    test = provocation(recording(), [(120.0, "balloon inflation"), (290.0, "balloon deflation")])
    assert test.response is not None
    assert found().response is not None
    assert test.response.onset.time_s == found().response.onset.time_s
    assert test.response.relief.time_s == found().response.relief.time_s


def test_a_change_that_began_before_its_mark() -> None:
    late = provocation(recording(), [(BEGINS + 12.0, "ergonovine"), (290.0, "nitroglycerin")])
    assert late.response is not None
    assert late.response.onset.state == "found"
    assert -15.0 <= late.response.onset.delay_s < 0.0
    assert "before the mark" in late.verdict
    too_late = provocation(
        recording(), [(BEGINS + 50.0, "ergonovine"), (290.0, "nitroglycerin")], baseline=cut(recording(), 0, 60)
    )
    assert too_late.response is not None
    assert too_late.response.onset.state == "before the event"
    assert np.isnan(too_late.response.onset.delay_s)
    assert too_late.definition("covadis").verdict == "UNDECIDED"
    assert "not new with the provocation" in too_late.definition("covadis").reason


def test_relief_that_was_not_seen_is_not_known_and_one_that_did_not_come_is_told() -> None:
    open_end = provocation(cut(recording(), 0.0, 310.0), EVENTS)
    assert open_end.response is not None
    assert open_end.response.relief.state == "not known"
    assert "the recording ends" in open_end.response.relief.reason
    assert open_end.definition("covadis").verdict == "UNDECIDED"
    ecgs = [(0.0, cut(recording(), 0, 10)), *((float(at), cut(recording(), 220, 230)) for at in (200, 400, 700))]
    stays = provocation(ecgs, [(60.0, "ergonovine"), (300.0, "nitroglycerin")])
    assert stays.response is not None
    assert stays.response.relief.state == "not relieved within the record"
    by_itself = provocation(recording(), [*EVENTS[:1], (420.0, "nitroglycerin")])
    assert by_itself.response is not None
    assert by_itself.response.relief.after is None
    assert "by itself" in by_itself.response.relief.reason


def test_a_dose_is_named_and_a_second_cycle_is_judged_by_itself() -> None:
    doses = [(60.0, "acetylcholine 20 ug"), (120.0, "acetylcholine 50 ug"), (290.0, "NTG"), (400.0, "acetylcholine into the RCA")]
    test = provocation(recording(), doses)
    assert [each.onset.after.text for each in test.responses if each.name == "ST"] == ["acetylcholine 50 ug"]
    assert len(test.phases) == 5


def test_two_leads_of_a_holter_are_enough_for_a_response_and_not_for_the_definitions() -> None:
    test = provocation(es.Recording.of(recording()).select(["V3", "aVF"]), EVENTS)
    assert test.response is not None
    assert test.response.leads == ("V3",)
    half = test.definition("covadis")
    assert half.verdict == "UNDECIDED"
    assert "not recorded" in half.reason


@pytest.fixture(scope="module")
def case() -> dict[str, es.Ecg]:
    return {name: es.read(CASE / f"{name}.hea") for name in ("baseline", "presentation", "ergonovine", "nitroglycerin")}


MARKS = [(60.0, "ergonovine"), (240.0, "intracoronary nitroglycerin")]


def test_index_case_meets_covadis_in_v1_to_v4_and_is_relieved(case: dict[str, es.Ecg]) -> None:
    test = provocation([(0, case["baseline"]), (180, case["ergonovine"]), (420, case["nitroglycerin"])], MARKS)
    half = test.definition("covadis")
    assert (half.verdict, half.leads, half.territory) == ("MET", ("V1", "V2", "V3", "V4"), "anteroseptal")
    assert test.response is not None
    assert test.response.relief.state == "relieved"
    assert test.response.relief.after is not None
    assert test.subject.age == 59
    assert test.phases[2].changed == {"ST": (), "T": (), "U": ()}


def test_t_inversion_alone_is_equivocal(case: dict[str, es.Ecg]) -> None:
    test = provocation([(0, case["baseline"]), (180, case["presentation"]), (420, case["nitroglycerin"])], MARKS)
    assert test.response is not None
    assert (test.response.what, test.response.leads) == ("T inversion", ("V1", "V2", "V3"))
    assert test.definition("covadis").verdict == "NOT_MET"
    assert "equivocal" in test.definition("covadis").reason
    assert "equivocal" in test.verdict


def test_new_negative_u_waves_without_any_st_shift_meet_covadis() -> None:
    ecgs = [
        es.simulate.ecg(fs=500, seed=seed, noise_uv=5.0, u_uv=u).ecg
        for seed, u in ((1, None), (2, {"V3": -60, "V4": -80}), (3, None))
    ]
    test = provocation(list(zip((0, 180, 420), ecgs, strict=True)), MARKS)
    assert test.definition("covadis").verdict == "MET"
    assert test.definition("covadis").shows == "new negative U waves"
    assert test.response is not None
    assert test.response.what == "negative U"


def table(st: float, **intervals: float) -> es.Measurements:
    leads = ("I", "II", "III", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    values = np.array([st if lead in ("V2", "V3") else 0.0 for lead in leads])
    names = {"st_j_uv": values, "st_j60_uv": values, "t_uv": values + 300.0, "u_uv": 0.0 * values}
    return es.Measurements.from_table(leads, names, **({"rate_bpm": 70.0, "qrs_ms": 90.0} | intervals))


def test_a_bundle_branch_block_leaves_the_definitions_open() -> None:
    for qrs_ms, expected in ((90.0, "MET"), (150.0, "UNDECIDED")):
        rows = [table(0.0), table(250.0, qrs_ms=qrs_ms), table(0.0)]
        test = provocation(list(zip((0, 180, 420), rows, strict=True)), MARKS)
        assert test.definition("covadis").verdict == expected
    assert "QRS" in test.definition("covadis").reason


def test_a_turn_of_the_heart_is_doubted() -> None:
    turned, usual = (
        es.simulate.ecg(fs=FS, seed=5, duration_s=440.0, noise_uv=8.0, **how).ecg.signal_uv
        for how in ({"rotation_deg": [0.0, 60.0, 0.0], "st_uv": {"V2": 150, "V3": 250, "V4": 200}}, {})
    )
    time = np.arange(usual.shape[1]) / FS
    signal = np.where((time > 200.0) & (time < 320.0), turned, usual)
    test = provocation(es.Ecg(signal_uv=signal, fs=FS, leads=recording().leads), EVENTS)
    assert "but it looks like posture/axis step" in test.verdict
    assert test.definition("covadis").verdict == "UNDECIDED"
    assert "but it looks like posture/axis step" in test.definition("covadis").reason
    assert any("posture/axis step" in note for note in test.notes)


def test_st_depression_meets_covadis_too() -> None:
    test = provocation([(0, table(0.0)), (180, table(-150.0)), (420, table(0.0))], MARKS)
    assert test.definition("covadis").shows == "ST depression"
    assert test.definition("covadis").verdict == "MET"
