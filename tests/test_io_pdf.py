"""Printed ECGs: pages drawn by the tests, whose truth is known, and pages that must be refused."""

from __future__ import annotations

import builtins
import pickle
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.ecg import Ecg, Floats, Subject
from ecgspasm.io.file import Asked, File
from ecgspasm.io.pdf.curves import find_pulse
from ecgspasm.io.pdf.reader import columns, is_pdf, read_pdf, read_pdf_file
from ecgspasm.io.pdf.settings import pdf_settings
from ecgspasm.io.pdf.text import Line, paper_of
from ecgspasm.leads import STANDARD
from tests.draw_pdf import LETTERS, Print, Raw, assemble, draw_matplotlib, draw_raw, printed

pytest.importorskip("pdfminer", reason="pdfminer.six is not installed (extra pdf)")


@pytest.fixture(scope="session")
def whole() -> Ecg:
    """Ten seconds."""
    return es.simulate.ecg(fs=500, seed=4, st_uv={"V2": 150, "V3": 120}, t_uv={"V5": -150}, noise_uv=10).ecg


@pytest.fixture(scope="session")
def ecg(whole: Ecg) -> Ecg:
    """Five of them, which are drawn and read in half the time."""
    return replace(whole, signal_uv=whole.signal_uv[:, :2500])


def read(data: bytes, record: int | None = None, **given: Any) -> Ecg:
    return read_pdf_file(File("print.pdf", data=data), Asked(record=record), **given)


def errors(got: Ecg, truth: dict[str, Floats], fs: float, *, zero_known: bool = True) -> tuple[float, float, float]:
    """Largest error in uV, time error in ms, and how many s of a lead are lacking or too many."""
    worst = late = lost = 0.0
    for lead, uv in truth.items():
        there, known = np.isfinite(got[lead]), np.isfinite(uv)
        times, true_times = np.flatnonzero(there) / got.fs, np.flatnonzero(known) / fs
        true = np.interp(times, true_times, uv[known])
        read_uv = got[lead][there]
        if not zero_known:
            read_uv = read_uv - np.median(read_uv - true)
        worst = max(worst, float(np.abs(read_uv - true).max()))
        shifts = np.arange(-6.0, 6.1, 0.5) / 1000.0
        miss = [np.mean((np.interp(times[20:-20] + shift, true_times, uv[known]) - read_uv[20:-20]) ** 2) for shift in shifts]
        late = max(late, abs(1000 * shifts[int(np.argmin(miss))]))
        lost = max(lost, abs(there.sum() / got.fs - known.sum() / fs))
    return worst, late, lost


# ---------------------------------------------------------------------------------------------------------------------
# Truth
# ---------------------------------------------------------------------------------------------------------------------

PAPERS = [
    Print("3x4"),
    Print("3x4", 25, 5),
    Print("3x4", 50, 20),
    Print("3x4", 25, 20, pulse=False),
    Print("3x4", shrink=0.85),
    Print("6x2", grid="fine"),
    Print("6x2 Cabrera", grid="strong"),
    Print("12x1"),
    Print("12x1", 50, 5),
]


@pytest.mark.parametrize("how", PAPERS, ids=lambda how: f"{how.layout} {how.speed:g} {how.gain:g} {how.shrink:g} {how.grid}")
def test_matplotlib(how: Print, ecg: Ecg, tmp_path: Path) -> None:
    draw_matplotlib(ecg, tmp_path / "a.pdf", how)
    got = read_pdf(tmp_path / "a.pdf")
    worst, late, lost = errors(got, printed(ecg, how), ecg.fs, zero_known=how.pulse)
    assert (got.leads, got.derived, got.fs) == (STANDARD, (), 500.0)
    # a vertex that touches the foot of a pulse by 0.02 mm is taken for it
    assert worst < 0.025 * 1000 / how.gain
    assert late <= 0.5
    assert lost < 0.003
    assert ("grid and pulse" in got.source) == how.pulse


