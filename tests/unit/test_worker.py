"""A thread that is asked from an event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from router.worker import Worker


async def test_one_thing_at_a_time_in_the_order_asked_on_a_thread_of_its_own() -> None:
    worker = Worker("test")
    names = await asyncio.gather(*(worker.ask(lambda n=n: (n, threading.current_thread().name)) for n in range(300)))
    assert names == [(n, "test") for n in range(300)]
    worker.end()
    await asyncio.to_thread(worker.join)


async def test_what_is_raised_goes_to_who_asked_alone() -> None:
    worker = Worker("test")
    wrong, right = worker.ask(lambda: 1 // 0), worker.ask(lambda: 1)
    with pytest.raises(ZeroDivisionError):
        await wrong
    assert await right == 1
    worker.end()


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    worker, go, done = Worker("test"), threading.Event(), []
    first = worker.ask(go.wait)
    second, third = worker.ask(lambda: done.append(2)), worker.ask(lambda: done.append(3))
    second.cancel()
    go.set()
    await asyncio.gather(first, third)
    assert done == [3]
    worker.end()


async def test_after_its_end_it_finishes_what_was_asked_and_takes_no_more() -> None:
    worker, go = Worker("test"), threading.Event()
    worker.ask(go.wait)
    asked = worker.ask(lambda: "done")
    worker.end()
    worker.end()
    with pytest.raises(RuntimeError):
        worker.ask(lambda: None)
    go.set()
    assert await asked == "done"
    await asyncio.to_thread(worker.join)


def test_a_loop_that_has_ended_does_not_end_the_thread() -> None:
    worker, go = Worker("test"), threading.Event()

    async def leaves() -> None:
        worker.ask(go.wait)

    async def asks() -> int:
        return await worker.ask(lambda: 1)

    asyncio.run(leaves())
    go.set()
    assert asyncio.run(asks()) == 1
    worker.end()
    worker.join()
