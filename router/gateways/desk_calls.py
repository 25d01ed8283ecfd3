"""What an agent does with a call beyond talking: consult, transfer, talk together, put it through, go on with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from router.engine import commands
from router.gateways import desk_bodies as bodies
from router.gateways.callbacks import CallbackRequests
from router.gateways.follow_ups import FollowUpRequests
from router.gateways.routes import Rooms
from router.projections.contacts import Entry
from router.sockets import Event
from router.telephone_numbers import dialable
from router.web import InvalidField, Principal

WINDOW_DAYS = 10
"""So many days on which it is open an agent may choose from."""


class DeskCalls:
    """Events of `/desk` that concern telephone calls. `who` asks, and `in_hand` gives a contact in their hands too."""

    def __init__(
        self,
        rooms: Rooms,
        promises: FollowUpRequests,
        who: Callable[[str], Principal],
        in_hand: Callable[[str, str], tuple[Principal, Entry]],
    ) -> None:
        self._rooms, self._promises, self._who, self._in_hand = rooms, promises, who, in_hand
        self._callbacks = CallbackRequests(rooms, promises)
        self.events = {
            "consult": Event(bodies.Ask, self._consult),
            "cancel_consult": Event(bodies.OfContact, partial(self._ask, commands.CancelConsult)),
            "transfer": Event(bodies.OfContact, partial(self._ask, commands.CompleteTransfer)),
            "conference": Event(bodies.OfContact, partial(self._ask, commands.StartConference)),
            "dial": Event(bodies.OfContact, self._dial),
            "plan_callback": Event(bodies.CallLater, self._plan),
            "windows": Event(bodies.OfContact, self._windows),
            "call_now": Event(bodies.OfPromise, self._call_now),
            "pass_outside": Event(bodies.PutThrough, self._pass_outside),
            "cancel_outside": Event(bodies.OfContact, partial(self._ask, commands.CancelOutside)),
            "pause_recording": Event(bodies.OfContact, partial(self._ask, commands.PauseRecording)),
            "resume_recording": Event(bodies.OfContact, partial(self._ask, commands.ResumeRecording)),
            "drop_recording": Event(bodies.OfContact, partial(self._ask, commands.DropRecording)),
            "rejoin": Event(bodies.OfContact, partial(self._ask, commands.RejoinCall)),
        }

    async def _consult(self, sid: str, body: bodies.Ask) -> dict[str, Any]:
        principal, entry = self._in_hand(sid, body.contact)
        self._promises.check_owner(entry.municipality, body.agent, "")
        outcome = await self._rooms.submit(commands.Consult(entry.id, principal.agent, body.agent))
        return {"offer": outcome.answer}

    async def _dial(self, sid: str, body: bodies.OfContact) -> dict[str, Any]:
        principal, entry = self._in_hand(sid, body.contact)
        outcome = await self._rooms.submit(commands.DialCitizen(entry.id, principal.agent))
        return {"number": outcome.answer}

    async def _plan(self, sid: str, body: bodies.CallLater) -> dict[str, Any]:
        principal, entry = self._in_hand(sid, body.contact)
        return {"contact": await self._callbacks.promise(principal, entry, body)}

    async def _windows(self, sid: str, body: bodies.OfContact) -> dict[str, Any]:
        _, entry = self._in_hand(sid, body.contact)
        found = self._rooms.views.openings.windows(entry.municipality, self._rooms.now(), WINDOW_DAYS)
        shown = [{"part": one.part, "call_from": one.call_from, "call_until": one.call_until} for one in found]
        return {"windows": shown}

    async def _call_now(self, sid: str, body: bodies.OfPromise) -> dict[str, Any]:
        principal = self._who(sid)
        promise = self._promises.seen(principal, body.follow_up)
        outcome = await self._rooms.submit(commands.CallNow(promise.follow_up, principal.agent))
        return {"contact": outcome.answer}

    async def _pass_outside(self, sid: str, body: bodies.PutThrough) -> None:
        principal, entry = self._in_hand(sid, body.contact)
        number_ref = ""
        if body.number:
            number = dialable(body.number, self._rooms.views.centre.outside_prefixes)
            if not number:
                raise InvalidField("Calls are not put through to this number", "number")
            number_ref = await self._rooms.keep(entry.id, number)
        await self._rooms.submit(
            commands.PassOutside(entry.id, principal.agent, body.destination, number_ref, body.consult)
        )

    async def _ask(
        self,
        command: Callable[[str, str], commands.Command],
        sid: str,
        body: bodies.OfContact,
    ) -> None:
        principal, entry = self._in_hand(sid, body.contact)
        await self._rooms.submit(command(entry.id, principal.agent))
