"""Where each real part is on this machine, and the command that starts it. Standard library only.

A command is None when the part is absent; tests that need it are then skipped with `missing(name)` as the reason.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / ".parts"

NOBODY = 65534


def missing(part: str) -> str:
    """The reason a test gives for being skipped."""
    return f"{part} is not on this machine: `make parts` gets it"


def _tree(part: str) -> Path | None:
    """The folder a part was unpacked into; it exists only when it is complete."""
    tree = PARTS / part / "tree"
    return tree if tree.is_dir() else None


def _library_path(tree: Path) -> str:
    folders = [*tree.glob("usr/lib/*-linux-gnu"), *tree.glob("lib/*-linux-gnu"), tree / "usr/lib"]
    return ":".join(str(folder) for folder in folders)


def _program(part: str, path: str) -> list[str] | None:
    """A program of the system, or the one unpacked into .parts together with the libraries it needs."""
    tree = _tree(part)
    if tree is not None and (tree / path).exists():
        return ["env", f"LD_LIBRARY_PATH={_library_path(tree)}", str(tree / path)]
    # Servers are in /usr/sbin, which an ordinary user's PATH may lack.
    found = shutil.which(Path(path).name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return [found] if found else None


def open_to_nobody(path: Path) -> bool:
    """Whether an unprivileged user can reach and read `path`: every folder above it lets others through."""
    readable = path.stat().st_mode & (0o005 if path.is_dir() else 0o004)
    return bool(readable) and all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def unprivileged(*needs: Path) -> list[str]:
    """A prefix that runs a command as nobody when we are root, unless nobody cannot reach what it `needs`."""
    if os.geteuid() != 0 or not all(open_to_nobody(path) for path in needs):
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def asterisk_tree() -> Path | None:
    """The folder that stands for `/` in Asterisk's own paths: modules, sounds, music."""
    return _tree("asterisk")


def asterisk_modules() -> Path | None:
    """What `astmoddir` in asterisk.conf must name."""
    tree = asterisk_tree()
    return next(iter(tree.glob("usr/lib/*-linux-gnu/asterisk/modules")), None) if tree else None


def asterisk_command() -> list[str] | None:
    """Asterisk under its own loader and libraries; add `-f -C asterisk.conf`, or `-rx COMMAND -C …` for its console."""
    tree = asterisk_tree()
    if tree is None:
        return None
    loader = next(iter(sorted(tree.glob("usr/lib*/ld-linux*.so.*"))), None)
    if loader is None:
        return None
    program = tree / "usr/sbin/asterisk"
    command = [str(loader), "--library-path", _library_path(tree), str(program)]
    return [*unprivileged(program), "env", "-i", "PATH=/usr/bin:/bin", "HOME=/nonexistent", *command]


def sipp_command() -> list[str] | None:
    """SIPp 3.6 or newer."""
    return _program("sipp", "usr/bin/sipp")


def dovecot_command() -> list[str] | None:
    """Dovecot's master; add `-F -c dovecot.conf`. It needs its IMAP and LMTP services beside it."""
    if not all(Path("/usr/lib/dovecot", service).exists() for service in ("imap", "imap-login", "lmtp")):
        return None
    return _program("dovecot", "usr/sbin/dovecot")


def chromium_path() -> str | None:
    """For Playwright's `executable_path`."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def espeak_command() -> list[str] | None:
    """Speech for test prompts; add `-v nl --stdout TEXT`."""
    command = _program("espeak", "usr/bin/espeak-ng")
    tree = _tree("espeak")
    if command is None or tree is None or command[0] != "env":
        return command
    data = next(iter(tree.glob("usr/lib/*-linux-gnu/espeak-ng-data")), None)
    return ["env", f"ESPEAK_DATA_PATH={data.parent}", *command[1:]] if data else command


def dejavu_fonts() -> Path | None:
    """The fonts that screenshots are pinned to."""
    fonts = Path("/usr/share/fonts/truetype/dejavu")
    return fonts if fonts.is_dir() else None
