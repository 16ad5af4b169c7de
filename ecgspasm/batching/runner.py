"""The process that does one record at a time: ``python -m ecgspasm.batching.runner``.

It talks to its `guard` in frames on its standard streams. Where the system can fork, the process that was started loads
everything once and then only starts a child of itself that does the work; when a record kills that child, the next one is there
within milliseconds.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from ecgspasm.batching.rows import Rows, Task

_HEAD = struct.Struct("<4sII")
_MARK = b"ecg1"


def write_frame(out: int, header: dict[str, Any], floats: bytes = b"") -> None:
    """Write one message to a descriptor: its header as JSON, then plain floats."""
    text = json.dumps(header).encode()
    rest = memoryview(_HEAD.pack(_MARK, len(text), len(floats)) + text + floats)
    while rest:
        rest = rest[os.write(out, rest) :]


def read_frame(take: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next message from a function that takes so many bytes; ``None`` at the end, or where it is cut off or no message."""
    head = take(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    mark, n_text, n_floats = _HEAD.unpack(head)
    if mark != _MARK:
        return None
    content = take(n_text + n_floats)
    if len(content) < n_text + n_floats:
        return None
    header: dict[str, Any] = json.loads(content[:n_text])
    return header, content[n_text:]


def take_from(descriptor: int) -> Callable[[int], bytes]:
    """Takes bytes without reading ahead, so that a child that dies takes no part of the next request with it."""

    def take(count: int) -> bytes:
        got = b""
        while len(got) < count and (part := os.read(descriptor, count - len(got))):
            got += part
        return got

    return take


def packed(rows: Rows) -> tuple[dict[str, Any], bytes]:
    """Rows as a message."""
    return {"lead": rows.lead, "measure": rows.measure, "state": rows.state}, np.array([rows.value, rows.se]).tobytes()


def unpacked(header: dict[str, Any], floats: bytes) -> Rows:
    """Rows from a message."""
    value, se = np.frombuffer(floats).reshape(2, -1).tolist()
    return Rows(header["lead"], header["measure"], value, se, header["state"])


def serve(requests: int, answers: int) -> None:
    """Do what is asked until nobody asks any more."""
    from ecgspasm.batching.work import do

    write_frame(answers, {"pid": os.getpid()})
    take = take_from(requests)
    while (asked := read_frame(take)) is not None:
        wanted = asked[0]
        _limit_memory(wanted["memory_mb"])
        _limit_time(wanted["cpu_s"])
        rows = do(wanted["what"], Task(**wanted["task"]), wanted["electrodes"], wanted["criteria"])
        _limit_time(0.0)
        write_frame(answers, *packed(rows))


def _limit_time(seconds: float) -> None:
    """End this process, even inside a library's endless loop, once it has computed for so long; 0 lifts the limit."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory(megabytes: int) -> None:
    """Let an allocation beyond so much more than is in use now fail."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            in_use = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # not Linux: the limit is of the whole process
        in_use = 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = in_use + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _warm_up() -> None:
    """Load what every record needs, before the first child is made."""
    from ecgspasm.analysis import analyze
    from ecgspasm.serial.compare import compare
    from ecgspasm.simulate import ecg

    found = analyze(ecg(fs=500, seed=1).ecg)
    compare(found, found)


def _children(requests: int, answers: int) -> None:
    """Keep one working child; say how it ended when it did not end by itself."""
    while True:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                serve(requests, answers)
                status = 0
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        if os.WIFEXITED(ended) and os.WEXITSTATUS(ended) == 0:
            return
        write_frame(answers, {"died": -os.waitstatus_to_exitcode(ended)})


def main() -> None:
    """Serve on the standard streams, which nothing else may use from then on."""
    requests, answers = os.dup(0), os.dup(1)
    # Ctrl-C is for those who started the run; this process ends when nobody asks any more
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _warm_up()
    # what was loaded stays: the collector need not look through it again and again, nor copy its pages into every child
    gc.collect()
    gc.freeze()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    try:
        (_children if hasattr(os, "fork") else serve)(requests, answers)
    except BrokenPipeError:
        # those who asked were killed: nobody is left to tell
        return


if __name__ == "__main__":
    main()
