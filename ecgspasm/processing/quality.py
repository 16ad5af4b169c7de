"""Which leads can be measured at all, and why the others cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecgspasm.ecg import Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.leads import DERIVED
from ecgspasm.masks import true_spans
from ecgspasm.processing.settings import settings

_CLIPPED = "clipped"


def lead_quality(ecg: Ecg, *, missing_share: float | None = None) -> tuple[str, ...]:
    """Give the reason why each lead cannot be used, or an empty string.

    Parameters
    ----------
    ecg : Ecg
    missing_share : float, optional
        Largest share of samples that a lead may lack; by default that of a short ECG.

    Returns
    -------
    tuple of str
        One a lead; empty = usable.

    Raises
    ------
    EcgError
        If the recording as a whole is too short.
    """
    limits = settings("input")
    if ecg.duration_s < limits["shortest_s"]:
        raise EcgError(
            f"the recording lasts {ecg.duration_s:.2g} s; at least {limits['shortest_s']} s are needed to tell beats apart"
        )
    signal = ecg.signal_uv
    missing = np.isnan(signal).mean(axis=1)
    with np.errstate(invalid="ignore"):
        high = np.fmax.reduce(signal, axis=1)
        low = np.fmin.reduce(signal, axis=1)
    span = high - low
    # One spike in a quarter of an hour must not cost the lead: where the span is too large, that of all but 1 % counts.
    for row in np.flatnonzero(span > settings("quality")["largest_span_uv"]):
        span[row] = np.ptp(np.nanquantile(signal[row], [0.005, 0.995]))
    stuck = np.maximum(_stuck_share(signal, ecg.fs, low, high), _level_share(signal, ecg.fs, low, high))
    stuck = np.maximum(stuck, _hidden_share(signal, ecg.fs))
    wraps = _wraps(signal, span)
    everywhere_tiny = not np.any(span >= settings("quality")["unit_span_uv"])
    most = settings("quality")["missing_share"] if missing_share is None else missing_share
    reasons = [
        f"{100 * missing[row]:.0f} % of the samples are missing"
        if most < missing[row] < 1.0
        else _reason(missing[row], span[row], stuck[row], everywhere_tiny=everywhere_tiny)
        for row in range(len(ecg.leads))
    ]
    return tuple(
        f"jumps by {wrap / 1000:.2g} mV from one sample to the next, up and down: numbers that wrapped around?"
        if wrap > 0.0 and (not reason or reason.startswith(_CLIPPED))
        else reason
        for wrap, reason in zip(wraps, reasons, strict=True)
    )


def without_held(ecg: Ecg) -> Ecg:
    """Take lost samples out: stretches of one and the same number that a receiver puts where packets are missing.

    They begin or end with a leap, or last longer than any noise lets a lead rest. A lead that often rests is drawn, or coarsely
    rounded. The ends of its range are left to those who look for clipping, unless they are far from all else.

    Returns
    -------
    Ecg
        The same one if nothing is taken out.
    """
    numbers = settings("held")
    shortest, surely = (max(round(numbers[name] * ecg.fs / 1000.0), 4) for name in ("run_ms", "long_ms"))
    signal = None
    for row, values in enumerate(ecg.signal_uv):
        step = np.abs(np.diff(values))
        first, last = true_spans(step == 0.0).T
        kept = last - first >= shortest
        first, last = first[kept], last[kept]
        if not 0 < len(first) <= max(numbers["most_per_s"] * ecg.duration_s, 1.0):
            continue
        before, after = step[np.maximum(first - 1, 0)], step[np.minimum(last, len(step) - 1)]
        leap = max(numbers["leap_uv"], numbers["leap_times_usual"] * float(np.nanmedian(step)))
        held = (np.fmax(before, after) > leap) | (last - first >= surely)
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        inner = (values[first] != low) & (values[first] != high)
        held &= inner | (np.fmin(before, after) > numbers["far_share"] * (high - low))
        if not held.any():
            continue
        signal = np.array(ecg.signal_uv) if signal is None else signal
        for start, stop in zip(first[held], last[held], strict=True):
            signal[row, start : stop + 1] = np.nan
    return ecg if signal is None else replace(ecg, signal_uv=signal)


def with_sources(ecg: Ecg, reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse limb leads that were computed from a refused one, by this library or by the device before.

    A device records two limb leads, I and II, and computes the others. Where all of them follow from I and II to the last
    digits, a fault of I or II is in them too, whatever they look like; where one does not, it was disturbed by itself. Pacing
    spikes are judged in every lead by themselves.
    """
    refused = {lead: why for lead, why in zip(ecg.leads, reasons, strict=True) if why and not why.startswith("spikes")}
    if not refused:
        return reasons
    own = list(reasons)
    for row, lead in enumerate(ecg.leads):
        recipe = DERIVED.get(lead, {})
        source = next((part for part in recipe if part in refused), None)
        if source is None or own[row]:
            continue
        if lead in ecg.derived or (lead not in ("I", "II") and source in ("I", "II") and _follows(ecg, lead)):
            own[row] = f"follows from {source}: {refused[source]}"
    return tuple(own)


