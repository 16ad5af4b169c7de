"""The part that touches pdfminer.six: its parser with bounded streams, its interpreter with clipping, and our device."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from pdfminer.ascii85 import ascii85decode, asciihexdecode
from pdfminer.pdfdevice import PDFTextDevice
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdffont import PDFUnicodeNotDefined
from pdfminer.pdfinterp import PDFPageInterpreter
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import LITERALS_FLATE_DECODE, PDFStream, list_value, stream_value

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line
from ecgspasm.io.pdf.fonts import Fonts
from ecgspasm.io.pdf.page import Box, Canvas, Page, bounded_length
from ecgspasm.io.pdf.settings import pdf_settings

_SAFE_FILTERS = {"ASCII85Decode", "A85", "ASCIIHexDecode", "AHx", "DCTDecode", "DCT", "JPXDecode", "JBIG2Decode"}
# A stream packed otherwise than by Flate is unpacked by pdfminer in Python and may grow a thousandfold.
_MOST_PACKED_BYTES = 262_144
_LETTERS = {"ASCII85Decode": ascii85decode, "A85": ascii85decode, "ASCIIHexDecode": asciihexdecode, "AHx": asciihexdecode}
_MOST_LETTERS = 8_388_608
"""Of bytes written in letters, which take 0.1 s a megabyte to read."""
_MOST_SAVED = 256
"""Graphics states within each other; PDF 32000-1, annex C, promises 28."""


class _BoundedStream(PDFStream):
    """A stream that refuses to be unpacked to more than any page of an ECG needs."""

    def decode(self) -> None:
        """Count before unpacking."""
        self._spell_out()
        data = self.rawdata or b""
        most = pdf_settings("limits")["stream_bytes"]
        packed = 0
        for name, _ in self.get_filters():
            if name in LITERALS_FLATE_DECODE:
                packed += 1
                try:
                    too_long = packed == 1 and bounded_length(data, most) > most
                except zlib.error as error:
                    # pdfminer would take what can be had of it, and what is lost would be a part of a curve
                    raise EcgError(f"a part of the PDF is damaged ({one_line(error, 60)}); fetch it again") from error
            elif getattr(name, "name", "") in _SAFE_FILTERS:
                too_long = len(data) > most
            else:
                packed += 1
                too_long = len(data) > _MOST_PACKED_BYTES
            # what is packed twice grows a million times
            if too_long or packed > 1:
                raise EcgError("a part of the PDF unpacks to more than any ECG; print the ECG alone to a PDF")
        super().decode()

    def _spell_out(self) -> None:
        """Make bytes of the letters in which some programs write what they have packed, so that it can be counted."""
        filters = self.get_filters()
        while len(filters) > 1 and (spelt := _LETTERS.get(getattr(filters[0][0], "name", ""))) is not None:
            data = self.rawdata or b""
            if len(data) > _MOST_LETTERS:
                raise EcgError("a part of the PDF unpacks to more than any ECG; print the ECG alone to a PDF")
            try:
                self.rawdata = spelt(data)
            except ValueError as error:
                raise EcgError(f"a part of the PDF is damaged ({one_line(error, 60)}); fetch it again") from error
            filters = filters[1:]
            for name in ("F", "Filter", "DP", "DecodeParms", "FDecodeParms"):
                self.attrs.pop(name, None)
            self.attrs |= {"Filter": [each for each, _ in filters], "DecodeParms": [each for _, each in filters]}


class _Parser(PDFParser):
    """Hands out bounded streams only."""

    def push(self, *objects: Any) -> None:
        """Replace each stream."""
        for _, made in objects:
            if type(made) is PDFStream:
                made.__class__ = _BoundedStream
        super().push(*objects)


class _Device(PDFTextDevice):
    """Passes what is painted to the canvas."""

    def __init__(self, manager: Any, canvas: Canvas) -> None:
        super().__init__(manager)
        self.canvas = canvas
        self.clip: Box | None = None

    def begin_figure(self, name: str, bbox: Any, matrix: Any) -> None:
        """Count form XObjects: one that is drawn by another, which is drawn ten times, has no end."""
        self.canvas.n_figures += 1
        self.canvas.check()

    def end_figure(self, name: str) -> None:
        """Nothing to close."""

    def begin_page(self, page: Any, ctm: Any) -> None:
        """Nothing to open."""

    def end_page(self, page: Any) -> None:
        """Nothing to close."""

    def begin_tag(self, tag: Any, props: Any = None) -> None:
        """Tags mean nothing here."""

    def end_tag(self) -> None:
        """Tags mean nothing here."""

    def do_tag(self, tag: Any, props: Any = None) -> None:
        """Tags mean nothing here."""

    def render_image(self, name: str, stream: Any) -> None:
        """Count pictures; they are never decoded."""
        self.canvas.page.n_pictures += 1
        self.canvas.check()

    def paint_path(self, gstate: Any, stroke: bool, fill: bool, evenodd: bool, path: Sequence[Any]) -> None:
        """Keep lines, and areas that are thin enough to be one."""
        color = gstate.scolor if stroke else gstate.ncolor
        style = ("line" if stroke else "area", round(float(gstate.linewidth), 3), str(color)[:80])
        self.canvas.add_path(path, self.ctm or (1, 0, 0, 1, 0, 0), self.clip, style, area=not stroke)

    def render_char(
        self, matrix: Any, font: Any, fontsize: float, scaling: float, rise: float, cid: int, ncs: Any, graphicstate: Any
    ) -> float:
        """Keep the letter with its place."""
        try:
            text = str(font.to_unichr(cid))
        except PDFUnicodeNotDefined:
            text = "\ufffd"
        advance = float(font.char_width(cid) * fontsize * scaling)
        self.canvas.add_letter(text, matrix, advance, fontsize)
        return advance


def _numbers(*given: Any) -> tuple[Any, ...]:
    """The operands of a drawing operator; pdfminer would leave the operator out, and with it a part of a curve."""
    if not all(isinstance(each, int | float) for each in given):
        raise EcgError("the page holds an operator that is damaged; fetch the PDF again")
    return given


class _Interpreter(PDFPageInterpreter):
    """Keeps the clipping window, which pdfminer leaves out."""

    def __init__(self, manager: Any, device: Any) -> None:
        super().__init__(manager, device)
        self.canvas_device: _Device = device
        self.windows: list[Box | None] = []
        self.pending: Box | None = None

    def do_m(self, x: Any, y: Any) -> None:
        """Begin a line."""
        super().do_m(*_numbers(x, y))

    def do_l(self, x: Any, y: Any) -> None:
        """Go on with a line."""
        super().do_l(*_numbers(x, y))

    def do_c(self, x1: Any, y1: Any, x2: Any, y2: Any, x3: Any, y3: Any) -> None:
        """Go on with a curve."""
        super().do_c(*_numbers(x1, y1, x2, y2, x3, y3))

    def do_cm(self, a1: Any, b1: Any, c1: Any, d1: Any, e1: Any, f1: Any) -> None:
        """Change the coordinates."""
        super().do_cm(*_numbers(a1, b1, c1, d1, e1, f1))

    def do_q(self) -> None:
        """Save."""
        if len(self.windows) >= _MOST_SAVED:
            raise EcgError("the page saves its state deeper than any ECG; print the ECG alone to a PDF")
        self.windows.append(self.canvas_device.clip)
        super().do_q()

    def do_Q(self) -> None:  # noqa: N802  (the name of the operator)
        """Restore."""
        if self.windows:
            self.canvas_device.clip = self.windows.pop()
        super().do_Q()

    def do_W(self) -> None:  # noqa: N802
        """The path that is being made becomes the window after it is painted."""
        a, b, c, d, e, f = self.ctm
        points = [pair for part in self.curpath for pair in zip(part[1::2], part[2::2], strict=False)]
        if points:
            xs = [a * x + c * y + e for x, y in points]
            ys = [b * x + d * y + f for x, y in points]
            self.pending = (min(xs), min(ys), max(xs), max(ys))

    def do_W_a(self) -> None:  # noqa: N802
        """By the even-odd rule; the bounding box is the same."""
        self.do_W()

    def _narrow(self) -> None:
        if self.pending is not None:
            old = self.canvas_device.clip
            new = self.pending
            if old is not None:
                new = (max(old[0], new[0]), max(old[1], new[1]), min(old[2], new[2]), min(old[3], new[3]))
            self.canvas_device.clip, self.pending = new, None

    def do_n(self) -> None:
        """End the path without painting."""
        super().do_n()
        self._narrow()

    def do_S(self) -> None:  # noqa: N802
        """Stroke."""
        super().do_S()
        self._narrow()

    def do_f(self) -> None:
        """Fill."""
        super().do_f()
        self._narrow()

    def do_F(self) -> None:  # noqa: N802
        """Fill; pdfminer leaves out this older name of the operator."""
        self.do_f()

    def do_f_a(self) -> None:
        """Fill by the even-odd rule."""
        super().do_f_a()
        self._narrow()

    def do_B(self) -> None:  # noqa: N802
        """Fill and stroke."""
        super().do_B()
        self._narrow()

    def do_B_a(self) -> None:  # noqa: N802
        """Fill by the even-odd rule, and stroke."""
        super().do_B_a()
        self._narrow()

    def render_contents(self, resources: Any, streams: Any, ctm: Any = (1, 0, 0, 1, 0, 0)) -> None:
        """What a form XObject clips holds for itself only."""
        before = self.canvas_device.clip
        self.canvas_device.canvas.add_content(stream_value(each).get_data() for each in list_value(streams))
        super().render_contents(resources, streams, ctm=ctm)
        self.canvas_device.clip = before


def open_pages(stream: BinaryIO) -> Iterator[Any]:
    """The pages of a PDF, each laid out by pdfminer when it is asked for."""
    document = PDFDocument(_Parser(stream), password="", caching=True)
    if document.encryption is not None or any("Encrypt" in xref.get_trailer() for xref in document.xrefs):
        raise EcgError("the PDF is encrypted; save it without a password first")
    return iter(PDFPage.create_pages(document))


def walk(page: Any, number: int, deadline: float) -> Canvas:
    """Draw one page onto a canvas."""
    canvas = Canvas(Page(number), deadline)
    manager = Fonts()
    _Interpreter(manager, _Device(manager, canvas)).process_page(page)
    canvas.check()
    return canvas
