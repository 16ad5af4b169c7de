"""Read files that may be bad, one after the other, and say what became of each: its answer, its time and its memory.

Meant for a process of its own, ``python -m tests.corpus.judge``, which takes one file a line as JSON and answers each with one:
so that a reader that kills the interpreter, hangs or fills memory costs that process and is told by its silence.
"""

from __future__ import annotations

import faulthandler
import json
import math
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SLOWEST_S = 30
"""After this a reader hangs."""
MOST_BYTES = 4 * 2**30
"""Address space that a reader gets; nothing here needs a tenth of it."""


def judge(path: Any, asked: dict[str, Any], how: str) -> dict[str, Any]:
    """Read a file at once (``read``) or a stretch of it (``open``).

    ``seconds`` are of computing, which other jobs on the machine do not change; ``waited_s`` are those of the clock.
    """
    import numpy as np

    import ecgspasm as es
    from ecgspasm.processing.quality import lead_quality

    told: dict[str, Any] = {"flags": []}
    before = peak_mb(reset=True)
    start, computed = time.perf_counter(), time.process_time()

    def taken() -> dict[str, float]:
        return {
            "seconds": time.process_time() - computed, "waited_s": time.perf_counter() - start, "mb": peak_mb() - before
        }  # fmt: skip

    try:
        if how == "open":
            recording = es.open_recording(path, **asked)
            found = es.Ecg(
                signal_uv=recording.samples(0, min(recording.n_samples, 4000)),
                fs=recording.fs,
                leads=recording.leads,
                source=recording.source,
            )
        else:
            found = es.read(path, **asked)
    except es.EcgError as error:
        told |= {"kind": "refused", "says": str(error)}
    except Exception as error:  # whatever else comes out is what is looked for
        told |= {"kind": "untyped", "says": f"{type(error).__name__}: {error}"}
    else:
        told |= {"kind": "read", "says": "", **taken()}
        flags = [note for note in found.source.partition("; ")[2].split("; ") if note]
        try:
            flags += [f"{lead}: {why}" for lead, why in zip(found.leads, lead_quality(found), strict=True) if why]
        except es.EcgError as error:
            flags.append(str(error))
        worst = np.nanmax(np.abs(found.signal_uv)) if np.isfinite(found.signal_uv).any() else 0.0
        told |= {"flags": flags, "fs": found.fs, "leads": list(found.leads), "largest_uv": float(worst), "found": found}
    return told if "seconds" in told else told | taken()


def peak_mb(*, reset: bool = False) -> float:
    """Largest memory since the last reset, where the system tells; else of all time."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    import numpy  # noqa: F401  (loaded before the first file is timed)

    import ecgspasm as es

    es.simulate.ecg(fs=500, seed=1, duration_s=4)
    for line in sys.stdin:
        given = json.loads(line)
        faulthandler.dump_traceback_later(SLOWEST_S, exit=True)
        told = judge(given["path"], given["asked"], given["how"])
        faulthandler.cancel_dump_traceback_later()
        told.pop("found", None)
        print(json.dumps(told), flush=True)


class Reader:
    """A process that reads files one after the other; a new one takes its place when it dies."""

    def __init__(self, arguments: Sequence[str] = ("-m", "tests.corpus.judge"), patience_s: float = 30.0) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._arguments, self._patience_s = arguments, patience_s

    def read(self, path: Path | str, asked: dict[str, Any] | None = None, how: str = "read") -> dict[str, Any]:
        """What became of one file; of kind ``death`` or ``hang`` if nothing came back."""
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=Path(__file__).parents[2],
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        start = time.perf_counter()
        # a process that is dead already is told below, by its silence
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"path": str(path), "asked": asked or {}, "how": how}) + "\n")
            process.stdin.flush()
        ready = select.select([process.stdout], [], [], SLOWEST_S + self._patience_s)[0]
        line = process.stdout.readline() if ready else ""
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        seconds = time.perf_counter() - start
        self.close()
        kind = "hang" if seconds >= SLOWEST_S else "death"
        told: dict[str, Any] = {"kind": kind, "says": f"exit {process.returncode}", "flags": []}
        return told | {"seconds": seconds, "waited_s": seconds, "mb": math.nan}

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            with suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None


@contextmanager
def reader(*how: Any, **otherwise: Any) -> Iterator[Reader]:
    """A reading process that ends with the block; see `Reader`."""
    made = Reader(*how, **otherwise)
    try:
        yield made
    finally:
        made.close()


if __name__ == "__main__":
    main()
