"""WFDB records of any length, a stretch at a time, behind the same checks of header and file sizes as short ones.

A record of several segments is read as one: each segment by its own header, leads by name, what no segment holds missing.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ecgspasm.ecg import Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, MOST_SAMPLES, Chosen, check_amplitudes, choose, to_ecg
from ecgspasm.io.paths import beside, blame, file_size, local_path, one_line
from ecgspasm.io.wfdb.comments import derived_leads, subject_of
from ecgspasm.io.wfdb.doubts import doubts_of_header
from ecgspasm.io.wfdb.formats import ALONE
from ecgspasm.io.wfdb.frames import Integers, Rows, read_frames
from ecgspasm.io.wfdb.header import Header
from ecgspasm.io.wfdb.reader import (
    MISSING,
    check_files,
    check_frames,
    check_start,
    header_of,
    most_at_once,
    read_digital,
    read_header,
    uv_per_step,
)
from ecgspasm.recording import Recording

_GAP = "~"
_MOST_DOUBTS = 8
"""Remarks on segments that are told; a record may have thousands."""

# Records of MIMIC-III have some thousand segments of up to 8 signals in one file, with headers of 200 to 800 bytes; those of
# MIMIC-IV have some dozens, each with several compressed files.
_MOST_HEADER_BYTES = 8 * 2**20
_MOST_SIGNALS = 30_000
"""Of all segments together, each counted once however often the record names it."""
_MOST_FILES = 12_000
"""To be opened for all segments one after the other."""
_SLOW_FILE = 20
"""For so many plain files stands one that wfdb decodes: 1.2 ms instead of 0.06."""

Samples = Callable[[int, int], Floats]


@dataclass(frozen=True)
class Segment:
    """A stretch of a record of several segments: its first frame, its length, and what reads it (nothing: a gap)."""

    start: int
    frames: int
    path: str
    header: Header | None


def open_wfdb(path: str | os.PathLike[str], *, rename: Mapping[str, str] | None = None) -> Recording:
    """Open a WFDB record of any length.

    Raises
    ------
    EcgError
        If the header is wrong, or the files have another length or begin otherwise than it says. Checksums, which are of the
        whole, are compared of records that can be read at once.
    """
    header_path = header_of(local_path(path))
    with blame(header_path):
        header = read_header(header_path)
        if header.segments:
            return _joined(header_path, header, _segments(header_path, header), rename)
        return _single(header_path, header, rename)


def read_segments(path: str, header: Header, rename: Mapping[str, str] | None) -> Ecg:
    """Read a record of several segments at once, the checksums of each compared."""
    segments = _segments(path, header)
    count = _samples_of(segments, header)
    if count > _most_of(segments):
        raise EcgError(f"the record has {count} samples, more than are read at once; use ecgspasm.open_recording(path)")
    recording = _joined(path, header, segments, rename)
    return to_ecg(
        signal_uv=recording.samples(0, recording.n_samples),
        fs=recording.fs,
        leads=recording.leads,
        subject=recording.subject,
        recorded_at=recording.recorded_at,
        source=recording.source,
        notes=(f"{len(header.segments)} segments",),
        derived=derived_leads(header.comments, recording.leads),
    )


def _single(path: str, header: Header, rename: Mapping[str, str] | None) -> Recording:
    if not header.signals:
        raise EcgError("the header names no signal; there is nothing to read")
    chosen = _chosen(header, rename)
    samples, frames, per_frame, doubts = _reader(path, header, chosen)
    if frames * sum(signal.samples_per_frame for signal in header.signals) <= most_at_once(header):
        doubts += read_digital(path, header).notes
    fs = _rate(header) * per_frame
    told = subject_of(header.comments)
    said = "; ".join((one_line(path, 300), *doubts))
    return Recording(chosen.leads, fs, frames * per_frame, samples, told, header.recorded_at, said)


def _chosen(header: Header, rename: Mapping[str, str] | None) -> Chosen:
    names = [s.description for s in header.signals]
    return choose(names, [s.units for s in header.signals], rename)


def _rate(header: Header) -> float:
    if header.fs is None:
        raise EcgError("the header gives no sampling rate; add it to the record line behind the number of signals")
    return header.fs


def _reader(path: str, header: Header, chosen: Chosen) -> tuple[Samples, int, int, list[str]]:
    """What reads the chosen leads of one record in uV, its frames, how many samples of a lead are in one, and what is odd."""
    files = check_files(header.signals, os.path.dirname(path))
    frames = check_frames(header, files, MOST_SAMPLES)
    check_start(path, header, files)
    lines = [header.signals[row] for row in chosen.rows]
    per_frame = lines[0].samples_per_frame
    if any(line.samples_per_frame != per_frame for line in lines):
        raise EcgError("the leads have different sampling rates; split the record with WFDB's xform")
    longest = max(line.skew for line in lines)
    if longest >= frames:
        raise EcgError(f"a skew of {longest} in the header is longer than the record; mend the header")
    scales = [sign * uv_per_step(line, lead) for line, lead, sign in zip(lines, chosen.leads, chosen.signs, strict=True)]

    def samples(start: int, stop: int) -> Floats:
        first, last = start // per_frame, -(-stop // per_frame)
        with blame(path):
            # a lead with skew lies so many frames later in the file
            steps = read_frames(path, header, files, first, min(last + longest, frames))
        out = np.full((len(lines), (last - first) * per_frame), np.nan)
        for row, (line, source, scale) in enumerate(zip(lines, chosen.rows, scales, strict=True)):
            _scaled(out[row], _moved(steps, source, line.skew * per_frame), scale, line.baseline, MISSING.get(line.format))
        with blame(path):
            check_amplitudes(out, chosen.leads)
        return out[:, start - first * per_frame : stop - first * per_frame]

    doubts = doubts_of_header(header, chosen.leads, scales, [line.baseline for line in lines])
    return samples, frames, per_frame, doubts


def _moved(steps: Rows, row: int, skew: int) -> Integers:
    return np.asarray(steps[row])[skew:]


def _scaled(out: Floats, steps: Integers, scale: float, baseline: int, missing: int | None) -> None:
    """Steps to uV, in place; what lies behind the end of the steps stays missing."""
    steps = steps[: out.size]
    values = out[: steps.size]
    values[:] = steps
    values -= baseline
    values *= scale
    if missing is not None:
        values[steps == missing] = np.nan


def _segments(path: str, header: Header) -> list[Segment]:
    """All segments with their checked headers, in order."""
    folder = os.path.dirname(path)
    found: list[Segment] = []
    start = 0
    # headers are parsed once each, though a record may name one twice
    parsed: dict[str, Header] = {}
    size_bytes = signals = files = 0
    for name, frames in header.segments:
        if name == _GAP:
            found.append(Segment(start, frames, "", None))
        else:
            own_path = beside(folder, f"{name}.hea")
            if os.path.abspath(own_path) == os.path.abspath(path):
                raise EcgError(f"the record names itself as its segment {one_line(name, 40)}; mend the header")
            if name not in parsed:
                size_bytes += file_size(own_path)
                parsed[name] = read_header(own_path)
                signals += len(parsed[name].signals)
            own = parsed[name]
            files += _files_of(own) if frames else 0
            if size_bytes > _MOST_HEADER_BYTES or signals > _MOST_SIGNALS or files > _MOST_FILES:
                raise EcgError("the segments have more signals, files or words than any record; read them one at a time")
            _check_segment(own, header, name, frames)
            found.append(Segment(start, frames, own_path, own))
        start += frames
    if header.n_samples is not None and header.n_samples != start:
        raise EcgError(f"the segments have {start} samples where the header says {header.n_samples}; mend the header")
    if not start:
        raise EcgError("the segments hold no sample; there is nothing to read")
    return found


def _files_of(header: Header) -> int:
    """Files of a segment; those that wfdb decodes weigh more."""
    formats = {signal.file: signal.format for signal in header.signals}
    return sum(1 if each in ALONE else _SLOW_FILE for each in formats.values())


def _check_segment(own: Header, header: Header, name: str, frames: int) -> None:
    shown = one_line(name, 40)
    if own.segments:
        raise EcgError(f"segment {shown} has segments itself; join it first")
    if own.fs != header.fs:
        raise EcgError(f"segment {shown} has {own.fs or 0:g} Hz where the record has {header.fs or 0:g}; split the record")
    if frames and own.n_samples is not None and own.n_samples != frames:
        raise EcgError(f"segment {shown} has {own.n_samples} samples where the record says {frames}; mend the header")


def _samples_of(segments: list[Segment], header: Header) -> int:
    """Samples that have to be read for the whole record, or that it says it has if those are more."""
    read = sum(
        segment.frames * sum(signal.samples_per_frame for signal in segment.header.signals)
        for segment in segments
        if segment.header is not None
    )
    return max(read, (segments[-1].start + segments[-1].frames) * max(header.n_sig, 1))


def _most_of(segments: list[Segment]) -> int:
    """Samples of the record that are read at once."""
    real = [segment.header for segment in segments if segment.frames and segment.header is not None]
    return min(map(most_at_once, real), default=MAX_SAMPLES)


def _joined(path: str, header: Header, segments: list[Segment], rename: Mapping[str, str] | None) -> Recording:
    """A record of several segments; with a layout segment its leads are the record's, else those of all segments."""
    layout = segments[0].header if segments[0].frames == 0 else None
    real = [segment for segment in segments if segment.frames and segment.header is not None]
    if not real:
        raise EcgError("the segments hold no signal; there is nothing to read")
    # all that is of a segment itself is found out once, though the record may name it again and again
    chosen = {segment.path: _chosen_of(segment, rename) for segment in {each.path: each for each in real}.values()}
    known = _chosen(layout, rename).leads if layout is not None else _union(list(chosen.values()))
    total = segments[-1].start + segments[-1].frames
    readers, per_frame, doubts = _readers(real, chosen, summed=_samples_of(segments, header) <= _most_of(segments))
    rows = {each: [known.index(lead) for lead in own.leads if lead in known] for each, own in chosen.items()}
    kept = {each: [place for place, lead in enumerate(own.leads) if lead in known] for each, own in chosen.items()}
    starts = [segment.start * per_frame for segment in real]
    ends = [(segment.start + segment.frames) * per_frame for segment in real]

    def joined(start: int, stop: int) -> Floats:
        out = np.full((len(known), stop - start), np.nan)
        for at in range(max(bisect_right(starts, start) - 1, 0), len(real)):
            low, high = max(start, starts[at]), min(stop, ends[at])
            if low >= stop:
                break
            if high > low:
                own = real[at].path
                out[rows[own], low - start : high - start] = readers[own](low - starts[at], high - starts[at])[kept[own]]
        return out

    told = subject_of(header.comments)
    if told.sex is None and told.age is None and real[0].header is not None:
        told = subject_of(real[0].header.comments)
    said = "; ".join((one_line(path, 300), *doubts[:_MOST_DOUBTS]))
    return Recording(known, _rate(header) * per_frame, total * per_frame, joined, told, header.recorded_at, said)


