"""The `run` file, which must say what is missing on a bare machine, and the demonstration that it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ecgspasm.cli import main

ROOT = Path(__file__).resolve().parent.parent


def call(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "run"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize(("arguments", "status"), [((), 2), (("nonsense",), 2), (("--help",), 0)])
def test_usage(arguments: tuple[str, ...], status: int) -> None:
    done = call(ROOT, *arguments)
    assert done.returncode == status
    assert "./run JOB" in (done.stdout if status == 0 else done.stderr)


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    for name in ("run", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "ensurepip.py").write_text("raise ImportError('as on Debian')\n")
    done = call(tmp_path, "test", PYTHONPATH=str(tmp_path / "bare"))
    assert done.returncode == 1
    assert "apt install python3" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_run_file_needs_the_standard_library_only() -> None:
    import ast

    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse((ROOT / "run").read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_the_demonstration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "NEW T-wave inversion in V1-V3 (anteroseptal)" in out
    assert "NEW ST elevation in V1-V4 (anteroseptal)" in out
    assert "ST elevation of the earlier ECG is gone in V1-V4" in out
    assert "NEW T-wave inversion in V1-V4 (anteroseptal)" in out
    real = out[out.index("2. A real 12-lead ECG") :]
    assert "real ECG against itself:\n  No new change found" in real
    assert "NEW ST elevation in V2-V4 (anteroseptal)" in real
    pictures = list(tmp_path.glob("*.png"))
    assert len(pictures) == 7
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert str(tmp_path) in out
