"""Follows the centre's facts into the fold of open chats, and tells when a number has been reached."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from router.channels.chat.fold import OpenChats
from router.engine.commands import Tick
from router.errors import KccError, Unavailable
from router.port import CentrePort
from router.web import where

AGAIN_SECONDS = 1.0
REACH_SECONDS_MAX = 10.0
"""The facts come right after their outcome; when they do not, the client tries again."""

log = structlog.get_logger()


class Following:
    """Applies every fact once, in order; after each batch `changed` is given the contacts that look different."""

    def __init__(
        self,
        port: CentrePort,
        chats: OpenChats,
        changed: Callable[[set[str]], None],
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._port, self._chats, self._changed, self._pause = port, chats, changed, pause
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    async def run(self) -> None:
        """For ever; a fault of the port is logged, and reading goes on where it stopped."""
        while True:
            try:
                async for batch in self._port.facts(self._chats.number):
                    for numbered in batch:
                        self._chats.apply(numbered.number, numbered.at, numbered.fact)
                    self._changed(self._chats.settle())
                    self._release()
            except KccError as error:
                log.warning("chat.facts_interrupted", code=error.code, at=self._chats.number)
            except Exception as error:  # noqa: BLE001 - a channel heals by itself; logged without what it says
                log.error("chat.fact_skipped", at=self._chats.number, error=type(error).__name__, where=where(error))
            await self._pause(AGAIN_SECONDS)

    async def catch_up(self) -> None:
        """Come to where the centre is now, however long that takes."""
        while True:
            try:
                outcome = await self._port.submit(Tick())
                break
            except KccError as error:
                log.warning("chat.centre_unavailable", code=error.code)
                await self._pause(AGAIN_SECONDS)
        if self._chats.number < outcome.number:
            await self._wait(outcome.number)

    async def reached(self, number: int) -> None:
        """Wait until the fold holds fact `number`. Raises Unavailable when that takes too long."""
        if self._chats.number >= number:
            return
        try:
            async with asyncio.timeout(REACH_SECONDS_MAX):
                await self._wait(number)
        except TimeoutError:
            raise Unavailable("this takes too long: try again") from None

    async def _wait(self, number: int) -> None:
        reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((number, reply))
        await reply

    def _release(self) -> None:
        later: list[tuple[int, asyncio.Future[None]]] = []
        for number, reply in self._waiters:
            if reply.done():
                continue
            if number <= self._chats.number:
                reply.set_result(None)
            else:
                later.append((number, reply))
        self._waiters = later
