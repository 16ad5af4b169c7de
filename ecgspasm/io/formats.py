"""Which format a single file is of, by its first bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.dicom.reader import is_dicom, open_dicom, read_dicom_file
from ecgspasm.io.edf.reader import is_edf, open_edf, read_edf
from ecgspasm.io.file import Asked, File
from ecgspasm.io.hdf5.reader import is_hdf5, open_hdf5, read_hdf5
from ecgspasm.io.pdf.reader import is_pdf, read_pdf_file
from ecgspasm.io.tables.numpy_files import is_npy, is_npz, open_npy, read_npy, read_npz
from ecgspasm.io.tables.parquet import is_parquet, open_parquet, read_parquet
from ecgspasm.io.tables.text import is_table, read_table
from ecgspasm.io.vendor.ishne import is_ishne, open_ishne, read_ishne
from ecgspasm.io.vendor.reader import is_vendor, read_vendor
from ecgspasm.recording import Recording


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how it is told, and what reads it."""

    name: str
    extra: str
    """Optional packages that it needs, as in ``pip install 'ecgspasm[...]'``; empty if none."""
    recognises: Callable[[bytes], bool]
    read: Callable[[File, Asked], Ecg]
    open: Callable[[str, Asked], Recording] | None = None
    """Opens a long file without reading it, where that can be done."""


# Those with a mark of their own first; a table is whatever text has the names of leads in its first row.
FORMATS = (
    Format("DICOM", "dicom", is_dicom, read_dicom_file, open_dicom),
    Format("EDF, EDF+, BDF", "edf", is_edf, read_edf, open_edf),
    Format("HDF5", "hdf5", is_hdf5, read_hdf5, open_hdf5),
    Format("Parquet", "parquet", is_parquet, read_parquet, open_parquet),
    Format("NumPy .npy", "", is_npy, read_npy, open_npy),
    Format("NumPy .npz", "", is_npz, read_npz),
    Format("PDF with curves", "pdf", is_pdf, read_pdf_file),
    Format("ISHNE", "", is_ishne, read_ishne, open_ishne),
    Format("SCP-ECG, XML of GE MUSE, Philips, Mortara, HL7", "formats", is_vendor, read_vendor),
    Format("CSV, TSV", "", is_table, read_table),
)


_PACKED = {
    b"\x1f\x8b\x08": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""First bytes of files that hold other files."""


def format_of(file: File, asked: Asked) -> Format | None:
    """The format of a file; None if it is none of these, such as the signal file of a WFDB record."""
    start = file.start()
    for found in FORMATS:
        if found.recognises(start):
            return found
    return FORMATS[-1] if asked.rename and _has_columns(start, set(asked.rename)) else None


def refuse_packed(file: File) -> None:
    """Say so if a file of no known format is packed: what is in it has to be unpacked by the caller, who knows how large it gets.

    Raises
    ------
    EcgError
        If it is.
    """
    start = file.start()
    for mark, name in _PACKED.items():
        if start.startswith(mark):
            raise EcgError(f"the file is packed ({name}); unpack it first and give the file that comes out")


def _has_columns(start: bytes, names: set[str]) -> bool:
    """Whether text begins with a row that holds all these names: a table whose columns the caller has to explain."""
    lines = [line for line in start.decode("utf-8", errors="replace").splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and names <= {cell.strip().strip('"') for cell in lines[0].replace("\t", ",").replace(";", ",").split(",")}
