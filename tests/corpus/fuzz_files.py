"""Mutated files of every other format, read one after the other in a process that may die of them."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tests.corpus.judge import Reader, reader
from tests.corpus.mutants import mutated
from tests.corpus.sound_files import Sound

SEED = 20240607


def fuzz(name: str, sound: Sound, start: int, stop: int, seed: int = SEED) -> dict[str, Any]:
    """Read mutants `start` to `stop` of one file, every other one a stretch at a time, and count what became of them."""
    counts: Counter[str] = Counter()
    slowest = largest = 0.0
    examples: list[str] = []
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, reader() as process:
        path = Path(folder) / f"x{sound.suffix}"
        assert _sound_is_read(process, path, sound), f"the sound {name} is not read"
        for number in range(start, stop):
            content = mutated(sound.content, np.random.default_rng([seed, *name.encode(), number]))
            path.write_bytes(content)
            told = process.read(path, sound.asked, "open" if number % 2 else "read")
            counts[told["kind"]] += 1
            slowest, largest = max(slowest, told["seconds"]), float(np.fmax(largest, told["mb"]))
            if told["kind"] not in ("read", "refused") or told["seconds"] > 2 or told["mb"] > 300:
                examples.append(f"{number}: {told['kind']}: {told['says'][:160]} ({told['seconds']:.1f} s, {told['mb']:.0f} MB)")
    return {
        "mutants": stop - start,
        **{kind: counts[kind] for kind in ("refused", "read", "untyped", "death", "hang")},
        "slowest_s": round(slowest, 2),
        "largest_mb": round(largest),
        "seconds": round(time.perf_counter() - begun),
        "examples": examples[:20],
    }


def _sound_is_read(process: Reader, path: Path, sound: Sound) -> bool:
    path.write_bytes(sound.content)
    return process.read(path, sound.asked)["kind"] == process.read(path, sound.asked, "open")["kind"] == "read"
