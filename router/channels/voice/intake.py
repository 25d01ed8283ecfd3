"""A call comes in: whom did it want, who calls, is the centre open, what is it about. All before it waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from router.channels.channel import Surroundings
from router.channels.voice import events
from router.channels.voice.agi import AgiSession
from router.channels.voice.ami import LiveChannel
from router.channels.voice.calls import Call, Calls
from router.channels.voice.faults import AgiFault
from router.channels.voice.floods import Floods
from router.channels.voice.funnel import Funnel, Wish, entry_point, greeting
from router.channels.voice.recordings import name_of
from router.channels.voice.waiting import SPEECH_SECONDS_MAX, say_standing
from router.engine import commands
from router.engine.effects import Effect, Ring
from router.errors import Erased, KccError, QueueFull, Refusal, TooMany
from router.nouns import Municipality
from router.port import Order, new_id
from router.settings import VoiceSettings
from router.telephone_numbers import e164
from router.vault.interface import Card, TakenIn

log = structlog.get_logger()

INTAKE_SECONDS_MAX = 100
"""The dialplan takes the call back after this; the engine queues it by itself a little later."""
AGAIN_MAX = 20
CLOSED = "closed_hours"
FULL = "full"
FLOOD = "flood"
TECHNICAL = "technical"
CALLER_CONTEXTS = (events.HOLD_CONTEXT, events.DELIVER_CONTEXT)
"""Where a citizen's channel has the number that the citizen calls from."""
RECORDED = "kcc/recorded"
REFUSE = "1"
"""The key by which a caller who hears that announced is not recorded."""


@dataclass(slots=True, eq=False)
class Arrival:
    """A call whose FastAGI connection is being served."""

    named: asyncio.Event = field(default_factory=asyncio.Event)
    """Asterisk has been told whose call it is, or never will be."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing more is told over this connection."""
    who: TakenIn | None = None
    """Whose card is written at the end, unless that has begun."""
    may_ring: bool = False
    """The contact is about to be queued: when it is offered at once, the last reply tells the dialplan to ring."""

    async def until_told(self, effect: Effect) -> None:
        """Until this connection no longer stands in the way of an order."""
        await (self.over if self.may_ring and isinstance(effect, Ring) else self.named).wait()

    def end(self) -> None:
        self.named.set()
        self.over.set()


