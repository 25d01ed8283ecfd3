"""The telephone channel as the rest sees it: FastAGI takes calls in; each PBX tells what becomes of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from router.channels.channel import Surroundings
from router.channels.voice.agi import AgiSession, FastAgiServer
from router.channels.voice.ami import AmiLink
from router.channels.voice.door import Door
from router.channels.voice.floods import Floods
from router.channels.voice.pbx import Pbx
from router.channels.voice.recordings import Recordings
from router.channels.voice.reports import Reports
from router.channels.voice.telephones import Telephones
from router.engine.effects import DialBack
from router.port import Order
from router.settings import VoiceSettings

log = structlog.get_logger()

RECONCILE_SECONDS = 30


def _stranger(address: str, times: int) -> None:
    log.warning("voice.agi_stranger", address=address, times=times)


class Callbacks:
    """The channel of callbacks: dialled over the PBX that was in sight then. It starts and stops with the telephone."""

    name = "callback"

    def __init__(self, pbxs: Sequence[Pbx]) -> None:
        self._pbxs = pbxs

    async def start(self) -> None:
        """Nothing to start: the telephone's connections are used."""

    async def stop(self) -> None:
        """Nothing to stop: who talks goes on."""

    async def perform(self, order: Order) -> None:
        """One dials; whichever has telephones of the contact ends them."""
        effect = order.effect
        for pbx in self._pbxs:
            if not isinstance(effect, DialBack) or pbx.id == effect.pbx:
                await pbx.callbacks.perform(order)


class VoiceChannel:
    """A `Channel` over one PBX or several. A call lives and ends on the one it came in at."""

    name = "phone"

    def __init__(
        self,
        around: Surroundings,
        settings: VoiceSettings,
        *,
        reconcile_seconds: float = RECONCILE_SECONDS,
        connect: Callable[..., AmiLink] = AmiLink,
    ) -> None:
        agents = {a.endpoint: a.id for a in around.centre.agents if a.endpoint}
        floods = Floods(settings.limits, lambda: (call for pbx in self.pbxs for call in pbx.calls))
        self._recordings = Recordings(around, settings.spool, lambda: all(pbx.is_known for pbx in self.pbxs))
        self._telephones = Telephones(agents, Reports(around.port).tell)
        self.pbxs = [
            Pbx(
                around,
                settings,
                own,
                floods,
                self._recordings,
                self._telephones,
                agents,
                reconcile_seconds=reconcile_seconds,
                connect=connect,
            )
            for own in settings.pbxs
        ]
        self.callbacks = Callbacks(self.pbxs)
        self._storing: asyncio.Task[None] | None = None
        self._agi = FastAgiServer(
            self._serve,
            secret=settings.agi_token,
            on_fault=lambda fault: log.warning("voice.agi_fault", error=type(fault).__name__),
            admits=Door(settings.agi_allowed, _stranger).admits,
            hurry=around.hurry,
            host=settings.agi_host,
            port=settings.agi_port,
        )

    @property
    def agi_counts(self) -> Mapping[str, int]:
        """How FastAGI connections ended -> how many."""
        return self._agi.counts

    async def start(self) -> None:
        """Listen for calls, and connect; the census follows as soon as Asterisk answers."""
        await self._agi.start()
        self._storing = asyncio.create_task(self._recordings.run(), name="recordings")
        for pbx in self.pbxs:
            await pbx.start()

    async def stop(self) -> None:
        """Calls stay as they are: held ones keep their music, talking ones talk."""
        await self._agi.stop()
        for pbx in self.pbxs:
            await pbx.stop()
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)
        await self._telephones.stop()

    def drop(self) -> None:
        """The loop stands still: let the dialplan find its fallback at once. From any thread."""
        self._agi.drop()

    async def resume(self) -> None:
        await self._agi.resume()

    async def _serve(self, session: AgiSession) -> None:
        pbx = next((pbx for pbx in self.pbxs if pbx.made(session.uniqueid)), None)
        if pbx is None:  # nothing is replied: the dialplan lets a human answer
            log.error("voice.unknown_pbx")
        else:
            await pbx.serve(session)

    async def perform(self, order: Order) -> None:
        """By the PBX that has the call. While one of them is out of reach it may be there."""
        contact = order.effect.contact
        there = [pbx for pbx in self.pbxs if pbx.has(contact)]
        for pbx in there or [pbx for pbx in self.pbxs if not pbx.is_known] or self.pbxs[:1]:
            await pbx.perform(order)
