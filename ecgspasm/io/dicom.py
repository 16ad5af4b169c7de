"""DICOM 12-lead, general and ambulatory ECG waveforms, through pydicom (extra ``dicom``).

Only what an `Ecg` holds is taken out of the file: the rhythm, sex, age and the time of recording. The median beat that
many devices store as a second group is never mixed in; `source` says that it was there.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, choose, to_ecg, uv_per_unit
from ecgspasm.io.paths import blame, file_size, first_bytes, local_path, one_line

MAX_FILE_BYTES = 64 * 2**20
MAX_CHANNELS = 64

_DEFLATED = "1.2.840.10008.1.2.1.99"
_TAGS = ["SpecificCharacterSet", "PatientSex", "PatientAge", "AcquisitionDateTime", "WaveformSequence"]
_DTYPES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}
_DATE_TIME = re.compile(r"(\d{8})(\d{4})(\d{2})?(?:\.(\d{1,6}))?(?:[+-]\d{4})?", re.ASCII)
_AGE = re.compile(r"(\d{3})([DWMY])", re.ASCII)
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}

# Lead numbers of SCP-ECG (EN 1064, table of lead identification); they also end the code of MDC ("2:61").
_LEAD_BY_NUMBER = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7",
    11: "V3R", 12: "V4R", 13: "V5R", 14: "V6R", 16: "X", 17: "Y", 18: "Z",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 65: "-aVR", 66: "V8", 67: "V9",
}  # fmt: skip
_CODE = re.compile(r"(?:5\.6\.3-9-|2:)(\d{1,5})", re.ASCII)


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
        return read_dicom_file(text, rename=rename)


def read_dicom_file(path: str, *, rename: Mapping[str, str] | None = None) -> Ecg:
    """Do as `read_dicom`, for a path that was checked, without its name in the messages."""
    try:
        import pydicom
    except ImportError as error:
        raise EcgError("reading DICOM needs pydicom: pip install 'ecgspasm[dicom]'") from error
    size = file_size(path)
    if size > MAX_FILE_BYTES:
        raise EcgError(f"the file has {size} bytes, more than the {MAX_FILE_BYTES} of any ECG; export a shorter recording")
    if first_bytes(path, 132)[128:] != b"DICM":
        raise EcgError("this is not a DICOM file")
    try:
        meta = pydicom.filereader.read_file_meta_info(path)
        # a few deflated bytes can grow without bound, so they are not unpacked at all
        if meta.get("TransferSyntaxUID") == _DEFLATED:
            raise EcgError("the file is deflated DICOM, which is not unpacked; convert it first, e.g. with dcmconv +te")
        dataset = pydicom.dcmread(path, specific_tags=_TAGS)
        return _to_ecg(dataset, path, rename)
    except EcgError:
        raise
    # pydicom decodes lazily and raises whatever the damaged element provokes
    except Exception as error:
        raise EcgError(f"pydicom cannot decode it ({type(error).__name__}: {one_line(error, 120)}); export it again") from error


def _to_ecg(dataset: Any, path: str, rename: Mapping[str, str] | None) -> Ecg:
    group, others = _rhythm(dataset)
    fs = _number(group, "SamplingFrequency", "sampling rate")
    if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
        raise EcgError(f"the sampling rate is {fs:g} Hz; that of an ECG lies between 50 and 10000")
    little = bool(dataset.original_encoding[1])
    steps = _samples(group, little=little)
    channels = list(group.ChannelDefinitionSequence)
    if len(channels) != steps.shape[0]:
        raise EcgError(f"the file defines {len(channels)} channels but holds {steps.shape[0]}; export it again")
    chosen = choose([_name(channel) for channel in channels], [_unit(channel) for channel in channels], rename)
    signal: Floats = np.empty((len(chosen.rows), steps.shape[1]))
    padding = group.get("WaveformPaddingValue")
    missing = None if padding is None else _padding(padding, steps.dtype)
    for out, row, lead, sign in zip(signal, chosen.rows, chosen.leads, chosen.signs, strict=True):
        scale, offset = _calibration(channels[row], lead, fs)
        out[:] = sign * (steps[row] * scale + offset)
        if missing is not None:
            out[steps[row] == missing] = np.nan
    left_out = [*chosen.left_out, *others]
    return to_ecg(
        signal_uv=signal,
        fs=fs,
        leads=chosen.leads,
        subject=_subject(dataset),
        recorded_at=_recorded_at(str(dataset.get("AcquisitionDateTime") or "")),
        source=path,
        notes=(f"left out: {', '.join(left_out)}",) if left_out else (),
    )


def _rhythm(dataset: Any) -> tuple[Any, list[str]]:
    """The one group that holds the recording, and the others in words."""
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        raise EcgError("this DICOM file holds no waveform; export the ECG itself, not a picture or a report of it")
    labels = [one_line(group.get("MultiplexGroupLabel") or "unnamed group", 40) for group in groups]
    found = [
        index
        for index, group in enumerate(groups)
        if group.get("WaveformOriginality") != "DERIVED" and "MEDIAN" not in labels[index].upper()
    ]
    named = [index for index in found if "RHYTHM" in labels[index].upper()]
    found = named or found
    if len(found) != 1:
        raise EcgError(f"the file holds {len(found)} rhythm groups ({', '.join(labels)}); export one recording a file")
    return groups[found[0]], [label for index, label in enumerate(labels) if index != found[0]]


def _samples(group: Any, *, little: bool) -> np.ndarray[tuple[int, int], np.dtype[Any]]:
    """Samples as integers, shape (channel, sample), after comparing all counts with the data."""
    n_channels, n_samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    kind = str(group.get("WaveformSampleInterpretation"))
    if kind not in _DTYPES:
        raise EcgError(f"the samples are of kind {kind!r}; only plain integers ({', '.join(_DTYPES)}) are read")
    dtype = np.dtype(_DTYPES[kind]).newbyteorder("<" if little else ">")
    if int(group.get("WaveformBitsAllocated") or 0) != 8 * dtype.itemsize:
        raise EcgError(f"{group.get('WaveformBitsAllocated')} bits a sample do not go with the kind {kind}; export it again")
    if not 0 < n_channels <= MAX_CHANNELS or not 0 < n_samples <= MAX_SAMPLES // n_channels:
        raise EcgError(f"{n_channels} channels of {n_samples} samples cannot be an ECG that is read at once")
    data = group.WaveformData
    need = n_channels * n_samples * dtype.itemsize
    # an odd number of bytes is filled up by one, nothing else may be left over
    if not need <= len(data) <= need + need % 2:
        raise EcgError(
            f"the waveform has {len(data)} bytes where {n_channels} channels of {n_samples} samples need {need}; "
            "the file is damaged"
        )
    return np.ascontiguousarray(np.frombuffer(data[:need], dtype).reshape(n_samples, n_channels).T)


def _padding(value: Any, dtype: np.dtype[Any]) -> int:
    """The padding value, which pydicom gives as the bytes of one sample or as a number."""
    return int(np.frombuffer(value[: dtype.itemsize], dtype)[0]) if isinstance(value, bytes) else int(value)


def _name(channel: Any) -> str:
    """Lead name of a channel, from its code or else from the words beside it."""
    sources = channel.get("ChannelSourceSequence") or []
    code = str(sources[0].get("CodeValue") or "") if sources else ""
    words = str(sources[0].get("CodeMeaning") or "") if sources else ""
    # "Lead I (Einthoven)": the name of a man is no part of the name of a lead
    words = re.sub(r"\s*\(.*?\)", "", words).strip() or str(channel.get("ChannelLabel") or "").strip()
    number = _CODE.fullmatch(code)
    coded = _LEAD_BY_NUMBER.get(int(number[1])) if number else None
    if coded is None and code.startswith("MDC_ECG_LEAD_"):
        coded = code.removeprefix("MDC_ECG_LEAD_")
    if coded and lead_names.is_lead(words) and lead_names.canonical(words) != lead_names.canonical(coded.removeprefix("-")):
        raise EcgError(f"a channel is coded as {coded} but called {one_line(words, 40)!r}; export the file again")
    return coded or words


def _unit(channel: Any) -> str:
    units = channel.get("ChannelSensitivityUnitsSequence") or []
    return str(units[0].get("CodeValue") or "") if units else ""


def _calibration(channel: Any, lead: str, fs: float) -> tuple[float, float]:
    """Microvolts a step and microvolts at step 0 (DICOM PS3.3, C.10.9.1.4.2)."""
    if channel.get("ChannelSensitivity") is None:
        raise EcgError(f"lead {lead} has no gain (channel sensitivity), so it is not calibrated; export it with calibration")
    factor = uv_per_unit(_unit(channel))
    if factor is None:
        raise EcgError(f"lead {lead} has the unit {one_line(_unit(channel), 40)!r}; only uV, mV and V are an ECG's")
    sensitivity = _number(channel, "ChannelSensitivity", f"gain of lead {lead}")
    # both stand for "nothing to correct" where a writer leaves them out
    correction = _number(channel, "ChannelSensitivityCorrectionFactor", f"gain correction of lead {lead}", 1.0)
    baseline = _number(channel, "ChannelBaseline", f"baseline of lead {lead}", 0.0)
    if sensitivity <= 0 or correction <= 0:
        raise EcgError(f"lead {lead} has the gain {sensitivity:g} x {correction:g}; both must be above 0: export it again")
    skew = _number(channel, "ChannelSampleSkew", "skew", 0.0) + _number(channel, "ChannelTimeSkew", "skew", 0.0) * fs
    if abs(skew) > 1:
        raise EcgError(f"lead {lead} is shifted by {skew:g} samples against the others; export simultaneous leads")
    return sensitivity * correction * factor, baseline * factor


def _number(element: Any, keyword: str, what: str, default: float | None = None) -> float:
    value = element.get(keyword)
    if value is None or value == "":
        if default is None:
            raise EcgError(f"the file gives no {what}; export it again")
        return default
    number = float(value)
    if not math.isfinite(number):
        raise EcgError(f"the {what} in the file is {number}; export it again")
    return number


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
