"""Nothing that a user starts warns: the package and its commands run with every warning an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CASE = ROOT / "data" / "index-case"
COURSE = str(CASE / "course.toml")
BASELINE, CURRENT = str(CASE / "baseline.hea"), str(CASE / "ergonovine.hea")


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", *arguments], capture_output=True, text=True, timeout=120, cwd=cwd)


def test_importing_the_package_and_all_that_it_offers_warns_of_nothing() -> None:
    found = run("-c", "import ecgspasm\nfor name in ecgspasm.__all__: getattr(ecgspasm, name)")
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", BASELINE, CURRENT),
        ("compare", BASELINE, CURRENT, "--json"),
        ("measure", CURRENT),
        ("delineate", CURRENT),
        ("course", COURSE),
        ("demo", "--output", "out"),
        ("completion", "bash"),
    ],
    ids=lambda each: "-".join(Path(part).name for part in each),
)
def test_a_command_warns_of_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    found = run("-m", "ecgspasm", *arguments, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert "Warning" not in found.stderr
    assert found.stdout


@pytest.mark.parametrize("command", ["monitor", "provocation", "batch", "fetch", "pairs", "benchmark"])
def test_a_command_that_needs_more_than_an_ecg_starts_without_a_warning(command: str) -> None:
    found = run("-m", "ecgspasm", command, "--help")
    assert (found.returncode, found.stderr) == (0, "")
