"""Tables and arrays with one thing wrong: CSV, TSV, NumPy, Parquet, HDF5, and what has to be said of each."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.corpus import lying_tables
from tests.corpus.case import Bad, Make
from tests.corpus.sound_files import FS, LEADS, MADE, npy, npz, parquet, steps

_TOLD = "# fs: 500\n# unit: uV\n"
_BODY = "\n".join(f"{i},{-i}" for i in range(1, 1500)) + "\n"


def _put(name: str, content: str | bytes | Callable[[], str | bytes]) -> Make:
    def make(folder: Path) -> Path:
        made = content() if callable(content) else content
        (folder / name).write_bytes(made.encode("utf-8") if isinstance(made, str) else made)
        return folder / name

    return make


CSV: dict[str, tuple[str | bytes | Callable[[], str], str]] = {
    "no rate": ("# unit: uV\nI,V2\n" + _BODY, "sampling rate"),
    "no unit": ("# fs: 500\nI,V2\n" + _BODY, "unit"),
    "rate 0": ("# fs: 0\n# unit: uV\nI,V2\n" + _BODY, "between 50 and 10000"),
    "rate 49": ("# fs: 49\n# unit: uV\nI,V2\n" + _BODY, "between 50 and 10000"),
    "rate 10001": ("# fs: 10001\n# unit: uV\nI,V2\n" + _BODY, "between 50 and 10000"),
    "rate nan": ("# fs: nan\n# unit: uV\nI,V2\n" + _BODY, "fs is nan"),
    "rate in words": ("# fs: fast\n# unit: uV\nI,V2\n" + _BODY, "no number"),
    "rate huge": ("# fs: 1e999\n# unit: uV\nI,V2\n" + _BODY, "fs is inf"),
    "two rates": ("# fs: 500\n# sampling rate: 250\n# unit: uV\nI,V2\n" + _BODY, "stated twice"),
    "one rate twice": ("# fs: 500\n# fs: 250\n# unit: uV\nI,V2\n" + _BODY, "stated twice"),
    "unit mmHg": ("# fs: 500\n# unit: mmHg\nI,V2\n" + _BODY, "'mmHg'"),
    "two units": ("# fs: 500\n# unit: mV\nI (uV),V2 (uV)\n" + _BODY, "only one can be true"),
    "unit volt": ("# fs: 500\n# unit: V\nI,V2\n" + _BODY, "which no electrode gives"),
    "microvolts as mV": ("# fs: 500\n# unit: mV\nI,V2\n" + _BODY, "which no electrode gives"),
    "millivolts as uV": (_TOLD + "I,V2\n" + "".join(f"{np.sin(i):.3f},1\n" for i in range(1500)), "flag:in mV instead"),
    "age 900": (_TOLD + "# age: 900\nI,V2\n" + _BODY, "age is"),
    "age in words": (_TOLD + "# age: old\nI,V2\n" + _BODY, "no number"),
    "date in words": (_TOLD + "# recorded_at: yesterday\nI,V2\n" + _BODY, "recorded_at"),
    "derived of nothing": (_TOLD + "# derived: V9\nI,V2\n" + _BODY, "derived"),
    "quoted key cut": (_TOLD + '# key: "x\nI,V2\n' + _BODY, "quoted text"),
    "no leads": (_TOLD + "a,b\n" + _BODY, "format is unknown"),
    "lead twice": (_TOLD + "V2,v2\n" + _BODY, "given twice"),
    "one lead unknown": (_TOLD + "I,banana\n" + _BODY, "no lead is named 'banana'"),
    "no rows": (_TOLD + "I,V2\n", "no sample"),
    "a cell too few": (_TOLD + "I,V2\n1,2\n" * 1 + "3\n" + _BODY, "one cell a column"),
    "a cell too many": (_TOLD + "I,V2\n1,2,3\n" + _BODY, "one cell a column"),
    "a word": (_TOLD + "I,V2\n" + _BODY + "x,2\n", "no number"),
    "hexadecimal": (_TOLD + "I,V2\n" + _BODY + "0x10,2\n", "no number"),
    "a formula": (_TOLD + "I,V2\n" + _BODY + "=1+1,2\n", "no number"),
    "infinite": (_TOLD + "I,V2\n" + _BODY + "inf,2\n", "infinite"),
    "1e999": (_TOLD + "I,V2\n" + _BODY + "1e999,2\n", "infinite"),
    "an empty row": (_TOLD + "I,V2\n1,2\n\n" + _BODY, "one cell a column"),
    "points and commas": (_TOLD + "I;V2\n1.000,5;2\n" * 1 + "1;2\n" * 99, "points and commas"),
    "nul": ((_TOLD + "I,V2\n" + _BODY).encode() + b"\0", "UTF-8|format is unknown"),
    "utf-16": ((_TOLD + "I,V2\n" + _BODY).encode("utf-16"), "format is unknown"),
    "times backwards": (_TOLD + "time_s,V2\n" + "".join(f"{-i / 500},5\n" for i in range(999)), "do not grow"),
    "times stand": (_TOLD + "time_s,V2\n" + "1,5\n" * 999, "do not grow"),
    "a time lost": (_TOLD + "time_s,V2\n" + "".join(f"{i / 500},5\n" for i in range(999) if i != 500), "not all alike"),
    "times of another rate": (_TOLD + "time_s,V2\n" + "".join(f"{i / 250},5\n" for i in range(999)), "only one can be true"),
    "samples not in order": (_TOLD + "sample,V2\n" + "".join(f"{i % 100},5\n" for i in range(999)), "go up by one"),
    "300 columns": (_TOLD + ",".join(["V2", *(f"x{i}" for i in range(299))]) + "\n" + ",".join("1" * 300) + "\n", "columns"),
    "one lead of words": (_TOLD + "I,V2\n" + "1,good\n" * 999, "no number"),
    "million empty lines": (lambda: _TOLD + "I,V2\n" + "\n" * 1_000_000 + "1,2\n", "one cell a column"),
    "million comment lines": (lambda: "# x\n" * 1_000_000 + "I,V2\n" + _BODY, "no row of lead names|format is unknown"),
    "a line of 10 MB": (lambda: _TOLD + "I,V2\n" + "1" * 10_000_000 + ",2\n" * 9, "longer than"),
    "a name of 10 MB": (lambda: _TOLD + "I," + "V" * 10_000_000 + "\n" + _BODY, "longer than"),
    "20 million short lines": (lambda: _TOLD + "V2\n" + "1\n" * 20_000_000, "at once|samples"),
    "60 MB of empty lines": (lambda: _TOLD + "V2\n1\n" + "\n" * 60_000_000 + "2", "at once"),
    "9 million empty lines": (lambda: _TOLD + "V2\n1\n" + "\n" * 9_000_000 + "2", "one cell a column"),
    "two cells in a table of one column": (_TOLD + "V2\n" + "1\n" * 999 + "1,2\n", "one cell a column"),
    "60 MB of separators": (lambda: _TOLD + "I,V2\n" + "," * 60_000_000, "longer than"),
}


def _changed_npy(**header: Any) -> bytes:
    text = str({"descr": "<i2", "fortran_order": False, "shape": (1500, 5)} | header).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text + npy()[128:]


def _saved(array: Any, *, pickled: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=pickled)
    return out.getvalue()


class _Bomb:
    def __reduce__(self) -> Any:
        return eval, ("__import__('os')._exit(7)",)


NPY: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "objects": (lambda: _saved(np.array([[_Bomb()]], dtype=object), pickled=True), "of type object"),
    "a pickle behind a head of objects": (lambda: _changed_npy(descr="|O")[:128] + pickle.dumps(_Bomb()), "of type object"),
    "complex": (lambda: _saved(np.ones((1500, 5), complex)), "of type complex128"),
    "text": (lambda: _saved(np.full((1500, 5), "x")), "of type <U1"),
    "dates": (lambda: _saved(np.zeros((1500, 5), "M8[s]")), "of type datetime64"),
    "too large a shape": (_changed_npy(shape=(2**40, 5)), "needs"),
    "negative shape": (_changed_npy(shape=(-1500, 5)), "needs"),
    "shape of zeros": (_changed_npy(shape=(0, 5)), "needs"),
    "shape of floats": (_changed_npy(shape=(1500.0, 5)), "damaged"),
    "three axes": (lambda: _saved(np.zeros((5, 30, 50), "<i2")), "3 axes"),
    "one axis": (lambda: _saved(np.zeros(7500, "<i2")), "1 axes"),
    "other number of leads": (lambda: _saved(np.zeros((1250, 6), "<i2")), "5 leads are named"),
    "both axes": (lambda: _saved(np.zeros((5, 5), "<i2")), "both axes"),
    "no samples": (lambda: _saved(np.zeros((0, 5), "<i2")), "cannot be read|no recording has"),
    "cut": (npy()[:-1], "needs"),
    "longer": (npy() + b"\0", "needs"),
    "cut in the head": (npy()[:40], "damaged"),
    "code in the head": (npy().replace(b"'<i2'", b"print", 1), "damaged"),
    "deep head": (b"\x93NUMPY\x01\0\xff\xff" + b"(" * 65535, "damaged"),
    "version 9": (b"\x93NUMPY\x09\0" + npy()[8:], "damaged|format 9"),
    "version 3": (b"\x93NUMPY\x03\0" + npy()[8:], "format 3.0"),
    "head of 4 GB": (b"\x93NUMPY\x02\0\xff\xff\xff\xff" + npy()[12:], "damaged"),
    "infinite": (lambda: _saved(np.full((1500, 5), np.inf)), "infinite"),
    "huge": (lambda: _saved(np.full((1500, 5), 1e300)), "which no electrode gives|infinite"),
    "nan only": (lambda: _saved(np.full((1500, 5), np.nan)), "flag:no sample in this lead"),
    "microvolts as nanovolts": (lambda: _saved(np.full((1500, 5), 1e-3)), "flag:flat line"),
}


def _zipped(**members: bytes | Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content if isinstance(content, bytes) else _saved(content))
    return out.getvalue()


def _npz(**changes: Any) -> bytes:
    members = {"signal": steps().astype("f4"), "leads": np.array(LEADS), "fs": np.array(500.0), "unit": np.array("uV")} | changes
    return _zipped(**{name: value for name, value in members.items() if value is not None})


def _lying_zip(size: int) -> bytes:
    """A zip whose directory tells another size than what comes out."""
    data = bytearray(npz())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"leads.npy"))
    data[at + 24 : at + 28] = size.to_bytes(4, "little")
    return bytes(data)


NPZ: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "no leads": (lambda: _npz(leads=None), "needs 'leads'"),
    "no signal": (lambda: _npz(signal=None), "needs 'leads'"),
    "two signals": (lambda: _npz(signal_uv=steps()), "one of 'signal_uv' and 'signal'"),
    "no rate": (lambda: _npz(fs=None), "sampling rate"),
    "no unit": (lambda: _npz(unit=None), "unit"),
    "rate 1e6": (lambda: _npz(fs=np.array(1e6)), "between 50 and 10000"),
    "rates": (lambda: _npz(fs=np.array([500.0, 250.0])), "no number"),
    "unit kg": (lambda: _npz(unit=np.array("kg")), "'kg'"),
    "volts": (lambda: _npz(unit=np.array("V")), "which no electrode gives"),
    "unknown lead": (lambda: _npz(leads=np.array([*LEADS[:4], "banana"])), "no lead is named 'banana'"),
    "lead twice": (lambda: _npz(leads=np.array([*LEADS[:4], "I"])), "given twice"),
    "four names": (lambda: _npz(leads=np.array(LEADS[:4])), "4 leads are named"),
    "pickled leads": (lambda: _npz(leads=_saved(np.array([_Bomb()], dtype=object), pickled=True)), "of type object"),
    "pickled signal": (lambda: _npz(signal=_saved(np.array([_Bomb()], dtype=object), pickled=True)), "of type object"),
    "no array": (lambda: _npz(leads=b"I II V1"), "damaged"),
    "bomb of names": (lambda: _npz(leads=bytes(50_000_000)), "would unpack to"),
    "bomb of samples": (lambda: _npz(signal=bytes(150_000_000)), "would unpack to"),
    "99 members": (lambda: _npz(**{f"x{i}": np.zeros(1) for i in range(99)}), "at most 64"),
    "cut": (npz()[:-30], "cannot be unpacked"),
    "directory only": (npz()[npz().index(b"PK\x01\x02") :], "is packed|format is unknown|cannot be unpacked"),
    "a bit": (npz()[:200] + bytes([npz()[200] ^ 1]) + npz()[201:], "cannot be unpacked"),
    "smaller than told": (lambda: _lying_zip(2**31), "would unpack to|cannot be unpacked"),
    "larger than told": (lambda: _lying_zip(64), "damaged|cannot be unpacked|needs"),
}


def _table(columns: dict[str, Any], facts: Any = None, **how: Any) -> bytes:
    import pyarrow
    from pyarrow import parquet as file

    table = pyarrow.table(columns)
    told = {"fs": FS, "unit": "uV"} if facts is None else facts
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    out = io.BytesIO()
    file.write_table(table.replace_schema_metadata({b"ecgspasm": raw}), out, **how)
    return out.getvalue()


_COLUMNS = dict(zip(LEADS, steps().astype("i2"), strict=True))

PARQUET: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "no rate": (lambda: _table(_COLUMNS, {"unit": "uV"}), "sampling rate"),
    "no unit": (lambda: _table(_COLUMNS, {"fs": 500}), "unit"),
    "rate 20": (lambda: _table(_COLUMNS, {"fs": 20, "unit": "uV"}), "between 50 and 10000"),
    "rate true": (lambda: _table(_COLUMNS, {"fs": "yes", "unit": "uV"}), "no number"),
    "unit kPa": (lambda: _table(_COLUMNS, {"fs": 500, "unit": "kPa"}), "'kPa'"),
    "volts": (lambda: _table(_COLUMNS, {"fs": 500, "unit": "V"}), "which no electrode gives"),
    "facts no JSON": (lambda: _table(_COLUMNS, b"{"), "no JSON"),
    "facts a list": (lambda: _table(_COLUMNS, [1]), "no JSON object"),
    "facts deep": (lambda: _table(_COLUMNS, b"[" * 60_000), "no JSON"),
    "facts too large": (lambda: _table(_COLUMNS, b" " * 100_000), "larger than any"),
    "no columns of numbers": (lambda: _table({"I": ["a"] * 9}), "has to hold numbers"),
    "no leads": (lambda: _table({"a": [1.0] * 9}), "no lead is named 'a'"),
    "no rows": (lambda: _table({"I": np.zeros(0)}), "0 rows"),
    "lists": (lambda: _table({"I": [[1.0]] * 9}), "has to hold numbers"),
    "infinite": (lambda: _table({"I": [1.0, np.inf] * 999}), "infinite"),
    "nulls only": (lambda: _table({"I": np.full(2000, np.nan)}), "flag:no sample in this lead"),
    "lead twice": (lambda: _table({"I": np.zeros(9), "i": np.zeros(9)}), "given twice"),
    "20 million rows": (lambda: _table({"I": np.zeros(20_000_000, "i1")}), "at once"),
    "300 columns": (lambda: _table({f"x{i}": [1.0] for i in range(300)}), "at most 256"),
    "times with a gap": (lambda: _table({"time_ms": [0, 2, 4, 12, 14, 16] * 1, "I": [1.0] * 6}), "not all alike|grow"),
    "other times": (lambda: _table({"time_ms": np.arange(1500) * 4, "I": np.zeros(1500)}), "only one can be true"),
    "cut": (parquet()[:-9], "damaged or missing"),
    "cut in the middle": (parquet()[: len(parquet()) // 2], "damaged or missing"),
    "mark only": (b"PAR1", "damaged or missing"),
    "footer of 2 GB": (parquet()[:-8] + b"\xff\xff\xff\x7fPAR1", "damaged or missing"),
    "footer of zeros": (lambda: parquet()[:-600] + bytes(592) + parquet()[-8:], "footer is damaged|cannot decode"),
    "pages of zeros": (lambda: parquet()[:4] + bytes(3000) + parquet()[3004:], "header of a page is damaged|cannot decode"),
}


def _hdf5(change: Callable[[Any], None]) -> Callable[[], bytes]:
    def made() -> bytes:
        import h5py

        out = io.BytesIO()
        with h5py.File(out, "w") as file:
            change(file)
        return out.getvalue()

    return made


def _described(table: Any, **changes: Any) -> None:
    for name, value in ({"leads": " ".join(LEADS), "fs": 500, "unit": "uV"} | changes).items():
        if value is not None:
            table.attrs[name] = value


def _with(**changes: Any) -> Callable[[], bytes]:
    return _hdf5(lambda file: _described(file.create_dataset("signal", data=steps().astype("i2")), **changes))


def _of(data: Any, **how: Any) -> Callable[[], bytes]:
    return _hdf5(lambda file: _described(file.create_dataset("signal", data=data, **how)))


def _chunk_bomb(file: Any) -> None:
    table = file.create_dataset("signal", (5, 1500), "i2", chunks=(5, 1500), compression="gzip")
    _described(table)
    table.id.write_direct_chunk((0, 0), zlib.compress(bytes(40_000_000), 9))


def _chunk_bomb_without_shuffle(file: Any) -> None:
    table = file.create_dataset("signal", (5, 1500), "i2", chunks=(5, 1500), compression="gzip", shuffle=True)
    _described(table)
    table.id.write_direct_chunk((0, 0), zlib.compress(bytes(18_000_000), 9), filter_mask=1)


def _short_chunk(file: Any) -> None:
    table = file.create_dataset("signal", (5, 1500), "i2", chunks=(5, 1500), compression="gzip")
    _described(table)
    table.id.write_direct_chunk((0, 0), bytes(100), filter_mask=1)


def _external(file: Any) -> None:
    _described(file.create_dataset("signal", (5, 1500), "i2", external=[("/etc/passwd", 0, 15_000)]))


def _virtual(file: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout((5, 1500), "i2")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (5, 1500))
    _described(file.create_virtual_dataset("signal", layout))


def _link_away(file: Any) -> None:
    import h5py

    file["signal"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft_link(file: Any) -> None:
    import h5py

    file["signal"] = h5py.SoftLink("/signal")


def _many(file: Any) -> None:
    for number in range(1001):
        file.create_group(str(number))


def _two(file: Any) -> None:
    for name in ("a", "b"):
        _described(file.create_dataset(name, data=steps()))


def _exams(file: Any) -> None:
    file["exam_id"] = np.arange(3)
    file["tracings"] = np.ones((3, 4096, 12), "f4")


def _sound_hdf5() -> bytes:
    return MADE["HDF5"]().content


HDF5: dict[str, tuple[Callable[[], bytes], str]] = {
    "no leads": (_with(leads=None), "no attribute 'leads'"),
    "no rate": (_with(fs=None), "sampling rate"),
    "no unit": (_with(unit=None), "unit"),
    "rate 30": (_with(fs=30), "between 50 and 10000"),
    "rate in words": (_with(fs="fast"), "no number"),
    "rate of two": (_with(fs=[500, 250]), "no number"),
    "unit Pa": (_with(unit="Pa"), "'Pa'"),
    "volts": (_with(unit="V"), "which no electrode gives"),
    "unknown lead": (_with(leads="I II V1 V2 banana"), "no lead is named 'banana'"),
    "lead twice": (_with(leads="I II V1 V2 I"), "given twice"),
    "four leads": (_with(leads="I II V1 V2"), "4 leads are named"),
    "leads a number": (_with(leads=5), "leads are named|1 leads"),
    "text of 1 MB as attribute": (_hdf5(lambda file: file.attrs.__setitem__("fs", np.bytes_(b"5" * 60_000))), "table of"),
    "long text as leads": (_with(leads="V2 " * 30_000), "longer than any"),
    "of words": (_of(np.full((5, 9), b"x")), "no table"),
    "complex": (_of(np.ones((5, 1500), complex)), "no table"),
    "three axes": (_of(np.zeros((5, 10, 10))), "no table"),
    "infinite": (_of(np.full((5, 1500), np.inf)), "infinite"),
    "nothing": (_hdf5(lambda _: None), "no table"),
    "two tables": (_hdf5(_two), "choose one"),
    "exams without a choice": (_hdf5(_exams), "choose one by its exam_id"),
    "never written": (_hdf5(lambda file: _described(file.create_dataset("signal", (5, 9), "i2"))), "never written"),
    "partly written": (
        _hdf5(lambda file: _described(file.create_dataset("signal", (5, 99), "i2", chunks=(5, 9)))),
        "never written",
    ),
    "chunk bomb": (_hdf5(_chunk_bomb), "15000 are due"),
    "chunk bomb without shuffle": (_hdf5(_chunk_bomb_without_shuffle), "15000 bytes it should have"),
    "short chunk that is not packed": (_hdf5(_short_chunk), "15000 bytes it should have"),
    "shape of ages": (
        _hdf5(lambda file: _described(file.create_dataset("signal", (5, 2**40), "i2", chunks=(5, 1000)))),
        "at once|no recording has|never written",
    ),
    "other filter": (_of(steps(), compression="lzf"), "filters"),
    "external storage": (_hdf5(_external), "lie in other files"),
    "virtual": (_hdf5(_virtual), "lie in other files"),
    "link to another file": (_hdf5(_link_away), "no table"),
    "link to itself": (_hdf5(_soft_link), "no table"),
    "many members": (_hdf5(_many), "more than 1000"),
    "cut": (lambda: _sound_hdf5()[:-100], "cannot decode"),
    "head only": (lambda: _sound_hdf5()[:96], "cannot decode"),
    "mark only": (lambda: _sound_hdf5()[:8], "cannot decode"),
    "zeros in it": (lambda: _sound_hdf5()[:96] + bytes(700) + _sound_hdf5()[796:], "cannot decode|no table"),
}


def cases() -> Iterator[Bad]:
    """All of them."""
    for name, (text, says) in (CSV | lying_tables.CSV).items():
        yield Bad(f"CSV: {name}", _put("x.csv", text), says)
    asked = MADE["npy"]().asked
    for name, (content, says) in NPY.items():
        yield Bad(f"npy: {name}", _put("x.npy", content), says, asked)
    for name, (content, says) in (NPZ | lying_tables.NPZ).items():
        yield Bad(f"npz: {name}", _put("x.npz", content), says)
    for name, (content, says) in (PARQUET | lying_tables.PARQUET).items():
        # what is too long to be read at once can be opened
        ways = ("read",) if "at once" in says else ("read", "open")
        yield Bad(f"Parquet: {name}", _put("x.parquet", content), says, ways=ways)
    for name, (make, says) in HDF5.items():
        yield Bad(f"HDF5: {name}", _put("x.h5", make), says)
    sound = MADE["npy"]().content
    yield Bad("npy: names of nobody", _put("x.npy", sound), "name the rows", {"fs": 500, "unit": "uV"})
    yield Bad("npy: no rate", _put("x.npy", sound), "sampling rate", {"unit": "uV", "rename": asked["rename"]})
    yield Bad("npy: no unit", _put("x.npy", sound), "unit", {"fs": 500, "rename": asked["rename"]})
    yield Bad("npy: rate of nobody", _put("x.npy", sound), "between 50 and 10000", asked | {"fs": 5})
    yield Bad("npy: unit of nobody", _put("x.npy", sound), "give 'uV'", asked | {"unit": "furlong"})
    yield Bad("npy: rows that are not there", _put("x.npy", sound), "by its number", asked | {"rename": {"0": "I", "7": "II"}})
