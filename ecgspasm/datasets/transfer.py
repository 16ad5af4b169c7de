"""Receive one file over HTTP: with time-outs, going on where it broke off, and nothing larger than can be right.

Pooch decides what is to be downloaded and compares the hashes; this is the downloader that it calls, because its own starts every
file anew, follows every redirection and takes whatever a server sends.
"""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

if TYPE_CHECKING:
    import requests

MAX_REDIRECTIONS = 5
MIN_BYTES = 1024
"""A server that sends less than this within the time-out has stalled, even if a byte trickles now and then."""

_BLOCK = 256 * 1024
_SPARE = 16 * 1024 * 1024  # left free on the disk
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)", re.ASCII)


class Passing(Exception):  # noqa: N818  (it is caught, never shown)
    """A fault that may be gone at the next try; `after_s` is what the server asks to wait."""

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Stopped(Exception):  # noqa: N818
    """The caller wants no more."""


class HopelessError(EcgError):
    """A fault that no other file will be spared."""


def checked_address(address: str) -> str:
    """Return the address of a server without its last slash; an EcgError if it is neither https nor on this machine."""
    try:
        parts = urlsplit(address.strip())
        _ = parts.port
    except (AttributeError, ValueError) as error:
        raise EcgError(f"{one_line(repr(address), 80)} is no address; give one such as https://host/files") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EcgError(f"{one_line(repr(address), 80)} is no address; give one such as https://host/files")
    if parts.username is not None or parts.query or parts.fragment:
        raise EcgError("a mirror's address has neither a password nor '?' nor '#' in it; give it plain")
    if parts.scheme == "http" and not _on_this_machine(parts.hostname):
        raise EcgError(f"{one_line(address, 80)} is not encrypted; give an https address (http is for this machine only)")
    return address.strip().rstrip("/")


def _on_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Transfer:
    """Connections to one server, one a thread, kept open between files.

    Parameters
    ----------
    timeout_s : float
        For the connection and for every pause in what is sent.
    limit : int
        Bytes; neither one file nor all together may be larger.
    stop : threading.Event
        Set it, and every thread ends at its next block.
    """

    def __init__(self, timeout_s: float, limit: int, stop: threading.Event) -> None:
        self.timeout_s = timeout_s
        self.limit = limit
        self.stop = stop
        self.received = 0
        self._lock = threading.Lock()
        self._own = threading.local()

    def into(self, part: Path, expected: str | None, limit: int | None = None) -> Callable[[str, str, Any], None]:
        """A downloader for Pooch that collects a file in `part`, and hands it over when it is whole."""

        def download(url: str, output_file: str, _pooch: Any) -> None:
            # all may have arrived before a break
            whole = expected is not None and part.is_file() and sha256_of(part) == expected
            if not whole:
                self._receive(url, part, self.limit if limit is None else min(limit, self.limit))
            os.replace(part, output_file)

        return download

    def close(self) -> None:
        """Close this thread's connection, after a fault or at the end."""
        session = getattr(self._own, "session", None)
        if session is not None:
            session.close()
            self._own.session = None

    def _receive(self, url: str, part: Path, limit: int) -> None:
        have = part.stat().st_size if part.is_file() else 0
        response = self._open(url, have)
        try:
            if response.status_code == 416:
                part.unlink(missing_ok=True)
                raise Passing("the server has no rest of it")
            if have and not _goes_on_at(response, have):
                have = 0
            announced = _announced(response, part, limit)
            count = self._keep(response, part, have, limit)
            if announced is not None and count != announced:
                raise Passing(f"it broke off after {count} of {announced} bytes")
        finally:
            response.close()

    def _keep(self, response: requests.Response, part: Path, have: int, limit: int) -> int:
        """Write what comes after the first `have` bytes of `part`; how much it was."""
        count = 0
        with _Writing(part, "ab" if have else "wb") as file:
            for block in self._blocks(response):
                count += len(block)
                if have + count > limit:
                    # an endless answer: nothing of it is of use
                    file.clear()
                    raise EcgError(f"the server sends more than {limit} bytes, more than it can have; try another mirror")
                self._count(len(block))
                file.write(block)
            file.sync()
        return count

    def _open(self, url: str, start: int) -> requests.Response:
        """The answer to a request from byte `start` on, after redirections within the same server."""
        import requests

        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        for _ in range(MAX_REDIRECTIONS + 1):
            if self.stop.is_set():
                raise Stopped
            try:
                response = self._session(url).get(
                    url, headers=headers, stream=True, timeout=(self.timeout_s, self.timeout_s), allow_redirects=False
                )
            except requests.Timeout as error:
                raise Passing(f"the server did not answer within {self.timeout_s:g} s") from error
            except (requests.RequestException, OSError) as error:
                raise Passing(f"{urlsplit(url).hostname} cannot be reached ({one_line(error, 100)})") from error
            if response.status_code not in (301, 302, 303, 307, 308):
                return _accepted(response)
            response.close()
            url = _redirected(url, response.headers.get("Location", ""))
        raise HopelessError(f"the server redirects more than {MAX_REDIRECTIONS} times; try another mirror")

    def _session(self, url: str) -> requests.Session:
        import requests

        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = requests.Session()
            # no password of ~/.netrc goes out: the sets are open
            session.auth = lambda request: request
            # a proxy of the environment cannot reach this machine's own server
            session.trust_env = not _on_this_machine(urlsplit(url).hostname or "")
            self._own.session = session
        return session

    def _blocks(self, response: requests.Response) -> Iterator[bytes]:
        """The body as it arrives; a pause and a trickle end in `Passing`."""
        from urllib3.exceptions import HTTPError

        # read() waits for a whole block, and a trickle would never fill one
        read = getattr(response.raw, "read1", response.raw.read)
        since, within = time.monotonic(), 0
        while not self.stop.is_set():
            try:
                block = read(_BLOCK)
            except (HTTPError, OSError) as error:
                raise Passing(f"the server stalled or broke off ({one_line(error, 100)})") from error
            if not block:
                return
            yield block
            within += len(block)
            now = time.monotonic()
            if now - since > self.timeout_s:
                if within < MIN_BYTES:
                    raise Passing(f"the server stalled: {within} bytes in {now - since:.0f} s")
                since, within = now, 0
        raise Stopped

    def _count(self, more: int) -> None:
        with self._lock:
            self.received += more
            total = self.received
        if total > self.limit:
            raise HopelessError(f"the server has sent {total} bytes, far more than the whole set has; try another mirror")


