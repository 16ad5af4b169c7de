"""The code blocks of the README and of the pages in this folder, and how they are run.

Blocks of one page run in their order: ``python`` blocks in one namespace, ``sh`` blocks in a shell, all of them in one folder
that holds a copy of ``data``. A ``text`` block right after one of them is what it prints. What cannot be run where
there is no network, no cluster and no file of the reader's says so in a comment before the block::

    <!-- not run: needs a network -->

A block that needs something a reader has of their own (a Holter recording, say) gets it from `PREPARED`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_FENCE = re.compile(r"^(?P<quotes>```+)(?P<kind>[\w-]*)[^\n]*\n(?P<code>.*?)^(?P=quotes)[ ]*$", re.DOTALL | re.MULTILINE)
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>[^>]+) -->\s*\Z")
_SHELL_S = 240.0


@dataclass(frozen=True)
class Block:
    """One block of a page; `output` is the text block right after it, if there is one."""

    page: str
    line: int
    kind: str
    code: str
    output: str | None
    not_run: str


def pages() -> list[Path]:
    """The README, the pages of this folder, and what stands beside the README."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """All blocks of a page that are code."""
    text = page.read_text(encoding="utf-8")
    matches = list(_FENCE.finditer(text))
    found = []
    for number, match in enumerate(matches):
        after = matches[number + 1] if number + 1 < len(matches) else None
        if match["kind"] not in ("python", "sh"):
            continue
        shown = after is not None and after["kind"] == "text" and not text[match.end() : after.start()].strip()
        reason = _NOT_RUN.search(text[: match.start()])
        found.append(
            Block(
                page=page.relative_to(ROOT).as_posix(),
                line=text.count("\n", 0, match.start()) + 1,
                kind=match["kind"],
                code=match["code"],
                output=after["code"] if shown and after is not None else None,
                not_run=reason["reason"].strip() if reason else "",
            )
        )
    return found


def run(found: list[Block]) -> list[tuple[Block, str]]:
    """Run the blocks of one page in the present folder; what each prints."""
    names: dict[str, Any] = {"__name__": "page"}
    told = []
    for block in found:
        if block.not_run:
            continue
        told.append((block, _python(block, names) if block.kind == "python" else _shell(block)))
    return told


def _python(block: Block, names: dict[str, Any]) -> str:
    said = io.StringIO()
    # the lines of the page in a traceback
    code = compile("\n" * block.line + block.code, block.page, "exec")
    with contextlib.redirect_stdout(said):
        exec(code, names)
    return tidy(said.getvalue())


def _shell(block: Block) -> str:
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        env=os.environ | {"PATH": path, "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SHELL_S,
    )
    if finished.returncode:
        where = f"{block.page}:{block.line}: exit status {finished.returncode}"
        raise RuntimeError(f"{where}\n{block.code}\n{finished.stderr[-2000:]}")
    return tidy(finished.stdout)


def tidy(text: str) -> str:
    """Without spaces at the ends of lines, which no editor keeps."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def _holter(*names: str) -> None:
    """Ten minutes with a rise of ST in the middle, under the names that a page gives to recordings of the reader's."""
    import ecgspasm as es

    quiet, attack = (
        es.simulate.ecg(fs=250, seed=5, duration_s=600, leads=["II", "V2", "V3", "V5"], noise_uv=8.0, st_uv=st).ecg
        for st in ({}, {"V2": 300.0, "V3": 280.0})
    )
    for name in names:
        es.write(es.simulate.transient(quiet, attack, [(200, 0), (260, 1), (380, 1), (440, 0)]), name, gain=1000)


def _list() -> None:
    case = sorted(Path("data/index-case").glob("*.hea"))
    Path("list.txt").write_text("".join(f"{path}\n" for path in case), encoding="utf-8")


PREPARED: dict[str, Callable[[], None]] = {
    "README.md": lambda: _holter("holter.hea", "cath-lab.hea"),
    "docs/batch.md": _list,
    "docs/monitoring.md": lambda: _holter("holter.hea"),
    "docs/provocation.md": lambda: _holter("test.hea"),
}
