"""The gates in front of packed tables, each limit at its edge."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.file import Asked, File
from ecgspasm.io.tables import text
from ecgspasm.io.tables.numpy_files import read_npz
from ecgspasm.io.tables.text import read_table


def as_npz(content: bytes) -> Ecg:
    return read_npz(File("some.npz", data=content), Asked(fs=500))


def npz(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, values in (("signal_uv", np.ones((1, 9))), ("leads", np.array(["V1"]))):
            array: Any = io.BytesIO()
            np.save(array, values)
            archive.writestr(f"{name}.npy", array.getvalue())
    return stream.getvalue()


def test_only_what_numpy_itself_packs_is_unpacked() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert as_npz(npz(method)).leads == ("V1",)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(EcgError, match=rf"signal_uv\.npy is packed by the method {method}, which is not unpacked"):
            as_npz(npz(method))


def test_the_directory_of_a_zip_is_as_long_as_its_arrays_need() -> None:
    content = npz()
    at, last, end = content.index(b"PK\x01\x02"), content.rindex(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")

    def longer(size: int) -> bytes:
        """The same with a directory of so many bytes, by the comment of its last entry."""
        more = size - (end - at)
        entry = content[last : last + 32] + more.to_bytes(2, "little") + content[last + 34 : end] + b"x" * more
        return content[:last] + entry + content[end : end + 12] + size.to_bytes(4, "little") + content[end + 16 :]

    assert as_npz(longer(65_536)).leads == ("V1",)
    with pytest.raises(EcgError, match="directory of the file has 65537 bytes"):
        as_npz(longer(65_537))


def test_a_zip_ends_as_numpy_ends_it() -> None:
    content = npz()
    end = content.rindex(b"PK\x05\x06")
    with_locator = content[:end] + b"PK\x06\x07" + bytes(16) + content[end:]
    for other in (content + b"\0", content[:-2] + b"\1\0x", content[:-1], with_locator, content[:10], b""):
        with pytest.raises(EcgError, match=r"does not end as an \.npz file does"):
            as_npz(other)


# ---------------------------------------------------------------- text


def as_table(content: str | bytes) -> Ecg:
    data = content.encode("utf-8") if isinstance(content, str) else content
    return read_table(File("some.csv", data=data), Asked())


HEAD = ("# fs: 500", "# unit: uV")


def rows(n: int = 100) -> list[str]:
    return [f'{i},,"{i}.5",{i / 500}' for i in range(n)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("piece", [18, 19, 20, 21, 40, 2**20])
@pytest.mark.parametrize("last", ["", "|", "|||", '""|', '|""||'])
def test_rows_are_the_same_in_pieces_of_any_size(monkeypatch: pytest.MonkeyPatch, piece: int, end: str, last: str) -> None:
    monkeypatch.setattr(text, "_PIECE", piece)
    found = as_table(end.join([*HEAD, "sample,I,V2,time_s", *rows()]) + last.replace("|", end))
    assert found.leads == ("I", "V2")
    assert np.isnan(found.signal_uv[0]).all()
    assert found.signal_uv[1].tolist() == [i + 0.5 for i in range(100)]


@pytest.mark.parametrize("piece", [20, 40, 2**20])
def test_what_is_wrong_with_a_row_is_found_in_every_piece(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(text, "_PIECE", piece)
    for at in (0, 50, 99):
        for wrong, says in (
            ("1,2", f"row {at + 1} below the names has not one cell a column"),
            ("", f"row {at + 1} below the names has not one cell a column" if at < 99 else ""),
            (f"{at},,x,{at / 500}", "is no number"),
            (f"{at + 0.5},,1,{at / 500}", "do not go up by one"),
            (f",,1,{at / 500}", "do not go up by one"),
            (f"{at},,1,-1", "do not grow|not all alike"),
        ):
            given = rows()
            given[at] = wrong
            if says:
                with pytest.raises(EcgError, match=says):
                    as_table("\n".join([*HEAD, "sample,I,V2,time_s", *given]))
    with pytest.raises(EcgError, match="points and commas"):
        as_table("\n".join([*HEAD, "I;V2", *(["1;2"] * 50), "1,5;2", *(["1;2"] * 50), "1.5;2"]))
    assert as_table("\n".join([*HEAD, "I;V2", *(["1;2"] * 50), "1,5;2"])).signal_uv[0, -1] == 1.5


@pytest.mark.parametrize("empty", ["", " ", "   "])
def test_empty_cells_are_missing_samples_wherever_they_stand(empty: str) -> None:
    given = [f"1,{empty},3", f"{empty},2,3", f"1,2,{empty}", f"{empty},{empty},3", f"1,{empty},{empty}"]
    for each in given:
        found = as_table("\n".join([*HEAD, "I,V2,V3", "1,2,3", each, "1,2,3"])).signal_uv[:, 1]
        assert np.isnan(found).tolist() == [not cell.strip() for cell in each.split(",")]


@pytest.mark.parametrize("mark", ["\u00b5", "\u2192", "\U0001f600"])
def test_letters_of_any_length_may_stand_on_a_seam(monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    content = "\n".join(["# key: " + mark * 9, "# fs: 500", "I (\u00b5V),note", *([f"1,{mark}"] * 9)])
    for piece in (11, 12, 13, 14, 2**20):
        monkeypatch.setattr(text, "_PIECE", piece)
        assert as_table(content).leads == ("I",)
        assert as_table(b"\xef\xbb\xbf" + content.encode()).leads == ("I",)
    # cut in the middle of a letter it is no UTF-8
    assert as_table(content.replace(mark, "u").encode("latin-1")).leads == ("I",)
    assert text._encoding(content.encode()[:-1]) == "latin-1"
    assert text._encoding(content.encode()) == "utf-8"
    assert text._encoding(content.encode() + b"\0") is None


def test_so_many_numbers_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert text._MOST_CELLS == 16_000_000
    content = "\n".join([*HEAD, "sample,I,V2,time_s", *rows()])
    monkeypatch.setattr(text, "_MOST_CELLS", 300)
    assert as_table(content).leads == ("I", "V2")
    monkeypatch.setattr(text, "_MOST_CELLS", 299)
    with pytest.raises(EcgError, match="100 rows with their times are more than the 299 numbers"):
        as_table(content)
    monkeypatch.setattr(text, "MAX_SAMPLES", 200)
    monkeypatch.setattr(text, "_MOST_CELLS", 300)
    assert as_table(content).leads == ("I", "V2")
    monkeypatch.setattr(text, "MAX_SAMPLES", 199)
    with pytest.raises(EcgError, match="100 rows of 2 channels"):
        as_table(content)
