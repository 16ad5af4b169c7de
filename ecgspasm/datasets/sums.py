"""PhysioNet's ``SHA256SUMS.txt``: a strict grammar, because its names become paths on this disk."""

from __future__ import annotations

import re

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

NAME = "SHA256SUMS.txt"
MAX_BYTES = 64 * 1024 * 1024
MAX_FILES = 500_000
MAX_PATH = 240

RESERVED = ".ecgspasm-fetch"
"""Folder inside a set's folder where files are received; no set may have files there."""

_LINE = re.compile(r"(?P<hash>[0-9a-fA-F]{64}) [ *]?(?P<path>\S(?:.*\S)?)", re.ASCII)
# also what other systems cannot have in a name, so that a list means the same everywhere
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')


def parse_sums(content: bytes) -> dict[str, str]:
    """Read a list of hashes.

    Parameters
    ----------
    content : bytes
        Lines ``hash path``, with one or two spaces between them.

    Returns
    -------
    dict
        Hash (lower case) by relative path, in the order of the list. The list itself is left out if it names itself.

    Raises
    ------
    EcgError
        If a line is anything else, a path could lead out of the folder, a path is listed twice or is file and folder at once, or
        the list is larger than any real one.
    """
    if len(content) > MAX_BYTES:
        raise EcgError(f"the list of hashes has {len(content)} bytes; at most {MAX_BYTES} are read")
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise EcgError("the list of hashes is not text in UTF-8; take it from PhysioNet again") from error
    if len(lines) > MAX_FILES:
        raise EcgError(f"the list of hashes has {len(lines)} lines; at most {MAX_FILES} are read")
    found: dict[str, str] = {}
    for number, raw in enumerate(lines, start=1):
        line = raw.removesuffix("\r")
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise EcgError(f"line {number} of the list of hashes is {one_line(repr(line), 60)}, not 'hash path'")
        path = plain_path(match["path"], f"line {number} of the list of hashes")
        if path in found:
            raise EcgError(f"{one_line(path, 80)} stands twice in the list of hashes")
        if path != NAME:
            found[path] = match["hash"].lower()
    if not found:
        raise EcgError("the list of hashes names no file")
    _no_file_is_a_folder(found)
    return found


def plain_path(path: str, where: str) -> str:
    """Return a relative path of plain parts with ``/`` between them; an EcgError for anything that could lead elsewhere."""
    parts = path.split("/")
    bad = (
        len(path) > MAX_PATH
        or _FORBIDDEN.search(path)
        or any(part.strip(" ") != part or part.strip(".") == "" for part in parts)
        or parts[0] == RESERVED
    )
    if bad:
        raise EcgError(f"{where} names {one_line(repr(path), 80)}, which is no plain path inside the set")
    return path


def _no_file_is_a_folder(paths: dict[str, str]) -> None:
    for path in paths:
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in paths:
                raise EcgError(f"{one_line(above, 80)} is a file and a folder at once in the list of hashes")
