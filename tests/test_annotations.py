"""Delineations written as WFDB annotations, and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.benchmarks.truth import read_truth
from ecgspasm.cli import main
from ecgspasm.io.wfdb.annotations import write_annotations

CASE = Path(__file__).resolve().parent.parent / "data" / "index-case"


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    found = es.delineate(es.read(CASE / "presentation.hea"))
    paths = write_annotations(found, tmp_path, "presentation")
    assert [Path(path).name for path in paths][:3] == ["presentation.i", "presentation.ii", "presentation.iii"]
    frame = found.to_frame().dropna(subset=["peak"])
    for lead in found.leads:
        back = read_truth(tmp_path / "presentation", lead.lower())
        for wave in ("P", "QRS", "T"):
            rows = frame[(frame["lead"] == lead) & (frame["wave"] == wave) & (frame["onset"] >= 0)]
            read = back.waves[wave]
            read = read[np.isfinite(read[:, 0])]
            assert np.array_equal(read[:, 1], rows["peak"]), (lead, wave)
            assert np.array_equal(read[:, 0], rows["onset"])


def test_the_command_line_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import wfdb

    assert main(["delineate", str(CASE / "baseline.hea"), "--annotate", str(tmp_path), "--json"]) == 0
    assert "12 annotation files" in capsys.readouterr().err
    read = wfdb.rdann(str(tmp_path / "baseline"), "v2")
    assert set(read.symbol) == {"(", "p", "N", "t", ")"}
    assert (np.diff(read.sample) >= 0).all()


def test_a_missing_folder_is_an_ecg_error(tmp_path: Path) -> None:
    found = es.delineate(es.read(CASE / "baseline.hea"))
    with pytest.raises(es.EcgError, match="there is no folder"):
        write_annotations(found, tmp_path / "none", "x")
