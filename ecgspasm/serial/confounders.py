"""What else could explain a change between two ECGs of one person."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import MEASURED, Floats, Measurements, Subject
from ecgspasm.leads import CHEST, DERIVED
from ecgspasm.serial.channels import copied, shifted
from ecgspasm.serial.comparison import AlignedMedians
from ecgspasm.serial.conduction import conduction
from ecgspasm.serial.geometry import Explanation, moved, stretched, turned
from ecgspasm.serial.person import years_between
from ecgspasm.serial.swaps import swapped

Found = Iterator[tuple[str, str]]
Mask = NDArray[np.bool_]


@cache
def _limits() -> dict[str, Any]:
    return tomllib.loads(files("ecgspasm.serial").joinpath("confounders.toml").read_text(encoding="utf-8"))


def confounders(
    baseline: Measurements,
    current: Measurements,
    aligned: AlignedMedians | None,
    leads: tuple[str, ...],
    state: tuple[str, ...],
    recorded: tuple[datetime | None, datetime | None] = (None, None),
) -> dict[str, str]:
    """Name the confounders that are present, each with its evidence.

    Parameters
    ----------
    baseline, current : Measurements
        As measured by themselves, each with its own QRS onset and J.
    aligned : AlignedMedians or None
        ``None`` for tables of measurements: then only what they tell is looked at.
    leads, state : tuple of str
        The rows of `aligned`, and which of them were measured in both ECGs.
    recorded : tuple of datetime or None
        When both ECGs were taken.
    """
    found = dict(_conduction(baseline, current))
    if aligned is not None:
        found |= dict(_beats(baseline, current, aligned, leads, state))
    found |= dict(_electrodes(baseline, current))
    found |= dict(_strain(current, baseline.subject))
    found |= dict(_circumstances(baseline, current, recorded))
    return found


def _conduction(baseline: Measurements, current: Measurements) -> Found:
    limits = _limits()
    kinds = conduction(baseline), conduction(current)
    widths = f"{baseline.qrs_ms:.0f} ms in the baseline, {current.qrs_ms:.0f} ms now"
    wide = max(np.nan_to_num([baseline.qrs_ms, current.qrs_ms])) >= limits["wide-qrs"]["ms"]
    # A right bundle branch block that stays is no obstacle: what ST and T do beside it is still a change.
    if wide and kinds != ("rbbb", "rbbb"):
        yield "wide-qrs", f"wide QRS ({widths}): bundle branch block or pacing changes ST and T by itself"
    wider = abs(current.qrs_ms - baseline.qrs_ms)
    if wider >= limits["changed-conduction"]["ms"]:
        yield "changed-conduction", f"the QRS width has changed ({widths}), and with it conduction, ST and T"
    elif kinds[0] != kinds[1] and "unknown" not in kinds and wider >= limits["changed-conduction"]["ms_with_kind"]:
        words = f"conduction has changed from {kinds[0]} to {kinds[1]} ({widths}), and with it ST and T"
        yield "changed-conduction", words
    rule = limits["pre-excitation"]
    for name, each in (("the baseline", baseline), ("the current ECG", current)):
        if each.pr_ms < rule["pr_ms"] and each.qrs_ms >= rule["qrs_ms"]:
            yield (
                "pre-excitation",
                f"short PR ({each.pr_ms:.0f} ms), broad QRS ({each.qrs_ms:.0f} ms) in {name}: pre-excitation?",
            )
            return


def _beats(
    baseline: Measurements, current: Measurements, aligned: AlignedMedians, leads: tuple[str, ...], state: tuple[str, ...]
) -> Found:
    """What the aligned beats tell: cables, gain, time scale, rotation, moved electrodes."""
    limits = _limits()
    time = aligned.time_ms
    is_qrs = (time >= 0.0) & (time <= aligned.j_ms)
    both = aligned.baseline_uv[:, is_qrs], aligned.current_uv[:, is_qrs]
    # Cables show in the QRS complex, also where noise forbids to measure ST.
    seen = np.minimum(*(np.ptp(each, axis=1) for each in both)) >= limits["changed-leads"]["lead_smallest_uv"]
    rows = [row for row, each in enumerate(state) if each == MEASURED or seen[row]]
    good = tuple(leads[row] for row in rows)
    if not good:
        return
    one, other = aligned.baseline_uv[rows], aligned.current_uv[rows]
    ends = [each.qt_ms for each in (baseline, current) if np.isfinite(each.qt_ms)]
    end = min(max(ends, default=400.0), float(time[-1]))
    is_st_t = (time > aligned.j_ms) & (time <= end)
    is_p = (time >= -limits["swap"]["p_ms"]) & (time < -20.0)
    first, second = (_weighted(each, is_p, is_qrs, is_st_t) for each in (one, other))
    swap, _ = swapped(good, first, second, limits["swap"])
    rule = limits["sampling-rate"]
    factor, fits, as_it_is = (1.0, 1.0, 1.0)
    if abs(np.log(max(current.qrs_ms, 1.0) / max(baseline.qrs_ms, 1.0))) >= rule["qrs_ratio_log"]:
        parts = [each * _one_beat(time, by) for each, by in ((one, baseline), (other, current))]
        factor, fits, as_it_is = stretched(parts[0], parts[1], tuple(rule["factors"]))
    if factor != 1.0 and fits - as_it_is >= rule["gain"] and fits >= rule["correlation"]:
        yield (
            "sampling-rate",
            f"everything is {factor:.3g} times as long as in the baseline (r = {fits:.2f} instead of {as_it_is:.2f}): "
            "a wrong sampling rate?",
        )
    elif swap:
        yield "changed-leads", f"the beats fit the baseline far better with {swap}: swapped cables?"
    elif strange := copied(good, one, other, limits["channels"]) or shifted(good, one, other, is_qrs, limits["channels"]):
        yield "changed-leads", strange
    else:
        yield from _unlike(aligned, good, one[:, is_qrs], other[:, is_qrs])
    yield from _geometry(good, one, other, is_qrs, is_st_t)
    for name, which in _gain_groups(good).items():
        gain = _gain(one[which][:, is_qrs], other[which][:, is_qrs], name)
        if gain:
            yield "changed-gain", f"{name} QRS complexes are {gain:.2g} times as large as before: another gain?"
            break


def _one_beat(time: Floats, measured: Measurements) -> Mask:
    """From a little before the QRS complex to the end of T: without the neighbours, which a stretch would bring in."""
    end = measured.qt_ms if np.isfinite(measured.qt_ms) else 0.6 * 60_000.0 / measured.rate_bpm
    return np.asarray((time >= -30.0) & (time <= end))


def _weighted(beat: Floats, is_p: Mask, is_qrs: Mask, is_st_t: Mask) -> Floats:
    """The beat with P raised, since it is small and tells the limb leads well, and ST-T lowered, since ischemia changes it."""
    weights = _limits()["swap"]
    scale = weights["p_weight"] * is_p + is_qrs + weights["st_t_weight"] * is_st_t
    inside = scale > 0
    return np.asarray(beat[:, inside] * scale[inside])


def _unlike(aligned: AlignedMedians, leads: tuple[str, ...], one: Floats, other: Floats) -> Found:
    """QRS complexes that do not resemble the baseline's, altogether or in one lead, without a swap that explains it."""
    limits = _limits()["changed-leads"]
    if aligned.qrs_correlation < limits["correlation"]:
        yield (
            "changed-leads",
            f"the QRS complexes differ between the ECGs (r = {aligned.qrs_correlation:.2f}): "
            "swapped cables, other electrode sites, a new conduction block or another person?",
        )
        return
    large = np.minimum(np.ptp(one, axis=1), np.ptp(other, axis=1)) >= limits["lead_smallest_uv"]
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    own = np.where(large, (one * other).sum(axis=1) / np.maximum(norms, 1e-9), 1.0)
    worst = int(np.argmin(own))
    if own[worst] < limits["lead_correlation"]:
        yield (
            "changed-leads",
            f"the QRS complex in {leads[worst]} has turned over against the baseline (r = {own[worst]:.2f}): "
            "a swapped cable or another electrode site?",
        )


