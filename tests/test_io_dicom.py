"""DICOM: the real file that ships with pydicom, and copies of it with one thing changed."""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Subject
from ecgspasm.io.dicom.device import read_fiducials
from ecgspasm.io.dicom.group import channel_name
from ecgspasm.io.dicom.reader import read_dicom, read_dicom_file, read_median_beat
from ecgspasm.io.file import Asked, File
from ecgspasm.leads import STANDARD

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed (extra dicom)")

Change = Callable[[Any], None]


@pytest.fixture(scope="session")
def original() -> Path:
    from pydicom.data import get_testdata_file

    return Path(str(get_testdata_file("waveform_ecg.dcm")))


@pytest.fixture(scope="session")
def dataset(original: Path) -> Any:
    return pydicom.dcmread(original)


def changed(dataset: Any, folder: Path, change: Change) -> Path:
    other = copy.deepcopy(dataset)
    change(other)
    path = folder / "changed.dcm"
    other.save_as(path)
    return path


def rhythm(dataset: Any) -> Any:
    return dataset.WaveformSequence[0]


def channel(dataset: Any, index: int = 0) -> Any:
    return rhythm(dataset).ChannelDefinitionSequence[index]


def test_the_rhythm_of_the_real_file_is_read(original: Path) -> None:
    ecg = es.read(original)
    assert ecg.leads == STANDARD
    assert (ecg.fs, ecg.duration_s, ecg.derived) == (1000.0, 10.0, ())
    assert ecg.subject == Subject("female", 42.0)
    assert ecg.recorded_at == datetime(2013, 1, 25, 10, 59, 19)
    assert np.array_equal(ecg["II"], ecg["I"] + ecg["III"])
    assert "left out: MEDIAN BEAT" in ecg.source


def test_it_equals_what_pydicom_decodes(original: Path, dataset: Any) -> None:
    assert np.allclose(es.read(original).signal_uv, dataset.waveform_array(0).T)


def test_nothing_of_a_person_but_sex_and_age_is_kept(original: Path, dataset: Any) -> None:
    ecg = es.read(original)
    shown = f"{ecg!r} {vars(ecg)}"
    for secret in (dataset.PatientID, str(dataset.PatientName), dataset.PatientBirthDate, "Galliera"):
        assert secret not in shown


def test_it_is_recognised_by_content_not_by_suffix(original: Path, tmp_path: Path) -> None:
    (tmp_path / "some.hea").write_bytes(original.read_bytes())
    assert es.read(tmp_path / "some.hea").leads == STANDARD
    assert es.open_recording(tmp_path / "some.hea").leads == STANDARD
    (tmp_path / "some.file").write_bytes(original.read_bytes())
    assert es.read(tmp_path / "some.file").leads == STANDARD


def test_sensitivity_correction_baseline_and_unit_are_applied(dataset: Any, tmp_path: Path) -> None:
    def change(other: Any) -> None:
        channel(other).ChannelSensitivity = "0.0005"
        channel(other).ChannelSensitivityUnitsSequence[0].CodeValue = "mV"
        channel(other).ChannelSensitivityCorrectionFactor = "2"
        channel(other).ChannelBaseline = "-0.003"

    raw = np.frombuffer(rhythm(dataset).WaveformData, "<i2").reshape(10_000, 12)[:, 0]
    ecg = es.read(changed(dataset, tmp_path, change))
    assert np.allclose(ecg["I"], raw * 1.0 - 3.0)
    assert np.allclose(ecg["II"], es.read(changed(dataset, tmp_path, lambda _: None))["II"])


def test_big_endian_samples_are_turned(dataset: Any, original: Path, tmp_path: Path) -> None:
    from pydicom.uid import ExplicitVRBigEndian

    def change(other: Any) -> None:
        other.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        for group in other.WaveformSequence:
            group.WaveformData = np.frombuffer(group.WaveformData, "<i2").astype(">i2").tobytes()

    other = copy.deepcopy(dataset)
    change(other)
    path = tmp_path / "big.dcm"
    pydicom.dcmwrite(path, other, little_endian=False, implicit_vr=False)
    assert np.array_equal(es.read(path).signal_uv, es.read(original).signal_uv)


