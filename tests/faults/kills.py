"""``kill -9`` at random moments, and going on: ``python -m tests.faults.kills --kills 200 --seed 1`` prints what came of it.

A parent that has loaded everything forks one process group a run, kills the whole group, starts it again on the same folder, and
so on until a run ends; then the files are compared with those of a run that nobody disturbed. Half of the moments are drawn from
the time that a run takes, the other half within 10 ms after something has changed in the folder, which is when files are being
written. Every second run writes to a slow disk, 64 kB a call, so that kills find files of which half is written.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet  # noqa: F401  (loaded here once, not in every process that is forked)

import ecgspasm as es
from ecgspasm.io.wfdb.writer import write_wfdb
from tests.faults import naive
from tests.faults.cheap import cheap_work, files, names, rows_by_record
from tests.faults.disk import Disk

Run = Callable[[Path], None]
Count = Callable[[Path], dict[str, int]]
_STUCK = 3


@dataclass
class Toll:
    """What the kills hit and what they did."""

    kills: int = 0
    runs: int = 0
    begun: int = 0
    """Kills after which a file was there that had no byte yet."""
    cut: int = 0
    """Kills after which a file was there that held only its beginning."""
    unnamed: int = 0
    """Kills after which a whole file was there that had not got its name yet."""
    early: int = 0
    """Kills before the first byte of a run's folder was written."""
    damaged: int = 0
    """Kills after which a file under its final name was not what it should be."""
    stuck: int = 0
    """Runs that would not go on."""
    differing: int = 0
    """Runs that ended with other bytes than the one that nobody disturbed."""
    lost_rows: int = 0
    double_rows: int = 0
    left_behind: int = 0
    """Temporary files that a later run did not remove although they were old."""
    said: list[str] = field(default_factory=list)


def whole_batch(folder: Path, records: int, size: int, per_part: int) -> None:
    """The package's own batch, with both tables."""
    with cheap_work(size):
        es.batch("measure", names(records), folder, records_per_part=per_part, wide=True)


def whole_command(folder: Path, records: int, size: int, per_part: int) -> None:
    """The command itself in the place of this process, with two workers and real records; `size` says nothing here."""
    given = folder.parent / "records"
    if not given.is_dir():
        given.mkdir()
        for seed in range(records):
            write_wfdb(es.simulate.ecg(fs=250, seed=seed, duration_s=4.0, leads=["V2"]).ecg, given, f"r{seed:03d}")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    options = ["--output", str(folder), "--records-per-part", str(per_part), "--workers", "2", "--wide"]
    os.execv(sys.executable, [sys.executable, "-m", "ecgspasm", "batch", "measure", str(given), *options])


WRITERS: dict[str, tuple[Callable[[Path, int, int, int], None], Count]] = {
    "whole": (whole_batch, rows_by_record),
    "command": (whole_command, rows_by_record),
    "in place": (naive.batch_written_in_place, rows_by_record),
    "appended": (naive.batch_appended, naive.rows_appended),
}


def forked(work: Callable[[], None]) -> int:
    """A process group of its own that does the work; its id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        # on both sides: whichever comes first, the group is there before anybody kills it
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)
        return pid
    status = _STUCK
    try:
        os.setpgid(0, 0)
        work()
        status = 0
    except es.EcgError:
        pass  # it will not go on: that is what the status says
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def told_by_a_child(ask: Callable[[], Any]) -> Any:
    """What a function returns in a process of its own, so that this one starts no threads and can be forked."""
    reader, writer = os.pipe()

    def answer() -> None:
        with open(writer, "wb") as file:
            file.write(pickle.dumps(ask()))

    pid = forked(answer)
    os.close(writer)
    with open(reader, "rb") as file:
        content = file.read()
    os.waitpid(pid, 0)
    return pickle.loads(content)


def looks(folder: Path) -> list[tuple[str, int]]:
    """Names and sizes."""
    try:
        return sorted((each.name, each.stat().st_size) for each in os.scandir(folder))
    except FileNotFoundError:  # the folder, or a file that has just got its name
        return []


def wait_for_the_moment(pid: int, folder: Path, usual_s: float, rng: random.Random) -> int | None:
    """Let time pass; the status if the process ends before the moment has come."""
    end = time.monotonic() + rng.uniform(0.0, usual_s)
    if rng.random() < 0.5:
        changes, before = rng.randint(1, 12), looks(folder)
        while changes:
            if (status := ended(pid)) is not None:
                return status
            now = looks(folder)
            changes -= now != before
            before = now
        end = time.monotonic() + rng.choice((0.0, rng.uniform(0.0, 0.002), rng.uniform(0.0, 0.01)))
    while (status := ended(pid)) is None and time.monotonic() < end:
        time.sleep(0.0005)
    return status


def ended(pid: int) -> int | None:
    """Exit status of a child, if it has ended."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def kill_and_go_on(run: Run, count: Count, kills: int, seed: int, folder: Path) -> Toll:
    """Kill runs so many times, whatever number of runs that takes."""
    rng, toll = random.Random(seed), Toll()
    began = time.monotonic()
    assert _status(forked(lambda: run(folder / "undisturbed"))) == 0, "the run fails even if nobody disturbs it"
    usual_s = time.monotonic() - began
    wanted = files(folder / "undisturbed")
    rows = told_by_a_child(lambda: count(folder / "undisturbed"))
    while toll.kills < kills:
        toll.runs += 1
        output = folder / f"run{toll.runs}"
        status = None
        while status is None:
            if toll.kills >= kills:
                age(output)
                status = _status(forked(lambda output=output: run(output)))
                break
            slow = toll.runs % 2 == 1
            pid = forked(lambda output=output, slow=slow: _slowly(run, output) if slow else run(output))
            status = wait_for_the_moment(pid, output, usual_s, rng)
            if status is None:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                toll.kills += 1
                _hit(output, wanted, toll)
        if status == _STUCK:
            toll.stuck += 1
        elif status != 0:
            raise AssertionError(f"the run ended with {status}")
        else:
            _compare(run, count, output, wanted, rows, toll)
        for path in output.iterdir():
            path.unlink()
    return toll


