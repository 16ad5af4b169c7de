"""``ecgspasm benchmark``: score the library on sets of recordings; tables on stdout, all figures as JSON on request."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ecgspasm.cli.common import OK, check_target
from ecgspasm.errors import EcgError


def add_benchmarks(commands: Any) -> None:
    """Add the command and the sets that it scores."""
    benchmark = commands.add_parser("benchmark", help="score the library on a set of annotated recordings")
    sets = benchmark.add_subparsers(title="sets", metavar="SET", required=True)
    for name, title in (("ludb", "LUDB"), ("qtdb", "the QT database")):
        one = _add(sets, name, f"delineation against the experts' annotations of {title}", _delineation)
        _folder(one)
        one.add_argument("--peers", metavar="NAME[,NAME]", help="score these packages too, such as neurokit2")
        one.add_argument(
            "--folds", metavar="DIR", help="use for each record the net of the cross-validation fold that has not seen it"
        )
        one.add_argument("--noise", metavar="DIR", help="also with NSTDB noise (bw, em, ma in DIR) at 24, 12 and 6 dB")
    staff = _add(sets, "staffiii", "coronary occlusion against the same person's baseline", _staffiii)
    _folder(staff)
    for name, title in (("edb", "the European ST-T Database"), ("ltstdb", "the Long-Term ST Database")):
        _folder(_add(sets, name, f"episodes of continuous recordings against the experts' of {title}", _episodes))
    _folder(_add(sets, "balloon", "balloon inflation as a provocation test: onset and recovery (STAFF III)", _balloon))
    pairs = _add(sets, "pairs", "pairs of ECGs of one person, with known changes put in", _pairs)
    pairs.add_argument("--ptb", metavar="DIR", help="PTB recordings named patientNNN_*")
    pairs.add_argument("--ludb", metavar="DIR", help="LUDB, whose records are halved")
    pairs.add_argument("--nstdb", metavar="DIR", help="recorded noise (bw, em, ma)")
    confusion = _add(sets, "confounders", "swapped cables, gain, posture: named, or taken for ischemia?", _confounders)
    confusion.add_argument("--ludb", metavar="DIR", help="LUDB, in whose records the swaps are made")
    confusion.add_argument("--ptb", metavar="DIR", help="PTB recordings named patientNNN_*, for false alarms")
    calibration = _add(sets, "calibration", "analytic ECGs with known values, with noise added", _calibration)
    calibration.add_argument("--nstdb", metavar="DIR", help="also recorded noise (bw, em, ma) at falling ratios")


def _add(sets: Any, name: str, told: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = sets.add_parser(name, help=told)
    parser.add_argument("--output", metavar="FILE", help="write all figures as JSON")
    parser.set_defaults(run=run, set=name)
    return parser


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        help="the set's folder in the original PhysioNet layout; a part of it will do (default: where ECGSPASM_DATA_DIR has it)",
    )


def _home(options: argparse.Namespace) -> Path:
    """The folder that was given, or the one that is found."""
    from ecgspasm.datasets import folder

    if options.folder is None:
        options.folder = str(folder({"balloon": "staffiii"}.get(options.set, options.set)))
    return Path(options.folder)


def _delineation(options: argparse.Namespace) -> int:
    from ecgspasm.benchmarks.delineation import held_out, own, score_ludb, score_qtdb
    from ecgspasm.benchmarks.peers import peer
    from ecgspasm.benchmarks.table import text

    score = {"ludb": score_ludb, "qtdb": score_qtdb}[options.set]
    _check(options)
    home = _home(options)
    names = [name for name in (options.peers or "").split(",") if name]
    first = held_out(Path(options.folds)) if options.folds else own
    delineators = {"ecgspasm": first} | {name: peer(name) for name in names}
    if options.noise:
        from ecgspasm.benchmarks.noise import LEVELS_DB, with_noise

        delineators |= {f"ecgspasm at {level} dB": with_noise(first, Path(options.noise), level) for level in LEVELS_DB}
    results = {}
    for name, delineator in delineators.items():
        results[name] = score(home, delineator, watch=progress(name))
        print(f"{name}\n{text(results[name])}\n")
    _write(options, results)
    return OK


def _staffiii(options: argparse.Namespace) -> int:
    from ecgspasm.benchmarks.occlusion import score_staffiii
    from ecgspasm.benchmarks.table import occlusion_text

    _check(options)
    result = score_staffiii(_home(options), watch=progress("staffiii"))
    if not result["persons"]:
        raise EcgError(f"{options.folder} holds no person of STAFF III with a baseline and an inflation; give the set's folder")
    print(occlusion_text(result))
    _write(options, result)
    return OK


def _episodes(options: argparse.Namespace) -> int:
    from ecgspasm.benchmarks.episodes import episodes_text, score_edb, score_ltstdb

    _check(options)
    result = {"edb": score_edb, "ltstdb": score_ltstdb}[options.set](_home(options), watch=progress(options.set))
    print(episodes_text(result))
    _write(options, result)
    return OK


def _balloon(options: argparse.Namespace) -> int:
    from ecgspasm.benchmarks.balloon import score_balloon

    _check(options)
    score = score_balloon(_home(options), watch=progress("balloon"))
    if not score.inflations:
        raise EcgError(f"{options.folder} holds no person of STAFF III with an inflation; give the set's folder")
    print(score)
    _write(options, score.to_dict())
    return OK


def _pairs(options: argparse.Namespace) -> int:
    from ecgspasm.benchmarks.pairs import score_pairs
    from ecgspasm.benchmarks.table import pairs_text

    _check(options)
    ptb, ludb, nstdb = (Path(each) if each else None for each in (options.ptb, options.ludb, options.nstdb))
    result = score_pairs(ptb, ludb, nstdb, watch=progress("pairs"))
    if not result:
        raise EcgError("there are no pairs; give --ptb DIR or --ludb DIR with recordings in it")
    print(pairs_text(result))
    _write(options, result)
    return OK


def _confounders(options: argparse.Namespace) -> int:
    from ecgspasm.benchmarks.confusion import false_alarms, score_confounders
    from ecgspasm.benchmarks.table import confounders_text

    _check(options)
    ludb, ptb = (Path(each) if each else None for each in (options.ludb, options.ptb))
    result = score_confounders(ludb, ptb, watch=progress("confounders"))
    if not result:
        raise EcgError("there are no pairs; give --ludb DIR or --ptb DIR with recordings in it")
    result = {"sets": result, "false_alarms": round(false_alarms(result), 2)}
    print(confounders_text(result))
    _write(options, result)
    return OK


def _calibration(options: argparse.Namespace) -> int:
    from ecgspasm.benchmarks.calibration import score_calibration, score_noise
    from ecgspasm.benchmarks.table import calibration_text

    _check(options)
    result = {"calibration": score_calibration(watch=progress("calibration"))}
    if options.nstdb:
        result["noise"] = score_noise(Path(options.nstdb), watch=progress("noise"))
    print(calibration_text(result))
    _write(options, result)
    return OK


def _check(options: argparse.Namespace) -> None:
    if options.output is not None:
        check_target(options.output)


def _write(options: argparse.Namespace, results: dict[str, Any]) -> None:
    """Write the figures with their date, if a file was named."""
    from datetime import UTC, datetime

    from ecgspasm.io.paths import write_whole
    from ecgspasm.stamp import stamp

    if options.output is not None:
        written = stamp() | {"date": datetime.now(UTC).date().isoformat(), "results": results}
        write_whole(options.output, (json.dumps(written, indent=1, allow_nan=False) + "\n").encode())
        print(f"figures written to {options.output}", file=sys.stderr)


def progress(name: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    """Count the records on stderr while they are scored, if that is a terminal."""

    def watch(cases: Iterable[Any], total: int) -> Iterator[Any]:
        shown = sys.stderr.isatty()
        for done, case in enumerate(cases, start=1):
            if shown:
                print(f"\r{name}: {done} of at most {total}", end="", file=sys.stderr, flush=True)
            yield case
        if shown:
            print(file=sys.stderr)

    return watch
