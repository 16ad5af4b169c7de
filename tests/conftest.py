"""Fixtures of the whole test suite."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import socket_spy

# The same examples in every run, and none fails since the machine was busy; `trust.people.examples` says when others are drawn.
hypothesis.settings.register_profile("ecgspasm", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("ecgspasm")

SPY = pytest.StashKey[Path]()


@pytest.fixture(scope="session", autouse=True)
def _interrupts_arrive() -> Iterator[None]:
    """Let Ctrl-C reach what tests start: in the background of a script it is ignored, which processes inherit."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the sockets of the whole suite, from before the first test on."""
    config.stash[SPY] = socket_spy.install()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the suite fail if anything used the network, also what is no function with fixtures (doctests, notebooks)."""
    if socket_spy.forbidden(socket_spy.uses(session.config.stash[SPY])):
        session.exitstatus = max(int(session.exitstatus), int(pytest.ExitCode.TESTS_FAILED))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many sockets were used, and by whom."""
    found = socket_spy.uses(config.stash[SPY])
    wrong = socket_spy.forbidden(found)
    exempt = len(found) - len(wrong)
    terminalreporter.write_line(f"sockets: {len(wrong)} used where none may be, {exempt} by exempt tests or urllib3's import")
    for use in dict.fromkeys(wrong):
        terminalreporter.write_line(f"  {use.test or 'between tests'}: {use.event} {use.address}", red=True)
    shutil.rmtree(config.stash[SPY].parent)


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the test fail that used the network."""
    log = request.config.stash[SPY]
    start = log.stat().st_size
    yield
    if log.stat().st_size > start:
        wrong = [use for use in socket_spy.forbidden(socket_spy.uses(log, start)) if use.test == request.node.nodeid]
        assert not wrong, f"this test used a network socket: {wrong[0]}"


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
