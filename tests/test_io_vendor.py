"""Files of electrocardiographs: real samples where they are told, and small ones written here by what the formats say."""

from __future__ import annotations

import base64
import builtins
import os
import pickle
import re
import struct
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Ecg, Floats, Subject
from ecgspasm.io.file import Asked, File
from ecgspasm.io.vendor import reader as vendor
from ecgspasm.io.vendor.reader import is_vendor, read_vendor
from ecgspasm.leads import STANDARD
from tests.corpus.vendor_files import aecg, mortara, muse, muse_lead, scp, steps

pytest.importorskip("ecgdatakit", reason="ecgdatakit is not installed (extra formats)")

SAMPLES = ["aecg_1.xml", "muse_1.xml", "muse_2.xml", "muse_3.xml", "scp_1.scp", "sierra_1_04.xml", "sierra_1_04_01.xml"]


def read(data: bytes, **asked: Any) -> Ecg:
    return read_vendor(File("file", data=data), Asked(**asked))


@pytest.fixture(scope="session")
def formats(real_data: Path) -> Path:
    folder = real_data / "formats"
    if not folder.is_dir():
        pytest.skip("samples of vendors' formats: there is no folder formats/ in ECGSPASM_TEST_DATA")
    return folder


MADE: dict[str, bytes] = {
    "Mortara": mortara(),
    "MUSE": muse(),
    "aECG": aecg({"I": steps(1, 300)[0], "V2": steps(1, 300)[0]}),
    "SCP": scp([(1, 1, steps(1)[0]), (2, 1, steps(1)[0])]),
}


def test_mortara() -> None:
    ecg = read(mortara())
    assert (ecg.fs, ecg.subject, ecg.recorded_at) == (500.0, Subject("male", 61.0), datetime(2019, 2, 3, 4, 5, 6))
    assert np.allclose(ecg["V1"], steps(3)[2] * 2.5)


def test_muse() -> None:
    ecg = read(muse(head='<!DOCTYPE RestingECG SYSTEM "restecg.dtd">'))
    assert np.allclose(ecg["V2"], steps(3)[2] * 4.88)
    assert np.allclose(read(muse(unit="MILLIVOLTS", per_bit="0.00488"))["V2"], steps(3)[2] * 4.88)
    assert ecg.derived == ("III", "aVR", "aVL", "aVF")


def test_the_median_beat_is_never_the_rhythm() -> None:
    rhythm = re.search(r"<Waveform>.*</Waveform>", muse().decode(), re.DOTALL)
    assert rhythm is not None
    median = rhythm[0].replace("Rhythm", "Median")
    assert np.array_equal(read(muse(median + rhythm[0])).signal_uv, read(muse()).signal_uv)
    with pytest.raises(es.EcgError, match="No rhythm"):
        read(muse(median))


def test_the_rate_of_aecg_is_not_rounded() -> None:
    rows = {"I": steps(1, 300)[0]}
    assert read(aecg(rows, increment="0.0039")).fs == pytest.approx(1 / 0.0039)


def test_latin_1_in_a_file_that_says_utf_8() -> None:
    plain = aecg({"I": steps(1, 300)[0]})
    assert np.array_equal(read(aecg({"I": steps(1, 300)[0]}, name="Müller".encode("latin-1"))).signal_uv, read(plain).signal_uv)


def test_scp_leads_that_begin_later_are_missing_before() -> None:
    row = steps(1, 1000)[0]
    ecg = read(scp([(1, 1, row), (3, 501, row)], interval_us=4000))
    assert (ecg.leads, ecg.fs) == (("I", "V1"), 250.0)
    assert np.isnan(ecg["V1"][:500]).all()
    assert np.allclose(ecg["V1"][500:], row * 2.5)
    assert np.allclose(ecg["I"][:1000], row * 2.5)
    assert np.isnan(ecg["I"][1000:]).all()


def test_rename_names_a_channel() -> None:
    data = mortara(leads=("ECG1", "II", "V1"))
    with pytest.raises(es.EcgError, match="no lead is named 'ECG1'"):
        read(data)
    assert np.array_equal(read(data, rename={"ECG1": "V5"})["V5"], read(mortara())["I"])


# ---------------------------------------------------------------------------------------------------------------------
# Refusals
# ---------------------------------------------------------------------------------------------------------------------

