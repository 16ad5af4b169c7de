"""Sound WFDB records in the styles of PhysioNet's sets, with a heart in them: what headers are mutated from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ecgspasm as es
from ecgspasm.io.wfdb.formats import BLOCK, needed_bytes
from ecgspasm.leads import STANDARD

FS, N = 500, 2000
BITS = {80: 8, 16: 16, 61: 16, 160: 16, 24: 24, 32: 32, 212: 12, 310: 10, 311: 10}


@cache
def heart(fs: int = FS, n: int = N) -> Any:
    """Steps of 1 uV, shape (lead, sample): twelve leads of which II = I + III holds exactly."""
    made = es.simulate.ecg(fs=fs, seed=11, duration_s=max(n / fs, 4.0)).ecg
    uv = np.rint(np.stack([made[lead] for lead in STANDARD])[:, :n]).astype(np.int64)
    uv[2] = uv[1] - uv[0]
    return uv


def checksum(row: Any) -> int:
    """As headers of WFDB have it."""
    return (int(row.sum()) + 0x8000) % 0x10000 - 0x8000


def packed(fmt: int, values: NDArray[np.int64]) -> bytes:
    """Samples as the standard lays them out, written apart from what reads them."""
    if fmt in (16, 24, 32):
        return b"".join(int(value).to_bytes(fmt // 8, "little", signed=True) for value in values)
    if fmt == 61:
        return b"".join(int(value).to_bytes(2, "big", signed=True) for value in values)
    if fmt in (80, 160):
        size = fmt // 80
        return b"".join((int(value) + 2 ** (8 * size - 1)).to_bytes(size, "little") for value in values)
    size, samples = BLOCK[fmt]
    bits = BITS[fmt]
    fields = [int(value) % 2**bits for value in values]
    fields += [0] * (-len(fields) % samples)
    out = b""
    for at in range(0, len(fields), samples):
        group = fields[at : at + samples]
        if fmt == 212:
            word = group[0] & 0xFF | (group[0] >> 8) << 8 | (group[1] >> 8) << 12 | (group[1] & 0xFF) << 16
        elif fmt == 310:
            third = group[2]
            word = group[0] << 1 | (third & 0x1F) << 11 | (group[1] << 1 | (third >> 5) << 11) << 16
        else:
            word = group[0] | group[1] << 10 | group[2] << 20
        out += word.to_bytes(size, "little")
    return out[: needed_bytes(fmt, len(values))]


def mat4(rows: Any) -> bytes:
    """A MATLAB file of version 4 with the one matrix ``val``, as the Challenges have it."""
    head = np.array([30, rows.shape[0], rows.shape[1], 0, 4], "<i4").tobytes() + b"val\0"
    return head + rows.T.astype("<i2").tobytes()


def _put(folder: Path, name: str, lines: list[str], files: dict[str, bytes]) -> Path:
    for file, content in files.items():
        (folder / file).write_bytes(content)
    path = folder / f"{name}.hea"
    path.write_text("\n".join(lines) + "\n")
    return path


def ptb_xl(folder: Path) -> Path:
    """Twelve leads at one gain, nothing else."""
    rows = heart()
    lines = [f"00001_hr.dat 16 1000.0(0)/mV 16 0 {r[0]} {checksum(r)} 0 {n}" for n, r in zip(STANDARD, rows, strict=True)]
    return _put(folder, "00001_hr", [f"00001_hr 12 {FS} {N}", *lines], {"00001_hr.dat": rows.T.astype("<i2").tobytes()})


def challenge(folder: Path) -> Path:
    """A header of the Challenges, with its date and comments, and a MATLAB file."""
    rows = heart()
    lines = [f"A0002.mat 16+24 1000/mV 16 0 {r[0]} {checksum(r)} 0 {n}" for n, r in zip(STANDARD, rows, strict=True)]
    told = ["#Age: 49", "#Sex: Female", "#Dx: 426783006", "#Rx: Unknown", "#Hx: Unknown", "#Sx: Unknown"]
    return _put(folder, "A0002", [f"A0002 12 {FS} {N} 12-May-2020 12:33:59", *lines, *told], {"A0002.mat": mat4(rows)})


def ludb(folder: Path) -> Path:
    """A header of LUDB, whose gains are the spans of the leads."""
    rows = heart()
    lines = []
    for name, row in zip(STANDARD, rows, strict=True):
        span = int(row.max() - row.min())
        lines.append(f"1.dat 16 {span}({int(row.min() + row.max()) // 2})/mV 0 0 {row[0]} {checksum(row)} 0 {name.lower()}")
    told = ["#<age>: 51", "#<sex>: F", "#<diagnoses>:", "#Rhythm: Sinus rhythm."]
    return _put(folder, "1", [f"1 12 {FS} {N}", *lines, *told], {"1.dat": rows.T.astype("<i2").tobytes()})


def mit(folder: Path) -> Path:
    """Two leads of a Holter in format 212 around an ADC zero of 1024."""
    rows = heart(360, 1800)[[1, 10]] // 5 + 1024
    lines = [f"100.dat 212 200 11 1024 {r[0]} {checksum(r)} 0 {n}" for n, r in zip(("MLII", "V5"), rows, strict=True)]
    told = ["# 69 M 1085 1629 x1", "# Aldomet, Inderal"]
    return _put(folder, "100", ["100 2 360 1800", *lines, *told], {"100.dat": packed(212, rows.T.reshape(-1))})


def ptb(folder: Path) -> Path:
    """Fifteen leads in two files, no checksums, names in small letters."""
    rows = np.concatenate([heart(1000, 4000), heart(1000, 4000)[[6, 1, 8]]]) * 2
    names = [*(lead.lower() for lead in STANDARD), "vx", "vy", "vz"]
    lines = [f"s0010_re.{'dat' if i < 12 else 'xyz'} 16 2000 16 0 0 0 0 {name}" for i, name in enumerate(names)]
    told = ["# age: 81", "# sex: female", "# ECG date: 01/10/1990"]
    files = {"s0010_re.dat": rows[:12].T.astype("<i2").tobytes(), "s0010_re.xyz": rows[12:].T.astype("<i2").tobytes()}
    return _put(folder, "s0010_re", ["s0010_re 15 1000 4000", *lines, *told], files)


def staff(folder: Path) -> Path:
    """Nine leads at 1000 Hz with time and date."""
    order = [6, 7, 8, 9, 10, 11, 0, 1, 2]
    rows = np.rint(heart(1000, 4000)[order] * 1.6).astype(np.int64)
    lines = [
        f"001a.dat 16 1600(0)/mV 16 0 {row[0]} {checksum(row)} 0 {STANDARD[at]}" for at, row in zip(order, rows, strict=True)
    ]
    return _put(folder, "001a", ["001a 9 1000 4000 11:22:33 01/02/1996", *lines], {"001a.dat": rows.T.astype("<i2").tobytes()})


def ours(folder: Path) -> Path:
    """What `es.write` writes."""
    made = es.simulate.ecg(fs=FS, seed=12, duration_s=4.0).ecg
    uv = np.stack([np.round(made[lead]) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")])
    ecg = es.Ecg(signal_uv=uv, fs=FS, leads=("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), subject=es.Subject("male", 60.0))
    return Path(es.write(ecg, folder / "ours.hea"))


def segments(folder: Path) -> Path:
    """A record of two segments; its own header is the one that is mutated."""
    for number in range(2):
        part = folder / f"part{number}"
        part.mkdir()
        (folder / f"seg{number}.hea").write_text(ptb_xl(part).read_text().replace("00001_hr", f"seg{number}"))
        (part / "00001_hr.dat").rename(folder / f"seg{number}.dat")
        shutil.rmtree(part)
    return _put(folder, "both", [f"both/2 12 {FS} {2 * N}", f"seg0 {N}", f"seg1 {N}"], {})


def many_segments(folder: Path, different: int, named: int, *, layout: bool = False) -> Path:
    """A record of two leads that names so many segments, some of them more than once; all have one signal file."""
    rows = heart()[[0, 7]][:, :100]
    lines = [f"s.dat 16 1000/mV 16 0 {r[0]} {checksum(r)} 0 {lead}" for r, lead in zip(rows, ("I", "V2"), strict=True)]
    files = {"s.dat": rows.T.astype("<i2").tobytes()}
    for number in range(different):
        _put(folder, f"s{number}", [f"s{number} 2 {FS} 100", *lines], files)
    told = [f"s{number % different} 100" for number in range(named)]
    if layout:
        _put(folder, "layout", [f"layout 2 {FS} 0", *(f"~ 0 1000/mV 16 0 0 0 0 {lead}" for lead in ("I", "V2"))], {})
        told = ["layout 0", *told]
    return _put(folder, "whole", [f"whole/{len(told)} 2 {FS} {100 * named}", *told], {})


def in_format(fmt: int, folder: Path, n: int = 600) -> tuple[Path, Path]:
    """A record of two leads in one of the formats; its header and its signal file."""
    rows = heart()[[0, 7]][:, np.linspace(0, N - 1, n).astype(int)] // 16
    # begins with its highest sample: of a turn to where all leads have the first values again, neither checksum nor
    # first samples tell
    rows = np.roll(rows, -int(rows[0].argmax()), axis=1)
    data = folder / "f.dat"
    if fmt in BITS:
        data.write_bytes(packed(fmt, rows.T.reshape(-1)))
        lines = [f"f.dat {fmt} 200(0)/mV 12 0 {r[0]} {checksum(r)} 0 {n}" for n, r in zip(("I", "V2"), rows, strict=True)]
        return _put(folder, "f", [f"f 2 {FS} {n}", *lines], {}), data
    import wfdb

    about = {"fs": FS, "units": ["mV"] * 2, "sig_name": ["I", "V2"], "fmt": [str(fmt)] * 2}
    wfdb.wrsamp("f", d_signal=rows.T, adc_gain=[200.0] * 2, baseline=[0] * 2, write_dir=str(folder), **about)
    return folder / "f.hea", data


COMPRESSED = (508, 516, 524)

STYLES: dict[str, Callable[[Path], Path]] = {
    "PTB-XL": ptb_xl,
    "Challenge": challenge,
    "LUDB": ludb,
    "MIT-BIH": mit,
    "PTB": ptb,
    "STAFF III": staff,
    "ecgspasm": ours,
    "segments": segments,
}
