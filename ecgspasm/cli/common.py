"""What all commands share: exit statuses, the options that say where results go, and how a result is told."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ecgspasm.ecg import Ecg
    from ecgspasm.recording import Recording

OK, BAD_INPUT, USAGE, NOT_MEASURED = 0, 1, 2, 3

INTERRUPTED = 130
"""What a shell gives for a program that was stopped with Ctrl-C."""


WIDTH = 100
"""Tables are no wider, and prose on a terminal is broken there."""

STREAM = "-"
"""The name of stdin where an ECG is asked for, and of stdout where a result goes."""


def add_results(parser: argparse.ArgumentParser, *, table: str = "table", plot: str = "", report: bool = False) -> None:
    """The options of every command that tells one result; `plot` is what its picture shows."""
    group = parser.add_argument_group("results")
    group.add_argument("--json", action="store_true", help=f"JSON instead of a {table}; null where a value is absent")
    told = "where the text or JSON goes (default: -, standard output)"
    group.add_argument("--output", dest="result", metavar="FILE", default=STREAM, help=told)
    if plot:
        group.add_argument("--plot", metavar="FILE", help=f"write {plot} as a picture (.png, .svg or .pdf)")
    if report:
        told = "write one HTML page to look into and to share (- for standard output)"
        group.add_argument("--report", metavar="FILE", help=told)


def check_targets(options: argparse.Namespace) -> None:
    """Refuse files that cannot be written before the work is done, not after it."""
    given = [getattr(options, name, None) for name in ("result", "plot", "report")]
    for path in given:
        if path not in (None, STREAM):
            check_target(path)
    if getattr(options, "plot", None) == STREAM:
        raise EcgError("a picture needs a name whose suffix says of what kind it is; give --plot FILE.png, .svg or .pdf")
    if getattr(options, "report", None) == STREAM and options.result == STREAM:
        raise EcgError("the page and the text cannot both go to standard output; give --output FILE or --report FILE")
    files = [os.path.realpath(path) for path in given if path not in (None, STREAM)]
    if len(set(files)) < len(files):
        raise EcgError("two results would go to one file; give each a name of its own")
    _refuse_inputs(options, files)
    if getattr(options, "plot", None):
        from ecgspasm.plot.files import check_suffix

        check_suffix(options.plot)
    if getattr(options, "report", None) is not None:
        _can_report(options.report)


def _refuse_inputs(options: argparse.Namespace, files: list[str]) -> None:
    """Refuse a result that would take the place of what the command reads, the signal files of a WFDB record among it."""
    asked = [getattr(options, name, None) for name in ("baseline", "current", "record", "file", "criteria")]
    asked += [each.partition("=")[2] or each for each in getattr(options, "records", [])]
    for path in asked:
        if not isinstance(path, str) or path == STREAM:
            continue
        stem = os.path.realpath(path).removesuffix(".hea")
        for target in files:
            of_the_record = os.path.splitext(target)[0] == stem and os.path.exists(target)
            if of_the_record or target in (os.path.realpath(path), stem):
                raise EcgError(f"{os.path.basename(target)} is read by this command; give the result another name")


def _can_report(path: str) -> None:
    from importlib.util import find_spec

    if path != STREAM and not path.lower().endswith((".html", ".htm")):
        raise EcgError(f"{path!r} does not end in .html; the report is one HTML page")
    if find_spec("jinja2") is None:
        raise EcgError("a report needs jinja2: pip install jinja2")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The options that say of a table or an array what its file does not tell."""
    group = parser.add_argument_group("reading", "only for files that do not say so themselves, such as tables")
    group.add_argument("--fs", metavar="HZ", type=float, help="sampling rate in Hz")
    group.add_argument("--unit", metavar="UNIT", help="unit of the amplitudes: uV, mV or V")


def ecg_from(path: str, options: argparse.Namespace | None = None) -> Ecg:
    """The ECG of a path, or of standard input for ``-``."""
    from ecgspasm.io import read

    told = {name: getattr(options, name, None) for name in ("fs", "unit")}
    return read(sys.stdin.buffer if path == STREAM else path, **told)


def recording_from(path: str) -> Recording:
    """The recording of a path, or of standard input for ``-``."""
    from ecgspasm.io import open_recording
    from ecgspasm.recording import Recording

    return Recording.of(ecg_from(path)) if path == STREAM else open_recording(path)


def only_one_stream(*paths: str | None) -> None:
    """Standard input holds one ECG."""
    if sum(path == STREAM for path in paths) > 1:
        raise EcgError("standard input (-) can be only one of the ECGs; give a path for the other")


@contextmanager
def result_to(options: argparse.Namespace) -> Iterator[None]:
    """What is printed within goes to the file of ``--output``, as a whole or not at all."""
    path = getattr(options, "result", STREAM)
    if path == STREAM:
        yield
        return
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        yield
    if not said.getvalue():
        return
    from ecgspasm.io.paths import write_whole

    write_whole(path, said.getvalue().encode())
    print(f"written to {path}", file=sys.stderr)


def check_target(path: str) -> None:
    """Refuse a file that cannot be written before the work is done, not after it."""
    folder = os.path.dirname(path) or "."
    if not path:
        raise EcgError("the name of a file is empty; give one")
    if os.path.isdir(path):
        raise EcgError(f"{path} is a folder; give the name of a file in it")
    if not os.path.isdir(folder):
        raise EcgError(f"there is no folder {folder}; make it first")


class Result(Protocol):
    """What a command can tell: as text, and as a dictionary."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""


def tell(options: argparse.Namespace, found: Result, draw: Callable[[], tuple[Figure, Any]]) -> None:
    """Print a result as text or, with ``--json``, as JSON; write the picture and the page that are asked for."""
    told = found.to_dict()
    print_json(told) if options.json else print(laid_out(str(found)))
    if getattr(options, "report", None) is not None:
        _report(options.report, found)
    if options.plot is not None:
        from ecgspasm import plot

        figure, _ = draw()
        plot.save(figure, options.plot)
        print(f"picture written to {options.plot}", file=sys.stderr)


def print_json(value: dict[str, Any]) -> None:
    """One object on stdout; a nan in it is a mistake of the program."""
    json.dump(value, sys.stdout, indent=2, allow_nan=False)
    print()


def _report(path: str, found: Any) -> None:
    from ecgspasm import report

    if path == STREAM:
        # the text has gone to the file of --output
        sys.__stdout__ and sys.__stdout__.write(report.html(found))
        return
    report.write(found, path)
    print(f"report written to {path}", file=sys.stderr)


def laid_out(text: str) -> str:
    """A text for a terminal: prose broken at its width, the first line bold. For a file or a pipe it stays as it is."""
    if sys.stdout is None or not sys.stdout.isatty():
        return text
    width = min(shutil.get_terminal_size().columns, WIDTH)
    lines = [part for line in text.splitlines() for part in _broken(line, width)]
    if lines and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        # bold only underlines what the words say by themselves
        lines[0] = f"\033[1m{lines[0]}\033[0m"
    return "\n".join(lines)


def _broken(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
