"""The page "what it promises and how that is tested", from the recorded figures in ``data/benchmarks`` and ``data/trust``."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from code_state import words as told_of_age

ROOT = Path(__file__).resolve().parent.parent
_SECTIONS = ("kills", "full_disk", "every_call", "spread", "kernels", "soak")
PROMISES = ROOT / "docs" / "promises.md"
_PLACES = re.compile(
    r"(?P<begin><!-- (?P<name>[\w-]+): written by docs/build.py -->\n).*?(?P<end><!-- (?P=name) ends -->)", re.DOTALL
)


def recorded(name: str) -> Any:
    """One file of ``data/benchmarks``."""
    return json.loads((ROOT / "data" / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))


def promises_page() -> str:
    """The page with its tables filled in."""
    text = PROMISES.read_text(encoding="utf-8")
    found = {match["name"] for match in _PLACES.finditer(text)}
    assert found == set(TABLES), f"docs/promises.md has places for {found}"
    return _PLACES.sub(lambda match: match["begin"] + "\n".join(_told(match["name"])) + "\n" + match["end"], text)


def _told(name: str) -> list[str]:
    """A table, or that its figures were not measured yet."""
    missing = [each for each in NEEDS.get(name, ()) if not (ROOT / "data" / "benchmarks" / f"{each}.json").exists()]
    if missing:
        return [f"Not measured yet: {', '.join(f'`data/benchmarks/{each}.json`' for each in missing)}."]
    return [*TABLES[name](), *_when(name)]


def _when(name: str) -> list[str]:
    """Whether the code is still the one that was measured."""
    measured: dict[str, dict[str, str]] = {}
    for each in NEEDS.get(name, ()):
        found = recorded(each)
        for part, code in _code_of(each, found).items():
            measured[f"{each}, {part}"] = code
    return ["", told_of_age(measured)] if measured else []


def _code_of(name: str, found: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The code that each part of a figure was measured on."""
    if name == "versions":
        return {which: row.get("code", {}) for which, row in found.items()}
    parts = {"fuzz": found.get("results", ()), "faults": _SECTIONS, "mutation": found.get("parts", ())}.get(name, ("all",))
    noted = found.get("about", found).get("code", {})
    return {part: noted.get(part, {}) for part in parts}


