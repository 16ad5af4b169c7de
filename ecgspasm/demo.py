"""The demonstration behind ``ecgspasm demo``: the index case, and a real ECG with a known change put in."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ecgspasm import plot, simulate
from ecgspasm.analysis import analyze
from ecgspasm.ecg import Analysis, Ecg
from ecgspasm.errors import EcgError
from ecgspasm.io import read, write
from ecgspasm.serial.compare import compare
from ecgspasm.serial.comparison import Comparison

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "index-case"
"""The index case in a checkout of the project; an installed package writes its own copy."""

COMPARED = (
    ("baseline", "presentation"),
    ("baseline", "ergonovine"),
    ("ergonovine", "nitroglycerin"),
    ("baseline", "nitroglycerin"),
    ("baseline", "recurrence"),
)

PUT_IN = {"st_uv": {"V2": 200.0, "V3": 250.0, "V4": 150.0}, "t_change_uv": {"V2": 150.0, "V3": 200.0, "V4": 100.0}}
"""The change put into the real ECG: an anterior injury current of the size seen in coronary occlusion."""


def write_index_case(folder: str | Path) -> None:
    """Write the five simulated ECGs of the index case as WFDB records (12 leads, 500 Hz, 10 s, 1 uV a step)."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, made in simulate.index_case().items():
        write(made.ecg, Path(folder) / f"{name}.hea", gain=1000)


def run(output: str | Path) -> int:
    """Run the demonstration, write its pictures into `output`, and return the exit status."""
    output = Path(output)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EcgError(f"cannot make the folder {output}: {error.strerror}; give another one with --output") from error
    print("1. The index case (simulated): coronary vasospasm on sorafenib, J Liver Cancer 2020;20:67-71\n")
    for name, change in _index_case(output):
        _show(name, change, output)
    try:
        real = _real_ecg()
    except ImportError:
        print("The second part, a real ECG, needs pydicom: pip install 'ecgspasm[dicom]'", file=sys.stderr)
    else:
        print("2. A real 12-lead ECG (DICOM, as shipped with pydicom)\n")
        for name, change in real:
            _show(name, change, output)
    print(f"The pictures are in {output.resolve()}")
    return 0


def _index_case(output: Path) -> list[tuple[str, Comparison]]:
    folder = SHIPPED
    if not folder.is_dir():
        folder = output / "index-case"
        write_index_case(folder)
        print(f"(no shipped copy beside the package; simulated anew into {folder})", file=sys.stderr)
    ecgs = {name: analyze(read(folder / f"{name}.hea")) for name in dict.fromkeys(sum(COMPARED, ()))}
    return [(f"{now} against {before}", compare(ecgs[before], ecgs[now])) for before, now in COMPARED]


def _real_ecg() -> list[tuple[str, Comparison]]:
    from pydicom.data import get_testdata_file

    before = analyze(read(str(get_testdata_file("waveform_ecg.dcm", download=False))))
    return [
        ("real ECG against itself", compare(before, before)),
        ("real ECG with a known change against itself", compare(before, changed(before))),
    ]


def changed(before: Analysis) -> Ecg:
    """The same recording with `PUT_IN` added to every beat."""
    found = before.delineation
    whole = np.isfinite(found.t.offset).any(axis=0) & np.isfinite(found.j)
    t_end, t_peak = (np.nanmedian(where[:, whole], axis=0) for where in (found.t.offset, found.t.peak))
    return simulate.inject(
        before.ecg,
        found.beats.r_sample[whole],
        j_samples=found.j[whole],
        t_peak_samples=t_peak,
        t_end_samples=t_end,
        **PUT_IN,
    )


def _show(name: str, change: Comparison, output: Path) -> None:
    figure, _ = plot.comparison(change)
    path = output / f"{name.replace(' ', '-')}.png"
    plot.save(figure, path)
    print(f"{name}:\n  {change.verdict}\n  picture: {path}\n")