def _geometry(leads: tuple[str, ...], one: Floats, other: Floats, is_qrs: Mask, is_st_t: Mask) -> Found:
    """A turned heart or a shifted row of electrodes, where it explains the change of QRS and of ST and T."""
    limits = _limits()
    rotation = turned(leads, one, other, is_qrs, is_st_t)
    if rotation is not None:
        words = f"the heart vector is turned by {rotation.size:.0f} degrees against the baseline"
        rule = limits["rotation"]
        if _explains(rotation, rule):
            share = 100 * rotation.st_t_share
            yield "rotation", f"{words}, which explains {share:.0f} % of the change of ST and T: another posture?"
        elif rotation.size >= rule["far"] and rotation.qrs_share >= rule["qrs_share"]:
            yield "rotation", f"{words}, more than it does from day to day: another posture?"
    shift = moved(leads, one, other, is_qrs, is_st_t)
    if shift is not None and _explains(shift, limits["electrode-position"]):
        yield (
            "electrode-position",
            f"the chest leads look shifted by {shift.size:.1f} of the way to the next one, which explains "
            f"{100 * shift.st_t_share:.0f} % of their change of ST and T: other electrode sites?",
        )


def _explains(found: Explanation, limits: dict[str, float]) -> bool:
    return (
        found.size >= limits["smallest"] and found.qrs_share >= limits["qrs_share"] and found.st_t_share >= limits["st_t_share"]
    )


def _electrodes(baseline: Measurements, current: Measurements) -> Found:
    """V1 and V2 placed too high: P turns over in V2, and a small second r appears."""
    depth = _limits()["electrode-position"]["p_negative_uv"]
    if "p_negative_uv" not in baseline.values or "p_negative_uv" not in current.values:
        return
    before, now = ((each.get("p_negative_uv", "V2"), each.get("p_positive_uv", "V2")) for each in (baseline, current))
    if now[0] <= -depth and -now[0] > now[1] and before[0] > -depth / 2 and before[1] > -before[0]:
        yield "electrode-position", f"P is negative in V2 now ({now[0]:+.0f} uV) and was not before: V1 and V2 too high?"


