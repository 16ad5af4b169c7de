"""Samples of the uncompressed WFDB formats from their bytes.

After signal(5) of the WFDB Applications Guide (Moody GB; https://physionet.org/physiotools/wag/signal-5.htm). All give two's
complement integers; a block is the least number of bytes that holds whole samples, so any stretch of a file can be read alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.signedinteger[Any]]

BLOCK = {
    **{8: (1, 1), 80: (1, 1), 16: (2, 1), 61: (2, 1), 160: (2, 1), 24: (3, 1), 32: (4, 1)},
    **{212: (3, 2), 310: (4, 3), 311: (4, 3)},
}
"""(bytes, samples) of the smallest whole block; the compressed formats 508, 516 and 524 have none."""

ALONE = frozenset(BLOCK) - {8}
"""Formats of which any stretch can be read alone; those of format 8 are differences from the sample before."""


def needed_bytes(fmt: int, samples: int) -> int:
    """Bytes that so many samples need at least: a last block may be cut where the bits of its samples end."""
    size, inside = BLOCK[fmt]
    whole, rest = divmod(samples, inside)
    # in format 310 the second sample of a block reaches into its last byte
    last = size if fmt == 310 and rest == 2 else -(-rest * size // inside)
    return whole * size + last


def byte_range(fmt: int, start: int, stop: int) -> tuple[int, int]:
    """First and last byte of the whole blocks that hold samples `start` to `stop`."""
    size, samples = BLOCK[fmt]
    return start // samples * size, -(-stop // samples) * size


def unpacked(fmt: int, content: bytes, start: int, stop: int) -> Integers:
    """Samples `start` to `stop` of a file, from the bytes that `byte_range` names; the last block may be cut short.

    Raises
    ------
    ValueError
        If there are too few bytes.
    """
    size, samples = BLOCK[fmt]
    content = content + bytes(-len(content) % size)
    found = _DECODERS[fmt](content)
    first = start - start // samples * samples
    wanted = found[first : first + stop - start]
    if wanted.size < stop - start:
        raise ValueError(f"{wanted.size} samples where {stop - start} are wanted")
    return wanted


def _words(content: bytes) -> Integers:
    return np.frombuffer(content, "<i2")


def _swapped_words(content: bytes) -> Integers:
    return np.frombuffer(content, ">i2").astype(np.int16)


def _offset_bytes(content: bytes) -> Integers:
    return np.frombuffer(content, np.uint8).astype(np.int16) - np.int16(128)


def _offset_words(content: bytes) -> Integers:
    return (np.frombuffer(content, "<u2").astype(np.int32) - 32768).astype(np.int16)


def _three_bytes(content: bytes) -> Integers:
    parts = np.frombuffer(content, np.uint8).reshape(-1, 3)
    wide = np.zeros((len(parts), 4), np.uint8)
    # as the upper three bytes of a word, so that the sign comes of itself
    wide[:, 1:] = parts
    return wide.reshape(-1).view("<i4") >> 8


def _four_bytes(content: bytes) -> Integers:
    return np.frombuffer(content, "<i4")


def _twelve_bits(content: bytes) -> Integers:
    """Format 212: two samples in three bytes, their upper four bits in the middle one."""
    low, middle, high = np.frombuffer(content, np.uint8).reshape(-1, 3).T.astype(np.int16)
    both = np.empty((low.size, 2), np.int16)
    both[:, 0] = low | (middle & 0x0F) << 8
    both[:, 1] = high | (middle & 0xF0) << 4
    return _signed(both.reshape(-1), 12)


def _ten_bits_310(content: bytes) -> Integers:
    """Format 310: three samples in two words, 11 bits up from bit 1 of each, and the third from what is left of both."""
    first, second = np.frombuffer(content, "<u2").reshape(-1, 2).T.astype(np.int32)
    three = np.empty((first.size, 3), np.int16)
    three[:, 0] = (first >> 1) & 0x3FF
    three[:, 1] = (second >> 1) & 0x3FF
    three[:, 2] = (first >> 11) & 0x1F | ((second >> 11) & 0x1F) << 5
    return _signed(three.reshape(-1), 10)


def _ten_bits_311(content: bytes) -> Integers:
    """Format 311: three samples from bit 0 of a word of 32 bits."""
    word = np.frombuffer(content, "<u4")
    three = np.stack([(word >> shift) & 0x3FF for shift in (0, 10, 20)], axis=1).astype(np.int16)
    return _signed(three.reshape(-1), 10)


def _signed(values: NDArray[np.int16], bits: int) -> Integers:
    half = 1 << (bits - 1)
    return (values ^ half) - np.int16(half)


_DECODERS = {
    16: _words,
    61: _swapped_words,
    80: _offset_bytes,
    160: _offset_words,
    24: _three_bytes,
    32: _four_bytes,
    212: _twelve_bits,
    310: _ten_bits_310,
    311: _ten_bits_311,
}
