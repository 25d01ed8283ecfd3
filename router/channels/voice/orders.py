"""Orders of the centre to one Asterisk: ring, hold, hang up; others go on to whoever knows about them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import structlog

from router.channels.voice import events
from router.channels.voice.ami import AmiLink
from router.channels.voice.calls import Call, Calls
from router.channels.voice.faults import AmiDown, AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.outside import Outside
from router.channels.voice.reconcile import Reconciler
from router.channels.voice.recordings import Recordings, name_of
from router.channels.voice.reports import Reports
from router.channels.voice.supervision import Supervision
from router.channels.voice.survey import Survey
from router.channels.voice.together import Together
from router.channels.voice.waiting import Waiting
from router.engine import commands
from router.engine.effects import (
    Announce,
    ConsultOutside,
    DialOutside,
    Effect,
    EndSpy,
    HangUp,
    Hold,
    JoinOutside,
    OfferCallback,
    OfferVoicemail,
    PassOn,
    Record,
    Ring,
    RingColleague,
    Spy,
)
from router.port import Order

log = structlog.get_logger()

LEFT = frozenset({"abandoned", "citizen_left", "gone"})
"""Ends of which nothing is left to hang up."""


class Orders:
    """Carries orders out on the calls that are up, and reports what did not come about."""

    def __init__(
        self,
        ami: AmiLink,
        calls: Calls,
        together: Together,
        waiting: Waiting,
        survey: Survey,
        supervision: Supervision,
        outside: Outside,
        recordings: Recordings,
        reports: Reports,
        ending: set[str],
        census: Reconciler,
    ) -> None:
        """`ending` is for the contacts whose call is to be hung up, until it is gone."""
        self._ami, self._calls, self._together, self._supervision = ami, calls, together, supervision
        self._waiting, self._survey, self._outside, self._recordings = waiting, survey, outside, recordings
        self._reports, self.ending, self._census = reports, ending, census

    async def perform(self, order: Order) -> None:
        effect = order.effect
        call = self._calls.get(effect.contact)
        if isinstance(effect, Record):
            await self._recordings.steer(effect, call, self._ami, known=self._census.known)
            return
        if isinstance(effect, HangUp):
            if effect.reason in LEFT:
                return
            self.ending.add(effect.contact)
        elif call is not None and order.number <= call.settled:
            log.info("voice.order_overtaken", effect=type(effect).__name__, contact=effect.contact)
            return
        try:
            await self._steer(effect, call)
        except ChannelGone:
            self.ending.discard(effect.contact)
            await self._reports.tell(commands.EndContact(effect.contact, "abandoned"))
        except AmiDown:  # what has become of it, the next connection's census tells: nobody has failed
            log.warning("voice.order_lost", effect=type(effect).__name__)
        except (AmiTimeout, AmiRefused, ValueError) as error:
            log.warning("voice.order_failed", effect=type(effect).__name__, error=type(error).__name__)
            self._census.look_now()
            if isinstance(effect, Ring):
                if call is not None and isinstance(error, AmiTimeout):
                    await self.hold(call)  # it may ring all the same
                await self._reports.tell(commands.OfferFailed(effect.offer, "technical"))
            elif isinstance(effect, RingColleague):
                await self._reports.tell(commands.OfferFailed(effect.offer, "technical"))

    async def _steer(self, effect: Effect, call: Call | None) -> None:
        """Carry one order out. What the call is about to be is noted before it is asked for."""
        if call is None and not self._census.known:
            raise AmiDown("which calls are up is not known yet")
        if call is None:
            raise ChannelGone("the call is not up")
        match effect:
            case Ring():
                await call.arrived()
                if not call.named:
                    raise ChannelGone("it left before it was told whose it is")
                await self._together.release(call)
                call.offer, call.agent = effect.offer, ""
                exten = events.dial_exten(effect.endpoint, effect.offer)
                # one after the other, without waiting in between: Asterisk takes them in order
                ring = self._ami.redirect(call.channel, events.DELIVER_CONTEXT, exten)
                await asyncio.gather(*(self._ami.setvar(call.channel, *one) for one in _news(call, effect)), ring)
                call.ring_seconds, call.record = effect.seconds, name_of(effect.contact, effect.record)
            case Hold():
                call.offer, call.agent = "", ""
                call.sent()
                await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.HOLD_EXTEN)
                await self._together.release(call)
            case HangUp(reason="agent") if await self._survey.begin(call):
                self.ending.discard(effect.contact)
            case HangUp(reason="callback") if call.attended:
                pass  # the caller is told first; the census ends what stays behind
            case HangUp():
                await self._ami.hangup(call.channel)
            case DialOutside() | ConsultOutside() | JoinOutside():
                await self._outside.steer(effect, call)
            case Announce() | OfferCallback() | OfferVoicemail() | PassOn():
                await self._waiting.steer(effect, call)
            case Spy() | EndSpy():
                await self._supervision.steer(effect, call)
            case _:
                await self._together.steer(effect, call)

    async def hold(self, call: Call) -> None:
        """Put the citizen back on music, if that can be done now."""
        call.offer, call.agent = "", ""
        try:
            await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.HOLD_EXTEN)
        except (AmiDown, AmiTimeout, AmiRefused) as error:
            log.warning("voice.not_held", contact=call.contact, error=type(error).__name__)


def _news(call: Call, ring: Ring) -> Iterator[tuple[str, str]]:
    """The variables of its channel that must change before it rings."""
    if call.ring_seconds != ring.seconds:
        yield "KCC_RING", str(ring.seconds)
    if call.record != name_of(ring.contact, ring.record):
        yield "KCC_REC", name_of(ring.contact, ring.record)
