"""Files of ECGs: one reader a format, all of which give an `Ecg`.

>>> import ecgspasm as es
>>> es.read("nowhere.hea")
Traceback (most recent call last):
ecgspasm.errors.EcgError: nowhere.hea: there is no file nowhere.hea; check the path
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import blame, first_bytes, local_path
from ecgspasm.recording import Recording

__all__ = ["open_recording", "read"]

_DICOM_MARK = slice(128, 132)


def read(path: str | os.PathLike[str], *, rename: Mapping[str, str] | None = None) -> Ecg:
    """Read an ECG: a WFDB record or a DICOM 12-lead waveform, told apart by content.

    Limb leads that are missing are derived and marked. Channels that are no leads (respiration, pressure) are left
    out, and the `source` of the result says so. Records of LUDB, whose headers hide the amplitude, are recognised (see
    `io.ludb`).

    Parameters
    ----------
    path : str or path
        A DICOM file; or of a WFDB record the header, a signal file, or the name without a suffix.
    rename : mapping of str to str, optional
        Lead names for channels whose own name says nothing, such as ``{"ECG1": "II"}``.

    Raises
    ------
    EcgError
        If there is no such file, its format is unknown, or anything in it is damaged, uncalibrated or implausible.
    """
    text = local_path(path)
    with blame(text):
        if os.path.lexists(text) and not (os.path.isdir(text) and os.path.isfile(text + ".hea")):
            if not text.endswith(".hea"):
                return _by_content(text, rename)
        elif not text.endswith(".hea"):
            if not os.path.lexists(text + ".hea"):
                raise EcgError(f"there is no file {os.path.basename(text)!r}, nor a WFDB header of that name; check the path")
            text += ".hea"
        return _read_wfdb(text, rename)


def open_recording(path: str | os.PathLike[str], *, rename: Mapping[str, str] | None = None) -> Recording:
    """Open a recording of any length; its samples are read when they are wanted.

    Parameters
    ----------
    path : str or path
        The header of a WFDB record, one of its signal files, or its name without a suffix; any other file that `read` knows is
        read at once.
    rename : mapping of str to str, optional
        See `read`.

    Returns
    -------
    Recording

    Raises
    ------
    EcgError
        If there is no such file, or its header or length is wrong. Checksums are of the whole and not compared.
    """
    text = local_path(path)
    if os.path.isfile(text) and not text.endswith((".hea", ".dat")) and not os.path.isfile(text + ".hea"):
        return Recording.of(read(text, rename=rename))
    from ecgspasm.io.wfdb_recording import open_wfdb

    return open_wfdb(text, rename=rename)


def _by_content(path: str, rename: Mapping[str, str] | None) -> Ecg:
    from ecgspasm.io.wfdb_reader import header_of

    start = first_bytes(path, 132)
    if not start:
        raise EcgError("the file is empty; fetch it again")
    if start[_DICOM_MARK] == b"DICM":
        from ecgspasm.io.dicom import read_dicom_file

        return read_dicom_file(path, rename=rename)
    header = header_of(path)
    if os.path.lexists(header):
        return _read_wfdb(header, rename)
    raise EcgError("the format is unknown; give a DICOM ECG, or a WFDB record with its .hea file beside it")


def _read_wfdb(path: str, rename: Mapping[str, str] | None) -> Ecg:
    from ecgspasm.io.ludb import in_microvolts, is_ludb
    from ecgspasm.io.wfdb_reader import physical, read_digital

    digital = read_digital(path)
    return in_microvolts(digital) if is_ludb(digital) and not rename else physical(digital, rename=rename)
