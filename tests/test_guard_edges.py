"""The checks in front of the parsers, each at its edge: paths, files and channels."""

from __future__ import annotations

import errno
import io
import os
import socket
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ecgspasm.ecg import Subject
from ecgspasm.errors import EcgError
from ecgspasm.io import paths
from ecgspasm.io.channels import LARGEST_UV, MAX_SAMPLES, MOST_SAMPLES, check_amplitudes, choose, to_ecg, uv_per_unit
from ecgspasm.io.file import MAX_FILE_BYTES, Asked, File


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EcgError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- paths


def test_one_line_is_one_line_of_printable_characters() -> None:
    assert paths.one_line("a\n b\t\x1b[0m\u202ec") == "a b ?[0m?c"
    assert paths.one_line("x" * 200) == "x" * 200
    assert paths.one_line("x" * 201) == "x" * 197 + "..."
    assert paths.one_line("x" * 10, 10) == "x" * 10
    assert paths.one_line("x" * 11, 10) == "x" * 7 + "..."
    assert paths.one_line(None) == "None"


def test_an_error_is_blamed_on_its_file_with_its_cause() -> None:
    with pytest.raises(EcgError, match=r"^a b\.dat: too short$") as caught, paths.blame("a\nb.dat"):
        raise EcgError("too short")
    assert isinstance(caught.value.__cause__, EcgError)
    with pytest.raises(KeyError), paths.blame("a.dat"):
        raise KeyError("no error of this package")
    with paths.blame("a.dat"):
        pass


@pytest.mark.parametrize("path", ["a.dat", "a:b", "http:/a", "/tmp/a.dat", Path("a.dat"), "a ://"[:2]])
def test_a_local_path_is_taken_as_it_is(path: str | Path) -> None:
    assert paths.local_path(path) == str(path)


@pytest.mark.parametrize("path", ["http://a", "s3://a", "a::b", "simplecache::/tmp/a", "file:///tmp/a"])
def test_an_address_is_never_opened(path: str) -> None:
    assert "looks like an address" in refused(lambda: paths.local_path(path))


@pytest.mark.parametrize("path", ["", "a\0b", "\0"])
def test_what_is_no_path(path: str) -> None:
    assert "is not a path" in refused(lambda: paths.local_path(path))


def test_a_path_is_text() -> None:
    assert "as text, not as bytes" in refused(lambda: paths.local_path(b"a.dat"))  # type: ignore[arg-type]
    assert "not NoneType" in refused(lambda: paths.local_path(None))  # type: ignore[arg-type]
    assert "not int" in refused(lambda: paths.local_path(3))  # type: ignore[arg-type]


@pytest.fixture
def ten(tmp_path: Path) -> str:
    (tmp_path / "ten.bin").write_bytes(b"0123456789")
    return str(tmp_path / "ten.bin")


def test_a_file_is_read_up_to_its_limit(ten: str) -> None:
    assert paths.read_regular(ten, 10) == b"0123456789"
    assert "ten.bin has 10 bytes, more than the 9" in refused(lambda: paths.read_regular(ten, 9))
    assert paths.file_size(ten) == 10


@pytest.mark.parametrize(
    ("start", "count"), [(0, 3), (0, 10), (0, 99), (4, 3), (4, 6), (4, 99), (9, 1), (10, 5), (50, 5), (3, 0)]
)
def test_a_part_ends_where_the_file_does(ten: str, start: int, count: int) -> None:
    assert paths.read_part(ten, start, count) == b"0123456789"[start : start + count]
    assert File(ten, path=ten).part(start, count) == File("x", data=b"0123456789").part(start, count)
    assert paths.first_bytes(ten, count) == b"0123456789"[:count]


