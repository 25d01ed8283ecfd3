"""The one thread that writes the vault's database: what waits at the same time shares one commit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

from router.errors import Unavailable
from router.worker import Job, Raised, Worker, tell

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

WAITING_MAX = 10_000


class _Alone:
    """Work outside any transaction."""

    def __init__(self, work: Work[Any]) -> None:
        self.work = work

    def __call__(self, connection: sqlite3.Connection) -> Any:
        return self.work(connection)


class Writer(Worker):
    """The connection is made and used on the writer's own thread only."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        super().__init__("vault")

    def submit(self, work: Work[T], *, alone: bool = False) -> asyncio.Future[T]:
        """The future is done when the work is committed. What the work raises undoes that work and nobody else's.

        Work that shares a commit is done again by itself when any of it raises. `alone`: outside any transaction.
        Raises Unavailable when too much is waiting or the writer has been ended.
        """
        if self._jobs.qsize() >= WAITING_MAX:
            raise Unavailable("the vault cannot keep up")
        try:
            return self.ask(_Alone(work) if alone else work)
        except RuntimeError:
            raise Unavailable("the vault is closed") from None

    def _run(self) -> None:
        super()._run()
        self._drop()

    def _do(self, jobs: Sequence[Job]) -> None:
        for _, batch in groupby(jobs, lambda job: job if isinstance(job.work, _Alone) else None):
            self._settle(list(batch))

    def _settle(self, jobs: Sequence[Job]) -> None:
        try:
            outcomes = self._together(jobs)
        except Exception as error:  # noqa: BLE001 - it goes to who asked
            if isinstance(error, sqlite3.Error):
                self._drop()  # after such an error the connection is never used again
            if len(jobs) > 1 and not isinstance(error, sqlite3.OperationalError):
                for job in jobs:
                    self._settle([job])
                return
            outcomes = [Raised(_told(error))] * len(jobs)
        tell(list(zip(jobs, outcomes, strict=True)))

    def _together(self, jobs: Sequence[Job]) -> list[Any]:
        connection = self._connected()
        if isinstance(jobs[0].work, _Alone):
            return [jobs[0].work(connection)]
        with connection:  # commits, or undoes it all
            connection.execute("BEGIN IMMEDIATE")
            return [job.work(connection) for job in jobs]

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _told(error: Exception) -> Exception:
    if not isinstance(error, sqlite3.Error):
        return error
    told = Unavailable("the vault cannot be written")
    told.__cause__ = error
    return told