RAWS: dict[str, tuple[Print, Raw]] = {
    "pairs, sideways, in a form, bars": (Print(), Raw()),
    "chunks, upside down, squares": (Print(), Raw(segments="chunks", rotate=180, grid="squares")),
    "one path a row with the pulse": (Print(), Raw(segments="row", rotate=0, form=False, compress=False)),
    "one path a row, 6 x 2, Cabrera": (Print("6x2 Cabrera", 25, 20, shrink=1.2), Raw(segments="row", rotate=270)),
    "Bezier curves": (Print("6x2"), Raw(segments="bezier")),
    "12 x 1 in chunks": (Print("12x1"), Raw(segments="chunks")),
    "12 x 1, 50 mm/s, 5 mm/mV": (Print("12x1", 50, 5), Raw(segments="row")),
    "no grid, by the pulse": (Print(), Raw(grid="none", segments="row")),
    "no grid, shrunk": (Print(shrink=0.8), Raw(grid="none", segments="chunks")),
    "shrunk": (Print(shrink=0.8), Raw(segments="chunks")),
    "windows": (Print(), Raw(window=True, segments="chunks")),
    "two decimals of a quarter of a mm": (Print(), Raw(decimals=2, segments="chunks")),
    "40 mm pulses": (Print("3x4", 25, 40), Raw(segments="chunks")),
}


@pytest.mark.parametrize("name", RAWS)
def test_another_producer(name: str, ecg: Ecg) -> None:
    how, raw = RAWS[name]
    got = read(draw_raw(ecg, how, raw))
    worst, late, lost = errors(got, printed(ecg, how), ecg.fs)
    assert got.leads == STANDARD
    assert worst < 4.0
    assert late <= 0.5
    # on either side of a border inside one line 20 ms are of nobody
    assert lost < (0.045 if raw.segments == "row" else 0.003)


def test_a_lead_that_lies_nearer_to_the_next_row_keeps_its_own_zero(ecg: Ecg) -> None:
    shifted = replace(ecg, signal_uv=ecg.signal_uv - np.where(np.array(ecg.leads) == "V3", 900.0, 0.0)[:, None])
    how = Print("12x1")
    assert errors(read(draw_raw(shifted, how, Raw(segments="chunks"))), printed(shifted, how), 500.0)[0] < 4.0


def test_the_pages_of_this_package_are_read(whole: Ecg, tmp_path: Path) -> None:
    """Their names stand above what the curves do, so those of one row are up to 6 mm apart; few vertices are left out."""
    es.plot.save(es.plot.ecg(whole)[0], tmp_path / "a.pdf")
    got = read_pdf(tmp_path / "a.pdf")
    _, late, lost = errors(got, printed(whole, Print()), whole.fs)
    assert got.leads == STANDARD
    assert late <= 0.5
    assert lost < 0.003
    spread = [np.nanquantile(np.abs(got[lead] - whole[lead][: got.signal_uv.shape[1]]), 0.9) for lead in STANDARD]
    assert max(spread) < 60
    assert [set(part.leads) >= set(STANDARD[3 * n : 3 * n + 3]) for n, part in enumerate(columns(got))] == [True] * 4


def test_a_pulse_is_not_joined_to_the_row_above(ecg: Ecg, tmp_path: Path) -> None:
    """V4 begins 11 mm above its zero, beside the foot of the pulse of V3."""
    signal = ecg.signal_uv.copy()
    signal[ecg.leads.index("V4"), :100] += np.linspace(1150, 0, 100)
    shifted = replace(ecg, signal_uv=signal)
    draw_matplotlib(shifted, tmp_path / "a.pdf", Print("12x1"))
    assert errors(read_pdf(tmp_path / "a.pdf"), printed(shifted, Print("12x1")), 500.0)[0] < 2.5


