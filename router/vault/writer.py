"""The one thread that writes the vault's database: what waits at the same time shares one commit."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from router.errors import Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BATCH_MAX = 256
WAITING_MAX = 10_000


class _Job(NamedTuple):
    work: Work[Any]
    alone: bool
    future: asyncio.Future[Any]


class _Raised(NamedTuple):
    error: Exception


class Writer:
    """`submit` and `end` on an event loop. The connection is made and used on the writer's own thread only."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        """None is the last."""
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="vault", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T], *, alone: bool = False) -> asyncio.Future[T]:
        """The future is done when the work is committed. What the work raises undoes that work and nobody else's.

        Work that shares a commit is done again by itself when any of it raises. `alone`: outside any transaction.
        Raises Unavailable when too much is waiting or the writer has been ended.
        """
        if self._ended or not self._thread.is_alive():
            raise Unavailable("the vault is closed")
        if self._jobs.qsize() >= WAITING_MAX:
            raise Unavailable("the vault cannot keep up")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, alone, future))
        return future

    def end(self) -> None:
        """After what was submitted until now. Ending again does nothing."""
        if not self._ended:
            self._ended = True
            self._jobs.put(None)

    def join(self) -> None:
        """Wait, on another thread than the loop's, until all is done and the connection is closed."""
        self._thread.join()

    def _run(self) -> None:
        while jobs := self._waiting():
            for _, batch in groupby(jobs, lambda job: job if job.alone else None):
                self._settle([job for job in batch if not job.future.cancelled()])
        self._drop()

    def _waiting(self) -> list[_Job]:
        """What waits, when something does; empty at the end."""
        jobs = []
        for job in iter(self._jobs.get, None):
            jobs.append(job)
            if len(jobs) == BATCH_MAX or self._jobs.empty():
                return jobs
        if jobs:
            self._jobs.put(None)  # for the next time
        return jobs

    def _settle(self, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        try:
            outcomes = [jobs[0].work(self._connected())] if jobs[0].alone else self._together(jobs)
        except Exception as error:  # noqa: BLE001 - it goes to who asked
            if isinstance(error, sqlite3.Error):
                self._drop()  # after such an error the connection is never used again
            if len(jobs) > 1 and not isinstance(error, sqlite3.OperationalError):
                for job in jobs:
                    self._settle([job])
                return
            outcomes = [_Raised(error)] * len(jobs)
        for loop, told in groupby(zip(jobs, outcomes, strict=True), lambda one: one[0].future.get_loop()):
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits for these any more
                loop.call_soon_threadsafe(_tell, list(told))

    def _together(self, jobs: Sequence[_Job]) -> list[Any]:
        with self._connected() as connection:  # commits, or undoes it all
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


def _tell(settled: Sequence[tuple[_Job, Any]]) -> None:
    """On the event loop."""
    for job, outcome in settled:
        if job.future.cancelled():
            continue
        if not isinstance(outcome, _Raised):
            job.future.set_result(outcome)
        elif isinstance(outcome.error, sqlite3.Error):
            told = Unavailable("the vault cannot be written")
            told.__cause__ = outcome.error
            job.future.set_exception(told)
        else:
            job.future.set_exception(outcome.error)
