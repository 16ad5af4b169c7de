"""Delineations as WFDB annotation files, one a lead, in LUDB's convention: ``(``, ``p`` / ``N`` / ``t``, ``)``."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgspasm.ecg import Delineation
from ecgspasm.errors import EcgError

if TYPE_CHECKING:
    import pandas as pd

_SYMBOLS = {"P": "p", "QRS": "N", "T": "t"}


def write_annotations(delineation: Delineation, folder: str | os.PathLike[str], record: str) -> list[str]:
    """Write ``record.i``, ``record.ii`` ... into a folder that exists; `wfdb.rdann` reads them back exactly.

    Parameters
    ----------
    delineation : Delineation
    folder : path
    record : str
        Name of the record: letters, digits, ``_`` and ``-``.

    Returns
    -------
    list of str
        Paths of the files, one for each lead in which a wave was found: all of them, or none if anything fails.

    Raises
    ------
    EcgError
        If the folder or the name cannot be used.
    """
    if not Path(folder).is_dir():
        raise EcgError(f"there is no folder {os.fspath(folder)}; make it first")
    frame = delineation.to_frame().dropna(subset=["peak"])
    written = []
    paths = {str(lead): os.path.join(os.fspath(folder), f"{record}.{str(lead).lower()}") for lead in frame["lead"].unique()}
    there = [os.path.basename(path) for path in paths.values() if os.path.lexists(path)]
    if there:
        # they may be an expert's
        raise EcgError(f"{os.fspath(folder)} holds annotations of {record} already ({there[0]}); give an empty folder")
    try:
        # wfdb.wrann takes letters only as a suffix, but LUDB's leads are called v1 to v6: written beside, then renamed.
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            for lead, path in paths.items():
                _write_lead(frame[frame["lead"] == lead], beside, record)
                os.replace(os.path.join(beside, f"{record}.lead"), os.path.join(beside, os.path.basename(path)))
            for path in paths.values():
                written.append(path)
                os.replace(os.path.join(beside, os.path.basename(path)), path)
    except (ValueError, OSError) as error:
        for path in written:
            # the one that could not be moved is not there
            with suppress(FileNotFoundError):
                os.unlink(path)
        said = error.strerror if isinstance(error, OSError) else error
        where = os.path.join(os.fspath(folder), record)
        raise EcgError(f"cannot write {where}: {said}; use letters, digits, _ and - in the name, and see to space") from error
    return written


def _write_lead(rows: pd.DataFrame, folder: str, record: str) -> None:
    """Write ``record.lead`` with the waves of one lead, and have it on the disk."""
    import wfdb

    samples = rows[["onset", "peak", "offset"]].to_numpy()
    symbols = np.stack([[("(", _SYMBOLS[wave], ")") for wave in rows["wave"]]]).reshape(-1, 3)
    known = np.isfinite(samples) & (samples >= 0)
    at, marks = samples[known].astype(int), symbols[known]
    # Two waves may touch: the end of the first stays before the onset of the second.
    order = np.lexsort((marks == "(", at))
    wfdb.wrann(record, "lead", at[order], symbol=list(marks[order]), write_dir=folder)
    path = os.path.join(folder, f"{record}.lead")
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    # numpy's tofile, which wfdb writes with, says nothing when the last bytes find no room: the file may be empty
    back = wfdb.rdann(path.removesuffix(".lead"), "lead") if os.path.getsize(path) > 2 else None
    if back is None or back.sample.tolist() != at[order].tolist() or back.symbol != list(marks[order]):
        raise OSError(errno.ENOSPC, "not all of it came to lie on the disk, which is full or broken")
