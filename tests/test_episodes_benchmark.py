"""The benchmark of episodes on miniatures in the sets' own layouts, and on the real excerpts where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.episode_chunks import chunk_records
from ecgspasm.benchmarks.episodes import episodes_text, score_edb, score_ltstdb
from ecgspasm.cli import main
from ecgspasm.io.wfdb.writer import write_wfdb

FS = 250
LEADS = ["V3", "V5"]
KNOTS = [(500.0, 0.0), (560.0, 1.0), (680.0, 1.0), (740.0, 0.0)]


@pytest.fixture(scope="module")
def attack() -> es.Ecg:
    common = {"fs": FS, "seed": 7, "duration_s": 1200, "leads": LEADS, "noise_uv": 8.0}
    return es.simulate.transient(
        es.simulate.ecg(**common).ecg, es.simulate.ecg(**common, st_uv={"V3": 350.0}, t_uv={"V5": -200.0}).ecg, KNOTS
    )


def annotate(folder: Path, name: str, extension: str, notes: list[tuple[float, str, str]]) -> None:
    import wfdb

    wfdb.wrann(
        name,
        extension,
        np.array([round(at * FS) for at, _, _ in notes]),
        symbol=[symbol for _, symbol, _ in notes],
        aux_note=[note for _, _, note in notes],
        fs=FS,
        write_dir=str(folder),
    )


def european(folder: Path, ecg: es.Ecg, name: str = "e0103") -> None:
    write_wfdb(ecg, folder, name)
    notes = [(515, "s", "(ST0+"), (515, "T", "(T1-"), (600, "s", "AST0+300"), (610, "T", "AT1-500")]
    annotate(folder, name, "atr", [*notes, (725, "s", "ST0+)"), (726, "T", "T1-)")])


def test_an_attack_in_the_european_layout_is_found_and_scored(tmp_path: Path, attack: es.Ecg) -> None:
    european(tmp_path, attack)
    result = score_edb(tmp_path)
    assert result["records"] == 1
    st = result["scores"]["ST, lead"]["all"]
    assert (st["sums"]["n_true"], st["sums"]["n_matched"], st["sums"]["n_confirmed"]) == (1, 1, 1)
    assert st["gross"]["duration_se"] > 85
    assert abs(st["deviation"]["mean_uv"]) < 100
    assert result["scores"]["T, person"]["all"]["gross"]["episode_se"] == 100
    assert result["kinds"]["ST"]["ischemic"] == {"ischemic ramp": 1}
    assert "ST, person, all" in episodes_text(result)


def test_nothing_found_is_no_hundred_per_cent(tmp_path: Path) -> None:
    quiet = es.simulate.ecg(fs=FS, seed=7, duration_s=1200, leads=LEADS, noise_uv=8.0).ecg
    european(tmp_path, quiet)
    st = score_edb(tmp_path)["scores"]["ST, lead"]["all"]
    assert st["gross"]["episode_se"] == 0
    assert st["gross"]["episode_ppv"] is None


def test_leads_without_a_usual_name_are_scored_too(tmp_path: Path, attack: es.Ecg) -> None:
    """The Long-Term set has leads called E-S and A-I."""
    write_wfdb(attack, tmp_path, "s20011")
    header = tmp_path / "s20011.hea"
    header.write_text(header.read_text().replace(" V3\n", " E-S\n").replace(" V5\n", " A-I\n"))
    rows = [(512, "s", "(st0+50"), (600, "s", "ast0+300"), (728, "s", "st0+50)")]
    for extension in ("sta", "stb", "stc"):
        annotate(tmp_path, "s20011", extension, rows)
    result = score_ltstdb(tmp_path)
    for protocol in "ABC":
        assert result["scores"][f"protocol {protocol}, lead"]["covered"]["gross"]["episode_se"] == 100
    assert result["kinds"]["B"]["ischemic"] == {"ischemic ramp": 1}


def test_the_command_prints_and_writes(tmp_path: Path, attack: es.Ecg, capsys: pytest.CaptureFixture[str]) -> None:
    european(tmp_path, attack)
    assert main(["benchmark", "edb", str(tmp_path), "--output", str(tmp_path / "edb.json")]) == 0
    assert "European ST-T Database: 1 records" in capsys.readouterr().out
    assert (tmp_path / "edb.json").stat().st_size > 100
    assert main(["benchmark", "ltstdb", str(tmp_path)]) == 1
    assert "the Long-Term ST Database" in capsys.readouterr().err


def test_real_excerpts_are_scored_as_recorded(real_data: Path) -> None:
    """Not below what docs/monitoring.md tells, less the scatter of another machine's arithmetic: one episode."""
    st = score_edb(real_data / "qtdb")["scores"]["ST, person"]["visible"]
    assert st["sums"]["n_true"] == 15
    assert st["sums"]["n_matched"] >= 11
    assert st["gross"]["episode_ppv"] >= 65


def test_real_chunks_are_scored(real_data: Path) -> None:
    folder = real_data / "ltstdb_50hz"
    result = score_ltstdb(folder, only=chunk_records(folder)[10:12])
    b = result["scores"]["protocol B, lead"]["covered"]
    assert b["gross"]["episode_se"] >= 75
    assert b["gross"]["episode_ppv"] >= 75
