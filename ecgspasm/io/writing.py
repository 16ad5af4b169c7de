"""Write an `Ecg` so that `read` gives exactly the same back: as Parquet, as a text table, or as a WFDB record."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import LARGEST_UV, MAX_SAMPLES
from ecgspasm.io.facts import facts_of
from ecgspasm.io.file import Asked, File
from ecgspasm.io.gain import exact_gain
from ecgspasm.io.paths import blame, local_path, why_not_written, write_whole

_SUFFIXES = (".hea", ".parquet", ".csv", ".tsv")


def write(ecg: Ecg, path: str | os.PathLike[str], *, gain: float | None = None) -> str:
    """Write an ECG; the suffix of the path says in which format.

    Parameters
    ----------
    ecg : Ecg
    path : path
        ``.parquet``, ``.csv``, ``.tsv``, or ``.hea`` for a WFDB record of two files (``.hea`` and ``.dat``). A file that is there
        is replaced as a whole, and stays what it is if anything fails.
    gain : float, optional
        Steps per mV of a WFDB record, which then is rounded to them. Without it one is looked for that keeps every sample.

    Returns
    -------
    str
        The path.

    Raises
    ------
    EcgError
        If the suffix is another one, the ECG cannot be kept exactly in the format (WFDB: 16 bits a sample, a time without a
        zone, an age with up to four decimals), or the file cannot be written.

    Notes
    -----
    Kept are the samples in uV with what is missing, the sampling rate, the leads and which of them are derived, sex, age and time
    of recording, and but for WFDB the key of the subject. The `source`, which is of the file that was read, is not. What was
    written is read and compared before it takes the place of an older file.

    Examples
    --------
    >>> write(Ecg(signal_uv=[[0.1, 0.2]], fs=500, leads=["V2"]), "ecg.pdf")
    Traceback (most recent call last):
    ecgspasm.errors.EcgError: ecg.pdf: an ECG is written as .hea, .parquet, .csv or .tsv; use one of them
    """
    text = local_path(path)
    with blame(text):
        suffix = os.path.splitext(text)[1].lower()
        if not isinstance(ecg, Ecg):
            raise EcgError(f"this is a {type(ecg).__name__}, not an Ecg")
        if suffix not in _SUFFIXES:
            raise EcgError("an ECG is written as .hea, .parquet, .csv or .tsv; use one of them")
        if gain is not None and suffix != ".hea":
            raise EcgError(f"gain= is for WFDB; {suffix} keeps all samples as they are: leave it out")
        if not 0 < ecg.signal_uv.size <= MAX_SAMPLES:
            raise EcgError(f"{ecg.signal_uv.size} samples cannot be written; between 1 and {MAX_SAMPLES} can")
        if np.nanmax(np.abs(ecg.signal_uv), initial=0.0) > LARGEST_UV:
            raise EcgError(f"the signal goes beyond {LARGEST_UV / 1000:g} mV, which would not be read again; mend its unit")
        if suffix == ".hea":
            _write_wfdb(ecg, text, gain)
        else:
            _write_file(ecg, text, suffix)
    return text


def _write_file(ecg: Ecg, path: str, suffix: str) -> None:
    facts = facts_of(ecg)
    if suffix == ".parquet":
        from ecgspasm.io.tables.parquet import parquet_bytes, read_parquet

        content, read = parquet_bytes(ecg.leads, ecg.signal_uv, facts), read_parquet
    else:
        from ecgspasm.io.tables.text import read_table, table_bytes

        content, read = table_bytes(ecg.leads, ecg.signal_uv, facts, "\t" if suffix == ".tsv" else ","), read_table
    difference = _difference(read(File(os.path.basename(path), data=content), Asked()), ecg)
    if difference:
        raise EcgError(f"{difference} would not be read back as it is; this is a fault of ecgspasm, please tell its developers")
    write_whole(path, content)


def _write_wfdb(ecg: Ecg, path: str, gain: float | None) -> None:
    from ecgspasm.io.wfdb.reader import physical, read_digital
    from ecgspasm.io.wfdb.writer import write_wfdb

    if ecg.recorded_at is not None and ecg.recorded_at.tzinfo is not None:
        raise EcgError("a WFDB header has no place for a time zone; write .parquet, or drop the zone of recorded_at")
    steps = exact_gain(ecg.signal_uv) if gain is None else gain
    if steps is None:
        raise EcgError(
            "no gain keeps all samples as they are in the 16 bits of WFDB; write .parquet, or let them be rounded: gain=1000"
        )
    folder, name = os.path.split(path)
    with _said(path), tempfile.TemporaryDirectory(dir=folder or ".", prefix=".ecgspasm-") as aside:
        name = os.path.splitext(name)[0]
        header = write_wfdb(ecg, aside, name, gain=steps)
        try:
            back = physical(read_digital(header))
        except EcgError as error:
            raise EcgError(f"a WFDB record cannot hold this ECG ({error}); write .parquet instead") from error
        half_step = 0.5001 * 1000.0 / steps if gain is not None else 0.0
        difference = _difference(back, ecg, tolerance_uv=2 * half_step, key=False)
        if difference:
            raise EcgError(f"a WFDB record does not keep {difference} exactly; write .parquet instead")
        _move_both(aside, folder, name)


def _move_both(aside: str, folder: str, name: str) -> None:
    """Put two finished files in their place; if the second cannot be moved, the first one's forerunner comes back."""
    data, header = (os.path.join(folder, name + suffix) for suffix in (".dat", ".hea"))
    kept = os.path.join(aside, "kept")
    if os.path.lexists(data):
        shutil.copy2(data, kept)
    os.replace(os.path.join(aside, name + ".dat"), data)
    try:
        os.replace(os.path.join(aside, name + ".hea"), header)
    except OSError:
        if os.path.lexists(kept):
            os.replace(kept, data)
        else:
            os.unlink(data)
        raise


def _difference(back: Ecg, ecg: Ecg, *, tolerance_uv: float = 0.0, key: bool = True) -> str:
    """What is not the same in two ECGs, in words; empty if nothing is."""
    if back.leads != ecg.leads or set(back.derived) != set(ecg.derived):
        return f"the leads {', '.join(ecg.leads)}"
    if back.fs != ecg.fs:
        return f"a sampling rate of {ecg.fs!r} Hz"
    if back.signal_uv.shape != ecg.signal_uv.shape or not np.array_equal(np.isnan(back.signal_uv), np.isnan(ecg.signal_uv)):
        return "the missing samples"
    if np.nanmax(np.abs(back.signal_uv - ecg.signal_uv), initial=0.0) > tolerance_uv:
        return "the samples"
    if back.subject.sex != ecg.subject.sex or back.subject.age != ecg.subject.age:
        return f"the age {ecg.subject.age!r}"
    if key and back.subject.key != ecg.subject.key:
        return "the key of the subject"
    return "" if back.recorded_at == ecg.recorded_at else f"the time {ecg.recorded_at}"


@contextmanager
def _said(path: str) -> Iterator[None]:
    """Say what the system refuses."""
    try:
        yield
    except (OSError, EcgError) as error:
        refused = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(refused, OSError):
            raise
        # where it was tried bears a name that the caller does not know
        raise EcgError(why_not_written(path, refused)) from error
