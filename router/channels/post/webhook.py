"""`POST /api/v1/events`: a scanned letter as a CloudEvent, in structured or binary mode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from router.channels.post.adapter import PostChannel
from router.channels.post.codec import PDF_TYPE, STRUCTURED_TYPE, EventData, ScannedEvent, read_event
from router.web import Handler, InvalidField, json_answer, read_bytes, require

EVENT_BYTES_MAX = 16 * 1024 * 1024
EVENT_BODIES: Mapping[str, type[Any] | None] = {
    STRUCTURED_TYPE: ScannedEvent,
    "application/json": EventData,
    PDF_TYPE: None,
}
"""Media type -> what is sent in it; in the last two the attributes are in headers `ce-…`."""

Describe = Callable[[str, int], Awaitable[dict[str, Any]]]
"""(contact, fact number) -> the contact as REST shows it (protocol 3.2), by a view that has reached the number."""


def events_handler(post: PostChannel, describe: Describe) -> Handler:
    """201 and the contact; 200 when the same event came before. The answer comes when it is on disk."""

    async def take_event(request: web.Request) -> web.StreamResponse:
        sender = require(request, "integrator")
        body = await read_bytes(request, EVENT_BYTES_MAX)
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = read_event(request.content_type, headers, body)
        try:
            registered = await post.take(event.letter, event.document, event.key(sender.id))
        except InvalidField as refused:
            raise InvalidField(refused.message, event.path + refused.field) from None
        return json_answer(await describe(registered.contact, registered.number), 201 if registered.new else 200)

    return take_event
