"""What all commands share: exit statuses, and the check of where results go."""

from __future__ import annotations

import os

from ecgspasm.errors import EcgError

OK, BAD_INPUT, USAGE, NOT_MEASURED = 0, 1, 2, 3


def check_target(path: str) -> None:
    """Refuse a file that cannot be written before the work is done, not after it."""
    folder = os.path.dirname(path) or "."
    if not path or os.path.isdir(path):
        raise EcgError(f"{path!r} is no name of a file; give one")
    if not os.path.isdir(folder):
        raise EcgError(f"there is no folder {folder}; make it first")
