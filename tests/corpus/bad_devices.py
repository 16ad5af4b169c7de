"""Files of recorders and electrocardiographs with one thing wrong: EDF, DICOM, XML, SCP-ECG, ISHNE."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.corpus import vendor_files
from tests.corpus.bad_pages import PACKED, PDF, Content
from tests.corpus.case import Bad, Make
from tests.corpus.sound_files import LEADS, MADE, dicom, dicom_dataset, edf, steps, vendor


def _put(name: str, content: Content) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content())
        return folder / name

    return make


# --- EDF and BDF: the place of each field by the specification --------------------------------------------------------

_N = len(LEADS)


def _edf(at: int, text: str, width: int, *, bdf: bool = False) -> bytes:
    data = bytearray(edf(bdf))
    data[at : at + width] = text.encode("latin-1").ljust(width)
    return bytes(data)


def _signal(field: int, text: str, *, width: int = 8, every: bool = False) -> bytes:
    """A field of the first signal, or of every one, by the widths of the fields before it."""
    data = bytearray(edf())
    at = 256 + _N * field
    for row in range(_N if every else 1):
        data[at + row * width : at + (row + 1) * width] = text.encode("latin-1").ljust(width)
    return bytes(data)


# label 16, transducer 80, unit 8, physical 8 + 8, digital 8 + 8, prefilter 80, samples 8
_LABEL, _UNIT, _LOW, _HIGH, _STEP_LOW, _STEP_HIGH, _SAMPLES = 0, 96, 104, 112, 120, 128, 216

EDF: dict[str, tuple[Content, str]] = {
    "no signals": (_edf(252, "0", 4), "0 signals"),
    "999 signals": (_edf(252, "999", 4), "between 1 and 512"),
    "-5 signals": (_edf(252, "-5", 4), "-5 signals"),
    "signals in words": (_edf(252, "five", 4), "no whole number"),
    "six signals": (_edf(252, "6", 4), "has to have 1792 bytes"),
    "header of 0 bytes": (_edf(184, "0", 8), "has to have"),
    "header of 9999 bytes": (_edf(184, "9999", 8), "has to have"),
    "no records": (_edf(236, "0", 8), "0 records"),
    "one record more": (_edf(236, "4", 8), "4 records"),
    "one record less": (_edf(236, "2", 8), "2 records"),
    "-7 records": (_edf(236, "-7", 8), "-7 records"),
    "records in words": (_edf(236, "many", 8), "no whole number"),
    "99999999 records": (_edf(236, "99999999", 8), "99999999 records"),
    "record of 0 s": (_edf(244, "0", 8), "no signal"),
    "record of -1 s": (_edf(244, "-1", 8), "no signal"),
    "record of 100 s": (_edf(244, "100", 8), "between 50 and 10000"),
    "record of 0.001 s": (_edf(244, "0.001", 8), "between 50 and 10000"),
    "record of 1e99 s": (_edf(244, "1e99", 8), "between 50 and 10000|no number"),
    "record of nan": (_edf(244, "nan", 8), "no number"),
    "unknown lead": (_signal(_LABEL, "ECG banana", width=16), "no lead is named 'ECG banana'"),
    "lead twice": (_signal(_LABEL, "ECG II", width=16), "given twice"),
    "an electrode of an EEG": (_signal(_LABEL, "C3", width=16), "electrode of an EEG"),
    "no leads": (_signal(_LABEL, "Resp", width=16, every=True), "Resp"),
    "no unit": (_signal(_UNIT, ""), "only uV, mV and V"),
    "unit of pressure": (_signal(_UNIT, "mmHg"), "only uV, mV and V"),
    "volts": (_signal(_UNIT, "V"), "which no ECG has"),
    "millivolts for all": (_signal(_UNIT, "mV", every=True), "which no ECG has|which no electrode gives"),
    "nanovolts": (_signal(_UNIT, "nV", every=True), "flag:spans only"),
    "empty physical range": (_signal(_LOW, "32767"), "not calibrated"),
    "physical range of nothing": (_signal(_LOW, "0", every=True)[:0] + _signal(_HIGH, "-32768"), "not calibrated"),
    "physical minimum in words": (_signal(_LOW, "low"), "no number"),
    "physical maximum 1e300": (_signal(_HIGH, "1e300"), "no number"),
    "physical maximum 1e99": (_signal(_HIGH, "1e99"), "which no ECG has"),
    "digital range turned": (_signal(_STEP_LOW, "32767"), "not calibrated|do not fit"),
    "digital minimum -99999": (_signal(_STEP_LOW, "-99999"), "do not fit 16 bits"),
    "digital maximum 99999": (_signal(_STEP_HIGH, "99999"), "do not fit 16 bits"),
    "digital maximum in words": (_signal(_STEP_HIGH, "high"), "no whole number"),
    "no samples a record": (_signal(_SAMPLES, "0"), "0 samples a record"),
    "-500 samples a record": (_signal(_SAMPLES, "-500"), "-500 samples a record"),
    "another rate": (_signal(_SAMPLES, "250"), "bytes of data"),
    "99999999 samples a record": (_signal(_SAMPLES, "99999999"), "bytes a data record"),
    "samples in words": (_signal(_SAMPLES, "5e2"), "no whole number"),
    "gaps without annotations": (_edf(192, "EDF+D", 44), "no annotations that tell where"),
    "cut": (edf()[:-1], "cut short"),
    "a record cut": (edf()[:-5000], "cut short"),
    "longer": (edf() + b"\0", "cut short"),
    "header only": (edf()[: 256 * (_N + 1)], "cut short"),
    "half a header": (edf()[:700], "has to have"),
    "first bytes only": (edf()[:256], "has to have"),
    "BDF cut": (edf(bdf=True)[:-2], "cut short"),
    "BDF with 16 bits' range": (_edf(256 + _N * 128, "99999999", 8, bdf=True), "do not fit 24 bits"),
}


# --- DICOM ------------------------------------------------------------------------------------------------------------


def _dicom(change: Callable[[Any], None], n: int = 1500) -> Callable[[], bytes]:
    def made() -> bytes:
        dataset = dicom_dataset(n)
        change(dataset)
        return dicom(dataset)

    return made


def _group(**values: Any) -> Callable[[], bytes]:
    def change(dataset: Any) -> None:
        for name, value in values.items():
            if value is None:
                delattr(dataset.WaveformSequence[0], name)
            else:
                setattr(dataset.WaveformSequence[0], name, value)

    return _dicom(change)


def _channel(**values: Any) -> Callable[[], bytes]:
    def change(dataset: Any) -> None:
        channel = dataset.WaveformSequence[0].ChannelDefinitionSequence[0]
        for name, value in values.items():
            if value is None:
                delattr(channel, name)
            else:
                setattr(channel, name, value)

    return _dicom(change)


def _unit(value: str, n: int = 1500) -> Callable[[], bytes]:
    def change(dataset: Any) -> None:
        for channel in dataset.WaveformSequence[0].ChannelDefinitionSequence:
            channel.ChannelSensitivityUnitsSequence[0].CodeValue = value

    return _dicom(change, n)


def _named(code: str, words: str) -> Callable[[], bytes]:
    def change(dataset: Any) -> None:
        source = dataset.WaveformSequence[0].ChannelDefinitionSequence[0].ChannelSourceSequence[0]
        source.CodeValue, source.CodeMeaning = code, words

    return _dicom(change)


def _twice(dataset: Any) -> None:
    dataset.WaveformSequence.append(dataset.WaveformSequence[0])


def _no_channel(dataset: Any) -> None:
    del dataset.WaveformSequence[0].ChannelDefinitionSequence[3]


def _deflated() -> bytes:
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    dataset = dicom_dataset()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return dicom(dataset)


def _deflate_bomb() -> bytes:
    small = dicom(dicom_dataset(10))
    at = small.index(b"1.2.840.10008.1.2.1\0")
    head = small[:at] + b"1.2.840.10008.1.2.1.99"
    return head + zlib.compress(bytes(300_000_000), 9)


def _sound_dicom() -> bytes:
    return MADE["DICOM"]().content


def _deep(levels: int) -> bytes:
    """Sequences within sequences, in front of the waveform."""
    start = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    data = _sound_dicom()
    at = data.index(b"\x10\0\x40\0CS")
    return data[:at] + start * levels + data[at:]


_BROKEN = "cannot decode|beyond the end|deeper|breaks off|no item|no waveform"

DICOM: dict[str, tuple[Content, str]] = {
    "no waveform": (_dicom(lambda dataset: dataset.pop("WaveformSequence")), "no waveform"),
    "rate 0": (_group(SamplingFrequency="0"), "between 50 and 10000"),
    "rate 20": (_group(SamplingFrequency="20"), "between 50 and 10000"),
    "rate -500": (_group(SamplingFrequency="-500"), "between 50 and 10000"),
    "rate 1e9": (_group(SamplingFrequency="1e9"), "between 50 and 10000"),
    "no rate": (_group(SamplingFrequency=None), "no sampling rate"),
    "no channels": (_group(NumberOfWaveformChannels=0), "cannot be an ECG"),
    "65 channels": (_group(NumberOfWaveformChannels=65), "cannot be an ECG"),
    "6 channels": (_group(NumberOfWaveformChannels=6), "bytes where"),
    "no samples": (_group(NumberOfWaveformSamples=0), "cannot be an ECG"),
    "more samples": (_group(NumberOfWaveformSamples=1501), "bytes where"),
    "fewer samples": (_group(NumberOfWaveformSamples=1499), "bytes where"),
    "4 billion samples": (_group(NumberOfWaveformSamples=2**32 - 1), "cannot be an ECG|bytes where"),
    "no count": (_group(NumberOfWaveformSamples=None), "cannot decode"),
    "32 bits of 16": (_group(WaveformBitsAllocated=32), "do not go with"),
    "no bits": (_group(WaveformBitsAllocated=0), "do not go with"),
    "floats": (_group(WaveformSampleInterpretation="FL"), "only plain integers"),
    "mu law": (_group(WaveformSampleInterpretation="MB"), "only plain integers"),
    "no data": (_group(WaveformData=None), "cannot decode|bytes where"),
    "empty data": (_group(WaveformData=b""), "bytes where"),
    "data cut": (lambda: _group(WaveformData=dicom_dataset().WaveformSequence[0].WaveformData[:-2])(), "bytes where"),
    "gain 0": (_channel(ChannelSensitivity="0"), "above 0"),
    "gain -1": (_channel(ChannelSensitivity="-1"), "above 0"),
    "gain of ages": (_channel(ChannelSensitivity="1e9"), "which no electrode gives"),
    "no gain": (_channel(ChannelSensitivity=None), "not calibrated"),
    "correction -1": (_channel(ChannelSensitivityCorrectionFactor="-1"), "above 0"),
    "baseline of ages": (_channel(ChannelBaseline="1e9"), "which no electrode gives"),
    "shifted": (_channel(ChannelSampleSkew="50"), "simultaneous leads"),
    "shifted in time": (_channel(ChannelTimeSkew="0.5"), "simultaneous leads"),
    "unit of pressure": (_unit("mm[Hg]"), "unit 'mm[Hg]'"),
    "volts": (_unit("V"), "which no electrode gives"),
    "nanovolts": (_unit("nV", 4000), "flag:spans only"),
    "no unit": (_unit(""), "unit ''"),
    "unknown lead": (_named("", "banana"), "no lead is named 'banana'"),
    "two names": (_named("5.6.3-9-1", "Lead V2"), "coded as I but called"),
    "lead twice": (_named("5.6.3-9-2", "Lead II"), "given twice"),
    "eleven definitions": (_dicom(_no_channel), "defines 11 channels"),
    "two rhythms": (_dicom(_twice), "2 rhythm groups"),
    "deflated": (_deflated, "deflated|not unpacked"),
    "deflate bomb": (_deflate_bomb, "deflated|not unpacked"),
    "mark only": (bytes(128) + b"DICM", "no waveform|not unpacked"),
    "cut": (lambda: _sound_dicom()[:-500], "bytes where|cannot decode|beyond the end"),
    "cut in its head": (lambda: _sound_dicom()[:300], "no waveform|cannot decode|breaks off|not unpacked|beyond"),
    "other syntax": (lambda: _sound_dicom().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"), "not unpacked"),
    "20 levels": (_deep(20), _BROKEN),
    "20,000 levels": (_deep(20_000), _BROKEN),
    "text": (bytes(128) + b"DICM" + b"There is no ECG in here. " * 99, f"not unpacked|{_BROKEN}"),
}


# --- XML, SCP-ECG, ISHNE ----------------------------------------------------------------------------------------------

_ROW = steps()[0].astype("<i2")
_BOMB = '<!DOCTYPE RestingECG [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_OUT = '<!DOCTYPE RestingECG [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_FETCH = '<!DOCTYPE RestingECG [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]>'
_QUADRATIC = '<!DOCTYPE RestingECG [<!ENTITY a "' + "a" * 50_000 + '">]>'
_WAVE = "<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>500</SampleBase>{}</Waveform>"


def _muse(inside: str, **how: str) -> bytes:
    return vendor_files.muse(_WAVE.format(inside), **how)


def _lead(name: str = "I", row: Any = _ROW, **how: str) -> str:
    return vendor_files.muse_lead(name, row, **({"per_bit": "1"} | how))


def _raw_lead(data: str) -> str:
    return _lead().replace(base64.b64encode(_ROW.tobytes()).decode(), data)


XML: dict[str, tuple[Content, str]] = {
    "entities": (vendor_files.muse(head=_BOMB), "declares entities"),
    "a file as entity": (vendor_files.muse(head=_OUT), "declares entities"),
    "an address as entity": (vendor_files.muse(head=_FETCH), "declares entities"),
    "a long entity": (vendor_files.muse(head=_QUADRATIC), "format is unknown"),
    "500 levels": (lambda: vendor_files.muse("<a>" * 500 + "</a>" * 500), "levels"),
    "a million levels": (lambda: vendor_files.muse("<a>" * 1_000_000), "more elements"),
    "400,000 elements": (lambda: vendor_files.muse("<a/>" * 400_000), "more elements"),
    "a million attributes": (
        lambda: vendor_files.muse("<a " + " ".join(f'x{i}=""' for i in range(999_999)) + "/>"),
        "attributes",
    ),
    "a text of 12 MB": (lambda: vendor_files.muse("<a>" + "x" * 12_000_000 + "</a>"), "rhythm"),
    "a tag of 12 MB": (lambda: vendor_files.muse("<a b='" + "x" * 12_000_000 + "'/>"), "rhythm"),
    "30 MB": (lambda: vendor_files.muse(" " * 30_000_000), "more than the"),
    "cut off": (vendor("muse")[:-40], "not well-formed"),
    "cut in half": (vendor("muse")[:9000], "not well-formed"),
    "two roots": (vendor("muse") + b"<RestingECG/>", "not well-formed"),
    "nul in it": (vendor("muse").replace(b"Rhythm", b"Rhy\0hm"), "not well-formed"),
    "encoding of nobody": (vendor("muse").replace(b"ISO-8859-1", b"ISO-8859-99"), "not well-formed"),
    "utf-7": (vendor("muse").replace(b"ISO-8859-1", b"utf-7"), "not well-formed"),
    "nothing in it": (b"<RestingECG/>", "rhythm|Rhythm"),
    "median only": (_muse(_lead()).replace(b"Rhythm", b"Median"), "No rhythm"),
    "two rhythms": (vendor_files.muse(_WAVE.format(_lead()) * 2), "Additional rhythm"),
    "no unit": (_muse(_lead(unit="")), "not what it says|not calibrated"),
    "unit of pressure": (_muse(_lead(unit="MMHG")), "not what it says|not calibrated"),
    "volts": (_muse(_lead(unit="VOLTS")), "which no electrode gives|not calibrated|not what it says"),
    "no gain": (_muse(_lead(per_bit="")), "not calibrated|not what it says"),
    "gain 0": (_muse(_lead(per_bit="0")), "gain 0"),
    "gain nan": (_muse(_lead(per_bit="nan")), "gain nan|not calibrated|not what it says"),
    "gain 1e300": (_muse(_lead(per_bit="1e300")), "which no electrode gives|infinite|no numbers"),
    "gain in words": (_muse(_lead(per_bit="high")), "not calibrated|cannot be decoded|not what it says|cannot decode"),
    "rate 0": (vendor_files.muse(_WAVE.replace("500", "0").format(_lead())), "between 50|sampl|Sampl"),
    "rate 5": (vendor_files.muse(_WAVE.replace("500", "5").format(_lead())), "between 50 and 10000"),
    "rate in words": (vendor_files.muse(_WAVE.replace("500", "fast").format(_lead())), "sampl|Sampl|between 50|cannot"),
    "unknown lead": (_muse(_lead("banana")), "no lead is named 'banana'"),
    "lead twice": (_muse(_lead("II") * 2), "no lead is named 'II_2'|given twice"),
    "another length": (_muse(_lead("I") + _lead("II", _ROW[:-9])), "of one length"),
    "shifted in time": (_muse(_lead(extra="<LeadTimeOffset>20</LeadTimeOffset>")), "shifted in time"),
    "bad checksum": (_muse(_lead(extra="<LeadDataCRC32>1</LeadDataCRC32>")), "CRC32 mismatch"),
    "no samples": (_muse(_raw_lead("")), "no samples|not what it says|cannot be decoded|No rhythm"),
    "half a sample": (_muse(_raw_lead("AAA=")), "flag:0.002 s"),
    "no base64": (_muse(_raw_lead("?" * 400)), "not what it says|cannot|no samples"),
    "aECG: words for digits": (vendor_files.aecg({"I": ["nan"] * 9}), "no numbers"),
    "aECG: infinite digits": (vendor_files.aecg({"I": ["1e999"] * 9}), "no numbers"),
    "aECG: no time": (vendor_files.aecg({"I": _ROW}, increment="0"), "No usable time"),
    "aECG: backwards": (vendor_files.aecg({"I": _ROW}, increment="-0.002"), "time|between 50"),
    "aECG: rate of ages": (vendor_files.aecg({"I": _ROW}, increment="1e-9"), "between 50 and 10000|time"),
    "aECG: offset without unit": (vendor_files.aecg({"I": _ROW}, origin='value="5"'), "offset without a unit"),
    "aECG: offset of ages": (vendor_files.aecg({"I": _ROW}, origin='value="1e9" unit="uV"'), "which no electrode gives"),
    "aECG: unknown lead": (vendor_files.aecg({"BANANA": _ROW}), "no lead is named"),
    "aECG: scale in kg": (vendor_files.aecg({"I": _ROW}).replace(b'value="2.5" unit="uV"', b'value="2.5" unit="kg"'), "not|unit"),
    "Mortara: no gain": (vendor_files.mortara(units_per_mv=""), "not calibrated"),
    "Mortara: gain 0": (vendor_files.mortara(units_per_mv="0"), "not calibrated|gain|cannot"),
    "Mortara: gain -1": (vendor_files.mortara(units_per_mv="-1"), "not calibrated|gain|cannot|which no electrode gives"),
    "Mortara: unknown lead": (vendor_files.mortara(leads=("I", "II", "banana")), "no lead is named"),
    "Mortara: lead twice": (vendor_files.mortara(leads=("I", "II", "II")), "no lead is named|given twice"),
    "Mortara: no channels": (b'<ECG ACQUISITION_TIME="x"><SUBJECT/></ECG>', "no samples|No |cannot"),
    "Mortara: another length": (vendor_files.mortara().replace(b'DURATION="1500"', b'DURATION="99"', 1), "not|length|cannot|99"),
    "aECG: nothing in it": (b'<AnnotatedECG xmlns="urn:hl7-org:v3"/>', "No |cannot|no samples"),
    "Sierra: nothing in it": (b"<restingecgdata/>", "No |cannot|no samples"),
    "html": (b"<html><body>Not found</body></html>", "format is unknown"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "format is unknown"),
}


def _scp_word(at: int, form: str, *values: int) -> bytes:
    data = bytearray(vendor("scp"))
    struct.pack_into(form, data, at, *values)
    return bytes(data)


SCP: dict[str, tuple[Content, str]] = {
    "gain 0": (vendor_files.scp([(1, 1, _ROW)], nanovolts=0), "multiplier is 0"),
    "rate 0": (vendor_files.scp([(1, 1, _ROW)], interval_us=0), "interval|cannot|rate"),
    "rate 20": (vendor_files.scp([(1, 1, _ROW)], interval_us=50_000), "between 50 and 10000"),
    "a sample changed": (vendor("scp")[:-8] + b"12345678", "CRC mismatch"),
    "file checksum": (_scp_word(0, "<H", 1), "CRC mismatch"),
    "length of the file": (_scp_word(2, "<I", 999), "says it has 999"),
    "cut": (vendor("scp")[:-100], "says it has"),
    "cut in its pointers": (vendor("scp")[:60], "says it has"),
    "of years": (
        vendor_files.scp([(1, 1, _ROW)]).replace(struct.pack("<II", 1, 1500), struct.pack("<II", 1, 2**32 - 1)),
        "claims more",
    ),
    "unknown lead": (vendor_files.scp([(250, 1, _ROW)]), "no lead is named"),
    "lead twice": (vendor_files.scp([(1, 1, _ROW), (1, 1, _ROW)]), "no lead is named|given twice"),
    "longer": (vendor("scp") + bytes(2000), "says it has"),
    "5 MB": (lambda: vendor("scp") + bytes(5_000_000), "more than the"),
}


def _ishne_word(at: int, form: str, *values: int) -> bytes:
    data = bytearray(vendor_files.ishne(steps().astype("<i2"), codes=(5, 6, 11, 12, 15), nanovolts=1000, fs=500, checksum=False))
    struct.pack_into(form, data, at, *values)
    return bytes(data)


ISHNE: dict[str, tuple[Content, str]] = {
    "checksum": (vendor("ishne").replace(b"digital", b"analog_"), "checksum mismatch"),
    "comment of -1": (_ishne_word(10, "<i", -1), "which cannot be"),
    "comment of 2 GB": (_ishne_word(10, "<i", 2**31 - 1), "which cannot be"),
    "samples elsewhere": (_ishne_word(22, "<i", 40), "which cannot be"),
    "no leads": (_ishne_word(156, "<h", 0), "lead count is 0"),
    "-1 leads": (_ishne_word(156, "<h", -1), "lead count is -1"),
    "13 leads": (_ishne_word(156, "<h", 13), "lead count is 13"),
    "lead twice": (_ishne_word(158, "<h", 6), "given twice"),
    "unknown lead": (_ishne_word(158, "<h", 77), "no lead is named 'Lead 1'"),
    "absent lead": (_ishne_word(158, "<h", -9), "marked as absent"),
    "resolution 0": (_ishne_word(206, "<h", 0), "not calibrated"),
    "resolution -9": (_ishne_word(206, "<h", -9), "not calibrated"),
    "resolution 32 uV": (_ishne_word(206, "<5h", *[32_000] * 5), "flag:more than a heart gives"),
    "resolution 1 nV": (_ishne_word(206, "<5h", *[1] * 5), "flag:spans only"),
    "rate 0": (_ishne_word(272, "<h", 0), "between 50 and 10000"),
    "rate -500": (_ishne_word(272, "<h", -500), "between 50 and 10000"),
    "rate 32000": (_ishne_word(272, "<h", 32_000), "between 50 and 10000"),
    "other number of samples": (_ishne_word(14, "<i", 9), "flag:cut short?"),
    "cut in a sample": (vendor("ishne")[:-1], "no whole number"),
    "cut by seconds": (vendor("ishne")[:-5000], "flag:cut short?"),
    "head only": (vendor("ishne")[:522], "checksum mismatch|no whole number"),
    "half a head": (vendor("ishne")[:200], "ends within its header"),
    "mark only": (b"ISHNE1.0", "ends within its header"),
}


FAMILIES: dict[str, tuple[str, dict[str, tuple[Content, str]]]] = {
    "EDF": ("x.edf", EDF),
    "DICOM": ("x.dcm", DICOM),
    "XML": ("x.xml", XML),
    "SCP-ECG": ("x.scp", SCP),
    "ISHNE": ("x.ecg", ISHNE),
    "PDF": ("x.pdf", PDF),
    "packed": ("x.bin", PACKED),
}


def cases() -> Iterator[Bad]:
    """All of them."""
    for family, (name, table) in FAMILIES.items():
        for what, (content, says) in table.items():
            yield Bad(f"{family}: {what}", _put(name, content), says)
    for family, name in (("EDF", "x.edf"), ("DICOM", "x.dcm"), ("MUSE XML", "x.xml"), ("ISHNE", "x.ecg"), ("SCP-ECG", "x.scp")):
        sound = MADE[family]().content
        for asked, value in (("fs", 500), ("unit", "mV")):
            yield Bad(f"{family}: {asked} is told twice", _put(name, sound), "leave", {asked: value})
        yield Bad(f"{family}: renamed what is not there", _put(name, sound), "rename names", {"rename": {"banana": "I"}})
