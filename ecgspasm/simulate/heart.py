"""The beating dipole: a beat as a formula of continuous time, projected on the eight independent leads.

Every hump is an asymmetric Gaussian times a gate with raised-cosine edges. An open gate leaves the Gaussian alone (P),
a gate around the QRS gives it a crisp beginning and end, and a gate without any Gaussian is the flat ST segment.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.leads import DERIVED, STANDARD

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The leads that carry information of their own; the other four limb leads follow from I and II."""

RATE_RANGE_BPM = (30.0, 220.0)

ST_RISE_MS = 20.0
"""An ST shift rises over this time before J, within the terminal QRS, so that it is whole at J."""

ST_FLAT_MS = 80.0
"""An ST shift keeps its level this long after J, then fades until the T wave ends."""

T_GATE_MS = 40.0
"""A T wave is exactly nothing at J and grows to its Gaussian within this time, so that no T change touches J."""

EDGE = 0.05
"""P and T are marked where they have fallen to this share of their peak."""

EDGE_SIGMAS = float(np.sqrt(-2.0 * np.log(EDGE)))
"""How many standard deviations from its peak a Gaussian has fallen to `EDGE`."""

_REACH_SIGMAS = 6.0
_PR_MS_PER_BPM = 0.25
_PR_LEAST_SHIFT_MS = 40.0


@dataclass(frozen=True)
class Component:
    """One hump of the heart vector at 60/min: ms from the beat's instant, uV along X (left), Y (foot), Z (back)."""

    wave: str
    centre_ms: float
    left_ms: float
    right_ms: float
    vector_uv: tuple[float, float, float]


@dataclass(frozen=True)
class BeatShape:
    """All humps of one kind of beat, and the instants between which its QRS lies."""

    components: tuple[Component, ...]
    qrs_from_ms: float
    qrs_to_ms: float
    edge_ms: float
    qtc_ms: float
    st_vector_uv: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Heart:
    """A dominant and an ectopic beat, and the matrix that projects them, shape (8, 3)."""

    dominant: BeatShape
    ectopic: BeatShape
    lead_matrix: Floats


@dataclass(frozen=True, eq=False)
class Template:
    """One beat at one rate: ``weights @ basis(time)`` gives the eight independent leads.

    Arrays have shape (component,), `weights` has shape (8, component).
    """

    wave: tuple[str, ...]
    centre: Floats
    left: Floats
    right: Floats
    gate: Floats
    """Opens from, open at, closes from, closed at; in ms, shape (4, component)."""
    weights: Floats

    def basis(self, time_ms: Floats) -> Floats:
        """Every component at unit height, shape (component, *time)."""
        shape = (-1, *[1] * time_ms.ndim)
        lag = time_ms - self.centre.reshape(shape)
        width = np.where(lag < 0, self.left.reshape(shape), self.right.reshape(shape))
        humps = np.exp(-0.5 * (lag / width) ** 2)
        for row, (opens, opened, closes, closed) in enumerate(self.gate.T):
            if np.isfinite(opens):
                humps[row] *= raised_cosine(time_ms, opens, opened)
            if np.isfinite(closes):
                humps[row] *= 1.0 - raised_cosine(time_ms, closes, closed)
        return np.asarray(humps)

    def at(self, time_ms: Floats, waves: Sequence[str] = ()) -> Floats:
        """The eight independent leads in uV, of all waves or only some, shape (8, *time)."""
        chosen = [row for row, wave in enumerate(self.wave) if not waves or wave in waves]
        return np.tensordot(self.weights[:, chosen], self.only(chosen).basis(time_ms), axes=1)

    def only(self, rows: Sequence[int]) -> Template:
        """The same beat with some of its components."""
        wave = tuple(self.wave[row] for row in rows)
        gate, weights = self.gate[:, rows], self.weights[:, rows]
        return Template(wave, self.centre[rows], self.left[rows], self.right[rows], gate, weights)

    def row(self, wave: str) -> int:
        """The first component of a wave: the one that changes of this wave scale."""
        return self.wave.index(wave)

    def plus(self, wave: str, uv: Floats) -> Template:
        """The same beat with `uv` (shape (8,)) added to a wave."""
        weights = self.weights.copy()
        weights[:, self.row(wave)] += uv
        return replace(self, weights=weights)

    @property
    def reach_ms(self) -> tuple[float, float]:
        """The time beyond which the beat is nothing (below 2e-8 of any hump)."""
        humps = np.isfinite(self.left)
        first = np.min((self.centre - _REACH_SIGMAS * self.left)[humps])
        last = np.max((self.centre + _REACH_SIGMAS * self.right)[humps])
        return float(first), float(last)


