"""What a provocation test makes of its input: kinds of events, and everything that can be wrong with them and with the ECGs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.provoking import classify, provocation
from ecgspasm.provoking.averages import of_beats
from ecgspasm.provoking.events import ProvocationEvent

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"
ECGS = {name: es.read(CASE / f"{name}.hea") for name in ("baseline", "ergonovine", "nitroglycerin")}
LIST: list[tuple[Any, Any]] = list(zip((0, 180, 420), ECGS.values(), strict=True))
EVENTS: list[tuple[Any, ...]] = [(60, "ergonovine"), (240, "nitroglycerin")]
DAY = datetime(2020, 1, 1, 10)


def only(ecg: es.Ecg, *leads: str) -> es.Ecg:
    return es.Ecg(signal_uv=np.stack([ecg[lead] for lead in leads]), fs=ecg.fs, leads=leads)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ergometrine 40 ug", "provoking"),
        ("ACh 100 ug LCA", "provoking"),
        ("hyperventilation", "provoking"),
        ("end of hyperventilation", "other"),  # the attack comes after it
        ("cold pressor test", "provoking"),
        ("cold pressor off", "relieving"),
        ("sorafenib re-challenge", "provoking"),
        ("balloon inflation", "provoking"),
        ("balloon deflation", "relieving"),
        ("STOP", "relieving"),
        ("isosorbide dinitrate 2 mg", "relieving"),
        ("GTN spray", "relieving"),
        ("nitroglycerin stopped", "other"),
        ("contrast injection", "other"),
        ("end of recording", "other"),
        ("each", "other"),  # no "ach" within a word
    ],
)
def test_words_tell_the_kind(text: str, kind: str) -> None:
    assert classify(text)[0] == kind


def test_a_kind_that_is_given_wins_and_what_is_not_known_is_told() -> None:
    test = provocation(LIST, [(60, "sorafenib", "provoking"), (70, "chest pain"), (240, "nitroglycerin")])
    assert test.definition("covadis").verdict == "MET"
    assert any("'chest pain' counts as 'other'" in note for note in test.notes)
    assert [phase.name for phase in test.phases] == ["baseline", "sorafenib", "chest pain", "nitroglycerin"]


@pytest.mark.parametrize(
    ("ecgs", "events", "said"),
    [
        (LIST, [(-5, "ergonovine")], r"'ergonovine' at -5 s lies before the beginning at 0 s; give its time"),
        (LIST, [(240, "nitroglycerin")], r"no event provokes .*'nitroglycerin'"),
        (LIST, [], "no event provokes"),
        (LIST, [(60, "sorafenib")], r"name an agent, or say it"),
        (LIST, [(60, "ergonovine, then nitroglycerin")], "names ergonovine and nitrate"),
        (LIST, [(60,)], r"give \(time, text\)"),
        (LIST, "ergonovine", "give a list"),
        (LIST, [(60, "x", "odd")], "one of provoking, relieving, other"),
        (LIST, [(float("nan"), "ergonovine")], "finite"),
        (LIST, [("soon", "ergonovine")], "'soon'; give seconds"),
        (LIST, [(60, " ")], "a few words"),
        (LIST, [(DAY, "ergonovine")], "has a date but the beginning has none"),
        ([], EVENTS, "list of ECGs is empty"),
        ([ECGS["baseline"]], EVENTS, r"give \(time, ecg\)"),
        ([(0, "baseline.hea")], EVENTS, "is a str; give an Ecg"),
        ("recording.hea", EVENTS, "give a Recording"),
        ([(0, ECGS["baseline"]), (DAY, ECGS["ergonovine"])], EVENTS, "some ECGs have dates"),
        ([(DAY, ECGS["baseline"])], EVENTS, "give datetimes for both"),
        ([(DAY, ECGS["baseline"])], [(DAY.replace(tzinfo=UTC), "ergonovine")], "time zone"),
        (LIST[1:], [(180, "saline"), (179.9, "ergonovine")], "before the beginning"),
        (ECGS["baseline"], [(5, "ergonovine")], r"no baseline: only 5 s lie before .* give baseline="),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(ecgs: Any, events: Any, said: str) -> None:
    with pytest.raises(es.EcgError, match=said) as caught:
        provocation(ecgs, events)
    assert "\n" not in str(caught.value)


def test_no_ecg_before_the_provocation_needs_a_baseline() -> None:
    later = [(at + 1.0, ecg) for at, ecg in LIST[1:]]
    with pytest.raises(es.EcgError, match="before the beginning"):
        provocation(later, EVENTS)
    given = provocation(later, [(181.0, "ergonovine"), (240, "nitroglycerin")], baseline=ECGS["baseline"])
    # The ECG at the very time of the event is one from before it: what it shows is no response.
    assert given.response is None
    assert given.verdict.startswith("CHANGED BEFORE the provocation (ST in V1-V5")
    with pytest.raises(es.EcgError, match="the baseline is a str"):
        provocation(LIST, EVENTS, baseline="x")  # type: ignore[arg-type]


def test_order_and_repetition_are_mended_and_told() -> None:
    usual = provocation(LIST, EVENTS)
    test = provocation(LIST[::-1], [*EVENTS[::-1], EVENTS[0]])
    assert test.verdict == usual.verdict
    told = " ".join(test.notes)
    assert "clock jump" in told
    assert "the events were not in the order of time" in told
    assert "was given twice" in told
    first = provocation(LIST, [(10, "nitroglycerin"), *EVENTS])
    assert any("came before any provocation" in note for note in first.notes)
    assert first.definition("covadis").verdict == "MET"


def test_a_clock_jump_and_equal_times_are_told_and_lose_nothing() -> None:
    test = provocation([*LIST[:2], (180, ECGS["ergonovine"]), (3 * 86400, ECGS["nitroglycerin"])], EVENTS)
    told = " ".join(test.notes)
    assert "two ECGs at 180 s" in told
    assert "72.0 h between" in told
    assert test.definition("covadis").verdict == "MET"


def test_dates_do_as_well_as_seconds() -> None:
    ecgs = [(DAY + timedelta(seconds=at), ecg) for at, ecg in LIST]
    test = provocation(ecgs, [(DAY + timedelta(seconds=at), text) for at, text in EVENTS])
    assert test.verdict == provocation(LIST, EVENTS).verdict


def test_other_leads_and_sampling_rates_are_judged_as_far_as_they_go() -> None:
    test = provocation([LIST[0], (180, only(ECGS["ergonovine"], "V1", "V2", "V3")), LIST[2]], EVENTS)
    assert test.definition("covadis").leads == ("V1", "V2", "V3")
    assert any("the ECG at 180 s lacks I, II" in note for note in test.notes)
    assert "not recorded" in test.phases[1].state[0]
    fewer = provocation([(0, only(ECGS["baseline"], "V2", "V3")), *LIST[1:]], EVENTS)
    assert fewer.leads == ("V2", "V3")
    assert any("not in the baseline, so not judged: I" in note for note in fewer.notes)
    half = es.Ecg(signal_uv=ECGS["ergonovine"].signal_uv[:, ::2], fs=250, leads=ECGS["ergonovine"].leads)
    assert provocation([LIST[0], (180, half), LIST[2]], EVENTS).definition("covadis").verdict == "MET"
    none = provocation([LIST[0], (180, only(ECGS["ergonovine"], "V1")), LIST[2]], EVENTS, baseline=only(ECGS["baseline"], "V6"))
    assert any("at 180 s is left out" in note for note in none.notes)


def test_a_failing_ecg_costs_its_own_point_only() -> None:
    leads = ECGS["baseline"].leads
    flat = es.Ecg(signal_uv=np.zeros((12, 5000)), fs=500, leads=leads)
    short = es.Ecg(signal_uv=np.zeros((12, 300)), fs=500, leads=leads)
    swapped = ECGS["nitroglycerin"].signal_uv.copy()
    v1, v6 = leads.index("V1"), leads.index("V6")
    swapped[[v1, v6]] = swapped[[v6, v1]]
    wrong = es.Ecg(signal_uv=swapped, fs=500, leads=leads)
    test = provocation([LIST[0], (100, wrong), (120, flat), (150, short), *LIST[1:]], EVENTS)
    assert test.definition("covadis").leads == ("V1", "V2", "V3", "V4")
    told = " ".join(test.notes)
    for part in (
        "at 100 s is left out: the beats fit",
        "at 120 s is left out: current: flat line",
        "at 150 s is left out: the recording",
    ):
        assert part in told
    nothing = provocation([LIST[0], (120, flat)], EVENTS[:1])
    assert nothing.verdict.startswith("NOT MEASURED: current: flat line")
    assert nothing.definition("covadis").verdict == "UNDECIDED"
    no_baseline = provocation([(0, flat), *LIST[1:]], EVENTS)
    assert no_baseline.verdict.startswith("NOT MEASURED: baseline: flat line")


def test_events_after_the_end_leave_a_reason() -> None:
    test = provocation(LIST, [*EVENTS, (9000, "nitroglycerin")])
    assert any("lies after the end" in note for note in test.notes)
    assert test.phases[-1].reason == "no ECG in this phase"
    assert test.definition("covadis").verdict == "MET"
    never = provocation(LIST, [(900, "ergonovine")])
    assert never.verdict.startswith("NOT MEASURED: no ECG after the first event")


def test_a_recording_with_a_gap_and_a_dead_lead_and_a_baseline_of_another_kind() -> None:
    made = es.simulate.ecg(fs=250, seed=5, duration_s=200.0, noise_uv=8.0).ecg
    signal = made.signal_uv.copy()
    signal[:, 80 * 250 : 130 * 250] = np.nan
    signal[made.index("V1")] = np.nan
    ecg = es.Ecg(signal_uv=signal, fs=250, leads=made.leads)
    marks = [(70.0, "ergonovine"), (90.0, "nitroglycerin"), (120.0, "nitroglycerin")]
    test = provocation(ecg, marks)
    assert test.phases[2].reason
    assert test.phases[0].state[made.index("V1")].startswith("not_measurable")
    assert test.response is None
    # a baseline with other leads and another sampling rate
    before = only(es.simulate.ecg(fs=500, seed=5, duration_s=10.0, noise_uv=8.0).ecg, "V2", "V3", "V4")
    given = provocation(ecg, [(5.0, "ergonovine")], baseline=before)
    assert given.phases[1].changes["st_j60_uv"].extremum.difference[made.index("V3")] == pytest.approx(0.0, abs=25.0)
    assert given.phases[1].state[made.index("I")] == "not_measurable: not measured in the baseline"
    assert any("not in the baseline, so not judged: I" in note for note in given.notes)
    with pytest.raises(es.EcgError, match="no lead in common"):
        provocation(es.Recording.of(ecg).select(["I"]), [(5.0, "ergonovine")], baseline=before)


def test_a_table_of_beats_must_hold_what_is_needed() -> None:
    first = ProvocationEvent(60.0, "balloon inflation", "provoking")
    with pytest.raises(es.EcgError, match=r"give \(lead, beat\)"):
        of_beats([0.0, 1.0], ("V2",), {"st_j60_uv": [[1.0]]}, first)
    with pytest.raises(es.EcgError, match="increasing times"):
        of_beats([1.0, 0.0], ("V2",), {"st_j60_uv": [[1.0, 2.0]]}, first)
    with pytest.raises(es.EcgError, match="has no st_j60_uv"):
        provocation([(0, es.Measurements.from_table(["V2"], {"t_uv": [300.0]}))], EVENTS)
