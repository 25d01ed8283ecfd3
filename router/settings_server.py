"""server.toml and accounts.toml, with the environment over them -> how the process runs and who may sign in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from router.nouns import LANGUAGES
from router.settings import (
    Account,
    ChatSettings,
    EmailSettings,
    PostSettings,
    ServerSettings,
)
from router.settings_table import Notes, Table, is_loopback, nearest, shown

ROLES = ("agent", "supervisor", "integrator", "board")
SECRET_BYTES_MAX = 4096
PROCESSOR_MAX = 1_023

HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}\Z")
_USER = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}\Z")
_SECRET_KEY = re.compile(r"(password|passphrase|secret|token)\Z")
_VARIABLES = {
    "ami_secret": "KCC_AMI_SECRET",
    "agi_token": "KCC_AGI_TOKEN",
    "imap_password": "KCC_IMAP_PASSWORD",
    "smtp_password": "KCC_SMTP_PASSWORD",
}


class Surface:
    """What server.toml is read with: the folder of the files, the environment, and where mistakes go."""

    def __init__(self, folder: Path, environ: Mapping[str, str], notes: Notes) -> None:
        self.folder, self.environ, self.notes = folder, environ, notes

    def port(self, variable: str, otherwise: int, *, low: int = 0) -> int:
        return self.number(variable, otherwise, "port", low, 65_535)

    def number(self, variable: str, otherwise: int, what: str, low: int, high: int) -> int:
        value = self.environ.get(variable, "")
        if not value:
            return otherwise
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            self.notes.mistakes.append(f"{variable}: {shown(value)} is not a {what}; write {low} to {high}")
            return otherwise
        return int(value)

    def secret(self, table: Table, key: str) -> str:
        """From the environment, or from the file that `<key>_file` names; "" when neither is there."""
        name = table.text(f"{key}_file", "")
        value = self.environ.get(_VARIABLES[key], "")
        where = _VARIABLES[key]
        if not value and name:
            where = table.where(f"{key}_file")
            value = self.secret_file(name, where)
        if value and (not value.isprintable() or len(value) > 512):
            self.notes.mistakes.append(f"{where}: the secret has control characters in it or is longer than 512")
            return ""
        return value

    def secret_file(self, name: str, where: str, bytes_max: int = SECRET_BYTES_MAX) -> str:
        """What stands in a file of secrets; a mistake at `where`, and "", when it cannot be had."""
        if ".." in PurePosixPath(name).parts:
            self.notes.mistakes.append(f'{where}: {shown(name)} leads out of its folder; write a path without ".."')
            return ""
        path = self.folder / name
        try:
            with path.open("rb") as file:
                value = file.read(bytes_max).decode("utf-8").strip()
            if path.stat().st_mode & 0o007:
                self.notes.warnings.append(f"{where}: everybody on this machine may read {shown(name)}; chmod 600")
        except (OSError, UnicodeDecodeError) as error:
            what = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.notes.mistakes.append(f"{where}: {shown(name)} cannot be read ({what})")
            return ""
        if not value:
            self.notes.mistakes.append(f"{where}: {shown(name)} is empty")
        return value


def refuse_secrets(table: Table, notes: Notes) -> None:
    """A secret written in a configuration file is a mistake, wherever it stands. Its value is never shown."""

    def look(values: dict[str, Any], path: str) -> None:
        for key, value in list(values.items()):
            inner = f"{path}.{key}" if path else key
            if isinstance(value, dict):
                look(value, inner)
            elif isinstance(value, list):
                for n, entry in enumerate(value, 1):
                    if isinstance(entry, dict):
                        look(entry, f"{inner}[{n}]")
            elif _SECRET_KEY.search(key) and not inner.startswith("demo."):
                variable = _VARIABLES.get(key)
                remedy = f"write {key}_file, or set {variable}" if variable else "`kcc-router password` makes its hash"
                notes.mistakes.append(f"{table.file}: {inner}: a secret does not stand in this file; {remedy}")
                del values[key]

    look(table.everything(), "")


def read_server(table: Table, surface: Surface, demo: Table) -> ServerSettings:
    """Where the process listens and keeps its data. `demo` is the table of that name in accounts.toml."""
    host = surface.environ.get("KCC_HOST", "") or table.text("host", "127.0.0.1")
    table.skip("host")
    if not HOST.match(host):
        table.mistake("host", f'{shown(host)} is not a host; write "127.0.0.1"')
    named = table.text("data", "data")
    data = surface.environ.get("KCC_DATA", "") or named
    if ".." in PurePosixPath(named).parts or not named:
        table.mistake("data", f'{shown(named)} leads out of its folder; write a path without ".."')
    public_url = table.text("public_url", "")
    if public_url and not _is_origin(public_url, ("https",)):
        table.mistake("public_url", f'{shown(public_url)} is not possible; write "https://kcc.gemeente.example"')
    tokens = demo.table("tokens")
    server = ServerSettings(
        host=host,
        port=surface.port("KCC_PORT", table.integer("port", 8014, 1, 65_535)),
        data=Path(data),
        origins=_origins(table, "origins"),
        widget_origins=_origins(table, "widget_origins"),
        public_url=public_url,
        processor=surface.number(
            "KCC_PROCESSOR", table.integer("processor", -1, 0, PROCESSOR_MAX), "processor", 0, PROCESSOR_MAX
        ),
        demo=table.flag("demo", False),
        demo_password=demo.text("password", ""),
        demo_tokens={account: tokens.text(account, longest=200) for account in tokens},
    )
    demo.done()
    return server


def read_email(table: Table | None, surface: Surface, *, reachable: bool) -> EmailSettings | None:
    """The mailbox, the listener and the way out; None without [email]. `reachable`: links may lead to this server."""
    if table is None:
        return None
    addresses = table.table("addresses")
    listed: dict[str, str] = {}
    for address in addresses:
        if not re.fullmatch(r"[^@\s<>\"]+@[^@\s<>\"]+", address):
            addresses.mistake(f'"{address}"', 'it is not an address; write "info@gemeente.example" = "municipality"')
        if address.lower() in listed:
            addresses.mistake(f'"{address}"', "it stands here twice (capitals do not matter)")
        listed[address.lower()] = addresses.text(address)
    settings = EmailSettings(
        imap_host=table.text("imap_host", ""),
        imap_port=table.integer("imap_port", 993, 1, 65_535),
        imap_tls=table.flag("imap_tls", True),
        imap_user=table.text("imap_user", ""),
        imap_password=surface.secret(table, "imap_password"),
        imap_folder=table.text("imap_folder", "INBOX"),
        imap_done_folder=table.text("imap_done_folder", "KCC"),
        listener_host=table.text("listener_host", "127.0.0.1"),
        listener_port=surface.port("KCC_MAIL_PORT", table.integer("listener_port", 0, 0, 65_535)),
        smtp_host=table.text("smtp_host", ""),
        smtp_port=table.integer("smtp_port", 587, 1, 65_535),
        smtp_tls=table.choice("smtp_tls", "starttls", ("starttls", "tls", "none")),
        smtp_user=table.text("smtp_user", ""),
        smtp_password=surface.secret(table, "smtp_password"),
        addresses=listed,
        default_municipality=table.text("default_municipality", "") or next(iter(listed.values()), ""),
        ask_answered=table.flag("ask_answered", False),
    )
    if settings.ask_answered and not reachable:
        table.mistake("ask_answered", "the link in the mail leads nowhere; write public_url in [server]")
    table.done()
    _check_email(table, settings)
    return settings


def _check_email(table: Table, settings: EmailSettings) -> None:
    for way, host, user, password in (
        ("imap", settings.imap_host, settings.imap_user, settings.imap_password),
        ("smtp", settings.smtp_host, settings.smtp_user, settings.smtp_password),
    ):
        variable = _VARIABLES[f"{way}_password"]
        if host and not HOST.match(host):
            table.mistake(f"{way}_host", f'{shown(host)} is not a host; write "mail.gemeente.example"')
        if host and user and not password:
            table.mistake(f"{way}_password_file", f"{way}_user needs a password; write this, or set {variable}")
    if settings.imap_host and not settings.imap_user:
        table.mistake("imap_user", "it is missing; write the name of the mailbox")
    if settings.imap_host and not settings.imap_tls and not is_loopback(settings.imap_host):
        table.mistake("imap_tls", "mail and password would travel in the open; write imap_tls = true")
    if settings.smtp_host and settings.smtp_tls == "none" and not is_loopback(settings.smtp_host):
        table.mistake("smtp_tls", 'mail would travel in the open; write smtp_tls = "starttls" or "tls"')
    if not is_loopback(settings.listener_host):
        remedy = 'it takes mail from anybody, for trials only; write "127.0.0.1"'
        table.mistake("listener_host", f"{shown(settings.listener_host)} can be reached from elsewhere; {remedy}")
    if (settings.imap_host or settings.listener_port) and not settings.addresses:
        table.mistake("addresses", 'it is missing; write "info@gemeente.example" = "municipality"')


def read_post(table: Table | None, data: Path) -> PostSettings | None:
    """The scan folder; a folder without a leading / stands under the data folder. None without [post]."""
    if table is None:
        return None
    name = table.text("folder", "scans")
    if ".." in PurePosixPath(name).parts or name in (".", "/"):
        table.mistake("folder", f'{shown(name)} leads out of the data folder; write "scans", or a full path')
        name = "scans"
    settings = PostSettings(
        data / name, table.integer("stable_seconds", 10, 1, 600), table.integer("rescan_seconds", 60, 5, 3600)
    )
    table.done()
    return settings


def read_chat(table: Table | None) -> ChatSettings | None:
    """The web chat; None without [chat]."""
    if table is None:
        return None
    settings = ChatSettings(table.integer("gone_seconds", 60, 5, 3600), table.flag("mask_bsn", True))
    table.done()
    return settings


def read_accounts(table: Table, names: Mapping[str, str]) -> tuple[Account, ...]:
    """The accounts; `names` are those of the agents, for accounts that give none."""
    return tuple(_account(entry, names) for entry in table.tables("accounts", required=True))


def check_demo_tokens(table: Table, server: ServerSettings, accounts: tuple[Account, ...]) -> None:
    """What the demo page shows must work."""
    hashes = {account.id: account.secret_hash for account in accounts}
    for account, token in server.demo_tokens.items():
        if hashes.get(account) != hashlib.sha256(token.encode()).hexdigest():
            table.mistake(f"demo.tokens.{account}", "there is no such account, or its token_hash is another's")


def _account(table: Table, names: Mapping[str, str]) -> Account:
    role = table.text("role", "?")
    if role not in ROLES:
        table.mistake("role", f"{shown(role)} is not a role{nearest(role, ROLES)}")
    person = role not in ("integrator", "board")
    key = "password_hash" if person else "token_hash"
    secret = table.text(key)
    good = re.fullmatch(
        r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+" if person else r"[0-9a-f]{64}", secret
    )
    if secret and not good:
        kind = "an argon2id hash" if person else "a SHA-256 in hexadecimal"
        table.mistake(key, f"it is not {kind}; `kcc-router password` makes one")
    id = table.text("id")
    if id and not _USER.match(id):
        table.mistake("id", f"{shown(id)} is not a sign-in name; write small letters, digits and . _ @ -")
    agent = table.text("agent", "") if person else ""
    account = Account(
        id=id,
        name=table.text("name", names.get(agent, id) or "?", longest=120),
        role=role,
        secret_hash=secret,
        agent=agent,
        language=table.choice("language", "nl", LANGUAGES),
        endpoint=table.text("endpoint", "") if person else "",
    )
    if not re.fullmatch(r"[a-zA-Z0-9_]{0,20}", account.endpoint):
        table.mistake("endpoint", f'{shown(account.endpoint)} is not a telephone of the PBX; write "s1"')
    table.done()
    return account


def _origins(table: Table, key: str) -> tuple[str, ...]:
    origins = table.texts(key)
    for n, origin in enumerate(origins, 1):
        if not _is_origin(origin, ("https", "http")):
            table.mistake(
                f"{key}[{n}]", f'{shown(origin)} is not an origin; write "https://www.gemeente.example", without a path'
            )
        elif origin.startswith("http://") and not is_loopback(urlsplit(origin).hostname or ""):
            table.warn(f"{key}[{n}]", f"{shown(origin)} is not encrypted; write https://")
    return origins


def _is_origin(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        whole = f"{parts.scheme}://{parts.netloc}"
        return (
            parts.scheme in schemes and bool(parts.hostname) and text == whole and "*" not in text and parts.port != 0
        )
    except ValueError:
        return False
