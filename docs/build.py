"""Write what the README shows from the code itself: the example's output and its picture.

``./run python docs/build.py`` writes; ``./run python docs/build.py --check`` exits with 1 if anything is out of date.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "presentation-against-baseline.png"
_EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<output>.*?)```", re.DOTALL)


def example_output(code: str) -> str:
    """What the README's example prints, run from the project's root as the README says."""
    before = Path.cwd()
    told = io.StringIO()
    try:
        os.chdir(ROOT)
        with contextlib.redirect_stdout(told):
            exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    finally:
        os.chdir(before)
    return "\n".join(line.rstrip() for line in told.getvalue().splitlines()) + "\n"


def readme() -> str:
    """The README with fresh output."""
    text = README.read_text(encoding="utf-8")
    return _EXAMPLE.sub(lambda match: f"```python\n{match['code']}```\n\n```text\n{example_output(match['code'])}```", text)


def draw() -> None:
    """Draw the README's picture."""
    import ecgspasm as es

    case = ROOT / "data" / "index-case"
    figure, _ = es.plot.comparison(es.compare(es.read(case / "baseline.hea"), es.read(case / "presentation.hea")))
    es.plot.save(figure, PICTURE)


def main() -> int:
    fresh = readme()
    if "--check" in sys.argv[1:]:
        if fresh == README.read_text(encoding="utf-8") and PICTURE.exists():
            return 0
        print("README.md is out of date; run: ./run python docs/build.py", file=sys.stderr)
        return 1
    README.write_text(fresh, encoding="utf-8")
    draw()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
