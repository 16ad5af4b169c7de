"""Recordings of any length: what may be asked of them, whatever reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.recording import Recording, is_number

N = 1000
LEADS = ("I", "V2")


def ecg() -> es.Ecg:
    return es.Ecg(signal_uv=np.random.default_rng(2).integers(-900, 900, (2, N)).astype(float), fs=250, leads=LEADS)


def edf(folder: Path) -> Recording:
    edfio = pytest.importorskip("edfio", reason="edfio is not installed (extra edf)")
    rows = [
        edfio.EdfSignal(row, 250, label=lead, physical_dimension="uV", physical_range=(-32768, 32767))
        for lead, row in zip(LEADS, ecg().signal_uv, strict=True)
    ]
    edfio.Edf(rows).write(folder / "x.edf")
    return es.open_recording(folder / "x.edf")


def of_a_file(name: str) -> Callable[[Path], Recording]:
    return lambda folder: es.open_recording(es.write(ecg(), folder / name))


def segments(folder: Path) -> Recording:
    halves = np.split(ecg().signal_uv, 2, axis=1)
    for number, uv in enumerate(halves):
        es.write(es.Ecg(signal_uv=uv, fs=250, leads=LEADS), folder / f"s{number}.hea")
    (folder / "both.hea").write_text(f"both/2 2 250 {N}\ns0 {N // 2}\ns1 {N // 2}\n")
    return es.open_recording(folder / "both.hea")


def chunks(_: Path) -> Recording:
    return Recording.from_chunks([(0, ecg().signal_uv)], fs=250, leads=LEADS)


KINDS: dict[str, Callable[[Path], Recording]] = {
    "memory": lambda _: Recording.of(ecg()),
    "chunks": chunks,
    "some leads": lambda folder: Recording.of(ecg()).select(["V2", "I"]).select(LEADS),
    "table": of_a_file("x.csv"),
    "WFDB": of_a_file("x.hea"),
    "WFDB in segments": segments,
    "EDF": edf,
}
WRONG: list[tuple[Any, Any]] = [
    (-1, 10),
    (-20, -10),
    (10, 5),
    (0, N + 1),
    (N + 1, N + 5),
    (0, 10**12),
    (0, 10**5000),
    (-(10**30), 10**30),
    (0.0, 10.0),
    (2.5, 10),
    (np.float64(2), 10),
    (float("nan"), 10),
    (0, float("inf")),
    ("0", "10"),
    (None, 10),
    (0, None),
    ([0], [10]),
]


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_a_stretch_is_checked_at_one_place(tmp_path: Path, make: Callable[[Path], Recording]) -> None:
    recording = make(tmp_path)
    assert (recording.leads, recording.n_samples) == (LEADS, N)
    for start, stop in [(0, N), (0, 1), (N - 1, N), (N // 2 - 3, N // 2 + 3), (np.int64(7), np.uint16(9))]:
        np.testing.assert_array_equal(recording.samples(start, stop), ecg().signal_uv[:, int(start) : int(stop)])
    for at in (0, 7, N):
        assert recording.samples(at, at).shape == (2, 0)
    for start, stop in WRONG:
        with pytest.raises(es.EcgError, match=f"between 0 and {N}|whole numbers") as told:
            recording.samples(start, stop)
        assert len(str(told.value)) < 200
        assert "\n" not in str(told.value)


def test_a_reader_is_never_asked_for_what_is_not_there() -> None:
    asked = []

    def read(start: int, stop: int) -> Any:
        asked.append((start, stop))
        if stop - start > 500:
            raise MemoryError
        return np.zeros((1, stop - start))

    recording = Recording(("II",), 250, N, read)
    for start, stop in WRONG:
        with pytest.raises(es.EcgError):
            recording.samples(start, stop)
    recording.samples(5, 5)
    assert asked == []
    with pytest.raises(es.EcgError, match=r"do not fit into memory; read shorter stretches, such as blocks\(60\)"):
        recording.samples(0, N)
    assert [block.shape for block in recording.blocks(1.6)] == [(1, 400), (1, 400), (1, 200)]


def test_blocks_and_parts_of_any_length() -> None:
    recording = Recording.of(ecg())
    for seconds in (4, 1e308, 10**300):
        assert [block.shape for block in recording.blocks(seconds)] == [(2, N)]
    assert recording.part(-1e308, 1e308).signal_uv.shape == (2, N)
    for wrong in (0, -1, float("nan"), "4", True):
        with pytest.raises(es.EcgError, match="hold no sample"):
            list(recording.blocks(wrong))


def test_numbers() -> None:
    for number in (0, -1.5, 10**300, np.float32(2), np.int8(3)):
        assert is_number(number)
    for other in (True, np.bool_(True), float("nan"), np.inf, 10**400, 1j, np.complex128(1), "1", None, [1], np.ones(1)):
        assert not is_number(other)
