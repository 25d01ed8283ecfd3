"""The vault of one machine: `Vault` over one SQLite file and a folder of encrypted files beside it.

`vault.sqlite`, `vault.key` (or KCC_VAULT_KEY_FILE) and `vault/` stand in the data folder. Several processes may use
them at once: a running server and `kcc-router erase`. No data key and no content is remembered between two calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from router.errors import ConfigurationInvalid, Erased, InvalidInput, Unavailable, UnknownThing
from router.vault import audit, erasure, index
from router.vault.erasure import DAY_MS
from router.vault.files import Files
from router.vault.incoming import Incoming
from router.vault.interface import CARD_TYPE, Card, Citizen, Item, TakenIn, card_bytes
from router.vault.keys import Key, Keyring, master_key, reference, seal, unseal
from router.vault.reader import AtOnce, Reader
from router.vault.writer import Work, Writer

T = TypeVar("T")
Row = tuple[str, str, bytes, bool, bytes]
"""An item: contact, type, sealed, is a file, wrapped key."""
log = structlog.get_logger(__name__)

FILE = "vault.sqlite"
INLINE_BYTES_MAX = 64 * 1024
"""Content above this becomes a file."""
CONTENT_BYTES_MAX = 64 << 20
HELD_BYTES_MAX = 256 << 20
"""Content on its way to the disk at one moment."""
_BUSY_SECONDS = 10.0
_LOG_PAGES = 4_000
"""The write-ahead log (4 kB each) above which it goes to the database: while that is done, nothing else is written."""

_TABLES = """
CREATE TABLE IF NOT EXISTS about (one INTEGER PRIMARY KEY CHECK (one = 1), fingerprint BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS contacts (
    contact TEXT PRIMARY KEY, key INTEGER NOT NULL, made_at INTEGER NOT NULL,
    erased INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (
    ref TEXT PRIMARY KEY, contact TEXT NOT NULL, type TEXT NOT NULL, made_at INTEGER NOT NULL,
    sealed BLOB NOT NULL, file INTEGER NOT NULL, erased INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS items_contact ON items (contact);
CREATE TABLE IF NOT EXISTS drafts (
    contact TEXT NOT NULL, agent TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (contact, agent)) STRICT;
"""
# `items` has rowids, so that content stays on its page: one that is destroyed by itself leaves no copy elsewhere.
_ITEM = """SELECT items.contact, type, sealed, file, wrapped, items.erased, lapses.at FROM items
    JOIN contacts ON contacts.contact = items.contact JOIN keys ON keys.id = contacts.key
    LEFT JOIN lapses ON lapses.ref = items.ref WHERE items.ref = ?"""
_CONTACT_KEY = """SELECT wrapped FROM contacts JOIN keys ON keys.id = contacts.key WHERE contact = ?"""


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SqliteVault:
    """One thread writes (what waits together shares a commit), one reads, two move large files.

    `folder` is the data folder, made when it is not there. Raises ConfigurationInvalid when the key is missing or is
    another vault's, Unavailable when the database cannot be opened. `clock` gives UTC ms.
    """

    def __init__(self, folder: Path, *, key_file: Path | None = None, clock: Callable[[], int] = _wall_ms) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._held = 0
        self._closed = False
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keyring = Keyring(master_key(folder, key_file, may_make=not self._path.exists()))
        self._files = Files(folder / "vault")
        self._prepare()
        self._writer = Writer(self._connect)
        self._incoming = Incoming(self._writer)
        self._reader = Reader(self._connect)
        self._movers = ThreadPoolExecutor(2, "vault-files")

    async def close(self) -> None:
        """Finishes what was begun. Safe to call again."""
        self._closed = True
        await asyncio.to_thread(self._movers.shutdown)  # what was moved has its row yet to come
        self._writer.end()
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._reader.close)
        self._at_once.close()

    # -- content ----------------------------------------------------------------------------------------------

    async def store(self, contact: str, type: str, content: bytes, *, keep_until: int = 0) -> str:
        """As in `Vault`. Raises Erased, InvalidInput above 64 MB, Unavailable (nothing was kept)."""
        if len(content) > CONTENT_BYTES_MAX:
            raise InvalidInput(f"content above {CONTENT_BYTES_MAX >> 20} MB")
        if self._held + len(content) > HELD_BYTES_MAX:
            raise Unavailable("the vault cannot keep up")
        ref = reference("v")
        self._held += len(content)
        try:
            if len(content) <= INLINE_BYTES_MAX:
                await self._write(partial(self._add, ref, contact, type, content, keep_until))
            else:
                await self._store_file(ref, contact, type, content, keep_until)
        finally:
            self._held -= len(content)
        return ref

    async def read(self, ref: str, *, who: str, purpose: str) -> Item:
        """As in `Vault`. Raises UnknownThing, Erased, Unavailable (then nothing was read), VaultDamaged."""
        _, found = await self.read_contact("", "", ref, who=who, purpose=purpose)
        return _there(found)

    async def read_contact(
        self, contact: str, citizen: str, ref: str, *, who: str, purpose: str
    ) -> tuple[Citizen | None, Item | None]:
        """As in `Vault`. Raises Erased, Unavailable (then nothing was read), VaultDamaged."""
        if not who.strip() or not purpose.strip():
            raise InvalidInput("a look needs somebody who looks and a purpose")
        person, row = await self._write(partial(self._look, contact, citizen, ref, who, purpose))
        # Opened now that the records are on disk.
        return (
            index.opened(self._keyring, citizen, *person) if person else None,
            await self._open(ref, row) if row else None,
        )

    async def read_unattended(self, ref: str) -> Item:
        return await self._open(ref, _there(await self._query(partial(_item, ref, self._clock()))))

    async def _open(self, ref: str, row: Row) -> Item:
        contact, type, sealed, filed, wrapped = row
        if filed:
            sealed = await self._move(partial(self._fetch, ref))
        about = ("item", ref, type, contact)
        if len(sealed) > INLINE_BYTES_MAX:
            content = await self._move(lambda: unseal(self._keyring.unwrap(contact, wrapped), sealed, *about))
        else:
            content = unseal(self._keyring.unwrap(contact, wrapped), sealed, *about)
        return Item(contact, type, content)

    async def put_draft(self, contact: str, agent: str, text: str) -> None:
        """Keep what the agent is writing for this contact; an empty text clears it. Raises Erased."""
        await self._write(partial(self._draft, contact, agent, text))

    async def get_draft(self, contact: str, agent: str) -> str:
        """What the agent was writing, or "". Raises Erased."""

        def work(connection: sqlite3.Connection) -> str:
            ask = "SELECT sealed FROM drafts WHERE contact = ? AND agent = ?"
            wrapped = connection.execute(_CONTACT_KEY, (contact,)).fetchone()
            if wrapped is None:
                return ""
            key = self._keyring.unwrap(contact, wrapped[0])
            row = connection.execute(ask, (contact, agent)).fetchone()
            return unseal(key, row[0], "draft", contact, agent).decode() if row else ""

        return await self._query(work)

    # -- citizens ---------------------------------------------------------------------------------------------

    async def recognise(
        self, municipality: str, contact: str, *, name: str = "", phone: str = "", email: str = ""
    ) -> str:
        """As in `Vault`. A number that is not E.164 and an address without @ identify nobody. Raises Erased.

        Number and address known as two citizens: the number's is given, and the two are not merged.
        """

        def work(connection: sqlite3.Connection) -> str:
            citizen = index.recognise(connection, self._keyring, municipality, name, phone, email, reference("p"))
            if citizen:
                self._contact_key(connection, contact)
                index.link(connection, citizen, contact)
            return citizen

        return await self._write(work)

    async def take_in(self, municipality: str, contact: str, card: Card) -> TakenIn:
        """As in `Vault`. Raises InvalidInput, Unavailable (nothing was kept)."""
        ref = reference("v")
        if len(card_bytes(card)) > INLINE_BYTES_MAX:
            raise InvalidInput(f"a card above {INLINE_BYTES_MAX >> 10} kB")
        given = (municipality, index.same_phone(card.phone), index.same_email(card.email))
        new = self._incoming.enter(given)
        try:
            nobody = not any(given[1:])
            citizen = "" if nobody else await self.find(municipality, phone=card.phone, email=card.email) or new
        except BaseException:
            self._incoming.leave(given)
            raise

        def work(connection: sqlite3.Connection) -> None:
            if self._write_card(municipality, contact, card, ref, new, connection) != citizen:
                raise Unavailable("the citizen was erased, or came in elsewhere, at this moment")

        return TakenIn(citizen, ref, self._incoming.wait(given, ref, work))

    async def restore(self, municipality: str, contact: str, card: Card, *, citizen: str, ref: str) -> bool:
        """As in `Vault`. Raises Unavailable (nothing was kept)."""

        def work(connection: sqlite3.Connection) -> bool:
            if _item(ref, self._clock(), connection) is not None:
                return False
            index.sealed(connection, citizen)  # raises Erased
            self._write_card(municipality, contact, card, ref, citizen, connection)
            return True

        return await self._write(work)

    async def find(self, municipality: str, *, phone: str = "", email: str = "") -> str:
        self._check_open()

        def work(connection: sqlite3.Connection) -> str:
            return index.find(connection, self._keyring, municipality, phone, email)

        found = self._at_once.ask(work)
        return await self._query(work) if found is None else found

    async def read_citizen(self, citizen: str, *, contact: str, who: str, purpose: str) -> Citizen:
        """As in `Vault`. Raises UnknownThing, Erased, Unavailable (then nothing was read)."""
        found, _ = await self.read_contact(contact, citizen, "", who=who, purpose=purpose)
        return _there(found)

    # -- the end ----------------------------------------------------------------------------------------------

    async def erase(self, citizen: str, *, who: str = "server") -> int:
        """As in `Vault`. Raises UnknownThing. When it raises Unavailable it is not finished: call it again.

        Done when it returns: keys overwritten, files gone, the write-ahead log emptied of what it remembered.
        """

        def work(connection: sqlite3.Connection) -> int:
            gone = erasure.destroy_citizen(connection, citizen)
            seen = audit.Look(self._clock(), who, "erase", "erasure", citizen=citizen)
            audit.record(connection, self._keyring, seen)
            return gone

        gone = await self._write(work)
        await self._write(partial(erasure.finish, files=self._files), alone=True)
        return gone

    async def sweep(self, known: Mapping[str, bool]) -> int:
        """As in `Vault`. With a contact's last item goes all else kept for it: key, drafts, a citizen of no other.

        `known` must name every contact of the journal, ended and forgotten ones too.
        """
        before = self._clock() - DAY_MS
        swept, after = 0, ""
        while some := await self._query(partial(erasure.old_contacts, after=after, before=before)):
            after = some[-1]
            unknown = [contact for contact in some if contact not in known]
            swept += await self._write(partial(erasure.sweep, contacts=unknown, before=before))
        names = await self._move(lambda: list(self._files.older_than(before)))
        strays = await self._query(partial(erasure.strays, names=names))
        if strays:
            await self._move(lambda: self._files.remove(strays))
        await self._write(erasure.empty_log, alone=True)
        return swept

    async def expire(self) -> int:
        """As in `Vault`. When it raises Unavailable it is not finished: call it again."""
        gone = await self._write(partial(erasure.destroy_lapsed, now=self._clock()))
        if gone:
            await self._write(partial(erasure.finish, files=self._files), alone=True)
        return gone

    async def discard(self, refs: Iterable[str]) -> None:
        """As in `Vault`. When it raises Unavailable it is not finished: call it again."""
        if await self._write(partial(erasure.destroy_items, refs=tuple(refs))):
            await self._write(partial(erasure.finish, files=self._files), alone=True)

    async def verify_audit(self) -> int:
        """How many audit records there are, all of them sound. Raises AuditDamaged naming the first that is not."""
        return await self._query(lambda connection: audit.verify(connection, self._keyring))

    # -- on the writer's thread -------------------------------------------------------------------------------

    def _contact_key(self, connection: sqlite3.Connection, contact: str) -> Key:
        """The contact's data key, made when there is none. Raises Erased."""
        row = connection.execute(_CONTACT_KEY, (contact,)).fetchone()
        if row is not None:
            return self._keyring.unwrap(contact, row[0])
        number, key = index.add_key(connection, self._keyring, contact)
        made = "INSERT INTO contacts (contact, key, made_at) VALUES (?, ?, ?)"
        connection.execute(made, (contact, number, self._clock()))
        return key

    def _add(
        self,
        ref: str,
        contact: str,
        type: str,
        content: bytes | None,
        keep_until: int,
        connection: sqlite3.Connection,
    ) -> None:
        key = self._contact_key(connection, contact)
        sealed = b"" if content is None else seal(key, content, "item", ref, type, contact)
        made = "INSERT INTO items (ref, contact, type, made_at, sealed, file) VALUES (?, ?, ?, ?, ?, ?)"
        connection.execute(made, (ref, contact, type, self._clock(), sealed, content is None))
        if keep_until:
            connection.execute("INSERT INTO lapses VALUES (?, ?)", (ref, keep_until))

    def _write_card(
        self, municipality: str, contact: str, card: Card, ref: str, new: str, connection: sqlite3.Connection
    ) -> str:
        """The card, and whose it is: gives the citizen, `new` for somebody who is."""
        citizen = index.recognise(connection, self._keyring, municipality, card.name, card.phone, card.email, new)
        self._add(ref, contact, CARD_TYPE, card_bytes(card), 0, connection)
        if citizen:
            index.link(connection, citizen, contact)
        return citizen

    def _draft(self, contact: str, agent: str, text: str, connection: sqlite3.Connection) -> None:
        key = self._contact_key(connection, contact)
        if not text:
            connection.execute("DELETE FROM drafts WHERE contact = ? AND agent = ?", (contact, agent))
            return
        sealed = seal(key, text.encode(), "draft", contact, agent)
        connection.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?)", (contact, agent, sealed))

    def _look(
        self, contact: str, citizen: str, ref: str, who: str, purpose: str, connection: sqlite3.Connection
    ) -> tuple[tuple[str, bytes, bytes] | None, Row | None]:
        """Still sealed, the citizen and the item; and the records of who looks at them."""
        now, looks = self._clock(), []
        person = index.sealed(connection, citizen) if citizen else None
        if person:
            looks.append(audit.Look(now, who, "read_citizen", purpose, contact, citizen))
        row = _item(ref, now, connection) if ref else None
        if row:
            looks.append(audit.Look(now, who, "read", purpose, row[0], ref=ref))
        if looks:
            audit.record(connection, self._keyring, *looks)
        return person, row

    # -- files ------------------------------------------------------------------------------------------------

    async def _store_file(self, ref: str, contact: str, type: str, content: bytes, keep_until: int) -> None:
        """The file first, then the row that makes it count; a file without a row is swept."""
        key = await self._write(lambda connection: self._contact_key(connection, contact))
        about = ("item", ref, type, contact)
        await self._move(lambda: self._files.write(ref, seal(key, content, *about)))
        try:
            await self._write(partial(self._add, ref, contact, type, None, keep_until))
        except Erased:
            await self._move(lambda: self._files.remove([ref]))
            raise

    def _fetch(self, ref: str) -> bytes:
        try:
            return self._files.read(ref)
        except FileNotFoundError as error:
            raise Erased from error

    # -- threads and connections ------------------------------------------------------------------------------

    async def _write(self, work: Work[T], *, alone: bool = False) -> T:
        self._incoming.begin()
        return await self._writer.submit(work, alone=alone)

    async def _query(self, work: Work[T]) -> T:
        self._check_open()
        return await self._reader.ask(work)

    async def _move(self, work: Callable[[], T]) -> T:
        self._check_open()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._movers, work)
        except OSError as error:
            raise Unavailable("the vault's files cannot be reached") from error

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the vault is closed")

    def _connect(self) -> sqlite3.Connection:
        """Used on the thread that asked for it alone; only `close` comes from another, when that one has ended."""
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        """The tables, and whether the key is this vault's."""
        with contextlib.suppress(FileExistsError):  # opening and closing one that is in use would end SQLite's locks
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            connection = self._connect()
            try:
                connection.executescript(_TABLES + index.TABLES + audit.TABLES + erasure.TABLES)
                ours = self._keyring.fingerprint
                connection.execute("INSERT OR IGNORE INTO about VALUES (1, ?)", (ours,))
                if connection.execute("SELECT fingerprint FROM about").fetchone()[0] != ours:
                    raise ConfigurationInvalid([f"the key given is not the one of {self._path}"])
                if erasure.unfinished(connection):
                    self._finish(connection)
            finally:
                connection.close()
            self._at_once = AtOnce(self._connect)
        except sqlite3.Error as error:
            raise Unavailable(f"the vault {self._path.name} cannot be opened: {error}") from error

    def _finish(self, connection: sqlite3.Connection) -> None:
        """An interrupted erasure; when that is still impossible, the next erasure or start tries again."""
        try:
            erasure.finish(connection, self._files)
        except Unavailable as error:
            log.warning("vault.erasure_unfinished", because=error.message)


def _there(found: T | None) -> T:
    if found is None:
        raise UnknownThing("the vault has nothing under this reference")
    return found


def _item(ref: str, now: int, connection: sqlite3.Connection) -> Row | None:
    """Raises Erased."""
    row = connection.execute(_ITEM, (ref,)).fetchone()
    if row is None:
        return None
    contact, type, sealed, filed, wrapped, erased, lapses_at = row
    if erased or not any(wrapped) or (lapses_at and lapses_at <= now):
        raise Erased
    return contact, type, sealed, bool(filed), wrapped
