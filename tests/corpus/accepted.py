"""Sound headers that have to be accepted: those of PhysioNet's sets in miniature, and the real ones."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

import ecgspasm as es
from ecgspasm.io.wfdb.header import parse_header
from ecgspasm.io.wfdb.reader import check_files, check_frames
from tests.corpus.sound_records import checksum, heart, mat4, packed

SETS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("physionet.toml").read_text(encoding="utf-8"))["set"]
_STEPS_UV = 5
N = 1500


def write(about: dict[str, Any], folder: Path) -> tuple[Path, Any]:
    """One record of a set; its header and its digital samples, shape (lead, sample)."""
    names = about["leads"].split()
    rows = heart(500, N)[np.arange(len(names)) % 12] // _STEPS_UV
    lines = [about["record"].format(n=N)]
    for name, row in zip(names, rows, strict=True):
        lines.append(about["line"].format(first=row[0], sum=checksum(row), lead=name))
    record, data = lines[0].split()[0], about["line"].split()[0]
    fmt = int(about["line"].split()[1].split("+")[0].split("x")[0])
    (folder / data).write_bytes(mat4(rows) if data.endswith(".mat") else packed(fmt, rows.T.reshape(-1)))
    path = folder / f"{record}.hea"
    path.write_text("\n".join([*lines, *about.get("comments", [])]) + "\n", encoding="utf-8")
    return path, rows


def refusal(about: dict[str, Any], folder: Path) -> str:
    """Why a miniature is not read, or what is wrong with what is; empty if all is well."""
    path, rows = write(about, folder)
    rename = about.get("rename")
    try:
        found = [es.read(path, rename=rename), es.open_recording(path, rename=rename).part(0, N / 1000)]
    except es.EcgError as error:
        return f"{about['name']}: {error}"
    gain = float(about["line"].split()[2].partition("/")[0].partition("(")[0])
    adc_zero = int(about["line"].split()[4])
    for ecg in found:
        for name, row in zip(about["leads"].split(), rows, strict=True):
            lead = (rename or {}).get(name, name)
            uv = ecg[lead]
            if not np.allclose(uv, (row[: uv.size] - adc_zero) * 1000 / gain):
                return f"{about['name']}: {lead} has other values than were written"
    return ""


def miniatures() -> dict[str, Any]:
    """All sets: how many, and which are not read as they were written."""
    wrong = []
    for about in SETS:
        with tempfile.TemporaryDirectory() as folder:
            wrong.append(refusal(about, Path(folder)))
    return {"headers": len(SETS), "accepted": wrong.count(""), "refused": [each for each in wrong if each]}


def real_headers(folder: Path) -> dict[str, Any]:
    """All headers below a folder: parsed, with files as long as they say."""
    refused = []
    paths = sorted(folder.rglob("*.hea"))
    for path in paths:
        try:
            header = parse_header(path.read_bytes())
            check_frames(header, check_files(header.signals, str(path.parent)), 10**11)
        except es.EcgError as error:
            refused.append(f"{path.relative_to(folder)}: {error}")
    return {"headers": len(paths), "accepted": len(paths) - len(refused), "refused": refused}
