"""One record at a time in a process of its own, so that a record that kills, fills or blocks it costs one row and no more."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from ecgspasm.batching.rows import Rows, Task, as_dict, failed
from ecgspasm.batching.runner import read_frame, unpacked, write_frame
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line
from ecgspasm.recording import is_number

_START_S = 120.0
_TRIES = 3
"""How often a record is tried whose process was killed from outside, as any process can be."""

_ENVIRONMENT = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# Dask has its workers give freed memory back at once (65536 there), which makes the arithmetic of one ECG four times as slow.
_ENVIRONMENT |= dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**28))
_OUT_OF_TIME = getattr(signal, "SIGPROF", None)
_KILLED = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True)
class Limits:
    """What one record may cost.

    `cpu_s` is computing time, which a busy machine does not stretch; the clock's time may be `patience` times as long, for
    records on a slow network.
    """

    cpu_s: float = 10.0
    memory_mb: int = 2048
    patience: float = 12.0

    def __post_init__(self) -> None:
        if not is_number(self.cpu_s) or not 0.05 <= self.cpu_s <= 86_400:
            raise EcgError(f"the time limit is {self.cpu_s!r}; give seconds a record, between 0.05 and 86400")
        if not isinstance(self.memory_mb, int) or not 64 <= self.memory_mb <= 1_000_000:
            raise EcgError(f"the memory limit is {self.memory_mb!r}; give MB a record, between 64 and 1000000")


class _GoneError(Exception):
    """The process that should answer is not there any more."""


class Guard:
    """Keeps one working process and starts it anew when a record has ended it; used by one thread."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._child = 0
        self._said: IO[bytes] | None = None
        self.closed = False

    def do(self, what: str, task: Task, electrodes: str, criteria: str | None) -> Rows:
        """The rows of one record, whatever it does."""
        if task.reason:
            return failed(task.reason)
        request: dict[str, Any] = {"what": what, "task": as_dict(task), "electrodes": electrodes, "criteria": criteria}
        request |= {"cpu_s": self.limits.cpu_s, "memory_mb": self.limits.memory_mb}
        ended = 0
        for number in range(_TRIES):
            if self.closed:
                raise EcgError("the run was stopped; run the same command again to go on")
            self.start()
            if not self._child:
                self._await_child()
            assert self._process is not None
            assert self._process.stdin is not None
            try:
                write_frame(self._process.stdin.fileno(), request)
                answer = self._answer(self.limits.cpu_s * self.limits.patience)
            except TimeoutError:
                self._end()
                seconds = self.limits.cpu_s * self.limits.patience
                return failed(f"it gave no answer within {seconds:g} s; give more time, or leave it out")
            except (_GoneError, OSError, ValueError) as error:
                # a descriptor that another thread has closed is an OSError or a ValueError
                if self.closed:
                    raise EcgError("the run was stopped; run the same command again to go on") from error
                self._end()
                ended = _KILLED
                continue
            if isinstance(answer, Rows):
                return answer
            ended = answer
            if ended == _OUT_OF_TIME:
                return failed(f"it takes more than {self.limits.cpu_s:g} s of computing; give more time, or leave it out")
            # what a record does, it does twice; only a kill from outside may well not come again
            if ended != _KILLED and number >= 1:
                break
        return failed(f"it ends the process that reads it ({_named(ended)}); leave it out")

    def _answer(self, seconds: float) -> Rows | int:
        """Rows, or the signal by which the working process ended."""
        deadline = time.monotonic() + seconds
        header, floats = self._frame(deadline)
        if "died" in header:
            # the one that takes its place says so
            self._child = self._frame(time.monotonic() + _START_S)[0]["pid"]
            return int(header["died"])
        return unpacked(header, floats)

    def _frame(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        found = read_frame(_until(self._process.stdout.fileno(), deadline))
        if found is None:
            raise _GoneError
        return found

    def start(self) -> None:
        """Start the working process, if there is none; it loads what it needs while others go on."""
        if self._process is not None:
            return
        self._child = 0
        try:
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ecgspasm.batching.runner"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=os.environ | _ENVIRONMENT,
                bufsize=0,
            )
        except OSError as error:
            if self._said is not None:
                self._said.close()
            why = one_line(error.strerror or error)
            raise EcgError(f"no working process could be started ({why}); see to free space, memory and handles") from error

    def _await_child(self) -> None:
        try:
            self._child = int(self._frame(time.monotonic() + _START_S)[0]["pid"])
        except (_GoneError, TimeoutError) as error:
            assert self._said is not None
            self._said.seek(0)
            words = self._said.read()[-2000:].decode(errors="replace").strip().splitlines()
            self._end()
            raise EcgError(f"no working process could be started ({words[-1] if words else 'it said nothing'})") from error

    def close(self) -> None:
        """End the working process for good."""
        self.closed = True
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pid in (process.pid, self._child):
            if pid and process.poll() is None:
                _kill(pid)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, self._said):
            if stream is not None:
                stream.close()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, _KILLED)
    except ProcessLookupError:
        return  # it has ended meanwhile, which is what was wanted


def _until(descriptor: int, deadline: float) -> Callable[[int], bytes]:
    """Takes bytes from a descriptor until the deadline."""

    def take(count: int) -> bytes:
        got = b""
        while len(got) < count:
            # a pipe has no select on Windows; the limit of computing time is missing there too
            if os.name != "nt" and not select.select([descriptor], [], [], max(deadline - time.monotonic(), 0.0))[0]:
                raise TimeoutError
            part = os.read(descriptor, count - len(got))
            if not part:
                break
            got += part
        return got

    return take


def _named(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"exit status {-number}"
    hint = {"SIGSEGV": ", a segmentation fault", "SIGKILL": ", perhaps for want of memory"}
    return name + hint.get(name, "")


_here = threading.local()
_all: list[Guard] = []
_lock = threading.Lock()


def guard_here(limits: Limits) -> Guard:
    """The guard of this thread, which keeps its process from part to part."""
    guard: Guard | None = getattr(_here, "guard", None)
    if guard is None or guard.limits != limits or guard.closed:
        if guard is not None:
            guard.close()
        guard = _here.guard = Guard(limits)
        with _lock:
            _all.append(guard)
    return guard


def close_guards() -> None:
    """End all working processes of this process; a part that is under way fails."""
    with _lock:
        guards, _all[:] = list(_all), []
    for guard in guards:
        guard.close()
