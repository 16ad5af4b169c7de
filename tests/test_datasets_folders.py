"""Which list of hashes is believed, which folder is filled or found, and that nothing else touches the network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecgspasm import EcgError, datasets
from ecgspasm.cli import main
from ecgspasm.datasets.catalogue import DataSet
from ecgspasm.datasets.sums import parse_sums
from tests.dataset_server import (  # noqa: F401  (fixtures)
    FILES,
    Handler,
    Server,
    get_fixture,
    listed,
    server_fixture,
    sha256,
)


def test_the_pinned_hash_of_the_list_is_enforced(get: Callable[..., Path], server: Server, tmp_path: Path) -> None:
    right = sha256(server.files["SHA256SUMS.txt"])
    with pytest.raises(EcgError, match=f"has the hash {right}, not {'0' * 64}; nothing was taken"):
        get(sums_sha256="0" * 64)
    assert {name for name, _ in server.asked} == {"SHA256SUMS.txt"}
    assert not (tmp_path / "ludb").exists()
    # a set whose hash is in the catalogue
    with pytest.raises(EcgError, match="nothing was taken"):
        datasets.fetch("nstdb", tmp_path / "nstdb", mirror=_mirror_of("nstdb", server), trust_sums=True)


def _mirror_of(name: str, server: Server) -> str:
    """The server's only folder under the address of another set."""
    from ecgspasm.datasets.catalogue import known

    server.files[f"../../{known(name).path}/SHA256SUMS.txt"] = server.files["SHA256SUMS.txt"]
    handler = server.RequestHandlerClass
    plain = handler.do_GET  # type: ignore[attr-defined]

    def moved(self: Handler) -> None:
        self.path = self.path.replace(known(name).path, "ludb/1.0.1")
        plain(self)

    server.RequestHandlerClass = type("Moved", (handler,), {"do_GET": moved})  # type: ignore[arg-type]
    return server.mirror


def test_without_a_hash_the_list_must_be_trusted_explicitly(
    get: Callable[..., Path], server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EcgError, match=r"--sums-sha256 .*--trust-sums"):
        get(sums_sha256=None)
    assert not server.asked
    folder = tmp_path / "ludb"
    assert main(["fetch", "ludb", "--to", str(folder), "--mirror", server.mirror, "--trust-sums"]) == 0
    shown = capsys.readouterr()
    digest = sha256(server.files["SHA256SUMS.txt"])
    assert shown.out == f"{folder}\n"
    assert f"--sums-sha256 {digest}" in shown.err
    record = datasets.fetched(folder)
    assert record is not None
    assert (record.trust, record.sums_sha256, record.version) == ("server", digest, "1.0.1")
    # the folder stays with this list, and needs no more trust
    get(sums_sha256=None)
    (folder / "SHA256SUMS.txt").unlink()
    server.files["SHA256SUMS.txt"] += listed({"new": b""})
    with pytest.raises(EcgError, match="nothing was taken"):
        get(sums_sha256=None, trust_sums=True)


LINE = "a" * 64
TRAPS = {
    "up": "../evil",
    "up inside": "data/../../evil",
    "absolute": "/etc/evil",
    "backslash": "..\\evil",
    "drive": "C:evil",
    "address": "http://host/evil",
    "nul": "a\0b",
    "dot": "./a",
    "empty part": "a//b",
    "staging": ".ecgspasm-fetch/parts/x",
    "long": "a" * 300,
    "control": "a\x1b[2Jb",
    "blank end": "a /b",
}


