"""Callers who wait: what is played to them by order, and the neighbour that takes their call over."""

from __future__ import annotations

import structlog

from router.channels.voice import events
from router.channels.voice.ami import AmiLink
from router.channels.voice.calls import Call, Calls
from router.channels.voice.together import Tell
from router.engine import commands
from router.engine.effects import Announce, OfferCallback, PassOn
from router.port import Outcome

log = structlog.get_logger()

CALLBACK_PROMPT = "hold-callback"
PASSED_ON = "passed_on"


class Waiting:
    """Carries out what the engine orders for callers on hold."""

    def __init__(self, ami: AmiLink, calls: Calls, tell: Tell) -> None:
        self._ami, self._calls, self._tell = ami, calls, tell

    async def steer(self, effect: Announce | OfferCallback | PassOn, call: Call) -> None:
        match effect:
            case Announce():
                await self._say(call, effect.message)
            case OfferCallback():
                await self._say(call, CALLBACK_PROMPT)
            case PassOn():
                call.offer = ""
                await self._ami.setvar(call.channel, "KCC_NEIGHBOUR", effect.number)
                await self._ami.redirect(call.channel, events.NEIGHBOUR_CONTEXT, events.HOLD_EXTEN)

    async def _say(self, call: Call, prompt: str) -> None:
        """Play a recording; the music goes on after it."""
        await self._ami.setvar(call.channel, "KCC_SAY", prompt)
        await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.SAY_EXTEN)

    async def passed_on(self, call: Call | None) -> None:
        """The neighbour has answered: from now on the call is theirs, also while it is still up here."""
        if call is not None and (outcome := await self.found_passed_on(call.contact)) is not None:
            call.settled = outcome.number
            log.info("voice.passed_on", contact=call.contact)

    async def found_passed_on(self, contact: str) -> Outcome | None:
        """The census sees it talk with a neighbour."""
        return await self._tell(commands.EndContact(contact, PASSED_ON))
