"""What must hold of continuous recordings: no result depends on how the samples arrive."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import ecgspasm as es
from ecgspasm.continuous.monitoring import Monitoring
from tests.trust.people import examples

FS = 250
MINUTES = 6.0
RAMP = [(60.0, 0.0), (90.0, 1.0), (200.0, 1.0), (230.0, 0.0)]
LEADS = ("II", "V2", "V3", "V5")


@cache
def attack(seed: int) -> es.Ecg:
    """Six minutes with an elevation of ST in V2 and V3."""
    options = {"fs": FS, "seed": seed, "duration_s": 60 * MINUTES, "noise_uv": 8.0, "leads": LEADS}
    raised = es.simulate.ecg(**options, st_uv={"V2": 300.0, "V3": 300.0}).ecg
    return es.simulate.transient(es.simulate.ecg(**options).ecg, raised, RAMP)


@cache
def followed(seed: int) -> Monitoring:
    return es.monitor(attack(seed))


def told(found: Monitoring) -> list[tuple[object, ...]]:
    return [
        (each.kind, each.measure, each.leads, each.onset_s, each.end_s, each.extremum_uv, each.extremum_s)
        for each in found.episodes
    ]


people = st.sampled_from([1, 2, 3])


@examples(6)
@given(people, st.lists(st.integers(1, 20_000), min_size=1, max_size=12))
def test_block_lengths_change_nothing(seed: int, lengths: list[int]) -> None:
    ecg = attack(seed)
    feed = es.Monitor(FS, ecg.leads)
    at = turn = 0
    while at < ecg.signal_uv.shape[1]:
        step = lengths[turn % len(lengths)] + 500
        feed.push(ecg.signal_uv[:, at : at + step])
        at, turn = at + step, turn + 1
    found = feed.finish()
    assert told(found) == told(followed(seed))
    assert np.array_equal(found.trend.steps, followed(seed).trend.steps)
    assert np.array_equal(found.trend.se_uv, followed(seed).trend.se_uv, equal_nan=True)


@examples(4)
@given(people, st.permutations(range(len(LEADS))))
def test_lead_order_changes_no_episode(seed: int, order: list[int]) -> None:
    ecg = attack(seed)
    mixed = replace(ecg, signal_uv=ecg.signal_uv[order], leads=tuple(ecg.leads[row] for row in order))
    for one, other in zip(told(es.monitor(mixed)), told(followed(seed)), strict=True):
        assert one[:2] == other[:2]
        assert set(one[2]) == set(other[2])  # type: ignore[call-overload]
        assert one[3:5] == other[3:5]


@examples(4)
@given(people, st.floats(-4000.0, 4000.0))
def test_a_constant_voltage_changes_no_episode(seed: int, offset_uv: float) -> None:
    ecg = attack(seed)
    found = told(es.monitor(replace(ecg, signal_uv=ecg.signal_uv + offset_uv)))
    for one, other in zip(found, told(followed(seed)), strict=True):
        assert one[:5] == other[:5]
        assert np.allclose(one[5:], other[5:], atol=0.1)  # type: ignore[arg-type]


@examples(4)
@given(people, st.integers(4, 40))
def test_what_comes_later_is_found_later(seed: int, seconds: int) -> None:
    ecg = attack(seed)
    found = es.monitor(replace(ecg, signal_uv=ecg.signal_uv[:, seconds * FS :]))
    ours = [each for each in found.ischemic if each.measure == "ST"]
    before = [each for each in followed(seed).ischemic if each.measure == "ST"]
    assert len(ours) == len(before) == 1
    assert abs(ours[0].onset_s + seconds - before[0].onset_s) <= 12.0
    assert abs(ours[0].end_s + seconds - before[0].end_s) <= 12.0
    assert abs(ours[0].extremum_uv - before[0].extremum_uv) <= 25.0


@examples(4)
@given(people, st.sampled_from(LEADS))
def test_a_lead_that_falls_off_takes_no_other_with_it(seed: int, lost: str) -> None:
    ecg = attack(seed)
    signal = ecg.signal_uv.copy()
    signal[ecg.index(lost)] = np.nan
    found = es.monitor(replace(ecg, signal_uv=signal))
    assert any(lost in each.leads for each in found.interruptions)
    for each in found.episodes:
        assert lost not in each.leads
    expected = {"V2", "V3"} - {lost}
    assert any(expected <= set(each.leads) for each in found.episodes if each.measure == "ST")


@examples(6)
@given(people, st.integers(0, 80_000), st.integers(1, 8000))
def test_any_stretch_of_a_recording_is_that_of_the_whole(seed: int, start: int, length: int) -> None:
    ecg = attack(seed)
    stop = min(start + length, ecg.signal_uv.shape[1])
    assert np.array_equal(es.Recording.of(ecg).samples(start, stop), ecg.signal_uv[:, start:stop])


@examples(4)
@given(people)
def test_a_quiet_recording_has_no_episode(seed: int) -> None:
    quiet = es.simulate.ecg(fs=FS, seed=100 + seed, duration_s=240.0, noise_uv=8.0, leads=LEADS).ecg
    assert es.monitor(quiet).episodes == ()