@pytest.mark.parametrize("path", TRAPS.values(), ids=TRAPS.keys())
def test_a_list_whose_paths_lead_out_is_refused(path: str, get: Callable[..., Path], server: Server, tmp_path: Path) -> None:
    server.files["SHA256SUMS.txt"] = f"{LINE} {path}\n".encode() + listed(FILES)
    with pytest.raises(EcgError, match=r"no plain path|not 'hash path'") as told:
        get(sums_sha256=sha256(server.files["SHA256SUMS.txt"]))
    assert len(server.asked) == 1
    assert str(told.value).isprintable()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "names no file"),
        (b"short name\n", "not 'hash path'"),
        (b"z" * 64 + b" name\n", "not 'hash path'"),
        (f"{LINE} a\n{LINE} a\n".encode(), "stands twice"),
        (f"{LINE} a/b\n{LINE} a\n".encode(), "file and a folder"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_a_list_that_is_none_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(EcgError, match=reason):
        parse_sums(content)


def test_the_list_of_sha256sum_and_that_of_physionet_are_read_alike() -> None:
    text = f"{LINE}  data/1.dat\r\n{LINE.upper()} *em.hea-\n\n{LINE} SHA256SUMS.txt\n"
    assert parse_sums(text.encode()) == {"data/1.dat": LINE, "em.hea-": LINE}


@pytest.mark.parametrize(
    "mirror",
    ["http://example.org/files", "ftp://host/x", "https://me:secret@host/", "https://host/?a=1", "no address", "http://[::"],
)
def test_addresses_that_are_not_taken(mirror: str, tmp_path: Path) -> None:
    with pytest.raises(EcgError, match=r"https|plain") as told:
        datasets.fetch("nstdb", tmp_path / "nstdb", mirror=mirror)
    assert "secret" not in str(told.value)


def test_folders_that_hold_other_things_are_not_filled(get: Callable[..., Path], server: Server, tmp_path: Path) -> None:
    (tmp_path / "ludb").mkdir()
    (tmp_path / "ludb/letter.odt").write_text("mine")
    with pytest.raises(EcgError, match=r"holds other things \(letter.odt\) .* such as .*/ludb/ludb"):
        get()
    (tmp_path / "ludb/letter.odt").unlink()
    get()
    with pytest.raises(EcgError, match=r"holds ludb 1\.0\.1; give an empty folder for nstdb"):
        datasets.fetch("nstdb", tmp_path / "ludb", mirror=server.mirror)
    (tmp_path / "file").write_text("")
    with pytest.raises(EcgError, match="is no folder"):
        datasets.fetch("nstdb", tmp_path / "file", mirror=server.mirror)


def test_wrong_options_are_told(tmp_path: Path) -> None:
    for options, reason in (
        ({"workers": 0}, "workers is 0"),
        ({"timeout_s": float("nan")}, "timeout_s is nan"),
        ({"sums_sha256": "abc"}, "64 hexadecimal"),
    ):
        with pytest.raises(EcgError, match=reason):
            datasets.fetch("nstdb", tmp_path, **options)
    with pytest.raises(EcgError, match="there is no set 'mitdb'"):
        datasets.fetch("mitdb", tmp_path)
    with pytest.raises(EcgError, match="too much for a file at a time"):
        datasets.fetch("mimic-iv-ecg", tmp_path)


def test_without_pooch_it_is_told_how_to_get_it(
    get: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(EcgError, match=r"pip install 'ecgspasm\[datasets\]'"):
        get()
    assert not server.asked


def test_command_line_shows_the_sets_and_how_a_fetch_was_stopped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["fetch", "--list"]) == 0
    shown = capsys.readouterr().out
    assert all(each.name in shown and each.licence in shown for each in datasets.sets())
    assert main(["fetch"]) == 1
    assert "--list" in capsys.readouterr().err

    def stopped(*_: Any, **__: Any) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "fetch", stopped)
    assert main(["fetch", "nstdb"]) == 130
    assert "what is whole stays" in capsys.readouterr().err


