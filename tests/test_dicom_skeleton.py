"""What pydicom gets of a DICOM file: little enough, whatever the file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.errors import EcgError
from ecgspasm.io.dicom import skeleton as dicom_skeleton
from ecgspasm.io.dicom.skeleton import Span, skeleton
from ecgspasm.io.file import File
from tests.corpus.dicom_parts import before_waveforms, element, item, marked, open_item, sequence, waveforms
from tests.corpus.sound_files import MADE

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed (extra dicom)")

SAMPLES = (0x5400, 0x1010)
PRIVATE = (0x0009, 0x1001)


def walk(data: bytes, kept: frozenset[tuple[int, int]] = frozenset()) -> tuple[bytes, list[Span]]:
    return skeleton(File("x", data=data), kept)


def refused(data: bytes) -> str:
    with pytest.raises(EcgError) as caught:
        walk(data)
    return str(caught.value)


def made(*groups: bytes, before: bytes = b"") -> bytes:
    return before_waveforms() + before + sequence((0x5400, 0x0100), *groups)


def group(*inside: bytes) -> bytes:
    return item(b"".join(inside) + element(SAMPLES, b"OW", b"abcd"))


def heads(data: bytes) -> int:
    walked = dicom_skeleton._Walk(File("x", data=data))
    walked.skeleton()
    return walked._seen


def test_each_head_is_looked_at_once() -> None:
    from pydicom.data import get_testdata_file

    # the number of its elements and items, which pydicom counts as 1,484, and the marks where they end
    assert heads(Path(str(get_testdata_file("waveform_ecg.dcm"))).read_bytes()) == 1868
    alone = heads(made(group()))
    nested = b""
    for level in range(10):
        nested = marked(PRIVATE, open_item(nested))
        assert heads(made(group(nested))) == alone + 4 * (level + 1)
        assert heads(made(group(), before=nested)) == alone + 4 * (level + 1)


@pytest.mark.parametrize("where", ["before", "inside"])
def test_so_many_elements_are_walked_through(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    assert dicom_skeleton._MOST_ELEMENTS == 50_000
    many = element(PRIVATE, b"LO", b"") * 100
    data = made(group(many)) if where == "inside" else made(group(), before=many)
    count = heads(data)
    monkeypatch.setattr(dicom_skeleton, "_MOST_ELEMENTS", count)
    walk(data)
    monkeypatch.setattr(dicom_skeleton, "_MOST_ELEMENTS", count - 1)
    assert f"more than {count - 1} elements" in refused(data)


def test_so_many_bytes_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dicom_skeleton._MOST_BYTES == 524_288
    data = made(group(element(PRIVATE, b"OB", bytes(1000))), before=element(PRIVATE, b"OB", bytes(9000)))
    walked = dicom_skeleton._Walk(File("x", data=data))
    small, _ = walked.skeleton()
    assert 1000 < len(small) < 9000
    monkeypatch.setattr(dicom_skeleton, "_MOST_BYTES", walked._kept)
    walk(data)
    monkeypatch.setattr(dicom_skeleton, "_MOST_BYTES", walked._kept - 1)
    assert f"more than {walked._kept - 1} bytes beside its samples" in refused(data)


def test_so_many_groups_and_levels() -> None:
    assert len(walk(made(group() * 64))[1]) == 64
    assert "more than 64 groups" in refused(made(group() * 65))

    def deep(levels: int) -> bytes:
        nested = b""
        for _ in range(levels):
            nested = marked(PRIVATE, open_item(nested))
        return nested

    walk(made(group(), before=deep(17)))
    assert "deeper than any ECG" in refused(made(group(), before=deep(18)))
    walk(made(group(deep(15))))
    assert "deeper than any ECG" in refused(made(group(deep(16))))


def test_samples_stay_where_they_are() -> None:
    data = made(group(), item(element(PRIVATE, b"LO", b"x ")))
    small, spans = walk(data)
    assert data[spans[0].start : spans[0].start + spans[0].length] == b"abcd"
    assert spans[1].length == 0
    assert b"abcd" not in small
    assert "samples twice" in refused(made(item(element(SAMPLES, b"OW", b"ab") * 2)))
    assert "beyond the end" in refused(made(item(marked(SAMPLES, open_item(b""), form=b"OW"))))
    assert "no waveform" in refused(before_waveforms())
    assert "no item" in refused(made(element(PRIVATE, b"LO", b"")))
    assert "no item" in refused(made(group(), before=marked(PRIVATE, element(PRIVATE, b"LO", b""))))


def test_what_has_no_known_representation_is_laid_out_plainly() -> None:
    plain = b"\x09\0\x02\x10" + (4).to_bytes(4, "little") + b"SQab"
    nested = marked(PRIVATE, open_item(plain), item(plain), form=b"UN")
    for data in (made(group(nested)), made(group(), before=nested)):
        small, spans = walk(data)
        assert data[spans[0].start : spans[0].start + spans[0].length] == b"abcd"
        assert pydicom.dcmread(pydicom.filebase.DicomBytesIO(small)).WaveformSequence


def test_annotations_are_copied_where_they_are_asked_for() -> None:
    annotations = (0x0040, 0xB020)
    for each in (
        sequence(annotations, item(element(PRIVATE, b"LO", b"here"))),
        marked(annotations, open_item(element(PRIVATE, b"LO", b"here"))),
    ):
        data = made(group(), before=each)
        assert b"here" not in walk(data)[0]
        assert each in walk(data, frozenset({annotations}))[0]


def test_a_deflated_file_is_told_by_any_element_in_front() -> None:
    data = made(group())
    at = data.index(b"\x02\0\x10\0UI")
    for name in ((0x0002, 0x0010), (0x0002, 0x0012)):
        before = element(name, b"UI", b"1.2.840.10008.1.2.1.99")
        assert "deflated" in refused(data[:at] + before + data[at:])


@pytest.mark.parametrize("kind", ["DICOM", "DICOM implicit"])
def test_it_is_read_as_pydicom_reads_it(kind: str, tmp_path: Path) -> None:
    content = MADE[kind]().content
    (tmp_path / "x.dcm").write_bytes(content)
    whole: Any = pydicom.dcmread(tmp_path / "x.dcm").WaveformSequence[0]
    ecg = es.read(tmp_path / "x.dcm")
    steps = np.frombuffer(whole.WaveformData, "<i2").reshape(-1, whole.NumberOfWaveformChannels)
    for channel, lead in zip(steps.T[:2], ecg.leads[:2], strict=True):
        assert np.corrcoef(channel, ecg[lead])[0, 1] > 0.999999


def test_waveforms_of_the_sound_file_are_where_these_parts_say() -> None:
    assert before_waveforms() + waveforms() == MADE["DICOM"]().content