def test_reading_a_part_asks_the_system_for_no_more_than_is_there(ten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = os.read

    def spy(handle: int, count: int) -> bytes:
        asked.append(count)
        return read(handle, count)

    monkeypatch.setattr(os, "read", spy)
    paths.read_part(ten, 4, 10**9)
    paths.first_bytes(ten, 10**9)
    assert max(asked) <= 10


def test_what_the_system_gives_in_small_portions_is_put_together(ten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = os.read
    monkeypatch.setattr(os, "read", lambda handle, count: read(handle, min(count, 3)))
    assert paths.read_regular(ten, 10) == b"0123456789"
    assert paths.read_part(ten, 2, 5) == b"23456"


def test_an_empty_file_has_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert paths.read_regular(str(tmp_path / "empty"), 0) == b""


def test_no_handle_stays_open(ten: str, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    os.mkfifo(tmp_path / "pipe")
    for _ in range(3):
        paths.read_regular(ten, 10)
        paths.read_part(ten, 1, 2)
        paths.first_bytes(ten, 2)
        paths.write_whole(str(tmp_path / "out"), b"x")
        for name in (str(tmp_path / "pipe"), str(tmp_path)):
            with pytest.raises(EcgError):
                paths.first_bytes(name, 1)
        with pytest.raises(EcgError):
            paths.read_regular(ten, 1)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_no_file_is_named(tmp_path: Path, ten: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(tmp_path / "sock"))
    cases = {
        str(tmp_path): "is a folder, not a file",
        str(tmp_path / "pipe"): "pipe is a pipe, not a file",
        str(tmp_path / "none"): "there is no file none; check the path",
        f"{ten}/deeper": "there is no file deeper; check the path",
        "/dev/null": "null is a device or socket, not a file",
        str(tmp_path / "sock"): "sock is a device or socket, not a file",
    }
    for path, said in cases.items():
        assert said in refused(lambda path=path: paths.first_bytes(path, 1))  # type: ignore[misc]
        assert said in refused(lambda path=path: paths.file_size(path))  # type: ignore[misc]
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "loop cannot be opened (" in refused(lambda: paths.first_bytes(str(loop), 1))
    assert "cannot be opened" in refused(lambda: paths.file_size("a\0b"))


def test_a_folder_is_called_one_also_where_the_system_does_not_open_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object) -> int:
        raise IsADirectoryError(errno.EISDIR, "is a directory")

    monkeypatch.setattr(os, "open", no)
    assert refused(lambda: paths.first_bytes("/some/folder", 1)) == "folder is a folder, not a file; give a file"


@pytest.mark.parametrize("name", ["a", "a.dat", "A-1+b_c.dat", "..a", "0", "X", "X.dat", "a" * 90])
def test_a_plain_name_lies_beside_its_header(name: str) -> None:
    assert paths.beside("folder", name) == os.path.join("folder", name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "...", "-a", "+a", "a/b", "/a", "../a", "a b", "a\\b", "a:b", "\u00e4", "a\0", "~a", "a\n"]
)
def test_any_other_name_is_refused(name: str) -> None:
    assert "must lie beside its header and have a plain name" in refused(lambda: paths.beside("folder", name))


def test_a_link_may_lead_within_its_folder_only(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    (other / "deep").mkdir(parents=True)
    for folder in (home, other):
        (folder / "real.dat").write_bytes(b"x")
    (home / "in.dat").symlink_to("real.dat")
    (home / "out.dat").symlink_to(other / "real.dat")
    assert paths.beside(str(home), "in.dat") == str(home / "in.dat")
    assert "leads out of its folder" in refused(lambda: paths.beside(str(home), "out.dat"))
    # the folder itself may be reached by a link
    (tmp_path / "alias").symlink_to(home)
    assert paths.beside(str(tmp_path / "alias"), "in.dat") == str(tmp_path / "alias" / "in.dat")


def test_a_link_beside_a_header_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("real.dat").write_bytes(b"x")
    Path("in.dat").symlink_to("real.dat")
    Path("out.dat").symlink_to("/dev/null")
    assert paths.beside("", "in.dat") == "in.dat"
    assert "leads out" in refused(lambda: paths.beside("", "out.dat"))


# ---------------------------------------------------------------- writing whole files


def test_a_written_file_is_whole_or_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "a.txt")
    paths.write_whole(path, b"first")
    paths.write_whole(path, b"second")
    assert Path(path).read_bytes() == b"second"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, full)
            said = refused(lambda: paths.write_whole(path, b"third"))
            assert said == f"{path} cannot be written (No space left on device); check the folder and its free space"
        assert Path(path).read_bytes() == b"second"
        assert os.listdir(tmp_path) == ["a.txt"]


