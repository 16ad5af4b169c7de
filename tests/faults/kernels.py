"""Other instructions of the processor: ``python -m tests.faults.kernels [DATA]`` prints what they change.

The same records are measured in processes that are told to use other kernels of OpenBLAS (`OPENBLAS_CORETYPE`), more threads, or
NumPy without its newer instructions (`NPY_DISABLE_CPU_FEATURES`), each of which stands for another machine. Sums in another order
differ in their last bits, and the net computes with 32 bits. Values are compared after rounding to 0.1 uV (0.1 ms, 0.1/min; an
area as its mean over 100 ms). Of those that round to different tenths it is told whether they only lie on either side of a tie,
closer together than 0.01, or are different.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import ecgspasm as es
from ecgspasm.batching.rows import INTERVALS

_DIGITS = 1
_TIE = 0.01
_AREA_MS = 100.0
_CORES = ("Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids")
_FOLDERS = {"ludb/data": 20, "ptbdb_10s": 12, "cinc2021": 20}


def machines() -> dict[str, dict[str, str]]:
    """What each process is told, by a name; the first is the reference."""
    newer = " ".join(dispatched())
    found = {"as it is, 1 thread": {"OPENBLAS_NUM_THREADS": "1"}, "as it is, 2 threads": {"OPENBLAS_NUM_THREADS": "2"}}
    found |= {f"OpenBLAS {core}": {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": core} for core in _CORES}
    if newer:
        plain = {"OPENBLAS_NUM_THREADS": "1", "NPY_DISABLE_CPU_FEATURES": newer}
        found["NumPy without newer instructions"] = plain
        found["both: the oldest of all"] = plain | {"OPENBLAS_CORETYPE": "Prescott"}
    return found


def dispatched() -> list[str]:
    """Instructions that NumPy uses where the processor has them, and this one has them."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]


def ecgs(data: Path | None) -> dict[str, es.Ecg]:
    """Simulated ECGs, and a few dozen real ones."""
    found = {f"simulated {seed}": es.simulate.ecg(fs=500, seed=seed, st_uv={"V2": 40.0 * seed}).ecg for seed in range(8)}
    for folder, count in _FOLDERS.items() if data else ():
        assert data is not None
        for path in sorted((data / folder).glob("*.hea"))[:count]:
            found[f"{folder} {path.stem}"] = es.read(path)
    return found


def measured(data: Path | None) -> dict[str, Any]:
    """All values and words of all records, and which kernels computed them."""
    from threadpoolctl import threadpool_info

    values: dict[str, float | None] = {}
    words: dict[str, str] = {}
    for name, ecg in ecgs(data).items():
        try:
            told = es.analyze(ecg).measurements
        except es.EcgError as error:
            words[name] = str(error)
            continue
        for measure, row in told.values.items():
            row = row / _AREA_MS if measure.endswith("_uv_ms") else row
            values |= {f"{name} | {measure} {lead}": _plain(value) for lead, value in zip(told.leads, row, strict=True)}
        values |= {f"{name} | {each}": _plain(getattr(told, each)) for each in (*INTERVALS, "n_beats")}
        for lead, state, shape in zip(told.leads, told.state, told.t_shape, strict=True):
            words[f"{name} | {lead}"] = f"{state}, {shape}"
    used = sorted({str(each.get("architecture")) for each in threadpool_info() if each["user_api"] == "blas"})
    return {"values": values, "words": words, "kernels": used, "numpy": dispatched()}


def _plain(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def difference(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What differs between two machines."""
    one, two = first["values"], other["values"]
    assert one.keys() == two.keys()
    both = [name for name in one if one[name] is not None and two[name] is not None]
    apart = {name: abs(one[name] - two[name]) for name in both}
    rounded = [name for name in both if round(one[name], _DIGITS) != round(two[name], _DIGITS)]
    ties = [name for name in rounded if apart[name] < _TIE]
    absent = [name for name in one if (one[name] is None) != (two[name] is None)]
    changed = sorted(set(rounded) - set(ties), key=lambda name: -apart[name])
    words = [name for name in first["words"] if first["words"][name] != other["words"].get(name)]
    return {
        "kernels": other["kernels"],
        "values": len(both),
        "not_the_same_bits": sum(each > 0 for each in apart.values()),
        "largest_difference": float(f"{max(apart.values()):.3g}"),
        "at_a_tie": len(ties),
        "different_after_rounding": len(changed),
        "missing_in_one": len(absent),
        "different_words": len(words),
        "differing": [f"{name}: {one[name]:.2f} and {two[name]:.2f}" for name in changed[:8]] + absent[:4] + words[:4],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--measure", type=Path, help="measure in this process and write what was found there")
    options = parser.parse_args()
    if options.measure:
        options.measure.write_text(json.dumps(measured(options.data)), encoding="utf-8")
        return
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for machine, told in machines().items():
            path = Path(name) / "found.json"
            command = [sys.executable, "-m", "tests.faults.kernels", "--measure", str(path)]
            command += [str(options.data)] if options.data else []
            subprocess.run(command, env=os.environ | told, check=True)
            found[machine] = json.loads(path.read_text(encoding="utf-8"))
    reference = next(iter(found.values()))
    rows = {machine: difference(reference, each) for machine, each in found.items() if each is not reference}
    records = len({name.split(" | ")[0] for name in (*reference["values"], *reference["words"])})
    print(json.dumps({"records": records, "reference": reference["kernels"], "machines": rows}))


if __name__ == "__main__":
    main()
