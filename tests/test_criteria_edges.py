"""Limits, conditions, requirements and the three answers, each at its edge; and what a file of criteria may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgspasm.criteria import Condition, Criterion, Limit, Requirement, load_criteria
from ecgspasm.criteria.judge import Judgement, LeadValues, judge
from ecgspasm.criteria.parse import parse, parse_conditions
from ecgspasm.ecg import SHAPES, Subject
from ecgspasm.errors import EcgError

MAN, WOMAN = Subject(sex="male", age=30), Subject(sex="female", age=30)


# ---------------------------------------------------------------- limits and conditions


def test_a_limit_applies_from_an_age_up_to_but_not_at_another() -> None:
    limit = Limit(100.0, ("V2",), "male", 40.0, 60.0)
    assert limit.applies("V2", "male", 40.0)
    assert limit.applies("V2", "male", 59.9)
    for lead, sex, age in (("V3", "male", 50.0), ("V2", "female", 50.0), ("V2", "male", 39.9), ("V2", "male", 60.0)):
        assert not limit.applies(lead, sex, age)
    assert Limit(1.0).applies("V9", "female", 99.0)
    assert Limit(1.0, age_from=40.0).applies("", "male", 40.0)
    assert not Limit(1.0, age_from=40.0).applies("", "male", 39.0)


def test_a_value_at_the_limit_keeps_it_after_rounding_to_a_whole_unit() -> None:
    low, high = Condition("change", "st_j_uv", at_least=100.0), Condition("change", "st_j_uv", at_most=-50.0)
    for value, kept in ((99.4, False), (99.6, True), (100.0, True), (101.0, True)):
        assert low.holds(value) is kept
    for value, kept in ((-49.4, False), (-49.6, True), (-50.0, True), (-51.0, True)):
        assert high.holds(value) is kept
    both = Condition("current", "st_j_uv", at_least=10.0, at_most=20.0)
    assert [both.holds(value) for value in (9.0, 10.0, 15.0, 20.0, 21.0)] == [False, True, True, True, False]
    assert Condition("current", "st_j_uv").holds(5.0) is True


@pytest.mark.parametrize("ratio", ["r_to_s", "st_to_s", "t_to_r"])
def test_ratios_are_not_rounded(ratio: str) -> None:
    condition = Condition("current", ratio, at_least=0.25)
    assert condition.holds(0.25)
    assert condition.holds(0.249) is False


def test_words_are_among_the_named_ones_or_not() -> None:
    shape = Condition("current", "t_shape", one_of=("negative", "flat"))
    assert shape.holds("flat") is True
    assert shape.holds("positive") is False
    assert Condition("current", "t_shape").holds("flat") is False


BY_SEX = Condition(
    "current", "st_j_uv", at_least=(Limit(100.0), Limit(200.0, ("V2", "V3"), "male"), Limit(150.0, ("V2", "V3"), "female"))
)
BY_AGE = Condition("current", "st_j_uv", at_least=(Limit(200.0, age_from=40.0), Limit(250.0, age_below=40.0)))


def test_of_several_limits_the_last_that_applies_holds() -> None:
    assert [BY_SEX.holds(value, "V2", MAN) for value in (199.0, 200.0)] == [False, True]
    assert [BY_SEX.holds(value, "V2", WOMAN) for value in (149.0, 150.0)] == [False, True]
    assert [BY_SEX.holds(value, "V5", MAN) for value in (99.0, 100.0)] == [False, True]
    none = Condition("current", "st_j_uv", at_least=(Limit(100.0, ("V2",)),))
    assert none.holds(-5.0, "V5", MAN) is True


def test_an_answer_that_depends_on_what_is_not_told_is_open() -> None:
    assert [BY_SEX.holds(value, "V2") for value in (149.0, 150.0, 199.0, 200.0)] == [False, None, None, True]
    assert BY_SEX.holds(120.0, "V5") is True
    assert [BY_AGE.holds(value, "V2") for value in (199.0, 200.0, 249.0, 250.0)] == [False, None, None, True]
    for age, limit in ((39, 250.0), (39.9, 250.0), (40, 200.0)):
        assert BY_AGE.thresholds("V2", Subject(age=age)) == {(limit, None)}
    upper = Condition("current", "st_j_uv", at_most=(Limit(10.0, age_below=30.0), Limit(20.0, age_from=30.0)))
    assert upper.thresholds("V2", Subject()) == {(None, 10.0), (None, 20.0)}
    # a limit between ages far from 50
    young = Condition("current", "st_j_uv", at_least=(Limit(1.0), Limit(2.0, age_from=70.0, age_below=71.0)))
    assert young.thresholds("V2", Subject()) == {(1.0, None), (2.0, None)}


def test_conditions_are_told_in_words() -> None:
    assert str(Condition("change", "st_j_uv", at_least=100.0)) == "change st_j_uv >= +100 uV"
    assert str(Condition("current", "t_uv", at_least=-5.0, at_most=20.5)) == "current t_uv >= -5 and <= +20.5 uV"
    assert str(Condition("current", "r_to_s", at_least=1.0)) == "current r_to_s >= +1"
    assert str(Condition("current", "t_shape", one_of=("flat", "negative"))) == "current t_shape is flat or negative"
    assert str(Condition("current", "st_slope_uv_per_s", at_most=0.0)).endswith("<= +0 uV/s")
    assert str(Condition("current", "qrs_area_uv_ms", at_most=1.0)).endswith(" uV ms")
    assert str(Condition("current", "qrs_ms", at_least=120.0)).endswith(">= +120 ms")
    assert str(Condition("current", "rate_bpm", at_least=100.0)).endswith(">= +100 /min")
    assert str(BY_SEX) == "current st_j_uv >= +100 / +200 (V2, V3 men) / +150 (V2, V3 women) uV"
    assert str(BY_AGE) == "current st_j_uv >= +200 (from 40 y) / +250 (below 40 y) uV"
    asked = Requirement(Condition("change", "st_j_uv", at_most=-50.0), ("II", "III"), "any")
    assert str(asked) == "change st_j_uv <= -50 uV in any of II, III"
    assert str(Requirement(Condition("current", "qrs_ms", at_least=120.0))) == "current qrs_ms >= +120 ms"


# ---------------------------------------------------------------- values of a lead


def values(**current: Any) -> LeadValues:
    shape = current.pop("t_shape", None)
    return LeadValues({("current", name): value for name, value in current.items()}, {}, {"current": shape} if shape else {})


def test_ratios_are_made_from_amplitudes_and_absent_with_them() -> None:
    lead = values(r_uv=300.0, s_uv=-600.0, st_j_uv=150.0, t_uv=900.0, t_shape="flat")
    assert lead.get("current", "r_to_s") == 0.5
    assert lead.get("current", "st_to_s") == -0.25
    assert lead.get("current", "t_to_r") == 3.0
    assert lead.get("current", "t_shape") == "flat"
    assert lead.get("baseline", "t_shape") is None
    assert lead.get("current", "r_uv") == 300.0
    assert lead.get("baseline", "r_uv") is None
    for missing in (
        ("r_uv", "r_to_s"),
        ("s_uv", "r_to_s"),
        ("s_uv", "st_to_s"),
        ("st_j_uv", "st_to_s"),
        ("t_uv", "t_to_r"),
        ("r_uv", "t_to_r"),
    ):
        rest = {name: 100.0 for name in ("r_uv", "s_uv", "st_j_uv", "t_uv") if name != missing[0]}
        assert values(**rest).get("current", missing[1]) is None


def test_a_ratio_to_nothing_is_one_to_a_microvolt() -> None:
    lead = values(r_uv=0.5, s_uv=0.0, st_j_uv=50.0, t_uv=70.0)
    assert lead.get("current", "r_to_s") == 0.5
    assert lead.get("current", "st_to_s") == -50.0
    assert lead.get("current", "t_to_r") == 70.0


# ---------------------------------------------------------------- the three answers

RISE = Condition("change", "st_j_uv", at_least=100.0)


def rule(*conditions: Condition, **changes: Any) -> Criterion:
    given: dict[str, Any] = {
        "id": "rule", "title": "Rule", "what": "rule", "shown": "st_j_uv", "leads": ("V1", "V2", "V3", "V4"), "contiguous": 2,
        "conditions": conditions or (RISE,), "source": "test",
    }  # fmt: skip
    return Criterion(**(given | changes))


def rise(size: float | None, *, sure: bool = True, **more: float) -> LeadValues:
    found = {} if size is None else {("change", "st_j_uv"): size, ("current", "st_j_uv"): size}
    return LeadValues(found | {("current", name): each for name, each in more.items()}, {"st_j_uv": sure})


def said(asked: Criterion, leads: dict[str, LeadValues], unknown: dict[str, str] | None = None, **more: Any) -> Judgement:
    return judge(asked, leads, unknown or {}, more.pop("confounders", {}), **more)


QUIET = {lead: rise(0.0) for lead in ("V1", "V2", "V3", "V4")}


def test_met_names_the_neighbouring_leads_with_their_limits() -> None:
    found = said(rule(), QUIET | {"V1": rise(150.0), "V3": rise(150.0), "V4": rise(100.0)})
    assert found == Judgement("MET", ("V3", "V4"), "", {"V1": 100.0, "V3": 100.0, "V4": 100.0})


def test_not_met_says_what_there_is_and_what_is_asked() -> None:
    found = said(rule(), QUIET | {"V1": rise(150.0), "V3": rise(150.0)})
    assert (found.verdict, found.leads) == ("NOT_MET", ("V1", "V3"))
    assert found.reason == "only in V1, V3; 2 neighbouring leads are asked for"
    assert said(rule(), QUIET).reason == "in no lead"
    counted = said(rule(contiguous=0, count=3), QUIET | {"V1": rise(150.0), "V3": rise(150.0)})
    assert counted.reason == "only in V1, V3; 3 leads are asked for"


def test_leads_wherever_they_lie_are_counted() -> None:
    asked = rule(contiguous=0, count=2)
    assert said(asked, QUIET | {"V1": rise(150.0), "V4": rise(150.0)}) == Judgement(
        "MET", ("V1", "V4"), "", {"V1": 100.0, "V4": 100.0}
    )
    assert said(asked, QUIET | {"V1": rise(150.0)}).verdict == "NOT_MET"


def test_a_lead_that_is_not_known_leaves_open_what_it_could_decide() -> None:
    leads = {"V1": rise(0.0), "V2": rise(0.0), "V3": rise(150.0)}
    found = said(rule(), leads, {"V4": "noisy"})
    assert (found.verdict, found.leads, found.reason) == ("UNDECIDED", ("V3",), "V4 could not be judged: noisy")
    assert said(rule(), leads).reason == "V4 could not be judged: not recorded"
    # two leads that hang together with nothing cannot decide
    assert said(rule(), {"V2": rise(0.0), "V3": rise(0.0)}).verdict == "NOT_MET"
    found = said(rule(), {"V3": rise(150.0), "V1": rise(0.0)}, {"V2": "flat", "V4": "noisy"})
    assert found.reason == "V2 could not be judged (and 1 more leads): flat"
    assert said(rule(), {}, {"V1": "flat"}).reason == "V1 could not be judged (and 3 more leads): flat"


def test_a_value_that_is_missing_leaves_its_lead_open_unless_another_condition_fails() -> None:
    two = rule(RISE, Condition("current", "t_uv", at_least=0.0))
    leads = QUIET | {"V3": rise(150.0, t_uv=1.0), "V4": rise(150.0)}
    assert said(two, leads).reason == "V4 could not be judged: t_uv is missing"
    leads["V4"] = rise(50.0)
    assert said(two, leads).verdict == "NOT_MET"
    assert said(rule(), QUIET | {"V3": rise(150.0), "V4": rise(None)}).reason == "V4 could not be judged: st_j_uv is missing"


def test_a_change_within_its_error_does_not_count_unless_the_rule_says_so() -> None:
    leads = QUIET | {"V3": rise(150.0), "V4": rise(150.0, sure=False)}
    assert said(rule(), leads).verdict == "NOT_MET"
    assert said(rule(Condition("change", "st_j_uv", at_least=100.0, beyond_error=False)), leads).verdict == "MET"
    # of the ECG as it is no error of a change is asked
    assert said(rule(Condition("current", "st_j_uv", at_least=100.0)), leads).verdict == "MET"
    untold = {lead: LeadValues({("change", "st_j_uv"): 150.0}, {}) for lead in QUIET}
    assert said(rule(), untold).verdict == "NOT_MET"


def test_a_confounder_that_the_rule_names_leaves_it_open() -> None:
    leads = QUIET | {"V3": rise(150.0), "V4": rise(150.0)}
    asked = rule(undecided_with=("wide-qrs", "rotation"))
    found = said(asked, leads, confounders={"rate": "fast", "rotation": "turned", "wide-qrs": "wide"})
    assert found == Judgement("UNDECIDED", ("V3", "V4"), "turned", {"V3": 100.0, "V4": 100.0})
    assert said(asked, leads, confounders={"rate": "fast"}).verdict == "MET"
    assert said(asked, QUIET, confounders={"rotation": "turned"}).verdict == "UNDECIDED"


def test_limits_that_depend_on_the_person_leave_open_what_lies_between() -> None:
    leads = {lead: rise(170.0) for lead in ("V1", "V2", "V3", "V4")}
    asked = rule(BY_SEX)
    assert said(asked, leads, subject=WOMAN).leads == ("V1", "V2", "V3", "V4")
    assert said(asked, leads, subject=MAN).verdict == "NOT_MET"
    found = said(asked, leads)
    assert found.verdict == "UNDECIDED"
    assert found.reason == (
        "V2 could not be judged (and 1 more leads): +170 uV lies between the limits for different persons; give sex and age"
    )
    assert "give sex" in said(asked, leads, subject=Subject(age=30)).reason
    assert "and age" not in said(asked, leads, subject=Subject(age=30)).reason
    # the strictest limit is told where it is not known which holds
    assert said(asked, {lead: rise(300.0) for lead in leads}).thresholds == {"V1": 100.0, "V2": 200.0, "V3": 200.0, "V4": 100.0}
    assert said(asked, {lead: rise(300.0) for lead in leads}, subject=WOMAN).thresholds["V2"] == 150.0
    deep = Condition("current", "st_j_uv", at_most=(Limit(-50.0), Limit(-80.0, sex="male")))
    assert said(rule(deep), {lead: rise(-300.0) for lead in leads}).thresholds["V2"] == -80.0


def test_the_limit_that_is_told_is_the_first_on_the_shown_measure() -> None:
    asked = rule(Condition("current", "t_uv", at_least=-9.0), Condition("current", "st_j_uv", at_most=500.0), RISE)
    leads = {lead: rise(150.0, t_uv=1.0) for lead in QUIET}
    assert said(asked, leads).thresholds["V2"] == 500.0
    shape = rule(Condition("current", "t_shape", one_of=("flat",)), shown="t_shape")
    assert said(shape, {lead: values(t_shape="flat") for lead in QUIET}).thresholds == {}
    assert said(rule(Condition("current", "st_j_uv")), leads).thresholds == {}


# ---------------------------------------------------------------- requirements

HIT = QUIET | {"V3": rise(150.0), "V4": rise(150.0)}


def with_needed(how: str, *answers: bool | None) -> Judgement:
    names = ("I", "II", "III")[: len(answers)]
    asked = rule(requires=(Requirement(Condition("current", "t_uv", at_least=0.0), names, how),))  # type: ignore[arg-type]
    told = {name: values(t_uv=1.0 if each else -1.0) for name, each in zip(names, answers, strict=True) if each is not None}
    return said(asked, HIT | told, {"II": "noisy"})


@pytest.mark.parametrize(
    ("how", "answers", "verdict"),
    [
        ("all", (True, True), "MET"),
        ("all", (True, False), "NOT_MET"),
        ("all", (True, None), "UNDECIDED"),
        ("all", (False, None), "NOT_MET"),
        ("any", (False, True), "MET"),
        ("any", (False, False), "NOT_MET"),
        ("any", (False, None), "UNDECIDED"),
        ("any", (True, None), "MET"),
        ("none", (False, False), "MET"),
        ("none", (True, False), "NOT_MET"),
        ("none", (False, None), "UNDECIDED"),
        ("none", (True, None), "NOT_MET"),
    ],
)
def test_what_other_leads_have_to_fulfil(how: str, answers: tuple[bool | None, ...], verdict: str) -> None:
    found = with_needed(how, *answers)
    assert found.verdict == verdict
    words = f"required: current t_uv >= +0 uV in {how} of I, II"
    assert found.leads == ("V3", "V4")
    assert found.thresholds == {"V3": 100.0, "V4": 100.0}
    assert found.reason == {"MET": "", "NOT_MET": words, "UNDECIDED": f"II could not be judged: noisy; {words}"}[verdict]


def test_a_lead_that_was_not_recorded_cannot_be_required() -> None:
    assert "III could not be judged: not recorded; required" in with_needed("all", True, True, None).reason


def whole(measure: str, value: float | str | None, **limit: Any) -> Judgement:
    asked = rule(requires=(Requirement(Condition("current", measure, **limit)),))
    return said(asked, HIT, overall={} if value is None else {("current", measure): value})


def test_what_the_whole_ecg_has_to_fulfil() -> None:
    assert whole("qrs_ms", 120.0, at_least=120.0).verdict == "MET"
    found = whole("qrs_ms", 118.7, at_least=120.0)
    assert (found.verdict, found.reason) == ("NOT_MET", "required: current qrs_ms >= +120 ms; it is 119")
    assert whole("conduction", "lbbb", one_of=("lbbb",)).verdict == "MET"
    found = whole("conduction", "narrow", one_of=("lbbb", "rbbb"))
    assert (found.verdict, found.reason) == ("NOT_MET", "required: current conduction is lbbb or rbbb; it is narrow")
    for measure, value in (("qrs_ms", None), ("qrs_ms", float("nan")), ("conduction", "unknown"), ("conduction", None)):
        found = whole(measure, value, **({"at_least": 120.0} if measure == "qrs_ms" else {"one_of": ("lbbb",)}))
        assert found.verdict == "UNDECIDED"
        assert found.reason.startswith(f"{measure} is not known, and current {measure} ")


def test_a_requirement_that_fails_weighs_more_than_one_that_is_open_and_than_a_confounder() -> None:
    def needed(measure: str) -> Requirement:
        return Requirement(Condition("current", measure, at_least=100.0))

    told = {("current", "rate_bpm"): 60.0}
    for requires in ((needed("qrs_ms"), needed("rate_bpm")), (needed("rate_bpm"), needed("qrs_ms"))):
        asked = rule(requires=requires, undecided_with=("rotation",))
        found = said(asked, HIT, overall=told, confounders={"rotation": "turned"})
        assert (found.verdict, found.reason) == ("NOT_MET", "required: current rate_bpm >= +100 /min; it is 60")
    # an open one does not make a rule undecided that is met in no lead
    assert said(rule(requires=(needed("qrs_ms"),)), QUIET).verdict == "NOT_MET"


# ---------------------------------------------------------------- the same rule at another offset


def test_a_rule_is_read_at_another_offset() -> None:
    needed = (Requirement(RISE, ("II",)), Requirement(Condition("current", "qrs_ms", at_most=120.0)))
    asked = rule(RISE, Condition("current", "t_uv", at_least=0.0), requires=needed)
    moved = asked.at("st_j60_uv")
    assert [each.measure for each in moved.conditions] == ["st_j60_uv", "t_uv"]
    assert [each.condition.measure for each in moved.requires] == ["st_j60_uv", "qrs_ms"]
    assert (moved.title, moved.shown, moved.id, moved.leads) == ("Rule (st_j60_uv)", "st_j60_uv", "rule", asked.leads)
    assert rule(shown="t_uv").at("st_j60_uv").shown == "t_uv"


# ---------------------------------------------------------------- files of criteria

FILE = """
[[criterion]]
id = "mine"
title = "Mine"
leads = ["v2", "avl"]
contiguous = 2
conditions = [{ of = "change", measure = "st_j_uv", at_least = 100 }]
source = "me"
"""


def read(text: str = FILE, **changes: str) -> Criterion:
    for old, new in changes.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{old} =")]
        text = "\n".join([*lines, f"{old} = {new}"] if new else lines)
    (found,) = parse(text, "own.toml")
    return found


def refused(text: str = FILE, **changes: str) -> str:
    with pytest.raises(EcgError) as caught:
        read(text, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_a_rule_may_leave_out() -> None:
    found = read()
    assert found == Criterion(
        id="mine", title="Mine", what="Mine", shown="st_j_uv", leads=("V2", "aVL"), contiguous=2, source="me",
        conditions=(Condition("change", "st_j_uv", at_least=100.0),),
    )  # fmt: skip
    assert isinstance(found.conditions[0].at_least, float)


def test_every_field_of_a_rule_is_read() -> None:
    found = read(
        contiguous="", count="3", what='"w"', shown='"t_uv"', kind='"present"', group='"g"', territory='"anterior"',
        undecided_with='["wide-qrs"]',
        requires='[{ leads = ["ii"], of = "current", measure = "t_uv", at_most = -1, how = "any" },'
                 ' { of = "current", measure = "conduction", is = ["lbbb"] }]',
        conditions='[{ of = "current", measure = "t_shape", is = ["flat"], beyond_error = false },'
                   ' { of = "current", measure = "st_j_uv", at_most = [{ uv = 1 }, { uv = 2.5, leads = ["v3"], sex = "male",'
                   ' age_from = 40, age_below = 50 }] }]',
    )  # fmt: skip
    assert (found.contiguous, found.count, found.what, found.shown, found.kind) == (0, 3, "w", "t_uv", "present")
    assert (found.group, found.territory, found.undecided_with) == ("g", "anterior", ("wide-qrs",))
    assert found.requires == (
        Requirement(Condition("current", "t_uv", at_most=-1.0), ("II",), "any"),
        Requirement(Condition("current", "conduction", one_of=("lbbb",))),
    )
    assert found.conditions == (
        Condition("current", "t_shape", one_of=("flat",), beyond_error=False),
        Condition("current", "st_j_uv", at_most=(Limit(1.0), Limit(2.5, ("V3",), "male", 40, 50))),
    )


SHAPE_FIRST = (("t_shape", 'is = ["flat"]'), ("q_uv", "at_most = 0"), ("r_uv", "at_most = 0"))


def test_what_is_shown_without_being_told() -> None:
    of = 'of = "current"'
    assert read(conditions=f'[{{ {of}, measure = "t_shape", is = ["flat"] }}]').shown == "t_uv"
    both = ", ".join(f'{{ {of}, measure = "{name}", {limit} }}' for name, limit in SHAPE_FIRST)
    assert read(conditions=f"[{both}]").shown == "q_uv"


@pytest.mark.parametrize("field", ["id", "title", "leads", "conditions", "source"])
def test_a_field_that_is_needed_is_named_when_it_is_missing(field: str) -> None:
    assert f"the field {field!r} is missing; add it" in refused(**{field: ""})


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("id", "1", "id is 1, which is of the wrong type"),
        ("contiguous", "true", "contiguous is True, which is of the wrong type"),
        ("contiguous", "0", "contiguous is 0; give 1 or more"),
        ("contiguous", "2.0", "of the wrong type"),
        ("count", "2", "give either contiguous (neighbouring leads) or count"),
        ("contiguous", "", "give either contiguous"),
        ("leads", '"V2"', "of the wrong type"),
        ("conditions", "[]", "conditions is empty; give at least one"),
        ("kind", '"nev"', "kind is 'nev'; did you mean 'new'?"),
        ("kind", '"xyz"', "kind is 'xyz'; the choices are new, resolution, present, transient"),
        ("shown", '"st_j_u"', "did you mean 'st_j_uv'?"),
        ("titel", '"x"', "unknown field 'titel'; did you mean 'title'?"),
        ("zzzz", '"x"', "unknown field 'zzzz'; the fields are id, title, "),
        ("undecided_with", '["wide"]', "wide"),
        ("requires", "[1]", "a requirement is 1; write"),
        (
            "requires",
            '[{ leads = "II", of = "current", measure = "t_uv", at_least = 1 }]',
            "leads is 'II', which is of the wrong type",
        ),
        ("requires", '[{ of = "current", measure = "t_uv", at_least = 1 }]', "measure is 't_uv'"),
        ("requires", '[{ leads = ["II"], of = "current", measure = "qrs_ms", at_least = 1 }]', "measure is 'qrs_ms'"),
        ("requires", '[{ leads = ["II"], of = "current", measure = "t_uv", at_least = 1, how = "most" }]', "how is 'most'"),
        ("conditions", "[1]", "1"),
        ("conditions", '[{ of = "now", measure = "t_uv", at_least = 1 }]', "of is 'now'"),
        ("conditions", '[{ of = "current", measure = "t_uv" }]', "at_least"),
        ("conditions", '[{ of = "current", measure = "t_uv", at_least = true }]', "of the wrong type"),
        ("conditions", '[{ of = "current", measure = "t_uv", at_least = 1, beyond_error = 1 }]', "of the wrong type"),
        ("conditions", '[{ of = "current", measure = "t_uv", at_least = [1] }]', "a limit is 1; write"),
        ("conditions", '[{ of = "current", measure = "t_uv", at_least = [{ leads = ["V2"] }] }]', "the field 'uv' is missing"),
        ("conditions", '[{ of = "current", measure = "t_uv", at_least = [{ uv = 1, sex = "m" }] }]', "sex is 'm'"),
        ("conditions", '[{ of = "current", measure = "t_uv", at_least = [{ uv = 1, age = 4 }] }]', "unknown field 'age'"),
        ("conditions", '[{ of = "current", measure = "t_shape", is = ["up"] }]', "is is 'up'"),
        ("conditions", '[{ measure = "t_uv", at_least = 1 }]', "the field 'of' is missing"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_rule(field: str, value: str, says: str) -> None:
    message = refused(**{field: value})
    assert says in message
    assert message.startswith("own.toml, criterion 1")
    if field != "id":
        assert message.startswith("own.toml, criterion 1 (mine)")


def test_the_second_rule_is_called_the_second() -> None:
    with pytest.raises(EcgError, match=r"^own.toml, criterion 2 \(b\): the field 'title'"):
        parse(FILE + '[[criterion]]\nid = "b"\n', "own.toml")
    with pytest.raises(EcgError, match=r"^own.toml: the id 'mine' is used twice"):
        parse(FILE + FILE, "own.toml")
    assert [each.id for each in parse(FILE + FILE.replace("mine", "other"), "own.toml")] == ["mine", "other"]


@pytest.mark.parametrize("text", ["", "criterion = 1", "criterion = []", "[criterion]\nid = 'x'"])
def test_a_file_without_rules_is_refused(text: str) -> None:
    with pytest.raises(EcgError, match=r"own.toml holds no \[\[criterion\]\] table"):
        parse(text, "own.toml")
    with pytest.raises(EcgError, match=r"own.toml is not valid TOML"):
        parse("a = ", "own.toml")


def test_conditions_that_all_look_at_one_ecg() -> None:
    found = parse_conditions(
        [{"measure": "t_uv", "at_most": 5}, {"of": "baseline", "measure": "q_uv", "at_most": 6}], "current", "x"
    )
    assert [(each.of, each.measure, each.at_most) for each in found] == [("current", "t_uv", 5.0), ("baseline", "q_uv", 6.0)]


def test_criteria_are_loaded_from_a_path_and_by_group(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(FILE)
    assert load_criteria(path) == load_criteria(str(path)) == (read(),)
    every = load_criteria()
    groups = {each.group for each in every}
    assert sum(len(load_criteria(group=group)) for group in groups) == len(every)
    assert all(each.group == "serial" for each in load_criteria(group="serial"))
    with pytest.raises(EcgError, match=r"no criteria of a group 'none'; the groups are "):
        load_criteria(group="none")
    with pytest.raises(EcgError, match="not from a int"):
        load_criteria(5)  # type: ignore[arg-type]
    with pytest.raises(EcgError, match="cannot read the criteria file"):
        load_criteria(tmp_path / "none.toml")
    path.write_bytes(b"\xff")
    with pytest.raises(EcgError, match="give a TOML file in UTF-8"):
        load_criteria(path)


# ---------------------------------------------------------------- the words that a file may use

CURRENT = 'of = "current"'


@pytest.mark.parametrize("word", ["narrow", "rbbb", "lbbb", "ivcd", "unknown"])
def test_kinds_of_conduction(word: str) -> None:
    found = read(requires=f'[{{ {CURRENT}, measure = "conduction", is = ["{word}"] }}]')
    assert found.requires[0].condition.one_of == (word,)


@pytest.mark.parametrize("measure", ["qrs_ms", "rate_bpm", "qtc_ms"])
def test_what_is_told_of_the_whole_ecg(measure: str) -> None:
    assert read(requires=f'[{{ {CURRENT}, measure = "{measure}", at_least = 1 }}]').requires[0].condition.measure == measure


@pytest.mark.parametrize("how", ["all", "any", "none"])
def test_in_how_many_leads_something_is_required(how: str) -> None:
    asked = read(requires=f'[{{ leads = ["II"], {CURRENT}, measure = "t_uv", at_least = 1, how = "{how}" }}]')
    assert asked.requires[0].how == how


def test_required_of_leads_is_all_of_them_unless_told_otherwise() -> None:
    assert (
        str(Requirement(Condition("current", "t_uv", at_least=1.0), ("II", "III"))) == "current t_uv >= +1 uV in all of II, III"
    )
    assert read(requires=f'[{{ leads = ["II"], {CURRENT}, measure = "t_uv", at_least = 1 }}]').requires[0].how == "all"


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_t_are_those_that_are_measured(shape: str) -> None:
    assert read(conditions=f'[{{ {CURRENT}, measure = "t_shape", is = ["{shape}"] }}]').conditions[0].one_of == (shape,)


SERIAL = (
    *("wide-qrs", "changed-conduction", "changed-leads", "changed-gain", "rotation", "electrode-position", "sampling-rate"),
    "pre-excitation",
)


def test_confounders_are_named_one_by_one_or_all_serial_ones_together() -> None:
    for name in (*SERIAL, "lvh-strain", "rate", "rhythm", "old-baseline", "reversed-order", "poor-quality"):
        assert read(undecided_with=f'["{name}"]').undecided_with == (name,)
    assert read(undecided_with='["serial", "rate"]').undecided_with == (*SERIAL, "rate")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("undecided_with", '["wide"]', "undecided_with is 'wide'; did you mean 'wide-qrs'?"),
        ("shown", '"st_j_u"', "shown is 'st_j_u'; did you mean 'st_j_uv'?"),
        ("conditions", f'[{{ {CURRENT}, measure = "t_shape", at_least = 1 }}]', "t_shape asks for 'is' with words"),
        ("conditions", f'[{{ {CURRENT}, measure = "t_uv", is = ["flat"] }}]', "t_uv asks for at_least or at_most with a number"),
        ("requires", f'[{{ {CURRENT}, measure = "conduction", at_most = 1 }}]', "conduction asks for 'is' with words"),
    ],
)
def test_a_word_in_the_wrong_place_is_named(field: str, value: str, says: str) -> None:
    assert says in refused(**{field: value})


def test_no_leads_asked_for_is_refused() -> None:
    assert "count is 0; give 1 or more" in refused(contiguous="", count="0")
    assert (read().group, read().territory, read().undecided_with) == ("", "", ())
    assert Criterion("a", "b", "c", "t_uv", ("II",), 1, (RISE,), "d").group == ""
