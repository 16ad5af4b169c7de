"""Which code a figure was measured on: a key for each room of the package, so that a page can say what has changed since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "ecgspasm"
_CODE = (".py", ".toml", ".npz")


def state(rooms: Iterable[str] = ()) -> dict[str, str]:
    """Key of each room, of its code and its tables; default: of all rooms."""
    wanted = set(rooms)
    found = {}
    for path in sorted(PACKAGE.iterdir()):
        files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
        files = [each for each in files if each.suffix in _CODE]
        if files and (not wanted or path.stem in wanted):
            found[path.stem] = _key(files)
    return found


def _key(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        content = content if path.suffix == ".npz" else content.replace(b"\r\n", b"\n")
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]


def changed(measured: Mapping[str, str]) -> list[str]:
    """Rooms that are other ones than they were."""
    now = state(measured)
    return sorted(room for room, key in measured.items() if now.get(room) != key)


def words(measured: Mapping[str, Mapping[str, str]]) -> str:
    """What has changed since the parts of a figure were measured, each on its own code."""
    if not measured or not all(measured.values()):
        return "On which code it was measured was not noted."
    rooms = sorted({room for each in measured.values() for room in changed(each)})
    if not rooms:
        return "Measured on the code as it is."
    return f"Changed since it was measured: {', '.join(f'`{room}`' for room in rooms)}."
