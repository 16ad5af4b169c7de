"""The README shows what the code does today; that its tables and outputs are current is asked in `test_pages`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_readme_shows_the_index_case_and_where_things_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "NEW T-wave inversion in V1-V3 (anteroseptal)" in text
    for name in ("data/index-case/baseline.hea", "ecgspasm/ecg", "notebooks", "requirements.lock", "run"):
        assert (ROOT / name).exists(), name
    for word in ("not a medical device", "./run demo", "./run test"):
        assert word in text
