"""Which records a run is about: from a list, a table of pairs, a folder or a pattern; every fault is a row with its reason."""

from __future__ import annotations

import csv
import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from ecgspasm.batching.rows import Task
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import local_path, one_line

MAX_ROWS = 50_000_000
_COLUMNS = {
    "measure": {"record"},
    "compare": {"baseline", "current", "record", "person", "baseline_person", "current_person", "baseline_at", "current_at"},
}
_TEXT = (".csv", ".tsv", ".txt", ".lst", ".list")
# WFDB's RECORDS has no suffix, and no ECG has this name
_LISTS = ("records",)
_NO_ECG = (".md", ".html", ".pdf", ".txt", ".csv", ".tsv", ".json", ".toml", ".png", ".jpg", ".zip", ".gz", ".py", ".sha256")


def tasks(what: str, inputs: Any) -> list[Task]:
    """The rows of a run in their order.

    Parameters
    ----------
    what : {'measure', 'compare'}
    inputs : path, sequence or table
        For ``measure``: a folder (all ECGs below it), a pattern such as ``ptb/*/*.hea``, a text file with a path a line, a CSV
        with a column ``record``, or a sequence of paths. For ``compare``: a CSV with the columns ``baseline`` and ``current``
        and, as far as they are known, ``record`` (a name for the pair), ``person`` or ``baseline_person`` and
        ``current_person``, ``baseline_at`` and ``current_at`` (ISO 8601); or a sequence of pairs; or a pandas table of these
        columns. Paths in a file are relative to it.

    Raises
    ------
    EcgError
        If there is nothing to do, or the list cannot be read. What is wrong with one row stands in its `Task.reason`.
    """
    if isinstance(inputs, str | os.PathLike):
        found = list(islice(_from_path(what, local_path(inputs)), MAX_ROWS))
    elif hasattr(inputs, "to_dict") and hasattr(inputs, "columns"):
        found = list(_from_rows(what, inputs.to_dict(orient="records"), "", "the table"))
    else:
        found = list(_from_sequence(what, inputs))
    if not found:
        raise EcgError("there is nothing to do: the list names no record")
    return list(_once(found))


def _from_path(what: str, path: str) -> Iterator[Task]:
    if os.path.isdir(path):
        if what == "compare":
            raise EcgError(f"{one_line(path)} is a folder; pairs are compared from a CSV with the columns baseline and current")
        return _named(_below(path))
    if any(letter in path for letter in "*?[") and not os.path.exists(path):
        if what == "compare":
            raise EcgError("a pattern names no pairs; give a CSV with the columns baseline and current")
        return _named(_records(glob.iglob(path, recursive=True)))
    return _from_file(what, path)


def _from_file(what: str, path: str) -> Iterator[Task]:
    lower = os.path.basename(path).lower()
    if not os.path.isfile(path):
        raise EcgError(f"there is no list {one_line(path)}; check the path")
    if not lower.endswith(_TEXT) and lower not in _LISTS:
        return _named([path])
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EcgError(f"{one_line(path)} cannot be read as a list ({one_line(error, 100)}); write it as UTF-8 text") from error
    folder = os.path.dirname(path)
    columns = _header(lines[0] if lines else "")
    if what == "measure" and "record" not in columns and not {"baseline", "current"} <= set(columns):
        return _named(os.path.join(folder, line.strip()) for line in lines if line.strip() and not line.startswith("#"))
    delimiter = "\t" if "\t" in lines[0] else ";" if ";" in lines[0] else ","
    return _from_rows(what, csv.DictReader(lines, delimiter=delimiter), folder, one_line(path))


def _header(line: str) -> list[str]:
    delimiter = "\t" if "\t" in line else ";" if ";" in line else ","
    return [name.strip() for name in line.split(delimiter)]


def _from_rows(what: str, rows: Iterable[Mapping[Any, Any]], folder: str, name: str) -> Iterator[Task]:
    needed = {"record"} if what == "measure" else {"baseline", "current"}
    for number, row in enumerate(rows, start=2):
        cells = {str(key).strip(): "" if value is None or value != value else str(value).strip() for key, value in row.items()}
        if not needed <= set(cells):
            missing = ", ".join(sorted(needed - set(cells)))
            raise EcgError(f"{name} has no column {missing}; its columns are {one_line(', '.join(cells), 120)}")
        if what == "measure":
            path = _beside(folder, cells["record"])
            yield Task(path, current=path, reason="" if cells["record"] else f"row {number} of the list names no record")
        else:
            yield _pair(cells, folder, number)


