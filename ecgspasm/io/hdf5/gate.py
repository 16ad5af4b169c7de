"""The gate to HDF5: only plain numbers that lie in the file itself are read, and only after their size was checked.

HDF5 can lead to other files (external and soft links, external storage, virtual data sets), load code (filter plug-ins) and
unpack a chunk to any size, whatever the data set says. None of that is followed.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.errors import EcgError
from ecgspasm.io.file import File
from ecgspasm.io.hdf5.texts import check_texts
from ecgspasm.io.paths import one_line

_MAGIC = b"\x89HDF\r\n\x1a\n"
_MOST_MEMBERS = 1000
_MOST_CHUNK_BYTES = 64 * 2**20
_MOST_CHUNKS = 100_000
_MOST_ATTRIBUTE_BYTES = 64 * 1024
_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
_FLETCHER32_BYTES = 4
# in the order in which they are applied; other orders and filters are met nowhere in ECGs, and need plug-ins
_PIPELINE = [_SHUFFLE, _DEFLATE, _FLETCHER32]


def is_hdf5(start: bytes) -> bool:
    """Whether a file that begins so is HDF5, perhaps behind a user block."""
    return any(start[at : at + 8] == _MAGIC for at in (0, 512, 1024, 2048))


@contextmanager
def opened(file: File) -> Iterator[Any]:
    """The file as h5py's; all that h5py raises in the block becomes an EcgError."""
    try:
        import h5py
    except ImportError as error:
        raise EcgError("reading HDF5 needs h5py: pip install 'ecgspasm[hdf5]'") from error
    if not is_hdf5(file.start()):
        raise EcgError("this is no HDF5 file")
    try:
        # a file of several GB is opened where it lies; one that is in memory stays there
        source = file.path if file.path is not None else file.whole()
        with h5py.File(source, "r", locking="best-effort") as found:
            yield found
    except EcgError:
        raise
    # h5py passes on whatever the library says of a damaged file: OSError, RuntimeError, KeyError, ValueError ...
    except Exception as error:
        raise EcgError(f"h5py cannot decode it ({type(error).__name__}: {one_line(error, 120)}); fetch it again") from error


def datasets(found: Any) -> dict[str, Any]:
    """Data sets of real numbers at the root of a file, by name; links that lead elsewhere are left alone."""
    import h5py

    names = list(itertools.islice(found, _MOST_MEMBERS + 1))
    if len(names) > _MOST_MEMBERS:
        raise EcgError(f"the file has more than {_MOST_MEMBERS} members; give one with a single recording")
    plain = {}
    for name in names:
        if isinstance(found.get(name, getlink=True), h5py.HardLink) and found.get(name, getclass=True) is h5py.Dataset:
            dataset = found[name]
            if dataset.dtype.kind in "fiu" and dataset.dtype.itemsize <= 8 and dataset.ndim:
                plain[name] = dataset
    return plain


def attributes(file: File, *holders: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Those attributes of a file and a data set that are asked for."""
    import h5py

    there: list[tuple[Any, str]] = []
    texts: dict[bytes, int] = {}
    for holder in holders:
        for name in names:
            if name not in holder.attrs:
                continue
            identity = holder.attrs.get_id(name)
            text = identity.dtype.kind == "O" and h5py.check_string_dtype(identity.dtype) is not None
            if identity.get_storage_size() > _MOST_ATTRIBUTE_BYTES or not (text or identity.dtype.kind in "fiubS"):
                raise EcgError(f"the attribute {name} is no number and no text; write it anew")
            if text:
                texts[name.encode("ascii")] = max(texts.get(name.encode("ascii"), 0), math.prod(identity.shape))
            there.append((holder, name))
    if texts:
        check_texts(file, texts)
    found: dict[str, Any] = {}
    for holder, name in there:
        value = holder.attrs[name]
        if name in found and not np.array_equal(found[name], value):
            raise EcgError(f"the attribute {name} of the file and that of the data set differ; delete the wrong one")
        found[name] = value
    return found


def part(dataset: Any, limit: int, row: int | None = None) -> NDArray[Any]:
    """A whole data set, or one row along its first axis.

    Raises
    ------
    EcgError
        If it has more than `limit` values, lies in another file, or its chunks unpack to more than they should.
    """
    shape = dataset.shape if row is None else dataset.shape[1:]
    if not 0 < math.prod(shape) <= limit:
        raise EcgError(f"{one_line(dataset.name, 40)} has the shape {one_line(dataset.shape, 60)}, which cannot be read at once")
    check_stored(dataset)
    if row is None:
        return stretch(dataset, 0, 0, dataset.shape[0])
    _check_chunks(dataset, 0, row, row + 1)
    values: NDArray[Any] = dataset[row]
    return values


def check_stored(dataset: Any) -> None:
    """Refuse a data set that lies in another file or was never written."""
    name = one_line(dataset.name, 40)
    if dataset.is_virtual or dataset.external:
        raise EcgError(f"the data of {name} lie in other files, which are not followed; copy them into one file with h5repack")
    if dataset.id.get_storage_size() == 0:
        raise EcgError(f"{name} was made but never written; give the file with the data")


def stretch(dataset: Any, axis: int, start: int, stop: int) -> NDArray[Any]:
    """`start` to `stop` along one axis of a data set that `check_stored` let pass, after a look at its chunks."""
    _check_chunks(dataset, axis, start, stop)
    values: NDArray[Any] = dataset[(slice(None),) * axis + (slice(start, stop),)]
    return values


def _check_chunks(dataset: Any, axis: int, start: int, stop: int) -> None:
    """Unpack every chunk that is to be read, at most to the size that it should have."""
    if dataset.chunks is None:
        return
    name = one_line(dataset.name, 40)
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]
    if filters != [each for each in _PIPELINE if each in filters]:
        raise EcgError(f"{name} is packed by filters {filters} that are not read; repack it: h5repack -f GZIP=4")
    nominal = math.prod(dataset.chunks) * dataset.dtype.itemsize
    steps = [range(0, length, chunk) for length, chunk in zip(dataset.shape, dataset.chunks, strict=True)]
    steps[axis] = range(start // dataset.chunks[axis] * dataset.chunks[axis], stop, dataset.chunks[axis])
    if nominal > _MOST_CHUNK_BYTES or math.prod(len(each) for each in steps) > _MOST_CHUNKS:
        raise EcgError(f"{name} lies in chunks of the shape {dataset.chunks}, too large or too many; repack it with h5repack")
    for corner in itertools.product(*steps):
        stored = dataset.id.get_chunk_info_by_coord(corner)
        if stored.byte_offset is None:  # never written: it reads as the fill value
            raise EcgError(f"a part of {name} was never written; give the file with all of the data")
        if stored.size > nominal + 4096:
            raise EcgError(f"a chunk of {name} has {stored.size} bytes where {nominal} are due; the file is damaged")
        # each chunk tells by itself which of the filters it was spared
        used = [each for index, each in enumerate(filters) if not stored.filter_mask >> index & 1]
        if _DEFLATE in used:
            _, packed = dataset.id.read_direct_chunk(corner)
            size = len(zlib.decompressobj().decompress(packed, nominal + 1))
        else:
            size = stored.size - (_FLETCHER32_BYTES if _FLETCHER32 in used else 0)
        if size != nominal:
            raise EcgError(f"a chunk of {name} unpacks to another size than the {nominal} bytes it should have")