def test_columns_set_apart(whole: Ecg, tmp_path: Path) -> None:
    """A gap between columns is no time if the columns are whole quarters of a second, and is time if their starts are."""
    draw_matplotlib(whole, tmp_path / "a.pdf", Print("6x2", gap_mm=4))
    assert errors(read_pdf(tmp_path / "a.pdf"), printed(whole, Print("6x2")), 500.0)[0] < 2.5
    draw_matplotlib(whole, tmp_path / "a.pdf", Print("6x2", masked_mm=3))
    got = read_pdf(tmp_path / "a.pdf")
    worst, late, lost = errors(got, printed(whole, Print("6x2")), 500.0)
    assert (worst < 2.5, late, lost) == (True, 0.0, pytest.approx(0.12, abs=0.003))
    draw_matplotlib(whole, tmp_path / "a.pdf", Print("6x2", masked_mm=2.3, gap_mm=1.2))
    with pytest.raises(es.EcgError, match="not clear whether that is time"):
        read_pdf(tmp_path / "a.pdf")


def test_real_ecgs(real_data: Path, tmp_path: Path) -> None:
    records = [min((real_data / name).rglob("*.hea")) for name in ("ludb", "ptbdb")]
    assert records
    for record in records:
        whole = es.read(record)
        part = replace(whole, signal_uv=whole.signal_uv[:, : round(6 * whole.fs)])
        draw_matplotlib(part, tmp_path / "a.pdf", Print("12x1", 25, 5))
        for how, got in [
            (Print("12x1", 25, 5), read_pdf(tmp_path / "a.pdf")),
            (Print(), read(draw_raw(part, Print(), Raw(segments="chunks")))),
        ]:
            worst, late, lost = errors(got, printed(part, how), part.fs)
            assert worst < 20.0, (record, how)
            assert late <= 0.5
            assert lost < 0.003


def test_1000_hz_stay_1000_hz(tmp_path: Path) -> None:
    fast = es.simulate.ecg(fs=1000, seed=8, duration_s=4).ecg
    got = read(draw_raw(fast, Print("12x1"), Raw(segments="chunks")))
    assert got.fs == 1000.0
    assert errors(got, printed(fast, Print("12x1")), 1000.0)[0] < 4.0


def test_vertices_that_the_producer_left_out(ecg: Ecg, tmp_path: Path) -> None:
    """matplotlib's path simplification moves flanks by up to 1.6 ms: within 20 uV if 4 ms are allowed, and everywhere else."""
    how = Print()
    draw_matplotlib(ecg, tmp_path / "a.pdf", how, simplify=True)
    got, truth = read_pdf(tmp_path / "a.pdf"), printed(ecg, how)
    for lead, uv in truth.items():
        there, known = np.isfinite(got[lead]), np.isfinite(uv)
        times = np.flatnonzero(there) / 500.0
        around = np.stack(
            [np.interp(times + shift, np.flatnonzero(known) / 500.0, uv[known]) for shift in np.linspace(-0.004, 0.004, 17)]
        )
        outside = np.maximum(np.maximum(around.min(axis=0) - got[lead][there], got[lead][there] - around.max(axis=0)), 0)
        assert outside.max() < 20.0
        assert np.quantile(np.abs(got[lead][there] - around[8]), 0.9) < 10.0


def test_r_peaks_are_where_they_were(whole: Ecg, tmp_path: Path) -> None:
    draw_matplotlib(whole, tmp_path / "a.pdf", Print("12x1"))
    there = es.analyze(read_pdf(tmp_path / "a.pdf"))
    true = es.analyze(whole)
    assert np.abs(there.beats.r_sample - true.beats.r_sample).max() <= 1
    frame, wanted = there.measurements.to_frame(), true.measurements.to_frame()
    assert np.nanmax(np.abs(frame["st_j_uv"] - wanted["st_j_uv"])) < 5.0


