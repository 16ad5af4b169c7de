"""Vector PDFs of 12-lead print-outs: the curves as they were drawn, calibrated by the grid and the pulse of the page.

A page is measured, never guessed: speed and gain come from its text or from the caller, the millimetre from its grid or its
calibration pulse, and where two of these contradict each other the page is refused with both figures. Leads that were
printed for a part of the time only (3 x 4: 2.5 s each) are missing outside of it, on one axis of time.

Only curves and the names of leads are taken from the page; its other words (names, numbers, dates) are not kept.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Ecg, Floats, Subject
from ecgspasm.errors import EcgError
from ecgspasm.io.channels import MAX_SAMPLES, to_ecg
from ecgspasm.io.file import Asked, File
from ecgspasm.io.paths import blame, local_path
from ecgspasm.io.pdf.curves import Curve, Pulse, curves_of, rest_of_pulse
from ecgspasm.io.pdf.grid import POINTS_PER_MM, Scale, grid_scale
from ecgspasm.io.pdf.layout import Part, name_rows, parts_of, rows_of, zeros_of
from ecgspasm.io.pdf.page import Page, pages_of
from ecgspasm.io.pdf.settings import pdf_settings
from ecgspasm.io.pdf.text import Paper, labels_of, lines_of, paper_of

_LEAST_CURVES = 3
_SHORTEST_COLUMN_S = 0.5


def is_pdf(start: bytes) -> bool:
    """Whether the first bytes of a file are those of a PDF.

    Examples
    --------
    >>> is_pdf(b"%PDF-1.4"), is_pdf(b"hello")
    (True, False)
    """
    # what mail programs and printers put before it is allowed by all readers (PDF 32000-1, H.3)
    return b"%PDF-" in start[:1024]


def read_pdf(
    path: str | os.PathLike[str],
    *,
    page: int | None = None,
    speed_mm_s: float | None = None,
    gain_mm_mv: float | None = None,
    rename: Mapping[str, str] | None = None,
) -> Ecg:
    """Read the 12-lead ECG that was printed to a PDF as curves.

    Parameters
    ----------
    path : path of the file
    page : int, optional
        Counted from 1; by default the first page that holds curves.
    speed_mm_s, gain_mm_mv : float, optional
        Paper speed in mm/s and gain in mm/mV, for a page that does not print them; they also decide where it prints several.
    rename : mapping of str to str, optional
        Lead names for labels that the page has in another way, such as ``{"C1": "V1"}``.

    Returns
    -------
    Ecg
        In uV at 500 Hz (1000 Hz where the vertices are closer than 1.5 ms), linear between the vertices; ``nan`` where a lead
        was not printed. 0 is the foot of the calibration pulse of the row, or the median of the lead where there is none:
        a print-out has no other zero.

    Raises
    ------
    EcgError
        If pdfminer.six is missing; if the page holds a picture and no curves, no names, no grid and no pulse, no speed or gain;
        if they contradict each other; or if the file is encrypted, damaged, or made to fill memory or time.
    """
    text = local_path(path)
    with blame(text):
        file, asked = File(text, path=text), Asked(rename=rename, record=page)
        return read_pdf_file(file, asked, speed_mm_s=speed_mm_s, gain_mm_mv=gain_mm_mv)


def read_pdf_file(file: File, asked: Asked, *, speed_mm_s: float | None = None, gain_mm_mv: float | None = None) -> Ecg:
    """Do as `read_pdf`, for a file on disk or in memory; ``asked.record`` is the number of the page."""
    asked.nothing("fs", "unit", what="a printed ECG")
    if asked.record is not None and (not isinstance(asked.record, int) or isinstance(asked.record, bool)):
        raise EcgError(f"record={asked.record!r} is no page; give the number of a page of the PDF, counted from 1")
    for name, value in (("speed_mm_s", speed_mm_s), ("gain_mm_mv", gain_mm_mv)):
        if value is not None and not (isinstance(value, int | float) and 1 <= value <= 200):
            raise EcgError(f"{name} is {value!r}; give mm of paper, such as 25 mm/s and 10 mm/mV")
    if not is_pdf(file.start()):
        raise EcgError("this is not a PDF")
    pictures = 0
    for page in pages_of(file.content(pdf_settings("limits")["file_bytes"]), asked.record):
        pictures += page.n_pictures
        drawn = _drawn(page)
        if drawn is not None:
            return _read_page(page, drawn, file.name, asked.rename, speed_mm_s, gain_mm_mv)
    if pictures:
        raise EcgError("the page holds a picture, no curves; export the ECG as a vector PDF, or give its data in another format")
    raise EcgError("the PDF holds no curves of an ECG; print the ECG itself to it")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Curves and pulses of a page in mm of its grid, or of a page that was not shrunk if it has none."""

    grid: Scale | None
    curves: list[Curve]
    pulses: list[Pulse]


