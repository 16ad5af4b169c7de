"""WFDB records: uncompressed formats by the project's own decoders, compressed ones through wfdb behind the same checks.

Whatever the format, the header is parsed by `header`, the files are local and as long as the header says, and the
first sample and the checksum of every signal are compared with the header's before a single microvolt is given out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ecgspasm.ecg import Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, choose, to_ecg, uv_per_unit
from ecgspasm.io.paths import beside, blame, file_size, local_path, one_line, read_part, read_regular
from ecgspasm.io.wfdb.comments import derived_leads, subject_of
from ecgspasm.io.wfdb.doubts import doubts_of_header, doubts_of_leads
from ecgspasm.io.wfdb.formats import ALONE, BLOCK, needed_bytes
from ecgspasm.io.wfdb.frames import Files, Integers, Rows, read_frames
from ecgspasm.io.wfdb.header import MAX_HEADER_BYTES, Header, SignalLine, parse_header
from ecgspasm.io.wfdb.mat import SUFFIX as MAT
from ecgspasm.io.wfdb.mat import columns_of

MISSING = {
    80: -(2**7), 508: -(2**7), 310: -(2**9), 311: -(2**9), 212: -(2**11), 16: -(2**15), 61: -(2**15), 160: -(2**15),
    516: -(2**15), 24: -(2**23), 524: -(2**23), 32: -(2**31), 8: -(2**31),
}  # fmt: skip
"""The digital value that stands for a missing sample; format 8 has none."""

MOST_DECODED = 5_000_000
"""Samples that are read at once where wfdb decodes them, which takes up to 50 bytes for each: half an hour of eleven leads at
250 Hz."""

_BLOCK_SAMPLES = 2**20

_WIDE = frozenset({24, 32, 524})
"""Formats of more bits than the 16 of a checksum."""


@dataclass(frozen=True, eq=False, slots=True)
class Digital:
    """A record as it stands in its files: one row of integers a signal, checked, skew undone, no scale applied."""

    path: str
    header: Header
    samples: Rows
    notes: tuple[str, ...] = ()


def read_wfdb(path: str | os.PathLike[str], *, rename: Mapping[str, str] | None = None) -> Ecg:
    """Read a WFDB record as its header says.

    Parameters
    ----------
    path : path of the header or of a signal file, or the name of the record without a suffix
    rename : mapping of str to str, optional
        Lead names for channels whose own name says nothing, such as ``{"ECG1": "II"}``.

    Raises
    ------
    EcgError
        If anything in header or files is wrong, uncalibrated or larger than any ECG.
    """
    header_path = header_of(local_path(path))
    with blame(header_path):
        return physical(read_digital(header_path), rename=rename)


def header_of(path: str) -> str:
    """Path of the header that belongs to the path of a header, of a signal file, or to the bare name of a record."""
    if path.endswith(".hea"):
        return path
    bare = os.path.splitext(path)[0] + ".hea"
    return bare if os.path.isfile(path) and os.path.isfile(bare) else path + ".hea"


def read_header(path: str) -> Header:
    """Parse a header file."""
    return parse_header(read_regular(path, MAX_HEADER_BYTES))


def read_digital(path: str, header: Header | None = None) -> Digital:
    """Read and check the samples of a record; nothing is scaled."""
    if header is None:
        header = read_header(path)
    if header.segments:
        first = next((name for name, _ in header.segments if name != "~"), "")
        raise EcgError(f"the record has {len(header.segments)} segments; read one of them by its own name, such as {first}")
    if not header.signals:
        raise EcgError("the header names no signal; there is nothing to read")
    folder = os.path.dirname(path)
    files = check_files(header.signals, folder)
    frames = check_frames(header, files, most_at_once(header))
    samples = read_frames(path, header, files, 0, frames)
    stated = _verify(header, samples)
    if any(s.skew for s in header.signals):
        samples = _without_skew(header, samples)
    notes = () if stated else ("checksums are placeholders, so not verified",)
    return Digital(path, header, samples, (*notes, *_beyond_checksums(header, samples)))


def check_files(signals: tuple[SignalLine, ...], folder: str) -> Files:
    """Signals by the file they lie in, the file as a checked path."""
    files = []
    for name, group in groupby(signals, key=lambda signal: signal.file):
        lines = list(group)
        if any((s.format, s.byte_offset) != (lines[0].format, lines[0].byte_offset) for s in lines):
            raise EcgError(f"the signals in {one_line(name, 40)} differ in format or offset; one file can have only one")
        if lines[0].format == 0:
            raise EcgError("the header has a signal of format 0, which is stored nowhere; read a segment that holds it")
        files.append((beside(folder, name), lines))
    if len({name for name, _ in files}) < len(files):
        raise EcgError("signals of one file are apart in the header; put them on lines that follow each other")
    return files


def most_at_once(header: Header) -> int:
    """Samples of a record that are read at once."""
    return MAX_SAMPLES if all(signal.format in ALONE for signal in header.signals) else MOST_DECODED


def check_frames(header: Header, files: Files, limit: int = MAX_SAMPLES) -> int:
    """Number of frames, after comparing what the header says with the real size of every file."""
    frames = header.n_samples
    per_frame = sum(signal.samples_per_frame for signal in header.signals)
    # before anything is opened, so that a header cannot ask for more memory than any ECG needs
    if frames is not None and frames * per_frame > limit:
        raise EcgError(_too_long(frames * per_frame, limit))
    for path, lines in files:
        size = file_size(path) - lines[0].byte_offset
        n = sum(line.samples_per_frame for line in lines)
        block = BLOCK.get(lines[0].format)
        if block is None:
            if frames is None:
                raise EcgError("the header gives no number of samples, which a compressed record needs; add it")
            if size > 8 * frames * n + 65536:
                raise EcgError(
                    f"{os.path.basename(path)} is larger than {frames} samples can be; the file or the header is wrong"
                )
            _check_flac(path, lines, frames)
            continue
        size_bytes, samples = block
        if path.lower().endswith(MAT):
            frames = columns_of(path, lines, frames)
        if frames is None:
            frames = max(size, 0) * samples // size_bytes // n
            if frames * per_frame > limit:
                raise EcgError(_too_long(frames * per_frame, limit))
        least = needed_bytes(lines[0].format, frames * n)
        most = -(-frames * n // samples) * size_bytes
        if not least <= size <= most or size <= 0:
            offset = lines[0].byte_offset
            raise EcgError(
                f"{os.path.basename(path)} has {size + offset} bytes where {frames} samples of {n} signals need "
                f"{least + offset}; the file is damaged or the header is not its own: fetch both again"
            )
    assert frames is not None
    return frames


def _check_flac(path: str, lines: list[SignalLine], frames: int) -> None:
    """Compare the head of a compressed file (RFC 9639, 8.2) with the header before anything is unpacked."""
    # libsndfile begins at the first byte, wherever the header says that the samples begin
    head = read_part(path, 0, 42)
    told = int.from_bytes(head[18:26], "big")
    samples, channels = told & (2**36 - 1), (told >> 41 & 7) + 1
    wanted = frames * lines[0].samples_per_frame
    # 0 stands for a number that the writer did not know; libsndfile cannot find a place in such a file
    if head[:4] != b"fLaC" or len(head) < 42 or lines[0].byte_offset or samples != wanted or channels != len(lines):
        raise EcgError(
            f"{os.path.basename(path)} is no FLAC file of {wanted} samples of {len(lines)} signals, as the header says; "
            "fetch both again"
        )


def _too_long(samples: int, limit: int) -> str:
    return f"the record has {samples} samples, more than the {limit} that are read at once; use ecgspasm.open_recording(path)"


def _verify(header: Header, samples: Rows) -> bool:
    """Compare first samples and checksums with the header; False if the header holds only zeros in their place.

    PTB's headers have 0 for both in every signal, where a writer did not know them yet.
    """
    if not any(signal.initial_value or signal.checksum for signal in header.signals):
        return False
    if isinstance(samples, np.ndarray):
        sums = samples.sum(axis=1, dtype=np.int64).tolist()
    else:
        sums = [int(row.sum(dtype=np.int64)) for row in samples]
    for signal, row, total in zip(header.signals, samples, sums, strict=True):
        name = one_line(signal.description, 40)
        if signal.checksum is not None and (total - signal.checksum) & 0xFFFF:
            raise EcgError(f"the checksum of signal {name!r} is not the header's; the file is damaged: fetch it again")
        _check_first(signal, int(row[0]))
    return True


def _beyond_checksums(header: Header, samples: Rows) -> list[str]:
    """Look at the bits above 16, which no checksum of WFDB covers; what is odd about them in words.

    Raises
    ------
    EcgError
        If a sample is larger than the converter that the header names can give.
    """
    odd = []
    for signal, row in zip(header.signals, samples, strict=True):
        if signal.format not in _WIDE:
            continue
        name = one_line(signal.description, 40)
        missing = row == MISSING[signal.format]
        known = row[~missing] if missing.any() else row
        largest, step = _extremes(known, signal.adc_zero)
        if signal.adc_resolution and largest >= 2**signal.adc_resolution:
            raise EcgError(
                f"signal {name!r} holds samples that its converter of {signal.adc_resolution} bits cannot give; the file is "
                "damaged: fetch it again"
            )
        # one bit makes 0 a missing sample
        if missing.any() or step >= 2**16:
            odd.append(name)
    return [f"{', '.join(odd)} has jumps or gaps that no checksum covers: compare with the original"] if odd else []


def _extremes(steps: Integers, zero: int) -> tuple[int, int]:
    """The largest distance from zero and from one sample to the next, a block at a time because each needs eight bytes."""
    largest = step = 0
    for at in range(0, steps.size, _BLOCK_SAMPLES):
        block = steps[at : at + _BLOCK_SAMPLES + 1].astype(np.int64)
        largest = max(largest, int(np.abs(block - zero).max()))
        step = max(step, int(np.abs(np.diff(block)).max(initial=0)))
    return largest, step


def check_start(path: str, header: Header, files: Files) -> None:
    """Compare the first samples with the header's, where the whole is too long to be summed up."""
    if not any(signal.initial_value or signal.checksum for signal in header.signals):
        return
    for signal, row in zip(header.signals, read_frames(path, header, files, 0, 1), strict=True):
        _check_first(signal, int(row[0]))


