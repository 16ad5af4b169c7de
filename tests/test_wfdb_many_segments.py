"""WFDB records of very many segments: each is looked at once, and there is an end to their number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.io.wfdb import reader, recording
from tests.corpus.sound_records import checksum, heart, in_format, many_segments

ROWS = heart()[[0, 7]][:, :100]


def both(path: Path) -> tuple[Any, Any]:
    opened = es.open_recording(path)
    return es.read(path).signal_uv[:2], opened.samples(0, opened.n_samples)


def refused(path: Path) -> str:
    said = []
    for call in (es.read, es.open_recording):
        with pytest.raises(es.EcgError) as caught:
            call(path)
        said.append(str(caught.value))
    assert said[0] == said[1]
    return said[0]


def test_a_segment_named_again_and_again_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = many_segments(tmp_path, different=2, named=30)
    seen: dict[str, int] = {}

    def counted(name: str) -> Any:
        own = getattr(recording, name)

        def call(*given: Any, **more: Any) -> Any:
            seen[name] = seen.get(name, 0) + 1
            return own(*given, **more)

        return call

    for name in ("read_header", "read_digital", "check_start", "_chosen_of"):
        monkeypatch.setattr(recording, name, counted(name))
    for signal in both(path):
        assert np.array_equal(signal, np.tile(ROWS, 30))
    # for reading and for opening; the header of the whole is parsed elsewhere for reading
    assert seen == {"read_header": 2 + 1 + 2, "read_digital": 4, "check_start": 4, "_chosen_of": 4}


def test_a_segment_is_as_long_as_it_is_wherever_it_is_named(tmp_path: Path) -> None:
    path = many_segments(tmp_path, different=1, named=3)
    text = path.read_text().replace("s0 100\n", "s0 50\n", 1).replace(" 300\n", " 250\n")
    path.write_text(text)
    assert "has 100 samples where the record says 50" in refused(path)
    own = tmp_path / "s0.hea"
    own.write_text(own.read_text().replace("s0 2 500 100", "s0 2 500"))
    path.write_text(text.replace("s0 50\ns0 100\n", "s0 100\ns0 50\n"))
    assert "has 100 samples where the record says 50" in refused(path)


def test_so_many_headers_signals_and_files_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (recording._MOST_HEADER_BYTES, recording._MOST_SIGNALS, recording._MOST_FILES) == (8_388_608, 30_000, 12_000)
    path = many_segments(tmp_path, different=3, named=7)
    size = sum((tmp_path / f"s{number}.hea").stat().st_size for number in range(3))
    # files count each time that they are opened
    for name, count in (("_MOST_HEADER_BYTES", size), ("_MOST_SIGNALS", 6), ("_MOST_FILES", 7)):
        with monkeypatch.context() as patch:
            patch.setattr(recording, name, count)
            for signal in both(path):
                assert np.array_equal(signal, np.tile(ROWS, 7))
            patch.setattr(recording, name, count - 1)
            assert "more signals, files or words than any record" in refused(path)


def test_a_layout_opens_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = many_segments(tmp_path, different=3, named=7, layout=True)
    monkeypatch.setattr(recording, "_MOST_FILES", 7)
    for signal in both(path):
        assert np.array_equal(signal, np.tile(ROWS, 7))
    monkeypatch.setattr(recording, "_MOST_FILES", 6)
    assert "more signals, files or words" in refused(path)


def test_compressed_files_count_twenty_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wfdb", reason="wfdb is not installed")
    assert recording._SLOW_FILE == 20
    in_format(516, tmp_path)
    path = tmp_path / "whole.hea"
    path.write_text("whole/2 2 500 1200\nf 600\nf 600\n")
    monkeypatch.setattr(recording, "_MOST_FILES", 40)
    assert es.read(path).signal_uv.shape[1] == 1200
    monkeypatch.setattr(recording, "_MOST_FILES", 39)
    assert "more signals, files or words" in refused(path)


def test_what_is_read_at_once_counts_every_signal_of_every_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = many_segments(tmp_path, different=2, named=4)
    for n_sig in (1, 2, 3):
        path.write_text(path.read_text().replace("whole/4 2 ", f"whole/4 {n_sig} ").replace("whole/4 1 ", f"whole/4 {n_sig} "))
        # the record may say that it has more signals than any of its segments, or fewer
        most = 400 * max(n_sig, 2)
        monkeypatch.setattr(reader, "MAX_SAMPLES", most)
        assert es.read(path).signal_uv.shape[1] == 400
        monkeypatch.setattr(reader, "MAX_SAMPLES", most - 1)
        with pytest.raises(es.EcgError, match=f"the record has {most} samples, more than are read at once"):
            es.read(path)
        # checksums are of the whole, so they are left aside
        assert es.open_recording(path).n_samples == 400


def test_checksums_are_compared_as_long_as_the_record_can_be_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = many_segments(tmp_path, different=2, named=4)
    own = tmp_path / "s1.hea"
    own.write_text(own.read_text().replace(f" {checksum(ROWS[1])} 0 V2", " 17 0 V2"))
    assert "the checksum of signal 'V2'" in refused(path)
    monkeypatch.setattr(reader, "MAX_SAMPLES", 800)
    assert "the checksum of signal 'V2'" in refused(path)
    monkeypatch.setattr(reader, "MAX_SAMPLES", 799)
    assert es.open_recording(path).n_samples == 400


def test_a_layout_of_no_format_does_not_make_a_record_shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = many_segments(tmp_path, different=2, named=4, layout=True)
    monkeypatch.setattr(reader, "MOST_DECODED", 1)
    assert es.read(path).signal_uv.shape[1] == 400


@pytest.mark.parametrize("whole", ["f", "whole"])
def test_what_wfdb_decodes_is_read_at_once_up_to_a_lower_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: str
) -> None:
    pytest.importorskip("wfdb", reason="wfdb is not installed")
    assert reader.MOST_DECODED == 5_000_000
    in_format(516, tmp_path)
    (tmp_path / "whole.hea").write_text("whole/1 2 500 600\nf 600\n")
    path = tmp_path / f"{whole}.hea"
    monkeypatch.setattr(reader, "MOST_DECODED", 1200)
    assert es.read(path).signal_uv.shape[1] == 600
    own = tmp_path / "f.hea"
    own.write_text(re.sub(r" -?\d+ 0 V2", " 17 0 V2", own.read_text()))
    assert "the checksum of signal 'V2'" in refused(path)
    monkeypatch.setattr(reader, "MOST_DECODED", 1199)
    with pytest.raises(es.EcgError, match=r"has 1200 samples, more than .*use ecgspasm.open_recording"):
        es.read(path)
    assert es.open_recording(path).samples(0, 600).shape == (2, 600)
