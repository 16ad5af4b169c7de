"""``ecgspasm fetch`` and ``ecgspasm pairs``: public sets of ECGs, and their pairs of one person."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ecgspasm.cli.common import INTERRUPTED, OK, check_target
from ecgspasm.errors import EcgError


def add_datasets(commands: Any) -> None:
    """Add the commands."""
    fetch: argparse.ArgumentParser = commands.add_parser("fetch", help="download a public set of ECGs (nothing else ever does)")
    fetch.add_argument("name", metavar="NAME", nargs="?", help="the set; --list shows them")
    fetch.add_argument("--list", action="store_true", help="print the sets that are known")
    fetch.add_argument("--to", metavar="DIR", help="its folder (default: NAME in $ECGSPASM_DATA_DIR, or in the cache)")
    fetch.add_argument("--mirror", metavar="URL", help="an address that stands for https://physionet.org/files")
    fetch.add_argument("--workers", metavar="N", type=int, default=4, help="files received at a time (default: %(default)s)")
    fetch.add_argument("--only", metavar="GLOB", action="append", help="only files that fit, such as 'data/1.*'; may be repeated")
    fetch.add_argument("--timeout", metavar="S", type=float, default=30.0, help="for a pause in s (default: %(default)g)")
    fetch.add_argument("--sums-sha256", metavar="H", help="SHA-256 that the set's SHA256SUMS.txt must have")
    fetch.add_argument(
        "--trust-sums", action="store_true", help="take SHA256SUMS.txt as the server gives it where its hash is not known"
    )
    fetch.set_defaults(run=_fetch)

    pairs: argparse.ArgumentParser = commands.add_parser("pairs", help="list a set's pairs of one person for batch compare")
    pairs.add_argument("name", metavar="NAME", help="ptb, ptb-xl, mimic-iv-ecg-demo or mimic-iv-ecg")
    pairs.add_argument("--data", metavar="DIR", help="the set's folder, or one that holds it (default: $ECGSPASM_DATA_DIR)")
    pairs.add_argument(
        "--which",
        choices=("consecutive", "all", "first"),
        default="consecutive",
        help="each ECG against the one before (the default), against all before, or against the first",
    )
    pairs.add_argument("--rate", metavar="HZ", type=int, default=500, help="PTB-XL: 500 or 100 (default: %(default)s)")
    pairs.add_argument("--output", metavar="PAIRS.csv", required=True, help="the table to write")
    pairs.set_defaults(run=_pairs)


def _fetch(options: argparse.Namespace) -> int:
    from ecgspasm import datasets

    if options.list:
        print(_sets())
        return OK
    if options.name is None:
        raise EcgError("which set? give its name; ecgspasm fetch --list shows those that are known")
    try:
        with _bar() as progress:
            home = datasets.fetch(
                options.name,
                options.to,
                mirror=options.mirror,
                workers=options.workers,
                timeout_s=options.timeout,
                only=options.only,
                progress=progress,
                sums_sha256=options.sums_sha256,
                trust_sums=options.trust_sums,
            )
    except KeyboardInterrupt:
        print("ecgspasm: stopped; what is whole stays, run the same command again to go on", file=sys.stderr)
        return INTERRUPTED
    found = datasets.fetched(home)
    if found is not None and found.trust == "server":
        print(
            f"SHA256SUMS.txt was taken as the server gave it; to pin it elsewhere: --sums-sha256 {found.sums_sha256}",
            file=sys.stderr,
        )
    print(home)
    return OK


def _sets() -> str:
    from ecgspasm.datasets import sets

    row = "{:<18} {:<8} {:>6} {:>8}  {:<11} {:<15} {}"
    lines = [row.format("name", "version", "MB", "records", "licence", "list of hashes", "title")]
    for each in sets():
        records = "" if each.records is None else str(each.records)
        pinned = "pinned" if each.sums_sha256 else "to be given" if each.fetched else "(not fetched)"
        lines.append(row.format(each.name, each.version, each.size_mb, records, each.licence, pinned, each.title))
    return "\n".join(lines)


def _pairs(options: argparse.Namespace) -> int:
    from ecgspasm.datasets import pairs

    check_target(options.output)
    found = pairs(options.name, options.data, which=options.which, rate_hz=options.rate)
    count = found.to_csv(options.output)
    print(f"{count} pairs of {found.persons} persons written to {options.output}")
    for reason, rows in found.left_out.items():
        print(f"left out: {rows} rows, {reason} (the first: {found.first_left_out[reason]})", file=sys.stderr)
    return OK


@contextmanager
def _bar() -> Iterator[Callable[[int, int, int], None] | None]:
    """Files, bytes and rate on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from time import monotonic

    from tqdm import tqdm

    shown: Any = None
    began = monotonic()

    def told(done: int, of: int, received: int) -> None:
        nonlocal shown
        if shown is None:
            shown = tqdm(total=of, unit="file")
        rate = received / max(monotonic() - began, 0.1)
        shown.set_postfix_str(f"{received / 1e6:.1f} MB, {rate / 1e6:.2f} MB/s", refresh=False)
        shown.update(done - shown.n)

    try:
        yield told
    finally:
        if shown is not None:
            shown.close()
