"""Thrift's compact protocol, as far as the footer and the page headers of Parquet need it, in bounded memory.

What is not asked for is skipped. Whatever pyarrow's own reader might understand otherwise is refused: a field that stands twice,
one of another type than it should have, a list of other elements, a number that does not fit its type.
"""

from __future__ import annotations

from typing import Any

from ecgspasm.errors import EcgError

TRUE, FALSE, I8, I16, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12
_BITS = {I16: 16, I32: 32, I64: 64}
_TOO_MUCH = "it holds more than any table needs"
_DEEPEST = 12
"""Structs and lists within each other; Parquet's footer needs eight."""

Spec = dict[int, Any]
"""What is asked for, by the number of the field: the type of a number, the `Spec` of a struct, or ``[spec]`` or ``[type]`` of the
elements of a list. A list comes as its elements if they are structs with anything asked for, else as their number."""


class Compact:
    """A reader of structs from bytes.

    Parameters
    ----------
    data : bytes
    values : int
        So many fields and elements are read at most.
    kept : int
        So many structs of lists are kept at most.
    """

    def __init__(self, data: bytes, *, values: int, kept: int) -> None:
        self._data, self.at = data, 0
        self._values, self._kept = values, kept

    def struct(self, spec: Spec) -> dict[int, Any]:
        """The next struct: what was asked for, as far as it is there."""
        try:
            return self._struct(spec, 0)
        except IndexError:
            raise EcgError("it breaks off") from None

    def _struct(self, spec: Spec, depth: int) -> dict[int, Any]:
        if depth > _DEEPEST:
            raise EcgError("structs lie too deep within each other")
        found: dict[int, Any] = {}
        number = 0
        data = self._data
        while head := data[self.at]:
            self.at += 1
            number = number + (head >> 4) if head >> 4 else self._number(I16)
            if number >= 1 << 15:
                raise EcgError("a field has a number that does not fit")
            self._values -= 1
            if self._values < 0:
                raise EcgError(_TOO_MUCH)
            kind, wanted = head & 15, spec.get(number)
            if wanted is None:
                if I16 <= kind <= I64:
                    self._varint(64)
                else:
                    self._skip(kind, depth)
            elif number in found:
                raise EcgError(f"field {number} stands twice")
            else:
                found[number] = self._value(kind, wanted, depth)
        self.at += 1
        return found

    def _value(self, kind: int, wanted: Any, depth: int) -> Any:
        due = LIST if isinstance(wanted, list) else STRUCT if isinstance(wanted, dict) else wanted
        if kind != due:
            raise EcgError(f"a field is of type {kind} where {due} is due")
        if kind == STRUCT:
            return self._struct(wanted, depth + 1)
        return self._list(wanted[0], depth + 1) if kind == LIST else self._number(kind)

    def _list(self, wanted: Any, depth: int) -> list[dict[int, Any]] | int:
        size, kind = self._list_head()
        due = STRUCT if isinstance(wanted, dict) else wanted
        # an empty list may be of any type
        if size and kind != due:
            raise EcgError(f"a list is of type {kind} where {due} is due")
        if not wanted or due != STRUCT:
            for _ in range(size):
                self._skip(kind, depth)
            return size
        self._kept -= size
        if self._kept < 0:
            raise EcgError("it lists more than any table has")
        return [self._struct(wanted, depth + 1) for _ in range(size)]

    def _list_head(self) -> tuple[int, int]:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._varint(32)
        # before anything of its size is made
        self._values -= size
        if self._values < 0:
            raise EcgError(_TOO_MUCH)
        return size, head & 15

    def _skip(self, kind: int, depth: int) -> None:
        if kind in (I16, I32, I64):
            self._varint(64)
        elif kind in (TRUE, FALSE):
            pass
        elif kind == BINARY:
            self._pass(self._varint(32))
        elif kind == STRUCT:
            self._struct({}, depth + 1)
        elif kind in (I8, DOUBLE):
            self._pass(1 if kind == I8 else 8)
        elif kind in (LIST, SET) and depth < _DEEPEST:
            size, inner = self._list_head()
            for _ in range(size):
                # a truth takes a byte in a list, and none as a field
                self._skip(I8 if inner in (TRUE, FALSE) else inner, depth + 1)
        else:
            raise EcgError(f"a field is of type {kind}, which Parquet does not use")

    def _pass(self, count: int) -> None:
        self.at += count
        if self.at > len(self._data):
            raise EcgError("it breaks off")

    def _byte(self) -> int:
        byte = self._data[self.at]
        self.at += 1
        return byte

    def _number(self, kind: int) -> int:
        bits = _BITS[kind]
        raw = self._varint(bits)
        return (raw >> 1) ^ -(raw & 1)

    def _varint(self, bits: int) -> int:
        data, at, value = self._data, self.at, 0
        for shift in range(0, 70, 7):
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                if value >> bits:
                    break
                self.at = at
                return value
        raise EcgError("a number does not fit its type")
