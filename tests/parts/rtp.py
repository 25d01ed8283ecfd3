"""The sound of a test telephone: A-law over RTP, digits by RFC 4733, and an ear for single frequencies."""

from __future__ import annotations

import asyncio
import cmath
import itertools
import math
import secrets
import struct
from collections.abc import Callable
from typing import cast

from tests.parts.prompts import alaw, tone

WAIT_SECONDS = 10.0
DECODE = [0] * 256
for _sample in range(-32768, 32768, 8):
    DECODE[alaw(_sample)] = _sample
DIGITS = "0123456789*#"
EVENT_TYPE = 101


class Audio(asyncio.DatagramProtocol):
    """One call's RTP: A-law, RFC 4733 digits; keeps the last second it heard."""

    def __init__(self) -> None:
        self.packets = 0
        self.heard: list[int] = []
        self.digits: dict[bytes, str] = {}
        """Time stamp -> the key that was heard, in order."""
        self.remote: tuple[str, int] | None = None
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._sending: asyncio.TimerHandle | None = None
        self._sequence, self._stamp, self._source = 1, 0, secrets.randbits(32)
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        kind = data[1] & 0x7F if len(data) >= 13 else 0
        if kind == EVENT_TYPE and data[13] & 0x80:
            self.digits[data[4:8]] = DIGITS[data[12]]  # its end is sent three times, under one time stamp
        elif kind == 8:
            self.packets += 1
            self.heard = [*self.heard[-7840:], *(DECODE[byte] for byte in data[12:])]
        self._look()

    def _look(self) -> None:
        for ready, future in list(self._waiting):
            if not future.done() and ready():
                future.set_result(None)

    async def until(self, ready: Callable[[], bool]) -> None:
        """Wait until `ready()` after some packet, heard or said."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((ready, future))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await future
        finally:
            self._waiting.remove((ready, future))

    async def sound(self, level: int = 200) -> None:
        """Wait until a fresh 0.2 s of the other side is louder than silence."""
        self.heard = []
        await self.until(lambda: len(self.heard) >= 1600 and self.level() > level)

    async def tone(self, hertz: float, height: float = 2000) -> None:
        """Wait until this frequency is heard."""
        self.heard = []
        await self.until(lambda: len(self.heard) >= 1600 and self.height(hertz) > height)

    def level(self) -> float:
        last = self.heard[-1600:]
        return math.sqrt(sum(sample * sample for sample in last) / max(1, len(last)))

    def height(self, hertz: float) -> float:
        """The amplitude of one frequency in the last 0.2 s."""
        last = self.heard[-1600:]
        turn = -2j * math.pi * hertz / 8000
        return 2 / max(1, len(last)) * abs(sum(sample * cmath.exp(turn * n) for n, sample in enumerate(last)))

    def _send(self, kind: int, payload: bytes, *, mark: bool = False) -> None:
        if self.transport is None or self.remote is None or self.transport.is_closing():
            return
        head = struct.pack("!BBHII", 0x80, kind | mark << 7, self._sequence & 0xFFFF, self._stamp, self._source)
        self._sequence += 1
        self.transport.sendto(head + payload, self.remote)

    def talk(self, hertz: float) -> None:
        """Send this tone until the call ends. One second of a whole number of hertz repeats without a seam."""
        second = tone(hertz, 1.0)
        loop, frames = asyncio.get_running_loop(), itertools.cycle(range(0, 8000, 160))

        def send() -> None:
            at = next(frames)
            self._send(8, second[at : at + 160])
            self._stamp += 160
            self._look()
            self._sending = loop.call_later(0.02, send)

        send()

    def digit(self, digit: str) -> None:
        """Press a key for 100 ms, in packets of RFC 4733."""
        event = DIGITS.index(digit)
        for step in range(1, 6):
            self._send(EVENT_TYPE, struct.pack("!BBH", event, 10, 160 * step), mark=step == 1)
        for _ in range(3):
            self._send(EVENT_TYPE, struct.pack("!BBH", event, 0x80 | 10, 800))
        self._stamp += 1600

    def close(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        if self.transport is not None:
            self.transport.close()
