"""The report without a browser: its numbers, their schema, what it says, and that no text breaks out of it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.cli import main
from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.course import Course, CourseEcg, CourseEpisode, Exposure, Provocation
from ecgspasm.ecg import ST_OFFSETS_MS, Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io import write as write_ecg
from ecgspasm.leads import STANDARD
from ecgspasm.markup import Html, tag, typeset
from ecgspasm.processing.measure import ST_NAMES, measure
from ecgspasm.report import trends, words
from ecgspasm.report.data import as_json
from ecgspasm.report.kinds import short_source
from ecgspasm.serial.comparison import Comparison
from tests.test_trend_plot import monitored, ramp

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \u2028\u202e\"'"
SIZE = 2_000_000


def ecg(name: str) -> Ecg:
    return es.read(CASE / f"{name}.hea")


@pytest.fixture(scope="module")
def change() -> Comparison:
    return es.compare(ecg("baseline"), ecg("presentation"))


@pytest.fixture(scope="module")
def noisy() -> Comparison:
    """Against an ECG with muscle noise, a lead off, one drowned, and a gap."""
    rng = np.random.default_rng(3)
    now = ecg("presentation")
    signal = now.signal_uv + rng.normal(0.0, 60.0, now.signal_uv.shape) * np.linspace(0.5, 1.5, 12)[:, None]
    signal[now.index("V2")] = 0.0
    signal[now.index("aVL")] += rng.normal(0.0, 700.0, signal.shape[1])
    signal[:, 2000:2150] = np.nan
    return es.compare(ecg("baseline"), replace(now, signal_uv=signal))


@pytest.fixture(scope="module")
def day() -> Monitoring:
    """24 hours of twelve leads with four attacks and two gaps."""
    attacks = [(9000.0, 9600.0, 180.0), (30000.0, 30500.0, 260.0), (52000.0, 53000.0, 320.0), (70000.0, 70400.0, -160.0)]

    def shape(scale: float) -> Callable[[np.ndarray], Any]:
        return lambda t: 8.0 * np.sin(t / 4000.0) + sum(ramp(start, stop, uv * scale)(t) for start, stop, uv in attacks)

    changes = {
        lead: shape(scale) for lead, scale in {"V1": 0.7, "V2": 1.0, "V3": 1.0, "V4": 0.6, "III": -0.5, "aVF": -0.5}.items()
    }
    gaps = {"V5": (20000.0, 26000.0), "I": (40000.0, 40300.0)}
    return monitored(changes, leads=STANDARD, duration_s=86400.0, gaps=gaps, t_share=1.2, source=f"ward/{HOSTILE}")


@pytest.fixture(scope="module")
def test_of_spasm() -> Any:
    common: dict[str, Any] = {"fs": 250, "seed": 5, "duration_s": 700, "leads": ["V1", "V2", "V3", "V4"], "noise_uv": 8.0}
    changed = es.simulate.ecg(**common, st_uv={"V2": 300.0, "V3": 300.0}).ecg
    made = es.simulate.transient(es.simulate.ecg(**common).ecg, changed, [(300, 0), (360, 1), (480, 1), (540, 0)])
    return es.provocation(made, [(280, f"ergonovine {HOSTILE}"), (470, "nitroglycerin")])


def tables() -> Comparison:
    """Without waveforms."""
    table = es.Measurements.from_table(["V2", "V3"], {"st_j_uv": [10, 20], "t_uv": [310, np.nan]}, rate_bpm=70)
    return es.compare(table, table)


def not_comparable() -> Comparison:
    good = ecg("baseline")
    return es.compare(good, replace(good, signal_uv=np.zeros_like(good.signal_uv)))


def flat() -> Monitoring:
    return es.monitor(Ecg(signal_uv=np.zeros((1, 5000)), fs=250, leads=("V2",)))


def told(page: str) -> dict[str, Any]:
    """The numbers that stand in a page."""
    block = re.search(r'<script type="application/json" id="ecgspasm-data">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    found: dict[str, Any] = json.loads(block[1], parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    return found


def check(found: Any) -> dict[str, Any]:
    """The page of a result, with what holds for all: size, schema, no address, no handler, nothing unknown."""
    page = es.report.html(found)
    data = told(page)
    assert data == json.loads(json.dumps(es.report.data(found), allow_nan=False))
    name = data["schema"].removeprefix("ecgspasm.").partition("/")[0]
    schema = es.report.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)
    assert len(page.encode()) < SIZE
    without_data = re.sub(r"<script.*?</script>|<style>.*?</style>", "", page, flags=re.DOTALL)
    assert "://" not in without_data
    assert not re.search(r"<[^<>]*\s(?:on\w+|style)=", without_data)
    assert not re.search(r"(?i)\b(?:nan|inf|none|undefined)\b\s*(?:µV|ms|/min)", html.unescape(without_data))
    assert "not a medical device" in page
    return data


def test_a_comparison_tells_all_it_knows(change: Comparison) -> None:
    data = check(change)
    page = html.unescape(es.report.html(change))
    assert page.index("NEW T-wave inversion in V1–V3 (anteroseptal)") < page.index("Both beats")
    for each in (*change.findings, *change.definitions):
        assert typeset(each.source) in page
    assert data["leads"]["V3"]["t_uv"]["change"] == pytest.approx(
        change.changes["t_uv"].difference[change.leads.index("V3")], abs=5e-4
    )
    assert set(data["beats"]["current_uv"]) == set(change.leads)
    assert data["recordings"]["baseline"]["beats"]["dominant"] == 11


@pytest.mark.parametrize("made", [tables, not_comparable, flat, Course])
def test_what_there_is_little_to_tell_of_has_a_page_too(made: Callable[[], Any]) -> None:
    check(made())


def test_leads_that_were_not_measured_say_why(noisy: Comparison) -> None:
    data = check(noisy)
    page = html.unescape(es.report.html(noisy))
    assert "flat line; lead not connected?" in page
    assert "no heartbeat repeats in this lead" in page
    assert data["leads"]["V2"]["st_j_uv"]["change"] is None
    assert data["st_by_j"]["leads"]["V2"]["current"]["st_j_uv"][0] is None


def test_the_verdict_of_the_page_is_that_of_the_result(change: Comparison, noisy: Comparison, day: Monitoring) -> None:
    for found in (change, noisy, tables(), not_comparable(), day, flat()):
        head = re.search(r"<h1>(.*?)</h1>", es.report.html(found), re.DOTALL)
        assert head is not None
        shown = " ".join(html.unescape(re.sub(r"<.*?>", " ", head[1])).split())
        for part in re.split(r": |; ", typeset(found.verdict)):
            assert part.lower() in shown.lower()


@pytest.mark.parametrize("which", ["change", "noisy"])
def test_st_at_every_j_is_what_measure_gives_there(which: str, request: pytest.FixtureRequest) -> None:
    found: Comparison = request.getfixturevalue(which)
    data = es.report.data(found)["st_by_j"]
    assert found.aligned is not None
    assert (data["first_ms"], data["last_ms"]) == (-40, 80)
    for shift in (-40, -7, 0, 1, 23, 80):
        for side, analysis, onset in zip(
            ("baseline", "current"), (found.baseline, found.current), found.aligned.onset, strict=True
        ):
            assert analysis is not None
            assert analysis.median is not None
            j = onset + (found.aligned.j_ms + shift) * analysis.median.fs / 1000.0
            rr_ms = 60_000.0 / analysis.measurements.rate_bpm
            own = measure(analysis.median, analysis.quality, rr_ms=rr_ms, subject=Subject(), qrs_onset=onset, j=j)
            for lead in found.leads:
                for name in ST_NAMES.values():
                    value = data["leads"][lead][side][name][shift - data["first_ms"]]
                    assert value == pytest.approx(own.get(name, lead), abs=1e-3) or (
                        value is None and np.isnan(own.get(name, lead))
                    )
    common = found.changes["st_j60_uv"]
    row = found.leads.index("V4")
    at_common = data["leads"]["V4"]
    assert at_common["current"]["st_j60_uv"][40] == pytest.approx(common.current[row], abs=1e-3)
    assert at_common["half_width"]["st_j60_uv"][40] == pytest.approx(common.detectable[row], abs=1e-3)
    assert len(ST_OFFSETS_MS) == len(at_common["baseline"])


def test_a_day_is_decimated_and_loses_no_extremum(day: Monitoring) -> None:
    data = check(day)
    assert len(day.episodes) >= 4
    assert data["trend"]["rows_in_one"] > 1
    assert sum(len(row) for rows in data["trend"]["measures"].values() for row in rows.values()) < 1.1 * trends.MOST_VALUES
    for lead, values in zip(day.leads, day.deviation_uv("st_uv"), strict=True):
        kept = [value for value in data["trend"]["measures"]["st_uv"][lead] if value is not None]
        assert max(kept) == round(float(np.nanmax(values)))
        assert min(kept) == round(float(np.nanmin(values)))
    assert data["trend"]["time_s"] == sorted(data["trend"]["time_s"])
    inside = [
        value
        for at, value in zip(data["trend"]["time_s"], data["trend"]["measures"]["st_uv"]["V5"], strict=True)
        if 20100 < at < 25900
    ]
    assert inside
    assert set(inside) == {None}
    assert set(data["beats"]["episodes"]) == {str(place) for place in range(len(day.episodes))}
    shown = data["beats"]["episodes"]["0"]
    assert day.episodes[0].onset_s <= data["beats"]["beats"][str(shown["current"])]["at_s"] <= day.episodes[0].end_s
    assert shown["quiet_is_quiet"]


def test_decimation_keeps_order_and_gaps() -> None:
    values = np.array([[1.0, 9.0, 2.0, 8.0, -3.0, 4.0, np.nan, np.nan]])
    assert trends.extremes(values, 3).tolist()[0][:4] == [1.0, 9.0, 8.0, -3.0]
    assert np.isnan(trends.extremes(values, 3)[0, 4:]).all()


def test_a_course_and_a_test_are_told(test_of_spasm: Any) -> None:
    data = check(Course.load(CASE / "course.toml"))
    assert set(data["comparisons"]) == {"1", "2", "3", "4"}
    assert data["drugs"]["sorafenib"]["who_umc"]["category"] == "certain"
    page = html.unescape(es.report.html(Course.load(CASE / "course.toml")))
    for part in ("sorafenib: DEFINITE on Naranjo", "WHO-UMC: certain", "Did it come back when the drug was given again?"):
        assert part in page
    check(test_of_spasm)


def hostile_course() -> Course:
    now = replace(ecg("presentation"), source=HOSTILE)
    clean = HOSTILE.replace("\u2028", "").replace("\u202e", "")
    return Course(
        title=clean,
        subject=Subject(sex="male", age=59, key=clean),
        exposures=[Exposure(clean, start=0, stop=9, note=clean, dose=clean)],  # type: ignore[arg-type]
        ecgs=[CourseEcg(-1, ecg("baseline"), symptoms=()), CourseEcg(1, now, note=clean)],  # type: ignore[arg-type]
        episodes=[CourseEpisode(2, kind="symptoms", symptoms=(clean,))],  # type: ignore[arg-type]
        provocations=[Provocation(3, agent=clean, result="positive", finding=clean)],  # type: ignore[arg-type]
        outcome=clean,
    )


def test_what_others_have_written_stays_text(day: Monitoring, test_of_spasm: Any) -> None:
    subject = Subject(sex="male", age=59, key=HOSTILE)
    first, second = (replace(ecg(name), subject=subject, source=f"x/{HOSTILE}") for name in ("baseline", "ergonovine"))
    for found in (es.compare(first, second), day, test_of_spasm, hostile_course()):
        page = es.report.html(found)
        scripts = re.findall(r"<script[^>]*>", page)
        assert scripts.count("<script>") + 1 == len(scripts) <= 5
        assert "<img" not in page
        assert "\u202e" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
        told(page)
    for each in (
        es.compare(first, second),
        hostile_course(),
        es.analyze(second),
        day,
        test_of_spasm,
        es.provocation([(0, first), (9, second)], events=[(5, f"ergonovine {HOSTILE}")]),
    ):
        shown = each._repr_html_()
        assert "<script" not in shown
        assert "<img" not in shown


def test_a_text_in_the_numbers_cannot_end_their_element() -> None:
    written = as_json({"text": HOSTILE})
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == {"text": HOSTILE}


def test_markup_escapes_all_but_itself() -> None:
    assert tag("p", "<b>", tag("i", "a&b"), data_x='"') == '<p data-x="&quot;">&lt;b&gt;<i>a&amp;b</i></p>'
    assert tag("p", Html("<br>"), class_=None) == "<p><br></p>"
    assert typeset("a\u202eb\nc") == "a\ufffdb c"


def test_nothing_of_a_person_but_what_the_caller_gave(change: Comparison) -> None:
    subject = Subject(sex="female", age=47, key="case 7")
    pair = [
        replace(
            ecg(name),
            subject=subject,
            source=f"/home/Jane_Doe/hospital/{name}.hea; Doe, Jane",
            recorded_at=datetime(2019, 3, 5, 10),
        )
        for name in ("baseline", "presentation")
    ]
    page = es.report.html(es.compare(*pair))
    assert "Doe" not in page
    assert "/home" not in page
    assert "female, 47 years, case 7" in page
    assert "hospital/baseline.hea, 2019-03-05 10:00" in page
    assert short_source("C:\\data\\a\\b.edf") == "a/b.edf"


def test_the_same_result_is_the_same_page(change: Comparison, tmp_path: Path) -> None:
    es.report.write(change, tmp_path / "a.html")
    es.report.write(change, str(tmp_path / "b.HTML"))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.HTML").read_bytes() == es.report.html(change).encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.HTML"]


def test_it_says_what_it_cannot_do(change: Comparison, tmp_path: Path) -> None:
    for wrong, words_ in ((ecg("baseline"), "a report cannot be made of a Ecg; compare it"), ("text", "cannot be made of a str")):
        for action in (es.report.html, es.report.data, lambda each: es.report.write(each, tmp_path / "x.html")):
            with pytest.raises(EcgError, match=words_):
                action(wrong)
    for path, words_ in (
        (tmp_path / "none" / "x.html", "there is no folder"),
        (tmp_path / "x.pdf", "let its name end in .html"),
        ("http://x.html", "looks like an address"),
    ):
        with pytest.raises(EcgError, match=words_) as caught:
            es.report.write(change, path)
        assert "\n" not in str(caught.value)
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(EcgError, match="is a folder"):
        es.report.write(change, tmp_path / "folder.html")
    with pytest.raises(EcgError, match="no data of a kind 'x'"):
        es.report.schema("x")


def test_without_jinja2_it_says_what_to_install(change: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecgspasm.report import page

    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    page._templates.cache_clear()
    with pytest.raises(EcgError, match=r"pip install 'ecgspasm\[report\]'"):
        es.report.html(change)
    monkeypatch.undo()
    page._templates.cache_clear()


def test_numbers_are_written_as_in_print() -> None:
    assert [words.uv(value) for value in (12.4, -0.4, -12.5, float("nan"), None)] == ["+12", "0", "−12", "–", "–"]
    assert words.interval(-976.2, 534.0) == "−976 to +534"
    assert words.asked("change st_j_uv >= +100 uV") == "change ST at J ≥ +100 µV"
    assert words.probability_words(0.9999) == "> 0.99"


def test_every_command_with_a_report_writes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common: dict[str, Any] = {"fs": 250, "seed": 5, "duration_s": 400, "leads": ["V2", "V3"], "noise_uv": 8.0}
    changed = es.simulate.ecg(**common, st_uv={"V2": 300.0, "V3": 300.0}).ecg
    made = es.simulate.transient(es.simulate.ecg(**common).ecg, changed, [(150, 0), (170, 1), (260, 1), (280, 0)])
    record = str(tmp_path / "attack.hea")
    write_ecg(made, record, gain=1000)
    jobs = {
        "comparison": ["compare", str(CASE / "baseline.hea"), str(CASE / "presentation.hea")],
        "monitoring": ["monitor", record],
        "provocation": ["provocation", record, "--event", "140=ergonovine", "--event", "250=nitroglycerin"],
        "course": ["course", str(CASE / "course.toml")],
    }
    for kind, job in jobs.items():
        path = tmp_path / f"{kind}.html"
        assert main([*job, "--report", str(path)]) == 0
        assert told(path.read_text(encoding="utf-8"))["schema"] == f"ecgspasm.{kind}/1"
        assert str(path) in capsys.readouterr().err
    assert main([*jobs["comparison"], "--report", str(tmp_path / "none" / "x.html")]) == 1
    told_err = capsys.readouterr()
    assert told_err.out == ""
    assert told_err.err.count("\n") == 1


def spasm_unmeasured() -> Any:
    """A test whose baseline was measured, and nothing after the event."""
    empty = replace(ecg("ergonovine"), signal_uv=np.zeros_like(ecg("ergonovine").signal_uv))
    return es.provocation([(0, ecg("baseline")), (180, empty)], events=[(60, "ergonovine")])


@pytest.mark.parametrize("made", [lambda: es.analyze(ecg("baseline")), tables, not_comparable, flat, Course, spasm_unmeasured])
def test_notebooks_show_a_card(made: Callable[[], Any]) -> None:
    shown = made()._repr_html_()
    assert "not a medical device" in shown
    assert shown.count("<div") == shown.count("</div>")
    assert "nan" not in re.sub(r"<.*?>", " ", shown)


def test_the_cards_tell_the_verdict(change: Comparison, day: Monitoring, test_of_spasm: Any) -> None:
    for found in (change, day, test_of_spasm, Course.load(CASE / "course.toml")):
        shown = html.unescape(found._repr_html_())
        verdict = found.verdict if not isinstance(found, Course) else "sorafenib: DEFINITE on Naranjo"
        assert typeset(verdict) in shown
        assert len(shown) < 60_000
    assert "<svg" in change._repr_html_()


def test_the_card_of_a_provocation_has_a_row_a_phase() -> None:
    shown = html.unescape(spasm_unmeasured()._repr_html_())
    assert shown.count("<tr") == 3
    assert "not measured: " in shown
    assert "does not exclude spasm" in shown
