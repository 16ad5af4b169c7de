"""What the signals of an EDF file are: which are leads, how they are scaled, and where their records lie in time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ecgspasm.errors import EcgError
from ecgspasm.io.channels import Chosen, choose, uv_per_unit
from ecgspasm.io.edf.header import Channel, EdfHeader
from ecgspasm.io.file import Asked
from ecgspasm.io.paths import one_line

COARSEST_UV = 100.0
"""Microvolts a step: coarser steps cannot show an ST segment, so the calibration must be wrong."""

NARROWEST_UV = 50.0
"""Physical range that at least one lead must have; less is a wrong unit."""

_LATEST_S = 366 * 86400
# time-keeping annotation of EDF+, first in the first annotation signal of every record: "+1.5\x14\x14\x00"
_ONSET = re.compile(rb"([+-]\d{1,12}(?:\.\d{0,12})?)\x14\x14?", re.ASCII)
# Electrodes of the EEG's 10-20 system have the names that some recorders give to V1-V6.
_EEG = re.compile(r"c[1-6]", re.ASCII | re.IGNORECASE)


def leads_of(channels: list[Channel], rows: list[int], asked: Asked) -> Chosen:
    """The leads among the signals; their rows are those of the file."""
    for channel in channels:
        if _EEG.fullmatch(channel.label) and channel.label not in (asked.rename or {}):
            raise EcgError(
                f"signal {channel.label!r} may be an electrode of an EEG; if it is a chest lead, say so: "
                f"read(path, rename={{{channel.label!r}: 'V{channel.label[1]}'}})"
            )
    chosen = choose([channel.label for channel in channels], [channel.unit for channel in channels], asked.rename)
    return Chosen(tuple(rows[row] for row in chosen.rows), chosen.leads, chosen.signs, chosen.left_out)


def scales_of(leads: Sequence[Channel], chosen: Chosen, unit: str | None) -> tuple[tuple[float, float], ...]:
    """Microvolts a step and at step 0 of every lead; `unit` is for files that leave it blank."""
    scale = [_scale(channel, lead, sign, unit) for channel, lead, sign in zip(leads, chosen.leads, chosen.signs, strict=True)]
    widest = max(abs(gain) * (channel.digital[1] - channel.digital[0]) for (gain, _), channel in zip(scale, leads, strict=True))
    if widest < NARROWEST_UV:
        raise EcgError(f"no lead reaches further than {widest:.3g} uV by its calibration; mend the unit in the header")
    return tuple(scale)


def _scale(channel: Channel, lead: str, sign: float, unit: str | None) -> tuple[float, float]:
    """Microvolts a step and at step 0, from exact decimals so that whole microvolts stay whole."""
    if unit is not None and channel.unit:
        raise EcgError(f"the file itself tells its unit ({one_line(channel.unit, 12)}); leave unit= out")
    factor = uv_per_unit(channel.unit or unit or "")
    if factor is None:
        hint = "export it with a unit of voltage" if channel.unit else "say which it is: read(path, unit='uV')"
        raise EcgError(f"lead {lead} has the unit {one_line(channel.unit, 12)!r}; only uV, mV and V are an ECG's: {hint}")
    (low_uv, high_uv), (low, high) = channel.physical, channel.digital
    if low >= high or low_uv == high_uv:
        raise EcgError(
            f"lead {lead} has the physical range {float(low_uv):g} to {float(high_uv):g} and the digital range {low} to {high}, "
            "so it is not calibrated; export it with calibration"
        )
    # a physical minimum above the maximum is EDF's way to tell of an amplifier that turns the sign
    gain = (high_uv - low_uv) * Fraction(factor) / (high - low)
    if abs(gain) > COARSEST_UV:
        raise EcgError(f"lead {lead} has steps of {abs(float(gain)) / 1000:.4g} mV, which no ECG has; mend its unit or range")
    return sign * float(gain), sign * float(low_uv * Fraction(factor) - low * gain)


def onsets_of(
    header: EdfHeader, read_at: Callable[[int, int], bytes], per_record: int, fs: Fraction
) -> tuple[NDArray[np.int64] | None, Fraction]:
    """First sample of every record (None: one follows the other), and the time of the first one."""
    notes = next((row for row, channel in enumerate(header.channels) if channel.annotations), None)
    if not header.plus or notes is None:
        if header.gaps:
            raise EcgError("the file has gaps (EDF+D) but no annotations that tell where; export it again as EDF+C")
        return None, Fraction(0)
    skip = header.word * sum(channel.per_record for channel in header.channels[:notes])
    width = min(header.word * header.channels[notes].per_record, 64)
    onsets = []
    for record in range(header.n_records if header.gaps else 1):
        found = _ONSET.match(read_at(len(header.raw) + record * header.record_bytes + skip, width))
        if found is None:
            raise EcgError(f"record {record + 1} does not tell its time, as EDF+ wants; the file is damaged: fetch it again")
        onsets.append(Fraction(found[1].decode("ascii")))
    if max(abs(onset) for onset in onsets) > _LATEST_S:
        raise EcgError("a record lies more than a year after the start; the file is damaged: fetch it again")
    if not header.gaps:
        return None, onsets[0]
    at = np.array([round((onset - onsets[0]) * fs) for onset in onsets], dtype=np.int64)
    early = np.diff(at) < per_record
    if early.any():
        record = int(np.argmax(early)) + 2
        raise EcgError(f"record {record} begins before the one ahead of it ends; the file is damaged: fetch it again")
    return at, onsets[0]
