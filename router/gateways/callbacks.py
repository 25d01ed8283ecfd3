"""Promises to call citizens back at a moment they choose: over REST, and from the desk."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from aiohttp import web

from router.engine.commands import PlanCallback
from router.gateways.accounts import is_key
from router.gateways.desk_bodies import CallLater
from router.gateways.follow_ups import FollowUpRequests
from router.gateways.routes import Id, MaybeId, Note, Rooms, Route, actor
from router.port import new_id
from router.projections.contacts import Entry
from router.telephone_numbers import dialable
from router.vault.interface import CARD_TYPE, Card, card_bytes
from router.web import STAFF, InvalidField, Principal, json_answer, read_body, require

CLOCK_MS = 60_000
"""How much the clock of whoever asks may be behind."""
DAY_MS = 86_400_000
AHEAD_DAYS_MAX = 366


class NewCallback(msgspec.Struct, frozen=True):
    """Whom to call back, about what, and when."""

    municipality: Id
    phone: Annotated[str, msgspec.Meta(min_length=3, max_length=60)]
    topic: Id
    call_from: int = 0
    """UTC ms; 0 = as soon as possible."""
    call_until: int = 0
    """UTC ms; 0 = within the norm."""
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    language: Literal["nl", "en"] = "nl"
    text: Note = ""
    agent: MaybeId = ""
    """Who calls, if they are there; empty = whoever of the topic's queue."""


class Promised(msgspec.Struct, frozen=True):
    """The contact that will call, or does; the one of an earlier promise where the citizen had one about this topic."""

    contact: str
    new: bool


class CallbackRequests:
    """The callbacks' part of the table of routes, and the same for the desk."""

    def __init__(self, rooms: Rooms, promises: FollowUpRequests) -> None:
        self._rooms, self._promises = rooms, promises

    def routes(self) -> list[Route]:
        key = {"Idempotency-Key": "8 to 128 printable ASCII characters; the same key again is the same promise."}
        return [
            Route("POST", "/api/v1/callbacks", "postCallback", "Promise to call a citizen back", self._post,
                  (*STAFF, "integrator"), body=NewCallback, answer=Promised, status=201, also=(200,),
                  refuses=(409,), headers=key, tag="follow-ups"),
        ]  # fmt: skip

    async def _post(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF, "integrator")
        key = request.headers.get("Idempotency-Key", "")
        if not is_key(key):
            raise InvalidField("Send an Idempotency-Key of 8 to 128 printable ASCII characters", "Idempotency-Key")
        body = await read_body(request, NewCallback)
        self._check(body)
        phone, contact = self._dialable(body.phone), new_id("c")
        self._check_window(body.call_from, body.call_until)
        vault = self._rooms.vault
        card = Card(name=body.name.strip(), phone=phone, text=body.text)
        content_ref = await vault.store(contact, CARD_TYPE, card_bytes(card))
        citizen = await vault.recognise(body.municipality, contact, name=card.name, phone=phone)
        outcome = await self._rooms.submit(
            PlanCallback(
                follow_up=new_id("f"),
                callback=contact,
                source_key=f"rest:{principal.id}:{key}",
                by=actor(principal),
                municipality=body.municipality,
                citizen=citizen,
                call_from=body.call_from,
                due_at=body.call_until,
                language=body.language,
                hints=(f"topic:{body.topic}",),
                text_ref=await self._rooms.keep(contact, body.text),
                content_ref=content_ref,
                owner_agent=body.agent,
            )
        )
        return json_answer(Promised(str(outcome.answer), outcome.news), 201 if outcome.news else 200)

    def _check(self, body: NewCallback) -> None:
        """Raises InvalidField, NotAllowed."""
        centre = self._rooms.views.centre
        if centre.municipality(body.municipality) is None:
            raise InvalidField("There is no such municipality", "municipality")
        if centre.topic(body.topic) is None:
            raise InvalidField("There is no such topic", "topic")
        if body.agent:
            self._promises.check_owner(body.municipality, body.agent, "")

    def _dialable(self, given: str) -> str:
        voice = self._rooms.settings.voice
        number = dialable(given, voice.dial_prefixes if voice else ("+31",))
        if not number:
            raise InvalidField("This is not a number that can be called back", "phone")
        return number

    def _check_window(self, call_from: int, call_until: int) -> None:
        now = self._rooms.now()
        if call_from and not now - CLOCK_MS <= call_from <= now + AHEAD_DAYS_MAX * DAY_MS:
            raise InvalidField("The moment lies in the past, or more than a year ahead", "call_from")
        if call_until and call_until <= max(now, call_from):
            raise InvalidField("It must end later than it begins, and than now", "call_until")

    async def promise(self, principal: Principal, entry: Entry, body: CallLater) -> str:
        """From the desk, about a contact in hand; gives the contact that will call."""
        self._check_window(body.call_from, body.call_until)
        if body.agent:
            self._promises.check_owner(entry.municipality, body.agent, "")
        number_ref = await self._rooms.keep(entry.id, self._dialable(body.phone)) if body.phone.strip() else ""
        outcome = await self._rooms.submit(
            PlanCallback(
                follow_up=new_id("f"),
                callback=new_id("c"),
                source_key=f"desk:{entry.id}:{body.request}",
                by=principal.agent,
                municipality=entry.municipality,
                citizen=entry.citizen,
                call_from=body.call_from,
                due_at=body.call_until,
                language=entry.language,
                hints=(f"topic:{entry.topic}",),
                text_ref=await self._rooms.keep(entry.id, body.text),
                number_ref=number_ref,
                linked_to=entry.id,
                owner_agent=body.agent,
            )
        )
        return str(outcome.answer)
