"""How much of the package the tests run: ``./run python docs/covered.py`` writes ``data/benchmarks/coverage.json``.

Runs the whole suite under coverage.py with branches and with all processes that tests start (settings in ``pyproject.toml``),
which takes about half as long again as the suite alone. Set ``ECGSPASM_TEST_DATA`` so that tests of real recordings count too.
``--data FOLDER`` sums up what was measured there before instead.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from code_state import state

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "data" / "benchmarks" / "coverage.json"

NAMED = {
    "guard": (
        *("io/file.py", "io/paths.py", "io/channels.py", "io/vendor/xml_gate.py", "io/hdf5/gate.py", "io/hdf5/texts.py"),
        *("io/wfdb/header.py", "io/wfdb/doubts.py", "io/dicom/skeleton.py", "io/vendor/xli.py"),
        *("io/tables/parquet_gate.py", "io/tables/thrift.py", "criteria/bounded_toml.py"),
    ),
    "writers": (
        *("io/writing.py", "io/gain.py", "io/wfdb/writer.py", "io/wfdb/annotations.py"),
        *(
            "plot/files.py",
            "batching/parts.py",
            "batching/manifest.py",
            "batching/summary.py",
            "course/files.py",
            "course/toml_text.py",
        ),
    ),
}
"""The checks in front of the parsers, and what writes files: all of their branches are to be run."""


def measure(folder: Path) -> int:
    """Run the suite; its exit code."""
    command = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        f"--data-file={folder / '.coverage'}",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *("-n", "auto", "--dist", "loadfile"),
    ]
    return subprocess.run(command, cwd=ROOT).returncode


def summed_up(folder: Path) -> dict[str, Any]:
    """What coverage.py says of each file, by the file's path in the package."""
    data, report = folder / ".coverage", folder / "report.json"
    tool = [sys.executable, "-m", "coverage"]
    subprocess.run([*tool, "combine", "--quiet", "--keep", f"--data-file={data}"], cwd=ROOT, check=True)
    subprocess.run([*tool, "json", "--quiet", f"--data-file={data}", "-o", str(report)], cwd=ROOT, check=True)
    found = json.loads(report.read_text())
    return {"version": found["meta"]["version"]} | {
        "files": {name.partition("ecgspasm/")[2]: each for name, each in found["files"].items()},
    }


def share(files: list[dict[str, Any]]) -> dict[str, Any]:
    """Lines and branches of some files together, and how many of them are run in percent."""
    total = {
        name: sum(each["summary"][name] for each in files)
        for name in ("num_statements", "covered_lines", "num_branches", "covered_branches")
    }
    there = total["num_statements"] + total["num_branches"]
    covered = total["covered_lines"] + total["covered_branches"]
    return {
        "lines": total["num_statements"],
        "branches": total["num_branches"],
        "lines_run": total["covered_lines"],
        "branches_run": total["covered_branches"],
        "percent": round(100.0 * covered / there, 2) if there else 100.0,
        "branch_percent": round(100.0 * total["covered_branches"] / total["num_branches"], 2) if total["num_branches"] else 100.0,
        "excluded_lines": sum(each["summary"]["excluded_lines"] for each in files),
    }


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """What stands in the file, JSON-ready."""
    files = found["files"]
    folders: dict[str, list[dict[str, Any]]] = {}
    for name, each in files.items():
        folders.setdefault(name.rpartition("/")[0] or ".", []).append(each)
    named = {what: {name: share([files[name]]) for name in names} for what, names in NAMED.items()}
    return {
        "python": sys.version.split()[0],
        "coverage": found["version"],
        "cores": os.cpu_count(),
        "code": {"all": state()},
        "real_recordings": bool(os.environ.get("ECGSPASM_TEST_DATA")),
        "left_out": {"training": "needs torch, which is not among the development packages"},
        "overall": share(list(files.values())),
        **{what: share([files[name] for name in names]) | {"files": named[what]} for what, names in NAMED.items()},
        "folders": {name: share(own) for name, own in sorted(folders.items())},
        "not_run": {
            name: {"lines": each["missing_lines"], "branches": each["missing_branches"]}
            for name, each in sorted(files.items())
            if each["missing_lines"] or each["missing_branches"]
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="sum up what was measured in this folder before; run nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        failed = 0 if asked.data else measure(Path(folder))
        found = figures(summed_up(asked.data or Path(folder)))
    RECORDED.write_text(json.dumps(found, separators=(",", ":")).replace('},"', '},\n "') + "\n")
    for what in ("overall", *NAMED):
        print(what, {name: found[what][name] for name in ("percent", "branch_percent")})
    return failed


if __name__ == "__main__":
    sys.exit(main())
