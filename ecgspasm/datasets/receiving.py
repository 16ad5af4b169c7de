"""Receive many files at a time, each tried several times, and give a file its name only when it is whole."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ecgspasm.datasets import sums
from ecgspasm.datasets.transfer import HopelessError, Passing, Stopped, Transfer, disk_fault, sha256_of
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

TRIES = 4
PAUSE_S = 0.5
"""Pause before the second try; it doubles with each further one."""

MAX_PAUSE_S = 60.0
MAX_FAILED = 10
"""After so many files that could not be had, the others are not tried."""


class Receiver:
    """Files of one set, on their way from `address` through the folder `staging` into `target`."""

    def __init__(self, pooch: Any, target: Path, staging: Path, address: str, transfer: Transfer, stop: threading.Event) -> None:
        self.target = target
        self._pooch = pooch
        self._staging = staging
        self._address = address
        self._transfer = transfer
        self._stop = stop
        self._lock = threading.Lock()
        self._left: Iterator[tuple[str, str]] = iter(())
        self._done = 0
        self._failed: list[tuple[str, EcgError]] = []
        self._fault: BaseException | None = None
        self._made: set[str] = set()

    def one_list(self, pin: str | None) -> Path:
        """Receive the list of hashes, which stays in the staging folder, whatever its hash is."""
        part = self._part(sums.NAME, "")
        # parts of another list are of no use
        part.unlink(missing_ok=True)
        (self._staging / "whole" / sums.NAME).unlink(missing_ok=True)
        store = self._store({sums.NAME: None})
        try:
            return self._tried(sums.NAME, store, self._transfer.into(part, pin, sums.MAX_BYTES))
        finally:
            self._transfer.close()

    def receive(self, hashes: dict[str, str], workers: int, progress: Any) -> None:
        """Have all these files in the target folder; an EcgError names the first that could not be had."""
        self._left = iter(hashes.items())
        store = self._store(dict(hashes))
        # not joined for ever: a thread that waits for a server must not keep Ctrl-C waiting
        threads = [threading.Thread(target=self._work, args=(store,), daemon=True) for _ in range(min(workers, len(hashes)))]
        tell = progress or (lambda *_: None)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    tell(self._done, len(hashes), self._transfer.received)
                    thread.join(0.1)
        except BaseException:
            self._stop.set()
            for thread in threads:
                if thread.is_alive():
                    thread.join(2.0)
            raise
        tell(self._done, len(hashes), self._transfer.received)
        self._judge(len(hashes))

    def _judge(self, of: int) -> None:
        if isinstance(self._fault, OSError):
            raise disk_fault(self._fault, Path(self._fault.filename or self.target)) from self._fault
        if isinstance(self._fault, HopelessError):
            raise EcgError(f"{self._fault}; {self._done} of {of} files are there, run it again to go on") from self._fault
        if self._fault is not None:
            raise self._fault
        if self._failed:
            name, error = self._failed[0]
            others = f" and {len(self._failed) - 1} more" if len(self._failed) > 1 else ""
            there = f"{self._done} of {of} files are there, run it again to go on"
            raise EcgError(f"{one_line(name, 80)}{others} could not be had: {error}; {there}") from error

    def _work(self, store: Any) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    name, expected = next(self._left, ("", ""))
                if not name:
                    return
                try:
                    self._one(name, expected, store)
                except HopelessError:
                    raise
                except EcgError as error:
                    with self._lock:
                        self._failed.append((name, error))
                    if len(self._failed) >= MAX_FAILED:
                        self._stop.set()
                else:
                    with self._lock:
                        self._done += 1
        except Stopped:
            return
        except BaseException as error:
            # told in the thread that has called
            self._fault = self._fault or error
            self._stop.set()
        finally:
            self._transfer.close()

    def _one(self, name: str, expected: str, store: Any) -> None:
        there = self.target / name
        if there.is_dir():
            raise EcgError(f"{one_line(there)} is a folder; move it away")
        if there.is_file() and sha256_of(there) == expected:
            return
        staged = self._tried(name, store, self._transfer.into(self._part(name, expected), expected))
        if self._stop.is_set():
            raise Stopped
        self._make(there.parent)
        os.replace(staged, there)

    def _tried(self, name: str, store: Any, downloader: Any) -> Path:
        """Let Pooch have one file, several times if need be; its path in the staging folder."""
        self._make((self._staging / "whole" / name).parent)
        reason: Exception = EcgError("it was never tried")
        pause = PAUSE_S
        for attempt in range(TRIES):
            if attempt:
                self._transfer.close()
                asked = reason.after_s if isinstance(reason, Passing) else 0.0
                if self._stop.wait(min(max(pause, asked), MAX_PAUSE_S)):
                    raise Stopped
                pause *= 2
            try:
                return Path(store.fetch(name, downloader=downloader))
            except EcgError:
                raise
            except Passing as error:
                reason = error
            except ValueError:
                # Pooch has compared the hashes, and has thrown the file away
                reason = Passing(f"what the server sends is not what {sums.NAME} says (another hash)")
        raise EcgError(f"{reason}, {TRIES} times") from reason

    def _store(self, registry: dict[str, str | None]) -> Any:
        urls = {name: self._address + quoted for name in registry if (quoted := quote(name)) != name}
        return self._pooch.create(path=self._staging / "whole", base_url=self._address, registry=registry, urls=urls)

    def _part(self, name: str, expected: str) -> Path:
        """Where a file is collected: hidden, and under another name if another content is expected."""
        parts = self._staging / "parts"
        self._make(parts)
        return parts / f".{hashlib.sha256(f'{expected} {name}'.encode()).hexdigest()[:40]}"

    def _make(self, folder: Path) -> None:
        if str(folder) not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(str(folder))


@contextmanager
def alone(staging: Path) -> Iterator[Path]:
    """Make the staging folder and keep other fetches out of it; it is gone after a whole fetch and stays after a broken one."""
    made = not staging.parent.exists()
    staging.mkdir(parents=True, exist_ok=True)
    path = staging / "lock"
    with open(path, "a+b") as file:
        if not _locked(file.fileno()):
            raise EcgError(f"another fetch is at work in {one_line(staging.parent)}; wait for it")
        # what an earlier one has left half moved
        shutil.rmtree(staging / "whole", ignore_errors=True)
        try:
            yield staging
        except BaseException:
            shutil.rmtree(staging / "whole", ignore_errors=True)
            if next((staging / "parts").glob(".*"), None) is not None:
                raise
            shutil.rmtree(staging, ignore_errors=True)
            if made and not any(staging.parent.iterdir()):
                staging.parent.rmdir()
            raise
    shutil.rmtree(staging, ignore_errors=True)


def _locked(handle: int) -> bool:
    """Lock an open file; the system unlocks it when the process ends, however it ends."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # a file system without locks: two fetches cannot harm each other more than by receiving a part twice
        return os.name != "nt"
    return True


@contextmanager
def quiet(pooch: Any) -> Iterator[None]:
    """Keep Pooch from writing a line a file on stderr."""
    logger: logging.Logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
