"""Do the tests notice small mistakes? ``./run python docs/mutation.py [PART ...]`` writes ``data/benchmarks/mutation.json``.

Every mutant of ``mutants.py`` is put into a forked process in which the package is loaded and the tests are collected; its
code is exchanged in place, and the tests that run its line are run, quickest first, until one fails. Known tools do not fit:
mutmut leaves out what stands outside of functions and what is decorated, as are most limits of the guard, and cosmic-ray starts
the whole suite anew for each mutant. Set ``ECGSPASM_TEST_DATA`` so that tests of real recordings count too.
"""

from __future__ import annotations

import argparse
import functools
import gc
import importlib
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # a fork takes no threads along
    os.environ[_name] = "1"

import coverage  # noqa: E402
import numpy  # noqa: E402
import pytest  # noqa: E402
import scipy  # noqa: E402
from code_state import state  # noqa: E402
from exchange import exchange, executed, module_name  # noqa: E402
from mutants import Mutant, mutants  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "data" / "benchmarks" / "mutation.json"
REASONS = ROOT / "data" / "trust" / "survivors.toml"

PARTS = {
    "measure": ("processing/measure.py",),
    "change": ("serial/compare.py", "serial/findings.py", "serial/comparison.py", "serial/person.py"),
    "criteria": ("criteria/__init__.py", "criteria/judge.py", "criteria/model.py", "criteria/parse.py"),
    "guard": (
        *("io/file.py", "io/paths.py", "io/channels.py", "io/vendor/xml_gate.py", "io/hdf5/gate.py"),
        *("io/wfdb/header.py", "io/wfdb/doubts.py"),
    ),
}
ROOMS = {"measure": ("processing",), "change": ("serial",), "criteria": ("criteria",), "guard": ("io",)}
TESTS = (
    *("test_measure_edges", "test_compare_edges", "test_criteria_edges", "test_guard_edges", "test_header_edges"),
    *("test_doubts_edges", "test_gate_edges", "test_small_inputs", "test_memory_of_reading"),
    *("test_one_person",),
    *("test_steps", "test_pipeline_truth", "test_relations", "test_criteria", "test_criteria_definitions", "test_confounders"),
    *("test_vector", "test_index_case", "test_real_recordings", "test_recording", "test_tables", "test_annotations"),
    *(
        "test_io_wfdb",
        "test_io_wfdb_layouts",
        "test_io_write",
        "test_io_real",
        "test_io_hdf5",
        "test_io_vendor",
        "test_io_tables",
    ),
    *("test_io_dicom", "test_io_edf", "test_io_ishne"),
)
_CACHING = ("ecgspasm.criteria", "ecgspasm.serial", "ecgspasm.io", "tests")
SLOWEST_S = 1.0
"""Tests that take longer are left out: a mutant that only they notice counts as one that survived. All times are those of the
processor, so that other work on the machine changes nothing."""
BUDGET_S, IMPORT_BUDGET_S = 3.0, 6.0
"""Tests of one mutant are begun until so much of their time (as measured without a mutant) is spent; more where the mutant stands
outside of functions and all tests of its module come into question."""
_BROKEN, _NOT_EXCHANGED = 2, 3
"""How a child ends whose module no longer loads (that is killed), and one whose code could not be exchanged (that survived)."""


