"""Mutated headers of WFDB: which are refused, which mean the same, which are marked, and which are wrong in silence."""

from __future__ import annotations

import faulthandler
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import ecgspasm as es
from ecgspasm.io.wfdb.header import parse_header
from tests.corpus.judge import SLOWEST_S, judge
from tests.corpus.mutants import mutated, mutated_header
from tests.corpus.sound_records import STYLES, in_format

SEED = 20240607


@dataclass
class Tally:
    """What became of all mutants."""

    counts: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    """What was changed in those that are wrong in silence."""
    slowest_s: float = 0.0
    examples: list[str] = field(default_factory=list)

    def add(self, outcome: str, told: dict[str, Any]) -> None:
        """Count one."""
        self.counts[outcome] += 1
        self.slowest_s = max(self.slowest_s, told["seconds"])
        if outcome not in ("refused", "same", "flagged", "silent"):
            self.examples.append(f"{outcome}: {told['says']}")


def recorded(found: es.Ecg) -> dict[str, Any]:
    """Leads that the file holds; those that are derived are marked as such in the ECG itself."""
    return {lead: found[lead] for lead in found.leads if lead not in found.derived}


def same(found: es.Ecg, truth: es.Ecg) -> bool:
    """Whether rate, leads and every sample are those of the original; leads in another order are the same leads."""
    if found.fs != truth.fs:
        return False
    ours, theirs = recorded(found), recorded(truth)
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[k], theirs[k], equal_nan=True) for k in ours)


def outcome(told: dict[str, Any], truth: es.Ecg, usual: list[str]) -> str:
    """``refused``, ``same``, ``flagged`` (with a remark that the original does not get), ``silent`` or ``untyped``."""
    if told["kind"] != "read":
        return str(told["kind"])
    if same(told["found"], truth):
        return "same"
    return "flagged" if set(told["flags"]) - set(usual) else "silent"


def changed_fields(content: bytes, original: bytes) -> str:
    """Which fields of a header differ, for the list of what cannot be known."""
    before, after = parse_header(original), parse_header(content)
    found = [name for name in ("fs", "n_sig", "n_samples") if getattr(before, name) != getattr(after, name)]
    names = ("format", "samples_per_frame", "skew", "gain", "baseline", "units", "description", "file")
    for one, other in zip(before.signals, after.signals, strict=False):
        found += [name for name in names if getattr(one, name) != getattr(other, name)]
    found += ["segments"] if before.segments != after.segments else []
    found += ["comments"] if before.comments != after.comments and not found else []
    return " + ".join(sorted(set(found))) or "nothing"