BOMB = '<!DOCTYPE RestingECG [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FILE_BOMB = '<!DOCTYPE RestingECG [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_LEAD = steps(1)[0]
_WAVE = "<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>500</SampleBase>{}</Waveform>"

BAD: dict[str, tuple[bytes, str]] = {
    "entities": (muse(head=BOMB), "declares entities"),
    "a file as entity": (muse(head=FILE_BOMB), "declares entities"),
    "deep": (muse("<a>" * 500 + "</a>" * 500), "levels"),
    "many": (muse("<a/>" * 400_000), "more elements"),
    "cut off": (muse()[:-40], "not well-formed"),
    "utf-16 cut off": (muse().decode("latin-1").encode("utf-16")[:-41], "not well-formed"),
    "no unit": (muse(unit=""), "not what it says"),
    "no gain": (muse(per_bit=""), "not calibrated"),
    "gain 0": (muse(per_bit="0"), "gain 0"),
    "two rhythms": (muse(_WAVE.format(muse_lead("I", _LEAD)) * 2), "Additional rhythm"),
    "lead twice": (muse(_WAVE.format(muse_lead("II", _LEAD) * 2)), "no lead is named 'II_2'"),
    "other length": (muse(_WAVE.format(muse_lead("I", _LEAD) + muse_lead("II", _LEAD[:-9]))), "of one length"),
    "shifted in time": (muse(_WAVE.format(muse_lead("I", _LEAD, extra="<LeadTimeOffset>20</LeadTimeOffset>"))), "shifted"),
    "bad checksum": (muse(_WAVE.format(muse_lead("I", _LEAD, extra="<LeadDataCRC32>1</LeadDataCRC32>"))), "CRC32 mismatch"),
    "rate 5": (muse(_WAVE.replace("500", "5").format(muse_lead("I", _LEAD))), "between 50 and 10000"),
    "wrong unit": (muse(unit="VOLTS", per_bit="1"), "no electrode gives"),
    "offset without unit": (aecg({"I": _LEAD}, origin='value="5"'), "offset without a unit"),
    "words for digits": (aecg({"I": ["nan"] * 9}), "no numbers"),
    "no time": (aecg({"I": _LEAD}, increment="0"), "No usable time"),
    "no gain in Mortara": (mortara(units_per_mv=""), "not calibrated"),
    "SCP gain 0": (scp([(1, 1, _LEAD)], nanovolts=0), "multiplier is 0"),
    "SCP changed": (scp([(1, 1, _LEAD)])[:-8] + b"12345678", "CRC mismatch"),
    "SCP of years": (scp([(1, 1, _LEAD)]).replace(struct.pack("<II", 1, 1500), struct.pack("<II", 1, 2**32 - 1)), "claims more"),
    "no vendor": (b"hello", "this is no file of"),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused_in_one_line(data: bytes, says: str) -> None:
    with pytest.raises(es.EcgError) as caught:
        read(data)
    message = str(caught.value)
    assert "\n" not in message
    assert says in message, message


def test_what_the_file_states_cannot_be_asked_for() -> None:
    for wish in ({"fs": 500.0}, {"unit": "mV"}, {"record": 1}):
        with pytest.raises(es.EcgError, match="leave"):
            read(muse(), **wish)


def test_huge_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    for name, data in MADE.items():
        path = tmp_path / name
        path.write_bytes(data)
        os.truncate(path, 2**33)  # sparse: takes no room
        with pytest.raises(es.EcgError, match="more than the"):
            read_vendor(File(name, path=str(path)), Asked())


@pytest.mark.parametrize("package", ["ecgdatakit", "defusedxml"])
def test_without_the_packages_the_message_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ImportError(f"No module named {package!r}")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(es.EcgError, match=r"pip install 'ecgspasm\[formats\]'"):
        read(muse())


def test_content_tells_the_format() -> None:
    assert all(is_vendor(data[:4096]) for data in MADE.values())
    others = [b"", b"\x89HDF\r\n", b"<svg>", b"<?xml version='1.0'?><ECG>", b"ISHNE", b"\0" * 200, b"0       " * 32]
    assert not any(is_vendor(data) for data in others)


def test_the_private_copy_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[tuple[str, int]] = []
    real = vendor._decoded

    def spy(kind: str, path: Path) -> Any:
        seen.append((str(path), path.stat().st_mode & 0o777))
        return real(kind, path)

    monkeypatch.setattr(vendor, "_decoded", spy)
    read(muse())
    with pytest.raises(es.EcgError):
        read(muse(per_bit=""))
    assert [mode for _, mode in seen] == [0o600] * 2
    assert all(path.startswith(str(tmp_path)) for path, _ in seen)
    assert not list(tmp_path.iterdir())
    (tmp_path / "on disk").write_bytes(muse())
    read_vendor(File("x", path=str(tmp_path / "on disk")), Asked())
    assert seen[-1][0] == str(tmp_path / "on disk")


# ---------------------------------------------------------------------------------------------------------------------
# Real samples
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_real_samples(formats: Path, name: str) -> None:
    path = formats / name
    assert is_vendor(path.read_bytes()[:4096])
    ecg = read_vendor(File(name, path=str(path)), Asked())
    assert sorted(ecg.leads) == sorted(STANDARD)
    assert ecg.fs == 500.0
    # Philips appends a calibration pulse of 0.4 s to all leads
    assert ecg.duration_s == (10.6 if name.startswith("sierra") else 10.0)
    assert ("left out: calibration pulse (0.4 s)" in ecg.source) == name.startswith("sierra")
    assert np.isfinite(ecg.signal_uv).all()
    assert np.all(np.abs(np.median(ecg.signal_uv, axis=1)) < 600)
    assert np.all((np.ptp(ecg.signal_uv, axis=1) > 300) & (np.ptp(ecg.signal_uv, axis=1) < 7000))
    # Einthoven and Goldberger hold to the rounding of the device, so no lead is a median beat or has another gain
    limb = dict(zip(ecg.leads, ecg.signal_uv, strict=True))
    assert np.abs(limb["II"] - limb["I"] - limb["III"]).max() <= 10.0
    assert np.abs(limb["aVR"] + (limb["I"] + limb["II"]) / 2).max() <= 10.0
    assert bool(ecg.derived) == name.startswith("muse")
    assert np.array_equal(read(path.read_bytes()).signal_uv, ecg.signal_uv)


@pytest.mark.parametrize("name", ["muse_1.xml", "muse_2.xml", "muse_3.xml"])
def test_muse_equals_an_independent_decoding(formats: Path, name: str) -> None:
    ecg = read_vendor(File(name, path=str(formats / name)), Asked())
    tree = ElementTree.parse(formats / name)
    rhythm = next(w for w in tree.iter("Waveform") if w.findtext("WaveformType") == "Rhythm")
    leads = list(rhythm.iter("LeadData"))
    assert [lead.findtext("LeadID") for lead in leads] == ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]
    for lead in leads:
        counts = np.frombuffer(base64.b64decode("".join(str(lead.findtext("WaveFormData")).split())), "<i2")
        assert lead.findtext("LeadAmplitudeUnits") == "MICROVOLTS"
        wanted: Floats = counts * float(str(lead.findtext("LeadAmplitudeUnitsPerBit")))
        assert np.allclose(ecg[str(lead.findtext("LeadID"))], wanted)
        assert str(lead.findtext("LeadID")) not in ecg.derived


def test_one_ecg_in_two_formats_is_one_ecg(formats: Path) -> None:
    """The samples of aECG and SCP-ECG are one recording: an XML of digits against a compressed binary."""
    first, second = (read_vendor(File(n, path=str(formats / n)), Asked()) for n in ("aecg_1.xml", "scp_1.scp"))
    for lead in STANDARD:
        assert np.abs(first[lead] - second[lead]).max() <= 2.5, lead
    assert first.subject == second.subject == Subject("male", 49.0)


def secrets_of(path: Path) -> set[str]:
    """Names, numbers and birth dates that stand in a sample, found without the reader."""
    data = path.read_bytes()
    found: set[str] = set()
    if path.suffix == ".scp":
        at = 22 + 10  # the pointer to section 1
        _, size, index = struct.unpack_from("<HII", data, at)
        body = data[index - 1 + 16 : index - 1 + size]
        pos = 0
        while body[pos] != 255:
            tag, length = body[pos], struct.unpack_from("<H", body, pos + 1)[0]
            value = body[pos + 3 : pos + 3 + length]
            if tag in (0, 1, 2, 3, 20, 21, 22, 23):
                found.add(value.split(b"\0")[0].decode("latin-1").strip())
            if tag == 5 and length == 4:
                found.add("{}-{:02d}-{:02d}".format(*struct.unpack("<HBB", value)))
            pos += 3 + length
    else:
        text = data.decode("utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data.decode("latin-1")
        tags = (
            "PatientID|PatientLastName|PatientFirstName|DateofBirth|patientid|firstname|lastname|middlename|dateofbirth|MRN|family|"
            "given|SiteName|OrderingMDLastName|OrderingMDFirstName|ReferringMDLastName|OverreaderLastName|uniquepatientid"
        )
        found |= {match[1].strip() for match in re.finditer(rf"<(?:{tags})>([^<]+)<", text)}
        found |= {match[1] for match in re.finditer(r'<birthTime value="([^"]+)"', text)}
        found |= {match[1] for match in re.finditer(r'extension="([^"]+)"', text)}
        found |= {match[1].strip() for match in re.finditer(r"<name>([^<]+)<", text)}
    # "1" or "M" stands in every pickle; a secret has some length, and the name of a format is none
    return {secret for secret in found - {"MUSE", "SCPECG"} if len(secret.strip("?-, ")) >= 4}


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_of_a_person_but_sex_and_age_is_kept(formats: Path, name: str) -> None:
    ecg = read_vendor(File("sample", path=str(formats / name)), Asked())
    assert_nobody(ecg, secrets_of(formats / name))


def test_the_samples_do_hold_names(formats: Path) -> None:
    """Otherwise the test above would test nothing."""
    assert sum(bool(secrets_of(formats / name)) for name in SAMPLES) >= 4


def test_nothing_of_a_person_but_sex_and_age_is_kept_of_small_files() -> None:
    assert_nobody(read(mortara()), {"Max", "Mustermann", "PID-4712", "1958"})


def assert_nobody(ecg: Ecg, secrets: set[str]) -> None:
    shown = f"{ecg!r} {vars(ecg)}"
    # without the samples, in whose bytes a short text can stand by chance
    pickled = pickle.dumps({name: value for name, value in vars(ecg).items() if name != "signal_uv"})
    for secret in secrets:
        assert secret not in shown
        assert secret.encode() not in pickled


# ---------------------------------------------------------------------------------------------------------------------
# Damaged files
# ---------------------------------------------------------------------------------------------------------------------


def mutations(data: bytes, count: int, seed: int) -> list[bytes]:
    """Copies with a few changed, lost, doubled or inserted bytes, mostly outside the samples."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(int(rng.integers(1, 5))):
            # headers stand at the start, so most changes go there
            at = int(rng.integers(len(copy)) if rng.random() < 0.4 else rng.integers(min(2500, len(copy))))
            what = rng.integers(6)
            if chr(copy[at]).isdigit() and what < 3:
                copy[at] = int(rng.integers(48, 58))
            elif what == 0:
                copy[at] = int(rng.integers(256))
            elif what == 1:
                copy[at] ^= 1 << int(rng.integers(8))
            elif what == 2:
                del copy[at : at + int(rng.integers(1, 40))]
            elif what == 3:
                copy[at:at] = copy[at : at + int(rng.integers(1, 40))]
            else:
                copy[at : at + 4] = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"9999", b"-1e9"][int(rng.integers(4))]
        made.append(bytes(copy[: int(rng.integers(len(copy)))] if rng.random() < 0.1 else copy))
    return made


def assert_survives(data: bytes, count: int, seed: int) -> None:
    refused = 0
    for changed in mutations(data, count, seed):
        start = time.perf_counter()
        try:
            ecg = read(changed)
        except es.EcgError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert np.nanmax(np.abs(ecg.signal_uv)) <= 600_000 * 2
        assert time.perf_counter() - start < 2.0
    assert refused > count // 10


@pytest.mark.parametrize("name", MADE)
def test_damaged_small_files_end_in_an_error_or_a_plausible_ecg(name: str) -> None:
    assert_survives(MADE[name], 250, 11)


@pytest.mark.parametrize("name", ["aecg_1.xml", "muse_3.xml", "scp_1.scp", "sierra_1_04.xml"])
def test_damaged_samples_end_in_an_error_or_a_plausible_ecg(formats: Path, name: str) -> None:
    assert_survives((formats / name).read_bytes(), 40, 12)


def test_so_many_samples_of_all_leads_are_read_with_those_that_may_be_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    assert vendor._MOST_SAMPLES == 6_000_000
    monkeypatch.setattr(vendor, "_MOST_SAMPLES", 6 * 300)
    two = {"I": steps(1, 300)[0], "II": steps(1, 300)[0]}
    assert len(read(aecg(two)).leads) == 6
    monkeypatch.setattr(vendor, "_MOST_SAMPLES", 6 * 300 - 1)
    with pytest.raises(es.EcgError, match="2 leads of 300 samples are more than is read at once"):
        read(aecg(two))
