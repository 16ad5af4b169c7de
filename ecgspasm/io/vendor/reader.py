"""Files of electrocardiographs: GE MUSE, Philips Sierra, HL7 aECG, SCP-ECG and Mortara ELI.

Decoded by ecgdatakit (extra ``formats``) behind checks of our own. Only what an `Ecg` holds is taken out of its answer: the
rhythm, sex, age and the time of recording; never the median beat, a name, a number or a birth date. Every warning of
ecgdatakit is decided: those in ``_HARMLESS`` touch nothing that is used here, those in ``_TO_NOTE`` go into the source, and
any other refuses the file.
"""

from __future__ import annotations

import os
import re
import struct
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, choose, to_ecg, uv_per_unit
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import one_line
from ecgspasm.io.vendor.calibration_pulse import ecg_span
from ecgspasm.io.vendor.xli import check_unpacked_size
from ecgspasm.io.vendor.xml_gate import MAX_XML_BYTES, check_xml, child_text, xml_format

_SCP = "SCP-ECG"
_MAX_SCP_BYTES = 4 * 2**20
_FILLING = 511
_MOST_SAMPLES = 6_000_000
"""Of all leads together: eight minutes of twelve leads at 1000 Hz. What ecgdatakit decodes takes several times as much."""
_DERIVED = 4
"""Limb leads that may be added to those of the file."""

_HARMLESS = re.compile(
    r"representative beat|median beat|TYPICAL_CYCLE|median wave|Section 5|Additional median|"
    # the exact rate is taken from elsewhere, see _rate
    r"Sampling rate [\d.]+ Hz is not an integer|"
    # the fixed sizes are those of the standard, and only the subject is in that section
    r"Section 1 has a wrong tag length|Section 4 QRS subtraction zones are truncated, ignored"
)
_TO_NOTE = {
    # Nobody has documented what these are for, and they shift a lead as a whole only, which no measurement sees.
    re.compile(r"FirstSampleBaseline|LeadOffsetFirstSample|CHANNEL OFFSET"): "an offset of whole leads is not applied",
    re.compile(r"Unrecognised sequences ignored in the rhythm"): "sequences that are no leads were left out",
    re.compile(r"Section 12 \(long-term"): "left out: long-term rhythm",
}


def is_vendor(start: bytes) -> bool:
    """Whether the first bytes of a file show one of these formats.

    Examples
    --------
    >>> is_vendor(b"<RestingECG>"), is_vendor(b"<html>"), is_vendor(b"")
    (True, False, False)
    """
    return _format(start) is not None


def read_vendor(file: File, asked: Asked) -> Ecg:
    """Read the rhythm of a file of an electrocardiograph.

    Parameters
    ----------
    file : File
    asked : Asked
        Only ``rename`` has a meaning here: these formats state rate and unit themselves and hold one recording.

    Returns
    -------
    Ecg
        Leads as stored, in uV; limb leads that the file leaves out (MUSE stores eight leads) are derived and marked.

    Raises
    ------
    EcgError
        If ecgdatakit is missing, or the file is damaged, uncalibrated, ambiguous or larger than any ECG.
    """
    start = file.start()
    kind = _format(start)
    if kind is None:
        raise EcgError("this is no file of MUSE, Sierra, aECG, SCP-ECG or Mortara")
    asked.nothing("fs", "unit", "record", what=f"a file of {kind}")
    data = file.content(_MAX_SCP_BYTES if kind == _SCP else MAX_XML_BYTES)
    if kind == _SCP:
        _check_scp(data)
    else:
        checked, root = check_xml(data)
        _check_meaning(kind, root)
        # ecgdatakit builds a tree of its own
        del root
        # what was checked is what is decoded
        file = file if checked is data else File(file.name, data=checked)
        data = checked
    with _on_disk(file, data) as path:
        record, said = _decoded(kind, path)
    return _to_ecg(record, kind, file.name, asked, said)


def _format(start: bytes) -> str | None:
    """Name of the format, as ecgdatakit calls it."""
    if len(start) >= 32:
        # preamble, then the header of section 0, whose first pointer points to itself at byte 7 (EN 1064, 5.3)
        section, length = struct.unpack_from("<HI", start, 8)
        pointed, _, at = struct.unpack_from("<HII", start, 22)
        if section == 0 and length >= 26 and (length - 16) % 10 == 0 and pointed == 0 and at == 7:
            return _SCP
    return xml_format(start)


