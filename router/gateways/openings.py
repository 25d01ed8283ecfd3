"""What a supervisor closes at once, opens again and announces: over REST, and the same from the wallboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from aiohttp import web

from router.engine.commands import AnnounceCalamity, CloseChannels, Command, ReopenChannels, WithdrawCalamity
from router.errors import UnknownThing
from router.gateways.routes import Rooms, Route, actor
from router.projections import shapes
from router.web import STAFF, Principal, json_answer, read_body, require

Closable = Literal["phone", "chat", "counter"]
Announced = Annotated[str, msgspec.Meta(max_length=500)]


class Closing(msgspec.Struct, frozen=True):
    """Which channels (none named: all of them), why, and until when (UTC ms; 0 = until somebody opens them)."""

    reason: Literal["outage", "staffing", "incident", "evacuation", "other"]
    channels: list[Closable] = []
    until: int = 0

    def command(self, municipality: str, by: str) -> Command:
        return CloseChannels(municipality, tuple(self.channels), self.reason, by, self.until)


class Reopening(msgspec.Struct, frozen=True):
    """Which channels follow their hours again; none named: all of them."""

    channels: list[Closable] = []

    def command(self, municipality: str, by: str) -> Command:
        return ReopenChannels(municipality, tuple(self.channels), by)


class Announcement(msgspec.Struct, frozen=True):
    """What is announced in chat and on screens. Empty: the text that stands ready, which the phone says as well."""

    nl: Announced = ""
    en: Announced = ""

    def command(self, municipality: str, by: str) -> Command:
        return AnnounceCalamity(municipality, by, {k: text for k, text in (("nl", self.nl), ("en", self.en)) if text})


class OpeningList(msgspec.Struct, frozen=True):
    """Every municipality of the centre."""

    openings: list[shapes.Opening]


class OpeningRequests:
    """The part of the table of routes about what is open and closed."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def routes(self) -> list[Route]:
        one, supervisor = "/api/v1/municipalities/{id}", ("supervisor",)
        return [
            Route("GET", "/api/v1/openings", "listOpenings", "What is open, closed and announced", self.list, STAFF,
                  answer=OpeningList, tag="openings"),
            Route("POST", one + "/close", "closeChannels", "Close channels at once", self.close, supervisor,
                  body=Closing, answer=shapes.Opening, tag="openings"),
            Route("POST", one + "/open", "openChannels", "Open what was closed", self.open, supervisor,
                  body=Reopening, answer=shapes.Opening, tag="openings"),
            Route("POST", one + "/calamity", "announceCalamity", "Switch the calamity message on", self.announce,
                  supervisor, body=Announcement, answer=shapes.Opening, refuses=(409,), tag="openings"),
            Route("DELETE", one + "/calamity", "withdrawCalamity", "Switch it off", self.withdraw, supervisor,
                  answer=shapes.Opening, tag="openings"),
        ]  # fmt: skip

    async def list(self, request: web.Request) -> web.StreamResponse:
        require(request, *STAFF)
        return json_answer(OpeningList(self._rooms.views.openings.view(self._rooms.now())))

    async def close(self, request: web.Request) -> web.StreamResponse:
        return await self._set(request, (await read_body(request, Closing)).command)

    async def open(self, request: web.Request) -> web.StreamResponse:
        return await self._set(request, (await read_body(request, Reopening)).command)

    async def announce(self, request: web.Request) -> web.StreamResponse:
        return await self._set(request, (await read_body(request, Announcement)).command)

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        return await self._set(request, WithdrawCalamity)

    async def _set(self, request: web.Request, command: Callable[[str, str], Command]) -> web.StreamResponse:
        principal = require(request, "supervisor")
        return json_answer(await decided(self._rooms, principal, command, request.match_info["id"]))


async def decided(
    rooms: Rooms, principal: Principal, command: Callable[[str, str], Command], municipality: str
) -> shapes.Opening:
    """A supervisor decides something about a municipality; gives how it stands then. Raises UnknownThing."""
    await rooms.submit(command(municipality, actor(principal)))
    for opening in rooms.views.openings.view(rooms.now()):
        if opening.municipality == municipality:
            return opening
    raise UnknownThing("There is no such municipality")
