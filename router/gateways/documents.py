"""REST: the bytes of a document that came with a contact, to who has the contact in hand; audited first."""

from __future__ import annotations

import mimetypes

import structlog
from aiohttp import web

from router.errors import UnknownThing
from router.gateways.follow_ups import VOICEMAIL, FollowUpRequests
from router.gateways.recordings import RecordingRequests
from router.gateways.routes import Rooms, Route
from router.projections.follow_ups import Promise
from router.web import STAFF, Principal, require

INLINE = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp"})
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox; frame-ancestors 'self'"

log = structlog.get_logger()


class DocumentRequests:
    """The documents' part of the table of routes."""

    def __init__(self, rooms: Rooms, follow_ups: FollowUpRequests, recordings: RecordingRequests) -> None:
        self._rooms, self._follow_ups, self._recordings = rooms, follow_ups, recordings

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/api/v1/documents/{ref}", "getDocument", "The bytes of a document", self.get, STAFF,
                  refuses=(410,), media="application/octet-stream", tag="documents"),
        ]  # fmt: skip

    async def get(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF)
        ref = request.match_info["ref"]
        recording = self._rooms.views.recordings.of_ref(ref)
        if recording is not None:
            allowed = self._recordings.may_listen(principal, recording.municipality)
        else:
            allowed = self.may_read(principal, (await self._rooms.vault.read_unattended(ref)).contact)
        if not allowed:
            raise UnknownThing("There is no such document")
        purpose = "document" if recording is None else "recording"
        item = await self._rooms.vault.read(ref, who=principal.id, purpose=purpose)
        media, _, parameters = item.type.partition(";")
        media = media.strip().lower()
        inline = media in INLINE
        kind = "inline" if inline else "attachment"
        extension = mimetypes.guess_extension(media) or ".bin"
        headers = {
            "Content-Disposition": f'{kind}; filename="document{extension}"',
            "Content-Security-Policy": SANDBOX,
            "Content-Type": media if inline else _harmless(media, parameters),
            "Cache-Control": "no-store",
        }
        return web.Response(body=item.content, headers=headers)

    def may_read(self, principal: Principal, contact: str) -> bool:
        """A supervisor; who has the contact in hand or offered; or whose promise it is."""
        if principal.role == "supervisor":
            return True
        entry = self._rooms.views.contacts.get(contact)
        if not principal.agent:
            return False
        if entry is not None and entry.state != "ended" and entry.with_agent(principal.agent):
            return True
        promises = self._rooms.views.follow_ups.of_contact(contact)
        return any(
            p.state != "kept" and (p.owner_agent == principal.agent or self._spoken_to(principal, p)) for p in promises
        )

    def _spoken_to(self, principal: Principal, promise: Promise) -> bool:
        """A message on the voicemail is for everybody who may take it up."""
        return promise.reason == VOICEMAIL and self._follow_ups.may_see(principal, promise)


def _harmless(media: str, parameters: str) -> str:
    """A type no browser runs: what is not shown inline is only ever saved."""
    if media.startswith(("text/html", "image/svg", "application/xhtml", "text/xml", "application/xml")):
        return "application/octet-stream"
    return f"{media};{parameters}" if parameters else media or "application/octet-stream"
