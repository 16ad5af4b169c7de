"""What becomes of bad input: ``./run python docs/fuzz.py [FILE] [--only PART ...]`` prints it, and writes it as JSON.

All is made by seed, so that the same version gives the same counts. The parts:

corpus    every bad file of `tests/corpus`: how many end as its table says, the longest computing time and the largest memory
headers   mutated headers of WFDB: refused, of the same meaning, read with a remark, or wrong in silence
signals   mutated signal files behind headers with checksums; small ones with every bit flipped, cut, made longer or shifted
formats   mutated files of every other format, in a process that may die of them
accepted  sound headers: those of PhysioNet's sets in miniature, and all real ones where ECGSPASM_TEST_DATA is set

With FILE and --only the other parts of the file stay as they are. The whole takes an hour, most of it for PDF.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.code_state import state  # noqa: E402
from tests.corpus.accepted import miniatures, real_headers  # noqa: E402
from tests.corpus.all_cases import cases  # noqa: E402
from tests.corpus.fuzz_files import SEED, fuzz  # noqa: E402
from tests.corpus.judge import reader  # noqa: E402
from tests.corpus.sound_files import MADE  # noqa: E402
from tests.corpus.sound_records import BITS  # noqa: E402

FILE = ROOT / "data" / "benchmarks" / "fuzz.json"
LIBRARIES = ("numpy", "wfdb", "pydicom", "edfio", "h5py", "pyarrow", "pdfminer.six", "ecgdatakit", "defusedxml", "soundfile")
HEADERS, SIGNALS, MUTANTS = 6000, 3000, 3000
OUTCOMES = ("refused", "same", "flagged", "silent", "untyped", "death", "hang")


def corpus(_: int) -> dict[str, Any]:
    """Every bad file, by format."""
    found = {}
    with reader() as process:
        for family, each in cases().items():
            met = slowest = largest = 0.0
            told_ways = 0
            for case in each:
                with tempfile.TemporaryDirectory() as folder:
                    path = case.make(Path(folder))
                    for how in case.ways:
                        told = process.read(path, case.asked, how)
                        told_ways += 1
                        met += case.is_met(told)
                        slowest, largest = max(slowest, told["seconds"]), max(largest, told["mb"])
            found[family] = {
                "files": len(each),
                "readings": told_ways,
                "as_expected": int(met),
                "slowest_s": round(slowest, 2),
                "largest_mb": round(largest),
            }
    return found


def apart(what: str, start: int, stop: int) -> dict[str, Any]:
    """Mutants of WFDB in a process of their own; if it dies, that is the outcome of all of them."""
    command = [sys.executable, "-m", "tests.corpus.fuzz_headers", what, str(start), str(stop), str(SEED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"counts": {"death": 1}, "silent": {}, "slowest_s": 0.0, "examples": [done.stderr[-300:]]}
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def summed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Outcomes of several runs together, what was changed in those that are not refused, and some of them."""
    counts: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    for part in parts:
        counts.update(part["counts"])
        changed.update(part["silent"])
    examples = [example for part in parts for example in part["examples"]]
    return {
        "mutants": counts.total(),
        **{name: counts[name] for name in OUTCOMES},
        "changed": dict(sorted(changed.items())),
        "slowest_s": round(max(part["slowest_s"] for part in parts), 3),
        "examples": examples[:40],
    }


def headers(_: int) -> dict[str, Any]:
    """Mutated headers."""
    return summed([apart("headers", start, start + 1000) for start in range(0, HEADERS, 1000)])


def signals(_: int) -> dict[str, Any]:
    """Mutated signal files, and every change of small ones."""
    found = {"several sets": summed([apart("signals", start, start + 1000) for start in range(0, SIGNALS, 1000)])}
    for fmt in BITS:
        found[f"format {fmt}"] = summed([apart("format", fmt, 40)])
    return found


def formats(mutants: int) -> dict[str, Any]:
    """Mutated files of every other format."""
    found = {}
    for name, make in MADE.items():
        told = fuzz(name, make(), 0, mutants)
        del told["seconds"]
        found[name] = told
        print(name, told, file=sys.stderr)
    return found


def accepted(_: int) -> dict[str, Any]:
    """Sound headers."""
    found = {"miniatures": miniatures()}
    if os.environ.get("ECGSPASM_TEST_DATA"):
        found["real"] = real_headers(Path(os.environ["ECGSPASM_TEST_DATA"]))
    return found


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "corpus": corpus,
    "headers": headers,
    "signals": signals,
    "formats": formats,
    "accepted": accepted,
}


def main() -> None:
    """See the top."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="where to write the figures, such as data/benchmarks/fuzz.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--mutants", type=int, default=MUTANTS, help="of each format that is not WFDB")
    asked = parser.parse_args()
    older = json.loads(asked.file.read_text(encoding="utf-8")) if asked.file and asked.file.exists() else {}
    before = older.get("results", {})
    results = {name: part(asked.mutants) if name in asked.only else before.get(name) for name, part in PARTS.items()}
    about = {
        "seed": SEED,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in LIBRARIES},
        "code": older.get("about", {}).get("code", {}) | dict.fromkeys(asked.only, state(("io", "leads", "recording"))),
    }
    text = json.dumps({"about": about, "results": results}, indent=1)
    print(text)
    if asked.file:
        asked.file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