def raised_cosine(time_ms: Floats, start_ms: Any, stop_ms: Any) -> Floats:
    """Rise from 0 at `start_ms` to 1 at `stop_ms` without a corner."""
    share = np.clip((time_ms - start_ms) / (stop_ms - start_ms), 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * share))


@cache
def load_heart() -> Heart:
    """The heart of ``heart.toml``."""
    table = tomllib.loads(files("ecgspasm.simulate").joinpath("heart.toml").read_text(encoding="utf-8"))
    matrix = np.array([table["lead_matrix"][lead] for lead in INDEPENDENT])
    matrix.setflags(write=False)
    return Heart(_shape(table["dominant"]), _shape(table["ectopic"]), matrix)


def _shape(table: dict[str, Any]) -> BeatShape:
    components = tuple(Component(**(row | {"vector_uv": tuple(row["vector_uv"])})) for row in table["component"])
    rest = {name: value for name, value in table.items() if name not in ("component", "st_vector_uv")}
    return BeatShape(components, st_vector_uv=tuple(table["st_vector_uv"]), **rest)


def template(heart: Heart, shape: BeatShape, rate_bpm: float, rotation: Floats) -> Template:
    """Fit a beat to a heart rate and project it.

    The JT interval shrinks such that QT follows the cube root of RR, and T and U shrink with it. PR shortens by 0.25 ms
    a beat per minute, 40 ms at most (chosen by the project: no wave may run into the next at any usual rate).

    Parameters
    ----------
    rotation : ndarray, shape (3, 3)
        Turns the heart vector before it is projected.
    """
    qrs_ms = shape.qrs_to_ms - shape.qrs_from_ms
    jt_ms = shape.qtc_ms * (60.0 / rate_bpm) ** (1 / 3) - qrs_ms
    stretch = jt_ms / (shape.qtc_ms - qrs_ms)
    pr_shift = min(_PR_MS_PER_BPM * (rate_bpm - 60.0), _PR_LEAST_SHIFT_MS)
    j = shape.qrs_to_ms
    rows = []
    for part in shape.components:
        centre, scale, gate = part.centre_ms, 1.0, (-np.inf, -np.inf, np.inf, np.inf)
        if part.wave == "P":
            centre += pr_shift
        elif part.wave == "QRS":
            gate = (shape.qrs_from_ms, shape.qrs_from_ms + shape.edge_ms, j - shape.edge_ms, j)
        else:
            centre, scale = j + (centre - j) * stretch, stretch
            gate = (j, j + T_GATE_MS * stretch, np.inf, np.inf)
        rows.append((part.wave, centre, part.left_ms * scale, part.right_ms * scale, gate, part.vector_uv))
    _, t_centre, _, t_right, *_ = next(row for row in rows if row[0] == "T")
    gate = (j - ST_RISE_MS, j, j + ST_FLAT_MS, t_centre + EDGE_SIGMAS * t_right)
    rows.append(("ST", j, np.inf, np.inf, gate, shape.st_vector_uv))
    wave, centre_ms, left, right, gates, vectors = zip(*rows, strict=True)
    weights = heart.lead_matrix @ rotation @ np.array(vectors).T
    return Template(wave, np.array(centre_ms), np.array(left), np.array(right), np.array(gates).T, weights)


def rotation_matrix(degrees: float | Sequence[float]) -> Floats:
    """Turn about the long axis (one number), or about X, then Y, then Z (three numbers), in degrees."""
    turns = np.asarray(degrees, dtype=float)
    if turns.shape not in ((), (3,)) or not np.isfinite(turns).all():
        raise EcgError(f"rotation_deg is {degrees!r}; give one angle about the long axis, or three about X, Y, Z")
    about = np.array([0.0, turns, 0.0]) if turns.ndim == 0 else turns
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(about)):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


@cache
def limb_matrix() -> Floats:
    """The twelve leads from the eight independent ones, shape (12, 8)."""
    rows = np.zeros((len(STANDARD), len(INDEPENDENT)))
    for row, lead in enumerate(STANDARD):
        recipe: Mapping[str, float] = {lead: 1.0} if lead in INDEPENDENT else DERIVED[lead]
        for part, weight in recipe.items():
            rows[row, INDEPENDENT.index(part)] = weight
    rows.setflags(write=False)
    return rows
