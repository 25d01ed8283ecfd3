"""The agents' screen over Socket.IO: what is offered and in hand, and everything an agent does with it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web

from router.engine import commands, facts
from router.errors import Fault, NotAllowed, UnknownThing, WrongState
from router.gateways import desk_bodies as bodies
from router.gateways.desk_calls import DeskCalls
from router.gateways.desk_state import DeskState
from router.gateways.follow_ups import FollowUpRequests
from router.gateways.leases import Leases, Sleep
from router.gateways.looks import Looks
from router.gateways.routes import Rooms
from router.gateways.softphone import credentials
from router.gateways.staff import StaffNamespace, check_reason
from router.port import Numbered
from router.projections import shapes
from router.projections.contacts import IN_HAND, Entry
from router.sockets import Event
from router.web import STAFF, InvalidField, Origins, Principal, where

QUEUES_EVERY_SECONDS = 2.0
RETRY_SECONDS = 2.0
NEWS_MAX = 1_000
PROMISE_MS_MAX = 366 * 24 * 3_600_000
WRITTEN = {"chat": False, "email": True}
"""Channels an agent can write to -> whether the channel is told to send it out."""

log = structlog.get_logger()
Typing = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Screens:
    """All screens of one agent, and what they have not been told yet."""

    principal: Principal
    sids: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    changed: bool = True
    shown: set[str] = field(default_factory=set)
    """The contacts that were told last: what becomes of them is told, also when they are no longer this agent's."""
    news: deque[tuple[str, int, str]] = field(default_factory=lambda: deque(maxlen=NEWS_MAX))
    """(contact, message number, status); an empty status is a new message."""
    task: asyncio.Task[None] | None = None


