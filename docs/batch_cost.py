"""What a batch costs: ``./run python docs/batch_cost.py DATA [FILE]`` prints it, and writes it as JSON.

DATA is the folder of development recordings. Real ECGs (LUDB: 12 leads, 500 Hz, 10 s) are copied with other noise to a temporary
folder, 120 kB each, and measured by one worker process a core; then pairs of them are compared. A run of ten times as many
records reads each file under ten names. The memory of all processes together is looked at every second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import ecgspasm as es
from ecgspasm.batching.parts import name_of
from ecgspasm.io.wfdb_writer import write_wfdb


def copies(data: Path, folder: Path, count: int) -> list[Path]:
    """So many records, each a real one with noise of its own."""
    real = [es.read(path) for path in sorted((data / "ludb" / "data").glob("*.hea"))]
    rng = np.random.default_rng(6)
    made = []
    for number in range(count):
        ecg = real[number % len(real)]
        noise = rng.normal(0.0, 5.0, ecg.signal_uv.shape)
        below = folder / f"{number // 1000:03d}"
        below.mkdir(exist_ok=True)
        noisy = es.Ecg(signal_uv=ecg.signal_uv + noise, fs=ecg.fs, leads=ecg.leads)
        made.append(Path(write_wfdb(noisy, below, f"r{number:05d}")))
    return made


def other_names(records: list[Path], folder: Path, times: int) -> list[Path]:
    """The same records under further names, without copies of their bytes."""
    found = list(records)
    for turn in range(1, times):
        for path in records:
            below = folder / f"{turn:02d}" / path.parent.name
            below.mkdir(parents=True, exist_ok=True)
            for each in (path, path.with_suffix(".dat")):
                os.link(each, below / each.name)
            found.append(below / path.name)
    return found


@contextmanager
def memory() -> Iterator[list[float]]:
    """MB that this process and all its children hold for themselves, a value a second."""
    seen: list[float] = []
    done = threading.Event()
    own = psutil.Process()

    def watch() -> None:
        while not done.wait(1.0):
            total = 0
            for process in (own, *own.children(recursive=True)):
                try:
                    total += process.memory_full_info().uss
                except psutil.Error:  # it has just ended
                    continue
            seen.append(total / 1e6)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def run(what: str, inputs: Any, folder: Path) -> dict[str, Any]:
    """One run, timed as a whole and by its parts."""
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    with memory() as seen:
        found = es.batch(what, inputs, folder)
    seconds = time.perf_counter() - began
    ends = sorted((folder / name_of(found.key, part)).stat().st_mtime for part in range(found.n_parts))
    records = found.summary["records"]
    row = {"what": what, "records": records, "failed": found.summary["failed"], "seconds": round(seconds, 1)}
    row["records_per_s"] = round(records / seconds, 1)
    ecgs = 2 * records if what == "compare" else records
    row["ecgs_per_s"] = round(ecgs / seconds, 1)
    if len(ends) >= 20:
        tenth = len(ends) // 10
        # the first parts also wait for the workers to start
        row["seconds_of_second_tenth"] = round(ends[2 * tenth - 1] - ends[tenth - 1], 2)
        row["seconds_of_last_tenth"] = round(ends[-1] - ends[-1 - tenth], 2)
    fifth = max(len(seen) // 5, 1)
    row["memory_mb_second_fifth"] = round(float(np.median(seen[fifth : 2 * fifth] or seen)))
    row["memory_mb_last_fifth"] = round(float(np.median(seen[-fifth:])))
    row["output_mb"] = round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1)
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=10, help="how many times as many records the longest run has")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = copies(options.data, folder, options.records)
        thousand = options.records // 10
        rows = [run("measure", records[:thousand], folder / "out"), run("measure", records, folder / "out")]
        # LUDB's persons are not told, so a pair is two copies of one record
        pairs = [(records[i], records[i + 140]) for i in range(len(records) - 140) if i // 140 % 2 == 0]
        rows.append(run("compare", pairs, folder / "out"))
        if options.times > 1:
            rows.append(run("measure", other_names(records, folder, options.times), folder / "out"))
    content = {"cores": os.cpu_count(), "version": es.__version__, "runs": rows}
    if options.file:
        options.file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
