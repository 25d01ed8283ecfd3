"""The journals that the conformance suite is held against, each with the means to hurt what it has recorded."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

from router.journal.interface import Entry, Journal
from router.journal.memory import MemoryJournal, MemoryRecord
from router.journal.sqlite import FILE, SqliteJournal

CENTRE = "drentsche-aa"


def entry(number: int, fact: bytes = b"", *, command: bytes = b"", explanation: bytes = b"", about: str = "") -> Entry:
    fact = fact or b'["Fact",1,{"n":%d}]' % number
    return Entry(number, 1_700_000_000_000 + number, fact, command, explanation, about)


def entries(first: int, last: int) -> list[Entry]:
    return [entry(number) for number in range(first, last + 1)]


class Owned(Journal, Protocol):
    """What the suite asks of an implementation beyond the interface."""

    cut: int

    def prune(self, below: int, limit: int = 10_000) -> int: ...


class Bench(Protocol):
    """A place where one centre's journal stands."""

    def journal(self) -> Owned:
        """Another would-be owner of the same record."""
        ...

    def depose(self) -> None:
        """Another owner has taken over, without the present one knowing."""
        ...

    def damage(self, number: int) -> None:
        """Flip a bit of this fact."""
        ...

    def lose(self, number: int) -> None:
        """Take this fact away."""
        ...

    def damage_snapshot(self, number: int) -> None: ...

    def failing(self) -> contextlib.AbstractContextManager[None]:
        """Meanwhile nothing can be written."""
        ...


class MemoryBench:
    def __init__(self) -> None:
        self.record = MemoryRecord(CENTRE)

    def journal(self) -> Owned:
        return MemoryJournal(self.record)

    def depose(self) -> None:
        self.record.epoch += 1

    def damage(self, number: int) -> None:
        row = self.record.rows[number - 1]
        self.record.rows[number - 1] = replace(row, fact=flipped(row.fact))

    def lose(self, number: int) -> None:
        del self.record.rows[number - 1]

    def damage_snapshot(self, number: int) -> None:
        self.record.snapshots[number] = replace(self.record.snapshots[number], checksum=0)

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        self.record.fault = "no space left"
        yield
        self.record.fault = ""


class SqliteBench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults = Faults()

    def journal(self) -> Owned:
        return FaultyJournal(self.folder, CENTRE, self.faults)

    def depose(self) -> None:
        self._change("UPDATE owners SET epoch = epoch + 1")

    def damage(self, number: int) -> None:
        with contextlib.closing(sqlite3.connect(self.folder / FILE)) as connection:
            fact = connection.execute("SELECT fact FROM facts WHERE number = ?", (number,)).fetchone()[0]
        self._change("UPDATE facts SET fact = ? WHERE number = ?", flipped(fact), number)

    def lose(self, number: int) -> None:
        self._change("DELETE FROM facts WHERE number = ?", number)

    def damage_snapshot(self, number: int) -> None:
        path = self.folder / f"snapshot-{number}.bin"
        path.write_bytes(flipped(path.read_bytes()))

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        self.faults.on = "INSERT"
        yield
        self.faults.on = ""

    def _change(self, ask: str, *values: object) -> None:
        with contextlib.closing(sqlite3.connect(self.folder / FILE)) as connection, connection:
            connection.execute(ask, values)


class Faults:
    """Which statement the disk refuses, and whether it does so after having carried it out."""

    def __init__(self) -> None:
        self.on = ""
        self.afterwards = False
        self.told = 0

    def meets(self, statement: str) -> bool:
        return bool(self.on) and statement.startswith(self.on)

    def tell(self) -> NoReturn:
        self.told += 1
        raise sqlite3.OperationalError("disk I/O error")


class FaultyJournal(SqliteJournal):
    """The real journal on connections that fail when they are told to."""

    def __init__(self, folder: Path, centre: str, faults: Faults) -> None:
        super().__init__(folder, centre)
        self.faults = faults
        self.plugged = 0

    def _plug(self, uri: str) -> sqlite3.Connection:
        faults = self.faults
        self.plugged += 1

        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                return self._faulty(super().execute, statement, *values)

            def executemany(self, statement: str, *values: Any) -> sqlite3.Cursor:
                return self._faulty(super().executemany, statement, *values)

            def _faulty(self, act: Any, statement: str, *values: Any) -> Any:
                if not faults.meets(statement):
                    return act(statement, *values)
                if faults.afterwards:
                    act(statement, *values)
                return faults.tell()

        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=Connection)


def flipped(data: bytes, at: int = -1) -> bytes:
    """The same bytes with one bit turned, in the middle unless told otherwise."""
    at = len(data) // 2 if at < 0 else at
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
