"""EDF, EDF+ and BDF, read at once or a stretch at a time, through edfio (extra ``edf``).

A header and some of the records that follow it are themselves a file of the same format, so edfio decodes any stretch without
the rest. Everything that edfio takes on trust is checked before: sizes, ranges, units and rates; it gives raw counts where a
calibration is senseless. What edfio gets has no name, no date and no code of a person in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, MOST_SAMPLES, Chosen, check_amplitudes, to_ecg
from ecgspasm.io.edf.header import MAX_HEADER_BYTES, EdfHeader, is_edf, parse_edf_header
from ecgspasm.io.edf.signals import leads_of, onsets_of, scales_of
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import blame, local_path, one_line
from ecgspasm.recording import Recording

__all__ = ["is_edf", "open_edf", "read_edf"]

_PIECE = 2_000_000
"""Samples of all channels that are decoded at once; 24-bit ones pass through several copies."""


@dataclass(frozen=True, slots=True)
class _Edf:
    """A checked file: what to read from where, and how to scale it."""

    header: EdfHeader
    read_at: Callable[[int, int], bytes]
    chosen: Chosen
    per_record: int
    fs: float
    scale: tuple[tuple[float, float], ...]
    """Microvolts a step and at step 0, one pair a lead."""
    at: NDArray[np.int64] | None
    """First sample of each record where there are gaps; None if they follow each other."""
    first_s: Fraction
    """Onset of the first record after the time in the header."""

    @property
    def n_samples(self) -> int:
        return self.header.n_records * self.per_record if self.at is None else int(self.at[-1]) + self.per_record

    @property
    def recorded_at(self) -> datetime | None:
        if self.header.started is None:
            return None
        return self.header.started + timedelta(microseconds=round(self.first_s * 1_000_000))

    def samples(self, start: int, stop: int) -> Floats:
        """Microvolts, shape (lead, stop - start); nan between records that do not follow each other."""
        out: Floats = np.full((len(self.scale), stop - start), np.nan)
        n = self.per_record
        # index of the first record that ends behind `start`, and of the first that begins at `stop` or later
        first = start // n if self.at is None else int(np.searchsorted(self.at + n, start, side="right"))
        last = -(-stop // n) if self.at is None else int(np.searchsorted(self.at, stop, side="left"))
        total = sum(channel.per_record for channel in self.header.channels)
        each = max(_PIECE // total, 1)
        for low in range(first, last, each):
            high = min(low + each, last)
            uv = self._decoded(low, high)
            for record in range(low, high) if self.at is not None else (low,):
                width = n if self.at is not None else uv.shape[1]
                begin = record * n if self.at is None else int(self.at[record])
                piece = uv[:, (record - low) * n : (record - low) * n + width]
                left, right = max(begin, start), min(begin + width, stop)
                out[:, left - start : right - start] = piece[:, left - begin : right - begin]
        check_amplitudes(out, self.chosen.leads)
        return out

    def _decoded(self, low: int, high: int) -> Floats:
        """Microvolts of some whole records, shape (lead, sample)."""
        import edfio

        size = self.header.record_bytes
        records = self.read_at(len(self.header.raw) + low * size, (high - low) * size)
        if len(records) != (high - low) * size:
            raise EcgError("the file became shorter while it was read; fetch it again")
        cut = self.header.stretch(high - low) + records
        try:
            read = edfio.read_bdf if self.header.word == 3 else edfio.read_edf
            signals = read(cut, header_encoding="latin-1")._signals
            steps = [signals[row].digital for row in self.chosen.rows]
        # the header was checked, so nothing should be left that edfio stumbles over; if it does, that is said
        except Exception as error:
            raise EcgError(f"edfio cannot decode it ({type(error).__name__}: {one_line(error, 120)}); export it again") from error
        out: Floats = np.empty((len(steps), steps[0].size))
        for row, digital, lead, (gain, base) in zip(out, steps, self.chosen.rows, self.scale, strict=True):
            np.multiply(digital, gain, out=row, dtype=np.float64)
            row += base
            least, most = self.header.channels[lead].digital
            # the format lets no sample lie outside; writers put such values where nothing was measured
            row[(digital < least) | (digital > most)] = np.nan
        return out


def read_edf(file: File, asked: Asked) -> Ecg:
    """Read an EDF, EDF+ or BDF file as one ECG.

    Parameters
    ----------
    file : File
    asked : Asked
        ``unit`` only where the file leaves the unit of its leads blank.

    Returns
    -------
    Ecg
        Where records do not follow each other (EDF+D), the samples between are ``nan``.

    Raises
    ------
    EcgError
        If edfio is missing, or the file is damaged, uncalibrated, no ECG, or longer than what is read at once.
    """
    found = _opened(file, asked)
    channels = len(found.header.channels)
    if found.n_samples * channels > MAX_SAMPLES:
        raise EcgError(
            f"the file has {found.n_samples} samples of {channels} signals, more than the {MAX_SAMPLES} that are read at once; "
            "use ecgspasm.open_recording(path)"
        )
    return to_ecg(
        signal_uv=found.samples(0, found.n_samples),
        fs=found.fs,
        leads=found.chosen.leads,
        subject=found.header.subject,
        recorded_at=found.recorded_at,
        source=file.path or file.name,
        notes=_notes(found),
    )


def open_edf(path: str, asked: Asked | None = None) -> Recording:
    """Open an EDF, EDF+ or BDF file of any length; only what is asked for is read.

    Raises
    ------
    EcgError
        As `read_edf` does, but for the length.
    """
    text = local_path(path)
    with blame(text):
        found = _opened(File(text, path=text), asked or Asked())
        if found.n_samples * len(found.header.channels) > MOST_SAMPLES:
            raise EcgError(f"the file says that it holds {found.n_samples} samples, longer than any recording; export it again")

    def samples(start: int, stop: int) -> Floats:
        with blame(text):
            return found.samples(start, stop)

    said = "; ".join((one_line(text, 300), *_notes(found)))
    return Recording(found.chosen.leads, found.fs, found.n_samples, samples, found.header.subject, found.recorded_at, said)


def _notes(found: _Edf) -> list[str]:
    notes = [f"left out: {', '.join(found.chosen.left_out)}"] if found.chosen.left_out else []
    if found.at is not None and found.n_samples > found.header.n_records * found.per_record:
        missing = found.n_samples - found.header.n_records * found.per_record
        notes.append(f"{missing / found.fs:g} s between records are missing")
    return notes


def _opened(file: File, asked: Asked) -> _Edf:
    try:
        import edfio  # noqa: F401  (said before anything is read)
    except ImportError as error:
        raise EcgError("reading EDF needs edfio: pip install 'ecgspasm[edf]'") from error
    asked.nothing("fs", "record", what="an EDF file")
    header = parse_edf_header(file.part(0, MAX_HEADER_BYTES), file.size())
    rows = [row for row, channel in enumerate(header.channels) if not channel.annotations]
    if not rows or header.record_s <= 0:
        raise EcgError("the file holds annotations but no signal; give the file with the ECG itself")
    chosen = leads_of([header.channels[row] for row in rows], rows, asked)
    leads = [header.channels[row] for row in chosen.rows]
    rates = sorted({channel.per_record for channel in leads})
    if len(rates) > 1:
        shown = ", ".join(f"{float(rate / header.record_s):g}" for rate in rates)
        raise EcgError(f"the leads have different sampling rates ({shown} Hz); export them with one")
    fs = rates[0] / header.record_s
    if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
        raise EcgError(f"the sampling rate is {float(fs):g} Hz; that of an ECG lies between 50 and 10000")
    scale = scales_of(leads, chosen, asked.unit)
    at, first_s = onsets_of(header, file.part, rates[0], fs)
    return _Edf(header, file.part, chosen, rates[0], float(fs), scale, at, first_s)
