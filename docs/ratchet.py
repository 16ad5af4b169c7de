"""The benchmark's figures on a part of the records, which must not get worse.

``./run python docs/ratchet.py DATA_DIR`` (the folder that holds ``ludb``, ``qtdb`` and ``staffiii_measures``) writes
``data/benchmarks/ratchet.json``; a test compares today's figures with it. Each record is delineated with a net that has not
seen it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ecgspasm.benchmarks.calibration import score_calibration
from ecgspasm.benchmarks.delineation import held_out, score_ludb, score_qtdb
from ecgspasm.benchmarks.episode_chunks import chunk_records
from ecgspasm.benchmarks.episodes import score_edb, score_ltstdb
from ecgspasm.benchmarks.occlusion import score_staffiii

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "data" / "benchmarks" / "ratchet.json"
FOLDS = ROOT / "data" / "benchmarks" / "folds"
EVERY = {"ludb": 4, "qtdb": 8, "ltstdb": 5}
"""Every so manieth record, by name, so that all folds and rhythms are among them."""


def figures(data: Path) -> dict[str, dict[str, float]]:
    """By set, name of the figure and its value; more is worse for all of them."""
    delineator = held_out(FOLDS)
    found = {}
    for name, score in (("ludb", score_ludb), ("qtdb", score_qtdb)):
        folder = data / name / "data" if (data / name / "data").is_dir() else data / name
        records = {path.stem for path in sorted(folder.glob("*.hea"))[:: EVERY[name]]}
        found[name] = _worse_is_more(score(data / name, delineator, only=records))
    return found | {
        "staffiii": _occlusion(score_staffiii(data / "staffiii_measures")),
        "calibration": _errors(score_calibration(seeds=1)),
        "edb": _episodes(score_edb(data / "qtdb")),
        "ltstdb": _episodes(score_ltstdb(data / "ltstdb_50hz", only=chunk_records(data / "ltstdb_50hz")[:: EVERY["ltstdb"]])),
    }


def _episodes(result: dict[str, Any]) -> dict[str, float]:
    """Episodes of the person (of the lead where there is one) that can be seen, by gross figure."""
    return {
        f"{name}: {what} missed, %": round(100.0 - rows[which]["gross"][figure], 1)
        for name, rows in result["scores"].items()
        for which in rows
        if which != "all"
        for what, figure in (("sensitivity", "episode_se"), ("predictivity", "episode_ppv"))
    }


def _occlusion(result: dict[str, Any]) -> dict[str, float]:
    score = result["numbers"]["score, person left out"]
    values = {"100 - AUC of the score, %": round(100.0 * (1.0 - score["auc"]), 2)}
    values["missed by the score at 96 % specificity, %"] = round(100.0 - score["se_at_sp96"]["all"], 1)
    values["missed by the rules, %"] = round(100.0 - result["rules"]["any new change"]["sensitivity"]["all"], 1)
    return values | {"false alarms of the rules, %": round(100.0 - result["rules"]["any new change"]["specificity"], 1)}


def _errors(result: dict[str, Any]) -> dict[str, float]:
    return {
        f"{measure}, {name}: rms, uV": row[measure]["rms_uv"] for name, row in result.items() for measure in ("st_j60_uv", "t_uv")
    }


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
