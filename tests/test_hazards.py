"""The table of hazards names libraries that are there and tests that exist."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
HAZARDS: list[dict[str, Any]] = tomllib.loads((ROOT / "data" / "trust" / "hazards.toml").read_text(encoding="utf-8"))["hazard"]
READERS_NEED = {"wfdb", "pydicom", "edfio", "h5py", "pyarrow", "pdfminer.six", "ecgdatakit", "defusedxml", "numpy", "soundfile"}


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda each: each["hazard"][:50])
def test_every_hazard_has_a_guard_and_a_test_that_exists(hazard: dict[str, Any]) -> None:
    assert set(hazard) == {"library", "hazard", "seen", "guard", "test"}
    assert all(isinstance(value, str) and len(value) > 3 for value in hazard.values())
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert f"\n{hazard['library'].replace('.', '-')}==" in f"\n{locked}"
    path, _, name = hazard["test"].partition("::")
    functions = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)}
    assert name in functions
    for word in hazard["guard"].replace(",", " ").split():
        if word.endswith(".py"):
            assert (ROOT / "ecgspasm" / word).exists(), word


def test_every_library_that_reads_files_was_looked_at() -> None:
    assert {hazard["library"] for hazard in HAZARDS} >= READERS_NEED


def test_pdfminer_unpickles_nothing() -> None:
    from pdfminer import cmapdb

    imported = {alias.name for node in ast.walk(ast.parse(Path(cmapdb.__file__).read_text())) if isinstance(node, ast.Import)
                for alias in node.names}  # fmt: skip
    assert "json" in imported
    assert "pickle" not in imported
