"""What is fuzzed: one target a parser, the sound files that it starts from, and what it may answer."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import ecgspasm as es
from tests.corpus.bad_pages import PDF
from tests.corpus.sound_files import LEADS, dicom, dicom_dataset, edf, hdf5, npy, npz, parquet, vendor, written
from tests.corpus.sound_records import checksum, heart, in_format, mat4, ptb_xl, segments

KEPT = Path(__file__).with_name("kept")
_N = 40
"""Samples of a lead: the smaller a file, the more of its changes meet what is not a sample."""
_ROWS = {str(number): lead for number, lead in enumerate(LEADS)}


@dataclass(frozen=True)
class Target:
    """One parser: what the bytes are called on disk, what lies beside them, and what they start from."""

    suffix: str
    seeds: Callable[[], list[bytes]]
    asked: dict[str, Any] = field(default_factory=dict)
    beside: Callable[[Path], Path] | None = None
    """Writes a sound record, of which the file that this gives is the one that is fuzzed."""


def _of_record(make: Callable[[Path], Path]) -> Callable[[], list[bytes]]:
    def seeds() -> list[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            return [make(Path(folder)).read_bytes()]

    return seeds


def _matlab(folder: Path) -> Path:
    rows = heart()[:2, :_N]
    lines = [f"m.mat 16+24 1000/mV 16 0 {row[0]} {checksum(row)} 0 {lead}" for row, lead in zip(rows, ("I", "II"), strict=True)]
    (folder / "m.hea").write_text("\n".join([f"m 2 500 {_N}", *lines]) + "\n")
    (folder / "m.mat").write_bytes(mat4(rows))
    return folder / "m.mat"


def _flac(folder: Path) -> Path:
    return in_format(516, folder, _N)[1]


def _small_pages() -> list[bytes]:
    """Pages without an ECG: one that holds it takes a tenth of a second, in which a hundred of these are read."""
    made = [PDF[name][0] for name in ("an empty page", "words", "a font of few letters", "one curve")]
    return [content() if callable(content) else content for content in made]


TARGETS = {
    "wfdb-header": Target(".hea", _of_record(ptb_xl), beside=ptb_xl),
    "wfdb-segments": Target(".hea", _of_record(segments), beside=segments),
    "wfdb-mat": Target(".mat", _of_record(_matlab), beside=_matlab),
    "wfdb-flac": Target(".dat", _of_record(_flac), beside=_flac),
    "csv": Target(".csv", lambda: [written(".csv", _N), written(".tsv", _N)]),
    "npy": Target(".npy", lambda: [npy(n=_N), npy("F", _N)], {"fs": 500, "unit": "uV", "rename": _ROWS}),
    "npz": Target(".npz", lambda: [npz(n=_N), npz(packed=False, n=_N)]),
    "hdf5": Target(".h5", lambda: [hdf5(_N), hdf5(_N, chunks=(20, 5), compression="gzip", shuffle=True)]),
    "parquet": Target(".parquet", lambda: [parquet(n=_N), written(".parquet", _N)]),
    "edf": Target(".edf", lambda: [edf(n=3 * 50), edf(bdf=True, n=3 * 50)]),
    "dicom": Target(".dcm", lambda: [dicom(dicom_dataset(_N))]),
    "xml": Target(".xml", lambda: [vendor(kind, _N) for kind in ("muse", "mortara", "aecg")]),
    "scp": Target(".scp", lambda: [vendor("scp", _N)]),
    "ishne": Target(".ecg", lambda: [vendor("ishne", _N)]),
    "pdf": Target(".pdf", _small_pages),
}

PLANTED = "planted"
"""Name of a parser with a fault, by which the fuzzing itself is tested."""


def seeds_of(name: str) -> list[bytes]:
    """What a parser starts from."""
    return [b"{[x"] if name == PLANTED else TARGETS[name].seeds()


def planted(content: bytes) -> bool:
    """Fails where two letters are followed by a third, one branch after the other."""
    depth = 0
    if content[:1] == b"{":
        depth = 1
    if depth == 1 and content[1:2] == b"[":
        depth = 2
    if depth == 2 and content[2:3] == b"(":
        raise IndexError("the planted fault")
    return False


class Parser:
    """Reads bytes as one parser would."""

    def __init__(self, name: str, folder: Path) -> None:
        self.target = TARGETS[name]
        self._path = self.target.beside(folder) if self.target.beside else folder / f"x{self.target.suffix}"

    def __call__(self, content: bytes) -> bool:
        """Whether an ECG came of it; all but an `EcgError` comes through."""
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            os.write(handle, content)
        finally:
            os.close(handle)
        found = False
        for read in (es.read, lambda path, **asked: es.open_recording(path, **asked).samples(0, 1)):
            try:
                read(self._path, **self.target.asked)  # type: ignore[operator]
                found = True
            except es.EcgError as error:
                # a message is one printable line
                assert str(error).isprintable(), str(error)[:200]
        return found


@cache
def kept(name: str) -> tuple[bytes, ...]:
    """Inputs of former runs that reach what no other reaches."""
    path = KEPT / f"{name}.txt"
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return tuple(base64.b64decode(line) for line in lines if line and not line.startswith("#"))