def test_padding_is_a_missing_sample(dataset: Any, tmp_path: Path) -> None:
    def change(other: Any) -> None:
        samples = np.frombuffer(rhythm(other).WaveformData, "<i2").copy()
        samples[: 12 * 7] = -32768
        rhythm(other).WaveformData = samples.tobytes()
        rhythm(other).add_new("WaveformPaddingValue", "OW", np.int16(-32768).tobytes())

    ecg = es.read(changed(dataset, tmp_path, change))
    assert np.isnan(ecg.signal_uv[:, :7]).all()
    assert np.isfinite(ecg.signal_uv[:, 7:]).all()


@pytest.mark.parametrize(
    ("code", "words", "lead"),
    [
        ("2:1", "", "I"),
        ("2:61", "Lead III", "III"),
        ("MDC_ECG_LEAD_V4", "", "V4"),
        ("", "Lead I (Einthoven)", "I"),
        ("local", "V5", "V5"),
        ("5.6.3-9-66", "", "V8"),
        ("2:12", "", "V4R"),
    ],
)
def test_lead_names_come_from_codes_or_words(dataset: Any, code: str, words: str, lead: str) -> None:
    one = copy.deepcopy(channel(dataset))
    one.ChannelSourceSequence[0].CodeValue = code
    one.ChannelSourceSequence[0].CodeMeaning = words
    assert es.Ecg(signal_uv=[[0.0]], fs=500, leads=[channel_name(one)]).leads == (lead,)


def test_a_lead_with_its_sign_turned_is_turned_back(dataset: Any, original: Path, tmp_path: Path) -> None:
    def change(other: Any) -> None:
        channel(other, 3).ChannelSourceSequence[0].CodeValue = "5.6.3-9-65"
        channel(other, 3).ChannelSourceSequence[0].CodeMeaning = "Lead -aVR"

    assert np.array_equal(es.read(changed(dataset, tmp_path, change))["aVR"], -es.read(original)["aVR"])


@pytest.mark.parametrize(("text", "age"), [("006M", 0.5), ("042Y", 42.0), ("999Y", None), ("", None)])
def test_age(dataset: Any, tmp_path: Path, text: str, age: float | None) -> None:
    def change(other: Any) -> None:
        other.PatientAge = text

    assert es.read(changed(dataset, tmp_path, change)).subject.age == age


def _set(where: Callable[[Any], Any], **values: Any) -> Change:
    def change(other: Any) -> None:
        for keyword, value in values.items():
            setattr(where(other), keyword, value)

    return change


def _delete(where: Callable[[Any], Any], keyword: str) -> Change:
    return lambda other: delattr(where(other), keyword)


def _code(value: str) -> Change:
    def change(other: Any) -> None:
        channel(other).ChannelSensitivityUnitsSequence[0].CodeValue = value

    return change


def _shorten(other: Any) -> None:
    rhythm(other).WaveformData = rhythm(other).WaveformData[:-24]


def _twice(other: Any) -> None:
    other.WaveformSequence.append(copy.deepcopy(rhythm(other)))


def _same_lead(other: Any) -> None:
    channel(other, 1).ChannelSourceSequence = copy.deepcopy(channel(other, 0).ChannelSourceSequence)


def _contradiction(other: Any) -> None:
    channel(other).ChannelSourceSequence[0].CodeMeaning = "Lead V3"


def _channel_less(other: Any) -> None:
    del rhythm(other).ChannelDefinitionSequence[11]


def _unnamed(other: Any) -> None:
    source = channel(other).ChannelSourceSequence[0]
    source.CodeValue, source.CodeMeaning = "77", "banana"


def _derived_only(other: Any) -> None:
    del other.WaveformSequence[0]


