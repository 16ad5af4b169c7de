"""Text tables, numpy's files, Parquet, and arrays in memory: what is stated, what is asked for, what is refused."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ecgspasm.ecg import Ecg, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.file import Asked, File
from ecgspasm.io.tables.arrays import from_array
from ecgspasm.io.tables.numpy_files import is_npy, is_npz, read_npy, read_npz
from ecgspasm.io.tables.parquet import is_parquet, read_parquet
from ecgspasm.io.tables.text import is_table, read_table
from ecgspasm.io.times import rate_of_times


def csv(text: str | bytes, **asked: Any) -> Ecg:
    return read_table(File("some.csv", data=text.encode() if isinstance(text, str) else text), Asked(**asked))


def signal(n_leads: int = 2, n: int = 500, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, 3, (n_leads, n))


# ---------------------------------------------------------------- text


def test_a_plain_table_needs_rate_and_unit() -> None:
    ecg = csv("V1,V2\n1,2\n3,4\n", fs=500, unit="mV")
    assert (ecg.leads, ecg.fs) == (("V1", "V2"), 500.0)
    assert np.array_equal(ecg.signal_uv, [[1000, 3000], [2000, 4000]])
    with pytest.raises(EcgError, match="sampling rate"):
        csv("V1,V2\n1,2\n3,4\n", unit="mV")
    with pytest.raises(EcgError, match="unit="):
        csv("V1,V2\n1,2\n3,4\n", fs=500)


def test_facts_stand_in_comments() -> None:
    ecg = csv(
        "# fs: 250\n# Unit = uV\n# sex: F\n# age: 63\n# recorded_at: 2024-02-29T12:00:00.000007\n# derived: aVF\n"
        "# name: Maria Muster\n\nI\taVF\n1\t2\n"
    )
    assert (ecg.fs, ecg.leads, ecg.derived) == (250.0, ("I", "aVF"), ("aVF",))
    assert ecg.subject == Subject("female", 63.0)
    assert ecg.recorded_at == datetime(2024, 2, 29, 12, 0, 0, 7)
    assert "Muster" not in f"{ecg!r} {vars(ecg)}"


@pytest.mark.parametrize(
    ("names", "unit_uv"),
    [
        ("V1 (uV),V2 [mV]", (1, 1000)),
        ("V1_uv,v2/mV", (1, 1000)),
        ("V1 uV,V2_V", (1, 1e6)),
        ('"V1 (µV)","ECG V2 (mV)"', (1, 1000)),
    ],
)
def test_units_stand_in_the_names(names: str, unit_uv: tuple[float, float]) -> None:
    ecg = csv(f"{names}\n0.25,0.5\n", fs=500)
    assert ecg.leads == ("V1", "V2")
    assert np.array_equal(ecg.signal_uv[:, 0], [0.25 * unit_uv[0], 0.5 * unit_uv[1]])


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        ("# fs: 500\nV1\n1\n", {"fs": 250, "unit": "uV"}, "fs is 500 Hz, but fs=250"),
        ("# unit: mV\nV1\n1\n", {"fs": 250, "unit": "uV"}, "states the unit mV, but unit='uV' was given; leave unit= out"),
        ("V1 (mV)\n1\n", {"fs": 250, "unit": "uV"}, "states the unit mV, but unit='uV' was given; leave unit= out"),
        ("# unit: uV\nV1 (mV)\n1\n", {"fs": 250, "unit": "uV"}, "states the unit mV, but unit='uV' was given; leave unit= out"),
        ("# unit: mV\nV1 (uV)\n1\n", {"fs": 250}, "only one can be true"),
        ("# fs: 500\n# sampling_rate: 250\nV1\n1\n", {"unit": "uV"}, "stated twice"),
        ("# fs: 500\n# fs: 250\nV1\n1\n", {"unit": "uV"}, "stated twice"),
        ("# fs: fast\nV1\n1\n", {"unit": "uV"}, "is no number"),
        ("# unit: mmHg\nV1\n1\n", {"fs": 250}, "only uV, mV and V"),
        ("# recorded_at: yesterday\nV1\n1\n", {"fs": 250, "unit": "uV"}, "2024-05-31"),
        ("# age: 300\nV1\n1\n", {"fs": 250, "unit": "uV"}, "between 0 and 130"),
        ("# derived: V9\nV1\n1\n", {"fs": 250, "unit": "uV"}, "not among the leads"),
        ("time_ms,V1\n0,1\n4,2\n8,3\n", {"fs": 500, "unit": "uV"}, "times are those of 250 Hz"),
        ("time_ms,V1\n0,1\n4,2\n12,3\n", {"unit": "uV"}, "not all alike"),
        ("time_ms,V1\n0,1\n4,2\n4,3\n", {"unit": "uV"}, "not all alike"),
        ("time_ms,V1\n4,1\n0,2\n", {"unit": "uV"}, "do not grow"),
        ("time,V1\n0,1\n4,2\n8,3\n", {"unit": "uV"}, "sampling rate, nor the unit of its times"),
        ("time,V1\n0,1\n4,2\n8,3\n", {"fs": 500, "unit": "uV"}, "fits to fs=500 neither in s nor in ms"),
        ("# fs: 500\nt,V1\n0,1\n4,2\n8,3\n", {"unit": "uV"}, "fits to fs=500 neither in s nor in ms"),
        ("time,V1\n0,1\n0.004,2\n0.008,3\n", {"fs": 500, "unit": "uV"}, "name their column with its unit: time_s, time_ms"),
        ("time,V1\n0,1\n2,2\n4,3\n", {"fs": 250, "unit": "uV"}, "go up by 2"),
        ("time,V1\n0,1\n4,2\n12,3\n", {"fs": 250, "unit": "uV"}, "not all alike"),
        ("time_s,time,V1\n0,0,1\n0.004,2,2\n0.008,4,3\n", {"unit": "uV"}, "fits to fs=250 neither"),
        ("time_s,time_ms,V1\n0,0,1\n0.004,2,2\n0.008,4,3\n", {"unit": "uV"}, "only one can be true"),
        ("sample,V1\n0,1\n1,2\n3,3\n", {"fs": 250, "unit": "uV"}, "do not go up by one"),
        ("V1,V2\n1,2\n3\n", {"fs": 250, "unit": "uV"}, "row 2 below the names"),
        ("V1\n1\n\n2\n", {"fs": 250, "unit": "uV"}, "row 2 below the names"),
        ("V1,V2\n1,2,3\n", {"fs": 250, "unit": "uV"}, "row 1 below the names"),
        ("V1,V2\n1,x\n", {"fs": 250, "unit": "uV"}, "no number"),
        ("V1,V2\n1,inf\n", {"fs": 250, "unit": "uV"}, "infinite"),
        ("V1;V2\n1.000,5;2\n", {"fs": 250, "unit": "uV"}, "points and commas"),
        ("V1,V1\n1,2\n", {"fs": 250, "unit": "uV"}, "given twice"),
        ("V1,ecg1\n1,2\n", {"fs": 250, "unit": "uV"}, "rename"),
        ("1,2\n1,2\n", {"fs": 250, "unit": "uV"}, "names no lead"),
        ("V1\n", {"fs": 250, "unit": "uV"}, "no sample"),
        ("# fs: 500\n", {"unit": "uV"}, "no row of lead names"),
        ("V1\n900\n", {"fs": 250, "unit": "mV"}, "900 mV"),
        ("V1\n1\n", {"fs": 250, "unit": "uV", "record": 1}, "record"),
        (b"V1\n1\0\n", {"fs": 250, "unit": "uV"}, "no text"),
    ],
)
def test_what_cannot_be_is_refused(text: str | bytes, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(EcgError, match=says):
        csv(text, **asked)


@pytest.mark.parametrize(
    ("name", "fs", "form"),
    [("time_s", 500, "{:.6f}"), ("Time (ms)", 360, "{:.0f}"), ("t [s]", 512, "{:.3f}"), ("time_s", 257.5, "{:.9f}")],
)
def test_a_column_of_times_tells_the_rate(name: str, fs: float, form: str) -> None:
    scale = 1000 if "ms" in name else 1
    rows = "".join(f"{form.format(5 + k / fs * scale)},{k % 9}\n" for k in range(1000))
    assert csv(f"{name},II\n{rows}", unit="uV").fs == pytest.approx(fs, rel=1e-9)
    assert csv(f"{name},II\n{rows}", unit="uV", fs=fs).fs == fs


@pytest.mark.parametrize("name", ["time", "t", "Elapsed time"])
@pytest.mark.parametrize("fs", [250, 257.5, 512, 1000])
@pytest.mark.parametrize("in_one_s", [1, 1000, None])
def test_times_without_a_unit_have_to_fit_to_the_rate(name: str, fs: float, in_one_s: float | None) -> None:
    """Seconds, milliseconds rounded to whole ones, or numbers of samples."""
    times = [k if in_one_s is None else round(k / fs * in_one_s, 9 if in_one_s == 1 else 0) for k in range(2000)]
    rows = "".join(f"{time},{k % 9}\n" for k, time in enumerate(times))
    assert csv(f"{name},II\n{rows}", unit="uV", fs=fs).fs == fs
    assert csv(f"# fs: {fs}\n{name},II\n{rows}", unit="uV").fs == fs
    if in_one_s not in (None, fs):  # whole numbers fit as those of the samples
        with pytest.raises(EcgError, match=f"fits to fs={2 * fs:g} neither"):
            csv(f"{name},II\n{rows}", unit="uV", fs=2 * fs)


@pytest.mark.parametrize("missing", [1, 500, 998])
def test_one_missing_time_is_found_anywhere(missing: int) -> None:
    times = np.delete(np.arange(1000), missing) * 0.002
    with pytest.raises(EcgError, match="not all alike"):
        rate_of_times(times, 1.0)


def test_how_spreadsheets_write() -> None:
    assert csv("V1;V2\r\n1,5;2\r\n;-3\r\n", fs=250, unit="uV")["V1"][0] == 1.5
    assert np.isnan(csv("V1;V2\r\n1,5;2\r\n;-3\r\n", fs=250, unit="uV")["V1"][1])
    assert csv(b"\xef\xbb\xbfV1,V2\n1,2", fs=250, unit="uV").leads == ("V1", "V2")
    assert csv("V1 (µV)\n1\n".encode("latin-1"), fs=250).leads == ("V1",)
    ecg = csv(',V1,label\n0,1,normal\n1,"2",ectopic\n', fs=250, unit="uV")
    assert np.array_equal(ecg["V1"], [1, 2])
    assert np.isnan(csv("V1,V2\nNaN,\n,nan\n", fs=250, unit="uV").signal_uv).all()
    assert csv("resp,V1,-aVR\n1,2,3\n", fs=250, unit="uV")["aVR"][0] == -3


def test_rename_and_derived_limb_leads() -> None:
    ecg = csv("a,b\n1,3\n", fs=250, unit="uV", rename={"a": "I", "b": "II"})
    assert ecg.leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert ecg.derived == ("III", "aVR", "aVL", "aVF")
    # a file that says what is derived holds what it shall hold
    assert csv("# derived: none\nI,II\n1,3\n", fs=250, unit="uV").leads == ("I", "II")


def test_a_table_is_told_by_content() -> None:
    tables = ("I,II\n1,2\n", "# fs: 500\n# x\ntime_s;V2\n0,0;1,5\n", "sample\tMLII\n0\t5\n", "II\n1\n2\n3\n", 'a,"V1 (uV)"\n,1\n')
    for text in tables:
        assert is_table(text.encode()), text
    others = (
        "",
        "abc",
        "<xml>I,II</xml>",
        "A0002 12 500 5000\nA0002.mat 16 1000/mV",
        "{}",
        "x,y\n1,2\n",
        "I,am\nyou,are\nwe,be\n",
    )
    for other in others:
        assert not is_table(other.encode()), other
    assert not is_table(b"I,II\n1,2\0")
    assert not is_table(bytes(range(256)) * 16)


def test_mutated_and_cut_text_gives_an_error_or_a_plausible_ecg() -> None:
    rows = "".join(f"{k},{k % 7 - 3.5},{k % 11}\n" for k in range(60))
    content = f"# fs: 250\n# unit: uV\n# age: 50\nsample,V1,V2\n{rows}".encode()
    rng = np.random.default_rng(5)
    for k in range(600):
        other = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            other[rng.integers(0, len(other))] = rng.integers(0, 256)
        cut = bytes(other) if k % 2 else content[: rng.integers(0, len(content))]
        try:
            ecg = csv(cut)
        except EcgError as error:
            assert "\n" not in str(error)
        else:
            assert ecg.signal_uv.shape[1] <= 60


# ---------------------------------------------------------------- numpy's files


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def as_npz(content: bytes, **asked: Any) -> Ecg:
    return read_npz(File("some.npz", data=content), Asked(**asked))


def as_npy(content: bytes, **asked: Any) -> Ecg:
    return read_npy(File("some.npy", data=content), Asked(**asked))


def test_npz() -> None:
    values = signal()
    ecg = as_npz(npz(signal_uv=values, fs=500, leads=["V1", "V2"], sex="male", age=50, name="Maria Muster"))
    assert np.array_equal(ecg.signal_uv, values)
    assert (ecg.leads, ecg.fs, ecg.subject) == (("V1", "V2"), 500.0, Subject("male", 50.0))
    ecg = as_npz(npz(signal=values.T.astype("f4"), fs=500, leads=["V1", "V2"], unit="mV"))
    assert np.array_equal(ecg.signal_uv, values.astype("f4").astype(float) * 1000)
    assert is_npz(npz(signal=values)[:4096])
    assert not is_npz(b"PK\x03\x04" + bytes(100))
    for given, asked, says in (
        ({"signal": values, "leads": ["V1", "V2"], "fs": 500}, {}, "unit="),
        ({"signal_uv": values, "leads": ["V1", "V2"], "unit": "mV", "fs": 500}, {}, "only one can be true"),
        ({"signal_uv": values, "leads": ["V1", "V2"], "fs": 500}, {"unit": "mV"}, "states the unit uV, but unit='mV' was given"),
        ({"signal_uv": values, "leads": ["V1", "V2"], "fs": 500}, {"fs": 250}, "fs=250"),
        ({"signal_uv": values, "fs": 500}, {}, "needs 'leads'"),
        ({"signal_uv": values, "signal": values, "leads": ["V1", "V2"], "fs": 500}, {}, "one of"),
        ({"signal_uv": values.astype(complex), "leads": ["V1", "V2"], "fs": 500}, {}, "complex"),
        ({"signal_uv": values, "leads": ["V1"], "fs": 500}, {}, "1 leads are named"),
        ({"signal_uv": values[:, :2], "leads": ["V1", "V2"], "fs": 500}, {}, "both axes"),
        ({"signal_uv": [["1", "2"]], "leads": ["V1"], "fs": 500}, {}, "plain real numbers"),
    ):
        with pytest.raises(EcgError, match=says):
            as_npz(npz(**given), **asked)


def test_npy() -> None:
    values = signal()
    assert is_npy(npy(values))
    ecg = as_npy(npy(np.asfortranarray(values)), fs=500, unit="mV", rename={"0": "V1", "1": "V2"})
    assert np.array_equal(ecg.signal_uv, values * 1000)
    named = np.zeros(100, dtype=[("V1", "f4"), ("V2", "i2")])
    assert as_npy(npy(named), fs=500, unit="uV").leads == ("V1", "V2")
    with pytest.raises(EcgError, match="which lead is which"):
        as_npy(npy(values), fs=500, unit="mV")
    with pytest.raises(EcgError, match="every row by its number"):
        as_npy(npy(values), fs=500, unit="mV", rename={"1": "V1", "2": "V2"})
    with pytest.raises(EcgError, match="sampling rate"):
        as_npy(npy(values), unit="mV", rename={"0": "V1", "1": "V2"})


def test_nothing_is_unpickled() -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return pytest.fail, ("it was unpickled",)

    array = np.array([[Trap(), Trap()]], dtype=object)
    with pytest.raises(EcgError, match="type object"):
        as_npy(npy(array), fs=500, unit="uV", rename={"0": "I"})
    with pytest.raises(EcgError, match="type object"):
        as_npz(npz(signal_uv=array, fs=500, leads=["I"]))


def member(shape: str, body: bytes) -> bytes:
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body


def test_bombs_are_refused_without_growth() -> None:
    def packed(name: str, content: bytes) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("leads.npy", npy(np.array(["V1"])))
            archive.writestr("fs.npy", npy(np.array(500.0)))
            archive.writestr(name, content)
        return stream.getvalue()

    bomb = packed("signal_uv.npy", bytes(200_000_000))
    size = struct.pack("<I", 200_000_000)
    for content in (
        bomb,
        bomb.replace(size, struct.pack("<I", 1000)),  # the size that is told is a lie
        packed("signal_uv.npy", member("(1, 10000000000000)", bytes(80))),
        packed("signal_uv.npy", member("(" + "1, " * 5000 + ")", b"")),
        packed("age.npy", bytes(50_000_000)),
        packed("signal_uv.npy", member("(1, -5)", bytes(40))),
    ):
        tracemalloc.start()
        with pytest.raises(EcgError):
            as_npz(content)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * 2**20
    with pytest.raises(EcgError, match="needs"):
        as_npy(member("(1, 10000000000000)", bytes(80)), fs=500, unit="uV", rename={"0": "I"})


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_mutated_and_cut_numpy_files(kind: str) -> None:
    values = np.round(signal(2, 30))
    content = npy(values) if kind == "npy" else npz(signal_uv=values, fs=500, leads=["V1", "V2"])
    rng = np.random.default_rng(6)
    for k in range(400):
        other = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            other[rng.integers(0, min(len(other), 700))] = rng.integers(0, 256)
        cut = bytes(other) if k % 2 else content[: rng.integers(0, len(content))]
        try:
            ecg = as_npz(cut) if kind == "npz" else as_npy(cut, fs=500, unit="uV", rename={"0": "V1", "1": "V2"})
        except EcgError as error:
            assert "\n" not in str(error)
        else:
            assert np.nanmax(np.abs(ecg.signal_uv)) <= 600_000


# ---------------------------------------------------------------- Parquet


def parquet(columns: dict[str, Any], told: Any = None, units: dict[str, str] | None = None) -> bytes:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")
    import pyarrow.parquet as pq

    arrays = [pa.array(values) for values in columns.values()]
    fields = [
        pa.field(name, array.type, metadata={"unit": units[name]} if units and name in units else None)
        for name, array in zip(columns, arrays, strict=True)
    ]
    metadata = None if told is None else {"ecgspasm": told if isinstance(told, bytes) else json.dumps(told)}
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata)), stream)
    return stream.getvalue()


def as_parquet(content: bytes, **asked: Any) -> Ecg:
    return read_parquet(File("some.parquet", data=content), Asked(**asked))


def test_parquet_states_or_is_told() -> None:
    values = signal()
    columns = {"V1": values[0], "V2": values[1], "note": ["x"] * 500}
    assert is_parquet(parquet(columns))
    ecg = as_parquet(parquet(columns, {"fs": 500, "unit": "mV", "sex": "female", "name": "Maria Muster"}))
    assert np.array_equal(ecg.signal_uv, values * 1000)
    assert ecg.subject == Subject("female")
    assert "Muster" not in f"{ecg!r} {vars(ecg)}"
    assert np.array_equal(as_parquet(parquet(columns, units={"V1": "uV", "V2": "mV"}), fs=500)["V2"], values[1] * 1000)
    assert as_parquet(parquet({"time_ms": np.arange(500) * 4, "V1 (uV)": values[0]})).fs == 250
    assert np.isnan(as_parquet(parquet({"V1": [1, None, 3]}), fs=500, unit="uV")["V1"][1])
    stream = io.BytesIO()
    pd.DataFrame(values.T, columns=["V1", "V2"]).to_parquet(stream)
    assert as_parquet(stream.getvalue(), fs=500, unit="uV").leads == ("V1", "V2")
    for told, asked, says in (
        ({"fs": 500}, {}, "unit="),
        ({"unit": "uV"}, {}, "sampling rate"),
        ({"fs": 500, "unit": "uV"}, {"fs": 400}, "fs=400"),
        ({"fs": 500, "unit": "uV"}, {"unit": "mV"}, "states the unit uV, but unit='mV' was given; leave unit= out"),
        (b"{", {}, "no JSON"),
        (b"[" * 5000, {}, "no JSON"),
        ([1], {}, "no JSON object"),
    ):
        with pytest.raises(EcgError, match=says):
            as_parquet(parquet(columns, told), **asked)
    with pytest.raises(EcgError, match="has to hold numbers"):
        as_parquet(parquet({"V1": ["1", "2"]}), fs=500, unit="uV")


def test_times_in_parquet() -> None:
    values = signal()[0]
    for name, times in {"time": np.arange(500) * 4, "t": np.arange(500) / 250, "time_ms": np.arange(500) * 4}.items():
        assert as_parquet(parquet({name: times, "V1": values}), fs=250, unit="uV").fs == 250
        with pytest.raises(EcgError, match=r"neither in s nor|only one can be true"):
            as_parquet(parquet({name: times, "V1": values}), fs=500, unit="uV")
    clock = pd.date_range("2024-01-01", periods=500, freq="4ms").to_numpy()
    assert as_parquet(parquet({"time": clock, "V1": values}), unit="uV").fs == 250
    with pytest.raises(EcgError, match="times are those of 250 Hz"):
        as_parquet(parquet({"time": clock, "V1": values}), fs=500, unit="uV")


def test_parquet_of_many_rows_is_refused_by_its_footer() -> None:
    content = parquet({"V1": np.zeros(13_000_000, dtype="i1")})
    assert len(content) < 100_000
    tracemalloc.start()
    with pytest.raises(EcgError, match="13000000 rows"):
        as_parquet(content, fs=500, unit="uV")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 2**20


def test_mutated_and_cut_parquet() -> None:
    content = parquet({"V1": np.round(signal(1, 40)[0]), "V2": np.arange(40)}, {"fs": 500, "unit": "uV"})
    rng = np.random.default_rng(7)
    for k in range(400):
        other = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            other[rng.integers(0, len(other))] = rng.integers(0, 256)
        cut = bytes(other) if k % 2 else content[: rng.integers(0, len(content))]
        try:
            ecg = as_parquet(cut)
        except EcgError as error:
            assert "\n" not in str(error)
        else:
            assert np.nanmax(np.abs(ecg.signal_uv), initial=0) <= 600_000


# ---------------------------------------------------------------- arrays in memory


def test_arrays_in_either_order() -> None:
    values = signal(3)
    for given in (values, values.T, values.tolist()):
        ecg = from_array(given, fs=500, unit="mV", leads=["V1", "V2", "V3"])
        assert np.array_equal(ecg.signal_uv, values * 1000)
    assert from_array([1.0, 2.0], fs=500, unit="uV", leads=["II"]).signal_uv.shape == (1, 2)
    ecg = from_array(values[:2], fs=float(np.float32(500)), unit="uV", leads=["I", "II"], subject=Subject("male"), derived=[])
    assert (ecg.leads, ecg.subject.sex, ecg.derived) == (("I", "II"), "male", ())
    assert len(from_array(values[:2], fs=500, unit="uV", leads=["I", "II"]).leads) == 6
    single = values.astype(np.float32)
    assert np.array_equal(from_array(single, fs=500, unit="mV", leads=["V1", "V2", "V3"]).signal_uv, single.astype(float) * 1000)


def test_the_array_is_copied() -> None:
    values = signal(1)
    ecg = from_array(values, fs=500, unit="uV", leads=["V1"])
    before = ecg["V1"].copy()
    values[:] = 0
    assert np.array_equal(ecg["V1"], before)


@pytest.mark.parametrize(
    ("values", "given", "says"),
    [
        (np.zeros((2, 2)), {"leads": ["I", "II"]}, "both axes"),
        (np.zeros((3, 9)), {"leads": ["I", "II"]}, "2 leads are named"),
        (np.zeros((2, 9)), {}, "name them"),
        (np.zeros((2, 9)), {"leads": "I"}, "name them"),
        (np.zeros((2, 9)), {"leads": ["I", "II"], "fs": None}, "sampling rate"),
        (np.zeros((2, 9)), {"leads": ["I", "II"], "unit": None}, "unit="),
        (np.zeros((2, 9)), {"leads": ["I", "II"], "unit": "mmHg"}, "unit is"),
        (np.zeros((2, 9)), {"leads": ["I", "II"], "fs": "500"}, "fs is"),
        (np.zeros((2, 9)), {"leads": ["I", "II"], "derived": "III"}, "give a list"),
        (np.zeros((2, 9), complex), {"leads": ["I", "II"]}, "complex"),
        ([["a", "b", "c"]], {"leads": ["I"]}, "type <U1"),
        ([[1, 2, 3], [1]], {"leads": ["I", "II"]}, "no array"),
        ([[1, None, object()]], {"leads": ["I"]}, "no numbers"),
        ([[1, np.inf, 2]], {"leads": ["I"]}, "infinite"),
        (np.zeros((1, 0)), {"leads": ["I"]}, "0 samples"),
        (None, {"leads": ["I"]}, "axes|no numbers"),
        (pd.DataFrame({"I": [1.0, 2.0]}), {"leads": ["I"]}, "leave leads= out"),
        (pd.DataFrame(), {}, "no column"),
        (pd.DataFrame({"q": [1.0, 2.0]}), {}, "rename"),
    ],
)
def test_arrays_that_cannot_be_are_refused(values: Any, given: dict[str, Any], says: str) -> None:
    with pytest.raises(EcgError, match=says):
        from_array(values, **(dict[str, Any](fs=500, unit="uV") | given))


def test_frames() -> None:
    values = signal()
    frame = pd.DataFrame(values.T, columns=["V1", "V2"])
    assert np.array_equal(from_array(frame, fs=500, unit="uV").signal_uv, values)
    timed = frame.assign(time_ms=np.arange(500) * 2.0).rename(columns={"V1": "V1 (mV)"})
    ecg = from_array(timed[["time_ms", "V1 (mV)"]])
    assert (ecg.fs, ecg.leads) == (500.0, ("V1",))
    clock = frame.set_index(pd.date_range("2024-01-01", periods=500, freq="4ms"))
    assert from_array(clock, unit="uV").fs == 250.0
    with pytest.raises(EcgError, match="only one can be true"):
        from_array(clock, unit="uV", fs=500)
    for times in (pd.date_range("2024-01-01", periods=500, freq="4ms", tz="UTC"), np.arange(500) * 4, np.arange(500) / 250):
        for given in (frame.assign(time=times), frame.set_index(pd.Index(times, name="t"))):
            assert from_array(given, unit="uV", fs=250).leads == ("V1", "V2")
            with pytest.raises(EcgError, match=r"neither in s nor|only one can be true"):
                from_array(given, unit="uV", fs=500)
    with pytest.raises(EcgError, match="only one can be true"):
        from_array(clock.assign(time_ms=np.arange(500) * 2.0), unit="uV")
    frame.attrs = {"fs": 360, "unit": "mV"}
    assert from_array(frame).fs == 360.0
    with pytest.raises(EcgError, match="fs=100"):
        from_array(frame, fs=100)


def test_labelled_arrays() -> None:
    xr = pytest.importorskip("xarray", reason="xarray is not installed")
    values = signal()
    array = xr.DataArray(values.T, dims=("time", "lead"), coords={"lead": ["V1", "V2"]}, attrs={"fs": 500, "units": "mV"})
    assert np.array_equal(from_array(array).signal_uv, values * 1000)
    timed = xr.DataArray(values, dims=("channel", "time"), coords={"channel": ["V1", "V2"], "time": np.arange(500) / 250})
    with pytest.raises(EcgError, match="sampling rate"):
        from_array(timed, unit="uV")
    assert from_array(timed, unit="uV", fs=250).fs == 250.0
    with pytest.raises(EcgError, match="neither in s nor in ms"):
        from_array(timed, unit="uV", fs=500)
    timed["time"].attrs["units"] = "s"
    assert from_array(timed, unit="uV").fs == 250.0
    assert from_array(xr.DataArray(values, dims=("lead", "time")), leads=["V1", "V2"], fs=500, unit="uV").leads == ("V1", "V2")
    for wrong, says in ((array[:, 0], "two: lead and time"), (xr.DataArray(values, dims=("a", "b")), "call them lead and time")):
        with pytest.raises(EcgError, match=says):
            from_array(wrong, fs=500, unit="uV")
    with pytest.raises(EcgError, match="no names of leads"):
        from_array(xr.DataArray(values, dims=("lead", "time")), fs=500, unit="uV")
