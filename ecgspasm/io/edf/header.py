"""The header of EDF, EDF+ and BDF files, checked field by field; of a person only sex and age leave this module.

The grammar is that of the EDF specification (Kemp et al. 1992), of EDF+ (Kemp and Olivan 2003) and of BioSemi's 24-bit variant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from ecgspasm.ecg import Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

_EDF = b"0       "
_BDF = b"\xffBIOSEMI"
_FIXED = 256
MAX_SIGNALS = 512
MAX_HEADER_BYTES = _FIXED * (MAX_SIGNALS + 1)
_MOST_RECORD_BYTES = 64 * 2**20
"""EDF recommends records of at most 61440 bytes; writers of few, long records exceed that."""

# name and width of what the header says of every signal, in the order of the file
_SIGNAL_FIELDS = (
    ("label", 16), ("transducer", 80), ("unit", 8), ("physical minimum", 8), ("physical maximum", 8),
    ("digital minimum", 8), ("digital maximum", 8), ("prefiltering", 80), ("samples", 8), ("reserved", 32),
)  # fmt: skip
_INTEGER = re.compile(r"[+-]?\d{1,8}", re.ASCII)
# two digits of exponent, so that no number grows beyond what arithmetic bears
_NUMBER = re.compile(r"[+-]?(?:\d{1,8}\.?\d{0,7}|\.\d{1,7})(?:[eE][+-]?\d{1,2})?", re.ASCII)
_DATE = re.compile(r"(\d\d)[.:/\- ](\d\d)[.:/\- ](\d\d)", re.ASCII)
_PLUS_DATE = re.compile(r"(\d\d)-([A-Z]{3})-(\d{4})", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True)
class Channel:
    """What the header says of one signal; numbers are exact, as they stand there in decimals."""

    label: str
    unit: str
    physical: tuple[Fraction, Fraction]
    digital: tuple[int, int]
    per_record: int
    """Samples in a data record."""

    @property
    def annotations(self) -> bool:
        """Whether it holds annotations instead of samples."""
        return self.label in ("EDF Annotations", "BDF Annotations")


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """A checked header. `raw` is the header without who, when and where, to be put in front of a stretch of records."""

    raw: bytes
    channels: tuple[Channel, ...]
    n_records: int
    record_s: Fraction
    subject: Subject
    started: datetime | None
    plus: bool
    gaps: bool
    """Whether it is of the discontinuous kind (EDF+D, BDF+D)."""

    @property
    def word(self) -> int:
        """Bytes a sample."""
        return 3 if self.raw[:8] == _BDF else 2

    @property
    def record_bytes(self) -> int:
        """Bytes of a data record."""
        return self.word * sum(channel.per_record for channel in self.channels)

    def stretch(self, n_records: int) -> bytes:
        """Header for `n_records` records cut out of the file: together they are a file of the same format."""
        return self.raw[:236] + b"%-8d" % n_records + self.raw[244:]


def is_edf(start: bytes) -> bool:
    """Whether a file that begins so is EDF, EDF+ or BDF."""
    return start[:8] in (_EDF, _BDF) and len(start) >= _FIXED and start[184:192].strip(b" ").isdigit()


def parse_edf_header(start: bytes, size: int) -> EdfHeader:
    """Parse and check the header at the start of a file of `size` bytes.

    Raises
    ------
    EcgError
        If a field is not what the format wants, or the size of the file is not what the header says.
    """
    if not is_edf(start):
        raise EcgError("this is no EDF or BDF file; it should begin with '0' and blanks, or with BIOSEMI")
    n_signals = _integer(start[252:256], "number of signals")
    if not 0 < n_signals <= MAX_SIGNALS:
        raise EcgError(f"the header names {n_signals} signals; between 1 and {MAX_SIGNALS} are read")
    length = _FIXED * (n_signals + 1)
    if _integer(start[184:192], "size of the header") != length or len(start) < length:
        raise EcgError(f"the header of {n_signals} signals has to have {length} bytes; the file is damaged: fetch it again")
    kind = _text(start[192:236])
    plus = kind.startswith(("EDF+", "BDF+"))
    record_s = _number(start[244:252], "duration of a data record")
    channels = _channels(start[_FIXED:length], n_signals, 24 if start[:8] == _BDF else 16)
    started = _started(start, plus)
    blank = start[:8] + b"X X X X".ljust(80) + b"Startdate X X X X".ljust(80) + b"01.01.8500.00.00" + start[184:length]
    header = EdfHeader(
        raw=blank,
        channels=channels,
        n_records=0,
        record_s=record_s,
        subject=_subject(start, started) if plus else Subject(),
        started=started,
        plus=plus,
        gaps=plus and kind[4:5] == "D",
    )
    return _with_records(header, _integer(start[236:244], "number of data records"), size - length)


def _with_records(header: EdfHeader, told: int, data_bytes: int) -> EdfHeader:
    """Compare the number of records with the real size of the file."""
    each = header.record_bytes
    if not 0 < each <= _MOST_RECORD_BYTES:
        raise EcgError(f"the header says {each} bytes a data record, which cannot be; export the file again")
    # -1 is what EDF has for a file that was never closed
    records = data_bytes // each if told == -1 else told
    if records < 1 or records * each != data_bytes:
        raise EcgError(
            f"the file holds {data_bytes} bytes of data where {records} records of {each} bytes are due; it is cut short or "
            "damaged: fetch it again"
        )
    return EdfHeader(
        header.raw, header.channels, records, header.record_s, header.subject, header.started, header.plus, header.gaps
    )


def _channels(raw: bytes, n_signals: int, bits: int) -> tuple[Channel, ...]:
    columns: dict[str, list[bytes]] = {}
    at = 0
    for name, width in _SIGNAL_FIELDS:
        columns[name] = [raw[at + width * index : at + width * (index + 1)] for index in range(n_signals)]
        at += width * n_signals
    return tuple(_channel({name: values[index] for name, values in columns.items()}, bits) for index in range(n_signals))


def _channel(field: dict[str, bytes], bits: int) -> Channel:
    label = _text(field["label"])
    low, high = (_integer(field[name], f"{name} of {label!r}") for name in ("digital minimum", "digital maximum"))
    physical = tuple(_number(field[name], f"{name} of {label!r}") for name in ("physical minimum", "physical maximum"))
    per_record = _integer(field["samples"], f"samples a record of {label!r}")
    if per_record < 1:
        raise EcgError(f"signal {label!r} has {per_record} samples a record; export the file again")
    channel = Channel(label, _text(field["unit"]), (physical[0], physical[1]), (low, high), per_record)
    if not channel.annotations and not -(2 ** (bits - 1)) <= low <= high < 2 ** (bits - 1):
        raise EcgError(f"signal {label!r} has digital values from {low} to {high}, which do not fit {bits} bits; export it again")
    return channel


def _text(raw: bytes) -> str:
    """A field as text; the format wants ASCII, but units and labels in UTF-8 or Latin-1 are met."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return one_line(text, 80)


