"""The words on a printed ECG: names of leads where they stand, and paper speed and gain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecgspasm import leads as lead_names
from ecgspasm.errors import EcgError
from ecgspasm.io.pdf.page import Letter
from ecgspasm.io.pdf.settings import pdf_settings

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_SPEED = re.compile(rf"{_NUMBER}\s*mm\s*/\s*s(?:ec(?:ond)?|ek)?\b", re.IGNORECASE)
_GAIN = re.compile(rf"{_NUMBER}\s*(mm|cm)\s*/\s*mv\b", re.IGNORECASE)
_LIMB = re.compile(rf"\b(?:limb|extr\w*|peripher\w*)(?:\s*leads?)?\s*[:=]?\s*{_NUMBER}", re.IGNORECASE)
_CHEST = re.compile(rf"\b(?:chest|precord\w*|brustw\w*|thora\w*)(?:\s*leads?)?\s*[:=]?\s*{_NUMBER}", re.IGNORECASE)
# On paper, only the names themselves: "D1" or "X" can be anything in the text around an ECG.
_LEAD = re.compile(r"-?(?:I{1,3}|aV[RLF]|V[1-9]R?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """Letters that stand side by side on one base line."""

    text: str
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a lead, and where it starts."""

    lead: str
    sign: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Paper:
    """Speed in mm/s, and gain of limb and chest leads in mm/mV."""

    speed_mm_s: float
    limb_mm_mv: float
    chest_mm_mv: float

    def gain_of(self, lead: str) -> float:
        """Gain of one lead in mm/mV."""
        return self.limb_mm_mv if lead.startswith(("I", "a")) else self.chest_mm_mv

    def __str__(self) -> str:
        limb, chest = f"{self.limb_mm_mv:g}", f"{self.chest_mm_mv:g}"
        gain = f"{limb} mm/mV" if limb == chest else f"limb {limb}, chest {chest} mm/mV"
        return f"{self.speed_mm_s:g} mm/s, {gain}"


def lines_of(letters: Sequence[Letter]) -> list[Line]:
    """Letters put together to lines of text; a gap of more than one and a half letters ends a line."""
    found: list[Line] = []
    row: list[Letter] = []
    for letter in sorted((letter for letter in letters if letter.text.strip()), key=lambda letter: -letter.y):
        if row and row[0].y - letter.y > 0.3 * max(row[0].size, letter.size):
            found += _split(row)
            row = []
        row.append(letter)
    return found + _split(row)


def _split(row: Sequence[Letter]) -> list[Line]:
    made: list[Line] = []
    text, first, end = "", None, 0.0
    for letter in sorted(row, key=lambda letter: letter.x):
        gap = letter.x - end
        if first is not None and gap > 1.5 * max(first.size, letter.size):
            made.append(Line(text, first.x, first.y, first.size))
            text, first = "", None
        if first is None:
            text, first = letter.text, letter
        else:
            text += (" " if gap > 0.15 * letter.size else "") + letter.text
        end = letter.x + letter.width
    if first is not None:
        made.append(Line(text, first.x, first.y, first.size))
    return made


def labels_of(lines: Sequence[Line], rename: Mapping[str, str] | None = None) -> list[Label]:
    """Lines that are the name of a lead and nothing else; leads that a sentence speaks of are none."""
    found = []
    for line in lines:
        text = line.text.replace(" ", "").replace("\u2212", "-").removesuffix(":")
        text = (rename or {}).get(line.text, (rename or {}).get(text, text))
        if _LEAD.fullmatch(text):
            sign = -1.0 if text.startswith("-") else 1.0
            found.append(Label(lead_names.canonical(text.removeprefix("-")), sign, line.x, line.y))
    return found


def paper_of(lines: Sequence[Line], *, speed_mm_s: float | None = None, gain_mm_mv: float | None = None) -> Paper:
    """Speed and gain: what the caller gives counts, and for the rest what the page prints; neither is guessed.

    Raises
    ------
    EcgError
        If the page prints none, or several and does not say which leads they are of.
    """
    text = " | ".join(line.text for line in lines)
    speed = _speed(text) if speed_mm_s is None else float(speed_mm_s)
    limb, chest = _gains(text) if gain_mm_mv is None else (float(gain_mm_mv), float(gain_mm_mv))
    return Paper(speed, limb, chest)


def _speed(text: str) -> float:
    speeds = {_value(match[1]) for match in _SPEED.finditer(text)} & set(pdf_settings("paper")["speeds_mm_s"])
    if not speeds:
        raise EcgError("the page does not print the paper speed as text; give it: read_pdf(path, speed_mm_s=25)")
    if len(speeds) > 1:
        raise EcgError(f"the page prints several paper speeds ({_listed(speeds)} mm/s); say which: read_pdf(path, speed_mm_s=25)")
    return speeds.pop()


def _gains(text: str) -> tuple[float, float]:
    allowed = set(pdf_settings("paper")["gains_mm_mv"])
    limb = {_value(match[1]) for match in _LIMB.finditer(text)} & allowed
    chest = {_value(match[1]) for match in _CHEST.finditer(text)} & allowed
    if len(limb) == len(chest) == 1:
        return limb.pop(), chest.pop()
    gains = {_value(match[1]) * (10 if match[2].lower() == "cm" else 1) for match in _GAIN.finditer(text)} & allowed
    gains |= limb | chest
    if not gains:
        raise EcgError("the page does not print the gain as text; give it: read_pdf(path, gain_mm_mv=10)")
    if len(gains) > 1:
        raise EcgError(f"the page prints several gains ({_listed(gains)} mm/mV); say which: read_pdf(path, gain_mm_mv=10)")
    gain = gains.pop()
    return gain, gain


def _value(text: str) -> float:
    return float(text.replace(",", "."))


def _listed(values: set[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))
