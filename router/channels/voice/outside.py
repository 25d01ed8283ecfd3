"""Calls put through to somebody outside the centre: the citizen's own leg dials them through the trunk.

While it rings, and after it was answered, the call is in kcc-outside; not answered, the dialplan puts it back on hold.
"""

from __future__ import annotations

import structlog

from router.channels.voice import events
from router.channels.voice.ami import AmiLink
from router.channels.voice.calls import Call
from router.channels.voice.faults import AmiRefused, AmiTimeout, ChannelGone
from router.channels.voice.together import Tell, Together
from router.engine import commands
from router.engine.effects import DialOutside
from router.errors import Erased, UnknownThing
from router.vault.interface import Vault

log = structlog.get_logger()


class Outside:
    """Carries the order out, and tells whether somebody answered."""

    def __init__(self, ami: AmiLink, together: Together, tell: Tell, vault: Vault) -> None:
        self._ami, self._together, self._tell, self._vault = ami, together, tell, vault

    async def dial(self, effect: DialOutside, call: Call) -> None:
        """What does not come about is told; a caller or a connection that is gone is raised (ChannelGone, AmiDown)."""
        call.offer, call.agent = "", ""
        try:
            number = effect.number or (await self._vault.read_unattended(effect.number_ref)).content.decode()
            await self._ami.setvar(call.channel, "KCC_DIAL", number)
            await self._ami.setvar(call.channel, "KCC_SHOWN", effect.shows)
            await self._ami.setvar(call.channel, "KCC_RING", str(effect.seconds))
            call.ring_seconds = effect.seconds
            await self._ami.redirect(call.channel, events.OUTSIDE_CONTEXT, events.OUTSIDE_EXTEN)
            await self._together.release(call)
            call.owner_leg = ""
        except ChannelGone:
            raise
        except (AmiTimeout, AmiRefused, Erased, UnknownThing) as fault:
            log.warning("voice.not_put_through", contact=call.contact, error=type(fault).__name__)
            await self._tell(commands.ReportOutside(effect.contact, answered=False))

    async def answered(self, call: Call | None) -> None:
        if call is not None:
            await self._tell(commands.ReportOutside(call.contact, answered=True))

    async def over(self, event: events.OutsideEnded) -> None:
        """Answered and over, the call ends with it; not answered, it is on hold again."""
        await self._tell(commands.ReportOutside(event.kcc_id, answered=event.status == "ANSWER"))
