"""Callers who wait: what is played to them by order, and the neighbour that takes their call over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from router.channels.channel import Surroundings
from router.channels.voice import events
from router.channels.voice.agi import AgiSession
from router.channels.voice.ami import AmiLink
from router.channels.voice.calls import Call, Calls, Census
from router.channels.voice.together import Tell
from router.channels.voice.voicemail import Voicemail
from router.engine import commands
from router.engine.effects import Announce, OfferCallback, PassOn
from router.nouns import Municipality, Standing
from router.port import Outcome, new_id

log = structlog.get_logger()

CALLBACK_PROMPT = "hold-callback"
PASSED_ON = "passed_on"
CONFIRMED_PROMPT = "callback-confirmed"
CALL_BACK = "1"
HOW_LONG = "2"
"""The key that tells the place and the wait again."""
MESSAGE = "3"
"""The key to leave a message."""
SPEECH_SECONDS_MAX = 30
MINUTE = 60
LONG_SECONDS = 1_800


class Waiting:
    """Carries out what the engine orders for callers on hold, and what they ask by keys."""

    def __init__(
        self,
        around: Surroundings,
        ami: AmiLink,
        calls: Calls,
        tell: Tell,
        voicemail: Voicemail,
        home: Callable[[Call], Municipality],
    ) -> None:
        """`home` gives the municipality that a call is for."""
        self._around, self._ami, self._calls, self._tell, self._home = around, ami, calls, tell, home
        self.voicemail = voicemail

    async def look_over(self, census: Census) -> None:
        """Before a census is told: who talks with a neighbour, and what callers left who are gone."""
        await asyncio.gather(*map(self._found_passed_on, census.passed_on))
        await self.voicemail.sweep(census.channels)

    async def key(self, session: AgiSession) -> None:
        """A key that was pressed on hold. Raises AgiFault."""
        call = self._calls.of(session.uniqueid)
        if call is not None and session.subject == HOW_LONG:
            await session.deadline(SPEECH_SECONDS_MAX)
            await say_standing(session, await self._around.standing(call.contact, 0))
        elif call is not None and session.subject == CALL_BACK:
            await self._call_back(session, call)
        elif call is not None and session.subject == MESSAGE and self.voicemail.offers(self._home(call)):
            await self.voicemail.take(session, call)

    async def _call_back(self, session: AgiSession, call: Call) -> None:
        """Promise it, say so once it is on disk, and end the call; who cannot be called back waits on."""
        call.attended = True
        try:
            await session.deadline(SPEECH_SECONDS_MAX)
            if await self._tell(commands.TakeCallback(call.contact, new_id("c"))) is not None:
                await session.play(f"kcc/{CONFIRMED_PROMPT}")
                await session.hangup()
        finally:
            call.attended = False

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
        if call is not None and (outcome := await self._found_passed_on(call.contact)) is not None:
            call.settled = outcome.number
            log.info("voice.passed_on", contact=call.contact)

    async def _found_passed_on(self, contact: str) -> Outcome | None:
        """The census sees it talk with a neighbour."""
        return await self._tell(commands.EndContact(contact, PASSED_ON))


async def say_standing(session: AgiSession, standing: Standing | None) -> None:
    """Tell a caller their place and, as far as that is known, how long it takes; nothing when they do not wait."""
    if standing is None:
        return
    await session.play("kcc/position")
    await session.say_number(standing.place)
    seconds = standing.wait_seconds
    if seconds is None:
        await session.play("kcc/wait-unknown")
    elif seconds <= MINUTE:
        await session.play("kcc/wait-short")
    elif seconds > LONG_SECONDS:
        await session.play("kcc/wait-long")
    else:
        await session.play("kcc/wait-about")
        await session.say_number(-(-seconds // MINUTE))
        await session.play("kcc/wait-minutes")
