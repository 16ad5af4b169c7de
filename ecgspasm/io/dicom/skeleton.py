"""A DICOM file without its samples: a small file of the same kind, and where in the large one the samples of each group lie.

pydicom puts off reading large elements only outside of sequences, but waveforms lie in one. So the elements are walked through
here by their heads alone (DICOM PS3.5, 7.1 and 7.5), the few that an ECG needs are copied, and of the samples only the place is
kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ecgspasm.errors import EcgError
from ecgspasm.io.file import File
from ecgspasm.io.paths import one_line

_MOST_BYTES = 4 * 2**20
"""All but the samples: real files have some kilobytes."""
_MOST_ELEMENTS = 200_000
_MOST_DEPTH = 16
_WINDOW = 2**16

_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""Value representations whose length has four bytes."""
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_WAVEFORMS, _SAMPLES = (0x5400, 0x0100), (0x5400, 0x1010)
# character set, time of recording, sex and age
_WANTED = frozenset({(0x0008, 0x0005), (0x0008, 0x002A), (0x0010, 0x0040), (0x0010, 0x1010)})
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

    @property
    def end(self) -> int:
        return self.value_at + self.length


def skeleton(file: File) -> tuple[bytes, list[Span]]:
    """A DICOM file without samples, and where they lie: one span a multiplex group.

    Raises
    ------
    EcgError
        If the file is deflated or of another kind, holds no waveform, or breaks off.
    """
    return _Walk(file).skeleton()


def check_syntax(file: File) -> None:
    """Refuse a file whose transfer syntax is none of those that are read.

    Raises
    ------
    EcgError
        If it is, or if the file breaks off before it tells.
    """
    _Walk(file).data_set()


class _Walk:
    """One walk through a file, element by element."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._size = file.size()
        self._window, self._window_at = b"", 0
        self._order, self._explicit = "<", True
        self._seen = 0
        self._kept = 0

    def skeleton(self) -> tuple[bytes, list[Span]]:
        meta_end = self.data_set()
        parts, spans = [self._bytes(0, meta_end)], []
        for element in self._elements(meta_end, self._size, 0):
            if element.tag in _WANTED and element.length != _UNDEFINED:
                parts += [element.head, self._bytes(element.value_at, element.length)]
            elif element.tag == _WAVEFORMS:
                parts.append(self._open_ended(element.head))
                for item in self._items(element, 0):
                    parts.append(self._mark(_ITEM, _UNDEFINED))
                    span = None
                    for inner in self._elements(item.value_at, self._end(item), 2):
                        if inner.tag == _SAMPLES:
                            span = self._samples(inner, span)
                            parts.append(inner.head[:-4] + struct.pack(f"{self._order}I", 0))
                        else:
                            end = self._past(inner, 2)
                            parts += [inner.head, self._bytes(inner.value_at, end - inner.value_at)]
                    spans.append(span or Span(item.value_at, 0))
                    parts.append(self._mark(_ITEM_END, 0))
                parts.append(self._mark(_SEQUENCE_END, 0))
        if not spans:
            raise EcgError("this DICOM file holds no waveform; export the ECG itself, not a picture or a report of it")
        return b"".join(parts), spans

    def data_set(self) -> int:
        """Read the transfer syntax; where the data set begins."""
        at, syntax = 132, b""
        while at + 8 <= self._size and self._raw(at, 2) == b"\x02\0":
            element = self._element(at)
            if element.tag == (0x0002, 0x0010):
                syntax = self._bytes(element.value_at, element.length).strip(b"\0 ")
            at = self._checked(element).end
        if syntax not in _SYNTAXES:
            shown = one_line(syntax.decode("ascii", "replace"), 40)
            raise EcgError(f"the file has the transfer syntax {shown!r}, which is not unpacked; convert it with dcmconv +te")
        self._order, self._explicit = _SYNTAXES[syntax]
        return at

    def _elements(self, at: int, end: int, depth: int) -> Iterator[_Element]:
        """Elements from `at` to `end`, or to the end mark of an item."""
        while at < end:
            element = self._element(at)
            if element.tag == _ITEM_END:
                return
            yield element
            at = self._past(element, depth)

    def _past(self, element: _Element, depth: int) -> int:
        """Where the element after this one begins."""
        if element.length != _UNDEFINED:
            return self._checked(element).end
        at = element.value_at
        for item in self._items(element, depth):
            at = self._end_of_item(item, depth + 1)
        return at + 8  # the end mark

    def _items(self, sequence: _Element, depth: int) -> Iterator[_Element]:
        """Items of a sequence."""
        if depth > _MOST_DEPTH:
            raise EcgError("the file has sequences within sequences deeper than any ECG; it is damaged: export it again")
        at, end = sequence.value_at, self._end(sequence)
        while at < end:
            item = self._element(at)
            if item.tag == _SEQUENCE_END:
                return
            if item.tag != _ITEM:
                raise EcgError("a sequence in the file holds something that is no item; it is damaged: export it again")
            yield item
            at = self._end_of_item(item, depth + 1)

    def _end_of_item(self, item: _Element, depth: int) -> int:
        if item.length != _UNDEFINED:
            return self._checked(item).end
        at = item.value_at
        for element in self._elements(at, self._size, depth):
            at = self._past(element, depth)
        return at + 8

    def _end(self, element: _Element) -> int:
        return self._size if element.length == _UNDEFINED else self._checked(element).end

    def _samples(self, element: _Element, before: Span | None) -> Span:
        if before is not None or element.length == _UNDEFINED:
            raise EcgError("a group of the waveform has its samples twice or without a length; export the file again")
        return Span(element.value_at, self._checked(element).length)

    def _element(self, at: int) -> _Element:
        self._seen += 1
        if self._seen > _MOST_ELEMENTS:
            raise EcgError(f"the file has more than {_MOST_ELEMENTS} elements; no ECG has: export it again")
        group, number = struct.unpack(f"{self._order}HH", self._raw(at, 4))
        if group == 0xFFFE or not self._explicit:
            (length,) = struct.unpack(f"{self._order}I", self._raw(at + 4, 4))
            return _Element((group, number), self._raw(at, 8), at + 8, length)
        if self._raw(at + 4, 2) in _LONG:
            (length,) = struct.unpack(f"{self._order}I", self._raw(at + 8, 4))
            return _Element((group, number), self._raw(at, 12), at + 12, length)
        (length,) = struct.unpack(f"{self._order}H", self._raw(at + 6, 2))
        return _Element((group, number), self._raw(at, 8), at + 8, length)

    def _checked(self, element: _Element) -> _Element:
        if element.length == _UNDEFINED or element.end > self._size:
            raise EcgError("an element reaches beyond the end of the file; it is cut short: export it again")
        return element

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
