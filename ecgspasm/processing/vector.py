"""The heart vector: its ST deviation, its QRS-T angle and its ventricular gradient, from the leads that are there.

A vectorcardiogram is a weighted sum of the leads, and so are its levels and areas: the vectors below follow from the measurements
of the leads alone, without the waveforms.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ecgspasm.ecg import MEASURED, Floats, Measurements, number, read_only
from ecgspasm.errors import EcgError


@dataclass(frozen=True, eq=False)
class Transform:
    """Weights that make X (left), Y (foot) and Z (back) of leads, shape (3, lead)."""

    leads: tuple[str, ...]
    weights: Floats
    source: str

    def __call__(self, values: Floats, leads: Sequence[str]) -> Floats:
        """Vectors of `values`, shape (lead, ...) with rows named `leads`; the result has shape (3, ...).

        Raises
        ------
        EcgError
            If one of the eight independent leads is not there.
        """
        missing = [lead for lead in self.leads if lead not in leads]
        if missing:
            raise EcgError(f"no heart vector without {', '.join(missing)}; the transform needs {', '.join(self.leads)}")
        rows = [list(leads).index(lead) for lead in self.leads]
        return np.asarray(np.tensordot(self.weights, np.asarray(values, dtype=float)[rows], axes=1))


@cache
def _transforms() -> dict[str, Transform]:
    table: dict[str, Any] = tomllib.loads(files("ecgspasm.processing").joinpath("vector.toml").read_text(encoding="utf-8"))
    leads = tuple(table.pop("leads"))
    return {name: Transform(leads, read_only([row[axis] for axis in "xyz"]), str(row["source"])) for name, row in table.items()}


def kors() -> Transform:
    """The regression matrix of Kors (1990), the usual choice: closest to Frank's own leads."""
    return _transforms()["kors"]


def inverse_dower() -> Transform:
    """The inverse of Dower's matrix (Edenbrandt and Pahlm, 1988)."""
    return _transforms()["inverse_dower"]


VECTORS = ("st_j_uv", "st_j60_uv", "t_uv", "qrs_area_uv_ms", "t_area_uv_ms")
"""The measures of the leads that vectors are made from."""


@dataclass(frozen=True, eq=False)
class HeartVectors:
    """Vectors of one ECG along X (left), Y (foot), Z (back), shape (3,) each; ``nan`` where a lead was not measured.

    Attributes
    ----------
    st_j_uv, st_j60_uv : ndarray
        ST deviation at J and 60 ms after it.
    t_uv : ndarray
        Made of the leads' T amplitudes, both lobes together where both are known.
    qrs_area_uv_ms, t_area_uv_ms : ndarray
        Areas of the QRS complex, and of ST and T.
    """

    st_j_uv: Floats
    st_j60_uv: Floats
    t_uv: Floats
    qrs_area_uv_ms: Floats
    t_area_uv_ms: Floats

    @property
    def gradient_uv_ms(self) -> Floats:
        """The ventricular gradient: area of QRS, ST and T together (Wilson 1934), shape (3,)."""
        return self.qrs_area_uv_ms + self.t_area_uv_ms

    @property
    def qrs_t_angle_deg(self) -> float:
        """The spatial angle between the mean QRS and T vectors, 0 to 180 degrees."""
        return angle_deg(self.qrs_area_uv_ms, self.t_area_uv_ms)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``None`` where a value is absent."""
        named = ("st_j_uv", "st_j60_uv", "t_uv", "qrs_area_uv_ms", "t_area_uv_ms", "gradient_uv_ms")
        vectors = {name: [number(each) for each in getattr(self, name)] for name in named}
        return vectors | {"qrs_t_angle_deg": number(self.qrs_t_angle_deg)}


def angle_deg(one: Floats, other: Floats) -> float:
    """Angle between two vectors in degrees; ``nan`` if one of them is nothing or unknown."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    if not np.isfinite(size) or size == 0.0:
        return float("nan")
    return float(np.degrees(np.arccos(np.clip(float(one @ other) / size, -1.0, 1.0))))


def heart_vectors(measured: Measurements, transform: Transform | None = None) -> HeartVectors:
    """Vectors of one ECG from the measurements of its leads.

    Parameters
    ----------
    measured : Measurements
    transform : Transform, optional
        Default: `kors`.
    """
    to_vector = transform or kors()
    return HeartVectors(**{measure: _vector(measured, measure, to_vector) for measure in VECTORS})


def _vector(measured: Measurements, measure: str, transform: Transform) -> Floats:
    table: Mapping[str, Floats] = measured.values
    if measure == "t_uv" and "t_net_uv" in table:
        measure = "t_net_uv"
    if measure not in table or not set(transform.leads) <= set(measured.leads):
        return read_only(np.full(3, np.nan))
    known = np.array([state == MEASURED for state in measured.state])
    return read_only(transform(np.where(known, table[measure], np.nan), measured.leads))
