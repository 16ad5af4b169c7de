"""What makes no sense is refused in one line that says how to mend it, and what holds nothing gives nothing."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm import markup
from ecgspasm.batching import engine, runner
from ecgspasm.course import Exposure
from ecgspasm.datasets import fetching, folders, sums, transfer
from ecgspasm.io.facts import Scaling, agreed_fs, open_rows, stated
from ecgspasm.io.file import Asked
from ecgspasm.io.times import rate_of_times
from ecgspasm.processing import beats, net
from ecgspasm.recording import Recording
from ecgspasm.simulate.noise import muscle
from ecgspasm.simulate.transient import transient

CASE = es.simulate.index_case()
BEFORE, AFTER = CASE["baseline"], CASE["ergonovine"]
EVENTS = [(60, "ergonovine"), (240, "nitroglycerin")]
OTHER_LEAD = es.simulate.ecg(fs=250, seed=1, duration_s=20, leads=["V5"]).ecg
LONG = Recording.of(es.simulate.ecg(fs=250, seed=1, duration_s=20, leads=["V2"]).ecg)
ZONE = datetime(2024, 5, 6, tzinfo=UTC)


def recording(leads: tuple[str, ...] = ("V2",), fs: Any = 250.0) -> Recording:
    return Recording(leads, fs, 10, lambda start, stop: np.zeros((len(leads), stop - start)))


def series(given: list[Any], **more: Any) -> Any:
    return es.provocation(given, events=more.pop("events", EVENTS), **more)


def open_table(n_samples: int) -> Recording:
    told: dict[str, Any] = {"names": ["V2"], "units": ["uV"], "fs": 500.0, "facts": stated({}), "asked": Asked(), "source": "x"}
    return open_rows(lambda start, stop, which: [np.zeros(stop - start)], n_samples, **told)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "recording without leads": (lambda: recording(()), "the leads are none; give at least one"),
    "recording with a lead twice": (lambda: recording(("V2", "v2")), "the leads are V2, V2; give at least one, and none twice"),
    "recording at 49 Hz": (lambda: recording(fs=49.0), "fs is 49.0; give the sampling rate in Hz, between 50 and 10000"),
    "recording at no number": (lambda: recording(fs="fast"), "fs is 'fast'; give the sampling rate"),
    "piece before the beginning": (
        lambda: Recording.from_chunks([(-1, np.zeros((1, 5)))], fs=250, leads=("V2",)),
        r"a piece at sample -1 has the shape \(1, 5\); give \(lead, sample\) for 1 leads",
    ),
    "piece of two leads": (
        lambda: Recording.from_chunks([(0, np.zeros((2, 5)))], fs=250, leads=("V2",)),
        r"a piece at sample 0 has the shape \(2, 5\)",
    ),
    "part from no time": (lambda: LONG.part("a", 3.0), "'a' to 3.0 s is no stretch of a recording; give two times"),  # type: ignore[arg-type]
    "part that is empty": (lambda: LONG.part(3.0, 3.0), "3 to 3 s is no stretch of a recording of 20 s"),
    "truth of a lead that is not there": (lambda: BEFORE.truth.get("st_j_uv", "V9"), "no lead 'V9'; this truth has I, II"),
    "truth of no measure": (lambda: BEFORE.truth.get("colour", "V2"), "no measure 'colour'; give st_j_uv"),
    "change between unlike recordings": (
        lambda: transient(BEFORE.ecg, LONG.part(0, 5), [(0, 0)]),
        "the two recordings differ in leads, sampling rate or length",
    ),
    "change at times that go back": (lambda: transient(BEFORE.ecg, AFTER.ecg, [(2, 0), (1, 1)]), "knots do not increase"),
    "change at no time": (
        lambda: transient(BEFORE.ecg, AFTER.ecg, []),
        "knots do not increase; sort them, and give at least one",
    ),
    "noise for a moment": (lambda: muscle(np.random.default_rng(1), 1, 250.0, 10.0), "noise_uv needs a longer recording"),
    "age that is infinite": (lambda: stated({"age": math.inf}), "age is inf; mend it"),
    "rate of a slow table": (lambda: agreed_fs(None, 49.0), "fs is 49 Hz; the sampling rate of an ECG lies between"),
    "table without channels": (lambda: Scaling.of([], [], Asked()), "there are 0 channels; between 1 and"),
    "table in mmHg": (lambda: Scaling.of(["V2"], ["mmHg"], Asked()), "lead V2 has the unit 'mmHg'; only uV, mV and V"),
    "table without samples": (lambda: open_table(0), "the file tells of 0 samples of 1 channels, which no recording has"),
    "time that is missing": (
        lambda: rate_of_times(np.array(["2024-01-01", "NaT"], "datetime64[s]"), 0.0),
        "a time is missing; give every sample its time",
    ),
    "picture of no comparison": (lambda: es.plot.comparison(BEFORE.ecg), "this is a Ecg, not a comparison"),  # type: ignore[arg-type]
    "page of no ECG": (lambda: es.plot.ecg(3), "this is a int, not an Ecg"),  # type: ignore[arg-type]
    "monitoring of a number": (lambda: es.monitor(3), "this is a int, not a recording"),  # type: ignore[arg-type]
    "provocation against a text": (
        lambda: es.provocation(LONG, events=[(10, "ergonovine")], baseline="x"),  # type: ignore[arg-type]
        "the baseline is a str; give an Ecg, an Analysis, a Recording or Measurements",
    ),
    "provocation against another lead": (
        lambda: es.provocation(LONG, events=[(10, "ergonovine")], baseline=OTHER_LEAD),
        "the baseline has V5 and the recording V2: no lead in common",
    ),
    "provocation averaged over a text": (
        lambda: es.provocation(LONG, events=[(10, "ergonovine")], average_s="long"),  # type: ignore[arg-type]
        "average_s is 'long'; give 8 to 60 s",
    ),
    "ECGs of two kinds of clocks": (
        lambda: series([(ZONE, BEFORE.ecg), (ZONE.replace(tzinfo=None) + timedelta(hours=1), AFTER.ecg)]),
        "some ECGs have a time zone and some have none",
    ),
    "ECGs against a long recording": (
        lambda: series([(0, BEFORE.ecg), (180, AFTER.ecg)], baseline=LONG),
        "the baseline is a Recording",
    ),
    "ECGs of which the first cannot be read": (
        lambda: series([(0, replace(BEFORE.ecg, signal_uv=BEFORE.ecg.signal_uv[:, :1])), (180, AFTER.ecg)]),
        "no baseline: the ECG at 0 s was not measured",
    ),
    "drug without a name": (lambda: Exposure("", start=0), "drug is empty; give its name"),
    "case table of a number": (lambda: es.case_table(3), "this is a int, not a list of Course"),  # type: ignore[arg-type]
    "case table of numbers": (lambda: es.case_table([3]), "this is a int, not a Course"),  # type: ignore[list-item]
    "list of hashes that is too long": (lambda: sums.parse_sums(b"x" * (sums.MAX_BYTES + 1)), "the list of hashes has"),
    "list of too many hashes": (lambda: sums.parse_sums(b"\n" * sums.MAX_FILES), f"at most {sums.MAX_FILES} are read"),
    "batch of no such thing": (lambda: es.batch("paint", [], "x"), "what is 'paint'; give 'compare' or 'measure'"),  # type: ignore[arg-type]
    "batch of a pattern of pairs": (lambda: es.batch("compare", "no*such?", "x"), "a pattern names no pairs; give a CSV"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made, said = REFUSED[what]
    with pytest.raises(es.EcgError, match=said) as raised:
        made()
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


# --- what holds nothing -------------------------------------------------------------------------------------------------------


def test_where_there_is_no_lead_or_no_peak_there_is_no_beat() -> None:
    assert beats.detect(np.empty((0, 500)), 500.0).shape == (0,)
    assert beats.detect(np.zeros((1, 500)), 500.0).shape == (0,)


def test_a_moment_is_none_of_the_waves() -> None:
    probabilities, rate_hz = net.wave_probabilities(np.ones((2, 3)), 500.0, {})
    assert probabilities.shape[0] == 2
    np.testing.assert_array_equal(probabilities[:, 0], 1.0)
    np.testing.assert_array_equal(probabilities[:, 1:], 0.0)
    assert rate_hz > 0.0


@pytest.mark.parametrize("times", [np.array([], float), np.array([3.0])])
def test_fewer_than_two_times_tell_no_rate(times: Any) -> None:
    assert rate_of_times(times, 1.0) is None


@pytest.mark.parametrize("words", ["", "None", "unknown"])
def test_a_date_that_is_not_known_is_none(words: str) -> None:
    assert stated({"recorded_at": words}).recorded_at is None


def test_curves_without_a_point_are_no_picture_and_gaps_break_them() -> None:
    assert markup.small_multiples([("V2", False, [([], [])])], columns=1, wide=50.0, high=40.0) == ""
    drawn = markup.small_multiples(
        [("V2", False, [([0.0, 1.0, 2.0, 3.0], [1.0, 2.0, math.nan, 1.0])])], columns=1, wide=50.0, high=40.0
    )
    assert drawn.count("M") == 2
    assert "nan" not in drawn


# --- processes of a batch -----------------------------------------------------------------------------------------------------


def frames(content: bytes) -> Callable[[int], bytes]:
    left = bytearray(content)

    def take(count: int) -> bytes:
        got = bytes(left[:count])
        del left[:count]
        return got

    return take


@pytest.mark.parametrize("cut", [0, 3, -1])
def test_a_message_that_is_cut_off_is_none(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with path.open("wb") as file:
        runner.write_frame(file.fileno(), {"pid": 7}, b"12345678")
    whole = path.read_bytes()
    assert runner.read_frame(frames(whole)) == ({"pid": 7}, b"12345678")
    assert runner.read_frame(frames(whole[:cut])) is None
    assert runner.read_frame(frames(b"\0" + whole[1:])) is None


class Failed:
    """A part that did not come back."""

    def __init__(self, status: str, error: Exception | None = None) -> None:
        self.status, self._error = status, error

    def exception(self) -> Exception | None:
        return self._error


def test_a_part_is_sent_again_a_few_times_and_then_ends_the_run() -> None:
    order: Any = type("Order", (), {"number": 7})()
    sent: list[int] = []
    engine._again(Failed("lost"), order, 1, lambda order, number: sent.append(number))
    engine._again(Failed("error", OSError("no\nspace")), order, 4, lambda order, number: sent.append(number))
    assert sent == [2, 5]
    with pytest.raises(es.EcgError, match=r"^part 7 failed 5 times \(lost\); run the same command again"):
        engine._again(Failed("lost"), order, 5, lambda order, number: sent.append(number))
    with pytest.raises(es.EcgError, match=r"^part 7 failed 5 times \(OSError: no space\)"):
        engine._again(Failed("error", OSError("no\nspace")), order, 5, lambda order, number: sent.append(number))
    with pytest.raises(es.EcgError, match=r"^the disk is full$"):
        engine._again(Failed("error", es.EcgError("the disk is full")), order, 1, lambda order, number: sent.append(number))
    assert sent == [2, 5]


def test_lists_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    twice = tmp_path / "twice.csv"
    twice.write_text("baseline,current,current\na,b,c\n")
    with pytest.raises(es.EcgError, match="has two columns 'current'; leave one of them out"):
        es.batch("compare", twice, tmp_path / "out")
    clocks = tmp_path / "clocks.csv"
    clocks.write_text("baseline,current,baseline_at,current_at\na.csv,b.csv,2024-05-06T10:00,2024-05-06T11:00+02:00\n")
    done = es.batch("compare", clocks, tmp_path / "out")
    assert list(done.to_frame()["state"]) == ["one time has an offset and the other has none; write both alike"]


# --- folders and addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "told", "below"),
    [
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/ecgspasm"),
        ("win32", {}, "AppData/Local/ecgspasm"),
        ("darwin", {}, "Library/Caches/ecgspasm"),
        ("linux", {"XDG_CACHE_HOME": "/cache"}, "/cache/ecgspasm"),
        ("linux", {}, ".cache/ecgspasm"),
    ],
)
def test_data_that_can_be_had_again_lies_where_each_system_has_it(
    system: str, told: dict[str, str], below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert folders.cache_folder().as_posix().endswith(below)


def test_plain_http_is_for_this_machine_only() -> None:
    assert transfer.checked_address("http://localhost:8000/files/") == "http://localhost:8000/files"
    with pytest.raises(es.EcgError, match="is not encrypted"):
        transfer.checked_address("http://localhost.example.org/files")


@pytest.mark.parametrize("change", [{"sums_sha256": "no hash"}, {"trust": "hope"}])
def test_a_damaged_account_of_a_fetch_is_refused(change: dict[str, str], tmp_path: Path) -> None:
    told = {"name": "ludb", "version": "1.0.1", "address": "https://host/x", "sums_sha256": "0" * 64, "trust": "server"}
    (tmp_path / fetching.RECORD).write_text(json.dumps(told))
    assert fetching.fetched(tmp_path) is not None
    (tmp_path / fetching.RECORD).write_text(json.dumps(told | change))
    with pytest.raises(es.EcgError, match="is damaged; delete it and run the fetch again"):
        fetching.fetched(tmp_path)