def _strain(current: Measurements, other: Subject) -> Found:
    """Voltage of left ventricular hypertrophy with lateral ST depression and T inversion."""
    rule = _limits()["lvh-strain"]
    if not {"r_uv", "s_uv", "st_j_uv", "t_uv"} <= set(current.values):
        return
    r = {lead: current.get("r_uv", lead) for lead in ("aVL", "V5", "V6")}
    s = {lead: -current.get("s_uv", lead) for lead in ("V1", "V3")}
    sokolow, cornell = s["V1"] + max(r["V5"], r["V6"]), r["aVL"] + s["V3"]
    sex = current.subject.sex or other.sex
    # Without the sex the lower limit: the doubt then is rather told than kept silent.
    voltage = sokolow >= rule["sokolow_uv"] or cornell > rule["cornell_male_uv" if sex == "male" else "cornell_female_uv"]
    lateral = [lead for lead in ("I", "aVL", "V5", "V6") if current.measured(lead)]
    strained = [
        lead for lead in lateral if current.get("st_j_uv", lead) <= -rule["st_uv"] and current.get("t_uv", lead) <= -rule["t_uv"]
    ]
    if voltage and strained:
        words = f"Sokolow-Lyon {sokolow / 1000:.1f} mV, Cornell {cornell / 1000:.1f} mV"
        yield "lvh-strain", f"left ventricular hypertrophy ({words}) with ST depression and T inversion in {', '.join(strained)}"


def _circumstances(baseline: Measurements, current: Measurements, recorded: tuple[datetime | None, datetime | None]) -> Found:
    """Rate, rhythm, age of the baseline, quality: reasons for caution that take no verdict away."""
    limits = _limits()
    rates = f"{baseline.rate_bpm:.0f}/min in the baseline, {current.rate_bpm:.0f}/min now"
    if abs(current.rate_bpm - baseline.rate_bpm) >= limits["rate"]["bpm"]:
        yield "rate", f"the heart rate differs ({rates}): ST and T change with it"
    p_before, p_now = np.isfinite(baseline.pr_ms), np.isfinite(current.pr_ms)
    if p_before != p_now and np.isfinite([baseline.rate_bpm, current.rate_bpm, baseline.qrs_ms, current.qrs_ms]).all():
        yield (
            "rhythm",
            "P waves are gone: another rhythm?" if p_before else "P waves are there that were absent before: another rhythm?",
        )
    first, second = recorded
    years = years_between(first, second)
    if years is not None and years < 0:
        yield "reversed-order", "the current ECG was recorded before the baseline: are the two exchanged?"
    if years is not None and abs(years) >= limits["old-baseline"]["years"]:
        yield "old-baseline", f"the baseline is {abs(years):.1f} years older: slow changes may have come in between"
    for name, each in (("baseline", baseline), ("current ECG", current)):
        noise = each.se.get("st_j60_uv")
        level = float(np.nanmedian(noise)) if noise is not None and np.isfinite(noise).any() else 0.0
        few = 0 < each.n_beats < limits["poor-quality"]["fewest_beats"]
        if few or level > limits["poor-quality"]["st_se_uv"]:
            words = f"{each.n_beats} beats" if few else f"ST known to +-{1.96 * level:.0f} uV only"
            yield "poor-quality", f"poor quality of the {name}: {words}"
            return


def _gain_groups(leads: tuple[str, ...]) -> dict[str, list[int]]:
    """Rows of leads that may have a gain of their own."""
    chest = [row for row, lead in enumerate(leads) if lead in CHEST]
    limb = [row for row, lead in enumerate(leads) if lead in DERIVED]
    return {"all": list(range(len(leads))), "the chest leads'": chest, "the limb leads'": limb}


def _gain(one: Floats, other: Floats, name: str) -> float:
    """The factor that the QRS complexes of some leads have grown by; 0 if they have not, or not alike."""
    limits = _limits()["changed-gain"]
    before, now = np.ptp(one, axis=1), np.ptp(other, axis=1)
    seen = (before > limits["smallest_uv"]) & (now > 0)
    if seen.sum() < limits["fewest_leads"]:
        return 0.0
    ratios = now[seen] / before[seen]
    middle = float(np.median(ratios))
    apart = float(np.median(np.abs(np.log(ratios / middle))))
    # The limb leads are two signals only, which breathing changes alike in some people.
    low, high = limits["usual" if name == "the limb leads'" else "usual_if_same"]
    same = apart < limits["same_spread"] and not low <= middle <= high
    alike = name == "all" and apart < limits["spread"] and not limits["usual"][0] <= middle <= limits["usual"][1]
    return middle if same or alike else 0.0
