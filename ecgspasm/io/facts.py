"""What is to know of an ECG beside its samples, as tables, arrays and HDF5 attributes state it in words.

The same few keys serve all formats that have no header of their own: ``fs`` (Hz), ``unit``, ``derived``, ``sex``, ``age``,
``key`` and ``recorded_at``. Nothing else is taken, whatever a file may say of a person.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgspasm.ecg import FS_RANGE_HZ, Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, MOST_SAMPLES, Chosen, check_amplitudes, choose, to_ecg, uv_per_unit
from ecgspasm.io.file import Asked
from ecgspasm.io.paths import blame, one_line
from ecgspasm.io.times import Rate
from ecgspasm.recording import Recording

MAX_CHANNELS = 256

FS_KEYS = ("fs", "sampling_rate", "sampling_frequency", "sample_rate")
UNIT_KEYS = ("unit", "units")
_UNKNOWN = ("", "unknown", "none", "nan", "na", "n/a", "null")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file or an object states of itself; None where it is silent."""

    fs: float | None = None
    unit: str | None = None
    subject: Subject = field(default_factory=Subject)
    recorded_at: datetime | None = None
    derived: tuple[str, ...] | None = None
    """Leads that were computed; empty = none was, None = nothing is said of it."""


def facts_of(ecg: Ecg) -> dict[str, Any]:
    """All of an `Ecg` but its samples, leads and source, as plain values; samples are in uV."""
    subject = ecg.subject
    told = {
        "sex": subject.sex,
        "age": None if subject.age is None else float(subject.age),
        "key": subject.key,
        "recorded_at": ecg.recorded_at.isoformat() if ecg.recorded_at is not None else None,
    }
    stated = {name: value for name, value in told.items() if value is not None}
    return {"fs": float(ecg.fs), "unit": "uV", "derived": list(ecg.derived), **stated}


def stated(given: Mapping[str, Any]) -> Facts:
    """Read the known keys of a mapping; all others are left alone.

    Raises
    ------
    EcgError
        If a known key has a value that it cannot have, or two spellings of one key differ.
    """
    known = {str(name).strip().casefold(): _plain(value) for name, value in given.items()}
    rates = {_number(known[name], name) for name in FS_KEYS if name in known}
    units = {str(known[name]).strip() for name in UNIT_KEYS if name in known} - {""}
    if len(rates) > 1 or len({uv_per_unit(unit) for unit in units}) > 1:
        raise EcgError("the sampling rate or the unit is stated twice, differently; leave the wrong one out")
    sex = {"male": "male", "m": "male", "female": "female", "f": "female"}.get(str(known.get("sex")).strip().casefold())
    age = known.get("age")
    key = known.get("key")
    subject = Subject(
        sex=sex,  # type: ignore[arg-type]
        age=None if age is None or str(age).strip().casefold() in _UNKNOWN else _number(age, "age"),
        key=None if key is None else str(key),
    )
    return Facts(next(iter(rates), None), next(iter(units), None), subject, _time(known.get("recorded_at")), _derived(known))


