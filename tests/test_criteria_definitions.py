"""Published definitions at their limits: the clause stands in the name of each test."""

from __future__ import annotations

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.criteria.judge import Judgement, LeadValues, Overall, judge
from ecgspasm.criteria.minnesota import changed, coded
from ecgspasm.ecg import Measurements, Subject
from ecgspasm.leads import STANDARD, territory

RULES = {rule.id: rule for rule in es.load_criteria()}
MAN, YOUNG, WOMAN = Subject("male", 59), Subject("male", 30), Subject("female", 59)
NARROW = {("current", "conduction"): "narrow", ("baseline", "conduction"): "narrow"}
LBBB = {("current", "conduction"): "lbbb", ("baseline", "conduction"): "narrow"}


def now(values: dict[str, dict[str, float]], shapes: dict[str, str] | None = None) -> dict[str, LeadValues]:
    """Twelve quiet leads with some current values changed."""
    quiet = {"st_j_uv": 0.0, "st_j60_uv": 0.0, "st_slope_uv_per_s": 0.0, "t_uv": 250.0, "t_negative_uv": 0.0, "q_uv": 0.0}
    quiet |= {"r_uv": 800.0, "s_uv": -300.0, "qrs_area_uv_ms": 20000.0, "u_uv": 0.0}
    found = {}
    for lead in STANDARD:
        own = quiet | values.get(lead, {})
        table = {("current", name): value for name, value in own.items()} | {
            ("baseline", name): value for name, value in quiet.items()
        }
        table |= {("change", name): own[name] - quiet[name] for name in quiet}
        found[lead] = LeadValues(table, dict.fromkeys(quiet, True), {"current": (shapes or {}).get(lead, "positive")})
    return found


def said(
    rule: str,
    values: dict[str, dict[str, float]],
    subject: Subject | None = MAN,
    shapes: dict[str, str] | None = None,
    overall: Overall = NARROW,
) -> Judgement:
    return judge(RULES[rule], now(values, shapes), {}, {}, subject=subject, overall=overall)


def st(uv: float, *leads: str) -> dict[str, dict[str, float]]:
    return {lead: {"st_j_uv": uv, "st_j60_uv": uv} for lead in leads}


def test_udmi4_limit_is_100_outside_v2_v3() -> None:
    assert said("udmi4-st-elevation", st(100, "II", "aVF")).verdict == "MET"
    assert said("udmi4-st-elevation", st(99, "II", "aVF")).verdict == "NOT_MET"
    assert said("udmi4-st-elevation", st(100, "II")).verdict == "NOT_MET"


def test_udmi4_v2_v3_limit_is_200_in_men_from_40() -> None:
    assert said("udmi4-st-elevation", st(200, "V2", "V3")).verdict == "MET"
    assert said("udmi4-st-elevation", st(199, "V2", "V3")).verdict == "NOT_MET"
    assert said("udmi4-st-elevation", st(200, "V2", "V3"), Subject("male", 40)).verdict == "MET"
    assert said("udmi4-st-elevation", st(200, "V2", "V3")).thresholds["V2"] == 200.0


def test_udmi4_v2_v3_limit_is_250_in_men_under_40() -> None:
    assert said("udmi4-st-elevation", st(250, "V2", "V3"), YOUNG).verdict == "MET"
    assert said("udmi4-st-elevation", st(249, "V2", "V3"), YOUNG).verdict == "NOT_MET"


def test_udmi4_v2_v3_limit_is_150_in_women() -> None:
    assert said("udmi4-st-elevation", st(150, "V2", "V3"), WOMAN).verdict == "MET"
    assert said("udmi4-st-elevation", st(149, "V2", "V3"), WOMAN).verdict == "NOT_MET"


