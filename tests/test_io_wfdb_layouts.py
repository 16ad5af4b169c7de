"""WFDB in all its layouts: every format, several samples a frame, skew, segments; whole, in pieces, as PhysioNet has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import ecgspasm as es
from ecgspasm.io.wfdb.formats import ALONE, byte_range, unpacked
from tests.corpus.sound_records import BITS, mat4, packed

STANDARD = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def write(
    folder: Path,
    name: str,
    values: NDArray[np.int64],
    *,
    fmt: int = 16,
    leads: tuple[str, ...] = ("I", "II"),
    fs: float = 250,
    gain: str = "200(0)/mV",
    per_frame: tuple[int, ...] | None = None,
    skew: tuple[int, ...] | None = None,
    checksums: bool = True,
) -> Path:
    """A record of one file; `values` has shape (frame, samples in a frame)."""
    per_frame = per_frame or (1,) * len(leads)
    (folder / f"{name}.dat").write_bytes(packed(fmt, values.reshape(-1)))
    lines = [f"{name} {len(leads)} {fs:g} {len(values)}"]
    at = 0
    for row, (lead, count) in enumerate(zip(leads, per_frame, strict=True)):
        own = values[:, at : at + count].reshape(-1)
        at += count
        total = (int(own.sum()) + 0x8000) % 0x10000 - 0x8000 if checksums else 0
        form = f"{fmt}" + (f"x{count}" if count > 1 else "") + (f":{skew[row]}" if skew and skew[row] else "")
        lines.append(f"{name}.dat {form} {gain} 16 0 {own[0]} {total} 0 {lead}")
    path = folder / f"{name}.hea"
    path.write_text("\n".join(lines) + "\n")
    return path


def random(fmt: int, shape: tuple[int, int], seed: int = 0) -> NDArray[np.int64]:
    half = 2 ** (min(BITS[fmt], 16) - 1)
    return np.random.default_rng(seed).integers(-half + 1, half, shape)


@pytest.mark.parametrize("fmt", sorted(ALONE))
@given(n=st.integers(1, 40), data=st.data())
def test_signal5_any_stretch_of_any_format_is_what_was_written(fmt: int, n: int, data: st.DataObject) -> None:
    half = 2 ** (BITS[fmt] - 1)
    values = np.array(data.draw(st.lists(st.integers(-half, half - 1), min_size=n, max_size=n)), dtype=np.int64)
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    content = packed(fmt, values)
    low, high = byte_range(fmt, start, stop)
    np.testing.assert_array_equal(unpacked(fmt, content[low:high], start, stop), values[start:stop])


# wfdb 4.3.1 fails on format 61, which is tested against bytes written here
@pytest.mark.parametrize("fmt", sorted(ALONE - {61}))
def test_every_format_is_read_as_wfdb_reads_it(fmt: int, tmp_path: Path) -> None:
    path = write(tmp_path, "r", random(fmt, (601, 2)), fmt=fmt)
    theirs = wfdb.rdrecord(str(path.with_suffix(""))).p_signal.T * 1000
    ours = es.read(path)
    np.testing.assert_allclose(ours.signal_uv[:2], theirs, rtol=1e-12)


@pytest.mark.parametrize("fmt", sorted(ALONE))
@pytest.mark.parametrize("block_s", [0.1, 0.5, 7.0])
def test_pieces_are_the_whole_in_every_format(fmt: int, block_s: float, tmp_path: Path) -> None:
    path = write(tmp_path, "r", random(fmt, (601, 3)), fmt=fmt, leads=("I", "V2", "V5"))
    whole = es.read(path)
    pieces = np.concatenate(list(es.open_recording(path).blocks(block_s)), axis=1)
    np.testing.assert_array_equal(pieces, whole.signal_uv)


@pytest.mark.parametrize(("per_frame", "skew"), [((2, 2, 1), (0, 0, 0)), ((1, 1, 1), (3, 0, 5)), ((4, 4, 4), (1, 0, 2))])
@pytest.mark.parametrize("fmt", [16, 212, 310])
def test_several_samples_a_frame_and_skew_are_undone_in_pieces_as_in_the_whole(
    fmt: int, per_frame: tuple[int, ...], skew: tuple[int, ...], tmp_path: Path
) -> None:
    leads = ("I", "V2", "V5" if per_frame[2] == per_frame[0] else "RESP")
    values = random(fmt, (300, sum(per_frame)))
    path = write(tmp_path, "r", values, fmt=fmt, leads=leads, per_frame=per_frame, skew=skew)
    whole = es.read(path)
    opened = es.open_recording(path)
    assert opened.fs == whole.fs == 250 * per_frame[0]
    assert opened.n_samples == 300 * per_frame[0]
    for length in (37, 250, 1199):
        pieces = [opened.samples(at, min(at + length, opened.n_samples)) for at in range(0, opened.n_samples, length)]
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole.signal_uv)
    own = values[:, : per_frame[0]].reshape(-1)[skew[0] * per_frame[0] :]
    np.testing.assert_allclose(whole["I"][: own.size], own * 5.0)
    assert np.isnan(whole["I"][own.size :]).all()


def segments(folder: Path, *, layout: bool) -> tuple[Path, NDArray[np.float64]]:
    """Three segments and a gap; the second lacks V5 and has another gain."""
    first, second, third = (random(16, (n, 3), seed) for seed, n in enumerate((100, 60, 80)))
    write(folder, "s1", first, leads=("I", "V2", "V5"))
    write(folder, "s2", second[:, :2], leads=("V2", "I"), gain="1000(5)/mV")
    write(folder, "s3", third, leads=("I", "V2", "V5"), gain="100(0)/uV")
    lines = ["r/4 3 250 290", "s1 100", "s2 60", "~ 50", "s3 80"]
    if layout:
        lines = ["r/5 3 250 290", "lay 0", *lines[1:]]
        rows = [f"~ 0 200 12 0 0 0 0 {lead}" for lead in ("I", "V2", "V5")]
        (folder / "lay.hea").write_text("\n".join(["lay 3 250 0", *rows]) + "\n")
    (folder / "r.hea").write_text("\n".join(lines) + "\n# age: 61\n# sex: F\n")
    truth = np.full((3, 290), np.nan)
    truth[:, :100] = first.T * 5.0
    truth[1, 100:160], truth[0, 100:160] = second[:, 0] - 5.0, second[:, 1] - 5.0
    truth[:, 210:] = third.T / 100.0
    return folder / "r.hea", truth


@pytest.mark.parametrize("layout", [False, True])
def test_header5_segments_are_one_record_by_the_names_of_their_leads(layout: bool, tmp_path: Path) -> None:
    path, truth = segments(tmp_path, layout=layout)
    whole, opened = es.read(path), es.open_recording(path)
    assert opened.leads == ("I", "V2", "V5")
    assert opened.n_samples == 290
    np.testing.assert_allclose(whole.signal_uv[[whole.index(lead) for lead in opened.leads]], truth)
    for length in (1, 33, 290):
        pieces = [opened.samples(at, min(at + length, 290)) for at in range(0, 290, length)]
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), truth)
    assert (whole.subject.sex, whole.subject.age) == ("female", 61)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (("s2 60", "s2 61"), "has 60 samples where the record says 61"),
        (("290", "291"), "where the header says 291"),
        (("~ 50\n", ""), "promises 4 segments"),
        (("s2 60", "r 60"), "names itself"),
        (("s2 60", "../s2 60"), "segment line|must lie beside"),
        (("s2 60", "s9 60"), "there is no file s9.hea"),
        (("s2 60", "s1 60"), "segment s1 has 100 samples where the record says 60"),
    ],
)
def test_segments_that_do_not_fit_are_refused(harm: tuple[str, str], words: str, tmp_path: Path) -> None:
    path, _ = segments(tmp_path, layout=False)
    path.write_text(path.read_text().replace(*harm))
    for read in (es.read, es.open_recording):
        with pytest.raises(es.EcgError, match=words):
            read(path)


def test_segments_of_other_rates_or_with_segments_of_their_own_are_refused(tmp_path: Path) -> None:
    path, _ = segments(tmp_path, layout=False)
    own = tmp_path / "s2.hea"
    text = own.read_text()
    own.write_text(text.replace(" 250 ", " 500 "))
    with pytest.raises(es.EcgError, match="500 Hz where the record has 250"):
        es.open_recording(path)
    own.write_text("s2/1 3 250 60\ns1 60\n")
    with pytest.raises(es.EcgError, match="has segments itself"):
        es.read(path)
    own.write_text(text.replace(" 60\n", " 59\n", 1))
    with pytest.raises(es.EcgError, match="59 samples where the record says 60"):
        es.read(path)


def test_a_damaged_segment_is_found_by_its_checksum(tmp_path: Path) -> None:
    path, _ = segments(tmp_path, layout=False)
    data = tmp_path / "s3.dat"
    content = bytearray(data.read_bytes())
    content[7] ^= 1
    data.write_bytes(content)
    with pytest.raises(es.EcgError, match=r"s3\.hea.*checksum"):
        es.read(path)


# --- the layouts of PhysioNet's sets, in miniature


def ecg_steps(n: int, count: int) -> NDArray[np.int64]:
    return np.round(np.cumsum(np.random.default_rng(3).normal(0, 3, (n, count)), axis=0)).astype(np.int64)


@pytest.mark.parametrize(
    ("name", "leads", "fs", "fmt", "gain", "uv"),
    [
        ("ptbxl", ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6"), 500, 16, "1000.0(0)/mV", 1.0),
        ("mimic", ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"), 500, 16, "200.0(0)/mV", 5.0),
        ("staffiii", ("V1", "V2", "V3", "V4", "V5", "V6", "I", "II", "III"), 1000, 16, "1600/mV", 0.625),
        ("edb", ("V4", "MLIII"), 250, 212, "200", 5.0),
        ("ltstdb", ("ML2", "MV2"), 250, 212, "200/mV", 5.0),
        ("incart", STANDARD, 257, 16, "306/mV", 1000 / 306),
        ("qtdb", ("D3", "V4"), 250, 212, "200", 5.0),
    ],
)
def test_layouts_of_the_sets_are_read_by_name(
    name: str, leads: tuple[str, ...], fs: float, fmt: int, gain: str, uv: float, tmp_path: Path
) -> None:
    steps = np.clip(ecg_steps(int(3 * fs), len(leads)), -2000, 2000)
    path = write(tmp_path, name, steps, leads=leads, fs=fs, fmt=fmt, gain=gain)
    for found in (es.read(path), es.open_recording(path).part(0, 3)):
        for column, lead in enumerate(leads):
            np.testing.assert_allclose(found[lead], steps[:, column] * uv)


def test_layout_of_ptb_two_files_and_frank_leads(tmp_path: Path) -> None:
    steps = ecg_steps(3000, 15)
    (tmp_path / "p.dat").write_bytes(packed(16, steps[:, :12].reshape(-1)))
    (tmp_path / "p.xyz").write_bytes(packed(16, steps[:, 12:].reshape(-1)))
    names = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6", "vx", "vy", "vz")
    rows = [f"p.{'dat' if at < 12 else 'xyz'} 16 2000 16 0 {steps[0, at]} 0 0 {name}" for at, name in enumerate(names)]
    rows = [row.replace(f" {steps[0, at]} 0 0 ", " 0 0 0 ") for at, row in enumerate(rows)]
    (tmp_path / "p.hea").write_text("\n".join(["p 15 1000 3000", *rows]) + "\n# age: 81\n# sex: female\n")
    found, opened = es.read(tmp_path / "p.dat"), es.open_recording(tmp_path / "p.hea")
    assert (found.subject.sex, found.subject.age) == ("female", 81)
    np.testing.assert_allclose(found["V2"], steps[:, 7] * 0.5)
    np.testing.assert_array_equal(opened.samples(100, 900), found.signal_uv[:, 100:900])


def test_layout_of_the_challenges_a_mat_file_behind_an_offset(tmp_path: Path) -> None:
    steps = ecg_steps(5000, 12)
    (tmp_path / "A0001.mat").write_bytes(mat4(steps.T))
    total = [(int(row.sum()) + 0x8000) % 0x10000 - 0x8000 for row in steps.T]
    rows = [f"A0001.mat 16+24 1000/mV 16 0 {steps[0, at]} {total[at]} 0 {lead}" for at, lead in enumerate(STANDARD)]
    (tmp_path / "A0001.hea").write_text("\n".join(["A0001 12 500 5000 05-Feb-2020 11:39:16", *rows]) + "\n#Age: 74\n#Sex: Male\n")
    found = es.read(tmp_path / "A0001.mat")
    np.testing.assert_allclose(found["V2"], steps[:, 7])
    np.testing.assert_array_equal(es.open_recording(tmp_path / "A0001").samples(7, 4000), found.signal_uv[:, 7:4000])


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_compressed_formats_come_through_wfdb_whole_and_in_pieces(fmt: str, tmp_path: Path) -> None:
    half = {"508": 100, "516": 30000, "524": 60000}[fmt]
    steps = np.clip(ecg_steps(2000, 2) * (half // 100), -half, half)
    options: dict[str, Any] = {"fs": 500, "units": ["mV", "mV"], "sig_name": ["I", "II"], "fmt": [fmt, fmt]}
    wfdb.wrsamp("z", d_signal=steps, adc_gain=[1000.0] * 2, baseline=[0, 0], write_dir=str(tmp_path), **options)
    found, opened = es.read(tmp_path / "z.hea"), es.open_recording(tmp_path / "z.hea")
    np.testing.assert_allclose(found["II"], steps[:, 1])
    pieces = np.concatenate(list(opened.blocks(0.77)), axis=1)
    np.testing.assert_array_equal(pieces, found.signal_uv[: len(opened.leads)])
