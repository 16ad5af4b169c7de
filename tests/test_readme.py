"""The README shows what the code does today."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_readme_is_current() -> None:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert build.readme() == text
    assert build.batch_page() == build.BATCH.read_text(encoding="utf-8")
    assert build.beside_the_weights() == build.WEIGHTS.read_text(encoding="utf-8")
    assert "NEW T-wave inversion in V1-V3 (anteroseptal)" in text


def test_the_files_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text)
    assert linked
    for name in [*linked, "data/index-case/baseline.hea", "ecgspasm/ecg.py", "notebooks", "requirements.lock"]:
        assert (ROOT / name).exists(), name
