"""A tiny router on a real Asterisk: accepts calls, moves them at a test's word, and notes every event in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from router.channels.voice.agi import AgiSession, FastAgiServer
from router.channels.voice.ami import AmiAccess, AmiDown, AmiLink, ChannelGone
from router.channels.voice.events import (
    DELIVER_CONTEXT,
    HOLD_CONTEXT,
    HOLD_EXTEN,
    DeviceChanged,
    LegGone,
    VoiceEvent,
    decode,
    dial_exten,
)
from router.channels.voice.frames import Frame
from tests.parts.asterisk import CARRIER, PHONES, RealAsterisk
from tests.parts.sip import SipPhone

WAIT_SECONDS = 15.0
Kind = TypeVar("Kind")


async def accept(session: AgiSession) -> None:
    """What the router does with every call: take it in, and lift the deadline by leaving."""
    await session.set_variable("KCC_ID", f"c-{session.uniqueid.replace('.', '-')}")


class Switchboard:
    """`async with Switchboard(pbx) as board:`. `agi` may be replaced, also with None: the router is away."""

    def __init__(self, pbx: RealAsterisk, agi: Callable[[AgiSession], Awaitable[None]] | None = accept) -> None:
        self.pbx = pbx
        self.seen: list[VoiceEvent] = []
        self.at_ms: list[int] = []
        self.reasons: list[str] = []
        self.faults: list[Exception] = []
        self.sessions: list[AgiSession] = []
        self.ups = 0
        self.downs = 0
        self._agi = agi
        self._news = asyncio.Event()
        self._stack = AsyncExitStack()
        self._running: asyncio.Task[None] | None = None
        self.server = FastAgiServer(
            self._serve, secret=pbx.agi_secret, on_fault=self._fault, admits=lambda _: True, port=pbx.agi_port
        )
        self.link = AmiLink(
            AmiAccess("127.0.0.1", pbx.ami_port, pbx.ami_user, pbx.ami_secret),
            on_up=self._up,
            on_down=self._down,
            on_event=self._event,
            on_fault=lambda _, error: self._fault(error),
        )

    async def __aenter__(self) -> Switchboard:
        if self._agi is not None:
            await self.server.start()
        self._running = asyncio.create_task(self.link.run())
        await self.until(lambda: self.ups == 1)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        try:
            await self._clear()
        finally:
            await self._stack.aclose()
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            await self.server.stop(grace_seconds=0.1)

    async def abandon(self) -> None:
        """End as a killed router does: calls stay in Asterisk."""
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.server.stop(grace_seconds=0.0)

    async def _clear(self) -> None:
        """No call of this test outlives it."""
        with contextlib.suppress(AmiDown):
            rows = await self.link.status()
            for row in rows:
                with contextlib.suppress(ChannelGone):
                    await self.link.hangup(row.channel)
            left = {row.uniqueid for row in rows}
            ended = lambda: left <= {event.uniqueid for event in self.seen if isinstance(event, LegGone)}  # noqa: E731
            await self.until(ended)

    async def citizen(self, **more: Any) -> SipPhone:
        """The carrier's side, on which citizens call."""
        return await self._stack.enter_async_context(SipPhone("trunk", CARRIER, self.pbx.sip_port, **more))

    async def outside(self, **more: Any) -> SipPhone:
        """The carrier's side, on which calls that go out arrive."""
        return await self.citizen(port=self.pbx.carrier_port, **more)

    async def agent(self, name: str, mode: str = "answer", **more: Any) -> SipPhone:
        """An agent's registered phone."""
        phone = SipPhone(name, PHONES, self.pbx.sip_port, secret=self.pbx.agent_secret(name), mode=mode, **more)
        return await self._stack.enter_async_context(phone)

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not ready():
                self._news.clear()
                await self._news.wait()

    async def event(self, kind: type[Kind], *, after: int = 0, **fields: Any) -> Kind:
        """The first event of a kind with these fields, among those seen from position `after`, or to come."""

        def find() -> Kind | None:
            for event in self.seen[after:]:
                if isinstance(event, kind) and all(getattr(event, key) == value for key, value in fields.items()):
                    return event
            return None

        await self.until(lambda: find() is not None)
        found = find()
        assert found is not None
        return found

    def story(self, after: int = 0) -> list[str]:
        """The events as short words: kind, who (T the citizen, a1 …) and, where there is one, the status."""
        words = []
        for event in self.seen[after:]:
            if isinstance(event, DeviceChanged):  # comes when it comes, beside the call
                continue
            channel = getattr(event, "agent_channel", "") or getattr(event, "channel", "")
            who = "T" if "trunk" in channel else channel.removeprefix("PJSIP/").partition("-")[0]
            words.append(" ".join(filter(None, [type(event).__name__, who, getattr(event, "status", "")])))
        return words

    def check(self, *order: str, also: tuple[str, ...] = ()) -> None:
        """The story is these words in this order, and `also`, which may stand anywhere. Asterisk gives no more:
        a leg's own events and the dialling channel's overtake each other."""
        story = self.story()
        assert sorted(story) == sorted([*order, *also]), story
        left = list(story)
        for word in also:
            left.remove(word)
        assert left == list(order), story

    async def deliver(self, channel: str, endpoint: str, offer: str, ring_seconds: int = 20) -> None:
        """Ring an agent for a held citizen, as the router does."""
        await self.link.setvar(channel, "KCC_RING", str(ring_seconds))
        await self.link.redirect(channel, DELIVER_CONTEXT, dial_exten(endpoint, offer))

    async def hold(self, channel: str) -> None:
        await self.link.redirect(channel, HOLD_CONTEXT, HOLD_EXTEN)

    async def _serve(self, session: AgiSession) -> None:
        self.sessions.append(session)
        self._news.set()
        assert self._agi is not None
        await self._agi(session)

    def _fault(self, error: Exception) -> None:
        self.faults.append(error)
        self._news.set()

    async def _up(self, link: AmiLink) -> None:
        self.ups += 1
        self._news.set()

    async def _down(self) -> None:
        self.downs += 1
        self._news.set()

    async def _event(self, frame: Frame) -> None:
        event, reason, at_ms = decode(frame)
        if reason:
            self.reasons.append(reason)
        if event is not None:
            self.seen.append(event)
            self.at_ms.append(at_ms)
        self._news.set()
