"""Every look of an agent at a citizen's data: through the vault, with who and why, audited before it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from router.errors import Erased, UnknownThing
from router.gateways.follow_ups import FollowUpRequests
from router.gateways.routes import Rooms
from router.projections.contacts import Entry, Message
from router.projections.history import Past
from router.vault.interface import CARD_TYPE, Card, read_card
from router.web import Principal

EARLIER_MAX = 20


@dataclass(slots=True)
class Seen:
    """What was decrypted for one agent about one contact; kept only while the contact is with them."""

    known: bool = False
    name: str = ""
    phone: str = ""
    email: str = ""
    card: Card = field(default_factory=Card)
    messages: dict[int, Card] = field(default_factory=dict)
    """Message number -> what it brings; a chat message is a card with only a text."""


class Looks:
    """Reads for agents, and remembers no longer than it may."""

    def __init__(self, rooms: Rooms, follow_ups: FollowUpRequests) -> None:
        self._rooms, self._follow_ups = rooms, follow_ups
        self._seen: dict[tuple[str, str], Seen] = {}

    async def glance(self, principal: Principal, entry: Entry, purpose: str) -> Seen:
        """Name, number and subject for the offer card or the list: read once per agent and contact."""
        seen = self._seen.get((principal.agent, entry.id))
        return seen if seen is not None else await self._look(principal, entry, purpose)

    async def _look(self, principal: Principal, entry: Entry, purpose: str) -> Seen:
        seen = Seen()
        try:
            citizen, item = await self._rooms.vault.read_contact(
                entry.id, entry.citizen, entry.content_ref, who=principal.id, purpose=purpose
            )
        except Erased:
            seen.card = Card(unreadable="erased")
        else:
            if citizen is not None:
                seen.known = True
                seen.name, seen.phone, seen.email = citizen.name, citizen.phone, citizen.email
            if item is not None:
                seen.card = _card(item.type, item.content)
            elif entry.content_ref:
                seen.card = Card(unreadable="unknown")
        # What was said in this contact goes before what was known: a number or address proves nobody's identity.
        seen.name = seen.card.name or seen.name
        seen.phone = seen.card.phone or seen.phone
        seen.email = seen.card.email or seen.email
        if entry.with_agent(principal.agent) and seen.card.unreadable != "unknown":  # it may come yet
            older = self._seen.get((principal.agent, entry.id))
            seen.messages = older.messages if older is not None else {}
            self._seen[principal.agent, entry.id] = seen
        return seen

    async def message(self, principal: Principal, entry: Entry, message: Message, name: str = "") -> dict[str, Any]:
        """One message as the protocol shows it; `name` is the citizen's, where it is not remembered."""
        key = (principal.agent, entry.id)
        seen = self._seen.get(key)
        found = seen.messages.get(message.number) if seen is not None else None
        if found is None:
            found = await self._text(principal, message.ref)
            seen = self._seen.get(key)
            if seen is not None:
                seen.messages[message.number] = found
        return {
            "contact": entry.id,
            "number": message.number,
            "author": message.author,
            "name": self._author(message, seen.name if seen is not None else name),
            "text": found.text,
            "html": found.html,
            "attachments": msgspec.to_builtins(found.attachments),
            "unreadable": found.unreadable,
            "at": message.at,
            "message": message.message,
            "delivery": message.status,
        }

    async def _text(self, principal: Principal, ref: str) -> Card:
        try:
            item = await self._rooms.vault.read(ref, who=principal.id, purpose="message")
        except Erased:
            return Card(unreadable="erased")
        except UnknownThing:
            return Card(unreadable="unknown")
        if item.type == CARD_TYPE:
            return _card(item.type, item.content)
        return Card(text=item.content.decode(errors="replace"))

    def _author(self, message: Message, citizen: str) -> str:
        if message.author == "citizen":
            return citizen
        agent = self._rooms.views.centre.agent(message.by)
        return agent.name if agent is not None else ""

    async def detail(self, principal: Principal, entry: Entry, purpose: str) -> dict[str, Any]:
        """All about a contact: audited anew each time."""
        seen = await self._look(principal, entry, purpose)
        card = msgspec.to_builtins(seen.card)
        shown = {"subject": "", "text": "", "html": "", "details": {}, "unreadable": "", "attachments": [], **card}
        shown.pop("raw_ref", None)
        return {
            "contact": entry.view(),
            "card": {**shown, "name": seen.name, "phone": seen.phone, "email": seen.email},
            "messages": [await self.message(principal, entry, one, seen.name) for one in list(entry.messages)],
            "earlier": [self._earlier(past) for past in self.earlier(entry)],
            "follow_ups": await self._promises(principal, entry),
            "draft": await self._draft(principal, entry),
        }

    async def _draft(self, principal: Principal, entry: Entry) -> str:
        try:
            return await self._rooms.vault.get_draft(entry.id, principal.agent)
        except Erased:
            return ""

    # -- what came before -------------------------------------------------------------------------------------

    def earlier(self, entry: Entry) -> list[Past]:
        """The citizen's other contacts with the contact's own municipality, newest first, and what it continues."""
        history = self._rooms.views.history
        found = history.earlier(entry.municipality, entry.citizen, but=entry.id)[:EARLIER_MAX]
        linked = self._rooms.views.contacts.get(entry.linked_to) if entry.linked_to else None
        if linked is None or linked.municipality != entry.municipality or any(p.contact == linked.id for p in found):
            return found
        return [*found, _past(linked)]

    async def earlier_detail(self, principal: Principal, entry: Entry, of: str) -> dict[str, Any]:
        """An earlier contact of the same citizen and municipality. Raises UnknownThing for any other."""
        past = next((one for one in self.earlier(entry) if one.contact == of), None)
        if past is None or past.municipality != entry.municipality:
            raise UnknownThing("There is no such earlier contact")
        earlier = self._rooms.views.contacts.get(of) or _entry(past)
        return {**await self.detail(principal, earlier, "earlier"), "earlier": [], "draft": ""}

    def _earlier(self, past: Past) -> dict[str, Any]:
        agent = self._rooms.views.centre.agent(past.agent)
        return {
            "contact": past.contact,
            "channel": past.channel,
            "topic": past.topic,
            "received_at": past.received_at,
            "ended_at": past.ended_at,
            "state": past.state,
            "further": past.further,
            "resolved": past.resolved,
            "reason": past.reason,
            "agent_name": agent.name if agent is not None else "",
        }

    async def _promises(self, principal: Principal, entry: Entry) -> list[dict[str, Any]]:
        contacts = [entry.id, *(past.contact for past in self.earlier(entry))]
        follow_ups = self._rooms.views.follow_ups
        promises = [p for contact in contacts for p in follow_ups.of_contact(contact)]
        shown = []
        for promise in promises[:EARLIER_MAX]:
            if promise.municipality == entry.municipality:
                found = await self._follow_ups.read(principal, promise)
                shown.append({
                    "follow_up": found.follow_up, "due_at": found.due_at, "state": found.state, "text": found.text,
                    "owner": found.owner_agent or found.owner_queue, "contact": found.contact, "reason": found.reason,
                })  # fmt: skip
        return shown

    # -- forgetting --------------------------------------------------------------------------------

    def forget(self, entry: Entry | None, contact: str) -> None:
        """Drop what was decrypted for agents the contact is no longer with."""
        for agent, of in [key for key in self._seen if key[1] == contact]:
            if entry is None or not entry.with_agent(agent):
                del self._seen[agent, of]

    def forget_agent(self, agent: str) -> None:
        """The agent has no screen any more."""
        for key in [key for key in self._seen if key[0] == agent]:
            del self._seen[key]


def _card(media: str, content: bytes) -> Card:
    if media != CARD_TYPE:
        return Card(unreadable="not a card")
    try:
        return read_card(content)
    except msgspec.MsgspecError:
        return Card(unreadable="damaged")


def _past(entry: Entry) -> Past:
    return Past(
        entry.id, entry.channel, entry.municipality, entry.citizen, entry.content_ref, entry.received_at, entry.topic,
        entry.state, entry.agent, entry.ended_at, entry.ended_reason, entry.resolved, entry.further,
    )  # fmt: skip


def _entry(past: Past) -> Entry:
    """An entry of what is older than the contacts kept: without its messages."""
    return Entry(
        id=past.contact, channel=past.channel, municipality=past.municipality, source_key="", citizen=past.citizen,
        language="", content_ref=past.content_ref, linked_to="", received_at=past.received_at,
        state_since=past.ended_at, number=0, state=past.state, topic=past.topic, agent=past.agent,
        ended_at=past.ended_at, ended_reason=past.reason, resolved=past.resolved, further=past.further,
    )  # fmt: skip