def _slowly(run: Run, output: Path) -> None:
    with Disk(output, piece=65_536, pause_s=0.0005):
        run(output)


def _status(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def age(folder: Path) -> None:
    """Make temporary files look as if they were left long ago."""
    for path in folder.glob("*.part"):
        os.utime(path, (1, 1))


def _hit(output: Path, wanted: dict[str, bytes], toll: Toll) -> None:
    """Note in which state a kill has left the folder."""
    sizes = dict(looks(output))
    toll.early += not sizes
    halves = {name: size for name, size in sizes.items() if name.endswith(".part") and not _seen(output / name)}
    for name, size in halves.items():
        # of a summary the whole size is not known beforehand
        whole = len(wanted.get(name.split(".", 2)[0] + "." + name.split(".")[1], b"")) or None
        toll.begun += size == 0
        toll.cut += whole is not None and 0 < size < whole
        toll.unnamed += size == whole
    there = files(output)
    wrong = {name: content for name, content in there.items() if content != wanted.get(name)}
    toll.damaged += bool(wrong)
    if not halves:
        toll.cut += any(0 < len(content) < len(wanted.get(name, b"")) for name, content in wrong.items())


_known: set[tuple[str, int]] = set()


def _seen(path: Path) -> bool:
    """Whether a file was left by an earlier kill."""
    key = (str(path), path.stat().st_ino)
    seen = key in _known
    _known.add(key)
    return seen


def _compare(run: Run, count: Count, output: Path, wanted: dict[str, bytes], rows: dict[str, int], toll: Toll) -> None:
    found = files(output)
    different = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    toll.differing += bool(different)
    toll.said += [f"run {toll.runs}: {', '.join(different)[:200]}"] if different and len(toll.said) < 5 else []
    counted = told_by_a_child(lambda: count(output))
    toll.lost_rows += sum(max(n - counted.get(record, 0), 0) for record, n in rows.items())
    toll.double_rows += sum(max(n - rows.get(record, 0), 0) for record, n in counted.items())
    if any(output.glob("*.part")):
        age(output)
        assert _status(forked(lambda: run(output))) == 0
        toll.left_behind += len(list(output.glob("*.part")))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", choices=list(WRITERS), default="whole")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=24)
    parser.add_argument("--bytes", type=int, default=800_000)
    parser.add_argument("--per-part", type=int, default=4)
    options = parser.parse_args()
    work, count = WRITERS[options.writer]
    with tempfile.TemporaryDirectory() as name:
        run = lambda folder: work(folder, options.records, options.bytes, options.per_part)  # noqa: E731
        toll = kill_and_go_on(run, count, options.kills, options.seed, Path(name))
        sizes = [path.stat().st_size for path in (Path(name) / "undisturbed").glob("part-*")]
    largest = {"largest_part_mb": round(max(sizes) / 1e6, 2)} if sizes else {}
    print(json.dumps({"writer": options.writer, "seed": options.seed, **largest, **vars(toll)}))


if __name__ == "__main__":
    main()
