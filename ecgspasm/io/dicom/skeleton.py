"""A DICOM file without its samples: a small file of the same kind, and where in the large one the samples of each group lie.

pydicom puts off reading large elements only outside of sequences, but waveforms lie in one. So the elements are walked through
here by their heads alone (DICOM PS3.5, 7.1 and 7.5), the few that an ECG needs are copied, and of the samples only the place is
kept.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ecgspasm.errors import EcgError
from ecgspasm.io.file import File
from ecgspasm.io.paths import one_line

_MOST_BYTES = 2**19
"""All that is copied: real files have 7 kB, and 15 kB of annotations. For each byte pydicom takes up to 250 and 2 us."""
_MOST_ELEMENTS = 50_000
"""Heads that are looked at: the real file that comes with pydicom has 1,900."""
_MOST_DEPTH = 16
_MOST_GROUPS = 64
"""Real files have up to five: leads by threes, and the median beat."""
_WINDOW = 2**13

_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""Value representations whose length has four bytes."""
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_WAVEFORMS, _SAMPLES = (0x5400, 0x0100), (0x5400, 0x1010)
# character set, time of recording, sex and age
_WANTED = frozenset({(0x0008, 0x0005), (0x0008, 0x002A), (0x0010, 0x0040), (0x0010, 0x1010)})
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_SYNTAXES = {
    b"1.2.840.10008.1.2": ("<", False),
    b"1.2.840.10008.1.2.1": ("<", True),
    b"1.2.840.10008.1.2.2": (">", True),
}
"""Order of bytes and whether elements tell their representation, by the transfer syntax."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class _Element:
    tag: tuple[int, int]
    head: bytes
    value_at: int
    length: int


def skeleton(file: File, kept: frozenset[tuple[int, int]] = frozenset()) -> tuple[bytes, list[Span]]:
    """A DICOM file without samples, and where they lie: one span a multiplex group.

    Elements `kept` are copied besides those that every ECG needs.

    Raises
    ------
    EcgError
        If the file is deflated or of another kind, holds no waveform, or breaks off.
    """
    return _Walk(file, kept).skeleton()


class _Walk:
    """One walk through a file from head to head; each is looked at once."""

    def __init__(self, file: File, kept: frozenset[tuple[int, int]] = frozenset()) -> None:
        self._file = file
        self._size = file.size()
        self._window, self._window_at = b"", 0
        self._order, self._explicit = "<", True
        self._wanted = _WANTED | kept
        self._at = 0
        self._seen = 0
        self._kept = 0

    def skeleton(self) -> tuple[bytes, list[Span]]:
        parts = [self.data_set()]
        spans: list[Span] = []
        while self._at < self._size:
            element = self._next()
            if element.tag == _WAVEFORMS:
                parts.append(self._open_ended(element.head))
                for item in self._items(element, 0):
                    if len(spans) == _MOST_GROUPS:
                        raise EcgError(f"the file has more than {_MOST_GROUPS} groups of a waveform; export one recording a file")
                    inside, span = self._group(item)
                    parts += [self._mark(_ITEM, _UNDEFINED), *inside, self._mark(_ITEM_END, 0)]
                    spans.append(span)
                parts.append(self._mark(_SEQUENCE_END, 0))
            else:
                whole = self._past(element, 0)
                parts += [whole()] if element.tag in self._wanted else []
        if not spans:
            raise EcgError("this DICOM file holds no waveform; export the ECG itself, not a picture or a report of it")
        return b"".join(parts), spans

    def data_set(self) -> bytes:
        """Read the transfer syntax, and stand where the data set begins; all before it."""
        self._at, syntax = 132, b""
        while self._at + 8 <= self._size and self._raw(self._at, 2) == b"\x02\0":
            element = self._next()
            if element.tag == (0x0002, 0x0010):
                syntax = self._bytes(element.value_at, element.length).strip(b"\0 ")
            self._at = self._end(element)
        # a few deflated bytes can grow without bound; whichever element names them, pydicom might follow it
        meta = self._bytes(0, self._at)
        if _DEFLATED in meta:
            raise EcgError("the file is deflated DICOM, which is not unpacked; convert it first, e.g. with dcmconv +te")
        if syntax not in _SYNTAXES:
            shown = one_line(syntax.decode("ascii", "replace"), 40)
            raise EcgError(f"the file has the transfer syntax {shown!r}, which is not unpacked; convert it with dcmconv +te")
        self._order, self._explicit = _SYNTAXES[syntax]
        return meta

    def _group(self, item: _Element) -> tuple[list[bytes], Span]:
        """A multiplex group without its samples, and where they lie."""
        parts, span = [], None
        for element in self._elements(item):
            if element.tag == _SAMPLES:
                if span is not None:
                    raise EcgError("a group of the waveform has its samples twice; export the file again")
                span = Span(element.value_at, element.length)
                self._at = self._end(element)
                parts.append(element.head[:-4] + struct.pack(f"{self._order}I", 0))
            else:
                parts.append(self._past(element, 2)())
        return parts, span or Span(item.value_at, 0)

    def _items(self, sequence: _Element, depth: int) -> Iterator[_Element]:
        """Items of a sequence; whoever gets one has to go past it."""
        if depth > _MOST_DEPTH:
            raise EcgError("the file has sequences within sequences deeper than any ECG; it is damaged: export it again")
        end = self._size if sequence.length == _UNDEFINED else self._end(sequence)
        while self._at < end:
            item = self._next()
            if item.tag == _SEQUENCE_END:
                return
            if item.tag != _ITEM:
                raise EcgError("a sequence in the file holds something that is no item; it is damaged: export it again")
            yield item

    def _elements(self, item: _Element) -> Iterator[_Element]:
        """Elements of an item; whoever gets one has to go past it."""
        end = self._size if item.length == _UNDEFINED else self._end(item)
        while self._at < end:
            element = self._next()
            if element.tag == _ITEM_END:
                return
            yield element

    def _past(self, element: _Element, depth: int) -> Callable[[], bytes]:
        """Go past an element whose head was read; what comes back copies it."""
        start = element.value_at - len(element.head)
        if element.length != _UNDEFINED:
            self._at = self._end(element)
        else:
            before = self._order, self._explicit
            # of unknown representation, it is laid out in the plain way whatever the file is (PS3.5, 6.2.2)
            if self._explicit and element.head[4:6] == b"UN":
                self._order, self._explicit = "<", False
            for item in self._items(element, depth):
                if item.length != _UNDEFINED:
                    self._at = self._end(item)
                    continue
                for inner in self._elements(item):
                    self._past(inner, depth + 1)
            self._order, self._explicit = before
        stop = self._at
        return lambda: self._bytes(start, stop - start)

    def _end(self, element: _Element) -> int:
        """Where an element ends that tells its length."""
        if element.length == _UNDEFINED or element.value_at + element.length > self._size:
            raise EcgError("an element reaches beyond the end of the file; it is cut short: export it again")
        return element.value_at + element.length

    def _next(self) -> _Element:
        """The element that begins here; what follows is its value."""
        self._seen += 1
        if self._seen > _MOST_ELEMENTS:
            raise EcgError(f"the file has more than {_MOST_ELEMENTS} elements; no ECG has: export it again")
        at = self._at
        group, number = struct.unpack(f"{self._order}HH", self._raw(at, 4))
        # what marks items and ends has no representation
        explicit = self._explicit and group != 0xFFFE
        size = 12 if explicit and self._raw(at + 4, 2) in _LONG else 8
        head = self._raw(at, size)
        form, width = ("H", 2) if explicit and size == 8 else ("I", 4)
        (length,) = struct.unpack(f"{self._order}{form}", head[-width:])
        self._at = at + size
        return _Element((group, number), head, self._at, length)

    def _raw(self, at: int, count: int) -> bytes:
        if not self._window_at <= at <= self._window_at + len(self._window) - count:
            self._window, self._window_at = self._file.part(at, _WINDOW), at
        found = self._window[at - self._window_at : at - self._window_at + count]
        if len(found) < count:
            raise EcgError("the file breaks off within an element; it is cut short: export it again")
        return found

    def _bytes(self, at: int, count: int) -> bytes:
        self._kept += count
        if count > self._size - at or self._kept > _MOST_BYTES:
            raise EcgError(f"the file holds more than {_MOST_BYTES} bytes beside its samples, or is cut short; export it again")
        return self._file.part(at, count)

    def _mark(self, tag: tuple[int, int], length: int) -> bytes:
        return struct.pack(f"{self._order}HHI", *tag, length)

    def _open_ended(self, head: bytes) -> bytes:
        """The head of a sequence whose end is marked, not told beforehand."""
        return head[:-4] + struct.pack(f"{self._order}I", _UNDEFINED)
