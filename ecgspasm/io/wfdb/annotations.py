"""Delineations as WFDB annotation files, one a lead, in LUDB's convention: ``(``, ``p`` / ``N`` / ``t``, ``)``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from ecgspasm.ecg import Delineation
from ecgspasm.errors import EcgError

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
        Paths of the files, one for each lead in which a wave was found.

    Raises
    ------
    EcgError
        If the folder or the name cannot be used.
    """
    if not Path(folder).is_dir():
        raise EcgError(f"there is no folder {os.fspath(folder)}; make it first")
    import wfdb

    frame = delineation.to_frame().dropna(subset=["peak"])
    written = []
    paths = {str(lead): os.path.join(os.fspath(folder), f"{record}.{str(lead).lower()}") for lead in frame["lead"].unique()}
    there = [os.path.basename(path) for path in paths.values() if os.path.lexists(path)]
    if there:
        # they may be an expert's
        raise EcgError(f"{os.fspath(folder)} holds annotations of {record} already ({there[0]}); give an empty folder")
    for lead, rows in frame.groupby("lead", sort=False):
        samples = rows[["onset", "peak", "offset"]].to_numpy()
        symbols = np.stack([[("(", _SYMBOLS[wave], ")") for wave in rows["wave"]]]).reshape(-1, 3)
        known = np.isfinite(samples) & (samples >= 0)
        at, marks = samples[known].astype(int), symbols[known]
        # Two waves may touch: the end of the first stays before the onset of the second.
        order = np.lexsort((marks == "(", at))
        path = paths[str(lead)]
        # wfdb.wrann takes letters only as a suffix, but LUDB's leads are called v1 to v6: written beside, then renamed.
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            try:
                wfdb.wrann(record, "lead", at[order], symbol=list(marks[order]), write_dir=beside)
                os.replace(os.path.join(beside, f"{record}.lead"), path)
            except (ValueError, OSError) as error:
                raise EcgError(f"cannot write {path}: {error}; use letters, digits, _ and - in the name") from error
        written.append(path)
    return written
