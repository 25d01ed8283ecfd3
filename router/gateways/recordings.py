"""REST: the recordings of conversations, for whoever may listen to them; each is heard as a document, audited first."""

from __future__ import annotations

from itertools import islice

import msgspec
from aiohttp import web

from router.gateways.routes import Query, Rooms, Route
from router.projections.recordings import Recording
from router.web import STAFF, InvalidField, Principal, json_answer, require

LISTED_MAX = 200
DIGITS_MAX = 15


class RecordingShown(msgspec.Struct, frozen=True):
    """One stretch of a conversation with agents."""

    contact: str
    number: int
    """1, 2 … within the contact."""
    municipality: str
    queue: str
    topic: str
    agents: list[str]
    """Who talked, in the order in which they came in."""
    started_at: int
    seconds: int
    """Without what was said on hold; silence takes the place of what was paused."""
    pauses: int
    keep_until: int
    """It is destroyed then."""
    parts: list[str]
    """Documents, to be heard one after the other: half an hour each."""


class RecordingList(msgspec.Struct, frozen=True):
    """At most 200, newest first."""

    recordings: list[RecordingShown]


class RecordingRequests:
    """The recordings' part of the table of routes, and who may listen."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def routes(self) -> list[Route]:
        query = (
            Query("contact", "Only of this contact."),
            Query(
                "before", "Only of conversations that began before this moment, in ms: those that come after a list."
            ),
        )
        return [
            Route("GET", "/api/v1/recordings", "listRecordings", "Recordings that this person may listen to",
                  self._list, STAFF, answer=RecordingList, query=query, tag="recordings"),
        ]  # fmt: skip

    def may_listen(self, principal: Principal, municipality: str) -> bool:
        """Supervisors, and the agents whom the municipality has named."""
        if principal.role == "supervisor":
            return True
        of = self._rooms.views.centre.municipality(municipality)
        return of is not None and bool(principal.agent) and principal.agent in of.recording.listeners

    def any_for(self, principal: Principal) -> bool:
        """Whether some conversations are recorded, or were, that this person may listen to."""
        kept_of = self._rooms.views.recordings.kept_of
        return any(
            (m.recording.queues or kept_of[m.id]) and self.may_listen(principal, m.id)
            for m in self._rooms.views.centre.municipalities
        )

    async def _list(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF)
        contact, before, now = request.query.get("contact", ""), request.query.get("before", "0"), self._rooms.now()
        if not (before.isascii() and before.isdigit() and len(before) <= DIGITS_MAX):
            raise InvalidField("A moment in ms", "before")
        until = int(before)
        fitting = (
            one
            for one in self._rooms.views.recordings
            if one.keep_until > now
            and (not until or one.started_at < until)
            and (not contact or one.contact == contact)
            and self.may_listen(principal, one.municipality)
        )
        found = sorted(islice(fitting, LISTED_MAX), key=lambda one: (one.started_at, one.contact), reverse=True)
        return json_answer(RecordingList([_shown(one) for one in found]))


def _shown(one: Recording) -> RecordingShown:
    return RecordingShown(
        one.contact, one.number, one.municipality, one.queue, one.topic, one.agents, one.started_at, one.seconds,
        one.pauses, one.keep_until, list(one.refs),
    )  # fmt: skip
