"""Supervisors who listen to a call, whisper to the agent, or talk with both: a phone of their own beside the agent's.

Asterisk's ChanSpy runs on the supervisor's phone and follows the agent's; it ends with that leg.
"""

from __future__ import annotations

import contextlib
import secrets

from router.channels.voice.ami import AmiLink
from router.channels.voice.calls import Call
from router.channels.voice.faults import AmiRefused, ChannelGone
from router.channels.voice.together import Tell
from router.engine import commands
from router.engine.effects import EndSpy, Spy

CONTEXT = "kcc-spy"
EXTENS = {"listen": "l", "whisper": "w", "barge": "b"}
RING_SECONDS = 20
SESSIONS_MAX = 500


class Supervision:
    """The phones that listen. Memory only: Asterisk ends them with the leg they follow."""

    def __init__(self, ami: AmiLink, tell: Tell) -> None:
        self._ami, self._tell = ami, tell
        self._phones: dict[str, tuple[str, str]] = {}
        """Uniqueid of the supervisor's phone -> contact, supervisor."""

    async def steer(self, effect: Spy | EndSpy, call: Call) -> None:
        """Carry the order out. What does not come about is told as the end of it."""
        known = self._of(effect.contact, effect.by)
        if isinstance(effect, EndSpy):
            await self._end(known)
        elif known:
            await self._ami.redirect(known, CONTEXT, EXTENS[effect.mode])
        else:
            await self._begin(effect, call)

    async def _begin(self, effect: Spy, call: Call) -> None:
        phone = f"kcc-spy-{secrets.token_hex(8)}"
        self._phones[phone] = effect.contact, effect.by
        try:
            if not call.owner_leg or len(self._phones) > SESSIONS_MAX:
                raise AmiRefused("the agent's phone is not known")
            await self._ami.originate(
                effect.endpoint,
                CONTEXT,
                EXTENS[effect.mode],
                channel_id=phone,
                seconds=RING_SECONDS,
                variables={"KCC_SPY": call.owner_leg, "KCC_TOKEN": effect.contact},
            )
        except BaseException:
            await self.gone(phone, "failed")
            raise

    async def gone(self, uniqueid: str, reason: str = "ended") -> None:
        """A phone has gone, or could not be rung; nothing when it did not listen."""
        found = self._phones.pop(uniqueid, None)
        if found is not None:
            await self._tell(commands.EndSupervision(*found, reason))

    def listens(self, uniqueid: str) -> str:
        """The contact that this phone listens to, or ""."""
        return self._phones.get(uniqueid, ("", ""))[0]

    async def _end(self, phone: str) -> None:
        if phone:
            del self._phones[phone]
            with contextlib.suppress(ChannelGone):
                await self._ami.hangup(phone)

    def _of(self, contact: str, by: str) -> str:
        return next((phone for phone, whose in self._phones.items() if whose == (contact, by)), "")
