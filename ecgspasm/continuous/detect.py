"""From deviations to episodes: in each lead by a published definition, then the leads that go together as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgspasm.continuous.definitions import Definition
from ecgspasm.continuous.settings import settings
from ecgspasm.ecg import Floats
from ecgspasm.leads import contiguous_groups
from ecgspasm.masks import true_spans

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Stretch:
    """An episode of one lead, in rows of the trend; `last` is still in it."""

    lead: int
    first: int
    peak: int
    last: int
    open_start: bool
    open_end: bool


def stretches(time_s: Floats, deviation_uv: Floats, asked_uv: Floats, rule: Definition, value: Floats) -> list[Stretch]:
    """Find the episodes of each lead by one definition.

    Parameters
    ----------
    time_s : ndarray, shape (row,)
    deviation_uv : ndarray, shape (lead, row)
        ``nan`` where not measured.
    asked_uv : ndarray, shape (lead, row)
        The peak that is asked for there; the definition's own or, in an unquiet lead, more.
    rule : Definition
    value : ndarray, shape (lead, row)
        The measure itself.

    Returns
    -------
    list of Stretch
        In the order of their first rows.
    """
    found = []
    for lead in range(len(deviation_uv)):
        known = np.flatnonzero(np.isfinite(deviation_uv[lead]))
        if len(known) == 0:
            continue
        apart = np.flatnonzero(np.diff(time_s[known]) > settings("detect")["gap_s"]) + 1
        for rows in np.split(known, apart):
            for sign in (1, -1) if rule.sign == 0 else (rule.sign,):
                part = (time_s[rows], sign * deviation_uv[lead, rows], asked_uv[lead, rows], sign * value[lead, rows])
                for first, peak, last in _of_sign(*part, rule):
                    # The end is known when the deviation has stayed below the limit for long enough.
                    open_ends = (first == 0, part[0][-1] - part[0][last] < rule.quiet_s)
                    if any(open_ends) and part[0][last] - part[0][first] < rule.peak_s:
                        continue  # too little of it is seen to tell it from an edge
                    found.append(Stretch(lead, int(rows[first]), int(rows[peak]), int(rows[last]), *open_ends))
    return sorted(found, key=lambda each: (each.first, each.lead))


def _of_sign(time: Floats, height: Floats, asked: Floats, value: Floats, rule: Definition) -> list[tuple[int, int, int]]:
    """First row, extremum and last row of the episodes of one sign in an unbroken piece."""
    numbers = settings("detect")
    least_s = max(rule.peak_s - numbers["shortened_s"], 0.0)
    high = height >= asked
    if rule.value is not None:
        high &= value >= numbers["reached"] * abs(rule.value)
    starts, ends = true_spans(high).T
    long = time[ends - 1] - time[starts] + settings("stream")["step_s"] >= least_s
    if not long.any():
        return []
    # A deviation that reaches down to the limit for less than `quiet_s` has not ended.
    low_starts, low_ends = true_spans(_bridged(height >= rule.limit_uv, time, rule.quiet_s)).T
    holds = np.searchsorted(low_starts, starts[long], side="right") - 1
    out = []
    for each in np.unique(holds):
        first, last = int(low_starts[each]), int(low_ends[each]) - 1
        if time[last] - time[first] + settings("stream")["step_s"] < rule.peak_s - numbers["rows_s"]:
            continue  # a spike, however high
        out.append((first, first + int(height[first : last + 1].argmax()), last))
    return out


def _bridged(mask: Mask, time: Floats, shortest_s: float) -> Mask:
    """The mask with its pauses shorter than `shortest_s` filled."""
    starts, ends = true_spans(mask).T
    filled = mask.copy()
    for end, start in zip(ends[:-1], starts[1:], strict=True):
        if time[start] - time[end] < shortest_s:
            filled[end:start] = True
    return filled


def grouped(found: Sequence[Stretch], leads: Sequence[str], rule: Definition) -> list[list[Stretch]]:
    """Episodes of single leads that run at the same time, as one; at most one stretch of a lead in each.

    Two go together when they share more than half of the shorter one. A definition that asks for contiguous leads splits them by
    neighbourhood and drops what is too few.
    """
    groups: list[list[Stretch]] = []
    for each in sorted(found, key=lambda one: (one.first - one.last, one.lead)):  # the longest first
        fits = [group for group in groups if all(other.lead != each.lead for other in group) and _shared(group[0], each) > 0.5]
        if fits:
            max(fits, key=lambda group: _shared(group[0], each)).append(each)
        else:
            groups.append([each])
    if rule.contiguous > 1:
        groups = [part for group in groups for part in _neighbours(group, leads) if len(part) >= rule.contiguous]
    return sorted(groups, key=lambda group: (min(each.first for each in group), group[0].lead))


def _shared(one: Stretch, other: Stretch) -> float:
    """Common rows as a share of the shorter one's."""
    common = min(one.last, other.last) - max(one.first, other.first) + 1
    return common / (min(one.last - one.first, other.last - other.first) + 1)


def _neighbours(group: list[Stretch], leads: Sequence[str]) -> list[list[Stretch]]:
    by_name = {leads[each.lead]: each for each in group}
    return [[by_name[name] for name in names] for names in contiguous_groups(list(by_name))]