BAD: dict[str, tuple[Change, str]] = {
    "too many samples": (_set(rhythm, NumberOfWaveformSamples=10_001), "bytes where"),
    "too few samples": (_set(rhythm, NumberOfWaveformSamples=9_999), "bytes where"),
    "absurdly many samples": (_set(rhythm, NumberOfWaveformSamples=2**32 - 1), "cannot be an ECG"),
    "no samples": (_set(rhythm, NumberOfWaveformSamples=0), "cannot be an ECG"),
    "other number of channels": (_set(rhythm, NumberOfWaveformChannels=6), "bytes where"),
    "no number of channels": (_delete(rhythm, "NumberOfWaveformChannels"), "cannot decode"),
    "a channel without definition": (_channel_less, "defines 11 channels"),
    "shortened data": (_shorten, "bytes where"),
    "no data": (_delete(rhythm, "WaveformData"), "cannot decode"),
    "8 bits as 16": (_set(rhythm, WaveformBitsAllocated=8), "bits a sample"),
    "mu-law": (_set(rhythm, WaveformSampleInterpretation="MB"), "kind 'MB'"),
    "no rate": (_delete(rhythm, "SamplingFrequency"), "no sampling rate"),
    "rate 5": (_set(rhythm, SamplingFrequency="5"), "between 50 and 10000"),
    "no gain": (_delete(channel, "ChannelSensitivity"), "no gain"),
    "gain 0": (_set(channel, ChannelSensitivity="0"), "above 0"),
    "negative gain": (_set(channel, ChannelSensitivity="-1.25"), "above 0"),
    "correction 0": (_set(channel, ChannelSensitivityCorrectionFactor="0"), "above 0"),
    "unknown unit": (_code("furlong"), "unit 'furlong'"),
    "no unit": (_delete(channel, "ChannelSensitivityUnitsSequence"), "unit ''"),
    "skew": (_set(channel, ChannelSampleSkew="5"), "shifted by 5"),
    "time skew": (_set(channel, ChannelTimeSkew="2.5"), "shifted by 2500"),
    "unknown lead": (_unnamed, "no lead is named 'banana'"),
    "lead twice": (_same_lead, "given twice"),
    "code against words": (_contradiction, "coded as I but called 'Lead V3'"),
    "two rhythms": (_twice, "2 rhythm groups"),
    "median only": (_derived_only, "0 rhythm groups"),
    "no waveform": (lambda other: delattr(other, "WaveformSequence"), "no waveform"),
}


