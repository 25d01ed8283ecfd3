"""Who is who: citizens found by number or address through a blind index, within one municipality."""

from __future__ import annotations

import re
import sqlite3
import unicodedata

import msgspec
from msgspec.structs import replace

from router.errors import Erased, UnknownThing
from router.vault.interface import Citizen
from router.vault.keys import DESTROYED, Key, Keyring, seal, unseal

TABLES = """
CREATE TABLE IF NOT EXISTS keys (id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS citizens (
    citizen TEXT PRIMARY KEY, municipality TEXT NOT NULL, key INTEGER NOT NULL, identity BLOB NOT NULL,
    erased INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blind (digest BLOB PRIMARY KEY, citizen TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blind_citizen ON blind (citizen);
CREATE TABLE IF NOT EXISTS links (
    citizen TEXT NOT NULL, contact TEXT NOT NULL, PRIMARY KEY (citizen, contact)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_contact ON links (contact);
"""
# `keys` is only ever appended to, and a key is destroyed by writing over it in the same size: so no copy of a wrapped
# key is left behind on some other page when SQLite moves rows about.

_HOLDERS = """SELECT digest, citizen, wrapped, identity FROM blind JOIN citizens USING (citizen)
    JOIN keys ON keys.id = key WHERE digest IN (?, ?)"""

_E164 = re.compile(r"\+[1-9][0-9]{4,14}")
_FILLING = re.compile(r"[\s().\-/]")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_ADDRESS_CHARACTERS_MAX = 320


def readable(text: str) -> str:
    """Without blanks around it, and with what no text may hold (half a surrogate pair) replaced."""
    return text.strip().encode("utf-8", "replace").decode()


def same_phone(phone: str) -> str:
    """E.164 without filling, or "" when it is no such number (withheld, internal) and so identifies nobody."""
    bare = _FILLING.sub("", phone)
    return bare if _E164.fullmatch(bare) else ""


def same_email(email: str) -> str:
    """The form in which addresses are compared, or "" when it is no address."""
    bare = unicodedata.normalize("NFC", readable(email))
    return bare.casefold() if len(bare) <= _ADDRESS_CHARACTERS_MAX and _ADDRESS.fullmatch(bare) else ""


class _Identity(msgspec.Struct, frozen=True):
    name: str = ""
    phone: str = ""
    email: str = ""


def add_key(connection: sqlite3.Connection, keyring: Keyring, holder: str) -> tuple[int, Key]:
    """(id, key) of a new data key for this contact or citizen."""
    key, wrapped = keyring.new_key(holder)
    cursor = connection.execute("INSERT INTO keys (wrapped) VALUES (?)", (wrapped,))
    assert cursor.lastrowid is not None
    return cursor.lastrowid, key


def destroy_key(connection: sqlite3.Connection, key: int) -> None:
    connection.execute("UPDATE keys SET wrapped = ? WHERE id = ?", (DESTROYED, key))


def find(connection: sqlite3.Connection, keyring: Keyring, municipality: str, phone: str, email: str) -> str:
    """The citizen with this number, or else with this address, or ""."""
    holders = _holders(connection, _digests(keyring, municipality, phone, email))
    found = holders.get("phone") or holders.get("email")
    return found[0] if found else ""


def recognise(
    connection: sqlite3.Connection, keyring: Keyring, municipality: str, name: str, phone: str, email: str, new: str
) -> str:
    """As in `Vault.recognise`, without the link to the contact. Somebody new gets the reference `new`.

    When number and address are known as two citizens, the number's is given and both stay as they are.
    """
    digests = _digests(keyring, municipality, phone, email)
    if not digests:
        return ""
    holders = _holders(connection, digests)
    if holders:
        citizen, *sealed = holders.get("phone") or holders["email"]
        key, was = _open(keyring, citizen, *sealed)
    else:
        citizen, was = new, _Identity()
        number, key = add_key(connection, keyring, citizen)
    # Whoever knows somebody's number or address may claim it: that does not rename the citizen.
    now = replace(was, name=was.name or readable(name))
    for kind, shown in (("phone", same_phone(phone)), ("email", readable(email))):
        if kind in digests and kind not in holders:
            connection.execute("INSERT INTO blind VALUES (?, ?)", (digests[kind], citizen))
        if kind in digests and (kind not in holders or holders[kind][0] == citizen):
            now = replace(now, **{kind: shown})
    if now != was:
        identity = seal(key, msgspec.json.encode(now), "citizen", citizen)
        if holders:
            connection.execute("UPDATE citizens SET identity = ? WHERE citizen = ?", (identity, citizen))
        else:
            add = "INSERT INTO citizens (citizen, municipality, key, identity) VALUES (?, ?, ?, ?)"
            connection.execute(add, (citizen, municipality, number, identity))
    return citizen


def link(connection: sqlite3.Connection, citizen: str, contact: str) -> None:
    connection.execute("INSERT OR IGNORE INTO links VALUES (?, ?)", (citizen, contact))


def sealed(connection: sqlite3.Connection, citizen: str) -> tuple[str, bytes, bytes] | None:
    """(municipality, wrapped key, sealed identity), None when there is no such citizen. Raises Erased."""
    ask = "SELECT municipality, wrapped, identity FROM citizens JOIN keys ON keys.id = key WHERE citizen = ?"
    row: tuple[str, bytes, bytes] | None = connection.execute(ask, (citizen,)).fetchone()
    if row is not None and row[1] == DESTROYED:
        raise Erased
    return row


def opened(keyring: Keyring, citizen: str, municipality: str, wrapped: bytes, sealed: bytes) -> Citizen:
    """What `sealed` gave, in clear."""
    _, identity = _open(keyring, citizen, wrapped, sealed)
    return Citizen(citizen, municipality, identity.name, identity.phone, identity.email)


def erase(connection: sqlite3.Connection, citizen: str) -> list[str]:
    """Nothing is left of the citizen but that there was one; gives the contacts that were linked."""
    row = connection.execute("SELECT key FROM citizens WHERE citizen = ?", (citizen,)).fetchone()
    if row is None:
        raise UnknownThing("there is no such citizen")
    destroy_key(connection, row[0])
    connection.execute("UPDATE citizens SET identity = x'', erased = 1 WHERE citizen = ?", (citizen,))
    connection.execute("DELETE FROM blind WHERE citizen = ?", (citizen,))
    contacts = [row[0] for row in connection.execute("SELECT contact FROM links WHERE citizen = ?", (citizen,))]
    connection.execute("DELETE FROM links WHERE citizen = ?", (citizen,))
    return contacts


def _digests(keyring: Keyring, municipality: str, phone: str, email: str) -> dict[str, bytes]:
    """What stands in the index for those of the two that identify somebody."""
    given = {"phone": same_phone(phone), "email": same_email(email)}
    return {kind: keyring.blind(municipality, kind, value) for kind, value in given.items() if value}


def _holders(connection: sqlite3.Connection, digests: dict[str, bytes]) -> dict[str, tuple[str, bytes, bytes]]:
    """Whose these are, of those that are known: (citizen, wrapped key, sealed identity)."""
    rows = connection.execute(_HOLDERS, (digests.get("phone"), digests.get("email")))
    found = {digest: holder for digest, *holder in rows}
    return {kind: found[digest] for kind, digest in digests.items() if digest in found}


def _open(keyring: Keyring, citizen: str, wrapped: bytes, sealed: bytes) -> tuple[Key, _Identity]:
    key = keyring.unwrap(citizen, wrapped)
    return key, msgspec.json.decode(unseal(key, sealed, "citizen", citizen), type=_Identity)
