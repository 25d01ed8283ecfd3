"""The record of one centre in one SQLite file: the journal of a single machine, and the default.

One folder holds one centre: `journal.sqlite` (with its write-ahead log), `journal.lock`, `snapshot-*.bin`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from router.errors import ConfigurationInvalid, Deposed, JournalDamaged, JournalFault
from router.journal import checks, wal
from router.journal.checks import Row
from router.journal.interface import Entry
from router.journal.lock import FolderLock
from router.journal.snapshots import Snapshot, Snapshots, sync_folder

FILE = "journal.sqlite"
_CHUNK = 2_000
"""Facts read at a time, so that no reader keeps the write-ahead log from being emptied."""
_NOTHING = (b"", "")
_BUSY_SECONDS = 5.0
_LOG_BYTES_MAX = 64 << 20
"""What is left of the write-ahead log after a checkpoint."""
_UNREADABLE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (
    centre TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
    fact BLOB NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (centre, number)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commands (
    centre TEXT NOT NULL, number INTEGER NOT NULL, command BLOB NOT NULL,
    PRIMARY KEY (centre, number)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS explanations (
    centre TEXT NOT NULL, number INTEGER NOT NULL, about TEXT NOT NULL, explanation BLOB NOT NULL,
    PRIMARY KEY (centre, number)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS explanations_about ON explanations (centre, about, number);
CREATE TABLE IF NOT EXISTS owners (
    centre TEXT PRIMARY KEY, epoch INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS torn (
    centre TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
    fact BLOB NOT NULL, checksum INTEGER NOT NULL, cut_at INTEGER NOT NULL) STRICT;
"""
_APPEND = """
CREATE TEMP VIEW entries AS
    SELECT '' AS centre, 0 AS number, 0 AS at, 0 AS epoch, x'' AS fact, 0 AS checksum,
    x'' AS command, '' AS about, x'' AS explanation;
CREATE TEMP TRIGGER append INSTEAD OF INSERT ON entries BEGIN
    SELECT RAISE(ABORT, 'deposed') WHERE (SELECT epoch FROM owners WHERE centre = NEW.centre) IS NOT NEW.epoch
        OR (SELECT coalesce(max(number), 0) FROM facts WHERE centre = NEW.centre) <> NEW.number - 1;
    INSERT INTO facts VALUES (NEW.centre, NEW.number, NEW.at, NEW.epoch, NEW.fact, NEW.checksum);
    INSERT INTO commands SELECT NEW.centre, NEW.number, NEW.command WHERE NEW.command <> x'';
    INSERT INTO explanations
        SELECT NEW.centre, NEW.number, NEW.about, NEW.explanation WHERE NEW.explanation <> x'';
END;
"""
"""What an entry leads to, in SQL: so a batch is one statement, and the writer's thread, which lets go of Python's lock
at each, waits once to have it back."""
_ROWS_AT_ONCE = 100
"""In one statement; a batch with more takes several, within one transaction."""
_ROWS = "SELECT number, at, epoch, fact, checksum FROM facts WHERE centre = ? AND number > ? ORDER BY number LIMIT ?"
_LAST = "SELECT coalesce(max(number), 0) FROM facts WHERE centre = ?"
_ORPHANS = """SELECT max(number) FROM commands WHERE centre = ?1
    AND number > (SELECT coalesce(max(number), 0) FROM facts WHERE centre = ?1)"""
_COMMANDS = "SELECT number, command FROM commands WHERE centre = ? AND number BETWEEN ? AND ?"
_EXPLANATIONS = "SELECT number, explanation, about FROM explanations WHERE centre = ? AND number BETWEEN ? AND ?"
_ABOUT = "SELECT explanation FROM explanations WHERE centre = ? AND about = ? ORDER BY number"
_EPOCH = """SELECT max(
    coalesce((SELECT epoch FROM owners WHERE centre = ?1), 0),
    coalesce((SELECT epoch FROM facts WHERE centre = ?1 ORDER BY number DESC LIMIT 1), 0))"""
