"""Frames of the signal files of one WFDB record, whole or in part, after `check_frames` has seen that they are there."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line, read_part
from ecgspasm.io.wfdb.formats import ALONE, byte_range, unpacked
from ecgspasm.io.wfdb.header import Header, SignalLine

Integers = NDArray[np.signedinteger[Any]]
Rows = Integers | list[Integers]
"""Samples by signal: one array of shape (signal, sample), or a list where the files or rates differ."""

Files = list[tuple[str, list[SignalLine]]]


def read_frames(path: str, header: Header, files: Files, start: int, stop: int) -> Rows:
    """Digital samples of frames `start` to `stop` of all signals; the header's skew is not undone.

    Parameters
    ----------
    path : str
        Of the header.
    header : Header
    files : list
        From `check_files`.
    start, stop : int
    """
    if not all(lines[0].format in ALONE for _, lines in files):
        return _through_wfdb(path, header, start, stop)
    parts = [_own(name, lines, start, stop) for name, lines in files]
    return parts[0] if len(parts) == 1 else [row for part in parts for row in part]


def _own(path: str, lines: list[SignalLine], start: int, stop: int) -> Rows:
    """Frames of one file."""
    fmt, per_frame = lines[0].format, sum(line.samples_per_frame for line in lines)
    first, last = byte_range(fmt, start * per_frame, stop * per_frame)
    content = read_part(path, lines[0].byte_offset + first, last - first)
    try:
        samples = unpacked(fmt, content, start * per_frame, stop * per_frame)
    except ValueError as error:
        raise EcgError(f"{os.path.basename(path)} became shorter while it was read; fetch it again") from error
    frames = samples.reshape(stop - start, per_frame)
    if per_frame == len(lines):
        return np.ascontiguousarray(frames.T)
    ends = np.cumsum([line.samples_per_frame for line in lines])
    return [np.ascontiguousarray(part).reshape(-1) for part in np.split(frames, ends[:-1], axis=1)]


def _through_wfdb(path: str, header: Header, start: int, stop: int) -> Rows:
    """Let wfdb decode compressed files and differences; its own reading of the header is used for nothing but that."""
    import wfdb

    record = os.path.splitext(os.path.abspath(path))[0]
    try:
        read = wfdb.rdrecord(record, sampfrom=start, sampto=stop, physical=False, smooth_frames=False, ignore_skew=True)
        samples = [np.asarray(row) for row in read.e_d_signal]
    # wfdb raises anything from struct.error to AttributeError on files that are not what they say
    except Exception as error:
        raise EcgError(
            f"wfdb cannot decode it ({type(error).__name__}: {one_line(error, 120)}); fetch the record again"
        ) from error
    expected = [(stop - start) * signal.samples_per_frame for signal in header.signals]
    if [row.size for row in samples] != expected:
        raise EcgError("wfdb found another number of samples than the header says; fetch the record again")
    return samples