class DeskNamespace(StaffNamespace):
    """`/desk`. `typing` is told when an agent types in a contact; `citizen_typing` is told by the chat channel."""

    roles = STAFF

    def __init__(
        self,
        rooms: Rooms,
        origins: Origins,
        *,
        typing: Typing | None = None,
        sleep: Sleep = asyncio.sleep,
        queues_every_seconds: float = QUEUES_EVERY_SECONDS,
    ) -> None:
        super().__init__("/desk", rooms, origins)
        self._typing, self._queues_every = typing, queues_every_seconds
        self._promises = FollowUpRequests(rooms)
        self._looks = Looks(rooms, self._promises)
        self._state = DeskState(rooms, self._looks)
        self._screens: dict[str, Screens] = {}
        self._shown_to: dict[str, set[str]] = {}
        """Contact -> the agents who were told of it last; as `Screens.shown`, the other way round."""
        self.leases = Leases(rooms.port.submit, lambda agent: rooms.views.people.get(agent).lost, sleep)
        self._queues_timer: asyncio.TimerHandle | None = None
        self._waiting_told: dict[str, int] = {}
        self._unlisten: Callable[[], None] | None = None
        self._key = secrets.token_bytes(32)
        self.events = {
            "presence": Event(bodies.SetMyPresence, self._presence),
            "softphone": Event(bodies.Nothing, self._softphone),
            "after_work_done": Event(bodies.Nothing, self._after_work_done),
            "accept": Event(bodies.OfOffer, self._accept),
            "decline": Event(bodies.OfOffer, self._decline),
            "open": Event(bodies.OfContact, self._open),
            "reply": Event(bodies.Write, self._reply),
            "note": Event(bodies.Write, self._note),
            "typing": Event(bodies.OfContact, self._agent_typing),
            "finish": Event(bodies.OfContact, self._finish),
            "extend_wrap_up": Event(bodies.OfContact, self._extend_wrap_up),
            "question": Event(bodies.AskAlso, self._question),
            "wrap_up": Event(bodies.WrapUp, self._wrap_up),
            "hand_over": Event(bodies.GiveAway, self._hand_over),
            "follow_up": Event(bodies.Promise, self._promise),
            "follow_ups": Event(bodies.ListPromises, self._list_promises),
            "follow_up_done": Event(bodies.PromiseDone, self._promise_done),
            "follow_up_assign": Event(bodies.PromiseAssign, self._promise_assign),
            "why": Event(bodies.OfContact, self._why),
            "earlier": Event(bodies.Earlier, self._earlier),
            "draft": Event(bodies.Draft, self._draft),
        }
        self.events |= DeskCalls(rooms, self._promises, self.who, self._in_hand).events

    async def start(self) -> None:
        """Listen to the views; the census of the desk follows after one lease."""
        self._unlisten = self.rooms.views.listen(self._heard)
        self.leases.start()
        self.start_sweeping()

    async def stop(self) -> None:
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        if self._queues_timer is not None:
            self._queues_timer.cancel()
        await self.leases.stop()
        await self.stop_sweeping()
        tasks = [screens.task for screens in self._screens.values() if screens.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- connections ------------------------------------------------------------------------------------------

    def check(self, principal: Principal) -> None:
        if not principal.agent or self.rooms.views.centre.agent(principal.agent) is None:
            raise NotAllowed("You are not an agent of this centre")

    async def connect(self, sid: str, request: web.Request, auth: dict[str, Any]) -> None:
        principal = self.admit(sid, request, auth)
        screens = self._screens.get(principal.agent)
        if screens is None:
            screens = self._screens[principal.agent] = Screens(principal)
            screens.task = asyncio.create_task(self._show(screens), name=f"desk of {principal.agent}")
        screens.sids.add(sid)
        self.leases.arrive(principal.agent)
        screens.changed = True
        screens.wake.set()

    async def gone(self, sid: str) -> None:
        guest = self.guests.pop(sid, None)
        if guest is None:
            return
        agent = guest.principal.agent
        screens = self._screens[agent]
        screens.sids.discard(sid)
        if not screens.sids:
            del self._screens[agent]
            self._shows(screens, [])
            if screens.task is not None:
                screens.task.cancel()
            self._looks.forget_agent(agent)
        self.leases.leave(agent)

    # -- telling screens --------------------------------------------------------------------------------------

    def _heard(self, batch: Sequence[Numbered]) -> None:
        """Called by the views after each batch: note who must be told what."""
        views = self.rooms.views
        queues = all_agents = False
        touched: set[str] = set()
        contacts: set[str] = set()
        for numbered in batch:
            fact = numbered.fact
            contact = getattr(fact, "contact", "")
            contacts.add(contact)
            entry = views.contacts.get(contact) if contact else None
            touched.add(getattr(fact, "agent", ""))
            if entry is not None:
                touched.add(entry.agent)
                touched.add(entry.offer.agent if entry.offer is not None else "")
                touched.update(entry.participants)
            touched.add(getattr(fact, "to_agent", ""))
            if contact:
                self._looks.forget(entry, contact)
            if entry is not None and isinstance(fact, facts.MessageAdded | facts.DeliveryNoted):
                status = fact.status if isinstance(fact, facts.DeliveryNoted) else ""
                self._tell_news(entry, fact.number, status)
            queues |= isinstance(fact, _MOVES_QUEUES)
            all_agents |= isinstance(fact, _TELLS_ALL)
        shown = (self._shown_to.get(contact, ()) for contact in contacts)
        for agent in self._screens if all_agents else touched.union(*shown):
            if agent in self._screens:
                self._mark(self._screens[agent])
        if queues and self._queues_timer is None and self._screens:
            self._queues_timer = asyncio.get_running_loop().call_later(self._queues_every, self._queues_changed)

    def _tell_news(self, entry: Entry, number: int, status: str) -> None:
        screens = self._screens.get(entry.agent) if entry.state in IN_HAND else None
        if screens is not None:
            screens.news.append((entry.id, number, status))
            screens.wake.set()

    def _queues_changed(self) -> None:
        self._queues_timer = None
        waiting = {queue: count for queue, count in self.rooms.views.contacts.waiting.items() if count}
        if waiting == self._waiting_told:
            return  # who came has been helped meanwhile: nobody need be told
        self._waiting_told = waiting
        pause = self._queues_every / max(1, len(self._screens))
        for place, screens in enumerate(self._screens.values()):  # one by one: together they would keep a call waiting
            asyncio.get_running_loop().call_later(place * pause, self._mark, screens)

    def _mark(self, screens: Screens) -> None:
        screens.changed = True
        screens.wake.set()

    async def _show(self, screens: Screens) -> None:
        """Keep one agent's screens up to date, one thing at a time."""
        while True:
            await screens.wake.wait()
            await self.rooms.views.courtesy.turn()
            screens.wake.clear()
            try:
                while screens.news:
                    await self._show_news(screens, *screens.news[0])
                    screens.news.popleft()
                if screens.changed:
                    screens.changed = False
                    contacts, agent = self.rooms.views.contacts, screens.principal.agent
                    self._shows(screens, [*contacts.offered_to(agent), *contacts.of_agent(agent)])
                    state, complete = await self._state.of(screens.principal)
                    self.send("state", state, screens.sids, slot="state")
                    if not complete:
                        asyncio.get_running_loop().call_later(RETRY_SECONDS, self._mark, screens)
            except Fault as fault:
                log.warning("desk not told", code=fault.code)
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._mark, screens)
            except Exception as error:  # noqa: BLE001 - the next change is shown all the same
                log.error("desk not told", error=type(error).__name__, where=where(error))
                screens.news.clear()

    def _shows(self, screens: Screens, entries: Sequence[Entry]) -> None:
        """These contacts, and no others, are told to the agent now."""
        agent, before, screens.shown = screens.principal.agent, screens.shown, {entry.id for entry in entries}
        for contact in screens.shown - before:
            self._shown_to.setdefault(contact, set()).add(agent)
        for contact in before - screens.shown:
            self._shown_to[contact].discard(agent)
            if not self._shown_to[contact]:
                del self._shown_to[contact]

    async def _show_news(self, screens: Screens, contact: str, number: int, status: str) -> None:
        entry = self.rooms.views.contacts.get(contact)
        if entry is None or not entry.with_agent(screens.principal.agent):
            return
        if status:
            self.send("delivery", {"contact": contact, "number": number, "status": status}, screens.sids)
            return
        for message in entry.messages:
            if message.number == number:
                await self._looks.glance(screens.principal, entry, "in_hand")
                shown = await self._looks.message(screens.principal, entry, message)
                self.send("message", shown, screens.sids)

    async def citizen_typing(self, contact: str) -> None:
        """The citizen is typing in this contact: told to its agent, never recorded."""
        entry = self.rooms.views.contacts.get(contact)
        screens = self._screens.get(entry.agent) if entry is not None and entry.state in IN_HAND else None
        if screens is not None:
            self.send("typing", {"contact": contact}, screens.sids, slot=f"typing {contact}")

    # -- what an agent may touch ------------------------------------------------------------------------------

    def _with_me(self, sid: str, contact: str) -> tuple[Principal, Entry]:
        """A contact in hand or offered. Raises UnknownThing for any other: what is not mine is not there for me."""
        principal, entry = self.who(sid), self.rooms.views.contacts.get(contact)
        if entry is None or entry.state == "ended" or not entry.with_agent(principal.agent):
            raise UnknownThing("There is no such contact on your desk")
        return principal, entry

    def _in_hand(self, sid: str, contact: str) -> tuple[Principal, Entry]:
        """A contact in hand. Raises UnknownThing, WrongState."""
        principal, entry = self._with_me(sid, contact)
        if entry.state not in IN_HAND:
            raise WrongState("Accept it first")
        return principal, entry

    # -- presence and offers ----------------------------------------------------------------------------------

    async def _presence(self, sid: str, body: bodies.SetMyPresence) -> None:
        check_reason(self.rooms, body.presence, body.reason)
        agent = self.who(sid).agent
        await self.rooms.submit(commands.SetPresence(agent, body.presence, body.reason))

    async def _after_work_done(self, sid: str, body: bodies.Nothing) -> None:
        await self.rooms.submit(commands.FinishAfterWork(self.who(sid).agent))

    async def _accept(self, sid: str, body: bodies.OfOffer) -> dict[str, Any]:
        entry = self.rooms.views.contacts.get(body.offer.rpartition("-")[0])
        if entry is not None and entry.channel == "phone":
            raise WrongState("Pick up the telephone: that accepts the call")
        await self.rooms.submit(commands.Accept(body.offer, self.who(sid).agent))
        return {"contact": body.offer.rpartition("-")[0]}

    async def _decline(self, sid: str, body: bodies.OfOffer) -> None:
        await self.rooms.submit(commands.Decline(body.offer, self.who(sid).agent, body.reason))

    async def _softphone(self, sid: str, body: bodies.Nothing) -> dict[str, Any]:
        return credentials(self.rooms, self.who(sid).agent)

    # -- looking ----------------------------------------------------------------------------------------------

    async def _open(self, sid: str, body: bodies.OfContact) -> dict[str, Any]:
        principal, entry = self._with_me(sid, body.contact)
        return {"detail": await self._looks.detail(principal, entry, "open")}

    async def _earlier(self, sid: str, body: bodies.Earlier) -> dict[str, Any]:
        principal, entry = self._with_me(sid, body.contact)
        return {"detail": await self._looks.earlier_detail(principal, entry, body.of)}

    async def _why(self, sid: str, body: bodies.OfContact) -> dict[str, Any]:
        _, entry = self._with_me(sid, body.contact)
        return {"decisions": [shapes.decision(one) for one in await self.rooms.port.decisions(entry.id)]}

    async def _draft(self, sid: str, body: bodies.Draft) -> None:
        principal, entry = self._in_hand(sid, body.contact)
        await self.rooms.vault.put_draft(entry.id, principal.agent, body.text)

    # -- writing ----------------------------------------------------------------------------------------------

    async def _reply(self, sid: str, body: bodies.Write) -> dict[str, Any]:
        _, entry = self._in_hand(sid, body.contact)
        if entry.channel not in WRITTEN:
            raise WrongState("This channel takes no written reply")
        return await self._write(sid, entry, body.message, body.text, "agent", deliver=WRITTEN[entry.channel])

    async def _note(self, sid: str, body: bodies.Write) -> dict[str, Any]:
        _, entry = self._in_hand(sid, body.contact)
        return await self._write(sid, entry, body.message, body.text, "note")

    async def _write(
        self, sid: str, entry: Entry, message: str, text: str, author: str, *, deliver: bool = False
    ) -> dict[str, Any]:
        known = next((one for one in entry.messages if one.message == message), None)
        if known is not None:
            return {"number": known.number}
        agent = self.who(sid).agent
        ref = await self.rooms.keep(entry.id, text)
        outcome = await self.rooms.submit(
            commands.AddMessage(entry.id, message, author, ref, by=agent, deliver=deliver)
        )
        return {"number": outcome.answer}

    async def _agent_typing(self, sid: str, body: bodies.OfContact) -> None:
        _, entry = self._in_hand(sid, body.contact)
        if self._typing is not None and entry.state == "active":
            await self._typing(entry.id)

    # -- finishing --------------------------------------------------------------------------------------------

    async def _finish(self, sid: str, body: bodies.OfContact) -> None:
        principal, entry = self._in_hand(sid, body.contact)
        await self.rooms.submit(commands.FinishConversation(entry.id, principal.agent))

    async def _extend_wrap_up(self, sid: str, body: bodies.OfContact) -> None:
        principal, entry = self._in_hand(sid, body.contact)
        await self.rooms.submit(commands.ExtendWrapUp(entry.id, principal.agent))

    async def _question(self, sid: str, body: bodies.AskAlso) -> dict[str, Any]:
        principal, entry = self._in_hand(sid, body.contact)
        outcome = await self.rooms.submit(commands.AddQuestion(entry.id, principal.agent, body.topic))
        return {"number": outcome.answer}

    async def _wrap_up(self, sid: str, body: bodies.WrapUp) -> None:
        before = self.rooms.views.contacts.get(body.contact)
        if before is not None and before.state == "ended" and before.agent == self.who(sid).agent:
            if before.questions[0].resolved is not body.resolved:
                raise WrongState("It has been wrapped up already")
            return
        principal, entry = self._in_hand(sid, body.contact)
        if body.topic and self.rooms.views.centre.topic(body.topic) is None:
            raise InvalidField("There is no such topic", "topic")
        note_ref = await self._note_down(principal, entry, "wrap-up", body.note)
        await self.rooms.submit(
            commands.CompleteWrapUp(entry.id, principal.agent, body.resolved, body.topic, note_ref, body.answers)
        )

    async def _hand_over(self, sid: str, body: bodies.GiveAway) -> None:
        principal, entry = self._in_hand(sid, body.contact)
        self._promises.check_owner(entry.municipality, body.agent, body.queue)
        if body.agent == principal.agent:
            raise InvalidField("You have it already", "agent")
        note_ref = await self._note_down(principal, entry, f"hand-over-{entry.offers}", body.note)
        await self.rooms.submit(
            commands.HandOver(entry.id, principal.agent, queue=body.queue, to_agent=body.agent, note_ref=note_ref)
        )

    async def _note_down(self, principal: Principal, entry: Entry, message: str, text: str) -> str:
        """Put a note in the thread, for the next one to read: the citizen tells it once. Gives its reference."""
        ref = await self.rooms.keep(entry.id, text)
        if ref:
            await self.rooms.submit(commands.AddMessage(entry.id, message, "note", ref, by=principal.agent))
        return ref

    # -- promises ---------------------------------------------------------------------------------------------

    async def _promise(self, sid: str, body: bodies.Promise) -> dict[str, Any]:
        principal, entry = self._in_hand(sid, body.contact)
        now = self.rooms.now()
        if not now < body.due_at <= now + PROMISE_MS_MAX:
            raise InvalidField("The deadline must be in the future, within a year", "due_at")
        self._promises.check_owner(entry.municipality, body.agent, body.queue)
        # The same promise again (a repeated request) gets the same id; the key keeps the id from saying anything.
        same = repr((entry.id, principal.agent, body)).encode()
        follow_up = "f-" + hashlib.blake2b(same, digest_size=12, key=self._key).hexdigest()
        if self.rooms.views.follow_ups.get(follow_up) is None:
            text_ref = await self.rooms.keep(entry.id, body.text)
            await self.rooms.submit(
                commands.MakeFollowUp(
                    follow_up, entry.id, principal.agent, body.due_at, text_ref, body.agent, body.queue
                )
            )
        return {"follow_up": follow_up}

    async def _list_promises(self, sid: str, body: bodies.ListPromises) -> dict[str, Any]:
        return {"follow_ups": await self._promises.list(self.who(sid), mine=body.mine)}

    async def _promise_done(self, sid: str, body: bodies.PromiseDone) -> None:
        await self._promises.complete(self.who(sid), body.follow_up, body.note)

    async def _promise_assign(self, sid: str, body: bodies.PromiseAssign) -> None:
        await self._promises.assign(self.who(sid), body.follow_up, body.agent, body.queue)


_MOVES_QUEUES = (
    facts.ContactQueued,
    facts.ContactReturned,
    facts.OfferAccepted,
    facts.AnswerAdopted,
    facts.ContactEnded,
)
_TELLS_ALL = (
    facts.ChannelClosed,
    facts.ChannelReopened,
    facts.CalamityAnnounced,
    facts.CalamityWithdrawn,
    facts.FollowUpMade,
    facts.FollowUpAssigned,
    facts.FollowUpOverdue,
    facts.FollowUpKept,
)