def test_udmi4_without_sex_or_age_is_undecided_between_the_limits_only() -> None:
    unknown = said("udmi4-st-elevation", st(170, "V2", "V3"), Subject())
    assert unknown.verdict == "UNDECIDED"
    assert "give sex and age" in unknown.reason
    assert said("udmi4-st-elevation", st(250, "V2", "V3"), Subject()).verdict == "MET"
    assert said("udmi4-st-elevation", st(149, "V2", "V3"), Subject()).verdict == "NOT_MET"
    assert "give age" in said("udmi4-st-elevation", st(220, "V2", "V3"), Subject("male")).reason
    assert said("udmi4-st-elevation", st(170, "V2", "V3"), Subject("female")).verdict == "MET"
    assert "give sex" in said("udmi4-st-elevation", st(220, "V2", "V3"), Subject(None, 30)).reason
    assert said("udmi4-st-elevation", st(200, "V2", "V3"), Subject(None, 50)).verdict == "MET"


def test_udmi4_posterior_and_right_leads_have_a_limit_of_50() -> None:
    for rule, lead, young in (("udmi4-st-elevation-posterior", "V8", 39), ("udmi4-st-elevation-right", "V4R", 29)):
        values = {lead: LeadValues({("current", "st_j_uv"): 50.0}, {})}
        assert judge(RULES[rule], values, {}, {}, subject=MAN).verdict == "MET"
        assert judge(RULES[rule], values, {}, {}, subject=Subject("male", young)).verdict != "MET"


def test_rules_for_leads_that_were_not_recorded_are_left_out() -> None:
    made = es.simulate.ecg(fs=500, seed=1).ecg
    assert "udmi4-st-elevation-posterior" not in {each.criterion for each in es.compare(made, made).definitions}


def test_udmi4_t_inversion_asks_for_more_than_100_and_r_above_s() -> None:
    inverted = {"t_uv": -101.0}
    assert said("udmi4-t-inversion", {"V5": inverted, "V6": inverted}).verdict == "MET"
    assert said("udmi4-t-inversion", {"V5": {"t_uv": -100.0}, "V6": inverted}).verdict == "NOT_MET"
    small_r = inverted | {"r_uv": 200.0, "s_uv": -900.0}
    assert said("udmi4-t-inversion", {"V1": small_r, "V2": small_r, "V3": small_r}).verdict == "NOT_MET"


def test_covadis_st_shifts_of_100_and_new_negative_u_in_two_contiguous_leads() -> None:
    assert said("covadis-st-elevation", st(100, "II", "aVF")).verdict == "MET"
    assert said("covadis-st-depression", st(-100, "V4", "V5")).verdict == "MET"
    assert said("covadis-st-depression", st(-99, "V4", "V5")).verdict == "NOT_MET"
    assert said("covadis-negative-u", {"V3": {"u_uv": -40.0}, "V4": {"u_uv": -35.0}}).verdict == "MET"
    assert said("covadis-negative-u", {"V3": {"u_uv": -40.0}}).verdict == "NOT_MET"
    assert {RULES[rule].kind for rule in RULES if rule.startswith("covadis")} == {"transient"}


def test_covadis_negative_u_waves_are_found_in_an_ecg() -> None:
    before = es.simulate.ecg(fs=500, seed=2).ecg
    after = es.simulate.ecg(fs=500, seed=2, u_uv={"V3": -90, "V4": -90, "V5": -80}).ecg
    found = {each.criterion: each for each in es.compare(before, after, electrodes="same").definitions}
    assert found["covadis-negative-u"].verdict == "MET"
    assert set(found["covadis-negative-u"].leads) <= {"V2", "V3", "V4", "V5", "V6"}


def test_wellens_a_is_biphasic_and_b_deep_without_st_or_q() -> None:
    biphasic = {lead: {"t_uv": -120.0, "t_negative_uv": -120.0} for lead in ("V2", "V3")}
    shapes = dict.fromkeys(("V2", "V3"), "positive-negative")
    assert said("wellens-a", biphasic, shapes=shapes).verdict == "MET"
    assert said("wellens-a", biphasic, shapes=dict.fromkeys(("V2", "V3"), "negative-positive")).verdict == "NOT_MET"
    deep = {lead: {"t_uv": -300.0} for lead in ("V2", "V3")}
    negative = dict.fromkeys(("V2", "V3"), "negative")
    assert said("wellens-b", deep, shapes=negative).verdict == "MET"
    raised = {lead: values | {"st_j_uv": 100.0} for lead, values in deep.items()}
    assert said("wellens-b", raised, shapes=negative).verdict == "NOT_MET"
    assert said("wellens-b", deep | {"V4": {"q_uv": -300.0}}, shapes=negative).verdict == "NOT_MET"


