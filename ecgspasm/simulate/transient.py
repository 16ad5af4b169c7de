"""Changes that come and go: one recording that turns into another and back, both with the same beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecgspasm.ecg import Ecg
from ecgspasm.errors import EcgError


def transient(quiet: Ecg, changed: Ecg, knots: Sequence[tuple[float, float]]) -> Ecg:
    """Go over from one recording to another as a line through knots says.

    Parameters
    ----------
    quiet, changed : Ecg
        Of the same leads, length and sampling rate, with the same beats: two simulated ECGs of one seed and rate that differ in
        ST, T or U, or a real one and what `inject` made of it.
    knots : sequence of (float, float)
        Times in s, increasing, and the share of `changed` there, 0 to 1 (or more); before the first and after the last it stays.

    Returns
    -------
    Ecg

    Raises
    ------
    EcgError
        If the two do not fit, or the times do not increase.

    Examples
    --------
    >>> from ecgspasm import simulate
    >>> quiet, st = (simulate.ecg(fs=250, seed=1, duration_s=60, st_uv=amount).ecg for amount in (None, {"V2": 300}))
    >>> made = transient(quiet, st, [(20, 0), (40, 1)])
    >>> bool((made["V2"][:250] == quiet["V2"][:250]).all()), bool((made["V2"][-250:] == st["V2"][-250:]).all())
    (True, True)
    """
    if (quiet.leads, quiet.fs, quiet.signal_uv.shape) != (changed.leads, changed.fs, changed.signal_uv.shape):
        raise EcgError("the two recordings differ in leads, sampling rate or length; make them alike")
    times, shares = np.array(knots, dtype=float).reshape(-1, 2).T
    if len(times) == 0 or (np.diff(times) <= 0).any():
        raise EcgError("the times of the knots do not increase; sort them, and give at least one")
    share = np.interp(np.arange(quiet.signal_uv.shape[1]) / quiet.fs, times, shares)
    signal = (1.0 - share) * quiet.signal_uv + share * changed.signal_uv
    mark = ", transiently changed"
    return replace(quiet, signal_uv=signal, source=quiet.source.removesuffix(mark) + mark)
