"""Promises to citizens as staff see them: list (audited), assign, complete; used by REST and by the desk."""

from __future__ import annotations

import msgspec
from aiohttp import web

from router.engine.commands import AssignFollowUp, CompleteFollowUp
from router.errors import Erased, NotAllowed, UnknownThing
from router.gateways.routes import MaybeId, Note, Query, Rooms, Route, actor
from router.nouns import Agent
from router.projections.board import has
from router.projections.follow_ups import Promise
from router.web import STAFF, InvalidField, Principal, json_answer, read_body, require

LISTED_MAX = 200


VOICEMAIL = "voicemail"


class FollowUp(msgspec.Struct, frozen=True):
    """A promise, with what was promised and to whom."""

    follow_up: str
    contact: str
    due_at: int
    state: str
    """open, overdue, kept"""
    text: str
    by: str
    owner_agent: str
    owner_queue: str
    municipality: str
    made_at: int
    name: str
    phone: str
    reason: str = ""
    """cut_off: the centre owes a call back, and there is no text; voicemail: see `recording`; else ""."""
    callback: bool = False
    """It is to call the citizen back."""
    call_at: int = 0
    """When that comes; 0 = it has, or will not by itself."""
    tries: int = 0
    """How often the citizen was not reached."""
    recording: str = ""
    """Reference of the document that holds a spoken message."""


class FollowUpList(msgspec.Struct, frozen=True):
    """The promises this person may see, most urgent first."""

    follow_ups: list[FollowUp]


class Complete(msgspec.Struct, frozen=True):
    """How it was kept."""

    note: Note = ""


class Assign(msgspec.Struct, frozen=True):
    """To whom: an agent or a queue."""

    agent: MaybeId = ""
    queue: MaybeId = ""


class Done(msgspec.Struct, frozen=True):
    """The promise this was about."""

    follow_up: str


class FollowUpRequests:
    """The promises' part of the table of routes, and the same for the desk."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def routes(self) -> list[Route]:
        one = "/api/v1/follow-ups/{id}"
        state = (Query("state", "Only open ones are listed.", ("open",)),)
        return [
            Route("GET", "/api/v1/follow-ups", "listFollowUps", "Open promises", self._list, STAFF,
                  answer=FollowUpList, query=state, tag="follow-ups"),
            Route("POST", one + "/complete", "completeFollowUp", "The promise is kept", self._complete, STAFF,
                  body=Complete, answer=Done, refuses=(409,), tag="follow-ups"),
            Route("POST", one + "/assign", "assignFollowUp", "Give it to another", self._assign, STAFF,
                  body=Assign, answer=Done, refuses=(409,), tag="follow-ups"),
        ]  # fmt: skip

    async def _list(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF)
        if request.query.get("state", "open") != "open":
            raise InvalidField("Only open ones are listed", "state")
        return json_answer(FollowUpList(await self.list(principal, mine=False)))

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF)
        promise = self.seen(principal, request.match_info["id"])
        await self.complete(principal, promise.follow_up, (await read_body(request, Complete)).note)
        return json_answer(Done(promise.follow_up))

    async def _assign(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF)
        promise = self.seen(principal, request.match_info["id"])
        body = await read_body(request, Assign)
        await self.assign(principal, promise.follow_up, body.agent, body.queue)
        return json_answer(Done(promise.follow_up))

    # -- who may see what -------------------------------------------------------------------------------------

    def may_see(self, principal: Principal, promise: Promise) -> bool:
        """Supervisors see all; an agent their own, and those of a queue and municipality they have the skills for."""
        if principal.role == "supervisor":
            return True
        if promise.owner_agent:
            return promise.owner_agent == principal.agent
        centre = self._rooms.views.centre
        agent, municipality = centre.agent(principal.agent), centre.municipality(promise.municipality)
        if agent is None or municipality is None or not has(agent, municipality.needs):
            return False
        return self._serves(agent, promise.owner_queue)

    def _serves(self, agent: Agent, queue: str) -> bool:
        return any(topic.queue == queue and has(agent, topic.needs) for topic in self._rooms.views.centre.topics)

    def seen(self, principal: Principal, id: str) -> Promise:
        """Raises UnknownThing; also for one this person may not see."""
        promise = self._rooms.views.follow_ups.get(id)
        if promise is None or not self.may_see(principal, promise):
            raise UnknownThing("There is no such follow-up")
        return promise

    # -- what both REST and the desk do -----------------------------------------------------------------------

    async def list(self, principal: Principal, *, mine: bool) -> list[FollowUp]:
        """The open promises, soonest first; every text and name is read with an audit record."""
        fitting = [
            promise
            for promise in self._rooms.views.follow_ups.open.values()
            if self.may_see(principal, promise) and (not mine or promise.owner_agent == principal.agent != "")
        ]
        fitting.sort(key=lambda promise: (promise.due_at, promise.follow_up))
        return [await self.read(principal, promise) for promise in fitting[:LISTED_MAX]]

    async def read(self, principal: Principal, promise: Promise) -> FollowUp:
        """One promise with its text and the citizen's name; empty where that has been erased."""
        text = name = phone = ""
        ref = "" if promise.reason == VOICEMAIL else promise.text_ref
        if promise.neighbour and not ref:
            neighbour = self._rooms.views.centre.neighbour(promise.neighbour)
            text = f"→ {neighbour.title.get('nl', neighbour.id) if neighbour else promise.neighbour}"
        try:
            citizen, item = await self._rooms.vault.read_contact(
                promise.contact, promise.citizen, ref, who=principal.id, purpose="follow_up"
            )
        except Erased:
            text = ""
        else:
            text = item.content.decode(errors="replace") if item else text
            name, phone = (citizen.name, citizen.phone) if citizen else ("", "")
        return FollowUp(
            promise.follow_up, promise.contact, promise.due_at, promise.state, text, promise.by, promise.owner_agent,
            promise.owner_queue, promise.municipality, promise.made_at, name, phone,
            promise.reason, promise.callback, promise.call_at, promise.tries,
            promise.text_ref if promise.reason == VOICEMAIL else "",
        )  # fmt: skip

    async def complete(self, principal: Principal, id: str, note: str) -> None:
        promise = self.seen(principal, id)
        note_ref = await self._rooms.keep(promise.contact, note)
        await self._rooms.submit(CompleteFollowUp(follow_up=id, by=actor(principal), note_ref=note_ref))

    async def assign(self, principal: Principal, id: str, agent: str, queue: str) -> None:
        promise = self.seen(principal, id)
        self.check_owner(promise.municipality, agent, queue)
        await self._rooms.submit(
            AssignFollowUp(follow_up=promise.follow_up, by=actor(principal), owner_agent=agent, owner_queue=queue)
        )

    def check_owner(self, municipality: str, agent: str, queue: str) -> None:
        """Exactly one owner, who exists and may work for the municipality. Raises InvalidField, NotAllowed."""
        centre = self._rooms.views.centre
        if bool(agent) == bool(queue):
            raise InvalidField("Name either an agent or a queue", "agent")
        if queue and centre.queue(queue) is None:
            raise InvalidField("There is no such queue", "queue")
        known = centre.agent(agent) if agent else None
        if agent and known is None:
            raise InvalidField("There is no such agent", "agent")
        of = centre.municipality(municipality)
        if known is not None and of is not None and not has(known, of.needs):
            raise NotAllowed("This agent does not work for that municipality")