def _integer(raw: bytes, what: str) -> int:
    text = _text(raw)
    if not _INTEGER.fullmatch(text):
        raise EcgError(f"the {what} is {text!r}, which is no whole number; the file is damaged: fetch it again")
    return int(text)


def _number(raw: bytes, what: str) -> Fraction:
    text = _text(raw)
    if not _NUMBER.fullmatch(text):
        raise EcgError(f"the {what} is {text!r}, which is no number; the file is damaged: fetch it again")
    return Fraction(text)


def _started(start: bytes, plus: bool) -> datetime | None:
    """Start of the recording by the device's own clock, or None where it was taken out."""
    clock, date = _DATE.fullmatch(_text(start[176:184])), _DATE.fullmatch(_text(start[168:176]))
    words = _text(start[88:168]).split() if plus else []
    if len(words) > 1 and words[0] == "Startdate":
        day = _plus_date(words[1])
    elif date is not None and date[0] != "01.01.85":  # what anonymisers put there
        # two digits of a year stand for 1985 to 2084
        day = _datetime(int(date[3]) + (1900 if int(date[3]) >= 85 else 2000), int(date[2]), int(date[1]))
    else:
        day = None
    if day is None or clock is None or int(clock[1]) > 23 or int(clock[2]) > 59 or int(clock[3]) > 59:
        return None
    return day + timedelta(hours=int(clock[1]), minutes=int(clock[2]), seconds=int(clock[3]))


def _plus_date(word: str) -> datetime | None:
    found = _PLUS_DATE.fullmatch(word.upper())
    if found is None or found[2] not in _MONTHS:
        return None
    return _datetime(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))


def _datetime(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day)
    except ValueError:  # a day that no calendar has is as good as none
        return None


def _subject(start: bytes, started: datetime | None) -> Subject:
    """Sex and age in whole years; code, name and day of birth are looked at here and go no further."""
    words = _text(start[8:88]).split()
    sex = {"M": "male", "F": "female"}.get(words[1]) if len(words) > 1 else None
    born = _plus_date(words[2]) if len(words) > 2 else None
    age = None
    if born is not None and started is not None:
        age = started.year - born.year - ((started.month, started.day) < (born.month, born.day))
    return Subject(sex=sex, age=float(age) if age is not None and 0 <= age <= 130 else None)  # type: ignore[arg-type]
