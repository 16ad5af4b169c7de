"""The rooms and their stairs: imports run one way, `import ecgspasm` stays light, the public names are what is promised."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ecgspasm

PACKAGE = Path(ecgspasm.__file__).parent

# Top floor first. A room may import only what stands below it; rooms on one line do not import each other.
FLOORS = [
    {"__main__"},
    {"cli"},
    {"demo", "training"},
    {"report"},
    {"batching", "plot"},
    {"benchmarks"},
    {"course"},
    {"provoking"},
    {"continuous"},
    {"serial"},
    {"analysis"},
    {"datasets"},
    {"io", "processing", "simulate", "criteria"},
    {"recording"},
    {"ecg"},
    {"leads"},
    {"markup"},
    {"errors", "stamp", "masks"},
]
HEIGHT = {room: -floor for floor, rooms in enumerate(FLOORS) for room in rooms}
STEPS = {"quality", "clean", "beats", "delineate", "median", "measure"}


def imports() -> list[tuple[str, str]]:
    """Pairs (importing module, imported module) within the package, also those inside functions."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ecgspasm":
                inside = node.module.removeprefix("ecgspasm").lstrip(".")
                found += [(module, f"{inside}.{alias.name}".lstrip(".")) for alias in node.names]
            elif isinstance(node, ast.Import):
                found += [(module, a.name.removeprefix("ecgspasm.")) for a in node.names if a.name.startswith("ecgspasm.")]
    return found


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir() if _is_code(path)}
    assert rooms - {"__init__"} <= set(HEIGHT)


def _is_code(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))


def test_imports_run_downstairs_only() -> None:
    wrong = []
    for module, target in imports():
        here, there = module.split(".")[0], target.split(".")[0]
        if here in HEIGHT and there in HEIGHT and here != there and HEIGHT[there] >= HEIGHT[here]:
            wrong.append(f"{module} -> {target}")
    assert imports()
    assert not wrong


def test_formats_know_nothing_of_each_other() -> None:
    """Each folder of `io` is a format, or formats of one kind; only what chooses among them knows them."""
    formats = {path.parent.name for path in (PACKAGE / "io").glob("*/__init__.py")}
    wrong = [
        f"{module} -> {target}"
        for module, target in imports()
        if module.startswith("io.") and module not in ("io.formats", "io.writing")
        if target.startswith("io.") and target.split(".")[1] in formats and target.split(".")[1] != module.split(".")[1]
    ]
    assert len(formats) > 5
    assert not wrong


def test_steps_do_not_import_each_other() -> None:
    wrong = [
        f"{module} -> {target}"
        for module, target in imports()
        if module.startswith("processing.") and module.split(".")[1] in STEPS
        if target.startswith("processing.") and target.split(".")[1] in STEPS and target.split(".")[1] != module.split(".")[1]
    ]
    assert not wrong


def test_import_and_help_load_no_heavy_package() -> None:
    code = (
        "import sys, ecgspasm, ecgspasm.cli\n"
        "try: ecgspasm.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'matplotlib', 'pandas', 'wfdb', 'neurokit2', 'pydicom', 'pooch', 'requests'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "compare" in done.stdout


def test_analysis_loads_neither_matplotlib_nor_pandas_nor_wfdb() -> None:
    code = (
        "import sys, ecgspasm as es\n"
        "made = es.simulate.ecg(fs=500, seed=1).ecg\n"
        "es.compare(made, made)\n"
        "heavy = {'matplotlib', 'pandas', 'wfdb', 'neurokit2', 'pydicom'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_public_names() -> None:
    promised = {"read", "Ecg", "Measurements", "Subject", "analyze", "delineate", "compare", "load_criteria", "EcgError"}
    promised |= {"from_array", "read_pdf", "to_frame", "to_mne", "to_neurokit", "to_xarray", "write"}
    promised |= {"datasets", "simulate", "plot", "report", "Course", "case_table", "load_courses"}
    promised |= {"batch", "Monitor", "ProvocationTest", "Recording", "monitor", "open_recording", "provocation"}
    assert promised | {"__version__"} == set(ecgspasm.__all__)
    for name in promised:
        assert getattr(ecgspasm, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ecgspasm.nonsense


def test_version_stands_in_one_place() -> None:
    import tomllib

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == ecgspasm.__version__


def test_lock_is_hashed_and_names_no_index() -> None:
    lock = (PACKAGE.parent / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index" not in lock
    packages = [line for line in lock.splitlines() if line and line[0].isalnum()]
    assert len(packages) > 20
    blocks = lock.replace("\\\n", " ").splitlines()
    assert all("--hash=sha256:" in line for line in blocks if line and line[0].isalnum())
