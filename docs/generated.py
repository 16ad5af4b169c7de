"""Pages and figures of the documentation that are made from data: the criteria, and the rooms of the package."""

from __future__ import annotations

import ast
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
    "errors": "EcgError",
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
