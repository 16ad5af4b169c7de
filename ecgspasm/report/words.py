"""How a report writes numbers, names and sources."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecgspasm.criteria import load_criteria
from ecgspasm.ecg import Subject
from ecgspasm.markup import typeset
from ecgspasm.serial.comparison import MET, NOT_MET, UNDECIDED, Finding
from ecgspasm.serial.words import lead_span

MEASURES = {
    "st_j_uv": "ST at J",
    "st_j20_uv": "ST at J+20",
    "st_j40_uv": "ST at J+40",
    "st_j60_uv": "ST at J+60",
    "st_j80_uv": "ST at J+80",
    "st_uv": "ST",
    "t_uv": "T",
    "t_net_uv": "T, both lobes",
    "t_negative_uv": "negative lobe of T",
    "t_positive_uv": "positive lobe of T",
    "u_uv": "U",
}
_ASKED = MEASURES | {
    "st_slope_uv_per_s": "slope of ST",
    "q_uv": "Q",
    "r_uv": "R",
    "s_uv": "S",
    "p_positive_uv": "positive lobe of P",
    "p_negative_uv": "negative lobe of P",
    "qrs_area_uv_ms": "area of QRS",
    "t_area_uv_ms": "area of ST-T",
    "qrs_ms": "QRS width",
    "rate_bpm": "rate",
    "qtc_ms": "QTc",
    "t_shape": "shape of T",
    "r_to_s": "R over S",
    "st_to_s": "ST over S",
    "t_to_r": "T over R",
}
VERDICTS = {MET: ("●", "Met"), NOT_MET: ("○", "Not met"), UNDECIDED: ("◐", "Undecided")}
"""A sign and a word each, so that no colour is needed."""
CONFOUNDERS = {
    "wide-qrs": "wide QRS complex",
    "changed-conduction": "another conduction",
    "pre-excitation": "pre-excitation",
    "changed-leads": "swapped cables or turned leads",
    "changed-gain": "another gain",
    "sampling-rate": "a wrong sampling rate",
    "rotation": "another posture or axis",
    "electrode-position": "moved chest electrodes",
    "lvh-strain": "hypertrophy with strain",
    "rate": "another heart rate",
    "rhythm": "another rhythm",
    "old-baseline": "an old baseline",
    "reversed-order": "the two ECGs exchanged",
    "poor-quality": "poor quality",
}
FROM_BEATS = ("changed-leads", "changed-gain", "sampling-rate", "rotation")
"""Those that only waveforms can tell."""


def measure(name: str) -> str:
    """A measure in words."""
    return MEASURES.get(name, name)


def asked(condition: str) -> str:
    """A condition with its measures and signs as a reader knows them.

    Examples
    --------
    >>> asked("current st_j60_uv <= -50 uV")
    'current ST at J+60 ≤ −50 µV'
    """
    known = re.sub(r"[a-z0-9]+(?:_[a-z0-9]+)+", lambda found: _ASKED.get(found[0], found[0]), condition)
    return typeset(known.replace(">=", "≥").replace("<=", "≤"))


def uv(value: float | None, *, sign: bool = True) -> str:
    """Whole microvolts without the unit."""
    if value is None or not np.isfinite(value):
        return "–"
    whole = round(float(value)) + 0
    return typeset(f"{whole:+d}" if sign and whole else f"{whole:d}")


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval."""
    return f"{uv(low)} to {uv(high)}" if low is not None and high is not None and np.isfinite([low, high]).all() else "–"


def amount(value: float | None, unit: str = "", digits: int = 0) -> str:
    """A number with its unit, or a dash."""
    return "–" if value is None or not np.isfinite(value) else typeset(f"{value:.{digits}f}{unit}")


def person(subject: Subject) -> str:
    """Sex, age and the caller's key, as far as they are known."""
    age = "" if subject.age is None else f"{subject.age:g} years"
    return typeset(", ".join(filter(None, (subject.sex, age, subject.key or ""))))


def verdict(name: str) -> dict[str, str]:
    """The sign, the word and the class of a verdict."""
    sign, word = VERDICTS.get(name, ("", name))
    return {"sign": sign, "word": word, "class": name.lower().replace("_", "-")}


def clock(seconds: float) -> str:
    """Seconds from the beginning as ``h:mm:ss``."""
    whole = round(abs(seconds))
    sign = "−" if seconds < 0 and whole else ""
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def lasting(seconds: float) -> str:
    """A length of time: seconds, minutes or hours."""
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.1f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"


@dataclass
class Sources:
    """What is cited, numbered in the order in which it comes."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        """The number of a source; the same text has one number."""
        line = typeset(text)
        if line not in self.texts:
            self.texts.append(line)
        return self.texts.index(line) + 1


def finding(each: Finding, sources: Sources) -> dict[str, Any]:
    """A finding for the page: words, values by lead, and the number of its source."""
    rows = []
    for lead, told in each.values.items():
        probability = told.get("probability")
        known = probability is not None and np.isfinite(probability)
        rows.append(
            {
                "lead": lead,
                "baseline": uv(told.get("baseline")),
                "current": uv(told.get("current")),
                "change": uv(told.get("change")),
                "interval": interval(told.get("low"), told.get("high")),
                "threshold": _limit(each, told.get("threshold")),
                "probability": probability_words(float(probability)) if known and probability is not None else "–",
            }
        )
    return {
        "id": each.criterion,
        "title": typeset(each.title[:1].upper() + each.title[1:]),
        "verdict": verdict(each.verdict),
        "leads": span(each.leads),
        "territory": each.territory,
        "reason": asked(each.reason),
        "conditions": [*extent(each), *(asked(part) for part in each.conditions)],
        "measure": measure(each.measure),
        "values": rows,
        "source": sources.number(each.source),
    }


def _limit(each: Finding, threshold: float | None) -> str:
    """The limit of a lead and what it is one of: the condition on the change of what is shown, else the first on it."""
    if threshold is None or not np.isfinite(threshold):
        return "–"
    about = [part.split() for part in each.conditions if part.split()[1:2] == [each.measure]]
    first = next((part for part in about if part[0] == "change"), about[0] if about else None)
    words = uv(threshold)
    return words if first is None else f"{first[0]} {first[2].replace('>=', '≥').replace('<=', '≤')} {words}"


def extent(each: Finding) -> list[str]:
    """In how many leads a criterion asks for it, as far as it is one of the project's own, which alone are known by their id."""
    rule = next((rule for rule in load_criteria() if rule.id == each.criterion and rule.source == each.source), None)
    if rule is None:
        return []
    if rule.contiguous:
        return [f"in {rule.contiguous} neighbouring leads" if rule.contiguous > 1 else "in one lead"]
    return [f"in {rule.count} leads"] if rule.count > 1 else ["in one lead"]


def probability_words(value: float) -> str:
    """A probability that is never told as certain."""
    return "> 0.99" if value > 0.99 else "< 0.01" if value < 0.01 else f"{value:.2f}"


def span(leads: tuple[str, ...]) -> str:
    """Leads, chest leads in a row as a span."""
    return typeset(lead_span(leads))
