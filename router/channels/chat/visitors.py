"""The namespace `/chat`: what visitors may ask, and one pump per socket that shows them their chat in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web

from router.channels.channel import Surroundings
from router.channels.chat import codec
from router.channels.chat.fold import Chat, Line, OpenChats
from router.engine.commands import AddMessage, AnswerCitizen, EndContact, Receive
from router.errors import Erased, NotAllowed, QueueFull, TooMany, Unavailable, UnknownThing, WrongState
from router.nouns import Municipality
from router.port import new_id
from router.sockets import Event, Namespace
from router.vault.interface import CARD_TYPE, Card, card_bytes
from router.web import RateLimit, peer_address, where

TEXT_TYPE = "text/plain; charset=utf-8"
STARTS_PER_MINUTE = 30
MESSAGES_PER_MINUTE = 60
TYPING_PER_MINUTE = 30
EVENTS_PER_MINUTE = 240
SOCKETS_PER_CHAT = 5
RESUME_CHARACTERS = 1_000_000
"""A resume answers with this much at once; the rest follows as messages."""

log = structlog.get_logger()


@dataclass(slots=True)
class Visit:
    """One socket that looks at one chat."""

    sid: str
    contact: str
    shown: int
    """The last number this socket has got."""
    status: dict[str, Any] | None = None
    """The last status it has got."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    pump: asyncio.Task[None] | None = None


