"""Every result, in every form, says version, use, parameters, and what could not be measured."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgspasm as es
from ecgspasm.cli import main
from ecgspasm.stamp import USE, tables_key

PACKAGE = Path(es.__file__).parent
FLAT = "flat line; lead not connected?"


def without_v2(ecg: es.Ecg) -> es.Ecg:
    signal = ecg.signal_uv.copy()
    signal[ecg.index("V2")] = 0.0
    return replace(ecg, signal_uv=signal)


@cache
def results() -> dict[str, Any]:
    """One result of each kind, in which V2 was never connected."""
    case = es.simulate.index_case()
    before, after, relieved = (without_v2(case[name].ecg) for name in ("baseline", "ergonovine", "nitroglycerin"))
    long = without_v2(es.simulate.ecg(fs=250, seed=1, duration_s=90).ecg)
    return {
        "comparison": es.compare(before, after),
        "monitoring": es.monitor(long),
        "provocation": es.provocation(
            [(0, before), (180, after), (420, relieved)], events=[(60, "ergonovine"), (240, "nitroglycerin")]
        ),
    }


def carries(told: dict[str, Any]) -> None:
    assert told["ecgspasm"] == es.__version__
    assert told["use"] == USE
    assert told["parameters"]["tables"] == tables_key()


@pytest.mark.parametrize("kind", ["comparison", "monitoring", "provocation"])
def test_json_and_page_say_version_use_parameters_and_what_was_not_measured(kind: str) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed (extra report)")
    found = results()[kind]
    carries(found.to_dict())
    assert len(found.to_dict()["parameters"]) > 1
    assert FLAT in json.dumps(found.to_dict())
    page = es.report.html(found)
    seen = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    for said in ("Research only; not a medical device.", es.__version__, tables_key(), "flat line"):
        assert said in seen, f"the page does not show {said!r}"


def ends_with_use(text: str) -> None:
    last = text.rstrip().rpartition("\n")[2]
    assert last.startswith(f"ecgspasm {es.__version__}; ")
    assert last.endswith("research only, not a medical device")


@pytest.mark.parametrize("kind", ["comparison", "monitoring", "provocation"])
def test_text_says_them_too(kind: str) -> None:
    found = results()[kind]
    assert "flat line" in str(found)
    ends_with_use(str(found))
    for name, value in found.to_dict()["parameters"].items():
        if name != "tables" and isinstance(value, str):
            assert f"{name} {value}" in str(found).rpartition("\n")[2]


def course() -> es.Course:
    return es.load_courses(PACKAGE.parent / "data" / "published-cases.toml")[0]


def pictures() -> dict[str, Callable[[], Any]]:
    """Every picture of a result; of two ECGs in all of its ways."""
    found = results()
    ecg, after = (es.simulate.index_case()[name].ecg for name in ("baseline", "ergonovine"))
    return {
        "overlay": lambda: es.plot.comparison(found["comparison"]),
        "st_bars": lambda: es.plot.st_bars(found["comparison"]),
        "vector": lambda: es.plot.vector(es.compare(ecg, after)),
        "ecg": lambda: es.plot.ecg(ecg),
        "trend": lambda: es.plot.trend(found["monitoring"]),
        "provocation": lambda: es.plot.provocation(found["provocation"]),
        "course": lambda: es.plot.course(course()),
    }


@pytest.mark.parametrize("name", ["overlay", "st_bars", "vector", "ecg", "trend", "provocation", "course"])
def test_a_picture_says_use_and_version(name: str) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.text import Text

    figure, _ = pictures()[name]()
    said = " ".join(text.get_text() for text in figure.findobj(Text))
    plt.close(figure)
    assert USE in said
    assert f"ecgspasm {es.__version__}" in said


def test_a_course_carries_them() -> None:
    carries(course().to_dict())
    ends_with_use(str(course()))


def test_a_courses_page_carries_them() -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed (extra report)")
    page = es.report.html(course())
    for said in ("Research only; not a medical device.", es.__version__, tables_key()):
        assert said in page


def test_measurements_carry_them_in_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.csv"
    es.write(without_v2(es.simulate.ecg(fs=500, seed=1).ecg), path)
    assert main(["measure", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    carries(told)
    assert told["leads"]["V2"]["state"] == f"not_measurable: {FLAT}"
    assert told["leads"]["V2"]["st_j_uv"] is None
    assert main(["measure", str(path)]) == 0
    text = capsys.readouterr().out
    assert "flat line" in text
    ends_with_use(text)


def test_waves_carry_them_in_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.csv"
    es.write(es.simulate.ecg(fs=500, seed=1).ecg, path)
    assert main(["delineate", str(path), "--json"]) == 0
    carries(json.loads(capsys.readouterr().out))
    assert main(["delineate", str(path)]) == 0
    ends_with_use(capsys.readouterr().out)


def test_a_batch_carries_them(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra batch)")
    pytest.importorskip("distributed", reason="distributed is not installed (extra batch)")
    paths = []
    for seed in range(2):
        paths.append(tmp_path / f"r{seed}.csv")
        es.write(without_v2(es.simulate.ecg(fs=500, seed=seed).ecg), paths[-1])
    done = es.batch("measure", paths, tmp_path / "out", workers=1)
    carries(done.summary)
    frame = done.to_frame()
    assert set(frame[frame["lead"] == "V2"]["state"]) >= {f"not_measurable: {FLAT}"}
    ends_with_use(str(done))
    page = (tmp_path / "out" / "summary.html").read_text(encoding="utf-8")
    for said in ("not a medical device", es.__version__, tables_key(), "time_limit_s 10"):
        assert said in page
    for table in done.tables():
        assert table.schema.metadata[b"ecgspasm.version"] == es.__version__.encode()
        assert table.schema.metadata[b"ecgspasm.use"] == USE.encode()
        assert table.schema.metadata[b"ecgspasm.tables"] == tables_key().encode()


def test_a_batch_does_not_go_on_with_other_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra batch)")
    pytest.importorskip("distributed", reason="distributed is not installed (extra batch)")
    from ecgspasm.batching import manifest

    path = tmp_path / "record.csv"
    es.write(es.simulate.ecg(fs=500, seed=1).ecg, path)
    es.batch("measure", [path], tmp_path / "out", workers=1)
    monkeypatch.setattr(manifest, "tables_key", lambda: "0" * 12)
    with pytest.raises(es.EcgError, match=r"holds another run \(its tables differ\)"):
        es.batch("measure", [path], tmp_path / "out", workers=1)


def test_the_key_follows_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed threshold, a table more and a table less each change it; where the package lies does not."""
    from ecgspasm import stamp

    def key() -> str:
        tables_key.cache_clear()
        return tables_key()

    keys = []
    try:
        for name in ("one", "two"):
            folder = tmp_path / name / "processing"
            folder.mkdir(parents=True)
            (folder / "settings.toml").write_text("st_uv = 100\n", encoding="utf-8")
            monkeypatch.setattr(stamp, "_PACKAGE", tmp_path / name)
            keys.append(key())
        assert keys[0] == keys[1]
        (folder / "settings.toml").write_text("st_uv = 101\n", encoding="utf-8")
        keys.append(key())
        (folder / "more.toml").write_text("", encoding="utf-8")
        keys.append(key())
        assert len(set(keys)) == 3
    finally:
        tables_key.cache_clear()


