"""Pages and figures of the documentation that are made from data: the criteria, the rooms of the package, what survives what."""

from __future__ import annotations

import ast
import json
import tomllib
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CRITERIA = ROOT / "docs" / "reference" / "criteria.md"
ROOMS = ROOT / "docs" / "concepts" / "rooms.svg"
_KINDS = {
    "new": "a finding of the comparison",
    "resolution": "a finding of the comparison: something is gone",
    "present": "a definition that the current ECG fulfils or not",
    "transient": "a definition that is fulfilled if a later ECG shows it gone",
}


def criteria_page() -> str:
    """All shipped criteria as Markdown, from the TOML files."""
    from ecgspasm.criteria import SERIAL_CONFOUNDERS, load_criteria

    lines = [
        "# Criteria",
        "",
        "<!-- written by docs/build.py from ecgspasm/criteria/*.toml -->",
        "",
        "Amplitudes are against the PR level; a change counts only when its 95 % interval excludes zero. Where limits differ by",
        "lead, sex and age, the last that applies holds. A criterion that a confounder of the last column could explain is",
        f"undecided; the serial ones are {', '.join(SERIAL_CONFOUNDERS)}.",
        "",
    ]
    groups: dict[str, list[Any]] = {}
    for each in load_criteria():
        groups.setdefault(each.group, []).append(each)
    for group, rules in groups.items():
        lines += [f"## {group}", "", "| criterion | asks for | source | undecided with |", "|---|---|---|---|"]
        lines += [_criterion(each) for each in rules]
        lines.append("")
    return "\n".join([*lines, *_minnesota(), *_definitions()])


def _criterion(each: Any) -> str:
    from ecgspasm.criteria import SERIAL_CONFOUNDERS

    where = f"{f'{each.contiguous} neighbouring' if each.contiguous else each.count} of {_leads(each.leads)}"
    asks = "; ".join(map(str, each.conditions))
    asks += f" in {where}"
    asks += "".join(f"; and {needed}" for needed in each.requires)
    asks += f" ({_KINDS[each.kind]})"
    every = set(SERIAL_CONFOUNDERS) <= set(each.undecided_with)
    named = [name for name in each.undecided_with if not (every and name in SERIAL_CONFOUNDERS)]
    open_with = ", ".join([*(["any serial one"] if every else []), *named]) or "-"
    return f"| {_cell(each.title)}<br>`{each.id}` | {_cell(asks)} | {_cell(each.source)} | {open_with} |"


def _leads(leads: tuple[str, ...]) -> str:
    from ecgspasm.leads import STANDARD

    return "all leads" if set(leads) == set(STANDARD) else ", ".join(leads)


def _cell(text: str) -> str:
    text = " ".join(text.split()).replace(">=", "≥").replace("<=", "≤")
    return escape(text, quote=False).replace("|", "\\|")


def _minnesota() -> list[str]:
    table = tomllib.loads(files("ecgspasm.criteria").joinpath("minnesota.toml").read_text(encoding="utf-8"))
    source = "Prineas RJ, Crow RS, Zhang ZM. The Minnesota Code Manual of Electrocardiographic Findings, 2nd ed. 2010."
    lines = ["## Minnesota codes", "", source, ""]
    lines += ["| code | leads | asks for |", "|---|---|---|"]
    for code in table["code"]:
        conditions = "; ".join(_plain(condition) for condition in code["conditions"])
        lines.append(f"| {code['id']} | {', '.join(code['leads'])} | {_cell(conditions)} |")
    return [*lines, ""]


def _plain(condition: dict[str, Any]) -> str:
    parts = [f"{sign} {_limits(condition[key])}" for sign, key in (("≥", "at_least"), ("≤", "at_most")) if key in condition]
    parts += [f"is {' or '.join(condition['is'])}"] if "is" in condition else []
    return f"{condition['measure']} {' and '.join(parts)}"


def _limits(given: Any) -> str:
    if not isinstance(given, list):
        return f"{given:+g}"
    return " / ".join(f"{each['uv']:+g}" + (f" ({', '.join(each['leads'])})" if "leads" in each else "") for each in given)


