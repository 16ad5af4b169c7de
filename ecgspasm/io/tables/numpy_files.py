"""ECGs in numpy's own files (``.npy``, ``.npz``): never unpickled, and unpacked only as far as their size was checked.

An ``.npz`` holds the arrays ``signal_uv`` (or ``signal`` with ``unit``), ``fs`` and ``leads``, and may hold what `facts` knows.
An ``.npy`` holds samples only; ``rename={"0": "I", "1": "II", ...}`` says which row is which lead.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, MOST_SAMPLES
from ecgspasm.io.facts import MAX_CHANNELS, agreed_fs, agreed_unit, build, lead_axis, open_rows, oriented, stated
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import blame, one_line
from ecgspasm.recording import Recording

_NPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_MOST_MEMBERS = 64
_MOST_DIRECTORY_BYTES = 64 * 1024
"""Of 64 members; each entry of a zip's directory costs the interpreter ten times its bytes."""
_END, _END_64, _END_BYTES, _LOCATOR_BYTES = b"PK\x05\x06", b"PK\x06\x07", 22, 20
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
    names = _rows_of(table.dtype, asked)
    rows: Any = [np.ravel(table[name]) for name in names] if table.dtype.names else oriented(table, len(names))
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


def open_npy(path: str, asked: Asked) -> Recording:
    """Open an ``.npy`` file of any length; only what is asked for is read.

    Not mapped into memory: a mapped file that becomes shorter ends the interpreter.

    Raises
    ------
    EcgError
        As `read_npy` does, but for the length.
    """
    with blame(path):
        asked.nothing("record", what="an .npy file")
        file = File(path, path=path)
        head = io.BytesIO(file.part(0, _SMALL))
        shape, fortran, dtype = _header(head, file.size(), 8 * MOST_SAMPLES, records=True)
        names, begin = _rows_of(dtype, asked), head.tell()
        n_samples, interleaved = _layout(shape, fortran, dtype, len(names))

        def rows(start: int, stop: int, which: Sequence[int]) -> list[NDArray[Any]]:
            if dtype.names:
                table = _numbers(file, begin, dtype, start, stop)
                return [table[names[row]] for row in which]
            if interleaved:
                table = _numbers(file, begin, dtype, start * len(names), stop * len(names)).reshape(-1, len(names))
                return [table[:, row] for row in which]
            return [_numbers(file, begin, dtype, row * n_samples + start, row * n_samples + stop) for row in which]

        return open_rows(
            rows,
            n_samples,
            names=names,
            units=[agreed_unit(asked.unit)] * len(names),
            fs=agreed_fs(asked.fs, None),
            facts=stated({}),
            asked=asked,
            source=path,
        )


def _layout(shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any], n_leads: int) -> tuple[int, bool]:
    """Samples a lead, and whether the leads of one time lie beside each other."""
    if dtype.names or (len(shape) == 1 and n_leads == 1):
        return math.prod(shape), False
    axis = lead_axis(shape, n_leads)
    return shape[1 - axis], fortran == (axis == 0)


def _numbers(file: File, begin: int, dtype: np.dtype[Any], first: int, last: int) -> NDArray[Any]:
    """Numbers `first` to `last` of those that begin at a byte of a file."""
    size = (last - first) * dtype.itemsize
    raw = file.part(begin + first * dtype.itemsize, size)
    if len(raw) != size:
        raise EcgError("the file became shorter while it was read; copy it again")
    return np.frombuffer(raw, dtype)


def _rows_of(dtype: np.dtype[Any], asked: Asked) -> list[str]:
    """Names of the channels: those of the fields of a record, or the numbers of the rows."""
    if dtype.names:
        return list(dtype.names)
    if not asked.rename:
        raise EcgError(
            "the file does not say which lead is which; name the rows: rename={'0': 'I', '1': 'II', ...}, or use "
            "ecgspasm.from_array(numpy.load(path), leads=[...], fs=..., unit=...)"
        )
    names = sorted(map(str, asked.rename), key=lambda name: (len(name), name))
    if names != [str(number) for number in range(len(names))]:
        raise EcgError("rename has to name every row by its number: {'0': 'I', '1': 'II', ...}")
    return names


def read_npz(file: File, asked: Asked) -> Ecg:
    """Read an ``.npz`` file with ``signal_uv`` or ``signal``, ``leads``, and ``fs`` and ``unit`` unless the caller tells them.

    Raises
    ------
    EcgError
        If an array is missing, is not plain, or would unpack to more than any ECG needs.
    """
    asked.nothing("record", what="an .npz file")
    content = file.content(_MOST_BYTES)
    _check_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members)
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


def _check_directory(content: bytes) -> None:
    """Refuse a zip whose directory is longer than any that numpy writes, before zipfile makes objects of it."""
    end = content[-_END_BYTES:]
    before = content[-_END_BYTES - _LOCATOR_BYTES : -_END_BYTES]
    # what numpy writes ends so: without a comment, and of this size without the long form, both of which hide another directory
    if not end.startswith(_END) or end[-2:] != b"\0\0" or before.startswith(_END_64):
        raise EcgError("the file cannot be unpacked: it does not end as an .npz file does; save it again with numpy.savez")
    size = int.from_bytes(end[12:16], "little")
    if size > _MOST_DIRECTORY_BYTES:
        raise EcgError(f"the directory of the file has {size} bytes, too many for at most {_MOST_MEMBERS} arrays; save it again")


def _check_members(members: Sequence[zipfile.ZipInfo]) -> None:
    if len(members) > _MOST_MEMBERS:
        raise EcgError(f"the file holds {len(members)} arrays; at most {_MOST_MEMBERS} are read")
    for member in members:
        # zipfile unpacks bzip2 and LZMA without a limit, whatever size is told
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise EcgError(
                f"{one_line(member.filename, 40)} is packed by the method {member.compress_type}, which is not unpacked; save it "
                "again with numpy.savez_compressed"
            )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> NDArray[Any]:
    """One array of an archive, after its size was checked; zipfile inflates no more than the size that is told."""
    if member.file_size > limit + 16384:
        raise EcgError(f"{one_line(member.filename, 40)} would unpack to {member.file_size} bytes; {limit} are read")
    with archive.open(member) as stream:
        content = stream.read(member.file_size)
    return _array(io.BytesIO(content), len(content), limit, records=False)


def _array(stream: BinaryIO, size: int, limit: int, *, records: bool) -> NDArray[Any]:
    """One array, whose header is compared with the bytes that are there before anything of its size is made."""
    shape, fortran, dtype = _header(stream, size, limit, records=records)
    return np.frombuffer(stream.read(), dtype).reshape(shape, order="F" if fortran else "C")


def _header(stream: BinaryIO, size: int, limit: int, *, records: bool) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of an array of `size` bytes with its header, at whose end the stream is left."""
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
    return shape, fortran, dtype
