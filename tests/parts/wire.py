"""A TCP wire between two programs that a test may cut, silence and mend."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class Wire:
    """`async with Wire(port) as wire:` forwards `wire.port` to `port` on loopback."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.port = 0
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Listen, and let everything through."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
        self._flows.set()

    async def cut(self) -> None:
        """Close what is open and refuse what comes, as when the program at the other end has died."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def silence(self) -> None:
        """Let nothing through and say nothing, as when a network swallows packets."""
        self._flows.clear()

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await_other = None
        try:
            await self._flows.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            await_other = back
            await asyncio.wait(
                {asyncio.ensure_future(self._copy(reader, back)), asyncio.ensure_future(self._copy(there, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )
        except OSError:
            pass
        finally:
            writer.close()
            if await_other is not None:
                await_other.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
