"""True episodes: miniatures in the original layouts that the tests write, and relations on the real sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.episode_chunks import STAND_IN, chunk_records, mark_covered, protocol_b, read_chunks
from ecgspasm.benchmarks.episode_scoring import score
from ecgspasm.benchmarks.episode_spans import merged
from ecgspasm.benchmarks.episode_truth import (
    AXIS,
    CONDUCTION,
    ISCHEMIC,
    RATE,
    TrueEpisode,
    TrueRecord,
    european_records,
    hidden_s,
    long_term_records,
    mark_visible,
    read_european,
    read_long_term,
)
from ecgspasm.io.wfdb.recording import open_wfdb
from ecgspasm.recording import Recording

FS = 250
NAN = float("nan")

Note = tuple[float, str, str] | tuple[float, str, str, int]
"""Time in s, symbol, note and perhaps subtype."""


def write(
    folder: Path, name: str, notes: list[Note], *, extension: str = "atr", leads: str = "V4 MLIII", seconds: int = 900
) -> Path:
    """A record in the layout of both sets: a header, and annotations by the library that everybody uses."""
    wfdb = pytest.importorskip("wfdb")
    names = leads.split()
    lines = [f"{name} {len(names)} {FS} {seconds * FS}", *(f"{name}.dat 212 200 12 0 0 0 0 {lead}" for lead in names)]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    wfdb.wrann(
        name,
        extension,
        np.array([round(note[0] * FS) for note in notes]),
        symbol=[note[1] for note in notes],
        subtype=np.array([note[3] if len(note) > 3 else 0 for note in notes]),
        aux_note=[note[2] for note in notes],
        fs=FS,
        write_dir=str(folder),
    )
    return folder / name


def brief(episode: TrueEpisode) -> tuple[object, ...]:
    e = episode
    return (e.lead, e.measure, e.kind, e.onset_s, e.end_s, e.extremum_s, e.extremum_uv)


# ---- European ST-T


def test_the_european_notation_is_read(tmp_path: Path) -> None:
    notes: list[Note] = [
        (1, "N", ""),
        (2, "+", "(N"),
        (100, "s", "(ST0+"),
        (110, "s", "(ST1-"),
        (120, "T", "(T0-\0N"),  # bytes after the NUL are rubbish
        (150, "s", "AST0+150"),
        (160, "T", "(T0--"),  # beyond 400 uV: no episode of its own
        (165, "T", "AT0-600\0\x13"),
        (170, "T", "T0--)"),
        (180, "s", "ST0+)\0"),
        (190, "s", "AST1-200"),
        (200, "T", "T0-)"),
        (210, "s", "ST1-)"),
        (220, '"', "BUTTON"),
        (300, '"', "(st0+"),
        (310, '"', "ast0+120"),
        (320, '"', "st0+)"),
        (330, "N", ""),
    ]
    found = read_european(write(tmp_path, "e0103", notes))
    assert (found.record, found.leads, found.duration_s) == ("e0103", ("V4", "III"), 900.0)
    assert [brief(each) for each in found.episodes] == [
        ("V4", "ST", ISCHEMIC, 100, 180, 150, 150),
        ("III", "ST", ISCHEMIC, 110, 210, 190, -200),
        ("V4", "T", ISCHEMIC, 120, 200, 165, -600),
        ("V4", "ST", AXIS, 300, 320, 310, 120),
    ]
    assert not any(each.open_start or each.open_end for each in found.episodes)
    assert [each.onset_s for each in found.select(measure="ST")] == [100, 110]
    assert [each.onset_s for each in found.select(measure="ST", row=0, kinds=(ISCHEMIC, AXIS))] == [100, 300]
    assert found.select(measure="T")[0].interval.extremum_uv == -600


def test_episodes_of_both_signs_in_one_lead_run_side_by_side(tmp_path: Path) -> None:
    notes: list[Note] = [
        (10, "s", "(ST0+"),
        (20, "s", "(ST0-"),
        (30, "s", "AST0+100"),
        (40, "s", "ST0+)"),
        (50, "s", "AST0-150"),
        (60, "s", "ST0-)"),
    ]
    found = read_european(write(tmp_path, "e0103", notes)).episodes
    assert [brief(each)[3:] for each in found] == [(10, 40, 30, 100), (20, 60, 50, -150)]


def test_excerpts_number_the_signals_from_one(tmp_path: Path) -> None:
    notes: list[Note] = [(10, "s", "(ST1+"), (20, "s", "AST1+100"), (30, "s", "ST1+)")]
    assert [each.row for each in read_european(write(tmp_path, "sele0126", notes)).episodes] == [0]
    assert [each.row for each in read_european(write(tmp_path, "e0126", notes)).episodes] == [1]
    notes = [(10, "s", "(ST2+"), (20, "s", "AST2+100"), (30, "s", "ST2+)")]
    assert [each.row for each in read_european(write(tmp_path, "sele0126", notes)).episodes] == [1]
    with pytest.raises(es.EcgError, match=r"signals \[2\], the record has 2 from number 0"):
        read_european(write(tmp_path, "e0126", notes))


def test_a_record_of_one_signal_needs_no_number(tmp_path: Path) -> None:
    notes: list[Note] = [(10, "s", "(ST-"), (20, "s", "AST-100"), (30, "s", "ST-)")]
    (found,) = read_european(write(tmp_path, "e0103", notes, leads="V4")).episodes
    assert brief(found) == ("V4", "ST", ISCHEMIC, 10, 30, 20, -100)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        # onset, end, extremum, its uV, open start, open end
        ("A100+150 )200", [(0, 200, 100, 150, True, False)]),
        (")200", [(0, 200, NAN, NAN, True, False)]),
        ("A100+150", [(0, 900, 100, 150, True, True)]),
        ("(100", [(100, 900, NAN, NAN, False, True)]),
        ("(100 A150+150", [(100, 900, 150, 150, False, True)]),
        # an extremum whose begin was forgotten: from the end of the one before
        ("(10 A20+100 )30 A100+150 )200", [(10, 30, 20, 100, False, False), (30, 200, 100, 150, True, False)]),
        # an end whose begin and extremum were forgotten says nothing
        ("(10 A20+100 )30 )200", [(10, 30, 20, 100, False, False)]),
        # an end that was forgotten: until the next begins
        ("(10 A20+100 (100 A110+150 )200", [(10, 100, 20, 100, False, True), (100, 200, 110, 150, False, False)]),
        # the larger of two extrema
        ("(10 A20+100 A30+300 A40+200 )50", [(10, 50, 30, 300, False, False)]),
    ],
)
def test_what_is_not_marked_is_open(tmp_path: Path, marks: str, expected: list[tuple[float, ...]]) -> None:
    notes: list[Note] = []
    for mark in marks.split():
        at, _, uv = mark[1:].partition("+")
        notes.append((float(at), "s", {"(": "(ST0+", "A": f"AST0+{uv}", ")": "ST0+)"}[mark[0]]))
    found = [
        (e.onset_s, e.end_s, e.extremum_s, e.extremum_uv, e.open_start, e.open_end)
        for e in read_european(write(tmp_path, "e0103", notes)).episodes
    ]
    np.testing.assert_equal(found, expected)


def test_unreadable_is_told_by_lead_and_noisy_is_not_unreadable(tmp_path: Path) -> None:
    # bits: 1, 2 noisy signal 0, 1; 0x10, 0x20 unreadable signal 0, 1
    notes: list[Note] = [
        (10, "~", "", 0x03),
        (20, "~", "", 0x13),
        (30, "~", "", 0x33),
        (40, "~", "", 0x22),
        (50, "~", "", 0),
        (800, "~", "", -1),
    ]
    found = read_european(write(tmp_path, "e0103", notes))
    assert found.unreadable_s[0].tolist() == [[20, 40], [800, 900]]
    assert found.unreadable_s[1].tolist() == [[30, 50], [800, 900]]


def test_notes_outside_the_notation_are_refused_in_one_line(tmp_path: Path) -> None:
    for note in ("ST0+", "(AST0+", "AST0+", "(ST0+100", "XY"):
        path = write(tmp_path, "e0103", [(10, "s", note)])
        with pytest.raises(es.EcgError, match="no ST or T change"):
            read_european(path)


def test_missing_and_damaged_files_are_refused_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, "e0103", [(10, "s", "(ST0+")])
    (tmp_path / "e0103.atr").write_bytes(b"\x01")
    with pytest.raises(es.EcgError, match=r"e0103\.atr cannot be read as WFDB annotations") as refused:
        read_european(path)
    assert "\n" not in str(refused.value)
    (tmp_path / "e0103.atr").unlink()
    with pytest.raises(es.EcgError, match=r"no annotation file e0103\.atr"):
        read_european(path)
    with pytest.raises(es.EcgError, match="holds no records of the European"):
        european_records(tmp_path)
    with pytest.raises(es.EcgError, match=r"e9999\.hea"):
        read_european(tmp_path / "e9999")


def test_records_of_a_folder(tmp_path: Path) -> None:
    for name in ("sele0104", "e0103", "sel100"):
        write(tmp_path, name, [(10, "N", "")])
    write(tmp_path, "s20011", [(10, "s", "GRST0")], extension="sta")
    assert [path.name for path in european_records(tmp_path)] == ["e0103", "sele0104"]
    assert [path.name for path in long_term_records(tmp_path)] == ["s20011"]
    with pytest.raises(es.EcgError, match=r"\.stb"):
        long_term_records(tmp_path, "B")


# ---- what an excerpt shows


def episode(onset_s: float, end_s: float, **more: object) -> TrueEpisode:
    return replace(TrueEpisode("V4", 0, "ST", ISCHEMIC, onset_s, end_s, (onset_s + end_s) / 2, 100.0), **more)  # type: ignore[arg-type]


def record(*episodes: TrueEpisode) -> TrueRecord:
    return TrueRecord("sele0000", ("V4", "III"), 900.0, episodes, (np.empty((0, 2)),) * 2)


def test_an_episode_that_runs_already_is_not_visible() -> None:
    found = mark_visible(record(episode(0, 200, open_start=True), episode(400, 500), episode(800, 900, open_end=True))).episodes
    assert [each.visible for each in found] == [False, True, True]
    assert found[0].reason == "already running at the first sample"
    assert hidden_s(found).tolist() == [[0, 200]]


def test_a_lead_without_a_quiet_stretch_shows_nothing() -> None:
    full = [episode(50, 500), episode(450, 880)]  # 830 of 900 s
    other = [episode(100, 200, measure="T"), episode(100, 200, row=1, lead="III")]
    found = mark_visible(record(*full, *other)).episodes
    assert [each.visible for each in found] == [False, False, True, True]
    assert found[0].reason == "episodes cover 92 % of the lead, no quiet stretch is left"
    assert all(each.visible for each in mark_visible(record(*full), no_quiet_share=0.93).episodes)


def test_hidden_episodes_are_scored_as_if_neither_side_had_them() -> None:
    found = mark_visible(record(episode(0, 200, open_start=True), episode(400, 500))).episodes
    true = [each.interval for each in found]
    method = [episode(10, 150).interval, episode(410, 490).interval]
    assert score("r", true, method, excluded=hidden_s(found)).matched == (None, True)
    assert score("r", true, method, excluded=hidden_s(found)).confirmed == (None, True)
    assert score("r", true, []).n_true == 2


# ---- Long-Term ST


def test_the_long_term_notation_is_read(tmp_path: Path) -> None:
    notes: list[Note] = [
        (0, "s", "GRST0"),
        (1, "s", "LRST1-12"),
        (30, "s", "ast1-110"),  # began before the recording
        (60, "s", "st1-40)"),
        (100, "s", "(rtst0+10"),
        (110, "s", "(st1-50"),
        (150, "s", "artst0-90"),
        (160, "s", "ast1-120"),
        (170, "s", "rtst0-45)"),
        (180, "s", "st1-45)"),
        (200, "s", "sst0"),
        (210, "s", "sccst1"),
        (220, "s", "noi0+12"),
        (300, "s", "(urd0"),
        (310, "s", "urd0)"),
        (320, "s", "(urd1"),
    ]
    found = read_long_term(write(tmp_path, "s20011", notes, extension="stb", leads="ML2 ECG"), "B")
    assert found.leads == ("II", "ECG")
    assert [brief(each) for each in found.episodes] == [
        ("ECG", "ST", ISCHEMIC, 0, 60, 30, -110),
        ("II", "ST", RATE, 100, 170, 150, -90),
        ("ECG", "ST", ISCHEMIC, 110, 180, 160, -120),
        ("II", "ST", AXIS, 200, 200, 200, pytest.approx(NAN, nan_ok=True)),
        ("ECG", "ST", CONDUCTION, 210, 210, 210, pytest.approx(NAN, nan_ok=True)),
    ]
    assert [each.open_start for each in found.episodes] == [True, False, False, False, False]
    assert [spans.tolist() for spans in found.unreadable_s] == [[[300, 310]], [[320, 900]]]
    with pytest.raises(es.EcgError, match="has no length"):
        _ = found.episodes[3].interval


def test_each_protocol_has_its_file(tmp_path: Path) -> None:
    path = tmp_path / "s20011"
    for extension, peak in (("sta", -80), ("stb", -100), ("stc", -150)):
        write(tmp_path, "s20011", [(10, "s", "(st0-50"), (20, "s", f"ast0{peak}"), (90, "s", "st0-45)")], extension=extension)
    assert [read_long_term(path, protocol).episodes[0].extremum_uv for protocol in "ABC"] == [-80, -100, -150]
    with pytest.raises(es.EcgError, match="no annotation protocol 'D'"):
        read_long_term(path, "D")


def test_long_term_notes_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(es.EcgError, match="'hello', no ST change"):
        read_long_term(write(tmp_path, "s20011", [(10, "s", "hello")], extension="sta"))
    with pytest.raises(es.EcgError, match="signal 2, but the header of 2 signals"):
        read_long_term(write(tmp_path, "s20011", [(10, "s", "(st2-50")], extension="sta"))


# ---- chunks at 50 Hz


def write_chunks(folder: Path, *, lead: str = "V4") -> None:
    """Two runs of chunks of 5 s at 50 Hz: 0 to 20 s, and out of order 12 to 17 s (in the first) and 100 to 105.004 s."""
    start = np.array([25_001, 0, 1250, 2500, 3750, 3000])
    uv = np.repeat(np.arange(6, dtype=np.int16)[:, None], 250, axis=1)
    np.savez(folder / "s20011.npz", uV=uv, start=start, fs=np.array(50), orig_fs=np.array(250), lead=np.array(lead))
    rows = [
        "record,lead_name,type,lead,begin,peak_sample,peak_uV,end",
        "s20011,V4,st,0,500,1000,-120,5500",  # 2 to 22 s: peak at 4 s, 18 of 20 s covered
        "s20011,V4,rtst,0,15000,25250,90,26500",  # 60 to 106 s: peak at 101 s, 5 of 46 s covered
        "s20011,V4,st,0,30000,31000,100,32000",  # 120 to 128 s: nothing
        "s20011,V4,urd,0,35000,,,40000",
        "s20999,V4,st,0,0,1,-100,2",
    ]
    (folder / "episodes_sta.csv").write_text("\n".join(rows) + "\n")


def test_chunks_become_a_recording(tmp_path: Path) -> None:
    write_chunks(tmp_path)
    found = read_chunks(tmp_path, "s20011")
    assert (found.lead, found.recording_lead, found.fs) == ("V4", "V4", 50.0)
    assert [(start, uv.shape) for start, uv in found.chunks()] == [(0, (1, 1000)), (5000, (1, 250))]
    assert found.covered_s.tolist() == [[0, 20], [100, 105]]
    recording = Recording.from_chunks(found.chunks(), fs=found.fs, leads=(found.recording_lead,))
    # the chunk that overlaps a longer run gives way to it
    assert recording.samples(600, 800)[0].tolist() == [3.0] * 150 + [4.0] * 50
    assert np.isnan(recording.samples(1000, 1010)).all()
    assert recording.samples(5000, 5250)[0].tolist() == [0.0] * 250


def test_the_table_tells_protocol_a_and_what_is_covered(tmp_path: Path) -> None:
    write_chunks(tmp_path)
    found = read_chunks(tmp_path, "s20011")
    episodes = found.truth.episodes
    assert [brief(each)[2:] for each in episodes] == [
        (ISCHEMIC, 2, 22, 4, -120),
        (RATE, 60, 106, 101, 90),
        (ISCHEMIC, 120, 128, 124, 100),
    ]
    assert [each.visible for each in episodes] == [True, False, False]
    assert [each.reason for each in episodes[1:]] == ["only 11 % of it is in the signal", "its extremum is not in the signal"]
    assert [each.extremum_uv for each in protocol_b(found.truth).episodes] == [-120, 100]
    assert found.truth.duration_s == 160
    assert found.uncovered_s.tolist() == [[20, 100], [105, 160]]
    # scoring leaves out what is not in the signal
    result = score("s20011", [each.interval for each in episodes], [], excluded=found.uncovered_s)
    assert (result.n_true, result.true_s) == (2, 18 + 5)
    again = mark_covered(found.truth, merged([(0, 200)]))
    assert all(each.visible for each in again.episodes)


def test_a_lead_without_a_name_gets_a_stand_in(tmp_path: Path) -> None:
    write_chunks(tmp_path, lead="ECG")
    found = read_chunks(tmp_path, "s20011")
    assert (found.lead, found.recording_lead) == ("ECG", STAND_IN)
    assert Recording.from_chunks(found.chunks(), fs=found.fs, leads=(found.recording_lead,)).leads == (STAND_IN,)


def test_chunks_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(es.EcgError, match="holds no s20011"):
        chunk_records(tmp_path)
    write_chunks(tmp_path)
    assert chunk_records(tmp_path) == ["s20011"]
    (tmp_path / "episodes_sta.csv").write_text(
        "record,lead_name,type,lead,begin,peak_sample,peak_uV,end\ns20011,V4,odd,0,1,2,3,4\n"
    )
    with pytest.raises(es.EcgError, match="cannot be read as a table"):
        read_chunks(tmp_path, "s20011")
    np.savez(tmp_path / "s20011.npz", uV=np.zeros((2, 250)))
    with pytest.raises(es.EcgError, match="no readable file of chunks"):
        read_chunks(tmp_path, "s20011")
    with pytest.raises(es.EcgError, match="no readable file of chunks"):
        read_chunks(tmp_path, "s20012")


# ---- the real sets


def in_order(each: TrueEpisode) -> bool:
    known = np.isfinite(each.extremum_s)
    return each.onset_s < each.end_s and (not known or each.onset_s <= each.extremum_s <= each.end_s)


def test_the_real_excerpts(real_data: Path) -> None:
    records = [mark_visible(read_european(path)) for path in european_records(real_data / "qtdb")]
    assert len(records) == 22
    episodes = [each for found in records for each in found.episodes]
    assert all(in_order(each) for each in episodes)
    assert Counter((each.measure, each.visible) for each in episodes) == {
        ("ST", True): 22,
        ("ST", False): 6,
        ("T", True): 25,
        ("T", False): 7,
    }
    # the set's own definition: ST from 100 uV, T from 200 uV
    for each in episodes:
        assert not abs(each.extremum_uv) < {"ST": 100, "T": 200}[each.measure]
    for found in records:
        recording = open_wfdb(real_data / "qtdb" / f"{found.record}.hea")
        assert (recording.leads, recording.duration_s) == (found.leads, found.duration_s)


def test_the_real_chunks(real_data: Path) -> None:
    folder = real_data / "ltstdb_50hz"
    records = [read_chunks(folder, name) for name in chunk_records(folder)]
    assert len(records) == 18
    counts = Counter((e.kind, e.visible) for found in records for e in found.truth.episodes)
    assert counts == {(ISCHEMIC, True): 54, (ISCHEMIC, False): 110, (RATE, True): 23, (RATE, False): 36}
    counts = Counter((e.kind, e.visible) for found in records for e in protocol_b(found.truth).episodes)
    assert counts == {(ISCHEMIC, True): 44, (ISCHEMIC, False): 99, (RATE, True): 17, (RATE, False): 31}
    told = {row.split(",")[0]: row.split(",")[1] for row in (folder / "episodes_sta.csv").read_text().splitlines()[1:]}
    for found in records:
        assert all(in_order(each) for each in found.truth.episodes)
        assert all(abs(each.extremum_uv) >= 75 for each in found.truth.episodes)
        assert all(each.end_s - each.onset_s >= 30 for each in found.truth.episodes)
        ends = [(start, start + uv.shape[1]) for start, uv in found.chunks()]
        assert all(before[1] <= after[0] for before, after in pairwise(ends))
        with np.load(folder / f"{found.record}.npz") as raw:
            assert told.get(found.record, str(raw["lead"])) == str(raw["lead"])
            # a chunk that is labelled as in an episode lies in an interval of that kind
            middle_s = raw["start"] / 250 + 2.5
            for label, kind in (("st", ISCHEMIC), ("rtst", RATE)):
                at = middle_s[raw["label_sta_lead0"] == label]
                spans = merged([(e.onset_s, e.end_s) for e in found.truth.episodes if e.kind == kind])
                inside = ((spans[:, 0] - 5 <= at[:, None]) & (at[:, None] <= spans[:, 1] + 5)).any(axis=1)
                assert inside.all()
