"""Attributes that are texts of any length, looked at byte by byte before the HDF5 library reads them.

A text of any length lies in a heap of the file, and the attribute holds its length and place. In a damaged file the library (HDF5
2.0.0) makes room for any length that is told, 2 GB for instance, and walks through a damaged heap for ever.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from ecgspasm.errors import EcgError
from ecgspasm.io.file import File

_MOST_SEARCHED_BYTES = 4 * 2**30
_MOST_HEAP_BYTES = 16 * 2**20
_MOST_TEXT_BYTES = 64 * 1024
_PIECE = 16 * 2**20
_OVERLAP = 4096
_REFERENCE = 16
"""Bytes of a reference into a heap: length, address of the heap, number in it."""


def check_texts(file: File, names: Mapping[bytes, int]) -> None:
    """Check the lengths of some attributes, each of so many texts, and all heaps of a file.

    Raises
    ------
    EcgError
        If a length or a heap cannot be, or an attribute is not found where its bytes should be.
    """
    size = file.size()
    if size > _MOST_SEARCHED_BYTES:
        raise EcgError("texts of any length are not read from files as large as this; write the attributes with numpy.bytes_")
    marks = re.compile(rb"GCOL\x01\0\0\0|" + b"|".join(re.escape(name) + rb"\0" for name in names))
    missing = set(names)
    for begin in range(0, size, _PIECE):
        # a mark that is cut by the end of a piece is found in the next one, with what stands before it
        lead = min(begin, _OVERLAP)
        content = file.part(begin - lead, lead + _PIECE + _OVERLAP)
        for found in marks.finditer(content, lead):
            if found.start() >= lead + _PIECE:
                break
            if found[0].startswith(b"GCOL"):
                _check_heap(file, begin - lead + found.start())
            elif _is_attribute(content, found.start(), names[found[0][:-1]]):
                missing.discard(found[0][:-1])
    if missing:
        name = sorted(missing)[0].decode("ascii")
        raise EcgError(f"the text of the attribute {name} cannot be checked before it is read; write it with numpy.bytes_")


def _is_attribute(content: bytes, at: int, count: int) -> bool:
    """Whether the name at a place is that of an attribute (HDF5 file format, IV.A.2.m); its lengths are checked then."""
    length = content.index(b"\0", at) - at + 1
    for version, before, padded in ((1, 8, True), (2, 8, False), (3, 9, False)):
        head = content[max(at - before, 0) : at]
        if len(head) < before or head[0] != version:
            continue
        told, kind, space = struct.unpack_from("<3H", head, 2)
        if told != length:
            continue
        data = at + sum(-(-each // 8) * 8 if padded else each for each in (told, kind, space))
        references = content[data : data + _REFERENCE * count]
        if len(references) < _REFERENCE * count:
            continue
        if max((int.from_bytes(references[i : i + 4], "little") for i in range(0, len(references), _REFERENCE)), default=0) > (
            _MOST_TEXT_BYTES
        ):
            raise EcgError("the text of an attribute is longer than any; the file is damaged: fetch it again")
        return True
    return False


def _check_heap(file: File, begin: int) -> None:
    """Walk through one heap."""
    length = int.from_bytes(file.part(begin + 8, 8), "little")
    if length > _MOST_HEAP_BYTES:
        raise EcgError("a heap of texts in the file is damaged; fetch it again")
    content = file.part(begin, length)
    at = 16
    while at < length - 15:
        size = int.from_bytes(content[at + 8 : at + 16], "little")
        # the space that is left has the number 0, and its size counts its own head
        free = content[at : at + 2] == b"\0\0"
        step = size if free else 16 + (size + 7) // 8 * 8
        if step < 16 or at + step > min(length, len(content)):
            raise EcgError("a heap of texts in the file is damaged; fetch it again")
        at += step