def test_command_line_shows_progress_on_a_terminal(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    pin = sha256(server.files["SHA256SUMS.txt"])
    where = ["--to", str(tmp_path / "ludb"), "--mirror", server.mirror]
    arguments = [*where, "--sums-sha256", pin, "--workers", "2", "--timeout", "5"]
    assert main(["fetch", "ludb", "--only", "data/*", "--only", "RECORDS", *arguments]) == 0
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert "MB/s" in shown


def test_default_folder_is_where_the_variable_says(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECGSPASM_DATA_DIR", str(tmp_path / "data"))
    pin = sha256(server.files["SHA256SUMS.txt"])
    assert datasets.fetch("ludb", mirror=server.mirror, sums_sha256=pin) == tmp_path / "data" / "ludb"
    assert datasets.folder("ludb") == tmp_path / "data" / "ludb"
    monkeypatch.delenv("ECGSPASM_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if sys.platform.startswith("linux"):
        assert datasets.fetch("ludb", mirror=server.mirror, sums_sha256=pin) == tmp_path / "cache/ecgspasm/ludb"
        assert datasets.folder("ludb") == tmp_path / "cache/ecgspasm/ludb"


@pytest.mark.parametrize(
    "place",
    [
        "ludb",
        "ludb/1.0.1",
        "ludb-1.0.1",
        "lobachevsky-university-electrocardiography-database-1.0.1",
        "lobachevsky-university-electrocardiography-database-1.0.0",
        "physionet.org/files/ludb/1.0.1",
        "files/ludb/1.0.1",
        "1.0.1",
        "",
    ],
)
def test_a_folder_that_is_there_is_found_in_every_usual_layout(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / place
    home.mkdir(parents=True, exist_ok=True)
    (home / "ludb.csv").write_text("ID,Sex,Age\n")
    assert datasets.folder("ludb", tmp_path) == home
    assert datasets.folder("ludb", home) == home
    monkeypatch.setenv("ECGSPASM_DATA_DIR", str(tmp_path))
    assert datasets.folder("LUDB") == home
    with pytest.raises(EcgError, match=r"nothing is downloaded by itself.*ecgspasm fetch qtdb --to DIR"):
        datasets.folder("qtdb", tmp_path)


def test_benchmarks_find_the_folder_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECGSPASM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["benchmark", "balloon"]) == 1
    assert "ecgspasm fetch staffiii --to DIR" in capsys.readouterr().err


def test_the_catalogue_is_sound() -> None:
    known = datasets.sets()
    names = [name for each in known for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))
    assert set(names) >= {"ludb", "qtdb", "edb", "ltstdb", "staffiii", "ptb", "ptb-xl", "mimic-iv-ecg-demo", "nstdb"}
    for each in known:
        assert isinstance(each, DataSet)
        assert each.path.endswith(f"/{each.version}")
        assert each.doi.startswith("10.13026/")
        assert each.marks
        assert each.size_mb > 0
        assert (each.sums_sha256 is None) == (not each.sums_source)


def test_the_table_of_the_documentation_is_the_catalogue() -> None:
    text = (Path(datasets.__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line.startswith("| `")]
    shown = {row[0].strip("`"): row[1:] for row in rows if len(row) == 7}
    assert set(shown) == {each.name for each in datasets.sets()}
    for each in datasets.sets():
        title, version, size, licence, doi, pinned = shown[each.name]
        assert (title, version, licence) == (each.title, each.version, each.licence)
        assert (int(size), doi) == (each.size_mb, f"[{each.doi}](https://doi.org/{each.doi})")
        assert pinned == ("yes" if each.sums_sha256 else "no" if each.fetched else "not fetched")
    hashes = {each.sums_sha256 for each in datasets.sets() if each.sums_sha256}
    assert all(digest in text for digest in hashes)


NO_NETWORK = """
import socket, sys
def refuse(*_, **__): raise SystemExit("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.create_connection = socket.getaddrinfo = refuse
import ecgspasm, ecgspasm.datasets, ecgspasm.io, ecgspasm.cli
for name in ("ludb", "ptb", "ptb-xl"):
    for call in (ecgspasm.datasets.folder, ecgspasm.datasets.pairs):
        try: call(name)
        except ecgspasm.EcgError as error: assert "--to DIR" in str(error) or "no table" in str(error), error
for path in ("nowhere.hea", "https://physionet.org/files/ludb/1.0.1/data/1"):
    try: ecgspasm.read(path)
    except ecgspasm.EcgError: pass
found = ecgspasm.datasets.pairs("ptb", sys.argv[1])
assert len(found) == 1
for pair in found: ecgspasm.read(pair.baseline)
assert not {"pooch", "requests"} & set(sys.modules), "a package of the network was loaded"
"""


def test_neither_import_nor_reading_opens_a_socket(tmp_path: Path) -> None:
    import numpy as np

    from ecgspasm import Ecg
    from ecgspasm.io.wfdb.writer import write_wfdb

    home = tmp_path / "ptbdb" / "patient001"
    home.mkdir(parents=True)
    for name, date in (("s0001_re", "01/10/1990"), ("s0002_re", "02/10/1990")):
        header = Path(write_wfdb(Ecg(np.ones((1, 2000)), fs=500, leads=("II",)), home, name))
        header.write_text(header.read_text() + f"# ECG date: {date}\n")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ECGSPASM_DATA_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, str(tmp_path)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
