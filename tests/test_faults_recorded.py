"""What `docs/faults.py` has recorded keeps what the documentation promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).resolve().parent.parent / "data" / "benchmarks" / "faults.json"


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    if not RECORDED.exists():
        pytest.skip("not measured yet: ./run python docs/faults.py data/benchmarks/faults.json")
    found: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def test_two_hundred_kills_lost_and_doubled_nothing(recorded: dict[str, Any]) -> None:
    rows = {row["writer"]: row for row in recorded["kills"]}
    assert rows["whole"]["kills"] >= 200
    # a kill that never hits a file that is being written shows nothing
    assert rows["whole"]["cut"] >= 20
    assert rows["whole"]["largest_part_mb"] > 1.0
    for name in ("whole", "command"):
        wrong = ("damaged", "stuck", "differing", "lost_rows", "double_rows", "left_behind")
        assert {each: rows[name][each] for each in wrong} == dict.fromkeys(wrong, 0)
    assert rows["in place"]["lost_rows"] > 0
    assert rows["appended"]["double_rows"] > 0


def test_fifty_full_disks_harmed_nothing(recorded: dict[str, Any]) -> None:
    batch = recorded["full_disk"]["batch"]
    assert batch["positions"] == batch["full"] == 50
    assert batch["in_parts"] >= 30
    for row in (batch, *recorded["full_disk"]["writers"]):
        assert row["full"] > 0
        wrong = ("unclear", "damaged", "not_completed", "left_behind")
        assert {each: row[each] for each in wrong} == dict.fromkeys(wrong, 0), row["name"]


def test_every_failed_call_was_told_and_harmed_nothing(recorded: dict[str, Any]) -> None:
    for row in recorded["every_call"]:
        wrong = ("raw", "many_lines", "damaged", "silent", "not_completed", "left_behind")
        assert {each: row[each] for each in wrong} == dict.fromkeys(wrong, 0), row["name"]
        assert row["faults"] == row["refused"] + row["unharmed"] > 2 * len(row["calls"])


def test_results_were_the_same_however_the_work_was_spread(recorded: dict[str, Any]) -> None:
    found = recorded["spread"]
    assert (found["workers"], found["records_per_part"]) == ([1, 2, 4], [1, 7, 100])
    assert len(found["orders"]) == 3
    assert {"spawn", "forkserver", "fork"} == set(found["methods"])
    assert found["runs"] == 3 * 3 * 3 * 3 + 3 * 3 + 2
    assert (found["hashes_of_measure"], found["hashes_of_compare"], found["most_different_bytes"]) == (1, 1, 1)


def test_other_kernels_changed_no_word_and_no_value(recorded: dict[str, Any]) -> None:
    found = recorded["kernels"]
    kinds = {kernel for row in found["machines"].values() for kernel in row["kernels"]}
    assert found["records"] >= 50
    assert len(kinds) >= 4, "the processes did not use other kernels"
    for name, row in found["machines"].items():
        assert row["different_words"] == row["missing_in_one"] == row["different_after_rounding"] == 0, (name, row["differing"])


def test_the_long_run_lost_nothing_and_did_not_grow(recorded: dict[str, Any]) -> None:
    if "soak" not in recorded:
        pytest.skip("not measured on a quiet machine yet: ./run python docs/faults.py data/benchmarks/faults.json --only soak")
    found = recorded["soak"]
    assert found["records"] == 200_000
    assert found["poisoned"] == sum(found["accounted_for"].values()) == 2_000
    assert (found["lost"], found["double"], found["strangers"], found["unexpected"]) == (0, 0, 0, 0)
    assert found["sound"] == found["records"] - found["poisoned"]
    assert found["different_results_of_the_sound"] == 1
    assert all(each["growth_mb"] < 50.0 for each in found["memory"].values())
    # by the clock and by what was computed; other work on the machine only adds to both
    assert found["last_tenth_to_first"]["clock_ms"] < 1.05
    assert found["last_tenth_to_first"]["computing_ms"] < 1.05
