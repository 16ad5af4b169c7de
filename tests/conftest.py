"""Fixtures of the whole test suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the real recordings; tests that need it are skipped where it was not told."""
    told = os.environ.get("ECGSPASM_TEST_DATA")
    if not told:
        pytest.skip("real recordings: set ECGSPASM_TEST_DATA to the folder that holds ludb/, ptbdb/, cinc2021/ ...")
    folder = Path(told)
    # a wrong path must not look like a passed test
    assert folder.is_dir(), f"ECGSPASM_TEST_DATA is {told}, which is no folder"
    return folder
