"""What else could explain a change between two ECGs of one person."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any

import numpy as np

from ecgspasm.ecg import MEASURED, Floats, Measurements
from ecgspasm.serial.comparison import AlignedMedians

Recipe = dict[str, tuple[str, float]]
"""What each lead shows when cables are swapped: another lead, with its sign."""

_LIMB_SWAPS: dict[str, Recipe] = {
    "the arm cables exchanged (LA/RA)": {
        "I": ("I", -1), "II": ("III", 1), "III": ("II", 1), "aVR": ("aVL", 1), "aVL": ("aVR", 1), "aVF": ("aVF", 1),
    },
    "the right arm and leg cables exchanged (RA/LL)": {
        "I": ("III", -1), "II": ("II", -1), "III": ("I", -1), "aVR": ("aVF", 1), "aVL": ("aVL", 1), "aVF": ("aVR", 1),
    },
    "the left arm and leg cables exchanged (LA/LL)": {
        "I": ("II", 1), "II": ("I", 1), "III": ("III", -1), "aVR": ("aVR", 1), "aVL": ("aVF", 1), "aVF": ("aVL", 1),
    },
}  # fmt: skip


@cache
def _limits() -> dict[str, Any]:
    return tomllib.loads(files("ecgspasm.serial").joinpath("confounders.toml").read_text(encoding="utf-8"))


def confounders(
    baseline: Measurements, current: Measurements, aligned: AlignedMedians, leads: tuple[str, ...], state: tuple[str, ...]
) -> dict[str, str]:
    """Name the confounders that are present, each with its evidence.

    Parameters
    ----------
    baseline, current : Measurements
        As measured by themselves, each with its own QRS onset and J.
    aligned : AlignedMedians
    leads, state : tuple of str
        The rows of `aligned`, and which of them were measured in both ECGs.
    """
    limits = _limits()
    found: dict[str, str] = {}
    widths = f"{baseline.qrs_ms:.0f} ms in the baseline, {current.qrs_ms:.0f} ms now"
    if max(baseline.qrs_ms, current.qrs_ms) >= limits["wide-qrs"]["ms"]:
        found["wide-qrs"] = f"wide QRS ({widths}): bundle branch block or pacing changes ST and T by itself"
    if abs(current.qrs_ms - baseline.qrs_ms) >= limits["changed-conduction"]["ms"]:
        found["changed-conduction"] = f"the QRS width has changed ({widths}), and with it conduction, ST and T"
    qrs = (aligned.time_ms >= 0.0) & (aligned.time_ms <= aligned.j_ms)
    good = [row for row, each in enumerate(state) if each == MEASURED]
    one = {leads[row]: aligned.baseline_uv[row, qrs] for row in good}
    other = {leads[row]: aligned.current_uv[row, qrs] for row in good}
    swap = _swapped(one, other)
    if swap:
        found["changed-leads"] = f"the QRS complexes fit the baseline far better with {swap}: swapped cables?"
    elif aligned.qrs_correlation < limits["changed-leads"]["correlation"]:
        found["changed-leads"] = (
            f"the QRS complexes differ between the ECGs (r = {aligned.qrs_correlation:.2f}): "
            "swapped cables, other electrode sites, a new conduction block or another person?"
        )
    gain = _gain(one, other)
    if gain:
        found["changed-gain"] = f"all QRS complexes are {gain:.2g} times as large as before: another gain?"
    return found


def _swaps(leads: set[str]) -> dict[str, Recipe]:
    """The swaps whose leads are all there: limb cables, two chest cables, and one chest lead turned upside down."""
    swaps = {name: recipe for name, recipe in _LIMB_SWAPS.items() if set(recipe) <= leads}
    chest = sorted(lead for lead in leads if lead in {"V1", "V2", "V3", "V4", "V5", "V6"})
    swaps |= {f"{one} and {two} exchanged": {one: (two, 1.0), two: (one, 1.0)} for one, two in combinations(chest, 2)}
    return swaps | {f"{lead} turned upside down": {lead: (lead, -1.0)} for lead in chest}


def _swapped(one: dict[str, Floats], other: dict[str, Floats]) -> str:
    """The swap of cables after which the current QRS complexes fit the baseline far better; empty if none does."""
    limits = _limits()["swap"]
    best, best_share = "", float(limits["left_share"])
    for name, recipe in _swaps(set(one)).items():
        before = sum(float(((one[lead] - other[lead]) ** 2).sum()) for lead in recipe)
        after = sum(float(((one[lead] - sign * other[source]) ** 2).sum()) for lead, (source, sign) in recipe.items())
        size = sum(float((one[lead] ** 2).sum()) for lead in recipe)
        if before > limits["misfit_share"] * size and after < best_share * before:
            best, best_share = name, after / before
    return best


def _gain(one: dict[str, Floats], other: dict[str, Floats]) -> float:
    """The factor that the QRS complexes of all leads have grown by; 0 if they have not, or not alike."""
    limits = _limits()["changed-gain"]
    size = [(float(np.ptp(one[lead])), float(np.ptp(other[lead]))) for lead in one]
    ratios = np.array([now / before for before, now in size if before > limits["smallest_uv"] and now > 0])
    if len(ratios) < limits["fewest_leads"]:
        return 0.0
    middle = float(np.median(ratios))
    alike = float(np.median(np.abs(np.log(ratios / middle)))) < limits["spread"]
    return middle if alike and not limits["usual"][0] <= middle <= limits["usual"][1] else 0.0