class _Writing:
    """An open file whose faults of writing, and no others, become errors of the disk."""

    def __init__(self, path: Path, mode: str) -> None:
        self._path = path
        with self._faults():
            self._file = open(path, mode)  # noqa: SIM115  (closed in __exit__)

    def __enter__(self) -> _Writing:
        return self

    def __exit__(self, *_: object) -> None:
        with self._faults():
            self._file.close()

    def write(self, block: bytes) -> None:
        with self._faults():
            self._file.write(block)

    def clear(self) -> None:
        with self._faults():
            self._file.truncate(0)

    def sync(self) -> None:
        """Wait until the disk has it: a name is given to nothing that a loss of power could take back."""
        with self._faults():
            self._file.flush()
            os.fsync(self._file.fileno())

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise disk_fault(error, self._path) from error


def disk_fault(error: OSError, path: Path) -> HopelessError:
    """What a fault of the disk means for the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HopelessError(f"the disk is full at {one_line(path.parent)}; make room, then run the same again to go on")
    return HopelessError(f"{one_line(path)} cannot be written ({error.strerror or error}); check the folder and its permissions")


def _announced(response: requests.Response, part: Path, limit: int) -> int | None:
    """How many bytes the server says will come, if they can be right and find room."""
    told = response.headers.get("Content-Length", "")
    if not (told.isascii() and told.isdigit() and len(told) < 19):
        return None
    announced = int(told)
    if announced > limit:
        raise EcgError(f"the server announces {announced} bytes, more than it can have; try another mirror")
    if announced > shutil.disk_usage(part.parent).free - _SPARE:
        raise HopelessError(f"the disk is full: {announced} bytes more are needed in {one_line(part.parent)}; make room")
    return announced


def _goes_on_at(response: requests.Response, have: int) -> bool:
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return response.status_code == 206 and found is not None and int(found[1]) == have


def _accepted(response: requests.Response) -> requests.Response:
    status = response.status_code
    packed = response.headers.get("Content-Encoding", "identity")
    if status in (200, 206, 416) and packed == "identity":
        return response
    response.close()
    if status in _AGAIN:
        told = response.headers.get("Retry-After", "")
        raise Passing(f"the server answers {status}", float(told) if told.isdigit() and len(told) < 5 else 0.0)
    if status in (404, 410):
        raise EcgError("the server does not have it; try another mirror")
    if status in (401, 403):
        raise EcgError(f"the server refuses it ({status}); an open set needs no account: check the address")
    if status in (200, 206):
        raise EcgError(f"the server sends it packed ({one_line(packed, 40)}) not plain; try another mirror")
    raise EcgError(f"the server answers {status}; check the address")


def _redirected(url: str, location: str) -> str:
    before, after = urlsplit(url), urlsplit(urljoin(url, location))
    same = (after.scheme, after.netloc) == (before.scheme, before.netloc)
    safer = before.scheme == "http" and after.scheme == "https" and after.hostname == before.hostname
    if not location or not (same or safer):
        raise HopelessError(
            f"{before.hostname} redirects to {one_line(repr(after.hostname), 80)}, which is not followed; if you trust that "
            "server give its address as the mirror"
        )
    return after.geturl()
