"""Do the oldest and the newest packages that the project allows both run? ``./run python docs/versions.py [oldest] [newest]``

makes an environment of each (with uv, which must be installed: ``pip install uv``), runs the quick part of the tests in it and
writes ``data/benchmarks/versions.json``. With ``--again`` the files of the tests that failed are run once more, after something
was mended, and what comes of it stands beside the first run. Oldest: the lowest versions that ``pyproject.toml`` and the packages
named there allow together; newest: what the registry offers today, whatever the lock says. All extras but training and
development are in.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from code_state import state

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "data" / "benchmarks" / "versions.json"
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}
LEFT_OUT = {"train", "dev", "docs"}
TOOLS = ("pytest", "hypothesis", "jsonschema")
"""Of the development packages those that the tests below need."""
TESTS = (
    *(
        "measure_edges",
        "compare_edges",
        "criteria_edges",
        "guard_edges",
        "header_edges",
        "doubts_edges",
        "gate_edges",
        "one_person",
    ),
    *(
        "steps",
        "pipeline_truth",
        "relations",
        "delineation_relations",
        "criteria",
        "criteria_definitions",
        "confounders",
        "vector",
    ),
    *("spline", "index_case", "real_recordings", "recording", "tables", "annotations", "simulate", "statistics", "bad_signals"),
    *("io_wfdb", "io_wfdb_layouts", "io_write", "io_real", "io_hdf5", "io_vendor", "io_tables", "io_dicom", "io_edf", "io_ishne"),
    *(
        "io_pdf",
        "io_long",
        "course",
        "course_files",
        "provocation",
        "provocation_input",
        "monitor",
        "plot",
        "report",
        "cli",
        "batch",
    ),
)


def asked_for() -> list[str]:
    """Requirements of the package and its extras, as ``pyproject.toml`` states them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    found = list(project["dependencies"])
    found += [each for name, own in extras.items() if name not in LEFT_OUT for each in own]
    return found + [each for each in extras["dev"] if _name(each) in TOOLS]


def bounds() -> dict[str, str]:
    """The lower bound of each package that is asked for, by its name."""
    return {_name(each): found[1] for each in asked_for() if (found := re.search(r">=\s*([\w.]+)", each))}


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


def uv(*arguments: str) -> None:
    subprocess.run(["uv", *arguments], check=True, cwd=ROOT)


def run(which: str, folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """Make the environment and run the files of tests in it."""
    asked = folder / "asked.txt"
    asked.write_text("\n".join(asked_for()) + "\n")
    chosen, environment = folder / f"{which}.txt", folder / which
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    resolve = ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-version", version]
    uv(*resolve, "--resolution", RESOLUTIONS[which], "--output-file", str(chosen), str(asked))
    uv("venv", "--quiet", "--clear", "--python", sys.executable, str(environment))
    python = environment / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", str(python), "--requirement", str(chosen), "setuptools>=77")
    uv("pip", "install", "--quiet", "--python", str(python), "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    files = [str(path) for name in names if (path := ROOT / "tests" / f"test_{name}.py").exists()]
    report = folder / f"{which}.xml"
    # Without the plug-ins of the whole suite. What old and new packages warn of each other is no error of the project, what is
    # warned of its own code is.
    own = ["-o", "addopts=", "-o", "filterwarnings=default\nerror:::ecgspasm", "-p", "no:cacheprovider"]
    command = [str(python), "-m", "pytest", "-q", "--no-header", *own, f"--junitxml={report}"]
    finished = subprocess.run([*command, *files], cwd=ROOT, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    packages = json.loads(
        subprocess.run(
            ["uv", "pip", "list", "--format", "json", "--python", str(python)], check=True, capture_output=True, text=True
        ).stdout
    )
    installed = {_name(each["name"]): each["version"] for each in packages}
    return {
        "python": sys.version.split()[0],
        "packages": {name: installed[name] for name in sorted({_name(each) for each in asked_for()}) if name in installed},
        "tests": _counted(report.read_text()),
        "failed": _failed(report),
        "passed": finished.returncode == 0,
    }


def _counted(report: str) -> dict[str, int]:
    return {
        name: int(count)
        for name, count in re.findall(r'(tests|failures|errors|skipped)="(\d+)"', report.partition("><testcase")[0])
    }


def _failed(report: Path) -> list[str]:
    """File and name of each test that failed, such as ``io_pdf::test_x``."""
    cases = ElementTree.parse(report).iter("testcase")
    wrong = [each for each in cases if each.find("failure") is not None or each.find("error") is not None]
    return sorted(f"{each.get('classname', '').partition('test_')[2]}::{each.get('name')}" for each in wrong)


def once_more(which: str, before: dict[str, Any]) -> dict[str, Any]:
    """The record of an environment with what came of running the files of its failed tests again."""
    files = sorted({each.partition("::")[0] for each in before["failed"]})
    with tempfile.TemporaryDirectory() as folder:
        after = run(which, Path(folder), files)
    again = {"files": files} | {name: after[name] for name in ("tests", "failed")}
    return before | {"packages": after["packages"], "again": again, "passed": after["passed"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("which", nargs="*", metavar="WHICH", help="oldest, newest; default: both")
    parser.add_argument("--again", action="store_true", help="only the files of the tests that failed")
    asked_by_user = parser.parse_args()
    chosen = asked_by_user.which or list(RESOLUTIONS)
    if strange := sorted(set(chosen) - set(RESOLUTIONS)):
        parser.error(f"no {strange[0]!r}; give some of {', '.join(RESOLUTIONS)}")
    found = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    for which in chosen:
        if asked_by_user.again:
            if found[which]["failed"]:
                found[which] = once_more(which, found[which])
                RECORDED.write_text(json.dumps(found, indent=1) + "\n")
            continue
        with tempfile.TemporaryDirectory() as folder:
            found[which] = run(which, Path(folder), TESTS) | {"code": state()}
        asked, have = bounds(), found[which]["packages"]
        if which == "oldest":
            found[which]["higher_than_asked"] = {
                name: {"asked": asked[name], "installed": have[name]}
                for name in asked
                if name in have and not _same(asked[name], have[name])
            }
        RECORDED.write_text(json.dumps(found, indent=1) + "\n")
        print(which, found[which]["tests"])
    return 0 if all(each["passed"] for each in found.values()) else 1


def _same(bound: str, version: str) -> bool:
    """Whether a version is the bound itself or its first release, such as 8.0.0 of 8."""
    return version == bound or re.fullmatch(re.escape(bound) + r"(\.0)*", version) is not None


if __name__ == "__main__":
    sys.exit(main())