class Visitors(Namespace):
    """Visitors and their sockets. `arrived` and `left` tell who has a socket; `reached` waits for the fold."""

    def __init__(
        self,
        surroundings: Surroundings,
        chats: OpenChats,
        reached: Callable[[int], Awaitable[None]],
        *,
        mask_bsn: bool,
        arrived: Callable[[str], None],
        left: Callable[[str], None],
        on_typing: Callable[[str], None],
    ) -> None:
        super().__init__("/chat")
        self._around, self._chats, self._reached = surroundings, chats, reached
        self._mask, self._arrived, self._left, self._on_typing = mask_bsn, arrived, left, on_typing
        self._key = b""
        self._addresses: dict[str, str] = {}
        self._visits: dict[str, Visit] = {}
        self._of_contact: dict[str, dict[str, Visit]] = {}
        now = surroundings.now
        self.limit = RateLimit(EVENTS_PER_MINUTE, 60, now)
        self._starts = RateLimit(STARTS_PER_MINUTE, 60, now)
        self._messages = RateLimit(MESSAGES_PER_MINUTE, 60, now)
        self._typings = RateLimit(TYPING_PER_MINUTE, 60, now)
        self.events = {
            "info": Event(codec.Info, self._info),
            "start": Event(codec.Start, self._start),
            "resume": Event(codec.Resume, self._resume),
            "message": Event(codec.Message, self._message),
            "typing": Event(codec.Nothing, self._typing),
            "end": Event(codec.Nothing, self._end),
            "answer": Event(codec.Answer, self._answer),
        }

    # -- life -------------------------------------------------------------------------------------------------

    def open(self, key: bytes) -> None:
        """Take visitors from now on; before, and after `close`, they are told to try again."""
        self._key = key

    async def close(self) -> None:
        """Show nothing more and take nothing in; the chats stay as they are."""
        self._key = b""
        pumps = [visit.pump for visit in self._visits.values() if visit.pump is not None]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def connect(self, sid: str, request: web.Request, auth: dict[str, Any]) -> None:
        self._addresses[sid] = peer_address(request)

    async def gone(self, sid: str) -> None:
        self._addresses.pop(sid, None)
        self._detach(sid)

    def has_socket(self, contact: str) -> bool:
        return contact in self._of_contact

    def wake(self, contact: str) -> None:
        """There is something new to see in this chat."""
        for visit in self._of_contact.get(contact, {}).values():
            visit.wake.set()

    def agent_typing(self, contact: str) -> None:
        self.send("typing", {}, list(self._of_contact.get(contact, {})))

    # -- what visitors ask ------------------------------------------------------------------------------------

    async def _info(self, sid: str, body: codec.Info) -> dict[str, Any]:
        municipality = self._municipality(body.municipality)
        centre = self._chats.centre
        return {
            "open": self._around.is_open(municipality.id, "chat"),
            "opens_at": self._around.opens_at(municipality.id, "chat"),
            "name": municipality.name,
            "email": municipality.email_from,
            "number": municipality.entry_points[0] if municipality.entry_points else "",
            "topics": [{"id": topic.id, "title": topic.title} for topic in centre.topics],
            "waiting": self._chats.waiting(),
            "agents_ready": self._chats.agents_ready(municipality),
            "calamity": self._around.calamity(municipality.id) or None,
        }

    async def _start(self, sid: str, body: codec.Start) -> dict[str, Any]:
        self._check_open()
        self._starts.take(self._addresses.get(sid, ""))
        body = codec.checked_start(body, mask=self._mask)
        municipality = self._municipality(body.municipality)
        if body.topic and self._chats.centre.topic(body.topic) is None:
            raise codec.InvalidField("topic", "there is no such topic")
        key = codec.source_key(body.message)
        present = self._visits.get(sid)
        at_hand = self._chats.chats.get(present.contact) if present else None
        if at_hand is not None and at_hand.state != "ended" and at_hand.source_key != key:
            raise WrongState("this page has a chat already: end it first")
        chat = self._chats.started_with(key)
        if chat is None:
            if not self._around.is_open(municipality.id, "chat"):
                raise WrongState("the chat is closed now", code="closed")
            try:
                chat = await self._receive(body, key)
            except QueueFull as full:
                raise WrongState("so many are waiting that the chat takes nobody else now", code="full") from full
        if self._around.now() - chat.received_at > codec.REPEAT_SECONDS_MAX * 1000:
            raise NotAllowed("this chat was started too long ago: resume it with its token")
        number = await self._add(chat, body.message, body.text)
        self._attach(sid, chat, shown=0)
        return {"contact": chat.contact, "token": codec.token_of(self._key, chat.contact), "number": number}

    async def _resume(self, sid: str, body: codec.Resume) -> dict[str, Any]:
        self._check_open()
        chat = self._chats.chats.get(codec.contact_of(self._key, body.token))
        if chat is None:
            raise UnknownThing("this chat is over")
        shown = max(0, min(body.after, len(chat.lines)))
        messages: list[dict[str, Any]] = []
        characters = 0
        while shown < len(chat.lines) and characters < RESUME_CHARACTERS:
            messages.append(await self._shown(chat.lines[shown]))
            characters += len(messages[-1]["text"]) + 200
            shown += 1
        status = self._status(chat)
        self._attach(sid, chat, shown=shown, status=status)
        return {"contact": chat.contact, "status": status, "messages": messages}

    async def _message(self, sid: str, body: codec.Message) -> dict[str, Any]:
        self._check_open()
        chat = self._mine(sid)
        body = codec.checked_message(body, mask=self._mask)
        if body.message not in chat.numbers:
            self._messages.take(chat.contact)
            if chat.state == "ended":
                raise WrongState("this chat is over")
        return {"number": await self._add(chat, body.message, body.text)}

    async def _typing(self, sid: str, body: codec.Nothing) -> None:
        chat = self._mine(sid)
        try:
            self._typings.take(chat.contact)
        except TooMany:
            return
        if chat.state == "active":
            self._on_typing(chat.contact)

    async def _end(self, sid: str, body: codec.Nothing) -> None:
        self._check_open()
        await self.end(self._mine(sid))

    async def _answer(self, sid: str, body: codec.Answer) -> None:
        """Whether the question was answered; the centre refuses it while the conversation goes on."""
        self._check_open()
        chat = self._mine(sid)
        if not chat.helped:
            raise WrongState("nobody has helped you in this chat")
        outcome = await self._around.port.submit(AnswerCitizen(chat.contact, body.answered, body.mark))
        await self._reached(outcome.number)

    async def end(self, chat: Chat) -> None:
        """The visitor has left: before an answer that is `abandoned`, in conversation `citizen_left`."""
        if chat.state != "ended":
            reason = "citizen_left" if chat.state == "active" else "abandoned"
            outcome = await self._around.port.submit(EndContact(chat.contact, reason))
            await self._reached(outcome.number)

    # -- taking in --------------------------------------------------------------------------------------------

    async def _receive(self, body: codec.Start, key: str) -> Chat:
        """On disk: the card in the vault, then the contact. A try that was quicker wins, and is found by its key."""
        contact = new_id("c")
        vault, port = self._around.vault, self._around.port
        topic = self._chats.centre.topic(body.topic)
        details = {"Onderwerp": topic.title.get("nl", topic.id)} if topic else {}
        card = Card(name=body.name, email=body.email, subject=codec.subject_of(body.text), details=details)
        content_ref = await vault.store(contact, CARD_TYPE, card_bytes(card))
        citizen = ""
        if body.email:
            citizen = await vault.recognise(body.municipality, contact, name=body.name, email=body.email)
        chosen = (f"topic:{body.topic}",) if body.topic else ()
        outcome = await port.submit(
            Receive(
                contact,
                "chat",
                body.municipality,
                key,
                citizen=citizen,
                language=body.language,
                content_ref=content_ref,
                hints=(*chosen, *self._around.hints_of(body.text)),
            )
        )
        await self._reached(outcome.number)
        chat = self._chats.started_with(key)
        if chat is None:
            raise UnknownThing("this chat is over")
        return chat

    async def _add(self, chat: Chat, message: str, text: str) -> int:
        """On disk: the text in the vault, then the message. Gives its number for the visitor; an id has one number."""
        known = chat.numbers.get(message)
        if known is not None:
            return known
        ref = await self._around.vault.store(chat.contact, TEXT_TYPE, text.encode())
        outcome = await self._around.port.submit(AddMessage(chat.contact, message, "citizen", ref))
        await self._reached(outcome.number)
        return chat.numbers[message]

    # -- showing ----------------------------------------------------------------------------------------------

    def _attach(self, sid: str, chat: Chat, *, shown: int, status: dict[str, Any] | None = None) -> None:
        """Let this socket follow the chat. Its task begins after the acknowledgement has been put before the client."""
        self._detach(sid)
        if sid not in self._addresses:
            return  # it has gone in the meantime
        sockets = self._of_contact.setdefault(chat.contact, {})
        if len(sockets) >= SOCKETS_PER_CHAT:
            self._cut(next(iter(sockets)))
        visit = Visit(sid, chat.contact, shown, status)
        self._visits[sid] = sockets[sid] = visit
        visit.wake.set()
        visit.pump = asyncio.create_task(self._pump(visit), name="chat visitor")
        self._arrived(chat.contact)

    def _detach(self, sid: str) -> None:
        visit = self._visits.pop(sid, None)
        if visit is None:
            return
        if visit.pump is not None:
            visit.pump.cancel()
        sockets = self._of_contact[visit.contact]
        del sockets[sid]
        if not sockets:
            del self._of_contact[visit.contact]
            self._left(visit.contact)

    def _cut(self, sid: str) -> None:
        self._detach(sid)
        eio_sid = self.server.manager.eio_sid_from_sid(sid, self.namespace)
        if eio_sid:
            self.server.cut(eio_sid)

    async def _pump(self, visit: Visit) -> None:
        """Show what is new, in order and each once; what cannot be read now ends the socket, and the client resumes."""
        try:
            while True:
                await visit.wake.wait()
                visit.wake.clear()
                chat = self._chats.chats.get(visit.contact)
                if chat is None:
                    return
                while visit.shown < len(chat.lines):
                    line = chat.lines[visit.shown]
                    self.send("message", await self._shown(line), [visit.sid])
                    visit.shown = line.number
                status = self._status(chat)
                if status != visit.status:
                    visit.status = status
                    self.send("status", status, [visit.sid])
        except Exception as error:  # noqa: BLE001 - whatever it is, the client resumes; logged without what it says
            log.warning("chat.visitor_cut", contact=visit.contact, error=type(error).__name__, where=where(error))
            visit.pump = None  # this very task: not to be cancelled
            self._cut(visit.sid)

    async def _shown(self, line: Line) -> dict[str, Any]:
        try:
            text = (await self._around.vault.read_unattended(line.ref)).content.decode("utf-8", "replace")
        except (Erased, UnknownThing):
            text = ""
        name = self._chats.first_name(line.by) if line.author == "agent" else ""
        return {
            "number": line.number,
            "author": line.author,
            "name": name,
            "text": text,
            "at": line.at,
            "message": line.message,
        }

    def _status(self, chat: Chat) -> dict[str, Any]:
        name = self._chats.first_name(chat.agent) if chat.state == "active" else ""
        asked = {"helped": chat.helped, "answered": chat.answered} if chat.state == "ended" else {}
        return {"state": chat.state, "position": chat.position or None, "agent_name": name, **asked}

    # -- looking up -------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if not self._key:
            raise Unavailable("the chat is starting or stopping: try again")

    def _mine(self, sid: str) -> Chat:
        visit = self._visits.get(sid)
        chat = self._chats.chats.get(visit.contact) if visit else None
        if chat is None:
            raise WrongState("start a chat, or resume one, first")
        return chat

    def _municipality(self, id: str) -> Municipality:
        found = self._chats.centre.municipality(id)
        if found is None:
            raise codec.InvalidField("municipality", "there is no such municipality here")
        return found
