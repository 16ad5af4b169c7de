"""Sierra XML: what its packed waveforms unpack to is known before they are unpacked."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from ecgspasm.errors import EcgError
from ecgspasm.io.vendor import xli
from ecgspasm.io.vendor.xli import check_unpacked_size
from tests.corpus import vendor_files
from tests.corpus.vendor_files import GROWING, sierra

codecs = pytest.importorskip("ecgdatakit.parsing.codecs", reason="ecgdatakit is not installed (extra formats)")


def unpacked(packed: bytes) -> int:
    return sum(map(xli._unpacked_bytes, xli._chunks(packed)))


def body(*codes: int) -> bytes:
    return vendor_files.xli(list(codes))[8:]


CODES: list[tuple[int, ...]] = [
    (), (7,), (7, 8, 9), (7, 256, 257, 256), (7, 1023, 8), (7, 1022), (7, 900, 900, 256, 8, 900),
    tuple(GROWING), (*GROWING, 1022, 1023),
]  # fmt: skip


@pytest.mark.parametrize("codes", CODES)
def test_the_size_is_that_of_what_ecgdatakit_unpacks(codes: tuple[int, ...]) -> None:
    packed = body(*codes)
    assert xli._unpacked_bytes(packed) == len(codecs.LzwDecoder(packed, 10).read_all())


def test_the_size_is_that_of_any_bytes() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        codes = rng.integers(0, rng.choice([300, 600, 1024]), rng.integers(1, 2500))
        codes[0] %= 256
        packed = body(*codes.tolist())[: rng.integers(1, 4000)]
        assert xli._unpacked_bytes(packed) == len(codecs.LzwDecoder(packed, 10).read_all())


def test_chunks_follow_each_other_up_to_one_without_a_size() -> None:
    two = vendor_files.xli([1, 2, 3], [4, 5])
    assert [len(chunk) for chunk in xli._chunks(two)] == [4, 3]
    assert unpacked(two) == 5
    assert list(xli._chunks(two + bytes(8))) == list(xli._chunks(two))
    assert list(xli._chunks(b"\xff\xff\xff\xff" + bytes(8))) == []
    assert list(xli._chunks(two[:7])) == []
    assert list(xli._chunks(b"\x01\0\0\0" + bytes(4))) == [b""]


def refused(data: bytes) -> str:
    with pytest.raises(EcgError) as caught:
        check_unpacked_size(fromstring(data))
    return str(caught.value)


def test_so_much_may_be_packed_and_so_much_may_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (xli._MOST_PACKED_BYTES, xli._MOST_UNPACKED_BYTES) == (393_216, 2_097_152)
    packed = vendor_files.xli([7, 256, 257], [7, 256])
    monkeypatch.setattr(xli, "_MOST_PACKED_BYTES", len(packed))
    monkeypatch.setattr(xli, "_MOST_UNPACKED_BYTES", 9)
    check_unpacked_size(fromstring(sierra(packed)))
    monkeypatch.setattr(xli, "_MOST_UNPACKED_BYTES", 8)
    assert "its waveforms unpack to more than 8 bytes" in refused(sierra(packed))
    monkeypatch.setattr(xli, "_MOST_PACKED_BYTES", len(packed) - 1)
    assert f"its packed waveforms are larger than {len(packed) - 1} bytes" in refused(sierra(packed))


@pytest.mark.parametrize(
    "how", ["compression='XLI'", "compressmethod='XLI'", "compression='' compressmethod='xli'", "compression='x'"]
)
def test_it_is_looked_at_however_the_file_says_that_it_is_packed(how: str) -> None:
    assert "unpack to more" in refused(sierra(vendor_files.xli_bomb(3000), how))
    assert "no base64" in refused(sierra(b"", how).replace(b"></parsed", b">????</parsed"))
    # ecgdatakit puts the texts around other elements together, and does not mind capital letters
    split = sierra(vendor_files.xli_bomb(3000), how)
    at = split.index(b"</parsedwaveforms>") - 400
    assert "unpack to more" in refused(split[:at] + b" <a>zzz</a> <b/>\n" + split[at:])
    assert "unpack to more" in refused(split.replace(b"parsedwaveforms", b"ParsedWaveforms"))


@pytest.mark.parametrize("how", ["", "compression=''", "compression='None'", "compression=' uncompressed '"])
def test_plain_samples_are_as_large_as_they_are(how: str) -> None:
    check_unpacked_size(fromstring(sierra(vendor_files.xli_bomb(3000), how)))


def test_another_element_is_none_of_its_waveforms() -> None:
    data: Any = fromstring(sierra(vendor_files.xli_bomb(3000)).replace(b"parsedwaveforms", b"otherwaveforms"))
    check_unpacked_size(data)