_OWNER = "SELECT epoch, (SELECT coalesce(max(number), 0) FROM facts WHERE centre = ?1) FROM owners WHERE centre = ?1"
_OWN = "INSERT INTO owners VALUES (?1, ?2, ?3) ON CONFLICT (centre) DO UPDATE SET epoch = ?2, since = ?3"
_PUT_ASIDE = """INSERT INTO torn
    SELECT centre, number, at, epoch, fact, checksum, ?3 FROM facts WHERE centre = ?1 AND number > ?2"""
_CUT = tuple(
    f"DELETE FROM {table} WHERE centre = ? AND number > ?"  # noqa: S608
    for table in ("facts", "commands", "explanations")
)
_PRUNE = tuple(
    f"DELETE FROM {table} WHERE centre = ?1 AND number IN "  # noqa: S608
    f"(SELECT number FROM {table} WHERE centre = ?1 AND number < ?2 ORDER BY number LIMIT ?3)"
    for table in ("commands", "explanations")
)


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SqliteReader:
    """Reads a journal, also while its owner writes it, and keeps snapshots of it. Any thread; one at a time is let in.

    The connection is made with `check_same_thread=False` and used under a lock of this object alone.
    """

    def __init__(self, folder: Path, centre: str) -> None:
        self.folder = folder
        self.centre = centre
        self.path = folder / FILE
        self._guard = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._snapshots = Snapshots(folder, centre)

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Facts numbered above `after`, in order, each checked. Raises JournalDamaged with the number, JournalFault."""
        left, epoch = limit, 0
        while left is None or left > 0:
            rows = self._rows(after, _CHUNK if left is None else min(left, _CHUNK))
            if not rows:
                return self._check_end()
            commands, explanations = self._beside(rows[0].number, rows[-1].number)
            for row in rows:
                checks.next_row(self.centre, row, after + 1, epoch)
                after, epoch = row.number, row.epoch
                yield Entry(after, row.at, row.fact, commands.get(after, b""), *explanations.get(after, _NOTHING))
            left = None if left is None else left - len(rows)

    def last(self) -> int:
        """Number of the last fact; 0 when empty."""
        with self._use() as connection:
            return self._last_recorded(connection)

    def explanations(self, contact: str) -> list[bytes]:
        """The explanations about this contact, oldest first, pruned ones left out."""
        with self._use() as connection:
            return [row[0] for row in connection.execute(_ABOUT, (self.centre, contact))]

    def save_snapshot(self, number: int, state: bytes) -> None:
        """Keep the folded state as of fact `number`; the newest two stay. Raises JournalFault."""
        checksum = self._checksum(number)
        assert checksum is not None, f"there is no fact {number} to make a snapshot of"
        try:
            self._snapshots.save(Snapshot(number, checksum, state))
        except OSError as error:
            raise JournalFault(f"the snapshot could not be written: {error.strerror}") from error

    def load_snapshot(self) -> tuple[int, bytes] | None:
        """The newest snapshot that is whole and belongs to these facts, or None."""
        try:
            for snapshot in self._snapshots.sound():
                if self._checksum(snapshot.number) == snapshot.checksum:
                    return snapshot.number, snapshot.state
        except OSError as error:
            raise JournalFault(f"a snapshot could not be read: {error.strerror}") from error
        return None

    def close(self) -> None:
        """Let go of the file. It may be opened again."""
        with self._guard:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    # -- within ---------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise JournalFault("there is no journal in this folder")
        return self._plug(f"file:{quote(str(self.path.absolute()))}?mode=ro")

    def _plug(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """The connection, made when there is none. After an error of the file it is closed and never used again."""
        with self._guard:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except sqlite3.DatabaseError as error:
                self._drop()
                if _code(error) in _UNREADABLE:
                    raise JournalDamaged(f"the journal file is unreadable: {error}") from error
                raise JournalFault(f"the journal file: {error}") from error

    def _drop(self) -> None:
        try:
            SqliteReader.close(self)
        except sqlite3.Error:
            self._connection = None  # what counts is that it is not used again

    def _last_recorded(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute(_LAST, (self.centre,)).fetchone()[0])

    def _rows(self, after: int, count: int) -> list[Row]:
        """Up to `count` rows, sound or not. Where the file itself is unreadable, only those before that place."""
        try:
            with self._use() as connection:
                return [Row(*row) for row in connection.execute(_ROWS, (self.centre, after, count))]
        except JournalDamaged as error:
            if count == 1:
                raise checks.damaged(after + 1, error.message) from error
        return self._rows(after, count // 2)

    def _beside(self, first: int, last: int) -> tuple[dict[int, bytes], dict[int, tuple[bytes, str]]]:
        """The commands and the explanations (with what they are about) of these facts."""
        span = (self.centre, first, last)
        with self._use() as connection:
            commands = dict(connection.execute(_COMMANDS, span))
            return commands, {number: (why, about) for number, why, about in connection.execute(_EXPLANATIONS, span)}

    def _check_end(self) -> None:
        """A command is written and cut together with its fact: one beyond the last fact tells that facts were taken."""
        with self._use() as connection:
            beyond = connection.execute(_ORPHANS, (self.centre,)).fetchone()[0]
        if beyond is not None:
            raise checks.damaged(int(beyond), "missing, while the command that caused it is there")

    def _checksum(self, number: int) -> int | None:
        """Of that fact's row; 0 for fact 0, which stands for the beginning."""
        if number == 0:
            return 0
        with self._use() as connection:
            ask = "SELECT checksum FROM facts WHERE centre = ? AND number = ?"
            row = connection.execute(ask, (self.centre, number)).fetchone()
            return None if row is None else int(row[0])