def _plain(value: Any) -> Any:
    """A numpy scalar, a one-element array or bytes as what they stand for."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(())[()]
    if isinstance(value, np.generic):
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise EcgError(f"{what} is {one_line(repr(value), 60)}, which is no number; mend it") from error
    if not math.isfinite(number):
        raise EcgError(f"{what} is {number}; mend it")
    return number


def _time(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    text = str(value).strip()
    if text.casefold() in _UNKNOWN:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise EcgError(f"recorded_at is {one_line(text, 60)!r}; write it as 2024-05-31T23:59:59") from error


def _derived(known: Mapping[str, Any]) -> tuple[str, ...] | None:
    given = known.get("derived")
    if given is None:
        return None
    names = given.split(",") if isinstance(given, str) else [str(_plain(name)) for name in np.ravel(given)]
    return tuple(name.strip() for name in names if name.strip().casefold() not in ("", "none"))


def agreed_fs(asked: float | None, told: float | None, *, where: str = "the file") -> float:
    """The sampling rate on which the caller and the file agree, or that one of them states."""
    if asked is not None and told is not None and asked != told:
        raise EcgError(f"{where} says that fs is {told:g} Hz, but fs={asked:g} was given; leave fs= out or mend {where}")
    fs = told if asked is None else asked
    if fs is None:
        raise EcgError(f"{where} does not say its sampling rate; give it in Hz: fs=500")
    if not FS_RANGE_HZ[0] <= fs <= FS_RANGE_HZ[1]:
        raise EcgError(f"fs is {fs:g} Hz; the sampling rate of an ECG lies between 50 and 10000 Hz")
    return float(fs)


def settled_fs(asked: float | None, told: float | None, by_times: Sequence[Rate | None], *, where: str = "the file") -> float:
    """The rate that is stated, if it fits to the times; that of the times if none is.

    Times whose unit nobody tells state no rate, but they have to fit to the one that is stated.
    """
    rates = sorted((rate for rate in by_times if rate is not None), key=lambda rate: rate.error)
    exact = told if asked is None else asked
    if exact is None:
        exact = next((rate.fs for rate in rates if rate.unit_told), None)
    for rate in rates:
        if exact is None:
            raise EcgError(
                f"{where} does not say its sampling rate, nor the unit of its times; name their column time_s or time_ms, or "
                "give fs=500"
            )
        if rate.fits(exact):
            continue
        if rate.unit_told:
            raise EcgError(f"the times are those of {rate.fs:g} Hz, but fs is {exact:g}; only one can be true")
        raise EcgError(
            f"the times, whose unit is not told, go up by {1 / rate.fs:g}, which fits to fs={exact:g} neither in s nor in ms nor "
            "as numbers of samples; mend fs, or name their column with its unit: time_s, time_ms"
        )
    return agreed_fs(asked, exact if told is None else told, where=where)


def agreed_unit(asked: str | None, *told: str | None, where: str = "the file") -> str:
    """The unit on which the caller and all places agree that state one."""
    units = [unit for unit in (asked, *told) if unit is not None]
    wrong = [unit for unit in units if uv_per_unit(unit) is None]
    if wrong:
        raise EcgError(f"the unit is {one_line(wrong[0], 40)!r}; only uV, mV and V are an ECG's")
    if not units:
        raise EcgError(f"{where} does not say the unit of its samples; give it: unit='uV' or unit='mV'")
    other = next((unit for unit in told if unit is not None and asked and uv_per_unit(unit) != uv_per_unit(asked)), None)
    if other is not None:
        raise EcgError(f"{where} states the unit {one_line(other, 12)}, but unit={asked!r} was given; leave unit= out")
    if len({uv_per_unit(unit) for unit in units}) > 1:
        raise EcgError(f"{where} says {one_line(units[0], 12)} and {one_line(units[-1], 12)} for the unit; only one can be true")
    return units[0]


def lead_axis(shape: Sequence[int], n_leads: int) -> int:
    """Which axis of a 2-D table is that of the leads, by their number; refused where both fit or none."""
    if len(shape) != 2:
        raise EcgError(f"the samples have {len(shape)} axes; give two: (lead, sample)")
    fits = [axis for axis in (0, 1) if shape[axis] == n_leads]
    if len(fits) != 1:
        why = "so both axes may be the leads" if fits else f"but {n_leads} leads are named"
        raise EcgError(f"the samples have the shape {tuple(shape)}, {why}; give (lead, sample) with one name a lead")
    return fits[0]


def oriented(table: NDArray[Any], n_leads: int) -> NDArray[Any]:
    """A 2-D table as (lead, sample), by its number of leads; refused where both axes fit or none."""
    if table.ndim == 1 and n_leads == 1:
        table = table[None, :]
    return table if lead_axis(table.shape, n_leads) == 0 else table.T


@dataclass(frozen=True, slots=True)
class Scaling:
    """Which channels of a table are leads, and what makes uV of them."""

    chosen: Chosen
    factors: tuple[float, ...]
    """Microvolts in one unit of each lead, with its sign."""

    @classmethod
    def of(cls, names: Sequence[str], units: Sequence[str], asked: Asked) -> Scaling:
        """Tell the leads by the names of the channels."""
        if not 0 < len(names) <= MAX_CHANNELS:
            raise EcgError(f"there are {len(names)} channels; between 1 and {MAX_CHANNELS} are read")
        chosen = choose(names, units, asked.rename)
        factors = []
        for row, lead, sign in zip(chosen.rows, chosen.leads, chosen.signs, strict=True):
            factor = uv_per_unit(units[row])
            if factor is None:
                raise EcgError(f"lead {lead} has the unit {one_line(units[row], 12)!r}; only uV, mV and V are an ECG's")
            factors.append(sign * factor)
        return cls(chosen, tuple(factors))

    def microvolts(self, rows: Sequence[NDArray[Any]]) -> Floats:
        """The leads in uV, from their rows alone."""
        signal: Floats = np.empty((len(rows), len(rows[0])))
        for out, row, lead, factor in zip(signal, rows, self.chosen.leads, self.factors, strict=True):
            if row.dtype.kind not in "fiu":
                raise EcgError(f"the samples of lead {lead} are of type {row.dtype}; only plain real numbers are read")
            # odd bit patterns of a damaged file are nan or infinite when widened, which is looked for below
            with np.errstate(all="ignore"):
                np.multiply(row, factor, out=out, dtype=np.float64, casting="unsafe")
        if np.isinf(signal).any():
            raise EcgError("the signal holds infinite values; use nan where a sample is missing")
        return signal

    def notes(self) -> tuple[str, ...]:
        """What is to be said of the channels that are no leads."""
        return (f"left out: {', '.join(self.chosen.left_out)}",) if self.chosen.left_out else ()


def build(
    rows: Sequence[NDArray[Any]] | NDArray[Any],
    *,
    names: Sequence[str],
    units: Sequence[str],
    fs: float,
    facts: Facts,
    asked: Asked,
    source: str,
    notes: Sequence[str] = (),
) -> Ecg:
    """Make the `Ecg` of some channels, one row each, in the units that go with them."""
    scaling = Scaling.of(names, units, asked)
    chosen = scaling.chosen
    n_samples = len(rows[chosen.rows[0]])
    if not 0 < n_samples <= MAX_SAMPLES // len(chosen.rows):
        raise EcgError(f"{len(chosen.rows)} leads of {n_samples} samples cannot be read at once; cut the recording")
    return to_ecg(
        signal_uv=scaling.microvolts([rows[row] for row in chosen.rows]),
        fs=fs,
        leads=chosen.leads,
        subject=facts.subject,
        recorded_at=facts.recorded_at,
        source=source,
        notes=(*notes, *scaling.notes()),
        derived=facts.derived,
    )


def open_rows(
    rows: Callable[[int, int, Sequence[int]], Sequence[NDArray[Any]]],
    n_samples: int,
    *,
    names: Sequence[str],
    units: Sequence[str],
    fs: float,
    facts: Facts,
    asked: Asked,
    source: str,
) -> Recording:
    """Make a `Recording` of channels that ``rows(start, stop, which)`` reads a stretch of."""
    scaling = Scaling.of(names, units, asked)
    chosen = scaling.chosen
    if not 0 < n_samples <= MOST_SAMPLES // len(names):
        raise EcgError(f"the file tells of {n_samples} samples of {len(names)} channels, which no recording has; save it again")

    def samples(start: int, stop: int) -> Floats:
        with blame(source):
            signal = scaling.microvolts(rows(start, stop, chosen.rows))
            check_amplitudes(signal, chosen.leads)
        return signal

    said = "; ".join((one_line(source, 300), *scaling.notes()))
    return Recording(chosen.leads, fs, n_samples, samples, facts.subject, facts.recorded_at, said)
