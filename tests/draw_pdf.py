"""Print-outs of ECGs drawn for the tests: with matplotlib, and by hand as raw operators of PDF as another producer would."""

from __future__ import annotations

import base64
import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgspasm.ecg import Ecg, Floats
from ecgspasm.leads import STANDARD

COLUMNS: dict[str, list[list[str]]] = {
    "3x4": [["I", "aVR", "V1", "V4"], ["II", "aVL", "V2", "V5"], ["III", "aVF", "V3", "V6"], ["II"]],
    "6x2": [[limb, chest] for limb, chest in zip(STANDARD[:6], STANDARD[6:], strict=True)],
    "6x2 Cabrera": [[a, b] for a, b in zip(["aVL", "I", "-aVR", "II", "aVF", "III"], STANDARD[6:], strict=True)],
    "12x1": [[lead] for lead in STANDARD],
}
NAME = "Musterfrau, Erika  PID-4711  *03.04.1960"
MM = 72.0 / 25.4


@dataclass(frozen=True)
class Print:
    """How an ECG is printed."""

    layout: str = "3x4"
    speed: float = 25.0
    gain: float = 10.0
    text: str | None = None
    """What is printed of speed and gain; None for the usual words."""
    pulse: bool = True
    pulse_mm: float | None = None
    grid: str = "both"
    """``both``, ``fine``, ``strong`` or ``none``."""
    labels: bool = True
    shrink: float = 1.0
    gap_mm: float = 0.0
    """Between columns that are consecutive in time."""
    masked_mm: float = 0.0
    """End of each column that is not drawn, though time goes on."""

    @property
    def words(self) -> str:
        return f"{self.speed:g} mm/s   {self.gain:g} mm/mV   0.05-150 Hz" if self.text is None else self.text


def piece(ecg: Ecg, lead: str, start: int, stop: int) -> Floats:
    """Signal of one lead of a print-out in mV."""
    sign = -1.0 if lead.startswith("-") else 1.0
    return np.asarray(sign * ecg[lead.removeprefix("-")][start:stop] / 1000.0)


def spans(ecg: Ecg, how: Print, width_mm: float = 262.0) -> list[list[tuple[str, int, int]]]:
    """Rows of (lead, first sample, sample behind the last): what of the ECG stands where."""
    n = min(ecg.signal_uv.shape[1], int(width_mm / how.speed * ecg.fs) // 4 * 4)
    n = int(min(n, 10 * ecg.fs))
    rows = []
    for leads in COLUMNS[how.layout]:
        edges = np.linspace(0, n, len(leads) + 1).astype(int)
        rows.append([(lead, int(a), int(b)) for lead, a, b in zip(leads, edges[:-1], edges[1:], strict=True)])
    return rows


def printed(ecg: Ecg, how: Print) -> dict[str, Floats]:
    """The truth: uV of each lead, nan where it is not printed, shape (sample,)."""
    rows = spans(ecg, how)
    n = rows[0][-1][2]
    truth = {}
    for row in rows:
        for lead, a, b in row:
            name = lead.removeprefix("-")
            out = truth.setdefault(name, np.full(n, np.nan))
            out[a:b] = ecg[name][a:b]
    return truth


def heights(how: Print) -> list[float]:
    """Base lines of the rows in mm from the bottom of the page."""
    rows = len(COLUMNS[how.layout])
    return [float(y) for y in np.linspace(168, 24, rows)]


def pulse_line(how: Print) -> Floats:
    """Vertices of the calibration pulse in mm, from its foot."""
    top = how.gain if how.pulse_mm is None else how.pulse_mm
    return np.array([[0, 0], [1.5, 0], [1.5, top], [6.5, top], [6.5, 0], [8, 0]], dtype=float)


def draw_matplotlib(ecg: Ecg, path: Any, how: Print, *, simplify: bool = False, color: str = "black") -> None:
    """A4 landscape, drawn in true mm with matplotlib, to a path or to open ``PdfPages``."""
    import matplotlib
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"path.simplify": simplify, "pdf.compression": 6}):
        figure = Figure(figsize=(297 / 25.4 * how.shrink, 210 / 25.4 * how.shrink))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 297), ylim=(0, 210))
        axes.axis("off")
        for mm, width in [(1, 0.2), (5, 0.5)]:
            if how.grid in ("both", "fine" if mm == 1 else "strong"):
                lines: Any = [[(x, 5), (x, 185)] for x in range(5, 291, mm)] + [[(5, y), (290, y)] for y in range(5, 186, mm)]
                axes.add_collection(LineCollection(lines, colors="#f4a0a0", linewidths=width))
        axes.text(8, 200, NAME, fontsize=9)
        axes.text(8, 194, "anterior infarct, ST elevation in V1 V2 V3, see also lead II", fontsize=7)
        axes.text(200, 8, how.words, fontsize=7)
        left = 24.0
        for row, base in zip(spans(ecg, how), heights(how), strict=True):
            if how.pulse:
                line = pulse_line(how) + np.array([left - 8.0, base])
                axes.plot(line[:, 0], line[:, 1], color=color, linewidth=0.6)
            for column, (lead, a, b) in enumerate(row):
                b -= round(how.masked_mm / how.speed * ecg.fs) if len(row) > 1 else 0
                x = left + column * how.gap_mm + np.arange(a, b) / ecg.fs * how.speed
                axes.plot(x, base + how.gain * piece(ecg, lead, a, b), color=color, linewidth=0.6)
                if how.labels:
                    axes.text(x[0] + 1.0, base + 7.0, lead, fontsize=8)
        path.savefig(figure) if hasattr(path, "savefig") else FigureCanvasPdf(figure).print_pdf(path)


