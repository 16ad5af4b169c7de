"""Write a picture to a file."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 254
"""Resolution of PNG files: ten pixels a millimetre, so that every grid line falls on whole pixels."""

# No dates: the same picture is the same file.
_METADATA: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def check_suffix(path: str | Path) -> str:
    """The ending of a picture's name in small letters; an EcgError if no picture is written under such a name."""
    ending = Path(path).suffix.lower()
    if ending not in _METADATA:
        raise EcgError(f"cannot write a picture as {Path(path).name!r}; let the name end in .png, .svg or .pdf")
    return ending


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, SVG or PDF; SVG and PDF print in true millimetres.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        Its ending says the format. An older file is replaced as a whole, and stays what it is if anything fails.

    Raises
    ------
    EcgError
        If the ending is none of the three or the file cannot be written.
    """
    import matplotlib
    from matplotlib.lines import Line2D

    path = Path(path)
    ending = check_suffix(path)
    # Letters go into SVG as outlines and into PDF as TrueType: both look the same where the font is missing. Every sample stays a
    # vertex, so that the curves can be measured in the file; and the page keeps its size, whatever the caller has set.
    how: Any = {"svg.hashsalt": "ecgspasm", "svg.fonttype": "path", "pdf.fonttype": 42, "savefig.bbox": None}
    how |= {"path.simplify": ending == ".png"}
    with matplotlib.rc_context(how):
        for line in figure.findobj(Line2D):
            line.get_path().should_simplify = ending == ".png"  # it was settled when the line was made
        # drawn in memory: what is drawn into a file in place is half a picture if the disk is full
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=DPI, format=ending[1:], metadata=_METADATA[ending])
    write_whole(os.fspath(path), drawn.getbuffer())