def _pair(cells: Mapping[str, str], folder: str, number: int) -> Task:
    baseline, current = (_beside(folder, cells[name]) for name in ("baseline", "current"))
    task = Task(
        cells.get("record") or f"{baseline} > {current}",
        baseline,
        current,
        cells.get("baseline_at", ""),
        cells.get("current_at", ""),
    )
    persons = [cells.get(f"{which}_person", "") for which in ("baseline", "current")]
    reason = ""
    if not cells["baseline"] or not cells["current"]:
        reason = f"row {number} of the list does not name both ECGs"
    elif all(persons) and persons[0] != persons[1]:
        reason = "baseline and current ECG are of different persons by the list; pair ECGs of one person"
    elif os.path.normpath(baseline) == os.path.normpath(current):
        reason = "baseline and current ECG are the same file; give two"
    else:
        reason = _dates(task)
    return replace(task, reason=reason)


def _dates(task: Task) -> str:
    """What is wrong with the times that a list gives."""
    times = []
    for name in ("baseline_at", "current_at"):
        given = getattr(task, name)
        try:
            times.append(datetime.fromisoformat(given) if given else None)
        except ValueError:
            return f"{name} is {one_line(given, 40)!r}; write it as 2024-05-31 or 2024-05-31T14:05"
    before, after = times
    if before is None or after is None:
        return ""
    if (before.tzinfo is None) != (after.tzinfo is None):
        return "one time has an offset and the other has none; write both alike"
    if after >= before:
        return ""
    return f"the current ECG ({task.current_at}) is older than its baseline ({task.baseline_at}); swap them"


def _from_sequence(what: str, inputs: Any) -> Iterator[Task]:
    if not isinstance(inputs, Iterable) or isinstance(inputs, bytes | Mapping):
        raise EcgError(f"{type(inputs).__name__} is no list of records; give a path, a sequence of paths or a table")
    if what == "measure":
        yield from _named(local_path(each) for each in inputs)
        return
    for each in inputs:
        if not isinstance(each, Sequence) or isinstance(each, str) or len(each) != 2:
            raise EcgError(f"{one_line(repr(each), 60)} is no pair; give (baseline, current)")
        baseline, current = (local_path(path) for path in each)
        yield _pair({"baseline": baseline, "current": current}, "", 0)


def _named(paths: Iterable[str]) -> Iterator[Task]:
    return (Task(path, current=path) for path in paths)


def _beside(folder: str, path: str) -> str:
    return os.path.join(folder, path) if path else ""


def _below(folder: str) -> Iterator[str]:
    """All ECGs below a folder, in an order that is everywhere the same."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield from _records(os.path.join(here, name) for name in sorted(names) if not name.startswith("."))


def _records(paths: Iterable[str]) -> Iterator[str]:
    """Of the files of a folder those that are ECGs by their names; of a WFDB record only its header."""
    names = sorted(paths)
    headers = {name[:-4] for name in names if name.endswith(".hea")}
    for name in names:
        if name.endswith(".hea"):
            yield name
        elif os.path.splitext(name)[0] in headers or name.lower().endswith(_NO_ECG) or os.path.isdir(name):
            continue
        elif os.path.basename(name).upper() not in ("RECORDS", "LICENSE", "README", "ANNOTATORS", "SHA256SUMS"):
            yield name


def _once(found: Iterable[Task]) -> Iterator[Task]:
    """Every record once; what comes again is told, and so are different pairs of one name."""
    seen: dict[str, int] = {}
    for number, task in enumerate(found, start=1):
        before = seen.setdefault(task.record, number)
        if before == number:
            yield task
        else:
            # a name of its own, so that no two records of the result are called alike
            reason = f"{task.record} is listed before, as number {before}; this one is left out"
            yield replace(task, record=f"{task.record} (number {number})", reason=reason)
