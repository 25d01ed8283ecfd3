"""What the telephone channel tells the centre, and asks of it. What cannot be recorded now is told again."""

from __future__ import annotations

import asyncio

import structlog

from router.engine import commands
from router.errors import Refusal, Unavailable, UnknownThing
from router.port import CentrePort, Outcome

log = structlog.get_logger()

AGAIN_SECONDS = 0.5


class Reports:
    """The port of the centre, for what has happened already and cannot be taken back."""

    def __init__(self, port: CentrePort) -> None:
        self._port = port

    async def tell(self, command: commands.Command) -> Outcome | None:
        """Report; None when it was refused. What cannot be recorded now is reported again until it can be."""
        while True:
            try:
                return await self._port.submit(command)
            except Refusal as refusal:
                log.debug("voice.report_refused", command=type(command).__name__, code=refusal.code)
                return None
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)

    async def is_open(self, contact: str) -> bool:
        """Whether the contact is there and has not ended."""
        try:
            await self._port.explain(contact)
        except UnknownThing:
            return False
        return True
