"""What an episode is: an ischemic ramp, or something else that moves ST and T; always with the evidence.

The order matters: what is not a measurement of the heart (artefact) is none of the others, a change of conduction changes ST
without ischemia, a turn of the heart comes at once and turns the QRS complex too, and a faster rate alone changes ST a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgspasm.continuous.detect import Stretch
from ecgspasm.continuous.episode import ARTEFACT, CONDUCTION, ISCHEMIC, RATE, STEP
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.trend import Trend
from ecgspasm.ecg import Floats
from ecgspasm.leads import contiguous_pairs


@dataclass(frozen=True)
class Verdict:
    """A kind with what speaks for it, in words with figures."""

    kind: str
    evidence: tuple[str, ...]


def kind_of(trend: Trend, group: list[Stretch], deviation_uv: Floats, rate_level_bpm: Floats) -> Verdict:
    """Say what an episode is.

    Parameters
    ----------
    trend : Trend
    group : list of Stretch
        The leads of the episode.
    deviation_uv : ndarray, shape (lead, row)
    rate_level_bpm : ndarray, shape (row,)
        The usual rate.
    """
    main = max(group, key=lambda each: abs(deviation_uv[each.lead, each.peak]))
    row = deviation_uv[main.lead] * np.sign(deviation_uv[main.lead, main.peak])
    spoilt = _artefact(trend, group, main, row)
    if spoilt:
        return Verdict(ARTEFACT, (spoilt,))
    ramp = _ramp(trend, main, row)
    conducted = _conduction(trend, main)
    if conducted:
        return Verdict(CONDUCTION, (conducted, ramp))
    turned = _step(trend, main, row)
    if turned:
        return Verdict(STEP, turned)
    fast = _rate(trend, main, row, rate_level_bpm)
    if fast:
        return Verdict(RATE, (fast, ramp))
    return Verdict(ISCHEMIC, (ramp, *_steady(trend, main, row, rate_level_bpm)))


def _artefact(trend: Trend, group: list[Stretch], main: Stretch, row: Floats) -> str:
    """Noise, gaps, or one lead that moves alone where its neighbours would have to follow."""
    numbers = settings("kinds")
    part = slice(main.first, main.last + 1)
    span_s = trend.time_s[main.last] - trend.time_s[main.first]
    missing = 1.0 - np.isfinite(row[part]).mean()
    if missing > numbers["missing_share"]:
        return f"{100 * missing:.0f} % of the averages are missing"
    noise = _median_of(trend.se_uv[main.lead].astype(float), main.first, main.last + 1)
    if noise * numbers["noise_factor"] > row[main.peak]:
        return f"the averages are uncertain by {noise:.0f} uV (standard error), the change is {row[main.peak]:.0f} uV"
    name = trend.leads[main.lead]
    near = [k for k, lead in enumerate(trend.leads) if frozenset((lead, name)) in contiguous_pairs()]
    near = [k for k in near if np.isfinite(trend.se_uv[k, part]).mean() > 0.5]
    if len(group) == 1 and len(near) == 2 and len(trend.leads) >= numbers["leads_to_tell"]:
        r = trend.get("r_uv")[main.lead] - trend.get("s_uv")[main.lead]
        before, during = _median_of(r, *_before(trend, main)), _median_of(r, main.first, main.last + 1)
        if abs(during - before) > numbers["lone_qrs_share"] * before:
            return f"{name} alone changes, and its QRS complex from {before:.0f} to {during:.0f} uV, in {span_s:.0f} s"
    return ""


def _ramp(trend: Trend, main: Stretch, row: Floats) -> str:
    up_s, down_s = _edges_s(trend, main, row)
    told = f"rises over {up_s:.0f} s" if up_s > 0 else "begins at once"
    if main.open_end:
        return f"{told}; goes on when the measurement ends"
    return f"{told}, falls over {down_s:.0f} s"


def _edges_s(trend: Trend, main: Stretch, row: Floats) -> tuple[float, float]:
    """How long the deviation takes from a quarter to three quarters of its extremum, and back."""
    top = row[main.peak]
    before, after = row[: main.peak + 1][::-1], row[main.peak :]
    at = []
    for part, sign in ((before, -1), (after, 1)):
        known = np.where(np.isfinite(part), part, top)
        below = [known < share * top for share in (0.75, 0.25)]
        places = [int(each.argmax()) if each.any() else len(known) - 1 for each in below]
        at.append(abs(trend.time_s[main.peak + sign * places[1]] - trend.time_s[main.peak + sign * places[0]]))
    return float(at[0]), float(at[1])


def _before(trend: Trend, main: Stretch) -> tuple[int, int]:
    """Rows before the episode that tell what was usual."""
    numbers = settings("kinds")
    first, last = np.searchsorted(trend.time_s, trend.time_s[main.first] - np.array([numbers["before_s"], numbers["apart_s"]]))
    return int(first), max(int(last), int(first) + 1)


def _median_of(values: Floats, first: int, last: int) -> float:
    part = values[first:last]
    known = part[np.isfinite(part)]
    return float(np.median(known)) if len(known) else float("nan")


def _conduction(trend: Trend, main: Stretch) -> str:
    """A QRS complex that has become wider or narrower."""
    before = _median_of(trend.qrs_ms, *_before(trend, main))
    during = _median_of(trend.qrs_ms, main.first, main.last + 1)
    if abs(during - before) < settings("kinds")["qrs_change_ms"]:
        return ""
    return "" if np.isnan(before + during) else f"QRS {before:.0f} -> {during:.0f} ms"


def _step(trend: Trend, main: Stretch, row: Floats) -> tuple[str, ...]:
    """A change that comes at once, stays, goes at once if it goes, and turns the QRS complex at the same moment, and as much."""
    numbers = settings("kinds")
    up_s, down_s = _edges_s(trend, main, row)
    flat = float(np.nanmedian(row[main.first : main.last + 1])) / row[main.peak]
    lasts_s = trend.time_s[main.last] - trend.time_s[main.first]
    sharp = up_s <= numbers["step_s"] and not main.open_start and (down_s <= numbers["step_s"] or main.open_end)
    if not sharp or flat < numbers["plateau_share"] or lasts_s < numbers["shortest_step_s"]:
        return ()
    turned, told = _turn(trend, main.first)
    if turned < max(row[main.peak] * numbers["turned_share"], numbers["turned_uv"]):
        return ()
    return (f"comes within {max(up_s, settings('stream')['step_s']):.0f} s and stays", told)


def _turn(trend: Trend, at: int) -> tuple[float, str]:
    """Largest change of R or S, in uV, from the minute before to the minute after a row, with what it was."""
    numbers = settings("kinds")
    away, span, time = numbers["apart_s"], numbers["turn_span_s"], trend.time_s
    before = np.searchsorted(time, [time[at] - away - span, time[at] - away])
    after = np.searchsorted(time, [time[at] + away, time[at] + away + span])
    best = (0.0, "")
    for measure in ("r_uv", "s_uv"):
        for lead, name in enumerate(trend.leads):
            one, other = (_median_of(trend.get(measure)[lead], *each) for each in (before, after))
            if abs(other - one) > best[0]:
                best = (abs(other - one), f"{measure[0].upper()} of {name} {one:+.0f} -> {other:+.0f} uV at the same time")
    return best


def _rate(trend: Trend, main: Stretch, row: Floats, rate_level_bpm: Floats) -> str:
    """A deviation no larger than the faster rate alone brings about."""
    numbers = settings("kinds")
    usual, at_peak = float(rate_level_bpm[main.peak]), _rate_at_height(trend, main, row)
    faster = at_peak - usual
    if not faster >= numbers["faster_bpm"]:
        return ""
    slope = row[main.peak] / faster
    if slope > numbers["largest_uv_per_bpm"]:
        return ""
    return f"rate {usual:.0f} -> {at_peak:.0f}/min, {slope:.1f} uV for each beat/min more"


def _rate_at_height(trend: Trend, main: Stretch, row: Floats) -> float:
    """Rate while the deviation was near its extremum, which of a plateau may lie anywhere, also at its edge."""
    part = slice(main.first, main.last + 1)
    high = row[part] >= settings("kinds")["height_share"] * row[main.peak]
    rate = trend.rate_bpm[part][high]
    return _median_of(rate, 0, len(rate))


def _steady(trend: Trend, main: Stretch, row: Floats, rate_level_bpm: Floats) -> tuple[str, ...]:
    """What speaks against a change that goes with the rate."""
    usual, at_peak = float(rate_level_bpm[main.peak]), _rate_at_height(trend, main, row)
    return () if np.isnan(usual + at_peak) else (f"rate {usual:.0f} -> {at_peak:.0f}/min",)