def _check_first(signal: SignalLine, value: int) -> None:
    if signal.initial_value is not None and value != signal.initial_value:
        raise EcgError(
            f"signal {one_line(signal.description, 40)!r} begins with {value} where the header says {signal.initial_value}; the "
            "file is damaged or the header is not its own: fetch both again"
        )


def _without_skew(header: Header, samples: Rows) -> list[Integers]:
    """Move every signal ahead by its skew; what follows the end is missing."""
    moved: list[Integers] = []
    for signal, row in zip(header.signals, samples, strict=True):
        shift = signal.skew * signal.samples_per_frame
        if shift >= row.size:
            raise EcgError(f"a skew of {signal.skew} in the header is longer than the record; mend the header")
        tail = np.full(shift, MISSING[signal.format], dtype=row.dtype)
        moved.append(np.concatenate([row[shift:], tail]))
    return moved


def physical(digital: Digital, *, rename: Mapping[str, str] | None = None) -> Ecg:
    """Scale the leads of a record to microvolts as its header says."""
    header = digital.header
    chosen = choose([s.description for s in header.signals], [s.units for s in header.signals], rename)
    scales = [
        sign * uv_per_step(header.signals[row], lead)
        for row, lead, sign in zip(chosen.rows, chosen.leads, chosen.signs, strict=True)
    ]
    notes = digital.notes + ((f"left out: {', '.join(chosen.left_out)}",) if chosen.left_out else ())
    return scaled(digital, rows=chosen.rows, leads=chosen.leads, scales=scales, notes=notes)


