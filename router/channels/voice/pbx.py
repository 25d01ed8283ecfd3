"""One Asterisk: the link to it, the calls that are up there, and what it tells of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from router.channels.channel import Surroundings
from router.channels.voice import events
from router.channels.voice.agi import AgiSession
from router.channels.voice.ami import AmiAccess, AmiLink
from router.channels.voice.callbacks import CallbackDials
from router.channels.voice.calls import Calls, InOrder
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout
from router.channels.voice.floods import Floods
from router.channels.voice.intake import Intake
from router.channels.voice.orders import Orders
from router.channels.voice.outside import Outside
from router.channels.voice.reconcile import Reconciler
from router.channels.voice.recordings import Recordings
from router.channels.voice.reports import Reports
from router.channels.voice.search import AsteriskSearch
from router.channels.voice.supervision import Supervision
from router.channels.voice.survey import Survey
from router.channels.voice.telephones import Telephones
from router.channels.voice.together import ASKS, FAILED, Together
from router.channels.voice.voicemail import Voicemail
from router.channels.voice.waiting import Waiting
from router.engine import commands
from router.errors import KccError
from router.port import Order
from router.settings import PbxSettings, VoiceSettings

log = structlog.get_logger()


class Pbx:
    """Calls live in Asterisk: after a start, and every 30 s, it is asked what is up.

    Orders and what Asterisk tells meet in `calls`. Both go in order per call; where they cross, the order sent last
    decides: an answer to a phone that was left since then is not taken, and an order decided before an answer was
    recorded is not carried out.
    """

    def __init__(
        self,
        around: Surroundings,
        settings: VoiceSettings,
        own: PbxSettings,
        floods: Floods,
        recordings: Recordings,
        telephones: Telephones,
        agents: Mapping[str, str],
        *,
        reconcile_seconds: float,
        connect: Callable[..., AmiLink] = AmiLink,
    ) -> None:
        """`agents` is endpoint -> agent."""
        self.id, self._world, self._agents = own.id, own.world, agents
        self.calls = Calls()
        self.intake = Intake(around, settings, self.calls, floods, own.id)
        self._reports = Reports(around.port)
        self._ami = connect(
            AmiAccess(own.ami_host, own.ami_port, own.ami_user, own.ami_secret, own.ami_tls),
            on_up=self._up,
            on_down=self._down,
            on_event=self._heard,
            on_fault=self._fault,
        )
        self._together = Together(self._ami, self.calls, agents, self._reports.tell)
        voicemail = Voicemail(around, settings.spool, own.id, self._reports.tell)
        self._waiting = Waiting(
            around, self._ami, self.calls, self._reports.tell, voicemail, self.intake.home, settings.dial_prefixes
        )
        self._survey = Survey(self._ami, self._reports.tell, self.intake.home)
        self._outside = Outside(self._ami, self.calls, self._together, self._reports.tell, around.vault)
        self._go_out = {
            events.NEIGHBOUR_CONTEXT: self._waiting.passed_on,
            events.OUTSIDE_CONTEXT: self._outside.answered,
        }
        """Where in the dialplan somebody outside is dialled -> what their answer means."""
        self._supervision = Supervision(self._ami, self._reports.tell)
        self._telephones = telephones
        self._work = InOrder(lambda fault: log.error("voice.event_failed", pbx=own.id, error=type(fault).__name__))
        self.callbacks = CallbackDials(
            around, self._ami, agents, settings.dial_prefixes, self._reports.tell, self._work
        )
        ending: set[str] = set()
        self._census = Reconciler(
            around.port, self._reports, self._ami, self.calls, agents, pbx=own.id, world=own.world,
            intake=self.intake, together=self._together, waiting=self._waiting, callbacks=self.callbacks,
            work=self._work, ending=ending, seconds=reconcile_seconds,
        )  # fmt: skip
        self._orders = Orders(
            self._ami, self.calls, self._together, self._waiting, self._survey, self._supervision, self._outside,
            recordings, self._reports, ending, self._census,
        )  # fmt: skip
        self._search = AsteriskSearch(
            own.ami_host, own.ami_port, lambda: self.calls.unseen(self.calls.mark()), self._ended
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect; the census follows as soon as Asterisk answers."""
        self._tasks = [
            asyncio.create_task(self._ami.run(), name="ami"),
            asyncio.create_task(self._census.run(), name="voice census"),
        ]
        self._search.begin()

    async def stop(self) -> None:
        """Calls stay as they are: held ones keep their music, talking ones talk."""
        await self._search.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._work.stop()

    def made(self, uniqueid: str) -> bool:
        """Whether the channel is one of this PBX: its systemname stands before each Uniqueid."""
        return not self.id or uniqueid.startswith(f"{self.id}-")

    def has(self, contact: str) -> bool:
        """Whether the contact's call is up here, or is being taken in."""
        return self.calls.get(contact) is not None or self.intake.takes(contact)

    async def serve(self, session: AgiSession) -> None:
        """One of its calls asks something by FastAGI."""
        scripts = {"intake": self.intake.take, "digit": self._waiting.key, "survey": self._survey.take}
        if (take := scripts.get(session.request.script)) is not None:
            await take(session)

    @property
    def is_known(self) -> bool:
        """Whether it has said which calls are up, and can be asked."""
        return self._census.known

    async def perform(self, order: Order) -> None:
        """Carry one order out, once Asterisk knows whose call it is."""
        if not await self.intake.carries_out(order):
            await self._orders.perform(order)

    # -- what Asterisk tells ------------------------------------------------------------------------------------

    async def _heard(self, frame: events.Frame) -> None:
        decoded = events.decode(frame)
        if decoded.reason:
            log.warning("voice.malformed_event", reason=decoded.reason)
        self._telephones.heard(self.id, decoded.event, self._supervision.listens)
        if await self.callbacks.heard(decoded.event) or await self._heard_outside(decoded.event):
            return
        self.calls.hear(decoded.event)
        match decoded.event:
            case events.Held(kcc_id=contact) as event:
                await self._work.put(contact, partial(self._held, event))
            case events.DialEnded(offer=offer, context=events.DELIVER_CONTEXT, status="ANSWER") as event if offer:
                await self._work.put(offer.rpartition("-")[0], partial(self._answered, event))
            case events.DialEnded(offer=offer, context=events.CONSULT_CONTEXT) as event if offer:
                await self._work.put(offer.rpartition("-")[0], partial(self._together.dialled, event))
            case events.ConsultEnded(offer=offer) as event if offer:
                await self._work.put(offer.rpartition("-")[0], partial(self._together.consult_over, event))
            case events.PhoneHeld() | events.HangupAsked() | events.LegGone() as event:
                await self._phone_does(event)
            case events.DialResult(kcc_id=contact) as event:
                await self._work.put(contact, partial(self._delivery_over, event))
            case events.Gone(kcc_id=contact, uniqueid=uniqueid):
                await self._work.put(contact or uniqueid, partial(self._gone, contact, uniqueid))
            case events.Overflow(kcc_id=contact, uniqueid=uniqueid, step=step, status=status):
                log.warning("voice.overflow", step=step, status=status)
                if step == "begin" and not contact:
                    await self._work.put(uniqueid, partial(self._turned_to_others, uniqueid))
            case events.LateAgi(script=script):
                log.error("voice.agi_late", script=script)

    async def _heard_outside(self, event: events.VoiceEvent | None) -> bool:
        """Whether it was about somebody outside the centre to whom a call is put through."""
        match event:
            case events.DialEnded(channel=leg, context=events.CONSULT_OUTSIDE_CONTEXT, status="ANSWER"):
                asking = self.calls.with_phone(leg)
                await self._work.put(asking.contact if asking else leg, partial(self._outside.asked, event))
            case events.OutsideEnded(kcc_id=contact):
                await self._work.put(contact, partial(self._outside.over, event))
            case events.DialEnded(channel=leg, context=context, status="ANSWER") if context in self._go_out:
                await self._work.put(leg, partial(self._go_out[context], self.calls.on(leg)))
            case _:
                return False
        return True

    async def _phone_does(self, event: events.PhoneHeld | events.HangupAsked | events.LegGone) -> None:
        """One of our phones holds the call, hangs up or is gone: a supervisor's, or one that is a leg of its own."""
        if isinstance(event, events.PhoneHeld):
            if (call := self.calls.with_phone(event.channel)) is not None:
                await self._work.put(call.contact, partial(self._together.puts_on_hold, call, event))
            return
        if self.calls.of(event.uniqueid) is not None:
            return  # the citizen: KccGone follows
        gone = isinstance(event, events.LegGone)
        listened = self._supervision.listens(event.uniqueid)
        call = self.calls.with_phone(event.channel) or self.calls.of(event.linkedid)  # its answer may be in the queue
        if listened and gone:
            await self._work.put(listened, partial(self._supervision.gone, event.uniqueid))
        elif call is not None:
            tell = self._together.leg_gone if gone else self._together.hangs_up
            await self._work.put(call.contact, partial(tell, call, event.channel))

    async def _held(self, event: events.Held) -> None:
        call = self.calls.up(event.kcc_id, event.channel, event.uniqueid)
        call.named = True
        call.came("hold")
        if call.mode in ASKS:
            return  # the agent asks a colleague meanwhile
        call.agent = ""
        if call.asking:  # the intake was cut short: the call goes on all the same
            call.asking = False
            classify = commands.Classify(event.kcc_id, call.wish.hints, call.wish.language)
            await self._reports.tell(commands.EndContact(event.kcc_id, call.farewell) if call.farewell else classify)
        await self._reports.tell(commands.ReportHeld(event.kcc_id))
        await self._waiting.held(call)

    async def _answered(self, event: events.DialEnded) -> None:
        """The agent picked up. A bridge cannot be refused: it is adopted, unless the citizen is somebody else's."""
        agent, contact = self._agents.get(event.endpoint, ""), event.offer.rpartition("-")[0]
        call = self.calls.up(contact, event.channel)
        if call.offer not in (None, event.offer):
            log.info("voice.answer_overtaken", contact=contact)
            return
        outcome = await self._reports.tell(commands.Accept(event.offer, agent))
        if outcome is None:
            outcome = await self._reports.tell(commands.AdoptAnswer(contact, agent))
        if outcome is not None:
            call.agent, call.settled = agent, outcome.number
            call.mode, call.owner_leg = "", event.agent_channel
        elif await self._reports.is_open(contact):
            log.warning("voice.answer_sent_back", contact=contact)
            await self._orders.hold(call)

    async def _delivery_over(self, event: events.DialResult) -> None:
        """The phone was not answered, or the agent has hung up: then the dialplan waits a second for us."""
        contact, call = event.kcc_id, self.calls.get(event.kcc_id)
        if event.status != "ANSWER":
            if call is not None and call.offer == event.offer:
                call.sent()  # by the dialplan, back on hold: KccHeld follows
            if event.offer:
                await self._reports.tell(commands.OfferFailed(event.offer, FAILED.get(event.status, "cancelled")))
            return
        if call is not None:
            if call.offer not in (None, event.offer):
                return  # its phone was left since then
            call.agent = ""
        agent = self._agents.get(event.endpoint, "")
        if (
            call is not None
            and call.silent
            and await self._reports.tell(commands.LosePhone(contact, agent)) is not None
        ):
            return
        finished = await self._reports.tell(commands.FinishConversation(contact, agent)) is not None
        if call is not None:
            call.finished = finished
        if (
            not finished
            and call is not None
            and contact not in self._orders.ending
            and await self._reports.is_open(contact)
        ):
            log.warning("voice.taken_back", contact=contact)
            await self._orders.hold(call)  # the record says it waits, so it waits

    async def _gone(self, contact: str, uniqueid: str) -> None:
        self._survey.left(uniqueid)
        await self._waiting.voicemail.settled(contact)
        call = self.calls.get(contact) if contact else self.calls.of(uniqueid)
        if call is None and not contact:
            self.calls.lose(uniqueid, "abandoned")
            return
        reason = "abandoned"
        if call is not None:
            contact, reason = call.contact, call.farewell or ("citizen_left" if call.agent else reason)
            await self._together.release(call)
        self.calls.gone(contact)
        self._orders.ending.discard(contact)
        if call is None or not call.finished:
            await self._reports.tell(commands.EndContact(contact, reason))

    async def _turned_to_others(self, uniqueid: str) -> None:
        """Asterisk did not hear our answer in time: the fallback phones ring for a call that is on disk."""
        call = self.calls.of(uniqueid)
        if call is None:
            self.calls.lose(uniqueid, "technical")
            return
        self.calls.gone(call.contact)
        await self._reports.tell(commands.EndContact(call.contact, "technical"))

    # -- the connection -----------------------------------------------------------------------------------------

    def _fault(self, where: str, fault: Exception) -> None:
        code = fault.code if isinstance(fault, KccError) else type(fault).__name__
        log.warning("voice.ami_fault", pbx=self.id, where=where, error=code)

    async def _up(self, link: AmiLink) -> None:
        self._search.found()
        await self._look_at_devices()
        await self._census.begin()
        log.info("voice.up", pbx=self.id, epoch=link.epoch, calls=len(self.calls))

    async def _look_at_devices(self) -> None:
        """Before the census of calls, which opens the way for offers."""
        try:
            devices = await self._ami.devices()
        except (AmiDown, AmiRefused, AmiTimeout) as fault:
            log.warning("voice.devices_unknown", pbx=self.id, error=fault.code)
        else:
            await self._telephones.census(self.id, devices, self._ami.up_seconds)

    async def _down(self) -> None:
        log.error("voice.down", pbx=self.id)
        self._telephones.lost(self.id)
        self._census.known = False
        await self._work.settle()
        self.calls.forget_phones()
        self.callbacks.forget()
        await self._reports.tell(commands.LoseChannel(self._world))
        self._search.begin()

    async def _ended(self) -> None:
        """Its calls have ended with it. Should it live all the same, the next census takes them in anew."""
        if self._ami.is_up:
            return
        log.error("voice.asterisk_ended", pbx=self.id, calls=len(self.calls))
        self.calls.clear()
        self.callbacks.forget()
        self._orders.ending.clear()
        for command in (
            commands.ReportCensus(self._world, up_seconds=0),
            commands.LoseChannel(self._world),
        ):
            await self._reports.tell(command)
