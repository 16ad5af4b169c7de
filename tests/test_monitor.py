"""Continuous recordings whose truth is known: what was put in is found, what was not is not, however the blocks come."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.continuous.definitions import DEFAULT, definitions
from ecgspasm.continuous.episode import ARTEFACT, CONDUCTION, ISCHEMIC, RATE, STEP, Episode
from ecgspasm.continuous.monitor import Monitor, monitor
from ecgspasm.continuous.monitoring import COLUMNS, Monitoring
from ecgspasm.ecg import Floats

FS = 250
ANTERIOR = {"V1": 180.0, "V2": 300.0, "V3": 300.0, "V4": 220.0}
RAMP = [(300.0, 0.0), (360.0, 1.0), (480.0, 1.0), (540.0, 0.0)]
"""The change begins at 300 s, is whole from 360 to 480 s, and gone at 540 s."""


@cache
def made(minutes: float = 15.0, rate_bpm: float = 70.0, **amounts: tuple[tuple[str, float], ...]) -> es.simulate.Simulated:
    given = {name: dict(rows) for name, rows in amounts.items()}
    return es.simulate.ecg(fs=FS, seed=5, duration_s=60 * minutes, rate_bpm=rate_bpm, noise_uv=8.0, **given)


def quiet(minutes: float = 15.0) -> es.Ecg:
    return made(minutes).ecg


def changed(**amounts: tuple[tuple[str, float], ...]) -> es.Ecg:
    return made(**amounts).ecg


def true_change(lead: str, **amounts: tuple[tuple[str, float], ...]) -> float:
    """Of ST at J+80, by the truth of the simulation."""
    return made(**amounts).truth.get("st_j80_uv", lead) - made().truth.get("st_j80_uv", lead)


@cache
def attack() -> es.Ecg:
    return es.simulate.transient(quiet(), changed(st_uv=tuple(ANTERIOR.items())), RAMP)


@cache
def followed() -> Monitoring:
    return monitor(attack())


def of(found: Monitoring, measure: str = "ST") -> list[Episode]:
    return [each for each in found.episodes if each.measure == measure]


# --- truth -----------------------------------------------------------------------------------------------------------------


def test_nothing_is_found_where_nothing_happens() -> None:
    found = monitor(quiet())
    assert found.episodes == ()
    assert "does not exclude" in found.verdict
    assert found.measured_s == pytest.approx(900, abs=10)


def test_an_attack_is_found_where_when_and_as_large_as_it_was_put_in() -> None:
    (episode,) = of(followed())
    assert set(ANTERIOR) <= set(episode.leads)
    assert episode.territory in ("anteroseptal", "anterior", "extensive anterior")
    assert episode.kind == ISCHEMIC
    for lead in ANTERIOR:
        own = episode.by_lead[lead]
        # 50 uV is passed at this moment of the ramp; averages over 16 s and rows of 4 s blur it
        change = true_change(lead, st_uv=tuple(ANTERIOR.items()))
        assert own.onset_s == pytest.approx(300 + 60 * 50 / change, abs=12)
        assert own.end_s == pytest.approx(540 - 60 * 50 / change, abs=12)
        assert own.extremum_uv == pytest.approx(change, abs=30)
        assert 345 <= own.extremum_s <= 495
    assert episode.area_uv_s == pytest.approx(abs(episode.extremum_uv) * 180, rel=0.15)
    assert episode.rate_onset_bpm == pytest.approx(70, abs=2)
    assert not episode.open_start
    assert not episode.open_end


def test_an_attack_meets_the_definitions_that_it_meets() -> None:
    (episode,) = of(followed())
    assert set(episode.also) >= {"long-term-a", "long-term-b", "long-term-c", "covadis-st-elevation"}
    assert "covadis-st-depression" not in episode.also
    (transient,) = followed().by_definition("covadis-st-elevation")
    assert {"V2", "V3"} <= set(transient.leads)
    with pytest.raises(es.EcgError, match="no definition 'mine' of an episode; give some of european-st"):
        followed().by_definition("mine")


def test_what_does_not_go_away_is_not_transient() -> None:
    stays = es.simulate.transient(quiet(), changed(st_uv=tuple(ANTERIOR.items())), RAMP[:2])
    baseline = es.Ecg(signal_uv=quiet().signal_uv[:, : 10 * FS], fs=FS, leads=quiet().leads)
    found = monitor(stays, baseline)
    (episode,) = of(found)
    assert episode.open_end
    assert found.by_definition("covadis-st-elevation") == ()


def test_turned_t_waves_are_a_t_episode() -> None:
    flipped = changed(t_uv=(("V1", -150.0), ("V2", -280.0), ("V3", -220.0)))
    found = monitor(es.simulate.transient(quiet(), flipped, RAMP))
    (episode,) = of(found, "T")
    assert {"V2", "V3"} <= set(episode.leads)
    assert episode.extremum_uv < -400
    shape = found.trend.get("t_uv")[found.leads.index("V2")]
    during = (found.trend.time_s > 370) & (found.trend.time_s < 470)
    assert np.median(shape[during]) == pytest.approx(-280, abs=40)


@pytest.mark.parametrize("step_uv", [-260.0, -60.0, 60.0, 160.0])
def test_limits_are_kept(step_uv: float) -> None:
    now = made().truth.get("st_j60_uv", "V3")
    found = monitor(es.simulate.transient(quiet(), changed(st_uv=(("V3", now + step_uv),)), RAMP))
    change = true_change("V3", st_uv=(("V3", now + step_uv),))
    assert not 75 < abs(change) < 120  # else the case itself is not clear
    assert bool(of(found)) == (abs(change) >= 100)
    assert all(each.extremum_uv == pytest.approx(change, abs=25) for each in of(found))


@pytest.mark.parametrize("plateau_s", [5.0, 10.0, 15.0])
def test_a_brief_spike_is_no_episode(plateau_s: float) -> None:
    """However high: what the published definitions ask for lasts half a minute."""
    high = changed(st_uv=tuple((lead, 2 * amount) for lead, amount in ANTERIOR.items()))
    knots = [(300, 0), (300.5, 1), (300.5 + plateau_s, 1), (301 + plateau_s, 0)]
    assert monitor(es.simulate.transient(quiet(), high, knots)).episodes == ()


def test_a_long_attack_is_not_taken_for_the_usual_level() -> None:
    """Fifty minutes within four hours, more than half of the span around."""
    signal = [quiet().signal_uv[6:9]] * 16
    high = changed(st_uv=tuple(ANTERIOR.items())).signal_uv[6:9]
    signal[8] = es.simulate.transient(quiet(), changed(st_uv=tuple(ANTERIOR.items())), [(300, 0), (360, 1)]).signal_uv[6:9]
    signal[9:12] = [high] * 3
    found = monitor(es.Ecg(signal_uv=np.concatenate(signal, axis=1), fs=FS, leads=["V1", "V2", "V3"]))
    (episode,) = of(found)
    assert episode.extremum_uv > 200
    assert episode.onset_s == pytest.approx(8 * 900 + 310, abs=20)
    assert episode.end_s == pytest.approx(12 * 900, abs=20)


def test_one_noisy_lead_is_no_ischemia() -> None:
    signal = quiet().signal_uv.copy()
    row, part = quiet().index("V2"), slice(300 * FS, 400 * FS)
    rng = np.random.default_rng(1)
    signal[row, part] += np.cumsum(rng.normal(0, 60, 100 * FS)) * 0.5 + rng.normal(0, 400, 100 * FS)
    found = monitor(es.Ecg(signal_uv=signal, fs=FS, leads=quiet().leads))
    assert not [each for each in found.ischemic if "V2" in each.leads]


# --- kinds -----------------------------------------------------------------------------------------------------------------


def test_another_posture_is_a_step() -> None:
    turned = es.simulate.ecg(
        fs=FS, seed=5, duration_s=900, rate_bpm=70.0, noise_uv=8.0, rotation_deg=[0, 35, 15], st_uv=ANTERIOR
    ).ecg
    found = monitor(es.simulate.transient(quiet(), turned, [(400, 0), (401, 1), (640, 1), (641, 0)]))
    (episode,) = of(found)
    assert episode.kind == STEP
    assert any("at the same time" in text for text in episode.evidence)


def test_a_faster_rate_with_little_depression_is_rate_related() -> None:
    slow = quiet(6.0)
    low = es.simulate.ecg(fs=FS, seed=6, duration_s=240, rate_bpm=118.0, noise_uv=8.0, st_uv={"V5": -210.0, "V6": -210.0}).ecg
    joined = np.concatenate([slow.signal_uv, low.signal_uv, slow.signal_uv], axis=1)
    found = monitor(es.Ecg(signal_uv=joined, fs=FS, leads=slow.leads))
    kinds = {each.kind for each in of(found) if "V5" in each.leads}
    assert kinds == {RATE}


def test_a_wide_qrs_complex_is_a_change_of_conduction() -> None:
    """A complex made slower is wider; what it does to ST is no ischemia."""
    signal = quiet().signal_uv.copy()
    smooth = np.hanning(round(0.08 * FS))
    wide = np.apply_along_axis(lambda row: np.convolve(row, smooth / smooth.sum(), "same"), 1, signal)
    wide += 0.35 * np.roll(wide, round(0.05 * FS), axis=1)
    made = es.simulate.transient(
        quiet(), es.Ecg(signal_uv=wide, fs=FS, leads=quiet().leads), [(400, 0), (401, 1), (600, 1), (601, 0)]
    )
    found = monitor(made)
    assert of(found)
    assert {each.kind for each in of(found)} <= {CONDUCTION, STEP, ARTEFACT}
    assert CONDUCTION in {each.kind for each in of(found)}


# --- relations -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block_s", [7.3, 60.0, 300.0, 600.0, 3600.0])
def test_the_length_of_the_blocks_does_not_matter(block_s: float) -> None:
    found = monitor(attack(), block_s=block_s)
    assert found.to_frame().equals(followed().to_frame())
    for name in found.trend.names:
        assert np.array_equal(found.trend.get(name), followed().trend.get(name), equal_nan=True)


def test_a_turned_lead_turns_the_sign() -> None:
    row = attack().index("V2")
    signal = attack().signal_uv.copy()
    signal[row] *= -1
    found = monitor(es.Ecg(signal_uv=signal, fs=FS, leads=attack().leads))
    here, there = (each.trend.get("st_j80_uv")[row] for each in (found, followed()))
    assert np.nanmedian(np.abs(here + there)) < 5


def test_offset_and_lead_order_do_not_matter() -> None:
    order = list(attack().leads)[::-1]
    moved = np.stack([attack()[lead] + 700.0 for lead in order])
    found = monitor(es.Ecg(signal_uv=moved, fs=FS, leads=order))
    (one,), (other,) = of(found), of(followed())
    assert set(one.leads) == set(other.leads)
    assert one.extremum_uv == pytest.approx(other.extremum_uv, abs=3)
    assert one.onset_s == pytest.approx(other.onset_s, abs=4)


def test_another_sampling_rate_finds_the_same() -> None:
    amounts = {"fs": 500, "seed": 5, "duration_s": 900, "rate_bpm": 70.0, "noise_uv": 8.0}
    fine = es.simulate.transient(es.simulate.ecg(**amounts).ecg, es.simulate.ecg(**amounts, st_uv=ANTERIOR).ecg, RAMP)
    (one,), (other,) = of(monitor(fine)), of(followed())
    assert one.extremum_uv == pytest.approx(other.extremum_uv, abs=15)
    assert one.onset_s == pytest.approx(other.onset_s, abs=8)


def test_its_own_beginning_as_baseline_changes_little() -> None:
    baseline = es.Ecg(signal_uv=quiet().signal_uv[:, : 10 * FS], fs=FS, leads=quiet().leads)
    found = monitor(attack(), baseline)
    assert set(found.reference.values()) == {"baseline"}
    (one,), (other,) = of(found), of(followed())
    assert one.extremum_uv == pytest.approx(other.extremum_uv, abs=15)
    still = found.trend.time_s < 280
    assert np.nanmedian(np.abs(found.deviation_uv("st_j80_uv")[:, still])) < 10


# --- feed ------------------------------------------------------------------------------------------------------------------


def test_a_feed_finds_what_the_file_has_and_tells_it_in_time() -> None:
    live = Monitor(FS, attack().leads)
    told = []
    for at in range(0, attack().signal_uv.shape[1], 500):
        for event in live.push(attack().signal_uv[:, at : at + 500]):
            told.append(((at + 500) / FS, event))
    found = live.finish()
    assert found.to_frame().equals(followed().to_frame())
    onset = next((when, event) for when, event in told if event.kind == "onset" and event.episode.measure == "ST")
    # 100 uV are passed a third into the ramp of a minute; after half a minute of them the onset can be decided
    decidable = 300 + 60 * 100 / 300 + 30
    assert onset[0] <= decidable + 60
    assert [event.kind for _, event in told if event.episode and event.episode.measure == "ST"] == ["onset", "end"]


def test_a_feed_needs_no_more_memory_the_longer_it_goes() -> None:
    live = Monitor(FS, ["V2", "V3"], keep_s=4 * 3600)
    block = np.stack([quiet()["V2"], quiet()["V3"]])
    for _ in range(4 * 8):
        live.push(block)
    rows = len(live._builder.trend(-np.inf).time_s)
    live._keep_s = -86400.0 + 3600.0  # as if the day that it may keep were long over
    live._dropped_s = 4 * 3600.0 - 86400.0
    live.push(block)
    assert len(live._builder.trend(-np.inf).time_s) < rows
    assert live.finish().measured_s == pytest.approx(33 * 900, rel=0.01)


def test_a_bad_line_does_not_fill_the_memory() -> None:
    live = Monitor(FS, ["V2"])
    for at in range(0, 3000 * 50, 50):
        live.push(quiet()["V2"][None, at : at + 49], start=at)
    assert len(live._stream.notes) < 10


def told_of(signal: Floats, size: int, **more: object) -> list[tuple[str, str]]:
    live = Monitor(FS, attack().leads, **more)  # type: ignore[arg-type]
    events = [event for at in range(0, signal.shape[1], size) for event in live.push(signal[:, at : at + size])]
    return [(event.kind, event.episode.measure) for event in events if event.episode]


def test_one_block_of_hours_tells_what_many_tell() -> None:
    hours = np.concatenate([attack().signal_uv, *[quiet().signal_uv] * 17], axis=1)
    assert told_of(hours, hours.shape[1]) == [("onset", "ST"), ("end", "ST")]


def test_an_attack_that_the_leads_do_not_outlast_is_told_to_end() -> None:
    signal = attack().signal_uv.copy()
    signal[:, 400 * FS :] = np.nan
    assert told_of(signal, 2500) == [("onset", "ST"), ("end", "ST")]


def test_a_dip_is_no_end() -> None:
    knots = [(300.0, 0.0), (320.0, 1.0), (420.0, 1.0), (424.0, 0.0), (436.0, 0.0), (440.0, 1.0), (560.0, 1.0), (580.0, 0.0)]
    signal = es.simulate.transient(quiet(), changed(st_uv=tuple(ANTERIOR.items())), knots).signal_uv
    assert told_of(signal, 500) == [("onset", "ST"), ("end", "ST")]


def test_each_definition_tells_its_own_episodes() -> None:
    told = told_of(attack().signal_uv, 2500, definitions=["long-term-a", "long-term-c", "long-term-a"])
    assert told.count(("onset", "ST")) == told.count(("end", "ST")) == 2


def test_gaps_and_late_blocks_are_filled_or_told() -> None:
    signal = attack().signal_uv
    live = Monitor(FS, attack().leads)
    told = list(live.push(signal[:, : 100 * FS]))
    told += live.push(signal[:, 103 * FS : 200 * FS], start=103 * FS)  # 3 s are missing
    told += live.push(signal[:, 100 * FS : 103 * FS], start=100 * FS)  # and come too late
    told += live.push(signal[:, 190 * FS : 250 * FS], start=190 * FS)  # 10 s come twice
    told += live.push(signal[:, 250 * FS :], start=250 * FS)
    found = live.finish()
    kinds = [event.kind for event in told]
    assert kinds.count("gap") == 1
    assert kinds.count("late") == 2
    assert [each.reason for each in found.interruptions if not each.leads]
    (one,), (other,) = of(found), of(followed())
    assert one.extremum_uv == pytest.approx(other.extremum_uv, abs=5)


def test_a_late_block_that_is_in_time_leaves_no_gap() -> None:
    signal = attack().signal_uv
    live = Monitor(FS, attack().leads)
    live.push(signal[:, : 100 * FS])
    live.push(signal[:, 101 * FS : 102 * FS], start=101 * FS)
    live.push(signal[:, 100 * FS : 101 * FS], start=100 * FS)
    live.push(signal[:, 102 * FS :], start=102 * FS)
    assert live.finish().to_frame().equals(followed().to_frame())


def test_a_lead_that_goes_off_midway_is_told_and_the_rest_goes_on() -> None:
    signal = attack().signal_uv.copy()
    row = attack().index("V3")
    signal[row, 350 * FS :] = np.nan
    signal[attack().index("II"), 600 * FS : 700 * FS] = 0.0
    live = Monitor(FS, attack().leads)
    told = [event for at in range(0, signal.shape[1], 2500) for event in live.push(signal[:, at : at + 2500])]
    found = live.finish()
    assert {event.leads for event in told if event.kind == "lead off"} >= {("V3",), ("II",)}
    assert ("II",) in {event.leads for event in told if event.kind == "lead on"}
    assert "V2" in {lead for each in of(found) for lead in each.leads}
    assert any("V3" in each.leads for each in found.interruptions)
    assert np.isnan(found.trend.get("st_j80_uv")[row, found.trend.time_s > 400]).all()


# --- bad input -------------------------------------------------------------------------------------------------------------


def test_bad_blocks_are_refused_and_nothing_is_lost() -> None:
    live = Monitor(FS, attack().leads)
    signal = attack().signal_uv
    live.push(signal[:, : 450 * FS])
    for block, start, words in (
        (signal[:3, :10], None, "12 leads"),
        (np.full((12, 10), np.inf), None, "infinite"),
        (signal[:, :10], -5, "begins at 0"),
        (signal[:, :10], 10**12, "mend the clock"),
        (signal[:, :10], 2.5, "number of its first sample"),
        ([["a"]], None, "no array of numbers"),
        ([[1.0, 2.0], [1.0]], None, "no array of numbers"),
        (np.full((12, 10), 1e300), None, "absurd"),
    ):
        with pytest.raises(es.EcgError, match=words):
            live.push(block, start=start)
    live.push(signal[:, 450 * FS :])
    assert live.finish().to_frame().equals(followed().to_frame())
    with pytest.raises(es.EcgError, match="has finished"):
        live.push(signal[:, :10])


def test_a_baseline_with_other_leads_counts_where_it_can() -> None:
    other = es.simulate.ecg(fs=1000, seed=9, leads=["I", "II", "V2"]).ecg
    found = monitor(attack(), other)
    assert found.reference["V2"] == "baseline"
    assert found.reference["V3"] == "own quiet stretch"
    assert any("V3 is not in the baseline" in note for note in found.notes)
    with pytest.raises(es.EcgError, match="no lead in common"):
        monitor(es.Ecg(signal_uv=attack().signal_uv[-2:], fs=FS, leads=["V5", "V6"]), other)


def test_a_baseline_that_cannot_be_measured_is_told() -> None:
    flat = es.Ecg(signal_uv=np.zeros((1, 2500)), fs=250, leads=["V2"])
    found = monitor(attack(), flat)
    assert found.reference["V2"] == "own quiet stretch"
    assert any(note.startswith("V2 of the baseline: flat line") for note in found.notes)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fs": 20, "leads": ["V2"]}, "between 50 and 10000"),
        ({"fs": 250, "leads": []}, "give 1 to 15"),
        ({"fs": "fast", "leads": ["V2"]}, "between 50 and 10000"),
        ({"fs": 250, "leads": "V2"}, "give a list of lead names"),
        ({"fs": 250, "leads": None}, "give a list of lead names"),
        ({"fs": 250, "leads": ["V2"], "average_s": "x"}, "give 8 to 60 s"),
        ({"fs": 250, "leads": ["V2"], "keep_s": float("nan")}, "s or more"),
        ({"fs": 250, "leads": ["V2"], "definitions": None}, "give some of european-st"),
        ({"fs": 250, "leads": ["V2"], "subject": "me"}, "give ecgspasm.Subject"),
        ({"fs": 250, "leads": ["V2", "v2"]}, "none twice"),
        ({"fs": 250, "leads": ["V2"], "average_s": 4}, "give 8 to 60 s"),
        ({"fs": 250, "leads": ["V2"], "definitions": ["x"]}, "no definition 'x'"),
        ({"fs": 250, "leads": ["V2"], "baseline": "x"}, "give an Ecg or a Recording"),
    ],
)
def test_bad_settings_are_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(es.EcgError, match=words):
        Monitor(**given)  # type: ignore[arg-type]


def test_noise_flat_lines_and_nothing_give_no_episode() -> None:
    noise = np.random.default_rng(2).normal(0, 300, (2, 300 * FS))
    for signal in (noise, np.zeros_like(noise), np.full_like(noise, np.nan)):
        found = monitor(es.Ecg(signal_uv=signal, fs=FS, leads=["V2", "V3"]))
        assert found.episodes == ()
        assert found.verdict.startswith("NOT MEASURED")
        assert found.to_dict()["measured_s"] == 0


# --- contract --------------------------------------------------------------------------------------------------------------


def test_frame_has_the_promised_columns_first() -> None:
    frame = followed().to_frame()
    assert list(frame.columns[:7]) == ["kind", "measure", "leads", "onset_s", "extremum_s", "end_s", "extremum_uv"]
    assert list(monitor(quiet(1.0)).to_frame().columns) == list(COLUMNS)
    assert len(frame) == len(followed().episodes)


def test_definitions_are_published_ones_with_their_source() -> None:
    assert set(DEFAULT) <= set(definitions())
    assert all(len(rule.source) > 20 for rule in definitions().values())
    assert definitions()["long-term-a"].peak_uv == 75
    assert definitions()["long-term-c"].peak_s == 60


def test_json_holds_no_nan() -> None:
    import json

    text = json.dumps(followed().to_dict(), allow_nan=False)
    assert "research only" in text
