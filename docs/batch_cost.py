"""What a batch costs: ``./run python docs/batch_cost.py DATA [FILE]`` prints it, and writes it as JSON.

DATA is the folder of development recordings. Real ECGs (LUDB: 12 leads, 500 Hz, 10 s) are copied with other noise to a temporary
folder, 120 kB each, and measured by one worker process a core; then pairs of them are compared. Runs of up to 100,000 records of
one lead and 4 s show whether the engine slows down. The memory of all processes together is looked at every 10 s.
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
from ecgspasm.io.wfdb.writer import write_wfdb


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


def short(data: Path, folder: Path, count: int) -> list[Path]:
    """So many records of one lead and 4 s, all the same one."""
    ecg = es.read(data / "ludb" / "data" / "1.hea")
    written = Path(write_wfdb(es.Ecg(signal_uv=ecg.signal_uv[[7], :2000], fs=ecg.fs, leads=["V2"]), folder, "short"))
    found = []
    for number in range(count):
        below = folder / f"{number // 1000:03d}s{number % 1000:03d}"
        below.mkdir()
        for each in (written, written.with_suffix(".dat")):
            shutil.copyfile(each, below / each.name)
        found.append(below / written.name)
    return found


@contextmanager
def memory() -> Iterator[list[float]]:
    """MB that this process and all its children hold for themselves, a value every 10 s (looking costs the looked-at time)."""
    seen: list[float] = []
    done = threading.Event()
    own = psutil.Process()

    def watch() -> None:
        while not done.wait(10.0):
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


def run(name: str, what: str, inputs: Any, folder: Path) -> dict[str, Any]:
    """One run, timed as a whole and by its parts."""
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    with memory() as seen:
        found = es.batch(what, inputs, folder)
    seconds = time.perf_counter() - began
    ends = sorted((folder / name_of(found.key, part)).stat().st_mtime for part in range(found.n_parts))
    records = found.summary["records"]
    row: dict[str, Any] = {"name": name, "records": records, "failed": found.summary["failed"], "seconds": round(seconds, 1)}
    row["records_per_s"] = round(records / seconds, 1)
    row["ecgs_per_s"] = round((2 if what == "compare" else 1) * records / seconds, 1)
    tenth = len(ends) // 10
    early = (ends[2 * tenth - 1] - ends[tenth - 1]) if tenth else 0.0
    late = (ends[-1] - ends[-1 - tenth]) if tenth else 0.0
    # a part of two that end together tells nothing
    told = tenth >= 2
    in_tenth = max(tenth * records / len(ends), 1)
    row["early_ms"] = round(1000 * early / in_tenth, 2) if told else None
    row["late_ms"] = round(1000 * late / in_tenth, 2) if told else None
    fifth = max(len(seen) // 5, 1)
    row["early_mb"] = round(float(np.median(seen[fifth : 2 * fifth] or seen))) if seen else None
    row["late_mb"] = round(float(np.median(seen[-fifth:]))) if seen else None
    row["output_mb"] = round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1)
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--records", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = copies(options.data, folder, options.records)
        # LUDB's persons are not told, so a pair is two copies of one record
        pairs = [(records[i], records[i + 140]) for i in range(len(records) - 140) if i // 140 % 2 == 0]
        rows = [
            run("measure, 10 s", "measure", records[: options.records // 10], folder / "out"),
            run("measure, 10 s", "measure", records, folder / "out"),
            run("compare, 10 s", "compare", pairs, folder / "out"),
        ]
        for part in (100, 10, 1):
            below = folder / f"short{part}"
            below.mkdir()
            brief = short(options.data, below, 10 * options.records // part)
            rows.append(run("measure, one lead of 4 s", "measure", brief, folder / "out"))
    content = {"cores": os.cpu_count(), "version": es.__version__, "runs": rows}
    if options.file:
        options.file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
