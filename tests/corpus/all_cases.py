"""The whole corpus of bad files."""

from __future__ import annotations

import re
from functools import cache

from tests.corpus import bad_devices, bad_growth, bad_records, bad_tables
from tests.corpus.case import Bad

FAMILIES = {
    "WFDB": ("record line", "signal line", "header", "data", "format", "segments", "path", "mat"),
    "CSV": ("CSV",),
    "NumPy": ("npy", "npz"),
    "Parquet": ("Parquet",),
    "HDF5": ("HDF5",),
    "EDF": ("EDF",),
    "DICOM": ("DICOM",),
    "XML": ("XML", "MUSE XML"),
    "SCP-ECG": ("SCP-ECG",),
    "ISHNE": ("ISHNE",),
    "PDF": ("PDF",),
    "packed": ("packed",),
}
"""What the first word of a case says, by format."""


@cache
def cases() -> dict[str, list[Bad]]:
    """All cases by format.

    Raises
    ------
    AssertionError
        If two have one name, or one is of no format.
    """
    found: dict[str, list[Bad]] = {family: [] for family in FAMILIES}
    names: set[str] = set()
    for module in (bad_records, bad_tables, bad_devices, bad_growth):
        for case in module.cases():
            assert case.name not in names, f"two cases are called {case.name}"
            names.add(case.name)
            start = re.sub(r" \d+$", "", case.name.partition(":")[0])
            family = next(name for name, starts in FAMILIES.items() if start in starts)
            found[family].append(case)
    return found
