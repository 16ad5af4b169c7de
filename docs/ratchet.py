"""The benchmark's figures on a part of the records, which must not get worse.

``./run python docs/ratchet.py DATA_DIR`` (the folder that holds ``ludb`` and ``qtdb``) writes ``data/benchmarks/ratchet.json``;
a test compares today's figures with it. Each record is scored with the net that has not seen it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ecgspasm.benchmarks.delineation import held_out, score_ludb, score_qtdb

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "data" / "benchmarks" / "ratchet.json"
FOLDS = ROOT / "data" / "benchmarks" / "folds"
EVERY = {"ludb": 4, "qtdb": 8}
"""Every so manieth record, by name, so that all folds and rhythms are among them."""


def figures(data: Path) -> dict[str, dict[str, float]]:
    """By set, name of the figure and its value; more is worse for all of them."""
    delineator = held_out(FOLDS)
    found = {}
    for name, score in (("ludb", score_ludb), ("qtdb", score_qtdb)):
        folder = data / name / "data" if (data / name / "data").is_dir() else data / name
        records = {path.stem for path in sorted(folder.glob("*.hea"))[:: EVERY[name]]}
        found[name] = _worse_is_more(score(data / name, delineator, only=records))
    return found


def _worse_is_more(result: dict[str, Any]) -> dict[str, float]:
    values = {f"100 - F1 of {wave}, %": round(100.0 - row["f1"], 3) for wave, row in result["waves"].items()}
    for boundary, row in result["boundaries"].items():
        values[f"central-95 SD of {boundary}, ms"] = row["sd_central95"]
        values[f"SD of {boundary}, ms"] = row["sd"]
        values[f"mean of the records' SDs of {boundary}, ms"] = row["mean_of_record_sds"]
    if "inverted_t" in result:
        values["inverted T waves not found with the right sign"] = result["inverted_t"]["n"] - result["inverted_t"]["right_sign"]
    return values


def main() -> int:
    RECORDED.write_text(json.dumps(figures(Path(sys.argv[1])), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