def test_limb_and_chest_leads_have_their_own_gain(ecg: Ecg) -> None:
    half = replace(ecg, signal_uv=ecg.signal_uv * np.where(np.char.startswith(np.array(ecg.leads), "V"), 0.5, 1.0)[:, None])
    how = Print("12x1", text="25mm/sec Limb: 10 mm/mV Chest: 5 mm/mV")
    got = read(draw_raw(half, how, Raw(segments="chunks")))
    assert errors(got, printed(ecg, how), 500.0)[0] < 6.0
    assert "limb 10, chest 5 mm/mV" in got.source


# ---------------------------------------------------------------------------------------------------------------------
# What a user does with 3 x 4
# ---------------------------------------------------------------------------------------------------------------------


def test_leads_are_missing_outside_their_time(whole: Ecg, tmp_path: Path) -> None:
    draw_matplotlib(whole, tmp_path / "a.pdf", Print())
    got = read_pdf(tmp_path / "a.pdf")
    assert got.duration_s == 10.0
    for lead, first in [("I", 0), ("aVR", 1250), ("V2", 2500), ("V6", 3750)]:
        there = np.flatnonzero(np.isfinite(got[lead]))
        assert (there[0], there[-1]) == (first, first + 1249)
    assert np.isfinite(got["II"]).all()


def test_columns_of_a_print_out_can_be_measured(whole: Ecg, tmp_path: Path) -> None:
    draw_matplotlib(whole, tmp_path / "a.pdf", Print())
    got = read_pdf(tmp_path / "a.pdf")
    parts = columns(got)
    assert [part.leads for part in parts] == [
        ("I", "II", "III"), ("II", "aVR", "aVL", "aVF"), ("II", "V1", "V2", "V3"), ("II", "V4", "V5", "V6"),
    ]  # fmt: skip
    measured = es.analyze(parts[2]).measurements.to_frame().set_index("lead")
    wanted = es.analyze(whole).measurements.to_frame().set_index("lead")
    assert abs(measured.loc["V2", "st_j_uv"] - wanted.loc["V2", "st_j_uv"]) < 40
    assert "5 to 7.5 s" in parts[2].source
    assert len(columns(whole)) == 1


def test_a_lost_piece_is_missing_not_bridged(whole: Ecg) -> None:
    data = draw_raw(whole, Print("12x1"), Raw(compress=False, segments="chunks", form=False, rotate=0))
    lines = data.split(b"\n")
    paths = [at for at, line in enumerate(lines) if line.endswith(b" S") and line.count(b" l") == 99]
    # the 21st and 22nd piece of lead I: samples 2000 to 2199
    for at in paths[20:22]:
        lines[at] = b" " * len(lines[at])
    got = read(b"\n".join(lines))
    missing = np.flatnonzero(np.isnan(got["I"]))
    assert missing[0] == 2000
    assert len(missing) in (200, 201)
    assert np.isfinite(got["V6"]).all()


def test_a_strip_of_another_time_is_left_out(whole: Ecg) -> None:
    later = es.simulate.ecg(fs=500, seed=21, rate_bpm=95).ecg
    data = draw_raw(whole, Print(), Raw(compress=False, segments="chunks", form=False, rotate=0))
    other = draw_raw(later, Print(), Raw(compress=False, segments="chunks", form=False, rotate=0))
    # the last row of the page, and the words behind it
    mixed = _with_last_row(data, other)
    got = read(mixed)
    assert "left out: strip of II, which is of another time" in got.source
    assert np.isnan(got["II"]).mean() == pytest.approx(0.75, abs=0.001)


def _with_last_row(data: bytes, other: bytes) -> bytes:
    def content(pdf: bytes) -> list[bytes]:
        return pdf.split(b"stream\n", 1)[1].split(b"\nendstream")[0].split(b"\n")

    lines, others = content(data), content(other)
    paths = [at for at, line in enumerate(lines) if line.endswith(b" S") and b" m " in line]
    last = len(paths) - 50  # 5000 vertices in pieces of 100
    for at in paths[last:]:
        lines[at] = others[at]
    return assemble(
        [
            ("/Type /Catalog /Pages 2 0 R", None),
            ("/Type /Pages /Kids [3 0 R] /Count 1", None),
            (
                "/Type /Page /Parent 2 0 R /MediaBox [0 0 842 596] /Contents 5 0 R /Resources << /Font << /H 4 0 R >> >>",
                None,
            ),
            ("/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding", None),
            ("", b"\n".join(lines)),
        ]
    )


