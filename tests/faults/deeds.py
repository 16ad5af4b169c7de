"""All that writes files, each as something that can be done in a folder, again and again."""

from __future__ import annotations

import contextlib
import io
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import ecgspasm as es
from ecgspasm.cli import main
from ecgspasm.cli.benchmark import _write as write_figures
from ecgspasm.course import Course
from ecgspasm.io.wfdb.annotations import write_annotations
from tests.faults.cheap import cheap_work, files, names

State = dict[str, bytes]


def nothing(folder: Path) -> None:
    """Leave the folder as it is."""


def everything(folder: Path) -> State:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@dataclass(frozen=True)
class Deed:
    """Something that writes."""

    name: str
    do: Callable[[Path], None]
    before: Callable[[Path], None] = nothing
    """What lies in the folder before: older files that must stay what they are if anything fails."""
    state: Callable[[Path], State] = everything
    together: bool = True
    """Whether all files are written or none; otherwise each file is its own, and doing it again goes on."""


@cache
def ecg(amplitude: float = 0.0) -> es.Ecg:
    """An ECG of two seconds; of whole uV, so that every format keeps it."""
    made = es.simulate.ecg(fs=250, seed=1, duration_s=2.0).ecg
    return es.Ecg(signal_uv=np.rint(made.signal_uv) + amplitude, fs=made.fs, leads=made.leads)


@cache
def compared() -> es.serial.comparison.Comparison:
    """Two simulated ECGs with a change."""
    two = (es.simulate.ecg(fs=250, seed=1, st_uv={"V2": uv, "V3": uv}).ecg for uv in (0.0, 200.0))
    return es.compare(*two)


@cache
def delineated() -> es.ecg.Delineation:
    """The waves of a simulated ECG."""
    return es.delineate(es.simulate.ecg(fs=250, seed=1, duration_s=5.0, leads=["II", "V2", "V5"]).ecg)


def plot_to(name: str, width: float = 3.0) -> Callable[[Path], None]:
    """Write a small picture."""

    def do(folder: Path) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, 2.0))
        figure.add_subplot().plot([0.0, 1.0], [0.0, width])
        es.plot.save(figure, folder / name)

    return do


def command(*arguments: str) -> Callable[[Path], None]:
    """Run a command; an `EcgError` if it says that it has failed, with what it said."""

    def do(folder: Path) -> None:
        given = [each.replace("HERE", str(folder)) for each in arguments]
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = main(given)
        if status != 0:
            raise es.EcgError(said.getvalue().strip().removeprefix("ecgspasm: "))

    return do


def older(path: str) -> Callable[[Path], None]:
    """An older file of that name."""
    return lambda folder: (folder / path).write_bytes(b"an older file\n") and None


def _batch(folder: Path) -> None:
    with cheap_work(2_000):
        es.batch("measure", folder / "list.txt", folder / "out", records_per_part=4, wide=True)


def _listed(folder: Path) -> None:
    (folder / "list.txt").write_text("\n".join(names(12)) + "\n")


def _half_done(folder: Path) -> None:
    """A run of which one part is there, one is half written, and a worker has left something long ago."""
    import os

    _listed(folder)
    _batch(folder)
    parts = sorted((folder / "out").glob("part-*"))
    parts[1].unlink()
    left = parts[2].with_name(parts[2].name + ".0123.part")
    parts[2].rename(left)
    os.utime(left, (1, 1))


def _written(folder: Path, name: str, amplitude: float) -> None:
    es.write(ecg(amplitude), folder / name)


def _figures(folder: Path) -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        write_figures(Namespace(output=str(folder / "figures.json")), {"set": {"n": 1}})


def _written_for_commands(name: str) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        for which, uv in (("a", 0.0), ("b", 200.0)):
            es.write(es.simulate.ecg(fs=250, seed=1, st_uv={"V2": uv}).ecg, folder / f"{which}.parquet")
        older(name)(folder)

    return do


BATCHES = [
    Deed("batch, new folder", _batch, _listed, lambda folder: files(folder / "out"), together=False),
    Deed("batch, going on", _batch, _half_done, lambda folder: files(folder / "out"), together=False),
]
SINGLE = [
    *(
        Deed(f"write {suffix}", lambda f, s=suffix: _written(f, f"x{s}", 5.0), lambda f, s=suffix: _written(f, f"x{s}", 0.0))
        for suffix in (".parquet", ".csv", ".tsv", ".hea")
    ),
    Deed("write .hea, none before", lambda folder: _written(folder, "x.hea", 5.0)),
    Deed("write_annotations", lambda folder: write_annotations(delineated(), folder, "x") and None),
    Deed("report .html", lambda folder: es.report.write(compared(), folder / "x.html"), older("x.html")),
    *(
        Deed(f"course {suffix}", lambda f, s=suffix: Course().save(f / f"x{s}"), older(f"x{suffix}"))
        for suffix in (".toml", ".json")
    ),
    *(Deed(f"plot {suffix}", plot_to(f"x{suffix}"), plot_to(f"x{suffix}", 4.0)) for suffix in (".png", ".svg", ".pdf")),
    Deed("measure --output", command("measure", "HERE/a.parquet", "--output", "HERE/x.txt"), _written_for_commands("x.txt")),
    Deed(
        "compare --json --output",
        command("compare", "HERE/a.parquet", "HERE/b.parquet", "--json", "--output", "HERE/x.json"),
        _written_for_commands("x.json"),
    ),
    Deed("benchmark --output", _figures, older("figures.json")),
]
