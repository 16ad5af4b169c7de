"""Lists, criteria and courses of strangers: so large, so deep, and no more."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import ecgspasm as es
from ecgspasm import criteria
from ecgspasm.batching import inputs, manifest
from ecgspasm.course import files
from ecgspasm.criteria.bounded_toml import toml_table
from ecgspasm.errors import EcgError

CRITERIA = Path(criteria.__file__).parent


def refused(path: Path | str, read: object = es.load_courses) -> str:
    start = time.process_time()
    with pytest.raises(EcgError) as caught:
        read(path)  # type: ignore[operator]
    assert time.process_time() - start < 2.0
    assert str(caught.value).isprintable()
    return str(caught.value)


def put(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_a_list_has_so_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inputs.MAX_LIST_BYTES == 134_217_728
    path = put(tmp_path / "list.csv", "record\na.hea\nb.hea\n")
    monkeypatch.setattr(inputs, "MAX_LIST_BYTES", 19)
    assert len(inputs.tasks("measure", path)) == 2
    monkeypatch.setattr(inputs, "MAX_LIST_BYTES", 18)
    assert "list.csv has 19 bytes, more than the 18" in refused(path, lambda each: inputs.tasks("measure", each))
    path.write_bytes(b"record\n\xff.hea\n")
    assert "write it as UTF-8 text" in refused(path, lambda each: inputs.tasks("measure", each))


def test_criteria_have_so_many_bytes(tmp_path: Path) -> None:
    text = (CRITERIA / "serial.toml").read_text(encoding="utf-8")
    filled = text + "#" * (criteria.MAX_CRITERIA_BYTES - len(text.encode()))
    assert criteria.MAX_CRITERIA_BYTES == 524_288
    assert criteria.load_criteria(put(tmp_path / "own.toml", filled)) == criteria.load_criteria(CRITERIA / "serial.toml")
    assert "more than the 524288 bytes" in refused(put(tmp_path / "own.toml", filled + "#"), criteria.load_criteria)
    assert "cannot read the criteria file" in refused(tmp_path, criteria.load_criteria)
    (tmp_path / "own.toml").write_bytes(b"a = '\xff'")
    assert "give a TOML file in UTF-8" in refused(tmp_path / "own.toml", criteria.load_criteria)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.toml")
        assert "there is no such file" in refused(tmp_path / "pipe.toml", criteria.load_criteria)


@pytest.mark.parametrize("part", ["a", '"a"', "'a'", '"\\"."', "'.\"'", "a-1"])
@pytest.mark.parametrize("dot", [".", " . ", "\t."])
def test_a_key_has_32_parts_at_most(part: str, dot: str) -> None:
    for before, behind in (
        ("", " = 1"),
        ("[", "]"),
        ("[[", "]]"),
        ("x = {", " = 1}"),
        ("x = 1\n", " = 1"),
        ('x = "\\""\n', " = 1"),
    ):
        toml_table(before + dot.join([part] * 32) + behind, "it")
        with pytest.raises(EcgError, match="a key has more than 32 parts"):
            toml_table(before + dot.join([part] * 33) + behind, "it")


def test_texts_with_many_dots_are_no_keys() -> None:
    for text in ("One two. " * 99, "." * 99, "1.5, " * 99, "a.b " * 99, "https://a.b.c/d.e.f?" * 20):
        assert toml_table(f'note = "{text}"', "it") == {"note": text}
        assert toml_table(f'note = """\n{text}\n{text}"""', "it") == {"note": f"{text}\n{text}"}
    assert toml_table("x = [" + "1.5, " * 99 + "]", "it") == {"x": [1.5] * 99}


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 100_000, "x = " + "{a=" * 5000, "x = " + "9" * 5000, "a." * 200_000 + "a = 1", "[" + "a." * 200_000 + "a]",
     '"' + '\\"' * 200_000, '"."' * 100_000, "'" * 300_001, "a" * 500_000, "a." * 31 + "\n" + ("a." * 31 + "\n") * 5000,
     '"\\"\\"" . ' * 30_000, "- " * 200_000, "x = '\x1b[31m'"],
)  # fmt: skip
def test_toml_that_takes_long_is_refused_at_once(tmp_path: Path, text: str) -> None:
    said = refused(put(tmp_path / "own.toml", text), criteria.load_criteria)
    assert "own.toml" in said
    said = refused(put(tmp_path / "own.toml", text))
    assert "own.toml" in said


def test_courses_have_so_many_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (files._LARGEST_TOML, files._LARGEST_JSON_BYTES) == (2_000_000, 8_000_000)
    toml, json = '[[course]]\ntitle = "x"\n', '{"course": [{"title": "x"}]}'
    for name, text in (("a.toml", toml), ("a.json", json)):
        path = put(tmp_path / name, text)
        monkeypatch.setattr(files, "_LARGEST_TOML", len(toml))
        monkeypatch.setattr(files, "_LARGEST_JSON_BYTES", len(json))
        whole = refused_or_read(path)
        assert "more than" not in whole
        monkeypatch.setattr(files, "_LARGEST_TOML", len(toml) - 1)
        monkeypatch.setattr(files, "_LARGEST_JSON_BYTES", len(json) - (name == "a.json"))
        assert "more than the" in refused_or_read(path)


def test_courses_have_so_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files._MOST_TABLES == 15_000
    for name, text in (("a.toml", "[[course]]\n" * 4), ("a.json", '{"course": [{}, {}, {}]}')):
        path = put(tmp_path / name, text)
        monkeypatch.setattr(files, "_MOST_TABLES", 4)
        assert len(es.load_courses(path)) == (4 if name == "a.toml" else 3)
        monkeypatch.setattr(files, "_MOST_TABLES", 3)
        assert "more than the 3 entries" in refused(path)


def refused_or_read(path: Path) -> str:
    try:
        return str(len(es.load_courses(path)))
    except EcgError as error:
        return str(error)


def test_a_key_of_many_that_stands_twice_is_found_at_once(tmp_path: Path) -> None:
    keys = ",".join(f'"{i}": 1' for i in range(200_000))
    assert "the key '199999' stands twice" in refused(put(tmp_path / "a.json", f'{{{keys}, "199999": 1}}'))


def test_a_manifest_has_so_many_bytes(tmp_path: Path) -> None:
    path = put(tmp_path / "manifest.json", '{"key": "x"}' + " " * (2**20 - 12))
    assert manifest._read(str(path)) == {"key": "x"}
    for text in ('{"key": "x"}' + " " * (2**20 - 11), "[" * 100_000, "{", "[]"):
        assert "is no manifest of a run" in refused(put(path, text), lambda each: manifest._read(str(each)))
