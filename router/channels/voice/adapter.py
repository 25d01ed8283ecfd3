"""The telephone channel as the rest sees it: FastAGI takes calls in, AMI carries orders out and tells what happens."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

import structlog

from router.channels.channel import Surroundings
from router.channels.voice import events
from router.channels.voice.agi import AgiSession, FastAgiServer
from router.channels.voice.ami import AmiAccess, AmiLink, LiveChannel
from router.channels.voice.callbacks import CallbackChannel
from router.channels.voice.calls import Call, Calls, Census, InOrder, census_of
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.intake import Intake
from router.channels.voice.search import AsteriskSearch
from router.channels.voice.supervision import Supervision
from router.channels.voice.survey import Survey
from router.channels.voice.together import FAILED, Together
from router.channels.voice.waiting import Waiting
from router.engine import commands
from router.engine.effects import (
    Announce,
    Effect,
    EndSpy,
    HangUp,
    Hold,
    OfferCallback,
    PassOn,
    Ring,
    RingColleague,
    Spy,
)
from router.errors import Refusal, Unavailable, UnknownThing
from router.port import Order, Outcome, new_id
from router.settings import VoiceSettings

log = structlog.get_logger()

RECONCILE_SECONDS = 30
AGAIN_SECONDS = 0.5
LEFT = frozenset({"abandoned", "citizen_left", "gone"})
"""Ends of which nothing is left to hang up."""


class VoiceChannel:
    """A `Channel`. Calls live in Asterisk: after a start, and every 30 s, it is asked what is up.

    Orders and what Asterisk tells meet in `calls`. Both go in order per call; where they cross, the order sent last
    decides: an answer to a phone that was left since then is not taken, and an order decided before an answer was
    recorded is not carried out.
    """

    name = "phone"

    def __init__(
        self, around: Surroundings, settings: VoiceSettings, *, reconcile_seconds: float = RECONCILE_SECONDS
    ) -> None:
        self._around, self._reconcile_seconds = around, reconcile_seconds
        self._agents = {a.endpoint: a.id for a in around.centre.agents if a.endpoint}
        self.calls = Calls()
        self._ending: set[str] = set()
        """Contacts whose call is to be hung up, until it is gone."""
        self._intake = Intake(around, settings, self.calls)
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
        self._together = Together(self._ami, self.calls, self._agents, self._tell)
        self._waiting = Waiting(around, self._ami, self.calls, self._tell)
        self._survey = Survey(self._ami, self._tell, self._intake.home)
        self._supervision = Supervision(self._ami, self._tell)
        self._work = InOrder(lambda fault: log.error("voice.event_failed", error=type(fault).__name__))
        self.callbacks = CallbackChannel(
            around, self._ami, self._agents, settings.dial_prefixes, self._tell, self._work
        )
        self._known = False
        """A census of this connection has been taken."""
        self._look_now = asyncio.Event()
        self._one_census = asyncio.Lock()
        self._search = AsteriskSearch(
            settings.ami_host, settings.ami_port, lambda: self.calls.unseen(self.calls.mark()), self._asterisk_ended
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
        self._search.begin()

    async def stop(self) -> None:
        """Calls stay as they are: held ones keep their music, talking ones talk."""
        await self._agi.stop()
        await self._search.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._work.stop()

    def drop(self) -> None:
        """The loop stands still: let the dialplan find its fallback at once. From any thread."""
        self._agi.drop()

    async def resume(self) -> None:
        await self._agi.resume()

    async def _serve(self, session: AgiSession) -> None:
        scripts = {"intake": self._intake.take, "digit": self._waiting.key, "survey": self._survey.take}
        if (take := scripts.get(session.request.script)) is not None:
            await take(session)

    # -- orders -----------------------------------------------------------------------------------------------

    async def perform(self, order: Order) -> None:
        effect = order.effect
        await self._intake.known(effect.contact)
        call = self.calls.get(effect.contact)
        if isinstance(effect, HangUp):
            if effect.reason in LEFT:
                return
            self._ending.add(effect.contact)
        elif call is not None and order.number <= call.settled:
            log.info("voice.order_overtaken", effect=type(effect).__name__, contact=effect.contact)
            return
        try:
            await self._steer(effect, call)
        except ChannelGone:
            self._ending.discard(effect.contact)
            await self._tell(commands.EndContact(effect.contact, "abandoned"))
        except AmiDown:  # what has become of it, the next connection's census tells: nobody has failed
            log.warning("voice.order_lost", effect=type(effect).__name__)
        except (AmiTimeout, AmiRefused, ValueError) as error:
            log.warning("voice.order_failed", effect=type(effect).__name__, error=type(error).__name__)
            self._look_now.set()
            if isinstance(effect, Ring):
                if call is not None and isinstance(error, AmiTimeout):
                    await self._hold(call)  # it may ring all the same
                await self._tell(commands.OfferFailed(effect.offer, "technical"))
            elif isinstance(effect, RingColleague):
                await self._tell(commands.OfferFailed(effect.offer, "technical"))

    async def _steer(self, effect: Effect, call: Call | None) -> None:
        """Carry one order out. What the call is about to be is noted before it is asked for."""
        if call is None and not self._known:
            raise AmiDown("which calls are up is not known yet")
        if call is None:
            raise ChannelGone("the call is not up")
        match effect:
            case Ring() if not call.named:
                raise ChannelGone("it left before it was told whose it is")
            case Ring():
                await self._together.release(call)
                call.offer, call.agent = effect.offer, ""
                exten = events.dial_exten(effect.endpoint, effect.offer)
                ring = self._ami.redirect(call.channel, events.DELIVER_CONTEXT, exten)
                if call.ring_seconds == effect.seconds:
                    await ring
                else:  # one after the other, without waiting in between: Asterisk takes them in order
                    await asyncio.gather(self._ami.setvar(call.channel, "KCC_RING", str(effect.seconds)), ring)
                    call.ring_seconds = effect.seconds
            case Hold():
                call.offer, call.agent = "", ""
                await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.HOLD_EXTEN)
                await self._together.release(call)
            case HangUp(reason="agent") if await self._survey.begin(call):
                self._ending.discard(effect.contact)
            case HangUp(reason="callback") if call.attended:
                pass  # the caller is told first; the census ends what stays behind
            case HangUp():
                await self._ami.hangup(call.channel)
            case Announce() | OfferCallback() | PassOn():
                await self._waiting.steer(effect, call)
            case Spy() | EndSpy():
                await self._supervision.steer(effect, call)
            case _:
                await self._together.steer(effect, call)

    async def _hold(self, call: Call) -> None:
        """Put the citizen back on music, if that can be done now."""
        call.offer, call.agent = "", ""
        try:
            await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.HOLD_EXTEN)
        except (AmiDown, AmiTimeout, AmiRefused) as error:
            log.warning("voice.not_held", contact=call.contact, error=type(error).__name__)

    # -- what Asterisk tells ------------------------------------------------------------------------------------

    async def _heard(self, frame: events.Frame) -> None:
        decoded = events.decode(frame)
        if decoded.reason:
            log.warning("voice.malformed_event", reason=decoded.reason)
        if await self.callbacks.heard(decoded.event):
            return
        match decoded.event:
            case events.Held(kcc_id=contact) as event:
                await self._work.put(contact, partial(self._held, event))
            case events.DialEnded(offer=offer, context=events.DELIVER_CONTEXT, status="ANSWER") as event if offer:
                await self._work.put(offer.rpartition("-")[0], partial(self._answered, event))
            case events.DialEnded(offer=offer, context=events.CONSULT_CONTEXT) as event if offer:
                await self._work.put(offer.rpartition("-")[0], partial(self._together.dialled, event))
            case events.DialEnded(channel=channel, context=events.NEIGHBOUR_CONTEXT, status="ANSWER"):
                await self._work.put(channel, partial(self._waiting.passed_on, self.calls.on(channel)))
            case events.ConsultEnded(offer=offer) as event if offer:
                await self._work.put(offer.rpartition("-")[0], partial(self._together.consult_over, event))
            case events.HangupAsked() | events.LegGone() as event:
                await self._phone_leaves(event)
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

    async def _phone_leaves(self, event: events.HangupAsked | events.LegGone) -> None:
        """One of our phones hangs up or is gone: a supervisor's, or one that is a leg of its own in a call."""
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
        if call.mode == "consult":
            return  # the agent asks a colleague meanwhile
        call.agent = ""
        if call.asking:  # the intake was cut short: the call goes on all the same
            call.asking = False
            classify = commands.Classify(event.kcc_id, call.wish.hints, call.wish.language)
            await self._tell(commands.EndContact(event.kcc_id, call.farewell) if call.farewell else classify)
        await self._tell(commands.ReportHeld(event.kcc_id))

    async def _answered(self, event: events.DialEnded) -> None:
        """The agent picked up. A bridge cannot be refused: it is adopted, unless the citizen is somebody else's."""
        agent, contact = self._agents.get(event.endpoint, ""), event.offer.rpartition("-")[0]
        call = self.calls.up(contact, event.channel)
        if call.offer not in (None, event.offer):
            log.info("voice.answer_overtaken", contact=contact)
            return
        outcome = await self._tell(commands.Accept(event.offer, agent))
        if outcome is None:
            outcome = await self._tell(commands.AdoptAnswer(contact, agent))
        if outcome is not None:
            call.agent, call.settled = agent, outcome.number
            call.mode, call.owner_leg = "", event.agent_channel
        elif await self._open(contact):
            log.warning("voice.answer_sent_back", contact=contact)
            await self._hold(call)

    async def _delivery_over(self, event: events.DialResult) -> None:
        """The phone was not answered, or the agent has hung up: then the dialplan waits a second for us."""
        contact, call = event.kcc_id, self.calls.get(event.kcc_id)
        if event.status != "ANSWER":
            if event.offer:
                await self._tell(commands.OfferFailed(event.offer, FAILED.get(event.status, "cancelled")))
            return
        if call is not None:
            call.agent = ""
        agent = self._agents.get(event.endpoint, "")
        if call is not None and call.silent and await self._tell(commands.LosePhone(contact, agent)) is not None:
            return
        finished = await self._tell(commands.FinishConversation(contact, agent))
        if finished is None and call is not None and contact not in self._ending and await self._open(contact):
            log.warning("voice.taken_back", contact=contact)
            await self._hold(call)  # the record says it waits, so it waits

    async def _gone(self, contact: str, uniqueid: str) -> None:
        self._survey.left(uniqueid)
        call = self.calls.get(contact) if contact else self.calls.of(uniqueid)
        if call is None and not contact:
            self.calls.lose(uniqueid, "abandoned")
            return
        reason = "abandoned"
        if call is not None:
            contact, reason = call.contact, call.farewell or ("citizen_left" if call.agent else reason)
            await self._together.release(call)
        self.calls.gone(contact)
        self._ending.discard(contact)
        await self._tell(commands.EndContact(contact, reason))

    async def _turned_to_others(self, uniqueid: str) -> None:
        """Asterisk did not hear our answer in time: the fallback phones ring for a call that is on disk."""
        call = self.calls.of(uniqueid)
        if call is None:
            self.calls.lose(uniqueid, "technical")
            return
        self.calls.gone(call.contact)
        await self._tell(commands.EndContact(call.contact, "technical"))

    async def _tell(self, command: commands.Command) -> Outcome | None:
        """Report; None when it was refused. What cannot be recorded now is reported again until it can be."""
        while True:
            try:
                return await self._around.port.submit(command)
            except Refusal as refusal:
                log.debug("voice.report_refused", command=type(command).__name__, code=refusal.code)
                return None
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _open(self, contact: str) -> bool:
        try:
            await self._around.port.explain(contact)
        except UnknownThing:
            return False
        return True

    # -- the census ---------------------------------------------------------------------------------------------

    async def _up(self, link: AmiLink) -> None:
        self._search.found()
        self._look_now.clear()
        await self._take_census(set())
        log.info("voice.up", epoch=link.epoch, calls=len(self.calls))

    async def _down(self) -> None:
        log.error("voice.down")
        self._known = False
        await self._work.settle()
        self.calls.forget_phones()
        self.callbacks.forget()
        await self._tell(commands.LoseChannel("phone"))
        self._search.begin()

    async def _reconcile(self) -> None:
        """Never derive truth from events alone."""
        before: set[str] = set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._reconcile_seconds):
                    await self._look_now.wait()
            self._look_now.clear()
            if not self._ami.is_up:
                continue
            try:
                before = await self._take_census(before)
            except (AmiDown, AmiTimeout, AmiRefused) as error:
                log.warning("voice.census_failed", error=type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)
                if not self._known:
                    self._look_now.set()

    async def _take_census(self, before: set[str]) -> set[str]:
        """See what is up, and make the record agree. Gives the calls on hold that nobody knows.

        At the first census of a connection those are adopted; later only who was among them `before` too.
        """
        async with self._one_census:
            epoch, first = self._ami.epoch, not self._known
            mark = self.calls.mark()
            rows = await self._ami.status()
            phones = {row.channel: events.endpoint_of(row.channel) for row in rows}
            census = census_of(rows, {c: e for c, e in phones.items() if e in self._agents})
            await self._work.settle()
            for contact in self._ending & set(census.channels):
                with contextlib.suppress(ChannelGone):
                    await self._ami.hangup(census.channels[contact].channel)
            self._ending &= set(census.channels)
            await asyncio.gather(*map(self._waiting.found_passed_on, census.passed_on))
            strangers = {c for c in census.channels if c not in self._ending and not await self._open(c)}
            self.calls.replace(census.channels, mark)
            self._intake.floods.restore(census.channels)
            for contact in strangers:
                if first or (contact in before and contact not in census.answered):
                    await self._adopt(contact, census)
            await self._report(census, rows, mark, epoch)
            return strangers

    async def _report(self, census: Census, rows: list[LiveChannel], mark: int, epoch: int) -> None:
        """Tell what is up, unless the connection it was seen over has ended meanwhile."""
        answered, together = self._together.census(census)
        called, talking = await self.callbacks.census(rows, self._open)
        while self._connected(epoch):
            alive = tuple(sorted({*census.channels, *self.calls.unseen(mark), *called}))
            report = commands.ReportCensus("phone", alive, answered | talking, together, self._ami.up_seconds)
            try:
                await self._around.port.submit(report)
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                self._known = self._connected(epoch)
                return

    def _connected(self, epoch: int) -> bool:
        return self._ami.is_up and self._ami.epoch == epoch

    async def _adopt(self, stranger: str, census: Census) -> None:
        """The call arrives now, as a contact of its own: nobody stays on music unseen."""
        contact, row = new_id("c"), census.channels[stranger]
        municipality = self._intake.municipality(row.number)
        log.warning("voice.stranger_adopted", contact=contact)
        citizen, ref = await self._intake.identify(contact, municipality.id, row.caller_number, row.caller_name)
        try:
            await self._ami.setvar(row.channel, "KCC_ID", contact)
        except ChannelGone:
            return
        self.calls.gone(stranger)
        self.calls.up(contact, row.channel, row.uniqueid)
        key = f"{row.uniqueid}/{contact}"
        await self._tell(commands.Receive(contact, "phone", municipality.id, key, row.number, citizen, content_ref=ref))
        census.rename(stranger, contact)

    async def _asterisk_ended(self) -> None:
        """Its calls have ended with it. Should it live all the same, the next census takes them in anew."""
        if self._ami.is_up:
            return
        log.error("voice.asterisk_ended", calls=len(self.calls))
        self.calls.clear()
        self.callbacks.forget()
        self._ending.clear()
        for command in (commands.ReportCensus("phone", up_seconds=0), commands.LoseChannel("phone")):
            await self._tell(command)
