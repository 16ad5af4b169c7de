"""What is wrong between two ECGs: cables, gain, sampling rate, leads shifted or copied. Nothing of it is new ischemia."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import ecgspasm as es
from tests.trust.signals import eight_leads

_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
# What I and II show with the cables at other limbs.
_LIMBS = (
    {"I": {"I": -1.0}, "II": {"III": 1.0}},
    {"I": {"III": -1.0}, "II": {"II": -1.0}},
    {"I": {"II": 1.0}, "II": {"I": 1.0}},
    {"I": {"II": -1.0}, "II": {"III": -1.0}},
    {"I": {"III": 1.0}, "II": {"I": -1.0}},
)


def limbs_swapped(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Limb cables exchanged or rotated; the other limb leads follow."""
    recipe = _LIMBS[rng.integers(len(_LIMBS))]
    signal = np.array(ecg.signal_uv)
    for lead, parts in recipe.items():
        signal[ecg.index(lead)] = sum(weight * ecg[part] for part, weight in parts.items())
    return _limbs_anew(replace(ecg, signal_uv=signal))


def chest_swapped(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """Two chest leads exchanged, all of them reversed, or shuffled."""
    which = rng.integers(3)
    order = list(range(6))
    if which == 0:
        one, other = rng.choice(6, size=2, replace=False)
        order[one], order[other] = int(other), int(one)
    elif which == 1:
        order.reverse()
    else:
        order = [int(place) for place in rng.permutation(6)]
    signal = np.array(ecg.signal_uv)
    for place, source in enumerate(order):
        signal[ecg.index(_CHEST[place])] = ecg[_CHEST[source]]
    return replace(ecg, signal_uv=signal)


def inverted(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """One, some or all leads upside down."""
    rows = rng.choice(len(ecg.leads), size=int(rng.choice([1, 2, 3, 6, 12])), replace=False)
    signal = np.array(ecg.signal_uv)
    signal[rows] *= -1.0
    return replace(ecg, signal_uv=signal)


def wrong_gain(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """All leads, the chest leads, the limb leads or one lead at another gain."""
    gain = float(rng.choice([0.1, 0.25, 0.4, 0.5, 0.75, 1.25, 1.5, 2.0, 2.5, 4.0, 10.0]))
    chest = [ecg.index(lead) for lead in _CHEST]
    limb = [row for row in range(len(ecg.leads)) if row not in chest]
    rows = [list(range(len(ecg.leads))), chest, limb, [int(rng.integers(len(ecg.leads)))]][rng.integers(4)]
    signal = np.array(ecg.signal_uv)
    signal[rows] *= gain
    return replace(ecg, signal_uv=signal)


def wrong_rate(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """The file tells another sampling rate than the signal has."""
    told = [
        fs
        for fs in (125.0, 200.0, 250.0, 257.0, 360.0, 400.0, 500.0, 512.0, 1000.0, 2000.0)
        if 0.2 < fs / ecg.fs < 5.0 and fs != ecg.fs
    ]
    return replace(ecg, fs=float(rng.choice(told)))


def lead_shifted(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """One lead, or the chest leads, early or late by 5 to 500 ms."""
    chest = [ecg.index(lead) for lead in _CHEST]
    rows = [int(rng.integers(len(ecg.leads)))] if rng.random() < 0.7 else chest
    by = int(rng.choice([-1, 1]) * np.exp(rng.uniform(np.log(5.0), np.log(500.0))) * ecg.fs / 1000.0)
    signal = np.array(ecg.signal_uv)
    signal[rows] = np.roll(signal[rows], by, axis=1)
    return replace(ecg, signal_uv=signal)


def lead_copied(ecg: es.Ecg, rng: np.random.Generator) -> es.Ecg:
    """One to three leads show another one."""
    signal = np.array(ecg.signal_uv)
    for _ in range(int(rng.integers(1, 4))):
        to, source = rng.choice(len(ecg.leads), size=2, replace=False)
        signal[to] = ecg.signal_uv[source]
    changed = replace(ecg, signal_uv=signal)
    return _limbs_anew(changed) if rng.random() < 0.3 else changed


def _limbs_anew(ecg: es.Ecg) -> es.Ecg:
    whole = eight_leads(ecg).with_derived_leads()
    return replace(ecg, signal_uv=np.stack([whole[lead] for lead in ecg.leads]))
