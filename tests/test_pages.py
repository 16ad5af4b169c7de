"""The pages say what is true: every block of code on them runs, what they show is what is printed, and links lead somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs_script import docs_script

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")


BLOCKS = docs_script("blocks")
PAGES = [page for page in BLOCKS.pages() if "_build" not in page.parts]
WITH_CODE = [page for page in PAGES if BLOCKS.blocks(page)]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
@pytest.mark.filterwarnings("default")
def test_every_block_of_a_page_runs_and_prints_what_it_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("folds"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    prepare = BLOCKS.PREPARED.get(name_of(page))
    if prepare is not None:
        prepare()
    for block, printed in BLOCKS.run(BLOCKS.blocks(page)):
        if block.output is not None:
            assert printed == BLOCKS.tidy(block.output), f"{block.page}:{block.line}: the page is out of date; run docs/build.py"


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    every = [block for page in WITH_CODE for block in BLOCKS.blocks(page)]
    left_out = [block for block in every if block.not_run]
    assert len(every) > 30
    assert len(left_out) <= len(every) // 5, [f"{block.page}:{block.line}" for block in left_out]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{name_of(page)} links to {target}"


def test_what_is_generated_is_current() -> None:
    build = docs_script("build")
    for path, text in build.generated().items():
        assert path.read_text(encoding="utf-8") == text, f"{name_of(path)} is out of date; run ./run python docs/build.py"


def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    build = pytest.importorskip("sphinx.cmd.build", reason="the documentation needs sphinx")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    arguments = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    arguments += [str(ROOT / "docs"), str(tmp_path / "html")]
    finished = subprocess.run([sys.executable, "-m", build.__name__, *arguments], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert (tmp_path / "html" / "index.html").exists()
    assert "st_j_uv" in (tmp_path / "html" / "reference" / "criteria.html").read_text(encoding="utf-8")
