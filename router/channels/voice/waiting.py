"""Callers who wait: what is played to them by order, and the neighbour that takes their call over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from router.channels.channel import Surroundings
from router.channels.voice import events
from router.channels.voice.agi import AgiSession
from router.channels.voice.ami import AmiLink
from router.channels.voice.callback_choice import Choice, choose
from router.channels.voice.calls import Call, Calls, Census
from router.channels.voice.together import Tell
from router.channels.voice.voicemail import Voicemail
from router.engine import commands
from router.engine.effects import Announce, OfferCallback, OfferVoicemail, PassOn
from router.nouns import Municipality, Standing
from router.port import Outcome, new_id
from router.telephone_numbers import e164

log = structlog.get_logger()

CALLBACK_PROMPT = "hold-callback"
PASSED_ON = "passed_on"
CONFIRMED_PROMPT = "callback-confirmed"
PLANNED_PROMPT = "callback-planned"
CALL_BACK = "1"
HOW_LONG = "2"
"""The key that tells the place and the wait again."""
MESSAGE = "3"
"""The key to leave a message."""
LIMIT = "limit"
"""What the dialplan asks when the wait has reached its limit."""
SPEECH_SECONDS_MAX = 30
CHOICE_SECONDS_MAX = 170
"""Of all questions about a callback; less than a FastAGI session may take."""
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
        prefixes: tuple[str, ...],
    ) -> None:
        """`home` gives the municipality that a call is for; `prefixes` are those of numbers that may be dialled."""
        self._around, self._ami, self._calls, self._tell, self._home = around, ami, calls, tell, home
        self.voicemail, self._prefixes = voicemail, prefixes

    async def look_over(self, census: Census) -> None:
        """Before a census is told: who talks with a neighbour, and what callers left who are gone."""
        await asyncio.gather(*map(self._found_passed_on, census.passed_on))
        await self.voicemail.sweep(census.channels)

    async def key(self, session: AgiSession) -> None:
        """A key that was pressed on hold. Raises AgiFault."""
        call = self._calls.of(session.uniqueid)
        if call is None:
            return
        call.attended = True
        try:
            await self._answer(session, call)
        finally:
            call.attended = False

    async def held(self, call: Call) -> None:
        """The caller is on hold again: say what had to wait until they had told what they had to tell. Whom an agent is
        asked to help at this moment hears nothing: a ringing phone goes first."""
        effect, call.unsaid = call.unsaid, None
        if effect is not None and await self._around.standing(call.contact, 0) is not None:
            await self.steer(effect, call)

    async def _answer(self, session: AgiSession, call: Call) -> None:
        if session.subject == HOW_LONG:
            await session.deadline(SPEECH_SECONDS_MAX)
            await say_standing(session, await self._around.standing(call.contact, 0))
        elif session.subject == CALL_BACK and "callback" in self._around.centre.channels:
            await self._call_back(session, call)
        elif session.subject == MESSAGE and self.voicemail.offers(self._home(call)):
            await self.voicemail.take(session, call)
        elif session.subject == LIMIT and self.voicemail.possible:
            await self.voicemail.take(session, call, first="kcc/voicemail-choice")

    async def _call_back(self, session: AgiSession, call: Call) -> None:
        """Ask how, promise it, say so once it is on disk, and end the call; without a choice the caller waits on."""
        await session.deadline(CHOICE_SECONDS_MAX)
        choice = await choose(session, self._prefixes, self._around.windows(self._home(call).id))
        if choice is not None and await self._promise(session, call, choice) is not None:
            await session.play(f"kcc/{CONFIRMED_PROMPT if choice.window is None else PLANNED_PROMPT}")
            await session.hangup()
        else:
            await session.play("kcc/callback-not")

    async def _promise(self, session: AgiSession, call: Call, choice: Choice) -> Outcome | None:
        """None when it is refused: an agent is asked for the call at this moment, say.

        Who showed no number is from then on who has the one they entered, and who enters their own says nothing new: so
        calling again brings no second promise.
        """
        vault, own, ref, citizen = self._around.vault, e164(session.caller_number), "", ""
        if choice.number and not own:
            citizen = await vault.recognise(self._home(call).id, call.contact, phone=choice.number)
        elif choice.number not in ("", own):
            ref = await vault.store(call.contact, "text/plain; charset=utf-8", choice.number.encode())
        call_from, due_at = (choice.window.call_from, choice.window.call_until) if choice.window else (0, 0)
        return await self._tell(commands.TakeCallback(call.contact, new_id("c"), call_from, due_at, ref, citizen))

    async def steer(self, effect: Announce | OfferCallback | OfferVoicemail | PassOn, call: Call) -> None:
        """Carry it out; who is told or asked something at this moment is not interrupted, and hears it after that."""
        if call.attended and not isinstance(effect, PassOn):
            call.unsaid = effect
            log.info("voice.said_later", contact=call.contact)
            return
        match effect:
            case Announce():
                await self._say(call, effect.message)
            case OfferCallback():
                await self._say(call, CALLBACK_PROMPT)
            case OfferVoicemail():
                await self._ami.redirect(call.channel, events.HOLD_CONTEXT, events.LIMIT_EXTEN)
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
