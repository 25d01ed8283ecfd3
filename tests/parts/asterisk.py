"""A real Asterisk with the configuration of asterisk/: a folder and ports of its own, stopped by its process id."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.parts.prompts import make_prompts
from tests.parts.purity import no_numbers
from tests.parts.where import NOBODY, ROOT, asterisk_command, asterisk_modules, asterisk_tree

PBX = "127.0.0.1"
CARRIER = "127.0.0.2"
PHONES = "127.0.0.3"
BROWSERS = {"enabled": "yes", "icesupport": "yes"}
"""For `local`: agents telephone in the browser."""
READY = b"Asterisk Ready."
START_SECONDS = 30.0


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = PBX) -> int:
    """A port nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass
class RealAsterisk:
    """Use as `with RealAsterisk() as pbx:`. Several may run side by side.

    The router (or a test in its place) is expected at `agi_port`; the carrier calls from CARRIER, agents' phones
    register from PHONES as a1 … a12 with `agent_secret(name)`, browsers' as w1 … w4
    where `local` has BROWSERS.
    """

    fallback: str = "PJSIP/a1&PJSIP/a2"
    """Who is rung when the router cannot be reached."""
    local: dict[str, str] = field(default_factory=dict)
    """Other values for lines of kcc-local.conf, such as {"KCC_FALLBACK_RING": "2"}."""
    spoken: bool = False
    """Dutch prompts by espeak-ng, rather than a short tone for each (`prompt_hertz`)."""
    systemname: str = "kcc"
    """What stands before each Uniqueid: different for each of several."""
    certificate: bytes = b""
    """Certificate and key (PEM): AMI is then over TLS too, at `ami_tls_port`."""
    agi_port: int = 0
    sip_port: int = 0
    carrier_port: int = 0
    """Where the carrier takes calls that go out."""
    ami_port: int = 0
    ami_tls_port: int = 0
    web_port: int = 0
    """Where browsers' phones connect: ws://127.0.0.1:<web_port>/ws."""
    ami_user: str = "router"
    ami_secret: str = field(default_factory=lambda: secrets.token_hex(12))
    agi_secret: str = field(default_factory=lambda: secrets.token_hex(12))
    phone_secret: str = field(default_factory=lambda: secrets.token_hex(12))
    folder: Path = Path()
    process: subprocess.Popen[bytes] | None = None
    _reading: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.prepare()
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        log = self.log()
        self.remove()
        if error is None:
            no_numbers("Asterisk's log", log)

    def agent_secret(self, name: str) -> str:
        """The password of an agent's phone, a1 … a12 or w1 … w4, or a supervisor's, s1 and s2."""
        number = int(name[1:]) + {"a": 0, "s": 100, "w": 200}[name[0]]
        return f"{self.phone_secret}-{number}"

    def prepare(self) -> None:
        """Fill a folder: asterisk/ as it stands, with addresses, paths and secrets filled in."""
        tree, modules = asterisk_tree(), asterisk_modules()
        assert tree is not None, "no Asterisk on this machine: see tests/parts/where.py"
        assert modules is not None, "Asterisk has no modules"
        self.agi_port = self.agi_port or free_port()
        self.sip_port = self.sip_port or free_port(socket.SOCK_DGRAM)
        self.ami_port = self.ami_port or free_port()
        self.ami_tls_port = self.ami_tls_port or free_port()
        self.carrier_port = self.carrier_port or free_port(socket.SOCK_DGRAM, CARRIER)
        self.web_port = self.web_port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="kcc-pbx-"))
        for name in ("etc", "lib", "db", "keys", "spool/kcc", "run", "log", "data/sounds"):
            (self.folder / name).mkdir(parents=True)
        share = tree / "usr/share/asterisk"
        for name in ("documentation", "moh", "rest-api", "keys", "agi-bin"):
            (self.folder / "data" / name).symlink_to(share / name)
        english = self.folder / "data/sounds/en"
        english.mkdir()
        for sound in (share / "sounds/en_US_f_Allison").iterdir():
            (english / sound.name).symlink_to(sound)
        make_prompts(self.folder / "data/sounds", spoken=self.spoken)
        for source in sorted((ROOT / "asterisk").glob("*.conf")):
            (self.folder / "etc" / source.name).write_text(self._filled(source, modules))
        if self.certificate:
            self.show(self.certificate)
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def show(self, certificate: bytes) -> None:
        """Have this certificate (and key) in its place; it counts from the next start on."""
        (self.folder / "keys/ami.pem").write_bytes(certificate)

    def _filled(self, source: Path, modules: Path) -> str:
        text = source.read_text()
        if source.name == "asterisk.conf":
            places = {
                "astetcdir": "etc", "astvarlibdir": "lib", "astdbdir": "db", "astkeydir": "keys", "astdatadir": "data",
                "astagidir": "data/agi-bin", "astspooldir": "spool", "astrundir": "run", "astlogdir": "log",
            }  # fmt: skip
            for key, place in places.items():
                text = _set_line(text, key, str(self.folder / place))
            text = _set_line(text, "systemname", self.systemname)
            return _set_line(text, "astmoddir", str(modules))
        for name, value in {
            "AGI_SECRET": self.agi_secret,
            "AMI_SECRET": self.ami_secret,
            "AGENT_SECRET": self.phone_secret,
            "FALLBACK": self.fallback,
            "CARRIER_ADDRESS": CARRIER,
            "PBX_ADDRESS": PBX,
        }.items():
            text = text.replace(f"@{name}@", value)
        if source.name == "kcc-local.conf":
            text = text.replace("; exten =>", "exten =>")  # the landing numbers that stand there as an example
            own = {
                "KCC_ROUTER": f"{PBX}:{self.agi_port}",
                "KCC_SPOOL": str(self.folder / "spool/kcc"),
                "bind": f"{PBX}:{self.sip_port}",
                "contact": f"sip:{CARRIER}:{self.carrier_port}",
                "port": str(self.ami_port),
                "bindport": str(self.web_port),
            }
            if self.certificate:
                text = text.replace("\n;tls", "\ntls")
                own |= {"tlsbindaddr": f"{PBX}:{self.ami_tls_port}", "tlscertfile": str(self.folder / "keys/ami.pem")}
            for key, value in {**own, **self.local}.items():
                text = _set_line(text, key, value)
        left = re.findall(r"@[A-Z_]+@", text)
        assert not left, f"{source.name}: nothing fills in {left}"
        return text

    def start(self) -> None:
        """Start it, and return when it says it is ready."""
        command = asterisk_command()
        assert command is not None
        with (self.folder / "log" / "stderr.log").open("ab") as errors:
            self.process = subprocess.Popen(
                [*command, "-f", "-C", str(self.folder / "etc/asterisk.conf")],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        self._await_ready(self.process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        out = process.stdout.fileno()
        os.set_blocking(out, False)
        seen = b""
        end = time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while READY not in seen:
                if not selector.select(timeout=max(0.0, end - time.monotonic())):
                    break
                piece = os.read(out, 65536)
                if not piece:
                    break
                seen += piece
        if READY not in seen:
            self.kill()
            raise RuntimeError(f"Asterisk did not get ready:\n{seen.decode(errors='replace')}\n{self.log()}")
        os.set_blocking(out, True)
        self._reading = threading.Thread(target=_read_on, args=(out,), daemon=True)
        self._reading.start()

    def cli(self, command: str) -> str:
        """What the console prints for a command. Blocks: from a test that serves AGI use `ask`."""
        program = asterisk_command()
        assert program is not None
        done = subprocess.run(
            [*program, "-rx", command, "-C", str(self.folder / "etc/asterisk.conf")],
            capture_output=True, timeout=20, check=False,
        )  # fmt: skip
        return done.stdout.decode(errors="replace")

    async def ask(self, command: str) -> str:
        """`cli` for asyncio."""
        return await asyncio.to_thread(self.cli, command)

    def log(self) -> str:
        """All it has logged: warnings and errors."""
        return "".join(
            path.read_text(errors="replace")
            for path in (self.folder / "log/messages.log", self.folder / "log/stderr.log")
            if path.exists()
        )

    def complaints(self) -> list[str]:
        """The warnings and errors among the log lines."""
        return [line for line in self.log().splitlines() if re.search(r"\b(WARNING|ERROR)\b", line)]

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would; `start` brings it up again in the same folder."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
        if self._reading is not None:
            self._reading.join()
        if process.stdout is not None:
            process.stdout.close()

    def remove(self) -> None:
        """Throw the folder away."""
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)


def _read_on(out: int) -> None:
    """Take what it says on its console until it ends: a full pipe would stop it."""
    while os.read(out, 65536):
        pass


def _set_line(text: str, key: str, value: str) -> str:
    """`key = value` or `key => value` with another value; the key must be there."""
    change: Callable[[re.Match[str]], str] = lambda found: found.group(1) + value  # noqa: E731
    changed, count = re.subn(rf"(?m)^({re.escape(key)}\s*=>?\s*)[^;\n]*", change, text)
    assert count, f"no line sets {key}"
    return changed
