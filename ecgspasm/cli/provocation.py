"""``ecgspasm provocation``: a provocation test, from one recording or from ECGs taken one after the other."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ecgspasm.cli.common import NOT_MEASURED, OK, add_results, ecg_from, only_one_stream, recording_from, tell
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    from ecgspasm.ecg import Ecg
    from ecgspasm.recording import Recording


def add_provocation(commands: Any) -> None:
    """Add the command."""
    told = "judge a provocation test: what changed after which event, when, and whether it was relieved"
    parser: argparse.ArgumentParser = commands.add_parser("provocation", help=told)
    told = "one recording that holds the whole test, or ECGs as S=RECORD with their time in s"
    parser.add_argument("records", metavar="RECORD", nargs="+", help=told)
    parser.add_argument(
        "--event", metavar="S=TEXT", action="append", required=True, help="what was given when, such as '120=ergonovine 20 ug'"
    )
    parser.add_argument("--baseline", metavar="B", help="an earlier ECG of the person; without it what precedes the first event")
    add_results(parser, plot="the test", report=True)
    parser.set_defaults(run=_provocation)


def _provocation(options: argparse.Namespace) -> int:
    from ecgspasm import plot
    from ecgspasm.provoking import provocation

    events = [_at(each, "--event 120=ergonovine") for each in options.event]
    given: Recording | list[tuple[float, Ecg]]
    if len(options.records) == 1 and "=" not in options.records[0]:
        only_one_stream(options.records[0], options.baseline)
        given = recording_from(options.records[0])
    else:
        given = [(at, ecg_from(path)) for at, path in (_at(each, "120=ecg.hea") for each in options.records)]
    test = provocation(given, events, baseline=None if options.baseline is None else ecg_from(options.baseline))
    tell(options, test, lambda: plot.provocation(test))
    return NOT_MEASURED if test.verdict.startswith("NOT MEASURED") else OK


def _at(text: str, example: str) -> tuple[float, str]:
    """Seconds and what is behind the first ``=``."""
    seconds, mark, rest = text.partition("=")
    try:
        at = float(seconds)
    except ValueError as error:
        raise EcgError(f"{text!r} does not begin with a time in s; write it like {example}") from error
    if not mark or not rest:
        raise EcgError(f"{text!r} has nothing behind its time; write it like {example}")
    return at, rest
