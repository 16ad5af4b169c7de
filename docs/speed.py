"""Time `analyze` against one band-pass over the same array, in turns: ``./run python docs/speed.py``."""

from __future__ import annotations

import time

import numpy as np
from scipy import signal

import ecgspasm as es


def main() -> None:
    sos = signal.butter(4, [0.5, 40.0], "bandpass", fs=500.0, output="sos")
    for rate_bpm in (60, 75, 100):
        ecg = es.simulate.ecg(fs=500, seed=1, rate_bpm=rate_bpm, noise_uv=10.0, wander_uv=50.0).ecg
        es.analyze(ecg)
        seconds = np.array([_once(ecg, sos) for _ in range(60)])
        ratio = np.median(seconds[:, 1] / seconds[:, 0])
        milliseconds = 1000 * np.median(seconds, axis=0)
        print(f"{rate_bpm}/min: sosfiltfilt {milliseconds[0]:.2f} ms, analyze {milliseconds[1]:.2f} ms, ratio {ratio:.1f}")


def _once(ecg: es.Ecg, sos: np.ndarray) -> tuple[float, float]:
    start = time.perf_counter()
    signal.sosfiltfilt(sos, ecg.signal_uv, axis=1)
    between = time.perf_counter()
    es.analyze(ecg)
    return between - start, time.perf_counter() - between


if __name__ == "__main__":
    main()
