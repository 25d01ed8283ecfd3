"""[voice.softphone] of server.toml -> which agents telephone in the browser, and how their browsers reach the PBX."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from router.settings import SoftphoneSettings
from router.settings_server import Surface
from router.settings_table import Table, is_loopback, shown

URL_VARIABLE, PASSWORDS_VARIABLE = "KCC_SOFTPHONE_URL", "KCC_SOFTPHONE_PASSWORDS"
PASSWORDS_BYTES_MAX = 65_536
_LINE = re.compile(r"([A-Za-z0-9_]{1,20}):([\x21-\x7e]{8,200})")


def read_softphone(table: Table | None, surface: Surface) -> SoftphoneSettings | None:
    """On when there is a [voice.softphone], or when KCC_SOFTPHONE_URL is set."""
    environ = surface.environ
    if table is None and not environ.get(URL_VARIABLE):
        return None
    table = table or Table("server.toml", "voice.softphone", {}, surface.notes)
    name = table.text("passwords_file", "")
    where, text = PASSWORDS_VARIABLE, environ.get(PASSWORDS_VARIABLE, "")
    if not text and name:
        where = table.where("passwords_file")
        text = surface.secret_file(name, where, PASSWORDS_BYTES_MAX)
    elif not text:
        table.mistake("passwords_file", f"the telephones need it; write passwords_file, or set {PASSWORDS_VARIABLE}")
    settings = SoftphoneSettings(environ.get(URL_VARIABLE) or table.text("url", ""), _passwords(text, where, surface))
    table.skip("url")
    table.done()
    if not _possible(settings.url):
        remedy = 'write "wss://kcc.gemeente.example/phone"; ws:// on loopback only'
        table.mistake("url", f"{shown(settings.url)} is no address that browsers can telephone at; {remedy}")
    return settings


def _passwords(text: str, where: str, surface: Surface) -> dict[str, str]:
    """`w1:password w2:password`, one a line or with spaces between. What is wrong is named by its place only."""
    found: dict[str, str] = {}
    for n, word in enumerate(text.split(), 1):
        line = _LINE.fullmatch(word)
        if line is None:
            remedy = "write telephone:password, such as w1: and 8 characters or more, without spaces"
            surface.notes.mistakes.append(f"{where}: entry {n} is not one; {remedy}")
        elif line[1] in found:
            surface.notes.mistakes.append(f"{where}: entry {n} is for {line[1]} again; give each one password")
        else:
            found[line[1]] = line[2]
    return found


def _possible(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or port == 0 or parts.username or parts.query or parts.fragment or not url.isprintable():
        return False
    return parts.scheme == "wss" or (parts.scheme == "ws" and is_loopback(parts.hostname))
