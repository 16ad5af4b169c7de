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
from ecgspasm.cli.common import (
    BAD_INPUT,
    INTERRUPTED,
    NOT_MEASURED,
    OK,
    add_reading,
    add_results,
    check_targets,
    ecg_from,
    only_one_stream,
    print_json,
    result_to,
    tell,
)
from ecgspasm.cli.completion import add_completion
from ecgspasm.cli.datasets import add_datasets
from ecgspasm.cli.monitor import add_monitor
from ecgspasm.cli.provocation import add_provocation
from ecgspasm.errors import EcgError
from ecgspasm.stamp import line, stamp

if TYPE_CHECKING:
    import pandas as pd

    from ecgspasm.ecg import Measurements


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    if not hasattr(options, "run"):
        print(_JOBS)
        return OK
    try:
        check_targets(options)
        with result_to(options):
            status: int = options.run(options)
        if sys.stdout is not None:  # it is None when the shell has closed it
            sys.stdout.flush()
    except EcgError as error:
        print(f"ecgspasm: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("ecgspasm: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone; Python must not complain about that again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        print(f"ecgspasm: cannot write the result: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    return status


_JOBS = f"""\
ecgspasm {__version__}: what is new in this ECG? For research; not a medical device.

  compare two ECGs of a person
      ecgspasm compare baseline.hea today.dcm --report change.html
  follow a long recording for episodes
      ecgspasm monitor holter.hea --plot trend.png
  judge a provocation test
      ecgspasm provocation cath-lab.hea --event '120=ergonovine 20 ug' --event 420=nitroglycerin
  run a cohort
      ecgspasm batch compare pairs.csv --output results
  benchmark on PhysioNet records
      ecgspasm benchmark ludb physionet/ludb

ecgspasm demo shows it on the shipped case; ecgspasm --help lists all commands, ecgspasm COMMAND --help one.
"""

_UNITS = """\
Amplitudes are in microvolt (uV) against the PR level, intervals in ms, times within a recording
in s, positions in samples. An ECG is any file that can be read: WFDB (the .hea file or the
record's name), DICOM, EDF, BDF, the files of the vendors, HDF5, tables, a PDF with curves;
- is standard input. Progress and remarks go to standard error.

exit status:
  0  analysed, whether anything was found or not
  1  bad input
  2  wrong usage
  3  nothing could be measured or compared"""


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = argparse.ArgumentParser(
        prog="ecgspasm",
        description="Finds what is new in a person's ECG against that person's own baseline. For research; not a medical device.",
        epilog=_UNITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ecgspasm {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    compare = commands.add_parser("compare", help="say what is new in CURRENT against BASELINE")
    compare.add_argument("baseline", metavar="BASELINE", help="the earlier ECG of the person, a file of any format")
    compare.add_argument("current", metavar="CURRENT", help="the ECG to judge")
    compare.add_argument("--criteria", metavar="FILE", help="a TOML file with criteria of your own")
    compare.add_argument(
        "--electrodes",
        choices=("fresh", "same"),
        default="fresh",
        help="placed anew between the two ECGs (another day, the default), or the same throughout (provocation, telemetry)",
    )
    add_reading(compare)
    add_results(compare, table="report", plot="the comparison", report=True)
    compare.set_defaults(run=_compare)

    measure = commands.add_parser("measure", help="measure one ECG: ST, T and QRS per lead (uV), intervals (ms)")
    measure.add_argument("record", metavar="RECORD", help="the ECG, a file of any format")
    add_reading(measure)
    add_results(measure)
    measure.set_defaults(run=_measure)

    delineate = commands.add_parser("delineate", help="list onset, peak and offset (samples) of P, QRS, T per lead and beat")
    delineate.add_argument("record", metavar="RECORD", help="the ECG, a file of any format")
    delineate.add_argument("--annotate", metavar="DIR", help="write WFDB annotation files in LUDB's convention, one a lead")
    add_reading(delineate)
    add_results(delineate)
    delineate.set_defaults(run=_delineate)

    add_monitor(commands)
    add_provocation(commands)
    course = commands.add_parser("course", help="judge one patient's course of drugs, ECGs and attacks")
    course.add_argument("file", metavar="FILE", help="the course as TOML or JSON; docs/course.md tells how to write one")
    add_results(course, table="report", plot="the timeline", report=True)
    course.set_defaults(run=_course)

    add_batch(commands)
    add_datasets(commands)
    add_benchmarks(commands)

    demo = commands.add_parser("demo", help="compare the shipped index case and a real ECG, with pictures")
    demo.add_argument("--output", metavar="DIR", default="ecgspasm-demo", help="where the pictures go (default: %(default)s)")
    demo.set_defaults(run=_demo)
    add_completion(commands)
    return parser


def _compare(options: argparse.Namespace) -> int:
    from ecgspasm import plot
    from ecgspasm.criteria import load_criteria
    from ecgspasm.serial.compare import compare

    only_one_stream(options.baseline, options.current)
    criteria = load_criteria(options.criteria)
    pair = ecg_from(options.baseline, options), ecg_from(options.current, options)
    change = compare(*pair, electrodes=options.electrodes, criteria=criteria)
    tell(options, change, lambda: plot.comparison(change))
    return OK if change.comparable else NOT_MEASURED


def _measure(options: argparse.Namespace) -> int:
    from ecgspasm.analysis import analyze

    found = analyze(ecg_from(options.record, options)).measurements
    told = found.to_dict()
    print_json(told) if options.json else print(f"{_measure_text(found)}\n\n{line(told['parameters'])}")
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

    ecg = ecg_from(options.record, options)
    found = delineate(ecg)
    frame = found.to_frame()
    if options.annotate:
        from ecgspasm.io.wfdb.annotations import write_annotations

        written = write_annotations(found, options.annotate, PurePath(options.record).stem)
        print(f"{len(written)} annotation files written to {options.annotate}", file=sys.stderr)
    if options.json:
        print_json(stamp() | {"fs_hz": ecg.fs, "unit": "sample", "waves": _rows(frame)})
    else:
        print(frame.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.0f}"), line({}), sep="\n\n")
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

    found = Course.load(options.file)
    tell(options, found, lambda: plot.course(found))
    return OK


def _demo(options: argparse.Namespace) -> int:
    from ecgspasm.demo import run

    return run(options.output)
