"""The census of one Asterisk: what is up there, after every connection and every 30 s, and making the record agree."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from router.channels.voice import events
from router.channels.voice.ami import AmiLink, LiveChannel
from router.channels.voice.callbacks import CallbackDials
from router.channels.voice.calls import Calls, Census, InOrder, census_of
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.intake import Intake
from router.channels.voice.reports import AGAIN_SECONDS, Reports
from router.channels.voice.together import Together
from router.channels.voice.waiting import Waiting
from router.engine import commands
from router.errors import Unavailable
from router.port import CentrePort, new_id

log = structlog.get_logger()


class Reconciler:
    """Takes censuses, and reports each as that of `world`."""

    def __init__(
        self,
        port: CentrePort,
        reports: Reports,
        ami: AmiLink,
        calls: Calls,
        agents: Mapping[str, str],
        *,
        pbx: str,
        world: str,
        intake: Intake,
        together: Together,
        waiting: Waiting,
        callbacks: CallbackDials,
        work: InOrder,
        ending: set[str],
        seconds: float,
    ) -> None:
        """`agents` is endpoint -> agent; `ending` are the contacts whose call is to be hung up."""
        self._port, self._reports, self._ami, self._calls, self._agents = port, reports, ami, calls, agents
        self._pbx, self._world, self._intake, self._together = pbx, world, intake, together
        self._waiting, self._callbacks = waiting, callbacks
        self._work, self._ending, self._seconds = work, ending, seconds
        self._look_now = asyncio.Event()
        self._one_census = asyncio.Lock()
        self.known = False
        """A census of this connection has been taken."""

    def look_now(self) -> None:
        """Take one soon: something is not as it was thought to be."""
        self._look_now.set()

    async def begin(self) -> None:
        """The first of a new connection."""
        self._look_now.clear()
        await self.take(set())

    async def run(self) -> None:
        """Never derive truth from events alone."""
        before: set[str] = set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._look_now.wait()
            self._look_now.clear()
            if not self._ami.is_up:
                continue
            try:
                before = await self.take(before)
            except (AmiDown, AmiTimeout, AmiRefused) as error:
                log.warning("voice.census_failed", error=type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)
                if not self.known:
                    self._look_now.set()

    async def take(self, before: set[str]) -> set[str]:
        """See what is up, and make the record agree. Gives the calls on hold that nobody knows.

        At the first census of a connection those are adopted; later only who was among them `before` too.
        """
        async with self._one_census:
            epoch, first = self._ami.epoch, not self.known
            mark = self._calls.mark()
            rows = await self._ami.status()
            phones = {row.channel: events.endpoint_of(row.channel) for row in rows}
            census = census_of(rows, {c: e for c, e in phones.items() if e in self._agents})
            await self._work.settle()
            for contact in self._ending & set(census.channels):
                with contextlib.suppress(ChannelGone):
                    await self._ami.hangup(census.channels[contact].channel)
            self._ending &= set(census.channels)
            await self._waiting.look_over(census)
            ours = self._ending | set(census.outside)  # an answered one goes on after its contact
            strangers = {c for c in census.channels if c not in ours and not await self._reports.is_open(c)}
            self._calls.replace(census.channels, mark)
            self._intake.restore(census.channels)
            for contact in strangers:
                if first or (contact in before and contact not in census.answered):
                    await self._adopt(contact, census)
            await self._report(census, rows, mark, epoch)
            await self._together.asked_outside(census)
            if first:  # later the phones' own events say it sooner
                await self._together.look_who_holds(census)
            await self._intake.restore_cards(census.channels)
            return strangers

    async def _report(self, census: Census, rows: list[LiveChannel], mark: int, epoch: int) -> None:
        """Tell what is up, unless the connection it was seen over has ended meanwhile."""
        answered, together = self._together.census(census)
        called, talking = await self._callbacks.census(rows, self._reports.is_open)
        while self._connected(epoch):
            alive = tuple(sorted({*census.channels, *self._calls.unseen(mark), *called}))
            report = commands.ReportCensus(
                self._world,
                alive,
                answered | talking,
                together,
                self._ami.up_seconds,
                outside=census.outside,
            )
            try:
                await self._port.submit(report)
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                self.known = self._connected(epoch)
                return

    def _connected(self, epoch: int) -> bool:
        return self._ami.is_up and self._ami.epoch == epoch

    async def _adopt(self, stranger: str, census: Census) -> None:
        """The call arrives now, as a contact of its own: nobody stays on music unseen."""
        contact, row = new_id("c"), census.channels[stranger]
        municipality = self._intake.municipality(row.number)
        log.warning("voice.stranger_adopted", contact=contact)
        who = await self._intake.identify(contact, municipality.id, row.caller_number, row.caller_name)
        await who.keep()
        try:
            await self._ami.setvar(row.channel, "KCC_ID", contact)
        except ChannelGone:
            return
        self._calls.gone(stranger)
        self._calls.up(contact, row.channel, row.uniqueid)
        await self._reports.tell(
            commands.Receive(
                contact, "phone", municipality.id, f"{row.uniqueid}/{contact}", row.number, who.citizen,
                content_ref=who.ref, pbx=self._pbx,
            )
        )  # fmt: skip
        census.rename(stranger, contact)