def test_de_winter_is_upsloping_into_tall_t_with_avr_up() -> None:
    lead = {"st_j_uv": -150.0, "st_slope_uv_per_s": 1500.0, "t_uv": 900.0}
    assert said("de-winter", {"V3": lead, "V4": lead, "aVR": {"st_j_uv": 60.0}}).verdict == "MET"
    assert said("de-winter", {"V3": lead, "V4": lead}).verdict == "NOT_MET"
    flat = lead | {"st_slope_uv_per_s": 0.0}
    assert said("de-winter", {"V3": flat, "V4": flat, "aVR": {"st_j_uv": 60.0}}).verdict == "NOT_MET"


def test_posterior_mirror_asks_for_upright_t() -> None:
    assert said("posterior-mirror", st(-50, "V1", "V2")).verdict == "MET"
    inverted = {lead: {"st_j_uv": -50.0, "st_j60_uv": -50.0, "t_uv": -200.0} for lead in ("V1", "V2")}
    assert said("posterior-mirror", inverted).verdict == "NOT_MET"


def test_avr_elevation_with_depression_in_six_leads() -> None:
    six = st(-100, "I", "II", "V3", "V4", "V5", "V6") | {"aVR": {"st_j_uv": 100.0}}
    assert said("avr-elevation-diffuse-depression", six).verdict == "MET"
    assert (
        said("avr-elevation-diffuse-depression", st(-100, "I", "II", "V4", "V5", "V6") | {"aVR": {"st_j_uv": 100.0}}).verdict
        == "NOT_MET"
    )
    assert RULES["avr-elevation-diffuse-depression"].territory == "global"


def test_sgarbossa_and_smith_hold_under_lbbb_only() -> None:
    up = st(100, "V5")
    assert said("sgarbossa-concordant-elevation", up, overall=LBBB).verdict == "MET"
    assert said("sgarbossa-concordant-elevation", up).verdict == "NOT_MET"
    assert "it is narrow" in said("sgarbossa-concordant-elevation", up).reason
    down = {"V2": {"st_j_uv": -100.0, "qrs_area_uv_ms": -20000.0}}
    assert said("sgarbossa-concordant-depression", down, overall=LBBB).verdict == "MET"
    discordant = {"V2": {"st_j_uv": 300.0, "s_uv": -1200.0, "qrs_area_uv_ms": -30000.0}}
    assert said("smith-excessive-discordance", discordant, overall=LBBB).verdict == "MET"
    discordant["V2"]["s_uv"] = -1300.0
    assert said("smith-excessive-discordance", discordant, overall=LBBB).verdict == "NOT_MET"
    unknown = {("current", "conduction"): "unknown"}
    assert said("sgarbossa-concordant-elevation", up, overall=unknown).verdict == "UNDECIDED"


def test_new_st_fall_counts_from_a_normal_level_only() -> None:
    def fall(before: float, after: float) -> str:
        values = {("baseline", "st_j_uv"): before, ("current", "st_j_uv"): after, ("change", "st_j_uv"): after - before}
        values["change", "st_j60_uv"] = after - before
        leads = {lead: LeadValues(values, {"st_j_uv": True, "st_j60_uv": True}) for lead in ("V2", "V3")}
        quiet = {("baseline", "st_j_uv"): 0.0, ("current", "st_j_uv"): 0.0, ("change", "st_j_uv"): 0.0}
        rest = {lead: LeadValues(quiet, {"st_j_uv": False}) for lead in RULES["new-st-fall"].leads}
        return judge(RULES["new-st-fall"], rest | leads, {}, {}).verdict

    assert fall(120.0, 45.0) == "MET"
    assert fall(120.0, 46.0) == "NOT_MET"
    assert fall(260.0, 0.0) == "NOT_MET"


