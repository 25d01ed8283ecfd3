"""The telephone channel as the rest sees it: FastAGI takes calls in, AMI carries orders out and tells what happens."""

from __future__ import annotations

import asyncio

import structlog

from router.channels.channel import Surroundings
from router.channels.voice import events
from router.channels.voice.agi import AgiSession, FastAgiServer
from router.channels.voice.ami import AmiAccess, AmiLink
from router.channels.voice.calls import Calls, Census, census_of
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.intake import Intake
from router.engine import commands
from router.engine.effects import HangUp, Hold, Ring
from router.errors import Refusal, Unavailable, UnknownThing
from router.port import Order, new_id
from router.settings import VoiceSettings

log = structlog.get_logger()

RECONCILE_SECONDS = 30
FAILED = {"BUSY": "busy", "NOANSWER": "no_answer", "CHANUNAVAIL": "unreachable", "CONGESTION": "unreachable"}
"""What Dial reports -> why the offer failed."""
AGAIN_SECONDS = 0.5


class VoiceChannel:
    """A `Channel`. Calls live in Asterisk: after a start, and every 30 s, it is asked what is up."""

    name = "phone"

    def __init__(
        self, around: Surroundings, settings: VoiceSettings, *, reconcile_seconds: float = RECONCILE_SECONDS
    ) -> None:
        self._around, self._reconcile_seconds = around, reconcile_seconds
        self._agents = {a.endpoint: a.id for a in around.centre.agents if a.endpoint}
        self.calls = Calls()
        self._intake = Intake(around, settings, self.calls.up)
        self._agi = FastAgiServer(
            self._serve,
            secret=settings.agi_token,
            on_fault=lambda fault: log.warning("voice.agi_fault", error=type(fault).__name__),
            host=settings.agi_host,
            port=settings.agi_port,
        )
        self._ami = AmiLink(
            AmiAccess(settings.ami_host, settings.ami_port, settings.ami_user, settings.ami_secret),
            on_up=self._up,
            on_down=self._down,
            on_event=self._heard,
            on_fault=lambda where, fault: log.warning("voice.ami_fault", where=where, error=type(fault).__name__),
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_up(self) -> bool:
        return self._ami.is_up

    @property
    def agi_port(self) -> int:
        return self._agi.port

    async def start(self) -> None:
        """Listen for calls, and connect; the census follows as soon as Asterisk answers."""
        await self._agi.start()
        self._tasks = [
            asyncio.create_task(self._ami.run(), name="ami"),
            asyncio.create_task(self._reconcile(), name="voice census"),
        ]

    async def stop(self) -> None:
        """Calls stay as they are: held ones keep their music, talking ones talk."""
        await self._agi.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """The loop stands still: let the dialplan find its fallback at once. From any thread."""
        self._agi.drop()

    async def resume(self) -> None:
        await self._agi.resume()

    # -- orders -----------------------------------------------------------------------------------------------

    async def perform(self, order: Order) -> None:
        effect = order.effect
        call = self.calls.get(effect.contact)
        try:
            if call is None:
                raise ChannelGone("the call is not up")
            match effect:
                case Ring():
                    if call.ring_seconds != effect.seconds:
                        await self._ami.setvar(call.channel, "KCC_RING", str(effect.seconds))
                        call.ring_seconds = effect.seconds
                    exten = events.dial_exten(effect.endpoint, effect.offer)
                    await self._ami.redirect(call.channel, events.DELIVER_CONTEXT, exten)
                case Hold():
                    await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.HOLD_EXTEN)
                case HangUp():
                    await self._ami.hangup(call.channel)
        except ChannelGone:
            await self._submit(commands.EndContact(effect.contact, "abandoned"))
        except (AmiDown, AmiTimeout, AmiRefused, ValueError) as error:
            log.warning("voice.order_failed", effect=type(effect).__name__, error=type(error).__name__)
            if isinstance(effect, Ring):
                await self._submit(commands.OfferFailed(effect.offer, "technical"))

    # -- what Asterisk tells ------------------------------------------------------------------------------------

    async def _serve(self, session: AgiSession) -> None:
        if session.request.script == "intake":
            await self._intake.take(session)

    async def _heard(self, frame: events.Frame) -> None:
        decoded = events.decode(frame)
        if decoded.reason:
            log.warning("voice.malformed_event", reason=decoded.reason)
        match decoded.event:
            case events.Held(kcc_id=contact, channel=channel):
                self.calls.up(contact, channel).talking = False
                await self._submit(commands.ReportHeld(contact))
            case events.DialEnded(offer=offer, endpoint=endpoint, channel=channel, status="ANSWER") if offer:
                await self._answered(offer, endpoint, channel)
            case events.DialResult(status="ANSWER", kcc_id=contact, endpoint=endpoint):
                await self._agent_hung_up(contact, endpoint)
            case events.DialResult(offer=offer, status=status) if offer:
                await self._submit(commands.OfferFailed(offer, FAILED.get(status, "cancelled")))
            case events.Gone(kcc_id=contact) if contact:
                call = self.calls.gone(contact)
                reason = "citizen_left" if call is not None and call.talking else "abandoned"
                await self._submit(commands.EndContact(contact, reason))
            case events.Overflow(step=step, status=status):
                log.warning("voice.overflow", step=step, status=status)
            case events.LateAgi(script=script):
                log.error("voice.agi_late", script=script)

    async def _answered(self, offer: str, endpoint: str, channel: str) -> None:
        """The agent picked up. A bridge cannot be refused: it is adopted, unless the citizen is somebody else's."""
        agent = self._agents.get(endpoint, "")
        contact = offer.rpartition("-")[0]
        if await self._submit(commands.Accept(offer, agent)) or await self._submit(
            commands.AdoptAnswer(contact, agent)
        ):
            self.calls.up(contact, channel).talking = True
            return
        log.warning("voice.answer_sent_back", contact=contact)
        try:
            await self._ami.redirect(channel, events.HOLD_CONTEXT, events.HOLD_EXTEN)
        except (AmiDown, AmiTimeout, AmiRefused) as error:
            log.warning("voice.order_failed", effect="send back", error=type(error).__name__)

    async def _agent_hung_up(self, contact: str, endpoint: str) -> None:
        call = self.calls.get(contact)
        if call is not None:
            call.talking = False
        await self._submit(commands.FinishConversation(contact, self._agents.get(endpoint, "")))

    async def _submit(self, command: commands.Command) -> bool:
        """Report; whether it was taken. What cannot be recorded now is reported again until it can be."""
        while True:
            try:
                await self._around.port.submit(command)
            except Refusal as refusal:
                log.debug("voice.report_refused", command=type(command).__name__, code=refusal.code)
                return False
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return True

    # -- the census ---------------------------------------------------------------------------------------------

    async def _up(self, link: AmiLink) -> None:
        census = await self._look(link)
        for contact in await self._strangers(census):
            await self._adopt(contact, census)
        await self._report(census)
        log.info("voice.up", epoch=link.epoch, calls=len(census.channels))

    async def _down(self) -> None:
        log.error("voice.down")
        await self._submit(commands.LoseChannel("phone"))

    async def _reconcile(self) -> None:
        """Never derive truth from events alone. A stranger twice in a row is adopted: once may be on its way out."""
        before: set[str] = set()
        while True:
            await asyncio.sleep(self._reconcile_seconds)
            if not self._ami.is_up:
                continue
            try:
                census = await self._look(self._ami)
                strangers = await self._strangers(census)
                for contact in strangers & before:
                    await self._adopt(contact, census)
                before = strangers - before
                await self._report(census)
            except (AmiDown, AmiTimeout, AmiRefused) as error:
                log.warning("voice.census_failed", error=type(error).__name__)

    async def _look(self, link: AmiLink) -> Census:
        rows = await link.status()
        phones = {row.channel: events.endpoint_of(row.channel) for row in rows}
        census = census_of(rows, {c: e for c, e in phones.items() if e in self._agents})
        self.calls.replace(census.channels)
        for contact in census.answered:
            self.calls.up(contact, census.channels[contact]).talking = True
        return census

    async def _report(self, census: Census) -> None:
        answered = {contact: self._agents[endpoint] for contact, endpoint in census.answered.items()}
        await self._submit(commands.ReportCensus("phone", tuple(census.channels), answered))

    async def _strangers(self, census: Census) -> set[str]:
        """Calls that are up of contacts that are not open."""
        strangers = set()
        for contact in census.channels:
            try:
                await self._around.port.explain(contact)
            except UnknownThing:
                strangers.add(contact)
        return strangers

    async def _adopt(self, stranger: str, census: Census) -> None:
        """The call arrives now, as a contact of its own: nobody stays on music unseen."""
        contact, channel = new_id("c"), census.channels[stranger]
        uniqueid, number = census.numbers[stranger]
        municipalities = self._around.centre.municipalities
        municipality = next((m.id for m in municipalities if number in m.entry_points), municipalities[0].id)
        log.warning("voice.stranger_adopted", contact=contact)
        try:
            await self._ami.setvar(channel, "KCC_ID", contact)
        except ChannelGone:
            return
        self.calls.gone(stranger)
        self.calls.up(contact, channel)
        await self._submit(commands.Receive(contact, "phone", municipality, f"{uniqueid}/{contact}", number))
        census.rename(stranger, contact)