def scaled(
    digital: Digital,
    *,
    rows: Sequence[int],
    leads: Sequence[str],
    scales: Sequence[float],
    baselines: Sequence[int] | None = None,
    notes: Sequence[str] = (),
) -> Ecg:
    """Build the `Ecg` from some rows: ``(digital - baseline) * scale`` uV; the baselines default to the header's."""
    header = digital.header
    lines = [header.signals[row] for row in rows]
    if header.fs is None:
        raise EcgError("the header gives no sampling rate; add it to the record line behind the number of signals")
    if len({line.samples_per_frame for line in lines}) > 1:
        raise EcgError("the leads have different sampling rates; split the record with WFDB's xform")
    if baselines is None:
        baselines = [line.baseline for line in lines]
    signal: Floats = np.empty((len(rows), digital.samples[rows[0]].size))
    for out, row, line, scale, baseline in zip(signal, rows, lines, scales, baselines, strict=True):
        steps = digital.samples[row]
        # one factor, so that whole microvolts stay whole: x / 1000 * 1000 is not always x
        out[:] = steps
        out -= baseline
        out *= scale
        missing = steps == MISSING[line.format]
        if missing.any():
            out[missing] = np.nan
    doubts = [*doubts_of_header(header, leads, scales, baselines), *doubts_of_leads(signal, leads, scales)]
    return to_ecg(
        signal_uv=signal,
        fs=header.fs * lines[0].samples_per_frame,
        leads=leads,
        subject=subject_of(header.comments),
        recorded_at=header.recorded_at,
        source=digital.path,
        notes=(*notes, *doubts),
        derived=derived_leads(header.comments, leads),
    )


def uv_per_step(signal: SignalLine, lead: str) -> float:
    if not signal.gain:
        what = "no gain" if signal.gain is None else "gain 0"
        raise EcgError(f"lead {lead} has {what}, so it is not calibrated; put the true steps per mV into the header")
    if signal.gain < 0:
        raise EcgError(f"lead {lead} has the negative gain {signal.gain:g}; mend the header")
    unit = uv_per_unit(signal.units)
    if unit is None:
        raise EcgError(f"lead {lead} has the unit {one_line(signal.units, 40)!r}; give uV, mV or V in the header")
    return unit / signal.gain
