"""A long run with poisoned records among short ones: ``python -m tests.faults.soak --records 200000`` prints what came of it.

All sound records are one recording under many names, so that each must give the very same rows. Poisoned ones (see
`tests/poison.py`) are spread evenly, so that every tenth of the run has as many of each kind. How fast a tenth was is told by the
clock, by the computing time of all processes, and by that time over the time which a fixed piece of work takes meanwhile in a
process of its own: other work on the machine slows both alike.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import ecgspasm as es
from ecgspasm.io.wfdb.writer import write_wfdb

# in a thousand poisoned ones, how many of each kind, and what is said of them
KINDS: dict[str, tuple[int, str | tuple[str, ...]]] = {
    "exception": (400, "ZeroDivisionError: a reader's own mistake"),
    "segfault": (150, "SIGSEGV, a segmentation fault"),
    "killed": (125, "SIGKILL, perhaps for want of memory"),
    "exit": (150, "exit status 3"),
    "memory": (100, "more memory than the limit allows"),
    "grow": (60, "more memory than the limit allows"),
    "loop": (10, ("more than 1 s of computing", "gave no answer within 12 s")),  # the clock comes first where others compute, too
    "sleep": (5, "gave no answer within 12 s"),
}
_EVERY_S = 5.0
_FIXED = """
import sys, time
import ecgspasm as es
made = es.simulate.ecg(fs=250, seed=1, duration_s=4.0, leads=["V2"]).ecg
es.analyze(made)
for line in sys.stdin:
    began = time.process_time()
    for _ in range(10):
        es.analyze(made)
    print(time.process_time() - began, flush=True)
