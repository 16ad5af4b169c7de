"""What else could explain a change is named, and never comes out as new ischemia."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.confusion import false_alarms, score_confounders, undone
from ecgspasm.benchmarks.pairs import rotated
from ecgspasm.leads import STANDARD
from ecgspasm.serial.comparison import Comparison
from ecgspasm.serial.conduction import conduction
from ecgspasm.serial.swaps import recipes

RECIPES = recipes(frozenset(STANDARD))


@pytest.fixture(scope="module")
def pair() -> tuple[es.Ecg, es.Ecg]:
    return tuple(es.simulate.ecg(fs=500, seed=seed, noise_uv=5.0).ecg for seed in (5, 6))  # type: ignore[return-value]


def new(change: Comparison) -> list[str]:
    return [each.criterion for each in change.findings if each.verdict == "MET" and each.kind == "new"]


@pytest.mark.parametrize("name", RECIPES)
def test_every_swap_is_noticed_and_is_no_new_ischemia(pair: tuple[es.Ecg, es.Ecg], name: str) -> None:
    change = es.compare(pair[0], undone(pair[1], RECIPES[name]))
    assert not new(change)
    if "exchanged" in name and "cables" not in name:
        return  # neighbouring chest leads may be all but equal
    assert "changed-leads" in change.confounders


@pytest.mark.parametrize(
    "name", ["the arm cables exchanged (LA/RA)", "the left arm and leg cables exchanged (LA/LL)", "V1 and V6 exchanged"]
)
def test_a_swap_is_named(pair: tuple[es.Ecg, es.Ecg], name: str) -> None:
    change = es.compare(pair[0], undone(pair[1], RECIPES[name]))
    assert name in change.confounders["changed-leads"]
    assert change.verdict.startswith("UNDECIDED: the beats fit the baseline far better with ")


@pytest.mark.parametrize("name", RECIPES)
def test_limb_leads_of_every_recipe_obey_einthoven(name: str) -> None:
    rng = np.random.default_rng(1)
    one, two = rng.normal(size=(2, 4))
    own = {"I": one, "II": two, "III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    read = {lead: RECIPES[name][lead][1] * own[RECIPES[name][lead][0]] if lead in RECIPES[name] else own[lead] for lead in own}
    if "cables" in name:
        assert read["I"] + read["III"] == pytest.approx(read["II"])
        assert read["aVF"] == pytest.approx(read["II"] - read["I"] / 2)


def test_an_unchanged_pair_has_no_confounder(pair: tuple[es.Ecg, es.Ecg]) -> None:
    assert not es.compare(*pair).confounders
    assert not es.compare(pair[0], pair[0]).confounders


def test_a_strong_ischemic_change_is_no_swap() -> None:
    before = es.simulate.ecg(fs=500, seed=5).ecg
    after = es.simulate.ecg(fs=500, seed=6, st_uv={"V2": 500, "V3": 600, "V4": 400, "II": -200}).ecg
    change = es.compare(before, after)
    assert "new-st-elevation" in new(change)
    assert not {"changed-leads", "rotation", "electrode-position", "changed-gain"} & set(change.confounders)


def test_another_gain_and_time_scale_are_named(pair: tuple[es.Ecg, es.Ecg]) -> None:
    louder = replace(pair[1], signal_uv=2.0 * pair[1].signal_uv)
    assert "2 times as large" in es.compare(pair[0], louder).confounders["changed-gain"]
    for factor in (0.5, 2.0):
        change = es.compare(pair[0], replace(pair[1], fs=pair[1].fs / factor))
        assert not new(change)
        assert f"{factor:g} times as long" in change.confounders["sampling-rate"]


def test_a_turned_heart_is_a_rotation_and_no_ischemia(pair: tuple[es.Ecg, es.Ecg]) -> None:
    named = 0
    for seed in range(8):
        change = es.compare(pair[0], rotated(pair[1], 25.0, np.random.default_rng(seed)))
        assert not new(change)
        named += "rotation" in change.confounders
    assert named >= 7


def test_moved_chest_electrodes_are_noticed(pair: tuple[es.Ecg, es.Ecg]) -> None:
    signal = np.array(pair[1].signal_uv)
    rows = [pair[1].index(f"V{number}") for number in range(1, 7)]
    for low, high in pairwise(rows):
        signal[low] = 0.5 * pair[1].signal_uv[low] + 0.5 * pair[1].signal_uv[high]
    change = es.compare(pair[0], replace(pair[1], signal_uv=signal))
    assert "shifted by 0." in change.confounders["electrode-position"]


def test_rate_and_age_of_the_baseline_are_told(pair: tuple[es.Ecg, es.Ecg]) -> None:
    old = replace(pair[0], recorded_at=datetime(2010, 1, 1))
    later = replace(es.simulate.ecg(fs=500, seed=5, rate_bpm=110.0).ecg, recorded_at=datetime(2020, 1, 1))
    told = es.compare(old, later).confounders
    assert "110/min now" in told["rate"]
    assert "10.0 years older" in told["old-baseline"]


def test_wide_qrs_takes_the_verdict_away_unless_a_right_block_stays(real_data: Path) -> None:
    kinds: dict[str, int] = {}
    for path in sorted((real_data / "ludb" / "data").glob("*.hea"))[:60]:
        found = es.analyze(es.read(path))
        kind = conduction(found.measurements)
        kinds[kind] = kinds.get(kind, 0) + 1
        if kind in ("lbbb", "rbbb"):
            assert ("wide-qrs" in es.compare(found, found).confounders) == (kind == "lbbb")
    assert {"narrow", "lbbb", "rbbb"} <= set(kinds)


def test_rates_on_real_records(real_data: Path) -> None:
    """Every tenth LUDB record against its own second half, and all PTB pairs; the whole sets stand in the README."""
    found = score_confounders(real_data / "ludb", real_data / "ptbdb_10s", every=10)
    ludb = found["ludb"]
    for name in ("the arm cables exchanged (LA/RA)", "the right arm and leg cables exchanged (RA/LL)", "one chest lead turned"):
        assert ludb[name]["detected"] == 100.0
    assert ludb["the left arm and leg cables exchanged (LA/LL)"]["detected"] >= 95.0
    assert ludb["V1 and V6 exchanged"]["detected"] >= 90.0
    assert false_alarms(found) <= 1.0
    for name, row in ludb.items():
        assert row["new"] == 0.0 or "occlusion" in name, name


def test_a_copied_channel_is_named_and_is_no_new_ischemia(pair: tuple[es.Ecg, es.Ecg]) -> None:
    signal = np.array(pair[1].signal_uv)
    signal[pair[1].index("V4")] = signal[pair[1].index("V2")]
    change = es.compare(pair[0], replace(pair[1], signal_uv=signal))
    assert "V4 shows what V2 shows" in change.confounders["changed-leads"]
    assert not new(change)
    assert "changed-leads" not in es.compare(replace(pair[1], signal_uv=signal), replace(pair[1], signal_uv=signal)).confounders


@pytest.mark.parametrize(("by_ms", "said"), [(60, "60 ms later"), (-90, "90 ms earlier"), (0, "")])
def test_leads_out_of_step_are_named_and_are_no_new_ischemia(pair: tuple[es.Ecg, es.Ecg], by_ms: int, said: str) -> None:
    signal, chest = np.array(pair[1].signal_uv), [pair[1].index(f"V{n}") for n in (1, 2, 3, 4, 5)]
    signal[chest] = np.roll(signal[chest], round(by_ms * pair[1].fs / 1000.0), axis=1)
    change = es.compare(pair[0], replace(pair[1], signal_uv=signal))
    assert not new(change)
    told = change.confounders.get("changed-leads", "")
    if said:
        assert "than the other leads, and did not in the baseline" in told
    else:
        assert "out of step" not in told