# ---------------------------------------------------------------------------------------------------------------------
# Speed, gain, grid and pulse
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("25 mm/s 10 mm/mV", "25 mm/s, 10 mm/mV"),
        ("25mm/sec  10mm/mv", "25 mm/s, 10 mm/mV"),
        ("Speed: 50 mm/sec Gain 1 cm/mV", "50 mm/s, 10 mm/mV"),
        ("12,5 mm/s 5,0 mm/mV F 50~ 0.15-150 Hz", "12.5 mm/s, 5 mm/mV"),
        ("25 mm/s limb 10 chest 5", "25 mm/s, limb 10, chest 5 mm/mV"),
        ("Speed:25 mm/sec Limb:10 mm/mV Chest:10.0 mm/mV", "25 mm/s, 10 mm/mV"),
    ],
)
def test_words_of_speed_and_gain(text: str, said: str) -> None:
    assert str(paper_of([Line("Musterfrau 170 cm", 0, 0, 9), Line(text, 0, 50, 9)])) == said


def test_speed_and_gain_can_be_given_and_are_never_guessed(ecg: Ecg) -> None:
    data = draw_raw(ecg, Print(text="0.05-150 Hz"), Raw(segments="chunks"))
    with pytest.raises(es.EcgError, match="does not print the paper speed as text"):
        read(data)
    with pytest.raises(es.EcgError, match="does not print the gain as text"):
        read(data, speed_mm_s=25)
    assert errors(read(data, speed_mm_s=25, gain_mm_mv=10), printed(ecg, Print()), 500.0)[0] < 4.0
    with pytest.raises(es.EcgError, match="give mm of paper"):
        read(data, speed_mm_s=-25)


NO: dict[str, tuple[Print, Raw, str]] = {
    "pulse against gain": (Print(pulse_mm=5), Raw(), "pulse is 5 mm high on the grid, but 1 mV is 10 mm"),
    "several speeds": (Print(text="25 mm/s 50 mm/s 10 mm/mV"), Raw(), "several paper speeds (25, 50 mm/s)"),
    "several gains": (Print(text="25 mm/s 10 mm/mV 5 mm/mV"), Raw(), "several gains (5, 10 mm/mV)"),
    "no grid, no pulse": (Print(pulse=False), Raw(grid="none"), "neither a grid of lines nor a calibration pulse"),
    "no names": (Print(labels=False), Raw(), "no name of a lead"),
}


@pytest.mark.parametrize("name", NO)
def test_pages_that_contradict_themselves_are_refused(name: str, ecg: Ecg) -> None:
    how, raw, says = NO[name]
    with pytest.raises(es.EcgError) as caught:
        read(draw_raw(ecg, how, replace(raw, segments="chunks")))
    assert says in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_do_not_belong_to_their_rows_are_refused(ecg: Ecg) -> None:
    data = draw_raw(ecg, Print("12x1"), Raw(segments="chunks", compress=False))
    assert b"(III) Tj" in data
    swapped = data.replace(b"(III) Tj", b"(??) Tj").replace(b"(II) Tj", b"(III) Tj").replace(b"(??) Tj", b"(II) Tj")
    with pytest.raises(es.EcgError, match="do not add up to II"):
        read(swapped)


