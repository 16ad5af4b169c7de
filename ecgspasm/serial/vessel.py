"""Vessel-specific leads: one weighted sum of the leads for each coronary artery.

The idea is that of Horacek BM et al. (J Electrocardiol 2008;41:508-517): ST is read in the lead that sees the occlusion of an
artery best. Their coefficients come from body surface maps and are not restated here; those in ``vessel.toml`` are the project's
own, fitted to STAFF III (``docs/fit_serial.py``).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ecgspasm.ecg import MEASURED, Floats, Measurements


@cache
def vessel_table() -> dict[str, Any]:
    """The leads that enter, the limit in uV, and the weights of each artery's lead."""
    return tomllib.loads(files("ecgspasm.serial").joinpath("vessel.toml").read_text(encoding="utf-8"))


def vessel_leads(measured: Measurements, measure: str = "st_j_uv") -> dict[str, float]:
    """ST in the lead of each artery, in uV; ``nan`` where one of the eight independent leads was not measured.

    Parameters
    ----------
    measured : Measurements
    measure : str
        The ST level that is read, ``st_j_uv`` or another offset.
    """
    table = vessel_table()
    known = {
        lead: measured.get(measure, lead) if measure in measured.values else np.nan
        for lead, state in zip(measured.leads, measured.state, strict=True)
        if state == MEASURED
    }
    level = np.array([known.get(lead, np.nan) for lead in table["leads"]])
    return {artery: float(np.asarray(row) @ level) for artery, row in table["weight"].items()}


def vessel_weights(change: Floats, artery: list[str]) -> dict[str, Floats]:
    """Weights of each artery's lead: the mean pattern of the changes under its occlusion, each person counting alike.

    Parameters
    ----------
    change : ndarray, shape (person, lead)
        Change of ST in the eight independent leads.
    artery : list of str
        Of each person.

    Returns
    -------
    dict of str to ndarray, shape (lead,)
        Of length one each; a scale makes uV of them later.
    """
    pattern = change / np.linalg.norm(change, axis=1, keepdims=True)
    weights = {}
    for name in sorted({each for each in artery if each != "left main"}):
        mean = pattern[[each == name for each in artery]].mean(axis=0)
        weights[name] = mean / np.linalg.norm(mean)
    return weights
