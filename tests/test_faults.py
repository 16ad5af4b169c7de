"""Faults on purpose, a share of what `docs/faults.py` runs in full: calls that fail, full disks, kills; and what it recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ecgspasm as es
from tests.faults.deeds import BATCHES, SINGLE, Deed
from tests.faults.every_call import all_faults
from tests.faults.full_disk import CannotMountError, full_for_a_writer, full_in_a_batch

ROOT = Path(__file__).resolve().parent.parent

_SLOW = ("report .html", "plot .pdf", "plot .png", "measure --output", "compare --json --output")
# of what takes long to draw or to measure only every so many faults are tried here
_SHARES = {"report .html": 8, "plot .pdf": 7, "plot .png": 5, "plot .svg": 5, "measure --output": 7}
_SHARES |= {"compare --json --output": 9, "batch, new folder": 11, "batch, going on": 9, "write .hea": 3, "write_annotations": 5}


def named(deed: Deed) -> str:
    return deed.name


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="files of open handles are told by /proc")
@pytest.mark.parametrize("deed", [*SINGLE, *BATCHES], ids=named)
def test_a_call_that_fails_is_told_and_harms_no_file(deed: Deed) -> None:
    found = all_faults(deed, slice(1, None, _SHARES.get(deed.name, 1)))
    assert found.wrong == 0, found.said
    assert found.faults == found.refused + found.unharmed
    assert found.refused > 0


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="files of open handles are told by /proc")
def test_the_failing_disk_finds_a_writer_that_writes_in_place() -> None:
    def in_place(folder: Path) -> None:
        (folder / "x").write_bytes(b"new" * 1000)

    found = all_faults(Deed("in place", in_place, lambda folder: (folder / "x").write_bytes(b"old") and None))
    assert found.damaged >= 3
    assert found.raw >= 5


def test_a_record_of_which_only_one_file_was_replaced_is_refused(tmp_path: Path) -> None:
    older, newer = (es.simulate.ecg(fs=250, seed=seed, duration_s=4.0).ecg for seed in (1, 2))
    for name, ecg in (("older", older), ("newer", newer)):
        (tmp_path / name).mkdir()
        es.write(ecg, tmp_path / name / "x.hea", gain=1000)
    (tmp_path / "newer" / "x.dat").replace(tmp_path / "older" / "x.dat")
    with pytest.raises(es.EcgError, match="checksum"):
        es.read(tmp_path / "older" / "x.hea")


def mounted(ask: Any) -> Any:
    """What is found on a file system of its own, where one may be mounted."""
    try:
        return ask()
    except CannotMountError:
        pytest.skip("no file system may be mounted here (needs root, mkfs.ext4 and a loop device)")


def test_a_full_disk_stops_a_batch_in_one_line_and_it_goes_on() -> None:
    found = mounted(lambda: full_in_a_batch(6, records=12, size=20_000))
    assert found.wrong == 0, found.said
    assert found.full == found.positions


@pytest.mark.parametrize("deed", [each for each in SINGLE if each.name not in _SLOW], ids=named)
def test_a_full_disk_leaves_the_older_file(deed: Deed) -> None:
    found = mounted(lambda: full_for_a_writer(deed, 4))
    assert found.wrong == 0, found.said
    assert found.full > 0


def killed(writer: str, kills: int) -> dict[str, Any]:
    """What so many kills do; in a process that was not forked from one with threads."""
    command = [sys.executable, "-m", "tests.faults.kills", "--writer", writer, "--kills", str(kills), "--seed", "2"]
    command += ["--records", "8", "--bytes", "300000", "--per-part", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


needs_fork = pytest.mark.skipif(not hasattr(os, "fork") or os.name == "nt", reason="kills need process groups")


@needs_fork
def test_kills_change_no_byte() -> None:
    found = killed("whole", 8)
    assert found["kills"] == 8
    wrong = ("damaged", "stuck", "differing", "lost_rows", "double_rows", "left_behind")
    assert not any(found[each] for each in wrong), found


@needs_fork
@pytest.mark.parametrize(("writer", "harm"), [("in place", "lost_rows"), ("appended", "double_rows")])
def test_the_same_kills_harm_what_naive_writers_write(writer: str, harm: str) -> None:
    found = killed(writer, 8)
    assert found["differing"] > 0
    assert found[harm] > 0
