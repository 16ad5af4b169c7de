"""What survives what: ``./run python docs/faults.py [FILE] [--data DATA] [--only SECTION ...]`` runs it and writes FILE as JSON.

DATA is the folder of development recordings, of which the section `kernels` measures a few dozen. Sections that are run take the
place of those that stand in FILE; the others stay. Full disks need the right to mount a file system (root). All of it takes about
an hour on two cores that do nothing else; the soak is most of it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.code_state import state  # noqa: E402

FILE = ROOT / "data" / "benchmarks" / "faults.json"
_PACKAGES = ("dask", "distributed", "matplotlib", "numpy", "pandas", "pyarrow", "scipy", "wfdb")


def kills(data: Path | None) -> Any:
    """The batch, the whole command with its workers, and two naive writers."""
    rows = [_module("kills", "--writer", "whole", "--kills", "200")]
    rows.append(_module("kills", "--writer", "command", "--kills", "30", "--records", "104"))
    return rows + [_module("kills", "--writer", writer, "--kills", "60") for writer in ("in place", "appended")]


def full_disk(data: Path | None) -> Any:
    """A small file system that is full at 50 positions of a run, and at 8 of every other writer."""
    from tests.faults.full_disk import all_writers, full_in_a_batch

    return {"batch": full_in_a_batch(50).as_dict(), "writers": [each.as_dict() for each in all_writers(8)]}


def every_call(data: Path | None) -> Any:
    """Every call to the file system fails once in each of its ways."""
    from tests.faults.deeds import BATCHES, SINGLE
    from tests.faults.every_call import all_faults

    return [all_faults(deed).as_dict() for deed in (*SINGLE, *BATCHES)]


def spread(data: Path | None) -> Any:
    """Workers, parts, order and how processes are started."""
    return _module("spread")


def kernels(data: Path | None) -> Any:
    """Other instructions of the processor."""
    return _module("kernels", *([str(data)] if data else []))


def soak(data: Path | None) -> Any:
    """200,000 records of which a hundredth is poisoned."""
    return _module("soak")


SECTIONS: dict[str, Callable[[Path | None], Any]] = {
    each.__name__: each for each in (kills, full_disk, every_call, spread, kernels, soak)
}


def _module(name: str, *arguments: str) -> Any:
    """What a module of `tests.faults` prints, run in a process of its own."""
    command = [sys.executable, "-m", f"tests.faults.{name}", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    options = parser.parse_args()
    for name in options.only:
        found = SECTIONS[name](options.data and options.data.resolve())
        print(json.dumps({name: found}), flush=True)
        if options.file:
            # read again: another section may have been run meanwhile
            content = json.loads(options.file.read_text(encoding="utf-8")) if options.file.exists() else {}
            versions = {each: importlib.metadata.version(each) for each in _PACKAGES}
            content |= {"cores": os.cpu_count(), "python": platform.python_version(), "versions": versions, name: found}
            content["code"] = content.get("code", {}) | {name: state()}
            options.file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
