"""Receiving a set: whole and right files or none, from a server that breaks off, stalls, corrupts and lies."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecgspasm import EcgError, datasets
from ecgspasm.datasets import receiving, transfer
from tests.dataset_server import (  # noqa: F401  (fixtures)
    BIG,
    FILES,
    PATH,
    Handler,
    Server,
    announce,
    content_of,
    corrupt,
    get_fixture,
    head,
    is_whole,
    listed,
    nothing_half,
    server_fixture,
    sha256,
    stall,
    status,
    trickle,
    truncate,
)

pytest.importorskip("pooch")


def test_fetched_folder_is_the_set_and_a_second_fetch_asks_for_nothing(get: Callable[..., Path], server: Server) -> None:
    told: list[tuple[int, int, int]] = []
    folder = get(progress=lambda *step: told.append(step))
    assert is_whole(folder, server)
    size = sum(map(len, server.files.values()))
    assert told[-1] == (len(FILES), len(FILES), size)
    asked = len(server.asked)
    assert asked == len(FILES) + 1
    assert get() == folder
    assert len(server.asked) == asked
    assert datasets.folder("ludb", folder.parent) == folder


def test_only_some_files_and_then_the_others(get: Callable[..., Path], server: Server) -> None:
    folder = get(only="data/*")
    assert {name for name in content_of(folder) if "/" in name} == {"data/1.hea", "data/1.dat", "data/2.dat"}
    with pytest.raises(EcgError, match="no file of the set fits records500"):
        get(only=["records500/*"])
    get()
    assert is_whole(folder, server)
    assert Counter(name for name, _ in server.asked)["data/1.dat"] == 1


def test_a_file_that_broke_off_goes_on_where_it_did(get: Callable[..., Path], server: Server) -> None:
    server.tricks[BIG] = [truncate(100_000), status(503)]
    assert is_whole(get(), server)
    assert [asked for name, asked in server.asked if name == BIG] == [None, "bytes=100000-", "bytes=100000-"]
    assert server.sent[BIG] == len(FILES[BIG])


def test_a_server_without_ranges_is_asked_from_the_start(get: Callable[..., Path], server: Server) -> None:
    server.ranges = False
    server.tricks[BIG] = [truncate(100_000)]
    assert is_whole(get(), server)
    assert server.sent[BIG] == 100_000 + len(FILES[BIG])


def test_a_range_that_does_not_fit_is_begun_anew(get: Callable[..., Path], server: Server) -> None:
    def other_rest(handler: Handler, content: bytes) -> None:
        head(handler, 10, 206, Content_Range=f"bytes 5-14/{len(content)}")
        handler.body(content[5:15])

    server.tricks[BIG] = [truncate(100_000), other_rest, status(416)]
    assert is_whole(get(), server)


@pytest.mark.parametrize("trick", [stall(1000), trickle], ids=["stall", "trickle"])
def test_a_server_that_stalls_is_left_and_asked_again(get: Callable[..., Path], server: Server, trick: Any) -> None:
    server.tricks[BIG] = [trick]
    began = time.monotonic()
    assert is_whole(get(timeout_s=0.4), server)
    assert time.monotonic() - began < 5


def test_a_server_that_always_stalls_is_an_error_of_that_file(get: Callable[..., Path], server: Server) -> None:
    server.tricks[BIG] = [stall(10)] * 9
    with pytest.raises(EcgError, match=r"data/1\.dat could not be had: the server stalled .*4 times; 5 of 6 files are") as told:
        get(timeout_s=0.2)
    assert "\n" not in str(told.value)


def test_a_fault_of_the_server_passes(get: Callable[..., Path], server: Server) -> None:
    server.tricks[BIG] = [status(500), status(503, Retry_After="0"), status(429)]
    server.tricks["SHA256SUMS.txt"] = [status(502)]
    assert is_whole(get(), server)


def test_a_corrupt_file_is_received_again(get: Callable[..., Path], server: Server) -> None:
    server.tricks[BIG] = [corrupt, truncate(50_000), corrupt]
    assert is_whole(get(), server)


def test_a_file_that_stays_corrupt_is_named_and_the_others_stay(get: Callable[..., Path], server: Server, tmp_path: Path) -> None:
    server.tricks[BIG] = [corrupt] * 9
    with pytest.raises(EcgError, match=r"data/1\.dat could not be had: .*another hash.*run it again"):
        get()
    folder = tmp_path / "ludb"
    assert nothing_half(folder)
    assert not (folder / BIG).exists()
    assert (folder / "data/2.dat").read_bytes() == FILES["data/2.dat"]
    server.tricks.clear()
    get()
    assert is_whole(folder, server)


def test_a_damaged_file_in_the_folder_is_mended_and_others_are_not_touched(get: Callable[..., Path], server: Server) -> None:
    folder = get()
    (folder / BIG).write_bytes(FILES[BIG][:70_000])
    (folder / "notes.txt").write_text("mine")
    before = (folder / "data/2.dat").stat().st_mtime_ns
    get()
    assert (folder / BIG).read_bytes() == FILES[BIG]
    assert (folder / "data/2.dat").stat().st_mtime_ns == before
    assert (folder / "notes.txt").read_text() == "mine"


def test_files_are_received_at_the_same_time(get: Callable[..., Path], server: Server) -> None:
    together = threading.Barrier(3)

    def wait(handler: Handler, content: bytes) -> None:
        together.wait(5)
        handler.answer(content)

    for name in ("data/1.dat", "data/2.dat", "data/1.hea"):
        server.tricks[name] = [wait]
    assert is_whole(get(workers=3), server)
    assert server.most_at_once == 3


def test_a_missing_file_is_not_asked_for_again(get: Callable[..., Path], server: Server) -> None:
    pin = sha256(server.files["SHA256SUMS.txt"])
    del server.files[BIG]
    with pytest.raises(EcgError, match=r"data/1\.dat could not be had: the server does not have it"):
        get(sums_sha256=pin)
    assert Counter(name for name, _ in server.asked)[BIG] == 1


def test_a_length_that_cannot_be_is_refused_before_a_byte(get: Callable[..., Path], server: Server) -> None:
    server.tricks[BIG] = [announce(10**12)]
    with pytest.raises(EcgError, match=r"data/1\.dat .*announces 1000000000000 bytes"):
        get()
    # too short and too long by a little: the hash and the length tell
    server.tricks[BIG] = [announce(100), announce(len(FILES[BIG]) + 7)]
    assert is_whole(get(), server)


def test_an_endless_answer_ends(
    get: Callable[..., Path], server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def endless(handler: Handler, _: bytes) -> None:
        head(handler, None, Connection="close")
        handler.close_connection = True
        while not handler.server.released.is_set():
            handler.wfile.write(bytes(100_000))

    small = limited(400_000)
    monkeypatch.setattr("ecgspasm.datasets.fetching.Transfer", small)
    server.tricks[BIG] = [endless]
    with pytest.raises(EcgError, match=r"data/1\.dat .*sends more than 400000 bytes|far more than the whole set"):
        get()
    left = [path for path in (tmp_path / "ludb/.ecgspasm-fetch/parts").glob(".*") if path.stat().st_size > 400_000]
    assert not left


def limited(limit: int) -> Callable[..., transfer.Transfer]:
    return lambda timeout_s, _, stop: transfer.Transfer(timeout_s, limit, stop)


def test_a_full_disk_is_told_and_ends_all(get: Callable[..., Path], server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage("/")._replace(free=16 * 1024 * 1024 + 150_000)
    with monkeypatch.context() as patch:
        patch.setattr(transfer.shutil, "disk_usage", lambda _: free)
        with pytest.raises(EcgError, match=r"the disk is full: 204800 bytes more .* of 6 files are there, run it again"):
            get(workers=1)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transfer.os, "fsync", full)
        with pytest.raises(EcgError, match=r"the disk is full at .*; make room, then run the same again"):
            get(workers=1)
    assert is_whole(get(), server)


def test_redirections_within_the_server_only(get: Callable[..., Path], server: Server) -> None:
    server.tricks[BIG] = [status(302, Location=f"{PATH}{BIG}")]
    assert is_whole(get(), server)
    for place in ("http://localhost:1/evil", "https://example.org/evil", "file:///etc/passwd", ""):
        server.tricks["SHA256SUMS.txt"] = [status(301, Location=place)]
        with pytest.raises(EcgError, match=r"redirects to .* not followed"):
            get(sums_sha256="1" * 64)
    server.tricks["SHA256SUMS.txt"] = [status(302, Location=f"{PATH}SHA256SUMS.txt")] * 9
    with pytest.raises(EcgError, match="redirects more than 5 times"):
        get(sums_sha256="1" * 64)


def test_packed_and_refused_answers_are_told(get: Callable[..., Path], server: Server) -> None:
    server.tricks["SHA256SUMS.txt"] = [status(200, Content_Encoding="gzip"), status(403), status(418)]
    for reason in ("packed", "refuses it", "answers 418"):
        with pytest.raises(EcgError, match=reason):
            get()


def test_a_dead_server_is_told_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PAUSE_S", 0.01)
    with pytest.raises(EcgError, match=r"127\.0\.0\.1 cannot be reached .*4 times"):
        datasets.fetch("nstdb", tmp_path / "nstdb", mirror="http://127.0.0.1:9/files", timeout_s=1.0)
    assert not (tmp_path / "nstdb").exists()


def test_a_server_that_fails_for_every_file_is_left(get: Callable[..., Path], server: Server) -> None:
    many = {f"data/{number}.hea": b"%d" % number for number in range(200)}
    server.files = {"SHA256SUMS.txt": listed(many), **many}
    server.tricks["*"] = [lambda handler, content: handler.answer(content)] + [status(404)] * 999
    with pytest.raises(EcgError, match=r"data/\d+\.hea and (9|1\d) more could not be had"):
        get(workers=2)
    assert len(server.asked) < 20


SCRIPT = """
import sys
from ecgspasm import datasets
datasets.fetch("ludb", sys.argv[1], mirror=sys.argv[2], sums_sha256=sys.argv[3], timeout_s=20)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_a_fetch_that_is_killed_leaves_whole_files_and_can_go_on(
    signal_number: int, get: Callable[..., Path], server: Server, tmp_path: Path
) -> None:
    server.tricks[BIG] = [stall(100_000)]
    folder = tmp_path / "ludb"
    pin = sha256(server.files["SHA256SUMS.txt"])
    child = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), server.mirror, pin], stderr=subprocess.PIPE)
    until = time.monotonic() + 15
    while time.monotonic() < until and not (_parts(folder) and (folder / "old/a file-").is_file()):
        time.sleep(0.02)
    with pytest.raises(EcgError, match="another fetch is at work"):
        get()
    began = time.monotonic()
    child.send_signal(signal_number)
    child.communicate(timeout=10)
    assert time.monotonic() - began < 5
    assert child.returncode != 0
    assert nothing_half(folder)
    assert not (folder / BIG).exists()
    assert is_whole(get(), server)
    assert [asked for name, asked in server.asked if name == BIG] == [None, "bytes=100000-"]


def _parts(folder: Path) -> bool:
    try:
        return any(path.stat().st_size == 100_000 for path in folder.glob(".ecgspasm-fetch/parts/.*"))
    except FileNotFoundError:
        return False  # one was whole and has moved on
