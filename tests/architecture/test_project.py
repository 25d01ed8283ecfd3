"""The project's hygiene: locks, version floors, sizes of modules and functions, and what its papers say."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import ROOT, functions, modules, tree

LOCKS = sorted(ROOT.glob("requirements*.txt"))
README_LINES_MAX = 120
MODULE_LINES_MAX = 450
FUNCTION_LINES_MAX = 60

# Versions below these have known holes or defects that the server relies on being mended.
FLOORS = {
    "aiohttp": (3, 14),  # CVE-2025-69228, -69229, CVE-2026-34516, -34525
    "python-socketio": (5, 18),  # CVE-2025-61765 (5.14), CVE-2026-48804
    "python-engineio": (4, 15),
}
EXACTLY = {"pyst2": "0.5.1"}  # every defect contained in router/channels/voice/pyst.py was found in this one


def requirements(lock: Path) -> dict[str, tuple[str, int]]:
    """Name -> (version, number of hashes)."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line):
            name = match[1].lower()
            found[name] = (match[2], 0)
        elif line.strip().startswith("--hash=sha256:"):
            version, hashes = found[name]
            found[name] = (version, hashes + 1)
    return found


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_locks_are_there() -> None:
    assert {lock.name for lock in LOCKS} == {
        "requirements.txt",
        "requirements-build.txt",
        "requirements-node.txt",
        "requirements-test.txt",
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_index(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if re.match(r"\s*(--(extra-)?index-url|--find-links|-i |-f )|.*://", line)]
    pinned = requirements(lock)
    assert pinned
    assert not [name for name, (_, hashes) in pinned.items() if hashes == 0]
    starts = [line for line in lines if line and line[0] not in " #"]
    assert len(starts) == len(pinned), "something in the lock is not `name==version`"


def test_one_install_of_the_test_lock_gives_what_the_server_runs_on() -> None:
    both = requirements(ROOT / "requirements-test.txt")
    for name in ("requirements.txt", "requirements-build.txt"):
        for package, pin in requirements(ROOT / name).items():
            assert both.get(package) == pin, f"{package} differs between {name} and requirements-test.txt"


def test_every_dependency_is_locked() -> None:
    locked = requirements(ROOT / "requirements.txt")
    for wanted in project()["project"]["dependencies"]:
        name = re.split(r"[<>=!~;\[ ]", wanted)[0].lower()
        assert name in locked, f"{name} is not in requirements.txt: `make lock`"


def test_versions_are_above_their_floors() -> None:
    locked = requirements(ROOT / "requirements.txt")
    for name, floor in FLOORS.items():
        version = tuple(int(part) for part in locked[name][0].split(".")[:2])
        assert version >= floor, f"{name} {locked[name][0]} is below {floor}"
    for name, exact in EXACTLY.items():
        assert locked[name][0] == exact


def test_the_package_lock_holds_no_addresses() -> None:
    lock = ROOT / "web" / "package-lock.json"
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    assert not [name for name, entry in packages.items() if str(entry.get("resolved", "")).startswith("http")]
    assert not [
        name
        for name, entry in packages.items()
        if name and not entry.get("link") and not entry.get("inBundle") and not entry.get("integrity")
    ]


def test_readme_stays_short() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= README_LINES_MAX


def test_modules_say_what_they_are_for_and_stay_small() -> None:
    silent = [name for name in modules() if not _first_line_says(name)]
    assert not silent, "modules without a one-line docstring at the top"
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert not {name: count for name, count in lines.items() if count > MODULE_LINES_MAX}


def _first_line_says(name: str) -> bool:
    first = tree(name).body[:1]
    docstring = first[0].value if first and hasattr(first[0], "value") else None
    text = getattr(docstring, "value", None)
    return isinstance(text, str) and getattr(docstring, "lineno", 0) == 1 and bool(text.splitlines()[0].strip())


def test_functions_stay_small() -> None:
    long = {
        f"{name}.{function}": lines
        for name in modules()
        for function, lines in functions(name)
        if lines > FUNCTION_LINES_MAX
    }
    assert not long


def test_publiccode_says_what_the_standard_asks() -> None:
    paper = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    wanted = {
        "publiccodeYmlVersion", "name", "url", "platforms", "categories", "developmentStatus", "softwareType",
        "description", "legal", "maintenance", "localisation",
    }  # fmt: skip
    assert wanted <= paper.keys()
    assert paper["publiccodeYmlVersion"].startswith("0.4")
    assert paper["name"] == project()["project"]["name"]
    assert paper["legal"]["license"] == project()["project"]["license"]
    assert paper["softwareVersion"] == project()["project"]["version"]
    assert paper["maintenance"]["type"] == "internal"
    assert paper["maintenance"]["contacts"]
    assert set(paper["localisation"]["availableLanguages"]) == {"nl", "en"}
    assert paper["description"].keys() == {"nl", "en"}
    for language, text in paper["description"].items():
        assert len(text["shortDescription"]) <= 150, language
        assert 150 <= len(text["longDescription"]) <= 10_000, language
        assert text["features"], language


def test_the_changelog_knows_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog
    assert f"## [{project()['project']['version']}]" in changelog


def test_the_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert "15.Applicable Law" in text


def test_every_test_that_the_evidence_names_exists() -> None:
    page = (ROOT / "docs/evidence/failure-cases.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?", page)
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    assert named
    assert not [(file, name) for file, name in named if name and f"def {name}(" not in texts.get(file, "")]
    assert not [file for file, _ in named if file not in texts]
