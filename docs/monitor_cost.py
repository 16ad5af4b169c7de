"""What following a day and two days costs: ``./run python docs/monitor_cost.py [FILE]`` prints it, and writes it as JSON.

A simulated recording of 12 leads at 500 Hz is written to a temporary folder (1 GB a day), and followed in a process of its own,
whose memory is looked at every 20 ms. Idle is the same process after a recording of 40 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import ecgspasm as es

FS = 500
_FOLLOW = """
import json, sys, threading, time
import ecgspasm as es

def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

es.monitor(es.simulate.ecg(fs=500, seed=1, duration_s=40).ecg)
idle, peak, done = megabytes(), [0.0], threading.Event()

def watch():
    while not done.wait(0.02):
        peak[0] = max(peak[0], megabytes())

thread = threading.Thread(target=watch)
thread.start()
begun = time.perf_counter()
found = es.monitor(es.open_recording(sys.argv[1]))
seconds = time.perf_counter() - begun
done.set()
thread.join()
row = {"seconds": round(seconds, 1), "idle_mb": round(idle), "peak_mb": round(peak[0])}
print(json.dumps(row | {"measured_h": round(found.measured_s / 3600, 2)}))
"""


def write(folder: Path, hours: int) -> Path:
    """A recording of so many hours, twenty minutes of simulated heart over and over with other noise."""
    heart = es.simulate.ecg(fs=FS, seed=3, duration_s=1200).ecg
    rng = np.random.default_rng(0)
    name = f"h{hours}"
    with (folder / f"{name}.dat").open("wb") as file:
        for _ in range(3 * hours):
            noisy = heart.signal_uv + rng.normal(0.0, 8.0, heart.signal_uv.shape)
            file.write(np.round(noisy).astype("<i2").T.tobytes())
    rows = [f"{name}.dat 16 1000/mV 16 0 0 0 0 {lead}" for lead in heart.leads]
    lines = [f"{name} {len(heart.leads)} {FS} {3 * hours * heart.signal_uv.shape[1]}", *rows]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
    return folder / f"{name}.hea"


def cost(hours: int) -> dict[str, Any]:
    """Time and memory of one recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), hours)
        done = subprocess.run([sys.executable, "-c", _FOLLOW, str(path)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    results = {f"{hours} h": cost(hours) for hours in (24, 48)}
    for name, row in results.items():
        over = row["peak_mb"] - row["idle_mb"]
        print(f"{name}: {row['seconds']:.0f} s, peak {row['peak_mb']} MB, {over} MB over idle ({row['idle_mb']} MB)")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps({"results": results}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
