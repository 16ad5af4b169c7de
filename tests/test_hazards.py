"""The table of hazards names libraries that are there and tests that exist."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
HAZARDS: list[dict[str, Any]] = tomllib.loads((ROOT / "data" / "trust" / "hazards.toml").read_text(encoding="utf-8"))["hazard"]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FIRST_WITHOUT_A_HOLE = {"distributed": "2021.10.0", "pdfminer.six": "20251107", "pyarrow": "14.0.1", "tqdm": "4.66.3"}
"""By the number of the hole: CVE-2021-42343, CVE-2025-64512, CVE-2023-47248, CVE-2024-34062."""


def needed() -> dict[str, Requirement]:
    """What the package and its extras ask for, but for what only documentation and development do."""
    extras = PROJECT["optional-dependencies"]
    lists = [PROJECT["dependencies"], *(each for name, each in extras.items() if name not in ("docs", "dev"))]
    return {each.name: each for every in lists for each in map(Requirement, every)}


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda each: each["hazard"][:50])
def test_every_hazard_has_a_guard_and_a_test_that_exists(hazard: dict[str, Any]) -> None:
    assert set(hazard) == {"library", "hazard", "seen", "guard", "test"}
    assert all(isinstance(value, str) and len(value) > 3 for value in hazard.values())
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    # torch is needed for training alone, and is in no lock
    assert hazard["library"] == "torch" or f"\n{hazard['library'].replace('.', '-')}==" in f"\n{locked}"
    path, _, name = hazard["test"].partition("::")
    functions = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)}
    assert name in functions
    for word in hazard["guard"].replace(",", " ").split():
        if word.endswith(".py"):
            assert (ROOT / "ecgspasm" / word).exists(), word


def test_every_package_that_the_project_asks_for_was_looked_at() -> None:
    # soundfile and threadpoolctl come with wfdb and neurokit2
    assert {hazard["library"] for hazard in HAZARDS} >= needed().keys() | {"soundfile", "threadpoolctl"}


@pytest.mark.parametrize("name", FIRST_WITHOUT_A_HOLE)
def test_versions_with_known_holes_cannot_be_installed(name: str) -> None:
    first = Version(FIRST_WITHOUT_A_HOLE[name])
    lowest = [Version(each.version) for each in needed()[name].specifier if each.operator == ">="]
    assert max(lowest) >= first


def test_pdfminer_unpickles_nothing() -> None:
    from pdfminer import cmapdb

    imported = {alias.name for node in ast.walk(ast.parse(Path(cmapdb.__file__).read_text())) if isinstance(node, ast.Import)
                for alias in node.names}  # fmt: skip
    assert "json" in imported
    assert "pickle" not in imported


def test_of_arrows_formats_only_parquet_is_read() -> None:
    for path in sorted((ROOT / "ecgspasm").rglob("*.py")):
        named = {node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)}
        assert not named & {"ipc", "feather", "RecordBatchFileReader", "RecordBatchStreamReader"}, path.name
