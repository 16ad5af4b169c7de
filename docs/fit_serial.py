"""Fit what the serial comparison ships as numbers to STAFF III: the score, the vessel-specific leads, the typical occlusion.

``./run python docs/fit_serial.py DATA_DIR`` (the folder that holds ``staffiii_measures`` and ``ptbdb_10s``) writes
``ecgspasm/serial/score.toml``, ``ecgspasm/serial/vessel.toml`` and ``ecgspasm/benchmarks/occlusion.toml``.

The score for the same electrodes is fitted to occlusions against quiet baselines; that for fresh electrodes to PTB pairs of
different recordings of one person, as they are, with the typical occlusion of each artery put in at half, full and one and a half
size, and with T waves turned over.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ecgspasm.benchmarks.logistic import fit_logistic
from ecgspasm.benchmarks.staffiii import measured_pairs
from ecgspasm.serial.score import features
from ecgspasm.serial.vessel import vessel_weights

ROOT = Path(__file__).resolve().parent.parent / "ecgspasm"
LEADS = ("V1", "V2", "V3", "V4", "V5", "V6", "I", "II")
FLOOR = {
    "same": {"st_vector_change_uv": 2.0, "t_vector_change_uv": 5.0, "st_second_change_uv": 2.0},
    "fresh": {"st_vector_change_uv": 10.0, "t_vector_change_uv": 20.0, "st_second_change_uv": 10.0, "t_turned_uv": 20.0},
}
"""The features of each setting, and below what a change is noise. T turns over too rarely in STAFF III to be weighed there."""
SPECIFICITY = 0.96
LIMIT_UV = 125.0


def changes(pairs, measure: str) -> np.ndarray:
    """Change from baseline to occlusion in the eight independent leads, shape (person, lead)."""
    return np.array([[p.occlusion.get(measure, lead) - p.baseline.get(measure, lead) for lead in LEADS] for p in pairs])


def row(values, digits: int = 0) -> str:
    return "{ " + ", ".join(f"{lead} = {value:.{digits}f}" for lead, value in zip(LEADS, values, strict=True)) + " }"


def write_occlusions(pairs) -> None:
    st, t = changes(pairs, "st_j60_uv"), changes(pairs, "t_uv")
    lines = [
        "# The typical change of ST at J+60 and of T under occlusion of each artery, last 30 s of the balloon inflation against",
        "# the baseline record: the mean pattern of the persons, at the size (largest change of ST) of the median person.",
        f"# STAFF III, {len(pairs)} persons; written by docs/fit_serial.py.",
    ]
    for artery in ("LAD", "RCA", "LCx"):
        own = np.array([p.artery == artery for p in pairs])
        pattern = (st[own] / np.abs(st[own]).max(axis=1, keepdims=True)).mean(axis=0)
        scale = np.median(np.abs(st[own]).max(axis=1)) / np.abs(pattern).max()
        t_pattern = (t[own] / np.abs(st[own]).max(axis=1, keepdims=True)).mean(axis=0)
        lines += ["", f"[{artery}]", f"st_uv = {row(pattern * scale)}", f"t_uv = {row(t_pattern * scale)}"]
    (ROOT / "benchmarks" / "occlusion.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_vessels(pairs) -> None:
    weights = vessel_weights(changes(pairs, "st_j60_uv"), [p.artery for p in pairs])
    quiet = np.array([[p.quiet_last.get("st_j60_uv", lead) for lead in LEADS] for p in pairs])
    largest = np.max([quiet @ weight for weight in weights.values()], axis=0)
    scale = LIMIT_UV / np.quantile(largest, SPECIFICITY)
    lines = [
        "# Weights that make of ST in the eight independent leads the lead that sees the occlusion of one artery best, scaled so",
        f"# that {100 * SPECIFICITY:.0f} % of baselines stay below it. STAFF III, {len(pairs)} persons (docs/fit_serial.py).",
        f"leads = {list(LEADS)}".replace("'", '"'),
        f"limit_uv = {LIMIT_UV}",
        "",
        "[weight]",
    ]
    lines += [f"{name} = [{', '.join(f'{each:.3f}' for each in weight * scale)}]" for name, weight in weights.items()]
    (ROOT / "serial" / "vessel.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def section(setting: str, found: list[dict[str, float]], positive: list[bool], source: str) -> list[str]:
    rows = np.array([[each[name] for name in FLOOR[setting]] for each in found])
    fitted = fit_logistic(np.log(rows + np.array(list(FLOOR[setting].values()))), np.array(positive))
    weights = ", ".join(f"{name} = {value:.3f}" for name, value in zip(FLOOR[setting], fitted.weight, strict=True))
    floors = ", ".join(f"{name} = {value:g}" for name, value in FLOOR[setting].items())
    lines = ["", f"[{setting}]", f'source = "{source}"', f"intercept = {fitted.intercept:.3f}"]
    return [*lines, f"weight = {{ {weights} }}", f"floor_uv = {{ {floors} }}"]


def main() -> int:
    data = Path(sys.argv[1])
    pairs = list(measured_pairs(data / "staffiii_measures"))
    write_occlusions(pairs)
    write_vessels(pairs)
    from ecgspasm.benchmarks.pairs import feature_rows  # reads the patterns just written

    lines = [
        "# Probability of new ischemia = logistic(intercept + sum of weight * log(feature + floor)), for even odds beforehand.",
        "# Written by docs/fit_serial.py.",
    ]
    occluded = [features(p.baseline, p.occlusion) for p in pairs]
    quiet = [features(p.quiet_first, p.quiet_last) for p in pairs]
    told = f"STAFF III, {len(pairs)} persons, occlusion and quiet baseline"
    lines += section("same", [*occluded, *quiet], [True] * len(occluded) + [False] * len(quiet), told)
    found, positive, told = feature_rows(data / "ptbdb_10s")
    lines += section("fresh", found, positive, told)
    (ROOT / "serial" / "score.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
