"""REST: post a contact, follow it, see why it went where it went, move it, close it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from aiohttp import web

from router.engine.commands import CloseContact, MoveContact, SetPriority
from router.errors import Unavailable, UnknownThing
from router.gateways.accounts import is_key
from router.gateways.routes import Id, MaybeId, Priority, Query, Register, Rooms, Route, Why, actor
from router.nouns import CHANNELS
from router.projections import shapes
from router.projections.contacts import Entry
from router.web import STAFF, InvalidField, Principal, json_answer, read_body, read_json, require, shaped

LISTED_MAX = 500
STATES = ("intake", "waiting", "offered", "active", "wrap_up", "ended")


class NewCitizen(msgspec.Struct, frozen=True):
    """Who it is about, as far as known."""

    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=60)] = ""
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""


class NewContact(msgspec.Struct, frozen=True):
    """A contact to take in. One of topic, subject and text is required."""

    municipality: Id
    channel: Literal["counter", "email", "post", "callback"] = "counter"
    topic: MaybeId = ""
    further: Annotated[tuple[Id, ...], msgspec.Meta(max_length=8)] = ()
    """Topics of further questions."""
    language: Literal["nl", "en"] = "nl"
    subject: Annotated[str, msgspec.Meta(max_length=300)] = ""
    text: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    citizen: NewCitizen = NewCitizen()
    continues: MaybeId = ""
    """An earlier contact that this one continues."""


class Move(msgspec.Struct, frozen=True):
    """To which queue, and why."""

    queue: Id
    why: Why


class Prioritise(msgspec.Struct, frozen=True):
    """Which priority, and why."""

    priority: Priority
    why: Why


class Close(msgspec.Struct, frozen=True):
    """Why it is closed."""

    why: Why


class ContactList(msgspec.Struct, frozen=True):
    """At most 500 contacts, oldest first."""

    contacts: list[shapes.Contact]


class Decisions(msgspec.Struct, frozen=True):
    """Why the contact was offered to whom, oldest first; and why it waits now."""

    decisions: list[shapes.Decision]
    waiting: shapes.Decision | None


class ContactRequests:
    """The contacts' part of the table of routes."""

    def __init__(self, rooms: Rooms, register: Register) -> None:
        self._rooms, self._register = rooms, register

    def routes(self) -> list[Route]:
        one = "/api/v1/contacts/{id}"
        staff_and_programs = (*STAFF, "integrator")
        listing = (
            Query("state", "Only in this state.", STATES),
            Query("queue", "Only in this queue."),
            Query("channel", "Only of this channel.", CHANNELS),
        )
        key = {"Idempotency-Key": "8 to 128 printable ASCII characters; the same key again is the same contact."}
        return [
            Route("POST", "/api/v1/contacts", "postContact", "Take a contact in", self.post, staff_and_programs,
                  body=NewContact, answer=shapes.Contact, status=201, also=(200,), refuses=(409, 429), headers=key,
                  tag="contacts"),
            Route("GET", "/api/v1/contacts", "listContacts", "List contacts", self.list, ("supervisor",),
                  answer=ContactList, query=listing, tag="contacts"),
            Route("GET", one, "getContact", "One contact, without personal data", self.get, staff_and_programs,
                  answer=shapes.Contact, tag="contacts"),
            Route("GET", one + "/decisions", "getDecisions", "Why it went where it went", self.decisions, STAFF,
                  answer=Decisions, tag="contacts"),
            Route("POST", one + "/move", "moveContact", "Move it to another queue", self.move, ("supervisor",),
                  body=Move, answer=shapes.Contact, refuses=(409,), tag="contacts"),
            Route("POST", one + "/priority", "setPriority", "Give it a priority of its own, 1 (most urgent) to 9",
                  self.prioritise, ("supervisor",),
                  body=Prioritise, answer=shapes.Contact, refuses=(409,), tag="contacts"),
            Route("POST", one + "/close", "closeContact", "End it", self.close, ("supervisor",),
                  body=Close, answer=shapes.Contact, refuses=(409,), tag="contacts"),
        ]  # fmt: skip

    async def post(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF, "integrator")
        key = request.headers.get("Idempotency-Key", "")
        if not is_key(key):
            raise InvalidField("Send an Idempotency-Key of 8 to 128 printable ASCII characters", "Idempotency-Key")
        body = await read_json(request)
        new = shaped(body, NewContact)
        if not (new.topic or new.subject or new.text):
            raise InvalidField("One of topic, subject and text is required", "topic")
        self._check(principal, new)
        registered = await self._register(body, principal_id=principal.id, key=key)
        if not await self._rooms.views.reached(registered.number):
            raise Unavailable("It is recorded, but cannot be shown yet: ask again with the same key")
        entry = self._rooms.entry(registered.contact)
        answer = json_answer(entry.view(), 201 if registered.new else 200)
        answer.headers["Location"] = f"/api/v1/contacts/{entry.id}"
        return answer

    def _check(self, principal: Principal, new: NewContact) -> None:
        centre = self._rooms.views.centre
        if centre.municipality(new.municipality) is None:
            raise InvalidField("There is no such municipality", "municipality")
        for name, topics in (("topic", (new.topic,)), ("further", new.further)):
            if any(topic and centre.topic(topic) is None for topic in topics):
                raise InvalidField("There is no such topic", name)
        if not new.continues:
            return
        earlier = self._rooms.views.contacts.get(new.continues)
        if earlier is None or earlier.municipality != new.municipality or not self._may_see(principal, earlier):
            raise InvalidField("There is no such contact in this municipality", "continues")

    def _may_see(self, principal: Principal, entry: Entry) -> bool:
        return principal.role in STAFF or posted_by(entry, principal.id)

    def _seen(self, request: web.Request) -> Entry:
        principal = require(request, *STAFF, "integrator")
        entry = self._rooms.views.contacts.get(request.match_info["id"])
        if entry is None or not self._may_see(principal, entry):
            raise UnknownThing("There is no such contact")
        return entry

    async def get(self, request: web.Request) -> web.StreamResponse:
        return json_answer(self._seen(request).view())

    async def list(self, request: web.Request) -> web.StreamResponse:
        require(request, "supervisor")
        state, queue, channel = (request.query.get(name, "") for name in ("state", "queue", "channel"))
        if state and state not in STATES:
            raise InvalidField("There is no such state", "state")
        if channel and channel not in CHANNELS:
            raise InvalidField("There is no such channel", "channel")
        return json_answer(ContactList([e.view() for e in chosen(self._rooms, state, queue, channel)]))

    async def decisions(self, request: web.Request) -> web.StreamResponse:
        require(request, *STAFF)
        entry = self._seen(request)
        made = [shapes.decision(one) for one in await self._rooms.port.decisions(entry.id)]
        waiting = shapes.decision(await self._rooms.port.explain(entry.id)) if entry.state == "waiting" else None
        return json_answer(Decisions(made, waiting))

    async def move(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, "supervisor")
        entry = self._seen(request)
        body = await read_body(request, Move)
        return json_answer((await move(self._rooms, principal, entry.id, body.queue, body.why)).view())

    async def prioritise(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, "supervisor")
        entry = self._seen(request)
        body = await read_body(request, Prioritise)
        return json_answer((await prioritise(self._rooms, principal, entry.id, body.priority, body.why)).view())

    async def close(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, "supervisor")
        entry = self._seen(request)
        body = await read_body(request, Close)
        return json_answer((await close(self._rooms, principal, entry.id, body.why)).view())


