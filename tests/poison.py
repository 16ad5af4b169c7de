"""Put on the path of a batch's working processes as ``sitecustomize``: files of certain names do what no file should.

The names are ``segfault``, ``killed``, ``exit``, ``loop``, ``sleep``, ``memory``, ``grow`` and ``exception``; every other file is
read as ever.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Any

import ecgspasm.io

_read = ecgspasm.io.read


def read(path: str, **options: Any) -> Any:
    """What `ecgspasm.read` would be with a broken library behind it."""
    name = os.path.basename(str(path)).partition(".")[0].partition("-")[0]
    if name == "segfault":
        ctypes.string_at(0)
    elif name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "exit":
        os._exit(3)
    elif name == "loop":
        while True:
            pass
    elif name == "sleep":
        time.sleep(3600)
    elif name == "memory":
        _hold = bytearray(64 * 2**30)
    elif name == "grow":
        held = []
        while True:
            held.append(b"x" * 2**24)
    elif name == "exception":
        raise ZeroDivisionError("a reader's\nown mistake")
    return _read(path, **options)


ecgspasm.io.read = read
