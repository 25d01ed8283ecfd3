"""After the conversation: was the question answered, and which mark does the citizen give? By keys, for who stays."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from router.channels.voice import events
from router.channels.voice.agi import ANY_DIGIT, AgiSession
from router.channels.voice.ami import AmiLink
from router.channels.voice.calls import Call
from router.channels.voice.together import Tell
from router.engine import commands
from router.nouns import Municipality

log = structlog.get_logger()

SECONDS_MAX = 60
"""The dialplan ends the call after this, wherever the citizen is in it."""
KEY_WAIT_MS = 5_000
TRIES = 2
YES, NO = "1", "2"
ASKED_MAX = 2_000


class Survey:
    """Asks citizens whose agent has hung up. Memory only: after a restart nobody is asked any more."""

    def __init__(self, ami: AmiLink, tell: Tell, home: Callable[[Call], Municipality]) -> None:
        """`home` gives the municipality that a call was for."""
        self._ami, self._tell, self._home = ami, tell, home
        self._asked: dict[str, tuple[str, int]] = {}
        """Uniqueid of the citizen's channel -> contact, highest mark."""

    async def begin(self, call: Call) -> bool:
        """Take the citizen to the questions, where the municipality asks them. Raises as a Redirect does."""
        marks = self._home(call).telephone.survey_marks
        if not marks or not call.uniqueid or len(self._asked) >= ASKED_MAX:
            return False
        self._asked[call.uniqueid] = call.contact, marks
        try:
            await self._ami.redirect(call.channel, events.AFTER_CONTEXT, events.HOLD_EXTEN)
        except BaseException:
            del self._asked[call.uniqueid]
            raise
        return True

    def left(self, uniqueid: str) -> None:
        """The citizen has hung up."""
        self._asked.pop(uniqueid, None)

    async def take(self, session: AgiSession) -> None:
        """The questions. What was answered before the citizen leaves stands. Raises AgiFault."""
        contact, marks = self._asked.pop(session.uniqueid, ("", 0))
        if not contact:
            return
        await session.deadline(SECONDS_MAX)
        key = await self._ask(session, "kcc/survey-answered", YES + NO)
        if not key:
            return
        answered = key == YES
        await self._tell(commands.AnswerCitizen(contact, answered))
        key = await self._ask(session, f"kcc/survey-mark-{marks}", "123456789"[: min(marks, 9)] + "0" * (marks > 9))
        if key:
            await self._tell(commands.AnswerCitizen(contact, answered, int(key) or 10))
        await session.play("kcc/survey-thanks")

    async def _ask(self, session: AgiSession, prompt: str, valid: str) -> str:
        for _ in range(TRIES):
            key = await session.get_digit([prompt], KEY_WAIT_MS, ANY_DIGIT)
            if key and key in valid:
                return key
        return ""
