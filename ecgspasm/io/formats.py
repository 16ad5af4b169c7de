"""Which format a single file is of, by its first bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecgspasm.ecg import Ecg
from ecgspasm.io import dicom, edf, hdf5, numpy_files, parquet, pdf, tables, vendor
from ecgspasm.io.file import Asked, File
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



def _is_dicom(start: bytes) -> bool:
    return start[128:132] == b"DICM"


# Those with a mark of their own first; a table is whatever text has the names of leads in its first row.
FORMATS = (
    Format("DICOM", "dicom", _is_dicom, dicom.read_dicom_file),
    Format("EDF, EDF+, BDF", "edf", edf.is_edf, edf.read_edf, edf.open_edf),
    Format("HDF5", "hdf5", hdf5.is_hdf5, hdf5.read_hdf5),
    Format("Parquet", "parquet", parquet.is_parquet, parquet.read_parquet),
    Format("NumPy .npy", "", numpy_files.is_npy, numpy_files.read_npy),
    Format("NumPy .npz", "", numpy_files.is_npz, numpy_files.read_npz),
    Format("PDF with curves", "pdf", pdf.is_pdf, pdf.read_pdf_file),
    Format("SCP-ECG, ISHNE, XML of GE MUSE, Philips, Mortara, HL7", "formats", vendor.is_vendor, vendor.read_vendor),
    Format("CSV, TSV", "", tables.is_table, tables.read_table),
)


def format_of(file: File, asked: Asked) -> Format | None:
    """The format of a file; None if it is none of these, such as the signal file of a WFDB record."""
    start = file.start()
    for found in FORMATS:
        if found.recognises(start):
            return found
    return FORMATS[-1] if asked.rename and _has_columns(start, set(asked.rename)) else None


def _has_columns(start: bytes, names: set[str]) -> bool:
    """Whether text begins with a row that holds all these names: a table whose columns the caller has to explain."""
    lines = [line for line in start.decode("utf-8", errors="replace").splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and names <= {cell.strip().strip('"') for cell in lines[0].replace("\t", ",").replace(";", ",").split(",")}