def _readers(segments: list[Segment], chosen: Mapping[str, Chosen], *, summed: bool) -> tuple[dict[str, Samples], int, list[str]]:
    """What reads each segment, how many samples of a lead are in a frame, and what is odd; checksums too if `summed`."""
    readers: dict[str, Samples] = {}
    lengths: dict[str, int] = {}
    doubts: dict[str, None] = {}
    per_frame = 0
    for segment in segments:
        assert segment.header is not None
        name = os.path.basename(segment.path)
        if segment.path not in readers:
            with blame(name):
                found, frames, inside, odd = _reader(segment.path, segment.header, chosen[segment.path])
                if summed:
                    odd += read_digital(segment.path, segment.header).notes
            if per_frame not in (0, inside):
                raise EcgError("the segments have different sampling rates; split the record with WFDB's xform")
            per_frame = inside
            readers[segment.path], lengths[segment.path] = found, frames
            doubts |= dict.fromkeys(odd)
        if lengths[segment.path] != segment.frames:
            raise EcgError(f"{name} has {lengths[segment.path]} samples where the record says {segment.frames}")
    return readers, per_frame, list(doubts)


def _chosen_of(segment: Segment, rename: Mapping[str, str] | None) -> Chosen:
    """Leads of one segment; a name to be changed may be in some segments only."""
    assert segment.header is not None
    names = {s.description for s in segment.header.signals}
    own = {old: new for old, new in (rename or {}).items() if old in names}
    with blame(os.path.basename(segment.path)):
        return _chosen(segment.header, own)


def _union(chosen: list[Chosen]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lead for each in chosen for lead in each.leads))
