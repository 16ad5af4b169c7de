"""A batch whose records cost nothing and whose parts are large, so that writing is what takes the time."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from ecgspasm.batching import engine
from ecgspasm.batching.rows import Rows, Task, failed

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_MEASURES = 8


class CheapGuard:
    """Answers in the place of a working process: rows that follow from the name of the record alone."""

    def __init__(self, bytes_per_record: int) -> None:
        self.letters = bytes_per_record // (_MEASURES * len(LEADS))

    def start(self) -> None:
        """There is no process to start."""

    def do(self, what: str, task: Task, electrodes: str, criteria: str | None) -> Rows:
        """Random numbers and texts, which no compression makes small, and the same ones whenever the record is asked for."""
        if task.reason or task.current.endswith("bad.hea"):
            return failed(task.reason or "a bad record")
        rng = np.random.default_rng(zlib.crc32(os.path.basename(task.current).encode()))
        rows = Rows()
        for number in range(_MEASURES):
            texts = [rng.bytes(self.letters).hex() for _ in LEADS]
            rows.add(f"m{number}", LEADS, rng.normal(size=len(LEADS)), rng.random(len(LEADS)), texts)
        return rows


@contextmanager
def cheap_work(bytes_per_record: int) -> Iterator[None]:
    """Within it a batch of up to 100 records is done by a `CheapGuard`; all that writes is as ever."""
    guard = CheapGuard(bytes_per_record)
    with mock.patch.object(engine, "guard_here", return_value=guard):
        yield


def names(count: int) -> list[str]:
    """Records that need not exist; every ninth is bad."""
    return [f"/records/{number:04d}{'bad' if number % 9 == 8 else ''}.hea" for number in range(count)]


def files(folder: Path) -> dict[str, bytes]:
    """What a run leaves behind under its final names, but for the summary, which tells how fast it was."""
    left_out = ("summary.json", "summary.html")
    found = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    return {path.name: path.read_bytes() for path in found if path.suffix != ".part" and path.name not in left_out}


def rows_by_record(folder: Path) -> dict[str, int]:
    """How many rows of each record the long tables of a folder hold together; a file that is no table holds none."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    counted: dict[str, int] = {}
    for path in sorted(folder.glob("part-*.parquet")):
        try:
            column: Any = pc.value_counts(pq.read_table(path, columns=["record"]).column("record"))
        except pa.ArrowException:
            continue
        for each in column.to_pylist():
            counted[each["values"]] = counted.get(each["values"], 0) + each["counts"]
    return counted