async def move(rooms: Rooms, principal: Principal, contact: str, queue: str, why: str) -> Entry:
    """A supervisor moves a contact; gives how it stands then."""
    if rooms.views.centre.queue(queue) is None:
        raise InvalidField("There is no such queue", "queue")
    why_ref = await rooms.keep(rooms.entry(contact).id, why)
    await rooms.submit(MoveContact(contact=contact, queue=queue, by=actor(principal), why_ref=why_ref))
    return rooms.entry(contact)


async def prioritise(rooms: Rooms, principal: Principal, contact: str, priority: int, why: str) -> Entry:
    """A supervisor gives a waiting contact a priority of its own; gives how it stands then."""
    why_ref = await rooms.keep(rooms.entry(contact).id, why)
    await rooms.submit(SetPriority(contact=contact, priority=priority, by=actor(principal), why_ref=why_ref))
    return rooms.entry(contact)


async def close(rooms: Rooms, principal: Principal, contact: str, why: str) -> Entry:
    """A supervisor ends a contact; gives how it stands then."""
    why_ref = await rooms.keep(rooms.entry(contact).id, why)
    await rooms.submit(CloseContact(contact=contact, by=actor(principal), why_ref=why_ref))
    return rooms.entry(contact)


def chosen(rooms: Rooms, state: str, queue: str, channel: str) -> list[Entry]:
    """At most 500 contacts that fit, oldest first."""
    contacts = rooms.views.contacts
    source = contacts if state in {"", "ended"} else contacts.open.values()
    fitting = (
        entry
        for entry in source
        if (not state or entry.state == state)
        and (not queue or entry.queue == queue)
        and (not channel or entry.channel == channel)
    )
    return sorted(fitting, key=lambda entry: (entry.received_at, entry.id))[:LISTED_MAX]


def posted_by(entry: Entry, principal_id: str) -> bool:
    """Whether this program sent the contact, posted or as a CloudEvent: its source key names the program."""
    return entry.source_key.startswith((f"rest:{principal_id}:", f"ce:{principal_id}:"))
