"""The Lobachevsky University Database (LUDB): records whose headers hide the amplitude.

LUDB's headers stretch every lead to 1 "mV" from peak to peak, so that a reader that obeys them gives 12 leads without
any relation to each other. The digital samples are microvolts: with one step taken as 1 uV, II = I + III holds exactly
and the amplitudes are those of an ECG. See Kalyakulina AI et al., IEEE Access 2020;8:186181
(doi:10.1109/ACCESS.2020.3029211).
"""

from __future__ import annotations

import os

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import blame, local_path
from ecgspasm.io.wfdb.reader import Digital, header_of, read_digital, scaled

NOTE = "LUDB: header normalised to 1 mV peak to peak a lead, so one digital step was read as 1 uV"
_NAMES = tuple(lead.casefold() for lead in lead_names.STANDARD)
_EINTHOVEN_STEPS = 2
_CANNOT_BE_CHANCE = 6


def is_ludb(digital: Digital) -> bool:
    """Whether a record has LUDB's layout and its normalised scale.

    The mark is a gain that is exactly the span of its lead's samples. In another record one lead in a thousand has it
    by chance; six or more make a LUDB record. The rest must then hold as well: all twelve gains, LUDB's names and
    order, one file of format 16 in mV, and II = I + III in digital steps within 2.

    Raises
    ------
    EcgError
        If some of it holds and some does not: the header is damaged, and no scale could be trusted.
    """
    lines, samples = digital.header.signals, digital.samples
    gains = [line.gain for line in lines]
    if len(lines) < _CANNOT_BE_CHANCE or len(set(gains)) == 1 or not isinstance(samples, np.ndarray):
        return False
    spans = np.ptp(samples.astype(np.int32), axis=1).tolist()
    hits = sum(gain == span and span > 0 for gain, span in zip(gains, spans, strict=True))
    if hits < _CANNOT_BE_CHANCE:
        return False
    layout = tuple(line.description for line in lines) == _NAMES and all(line.units == "mV" for line in lines)
    limb = samples[:3].astype(np.int32)
    einthoven = np.abs(limb[1] - limb[0] - limb[2]).max() <= _EINTHOVEN_STEPS
    if not (hits == len(lines) and layout and einthoven):
        raise EcgError(f"the header is normalised as LUDB's, but only {hits} leads fit it; fetch the record again")
    return True


def in_microvolts(digital: Digital) -> Ecg:
    """Take one digital step as 1 uV, whatever the header says."""
    return scaled(
        digital,
        rows=range(12),
        leads=lead_names.STANDARD,
        scales=[1.0] * 12,
        baselines=[0] * 12,
        notes=(*digital.notes, NOTE),
    )


def read_ludb(path: str | os.PathLike[str]) -> Ecg:
    """Read a record of LUDB in microvolts.

    Parameters
    ----------
    path : path of the header or of the signal file, or the name of the record without a suffix

    Raises
    ------
    EcgError
        If the record is not one of LUDB's, or damaged.
    """
    header_path = header_of(local_path(path))
    with blame(header_path):
        digital = read_digital(header_path)
        if not is_ludb(digital):
            raise EcgError("this record has not LUDB's layout; read it with ecgspasm.read")
        return in_microvolts(digital)
