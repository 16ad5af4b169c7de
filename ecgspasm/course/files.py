"""Courses in files: TOML or JSON, strict, and written so that a course read again is equal to the one that was saved."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ecgspasm.course import toml_text
from ecgspasm.course.entry import decode, encode
from ecgspasm.criteria.bounded_toml import toml_table
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import blame, local_path, one_line, read_regular

if TYPE_CHECKING:
    from ecgspasm.course.course import Course

SCHEMA = 1
"""Stands in every file that is written; a file of another schema is refused."""

_LARGEST_JSON_BYTES = 8_000_000
_LARGEST_TOML = 2_000_000
"""A thousand courses; the parser of TOML needs half a second for a million letters."""
_MOST_TABLES = 15_000
"""Courses, ECGs, events and all other entries of a file; ten thousand are a second of work."""
_PLAIN_PART = re.compile(r"[\w][\w .+\-]*")


def load(path: str | os.PathLike[str]) -> Course:
    """Read one course; see `Course.load`."""
    text = local_path(path)
    with blame(text):
        table = _table(text)
        if "course" in table:
            raise EcgError("this file holds several courses; read it with ecgspasm.course.load_courses")
        return _course(table, text, "")


def load_courses(path: str | os.PathLike[str]) -> tuple[Course, ...]:
    """Read a file of several courses: a list of tables named ``course``.

    Parameters
    ----------
    path : path-like
        TOML (``[[course]]``) or JSON (``{"course": [...]}``); the keys of each table are those of a file of one course.

    Raises
    ------
    EcgError
        As for `Course.load`; the message also names the course.
    """
    text = local_path(path)
    with blame(text):
        table = _table(text)
        rows = table.pop("course", None)
        table.pop("schema", None)
        if not isinstance(rows, list) or not rows:
            raise EcgError("there is no list of tables named course in this file; write each case as a [[course]]")
        if table:
            raise EcgError(f"unknown key {one_line(repr(next(iter(table))), 60)}; beside [[course]] only schema may stand here")
        return tuple(_course(row, text, f"course[{number}]") for number, row in enumerate(rows))


def _course(table: Any, path: str, where: str) -> Course:
    from ecgspasm.course.course import Course

    made = decode(Course, table, where)
    folder = os.path.dirname(os.path.abspath(path))
    for number, each in enumerate(made.ecgs):
        if isinstance(each.source, str):
            with blame(f"{where}.ecgs[{number}]".lstrip(".")):
                ecg_path(folder, each.source)
    return replace(made, folder=folder)


def _table(path: str) -> dict[str, Any]:
    """The plain table of a file; JSON begins with a brace, all else is TOML."""
    try:
        text = read_regular(path, _LARGEST_JSON_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EcgError(f"the file is not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8") from error
    is_json = text.lstrip().startswith("{")
    if not is_json and len(text) > _LARGEST_TOML:
        raise EcgError(f"the file has more than the {_LARGEST_TOML} letters of TOML that are read; make several of it, or JSON")
    # each entry of a list is one of these; a brace in a text counts too
    if text.count("{") + text.count("[[") > _MOST_TABLES:
        raise EcgError(f"the file holds more than the {_MOST_TABLES} entries that are read; make several files of it")
    try:
        table = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant) if is_json else toml_table(text, "this")
    except json.JSONDecodeError as error:
        raise EcgError(f"this is not valid JSON: {one_line(error)}; mend that place") from error
    except (RecursionError, ValueError) as error:
        if isinstance(error, EcgError):
            raise
        raise EcgError(f"this file cannot be read ({one_line(error)}); see docs/course.md for what belongs into it") from error
    schema = table.pop("schema", SCHEMA)
    if schema != SCHEMA or isinstance(schema, bool):
        raise EcgError(f"schema is {one_line(repr(schema), 40)}; this version of ecgspasm reads schema {SCHEMA}")
    return dict(table)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise EcgError(f"the key {one_line(repr(twice), 60)} stands twice in one table; leave one of them out")
    return table


def _no_constant(name: str) -> Any:
    raise EcgError(f"{name} is no number; leave the key out where it is not known")


def ecg_path(folder: str, source: str) -> str:
    """Path of an ECG, which must lie in the folder of the course or below it.

    Raises
    ------
    EcgError
        If `source` is not a plain relative path, or leads out of the folder through a link.
    """
    if not folder:
        return local_path(source)  # a course made in Python: its paths are the caller's own
    parts = source.split("/")
    if not all(_PLAIN_PART.fullmatch(part) for part in parts):
        raise EcgError(
            f"source {one_line(repr(source), 80)} is no plain path; give one relative to the course's file, within its folder"
        )
    path = os.path.join(folder, *parts)
    home = os.path.realpath(folder)
    if os.path.commonpath([os.path.realpath(path), home]) != home:
        raise EcgError(f"source {one_line(repr(source), 80)} is a link out of the course's folder; copy the ECG itself there")
    return path


def save(course: Course, path: str | os.PathLike[str]) -> None:
    """Write a course; see `Course.save`."""
    text = local_path(path)
    with blame(text):
        ending = os.path.splitext(text)[1].lower()
        if ending not in (".toml", ".json"):
            raise EcgError("a course is written as TOML or JSON; let the name end in .toml or .json")
        table = {"schema": SCHEMA} | encode(_relative(course, os.path.dirname(os.path.abspath(text))))
        _replace(text, toml_text.dump(table) if ending == ".toml" else _json(table))


def _json(table: dict[str, Any]) -> str:
    return json.dumps(table, indent=2, allow_nan=False, default=_as_text, ensure_ascii=False) + "\n"


def _as_text(value: Any) -> str:
    return str(value.isoformat())


def _relative(course: Course, folder: str) -> Course:
    """The course with its paths as they must stand in a file of `folder`."""

    def moved() -> Iterator[Any]:
        for number, each in enumerate(course.ecgs):
            with blame(f"ecgs[{number}]"):
                yield replace(each, source=_moved(course, each.source, folder)) if isinstance(each.source, str) else each

    return replace(course, ecgs=tuple(moved()))


def _moved(course: Course, source: str, folder: str) -> str:
    at = os.path.abspath(ecg_path(course.folder, source))
    home = os.path.realpath(folder)
    real = os.path.join(os.path.realpath(os.path.dirname(at)), os.path.basename(at))
    if os.path.commonpath([real, home]) != home:
        raise EcgError(f"{one_line(source)} lies outside the folder of the file to be written; copy the ECG there first")
    relative = os.path.relpath(real, home).replace(os.sep, "/")
    ecg_path(folder, relative)
    return relative


def _replace(path: str, text: str) -> None:
    """Write beside, have it on the disk, then rename, so that a file is never half written."""
    folder = os.path.dirname(os.path.abspath(path))
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".course-")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        raise EcgError(f"cannot be written ({error.strerror or error}); give another path") from error


def _mode(path: str) -> int:
    """Permissions of the file that is replaced, or those of any new file."""
    try:
        return os.stat(path).st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
