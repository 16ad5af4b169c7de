"""Every bad file ends as its table says: refused in one clear line or read with a remark, soon and in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.all_cases import FAMILIES, cases
from tests.corpus.case import Bad
from tests.corpus.judge import Reader, judge, reader
from tests.corpus.sound_files import MADE

SLOWEST_S = 2.0
"""Of computing."""
LONGEST_WAIT_S = 20.0
"""By the clock, on a machine that has other things to do."""
MOST_MB = 300.0


@pytest.fixture(scope="module")
def process() -> Iterator[Reader]:
    with reader() as made:
        yield made


def wrong(case: Bad, told: dict[str, Any]) -> str:
    """What is wrong with an answer; empty if it is as it should be."""
    shown = f"{case.name}: {told['kind']}: {told['says'][:200]} {told['flags'][:3]}"
    if not case.is_met(told):
        return f"{shown}, expected {case.says!r}"
    if told["seconds"] > SLOWEST_S or told["waited_s"] > LONGEST_WAIT_S:
        return f"{shown}, after {told['seconds']:.1f} s"
    return "" if told["mb"] < MOST_MB else f"{shown}, with {told['mb']:.0f} MB"


def answers(family: str, folder: Path, process: Reader) -> list[str]:
    """All that is wrong in one format."""
    found = []
    for number, case in enumerate(cases()[family]):
        own = folder / str(number)
        own.mkdir()
        path = case.make(own)
        found += [wrong(case, process.read(path, case.asked, how)) for how in case.ways]
        for each in sorted(own.rglob("*"), reverse=True):
            # some are 60 MB large
            if each.is_file() and not each.is_symlink():
                each.unlink()
    return [each for each in found if each]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_bad_file_ends_as_it_should(family: str, tmp_path: Path, process: Reader) -> None:
    assert not answers(family, tmp_path, process)


def test_the_corpus_covers_every_format() -> None:
    assert sum(map(len, cases().values())) >= 600
    assert min(map(len, cases().values())) >= 10


@pytest.mark.parametrize("name", MADE)
def test_the_sound_file_of_each_format_is_read_without_a_remark_that_a_bad_one_gets(
    name: str, tmp_path: Path, process: Reader
) -> None:
    sound = MADE[name]()
    path = tmp_path / f"x{sound.suffix}"
    path.write_bytes(sound.content)
    for how in ("read", "open"):
        told = process.read(path, sound.asked, how)
        assert told["kind"] == "read", told["says"]
        expected = {case.says for case in cases()[_family(name)] if case.says.startswith("flag:")}
        assert not [each for each in expected for flag in told["flags"] if each.removeprefix("flag:") in flag]


def _family(name: str) -> str:
    start = name.split()[0]
    return {"TSV": "CSV", "npy": "NumPy", "npz": "NumPy", "BDF": "EDF", "Mortara": "XML", "MUSE": "XML", "aECG": "XML"}.get(
        start, start
    )


def test_a_death_a_hang_and_an_untyped_error_are_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge itself: without it every test here would pass."""
    import ecgspasm as es

    path = tmp_path / "x.csv"
    path.write_text("# fs: 500\n# unit: uV\nI,V2\n1,2\n")
    with reader() as process:
        assert process.read(path)["kind"] == "read"
        assert process._process is not None
        process._process.kill()
        process._process.wait()
        assert process.read(path)["kind"] == "read"
    with reader(["-c", "import os, sys; sys.stdin.readline(); os.abort()"]) as dying:
        assert dying.read(path)["kind"] == "death"
    monkeypatch.setattr("tests.corpus.judge.SLOWEST_S", 0.1)
    with reader(["-c", "import sys, time; sys.stdin.readline(); time.sleep(60)"], patience_s=0.5) as waiting:
        assert waiting.read(path)["kind"] == "hang"

    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("leads")

    monkeypatch.setattr(es, "read", broken)
    assert judge(path, {}, "read")["kind"] == "untyped"
