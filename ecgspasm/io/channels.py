"""From the channels of any file to an `Ecg`: which are leads, which are left out, and in what unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

MAX_SAMPLES = 12_000_000
"""Samples of all channels together that are read at once: 96 MB as floats; 30 min of 12 leads at 500 Hz fit."""

MOST_WITH_DERIVED = 16_000_000
"""The same with the limb leads that are derived: 22 min of 12 leads at 1000 Hz of which a file holds 8."""

MOST_SAMPLES = 40_000_000_000
"""Samples of all channels together in a recording that is read a stretch at a time: a month of 15 leads at 1000 Hz."""

LARGEST_UV = 600_000.0
"""Twice the electrode offset that an electrocardiograph has to bear (300 mV, IEC 60601-2-25); more is a wrong unit."""

_UV_PER_UNIT = {"uv": 1.0, "microvolt": 1.0, "mv": 1e3, "millivolt": 1e3, "v": 1e6, "volt": 1e6, "nv": 1e-3}

# Channels that PhysioNet's sets store beside the ECG, sometimes in mV: they are no leads whatever their unit.
_OTHER = re.compile(
    r"(resp|airflow|nasal|thor|abd|pleth|ppg|spo2|sao2|abp|art|bp|nbp|cvp|pap|icp|pressure|emg|eog|eeg|acc|gyro|temp|"
    r"marker|event|trigger|status|annotation|sv|co2|flow|volume|scg|pcg|phono|gsr|eda)",
    re.ASCII,
)


def uv_per_unit(unit: str) -> float | None:
    """Microvolts in one `unit`, or None if it is no unit of voltage.

    Examples
    --------
    >>> uv_per_unit("mV"), uv_per_unit("\\u00b5V"), uv_per_unit("mmHg")
    (1000.0, 1.0, None)
    """
    key = unit.strip().casefold().replace("\u00b5", "u").replace("\u03bc", "u")
    return _UV_PER_UNIT.get(key) or _UV_PER_UNIT.get(key.removesuffix("s"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows of a file that are leads, their names, their signs, and what was left out in words."""

    rows: tuple[int, ...]
    leads: tuple[str, ...]
    signs: tuple[float, ...]
    left_out: tuple[str, ...]


def choose(names: Sequence[str], units: Sequence[str], rename: Mapping[str, str] | None = None) -> Chosen:
    """Tell the leads among the channels of a file.

    A channel that is no lead is left out only if that is certain: it is of a known other kind, or its unit is no
    voltage.

    Parameters
    ----------
    names, units : sequence of str
        As they stand in the file, one a channel.
    rename : mapping of str to str, optional
        Lead names for channels whose own name says nothing, such as ``{"ECG1": "II"}``.

    Raises
    ------
    EcgError
        If no channel is a lead, one in volts has a name that nobody knows, or two are the same lead.
    """
    wanted = dict(rename or {})
    strangers = sorted(set(wanted) - set(names))
    if strangers:
        raise EcgError(f"rename names {one_line(strangers[0])!r}; this file has {one_line(', '.join(names))}")
    rows, leads, signs, left_out, unknown = [], [], [], [], []
    for row, (name, unit) in enumerate(zip(names, units, strict=True)):
        given = wanted.get(name, name).strip()
        # some devices store aVR with its sign turned (as in Cabrera's order); its own name says so, and no other lead's does
        bare = given[1:].strip() if given.startswith("-") and given[1:].strip().casefold() == "avr" else given
        if lead_names.is_lead(bare):
            rows.append(row)
            leads.append(lead_names.canonical(bare))
            signs.append(1.0 if bare is given else -1.0)
        elif _OTHER.match(given.casefold()) or uv_per_unit(unit) is None:
            left_out.append(f"{one_line(given, 20) or 'unnamed'} ({one_line(unit, 12)})")
        else:
            unknown.append(one_line(given, 40))
    if unknown or not rows:
        shown = unknown[0] if unknown else one_line(names[0], 40) if names else ""
        what = f"no lead is named {shown!r}" if shown else "there is no channel with the name of a lead"
        hint = f"say which lead it is: read(path, rename={{{shown!r}: 'II'}})" if shown else "name the leads in the file"
        raise EcgError(f"{what}; {hint}")
    twice = next((lead for lead in leads if leads.count(lead) > 1), None)
    if twice is not None:
        raise EcgError(f"lead {twice} is given twice; leave one of them out")
    return Chosen(tuple(rows), tuple(leads), tuple(signs), tuple(left_out))


def check_amplitudes(signal_uv: Floats, leads: Sequence[str]) -> None:
    """Refuse what no electrode gives: a wrong gain, baseline or unit.

    Raises
    ------
    EcgError
        If a lead goes beyond `LARGEST_UV`.
    """
    if not signal_uv.size:
        return
    for lead, low, high in zip(leads, np.fmin.reduce(signal_uv, axis=1), np.fmax.reduce(signal_uv, axis=1), strict=True):
        if max(high, -low) > LARGEST_UV:
            worst = max(high, -low) / 1000
            raise EcgError(f"lead {lead} reaches {worst:.4g} mV, which no electrode gives; mend its gain, baseline or unit")


def to_ecg(
    *,
    signal_uv: Floats,
    fs: float,
    leads: Sequence[str],
    subject: Subject,
    recorded_at: datetime | None,
    source: str,
    notes: Sequence[str] = (),
    derived: Sequence[str] | None = None,
) -> Ecg:
    """Build the `Ecg` and say what is to know of it in its `source`.

    Limb leads that are missing are derived, unless the file says itself which of its leads are `derived`, even if it says none:
    then it holds what it shall hold, and comes back as it was written. Of a recording that would become too large they are not.
    """
    check_amplitudes(signal_uv, leads)
    more = len(lead_names.derivable(leads)) if derived is None else 0
    too_large = more > 0 and (len(leads) + more) * signal_uv.shape[1] > MOST_WITH_DERIVED
    if too_large:
        notes = (*notes, "the other limb leads are not derived from these: the recording would be too large")
    # a read-only array that nobody else holds is taken over by Ecg without a copy
    signal_uv.setflags(write=False)
    said = "; ".join((one_line(source, 300), *notes))
    ecg = Ecg(
        signal_uv=signal_uv,
        fs=fs,
        leads=tuple(leads),
        subject=subject,
        recorded_at=recorded_at,
        source=said,
        derived=tuple(derived or ()),
    )
    return ecg.with_derived_leads() if more and not too_large else ecg
