"""The line to one call's dialplan: a socket that is read line by line, in the turn in which there is something."""

from __future__ import annotations

import asyncio
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

    It reads only when it is asked to, so that a peer that says too much has to wait.
    """

    def __init__(self, connection: socket.socket, said: Callable[[], None] = lambda: None) -> None:
        """`connection` does not block; who made it closes it. `said` is called whenever something has been written."""
        self._connection, self._said = connection, said
        self._read = b""

    async def readline(self) -> bytes:
        while b"\n" not in self._read and len(self._read) <= LINE_BYTES_MAX:
            data = await asyncio.get_running_loop().sock_recv(self._connection, LINE_BYTES_MAX)
            if not data:
                break
            self._read += data
        line, end, self._read = self._read.partition(b"\n")
        if len(line) > LINE_BYTES_MAX:
            raise ValueError("a line is too long")
        return line + end

    def write(self, data: bytes) -> None:
        """All at once: who waits for each reply leaves room for what is said next. OSError, also if there is none."""
        if self._connection.send(data) < len(data):
            raise BlockingIOError("the peer does not read")
        self._said()

    def write_eof(self) -> None:
        self._connection.shutdown(socket.SHUT_WR)
