"""Calls put through to somebody outside the centre, at once or after the agent has talked with them.

At once, the citizen's own leg dials them: while it rings, and after it was answered, the call is in kcc-outside; not
answered, the dialplan puts it back on hold. To talk first, the agent's leg dials them (kcc-consult-outside) while the
citizen is on hold; then theirs is bridged with the citizen's, which KCC_OUT marks: when they leave, the call is over.
"""

from __future__ import annotations

import structlog

from router.channels.voice import events
from router.channels.voice.ami import AmiLink, Leg
from router.channels.voice.calls import Call, Calls
from router.channels.voice.faults import AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.together import OUTSIDE, Tell, Together
from router.engine import commands
from router.engine.effects import ConsultOutside, DialOutside, JoinOutside
from router.errors import Erased, UnknownThing
from router.vault.interface import Vault

log = structlog.get_logger()

OUT = "KCC_OUT"
JOINING = "joining"
"""The mode in which the owner's phone is left by both."""


class Outside:
    """Carries the orders out, and tells whether somebody answered."""

    def __init__(self, ami: AmiLink, calls: Calls, together: Together, tell: Tell, vault: Vault) -> None:
        self._ami, self._calls, self._together, self._tell, self._vault = ami, calls, together, tell, vault

    async def steer(self, effect: DialOutside | ConsultOutside | JoinOutside, call: Call) -> None:
        """What does not come about is told; a caller or a connection that is gone is raised (ChannelGone, AmiDown)."""
        try:
            match effect:
                case DialOutside():
                    await self._dial(effect, call)
                case ConsultOutside():
                    await self._consult(effect, call)
                case JoinOutside():
                    await self._join(call)
        except ChannelGone:
            raise
        except (AmiTimeout, AmiRefused, Erased, UnknownThing) as fault:
            log.warning("voice.not_put_through", contact=call.contact, error=type(fault).__name__)
            await self._tell(commands.ReportOutside(effect.contact, answered=False))

    async def _dial(self, effect: DialOutside, call: Call) -> None:
        call.offer, call.agent = "", ""
        await self._say_whom(effect, call.channel)
        call.ring_seconds = effect.seconds
        await self._ami.redirect(call.channel, events.OUTSIDE_CONTEXT, events.OUTSIDE_EXTEN)
        await self._together.release(call)
        call.owner_leg = ""

    async def _say_whom(self, effect: DialOutside | ConsultOutside, channel: str) -> None:
        """Tell the leg that dials whom it dials."""
        number = effect.number or (await self._vault.read_unattended(effect.number_ref)).content.decode()
        await self._ami.setvar(channel, "KCC_DIAL", number)
        await self._ami.setvar(channel, "KCC_SHOWN", effect.shows)
        await self._ami.setvar(channel, "KCC_RING", str(effect.seconds))

    async def _consult(self, effect: ConsultOutside, call: Call) -> None:
        """Raises AmiRefused when the owner's phone is not there."""
        if not call.owner_leg:
            raise AmiRefused("the agent's phone is not known")
        try:
            await self._say_whom(effect, call.owner_leg)
            call.mode, call.colleague, call.colleague_leg = OUTSIDE, "", ""
            exten = events.contact_exten("o", call.contact)
            asks = Leg(call.owner_leg, events.CONSULT_OUTSIDE_CONTEXT, exten)
            await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.HOLD_EXTEN, also=asks)
        except ChannelGone as gone:  # which of the two, the census tells
            raise AmiRefused("a phone of this call has gone") from gone

    async def _join(self, call: Call) -> None:
        if call.mode != OUTSIDE or not call.colleague_leg:
            raise AmiRefused("nobody outside is there any more")
        theirs, call.colleague_leg, call.mode = call.colleague_leg, "", JOINING
        await self._ami.setvar(call.channel, OUT, "1")
        try:
            await self._ami.bridge(theirs, call.channel)
        except (AmiTimeout, AmiRefused, ChannelGone) as fault:
            await self._ami.setvar(call.channel, OUT, "")
            raise AmiRefused("they could not be connected") from fault
        await self._together.release(call)
        call.agent = ""
        await self._tell(commands.ReportOutside(call.contact, answered=True))

    # -- what Asterisk tells ------------------------------------------------------------------------------------

    async def answered(self, call: Call | None) -> None:
        """Whom the citizen's own leg dialled."""
        if call is not None:
            await self._tell(commands.ReportOutside(call.contact, answered=True))

    async def over(self, event: events.OutsideEnded) -> None:
        """Answered and over, the call ends with it; not answered, it is on hold again."""
        if event.asked:
            await self._left(event)
            return
        call = self._calls.get(event.kcc_id)
        if call is not None and event.status != "ANSWER":
            call.sent()  # by the dialplan, back on hold: KccHeld follows
        await self._tell(commands.ReportOutside(event.kcc_id, answered=event.status == "ANSWER"))

    async def asked(self, event: events.DialEnded) -> None:
        """Whom the owner's leg dialled has answered; one that nobody waits for any more is ended."""
        call = self._calls.with_phone(event.channel)
        if call is not None and call.mode == OUTSIDE:
            call.colleague_leg = event.agent_channel
            if await self._tell(commands.ReportOutside(call.contact, answered=True)) is not None:
                return
        await self._together.end(event.agent_channel)

    async def _left(self, event: events.OutsideEnded) -> None:
        """The owner's phone has nobody on the other side any more; the dialplan waits for us."""
        call = self._calls.get(event.kcc_id)
        if call is not None and call.mode == OUTSIDE:
            call.colleague_leg = ""
            await self._tell(commands.ReportOutside(call.contact, answered=False))
