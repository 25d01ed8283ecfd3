"""What a centre is asked: first what somebody on the line waits for, then the rest, in fewer and larger rounds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from router.courtesy import Courtesy

T = TypeVar("T")

WAITING_MAX = 20_000
TOGETHER_MAX = 500
APART_SECONDS = 0.01
"""So far apart, at least, are rounds of the others, while calls come in."""
BUSY_SECONDS = 0.1
"""Calls come in when one did so lately."""


class Inbox(Generic[T]):
    """On one event loop; one task takes. Those that press keep their order, and so do the others."""

    def __init__(self, courtesy: Courtesy, may_wait: Callable[[], bool]) -> None:
        """`may_wait`: whether nobody is kept waiting when the others are decided a moment later."""
        self._courtesy, self._may_wait = courtesy, may_wait
        self._pressing: deque[T] = deque()
        self._others: deque[T] = deque()
        self._due = False
        """The others have waited long enough."""
        self._coming: asyncio.TimerHandle | asyncio.Future[None] | None = None
        """What makes it so."""
        self._last = 0.0
        """When they were taken last."""
        self._taker: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._pressing) + len(self._others)

    def put(self, one: T, *, presses: bool) -> None:
        """Raises asyncio.QueueFull."""
        if len(self) >= WAITING_MAX:
            raise asyncio.QueueFull
        if presses:
            self._pressing.append(one)
            self.wake()
        else:
            self._others.append(one)
            self._arrange()

    def wake(self) -> None:
        """Whoever takes goes on, also with nothing."""
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    async def take(self, seconds: float | None) -> list[T]:
        """What is to be decided together; perhaps nothing, after so many seconds or when it was woken."""
        self._arrange()
        if not self._pressing and not self._due and (seconds is None or seconds > 0):
            loop = asyncio.get_running_loop()
            self._taker = loop.create_future()
            alarm = None if seconds is None else loop.call_later(seconds, self.wake)
            await self._taker
            if alarm is not None:
                alarm.cancel()
        taken = [self._pressing.popleft() for _ in range(min(len(self._pressing), TOGETHER_MAX))]
        if self._due and len(taken) < TOGETHER_MAX:
            self._due, self._last = False, asyncio.get_running_loop().time()
            taken += [self._others.popleft() for _ in range(min(len(self._others), TOGETHER_MAX - len(taken)))]
        return taken

    def empty(self) -> list[T]:
        """All of it, taken out."""
        left = [*self._pressing, *self._others]
        self._pressing.clear()
        self._others.clear()
        return left

    def _arrange(self) -> None:
        """See to it that the others are taken in time."""
        if not self._others or self._due:
            return
        if not self._may_wait():
            self._let()
        elif self._coming is None:
            loop = asyncio.get_running_loop()
            left = self._last + APART_SECONDS - loop.time()
            if left > 0 and self._courtesy.quiet_seconds < BUSY_SECONDS:
                self._coming = loop.call_later(left, self._apart)
            else:
                self._apart()

    def _apart(self) -> None:
        """It is long enough ago that others were taken."""
        if self._courtesy.hurried:
            self._coming = turn = self._courtesy.turn()
            turn.add_done_callback(lambda _: None if turn.cancelled() else self._let())
        else:
            self._let()

    def _let(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            self._coming = None
        self._due = True
        self.wake()
