"""The pages as a reader uses them, in Chromium: from the disk, by mouse and keyboard, light and dark, printed, without script."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.course import Course
from ecgspasm.ecg import Subject
from ecgspasm.processing.measure import ST_NAMES, measure
from ecgspasm.serial.comparison import Comparison
from tests.browser import TOO_PALE, browser, opened
from tests.test_report import CASE, HOSTILE, day, ecg, hostile_course, noisy, not_comparable, test_of_spasm

__all__ = ["day", "noisy", "test_of_spasm"]  # fixtures

test_of_spasm.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def change() -> Comparison:
    """With a text that would like to be markup."""
    subject = Subject(sex="male", age=59, key=HOSTILE)
    return es.compare(*(replace(ecg(name), subject=subject, source=f"x/{HOSTILE}") for name in ("baseline", "ergonovine")))


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory, change: Comparison, noisy: Comparison, day: Any, test_of_spasm: Any
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {"comparison": change, "noisy": noisy, "nothing": not_comparable(), "monitoring": day, "provocation": test_of_spasm}
    found |= {"course": Course.load(CASE / "course.toml"), "hostile": hostile_course()}
    for name, each in found.items():
        es.report.write(each, folder / f"{name}.html")
        assert (folder / f"{name}.html").stat().st_size < 2_000_000
    return {name: folder / f"{name}.html" for name in found}


def shown(page: Any) -> dict[str, list[str]]:
    """The numbers that the page shows of the lead that is pointed at, by row."""
    rows = page.locator(".readout tbody tr").all_inner_texts()
    return {cells[0]: cells[1:] for cells in (row.split("\t") for row in rows)}


def number(text: str) -> float:
    return float(text.replace("−", "-")) if text != "–" else float("nan")


def python_says(change: Comparison, lead: str, shift: int) -> dict[str, list[float]]:
    """ST at J to J+80 at a J so many ms from the common one, as `measure` gives it."""
    assert change.aligned is not None
    found = {}
    for name, analysis, onset in zip(
        ("baseline", "current"), (change.baseline, change.current), change.aligned.onset, strict=True
    ):
        assert analysis is not None
        assert analysis.median is not None
        j = onset + (change.aligned.j_ms + shift) * analysis.median.fs / 1000.0
        rr_ms = 60_000.0 / analysis.measurements.rate_bpm
        own = measure(analysis.median, analysis.quality, rr_ms=rr_ms, subject=Subject(), qrs_onset=onset, j=j)
        found[name] = [own.get(measure_, lead) for measure_ in ST_NAMES.values()]
    return found


def agree(page: Any, change: Comparison, lead: str, shift: int) -> None:
    """What the page shows is what Python measures, but for rounding to whole microvolts."""
    rows, own = shown(page), python_says(change, lead, shift)
    for name in ("baseline", "current"):
        assert [number(cell) for cell in rows[name][:5]] == pytest.approx(own[name], abs=0.502, nan_ok=True)
    moved = np.subtract(own["current"], own["baseline"])
    assert [number(cell) for cell in rows["change"][:5]] == pytest.approx(moved, abs=0.503, nan_ok=True)


def test_pointing_at_a_lead_shows_its_numbers(running: Any, pages: dict[str, Path], change: Comparison) -> None:
    with opened(running, pages["comparison"]) as page:
        for lead in ("V2", "aVF"):
            page.locator(f'.lead[data-lead="{lead}"] svg').hover()
            assert page.locator(".said").first.inner_text().startswith(f"{lead}: ST at J")
            agree(page, change, lead, 0)
            row = change.leads.index(lead)
            assert number(shown(page)["change"][5]) == round(float(change.changes["t_uv"].difference[row]))
            low, high = change.changes["st_j_uv"].low[row], change.changes["st_j_uv"].high[row]
            assert shown(page)["95 % interval"][0].replace("−", "-") == f"{round(low):+d} to {round(high):+d}"


@pytest.mark.parametrize("which", ["comparison", "noisy"])
def test_j_is_moved_by_keyboard_and_st_is_measured_there(
    running: Any, pages: dict[str, Path], change: Comparison, noisy: Comparison, which: str
) -> None:
    compared = change if which == "comparison" else noisy
    with opened(running, pages[which]) as page:
        # by Tab from the slider: toolbar, then the leads in their order
        page.locator("#j").focus()
        for _ in range(6):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.dataset.lead ?? ''"):
                break
        assert page.evaluate("document.activeElement.dataset.lead") == "I"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        for key, shift in (
            ("ArrowRight", 1),
            ("Shift+ArrowRight", 11),
            ("Shift+ArrowLeft", 1),
            ("Shift+ArrowLeft", -9),
            ("ArrowLeft", -10),
        ):
            page.keyboard.press(key)
            agree(page, compared, "I", shift)
            assert page.locator(".j-tool output").inner_text() == f"{'+' if shift > 0 else '−'}{abs(shift)} ms"
        for lead in ("V3", "V1"):
            page.locator(f'.lead[data-lead="{lead}"]').focus()
            agree(page, compared, lead, -10)
        page.locator("#j").fill("80")
        agree(page, compared, "V1", 80)
        small = page.locator('.lead[data-lead="V1"] .small').inner_text()
        moved = python_says(compared, "V1", 80)
        assert number(small.split()[1]) == pytest.approx(moved["current"][0] - moved["baseline"][0], abs=0.51)
        page.get_by_role("button", name="Back to the common J").click()
        agree(page, compared, "V1", 0)
        page.locator("#j").focus()
        page.keyboard.press("End")
        agree(page, compared, "V1", int(page.locator("#j").input_value()))


def test_j_is_moved_by_mouse_in_all_leads(running: Any, pages: dict[str, Path], change: Comparison) -> None:
    with opened(running, pages["comparison"]) as page:
        line = page.locator('.lead[data-lead="V2"] .grip')
        line.scroll_into_view_if_needed()
        box = line.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
        before = page.locator('.lead[data-lead="V5"] .j').bounding_box()["x"]
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 10, y)
        page.mouse.move(x + 20, y)
        page.mouse.up()
        shift = int(page.locator("#j").input_value())
        scale = page.locator('.lead[data-lead="V2"] svg').bounding_box()["width"] / float(
            page.locator('.lead[data-lead="V2"] svg').get_attribute("viewBox").split()[2]
        )
        assert shift == pytest.approx(20 / scale / 0.025, abs=1.0)
        agree(page, change, "V2", shift)
        assert page.locator('.lead[data-lead="V5"] .j').bounding_box()["x"] - before == pytest.approx(20, abs=1.0)
        assert page.locator(".leads.alone").count() == 0  # dragging is not clicking


def test_the_views_show_one_curve_both_or_their_difference(running: Any, pages: dict[str, Path]) -> None:
    with opened(running, pages["comparison"]) as page:
        curves = {name: page.locator(f'.lead[data-lead="V2"] .curve.{name}') for name in ("baseline", "current", "difference")}
        for view, seen in (
            ("Baseline", ["baseline"]),
            ("Current", ["current"]),
            ("Difference", ["difference"]),
            ("Both", ["baseline", "current"]),
        ):
            page.locator(f'.views label:has-text("{view}")').click()
            assert [name for name, curve in curves.items() if curve.is_visible()] == seen
        page.locator('.views input[value="both"]').focus()
        page.keyboard.press("ArrowRight")
        assert not curves["current"].is_visible()


def test_one_lead_alone_closer_and_back(running: Any, pages: dict[str, Path]) -> None:
    with opened(running, pages["comparison"]) as page:
        v3 = page.locator('.lead[data-lead="V3"]')
        small = v3.locator("svg").bounding_box()["width"]
        v3.locator("svg").click(position={"x": 40, "y": 30})
        assert page.locator(".lead:visible").count() == 1
        assert v3.locator("svg").bounding_box()["width"] > 2 * small
        whole = v3.locator("svg").get_attribute("viewBox")
        page.get_by_role("button", name="Closer").click()
        closer = v3.locator("svg").get_attribute("viewBox")
        assert float(closer.split()[2]) == pytest.approx(float(whole.split()[2]) / 1.5, abs=0.01)
        box = v3.locator("svg").bounding_box()
        page.mouse.move(box["x"] + 300, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(box["x"] + 250, box["y"] + 180)
        page.mouse.up()
        assert v3.locator("svg").get_attribute("viewBox") != closer
        page.mouse.wheel(0, 300)
        v3.focus()
        page.keyboard.press("-")
        page.keyboard.press("-")
        assert v3.locator("svg").get_attribute("viewBox").split() == pytest.approx(whole.split()) or [
            float(each) for each in v3.locator("svg").get_attribute("viewBox").split()
        ] == pytest.approx([float(each) for each in whole.split()], abs=0.01)
        page.keyboard.press("ArrowDown")
        assert page.locator(".lead:visible").get_attribute("data-lead") == "V4"
        page.keyboard.press("Escape")
        assert page.locator(".lead:visible").count() == 12
        assert page.evaluate("document.activeElement.dataset.lead") == "V4"


def test_rhythm_strips_can_be_hidden(running: Any, pages: dict[str, Path]) -> None:
    with opened(running, pages["comparison"]) as page:
        assert page.locator(".strip svg:visible").count() == 2
        page.get_by_role("button", name="Hide the strips").click()
        assert page.locator(".strip svg:visible").count() == 0
        page.get_by_role("button", name="Show the strips").press("Enter")
        assert page.locator(".strip svg:visible").count() == 2


def test_what_others_have_written_stays_text(running: Any, pages: dict[str, Path]) -> None:
    for name in ("comparison", "monitoring", "provocation", "hostile"):
        with opened(running, pages[name]) as page:
            assert page.locator("img").count() == 0
            assert "<img src=x onerror=alert(2)>" in page.locator("main").inner_text()


def test_a_policy_keeps_all_out(running: Any, pages: dict[str, Path]) -> None:
    context = running.new_context()
    page = context.new_page()
    page.goto(pages["comparison"].as_uri())
    broken, refused = page.evaluate("""async () => {
      const refused = [];
      document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
      const script = document.createElement("script"); script.textContent = "window.broken = 1"; document.body.append(script);
      const image = document.createElement("img"); document.body.append(image); image.src = "data:image/gif;base64,R0lGOD";
      document.body.insertAdjacentHTML("beforeend", "<p style='color:red' onclick='window.broken=1'>x</p>");
      document.querySelector("p[onclick]").click();
      await fetch("file:///etc/hostname").catch(() => 0);
      await new Promise((done) => setTimeout(done, 100));
      return [window.broken ?? null, refused];
    }""")
    context.close()
    assert broken is None
    assert {"script-src-elem", "script-src-attr", "img-src", "style-src-attr", "connect-src"} <= set(refused)


@pytest.mark.parametrize("name", ["comparison", "noisy", "monitoring", "provocation", "course"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(running: Any, pages: dict[str, Path], name: str, scheme: str) -> None:
    with opened(running, pages[name], color_scheme=scheme) as page:
        looked, pale = page.evaluate(TOO_PALE)
        assert looked > 20
        assert pale == []
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", dark)[:3])) < 150) == (scheme == "dark")


@pytest.mark.parametrize("name", ["comparison", "monitoring", "provocation", "course"])
def test_without_script_all_but_the_moving_parts_is_there(running: Any, pages: dict[str, Path], name: str) -> None:
    with opened(running, pages[name], java_script_enabled=False) as page:
        assert page.locator("h1 .what").first.is_visible()
        assert page.locator("main table:visible").count() >= 2
        drawn = {"comparison": ".lead svg", "monitoring": ".lanes", "provocation": ".lanes", "course": ".timeline"}[name]
        assert page.locator(f"{drawn}:visible").count() == (12 if name == "comparison" else 1)
        assert page.locator("button:visible, input:visible, select:visible").count() == 0


@pytest.mark.parametrize("name", ["comparison", "monitoring", "provocation", "course"])
def test_it_prints_on_a4_and_nothing_is_cut_off(running: Any, pages: dict[str, Path], name: str, tmp_path: Path) -> None:
    from pdfminer.high_level import extract_pages
    from pdfminer.layout import LTTextContainer

    with opened(running, pages[name], color_scheme="dark") as page:
        if name == "comparison":
            page.locator('.lead[data-lead="V3"] svg').click()  # one lead alone on the screen is not so on paper
        printed = page.pdf(prefer_css_page_size=True, print_background=True)
        ends = [
            row.split("\t")[-1].split()[-1:]
            for row in page.locator(
                "main section > .scroll tbody tr, main article .scroll:not(.readout *) tbody tr"
            ).all_inner_texts()
            if row.strip()
        ]
    sheets = list(extract_pages(io.BytesIO(printed)))
    assert 2 <= len(sheets) <= 14
    margin = 14.0 / 25.4 * 72.0 - 2.0
    words = ""
    for sheet in sheets:
        assert (sheet.width, sheet.height) == pytest.approx((595.3, 841.9), abs=1.0)
        for box in sheet:
            if isinstance(box, LTTextContainer):
                assert box.x0 >= margin
                assert box.x1 <= sheet.width - margin
                words += box.get_text()
    for part in ("not a medical device", "Method and version", "Sources", *(end[0] for end in ends if end)):
        assert part.replace(" ", "") in re.sub(r"\s", "", words)
    if name == "comparison":
        assert all(lead in words for lead in ("aVR", "V1", "V6"))


def test_it_fits_a_narrow_window(running: Any, pages: dict[str, Path]) -> None:
    for name in ("comparison", "monitoring", "provocation", "course"):
        with opened(running, pages[name], viewport={"width": 390, "height": 800}) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_trend_is_zoomed_by_mouse_and_keyboard(running: Any, pages: dict[str, Path], day: Any) -> None:
    with opened(running, pages["monitoring"], viewport={"width": 1280, "height": 1300}) as page:
        said = page.locator("[data-trend] .said")
        assert page.locator(".live canvas").count() == 13
        assert page.locator(".lanes").is_hidden()
        assert said.inner_text() == "The whole recording is shown."
        over = page.locator(".live .u-over").nth(6)
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 20)
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
        page.mouse.up()
        assert re.fullmatch(r"Shown: (5:5|6:0)\d:\d\d to 1[12]:\d\d:\d\d\.", said.inner_text())
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
        assert page.locator(".at").inner_text().startswith("at ")
        assert page.locator(".live small").nth(6).inner_text() != ""
        page.get_by_role("button", name="Whole").click()
        page.locator(".live").focus()
        page.keyboard.press("+")
        assert said.inner_text() == "Shown: 6:00:00 to 18:00:00."
        page.keyboard.press("ArrowRight")
        assert said.inner_text() == "Shown: 10:00:00 to 22:00:00."
        page.keyboard.press("0")
        assert said.inner_text() == "The whole recording is shown."
        listed = [int(each.get_attribute("data-episode")) for each in page.locator("button[data-episode]").all()]
        chosen = int(page.locator("tr.chosen").get_attribute("data-place"))
        page.keyboard.press("]")
        place = listed[(listed.index(chosen) + 1) % len(listed)]
        following = day.episodes[place]
        assert f"{place + 1}: {following.kind}, {following.measure}" in said.inner_text()
        page.locator("select").select_option("st_uv")
        assert page.locator(".live canvas").count() == 13


def test_an_episode_is_shown_with_its_beats(running: Any, pages: dict[str, Path], day: Any) -> None:
    with opened(running, pages["monitoring"]) as page:
        path = page.locator('[data-beats] .lead[data-lead="V2"] .curve.current')
        seen = set()
        for place, each in enumerate(day.episodes[:4]):
            page.locator(f'button[data-episode="{place}"]').click()
            assert page.locator(f'tr[data-place="{place}"]').get_attribute("class") == "chosen"
            assert f"{place + 1}: beat of" in page.locator("[data-beats] .which").inner_text()
            seen.add(path.get_attribute("d"))
            part = each.by_lead["V2"]
            small = page.locator('[data-beats] .lead[data-lead="V2"] .small').inner_text()
            assert small.replace("−", "-") == f"{each.measure} {round(part.extremum_uv):+d} µV"
        assert len(seen) > 1


def test_a_test_of_spasm_has_its_events_marked(running: Any, pages: dict[str, Path]) -> None:
    with opened(running, pages["provocation"]) as page:
        assert page.locator(".live canvas").count() == 5
        page.get_by_role("button", name="Closer").click()
        assert "Shown:" in page.locator(".said").inner_text()
    with opened(running, pages["provocation"], java_script_enabled=False) as page:
        assert page.locator(".mark-name").all_text_contents() == ["A", "B"]


def test_each_ecg_of_a_course_has_its_overlay(running: Any, pages: dict[str, Path]) -> None:
    with opened(running, pages["course"]) as page:
        figures = page.locator("figure.overlay")
        assert figures.count() == 4
        figures.nth(1).locator('.lead[data-lead="V2"] svg').hover()
        assert figures.nth(1).locator(".said").inner_text().startswith("V2: ST at J")
        assert page.locator("#j").count() == 0
        figures.nth(0).locator('.views label:has-text("Difference")').click()
        assert figures.nth(0).locator('.lead[data-lead="V2"] .curve.current').is_hidden()
        assert figures.nth(1).locator('.lead[data-lead="V2"] .curve.current').is_visible()
