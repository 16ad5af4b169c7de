"""How much two ECGs of one person differ when nothing has happened, per lead and measure.

The figures stand in ``repeatability.toml``; ``docs/repeatability.py`` estimates them from same-subject pairs of public records.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError

Electrodes = Literal["same", "fresh"]
"""Whether both ECGs were taken through the same electrodes (provocation, telemetry) or newly placed ones (another day)."""

ELECTRODES = ("same", "fresh")

_LIKE = {
    "st_j20_uv": "st_j60_uv",
    "st_j40_uv": "st_j60_uv",
    "st_j80_uv": "st_j60_uv",
    "t_positive_uv": "t_uv",
    "t_negative_uv": "t_uv",
    "t_net_uv": "t_uv",
    "u_uv": "st_j60_uv",
}
"""Measures taken to repeat as well as another one, of which the table tells (U is too rare in the pairs to tell of)."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("ecgspasm.serial").joinpath("repeatability.toml").read_text(encoding="utf-8"))


def check_electrodes(electrodes: str) -> None:
    """Refuse anything but the two settings."""
    if electrodes not in ELECTRODES:
        raise EcgError(f"electrodes is {electrodes!r}; give 'same' (they stayed on) or 'fresh' (another day)")


def repeat_sd(measure: str, leads: Sequence[str], electrodes: Electrodes, baseline: Floats) -> Floats:
    """Standard deviation of the difference between two ECGs of one person in whom nothing has happened.

    Parameters
    ----------
    measure : str
    leads : sequence of str
        A lead that the table lacks is taken to repeat as badly as the worst of the others.
    electrodes : {'same', 'fresh'}
    baseline : ndarray, shape (lead,)
        Values of the baseline: T changes in proportion to its size.

    Returns
    -------
    ndarray, shape (lead,)
        In the unit of the measure; ``nan`` for measures that the table does not tell of.
    """
    check_electrodes(electrodes)
    rows = _table()[electrodes].get(_LIKE.get(measure, measure))
    if rows is None:
        return np.full(len(leads), np.nan)
    worst = max(rows["sd_uv"].values())
    fixed = np.array([rows["sd_uv"].get(lead, worst) for lead in leads])
    return np.asarray(np.hypot(fixed, rows.get("share", 0.0) * np.nan_to_num(np.abs(baseline))))
