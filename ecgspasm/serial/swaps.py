"""Swapped cables, leads turned upside down: which exchange makes the current beat fit the baseline's far better?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from ecgspasm.ecg import Floats, sort_leads

Recipe = Mapping[str, tuple[str, float]]
"""What each lead shows: another lead, with its sign."""

_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
_LIMBS = ("RA", "LA", "LL")
# Electrode potentials behind the limb leads: I = LA - RA, II = LL - RA, III = LL - LA.
_BETWEEN = {"I": ("LA", "RA"), "II": ("LL", "RA"), "III": ("LL", "LA")}
_FROM = {"aVR": "RA", "aVL": "LA", "aVF": "LL"}
_CABLES = {
    ("LA", "RA", "LL"): "the arm cables exchanged (LA/RA)",
    ("LL", "LA", "RA"): "the right arm and leg cables exchanged (RA/LL)",
    ("RA", "LL", "LA"): "the left arm and leg cables exchanged (LA/LL)",
    ("LA", "LL", "RA"): "the limb cables rotated (RA to LA, LA to LL, LL to RA)",
    ("LL", "RA", "LA"): "the limb cables rotated (RA to LL, LA to RA, LL to LA)",
}


def _limb_recipe(sits_at: tuple[str, ...]) -> dict[str, tuple[str, float]]:
    """What the limb leads show when the cables RA, LA, LL sit at other limbs."""
    place = dict(zip(_LIMBS, sits_at, strict=True))
    named = {pair: (lead, 1.0) for lead, pair in _BETWEEN.items()}
    named |= {(minus, plus): (lead, -1.0) for lead, (plus, minus) in _BETWEEN.items()}
    recipe = {lead: named[place[plus], place[minus]] for lead, (plus, minus) in _BETWEEN.items()}
    at = {limb: lead for lead, limb in _FROM.items()}
    return recipe | {lead: (at[place[limb]], 1.0) for lead, limb in _FROM.items()}


@cache
def recipes(leads: frozenset[str]) -> dict[str, Recipe]:
    """The exchanges whose leads are all there, by name.

    A recipe says as what the current leads must be read to undo the exchange of its name.
    """
    found: dict[str, Recipe] = {}
    for sits_at, name in _CABLES.items():
        back = tuple(_LIMBS[sits_at.index(limb)] for limb in _LIMBS)
        recipe = _limb_recipe(back)
        if set(recipe) <= leads:
            found[name] = recipe
    chest = [lead for lead in _CHEST if lead in leads]
    found |= {f"{one} and {two} exchanged": {one: (two, 1.0), two: (one, 1.0)} for one, two in combinations(chest, 2)}
    if len(chest) == len(_CHEST):
        found["the chest leads in reverse order"] = {
            one: (two, 1.0) for one, two in zip(_CHEST, reversed(_CHEST), strict=True) if one != two
        }
    found |= {f"{lead} turned upside down": {lead: (lead, -1.0)} for lead in sort_leads(leads)}
    return found


def swapped(leads: tuple[str, ...], one: Floats, other: Floats, limits: Mapping[str, Any]) -> tuple[str, Recipe]:
    """The exchange after which the current beat fits the baseline's far better; an empty name if none does.

    Parameters
    ----------
    leads : tuple of str
        Rows of the beats.
    one, other : ndarray, shape (lead, sample)
        Baseline and current beat, weighted by how much each wave tells.
    limits : mapping
        ``left_share``, ``misfit_share`` and ``smallest_uv``.
    """
    row = {lead: place for place, lead in enumerate(leads)}
    # All products of a baseline's lead with a current one, so that each recipe is a few sums.
    product = one @ other.T
    own, size = (other**2).sum(axis=1), (one**2).sum(axis=1)
    before = size + own - 2.0 * np.diagonal(product)
    # Of all exchanges that leave little misfit the one that removes most: turning I alone is a part of exchanging the arm cables.
    best, removed = "", 0.0
    table = recipes(frozenset(leads))
    smallest = float(limits["smallest_uv"]) ** 2 * one.shape[1]
    for name, recipe in table.items():
        to = [row[lead] for lead in recipe]
        source = [row[each] for each, _ in recipe.values()]
        sign = np.array([each for _, each in recipe.values()])
        misfit = before[to].sum()
        if misfit <= limits["misfit_share"] * size[to].sum() or misfit <= smallest * len(to):
            continue
        after = (size[to] + own[source] - 2.0 * sign * product[to, source]).sum()
        if after < limits["left_share"] * misfit and misfit - after > removed:
            best, removed = name, float(misfit - after)
    return best, table.get(best, {})
