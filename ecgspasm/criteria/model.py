"""The nouns of the criteria: limits, conditions, requirements and the rules made of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ecgspasm.ecg import MEASURES as MEASURED_VALUES
from ecgspasm.ecg import Subject

OF = ("baseline", "current", "change")
RATIOS = ("r_to_s", "st_to_s", "t_to_r")
"""R over the depth of S, ST at J over the signed S (Smith), T over R."""
MEASURES = (*MEASURED_VALUES, *RATIOS, "t_shape")
OVERALL = ("qrs_ms", "rate_bpm", "qtc_ms", "conduction")
"""What is told once for an ECG, not by lead; requirements may ask for it."""
CONDUCTION = ("narrow", "rbbb", "lbbb", "ivcd", "unknown")
SHAPES = ("absent", "positive", "negative", "positive-negative", "negative-positive", "flat")
SERIAL_CONFOUNDERS = (
    *("wide-qrs", "changed-conduction", "changed-leads", "changed-gain"),
    *("rotation", "electrode-position", "sampling-rate", "pre-excitation"),
)
"""Those that could by themselves explain a change of ST or T."""
CONFOUNDERS = (*SERIAL_CONFOUNDERS, "lvh-strain", "rate", "rhythm", "old-baseline", "reversed-order", "poor-quality")
KINDS = ("new", "resolution", "present", "transient")
SERIAL_KINDS = ("new", "resolution")
"""Kinds that say what has changed; the others say which published definitions are met."""
HOW = ("all", "any", "none")


@dataclass(frozen=True)
class Limit:
    """A limit in uV (or the measure's own unit) for some leads, one sex, some ages; what is not told holds for all."""

    uv: float
    leads: tuple[str, ...] = ()
    sex: Literal["male", "female"] | None = None
    age_from: float | None = None
    age_below: float | None = None

    def applies(self, lead: str, sex: str, age: float) -> bool:
        """Whether the limit is meant for this lead of this person."""
        return (
            (not self.leads or lead in self.leads)
            and self.sex in (None, sex)
            and (self.age_from is None or age >= self.age_from)
            and (self.age_below is None or age < self.age_below)
        )


Limits = float | tuple[Limit, ...]


@dataclass(frozen=True)
class Condition:
    """One limit that a lead must keep: `measure` of baseline, current or change is at least or at most so much.

    Of several limits the last that applies to the lead and the person holds.
    """

    of: Literal["baseline", "current", "change"]
    measure: str
    at_least: Limits | None = None
    at_most: Limits | None = None
    one_of: tuple[str, ...] = ()
    """Shapes or kinds of conduction that fulfil the condition, for measures that are words."""
    beyond_error: bool = True
    """Whether a change counts only when its interval excludes zero."""

    def holds(self, value: float | str, lead: str = "", subject: Subject | None = None) -> bool | None:
        """Whether a value keeps the limit; ``None`` if that depends on the person's sex or age and they are not known.

        A number is rounded to whole units first, because a limit is a whole number of them; ratios are not.
        """
        if self.one_of or isinstance(value, str):
            return value in self.one_of
        rounded = value if self.measure in RATIOS else round(value)
        answers = {
            (low is None or rounded >= low) and (high is None or rounded <= high)
            for low, high in self.thresholds(lead, subject or Subject())
        }
        return answers.pop() if len(answers) == 1 else None

    def thresholds(self, lead: str, subject: Subject) -> set[tuple[float | None, float | None]]:
        """All (lower, upper) limits that can hold for the lead of a person of whom sex or age may not be known."""
        sexes = (subject.sex,) if subject.sex else ("male", "female")
        ages = (subject.age,) if subject.age is not None else tuple(self._ages())
        return {
            (_chosen(self.at_least, lead, sex, age), _chosen(self.at_most, lead, sex, age))
            for sex, age in itertools.product(sexes, ages)
        }

    def _ages(self) -> Iterator[float]:
        """One age on each side of every age at which a limit changes."""
        yield 50.0
        for limits in (self.at_least, self.at_most):
            for limit in limits if isinstance(limits, tuple) else ():
                for edge in (limit.age_from, limit.age_below):
                    if edge is not None:
                        yield from (edge - 0.5, edge)

    def __str__(self) -> str:
        if self.one_of:
            return f"{self.of} {self.measure} is {' or '.join(self.one_of)}"
        unit = "" if self.measure in RATIOS else f" {_unit(self.measure)}"
        parts = [(">=", self.at_least), ("<=", self.at_most)]
        limits = [f"{sign} {_words(limits)}" for sign, limits in parts if limits is not None]
        return f"{self.of} {self.measure} {' and '.join(limits)}{unit}"


def _chosen(limits: Limits | None, lead: str, sex: str, age: float) -> float | None:
    if not isinstance(limits, tuple):
        return limits
    found = [limit.uv for limit in limits if limit.applies(lead, sex, age)]
    return found[-1] if found else None


def _words(limits: Limits) -> str:
    if not isinstance(limits, tuple):
        return f"{limits:+g}"
    parts = []
    for limit in limits:
        who = [", ".join(limit.leads)] if limit.leads else []
        who += [{"male": "men", "female": "women"}[limit.sex]] if limit.sex else []
        who += [f"from {limit.age_from:g} y"] if limit.age_from is not None else []
        who += [f"below {limit.age_below:g} y"] if limit.age_below is not None else []
        parts.append(f"{limit.uv:+g}" + (f" ({' '.join(who)})" if who else ""))
    return " / ".join(parts)


def _unit(measure: str) -> str:
    if measure.endswith("per_s"):
        return "uV/s"
    if measure.endswith("uv_ms"):
        return "uV ms"
    return {"ms": "ms", "bpm": "/min"}.get(measure.rpartition("_")[2], "uV")


@dataclass(frozen=True)
class Requirement:
    """A condition that other leads than the rule's own, or the ECG as a whole, must fulfil for the rule to be met."""

    condition: Condition
    leads: tuple[str, ...] = ()
    """Empty: the measure is one of the whole ECG (`OVERALL`)."""
    how: Literal["all", "any", "none"] = "all"

    def __str__(self) -> str:
        where = f" in {self.how} of {', '.join(self.leads)}" if self.leads else ""
        return f"{self.condition}{where}"


@dataclass(frozen=True)
class Criterion:
    """A rule: what must hold in how many leads, and who says so."""

    id: str
    title: str
    what: str
    shown: str
    leads: tuple[str, ...]
    contiguous: int
    """So many neighbouring leads; 0 when `count` is asked for."""
    conditions: tuple[Condition, ...]
    source: str
    undecided_with: tuple[str, ...] = ()
    kind: str = "new"
    count: int = 0
    """So many leads, wherever they lie."""
    requires: tuple[Requirement, ...] = ()
    group: str = ""
    territory: str = ""
    """Named instead of that of the leads, where the pattern says more than they do."""

    def at(self, measure: str) -> Criterion:
        """The same rule with ST read at another offset than J, for data that have no other: its title says so."""

        def read(condition: Condition) -> Condition:
            return replace(condition, measure=measure) if condition.measure == "st_j_uv" else condition

        return replace(
            self,
            title=f"{self.title} ({measure})",
            shown=measure if self.shown == "st_j_uv" else self.shown,
            conditions=tuple(map(read, self.conditions)),
            requires=tuple(replace(each, condition=read(each.condition)) for each in self.requires),
        )
