"""STAFF III's own account of who was recorded when: the annotation sheet, and the events of each inflation."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgspasm.errors import EcgError

SHEETS = tuple(f"STAFF-III-Database-Annotations.{suffix}" for suffix in ("xlsx", "csv"))
"""The sheet as PhysioNet has it, or saved as CSV."""

# Columns of the sheet (it has merged headings, so they are known by place): baseline in the room, two in the catheter laboratory,
# and up to five inflations with the record and the occluded site.
_PATIENT = 0
_BASELINES = (3, 4, 5)
_INFLATIONS = ((6, 7), (10, 11), (14, 15), (18, 19), (21, 22))
_RECORD = re.compile(r"^(?P<number>[0-9]{1,3})(?P<letter>[a-z])$")

_LARGEST_BYTES = 20_000_000
"""PhysioNet's sheet has some hundred rows and 50 kB."""

SUSPECT_PATIENTS = frozenset({"001", "004", "005", "006", "089"})
"""The depositors note that leads of these five may be reversed, without saying which: they are left out."""


@dataclass(frozen=True)
class Protocol:
    """Which records of one person are what."""

    patient: str
    baselines: tuple[str, ...]
    """In their order in time; the last, in the catheter laboratory if there is one, is compared with the inflation."""
    inflation: str
    """The first inflation."""
    site: str


def read_protocols(folder: Path) -> list[Protocol]:
    """Read the annotation sheet of the original layout.

    Raises
    ------
    EcgError
        If there is no sheet, or openpyxl is not there to read it.
    """
    found = [folder / name for name in SHEETS if (folder / name).is_file()]
    if not found:
        raise EcgError(f"{folder} holds neither {SHEETS[0]} nor measures.npz; give the folder of STAFF III")
    protocols = [each for row in _rows(found[0]) if (each := _protocol(row)) is not None]
    if not protocols:
        raise EcgError(f"{found[0].name} names no inflation record; fetch the sheet again")
    return protocols


def _rows(path: Path) -> list[list[Any]]:
    import pandas as pd

    _check_size(path)
    try:
        table = (
            pd.read_csv(path, header=None, dtype=str) if path.suffix == ".csv" else pd.read_excel(path, header=None, dtype=str)
        )
    except ImportError as error:
        raise EcgError(f"{path.name} needs openpyxl: pip install 'ecgspasm[benchmarks]', or save it as CSV") from error
    except Exception as error:  # what a damaged workbook raises depends on where it is damaged
        raise EcgError(f"{path.name} cannot be read ({error}); fetch it again") from error
    rows: list[list[Any]] = table.where(table.notna(), "").to_numpy().tolist()
    return rows


def _check_size(path: Path) -> None:
    """A workbook is a zip, of which openpyxl unpacks all that there is."""
    size = path.stat().st_size
    if size <= _LARGEST_BYTES and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as packed:
                size = sum(each.file_size for each in packed.infolist())
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise EcgError(f"{path.name} cannot be read ({error}); fetch it again") from error
    if size > _LARGEST_BYTES:
        raise EcgError(f"{path.name} holds {size / 1e6:.0f} MB, more than a sheet of some hundred rows; fetch it again")


def _protocol(row: list[Any]) -> Protocol | None:
    """One person's row; ``None`` for headings and for persons without an inflation."""
    records = [_record(row[column]) for column in _BASELINES if column < len(row)]
    baselines = tuple(each for each in records if each)
    for record_column, site_column in _INFLATIONS:
        if site_column < len(row) and (record := _record(row[record_column])):
            patient = record[:3]
            return None if patient in SUSPECT_PATIENTS else Protocol(patient, baselines, record, str(row[site_column]).strip())
    return None


def _record(cell: Any) -> str:
    """The record that a cell names (``7c`` is 007c); empty if it names none."""
    match = _RECORD.match(str(cell).strip())
    return f"{int(match['number']):03d}{match['letter']}" if match else ""


def read_inflation(record: Path) -> tuple[float, float]:
    """Begin and end of a record's first inflation in s, from its ``.event`` file."""
    if not Path(f"{record}.event").is_file():
        raise EcgError(f"there is no {record.name}.event, which tells when the balloon was inflated; fetch it")
    import wfdb

    try:
        events: Any = wfdb.rdann(str(record), "event")
    except Exception as error:  # wfdb raises whatever comes up; all of it means that the file cannot be read
        raise EcgError(f"{record.name}.event cannot be read as WFDB annotations ({error}); fetch it again") from error
    notes = [str(note).strip("\x00 ").lower() for note in events.aux_note]
    times = [float(sample) / float(events.fs or 1000.0) for sample in events.sample]
    begins = [time for time, note in zip(times, notes, strict=True) if note == "balloon inflation"]
    ends = [time for time, note in zip(times, notes, strict=True) if note == "balloon deflation"]
    later = [each for each in ends if begins and each > begins[0]]
    if not later:
        raise EcgError(f"{record.name}.event tells no inflation with its deflation; fetch the file again")
    return begins[0], later[0]
