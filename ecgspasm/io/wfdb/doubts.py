"""What is odd about a WFDB header though nothing in it is forbidden.

Checksums cover the samples, but neither gain nor baseline, rate or names. A digit of those that was changed makes another sound
header, so all that can be done is to compare its lines with each other and with what is usual. What is found stands in the
`source` of the ECG; it is refused only where the leads themselves prove that a gain is wrong.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TypeVar

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.wfdb.header import Header
from ecgspasm.leads import CHEST, DERIVED, STANDARD

_V1_TO_V6 = tuple(lead for lead in CHEST if lead in STANDARD)
_LIMBS = tuple(DERIVED)
# line by line of the usual print, whose leads some devices store as they print them
_AS_PRINTED = ("I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6")
_ORDERED = (("I", "II", "III"), _V1_TO_V6, ("X", "Y", "Z"))
_LEAST_ORDERED = 6
_LOOKED_AT = 500
"""Samples that are looked at; more would tell no more."""
_MISFIT_SHARE, _MISFIT_UV = 0.25, 30.0
_FIT_SHARE = 0.05

_Value = TypeVar("_Value", float, int)


def doubts_of_header(header: Header, leads: Sequence[str], scales: Sequence[float], baselines: Sequence[int]) -> list[str]:
    """What is odd about the rate, the gains, the baselines and the names.

    Parameters
    ----------
    header : Header
    leads : sequence of str
        In their usual spelling, in the order of the file.
    scales : sequence of float
        Microvolts a step.
    baselines : sequence of int
    """
    found = []
    if header.fs is not None and not any(header.fs * spf in usual_rates_hz() for spf in {1, _samples_per_frame(header)}):
        found.append(f"no device is known that samples at {header.fs:g} Hz: check the header")
    if header.n_samples is None and not header.segments:
        found.append("the header gives no number of samples, so the length could not be compared")
    odd = _odd([abs(scale) for scale in scales])
    if odd:
        found.append(f"gain of {_named(leads, odd)} differs from that of the others: check the header")
    odd = _odd(baselines)
    if odd:
        found.append(f"baseline of {_named(leads, odd)} differs from that of the others: check the header")
    if any(signal.skew for signal in header.signals):
        found.append("a skew between the signals was undone")
    if not _in_order(leads):
        found.append("the leads stand in an unusual order: check their names")
    chest = [lead for lead in _V1_TO_V6 if lead in leads]
    if len(_V1_TO_V6) - 1 == len(chest):
        found.append(f"{next(lead for lead in _V1_TO_V6 if lead not in chest)} is missing among V1 to V6: check the names")
    return found


def doubts_of_leads(signal_uv: Floats, leads: Sequence[str], scales: Sequence[float]) -> list[str]:
    """Whether the limb leads fit to each other, as they have to by Einthoven's law and Goldberger's definitions.

    Raises
    ------
    EcgError
        If one does not but would with the gain of the others: then its gain is wrong.
    """
    rows = {lead: row for row, lead in enumerate(leads)}
    some = signal_uv[:, :: max(signal_uv.shape[1] // _LOOKED_AT, 1)]
    misfits = []
    odd = set(_odd([abs(scale) for scale in scales]))
    for lead in _LIMBS:
        recipe = DERIVED[lead]
        if lead not in rows or not all(part in rows for part in recipe):
            continue
        own = some[rows[lead]]
        wanted = sum(weight * some[rows[part]] for part, weight in recipe.items())
        if _rms(own - wanted) <= max(_MISFIT_SHARE * _rms(wanted), _MISFIT_UV):
            continue
        misfits.append(lead)
        usual = Counter(abs(scale) for scale in scales).most_common(1)[0][0]
        mended = own * (usual / abs(scales[rows[lead]]))
        if rows[lead] in odd and _rms(mended - wanted) <= _FIT_SHARE * _rms(wanted):
            raise EcgError(
                f"lead {lead} has another gain than the other leads, and fits to {' and '.join(recipe)} only with theirs; mend "
                "its gain in the header"
            )
    return [f"{', '.join(misfits)} and the other limb leads do not fit to each other: check names and gains"] if misfits else []


@cache
def usual_rates_hz() -> frozenset[float]:
    """Sampling rates at which devices are known to work (see ``rates.toml``)."""
    text = files("ecgspasm.io.wfdb").joinpath("rates.toml").read_text(encoding="utf-8")
    return frozenset(float(rate) for each in tomllib.loads(text)["rate"] for rate in each["hz"])


def _samples_per_frame(header: Header) -> int:
    return max((signal.samples_per_frame for signal in header.signals), default=1)


def _odd(values: Sequence[_Value]) -> list[int]:
    """Rows whose value is not that of most; none if all are alike or each has its own, as some writers do it."""
    counts = Counter(values).most_common()
    if len(counts) < 2 or counts[0][1] < max(len(values) / 2, 1):
        return []
    return [row for row, value in enumerate(values) if value != counts[0][0]]


def _named(leads: Sequence[str], rows: Sequence[int]) -> str:
    return ", ".join(leads[row] for row in rows)


def _in_order(leads: Sequence[str]) -> bool:
    """Whether the leads of a kind stand one after the other, as all known sets have them."""
    if tuple(leads) == _AS_PRINTED or sum(lead in STANDARD for lead in leads) < _LEAST_ORDERED:
        return True
    for order in _ORDERED:
        places = [leads.index(lead) for lead in order if lead in leads]
        if places != sorted(places):
            return False
    for kind in (_LIMBS, _V1_TO_V6):
        places = [place for place, lead in enumerate(leads) if lead in kind]
        if places and places[-1] - places[0] >= len(places):
            return False
    return True


def _rms(values: Floats) -> float:
    """Around the mean, since a lead may stand off as a whole; missing samples are left out."""
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else 0.0
