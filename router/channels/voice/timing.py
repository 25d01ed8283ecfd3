"""Deadlines of the voice channel on a clock that a test may put in place of the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Timer(Protocol):
    """A call that is to come and can be called off."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], object]], Timer]
"""`loop.call_later`, or what a test puts in its place: all waiting in the voice channel goes through it."""


def loop_timer(seconds: float, call: Callable[[], object]) -> Timer:
    """The running loop's own clock."""
    return asyncio.get_running_loop().call_later(seconds, call)


async def within(seconds: float, work: Coroutine[Any, Any, T], call_later: CallLater = loop_timer) -> T:
    """The result of `work`; after `seconds` it is cancelled and TimeoutError raised."""
    task = asyncio.get_running_loop().create_task(work)
    late = False

    def expire() -> None:
        nonlocal late
        late = True
        task.cancel()

    timer = call_later(seconds, expire)
    try:
        return await task
    except asyncio.CancelledError:
        me = asyncio.current_task()
        if late and me is not None and not me.cancelling():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()


async def pause(seconds: float, call_later: CallLater = loop_timer) -> None:
    """Wait that long."""
    over = asyncio.Event()
    timer = call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()