def test_content_and_name_are_both_on_the_disk_and_in_that_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def spy_sync(handle: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else f"{os.fstat(handle).st_size} bytes")
        sync(handle)

    def spy_replace(*names: str) -> None:
        done.append("name")
        replace(*names)

    monkeypatch.setattr(os, "fsync", spy_sync)
    monkeypatch.setattr(os, "replace", spy_replace)
    paths.write_whole(str(tmp_path / "a"), b"12345")
    assert done == ["5 bytes", "name", "folder"]
    monkeypatch.chdir(tmp_path)
    paths.write_whole("b", b"1")
    assert done[3:] == ["1 bytes", "name", "folder"]


def test_a_file_of_the_same_temporary_name_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths.secrets, "token_hex", lambda n: "ab" * n)
    (tmp_path / f"a.{'ab' * 8}.part").write_bytes(b"another's")
    assert "cannot be written" in refused(lambda: paths.write_whole(str(tmp_path / "a"), b"mine"))
    assert not (tmp_path / "a").exists()


def test_why_a_file_is_not_written(tmp_path: Path) -> None:
    assert "is a folder; give another name" in refused(lambda: paths.write_whole(str(tmp_path), b""))
    missing = tmp_path / "none" / "a"
    assert refused(lambda: paths.write_whole(str(missing), b"")) == f"there is no folder {missing.parent}; make it first"
    assert "a cannot be written (odd)" in paths.why_not_written("a", OSError("odd"))


def test_windows_has_no_folder_to_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    # nothing else that a system offers is there to be called
    monkeypatch.setattr(paths, "os", SimpleNamespace(name="nt"))
    paths._sync_folder("folder")


# ---------------------------------------------------------------- what is asked of a file


@pytest.mark.parametrize("fs", [50, 50.0, 10_000, np.float64(500), Fraction(1001, 2), None])
def test_a_sampling_rate_that_may_be_given(fs: Any) -> None:
    assert Asked(fs=fs).fs == fs


@pytest.mark.parametrize("fs", [49.999, 10_000.001, 0, -500, True, "500", float("nan"), float("inf"), [500], 500j])
def test_a_sampling_rate_that_may_not(fs: Any) -> None:
    assert "between 50 and 10000" in refused(lambda: Asked(fs=fs))


@pytest.mark.parametrize("unit", ["mmHg", "", 1, b"mV", ["mV"]])
def test_a_unit_is_one_of_voltage(unit: Any) -> None:
    assert "give 'uV', 'mV' or 'V'" in refused(lambda: Asked(unit=unit))


def test_what_a_format_tells_itself_is_not_to_be_given() -> None:
    asked = Asked(fs=500, record=0)
    asked.nothing("unit", what="this")
    assert refused(lambda: asked.nothing("unit", "fs", what="an EDF")) == "an EDF itself tells its fs; leave fs= out"
    assert refused(lambda: asked.nothing("record", what="a CSV")) == "a CSV holds one ECG; leave record= out"


class Stream(io.BytesIO):
    name: Any = "/a/folder/x\n.dat"


def test_an_open_file_is_read_from_its_start_and_told_by_its_name() -> None:
    stream = Stream(b"0123456789")
    stream.seek(4)
    file = File.of(stream)
    assert (file.name, file.path, file.content(), file.size(), file.start()) == ("x .dat", None, b"0123456789", 10, b"0123456789")
    for name in ("", 7, None):
        stream.name = name
        assert File.of(stream).name == "open file"
    assert File.of(io.BytesIO(b"1")).name == "open file"