# ---------------------------------------------------------------------------------------------------------------------
# By hand
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raw:
    """What another producer does in another way."""

    segments: str = "pairs"
    """``pairs``: each step is a line of its own; ``chunks``: 100 vertices a path; ``row``: one path a row; ``bezier``."""
    rotate: int = 90
    form: bool = True
    compress: bool = True
    letters: str = ""
    """A name in `LETTERS`, if what is packed is written in them."""
    grid: str = "bars"
    """``bars``: thin filled rectangles; ``squares``: stroked squares of 5 mm over fine lines; ``none``."""
    window: bool = False
    """Each lead is drawn whole, four times, and clipped to its own column."""
    picture: bool = False
    decimals: int = 3


def draw_raw(ecg: Ecg, how: Print, raw: Raw) -> bytes:
    """A PDF in raw operators, whose page is drawn in quarters of a mm with y running downwards, sideways on A4 portrait."""
    body = "\n".join([*_grid(how, raw), *_curves(ecg, how, raw), *_texts(ecg, how)])
    # 4 units a mm, y downwards, as screen programs draw
    unit = MM / 4 * how.shrink
    body = f"q {unit:.6f} 0 0 {-unit:.6f} 0 {210 * MM * how.shrink:.4f} cm\n{body}\nQ"
    width, height = 297 * MM * how.shrink, 210 * MM * how.shrink
    turn = {
        0: "",
        90: f"0 1 -1 0 {height:.4f} 0 cm",
        270: f"0 -1 1 0 0 {width:.4f} cm",
        180: f"-1 0 0 -1 {width:.4f} {height:.4f} cm",
    }
    page = f"q {turn[raw.rotate]}\n{'/F Do' if raw.form else body}\nQ"
    box = (height, width) if raw.rotate in (90, 270) else (width, height)
    resources = "/Font << /H 4 0 R >>" + (" /XObject << /F 6 0 R >>" if raw.form else "")
    objects: list[tuple[str, bytes | None]] = [
        ("/Type /Catalog /Pages 2 0 R", None),
        ("/Type /Pages /Kids [3 0 R] /Count 1", None),
        (
            f"/Type /Page /Parent 2 0 R /MediaBox [0 0 {box[0]:.4f} {box[1]:.4f}] /Rotate {raw.rotate} /Contents 5 0 R "
            f"/Resources << {resources} >>",
            None,
        ),
        ("/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding", None),
        ("", page.encode("latin-1")),
    ]
    if raw.form:
        head = f"/Type /XObject /Subtype /Form /BBox [0 0 {width:.4f} {height:.4f}] /Resources << /Font << /H 4 0 R >> >>"
        objects.append((head, body.encode("latin-1")))
    return assemble(objects, compress=raw.compress, letters=raw.letters)


LETTERS: dict[str, Callable[[bytes], bytes]] = {
    "ASCII85Decode": lambda data: base64.a85encode(data) + b"~>",
    "A85": lambda data: base64.a85encode(data, wrapcol=72) + b"~>",
    "ASCIIHexDecode": lambda data: data.hex().encode() + b">",
}
"""Ways to write bytes in letters, by the name of the filter that undoes it."""


