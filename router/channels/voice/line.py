"""The line to one call's dialplan: a socket that is read line by line, in the turn in which there is something."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol

LINE_BYTES_MAX = 8_192


class Reader(Protocol):
    """What `asyncio.StreamReader` can do too."""

    async def readline(self) -> bytes:
        """The next line with its end; at the end of the connection what is left.

        Raises ValueError when it is too long, OSError when the connection broke.
        """
        ...


class Writer(Protocol):
    """The same of `asyncio.StreamWriter`."""

    def write(self, data: bytes) -> None: ...

    def write_eof(self) -> None: ...


class AgiLine:
    """Both, without a transport of asyncio's: that takes several turns of a busy loop to begin, and more for each line.

    It reads only when it is asked to, and never more than a longest line, so that a peer that says too much has to
    wait.
    """

    def __init__(self, connection: socket.socket, said: Callable[[], None] = lambda: None) -> None:
        """`connection` does not block; `close` closes it. `said` is called whenever something has been written."""
        self._connection, self._said = connection, said
        self._read = b""
        self._fresh = True
        self._waiting: asyncio.Future[bool] | None = None
        self._watched = False

    def here(self) -> bytes:
        """The next line if the whole of it has been read already, else nothing."""
        line, end, rest = self._read.partition(b"\n")
        if not end:
            return b""
        self._read = rest
        return line + end

    async def readline(self) -> bytes:
        while b"\n" not in self._read and await self._more():
            pass
        line, end, self._read = self._read.partition(b"\n")
        return line + end

    async def _more(self) -> bool:
        """Wait for more; False at the end. What a call says first is often here already: only that is looked for
        without a wait, so that no peer can keep the loop busy."""
        if len(self._read) > LINE_BYTES_MAX:
            raise ValueError("a line is too long")
        if self._fresh:
            self._fresh = False
            with contextlib.suppress(BlockingIOError):
                return self._receive()
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        if not self._watched:
            self._watched = True
            loop.add_reader(self._connection, self._wake)
        return await self._waiting

    def _receive(self) -> bool:
        data = self._connection.recv(LINE_BYTES_MAX + 1 - len(self._read))
        self._read += data
        return bool(data)

    def _wake(self) -> None:
        """There is something to read. When nobody waits for it, it stays where it is."""
        if self._waiting is None or self._waiting.done():
            self._unwatch()
            return
        try:
            self._waiting.set_result(self._receive())
        except BlockingIOError:
            return
        except OSError as error:
            self._waiting.set_exception(error)

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            asyncio.get_running_loop().remove_reader(self._connection)

    def close(self) -> None:
        self._unwatch()
        self._connection.close()

    def write(self, data: bytes) -> None:
        """All at once: who waits for each reply leaves room for what is said next. OSError, also if there is none."""
        if self._connection.send(data) < len(data):
            raise BlockingIOError("the peer does not read")
        self._said()

    def write_eof(self) -> None:
        self._connection.shutdown(socket.SHUT_WR)