def test_a_stream_without_a_way_back_is_read_on() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            pytest.fail("it cannot")

    assert File.of(Pipe(b"abc")).content() == b"abc"


def test_streams_that_give_text_or_are_closed_are_refused() -> None:
    assert "gives text; open it in binary mode" in refused(lambda: File.of(io.StringIO("x")))  # type: ignore[arg-type]
    closed = io.BytesIO(b"x")
    closed.close()
    assert "cannot be read" in refused(lambda: File.of(closed))

    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError("broken pipe")

    assert "cannot be read (broken pipe)" in refused(lambda: File.of(Broken()))

    class Array(io.BytesIO):
        def read(self, *_: Any) -> Any:
            return bytearray(b"abc")

    content = File.of(Array()).content()
    assert content == b"abc"
    assert type(content) is bytes


def test_no_more_is_read_of_an_open_file_than_the_limit() -> None:
    asked: list[int] = []

    class Endless(io.RawIOBase):
        def seekable(self) -> bool:
            return False

        def read(self, size: int = -1) -> bytes:
            asked.append(size)
            return bytes(size)

    assert f"holds more than {MAX_FILE_BYTES} bytes" in refused(lambda: File.of(Endless()))  # type: ignore[arg-type]
    assert asked == [64 * 2**20 + 1]

    class Full(Endless):
        def read(self, size: int = -1) -> bytes:
            return bytes(size - 1)

    assert File.of(Full()).size() == MAX_FILE_BYTES  # type: ignore[arg-type]


def test_the_start_of_a_file_is_4096_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 17
    (tmp_path / "a").write_bytes(content)
    path = str(tmp_path / "a")
    for file in (File("a", path=path), File("a", data=content)):
        assert file.start() == content[:4096]
        assert file.size() == len(content)
        assert file.content() == content
        assert file.content(len(content)) == content
        assert "bytes, more than the" in refused(lambda file=file: file.content(len(content) - 1))  # type: ignore[misc]
        assert file.whole().read() == content
        assert "bytes, more than the" in refused(lambda file=file: file.whole(5))  # type: ignore[misc]


# ---------------------------------------------------------------- channels


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("uV", 1.0),
        ("UV", 1.0),
        ("\u00b5V", 1.0),
        ("\u03bcV", 1.0),
        ("microvolts", 1.0),
        ("Microvolt", 1.0),
        ("mV", 1e3),
        (" mV ", 1e3),
        ("millivolt", 1e3),
        ("millivolts", 1e3),
        ("V", 1e6),
        ("volt", 1e6),
        ("volts", 1e6),
        ("nV", 1e-3),
        ("mmHg", None),
        ("", None),
        ("s", None),
        ("mVss", None),
        ("kV", None),
    ],
)
def test_units_of_voltage(unit: str, factor: float | None) -> None:
    assert uv_per_unit(unit) == factor


def test_leads_are_chosen_and_the_rest_is_named() -> None:
    found = choose(["i", "Resp", "-aVR", "", "x" * 30, "ECG II"], ["mV", "mV", "uV", "mmHg", "y" * 20, "mV"])
    assert found.rows == (0, 2, 5)
    assert found.leads == ("I", "aVR", "II")
    assert found.signs == (1.0, -1.0, 1.0)
    assert found.left_out == ("Resp (mV)", "unnamed (mmHg)", f"{'x' * 17}... ({'y' * 9}...)")


@pytest.mark.parametrize("name", ["- aVR", "-avr", "-AVR"])
def test_avr_with_its_sign_turned(name: str) -> None:
    assert choose([name], ["mV"]).signs == (-1.0,)