def test_find_pulse() -> None:
    rng = np.random.default_rng(2)
    x = np.arange(0, 50, 0.05)
    trace = np.stack([x + 8.0, np.cumsum(rng.normal(0, 0.05, len(x)))], axis=1)
    pulse = np.array([[0, 0], [1.5, 0], [1.5, 10], [6.5, 10], [6.5, 0], [8, 0]], dtype=float)
    assert find_pulse(trace) is None
    found = find_pulse(np.concatenate([pulse, trace]))
    assert found is not None
    assert (found.height, found.base, round(found.end, 2)) == (10.0, 0.0, 8.0)


# ---------------------------------------------------------------------------------------------------------------------
# Pages, pictures, persons
# ---------------------------------------------------------------------------------------------------------------------


def picture_page() -> bytes:
    return assemble(
        [
            ("/Type /Catalog /Pages 2 0 R", None),
            ("/Type /Pages /Kids [3 0 R] /Count 1", None),
            ("/Type /Page /Parent 2 0 R /MediaBox [0 0 842 595] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >>", None),
            ("", b"q 842 0 0 595 0 0 cm /I Do Q"),
            ("/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8", b"\0\1\2\3"),
        ]
    )


def test_a_scan_is_refused() -> None:
    with pytest.raises(es.EcgError, match="the page holds a picture, no curves"):
        read(picture_page())


def test_a_page_of_text_is_refused() -> None:
    with pytest.raises(es.EcgError, match="holds no curves"):
        read(picture_page().replace(b"/I Do", b"     "))


def test_the_first_page_with_curves_or_the_page_asked_for(ecg: Ecg, tmp_path: Path) -> None:
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    path = tmp_path / "pages.pdf"
    with PdfPages(path) as pages:
        letter = Figure()
        letter.text(0.1, 0.5, "Dear colleague, V1 to V3 ...")
        pages.savefig(letter)
        draw_matplotlib(ecg, pages, Print())
    assert "page 2" in read_pdf(path).source
    assert "page 2" in read_pdf(path, page=2).source
    with pytest.raises(es.EcgError, match="holds no curves"):
        read_pdf(path, page=1)
    with pytest.raises(es.EcgError, match="has no page 3"):
        read_pdf(path, page=3)
    with pytest.raises(es.EcgError, match="is no page"):
        read_pdf_file(File("x", data=path.read_bytes()), Asked(record="two"))


def test_nothing_of_a_person_is_kept(ecg: Ecg, tmp_path: Path) -> None:
    draw_matplotlib(ecg, tmp_path / "a.pdf", Print())
    for got in (read_pdf(tmp_path / "a.pdf"), read(draw_raw(ecg, Print(), Raw(segments="chunks")))):
        shown = f"{got!r} {vars(got)}".encode() + pickle.dumps(got)
        for secret in (b"Musterfrau", b"Erika", b"4711", b"1960"):
            assert secret not in shown
        assert (got.subject, got.recorded_at) == (Subject(), None)


def test_content_tells_a_pdf() -> None:
    assert is_pdf(b"junk\n%PDF-1.7")
    assert not is_pdf(b"%!PS-Adobe")
    with pytest.raises(es.EcgError, match="this is not a PDF"):
        read(b"hello")


# ---------------------------------------------------------------------------------------------------------------------
# Hostile files
# ---------------------------------------------------------------------------------------------------------------------


def page_with(content: bytes, *, head: str = "", more: list[tuple[str, bytes | None]] | None = None) -> bytes:
    return assemble(
        [
            ("/Type /Catalog /Pages 2 0 R", None),
            ("/Type /Pages /Kids [3 0 R] /Count 1", None),
            (
                "/Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /F 5 0 R /G 6 0 R >> >>",
                None,
            ),
            (head, content),
            *(more or []),
        ]
    )


