"""What the project is made of: the bill of materials is that of the lock, and all that is imported may be used by anyone."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.docs_script import docs_script

ROOT = Path(__file__).resolve().parent.parent


packages = docs_script("packages")
BILL: dict[str, Any] = json.loads(packages.SBOM.read_text())
TABLE: dict[str, dict[str, Any]] = {row["name"]: row for row in tomllib.loads(packages.LICENCES.read_text())["package"]}
PERMISSIVE = {
    *("MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "PSF-2.0", "ISC", "Zlib", "CC0-1.0"),
    *("LicenseRef-BSD", "LicenseRef-Matplotlib", "LicenseRef-Public-Domain"),
}
FILE_BY_FILE = {"MPL-2.0"}
"""Weak copyleft: binds who changes those files; each package under it is named with a note."""


def test_the_bill_of_materials_is_that_of_the_lock() -> None:
    listed = {(each["name"], each["version"]): sorted(one["content"] for one in each["hashes"]) for each in BILL["components"]}
    assert listed == {key: entry["hashes"] for key, entry in packages.locked().items()}
    assert all(each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}" for each in BILL["components"])
    assert {one["alg"] for each in BILL["components"] for one in each["hashes"]} == {"SHA-256"}


def test_every_package_of_the_lock_has_hashes() -> None:
    text = packages.LOCK.read_text()
    assert len(packages.locked()) == len(re.findall(r"^[A-Za-z][\w.-]*(?:\[[^\]]*\])?==", text, re.MULTILINE)) > 100
    assert all(entry["hashes"] for entry in packages.locked().values())


def test_nothing_of_a_run_or_of_a_machine_stands_in_the_bill() -> None:
    assert (BILL["bomFormat"], BILL["specVersion"], BILL["version"]) == ("CycloneDX", "1.6", 1)
    assert "serialNumber" not in BILL
    assert "timestamp" not in BILL["metadata"]
    text = packages.SBOM.read_text()
    for word in ("file:", "/home/", "/root/", "/tmp/", "/opt/", "distribution_url", "simple/"):
        assert word not in text
    known = {each["bom-ref"] for each in BILL["components"]} | {"ecgspasm"}
    assert {row["ref"] for row in BILL["dependencies"]} <= known
    assert {name for row in BILL["dependencies"] for name in row["dependsOn"]} <= known
    (own,) = (row["dependsOn"] for row in BILL["dependencies"] if row["ref"] == "ecgspasm")
    assert any(name.startswith("numpy==") for name in own)


def test_all_that_is_imported_at_run_time_stands_in_the_table() -> None:
    needed = packages.at_run_time()
    installed = {packages.normal(each.name) for each in metadata.distributions()}
    assert {"numpy", "scipy", "wfdb", "h5py", "pyarrow", "pydicom", "distributed"} <= needed & installed
    assert needed & installed <= {name for name, row in TABLE.items() if row["imported"]}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_package_has_a_licence_that_lets_anyone_use_it(name: str) -> None:
    row = TABLE[name]
    # "A OR B" lets one choose, "A AND B" binds by both
    choices = [re.split(r" AND ", each) for each in row["licence"].replace("(", "").replace(")", "").split(" OR ")]
    assert any(set(each) <= PERMISSIVE | FILE_BY_FILE for each in choices), row["licence"]
    if row["imported"] and not any(set(each) <= PERMISSIVE for each in choices):
        assert "weak copyleft" in row["note"]
    # what wheels bundle under another licence is named, and none of it is the bare GPL
    bundled = row.get("note", "")
    assert "AGPL" not in bundled
    assert bundled.replace("GPL-3.0-or-later WITH GCC-exception-3.1", "").count("GPL-") == bundled.count("LGPL-2.1-or-later")


def test_the_table_says_what_the_installed_packages_state() -> None:
    read = tomllib.loads(packages.READ.read_text())["package"]
    compared = 0
    for name, row in TABLE.items():
        try:
            found = packages.stated(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform
        compared += 1
        assert row["licence"] == read.get(name, {}).get("licence", found), name
    assert compared > 100
    assert set(read) <= set(TABLE), "licences were read of packages that are gone"
    wrong = [name for name in TABLE if _gpl(name) and name not in read]
    assert not wrong, "these name the GPL: read their licence files"


def _gpl(name: str) -> bool:
    """Whether METADATA outside of the long description name the GPL."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return False
    words = [told.get("License-Expression") or "", (told.get("License") or "")[:200], *(told.get_all("Classifier") or [])]
    return any(re.search(r"\bA?GPL|GNU", each) for each in words)


def test_libraries_that_wheels_bundle_under_other_licences_are_named() -> None:
    kinds = {"libgfortran": "GCC-exception", "libquadmath": "LGPL", "libgomp": "GCC-exception", "libsndfile": "LGPL"}
    found = 0
    for name, row in TABLE.items():
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError:
            continue
        for library, licence in kinds.items():
            if any(Path(str(file)).name.startswith(library) and ".so" in str(file) for file in files):
                found += 1
                assert library in row["note"], name
                assert licence in row["note"], name
    if sys.platform == "linux":
        assert found >= 5
