"""One multiplex group of a DICOM waveform: its samples, its leads, and what makes uV of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import FS_RANGE_HZ, Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, Chosen, choose, uv_per_unit
from ecgspasm.io.paths import one_line

MAX_CHANNELS = 64

_DTYPES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}

# Lead numbers of SCP-ECG (EN 1064, table of lead identification); they also end the code of MDC ("2:61").
_LEAD_BY_NUMBER = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7",
    11: "V3R", 12: "V4R", 13: "V5R", 14: "V6R", 16: "X", 17: "Y", 18: "Z",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 65: "-aVR", 66: "V8", 67: "V9",
}  # fmt: skip
_CODE = re.compile(r"(?:5\.6\.3-9-|2:)(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """Leads of one multiplex group in uV, shape (lead, sample)."""

    signal_uv: Floats
    fs: float
    leads: tuple[str, ...]
    left_out: tuple[str, ...]


def label_of(group: Any) -> str:
    """What the file calls the group, such as ``RHYTHM``."""
    return one_line(group.get("MultiplexGroupLabel") or "unnamed group", 40)


def rate_of(group: Any) -> float:
    """Samples per second of a group."""
    fs = number(group, "SamplingFrequency", "sampling rate")
    if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
        raise EcgError(f"the sampling rate is {fs:g} Hz; that of an ECG lies between 50 and 10000")
    return fs


@dataclass(frozen=True, slots=True)
class Plan:
    """How the samples of a group become uV; the samples themselves come later, all at once or in stretches."""

    fs: float
    n_channels: int
    n_samples: int
    dtype: np.dtype[Any]
    chosen: Chosen
    calibration: tuple[tuple[float, float], ...]
    """Microvolts a step and at step 0, with the sign of the lead."""
    missing: int | None

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.n_channels * self.dtype.itemsize

    def microvolts(self, raw: bytes) -> Floats:
        """The leads of some whole frames."""
        steps = np.frombuffer(raw, self.dtype).reshape(-1, self.n_channels)
        signal: Floats = np.empty((len(self.chosen.rows), len(steps)))
        for out, row, (scale, offset) in zip(signal, self.chosen.rows, self.calibration, strict=True):
            np.multiply(steps[:, row], scale, out=out, dtype=np.float64)
            out += offset
            if self.missing is not None:
                out[steps[:, row] == self.missing] = np.nan
        return signal


def read_group(group: Any, *, little: bool, rename: Mapping[str, str] | None) -> Group:
    """Leads of one group; channels that are no leads are left out and named."""
    data = group.WaveformData or b""
    plan = plan_of(group, len(data), little=little, rename=rename, limit=MAX_SAMPLES)
    signal = plan.microvolts(data[: plan.n_samples * plan.frame_bytes])
    return Group(signal, plan.fs, plan.chosen.leads, plan.chosen.left_out)


def plan_of(group: Any, length: int, *, little: bool, rename: Mapping[str, str] | None, limit: int) -> Plan:
    """Check all that a group says of its samples, which have `length` bytes."""
    fs = rate_of(group)
    n_channels, n_samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    kind = str(group.get("WaveformSampleInterpretation"))
    if kind not in _DTYPES:
        raise EcgError(f"the samples are of kind {kind!r}; only plain integers ({', '.join(_DTYPES)}) are read")
    dtype = np.dtype(_DTYPES[kind]).newbyteorder("<" if little else ">")
    if int(group.get("WaveformBitsAllocated") or 0) != 8 * dtype.itemsize:
        raise EcgError(f"{group.get('WaveformBitsAllocated')} bits a sample do not go with the kind {kind}; export it again")
    if not 0 < n_channels <= MAX_CHANNELS or not 0 < n_samples <= limit // n_channels:
        raise EcgError(f"{n_channels} channels of {n_samples} samples cannot be an ECG that is read at once")
    need = n_channels * n_samples * dtype.itemsize
    # an odd number of bytes is filled up by one, nothing else may be left over
    if not need <= length <= need + need % 2:
        raise EcgError(
            f"the waveform has {length} bytes where {n_channels} channels of {n_samples} samples need {need}; the file is damaged"
        )
    channels = list(group.ChannelDefinitionSequence)
    if len(channels) != n_channels:
        raise EcgError(f"the file defines {len(channels)} channels but holds {n_channels}; export it again")
    chosen = choose([channel_name(channel) for channel in channels], [_unit(channel) for channel in channels], rename)
    calibration = []
    for row, lead, sign in zip(chosen.rows, chosen.leads, chosen.signs, strict=True):
        scale, offset = _calibration(channels[row], lead, fs)
        calibration.append((sign * scale, sign * offset))
    padding = group.get("WaveformPaddingValue")
    missing = None if padding is None else _padding(padding, dtype)
    return Plan(fs, n_channels, n_samples, dtype, chosen, tuple(calibration), missing)


def _padding(value: Any, dtype: np.dtype[Any]) -> int:
    """The padding value, which pydicom gives as the bytes of one sample or as a number."""
    return int(np.frombuffer(value[: dtype.itemsize], dtype)[0]) if isinstance(value, bytes) else int(value)


def channel_name(channel: Any) -> str:
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
    sensitivity = number(channel, "ChannelSensitivity", f"gain of lead {lead}")
    # both stand for "nothing to correct" where a writer leaves them out
    correction = number(channel, "ChannelSensitivityCorrectionFactor", f"gain correction of lead {lead}", 1.0)
    baseline = number(channel, "ChannelBaseline", f"baseline of lead {lead}", 0.0)
    if sensitivity <= 0 or correction <= 0:
        raise EcgError(f"lead {lead} has the gain {sensitivity:g} x {correction:g}; both must be above 0: export it again")
    skew = number(channel, "ChannelSampleSkew", "skew", 0.0) + number(channel, "ChannelTimeSkew", "skew", 0.0) * fs
    if abs(skew) > 1:
        raise EcgError(f"lead {lead} is shifted by {skew:g} samples against the others; export simultaneous leads")
    return sensitivity * correction * factor, baseline * factor


def number(element: Any, keyword: str, what: str, default: float | None = None) -> float:
    value = element.get(keyword)
    if value is None or value == "":
        if default is None:
            raise EcgError(f"the file gives no {what}; export it again")
        return default
    number = float(value)
    if not math.isfinite(number):
        raise EcgError(f"the {what} in the file is {number}; export it again")
    return number
