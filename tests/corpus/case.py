"""One bad file of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Make = Callable[[Path], Path | str]
"""Writes the file into a folder of its own; gives the path that is to be read."""


@dataclass(frozen=True)
class Bad:
    """A file, and what must become of it."""

    name: str
    make: Make
    says: str
    """A part of the message of the `EcgError`, or several with ``|`` between them; behind ``flag:`` a part of a remark on an ECG
    that is read."""
    asked: dict[str, Any] = field(default_factory=dict)
    ways: tuple[str, ...] = ("read", "open")
    """Whether `read`, `open_recording` or both are to answer so."""

    def is_met(self, told: dict[str, Any]) -> bool:
        """Whether that is what became of it (see `judge`)."""
        flag = self.says.removeprefix("flag:")
        if flag != self.says:
            return told["kind"] == "read" and any(flag in each for each in told["flags"])
        message = told["says"]
        right = any(part in message for part in self.says.split("|"))
        return told["kind"] == "refused" and right and message.isprintable() and len(message) < 700
