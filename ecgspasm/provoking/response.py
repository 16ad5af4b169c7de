"""The response to a provocation: its onset, extremum and relief."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats, number, sort_leads
from ecgspasm.leads import territory
from ecgspasm.provoking.events import Cycle, ProvocationEvent
from ecgspasm.provoking.runs import Run, Traces, beside, departure, pattern, runs, with_neighbours
from ecgspasm.provoking.series import Mask, Series
from ecgspasm.provoking.settings import Rule, rules, settings

FOUND, EARLIER, FIRST_ROW = "found", "before the event", "from the first measurement on"
"""What an onset can be."""
RELIEVED, HALF, NOT_RELIEVED, UNKNOWN = RELIEFS = ("relieved", "half relieved", "not relieved within the record", "not known")
"""What a relief can be."""

_NAN = float("nan")


@dataclass(frozen=True)
class Onset:
    """When a change began.

    Attributes
    ----------
    state : {'found', 'before the event', 'from the first measurement on'}
        The second: it had begun longer before the event than a mark set by hand can be late. The third: nothing was measured
        before.
    time_s : float
        First row since which the change has been beyond its noise.
    not_before_s : float
        The row before, on which it was not yet; ``nan`` if there is none.
    after : ProvocationEvent
        The provoking event it belongs to.
    delay_s : float
        `time_s` from that event; negative where the mark came late; ``nan`` if it had begun before.
    reason : str
    """

    state: str
    time_s: float
    not_before_s: float
    after: ProvocationEvent
    delay_s: float
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        numbers = {name: number(getattr(self, name)) for name in ("time_s", "not_before_s", "delay_s")}
        return {"state": self.state, **numbers, "after": self.after.to_dict(), "reason": self.reason or None}


@dataclass(frozen=True)
class Relief:
    """Whether and when a change went.

    Attributes
    ----------
    state : {'relieved', 'half relieved', 'not relieved within the record', 'not known'}
    time_s, half_s : float
        First row from which on it stayed below the limit, and below half of the extremum; ``nan`` where it did not.
    not_before_s : float
        The row before `time_s`, or before `half_s` where it only fell that far.
    after : ProvocationEvent or None
        The relieving event that it followed; ``None``: by itself, and delays count from the extremum.
    delay_s, half_delay_s : float
    reason : str
    """

    state: str
    time_s: float
    half_s: float
    after: ProvocationEvent | None
    delay_s: float
    half_delay_s: float
    not_before_s: float = _NAN
    reason: str = ""

    @property
    def gone(self) -> bool:
        """Whether it fell at least below half."""
        return self.state in (RELIEVED, HALF)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        numbers = {name: number(getattr(self, name)) for name in ("time_s", "half_s", "not_before_s", "delay_s", "half_delay_s")}
        return {
            "state": self.state,
            **numbers,
            "after": None if self.after is None else self.after.to_dict(),
            "reason": self.reason or None,
        }


@dataclass(frozen=True, eq=False)
class Response:
    """A sustained change of ST, T or U after a provocation.

    Attributes
    ----------
    name : str
        ``ST``, ``T`` or ``U``.
    measure : str
        What was read.
    leads : tuple of str
        Those that changed as much as the rule asks, to the side of `lead`; if that is `lead` alone, with the neighbours it has;
        of a T that turned over those where it did.
    opposite : tuple of str
        Those that changed to the other side.
    lead : str
        Where the change was largest.
    extremum_s, extremum_uv, value_uv : float
        When, how large the change and what the measure itself was.
    low_uv, high_uv : float
        95 % interval of the change.
    """

    name: str
    measure: str
    leads: tuple[str, ...]
    opposite: tuple[str, ...]
    lead: str
    extremum_s: float
    extremum_uv: float
    value_uv: float
    low_uv: float
    high_uv: float
    row: int
    onset: Onset
    relief: Relief
    share: Floats = field(repr=False)
    """How much of it there was at each row of the series, 1 at the extremum."""

    @property
    def territory(self) -> str:
        """Of `leads`."""
        return territory(self.leads)

    @property
    def what(self) -> str:
        """The change in words, such as ``ST elevation``."""
        if self.name == "U":
            return "negative U"
        rise = self.extremum_uv > 0
        if self.name == "T":
            turned = self.value_uv < 0 and self.value_uv - self.extremum_uv > 0
            return "T rise" if rise else ("T inversion" if turned else "T fall")
        if rise:
            return "ST elevation" if self.value_uv > 0 else "ST rise"
        return "ST depression" if self.value_uv < 0 else "ST fall"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        numbers = ("extremum_s", "extremum_uv", "value_uv", "low_uv", "high_uv")
        return {
            "what": self.what,
            "measure": self.measure,
            "leads": list(self.leads),
            "opposite": list(self.opposite),
            "territory": self.territory,
            "lead": self.lead,
            **{name: number(getattr(self, name)) for name in numbers},
            "onset": self.onset.to_dict(),
            "relief": self.relief.to_dict(),
        }


def responses(series: Series, found: tuple[Cycle, ...]) -> tuple[Response, ...]:
    """The responses to each cycle of provocation and relief: ST, T, U."""
    return tuple(each for cycle in found for each in _of_cycle(series, cycle))


def _of_cycle(series: Series, cycle: Cycle) -> Iterator[Response]:
    early = settings("response")["tolerance_s"]
    window = (series.time_s >= cycle.start_s - early) & (series.time_s < cycle.until_s) & ~_is_older(series, cycle)
    for rule in rules():
        measure = series.measure(rule)
        if measure and window.any():
            traces = Traces.of(series, measure)
            by_sign = {sign: list(runs(series, traces, rule, window, sign)) for sign in rule.signs}
            response = _response(series, traces, rule, cycle, by_sign)
            if response is not None:
                yield response


def _is_older(series: Series, cycle: Cycle) -> Mask:
    """Single ECGs at or before the event belong to what was before it; of averages the tolerance may be asked."""
    return np.asarray((series.time_s <= cycle.start_s) & bool(series.comparisons))


def _response(series: Series, traces: Traces, rule: Rule, cycle: Cycle, by_sign: Mapping[int, list[Run]]) -> Response | None:
    """Of all sustained changes of one measure what counts; ``None`` if nothing does."""
    last_s = cycle.relieving.time_s if cycle.relieving is not None else np.inf
    tall = {
        sign: [each for each in with_neighbours(series, found, rule) if series.time_s[each.first] <= last_s]
        for sign, found in by_sign.items()
    }
    every = [each for found in tall.values() for each in found]
    if not every:
        return None
    largest = max(every, key=lambda each: each.peak_uv)
    # Elevation tells the place, depression may be its mirror: it comes first wherever it counts by itself.
    sign = 1 if rule.name == "ST" and tall.get(1) else largest.sign
    main = max(tall[sign], key=lambda each: each.peak_uv)
    leads = {series.leads[each.lead] for each in tall[sign]}
    if len(leads) == 1:
        leads = {series.leads[each.lead] for each in beside(series, tall[sign], by_sign[sign])}
    turned = {series.leads[each.lead] for each in tall[sign] if _turned(series, traces.measure, each)}
    if rule.name == "T" and series.leads[main.lead] in turned:
        leads = turned
    others = {series.leads[each.lead] for other, found in tall.items() if other != sign for each in found} - leads
    share, noise = pattern(series, traces, main.peak)
    change, half = float(traces.steady[main.lead, main.peak]), float(traces.error[main.lead, main.peak])
    return Response(
        name=rule.name,
        measure=traces.measure,
        leads=sort_leads(leads),
        opposite=sort_leads(others),
        lead=series.leads[main.lead],
        extremum_s=float(series.time_s[main.peak]),
        extremum_uv=change,
        value_uv=float(series.steady_value(traces.measure)[main.lead, main.peak]),
        low_uv=change - half,
        high_uv=change + half,
        row=main.peak,
        onset=_onset(series, traces, cycle, every, (share, noise)),
        relief=settled(series, share, main.peak, abs(change), rule.limit_uv, cycle),
        share=share,
    )


def _turned(series: Series, measure: str, each: Run) -> bool:
    """Whether what was upright is negative at the extremum."""
    value = float(series.steady_value(measure)[each.lead, each.peak])
    return value < 0.0 < value - float(series.steady_change(measure)[each.lead, each.peak])


def _onset(series: Series, traces: Traces, cycle: Cycle, tall: list[Run], whole: tuple[Floats, Floats]) -> Onset:
    """The earliest departure, of a lead or of the pattern of all, that the event can have caused."""
    share, noise = whole
    began = [departure(each.sign * traces.change[each.lead], traces.noise[each.lead], each.first) for each in tall]
    began.append(departure(share, noise, min(each.first for each in tall)))
    earliest = cycle.start_s - settings("response")["tolerance_s"]
    caused = [row for row in began if series.time_s[row] >= earliest]
    row = min(caused or began)
    time = float(series.time_s[row])
    before = np.flatnonzero(series.measured[:, :row].any(axis=0))
    not_before = float(series.time_s[before[-1]]) if len(before) else _NAN
    after = next((each for each in reversed(cycle.provoking) if each.time_s <= time), cycle.provoking[0])
    if not caused:
        reason = f"it had begun {cycle.start_s - time:.0f} s before {cycle.provoking[0].text!r}"
        return Onset(EARLIER, time, not_before, cycle.provoking[0], _NAN, reason)
    if not len(before):
        return Onset(FIRST_ROW, time, _NAN, after, time - after.time_s, "nothing was measured before it")
    late = f"it began {after.time_s - time:.0f} s before the mark of {after.text!r}" if time < after.time_s else ""
    return Onset(FOUND, time, not_before, after, time - after.time_s, late)


def settled(series: Series, share: Floats, peak: int, peak_uv: float, limit_uv: float, cycle: Cycle) -> Relief:
    """Whether and when a change went after its extremum.

    Parameters
    ----------
    series : Series
    share : ndarray, shape (row,)
        How much of it there was, 1 at row `peak`.
    peak : int
    peak_uv, limit_uv : float
        Its size there, and below what it is gone.
    cycle : Cycle
    """
    numbers = settings("relief")
    rows = np.flatnonzero(np.isfinite(share) & (series.time_s < cycle.until_s) & (np.arange(len(share)) >= peak))
    half = _stays_below(series, share, rows, numbers["half"])
    gone = _stays_below(series, share, rows, min(numbers["half"], limit_uv / max(peak_uv, 1e-9)))
    first = half if half is not None else gone
    drug = cycle.relieving
    after = drug if drug is not None and (first is None or series.time_s[first] > drug.time_s) else None
    origin = max(after.time_s, series.start_s) if after is not None else float(series.time_s[peak])

    def at(row: int | None) -> tuple[float, float]:
        return (_NAN, _NAN) if row is None else (float(series.time_s[row]), float(series.time_s[row]) - origin)

    times = at(gone), at(half)
    last = float(series.time_s[rows[-1]]) if len(rows) else float(series.time_s[peak])
    since = f"after {after.text!r}" if after is not None else "after the extremum"
    state, reason = _state(gone, half, last - origin, since)
    if after is None and drug is not None and state in (RELIEVED, HALF):
        reason = f"by itself, before {drug.text!r}"
    told = gone if gone is not None else half
    earlier = rows[rows < (told if told is not None else -1)]
    not_before = float(series.time_s[earlier[-1]]) if len(earlier) else _NAN
    return Relief(state, times[0][0], times[1][0], after, times[0][1], times[1][1], not_before, reason)


def _state(gone: int | None, half: int | None, watched_s: float, since: str) -> tuple[str, str]:
    if gone is not None:
        return RELIEVED, ""
    if half is not None:
        return HALF, f"below half of the extremum, not gone, when the record ends {watched_s:.0f} s {since}"
    if watched_s >= settings("relief")["watched_s"]:
        return NOT_RELIEVED, f"watched for {watched_s:.0f} s {since}"
    if watched_s <= 0.0:
        return UNKNOWN, f"nothing was measured {since}"
    return UNKNOWN, f"the recording ends {watched_s:.0f} s {since}"


def _stays_below(series: Series, share: Floats, rows: NDArray[np.intp], limit: float) -> int | None:
    """The first row from which on the share is below a limit for as long as a change must last."""
    below = share[rows] < limit
    time = series.time_s[rows]
    least = settings("response")["sustained_s"]
    for place in map(int, np.flatnonzero(below)):
        again = np.flatnonzero(~below[place:])
        end = place + (int(again[0]) if len(again) else len(below) - place)
        stops = (time[end - 1] + time[min(end, len(time) - 1)]) / 2.0
        begins = (time[max(place - 1, 0)] + time[place]) / 2.0
        if stops - begins >= least:
            return int(rows[place])
    return None
