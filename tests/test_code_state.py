"""What a page says of the age of its figures follows from the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs_script import docs_script


def test_a_room_is_another_one_when_its_code_or_its_tables_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = docs_script("code_state")
    monkeypatch.setattr(script, "PACKAGE", tmp_path)
    (tmp_path / "io").mkdir()
    for name, text in (("io/file.py", "a = 1\n"), ("io/limits.toml", "most = 3\n"), ("io/notes.txt", "x"), ("ecg.py", "b = 1\n")):
        (tmp_path / name).write_text(text)
    before = script.state()
    assert set(before) == {"ecg", "io"}
    assert script.state(("io",)) == {"io": before["io"]}
    assert script.changed(before) == []
    assert script.words({"a": before}) == "Measured on the code as it is."
    (tmp_path / "io" / "notes.txt").write_text("y")
    (tmp_path / "io" / "file.py").write_bytes(b"a = 1\r\n")
    assert script.changed(before) == []
    (tmp_path / "io" / "limits.toml").write_text("most = 4\n")
    assert script.changed(before) == ["io"]
    assert script.words({"a": script.state(), "b": before}) == "Changed since it was measured: `io`."
    (tmp_path / "ecg.py").unlink()
    assert script.changed(before) == ["ecg", "io"]
    assert script.words({"a": before, "b": {}}) == script.words({}) == "On which code it was measured was not noted."