@pytest.mark.parametrize("name", ["-II", "--aVR", "-", "V10x", "foo"])
def test_a_voltage_that_nobody_knows_is_refused(name: str) -> None:
    said = refused(lambda: choose(["I", name], ["mV", "mV"]))
    assert said == f"no lead is named {name!r}; say which lead it is: read(path, rename={{{name!r}: 'II'}})"


def test_a_known_other_kind_is_left_out_whatever_its_unit() -> None:
    kinds = (
        "resp airflow nasal thor abd pleth ppg spo2 sao2 abp art bp nbp cvp pap icp pressure emg eog eeg "
        "acc gyro temp marker event trigger status annotation sv co2 flow volume scg pcg phono gsr eda"
    )
    for kind in kinds.split():
        assert choose(["I", kind.upper() + " 1"], ["mV", "mV"]).leads == ("I",)


def test_files_without_leads_say_what_there_is() -> None:
    assert "no lead is named 'Resp'" in refused(lambda: choose(["Resp"], ["mV"]))
    assert refused(lambda: choose(["I", "V2", "v2"], ["mV"] * 3)) == "lead V2 is given twice; leave one of them out"
    assert "there is no channel with the name of a lead; name the leads in the file" in refused(lambda: choose([], []))
    assert "there is no channel with the name of a lead" in refused(lambda: choose([""], ["mmHg"]))
    # the one that nobody knows is named, not the first
    assert "no lead is named 'foo'" in refused(lambda: choose(["Resp", "foo"], ["mV", "mV"]))


def test_channels_are_renamed_by_the_names_they_have() -> None:
    assert choose(["a", "b"], ["mV", "mV"], {"a": "II", "b": " V1 "}).leads == ("II", "V1")
    assert refused(lambda: choose(["a", "b"], ["mV", "mV"], {"c": "II"})) == "rename names 'c'; this file has a, b"
    with pytest.raises(ValueError, match="zip"):
        choose(["I"], ["mV", "mV"])


def test_limits_of_amplitude_and_length() -> None:
    assert (MAX_SAMPLES, MOST_SAMPLES, LARGEST_UV) == (12_000_000, 40_000_000_000, 600_000.0)
    signal = np.array([[0.0, np.nan, 600_000.0, -600_000.0]])
    check_amplitudes(signal, ["I"])
    check_amplitudes(np.empty((0, 0)), [])
    check_amplitudes(np.empty((1, 0)), ["I"])
    check_amplitudes(np.full((1, 3), np.nan), ["I"])
    for value in (600_001.0, -600_001.0):
        quiet = np.zeros((2, 4))
        quiet[1, 2] = value
        assert "lead II reaches 600 mV" in refused(lambda quiet=quiet: check_amplitudes(quiet, ["I", "II"]))  # type: ignore[misc]
    assert "reaches 2000 mV" in refused(lambda: check_amplitudes(np.array([[2e6, -1.0]]), ["I"]))


def test_an_ecg_is_made_with_what_is_to_know_of_it() -> None:
    signal = np.random.default_rng(1).normal(0, 100, (2, 5000))
    given: dict[str, Any] = {"fs": 500.0, "leads": ["I", "II"], "subject": Subject(), "recorded_at": None}
    ecg = to_ecg(signal_uv=signal.copy(), source="x\n" * 200, notes=["a", "b"], **given)
    assert ecg.source.endswith("...; a; b")
    assert len(ecg.source) == 300 + len("; a; b")
    assert ecg.leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert set(ecg.derived) == {"III", "aVR", "aVL", "aVF"}
    told = to_ecg(signal_uv=signal.copy(), source="x", derived=[], **given)
    assert (told.leads, told.derived, told.source) == (("I", "II"), (), "x")
    assert to_ecg(signal_uv=signal.copy(), source="x", derived=["II"], **given).derived == ("II",)
    own = signal.copy()
    assert np.shares_memory(to_ecg(signal_uv=own, source="x", derived=[], **given).signal_uv, own)
    with pytest.raises(EcgError, match="no electrode gives"):
        to_ecg(signal_uv=signal * 1e6, source="x", **given)
