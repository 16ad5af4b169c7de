"""How the work is spread: workers, records a part, order of the list and start of the processes.

For each number of workers and way of starting them a cluster is made as the batch itself makes it, and all parts and orders are
run on it. The results, sorted by record, must have one hash over all; and of runs with the same parts and order every file the
same bytes. ``python -m tests.faults.spread`` prints what was found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import dask
import distributed  # noqa: F401  (its settings are there once it is loaded)
import pyarrow as pa

import ecgspasm as es
from ecgspasm.batching import engine
from ecgspasm.io.wfdb.writer import write_wfdb
from tests.faults.cheap import files

METHODS = tuple(multiprocessing.get_all_start_methods())
ORDERS = ("as listed", "backwards", "shuffled")


def records(folder: Path, short: int, long: int) -> list[str]:
    """Short ECGs of one lead, standard ones, and some that are damaged or missing."""
    made = []
    for seed in range(short):
        ecg = es.simulate.ecg(fs=250, seed=seed, duration_s=4.0, leads=["V2"]).ecg
        made.append(write_wfdb(ecg, folder, f"s{seed:03d}"))
    for seed in range(long):
        ecg = es.simulate.ecg(fs=500, seed=seed, st_uv={"V2": 30.0 * seed, "V3": 30.0 * seed}).ecg
        made.append(write_wfdb(ecg, folder, f"t{seed:03d}"))
    damaged = folder / "damaged.hea"
    damaged.write_text("damaged 1 500\n")
    return [*made, str(damaged), str(folder / "missing.hea")]


def ordered(given: list[Any], order: str) -> list[Any]:
    """The list in another order."""
    if order == "shuffled":
        return random.Random(8).sample(given, len(given))
    return given[::-1] if order == "backwards" else list(given)


def hash_of(tables: Iterable[pa.Table]) -> str:
    """A hash of all rows, sorted by record; rows of one record keep their order."""
    frame = pa.concat_tables(tables).unify_dictionaries().to_pandas()
    frame["record"] = frame["record"].astype(str)
    frame = frame.sort_values("record", kind="stable")
    digest = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        numeric = column.dtype.kind == "f"
        digest.update(column.to_numpy().tobytes() if numeric else "\0".join(column.astype(str)).encode("utf-8", "replace"))
    return digest.hexdigest()


def spread(
    workers: Iterable[int], parts: Iterable[int], orders: Iterable[str], methods: Iterable[str], short: int, long: int
) -> dict[str, Any]:
    """All combinations."""
    hashes: dict[str, list[str]] = defaultdict(list)
    bytes_of: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "records").mkdir()
        listed = records(Path(name) / "records", short, long)
        pairs = [(listed[short], each) for each in listed[short + 1 :]]

        def run(what: str, given: Any, size: int, order: str, how: str, client: Any) -> None:
            folder = Path(name) / f"out{sum(map(len, hashes.values()))}{what}"
            found = es.batch(what, ordered(given, order), folder, records_per_part=size, scheduler=client)  # type: ignore[arg-type]
            hashes[f"{what} {hash_of(found.tables())}"].append(f"{how}, {size} a part, {order}")
            content = b"".join(each.encode() + content for each, content in files(folder).items())
            bytes_of[what, size, order].add(hashlib.sha256(content).hexdigest())

        for method in methods:
            for count in workers:
                settings = {"distributed.worker.multiprocessing-method": method}
                with dask.config.set(settings), engine._client(None, count) as client:
                    for size, order in product(parts, orders):
                        run("measure", listed, size, order, f"{count} workers by {method}", client)
                    run("compare", pairs, 3, "as listed", f"{count} workers by {method}", client)
        with mock.patch.object(engine, "SMALL", 10**6):
            run("measure", listed, 7, "as listed", "in this process", None)
            run("compare", pairs, 3, "as listed", "in this process", None)
    return {
        "records": len(listed),
        "pairs": len(pairs),
        "runs": sum(map(len, hashes.values())),
        "methods": list(methods),
        "workers": list(workers),
        "records_per_part": list(parts),
        "orders": list(orders),
        "hashes_of_measure": sum(each.startswith("measure") for each in hashes),
        "hashes_of_compare": sum(each.startswith("compare") for each in hashes),
        "most_different_bytes": max(map(len, bytes_of.values())),
        "differing": {} if len(hashes) == 2 else {each: told[:4] for each, told in hashes.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--parts", type=int, nargs="+", default=[1, 7, 100])
    parser.add_argument("--orders", nargs="+", default=list(ORDERS), choices=ORDERS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--short", type=int, default=88)
    parser.add_argument("--long", type=int, default=20)
    options = parser.parse_args()
    print(json.dumps(spread(options.workers, options.parts, options.orders, options.methods, options.short, options.long)))


if __name__ == "__main__":
    main()
