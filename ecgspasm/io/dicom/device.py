"""What the device itself found, from the annotations of a DICOM ECG: to compare with ours, never to replace them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

from ecgspasm.errors import EcgError
from ecgspasm.io.dicom.group import channel_name, label_of, number, rate_of
from ecgspasm.io.dicom.reader import decoding, groups_of, is_median, open_dataset
from ecgspasm.io.file import File
from ecgspasm.io.paths import blame, local_path, one_line

_TAGS = ("SpecificCharacterSet", "WaveformSequence", "WaveformAnnotationSequence")
_MOST = 200_000

# Codes of SCP-ECG in DICOM (PS3.16, CID 3335); others keep the words that the file has for them.
_NAMES = {
    "5.10.3-1": "P onset",
    "5.10.3-2": "P offset",
    "5.10.3-3": "QRS onset",
    "5.10.3-4": "QRS offset",
    "5.10.3-5": "T offset",
    "5.7.1-3": "Fiducial point",
}
_FIDUCIAL_POINT = "Fiducial point"


@dataclass(frozen=True, slots=True)
class DeviceFiducial:
    """One point of time that the device marked."""

    name: str
    """Such as ``QRS onset``."""
    sample: float
    """Position in its group, counted from 0."""
    ms: float
    """The same in milliseconds from the start of the group."""
    group: str
    """Label of the multiplex group that the file says it lies in."""
    on_median_beat: bool
    """Whether it lies on the device's median beat; see `read_fiducials`."""
    set_number: int | None
    """Points of one beat share a number (annotation group)."""
    lead: str | None
    """``None`` if it is of all leads."""


@dataclass(frozen=True, slots=True)
class DeviceMeasurement:
    """One number that the device measured."""

    name: str
    value: float
    unit: str
    lead: str | None


@dataclass(frozen=True, slots=True)
class DeviceFindings:
    """All points and numbers of the device, in the order of the file."""

    fiducials: tuple[DeviceFiducial, ...]
    measurements: tuple[DeviceMeasurement, ...]


def read_fiducials(path: str | os.PathLike[str]) -> DeviceFindings:
    """Read the device's own fiducials and measurements from a DICOM ECG.

    Some devices say that all points lie in the rhythm while some lie on the median beat. A set of points is taken to lie on
    the median beat (`DeviceFiducial.on_median_beat`) if the file says so, or if its fiducial point is the very sample by which
    the median beat was aligned (trigger sample position) and all of its points lie within that beat.

    Words of the report are not read: they can hold a name.

    Raises
    ------
    EcgError
        If pydicom is missing, or the file is no ECG, damaged, or holds no annotations.
    """
    text = local_path(path)
    with blame(text):
        return read_fiducials_file(File(text, path=text))


def read_fiducials_file(file: File) -> DeviceFindings:
    """Do as `read_fiducials`, for a file on disk or in memory."""
    dataset = open_dataset(file, _TAGS)
    with decoding():
        groups = groups_of(dataset)
        annotations = list(dataset.get("WaveformAnnotationSequence") or [])
        if not annotations or len(annotations) > _MOST:
            raise EcgError(f"the file holds {len(annotations) or 'no'} annotations; the device stored nothing to compare with")
        fiducials: list[DeviceFiducial] = []
        measurements: list[DeviceMeasurement] = []
        for annotation in annotations:
            concept = annotation.get("ConceptNameCodeSequence") or []
            if not concept:
                continue
            name = _NAMES.get(str(concept[0].get("CodeValue") or "")) or one_line(concept[0].get("CodeMeaning") or "", 40)
            where = annotation.get("ReferencedWaveformChannels")
            group, lead = _referenced(groups, list(where) if where is not None else [])
            if annotation.get("NumericValue") is not None:
                measurements += _numbers(annotation, name, lead)
            if annotation.get("TemporalRangeType") is not None:
                fiducials += _points(annotation, name, group, lead)
        return DeviceFindings(tuple(_on_median(fiducials, groups)), tuple(measurements))


def _referenced(groups: list[Any], pairs: list[Any]) -> tuple[Any, str | None]:
    """The group, and the lead or None for all, that the first pair of (group, channel) names; both count from 1."""
    if len(pairs) < 2:
        return (groups[0], None) if len(groups) == 1 else (None, None)
    index, channel = int(pairs[0]), int(pairs[1])
    if not 1 <= index <= len(groups):
        raise EcgError(f"an annotation refers to group {index}, but there are {len(groups)}; export the file again")
    group = groups[index - 1]
    if channel == 0 or len(pairs) > 2:
        return group, None
    channels = list(group.ChannelDefinitionSequence)
    if not 1 <= channel <= len(channels):
        raise EcgError(f"an annotation refers to channel {channel}, but there are {len(channels)}; export the file again")
    return group, one_line(channel_name(channels[channel - 1]), 20)


def _numbers(annotation: Any, name: str, lead: str | None) -> list[DeviceMeasurement]:
    units = annotation.get("MeasurementUnitsCodeSequence") or []
    unit = one_line(units[0].get("CodeValue") or "", 20) if units else ""
    value = annotation.NumericValue
    values = [float(each) for each in _several(value)]
    return [DeviceMeasurement(name, each, unit, lead) for each in values if math.isfinite(each)]


def _points(annotation: Any, name: str, group: Any, lead: str | None) -> list[DeviceFiducial]:
    if group is None:
        raise EcgError(f"the file does not say in which group {name} lies; export it again")
    fs = rate_of(group)
    positions, offsets = annotation.get("ReferencedSamplePositions"), annotation.get("ReferencedTimeOffsets")
    if positions is not None:
        # "the position of the first sample is 1" (DICOM PS3.3, C.10.10)
        samples = [float(each) - 1.0 for each in _several(positions)]
    else:
        samples = [float(each) * fs / 1000.0 for each in _several(offsets)]
    n = number(group, "NumberOfWaveformSamples", "number of samples")
    if not all(math.isfinite(each) and 0 <= each < n for each in samples):
        raise EcgError(f"{name} lies outside its group of {n:g} samples; export the file again")
    segment = annotation.TemporalRangeType == "SEGMENT" and len(samples) == 2
    names = [f"{name} begin", f"{name} end"] if segment else [name] * len(samples)
    told = annotation.get("AnnotationGroupNumber")
    return [
        DeviceFiducial(
            named, sample, sample * 1000.0 / fs, label_of(group), is_median(group), None if told is None else int(told), lead
        )
        for named, sample in zip(names, samples, strict=True)
    ]


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]


def _on_median(fiducials: list[DeviceFiducial], groups: list[Any]) -> list[DeviceFiducial]:
    """Mark the sets that lie on the median beat though the file says otherwise, see `read_fiducials`."""
    medians = [group for group in groups if is_median(group)]
    if len(medians) != 1 or medians[0].get("TriggerSamplePosition") is None:
        return fiducials
    trigger = number(medians[0], "TriggerSamplePosition", "trigger sample") - 1.0
    n = number(medians[0], "NumberOfWaveformSamples", "number of samples")
    moved = {
        each.set_number
        for each in fiducials
        if each.name == _FIDUCIAL_POINT and each.sample == trigger and each.set_number is not None
    }
    moved -= {each.set_number for each in fiducials if each.sample >= n}
    return [
        DeviceFiducial(each.name, each.sample, each.ms, each.group, True, each.set_number, each.lead)
        if each.set_number in moved
        else each
        for each in fiducials
    ]
