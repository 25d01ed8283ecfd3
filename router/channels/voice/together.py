"""Several phones in one call: consult, warm transfer and conference, and what Asterisk tells of them.

While the citizen's own leg dials the agent's phone (mode "") Asterisk ends both together and the adapter needs nothing
of this. In every other mode the phones are legs of their own, which the router moves, and ends, itself.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from router.channels.voice import events
from router.channels.voice.ami import AmiLink, Leg, LiveChannel
from router.channels.voice.calls import Call, Calls, Census
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.engine import commands
from router.engine.effects import Confer, Connect, Effect, Reconnect, Rejoin, RingColleague
from router.port import Outcome

log = structlog.get_logger()

FAILED = {"BUSY": "busy", "NOANSWER": "no_answer", "CHANUNAVAIL": "unreachable", "CONGESTION": "unreachable"}
"""What Dial reports -> why the offer failed."""
OUTSIDE = "outside"
"""The mode in which the owner asks somebody outside the centre (outside.py)."""
ASKS = frozenset({"consult", OUTSIDE})
"""Modes in which the owner talks with somebody else while the citizen is on hold."""
DIALS = "Dial"
"""The application of the leg from which a colleague is rung; the colleague's own is AppDial."""

WAITS = "Wait"
"""The application of that leg when nobody is on the other side any more."""
ASKING = {events.CONSULT_CONTEXT: "consult", events.CONSULT_OUTSIDE_CONTEXT: OUTSIDE}
"""Where in the dialplan the owner's leg is then -> the mode."""
REJOIN_SECONDS = 20
"""How long a phone that was lost from a conference rings."""

Tell = Callable[[commands.Command], Awaitable[Outcome | None]]


