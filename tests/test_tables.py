"""Comparison of measurement tables without waveforms, the settings of the electrodes, the score, and what is printed."""

from __future__ import annotations

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Measurements
from ecgspasm.leads import STANDARD
from ecgspasm.serial.repeatability import ELECTRODES, repeat_sd
from ecgspasm.serial.vessel import vessel_leads, vessel_table


def table(st: dict[str, float], t: dict[str, float] | None = None) -> Measurements:
    values = {
        "st_j60_uv": [st.get(lead, 0.0) for lead in STANDARD],
        "t_uv": [(t or {}).get(lead, -200.0 if lead == "aVR" else 250.0) for lead in STANDARD],
    }
    return Measurements.from_table(STANDARD, values, rate_bpm=70.0)


def occlusion(size: float) -> Measurements:
    """ST and T raised in V1-V5, as under occlusion of the LAD."""
    share = {"V1": 0.3, "V2": 0.8, "V3": 1.0, "V4": 0.7, "V5": 0.2}
    st = {lead: size * part for lead, part in share.items()}
    return table(st, {"aVR": -200.0} | {lead: 250.0 + value for lead, value in st.items()})


def test_tables_of_measurements_are_compared() -> None:
    change = es.compare(table({}), occlusion(300.0), electrodes="same")
    assert change.comparable
    assert change.baseline is None
    frame = change.to_frame().set_index("lead")
    assert frame.loc["V3", "st_j60_uv_change"] == 300.0
    assert np.isnan(frame.loc["V3", "st_j_uv_change"])
    assert change.score.probability > 0.9
    assert change.to_dict()["vectors"]["change"]["st_j60_uv"] > 100.0


def test_a_rule_whose_measure_the_table_lacks_is_undecided() -> None:
    change = es.compare(table({}), table({"V2": 250.0, "V3": 300.0}))
    verdicts = {each.criterion: each.verdict for each in change.findings}
    assert verdicts["new-st-elevation"] == "UNDECIDED"
    assert verdicts["new-t-inversion"] == "NOT_MET"
    rules = [rule.at("st_j60_uv") for rule in es.load_criteria(group="serial")]
    change = es.compare(table({}), table({"V2": 250.0, "V3": 300.0}), criteria=rules)
    assert {each.criterion for each in change.findings if each.verdict == "MET"} == {"new-st-elevation"}


def test_a_table_and_an_ecg_can_be_compared() -> None:
    made = es.simulate.ecg(fs=500, seed=1).ecg
    own = es.analyze(made).measurements
    values = {name: own.values[name] for name in ("st_j_uv", "st_j60_uv", "t_uv")}
    change = es.compare(made, Measurements.from_table(own.leads, values), criteria=())
    assert np.nanmax(np.abs(change.changes["st_j60_uv"].difference)) < 1e-6


def test_there_is_nothing_to_draw_of_tables() -> None:
    with pytest.raises(es.EcgError, match="no waveform to draw"):
        es.plot.comparison(es.compare(table({}), table({})))


@pytest.mark.parametrize(
    ("values", "intervals", "said"),
    [
        ({"st_60": [1.0, 2.0]}, {}, "no measure 'st_60'"),
        ({"st_j_uv": [1.0]}, {}, "give one value for each of the 2 leads"),
        ({"st_j_uv": ["a", "b"]}, {}, "not a row of numbers"),
        ({"st_j_uv": [1.0, 2.0]}, {"rate": 70.0}, "no interval 'rate'"),
    ],
)
def test_a_mistake_in_a_table_is_named(values: dict[str, list[float]], intervals: dict[str, float], said: str) -> None:
    with pytest.raises(es.EcgError, match=said):
        Measurements.from_table(["V1", "V2"], values, **intervals)


def test_electrodes_are_same_or_fresh() -> None:
    with pytest.raises(es.EcgError, match="give 'same'"):
        es.compare(table({}), table({}), electrodes="old")  # type: ignore[arg-type]


def test_fresh_electrodes_ask_for_a_larger_change() -> None:
    for measure in ("st_j_uv", "st_j60_uv", "t_uv"):
        same, fresh = (repeat_sd(measure, ("V2", "V3", "V4"), each, np.full(3, 500.0)) for each in ELECTRODES)
        assert (fresh > same).all()
    made = es.simulate.ecg(fs=500, seed=1).ecg
    limits = [es.compare(made, made, electrodes=each).changes["st_j60_uv"].detectable for each in ELECTRODES]
    assert (limits[1][6:10] > limits[0][6:10]).all()


def test_a_larger_t_wave_repeats_worse_and_an_unknown_lead_as_badly_as_the_worst() -> None:
    small, large = (repeat_sd("t_uv", ("V3",), "fresh", np.array([size])) for size in (100.0, 1000.0))
    assert large > small + 100.0
    assert repeat_sd("st_j_uv", ("V8",), "fresh", np.zeros(1)) == repeat_sd("st_j_uv", STANDARD, "fresh", np.zeros(12)).max()


