"""The tables of PTB, PTB-XL and MIMIC-IV-ECG in their original layouts, read row by row."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Literal, NamedTuple

from ecgspasm.datasets.sums import plain_path
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import file_size, one_line, read_regular
from ecgspasm.io.wfdb.comments import subject_of
from ecgspasm.io.wfdb.header import MAX_HEADER_BYTES, parse_header

MAX_LABEL = 300
_SCP_ITEM = r"""(?:'[^'"\\]{1,20}'|"[^'"\\]{1,20}")\s*:\s*\d{1,3}(?:\.\d{1,6})?"""
_SCP = re.compile(rf"\{{\s*(?:{_SCP_ITEM}(?:\s*,\s*{_SCP_ITEM})*\s*)?\}}", re.ASCII)
_SCP_PART = re.compile(r"""['"]([^'"\\]{1,20})['"]\s*:\s*([\d.]+)""", re.ASCII)
_PTB_RECORD = re.compile(r"patient\d{3}/[A-Za-z0-9_\-]{1,40}", re.ASCII)
_PTB_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_SAYS_NOTHING = ("", "n/a", "no", "none", "unknown")


class Row(NamedTuple):
    """One ECG; small, because there may be 800,000."""

    at: datetime
    record: str
    """Path of the record in the set's folder, without ending."""
    labels: tuple[str, ...]
    age: float | None


class Fault(Exception):  # noqa: N818  (it is counted, never shown as an error)
    """Why a row cannot be used."""


class Table:
    """The ECGs of a set by person, and what was left out."""

    def __init__(self) -> None:
        self.persons: dict[str, list[Row]] = {}
        self.sex: dict[str, Literal["male", "female"]] = {}
        self.likelihood: dict[str, Mapping[str, float]] = {}
        self.meanings: dict[str, str] = {}
        self.left_out: Counter[str] = Counter()
        self.first_left_out: dict[str, str] = {}

    def leave_out(self, reason: str, where: str) -> None:
        """Count a row that cannot be used."""
        self.left_out[reason] += 1
        self.first_left_out.setdefault(reason, one_line(where, 120))

    @contextmanager
    def row(self, where: str) -> Iterator[None]:
        """Leave the row out if the block finds a fault in it."""
        try:
            yield
        except Fault as fault:
            self.leave_out(str(fault), where)

    def settle(self, folder: Path | None) -> None:
        """Put each person's ECGs in order of time, once each and only those that are there; keep persons with two or more."""
        for person in list(self.persons):
            rows = self.persons[person]
            if len(rows) > 1:
                rows = self._usable(rows, folder)
            if len(rows) > 1:
                self.persons[person] = sorted(rows, key=lambda row: (row.at, row.record))
            else:
                del self.persons[person]

    def _usable(self, rows: list[Row], folder: Path | None) -> list[Row]:
        kept: dict[str, Row] = {}
        for row in rows:
            if row.record in kept:
                self.leave_out("listed before", row.record)
            elif folder is not None and not (folder / f"{row.record}.hea").is_file():
                self.leave_out("its file is not in the folder", row.record)
            else:
                kept[row.record] = row
        return list(kept.values())


def ptb(folder: Path) -> Table:
    """PTB: ``RECORDS`` (or the folders ``patientNNN``), with date and diagnosis in the comments of the headers."""
    table = Table()
    for record in _ptb_records(folder, table):
        with table.row(record):
            comments = _ptb_comments(folder / f"{record}.hea")
            person = record.partition("/")[0]
            told = dict(_ptb_facts(comments))
            date = _PTB_DATE.fullmatch(told.get("ecg date", ""))
            if date is None:
                raise Fault("no date of the ECG")
            subject = subject_of(comments)
            if subject.sex is not None:
                table.sex[person] = subject.sex
            table.persons.setdefault(person, []).append(Row(_day(date), record, _ptb_labels(told), subject.age))
    return table


def _ptb_records(folder: Path, table: Table) -> Iterator[str]:
    listed = folder / "RECORDS"
    if not listed.is_file():
        yield from (f"{path.parent.name}/{path.stem}" for path in sorted(folder.glob("patient[0-9][0-9][0-9]/*.hea")))
        return
    for line in read_regular(str(listed), 1_000_000).decode("utf-8", "replace").splitlines():
        record = line.strip()
        if not record:
            continue
        if not _PTB_RECORD.fullmatch(record):
            table.leave_out("no record of a patient", record)
        elif not (folder / f"{record}.hea").is_file():
            table.leave_out("its file is not in the folder", record)
        else:
            yield record


def _ptb_comments(path: Path) -> tuple[str, ...]:
    try:
        return parse_header(read_regular(str(path), MAX_HEADER_BYTES)).comments
    except EcgError as error:
        raise Fault("its header cannot be read") from error


def _ptb_facts(comments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for comment in comments:
        name, colon, value = comment.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _ptb_labels(told: Mapping[str, str]) -> tuple[str, ...]:
    labels = []
    for name, before in (
        ("reason for admission", ""),
        ("acute infarction (localization)", "acute infarction: "),
        ("former infarction (localization)", "former infarction: "),
        ("additional diagnoses", ""),
    ):
        value = told.get(name, "")
        if value.lower() not in _SAYS_NOTHING:
            labels.append(_label(before + value))
    return tuple(labels)


def _day(date: re.Match[str]) -> datetime:
    try:
        return datetime(int(date[3]), int(date[2]), int(date[1]))
    except ValueError as error:
        raise Fault("no date of the ECG") from error


def ptbxl(folder: Path, rate_hz: int) -> Table:
    """PTB-XL: ``ptbxl_database.csv`` and ``scp_statements.csv``."""
    table = Table()
    file = {500: "filename_hr", 100: "filename_lr"}[rate_hz]
    columns = ("ecg_id", "patient_id", "recording_date", file, "scp_codes")
    for number, row in _rows(folder / "ptbxl_database.csv", columns, ("age", "sex")):
        with table.row(f"row {number} (ecg_id {row[0]})"):
            person = _key(row[1])
            at = _time(row[2])
            record = _record(row[3])
            likelihood = _scp_codes(row[4])
            age, sex = _number(row[5]), {"0": "male", "1": "female"}.get(row[6])
            if sex is not None:
                table.sex[person] = sex  # type: ignore[assignment]
            table.likelihood[record] = likelihood
            # ages above any human one stand for "over 89"
            table.persons.setdefault(person, []).append(
                Row(at, record, tuple(likelihood), age if age is not None and age <= 130 else None)
            )
    statements = folder / "scp_statements.csv"
    if statements.is_file():
        # the first column, which holds the codes, has no name
        table.meanings = {row[0]: row[1] for _, row in _rows(statements, ("", "description"))}
    return table


def _scp_codes(text: str) -> Mapping[str, float]:
    """Parse ``{'NORM': 100.0, 'SR': 0.0}`` without letting it be a program."""
    if len(text) > 2000 or not _SCP.fullmatch(text.strip()):
        raise Fault("scp_codes cannot be read")
    return {intern(code): float(value) for code, value in _SCP_PART.findall(text)}


def mimic(folder: Path) -> Table:
    """MIMIC-IV-ECG: ``record_list.csv`` and, where it is there, ``machine_measurements.csv`` with the machine's reports."""
    table = Table()
    rows: dict[str, list[tuple[datetime, str, int]]] = {}
    for number, row in _rows(folder / "record_list.csv", ("subject_id", "study_id", "ecg_time", "path")):
        with table.row(f"row {number} (study {row[1]})"):
            person, study, at, record = _key(row[0]), _whole(row[1]), _time(row[2]), _record(row[3])
            rows.setdefault(person, []).append((at, record, study))
    rows = {person: found for person, found in rows.items() if len(found) > 1}
    reports = _mimic_reports(folder, {study for found in rows.values() for *_, study in found}, table)
    for person in list(rows):
        table.persons[person] = [Row(at, record, reports.get(study, ()), None) for at, record, study in rows.pop(person)]
    return table


def _mimic_reports(folder: Path, wanted: set[int], table: Table) -> dict[int, tuple[str, ...]]:
    """The lines of the machine's report by study; equal reports are kept once, because most are."""
    path = folder / "machine_measurements.csv"
    if not path.is_file():
        return {}
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    found: dict[int, tuple[str, ...]] = {}
    for number, row in _rows(path, ("study_id",), tuple(f"report_{line}" for line in range(18))):
        try:
            study = _whole(row[0])
        except Fault as fault:
            table.leave_out(f"machine_measurements.csv: {fault}", f"row {number}")
            continue
        if study in wanted:
            report = tuple(_label(line) for line in row[1:] if line)
            found[study] = seen.setdefault(report, report)
    return found


def _rows(path: Path, needed: tuple[str, ...], others: tuple[str, ...] = ()) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV as ``(number, cells)`` in the order of the columns asked for; empty text for a cell or column of `others`
    that is not there."""
    file_size(str(path))  # a pipe or a folder would hang or fail later
    name = path.name
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [column.strip() for column in next(reader, [])]
            missing = [column for column in needed if column not in header]
            if missing:
                raise EcgError(f"{name} has no column {missing[0]!r}; fetch the table again")
            places = [header.index(column) if column in header else len(header) for column in (*needed, *others)]
            for row in reader:
                if row:
                    full = len(row)
                    yield reader.line_num, [row[place].strip() if place < full else "" for place in places]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EcgError(f"{one_line(path)} cannot be read as a table ({one_line(error, 100)}); fetch it again") from error


def _key(text: str) -> str:
    """The key of a person, which some tables write as ``15709.0``."""
    key = text.removesuffix(".0")
    if not key or len(key) > 40 or not key.isprintable():
        raise Fault("no person")
    return key


def _record(text: str) -> str:
    if not text:
        raise Fault("no file name")
    try:
        return plain_path(text.removesuffix(".hea").removesuffix(".dat"), "the table")
    except EcgError as error:
        raise Fault("its file name leads out of the set") from error


def _time(text: str) -> datetime:
    if not text:
        raise Fault("no time of the ECG")
    try:
        at = datetime.fromisoformat(text) if len(text) <= 40 else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise Fault("its time cannot be read")
    return at


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Fault("no number of the study")
    return int(text)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


# most lines of 800,000 reports are the same few thousand
@lru_cache(maxsize=65_536)
def _label(text: str) -> str:
    return intern(one_line(text, MAX_LABEL))
