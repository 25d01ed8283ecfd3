"""Carries effects to their channels: in order per contact, side by side over contacts."""

from __future__ import annotations

import asyncio

import structlog

from router.channels.channel import Channel
from router.port import CentrePort, Order

log = structlog.get_logger()

AT_ONCE_MAX = 200


class Dispatcher:
    """Brings one channel its orders until it is stopped."""

    def __init__(self, port: CentrePort, channel: Channel) -> None:
        self._port, self._channel = port, channel
        self._last: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE_MAX)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"orders {self._channel.name}")

    async def stop(self) -> None:
        """Take no more orders; those under way are finished or given up by the channel's own stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, *self._last.values(), return_exceptions=True)

    async def _run(self) -> None:
        async for order in self._port.orders(self._channel.name):
            await self._room.acquire()
            contact = order.effect.contact
            task = asyncio.create_task(self._perform(order, self._last.get(contact)))
            self._last[contact] = task
            task.add_done_callback(lambda done, contact=contact: self._done(contact, done))  # type: ignore[misc]

    def _done(self, contact: str, task: asyncio.Task[None]) -> None:
        self._room.release()
        if self._last.get(contact) is task:
            del self._last[contact]

    async def _perform(self, order: Order, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await self._channel.perform(order)
        except Exception:
            log.exception("order.failed", channel=self._channel.name, effect=type(order.effect).__name__)