@pytest.mark.parametrize(("change", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_in_one_line(dataset: Any, tmp_path: Path, change: Change, says: str) -> None:
    path = changed(dataset, tmp_path, change)
    with pytest.raises(es.EcgError) as caught:
        es.read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert says in message, message


@pytest.mark.parametrize("keep", [131, 132, 140, 400, 2_000, 5_000, 100_000, 240_000])
def test_a_shortened_file_is_refused(original: Path, tmp_path: Path, keep: int) -> None:
    (tmp_path / "short.dcm").write_bytes(original.read_bytes()[:keep])
    with pytest.raises(es.EcgError):
        es.read(tmp_path / "short.dcm")


def test_deflated_files_are_not_unpacked(dataset: Any, tmp_path: Path) -> None:
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    path = changed(dataset, tmp_path, lambda other: setattr(other.file_meta, "TransferSyntaxUID", DeflatedExplicitVRLittleEndian))
    with pytest.raises(es.EcgError, match="deflated"):
        es.read(path)


def test_a_huge_file_is_refused_before_it_is_read(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "huge.dcm"
    path.write_bytes(original.read_bytes())
    with path.open("r+b") as file:
        file.truncate(2**33)  # sparse: takes no room
    with pytest.raises(es.EcgError, match="more than the"):
        es.read(path)


def test_another_file_is_not_taken_for_dicom(tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(b"x" * 500)
    with pytest.raises(es.EcgError, match="not a DICOM file"):
        read_dicom(tmp_path / "x.dcm")


def test_without_pydicom_the_message_says_what_to_install(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "pydicom":
            raise ImportError("No module named 'pydicom'")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(es.EcgError, match=r"pip install 'ecgspasm\[dicom\]'"):
        es.read(original)


# ---------------------------------------------------------------------------------------------------------------------
# In memory, several groups, and what the device itself found
# ---------------------------------------------------------------------------------------------------------------------


def test_the_real_file_is_part_of_pydicom(original: Path) -> None:
    assert Path(pydicom.__file__).parent in original.parents


def test_a_file_in_memory_is_the_same_ecg(original: Path) -> None:
    ecg = read_dicom_file(File("open file", data=original.read_bytes()), Asked())
    assert np.array_equal(ecg.signal_uv, es.read(original).signal_uv)
    assert ecg.source.startswith("open file; left out: MEDIAN BEAT")


def test_rate_and_unit_cannot_be_asked_for(original: Path) -> None:
    with pytest.raises(es.EcgError, match="leave unit= out"):
        read_dicom_file(File("x", data=original.read_bytes()), Asked(unit="mV"))


def test_a_deflated_file_in_memory_is_not_unpacked(dataset: Any, tmp_path: Path) -> None:
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    path = changed(dataset, tmp_path, lambda other: setattr(other.file_meta, "TransferSyntaxUID", DeflatedExplicitVRLittleEndian))
    with pytest.raises(es.EcgError, match="deflated"):
        read_dicom_file(File("x", data=path.read_bytes()), Asked())


def test_one_of_two_rhythms_can_be_asked_for(dataset: Any, tmp_path: Path) -> None:
    def change(other: Any) -> None:
        other.WaveformSequence.append(copy.deepcopy(rhythm(other)))
        other.WaveformSequence[2].MultiplexGroupLabel = "RHYTHM 2"

    path = changed(dataset, tmp_path, change)
    file = File("x", path=str(path))
    assert read_dicom_file(file, Asked(record="RHYTHM 2")).leads == STANDARD
    assert read_dicom_file(file, Asked(record=1)).leads == STANDARD
    for wrong in (2, "MEDIAN BEAT", "nothing", 4):
        with pytest.raises(es.EcgError, match="names no rhythm"):
            read_dicom_file(file, Asked(record=wrong))


def test_leads_in_groups_one_after_the_other_get_one_axis_of_time(dataset: Any, original: Path, tmp_path: Path) -> None:
    """Four groups of three leads for 2.5 s each, as general ECGs are stored."""

    def change(other: Any) -> None:
        whole = rhythm(other)
        samples = np.frombuffer(whole.WaveformData, "<i2").reshape(10_000, 12)
        parts = []
        for index in range(4):
            part = copy.deepcopy(whole)
            part.NumberOfWaveformChannels, part.NumberOfWaveformSamples = 3, 2500
            part.ChannelDefinitionSequence = part.ChannelDefinitionSequence[3 * index : 3 * index + 3]
            cut = samples[2500 * index : 2500 * (index + 1), 3 * index : 3 * index + 3]
            part.WaveformData = np.ascontiguousarray(cut).tobytes()
            part.MultiplexGroupTimeOffset = str(2500 * index)
            parts.append(part)
        other.WaveformSequence = parts

    ecg, whole = es.read(changed(dataset, tmp_path, change)), es.read(original)
    assert ecg.leads == STANDARD
    for index, lead in enumerate(STANDARD):
        here = slice(2500 * (index // 3), 2500 * (index // 3) + 2500)
        assert np.array_equal(ecg[lead][here], whole[lead][here])
        assert np.isnan(ecg[lead]).sum() == 7500


def test_the_median_beat_of_the_device(original: Path, dataset: Any, tmp_path: Path) -> None:
    beat = read_median_beat(original)
    assert (beat.leads, beat.fs, beat.duration_s) == (STANDARD, 1000.0, 1.2)
    assert np.allclose(beat.signal_uv, dataset.waveform_array(1).T)
    assert "the device's median beat, not a rhythm" in beat.source
    path = changed(dataset, tmp_path, lambda other: other.WaveformSequence.pop(1))
    with pytest.raises(es.EcgError, match="holds 0 median beats"):
        read_median_beat(path)


def test_the_fiducials_of_the_device(original: Path) -> None:
    found = read_fiducials(original)
    beat = [each for each in found.fiducials if each.on_median_beat]
    # Positions count from 1 in DICOM and from 0 here.
    assert {each.name: each.sample for each in beat} == {
        "P onset": 298, "P offset": 412, "QRS onset": 459, "Fiducial point": 500, "QRS offset": 534, "T offset": 827,
    }  # fmt: skip
    assert all(each.ms == pytest.approx(each.sample) for each in beat)
    onsets = [each.sample for each in found.fiducials if each.name == "QRS onset" and not each.on_median_beat]
    assert onsets[:3] == [485, 1484, 2465]
    assert len(onsets) == 10
    measured = {each.name: (each.value, each.unit) for each in found.measurements}
    assert measured["QRS Duration"] == (75.0, "ms")
    assert measured["QT Interval"] == (368.0, "ms")
    assert measured["T Axis"] == (57.0, "deg")


def test_the_fiducials_stand_on_the_signal(original: Path) -> None:
    """Our own QRS onsets and those of the device are one and the same within a few ms."""
    ecg = es.read(original)
    ours = es.delineate(ecg)
    device = np.array([f.sample for f in read_fiducials(original).fiducials if f.name == "QRS onset" and not f.on_median_beat])
    gaps = [np.min(np.abs(ours.qrs_onset - sample)) for sample in device]
    assert np.median(gaps) <= 12


def test_fiducials_of_segments_times_and_leads(dataset: Any, tmp_path: Path) -> None:
    def change(other: Any) -> None:
        segment = copy.deepcopy(other.WaveformAnnotationSequence[11])
        segment.TemporalRangeType, segment.ReferencedSamplePositions = "SEGMENT", [11, 21]
        segment.ReferencedWaveformChannels = [1, 2]
        offset = copy.deepcopy(other.WaveformAnnotationSequence[12])
        del offset.ReferencedSamplePositions
        offset.ReferencedTimeOffsets = ["250.5"]
        other.WaveformAnnotationSequence = [segment, offset]

    found = read_fiducials(changed(dataset, tmp_path, change)).fiducials
    assert [(f.name, f.sample, f.lead) for f in found] == [
        ("P onset begin", 10.0, "II"),
        ("P onset end", 20.0, "II"),
        ("P offset", 250.5, None),
    ]


def test_words_of_the_report_are_not_taken(original: Path) -> None:
    assert "RITMO" not in repr(read_fiducials(original))


def _no_group(other: Any) -> None:
    other.WaveformAnnotationSequence[11].ReferencedWaveformChannels = [9, 0]


def _outside(other: Any) -> None:
    other.WaveformAnnotationSequence[11].ReferencedSamplePositions = 10_001


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda other: delattr(other, "WaveformAnnotationSequence"), "no annotations"),
        (_no_group, "group 9"),
        (_outside, "outside"),
    ],
)
def test_bad_annotations_are_refused(dataset: Any, tmp_path: Path, change: Change, says: str) -> None:
    with pytest.raises(es.EcgError, match=says):
        read_fiducials(changed(dataset, tmp_path, change))


def test_damaged_files_end_in_an_error_or_a_plausible_ecg(original: Path) -> None:
    data = original.read_bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(80):
        copied = bytearray(data)
        for _ in range(int(rng.integers(1, 5))):
            # headers lie at both ends of the samples
            at = int(rng.integers(6000)) if rng.random() < 0.5 else int(rng.integers(len(data)))
            copied[at] = int(rng.integers(256))
        for reader in (_whole, _device):
            try:
                reader(bytes(copied))
            except es.EcgError as error:
                assert "\n" not in str(error)
                refused += 1
    assert refused > 5


def _whole(data: bytes) -> None:
    ecg = read_dicom_file(File("x", data=data), Asked())
    assert np.nanmax(np.abs(ecg.signal_uv)) <= 1_200_000


def _device(data: bytes) -> None:
    from ecgspasm.io.dicom.device import read_fiducials_file

    read_fiducials_file(File("x", data=data))
