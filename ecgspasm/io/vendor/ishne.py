"""ISHNE Holter files, of any length: read at once or a stretch at a time.

After Badilini F, The ISHNE Holter Standard Output File Format, Ann Noninvasive Electrocardiol 1998;3:263-266: a mark, a checksum
of the header, a header of 512 bytes, a comment of any length, and 16-bit samples, all leads of one time beside each other. Of a
person only sex and age are taken.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, Chosen, check_amplitudes, choose, to_ecg
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import blame, local_path, one_line
from ecgspasm.recording import Recording

_MARK = b"ISHNE1.0"
_HEAD = 522
_CHECKED_FROM = 10
"""Where the checksummed part begins, behind the mark and the checksum itself."""
_MOST_COMMENT_BYTES = 2**20
_MOST_LEADS = 12
_LEADS = {
    **{2: "X", 3: "Y", 4: "Z", 5: "I", 6: "II", 7: "III", 8: "aVR", 9: "aVL", 10: "aVF"},
    **{11: "V1", 12: "V2", 13: "V3", 14: "V4", 15: "V5", 16: "V6", 17: "ES", 18: "AS", 19: "AI"},
}
_ABSENT = -9
_FAULT = -32768
"""The sample by which the standard marks a fault of a lead."""


@dataclass(frozen=True, slots=True)
class _Ishne:
    """A checked header, and what reads the samples behind it."""

    read_at: Callable[[int, int], bytes]
    begin: int
    n_leads: int
    n_samples: int
    fs: float
    chosen: Chosen
    uv_per_step: tuple[float, ...]
    subject: Subject
    recorded_at: datetime | None
    notes: tuple[str, ...]

    def samples(self, start: int, stop: int) -> Floats:
        """Microvolts, shape (lead, stop - start); nan where the device marked a fault."""
        frame = 2 * self.n_leads
        raw = self.read_at(self.begin + start * frame, (stop - start) * frame)
        if len(raw) != (stop - start) * frame:
            raise EcgError("the file became shorter while it was read; copy it again")
        steps = np.frombuffer(raw, "<i2").reshape(-1, self.n_leads)
        out: Floats = np.empty((len(self.chosen.rows), stop - start))
        for row, source, scale in zip(out, self.chosen.rows, self.uv_per_step, strict=True):
            np.multiply(steps[:, source], scale, out=row, dtype=np.float64)
            row[steps[:, source] == _FAULT] = np.nan
        check_amplitudes(out, self.chosen.leads)
        return out


def is_ishne(start: bytes) -> bool:
    """Whether a file that begins so is an ISHNE Holter file.

    Examples
    --------
    >>> is_ishne(b"ISHNE1.0"), is_ishne(b"ANN  1.0")
    (True, False)
    """
    return start.startswith(_MARK)


def read_ishne(file: File, asked: Asked) -> Ecg:
    """Read an ISHNE file as one ECG.

    Raises
    ------
    EcgError
        If the file is damaged, uncalibrated, or longer than what is read at once.
    """
    found = _opened(file, asked)
    if found.n_samples * found.n_leads > MAX_SAMPLES:
        raise EcgError(
            f"the file has {found.n_samples} samples of {found.n_leads} leads, more than {MAX_SAMPLES} that are read at once; "
            "use ecgspasm.open_recording(path)"
        )
    return to_ecg(
        signal_uv=found.samples(0, found.n_samples),
        fs=found.fs,
        leads=found.chosen.leads,
        subject=found.subject,
        recorded_at=found.recorded_at,
        source=file.path or file.name,
        notes=found.notes,
    )


def open_ishne(path: str, asked: Asked | None = None) -> Recording:
    """Open an ISHNE file of any length; only what is asked for is read.

    Raises
    ------
    EcgError
        As `read_ishne` does, but for the length.
    """
    text = local_path(path)
    with blame(text):
        found = _opened(File(text, path=text), asked or Asked())

    def samples(start: int, stop: int) -> Floats:
        with blame(text):
            return found.samples(start, stop)

    said = "; ".join((one_line(text, 300), *found.notes))
    return Recording(found.chosen.leads, found.fs, found.n_samples, samples, found.subject, found.recorded_at, said)


def _opened(file: File, asked: Asked) -> _Ishne:
    asked.nothing("fs", "unit", "record", what="an ISHNE file")
    size = file.size()
    head = file.part(0, _HEAD)
    if not is_ishne(head) or len(head) < _HEAD:
        raise EcgError("the file ends within its header, or is no ISHNE file; copy it again")
    stored, comment, told, comment_at, begin = struct.unpack_from("<H4i", head, 8)
    if not 0 <= comment <= _MOST_COMMENT_BYTES or comment_at != _HEAD or begin != _HEAD + comment:
        raise EcgError(
            f"the header places a comment of {comment} bytes at {comment_at} and the samples at {begin}, which cannot be; the "
            "header is damaged: copy the file again"
        )
    block = file.part(_CHECKED_FROM, begin - _CHECKED_FROM)
    # the standard does not fix the order of its two bytes, and 0 is what a writer leaves that has computed none
    computed = binascii.crc_hqx(block, 0xFFFF)
    if stored and stored not in (computed, (computed & 0xFF) << 8 | computed >> 8):
        raise EcgError("the checksum of the header is not its own (checksum mismatch); the file is damaged: copy it again")
    n_leads, *rest = struct.unpack_from("<h36h", head, 156)
    if not 1 <= n_leads <= _MOST_LEADS:
        raise EcgError(f"the lead count is {n_leads}; 1 to {_MOST_LEADS} are possible: copy the file again")
    (fs,) = struct.unpack_from("<h", head, 272)
    if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
        raise EcgError(f"the sampling rate is {fs} Hz; that of an ECG lies between 50 and 10000")
    n_samples = _length(size - begin, n_leads)
    chosen = choose([_name(code, row) for row, code in enumerate(rest[:n_leads])], ["uV"] * n_leads, asked.rename)
    scales = tuple(
        sign * _uv_per_step(rest[24 + row], lead) for row, lead, sign in zip(chosen.rows, chosen.leads, chosen.signs, strict=True)
    )
    subject, recorded_at = _who_and_when(head)
    notes = ["ISHNE"] if stored else ["ISHNE", "no checksum in the header"]
    # writers put the samples of one lead or of all there; some a fixed number
    if told not in (n_samples, n_samples * n_leads):
        notes.append(f"the header tells of {told} samples, but {n_samples} are there: cut short?")
    return _Ishne(file.part, begin, n_leads, n_samples, float(fs), chosen, scales, subject, recorded_at, tuple(notes))


def _length(data_bytes: int, n_leads: int) -> int:
    frames, rest = divmod(data_bytes, 2 * n_leads)
    if rest or frames < 1:
        raise EcgError(
            f"{data_bytes} bytes of samples are no whole number of times of {n_leads} leads; the file is cut short or damaged: "
            "copy it again"
        )
    return frames


def _name(code: int, row: int) -> str:
    if code == _ABSENT:
        raise EcgError(f"lead {row + 1} is stored but marked as absent; the header is damaged: copy the file again")
    return _LEADS.get(code, f"Lead {row + 1}")


def _uv_per_step(nanovolts: int, lead: str) -> float:
    if nanovolts <= 0:
        raise EcgError(f"lead {lead} has the resolution {nanovolts} nV, so it is not calibrated; export it with calibration")
    return nanovolts / 1000.0


def _who_and_when(head: bytes) -> tuple[Subject, datetime | None]:
    """Sex, age in whole years, and the time of recording; the birth date goes no further."""
    (sex,) = struct.unpack_from("<h", head, 128)
    born, recorded = (_date(struct.unpack_from("<3h", head, at)) for at in (132, 138))
    hour, minute, second = struct.unpack_from("<3h", head, 150)
    age = None
    if born is not None and recorded is not None:
        age = recorded.year - born.year - ((recorded.month, recorded.day) < (born.month, born.day))
    told = {1: "male", 2: "female"}.get(sex)
    subject = Subject(sex=told, age=float(age) if age is not None and 0 <= age <= 130 else None)  # type: ignore[arg-type]
    if recorded is None or not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return subject, None
    return subject, recorded.replace(hour=hour, minute=minute, second=second)


def _date(parts: tuple[int, ...]) -> datetime | None:
    day, month, year = parts
    try:
        return datetime(year, month, day)
    except ValueError:  # -9 where it is not told
        return None
