"""ECGs in numpy's own files (``.npy``, ``.npz``): never unpickled, and unpacked only as far as their size was checked.

An ``.npz`` holds the arrays ``signal_uv`` (or ``signal`` with ``unit``), ``fs`` and ``leads``, and may hold what `facts` knows.
An ``.npy`` holds samples only; ``rename={"0": "I", "1": "II", ...}`` says which row is which lead.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES
from ecgspasm.io.facts import MAX_CHANNELS, agreed_fs, agreed_unit, build, oriented, stated
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import one_line

_NPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_MOST_MEMBERS = 64
_MOST_BYTES = 8 * MAX_SAMPLES
_SMALL = 64 * 1024
"""Bytes of an array that holds names or a number."""
_FACTS = ("fs", "sampling_rate", "sampling_frequency", "unit", "units", "sex", "age", "key", "recorded_at", "derived")


def is_npy(start: bytes) -> bool:
    """Whether a file that begins so holds one array of numpy."""
    return start.startswith(_NPY)


def is_npz(start: bytes) -> bool:
    """Whether a file that begins so is a zip of arrays of numpy, by the name of the first member."""
    length = int.from_bytes(start[26:28], "little")
    return start.startswith(_ZIP) and start[30 : 30 + length].endswith(b".npy")


def read_npy(file: File, asked: Asked) -> Ecg:
    """Read samples from an ``.npy`` file.

    Parameters
    ----------
    file : File
    asked : Asked
        ``fs`` and ``unit``, and ``rename`` with the number of each row as text: ``{"0": "I", "1": "II"}``. An array of records
        (a structured one) has names itself.

    Raises
    ------
    EcgError
        If the file is no plain array of numbers, or any of the above is not told.
    """
    asked.nothing("record", what="an .npy file")
    content = file.content(_MOST_BYTES + _SMALL)
    table = _array(io.BytesIO(content), len(content), _MOST_BYTES, records=True)
    if table.dtype.names:
        names: list[str] = list(table.dtype.names)
        rows: Any = [np.ravel(table[name]) for name in names]
    elif asked.rename:
        names = sorted(map(str, asked.rename), key=lambda name: (len(name), name))
        if names != [str(number) for number in range(len(names))]:
            raise EcgError("rename has to name every row by its number: {'0': 'I', '1': 'II', ...}")
        rows = oriented(table, len(names))
    else:
        raise EcgError(
            "the file does not say which lead is which; name the rows: rename={'0': 'I', '1': 'II', ...}, or use "
            "ecgspasm.from_array(numpy.load(path), leads=[...], fs=..., unit=...)"
        )
    unit = agreed_unit(asked.unit)
    return build(
        rows,
        names=names,
        units=[unit] * len(names),
        fs=agreed_fs(asked.fs, None),
        facts=stated({}),
        asked=asked,
        source=file.path or file.name,
    )


def read_npz(file: File, asked: Asked) -> Ecg:
    """Read an ``.npz`` file with ``signal_uv`` or ``signal``, ``leads``, and ``fs`` and ``unit`` unless the caller tells them.

    Raises
    ------
    EcgError
        If an array is missing, is not plain, or would unpack to more than any ECG needs.
    """
    asked.nothing("record", what="an .npz file")
    try:
        with zipfile.ZipFile(file.whole(_MOST_BYTES)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise EcgError(f"the file holds {len(members)} arrays; at most {_MOST_MEMBERS} are read")
            given = {member.filename.removesuffix(".npy"): member for member in members}
            known = {name: _member(archive, given[name], _SMALL) for name in (*_FACTS, "leads") if name in given}
            signals = [name for name in ("signal_uv", "signal") if name in given]
            if len(signals) != 1 or "leads" not in known:
                shown = one_line(", ".join(sorted(given)), 80) or "nothing"
                raise EcgError(f"the file holds {shown}; it needs 'leads' and one of 'signal_uv' and 'signal'")
            table = _member(archive, given[signals[0]], _MOST_BYTES)
    except EcgError:
        raise
    # zipfile and zlib raise their own and each other's errors on damaged archives
    except Exception as error:
        raise EcgError(f"the file cannot be unpacked ({type(error).__name__}: {one_line(error, 100)}); save it again") from error
    facts = stated({name: value for name, value in known.items() if name != "leads"})
    names = [str(name) for name in np.ravel(known["leads"])]
    if not 0 < len(names) <= MAX_CHANNELS:
        raise EcgError(f"{len(names)} leads are named; between 1 and {MAX_CHANNELS} are read")
    unit = agreed_unit(asked.unit, facts.unit, "uV" if signals == ["signal_uv"] else None)
    return build(
        oriented(table, len(names)),
        names=names,
        units=[unit] * len(names),
        fs=agreed_fs(asked.fs, facts.fs),
        facts=facts,
        asked=asked,
        source=file.path or file.name,
    )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> NDArray[Any]:
    """One array of an archive, after its size was checked; zipfile never unpacks more than the size that is told."""
    if member.file_size > limit + 16384:
        raise EcgError(f"{one_line(member.filename, 40)} would unpack to {member.file_size} bytes; {limit} are read")
    with archive.open(member) as stream:
        content = stream.read(member.file_size)
    return _array(io.BytesIO(content), len(content), limit, records=False)


def _array(stream: BinaryIO, size: int, limit: int, *, records: bool) -> NDArray[Any]:
    """One array, whose header is compared with the bytes that are there before anything of its size is made."""
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read is None:
            raise EcgError(f"the array has the format {version[0]}.{version[1]}; save it with names in ASCII")
        shape, fortran, dtype = read(stream)
    except EcgError:
        raise
    # the header is a Python literal, and whatever parsing a damaged one raises comes through
    except Exception as error:
        raise EcgError(f"the array's header is damaged ({type(error).__name__}: {one_line(error, 80)}); save it again") from error
    plain = dtype.kind in "fiuSUb" and dtype.itemsize > 0
    if not plain and not (records and dtype.names and all(dtype[name].kind in "fiu" for name in dtype.names)):
        raise EcgError(f"the array is of type {one_line(dtype, 40)}; only plain real numbers and texts are read")
    need = math.prod(shape) * dtype.itemsize
    there = size - stream.tell()
    if need != there or need > limit:
        raise EcgError(f"an array of shape {one_line(shape, 40)} needs {need} bytes where {there} are; save it again")
    return np.frombuffer(stream.read(need), dtype).reshape(shape, order="F" if fortran else "C")
