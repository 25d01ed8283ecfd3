"""Voicemail: a caller who waits leaves a message instead. It is recorded into a spool, and kept in the vault."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

import structlog

from router.channels.channel import Surroundings
from router.channels.voice.agi import AgiSession
from router.channels.voice.calls import Call
from router.channels.voice.together import Tell
from router.engine import commands
from router.errors import Erased, Fault
from router.nouns import Municipality

log = structlog.get_logger()

SECONDS_MAX = 120
SILENCE_SECONDS = 8
"""Who says nothing for so long has finished."""
DEADLINE_SECONDS = SECONDS_MAX + 45
BYTES_MIN = 16_000
"""A second of 8 kHz wav: less is nothing."""
BYTES_MAX = 16_000 * (SECONDS_MAX + 10)
MEDIA = "audio/wav"
STAY = "0"


class Voicemail:
    """The spool is a folder that both the PBX and this server reach; what was taken out of it is deleted there.

    An agent who becomes free goes before: the caller is taken from the recording to the agent, and nothing is kept.
    """

    def __init__(self, around: Surroundings, spool: Path | None, pbx: str, tell: Tell) -> None:
        """Files carry the name of their `pbx`: several may share a spool."""
        self._around, self._spool, self._tell = around, spool, tell
        self._prefix = f"{pbx or 'pbx'}."
        self._leaving: dict[str, asyncio.Event] = {}

    @property
    def possible(self) -> bool:
        return self._spool is not None

    def offers(self, municipality: Municipality) -> bool:
        """Whether its callers may leave a message of their own accord."""
        return municipality.telephone.voicemail and self.possible

    async def take(self, session: AgiSession, call: Call, first: str = "") -> None:
        """The message; `first` is said before it. Who hangs up while speaking has left it. Raises AgiFault."""
        assert self._spool is not None
        await session.deadline(DEADLINE_SECONDS)
        for prompt in filter(None, (first, "kcc/voicemail")):
            if await session.play(prompt, STAY) == STAY:
                return
        self._leaving[call.contact] = asyncio.Event()
        try:
            try:
                await session.record(str(self._spool / f"{self._prefix}{call.contact}"), SECONDS_MAX, SILENCE_SECONDS)
            finally:
                kept = await asyncio.shield(self._keep(call.contact))
        finally:
            self._leaving.pop(call.contact).set()
        if kept:
            await session.play("kcc/voicemail-kept")
            await session.hangup()

    async def settled(self, contact: str) -> None:
        """Wait until what the caller is leaving at this moment is kept: only then the call may be said to be over."""
        if (leaving := self._leaving.get(contact)) is not None:
            await leaving.wait()

    async def sweep(self, up: Iterable[str]) -> None:
        """Keep what was left while this server was away, by callers who are not `up` any more; delete the rest."""
        if self._spool is None:
            return
        busy = {*up, *self._leaving}
        for path in await asyncio.to_thread(lambda spool: sorted(spool.glob(f"{self._prefix}*.wav")), self._spool):
            contact = path.stem.removeprefix(self._prefix)
            if contact not in busy:
                try:
                    await self._keep(contact)
                except Fault as fault:  # it stays where it is, until the next sweep
                    log.error("voice.voicemail_not_kept", contact=contact, code=fault.code)

    async def _keep(self, contact: str) -> bool:
        """Into the vault, and out of the spool. False when there was nothing, or the contact is over already."""
        assert self._spool is not None
        path = self._spool / f"{self._prefix}{contact}.wav"
        content = await asyncio.to_thread(_content, path)
        kept = None
        if len(content) >= BYTES_MIN:
            with contextlib.suppress(Erased):  # then it is nobody's any more
                ref = await self._around.vault.store(contact, MEDIA, content)
                kept = await self._tell(commands.LeaveVoicemail(contact, ref))
        await asyncio.to_thread(path.unlink, missing_ok=True)
        log.info("voice.voicemail", contact=contact, kept=kept is not None)
        return kept is not None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX)
    except OSError:
        return b""