def test_bombs_are_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pdf_settings("limits"), "paths", 20_000)
    bomb = zlib.compress(b"0 0 m 1 1 l S " * 8_000_000, 9)
    twice = zlib.compress(zlib.compress(b"\0" * 50_000_000, 9), 9)
    forms: list[tuple[str, bytes | None]] = [
        (
            f"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F {n + 1} 0 R /G {n + 1} 0 R >> >>",
            b"/F Do /G Do ",
        )
        for n in range(5, 40)
    ]
    loop: list[tuple[str, bytes | None]] = [
        ("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >>", b"/F Do")
    ]
    cases = {
        "deflated": page_with(bomb, head="/Filter /FlateDecode"),
        "twice": page_with(twice, head="/Filter [/FlateDecode /FlateDecode]"),
        "run length": page_with(b"\x81A" * 400_000, head="/Filter /RunLengthDecode"),
        "forms in forms": page_with(b"/F Do", more=forms),
        "a form in itself": page_with(b"/F Do", more=loop),
        "many paths": page_with(b"0 0 m 1 1 l S\n" * 25_000),
    }
    for name, data in cases.items():
        start = time.perf_counter()
        # pdfminer before 2026 follows a form in itself until Python refuses
        with pytest.raises(es.EcgError, match=r"more than any|unpacks to more|no curves|maximum recursion depth"):
            read(data)
        assert time.perf_counter() - start < 10, name


@pytest.mark.parametrize("letters", LETTERS)
def test_what_is_packed_may_be_written_in_letters(letters: str, ecg: Ecg) -> None:
    """As reportlab writes every page."""
    how = Print("3x4")
    plain, spelt = (read(draw_raw(ecg, how, Raw(letters=name))) for name in ("", letters))
    np.testing.assert_array_equal(plain.signal_uv, spelt.signal_uv)


@pytest.mark.parametrize(
    ("content", "head", "said"),
    [
        (LETTERS["ASCII85Decode"](zlib.compress(bytes(60_000_000), 9)), "[/ASCII85Decode /FlateDecode]", "unpacks to more"),
        (b"z" * 8_388_609, "[/A85 /FlateDecode]", "unpacks to more"),
        (b"00" * 4_200_000, "[/AHx /FlateDecode]", "unpacks to more"),
        (b"\xff\xff", "[/ASCII85Decode /FlateDecode]", "a part of the PDF is damaged"),
        (b"0q", "[/ASCIIHexDecode /FlateDecode]", "a part of the PDF is damaged"),
        (LETTERS["ASCIIHexDecode"](b"no deflate"), "[/ASCIIHexDecode /FlateDecode]", "a part of the PDF is damaged"),
    ],
)
def test_letters_hide_no_bomb_and_no_damage(content: bytes, head: str, said: str) -> None:
    with pytest.raises(es.EcgError, match=said):
        read(page_with(content, head=f"/Filter {head}"))


def test_encrypted_files_are_refused() -> None:
    data = picture_page().replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt 9 0 R")
    with pytest.raises(es.EcgError, match=r"encrypted|cannot decode"):
        read(data)


def test_damaged_files_end_in_an_error_or_a_plausible_ecg(ecg: Ecg) -> None:
    short = replace(ecg, signal_uv=ecg.signal_uv[:, :1000])
    data = draw_raw(short, Print("3x4"), Raw(segments="chunks", compress=False, grid="none"))
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(25):
        copy = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            at = int(rng.integers(len(copy)))
            copy[at] = int(rng.integers(256)) if rng.random() < 0.5 else int(rng.integers(45, 58))
        start = time.perf_counter()
        try:
            got = read(bytes(copy[: int(rng.integers(len(copy)))] if rng.random() < 0.15 else copy))
        except es.EcgError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert np.nanmax(np.abs(got.signal_uv)) <= 600_000
        assert time.perf_counter() - start < 5
    assert refused


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.pdf"
    path.write_bytes(b"%PDF-1.4\n")
    with path.open("r+b") as file:
        file.truncate(2**33)  # sparse: takes no room
    with pytest.raises(es.EcgError, match="more than the"):
        read_pdf(path)


def test_without_pdfminer_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "pdfminer":
            raise ImportError("No module named 'pdfminer'")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(es.EcgError, match=r"pip install 'ecgspasm\[pdf\]'"):
        read(picture_page())