class Together:
    """Carries the orders out that move agents' phones, and tells what becomes of those phones."""

    def __init__(self, ami: AmiLink, calls: Calls, agents: Mapping[str, str], tell: Tell) -> None:
        """`agents` is endpoint -> agent."""
        self._ami, self._calls, self._agents, self._tell = ami, calls, agents, tell

    # -- orders -----------------------------------------------------------------------------------------------

    async def steer(self, effect: Effect, call: Call) -> None:
        """Carry one order out. Raises AmiRefused when one of our phones is not there any more."""
        try:
            await self._steer(effect, call)
        except ChannelGone as gone:
            raise AmiRefused("a phone of this call has gone") from gone

    async def _steer(self, effect: Effect, call: Call) -> None:
        match effect:
            case RingColleague():
                await self._ring(effect, call)
            case Reconnect() if call.mode in ASKS:
                call.mode, call.colleague, call.colleague_leg = "bridged", "", ""
                await self._ami.bridge(call.owner_leg, call.channel)
            case Connect():
                await self._connect(effect, call)
            case Rejoin() if call.mode == "conference":
                await self._rejoin_room(effect, call)
            case Rejoin():
                await self._rejoin(effect, call)
            case Confer() if call.mode == "consult":
                citizen, ours = (events.contact_exten(letter, call.contact) for letter in "ca")
                call.mode = "conference"
                both = Leg(call.colleague_leg, events.CONFERENCE_CONTEXT, ours)
                await self._ami.redirect(call.owner_leg, events.CONFERENCE_CONTEXT, ours, also=both)
                await self._ami.redirect(call.channel, events.CONFERENCE_CONTEXT, citizen)

    async def _ring(self, effect: RingColleague, call: Call) -> None:
        if not call.owner_leg:
            raise AmiRefused("the agent's phone is not known")
        call.mode, call.colleague, call.colleague_leg = "consult", effect.agent, ""
        await self._ami.setvar(call.owner_leg, "KCC_RING", str(effect.seconds))
        exten = events.dial_exten(effect.endpoint, effect.offer)
        asks = Leg(call.owner_leg, events.CONSULT_CONTEXT, exten)
        await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.HOLD_EXTEN, also=asks)

    async def _rejoin(self, effect: Rejoin, call: Call) -> None:
        """The owner's phone has lost the call: the citizen's own leg rings it anew. What it had there is over."""
        before = (call.owner_leg, call.colleague_leg) if call.mode else ()
        call.offer, call.mode, call.owner_leg, call.colleague, call.colleague_leg = effect.offer, "", "", "", ""
        exten = events.dial_exten(effect.endpoint, effect.offer)
        await self._ami.redirect(call.channel, events.DELIVER_CONTEXT, exten)
        for leg in before:
            await self.end(leg)

    async def _rejoin_room(self, effect: Rejoin, call: Call) -> None:
        """One of ours comes into the room anew, on a leg of its own; the leg that was lost ends."""
        leg, agent = f"kcc-room-{secrets.token_hex(8)}", self._agents.get(effect.endpoint, "")
        if agent == call.colleague:
            before, call.colleague_leg = call.colleague_leg, leg
        else:
            before, call.owner_leg = call.owner_leg, leg
        await self.end(before)
        room = events.contact_exten("a", call.contact)
        try:
            await self._ami.originate(
                effect.endpoint, events.CONFERENCE_CONTEXT, room, channel_id=leg, seconds=REJOIN_SECONDS, variables={}
            )
        except (AmiRefused, AmiTimeout):
            await self._tell(commands.LeaveConversation(call.contact, agent))
            raise

    async def _connect(self, effect: Connect, call: Call) -> None:
        """The colleague goes on with the citizen; the former owner's phone is free."""
        before, consulting = call.owner_leg, call.mode == "consult"
        call.agent, call.owner_leg = effect.agent, call.colleague_leg
        call.colleague, call.colleague_leg = "", ""
        if consulting:
            call.mode = "bridged"
            await self._ami.bridge(call.owner_leg, call.channel)
        await self.end(before)

    async def release(self, call: Call) -> None:
        """The phones of a call that goes on without them, or has ended."""
        if call.mode:
            legs = (call.owner_leg, call.colleague_leg)
            call.mode, call.owner_leg, call.colleague, call.colleague_leg = "", "", "", ""
            for leg in legs:
                await self.end(leg)

    async def end(self, leg: str) -> None:
        """Hang up one of our phones, or one that was rung for us, if it is still there."""
        if leg:
            try:
                with contextlib.suppress(ChannelGone):
                    await self._ami.hangup(leg)
            except (AmiDown, AmiTimeout, AmiRefused) as error:
                log.warning("voice.phone_not_ended", error=type(error).__name__)

    # -- what Asterisk tells ------------------------------------------------------------------------------------

    async def dialled(self, event: events.DialEnded) -> None:
        """The colleague's phone was answered, or not. An answer that comes too late is ended again."""
        contact = event.offer.rpartition("-")[0]
        if event.status != "ANSWER":
            await self._tell(commands.OfferFailed(event.offer, FAILED.get(event.status, "cancelled")))
            return
        call, agent = self._calls.get(contact), self._agents.get(event.endpoint, "")
        if call is None or await self._tell(commands.Accept(event.offer, agent)) is None:
            await self.end(event.agent_channel)
            return
        call.colleague, call.colleague_leg = agent, event.agent_channel

    async def consult_over(self, event: events.ConsultEnded) -> None:
        """The owner's phone has nobody on the other side any more; the dialplan waits for us."""
        call = self._calls.get(event.offer.rpartition("-")[0])
        if event.status != "ANSWER":
            await self._tell(commands.OfferFailed(event.offer, FAILED.get(event.status, "cancelled")))
        elif call is not None and call.mode == "consult" and call.colleague:
            await self._tell(commands.LeaveConversation(call.contact, call.colleague))

    async def hangs_up(self, call: Call, channel: str) -> None:
        """One of our phones hangs up, and the citizen is still there."""
        call.hung_up = channel
        if call.mode not in ("bridged", "conference"):
            return
        if channel == call.owner_leg and not call.colleague_leg:
            await self._tell(commands.FinishConversation(call.contact, call.agent))
        else:
            await self._leaves(call, channel)

    async def puts_on_hold(self, call: Call, event: events.PhoneHeld) -> None:
        """The owner's phone, by its own key, has put the citizen on music or taken them off."""
        if event.channel == call.owner_leg and call.mode in ("", "bridged"):
            told = commands.HoldCall if event.held else commands.RetrieveCall
            await self._tell(told(call.contact, call.agent))

    async def leg_gone(self, call: Call, channel: str) -> None:
        """One of our phones has gone, by whatever cause. Bridged, the citizen's KccHeld says what is left."""
        if call.mode == "conference" or (call.mode in ASKS and channel == call.owner_leg):
            await self._leaves(call, channel)

    async def _leaves(self, call: Call, channel: str) -> None:
        if channel in (call.owner_leg, call.colleague_leg):
            who = call.agent if channel == call.owner_leg else call.colleague
            await self._tell(commands.LeaveConversation(call.contact, who))

    # -- the census -----------------------------------------------------------------------------------------------

    def census(self, census: Census) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """Who talks with the citizen of each contact, and all of ours where there are several."""
        answered = {contact: self._agents[endpoint] for contact, endpoint in census.answered.items()}
        together = {
            contact: tuple(self._agents[events.endpoint_of(phone.channel)] for phone in phones)
            for contact, phones in census.phones.items()
            if len(phones) > 1
        }
        for contact, citizen in census.channels.items():
            call = self._calls.get(contact)
            if call is not None and not call.owner_leg:
                self.restore(call, citizen, census.phones.get(contact, ()))
            if call is not None and call.mode in ASKS and census.phones.get(contact):
                answered[contact] = call.agent
            elif call is not None and contact in answered and not call.mode:
                call.agent = answered[contact]
            elif call is not None and call.agent and census.between(contact):
                answered[contact] = call.agent
        return answered, together

    async def look_who_holds(self, census: Census) -> None:
        """After a start: which citizens have been put on hold meanwhile, by their owner's phone, or taken off it."""
        for contact in census.answered:
            if (call := self._calls.get(contact)) is not None:
                held = events.PhoneHeld(call.owner_leg, census.channels[contact].on_hold)
                await self.puts_on_hold(call, held)

    async def asked_outside(self, census: Census) -> None:
        """After a start: who outside has answered meanwhile, or has left the owner's phone alone."""
        for contact, phones in census.phones.items():
            call, theirs = self._calls.get(contact), census.asked.get(contact, "")
            if call is None or call.mode != OUTSIDE:
                continue
            if theirs and call.colleague_leg != theirs:
                call.colleague_leg = theirs
                await self._tell(commands.ReportOutside(contact, answered=True))
            elif any(row.channel == call.owner_leg and row.application == WAITS for row in phones):
                await self._tell(commands.ReportOutside(contact, answered=False))

    def restore(self, call: Call, citizen: LiveChannel, phones: Iterable[LiveChannel]) -> None:
        """After a start: which phone is whose, from what is up."""
        ours = [row for row in phones if events.endpoint_of(row.channel) in self._agents]
        asking = [
            row
            for row in ours
            if row.context == events.CONSULT_OUTSIDE_CONTEXT
            or (row.context == events.CONSULT_CONTEXT and row.application == DIALS)
        ]
        others = [row for row in ours if row not in asking]
        if asking:
            call.mode, call.owner_leg = ASKING[asking[0].context], asking[0].channel
            call.colleague_leg = others[0].channel if others else ""
        elif citizen.context == events.CONFERENCE_CONTEXT and ours:
            call.mode, call.owner_leg = "conference", ours[0].channel
            call.colleague_leg = ours[1].channel if len(ours) > 1 else ""
        elif ours:
            call.mode = "" if citizen.context == events.DELIVER_CONTEXT else "bridged"
            call.owner_leg = ours[0].channel
        call.colleague = self._agents.get(events.endpoint_of(call.colleague_leg), "")
        if call.mode:
            call.agent = self._agents[events.endpoint_of(call.owner_leg)]