# --- chance, and the network --------------------------------------------------------------------------------------------------


def calls() -> list[tuple[str, str]]:
    """Dotted names of all that is called in the package, with the module."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found.append((path.relative_to(PACKAGE).as_posix(), ast.unparse(node.func)))
    return found


def test_there_is_no_chance_without_a_seed() -> None:
    """Random numbers come from a generator with a seed, and only where something is simulated, drawn anew or trained."""
    used = [(where, what) for where, what in calls() if "random" in what.split(".") or what.endswith(("default_rng", "shuffle"))]
    assert used
    for where, what in used:
        assert not re.match(r"(np|numpy)\.random\.(?!default_rng|Generator|SeedSequence|PCG64)", what), f"{where}: {what}"
        assert not what.startswith("random."), f"{where}: {what}"
    for path in PACKAGE.rglob("*.py"):
        assert "default_rng()" not in path.read_text(encoding="utf-8"), path.name


def test_nothing_but_the_fetching_of_data_sets_knows_the_network() -> None:
    network = {"socket", "ssl", "urllib.request", "http.client", "requests", "pooch", "urllib3", "httpx", "ftplib", "smtplib"}
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in names:
                assert name not in network or where.startswith("datasets/"), f"{where} imports {name}"


def test_the_same_ecg_is_simulated_from_the_same_seed_in_another_process() -> None:
    import subprocess
    import sys

    code = "import ecgspasm as es; print(es.simulate.ecg(fs=250, seed=9, duration_s=3, noise_uv=5).ecg.signal_uv.sum().hex())"
    told = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert told == {float(np.sum(es.simulate.ecg(fs=250, seed=9, duration_s=3, noise_uv=5).ecg.signal_uv)).hex() + "\n"}
