"""Starts the servers that tests talk to, each in a folder and on ports of its own, and stops them by process id."""

from __future__ import annotations

import grp
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts.where import NOBODY, dovecot_command, unprivileged

HOST = "127.0.0.1"
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = range(10_000 + _WORKER, 20_000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
"""Each process of a test run has its own: a port that another one has chosen too is free until it is used."""
START_SECONDS = 15.0
STOP_SECONDS = 5.0
LOG_TAIL = 2_000


class DidNotStart(Exception):
    """The server ended, or did not answer in time; the message ends with its last words."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on at this moment, all different; below those that outgoing connections are given, so that
    none of these takes one before its server starts."""
    sockets: dict[int, socket.socket] = {}
    try:
        while len(sockets) < count:
            one, port = socket.socket(), random.SystemRandom().choice(PORTS)
            try:
                one.bind((HOST, port))
            except OSError:
                one.close()
            else:
                sockets[port] = one
        return list(sockets)
    finally:
        for one in sockets.values():
            one.close()


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """A folder that the server may write in, also when it runs as nobody; short, since sockets live in it."""
    folder = Path(tempfile.mkdtemp(prefix=f"kcc-{name}-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(command: list[str], folder: Path, ports: list[int], log: Path | None = None) -> Iterator[int]:
    """The server while it runs, in a process group of its own; gives its process id once every port answers.

    Raises DidNotStart. What it says goes to `folder`/output.
    """
    output = folder / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _wait(lambda: all(answers(port) for port in ports), process, [output, *([log] if log else [])])
        yield process.pid
    finally:
        stop(process)


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], logs: list[Path]) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        try:
            process.wait(0.02)  # between two looks: long enough not to spin, and it notices an early end
        except subprocess.TimeoutExpired:
            if time.monotonic() < until:
                continue
        words = "\n".join(log.read_text(errors="replace")[-LOG_TAIL:] for log in logs if log.exists())
        raise DidNotStart(f"{process.args!r} did not start:\n{words}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server politely, then for certain, with the helpers it started."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class Mailboxes:
    """A running Dovecot. Any user name has a mailbox; the password is the same for all."""

    host: str
    imap_port: int
    lmtp_port: int
    password: str
    folder: Path
    pid: int


@contextmanager
def dovecot(imap_port: int = 0, lmtp_port: int = 0, folder: Path | None = None) -> Iterator[Mailboxes]:
    """A real IMAP server: mail goes in by LMTP (`smtplib.LMTP`), is read by IMAP, without encryption.

    Ports are picked free unless given; with a `folder` (of `own_folder`) the mail outlives the server, so that a test
    can stop it and start it again. Raises DidNotStart; the caller has seen that `dovecot_command()` is not None.
    """
    command = dovecot_command()
    assert command is not None
    free = free_ports(2)
    imap_port, lmtp_port = imap_port or free[0], lmtp_port or free[1]
    if folder is None:
        with own_folder("dovecot") as temporary, dovecot(imap_port, lmtp_port, temporary) as mailboxes:
            yield mailboxes
        return
    password = "test"
    configuration = folder / "dovecot.conf"
    configuration.write_text(_dovecot_configuration(folder, imap_port, lmtp_port, password))
    start = [*unprivileged(), *command, "-F", "-c", str(configuration)]
    with running(start, folder, [imap_port, lmtp_port], folder / "log") as pid:
        yield Mailboxes(HOST, imap_port, lmtp_port, password, folder, pid)


def _dovecot_configuration(folder: Path, imap_port: int, lmtp_port: int, password: str) -> str:
    """Everything in `folder`, everybody the same unprivileged user, nothing chrooted."""
    if os.geteuid() == 0:
        user, group = "nobody", "nogroup"
    else:
        user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    return f"""
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap lmtp
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
listen = {HOST}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {HOST}
    port = {lmtp_port}
  }}
}}
"""
