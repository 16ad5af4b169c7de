"""Criteria as data: the shipped rules at their limits, the three answers, and mistakes in a file of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecgspasm as es
from ecgspasm.criteria import Condition
from ecgspasm.criteria.judge import LeadValues, judge

RULES = {rule.id: rule for rule in es.load_criteria()}
LEADS = RULES["new-st-elevation"].leads


def lead(baseline: dict[str, float], current: dict[str, float], *, sure: bool = True) -> LeadValues:
    values = {("baseline", name): value for name, value in baseline.items()}
    values |= {("current", name): value for name, value in current.items()}
    values |= {("change", name): current[name] - baseline[name] for name in baseline}
    return LeadValues(values, dict.fromkeys(baseline, sure))


def st(before: float, now: float, *, later: float | None = None, sure: bool = True) -> LeadValues:
    return lead(
        {"st_j_uv": before, "st_j60_uv": before}, {"st_j_uv": now, "st_j60_uv": now if later is None else later}, sure=sure
    )


def t(before: float, now: float) -> LeadValues:
    return lead({"t_uv": before}, {"t_uv": now})


QUIET = {name: lead({"st_j_uv": 0, "st_j60_uv": 0, "t_uv": 300}, {"st_j_uv": 0, "st_j60_uv": 0, "t_uv": 300}) for name in LEADS}


def verdict(rule: str, changed: dict[str, LeadValues], unknown: dict[str, str] | None = None, **confounders: str) -> str:
    there = {name: value for name, value in (QUIET | changed).items() if name not in (unknown or {})}
    return judge(RULES[rule], there, unknown or {}, {k.replace("_", "-"): v for k, v in confounders.items()}).verdict


def test_udmi4_new_st_elevation_is_a_rise_of_100_at_j_in_two_contiguous_leads() -> None:
    assert verdict("new-st-elevation", {"V2": st(20, 120), "V3": st(20, 120)}) == "MET"
    assert verdict("new-st-elevation", {"V2": st(20, 119), "V3": st(20, 120)}) == "NOT_MET"
    assert verdict("new-st-elevation", {"V2": st(20, 120)}) == "NOT_MET"
    assert verdict("new-st-elevation", {"V2": st(20, 120), "V4": st(20, 120)}) == "NOT_MET"


def test_the_end_of_a_depression_is_no_elevation() -> None:
    assert verdict("new-st-elevation", {"V2": st(-150, 0), "V3": st(-150, 0)}) == "NOT_MET"


def test_a_float_just_below_the_limit_is_the_limit() -> None:
    assert Condition("change", "st_j_uv", at_least=100).holds(0.1 * 1000 + 20.1 - 20.1 - 1e-9)


def test_udmi4_new_st_depression_is_horizontal_or_downsloping() -> None:
    assert verdict("new-st-depression", {"V5": st(0, -60), "V6": st(0, -60)}) == "MET"
    assert verdict("new-st-depression", {"V5": st(0, -60, later=20), "V6": st(0, -60, later=20)}) == "NOT_MET"


def test_new_t_inversion_needs_an_upright_baseline() -> None:
    assert verdict("new-t-inversion", {"V1": t(120, -150), "V2": t(300, -280)}) == "MET"
    assert verdict("new-t-inversion", {"V1": t(-60, -250), "V2": t(300, -280)}) == "NOT_MET"


def test_pseudo_normalisation_is_its_mirror() -> None:
    assert verdict("t-pseudo-normalisation", {"V2": t(-200, 150), "V3": t(-150, 120)}) == "MET"
    assert verdict("new-t-inversion", {"V2": t(-200, 150), "V3": t(-150, 120)}) == "NOT_MET"


def test_a_change_within_its_error_does_not_count() -> None:
    assert verdict("new-st-elevation", {"V2": st(20, 130, sure=False), "V3": st(20, 130, sure=False)}) == "NOT_MET"


def test_a_lead_that_could_decide_leaves_the_verdict_open() -> None:
    assert verdict("new-st-elevation", {"V2": st(20, 140)}, {"V3": "flat line"}) == "UNDECIDED"
    assert verdict("new-st-elevation", {}, {"V3": "flat line"}) == "NOT_MET"
    assert verdict("new-st-elevation", {}, {"V3": "flat line", "V4": "flat line"}) == "UNDECIDED"
    assert verdict("new-st-elevation", {"V1": st(0, 140), "V2": st(0, 140)}, {"V3": "flat line"}) == "MET"


def test_leads_that_were_not_recorded_leave_the_verdict_open() -> None:
    said = judge(RULES["new-st-elevation"], {"V2": st(0, 0)}, {}, {})
    assert said.verdict == "UNDECIDED"
    assert "not recorded" in said.reason


def test_a_confounder_takes_the_verdict_away() -> None:
    changed = {"V2": st(20, 320), "V3": st(20, 320)}
    assert verdict("new-st-elevation", changed, changed_leads="swapped?") == "UNDECIDED"
    assert verdict("new-st-elevation", {}, wide_qrs="wide") == "UNDECIDED"


def test_every_shipped_rule_states_its_source_and_limits() -> None:
    for rule in RULES.values():
        assert len(rule.source) > 40
        assert (rule.contiguous > 0) != (rule.count > 0)
    for rule in es.load_criteria(group="serial"):
        assert rule.contiguous >= 2
        assert "V2" in rule.leads


GOOD = """
[[criterion]]
id = "mine"
title = "my rule"
leads = ["v2", "V3"]
contiguous = 2
source = "mine"
conditions = [{ of = "change", measure = "st_j60_uv", at_least = 80 }]
"""


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    (rule,) = es.load_criteria(path)
    assert (rule.id, rule.leads, rule.shown) == ("mine", ("V2", "V3"), "st_j60_uv")
    made = es.simulate.ecg(fs=500, seed=1, st_uv={"V2": 200, "V3": 200}).ecg
    change = es.compare(es.simulate.ecg(fs=500, seed=1).ecg, made, criteria=[rule])
    assert [finding.verdict for finding in change.findings] == ["MET"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("contiguous", "contigous", "did you mean 'contiguous'"),
        ('of = "change"', 'of = "chnage"', "did you mean 'change'"),
        ("st_j60_uv", "st_60", "measure is 'st_60'"),
        ("at_least = 80", "at_last = 80", "did you mean 'at_least'"),
        ("at_least = 80", 'at_least = "80"', "wrong type"),
        (", at_least = 80", "", "no limit"),
        ('source = "mine"', "", "'source' is missing"),
        ('"v2"', '"v22"', "unknown lead name 'v22'"),
        ("contiguous = 2", "contiguous = 0", "give 1 or more"),
        ("[[criterion]]", "[[criteria]]", "no [[criterion]] table"),
        ("[[criterion]]", "[[criterion]", "not valid TOML"),
        ('title = "my rule"', 'title = "my rule"\nundecided_with = ["wide_qrs"]', "did you mean 'wide-qrs'"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(es.EcgError) as caught:
        es.load_criteria(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_an_ecg_error(tmp_path: Path) -> None:
    with pytest.raises(es.EcgError, match="cannot read the criteria file"):
        es.load_criteria(tmp_path / "none.toml")
