"""DICOM 12-lead, general and ambulatory ECG waveforms, through pydicom (extra ``dicom``).

Only what an `Ecg` holds is taken out of the file: the rhythm, sex, age and the time of recording. The median beat that
many devices store as a second group is never mixed in; `source` says that it was there, `read_median_beat` reads it, and
`read_fiducials` (see `io.dicom.device`) gives what the device itself found.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np

from ecgspasm.ecg import Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, MOST_SAMPLES, check_amplitudes, to_ecg
from ecgspasm.io.dicom.group import Group, label_of, number, plan_of, read_group
from ecgspasm.io.dicom.skeleton import skeleton
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import blame, local_path, one_line
from ecgspasm.recording import Recording

MAX_FILE_BYTES = 64 * 2**20

_ANNOTATIONS, _ANNOTATIONS_NAME = (0x0040, 0xB020), "WaveformAnnotationSequence"
_TAGS = ("SpecificCharacterSet", "PatientSex", "PatientAge", "AcquisitionDateTime", "WaveformSequence")
_DATE_TIME = re.compile(r"(\d{8})(\d{4})(\d{2})?(?:\.(\d{1,6}))?(?:[+-]\d{4})?", re.ASCII)
_AGE = re.compile(r"(\d{3})([DWMY])", re.ASCII)
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def is_dicom(start: bytes) -> bool:
    """Whether the first bytes of a file are those of DICOM.

    Examples
    --------
    >>> is_dicom(bytes(128) + b"DICM"), is_dicom(b"DICM")
    (True, False)
    """
    return start[128:132] == b"DICM"


def read_dicom(path: str | os.PathLike[str], *, rename: Mapping[str, str] | None = None) -> Ecg:
    """Read the rhythm of a DICOM ECG.

    Parameters
    ----------
    path : path of the file
    rename : mapping of str to str, optional
        Lead names for channels whose own name says nothing.

    Raises
    ------
    EcgError
        If pydicom is missing, or the file is no ECG, damaged, uncalibrated or larger than any ECG.
    """
    text = local_path(path)
    with blame(text):
        return read_dicom_file(File(text, path=text), Asked(rename=rename))


def read_median_beat(path: str | os.PathLike[str], *, rename: Mapping[str, str] | None = None) -> Ecg:
    """Read the device's own median beat, to compare it with ours.

    Parameters
    ----------
    path : path of the file
    rename : mapping of str to str, optional
        See `read_dicom`.

    Returns
    -------
    Ecg
        One beat, about 1 s; `source` says that it is the device's median beat and no rhythm.

    Raises
    ------
    EcgError
        As `read_dicom`, and if the file holds no median beat, or several.
    """
    text = local_path(path)
    with blame(text):
        dataset = open_dataset(File(text, path=text))
    with blame(text), decoding():
        groups = groups_of(dataset)
        found = [group for group in groups if is_median(group)]
        if len(found) != 1:
            labels = ", ".join(label_of(group) for group in groups)
            raise EcgError(f"the file holds {len(found)} median beats (groups: {labels}); read the rhythm with ecgspasm.read")
        return _built(dataset, found, [], text, rename, note="the device's median beat, not a rhythm")


def read_dicom_file(file: File, asked: Asked) -> Ecg:
    """Do as `read_dicom`, for a file on disk or in memory, without its name in the messages.

    ``asked.record`` chooses among several rhythms: the label of a group, or its number counted from 1.
    """
    asked.nothing("fs", "unit", what="DICOM")
    dataset = open_dataset(file)
    with decoding():
        chosen, others = _rhythm(groups_of(dataset), asked.record)
        return _built(dataset, chosen, others, file.name, asked.rename)


def open_dicom(path: str, asked: Asked) -> Recording:
    """Open a DICOM ECG of any length, such as an ambulatory one; only the samples that are asked for are read.

    A rhythm in several groups one after the other is short, and read at once.

    Raises
    ------
    EcgError
        As `read_dicom` does, but for the length.
    """
    with blame(path):
        asked.nothing("fs", "unit", what="DICOM")
        file = File(path, path=path)
        small, spans = skeleton(file)
        dataset = _parsed(small, _TAGS)
        with decoding():
            groups = groups_of(dataset)
            chosen, others = _rhythm(groups, asked.record)
            if len(chosen) > 1:
                return Recording.of(read_dicom_file(file, asked))
            span = next(span for group, span in zip(groups, spans, strict=True) if group is chosen[0])
            little = bool(dataset.original_encoding[1])
            plan = plan_of(chosen[0], span.length, little=little, rename=asked.rename, limit=MOST_SAMPLES)
            left_out = [*plan.chosen.left_out, *others]
            told = _subject(dataset), _recorded_at(str(dataset.get("AcquisitionDateTime") or ""))

    def samples(start: int, stop: int) -> Floats:
        with blame(path):
            raw = file.part(span.start + start * plan.frame_bytes, (stop - start) * plan.frame_bytes)
            if len(raw) != (stop - start) * plan.frame_bytes:
                raise EcgError("the file became shorter while it was read; export it again")
            signal = plan.microvolts(raw)
            check_amplitudes(signal, plan.chosen.leads)
        return signal

    said = "; ".join((one_line(path, 300), *([f"left out: {', '.join(left_out)}"] if left_out else [])))
    return Recording(plan.chosen.leads, plan.fs, plan.n_samples, samples, *told, said)


def open_dataset(file: File, tags: Sequence[str] = _TAGS) -> Any:
    """The elements `tags` of a DICOM file of a bounded size; any error of pydicom becomes an `EcgError`."""
    size = file.size()
    if size > MAX_FILE_BYTES:
        raise EcgError(f"the file has {size} bytes, more than the {MAX_FILE_BYTES} read at once; use ecgspasm.open_recording")
    data = file.content(MAX_FILE_BYTES)
    if not is_dicom(data):
        raise EcgError("this is not a DICOM file")
    small, spans = skeleton(File(file.name, data=data), frozenset({_ANNOTATIONS}) if _ANNOTATIONS_NAME in tags else frozenset())
    dataset = _parsed(small, tags)
    with decoding():
        for group, span in zip(groups_of(dataset), spans, strict=True):
            if "WaveformData" in group:
                group["WaveformData"].value = data[span.start : span.start + span.length]
    return dataset


def _parsed(data: bytes, tags: Sequence[str]) -> Any:
    try:
        import pydicom
    except ImportError as error:
        raise EcgError("reading DICOM needs pydicom: pip install 'ecgspasm[dicom]'") from error
    with decoding():
        return pydicom.dcmread(io.BytesIO(data), specific_tags=list(tags))


@contextmanager
def decoding() -> Iterator[None]:
    """Turn what pydicom raises into an `EcgError`: it decodes lazily and raises whatever the damaged element provokes."""
    try:
        yield
    except EcgError:
        raise
    except Exception as error:
        raise EcgError(f"pydicom cannot decode it ({type(error).__name__}: {one_line(error, 120)}); export it again") from error


def groups_of(dataset: Any) -> list[Any]:
    """All multiplex groups of the file."""
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        raise EcgError("this DICOM file holds no waveform; export the ECG itself, not a picture or a report of it")
    return groups


def is_median(group: Any) -> bool:
    """Whether a group is the device's median beat: called so, or computed by the device from the rhythm."""
    return group.get("WaveformOriginality") == "DERIVED" or "MEDIAN" in label_of(group).upper()


