"""Which mails belong to which contact: a table of references, folded from the facts and gone when deleted.

An order to deliver names a contact and a message; to answer in the right thread the sender must know what came in. The
table is only a shortcut: it is built from the facts again when it is lost, and holds no personal data.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from router.engine.facts import ContactEnded, ContactForgotten, ContactReceived, Fact, MessageAdded
from router.errors import Unavailable
from router.port import CentrePort

log = structlog.get_logger(__name__)
T = TypeVar("T")

CHANNEL = "email"
RETRY_SECONDS = 1.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS letters (contact TEXT PRIMARY KEY, source_key TEXT NOT NULL, municipality TEXT NOT NULL,
    language TEXT NOT NULL, content_ref TEXT NOT NULL, ended INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letters_by_key ON letters (source_key);
CREATE TABLE IF NOT EXISTS messages (contact TEXT NOT NULL, number INTEGER NOT NULL, message TEXT NOT NULL,
    author TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (contact, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reached (number INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is known of an e-mail contact."""

    contact: str
    municipality: str
    language: str
    content_ref: str
    ended: bool


class Letters:
    """Follows the facts into a small database file."""

    def __init__(self, port: CentrePort, path: Path) -> None:
        self._port = port
        self._path = path
        self._database: sqlite3.Connection | None = None
        # One thread, and the only one that touches the database: a question whose asker was cancelled is then over
        # before the next one, and before the close.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="email-letters")
        self._reached = 0
        self._moved = asyncio.Condition()
        self._follower: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the table and begin to follow."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        self._follower = asyncio.create_task(self._follow(), name="email-letters")

    async def stop(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
            self._follower = None
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown(wait=False)

    async def reached(self, number: int, *, within_seconds: float = 10.0) -> None:
        """Wait until all facts up to `number` are in the table. Raises Unavailable after the deadline."""
        try:
            async with asyncio.timeout(within_seconds), self._moved:
                await self._moved.wait_for(lambda: self._reached >= number)
        except TimeoutError:
            raise Unavailable("the table of letters is behind") from None

    async def letter(self, contact: str) -> Letter | None:
        """The contact's letter; None when it is no e-mail contact, or forgotten."""

        def ask(database: sqlite3.Connection) -> Letter | None:
            row = database.execute(
                "SELECT contact, municipality, language, content_ref, ended FROM letters WHERE contact = ?", (contact,)
            ).fetchone()
            return Letter(row[0], row[1], row[2], row[3], bool(row[4])) if row else None

        return await self._ask(ask)

    async def contact_of_key(self, source_key: str) -> str:
        """The contact that came in with this source key, or ""."""
        question = "SELECT contact FROM letters WHERE source_key = ?"
        return await self._ask(lambda database: _text(database.execute(question, (source_key,)).fetchone()))

    async def has_message(self, contact: str, message: str) -> bool:
        question = "SELECT contact FROM messages WHERE contact = ? AND message = ?"
        return bool(await self._ask(lambda database: _text(database.execute(question, (contact, message)).fetchone())))

    async def author_of(self, contact: str, number: int) -> str:
        """Who wrote message `number`, or ""."""
        question = "SELECT author FROM messages WHERE contact = ? AND number = ?"
        return await self._ask(lambda database: _text(database.execute(question, (contact, number)).fetchone()))

    async def latest_from_citizen(self, contact: str, before: int) -> str:
        """The reference of the citizen's last mail that was added before message `before`, or ""."""
        question = (
            "SELECT ref FROM messages WHERE contact = ? AND author = 'citizen' AND number < ?"
            " ORDER BY number DESC LIMIT 1"
        )
        return await self._ask(lambda database: _text(database.execute(question, (contact, before)).fetchone()))

    async def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        def answer() -> T:
            if self._database is None:
                raise Unavailable("the e-mail channel is not running")
            return question(self._database)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, answer)
        except RuntimeError as error:
            raise Unavailable("the e-mail channel has stopped") from error

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = self._connect()
        except sqlite3.DatabaseError:
            log.warning("mail.table_rebuilt")
            for path in self._path.parent.glob(self._path.name + "*"):
                path.unlink()
            self._database = self._connect()
        row = self._database.execute("SELECT number FROM reached").fetchone()
        self._reached = int(row[0]) if row else 0

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._port.facts(after=self._reached):
                    facts = [numbered.fact for numbered in batch]
                    number = batch[-1].number
                    await self._ask(partial(_fold, facts=facts, number=number))
                    async with self._moved:
                        self._reached = number
                        self._moved.notify_all()
            except Exception as error:  # noqa: BLE001  whatever it was: the table follows again a moment later
                log.warning("mail.table_behind", cause=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)


def _text(row: tuple[str] | None) -> str:
    return row[0] if row else ""


def _fold(database: sqlite3.Connection, facts: list[Fact], number: int) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        for fact in facts:
            _apply(database, fact)
        database.execute("DELETE FROM reached")
        database.execute("INSERT INTO reached VALUES (?)", (number,))
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def _apply(database: sqlite3.Connection, fact: Fact) -> None:
    match fact:
        case ContactReceived(channel=channel) if channel == CHANNEL:
            database.execute(
                "INSERT OR REPLACE INTO letters VALUES (?, ?, ?, ?, ?, 0)",
                (fact.contact, fact.source_key, fact.municipality, fact.language, fact.content_ref),
            )
        case MessageAdded():
            database.execute(
                "INSERT OR REPLACE INTO messages SELECT ?, ?, ?, ?, ? WHERE EXISTS"
                " (SELECT 1 FROM letters WHERE contact = ?)",
                (fact.contact, fact.number, fact.message, fact.author, fact.ref, fact.contact),
            )
        case ContactEnded():
            database.execute("UPDATE letters SET ended = 1 WHERE contact = ?", (fact.contact,))
        case ContactForgotten():
            database.execute("DELETE FROM letters WHERE contact = ?", (fact.contact,))
            database.execute("DELETE FROM messages WHERE contact = ?", (fact.contact,))
        case _:
            return
