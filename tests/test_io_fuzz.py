"""A part of what `docs/fuzz.py` does, on other mutants than the recorded run; and the figures that it has recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.corpus import accepted, fuzz_headers
from tests.corpus.all_cases import cases
from tests.corpus.fuzz_files import fuzz
from tests.corpus.mutants import mutated, mutated_header
from tests.corpus.sound_files import MADE, real_samples
from tests.corpus.sound_records import BITS, STYLES

SEED = 7
MOST_SILENT = 0.005
RECORDED = Path(__file__).parent.parent / "data" / "benchmarks" / "fuzz.json"
BAD = ("untyped", "death", "hang")


def test_mutated_headers_are_hardly_ever_wrong_in_silence() -> None:
    tally = fuzz_headers.headers(0, 1000, SEED)
    assert tally.counts.total() == 1000
    assert tally.counts["silent"] <= 1000 * MOST_SILENT, tally.examples
    assert not any(tally.counts[kind] for kind in BAD), tally.examples
    assert tally.counts["refused"] > 500
    assert tally.slowest_s < 2


def test_changed_signal_files_are_refused() -> None:
    tally = fuzz_headers.signal_files(0, 300, SEED)
    # what keeps sum and first sample of a lead, such as an exchange of two of its samples, no checksum of WFDB can tell
    assert set(tally.silent) <= {"several changes"}
    assert tally.counts["refused"] >= 0.99 * tally.counts.total()
    assert not any(tally.counts[kind] for kind in BAD), tally.examples


@pytest.mark.parametrize("fmt", BITS)
def test_every_bit_flip_cut_addition_and_shift_of_a_signal_file_is_refused(fmt: int) -> None:
    tally = fuzz_headers.changes_of_a_signal_file(fmt, 12)
    # bits that are part of no sample change none
    unused = {310: 2 / 32, 311: 2 / 32}.get(fmt, 0.0)
    # bits above those of the checksum make a missing sample of a 0, which is told
    remarked = 24 if fmt in (24, 32) else 0
    assert tally.counts["silent"] == 0
    assert tally.counts["flagged"] <= remarked
    assert tally.counts["same"] <= unused * tally.counts.total()
    assert tally.counts.total() > 200
    assert set(tally.counts) <= {"refused", "same", "flagged"}, tally.examples


def test_the_tally_finds_what_a_reader_without_checksums_lets_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness has power: taken one check away, it counts what is wrong in silence."""
    monkeypatch.setattr("ecgspasm.io.wfdb.reader._verify", lambda *_: True)
    tally = fuzz_headers.signal_files(0, 70, SEED)
    assert tally.counts["silent"] > 5
    assert tally.silent["a bit flipped"] > 0


@pytest.mark.parametrize("name", MADE)
def test_mutated_files_end_in_an_error_or_an_ecg(name: str) -> None:
    told = fuzz(name, MADE[name](), 0, 12 if "PDF" in name else 60, SEED)
    assert not told["examples"]
    assert told["refused"] + told["read"] == told["mutants"]


def test_mutated_files_of_devices_end_in_an_error_or_an_ecg(real_data: Path) -> None:
    for name, sound in real_samples().items():
        told = fuzz(name, sound, 0, 8, SEED)
        assert not told["examples"], name


def test_one_seed_gives_the_same_mutants() -> None:
    header = b"r 2 500 2000\nr.dat 16 1000/mV 16 0 1 2 0 I\n"
    for make in (mutated, mutated_header):
        twice = [[make(header, np.random.default_rng([3, number])) for number in range(50)] for _ in range(2)]
        assert twice[0] == twice[1]
        assert len(set(twice[0])) > 25


# --- and not by refusing too much --------------------------------------------------------------------------------------


@pytest.mark.parametrize("about", accepted.SETS, ids=lambda about: about["name"])
def test_headers_of_the_sets_are_accepted(about: dict[str, Any], tmp_path: Path) -> None:
    assert not accepted.refusal(about, tmp_path)


def test_real_headers_are_accepted(real_data: Path) -> None:
    told = accepted.real_headers(real_data)
    assert told["headers"] > 200
    assert told["accepted"] >= 0.999 * told["headers"], told["refused"]


# --- what is recorded --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))["results"]
    return found


def test_recorded_corpus_is_this_one_and_ends_as_it_should(recorded: dict[str, Any]) -> None:
    assert {family: told["files"] for family, told in recorded["corpus"].items()} == {f: len(c) for f, c in cases().items()}
    for family, told in recorded["corpus"].items():
        assert told["as_expected"] == told["readings"] >= told["files"], family
        assert told["slowest_s"] <= 2, family
        assert told["largest_mb"] < 300, family


def test_recorded_headers_and_signals_keep_the_limits(recorded: dict[str, Any]) -> None:
    headers = recorded["headers"]
    assert headers["mutants"] == 6000
    assert headers["silent"] <= 6000 * MOST_SILENT
    assert not any(headers[kind] for kind in BAD)
    assert {f"format {fmt}" for fmt in BITS} | {"several sets"} == set(recorded["signals"])
    for name, told in recorded["signals"].items():
        assert not any(told[kind] for kind in BAD)
        # every flip, cut, addition and shift alone
        assert set(told["changed"]) <= {"several changes"} or told["silent"] == 0, name


def test_recorded_mutants_of_all_formats_ended_well(recorded: dict[str, Any]) -> None:
    assert set(recorded["formats"]) == set(MADE)
    for name, told in recorded["formats"].items():
        assert told["mutants"] >= 3000, name
        assert not any(told[kind] for kind in BAD), name
        assert told["slowest_s"] <= 2, name
        assert told["largest_mb"] < 300, name


def test_recorded_sound_headers_are_accepted(recorded: dict[str, Any]) -> None:
    told = recorded["accepted"]
    assert told["miniatures"]["headers"] == len(accepted.SETS)
    for each in told.values():
        assert each["accepted"] >= 0.999 * each["headers"]
    assert len(STYLES) >= 8
