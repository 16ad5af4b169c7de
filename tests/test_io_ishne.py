"""ISHNE Holter files: written here by the letter of the standard, and read by ecgdatakit as well."""

from __future__ import annotations

import struct
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Ecg, Subject
from ecgspasm.io.file import Asked, File
from ecgspasm.io.vendor.ishne import is_ishne, read_ishne
from tests.corpus.vendor_files import ishne, steps


def read(data: bytes, **asked: Any) -> Ecg:
    return read_ishne(File("file", data=data), Asked(**asked))


def test_all_that_the_header_tells() -> None:
    ecg = read(ishne())
    assert ecg.leads[:2] == ("I", "II")
    assert set(ecg.derived) == {"III", "aVR", "aVL", "aVF"}
    assert (ecg.fs, ecg.subject, ecg.recorded_at) == (200.0, Subject("female", 61.0), datetime(2021, 6, 12, 14, 25, 36))
    assert np.allclose(ecg["V2"], steps(3)[2] * 2.5)
    shown = f"{ecg!r} {vars(ecg)}"
    assert not any(secret in shown for secret in ("Erika", "Musterfrau", "PID-4711", "1960"))


def test_without_checksum_and_with_a_fault_of_a_lead() -> None:
    signal = steps(3)
    signal[1, 100:130] = -32768
    ecg = read(ishne(signal, checksum=False))
    assert np.isnan(ecg["II"][100:130]).all()
    assert np.isfinite(ecg["I"]).all()
    assert np.isnan(ecg["III"][100:130]).all()
    assert "no checksum in the header" in ecg.source
    assert "no checksum" not in read(ishne()).source


def test_either_order_of_the_bytes_of_the_checksum() -> None:
    data = ishne()
    turned = data[:8] + data[8:10][::-1] + data[10:]
    assert np.array_equal(read(turned).signal_uv, read(data).signal_uv)


def test_rename_names_a_channel() -> None:
    data = ishne(codes=(1, 6, 12))
    with pytest.raises(es.EcgError, match="no lead is named 'Lead 1'"):
        read(data)
    assert np.array_equal(read(data, rename={"Lead 1": "V5"})["V5"], read(ishne())["I"])


@pytest.mark.parametrize("codes", [(5, 6, 12), tuple(range(5, 17)), (15,), (2, 3, 4)])
@pytest.mark.parametrize("checksum", [True, False])
def test_it_equals_ecgdatakit(tmp_path: Path, codes: tuple[int, ...], checksum: bool) -> None:
    parsers = pytest.importorskip("ecgdatakit", reason="ecgdatakit is not installed (extra formats)").FileParser().parsers
    parser = next(parser for parser in parsers if parser.FORMAT_NAME == "ISHNE Holter")
    path = tmp_path / "holter.ecg"
    path.write_bytes(ishne(codes=codes, checksum=checksum, nanovolts=4880, fs=1000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = parser().parse(path)
    ours = es.read(path)
    recording = es.open_recording(path)
    assert recording.leads == tuple(lead.label for lead in theirs.leads)
    for lead in theirs.leads:
        uv = lead.samples * lead.resolution
        assert np.allclose(ours[lead.label], uv, atol=1e-9)
        assert np.array_equal(ours[lead.label], recording.samples(0, recording.n_samples)[recording.leads.index(lead.label)])
    assert (ours.fs, ours.recorded_at) == (float(theirs.leads[0].sampling_rate), theirs.recording.date)
    assert (ours.subject.age, ours.subject.sex) == (float(theirs.patient.age), "female")


def changed(at: int, form: str, *values: int, checksum: bool = False) -> bytes:
    """A file with some bytes of its header changed, and no checksum that would tell."""
    data = bytearray(ishne(checksum=checksum))
    struct.pack_into(form, data, at, *values)
    return bytes(data)


BAD: dict[str, tuple[bytes, str]] = {
    "no gain": (ishne(nanovolts=-9), "not calibrated"),
    "gain 0": (ishne(nanovolts=0), "not calibrated"),
    "changed header": (ishne().replace(b"digital", b"analog_"), "checksum mismatch"),
    "no leads": (ishne(codes=()), "lead count is 0"),
    "13 leads": (changed(156, "<h", 13), "lead count is 13"),
    "a lead twice": (ishne(codes=(5, 5, 12)), "given twice"),
    "an absent lead": (ishne(codes=(5, -9, 12)), "marked as absent"),
    "49 Hz": (ishne(fs=49), "49 Hz"),
    "negative rate": (ishne(fs=-200), "-200 Hz"),
    "comment of -1": (changed(10, "<i", -1), "comment of -1 bytes"),
    "comment beyond the end": (changed(10, "<i", 2**30), "which cannot be"),
    "samples elsewhere": (changed(22, "<i", 522), "which cannot be"),
    "cut in the header": (ishne()[:300], "ends within its header"),
    "cut in a frame": (ishne()[:-1], "no whole number of times"),
    "no samples": (ishne(steps(3, 0)), "no whole number of times"),
    "cut in the comment": (ishne()[:530], "checksum mismatch"),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused_in_one_line(data: bytes, says: str) -> None:
    with pytest.raises(es.EcgError) as caught:
        read(data)
    assert "\n" not in str(caught.value)
    assert says in str(caught.value)


def test_a_file_that_is_shorter_than_it_says_is_marked() -> None:
    whole = ishne()
    assert "cut short?" in read(whole[: -6 * 100]).source
    assert "cut short?" not in read(whole).source
    # some writers count the samples of all leads together
    assert "cut short?" not in read(changed(14, "<i", 3 * 1500)).source


def test_what_the_file_states_cannot_be_asked_for() -> None:
    for wish in ({"fs": 500.0}, {"unit": "mV"}, {"record": 1}):
        with pytest.raises(es.EcgError, match="leave"):
            read(ishne(), **wish)


def test_content_tells_the_format() -> None:
    assert is_ishne(ishne()[:4096])
    assert not any(is_ishne(start) for start in (b"", b"ISHNE", b"ANN  1.0", b"ishne1.0"))
