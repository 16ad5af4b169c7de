"""``ecgspasm completion``: the completion file of a shell."""

from __future__ import annotations

import argparse
from importlib.resources import files
from typing import Any

from ecgspasm.cli.common import OK

SHELLS = ("bash", "zsh", "tcsh")


def add_completion(commands: Any) -> None:
    """Add the command."""
    told = "print the completion file of a shell"
    parser: argparse.ArgumentParser = commands.add_parser(
        "completion",
        help=told,
        description=f'P{told[1:]}. In ~/.bashrc: eval "$(ecgspasm completion bash)", or into a file that the shell reads.',
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> int:
    # made beforehand by docs/build.py, so that no package is needed for it
    print(files("ecgspasm.cli").joinpath(f"completion.{options.shell}").read_text(encoding="utf-8"), end="")
    return OK
