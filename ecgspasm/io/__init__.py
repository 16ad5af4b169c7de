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
from ecgspasm.io.file import Asked, File
from ecgspasm.io.formats import Format, format_of, refuse_packed
from ecgspasm.io.interop import to_frame, to_mne, to_neurokit, to_xarray
from ecgspasm.io.paths import blame, local_path
from ecgspasm.io.tables.arrays import from_array
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
    `io.wfdb.ludb`).

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
            return _format_in_memory(file, asked).read(file, asked)
    text = local_path(source)  # type: ignore[arg-type]
    with blame(text):
        where, found = _meant(text, asked)
        return _read_wfdb(where, asked) if found is None else found.read(File(where, path=where), asked)


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
        If there is no such file, or its header or length is wrong. The checksums of a WFDB record are compared if it could be
        read at once.
    """
    from ecgspasm.io.wfdb.recording import open_wfdb

    asked = Asked(rename, fs, unit, record)
    text = local_path(path)
    with blame(text):
        where, found = _meant(text, asked)
    if found is None:
        asked.nothing("fs", "unit", "record", what="a WFDB record")
        return open_wfdb(where, rename=rename)
    if found.open is not None:
        return found.open(where, asked)
    with blame(text):
        return Recording.of(found.read(File(where, path=where), asked))


def _format_in_memory(file: File, asked: Asked) -> Format:
    """The format of what was read from an open file."""
    if not file.size():
        raise EcgError("the file is empty; fetch it again")
    found = format_of(file, asked)
    if found is not None:
        return found
    refuse_packed(file)
    raise EcgError("the format is unknown; of a WFDB record, which has several files, give the path")


def _meant(path: str, asked: Asked) -> tuple[str, Format | None]:
    """Path and format of the single file that is meant, or of a WFDB record the path of its header and None."""
    from ecgspasm.io.wfdb.header import is_header
    from ecgspasm.io.wfdb.reader import header_of

    if os.path.isdir(path):
        # a record may lie beside a folder of its name
        if os.path.isfile(path + ".hea"):
            return _meant(path + ".hea", asked)
        raise EcgError("this is a folder; give a file in it: the .hea of a WFDB record, or a file of another format")
    called_header = path.endswith(".hea")
    if not os.path.lexists(path):
        if not called_header and not os.path.lexists(path + ".hea"):
            raise EcgError(f"there is no file {os.path.basename(path)!r}, nor a WFDB header of that name; check the path")
        return (path, None) if called_header else _meant(path + ".hea", asked)
    file = File(path, path=path)
    if not file.size() and not called_header:
        raise EcgError("the file is empty; fetch it again")
    # cells that are parted by tabs make a header look like a table, so its own grammar comes first
    if called_header and is_header(file.start()):
        return path, None
    found = format_of(file, asked)
    if found is not None:
        return path, found
    refuse_packed(file)
    header = header_of(path)
    if os.path.lexists(header):
        return header, None
    raise EcgError("the format is unknown; docs/formats.md lists those that are read (a WFDB record needs its .hea beside it)")


def _read_wfdb(path: str, asked: Asked) -> Ecg:
    from ecgspasm.io.wfdb.ludb import in_microvolts, is_ludb
    from ecgspasm.io.wfdb.reader import physical, read_digital, read_header

    asked.nothing("fs", "unit", "record", what="a WFDB record")
    header = read_header(path)
    if header.segments:
        from ecgspasm.io.wfdb.recording import read_segments

        return read_segments(path, header, asked.rename)
    digital = read_digital(path, header)
    return in_microvolts(digital) if is_ludb(digital) and not asked.rename else physical(digital, rename=asked.rename)
