"""The zoo of bad signals in full: ``./run python docs/zoo.py DATA_DIR [FILE]`` writes ``data/benchmarks/zoo.json``.

200 variants of each kind on simulated and on real carriers (LUDB, PTB), 1,000 of each that has no heart beat; what a kind
must do stands in ``tests/trust/zoo.toml``. The same run tells how much is refused of the LUDB and PTB recordings as they are.
``--kinds a,b`` and ``--variants n`` print a part without writing it.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "data" / "benchmarks" / "zoo.json"
VARIANTS, WITHOUT_HEART = 200, 1000
AT_ONCE = 20
_PLAIN = ("Conduction abnormalities", "Extrasystolies", "Hypertrophies", "Cardiac pacing", "Ischemia", "Other states")

os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import scipy  # noqa: E402

import ecgspasm as es  # noqa: E402
from docs.code_state import state  # noqa: E402
from tests.trust import zoo  # noqa: E402
from tests.trust.carriers import MEASURES  # noqa: E402

Task = tuple[str, str, int, int, Path]


def part(task: Task) -> tuple[str, str, zoo.Tally]:
    """Some variants of one kind."""
    name, carriers, first, count, data = task
    return name, carriers, zoo.run(zoo.kinds()[name], carriers, count, data, first=first)


def tasks(data: Path, variants: int, without_heart: int, only: set[str]) -> Iterator[Task]:
    """All that is to be done, in parts of similar size."""
    for kind, carriers, count in zoo.visits(data, lambda kind: without_heart if kind.carriers == ("own",) else variants):
        if kind.name in zoo.RHYTHMS:
            count = variants
        if not only or kind.name in only:
            for first in range(0, count, AT_ONCE):
                yield kind.name, carriers, first, min(AT_ONCE, count - first), data


def in_parts(data: Path, work: list[Task], processes: int) -> dict[str, dict[str, zoo.Tally]]:
    """What became of each kind, by its name and carriers."""
    found: dict[str, dict[str, zoo.Tally]] = {}
    zoo.real(data)  # measured once, before the processes part
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        for name, carriers, tally in pool.map(part, work):
            found.setdefault(name, {}).setdefault(carriers, zoo.Tally()).add(tally)
    return found


def groups(data: Path) -> dict[str, list[Path]]:
    """Recordings of people as they are, by what the cardiologists of LUDB wrote of them."""
    with (data / "ludb" / "ludb.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = {row["ID"].strip(): row for row in rows}
    records = {one: path for one in said if (path := data / "ludb" / "data" / f"{one}.hea").is_file()}
    return {
        "LUDB": list(records.values()),
        "LUDB, STEMI": [records[one] for one in records if "stemi:" in _without_supposed(said[one]["Ischemia"])],
        "LUDB, normal": [
            records[one]
            for one in records
            if said[one]["Rhythms"].strip() == "Sinus rhythm" and not any(said[one][name].strip() for name in _PLAIN)
        ],
        "LUDB, paced": [records[one] for one in records if said[one]["Cardiac pacing"].strip()],
        "PTB": sorted((data / "ptbdb_10s").glob("*.hea")),
    }


def _without_supposed(ischemia: str) -> str:
    """Without "undefined ischemia, scar or supposed NSTEMI"."""
    return ischemia.lower().replace("supp.nstemi", "")


def refused(data: Path) -> dict[str, dict[str, Any]]:
    """How much of undisturbed recordings is not measured, and why."""
    by_path = {path: es.analyze(es.read(path)).measurements for path in {p for paths in groups(data).values() for p in paths}}
    table = {}
    for name, paths in groups(data).items():
        found = [by_path[path] for path in paths]
        absent = sum(int(np.isnan(each.values[measure]).sum()) for each in found for measure in MEASURES)
        why = Counter(_kind_of(state) for each in found for state in each.state if state != "measured")
        table[name] = {
            "records": len(paths),
            "values": sum(len(each.leads) for each in found) * len(MEASURES),
            "absent": absent,
            "records without a value": sum(all(state != "measured" for state in each.state) for each in found),
            "leads refused, by reason": dict(sorted(why.items())),
        }
    return table


def _kind_of(state: str) -> str:
    words = state.removeprefix("not_measurable: ")
    return "".join("#" if sign.isdigit() else sign for sign in words)


def show(found: dict[str, dict[str, zoo.Tally]], examples: int) -> None:
    """The table on the screen."""
    heads = ("tries", "values", "within", "absent", "wrong")
    print(f"{'kind':34}" + "".join(f"{head:>8}" for head in heads) + f"{'intervals wrong':>17}{'claims':>8}{'worst':>8}")
    for name, by_carriers in found.items():
        for carriers, tally in by_carriers.items():
            intervals = f"{tally.intervals_wrong} of {tally.intervals}"
            print(
                f"{name + ', ' + carriers:34}{tally.variants:8}{tally.values:8}{tally.within:8}{tally.absent:8}{tally.wrong:8}"
                f"{intervals:>17}{tally.claimed:8}{tally.worst_uv:8.0f}"
            )
            for words in tally.examples[:examples]:
                print("   ", words)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("file", type=Path, nargs="?", default=RECORDED)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--variants", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--examples", type=int, default=0)
    given = parser.parse_args()
    only = {name for name in given.kinds.split(",") if name}
    work = list(tasks(given.data, given.variants or VARIANTS, given.variants or WITHOUT_HEART, only))
    found = in_parts(given.data, work, given.processes)
    show(found, given.examples)
    if only or given.variants:
        return 0
    undisturbed = refused(given.data)
    print(json.dumps(undisturbed, indent=1))
    result = {
        "version": es.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "cores": os.cpu_count(),
        "code": {"all": state(("analysis", "criteria", "ecg", "leads", "processing", "serial", "simulate"))},
        "undisturbed": undisturbed,
        "kinds": {
            name: {"property": zoo.kinds()[name].property} | {carriers: tally.to_dict() for carriers, tally in rows.items()}
            for name, rows in found.items()
        },
    }
    given.file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
