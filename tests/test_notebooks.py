"""The notebooks are tutorials that were run: with text, with outputs, small. That they run from top to bottom is asked by nbmake,
which takes the folder ``notebooks`` as tests (see ``pyproject.toml``)."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST_BYTES = 1_000_000


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def test_there_are_six_and_each_leads_to_the_next() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == ["1-", "2-", "3-", "4-", "5-", "6-"]
    for path, following in pairwise(NOTEBOOKS):
        assert following.name in path.read_text(encoding="utf-8")


def test_nbmake_runs_them() -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "--nbmake" in settings
    assert '"notebooks"' in settings


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_was_run_in_order_without_a_warning(path: Path) -> None:
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_reads_like_a_tutorial_and_is_small(path: Path) -> None:
    kinds = [cell["cell_type"] for cell in cells(path)]
    assert kinds[0] == "markdown"
    assert kinds.count("markdown") >= 0.5 * kinds.count("code")
    assert path.stat().st_size < LARGEST_BYTES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_path_of_a_machine(path: Path) -> None:
    text = re.sub(r'"image/png": "[^"]*"', "", path.read_text(encoding="utf-8"))
    assert not re.search(r"/(home|tmp|work|root|Users)/|ipykernel_\d|site-packages", text)