class Intake:
    """Answers FastAGI for calls that come in, and notes each in `calls` once its contact is on disk."""

    def __init__(self, around: Surroundings, settings: VoiceSettings, calls: Calls, floods: Floods, pbx: str) -> None:
        """`pbx` is the PBX of these calls, where there are several."""
        self._around, self._settings, self._calls = around, settings, calls
        self._floods, self._pbx = floods, pbx
        self._coming: dict[str, Arrival] = {}
        """By contact."""
        self._by_id = {m.id: m for m in around.centre.municipalities}
        self._by_number = {n: m for m in around.centre.municipalities for n in m.entry_points}

    async def take(self, session: AgiSession) -> None:
        """The whole intake. The first reply to Asterisk is the contact's id, and comes after the append.

        When it cannot be recorded nothing is replied, and the dialplan lets a human answer. When the connection ends
        before the intake does, what Asterisk tells next (held, gone, at the fallback phones) says where the call is.
        """
        self._calls.found(session.uniqueid)
        contact, municipality = new_id("c"), self.municipality(*session.numbers)
        arrival = self._coming[contact] = Arrival()
        try:
            with self._floods.room(session.caller_number, session.subject, session.channel) as broken:
                if broken:
                    await self._turn_away(session, municipality, contact, broken)
                    return
                call = await self._receive(session, municipality, contact, arrival)
            if call is not None:
                await self._attend(session, call, municipality, arrival)
        finally:
            self._coming.pop(contact).end()
            if arrival.who is not None:
                arrival.who.keep().add_done_callback(partial(self._kept, contact))

    def _kept(self, contact: str, kept: asyncio.Future[Any]) -> None:
        """Its card is in the vault. One that could not be kept a census puts there, as long as the call is up."""
        if kept.cancelled():
            return
        if (error := kept.exception()) is not None:
            log.error("voice.card_not_kept", contact=contact, error=type(error).__name__)
        elif (call := self._calls.get(contact)) is not None:
            call.carded = True

    def restore(self, found: Mapping[str, LiveChannel]) -> None:
        """After a start: where the calls come from, by contact, from what is up."""
        for contact, row in found.items():
            call = self._calls.get(contact)
            if call is not None and not call.entry:
                call.entry, call.caller = row.number, self._floods.caller(row.caller_number)

    async def restore_cards(self, found: Mapping[str, LiveChannel]) -> None:
        """The same of the cards that are not known to be in the vault."""
        for contact, row in found.items():
            call = self._calls.get(contact)
            if call is not None and not call.carded and row.context in CALLER_CONTEXTS:
                await self._restore_card(call, row)

    async def _restore_card(self, call: Call, row: LiveChannel) -> None:
        citizen, ref = self._around.personal(call.contact)
        if not ref:
            return
        card, vault = _card(row.caller_number, row.caller_name), self._around.vault
        try:
            if await vault.restore(self.home(call).id, call.contact, card, citizen=citizen, ref=ref):
                log.warning("voice.card_restored", contact=call.contact)
        except Erased:
            pass
        except KccError as error:
            log.error("voice.card_not_kept", contact=call.contact, error=type(error).__name__)
            return
        call.carded = True

    def takes(self, contact: str) -> bool:
        """Whether its FastAGI connection is being served."""
        return contact in self._coming

    async def carries_out(self, order: Order) -> bool:
        """True when the call went where the order says by itself. Otherwise waits until Asterisk has been told whose
        call it is: a call that need not be asked anything is on disk, and may be offered, a moment before."""
        effect = order.effect
        if (arrival := self._coming.get(effect.contact)) is not None:
            await arrival.until_told(effect)
        call = self._calls.get(effect.contact)
        if call is None or not isinstance(effect, Ring) or call.told != effect.offer:
            return False
        await call.arrived()
        return call.came_to != "hold"  # a dialplan that does not know KCC_NEXT

    async def _attend(self, session: AgiSession, call: Call, municipality: Municipality, arrival: Arrival) -> None:
        """The citizen's side of it: the contact's id, what there is to say and to ask, and where it goes from here."""
        call.attended = True
        try:
            if call.asking:
                await session.set_variable("KCC_ID", call.contact)
                self._named(call, arrival)
                await session.deadline(INTAKE_SECONDS_MAX)
                await self._speak(session, call, municipality, arrival)
                call.asking = False
            if not call.farewell and self._calls.get(call.contact) is call:
                await self._go_on(session, call, municipality, arrival)
        except AgiFault as fault:
            log.info("voice.intake_cut_short", contact=call.contact, code=fault.code)
        finally:
            call.attended = False

    def _named(self, call: Call, arrival: Arrival) -> None:
        call.named = True
        arrival.named.set()

    async def _go_on(self, session: AgiSession, call: Call, municipality: Municipality, arrival: Arrival) -> None:
        """Straight to the phone that was chosen when there is one, else on hold, where it says that it has come."""
        ring = call.ring
        if ring is None and municipality.telephone.wait_spoken:
            await session.set_variable("KCC_ID", call.contact)
            self._named(call, arrival)
            arrival.end()
            await session.deadline(SPEECH_SECONDS_MAX)
            await say_standing(session, await self._around.standing(call.contact, call.queued))
            call.sent()
            return
        call.sent()
        if ring is None:
            await session.conclude(KCC_ID=call.contact)
        else:
            call.offer, call.agent, call.ring_seconds = ring.offer, "", ring.seconds
            call.record = name_of(ring.contact, ring.record)
            own = {"KCC_REC": call.record} if call.record else {}
            exten = events.dial_exten(ring.endpoint, ring.offer)
            await session.conclude(KCC_ID=call.contact, KCC_RING=str(ring.seconds), **own, KCC_NEXT=exten)
            call.told = ring.offer
        call.named = True
        arrival.end()

    async def _speak(self, session: AgiSession, call: Call, municipality: Municipality, arrival: Arrival) -> None:
        if self._announces(municipality):
            await session.play(f"kcc/calamity-{municipality.id}")
        if self._around.is_open(municipality.id, "phone"):
            await Funnel(municipality, self._settings.menus.get(municipality.id, ()), call.wish).ask(session)
            if self._records(session, municipality, call.wish):
                await self._announce_recording(session, call)
            arrival.may_ring = True
            await self._queue(session, call)
        else:
            await self._close(session, call, municipality)

    async def _queue(self, session: AgiSession, call: Call) -> None:
        """Into the queue; where it is full, the dialplan sends the call to the fallback phones."""
        try:
            call.queued, call.ring = await self._settle(
                commands.Classify(call.contact, call.wish.hints, call.wish.language)
            )
        except QueueFull:
            log.info("voice.queue_full", contact=call.contact)
            await session.set_variable("KCC_ID", "")
            self._calls.gone(call.contact)  # nothing to hang up: it goes on elsewhere
            await self._settle(commands.EndContact(call.contact, FULL))

    def _records(self, session: AgiSession, municipality: Municipality, wish: Wish) -> bool:
        """Whether the caller goes to a queue of which conversations are recorded."""
        if not municipality.recording.queues:
            return False
        hints = (f"entry:{self._entry(session)}", *wish.hints)
        return self._around.queue_of(hints) in municipality.recording.queues

    async def _announce_recording(self, session: AgiSession, call: Call) -> None:
        """Who is not told is not recorded: a caller who is taken away before its end, or where it cannot be said."""
        key = await session.play(RECORDED, REFUSE)
        if RECORDED in session.missing:
            log.error("voice.recording_not_announced", contact=call.contact)
        else:
            await self._settle(commands.AnnounceRecording(call.contact, key == REFUSE))

    def _silent(self, session: AgiSession, municipality: Municipality) -> bool:
        """Whether there is nothing to say and nothing to ask: the call may be offered at once."""
        keys = municipality.telephone.language_keys or self._settings.menus.get(municipality.id)
        recorded = self._records(session, municipality, Wish())
        spoken = self._announces(municipality) or municipality.greeting or keys or recorded
        return not spoken and self._around.is_open(municipality.id, "phone")

    def _announces(self, municipality: Municipality) -> bool:
        """Whether the text that the recording says is on; a supervisor's own text nobody has spoken."""
        return bool(municipality.calamity) and self._around.calamity(municipality.id) == municipality.calamity

    def _entry(self, session: AgiSession) -> str:
        """The number that was called, as citizens dial it."""
        return entry_point(session.numbers, self._by_number) or session.subject

    def home(self, call: Call) -> Municipality:
        """Whom a call is for, also one from before a start."""
        return self._by_id.get(call.municipality) or self.municipality(call.entry)

    def municipality(self, *numbers: str) -> Municipality:
        """Of the first of these numbers that is a municipality's. No wrong door: without one it is the first."""
        found = self._by_number.get(entry_point(numbers, self._by_number))
        if found is None:
            found = self._around.centre.municipalities[0]
            log.warning("voice.unlisted_number", used=found.id)
        return found

    async def identify(self, contact: str, municipality: str, number: str, name: str) -> TakenIn:
        """Who calls, for the vault."""
        return await self._around.vault.take_in(municipality, contact, _card(number, name))

    async def _receive(
        self, session: AgiSession, municipality: Municipality, contact: str, arrival: Arrival
    ) -> Call | None:
        """Put the call on disk. One that comes back from the fallback phones is the same contact while that is open.
        None when it has left meanwhile."""
        silent = self._silent(session, municipality)
        if silent:
            arrival.may_ring = True
        who = await self.identify(contact, municipality.id, session.caller_number, session.caller_name)
        arrival.who = who
        receive = commands.Receive(
            contact,
            "phone",
            municipality.id,
            session.uniqueid,
            self._entry(session),
            who.citizen,
            content_ref=who.ref,
            classify=silent,
            pbx=self._pbx,
        )
        for again in range(AGAIN_MAX):
            try:
                outcome = await self._around.port.submit(receive)
            except QueueFull:  # on disk all the same, and then sent elsewhere
                silent, receive = False, replace(receive, classify=False)
                outcome = await self._around.port.submit(receive)
            known = str(outcome.answer)
            if known == contact or await self._open(known):
                break
            receive = replace(receive, source_key=f"{session.uniqueid}/{again + 1}", linked_to=known)
        else:
            raise TooMany("this call has come back too often")
        if outcome.ring is None:  # else the phone rings first
            try:
                await who.keep()
            except KccError:
                await self._settle(commands.EndContact(known, TECHNICAL))
                raise
        lost = self._calls.found(session.uniqueid)
        if lost:
            await self._settle(commands.EndContact(known, lost))
            return None
        call = self._calls.up(known, session.channel, session.uniqueid)
        call.asking, call.named = not silent, False
        call.municipality, call.queued, call.ring = municipality.id, outcome.number, outcome.ring
        call.caller, call.entry = self._floods.caller(session.caller_number), session.subject
        return call

    async def _turn_away(self, session: AgiSession, municipality: Municipality, contact: str, broken: str) -> None:
        """Too many calls come from there: recorded, without who it is, and told so by the dialplan, so that a flood
        takes neither our connections nor the vault's time."""
        log.warning("voice.turned_away", limit=broken, municipality=municipality.id)
        receive = commands.Receive(
            contact, "phone", municipality.id, session.uniqueid, session.subject, classify=False, pbx=self._pbx
        )  # fmt: skip
        known = str((await self._around.port.submit(receive)).answer)
        await self._settle(commands.EndContact(known, FLOOD))
        with contextlib.suppress(AgiFault):  # it has left already
            await session.set_variable("KCC_BUSY", broken)

    async def _open(self, contact: str) -> bool:
        """Whether a contact of this call from before is still open."""
        try:
            await self._around.port.explain(contact)
        except Refusal:
            return False
        return True

    async def _close(self, session: AgiSession, call: Call, municipality: Municipality) -> None:
        """Say when we are there, and end the call. Who does not listen to the end was turned away all the same."""
        call.farewell = CLOSED
        for prompt in greeting(municipality):
            await session.play(prompt)
        await session.play(f"kcc/closed-{municipality.id}")
        await self._settle(commands.EndContact(call.contact, CLOSED))
        await session.hangup()

    async def _settle(self, command: commands.Command) -> tuple[int, Ring | None]:
        """The number of the last fact, and whom to ring at once. The call may have ended meanwhile: then there is
        nothing left to do for it."""
        try:
            outcome = await self._around.port.submit(command)
        except QueueFull:
            raise
        except Refusal as refusal:
            log.info("voice.intake_too_late", code=refusal.code)
            return 0, None
        return outcome.number, outcome.ring


def _card(number: str, name: str) -> Card:
    """Of a caller, as the carrier gave them."""
    phone = e164(number)
    return Card(name=name if phone else "", phone=phone)
