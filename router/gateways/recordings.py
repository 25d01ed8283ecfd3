"""REST: the recordings of conversations, for whoever may listen to them; each is heard as a document, audited first."""

from __future__ import annotations

import msgspec
from aiohttp import web

from router.gateways.routes import Query, Rooms, Route
from router.projections.recordings import Recording
from router.web import STAFF, Principal, json_answer, require

LISTED_MAX = 200


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
        query = (Query("contact", "Only of this contact."),)
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
        recorded = {m.id for m in self._rooms.views.centre.municipalities if m.recording.queues}
        kept = (one.municipality for one in self._rooms.views.recordings)
        return any(self.may_listen(principal, municipality) for municipality in {*recorded, *kept})

    async def _list(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF)
        contact, now = request.query.get("contact", ""), self._rooms.now()
        found = [
            one
            for one in self._rooms.views.recordings
            if one.keep_until > now
            and (not contact or one.contact == contact)
            and self.may_listen(principal, one.municipality)
        ]
        found.sort(key=lambda one: (one.started_at, one.contact), reverse=True)
        return json_answer(RecordingList([_shown(one) for one in found[:LISTED_MAX]]))


def _shown(one: Recording) -> RecordingShown:
    return RecordingShown(
        one.contact, one.number, one.municipality, one.queue, one.topic, one.agents, one.started_at, one.seconds,
        one.pauses, one.keep_until, list(one.refs),
    )  # fmt: skip
