"""WFDB records with one thing wrong, and what has to be said of each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.corpus.case import Bad, Make
from tests.corpus.sound_records import BITS, COMPRESSED, FS, checksum, heart, in_format, mat4, ptb_xl, segments

_ROWS = heart()[[0, 7]]
_N = _ROWS.shape[1]
_SUMS = [checksum(row) for row in _ROWS]


def put(
    folder: Path, record: str | None = None, *, first: str | None = None, second: str | None = None, data: bytes | None = None
) -> Path:
    """A sound record of I and V2; each line can be another one, in which ``{n}`` is the first sample and ``{c}`` the checksum."""
    line = "r.dat 16 1000(0)/mV 16 0 {n} {c} 0 "
    texts = [record or f"r 2 {FS} {_N}", first or line + "I", second or line + "V2"]
    lines = [texts[0], *(text.format(n=row[0], c=total) for text, row, total in zip(texts[1:], _ROWS, _SUMS, strict=True))]
    (folder / "r.dat").write_bytes(_ROWS.T.astype("<i2").tobytes() if data is None else data)
    path = folder / "r.hea"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


RECORD_LINES: dict[str, str] = {
    "r 2": "no sampling rate",
    "r": "record line",
    "r two 500 2000": "number of signals",
    "r -2 500 2000": "number of signals",
    "r 2.0 500 2000": "number of signals",
    "r 257 500 2000": "number of signals",
    "r 1 500 2000": "promises 1 signals",
    "r 3 500 2000": "promises 3 signals",
    "r 0 500 2000": "promises 0 signals",
    "r 2 5e2 2000": "sampling rate",
    "r 2 +500 2000": "sampling rate",
    "r 2 -500 2000": "sampling rate",
    "r 2 0 2000": "sampling rate",
    "r 2 0.0 2000": "sampling rate",
    "r 2 nan 2000": "sampling rate",
    "r 2 inf 2000": "sampling rate",
    "r 2 500Hz 2000": "sampling rate",
    "r 2 500,5 2000": "sampling rate",
    "r 2 .5 2000": "sampling rate",
    "r 2 0x1F4 2000": "sampling rate",
    "r 2 49.9 2000": "between 50 and 10000",
    "r 2 10000.1 2000": "between 50 and 10000",
    "r 2 999999999 2000": "between 50 and 10000",
    "r 2 5000000000000 2000": "sampling rate",
    "r 2 500 1999": "bytes",
    "r 2 500 2001": "bytes",
    "r 2 500 -1": "number of samples",
    "r 2 500 2000.0": "number of samples",
    "r 2 500 2e3": "number of samples",
    "r 2 500 99999999999999999999": "number of samples",
    "r 2 500 999999999999": "at once",
    "r 2 500 2000 25:00:00 01/02/2000": "time and date",
    "r 2 500 2000 10:60:00 01/02/2000": "time and date",
    "r 2 500 2000 10:00:00 31/02/2000": "time and date",
    "r 2 500 2000 10:00:00 01/13/2000": "time and date",
    "r 2 500 2000 10:00:00 01/02/0000": "time and date",
    "r 2 500 2000 10:00 01/02/2000": "time and date",
    "r 2 500 2000 now": "time and date",
    "r 2 500 2000 10:00:00 01/02/2000 more": "record line",
    "../r 2 500 2000": "record line",
    "/etc/passwd 2 500 2000": "record line",
    "r/0 2 500 2000": "segment line",
    "r/2 2 500 2000": "segment line",
    "r/9999999 2 500 2000": "record line",
    "r \u0662 500 2000": "number of signals",
    "r 2 507 2000": "flag:no device is known that samples at 507 Hz",
    "r 2 500": "flag:gives no number of samples",
    "r 2 500 0": "flag:gives no number of samples",
}

SECOND_LINES: dict[str, str] = {
    "r.dat": "signal line",
    "r.dat 16": "no channel with the name of a lead",
    "r.dat 16 1000/mV 16 0 {n} {c} 0": "no channel with the name of a lead",
    "r.dat 16 1000/mV 16 0 {n} {c} V2": "signal line",
    "r.dat x 1000/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 17 1000/mV 16 0 {n} {c} 0 V2": "format 17",
    "r.dat 999 1000/mV 16 0 {n} {c} 0 V2": "format 999",
    "r.dat 0 1000/mV 16 0 {n} {c} 0 V2": "format or offset",
    "r.dat 212 1000/mV 16 0 {n} {c} 0 V2": "format or offset",
    "r.dat 16+24 1000/mV 16 0 {n} {c} 0 V2": "format or offset",
    "r.dat 16+999999999 1000/mV 16 0 {n} {c} 0 V2": "format or offset",
    "r.dat 16-24 1000/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16x0 1000/mV 16 0 {n} {c} 0 V2": "0 samples per frame",
    "r.dat 16x2 1000/mV 16 0 {n} {c} 0 V2": "bytes",
    "r.dat 16x999 1000/mV 16 0 {n} {c} 0 V2": "bytes",
    "r.dat 16:2000 1000/mV 16 0 {n} {c} 0 V2": "skew of 2000",
    "r.dat 16:999999999 1000/mV 16 0 {n} {c} 0 V2": "skew of 999999999",
    "r.dat 16:-5 1000/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16:7 1000/mV 16 0 {n} {c} 0 V2": "flag:a skew between the signals",
    "r.dat 16 0/mV 16 0 {n} {c} 0 V2": "gain 0, so it is not calibrated",
    "r.dat 16 0.0/mV 16 0 {n} {c} 0 V2": "gain 0, so it is not calibrated",
    "r.dat 16 -1000/mV 16 0 {n} {c} 0 V2": "negative gain",
    "r.dat 16 nan/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16 inf/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16 1e99/mV 16 0 {n} {c} 0 V2": "flag:gain of",
    "r.dat 16 1e-99/mV 16 0 {n} {c} 0 V2": "which no electrode gives",
    "r.dat 16 1e999/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16 1/mV 16 0 {n} {c} 0 V2": "which no electrode gives",
    "r.dat 16 20/mV 16 0 {n} {c} 0 V2": "flag:gain of",
    "r.dat 16 1900/mV 16 0 {n} {c} 0 V2": "flag:gain of",
    "r.dat 16 1000000/mV 16 0 {n} {c} 0 V2": "flag:gain of",
    "r.dat 16 1000/V 16 0 {n} {c} 0 V2": "which no electrode gives",
    "r.dat 16 1000/uV 16 0 {n} {c} 0 V2": "flag:gain of",
    "r.dat 16 1000/mmHg 16 0 {n} {c} 0 V2": "unit 'mmHg'",
    "r.dat 16 1000/% 16 0 {n} {c} 0 V2": "unit '%'",
    "r.dat 16 1000/mA 16 0 {n} {c} 0 V2": "unit 'mA'",
    "r.dat 16 1000/\x07 16 0 {n} {c} 0 V2": "unit '?'",
    "r.dat 16 1000(9999999999)/mV 16 0 {n} {c} 0 V2": "which no electrode gives",
    "r.dat 16 1000(99999999999)/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16 1000(7)/mV 16 0 {n} {c} 0 V2": "flag:baseline of",
    "r.dat 16 1000(x)/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16 1000(0/mV 16 0 {n} {c} 0 V2": "signal line",
    "r.dat 16 1000/mV 16 0 1234 {c} 0 V2": "begins with",
    "r.dat 16 1000/mV 16 0 {n} 17 0 V2": "checksum of signal 'V2'",
    "r.dat 16 1000/mV 16 0 {n} 9999999 0 V2": "signal line",
    "r.dat 16 1000/mV 16 0 99999999999 {c} 0 V2": "signal line",
    "r.dat 16 1000/mV 16 0 {n} {c} 0 I": "given twice",
    "r.dat 16 1000/mV 16 0 {n} {c} 0 Lead I": "given twice",
    "r.dat 16 1000/mV 16 0 {n} {c} 0 banana": "no lead is named 'banana'",
    "r.dat 16 1000/mV 16 0 {n} {c} 0 V10": "no lead is named 'V10'",
    "r.dat 16 1000/mV 16 0 {n} {c} 0 -V2": "no lead is named '-V2'",
    "r.dat 16 1000/mV 16 0 {n} {c} 0 I-II": "no lead is named 'I-II'",
    "r.dat 16 1000/mV 16 0 {n} {c} 0 V2\x1b[31m": "no lead is named",
    "../r.dat 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "/etc/passwd 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "C:\\r.dat 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "sub/r.dat 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "http://x.org/r.dat 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "s3::r.dat 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "- 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "-r 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    ".. 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "~ 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "$HOME 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "r.dat;ls 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "r.da\u00fc 16 1000/mV 16 0 {n} {c} 0 V2": "beside its header",
    "s.dat 16 1000/mV 16 0 {n} {c} 0 V2": "bytes",
    "r.hea 16 1000/mV 16 0 {n} {c} 0 V2": "bytes",
}


def _header(change: Callable[[bytes], bytes]) -> Make:
    def make(folder: Path) -> Path:
        path = put(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


HEADERS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "holds no record line"),
    "blank lines": (lambda _: b"\n\n \n", "holds no record line"),
    "comments only": (lambda _: b"# r 2 500 2000\n", "holds no record line"),
    "binary": (lambda text: text + b"\0", "binary"),
    "of zeros": (lambda _: bytes(500), "binary"),
    "utf-16": (lambda text: text.decode().encode("utf-16"), "binary"),
    "too large": (lambda text: text + b"# x\n" * 50_000, "more than the"),
    "line too long": (lambda text: text + b"#" + b"x" * 5000, "a line of"),
    "too many lines": (lambda text: text + b"x\n" * 20_000, "lines"),
    "a line too much": (lambda text: text + b"r.dat 16 1000/mV 16 0 0 0 0 V3\n", "promises 2 signals but 3"),
    "a line lost": (lambda text: text.rpartition(b"\nr.dat")[0], "promises 2 signals but 1"),
    "a line a comment": (lambda text: text.replace(b"\nr.dat", b"\n#r.dat", 1), "promises 2 signals but 1"),
    "lines joined": (lambda text: text.replace(b"\nr.dat", b" r.dat", 1), "record line"),
    "words": (lambda _: b"Dear colleague,\nthank you for the ECG.\n", "number of signals"),
    "html": (lambda _: b"<html><body>404</body></html>", "record line"),
    "a table of words": (lambda _: b"a,b,c\n1,2,3\n", "record line"),
    "no checksums": (lambda text: re.sub(rb"16 0 -?\d+ -?\d+ 0", b"16 0 0 0 0", text), "flag:checksums are placeholders"),
    "first line lost": (lambda text: text.partition(b"\n")[2], "record line"),
    "control letters": (lambda text: text.replace(b"I\n", b"I\x08\x1b[2J\n", 1), "no lead is named"),
}

DATA: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "has 0 bytes"),
    "a byte short": (lambda data: data[:-1], "bytes"),
    "a frame short": (lambda data: data[:-4], "bytes"),
    "a lead short": (lambda data: data[: len(data) // 2], "bytes"),
    "a byte long": (lambda data: data + b"\0", "bytes"),
    "a frame long": (lambda data: data + bytes(4), "bytes"),
    "given twice": (lambda data: data * 2, "bytes"),
    "moved by a byte": (lambda data: data[1:] + data[:1], "checksum|begins with"),
    "moved by a sample": (lambda data: data[2:] + data[:2], "checksum|begins with"),
    "moved by 100 frames": (lambda data: data[400:] + data[:400], "begins with"),
    "turned around": (lambda data: data[::-1], "checksum|begins with"),
    "bytes swapped": (lambda data: np.frombuffer(data, "<i2").astype(">i2").tobytes(), "checksum|begins with"),
    "zeros": (lambda data: bytes(len(data)), "checksum|begins with"),
    "first bit": (lambda data: bytes([data[0] ^ 1]) + data[1:], "checksum|begins with"),
    "last bit": (lambda data: data[:-1] + bytes([data[-1] ^ 0x80]), "checksum|begins with"),
    "leads exchanged": (lambda data: np.frombuffer(data, "<i2").reshape(-1, 2)[:, ::-1].tobytes(), "checksum|begins with"),
    "by lead, not by time": (lambda data: np.frombuffer(data, "<i2").reshape(-1, 2).T.tobytes(), "checksum|begins with"),
    "text": (lambda data: b"no samples here. ".ljust(len(data)), "checksum|begins with"),
}


def _packed(fmt: int, change: Callable[[bytes], bytes]) -> Make:
    def make(folder: Path) -> Path:
        path, data = in_format(fmt, folder)
        data.write_bytes(change(data.read_bytes()))
        return path

    return make


PACKED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda data: data[: len(data) - 8], "bytes where 600 samples of 2 signals"),
    "longer": (lambda data: data + bytes(8), "bytes where 600 samples of 2 signals"),
    "a bit": (lambda data: data[:400] + bytes([data[400] ^ 4]) + data[401:], "checksum"),
}

FLAC: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda data: data[: len(data) // 2], "wfdb"),
    "a bit": (lambda data: data[:200] + bytes([data[200] ^ 4]) + data[201:], ""),
    "of ages": (lambda data: data[:22] + b"\xff\xff\xff\xff" + data[26:], "no FLAC file of 600 samples"),
    "of one sample more": (lambda data: data[:22] + (601).to_bytes(4, "big") + data[26:], "no FLAC file of 600 samples"),
    "of an unknown number of samples": (lambda data: data[:22] + bytes(4) + data[26:], "no FLAC file of 600 samples"),
    "of eight channels": (lambda data: data[:20] + bytes([data[20] | 0x0E]) + data[21:], "no FLAC file of 600 samples"),
    "none": (lambda data: b"OggS" + data[4:], "no FLAC file of 600 samples"),
    "its head only": (lambda data: data[:42], "wfdb"),
}


def _behind_another(folder: Path) -> Path:
    """A header that tells where a sound head lies, in a file that begins with another."""
    path, data = in_format(516, folder)
    sound = data.read_bytes()
    data.write_bytes(sound[:22] + (2**31).to_bytes(4, "big") + sound[26:] + sound)
    path.write_text(path.read_text().replace("f.dat 516 ", f"f.dat 516+{len(sound)} "))
    return path


def _segment(change: Callable[[str], str]) -> Make:
    def make(folder: Path) -> Path:
        path = segments(folder)
        path.write_text(change(path.read_text()))
        return path

    return make


def _in_segment(old: str, new: str) -> Make:
    def make(folder: Path) -> Path:
        path = segments(folder)
        own = folder / "seg1.hea"
        text = own.read_text()
        assert old in text
        own.write_text(text.replace(old, new))
        return path

    return make


SEGMENTS: dict[str, tuple[Make, str]] = {
    "more promised": (_segment(lambda text: text.replace("both/2", "both/3")), "promises 3 segments"),
    "no number": (_segment(lambda text: text.replace("seg0 2000", "seg0")), "segment line"),
    "total too large": (_segment(lambda text: text.replace("4000", "5000")), "header says 5000"),
    "longer than it is": (_segment(lambda text: text.replace("seg1 2000", "seg1 3000").replace("4000", "5000")), "2000 samples"),
    "missing segment": (_segment(lambda text: text.replace("seg1", "seg7")), "no file seg7.hea"),
    "itself": (_segment(lambda text: text.replace("seg1", "both")), "names itself"),
    "elsewhere": (_segment(lambda text: text.replace("seg1", "a/../../seg1")), "beside its header"),
    "absolute": (_segment(lambda text: text.replace("seg1", "/etc/passwd")), "segment line"),
    "address": (_segment(lambda text: text.replace("seg1", "http://x")), "segment line"),
    "of ages": (_segment(lambda text: text.replace("seg1 2000", "seg1 999999999999").replace("4000", "999999999999")), "samples"),
    "gaps only": (_segment(lambda _: "both/1 12 500 100\n~ 100\n"), "hold no signal"),
    "of nothing": (_segment(lambda _: "both/1 12 500 0\nseg0 0\n"), "no sample"),
    "other rate": (_in_segment("12 500 2000", "12 250 2000"), "250 Hz where the record has 500"),
    "segments in segments": (_in_segment("seg1 12 500 2000", "seg1/1 12 500 2000"), "segment"),
    "other unit": (_in_segment("/mV 16 0", "/mmHg 16 0"), "unit 'mmHg'"),
    "uncalibrated": (_in_segment("1000.0(0)", "0(0)"), "gain 0"),
    "lead twice": (_in_segment(" 0 V6", " 0 V5"), "given twice"),
    "in volts": (_in_segment("/mV 16 0", "/V 16 0"), "which no electrode gives"),
    "two samples a frame": (_in_segment(".dat 16 ", ".dat 16x2 "), "bytes where"),
    "skew beyond its end": (_in_segment(".dat 16 ", ".dat 16:9000 "), "skew of 9000"),
    "a file that is not there": (_in_segment("seg1.dat", "seg9.dat"), "no file seg9.dat"),
    "unknown lead": (_in_segment(" 0 V6", " 0 V66"), "no lead is named 'V66'"),
}


def _link(target: str) -> Make:
    def make(folder: Path) -> Path:
        path = put(folder)
        (folder / "r.dat").unlink()
        (folder / "r.dat").symlink_to(target)
        return path

    return make


def _fifo(name: str) -> Make:
    def make(folder: Path) -> Path:
        path = put(folder)
        (folder / name).unlink()
        os.mkfifo(folder / name)
        return path

    return make


def _folder_for(name: str) -> Make:
    def make(folder: Path) -> Path:
        path = put(folder)
        (folder / name).unlink()
        (folder / name).mkdir()
        return path

    return make


def _link_out(folder: Path) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    path = put(inner)
    (inner / "r.dat").rename(folder / "r.dat")
    (inner / "r.dat").symlink_to("../r.dat")
    return path


def _mat(change: Callable[[bytes], bytes]) -> Make:
    def make(folder: Path) -> Path:
        path = ptb_xl(folder)
        path.write_text(path.read_text().replace(".dat 16 ", ".mat 16+24 "))
        (folder / "00001_hr.dat").unlink()
        (folder / "00001_hr.mat").write_bytes(change(mat4(heart())))
        return path

    return make


MAT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "fewer rows": (lambda data: data[:4] + (11).to_bytes(4, "little") + data[8:], "MATLAB"),
    "more columns": (lambda data: data[:8] + (2001).to_bytes(4, "little") + data[12:], "MATLAB"),
    "of doubles": (lambda data: bytes(4) + data[4:], "MATLAB"),
    "complex": (lambda data: data[:12] + b"\1" + data[13:], "MATLAB"),
    "other name": (lambda data: data[:16] + b"\x09" + data[17:], "MATLAB"),
    "version 5": (lambda data: b"MATLAB 5.0 MAT-file".ljust(24) + data[24:], "MATLAB"),
    "cut": (lambda data: data[:-2], "bytes"),
    "a bit": (lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:], "checksum"),
}

PATHS: dict[str, tuple[Make, str]] = {
    "link out": (_link_out, "leads out of its folder"),
    "link to a password file": (_link("/etc/passwd"), "leads out of its folder"),
    "link to a device": (_link("/dev/zero"), "leads out of its folder"),
    "link to itself": (_link("r.dat"), "cannot be opened"),
    "link to nothing": (_link("s.dat"), "no file r.dat"),
    "pipe as data": (_fifo("r.dat"), "a pipe"),
    "pipe as header": (_fifo("r.hea"), "a pipe"),
    "folder as data": (_folder_for("r.dat"), "a folder"),
    "folder as header": (_folder_for("r.hea"), "a folder"),
    "a device": (lambda _: "/dev/zero", "device"),
    "an endless device": (lambda _: "/dev/urandom", "device"),
    "standard input": (lambda _: "/dev/stdin", "not a file"),
    "a file of the kernel": (lambda _: "/proc/self/environ", "is empty"),
    "memory": (lambda _: "/proc/self/mem", "is empty"),
    "nothing there": (lambda folder: folder / "none.hea", "there is no file"),
    "a folder": (lambda folder: folder, "is a folder"),
    "below a file": (lambda folder: put(folder) / "x.hea", "there is no file"),
    "address": (lambda _: "https://physionet.org/x.hea", "address"),
    "file address": (lambda _: "file:///etc/passwd", "address"),
    "chained address": (lambda _: "simplecache::x.hea", "address"),
    "zip address": (lambda _: "zip://x.hea::y.zip", "address"),
    "nul": (lambda folder: f"{folder}/a\0b.hea", "is not a path"),
    "nothing": (lambda _: "", "is not a path"),
    "very long": (lambda folder: f"{folder}/{'a' * 5000}.hea", "cannot be opened"),
}


def cases() -> Iterator[Bad]:
    """All of them."""
    for text, says in RECORD_LINES.items():
        yield Bad(f"record line: {text}", lambda folder, text=text: put(folder, text), says)
    for text, says in SECOND_LINES.items():
        yield Bad(f"signal line: {text}", lambda folder, text=text: put(folder, second=text), says)
    for name, (change, says) in HEADERS.items():
        yield Bad(f"header: {name}", _header(change), says)
    for name, (change, says) in DATA.items():
        yield Bad(f"data: {name}", lambda folder, change=change: put(folder, data=change(_ROWS.T.astype("<i2").tobytes())), says)
    for fmt in (*BITS, *COMPRESSED):
        for name, (change, says) in (FLAC if fmt in COMPRESSED else PACKED).items():
            yield Bad(f"format {fmt}: {name}", _packed(fmt, change), says)
    yield Bad("format 516: its head elsewhere", _behind_another, "no FLAC file of 600 samples")
    for name, (make, says) in SEGMENTS.items():
        yield Bad(f"segments: {name}", make, says)
    for name, (make, says) in PATHS.items():
        yield Bad(f"path: {name}", make, says)
    for name, (change, says) in MAT.items():
        yield Bad(f"mat: {name}", _mat(change), says)
