"""What is drawn on a page of a PDF: its lines and its letters, in the page's own coordinates, through pdfminer.six.

Lines are cut to the clipping window that holds for them (its bounding box), form XObjects are followed, and the page is
turned so that its text runs from left to right. Nothing is fetched, no script is run, no picture is decoded.
"""

from __future__ import annotations

import io
import math
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecgspasm.ecg import Floats
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line
from ecgspasm.io.pdf.settings import pdf_settings

_BEZIER = np.linspace(0.0, 1.0, 9)[1:]
_BERNSTEIN = np.stack([(1 - _BEZIER) ** 3, 3 * _BEZIER * (1 - _BEZIER) ** 2, 3 * _BEZIER**2 * (1 - _BEZIER), _BEZIER**3], axis=1)

# PDF 32000-1, 7.2.2: white space, and the marks that end a word and are one themselves
_IS_MARK = np.isin(np.arange(256), list(b"()<>[]{}/%"))
_IS_BETWEEN = np.isin(np.arange(256), list(b"\0\t\n\f\r ")) | _IS_MARK

Box = tuple[float, float, float, float]
Style = tuple[str, float, str]
"""``"line"`` or ``"area"``, the width of the line, and its colour as text: what tells lines of one kind."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line as it was drawn, shape (vertex, 2), x and y in points."""

    points: Floats
    style: Style


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter with the start of its base line."""

    text: str
    x: float
    y: float
    width: float
    size: float


@dataclass(slots=True)
class Page:
    """All that was drawn on one page; y runs upwards."""

    number: int
    strokes: list[Stroke] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    n_pictures: int = 0


def pages_of(data: bytes, wanted: int | None) -> Iterator[Page]:
    """The pages of a PDF one after the other, or only page `wanted`, counted from 1.

    Raises
    ------
    EcgError
        If pdfminer.six is missing, or the file is encrypted, damaged, or made to fill memory or time.
    """
    try:
        import pdfminer  # noqa: F401
    except ImportError as error:
        raise EcgError("reading a PDF needs pdfminer.six: pip install 'ecgspasm[pdf]'") from error
    from ecgspasm.io.pdf.miner import open_pages, walk

    limits = pdf_settings("limits")
    found = False
    with _decoding():
        pages = open_pages(io.BytesIO(data))
    for number in range(1, limits["pages"] + 1):
        with _decoding():
            page = next(pages, None)
        if page is None:
            break
        if wanted is not None and number != wanted:
            continue
        found = True
        with _decoding():
            yield _upright(walk(page, number, time.monotonic() + limits["seconds"]))
    if not found:
        raise EcgError("the PDF has no pages" if wanted is None else f"the PDF has no page {wanted}; pages count from 1")


@contextmanager
def _decoding() -> Iterator[None]:
    """Turn what pdfminer raises into an `EcgError`."""
    try:
        yield
    except EcgError:
        raise
    # pdfminer raises whatever a damaged file provokes, from KeyError to RecursionError
    except Exception as error:
        kind = type(error).__name__
        raise EcgError(f"pdfminer cannot decode the PDF ({kind}: {one_line(error, 100)}); export it again") from error


@dataclass(slots=True)
class Canvas:
    """Collects what a page draws and bounds it."""

    page: Page
    deadline: float
    turns: dict[tuple[int, int], float] = field(default_factory=dict)
    raw_letters: list[tuple[str, float, float, float, float, float, float]] = field(default_factory=list)
    n_paths: int = 0
    n_vertices: int = 0
    n_figures: int = 0
    n_words: int = 0

    def check(self) -> None:
        """Refuse a page that has no end."""
        limits = pdf_settings("limits")
        full = (
            self.n_paths > limits["paths"]
            or self.n_vertices > limits["vertices"]
            or len(self.raw_letters) > limits["letters"]
            or self.n_figures > limits["figures"]
            or self.n_words > limits["words"]
        )
        if full or time.monotonic() > self.deadline:
            raise EcgError(f"page {self.page.number} draws more than any ECG; print the ECG alone to a PDF")

    def add_content(self, parts: Iterable[bytes]) -> None:
        """Count the words of what is to be drawn, before it is taken apart word by word, which is slow."""
        for part in parts:
            letters = np.frombuffer(part, np.uint8)
            self.n_words += int(np.count_nonzero(_IS_BETWEEN[letters[1:]] & ~_IS_BETWEEN[letters[:-1]]))
            self.n_words += int(np.count_nonzero(_IS_MARK[letters]))
        self.check()

    def add_path(self, path: Sequence[Any], ctm: Sequence[float], clip: Box | None, style: Style, *, area: bool) -> None:
        """Add the sub-paths of one painted path."""
        self.n_paths += 1
        self.n_vertices += len(path)
        if self.n_paths % 256 == 0 or len(path) > 4096:
            self.check()
        for points in _sub_paths(path, ctm):
            if area:
                line = _middle_of_bar(points)
                if line is not None:
                    self.page.strokes.append(Stroke(line, style))
                continue
            for piece in [points] if clip is None or _inside(points, clip) else _clipped(points, clip):
                if len(piece) > 1:
                    self.page.strokes.append(Stroke(piece, style))

    def add_letter(self, text: str, matrix: Sequence[float], advance: float, size: float) -> None:
        """Add one letter; the matrix takes its own coordinates to those of the page."""
        a, b, c, d, e, f = matrix
        length = math.hypot(a, b)
        if length == 0 or not all(map(math.isfinite, matrix)):
            return
        self.raw_letters.append((text, e, f, a / length, b / length, advance * length, size * math.hypot(c, d)))
        if len(self.raw_letters) % 256 == 0:
            self.check()


def _sub_paths(path: Sequence[Any], ctm: Sequence[float]) -> list[Floats]:
    """Points of each sub-path in the coordinates of the page; Bezier curves become eight lines each."""
    a, b, c, d, e, f = ctm
    found: list[list[tuple[float, float]]] = []
    current: list[tuple[float, float]] = []
    for operation in path:
        kind, values = operation[0], operation[1:]
        if kind == "m":
            current = [(float(values[0]), float(values[1]))]
            found.append(current)
        elif not current:
            continue
        elif kind == "l":
            current.append((float(values[0]), float(values[1])))
        elif kind == "h":
            current.append(current[0])
        elif kind in ("c", "v", "y"):
            numbers = [float(value) for value in values]
            if kind == "v":
                numbers = [*current[-1], *numbers]
            elif kind == "y":
                numbers = [*numbers, *numbers[-2:]]
            control = np.array([*current[-1], *numbers]).reshape(4, 2)
            current += [(float(x), float(y)) for x, y in _BERNSTEIN @ control]
    linear, shift = np.array([[a, b], [c, d]], dtype=float), np.array([e, f], dtype=float)
    made = [np.array(points) @ linear + shift for points in found if len(points) > 1]
    return [points for points in made if np.isfinite(points).all()]


def _middle_of_bar(points: Floats) -> Floats | None:
    """A thin filled rectangle as the line along its middle; None for any other area."""
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = high - low
    if len(points) > 6 or max(width, height) < 4 * min(width, height) or min(width, height) > 1.5:
        return None
    middle = (low + high) / 2
    if width > height:
        return np.array([[low[0], middle[1]], [high[0], middle[1]]])
    return np.array([[middle[0], low[1]], [middle[0], high[1]]])


def _inside(points: Floats, clip: Box) -> bool:
    low, high = points.min(axis=0), points.max(axis=0)
    return bool(low[0] >= clip[0] and low[1] >= clip[1] and high[0] <= clip[2] and high[1] <= clip[3])


def _clipped(points: Floats, clip: Box) -> list[Floats]:
    """Those parts of a line that lie within the window (Liang and Barsky's method)."""
    low, high = np.array(clip[:2]), np.array(clip[2:])
    start, step = points[:-1], np.diff(points, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - start) / step, (high - start) / step
    within = (start >= low) & (start <= high)
    still = step == 0
    enter = np.where(still, np.where(within, 0.0, 2.0), np.fmin(first, second)).max(axis=1).clip(min=0.0)
    leave = np.where(still, np.where(within, 1.0, -1.0), np.fmax(first, second)).min(axis=1).clip(max=1.0)
    pieces: list[list[Floats]] = []
    open_end = False
    for at in np.flatnonzero(enter <= leave):
        begin, end = start[at] + enter[at] * step[at], start[at] + leave[at] * step[at]
        if open_end and enter[at] == 0.0 and at > 0 and np.array_equal(pieces[-1][-1], begin):
            pieces[-1].append(end)
        else:
            pieces.append([begin, end])
        open_end = bool(leave[at] == 1.0)
    return [np.array(piece) for piece in pieces]


def _upright(canvas: Canvas) -> Page:
    """The page turned by quarters so that most of its text runs from left to right."""
    page = canvas.page
    lengths: dict[tuple[int, int], float] = {}
    for _, _, _, a, b, advance, _ in canvas.raw_letters:
        direction = (round(a), round(b))
        lengths[direction] = lengths.get(direction, 0.0) + abs(advance)
    a, b = max(lengths, key=lambda key: lengths[key]) if lengths else (1, 0)
    if abs(a) + abs(b) != 1:
        a, b = 1, 0
    turn = np.array([[a, -b], [b, a]], dtype=float)
    if (a, b) != (1, 0):
        page.strokes = [Stroke(stroke.points @ turn, stroke.style) for stroke in page.strokes]
    for text, x, y, along, up, advance, size in canvas.raw_letters:
        # letters that run another way are marks of the paper, not labels
        if (round(along), round(up)) == (a, b):
            at = np.array([x, y]) @ turn
            page.letters.append(Letter(text, float(at[0]), float(at[1]), abs(advance), size))
    return page


def bounded_length(data: bytes, most: int) -> int:
    """Length of deflated `data` once unpacked, counted without keeping it, at most ``most + 1``."""
    unpacker = zlib.decompressobj()
    total, rest = 0, data
    while rest and not unpacker.eof:
        total += len(unpacker.decompress(rest, 2**20))
        if total > most:
            return most + 1
        rest = unpacker.unconsumed_tail
    return total
