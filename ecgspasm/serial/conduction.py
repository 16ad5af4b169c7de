"""What kind of conduction the QRS complexes show, from the measurements alone."""

from __future__ import annotations

import numpy as np

from ecgspasm.ecg import Measurements

_WIDE_MS = 120.0
_SEEN_UV = 50.0


def conduction(measured: Measurements) -> str:
    """``narrow``, ``rbbb``, ``lbbb``, ``ivcd`` (wide, neither of the two) or ``unknown``.

    Parameters
    ----------
    measured : Measurements

    Notes
    -----
    After the AHA/ACCF/HRS recommendations part III (Surawicz B et al., 2009): complete block from 120 ms; LBBB with a QRS complex
    that is negative in V1 and positive in I and V6; RBBB with a late R in V1 and S in I and V6. The signs are read from the areas
    and amplitudes, not from notches and slurs. Beats paced from the right ventricle look like LBBB and are called so.
    """
    if not np.isfinite(measured.qrs_ms):
        return "unknown"
    if measured.qrs_ms < _WIDE_MS:
        return "narrow"
    if not all(name in measured.values for name in ("qrs_area_uv_ms", "r_uv", "s_uv")):
        return "unknown"
    area = {lead: measured.get("qrs_area_uv_ms", lead) for lead in ("V1", "V6", "I")}
    if not np.isfinite(area["V1"]) or not (np.isfinite(area["V6"]) or np.isfinite(area["I"])):
        return "unknown"
    left = max(np.nan_to_num(area["V6"], nan=-np.inf), np.nan_to_num(area["I"], nan=-np.inf))
    if area["V1"] < 0 < left and measured.get("r_uv", "V1") < -measured.get("s_uv", "V1"):
        return "lbbb"
    late_s = min(measured.get("s_uv", lead) for lead in ("I", "V6") if measured.measured(lead))
    upright = area["V1"] > 0 or measured.get("r_uv", "V1") > -measured.get("s_uv", "V1")
    return "rbbb" if upright and late_s <= -_SEEN_UV else "ivcd"
