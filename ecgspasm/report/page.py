"""From a result to one HTML file that needs nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ecgspasm.errors import EcgError
from ecgspasm.io.paths import local_path, one_line, write_whole
from ecgspasm.markup import Html
from ecgspasm.report import comparison, course, monitoring, provocation
from ecgspasm.report.data import as_json, data
from ecgspasm.report.kinds import Reported, kind_of
from ecgspasm.stamp import line

ENDINGS = (".html", ".htm")
_CONTEXTS: dict[str, Any] = {
    "comparison": comparison.context,
    "monitoring": monitoring.context,
    "provocation": provocation.context,
    "course": course.context,
}
_SCRIPTS = {
    "comparison": ("page.js", "overlay.js"),
    "monitoring": ("vendor/uPlot.iife.min.js", "page.js", "overlay.js", "trend.js"),
    "provocation": ("vendor/uPlot.iife.min.js", "page.js", "trend.js"),
    "course": ("page.js", "overlay.js"),
}


def html(found: Reported) -> str:
    """The page as text.

    Parameters
    ----------
    found : Comparison, Monitoring, ProvocationTest or Course

    Raises
    ------
    EcgError
        If it is none of these, or the package jinja2 is missing.
    """
    kind = kind_of(found)
    template = _templates().get_template(f"{kind}.html.j2")
    charts = any("uPlot" in name for name in _SCRIPTS[kind])
    style = "\n".join(_text(name) for name in (*(["vendor/uPlot.min.css"] if charts else []), "page.css"))
    scripts = [_script(name) for name in _SCRIPTS[kind]]
    policy = (
        f"default-src 'none'; style-src {_hashed(style)}; script-src {' '.join(map(_hashed, scripts))}; "
        "base-uri 'none'; form-action 'none'"
    )
    told = data(found)
    page: str = template.render(
        _CONTEXTS[kind](found),
        kind=kind,
        policy=policy,
        style=Html(style),
        scripts=[Html(each) for each in scripts],
        data=Html(as_json(told)),
        made_with=_made_with(),
        parameters=line(told["parameters"]),
        tables=told["parameters"]["tables"],
        vendor=_vendor() if charts else None,
    )
    return page


def write(found: Reported, path: str | os.PathLike[str]) -> None:
    """Write a result as one HTML page that opens from the disk, with pictures, tables, sources, and its numbers for programs.

    Parameters
    ----------
    found : Comparison, Monitoring, ProvocationTest or Course
        What `compare`, `monitor` or `provocation` has given, or a course.
    path : path-like
        Ends in ``.html``. An older file is replaced in one step, never half.

    Raises
    ------
    EcgError
        If it is none of these, if the name has another ending, or if it cannot be written; then nothing has changed.

    Notes
    -----
    The page asks nobody for anything: its policy forbids all requests. It holds the person's sex, age and the key that the caller
    gave, and of a file its name and folder; whoever passes it on should look at these.
    """
    kind_of(found)
    name = local_path(path)
    if not name.lower().endswith(ENDINGS):
        raise EcgError(f"{one_line(name)} would hold a page; let its name end in .html")
    write_whole(name, html(found).encode())


@cache
def _templates() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise EcgError("a report needs the package jinja2: pip install 'ecgspasm[report]'") from error
    found = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["stop"] = lambda words: words if words[-1:] in ".?!:…" else f"{words}."
    return found


@cache
def _text(name: str) -> str:
    """A file of this room, with the line ends that a browser makes of any: the hash in the policy is of what it reads."""
    return files("ecgspasm.report").joinpath(*name.split("/")).read_text(encoding="utf-8").replace("\r\n", "\n")


@cache
def _script(name: str) -> str:
    text = _text(name)
    if name.startswith("vendor/"):
        text = f"/*\n{_text('vendor/LICENSE')}\n*/\n{text}"
    if "</script" in text.lower() or "<!--" in text:
        raise AssertionError(f"{name} would end its own element")
    return text


def _vendor() -> dict[str, Any]:
    return tomllib.loads(_text("vendor/vendor.toml")) | {"text": _text("vendor/LICENSE")}


def _hashed(text: str) -> str:
    """What a policy says to allow this very text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _made_with() -> str:
    import numpy
    import scipy

    from ecgspasm import __version__

    return f"ecgspasm {__version__} (Python {platform.python_version()}, numpy {numpy.__version__}, scipy {scipy.__version__})"
