"""Courses in files: what is saved is read again, and what is wrong is refused in one line that says what to mend."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecgspasm as es
from ecgspasm.course import Course, CourseEcg, CourseEpisode, Exposure, MonitoredPeriod, entries, load_courses, toml_text
from ecgspasm.course.entry import encode, hints

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "data" / "index-case"


def example() -> str:
    text = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    return re.search(r"<!-- example -->\n```toml\n(.*?)```", text, re.S).group(1)  # type: ignore[union-attr]


def write(folder: Path, text: str, name: str = "course.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_what_is_saved_is_read_again(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "case"
    shutil.copytree(SHIPPED, folder)
    for course in (Course.load(folder / "course.toml"), Course.load(write(folder, example(), "example.toml")), Course()):
        course.save(folder / f"again.{ending}")
        assert Course.load(folder / f"again.{ending}") == course
    assert sorted(each.name for each in folder.iterdir() if each.name.startswith(".")) == []


def test_a_course_moved_to_an_upper_folder_keeps_its_ecgs(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "case")
    course = Course.load(tmp_path / "case" / "course.toml")
    course.save(tmp_path / "above.json")
    above = Course.load(tmp_path / "above.json")
    assert above.ecgs[0].source == "case/baseline.hea"
    assert above.naranjo().total == 9
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(es.EcgError, match=r"ecgs\[0\]: .*lies outside the folder"):
        course.save(tmp_path / "elsewhere" / "course.toml")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_example_of_the_documentation_loads(tmp_path: Path) -> None:
    course = Course.load(write(tmp_path, example()))
    assert course.suspects == ("sorafenib",)
    assert "there is no file" in course.changes()[1].reason
    # the episode at day 41 comes one day before the treatment that began on day 42
    assert course.rechallenge().verdict == "positive"
    assert str(course).startswith("sorafenib: ")


def test_the_documentation_names_every_key() -> None:
    text = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    classes = [
        Course,
        *(getattr(entries, name) for name in dir(entries) if hasattr(getattr(entries, name), "__dataclass_fields__")),
    ]
    keys = {key for cls in classes if cls.__module__.startswith("ecgspasm.course") for key in hints(cls)}
    assert {key for key in keys if f"`{key}`" not in text and f"[{key}]" not in text} == set()


BAD = {
    'exposures = [{drug = "a", start = 1}, {drug = "sorafenib", start = 2018-03-05, stop = 2018-03-01}]': "some times are dates",
    'exposures = [{drug = "sorafenib", start = 2018-03-05, stop = 2018-03-01}]': (
        r"exposures\[0\] \(sorafenib\) stops 2018-03-01 before it starts 2018-03-05; mend one of the two"
    ),
    'exposures = [{drug = "sorafenib", start = 0, stop = 9}, {drug = "Sorafenib", start = 5}]': "starts day 5 while exposures",
    'exposures = [{drug = "sorafenib"}]': r"exposures\[0\] \(sorafenib\): the start of a suspect drug is missing",
    "exposures = [{start = 1}]": r"exposures\[0\]: the key 'drug' is missing",
    'exposures = [{drug = "a", strat = 1}]': r"exposures\[0\]: unknown key 'strat' \(did you mean 'start'\?\); the keys are drug",
    'name = "A. Person"': "unknown key 'name'; the keys are title",
    'subject = {sex = "male", born = 1960-01-01}': "unknown key 'born'; the keys are sex, age, key",
    'subject = {sex = "man"}': "sex is 'man'",
    "subject = {key = 7}": "key is 7; give text",
    "subject = 7": "subject is 7; give a table",
    "exposures = 7": "exposures is 7; give a list of tables",
    "exposures = [7]": r"exposures\[0\] is 7; give a table",
    "schema = 2": "reads schema 1",
    "ecgs = [{time = nan}]": r"ecgs\[0\]: time is nan; give a number",
    "ecgs = [{time = true}]": "time is True",
    "ecgs = [{time = 1e9}]": "more than a lifetime",
    'ecgs = [{time = "soon"}]': "time is 'soon'; give days",
    "ecgs = [{time = 2018-03-05T10:00:00Z}]": "without a zone",
    'ecgs = [{time = 1, source = "/etc/passwd"}]': r"ecgs\[0\]: source '/etc/passwd' is no plain path",
    'ecgs = [{time = 1, source = "../x.hea"}]': r"ecgs\[0\]: source '../x.hea' is no plain path",
    'ecgs = [{time = 1, source = "a/../../x.hea"}]': "is no plain path",
    'ecgs = [{time = 1, source = "http://a/b"}]': "is no plain path",
    'ecgs = [{time = 1, symptoms = "pain"}]': "symptoms is 'pain'; give a list of texts",
    'ecgs = [{time = 1, context = "home"}]': "context is 'home'; the choices are clinic",
    'episodes = [{time = 1, leads = ["V99"]}]': "unknown lead name",
    "episodes = [{time = 1, count = 0}]": "whole number from 1 on",
    "ecgs = [{time = 0001-01-01}]": "year 1; give a year from 1880",
    "periods = [{start = 1, duration_h = 2, watched_h = 3}]": "watched_h is 3, but duration_h is 2",
    "periods = [{start = 1, duration_h = 1e300}]": "more than a lifetime",
    "periods = [{start = 1, duration_h = -1}]": "duration_h is -1; give 0 or more",
    "periods = [{start = 1, episodes = [{time = 0}]}]": r"periods\[0\].episodes\[0\] at day 0 lies before its period",
    "periods = [{start = 1, duration_h = 1, episodes = [{time = 2}]}]": "lies after its period",
    "periods = [{start = 1, duration_h = 48}, {start = 2, duration_h = 1}]": r"periods\[1\] starts before periods\[0\]",
    'periods = [{start = 1, attacks = "none", episodes = [{time = 1}]}]': "attacks is 'none', but attacks are listed",
    'answers = [{item = 11, answer = "yes"}]': "Naranjo's questions are 1 to 10",
    'answers = [{item = 1, answer = "yes"}, {item = 1, answer = "no"}]': "a second time",
    'answers = [{item = 1, answer = "maybe"}]': "the choices are yes, no, unknown",
    'answers = [{item = 1, answer = "yes", drug = "x"}]': "is about 'x'; the suspect drugs are none",
    'title = "a\\u0007b"': "title holds signs that cannot be printed",
    "title = ": "not valid TOML",
    '{"title": NaN}': "NaN is no number",
    '{"title": "a", "title": "b"}': "stands twice",
    '{"title": ': "not valid JSON",
    "[[course]]": "holds several courses",
}


@pytest.mark.parametrize("text", list(BAD))
def test_bad_input_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(es.EcgError, match=BAD[text]) as caught:
        Course.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_other_bad_files_are_refused(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00", b"x = " + b"[" * 100_000, b'{"a": ' * 100_000):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(es.EcgError) as caught:
            Course.load(tmp_path / "bad.toml")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600
    for path in (tmp_path, tmp_path / "none.toml", "http://a/b.toml"):
        with pytest.raises(es.EcgError):
            Course.load(path)
    with pytest.raises(es.EcgError, match="no list of tables named course"):
        load_courses(write(tmp_path, 'title = "one"'))


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "out").symlink_to(SHIPPED)
    with pytest.raises(es.EcgError, match="link out of the course's folder"):
        Course.load(write(folder, 'ecgs = [{time = 1, source = "out/baseline.hea"}]'))


def test_saving_refuses_what_it_cannot_keep(tmp_path: Path) -> None:
    made = es.simulate.ecg(fs=500, seed=1).ecg
    with pytest.raises(es.EcgError, match="ECG in memory"):
        Course(ecgs=[CourseEcg(0, made)]).save(tmp_path / "a.toml")
    with pytest.raises(es.EcgError, match="let the name end in"):
        Course().save(tmp_path / "a.yaml")
    with pytest.raises(es.EcgError, match="cannot be written"):
        Course().save(tmp_path / "none" / "a.toml")
    assert list(tmp_path.iterdir()) == []


def test_entries_made_in_python_are_checked_too() -> None:
    for make, words in (
        (lambda: Exposure(3), "drug is 3; give text"),  # type: ignore[arg-type]
        (lambda: Course(exposures=[{"drug": "a"}]), r"exposures\[0\] is .*; give a Exposure"),  # type: ignore[list-item]
        (lambda: Course(subject="man"), "give a Subject"),  # type: ignore[arg-type]
        (lambda: CourseEcg(float("inf")), "time is inf"),
        (lambda: Course(day0=5), "day0 is 5; give a date"),  # type: ignore[arg-type]
    ):
        with pytest.raises(es.EcgError, match=words):
            make()
    assert Exposure("a", start="2018-03-05T10:00").start == datetime(2018, 3, 5, 10)  # type: ignore[arg-type]


TEXT = st.text(alphabet=st.characters(categories=("L", "N", "P", "S"), include_characters=" \"\\'"), max_size=20)
TIMES = st.one_of(st.floats(-1000, 1000), st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)))


@settings(max_examples=60, deadline=None)
@given(TEXT, TIMES, TIMES, st.floats(0, 1000), st.booleans())
def test_round_trip_of_any_text_time_and_number(text: str, one: object, other: object, amount: float, flag: bool) -> None:
    course = Course(
        title=text,
        day0=datetime(2018, 3, 1, 0, 0, 0, 1),
        exposures=[Exposure("a" + text, start=one, dose=text, dose_mg_per_day=amount, start_assumed=flag)],  # type: ignore[arg-type]
        periods=[MonitoredPeriod(one, amount, [CourseEpisode(one, relieved_by=text)])],  # type: ignore[arg-type]
        episodes=[CourseEpisode(other, at_least=flag, note=text)],  # type: ignore[arg-type]
        references=[text, text],
    )
    from ecgspasm.course.entry import decode

    assert decode(Course, tomllib.loads(toml_text.dump(encode(course))), "") == course
    assert decode(Course, json.loads(json.dumps(encode(course), default=lambda each: each.isoformat())), "") == course


def test_replace_keeps_the_folder() -> None:
    course = Course.load(SHIPPED / "course.toml")
    assert replace(course, title="another").changes()[1].changed is True
