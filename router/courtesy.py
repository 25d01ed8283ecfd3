"""Who waits on the line goes first: what only draws a picture lets calls pass that are on their way in."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

LONGEST_SECONDS = 0.02
"""Nobody sees a picture that is so much later."""


class Courtesy:
    """On one event loop: `hurry` for what goes first, `turn` before each piece of work that can wait."""

    def __init__(self) -> None:
        self._hurried = 0
        self._last = -math.inf
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        """Until when each waits at most, the first to come first."""
        self._late: asyncio.TimerHandle | None = None
        self._soon = False

    def hurry(self) -> Callable[[], None]:
        """Somebody comes in; gives what is to be called when they have been told something. Again is no harm."""
        self._hurried += 1
        told = False

        def done() -> None:
            nonlocal told
            if not told:
                told = True
                self._hurried -= 1
                self._last = asyncio.get_running_loop().time()
                self._arrange()

        return done

    @property
    def hurried(self) -> bool:
        """Whether somebody hurries now."""
        return self._hurried > 0

    @property
    def quiet_seconds(self) -> float:
        """For how long nobody has hurried."""
        return 0.0 if self._hurried else asyncio.get_running_loop().time() - self._last

    def turn(self) -> asyncio.Future[None]:
        """Done when nobody hurries: those who wait go on one by one, with a look in between at what has come in.
        Whoever has waited as long as is allowed goes on whatever there is."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((loop.time() + LONGEST_SECONDS, future))
        self._arrange()
        return future

    def _arrange(self) -> None:
        """See to it that the first who waits goes on in time."""
        if not self._waiting or self._soon:
            return
        loop = asyncio.get_running_loop()
        if self._hurried:
            self._late = self._late or loop.call_at(self._waiting[0][0], self._let)
            return
        if self._late is not None:
            self._late.cancel()
        self._soon = True
        loop.call_soon(self._let)

    def _let(self) -> None:
        """The first who waits, if nobody hurries; and who has waited too long."""
        self._late, self._soon = None, False
        now, first = asyncio.get_running_loop().time(), not self._hurried
        while self._waiting and (first or self._waiting[0][0] <= now):
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                first = False
        self._arrange()
