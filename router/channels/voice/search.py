"""Looks for Asterisk when its manager is out of reach: has it ended, or is only the way to it broken?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

SILENCE_SECONDS = 4.0
PROBE_SECONDS = 1.0
REFUSALS = 2


class AsteriskSearch:
    """Out of reach is not out of order: calls go on behind a broken network. Only when its machine says twice that
    nobody listens there, and `at_our_door` says that none of its calls is being served, Asterisk has ended and every
    call with it: then `ended` is awaited."""

    def __init__(
        self, host: str, port: int, at_our_door: Callable[[], object], ended: Callable[[], Awaitable[None]]
    ) -> None:
        self._host, self._port = host, port
        self._at_our_door, self._ended = at_our_door, ended
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """The connection is not there. About 6 s from now a dead Asterisk is found dead."""
        self.found()
        self._task = asyncio.create_task(self._run(), name="voice search")

    def found(self) -> None:
        """The connection is there."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        self.found()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await asyncio.sleep(SILENCE_SECONDS)
        refusals = 0
        while refusals < REFUSALS:
            refusals = refusals + 1 if await self._refused() and not self._at_our_door() else 0
            await asyncio.sleep(PROBE_SECONDS)
        await self._ended()

    async def _refused(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except ConnectionRefusedError:
            return True
        except (OSError, TimeoutError):
            return False
        writer.close()
        return False
