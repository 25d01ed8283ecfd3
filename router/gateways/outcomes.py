"""REST: what became of questions and of transfers, what citizens answered, and the estimates: to see, to switch off."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web

from router.engine.commands import AnswerCitizen, SwitchEstimates
from router.errors import Erased, UnknownThing
from router.gateways.contacts import posted_by
from router.gateways.routes import MaybeId, Query, Rooms, Route, Why, actor
from router.projections import shapes
from router.projections.estimates import EstimateList
from router.projections.outcomes import DAYS_MAX
from router.web import STAFF, InvalidField, json_answer, read_body, require

DAYS_SHOWN = 30
KEPT_AS = "estimates"
"""Under this name the vault keeps why estimates were switched; it is no contact, and is never swept."""


class CitizenAnswer(msgspec.Struct, frozen=True):
    """The answer to "is uw vraag beantwoord?", and a mark from 1 to 10."""

    answered: bool
    mark: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    """0 = none given."""


class Switch(msgspec.Struct, frozen=True):
    """Which estimates, on or off, and why. Neither topic nor agent: all of them."""

    on: bool
    why: Why
    topic: MaybeId = ""
    agent: MaybeId = ""


class OutcomeRequests:
    """The outcomes' part of the table of routes."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def routes(self) -> list[Route]:
        days = (Query("days", f"Over so many days, today included: 1 to {DAYS_MAX}, {DAYS_SHOWN} when left out."),)
        return [
            Route("GET", "/api/v1/outcomes", "getOutcomes", "First contact resolution by three measures",
                  self.report, (*STAFF, "board"), answer=shapes.OutcomeReport, query=days, tag="outcomes"),
            Route("GET", "/api/v1/transfers", "getTransfers", "What became of calls that were transferred",
                  self.transfers, (*STAFF, "board"), answer=shapes.TransferReport, query=days, tag="outcomes"),
            Route("POST", "/api/v1/contacts/{id}/answer", "answerCitizen", "What the citizen answered",
                  self.answer, ("supervisor", "integrator"), body=CitizenAnswer, answer=shapes.Contact,
                  refuses=(409,), tag="outcomes"),
            Route("GET", "/api/v1/estimates", "getEstimates",
                  "What the matcher expects of whom; an agent sees their own", self.estimates, STAFF,
                  answer=EstimateList, tag="outcomes"),
            Route("POST", "/api/v1/estimates/switch", "switchEstimates", "Switch estimates off or on",
                  self.switch, ("supervisor",), body=Switch, answer=EstimateList, refuses=(404, 409), tag="outcomes"),
        ]  # fmt: skip

    async def report(self, request: web.Request) -> web.StreamResponse:
        return json_answer(self._rooms.views.outcomes.report(self._rooms.now(), _days(request)))

    async def transfers(self, request: web.Request) -> web.StreamResponse:
        return json_answer(self._rooms.views.transfers.report(self._rooms.now(), _days(request)))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, "supervisor", "integrator")
        entry = self._rooms.views.contacts.get(request.match_info["id"])
        if entry is None or (principal.role == "integrator" and not posted_by(entry, principal.id)):
            raise UnknownThing("There is no such contact")
        body = await read_body(request, CitizenAnswer)
        await self._rooms.submit(AnswerCitizen(entry.id, body.answered, body.mark))
        return json_answer(self._rooms.entry(entry.id).view())

    async def estimates(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, *STAFF)
        own = "" if principal.role == "supervisor" else principal.agent
        return json_answer(await self._list(principal.id, own))

    async def switch(self, request: web.Request) -> web.StreamResponse:
        principal = require(request, "supervisor")
        body = await read_body(request, Switch)
        why_ref = await self._rooms.keep(KEPT_AS, body.why)
        await self._rooms.submit(SwitchEstimates(body.on, actor(principal), why_ref, body.topic, body.agent))
        return json_answer(await self._list(principal.id, ""))

    async def _list(self, who: str, agent: str) -> EstimateList:
        shown = self._rooms.views.estimates
        whys: dict[str, str] = {}
        for switch in shown.off.values():
            if not agent:
                try:
                    item = await self._rooms.vault.read(switch.why_ref, who=who, purpose="estimates")
                except (Erased, UnknownThing):
                    continue
                whys[switch.why_ref] = item.content.decode(errors="replace")
        return shown.view(whys, agent)


def _days(request: web.Request) -> int:
    text = request.query.get("days", str(DAYS_SHOWN))
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 1 <= days <= DAYS_MAX:
        raise InvalidField(f"A number of days from 1 to {DAYS_MAX}", "days")
    return days
