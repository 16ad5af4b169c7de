"""Every real development recording is analysed or refused with a reason; nothing else is ever raised."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.serial.comparison import MET
from tests.test_steps import check_rows

SETS = {
    "ludb": ("ludb/data/*.hea", 140),
    "ptbdb": ("ptbdb/*/*.hea", 2),
    "ptbdb_10s": ("ptbdb_10s/*.hea", 34),
    "cinc2021": ("cinc2021/*.hea", 72),
}


@pytest.mark.parametrize("name", SETS)
def test_every_record_is_analysed_or_refused_with_a_reason(real_data: Path, name: str) -> None:
    pattern, expected = SETS[name]
    records = sorted(real_data.glob(pattern))
    assert len(records) == expected
    outcome: Counter[str] = Counter()
    for path in records:
        try:
            ecg = es.read(path)
            found = es.analyze(ecg)
        except es.EcgError as error:
            assert "\n" not in str(error)
            outcome["refused"] += 1
            continue
        m = found.measurements
        if np.isfinite(m.qrs_ms):
            assert 50 <= m.qrs_ms <= 240
            assert 20 <= m.rate_bpm <= 250
        check_rows(es.delineate(ecg).to_frame(), ecg.signal_uv.shape[1])
        measured = [state == "measured" for state in found.measurements.state]
        assert all(state == "measured" or len(state) > len("not_measurable: ") for state in found.measurements.state)
        outcome["measured" if any(measured) else "nothing measured"] += 1
        if any(measured):
            itself = es.compare(found, found)
            assert not [finding for finding in itself.findings if finding.verdict == MET], path.name
    # Paced records with spikes as large as their beats, and one in ventricular rhythm without two alike beats, stay unmeasured.
    assert outcome["measured"] >= 0.96 * expected, outcome


def test_the_same_persons_healthy_ecgs_show_nothing_new(real_data: Path) -> None:
    """PTB healthy controls with several recordings, up to half a year apart: the null distribution of serial change."""
    pairs = 0
    people: dict[str, list[Path]] = {}
    for path in sorted((real_data / "ptbdb_10s").glob("*.hea")):
        if "Healthy control" in path.read_text():
            people.setdefault(path.name.split("_")[0], []).append(path)
    for paths in people.values():
        found = [es.analyze(es.read(path)) for path in paths]
        for first in range(len(found)):
            for second in range(first + 1, len(found)):
                change = es.compare(found[first], found[second])
                assert not [each for each in change.findings if each.verdict == MET], (paths[first].name, paths[second].name)
                pairs += 1
    assert pairs >= 10


def test_a_known_change_put_into_real_ecgs_is_found(real_data: Path) -> None:
    """+250 uV of ST in V2-V4 of the first 20 LUDB records in sinus rhythm with narrow QRS complexes."""
    tried = found_in = 0
    off = []
    for path in sorted((real_data / "ludb" / "data").glob("*.hea"), key=lambda each: int(each.stem)):
        before = es.analyze(es.read(path))
        if before.median is None or before.measurements.qrs_ms >= 110 or not np.isfinite(before.measurements.pr_ms):
            continue
        each = before.delineation
        whole = np.isfinite(each.t.offset).any(axis=0) & np.isfinite(each.j)
        t_end, t_peak = (np.nanmedian(where[:, whole], axis=0) for where in (each.t.offset, each.t.peak))
        changed = es.simulate.inject(
            before.ecg,
            each.beats.r_sample[whole],
            j_samples=each.j[whole],
            t_peak_samples=t_peak,
            t_end_samples=t_end,
            st_uv=dict.fromkeys(("V2", "V3", "V4"), 250.0),
        )
        change = es.compare(before, changed)
        tried += 1
        met = {finding.criterion for finding in change.findings if finding.verdict == MET}
        found_in += "new-st-elevation" in met
        row = change.leads.index("V3")
        off.append(float(change.changes["st_j60_uv"].difference[row]) - 250.0)
        if tried == 20:
            break
    assert tried == 20
    assert found_in >= 19
    assert np.median(np.abs(off)) < 15.0
