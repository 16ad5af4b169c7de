"""The recorded figures about the tests themselves keep what is promised, and every mutant that lives has a reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docs_script import docs_script

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "data" / "benchmarks"
LEAST_CAUGHT_PERCENT = 85.0
LEAST_COVERED_PERCENT = 95.0


def recorded(name: str) -> dict[str, Any]:
    return dict(json.loads((RECORDED / f"{name}.json").read_text()))


@pytest.fixture
def mutation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("coverage", reason="coverage is not installed (extra dev)")
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "docs")])
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    return docs_script("mutation")


def test_the_tests_notice_nearly_all_small_mistakes() -> None:
    found = recorded("mutation")
    assert set(found["parts"]) == {"measure", "change", "criteria", "guard"}
    for part, row in found["parts"].items():
        assert row["caught_percent"] >= LEAST_CAUGHT_PERCENT, part
        assert row["killed"] + row["timeouts"] + row["survived"] == row["mutants"] > 100
    assert len(found["survivors"]) == sum(row["survived"] for row in found["parts"].values())


def test_every_mutant_that_lives_has_a_reason(mutation: ModuleType) -> None:
    found = recorded("mutation")
    assert found["without_reason"] == 0
    assert mutation.with_reasons(found) == found, "run docs/mutation.py --reasons"


def test_the_modules_that_are_mutated_are_there(mutation: ModuleType) -> None:
    found = recorded("mutation")
    assert set(found["modules"]) == {name for names in mutation.PARTS.values() for name in names}
    assert all((ROOT / "ecgspasm" / name).is_file() for name in found["modules"])


def test_a_mutant_is_one_change_of_a_module_that_compiles(mutation: ModuleType) -> None:
    text = (ROOT / "ecgspasm" / "io" / "paths.py").read_text()
    made = list(mutation.mutants(text, "io/paths.py"))
    assert len(made) > 100
    for mutant in made:
        changed = mutant.apply(text)
        assert changed != text
        compile(changed, "io/paths.py", "exec")
    assert len({(mutant.start, mutant.end, mutant.new) for mutant in made}) == len(made)


def test_there_are_at_least_forty_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "docs")])
    found = docs_script("promised").properties()
    assert len(set(found)) == len(found) >= 40


def test_the_tests_run_nearly_all_branches_and_all_of_the_guard_and_the_writers() -> None:
    found = recorded("coverage")
    assert found["overall"]["branch_percent"] >= LEAST_COVERED_PERCENT
    for what in ("guard", "writers"):
        assert found[what]["percent"] == 100.0, found[what]["files"]
    assert set(found["left_out"]) == {"training"}


@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_the_oldest_and_the_newest_packages_run(which: str) -> None:
    found = recorded("versions")[which]
    assert found["passed"]
    assert found["tests"]["tests"] > 500
    assert len(found["failed"]) == found["tests"]["failures"] + found["tests"]["errors"]
    if found["failed"]:  # what was mended was run again, and passed
        assert found["again"]["failed"] == []
        assert {each.partition("::")[0] for each in found["failed"]} == set(found["again"]["files"])
    assert {"numpy", "scipy", "matplotlib", "wfdb", "h5py", "pyarrow"} <= set(found["packages"])