def test_probability_of_a_change_is_a_half_at_the_limit() -> None:
    change = es.compare(table({}), table({"V2": 100.0})).changes["st_j60_uv"]
    row = STANDARD.index("V2")
    assert change.probability(at_least=100.0)[row] == pytest.approx(0.5)
    assert change.probability(at_least=0.0)[row] > 0.9
    assert change.probability(at_most=-50.0)[row] < 0.05
    with pytest.raises(es.EcgError, match="one limit"):
        change.probability()


def test_the_score_grows_with_the_change_and_needs_all_leads() -> None:
    for electrodes in ELECTRODES:
        said = [
            es.compare(table({}), occlusion(size), electrodes=electrodes).score.probability for size in (0.0, 50.0, 150.0, 400.0)
        ]
        assert said == sorted(said)
        assert said[0] < 0.1
        assert said[-1] > 0.9
    few = Measurements.from_table(["V2"], {"st_j60_uv": [0.0], "t_uv": [100.0]})
    assert "are needed" in es.compare(few, few).score.reason


def test_a_confounder_takes_the_score_away() -> None:
    made = es.simulate.ecg(fs=500, seed=1).ecg
    turned = es.Ecg(signal_uv=np.concatenate([-made.signal_uv[:1], made.signal_uv[1:]]), fs=500, leads=made.leads)
    score = es.compare(made, turned).score
    assert np.isnan(score.probability)
    assert "I turned upside down" in score.reason


def test_vessel_leads_are_weighted_sums() -> None:
    one, other = (vessel_leads(table(st), "st_j60_uv") for st in ({"V2": 100.0}, {"V2": 100.0, "V3": 100.0}))
    weight = vessel_table()["weight"]["LAD"]
    assert other["LAD"] - one["LAD"] == pytest.approx(100.0 * weight[vessel_table()["leads"].index("V3")])
    assert all(np.isnan(value) for value in vessel_leads(table({})).values())


def test_every_value_has_an_error_and_a_state() -> None:
    found = es.analyze(es.simulate.ecg(fs=500, seed=1).ecg).measurements
    assert set(found.se) == set(found.values)
    row = found.leads.index("V2")
    for measure in ("st_j_uv", "t_uv", "r_uv", "qrs_area_uv_ms", "t_area_uv_ms"):
        assert found.se[measure][row] > 0.0
        assert found.state_of(measure, "V2") == "measured"
    assert found.state_of("st_j_uv", "V9") == "not_measurable: not recorded"
    few = es.Measurements.from_table(["V1", "V2"], {"st_j60_uv": [1.0, np.nan], "t_uv": [np.nan, np.nan]})
    assert few.state_of("t_uv", "V1") == "absent"
    assert few.state_of("st_j_uv", "V1") == "not_measurable: st_j_uv is not in the table"
    assert few.state_of("t_uv", "V2").startswith("not_measurable: no value")


def test_nothing_found_says_what_could_have_been_found() -> None:
    made = es.simulate.ecg(fs=500, seed=1).ecg
    change = es.compare(made, made)
    assert change.verdict == "No new change found"
    first = str(change).splitlines()[0]
    assert first.startswith("No new change found; a change could have been found with fresh electrodes: ST at J from ")


def test_a_finding_names_criterion_leads_values_limits_and_source() -> None:
    change = es.compare(es.simulate.ecg(fs=500, seed=1).ecg, es.simulate.ecg(fs=500, seed=1, st_uv={"V2": 300, "V3": 300}).ecg)
    said = str(change)
    assert said.startswith("NEW ST elevation in V")
    line = next(each for each in said.splitlines() if each.startswith("new ST elevation (new-st-elevation) in V"))
    assert "limits: change st_j_uv >= +100 uV" in line
    assert "source: Thygesen" in line
    found = next(each for each in change.findings if each.criterion == "new-st-elevation")
    assert found.values["V2"]["threshold"] == 100.0
    assert found.values["V2"]["probability"] > 0.95
    assert found.measure == "st_j_uv"


def test_the_table_has_at_most_twelve_rows() -> None:
    made = es.simulate.ecg(fs=500, seed=1).ecg
    more = [made["V6"] * share for share in (0.9, 0.8, 0.7)]
    wide = es.Ecg(signal_uv=np.concatenate([made.signal_uv, more]), fs=500, leads=(*made.leads, "V7", "V8", "V9"))
    said = str(es.compare(wide, wide)).splitlines()
    assert "(3 more leads in to_frame())" in said
    assert sum(line[:4].strip() in wide.leads for line in said) == 12
