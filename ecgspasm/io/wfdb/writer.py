"""Write an `Ecg` as a WFDB record of format 16, the same bytes for the same ECG every time."""

from __future__ import annotations

import os
import re

import numpy as np

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES
from ecgspasm.io.paths import local_path, one_line, write_whole
from ecgspasm.recording import is_number

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}", re.ASCII)
_MISSING = -(2**15)
_LARGEST = 2**15 - 1


def write_wfdb(ecg: Ecg, folder: str | os.PathLike[str], name: str, *, gain: float = 1000.0) -> str:
    """Write ``name.hea`` and ``name.dat`` into a folder that exists.

    Parameters
    ----------
    ecg : Ecg
        Missing samples (``nan``) become the missing value of format 16.
    folder : path
    name : str
        Name of the record: letters, digits, ``_`` and ``-``.
    gain : float
        Steps per mV; 1000 makes one step 1 uV.

    Returns
    -------
    str
        Path of the header.

    Raises
    ------
    EcgError
        If an amplitude does not fit into 16 bits, or the files cannot be written.

    Notes
    -----
    The header carries sex and age as comments, the time of recording if the ECG has one, and which leads are derived.
    The key of the subject and the source are not written. The two files are written one after the other; `io.write` has both take
    the place of older ones together.
    """
    target = local_path(folder)
    if not _NAME.fullmatch(name):
        raise EcgError(f"record name {one_line(name, 40)!r}: use at most 64 letters, digits, '_' and '-'")
    if not is_number(gain) or gain <= 0:
        raise EcgError(f"gain is {one_line(repr(gain), 40)}; give the steps per mV, such as 1000")
    if ecg.signal_uv.size == 0 or ecg.signal_uv.size > MAX_SAMPLES:
        raise EcgError(f"{ecg.signal_uv.size} samples cannot be written; between 1 and {MAX_SAMPLES} can")
    digital = _digital(ecg, gain)
    write_whole(os.path.join(target, f"{name}.dat"), digital.T.astype("<i2").tobytes())
    header = os.path.join(target, f"{name}.hea")
    write_whole(header, _header(ecg, name, gain, digital).encode("ascii"))
    return header


def _digital(ecg: Ecg, gain: float) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    steps = np.rint(ecg.signal_uv * (gain / 1000.0))
    for lead, row in zip(ecg.leads, np.abs(steps), strict=True):
        if np.nanmax(row, initial=0.0) > _LARGEST:
            raise EcgError(
                f"lead {lead} reaches {np.nanmax(row) * 1000 / gain:.0f} uV, which does not fit into 16 bits at "
                f"{gain:g} steps per mV; give a smaller gain"
            )
    whole: np.ndarray[tuple[int, int], np.dtype[np.int64]] = np.where(np.isnan(steps), _MISSING, steps).astype(np.int64)
    return whole


def _header(ecg: Ecg, name: str, gain: float, digital: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> str:
    record = f"{name} {len(ecg.leads)} {_plain(ecg.fs)} {digital.shape[1]}"
    if ecg.recorded_at is not None:
        at = ecg.recorded_at
        record += at.strftime(" %H:%M:%S") + (f".{at.microsecond:06d}" if at.microsecond else "")
        record += f" {at.day:02d}/{at.month:02d}/{at.year:04d}"
    lines = [record]
    for lead, row in zip(ecg.leads, digital, strict=True):
        # the sum as a signed 16-bit number, as the standard has it
        checksum = (int(row.sum()) + 0x8000) % 0x10000 - 0x8000
        lines.append(f"{name}.dat 16 {_plain(gain)}(0)/mV 16 0 {row[0]} {checksum} 0 {lead}")
    if ecg.subject.age is not None:
        lines.append(f"# age: {_plain(ecg.subject.age)}")
    if ecg.subject.sex is not None:
        lines.append(f"# sex: {ecg.subject.sex}")
    # also where none is, if a reader would derive some
    if ecg.derived or ecg.with_derived_leads() is not ecg:
        lines.append(f"# derived: {', '.join(ecg.derived) or 'none'}")
    return "\n".join(lines) + "\n"


def _plain(value: float) -> str:
    """A number without an exponent, long enough to be read back the same."""
    return np.format_float_positional(value, trim="-")
