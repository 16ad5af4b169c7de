"""Fuzz one parser with atheris: ``./run python -m tests.fuzz.run NAME [--seconds 30] [--keep] [--seed 1]``.

``./run python -m tests.fuzz.run all --seconds 3600 --keep`` is the long run: an hour for each parser, after which what it found
worth keeping is in `tests/fuzz/kept`. A crash, a hang of 10 s, or 2 GB of memory ends it with the input, as base64.

Atheris does not run on Windows, nor on all versions of Python (`pip install atheris`).
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_MOST_KEPT = 25
_MOST_KEPT_BYTES = 2500
_HANG_S = 10
_MOST_MB = 2048


def fuzz(name: str, folder: Path, arguments: list[str]) -> None:
    """In a process of its own, which libFuzzer ends: go on until it does."""
    import atheris

    with atheris.instrument_imports(include=["ecgspasm.io", "tests.fuzz.targets"]):
        import ecgspasm.io.wfdb.recording  # noqa: F401
        from tests.fuzz.targets import PLANTED, Parser, planted
    parser = planted if name == PLANTED else Parser(name, folder)

    def one_input(content: bytes) -> None:
        parser(content)

    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def run(name: str, seconds: int, seed: int, *, keep: bool = False) -> subprocess.CompletedProcess[str]:
    """Fuzz one parser for some seconds, from its sound files and what was kept.

    Returns
    -------
    CompletedProcess
        Its return code is 0 if nothing was found; ``stderr`` tells of the runs, and of what was found.
    """
    from tests.fuzz.targets import KEPT, kept, seeds_of

    with tempfile.TemporaryDirectory() as home:
        seeds, found, work, crash = (Path(home) / each for each in ("seeds", "found", "work", "crash"))
        for each in (seeds, found, work, crash):
            each.mkdir()
        for number, content in enumerate([*seeds_of(name), *kept(name)]):
            (seeds / str(number)).write_bytes(content)
        largest = 2 * max(path.stat().st_size for path in seeds.iterdir())
        limits = [f"-timeout={_HANG_S}", f"-rss_limit_mb={_MOST_MB}", f"-max_len={largest}", f"-artifact_prefix={crash}/"]
        told = [f"-seed={seed}", f"-max_total_time={seconds}", "-print_final_stats=1", *limits, str(found), str(seeds)]
        done = _apart(name, work, told)
        for path in crash.iterdir():
            done.stderr += f"\n{path.name}: {base64.b64encode(path.read_bytes()).decode()}\n"
        if keep and not done.returncode:
            _keep(KEPT / f"{name}.txt", {path.read_bytes() for path in found.iterdir()} | set(kept(name)))
    return done


def _keep(file: Path, inputs: set[bytes]) -> None:
    """Write the smallest of those that have reached something new."""
    lines = [base64.b64encode(content).decode() for content in sorted(inputs, key=lambda content: (len(content), content))]
    small = [line for line in lines if len(line) <= _MOST_KEPT_BYTES][:_MOST_KEPT]
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(["# found by tests.fuzz.run, as base64", *small]) + "\n", encoding="ascii")


def _apart(name: str, work: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command: list[Any] = [sys.executable, "-m", "tests.fuzz.run", name, "--in", str(work), "--", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)


def main() -> None:
    """See the top."""
    if "--in" in sys.argv:
        at = sys.argv.index("--in")
        fuzz(sys.argv[1], Path(sys.argv[at + 1]), sys.argv[at + 3 :])
        return
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=int, default=30, help="for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write the inputs that reach something new to tests/fuzz/kept")
    asked = parser.parse_args()
    failed = []
    for name in TARGETS if asked.name == "all" else [asked.name]:
        done = run(name, asked.seconds, asked.seed, keep=asked.keep)
        runs = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "no")
        print(f"{name}: {'sound' if not done.returncode else 'FAULT'} after {runs} inputs", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stderr[-4000:])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
