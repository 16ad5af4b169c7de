"""What else could explain a change between two ECGs of one person."""

from __future__ import annotations

from ecgspasm.ecg import Measurements

# AHA/ACCF/HRS recommendations part III (Surawicz B et al., 2009): complete bundle branch block from 120 ms in adults.
_WIDE_QRS_MS = 120.0
# Two readings of one QRS differ by up to 10 ms at either end (2 SD: onset 6.5, offset 11.6 ms; CSE Working Party 1985), so 30 ms
# are beyond reading error.
_QRS_CHANGE_MS = 30.0
# The QRS complexes of one person on several days correlate above this over all leads (PTB healthy subjects); a swapped limb cable
# or new bundle branch block falls below.
_QRS_CORRELATION = 0.80


def confounders(baseline: Measurements, current: Measurements, qrs_correlation: float) -> dict[str, str]:
    """Name the confounders that are present, each with its evidence.

    Parameters
    ----------
    baseline, current : Measurements
        As measured by themselves, each with its own QRS onset and J.
    qrs_correlation : float
        Of the two aligned QRS complexes over all common leads.
    """
    found: dict[str, str] = {}
    wide = [name for name, each in (("baseline", baseline), ("current", current)) if each.qrs_ms >= _WIDE_QRS_MS]
    if wide:
        widths = f"{baseline.qrs_ms:.0f} ms in the baseline, {current.qrs_ms:.0f} ms now"
        found["wide-qrs"] = f"wide QRS ({widths}): bundle branch block or pacing changes ST and T by itself"
    if abs(current.qrs_ms - baseline.qrs_ms) >= _QRS_CHANGE_MS:
        found["changed-conduction"] = (
            f"QRS went from {baseline.qrs_ms:.0f} to {current.qrs_ms:.0f} ms: conduction has changed, and ST and T with it"
        )
    if qrs_correlation < _QRS_CORRELATION:
        found["changed-leads"] = (
            f"the QRS complexes differ between the ECGs (r = {qrs_correlation:.2f}): "
            "swapped cables, other electrode sites, a new conduction block or another person?"
        )
    return found
