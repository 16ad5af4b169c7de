"""DICOM element by element, to write files that no library would write (explicit representations, little-endian)."""

from __future__ import annotations

import struct
from functools import cache

from tests.corpus.sound_files import MADE

Tag = tuple[int, int]
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_LONG = frozenset({b"OB", b"OW", b"SQ", b"UN"})


def element(tag: Tag, form: bytes, value: bytes) -> bytes:
    """An element that tells its length."""
    return struct.pack("<HH", *tag) + form + (struct.pack("<HI" if form in _LONG else "<H", *_length(form, value))) + value


def _length(form: bytes, value: bytes) -> tuple[int, ...]:
    return (0, len(value)) if form in _LONG else (len(value),)


def sequence(tag: Tag, *items: bytes) -> bytes:
    """A sequence that tells its length."""
    return element(tag, b"SQ", b"".join(items))


def marked(tag: Tag, *items: bytes, form: bytes = b"SQ") -> bytes:
    """A sequence whose end is marked."""
    head = struct.pack("<HH", *tag) + form + struct.pack("<HI", 0, _UNDEFINED)
    return head + b"".join(items) + struct.pack("<HHI", *_END, 0)


def item(inside: bytes) -> bytes:
    """An item that tells its length."""
    return struct.pack("<HHI", *_ITEM, len(inside)) + inside


def open_item(inside: bytes) -> bytes:
    """An item whose end is marked."""
    return struct.pack("<HHI", *_ITEM, _UNDEFINED) + inside + struct.pack("<HHI", *_ITEM_END, 0)


@cache
def _sound() -> tuple[bytes, bytes]:
    data = MADE["DICOM"]().content
    at = data.index(b"\x00\x54\x00\x01SQ")
    return data[:at], data[at:]


def before_waveforms() -> bytes:
    """The sound file up to its waveforms."""
    return _sound()[0]


def waveforms() -> bytes:
    """Its waveforms."""
    return _sound()[1]


def group(inside: bytes, left_out: str) -> bytes:
    """The sound group without one of its elements, and others in front."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    from tests.corpus.sound_files import dicom_dataset

    found = dicom_dataset().WaveformSequence[0]
    del found[left_out]
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    write_dataset(out, found)
    return open_item(inside + out.getvalue())
