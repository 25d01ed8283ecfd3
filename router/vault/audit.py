"""Who looked at what of whom, and why: a chain of records in which none can be changed or left out unseen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from router.errors import Fault
from router.vault.keys import Keyring

TABLES = """
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, purpose TEXT NOT NULL,
    contact TEXT NOT NULL, citizen TEXT NOT NULL, ref TEXT NOT NULL, link BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL,
    link BLOB NOT NULL) STRICT;
"""
_ADD = "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SET_HEAD = """INSERT INTO audit_head VALUES (1, ?, ?)
    ON CONFLICT (one) DO UPDATE SET number = excluded.number, link = excluded.link"""
_CHUNK = 2_000
_START = bytes(32)


class AuditDamaged(Fault):
    """A record of the audit chain was changed, or is missing."""

    code = "audit_damaged"


class Look(NamedTuple):
    """One record: ids and references only."""

    at: int
    who: str
    action: str
    """read, read_citizen or erase"""
    purpose: str
    contact: str = ""
    citizen: str = ""
    ref: str = ""


def _body(number: int, look: Look) -> bytes:
    return msgspec.json.encode((number, *look))


def record(connection: sqlite3.Connection, keyring: Keyring, *looks: Look) -> None:
    """Add these, within the caller's transaction."""
    number, link = _head(connection)
    for look in looks:
        number += 1
        link = keyring.chain(link, _body(number, look))
        connection.execute(_ADD, (number, *look, link))
    connection.execute(_SET_HEAD, (number, link))


def verify(connection: sqlite3.Connection, keyring: Keyring) -> int:
    """How many records there are, all of them sound. Raises AuditDamaged naming the first that is not.

    That the newest records were cut off together with the head is only seen by whoever remembers a higher number.
    """
    head, head_link = _head(connection)
    link, number = _START, 0
    for found, look, stated in _looks(connection, head):
        number += 1
        link = keyring.chain(link, _body(number, look))
        if found != number or link != stated:
            raise AuditDamaged(f"audit record {number} was changed or is missing")
    if number != head or link != head_link:
        raise AuditDamaged(f"audit record {number + 1} is missing")
    return number


def _head(connection: sqlite3.Connection) -> tuple[int, bytes]:
    row = connection.execute("SELECT number, link FROM audit_head").fetchone()
    return (0, _START) if row is None else (row[0], row[1])


def _looks(connection: sqlite3.Connection, until: int) -> Iterator[tuple[int, Look, bytes]]:
    ask = f"SELECT * FROM audit WHERE number > ? AND number <= ? ORDER BY number LIMIT {_CHUNK}"  # noqa: S608
    after = -(1 << 62)
    while rows := connection.execute(ask, (after, until)).fetchall():
        for number, *fields, link in rows:
            yield number, Look(*fields), link
        after = rows[-1][0]
