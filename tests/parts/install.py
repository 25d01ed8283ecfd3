"""Gets the real parts: Debian's packages, installed when we are root and unpacked into .parts otherwise.

Asterisk is always unpacked from Debian's unstable suite with its own C library, beside the system and never into it.
Standard library only: this runs before any virtual environment exists.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.parts import where

ASTERISK_SUITE = "sid"  # Debian 12 has no Asterisk; stable suites have none newer than 16
ASTERISK_PACKAGES = ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-gsm", "asterisk-moh-opsound-gsm")
NO_SERVICES = Path("/usr/sbin/policy-rc.d")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class CannotGet(Exception):
    """A part could not be had; the message says why, for people."""


@dataclass(frozen=True)
class Part:
    """One part: what it is for, how to see that it is there, and which packages bring it."""

    name: str
    needed_for: str
    found: Callable[[], object]
    packages: tuple[str, ...]
    suite: str | None = None
    """A suite of Debian other than the machine's own: then it is always unpacked into .parts."""
    unpacks: bool = True
    """Whether the packages work from a folder of ours, without root."""


PARTS = (
    Part(
        "asterisk",
        "tests marked asterisk: calls through a real PBX",
        where.asterisk_command,
        ASTERISK_PACKAGES,
        suite=ASTERISK_SUITE,
    ),
    Part("sipp", "tests marked asterisk: callers and phones", where.sipp_command, ("sip-tester",)),
    Part(
        "dovecot",
        "tests marked imap: a real mailbox",
        where.dovecot_command,
        ("dovecot-imapd", "dovecot-lmtpd"),
        unpacks=False,
    ),
    Part(
        "chromium",
        "tests marked browser: desk, wallboard, chat",
        where.chromium_path,
        ("chromium",),
        unpacks=False,
    ),
    Part("espeak", "spoken prompts in tests marked asterisk", where.espeak_command, ("espeak-ng",)),
    Part("fonts", "screenshots in tests marked browser", where.dejavu_fonts, ("fonts-dejavu-core",), unpacks=False),
)


def install() -> list[str]:
    """Get every part that is missing; says what it does. Returns one line for each part that is still missing."""
    wanted = [part for part in PARTS if not part.found()]
    failures: dict[str, str] = {}
    if os.geteuid() == 0:
        of_the_system = [part for part in wanted if part.suite is None]
        if of_the_system:
            _say(f"installing {', '.join(part.name for part in of_the_system)} (apt-get) …")
            try:
                _install_in_system([package for part in of_the_system for package in part.packages])
            except CannotGet as reason:
                failures.update({part.name: str(reason) for part in of_the_system})
    for part in wanted:
        if part.found() or part.name in failures:
            continue
        try:
            _unpack(part)
        except CannotGet as reason:
            failures[part.name] = str(reason)
    return [
        f"{part.name} is missing ({failures.get(part.name, 'its packages brought nothing usable')}). "
        f"Skipped for it: {part.needed_for}."
        for part in PARTS
        if not part.found()
    ]


def _say(text: str) -> None:
    print(text, flush=True)


def _run(command: Sequence[str], cwd: Path | None = None) -> None:
    """Run quietly; its last words become the reason when it fails. Addresses in them are left out."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise CannotGet(f"{command[0]} is not on this machine: is it a Debian?") from None
    if done.returncode != 0:
        words = re.sub(r"\S+://\S+", "…", (done.stderr.strip() or done.stdout.strip() or "no message")).splitlines()
        raise CannotGet(f"{command[0]}: {words[-1]}")


def _install_in_system(packages: list[str]) -> None:
    """apt-get install, with services kept from starting: tests start their own."""
    _run(["apt-get", "-q", "update"])
    keep_quiet = not NO_SERVICES.exists()
    if keep_quiet:
        NO_SERVICES.write_text("#!/bin/sh\nexit 101\n")
        NO_SERVICES.chmod(0o755)
    try:
        _run(["apt-get", "-q", "-y", "--no-install-recommends", "install", *packages])
    finally:
        if keep_quiet:
            NO_SERVICES.unlink(missing_ok=True)


def _unpack(part: Part) -> None:
    """Download the packages and unpack them into .parts/<name>/tree, which appears only when it is complete."""
    if not part.unpacks:
        raise CannotGet(f"needs root: apt-get install {' '.join(part.packages)}")
    _say(f"unpacking {part.name} into .parts …")
    where.PARTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{part.name}-", dir=where.PARTS) as temporary:
        work = Path(temporary)
        tree = work / "tree"
        for folder in ("etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d", "state/lists/partial", "tree"):
            (work / folder).mkdir(parents=True)
        archives = work / "cache" / "archives"
        (archives / "partial").mkdir(parents=True)
        apt = ["apt-get", *_apt_root(work, part.suite)]
        _run([*apt, "-q", "update"])
        _run([*apt, "-q", "-y", "--download-only", "install", *part.packages])
        for package in sorted(archives.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(tree)])
        tree.chmod(0o755)
        home = where.PARTS / part.name
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        tree.rename(home / "tree")


def _apt_root(work: Path, suite: str | None) -> list[str]:
    """Options that give apt-get a root of its own in `work`, without rights and without touching the system's.

    For another suite nothing counts as installed, so the packages come with every library they need; for the
    machine's own release only what it lacks is downloaded.
    """
    options = [
        f"Dir::State={work}/state",
        f"Dir::Cache={work}/cache",
        "Acquire::Languages=none",
        "APT::Install-Recommends=0",
        "Debug::NoLocking=1",
    ]
    if os.geteuid() == 0:
        options.append("APT::Sandbox::User=root")
    status = Path("/var/lib/dpkg/status")
    if suite is not None:
        status = work / "status"
        status.touch()
        sources = work / "etc" / "sources.list.d" / f"{suite}.sources"
        sources.write_text(
            f"Types: deb\nURIs: {_mirror()}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
            "Check-Valid-Until: no\n"
        )
        options += [f"Dir::Etc={work}/etc", f"Dir::Etc::sourceparts={sources.parent}"]
    options.append(f"Dir::State::status={status}")
    return [argument for option in options for argument in ("-o", option)]


def _mirror() -> str:
    """The Debian mirror that this machine already uses, in either form of its sources."""
    folder = Path("/etc/apt")
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for line in path.read_text().splitlines():
            if match := re.match(r"URIs:\s*(\S+)", line):
                return match[1]
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        if not path.exists():
            continue
        for line in path.read_text().splitlines():
            if match := re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)", line):
                return match[1]
    raise CannotGet("no Debian mirror is set up in /etc/apt")
