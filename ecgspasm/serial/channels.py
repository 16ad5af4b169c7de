"""Leads that do not show what they are named for: copies of another one, or early or late against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgspasm.ecg import Floats


def copied(leads: tuple[str, ...], one: Floats, other: Floats, limits: Mapping[str, float]) -> str:
    """Say which lead shows another one now and did not before; empty if none does.

    Parameters
    ----------
    leads : tuple of str
    one, other : ndarray, shape (lead, sample)
        Aligned beats of the baseline and of the current ECG, in uV.
    limits : mapping
        Largest difference of a copy, and smallest one before, as shares of the height.
    """
    height = np.ptp(other, axis=1)
    for first, second in combinations(range(len(leads)), 2):
        size = max(height[first], height[second], 1e-9)
        now, before = (float(np.ptp(each[first] - each[second])) for each in (other, one))
        if now <= limits["copied_share"] * size and before > limits["different_share"] * size:
            return f"{leads[second]} shows what {leads[first]} shows, and did not in the baseline: a channel copied?"
    return ""


def shifted(leads: tuple[str, ...], one: Floats, other: Floats, is_qrs: NDArray[np.bool_], limits: Mapping[str, float]) -> str:
    """Say which leads come earlier or later than the others, against the baseline; empty if all keep together.

    Parameters
    ----------
    leads : tuple of str
    one, other : ndarray, shape (lead, sample)
        Aligned beats in uV, a sample each ms.
    is_qrs : ndarray of bool, shape (sample,)
    limits : mapping
        How far to look, and what counts.
    """
    inside = np.flatnonzero(is_qrs)
    far = min(int(limits["shift_far_ms"]), int(inside[0]), one.shape[1] - 1 - int(inside[-1]))
    low, high = inside[0] - far, inside[-1] + far + 1
    pattern = one[:, inside] - one[:, inside].mean(axis=1, keepdims=True)
    windows = sliding_window_view(other[:, low:high], len(inside), axis=1)
    windows = windows - windows.mean(axis=2, keepdims=True)
    size = np.linalg.norm(windows, axis=2) * np.linalg.norm(pattern, axis=1, keepdims=True)
    alike = np.einsum("lws,ls->lw", windows, pattern) / np.maximum(size, 1e-9)
    best = alike.argmax(axis=1)
    lag, r = best - far, alike.max(axis=1)
    clear = r >= limits["shift_correlation"]
    if clear.sum() < limits["shift_fewest_leads"]:
        return ""
    together = np.abs(lag[:, None] - lag[None, :]) < limits["shift_ms"] / 2.0
    usual = int(lag[np.argmax(np.where(clear, (together & clear).sum(axis=1), 0))])
    off = lag - usual
    moved = clear & (np.abs(off) >= limits["shift_ms"]) & (r - alike[:, far + usual] >= limits["shift_gain"])
    # One lead alone is for the criteria to doubt; the others that move must move together.
    by = int(np.median(off[moved])) if moved.any() else 0
    moved &= np.abs(off - by) < limits["shift_ms"] / 2.0
    if moved.sum() < 2:
        return ""
    names = ", ".join(lead for lead, each in zip(leads, moved, strict=True) if each)
    when = f"come {abs(by)} ms {'later' if by > 0 else 'earlier'}"
    return f"{names} {when} than the other leads, and did not in the baseline: a channel out of step?"