def _drawn(page: Page) -> _Drawn | None:
    """What looks like an ECG on a page; None if nothing does, such as on a letter with a table."""
    try:
        grid, wrong = grid_scale(page.strokes), None
    except EcgError as error:
        grid, wrong = None, error
    scale = grid or Scale(POINTS_PER_MM, POINTS_PER_MM, "")
    curves, pulses = curves_of(page.strokes, scale.x, scale.y)
    if len(curves) < _LEAST_CURVES:
        return None
    if wrong is not None:
        raise wrong
    return _Drawn(grid, curves, pulses)


def _read_page(
    page: Page,
    drawn: _Drawn,
    name: str,
    rename: Mapping[str, str] | None,
    speed_mm_s: float | None,
    gain_mm_mv: float | None,
) -> Ecg:
    lines = lines_of(page.letters)
    paper = paper_of(lines, speed_mm_s=speed_mm_s, gain_mm_mv=gain_mm_mv)
    scale, curves, pulses = _calibrated(page, drawn, paper)
    labels = [replace(each, x=each.x / scale.x, y=each.y / scale.y) for each in labels_of(lines, rename)]
    if any(rest_of_pulse(curve.points, gain) for curve in curves for gain in (paper.limb_mm_mv, paper.chest_mm_mv)):
        raise EcgError("a calibration pulse is drawn in a way that is not understood; print the page without pulses")
    rows = rows_of(curves)
    named = name_rows(rows, labels)
    notes = [f"page {page.number}", str(paper), f"mm by {scale.known_by}"]
    if len(named) < len(rows):
        notes.append(f"left out: {len(rows) - len(named)} rows without a name")
    zeros = zeros_of(rows, pulses)
    parts = parts_of(named, [zeros.get(rows.index(row)) for row, _ in named], paper.speed_mm_s)
    return _to_ecg(parts, paper, notes, name)


def _calibrated(page: Page, drawn: _Drawn, paper: Paper) -> tuple[Scale, list[Curve], list[Pulse]]:
    """Curves and pulses in mm of the ECG paper, by the grid or else by the pulse, and each checked by the other."""
    grid, curves, pulses = drawn.grid, drawn.curves, drawn.pulses
    heights = _pulse_heights(curves, pulses)
    gains = {paper.limb_mm_mv, paper.chest_mm_mv}
    if grid is None:
        if not heights or len(gains) > 1:
            raise EcgError("the page has neither a grid of lines nor a calibration pulse, so nobody knows what 1 mm is on it")
        mm = float(np.median(heights)) * POINTS_PER_MM / paper.limb_mm_mv
        if max(heights) > 1.04 * min(heights):
            raise EcgError(f"the calibration pulses have {min(heights):.3g} to {max(heights):.3g} mm; print the page with a grid")
        scale = Scale(mm, mm, "pulse")
        return scale, *curves_of(page.strokes, mm, mm)
    share = pdf_settings("pulse")["tolerance_share"]
    for height in heights:
        if not any(abs(height - gain) <= share * gain for gain in gains):
            said = " or ".join(f"{gain:g}" for gain in sorted(gains))
            raise EcgError(
                f"the calibration pulse is {height:.3g} mm high on the grid, but 1 mV is {said} mm by the printed gain; one of "
                "the two is wrong"
            )
    known = "grid and pulse" if heights else "grid"
    return replace(grid, known_by=known), curves, pulses


def _pulse_heights(curves: Sequence[Curve], pulses: Sequence[Pulse]) -> list[float]:
    """Heights of the pulses in mm."""
    return [pulse.height for pulse in [*pulses, *(curve.pulse for curve in curves if curve.pulse is not None)]]