@pytest.mark.parametrize(
    ("leads", "name"),
    [
        (("V1", "V2"), "septal"),
        (("V1", "V2", "V3"), "anteroseptal"),
        (("V3", "V4"), "anterior"),
        (("V1", "V2", "V3", "V4", "V5", "V6", "I", "aVL"), "extensive anterior"),
        (("I", "aVL"), "lateral"),
        (("II", "III", "aVF"), "inferior"),
        (("V7", "V8"), "posterior"),
        (("V1", "V4R"), "right ventricular"),
        (("II", "aVF", "V2", "V3", "V5", "V6"), "global"),
    ],
)
def test_territories(leads: tuple[str, ...], name: str) -> None:
    assert territory(leads) == name


def minnesota(values: dict[str, dict[str, float]], shapes: dict[str, str] | None = None) -> Measurements:
    columns: dict[str, list[float]] = {}
    quiet = {"st_j_uv": 0.0, "st_j80_uv": 0.0, "st_slope_uv_per_s": 0.0, "t_uv": 300.0, "t_negative_uv": 0.0}
    quiet |= {"r_uv": 900.0, "qrs_area_uv_ms": 20000.0}
    for name, value in quiet.items():
        columns[name] = [values.get(lead, {}).get(name, value) for lead in STANDARD]
    return Measurements.from_table(STANDARD, columns)


def test_minnesota_4_codes_by_depth_and_slope() -> None:
    def code(**values: float) -> list[str]:
        return list(coded(minnesota({"V5": values}))["anterior"])

    assert code(st_j_uv=-200.0) == ["4-1-1"]
    assert code(st_j_uv=-199.0) == ["4-1-2"]
    assert code(st_j_uv=-50.0) == ["4-2"]
    assert code(st_j_uv=-49.0) == []
    assert code(st_j_uv=-20.0, st_j80_uv=-60.0, st_slope_uv_per_s=-500.0) == ["4-3"]
    assert code(st_j_uv=-120.0, st_slope_uv_per_s=1000.0) == ["4-4"]


def test_minnesota_5_and_9_2_codes() -> None:
    assert list(coded(minnesota({"V3": {"t_uv": -500.0, "t_negative_uv": -500.0}}))["anterior"]) == ["5-1"]
    assert list(coded(minnesota({"V3": {"t_uv": -100.0, "t_negative_uv": -100.0}}))["anterior"]) == ["5-2"]
    low = {"aVL": {"t_uv": -600.0, "t_negative_uv": -600.0, "r_uv": 300.0}}
    assert list(coded(minnesota(low))["anterolateral"]) == []
    assert list(coded(minnesota({"V6": {"t_uv": 40.0, "r_uv": 1000.0}}))["anterolateral"]) == ["5-4"]
    assert list(coded(minnesota({"V2": {"st_j_uv": 199.0}, "II": {"st_j_uv": 100.0}}))["inferior"]) == ["9-2"]
    assert "9-2" not in coded(minnesota({"V2": {"st_j_uv": 199.0}}))["anterior"]


def test_minnesota_significant_change_is_new_or_worse_with_its_amount() -> None:
    quiet, mild, severe = minnesota({}), minnesota({"V5": {"st_j_uv": -60.0}}), minnesota({"V5": {"st_j_uv": -150.0}})
    assert changed(quiet, mild)["change"] == [{"group": "anterior", "class": "4", "from": None, "to": "4-2", "leads": ["V5"]}]
    assert changed(mild, severe)["change"][0]["from"] == "4-2"
    assert changed(severe, mild)["change"] == []
    assert changed(quiet, quiet)["change"] == []
    nearly = minnesota({"V5": {"st_j_uv": -45.0}})
    assert changed(nearly, mild)["change"] == []


def test_every_shipped_threshold_is_a_whole_number_of_uv() -> None:
    for rule in RULES.values():
        for condition in rule.conditions:
            for low, high in condition.thresholds("V2", Subject()):
                known = [each for each in (low, high) if each is not None]
                assert all(each == np.round(each) or condition.measure.startswith(("st_to", "r_to")) for each in known)
