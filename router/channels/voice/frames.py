"""Asterisk's manager protocol as it comes over the connection: a greeting, then messages of header lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from router.channels.voice.faults import AmiGarbled

Frame = dict[str, str | list[str]]
"""One AMI message: header -> value; a header that came more than once holds a list."""

FRAME_BYTES_MAX = 262_144
END: Final = b"\r\n\r\n"


def header(frame: Frame, name: str) -> str:
    """A header's value, the first one if it was repeated, "" if it is not there."""
    value = frame.get(name, "")
    return value if isinstance(value, str) else value[0]


def parse_frame(message: bytes) -> Frame:
    """Header lines -> Frame. Lines without a colon are skipped; bytes that are no UTF-8 are replaced."""
    frame: Frame = {}
    for line in message.decode(errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            continue
        name, value = name.strip(), value.strip()
        before = frame.get(name)
        if before is None:
            frame[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            frame[name] = [before, value]
    return frame


class Frames:
    """Bytes in as they come, whole messages out. Nothing of it waits."""

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._read = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """What is complete with this. Raises AmiGarbled, after what came before it, at a message that is too long."""
        searched = max(0, len(self._read) - len(END) + 1)
        self._read += data
        if (end := self._read.rfind(END, searched)) >= 0:
            messages = bytes(self._read[:end]).split(END)
            del self._read[: end + len(END)]
            for message in messages:
                if len(message) > self._bytes_max:
                    raise AmiGarbled("a message is too long")
                if message.strip():
                    yield parse_frame(message)
        if len(self._read) > self._bytes_max:
            raise AmiGarbled("a message is too long")


class AmiWire(asyncio.Protocol):
    """One connection, without a task that reads it: each frame is given on in the turn in which it has come.

    `greeting` is done with the first line, or with what is there when the connection ends. No frame is given on before
    `begin`. `on_end` gets what ended the connection, None if it was closed; it may be called twice.
    """

    def __init__(self, on_end: Callable[[Exception | None], None]) -> None:
        self._on_end = on_end
        self._early = b""
        self._frames = Frames()
        self._take: Callable[[Frame], None] | None = None
        self.greeting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def begin(self, take: Callable[[Frame], None]) -> None:
        """Give each frame to `take`, which must only store, also what came right behind the greeting."""
        self._take = take
        self.data_received(self._early.partition(b"\n")[2])

    def data_received(self, data: bytes) -> None:
        if self._take is None:
            self._early += data
            if b"\n" in data or len(self._early) > FRAME_BYTES_MAX:
                self._greet()
            return
        try:
            for frame in self._frames.feed(data):
                self._take(frame)
        except AmiGarbled as error:
            self._on_end(error)

    def eof_received(self) -> None:
        self._on_end(None)  # at once: a transport that closes by itself first waits until all has been sent

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_end(exc)
        self._greet()

    def _greet(self) -> None:
        if not self.greeting.done():
            self.greeting.set_result(self._early)
