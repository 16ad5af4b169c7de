"""The gate in front of Parquet, each limit at its edge."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.file import Asked, File
from ecgspasm.io.tables import parquet_gate as gate
from ecgspasm.io.tables.thrift import Compact
from tests.corpus.parquet_parts import BINARY, I32, I64, LIST, STRUCT, dictionary_page, page, struct, table, varint, zigzag

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")
VALUES = np.arange(100.0)
PLAIN = VALUES.tobytes()


def as_parquet(content: bytes) -> Ecg:
    from ecgspasm.io.tables.parquet import read_parquet

    return read_parquet(File("some.parquet", data=content), Asked())


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EcgError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read(data: bytes, spec: dict[int, Any], *, values: int = 99, kept: int = 9) -> dict[int, Any]:
    return Compact(data, values=values, kept=kept).struct(spec)


# ---------------------------------------------------------------- Thrift


def test_structs_are_read_as_they_were_written() -> None:
    inner = struct((1, I32, -5), (2, BINARY, b"abc"))
    data = struct((1, I64, 2**40), (3, STRUCT, inner), (7, LIST, (STRUCT, 2, inner + inner)), (8, LIST, (I32, 3, b"\2\4\6")))
    assert read(data, {1: I64, 3: {1: I32}, 7: [{1: I32}], 8: [I32]}) == {1: 2**40, 3: {1: -5}, 7: [{1: -5}, {1: -5}], 8: 3}
    assert read(data, {7: [{}]}) == {7: 2}
    assert read(data, {}) == {}
    # what is not asked for may be of any type
    rest = b"\x11\x12\x13\x07\x17" + bytes(8) + b"\x1a\x21\1\2\x19\x18\1x" + b"\x15\x08\0"
    assert read(rest, {7: I32}) == {7: 4}
    # an empty list may be of any type
    assert read(b"\x19\x05\0", {1: [{1: I32}]}) == {1: []}
    assert read(b"\x19\x05\0", {1: [{}]}) == {1: 0}


def test_structs_that_another_reader_may_take_otherwise_are_refused() -> None:
    assert "field 1 stands twice" in refused(lambda: read(struct((1, I32, 1), (1, I32, 1)), {1: I32}))
    assert "of type 6 where 5 is due" in refused(lambda: read(struct((1, I64, 1)), {1: I32}))
    assert "of type 5 where 12 is due" in refused(lambda: read(struct((1, I32, 1)), {1: {1: I32}}))
    assert "list is of type 5 where 12 is due" in refused(lambda: read(struct((1, LIST, (I32, 1, b"\2"))), {1: [{1: I32}]}))
    assert "list is of type 12 where 5 is due" in refused(lambda: read(struct((1, LIST, (STRUCT, 1, b"\0"))), {1: [I32]}))
    for head in (b"\x1b\0\0", b"\x1d\0", b"\x10\0"):
        assert "which Parquet does not use" in refused(lambda head=head: read(head, {}))  # type: ignore[misc]


@pytest.mark.parametrize(
    "data", [b"", b"\x15", b"\x15\x80", b"\x18\x05abcd", b"\x15\2", b"\x19\x35\2", b"\x17" + bytes(7), b"\x13"]
)
def test_structs_that_break_off_are_refused(data: bytes) -> None:
    assert "breaks off" in refused(lambda: read(data, {}))


def test_numbers_fit_their_type() -> None:
    def number(raw: bytes, kind: int) -> int:
        found: int = read(bytes([0x10 | kind]) + raw + b"\0", {1: kind})[1]
        return found

    assert number(varint(2**32 - 1), I32) == -(2**31)
    assert number(varint(2**64 - 1), I64) == -(2**63)
    assert "does not fit" in refused(lambda: number(varint(2**32), I32))
    assert "does not fit" in refused(lambda: number(varint(2**64), I64))
    assert number(b"\x82" + b"\x80" * 8 + b"\0", I64) == 1
    assert "does not fit" in refused(lambda: number(b"\x82" + b"\x80" * 9 + b"\0", I64))
    # sixteen bits of a field's number, written out or by a step
    assert read(b"\5" + zigzag(2**15 - 1) + b"\2\0", {2**15 - 1: I32}) == {2**15 - 1: 1}
    assert "does not fit" in refused(lambda: read(b"\5" + zigzag(2**15) + b"\2\0", {}))
    assert "does not fit" in refused(lambda: read(b"\5" + zigzag(2**15 - 1) + b"\2\x15\2\0", {}))


def test_no_more_is_read_than_was_allowed() -> None:
    fields = struct(*((9, I32, 1) for _ in range(20)))
    assert read(fields, {}, values=20) == {}
    assert "more than any table needs" in refused(lambda: read(fields, {}, values=19))
    listed = struct((1, LIST, (STRUCT, 4, b"\0" * 4)))
    assert read(listed, {1: [{1: I32}]}, values=5, kept=4) == {1: [{}] * 4}
    assert "more than any table needs" in refused(lambda: read(listed, {1: [{1: I32}]}, values=4, kept=4))
    assert "lists more than any table has" in refused(lambda: read(listed, {1: [{1: I32}]}, kept=3))
    assert read(b"\x1c" * 12 + b"\0" * 13, {}) == {}
    assert "too deep" in refused(lambda: read(b"\x1c" * 13 + b"\0" * 14, {}))
    assert read(b"\x19" + b"\x19" * 11 + b"\x15\2\0", {}) == {}
    assert "does not use" in refused(lambda: read(b"\x19" + b"\x19" * 12 + b"\x15\2\0", {}))


# ---------------------------------------------------------------- footer


def groups(content: bytes) -> tuple[gate.Group, ...]:
    file = File("x", data=content)
    return gate.groups_of(file.part, file.size())


def test_the_footer_lists_what_pyarrow_wrote() -> None:
    from pyarrow import parquet

    out = io.BytesIO()
    given = pyarrow.table({"I": VALUES, "II": VALUES, "t": [str(each) for each in VALUES]})
    parquet.write_table(given, out, row_group_size=40, use_dictionary=["II"])
    found = groups(out.getvalue())
    assert [group.n_rows for group in found] == [40, 40, 20]
    metadata = parquet.read_metadata(out)
    for number, group in enumerate(found):
        for index, chunk in enumerate(group.chunks):
            told = metadata.row_group(number).column(index)
            assert chunk.n_values == told.num_values
            assert chunk.start == (told.dictionary_page_offset or told.data_page_offset)


def test_the_end_of_the_file_is_where_it_should_be() -> None:
    content = table(page(100, PLAIN), 100)
    assert as_parquet(content).signal_uv[0].tolist() == VALUES.tolist()
    footer = len(content) - 12
    longest = content[:-8] + footer.to_bytes(4, "little") + b"PAR1"
    assert "the footer is damaged" in refused(lambda: groups(longest))
    for wrong in (
        content[:-1],
        content[:-1] + b"2",
        content[:-8] + (footer + 1).to_bytes(4, "little") + b"PAR1",
        b"PAR1PAR1",
        b"",
    ):
        assert "damaged or missing" in refused(lambda wrong=wrong: groups(wrong))  # type: ignore[misc]
    assert "the footer is damaged" in refused(lambda: groups(b"PAR1" + bytes(4) + b"PAR1"))


def test_a_footer_is_as_large_as_a_table_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    content = table(page(100, PLAIN), 100)
    length = int.from_bytes(content[-8:-4], "little")
    assert (gate._MOST_FOOTER_BYTES, gate._MOST_FOOTER_VALUES, gate._MOST_CHUNKS) == (16_777_216, 1_500_000, 60_000)
    monkeypatch.setattr(gate, "_MOST_FOOTER_BYTES", length)
    assert len(groups(content)) == 1
    monkeypatch.setattr(gate, "_MOST_FOOTER_BYTES", length - 1)
    assert f"footer has {length} bytes" in refused(lambda: groups(content))


def test_a_footer_that_contradicts_itself_is_refused() -> None:
    pages = page(100, PLAIN)
    assert "other rows than the table" in refused(lambda: groups(table(pages, 100, of_group=99)))
    assert "a group has no rows" in refused(lambda: groups(table(pages, 100, of_group=-1)))
    assert "it is encrypted" in refused(lambda: groups(table(pages, 100, footer=[(8, STRUCT, b"\0")])))
    secret = struct((2, I64, 4), (3, STRUCT, struct((9, I64, 4))), (8, STRUCT, b"\0"))
    assert "a column is encrypted" in refused(lambda: groups(table(pages, 100, more=secret, n_more=1)))
    nowhere = struct((2, I64, 4), (3, STRUCT, struct((5, I64, 4))))
    assert "a column has no place" in refused(lambda: groups(table(pages, 100, more=nowhere, n_more=1)))
    kinds = [(1, I32, 5), (2, LIST, (I32, 1, b"\0")), (3, LIST, (BINARY, 1, b"\1I")), (4, I32, 0)]
    other = struct((2, I64, 4), (3, STRUCT, struct(*kinds, (5, I64, 100), (6, I64, 0), (7, I64, 0), (9, I64, 4))))
    assert "other columns than the table" in refused(lambda: as_parquet(table(pages, 100, more=other, n_more=1)))
    assert "99 values in 100 rows" in refused(lambda: as_parquet(table(pages, 100, n_values=99)))
    assert "101 values in 100 rows" in refused(lambda: as_parquet(table(pages, 100, n_values=101)))


# ---------------------------------------------------------------- pages


def check(pages: bytes, n: int, *, width: int = 8) -> None:
    file = File("x", data=b"PAR1" + pages)
    gate.check_pages(file.part, file.size(), [(gate.Chunk(4, n), n, width)])


@pytest.mark.parametrize("width", [8, 12])
def test_a_page_unpacks_to_no_more_than_its_values_need(width: int) -> None:
    most = (width + 1) * 100 + 65_536
    check(page(100, b"", unpacked=most), 100, width=width)
    message = refused(lambda: check(page(100, b"", unpacked=most + 1), 100, width=width))
    assert f"a page of 100 values would unpack to {most + 1} bytes" in message


def test_a_page_has_96_mib_at_most() -> None:
    check(page(12_000_000, b"", unpacked=100_663_296), 12_000_000)
    assert "would unpack to" in refused(lambda: check(page(12_000_000, b"", unpacked=100_663_297), 12_000_000))


def test_all_pages_together_unpack_to_no_more_than_their_values_need() -> None:
    # 260 empty pages of 64 KiB, of which a page of one value is left 17 bytes beyond the slack of 16 MiB
    empty = page(0, b"", unpacked=65_536)
    check(empty * 256 + page(1, b"", unpacked=17), 1)
    assert "too many of them" in refused(lambda: check(empty * 256 + page(1, b"", unpacked=18), 1))


def test_a_column_has_one_dictionary_of_16_mib_at_most() -> None:
    data = page(10**6, b"", unpacked=10)
    check(dictionary_page(8 * 2**20, b"", unpacked=16 * 2**20) + data, 10**6)
    for n, size in ((8 * 2**20, 16 * 2**20 + 1), (8 * 2**20 + 1, 16 * 2**20)):
        assert "would unpack to" in refused(lambda n=n, size=size: check(dictionary_page(n, b"", unpacked=size) + data, 10**6))  # type: ignore[misc]
    small = dictionary_page(1, bytes(8))
    check(small + data, 10**6)
    assert "would unpack to" in refused(lambda: check(small + small + data, 10**6))


def test_pages_hold_as_many_values_as_their_column() -> None:
    check(page(60, b"") + page(40, b""), 100)
    assert "a page of 41 values" in refused(lambda: check(page(60, b"") + page(41, b""), 100))
    assert "header of a page is damaged" in refused(lambda: check(page(60, b""), 100))
    # pyarrow looks at nothing behind the last value
    check(page(100, b"") + page(1, b"", unpacked=2**30), 100)


def test_fifty_thousand_pages_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gate._MOST_PAGES == 20_000
    monkeypatch.setattr(gate, "_MOST_PAGES", 3)
    check(page(1, b"") * 3, 3)
    assert "more than the 3 pages" in refused(lambda: check(page(1, b"") * 4, 4))


def test_the_header_of_a_page_tells_its_sizes() -> None:
    def other(kind: int, field: int, n: int = 100) -> bytes:
        return struct((1, I32, kind), (2, I32, 8), (3, I32, 0), (field, STRUCT, struct((1, I32, n))))

    check(other(0, 5), 100)
    check(other(3, 8), 100)
    # of another kind, without the count of its kind, of a negative count, and cut
    for wrong in (other(1, 6), other(4, 5), other(0, 8), other(3, 5), other(0, 5, -1), other(0, 5)[:-1]):
        assert "header of a page is damaged" in refused(lambda wrong=wrong: check(wrong, 100))  # type: ignore[misc]
    check(page(100, b"", unpacked=0), 100)
    assert "header of a page is damaged" in refused(lambda: check(page(100, b"", unpacked=-1), 100))
    assert "header of a page is damaged" in refused(lambda: check(page(100, b"", packed=-1), 100))
    check(page(100, b"abc", packed=3), 100)
    assert "header of a page is damaged" in refused(lambda: check(page(100, b"abc", packed=4), 100))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_the_pages_of_every_packing_are_sound(version: str, compression: str) -> None:
    from pyarrow import parquet

    noise = np.random.default_rng(1).normal(0, 100, 30_000)
    given = {"I": pyarrow.array(noise), "II": pyarrow.array(noise.astype("f4")), "V1": pyarrow.array(noise, mask=noise > 0)}
    given |= {"V2": pyarrow.array(np.round(noise).astype("i8")), "V3": pyarrow.array(np.round(noise).astype("i2"))}
    facts = {"ecgspasm": '{"fs": 500, "unit": "uV"}'}
    for how in (
        {},
        {"use_dictionary": False},
        {
            "use_dictionary": False,
            "column_encoding": {"I": "BYTE_STREAM_SPLIT", "V2": "DELTA_BINARY_PACKED", "V3": "DELTA_BINARY_PACKED"},
        },
        {"data_page_size": 1},
        {"row_group_size": 100},
    ):
        out = io.BytesIO()
        parquet.write_table(
            pyarrow.table(given, metadata=facts),
            out,
            data_page_version=version,
            compression=compression,
            write_page_index=True,
            **how,
        )
        found = as_parquet(out.getvalue())
        assert np.array_equal(found.signal_uv[found.leads.index("I")], noise)
        assert np.array_equal(found.signal_uv[found.leads.index("V1")], np.where(noise > 0, np.nan, noise), equal_nan=True)
