"""HDF5: the layout of CODE-15 %, tables with attributes, and files that try to lead elsewhere."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgspasm.ecg import Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.file import Asked, File
from ecgspasm.io.hdf5.reader import is_hdf5, read_hdf5
from ecgspasm.leads import STANDARD

h5py = pytest.importorskip("h5py", reason="h5py is not installed (extra hdf5)")

IDS = (590673, 1169160, 2873686)


def file_of(path: Path) -> File:
    return File(str(path), path=str(path))


def read(path: Path, **asked: Any) -> Ecg:
    return read_hdf5(file_of(path), Asked(**asked))


def exams(seed: int = 0) -> Any:
    """Three exams in mV: one of 10 s, one of 7 s, one of nothing but padding."""
    rng = np.random.default_rng(seed)
    tracings = np.zeros((3, 4096, 12), dtype=np.float32)
    tracings[0, 48:4048] = rng.normal(0, 0.3, (4000, 12))
    tracings[1, 648:3448] = rng.normal(0, 0.3, (2800, 12))
    return tracings


@pytest.fixture
def code15(tmp_path: Path) -> Path:
    path = tmp_path / "exams_part0.hdf5"
    with h5py.File(path, "w") as file:
        file["exam_id"] = np.array(IDS)
        file["tracings"] = exams()
    return path


def made(path: Path, change: Callable[[Any], None]) -> Path:
    with h5py.File(path, "w") as file:
        change(file)
    return path


def test_an_exam_is_chosen_by_its_id_and_its_padding_is_cut(code15: Path) -> None:
    ecg = read(code15, record=IDS[1], unit="mV")
    assert (ecg.leads, ecg.fs, ecg.duration_s, ecg.derived) == (STANDARD, 400.0, 7.0, ())
    assert np.array_equal(ecg.signal_uv, exams()[1, 648:3448].T.astype(float) * 1000)
    assert "exam 1169160; 1296 zeros at the ends cut off" in ecg.source
    assert read(code15, record=str(IDS[0]), unit="mV").duration_s == 10.0


def test_several_exams_are_refused_with_the_way_to_choose(code15: Path) -> None:
    with pytest.raises(EcgError, match=r"holds 3 exams; choose one by its exam_id.*record=590673"):
        read(code15, unit="mV")
    with pytest.raises(EcgError, match="none of the 3 exams"):
        read(code15, unit="mV", record=5)
    for wrong in ("1 or 2", -1, True, "²"):
        with pytest.raises(EcgError, match="whole number"):
            read(code15, unit="mV", record=wrong)
    with pytest.raises(EcgError, match="nothing but zeros"):
        read(code15, unit="mV", record=IDS[2])


def test_the_unit_is_never_guessed_and_the_rate_is_that_of_the_documentation(code15: Path) -> None:
    with pytest.raises(EcgError, match="unit="):
        read(code15, record=IDS[0])
    with pytest.raises(EcgError, match="400 Hz, but fs=500"):
        read(code15, record=IDS[0], unit="mV", fs=500)
    assert read(code15, record=IDS[0], unit="mV", fs=400).fs == 400.0


def test_attributes_state_what_differs(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        file["exam_id"] = np.array([7])
        file["tracings"] = exams()[:1]
        file["tracings"].attrs["fs"] = 500
        file.attrs["units"] = "mV"

    path = made(tmp_path / "some.h5", change)
    assert read(path).fs == 500.0
    with pytest.raises(EcgError, match="fs=400"):
        read(path, fs=400)
    with pytest.raises(EcgError, match="states the unit mV, but unit='uV' was given; leave unit= out"):
        read(path, unit="uV")


def test_without_ids_the_row_is_chosen(tmp_path: Path) -> None:
    path = made(tmp_path / "ecg_tracings.hdf5", lambda file: file.__setitem__("tracings", exams()))
    assert read(path, record=1, unit="mV").duration_s == 7.0
    with pytest.raises(EcgError, match="record=0\\) to record=2"):
        read(path, unit="mV")
    with pytest.raises(EcgError, match="no row 3"):
        read(path, record=3, unit="mV")


def test_ids_that_occur_twice_or_do_not_fit_are_refused(tmp_path: Path) -> None:
    def twice(file: Any) -> None:
        file["exam_id"] = np.array([7, 7, 8])
        file["tracings"] = exams()

    with pytest.raises(EcgError, match="2 of the 3 exams"):
        read(made(tmp_path / "a.h5", twice), record=7, unit="mV")

    def short(file: Any) -> None:
        file["exam_id"] = np.array([7, 8])
        file["tracings"] = exams()

    with pytest.raises(EcgError, match="does not number"):
        read(made(tmp_path / "b.h5", short), record=7, unit="mV")


@pytest.mark.parametrize("how", [{}, {"chunks": True}, {"compression": "gzip", "shuffle": True, "fletcher32": True}])
def test_one_row_of_a_large_file_is_read_alone(tmp_path: Path, how: dict[str, Any]) -> None:
    n = 400  # 79 MB when all is unpacked

    def change(file: Any) -> None:
        file["exam_id"] = np.arange(n)
        tracings = file.create_dataset("tracings", (n, 4096, 12), "f4", **(how | ({"chunks": (1, 4096, 12)} if how else {})))
        for row in range(n):
            tracings[row] = exams(row)[0]

    path = made(tmp_path / "large.h5", change)
    read(path, record=3, unit="mV")
    tracemalloc.start()
    ecg = read(path, record=n - 1, unit="mV")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.array_equal(ecg.signal_uv, exams(n - 1)[0, 48:4048].T.astype(float) * 1000)
    assert peak < 6 * 2**20


def table(file: Any, shape: tuple[int, int] = (3, 1000), **attrs: Any) -> None:
    file["signal"] = np.arange(shape[0] * shape[1], dtype="i2").reshape(shape)
    given = {"leads": ["V1", "V2", "II"], "fs": 250.0, "unit": "uV"} | attrs
    for name, value in given.items():
        if value is not None:
            file["signal"].attrs[name] = value


def test_a_table_with_attributes(tmp_path: Path) -> None:
    path = made(tmp_path / "a.h5", lambda file: table(file, sex="F", age=61, patient_name="Maria Muster"))
    ecg = read(path)
    assert (ecg.leads, ecg.fs, ecg.subject) == (("V1", "V2", "II"), 250.0, Subject("female", 61.0))
    assert np.array_equal(ecg["V2"], np.arange(1000.0, 2000.0))
    assert "Muster" not in f"{ecg!r} {vars(ecg)}"
    turned = made(tmp_path / "b.h5", lambda file: table(file, (1000, 3), leads="V1, V2, II"))
    assert np.array_equal(read(turned)["V1"], np.arange(0.0, 3000.0, 3))
    data = File("memory", data=path.read_bytes())
    assert np.array_equal(read_hdf5(data, Asked()).signal_uv, ecg.signal_uv)


def test_what_a_table_does_not_say_is_asked_for(tmp_path: Path) -> None:
    path = made(tmp_path / "a.h5", lambda file: table(file, fs=None))
    with pytest.raises(EcgError, match="give it in Hz"):
        read(path)
    assert read(path, fs=250).fs == 250
    path = made(tmp_path / "b.h5", lambda file: table(file, unit=None))
    with pytest.raises(EcgError, match="unit="):
        read(path)
    with pytest.raises(EcgError, match="no attribute 'leads'"):
        read(made(tmp_path / "c.h5", lambda file: table(file, leads=None)))
    with pytest.raises(EcgError, match="both axes may be the leads"):
        read(made(tmp_path / "d.h5", lambda file: table(file, (3, 3))))
    with pytest.raises(EcgError, match="but 3 leads are named"):
        read(made(tmp_path / "e.h5", lambda file: table(file, (4, 1000))))

    def two(file: Any) -> None:
        table(file)
        file["other"] = np.zeros((2, 100))

    path = made(tmp_path / "f.h5", two)
    with pytest.raises(EcgError, match=r"other, signal.*by its name"):
        read(path)
    assert read(path, record="signal").leads == ("V1", "V2", "II")


def test_no_link_out_of_the_file_is_followed(tmp_path: Path) -> None:
    secret = made(tmp_path / "secret.h5", table)

    def external(file: Any) -> None:
        file["signal"] = h5py.ExternalLink(str(secret), "/signal")

    def soft(file: Any) -> None:
        file.create_group("deep")
        file["signal"] = h5py.SoftLink("/deep/signal")

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout((3, 1000), "i2")
        layout[:] = h5py.VirtualSource(str(secret), "signal", (3, 1000))
        file.create_virtual_dataset("signal", layout)
        file["signal"].attrs.update({"leads": ["V1", "V2", "II"], "fs": 250.0, "unit": "uV"})

    def outside(file: Any) -> None:
        (tmp_path / "raw").write_bytes(bytes(6000))
        made_here = file.create_dataset("signal", (3, 1000), "i2", external=[(str(tmp_path / "raw"), 0, 6000)])
        made_here.attrs.update({"leads": ["V1", "V2", "II"], "fs": 250.0, "unit": "uV"})

    def reference(file: Any) -> None:
        table(file)
        del file["signal"]
        file.create_dataset("signal", (3, 1000), h5py.ref_dtype)

    for change in (external, soft, virtual, outside, reference):
        with pytest.raises(EcgError, match=r"no table|in other files"):
            read(made(tmp_path / f"{change.__name__}.h5", change))


def described(dataset: Any) -> None:
    dataset.attrs.update({"leads": ["V1", "V2", "II"], "fs": 250.0, "unit": "uV"})


def test_bombs_are_refused_without_growth(tmp_path: Path) -> None:
    def huge(file: Any) -> None:
        described(file.create_dataset("signal", (3, 2**40), "f8", chunks=(3, 1000)))

    def never_written(file: Any) -> None:
        described(file.create_dataset("signal", (3, 2_000_000), "f8", chunks=(3, 1000)))

    def large_chunk(file: Any) -> None:
        dataset = file.create_dataset("signal", (3, 1000), "f8", maxshape=(3, None), chunks=(3, 10_000_000), compression="gzip")
        described(dataset)
        dataset.id.write_direct_chunk((0, 0), b"x")

    def deflated(file: Any) -> None:
        import zlib

        dataset = file.create_dataset("signal", (3, 1000), "f8", chunks=(3, 1000), compression="gzip")
        described(dataset)
        # 24 kB are due, 24 MB come out
        dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(24_000_000), 9))

    def other_filter(file: Any) -> None:
        described(file.create_dataset("signal", data=np.zeros((3, 1000)), compression="lzf"))

    def many_members(file: Any) -> None:
        for number in range(1001):
            file.create_group(str(number))

    for change in (huge, never_written, large_chunk, deflated, other_filter, many_members):
        path = made(tmp_path / f"{change.__name__}.h5", change)
        tracemalloc.start()
        with pytest.raises(EcgError):
            read(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3 * 2**20, change.__name__


def test_partly_written_data_are_refused(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        dataset = file.create_dataset("signal", (3, 1000), "f8", chunks=(3, 500))
        described(dataset)
        dataset[:, :500] = 1.0

    with pytest.raises(EcgError, match="never written"):
        read(made(tmp_path / "a.h5", change))


def test_cut_files_are_refused(code15: Path, tmp_path: Path) -> None:
    content = code15.read_bytes()
    path = tmp_path / "cut.h5"
    for length in [*range(0, 4000, 211), *range(4000, len(content), 40_009)]:
        path.write_bytes(content[:length])
        with pytest.raises(EcgError):
            read(path, record=IDS[0], unit="mV")


def test_mutations_give_an_error_or_a_plausible_ecg(tmp_path: Path) -> None:
    path = made(tmp_path / "a.h5", table)
    content = path.read_bytes()
    rng = np.random.default_rng(4)
    places = np.flatnonzero(np.frombuffer(content, "u1"))
    refused = 0
    for _ in range(300):
        other = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            other[rng.choice(places)] = rng.integers(0, 256)
        try:
            ecg = read_hdf5(File("memory", data=bytes(other)), Asked())
        except EcgError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert np.nanmax(np.abs(ecg.signal_uv)) <= 600_000
    assert refused


def test_damaged_texts_of_any_length_neither_hang_nor_kill(tmp_path: Path) -> None:
    content = bytearray(made(tmp_path / "a.h5", table).read_bytes())
    heap = content.index(b"GCOL\x01")
    for size in (219, 4096, 2**63):  # the first object of the heap; what follows it then is nonsense
        other = bytes(content[: heap + 24]) + size.to_bytes(8, "little") + bytes(content[heap + 32 :])
        with pytest.raises(EcgError, match="heap of texts"):
            read_hdf5(File("memory", data=other), Asked())
    # the type of the attribute is no longer that of a text
    kind = content.index(b"unit\0\0\0\0\x19\x01")
    content[kind + 9] = 0xF9
    with pytest.raises(EcgError, match="no number and no text"):
        read_hdf5(File("memory", data=bytes(content)), Asked())


def test_the_kind_is_told_by_content(code15: Path) -> None:
    assert is_hdf5(code15.read_bytes()[:4096])
    assert is_hdf5(bytes(512) + code15.read_bytes()[:3000])
    assert not is_hdf5(b"")
    with pytest.raises(EcgError, match="no HDF5 file"):
        read_hdf5(File("memory", data=b"I,II\n"), Asked())