def headers(start: int, stop: int, seed: int = SEED, styles: dict[str, Callable[[Path], Path]] = STYLES) -> Tally:
    """Mutants `start` to `stop`, one style after the other in turn."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as home:
        sound = []
        for number, make in enumerate(styles.values()):
            folder = Path(home) / str(number)
            folder.mkdir()
            path = make(folder)
            told = judge(path, {}, "read")
            sound.append((path, path.read_bytes(), told["found"], told["flags"]))
        for number in range(start, stop):
            path, original, truth, usual = sound[number % len(sound)]
            kind, content = mutated_header(original, np.random.default_rng([seed, number]))
            path.write_bytes(content)
            told = judge(path, {}, "read")
            became = outcome(told, truth, usual)
            tally.add(became, told)
            if became == "silent":
                tally.silent[changed_fields(content, original)] += 1
                tally.examples.append(f"silent: {kind}: {_difference(content, original)}")
            path.write_bytes(original)
    return tally


def _difference(content: bytes, original: bytes) -> str:
    before, after = original.split(b"\n"), content.split(b"\n")
    lines = [f"{one.decode('latin-1')} -> {two.decode('latin-1')}" for one, two in zip(before, after, strict=False) if one != two]
    return " | ".join(lines)[:300]


def signal_files(start: int, stop: int, seed: int = SEED) -> Tally:
    """Signal files with one bit flipped, cut, made longer or moved, and other changes, behind headers with checksums."""
    tally = Tally()
    styles = {name: make for name, make in STYLES.items() if name != "PTB"}
    with tempfile.TemporaryDirectory() as home:
        sound = []
        for number, make in enumerate(styles.values()):
            folder = Path(home) / str(number)
            folder.mkdir()
            path = make(folder)
            data = next(each for each in sorted(folder.iterdir()) if each.suffix in (".dat", ".mat"))
            told = judge(path, {}, "read")
            sound.append((path, data, data.read_bytes(), told["found"], told["flags"]))
        for number in range(start, stop):
            path, data, original, truth, usual = sound[number % len(sound)]
            content = _changed(original, number // len(sound), np.random.default_rng([seed, number]))
            if content == original:
                continue
            data.write_bytes(content)
            told = judge(path, {}, "read")
            became = outcome(told, truth, usual)
            tally.add(became, told)
            if became in ("flagged", "silent"):
                tally.silent[KINDS[number // len(sound) % len(KINDS)]] += 1
            data.write_bytes(original)
    return tally


KINDS = ("a bit flipped", "shortened", "lengthened", "shifted", "several changes")


def _changed(original: bytes, number: int, rng: np.random.Generator) -> bytes:
    copy = bytearray(original)
    what, far = number % len(KINDS), int(rng.integers(1, 200))
    if what == 0:
        copy[int(rng.integers(len(copy)))] ^= 1 << int(rng.integers(8))
        return bytes(copy)
    if what == 1:
        return bytes(copy[:-far])
    if what == 2:
        return bytes(copy) + bytes(copy[:far] if rng.random() < 0.5 else far)
    if what == 3:
        return bytes(copy[far:] + copy[:far])
    return mutated(original, rng)


def changes_of_a_signal_file(fmt: int, frames: int = 40) -> Tally:
    """Every bit flipped, every way to shorten, to lengthen by a byte or a frame, and to shift a small file of one format.

    A bit that no sample has a part in, as formats 310 and 311 have, changes nothing: such a file is the ``same``.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory() as home:
        path, data = in_format(fmt, Path(home), frames)
        original = data.read_bytes()
        truth = es.read(path)
        told = judge(path, {}, "read")
        usual = told["flags"]
        for kind, content in _all_changes(original):
            if content == original:
                continue
            data.write_bytes(content)
            told = judge(path, {}, "read")
            became = outcome(told, truth, usual)
            tally.add(became, told)
            if became in ("flagged", "silent"):
                tally.silent[kind] += 1
    return tally


def _all_changes(original: bytes) -> Iterator[tuple[str, bytes]]:
    for bit in range(8 * len(original)):
        copy = bytearray(original)
        copy[bit // 8] ^= 1 << bit % 8
        yield "a bit flipped", bytes(copy)
    for count in range(1, len(original) + 1):
        yield "shortened", original[:-count]
    for count in (1, 2, 3, 4, 6, 8, len(original)):
        yield "lengthened", original + original[:count]
        yield "lengthened", original + bytes(count)
    for count in range(1, len(original)):
        yield "shifted", original[count:] + original[:count]


def main() -> None:
    """For a process of its own, which a reader may kill.

    ``python -m tests.corpus.fuzz_headers headers 0 1500``, ``... signals 0 500``, or ``... format 212 40``.
    """
    what, start, stop, seed = sys.argv[1], *map(int, [*sys.argv[2:5], SEED][:3])
    begun = time.perf_counter()
    faulthandler.dump_traceback_later(SLOWEST_S + abs(stop - start), exit=True)
    if what == "format":
        tally = changes_of_a_signal_file(start, stop)
    else:
        tally = (headers if what == "headers" else signal_files)(start, stop, seed)
    told = {"counts": tally.counts, "silent": tally.silent, "slowest_s": tally.slowest_s, "examples": tally.examples}
    print(json.dumps(told | {"seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