def _follows(ecg: Ecg, lead: str) -> bool:
    """Whether a limb lead is what the two that are recorded give."""
    recipe = DERIVED[lead]
    if not set(recipe) <= set(ecg.leads):
        return False
    off = ecg[lead] - sum(weight * ecg[part] for part, weight in recipe.items())
    off = np.abs(off[np.isfinite(off)])
    return bool(off.size) and float(np.quantile(off, 0.99)) <= float(settings("quality")["limb_residue_uv"])


def tells_time(reason: str) -> bool:
    """Whether a lead of that quality still shows when its waves begin and end: one that is only clipped does."""
    return not reason or reason.startswith(_CLIPPED)


def _stuck_share(signal: Floats, fs: float, low: Floats, high: Floats) -> Floats:
    """Share of samples that stick at an end of the range, shape (lead,).

    A wave that is cut off runs steeply into the end of the range and out of it again. A line that is flat because nothing happens
    (a drawn ECG at rest at its lowest value) is entered gently and does not count, a T wave that is cut off again and again far
    from where the lead rests does.
    """
    numbers = settings("quality")
    share = np.zeros(len(signal))
    for row, values in enumerate(signal):
        for end in (low[row], high[row]):
            at_end = values == end
            if np.count_nonzero(at_end) <= settings("quality")["clipped_share"] / 2 * len(values):
                continue
            first, last = true_spans(at_end).T
            before = values[np.maximum(first - 1, 0)]
            after = values[np.minimum(last, len(values) - 1)]
            jump = np.minimum(np.abs(before - end), np.abs(after - end))
            steep = jump > settings("quality")["cut_share"] * (high[row] - low[row])
            steep |= (first == 0) & (last == len(values))
            long = last - first >= numbers["still_ms"] * fs / 1000.0
            if np.count_nonzero(long) > numbers["runs_per_s"] * len(values) / fs:
                steep |= long & _quieter(values, first[long], last[long])
            share[row] += float((last - first - 1)[steep].sum()) / len(values)
    return share


def _level_share(signal: Floats, fs: float, low: Floats, high: Floats) -> Floats:
    """Share of samples in level stretches at an end of the range that no heart draws, shape (lead,).

    They are entered and left steeply, or long and away from where the lead rests (a T wave that is cut off is entered gently). An
    amplifier cuts off before the noise of the converter is added: then the stretch is level only on average.
    """
    numbers = settings("quality")
    share = np.zeros(len(signal))
    # Six samples at least: at low rates no shorter stretch tells a summit from a level.
    shortest, aside = max(6, round(numbers["run_ms"] * fs / 1000.0)), max(1, round(numbers["slope_ms"] * fs / 1000.0))
    for row, values in enumerate(signal):
        steps = np.abs(np.diff(values, n=2))
        rough = float(np.median(steps[np.isfinite(steps)])) if np.isfinite(steps).any() else 0.0
        for end, sign in ((low[row], -1.0), (high[row], 1.0)):
            near = sign * (values - end) > -numbers["band_uv"]
            if np.count_nonzero(near) <= numbers["clipped_share"] / 2 * len(values):
                continue
            first, last = true_spans(near).T
            kept = (last - first >= shortest) & (first >= aside) & (last + aside <= len(values))
            first, last = first[kept], last[kept]
            total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
            third = (last - first) // 3
            middle = (total[last - third] - total[first + third]) / (last - first - 2 * third)
            outer = (total[first + third] - total[first] + total[last] - total[last - third]) / (2 * third)
            enters, leaves = values[first] - values[first - aside], values[last - 1] - values[last - 1 + aside]
            steep = np.minimum(sign * enters, sign * leaves) > numbers["slope_uv_per_ms"] * numbers["slope_ms"]
            # A line without any noise, that turns nowhere, is drawn: its corners are no ends of a range.
            turns = np.concatenate([[0, 0], np.cumsum(np.diff(np.sign(np.diff(values))) != 0.0)])
            noisy = turns[last - third] - turns[first + third] > numbers["turns_share"] * (last - first - 2 * third)
            noisy &= rough > numbers["rounding_uv"]
            above = sign * (end - np.nanmedian(values))
            if _quieter(values, first, last):
                # Noise below the resolution leaves one number.
                still = np.concatenate([[0], np.cumsum(np.diff(values) == 0.0)])
                noisy |= 2 * (still[last - 1] - still[first]) > last - first
            level = np.abs(middle - outer) < numbers["level_uv"]
            long = last - first >= numbers["long_run_ms"] * fs / 1000.0
            long &= (above > numbers["raised_level_uv"]) & _quieter(values, first[long], last[long])
            # What a beat loses it loses every time; wander brings a rest to the end of the range once.
            long &= np.count_nonzero(long) > numbers["runs_per_s"] * len(values) / fs
            cut = level & ((steep & noisy) | long)
            share[row] += float((last - first)[cut].sum()) / len(values)
    return share


