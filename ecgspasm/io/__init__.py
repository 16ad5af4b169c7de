"""Files of ECGs: one reader a format, all of which give an `Ecg`; which one it is, the content decides.

>>> import ecgspasm as es
>>> es.read("nowhere.hea")
Traceback (most recent call last):
ecgspasm.errors.EcgError: nowhere.hea: there is no file nowhere.hea; check the path
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import BinaryIO

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.arrays import from_array
from ecgspasm.io.file import Asked, File
from ecgspasm.io.formats import format_of
from ecgspasm.io.interop import to_frame, to_mne, to_neurokit, to_xarray
from ecgspasm.io.paths import blame, local_path
from ecgspasm.io.writing import write
from ecgspasm.recording import Recording

__all__ = ["from_array", "open_recording", "read", "to_frame", "to_mne", "to_neurokit", "to_xarray", "write"]


def read(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    rename: Mapping[str, str] | None = None,
    fs: float | None = None,
    unit: str | None = None,
    record: str | int | None = None,
) -> Ecg:
    """Read an ECG of any format that is known, told apart by content and not by suffix.

    Limb leads that are missing are derived and marked. Channels that are no leads (respiration, pressure) are left
    out, and the `source` of the result says so. Records of LUDB, whose headers hide the amplitude, are recognised (see
    `io.ludb`).

    Parameters
    ----------
    source : path or binary file
        A file: DICOM, EDF, EDF+, BDF, HDF5, SCP-ECG, ISHNE, XML of GE MUSE, Philips, Mortara or HL7, PDF with curves, Parquet,
        ``.npz``, CSV or TSV; or of a WFDB record the header, a signal file, or the name without a suffix. Or any of the single
        files opened for reading in binary mode.
    rename : mapping of str to str, optional
        Lead names for channels whose own name says nothing, such as ``{"ECG1": "II"}``.
    fs : float, optional
        Samples per second, for a table or an array that does not tell; never guessed.
    unit : {'uV', 'mV', 'V'}, optional
        For a file that does not tell; never guessed.
    record : str or int, optional
        Which ECG of a file with several: the exam of an HDF5 file, the page of a PDF.

    Raises
    ------
    EcgError
        If there is no such file, its format is unknown, what it needs is not installed, or anything in it is damaged,
        uncalibrated or implausible.
    """
    asked = Asked(rename, fs, unit, record)
    if not isinstance(source, str | os.PathLike) and hasattr(source, "read"):
        file = File.of(source)
        with blame(file.name):
            return _by_content(file, asked)
    text = local_path(source)  # type: ignore[arg-type]
    with blame(text):
        if os.path.lexists(text) and not (os.path.isdir(text) and os.path.isfile(text + ".hea")):
            if not text.endswith(".hea"):
                return _by_content(File(text, path=text), asked)
        elif not text.endswith(".hea"):
            if not os.path.lexists(text + ".hea"):
                raise EcgError(f"there is no file {os.path.basename(text)!r}, nor a WFDB header of that name; check the path")
            text += ".hea"
        return _read_wfdb(text, asked)


def open_recording(
    path: str | os.PathLike[str],
    *,
    rename: Mapping[str, str] | None = None,
    fs: float | None = None,
    unit: str | None = None,
    record: str | int | None = None,
) -> Recording:
    """Open a recording of any length; its samples are read when they are wanted.

    Parameters
    ----------
    path : str or path
        A WFDB record (see `read`), or an EDF, EDF+ or BDF file, of any length; any other file that `read` knows is read at once.
    rename, fs, unit, record
        See `read`.

    Returns
    -------
    Recording

    Raises
    ------
    EcgError
        If there is no such file, or its header or length is wrong. Checksums are of the whole and not compared.
    """
    from ecgspasm.io.wfdb_recording import open_wfdb

    asked = Asked(rename, fs, unit, record)
    text = local_path(path)
    if os.path.isfile(text) and not text.endswith(".hea"):
        with blame(text):
            found = format_of(File(text, path=text), asked)
        if found is not None and found.open is not None:
            return found.open(text, asked)
        if found is not None:
            return Recording.of(read(text, rename=rename, fs=fs, unit=unit, record=record))
    asked.nothing("fs", "unit", "record", what="a WFDB record")
    return open_wfdb(text, rename=rename)


def _by_content(file: File, asked: Asked) -> Ecg:
    from ecgspasm.io.wfdb_reader import header_of

    if not file.size():
        raise EcgError("the file is empty; fetch it again")
    found = format_of(file, asked)
    if found is not None:
        return found.read(file, asked)
    if file.path is None:
        raise EcgError("the format is unknown; of a WFDB record, which has several files, give the path")
    header = header_of(file.path)
    if os.path.lexists(header):
        return _read_wfdb(header, asked)
    raise EcgError("the format is unknown; docs/formats.md lists those that are read (a WFDB record needs its .hea beside it)")


def _read_wfdb(path: str, asked: Asked) -> Ecg:
    from ecgspasm.io.ludb import in_microvolts, is_ludb
    from ecgspasm.io.wfdb_reader import physical, read_digital, read_header

    asked.nothing("fs", "unit", "record", what="a WFDB record")
    header = read_header(path)
    if header.segments:
        from ecgspasm.io.wfdb_recording import read_segments

        return read_segments(path, header, asked.rename)
    digital = read_digital(path, header)
    return in_microvolts(digital) if is_ludb(digital) and not asked.rename else physical(digital, rename=asked.rename)
