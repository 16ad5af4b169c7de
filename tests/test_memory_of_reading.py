"""Long recordings are read in little more memory than they take themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.io import channels
from ecgspasm.io.channels import to_ecg
from ecgspasm.io.wfdb import reader
from ecgspasm.leads import DERIVED, STANDARD, derivable

TWO = ("I", "II")


def built(leads: tuple[str, ...], n: int = 10, derived: tuple[str, ...] | None = None) -> es.Ecg:
    signal = np.random.default_rng(1).normal(0, 100, (len(leads), n))
    about: dict[str, Any] = {"subject": es.Subject(), "recorded_at": None, "source": "x"}
    return to_ecg(signal_uv=signal, fs=500, leads=leads, derived=derived, **about)


def test_limb_leads_are_derived_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert channels.MOST_WITH_DERIVED == 16_000_000
    monkeypatch.setattr(channels, "MOST_WITH_DERIVED", 60)
    assert built(TWO).leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert built(TWO).source == "x"
    longer = built(TWO, 11)
    assert longer.leads == TWO
    assert longer.source == "x; the other limb leads are not derived from these: the recording would be too large"
    five = ("I", "II", "III", "aVR", "aVL")
    assert built(five, 10).leads == (*five, "aVF")
    assert built(five, 11).leads == five
    # where there is nothing to derive, or the file tells its own, there is nothing to say
    assert built(("I", "V1"), 1000).source == "x"
    assert built(STANDARD, 1000).source == "x"
    assert built(TWO, 1000, derived=()).source == "x"
    assert built(TWO, 1, derived=()).leads == TWO


@pytest.mark.parametrize(
    ("leads", "more"),
    [
        (("I", "II"), ["III", "aVR", "aVL", "aVF"]),
        (("V2", "III", "II"), ["I", "aVR", "aVL", "aVF"]),
        (("III", "I"), ["II", "aVR", "aVL", "aVF"]),
        (("I", "II", "aVR", "V1"), ["III", "aVL", "aVF"]),
        (("I", "aVF"), []),
        (("II",), []),
        ((), []),
        (STANDARD, []),
    ],
)
def test_what_follows_from_the_leads_that_are_there(leads: tuple[str, ...], more: list[str]) -> None:
    assert derivable(leads) == more
    if leads:
        ecg = built(leads)
        assert set(ecg.derived) == set(more)
        for lead in more:
            assert np.allclose(ecg[lead], sum(weight * ecg[part] for part, weight in DERIVED[lead].items()), atol=1e-9)
        assert not ecg.signal_uv.flags.writeable


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100])
def test_extremes_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    assert reader._BLOCK_SAMPLES == 2**20
    monkeypatch.setattr(reader, "_BLOCK_SAMPLES", size)
    rng = np.random.default_rng(4)
    for count in (1, 2, 5, 8, 9, 21):
        steps = rng.integers(-(2**31), 2**31, count).astype(np.int32)
        wide = steps.astype(np.int64)
        expected = (int(np.abs(wide + 7).max()), int(np.abs(np.diff(wide)).max(initial=0)))
        assert reader._extremes(steps, -7) == expected
    assert reader._extremes(np.empty(0, np.int32), 3) == (0, 0)
