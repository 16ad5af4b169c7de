"""``ecgspasm batch``: many ECGs or pairs into Parquet files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ecgspasm.cli.common import BAD_INPUT, INTERRUPTED, OK, print_json


def add_batch(commands: Any) -> None:
    """Add the commands."""
    batch: argparse.ArgumentParser = commands.add_parser("batch", help="measure or compare many records into Parquet files")
    kinds = batch.add_subparsers(title="what to do", metavar="WHAT", required=True)
    compare = kinds.add_parser("compare", help="compare the pairs of a CSV with the columns baseline and current")
    compare.add_argument("inputs", metavar="PAIRS.csv", help="the pairs; paths are relative to the file")
    compare.add_argument("--criteria", metavar="FILE", help="a TOML file with criteria of your own")
    compare.add_argument("--electrodes", choices=("fresh", "same"), default="fresh", help="see: ecgspasm compare --help")
    measure = kinds.add_parser("measure", help="measure all records of a list, of a folder or of a pattern")
    measure.add_argument("inputs", metavar="LIST|DIR|GLOB", help="a text file or CSV of paths, a folder, or a quoted pattern")
    for what, parser in (("compare", compare), ("measure", measure)):
        parser.add_argument("--output", metavar="DIR", required=True, help="an empty folder, or that of the run to go on with")
        parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler that runs already, such as tcp://host:8786")
        parser.add_argument("--workers", metavar="N", type=int, help="worker processes on this machine (default: one a core)")
        parser.add_argument("--wide", action="store_true", help="also write a table with one row a record")
        parser.add_argument(
            "--records-per-part", metavar="N", type=int, help="records in one Parquet file (default: a fortieth, 10 to 200)"
        )
        parser.add_argument(
            "--time-limit", metavar="S", type=float, default=10.0, help="computing time of one record in s (default: %(default)g)"
        )
        parser.add_argument(
            "--memory-limit", metavar="MB", type=int, default=2048, help="memory of one record in MB (default: %(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")
        parser.set_defaults(run=_batch, what=what)


def _batch(options: argparse.Namespace) -> int:
    try:
        from ecgspasm.batching.run import batch

        with bar() as progress:
            found = batch(
                options.what,
                options.inputs,
                options.output,
                scheduler=options.scheduler,
                workers=options.workers,
                electrodes=getattr(options, "electrodes", "fresh"),
                criteria=getattr(options, "criteria", None),
                wide=options.wide,
                records_per_part=options.records_per_part,
                time_limit_s=options.time_limit,
                memory_limit_mb=options.memory_limit,
                progress=progress,
            )
    except KeyboardInterrupt:
        print("ecgspasm: stopped; what is done stays, run the same command again to go on", file=sys.stderr)
        return INTERRUPTED
    print_json(found.summary) if options.json else print(found)
    return OK if found.summary["failed"] < found.summary["records"] else BAD_INPUT


@contextmanager
def bar() -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on stderr, if that is a terminal: records done, rate, and the time that is left."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    shown: Any = None

    def told(done: int, of: int) -> None:
        nonlocal shown
        if shown is None:
            # what an earlier run has done is no part of this one's rate
            shown = tqdm(total=of, initial=done, unit="record", smoothing=0.05)
        shown.update(done - shown.n)

    try:
        yield told
    finally:
        if shown is not None:
            shown.close()