def _rhythm(groups: Sequence[Any], asked: str | int | None) -> tuple[list[Any], list[str]]:
    """The groups that hold the recording, and the others in words."""
    labels = [label_of(group) for group in groups]
    if asked is not None:
        found = [index for index, label in enumerate(labels) if asked in (label, index + 1)]
        if len(found) != 1 or is_median(groups[found[0]]):
            raise EcgError(f"record={asked!r} names no rhythm; the file holds {', '.join(labels)}")
    else:
        found = [index for index, group in enumerate(groups) if not is_median(group)]
        named = [index for index in found if "RHYTHM" in labels[index].upper()]
        found = named or found
        parts = len(found) > 1 and all(groups[index].get("MultiplexGroupTimeOffset") is not None for index in found)
        if len(found) != 1 and not parts:
            raise EcgError(
                f"the file holds {len(found)} rhythm groups ({', '.join(labels)}); export one recording a file, or say which "
                "with record="
            )
    return [groups[index] for index in found], [label for index, label in enumerate(labels) if index not in found]


def _built(
    dataset: Any, groups: Sequence[Any], others: Sequence[str], name: str, rename: Mapping[str, str] | None, note: str = ""
) -> Ecg:
    little = bool(dataset.original_encoding[1])
    parts = [read_group(group, little=little, rename=rename) for group in groups]
    signal = parts[0].signal_uv if len(parts) == 1 else _joined(groups, parts)
    left_out = [*(words for part in parts for words in part.left_out), *others]
    notes = [note] if note else []
    if left_out:
        notes.append(f"left out: {', '.join(left_out)}")
    return to_ecg(
        signal_uv=signal,
        fs=parts[0].fs,
        leads=[lead for part in parts for lead in part.leads],
        subject=_subject(dataset),
        recorded_at=_recorded_at(str(dataset.get("AcquisitionDateTime") or "")),
        source=name,
        notes=notes,
    )


def _joined(groups: Sequence[Any], parts: Sequence[Group]) -> Floats:
    """Leads of several groups on one axis of time, such as four times three leads for 2.5 s; elsewhere they are missing."""
    if len({part.fs for part in parts}) > 1:
        raise EcgError("the rhythm groups have several sampling rates; export one recording a file")
    leads = [lead for part in parts for lead in part.leads]
    twice = sorted({lead for lead in leads if leads.count(lead) > 1})
    if twice:
        raise EcgError(
            f"the file holds {len(parts)} rhythm groups that all have lead {twice[0]}; export one recording a file, or say which "
            "with record="
        )
    offsets = [number(group, "MultiplexGroupTimeOffset", "time offset of a group") for group in groups]
    starts = [round((offset - min(offsets)) * parts[0].fs / 1000.0) for offset in offsets]
    ends = [start + part.signal_uv.shape[1] for start, part in zip(starts, parts, strict=True)]
    if max(ends) * len(leads) > MAX_SAMPLES:
        raise EcgError(f"{len(leads)} leads over {max(ends)} samples are more than is read at once; export a shorter recording")
    signal = np.full((len(leads), max(ends)), np.nan)
    row = 0
    for start, end, part in zip(starts, ends, parts, strict=True):
        signal[row : row + len(part.leads), start:end] = part.signal_uv
        row += len(part.leads)
    return signal


def _subject(dataset: Any) -> Subject:
    sex = {"M": "male", "F": "female"}.get(str(dataset.get("PatientSex") or ""))
    age = _AGE.fullmatch(str(dataset.get("PatientAge") or ""))
    years = int(age[1]) * _YEARS[age[2]] if age else None
    return Subject(sex=sex, age=years if years is not None and years <= 130 else None)  # type: ignore[arg-type]


def _recorded_at(text: str) -> datetime | None:
    """Time of recording by the device's own clock; the offset of its time zone, if told, is left out as in WFDB."""
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        return None
    return datetime.strptime(found[1] + found[2] + (found[3] or "00") + (found[4] or "0"), "%Y%m%d%H%M%S%f")
