"""The one thread that writes the vault's database: what waits at the same time shares one commit."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from router.errors import Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BATCH_MAX = 256
WAITING_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    alone: bool
    future: Future[Any]


class Writer:
    """`submit` from any thread. The connection is made and used on the writer's own thread only."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._jobs: queue.Queue[_Job] = queue.Queue(WAITING_MAX)
        self._ahead: _Job | None = None
        """Taken from the queue, but not of the batch under way."""
        self._going = True
        self._thread = threading.Thread(target=self._run, name="vault", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T], *, alone: bool = False) -> Future[T]:
        """The future is done when the work is committed. What the work raises undoes that work and nobody else's.

        `alone`: outside any transaction. Raises Unavailable when too much is waiting or the writer has been closed.
        """
        future: Future[T] = Future()
        if not self._thread.is_alive():
            raise Unavailable("the vault is closed")
        try:
            self._jobs.put_nowait(_Job(work, alone, future))
        except queue.Full as error:
            raise Unavailable("the vault cannot keep up") from error
        return future

    def close(self) -> None:
        """Finishes what was submitted, then ends. Closing again does nothing."""
        if self._thread.is_alive():
            self._jobs.put(_Job(self._end, True, Future()))
            self._thread.join()

    def _end(self, connection: sqlite3.Connection | None) -> None:
        self._going = False

    def _run(self) -> None:
        while self._going:
            self._settle([job for job in self._take() if job.future.set_running_or_notify_cancel()])
        self._drop()
        while not self._jobs.empty():
            self._jobs.get_nowait().future.set_exception(Unavailable("the vault is closed"))

    def _take(self) -> list[_Job]:
        """What is waiting, as far as it may share a commit."""
        job, self._ahead = self._ahead or self._jobs.get(), None
        batch = [job]
        while not job.alone and len(batch) < BATCH_MAX and not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job.alone:
                self._ahead = job
            else:
                batch.append(job)
        return batch

    def _settle(self, batch: Sequence[_Job]) -> None:
        try:
            outcomes = self._alone(batch[0]) if batch and batch[0].alone else self._together(batch)
        except sqlite3.OperationalError as error:
            self._fail(batch, error)
        except Exception as error:  # noqa: BLE001 - it goes to who asked
            if len(batch) == 1:
                self._fail(batch, error)
                return
            self._drop()
            for job in batch:  # one of them is not writable as it is: the others do not suffer for it
                self._settle([job])
        else:
            for job, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, _Raised):
                    job.future.set_exception(outcome.error)
                else:
                    job.future.set_result(outcome)

    def _alone(self, job: _Job) -> list[Any]:
        return [job.work(self._connected())]

    def _together(self, batch: Sequence[_Job]) -> list[Any]:
        connection = self._connected()
        outcomes: list[Any] = []
        connection.execute("BEGIN IMMEDIATE")
        for job in batch:
            connection.execute("SAVEPOINT job")
            try:
                outcomes.append(job.work(connection))
            except sqlite3.Error:
                raise
            except Exception as error:  # noqa: BLE001 - it goes to who asked
                connection.execute("ROLLBACK TO job")
                outcomes.append(_Raised(error))
            connection.execute("RELEASE job")
        connection.execute("COMMIT")
        return outcomes

    def _fail(self, batch: Sequence[_Job], error: Exception) -> None:
        """After an error the connection is never used again."""
        self._drop()
        for job in batch:
            if isinstance(error, sqlite3.Error):
                told = Unavailable("the vault cannot be written")
                told.__cause__ = error
                job.future.set_exception(told)
            else:
                job.future.set_exception(error)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception
