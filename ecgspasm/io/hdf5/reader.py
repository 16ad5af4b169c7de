"""ECGs in HDF5, through h5py (extra ``hdf5``): the layout of CODE-15 %, and one table with what is to know in attributes.

CODE-15 % (Ribeiro et al. 2021, doi:10.5281/zenodo.4916206) keeps the exams of a part in two data sets, ``exam_id`` of shape
(exam,) and ``tracings`` of shape (exam, 4096, 12). Its documentation, like that of the test set of CODE before it
(doi:10.5281/zenodo.3625006), states 400 Hz, the order of the leads and that shorter exams are filled up with zeros at both ends.
It does not state a unit that can be true ("scale 1e-4 V", to be "multiplied by 1000" to obtain V), so the caller has to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES
from ecgspasm.io.facts import FS_KEYS, UNIT_KEYS, Facts, agreed_fs, agreed_unit, build, lead_axis, open_rows, oriented, stated
from ecgspasm.io.file import Asked, File
from ecgspasm.io.hdf5.gate import attributes, check_stored, datasets, is_hdf5, opened, part, stretch
from ecgspasm.io.paths import blame, one_line
from ecgspasm.leads import STANDARD
from ecgspasm.recording import Recording

__all__ = ["is_hdf5", "open_hdf5", "read_hdf5"]

CODE_FS = 400.0
_CODE_SHAPE = (4096, 12)
_MOST_EXAMS = 5_000_000
_FACTS = (*FS_KEYS, *UNIT_KEYS, "sex", "age", "key", "recorded_at", "derived")


def read_hdf5(file: File, asked: Asked) -> Ecg:
    """Read one recording from an HDF5 file.

    Parameters
    ----------
    file : File
        A path is opened where it lies, and only the recording itself is read.
    asked : Asked
        ``record`` is the ``exam_id`` in the layout of CODE-15 %, or the number of the row, from 0, where there is no ``exam_id``;
        else the name of a data set. ``fs`` and ``unit`` where the file does not state them as attributes.

    Returns
    -------
    Ecg
        In the layout of CODE-15 % without the zeros that fill an exam up.

    Raises
    ------
    EcgError
        If h5py is missing, the file is damaged or has another layout, several recordings and none was chosen, or if sampling rate
        or unit are told by nobody or differently.
    """
    with opened(file) as found:
        tables = datasets(found)
        return (_exam if _is_code(tables) else _table)(found, tables, file, asked)


def _is_code(tables: dict[str, Any]) -> bool:
    tracings = tables.get("tracings")
    return tracings is not None and tracings.ndim == 3 and tracings.shape[1:] == _CODE_SHAPE


def _exam(found: Any, tables: dict[str, Any], file: File, asked: Asked) -> Ecg:
    """One exam of the layout of CODE-15 %."""
    tracings = tables["tracings"]
    row, label = _row(tables, asked.record)
    facts = stated(attributes(file, found, tracings, names=_FACTS))
    if asked.fs not in (None, CODE_FS) and facts.fs is None:
        raise EcgError(
            f"this is the layout of CODE-15 %, whose documentation says 400 Hz, but fs={asked.fs:g} was given; if it was "
            "resampled, state that as the attribute fs of tracings"
        )
    unit = agreed_unit(asked.unit, facts.unit)
    samples = part(tracings, _CODE_SHAPE[0] * _CODE_SHAPE[1], row).T
    there = np.flatnonzero((samples != 0).any(axis=0))
    if not there.size:
        raise EcgError(f"{label} holds nothing but zeros; choose another one")
    first, last = int(there[0]), int(there[-1]) + 1
    cut = first + samples.shape[1] - last
    return build(
        samples[:, first:last],
        names=STANDARD,
        units=[unit] * len(STANDARD),
        fs=agreed_fs(asked.fs, facts.fs if facts.fs is not None else CODE_FS),
        facts=facts,
        asked=asked,
        source=f"{file.path or file.name}, {label}",
        notes=(f"{cut} zeros at the ends cut off",) if cut else (),
    )


def _row(tables: dict[str, Any], record: str | int | None) -> tuple[int, str]:
    """Row of the exam that was asked for, and what to call it."""
    n_exams = tables["tracings"].shape[0]
    ids = tables.get("exam_id")
    if not 0 < n_exams <= _MOST_EXAMS or (ids is not None and (ids.shape != (n_exams,) or ids.dtype.kind not in "iu")):
        raise EcgError(f"the file holds {n_exams} tracings, which exam_id does not number; fetch it again")
    wanted = _whole(record)
    if ids is None:
        if wanted is None and n_exams > 1:
            raise EcgError(f"the file holds {n_exams} exams; choose one by its row: read(path, record=0) to record={n_exams - 1}")
        row = wanted or 0
        if not 0 <= row < n_exams:
            raise EcgError(f"there is no row {row}; the file holds the rows 0 to {n_exams - 1}")
        return row, f"row {row}"
    numbers = part(ids, _MOST_EXAMS)
    if wanted is None:
        if n_exams > 1:
            raise EcgError(
                f"the file holds {n_exams} exams; choose one by its exam_id, such as that of the first: "
                f"read(path, record={numbers[0]})"
            )
        return 0, f"exam {numbers[0]}"
    rows = np.flatnonzero(numbers == wanted)
    if len(rows) != 1:
        raise EcgError(f"{len(rows) or 'none'} of the {n_exams} exams of this file has the exam_id {wanted}; choose another one")
    return int(rows[0]), f"exam {wanted}"


def _whole(record: str | int | None) -> int | None:
    if record is None:
        return None
    if isinstance(record, bool) or not re.fullmatch(r"\d{1,18}", str(record), re.ASCII):
        raise EcgError(f"record is {one_line(repr(record), 40)}; give the exam_id or the row as a whole number")
    return int(record)


@dataclass(frozen=True, slots=True)
class _Told:
    """A data set and what its attributes tell of it."""

    name: str
    leads: list[str]
    facts: Facts
    unit: str
    fs: float


def _table(found: Any, tables: dict[str, Any], file: File, asked: Asked) -> Ecg:
    """One table of samples whose attributes name its leads."""
    told = _told(found, tables, file, asked)
    return build(
        oriented(part(tables[told.name], MAX_SAMPLES), len(told.leads)),
        names=told.leads,
        units=[told.unit] * len(told.leads),
        fs=told.fs,
        facts=told.facts,
        asked=asked,
        source=f"{file.path or file.name}, {one_line(told.name, 40)}",
    )


def open_hdf5(path: str, asked: Asked) -> Recording:
    """Open a table of any length; an exam of the layout of CODE-15 %, which is short, is read at once.

    Raises
    ------
    EcgError
        As `read_hdf5` does, but for the length.
    """
    file = File(path, path=path)
    with blame(path):
        with opened(file) as found:
            tables = datasets(found)
            if _is_code(tables):
                return Recording.of(_exam(found, tables, file, asked))
            told = _told(found, tables, file, asked)
            table = tables[told.name]
            check_stored(table)
            shape, n_leads = table.shape, len(told.leads)
            axis = 1 - lead_axis(shape, n_leads)

        def rows(start: int, stop: int, which: Sequence[int]) -> list[NDArray[Any]]:
            # opened anew for every stretch, so that no handle stays behind; the file may have been changed since
            with opened(file) as found:
                table = datasets(found).get(told.name)
                if table is None or table.shape != shape:
                    raise EcgError("the file was changed while it was read; open it again")
                check_stored(table)
                values = stretch(table, axis, start, stop)
            return [values[row] if axis else values[:, row] for row in which]

        return open_rows(
            rows,
            shape[axis],
            names=told.leads,
            units=[told.unit] * n_leads,
            fs=told.fs,
            facts=told.facts,
            asked=asked,
            source=path,
        )


def _told(found: Any, tables: dict[str, Any], file: File, asked: Asked) -> _Told:
    """The one table that is meant, and its attributes."""
    flat = {name: table for name, table in tables.items() if table.ndim == 2}
    if asked.record is not None:
        flat = {name: table for name, table in flat.items() if name == str(asked.record)}
    if len(flat) != 1:
        shown = one_line(", ".join(sorted(tables)), 100) or "none"
        raise EcgError(
            f"{len(flat) or 'no'} table of (lead, sample) is there to read (data sets of numbers: {shown}); choose one by its "
            "name: read(path, record='signal')"
        )
    [(name, table)] = flat.items()
    given = attributes(file, found, table, names=(*_FACTS, "leads"))
    if "leads" not in given:
        raise EcgError(f"{one_line(name, 40)} has no attribute 'leads' to tell which row is which; write it beside the data")
    leads = _names(given.pop("leads"))
    facts = stated(given)
    return _Told(name, leads, facts, agreed_unit(asked.unit, facts.unit), agreed_fs(asked.fs, facts.fs))


def _names(value: Any) -> list[str]:
    """Names of leads from an attribute: a list of texts, or one text with commas or blanks between."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return [name for name in re.split(r"[,;\s]+", value) if name]
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in np.ravel(value)]
