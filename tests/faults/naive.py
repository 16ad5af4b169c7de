"""Two writers as they are often written, to show that the killing finds what is wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest import mock

import ecgspasm as es
from ecgspasm.batching import engine, parts, run
from ecgspasm.batching.rows import Task
from tests.faults.cheap import CheapGuard, cheap_work, names


def straight_under_its_name(path: str, content: Any) -> None:
    """Write a file in place, in blocks, and trust that nothing happens meanwhile."""
    whole = memoryview(content)
    with open(path, "wb") as file:
        for start in range(0, len(whole), 65_536):
            file.write(whole[start : start + 65_536])


def batch_written_in_place(folder: Path, records: int, size: int, per_part: int) -> None:
    """The package's batch with a writer that writes in place, and that takes a file which is there for a finished one."""
    with (
        mock.patch.object(parts, "write_whole", straight_under_its_name),
        mock.patch.object(engine, "read_part", return_value=None),
        mock.patch.object(run, "_finished", return_value=None),
        cheap_work(size),
    ):
        es.batch("measure", names(records), folder, records_per_part=per_part)


def batch_appended(folder: Path, records: int, size: int, per_part: int) -> None:
    """One growing file of rows and beside it a list of what is done, which is how a shell script would go on."""
    folder.mkdir(exist_ok=True)
    listed = folder / "done.txt"
    done = set(listed.read_text(encoding="utf-8").split()) if listed.exists() else set()
    guard = CheapGuard(size)
    for name in names(records):
        if name in done:
            continue
        found = guard.do("measure", Task(name, current=name), "fresh", None)
        with open(folder / "rows.jsonl", "a", encoding="utf-8") as file:
            for row in zip(found.measure, found.lead, found.value, found.state, strict=True):
                file.write(json.dumps([name, *row], allow_nan=True) + "\n")
        with open(listed, "a", encoding="utf-8") as file:
            file.write(name + "\n")


def rows_appended(folder: Path) -> dict[str, int]:
    """How many rows of each record the growing file holds; what is no row any more counts for none."""
    counted: dict[str, int] = {}
    path = folder / "rows.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if os.path.exists(path) else ():
        try:
            record = json.loads(line)[0]
        except ValueError:
            continue  # two halves of rows in one line: both are lost
        counted[record] = counted.get(record, 0) + 1
    return counted
