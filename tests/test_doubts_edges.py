"""What is odd about a header that breaks no rule: said where it should be, and not where it is usual."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ecgspasm.errors import EcgError
from ecgspasm.io.wfdb.doubts import doubts_of_header, doubts_of_leads
from ecgspasm.io.wfdb.header import Header, parse_header
from ecgspasm.leads import STANDARD

SIGNAL = parse_header(b"r 1 500 1000\nr.dat 16 1000(0)/uV 16 0 1 2 0 I").signals[0]


def sound(n_leads: int = 12, fs: float | None = 500.0, **changes: Any) -> Header:
    samples, segments = changes.pop("n_samples", 5000), changes.pop("segments", ())
    return Header("r", n_leads, fs, samples, None, (replace(SIGNAL, **changes),) * n_leads, segments, ())


def doubts(header: Header | None = None, leads: Any = STANDARD, scales: Any = None, baselines: Any = None) -> list[str]:
    scales, baselines = scales or [1.0] * len(leads), baselines or [0] * len(leads)
    return doubts_of_header(header or sound(), leads, scales, baselines)


def test_nothing_is_odd_about_a_usual_header() -> None:
    assert doubts() == []
    assert doubts(sound(fs=None)) == []
    # every lead with its own gain, as writers do that fill 16 bits
    assert doubts(scales=[1.0 + 0.1 * row for row in range(12)]) == []
    assert doubts(scales=[1.0, -1.0] * 6) == []
    assert doubts(leads=("II",), header=sound(1)) == []


@pytest.mark.parametrize(
    "fs", [100, 125, 128, 180, 200, 250, 256, 257, 300, 360, 400, 500, 512, 1000, 1024, 1200, 2000, 2048, 2400, 4000, 4096, 4800,
           5000, 8000, 10000],
)  # fmt: skip
def test_rates_of_known_devices(fs: int) -> None:
    assert doubts(sound(fs=float(fs))) == []
    assert "no device is known that samples at" in doubts(sound(fs=fs + 0.5))[0]


def test_a_rate_of_frames_counts_with_the_samples_in_them() -> None:
    assert doubts(sound(fs=62.5, samples_per_frame=4)) == []
    assert doubts(sound(fs=250.0, samples_per_frame=3)) == []
    assert doubts(sound(fs=62.5, samples_per_frame=3)) == ["no device is known that samples at 62.5 Hz: check the header"]


def test_the_fastest_of_the_signals_counts_and_a_header_without_signals_has_its_own_rate() -> None:
    slow_and_fast = (*(SIGNAL,) * 11, replace(SIGNAL, samples_per_frame=4))
    assert doubts(Header("r", 12, 62.5, 5000, None, slow_and_fast, (), ())) == []
    segments = Header("m", 12, 75.0, 5000, None, (), (("s", 5000),), ())
    assert doubts(segments) == ["no device is known that samples at 75 Hz: check the header"]


def test_a_length_that_is_not_told_is_said() -> None:
    (said,) = doubts(sound(n_samples=None))
    assert "no number of samples" in said
    assert doubts(sound(n_samples=None, segments=(("s", 1),))) == []


def test_the_lead_whose_gain_or_baseline_differs_is_named() -> None:
    assert doubts(scales=[1.0] * 7 + [2.0] + [1.0] * 4) == ["gain of V2 differs from that of the others: check the header"]
    assert doubts(baselines=[0] * 11 + [5]) == ["baseline of V6 differs from that of the others: check the header"]
    assert doubts(scales=[1.0] * 6 + [2.0] * 6) == [
        "gain of V1, V2, V3, V4, V5, V6 differs from that of the others: check the header"
    ]
    assert doubts(scales=[2.0, 1.0], leads=("I", "II"), header=sound(2)) == [
        "gain of II differs from that of the others: check the header"
    ]
    # five of twelve alike are not most of them
    assert doubts(scales=[1.0] * 5 + [2.0 + row for row in range(7)]) == []


def test_a_skew_is_said() -> None:
    said = ["a skew between the signals was undone"]
    assert doubts(sound(skew=1)) == said
    one = Header("r", 12, 500.0, 5000, None, (*(SIGNAL,) * 11, replace(SIGNAL, skew=3)), (), ())
    assert doubts(one) == said


def order(*names: str) -> list[str]:
    return [each for each in doubts(sound(len(names)), leads=names) if "order" in each]


def test_the_orders_that_are_known() -> None:
    assert order(*STANDARD) == []
    assert order("I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6") == []
    assert order("V1", "V2", "V3", "V4", "V5", "V6", "I", "II", "III", "aVR", "aVL", "aVF") == []
    assert order("aVL", "I", "aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6") == []
    assert order(*STANDARD, "X", "Y", "Z") == []


def test_other_orders_are_said() -> None:
    assert order("II", "I", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert order("I", "II", "III", "aVR", "aVL", "aVF", "V2", "V1", "V3", "V4", "V5", "V6")
    assert order(*STANDARD, "Y", "X", "Z")
    assert order(*STANDARD, "X", "Z", "Y")
    assert order("III", "I", "II", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    # a limb lead among the chest leads, in turn
    assert order("I", "II", "III", "aVR", "aVL", "V1", "aVF", "V2", "V3", "V4", "V5", "V6")
    assert order("I", "V1", "II", "V2", "III", "V3")
    assert order("I", "aVR", "V1", "II", "aVL", "V2")
    # the print with one pair exchanged is not the print
    assert order("I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V6", "V3")


def test_the_order_of_few_leads_says_nothing() -> None:
    assert order("V2", "V1", "II", "I", "V5") == []
    assert order("V2", "V1", "II", "I", "V5", "V6")


def test_one_missing_chest_lead_is_named() -> None:
    for missing in ("V1", "V4", "V6"):
        said = doubts(sound(11), leads=tuple(lead for lead in STANDARD if lead != missing))
        assert said == [f"{missing} is missing among V1 to V6: check the names"]
    assert doubts(sound(10), leads=tuple(lead for lead in STANDARD if lead not in ("V1", "V4"))) == []


# ---------------------------------------------------------------- what the limb leads prove

LIMBS = ("I", "II", "III", "aVR", "aVL", "aVF")


def limbs(n: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(4)
    one, two = rng.normal(0, 200.0, (2, n))
    return np.array([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2])


def test_limb_leads_that_fit_raise_no_doubt() -> None:
    assert doubts_of_leads(limbs(), LIMBS, [1.0] * 6) == []
    # each may stand off, and be a little noisy
    off = limbs() + np.arange(6)[:, None] * 500.0 + np.random.default_rng(5).normal(0, 5.0, (6, 2000))
    assert doubts_of_leads(off, LIMBS, [1.0] * 6) == []
    missing = limbs()
    missing[:, ::3] = np.nan
    assert doubts_of_leads(missing, LIMBS, [1.0] * 6) == []


@pytest.mark.parametrize("row", [2, 3, 4, 5])
def test_a_limb_lead_that_does_not_fit_is_named(row: int) -> None:
    signal = limbs()
    signal[row] *= -1.0
    (said,) = doubts_of_leads(signal, LIMBS, [1.0] * 6)
    assert LIMBS[row] in said.partition(" and ")[0].split(", ")
    assert said.endswith("check names and gains")


@pytest.mark.parametrize("row", [2, 3, 4, 5])
def test_a_gain_that_the_other_leads_disprove_is_refused(row: int) -> None:
    signal, scales = limbs(), [1.0] * 6
    signal[row] *= 2.0
    scales[row] = 2.0
    with pytest.raises(EcgError, match=f"lead {LIMBS[row]} has another gain"):
        doubts_of_leads(signal, LIMBS, scales)
    # a sign that is turned in the header is no gain that differs
    signal[row] /= 2.0
    scales[row] = -1.0
    assert doubts_of_leads(signal, LIMBS, scales) == []


def test_a_gain_is_disproved_only_if_the_lead_fits_to_a_twentieth_without_it() -> None:
    signal = limbs(500)[[0, 1, 5]]
    size = float(signal[2].std())
    # at right angles to all that is there
    other = np.random.default_rng(8).normal(size=500)
    basis = np.linalg.qr((signal[:2] - signal[:2].mean(axis=1, keepdims=True)).T)[0]
    other -= other.mean()
    other -= basis @ (basis.T @ other)
    for share, disproved in ((0.049, True), (0.051, False)):
        wrong = signal.copy()
        wrong[2] = 2.0 * (signal[2] + share * size * other / other.std())
        if disproved:
            with pytest.raises(EcgError, match="aVF has another gain"):
                doubts_of_leads(wrong, ("I", "II", "aVF"), [1.0, 1.0, 2.0])
        else:
            assert len(doubts_of_leads(wrong, ("I", "II", "aVF"), [1.0, 1.0, 2.0])) == 1


def test_a_wrong_signal_with_another_gain_is_a_doubt_only() -> None:
    signal = limbs()
    signal[2] = np.random.default_rng(9).normal(0, 300.0, 2000)
    (said,) = doubts_of_leads(signal, LIMBS, [1.0, 1.0, 2.0, 1.0, 1.0, 1.0])
    assert said == "I, II, III and the other limb leads do not fit to each other: check names and gains"


def test_misfits_up_to_a_quarter_or_30_uv_are_borne() -> None:
    def said(signal: np.ndarray) -> list[str]:
        return doubts_of_leads(signal, ("I", "II", "aVF"), [1.0] * 3)

    signal = limbs()[[0, 1, 5]]
    for factor, doubted in ((1.24, False), (1.26, True), (0.76, False), (0.74, True)):
        assert bool(said(signal * np.array([[1.0], [1.0], [factor]]))) is doubted
    # a small signal may be off by 30 uV root mean square
    small, square = signal / 20.0, np.where(np.arange(2000) % 8 < 4, 1.0, -1.0)
    for size, doubted in ((29.9, False), (30.1, True)):
        changed = small.copy()
        changed[2] += size * square
        assert bool(said(changed)) is doubted


def test_leads_of_which_the_others_are_missing_are_not_looked_at() -> None:
    assert doubts_of_leads(limbs()[[0, 2]], ("I", "III"), [1.0, 2.0]) == []
    assert doubts_of_leads(limbs()[:2], ("I", "II"), [1.0, 2.0]) == []
    signal = limbs()
    signal[5] *= -1.0
    assert "aVF" in doubts_of_leads(signal[[0, 1, 5]], ("I", "II", "aVF"), [1.0] * 3)[0]
