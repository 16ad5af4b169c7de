"""The command line: results on stdout, progress on stderr.

Exit status: 0 analysed, 1 bad input, 2 wrong usage, 3 nothing could be measured or compared. "Nothing found" is 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ecgspasm import __version__
from ecgspasm.cli.batch import add_batch
from ecgspasm.cli.benchmark import add_benchmarks
from ecgspasm.cli.common import BAD_INPUT, NOT_MEASURED, OK, USAGE, check_target, print_json, tell
from ecgspasm.cli.datasets import add_datasets
from ecgspasm.cli.monitor import add_monitor
from ecgspasm.cli.provocation import add_provocation
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    import pandas as pd

    from ecgspasm.ecg import Measurements


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    if not hasattr(options, "run"):
        _parser().print_usage(sys.stderr)
        return USAGE
    try:
        status: int = options.run(options)
        if sys.stdout is not None:  # it is None when the shell has closed it
            sys.stdout.flush()
    except EcgError as error:
        print(f"ecgspasm: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # The reader (head, less) has gone; Python must not complain about that again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        print(f"ecgspasm: cannot write the result: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ecgspasm",
        description="Finds what is new in a person's ECG against that person's own baseline. For research; not a medical device.",
        epilog="exit status: 0 analysed, 1 bad input, 2 wrong usage, 3 nothing could be measured or compared",
    )
    parser.add_argument("--version", action="version", version=f"ecgspasm {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    compare = commands.add_parser("compare", help="say what is new in CURRENT against BASELINE")
    compare.add_argument("baseline", metavar="BASELINE", help="the earlier ECG of the person (WFDB record or DICOM file)")
    compare.add_argument("current", metavar="CURRENT", help="the ECG to judge")
    compare.add_argument("--plot", metavar="FILE", help="write the comparison as a picture (.png, .svg or .pdf)")
    compare.add_argument("--criteria", metavar="FILE", help="a TOML file with criteria of your own")
    compare.add_argument(
        "--electrodes",
        choices=("fresh", "same"),
        default="fresh",
        help="placed anew between the two ECGs (another day, the default), or the same throughout (provocation, telemetry)",
    )
    compare.set_defaults(run=_compare)

    measure = commands.add_parser("measure", help="measure one ECG: ST, T and QRS per lead (uV), intervals (ms)")
    measure.add_argument("record", metavar="RECORD", help="WFDB record or DICOM file")
    measure.set_defaults(run=_measure)

    delineate = commands.add_parser("delineate", help="list onset, peak and offset (samples) of P, QRS, T per lead and beat")
    delineate.add_argument("record", metavar="RECORD", help="WFDB record or DICOM file")
    delineate.add_argument("--annotate", metavar="DIR", help="write WFDB annotation files in LUDB's convention, one a lead")
    delineate.set_defaults(run=_delineate)

    for command in (compare, measure, delineate):
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    add_monitor(commands)
    add_provocation(commands)
    course = commands.add_parser("course", help="judge one patient's course of drugs, ECGs and attacks")
    course.add_argument("file", metavar="FILE", help="the course as TOML or JSON; docs/course.md tells how to write one")
    course.add_argument("--json", action="store_true", help="print JSON instead of a report")
    course.add_argument("--plot", metavar="FILE", help="write the timeline as a picture (.png, .svg or .pdf)")
    course.set_defaults(run=_course)

    add_batch(commands)
    add_datasets(commands)
    add_benchmarks(commands)

    demo = commands.add_parser("demo", help="compare the shipped index case and a real ECG, with pictures")
    demo.add_argument("--output", metavar="DIR", default="ecgspasm-demo", help="where the pictures go (default: %(default)s)")
    demo.set_defaults(run=_demo)
    return parser


def _compare(options: argparse.Namespace) -> int:
    from ecgspasm import plot
    from ecgspasm.criteria import load_criteria
    from ecgspasm.io import read
    from ecgspasm.serial.compare import compare

    criteria = load_criteria(options.criteria)
    if options.plot is not None:
        check_target(options.plot)
    change = compare(read(options.baseline), read(options.current), electrodes=options.electrodes, criteria=criteria)
    tell(options, change, lambda: plot.comparison(change))
    return OK if change.comparable else NOT_MEASURED


def _measure(options: argparse.Namespace) -> int:
    from ecgspasm.analysis import analyze
    from ecgspasm.io import read

    found = analyze(read(options.record)).measurements
    print_json(found.to_dict()) if options.json else print(_measure_text(found))
    return OK if any(state == "measured" for state in found.state) else NOT_MEASURED


def _measure_text(found: Measurements) -> str:
    """Intervals on one line, then a row a lead."""

    def shown(value: float) -> str:
        return "-" if value != value else f"{value:.0f}"

    lines = [
        f"rate {shown(found.rate_bpm)}/min, PR {shown(found.pr_ms)}, QRS {shown(found.qrs_ms)}, QT {shown(found.qt_ms)}, "
        f"QTc {shown(found.qtc_ms)} ms (Fridericia); {found.n_beats} beats in the median",
        "",
    ]
    names = ("st_j_uv", "st_j60_uv", "t_uv", "q_uv", "r_uv", "s_uv")
    lines.append(f"{'lead':<5}" + "".join(f"{name:>11}" for name in names) + "  T shape")
    for row, lead in enumerate(found.leads):
        if found.state[row] != "measured":
            lines.append(f"{lead:<5} {found.state[row]}")
            continue
        cells = "".join(f"{shown(float(found.values[name][row])):>11}" for name in names)
        mark = "  (derived)" if lead in found.derived else ""
        lines.append(f"{lead:<5}{cells}  {found.t_shape[row]}{mark}")
    return "\n".join(lines)


def _delineate(options: argparse.Namespace) -> int:
    from ecgspasm.analysis import delineate
    from ecgspasm.io import read

    ecg = read(options.record)
    found = delineate(ecg)
    frame = found.to_frame()
    if options.annotate:
        from ecgspasm.io.wfdb_annotations import write_annotations

        written = write_annotations(found, options.annotate, PurePath(options.record).stem)
        print(f"{len(written)} annotation files written to {options.annotate}", file=sys.stderr)
    if options.json:
        print_json({"fs_hz": ecg.fs, "unit": "sample", "waves": _rows(frame)})
    else:
        print(frame.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.0f}"))
    return OK if len(frame) and frame["peak"].notna().any() else NOT_MEASURED


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries; ``None`` where a wave is absent."""
    times = ("onset", "peak", "offset")
    return [
        {**row, **{name: None if row[name] != row[name] else int(row[name]) for name in times}}
        for row in frame.to_dict(orient="records")
    ]


def _course(options: argparse.Namespace) -> int:
    from ecgspasm import plot
    from ecgspasm.course import Course

    if options.plot is not None:
        check_target(options.plot)
    found = Course.load(options.file)
    tell(options, found, lambda: plot.course(found))
    return OK


def _demo(options: argparse.Namespace) -> int:
    from ecgspasm.demo import run

    return run(options.output)
