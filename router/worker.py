"""A thread of its own for what must not stand in an event loop's way: one thing at a time, in the order asked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
BATCH_MAX = 256


class Raised(NamedTuple):
    """The outcome of what did not give one."""

    error: BaseException


class Job(NamedTuple):
    """What is asked: what `_do` may do it by, and who waits for what it gives."""

    work: Callable[..., Any]
    future: asyncio.Future[Any]


class Worker:
    """Asked on an event loop, where the answer is told too. For one thread this costs less than an executor, whose
    locks an event loop pays for at every question."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        """None is the last."""
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(self, work: Callable[..., T]) -> asyncio.Future[T]:
        """What the work gives or raises. Raises RuntimeError when it has been ended."""
        if self._ended or not self._thread.is_alive():
            raise RuntimeError(f"the thread {self._thread.name} has ended")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(Job(work, future))
        return future

    def end(self) -> None:
        """After what was asked until now. Ending again does nothing."""
        if not self._ended:
            self._ended = True
            self._jobs.put(None)

    def join(self) -> None:
        """Wait, on another thread than the loop's, until all is done."""
        self._thread.join()

    def _run(self) -> None:
        while jobs := self._waiting():
            self._do([job for job in jobs if not job.future.cancelled()])

    def _waiting(self) -> list[Job]:
        """What waits, when something does; empty at the end."""
        jobs = []
        for job in iter(self._jobs.get, None):
            jobs.append(job)
            if len(jobs) == BATCH_MAX or self._jobs.empty():
                return jobs
        if jobs:
            self._jobs.put(None)  # for the next time
        return jobs

    def _do(self, jobs: Sequence[Job]) -> None:
        """On the thread: each by itself."""
        for job in jobs:
            try:
                outcome = job.work()
            except BaseException as error:  # noqa: BLE001 - it goes to who asked
                outcome = Raised(error)
            tell([(job, outcome)])


def tell(done: Sequence[tuple[Job, Any]]) -> None:
    """Whoever waits for these is told, in one turn of their loop."""
    for loop, told in groupby(done, lambda one: one[0].future.get_loop()):
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits for these any more
            loop.call_soon_threadsafe(_tell, list(told))


def _tell(done: Sequence[tuple[Job, Any]]) -> None:
    """On the event loop."""
    for job, outcome in done:
        if job.future.cancelled():
            continue
        if isinstance(outcome, Raised):
            job.future.set_exception(outcome.error)
        else:
            job.future.set_result(outcome)
