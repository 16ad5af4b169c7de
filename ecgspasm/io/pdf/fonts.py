"""Fonts of a PDF, looked at before pdfminer.six makes tables of them.

A few bytes of a font can ask for any amount of memory and time: a range of letters in its CMap, or of widths, may have billions
of members, of each of which pdfminer makes an entry. A font is needed here for the names of leads and the words beside them only.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from pdfminer.cmapdb import CMapParser, FileUnicodeMap
from pdfminer.pdfinterp import PDFResourceManager
from pdfminer.pdftypes import PDFStream, dict_value, list_value, resolve1

from ecgspasm.errors import EcgError

_MOST_FONTS = 100
_MOST_ENTRIES = 1_000_000
"""In all ranges of one font together; its letters have numbers of 16 bits (PDF 32000-1, 9.7.4)."""
_MOST_FONT_FILE_BYTES = 262_144
_WIDTHS = {"W": 3, "W2": 5}
"""Numbers that tell the widths of a range of letters: its first, its last, and the widths themselves."""


class Fonts(PDFResourceManager):
    """Hands out fonts that were looked at."""

    def __init__(self) -> None:
        super().__init__(caching=True)
        self._n_fonts = 0

    def get_font(self, objid: object, spec: Mapping[str, object]) -> Any:
        """Check what the font says before it is made."""
        if not objid or objid not in self._cached_fonts:
            self._n_fonts += 1
            if self._n_fonts > _MOST_FONTS:
                raise EcgError("the page has more fonts than any ECG; print the ECG alone to a PDF")
            for key, group in _WIDTHS.items():
                _check_widths(list_value(spec.get(key, [])), group)
            letters = resolve1(spec.get("ToUnicode"))
            if isinstance(letters, PDFStream):
                _CMapCheck(letters.get_data()).run()
            spec = _without_large_files(spec)
        return super().get_font(objid, spec)


def _check_widths(given: Iterable[Any], group: int) -> None:
    """Count the letters of all ranges."""
    total = 0
    numbers: list[float] = []
    for each in given:
        value = resolve1(each)
        if isinstance(value, list):
            numbers = []
        elif isinstance(value, int | float):
            numbers.append(value)
            if len(numbers) == group:
                total += max(int(numbers[1]) - int(numbers[0]) + 1, 0)
                numbers = []
        if total > _MOST_ENTRIES:
            raise EcgError("a font of the PDF tells the widths of more letters than there are; print the ECG anew")


def _without_large_files(spec: Mapping[str, object]) -> Mapping[str, object]:
    """The font without its own file where that is large, or a TrueType file, whose table of letters may be of any size."""
    descriptor = resolve1(spec.get("FontDescriptor"))
    if not isinstance(descriptor, dict):
        return spec
    left = {key: value for key, value in dict_value(descriptor).items() if key != "FontFile2"}
    file = resolve1(left.get("FontFile"))
    if isinstance(file, PDFStream) and len(file.get_data()) > _MOST_FONT_FILE_BYTES:
        del left["FontFile"]
    return {**spec, "FontDescriptor": left}


class _CMapCheck(CMapParser):
    """Goes through a CMap and counts its entries; nothing is made of them."""

    def __init__(self, data: bytes) -> None:
        super().__init__(FileUnicodeMap(), io.BytesIO(data))
        self._n_entries = 0

    def do_keyword(self, pos: int, token: Any) -> None:
        """Count the ranges that pdfminer would walk through, and leave other CMaps alone."""
        if token in (self.KEYWORD_ENDBFRANGE, self.KEYWORD_ENDCIDRANGE):
            given = [each for _, each in self.popall()]
            for first, last in zip(given[::3], given[1::3], strict=False):
                if isinstance(first, bytes) and isinstance(last, bytes):
                    self._n_entries += max(int.from_bytes(last, "big") - int.from_bytes(first, "big") + 1, 0)
            if self._n_entries > _MOST_ENTRIES:
                raise EcgError("a font of the PDF names more letters than there are; print the ECG anew")
        elif token is self.KEYWORD_USECMAP:
            self.popall()
        else:
            super().do_keyword(pos, token)