def _check_scp(data: bytes) -> None:
    """Compare the length with that of the file, and bound what the lead definitions (section 3) claim."""
    if len(data) < 38:
        raise EcgError("the file is cut off; fetch it again")
    (told,) = struct.unpack_from("<I", data, 2)
    # what is copied in blocks may be filled up with zeros
    if told > len(data) or len(data) - told > _FILLING or data[told:].strip(b"\0"):
        raise EcgError(f"the file says it has {told} bytes but has {len(data)}; it is damaged: fetch it again")
    (length,) = struct.unpack_from("<I", data, 10)
    for at in range(22, min(6 + length, len(data)) - 9, 10):
        section, size, index = struct.unpack_from("<HII", data, at)
        if section != 3 or size < 18 or index < 1 or index + size - 1 > len(data):
            continue
        body = data[index - 1 + 16 : index - 1 + size]
        claimed = 0
        for lead in range(min(body[0], (len(body) - 2) // 9)):
            first, last = struct.unpack_from("<II", body, 2 + 9 * lead)
            claimed += max(last - first + 1, 0)
            if last > MAX_SAMPLES or claimed > MAX_SAMPLES:
                raise EcgError("the file claims more samples than any ECG; it is damaged")


def _check_meaning(kind: str, root: Any) -> None:
    """What ecgdatakit would decide in silence."""
    if kind == "HL7 aECG":
        for value in root.iter("value"):
            origin, scale = value.find("origin"), value.find("scale")
            if origin is None or scale is None:
                continue
            if origin.get("value") not in (None, "", "0", "0.0") and uv_per_unit(origin.get("unit") or "") is None:
                raise EcgError("a lead has an offset without a unit of voltage; export the file again")
    if kind == "Philips Sierra XML":
        check_unpacked_size(root)
    if kind == "GE MUSE XML":
        for lead in root.iter("LeadData"):
            shift = child_text(lead, "LeadTimeOffset")
            if shift.strip("0.") and shift.upper() != "FALSE":
                raise EcgError(f"lead {one_line(child_text(lead, 'LeadID'), 10)} is shifted in time; export simultaneous leads")


@contextmanager
def _on_disk(file: File, data: bytes) -> Iterator[Path]:
    """A path for ecgdatakit, which wants one: of the file itself, or of a private copy that is removed at once."""
    if file.path is not None:
        yield Path(file.path)
        return
    # a folder that only its owner can enter; nobody else reads the copy while it is there
    with tempfile.TemporaryDirectory(prefix="ecgspasm") as folder:
        path = Path(folder) / "file"
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        yield path


def _decoded(kind: str, path: Path) -> tuple[Any, list[str]]:
    """The record of ecgdatakit, and what is to be noted of it."""
    try:
        from ecgdatakit import ECGDataKitError, FileParser
    except ImportError as error:
        raise EcgError("reading this format needs ecgdatakit: pip install 'ecgspasm[formats]'") from error
    parsers = {parser.FORMAT_NAME: parser for parser in FileParser().parsers}
    if kind not in parsers:
        raise EcgError(f"this ecgdatakit does not read {kind}: pip install 'ecgspasm[formats]' gets one that does")
    # Its own search for a parser is left aside: that also looks at the files beside this one.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            record = parsers[kind]().parse(path)
        except ECGDataKitError as error:
            said = str(error).replace(str(path), "the file")
            raise EcgError(f"it cannot be decoded ({one_line(said, 140)}); export the recording again") from error
        # its parsers raise whatever a damaged file provokes
        except Exception as error:
            kind_of = type(error).__name__
            raise EcgError(f"ecgdatakit cannot decode it ({kind_of}: {one_line(error, 100)}); export it again") from error
    return record, _decide(caught)


def _decide(caught: list[warnings.WarningMessage]) -> list[str]:
    """Notes from the warnings that may stand; the first other one refuses the file."""
    notes = []
    for warning in caught:
        text = str(warning.message)
        noted = next((note for pattern, note in _TO_NOTE.items() if pattern.search(text)), None)
        if noted is not None:
            notes.append(noted)
        elif not _HARMLESS.search(text):
            raise EcgError(f"it is not what it says ({one_line(text, 150)}); export the recording again")
    return list(dict.fromkeys(notes))


def _to_ecg(record: Any, kind: str, name: str, asked: Asked, notes: list[str]) -> Ecg:
    leads = list(record.leads)
    if not leads or not all(len(lead.samples) for lead in leads):
        raise EcgError("the file holds no samples of a rhythm; export the recording itself")
    fs = _rate(record, kind)
    chosen = choose([lead.label for lead in leads], ["uV"] * len(leads), asked.rename)
    starts = [int(lead.annotations.get("start_sample", 1)) - 1 for lead in leads]
    ends = [start + len(lead.samples) for start, lead in zip(starts, leads, strict=True)]
    if kind != _SCP and (any(starts) or len(set(ends)) > 1):
        raise EcgError(f"the leads have {min(ends)} to {max(ends)} samples; all must be of one length")
    if max(ends) * (len(chosen.rows) + _DERIVED) > _MOST_SAMPLES:
        raise EcgError(f"{len(chosen.rows)} leads of {max(ends)} samples are more than is read at once; cut it shorter")
    # SCP-ECG tells when each lead begins; a lead that was not recorded at a time is missing there
    signal: Floats = np.full((len(chosen.rows), max(ends)), np.nan)
    for out, row, lead_name, sign in zip(signal, chosen.rows, chosen.leads, chosen.signs, strict=True):
        out[starts[row] : ends[row]] = sign * _microvolts(leads[row], lead_name)
    first, last = ecg_span(signal, fs)
    if (first, last) != (0, signal.shape[1]):
        notes = [*notes, f"left out: calibration pulse ({(signal.shape[1] - last + first) / fs:.3g} s)"]
        signal = signal[:, first:last].copy()
    off = [lead.label for lead in leads if str(lead.annotations.get("LeadOff", "")).upper() == "TRUE"]
    if off:
        notes = [*notes, f"lead off, says the device: {one_line(', '.join(off), 60)}"]
    return to_ecg(
        signal_uv=signal,
        fs=fs,
        leads=chosen.leads,
        subject=_subject(record.patient),
        recorded_at=_time(record.recording.date),
        source=name,
        notes=(kind, *notes),
    )


def _rate(record: Any, kind: str) -> float:
    """Samples per second; exact where ecgdatakit rounds to whole numbers."""
    rates = {float(lead.sampling_rate) for lead in record.leads}
    if len(rates) > 1:
        raise EcgError(f"the leads have {len(rates)} sampling rates; all must have one")
    fs = rates.pop()
    if kind == _SCP:
        fs = 1e6 / float(record.raw_metadata["rhythm_sample_interval_us"])
    elif kind == "HL7 aECG":
        fs = float(record.raw_metadata["rhythm_time"]["sampling_rate_exact"])
    if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
        raise EcgError(f"the sampling rate is {fs:g} Hz; that of an ECG lies between 50 and 10000")
    return fs


def _microvolts(lead: Any, name: str) -> Floats:
    """Samples of one lead in uV, from what the file itself says of its gain."""
    steps = np.asarray(lead.samples, dtype=np.float64)
    unit = lead.resolution_unit or lead.units
    factor = uv_per_unit(unit) if unit else None
    resolution, offset = float(lead.resolution), float(lead.offset)
    if factor is None:
        raise EcgError(f"lead {name} has no gain with a unit of voltage, so it is not calibrated; export it with calibration")
    if not (np.isfinite(resolution) and np.isfinite(offset)) or resolution == 0:
        raise EcgError(f"lead {name} has the gain {resolution:g} and the offset {offset:g}; export it again")
    uv: Floats = (steps * resolution + offset) * factor
    if not np.all(np.isfinite(uv)):
        raise EcgError(f"lead {name} holds values that are no numbers; export it again")
    return uv


def _subject(patient: Any) -> Subject:
    sex = {"M": "male", "F": "female"}.get(patient.sex)
    age = patient.age
    return Subject(sex=sex, age=float(age) if age is not None and 0 <= age <= 130 else None)  # type: ignore[arg-type]


def _time(when: Any) -> datetime | None:
    """Time of recording by the device's own clock; the offset of its time zone, if told, is left out as in WFDB."""
    return when.replace(tzinfo=None) if isinstance(when, datetime) else None
