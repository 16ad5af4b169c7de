"""Coverage-guided fuzzing of every parser; what former runs found goes through each time, without atheris too."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from tests.fuzz.run import run
from tests.fuzz.targets import KEPT, PLANTED, TARGETS, Parser, kept

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris: pip install atheris (it is not there for all systems)"
)


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_kept_ends_in_an_error_or_an_ecg(name: str, tmp_path: Path) -> None:
    parser = Parser(name, tmp_path)
    for content in TARGETS[name].seeds():
        assert parser(content) is (name != "pdf")
    for content in kept(name):
        parser(content)


def test_the_kept_inputs_are_few_and_small() -> None:
    assert sorted(path.stem for path in KEPT.iterdir()) == sorted(TARGETS)
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < 1_000_000
    assert sum(len(kept(name)) for name in TARGETS) > 100


@needs_atheris
@pytest.mark.parametrize("name", TARGETS)
def test_some_seconds_of_fuzzing_find_nothing(name: str) -> None:
    """A second for each parser, or as many as ``ECGSPASM_FUZZ_SECONDS`` tells: all together two minutes where nobody waits."""
    done = run(name, seconds=int(os.environ.get("ECGSPASM_FUZZ_SECONDS", "1")), seed=1)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "stat::number_of_executed_units" in done.stderr


@needs_atheris
def test_a_planted_fault_is_found() -> None:
    done = run(PLANTED, seconds=20, seed=1)
    assert done.returncode != 0
    assert "the planted fault" in done.stderr + done.stdout
