"""Texts of any length in HDF5 are looked at byte by byte before the library reads them, whatever was damaged in them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecgspasm.errors import EcgError
from ecgspasm.io.file import File
from ecgspasm.io.hdf5 import texts

h5py = pytest.importorskip("h5py", reason="h5py is not installed (extra hdf5)")

NAME, WORDS = b"leads", ["I", "II", "V1"]


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["leads"] = WORDS
    return (tmp_path / "a.h5").read_bytes()


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EcgError) as caught:
        call()
    return str(caught.value)


def check(data: bytes, count: int = len(WORDS), name: bytes = NAME) -> None:
    texts.check_texts(File("a.h5", data=data), {name: count})


def put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def references(data: bytes) -> int:
    """Where the lengths and places of the texts stand: behind name, type and space of the attribute."""
    at = data.index(NAME + b"\0")
    version = next(version for version, before in ((1, 8), (2, 8), (3, 9)) if data[at - before] == version)
    head = at - (9 if version == 3 else 8)
    sizes = struct.unpack_from("<3H", data, head + 2)
    return at + sum(-(-each // 8) * 8 if version == 1 else each for each in sizes)


def test_sound_texts_pass_from_disk_and_memory_and_in_pieces(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(content)
    texts.check_texts(File("a", path=str(tmp_path / "a.h5")), {NAME: 3})
    for piece in (4096, 100, 64):
        monkeypatch.setattr(texts, "_PIECE", piece)
        check(content)


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_both_ways_in_which_the_library_writes_attributes_are_known(tmp_path: Path, version: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver=version) as file:
        file.attrs["leads"] = WORDS
    check((tmp_path / "a.h5").read_bytes())


def test_every_length_that_is_too_long_is_refused(content: bytes) -> None:
    at = references(content)
    for text in range(3):
        assert struct.unpack_from("<I", content, at + 16 * text)[0] == len(WORDS[text])
        check(put(content, at + 16 * text, struct.pack("<I", 64 * 1024)))
        damaged = put(content, at + 16 * text, struct.pack("<I", 64 * 1024 + 1))
        assert "is longer than any; the file is damaged" in refused(lambda damaged=damaged: check(damaged))  # type: ignore[misc]


def test_an_attribute_that_is_not_where_its_name_is_cannot_be_checked(content: bytes) -> None:
    at = content.index(NAME + b"\0")
    said = "the text of the attribute leads cannot be checked before it is read"
    for damaged in (
        content.replace(NAME + b"\0", b"other\0"),
        put(content, at - 8, b"\x07") if content[at - 8] in (1, 2) else put(content, at - 9, b"\x07"),
        content[: references(content) + 20],
    ):
        assert said in refused(lambda damaged=damaged: check(damaged))  # type: ignore[misc]
    # a name that stands at the very start has no room for what belongs before it
    assert said in refused(lambda: check(NAME + b"\0" + bytes(100)))
    # another length of the name is told
    head = at - (8 if content[at - 8] in (1, 2) else 9)
    assert said in refused(lambda: check(put(content, head + 2, struct.pack("<H", 99))))
    assert "the attribute aaa cannot be checked" in refused(
        lambda: texts.check_texts(File("a", data=content), {b"zzz": 1, b"aaa": 1})
    )


def test_a_file_too_large_to_be_searched_is_refused(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_MOST_SEARCHED_BYTES", len(content))
    check(content)
    monkeypatch.setattr(texts, "_MOST_SEARCHED_BYTES", len(content) - 1)
    assert "not read from files as large as this" in refused(lambda: check(content))


def heap(content: bytes) -> int:
    return content.index(b"GCOL\x01\0\0\0")


def test_a_heap_that_cannot_be_walked_through_is_refused(content: bytes) -> None:
    at = heap(content)
    said = "a heap of texts in the file is damaged"
    for damaged in (
        put(content, at + 8, struct.pack("<Q", 16 * 2**20 + 1)),  # longer than any
        put(content, at + 16 + 8, struct.pack("<Q", 2**20)),  # the first text goes beyond the heap
        put(put(content, at + 16, b"\0\0"), at + 16 + 8, struct.pack("<Q", 0)),  # free space of no size: walked through for ever
    ):
        assert said in refused(lambda damaged=damaged: check(damaged))  # type: ignore[misc]


def test_a_mark_at_the_edge_of_a_piece_is_looked_at_once(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = texts._check_heap
    monkeypatch.setattr(texts, "_check_heap", lambda file, begin: (seen.append(begin), real(file, begin))[1])
    at = heap(content)
    for piece in (at, at + 1, at + 4, at - 1):
        seen.clear()
        monkeypatch.setattr(texts, "_PIECE", piece)
        check(content)
        assert seen == [at]


def test_a_file_that_is_shorter_than_a_heap_says_so() -> None:
    data: Any = b"GCOL\x01\0\0\0" + struct.pack("<Q", 4096) + b"\x01\0" + bytes(6) + struct.pack("<Q", 100)
    assert "a heap of texts in the file is damaged" in refused(lambda: check(data))