class Runner:
    """A pytest plugin that takes the place of the loop over the tests."""

    def __init__(self, chosen: list[str], jobs: int, look: Path | None, only: set[tuple[Any, ...]] | None) -> None:
        self.modules = [module for part in chosen for module in PARTS[part]]
        self.jobs, self.look, self.only = jobs, look, only
        self.results: list[tuple[Mutant, str]] = []
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self.control = False
        self.covering: dict[tuple[str, int], set[str]] = defaultdict(set)
        """By module and line which tests run it."""

    def pytest_configure(self, config: pytest.Config) -> None:
        from hypothesis import Phase, settings

        # the same examples each time, none that are looked for longer once a test has failed
        settings.register_profile(
            "mutation", derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate)
        )
        settings.load_profile("mutation")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        if self.look is not None and self.look.exists():
            self.seconds, self.failed, rows = json.loads(self.look.read_text())
            self.covering = defaultdict(set, {(module, line): set(names) & set(self.items) for module, line, names in rows})
        self._look(session)
        if self.look is not None:
            rows = [(module, line, sorted(names)) for (module, line), names in self.covering.items()]
            self.look.write_text(json.dumps([self.seconds, self.failed, rows]))
        kept = [
            name
            for name, seconds in self.seconds.items()
            if seconds <= SLOWEST_S and name in self.items and name not in self.failed
        ]
        # those first that were written for the edges of these modules
        self.tests = sorted(kept, key=lambda name: ("_edges.py" not in name, self.seconds[name]))
        print(
            f"\n{len(self.tests)} of {len(self.items)} tests, {sum(self.seconds[name] for name in self.tests):.0f} s; "
            f"failed without a mutant: {self.failed}",
            flush=True,
        )
        for module in self.modules:  # also those that the package loads late
            importlib.import_module(module_name(module))
        self.texts = {module: (ROOT / "ecgspasm" / module).read_text() for module in self.modules}
        self.control = self._check_exchange()
        everything = [mutant for module, text in self.texts.items() for mutant in mutants(text, module)]
        self._run([each for each in everything if self.only is None or self._named(each) in self.only])
        return True

    def _named(self, mutant: Mutant) -> tuple[Any, ...]:
        """Where a mutant stands and what it changes, as the file has it."""
        return mutant.module, self._line(mutant)[0], mutant.change

    def _line(self, mutant: Mutant) -> tuple[int, str]:
        text = self.texts[mutant.module]
        number = text.encode()[: mutant.start].count(b"\n") + 1
        return number, text.splitlines()[number - 1].strip()

    def survivors(self) -> list[dict[str, Any]]:
        """The mutants that no test noticed, JSON-ready; `run`: whether any test runs their line."""
        found = []
        for mutant, result in self.results:
            if result in ("survived", "no test"):
                number, code = self._line(mutant)
                place = {"module": mutant.module, "function": mutant.function, "line": number, "code": code}
                found.append(place | {"change": mutant.change, "run": result == "survived"})
        return found

    def _look(self, session: pytest.Session) -> None:
        """Run every test once: how long it takes, and which lines it runs."""
        if not self.items.keys() - self.seconds.keys():
            return
        measured = coverage.Coverage(
            data_file=None,
            include=[str(ROOT / "ecgspasm" / module) for part in PARTS.values() for module in part],
            config_file=False,
        )
        measured.start()
        for name, item in self.items.items():
            if name in self.seconds:
                continue
            _clear_caches()
            measured.switch_context(name)
            begun = time.process_time()
            if _run_test(item, session):
                self.failed.append(name)
            self.seconds[name] = time.process_time() - begun
        measured.stop()
        data = measured.get_data()
        for module in (module for part in PARTS.values() for module in part):
            for line, names in data.contexts_by_lineno(str(ROOT / "ecgspasm" / module)).items():
                self.covering[module, line] |= set(names) & set(self.items)

    def _check_exchange(self) -> bool:
        """Whether all tests still pass after every module was exchanged for itself, as they must."""
        child = self._fork(self.texts, self.tests, stop=False)
        _, status = os.waitpid(child, 0)
        shutil.rmtree(_own_folder(child), ignore_errors=True)
        return os.waitstatus_to_exitcode(status) == 0

    def _tests_of(self, mutant: Mutant, lucky: dict[tuple[str, str], list[str]]) -> list[str]:
        if mutant.function:
            names = set().union(*(self.covering.get((mutant.module, line), set()) for line in mutant.lines))
        else:  # what runs at import is noticed by tests of anything in its folder
            folder = mutant.module.rpartition("/")[0]
            names = set().union(*(found for (module, _), found in self.covering.items() if module.startswith(folder)))
        first = [name for name in reversed(lucky[mutant.module, mutant.function]) if name in names][:8]
        rest = [name for name in self.tests if name in names and name not in first]
        chosen, spent = [], 0.0
        for name in (*first, *rest):
            spent += self.seconds[name]
            if spent > (BUDGET_S if mutant.function else IMPORT_BUDGET_S):
                break
            chosen.append(name)
        return chosen

    def _run(self, everything: list[Mutant]) -> None:
        lucky: dict[tuple[str, str], list[str]] = defaultdict(list)
        running: dict[int, tuple[Mutant, list[str], float]] = {}
        begun = time.monotonic()
        waiting = list(reversed(everything))
        while waiting or running:
            while waiting and len(running) < self.jobs:
                mutant = waiting.pop()
                names = self._tests_of(mutant, lucky)
                if not names:
                    self.results.append((mutant, "no test"))
                    continue
                limit = 10.0 + 4.0 * sum(self.seconds[name] for name in names)  # of the processor's time
                child = self._fork({mutant.module: mutant.apply(self.texts[mutant.module])}, names, limit_s=limit)
                running[child] = (mutant, names, time.monotonic() + 10.0 * limit)
            for child in list(running):
                mutant, names, deadline = running[child]
                done, status = os.waitpid(child, os.WNOHANG)
                if not done and time.monotonic() < deadline:
                    continue
                if not done:
                    os.kill(child, signal.SIGKILL)
                    _, status = os.waitpid(child, 0)
                del running[child]
                shutil.rmtree(_own_folder(child), ignore_errors=True)
                code = os.waitstatus_to_exitcode(status)
                said = {
                    0: "survived",
                    _NOT_EXCHANGED: "survived",
                    -signal.SIGKILL: "timeout",
                    -signal.SIGXCPU: "timeout",
                    -signal.SIGALRM: "timeout",
                }
                self.results.append((mutant, said.get(code, "killed")))
                told = _own_folder(child).with_suffix(".killer")
                if told.exists():
                    lucky[mutant.module, mutant.function].append(told.read_text())
                    told.unlink()
                if len(self.results) % 100 == 0:
                    survived = sum(result in ("survived", "no test") for _, result in self.results)
                    print(
                        f"{len(self.results)} of {len(everything)}, {survived} survived, {time.monotonic() - begun:.0f} s",
                        flush=True,
                    )
            time.sleep(0.002)

    def _fork(self, texts: dict[str, str], names: list[str], *, limit_s: float = 600.0, stop: bool = True) -> int:
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        code = _BROKEN
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s) + 1, int(limit_s) + 2))
            resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
            signal.alarm(max(5 * int(limit_s), 60))  # one that waits, such as for the other end of a FIFO, computes nothing
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            own = _own_folder(os.getpid())
            own.mkdir()
            next(iter(self.items.values())).config._tmp_path_factory._basetemp = own  # type: ignore[attr-defined]
            fresh = {module: executed(module, text) for module, text in texts.items()}
            code = _NOT_EXCHANGED
            for module, found in fresh.items():
                exchange(module, found)
            code = _BROKEN
            failed = 0
            for name in names:
                _clear_caches()
                if _run_test(self.items[name], self.items[name].session):
                    own.with_suffix(".killer").write_text(name)
                    failed += 1
                    if stop:
                        break
            code = 1 if failed else 0
        finally:
            os._exit(code)


