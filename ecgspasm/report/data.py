"""The result as plain data, versioned: what stands in the page for programs, and what its script shows.

The schemas stand beside this file; ``null`` is a value that is not known, and there is never a ``NaN``.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

from ecgspasm.continuous.monitoring import Monitoring
from ecgspasm.course import Course
from ecgspasm.ecg import Analysis, Subject, number
from ecgspasm.errors import EcgError
from ecgspasm.provoking import ProvocationTest
from ecgspasm.report import traces, trends
from ecgspasm.report.kinds import KINDS, Reported, kind_of, short_source
from ecgspasm.report.st_by_j import st_by_j
from ecgspasm.serial.comparison import IN_FRAME, Change, Comparison

VERSION = 1
"""Of the schemas: it rises when a field changes its meaning or goes; new fields may come without."""


def data(found: Reported) -> dict[str, Any]:
    """The whole result as plain data, JSON-ready.

    Parameters
    ----------
    found : Comparison, Monitoring, ProvocationTest or Course

    Returns
    -------
    dict
        Its `schema` says which of the schemas it keeps, such as ``ecgspasm.comparison/1``; see `schema`. ``None`` where something
        is not known. Amplitudes are in uV, times in ms or s as their names say. Of a person it holds sex, age and the key that
        the caller gave, of a file its name and folder.

    Raises
    ------
    EcgError
        If it is none of these.
    """
    kind = kind_of(found)
    if isinstance(found, Comparison):
        told = _comparison(found)
    elif isinstance(found, Monitoring):
        told = _monitoring(found)
    elif isinstance(found, ProvocationTest):
        told = _provocation(found)
    else:
        told = _course(found)
    return {"schema": f"ecgspasm.{kind}/{VERSION}"} | told


@cache
def _schema(kind: str) -> str:
    return files("ecgspasm.report").joinpath(f"{kind}.schema.json").read_text(encoding="utf-8")


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a kind of data.

    Parameters
    ----------
    kind : {'comparison', 'monitoring', 'provocation', 'course'}

    Raises
    ------
    EcgError
        If there is no such kind.
    """
    if kind not in KINDS.values():
        raise EcgError(f"no data of a kind {kind!r}; give one of {', '.join(KINDS.values())}")
    found: dict[str, Any] = json.loads(_schema(kind))
    return found


def as_json(told: dict[str, Any]) -> str:
    """JSON that may stand in a page: no text in it can end its element or begin another."""
    text = json.dumps(told, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for sign in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _subject(subject: Subject) -> dict[str, Any]:
    return {"sex": subject.sex, "age": None if subject.age is None else number(float(subject.age)), "key": subject.key}


def _comparison(change: Comparison) -> dict[str, Any]:
    person = (change.current or change.baseline or change.measured["current"]).__dict__
    subject = person["ecg"].subject if "ecg" in person else person["subject"]
    pair = {"baseline": change.baseline, "current": change.current}
    told = change.to_dict()
    for name in pair:
        told[name]["source"] = short_source(told[name]["source"])
    # With more digits than are shown, so that rounding them for a reader gives what rounding the values themselves gives.
    for row, lead in enumerate(change.leads):
        told["leads"][lead] |= {name: _digits(each, row) for name, each in change.changes.items()}
    return told | {
        "subject": _subject(subject),
        "recordings": {name: None if each is None else _recording(each) for name, each in pair.items()},
        "beats": traces.of_comparison(change),
        "st_by_j": st_by_j(change),
    }


def _digits(each: Change, row: int) -> dict[str, float | None]:
    parts = {"baseline": each.baseline, "current": each.current, "change": each.difference}
    parts |= {"low": each.low, "high": each.high, "detectable": each.detectable}
    return {name: number(part[row], 3) for name, part in parts.items()}


def _recording(each: Analysis) -> dict[str, Any]:
    """Where an ECG came from and how good it is."""
    ecg = each.ecg
    kinds = Counter(each.beats.kind.tolist())
    noise = each.measurements.se.get("st_j60_uv")
    return {
        "recorded_at": ecg.recorded_at.isoformat(timespec="seconds") if ecg.recorded_at else None,
        "fs_hz": number(ecg.fs, 3),
        "duration_s": number(ecg.duration_s, 3),
        "beats": {name: kinds.get(name, 0) for name in ("dominant", "ectopic", "unusable")},
        "beats_left_out": dict(Counter(reason for reason in each.beats.reason.tolist() if reason)),
        "leads": {lead: reason or None for lead, reason in zip(ecg.leads, each.quality, strict=True)},
        "derived": list(ecg.derived),
        "st_j60_se_uv": {lead: None if noise is None else number(noise[row]) for row, lead in enumerate(each.measurements.leads)},
    }


def _monitoring(found: Monitoring) -> dict[str, Any]:
    told = found.to_dict()
    told["source"] = short_source(found.source)
    for row, each in zip(told["episodes"], found.episodes, strict=True):
        row["extremum_uv"] = number(each.extremum_uv, 3)
        for lead, part in each.by_lead.items():
            row["by_lead"][lead]["extremum_uv"] = number(part.extremum_uv, 3)
    return told | {"subject": _subject(found.subject), "trend": trends.of_monitoring(found), "beats": traces.of_episodes(found)}


def _provocation(test: ProvocationTest) -> dict[str, Any]:
    told = test.to_dict()
    told["source"] = short_source(test.source)
    return told | {"subject": _subject(test.subject), "trend": trends.of_series(test.series)}


def _course(course: Course) -> dict[str, Any]:
    told = course.to_dict()
    compared = {}
    for place, row in enumerate(course.changes()):
        if row.comparison is not None:
            compared[str(place)] = _against(row.comparison)
    return told | {"subject": _subject(course.subject), "comparisons": compared}


def _against(change: Comparison) -> dict[str, Any]:
    """One ECG of a course against its baseline: the measures of the table, by lead; the whole is the comparison's own report."""
    whole = change.to_dict()
    leads = {
        lead: {name: value for name, value in whole["leads"][lead].items() if name == "state" or name.startswith("t_shape")}
        | {name: _digits(change.changes[name], row) for name in IN_FRAME if name in change.changes}
        for row, lead in enumerate(change.leads)
    }
    kept = ("verdict", "comparable", "electrodes", "score", "findings", "definitions", "confounders")
    return {name: whole[name] for name in kept} | {"leads": leads}