def assemble(objects: list[tuple[str, bytes | None]], *, compress: bool = False, trailer: str = "", letters: str = "") -> bytes:
    """A PDF of these objects, numbered from 1, the first of which is the catalogue."""
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, (head, stream) in enumerate(objects, 1):
        offsets.append(len(out))
        if stream is None:
            out += f"{number} 0 obj << {head} >> endobj\n".encode("latin-1")
            continue
        data, filtered = (zlib.compress(stream), "/Filter /FlateDecode") if compress else (stream, "")
        if letters:
            data, filtered = LETTERS[letters](data), f"/Filter [/{letters} /FlateDecode]"
        out += (
            f"{number} 0 obj << {head} /Length {len(data)} {filtered} >> stream\n".encode("latin-1")
            + data
            + b"\nendstream endobj\n"
        )
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _grid(how: Print, raw: Raw) -> list[str]:
    if raw.grid == "none":
        return []
    out = ["0.98 0.75 0.75 rg 0.98 0.75 0.75 RG"]
    for mm, thick in [(1, 0.4), (5, 1.0)]:
        if raw.grid == "squares" and mm == 5:
            out += ["1.0 w", *(f"{4 * x} {4 * y} 20 20 re S" for x in range(5, 285, 5) for y in range(25, 205, 5))]
            continue
        out += [f"{4 * x - thick / 2} 100 {thick} 720 re f" for x in range(5, 291, mm)]
        out += [f"20 {4 * y - thick / 2} 1140 {thick} re f" for y in range(25, 206, mm)]
    return out


def _curves(ecg: Ecg, how: Print, raw: Raw) -> list[str]:
    out = ["0.1 0.1 0.4 RG 1 w 1 J 1 j"]
    left = 24.0
    digits = raw.decimals
    for row, base in zip(spans(ecg, how), heights(how), strict=True):
        drawn: list[Floats] = []
        whole = row[-1][2]
        for lead, a, b in row:
            first, last = (0, whole) if raw.window else (a, b)
            x = left + np.arange(first, last) / ecg.fs * how.speed
            points = np.stack([x, 210 - base - how.gain * piece(ecg, lead, first, last)], axis=1) * 4
            if raw.window:
                x0, x1 = 4 * (left + (a - 0.5) / ecg.fs * how.speed), 4 * (left + (b - 0.5) / ecg.fs * how.speed)
                out += ["q", f"{x0:.4f} 0 {x1 - x0:.4f} 840 re W n", *_path(points, raw, digits), "Q"]
            drawn.append(points)
        if how.pulse:
            line = pulse_line(how)
            foot = np.stack([left - 8.0 + line[:, 0], 210 - base - line[:, 1]], axis=1) * 4
            if raw.segments == "row":
                drawn[0] = np.concatenate([foot, drawn[0]])
            else:
                out += _path(foot, raw, digits)
        if raw.segments == "row":
            out += _path(np.concatenate(drawn), raw, digits)
        elif not raw.window:
            for points in drawn:
                out += _path(points, raw, digits)
    return out


def _path(points: Floats, raw: Raw, digits: int) -> list[str]:
    text = [f"{x:.{digits}f} {y:.{digits}f}" for x, y in points]
    if raw.segments == "pairs":
        return [f"{a} m {b} l S" for a, b in itertools.pairwise(text)]
    if raw.segments == "bezier" and len(points) > 10:
        third = [(2 * points[:-1] + points[1:]) / 3, (points[:-1] + 2 * points[1:]) / 3]
        curves = [f"{a[0]:.4f} {a[1]:.4f} {b[0]:.4f} {b[1]:.4f} {end} c" for a, b, end in zip(*third, text[1:], strict=True)]
        return [f"{text[0]} m", *curves, "S"]
    if raw.segments == "chunks" and len(points) > 10:
        # the next piece begins with the next sample, not with the last one of this piece
        return [
            f"{part[0]} m {' '.join(f'{each} l' for each in part[1:])} S"
            for part in (text[i : i + 100] for i in range(0, len(text), 100))
        ]
    return [f"{text[0]} m", *(f"{each} l" for each in text[1:]), "S"]


def _texts(ecg: Ecg, how: Print) -> list[str]:
    left = 24.0
    texts = [(8.0, 202.0, NAME, 12), (150.0, 202.0, "Consider V4 and aVF.", 10), (30.0, 8.0, how.words, 9)]
    for row, base in zip(spans(ecg, how), heights(how), strict=True):
        # below the line, as some devices have it
        texts += [(left + a / ecg.fs * how.speed + 2.0, base - 7.5, lead, 11) for lead, a, _ in row if how.labels]
    return [
        f"BT 0 g /H {size} Tf 1 0 0 -1 {4 * x:.3f} {4 * (210 - y):.3f} Tm ({text.replace('(', '').replace(')', '')}) Tj ET"
        for x, y, text, size in texts
    ]