def _own_folder(child: int) -> Path:
    return Path(tempfile.gettempdir()) / f"mutant-{child}"


def _run_test(item: pytest.Item, session: pytest.Session) -> bool:
    """Whether a test fails; with its fixtures made and taken down for it alone."""
    from _pytest.runner import runtestprotocol

    reports = runtestprotocol(item, log=False, nextitem=None)
    return any(report.failed for report in reports)


def _clear_caches() -> None:
    """Forget what functions computed from the mutated modules; the nets and the settings do not depend on them."""
    for each in _cached():
        each.cache_clear()


@functools.cache
def _cached() -> list[Any]:
    wrapper = type(functools.lru_cache(_own_folder))
    return [each for each in gc.get_objects() if isinstance(each, wrapper) and str(each.__module__).startswith(_CACHING)]


def reason_of(survivor: dict[str, Any], reasons: list[dict[str, Any]]) -> str:
    """Why a survivor may live; empty if nobody has said it."""
    for each in reasons:
        if (
            re.fullmatch(each["module"], survivor["module"])
            and re.fullmatch(each.get("function", ".*"), survivor["function"])
            and re.search(each.get("code", ""), survivor["code"])
            and re.search(each.get("change", ""), survivor["change"])
        ):
            return str(each["reason"])
    return ""


