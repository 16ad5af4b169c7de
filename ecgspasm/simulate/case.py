"""The case behind the project, simulated."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files

from ecgspasm.ecg import Subject
from ecgspasm.simulate.make import Simulated, ecg

INDEX_CASE = ("baseline", "presentation", "ergonovine", "nitroglycerin", "recurrence")


def index_case() -> dict[str, Simulated]:
    """The five ECGs of the index case in time order, 12 leads, 500 Hz, 10 s, from ``index_case.toml``.

    The leads and directions of change are those of the case report (J Liver Cancer 2020;20:67-71); the amplitudes are
    chosen by the project, since the report gives none.

    Returns
    -------
    dict of str to Simulated
        ``baseline``, ``presentation``, ``ergonovine``, ``nitroglycerin``, ``recurrence``.
    """
    table = tomllib.loads(files("ecgspasm.simulate").joinpath("index_case.toml").read_text(encoding="utf-8"))
    subject = Subject(**table["subject"])
    made = {name: ecg(**table["common"], **table[name], subject=subject) for name in INDEX_CASE}
    return {name: replace(one, ecg=replace(one.ecg, source=f"simulated index case, {name}")) for name, one in made.items()}
