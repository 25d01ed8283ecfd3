"""Mails are taken apart in a process that can be killed: a hostile one costs two seconds there, and nothing here."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import msgspec
import structlog

from router.channels.email.codec import Inside
from router.channels.email.worker import INSIDE
from router.errors import Unavailable

log = structlog.get_logger(__name__)

WALL_SECONDS = 10.0
"""For a machine so busy that two seconds of processor take long."""
START_SECONDS = 30.0
ROOT = Path(__file__).parents[3]
"""Where the package `router` is found."""

_ANSWER: msgspec.msgpack.Decoder[tuple[str, Inside | str]] = msgspec.msgpack.Decoder(tuple[str, Inside | str])


class Failed(Exception):
    """Nothing could be read out of this mail; `code` says why: timeout, too_deep, too_many_parts, malformed …"""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Parser:
    """A small pool of prewarmed worker processes."""

    def __init__(self, *, workers: int = 1, wall_seconds: float = WALL_SECONDS) -> None:
        self._wall_seconds = wall_seconds
        self._free: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        for _ in range(workers):
            self._free.put_nowait(None)
        self._workers = workers
        self.killed = 0
        """How many workers had to be replaced."""

    async def start(self) -> None:
        """Start the workers, so that the first mail does not wait for one."""
        for _ in range(self._workers):
            await self._free.get()
            self._free.put_nowait(await self._begin())

    async def stop(self) -> None:
        """End the workers; what is being parsed is waited for."""
        for _ in range(self._workers):
            worker = await self._free.get()
            if worker is not None:
                await self._end(worker)
        for _ in range(self._workers):
            self._free.put_nowait(None)

    async def parse(self, raw: bytes) -> Inside:
        """Raises Failed, within the deadline, whatever the mail is; Unavailable when no worker can be had."""
        worker = await self._free.get()
        unharmed = None
        try:
            worker = worker or await self._begin()
        except BaseException:
            self._free.put_nowait(None)
            raise
        try:
            said, what = await asyncio.wait_for(self._ask(worker, raw), self._wall_seconds)
            unharmed = worker
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError) as error:
            self.killed += 1
            log.warning("mail.parser_killed", size=len(raw), cause=type(error).__name__)
            raise Failed("timeout") from None
        finally:
            if unharmed is None:
                await self._end(worker)
            self._free.put_nowait(unharmed)
        if said == INSIDE and isinstance(what, Inside):
            return what
        raise Failed(what if isinstance(what, str) else "malformed")

    async def _ask(self, worker: asyncio.subprocess.Process, raw: bytes) -> tuple[str, Inside | str]:
        assert worker.stdin is not None
        worker.stdin.write(len(raw).to_bytes(4, "big"))
        worker.stdin.write(raw)
        await worker.stdin.drain()
        return await self._answer(worker)

    async def _answer(self, worker: asyncio.subprocess.Process) -> tuple[str, Inside | str]:
        assert worker.stdout is not None
        size = int.from_bytes(await worker.stdout.readexactly(4), "big")
        return _ANSWER.decode(await worker.stdout.readexactly(size))

    async def _begin(self) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "router.channels.email.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # Nothing of the server's environment: a parser needs no passwords.
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
        )
        ready = False
        try:
            await asyncio.wait_for(self._answer(worker), START_SECONDS)
            ready = True
        except (TimeoutError, asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
            raise Unavailable("the mail parser does not start") from error
        finally:
            if not ready:
                await self._end(worker)
        return worker

    async def _end(self, worker: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        if worker.stdin is not None:
            worker.stdin.close()
        await worker.wait()