def _hidden_share(signal: Floats, fs: float) -> Floats:
    """Share of samples at an end of the range that hides the noise that the lead has elsewhere, shape (lead,)."""
    numbers = settings("quality")
    share = np.zeros(len(signal))
    for row in np.flatnonzero(np.isfinite(signal).any(axis=1)):
        values = signal[row]
        smooth = ndimage.uniform_filter1d(np.nan_to_num(values), max(1, round(numbers["slope_ms"] * fs / 1000.0)))
        for end in (smooth.min(), smooth.max()):
            if abs(end - np.nanmedian(values)) < numbers["hidden_raised_uv"]:
                continue
            first, last = true_spans(np.abs(smooth - end) < numbers["hidden_uv"]).T
            long = last - first >= numbers["long_run_ms"] * fs / 1000.0
            if np.count_nonzero(long) > numbers["runs_per_s"] * len(values) / fs and _quieter(values, first[long], last[long]):
                share[row] += float((last - first)[long].sum()) / len(values)
    return share


def _quieter(values: Floats, first: NDArray[np.intp], last: NDArray[np.intp]) -> bool:
    """Whether a lead has much less noise in these stretches than elsewhere: an end of the range hides it."""
    rough = np.abs(np.diff(values, n=2, prepend=values[0], append=values[-1]))
    inside = np.zeros(len(values), dtype=bool)
    for start, stop in zip(first, last, strict=True):
        inside[start + 2 : stop - 2] = True
    if not (inside.any() and np.isfinite(rough[~inside]).any() and np.isfinite(rough[inside]).any()):
        return False
    numbers, usual = settings("quality"), float(np.nanmedian(rough[~inside]))
    return usual > numbers["rough_uv"] and bool(np.nanmedian(rough[inside]) < numbers["quiet_share"] * usual)


def _wraps(signal: Floats, span: Floats) -> Floats:
    """Size of the jumps where a lead leaves its range at one end and comes back at the other, 0 where it does not, shape (lead,).

    A step goes one way, a wrong sample does not stay, a lost contact comes once, and a noisy lead leaps all the time.
    """
    numbers = settings("quality")
    size = np.zeros(len(signal))
    for row in np.flatnonzero(span > numbers["wrap_smallest_uv"]):
        values = signal[row]
        step = np.diff(values)
        known = np.abs(step[np.isfinite(step)])
        usual = float(np.median(known)) if known.size else 0.0
        at = np.flatnonzero(np.abs(step) > max(numbers["wrap_share"] * span[row], numbers["wrap_times_usual"] * usual))
        before = values[at] - values[np.maximum(at - 3, 0)]
        after = values[np.minimum(at + 4, len(values) - 1)] - values[at + 1]
        stays = np.maximum(np.abs(before), np.abs(after)) < 0.5 * np.abs(step[at])
        if min(np.count_nonzero(stays & (step[at] > 0)), np.count_nonzero(stays & (step[at] < 0))) >= numbers["fewest_wraps"]:
            size[row] = float(np.abs(step[at]).max())
    return size


def _reason(missing: float, span: float, stuck: float, *, everywhere_tiny: bool) -> str:
    limits = settings("quality")
    if missing == 1.0:
        return "no sample in this lead"
    if span < limits["flat_span_uv"] and not (everywhere_tiny and span > 0):
        return "flat line; lead not connected?"
    if everywhere_tiny:
        return f"spans only {span:.3g} uV, as all leads do; was the signal given in mV instead of uV?"
    if span > limits["largest_span_uv"]:
        return f"spans {span / 1000:.3g} mV, more than a heart gives; wrong gain, or an electrode came off?"
    if stuck > limits["saturated_share"]:
        return f"saturated: {100 * stuck:.0f} % of the samples stick at the end of the range"
    if stuck > limits["clipped_share"]:
        return f"{_CLIPPED}: {100 * stuck:.0f} % of the samples stick at the end of the range"
    return ""
