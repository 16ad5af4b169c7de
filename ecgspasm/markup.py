"""Markup that nothing can break out of: whatever is not made here is escaped. For pages, and for what notebooks show.

Knows nothing of ECGs, so that every noun may use it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from ecgspasm.stamp import USE


class Html(str):
    """Text that is markup already. Everything else is escaped where it enters."""

    __slots__ = ()

    def __html__(self) -> str:
        """What template engines ask for before they escape."""
        return str(self)


def plain(words: object) -> str:
    """One line without signs that do not print, such as those that turn the direction of writing."""
    line = " ".join(str(words).split())
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


def typeset(words: object) -> str:
    """One line of the console with the signs of print: a minus, an arrow, a micro, dashes between leads.

    Examples
    --------
    >>> typeset("V1-V3: T +536 -> -219 uV (95 % CI -976..-534)")
    'V1–V3: T +536 → −219 µV (95 % CI −976 to −534)'
    """
    line = re.sub(r"(?<=\d)\.\.(?=[+-]?\d)", " to ", plain(words))
    line = re.sub(r"(?<!\w)-(?=\d)", "−", line)
    line = re.sub(r"\b(V\d)-(V\d)\b", "\\1–\\2", line)
    return re.sub(r"\buV\b", "µV", line.replace(" -> ", " → "))


def escaped(child: object) -> Html:
    """What may stand in a page: markup as it is, all else escaped."""
    return child if isinstance(child, Html) else Html(html.escape(str(child)))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """An element; an attribute that is ``None`` is left out, ``class_`` and ``aria_label`` become ``class``, ``aria-label``.

    Examples
    --------
    >>> tag("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{told}>{''.join(map(escaped, children))}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """Several parts one after the other."""
    return Html("".join(map(escaped, parts)))


# For notebooks: no style sheet, since those of the notebook would fight with it; colours that hold on white and on black.
_CELL = (
    "text-align:left;padding:2px 12px 2px 0;border-bottom:1px solid #8885;vertical-align:top;font-variant-numeric:tabular-nums"
)
_NUMBER = _CELL.replace("text-align:left", "text-align:right").replace("2px 12px 2px 0", "2px 12px 2px 6px")
CURRENT = "#d55e00"
"""Colour of the newer curve; the older one has the colour of the text, and is thinner."""


def small_table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> Html:
    """A table for a notebook; the columns in `numbers` are set to the right."""

    def line(kind: str, cells: Sequence[object]) -> Html:
        styles = (_NUMBER if at in numbers else _CELL for at in range(len(cells)))
        told = (cell if isinstance(cell, Html) else typeset(cell) for cell in cells)
        return tag(
            "tr", *(tag(kind, cell, style=style) for cell, style in zip(told, styles, strict=True)), style="background:none"
        )

    body = joined(line("td", row) for row in rows)
    style = "border-collapse:collapse;margin:6px 0;font-size:90%"
    return tag("table", tag("thead", line("th", head)), tag("tbody", body), style=style)


def card(title: str, *parts: object) -> Html:
    """What a notebook shows of a result: its verdict, then some parts, and what it must not be used for."""
    use = tag("div", USE, style="font-size:80%;opacity:.75")
    head = tag("div", typeset(title), style="font-weight:600;max-width:60em")
    return tag("div", head, *parts, use, style="max-width:70em;line-height:1.4")


def note(words: str) -> Html:
    """A line below the verdict."""
    return tag("div", typeset(words), style="max-width:60em")


Curve = tuple[Sequence[float], Sequence[float]]
"""Points of a line: x and y; ``nan`` in y breaks it."""


def small_multiples(
    panels: Sequence[tuple[str, bool, Sequence[Curve]]], *, columns: int = 6, wide: float = 104.0, high: float = 84.0
) -> Html:
    """Small drawings side by side, all of one scale, for a notebook.

    Parameters
    ----------
    panels : sequence of (str, bool, sequence of Curve)
        Name, whether it is marked, and one curve or two: the older thin in the colour of the text, the newer on top of it wide.
    columns : int
    wide, high : float
        Of one drawing, in pixels.
    """
    curves = [each for _, _, both in panels for each in both]
    x = [value for across, _ in curves for value in across]
    y = [value for _, up in curves for value in up if value == value]
    if not x or not y:
        return Html()
    left, top = min(x), max(*y, 1.0)
    across, up = (wide - 8.0) / max(max(x) - left, 1e-9), (high - 20.0) / max(top - min(*y, -1.0), 1e-9)
    drawn = []
    for place, (name, marked, both) in enumerate(panels):
        words = tag(
            "text",
            f"{name} ●" if marked else name,
            x=2,
            y=11,
            font_size=11,
            fill="currentColor",
            font_weight=600 if marked else 400,
        )
        lines = [words]
        for number, (times, levels) in reversed(list(enumerate(both))):
            newer = number == 1
            points = [(2.0 + (at - left) * across, 16.0 + (top - level) * up) for at, level in zip(times, levels, strict=True)]
            style = {"stroke": CURRENT, "stroke_width": 1.8} if newer else {"stroke": "currentColor", "stroke_width": 1.0}
            lines.append(tag("path", d=_line(points), fill="none", stroke_linejoin="round", **style))
        at = f"translate({place % columns * wide:g} {place // columns * high:g})"
        drawn.append(tag("g", *lines, transform=at))
    size = (min(len(panels), columns) * wide, -(-len(panels) // columns) * high)
    return tag(
        "svg", *drawn, width=f"{size[0]:g}", height=f"{size[1]:g}", viewBox=f"0 0 {size[0]:g} {size[1]:g}", style="max-width:100%"
    )


def _line(points: Iterable[tuple[float, float]]) -> str:
    """The data of a path, broken where a value is missing."""
    parts, pen = [], "M"
    for across, up in points:
        if up != up:
            pen = "M"
            continue
        parts.append(f"{pen}{across:.1f} {up:.1f}")
        pen = "L"
    return "".join(parts)
