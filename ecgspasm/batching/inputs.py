"""Which records a run is about: from a list, a table of pairs, a folder or a pattern; every fault is a row with its reason."""

from __future__ import annotations

import csv
import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from ecgspasm.batching.rows import Task
from ecgspasm.errors import EcgError
from ecgspasm.io.file import Asked, File
from ecgspasm.io.formats import format_of
from ecgspasm.io.paths import local_path, one_line, read_regular
from ecgspasm.io.wfdb.header import MAX_HEADER_BYTES

MAX_ROWS = 50_000_000
MAX_LIST_BYTES = 128 * 2**20
"""The largest list that is read; the 800,000 ECGs of the largest open set, each with the one before it and both dates, fit."""
_TEXT = (".csv", ".tsv", ".txt", ".lst", ".list")
# WFDB's RECORDS has no suffix, and no ECG has this name
_LISTS = ("records",)
_NO_ECG = (".md", ".html", ".json", ".jsonl", ".toml", ".png", ".jpg", ".zip", ".gz", ".py", ".sha256")
_NO_RECORDS = ("RECORDS", "LICENSE", "README", "ANNOTATORS", "SHA256SUMS")


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
        return _named(_records(glob.iglob(path, recursive=True), asked_for=True))
    return _from_file(what, path)


def _from_file(what: str, path: str) -> Iterator[Task]:
    lower = os.path.basename(path).lower()
    if not os.path.isfile(path):
        raise EcgError(f"there is no list {one_line(path)}; check the path")
    if what == "measure" and (not (lower.endswith(_TEXT) or lower in _LISTS) or is_ecg(path)):
        return _named([path])
    try:
        content = read_regular(path, MAX_LIST_BYTES).decode("utf-8-sig")
        lines = [line for line in content.splitlines() if line.strip() and not line.startswith("#")]
    except UnicodeDecodeError as error:
        raise EcgError(f"{one_line(path)} cannot be read as a list ({one_line(error, 100)}); write it as UTF-8 text") from error
    folder = os.path.dirname(path)
    first = lines[0] if lines else ""
    delimiter = "\t" if "\t" in first else ";" if ";" in first else ","
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise EcgError(f"{one_line(path)} cannot be read as a table ({one_line(error, 100)}); mend it") from error
    header = [name.strip() for name in rows[0]] if rows else []
    if what == "measure" and "record" not in header and not {"baseline", "current"} <= set(header):
        return _named(os.path.join(folder, line.strip()) for line in lines)
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise EcgError(f"{one_line(path)} has two columns {twice[0]!r}; leave one of them out")
    return _from_rows(what, (dict(zip(header, row, strict=False)) for row in rows[1:]), folder, one_line(path))


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
    elif all(persons) and not _same_person(*persons):
        reason = "baseline and current ECG are of different persons by the list; pair ECGs of one person"
    elif identity(baseline) == identity(current):
        reason = "baseline and current ECG are the same file; give two"
    else:
        reason = _dates(task)
    return replace(task, reason=reason)


def _same_person(one: str, other: str) -> bool:
    """Whether two keys are one; tables turn whole numbers into 1.0 where another row has none."""
    return one == other or (_whole(one) is not None and _whole(one) == _whole(other))


def _whole(key: str) -> int | None:
    digits, _, rest = key.partition(".")
    return int(digits) if digits.isascii() and digits.isdigit() and not rest.strip("0") else None


def _dates(task: Task) -> str:
    """What is wrong with the times that a list gives."""
    times, days_only = [], False
    for name in ("baseline_at", "current_at"):
        given = getattr(task, name)
        try:
            times.append(datetime.fromisoformat(given) if given else None)
        except ValueError:
            return f"{name} is {one_line(given, 40)!r}; write it as 2024-05-31 or 2024-05-31T14:05"
        days_only |= len(given) <= len("2024-05-31")
    before, after = times
    if before is None or after is None:
        return ""
    if (before.tzinfo is None) != (after.tzinfo is None) and not days_only:
        return "one time has an offset and the other has none; write both alike"
    # a day without its hour tells nothing within the day
    reversed_ = after.date() < before.date() if days_only else after < before
    return f"the current ECG ({task.current_at}) is older than its baseline ({task.baseline_at}); swap them" if reversed_ else ""


