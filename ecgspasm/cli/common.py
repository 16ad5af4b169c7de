"""What all commands share: exit statuses, and the check of where results go."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OK, BAD_INPUT, USAGE, NOT_MEASURED = 0, 1, 2, 3

INTERRUPTED = 130
"""What a shell gives for a program that was stopped with Ctrl-C."""


def check_target(path: str) -> None:
    """Refuse a file that cannot be written before the work is done, not after it."""
    folder = os.path.dirname(path) or "."
    if not path or os.path.isdir(path):
        raise EcgError(f"{path!r} is no name of a file; give one")
    if not os.path.isdir(folder):
        raise EcgError(f"there is no folder {folder}; make it first")


class Result(Protocol):
    """What a command can tell: as text, and as a dictionary."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""


def tell(options: argparse.Namespace, found: Result, draw: Callable[[], tuple[Figure, Any]]) -> None:
    """Print a result as text or, with ``--json``, as JSON; write its picture where ``--plot`` asks for one."""
    print_json(found.to_dict()) if options.json else print(found)
    if options.plot is not None:
        from ecgspasm import plot

        figure, _ = draw()
        plot.save(figure, options.plot)
        print(f"picture written to {options.plot}", file=sys.stderr)


def print_json(value: dict[str, Any]) -> None:
    """One object on stdout; a nan in it is a mistake of the program."""
    json.dump(value, sys.stdout, indent=2, allow_nan=False)
    print()