def _table(head: list[str], rows: list[list[Any]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return lines + ["| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row) + " |" for row in rows]


# --- input --------------------------------------------------------------------------------------------------------------------


def _input() -> list[str]:
    found = recorded("fuzz")["results"]
    corpus = found["corpus"].values()
    files, readings, met = (sum(row[name] for row in corpus) for name in ("files", "readings", "as_expected"))
    slowest, largest = (max(row[name] for row in corpus) for name in ("slowest_s", "largest_mb"))
    told = f"{met:,} of {readings:,} readings end as the table says; slowest {slowest:g} s, largest {largest} MB"
    rows: list[list[Any]] = [
        [f"bad files from a table, {len(found['corpus'])} kinds of format", files, told],
        ["headers of WFDB, mutated", found["headers"]["mutants"], _outcomes(found["headers"])],
    ]
    signals = dict(found["signals"])
    several = signals.pop("several sets")
    rows.append(["signal files of WFDB as sets have them, with one change or several", several["mutants"], _outcomes(several)])
    total = {name: sum(row[name] for row in signals.values()) for name in several if isinstance(several[name], int)}
    told = f"small signal files in {len(signals)} formats, with every bit flipped, cut, made longer, shifted"
    rows.append([told, total["mutants"], _outcomes(total)])
    formats = found["formats"]
    kinds = ("mutants", "refused", "read", "untyped", "death", "hang")
    total = {name: sum(row[name] for row in formats.values()) for name in kinds}
    told = f"{total['refused']:,} refused, {total['read']:,} read, {total['untyped']} other errors, "
    told += f"{total['death']} deaths of the interpreter, {total['hang']} hangs"
    rows.append([f"files of the {len(formats)} other formats ({', '.join(formats)}), mutated", total["mutants"], told])
    for name, row in found["accepted"].items():
        words = {"miniatures": "sound headers of PhysioNet's layouts in miniature", "real": "sound headers of real records"}[name]
        rows.append([words, row["headers"], f"{row['accepted']:,} accepted"])
    return _table(["what is read", "how many", "what becomes of it"], rows)


def _outcomes(row: dict[str, Any]) -> str:
    share = 100.0 * row["silent"] / row["mutants"]
    told = f"{row['refused']:,} refused, {row['same']:,} of the same meaning, {row['flagged']:,} read with a remark, "
    told += f"{row['silent']} ({share:.2f} %) wrong in silence, {row['untyped']} other errors, {row['death']} deaths, "
    return told + f"{row['hang']} hangs"


# --- signals ------------------------------------------------------------------------------------------------------------------


_PROPERTIES = {
    "values": "a value is within its tolerance, or absent with a reason",
    "nothing": "no value at all",
    "no claim": "no new ischemia claimed against the undisturbed ECG",
}


def _signals() -> list[str]:
    found = recorded("zoo")
    rows = []
    for name, kind in found["kinds"].items():
        for carriers, row in kind.items():
            if carriers != "property":
                wrong = row["claimed"] if kind["property"] == "no claim" else row["wrong"]
                on = "" if carriers == "own" else f", {carriers}"
                off = f"{row['intervals_wrong']} of {row['intervals']}" if row["intervals"] else ""
                stated = f"{row['tolerance_50_uv']}, {row['tolerance_95_uv']}, {row['worst_uv']:.0f}" if row["within"] else ""
                rows.append([f"{name}{on}", kind["property"], row["variants"], row["values"], row["absent"], wrong, stated, off])
    head = ["signal, carrier", "property", "variants", "values asked for", "absent with a reason", "against the property"]
    head += ["tolerance of half and of 95 % of the values at most, largest error, uV", "rate, PR, QRS, QT off"]
    lines = [f"- **{name}**: {words}" for name, words in _PROPERTIES.items()]
    return [*lines, "", *_table(head, rows), "", *_left(found["kinds"]), *_undisturbed(found["undisturbed"])]


def _left(kinds: dict[str, Any]) -> list[str]:
    """How many values are silently wrong, and some of each kind."""
    rows = [row for kind in kinds.values() for row in kind.values() if isinstance(row, dict)]
    wrong, values = (sum(row[name] for row in rows) for name in ("wrong", "values"))
    each = [f"`{words}`" for row in rows if row["wrong"] for words in row["examples"] if "tolerance" in words]
    off, intervals = (sum(row[name] for row in rows) for name in ("intervals_wrong", "intervals"))
    told = f"Silently wrong: {wrong} of {values:,} values, and {off} of {intervals:,} rates and intervals"
    return [told + (f"; such as {'; '.join(each)}." if each else "."), ""]


def _undisturbed(found: dict[str, Any]) -> list[str]:
    rows = [
        [name, row["records"], f"{100.0 * row['absent'] / row['values']:.1f} %", row["records without a value"]]
        for name, row in found.items()
    ]
    head = ["recordings", "number", "values absent", "without any value"]
    return ["Refused of recordings as they are:", "", *_table(head, rows)]


# --- faults, code, packages ---------------------------------------------------------------------------------------------------


def _faults() -> list[str]:
    from generated import faults_table

    return faults_table().rstrip("\n").split("\n")


_COVERED = {"overall": "the whole package", "guard": "the checks in front of the parsers", "writers": "what writes files"}
_MUTATED = {
    "measure": "measuring",
    "change": "comparing",
    "criteria": "the criteria",
    "guard": "the checks in front of the parsers",
}


def properties() -> list[str]:
    """Names of the tests of `tests/trust` that hypothesis draws examples for."""
    found = []
    for path in sorted((ROOT / "tests" / "trust").glob("test_invariants_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any("given" in ast.unparse(each) for each in node.decorator_list):
                found.append(node.name)
    return found


def _code() -> list[str]:
    covered, mutated, versions = (recorded(name) for name in ("coverage", "mutation", "versions"))
    told = "tried on drawn people in every run of the tests, the same ones each time"
    rows: list[list[Any]] = [["properties that must hold for anybody", f"{len(properties())}", told]]
    for name, words in _COVERED.items():
        row = covered[name]
        told = f"{row['percent']:.1f} % of lines and branches run, {row['branch_percent']:.1f} % of the branches"
        rows.append([f"coverage, {words}", f"{row['lines']:,} lines, {row['branches']:,} branches", told])
    for name, row in mutated["parts"].items():
        told = f"{row['caught_percent']:.1f} % noticed by the tests; each of the {row['survived']} others has its reason"
        rows.append([f"small mistakes put into the code of {_MUTATED[name]}", f"{row['mutants']:,} mutants", told])
    for name, row in versions.items():
        packages = ", ".join(f"{each} {row['packages'][each]}" for each in ("numpy", "scipy"))
        tests = row["tests"]
        failed = tests["failures"] + tests["errors"]
        told = f"{tests['tests']:,} tests, {failed} failed, {tests['skipped']} skipped"
        if failed and "again" in row:
            told += f"; mended and run again: {row['again']['tests']['failures'] + row['again']['tests']['errors']} failed"
        rows.append([f"the {name} packages allowed", packages, told])
    return _table(["what", "of what", "found"], rows)


def _packages() -> list[str]:
    table = tomllib.loads((ROOT / "data" / "trust" / "licences.toml").read_text(encoding="utf-8"))["package"]
    imported = [row for row in table if row["imported"]]
    kinds: dict[str, list[str]] = {}
    for row in imported:
        kinds.setdefault(row["licence"], []).append(row["name"])
    most_first = sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [[licence, ", ".join(sorted(names))] for licence, names in most_first]
    told = f"{len(imported)} of the {len(table)} packages of the lock are imported at run time by ecgspasm or one of its extras "
    told += "(but for `train`, whose torch is in no lock):"
    return [told, "", *_table(["licence", "packages"], rows)]


def _hazards() -> list[str]:
    table = tomllib.loads((ROOT / "data" / "trust" / "hazards.toml").read_text(encoding="utf-8"))["hazard"]
    rows = [
        [row["library"], _cell(row["hazard"]), _cell(row["seen"]), _cell(row["guard"]), f"`{row['test'].replace('tests/', '')}`"]
        for row in sorted(table, key=lambda row: str(row["library"]).lower())
    ]
    return _table(["package", "what it does", "how it was seen", "what guards against it", "test"], rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


TABLES: dict[str, Callable[[], list[str]]] = {
    "input": _input,
    "signals": _signals,
    "faults": _faults,
    "code": _code,
    "packages": _packages,
    "hazards": _hazards,
}
NEEDS = {"input": ("fuzz",), "signals": ("zoo",), "faults": ("faults",), "code": ("coverage", "mutation", "versions")}
"""The files of ``data/benchmarks`` that a table is made from."""
