"""A miniature of LUDB on a server of this machine that can break off, stall, corrupt and lie."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ecgspasm import datasets
from ecgspasm.datasets import receiving

FILES = {
    "RECORDS": b"data/1\ndata/2\n",
    "ludb.csv": b"ID,Sex,Age\n1,F,51\n",
    "data/1.hea": b"1 12 500 5000\n",
    "data/1.dat": bytes(range(256)) * 800,
    "data/2.dat": b"\x07\x00" * 60_000,
    "old/a file-": b"with a blank in its name",
}
PATH = "/files/ludb/1.0.1/"
BIG = "data/1.dat"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def listed(files: dict[str, bytes]) -> bytes:
    return "".join(f"{sha256(content)} {name}\n" for name, content in files.items()).encode()


class Server(ThreadingHTTPServer):
    """Serves files; `tricks` holds per path what to do instead, for each request in turn."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = {"SHA256SUMS.txt": listed(files), **files}
        self.tricks: dict[str, list[Callable[[Handler, bytes], None]]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.sent: Counter[str] = Counter()
        self.ranges = True
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def mirror(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/files"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what some tests want."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix(PATH).replace("%20", " ")
        server = self.server
        with server.lock:
            server.asked.append((name, self.headers.get("Range")))
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
            left = server.tricks.get(name) or server.tricks.get("*", [])
            trick = left.pop(0) if left else None
        try:
            content = server.files.get(name)
            if content is None or not self.path.startswith(PATH):
                self.send_error(404)
            elif trick is not None:
                trick(self, content)
            else:
                self.answer(content)
        finally:
            with server.lock:
                server.at_once -= 1

    def answer(self, content: bytes, **headers: str) -> None:
        start, told = 0, self.headers.get("Range")
        if told and self.server.ranges:
            start = int(told.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.body(content[start:])

    def body(self, content: bytes) -> None:
        with self.server.lock:
            self.server.sent[self.path.removeprefix(PATH)] += len(content)
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


def head(handler: Handler, length: int | None, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def truncate(after: int) -> Callable[[Handler, bytes], None]:
    def trick(handler: Handler, content: bytes) -> None:
        head(handler, len(content))
        handler.body(content[:after])
        handler.close_connection = True

    return trick


def stall(after: int) -> Callable[[Handler, bytes], None]:
    def trick(handler: Handler, content: bytes) -> None:
        head(handler, len(content))
        handler.body(content[:after])
        handler.wfile.flush()
        handler.server.released.wait(20)
        handler.close_connection = True

    return trick


def trickle(handler: Handler, content: bytes) -> None:
    head(handler, len(content))
    for place in range(200):
        handler.body(content[place : place + 1])
        handler.wfile.flush()
        if handler.server.released.wait(0.05):
            break
    handler.close_connection = True


def corrupt(handler: Handler, content: bytes) -> None:
    handler.answer(content[:-1] + bytes([content[-1] ^ 1]))


def status(code: int, **headers: str) -> Callable[[Handler, bytes], None]:
    return lambda handler, _: head(handler, 0, code, **headers)


def announce(length: int) -> Callable[[Handler, bytes], None]:
    def trick(handler: Handler, content: bytes) -> None:
        head(handler, length)
        handler.body(content)
        handler.close_connection = True

    return trick


@pytest.fixture(name="server")
def server_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(receiving, "PAUSE_S", 0.01)
    # a proxy of the environment must not come between
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    serving = Server(FILES)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield serving
    serving.released.set()
    serving.shutdown()
    serving.server_close()
    thread.join(5)


@pytest.fixture(name="get")
def get_fixture(server: Server, tmp_path: Path) -> Callable[..., Path]:
    pytest.importorskip("pooch")

    def call(**options: Any) -> Path:
        pinned = {"sums_sha256": sha256(server.files["SHA256SUMS.txt"])}
        return datasets.fetch("ludb", tmp_path / "ludb", **({"mirror": server.mirror, "timeout_s": 5.0} | pinned | options))

    return call


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_whole(folder: Path, server: Server) -> bool:
    found = content_of(folder)
    found.pop("ecgspasm-fetch.json")
    return found == server.files


def nothing_half(folder: Path) -> bool:
    """All files that have a name of the set are whole; what has arrived of others is hidden in its own folder."""
    found = {name: content for name, content in content_of(folder).items() if not name.startswith(".ecgspasm-fetch/")}
    found.pop("ecgspasm-fetch.json", None)
    return all(content in (FILES.get(name), listed(FILES)) for name, content in found.items())