class SqliteJournal(SqliteReader):
    """The owner's side: `Journal` over one file, write-ahead log, `synchronous=FULL`.

    `open`, `append` and `close` may be called from different threads, one after the other; the centre appends
    from a thread of its own. Opening checks the facts above the newest snapshot, reading checks every one.
    """

    def __init__(self, folder: Path, centre: str) -> None:
        super().__init__(folder, centre)
        self.cut = 0
        """Facts of a torn tail that `open` put aside (table `torn`)."""
        self.cut_frames = 0
        """Frames of a transaction never finished that SQLite dropped from its log at `open`."""
        self._lock = FolderLock(folder / "journal.lock")
        self._epoch = 0
        self._last = 0
        self._last_at = 0

    @staticmethod
    def reader(folder: Path, centre: str) -> SqliteReader:
        """For another process while the owner runs: reads, and makes snapshots, but cannot append."""
        return SqliteReader(folder, centre)

    def open(self) -> int:
        """As in `Journal`. Raises ConfigurationInvalid when the folder holds another centre's journal."""
        with self._guard:
            assert not self._lock.held, "the journal is open already"
            try:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._lock.take()
                self._check_log()
                with self._use() as connection:
                    connection.executescript(_TABLES)
                    sync_folder(self.folder)
                    self._check_centre(connection)
                    self._cut_tail(connection)
                    self._own(connection)
            except OSError as error:
                self.close()
                raise JournalFault(f"the journal's folder: {error.strerror}") from error
            except BaseException:
                self.close()
                raise
            return self._epoch

    def append(self, entries: Sequence[Entry]) -> None:
        """As in `Journal`. An empty batch only asks whether this is still the owner."""
        with self._guard:
            assert self._lock.held, "the journal is not open"
            checks.continues(self._last, self._last_at, entries)
            try:
                with self._use() as connection:
                    self._transact(connection, entries)
            except JournalDamaged as error:
                raise JournalFault(error.message) from error
            if entries:
                self._last, self._last_at = entries[-1].number, entries[-1].at

    def last(self) -> int:
        """Number of the last fact that was appended or found; 0 when empty."""
        return self._last if self._lock.held else super().last()

    def prune(self, below: int, limit: int = 10_000) -> int:
        """Forget up to `limit` commands and explanations of facts numbered under `below`; gives how many went."""
        gone = 0
        with self._use() as connection:
            for ask in _PRUNE:
                gone += connection.execute(ask, (self.centre, below, limit - gone)).rowcount
        return gone

    def close(self) -> None:
        """Let go of the file and of the ownership. It may be opened again."""
        with self._guard:
            try:
                super().close()
            finally:
                self._epoch = 0
                self._lock.release()

    # -- within ---------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        assert self._lock.held, "the journal is not open"
        connection = self._plug(f"file:{quote(str(self.path.absolute()))}")
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise JournalFault(f"this file system cannot keep a write-ahead log (journal_mode {mode})")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES_MAX}")
            connection.executescript(_APPEND)
            if self._epoch:
                self._discard_unacknowledged(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_log(self) -> None:
        log = wal.inspect(self.path.with_name(f"{FILE}-wal"))
        if log.damaged:
            raise JournalDamaged(
                f"{FILE}-wal is unreadable after frame {log.committed}: {log.tail} frames with facts would be lost"
            )
        self.cut_frames = log.tail

    def _check_centre(self, connection: sqlite3.Connection) -> None:
        other = connection.execute("SELECT centre FROM owners WHERE centre <> ?", (self.centre,)).fetchone()
        if other is not None:
            raise ConfigurationInvalid(
                [f"the configuration names centre '{self.centre}', the data folder holds the journal of '{other[0]}'"]
            )

    def _cut_tail(self, connection: sqlite3.Connection) -> None:
        """Put torn rows aside. Starts at the newest snapshot, whose maker has read what is before it."""
        snapshots = list(self._snapshots.sound())
        known = next((s.number for s in snapshots if self._checksum(s.number) == s.checksum), 0)
        last, self.cut = checks.sound_until(self.centre, known, self._all_rows(known))
        if snapshots and snapshots[0].number > last:
            raise checks.damaged(last + 1, f"missing, while a snapshot as of fact {snapshots[0].number} was made")
        if self.cut:
            self._put_aside(connection, last)
        ask = "SELECT at FROM facts WHERE centre = ? AND number = ?"
        row = connection.execute(ask, (self.centre, last)).fetchone()
        self._last, self._last_at = last, int(row[0]) if row else 0

    def _all_rows(self, after: int) -> Iterator[Row]:
        while rows := self._rows(after, _CHUNK):
            yield from rows
            after = rows[-1].number

    def _put_aside(self, connection: sqlite3.Connection, last: int) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_PUT_ASIDE, (self.centre, last, _wall_ms()))
            for ask in _CUT:
                connection.execute(ask, (self.centre, last))

    def _own(self, connection: sqlite3.Connection) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            epoch = int(connection.execute(_EPOCH, (self.centre,)).fetchone()[0]) + 1
            connection.execute(_OWN, (self.centre, epoch, _wall_ms()))
        self._epoch = epoch

    def _transact(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        parts = [entries[at : at + _ROWS_AT_ONCE] for at in range(0, len(entries), _ROWS_AT_ONCE)]
        try:
            if not parts and connection.execute(_OWNER, (self.centre,)).fetchone() != (self._epoch, self._last):
                raise Deposed("another process owns this centre now")
            if len(parts) > 1:
                connection.execute("BEGIN IMMEDIATE")
            for part in parts:
                self._insert(connection, part)
            if len(parts) > 1:
                connection.execute("COMMIT")
        except BaseException:
            self._drop()
            raise

    def _insert(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        centre, epoch = self.centre, self._epoch
        values: list[str | int | bytes] = []
        for e in entries:
            checksum = checks.checksum(centre, e.number, e.at, epoch, e.fact)
            values += (centre, e.number, e.at, epoch, e.fact, checksum, e.command, e.about, e.explanation)
        rows = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(entries))
        try:
            connection.execute(f"INSERT INTO entries VALUES {rows}", values)  # noqa: S608
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
                raise Deposed("another process owns this centre now") from None
            raise

    def _discard_unacknowledged(self, connection: sqlite3.Connection) -> None:
        """The disk may hold an append that was told to have failed: it goes, so that it stays unwritten."""
        recorded = self._last_recorded(connection)
        if recorded < self._last:
            raise checks.damaged(recorded + 1, f"missing, while facts up to {self._last} had been acknowledged")
        if recorded > self._last:
            if connection.execute(_OWNER, (self.centre,)).fetchone() != (self._epoch, recorded):
                raise Deposed("another process owns this centre now")
            self._put_aside(connection, self._last)
            for number in self._snapshots.numbers():
                if number > self._last:
                    self._snapshots.remove(number)
