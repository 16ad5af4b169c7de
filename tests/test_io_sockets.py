"""The spy on sockets can count, here and in processes that are started; and no reader opens one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ecgspasm as es
from tests import socket_spy
from tests.conftest import SPY
from tests.corpus.sound_files import MADE
from tests.corpus.sound_records import STYLES
from tests.socket_spy import Use

ROOT = Path(__file__).parent.parent
_FORBIDDEN = """
import socket
def test_something():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
"""
_IN_A_CHILD = """
import subprocess, sys
def test_something():
    subprocess.run([sys.executable, "-c", "import socket; socket.socket().close()"], check=True)
"""
_UNIX = """
import socket
def test_something():
    for made in socket.socketpair():
        made.close()
"""


_FIXTURE = "from tests.conftest import _no_sockets\n"


def suite(folder: Path, code: str, name: str = "test_inner.py") -> subprocess.CompletedProcess[str]:
    """Run a small suite under the same conftest."""
    inner = folder / "tests"
    inner.mkdir()
    (inner / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.conftest import *\n{_FIXTURE}")
    (inner / name).write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(inner)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [_FORBIDDEN, _IN_A_CHILD])
def test_a_test_that_opens_a_socket_fails(code: str, tmp_path: Path) -> None:
    done = suite(tmp_path, code)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "this test used a network socket" in done.stdout
    assert "sockets: 0 used" not in done.stdout


def test_exempt_modules_and_sockets_of_one_machine_do_not_fail(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder, code, name in (("a", _FORBIDDEN, "test_datasets_fetch.py"), ("b", _UNIX, "test_inner.py")):
        done = suite(tmp_path / folder, code, name)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "sockets: 0 used where none may be" in done.stdout


def test_what_urllib3_asks_at_import_is_told_apart_from_all_else(tmp_path: Path) -> None:
    done = suite(
        tmp_path,
        "import sys\ndef test_x():\n    for n in [n for n in sys.modules if 'urllib3' in n]:\n"
        "        del sys.modules[n]\n    import urllib3\n",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 by exempt tests or urllib3's import" in done.stdout


def test_only_loopback_and_only_named_modules_are_exempt() -> None:
    server = Use("tests/test_datasets_fetch.py::test_x", "socket.connect", "127.0.0.1", 1)
    away = Use(server.test, "socket.connect", "192.0.2.1", 1)
    reader = Use("tests/test_io_wfdb.py::test_x", "socket.getaddrinfo", "localhost", 1)
    probe = Use(reader.test, "socket.bind", "::1", 1, socket_spy.PROBE)
    elsewhere = Use(reader.test, "socket.connect", "192.0.2.1", 1, socket_spy.PROBE)
    assert socket_spy.forbidden([server, away, reader, probe, elsewhere]) == [away, reader, elsewhere]
    for name in socket_spy.EXEMPT:
        assert (ROOT / name).exists()


def test_every_reader_opens_no_socket(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    log = request.config.stash[SPY]
    before = log.stat().st_size
    for number, (name, make) in enumerate(MADE.items()):
        sound = make()
        path = tmp_path / f"{number}{sound.suffix}"
        path.write_bytes(sound.content)
        assert es.read(path, **sound.asked).leads, name
        assert es.open_recording(path, **sound.asked).leads, name
    for number, make_record in enumerate(STYLES.values()):
        folder = tmp_path / f"r{number}"
        folder.mkdir()
        assert es.read(make_record(folder)).leads
    for address in ("http://127.0.0.1:9/x.hea", "s3://x/y.edf", "simplecache::http://127.0.0.1:9/x.edf"):
        with pytest.raises(es.EcgError, match="address"):
            es.read(address)
    assert not socket_spy.forbidden(socket_spy.uses(log, before))