def _to_ecg(parts: Sequence[Part], paper: Paper, notes: Sequence[str], name: str) -> Ecg:
    strips = {part.lead: part for part in parts if part.strip}
    columns = {part.lead: part for part in parts if not part.strip}
    if len(strips) + len(columns) < len(parts):
        raise EcgError("a lead is named twice among the rows; print one ECG alone on a page")
    step = float(np.median(np.concatenate([np.diff(part.times_s) for part in parts])))
    fs = 1000.0 if step < 0.0015 else 500.0
    n = round(float(max(part.times_s[-1] for part in parts)) * fs) + 1
    if n * len(columns | strips) > MAX_SAMPLES:
        raise EcgError(f"the curves reach over {n / fs:.4g} s; that is no print-out of an ECG")
    notes = [*notes, f"drawn every {1000 * step:.3g} ms"]
    signals: dict[str, Floats] = {lead: _resampled(part, paper, fs, n) for lead, part in columns.items()}
    for lead, part in strips.items():
        whole = _resampled(part, paper, fs, n)
        if lead in signals and not _same(whole, signals[lead]):
            notes.append(f"left out: strip of {lead}, which is of another time")
            continue
        signals[lead] = whole
    _check_einthoven(signals)
    order = sorted(signals, key=lead_names.sort_key)
    return to_ecg(
        signal_uv=np.stack([signals[lead] for lead in order]),
        fs=fs,
        leads=order,
        subject=Subject(),
        recorded_at=None,
        source=name,
        notes=notes,
    )


def _check_einthoven(signals: Mapping[str, Floats]) -> None:
    """I + III = II holds at each moment in every ECG, so where it does not, a row got the name of another one."""
    if not {"I", "II", "III"} <= set(signals):
        return
    rest = signals["I"] + signals["III"] - signals["II"]
    rest = rest[np.isfinite(rest)]
    if not len(rest):
        return
    off = float(np.quantile(np.abs(rest - np.median(rest)), 0.9))
    if off > pdf_settings("layout")["einthoven_uv"]:
        raise EcgError(
            f"leads I and III do not add up to II (off by {off:.3g} uV), so names and rows of the page do not belong together"
        )


def _resampled(part: Part, paper: Paper, fs: float, n: int) -> Floats:
    """One lead in uV on the axis of time of all, shape (sample,)."""
    times = np.arange(n) / fs
    uv_per_mm = 1000.0 / paper.gain_of(part.lead)
    heights = np.interp(times, part.times_s, part.heights)
    outside = (times < part.times_s[0] - 0.35 / fs) | (times > part.times_s[-1] + 0.35 / fs)
    zero = float(np.nanmedian(heights[~outside])) if part.zero is None else part.zero
    uv: Floats = part.sign * (heights - zero) * uv_per_mm
    uv[outside] = np.nan
    return uv


def columns(ecg: Ecg) -> list[Ecg]:
    """Split a print-out into the stretches of time over which the same leads were printed.

    `analyze` does not measure a lead that lacks most of its samples, as all but the strip do in 3 x 4. Each column by itself is
    a short ECG with no gaps: three leads and the strip for 2.5 s. What is measured in columns is of different beats.

    Returns
    -------
    list of Ecg
        From left to right; each says in its `source` which seconds it is of. A print-out of one column is returned as it is.

    Raises
    ------
    EcgError
        If there is no stretch with a lead.
    """
    there = np.isfinite(ecg.signal_uv)
    changes = np.flatnonzero(np.any(there[:, 1:] != there[:, :-1], axis=0)) + 1
    edges = [0, *(int(at) for at in changes), there.shape[1]]
    found = []
    for start, stop in itertools.pairwise(edges):
        rows = np.flatnonzero(there[:, start])
        # at a border a few ms are of no lead, or of the strip alone
        if not len(rows) or (stop - start) / ecg.fs < _SHORTEST_COLUMN_S:
            continue
        names = tuple(ecg.leads[row] for row in rows)
        found.append(
            Ecg(
                signal_uv=ecg.signal_uv[rows, start:stop],
                fs=ecg.fs,
                leads=names,
                subject=ecg.subject,
                source=f"{ecg.source}; {start / ecg.fs:.3g} to {stop / ecg.fs:.3g} s",
                derived=tuple(name for name in names if name in ecg.derived),
            )
        )
    if not found:
        raise EcgError("no lead has a stretch of some length without gaps; there is nothing to split")
    return found


def _same(strip_uv: Floats, part_uv: Floats) -> bool:
    """Whether a rhythm strip shows what the column of the same lead shows at the same time."""
    both = np.isfinite(strip_uv) & np.isfinite(part_uv)
    if not both.any():
        return True
    difference = (strip_uv - part_uv)[both]
    off: float = np.median(np.abs(difference - np.median(difference)))
    return bool(off <= pdf_settings("layout")["same_uv"])
