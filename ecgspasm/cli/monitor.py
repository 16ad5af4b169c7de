"""``ecgspasm monitor``: episodes of a continuous recording."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ecgspasm.cli.common import NOT_MEASURED, OK, add_results, only_one_stream, recording_from, tell


def add_monitor(commands: Any) -> None:
    """Add the command."""
    told = "follow a long recording for episodes of ST and T change"
    parser: argparse.ArgumentParser = commands.add_parser("monitor", help=told)
    parser.add_argument("record", metavar="RECORD", help="the recording (WFDB record of any length, or any other ECG file)")
    parser.add_argument("--baseline", metavar="B", help="an earlier ECG of the person (default: the recording's quiet stretches)")
    parser.add_argument(
        "--definition",
        metavar="ID[,ID]",
        help="by which definitions, such as long-term-b or covadis-st-elevation (default: european-st,european-t)",
    )
    parser.add_argument("--average", metavar="S", type=float, help="length of the averages in s, 8 to 60 (default: 16)")
    parser.add_argument("--leads", metavar="LEAD[,LEAD]", help="only these leads")
    add_results(parser, plot="the trend", report=True)
    parser.set_defaults(run=_monitor)


def _monitor(options: argparse.Namespace) -> int:
    from ecgspasm import plot
    from ecgspasm.continuous.definitions import DEFAULT, chosen
    from ecgspasm.continuous.monitor import monitor

    only_one_stream(options.record, options.baseline)
    wanted = DEFAULT if options.definition is None else tuple(options.definition.split(","))
    chosen(wanted)  # before the work, not after it
    recording = recording_from(options.record)
    if options.leads is not None:
        recording = recording.select(options.leads.split(","))
    baseline = None if options.baseline is None else recording_from(options.baseline)
    with bar(recording.duration_s) as progress:
        found = monitor(recording, baseline, average_s=options.average, definitions=wanted, progress=progress)
    tell(options, found, lambda: plot.trend(found))
    return OK if found.measured_s else NOT_MEASURED


@contextmanager
def bar(duration_s: float) -> Iterator[Callable[[float], None] | None]:
    """A progress bar on stderr, if that is a terminal: hours of the recording done, and the time that is left."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    layout = "{l_bar}{bar}| {n:.1f}/{total:.1f} h, {remaining} left"
    with tqdm(total=round(duration_s / 3600.0, 2), unit="h", bar_format=layout) as shown:

        def told(share: float) -> None:
            shown.update(share * shown.total - shown.n)

        yield told
