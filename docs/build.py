"""Write what the README shows from the code and its recorded figures: the example's output, its picture, the benchmark tables.

``./run python docs/build.py`` writes; ``./run python docs/build.py --check`` exits with 1 if anything is out of date.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
WEIGHTS = ROOT / "ecgspasm" / "processing" / "net.toml"
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


_TABLES = re.compile(r"(?P<begin><!-- benchmark: .*? -->\n).*?(?P<end><!-- benchmark ends -->)", re.DOTALL)
_EDGES = ("P onset", "P offset", "QRS onset", "QRS offset", "T peak", "T offset")


def recorded(name: str) -> dict[str, Any]:
    """Recorded results by method."""
    results: dict[str, Any] = json.loads((ROOT / "data" / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))["results"]
    return results


def benchmark_tables() -> str:
    """What `ecgspasm benchmark` found, as Markdown."""
    ludb, qtdb = recorded("ludb"), recorded("qtdb")
    plain = {name: row for name, row in ludb.items() if " at " not in name}
    noisy = {name: row for name, row in ludb.items() if " at " in name}
    lines = [f"**LUDB**, {ludb['ecgspasm']['share_of_set']}, all 12 leads, each against its own annotations:", ""]
    lines += _table(plain, "sd_central95", "central-95 SD, ms")
    lines += ["", "The same, all errors:", "", *_table(plain, "sd", "SD, ms")]
    lines += ["", f"**QTDB**, {qtdb['ecgspasm']['share_of_set']}, the better of two leads, mean of the records' own SDs:", ""]
    lines += _table(qtdb, "mean_of_record_sds", "SD, ms", "ms a record of 15 min")
    lines += ["", "LUDB with recorded muscle, electrode and wander noise (NSTDB, equal parts) in every lead:", ""]
    lines += _table({"no noise": ludb["ecgspasm"]} | noisy, "sd_central95", "central-95 SD, ms")
    inverted = {name: row["inverted_t"] for name, row in plain.items()}
    shares = [f"{name} {100 * row['right_sign'] / row['n']:.1f} %" for name, row in inverted.items()]
    lines += ["", f"Inverted T waves found with the right sign ({inverted['ecgspasm']['n']} of LUDB): {', '.join(shares)}."]
    return "\n".join(lines) + "\n"


def _table(results: dict[str, Any], figure: str, unit: str, time: str = "ms an ECG") -> list[str]:
    head = f"| | F1 P / QRS / T, % | {unit}: " + " | ".join(_EDGES) + f" | {time} |"
    lines = [head, "|---" * (3 + len(_EDGES)) + "|"]
    for name, result in results.items():
        f1 = " / ".join(_shown(result["waves"][wave]["f1"], 2) for wave in ("P", "QRS", "T"))
        edges = " | ".join(_shown(result["boundaries"][edge].get(figure), 1) for edge in _EDGES)
        lines.append(f"| {name} | {f1} | {edges} | {1000 * result['seconds_per_ecg']:.0f} |")
    return lines


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def readme() -> str:
    """The README with fresh output and tables."""
    text = README.read_text(encoding="utf-8")
    text = _TABLES.sub(lambda match: match["begin"] + benchmark_tables() + match["end"], text)
    return _EXAMPLE.sub(lambda match: f"```python\n{match['code']}```\n\n```text\n{example_output(match['code'])}```", text)


def beside_the_weights() -> str:
    """The cross-validation's figures as they stand beside the weights of the net."""
    lines = [
        "# Cross-validation figures of the net in net.npz (five folds by record); written by docs/build.py from data/benchmarks."
    ]
    for name in ("ludb", "qtdb"):
        result = recorded(name)["ecgspasm"]
        lines += ["", f"[{name}]", f'records = "{result["share_of_set"]}"']
        lines += [f"f1_{wave.lower()} = {row['f1']}" for wave, row in result["waves"].items()]
        for edge in _EDGES:
            row, key = result["boundaries"][edge], edge.lower().replace(" ", "_")
            lines.append(
                f"{key}_ms = {{ mean = {row['mean']}, sd = {row['sd']}, central95_sd = {row['sd_central95']}, "
                f"mean_of_record_sds = {row['mean_of_record_sds']} }}"
            )
    return "\n".join(lines) + "\n"


def draw() -> None:
    """Draw the README's picture."""
    import ecgspasm as es

    case = ROOT / "data" / "index-case"
    figure, _ = es.plot.comparison(es.compare(es.read(case / "baseline.hea"), es.read(case / "presentation.hea")))
    es.plot.save(figure, PICTURE)


def main() -> int:
    fresh = readme()
    if "--check" in sys.argv[1:]:
        figures = WEIGHTS.read_text(encoding="utf-8") == beside_the_weights()
        if figures and fresh == README.read_text(encoding="utf-8") and PICTURE.exists():
            return 0
        print("README.md is out of date; run: ./run python docs/build.py", file=sys.stderr)
        return 1
    README.write_text(fresh, encoding="utf-8")
    WEIGHTS.write_text(beside_the_weights(), encoding="utf-8")
    draw()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
