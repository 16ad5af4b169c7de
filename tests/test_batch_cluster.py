"""A batch on a real cluster on loopback: a worker killed in the middle, then the client, and the bytes that come of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

import ecgspasm as es
from ecgspasm.batching.engine import SMALL
from ecgspasm.io.wfdb.writer import write_wfdb

_N_RECORDS = 60


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A scheduler and two worker processes; gives the scheduler's address, and ends what it started."""
    file = folder / "scheduler.json"
    # without a dashboard too there is a server for pages, which would listen to all the world
    quiet = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    started = [_start("dask_scheduler", ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file), *quiet], folder)]
    try:
        _until(lambda: file.exists() and file.read_text().strip().endswith("}"), 30)
        address = next(line.split('"')[3] for line in file.read_text().splitlines() if '"address"' in line)
        for number in range(2):
            options = [address, "--nthreads", "1", "--host", "127.0.0.1", "--name", f"w{number}", *quiet]
            started.append(_start("dask_worker", [*options, "--local-directory", str(folder)], folder))
        yield address
    finally:
        family = [each for process in started for each in (*_children(process.pid), process)]
        for each in family:
            each.kill()
        for process in started:
            process.wait(30)


def _start(module: str, options: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{module}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", f"distributed.cli.{module}", *options], stdout=log, stderr=log, cwd=folder)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _until(reached: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    made = [es.simulate.ecg(fs=500, seed=seed, duration_s=30).ecg for seed in range(6)]
    for number in range(_N_RECORDS):
        write_wfdb(made[number % 6], folder, f"r{number:03d}")
    return folder


def command(records: Path, output: Path, address: str | None) -> list[str]:
    where = [] if address is None else ["--scheduler", address]
    what = ["batch", "measure", str(records), "--output", str(output), "--records-per-part", "3"]
    return [sys.executable, "-m", "ecgspasm", *what, *where]


def parts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*.parquet"))}


@pytest.mark.skipif(os.name == "nt", reason="no kill -9 on Windows")
def test_worker_and_client_killed_in_the_middle_change_no_byte(records: Path, tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    subprocess.run(command(records, undisturbed, None), check=True, capture_output=True)
    disturbed = tmp_path / "disturbed"
    with cluster(tmp_path) as address:
        client = subprocess.Popen(command(records, disturbed, address), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _until(lambda: len(parts(disturbed)) >= 2, 60)
        (worker,) = [each for each in psutil.process_iter() if _is_worker(each, "w0")]
        for each in worker.children(recursive=True):
            each.send_signal(signal.SIGKILL)
        _until(lambda: len(parts(disturbed)) >= 5, 60)
        assert client.poll() is None, "the client ended before it could be killed"
        client.kill()
        _, said = client.communicate(timeout=30)
        there = len(parts(disturbed))
        assert there < len(parts(undisturbed)), said
        again = subprocess.run(command(records, disturbed, address), capture_output=True, text=True, check=False, timeout=120)
        assert again.returncode == 0, again.stderr
    assert parts(disturbed) == parts(undisturbed)
    assert f"{_N_RECORDS} of {_N_RECORDS} records done, 0 of them failed" in again.stdout


def _is_worker(process: psutil.Process, name: str) -> bool:
    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    return "distributed.cli.dask_worker" in line and name in line


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to one process on Windows")
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(records: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    stopped = subprocess.Popen(command(records, output, None), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _until(lambda: len(parts(output)) >= 2, 60)
    children = _children(stopped.pid)
    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate(timeout=30)
    assert stopped.returncode == 130, said
    assert said.strip() == "ecgspasm: stopped; what is done stays, run the same command again to go on"
    _until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 20)
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*.parquet")}
    again = subprocess.run(command(records, output, None), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert {name: (output / name).stat().st_mtime_ns for name in before} == before
    assert len(parts(output)) == _N_RECORDS // 3


def _of_group(group: int) -> list[psutil.Process]:
    """All processes of a group that still run."""
    found = []
    for each in psutil.process_iter():
        try:
            if os.getpgid(each.pid) == group and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except (psutil.Error, OSError):
            continue  # it has just ended
    return found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many records that worker processes are started for them."""
    folder = tmp_path_factory.mktemp("many")
    made = [es.simulate.ecg(fs=500, seed=seed, duration_s=10).ecg for seed in range(3)]
    for number in range(SMALL + 20):
        write_wfdb(made[number % 3], folder, f"r{number:03d}")
    return folder


@pytest.mark.skipif(os.name == "nt", reason="no process groups on Windows")
@pytest.mark.parametrize("moment", ["as the workers start", "in the middle"])
def test_ctrl_c_reaches_the_whole_group_of_a_local_run(many: Path, tmp_path: Path, moment: str) -> None:
    output = tmp_path / "out"
    run = [*command(many, output, None), "--workers", "2"]
    stopped = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    group = stopped.pid
    try:
        # what a terminal does: every process of the group gets the signal
        _until(lambda: len(parts(output)) >= 2 if moment == "in the middle" else len(_of_group(group)) >= 3, 60)
        assert stopped.poll() is None, "the run ended before it could be stopped"
        os.killpg(group, signal.SIGINT)
        said, complained = stopped.communicate(timeout=30)
        assert stopped.returncode == 130, complained
        assert complained.strip() == "ecgspasm: stopped; what is done stays, run the same command again to go on"
        assert said == ""
        _until(lambda: not _of_group(group), 20)
    finally:
        for each in _of_group(group):
            each.kill()
    there = len(parts(output))
    again = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 0, again.stderr
    assert there < len(parts(output)) == (SMALL + 20) // 3
    assert f"{SMALL + 20} of {SMALL + 20} records done, 0 of them failed" in again.stdout
