"""What came of a run: counts, failures by reason, quality, changes by territory; as JSON and as a page."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import MEASURED
from ecgspasm.io.paths import write_whole
from ecgspasm.stamp import line, stamp

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_REASONS = 50
_PARAMETERS = ("electrodes", "criteria", "wide", "time_limit_s", "memory_limit_mb")
_PATH = re.compile(r"^[^:]*[/\\][^:]*: |^[^: ]+\.\w{1,8}: ")
_PAIR = re.compile(r" > ")
_COUNTED = re.compile(r" \(number \d+\)$")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def summarise(tables: Iterable[pa.Table], manifest: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    """Count over all parts, one after the other.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
        The long tables of the parts.
    manifest : dict
    titles : mapping of str to str
        Title of each criterion, by its id.
    """
    counted = Counter[str]()
    reasons, states = Counter[str](), Counter[str]()
    verdicts: dict[str, Counter[str]] = {}
    territories: dict[str, Counter[str]] = {}
    for table in tables:
        _count(table, counted, reasons, states, verdicts, territories)
    records = int(manifest["records"])
    found: dict[str, Any] = {
        **stamp(**{name: manifest[name] for name in _PARAMETERS if name in manifest}),
        "what": manifest["what"],
        "records": records,
        "done": counted["records"],
        "failed": counted["failed"],
        "not_measurable": counted["not_measurable"],
        "failures": dict(reasons.most_common(_MOST_REASONS)),
        "leads": dict(states.most_common(_MOST_REASONS)),
    }
    if manifest["what"] == "compare":
        found["findings"] = {
            name: {"title": titles.get(name, name), **{word: each[word] for word in ("MET", "NOT_MET", "UNDECIDED")}}
            | {"territories": dict(territories.get(name, Counter()).most_common())}
            for name, each in verdicts.items()
        }
    return found


def _count(
    table: pa.Table,
    counted: Counter[str],
    reasons: Counter[str],
    states: Counter[str],
    verdicts: dict[str, Counter[str]],
    territories: dict[str, Counter[str]],
) -> None:
    record, names = _coded(table, "record")
    measure, measures = _coded(table, "measure")
    state, texts = _coded(table, "state")
    value = table.column("value").to_numpy()
    failed = np.isin(measure, _of(measures, lambda name: name == "error"))
    n_records = len(np.unique(record))
    counted["records"] += n_records
    counted["failed"] += int(failed.sum())
    reasons.update(kind_of(texts[row], names[of]) for row, of in zip(state[failed], record[failed], strict=True))
    # one measure stands for the lead: what is not measurable in it is so in all
    one = np.isin(measure, _of(measures, lambda name: name in ("st_j60_uv", "change_st_j60_uv")))
    for code, number in enumerate(np.bincount(state[one], minlength=len(texts))):
        if number:
            text = texts[code]
            states["measured" if text in (MEASURED, "absent") else kind_of(text.partition(": ")[2] or text)] += int(number)
    with_lead = np.unique(record[one & np.isin(state, _of(texts, lambda text: text == MEASURED))])
    counted["not_measurable"] += n_records - int(failed.sum()) - len(with_lead)
    for row in np.flatnonzero(np.isin(measure, _of(measures, lambda name: name.startswith("finding:")))):
        name = measures[measure[row]].removeprefix("finding:")
        verdict, _, said = texts[state[row]].partition(" ")
        verdicts.setdefault(name, Counter())[verdict] += 1
        if value[row] == 1.0:
            territories.setdefault(name, Counter())[said.partition(":")[0] or "no lead"] += 1


def _coded(table: pa.Table, name: str) -> tuple[NDArray[np.intp], list[str]]:
    """A column of texts as numbers and the text of each number: half a million rows hold few different texts."""
    column = table.column(name).combine_chunks()
    return np.asarray(column.indices, dtype=np.intp), column.dictionary.to_pylist()


def _of(texts: list[str], wanted: Callable[[str], bool]) -> list[int]:
    return [code for code, text in enumerate(texts) if wanted(text)]


def kind_of(reason: str, record: str = "") -> str:
    """A reason without the names of files and without numbers, so that alike ones are counted together.

    Examples
    --------
    >>> kind_of("data/12.hea: the record has 3 segments"), kind_of("x: there is no file x; check the path", "x")
    ('the record has # segments', 'there is no file ...; check the path')
    """
    reason = _PATH.sub("", reason)
    parts = [part.strip() for part in _PAIR.split(_COUNTED.sub("", record))]
    names = {name for part in parts for name in (part, os.path.basename(part), os.path.splitext(os.path.basename(part))[0])}
    for name in sorted(names - {""}, key=len, reverse=True):
        reason = re.sub(rf"(?<!\w){re.escape(name)}(?:\.\w{{1,8}})?(?!\w)", "...", reason)
    return _NUMBER.sub("#", reason.removeprefix("...: "))[:160]


def write_summary(folder: str, found: dict[str, Any]) -> None:
    """Write ``summary.json`` and ``summary.html``."""
    import jinja2

    text = files("ecgspasm.batching").joinpath("summary.html.j2").read_text(encoding="utf-8")
    page = (
        jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        .from_string(text)
        .render(found=found, made_with=line(found["parameters"]))
    )
    write_whole(os.path.join(folder, "summary.json"), (json.dumps(found, indent=2, allow_nan=False) + "\n").encode())
    write_whole(os.path.join(folder, "summary.html"), page.encode())
