"""What the project is made of: ``./run python docs/packages.py`` writes ``sbom.json`` and ``licences.toml`` in ``data/trust``.

The bill of materials (CycloneDX) holds every package of ``requirements.lock`` with the hashes of its files; cyclonedx-py reads
descriptions and dependencies from the environment (``pip install cyclonedx-bom``). Nothing in it changes from run to run. The
licences are what the packages state in their METADATA, put into SPDX's words; where that is not clear the licence file was read,
and ``licences-read.toml`` says what it says.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
TRUST = ROOT / "data" / "trust"
SBOM, LICENCES, READ = TRUST / "sbom.json", TRUST / "licences.toml", TRUST / "licences-read.toml"
DEVELOPMENT = {"dev", "docs"}

_SPDX = {
    "MIT License": "MIT",
    "BSD 3-Clause License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "ISC License (ISCL)": "ISC",
    "ISC license": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    **{name: name for name in ("MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "MPL-2.0")},
}
"""What METADATA says, if it is clear. "BSD" and "BSD License" are not: they leave open which."""


def locked() -> dict[tuple[str, str], dict[str, Any]]:
    """Name and version of each package of the lock, with its marker and hashes."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in re.split(r"\n(?=[A-Za-z])", LOCK.read_text().strip()):
        head = re.match(r"([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\\n]+))?", entry)
        assert head is not None, entry[:60]
        hashes = sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        found[normal(head[1]), head[2]] = {"name": head[1], "marker": (head[3] or "").strip(), "hashes": hashes}
    return found


def normal(name: str) -> str:
    """Name of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def at_run_time() -> set[str]:
    """Packages that ecgspasm and its extras need, without those of development."""
    needed: dict[str, set[str]] = {}

    def walk(name: str, extras: set[str]) -> None:
        try:
            requires = metadata.distribution(name).requires or []
        except metadata.PackageNotFoundError:
            return  # of another platform, or torch, which is not among the development packages
        for each in map(Requirement, requires):
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                key, more = normal(each.name), set(each.extras)
                if key not in needed or not more <= needed[key]:
                    needed[key] = needed.get(key, set()) | more
                    walk(each.name, more)

    extras = set(metadata.metadata("ecgspasm").get_all("Provides-Extra") or []) - DEVELOPMENT
    walk("ecgspasm", extras)
    return needed.keys() - {"ecgspasm"}


def stated(name: str) -> str:
    """The licence that the METADATA of an installed package state, in SPDX's words; empty if that is not clear."""
    told = metadata.metadata(name)
    if told.get("License-Expression"):
        return str(told["License-Expression"])
    for words in [(told.get("License") or "").strip(), *(told.get_all("Classifier") or [])]:
        if words.rpartition(" :: ")[2] in _SPDX:
            return _SPDX[words.rpartition(" :: ")[2]]
    return ""


def licences() -> list[dict[str, Any]]:
    """One row a package of the lock that is installed here."""
    read = tomllib.loads(READ.read_text())["package"]
    run_time, rows = at_run_time(), []
    for name, version in sorted(locked()):
        try:
            if metadata.version(name) != version:
                continue  # that of another Python
        except metadata.PackageNotFoundError:
            continue
        own = read.get(name, {})
        licence = own.get("licence") or stated(name)
        if not licence:
            raise SystemExit(f"the METADATA of {name} do not say which licence: read its licence file and add it to {READ.name}")
        row: dict[str, Any] = {"name": name, "licence": licence, "imported": name in run_time}
        rows.append(row | ({"note": own["note"]} if "note" in own else {}))
    return rows


def licences_text() -> str:
    """The table of licences as a file."""
    lines = [
        "# Licences of the packages in requirements.lock; written by docs/packages.py. `imported`: at run time, by ecgspasm or",
        "# by a package that it or one of its extras needs; the others are for development alone.",
        "",
    ]
    for row in licences():
        lines += ["[[package]]", *(f"{name} = {_toml(value)}" for name, value in row.items()), ""]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def bill(environment: dict[str, Any]) -> dict[str, Any]:
    """The bill of materials from the lock and from what cyclonedx-py says of the environment."""
    seen = {(normal(each["name"]), each["version"]): each for each in environment["components"]}
    told = {row["name"]: row["licence"] for row in licences()}
    components = []
    for (name, version), entry in sorted(locked().items()):
        known = seen.get((name, version), {})
        licence = told.get(name)
        component: dict[str, Any] = {"type": "library", "bom-ref": f"{name}=={version}", "name": name, "version": version}
        component |= {"description": known["description"]} if "description" in known else {}
        component["hashes"] = [{"alg": "SHA-256", "content": each} for each in entry["hashes"]]
        component |= {"licenses": [{"expression": licence}]} if licence else {}
        component["purl"] = f"pkg:pypi/{name}@{version}"
        component |= {"properties": [{"name": "ecgspasm:marker", "value": entry["marker"]}]} if entry["marker"] else {}
        components.append(component)
    names = {each["bom-ref"]: f"{normal(each['name'])}=={each['version']}" for each in environment["components"]}
    names["root-component"] = "ecgspasm"
    there = {each["bom-ref"] for each in components} | {"ecgspasm"}
    depends = [
        {
            "ref": names[row["ref"]],
            "dependsOn": sorted(names[each] for each in row.get("dependsOn", []) if names.get(each) in there),
        }
        for row in environment["dependencies"]
        if names.get(row["ref"]) in there
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    root = {"type": "library", "bom-ref": "ecgspasm", "name": "ecgspasm", "version": project["version"]}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root | {"licenses": [{"license": {"id": project["license"]}}]}},
        "components": components,
        "dependencies": sorted(depends, key=lambda row: str(row["ref"])),
    }


def main() -> int:
    said = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--spec-version", "1.6", "--no-validate",
         "--pyproject", str(ROOT / "pyproject.toml"), sys.executable],
        capture_output=True, text=True,
    )  # fmt: skip
    if said.returncode:
        print(f"cyclonedx-py: {said.stderr.strip()[-500:]}", file=sys.stderr)
        return 1
    LICENCES.write_text(licences_text())
    SBOM.write_text(json.dumps(bill(json.loads(said.stdout)), indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