"""


def _said(kind: str) -> tuple[str, ...]:
    words = KINDS[kind][1]
    return (words,) if isinstance(words, str) else words


def poisons(count: int) -> list[str]:
    """So many kinds in an order in which each kind is spread evenly."""
    share = sum(of for of, _ in KINDS.values())
    at = [((place + 0.5) / n, kind) for kind, (of, _) in KINDS.items() if (n := round(of * count / share)) for place in range(n)]
    return [kind for _, kind in sorted(at)]


def inputs(folder: Path, records: int, poisoned: int) -> tuple[list[str], dict[str, str]]:
    """Paths of all records in their order, and the kinds of the poisoned ones."""
    made = es.simulate.ecg(fs=250, seed=1, duration_s=4.0, leads=["V2"]).ecg
    source = Path(write_wfdb(made, folder, "short"))
    header, rest = source.read_text().split("\n", 1)
    kinds = poisons(poisoned)
    every = records // max(len(kinds), 1)
    paths, which = [], {}
    for number in range(records):
        below = folder / f"d{number // 1000:04d}"
        if number % 1000 == 0:
            below.mkdir()
            shutil.copyfile(source.with_suffix(".dat"), below / "short.dat")
        # in the middle of its stretch
        here = number // every if number % every == every // 2 else len(kinds)
        name = f"{kinds[here]}-{number:06d}" if here < len(kinds) else f"r{number:06d}"
        path = below / f"{name}.hea"
        path.write_text(f"{name} {header.split(' ', 1)[1]}\n{rest}")
        paths.append(str(path))
        if here < len(kinds):
            which[str(path)] = kinds[here]
    return paths, which


class Watch(threading.Thread):
    """Looks at all processes of the run every few seconds: what memory they hold, and what they have computed."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.done = 0
        self.over = threading.Event()
        self.rows: list[dict[str, Any]] = []
        self.others: list[float] = []
        self.fixed: list[tuple[int, float]] = []
        self.beside = subprocess.Popen([sys.executable, "-c", _FIXED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def told(self, done: int, of: int) -> None:
        """Called by the batch."""
        self.done = done

    def run(self) -> None:
        assert self.beside.stdin is not None
        assert self.beside.stdout is not None
        while not self.over.wait(_EVERY_S):
            self.look()
            print(file=self.beside.stdin, flush=True)
            self.fixed.append((self.done, float(self.beside.stdout.readline())))
        self.beside.communicate()

    def look(self) -> None:
        """One look."""
        own = psutil.Process()
        row: dict[str, Any] = {"at": time.monotonic(), "done": self.done, "cpu_s": 0.0}
        held: dict[str, list[float]] = {"main": [], "worker": [], "loader": [], "worked in": []}
        for process in (own, *(each for each in own.children(recursive=True) if each.pid != self.beside.pid)):
            try:
                with process.oneshot():
                    spent, line, rss = process.cpu_times(), " ".join(process.cmdline()), process.memory_info().rss
                    above = " ".join(process.parent().cmdline()) if process.pid != own.pid else ""
            except (psutil.Error, AttributeError):  # it has just ended
                continue
            row["cpu_s"] += spent.user + spent.system + spent.children_user + spent.children_system
            runs = "ecgspasm.batching.runner"
            role = "main" if process.pid == own.pid else "worked in" if runs in above else "loader" if runs in line else "worker"
            if role != "worker" or "spawn_main" in line or "forkserver" in line:
                held[role].append(rss / 1e6)
        row |= {f"{role}_mb": max(sizes) for role, sizes in held.items() if sizes}
        self.others.append(os.getloadavg()[0])
        self.rows.append(row)


def growth(rows: list[dict[str, Any]], role: str) -> dict[str, float]:
    """Memory in the second and in the last tenth of the records, MB."""
    most = rows[-1]["done"]

    def within(low: float, high: float) -> float:
        return float(np.median([row[role] for row in rows if low * most <= row["done"] <= high * most and role in row]))

    early, late = within(0.1, 0.2), within(0.9, 1.0)
    return {"early_mb": round(early, 1), "late_mb": round(late, 1), "growth_mb": round(late - early, 1)}


def by_tenths(rows: list[dict[str, Any]], what: str) -> list[float]:
    """Milliseconds of one record in each tenth of the run."""
    done = np.array([row["done"] for row in rows], float)
    spent = np.array([row[what] for row in rows])
    # from the first part on: the start of the workers is not the records'
    edges = np.linspace(done[0], done[-1], 11)
    at = np.interp(edges, done, spent)
    return [round(float(each), 3) for each in 1000 * np.diff(at) / np.diff(edges)]


def fixed_by_tenths(fixed: list[tuple[int, float]]) -> list[float]:
    """Milliseconds of the fixed piece of work in each tenth of the run, median."""
    done, spent = (np.array(each, float) for each in zip(*fixed, strict=True))
    edges = np.linspace(done[done > 0][0], done[-1], 11)
    tenths = [spent[(done >= low) & (done <= high)] for low, high in pairwise(edges)]
    return [round(1000 * float(np.median(each)), 2) if len(each) else float("nan") for each in tenths]


def account(run: es.batching.run.Batch, paths: list[str], which: dict[str, str]) -> dict[str, Any]:
    """Every record by its rows: lost, double, different, and the poisoned ones by what is said of them."""
    seen: Counter[str] = Counter()
    hashes: Counter[str] = Counter()
    said: Counter[str] = Counter()
    unexpected: list[str] = []
    for table in run.tables():
        frame = table.to_pandas()
        frame["record"] = frame["record"].astype(str)
        for record, rows in frame.groupby("record", sort=False):
            seen[record] += 1
            if rows["measure"].iloc[0] != "error":
                content = rows.drop(columns="record").to_csv(index=False).encode()
                hashes[hashlib.sha256(content).hexdigest()] += 1
            reason = str(rows["state"].iloc[0]) if rows["measure"].iloc[0] == "error" else ""
            kind = which.get(record, "")
            right = any(each in reason for each in _said(kind)) if kind else not reason
            said[kind] += right
            if not right:
                unexpected.append(f"{kind or 'sound'}: {reason[:120]}")
    return {
        "lost": len(set(paths) - set(seen)),
        "double": sum(count > 1 for count in seen.values()),
        "strangers": len(set(seen) - set(paths)),
        "sound": said.pop("", 0),
        "different_results_of_the_sound": len(hashes),
        "poisoned": len(which),
        "accounted_for": dict(said.most_common()),
        "unexpected": len(unexpected),
        "unexpected_said": unexpected[:10],
    }


def soak(records: int, poisoned: int, workers: int) -> dict[str, Any]:
    """The whole of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = folder / "site"
        site.mkdir()
        shutil.copy(Path(__file__).parent.parent / "poison.py", site / "sitecustomize.py")
        os.environ["PYTHONPATH"] = str(site)
        paths, which = inputs(folder, records, poisoned)
        watch = Watch()
        watch.start()
        began = time.monotonic()
        options: dict[str, Any] = {"workers": workers, "time_limit_s": 1.0, "memory_limit_mb": 256}
        run = es.batch("measure", paths, folder / "out", progress=watch.told, **options)
        seconds = time.monotonic() - began
        watch.over.set()
        watch.join()
        found = {"records": records, "workers": workers, "seconds": round(seconds, 1), **account(run, paths, which)}
    rows = [row for row in watch.rows if row["done"]]
    found["memory"] = {role: growth(rows, f"{role}_mb") for role in ("main", "worker", "loader", "worked in")}
    for what, key in (("at", "clock_ms"), ("cpu_s", "computing_ms")):
        found[key] = by_tenths(rows, what)
    found["fixed_work_ms"] = fixed_by_tenths(watch.fixed)
    last_to_first = {key: found[key][-1] / found[key][0] for key in ("clock_ms", "computing_ms", "fixed_work_ms")}
    last_to_first["computing_to_fixed"] = last_to_first["computing_ms"] / last_to_first["fixed_work_ms"]
    found["last_tenth_to_first"] = {key: round(each, 3) for key, each in last_to_first.items()}
    found["load"] = {"median": round(statistics.median(watch.others), 1), "most": round(max(watch.others), 1)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--poisoned", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(json.dumps(soak(options.records, options.poisoned, options.workers), indent=1))


if __name__ == "__main__":
    main()