def _definitions() -> list[str]:
    """Definitions of episodes and of a positive provocation test."""
    lines = []
    for package, title in (("continuous", "Episodes"), ("provoking", "Provocation tests")):
        text = files(f"ecgspasm.{package}").joinpath("definitions.toml").read_text(encoding="utf-8")
        table = tomllib.loads(text)
        lines += [f"## {title}", "", "| definition | source |", "|---|---|"]
        for each in next(value for value in table.values() if isinstance(value, list)):
            lines.append(f"| {_cell(each.get('title', each['id']))}<br>`{each['id']}` | {_cell(each['source'])} |")
        lines.append("")
    return lines


_WIDTH, _FLOOR, _LEFT = 760, 46, 20
_TOLD = {
    "__main__": "",
    "cli": "commands",
    "report": "one HTML file",
    "demo": "the shipped case",
    "training": "of the net",
    "batching": "any number of ECGs",
    "plot": "on ECG paper",
    "benchmarks": "on PhysioNet",
    "course": "weeks",
    "provoking": "a test",
    "continuous": "hours",
    "serial": "two ECGs",
    "analysis": "the order of the steps",
    "datasets": "fetch, pairs",
    "io": "readers, writers",
    "processing": "the steps",
    "simulate": "known truth",
    "criteria": "rules as data",
    "recording": "long, on disk",
    "ecg": "the nouns",
    "leads": "names",
    "markup": "escaped by default",
    "errors": "EcgError",
    "stamp": "on every result",
    "masks": "where something is true",
}


