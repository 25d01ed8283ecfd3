"""Making personal data unreadable for ever: the key first, then content, index and files, then the log's memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from router.errors import Unavailable
from router.vault import index
from router.vault.files import Files

DAY_MS = 86_400_000

TABLES = """
CREATE TABLE IF NOT EXISTS unfinished (one INTEGER PRIMARY KEY CHECK (one = 1)) STRICT;
CREATE TABLE IF NOT EXISTS lapses (ref TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS lapses_at ON lapses (at);
"""
# Has its row from the moment keys are destroyed until the files and the log's memory of them are gone too.


def destroy_citizen(connection: sqlite3.Connection, citizen: str) -> int:
    """The citizen and every linked contact; gives how many of these could be read until now. Raises UnknownThing."""
    connection.execute("INSERT OR IGNORE INTO unfinished VALUES (1)")
    return sum(destroy_contact(connection, contact) for contact in index.erase(connection, citizen))


def destroy_contact(connection: sqlite3.Connection, contact: str) -> bool:
    """Whether it could be read until now. What remains says only that there was something."""
    row = connection.execute("SELECT key FROM contacts WHERE contact = ? AND NOT erased", (contact,)).fetchone()
    if row is None:
        return False
    index.destroy_key(connection, row[0])
    connection.execute("UPDATE contacts SET erased = 1 WHERE contact = ?", (contact,))
    connection.execute("UPDATE items SET sealed = x'', type = '', erased = 1 WHERE contact = ?", (contact,))
    connection.execute("DELETE FROM drafts WHERE contact = ?", (contact,))
    connection.execute("DELETE FROM links WHERE contact = ?", (contact,))
    return True


def destroy_lapsed(connection: sqlite3.Connection, now: int) -> int:
    """The items whose time is over at this moment, in ms; gives how many could be read until then."""
    lapsed = connection.execute("SELECT ref FROM lapses WHERE at <= ?", (now,)).fetchall()
    return destroy_items(connection, [row[0] for row in lapsed])


def destroy_items(connection: sqlite3.Connection, refs: Iterable[str]) -> int:
    """These alone, not their contact; gives how many could be read until now."""
    gone = 0
    for ref in refs:
        change = "UPDATE items SET sealed = x'', type = '', erased = 1 WHERE NOT erased AND ref = ?"
        gone += connection.execute(change, (ref,)).rowcount
        connection.execute("DELETE FROM lapses WHERE ref = ?", (ref,))
    if gone:
        connection.execute("INSERT OR IGNORE INTO unfinished VALUES (1)")
    return gone


def finish(connection: sqlite3.Connection, files: Files) -> None:
    """What follows when a destruction is committed, outside a transaction. When it raises Unavailable, do it again."""
    refs = [row[0] for row in connection.execute("SELECT ref FROM items WHERE erased AND file")]
    try:
        files.remove(refs)
    except OSError as error:
        raise Unavailable("the vault's files could not be removed") from error
    connection.executemany("UPDATE items SET file = 0 WHERE ref = ?", [(ref,) for ref in refs])
    empty_log(connection)
    connection.execute("DELETE FROM unfinished")


def unfinished(connection: sqlite3.Connection) -> bool:
    """An erasure was interrupted before its end."""
    return connection.execute("SELECT 1 FROM unfinished").fetchone() is not None


def empty_log(connection: sqlite3.Connection) -> None:
    """The write-ahead log no longer holds what was there before. Outside a transaction. Raises Unavailable."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise Unavailable("the vault's log is in use and could not be emptied")


# -- what nobody refers to --------------------------------------------------------------------------------------


def old_contacts(connection: sqlite3.Connection, after: str, before: int) -> list[str]:
    """Some contacts, in order, that follow `after` and were first heard of before that moment, in ms."""
    ask = "SELECT contact FROM contacts WHERE contact > ? AND made_at < ? AND NOT erased ORDER BY contact LIMIT 1000"
    return [row[0] for row in connection.execute(ask, (after, before))]


def sweep(connection: sqlite3.Connection, contacts: Iterable[str], before: int) -> int:
    """Remove the items of these contacts from before that moment, and the contact when none is left; gives how many."""
    gone = 0
    for contact in contacts:
        gone += connection.execute("DELETE FROM items WHERE contact = ? AND made_at < ?", (contact, before)).rowcount
        if connection.execute("SELECT 1 FROM items WHERE contact = ?", (contact,)).fetchone() is None:
            _forget(connection, contact)
    return gone


def _forget(connection: sqlite3.Connection, contact: str) -> None:
    """Not even that it was there remains; nor do citizens known through this contact alone."""
    citizens = [row[0] for row in connection.execute("SELECT citizen FROM links WHERE contact = ?", (contact,))]
    destroy_contact(connection, contact)
    connection.execute("DELETE FROM contacts WHERE contact = ?", (contact,))
    for citizen in citizens:
        if connection.execute("SELECT 1 FROM links WHERE citizen = ?", (citizen,)).fetchone() is None:
            index.erase(connection, citizen)
            connection.execute("DELETE FROM citizens WHERE citizen = ?", (citizen,))


def strays(connection: sqlite3.Connection, names: Iterable[str]) -> list[str]:
    """Of these files, those no row refers to: swept, or left by a process that died between file and row."""
    ask = "SELECT 1 FROM items WHERE ref = ?"
    return [name for name in names if connection.execute(ask, (name,)).fetchone() is None]
