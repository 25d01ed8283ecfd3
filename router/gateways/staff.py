"""What the Socket.IO namespaces for staff share: who may connect, and how a connection ends with its session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from router.errors import NotAllowed, NotSignedIn
from router.gateways.routes import Rooms
from router.sockets import Namespace
from router.web import InvalidField, Origins, Principal, RateLimit, error_body

EVENTS_MAX = 120
EVENTS_SECONDS = 10
SWEEP_SECONDS = 60
END_OF_SHIFT = "end_of_shift"
"""Paused until what is in hand is done; the desk then signs its agent off."""
PHONE_UNREACHABLE = "phone_unreachable"
"""Paused by the desk because its telephone does not work, as by the centre when a telephone cannot be rung."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody on one connection."""

    principal: Principal
    session: bytes
    """Hash of the session; empty for a program with a token."""


class StaffNamespace(Namespace):
    """A namespace behind a session or a token, and behind the list of our own pages' origins."""

    roles: tuple[str, ...] = ()

    def __init__(self, namespace: str, rooms: Rooms, origins: Origins) -> None:
        super().__init__(namespace)
        self.rooms, self.origins = rooms, origins
        self.guests: dict[str, Guest] = {}
        self.limit = RateLimit(EVENTS_MAX, EVENTS_SECONDS, rooms.now)
        self._sweeper: asyncio.Task[None] | None = None

    def admit(self, sid: str, request: web.Request, auth: dict[str, Any]) -> Principal:
        """Who this is. Raises NotSignedIn, NotAllowed."""
        accounts = self.rooms.accounts
        if not self.origins.allows(request.headers, self.origins.staff, with_cookie=accounts.has_cookie(request)):
            raise NotAllowed("This Origin is not allowed here")
        token = auth.get("token")
        session = b"" if token else accounts.session_of(request)
        principal = accounts.program(token) if isinstance(token, str) and token else accounts.person(session)
        if principal is None:
            raise NotSignedIn
        if principal.role not in self.roles:
            raise NotAllowed("Your role may not do this")
        self.check(principal)
        self.guests[sid] = Guest(principal, session)
        return principal

    def check(self, principal: Principal) -> None:
        """What a namespace asks beyond the role. Raises NotAllowed."""

    def who(self, sid: str) -> Principal:
        """Raises NotSignedIn for a connection that is over."""
        guest = self.guests.get(sid)
        if guest is None:
            raise NotSignedIn
        return guest.principal

    async def trigger_event(self, event: str, *args: Any) -> Any:
        if event not in {"connect", "disconnect"} and not await self._still_in(args[0]):
            return {"ok": False, "error": error_body(NotSignedIn())}
        return await super().trigger_event(event, *args)

    async def _still_in(self, sid: str) -> bool:
        guest = self.guests.get(sid)
        if guest is not None and guest.session and self.rooms.accounts.person(guest.session) is None:
            await self.end(sid, "expired")
            return False
        return guest is not None

    async def end(self, sid: str, reason: str) -> None:
        """Tell the client that this is over, and disconnect."""
        self.send("ended", {"reason": reason}, [sid])
        await self.server.disconnect(sid, namespace=self.namespace)

    async def end_session(self, session: bytes) -> None:
        """End every connection of a session that was signed out."""
        for sid in [sid for sid, guest in self.guests.items() if guest.session == session]:
            await self.end(sid, "signed_out")

    def start_sweeping(self) -> None:
        self._sweeper = asyncio.create_task(self._sweep(), name=f"sessions of {self.namespace}")

    async def stop_sweeping(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None

    async def _sweep(self) -> None:
        """An open screen keeps its session in use, but not beyond its absolute end."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for sid in list(self.guests):
                await self._still_in(sid)


def check_reason(rooms: Rooms, presence: str, reason: str) -> None:
    """Pausing asks for one of the centre's reasons, where it has any, or one of the desk's. Raises InvalidField."""
    reasons = rooms.views.centre.pause_reasons
    if presence == "paused" and reasons and reason not in (*reasons, END_OF_SHIFT, PHONE_UNREACHABLE):
        raise InvalidField("There is no such reason to pause", "reason")
