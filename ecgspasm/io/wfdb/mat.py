"""The layout in which the PhysioNet Challenges keep their samples: a MATLAB file of version 4 with the one matrix ``val``.

A header of WFDB describes such a file as plain samples that begin at byte 24 (``A0001.mat 16+24``), which is all that is needed
to read them; what stands before is compared here with the header. The layout is that of MathWorks' "MAT-File Format", chapter on
level 4: five numbers of four bytes (type, rows, columns, imaginary part, length of the name), the name, and the matrix column by
column. `scipy.io.loadmat` is not used: one changed byte can make it end the interpreter.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import read_part
from ecgspasm.io.wfdb.header import SignalLine

SUFFIX = ".mat"

_NAME = b"val\0"
_HEAD = struct.Struct("<5i4s")
_FORMATS = {30: 16, 20: 32, 50: 80}
"""Format of WFDB by MATLAB's type (little-endian, full matrix of int16, int32 or uint8), as WFDB's `wfdb2mat` writes them."""


def columns_of(path: str, lines: Sequence[SignalLine], frames: int | None) -> int:
    """Number of frames that the head of a file tells, after comparing it with the header of the record.

    Parameters
    ----------
    path : str
    lines : sequence of SignalLine
        The signals that lie in the file.
    frames : int or None
        What the header says, if it does.

    Raises
    ------
    EcgError
        If it is no such file, or its matrix has another type or size.
    """
    name = os.path.basename(path)
    head = read_part(path, 0, _HEAD.size)
    if len(head) < _HEAD.size:
        raise EcgError(f"{name} has {len(head)} bytes, too few for a MATLAB file; fetch it again")
    kind, rows, columns, imaginary, length, matrix = _HEAD.unpack(head)
    if kind not in _FORMATS or imaginary or length != len(_NAME) or matrix != _NAME:
        raise EcgError(f"{name} is no MATLAB file of version 4 with the matrix val of whole numbers; fetch it again")
    if lines[0].format != _FORMATS[kind] or lines[0].byte_offset != _HEAD.size:
        raise EcgError(
            f"the MATLAB file {name} holds samples of format {_FORMATS[kind]}+{_HEAD.size}, the header says "
            f"{lines[0].format}+{lines[0].byte_offset}; mend the header"
        )
    per_frame = sum(line.samples_per_frame for line in lines)
    if rows != per_frame or columns < 1 or frames not in (None, columns):
        raise EcgError(
            f"the MATLAB file {name} holds {rows} rows of {columns} samples, the header says {per_frame} of "
            f"{'an unknown number' if frames is None else frames}; fetch both again"
        )
    return int(columns)
