"""Reading the vault's database beside the writer: on a thread of its own, or at once where that is little."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from router.errors import Unavailable
from router.worker import Worker

T = TypeVar("T")


class Reader:
    """The connection is made and used on the reader's own thread, and cannot write."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._thread = Worker("vault-reader")

    def ask(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """What the work gives or raises. Raises Unavailable when the database cannot be read."""
        return self._thread.ask(partial(self._do, work))

    def close(self) -> None:
        """Finishes what was asked, then ends. Closing again does nothing. Not on the event loop: it waits."""
        self._thread.end()
        self._thread.join()
        self._drop()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._connection.execute("PRAGMA query_only = ON")
            return work(self._connection)
        except sqlite3.Error as error:
            self._drop()
            raise Unavailable("the vault cannot be read") from error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class AtOnce:
    """Reads on the event loop itself: for what takes a page or two, that are in memory as a rule, and that somebody on
    the line waits for. To ask the thread takes several times as long. A database that is busy is not waited for."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connect()
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.execute("PRAGMA busy_timeout = 0")

    def ask(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What the work gives; None when the database does not say it at once."""
        try:
            return work(self._connection)
        except sqlite3.Error:
            return None

    def close(self) -> None:
        self._connection.close()
