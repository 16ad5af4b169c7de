"""What a run is: its inputs, parameters and version, and a hash of them that names all its files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ecgspasm import __version__
from ecgspasm.batching.guard import Limits
from ecgspasm.batching.inputs import files_of
from ecgspasm.batching.parts import PART
from ecgspasm.batching.rows import Task, as_dict
from ecgspasm.criteria import MAX_CRITERIA_BYTES
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line, read_regular, write_whole
from ecgspasm.stamp import tables_key

NAME = "manifest.json"
INPUTS = "inputs.jsonl"
_LARGEST_BYTES = 2**20
"""Of a manifest, which has a few hundred."""
OTHERS = (NAME, INPUTS, "summary.json", "summary.html")
"""All files of a run but its parts."""


@dataclass(frozen=True)
class Plan:
    """A run before it is done."""

    what: str
    tasks: Sequence[Task]
    electrodes: str
    criteria: str | None
    limits: Limits
    records_per_part: int
    wide: bool

    @property
    def n_parts(self) -> int:
        """Files of results."""
        return -(-len(self.tasks) // self.records_per_part)

    def part(self, number: int) -> list[Task]:
        """The tasks of one part."""
        return list(self.tasks[number * self.records_per_part : (number + 1) * self.records_per_part])


@dataclass(frozen=True)
class Manifest:
    """The plan as it stands in the folder."""

    content: dict[str, Any]
    lines: list[str]

    @property
    def key(self) -> str:
        """Hash of all that decides about the results, in the name of every part."""
        return str(self.content["key"])


def manifest_of(plan: Plan) -> Manifest:
    """Write down a plan; the hash takes in the size and the time of every file, so that no run goes on with others."""
    lines = [json.dumps(as_dict(task) | _state(task), sort_keys=True) for task in plan.tasks]
    decides: dict[str, Any] = {
        "format": 1,
        "ecgspasm": __version__,
        "tables": tables_key(),
        "what": plan.what,
        "records": len(plan.tasks),
        "records_per_part": plan.records_per_part,
        "wide": plan.wide,
        "time_limit_s": plan.limits.cpu_s,
        "memory_limit_mb": plan.limits.memory_mb,
    }
    if plan.what == "compare":
        decides |= {"electrodes": plan.electrodes, "criteria": _digest_of(plan.criteria)}
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
    for line in lines:
        digest.update(line.encode() + b"\n")
    return Manifest({"key": digest.hexdigest()[:16], "parts": plan.n_parts} | decides, lines)


def _state(task: Task) -> dict[str, Any]:
    """Size and time of change of all files that a task reads; nothing of those that are missing."""
    found: dict[str, Any] = {}
    for name in ("baseline", "current"):
        path = getattr(task, name)
        stamps = []
        for each in files_of(path) if path else ():
            try:
                status = os.stat(each)
            except (OSError, ValueError):
                continue
            stamps.append((os.path.basename(each), status.st_size, status.st_mtime_ns))
        if stamps:
            found[f"{name}_files"] = stamps
    return found


def _digest_of(path: str | None) -> str:
    if path is None:
        return "shipped"
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read(MAX_CRITERIA_BYTES + 1)).hexdigest()
    except OSError as error:
        raise EcgError(f"{one_line(path)} cannot be read ({one_line(error)}); check the path of the criteria") from error


def settle(folder: str, manifest: Manifest) -> None:
    """Make the folder this run's own: write down the manifest, or make sure that what lies there is of this very run.

    Raises
    ------
    EcgError
        If the folder holds another run's results or anything that is no result, or cannot be written.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise EcgError(f"the output folder {one_line(folder)} cannot be used ({one_line(error)}); give another") from error
    path = os.path.join(folder, NAME)
    strangers = [name for name in names if (found := PART.fullmatch(name)) is None or found["key"] != manifest.key]
    strangers = [name for name in strangers if name not in OTHERS and not name.endswith(".part")]
    if NAME in names:
        old = _read(path)
        if old.get("key") != manifest.key:
            differs = [name for name in manifest.content if name != "key" and old.get(name) != manifest.content[name]]
            what = f"its {', '.join(differs)} differ" if differs else "its records, or their files, differ"
            raise EcgError(f"{one_line(folder)} holds another run ({what}); give an empty folder, or the same list and options")
    if strangers:
        stranger = one_line(os.path.join(folder, strangers[0]))
        raise EcgError(f"{stranger} is not of this run; give an empty folder, or move it away")
    if NAME not in names:
        parts = [name for name in names if PART.fullmatch(name)]
        if parts:
            raise EcgError(f"{one_line(folder)} holds {parts[0]} but no {NAME}; give an empty folder")
        write_whole(os.path.join(folder, INPUTS), "".join(line + "\n" for line in manifest.lines).encode())
        write_whole(path, (json.dumps(manifest.content, indent=2) + "\n").encode())


def _read(path: str) -> dict[str, Any]:
    try:
        found = json.loads(read_regular(path, _LARGEST_BYTES))
    except (EcgError, ValueError, RecursionError) as error:
        raise EcgError(f"{one_line(path)} is no manifest of a run ({one_line(error, 80)}); give an empty folder") from error
    if not isinstance(found, dict):
        raise EcgError(f"{one_line(path)} is no manifest of a run; give an empty folder")
    return found
