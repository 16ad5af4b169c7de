"""Files with something changed in them, the same ones for the same seed."""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
_EXTREMES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"9999", b"-1e9", b"nan ", b"\0\0\0\x80")


def _at(rng: Rng, size: int) -> int:
    return int(rng.integers(max(size, 1)))


# --- headers, as text ------------------------------------------------------------------------------------------------


def _flip_bit(text: bytearray, rng: Rng) -> None:
    text[_at(rng, len(text))] ^= 1 << int(rng.integers(8))


def _letter(text: bytearray, rng: Rng) -> None:
    text[_at(rng, len(text))] = int(rng.choice(list(string.printable[:95].encode())))


def _lose(text: bytearray, rng: Rng) -> None:
    at = _at(rng, len(text))
    del text[at : at + int(rng.integers(1, 4))]


def _double(text: bytearray, rng: Rng) -> None:
    at = _at(rng, len(text))
    text[at:at] = text[at : at + int(rng.integers(1, 4))]


def _digit(text: bytearray, rng: Rng) -> None:
    places = [at for at, char in enumerate(text) if 48 <= char <= 57]
    if places:
        text[int(rng.choice(places))] = int(rng.integers(48, 58))


def _digit_more_or_less(text: bytearray, rng: Rng) -> None:
    places = [at for at, char in enumerate(text) if 48 <= char <= 57]
    if places:
        at = int(rng.choice(places))
        text[at : at + 1] = b"" if rng.random() < 0.5 else bytes([text[at], int(rng.integers(48, 58))])


def _lines(change: Callable[[list[bytes], Rng], None]) -> Callable[[bytearray, Rng], None]:
    def mutate(text: bytearray, rng: Rng) -> None:
        lines = bytes(text).split(b"\n")
        change(lines, rng)
        text[:] = b"\n".join(lines)

    return mutate


def _tokens(change: Callable[[list[bytes], Rng], None]) -> Callable[[bytearray, Rng], None]:
    def on_a_line(lines: list[bytes], rng: Rng) -> None:
        at = _at(rng, len(lines))
        tokens = lines[at].split(b" ")
        change(tokens, rng)
        lines[at] = b" ".join(tokens)

    return _lines(on_a_line)


def _drop(parts: list[bytes], rng: Rng) -> None:
    del parts[_at(rng, len(parts))]


def _repeat(parts: list[bytes], rng: Rng) -> None:
    at = _at(rng, len(parts))
    parts.insert(at, parts[at])


def _swap(parts: list[bytes], rng: Rng) -> None:
    one, other = _at(rng, len(parts)), _at(rng, len(parts))
    parts[one], parts[other] = parts[other], parts[one]


def _shuffle(parts: list[bytes], rng: Rng) -> None:
    parts[:] = [parts[at] for at in rng.permutation(len(parts))]


def _column(lines: list[bytes], rng: Rng) -> None:
    """Exchange one token between two lines."""
    one, other = _at(rng, len(lines)), _at(rng, len(lines))
    first, second = lines[one].split(b" "), lines[other].split(b" ")
    at = _at(rng, min(len(first), len(second)))
    first[at], second[at] = second[at], first[at]
    lines[one], lines[other] = b" ".join(first), b" ".join(second)


HEADER_CHANGES: dict[str, Callable[[bytearray, Rng], None]] = {
    "bit flipped": _flip_bit,
    "letter changed": _letter,
    "letters lost": _lose,
    "letters doubled": _double,
    "digit changed": _digit,
    "digit more or less": _digit_more_or_less,
    "token lost": _tokens(_drop),
    "token doubled": _tokens(_repeat),
    "tokens exchanged": _tokens(_swap),
    "tokens shuffled": _tokens(_shuffle),
    "token of another line": _lines(_column),
    "line lost": _lines(_drop),
    "line doubled": _lines(_repeat),
    "lines exchanged": _lines(_swap),
    "lines shuffled": _lines(_shuffle),
}


def mutated_header(content: bytes, rng: Rng) -> tuple[str, bytes]:
    """A header with one change, in a quarter of them two or three, and the name of the first one."""
    kinds = list(HEADER_CHANGES)
    while True:
        text = bytearray(content)
        count = 1 if rng.random() < 0.75 else int(rng.integers(2, 4))
        chosen = [kinds[_at(rng, len(kinds))] for _ in range(count)]
        for kind in chosen:
            if text:
                HEADER_CHANGES[kind](text, rng)
        if bytes(text) != content:
            return chosen[0], bytes(text)


# --- any file --------------------------------------------------------------------------------------------------------


def _place(rng: Rng, size: int) -> int:
    """Heads and feet of a file, where all that is to know stands, more often than its middle."""
    where = rng.random()
    near = min(size, 3000)
    if where < 0.45:
        return _at(rng, near)
    return size - 1 - _at(rng, near) if where < 0.65 else _at(rng, size)


def mutated(content: bytes, rng: Rng) -> bytes:
    """A file with one to four changes: bytes changed, lost, doubled, moved, cut off."""
    copy = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if not copy:
            break
        at, what = _place(rng, len(copy)), rng.integers(9)
        span = int(rng.integers(1, 40))
        if 48 <= copy[at] <= 57 and what < 4:
            copy[at] = int(rng.integers(48, 58))
        elif what == 0:
            copy[at] = int(rng.integers(256))
        elif what <= 2:
            copy[at] ^= 1 << int(rng.integers(8))
        elif what == 3:
            del copy[at : at + span]
        elif what == 4:
            copy[at:at] = copy[at : at + span]
        elif what == 5:
            other = _place(rng, len(copy))
            copy[at : at + span], copy[other : other + span] = copy[other : other + span], copy[at : at + span]
        elif what == 6:
            copy[at : at + span] = bytes(len(copy[at : at + span]))
        else:
            extreme = _EXTREMES[_at(rng, len(_EXTREMES))]
            copy[at : at + len(extreme)] = extreme
    if rng.random() < 0.08:
        del copy[_at(rng, len(copy)) :]
    return bytes(copy)