def _from_sequence(what: str, inputs: Any) -> Iterator[Task]:
    if not isinstance(inputs, Iterable) or isinstance(inputs, bytes | Mapping):
        raise EcgError(f"{type(inputs).__name__} is no list of records; give a path, a sequence of paths or a table")
    if what == "measure":
        yield from _named(local_path(each) for each in inputs)
        return
    for each in inputs:
        two = None if isinstance(each, str | Mapping) or not isinstance(each, Iterable) else list(each)
        if two is None or len(two) != 2:
            raise EcgError(f"{one_line(repr(each), 60)} is no pair; give (baseline, current)")
        baseline, current = (local_path(path) for path in two)
        yield _pair({"baseline": baseline, "current": current}, "", 0)


def _named(paths: Iterable[str]) -> Iterator[Task]:
    return (Task(path, current=path) for path in paths)


def _beside(folder: str, path: str) -> str:
    return os.path.join(folder, path) if path else ""


def _below(folder: str) -> Iterator[str]:
    """All ECGs below a folder, in an order that is everywhere the same; the results of a run are none."""
    for here, folders, names in os.walk(folder):
        if "manifest.json" in names and "inputs.jsonl" in names:
            folders.clear()
            continue
        folders.sort()
        yield from _records(os.path.join(here, name) for name in sorted(names) if not name.startswith("."))


def _records(paths: Iterable[str], *, asked_for: bool = False) -> Iterator[str]:
    """Of some files those that are ECGs; of a WFDB record only its header.

    Texts and tables are looked into, unless they were asked for by a pattern.
    """
    names = sorted(paths)
    headers = {name[:-4] for name in names if name.endswith(".hea")}
    for name in names:
        if name.endswith(".hea"):
            yield name
            continue
        if os.path.splitext(name)[0] in headers or os.path.isdir(name):
            continue
        if asked_for or _looks_like_one(name):
            yield name


def _looks_like_one(path: str) -> bool:
    lower = os.path.basename(path).lower()
    return not lower.endswith(_NO_ECG) and lower.upper() not in _NO_RECORDS and (not lower.endswith(_TEXT) or is_ecg(path))


def is_ecg(path: str) -> bool:
    """Whether the content of a file is of one of the formats that are single files."""
    try:
        return format_of(File(path, path=path), Asked()) is not None
    except EcgError:
        return False  # nobody can open it; where it was asked for by name, that becomes its row


def identity(path: str) -> str:
    """One name for a record however it is written: with or without a suffix, absolute or not."""
    folder, name = os.path.split(os.path.abspath(path))
    whole = os.path.join(_real(folder), name)
    whole = os.path.realpath(whole) if not name or os.path.islink(whole) else whole
    for stem in (whole.removesuffix(".hea"), whole, os.path.splitext(whole)[0]):
        if os.path.isfile(stem + ".hea"):
            return stem
    return whole


@lru_cache(maxsize=256)
def _real(folder: str) -> str:
    # thousands of records share a folder, and each of its parts is a question to the file system
    return os.path.realpath(folder)


def files_of(path: str) -> list[str]:
    """The file of a record; of a WFDB record its header and all files that it names, those of its segments too."""
    header = identity(path) + ".hea"
    return _named_in(header, 1) if os.path.isfile(header) else [path]


def _named_in(header: str, depth: int) -> list[str]:
    try:
        with open(header, "rb") as file:
            lines = file.read(MAX_HEADER_BYTES).decode("latin-1").splitlines()
    except OSError:
        return [header]  # that it cannot be read becomes the row of the record
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    names = list(dict.fromkeys(row[0] for row in rows[1:] if os.path.basename(row[0]) == row[0]))
    folder = os.path.dirname(header)
    found = [header]
    for path in (os.path.join(folder, name) for name in names):
        found += _named_in(path + ".hea", depth - 1) if depth and os.path.isfile(path + ".hea") else [path]
    return found


def _once(found: Iterable[Task]) -> Iterator[Task]:
    """Every record once; what comes again is told, and so are different pairs of one name."""
    seen: dict[object, int] = {}
    for number, task in enumerate(found, start=1):
        same = tuple(identity(path) for path in (task.baseline, task.current) if path)
        before = min(seen.setdefault(task.record, number), seen.setdefault(same, number) if same else number)
        # workers elsewhere have another working directory
        paths = {name: os.path.abspath(path) for name in ("baseline", "current") if (path := getattr(task, name))}
        task = replace(task, **paths)
        if before == number:
            yield task
        else:
            # a name of its own, so that no two records of the result are called alike
            reason = task.reason or f"{task.record} is listed before, as number {before}; this one is left out"
            yield replace(task, record=f"{task.record} (number {number})", reason=reason)
