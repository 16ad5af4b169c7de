"""A strict grammar of WFDB headers (``.hea``).

After header(5) of the WFDB Applications Guide (Moody GB; https://physionet.org/physiotools/wag/header-5.htm). What the
standard lets a header omit is `None` here, not a default: nobody measures an ECG with a gain that was never written
down. Deviations: exponents in a sampling rate are refused; a date before the time, ``12-May-2020 12:33:59``, is
accepted and ignored, because the PhysioNet Challenges wrote there when the file was made, not when it was recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

MAX_HEADER_BYTES = 128 * 1024
MAX_LINE = 4096
MAX_SIGNALS = 256
FORMATS = frozenset({0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524})

_RECORD_NAME = re.compile(r"(?P<name>\w[\w.\-]*)(?:/(?P<segments>\d{1,6}))?", re.ASCII)
_RATE = re.compile(
    r"(?P<fs>\d{1,9}(?:\.\d{1,12})?)(?:/(?P<counter>\d{1,9}(?:\.\d{1,12})?)(?:\(-?\d{1,12}(?:\.\d{1,12})?\))?)?",
    re.ASCII,
)
_TIME = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6}))?", re.ASCII)
_DATE = re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})", re.ASCII)
_FILE_DATE = re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{4}", re.ASCII)
_SEGMENT = re.compile(r"(?P<name>~|\w[\w.\-/]*)[ \t]+(?P<n>\d{1,12})", re.ASCII)
_SIGNAL = re.compile(
    r"(?P<file>\S+)[ \t]+(?P<format>\d{1,3})(?:x(?P<spf>\d{1,4}))?(?::(?P<skew>\d{1,9}))?(?:\+(?P<offset>\d{1,9}))?"
    r"(?:[ \t]+(?P<gain>-?(?:\d{1,15}\.?\d{0,15}|\.\d{1,15})(?:[eE][+-]?\d{1,2})?)"
    r"(?:\((?P<baseline>[+-]?\d{1,10})\))?(?:/(?P<units>\S{1,40}))?"
    r"(?:[ \t]+(?P<resolution>\d{1,3})(?:[ \t]+(?P<zero>-?\d{1,10})(?:[ \t]+(?P<initial>-?\d{1,10})"
    r"(?:[ \t]+(?P<checksum>-?\d{1,6})(?:[ \t]+(?P<block>-?\d{1,9})(?:[ \t]+(?P<description>\S.*))?)?)?)?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal of a record; `None` where the header says nothing.

    `baseline` falls back to the ADC zero and that to 0, and `units` to mV after a given gain, as the standard has it.
    """

    file: str
    format: int
    samples_per_frame: int
    skew: int
    byte_offset: int
    gain: float | None
    baseline: int
    units: str
    adc_resolution: int | None
    adc_zero: int
    initial_value: int | None
    checksum: int | None
    description: str


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says.

    `fs` is in frames per second. `segments` holds ``(record, n_samples)`` of a multi-segment record, which has no
    `signals`.
    """

    record: str
    n_sig: int
    fs: float | None
    n_samples: int | None
    recorded_at: datetime | None
    signals: tuple[SignalLine, ...]
    segments: tuple[tuple[str, int], ...]
    comments: tuple[str, ...]


def is_header(start: bytes) -> bool:
    """Whether a file that begins so has the record line of a WFDB header.

    Examples
    --------
    >>> is_header(b"# a comment\\n100 2 360 650000\\n"), is_header(b"V1,V2\\n1,2\\n")
    (True, False)
    """
    try:
        lines, _ = _lines(_text(start))
    except EcgError:
        return False
    tokens = lines[0].split() if lines else []
    return 2 <= len(tokens) <= 6 and _RECORD_NAME.fullmatch(tokens[0]) is not None and tokens[1].isascii() and tokens[1].isdigit()


def parse_header(content: bytes) -> Header:
    """Parse the bytes of a ``.hea`` file.

    Raises
    ------
    EcgError
        If any line departs from the grammar, or the header is larger than any real one.
    """
    if len(content) > MAX_HEADER_BYTES:
        raise EcgError(f"the header has {len(content)} bytes; a WFDB header has at most {MAX_HEADER_BYTES}")
    lines, comments = _lines(_text(content))
    if not lines:
        raise EcgError("the header holds no record line; it is empty or not a WFDB header")
    tokens = lines[0].split()
    name = _RECORD_NAME.fullmatch(tokens[0])
    if name is None or not 2 <= len(tokens) <= 6:
        raise EcgError(f"the record line {_quoted(lines[0])} is not 'name signals fs samples [time [date]]'; mend it")
    n_sig = _count(tokens[1], "number of signals", MAX_SIGNALS)
    n_samples = _count(tokens[3], "number of samples", 10**12) if len(tokens) > 3 else None
    recorded_at = _recorded_at(tokens[4:])
    fs = _rate(tokens[2]) if len(tokens) > 2 else None
    signals: tuple[SignalLine, ...] = ()
    segments: tuple[tuple[str, int], ...] = ()
    if name["segments"] is not None:
        segments = _segments(lines[1:], int(name["segments"]))
    else:
        if len(lines) - 1 != n_sig:
            raise EcgError(f"the record line promises {n_sig} signals but {len(lines) - 1} signal lines follow; mend the header")
        signals = tuple([_signal(line) for line in lines[1:]])
    return Header(name["name"], n_sig, fs, n_samples or None, recorded_at, signals, segments, comments)


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # older headers spell the micro sign and names in Latin-1, in which every byte is a letter
        text = content.decode("latin-1")
    if "\0" in text:
        raise EcgError("this is not a WFDB header: it holds binary data")
    return text


def _lines(text: str) -> tuple[list[str], tuple[str, ...]]:
    """Split into the lines that count and the comments; blank lines are dropped."""
    lines, comments = [], []
    # not splitlines(): it also splits at characters that may stand inside a Latin-1 description
    for raw in text.replace("\r\n", "\n").split("\n"):
        if len(raw) > MAX_LINE:
            raise EcgError(f"the header has a line of {len(raw)} characters; at most {MAX_LINE} are possible")
        line = raw.strip()
        if line.startswith("#"):
            comments.append(line[1:].strip())
        elif line:
            lines.append(line)
            if len(lines) > 10_000:
                raise EcgError("the header has more than 10000 lines; that is no WFDB header")
    return lines, tuple(comments)


def _signal(line: str) -> SignalLine:
    found = _SIGNAL.fullmatch(line)
    if found is None:
        raise EcgError(
            f"the signal line {_quoted(line)} is not 'file format gain(baseline)/units resolution zero first checksum "
            "block name'; mend it"
        )
    (file, form, spf, skew, offset, gain, baseline, units, resolution, zero, initial, checksum, _, description) = found.groups()
    if int(form) not in FORMATS:
        raise EcgError(f"format {form} in the header is unknown; convert the record with WFDB's xform")
    if spf is not None and int(spf) == 0:
        raise EcgError("a signal has 0 samples per frame in the header; give 1 or more")
    adc_zero = int(zero or 0)
    return SignalLine(
        file=file,
        format=int(form),
        samples_per_frame=int(spf or 1),
        skew=int(skew or 0),
        byte_offset=int(offset or 0),
        gain=None if gain is None else float(gain),
        baseline=adc_zero if baseline is None else int(baseline),
        units=units or "mV",
        adc_resolution=None if resolution is None else int(resolution),
        adc_zero=adc_zero,
        initial_value=None if initial is None else int(initial),
        checksum=None if checksum is None else int(checksum),
        description=description or "",
    )


def _segments(lines: list[str], count: int) -> tuple[tuple[str, int], ...]:
    found = [_SEGMENT.fullmatch(line) for line in lines]
    bad = [line for line, match in zip(lines, found, strict=True) if match is None]
    if bad:
        raise EcgError(f"the segment line {_quoted(bad[0])} is not 'record samples'; mend it")
    if len(found) != count:
        raise EcgError(f"the record line promises {count} segments but {len(found)} follow; mend the header")
    return tuple((match["name"], int(match["n"])) for match in found if match is not None)


def _rate(token: str) -> float:
    found = _RATE.fullmatch(token)
    if found is None or float(found["fs"]) == 0:
        raise EcgError(f"the sampling rate in the header is {_quoted(token)}; write it as a plain number such as 500 or 257.5")
    return float(found["fs"])


def _count(token: str, what: str, limit: int) -> int:
    if not (token.isascii() and token.isdigit()) or len(token) > 15 or int(token) > limit:
        raise EcgError(f"the {what} in the header is {_quoted(token)}; it must be a whole number up to {limit}")
    return int(token)


def _recorded_at(tokens: list[str]) -> datetime | None:
    if not tokens:
        return None
    if len(tokens) == 2 and _FILE_DATE.fullmatch(tokens[0]) and _TIME.fullmatch(tokens[1]):
        return None
    time = _TIME.fullmatch(tokens[0])
    date = _DATE.fullmatch(tokens[1]) if len(tokens) == 2 else None
    if time is None or (len(tokens) == 2 and date is None):
        raise EcgError(f"time and date in the header are {_quoted(' '.join(tokens))}; write HH:MM:SS DD/MM/YYYY")
    if date is None:
        return None
    micro = int((time["fraction"] or "0").ljust(6, "0"))
    year, month, day = int(date["year"]), int(date["month"]), int(date["day"])
    try:
        return datetime(year, month, day, int(time["hour"]), int(time["minute"]), int(time["second"]), micro)
    except ValueError as error:
        raise EcgError(f"time and date in the header are {_quoted(' '.join(tokens))}: {error}; mend or remove them") from error


def _quoted(text: str) -> str:
    return repr(one_line(text, 60))