def summary(runner: Runner) -> dict[str, Any]:
    """What was found, JSON-ready, without reasons."""
    modules: dict[str, dict[str, int]] = {}
    for mutant, result in runner.results:
        row = modules.setdefault(mutant.module, dict.fromkeys(("mutants", "killed", "timeouts", "survived"), 0))
        row["mutants"] += 1
        row[{"killed": "killed", "timeout": "timeouts"}.get(result, "survived")] += 1
    return {
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "cores": os.cpu_count(),
        "tests": len(runner.tests),
        "real_recordings": bool(os.environ.get("ECGSPASM_TEST_DATA")),
        "modules": modules,
        "survivors": runner.survivors(),
    }


def with_reasons(found: dict[str, Any]) -> dict[str, Any]:
    """The same with the sums of the parts and a reason for each survivor, from the table."""
    reasons = tomllib.loads(REASONS.read_text())["survivor"] if REASONS.exists() else []
    survivors = [each | {"reason": reason_of(each, reasons)} for each in found["survivors"]]
    parts = {}
    for part, names in PARTS.items():
        own = [found["modules"][name] for name in names if name in found["modules"]]
        total = {name: sum(row[name] for row in own) for name in ("mutants", "killed", "timeouts", "survived")}
        if total["mutants"]:
            caught = total["killed"] + total["timeouts"]
            parts[part] = total | {"caught_percent": round(100.0 * caught / total["mutants"], 1)}
    rest = {name: each for name, each in found.items() if name not in ("parts", "modules", "survivors", "without_reason")}
    return rest | {
        "parts": parts,
        "modules": found["modules"],
        "without_reason": sum(not each["reason"] for each in survivors),
        "survivors": survivors,
    }


def merged(older: dict[str, Any], newer: dict[str, Any], only: set[tuple[Any, ...]] | None) -> dict[str, Any]:
    """A run of some parts, or of some survivors alone, put into that of all."""
    if only is None:
        kept = [each for each in older.get("survivors", []) if each["module"] not in newer["modules"]]
        return newer | {"modules": older.get("modules", {}) | newer["modules"], "survivors": [*kept, *newer["survivors"]]}
    survivors = [each for each in older["survivors"] if _place(each) not in only] + newer["survivors"]
    modules = {}
    for name, row in older["modules"].items():
        left = sum(each["module"] == name for each in survivors)
        modules[name] = row | {"killed": row["killed"] + row["survived"] - left, "survived": left}
    return newer | {"modules": modules, "survivors": survivors}


def _place(survivor: dict[str, Any]) -> tuple[Any, ...]:
    return survivor["module"], survivor["line"], survivor["change"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; default: all")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="only survivors that have no reason, after tests were added")
    parser.add_argument("--look", type=Path, help="keep in this file which tests run what, and use it if it is there")
    parser.add_argument("--out", type=Path, default=RECORDED)
    parser.add_argument("--reasons", action="store_true", help="run nothing: take the reasons anew from the table")
    asked = parser.parse_args()
    if strange := sorted(set(asked.parts) - set(PARTS)):
        parser.error(f"no part {strange[0]!r}")
    older = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    if not asked.reasons:
        only = {_place(each) for each in with_reasons(older)["survivors"] if not each["reason"]} if asked.again else None
        runner = Runner(asked.parts or list(PARTS), asked.jobs, asked.look, only)
        os.chdir(ROOT)
        files = [f"tests/{name}.py" for name in TESTS if (ROOT / "tests" / f"{name}.py").exists()]
        pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:faulthandler", *files], plugins=[runner])
        if not (runner.control and runner.results):
            print("no mutant was run, or tests fail though nothing was changed", file=sys.stderr)
            return 1
        code = {part: state(ROOMS[part]) for part in asked.parts or PARTS}
        older = merged(older, summary(runner), only) | {"code": older.get("code", {}) | code}
    found = with_reasons(older)
    asked.out.write_text(json.dumps(found, indent=1) + "\n")
    for part, row in found["parts"].items():
        print(part, row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
