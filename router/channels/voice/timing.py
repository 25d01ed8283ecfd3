"""Deadlines of the voice channel on a clock that a test may put in place of the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Timer(Protocol):
    """A call that is to come and can be called off."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], object]], Timer]
"""`loop.call_later`, or what a test puts in its place: all waiting in the voice channel goes through it."""


def loop_timer(seconds: float, call: Callable[[], object]) -> Timer:
    """The running loop's own clock."""
    return asyncio.get_running_loop().call_later(seconds, call)


async def within(seconds: float, work: Awaitable[T], call_later: CallLater = loop_timer) -> T:
    """The result of `work`; after `seconds` it is cancelled and TimeoutError raised."""
    async with asyncio.timeout(None) as limit:
        timer = call_later(seconds, lambda: limit.reschedule(0))
        try:
            return await work
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
