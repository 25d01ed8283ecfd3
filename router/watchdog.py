"""Notices that the event loop stands still: a frozen router is worse for the PBX than a dead one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

log = structlog.get_logger()

BEAT_SECONDS = 0.1
STALL_SECONDS = 2.0


class Line(Protocol):
    """What must not keep callers waiting while the loop stands still: the FastAGI listener."""

    def drop(self) -> None:
        """Called from the watchdog's own thread."""
        ...

    async def resume(self) -> None: ...


class Watchdog:
    """A beat on the loop, and a thread that listens to it."""

    def __init__(self, stalled: Callable[[], None], line: Line | None, stall_seconds: float = STALL_SECONDS) -> None:
        self._stalled, self._line, self._stall_seconds = stalled, line, stall_seconds
        self._last = time.monotonic()
        self._dropped = False
        self._ended = threading.Event()
        self._beat: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._last = time.monotonic()
        self._beat = asyncio.create_task(self._beating(), name="watchdog")
        threading.Thread(target=self._listen, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._ended.set()
        if self._beat is not None:
            self._beat.cancel()

    async def _beating(self) -> None:
        while True:
            late = time.monotonic() - self._last
            self._last = time.monotonic()
            if self._dropped and self._line is not None:
                self._dropped = False
                log.error("loop.stalled", seconds=round(late, 1))
                self._stalled()
                await self._line.resume()
            await asyncio.sleep(BEAT_SECONDS)

    def _listen(self) -> None:
        while not self._ended.wait(self._stall_seconds / 4):
            if time.monotonic() - self._last > self._stall_seconds and not self._dropped:
                self._dropped = True
                if self._line is not None:
                    self._line.drop()
