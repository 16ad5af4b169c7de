"""Fixtures of the whole test suite."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interrupts_arrive() -> Iterator[None]:
    """Let Ctrl-C reach what tests start: in the background of a script it is ignored, which processes inherit."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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
