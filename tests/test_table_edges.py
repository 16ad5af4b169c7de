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
from ecgspasm.io.tables.numpy_files import read_npz


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
