"""How much the packed waveforms of a Sierra XML unpack to, told before anything is unpacked.

They are packed by LZW with codes of ten bits in chunks, one a lead, each behind a head of eight bytes that begins with its
size. A code of ten bits can stand for 768 bytes, so a small file can grow to gigabytes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import numpy as np

from ecgspasm.errors import EcgError

_MOST_PACKED_BYTES = 384 * 1024
"""Real files have 24 kB for eleven seconds of twelve leads."""
_MOST_UNPACKED_BYTES = 2 * 2**20
"""Two bytes a sample: a minute and a half of twelve leads at 1000 Hz. Every sample is unpacked by a loop in Python."""
_HEAD_BYTES = 8
_BITS = 10
_LAST_CODE = 2**_BITS - 2
"""The one above ends a chunk."""


def check_unpacked_size(root: Any) -> None:
    """Refuse a Sierra XML whose waveforms unpack to more than those of any such ECG.

    Raises
    ------
    EcgError
        If they do, or are larger than any as they are.
    """
    for element in root.iter():
        method = (element.get("compression") or element.get("compressmethod") or "").strip().lower()
        if element.tag.lower() != "parsedwaveforms" or method in ("", "none", "uncompressed"):
            continue
        text = (element.text or "") + "".join(child.tail or "" for child in element)
        try:
            packed = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise EcgError("its packed waveforms are no base64; export it again") from error
        if len(packed) > _MOST_PACKED_BYTES:
            raise EcgError(f"its packed waveforms are larger than {_MOST_PACKED_BYTES} bytes; export a shorter recording")
        if sum(map(_unpacked_bytes, _chunks(packed))) > _MOST_UNPACKED_BYTES:
            raise EcgError(f"its waveforms unpack to more than {_MOST_UNPACKED_BYTES} bytes; export a shorter recording")


def _chunks(packed: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEAD_BYTES <= len(packed):
        size = int.from_bytes(packed[at : at + 4], "little", signed=True)
        if size <= 0:
            return
        at += _HEAD_BYTES
        yield packed[at : at + size]
        at += size


def _unpacked_bytes(chunk: bytes) -> int:
    """Bytes that a chunk unpacks to: of each code only the length of what it stands for is kept."""
    bits = np.unpackbits(np.frombuffer(chunk, np.uint8))
    codes = bits[: bits.size // _BITS * _BITS].reshape(-1, _BITS) @ (1 << np.arange(_BITS)[::-1])
    lengths = dict.fromkeys(range(256), 1)
    total = before = 0
    free = 256
    for code in codes.tolist():
        if code > _LAST_CODE:
            break
        length = lengths.setdefault(code, before + 1)
        if before and free <= _LAST_CODE:
            lengths[free] = before + 1
            free += 1
        total += length
        before = length
    return total