def floors() -> list[set[str]]:
    """The floors as the test of the architecture has them, top floor first."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FLOORS":
            found: list[set[str]] = ast.literal_eval(node.value)
            return found
    raise AssertionError("tests/test_architecture.py has no FLOORS any more")


def rooms_figure() -> str:
    """The rooms as a house, as SVG that is readable on light and on dark pages."""
    house = [sorted(rooms - {"__main__"}) for rooms in floors()]
    house = [rooms for rooms in house if rooms]
    height = _FLOOR * len(house) + 16
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img"',
        '     font-family="DejaVu Sans, Verdana, sans-serif" font-size="13">',
        "  <title>Rooms of ecgspasm, top floor first; each imports only from floors below it</title>",
        f'  <rect width="{_WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
    ]
    for floor, rooms in enumerate(house):
        wide = (_WIDTH - 2 * _LEFT - 8 * (len(rooms) - 1)) / len(rooms)
        y = 8 + floor * _FLOOR
        for place, room in enumerate(rooms):
            x = _LEFT + place * (wide + 8)
            lines.append(
                f'  <rect x="{x:.1f}" y="{y + 3}" width="{wide:.1f}" height="{_FLOOR - 8}" rx="4" '
                'fill="#eef3f7" stroke="#5b7083"/>'
            )
            told = f'<tspan fill="#3f4f5c" font-size="11.5">  {_TOLD.get(room, "")}</tspan>' if _TOLD.get(room) else ""
            lines.append(
                f'  <text x="{x + wide / 2:.1f}" y="{y + 27}" text-anchor="middle" fill="#12202b" xml:space="preserve">'
                f'<tspan font-weight="bold">{room}</tspan>{told}</text>'
            )
    return "\n".join([*lines, "</svg>"]) + "\n"


def faults_table() -> str:
    """What `docs/faults.py` recorded, as Markdown."""
    file = ROOT / "data" / "benchmarks" / "faults.json"
    if not file.exists():
        return "Not measured yet: `data/benchmarks/faults.json`.\n"
    found = json.loads(file.read_text(encoding="utf-8"))
    lines = ["| what is done | how often | what it hit | what came of it |", "|---|---|---|---|"]
    lines += [_killed(row) for row in found["kills"]]
    full, writers = found["full_disk"]["batch"], found["full_disk"]["writers"]
    told = _harm(full["damaged"], full["not_completed"], full["unclear"])
    lines.append(f"| the disk is full, batch | {full['positions']} positions | {full['in_parts']} within the parts | {told} |")
    told = _harm(*(sum(row[name] for row in writers) for name in ("damaged", "not_completed", "unclear")))
    often = f"{sum(row['positions'] for row in writers)} positions, {len(writers)} writers"
    too_full = sum(row["full"] for row in writers)
    lines.append(f"| the disk is full, all else that writes | {often} | {too_full} too full | {told} |")
    for name, batch in (("batch", True), ("all else that writes", False)):
        rows = [row for row in found["every_call"] if row["name"].startswith("batch") == batch]
        total = {key: sum(row[key] for row in rows) for key in rows[0] if isinstance(rows[0][key], int)}
        calls = sum(sum(row["calls"].values()) for row in rows)
        told = _harm(total["damaged"] + total["silent"], total["not_completed"], total["raw"] + total["many_lines"])
        often = f"{total['faults']} faults in {calls} calls"
        hit = f"{total['refused']} refused, {total['unharmed']} without consequence"
        lines.append(f"| a call to the file system fails once, {name} | {often} | {hit} | {told} |")
    return "\n".join([*lines, *_spread(found["spread"]), *_kernels(found["kernels"]), *_soaked(found.get("soak"))]) + "\n"


def _killed(row: dict[str, Any]) -> str:
    who = {
        "whole": "batch",
        "command": "the command with two workers",
        "in place": "a naive writer, in place",
        "appended": "a naive writer, appending",
    }[row["writer"]]
    hit = f"{row['cut'] + row['begun']} files half written, {row['unnamed']} whole without their name"
    hit = f"{row['cut']} files half written" if row["writer"] in ("in place", "appended") else hit
    came = f"{row['lost_rows']} rows lost, {row['double_rows']} double; {row['differing']} of {row['runs']} runs with other bytes"
    return f"| `kill -9` and going on, {who} | {row['kills']} | {hit} | {came} |"


def _harm(damaged: int, not_completed: int, unclear: int) -> str:
    return f"{damaged} damaged, {unclear} other errors than an `EcgError` of one line, {not_completed} not completed by going on"


def _spread(found: dict[str, Any]) -> list[str]:
    kinds = {"workers": "numbers of workers", "records_per_part": "sizes of parts", "orders": "orders"}
    how = [*(f"{len(found[name])} {words}" for name, words in kinds.items()), " ".join(found["methods"])]
    hashes = max(found["hashes_of_measure"], found["hashes_of_compare"])
    came = f"{hashes} hash of the results, {found['most_different_bytes']} of the files"
    return [f"| the work is spread otherwise | {found['runs']} runs | {', '.join(how)} | {came} |"]


def _kernels(found: dict[str, Any]) -> list[str]:
    rows = found["machines"].values()
    values = max(row["values"] for row in rows)
    hit = f"{sum(row['not_the_same_bits'] > 0 for row in rows)} change bits"
    most = {name: max(row[name] for row in rows) for name in ("different_after_rounding", "at_a_tie", "different_words")}
    came = f"at most {most['different_after_rounding']} of {values:,} values differ after rounding to 0.1 uV, "
    came += f"{most['at_a_tie']} lie at a tie, {most['different_words']} words differ"
    return [f"| other kernels of OpenBLAS and NumPy | {len(rows)} kinds, {found['records']} ECGs | {hit} | {came} |"]


def _soaked(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return ["| a long run of 200,000 records | - | - | not measured on a quiet machine yet |"]
    held = max(each["growth_mb"] for each in found["memory"].values())
    came = f"{found['lost']} lost, {found['double']} double, {found['unexpected']} not accounted for; a process grew by at most "
    ratio = found["last_tenth_to_first"]
    came += (
        f"{held:.0f} MB; last tenth to first: {ratio['clock_ms']:.2f} of the time, {ratio['computing_ms']:.2f} of the computing"
    )
    hit = f"{found['poisoned']:,} poisoned"
    return [f"| a long run | {found['records']:,} records | {hit} | {came} |"]
