"""Long WFDB records, a stretch at a time, behind the same checks of header and file sizes as short ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import choose
from ecgspasm.io.paths import blame, local_path, one_line
from ecgspasm.io.wfdb_comments import subject_of
from ecgspasm.io.wfdb_header import Header
from ecgspasm.io.wfdb_reader import MISSING, WORDS, check_files, check_frames, header_of, read_header, uv_per_step
from ecgspasm.recording import Recording

_MOST_SAMPLES = 40_000_000_000
"""Samples of all channels together: a month of 15 leads at 1000 Hz."""


def open_wfdb(path: str | os.PathLike[str], *, rename: Mapping[str, str] | None = None) -> Recording:
    """Open a WFDB record of any length.

    Raises
    ------
    EcgError
        If the header is wrong, or the files have another length than it says. Checksums, which are of the whole, are not
        compared.
    """
    header_path = header_of(local_path(path))
    with blame(header_path):
        return _open(header_path, rename)


def _open(path: str, rename: Mapping[str, str] | None) -> Recording:
    header = read_header(path)
    if header.segments:
        raise EcgError(f"the record has {len(header.segments)} segments; open one of them by its own name")
    if not header.signals:
        raise EcgError("the header names no signal; there is nothing to read")
    if header.fs is None:
        raise EcgError("the header gives no sampling rate; add it to the record line behind the number of signals")
    files = check_files(header.signals, os.path.dirname(path))
    frames = check_frames(header, files, _MOST_SAMPLES)
    chosen = choose([s.description for s in header.signals], [s.units for s in header.signals], rename)
    lines = [header.signals[row] for row in chosen.rows]
    if any(line.skew for line in header.signals) or any(line.samples_per_frame != 1 for line in header.signals):
        raise EcgError("signals with skew or several samples a frame cannot be read in pieces; convert them with WFDB's xform")
    rows = list(chosen.rows)
    scale = [sign * uv_per_step(line, lead) for line, lead, sign in zip(lines, chosen.leads, chosen.signs, strict=True)]
    factor = np.array(scale)[:, None]
    baseline = np.array([line.baseline for line in lines])[:, None]
    missing = np.array([MISSING.get(line.format, np.iinfo(np.int64).min) for line in lines])[:, None]
    plain = all(line.format in WORDS for line in header.signals)

    def samples(start: int, stop: int) -> Floats:
        with blame(path):
            steps = _words(files, start, stop) if plain else _through_wfdb(path, header, start, stop)
        steps = steps[rows]
        uv = (steps - baseline) * factor
        uv[steps == missing] = np.nan
        return np.asarray(uv)

    return Recording(
        chosen.leads, header.fs, frames, samples, subject_of(header.comments), header.recorded_at, one_line(path, 300)
    )


def _words(files: list[tuple[str, list[Any]]], start: int, stop: int) -> NDArray[np.int16]:
    """Digital samples of formats of plain 16-bit words, shape (signal, sample)."""
    parts = []
    for path, lines in files:
        n = len(lines)
        offset = lines[0].byte_offset + 2 * n * start
        words = np.fromfile(path, WORDS[lines[0].format], count=n * (stop - start), offset=offset)
        if words.size != n * (stop - start):
            raise EcgError(f"{os.path.basename(path)} became shorter while it was read; fetch it again")
        parts.append(words.reshape(stop - start, n).T)
    return np.asarray(np.concatenate(parts), dtype=np.int16)


def _through_wfdb(path: str, header: Header, start: int, stop: int) -> NDArray[np.int64]:
    import wfdb

    record = os.path.splitext(os.path.abspath(path))[0]
    try:
        read = wfdb.rdrecord(record, sampfrom=start, sampto=stop, physical=False, ignore_skew=True)
        steps = np.asarray(read.d_signal).T
    # wfdb raises anything from struct.error to AttributeError on files that are not what they say
    except Exception as error:
        raise EcgError(
            f"wfdb cannot decode it ({type(error).__name__}: {one_line(error, 120)}); fetch the record again"
        ) from error
    if steps.shape != (len(header.signals), stop - start):
        raise EcgError("wfdb found another number of samples than the header says; fetch the record again")
    return np.asarray(steps, dtype=np.int64)
