"""Counts what the whole suite does with network sockets: nothing, but for the few tests named here, and those on loopback only.

`tests/spy` writes the uses down: those of Python's own socket module, in all processes that inherit the environment. What a
library in C does with the network without it is not seen.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

_FOLDER = Path(__file__).parent / "spy"

EXEMPT = {
    "tests/test_datasets_fetch.py": "fetches from a server of this machine that breaks off, stalls and lies",
    "tests/test_datasets_folders.py": "asks `datasets` for what it cannot get",
    "tests/test_batch.py": "Dask's scheduler and workers speak to each other",
    "tests/test_batch_cluster.py": "a Dask cluster on this machine",
    "tests/test_report_browser.py": "a browser is steered",
    "tests/test_notebooks.py": "a kernel of Jupyter is spoken to",
    "notebooks/": "a kernel of Jupyter is spoken to",
}
"""Who may use sockets, and why; each only to this machine."""

PROBE = "_has_ipv6 of urllib3"
"""urllib3, which pydicom and wfdb import, binds a socket to ::1 at its import to see if the machine has IPv6; nothing is sent."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost", "family 2", "family 10")


@dataclass(frozen=True)
class Use:
    """One use of a socket."""

    test: str
    event: str
    address: str
    pid: int
    by: str = ""

    @property
    def is_exempt(self) -> bool:
        """Whether the test may do so."""
        return self.address in _LOOPBACK and (self.by == PROBE or any(self.test.startswith(name) for name in EXEMPT))


def install() -> Path:
    """Watch this process and those that it will start; the file to which they write."""
    log = Path(tempfile.mkdtemp(prefix="ecgspasm-sockets")) / "uses"
    log.touch()
    spy = _module()
    os.environ[spy.LOG] = str(log)
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_FOLDER), *([inherited] if inherited else [])])
    _module()
    return log


def _module() -> ModuleType:
    """The module anew; it begins to watch if the environment tells where to write."""
    made = importlib.util.spec_from_file_location("ecgspasm_tests_spy", _FOLDER / "sitecustomize.py")
    assert made is not None
    assert made.loader is not None
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def uses(log: Path, start: int = 0) -> list[Use]:
    """What was written from a byte on."""
    return [Use(**json.loads(line)) for line in log.read_bytes()[start:].decode().splitlines()]


def forbidden(found: Iterable[Use]) -> list[Use]:
    """Those that no test should have made."""
    return [use for use in found if not use.is_exempt]
