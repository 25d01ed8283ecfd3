"""A clock that tests move by hand, and a scripted AMI server, for the parts of the voice channel that wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

WAIT_SECONDS = 10.0


async def come_to(ready: Callable[[], bool]) -> None:
    """Give the loop as many turns as it takes."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if ready():
                return
            await asyncio.sleep(0)


@dataclass(eq=False)
class HandTimer:
    """A call that comes when the test says so."""

    seconds: float
    call: Callable[[], object]
    clock: HandClock

    def cancel(self) -> None:
        if self in self.clock.pending:
            self.clock.pending.remove(self)


@dataclass
class HandClock:
    """Stands in for `loop.call_later`. Nothing is ever due by itself; `passed` adds up what was fired."""

    pending: list[HandTimer] = field(default_factory=list)
    passed: float = 0.0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def call_later(self, seconds: float, call: Callable[[], object]) -> HandTimer:
        timer = HandTimer(seconds, call, self)
        self.pending.append(timer)
        self._news.set()
        return timer

    async def fire(self, seconds: float) -> None:
        """Wait until a timer of this length is set, let that time pass, and have it call."""
        async with asyncio.timeout(WAIT_SECONDS):
            while all(timer.seconds != seconds for timer in self.pending):
                self._news.clear()
                await self._news.wait()
        self.let_pass(seconds)

    def let_pass(self, seconds: float) -> None:
        """Let that time pass for one timer of this length, if there is one."""
        for timer in self.pending:
            if timer.seconds == seconds:
                self.passed += seconds
                self.pending.remove(timer)
                timer.call()
                return


@dataclass
class Peer:
    """One connection to the scripted server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *lines: str) -> None:
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def action(self) -> dict[str, str]:
        """The next action; raises EOFError at the end."""
        fields: dict[str, str] = {}
        while True:
            line = await self.reader.readline()
            if not line:
                raise EOFError
            if not line.strip():
                return fields
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            fields[name] = value

    def reply(self, to: dict[str, str], response: str = "Success", *lines: str) -> None:
        self.send(f"Response: {response}", f"ActionID: {to['ActionID']}", *lines)


class ScriptedAmi:
    """`async with ScriptedAmi(script) as server:`. `script(peer)` runs for each connection, after the greeting."""

    def __init__(
        self, script: Callable[[Peer], Awaitable[None]], greeting: bytes = b"Asterisk Call Manager/11.0.0\r\n"
    ):
        self._script, self._greeting = script, greeting
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()

    async def __aenter__(self) -> ScriptedAmi:
        await self.listen()
        return self

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def __aexit__(self, *_: object) -> None:
        self.refuse()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def refuse(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._run(Peer(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, peer: Peer) -> None:
        peer.writer.write(self._greeting)
        self.peers.put_nowait(peer)
        try:
            with contextlib.suppress(EOFError, ConnectionError):
                await self._script(peer)
        finally:
            peer.writer.close()

    async def peer(self) -> Peer:
        """The next connection."""
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.peers.get()


async def obliging(peer: Peer) -> None:
    """Says yes to everything."""
    while True:
        peer.reply(await peer.action())
