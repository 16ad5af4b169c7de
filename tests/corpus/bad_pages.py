"""PDFs without an ECG or made to do harm, and files that hold other files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

from tests.corpus.sound_files import edf, pdf
from tests.draw_pdf import assemble

Content = bytes | Callable[[], bytes]

_PAGE = "/Type /Page /Parent 2 0 R /MediaBox [0 0 842 595] /Contents 4 0 R /Resources << >>"


def _pdf_of(content: bytes, *, filters: str = "", page: str = _PAGE) -> bytes:
    return assemble([
        ("/Type /Catalog /Pages 2 0 R", None),
        ("/Type /Pages /Kids [3 0 R] /Count 1", None),
        (page, None),
        (filters, content),
    ])  # fmt: skip


def _packed_twice() -> bytes:
    return zlib.compress(zlib.compress(bytes(200_000_000), 9), 9)


def _pdf_with_font(*, widths: str = "", letters: bytes = b"") -> bytes:
    """A page with words in a font of its own table of letters and widths."""
    system = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
    return assemble([
        ("/Type /Catalog /Pages 2 0 R", None),
        ("/Type /Pages /Kids [3 0 R] /Count 1", None),
        ("/Type /Page /Parent 2 0 R /MediaBox [0 0 842 595] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >>", None),
        ("", b"BT /F 12 Tf <0001> Tj ET"),
        ("/Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 7 0 R", None),
        (f"/Type /Font /Subtype /CIDFontType2 /BaseFont /A {system} {widths}", None),
        ("", b"/CIDInit /ProcSet findresource begin begincmap " + letters + b" endcmap"),
    ])  # fmt: skip


PDF: dict[str, tuple[Content, str]] = {
    "no pages": (b"%PDF-1.4\n", "PDF"),
    "an empty page": (_pdf_of(b""), "no curves"),
    "one curve": (
        _pdf_of(b"q 1 0 0 1 0 0 cm 0 0 m " + b"".join(b"%d %d l " % (x, x % 7) for x in range(60)) + b"S Q"),
        "PDF|grid|name",
    ),
    "words": (_pdf_of(b"BT /F 12 Tf (Dear colleague) Tj ET"), "no curves|damaged|PDF"),
    "a bomb": (lambda: _pdf_of(zlib.compress(bytes(200_000_000), 9), filters="/Filter /FlateDecode"), "unpacks to more"),
    "a bomb in a bomb": (lambda: _pdf_of(_packed_twice(), filters="/Filter [/FlateDecode /FlateDecode]"), "unpacks to more"),
    "damaged stream": (_pdf_of(zlib.compress(b"0 0 m" * 999)[:50], filters="/Filter /FlateDecode"), "damaged|no curves"),
    "a million lines": (lambda: _pdf_of(b"0 0 m 1 1 l S\n" * 1_000_000), "more|too many|PDF|no curves"),
    "ten million numbers": (lambda: _pdf_of(b"0 " * 10_000_000), "more"),
    "saved 300 times": (_pdf_of(b"q " * 300 + b"Q " * 300), "deeper"),
    "saved a million times": (lambda: _pdf_of(b"q " * 1_000_000), "no curves|PDF|more"),
    "cut": (pdf()[: len(pdf()) // 2], "PDF|no curves|damaged|cannot"),
    "40 MB": (lambda: b"%PDF-1.4\n" + bytes(40_000_000), "more than the"),
    "its own parent": (_pdf_of(b"", page="/Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1"), "PDF|no curves"),
    "a font of few letters": (_pdf_with_font(letters=b"1 beginbfrange <0000> <00ff> <0000> endbfrange"), "no curves"),
    "a font of billions of letters": (
        _pdf_with_font(letters=b"1 beginbfrange <00000000> <ffffffff> <0000> endbfrange"),
        "more letters than there are",
    ),
    "a CMap of billions of letters": (
        _pdf_with_font(letters=b"1 begincidrange <00000000> <fffffffe> 0 endcidrange"),
        "more letters than there are",
    ),
    "ranges upon ranges": (
        _pdf_with_font(letters=b"99 beginbfrange " + b"<0000> <ffff> <0000> " * 99 + b"endbfrange"),
        "more letters than there are",
    ),
    "a font of billions of widths": (_pdf_with_font(widths="/W [0 2000000000 500]"), "widths of more letters"),
    "widths upon widths": (_pdf_with_font(widths="/W [" + "0 65535 500 " * 99 + "]"), "widths of more letters"),
    "encrypted": (_pdf_of(b"").replace(b"/Root", b"/Encrypt << /Filter /Standard >> /Root"), "encrypted|PDF"),
}


def _zip(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


PACKED: dict[str, tuple[Content, str]] = {
    "gzip": (lambda: gzip.compress(edf()), "unpack it first"),
    "gzip bomb": (lambda: gzip.compress(bytes(300_000_000)), "unpack it first"),
    "bzip2": (lambda: bz2.compress(edf()), "unpack it first"),
    "xz": (lambda: lzma.compress(edf()), "unpack it first"),
    "zip": (lambda: _zip("x.edf", edf()), "unpack it first"),
    "zip bomb": (lambda: _zip("x.edf", bytes(300_000_000)), "unpack it first"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(900), "format is unknown"),
    "a JPEG": (b"\xff\xd8\xff\xe0" + bytes(900), "format is unknown"),
    "a program": (b"\x7fELF" + bytes(900), "format is unknown"),
    "a pickle": (b"\x80\x04\x95" + bytes(900), "format is unknown"),
    "noise": (np.random.default_rng(1).bytes(9000), "format is unknown"),
    "a bare MATLAB file": (b"\x1e\0\0\0\x05\0\0\0\xdc\x05\0\0\0\0\0\0\x04\0\0\0val\0" + bytes(15_000), "format is unknown"),
    "nothing": (b"", "is empty"),
}
